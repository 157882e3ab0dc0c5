/*-------------------------------------------------------------------------
 *
 * filter_build.c
 *	  Building the do-not-call filters.
 *
 *	  A filter is built by a background worker, which the first look-up that
 *	  misses it starts, or by rebuild_dnc_filter().  The builder locks the table
 *	  against other builders, and against commands that alter it or its trigger,
 *	  but not against writers (SHARE UPDATE EXCLUSIVE, as VACUUM does).
 *
 *	  The table is scanned twice, once to count and once to set bits, so that a
 *	  filter is as big as it should be whatever statistics say.  Both scans take
 *	  each row that is not dead to everybody; why that is enough is argued in
 *	  filter.c.
 *
 *	  Whatever ends a builder gives the filter back: an error or a signal through
 *	  PG_ENSURE_ERROR_CLEANUP; a kill -9 makes the server start with new memory.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "executor/tuptable.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "storage/lmgr.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "compliance/filter_shared.h"
#include "core/query.h"
#include "core/trigger.h"

/* How long after an attempt the next one may be made, in milliseconds. */
#define AGAIN_SOON 1000
#define AGAIN_LATER 60000

/* Growth that a new filter has room for without being built again. */
#define WITH_ROOM(keys) ((keys) + (keys) / 4 + 1024)

/* What a builder has taken; given back if he fails. */
typedef struct LsFilterBuild
{
	LsFilterList list;
	Relation rel;
	LsFilterTrigger trigger;
	uint64 epoch; /* 0: nothing has been taken */
	LsFilterBlock *blocks;
	uint32 n_blocks;
} LsFilterBuild;

extern PGDLLEXPORT void ls_filter_worker(Datum arg);

/* Are there hopes that building would help, and was the last attempt long enough ago? */
static bool
should_build(LsFilterList list, TimestampTz now)
{
	LsFilterSlot *slot;
	bool should;

	LWLockAcquire(ls_filter_shared->lock, LW_EXCLUSIVE);
	slot = ls_filter_slot(list, true);
	should = slot != NULL && slot->ask_again_at <= now && slot->state != LS_FILTER_CLEARING &&
			 slot->state != LS_FILTER_BUILDING;
	if (should)
		slot->ask_again_at = TimestampTzPlusMilliseconds(
			now, slot->state == LS_FILTER_TOO_SMALL || slot->state == LS_FILTER_UNFIT ? AGAIN_LATER
																					  : AGAIN_SOON);
	LWLockRelease(ls_filter_shared->lock);
	return should;
}

/*
 * Somebody misses a filter, or wants it built anew: start a worker, unless that
 * has been done a moment ago.
 */
void
ls_filter_request(LsFilterList list)
{
	static TimestampTz not_before[LS_FILTER_LISTS];
	BackgroundWorker worker = {0};
	TimestampTz now;

	if (MyBgworkerEntry != NULL || RecoveryInProgress())
		return;
	now = GetCurrentTimestamp();
	if (now < not_before[list])
		return;
	not_before[list] = TimestampTzPlusMilliseconds(now, AGAIN_SOON);
	if (!should_build(list, now))
		return;
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	worker.bgw_main_arg = Int64GetDatum(((int64) MyDatabaseId << 8) | list);
	strlcpy(worker.bgw_library_name, "lead_system", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "ls_filter_worker", BGW_MAXLEN);
	strlcpy(worker.bgw_name, "lead_system do-not-call filter", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "lead_system do-not-call filter", BGW_MAXLEN);
	(void) RegisterDynamicBackgroundWorker(&worker, NULL);
}

/* Give back what a builder has taken. */
static void
give_back(int code, Datum arg)
{
	LsFilterBuild *build = (LsFilterBuild *) DatumGetPointer(arg);
	LsFilterSlot *slot;

	if (build->epoch == 0)
		return;
	LWLockAcquire(ls_filter_shared->lock, LW_EXCLUSIVE);
	slot = ls_filter_slot(build->list, false);
	if (slot != NULL && slot->epoch == build->epoch)
		ls_filter_move(slot, LS_FILTER_EMPTY, "the builder failed");
	LWLockRelease(ls_filter_shared->lock);
	build->epoch = 0;
}

