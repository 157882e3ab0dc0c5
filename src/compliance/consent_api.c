/*-------------------------------------------------------------------------
 *
 * consent_api.c
 *	  Recording and revoking consents, and overriding the do-not-call list on
 *	  the strength of one.
 *
 *	  Consents are events in a log.  What an event means for leads is done by
 *	  the trigger of the log (see consents.c).
 *
 *	  Locks are taken in the order dnc_list, leads, and the log is written last:
 *	  who holds the lead is the only one to write about its number.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/array.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "compliance/compliance.h"
#include "compliance/consents.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/input.h"
#include "core/json.h"
#include "core/query.h"
#include "core/tenant.h"

/* A lead by whom consent is given or revoked. */
typedef struct Person
{
	pg_uuid_t org;
	pg_uuid_t lead;
	char *phone_number; /* or NULL */
	char *email;        /* or NULL */
	bool is_deleted;
} Person;

/*
 * Read how a lead is reached; with "lock", locking it and the live lead that
 * has the number if it is another.
 */
static void
read_person(Person *person, bool lock)
{
	LS_QUERY(reading,
		"SELECT l.phone_number, l.email, l.deleted_at IS NOT NULL FROM lead_system.leads l"
		" WHERE l.organization_id = $1 AND l.id = $2",
		UUIDOID, UUIDOID);
	LS_QUERY(locking,
		"SELECT l.phone_number, l.email, l.deleted_at IS NOT NULL FROM lead_system.leads l"
		" WHERE l.organization_id = $1 AND l.id = $2 FOR NO KEY UPDATE",
		UUIDOID, UUIDOID);
	LS_QUERY(heir,
		"SELECT 1 FROM lead_system.leads l WHERE l.organization_id = $1 AND l.phone_number = $2"
		"   AND l.deleted_at IS NULL FOR NO KEY UPDATE",
		UUIDOID, TEXTOID);
	LsArgs args = {0};
	LsArgs heir_args = {0};
	LsScope scope;

	ls_arg_uuid(&args, &person->org);
	ls_arg_uuid(&args, &person->lead);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run(lock ? &locking : &reading, &args, LS_WRITE) == 0)
		ls_no_such_row("lead", &person->lead);
	person->phone_number = ls_result_text(0, 1);
	person->email = ls_result_text(0, 2);
	person->is_deleted = ls_result_bool(0, 3);
	if (lock && person->is_deleted && person->phone_number != NULL)
	{
		ls_arg_uuid(&heir_args, &person->org);
		ls_arg_text(&heir_args, person->phone_number);
		ls_query_run(&heir, &heir_args, LS_WRITE);
	}
	ls_scope_close(&scope);
}

/*
 * Write events, one per channel; returns the id of the first.  A revocation is
 * never older than what was granted before, whatever order transactions began.
 */
static pg_uuid_t
write_events(
	const Person *person, const char *const *channels, int n, const char *action, Jsonb *evidence)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.contact_consents (organization_id, lead_id, phone_number, email,"
		"  channel, action, at, evidence, user_id, created_at)"
		" SELECT $1, $2, p.number, p.address, p.channel, $5,"
		"        CASE $5 WHEN 'granted' THEN $6 ELSE greatest($6, (SELECT max(c.at)"
		"           FROM lead_system.contact_consents c WHERE c.organization_id = $1"
		"            AND c.phone_number = p.number AND c.channel = p.channel), (SELECT max(c.at)"
		"           FROM lead_system.contact_consents c WHERE c.organization_id = $1"
		"            AND c.email = p.address AND c.channel = p.channel)) END,"
		"        $7, $8, $6"
		"   FROM (SELECT u AS channel, CASE WHEN u <> 'email' THEN $3 END AS number,"
		"                CASE WHEN u = 'email' THEN $4 END AS address FROM unnest($9) u) p"
		" RETURNING id",
		UUIDOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, JSONBOID, UUIDOID,
		TEXTARRAYOID);
	Datum elements[3];
	pg_uuid_t user;
	pg_uuid_t id;
	LsScope scope;
	LsArgs args = {0};
	int i;

	for (i = 0; i < n; i++)
		elements[i] = CStringGetTextDatum(channels[i]);
	ls_arg_uuid(&args, &person->org);
	ls_arg_uuid(&args, &person->lead);
	ls_arg_text(&args, person->phone_number);
	ls_arg_text(&args, person->email);
	ls_arg_text(&args, action);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_arg_datum(&args, JsonbPGetDatum(evidence), false);
	ls_arg_uuid(&args, ls_current_user(&user) ? &user : NULL);
	ls_arg_datum(&args,
		PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false, TYPALIGN_INT)), false);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	id = ls_result_uuid(0, 1);
	ls_scope_close(&scope);
	return id;
}

