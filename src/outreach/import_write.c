/*-------------------------------------------------------------------------
 *
 * import_write.c
 *	  The statements that write units of an import: match, insert, update, list.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/query.h"
#include "core/uuid.h"
#include "outreach/import_write.h"

/* What a column gets in a new lead when the row has no value for it. */
typedef struct ColumnDefault
{
	LsLeadColumn column;
	const char *expression;
} ColumnDefault;

static const ColumnDefault column_defaults[] = {
	{LEAD_enrichment_status, "'Pending'"},
	{LEAD_priority_flag, "false"},
	{LEAD_email_reply_count, "0"},
	{LEAD_email_open_count, "0"},
	{LEAD_link_click_count, "0"},
	{LEAD_sms_reply_count, "0"},
	{LEAD_pricing_page_visits, "0"},
	{LEAD_demo_video_watched, "false"},
	{LEAD_source_metadata, "'{}'"},
	{LEAD_external_ids, "'{}'"},
	{LEAD_metadata, "'{}'"},
	{LEAD_is_spam, "false"},
	{LEAD_needs_review, "false"},
	{LEAD_is_qualified, "false"},
	{LEAD_do_not_call, "false"},
	{LEAD_tags, "'{}'"},
	{LEAD_created_at, "lead_system.clock_now()"},
};

/* A statement over arrays of columns. */
typedef struct ArrayStatement
{
	StringInfoData sql;
	int n;
	Oid types[LEAD_N_COLUMNS + 2];
	Datum values[LEAD_N_COLUMNS + 2];
} ArrayStatement;

/* A column of units as an array; arrays of texts go as texts. */
static Datum
column_array(LsImportUnit **units, int n, LsLeadColumn column, Oid *array_type)
{
	Oid type = ls_lead_columns[column].type;
	bool as_text = (type == TEXTARRAYOID);
	Datum *values = palloc(sizeof(Datum) * n);
	bool *nulls = palloc(sizeof(bool) * n);
	int16 typlen;
	bool typbyval;
	char typalign;
	int lower_bound = 1;
	int i;

	for (i = 0; i < n; i++)
	{
		nulls[i] = !units[i]->input.set[column];
		values[i] = units[i]->input.values[column];
		if (!nulls[i] && as_text)
			values[i] = CStringGetTextDatum(OidOutputFunctionCall(F_ARRAY_OUT, values[i]));
	}
	if (as_text)
		type = TEXTOID;
	*array_type = get_array_type(type);
	get_typlenbyvalalign(type, &typlen, &typbyval, &typalign);
	return PointerGetDatum(
		construct_md_array(values, nulls, 1, &n, &lower_bound, type, typlen, typbyval, typalign));
}

/* Which columns do any of the units set? */
static List *
columns_of(LsImportUnit **units, int n)
{
	List *columns = NIL;
	int column;
	int i;

	for (column = 0; column < LEAD_N_COLUMNS; column++)
	{
		if (column == LEAD_id || column == LEAD_organization_id)
			continue;
		for (i = 0; i < n; i++)
		{
			if (units[i]->input.set[column])
			{
				columns = lappend_int(columns, column);
				break;
			}
		}
	}
	return columns;
}

/* An array column as the lead's column wants it. */
static char *
incoming(LsLeadColumn column)
{
	return psprintf("u.%s%s", ls_lead_columns[column].name,
		ls_lead_columns[column].type == TEXTARRAYOID ? "::text[]" : "");
}

/* Start a statement: $1 is the organisation, $2 the ids of the leads. */
static void
statement_start(ArrayStatement *statement, const LsImport *import, LsImportUnit **units, int n)
{
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * n);
	int i;

	for (i = 0; i < n; i++)
		ids[i] = units[i]->lead;
	initStringInfo(&statement->sql);
	statement->types[0] = UUIDOID;
	statement->values[0] = UUIDPGetDatum(&import->org);
	statement->types[1] = UUIDARRAYOID;
	statement->values[1] = ls_uuid_array(ids, n);
	statement->n = 2;
}

