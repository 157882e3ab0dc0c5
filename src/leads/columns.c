/*-------------------------------------------------------------------------
 *
 * columns.c
 *	  The columns of leads: where they stand, reading, comparing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_index.h"
#include "commands/defrem.h"
#include "lib/stringinfo.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "lead_system.h"
#include "core/cache.h"
#include "leads/columns.h"

#define LS_LEAD_INFO(column, type, flags) {#column, type, flags},
const LsLeadColumnInfo ls_lead_columns[LEAD_N_COLUMNS] = {LS_LEAD_COLUMNS(LS_LEAD_INFO)};
#undef LS_LEAD_INFO

static LsCache map_cache = {.name = "columns of leads", .relations = {"leads"}};
static LsLeadMap *map = NULL;

/* Find a column by name; LEAD_NONE when C does not know it. */
LsLeadColumn
ls_lead_find_column(const char *name)
{
	int i;

	for (i = 0; i < LEAD_N_COLUMNS; i++)
	{
		if (strcmp(ls_lead_columns[i].name, name) == 0)
			return (LsLeadColumn) i;
	}
	return LEAD_NONE;
}

/*
 * Does an index on the right columns hold every live lead with an address, in
 * the order that a search by equality expects?
 */
static bool
is_email_index(Relation rel, Oid indexid, const LsLeadMap *columns)
{
	static const Oid types[3] = {UUIDOID, TEXTOID, TIMESTAMPTZOID};
	Relation index = index_open(indexid, AccessShareLock);
	bool usable = (index->rd_rel->relam == BTREE_AM_OID);
	ListCell *cell;
	int i;

	for (i = 0; i < 3; i++)
		usable =
			usable && index->rd_opcintype[i] == types[i] &&
			index->rd_opfamily[i] == get_opclass_family(GetDefaultOpClass(types[i], BTREE_AM_OID));
	foreach (cell, RelationGetIndexPredicate(index))
	{
		NullTest *test = lfirst(cell);
		AttrNumber attnum = IsA(test, NullTest) && IsA(test->arg, Var)
								? castNode(Var, test->arg)->varattno
								: InvalidAttrNumber;

		usable = usable &&
				 ((attnum == columns->attnum[LEAD_deleted_at] && test->nulltesttype == IS_NULL) ||
					 (attnum == columns->attnum[LEAD_email] && test->nulltesttype == IS_NOT_NULL));
	}
	index_close(index, AccessShareLock);
	return usable;
}

/*
 * Find the index of the e-mail rule: by what it indexes, since its name may
 * carry the number of a shard.  It must be able to answer for every live lead,
 * which a user's index with a condition or an operator class of its own is not.
 */
static Oid
find_email_index(Relation rel, const LsLeadMap *columns)
{
	Oid found = InvalidOid;
	ListCell *cell;

	foreach (cell, RelationGetIndexList(rel))
	{
		HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(cell)));
		Form_pg_index index;

		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for index %u", lfirst_oid(cell));
		index = (Form_pg_index) GETSTRUCT(tuple);
		if (index->indisvalid && index->indnkeyatts == 3 &&
			index->indkey.values[0] == columns->attnum[LEAD_organization_id] &&
			index->indkey.values[1] == columns->attnum[LEAD_email] &&
			index->indkey.values[2] == columns->attnum[LEAD_created_at] &&
			is_email_index(rel, lfirst_oid(cell), columns))
			found = lfirst_oid(cell);
		ReleaseSysCache(tuple);
	}
	return found;
}

/* Find all columns in a relation. */
static LsLeadMap *
map_build(Relation rel, MemoryContext context)
{
	TupleDesc desc = RelationGetDescr(rel);
	LsLeadMap *result = MemoryContextAllocZero(context, sizeof(LsLeadMap));
	int i;

	result->relid = RelationGetRelid(rel);
	result->natts = desc->natts;
	result->column_of = MemoryContextAlloc(context, sizeof(LsLeadColumn) * desc->natts);
	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		LsLeadColumn column =
			att->attisdropped ? LEAD_NONE : ls_lead_find_column(NameStr(att->attname));

		result->column_of[i] = column;
		if (column != LEAD_NONE && att->atttypid == ls_lead_columns[column].type)
			result->attnum[column] = i + 1;
	}
	for (i = 0; i < LEAD_N_COLUMNS; i++)
	{
		if (result->attnum[i] == 0)
			ereport(
				ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						   errmsg("column \"%s\" of relation \"%s\" is missing or has another type",
							   ls_lead_columns[i].name, RelationGetRelationName(rel))));
	}
	result->email_index = find_email_index(rel, result);
	return result;
}

/* The map of leads; of a shard of it, when that is what a trigger fires on. */
const LsLeadMap *
ls_lead_map(Relation rel)
{
	if (!ls_cache_valid(&map_cache) || map->relid != RelationGetRelid(rel))
		map = map_build(rel, ls_cache_renew(&map_cache));
	return map;
}

/* A text column, palloc'd; NULL when it is null. */
char *
ls_lead_text(const LsLeadRow *row, LsLeadColumn column)
{
	bool isnull;
	Datum value = ls_lead_get(row, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* Set a text column; NULL sets it to null. */
void
ls_lead_set_text(LsLeadRow *row, LsLeadColumn column, const char *value)
{
	ls_lead_set(row, column, value ? CStringGetTextDatum(value) : (Datum) 0, value == NULL);
}

/* Have two versions of a row the same value in an attribute? */
bool
ls_lead_same(const LsLeadRow *a, const LsLeadRow *b, int attnum)
{
	Form_pg_attribute att = TupleDescAttr(a->desc, attnum - 1);
	int i = attnum - 1;

	if (a->nulls[i] || b->nulls[i])
		return a->nulls[i] == b->nulls[i];
	if (att->attbyval)
		return a->values[i] == b->values[i];
	if (a->values[i] == b->values[i])
		return true;
	return datum_image_eq(a->values[i], b->values[i], att->attbyval, att->attlen);
}

/* The columns that jsonb and CSV may set, but for those with a flag, for messages. */
char *
ls_lead_input_columns(int except)
{
	StringInfoData list;
	int i;

	initStringInfo(&list);
	for (i = 0; i < LEAD_N_COLUMNS; i++)
	{
		if ((ls_lead_columns[i].flags & LS_LEAD_INPUT) && !(ls_lead_columns[i].flags & except))
			appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "", ls_lead_columns[i].name);
	}
	return list.data;
}

void
ls_lead_columns_init(void)
{
	ls_cache_register(&map_cache);
}
