/*-------------------------------------------------------------------------
 *
 * recalculate.c
 *	  recalculate_lead_scores(): brings stored scores up to date.
 *
 *	  Time lowers scores without anything being written (decay), and a change
 *	  of rules concerns every lead.  Leads are read in the order in which they
 *	  came in, scored in memory, and only those whose score differs are written;
 *	  the row trigger stores the new score and the statement trigger its history.
 *
 *	  Each batch locks the organisation's row of scoring_runs, starts where the
 *	  last one ended, and is committed with the new position in that row.  Hence
 *	  the progress can be watched, a run that was cut off resumes, and sessions
 *	  that run it at once take turns instead of doing the work twice.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "scoring/model.h"
#include "scoring/scoring.h"

#define MAX_BATCH 100000

/* Where an organisation's run stands. */
typedef struct RunPosition
{
	TimestampTz created_at;
	pg_uuid_t id;
	bool finished;
} RunPosition;

/* The organisations to work for: the session's, or all of them. */
static pg_uuid_t *
organizations_to_score(int *n)
{
	LS_QUERY0(query, "SELECT id FROM lead_system.organizations ORDER BY id");
	pg_uuid_t *orgs = palloc(sizeof(pg_uuid_t));
	LsScope scope;
	uint64 row;

	*n = 1;
	if (ls_current_org(orgs))
		return orgs;
	if (!ls_caller_bypasses_rls())
		ls_require_org(orgs);
	ls_scope_open_nonatomic(&scope, LS_AS_OWNER);
	*n = (int) ls_query_run(&query, NULL, LS_WRITE);
	orgs = palloc(sizeof(pg_uuid_t) * (*n + 1));
	for (row = 0; row < *n; row++)
		orgs[row] = ls_result_uuid(row, 1);
	ls_scope_close(&scope);
	return orgs;
}

/*
 * Start a run, or join one that is under way or was cut off less than a day
 * ago.  Older ones start over, since decay has gone on.
 */
static void
run_start(const pg_uuid_t *org)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.scoring_runs AS r (organization_id, started_at) VALUES ($1, $2)"
		" ON CONFLICT (organization_id) DO UPDATE"
		"   SET started_at = excluded.started_at, finished_at = NULL, leads_seen = 0, leads_changed = 0,"
		"       cursor_created_at = '-infinity', cursor_id = '00000000-0000-0000-0000-000000000000'"
		" WHERE r.finished_at IS NOT NULL OR r.started_at < $2 - interval '1 day'",
		UUIDOID, TIMESTAMPTZOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, org);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_query_run(&query, &args, LS_WRITE);
}

/* Lock the run and read where it stands.  A run that is gone is started anew. */
static RunPosition
run_lock(const pg_uuid_t *org)
{
	LS_QUERY(query,
		"SELECT cursor_created_at, cursor_id, finished_at IS NOT NULL FROM lead_system.scoring_runs"
		" WHERE organization_id = $1 FOR UPDATE",
		UUIDOID);
	RunPosition position;
	LsArgs args = {0};

	ls_arg_uuid(&args, org);
	while (ls_query_run(&query, &args, LS_WRITE) == 0)
		run_start(org);
	position.created_at = ls_result_timestamptz(0, 1);
	position.id = ls_result_uuid(0, 2);
	position.finished = ls_result_bool(0, 3);
	return position;
}

/* Does the stored score of a lead differ from what it should be? */
static bool
score_differs(const LsLeadRow *row, const LsOrganization *organization)
{
	ScoreSubject subject = {0};
	ScoreResult result;
	bool isnull;
	Datum breakdown;

	subject.row = row;
	subject.organization = organization;
	subject.at = ls_clock_now();
	ls_score_evaluate(ls_score_model_for(&subject), &subject, &result, NULL, NULL);
	if (result.raw != ls_lead_int(row, LEAD_raw_score) ||
		result.score != ls_lead_int(row, LEAD_lead_score) ||
		strcmp(result.temperature, ls_lead_text(row, LEAD_temperature)) != 0)
		return true;
	breakdown = ls_lead_get(row, LEAD_score_breakdown, &isnull);
	return isnull || compareJsonbContainers(
						 &DatumGetJsonbP(breakdown)->root, &ls_score_breakdown(&result)->root) != 0;
}

/* Score the leads of the last result; returns how many differ, with their ids. */
static int
differing_leads(
	Relation leads, const LsOrganization *organization, pg_uuid_t *ids, RunPosition *position)
{
	MemoryContext row_context = AllocSetContextCreate(
		CurrentMemoryContext, "lead_system lead being scored", ALLOCSET_DEFAULT_SIZES);
	SPITupleTable *result = SPI_tuptable;
	uint64 rows = SPI_processed;
	int differing = 0;
	uint64 i;

	for (i = 0; i < rows; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(row_context);
		bool isnull;
		HeapTupleHeader header =
			DatumGetHeapTupleHeader(SPI_getbinval(result->vals[i], result->tupdesc, 1, &isnull));
		HeapTupleData tuple = {0};
		LsLeadRow row;

		tuple.t_len = HeapTupleHeaderGetDatumLength(header);
		tuple.t_data = header;
		row.map = ls_lead_map(leads);
		row.desc = RelationGetDescr(leads);
		row.values = palloc(sizeof(Datum) * row.desc->natts);
		row.nulls = palloc(sizeof(bool) * row.desc->natts);
		heap_deform_tuple(&tuple, row.desc, row.values, row.nulls);
		if (score_differs(&row, organization))
			ids[differing++] = *DatumGetUUIDP(ls_lead_get(&row, LEAD_id, &isnull));
		position->created_at = DatumGetTimestampTz(ls_lead_get(&row, LEAD_created_at, &isnull));
		position->id = *DatumGetUUIDP(ls_lead_get(&row, LEAD_id, &isnull));
		MemoryContextSwitchTo(old);
		MemoryContextReset(row_context);
	}
	MemoryContextDelete(row_context);
	SPI_freetuptable(result);
	return differing;
}

