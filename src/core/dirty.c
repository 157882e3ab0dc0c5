/*-------------------------------------------------------------------------
 *
 * dirty.c
 *	  Looking at rows that other transactions are about to write.
 *
 *	  Rules that no unique index can state need what the server does for
 *	  exclusion constraints: the index is scanned with a dirty snapshot, which
 *	  shows rows of transactions in progress, and such a transaction is waited
 *	  for.  Whoever writes first and looks then cannot miss the other.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/stratnum.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "storage/lmgr.h"
#include "storage/procarray.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "lead_system.h"
#include "core/dirty.h"
#include "core/extension.h"
#include "core/index.h"
#include "core/query.h"
#include "core/trigger.h"

/* What one scan of the index found. */
typedef enum ScanResult
{
	SCAN_NOTHING,
	SCAN_ROW,
	SCAN_IN_PROGRESS
} ScanResult;

/*
 * Scan once.  SCAN_IN_PROGRESS: another transaction, told in *dirty, is about
 * to write or remove such a row; its place is returned in *tid.
 */
static ScanResult
scan_once(Relation rel, Relation index, ScanKey keys, int n_keys, LsDirtyIgnore ignore,
	const void *arg, SnapshotData *dirty, ItemPointer tid)
{
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	IndexScanDesc scan = ls_index_beginscan(rel, index, dirty, n_keys);
	ScanResult result = SCAN_NOTHING;

	index_rescan(scan, keys, n_keys, NULL, 0);
	while (result == SCAN_NOTHING && index_getnext_slot(scan, ForwardScanDirection, slot))
	{
		if (ignore != NULL && ignore(slot, arg))
			continue;
		*tid = slot->tts_tid;
		result = (TransactionIdIsValid(dirty->xmin) || TransactionIdIsValid(dirty->xmax))
					 ? SCAN_IN_PROGRESS
					 : SCAN_ROW;
	}
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	return result;
}

/*
 * Is there a row, after all transactions have ended that are about to write or
 * remove one?  Rows of the own transaction count.
 */
bool
ls_dirty_exists(
	Relation rel, Relation index, ScanKey keys, int n_keys, LsDirtyIgnore ignore, const void *arg)
{
	for (;;)
	{
		SnapshotData dirty;
		ItemPointerData tid;
		ScanResult result;

		InitDirtySnapshot(dirty);
		result = scan_once(rel, index, keys, n_keys, ignore, arg, &dirty, &tid);
		if (result != SCAN_IN_PROGRESS)
			return result == SCAN_ROW;
		if (TransactionIdIsValid(dirty.xmin) && dirty.speculativeToken != 0)
			SpeculativeInsertionWait(dirty.xmin, dirty.speculativeToken);
		else
			XactLockTableWait(TransactionIdIsValid(dirty.xmin) ? dirty.xmin : dirty.xmax, rel, &tid,
				XLTW_InsertIndex);
	}
}

/* The index by the columns; InvalidOid when there is none that will do. */
static Oid
awaited_index(LsAwaited *awaited, Relation rel)
{
	if (!ls_cache_valid(&awaited->cache))
	{
		AttrNumber attnums[LS_AWAITED_MAX_COLUMNS];
		int i;

		for (i = 0; i < awaited->n_columns; i++)
			attnums[i] = ls_trigger_attnum(rel, awaited->columns[i]);
		(void) ls_cache_renew(&awaited->cache);
		awaited->index_id = ls_index_on(rel, attnums, awaited->n_columns, InvalidAttrNumber);
	}
	return awaited->index_id;
}

/* For ls_dirty_exists(): wait for others only, and remember that there was something. */
static bool
is_settled(TupleTableSlot *slot, const void *found)
{
	bool isnull;
	TransactionId xmin =
		DatumGetTransactionId(slot_getsysattr(slot, MinTransactionIdAttributeNumber, &isnull));

	if (!TransactionIdIsCurrentTransactionId(xmin) && TransactionIdIsInProgress(xmin))
		return false;
	*(bool *) found = true;
	return true;
}

/* Look for rows with some values in the index, until nobody is writing one. */
static bool
await_by_index(const LsAwaited *awaited, Relation rel, const Datum *values)
{
	Relation index = index_open(awaited->index_id, AccessShareLock);
	ScanKeyData keys[LS_AWAITED_MAX_COLUMNS];
	bool found = false;
	int i;

	for (i = 0; i < awaited->n_columns; i++)
	{
		Oid type = TupleDescAttr(RelationGetDescr(index), i)->atttypid;

		ScanKeyEntryInitialize(&keys[i], 0, i + 1, BTEqualStrategyNumber, InvalidOid,
			index->rd_indcollation[i], type == UUIDOID ? F_UUID_EQ : F_TEXTEQ, values[i]);
	}
	(void) ls_dirty_exists(rel, index, keys, awaited->n_columns, is_settled, &found);
	index_close(index, AccessShareLock);
	return found;
}

/*
 * Wait for other transactions that are adding rows with some values.  False when
 * there is none; where nobody can tell (a table that is distributed, or has lost
 * its index), true without waiting.
 */
bool
ls_dirty_await(LsAwaited *awaited, const Datum *values)
{
	Oid relid = ls_relation_oid(awaited->cache.relations[0], false);
	Relation rel = table_open(relid, AccessShareLock);
	bool found = true;

	if (!ls_relation_is_distributed(relid) && OidIsValid(awaited_index(awaited, rel)))
		found = await_by_index(awaited, rel, values);
	table_close(rel, AccessShareLock);
	return found;
}
