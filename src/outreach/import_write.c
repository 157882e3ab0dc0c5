/*-------------------------------------------------------------------------
 *
 * import_write.c
 *	  The statements that write units of an import: insert, update, list.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"

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
Datum
ls_import_column_array(LsImportUnit **units, int n, LsLeadColumn column, Oid *array_type)
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
			ls_import_column_array(units, n, column, &statement->types[statement->n]);
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

/*
 * Leads, in a statement that names them by id.  The form of the condition on
 * the organisation keeps indexes that begin with it out of consideration: to a
 * planner without statistics of the tenant they look as good as the primary
 * key, and reading one means reading all leads of the tenant.
 */
#define BY_KEY "(l.organization_id = $1) IS TRUE AND l.id = "

/* Likewise this keeps partial indexes on live leads out of consideration. */
#define LIVE "pg_catalog.num_nulls(l.deleted_at) = 1"

/*
 * Run a statement that uses BY_KEY.  It is planned without knowing the values,
 * and with sequential scans off, so the primary key is what is left; settings
 * are restored before it runs, since triggers plan their own queries then.
 */
static uint64
statement_run_by_key(ArrayStatement *statement)
{
	int nest_level = NewGUCNestLevel();
	CachedPlan *generic;
	SPIPlanPtr plan;
	int rc;

	set_config_option(
		"enable_seqscan", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	plan = SPI_prepare_cursor(
		statement->sql.data, statement->n, statement->types, CURSOR_OPT_GENERIC_PLAN);
	generic = plan ? SPI_plan_get_cached_plan(plan) : NULL;
	if (generic == NULL)
		elog(ERROR, "could not plan \"%s\"", statement->sql.data);
	ReleaseCachedPlan(generic, NULL);
	AtEOXact_GUC(false, nest_level);
	rc = SPI_execute_plan(plan, statement->values, NULL, false, 0);
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

/* Order of ids. */
static int
compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, UUID_LEN);
}

/* Which leads are not among the rows that a statement returned? */
static int
not_returned(LsImportUnit **units, int n, uint64 n_returned, pg_uuid_t *missed)
{
	pg_uuid_t *returned = palloc(sizeof(pg_uuid_t) * Max(n_returned, 1));
	int n_missed = 0;
	uint64 row;
	int i;

	for (row = 0; row < n_returned; row++)
		returned[row] = ls_result_uuid(row, 1);
	qsort(returned, n_returned, sizeof(pg_uuid_t), compare_ids);
	for (i = 0; i < n; i++)
	{
		if (bsearch(&units[i]->lead, returned, n_returned, sizeof(pg_uuid_t), compare_ids) == NULL)
			missed[n_missed++] = units[i]->lead;
	}
	return n_missed;
}

/*
 * Update leads that are there, where something differs; returns how many.  The
 * others go to *missed: nothing differs, or they are deleted by now.
 */
static int
update_units(LsImport *import, LsImportUnit **units, int n, pg_uuid_t *missed, int *n_missed)
{
	List *columns = columns_of(units, n);
	ArrayStatement statement;
	StringInfoData old_values;
	StringInfoData new_values;
	ListCell *cell;
	uint64 updated;

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
		" WHERE " BY_KEY "u.id AND " LIVE " AND ROW(%s) IS DISTINCT FROM ROW(%s)"
		" RETURNING l.id",
		old_values.data, new_values.data);
	updated = statement_run_by_key(&statement);
	*n_missed = not_returned(units, n, updated, missed);
	return (int) updated;
}

/* Put the leads into the list. */
static void
list_leads(LsImport *import, const pg_uuid_t *ids, int n)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id, added_at)"
		" SELECT $1, $2, u, $4 FROM unnest($3) u ORDER BY u"
		" ON CONFLICT (organization_id, lead_list_id, lead_id) DO NOTHING",
		UUIDOID, UUIDOID, UUIDARRAYOID, TIMESTAMPTZOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &import->org);
	ls_arg_uuid(&args, &import->list);
	ls_arg_datum(&args, ls_uuid_array(ids, n), false);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_query_run(&query, &args, LS_WRITE);
}

/*
 * Count the leads that are blocked (D17).  Those that were not updated must be
 * there still: one that was deleted after it was found is not what the row is
 * about, and the caller tries again.
 */
static int
count_blocked(
	const LsImport *import, const pg_uuid_t *ids, int n, const pg_uuid_t *missed, int n_missed)
{
	ArrayStatement statement;

	statement.n = 3;
	statement.types[2] = UUIDARRAYOID;
	statement.values[2] = ls_uuid_array(missed, n_missed);
	statement.types[0] = UUIDOID;
	statement.values[0] = UUIDPGetDatum(&import->org);
	statement.types[1] = UUIDARRAYOID;
	statement.values[1] = ls_uuid_array(ids, n);
	initStringInfo(&statement.sql);
	appendStringInfoString(&statement.sql,
		"SELECT count(*) FILTER (WHERE l.do_not_call)::integer,"
		"       count(*) FILTER (WHERE CASE WHEN l.deleted_at IS NOT NULL THEN l.id = ANY ($3) END)::integer"
		"  FROM lead_system.leads l"
		" WHERE " BY_KEY "ANY ($2)");
	(void) statement_run_by_key(&statement);
	if (ls_result_int32(0, 2) > 0)
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						   errmsg("a lead was deleted while it was imported"),
						   errhint("Retry the transaction.")));
	return ls_result_int32(0, 1);
}

/*
 * With on_duplicate reject, a lead that exists is a row that is rejected; of a
 * new lead's rows, the first makes it exist.
 */
static void
reject_existing(LsImport *import, const LsImportUnit *unit)
{
	ListCell *cell;

	for_each_from(cell, unit->rows, unit->matched ? 0 : 1)
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
		if (units[i].refused || units[i].postponed)
			continue;
		if (import->options.on_duplicate == LS_IMPORT_REJECT)
		{
			reject_existing(import, &units[i]);
			if (units[i].matched)
				continue;
		}
		else
			import->counts.duplicate += list_length(units[i].rows) - (units[i].folded ? 0 : 1);
		if (units[i].folded)
			continue;
		if (units[i].matched)
			old[(*n_old)++] = import->options.on_duplicate == LS_IMPORT_MERGE
								  ? ls_import_mergeable(import, &units[i])
								  : &units[i];
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
	pg_uuid_t *missed = palloc(sizeof(pg_uuid_t) * n);
	LsScope scope;
	int n_missed = 0;
	int n_new = 0;
	int n_old = 0;
	int n_leads;
	int updated = 0;
	int i;

	ls_scope_open(&scope, LS_AS_OWNER);
	ls_import_match(import, units, n);
	n_leads = sort_units(import, units, n, new, &n_new, old, &n_old, leads);
	insert_units(import, new, n_new);
	if (import->options.on_duplicate == LS_IMPORT_MERGE)
		updated = update_units(import, old, n_old, missed, &n_missed);
	import->counts.updated += updated;
	import->counts.duplicate += n_old - updated;
	list_leads(import, leads, n_leads);
	import->counts.blocked += count_blocked(import, leads, n_leads, missed, n_missed);
	ls_scope_close(&scope);
	for (i = 0; i < n; i++)
	{
		if (units[i].postponed)
			ls_import_write(import, &units[i], 1);
	}
}
