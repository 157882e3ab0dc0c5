/*-------------------------------------------------------------------------
 *
 * dirty.h
 *	  Looking at rows that other transactions are about to write.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CORE_DIRTY_H
#define LS_CORE_DIRTY_H

#include "access/skey.h"
#include "executor/tuptable.h"
#include "utils/relcache.h"

#include "core/cache.h"

/* Is a row that was found not meant?  "arg" is the caller's. */
typedef bool (*LsDirtyIgnore)(TupleTableSlot *slot, const void *arg);

#define LS_AWAITED_MAX_COLUMNS 4

/* Rows that may be waited for: by columns of type uuid or text that an index begins with. */
typedef struct LsAwaited
{
	LsCache cache; /* names the table; registered by whoever declares it */
	int n_columns;
	const char *columns[LS_AWAITED_MAX_COLUMNS];
	Oid index_id; /* remembered by the cache */
} LsAwaited;

extern bool ls_dirty_exists(
	Relation rel, Relation index, ScanKey keys, int n_keys, LsDirtyIgnore ignore, const void *arg);
extern bool ls_dirty_await(LsAwaited *awaited, const Datum *values);

#endif /* LS_CORE_DIRTY_H */
