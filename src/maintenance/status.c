/*-------------------------------------------------------------------------
 *
 * status.c
 *	  maintenance_status() and maintenance_jobs().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "core/clock.h"
#include "maintenance/internal.h"

/* The names of all jobs, as text[]. */
static Datum
job_names(void)
{
	Datum *names = palloc(sizeof(Datum) * ls_n_jobs);
	int i;

	for (i = 0; i < ls_n_jobs; i++)
		names[i] = CStringGetTextDatum(ls_jobs[i].name);
	return PointerGetDatum(construct_array(names, ls_n_jobs, TEXTOID, -1, false, TYPALIGN_INT));
}

/*
 * Runs that began later are those of a clock that was fast.  A transaction that
 * watches for long sees those that began after itself.
 */
static TimestampTz
latest_start(void)
{
	TimestampTz now = ls_clock_now();

	return now == GetCurrentTransactionStartTimestamp() ? GetCurrentTimestamp() : now;
}

PG_FUNCTION_INFO_V1(ls_maintenance_status);

/*
 * maintenance_status().  A run that is under way while nobody holds the lock of
 * the runner is one whose session has ended.
 */
Datum
ls_maintenance_status(PG_FUNCTION_ARGS)
{
	LS_QUERY(query,
		"SELECT j.name, r.started_at, r.rows,"
		"       CASE WHEN r.state = 'running' AND $3 THEN NULL"
		"            WHEN r.state IN ('done', 'continues') THEN r.error IS NULL"
		"            WHEN r.state IS NOT NULL THEN false END,"
		"       CASE WHEN r.state IS NULL THEN 'has not run yet'"
		"            WHEN r.state = 'running' AND $3 THEN 'running, process ' || r.pid"
		"            WHEN r.state = 'running' THEN 'interrupted'"
		"            WHEN r.error IS NOT NULL THEN r.sqlstate || ': ' || r.error"
		"            WHEN r.state = 'continues' THEN 'goes on with the next run'"
		"            ELSE r.state END"
		"  FROM unnest($2) WITH ORDINALITY j(name, n)"
		"  LEFT JOIN LATERAL (SELECT * FROM lead_system.maintenance_runs m"
		"     WHERE m.organization_id = $1 AND m.job = j.name AND m.started_at <= $4"
		"     ORDER BY m.started_at DESC, m.id DESC LIMIT 1) r ON true"
		" ORDER BY j.n",
		UUIDOID, TEXTARRAYOID, BOOLOID, TIMESTAMPTZOID);
	LsJobTarget target;
	LsScope scope;
	LsArgs args = {0};

	ls_maintenance_target(&target);
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	ls_arg_uuid(&args, &target.org);
	ls_arg_datum(&args, job_names(), false);
	ls_arg_bool(&args, ls_maintenance_is_running(&target));
	ls_arg_timestamptz(&args, latest_start());
	ls_scope_open(&scope, LS_AS_OWNER);
	(void) ls_query_run(&query, &args, LS_READ);
	ls_result_to_srf(fcinfo);
	ls_scope_close(&scope);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(ls_maintenance_jobs);

/* maintenance_jobs() */
Datum
ls_maintenance_jobs(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int i;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	for (i = 0; i < ls_n_jobs; i++)
	{
		const LsJob *job = &ls_jobs[i];
		Interval *interval = palloc0(sizeof(Interval));
		Datum values[4];
		bool nulls[4] = {false};

		if (job->interval == LS_EVERY_DAY)
			interval->day = 1;
		else
			interval->time = (TimeOffset) job->interval * USECS_PER_SEC;
		values[0] = CStringGetTextDatum(job->name);
		values[1] = IntervalPGetDatum(interval);
		values[2] = Int32GetDatum(job->batch);
		nulls[2] = (job->batch == 0);
		values[3] = CStringGetTextDatum(job->description);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
