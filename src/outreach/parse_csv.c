/*-------------------------------------------------------------------------
 *
 * parse_csv.c
 *	  parse_csv(): shows how a CSV text is read.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "core/input.h"
#include "outreach/csv_reader.h"
#include "outreach/import.h"

PG_FUNCTION_INFO_V1(ls_outreach_parse_csv);

/* parse_csv(csv, delimiter, quote) */
Datum
ls_outreach_parse_csv(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	text *csv;
	LsCsvReader reader;
	LsCsvRecord record;

	LS_REQUIRE_ARG(0, "csv");
	LS_REQUIRE_ARG(1, "delimiter");
	LS_REQUIRE_ARG(2, "quote");
	csv = PG_GETARG_TEXT_PP(0);
	ls_csv_open(&reader, VARDATA_ANY(csv), VARSIZE_ANY_EXHDR(csv),
		ls_csv_char("delimiter", text_to_cstring(PG_GETARG_TEXT_PP(1))),
		ls_csv_char("quote", text_to_cstring(PG_GETARG_TEXT_PP(2))));
	InitMaterializedSRF(fcinfo, 0);
	while (ls_csv_next(&reader, &record))
	{
		Datum values[4];
		bool nulls[4] = {false, record.fields == NULL, false, record.problem == NULL};
		Datum *fields = palloc(sizeof(Datum) * Max(record.n_fields, 1));
		int i;

		for (i = 0; i < record.n_fields; i++)
			fields[i] = CStringGetTextDatum(record.fields[i]);
		values[0] = Int32GetDatum(record.line);
		values[1] = PointerGetDatum(
			construct_array(fields, record.n_fields, TEXTOID, -1, false, TYPALIGN_INT));
		values[2] = PointerGetDatum(cstring_to_text_with_len(record.raw, record.raw_len));
		values[3] = record.problem ? CStringGetTextDatum(record.problem) : (Datum) 0;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		if (reader.n_columns == 0)
			reader.n_columns = record.n_fields;
	}
	return (Datum) 0;
}
