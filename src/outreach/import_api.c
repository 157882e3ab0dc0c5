/*-------------------------------------------------------------------------
 *
 * import_api.c
 *	  The two ways in: CSV text, and an array of objects.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/progress.h"
#include "miscadmin.h"
#include "utils/backend_progress.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "lead_system.h"
#include "core/input.h"
#include "core/json.h"
#include "core/tenant.h"
#include "leads/leads.h"
#include "outreach/csv_reader.h"
#include "outreach/import.h"

/* A CSV file that cannot be imported at all. */
static void
bad_file(const char *message, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_BAD_COPY_FILE_FORMAT), errmsg("%s", message),
					   hint ? errhint("%s", hint) : 0));
}

/* A second column of a name gets a number, to be told from the first. */
static char *
column_name(const LsImportColumn *columns, int i, const char *name)
{
	int seen = 1;
	int j;

	for (j = 0; j < i; j++)
		seen += strcmp(columns[j].header, name) == 0;
	return seen > 1 ? psprintf("%s %d", name, seen) : pstrdup(name);
}

/*
 * Find out what the columns of a CSV file are: from its header, or, when it
 * has none, from their positions.
 */
static LsImportColumn *
read_header(const LsImport *import, const LsCsvRecord *first)
{
	LsImportColumn *columns = palloc(sizeof(LsImportColumn) * Max(first->n_fields, 1));
	bool any = false;
	int i;

	if (first->fields == NULL)
		bad_file(psprintf("the first line is not good CSV: %s", first->problem), NULL);
	for (i = 0; i < first->n_fields; i++)
	{
		char *name = import->options.header ? pstrdup(first->fields[i]) : psprintf("%d", i + 1);

		ls_import_map_column(import, name, &columns[i]);
		columns[i].name = column_name(columns, i, name);
		any = any || columns[i].target != LS_INPUT_UNKNOWN;
	}
	if (!any)
		bad_file(
			import->options.header ? "no column of the header is known" : "no column is mapped",
			psprintf("Pass {\"mapping\": {\"<header>\": \"<column>\"}}. Columns are: %s.",
				ls_lead_input_names(LS_INPUT_MAPPED)));
	return columns;
}

/* Import one record of a CSV file. */
static void
import_record(
	LsImport *import, const LsImportColumn *columns, const int *order, const LsCsvRecord *record)
{
	LsImportRow *row = ls_import_new_row(import, record->line, record->raw, record->raw_len);

	if (record->fields == NULL)
	{
		ls_import_problem(import, record->line, record->raw, record->raw_len, NULL, true,
			ERRCODE_BAD_COPY_FILE_FORMAT, record->problem);
		return;
	}
	if (!ls_import_fill_row(import, row, columns, order, record->fields, record->n_fields))
		return;
	if (record->problem != NULL)
		ls_import_problem(import, record->line, record->raw, record->raw_len, NULL, false,
			ERRCODE_BAD_COPY_FILE_FORMAT, record->problem);
	ls_import_add_row(import, row);
}

/* Import all records. */
static void
import_text(LsImport *import, text *csv)
{
	MemoryContext record_context = AllocSetContextCreate(
		CurrentMemoryContext, "lead_system imported record", ALLOCSET_DEFAULT_SIZES);
	LsImportColumn *columns;
	int *order;
	LsCsvReader reader;
	LsCsvRecord record;
	bool more;

	ls_csv_open(&reader, VARDATA_ANY(csv), VARSIZE_ANY_EXHDR(csv), import->options.delimiter,
		import->options.quote);
	pgstat_progress_update_param(PROGRESS_COPY_BYTES_TOTAL, reader.len);
	more = ls_csv_next(&reader, &record);
	if (!more)
		bad_file("the CSV text is empty", NULL);
	columns = read_header(import, &record);
	order = ls_import_column_order(columns, record.n_fields);
	reader.n_columns = record.n_fields;
	if (import->options.header)
		more = ls_csv_next(&reader, &record);
	while (more)
	{
		MemoryContext caller = MemoryContextSwitchTo(record_context);

		CHECK_FOR_INTERRUPTS();
		import_record(import, columns, order, &record);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(record_context);
		pgstat_progress_update_param(PROGRESS_COPY_BYTES_PROCESSED, reader.pos);
		more = ls_csv_next(&reader, &record);
	}
	MemoryContextDelete(record_context);
}

