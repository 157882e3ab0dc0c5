/*-------------------------------------------------------------------------
 *
 * lead.c
 *	  Whom a call or message was with, and what it means for that lead.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "communication/internal.h"
#include "core/json.h"
#include "core/query.h"
#include "core/uuid.h"

/* Find the live lead that has the number, unless the report names one. */
void
ls_report_find_lead(LsReport *report)
{
	LS_QUERY(query,
		"SELECT l.id FROM lead_system.leads l"
		" WHERE l.organization_id = $1 AND l.phone_number = $2 AND l.deleted_at IS NULL",
		UUIDOID, TEXTOID);
	LsScope scope;
	LsArgs args = {0};

	if (report->has_lead || report->contact == NULL)
		return;
	ls_arg_uuid(&args, &report->org);
	ls_arg_text(&args, report->contact);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run_latest(&query, &args) > 0)
	{
		report->lead = ls_result_uuid(0, 1);
		report->has_lead = true;
	}
	ls_scope_close(&scope);
}

/* The number of the lead, which need not be the one that was used; NULL for none. */
char *
ls_report_lead_number(const LsReport *report)
{
	LS_QUERY(query,
		"SELECT phone_number FROM lead_system.leads WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};
	char *number = NULL;

	if (!report->has_lead)
		return NULL;
	ls_arg_uuid(&args, &report->org);
	ls_arg_uuid(&args, &report->lead);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run(&query, &args, LS_WRITE) > 0)
		number = ls_result_text(0, 1);
	ls_scope_close(&scope);
	return number;
}

/*
 * Make a lead of an unknown number.  upsert_lead() finds the one that another
 * session makes at the same moment, and brings back one from the archive.
 */
void
ls_report_make_lead(LsReport *report, const char *source)
{
	LS_QUERY(query,
		"SELECT lead_system.upsert_lead("
		"  jsonb_build_object('phone_number', $1::text, 'source', $2::text), 'merge')",
		TEXTOID, TEXTOID);
	LsScope scope;
	LsArgs args = {0};

	if (report->has_lead || report->contact == NULL)
		return;
	ls_arg_text(&args, report->contact);
	ls_arg_text(&args, source);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	report->lead = ls_result_uuid(0, 1);
	report->has_lead = true;
	ls_scope_close(&scope);
}

/* Lock the lead; false when there is none, or it has gone meanwhile. */
bool
ls_report_lock_lead(LsReport *report)
{
	LS_QUERY(query,
		"SELECT 1 FROM lead_system.leads WHERE organization_id = $1 AND id = $2"
		" FOR NO KEY UPDATE",
		UUIDOID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};

	if (!report->has_lead)
		return false;
	ls_arg_uuid(&args, &report->org);
	ls_arg_uuid(&args, &report->lead);
	ls_scope_open(&scope, LS_AS_OWNER);
	report->has_lead = ls_query_run(&query, &args, LS_WRITE) > 0;
	ls_scope_close(&scope);
	return report->has_lead;
}

/*
 * Count a contact in its lead, which scores the lead anew, and pauses its
 * sequences when it replied.  A lead that is heard of again is not cold.
 */
void
ls_report_count(const LsReport *report, const LsContactCounts *counts)
{
	LS_QUERY(query,
		"UPDATE lead_system.leads SET call_count = call_count + $4,"
		"  sms_reply_count = sms_reply_count + $5,"
		"  last_activity_at = greatest(last_activity_at, $3),"
		"  last_contact_at = CASE WHEN $6 THEN greatest(last_contact_at, $3) ELSE last_contact_at END,"
		"  needs_review = needs_review OR $7,"
		"  tags = CASE WHEN $8 THEN array_remove(tags, '" LS_COLD_TAG "') ELSE tags END"
		" WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID, TIMESTAMPTZOID, INT4OID, INT4OID, BOOLOID, BOOLOID, BOOLOID);
	LsLeadCause cause = {NULL, "automation", &report->id};
	const LsLeadCause *previous = ls_lead_cause_set(&cause);
	LsScope scope;
	LsArgs args = {0};

	cause.trigger_type = strcmp(report->what, "call") == 0 ? "call" : "automation";
	ls_arg_uuid(&args, &report->org);
	ls_arg_uuid(&args, &report->lead);
	ls_arg_timestamptz(&args, report->at);
	ls_arg_int32(&args, counts->calls);
	ls_arg_int32(&args, counts->sms_replies);
	ls_arg_bool(&args, counts->reached);
	ls_arg_bool(&args, counts->review);
	ls_arg_bool(&args, report->is_inbound);
	PG_TRY();
	{
		ls_scope_open(&scope, LS_AS_OWNER);
		ls_query_run(&query, &args, LS_WRITE);
		ls_scope_close(&scope);
	}
	PG_FINALLY();
	{
		ls_lead_cause_set(previous);
	}
	PG_END_TRY();
}

/* Tell of it in the activities of the lead; what was said is in the row alone. */
void
ls_report_activity(const LsReport *report, const char *action, const char *detail)
{
	LsActivity activity = {0};

	activity.org = &report->org;
	activity.lead = &report->lead;
	activity.action = action;
	activity.new_value =
		ls_json_pair_text(strcmp(report->what, "call") == 0 ? "outcome" : "status", detail);
	(void) ls_activity_add(&activity);
}
