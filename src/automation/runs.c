/*-------------------------------------------------------------------------
 *
 * runs.c
 *	  Runs of workflows, which happen outside the database: begun, done, tried
 *	  again (semantics J7).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/input.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "automation/automation.h"

#define MAX_BATCH 100000

/* A run that is reported. */
typedef struct Run
{
	pg_uuid_t org;
	pg_uuid_t workflow;
	pg_uuid_t id;
	const char *key;
	const char *outcome;
	const char *error; /* or NULL */
	pg_uuid_t *lead;   /* or NULL */
	Jsonb *config;     /* of the workflow */
	bool exists;
	bool is_lost; /* running, and nothing was heard of it for too long */
	char *status;
	int failures;
	TimestampTz now;
} Run;

/*
 * Lock the workflow, so that reports of one workflow take turns and its counts
 * are right; then read the run, if there is one.
 */
static void
read_run(Run *run)
{
	LS_QUERY(workflow,
		"SELECT w.status, w.config FROM lead_system.workflows w"
		" WHERE w.organization_id = $1 AND w.id = $2 FOR NO KEY UPDATE",
		UUIDOID, UUIDOID);
	LS_QUERY(query,
		"SELECT r.id, r.status, r.failures, r.status = 'running' AND coalesce(r.next_attempt_at <= $4, false)"
		"  FROM lead_system.workflow_runs r"
		" WHERE r.organization_id = $1 AND r.workflow_id = $2 AND r.run_key = $3 FOR NO KEY UPDATE",
		UUIDOID, UUIDOID, TEXTOID, TIMESTAMPTZOID);
	MemoryContext caller = CurrentMemoryContext;
	char *status;
	LsScope scope;
	LsArgs args = {0};
	bool isnull;

	ls_arg_uuid(&args, &run->org);
	ls_arg_uuid(&args, &run->workflow);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run(&workflow, &args, LS_WRITE) == 0)
		ls_no_such_row("workflow", &run->workflow);
	status = ls_result_text(0, 1);
	caller = MemoryContextSwitchTo(caller);
	run->config = DatumGetJsonbPCopy(ls_result(0, 2, &isnull));
	MemoryContextSwitchTo(caller);
	ls_arg_text(&args, run->key);
	ls_arg_timestamptz(&args, run->now);
	run->exists = ls_query_run(&query, &args, LS_WRITE) > 0;
	if (run->exists)
	{
		run->id = ls_result_uuid(0, 1);
		run->status = ls_result_text(0, 2);
		run->failures = ls_result_int32(0, 3);
		run->is_lost = ls_result_bool(0, 4);
	}
	ls_scope_close(&scope);
	if (!run->exists && strcmp(status, "active") != 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("workflow \"%s\" is not active", ls_uuid_text(&run->workflow)),
						   errdetail("Its status is %s.", status)));
}

/* Write what became of the run, due again after so many minutes if any, and count it. */
static void
write_run(Run *run, const char *status, int minutes)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.workflow_runs (organization_id, workflow_id, run_key, lead_id, status,"
		"   failures, next_attempt_at, last_error, created_at, completed_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, CASE WHEN $9 > 0 THEN $8 + make_interval(mins => $9) END,"
		"   $7, $8, CASE WHEN $5 IN ('completed', 'failed') THEN $8 END)"
		" ON CONFLICT (organization_id, workflow_id, run_key) DO UPDATE SET status = EXCLUDED.status,"
		"   failures = EXCLUDED.failures, next_attempt_at = EXCLUDED.next_attempt_at,"
		"   last_error = coalesce(EXCLUDED.last_error, workflow_runs.last_error),"
		"   completed_at = EXCLUDED.completed_at RETURNING id",
		UUIDOID, UUIDOID, TEXTOID, UUIDOID, TEXTOID, INT4OID, TEXTOID, TIMESTAMPTZOID, INT4OID);
	LS_QUERY(count,
		"UPDATE lead_system.workflows SET total_triggered = total_triggered + $3,"
		"       total_completed = total_completed + $4, total_failed = total_failed + $5"
		" WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID, INT4OID, INT4OID, INT4OID);
	LsScope scope;
	LsArgs args = {0};
	LsArgs counts = {0};

	ls_arg_uuid(&args, &run->org);
	ls_arg_uuid(&args, &run->workflow);
	ls_arg_text(&args, run->key);
	ls_arg_uuid(&args, run->lead);
	ls_arg_text(&args, status);
	ls_arg_int32(&args, run->failures);
	ls_arg_text(&args, run->error);
	ls_arg_timestamptz(&args, run->now);
	ls_arg_int32(&args, minutes);
	ls_arg_uuid(&counts, &run->org);
	ls_arg_uuid(&counts, &run->workflow);
	ls_arg_int32(&counts, run->exists ? 0 : 1);
	ls_arg_int32(&counts, strcmp(status, "completed") == 0 ? 1 : 0);
	ls_arg_int32(&counts, strcmp(status, "failed") == 0 ? 1 : 0);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	run->id = ls_result_uuid(0, 1);
	ls_query_run(&count, &counts, LS_WRITE);
	ls_scope_close(&scope);
}

