/*-------------------------------------------------------------------------
 *
 * cache.c
 *	  Invalidation of the per-backend caches.
 *
 *	  A statement trigger on each rule table (cache_invalidate) sends a relcache
 *	  invalidation; it reaches this backend at the end of the command and all
 *	  others at commit.  The callback only clears a flag: it may run at any
 *	  lock acquisition, where neither catalogs can be read nor memory freed that
 *	  somebody further up the stack still reads.
 *
 *	  On abort everything is thrown away, since a cache may have been filled
 *	  from rows that never came to be.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/cache.h"
#include "core/query.h"
#include "core/trigger.h"

static LsCache *all_caches = NULL;

/* Parent of the contents that were replaced during this transaction. */
static MemoryContext retired = NULL;

/* Forget whatever depends on a relation; InvalidOid means all. */
static void
cache_relcache_callback(Datum arg, Oid relid)
{
	LsCache *cache;
	int i;

	for (cache = all_caches; cache != NULL; cache = cache->next)
	{
		if (!OidIsValid(relid))
			cache->valid = false;
		for (i = 0; i < LS_CACHE_MAX_RELATIONS; i++)
		{
			if (OidIsValid(cache->relids[i]) && cache->relids[i] == relid)
				cache->valid = false;
		}
	}
}

/* Forget everything, or only what was filled from an old snapshot. */
static void
cache_forget(bool only_transient)
{
	LsCache *cache;

	for (cache = all_caches; cache != NULL; cache = cache->next)
	{
		if (!only_transient || cache->transient)
			cache->valid = false;
	}
}

/* End of a transaction: forget what it alone had seen, free what was replaced. */
static void
cache_xact_callback(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PARALLEL_ABORT:
			cache_forget(false);
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_PREPARE:
			cache_forget(true);
			break;
		default:
			return;
	}
	if (retired != NULL)
	{
		MemoryContextDelete(retired);
		retired = NULL;
	}
}

/* End of a subtransaction: forget what it may have written. */
static void
cache_subxact_callback(SubXactEvent event, SubTransactionId sub, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		cache_forget(false);
}

/* Make a cache known.  Called once, from a domain's Init. */
void
ls_cache_register(LsCache *cache)
{
	cache->next = all_caches;
	all_caches = cache;
}

bool
ls_cache_valid(const LsCache *cache)
{
	return cache->valid;
}

/*
 * Start a cache afresh and return the empty context for its contents.
 *
 * The cache counts as valid from here on, before it is filled: a message that
 * arrives while filling clears the flag again, and the next use starts over.
 */
MemoryContext
ls_cache_renew(LsCache *cache)
{
	MemoryContext context;
	int i;

	context = AllocSetContextCreate(CacheMemoryContext, "lead_system cache", ALLOCSET_SMALL_SIZES);
	MemoryContextSetIdentifier(context, cache->name);
	if (cache->context != NULL)
	{
		if (retired == NULL)
			retired = AllocSetContextCreate(
				CacheMemoryContext, "lead_system retired caches", ALLOCSET_SMALL_SIZES);
		MemoryContextSetParent(cache->context, retired);
	}
	cache->context = context;

	for (i = 0; i < LS_CACHE_MAX_RELATIONS; i++)
		cache->relids[i] =
			cache->relations[i] ? ls_relation_oid(cache->relations[i], false) : InvalidOid;
	cache->transient = IsInParallelMode();
	cache->valid = true;
	return context;
}

PG_FUNCTION_INFO_V1(ls_core_cache_invalidate);

/*
 * cache_invalidate(): statement trigger of each table that a cache is filled
 * from.
 */
Datum
ls_core_cache_invalidate(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(
		fcinfo, "cache_invalidate", LS_TRIGGER_AFTER_STATEMENT, LS_TRIGGER_ANY_EVENT, NULL);

	CacheInvalidateRelcache(trigdata->tg_relation);
	return PointerGetDatum(NULL);
}

void
ls_cache_init(void)
{
	CacheRegisterRelcacheCallback(cache_relcache_callback, (Datum) 0);
	RegisterXactCallback(cache_xact_callback, NULL);
	RegisterSubXactCallback(cache_subxact_callback, NULL);
}
