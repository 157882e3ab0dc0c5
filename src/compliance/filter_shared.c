/*-------------------------------------------------------------------------
 *
 * filter_shared.c
 *	  The shared memory of the do-not-call filter, and who makes it distrust
 *	  itself.
 *
 *	  All memory is taken when the server starts (lead_system.dnc_filter_size):
 *	  a small table of databases, and the blocks, of which each filter gets one
 *	  run.  Nothing is kept on disk: after a crash, and after a start, memory is
 *	  new and the filters are built again.
 *
 *	  One lock guards everything but the bits.  Each change of a filter's state
 *	  is made under it, exclusively, and raises the generation.  Whoever uses a
 *	  filter remembers the generation in which he read where it is, under the
 *	  lock, and reads the generation again after the bits; so he notices when
 *	  the memory was given to another filter meanwhile, and takes no lock.
 *
 *	  Bits set by somebody who has missed such a change land in a filter that
 *	  does not want them: they make it say "maybe" once too often, no more.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/guc.h"

#include "lead_system.h"
#include "compliance/filter_shared.h"

#define LOCK_NAME "lead_system_dnc_filter"

const LsFilterTable ls_filter_tables[LS_FILTER_LISTS] = {
	{"dnc_list", true}, {"national_dnc_registry", false}};

LsFilterShared *ls_filter_shared = NULL;

/* lead_system.dnc_filter_size, in megabytes. */
static int filter_size = 0;

static shmem_request_hook_type previous_shmem_request = NULL;
static shmem_startup_hook_type previous_shmem_startup = NULL;
static object_access_hook_type previous_object_access = NULL;

/* The database that this transaction drops. */
static Oid dropped_database = InvalidOid;

/* The blocks follow the header, each in a cache line of its own. */
static LsFilterBlock *
all_blocks(void)
{
	return (LsFilterBlock *) CACHELINEALIGN(ls_filter_shared + 1);
}

LsFilterBlock *
ls_filter_blocks(const LsFilterSlot *slot)
{
	return all_blocks() + slot->first_block;
}

/* What a state is called in dnc_filter_status(). */
const char *
ls_filter_state_name(LsFilterState state)
{
	switch (state)
	{
		case LS_FILTER_EMPTY:
			return "empty";
		case LS_FILTER_CLEARING:
		case LS_FILTER_BUILDING:
			return "building";
		case LS_FILTER_READY:
			return "ready";
		case LS_FILTER_STALE:
			return "stale";
		case LS_FILTER_TOO_SMALL:
			return "too small";
		case LS_FILTER_UNFIT:
			return "not possible";
	}
	return "unknown";
}

/* The entry of a database; NULL when it has none.  Under the lock. */
static LsFilterDatabase *
find_database(Oid oid)
{
	int i;

	for (i = 0; i < LS_FILTER_DATABASES; i++)
	{
		if (ls_filter_shared->database[i].oid == oid)
			return &ls_filter_shared->database[i];
	}
	return NULL;
}

/* Begin a filter of which nothing is known. */
static void
reset_slot(LsFilterSlot *slot)
{
	slot->state = LS_FILTER_EMPTY;
	slot->relid = InvalidOid;
	slot->n_blocks = 0;
	slot->built_at = 0;
	slot->ask_again_at = 0;
	slot->reason[0] = '\0';
	memset(&slot->trigger, 0, sizeof(slot->trigger));
	pg_atomic_write_u64(&slot->keys, 0);
	pg_atomic_write_u64(&slot->removed, 0);
	pg_atomic_write_u64(&slot->counters.lookups, 0);
	pg_atomic_write_u64(&slot->counters.excluded, 0);
	pg_atomic_write_u64(&slot->counters.wrong, 0);
}

/*
 * The filter of this database for a list; NULL when there is none, or none to
 * be had since there are more databases than entries.  Under the lock, which
 * must be exclusive to create one.
 */
