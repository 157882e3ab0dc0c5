/*-------------------------------------------------------------------------
 *
 * run.c
 *	  run_maintenance(): runs the jobs that are due.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "core/uuid.h"
#include "maintenance/internal.h"

/* Mark a job by its name. */
static void
want_job(bool *wanted, const char *name)
{
	int i;

	for (i = 0; i < ls_n_jobs; i++)
	{
		if (strcmp(ls_jobs[i].name, name) == 0)
		{
			wanted[i] = true;
			return;
		}
	}
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					   errmsg("unrecognized maintenance job \"%s\"", name),
					   errhint("SELECT * FROM %s.maintenance_jobs() lists them.", LS_SCHEMA)));
}

/* The jobs that the argument names. */
static bool *
wanted_jobs(ArrayType *names)
{
	bool *wanted = palloc0(sizeof(bool) * ls_n_jobs);
	Datum *elements;
	bool *nulls;
	int n;
	int i;

	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	for (i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							   errmsg("names of jobs must not be null")));
		want_job(wanted, TextDatumGetCString(elements[i]));
	}
	return wanted;
}

/* Without the right to commit, one job's error would take the others along. */
static void
require_commit(FunctionCallInfo fcinfo)
{
	if (fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) ||
		castNode(CallContext, fcinfo->context)->atomic)
		ereport(ERROR, (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
						   errmsg("run_maintenance() cannot run inside a transaction block"),
						   errdetail("It commits after each batch of a job."),
						   errhint("CALL %s.run_maintenance() by itself.", LS_SCHEMA)));
}

/*
 * Whatever is the session's default: jobs pass over what others hold, and go on
 * top of what they have committed, which needs a snapshot for each statement.
 * Only before the first statement of a transaction.
 */
void
ls_maintenance_read_committed(void)
{
	XactIsoLevel = XACT_READ_COMMITTED;
}

/* Commit, and begin the next transaction of the runner. */
void
ls_maintenance_commit(void)
{
	SPI_commit();
	ls_maintenance_read_committed();
}

PG_FUNCTION_INFO_V1(ls_maintenance_run);

/* run_maintenance(jobs) */
Datum
ls_maintenance_run(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	bool *wanted = NULL;
	LsJobTarget target;
	int i;

	require_commit(fcinfo);
	PreventCommandDuringRecovery("run_maintenance()");
	PreventCommandIfReadOnly("run_maintenance()");
	ls_maintenance_target(&target);
	if (!PG_ARGISNULL(0))
		wanted = wanted_jobs(PG_GETARG_ARRAYTYPE_P(0));
	if (!ls_maintenance_lock(&target))
	{
		ereport(NOTICE,
			(errmsg("maintenance is already running"),
				errhint("SELECT * FROM %s.maintenance_status() shows how far it is.", LS_SCHEMA)));
		PG_RETURN_VOID();
	}
	if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	ls_runs_close_interrupted(&target);
	ls_maintenance_commit();
	for (i = 0; i < ls_n_jobs; i++)
	{
		LsJobRun run = {0};

		CHECK_FOR_INTERRUPTS();
		if (wanted != NULL ? !wanted[i] : !ls_runs_due(&ls_jobs[i], &target))
			continue;
		run.job = &ls_jobs[i];
		run.target = &target;
		ls_job_run(&run);
	}
	SPI_finish();
	ls_maintenance_unlock();
	MemoryContextSwitchTo(caller);
	PG_RETURN_VOID();
}
