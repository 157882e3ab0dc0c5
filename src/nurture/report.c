/*-------------------------------------------------------------------------
 *
 * report.c
 *	  What came of a step: complete_step(), fail_step(), and for those whose
 *	  lease has lapsed confirm_step() and retry_step().
 *
 *	  A step can be reported whatever has become of the enrolment since it was
 *	  handed out: what was sent was sent, and a paused enrolment goes on after it
 *	  when it is resumed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/input.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "nurture/nurture.h"

/* Minutes until a step is tried again: after the first failure, the second, all others. */
static const int backoff_minutes[] = {1, 5, 15};

/* The enrolment whose step is reported, and what becomes of it. */
typedef struct Report
{
	pg_uuid_t org;
	pg_uuid_t id;
	int step;
	TimestampTz now;
	/* as it is */
	char *status;
	int current_step;
	char *step_state;
	bool lapsed;
	bool has_claimed_by;
	pg_uuid_t claimed_by;
	char *channel;
	TimestampTz enrolled_at;
	int retry_count;
	bool is_completed; /* this step, before */
	LsNurtureSteps steps;
	/* as it will be */
	const char *new_status;
	int new_step;
	TimestampTz next;
	int new_retry_count;
	char *error;
	StringInfoData log;
} Report;

/* Lock the enrolment. */
static void
read_report(Report *report)
{
	LS_QUERY(query,
		"SELECT e.status, e.current_step, e.step_state, e.lease_until <= $4, e.claimed_by,"
		"       e.claimed_channel, e.enrolled_at, e.retry_count,"
		"       e.executed_steps @> jsonb_build_array("
		"         jsonb_build_object('step', $3::integer, 'status', 'completed')), s.steps"
		"  FROM lead_system.lead_sequence_enrollments e"
		"  JOIN lead_system.nurture_sequences s ON s.organization_id = $1 AND s.id = e.sequence_id"
		" WHERE e.organization_id = $1 AND e.id = $2 FOR NO KEY UPDATE OF e",
		UUIDOID, UUIDOID, INT4OID, TIMESTAMPTZOID);
	LsArgs args = {0};
	bool isnull;

	ls_arg_uuid(&args, &report->org);
	ls_arg_uuid(&args, &report->id);
	ls_arg_int32(&args, report->step);
	ls_arg_timestamptz(&args, report->now);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		ls_no_such_row("enrollment", &report->id);
	report->status = ls_result_text(0, 1);
	report->current_step = ls_result_int32(0, 2);
	report->step_state = ls_result_text(0, 3);
	report->lapsed = strcmp(report->step_state, "uncertain") == 0 ||
					 (!ls_result_isnull(0, 4) && ls_result_bool(0, 4));
	report->has_claimed_by = !ls_result_isnull(0, 5);
	if (report->has_claimed_by)
		report->claimed_by = ls_result_uuid(0, 5);
	report->channel = ls_result_text(0, 6);
	report->enrolled_at = ls_result_timestamptz(0, 7);
	report->retry_count = ls_result_int32(0, 8);
	report->is_completed = ls_result_bool(0, 9);
	ls_nurture_steps_parse(DatumGetJsonbPCopy(ls_result(0, 10, &isnull)), &report->steps);
	initStringInfo(&report->log);
}

/* Read the arguments that all reports have, and lock the enrolment; opens the scope. */
static void
start_report(FunctionCallInfo fcinfo, Report *report, LsScope *scope)
{
	LS_REQUIRE_ARG(0, "enrollment_id");
	LS_REQUIRE_ARG(1, "step");
	report->id = *PG_GETARG_UUID_P(0);
	report->step = PG_GETARG_INT32(1);
	report->now = ls_clock_now();
	ls_enter_org_of("lead_sequence_enrollments", "enrollment", &report->id, LS_WRITE, &report->org);
	ls_scope_open(scope, LS_AS_OWNER);
	read_report(report);
}

/* Refuse the report on a step that is not out. */
static void
require_out(const Report *report)
{
	if (report->current_step != report->step)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("step %d is not the current step", report->step),
						   errdetail("The current step is %d.", report->current_step)));
	if (strcmp(report->step_state, "scheduled") == 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("step %d is not claimed", report->step)));
}

/* Refuse the report of a worker that does not hold the claim any more. */
static void
require_claim(const Report *report)
{
	pg_uuid_t user;

	require_out(report);
	if (report->lapsed)
		ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("the lease on step %d has lapsed", report->step),
				errhint("Decide with confirm_step() if it was carried out, else retry_step().")));
	if (report->has_claimed_by && ls_current_user(&user) &&
		!ls_uuid_equal(&user, &report->claimed_by))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("step %d is claimed by another user", report->step)));
}

