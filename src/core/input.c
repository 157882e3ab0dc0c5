/*-------------------------------------------------------------------------
 *
 * input.c
 *	  Function arguments and text input.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "lead_system.h"
#include "core/input.h"

/* So many bytes of an error that a worker reports are kept. */
#define MAX_ERROR 2000

/* A required argument is NULL. */
void
ls_null_argument(const char *name)
{
	ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", name)));
}

/* Remove white space around a text; NULL when nothing is left. */
char *
ls_trim(const char *text)
{
	const char *end;

	text += strspn(text, " \t\r\n");
	end = text + strlen(text);
	while (end > text && strchr(" \t\r\n", end[-1]) != NULL)
		end--;
	return end > text ? pnstrdup(text, end - text) : NULL;
}

/* The error that a worker reports, as it is kept: some answers of gateways are whole pages. */
char *
ls_error_text(const text *error)
{
	char *result = text_to_cstring(error);

	result[pg_mbcliplen(result, strlen(result), MAX_ERROR)] = '\0';
	return result;
}

/*
 * Convert a text to a value of a built-in type, without ending the statement
 * when it is not one.
 *
 * The input functions of built-in types touch nothing but memory, so catching
 * their data exceptions needs no subtransaction; any other error goes on.
 */
bool
ls_type_input_typmod(Oid type, int32 typmod, const char *text, Datum *value, LsInputError *error)
{
	MemoryContext context = CurrentMemoryContext;
	Oid function;
	Oid param;
	volatile bool converted = true;

	getTypeInputInfo(type, &function, &param);
	PG_TRY();
	{
		*value = OidInputFunctionCall(function, (char *) text, param, typmod);
	}
	PG_CATCH();
	{
		ErrorData *data;

		MemoryContextSwitchTo(context);
		data = CopyErrorData();
		if (ERRCODE_TO_CATEGORY(data->sqlerrcode) != ERRCODE_DATA_EXCEPTION)
			PG_RE_THROW();
		FlushErrorState();
		error->sqlstate = data->sqlerrcode;
		error->message = pstrdup(data->message);
		FreeErrorData(data);
		converted = false;
	}
	PG_END_TRY();
	return converted;
}

/* The same for a type without modifier. */
bool
ls_type_input(Oid type, const char *text, Datum *value, LsInputError *error)
{
	return ls_type_input_typmod(type, -1, text, value, error);
}
