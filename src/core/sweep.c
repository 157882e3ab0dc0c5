/*-------------------------------------------------------------------------
 *
 * sweep.c
 *	  What functions that a scheduler calls have in common.
 *
 *	  Each works in the session's organisation; a role above row level security
 *	  that has none set works in all that have something to do, one after the
 *	  other, since each has settings of its own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/sweep.h"
#include "core/tenant.h"

/*
 * The organisations in which a sweeper works: the session's, or for a role above
 * row level security that has none set all that the query finds, which may take
 * the time as its parameter.
 */
pg_uuid_t *
ls_sweep_organizations(LsQuery *query, int *n)
{
	pg_uuid_t *orgs = palloc(sizeof(pg_uuid_t));
	LsArgs args = {0};
	LsScope scope;
	int i;

	*n = 1;
	if (ls_current_org(&orgs[0]))
		return orgs;
	if (!ls_caller_bypasses_rls())
		ls_require_org(&orgs[0]);
	if (query->nargs > 0)
		ls_arg_timestamptz(&args, ls_clock_now());
	ls_scope_open(&scope, LS_AS_OWNER);
	*n = (int) ls_query_run(query, &args, LS_WRITE);
	orgs = SPI_palloc(sizeof(pg_uuid_t) * (*n + 1));
	for (i = 0; i < *n; i++)
		orgs[i] = ls_result_uuid(i, 1);
	ls_scope_close(&scope);
	return orgs;
}

/* Sweep up to "batch" rows; returns how many were done. */
int64
ls_sweep(LsQuery *organizations, LsSweep sweep, int64 batch, int max_batch)
{
	pg_uuid_t *orgs;
	int64 done = 0;
	int n;
	int i;

	if (batch < 1 || batch > max_batch)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("batch must be between 1 and %d", max_batch)));
	orgs = ls_sweep_organizations(organizations, &n);
	for (i = 0; i < n && done < batch; i++)
		done += sweep(&orgs[i], (int) (batch - done));
	return done;
}
