/*-------------------------------------------------------------------------
 *
 * job.c
 *	  Runs one job.
 *
 *	  A batch is done in a subtransaction, so that an error in it can be caught,
 *	  and committed with what maintenance_runs says of it.  So a job that is cut
 *	  off, however it happens, has done whole batches, and has said so.
 *
 *	  A sweeper is one statement for all organisations, which is cheap when there
 *	  is nothing to do.  But then what is wrong in one of them would stop it for
 *	  the others; so when it fails they are tried one by one, and only those that
 *	  fail are left behind.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "core/uuid.h"
#include "maintenance/internal.h"

/* How a piece of a job ended. */
typedef enum JobEnd
{
	JOB_DONE,
	JOB_TIME_OVER,
	JOB_FAILED
} JobEnd;

/* Is an organisation still there?  The list of them was made when the job began. */
static bool
organization_exists(const pg_uuid_t *org)
{
	LS_QUERY(query, "SELECT FROM lead_system.organizations o WHERE o.id = $1", UUIDOID);
	LsArgs args = {0};
	LsScope scope;
	bool exists;

	ls_arg_uuid(&args, org);
	ls_scope_open_nonatomic(&scope, LS_AS_OWNER);
	exists = ls_query_run(&query, &args, LS_WRITE) > 0;
	SPI_freetuptable(SPI_tuptable);
	ls_scope_close(&scope);
	return exists;
}

/* Work in an organisation until the scope is closed. */
static void
bind_organization(const pg_uuid_t *org)
{
	LS_QUERY(query, "SELECT pg_catalog.set_config('app.current_org_id', $1, true)", TEXTOID);
	LsArgs args = {0};

	ls_arg_text(&args, ls_uuid_text(org));
	ls_query_run(&query, &args, LS_WRITE);
}

/*
 * One batch; returns how many rows.  org is NULL for all organisations; "bind"
 * says that it is not the session's.
 */
static int64
job_batch(LsJobRun *run, const pg_uuid_t *org, bool bind, bool first, bool *more)
{
	const LsJob *job = run->job;
	int64 rows = 0;
	LsScope scope;
	LsArgs args = {0};

	*more = false;
	CHECK_FOR_INTERRUPTS();
	if (bind && !organization_exists(org))
		return 0;
	ls_scope_open_nonatomic(&scope, LS_AS_CALLER);
	if (bind)
		bind_organization(org);
	if (job->run != NULL)
		rows = job->run(org, job->batch, first, more);
	else
	{
		if (job->batch > 0)
			ls_arg_int32(&args, job->batch);
		if (job->scope != LS_JOB_SWEEP)
			ls_arg_uuid(&args, org);
		if (ls_query_run(job->query, &args, LS_WRITE) > 0 && !ls_result_isnull(0, 1))
			rows = ls_result_int64(0, 1);
		SPI_freetuptable(SPI_tuptable);
		*more = (job->batch > 0 && rows >= job->batch);
	}
	ls_scope_close(&scope);
	return rows;
}

/* Remember an error, and tell whoever reads the server's log. */
static void
job_error(LsJobRun *run, const pg_uuid_t *org, int sqlstate, const char *message)
{
	char *text = org == NULL || !run->target->is_all
					 ? pstrdup(message)
					 : psprintf("organization %s: %s", ls_uuid_text(org), message);

	run->n_failed++;
	if (run->error == NULL)
	{
		run->error = text;
		run->sqlstate = sqlstate;
	}
	ereport(WARNING,
		(errcode(sqlstate), errmsg("maintenance job \"%s\" failed: %s", run->job->name, text)));
}

/* A user has cancelled the statement: say so in maintenance_runs, and end. */
pg_noreturn static void
job_cancelled(LsJobRun *run, ErrorData *edata)
{
	ls_run_end(run, "cancelled");
	ls_maintenance_commit();
	ReThrowError(edata);
}

/* What was caught is remembered; unless a user has cancelled the statement. */
static void
job_caught(LsJobRun *run, const pg_uuid_t *org, ErrorData *edata)
{
	if (edata->sqlerrcode == ERRCODE_QUERY_CANCELED)
		job_cancelled(run, edata);
	job_error(run, org, edata->sqlerrcode, edata->message);
	FreeErrorData(edata);
}

