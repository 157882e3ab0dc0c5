/*-------------------------------------------------------------------------
 *
 * places.c
 *	  From what is known of a lead to the time zones that it may be in.
 *
 *	  The lead's own time zone comes first, then its state, narrowed by the ZIP
 *	  code, then the area code of its number.  When several zones remain, all
 *	  of them count.  When nothing is known, no zone is returned, and the
 *	  caller refuses.  The area code says nothing of a lead that is said to
 *	  live in another country.
 *
 *	  The tables are the same for all organisations and small; each backend
 *	  reads them once.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "lead_system.h"
#include "compliance/calendar.h"
#include "core/cache.h"
#include "core/query.h"

/* Area codes are numbers below this. */
#define N_AREA_CODES 1000

/* Zones; NULL among them is one that the server does not know. */
typedef struct Zones
{
	int n;
	const pg_tz *zones[LS_MAX_ZONES];
	bool too_many;
} Zones;

/* An area code. */
typedef struct AreaCode
{
	Zones zones;
	LsPlace place;
} AreaCode;

/* The zones of a state, or of those ZIP codes in it that begin with a prefix. */
typedef struct StateZones
{
	char country[3];
	char state[3];
	char *name;
	char *zip_prefix;
	Zones zones;
} StateZones;

static LsCache places_cache = {
	.name = "time zones of places", .relations = {"area_code_timezones", "state_timezones"}};
static AreaCode **area_codes = NULL;   /* by number; NULL: there is no such code */
static StateZones *state_zones = NULL; /* ordered by country, state, prefix */
static int n_state_zones = 0;

/* Other ways to write the countries that have states here. */
static const struct
{
	const char *name;
	const char *country;
	const char *state; /* which it is a territory, or NULL */
} country_names[] = {
	{"USA", "US", NULL},
	{"U.S.", "US", NULL},
	{"U.S.A.", "US", NULL},
	{"UNITED STATES", "US", NULL},
	{"UNITED STATES OF AMERICA", "US", NULL},
	{"CAN", "CA", NULL},
	{"CANADA", "CA", NULL},
	{"PR", "US", "PR"},
	{"VI", "US", "VI"},
	{"GU", "US", "GU"},
	{"MP", "US", "MP"},
	{"AS", "US", "AS"},
};

/* Add a zone by name. */
static void
add_zone(Zones *zones, const char *name)
{
	if (zones->n == LS_MAX_ZONES)
		zones->too_many = true;
	else
		zones->zones[zones->n++] = pg_tzset(name);
}

/* Are zones known, all of them? */
static bool
zones_known(const Zones *zones)
{
	int i;

	for (i = 0; i < zones->n; i++)
	{
		if (zones->zones[i] == NULL)
			return false;
	}
	return zones->n > 0 && !zones->too_many;
}

/* The states of an area code, from an array, in the cache's memory. */
static void
set_states(LsPlace *place, Datum states)
{
	Datum *elements;
	int i;

	deconstruct_array(DatumGetArrayTypeP(states), TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL,
		&place->n_states);
	place->states = MemoryContextAllocZero(
		places_cache.context, sizeof(*place->states) * (place->n_states + 1));
	for (i = 0; i < place->n_states; i++)
		strlcpy(place->states[i], TextDatumGetCString(elements[i]), sizeof(place->states[i]));
}

/* Read the area codes. */
static void
load_area_codes(void)
{
	LS_QUERY0(query,
		"SELECT area_code::integer, timezone, country, states FROM lead_system.area_code_timezones"
		" ORDER BY area_code, timezone");
	uint64 n = ls_query_run_latest(&query, NULL);
	uint64 row;

	area_codes = MemoryContextAllocZero(places_cache.context, sizeof(AreaCode *) * N_AREA_CODES);
	for (row = 0; row < n; row++)
	{
		AreaCode **slot = &area_codes[ls_result_int32(row, 1)];
		AreaCode *code = *slot;
		bool isnull;

		if (code == NULL)
			code = *slot = MemoryContextAllocZero(places_cache.context, sizeof(AreaCode));
		add_zone(&code->zones, ls_result_text(row, 2));
		strlcpy(code->place.country, ls_result_text(row, 3), sizeof(code->place.country));
		set_states(&code->place, ls_result(row, 4, &isnull));
	}
}

/* Read the states. */
static void
load_states(void)
{
	LS_QUERY0(query,
		"SELECT country, state, min(state_name), zip_prefix, array_agg(timezone ORDER BY timezone)"
		"  FROM lead_system.state_timezones GROUP BY country, state, zip_prefix"
		" ORDER BY country, state, zip_prefix");
	uint64 n = ls_query_run_latest(&query, NULL);
	uint64 row;

	state_zones = MemoryContextAllocZero(places_cache.context, sizeof(StateZones) * (n + 1));
	n_state_zones = (int) n;
	for (row = 0; row < n; row++)
	{
		StateZones *state = &state_zones[row];
		bool isnull;
		Datum *zones;
		int n_zones;
		int i;

		strlcpy(state->country, ls_result_text(row, 1), sizeof(state->country));
		strlcpy(state->state, ls_result_text(row, 2), sizeof(state->state));
		state->name = MemoryContextStrdup(places_cache.context, ls_result_text(row, 3));
		state->zip_prefix = MemoryContextStrdup(places_cache.context, ls_result_text(row, 4));
		deconstruct_array(DatumGetArrayTypeP(ls_result(row, 5, &isnull)), TEXTOID, -1, false,
			TYPALIGN_INT, &zones, NULL, &n_zones);
		for (i = 0; i < n_zones; i++)
			add_zone(&state->zones, TextDatumGetCString(zones[i]));
	}
}