/* Run an import whose changes to leads are marked as such in the histories. */
static pg_uuid_t
run_import(const pg_uuid_t *org, const char *list_name, const LsImportOptions *options,
	void (*feed)(LsImport *import, Datum input), Datum input, pg_uuid_t *list)
{
	LsLeadCause cause = {NULL, "import", NULL, false};
	const LsLeadCause *previous;
	LsImport *import = ls_import_start(org, list_name, options);

	cause.trigger_id = &import->id;
	previous = ls_lead_cause_set(&cause);
	PG_TRY();
	{
		feed(import, input);
		ls_import_finish(import);
	}
	PG_FINALLY();
	{
		ls_lead_cause_set(previous);
	}
	PG_END_TRY();
	if (list != NULL)
		*list = import->list;
	return import->id;
}

/* Feed an import with CSV text. */
static void
feed_csv(LsImport *import, Datum input)
{
	import_text(import, DatumGetTextPP(input));
}

PG_FUNCTION_INFO_V1(ls_outreach_import_csv);

/* import_leads_csv(list_name, csv, options) */
Datum
ls_outreach_import_csv(PG_FUNCTION_ARGS)
{
	pg_uuid_t *result = palloc(sizeof(pg_uuid_t));
	LsImportOptions options;
	pg_uuid_t org;

	LS_REQUIRE_ARG(0, "list_name");
	LS_REQUIRE_ARG(1, "csv");
	LS_REQUIRE_ARG(2, "options");
	ls_require_org(&org);
	ls_import_read_options(PG_GETARG_JSONB_P(2), "csv_import", &options);
	*result = run_import(
		&org, text_to_cstring(PG_GETARG_TEXT_PP(0)), &options, feed_csv, PG_GETARG_DATUM(1), NULL);
	PG_RETURN_UUID_P(result);
}

/* Import one object. */
static void
import_object(LsImport *import, int line, Jsonb *object)
{
	char *raw = ls_json_text(object);
	LsImportRow *row = ls_import_new_row(import, line, raw, strlen(raw));
	LsImportColumn *columns;
	LsJsonMember *members;
	char **values;
	int n;
	int i;

	if (!JB_ROOT_IS_OBJECT(object))
	{
		ls_import_problem(import, line, raw, strlen(raw), NULL, true,
			ERRCODE_INVALID_PARAMETER_VALUE, "the element is not an object");
		return;
	}
	members = ls_json_members(object, "lead", &n);
	columns = palloc(sizeof(LsImportColumn) * Max(n, 1));
	values = palloc(sizeof(char *) * Max(n, 1));
	for (i = 0; i < n; i++)
	{
		ls_import_map_column(import, members[i].key, &columns[i]);
		values[i] = ls_json_scalar_text(&members[i].value);
	}
	if (ls_import_fill_row(import, row, columns, ls_import_column_order(columns, n), values, n))
		ls_import_add_row(import, row);
}

/* Import the elements of an array, which are numbered from 1. */
static void
feed_array(LsImport *import, Datum input)
{
	JsonbIterator *it = JsonbIteratorInit(&DatumGetJsonbP(input)->root);
	JsonbIteratorToken token;
	JsonbValue value;
	int line = 0;
	MemoryContext record_context = AllocSetContextCreate(
		CurrentMemoryContext, "lead_system imported record", ALLOCSET_DEFAULT_SIZES);

	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		MemoryContext caller;

		CHECK_FOR_INTERRUPTS();
		if (token != WJB_ELEM)
			continue;
		caller = MemoryContextSwitchTo(record_context);
		import_object(import, ++line, ls_json_value_to_jsonb(&value));
		MemoryContextSwitchTo(caller);
		MemoryContextReset(record_context);
	}
	MemoryContextDelete(record_context);
}

PG_FUNCTION_INFO_V1(ls_outreach_create_list_from_csv);

/* create_lead_list_from_csv(p_business_id, p_list_name, p_leads) */
Datum
ls_outreach_create_list_from_csv(PG_FUNCTION_ARGS)
{
	pg_uuid_t *list = palloc(sizeof(pg_uuid_t));
	LsImportOptions options;
	Jsonb *leads;

	LS_REQUIRE_ARG(0, "p_business_id");
	LS_REQUIRE_ARG(1, "p_list_name");
	LS_REQUIRE_ARG(2, "p_leads");
	leads = PG_GETARG_JSONB_P(2);
	ls_check_org(PG_GETARG_UUID_P(0));
	if (!JB_ROOT_IS_ARRAY(leads) || JB_ROOT_IS_SCALAR(leads))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("p_leads must be a JSON array of objects")));
	ls_import_read_options(ls_json_parse("{}"), "csv_import", &options);
	(void) run_import(PG_GETARG_UUID_P(0), text_to_cstring(PG_GETARG_TEXT_PP(1)), &options,
		feed_array, PG_GETARG_DATUM(2), list);
	PG_RETURN_UUID_P(list);
}
