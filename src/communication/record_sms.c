/*-------------------------------------------------------------------------
 *
 * record_sms.c
 *	  record_sms(): a text message that was sent or received.
 *
 *	  A report that comes again with the provider's id changes nothing but how
 *	  far an outbound message has come: queued, sent, delivered or failed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "communication/internal.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/input.h"
#include "core/query.h"
#include "core/tenant.h"

static const LsReportKey keys[] = {
	{"campaign_id", REPORT_CAMPAIGN_ID, UUIDOID},
	{"campaign_lead_id", REPORT_CAMPAIGN_LEAD_ID, UUIDOID},
	{"created_at", REPORT_CREATED_AT, TIMESTAMPTZOID},
	{"delivered_at", REPORT_DELIVERED_AT, TIMESTAMPTZOID},
	{"direction", REPORT_DIRECTION, TEXTOID},
	{"error_message", REPORT_ERROR_MESSAGE, TEXTOID},
	{"from_phone", REPORT_FROM, TEXTOID},
	{"lead_id", REPORT_LEAD_ID, UUIDOID},
	{"message_text", REPORT_MESSAGE_TEXT, TEXTOID},
	{"provider", REPORT_PROVIDER, TEXTOID},
	{"provider_message_id", REPORT_PROVIDER_ID, TEXTOID},
	{"reply_to_sms_id", REPORT_REPLY_TO, UUIDOID},
	{"status", REPORT_STATUS, TEXTOID},
	{"to_phone", REPORT_TO, TEXTOID},
	{"user_id", REPORT_USER_ID, UUIDOID},
};

/* The message that has been recorded with the provider's id; false when there is none. */
static bool
find_recorded(LsReport *report)
{
	LS_QUERY(query,
		"SELECT id, provider, direction = 'inbound', from_phone, to_phone FROM lead_system.sms_logs"
		" WHERE organization_id = $1 AND provider_message_id = $2",
		UUIDOID, TEXTOID);
	LsScope scope;
	LsArgs args = {0};
	bool found;

	if (!report->set[REPORT_PROVIDER_ID])
		return false;
	ls_arg_uuid(&args, &report->org);
	ls_report_arg(&args, report, REPORT_PROVIDER_ID);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run_latest(&query, &args) > 0;
	if (found)
	{
		report->id = ls_result_uuid(0, 1);
		ls_report_check_same(report, ls_result_text(0, 2), ls_result_bool(0, 3),
			ls_result_text(0, 4), ls_result_text(0, 5));
	}
	ls_scope_close(&scope);
	return found;
}

/*
 * Of a row that is found by its id.  Said so, it does not offer the planner the
 * indexes of outbound rows, of which it would take one by the organisation alone
 * while the table has no statistics, and read all that was ever sent.
 */
#define IS_OUTBOUND_SQL "direction <> 'inbound'"

/* How far a message has come, for SQL; reports may overtake each other. */
#define PROGRESS_SQL(status) \
	"CASE " status " WHEN 'queued' THEN 1 WHEN 'sent' THEN 2 WHEN 'replied' THEN 4 ELSE 3 END"

/* A report that comes again: the message may have come further. */
static void
record_again(const LsReport *report)
{
	LS_QUERY(query,
		"UPDATE lead_system.sms_logs SET"
		"  status = CASE WHEN " PROGRESS_SQL("$3") " > " PROGRESS_SQL(
			"status") " THEN $3 ELSE status END,"
					  "  delivered_at = coalesce(delivered_at, $4, CASE $3 WHEN 'delivered' THEN $6 END),"
					  "  error_message = coalesce($5, error_message)"
					  " WHERE organization_id = $1 AND id = $2 AND " IS_OUTBOUND_SQL
					  " AND $3 <> 'received'",
		UUIDOID, UUIDOID, TEXTOID, TIMESTAMPTZOID, TEXTOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};

	if (!report->set[REPORT_STATUS])
		return;
	ls_arg_uuid(&args, &report->org);
	ls_arg_uuid(&args, &report->id);
	ls_report_arg(&args, report, REPORT_STATUS);
	ls_report_arg(&args, report, REPORT_DELIVERED_AT);
	ls_report_arg(&args, report, REPORT_ERROR_MESSAGE);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
}