/* Add the FROM item: unnest of all arrays, named u. */
static void
statement_unnest(ArrayStatement *statement, List *columns, LsImportUnit **units, int n)
{
	StringInfoData names;
	ListCell *cell;

	initStringInfo(&names);
	appendStringInfoString(&statement->sql, " FROM unnest($2");
	foreach (cell, columns)
	{
		LsLeadColumn column = (LsLeadColumn) lfirst_int(cell);

		statement->values[statement->n] =
			column_array(units, n, column, &statement->types[statement->n]);
		statement->n++;
		appendStringInfo(&statement->sql, ", $%d", statement->n);
		appendStringInfo(&names, ", %s", ls_lead_columns[column].name);
	}
	appendStringInfo(&statement->sql, ") u(id%s)", names.data);
}

/* Run it; returns the number of rows. */
static uint64
statement_run(ArrayStatement *statement)
{
	int rc = SPI_execute_with_args(
		statement->sql.data, statement->n, statement->types, statement->values, NULL, false, 0);

	if (rc < 0)
		elog(ERROR, "\"%s\" failed: %s", statement->sql.data, SPI_result_code_string(rc));
	return SPI_processed;
}

/* The value of a column for a new lead. */
static char *
insert_expression(LsLeadColumn column)
{
	int i;

	for (i = 0; i < (int) lengthof(column_defaults); i++)
	{
		if (column_defaults[i].column == column)
			return psprintf("coalesce(%s, %s)", incoming(column), column_defaults[i].expression);
	}
	return incoming(column);
}

/* Insert leads that are not there yet. */
static void
insert_units(LsImport *import, LsImportUnit **units, int n)
{
	List *columns = columns_of(units, n);
	ArrayStatement statement;
	StringInfoData expressions;
	ListCell *cell;

	if (n == 0)
		return;
	statement_start(&statement, import, units, n);
	initStringInfo(&expressions);
	appendStringInfoString(&statement.sql, "INSERT INTO lead_system.leads (organization_id, id");
	foreach (cell, columns)
	{
		LsLeadColumn column = (LsLeadColumn) lfirst_int(cell);

		appendStringInfo(&statement.sql, ", %s", ls_lead_columns[column].name);
		appendStringInfo(&expressions, ", %s", insert_expression(column));
	}
	appendStringInfo(&statement.sql, ") SELECT $1, u.id%s", expressions.data);
	statement_unnest(&statement, columns, units, n);
	import->counts.inserted += (int) statement_run(&statement);
}

/* The value of a column for a lead that is there: what is set overwrites (I13). */
static char *
update_expression(LsLeadColumn column)
{
	const char *name = ls_lead_columns[column].name;

	if (ls_lead_fills_only(column))
		return psprintf("coalesce(l.%s, %s)", name, incoming(column));
	if (ls_lead_columns[column].flags & LS_LEAD_STICKY)
		return psprintf("l.%s OR coalesce(%s, false)", name, incoming(column));
	if (ls_lead_columns[column].type == JSONBOID)
		return psprintf("l.%s || coalesce(%s, '{}')", name, incoming(column));
	if (ls_lead_columns[column].type == TEXTARRAYOID)
		return psprintf("l.%s || ARRAY(SELECT t FROM unnest(%s) t WHERE t <> ALL (l.%s))", name,
			incoming(column), name);
	return psprintf("coalesce(%s, l.%s)", incoming(column), name);
}

