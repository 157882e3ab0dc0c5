/*-------------------------------------------------------------------------
 *
 * runs.c
 *	  maintenance_runs: what is written of the runs of jobs, and what it tells.
 *
 *	  The caller commits.  All of it runs as the owner of the tables, inside the
 *	  runner's SPI connection.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/uuid.h"
#include "maintenance/internal.h"

/*
 * The last run of a job that was begun before, other than one.  A run that the
 * clock has not reached does not count: once the clock is put right, what was run
 * while it was fast would else be the last run, and every job due at every call.
 */
#define LAST_RUN(columns) \
	"SELECT " columns " FROM lead_system.maintenance_runs r" \
	" WHERE r.organization_id = $1 AND r.job = $2 AND r.id IS DISTINCT FROM $3 AND r.started_at <= $4" \
	" ORDER BY r.started_at DESC, r.id DESC LIMIT 1"

/*
 * Runs that were going on when their session ended.  The caller holds the lock
 * of the runner, so nobody is at them.
 */
void
ls_runs_close_interrupted(const LsJobTarget *target)
{
	LS_QUERY(query,
		"UPDATE lead_system.maintenance_runs SET state = 'interrupted', finished_at = $2"
		" WHERE organization_id = $1 AND state = 'running'",
		UUIDOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};

	ls_arg_uuid(&args, &target->org);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_scope_open_nonatomic(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
}

/* Which minute, hour or day of the clock a time is in. */
static int64
interval_number(TimestampTz at, LsJobInterval interval)
{
	int64 seconds = at / USECS_PER_SEC;

	if (interval == LS_EVERY_DAY)
		seconds -= (int64) ls_maintenance_day_start * SECS_PER_HOUR;
	return seconds >= 0 ? seconds / interval : (seconds - interval + 1) / interval;
}

/*
 * Is a job due?  Once in each of its intervals.  What could not come to its end
 * goes on at once; what failed, or was cancelled, is tried again in an hour.
 */
bool
ls_runs_due(const LsJob *job, const LsJobTarget *target)
{
	LS_QUERY(query,
		LAST_RUN("r.state IN ('continues', 'interrupted'), r.state = 'done', r.started_at"),
		UUIDOID, TEXTOID, UUIDOID, TIMESTAMPTZOID);
	LsJobInterval interval = job->interval;
	TimestampTz now = ls_clock_now();
	LsScope scope;
	LsArgs args = {0};
	bool due = true;

	ls_arg_uuid(&args, &target->org);
	ls_arg_text(&args, job->name);
	ls_arg_uuid(&args, NULL);
	ls_arg_timestamptz(&args, now);
	ls_scope_open_nonatomic(&scope, LS_AS_OWNER);
	if (ls_query_run(&query, &args, LS_WRITE) > 0 && !ls_result_bool(0, 1))
	{
		if (!ls_result_bool(0, 2) && job->scope != LS_JOB_VERIFY)
			interval = Min(interval, LS_EVERY_HOUR);
		due = interval_number(now, interval) !=
			  interval_number(ls_result_timestamptz(0, 3), interval);
	}
	ls_scope_close(&scope);
	return due;
}

/*
 * Write down that a job begins.  Of an organisation that does not exist, or has
 * left meanwhile, nothing would ever remove the row.
 */
void
ls_run_begin(LsJobRun *run)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.maintenance_runs (organization_id, job, started_at, updated_at)"
		" SELECT $1, $2, $3, $3 WHERE $4 OR EXISTS ("
		"   SELECT FROM lead_system.organizations o WHERE o.id = $1 FOR KEY SHARE) RETURNING id",
		UUIDOID, TEXTOID, TIMESTAMPTZOID, BOOLOID);
	LsScope scope;
	LsArgs args = {0};

	ls_arg_uuid(&args, &run->target->org);
	ls_arg_text(&args, run->job->name);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_arg_bool(&args, run->target->is_all);
	ls_scope_open_nonatomic(&scope, LS_AS_OWNER);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND), errmsg("organization \"%s\" does not exist",
															ls_uuid_text(&run->target->org))));
	run->id = ls_result_uuid(0, 1);
	ls_scope_close(&scope);
}

/*
 * After which organisation does a run go on?  False: it begins with the first,
 * since the run before came to its end, or is too long ago.
 */
bool
ls_run_position(const LsJobRun *run, pg_uuid_t *position)
{
	LS_QUERY(query,
		LAST_RUN("CASE WHEN r.state IN ('continues', 'interrupted', 'cancelled')"
				 "      AND r.started_at > $4 - interval '1 day' THEN r.position END"),
		UUIDOID, TEXTOID, UUIDOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};
	bool found;

	ls_arg_uuid(&args, &run->target->org);
	ls_arg_text(&args, run->job->name);
	ls_arg_uuid(&args, &run->id);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_scope_open_nonatomic(&scope, LS_AS_OWNER);
	found = ls_query_run(&query, &args, LS_WRITE) > 0 && !ls_result_isnull(0, 1);
	if (found)
		*position = ls_result_uuid(0, 1);
	ls_scope_close(&scope);
	return found;
}

/* Write down what a batch did, and the organisation that is done with it, if any. */
void
ls_run_progress(const LsJobRun *run, int64 rows, const pg_uuid_t *position)
{
	LS_QUERY(query,
		"UPDATE lead_system.maintenance_runs SET rows = rows + $3, position = coalesce($4, position)"
		" WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID, INT8OID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};

	ls_arg_uuid(&args, &run->target->org);
	ls_arg_uuid(&args, &run->id);
	ls_arg_int64(&args, rows);
	ls_arg_uuid(&args, position);
	ls_scope_open_nonatomic(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
}

/* Write down how a run ended. */
void
ls_run_end(const LsJobRun *run, const char *state)
{
	LS_QUERY(query,
		"UPDATE lead_system.maintenance_runs SET state = $3, error = $4, sqlstate = $5,"
		"       finished_at = $6"
		" WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};

	ls_arg_uuid(&args, &run->target->org);
	ls_arg_uuid(&args, &run->id);
	ls_arg_text(&args, state);
	ls_arg_text(&args, run->error);
	ls_arg_text(&args, run->error != NULL ? unpack_sql_state(run->sqlstate) : NULL);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_scope_open_nonatomic(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
}

/* The job forget_runs: runs of an organisation, or those for all of them. */
int64
ls_runs_forget(const pg_uuid_t *org, int batch, bool first, bool *more)
{
	LS_QUERY(query,
		"DELETE FROM lead_system.maintenance_runs r WHERE r.organization_id = $1 AND r.id = ANY (ARRAY("
		"  SELECT o.id FROM lead_system.maintenance_runs o WHERE o.organization_id = $1"
		"     AND o.started_at < $2 - make_interval(days => $3) AND o.state <> 'running'"
		"   ORDER BY o.started_at LIMIT $4 FOR UPDATE SKIP LOCKED))",
		UUIDOID, TIMESTAMPTZOID, INT4OID, INT4OID);
	const pg_uuid_t all = {{0}};
	LsScope scope;
	LsArgs args = {0};
	int64 n;

	ls_arg_uuid(&args, org != NULL ? org : &all);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_arg_int32(&args, ls_maintenance_history_days);
	ls_arg_int32(&args, batch);
	ls_scope_open_nonatomic(&scope, LS_AS_OWNER);
	n = (int64) ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
	*more = (n >= batch);
	return n;
}
