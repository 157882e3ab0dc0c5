/*-------------------------------------------------------------------------
 *
 * list_input.c
 *	  Lists of texts as they come in: tags.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "lead_system.h"
#include "leads/input.h"

/*
 * Add the elements of a list to another one that lacks them.  Tags are a set:
 * neither what is null nor what is there already is added.
 */
Datum
ls_lead_list_union(Datum list, Datum more)
{
	Datum *elements;
	Datum *others;
	bool *nulls;
	int n;
	int n_others;
	int i;
	int j;

	deconstruct_array(
		DatumGetArrayTypeP(list), TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL, &n);
	deconstruct_array(
		DatumGetArrayTypeP(more), TEXTOID, -1, false, TYPALIGN_INT, &others, &nulls, &n_others);
	elements = repalloc(elements, sizeof(Datum) * Max(n + n_others, 1));
	for (i = 0; i < n_others; i++)
	{
		for (j = 0; j < n && !nulls[i]; j++)
		{
			if (DatumGetBool(
					DirectFunctionCall2Coll(texteq, DEFAULT_COLLATION_OID, elements[j], others[i])))
				break;
		}
		if (j == n && !nulls[i])
			elements[n++] = others[i];
	}
	return PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* The distinct elements of a list. */
static Datum
distinct(Datum list)
{
	return ls_lead_list_union(PointerGetDatum(construct_empty_array(TEXTOID)), list);
}

/*
 * A list of texts: a JSON array, an array literal, or words between commas,
 * semicolons or bars.  What is said twice counts once.
 */
bool
ls_lead_list_parse(const char *text, Datum *list, LsInputError *error)
{
	StringInfoData word;
	Datum *elements;
	int n = 0;

	if (*text == '{')
	{
		if (!ls_type_input(TEXTARRAYOID, text, list, error))
			return false;
		*list = distinct(*list);
		return true;
	}
	elements = palloc(sizeof(Datum) * (strlen(text) + 1));
	if (*text == '[')
	{
		Datum json;
		JsonbIterator *it;
		JsonbValue value;
		JsonbIteratorToken token;

		if (!ls_type_input(JSONBOID, text, &json, error))
			return false;
		it = JsonbIteratorInit(&DatumGetJsonbP(json)->root);
		while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
		{
			char *element = token == WJB_ELEM ? ls_json_scalar_text(&value) : NULL;

			if (element != NULL)
				elements[n++] = CStringGetTextDatum(element);
		}
	}
	else
	{
		initStringInfo(&word);
		for (;; text++)
		{
			if (*text != '\0' && strchr(",;|", *text) == NULL)
			{
				appendStringInfoChar(&word, *text);
				continue;
			}
			if (ls_trim(word.data) != NULL)
				elements[n++] = CStringGetTextDatum(ls_trim(word.data));
			resetStringInfo(&word);
			if (*text == '\0')
				break;
		}
	}
	*list =
		distinct(PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false, TYPALIGN_INT)));
	return true;
}
