/*-------------------------------------------------------------------------
 *
 * guards.c
 *	  Whatever the path: call_logs and sms_logs take no outbound row to whom
 *	  must not be contacted.
 *
 *	  A row tells of what has happened, so it is judged as of when the call
 *	  began or the message was sent (created_at): one from before the number was
 *	  listed, suppressed or taken back is recorded.  A mark on the lead has no
 *	  time, so it refuses every row but one that the list's own time allows.
 *	  Hours and caps do not judge what has happened; they do at a claim.
 *
 *	  The trigger is ENABLE ALWAYS: rows that logical replication brings are
 *	  judged, too, by what has a time.  The lead's mark is left out there, since
 *	  it may have come after the call, and a row that was refused would stop the
 *	  subscription.  A dump is restored before its triggers exist.
 *
 *	  Locks: an entry of the list, a word on consent and a suppression that are
 *	  being written are waited for.  So who holds a lock on the lead asks for the
 *	  number first (ls_contact_await; see outreach.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "compliance/compliance.h"
#include "compliance/consents.h"
#include "compliance/contact.h"
#include "compliance/privacy.h"
#include "core/clock.h"
#include "core/dirty.h"
#include "core/phone.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/trigger.h"
#include "core/uuid.h"
#include "directory/directory.h"

/* What the guard looks at in a row of call_logs or sms_logs. */
typedef struct GuardedRow
{
	pg_uuid_t org;
	bool has_lead;
	pg_uuid_t lead;
	bool has_campaign;
	pg_uuid_t campaign;
	bool is_outbound;
	char *number; /* that was called; may be NULL */
	char *outcome;
	TimestampTz at; /* when the call began */
} GuardedRow;

/* What refuses a row, and since when it has been in force. */
typedef struct Refusal
{
	LsRule rule;
	bool has_since;
	TimestampTz since;
} Refusal;

/* Suppressions of a number that are being written. */
static LsAwaited awaited_suppressions = {
	.cache = {.name = "index of campaign_suppressions", .relations = {"campaign_suppressions"}},
	.n_columns = 3,
	.columns = {"organization_id", "campaign_id", "phone_number"}};

/* A column of a row; false when it is null. */
static bool
get_column(Relation rel, HeapTuple tuple, const char *column, Datum *value)
{
	bool isnull;

	*value = SPI_getbinval(tuple, RelationGetDescr(rel), ls_trigger_attnum(rel, column), &isnull);
	return !isnull;
}

/* A text column of a row; NULL when it is null. */
static char *
get_text(Relation rel, HeapTuple tuple, const char *column)
{
	Datum value;

	return get_column(rel, tuple, column, &value) ? TextDatumGetCString(value) : NULL;
}

/* A uuid column of a row; false when it is null. */
static bool
get_uuid(Relation rel, HeapTuple tuple, const char *column, pg_uuid_t *value)
{
	Datum datum;

	if (!get_column(rel, tuple, column, &datum))
		return false;
	*value = *DatumGetUUIDP(datum);
	return true;
}

/* Take a row apart; "phone" names the column of the number that was called. */
static void
read_row(Relation rel, HeapTuple tuple, const char *phone, bool is_call, GuardedRow *row)
{
	char *direction = get_text(rel, tuple, "direction");
	Datum at;

	memset(row, 0, sizeof(GuardedRow));
	(void) get_uuid(rel, tuple, "organization_id", &row->org);
	row->has_lead = get_uuid(rel, tuple, "lead_id", &row->lead);
	row->has_campaign = get_uuid(rel, tuple, "campaign_id", &row->campaign);
	row->is_outbound = direction != NULL && strcmp(direction, "outbound") == 0;
	row->number = get_text(rel, tuple, phone);
	row->outcome = is_call ? get_text(rel, tuple, "outcome") : NULL;
	row->at = get_column(rel, tuple, "created_at", &at) ? DatumGetTimestampTz(at) : ls_clock_now();
}