/* A lead must have what a channel needs. */
static void
check_reachable(const Person *person, const char *channel)
{
	bool is_email = strcmp(channel, "email") == 0;

	if ((is_email ? person->email : person->phone_number) == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg(is_email ? "the lead has no e-mail address"
										   : "the lead has no phone number")));
}

PG_FUNCTION_INFO_V1(ls_compliance_record_consent);

/* record_consent(lead_id, channel, evidence): returns the id of the event. */
Datum
ls_compliance_record_consent(PG_FUNCTION_ARGS)
{
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));
	Person person = {0};
	const char *channel;
	Jsonb *evidence;

	LS_REQUIRE_ARG(0, "lead_id");
	LS_REQUIRE_ARG(1, "channel");
	channel = text_to_cstring(PG_GETARG_TEXT_PP(1));
	ls_consent_check_channel(channel);
	evidence = PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2);
	if (evidence == NULL || !JB_ROOT_IS_OBJECT(evidence) || JB_ROOT_COUNT(evidence) == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("evidence must be a JSON object that says something"),
						   errhint("Keep what proves the consent: form, address, wording.")));
	person.lead = *PG_GETARG_UUID_P(0);
	ls_enter_org_of("leads", "lead", &person.lead, LS_WRITE, &person.org);
	read_person(&person, true);
	if (person.is_deleted)
		ls_no_such_row("lead", &person.lead);
	check_reachable(&person, channel);
	*id = write_events(&person, &channel, 1, "granted", evidence);
	PG_RETURN_UUID_P(id);
}

/* The same for other domains: the lead is live, and has what the channel needs. */
void
ls_consent_grant(const pg_uuid_t *org, const pg_uuid_t *lead, const char *channel, Jsonb *evidence)
{
	Person person = {.org = *org, .lead = *lead};

	read_person(&person, true);
	check_reachable(&person, channel);
	(void) write_events(&person, &channel, 1, "granted", evidence);
}

/*
 * A number that was taken off the list on the strength of a consent, and not
 * listed since, goes back when that consent is revoked (D7).
 */
static void
end_override(const Person *person, const char *const *channels, int n)
{
	LS_QUERY(query,
		"SELECT c.channel FROM (SELECT a.action, a.consent_id FROM lead_system.dnc_audit_log a"
		"     WHERE a.organization_id = $1 AND a.phone_number = $2"
		"     ORDER BY a.created_at DESC, a.id DESC LIMIT 1) o"
		"  JOIN lead_system.contact_consents c ON c.organization_id = $1 AND c.id = o.consent_id"
		" WHERE o.action = 'overridden'",
		UUIDOID, TEXTOID);
	const char *overriding = NULL;
	LsScope scope;
	LsArgs args = {0};
	int i;

	if (person->phone_number == NULL)
		return;
	ls_arg_uuid(&args, &person->org);
	ls_arg_text(&args, person->phone_number);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run(&query, &args, LS_WRITE) > 0)
		overriding = ls_result_text(0, 1);
	ls_scope_close(&scope);
	for (i = 0; overriding != NULL && i < n; i++)
	{
		if (strcmp(overriding, channels[i]) == 0)
		{
			ls_dnc_add(&person->org, person->phone_number, "lead_requested", "automated");
			return;
		}
	}
}

/* The channels that a revocation is about; returns how many. */
static int
channels_to_revoke(const Person *person, const char *channel, const char *channels[3])
{
	int n = 0;

	if (channel != NULL && !ls_config_bool(&person->org, "compliance.cross_channel_revocation"))
	{
		check_reachable(person, channel);
		channels[n++] = channel;
		return n;
	}
	if (person->phone_number != NULL)
	{
		channels[n++] = "call";
		channels[n++] = "sms";
	}
	if (person->email != NULL)
		channels[n++] = "email";
	if (n == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("the lead has neither phone number nor e-mail address")));
	return n;
}

/* Revoke consents of a lead: for a channel, or NULL for all (D12). */
void
ls_consent_revoke(const pg_uuid_t *org, const pg_uuid_t *lead, const char *channel)
{
	Person person = {.org = *org, .lead = *lead};
	const char *channels[3];
	int n;

	read_person(&person, false);
	n = channels_to_revoke(&person, channel, channels);
	end_override(&person, channels, n);
	read_person(&person, true);
	n = channels_to_revoke(&person, channel, channels);
	(void) write_events(
		&person, channels, n, "revoked", ls_json_pair_text("revoked", channel ? channel : "all"));
}

