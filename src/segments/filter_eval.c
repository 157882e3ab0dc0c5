/*-------------------------------------------------------------------------
 *
 * filter_eval.c
 *	  A filter evaluated on a row, without SQL.
 *
 *	  Says what the SQL of filter_sql.c says: NULL makes a test unknown, "not" of
 *	  unknown is unknown, and only what is true matches.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "catalog/pg_collation.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/uuid.h"

#include "lead_system.h"
#include "segments/filter.h"

typedef enum Truth
{
	LS_FALSE,
	LS_TRUE,
	LS_UNKNOWN,
	LS_ANY /* one or the other, as the time says */
} Truth;

/* What an evaluation reads. */
typedef struct EvalContext
{
	const LsLeadRow *row;
	TimestampTz now;
	bool at_any_time; /* "now" is open */
} EvalContext;

/* Order of two values of a type; text by its bytes. */
int
ls_lead_filter_compare(Oid type, Datum a, Datum b)
{
	switch (type)
	{
		case INT4OID:
			return (DatumGetInt32(a) > DatumGetInt32(b)) - (DatumGetInt32(a) < DatumGetInt32(b));
		case BOOLOID:
			return (int) DatumGetBool(a) - (int) DatumGetBool(b);
		case TIMESTAMPTZOID:
			return timestamp_cmp_internal(DatumGetTimestampTz(a), DatumGetTimestampTz(b));
		case UUIDOID:
			return memcmp(DatumGetUUIDP(a)->data, DatumGetUUIDP(b)->data, UUID_LEN);
		case NUMERICOID:
			return DatumGetInt32(DirectFunctionCall2(numeric_cmp, a, b));
		default:
		{
			text *x = DatumGetTextPP(a);
			text *y = DatumGetTextPP(b);
			int n = VARSIZE_ANY_EXHDR(x);
			int m = VARSIZE_ANY_EXHDR(y);
			int order = memcmp(VARDATA_ANY(x), VARDATA_ANY(y), Min(n, m));

			return order != 0 ? order : n - m;
		}
	}
}

/* Is a text a number that LS_FILTER_NUMBER_REGEX lets pass? */
bool
ls_lead_filter_is_number(const char *text, int length)
{
	const char *end = text + length;
	int n;

	if (text < end && *text == '-')
		text++;
	for (n = 0; text < end && isdigit((unsigned char) *text); n++)
		text++;
	if (n == 0 || n > LS_FILTER_NUMBER_DIGITS)
		return false;
	if (text == end)
		return true;
	if (*text++ != '.')
		return false;
	for (n = 0; text < end && isdigit((unsigned char) *text); n++)
		text++;
	return n > 0 && n <= LS_FILTER_NUMBER_DIGITS && text == end;
}

