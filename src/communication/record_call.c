/*-------------------------------------------------------------------------
 *
 * record_call.c
 *	  record_call(): a call that was made or received.
 *
 *	  A call of a campaign is handed on to outreach, which writes the row of its
 *	  queue along with it.  A call that is reported again changes nothing but what
 *	  comes late: the recording, notes, and what the transcript says of further
 *	  contact.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "communication/communication.h"
#include "communication/internal.h"
#include "core/config.h"
#include "core/input.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "nurture/nurture.h"

static const LsReportKey keys[] = {
	{"callback_at", REPORT_CALLBACK_AT, TIMESTAMPTZOID},
	{"called_phone", REPORT_TO, TEXTOID},
	{"caller_phone", REPORT_FROM, TEXTOID},
	{"campaign_id", REPORT_CAMPAIGN_ID, UUIDOID},
	{"campaign_lead_id", REPORT_CAMPAIGN_LEAD_ID, UUIDOID},
	{"created_at", REPORT_CREATED_AT, TIMESTAMPTZOID},
	{"direction", REPORT_DIRECTION, TEXTOID},
	{"donated_amount", REPORT_DONATED_AMOUNT, NUMERICOID},
	{"duration", REPORT_DURATION, INT4OID},
	{"ended_at", REPORT_ENDED_AT, TIMESTAMPTZOID},
	{"lead_id", REPORT_LEAD_ID, UUIDOID},
	{"notes", REPORT_NOTES, TEXTOID},
	{"outcome", REPORT_OUTCOME, TEXTOID},
	{"pledged_amount", REPORT_PLEDGED_AMOUNT, NUMERICOID},
	{"provider", REPORT_PROVIDER, TEXTOID},
	{"provider_call_id", REPORT_PROVIDER_ID, TEXTOID},
	{"recording_duration", REPORT_RECORDING_DURATION, INT4OID},
	{"recording_url", REPORT_RECORDING_URL, TEXTOID},
	{"status", REPORT_STATUS, TEXTOID},
	{"transcript", REPORT_TRANSCRIPT, TEXTOID},
	{"user_id", REPORT_USER_ID, UUIDOID},
};

/* Who records calls of campaigns: outreach. */
static LsCampaignCall record_for_campaign = NULL;

void
ls_calls_register_campaigns(LsCampaignCall record)
{
	record_for_campaign = record;
}

/* What the transcript means, as call_logs.meaning has it. */
static const char *
meaning_of(const LsReport *report)
{
	if (!report->set[REPORT_TRANSCRIPT] || report->said.kind == LS_OPT_OUT_NOTHING)
		return NULL;
	return ls_report_opts_out(report)             ? "opt_out"
		   : report->said.kind == LS_OPT_OUT_SOFT ? "review"
												  : NULL;
}

/* What the lead said, or whoever spoke to it has noted as the outcome. */
static void
read_words(LsReport *report)
{
	const char *outcome = ls_report_text(report, REPORT_OUTCOME);

	ls_report_read_words(report, ls_report_text(report, REPORT_TRANSCRIPT));
	if (!ls_report_opts_out(report) && outcome != NULL && strcmp(outcome, "do_not_call") == 0)
		report->said.kind = LS_OPT_OUT_HARD;
	if (ls_report_opts_out(report))
	{
		report->values[REPORT_OUTCOME] = CStringGetTextDatum("do_not_call");
		report->set[REPORT_OUTCOME] = true;
	}
}

/*
 * A call that was recorded for no row of a queue, or for another one, must not
 * pass for the call of this one, whose claim and price would stay open.
 */
static void
check_same_queue(const LsReport *report)
{
	pg_uuid_t recorded;

	if (!report->set[REPORT_CAMPAIGN_LEAD_ID])
		return;
	if (!ls_result_isnull(0, 10))
	{
		recorded = ls_result_uuid(0, 10);
		if (ls_uuid_equal(&recorded, DatumGetUUIDP(report->values[REPORT_CAMPAIGN_LEAD_ID])))
			return;
	}
	ereport(ERROR, (errcode(ERRCODE_UNIQUE_VIOLATION),
					   errmsg("call \"%s\" was recorded for another campaign lead, or for none",
						   ls_report_text(report, REPORT_PROVIDER_ID))));
}

