/*-------------------------------------------------------------------------
 *
 * sweep.c
 *	  What the functions that a scheduler calls have in common.
 *
 *	  A sweeper waits for nobody: rows that another session holds are left for
 *	  the next run, so sweepers can run in any number of sessions at once.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/array.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "core/uuid.h"
#include "marketplace/internal.h"

/*
 * Read leads, which the query locks, into a batch: id, pipeline, status, and
 * the bid they were found by, if the query has a fourth column.
 */
void
ls_market_read_leads(LsMarketBatch *batch, LsQuery *query, const LsArgs *args)
{
	LsScope scope;
	uint64 n;
	uint64 row;

	ls_scope_open(&scope, LS_AS_OWNER);
	n = ls_query_run(query, args, LS_WRITE);
	batch->leads = SPI_palloc(sizeof(LsMarketLead) * (n + 1));
	for (row = 0; row < n; row++)
	{
		batch->leads[row].id = ls_result_uuid(row, 1);
		batch->leads[row].pipeline = ls_result_uuid(row, 2);
		batch->leads[row].status = ls_result_text(row, 3);
		if (SPI_tuptable->tupdesc->natts > 3)
			batch->leads[row].bid = ls_result_uuid(row, 4);
	}
	batch->n = (int) n;
	ls_scope_close(&scope);
}

/* Compare ids as the server does, for qsort. */
int
ls_market_compare_ids(const void *a, const void *b)
{
	return memcmp(((const pg_uuid_t *) a)->data, ((const pg_uuid_t *) b)->data, UUID_LEN);
}

/*
 * Lock those of the contractors that no other session holds, in the order of
 * their ids; returns them as an array.  Their metrics and strikes are then
 * written without waiting.
 */
Datum
ls_market_lock_contractors(const pg_uuid_t *org, const pg_uuid_t *ids, int n)
{
	LS_QUERY(query,
		"SELECT id FROM lead_system.users WHERE organization_id = $1 AND id = ANY ($2)"
		" ORDER BY id FOR NO KEY UPDATE SKIP LOCKED",
		UUIDOID, UUIDARRAYOID);
	LsScope scope;
	LsArgs args = {0};
	pg_uuid_t *locked;
	uint64 found;
	uint64 row;

	ls_arg_uuid(&args, org);
	ls_arg_datum(&args, ls_uuid_array(ids, n), false);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run(&query, &args, LS_WRITE);
	locked = SPI_palloc(sizeof(pg_uuid_t) * (found + 1));
	for (row = 0; row < found; row++)
		locked[row] = ls_result_uuid(row, 1);
	ls_scope_close(&scope);
	return ls_uuid_array(locked, (int) found);
}

/* Is an id in an array that is sorted? */
bool
ls_market_id_in(Datum uuid_array, const pg_uuid_t *id)
{
	ArrayType *array = DatumGetArrayTypeP(uuid_array);
	const pg_uuid_t *ids = (const pg_uuid_t *) ARR_DATA_PTR(array);
	int low = 0;
	int high = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)) - 1;

	while (low <= high)
	{
		int middle = (low + high) / 2;
		int order = memcmp(ids[middle].data, id->data, UUID_LEN);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle - 1;
	}
	return false;
}
