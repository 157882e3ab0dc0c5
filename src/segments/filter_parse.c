/*-------------------------------------------------------------------------
 *
 * filter_parse.c
 *	  From jsonb to the tree.
 *
 *	  Everything that can be wrong with a filter is found here: keys, operators
 *	  that do not fit a column, values that cannot be converted.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "core/json.h"
#include "segments/filter.h"

#define MAX_TESTS 1000

/* Kinds of fields, as a bit mask. */
#define ON_TEXT 0x01
#define ON_NUMBER 0x02
#define ON_TIME 0x04
#define ON_BOOL 0x08
#define ON_UUID 0x10
#define ON_ARRAY 0x20
#define ON_JSON 0x40 /* a jsonb column as a whole */
#define ON_PATH 0x80 /* what is below it */
#define ON_ORDERED (ON_TEXT | ON_NUMBER | ON_TIME | ON_PATH)
#define ON_SCALAR (ON_ORDERED | ON_BOOL | ON_UUID)
#define ON_WORDS (ON_TEXT | ON_PATH)
#define ON_LISTS (ON_ARRAY | ON_PATH)
#define ON_ANY 0xFF

/* What an operator takes. */
typedef enum OperandKind
{
	TAKES_VALUE,
	TAKES_TWO,
	TAKES_VALUES,
	TAKES_WORDS,   /* for arrays */
	TAKES_FLAG,    /* the operator, or its opposite */
	TAKES_PATTERN, /* as it is */
	TAKES_PART,    /* text to be found; turned into a pattern */
	TAKES_DAYS
} OperandKind;

typedef struct FilterOperator
{
	const char *name;
	LsFilterOp op;
	OperandKind takes;
	int fields;
	const char *part; /* the pattern around the text */
} FilterOperator;

static const FilterOperator operators[] = {
	{"eq", LS_FILTER_EQ, TAKES_VALUE, ON_SCALAR},
	{"ne", LS_FILTER_NE, TAKES_VALUE, ON_SCALAR},
	{"gt", LS_FILTER_GT, TAKES_VALUE, ON_ORDERED},
	{"gte", LS_FILTER_GTE, TAKES_VALUE, ON_ORDERED},
	{"lt", LS_FILTER_LT, TAKES_VALUE, ON_ORDERED},
	{"lte", LS_FILTER_LTE, TAKES_VALUE, ON_ORDERED},
	{"between", LS_FILTER_BETWEEN, TAKES_TWO, ON_ORDERED},
	{"in", LS_FILTER_IN, TAKES_VALUES, ON_SCALAR},
	{"not_in", LS_FILTER_NOT_IN, TAKES_VALUES, ON_SCALAR},
	{"is_null", LS_FILTER_IS_NULL, TAKES_FLAG, ON_ANY},
	{"exists", LS_FILTER_IS_NOT_NULL, TAKES_FLAG, ON_ANY},
	{"like", LS_FILTER_LIKE, TAKES_PATTERN, ON_WORDS},
	{"ilike", LS_FILTER_ILIKE, TAKES_PATTERN, ON_WORDS},
	{"starts_with", LS_FILTER_LIKE, TAKES_PART, ON_WORDS, "%s%%"},
	{"ends_with", LS_FILTER_LIKE, TAKES_PART, ON_WORDS, "%%%s"},
	{"contains", LS_FILTER_LIKE, TAKES_PART, ON_WORDS, "%%%s%%"},
	{"contains_any", LS_FILTER_CONTAINS_ANY, TAKES_WORDS, ON_LISTS},
	{"contains_all", LS_FILTER_CONTAINS_ALL, TAKES_WORDS, ON_LISTS},
	{"contains_none", LS_FILTER_CONTAINS_NONE, TAKES_WORDS, ON_LISTS},
	{"within_days", LS_FILTER_BETWEEN, TAKES_DAYS, ON_TIME},
	{"older_than_days", LS_FILTER_LT, TAKES_DAYS, ON_TIME},
	{"before", LS_FILTER_LT, TAKES_VALUE, ON_TIME},
	{"after", LS_FILTER_GT, TAKES_VALUE, ON_TIME},
};