/* A run that is over takes no further report, but the same one again. */
static bool
is_told_already(const Run *run)
{
	if (!run->exists)
		return false;
	if (strcmp(run->status, run->outcome) == 0 ||
		(strcmp(run->status, "running") == 0 && strcmp(run->outcome, "started") == 0 &&
			!run->is_lost) ||
		(strcmp(run->status, "retrying") == 0 && strcmp(run->outcome, "failed") == 0))
		return true;
	if (strcmp(run->status, "completed") == 0 || strcmp(run->status, "failed") == 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("run \"%s\" of the workflow is over", run->key),
						   errdetail("It is %s.", run->status)));
	return false;
}

/*
 * Begin with a run, or with a next attempt.  One that nothing was heard of is a
 * failure like others, or a run that kills its program would be tried for ever.
 * False when there are no retries left.
 */
static bool
start(Run *run)
{
	if (run->is_lost)
	{
		int n;

		(void) ls_workflow_retry_minutes(&run->org, run->config, &n);
		run->failures++;
		run->error = "nothing was heard of it";
		if (run->failures > n)
		{
			write_run(run, "failed", 0);
			return false;
		}
	}
	write_run(run, "running", ls_config_int(&run->org, "automation.run_minutes"));
	return true;
}

/* Try again what failed, as often as the workflow says. */
static void
fail(Run *run)
{
	int n;
	int *minutes = ls_workflow_retry_minutes(&run->org, run->config, &n);

	run->failures++;
	if (run->failures <= n)
		write_run(run, "retrying", minutes[run->failures - 1]);
	else
		write_run(run, "failed", 0);
}

/* Carry a report out; false when a run should begin that must not. */
static bool
record(Run *run)
{
	if (is_told_already(run))
		return true;
	if (strcmp(run->outcome, "started") == 0)
		return start(run);
	if (strcmp(run->outcome, "completed") == 0)
		write_run(run, "completed", 0);
	else
		fail(run);
	return true;
}

PG_FUNCTION_INFO_V1(ls_automation_record_workflow_run);

/* record_workflow_run(workflow_id, run_key, outcome, lead_id, error) */
Datum
ls_automation_record_workflow_run(PG_FUNCTION_ARGS)
{
	Run run = {.now = ls_clock_now()};
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));

	LS_REQUIRE_ARG(0, "workflow_id");
	LS_REQUIRE_ARG(1, "run_key");
	LS_REQUIRE_ARG(2, "outcome");
	run.workflow = *PG_GETARG_UUID_P(0);
	run.key = text_to_cstring(PG_GETARG_TEXT_PP(1));
	run.outcome = text_to_cstring(PG_GETARG_TEXT_PP(2));
	run.lead = PG_ARGISNULL(3) ? NULL : PG_GETARG_UUID_P(3);
	run.error = PG_ARGISNULL(4) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(4));
	if (strcmp(run.outcome, "started") != 0 && strcmp(run.outcome, "completed") != 0 &&
		strcmp(run.outcome, "failed") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("outcome must be started, completed or failed")));
	ls_enter_org_of("workflows", "workflow", &run.workflow, LS_WRITE, &run.org);
	ls_agent_refuse_contractor();
	if (run.lead != NULL && !ls_row_exists("leads", &run.org, run.lead))
		ls_no_such_row("lead", run.lead);
	read_run(&run);
	if (!record(&run))
		PG_RETURN_NULL();
	*id = run.id;
	PG_RETURN_UUID_P(id);
}

PG_FUNCTION_INFO_V1(ls_automation_due_workflow_runs);

/* due_workflow_runs(batch) */
Datum
ls_automation_due_workflow_runs(PG_FUNCTION_ARGS)
{
	LS_QUERY(query,
		"SELECT r.id, r.workflow_id, r.run_key, r.lead_id, r.failures, r.next_attempt_at, r.last_error"
		"  FROM lead_system.workflow_runs r"
		"  JOIN lead_system.workflows w ON w.organization_id = $1 AND w.id = r.workflow_id"
		"   AND w.status = 'active'"
		" WHERE r.organization_id = $1 AND r.next_attempt_at <= $2"
		" ORDER BY r.next_attempt_at, r.id LIMIT $3",
		UUIDOID, TIMESTAMPTZOID, INT4OID);
	pg_uuid_t org;
	LsScope scope;
	LsArgs args = {0};

	LS_REQUIRE_ARG(0, "batch");
	if (PG_GETARG_INT32(0) < 1 || PG_GETARG_INT32(0) > MAX_BATCH)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("batch must be between 1 and %d", MAX_BATCH)));
	ls_require_org(&org);
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	ls_arg_uuid(&args, &org);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_arg_int32(&args, PG_GETARG_INT32(0));
	ls_scope_open(&scope, LS_AS_CALLER);
	ls_query_run(&query, &args, LS_READ);
	ls_result_to_srf(fcinfo);
	ls_scope_close(&scope);
	return (Datum) 0;
}
