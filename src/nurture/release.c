/*-------------------------------------------------------------------------
 *
 * release.c
 *	  Steps whose worker did not report in time.
 *
 *	  Nobody knows whether the message was sent.  To send it again could send it
 *	  twice, so the step is uncertain, until somebody decides: confirm_step() or
 *	  retry_step().  Where twice does no harm, as with tasks, nurture.retry_lapsed
 *	  names the channel: the step is put back, which counts as a failure.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/input.h"
#include "core/query.h"
#include "core/sweep.h"
#include "core/tenant.h"
#include "nurture/claim.h"

#define MAX_RELEASE 10000

/* Lock enrolments whose claim has lapsed, without waiting. */
static Datum
lock_lapsed(const pg_uuid_t *org, int batch, uint64 *n)
{
	LS_QUERY(query,
		"SELECT e.id FROM lead_system.lead_sequence_enrollments e"
		" WHERE e.organization_id = $1 AND e.step_state = 'claimed' AND e.lease_until <= $2"
		" ORDER BY e.lease_until LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED",
		UUIDOID, TIMESTAMPTZOID, INT8OID);
	LsArgs args = {0};
	pg_uuid_t *ids;
	uint64 row;

	ls_arg_uuid(&args, org);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_arg_int64(&args, batch);
	*n = ls_query_run(&query, &args, LS_WRITE);
	ids = palloc(sizeof(pg_uuid_t) * (*n + 1));
	for (row = 0; row < *n; row++)
		ids[row] = ls_result_uuid(row, 1);
	return ls_uuid_array(ids, (int) *n);
}

/* The same rows after their lapse; the fate of each is named once. */
#define LAPSED_ROWS \
	"SELECT e.id, CASE WHEN e.status NOT IN ('active', 'paused')" \
	"   OR NOT $3 @> to_jsonb(e.claimed_channel) THEN 'uncertain'" \
	"  WHEN e.retry_count >= $4 THEN 'failed' ELSE 'scheduled' END AS fate" \
	" FROM lead_system.lead_sequence_enrollments e WHERE e.organization_id = $1 AND e.id = ANY ($2)"

/*
 * Release up to "batch" steps of an organisation; returns how many.  The caller
 * has a scope open as the owner of the tables.
 */
int64
ls_nurture_release_lapsed(const pg_uuid_t *org, int batch)
{
	LS_QUERY_ARRAY(query,
		"UPDATE lead_system.lead_sequence_enrollments e SET"
		"  step_state = CASE u.fate WHEN 'failed' THEN 'scheduled' ELSE u.fate END,"
		"  lease_until = NULL,"
		"  status = CASE u.fate WHEN 'failed' THEN 'failed' ELSE e.status END,"
		"  next_step_scheduled_at = CASE WHEN e.status <> 'active' OR u.fate = 'failed' THEN NULL"
		"   WHEN u.fate = 'scheduled' THEN $5 ELSE e.next_step_scheduled_at END,"
		"  ended_at = CASE u.fate WHEN 'failed' THEN $5 ELSE e.ended_at END,"
		"  last_error = CASE u.fate WHEN 'failed' THEN 'the worker did not report'"
		"   ELSE e.last_error END,"
		"  retry_count = e.retry_count + CASE u.fate WHEN 'uncertain' THEN 0 ELSE 1 END,"
		"  executed_steps = e.executed_steps || jsonb_build_object('step', e.current_step,"
		"   'executed_at', to_char($5 AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"+00:00\"'),"
		"   'status', 'lapsed', 'channel', e.claimed_channel)"
		"  FROM (" LAPSED_ROWS ") u WHERE e.organization_id = $1 AND e.id = u.id",
		UUIDOID, UUIDARRAYOID, JSONBOID, INT4OID, TIMESTAMPTZOID);
	LsArgs args = {0};
	uint64 n;
	Datum ids = lock_lapsed(org, batch, &n);

	if (n == 0)
		return 0;
	ls_arg_uuid(&args, org);
	ls_arg_datum(&args, ids, false);
	ls_arg_datum(&args, JsonbPGetDatum(ls_config_get(org, "nurture.retry_lapsed")), false);
	ls_arg_int32(&args, ls_config_int(org, "nurture.max_retries"));
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_query_run(&query, &args, LS_WRITE);
	return (int64) n;
}

PG_FUNCTION_INFO_V1(ls_nurture_release);

/* release_lapsed_steps(batch) */
Datum
ls_nurture_release(PG_FUNCTION_ARGS)
{
	LS_QUERY(organizations,
		"SELECT DISTINCT e.organization_id FROM lead_system.lead_sequence_enrollments e"
		" WHERE e.step_state = 'claimed' AND e.lease_until <= $1 ORDER BY 1",
		TIMESTAMPTZOID);
	pg_uuid_t *orgs;
	LsScope scope;
	int64 done = 0;
	int64 batch;
	int n;
	int i;

	LS_REQUIRE_ARG(0, "batch");
	batch = PG_GETARG_INT32(0);
	if (batch < 1 || batch > MAX_RELEASE)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("batch must be between 1 and %d", MAX_RELEASE)));
	orgs = ls_sweep_organizations(&organizations, &n);
	ls_scope_open(&scope, LS_AS_OWNER);
	for (i = 0; i < n && done < batch; i++)
		done += ls_nurture_release_lapsed(&orgs[i], (int) (batch - done));
	ls_scope_close(&scope);
	PG_RETURN_INT64(done);
}
