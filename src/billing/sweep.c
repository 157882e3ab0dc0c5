/*-------------------------------------------------------------------------
 *
 * sweep.c
 *	  release_expired_holds(): holds whose time is over, for a scheduler.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "billing/internal.h"
#include "core/clock.h"
#include "core/sweep.h"

#define MAX_BATCH 100000

/* Accounts that have holds whose time is over, and that nobody is using, locked. */
static pg_uuid_t *
lock_due_accounts(const pg_uuid_t *org, int limit, int *n)
{
	LS_QUERY(query,
		"SELECT a.id FROM lead_system.budget_accounts a"
		" WHERE a.organization_id = $1 AND EXISTS (SELECT FROM lead_system.budget_holds h"
		"        WHERE h.organization_id = $1 AND h.account_id = a.id AND h.status = 'held'"
		"          AND h.expires_at <= $2)"
		" ORDER BY a.id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED",
		UUIDOID, TIMESTAMPTZOID, INT8OID);
	LsArgs args = {0};
	pg_uuid_t *ids;
	int i;

	ls_arg_uuid(&args, org);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_arg_int64(&args, limit);
	*n = (int) ls_query_run(&query, &args, LS_WRITE);
	ids = palloc(sizeof(pg_uuid_t) * (*n + 1));
	for (i = 0; i < *n; i++)
		ids[i] = ls_result_uuid(i, 1);
	return ids;
}

/* Release up to "limit" holds of an organisation. */
static int64
sweep(const pg_uuid_t *org, int limit)
{
	LsLedger ledger;
	LsScope scope;
	pg_uuid_t *ids;
	int done = 0;
	int n;
	int i;

	ls_scope_open(&scope, LS_AS_OWNER);
	ids = lock_due_accounts(org, limit, &n);
	if (n > 0)
	{
		ls_ledger_lock(&ledger, org, ids, n);
		for (i = 0; i < ledger.n_accounts && done < limit; i++)
			done += ls_holds_release_expired(&ledger, &ledger.accounts[i], limit - done);
		ls_ledger_write(&ledger);
	}
	ls_scope_close(&scope);
	return done;
}

PG_FUNCTION_INFO_V1(ls_billing_release_expired);

/* release_expired_holds(batch) */
Datum
ls_billing_release_expired(PG_FUNCTION_ARGS)
{
	LS_QUERY(organizations,
		"SELECT DISTINCT organization_id FROM lead_system.budget_holds"
		" WHERE status = 'held' AND expires_at <= $1 ORDER BY organization_id",
		TIMESTAMPTZOID);

	PG_RETURN_INT64(
		ls_sweep(&organizations, sweep, PG_ARGISNULL(0) ? 1000 : PG_GETARG_INT32(0), MAX_BATCH));
}