/* Have the leads scored by their trigger. */
static void
rescore(const pg_uuid_t *org, const pg_uuid_t *ids, int n)
{
	LS_QUERY(query,
		"UPDATE lead_system.leads SET scored_at = NULL WHERE organization_id = $1 AND id = ANY ($2)",
		UUIDOID, UUIDARRAYOID);
	LsArgs args = {0};

	if (n == 0)
		return;
	ls_arg_uuid(&args, org);
	ls_arg_datum(&args, ls_uuid_array(ids, n), false);
	ls_query_run(&query, &args, LS_WRITE);
}

/* Write down where the run stands. */
static void
run_advance(const pg_uuid_t *org, const RunPosition *position, int seen, int changed)
{
	LS_QUERY(query,
		"UPDATE lead_system.scoring_runs"
		"   SET cursor_created_at = $2, cursor_id = $3, leads_seen = leads_seen + $4,"
		"       leads_changed = leads_changed + $5, finished_at = CASE WHEN $6 THEN $7 END"
		" WHERE organization_id = $1",
		UUIDOID, TIMESTAMPTZOID, UUIDOID, INT4OID, INT4OID, BOOLOID, TIMESTAMPTZOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, org);
	ls_arg_timestamptz(&args, position->created_at);
	ls_arg_uuid(&args, &position->id);
	ls_arg_int32(&args, seen);
	ls_arg_int32(&args, changed);
	ls_arg_bool(&args, position->finished);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_query_run(&query, &args, LS_WRITE);
}

/* Do one batch; false when the run has come to its end.  Adds to *changed. */
static bool
run_batch(const pg_uuid_t *org, int batch, int64 *total_changed)
{
	LS_QUERY(query,
		"SELECT l FROM lead_system.leads l"
		" WHERE l.organization_id = $1 AND l.created_at >= $2 AND (l.created_at, l.id) > ($2, $3)"
		"   AND l.deleted_at IS NULL"
		" ORDER BY l.created_at, l.id LIMIT $4",
		UUIDOID, TIMESTAMPTZOID, UUIDOID, INT8OID);
	const LsOrganization *organization = ls_organization(org);
	RunPosition position;
	Relation leads;
	LsScope scope;
	LsArgs args = {0};
	pg_uuid_t *ids;
	int seen;
	int changed;

	if (organization == NULL)
		return false;
	ls_scope_open_nonatomic(&scope, LS_AS_OWNER);
	position = run_lock(org);
	if (!position.finished)
	{
		leads = table_open(ls_relation_oid("leads", false), AccessShareLock);
		ls_arg_uuid(&args, org);
		ls_arg_timestamptz(&args, position.created_at);
		ls_arg_uuid(&args, &position.id);
		ls_arg_int64(&args, batch);
		seen = (int) ls_query_run(&query, &args, LS_WRITE);
		ids = palloc(sizeof(pg_uuid_t) * Max(seen, 1));
		PushActiveSnapshot(GetTransactionSnapshot());
		changed = differing_leads(leads, organization, ids, &position);
		PopActiveSnapshot();
		position.finished = (seen < batch);
		rescore(org, ids, changed);
		*total_changed += changed;
		run_advance(org, &position, seen, changed);
		table_close(leads, NoLock);
		pfree(ids);
	}
	ls_scope_close(&scope);
	return !position.finished;
}

/*
 * One batch for run_maintenance(), which commits; returns how many leads it
 * changed.  The first batch of a run goes on where one that was cut off stopped.
 */
int64
ls_scoring_recalculate_batch(const pg_uuid_t *org, int batch, bool first, bool *more)
{
	int64 changed = 0;
	LsScope scope;

	if (first)
	{
		ls_scope_open_nonatomic(&scope, LS_AS_OWNER);
		run_start(org);
		ls_scope_close(&scope);
	}
	*more = run_batch(org, batch, &changed);
	return changed;
}

PG_FUNCTION_INFO_V1(ls_scoring_recalculate);

/* recalculate_lead_scores(batch): see the top of the file. */
Datum
ls_scoring_recalculate(PG_FUNCTION_ARGS)
{
	bool atomic = !(fcinfo->context != NULL && IsA(fcinfo->context, CallContext) &&
					!castNode(CallContext, fcinfo->context)->atomic);
	int batch = PG_ARGISNULL(0) ? 10000 : PG_GETARG_INT32(0);
	MemoryContext caller = CurrentMemoryContext;
	pg_uuid_t *orgs;
	LsScope scope;
	int64 changed = 0;
	int n_orgs;
	int i;

	if (batch < 1 || batch > MAX_BATCH)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("batch must be between 1 and %d", MAX_BATCH)));
	if (SPI_connect_ext(atomic ? 0 : SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	orgs = organizations_to_score(&n_orgs);
	for (i = 0; i < n_orgs; i++)
	{
		bool more = true;

		ls_scope_open_nonatomic(&scope, LS_AS_OWNER);
		run_start(&orgs[i]);
		ls_scope_close(&scope);
		while (more)
		{
			CHECK_FOR_INTERRUPTS();
			more = run_batch(&orgs[i], batch, &changed);
			if (!atomic)
				SPI_commit();
		}
	}
	SPI_finish();
	MemoryContextSwitchTo(caller);
	PG_RETURN_VOID();
}
