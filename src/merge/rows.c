/*-------------------------------------------------------------------------
 *
 * rows.c
 *	  The tables with rows of a lead, and statements on all of them.
 *
 *	  A table belongs to leads when it refers to them by a foreign key, whatever
 *	  schema it is in, has a column lead_id as our histories do, or refers to a
 *	  table that belongs to them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "lead_system.h"
#include "core/input.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "merge/merge.h"

#define N_PARAMETERS 8

/* Tables whose triggers keep counts, or scores, of other rows, or whose rows the triggers of leads write. */
static const char *const counted_tables[] = {"campaign_leads", "lead_intent_signals",
	"lead_list_members", "lead_qualifications", "lead_sequence_enrollments", "waiting_leads"};

/* Is a table one of those? */
static bool
is_counted(const char *name)
{
	int i;

	for (i = 0; i < (int) lengthof(counted_tables); i++)
	{
		if (strcmp(counted_tables[i], name) == 0)
			return true;
	}
	return false;
}

/*
 * How the columns of table x are told, for the texts of statements: those that
 * can be updated and their values, those that can be inserted and theirs, the
 * row as JSON, and the condition by which row t is that of record p, before and
 * after its lead has become $4.
 */
#define TABLE_COLUMNS \
	" (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a" \
	"   WHERE " WRITABLE " AND a.attidentity <> 'a')," \
	" (SELECT string_agg(" VALUE ", ', ' ORDER BY a.attnum) FROM pg_attribute a" \
	"   WHERE " WRITABLE " AND a.attidentity <> 'a')," \
	" (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a" \
	"   WHERE " WRITABLE ")," \
	" (SELECT string_agg(" VALUE ", ', ' ORDER BY a.attnum) FROM pg_attribute a" \
	"   WHERE " WRITABLE ")," \
	" 'to_jsonb(t)' || coalesce((SELECT string_agg(" WRAPPED \
	", '' ORDER BY a.attnum) FROM pg_attribute a" \
	"   WHERE " WRITABLE " AND a.atttypid IN ('json'::regtype, 'jsonb'::regtype)), '')," \
	" (SELECT string_agg(format('t.%1$I = p.%1$I', a.attname), ' AND ')" PRIMARY_KEY ")," \
	" (SELECT string_agg(format(CASE WHEN a.attname = x.attname THEN 't.%1$I = $4'" \
	"                                ELSE 't.%1$I = p.%1$I' END, a.attname), ' AND ')" PRIMARY_KEY \
	")"

#define WRITABLE \
	"a.attrelid = x.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''"
#define PRIMARY_KEY \
	"    FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)" \
	"   WHERE i.indrelid = x.oid AND i.indisprimary"

/*
 * In a row that is JSON, a null of JSON would be the same as no value, and a
 * column of type json would lose how it is written.  Such a value v is kept as
 * {"=": v}, and so is one that looks like that.
 */
#define WRAPPED \
	"format(CASE a.atttypid WHEN 'json'::regtype" \
	"  THEN ' || CASE WHEN t.%1$I IS NULL THEN ''{}'' ELSE jsonb_build_object(%1$L, jsonb_build_object(''='', t.%1$I::text)) END'" \
	"  ELSE ' || CASE WHEN t.%1$I = ''null'' OR jsonb_typeof(t.%1$I) = ''object'' AND t.%1$I ? ''=''" \
	"              THEN jsonb_build_object(%1$L, jsonb_build_object(''='', t.%1$I)) ELSE ''{}'' END' END, a.attname)"
#define VALUE \
	"format(CASE a.atttypid WHEN 'json'::regtype THEN 'coalesce((%1$I ->> ''='')::json, %1$I)'" \
	"       WHEN 'jsonb'::regtype THEN 'CASE WHEN jsonb_typeof(%1$I) = ''object'' AND %1$I ? ''=''" \
	"         THEN %1$I -> ''='' ELSE %1$I END' ELSE '%1$I' END, a.attname)"

/* Read what TABLE_COLUMNS tells, from a column of the result on. */
static void
read_columns(LsMoveTable *table, uint64 row, int column)
{
	table->columns = ls_result_text(row, column);
	table->values = ls_result_text(row, column + 1);
	table->insert_columns = ls_result_text(row, column + 2);
	table->insert_values = ls_result_text(row, column + 3);
	table->row = ls_result_text(row, column + 4);
	table->key = ls_result_text(row, column + 5);
	table->moved_key = ls_result_text(row, column + 6);
}