/* Update leads that are there, where something differs; returns how many. */
static int
update_units(LsImport *import, LsImportUnit **units, int n)
{
	List *columns = columns_of(units, n);
	ArrayStatement statement;
	StringInfoData old_values;
	StringInfoData new_values;
	ListCell *cell;

	if (n == 0 || columns == NIL)
		return 0;
	statement_start(&statement, import, units, n);
	initStringInfo(&old_values);
	initStringInfo(&new_values);
	appendStringInfoString(&statement.sql, "UPDATE lead_system.leads l SET ");
	foreach (cell, columns)
	{
		LsLeadColumn column = (LsLeadColumn) lfirst_int(cell);
		const char *separator = cell == list_head(columns) ? "" : ", ";
		char *expression = update_expression(column);

		appendStringInfo(
			&statement.sql, "%s%s = %s", separator, ls_lead_columns[column].name, expression);
		appendStringInfo(&old_values, "%sl.%s", separator, ls_lead_columns[column].name);
		appendStringInfo(&new_values, "%s%s", separator, expression);
	}
	statement_unnest(&statement, columns, units, n);
	appendStringInfo(&statement.sql,
		" WHERE l.organization_id = $1 AND l.id = u.id AND ROW(%s) IS DISTINCT FROM ROW(%s)",
		old_values.data, new_values.data);
	return (int) statement_run(&statement);
}

/* The lead that a unit is about, among those that exist. */
static void
match_units(LsImport *import, LsImportUnit *units, int n)
{
/* clang-format off */
#define LIVE_LEAD(condition) \
	"LEFT JOIN LATERAL (SELECT l.id FROM lead_system.leads l WHERE l.organization_id = $1 AND " condition \
	" AND l.deleted_at IS NULL ORDER BY l.created_at, l.id LIMIT 1) "
	LS_QUERY(query,
		"SELECT k.ordinality::integer, coalesce(i.id, s.id, e.id, p.id)"
		"  FROM unnest($2, $3, $4, $5, $6) WITH ORDINALITY"
		"       k(id, source, source_id, email, phone_number, ordinality) "
		LIVE_LEAD("l.id = k.id") "i ON true "
		LIVE_LEAD("l.source_id = k.source_id AND l.source IS NOT DISTINCT FROM k.source")
		"s ON i.id IS NULL " LIVE_LEAD("l.email = k.email") "e ON i.id IS NULL AND s.id IS NULL "
		LIVE_LEAD("l.phone_number = k.phone_number")
		"p ON i.id IS NULL AND s.id IS NULL AND e.id IS NULL",
		UUIDOID, UUIDARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID);
	/* clang-format on */
	static const LsLeadColumn keys[] = {
		LEAD_id, LEAD_source, LEAD_source_id, LEAD_email, LEAD_phone_number};
	LsImportUnit **all = palloc(sizeof(LsImportUnit *) * n);
	LsArgs args = {0};
	Oid array_type;
	uint64 found;
	uint64 row;
	int i;

	for (i = 0; i < n; i++)
	{
		all[i] = &units[i];
		units[i].matched = units[i].folded = false;
	}
	ls_arg_uuid(&args, &import->org);
	for (i = 0; i < (int) lengthof(keys); i++)
		ls_arg_datum(&args, column_array(all, n, keys[i], &array_type), false);
	found = ls_query_run(&query, &args, LS_WRITE);
	for (row = 0; row < found; row++)
	{
		LsImportUnit *unit = &units[ls_result_int32(row, 1) - 1];

		if (!ls_result_isnull(row, 2))
		{
			unit->matched = true;
			unit->lead = ls_result_uuid(row, 2);
		}
	}
}

typedef struct LeadEntry
{
	pg_uuid_t lead; /* hash key */
	LsImportUnit *unit;
} LeadEntry;

/*
 * Two units can turn out to be the same lead, one found by its e-mail address
 * and one by its number; the later one goes into the earlier one.
 */
