/*-------------------------------------------------------------------------
 *
 * survivor.c
 *	  What becomes of the survivor's own row.
 *
 *	  What it has it keeps; what it lacks it gets from the newest duplicate that
 *	  has it.  Counters are added, the latest of the times of contact counts, a
 *	  mark that any of them has it gets, tags and JSON are united.  Its place in
 *	  the pipeline stays, and what triggers derive they derive again.
 *
 *	  Columns that somebody has added to leads follow the same rules, by their
 *	  types.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "merge/merge.h"

/* Columns that stay as they are, beside those that are derived. */
static const LsLeadColumn kept[] = {LEAD_organization_id, LEAD_id, LEAD_pipeline_id, LEAD_status,
	LEAD_lost_reason, LEAD_created_by, LEAD_created_at, LEAD_deleted_at, LEAD_is_spam,
	LEAD_enrichment_status};

/* Columns that are filled together, or not at all. */
static const LsLeadColumn pairs[][2] = {
	{LEAD_source_id, LEAD_source}, {LEAD_budget_min, LEAD_budget_max}};

/* Is a column one of those that stay? */
static bool
is_kept(LsLeadColumn column)
{
	int i;

	for (i = 0; i < (int) lengthof(kept); i++)
	{
		if (kept[i] == column)
			return true;
	}
	if (column == LEAD_last_contact_at || column == LEAD_last_activity_at ||
		column == LEAD_demo_video_watched || (ls_lead_columns[column].flags & LS_LEAD_ENGAGEMENT))
		return false;
	return (ls_lead_columns[column].flags & (LS_LEAD_DERIVED | LS_LEAD_STAMP)) != 0;
}

/* The other column of a pair; LEAD_NONE when it is in none. */
static LsLeadColumn
other_of_pair(LsLeadColumn column)
{
	int i;

	for (i = 0; i < (int) lengthof(pairs); i++)
	{
		if (pairs[i][0] == column)
			return pairs[i][1];
		if (pairs[i][1] == column)
			return pairs[i][0];
	}
	return LEAD_NONE;
}

/* The value of the newest duplicate for which a condition holds. */
static char *
newest(const char *name, const char *condition)
{
	return psprintf(
		"(SELECT d.%s FROM dup d WHERE %s ORDER BY d.created_at DESC, d.id DESC LIMIT 1)", name,
		condition);
}

/* The expression of a column. */
static char *
merged_value(LsLeadColumn column)
{
	const char *name = ls_lead_columns[column].name;
	LsLeadColumn other = other_of_pair(column);

	if (ls_lead_columns[column].flags & LS_LEAD_ENGAGEMENT)
		return psprintf("s.%s + (SELECT sum(d.%s) FROM dup d)::integer", name, name);
	if (column == LEAD_last_contact_at || column == LEAD_last_activity_at)
		return psprintf("greatest(s.%s, (SELECT max(d.%s) FROM dup d))", name, name);
	switch (ls_lead_columns[column].type)
	{
		case BOOLOID:
			return psprintf("s.%s OR (SELECT bool_or(d.%s) FROM dup d)", name, name);
		case TEXTARRAYOID:
			return psprintf("s.%s || ARRAY(SELECT DISTINCT u FROM dup d, unnest(d.%s) u"
							" WHERE u <> ALL (s.%s) ORDER BY u)",
				name, name, name);
		case JSONBOID:
			return psprintf(
				"coalesce((SELECT jsonb_object_agg(e.key, e.value ORDER BY d.created_at, d.id)"
				" FROM dup d, jsonb_each(d.%s) e), '{}') || s.%s",
				name, name);
		default:
			break;
	}
	if (other != LEAD_NONE)
		return psprintf("CASE WHEN s.%s IS NULL AND s.%s IS NULL THEN %s ELSE s.%s END", name,
			ls_lead_columns[other].name,
			newest(name, psprintf("d.%s IS NOT NULL OR d.%s IS NOT NULL", name,
							 ls_lead_columns[other].name)),
			name);
	return psprintf("coalesce(s.%s, %s)", name, newest(name, psprintf("d.%s IS NOT NULL", name)));
}