/* Refuse to decide about a step whose worker still has time. */
static void
require_lapsed(const Report *report)
{
	require_out(report);
	if (!report->lapsed)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("the lease on step %d has not lapsed", report->step)));
}

/* Write what becomes of the enrolment. */
static void
write_report(const Report *report)
{
	LS_QUERY(query,
		"UPDATE lead_system.lead_sequence_enrollments e SET status = $3, current_step = $4,"
		"  next_step_scheduled_at = CASE $3 WHEN 'active' THEN $5 END, retry_count = $6,"
		"  last_error = $7, executed_steps = e.executed_steps || $8::jsonb,"
		"  step_state = 'scheduled', claimed_by = NULL, lease_until = NULL, blocked_rule = NULL,"
		"  ended_at = CASE WHEN $3 NOT IN ('active', 'paused') THEN coalesce(e.ended_at, $9) END"
		" WHERE e.organization_id = $1 AND e.id = $2",
		UUIDOID, UUIDOID, TEXTOID, INT4OID, TIMESTAMPTZOID, INT4OID, TEXTOID, TEXTOID,
		TIMESTAMPTZOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &report->org);
	ls_arg_uuid(&args, &report->id);
	ls_arg_text(&args, report->new_status);
	ls_arg_int32(&args, report->new_step);
	ls_arg_timestamptz(&args, report->next);
	ls_arg_int32(&args, report->new_retry_count);
	ls_arg_text(&args, report->error);
	ls_arg_text(&args, psprintf("[%s]", report->log.data));
	ls_arg_timestamptz(&args, report->now);
	ls_query_run(&query, &args, LS_WRITE);
}

/*
 * The step was carried out: on to the next one.  The last one completes the
 * enrolment, also a paused one, since nothing is left to go on with.
 */
static void
go_on(Report *report)
{
	const LsNurtureStep *next = ls_nurture_step_from(&report->steps, report->step + 1);
	bool live = strcmp(report->status, "active") == 0 || strcmp(report->status, "paused") == 0;

	ls_nurture_log(
		&report->log, report->step, report->now, "completed", report->channel, NULL, NULL);
	report->new_status = live && next == NULL ? "completed" : report->status;
	report->new_step = next ? next->number : report->step + 1;
	report->next = next ? ls_nurture_step_due(next, report->now, report->enrolled_at) : 0;
	write_report(report);
}

PG_FUNCTION_INFO_V1(ls_nurture_complete);

/* complete_step(enrollment_id, step) */
Datum
ls_nurture_complete(PG_FUNCTION_ARGS)
{
	Report report = {0};
	LsScope scope;

	start_report(fcinfo, &report, &scope);
	if (!report.is_completed)
	{
		require_claim(&report);
		go_on(&report);
	}
	ls_scope_close(&scope);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(ls_nurture_confirm);

/* confirm_step(enrollment_id, step) */
Datum
ls_nurture_confirm(PG_FUNCTION_ARGS)
{
	Report report = {0};
	LsScope scope;

	start_report(fcinfo, &report, &scope);
	if (!report.is_completed)
	{
		require_lapsed(&report);
		go_on(&report);
	}
	ls_scope_close(&scope);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(ls_nurture_fail);

/* fail_step(enrollment_id, step, error) */
Datum
ls_nurture_fail(PG_FUNCTION_ARGS)
{
	Report report = {0};
	LsScope scope;
	int place;

	LS_REQUIRE_ARG(2, "error");
	start_report(fcinfo, &report, &scope);
	require_claim(&report);
	report.error = ls_error_text(PG_GETARG_TEXT_PP(2));
	ls_nurture_log(&report.log, report.step, report.now, "failed", report.channel, NULL, NULL);
	report.new_step = report.step;
	report.new_retry_count = report.retry_count + 1;
	place = Min(report.retry_count, (int) lengthof(backoff_minutes) - 1);
	report.next = report.now + backoff_minutes[place] * USECS_PER_MINUTE;
	report.new_status = report.status;
	if (report.retry_count >= ls_config_int(&report.org, "nurture.max_retries") &&
		strcmp(report.status, "cancelled") != 0)
		report.new_status = "failed";
	write_report(&report);
	ls_scope_close(&scope);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(ls_nurture_retry);

/* retry_step(enrollment_id, step) */
Datum
ls_nurture_retry(PG_FUNCTION_ARGS)
{
	Report report = {0};
	LsScope scope;

	start_report(fcinfo, &report, &scope);
	require_lapsed(&report);
	if (strcmp(report.status, "active") != 0 && strcmp(report.status, "paused") != 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("the enrollment is %s", report.status)));
	report.new_status = report.status;
	report.new_step = report.step;
	report.next = report.now;
	report.new_retry_count = report.retry_count;
	write_report(&report);
	ls_scope_close(&scope);
	PG_RETURN_VOID();
}
