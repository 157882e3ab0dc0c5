/*-------------------------------------------------------------------------
 *
 * batch.c
 *	  Set-wise writing: rows are collected as arrays, one per column, and
 *	  written with one INSERT ... SELECT FROM unnest() per few thousand rows.
 *
 *	  This is what makes an audited UPDATE of many rows cost little more than
 *	  the bare one (docs/benchmarks.md).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/array.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "lead_system.h"
#include "core/batch.h"

/*
 * Start a batch in the current memory context.  "types" and "query" outlive
 * it; the fixed arguments are copied (not what they point to).
 */
LsBatch *
ls_batch_create(LsQuery *query, int n_columns, const Oid *types, const LsArgs *fixed)
{
	LsBatch *batch = palloc0(sizeof(LsBatch));
	int i;

	Assert(n_columns <= LS_BATCH_MAX_COLUMNS);
	batch->query = query;
	batch->n_columns = n_columns;
	batch->types = types;
	batch->capacity = 16;
	if (fixed != NULL)
		batch->fixed = *fixed;
	for (i = 0; i < n_columns; i++)
	{
		get_typlenbyvalalign(types[i], &batch->typlen[i], &batch->typbyval[i], &batch->typalign[i]);
		batch->values[i] = palloc(sizeof(Datum) * batch->capacity);
		batch->nulls[i] = palloc(sizeof(bool) * batch->capacity);
	}
	batch->context =
		AllocSetContextCreate(CurrentMemoryContext, "lead_system batch", ALLOCSET_DEFAULT_SIZES);
	return batch;
}

/* Make room for more rows; most batches stay small. */
static void
batch_grow(LsBatch *batch)
{
	int i;

	batch->capacity = Min(batch->capacity * 4, LS_BATCH_ROWS);
	for (i = 0; i < batch->n_columns; i++)
	{
		batch->values[i] = repalloc(batch->values[i], sizeof(Datum) * batch->capacity);
		batch->nulls[i] = repalloc(batch->nulls[i], sizeof(bool) * batch->capacity);
	}
}

/* Add a row; its values are copied.  Writes when the batch is full. */
void
ls_batch_add(LsBatch *batch, const Datum *values, const bool *nulls)
{
	MemoryContext old;
	int i;

	if (batch->n == batch->capacity)
		batch_grow(batch);
	old = MemoryContextSwitchTo(batch->context);
	for (i = 0; i < batch->n_columns; i++)
	{
		batch->nulls[i][batch->n] = nulls[i];
		if (!nulls[i])
			batch->values[i][batch->n] = datumCopy(values[i], batch->typbyval[i], batch->typlen[i]);
	}
	MemoryContextSwitchTo(old);
	if (++batch->n == LS_BATCH_ROWS)
		ls_batch_flush(batch);
}

/* Write what has been collected, as the owner of the tables. */
void
ls_batch_flush(LsBatch *batch)
{
	LsArgs args = {0};
	LsScope scope;
	MemoryContext old;
	int i;

	if (batch->n == 0)
		return;
	old = MemoryContextSwitchTo(batch->context);
	for (i = 0; i < batch->n_columns; i++)
	{
		int lower_bound = 1;
		ArrayType *array =
			construct_md_array(batch->values[i], batch->nulls[i], 1, &batch->n, &lower_bound,
				batch->types[i], batch->typlen[i], batch->typbyval[i], batch->typalign[i]);

		ls_arg_datum(&args, PointerGetDatum(array), false);
	}
	for (i = 0; i < batch->fixed.n; i++)
		ls_arg_datum(&args, batch->fixed.values[i], batch->fixed.nulls[i] == 'n');
	MemoryContextSwitchTo(old);

	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(batch->query, &args, LS_WRITE);
	ls_scope_close(&scope);
	batch->n = 0;
	MemoryContextReset(batch->context);
}
