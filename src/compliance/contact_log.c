/*-------------------------------------------------------------------------
 *
 * contact_log.c
 *	  contact_attempts: who writes it.
 *
 *	  An attempt is written by the statement that records the call or message
 *	  (trigger of call_logs and sms_logs), whichever way it came.  A refusal is
 *	  written by who asked: a claim, or authorize_contact() for programs that
 *	  dial by themselves; the latter writes the attempt, too, and the call that
 *	  follows within some minutes is that attempt and is not counted again.
 *
 *	  What a trigger refuses with an error leaves no trace, since the error
 *	  takes its own log back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "lead_system.h"
#include "compliance/compliance.h"
#include "compliance/contact_log.h"
#include "core/clock.h"
#include "core/grants.h"
#include "core/input.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/transition.h"
#include "core/trigger.h"

static const LsGrant contact_log_grants[] = {
	{"authorize_contact(uuid, text, uuid)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"compliance_report(timestamptz, timestamptz)", "EXECUTE", LS_LEVEL_READONLY, false},
};

/* Arrays of what is written, one value or null per entry. */
typedef struct Column
{
	Oid type;
	Datum *values;
	bool *nulls;
} Column;

#define N_COLUMNS 7

/* Set a value of a column; a text that is NULL becomes null. */
static void
set_text(Column *column, int i, const char *value)
{
	column->nulls[i] = value == NULL;
	if (value != NULL)
		column->values[i] = CStringGetTextDatum(value);
}

/* The same with an identifier. */
static void
set_uuid(Column *column, int i, const pg_uuid_t *value)
{
	column->nulls[i] = value == NULL;
	column->values[i] = UUIDPGetDatum(value);
}

/* Fill the columns from one entry. */
static void
set_entry(Column *columns, int i, const LsContactEntry *entry)
{
	const LsContact *contact = entry->contact;
	bool refused = contact->rule != LS_RULE_NONE;

	set_uuid(&columns[0], i, &contact->lead);
	set_uuid(&columns[1], i, entry->campaign_lead);
	set_text(&columns[2], i, contact->phone_number);
	set_text(&columns[3], i, contact->email);
	set_text(&columns[4], i, refused ? ls_contact_rule_name(contact->rule) : NULL);
	set_text(&columns[5], i, entry->detail);
	columns[6].nulls[i] = !refused || contact->unblocks_at == LS_NEVER;
	columns[6].values[i] = TimestampTzGetDatum(contact->unblocks_at);
}