/* Write the row; false when the same message was recorded meanwhile, which is all then. */
static bool
insert_row(LsReport *report, const pg_uuid_t *lead)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.sms_logs (organization_id, id, user_id, lead_id, campaign_id,"
		"  campaign_lead_id, direction, from_phone, to_phone, message_text, status, error_message,"
		"  reply_to_sms_id, provider, provider_message_id, created_at, delivered_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,"
		"  coalesce($11, CASE $7 WHEN 'inbound' THEN 'received' ELSE 'sent' END),"
		"  $12, $13, $14, $15, $16, $17)"
		" ON CONFLICT (organization_id, provider_message_id) WHERE provider_message_id IS NOT NULL"
		" DO NOTHING",
		UUIDOID, UUIDOID, UUIDOID, UUIDOID, UUIDOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID,
		TEXTOID, TEXTOID, UUIDOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};
	pg_uuid_t user;
	bool written;

	ls_arg_uuid(&args, &report->org);
	ls_arg_uuid(&args, &report->id);
	if (report->set[REPORT_USER_ID])
		ls_report_arg(&args, report, REPORT_USER_ID);
	else
		ls_arg_uuid(&args, !report->is_inbound && ls_current_user(&user) ? &user : NULL);
	ls_arg_uuid(&args, lead);
	ls_report_arg(&args, report, REPORT_CAMPAIGN_ID);
	ls_report_arg(&args, report, REPORT_CAMPAIGN_LEAD_ID);
	ls_arg_text(&args, report->is_inbound ? "inbound" : "outbound");
	ls_arg_text(&args, report->is_inbound ? report->contact : report->own);
	ls_arg_text(&args, report->is_inbound ? report->own : report->contact);
	ls_report_arg(&args, report, REPORT_MESSAGE_TEXT);
	ls_report_arg(&args, report, REPORT_STATUS);
	ls_report_arg(&args, report, REPORT_ERROR_MESSAGE);
	ls_report_arg(&args, report, REPORT_REPLY_TO);
	ls_report_arg(&args, report, REPORT_PROVIDER);
	ls_report_arg(&args, report, REPORT_PROVIDER_ID);
	ls_arg_timestamptz(&args, report->at);
	ls_report_arg(&args, report, REPORT_DELIVERED_AT);
	ls_scope_open(&scope, LS_AS_OWNER);
	written = ls_query_run(&query, &args, LS_WRITE) > 0;
	ls_scope_close(&scope);
	if (!written && find_recorded(report))
		record_again(report);
	return written;
}

/* Note in a message that came in that somebody answered it. */
static void
mark_replied(const LsReport *report)
{
	LS_QUERY(query,
		"UPDATE lead_system.sms_logs SET replied_at = coalesce(replied_at, $3)"
		" WHERE organization_id = $1 AND id = $2 AND direction = 'inbound'",
		UUIDOID, UUIDOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};

	if (!report->set[REPORT_REPLY_TO])
		return;
	ls_arg_uuid(&args, &report->org);
	ls_report_arg(&args, report, REPORT_REPLY_TO);
	ls_arg_timestamptz(&args, report->at);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
}

/* A message that the organisation sent. */
static void
record_outbound(LsReport *report)
{
	const char *status = ls_report_text(report, REPORT_STATUS);

	if (report->contact == NULL)
		report->contact = ls_report_lead_number(report);
	ls_report_find_lead(report);
	if (!insert_row(report, report->has_lead ? &report->lead : NULL))
		return;
	if (ls_report_lock_lead(report))
		ls_report_activity(report, "sms_sent", status ? status : "sent");
	mark_replied(report);
}

/* Act on what the lead says of further contact, and find the lead. */
static bool
act_on_words(LsReport *report)
{
	bool resubscribed = false;

	if (ls_report_opts_out(report))
	{
		ls_report_list(report);
		ls_report_revoke(report);
		return false;
	}
	if (report->said.kind == LS_OPT_OUT_RESUBSCRIBE)
		resubscribed = ls_report_resubscribe(report);
	ls_report_find_lead(report);
	if (strcmp(ls_config_choice(&report->org, "communication.create_leads"), "all") == 0)
		ls_report_make_lead(report, "inbound_sms");
	return resubscribed;
}

/* What the message is taken for, as sms_logs.meaning has it. */
static const char *
meaning_of(const LsReport *report, bool resubscribed, const char *word)
{
	switch (report->said.kind)
	{
		case LS_OPT_OUT_KEYWORD:
		case LS_OPT_OUT_HARD:
			return "opt_out";
		case LS_OPT_OUT_SOFT:
			return "review";
		case LS_OPT_OUT_HELP:
			return "help";
		case LS_OPT_OUT_RESUBSCRIBE:
			if (resubscribed || word == NULL)
				return "resubscribe";
			break;
		default:
			break;
	}
	return word;
}

/* Queue what answers the message; true when something does. */
static bool
answer_message(const LsReport *report, const char *meaning, pg_uuid_t *answer)
{
	if (meaning == NULL)
		return false;
	if (strcmp(meaning, "help") == 0)
		return ls_config_bool(&report->org, "communication.answer_help") &&
			   ls_reply_answer(report, "sms_help", answer);
	if (strcmp(meaning, "yes") == 0 || strcmp(meaning, "book") == 0 || strcmp(meaning, "call") == 0)
		return ls_reply_act(report, meaning, answer);
	return false;
}