/* Say that a table has no filter, and why. */
static void
refuse(LsFilterBuild *build, LsFilterState state, const char *reason)
{
	LsFilterSlot *slot;

	LWLockAcquire(ls_filter_shared->lock, LW_EXCLUSIVE);
	slot = ls_filter_slot(build->list, true);
	if (slot != NULL)
	{
		slot->relid = RelationGetRelid(build->rel);
		ls_filter_move(slot, state, reason);
	}
	LWLockRelease(ls_filter_shared->lock);
	build->epoch = 0;
}

/*
 * Take memory for a number of keys out of everybody's sight.  False when there
 * is not enough.
 */
static bool
take_memory(LsFilterBuild *build, uint64 keys)
{
	LsFilterSlot *slot;
	bool enough = false;

	LWLockAcquire(ls_filter_shared->lock, LW_EXCLUSIVE);
	slot = ls_filter_slot(build->list, true);
	if (slot != NULL)
	{
		enough = ls_filter_allocate(
			slot, WITH_ROOM(keys) / LS_FILTER_KEYS_NEW + 1, keys / LS_FILTER_KEYS_FULL + 1);
		ls_filter_move(slot, LS_FILTER_CLEARING, "");
		slot->epoch = build->epoch = pg_atomic_read_u64(&ls_filter_shared->generation);
		slot->relid = RelationGetRelid(build->rel);
		slot->trigger = build->trigger;
		pg_atomic_write_u64(&slot->keys, 0);
		pg_atomic_write_u64(&slot->removed, 0);
		build->blocks = ls_filter_blocks(slot);
		build->n_blocks = slot->n_blocks;
	}
	LWLockRelease(ls_filter_shared->lock);
	if (enough)
		memset(build->blocks, 0, sizeof(LsFilterBlock) * build->n_blocks);
	return enough;
}

/*
 * Change the state of the filter that is being built.  False when it has been
 * taken out of use in the meantime.
 */
static bool
publish(LsFilterBuild *build, LsFilterState from, LsFilterState to)
{
	LsFilterSlot *slot;
	bool mine;

	LWLockAcquire(ls_filter_shared->lock, LW_EXCLUSIVE);
	slot = ls_filter_slot(build->list, false);
	mine = slot != NULL && slot->epoch == build->epoch && slot->state == from;
	if (mine)
	{
		slot->built_at = GetCurrentTimestamp();
		ls_filter_move(slot, to, "");
	}
	LWLockRelease(ls_filter_shared->lock);
	pg_memory_barrier();
	return mine;
}

/* Count the rows of the table, or set the bits of each; returns how many. */
static uint64
scan_table(LsFilterBuild *build, bool set_bits)
{
	int number = ls_trigger_attnum(build->rel, "phone_number");
	int org =
		ls_filter_tables[build->list].by_org ? ls_trigger_attnum(build->rel, "organization_id") : 0;
	SnapshotData not_dead;
	TableScanDesc scan;
	TupleTableSlot *slot = table_slot_create(build->rel, NULL);
	uint64 rows = 0;
	uint64 keys = 0;

	InitNonVacuumableSnapshot(not_dead, GlobalVisTestFor(build->rel));
	scan = table_beginscan(build->rel, &not_dead, 0, NULL);
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		CHECK_FOR_INTERRUPTS();
		rows++;
		if (set_bits &&
			ls_filter_set(build->blocks, build->n_blocks, ls_filter_slot_hash(slot, org, number)))
			keys++;
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	if (set_bits)
	{
		LWLockAcquire(ls_filter_shared->lock, LW_SHARED);
		if (ls_filter_slot(build->list, false) != NULL)
			(void) pg_atomic_fetch_add_u64(&ls_filter_slot(build->list, false)->keys, (int64) keys);
		LWLockRelease(ls_filter_shared->lock);
	}
	return rows;
}