/* One batch in a subtransaction; false when it failed. */
static bool
job_try_batch(LsJobRun *run, const pg_uuid_t *org, bool bind, bool first, int64 *rows, bool *more)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	MemoryContext context =
		AllocSetContextCreate(caller, "lead_system batch of maintenance", ALLOCSET_DEFAULT_SIZES);
	ErrorData *volatile edata = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		*rows = job_batch(run, org, bind, first, more);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		edata = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	MemoryContextDelete(context);
	if (edata == NULL)
		return true;
	job_caught(run, org, edata);
	return false;
}

/*
 * Commit a batch; false when that failed, as deferred constraints can make it.
 * The server has then aborted the transaction and begun the next one.
 */
static bool
job_commit(LsJobRun *run, const pg_uuid_t *org)
{
	MemoryContext caller = CurrentMemoryContext;
	ErrorData *volatile edata = NULL;

	ls_maintenance_keep_lock(true);
	PG_TRY();
	{
		ls_maintenance_commit();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		edata = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	ls_maintenance_keep_lock(false);
	ls_maintenance_read_committed();
	if (edata == NULL)
		return true;
	job_caught(run, org, edata);
	return false;
}

/* All batches for an organisation, or with NULL one statement for all of them. */
static JobEnd
job_batches(LsJobRun *run, const pg_uuid_t *org, bool bind)
{
	bool first = true;
	bool more = true;

	while (more)
	{
		int64 rows = 0;

		if (!first && GetCurrentTimestamp() >= run->deadline)
			return JOB_TIME_OVER;
		if (!job_try_batch(run, org, bind, first, &rows, &more))
			return JOB_FAILED;
		if (run->job->scope == LS_JOB_VERIFY && rows > 0)
			job_error(run, org, ERRCODE_DATA_CORRUPTED,
				psprintf("verification found something wrong (" INT64_FORMAT ")", rows));
		ls_run_progress(run, rows, more || !bind ? NULL : org);
		if (!job_commit(run, org))
			return JOB_FAILED;
		first = false;
	}
	return JOB_DONE;
}

/* The organisations after the one with which the last run stopped. */
static pg_uuid_t *
organizations_to_do(const LsJobRun *run, int *n)
{
	LS_QUERY(query,
		"SELECT o.id FROM lead_system.organizations o WHERE $1 IS NULL OR o.id > $1 ORDER BY o.id",
		UUIDOID);
	pg_uuid_t position;
	bool resumed = ls_run_position(run, &position);
	pg_uuid_t *orgs;
	LsScope scope;
	LsArgs args = {0};
	int i;

	ls_arg_uuid(&args, resumed ? &position : NULL);
	ls_scope_open_nonatomic(&scope, LS_AS_OWNER);
	*n = (int) ls_query_run(&query, &args, LS_WRITE);
	orgs = palloc(sizeof(pg_uuid_t) * (*n + 1));
	for (i = 0; i < *n; i++)
		orgs[i] = ls_result_uuid(i, 1);
	SPI_freetuptable(SPI_tuptable);
	ls_scope_close(&scope);
	return orgs;
}

/* One organisation after the other; those that fail do not keep the next from it. */
static JobEnd
job_organizations(LsJobRun *run)
{
	int n;
	pg_uuid_t *orgs = organizations_to_do(run, &n);
	int i;

	for (i = 0; i < n; i++)
	{
		JobEnd end;

		if (i > 0 && GetCurrentTimestamp() >= run->deadline)
			return JOB_TIME_OVER;
		end = job_batches(run, &orgs[i], true);
		if (end == JOB_TIME_OVER)
			return end;
		if (end == JOB_FAILED)
		{
			ls_run_progress(run, 0, &orgs[i]);
			ls_maintenance_commit();
		}
	}
	pfree(orgs);
	return JOB_DONE;
}

/* Run a job, and commit. */
void
ls_job_run(LsJobRun *run)
{
	JobEnd end;

	run->deadline =
		TimestampTzPlusMilliseconds(GetCurrentTimestamp(), ls_maintenance_job_seconds * 1000L);
	ls_run_begin(run);
	ls_maintenance_commit();
	if (!run->target->is_all)
		end = job_batches(run, &run->target->org, false);
	else if (run->job->scope != LS_JOB_SWEEP)
		end = job_organizations(run);
	else
	{
		end = job_batches(run, NULL, false);
		if (end == JOB_FAILED)
		{
			/* Whoever it was is named by the attempts one by one. */
			run->error = NULL;
			run->n_failed = 0;
			end = job_organizations(run);
		}
	}
	if (end == JOB_TIME_OVER)
		ls_run_end(run, "continues");
	else
		ls_run_end(run, run->n_failed > 0 ? "failed" : "done");
	ls_maintenance_commit();
}
