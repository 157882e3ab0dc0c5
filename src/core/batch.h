/*-------------------------------------------------------------------------
 *
 * batch.h
 *	  Set-wise writing of many rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CORE_BATCH_H
#define LS_CORE_BATCH_H

#include "catalog/pg_type.h"
#include "core/query.h"

/* Rows that a batch collects before it writes them. */
#define LS_BATCH_ROWS 4096
#define LS_BATCH_MAX_COLUMNS 16

/*
 * Rows on their way into a table.  The query takes one array per column, and
 * after them the fixed arguments.
 */
typedef struct LsBatch
{
	LsQuery *query;
	int n_columns;
	const Oid *types; /* element types of the arrays */
	int16 typlen[LS_BATCH_MAX_COLUMNS];
	bool typbyval[LS_BATCH_MAX_COLUMNS];
	char typalign[LS_BATCH_MAX_COLUMNS];
	LsArgs fixed;
	int n;
	int capacity;
	Datum *values[LS_BATCH_MAX_COLUMNS];
	bool *nulls[LS_BATCH_MAX_COLUMNS];
	MemoryContext context; /* of the collected values */
} LsBatch;

extern LsBatch *ls_batch_create(
	LsQuery *query, int n_columns, const Oid *types, const LsArgs *fixed);
extern void ls_batch_add(LsBatch *batch, const Datum *values, const bool *nulls);
extern void ls_batch_flush(LsBatch *batch);

#endif /* LS_CORE_BATCH_H */