/* Fill the cache if it is not. */
static void
load_places(void)
{
	LsScope scope;

	if (ls_cache_valid(&places_cache))
		return;
	(void) ls_cache_renew(&places_cache);
	ls_scope_open(&scope, LS_AS_OWNER);
	load_area_codes();
	load_states();
	ls_scope_close(&scope);
}

/* The area code of a number of North America; NULL when it has none, or an unknown one. */
static const AreaCode *
area_code_of(const char *phone_number)
{
	int i;

	if (phone_number == NULL || strncmp(phone_number, "+1", 2) != 0 || strlen(phone_number) != 12)
		return NULL;
	for (i = 2; i < 5; i++)
	{
		if (!isdigit((unsigned char) phone_number[i]))
			return NULL;
	}
	return area_codes[(phone_number[2] - '0') * 100 + (phone_number[3] - '0') * 10 +
					  (phone_number[4] - '0')];
}

/* A text in upper case, without blanks around it, or without any and hyphens; "" for NULL. */
static void
normalize(const char *text, bool keep_blanks, char *result, size_t size)
{
	size_t n = 0;

	for (; text != NULL && *text != '\0' && n < size - 1; text++)
	{
		if ((*text == ' ' || *text == '-') && (!keep_blanks || n == 0))
			continue;
		result[n++] = pg_toupper((unsigned char) *text);
	}
	while (n > 0 && result[n - 1] == ' ')
		n--;
	result[n] = '\0';
}

/* The country of a lead as two letters, "" when none is given, "??" when it is not known here. */
static void
find_country(const LsWhereabouts *whereabouts, char country[3], const char **state)
{
	char name[64];
	int i;

	normalize(whereabouts->country, true, name, sizeof(name));
	*state = NULL;
	for (i = 0; i < (int) lengthof(country_names); i++)
	{
		if (strcmp(name, country_names[i].name) == 0)
		{
			strlcpy(country, country_names[i].country, 3);
			*state = country_names[i].state;
			return;
		}
	}
	strlcpy(country, strlen(name) > 2 ? "??" : name, 3);
}

/* Where the rows of a state begin, by its code or name; -1 when there is none. */
static int
find_state(const char *country, const char *state)
{
	char name[64];
	int i;

	normalize(state, true, name, sizeof(name));
	if (name[0] == '\0')
		return -1;
	for (i = 0; i < n_state_zones; i++)
	{
		if ((country[0] == '\0' || strcmp(state_zones[i].country, country) == 0) &&
			(strcmp(state_zones[i].state, name) == 0 ||
				pg_strcasecmp(state_zones[i].name, name) == 0))
			return i;
	}
	return -1;
}

/* The zones of a state, those of the longest prefix that the ZIP code begins with. */
static const StateZones *
narrow_state(int first, const char *zip_code)
{
	const StateZones *best = NULL;
	char zip[16];
	int i;

	normalize(zip_code, false, zip, sizeof(zip));
	for (i = first; i < n_state_zones; i++)
	{
		const StateZones *state = &state_zones[i];
		size_t length = strlen(state->zip_prefix);

		if (strcmp(state->state, state_zones[first].state) != 0 ||
			strcmp(state->country, state_zones[first].country) != 0)
			break;
		if (strncmp(zip, state->zip_prefix, length) == 0 &&
			(best == NULL || length > strlen(best->zip_prefix)))
			best = state;
	}
	return best;
}

/* Take over zones, if all are known. */
static bool
use_zones(LsCalendar *calendar, const Zones *zones, LsZoneSource source)
{
	if (!zones_known(zones))
		return false;
	calendar->source = source;
	calendar->n_zones = zones->n;
	memcpy(calendar->zones, zones->zones, sizeof(pg_tz *) * zones->n);
	return true;
}

/* Find the zones of somebody, and the places whose rules apply. */
void
ls_places_find(const LsWhereabouts *whereabouts, LsCalendar *calendar, LsPlaces *places)
{
	const AreaCode *code;
	const StateZones *state = NULL;
	const char *territory;
	Zones own = {0};
	int first;

	load_places();
	memset(places, 0, sizeof(LsPlaces));
	code = area_code_of(whereabouts->phone_number);
	if (code != NULL)
		places->of_number = code->place;
	find_country(whereabouts, places->of_lead.country, &territory);
	first = -1;
	if (places->of_lead.country[0] != '\0' || code != NULL)
		first = find_state(places->of_lead.country, territory ? territory : whereabouts->state);
	if (first >= 0)
	{
		strlcpy(places->of_lead.country, state_zones[first].country, 3);
		places->of_lead.states = &state_zones[first].state;
		places->of_lead.n_states = 1;
		state = narrow_state(first, whereabouts->zip_code);
	}
	if (whereabouts->timezone != NULL)
		add_zone(&own, whereabouts->timezone);
	if (use_zones(calendar, &own, LS_ZONES_OF_LEAD) ||
		(state != NULL &&
			use_zones(calendar, &state->zones,
				state->zip_prefix[0] != '\0' ? LS_ZONES_OF_ZIP_CODE : LS_ZONES_OF_STATE)))
	{
		calendar->n_others = code != NULL ? code->zones.n : 0;
		calendar->others = code != NULL ? code->zones.zones : NULL;
	}
	else if (code != NULL && (places->of_lead.country[0] == '\0' ||
								 strcmp(places->of_lead.country, code->place.country) == 0))
		(void) use_zones(calendar, &code->zones, LS_ZONES_OF_AREA_CODE);
}

void
ls_places_init(void)
{
	ls_cache_register(&places_cache);
}