/* Build a filter; the table is locked. */
static void
build_filter(LsFilterBuild *build)
{
	const char *why_not = ls_filter_why_not(build->rel, build->list, &build->trigger);
	uint64 rows;
	uint64 found;

	if (why_not != NULL)
	{
		refuse(build, LS_FILTER_UNFIT, why_not);
		return;
	}
	rows = scan_table(build, false);
	for (;;)
	{
		if (!take_memory(build, rows))
		{
			refuse(
				build, LS_FILTER_TOO_SMALL, "lead_system.dnc_filter_size does not do for the list");
			return;
		}
		if (!publish(build, LS_FILTER_CLEARING, LS_FILTER_BUILDING))
			return;
		found = scan_table(build, true);
		if (found <= (uint64) build->n_blocks * LS_FILTER_KEYS_FULL)
			break;
		rows = found; /* many came in since they were counted */
	}
	(void) publish(build, LS_FILTER_BUILDING, LS_FILTER_READY);
}

/* Is there a filter in use that has not become too small or too old? */
static bool
is_good(LsFilterList list)
{
	LsFilterSlot *slot;
	bool good;

	LWLockAcquire(ls_filter_shared->lock, LW_SHARED);
	slot = ls_filter_slot(list, false);
	good = slot != NULL && slot->state == LS_FILTER_READY && !ls_filter_wants_renewal(slot);
	LWLockRelease(ls_filter_shared->lock);
	return good;
}

/*
 * Build the filter of a list.  Waits for whoever is building it or altering the
 * table, or does nothing then, and nothing when a good filter is there.
 */
static void
build_list(LsFilterList list, bool wait)
{
	LsFilterBuild build = {0};
	Oid relid = ls_relation_oid(ls_filter_tables[list].relname, true);

	if (!OidIsValid(relid))
		return;
	if (wait)
		LockRelationOid(relid, ShareUpdateExclusiveLock);
	else if (!ConditionalLockRelationOid(relid, ShareUpdateExclusiveLock))
		return;
	build.list = list;
	build.rel = table_open(relid, NoLock);
	if (wait || !is_good(list))
	{
		PG_ENSURE_ERROR_CLEANUP(give_back, PointerGetDatum(&build));
		{
			build_filter(&build);
		}
		PG_END_ENSURE_ERROR_CLEANUP(give_back, PointerGetDatum(&build));
	}
	table_close(build.rel, ShareUpdateExclusiveLock);
}

/* Main function of the background worker: build one filter of one database. */
void
ls_filter_worker(Datum arg)
{
	int64 what = DatumGetInt64(arg);

	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid((Oid) (what >> 8), InvalidOid, 0);
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	pgstat_report_activity(STATE_RUNNING, "building a do-not-call filter");
	if (ls_filter_shared != NULL)
		build_list((LsFilterList) (what & 0xff), false);
	PopActiveSnapshot();
	CommitTransactionCommand();
}

PG_FUNCTION_INFO_V1(ls_compliance_rebuild_dnc_filter);

/* rebuild_dnc_filter(): build all filters of this database now. */
Datum
ls_compliance_rebuild_dnc_filter(PG_FUNCTION_ARGS)
{
	int i;

	PreventCommandDuringRecovery("rebuild_dnc_filter()");
	if (ls_filter_shared == NULL)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("there is no memory for do-not-call filters"),
						   errhint("Set shared_preload_libraries = 'lead_system', and "
								   "lead_system.dnc_filter_size to more than 0.")));
	for (i = 0; i < LS_FILTER_LISTS; i++)
		build_list((LsFilterList) i, true);
	PG_RETURN_VOID();
}