/* A column as an array. */
static Datum
column_array(const Column *column, int n)
{
	int lower_bound = 1;

	if (column->type == UUIDOID)
		return PointerGetDatum(construct_md_array(column->values, column->nulls, 1, &n,
			&lower_bound, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
	if (column->type == TEXTOID)
		return PointerGetDatum(construct_md_array(
			column->values, column->nulls, 1, &n, &lower_bound, TEXTOID, -1, false, TYPALIGN_INT));
	return PointerGetDatum(construct_md_array(column->values, column->nulls, 1, &n, &lower_bound,
		TIMESTAMPTZOID, sizeof(TimestampTz), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/*
 * Write attempts (the contact's rule is LS_RULE_NONE) and refusals.  The caller
 * has a scope open as the owner of the tables.
 */
void
ls_contact_log(
	const LsContactQuestion *question, const pg_uuid_t *user, const LsContactEntry *entries, int n)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.contact_attempts"
		" (organization_id, lead_id, campaign_id, campaign_lead_id, user_id, channel, phone_number,"
		"  email, allowed, rule, detail, unblocks_at, created_at)"
		" SELECT $1, u.lead_id, $2, u.campaign_lead_id, $3, $4, u.phone_number, u.email,"
		"        u.rule IS NULL, u.rule, u.detail, u.unblocks_at, $5"
		"   FROM unnest($6, $7, $8, $9, $10, $11, $12)"
		"        u(lead_id, campaign_lead_id, phone_number, email, rule, detail, unblocks_at)",
		UUIDOID, UUIDOID, UUIDOID, TEXTOID, TIMESTAMPTZOID, UUIDARRAYOID, UUIDARRAYOID,
		TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID);
	static const Oid types[N_COLUMNS] = {
		UUIDOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID};
	Column columns[N_COLUMNS];
	LsArgs args = {0};
	int i;

	if (n == 0)
		return;
	for (i = 0; i < N_COLUMNS; i++)
	{
		columns[i].type = types[i];
		columns[i].values = palloc0(sizeof(Datum) * n);
		columns[i].nulls = palloc0(sizeof(bool) * n);
	}
	for (i = 0; i < n; i++)
		set_entry(columns, i, &entries[i]);
	ls_arg_uuid(&args, &question->org);
	ls_arg_uuid(&args, question->campaign);
	ls_arg_uuid(&args, user);
	ls_arg_text(&args, ls_channel_name(question->channel));
	ls_arg_timestamptz(&args, question->at);
	for (i = 0; i < N_COLUMNS; i++)
		ls_arg_datum(&args, column_array(&columns[i], n), false);
	ls_query_run(&query, &args, LS_WRITE);
}

/*
 * The attempts that rows n are.  A row that comes within ten minutes after its
 * number was authorized is that attempt, if it is the first.
 */
/* clang-format off */
#define WRITE_ATTEMPTS(channel, phone, rows, condition) \
	"INSERT INTO lead_system.contact_attempts" \
	" (organization_id, lead_id, campaign_id, campaign_lead_id, user_id, channel, phone_number," \
	"  allowed, detail, created_at)" \
	" SELECT n.organization_id, n.lead_id, n.campaign_id, n.campaign_lead_id, n.user_id," \
	"        '" channel "', n." phone ", true, 'recorded', n.created_at" \
	"   FROM " rows \
	"  WHERE n.direction = 'outbound' AND " condition \
	"    AND NOT EXISTS (SELECT FROM lead_system.contact_attempts a" \
	"      WHERE a.organization_id = n.organization_id AND a.phone_number = n." phone \
	"        AND a.channel = '" channel "' AND a.allowed AND a.detail = 'authorized'" \
	"        AND a.created_at <= n.created_at AND a.created_at > n.created_at - interval '10 minutes'" \
	"        AND NOT EXISTS (SELECT FROM lead_system." channel "_logs c" \
	"          WHERE c.organization_id = n.organization_id AND c." phone " = n." phone \
	"            AND c.direction = 'outbound' AND c.id <> n.id" \
	"            AND c.created_at >= a.created_at AND c.created_at <= n.created_at))"
/* clang-format on */

#define UPDATED_ROWS \
	"new_rows n JOIN old_rows o ON o.organization_id = n.organization_id AND o.id = n.id"
#define IS_ANOTHER(phone) "(o.direction <> 'outbound' OR o." phone " IS DISTINCT FROM n." phone ")"

PG_FUNCTION_INFO_V1(ls_compliance_contact_attempted);

/*
 * contact_attempted(channel): AFTER INSERT and AFTER UPDATE statement triggers
 * of call_logs and sms_logs.
 */
Datum
ls_compliance_contact_attempted(PG_FUNCTION_ARGS)
{
	static const char *const calls_made[] = {
		WRITE_ATTEMPTS("call", "called_phone", "new_rows n", "true"), NULL};
	static const char *const calls_changed[] = {
		WRITE_ATTEMPTS("call", "called_phone", UPDATED_ROWS, IS_ANOTHER("called_phone")), NULL};
	static const char *const messages_sent[] = {
		WRITE_ATTEMPTS("sms", "to_phone", "new_rows n", "true"), NULL};
	static const char *const messages_changed[] = {
		WRITE_ATTEMPTS("sms", "to_phone", UPDATED_ROWS, IS_ANOTHER("to_phone")), NULL};
	TriggerData *trigdata = ls_trigger_check(fcinfo, "contact_attempted",
		LS_TRIGGER_AFTER_STATEMENT, LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE, NULL);
	bool inserted = TRIGGER_FIRED_BY_INSERT(trigdata->tg_event);
	bool is_call;

	ls_trigger_check_args(trigdata, "contact_attempted", 1);
	is_call = strcmp(trigdata->tg_trigger->tgargs[0], "call") == 0;
	if (!ls_org_is_leaving(NULL))
		ls_transition_run(trigdata,
			is_call ? (inserted ? calls_made : calls_changed)
					: (inserted ? messages_sent : messages_changed),
			0, NULL, NULL, NULL);
	return PointerGetDatum(NULL);
}

/*
 * Wait for who is writing of the lead's number, and keep claimers and other
 * askers away from the lead until the answer is written.
 */
static void
lock_lead(const pg_uuid_t *org, const pg_uuid_t *lead, const pg_uuid_t *campaign)
{
	LS_QUERY(number,
		"SELECT phone_number FROM lead_system.leads WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID);
	LS_QUERY(lock,
		"SELECT id FROM lead_system.leads WHERE organization_id = $1 AND id = $2 FOR NO KEY UPDATE",
		UUIDOID, UUIDOID);
	LS_QUERY(lock_rows,
		"SELECT count(*) FROM (SELECT FROM lead_system.campaign_leads"
		" WHERE organization_id = $1 AND lead_id = $2 ORDER BY campaign_id FOR NO KEY UPDATE) c",
		UUIDOID, UUIDOID);
	LsArgs args = {0};
	char *phone_number = NULL;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, lead);
	if (ls_query_run(&number, &args, LS_WRITE) > 0)
		phone_number = ls_result_text(0, 1);
	if (phone_number != NULL)
		(void) ls_contact_await(org, phone_number, campaign);
	(void) ls_query_run(&lock, &args, LS_WRITE);
	(void) ls_query_run(&lock_rows, &args, LS_WRITE);
}

PG_FUNCTION_INFO_V1(ls_compliance_authorize_contact);

/* authorize_contact(lead_id, channel, campaign_id) */
Datum
ls_compliance_authorize_contact(PG_FUNCTION_ARGS)
{
	LsContactQuestion question = {0};
	LsContact contact = {0};
	LsContactEntry entry = {&contact, NULL, "authorized"};
	pg_uuid_t user;
	LsScope scope;

	LS_REQUIRE_ARG(0, "lead_id");
	LS_REQUIRE_ARG(1, "channel");
	contact.lead = *PG_GETARG_UUID_P(0);
	question.channel = ls_channel_parse(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	question.campaign = PG_ARGISNULL(2) ? NULL : PG_GETARG_UUID_P(2);
	ls_enter_org_of("leads", "lead", &contact.lead, LS_WRITE, &question.org);
	if (question.campaign != NULL && !ls_row_exists("campaigns", &question.org, question.campaign))
		ls_no_such_row("campaign", question.campaign);

	ls_scope_open(&scope, LS_AS_OWNER);
	lock_lead(&question.org, &contact.lead, question.campaign);
	question.at = ls_clock_instant();
	PushActiveSnapshot(GetLatestSnapshot());
	ls_contact_judge(&question, &contact, 1);
	PopActiveSnapshot();
	if (contact.rule != LS_RULE_NONE)
		entry.detail = ls_contact_detail(&question, &contact, contact.rule);
	ls_contact_log(&question, ls_current_user(&user) ? &user : NULL, &entry, 1);
	ls_scope_close(&scope);
	PG_RETURN_BOOL(contact.rule == LS_RULE_NONE);
}

PG_FUNCTION_INFO_V1(ls_compliance_report);

/*
 * compliance_report(from_time, to_time)
 *
 * The score is D8's: refusals of numbers that must not be contacted at all count
 * against the additions to the list; hours and caps do not.
 */
Datum
ls_compliance_report(PG_FUNCTION_ARGS)
{
	LS_QUERY(query,
		"WITH changes AS MATERIALIZED ("
		"  SELECT count(*) FILTER (WHERE l.action = 'added') AS added,"
		"         count(*) FILTER (WHERE l.action = 'removed') AS removed,"
		"         count(*) FILTER (WHERE l.action = 'overridden') AS overridden"
		"    FROM lead_system.dnc_audit_log l"
		"   WHERE l.organization_id = $1 AND l.created_at >= $2 AND l.created_at < $3), "
		"rules AS MATERIALIZED ("
		"  SELECT a.rule, count(*) AS n FROM lead_system.contact_attempts a"
		"   WHERE a.organization_id = $1 AND a.created_at >= $2 AND a.created_at < $3"
		"   GROUP BY a.rule), "
		"attempts AS MATERIALIZED ("
		"  SELECT coalesce(sum(r.n) FILTER (WHERE r.rule IS NULL), 0)::bigint AS allowed,"
		"         coalesce(sum(r.n) FILTER (WHERE r.rule IS NOT NULL), 0)::bigint AS refused,"
		"         coalesce(jsonb_object_agg(r.rule, r.n) FILTER (WHERE r.rule IS NOT NULL), '{}') AS by_rule,"
		"         coalesce(sum(r.n) FILTER (WHERE r.rule IN ('do_not_call', 'dnc_list',"
		"           'campaign_suppression', 'consent_revoked', 'national_registry')), 0) AS suppressed"
		"    FROM rules r) "
		"SELECT c.added, c.removed, c.overridden, a.allowed, a.refused, a.by_rule,"
		"       CASE WHEN a.suppressed = 0 THEN 100 WHEN c.added = 0 THEN 0"
		"            ELSE greatest(0, round(100 - 200 * a.suppressed / c.added, 1)) END"
		"  FROM changes c, attempts a",
		UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID);
	LsArgs args = {0};
	LsScope scope;
	pg_uuid_t org;

	LS_REQUIRE_ARG(0, "from_time");
	LS_REQUIRE_ARG(1, "to_time");
	if (PG_GETARG_TIMESTAMPTZ(0) >= PG_GETARG_TIMESTAMPTZ(1))
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("from_time must be before to_time")));
	ls_require_org(&org);
	InitMaterializedSRF(fcinfo, 0);
	ls_arg_uuid(&args, &org);
	ls_arg_timestamptz(&args, PG_GETARG_TIMESTAMPTZ(0));
	ls_arg_timestamptz(&args, PG_GETARG_TIMESTAMPTZ(1));
	ls_scope_open(&scope, LS_AS_CALLER);
	ls_query_run(&query, &args, LS_READ);
	ls_result_to_srf(fcinfo);
	ls_scope_close(&scope);
	return (Datum) 0;
}

void
ls_contact_log_init(void)
{
	ls_grants_register(contact_log_grants, lengthof(contact_log_grants));
}
