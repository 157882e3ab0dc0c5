/*-------------------------------------------------------------------------
 *
 * columns.c
 *	  The columns of leads: where they stand, reading, comparing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/cache.h"
#include "core/index.h"
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

/* Find the indexes by which leads are looked up. */
static void
find_indexes(Relation rel, LsLeadMap *columns)
{
	const AttrNumber *attnum = columns->attnum;
	AttrNumber email[] = {
		attnum[LEAD_organization_id], attnum[LEAD_email], attnum[LEAD_created_at]};
	AttrNumber phone[] = {attnum[LEAD_organization_id], attnum[LEAD_phone_number]};
	AttrNumber id[] = {attnum[LEAD_id], attnum[LEAD_organization_id]};
	AttrNumber source[] = {
		attnum[LEAD_organization_id], attnum[LEAD_source_id], attnum[LEAD_source]};

	columns->email_index = ls_index_on(rel, email, 3, attnum[LEAD_deleted_at]);
	columns->phone_index = ls_index_on(rel, phone, 2, attnum[LEAD_deleted_at]);
	columns->id_index = ls_index_on(rel, id, 2, InvalidAttrNumber);
	columns->source_index = ls_index_on(rel, source, 3, attnum[LEAD_deleted_at]);
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
	find_indexes(rel, result);
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
