/*-------------------------------------------------------------------------
 *
 * national_load.c
 *	  Loading the national do-not-call registry, an area code at a time.
 *
 *	  A load replaces what is there: numbers that it does not have are removed,
 *	  new ones come in, and those that stay are left alone, so that loading the
 *	  same file every day writes next to nothing.  Two loads of an area code take
 *	  turns, by an advisory lock.
 *
 *	  Numbers are kept as integers until they are written: that is how a million
 *	  of them is sorted in no time.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "storage/lock.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "compliance/compliance.h"
#include "core/clock.h"
#include "core/input.h"
#include "core/lock.h"
#include "core/phone.h"
#include "core/query.h"

/*
 * A number, without "+1", from whatever way it is written; 0 when it is not a
 * North American number.  Ten digits, or eleven that begin with 1, need no
 * parser.
 */
static int64
parse_number(const char *raw)
{
	char e164[LS_PHONE_SIZE] = "+1";
	char digits[12];
	int n = 0;
	const char *p;

	for (p = raw; *p != '\0' && n <= 11; p++)
	{
		if (*p >= '0' && *p <= '9')
		{
			if (n < 11)
				digits[n] = *p;
			n++;
		}
		else if (strchr(" +-.,()/\t\r\n", *p) == NULL)
			n = 100;
	}
	if (n == 10)
		memcpy(e164 + 2, digits, 10);
	else if (n == 11 && digits[0] == '1')
		memcpy(e164 + 2, digits + 1, 10);
	else if (!ls_phone_to_e164(raw, "US", e164))
		return 0;
	return ls_phone_is_nanp(e164) ? pg_strtoint64(e164 + 2) : 0;
}

/* For qsort(). */
static int
compare_numbers(const void *a, const void *b)
{
	int64 x = *(const int64 *) a;
	int64 y = *(const int64 *) b;

	return x < y ? -1 : x > y;
}

/* Refuse a load that is not of one area code, and tell where to look. */
static void
refuse(const char *area_code, int n_wrong, int n, int first, const char *raw)
{
	ereport(ERROR,
		(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg_plural("%d of %d numbers is not a number of area code %s",
				"%d of %d numbers are not numbers of area code %s", n_wrong, n_wrong, n, area_code),
			errdetail("The first of them is element %d: %s.", first + 1,
				raw ? psprintf("\"%s\"", raw) : "null")));
}

/* The distinct numbers of an array, in order; all of the area code. */
static int64 *
read_numbers(const char *area_code, ArrayType *array, int *n_distinct)
{
	int64 area = pg_strtoint64(area_code);
	Datum *raw;
	bool *nulls;
	int64 *numbers;
	int n_wrong = 0;
	int first = 0;
	int n;
	int i;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &raw, &nulls, &n);
	numbers = palloc_extended(sizeof(int64) * Max(n, 1), MCXT_ALLOC_HUGE);
	for (i = 0; i < n; i++)
	{
		char *spelled = nulls[i] ? NULL : TextDatumGetCString(raw[i]);

		numbers[i] = spelled ? parse_number(spelled) : 0;
		if (numbers[i] / 10000000 != area && n_wrong++ == 0)
			first = i;
		if (spelled != NULL)
			pfree(spelled);
	}
	if (n_wrong > 0)
		refuse(area_code, n_wrong, n, first, nulls[first] ? NULL : TextDatumGetCString(raw[first]));
	qsort(numbers, n, sizeof(int64), compare_numbers);
	*n_distinct = 0;
	for (i = 0; i < n; i++)
	{
		if (i == 0 || numbers[i] != numbers[i - 1])
			numbers[(*n_distinct)++] = numbers[i];
	}
	return numbers;
}

/* The same as an array of text. */
static Datum
text_array(const int64 *numbers, int n)
{
	Datum *elements = palloc_extended(sizeof(Datum) * Max(n, 1), MCXT_ALLOC_HUGE);
	char e164[LS_PHONE_SIZE];
	int i;

	for (i = 0; i < n; i++)
	{
		snprintf(e164, sizeof(e164), "+1" INT64_FORMAT, numbers[i]);
		elements[i] = CStringGetTextDatum(e164);
	}
	return PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Keep other loads of the area code out until the end of the transaction. */
static void
lock_area(const char *area_code)
{
	LOCKTAG tag = ls_lock_tag(LS_LOCK_NATIONAL_AREA, 0, (uint32) pg_strtoint32(area_code));

	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

/* Bring the registry in line with a load; all arguments are good. */
static void
write_load(const char *area_code, Datum numbers, int n)
{
	LS_QUERY_ARRAY(leave,
		"DELETE FROM lead_system.national_dnc_registry r"
		" WHERE r.phone_number >= '+1' || $1 AND r.phone_number < '+1' || $1 || ':'"
		"   AND NOT EXISTS (SELECT FROM unnest($2) u WHERE u COLLATE \"C\" = r.phone_number)",
		TEXTOID, TEXTARRAYOID);
	LS_QUERY_ARRAY(enter,
		"INSERT INTO lead_system.national_dnc_registry (phone_number, area_code, loaded_on)"
		" SELECT u COLLATE \"C\", $1, ($3 AT TIME ZONE 'UTC')::date FROM unnest($2) u"
		"  WHERE NOT EXISTS (SELECT FROM lead_system.national_dnc_registry r"
		"     WHERE r.phone_number >= '+1' || $1 AND r.phone_number < '+1' || $1 || ':'"
		"       AND r.phone_number = u COLLATE \"C\")",
		TEXTOID, TEXTARRAYOID, TIMESTAMPTZOID);
	LS_QUERY(record,
		"INSERT INTO lead_system.national_dnc_loads (area_code, loaded_on, rows)"
		" VALUES ($1, ($2 AT TIME ZONE 'UTC')::date, $3)"
		" ON CONFLICT (area_code, loaded_on) DO UPDATE SET rows = excluded.rows",
		TEXTOID, TIMESTAMPTZOID, INT8OID);
	LsArgs args = {0};
	LsArgs record_args = {0};
	LsScope scope;

	ls_arg_text(&record_args, area_code);
	ls_arg_timestamptz(&record_args, ls_clock_now());
	ls_arg_int64(&record_args, n);
	ls_arg_text(&args, area_code);
	ls_arg_datum(&args, numbers, false);
	ls_scope_open(&scope, LS_AS_OWNER);
	/* First, so that an old snapshot fails before it does harm. */
	ls_query_run(&record, &record_args, LS_WRITE);
	ls_query_run(&leave, &args, LS_WRITE);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_query_run(&enter, &args, LS_WRITE);
	ls_scope_close(&scope);
}

PG_FUNCTION_INFO_V1(ls_compliance_load_national);

/* load_national_dnc(area_code, numbers): how many numbers the area code has now. */
Datum
ls_compliance_load_national(PG_FUNCTION_ARGS)
{
	char *area_code;
	int64 *numbers;
	int n;

	LS_REQUIRE_ARG(0, "area_code");
	LS_REQUIRE_ARG(1, "numbers");
	area_code = ls_trim(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	if (area_code == NULL || strlen(area_code) != 3 || area_code[0] < '2' ||
		strspn(area_code, "0123456789") != 3)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("\"%s\" is not an area code", area_code ? area_code : ""),
						   errhint("An area code has three digits, the first from 2 to 9.")));
	numbers = read_numbers(area_code, PG_GETARG_ARRAYTYPE_P(1), &n);
	lock_area(area_code);
	write_load(area_code, text_array(numbers, n), n);
	PG_RETURN_INT64(n);
}
