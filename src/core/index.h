/*-------------------------------------------------------------------------
 *
 * index.h
 *	  Finding an index that a look-up below SQL can use.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CORE_INDEX_H
#define LS_CORE_INDEX_H

#include "utils/relcache.h"

extern Oid ls_index_on(Relation rel, const AttrNumber *attnums, int n, AttrNumber deleted_at);

#endif /* LS_CORE_INDEX_H */