PG_FUNCTION_INFO_V1(ls_compliance_revoke_consent);

/* revoke_consent(lead_id, channel) */
Datum
ls_compliance_revoke_consent(PG_FUNCTION_ARGS)
{
	char *channel = NULL;
	pg_uuid_t org;

	LS_REQUIRE_ARG(0, "lead_id");
	if (!PG_ARGISNULL(1))
	{
		channel = text_to_cstring(PG_GETARG_TEXT_PP(1));
		ls_consent_check_channel(channel);
	}
	ls_enter_org_of("leads", "lead", PG_GETARG_UUID_P(0), LS_WRITE, &org);
	ls_consent_revoke(&org, PG_GETARG_UUID_P(0), channel);
	PG_RETURN_VOID();
}

/*
 * The consent must be of this number, and not have been revoked since: what was
 * consented to afterwards is another consent.  It must be one to calls: the list
 * is about calls and texts alike, and who agrees to texts alone is not called.
 */
static void
check_consent(const Person *person, const pg_uuid_t *consent)
{
	LS_QUERY(query,
		"SELECT c.phone_number = $3 AND c.action = 'granted' AND c.channel = 'call'"
		"       AND NOT EXISTS (SELECT FROM lead_system.contact_consents x"
		"             WHERE x.organization_id = $1 AND x.phone_number = $3 AND x.channel = c.channel"
		"               AND x.action = 'revoked' AND (x.at, x.id) > (c.at, c.id))"
		"  FROM lead_system.contact_consents c WHERE c.organization_id = $1 AND c.id = $2",
		UUIDOID, UUIDOID, TEXTOID);
	LsScope scope;
	LsArgs args = {0};
	bool counts;

	ls_arg_uuid(&args, &person->org);
	ls_arg_uuid(&args, consent);
	ls_arg_text(&args, person->phone_number);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		ls_no_such_row("consent", consent);
	counts = !ls_result_isnull(0, 1) && ls_result_bool(0, 1);
	ls_scope_close(&scope);
	if (!counts)
		ereport(ERROR,
			(errcode(LS_ERRCODE_NO_CONSENT),
				errmsg("the consent does not allow to contact the lead's number"),
				errdetail("It was given for another contact, is not for calls, or is revoked.")));
}

/* The audit row of an override that was just made. */
static pg_uuid_t
audit_row(const Person *person, const pg_uuid_t *consent)
{
	LS_QUERY(query,
		"SELECT a.id FROM lead_system.dnc_audit_log a"
		" WHERE a.organization_id = $1 AND a.phone_number = $2 AND a.action = 'overridden'"
		"   AND a.consent_id = $3 ORDER BY a.created_at DESC, a.id DESC LIMIT 1",
		UUIDOID, TEXTOID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};
	pg_uuid_t id;

	ls_arg_uuid(&args, &person->org);
	ls_arg_text(&args, person->phone_number);
	ls_arg_uuid(&args, consent);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		elog(ERROR, "the override was not audited");
	id = ls_result_uuid(0, 1);
	ls_scope_close(&scope);
	return id;
}

PG_FUNCTION_INFO_V1(ls_compliance_override_dnc);

/* override_dnc(lead_id, reason, consent_id): returns the id of the audit row. */
Datum
ls_compliance_override_dnc(PG_FUNCTION_ARGS)
{
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));
	Person person = {0};
	const pg_uuid_t *consent;
	char *reason;

	LS_REQUIRE_ARG(0, "lead_id");
	reason = TextDatumGetCString(ls_require_words(fcinfo, 1, "reason"));
	LS_REQUIRE_ARG(2, "consent_id");
	consent = PG_GETARG_UUID_P(2);
	person.lead = *PG_GETARG_UUID_P(0);
	ls_enter_org_of("leads", "lead", &person.lead, LS_WRITE, &person.org);
	if (!ls_caller_is_admin())
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						   errmsg("permission denied to override the do-not-call list"),
						   errdetail("Only administrators may do so.")));
	read_person(&person, false);
	if (person.is_deleted)
		ls_no_such_row("lead", &person.lead);
	check_reachable(&person, "call");
	if (!ls_dnc_override(&person.org, person.phone_number, reason, consent))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("the lead's number is not on the do-not-call list")));
	/* Now that the lead is locked, nobody revokes the consent unnoticed. */
	read_person(&person, true);
	check_consent(&person, consent);
	*id = audit_row(&person, consent);
	PG_RETURN_UUID_P(id);
}
