/*-------------------------------------------------------------------------
 *
 * filter_values.c
 *	  The constants of a filter, checked and converted while it is parsed.
 *
 *	  A filter is stored and read in other sessions, so nothing of it depends on
 *	  a session: dates are ISO 8601, in UTC unless they say otherwise.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "common/int.h"
#include "utils/builtins.h"
#include "utils/formatting.h"

#include "lead_system.h"
#include "core/json.h"
#include "segments/filter.h"

#define MAX_DAYS 36500
#define DATE_HINT \
	"Dates are ISO 8601 (2026-03-02, 2026-03-02 15:00+00; UTC without a zone), \"now\", or relative " \
	"to it: \"-30d\", with h, d or w."

static const char *const temperatures[] = {"hot", "warm", "cool", "cold", "unrated"};

/* Refuse a constant. */
void
ls_lead_filter_bad_value(const LsFilterField *field, const char *detail, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					   errmsg("invalid value for \"%s\" in filter", field->name),
					   errdetail_internal("%s", detail), hint ? errhint("%s", hint) : 0));
}

/* Time plus a distance; what is out of range is the end of time. */
TimestampTz
ls_lead_filter_at(TimestampTz now, int64 distance)
{
	TimestampTz at;

	if (pg_add_s64_overflow(now, distance, &at) || !IS_VALID_TIMESTAMP(at))
		at = distance < 0 ? DT_NOBEGIN : DT_NOEND;
	return at;
}

/* A number of days of limited size as a distance into the past. */
static LsFilterValue
relative(int64 distance)
{
	LsFilterValue result = {0};

	result.is_relative = true;
	result.distance = distance;
	return result;
}

/* "now", or a distance from it: sign, number, unit; false when it is neither. */
static bool
parse_relative(const LsFilterField *field, const char *text, LsFilterValue *value)
{
	int64 unit;
	char *end;
	long n;

	if (pg_strcasecmp(text, "now") == 0)
	{
		*value = relative(0);
		return true;
	}
	if ((text[0] != '-' && text[0] != '+') || !isdigit((unsigned char) text[1]))
		return false;
	errno = 0;
	n = strtol(text + 1, &end, 10);
	unit = strcmp(end, "h") == 0   ? USECS_PER_HOUR
		   : strcmp(end, "d") == 0 ? USECS_PER_DAY
		   : strcmp(end, "w") == 0 ? USECS_PER_DAY * 7
								   : 0;
	if (unit == 0 || errno != 0 || n > MAX_DAYS * (USECS_PER_DAY / unit ? USECS_PER_DAY / unit : 1))
		ls_lead_filter_bad_value(
			field, psprintf("\"%s\" is no distance in time.", text), DATE_HINT);
	*value = relative(n * unit * (text[0] == '-' ? -1 : 1));
	return true;
}

/* Skip up to "max" digits; returns how many there were. */
static int
digits(const char **text, int max)
{
	int n = 0;

	while (n < max && isdigit((unsigned char) **text))
	{
		(*text)++;
		n++;
	}
	return n;
}

/* Is a text an ISO date, with or without time?  Tells whether it has a zone. */
static bool
is_iso_date(const char *text, bool *has_zone)
{
	*has_zone = false;
	if (digits(&text, 4) != 4 || *text++ != '-' || digits(&text, 2) != 2 || *text++ != '-' ||
		digits(&text, 2) != 2)
		return false;
	if (*text == '\0')
		return true;
	if ((*text != ' ' && *text != 'T') || (text++, digits(&text, 2)) != 2 || *text++ != ':' ||
		digits(&text, 2) != 2)
		return false;
	if (*text == ':' && (text++, digits(&text, 2)) != 2)
		return false;
	if (*text == '.' && (text++, digits(&text, 6)) == 0)
		return false;
	if (*text == '\0')
		return true;
	*has_zone = true;
	if (strcmp(text, "Z") == 0)
		return true;
	if ((*text != '+' && *text != '-') || (text++, digits(&text, 2)) != 2)
		return false;
	if (*text == ':')
		text++;
	return *text == '\0' || (digits(&text, 2) == 2 && *text == '\0');
}

/* An instant. */
static LsFilterValue
parse_time(const LsFilterField *field, const char *text)
{
	LsFilterValue result = {0};
	LsInputError error;
	bool has_zone;

	if (parse_relative(field, text, &result))
		return result;
	if (!is_iso_date(text, &has_zone))
		ls_lead_filter_bad_value(field, psprintf("\"%s\" is no date.", text), DATE_HINT);
	if (!has_zone)
		text = psprintf("%s%s+00", text, strlen(text) == 10 ? " 00:00" : "");
	if (!ls_type_input(TIMESTAMPTZOID, text, &result.value, &error))
		ls_lead_filter_bad_value(field, psprintf("%s.", error.message), DATE_HINT);
	return result;
}

/* Which kinds of JSON can stand for a type? */
static bool
fits(Oid type, const JsonbValue *value)
{
	switch (type)
	{
		case TEXTOID:
		case INT4OID:
		case NUMERICOID:
			return value->type == jbvString || value->type == jbvNumeric;
		case BOOLOID:
			return value->type == jbvString || value->type == jbvBool;
		default:
			return value->type == jbvString;
	}
}

/* A temperature in the spelling of the table; the documents write Hot. */
static char *
temperature(const LsFilterField *field, char *text)
{
	char *folded = asc_tolower(text, strlen(text));
	int i;

	for (i = 0; i < (int) lengthof(temperatures); i++)
	{
		if (strcmp(temperatures[i], folded) == 0)
			return folded;
	}
	ls_lead_filter_bad_value(field, psprintf("\"%s\" is no temperature.", text),
		"Temperatures are hot, warm, cool, cold and unrated.");
}

/* Convert a constant to the type of the comparison. */
LsFilterValue
ls_lead_filter_value(const LsFilterField *field, Oid type, const JsonbValue *value)
{
	LsFilterValue result = {0};
	LsInputError error;
	char *text;

	if (value->type == jbvNull)
		ls_lead_filter_bad_value(
			field, "Nothing equals null.", "Use {\"is_null\": true} or {\"exists\": false}.");
	if (!fits(type, value))
		ls_lead_filter_bad_value(field,
			psprintf("A value of type %s is needed.", format_type_be(type)),
			type == TIMESTAMPTZOID ? DATE_HINT : NULL);
	text = ls_json_scalar_text(value);
	if (type == TIMESTAMPTZOID)
		return parse_time(field, text);
	if (field->column == LEAD_temperature)
		text = temperature(field, text);
	if (!ls_type_input(type, text, &result.value, &error))
		ls_lead_filter_bad_value(field, psprintf("%s.", error.message), NULL);
	return result;
}

/* A number of days, as the instant that lies so far back. */
LsFilterValue
ls_lead_filter_days(const LsFilterField *field, const JsonbValue *value)
{
	int days;

	if (!ls_json_int(value, &days) || days < 0 || days > MAX_DAYS)
		ls_lead_filter_bad_value(
			field, psprintf("Days must be a whole number from 0 to %d.", MAX_DAYS), NULL);
	return relative(-(int64) days * USECS_PER_DAY);
}