/* Note in the message that was answered that it was; gives its id. */
static bool
mark_answered(const LsReport *report, pg_uuid_t *answered)
{
	LS_QUERY(query,
		"UPDATE lead_system.sms_logs SET replied_at = coalesce(replied_at, $4), status = 'replied'"
		" WHERE organization_id = $1 AND " IS_OUTBOUND_SQL " AND id = coalesce($5, ("
		"   SELECT s.id FROM lead_system.sms_logs s WHERE s.organization_id = $1"
		"      AND s.to_phone = $2 AND s.direction = 'outbound' AND s.created_at <= $4"
		"      AND s.status <> 'failed'"
		"      AND (s.from_phone = $3 OR s.from_phone IS NULL OR $3 IS NULL)"
		"    ORDER BY s.created_at DESC, s.id DESC LIMIT 1))"
		" RETURNING id",
		UUIDOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, UUIDOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &report->org);
	ls_arg_text(&args, report->contact);
	ls_arg_text(&args, report->own);
	ls_arg_timestamptz(&args, report->at);
	ls_report_arg(&args, report, REPORT_REPLY_TO);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		return false;
	*answered = ls_result_uuid(0, 1);
	return true;
}

/* Complete the row of a message that came in. */
static void
complete_row(const LsReport *report, const char *meaning, const pg_uuid_t *answer)
{
	LS_QUERY(query,
		"UPDATE lead_system.sms_logs SET lead_id = $3,"
		"  reply_to_sms_id = coalesce($4, reply_to_sms_id), meaning = $5,"
		"  answer_id = $6 WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID, UUIDOID, UUIDOID, TEXTOID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};
	pg_uuid_t answered;
	bool has_answered;

	ls_scope_open(&scope, LS_AS_OWNER);
	has_answered = mark_answered(report, &answered);
	ls_arg_uuid(&args, &report->org);
	ls_arg_uuid(&args, &report->id);
	ls_arg_uuid(&args, report->has_lead ? &report->lead : NULL);
	ls_arg_uuid(&args, has_answered ? &answered : NULL);
	ls_arg_text(&args, meaning);
	ls_arg_uuid(&args, answer);
	ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
}

/* A message that came in. */
static void
record_inbound(LsReport *report)
{
	LsContactCounts counts = {0};
	const char *text = ls_report_text(report, REPORT_MESSAGE_TEXT);
	const char *meaning;
	pg_uuid_t answer;
	bool answers = false;
	bool resubscribed;

	if (!insert_row(report, NULL))
		return;
	ls_report_read_words(report, text);
	resubscribed = act_on_words(report);
	meaning = meaning_of(report, resubscribed, ls_reply_word(text));
	if (ls_report_lock_lead(report))
	{
		/* Who wants to hear no more has not become warmer. */
		counts.reached = !ls_report_opts_out(report);
		counts.sms_replies = counts.reached ? 1 : 0;
		counts.review = report->said.kind == LS_OPT_OUT_SOFT;
		ls_report_count(report, &counts);
		ls_report_activity(report, "sms_received", meaning ? meaning : "received");
		answers = answer_message(report, meaning, &answer);
	}
	complete_row(report, meaning, answers ? &answer : NULL);
}

/* What a message must have. */
static void
check_message(const LsReport *report)
{
	if (!report->set[REPORT_MESSAGE_TEXT])
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a message needs a message_text")));
	if (report->set[REPORT_STATUS] &&
		(strcmp(ls_report_text(report, REPORT_STATUS), "received") == 0) != report->is_inbound)
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("status \"%s\" is not one of a message that %s",
					ls_report_text(report, REPORT_STATUS),
					report->is_inbound ? "came in" : "was sent"),
				errhint(
					"A message that came in has status received, one that was sent has another.")));
	if (report->contact == NULL && (report->is_inbound || !report->has_lead))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg(report->is_inbound
									  ? "a message that came in needs a from_phone"
									  : "a message that was sent needs a to_phone or a lead_id")));
}

PG_FUNCTION_INFO_V1(ls_communication_record_sms);

/* record_sms(sms) */
Datum
ls_communication_record_sms(PG_FUNCTION_ARGS)
{
	static const char *const statuses[] = {
		"queued", "sent", "delivered", "failed", "received", NULL};
	LsReport report = {.what = "sms", .keys = keys, .n_keys = lengthof(keys)};
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));

	LS_REQUIRE_ARG(0, "sms");
	ls_report_read(&report, PG_GETARG_JSONB_P(0));
	ls_report_enter(&report);
	ls_report_check_status(&report, statuses);
	if (find_recorded(&report))
		record_again(&report);
	else
	{
		ls_report_complete(&report);
		check_message(&report);
		if (report.is_inbound)
			record_inbound(&report);
		else
			record_outbound(&report);
	}
	*id = report.id;
	PG_RETURN_UUID_P(id);
}
