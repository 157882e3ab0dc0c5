/*-------------------------------------------------------------------------
 *
 * enroll.c
 *	  enroll_lead(), pause_enrollment(), resume_enrollment(),
 *	  cancel_enrollment().
 *
 *	  Who enrols or resumes locks the lead first: whoever is blocking it at that
 *	  moment comes before, and is seen, or after, and sees the enrolment.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/errors.h"
#include "core/input.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "nurture/nurture.h"

/* An enrolment that is locked. */
typedef struct Enrollment
{
	pg_uuid_t org;
	pg_uuid_t id;
	char *status;
	int current_step;
	TimestampTz enrolled_at;
	LsNurtureSteps steps;
} Enrollment;

/* Lock a lead, and refuse one that is not followed up. */
static void
lock_lead(const pg_uuid_t *org, const pg_uuid_t *lead)
{
	LS_QUERY(query,
		"SELECT l.do_not_call, l.deleted_at IS NOT NULL, l.is_spam, l.stage"
		"  FROM lead_system.leads l WHERE l.organization_id = $1 AND l.id = $2"
		"   FOR NO KEY UPDATE",
		UUIDOID, UUIDOID);
	LsArgs args = {0};
	char *stage;
	const char *state;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, lead);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		ls_no_such_row("lead", lead);
	if (ls_result_bool(0, 1))
		ereport(ERROR, (errcode(LS_ERRCODE_ON_DNC_LIST), errmsg("the lead must not be called"),
						   errdetail("It is on the do-not-call list or marked do_not_call.")));
	stage = ls_result_text(0, 4);
	state = ls_result_bool(0, 2)             ? "deleted"
			: ls_result_bool(0, 3)           ? "spam"
			: strcmp(stage, "won") == 0      ? stage
			: strcmp(stage, "lost") == 0     ? stage
			: strcmp(stage, "blocked") == 0  ? stage
			: strcmp(stage, "archived") == 0 ? stage
											 : NULL;
	if (state != NULL)
		ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("the lead is %s", state),
				errdetail("It is not followed up any more.")));
}

/* The steps of a sequence that is active. */
static void
read_sequence(const pg_uuid_t *org, const pg_uuid_t *sequence, LsNurtureSteps *steps)
{
	LS_QUERY(query,
		"SELECT s.is_active, s.steps FROM lead_system.nurture_sequences s"
		" WHERE s.organization_id = $1 AND s.id = $2",
		UUIDOID, UUIDOID);
	LsArgs args = {0};
	bool isnull;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, sequence);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		ls_no_such_row("nurture sequence", sequence);
	if (!ls_result_bool(0, 1))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("the nurture sequence is not active")));
	ls_nurture_steps_parse(DatumGetJsonbPCopy(ls_result(0, 2, &isnull)), steps);
}

/* The live enrolment of a lead in a sequence; false when there is none. */
static bool
find_live(
	const pg_uuid_t *org, const pg_uuid_t *lead, const pg_uuid_t *sequence, pg_uuid_t *enrollment)
{
	LS_QUERY(query,
		"SELECT e.id FROM lead_system.lead_sequence_enrollments e"
		" WHERE e.organization_id = $1 AND e.lead_id = $2 AND e.sequence_id = $3"
		"   AND e.status IN ('active', 'paused')",
		UUIDOID, UUIDOID, UUIDOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, lead);
	ls_arg_uuid(&args, sequence);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		return false;
	*enrollment = ls_result_uuid(0, 1);
	return true;
}

/* Write the enrolment. */
static void
insert_enrollment(const pg_uuid_t *org, const pg_uuid_t *id, const pg_uuid_t *lead,
	const pg_uuid_t *sequence, const LsNurtureStep *first)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.lead_sequence_enrollments"
		" (organization_id, id, lead_id, sequence_id, current_step, next_step_scheduled_at,"
		"  enrolled_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		UUIDOID, UUIDOID, UUIDOID, UUIDOID, INT4OID, TIMESTAMPTZOID, TIMESTAMPTZOID);
	TimestampTz now = ls_clock_now();
	LsArgs args = {0};

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, id);
	ls_arg_uuid(&args, lead);
	ls_arg_uuid(&args, sequence);
	ls_arg_int32(&args, first->number);
	ls_arg_timestamptz(&args, ls_nurture_step_due(first, now, now));
	ls_arg_timestamptz(&args, now);
	ls_query_run(&query, &args, LS_WRITE);
}

PG_FUNCTION_INFO_V1(ls_nurture_enroll);

/* enroll_lead(sequence_id, lead_id) */
Datum
ls_nurture_enroll(PG_FUNCTION_ARGS)
{
	pg_uuid_t *enrollment = palloc(sizeof(pg_uuid_t));
	pg_uuid_t sequence;
	pg_uuid_t lead;
	pg_uuid_t org;
	LsNurtureSteps steps;
	LsScope scope;

	LS_REQUIRE_ARG(0, "sequence_id");
	LS_REQUIRE_ARG(1, "lead_id");
	sequence = *PG_GETARG_UUID_P(0);
	lead = *PG_GETARG_UUID_P(1);
	ls_enter_org_of("nurture_sequences", "nurture sequence", &sequence, LS_WRITE, &org);

	ls_scope_open(&scope, LS_AS_OWNER);
	lock_lead(&org, &lead);
	read_sequence(&org, &sequence, &steps);
	if (!find_live(&org, &lead, &sequence, enrollment))
	{
		ls_uuid_v7(enrollment);
		insert_enrollment(&org, enrollment, &lead, &sequence, &steps.steps[0]);
	}
	ls_scope_close(&scope);
	PG_RETURN_UUID_P(enrollment);
}

