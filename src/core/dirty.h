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

/* Is a row that was found not meant?  "arg" is the caller's. */
typedef bool (*LsDirtyIgnore)(TupleTableSlot *slot, const void *arg);

extern bool ls_dirty_exists(
	Relation rel, Relation index, ScanKey keys, int n_keys, LsDirtyIgnore ignore, const void *arg);

#endif /* LS_CORE_DIRTY_H */