typedef struct FilterParse
{
	LsFilter *filter;
	int n_tests;
} FilterParse;

static LsFilterNode *parse_object(FilterParse *state, const JsonbValue *object);

/* What kind a field is of. */
static int
field_kind(const LsFilterField *field)
{
	if (field->n_path > 0)
		return ON_PATH;
	switch (ls_lead_filter_type(field))
	{
		case TEXTOID:
			return ON_TEXT;
		case INT4OID:
		case NUMERICOID:
			return ON_NUMBER;
		case TIMESTAMPTZOID:
			return ON_TIME;
		case BOOLOID:
			return ON_BOOL;
		case UUIDOID:
			return ON_UUID;
		case JSONBOID:
			return ON_JSON;
		default:
			return ON_ARRAY;
	}
}

/* The operators that a field has, for messages. */
static char *
operators_of(const LsFilterField *field)
{
	StringInfoData names;
	int i;

	initStringInfo(&names);
	for (i = 0; i < (int) lengthof(operators); i++)
	{
		if (operators[i].fields & field_kind(field))
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", operators[i].name);
	}
	return names.data;
}

/* Find an operator of a field; raises 22023 when it has no such one. */
static const FilterOperator *
find_operator(const LsFilterField *field, const char *name)
{
	int i;

	for (i = 0; i < (int) lengthof(operators); i++)
	{
		if (strcmp(operators[i].name, name) != 0)
			continue;
		if (operators[i].fields & field_kind(field))
			return &operators[i];
		ereport(
			ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					   errmsg("operator \"%s\" does not fit \"%s\" in filter", name, field->name),
					   errhint("Operators of \"%s\" are: %s.", field->name, operators_of(field))));
	}
	ereport(
		ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				   errmsg("unrecognized operator \"%s\" for \"%s\" in filter", name, field->name),
				   errhint("Operators of \"%s\" are: %s.", field->name, operators_of(field))));
}

/* A node of the tree. */
static LsFilterNode *
node_create(LsFilterKind kind, int max_children)
{
	LsFilterNode *node = palloc0(sizeof(LsFilterNode));

	node->kind = kind;
	node->children = palloc(sizeof(LsFilterNode *) * Max(max_children, 1));
	return node;
}

/* The elements of an array; at least one. */
static JsonbValue *
elements(const char *what, const JsonbValue *array, int *n)
{
	Jsonb *json = array->type == jbvBinary ? ls_json_value_to_jsonb(array) : NULL;
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue value;
	JsonbValue *result;

	*n = 0;
	if (json == NULL || !JB_ROOT_IS_ARRAY(json) || JB_ROOT_COUNT(json) == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("\"%s\" in filter needs an array that is not empty", what)));
	result = palloc(sizeof(JsonbValue) * JB_ROOT_COUNT(json));
	it = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM)
			result[(*n)++] = value;
	}
	return result;
}

/* The type that values of a field are compared as. */
static Oid
comparison_type(const LsFilterField *field, const JsonbValue *values, int n)
{
	int i;

	if (field->n_path == 0)
		return ls_lead_filter_type(field);
	for (i = 0; i < n; i++)
	{
		if (values[i].type != jbvNumeric)
			return TEXTOID;
	}
	return NUMERICOID;
}

/* Set the constants of a test. */
static void
set_values(LsFilterNode *test, const JsonbValue *values, int n)
{
	int i;

	test->type = comparison_type(&test->field, values, n);
	test->n_values = n;
	test->values = palloc(sizeof(LsFilterValue) * n);
	for (i = 0; i < n; i++)
	{
		JsonbValue value = values[i];

		/* Below a path true is the word: CSV files have no other. */
		if (test->field.n_path > 0 && value.type == jbvBool)
		{
			value.type = jbvString;
			value.val.string.val = values[i].val.boolean ? "true" : "false";
			value.val.string.len = strlen(value.val.string.val);
		}
		test->values[i] = ls_lead_filter_value(&test->field, test->type, &value);
	}
}