/* The call that has been recorded with the provider's id; false when there is none. */
static bool
find_recorded(LsReport *report)
{
	LS_QUERY(query,
		"SELECT id, lead_id, CASE direction WHEN 'inbound' THEN caller_phone ELSE called_phone END,"
		"       direction = 'inbound', created_at, meaning IS NOT DISTINCT FROM 'opt_out', provider,"
		"       CASE WHEN campaign_lead_id IS NULL THEN caller_phone END,"
		"       CASE WHEN campaign_lead_id IS NULL THEN called_phone END, campaign_lead_id"
		"  FROM lead_system.call_logs WHERE organization_id = $1 AND provider_call_id = $2",
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
		ls_report_check_same(report, ls_result_text(0, 7), ls_result_bool(0, 4),
			ls_result_text(0, 8), ls_result_text(0, 9));
		check_same_queue(report);
		report->id = ls_result_uuid(0, 1);
		report->has_lead = !ls_result_isnull(0, 2);
		if (report->has_lead)
			report->lead = ls_result_uuid(0, 2);
		report->contact = ls_result_text(0, 3);
		report->is_inbound = ls_result_bool(0, 4);
		report->at = ls_result_timestamptz(0, 5);
		/* The first request was enough. */
		if (ls_result_bool(0, 6))
			report->set[REPORT_TRANSCRIPT] = false;
	}
	ls_scope_close(&scope);
	return found;
}

/* Write what the report adds to the row, which is there. */
static void
complete_row(const LsReport *report)
{
	LS_QUERY(query,
		"UPDATE lead_system.call_logs SET recording_url = coalesce(recording_url, $3),"
		"  recording_duration = coalesce(recording_duration, $4), notes = coalesce(notes, $5),"
		"  provider = coalesce(provider, $6), meaning = coalesce($7, meaning),"
		"  lead_id = coalesce(lead_id, $8), user_id = coalesce(user_id, $9),"
		"  ended_at = coalesce($10, ended_at)"
		" WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID, TEXTOID, INT4OID, TEXTOID, TEXTOID, TEXTOID, UUIDOID, UUIDOID,
		TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};

	ls_arg_uuid(&args, &report->org);
	ls_arg_uuid(&args, &report->id);
	ls_report_arg(&args, report, REPORT_RECORDING_URL);
	ls_report_arg(&args, report, REPORT_RECORDING_DURATION);
	ls_report_arg(&args, report, REPORT_NOTES);
	ls_report_arg(&args, report, REPORT_PROVIDER);
	ls_arg_text(&args, meaning_of(report));
	ls_arg_uuid(&args, report->has_lead ? &report->lead : NULL);
	ls_report_arg(&args, report, REPORT_USER_ID);
	ls_report_arg(&args, report, REPORT_ENDED_AT);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
}

/* A report that comes again. */
static void
record_again(LsReport *report)
{
	LsContactCounts counts = {.review = true};

	/* When it ended and by whom it was, the first report knew. */
	report->set[REPORT_ENDED_AT] = false;
	report->set[REPORT_USER_ID] = false;
	ls_report_read_words(report, ls_report_text(report, REPORT_TRANSCRIPT));
	if (ls_report_opts_out(report))
	{
		ls_report_list(report);
		ls_report_revoke(report);
	}
	else if (report->said.kind == LS_OPT_OUT_SOFT && ls_report_lock_lead(report))
		ls_report_count(report, &counts);
	complete_row(report);
}