/* The expression of a column that somebody has added, which may be NULL. */
static char *
added_value(const char *name, Oid type)
{
	char *any;

	switch (type)
	{
		case BOOLOID:
			any = psprintf("(SELECT bool_or(d.%s) FROM dup d)", name);
			return psprintf("coalesce(s.%1$s OR %2$s, s.%1$s, %2$s)", name, any);
		case TEXTARRAYOID:
			any = psprintf("(SELECT array_agg(DISTINCT u ORDER BY u) FROM dup d, unnest(d.%1$s) u"
						   " WHERE s.%1$s IS NULL OR u <> ALL (s.%1$s))",
				name);
			return psprintf("coalesce(s.%1$s || coalesce(%2$s, '{}'), %2$s, %3$s)", name, any,
				newest(name, psprintf("d.%s IS NOT NULL", name)));
		case JSONBOID:
			any = psprintf(
				"(SELECT jsonb_object_agg(e.key, e.value ORDER BY d.created_at, d.id) FROM dup d,"
				" jsonb_each(CASE jsonb_typeof(d.%1$s) WHEN 'object' THEN d.%1$s END) e)",
				name);
			return psprintf("CASE WHEN jsonb_typeof(s.%1$s) <> 'object' THEN s.%1$s"
							" ELSE coalesce(%2$s || s.%1$s, s.%1$s, %2$s, %3$s) END",
				name, any, newest(name, psprintf("d.%s IS NOT NULL", name)));
		case UUIDOID:
			/* a lead that was referred by its own duplicate was referred by nobody else */
			return psprintf("coalesce(s.%s, %s)", name,
				newest(name, psprintf("d.%1$s IS NOT NULL AND d.%1$s <> ALL ($3)", name)));
		default:
			return psprintf(
				"coalesce(s.%s, %s)", name, newest(name, psprintf("d.%s IS NOT NULL", name)));
	}
}

/*
 * The columns that somebody has added.  What one lead alone may have stays, since
 * a duplicate keeps its own.
 */
static void
append_added_columns(StringInfo columns, StringInfo values)
{
	LS_QUERY(query,
		"SELECT quote_ident(a.attname), a.atttypid::integer FROM pg_attribute a"
		" WHERE a.attrelid = 'lead_system.leads'::regclass AND a.attnum > 0 AND NOT a.attisdropped"
		"   AND a.attgenerated = '' AND a.attidentity = '' AND a.attname <> ALL ($1)"
		"   AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = a.attrelid"
		"                      AND i.indisunique AND a.attnum = ANY (i.indkey))"
		" ORDER BY a.attnum",
		TEXTARRAYOID);
	Datum ours[LEAD_N_COLUMNS];
	LsArgs args = {0};
	uint64 n;
	uint64 row;
	int i;

	for (i = 0; i < LEAD_N_COLUMNS; i++)
		ours[i] = CStringGetTextDatum(ls_lead_columns[i].name);
	ls_arg_datum(&args,
		PointerGetDatum(construct_array(ours, LEAD_N_COLUMNS, TEXTOID, -1, false, TYPALIGN_INT)),
		false);
	n = ls_query_run(&query, &args, LS_WRITE);
	for (row = 0; row < n; row++)
	{
		char *name = ls_result_text(row, 1);

		appendStringInfo(columns, ", %s", name);
		appendStringInfo(values, ", %s", added_value(name, (Oid) ls_result_int32(row, 2)));
	}
}

/* The statement that merges the duplicates among $3 into lead $4. */
char *
ls_move_survivor_statement(void)
{
	StringInfoData columns;
	StringInfoData values;
	int i;

	initStringInfo(&columns);
	initStringInfo(&values);
	for (i = 0; i < LEAD_N_COLUMNS; i++)
	{
		if (is_kept((LsLeadColumn) i))
			continue;
		appendStringInfo(&columns, "%s%s", columns.len > 0 ? ", " : "", ls_lead_columns[i].name);
		appendStringInfo(
			&values, "%s%s", values.len > 0 ? ", " : "", merged_value((LsLeadColumn) i));
	}
	append_added_columns(&columns, &values);
	return psprintf(
		"WITH dup AS (SELECT d.* FROM lead_system.leads d WHERE d.organization_id = $1"
		"  AND d.id = ANY ($3) AND d.id <> $4)"
		" UPDATE lead_system.leads l SET (%s) ="
		"  (SELECT %s FROM lead_system.leads s WHERE s.organization_id = $1 AND s.id = $4)"
		" WHERE l.organization_id = $1 AND l.id = $4",
		columns.data, values.data);
}