LsFilterSlot *
ls_filter_slot(LsFilterList list, bool create)
{
	LsFilterDatabase *database = find_database(MyDatabaseId);
	int i;

	if (database == NULL && create)
	{
		database = find_database(InvalidOid);
		if (database != NULL)
		{
			for (i = 0; i < LS_FILTER_LISTS; i++)
				reset_slot(&database->slot[i]);
			database->oid = MyDatabaseId;
		}
	}
	return database ? &database->slot[list] : NULL;
}

/* Change a filter's state, and let everybody know.  Under the exclusive lock. */
void
ls_filter_move(LsFilterSlot *slot, LsFilterState state, const char *reason)
{
	Assert(LWLockHeldByMeInMode(ls_filter_shared->lock, LW_EXCLUSIVE));
	slot->state = state;
	strlcpy(slot->reason, reason, sizeof(slot->reason));
	if (state == LS_FILTER_EMPTY || state == LS_FILTER_TOO_SMALL || state == LS_FILTER_UNFIT)
		slot->n_blocks = 0;
	(void) pg_atomic_fetch_add_u64(&ls_filter_shared->generation, 1);
}

/* Is a run of blocks in nobody's use?  If not, *end is where that use ends. */
static bool
blocks_are_free(uint64 first, uint64 n, uint64 *end)
{
	int i;

	for (i = 0; i < LS_FILTER_DATABASES * LS_FILTER_LISTS; i++)
	{
		LsFilterDatabase *database = &ls_filter_shared->database[i / LS_FILTER_LISTS];
		LsFilterSlot *slot = &database->slot[i % LS_FILTER_LISTS];

		if (database->oid != InvalidOid && slot->n_blocks > 0 && slot->first_block < first + n &&
			first < (uint64) slot->first_block + slot->n_blocks)
		{
			*end = (uint64) slot->first_block + slot->n_blocks;
			return false;
		}
	}
	return true;
}

/* The first run of free blocks of a size; false if there is none. */
static bool
find_free_blocks(uint64 n, uint32 *first)
{
	uint64 start = 0;

	while (start + n <= ls_filter_shared->total_blocks)
	{
		if (blocks_are_free(start, n, &start))
		{
			*first = (uint32) start;
			return true;
		}
	}
	return false;
}

/*
 * Give a filter as many blocks as are wanted, or as there are, but at least
 * some; false if not even those are there.  Under the exclusive lock.
 */
bool
ls_filter_allocate(LsFilterSlot *slot, uint64 wanted, uint64 least)
{
	uint64 n;

	slot->n_blocks = 0;
	for (n = Max(wanted, least); n >= least; n = (n == least) ? 0 : Max(n - n / 8 - 1, least))
	{
		if (n <= ls_filter_shared->total_blocks && find_free_blocks(n, &slot->first_block))
		{
			slot->n_blocks = (uint32) n;
			return true;
		}
	}
	return false;
}

/* A database comes or goes: nothing is known of it. */
static void
forget_database(Oid oid)
{
	LsFilterDatabase *database;

	LWLockAcquire(ls_filter_shared->lock, LW_EXCLUSIVE);
	database = find_database(oid);
	if (database != NULL)
	{
		database->oid = InvalidOid;
		(void) pg_atomic_fetch_add_u64(&ls_filter_shared->generation, 1);
	}
	LWLockRelease(ls_filter_shared->lock);
}

/*
 * A database is gone when that is committed: until then it may turn out to be in
 * use, and somebody there may be clearing the memory of its filter.
 */
void
ls_filter_forget_dropped(bool committed)
{
	if (OidIsValid(dropped_database) && committed)
		forget_database(dropped_database);
	dropped_database = InvalidOid;
}

/* Does a filter stand on a catalog object? */
static bool
stands_on(const LsFilterSlot *slot, Oid class, Oid object)
{
	if (class == RelationRelationId)
		return slot->relid == object;
	if (slot->state == LS_FILTER_UNFIT && class == TriggerRelationId)
		return true; /* perhaps the one that was missing */
	return (class == TriggerRelationId ? slot->trigger.oid : slot->trigger.function) == object;
}