/*
 * The same for other domains, which have locked the lead and know that it is
 * followed up, and that the sequence is active.
 */
void
ls_nurture_enroll_locked(const pg_uuid_t *org, const pg_uuid_t *sequence, const pg_uuid_t *lead)
{
	pg_uuid_t enrollment;
	LsNurtureSteps steps;
	LsScope scope;

	ls_scope_open(&scope, LS_AS_OWNER);
	read_sequence(org, sequence, &steps);
	if (!find_live(org, lead, sequence, &enrollment))
	{
		ls_uuid_v7(&enrollment);
		insert_enrollment(org, &enrollment, lead, sequence, &steps.steps[0]);
	}
	ls_scope_close(&scope);
}

/* Lock an enrolment, and its lead before, if asked to. */
static void
lock_enrollment(Enrollment *enrollment, bool with_lead)
{
	LS_QUERY(lead_query,
		"SELECT e.lead_id FROM lead_system.lead_sequence_enrollments e"
		" WHERE e.organization_id = $1 AND e.id = $2",
		UUIDOID, UUIDOID);
	LS_QUERY(query,
		"SELECT e.status, e.current_step, e.enrolled_at, s.steps"
		"  FROM lead_system.lead_sequence_enrollments e"
		"  JOIN lead_system.nurture_sequences s ON s.organization_id = $1 AND s.id = e.sequence_id"
		" WHERE e.organization_id = $1 AND e.id = $2 FOR NO KEY UPDATE OF e",
		UUIDOID, UUIDOID);
	LsArgs args = {0};
	bool isnull;

	ls_arg_uuid(&args, &enrollment->org);
	ls_arg_uuid(&args, &enrollment->id);
	if (with_lead && ls_query_run(&lead_query, &args, LS_WRITE) > 0)
	{
		pg_uuid_t lead = ls_result_uuid(0, 1);

		lock_lead(&enrollment->org, &lead);
	}
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		ls_no_such_row("enrollment", &enrollment->id);
	enrollment->status = ls_result_text(0, 1);
	enrollment->current_step = ls_result_int32(0, 2);
	enrollment->enrolled_at = ls_result_timestamptz(0, 3);
	ls_nurture_steps_parse(DatumGetJsonbPCopy(ls_result(0, 4, &isnull)), &enrollment->steps);
}

/* Write the new status of an enrolment; next is when the step is due, or NULL. */
static void
set_status(
	const Enrollment *enrollment, const char *status, const char *reason, const TimestampTz *next)
{
	LS_QUERY(query,
		"UPDATE lead_system.lead_sequence_enrollments e SET status = $3,"
		"  next_step_scheduled_at = $5,"
		"  pause_reason = CASE $3 WHEN 'paused' THEN $4 END,"
		"  cancel_reason = CASE $3 WHEN 'cancelled' THEN $4 END,"
		"  ended_at = CASE $3 WHEN 'cancelled' THEN $6 END,"
		"  blocked_rule = NULL"
		" WHERE e.organization_id = $1 AND e.id = $2",
		UUIDOID, UUIDOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &enrollment->org);
	ls_arg_uuid(&args, &enrollment->id);
	ls_arg_text(&args, status);
	ls_arg_text(&args, reason);
	ls_arg_datum(&args, next ? TimestampTzGetDatum(*next) : (Datum) 0, next == NULL);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_query_run(&query, &args, LS_WRITE);
}

/* Refuse an enrolment that has ended. */
static void
require_live(const Enrollment *enrollment)
{
	if (strcmp(enrollment->status, "active") != 0 && strcmp(enrollment->status, "paused") != 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("the enrollment is %s", enrollment->status)));
}

/* When is the current step due, if its delay begins now (F5)? */
static TimestampTz
due_from_now(const Enrollment *enrollment)
{
	TimestampTz now = ls_clock_now();
	const LsNurtureStep *step = ls_nurture_step_from(&enrollment->steps, enrollment->current_step);

	return step ? ls_nurture_step_due(step, now, enrollment->enrolled_at) : now;
}

/* Take an enrolment into a status; nothing is done when it has it. */
static void
change_status(FunctionCallInfo fcinfo, const char *status)
{
	Enrollment enrollment = {0};
	bool resumes = strcmp(status, "active") == 0;
	char *reason = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	TimestampTz next;
	LsScope scope;

	LS_REQUIRE_ARG(0, "enrollment_id");
	enrollment.id = *PG_GETARG_UUID_P(0);
	ls_enter_org_of(
		"lead_sequence_enrollments", "enrollment", &enrollment.id, LS_WRITE, &enrollment.org);
	ls_scope_open(&scope, LS_AS_OWNER);
	lock_enrollment(&enrollment, resumes);
	if (strcmp(enrollment.status, status) != 0)
	{
		require_live(&enrollment);
		next = due_from_now(&enrollment);
		set_status(&enrollment, status, reason, resumes ? &next : NULL);
	}
	ls_scope_close(&scope);
}

PG_FUNCTION_INFO_V1(ls_nurture_pause);

/* pause_enrollment(enrollment_id, reason) */
Datum
ls_nurture_pause(PG_FUNCTION_ARGS)
{
	change_status(fcinfo, "paused");
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(ls_nurture_resume);

/* resume_enrollment(enrollment_id, reason) */
Datum
ls_nurture_resume(PG_FUNCTION_ARGS)
{
	change_status(fcinfo, "active");
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(ls_nurture_cancel);

/* cancel_enrollment(enrollment_id, reason) */
Datum
ls_nurture_cancel(PG_FUNCTION_ARGS)
{
	change_status(fcinfo, "cancelled");
	PG_RETURN_VOID();
}