/* The number of a lead; NULL when it has none. */
static char *
lead_number(const GuardedRow *row)
{
	LS_QUERY(query,
		"SELECT phone_number FROM lead_system.leads WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};
	char *number;

	ls_arg_uuid(&args, &row->org);
	ls_arg_uuid(&args, &row->lead);
	ls_scope_open(&scope, LS_AS_OWNER);
	number = ls_query_run_latest(&query, &args) > 0 ? ls_result_text(0, 1) : NULL;
	ls_scope_close(&scope);
	return number;
}

/*
 * Bring the number to the form in which the list has it, or another spelling
 * would get past; a row without one is about the lead's.
 */
static void
complete_number(GuardedRow *row)
{
	char e164[LS_PHONE_SIZE];
	const LsOrganization *organization;

	if (row->number == NULL && row->has_lead)
		row->number = lead_number(row);
	if (row->number == NULL || ls_phone_is_nanp(row->number))
		return;
	organization = ls_organization(&row->org);
	if (ls_phone_to_e164(row->number, organization ? organization->default_region : "US", e164))
		row->number = pstrdup(e164);
}

/* Does an update make of a row something that could not have been inserted? */
static bool
is_another_contact(const GuardedRow *old, const GuardedRow *new)
{
	return !old->is_outbound || !ls_uuid_equal(&old->org, &new->org) || new->at > old->at ||
		   (new->has_campaign &&
			   !(old->has_campaign && ls_uuid_equal(&old->campaign, &new->campaign))) ||
		   (old->number == NULL) != (new->number == NULL) ||
		   (new->number != NULL &&strcmp(old->number, new->number) != 0);
}

/*
 * Wait for those who are writing of a number: on the do-not-call list, which
 * says whether it has the number then, in the log of consents, and among the
 * suppressions of a campaign (which may be NULL).
 */
bool
ls_contact_await(const pg_uuid_t *org, const char *e164, const pg_uuid_t *campaign)
{
	bool listed = ls_dnc_listed_soon(org, e164);

	(void) ls_consents_await(org, e164);
	if (campaign != NULL)
	{
		Datum values[] = {UUIDPGetDatum(org), UUIDPGetDatum(campaign), CStringGetTextDatum(e164)};

		(void) ls_dirty_await(&awaited_suppressions, values);
	}
	return listed;
}

/*
 * Is the number listed, and since when?  Waits for those who are writing of it.
 */
static bool
listed_since(const GuardedRow *row, TimestampTz *since)
{
	LS_QUERY(query,
		"SELECT created_at FROM lead_system.dnc_list"
		" WHERE organization_id = $1 AND phone_number = $2",
		UUIDOID, TEXTOID);
	LsScope scope;
	LsArgs args = {0};

	if (!ls_contact_await(&row->org, row->number, row->has_campaign ? &row->campaign : NULL))
		return false;
	*since = row->at;
	ls_arg_uuid(&args, &row->org);
	ls_arg_text(&args, row->number);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run_latest(&query, &args) > 0)
		*since = ls_result_timestamptz(0, 1);
	ls_scope_close(&scope);
	return true;
}

/* Was it in this very call that the number was listed? */
static bool
is_the_request(const GuardedRow *row, TimestampTz since)
{
	return row->outcome != NULL && strcmp(row->outcome, "do_not_call") == 0 && since == row->at;
}

/* A lead of the row: the one that it names, or the one that has the number. */
/* clang-format off */
#define IS_MARKED(condition) \
	"(EXISTS (SELECT FROM lead_system.leads l WHERE l.organization_id = $1 AND l.id = $2" \
	"          AND l.do_not_call AND " condition ")" \
	" OR EXISTS (SELECT FROM lead_system.leads l WHERE l.organization_id = $1 AND l.phone_number = $4" \
	"          AND l.deleted_at IS NULL AND l.do_not_call AND " condition "))"
/* clang-format on */

/* What the list and the consents say has a time; other marks have none. */
#define BY_LIST "l.calling_blocked_reason IS NOT DISTINCT FROM '" LS_BLOCKED_BY_LIST "'"
#define BY_HAND \
	"coalesce(l.calling_blocked_reason, '') NOT IN" \
	" ('" LS_BLOCKED_BY_LIST "', '" LS_BLOCKED_BY_REVOCATION "')"

