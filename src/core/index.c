/*-------------------------------------------------------------------------
 *
 * index.c
 *	  Finding an index that a look-up below SQL can use.
 *
 *	  The tables belong to the user, who may have dropped an index of ours or
 *	  made another one of its name.  So an index is chosen by what it holds and
 *	  in which order, never by its name, which may carry the number of a shard
 *	  as well.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "catalog/pg_am_d.h"
#include "commands/defrem.h"
#include "nodes/primnodes.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/index.h"

/* Does an index begin with the columns, in the order that equality expects? */
static bool
has_keys(Relation rel, Relation index, const AttrNumber *attnums, int n)
{
	int i;

	if (index->rd_rel->relam != BTREE_AM_OID || !index->rd_index->indisvalid ||
		index->rd_index->indnkeyatts < n)
		return false;
	for (i = 0; i < n; i++)
	{
		Oid type = TupleDescAttr(RelationGetDescr(rel), attnums[i] - 1)->atttypid;

		if (index->rd_index->indkey.values[i] != attnums[i] || index->rd_opcintype[i] != type ||
			index->rd_opfamily[i] != get_opclass_family(GetDefaultOpClass(type, BTREE_AM_OID)))
			return false;
	}
	return true;
}

/* Is a column one of those that are looked for? */
static bool
is_key(AttrNumber attnum, const AttrNumber *attnums, int n)
{
	int i;

	for (i = 0; i < n; i++)
	{
		if (attnums[i] == attnum)
			return true;
	}
	return false;
}

/*
 * Does a partial index hold every row that can be asked for?  Rows that are
 * deleted are not, nor rows where a column is null that is looked for by value.
 */
static bool
holds_all(Relation index, const AttrNumber *attnums, int n, AttrNumber deleted_at)
{
	ListCell *cell;

	foreach (cell, RelationGetIndexPredicate(index))
	{
		NullTest *test = lfirst(cell);
		AttrNumber attnum;

		if (!IsA(test, NullTest) || !IsA(test->arg, Var))
			return false;
		attnum = castNode(Var, test->arg)->varattno;
		if (test->nulltesttype == IS_NULL ? attnum != deleted_at : !is_key(attnum, attnums, n))
			return false;
	}
	return true;
}

/*
 * The index to look rows up by equality of the columns; InvalidOid when there
 * is none.  deleted_at is the column that is null in the rows that count, 0 if
 * all do.  The answer holds until the next relcache invalidation of the table.
 */
Oid
ls_index_on(Relation rel, const AttrNumber *attnums, int n, AttrNumber deleted_at)
{
	Oid found = InvalidOid;
	ListCell *cell;

	foreach (cell, RelationGetIndexList(rel))
	{
		Relation index = index_open(lfirst_oid(cell), AccessShareLock);

		if (!OidIsValid(found) && has_keys(rel, index, attnums, n) &&
			holds_all(index, attnums, n, deleted_at))
			found = lfirst_oid(cell);
		index_close(index, AccessShareLock);
	}
	return found;
}