/* An object was altered: filters that stand on it are not used from now on. */
static void
distrust(Oid class, Oid object)
{
	LsFilterDatabase *database;
	int i;

	LWLockAcquire(ls_filter_shared->lock, LW_EXCLUSIVE);
	database = find_database(MyDatabaseId);
	for (i = 0; database != NULL && i < LS_FILTER_LISTS; i++)
	{
		LsFilterSlot *slot = &database->slot[i];

		if (slot->state != LS_FILTER_EMPTY && slot->state != LS_FILTER_STALE &&
			stands_on(slot, class, object))
		{
			ls_filter_move(slot, LS_FILTER_STALE, "the table or its trigger was altered");
			slot->ask_again_at = 0;
		}
	}
	LWLockRelease(ls_filter_shared->lock);
}

/*
 * Told of every object that is created, altered or dropped, at once and not at
 * commit: see "The trigger" in filter.c.
 */
static void
filter_object_access(ObjectAccessType access, Oid class, Oid object, int sub, void *arg)
{
	if (previous_object_access)
		previous_object_access(access, class, object, sub, arg);
	if (ls_filter_shared == NULL ||
		(access != OAT_POST_CREATE && access != OAT_POST_ALTER && access != OAT_DROP))
		return;
	if (class == DatabaseRelationId && access == OAT_DROP)
		dropped_database = object;
	else if (class == DatabaseRelationId && access == OAT_POST_CREATE)
		forget_database(object);
	else if (class == RelationRelationId || class == TriggerRelationId ||
			 class == ProcedureRelationId)
		distrust(class, object);
}

/* How much shared memory is needed. */
static Size
shared_size(void)
{
	return add_size(CACHELINEALIGN(sizeof(LsFilterShared)) + PG_CACHE_LINE_SIZE,
		mul_size(filter_size, 1024 * 1024));
}

/* Ask for the memory while the server starts. */
static void
filter_shmem_request(void)
{
	if (previous_shmem_request)
		previous_shmem_request();
	if (filter_size == 0)
		return;
	RequestAddinShmemSpace(shared_size());
	RequestNamedLWLockTranche(LOCK_NAME, 1);
}

/* Set the memory up: no database has a filter. */
static void
filter_shmem_startup(void)
{
	bool found;
	int i;
	int j;

	if (previous_shmem_startup)
		previous_shmem_startup();
	ls_filter_shared = NULL;
	if (filter_size == 0)
		return;
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	ls_filter_shared = ShmemInitStruct("lead_system do-not-call filter", shared_size(), &found);
	if (!found)
	{
		memset(ls_filter_shared, 0, sizeof(LsFilterShared));
		ls_filter_shared->lock = &GetNamedLWLockTranche(LOCK_NAME)->lock;
		ls_filter_shared->total_blocks =
			(uint32) (((uint64) filter_size * 1024 * 1024) / sizeof(LsFilterBlock));
		pg_atomic_init_u64(&ls_filter_shared->generation, 1);
		for (i = 0; i < LS_FILTER_DATABASES; i++)
			for (j = 0; j < LS_FILTER_LISTS; j++)
				reset_slot(&ls_filter_shared->database[i].slot[j]);
	}
	LWLockRelease(AddinShmemInitLock);
}

/* The setting, and with shared_preload_libraries the memory. */
void
ls_filter_shared_init(void)
{
	bool preloading = process_shared_preload_libraries_in_progress;

	/* Without preload the setting has no effect, but has to be known all the same. */
	DefineCustomIntVariable("lead_system.dnc_filter_size",
		"Sets the shared memory for the filters of the do-not-call lists.",
		"Takes effect with shared_preload_libraries = 'lead_system'. 0 turns the filters off.",
		&filter_size, 32, 0, 65536, preloading ? PGC_POSTMASTER : PGC_SIGHUP, GUC_UNIT_MB, NULL,
		NULL, NULL);
	if (!preloading)
		return;
	previous_shmem_request = shmem_request_hook;
	shmem_request_hook = filter_shmem_request;
	previous_shmem_startup = shmem_startup_hook;
	shmem_startup_hook = filter_shmem_startup;
	previous_object_access = object_access_hook;
	object_access_hook = filter_object_access;
}
