/*-------------------------------------------------------------------------
 *
 * phone.c
 *	  Phone numbers.
 *
 *	  The stored form is E.164 (D18).  Text in that form is taken as it is, so
 *	  a backend that never meets another form never loads the number parser; a
 *	  carrier's or another system's record is not judged again.  Everything else
 *	  is read by libphonenumber, through lead_system_phone.so, which is loaded
 *	  on first use and may be absent.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/memutils.h"

#include "lead_system.h"
#include "core/phone.h"
#include "phone/lead_system_phone.h"

static lead_system_phone_parse_fn phone_parse = NULL;

/* The first error met when loading the parser; tried once per backend. */
static char *phone_load_error = NULL;

/*
 * Is text in the stored form: '+', a digit that is not 0, 6 to 14 digits?
 */
bool
ls_phone_is_e164(const char *text)
{
	int digits;

	if (text[0] != '+' || text[1] < '1' || text[1] > '9')
		return false;
	for (digits = 1; text[digits + 1] >= '0' && text[digits + 1] <= '9'; digits++)
	{
		if (digits >= 15)
			return false;
	}
	return text[digits + 1] == '\0' && digits >= 7;
}

/*
 * Is a text a number of the North American plan in the stored form?  Its area
 * code begins with 2 to 9, so there is no second way to write it behind a +,
 * and it needs no parser.
 */
bool
ls_phone_is_nanp(const char *text)
{
	return text[0] == '+' && text[1] == '1' && text[2] >= '2' && text[2] <= '9' &&
		   strspn(text + 3, "0123456789") == 9 && text[5] >= '2' && text[12] == '\0';
}

/*
 * Load the parser.  An error of the dynamic loader is kept and told later, by
 * whoever needs the parser; nothing that must be rolled back has been done.
 */
static void
phone_load(void)
{
	MemoryContext context = CurrentMemoryContext;

	if (phone_parse != NULL || phone_load_error != NULL)
		return;
	PG_TRY();
	{
		phone_parse = (lead_system_phone_parse_fn) load_external_function(
			"$libdir/lead_system_phone", LEAD_SYSTEM_PHONE_SYMBOL, true, NULL);
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		phone_load_error = MemoryContextStrdup(TopMemoryContext, error->message);
		FreeErrorData(error);
	}
	PG_END_TRY();
}

/* Can numbers be read that are not in the stored form? */
bool
ls_phone_parser_available(void)
{
	phone_load();
	return phone_parse != NULL;
}

/*
 * Judge a number as people write it, for a region (ISO 3166 code, such as US).
 * The E.164 form is filled in unless the answer is LS_PHONE_NOT_A_NUMBER.
 *
 * Without the parser only the stored form is understood; it is then called
 * valid, since nobody can tell otherwise.
 */
LsPhoneJudgement
ls_phone_judge(const char *raw, const char *region, char e164[LS_PHONE_SIZE])
{
	phone_load();
	if (phone_parse == NULL)
	{
		if (!ls_phone_is_e164(raw))
			ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					errmsg(
						"phone number is not in E.164 form, and the number parser is not available"),
					errdetail("%s", phone_load_error),
					errhint("Pass the number as +<country code><number>, or install "
							"lead_system_phone.so and libphonenumber.")));
		strlcpy(e164, raw, LS_PHONE_SIZE);
		return LS_PHONE_VALID;
	}

	switch (phone_parse(raw, region, e164, LS_PHONE_SIZE))
	{
		case LEAD_SYSTEM_PHONE_OK:
			return LS_PHONE_VALID;
		case LEAD_SYSTEM_PHONE_INVALID:
			return ls_phone_is_e164(e164) ? LS_PHONE_IMPLAUSIBLE : LS_PHONE_NOT_A_NUMBER;
		case LEAD_SYSTEM_PHONE_NO_NUMBER:
			return LS_PHONE_NOT_A_NUMBER;
		case LEAD_SYSTEM_PHONE_BAD_REGION:
			break;
		default:
			ereport(
				ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("the phone number parser failed")));
	}
	ereport(ERROR,
		(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unrecognized region \"%s\"", region),
			errhint("A region is a two-letter ISO 3166 code such as US or GB.")));
}

/*
 * Bring a number to the stored form.  False when it is not a number that can
 * be dialled.
 *
 * Text that looks like the stored form may still be another spelling of a
 * number, such as +44 0... with the zero that is dialled inside the country; so
 * it is judged, too, unless it is of a plan where that cannot be.
 */
bool
ls_phone_to_e164(const char *raw, const char *region, char e164[LS_PHONE_SIZE])
{
	if (ls_phone_is_nanp(raw))
	{
		strlcpy(e164, raw, LS_PHONE_SIZE);
		return true;
	}
	return ls_phone_judge(raw, region, e164) == LS_PHONE_VALID;
}

/* Is there a region of this code?  Without the parser nobody can tell. */
bool
ls_phone_region_exists(const char *region)
{
	char e164[LS_PHONE_SIZE];

	phone_load();
	return phone_parse == NULL ||
		   phone_parse("1", region, e164, LS_PHONE_SIZE) != LEAD_SYSTEM_PHONE_BAD_REGION;
}

PG_FUNCTION_INFO_V1(ls_core_normalize_phone);

/*
 * normalize_phone(raw, region): E.164 form of a number, NULL when it is not a
 * valid one.
 */
Datum
ls_core_normalize_phone(PG_FUNCTION_ARGS)
{
	char e164[LS_PHONE_SIZE];

	if (ls_phone_judge(text_to_cstring(PG_GETARG_TEXT_PP(0)), text_to_cstring(PG_GETARG_TEXT_PP(1)),
			e164) != LS_PHONE_VALID)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(e164));
}

PG_FUNCTION_INFO_V1(ls_core_is_e164);

/* is_e164(phone_number): is it in the stored form?  For CHECK constraints. */
Datum
ls_core_is_e164(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(ls_phone_is_e164(text_to_cstring(PG_GETARG_TEXT_PP(0))));
}
