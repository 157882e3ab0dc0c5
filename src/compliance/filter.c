/*-------------------------------------------------------------------------
 *
 * filter.c
 *	  "Certainly not listed", answered from shared memory.
 *
 *	  A Bloom filter of what a list holds says "certainly not" or "maybe"; only
 *	  a "maybe" costs a look into the index.  It must never say "certainly not"
 *	  of a number that the index would show.  Why it does not:
 *
 *	  1. Committed rows.  An AFTER ROW trigger, ENABLE ALWAYS, sets the bits of
 *	  each row that is inserted or updated, by whatever way (COPY, logical apply
 *	  and session_replication_role included), before its transaction can commit
 *	  or be prepared.  Who asks took his snapshot before he reads the bits.  A
 *	  row that the snapshot shows was committed before it was taken, so its bits
 *	  were set before they are read; commit and snapshot go through ProcArrayLock,
 *	  which orders memory.  Bits stay when a row goes: a superset does no harm.
 *
 *	  2. Rows of one's own transaction are visible to it before their AFTER
 *	  trigger has run.  Whoever writes a row holds RowExclusiveLock on the table
 *	  until his transaction ends; a transaction that has an xid and holds that
 *	  lock asks the index.  A parallel worker cannot tell what its leader holds
 *	  and asks the index when the leader has an xid.
 *
 *	  3. Building.  The builder publishes BUILDING, then scans the heap for all
 *	  rows that are not dead to everybody, uncommitted and prepared ones among
 *	  them.  A writer inserts his row, then (barrier) reads the state.  If he
 *	  does not see BUILDING, the scan begins after his insert and meets his row;
 *	  if he does, he sets the bits, also when the scan was past his page.
 *	  Only then READY is published.  What a snapshot may still show is not dead.
 *
 *	  4. Memory is used again.  See filter_shared.c: who has read the bits reads
 *	  the generation once more.
 *
 *	  5. The trigger.  A filter is not used when the trigger is missing, is not
 *	  ENABLE ALWAYS, is not the row trigger of this function for all columns, or
 *	  is another version than the one the filter was built under (oid, xmin and
 *	  tid of its row in pg_trigger, which are never the same twice).  This is
 *	  looked at once and remembered until a relcache invalidation, which is not
 *	  enough: a transaction that disables the trigger, loads and enables it again
 *	  lets others see its rows a moment before its invalidations are sent.  So an
 *	  object access hook marks the filter STALE at the very moment when the
 *	  trigger, its function or the table is altered, which is before the rows
 *	  are loaded.  The builder's lock on the table conflicts with those of such
 *	  commands, so it is not built again until that transaction has ended, even
 *	  if that is a prepared one.
 *
 *	  6. A standby has no triggers, so filters are neither built nor used while
 *	  in recovery; memory is new after a crash.  A table that is distributed, a
 *	  partition or a child gets rows by other ways; it has no filter.  In a
 *	  SERIALIZABLE transaction the index is asked, since reading it is what the
 *	  server notices conflicts by.  Those who have to wait for uncommitted
 *	  entries (ls_dnc_listed_soon) ask the index.
 *
 *	  Not covered: a superuser who writes into pg_trigger by hand, or into the
 *	  table by means that skip triggers.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/parallel.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/indexing.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "lead_system.h"
#include "compliance/filter_shared.h"
#include "core/cache.h"
#include "core/extension.h"
#include "core/query.h"
#include "core/trigger.h"

/* Look-ups that are counted here before they are counted in shared memory. */
#define FLUSH_COUNTERS 4096

/* What a session knows of a filter, good for one generation. */
typedef struct LsFilterView
{
	LsCache cache; /* valid: the relation and its trigger are as they were */
	uint64 generation;
	bool usable;
	Oid relid;
	LsFilterBlock *blocks;
	uint32 n_blocks;
	uint64 lookups; /* not yet in the shared counters */
	uint64 excluded;
	uint64 wrong;
} LsFilterView;

static LsFilterView views[LS_FILTER_LISTS] = {
	{.cache = {.name = "filter of dnc_list", .relations = {"dnc_list"}}},
	{.cache = {.name = "filter of national_dnc_registry", .relations = {"national_dnc_registry"}}}};

/* What a writer knows of a filter whose bits he has to set. */
typedef struct LsFilterTarget
{
	uint64 generation;
	Oid relid; /* InvalidOid: no bits are to be set */
	LsFilterSlot *slot;
	LsFilterBlock *blocks;
	uint32 n_blocks;
	int org_attnum; /* 0: not yet known, or not in the key */
	int number_attnum;
} LsFilterTarget;