/* Write the row; false when the same call was recorded meanwhile, which is all then. */
static bool
insert_row(LsReport *report, const pg_uuid_t *lead)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.call_logs (organization_id, id, user_id, lead_id, campaign_id,"
		"  caller_phone, called_phone, direction, status, outcome, duration, recording_url,"
		"  recording_duration, provider, provider_call_id, notes, meaning, created_at, ended_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, coalesce($11, 0), $12, $13, $14, $15,"
		"  $16, $17, $18, coalesce($19, $18 + make_interval(secs => coalesce($11, 0))))"
		" ON CONFLICT (organization_id, provider_call_id) WHERE provider_call_id IS NOT NULL"
		" DO NOTHING",
		UUIDOID, UUIDOID, UUIDOID, UUIDOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID,
		INT4OID, TEXTOID, INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID,
		TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};
	pg_uuid_t user;
	bool written;

	ls_arg_uuid(&args, &report->org);
	ls_arg_uuid(&args, &report->id);
	if (report->set[REPORT_USER_ID])
		ls_report_arg(&args, report, REPORT_USER_ID);
	else
		ls_arg_uuid(&args, ls_current_user(&user) ? &user : NULL);
	ls_arg_uuid(&args, lead);
	ls_report_arg(&args, report, REPORT_CAMPAIGN_ID);
	ls_arg_text(&args, report->is_inbound ? report->contact : report->own);
	ls_arg_text(&args, report->is_inbound ? report->own : report->contact);
	ls_arg_text(&args, report->is_inbound ? "inbound" : "outbound");
	ls_report_arg(&args, report, REPORT_STATUS);
	ls_report_arg(&args, report, REPORT_OUTCOME);
	ls_report_arg(&args, report, REPORT_DURATION);
	ls_report_arg(&args, report, REPORT_RECORDING_URL);
	ls_report_arg(&args, report, REPORT_RECORDING_DURATION);
	ls_report_arg(&args, report, REPORT_PROVIDER);
	ls_report_arg(&args, report, REPORT_PROVIDER_ID);
	ls_report_arg(&args, report, REPORT_NOTES);
	ls_arg_text(&args, meaning_of(report));
	ls_arg_timestamptz(&args, report->at);
	ls_report_arg(&args, report, REPORT_ENDED_AT);
	ls_scope_open(&scope, LS_AS_OWNER);
	written = ls_query_run(&query, &args, LS_WRITE) > 0;
	ls_scope_close(&scope);
	if (!written && find_recorded(report))
		record_again(report);
	return written;
}

/* Count the call in its lead, and tell of it there. */
static void
count_call(const LsReport *report, bool answered)
{
	LsContactCounts counts = {.calls = 1};
	const char *outcome = ls_report_text(report, REPORT_OUTCOME);

	counts.reached = answered;
	counts.review = report->said.kind == LS_OPT_OUT_SOFT;
	ls_report_count(report, &counts);
	ls_report_activity(report, report->is_inbound ? "call_received" : "call_made",
		outcome ? outcome : ls_report_text(report, REPORT_STATUS));
}

/* A call that the organisation made, apart from any queue. */
static void
record_outbound(LsReport *report, bool answered)
{
	if (report->contact == NULL)
		report->contact = ls_report_lead_number(report);
	ls_report_find_lead(report);
	if (ls_report_opts_out(report))
		ls_report_list(report);
	/* Judged by the guard of the table, which waits for who is writing of the number. */
	if (!insert_row(report, report->has_lead ? &report->lead : NULL))
		return;
	if (ls_report_opts_out(report))
		ls_report_revoke(report);
	if (ls_report_lock_lead(report))
		count_call(report, answered);
}

/* Does the organisation want a lead to be made of an unknown caller? */
static bool
wants_lead(const LsReport *report, bool answered)
{
	const char *wanted = ls_config_choice(&report->org, "communication.create_leads");

	return strcmp(wanted, "all") == 0 || (strcmp(wanted, "missed_calls") == 0 && !answered);
}

/* A call that came in. */
static void
record_inbound(LsReport *report, bool answered, bool missed)
{
	if (!insert_row(report, NULL))
		return;
	if (ls_report_opts_out(report))
	{
		ls_report_list(report);
		ls_report_revoke(report);
	}
	else
	{
		ls_report_find_lead(report);
		if (wants_lead(report, !missed))
			ls_report_make_lead(report, missed ? "missed_call" : "inbound_call");
	}
	if (!ls_report_lock_lead(report))
		return;
	count_call(report, answered);
	complete_row(report);
	if (answered)
		ls_nurture_replied(&report->org, &report->lead);
	else if (missed)
		ls_missed_call(report);
}

/* The details of a campaign's call. */
static Jsonb *
campaign_details(const LsReport *report)
{
	LS_QUERY(query,
		"SELECT jsonb_strip_nulls(jsonb_build_object('started_at', $1, 'notes', $2,"
		"  'provider_call_id', $3, 'recording_url', $4, 'caller_phone', $5, 'pledged_amount', $6,"
		"  'donated_amount', $7, 'callback_at', $8))",
		TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, NUMERICOID, NUMERICOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};
	Jsonb *details;
	bool isnull;

	ls_report_arg(&args, report, REPORT_CREATED_AT);
	ls_report_arg(&args, report, REPORT_NOTES);
	ls_report_arg(&args, report, REPORT_PROVIDER_ID);
	ls_report_arg(&args, report, REPORT_RECORDING_URL);
	ls_arg_text(&args, report->own);
	ls_report_arg(&args, report, REPORT_PLEDGED_AMOUNT);
	ls_report_arg(&args, report, REPORT_DONATED_AMOUNT);
	ls_report_arg(&args, report, REPORT_CALLBACK_AT);
	ls_scope_open(&scope, LS_AS_OWNER);
	(void) ls_query_run(&query, &args, LS_WRITE);
	details = DatumGetJsonbP(ls_result(0, 1, &isnull));
	ls_scope_close(&scope);
	return details;
}

