/*-------------------------------------------------------------------------
 *
 * import_record.c
 *	  A record of the input becomes a row of the import: which value goes where.
 *
 *	  Several columns of the input can stand for one of the lead.  The first
 *	  that has a value gets the place, in this order: a column that the mapping
 *	  names, one with the lead's own name for it, one that is known by another
 *	  name; a full name comes last.  The values of the others go into metadata,
 *	  as do those of columns that are not known at all.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "lead_system.h"
#include "core/json.h"
#include "outreach/import.h"

/* Sort columns by rank and, among equals, as they come; for qsort_arg. */
static int
compare_columns(const void *a, const void *b, void *columns)
{
	int i = *(const int *) a;
	int j = *(const int *) b;
	const LsImportColumn *all = columns;

	return all[i].rank != all[j].rank ? (int) all[i].rank - (int) all[j].rank : i - j;
}

/* The order in which columns get their places. */
int *
ls_import_column_order(LsImportColumn *columns, int n)
{
	int *order = palloc(sizeof(int) * Max(n, 1));
	int i;

	for (i = 0; i < n; i++)
		order[i] = i;
	qsort_arg(order, n, sizeof(int), compare_columns, columns);
	return order;
}

/* Has another column of the input the place already? */
static bool
is_taken(const LsLeadInput *input, const LsImportColumn *column)
{
	switch (column->target)
	{
		case LS_INPUT_COLUMN:
			return input->set[column->column];
		case LS_INPUT_NAME:
			return input->set[LEAD_first_name] || input->set[LEAD_last_name];
		case LS_INPUT_PIPELINE:
			return input->set[LEAD_pipeline_id];
		case LS_INPUT_CATEGORY:
			return input->set[LEAD_category_id];
		case LS_INPUT_UNKNOWN:
			break;
	}
	return true;
}

/* Add a member to the object that collects metadata. */
static void
metadata_add(JsonbParseState **state, const char *key, const char *value)
{
	JsonbValue v;

	if (*state == NULL)
		(void) pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	v.type = jbvString;
	v.val.string.val = pstrdup(key);
	v.val.string.len = strlen(key);
	(void) pushJsonbValue(state, WJB_KEY, &v);
	v.val.string.val = pstrdup(value);
	v.val.string.len = strlen(value);
	(void) pushJsonbValue(state, WJB_VALUE, &v);
}

/* Put what was collected into metadata, beside what the input has there. */
static void
set_metadata(LsImport *import, LsImportRow *row, JsonbParseState *state)
{
	LsLeadInput *input = &row->input;
	MemoryContext caller;
	Jsonb *collected;

	if (state == NULL)
		return;
	caller = MemoryContextSwitchTo(import->batch_context);
	collected = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
	/* What is not an object is refused later. */
	if (!input->set[LEAD_metadata])
		input->values[LEAD_metadata] = JsonbPGetDatum(collected);
	else if (JB_ROOT_IS_OBJECT(DatumGetJsonbP(input->values[LEAD_metadata])))
		input->values[LEAD_metadata] = DirectFunctionCall2(
			jsonb_concat, input->values[LEAD_metadata], JsonbPGetDatum(collected));
	input->set[LEAD_metadata] = true;
	MemoryContextSwitchTo(caller);
}

/* Is there nothing in a field? */
static bool
is_blank(const LsImport *import, const char *value)
{
	return value == NULL || value[strspn(value, " \t\r\n")] == '\0' ||
		   ls_import_is_null(import, value);
}

/* Fill a row; false when it has been reported as rejected. */
bool
ls_import_fill_row(LsImport *import, LsImportRow *row, const LsImportColumn *columns,
	const int *order, char **values, int n)
{
	JsonbParseState *metadata = NULL;
	bool empty = true;
	int k;

	for (k = 0; k < n; k++)
	{
		const LsImportColumn *column = &columns[order[k]];
		const char *value = values[order[k]];

		if (column->ignored || is_blank(import, value))
			continue;
		empty = false;
		if (is_taken(&row->input, column))
			metadata_add(&metadata, column->name, value);
		else if (!ls_import_set(import, row, column, value))
			return false;
	}
	if (empty)
	{
		ls_import_problem(import, row->line, row->raw, strlen(row->raw), NULL, true,
			ERRCODE_INVALID_PARAMETER_VALUE, "the record is empty");
		return false;
	}
	set_metadata(import, row, metadata);
	return true;
}