static LsFilterTarget targets[LS_FILTER_LISTS];

extern PGDLLEXPORT Datum ls_compliance_dnc_filter_note(PG_FUNCTION_ARGS);

/*
 * Bring the counters of a session to those that dnc_filter_status() shows.  By
 * the way, who asks sees to it that a filter is built anew which the writers who
 * filled it could not have built, since it had been built a moment before.
 */
void
ls_filter_flush_counters(void)
{
	int i;

	for (i = 0; ls_filter_shared != NULL && i < LS_FILTER_LISTS; i++)
	{
		LsFilterView *view = &views[i];
		LsFilterSlot *slot;
		bool renew = false;

		if (view->lookups == 0)
			continue;
		LWLockAcquire(ls_filter_shared->lock, LW_SHARED);
		slot = ls_filter_slot(i, false);
		if (slot != NULL)
		{
			(void) pg_atomic_fetch_add_u64(&slot->counters.lookups, view->lookups);
			(void) pg_atomic_fetch_add_u64(&slot->counters.excluded, view->excluded);
			(void) pg_atomic_fetch_add_u64(&slot->counters.wrong, view->wrong);
			renew = ls_filter_wants_renewal(slot);
		}
		LWLockRelease(ls_filter_shared->lock);
		if (renew)
			ls_filter_request(i);
		view->lookups = view->excluded = view->wrong = 0;
	}
}

/* When a transaction ends: count, and forget a database that it has dropped. */
static void
filter_xact_callback(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE ||
		event == XACT_EVENT_PARALLEL_COMMIT || event == XACT_EVENT_PARALLEL_ABORT)
		ls_filter_flush_counters();
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT)
		ls_filter_forget_dropped(event == XACT_EVENT_COMMIT);
}

