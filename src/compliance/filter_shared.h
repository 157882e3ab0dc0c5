/*-------------------------------------------------------------------------
 *
 * filter_shared.h
 *	  The do-not-call filter in shared memory; for filter*.c only.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_COMPLIANCE_FILTER_SHARED_H
#define LS_COMPLIANCE_FILTER_SHARED_H

#include "datatype/timestamp.h"
#include "executor/tuptable.h"
#include "storage/itemptr.h"
#include "storage/lwlock.h"
#include "utils/relcache.h"

#include "compliance/filter.h"
#include "compliance/filter_bits.h"

/* Databases of a server that can have filters. */
#define LS_FILTER_DATABASES 16

/*
 * Keys per block: what a filter is made for, when it is full and a bigger one
 * is wanted, and when it is of no use any more.
 */
#define LS_FILTER_KEYS_NEW 32
#define LS_FILTER_KEYS_FULL 48
#define LS_FILTER_KEYS_MOST 64

typedef enum LsFilterState
{
	LS_FILTER_EMPTY,     /* nobody has built it, or the one who did has failed */
	LS_FILTER_CLEARING,  /* its memory is being cleared */
	LS_FILTER_BUILDING,  /* writers set bits, nobody asks */
	LS_FILTER_READY,     /* in use */
	LS_FILTER_STALE,     /* something it stands on was altered; to be built anew */
	LS_FILTER_TOO_SMALL, /* the memory does not do for the list */
	LS_FILTER_UNFIT      /* the table cannot have a filter; reason says why */
} LsFilterState;

/* The version of the trigger that sets the bits: a row of pg_trigger. */
typedef struct LsFilterTrigger
{
	Oid oid;
	Oid function;
	TransactionId xmin;
	ItemPointerData tid;
} LsFilterTrigger;

typedef struct LsFilterCounters
{
	pg_atomic_uint64 lookups;
	pg_atomic_uint64 excluded; /* answered by the filter */
	pg_atomic_uint64 wrong;    /* passed on to the index, which had nothing */
} LsFilterCounters;

/* A filter.  All but the atomics is guarded by the lock. */
typedef struct LsFilterSlot
{
	LsFilterState state;
	uint64 epoch; /* the generation in which it was last taken to be built */
	Oid relid;
	LsFilterTrigger trigger;
	uint32 first_block;
	uint32 n_blocks;
	TimestampTz built_at;
	TimestampTz ask_again_at; /* no worker is started before */
	char reason[96];
	pg_atomic_uint64 keys;
	pg_atomic_uint64 removed;
	LsFilterCounters counters;
} LsFilterSlot;

typedef struct LsFilterDatabase
{
	Oid oid; /* InvalidOid: free */
	LsFilterSlot slot[LS_FILTER_LISTS];
} LsFilterDatabase;

typedef struct LsFilterShared
{
	LWLock *lock;
	uint32 total_blocks;
	LsFilterDatabase database[LS_FILTER_DATABASES];
	/* Goes up with each change of state of any filter; in a cache line of its own. */
	char pad[PG_CACHE_LINE_SIZE];
	pg_atomic_uint64 generation;
	char pad_after[PG_CACHE_LINE_SIZE];
} LsFilterShared;

/* NULL unless the library was loaded by shared_preload_libraries. */
extern LsFilterShared *ls_filter_shared;

/* The tables, and which of their columns make the key. */
typedef struct LsFilterTable
{
	const char *relname;
	bool by_org;
} LsFilterTable;

extern const LsFilterTable ls_filter_tables[LS_FILTER_LISTS];

/* Is a filter in use full, or has it too many numbers that were removed? */
static inline bool
ls_filter_wants_renewal(LsFilterSlot *slot)
{
	uint64 keys = pg_atomic_read_u64(&slot->keys);

	return slot->state == LS_FILTER_READY &&
		   (keys > (uint64) slot->n_blocks * LS_FILTER_KEYS_FULL ||
			   pg_atomic_read_u64(&slot->removed) > keys / 2 + 1024);
}

/* filter_shared.c */
extern void ls_filter_shared_init(void);
extern void ls_filter_forget_dropped(bool committed);
extern LsFilterBlock *ls_filter_blocks(const LsFilterSlot *slot);
extern LsFilterSlot *ls_filter_slot(LsFilterList list, bool create);
extern void ls_filter_move(LsFilterSlot *slot, LsFilterState state, const char *reason);
extern bool ls_filter_allocate(LsFilterSlot *slot, uint64 wanted, uint64 least);
extern const char *ls_filter_state_name(LsFilterState state);

/* filter.c */
extern const char *ls_filter_why_not(Relation rel, LsFilterList list, LsFilterTrigger *trigger);
extern void ls_filter_flush_counters(void);
extern uint64 ls_filter_slot_hash(TupleTableSlot *slot, int org_attnum, int number_attnum);

/* filter_build.c */
extern void ls_filter_request(LsFilterList list);

#endif /* LS_COMPLIANCE_FILTER_SHARED_H */