/* The lead of a campaign's call that has been written. */
static void
read_campaign_call(LsReport *report)
{
	LS_QUERY(query,
		"SELECT lead_id, called_phone FROM lead_system.call_logs"
		" WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};

	ls_arg_uuid(&args, &report->org);
	ls_arg_uuid(&args, &report->id);
	ls_scope_open(&scope, LS_AS_OWNER);
	(void) ls_query_run(&query, &args, LS_WRITE);
	report->lead = ls_result_uuid(0, 1);
	report->has_lead = true;
	report->contact = ls_result_text(0, 2);
	ls_scope_close(&scope);
}

/* A call that was made for a row of a campaign's queue. */
static void
record_campaign(LsReport *report)
{
	LsContactCounts counts = {.review = true};
	const char *outcome = ls_report_text(report, REPORT_OUTCOME);

	if (report->is_inbound)
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a call of a campaign is outbound"),
				errdetail("Key \"campaign_lead_id\" of call.")));
	report->id = record_for_campaign(DatumGetUUIDP(report->values[REPORT_CAMPAIGN_LEAD_ID]),
		outcome ? outcome : ls_report_text(report, REPORT_STATUS),
		report->set[REPORT_DURATION] ? DatumGetInt32(report->values[REPORT_DURATION]) : 0,
		campaign_details(report));
	read_campaign_call(report);
	if (ls_report_opts_out(report))
		ls_report_revoke(report);
	else if (report->said.kind == LS_OPT_OUT_SOFT && ls_report_lock_lead(report))
		ls_report_count(report, &counts);
	complete_row(report);
}

/* A call needs a status; one of a campaign may have an outcome instead. */
static void
check_status(const LsReport *report)
{
	static const char *const statuses[] = {
		"answered", "no_answer", "busy", "voicemail", "failed", NULL};

	ls_report_check_status(report, statuses);
	if (!report->set[REPORT_STATUS] &&
		!(report->set[REPORT_CAMPAIGN_LEAD_ID] && report->set[REPORT_OUTCOME]))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a call needs a status"),
						   errhint("Or, for a call of a campaign, an outcome.")));
}

/* What belongs to calls of campaigns alone is not silently dropped. */
static void
check_campaign_only(const LsReport *report)
{
	if (!report->set[REPORT_CAMPAIGN_LEAD_ID] &&
		(report->set[REPORT_PLEDGED_AMOUNT] || report->set[REPORT_DONATED_AMOUNT] ||
			report->set[REPORT_CALLBACK_AT]))
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("pledged_amount, donated_amount and callback_at are for calls of campaigns"),
				errhint("Pass campaign_lead_id.")));
}

/* Whom a call was made to must be known, or nothing says whether it was allowed. */
static void
check_called(const LsReport *report)
{
	if (!report->is_inbound && report->contact == NULL && !report->has_lead &&
		!report->set[REPORT_CAMPAIGN_LEAD_ID])
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("a call that was made needs a called_phone or a lead_id")));
}

PG_FUNCTION_INFO_V1(ls_communication_record_call);

/* record_call(call) */
Datum
ls_communication_record_call(PG_FUNCTION_ARGS)
{
	LsReport report = {.what = "call", .keys = keys, .n_keys = lengthof(keys)};
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));
	const char *status;
	bool answered;

	LS_REQUIRE_ARG(0, "call");
	ls_report_read(&report, PG_GETARG_JSONB_P(0));
	ls_report_enter(&report);
	if (find_recorded(&report))
		record_again(&report);
	else
	{
		check_status(&report);
		check_campaign_only(&report);
		ls_report_complete(&report);
		check_called(&report);
		read_words(&report);
		status = ls_report_text(&report, REPORT_STATUS);
		answered = status != NULL && strcmp(status, "answered") == 0;
		if (report.set[REPORT_CAMPAIGN_LEAD_ID])
			record_campaign(&report);
		else if (report.is_inbound)
			record_inbound(&report, answered, !answered && strcmp(status, "failed") != 0);
		else
			record_outbound(&report, answered);
	}
	*id = report.id;
	PG_RETURN_UUID_P(id);
}