static void
fold_units(LsImport *import, LsImportUnit *units, int n)
{
	HASHCTL ctl = {0};
	HTAB *leads;
	int i;

	ctl.keysize = sizeof(pg_uuid_t);
	ctl.entrysize = sizeof(LeadEntry);
	ctl.hcxt = CurrentMemoryContext;
	leads =
		hash_create("lead_system imported leads", n, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	for (i = 0; i < n; i++)
	{
		LeadEntry *entry;
		bool found;

		if (!units[i].matched)
			continue;
		entry = hash_search(leads, &units[i].lead, HASH_ENTER, &found);
		if (!found)
			entry->unit = &units[i];
		else
		{
			ls_import_merge_input(&entry->unit->input, &units[i].input);
			units[i].folded = true;
		}
	}
	hash_destroy(leads);
}

/* Put the leads into the list, and count those that are blocked (D17). */
static void
list_leads(LsImport *import, const pg_uuid_t *ids, int n)
{
	LS_QUERY(add,
		"INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id, added_at)"
		" SELECT $1, $2, u, $4 FROM unnest($3) u ORDER BY u"
		" ON CONFLICT (organization_id, lead_list_id, lead_id) DO NOTHING",
		UUIDOID, UUIDOID, UUIDARRAYOID, TIMESTAMPTZOID);
	LS_QUERY(count_blocked,
		"SELECT count(*)::integer FROM lead_system.leads"
		" WHERE organization_id = $1 AND id = ANY ($2) AND do_not_call",
		UUIDOID, UUIDARRAYOID);
	Datum array = ls_uuid_array(ids, n);
	LsArgs add_args = {0};
	LsArgs count_args = {0};

	ls_arg_uuid(&add_args, &import->org);
	ls_arg_uuid(&add_args, &import->list);
	ls_arg_datum(&add_args, array, false);
	ls_arg_timestamptz(&add_args, ls_clock_now());
	ls_query_run(&add, &add_args, LS_WRITE);

	ls_arg_uuid(&count_args, &import->org);
	ls_arg_datum(&count_args, array, false);
	ls_query_run(&count_blocked, &count_args, LS_WRITE);
	import->counts.blocked += ls_result_int32(0, 1);
}

/* With on_duplicate reject, a lead that exists is a row that is rejected. */
static void
reject_existing(LsImport *import, const LsImportUnit *unit)
{
	ListCell *cell;

	foreach (cell, unit->rows)
	{
		LsImportRow *row = lfirst(cell);

		ls_import_problem(import, row->line, row->raw, strlen(row->raw), NULL, true,
			LS_ERRCODE_DUPLICATE_LEAD, "the lead exists already");
	}
}

/* Sort units into those to insert and those to update; returns all their leads. */
static int
sort_units(LsImport *import, LsImportUnit *units, int n, LsImportUnit **new, int *n_new,
	LsImportUnit **old, int *n_old, pg_uuid_t *leads)
{
	int n_leads = 0;
	int i;

	for (i = 0; i < n; i++)
	{
		if (units[i].matched && import->options.on_duplicate == LS_IMPORT_REJECT)
		{
			reject_existing(import, &units[i]);
			continue;
		}
		import->counts.duplicate += list_length(units[i].rows) - (units[i].folded ? 0 : 1);
		if (units[i].folded)
			continue;
		if (units[i].matched)
			old[(*n_old)++] = &units[i];
		else
		{
			if (units[i].input.set[LEAD_id])
				units[i].lead = *DatumGetUUIDP(units[i].input.values[LEAD_id]);
			else
				ls_uuid_v7(&units[i].lead);
			new[(*n_new)++] = &units[i];
		}
		leads[n_leads++] = units[i].lead;
	}
	return n_leads;
}

/* Write units; an error leaves nothing behind, since the caller rolls back. */
void
ls_import_write(LsImport *import, LsImportUnit *units, int n)
{
	LsImportUnit **new = palloc(sizeof(LsImportUnit *) * n);
	LsImportUnit **old = palloc(sizeof(LsImportUnit *) * n);
	pg_uuid_t *leads = palloc(sizeof(pg_uuid_t) * n);
	LsScope scope;
	int n_new = 0;
	int n_old = 0;
	int n_leads;
	int updated = 0;

	ls_scope_open(&scope, LS_AS_OWNER);
	match_units(import, units, n);
	fold_units(import, units, n);
	n_leads = sort_units(import, units, n, new, &n_new, old, &n_old, leads);
	insert_units(import, new, n_new);
	if (import->options.on_duplicate == LS_IMPORT_MERGE)
		updated = update_units(import, old, n_old);
	import->counts.updated += updated;
	import->counts.duplicate += n_old - updated;
	list_leads(import, leads, n_leads);
	ls_scope_close(&scope);
}