/* What else refuses the row: marks of leads, the campaign, a consent taken back. */
static void
read_refusals(const GuardedRow *row, const char *channel, bool listed, Refusal *refusal)
{
	LS_QUERY(query,
		"SELECT " IS_MARKED(BY_HAND) ", " IS_MARKED(
			BY_LIST) ","
					 "       (SELECT s.created_at FROM lead_system.campaign_suppressions s"
					 "         WHERE s.organization_id = $1 AND s.campaign_id = $3 AND s.phone_number = $4"
					 "           AND s.created_at <= $6),"
					 "       (SELECT CASE WHEN c.action = 'revoked' THEN c.at END"
					 "          FROM lead_system.contact_consents c"
					 "         WHERE c.organization_id = $1 AND c.phone_number = $4 AND c.channel = $5 AND c.at <= $6"
					 "         ORDER BY c.at DESC, c.id DESC LIMIT 1)",
		UUIDOID, UUIDOID, UUIDOID, TEXTOID, TEXTOID, TIMESTAMPTZOID);
	static const LsRule rules[] = {LS_RULE_DO_NOT_CALL, LS_RULE_DO_NOT_CALL,
		LS_RULE_CAMPAIGN_SUPPRESSION, LS_RULE_CONSENT_REVOKED};
	bool by_mark = SessionReplicationRole != SESSION_REPLICATION_ROLE_REPLICA;
	LsScope scope;
	LsArgs args = {0};
	int i;

	ls_arg_uuid(&args, &row->org);
	ls_arg_uuid(&args, row->has_lead ? &row->lead : NULL);
	ls_arg_uuid(&args, row->has_campaign ? &row->campaign : NULL);
	ls_arg_text(&args, row->number);
	ls_arg_text(&args, channel);
	ls_arg_timestamptz(&args, row->at);
	ls_scope_open(&scope, LS_AS_OWNER);
	(void) ls_query_run_latest(&query, &args);
	for (i = 0; i < (int) lengthof(rules) && refusal->rule == LS_RULE_NONE; i++)
	{
		if (i < 2 ? by_mark && ls_result_bool(0, i + 1) && (i == 0 || !listed)
				  : !ls_result_isnull(0, i + 1))
			refusal->rule = rules[i];
		if (refusal->rule != LS_RULE_NONE && i >= 2)
		{
			refusal->has_since = true;
			refusal->since = ls_result_timestamptz(0, i + 1);
		}
	}
	ls_scope_close(&scope);
}

/* Judge a row as of when its call began. */
static Refusal
judge(const GuardedRow *row, const char *channel)
{
	Refusal refusal = {LS_RULE_NONE, false, 0};
	TimestampTz since = 0;
	bool listed = row->number != NULL && listed_since(row, &since);

	if (listed && since <= row->at && !is_the_request(row, since))
	{
		refusal.rule = LS_RULE_DNC_LIST;
		refusal.has_since = true;
		refusal.since = since;
	}
	else
		read_refusals(row, channel, listed, &refusal);
	/* A subscriber does not judge by leads, as for marks. */
	if (refusal.rule == LS_RULE_NONE && row->number != NULL &&
		SessionReplicationRole != SESSION_REPLICATION_ROLE_REPLICA &&
		ls_number_was_erased(&row->org, row->number, row->at))
		refusal.rule = LS_RULE_DO_NOT_CALL;
	return refusal;
}

PG_FUNCTION_INFO_V1(ls_compliance_contact_guard);

/*
 * contact_guard(channel, column): BEFORE row trigger of call_logs and sms_logs;
 * the column has the number that was contacted.
 */
Datum
ls_compliance_contact_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "contact_guard", LS_TRIGGER_BEFORE_ROW,
		LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE, NULL);
	Relation rel = trigdata->tg_relation;
	HeapTuple tuple = ls_trigger_new_tuple(trigdata);
	const char *channel;
	const char *column;
	bool is_call;
	GuardedRow row;
	GuardedRow old;
	Refusal refusal;
	char *written;

	ls_trigger_check_args(trigdata, "contact_guard", 2);
	channel = trigdata->tg_trigger->tgargs[0];
	column = trigdata->tg_trigger->tgargs[1];
	is_call = strcmp(channel, "call") == 0;
	read_row(rel, tuple, column, is_call, &row);
	ls_check_row_org(rel, &row.org);
	if (!row.is_outbound || ls_rows_are_moved() ||
		(TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) && ls_row_is_being_erased(trigdata)))
		return PointerGetDatum(tuple);
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		read_row(rel, trigdata->tg_trigtuple, column, is_call, &old);
		if (!is_another_contact(&old, &row))
			return PointerGetDatum(tuple);
	}
	written = row.number;
	complete_number(&row);
	refusal = judge(&row, channel);
	if (refusal.rule != LS_RULE_NONE)
		ereport(ERROR,
			(errcode(ls_contact_rule_errcode(refusal.rule)),
				errmsg("an outbound row of \"%s\" is refused: %s", RelationGetRelationName(rel),
					is_call ? "the number must not be called" : "the number must not be texted"),
				refusal.has_since
					? errdetail("Rule \"%s\", in force since %s.",
						  ls_contact_rule_name(refusal.rule), timestamptz_to_str(refusal.since))
					: errdetail("Rule \"%s\".", ls_contact_rule_name(refusal.rule)),
				errhint("created_at says when the contact was made; one from before is taken.")));
	if (row.number != NULL && (written == NULL || strcmp(written, row.number) != 0))
	{
		int attnum = ls_trigger_attnum(rel, column);
		Datum value = CStringGetTextDatum(row.number);
		bool isnull = false;

		tuple =
			heap_modify_tuple_by_cols(tuple, RelationGetDescr(rel), 1, &attnum, &value, &isnull);
	}
	return PointerGetDatum(tuple);
}

void
ls_guards_init(void)
{
	ls_cache_register(&awaited_suppressions.cache);
}
