/*-------------------------------------------------------------------------
 *
 * filter_sql.c
 *	  A filter written as SQL: with parameters, to be run, or with literals, to
 *	  be read.
 *
 *	  Columns stand alone on one side of their operators, so that an index can be
 *	  used.  Says what filter_eval.c says.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pgtime.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"

#include "lead_system.h"
#include "core/query.h"
#include "segments/filter.h"

/* Start a text. */
void
ls_lead_filter_sql_start(LsFilterSql *sql, bool literals, TimestampTz now)
{
	memset(sql, 0, sizeof(LsFilterSql));
	initStringInfo(&sql->text);
	sql->literals = literals;
	sql->now = now;
	sql->max_params = 16;
	sql->types = palloc(sizeof(Oid) * sql->max_params);
	sql->values = palloc(sizeof(Datum) * sql->max_params);
}

/* Add a parameter; returns its number. */
int
ls_lead_filter_sql_param(LsFilterSql *sql, Oid type, Datum value)
{
	if (sql->n_params == sql->max_params)
	{
		sql->max_params *= 2;
		sql->types = repalloc(sql->types, sizeof(Oid) * sql->max_params);
		sql->values = repalloc(sql->values, sizeof(Datum) * sql->max_params);
	}
	sql->types[sql->n_params] = type;
	sql->values[sql->n_params] = value;
	return ++sql->n_params;
}

