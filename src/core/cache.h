/*-------------------------------------------------------------------------
 *
 * cache.h
 *	  Per-backend caches of rule tables, thrown away when a rule changes.
 *
 *	  A domain declares one static LsCache per cache, naming the tables it is
 *	  filled from.  Before each use:
 *
 *		if (!ls_cache_valid(&cache))
 *			context = ls_cache_renew(&cache);	-- and start from empty
 *
 *	  What a renewal discards stays readable until the end of the transaction,
 *	  so a caller may hold a pointer into a cache across calls that run SQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CORE_CACHE_H
#define LS_CORE_CACHE_H

#include "utils/palloc.h"

#define LS_CACHE_MAX_RELATIONS 4

typedef struct LsCache
{
	const char *name;
	const char *relations[LS_CACHE_MAX_RELATIONS]; /* unused entries are NULL */
	Oid relids[LS_CACHE_MAX_RELATIONS];
	MemoryContext context;
	bool valid;
	bool transient; /* filled from an old snapshot: ends with the transaction */
	struct LsCache *next;
} LsCache;

extern void ls_cache_register(LsCache *cache);
extern bool ls_cache_valid(const LsCache *cache);
extern MemoryContext ls_cache_renew(LsCache *cache);
extern void ls_cache_init(void);

#endif /* LS_CORE_CACHE_H */
