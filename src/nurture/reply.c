/*-------------------------------------------------------------------------
 *
 * reply.c
 *	  Replies of leads pause their enrolments (semantics F5).
 *
 *	  Three ways lead there: record_reply(), a message from the lead in sms_logs,
 *	  and the counters of replies in leads, which whoever receives e-mail may
 *	  write (listener.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/input.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/transition.h"
#include "core/trigger.h"
#include "nurture/nurture.h"

/* Enrolments that a reply pauses, of leads in a source of rows r. */
#define PAUSE(source) \
	"WITH u AS MATERIALIZED (SELECT e.organization_id, e.id" \
	"  FROM " source \
	"  JOIN lead_system.lead_sequence_enrollments e ON e.organization_id = r.organization_id" \
	"   AND e.lead_id = r.lead_id AND e.status = 'active'" \
	"  JOIN lead_system.nurture_sequences s ON s.organization_id = r.organization_id" \
	"   AND s.id = e.sequence_id AND s.auto_pause_on_reply" \
	" ORDER BY e.lead_id, e.id FOR NO KEY UPDATE OF e)" \
	" UPDATE lead_system.lead_sequence_enrollments e SET status = 'paused'," \
	"  pause_reason = 'reply', next_step_scheduled_at = NULL" \
	"  FROM u WHERE e.organization_id = u.organization_id AND e.id = u.id"

/* Lock the lead, and count the reply in it; returns how many enrolments it is active in. */
static int64
count_reply(const pg_uuid_t *org, const pg_uuid_t *lead, const char *channel)
{
	LS_QUERY(lock,
		"SELECT 1 FROM lead_system.leads WHERE organization_id = $1 AND id = $2"
		" FOR NO KEY UPDATE",
		UUIDOID, UUIDOID);
	LS_QUERY(pausing,
		"SELECT count(*) FROM lead_system.lead_sequence_enrollments e"
		"  JOIN lead_system.nurture_sequences s ON s.organization_id = $1 AND s.id = e.sequence_id"
		"   AND s.auto_pause_on_reply"
		" WHERE e.organization_id = $1 AND e.lead_id = $2 AND e.status = 'active'",
		UUIDOID, UUIDOID);
	LS_QUERY(count,
		"UPDATE lead_system.leads SET"
		"  email_reply_count = email_reply_count + CASE $3 WHEN 'email' THEN 1 ELSE 0 END,"
		"  sms_reply_count = sms_reply_count + CASE $3 WHEN 'sms' THEN 1 ELSE 0 END,"
		"  last_activity_at = greatest(last_activity_at, $4)"
		" WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID, TEXTOID, TIMESTAMPTZOID);
	LsArgs args = {0};
	int64 n;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, lead);
	if (ls_query_run(&lock, &args, LS_WRITE) == 0)
		ls_no_such_row("lead", lead);
	ls_query_run(&pausing, &args, LS_WRITE);
	n = ls_result_int64(0, 1);
	ls_arg_text(&args, channel);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_query_run(&count, &args, LS_WRITE);
	return n;
}

/* Pause the enrolments of a lead that has got through to somebody; the caller has locked it. */
void
ls_nurture_replied(const pg_uuid_t *org, const pg_uuid_t *lead)
{
	LS_QUERY(pause, PAUSE("(SELECT $1 AS organization_id, $2 AS lead_id) r"), UUIDOID, UUIDOID);
	LsArgs args = {0};
	LsScope scope;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, lead);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&pause, &args, LS_WRITE);
	ls_scope_close(&scope);
}

PG_FUNCTION_INFO_V1(ls_nurture_reply);

/* record_reply(lead_id, channel) */
Datum
ls_nurture_reply(PG_FUNCTION_ARGS)
{
	LS_QUERY(pause, PAUSE("(SELECT $1 AS organization_id, $2 AS lead_id) r"), UUIDOID, UUIDOID);
	pg_uuid_t lead;
	pg_uuid_t org;
	char *channel;
	LsArgs args = {0};
	LsScope scope;
	int64 n;

	LS_REQUIRE_ARG(0, "lead_id");
	LS_REQUIRE_ARG(1, "channel");
	lead = *PG_GETARG_UUID_P(0);
	channel = text_to_cstring(PG_GETARG_TEXT_PP(1));
	if (strcmp(channel, "sms") != 0 && strcmp(channel, "email") != 0 &&
		strcmp(channel, "call") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("\"%s\" is not a channel of replies", channel),
						   errhint("Channels are sms, email and call.")));
	ls_enter_org_of("leads", "lead", &lead, LS_WRITE, &org);
	ls_arg_uuid(&args, &org);
	ls_arg_uuid(&args, &lead);
	ls_scope_open(&scope, LS_AS_OWNER);
	n = count_reply(&org, &lead, channel);
	/* The counters have paused them, but there is none for calls. */
	if (n > 0)
		ls_query_run(&pause, &args, LS_WRITE);
	ls_scope_close(&scope);
	PG_RETURN_INT64(n);
}

PG_FUNCTION_INFO_V1(ls_nurture_sms_received);

/* sms_logs_pause_nurture(): AFTER INSERT statement trigger of sms_logs. */
Datum
ls_nurture_sms_received(PG_FUNCTION_ARGS)
{
	static const char *const statements[] = {
		PAUSE("(SELECT DISTINCT n.organization_id, n.lead_id FROM new_rows n"
			  "  WHERE n.direction = 'inbound') r"),
		NULL};
	TriggerData *trigdata = ls_trigger_check(fcinfo, "sms_logs_pause_nurture",
		LS_TRIGGER_AFTER_STATEMENT, LS_TRIGGER_INSERT, "sms_logs");

	ls_transition_run(trigdata, statements, 0, NULL, NULL, NULL);
	return PointerGetDatum(NULL);
}