/* Which version of a trigger is there?  False if none. */
static bool
trigger_version(Oid oid, LsFilterTrigger *trigger)
{
	Relation catalog = table_open(TriggerRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;

	ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(oid));
	scan = systable_beginscan(catalog, TriggerOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		trigger->oid = oid;
		trigger->function = ((Form_pg_trigger) GETSTRUCT(tuple))->tgfoid;
		trigger->xmin = HeapTupleHeaderGetRawXmin(tuple->t_data);
		trigger->tid = tuple->t_self;
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return HeapTupleIsValid(tuple);
}

/* Does a trigger set the bits of every row that comes in? */
static bool
trigger_sets_bits(const Trigger *trigger)
{
	FmgrInfo function;

	if (!TRIGGER_TYPE_MATCHES(
			trigger->tgtype, TRIGGER_TYPE_ROW, TRIGGER_TYPE_AFTER, TRIGGER_TYPE_INSERT) ||
		!TRIGGER_FOR_UPDATE(trigger->tgtype) || trigger->tgenabled != TRIGGER_FIRES_ALWAYS ||
		trigger->tgnattr > 0 || trigger->tgqual != NULL || trigger->tgdeferrable)
		return false;
	fmgr_info(trigger->tgfoid, &function);
	return function.fn_addr == ls_compliance_dnc_filter_note;
}

/* Are the columns of the key there, of the types that are hashed? */
static bool
key_is_usual(Relation rel, LsFilterList list)
{
	int number = SPI_fnumber(RelationGetDescr(rel), "phone_number");
	Form_pg_attribute attribute;

	if (number <= 0)
		return false;
	attribute = TupleDescAttr(RelationGetDescr(rel), number - 1);
	if (attribute->atttypid != TEXTOID || !get_collation_isdeterministic(attribute->attcollation))
		return false;
	if (!ls_filter_tables[list].by_org)
		return true;
	number = SPI_fnumber(RelationGetDescr(rel), "organization_id");
	return number > 0 && TupleDescAttr(RelationGetDescr(rel), number - 1)->atttypid == UUIDOID;
}

/*
 * Why can a table have no filter?  NULL if it can; then *trigger is what sets
 * the bits.
 */
const char *
ls_filter_why_not(Relation rel, LsFilterList list, LsFilterTrigger *trigger)
{
	int i;

	if (rel->rd_rel->relkind != RELKIND_RELATION ||
		rel->rd_rel->relpersistence != RELPERSISTENCE_PERMANENT)
		return "it is not an ordinary table";
	if (ls_relation_is_distributed(RelationGetRelid(rel)))
		return "the table is distributed";
	if (ls_snapshots_expire())
		return "old_snapshot_threshold is set";
	if (!key_is_usual(rel, list))
		return "the columns of the key are not as installed";
	for (i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
	{
		if (trigger_sets_bits(&rel->trigdesc->triggers[i]) &&
			trigger_version(rel->trigdesc->triggers[i].tgoid, trigger))
			return NULL;
	}
	return "the trigger that sets the bits is missing or not ENABLE ALWAYS";
}

/* Is the trigger of a table the one under which its filter was built? */
static bool
same_trigger(Oid relid, LsFilterList list, const LsFilterTrigger *built_under)
{
	Relation rel = table_open(relid, AccessShareLock);
	LsFilterTrigger now;
	bool same = ls_filter_why_not(rel, list, &now) == NULL && now.oid == built_under->oid &&
				now.function == built_under->function && now.xmin == built_under->xmin &&
				ItemPointerEquals(&now.tid, unconstify(ItemPointerData *, &built_under->tid));

	table_close(rel, AccessShareLock);
	return same;
}

/* Find out whether there is a filter that can be used, and where. */
static void
view_renew(LsFilterView *view, LsFilterList list)
{
	LsFilterTrigger trigger = {0};
	LsFilterSlot *slot;
	bool ready = false;

	view->usable = false;
	(void) ls_cache_renew(&view->cache);
	LWLockAcquire(ls_filter_shared->lock, LW_SHARED);
	view->generation = pg_atomic_read_u64(&ls_filter_shared->generation);
	slot = ls_filter_slot(list, false);
	if (slot != NULL && slot->state == LS_FILTER_READY)
	{
		ready = true;
		view->relid = slot->relid;
		view->blocks = ls_filter_blocks(slot);
		view->n_blocks = slot->n_blocks;
		trigger = slot->trigger;
	}
	LWLockRelease(ls_filter_shared->lock);
	view->usable = ready && !RecoveryInProgress() && view->cache.relids[0] == view->relid &&
				   same_trigger(view->relid, list, &trigger);
}

/* Has this transaction written to a table?  Whoever does holds that lock until he ends. */
static bool
has_written_to(Oid relid)
{
	Relation rel = RelationIdGetRelation(relid);
	bool has_written = rel == NULL || CheckRelationLockedByMe(rel, RowExclusiveLock, false);

	if (rel != NULL)
		RelationClose(rel);
	return has_written;
}

/* May this transaction see rows whose bits are not set yet, or have to be seen reading? */
static bool
must_ask_index(const LsFilterView *view)
{
	if (IsolationIsSerializable())
		return true;
	if (!TransactionIdIsValid(GetTopTransactionIdIfAny()))
		return false;
	return IsParallelWorker() || has_written_to(view->relid);
}

/* Is a number in a list, as far as the active snapshot shows? */
LsFilterAnswer
ls_filter_ask(LsFilterList list, const pg_uuid_t *org, const char *e164)
{
	LsFilterView *view = &views[list];
	bool maybe;

	if (ls_filter_shared == NULL)
		return LS_FILTER_NO_ANSWER;
	AcceptInvalidationMessages();
	if (!ls_cache_valid(&view->cache) ||
		view->generation != pg_atomic_read_u64(&ls_filter_shared->generation))
		view_renew(view, list);
	if (++view->lookups >= FLUSH_COUNTERS)
		ls_filter_flush_counters();
	if (!view->usable)
	{
		ls_filter_request(list);
		return LS_FILTER_NO_ANSWER;
	}
	if (must_ask_index(view))
		return LS_FILTER_NO_ANSWER;

	pg_read_barrier();
	maybe = ls_filter_test(view->blocks, view->n_blocks, ls_filter_hash(org, e164, strlen(e164)));
	pg_read_barrier();
	if (view->generation != pg_atomic_read_u64(&ls_filter_shared->generation))
		return LS_FILTER_NO_ANSWER;
	if (maybe)
		return LS_FILTER_MAYBE;
	view->excluded++;
	return LS_FILTER_NOT_LISTED;
}

/* The filter had said "maybe", and the index has nothing. */
void
ls_filter_was_wrong(LsFilterList list)
{
	views[list].wrong++;
}

/* Where a writer has to set bits, if he has. */
static void
target_renew(LsFilterTarget *target, LsFilterList list)
{
	LsFilterSlot *slot;

	memset(target, 0, sizeof(*target));
	LWLockAcquire(ls_filter_shared->lock, LW_SHARED);
	target->generation = pg_atomic_read_u64(&ls_filter_shared->generation);
	slot = ls_filter_slot(list, false);
	if (slot != NULL && (slot->state == LS_FILTER_BUILDING || slot->state == LS_FILTER_READY))
	{
		target->relid = slot->relid;
		target->slot = slot;
		target->blocks = ls_filter_blocks(slot);
		target->n_blocks = slot->n_blocks;
	}
	LWLockRelease(ls_filter_shared->lock);
}

/* The target that belongs to a relation; NULL if it has no filter now. */
static LsFilterTarget *
target_of(Relation rel, LsFilterList *list)
{
	int i;

	for (i = 0; i < LS_FILTER_LISTS; i++)
	{
		LsFilterTarget *target = &targets[i];

		if (target->generation != pg_atomic_read_u64(&ls_filter_shared->generation))
			target_renew(target, i);
		if (!OidIsValid(target->relid) || target->relid != RelationGetRelid(rel))
			continue;
		if (target->number_attnum == 0)
		{
			target->number_attnum = ls_trigger_attnum(rel, "phone_number");
			if (ls_filter_tables[i].by_org)
				target->org_attnum = ls_trigger_attnum(rel, "organization_id");
		}
		*list = i;
		return target;
	}
	return NULL;
}

/* The hash of a row's key. */
uint64
ls_filter_slot_hash(TupleTableSlot *slot, int org_attnum, int number_attnum)
{
	bool isnull;
	Datum org = (Datum) 0;
	text *number;

	if (org_attnum > 0)
		org = slot_getattr(slot, org_attnum, &isnull);
	number = DatumGetTextPP(slot_getattr(slot, number_attnum, &isnull));
	return ls_filter_hash(
		org_attnum > 0 ? DatumGetUUIDP(org) : NULL, VARDATA_ANY(number), VARSIZE_ANY_EXHDR(number));
}

/* A filter has more keys than it was made for: a bigger one is wanted, or none. */
static void
filter_is_full(LsFilterTarget *target, LsFilterList list, uint64 keys)
{
	if (keys > (uint64) target->n_blocks * LS_FILTER_KEYS_MOST)
	{
		LWLockAcquire(ls_filter_shared->lock, LW_EXCLUSIVE);
		if (target->generation == pg_atomic_read_u64(&ls_filter_shared->generation))
			ls_filter_move(target->slot, LS_FILTER_TOO_SMALL, "the list has outgrown the filter");
		LWLockRelease(ls_filter_shared->lock);
	}
	ls_filter_request(list);
}

/* Set the bits of a row that came in, or count one that went. */
static void
note_row(TriggerData *trigdata)
{
	LsFilterList list;
	LsFilterTarget *target;
	uint64 n;

	/* The row is in the heap before the state is read: see 3. above. */
	pg_memory_barrier();
	target = target_of(trigdata->tg_relation, &list);
	if (target == NULL)
		return;
	if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
	{
		n = pg_atomic_add_fetch_u64(&target->slot->removed, 1);
		if (n % 1024 == 0 && n > pg_atomic_read_u64(&target->slot->keys) / 2)
			ls_filter_request(list);
		return;
	}
	if (!ls_filter_set(target->blocks, target->n_blocks,
			ls_filter_slot_hash(TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? trigdata->tg_newslot
																			: trigdata->tg_trigslot,
				target->org_attnum, target->number_attnum)))
		return;
	n = pg_atomic_add_fetch_u64(&target->slot->keys, 1);
	if (n > (uint64) target->n_blocks * LS_FILTER_KEYS_FULL && n % 64 == 0)
		filter_is_full(target, list, n);
}

PG_FUNCTION_INFO_V1(ls_compliance_dnc_filter_note);

/*
 * dnc_filter_note(): AFTER INSERT OR UPDATE OR DELETE row trigger of the lists,
 * ENABLE ALWAYS.
 */
Datum
ls_compliance_dnc_filter_note(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "dnc_filter_note", LS_TRIGGER_AFTER_ROW,
		LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE | LS_TRIGGER_DELETE, NULL);

	if (ls_filter_shared != NULL)
		note_row(trigdata);
	return PointerGetDatum(NULL);
}

void
ls_filter_init(void)
{
	int i;

	for (i = 0; i < LS_FILTER_LISTS; i++)
		ls_cache_register(&views[i].cache);
	RegisterXactCallback(filter_xact_callback, NULL);
	ls_filter_shared_init();
}