/* Set the words that an array is to contain. */
static void
set_words(LsFilterNode *test, const JsonbValue *values, int n)
{
	Datum *words = palloc(sizeof(Datum) * n);
	int i;

	for (i = 0; i < n; i++)
		words[i] = ls_lead_filter_value(&test->field, TEXTOID, &values[i]).value;
	test->type = TEXTARRAYOID;
	test->words = words;
	test->n_words = n;
	test->array = PointerGetDatum(construct_array(words, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Set the pattern of like; "part" is put around text that is taken as it is. */
static void
set_pattern(LsFilterNode *test, const JsonbValue *value, const char *part)
{
	StringInfoData pattern;
	const char *c;
	char *text;

	if (value->type != jbvString)
		ls_lead_filter_bad_value(&test->field, "A text is needed.", NULL);
	text = ls_json_scalar_text(value);
	initStringInfo(&pattern);
	for (c = text; *c != '\0'; c++)
	{
		if (part != NULL && strchr("%_\\", *c) != NULL)
			appendStringInfoChar(&pattern, '\\');
		else if (part == NULL && *c == '\\')
		{
			appendStringInfoChar(&pattern, *c++);
			if (*c == '\0')
				ls_lead_filter_bad_value(
					&test->field, "A pattern must not end with a backslash.", NULL);
		}
		appendStringInfoChar(&pattern, *c);
	}
	test->type = TEXTOID;
	test->n_values = 1;
	test->values = palloc0(sizeof(LsFilterValue));
	test->values[0].value = CStringGetTextDatum(part ? psprintf(part, pattern.data) : pattern.data);
}

/* Set the operands of a test. */
static void
set_operands(LsFilterNode *test, const FilterOperator *operator, const JsonbValue * value)
{
	JsonbValue *values;
	int n;

	switch (operator->takes)
	{
		case TAKES_VALUE:
			set_values(test, value, 1);
			break;
		case TAKES_TWO:
		case TAKES_VALUES:
		case TAKES_WORDS:
			values = elements(operator->name, value, &n);
			if (operator->takes == TAKES_TWO && n != 2)
				ls_lead_filter_bad_value(&test->field, "\"between\" takes two values.", NULL);
			if (operator->takes == TAKES_WORDS)
				set_words(test, values, n);
			else
				set_values(test, values, n);
			break;
		case TAKES_FLAG:
			if (value->type != jbvBool)
				ls_lead_filter_bad_value(
					&test->field, psprintf("\"%s\" takes true or false.", operator->name), NULL);
			if (!value->val.boolean)
				test->op =
					test->op == LS_FILTER_IS_NULL ? LS_FILTER_IS_NOT_NULL : LS_FILTER_IS_NULL;
			break;
		case TAKES_PATTERN:
		case TAKES_PART:
			set_pattern(test, value, operator->part);
			break;
		case TAKES_DAYS:
			test->type = TIMESTAMPTZOID;
			test->n_values = test->op == LS_FILTER_BETWEEN ? 2 : 1;
			test->values = palloc0(sizeof(LsFilterValue) * 2);
			test->values[0] = ls_lead_filter_days(&test->field, value);
			test->values[1].is_relative = true; /* now */
			break;
	}
}

/* Compare two constants that do not move with the time, for qsort_arg(). */
static int
compare_values(const void *a, const void *b, void *type)
{
	return ls_lead_filter_compare(
		*(Oid *) type, ((const LsFilterValue *) a)->value, ((const LsFilterValue *) b)->value);
}

/* Put many constants in order, besides; SQL has them as they were written. */
static void
sort_values(LsFilterNode *test)
{
	if (test->n_values < LS_FILTER_MANY || test->is_relative ||
		(test->op != LS_FILTER_IN && test->op != LS_FILTER_NOT_IN))
		return;
	test->sorted = palloc(sizeof(LsFilterValue) * test->n_values);
	memcpy(test->sorted, test->values, sizeof(LsFilterValue) * test->n_values);
	qsort_arg(test->sorted, test->n_values, sizeof(LsFilterValue), compare_values, &test->type);
}

/* A test of a field. */
static LsFilterNode *
parse_test(FilterParse *state, const LsFilterField *field, const FilterOperator *operator,
	const JsonbValue * value)
{
	LsFilterNode *test = palloc0(sizeof(LsFilterNode));
	int i;

	if (++state->n_tests > MAX_TESTS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("a filter cannot have more than %d tests", MAX_TESTS)));
	test->kind = LS_FILTER_TEST;
	test->field = *field;
	test->op = operator->op;
	set_operands(test, operator, value);
	for (i = 0; i < test->n_values; i++)
		test->is_relative |= test->values[i].is_relative;
	state->filter->is_relative |= test->is_relative;
	sort_values(test);
	state->filter->columns[field->column / 64] |= UINT64CONST(1) << (field->column % 64);
	return test;
}

/* What a filter says of a field: a value, values, or operators. */
static LsFilterNode *
parse_field(FilterParse *state, char *name, const JsonbValue *value)
{
	LsFilterField field;
	LsFilterNode *node;
	LsJsonMember *members;
	Jsonb *json;
	int n;
	int i;

	ls_lead_filter_field(name, &field);
	if (value->type != jbvBinary)
		return parse_test(state, &field, find_operator(&field, "eq"), value);
	json = ls_json_value_to_jsonb(value);
	if (JB_ROOT_IS_ARRAY(json))
		return parse_test(state, &field, find_operator(&field, "in"), value);
	members = ls_json_members(json, name, &n);
	if (n == 0)
		ls_lead_filter_bad_value(&field, "There is no operator in the object.",
			psprintf("Operators of \"%s\" are: %s.", name, operators_of(&field)));
	node = node_create(LS_FILTER_AND, n);
	for (i = 0; i < n; i++)
		node->children[node->n_children++] =
			parse_test(state, &field, find_operator(&field, members[i].key), &members[i].value);
	return n == 1 ? node->children[0] : node;
}

/* The filters in an array, joined by "and" or "or". */
static LsFilterNode *
parse_array(FilterParse *state, const char *what, LsFilterKind kind, const JsonbValue *array)
{
	int n;
	JsonbValue *filters = elements(what, array, &n);
	LsFilterNode *node = node_create(kind, n);
	int i;

	for (i = 0; i < n; i++)
		node->children[node->n_children++] = parse_object(state, &filters[i]);
	return node;
}

/* An object: its keys are joined by "and". */
static LsFilterNode *
parse_object(FilterParse *state, const JsonbValue *object)
{
	LsJsonMember *members = NULL;
	LsFilterNode *node;
	int n = 0;
	int i;

	check_stack_depth();
	if (object->type != jbvBinary)
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a filter must be a JSON object"),
				errhint("For instance {\"status\": \"new\", \"lead_score\": {\"gte\": 80}}.")));
	members = ls_json_members(ls_json_value_to_jsonb(object), "a filter", &n);
	node = node_create(LS_FILTER_AND, n);
	for (i = 0; i < n; i++)
	{
		LsFilterNode *child;

		if (strcmp(members[i].key, "and") == 0)
			child = parse_array(state, "and", LS_FILTER_AND, &members[i].value);
		else if (strcmp(members[i].key, "or") == 0)
			child = parse_array(state, "or", LS_FILTER_OR, &members[i].value);
		else if (strcmp(members[i].key, "not") == 0)
		{
			child = node_create(LS_FILTER_NOT, 1);
			child->children[child->n_children++] = parse_object(state, &members[i].value);
		}
		else
			child = parse_field(state, members[i].key, &members[i].value);
		node->children[node->n_children++] = child;
	}
	return n == 1 ? node->children[0] : node;
}

/* Parse a filter, into the current memory context. */
LsFilter *
ls_lead_filter_parse(Jsonb *json)
{
	FilterParse state = {0};
	JsonbValue root;

	JsonbToJsonbValue(json, &root);
	state.filter = palloc0(sizeof(LsFilter));
	state.filter->columns[LEAD_deleted_at / 64] |= UINT64CONST(1) << (LEAD_deleted_at % 64);
	state.filter->root = parse_object(&state, &root);
	return state.filter;
}
