/*-------------------------------------------------------------------------
 *
 * json.c
 *	  Reading jsonb arguments.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "lead_system.h"
#include "core/json.h"

/*
 * The members of an object argument.  "what" names the argument for the error
 * that is raised when it is not an object.
 */
LsJsonMember *
ls_json_members(Jsonb *object, const char *what, int *n)
{
	LsJsonMember *members;
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue value;
	int count = 0;

	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must be a JSON object", what)));

	members = palloc(sizeof(LsJsonMember) * Max(JB_ROOT_COUNT(object), 1));
	it = JsonbIteratorInit(&object->root);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			members[count].key = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE)
			members[count++].value = value;
	}
	*n = count;
	return members;
}

/*
 * A value as text, the way ->> shows it: NULL for null, the bare string,
 * everything else as JSON.
 */
char *
ls_json_scalar_text(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			return NULL;
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		case jbvNumeric:
			return DatumGetCString(
				DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
		default:
			return ls_json_text(ls_json_value_to_jsonb(value));
	}
}

/* A member's value as a jsonb of its own. */
Jsonb *
ls_json_value_to_jsonb(const JsonbValue *value)
{
	return JsonbValueToJsonb((JsonbValue *) value);
}

/* A number; false when the value is not one. */
bool
ls_json_number(const JsonbValue *value, double *result)
{
	if (value->type != jbvNumeric)
		return false;
	*result = DatumGetFloat8(
		DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
	return true;
}

/* A whole number in the range of int; false when the value is not one. */
bool
ls_json_int(const JsonbValue *value, int *result)
{
	double number;

	if (!ls_json_number(value, &number) || number != rint(number) || number < PG_INT32_MIN ||
		number > PG_INT32_MAX)
		return false;
	*result = (int) number;
	return true;
}

/* An object of one member. */
static Jsonb *
pair(const char *key, JsonbValue *value)
{
	JsonbParseState *state = NULL;
	JsonbValue k;

	k.type = jbvString;
	k.val.string.val = (char *) key;
	k.val.string.len = strlen(key);
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	(void) pushJsonbValue(&state, WJB_KEY, &k);
	(void) pushJsonbValue(&state, WJB_VALUE, value);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* {"key": "value"}; NULL becomes null. */
Jsonb *
ls_json_pair_text(const char *key, const char *value)
{
	JsonbValue v;

	v.type = jbvNull;
	if (value != NULL)
	{
		v.type = jbvString;
		v.val.string.val = (char *) value;
		v.val.string.len = strlen(value);
	}
	return pair(key, &v);
}

/* {"key": number} */
Jsonb *
ls_json_pair_int(const char *key, int64 value)
{
	JsonbValue v;

	v.type = jbvNumeric;
	v.val.numeric = int64_to_numeric(value);
	return pair(key, &v);
}

/* Parse JSON text that is part of this program. */
Jsonb *
ls_json_parse(const char *text)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

/* JSON text of a jsonb, palloc'd. */
char *
ls_json_text(Jsonb *json)
{
	return JsonbToCString(NULL, &json->root, VARSIZE(json));
}

/* A member of an object by key; NULL when there is none. */
JsonbValue *
ls_json_get(Jsonb *object, const char *key)
{
	return getKeyJsonValueFromContainer(&object->root, key, strlen(key), NULL);
}

/* Refuse a key that means nothing, and say which ones do. */
void
ls_json_unknown_key(const char *what, const char *key, const char *known)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					   errmsg("unrecognized key \"%s\" in %s", key, what),
					   errhint("Known keys are: %s.", known)));
}