/*
 * Which tables have rows of leads: leads that refer to leads, what refers to
 * leads or is a history of ours, and what refers to those.
 */
#define TABLES_OF_LEADS \
	"WITH RECURSIVE lead_keys AS MATERIALIZED (" \
	"  SELECT max(attnum) FILTER (WHERE attname = 'id') AS id," \
	"         max(attnum) FILTER (WHERE attname = 'organization_id') AS org" \
	"    FROM pg_attribute WHERE attrelid = 'lead_system.leads'::regclass AND NOT attisdropped), " \
	"tables (oid, attname, has_fk, rule, depth, source, lead, org_is, parent, parent_column, fk) AS (" \
	"  SELECT c.oid, a.attname, f.oid IS NOT NULL, f.confdeltype, 0," \
	"         format('%s t', c.oid::regclass) COLLATE \"C\", format('t.%I', a.attname) COLLATE \"C\"," \
	"         (CASE WHEN f.oid IS NULL THEN 't.organization_id = $1'" \
	"              ELSE coalesce((SELECT format('t.%I = $1', o.attname) FROM pg_attribute o" \
	"                WHERE o.attrelid = c.oid AND o.attnum = f.conkey[array_position(f.confkey, k.org)]), 'true') END)" \
	"         COLLATE \"C\", NULL::oid, NULL::name, NULL::oid" \
	"    FROM lead_keys k CROSS JOIN pg_class c" \
	"    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped" \
	"     AND a.atttypid = 'uuid'::regtype" \
	"    LEFT JOIN pg_constraint f ON f.conrelid = c.oid AND f.contype = 'f'" \
	"     AND f.confrelid = 'lead_system.leads'::regclass" \
	"     AND a.attnum = f.conkey[array_position(f.confkey, k.id)]" \
	"   WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition" \
	"     AND (f.oid IS NOT NULL OR (a.attname = 'lead_id' AND c.relnamespace = 'lead_system'::regnamespace" \
	"           AND EXISTS (SELECT 1 FROM pg_attribute o WHERE o.attrelid = c.oid" \
	"                          AND o.attname = 'organization_id' AND NOT o.attisdropped)))" \
	"  UNION ALL" \
	"  SELECT c.oid, NULL, true, f.confdeltype, d.depth + 1," \
	"         format('%s t JOIN (SELECT t.*, %s AS \"lead of t\" FROM %s WHERE %s) d ON %s'," \
	"                c.oid::regclass, d.lead, d.source, d.org_is," \
	"                (SELECT string_agg(format('t.%I = d.%I', k.attname, p.attname), ' AND ')" \
	"                   FROM unnest(f.conkey, f.confkey) u(k, p)" \
	"                   JOIN pg_attribute k ON k.attrelid = f.conrelid AND k.attnum = u.k" \
	"                   JOIN pg_attribute p ON p.attrelid = f.confrelid AND p.attnum = u.p)) COLLATE \"C\"," \
	"         'd.\"lead of t\"' COLLATE \"C\", 'true' COLLATE \"C\"," \
	"         d.oid, d.attname, f.oid" \
	"    FROM tables d" \
	"    JOIN pg_constraint f ON f.contype = 'f' AND f.confrelid = d.oid AND f.conrelid <> d.oid" \
	"    JOIN pg_class c ON c.oid = f.conrelid AND NOT c.relispartition" \
	"   WHERE d.depth < 8 AND d.oid <> 'lead_system.leads'::regclass" \
	"     AND c.oid <> 'lead_system.leads'::regclass AND NOT EXISTS (SELECT 1 FROM pg_constraint l" \
	"           WHERE l.conrelid = c.oid AND l.contype = 'f' AND l.confrelid = 'lead_system.leads'::regclass)" \
	"     AND (c.relnamespace <> 'lead_system'::regnamespace OR NOT EXISTS (SELECT 1 FROM pg_attribute a" \
	"           WHERE a.attrelid = c.oid AND a.attname = 'lead_id'))), "

/*
 * What is told of each, in the order in which everybody locks their rows: leads,
 * the queue, other tables that refer to leads, what refers to those, the
 * histories.  A table is unfit when its rows cannot be told apart.
 */