/* An instant in a form that every session reads in the same way. */
static char *
time_text(TimestampTz value)
{
	char text[MAXDATELEN + 1];
	struct pg_tm tm;
	fsec_t fsec;

	if (TIMESTAMP_IS_NOBEGIN(value))
		return "-infinity";
	if (TIMESTAMP_IS_NOEND(value))
		return "infinity";
	if (timestamp2tm(value, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range")));
	tm.tm_isdst = 0; /* known, so the zone is shown */
	EncodeDateTime(&tm, fsec, true, 0, NULL, USE_ISO_DATES, text);
	return pstrdup(text);
}

/* A constant as a literal. */
static void
append_literal(LsFilterSql *sql, Oid type, Datum value)
{
	Oid output;
	bool varlena;
	char *text;

	if (type == TIMESTAMPTZOID)
	{
		appendStringInfo(&sql->text, "timestamptz '%s'", time_text(DatumGetTimestampTz(value)));
		return;
	}
	getTypeOutputInfo(type, &output, &varlena);
	text = OidOutputFunctionCall(output, value);
	if (type == BOOLOID)
		appendStringInfoString(&sql->text, DatumGetBool(value) ? "true" : "false");
	else if (type == TEXTOID)
		appendStringInfoString(&sql->text, quote_literal_cstr(text));
	else if (type == UUIDOID)
		appendStringInfo(&sql->text, "uuid '%s'", text);
	else if (type == NUMERICOID && strspn(text, "0123456789.") != strlen(text))
		appendStringInfo(&sql->text, "numeric '%s'", text);
	else if (text[0] == '-')
		appendStringInfo(&sql->text, "(%s)", text);
	else
		appendStringInfoString(&sql->text, text);
}

/* A constant. */
static void
append_value(LsFilterSql *sql, Oid type, const LsFilterValue *value)
{
	Datum datum = value->is_relative
					  ? TimestampTzGetDatum(ls_lead_filter_at(sql->now, value->distance))
					  : value->value;

	if (sql->literals)
		append_literal(sql, type, datum);
	else
		appendStringInfo(&sql->text, "$%d", ls_lead_filter_sql_param(sql, type, datum));
}

/* The words of contains_*. */
static void
append_words(LsFilterSql *sql, const LsFilterNode *test)
{
	int i;

	if (!sql->literals)
	{
		appendStringInfo(
			&sql->text, "$%d", ls_lead_filter_sql_param(sql, TEXTARRAYOID, test->array));
		return;
	}
	appendStringInfoString(&sql->text, "ARRAY[");
	for (i = 0; i < test->n_words; i++)
		appendStringInfo(&sql->text, "%s%s", i > 0 ? ", " : "",
			quote_literal_cstr(TextDatumGetCString(test->words[i])));
	appendStringInfoString(&sql->text, "]");
}

/* What a test compares. */
static char *
operand(const LsFilterNode *test, const char *table)
{
	const LsFilterField *field = &test->field;
	char *column = psprintf("%s%s", table, quote_identifier(ls_lead_columns[field->column].name));
	char *below;

	if (field->n_path == 0)
		return column;
	below = psprintf("(%s #>> %s)", column, ls_lead_filter_path(field));
	if (test->type == NUMERICOID && test->n_values > 0)
		return psprintf(
			"CASE WHEN %s ~ '" LS_FILTER_NUMBER_REGEX "' THEN %s::numeric END", below, below);
	return below;
}

/* contains_any, contains_all, contains_none */
static void
append_contains(LsFilterSql *sql, const LsFilterNode *test, const char *table)
{
	bool is_path = test->field.n_path > 0;
	const char *name = quote_identifier(ls_lead_columns[test->field.column].name);

	if (test->op == LS_FILTER_CONTAINS_NONE)
		appendStringInfoString(&sql->text, "NOT ");
	if (is_path)
	{
		char *below = psprintf("(%s%s #> %s)", table, name, ls_lead_filter_path(&test->field));

		appendStringInfo(&sql->text, "(CASE WHEN jsonb_typeof(%s) = 'array' THEN %s %s ", below,
			below, test->op == LS_FILTER_CONTAINS_ALL ? "?&" : "?|");
	}
	else
		appendStringInfo(
			&sql->text, "(%s%s %s ", table, name, test->op == LS_FILTER_CONTAINS_ALL ? "@>" : "&&");
	append_words(sql, test);
	appendStringInfoString(&sql->text, is_path ? " END)" : ")");
}

/* The constants of in and not_in. */
static void
append_list(LsFilterSql *sql, const LsFilterNode *test)
{
	int i;

	appendStringInfoChar(&sql->text, '(');
	for (i = 0; i < test->n_values; i++)
	{
		if (i > 0)
			appendStringInfoString(&sql->text, ", ");
		append_value(sql, test->type, &test->values[i]);
	}
	appendStringInfoChar(&sql->text, ')');
}

/* A test. */
static void
append_test(LsFilterSql *sql, const LsFilterNode *test, const char *table)
{
	static const char *const operators[] = {"=", "<>", ">", ">=", "<", "<=", "BETWEEN", "IN",
		"NOT IN", "IS NULL", "IS NOT NULL", "LIKE", "ILIKE"};

	if (test->array != 0)
	{
		append_contains(sql, test, table);
		return;
	}
	appendStringInfoString(&sql->text, operand(test, table));
	/* Text has one order, whatever the collation of the column. */
	if (test->type == TEXTOID && test->op >= LS_FILTER_GT && test->op <= LS_FILTER_BETWEEN)
		appendStringInfoString(&sql->text, " COLLATE \"C\"");
	appendStringInfo(&sql->text, " %s", operators[test->op]);
	if (test->op == LS_FILTER_IS_NULL || test->op == LS_FILTER_IS_NOT_NULL)
		return;
	appendStringInfoChar(&sql->text, ' ');
	if (test->op == LS_FILTER_IN || test->op == LS_FILTER_NOT_IN)
	{
		append_list(sql, test);
		return;
	}
	append_value(sql, test->type, &test->values[0]);
	if (test->op == LS_FILTER_BETWEEN)
	{
		appendStringInfoString(&sql->text, " AND ");
		append_value(sql, test->type, &test->values[1]);
	}
}

/* A node; what is not a single test stands in parentheses. */
static void
append_node(LsFilterSql *sql, const LsFilterNode *node, const char *table)
{
	int i;

	if (node->kind == LS_FILTER_TEST)
	{
		append_test(sql, node, table);
		return;
	}
	check_stack_depth();
	if (node->kind == LS_FILTER_NOT)
	{
		appendStringInfoString(&sql->text, "NOT (");
		append_node(sql, node->children[0], table);
		appendStringInfoChar(&sql->text, ')');
		return;
	}
	if (node->n_children == 0)
		appendStringInfoString(&sql->text, "true");
	for (i = 0; i < node->n_children; i++)
	{
		const LsFilterNode *child = node->children[i];
		bool group = child->n_children > 1 && child->kind != node->kind;

		if (i > 0)
			appendStringInfoString(&sql->text, node->kind == LS_FILTER_AND ? " AND " : " OR ");
		if (group)
			appendStringInfoChar(&sql->text, '(');
		append_node(sql, child, table);
		if (group)
			appendStringInfoChar(&sql->text, ')');
	}
}

/* Append the condition; "table" is put before each column: "" or "l.". */
void
ls_lead_filter_sql_where(LsFilterSql *sql, const LsFilter *filter, const char *table)
{
	bool group = filter->root->kind == LS_FILTER_OR && filter->root->n_children > 1;

	appendStringInfo(&sql->text, "%sdeleted_at IS NULL", table);
	if (filter->root->kind == LS_FILTER_AND && filter->root->n_children == 0)
		return;
	appendStringInfoString(&sql->text, group ? " AND (" : " AND ");
	append_node(sql, filter->root, table);
	if (group)
		appendStringInfoChar(&sql->text, ')');
}

/* Run the text; within a scope. */
uint64
ls_lead_filter_sql_run(LsFilterSql *sql, bool read_only)
{
	return ls_query_run_built(
		sql->text.data, sql->n_params, sql->types, sql->values, read_only ? LS_READ : LS_WRITE);
}