/* Call one of the server's functions that go down a path. */
static Datum
extract(PGFunction function, Datum json, Datum path, bool *isnull)
{
	LOCAL_FCINFO(fcinfo, 2);
	Datum result;

	InitFunctionCallInfoData(*fcinfo, NULL, 2, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = json;
	fcinfo->args[0].isnull = false;
	fcinfo->args[1].value = path;
	fcinfo->args[1].isnull = false;
	result = function(fcinfo);
	*isnull = fcinfo->isnull;
	return result;
}

/* What a test compares: a column, or the text below a path. */
static Datum
read_field(const LsFilterNode *test, const LsLeadRow *row, bool *isnull)
{
	const LsFilterField *field = &test->field;
	Datum value = ls_lead_get(row, field->column, isnull);
	text *number;

	if (*isnull || field->n_path == 0)
		return value;
	value = extract(jsonb_extract_path_text, value, field->path, isnull);
	if (*isnull || test->type != NUMERICOID)
		return value;
	number = DatumGetTextPP(value);
	if (!ls_lead_filter_is_number(VARDATA_ANY(number), VARSIZE_ANY_EXHDR(number)))
	{
		*isnull = true;
		return (Datum) 0;
	}
	return DirectFunctionCall3(numeric_in, CStringGetDatum(text_to_cstring(number)),
		ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

/* Which of the words of a test are in an array: any, all?  What is null is no word. */
static void
find_words(const LsFilterNode *test, Datum array, bool *any, bool *all)
{
	Datum *elements;
	bool *nulls;
	int n;
	int i;
	int j;

	deconstruct_array(
		DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	*any = false;
	*all = true;
	/* Both are known when there are one that is found and one that is not. */
	for (i = 0; i < test->n_words && (*all || !*any); i++)
	{
		for (j = 0; j < n; j++)
		{
			if (!nulls[j] && ls_lead_filter_compare(TEXTOID, elements[j], test->words[i]) == 0)
				break;
		}
		*any |= j < n;
		*all &= j < n;
	}
}

/* contains_any, contains_all, contains_none */
static Truth
eval_contains(const LsFilterNode *test, const LsLeadRow *row)
{
	bool isnull;
	Datum value = ls_lead_get(row, test->field.column, &isnull);
	bool any;
	bool all;

	if (isnull)
		return LS_UNKNOWN;
	if (test->field.n_path == 0)
		find_words(test, value, &any, &all);
	else
	{
		value = extract(jsonb_extract_path, value, test->field.path, &isnull);
		if (isnull || !JB_ROOT_IS_ARRAY(DatumGetJsonbP(value)) ||
			JB_ROOT_IS_SCALAR(DatumGetJsonbP(value)))
			return LS_UNKNOWN;
		any = DatumGetBool(DirectFunctionCall2(jsonb_exists_any, value, test->array));
		all = DatumGetBool(DirectFunctionCall2(jsonb_exists_all, value, test->array));
	}
	if (test->op == LS_FILTER_CONTAINS_ANY)
		return any ? LS_TRUE : LS_FALSE;
	if (test->op == LS_FILTER_CONTAINS_ALL)
		return all ? LS_TRUE : LS_FALSE;
	return any ? LS_FALSE : LS_TRUE;
}

/* A constant as of now. */
static Datum
constant(const EvalContext *context, const LsFilterValue *value)
{
	if (value->is_relative)
		return TimestampTzGetDatum(ls_lead_filter_at(context->now, value->distance));
	return value->value;
}

/* Is a value among many constants, which are in order? */
static bool
is_among_many(const LsFilterNode *test, Datum value)
{
	int low = 0;
	int high = test->n_values;

	while (low < high)
	{
		int middle = low + (high - low) / 2;
		int order = ls_lead_filter_compare(test->type, value, test->sorted[middle].value);

		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

/* Is a value among the constants? */
static bool
is_among(const EvalContext *context, const LsFilterNode *test, Datum value)
{
	int i;

	if (test->sorted != NULL)
		return is_among_many(test, value);
	for (i = 0; i < test->n_values; i++)
	{
		if (ls_lead_filter_compare(test->type, value, constant(context, &test->values[i])) == 0)
			return true;
	}
	return false;
}

/* The tests that compare a value that is not null. */
static bool
holds(const EvalContext *context, const LsFilterNode *test, Datum value)
{
	Datum first = constant(context, &test->values[0]);

	switch (test->op)
	{
		case LS_FILTER_EQ:
			return ls_lead_filter_compare(test->type, value, first) == 0;
		case LS_FILTER_NE:
			return ls_lead_filter_compare(test->type, value, first) != 0;
		case LS_FILTER_GT:
			return ls_lead_filter_compare(test->type, value, first) > 0;
		case LS_FILTER_GTE:
			return ls_lead_filter_compare(test->type, value, first) >= 0;
		case LS_FILTER_LT:
			return ls_lead_filter_compare(test->type, value, first) < 0;
		case LS_FILTER_LTE:
			return ls_lead_filter_compare(test->type, value, first) <= 0;
		case LS_FILTER_BETWEEN:
			return ls_lead_filter_compare(test->type, value, first) >= 0 &&
				   ls_lead_filter_compare(test->type, value, constant(context, &test->values[1])) <=
					   0;
		case LS_FILTER_IN:
			return is_among(context, test, value);
		case LS_FILTER_NOT_IN:
			return !is_among(context, test, value);
		case LS_FILTER_LIKE:
			return DatumGetBool(
				DirectFunctionCall2Coll(textlike, DEFAULT_COLLATION_OID, value, first));
		case LS_FILTER_ILIKE:
			return DatumGetBool(
				DirectFunctionCall2Coll(texticlike, DEFAULT_COLLATION_OID, value, first));
		default:
			elog(ERROR, "unexpected operator %d of a filter", (int) test->op);
	}
}

/* A test. */
static Truth
eval_test(const EvalContext *context, const LsFilterNode *test)
{
	bool isnull;
	Datum value;

	if (test->array != 0)
		return eval_contains(test, context->row);
	value = read_field(test, context->row, &isnull);
	if (test->op == LS_FILTER_IS_NULL)
		return isnull ? LS_TRUE : LS_FALSE;
	if (test->op == LS_FILTER_IS_NOT_NULL)
		return isnull ? LS_FALSE : LS_TRUE;
	if (isnull)
		return LS_UNKNOWN;
	if (context->at_any_time && test->is_relative)
		return LS_ANY;
	return holds(context, test, value) ? LS_TRUE : LS_FALSE;
}

/* A node, with the logic of SQL. */
static Truth
eval_node(const EvalContext *context, const LsFilterNode *node)
{
	Truth decisive = node->kind == LS_FILTER_AND ? LS_FALSE : LS_TRUE;
	Truth result = node->kind == LS_FILTER_AND ? LS_TRUE : LS_FALSE;
	int i;

	if (node->kind == LS_FILTER_TEST)
		return eval_test(context, node);
	check_stack_depth();
	if (node->kind == LS_FILTER_NOT)
	{
		result = eval_node(context, node->children[0]);
		return result == LS_TRUE ? LS_FALSE : result == LS_FALSE ? LS_TRUE : result;
	}
	for (i = 0; i < node->n_children; i++)
	{
		Truth child = eval_node(context, node->children[i]);

		if (child == decisive)
			return decisive;
		/* Unknown or open, only a decisive child changes it; open is the wider one. */
		if (child == LS_ANY || (child == LS_UNKNOWN && result != LS_ANY))
			result = child;
	}
	return result;
}

/* Is a row deleted?  The map may lack the column. */
static bool
is_deleted(const LsLeadRow *row)
{
	return row->map->attnum[LEAD_deleted_at] != 0 && !ls_lead_isnull(row, LEAD_deleted_at);
}

/*
 * Does a filter match a row?  A deleted lead never does.  The row's map may lack
 * columns that the filter does not read.
 */
bool
ls_lead_filter_matches(const LsFilter *filter, const LsLeadRow *row, TimestampTz now)
{
	EvalContext context = {row, now, false};

	return !is_deleted(row) && eval_node(&context, filter->root) == LS_TRUE;
}

/* Does a filter match a row, whatever the time is? */
LsFilterEver
ls_lead_filter_ever_matches(const LsFilter *filter, const LsLeadRow *row)
{
	EvalContext context = {row, 0, true};
	Truth truth = is_deleted(row) ? LS_FALSE : eval_node(&context, filter->root);

	return truth == LS_ANY    ? LS_FILTER_AT_TIMES
		   : truth == LS_TRUE ? LS_FILTER_ALWAYS
							  : LS_FILTER_NEVER;
}