#define TELL_OF_TABLES \
	"once AS (SELECT DISTINCT ON (oid, attname) * FROM tables ORDER BY oid, attname, depth) " \
	"SELECT CASE WHEN c.relnamespace = l.relnamespace THEN c.relname::text ELSE c.oid::regclass::text END," \
	"       x.attname::text, x.has_fk, x.source, x.lead, x.depth, c.oid::regclass::text, x.org_is," \
	"       c.oid = l.oid," \
	"       NOT EXISTS (" \
	"         SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)," \
	"       c.relnamespace <> l.relnamespace AND x.rule <> 'c', " TABLE_COLUMNS "," \
	"       c.relowner::bigint, c.relowner <> l.relowner OR EXISTS (" \
	"         SELECT 1 FROM pg_constraint f JOIN pg_class p ON p.oid = f.confrelid" \
	"          WHERE f.conrelid = c.oid AND f.contype = 'f' AND p.relowner <> l.relowner)," \
	"       x.parent::regclass::text, x.parent_column::text," \
	"       (SELECT format('jsonb_build_object(%s)', string_agg(format('%L, t.%I', k.attname, p.attname), ', '))" REFERENCE \
	")," \
	"       (SELECT string_agg(format('t.%1$I = d.%1$I', k.attname), ' AND ')" REFERENCE ")" \
	"  FROM once x JOIN pg_class c ON c.oid = x.oid JOIN pg_class l ON l.oid = 'lead_system.leads'::regclass" \
	" ORDER BY c.oid <> l.oid, c.relname <> 'campaign_leads', NOT x.has_fk, x.depth, c.relname, c.oid, x.attname"

#define REFERENCE \
	"    FROM pg_constraint f CROSS JOIN LATERAL unnest(f.conkey, f.confkey) u(k, p)" \
	"    JOIN pg_attribute k ON k.attrelid = f.conrelid AND k.attnum = u.k" \
	"    JOIN pg_attribute p ON p.attrelid = f.confrelid AND p.attnum = u.p WHERE f.oid = x.fk"

/*
 * Read whose a table is, from a column of the result on, and what it refers to,
 * which is among the tables that have been read.  A deeper one is theirs with its
 * parent, and finds its rows by what it is given of that one's.
 */
static void
read_owner(LsMoveTable *table, uint64 row, int column, const LsMoveTable *tables)
{
	char *parent = ls_result_text(row, column + 2);
	char *parent_column = ls_result_text(row, column + 3);
	const LsMoveTable *other;

	table->owner = (Oid) ls_result_int64(row, column);
	table->theirs = ls_result_bool(row, column + 1);
	table->parent = NULL;
	if (parent == NULL)
		return;
	for (other = tables; other < table; other++)
	{
		if (strcmp(other->relation, parent) == 0 &&
			(other->column == NULL || parent_column == NULL
					? other->column == parent_column
					: strcmp(other->column, parent_column) == 0))
			break;
	}
	if (other == table)
		elog(ERROR, "table \"%s\" comes before table \"%s\"", table->relation, parent);
	table->theirs |= other->theirs;
	if (!table->theirs)
		return;
	/* a copy, since lists of tables are shortened in place */
	table->parent = memcpy(SPI_palloc(sizeof(LsMoveTable)), other, sizeof(LsMoveTable));
	table->parent_keys = ls_result_text(row, column + 4);
	table->source =
		psprintf("%1$s t JOIN (SELECT e.lead AS \"lead of t\", p.*"
				 "   FROM jsonb_to_recordset($7) e(lead uuid, k jsonb)"
				 "  CROSS JOIN LATERAL jsonb_populate_record(NULL::%1$s, e.k) p) d ON %2$s",
			table->relation, ls_result_text(row, column + 5));
}

/* The tables, in that order. */
LsMoveTable *
ls_move_tables(int *n)
{
	LS_QUERY0(query, TABLES_OF_LEADS TELL_OF_TABLES);
	uint64 rows = ls_query_run(&query, NULL, LS_WRITE);
	LsMoveTable *tables = SPI_palloc(sizeof(LsMoveTable) * (rows + 1));
	uint64 row;

	for (row = 0; row < rows; row++)
	{
		LsMoveTable *table = &tables[row];

		table->name = ls_result_text(row, 1);
		table->column = ls_result_text(row, 2);
		table->has_fk = ls_result_bool(row, 3);
		table->source = ls_result_text(row, 4);
		table->lead = ls_result_text(row, 5);
		table->depth = ls_result_int32(row, 6);
		table->relation = ls_result_text(row, 7);
		table->org_is = ls_result_text(row, 8);
		table->is_leads = ls_result_bool(row, 9);
		table->unfit = ls_result_bool(row, 10);
		table->stays = ls_result_bool(row, 11) || table->unfit || table->is_leads;
		read_columns(table, row, 12);
		read_owner(table, row, 19, tables);
		table->counted = is_counted(table->name);
	}
	*n = (int) rows;
	return tables;
}

