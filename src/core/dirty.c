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
#include "access/tableam.h"
#include "storage/lmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "lead_system.h"
#include "core/dirty.h"

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