/*
 * The tables whose rows go into the archive with their lead, or keep it out of it.
 * Consents stay: what was granted and taken back holds for the number, whoever
 * comes with it.
 */
LsMoveTable *
ls_move_archived_tables(int *n)
{
	int all;
	LsMoveTable *tables = ls_move_tables(&all);
	int i;

	*n = 0;
	for (i = 0; i < all; i++)
	{
		if (strcmp(tables[i].name, "contact_consents") != 0)
			tables[(*n)++] = tables[i];
	}
	return tables;
}

/* Leads themselves, in the same form. */
LsMoveTable *
ls_move_leads_table(void)
{
	LS_QUERY0(query,
		"SELECT " TABLE_COLUMNS
		"  FROM (SELECT 'lead_system.leads'::regclass::oid AS oid, 'id'::name AS attname) x");
	LsMoveTable *table = SPI_palloc(sizeof(LsMoveTable));

	(void) ls_query_run(&query, NULL, LS_WRITE);
	memset(table, 0, sizeof(LsMoveTable));
	table->name = "leads";
	table->relation = "lead_system.leads";
	table->column = "id";
	table->has_fk = table->counted = true;
	table->source = "lead_system.leads t";
	table->lead = "t.id";
	table->org_is = "t.organization_id = $1";
	read_columns(table, 0, 1);
	table->moved_key = table->key;
	return table;
}

/* Do two entries tell of the same table, of which several columns refer to leads? */
bool
ls_move_same_table(const LsMoveTable *a, const LsMoveTable *b)
{
	return strcmp(a->relation, b->relation) == 0;
}

/* Values are written down as they are, whatever the session's settings are. */
void
ls_move_set_formats(void)
{
	static const char *const settings[][2] = {
		{"bytea_output", "hex"}, {"extra_float_digits", "3"}, {"IntervalStyle", "postgres"}};
	int i;

	for (i = 0; i < (int) lengthof(settings); i++)
		(void) set_config_option(settings[i][0], settings[i][1], PGC_USERSET, PGC_S_SESSION,
			GUC_ACTION_SAVE, true, 0, false);
}

/* Run a statement of a move; returns the number of rows. */
uint64
ls_move_run(const LsMove *move, const char *sql)
{
	Oid types[N_PARAMETERS] = {
		UUIDOID, UUIDOID, UUIDARRAYOID, UUIDOID, TIMESTAMPTZOID, INT4OID, JSONBOID, JSONBOID};
	Datum values[N_PARAMETERS] = {UUIDPGetDatum(&move->org), UUIDPGetDatum(&move->merge),
		move->leads, UUIDPGetDatum(&move->survivor), TimestampTzGetDatum(move->now),
		Int32GetDatum(move->number), move->given, move->found};
	char nulls[N_PARAMETERS] = {' ', ' ', move->leads == (Datum) 0 ? 'n' : ' ', ' ', ' ', ' ',
		move->given == (Datum) 0 ? 'n' : ' ', move->found == (Datum) 0 ? 'n' : ' '};
	int rc = SPI_execute_with_args(sql, N_PARAMETERS, types, values, nulls, false, 0);

	if (rc < 0)
		elog(ERROR, "\"%s\" failed: %s", sql, SPI_result_code_string(rc));
	return SPI_processed;
}

/*
 * What a move reads has to be all that there is: with an older snapshot, rows
 * that others have written would be missed.
 */
void
ls_move_require_read_committed(const char *what)
{
	if (IsolationUsesXactSnapshot())
		ereport(ERROR, (errcode(ERRCODE_INVALID_TRANSACTION_STATE),
						   errmsg("%s in isolation level READ COMMITTED only", what),
						   errdetail("With an older snapshot, rows that others have written would "
									 "be missed.")));
}

/* Lock the rows that belong to leads, but for histories, which nobody changes. */
void
ls_move_lock_rows(const LsMove *move, const LsMoveTable *tables, int n)
{
	int i;

	for (i = 0; i < n; i++)
	{
		if (tables[i].has_fk)
			(void) ls_move_run_on(move, &tables[i],
				psprintf("SELECT 1 FROM %s WHERE %s AND %s = ANY ($3) FOR UPDATE OF t",
					tables[i].source, tables[i].org_is, tables[i].lead),
				false);
	}
}

/*
 * Lock the leads of a move, in the order of their ids, and then the rows that
 * belong to them.  Who is writing about one of their numbers to the do-not-call
 * list is waited for first, since a lead that is written asks for its number.
 */
void
ls_move_lock_leads(const LsMove *move, int n_expected, const LsMoveTable *tables, int n)
{
	(void) ls_move_run(move,
		"SELECT lead_system.is_on_dnc_list(l.phone_number, $1) FROM lead_system.leads l"
		" WHERE l.organization_id = $1 AND l.id = ANY ($3) ORDER BY l.phone_number");
	if (ls_move_run(move, "SELECT l.id FROM lead_system.leads l WHERE l.organization_id = $1"
						  " AND l.id = ANY ($3) ORDER BY l.id FOR UPDATE") != (uint64) n_expected)
		ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND), errmsg("a lead does not exist"),
						   errdetail("One of the leads is not there, or is not yours.")));
	ls_move_lock_rows(move, tables, n);
}

/*
 * Conditions, each with AND before it, under which what a row t refers to is
 * there: rows that are brought back exactly are not looked at by foreign keys.
 * What is brought back by the same statement is in ls_new.  Of a table of theirs
 * only that one itself: the others with_parents() has asked.
 */
char *
ls_move_parents_exist(const LsMoveTable *table)
{
	LS_QUERY(query,
		"SELECT coalesce(string_agg(format(' AND (%s OR EXISTS (SELECT 1 FROM %s f WHERE %s)%s)',"
		"   (SELECT string_agg(format('t.%I IS NULL', k.attname), ' OR ') FROM unnest(f.conkey) u(k)"
		"      JOIN pg_attribute k ON k.attrelid = f.conrelid AND k.attnum = u.k),"
		"   f.confrelid::regclass, e.same,"
		"   CASE WHEN f.conrelid = f.confrelid THEN format(' OR EXISTS (SELECT 1 FROM ls_new f WHERE %s)', e.same)"
		"        ELSE '' END), ''), '')"
		"  FROM pg_constraint f CROSS JOIN LATERAL ("
		"    SELECT string_agg(format('f.%I = t.%I', p.attname, k.attname), ' AND ') AS same"
		"      FROM unnest(f.conkey, f.confkey) u(k, p)"
		"      JOIN pg_attribute k ON k.attrelid = f.conrelid AND k.attnum = u.k"
		"      JOIN pg_attribute p ON p.attrelid = f.confrelid AND p.attnum = u.p) e"
		" WHERE f.contype = 'f' AND f.conrelid = $1::regclass AND f.conparentid = 0"
		"   AND (NOT $2 OR f.confrelid = f.conrelid)",
		TEXTOID, BOOLOID);
	LsArgs args = {0};

	ls_arg_text(&args, table->relation);
	ls_arg_bool(&args, table->theirs);
	(void) ls_query_run(&query, &args, LS_WRITE);
	return ls_result_text(0, 1);
}

/*
 * Leads that came back and were listed in the meantime are not called: those for
 * which was_free tells that they were not blocked before.
 */
void
ls_move_block_queue(const LsMove *move, const char *was_free)
{
	(void) ls_move_run(
		move, psprintf("UPDATE lead_system.campaign_leads c SET status = 'dnc'"
					   "  FROM lead_system.leads l WHERE l.organization_id = $1 AND l.id = ANY ($3)"
					   "   AND l.do_not_call AND c.organization_id = $1 AND c.lead_id = l.id"
					   "   AND c.status IN ('new', 'queued') AND %s",
				  was_free));
}

/* Write a line to the activities of a lead. */
void
ls_move_note(const LsMove *move, const pg_uuid_t *lead, const char *action, const char *key,
	const char *value)
{
	LsActivity activity = {&move->org, lead, action, NULL, NULL, NULL};

	if (value != NULL)
		activity.new_value = ls_json_pair_text(key, value);
	(void) ls_activity_add(&activity);
}

/* Sweep organisations; what is moved must be seen as it is. */
int64
ls_move_sweep(LsQuery *organizations, LsSweep sweep, int64 batch)
{
	ls_move_require_read_committed("leads are moved");
	return ls_sweep(organizations, sweep, batch, 1000000);
}
