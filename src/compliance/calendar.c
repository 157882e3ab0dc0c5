/*-------------------------------------------------------------------------
 *
 * calendar.c
 *	  The hours within which somebody may be called or texted: the calling
 *	  rules of the places that they may be in, by the clocks of the zones that
 *	  they may be in.
 *
 *	  Built-in rules say what is open, and an organisation's own rules close
 *	  more of it.  A weekday that no built-in rule speaks of is closed, so that
 *	  an empty table does not open the night.  The rules of the lead's state
 *	  and those of its number's state both count, since laws protect either.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "compliance/calendar.h"
#include "core/cache.h"
#include "core/query.h"

#define ALL_WEEKDAYS 127

/* A row of calling_rules. */
typedef struct CallingRule
{
	bool built_in;
	char country[3]; /* "" for all */
	char state[3];   /* "" for all */
	bool any_channel;
	LsChannel channel;
	int weekdays;
	int64 from;
	int64 to;
} CallingRule;

/* The rules that concern an organisation. */
typedef struct RulesEntry
{
	pg_uuid_t org; /* hash key */
	int n;
	CallingRule *rules;
} RulesEntry;

static LsCache rules_cache = {.name = "calling rules", .relations = {"calling_rules"}};
static HTAB *rules_hash = NULL;

/* Read the rules of an organisation, with the built-in ones. */
static RulesEntry *
load_rules(const pg_uuid_t *org)
{
	LS_QUERY(query,
		"SELECT organization_id IS NULL, coalesce(country, ''), coalesce(state, ''), channel, weekdays,"
		"       from_time, to_time"
		"  FROM lead_system.calling_rules WHERE organization_id = $1 OR organization_id IS NULL",
		UUIDOID);
	RulesEntry *entry;
	RulesEntry loaded = {.org = *org};
	LsScope scope;
	LsArgs args = {0};
	int i;

	ls_arg_uuid(&args, org);
	ls_scope_open(&scope, LS_AS_OWNER);
	loaded.n = (int) ls_query_run_latest(&query, &args);
	loaded.rules =
		MemoryContextAllocZero(rules_cache.context, sizeof(CallingRule) * Max(loaded.n, 1));
	for (i = 0; i < loaded.n; i++)
	{
		CallingRule *rule = &loaded.rules[i];
		bool isnull;

		rule->built_in = ls_result_bool(i, 1);
		strlcpy(rule->country, ls_result_text(i, 2), sizeof(rule->country));
		strlcpy(rule->state, ls_result_text(i, 3), sizeof(rule->state));
		rule->any_channel = ls_result_isnull(i, 4);
		if (!rule->any_channel)
			rule->channel = ls_channel_parse(ls_result_text(i, 4));
		rule->weekdays = ls_result_int32(i, 5);
		rule->from = DatumGetTimeADT(ls_result(i, 6, &isnull));
		rule->to = DatumGetTimeADT(ls_result(i, 7, &isnull));
	}
	ls_scope_close(&scope);
	entry = hash_search(rules_hash, org, HASH_ENTER, NULL);
	*entry = loaded;
	return entry;
}

/* The rules that concern an organisation, from the cache. */
static const RulesEntry *
rules_of(const pg_uuid_t *org)
{
	RulesEntry *entry;

	if (!ls_cache_valid(&rules_cache))
	{
		HASHCTL ctl = {0};

		ctl.keysize = sizeof(pg_uuid_t);
		ctl.entrysize = sizeof(RulesEntry);
		ctl.hcxt = ls_cache_renew(&rules_cache);
		rules_hash = hash_create(
			"lead_system calling rules", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	entry = hash_search(rules_hash, org, HASH_FIND, NULL);
	return entry ? entry : load_rules(org);
}

/* Does a rule speak of a place? */
static bool
applies_to(const CallingRule *rule, const LsPlace *place)
{
	int i;

	if (rule->country[0] == '\0')
		return true;
	if (strcmp(rule->country, place->country) != 0)
		return false;
	if (rule->state[0] == '\0')
		return true;
	for (i = 0; i < place->n_states; i++)
	{
		if (strcmp(rule->state, place->states[i]) == 0)
			return true;
	}
	return false;
}

/* Intersect the rules that apply. */
static void
make_week(const pg_uuid_t *org, LsChannel channel, const LsPlaces *places, LsWeek *week)
{
	const RulesEntry *entry = rules_of(org);
	int spoken_of = 0;
	int i;

	ls_week_daily(week, 0, USECS_PER_DAY);
	for (i = 0; i < entry->n; i++)
	{
		const CallingRule *rule = &entry->rules[i];

		if ((!rule->any_channel && rule->channel != channel) ||
			!(applies_to(rule, &places->of_lead) || applies_to(rule, &places->of_number)))
			continue;
		ls_week_narrow(week, rule->weekdays, rule->from, rule->to);
		if (rule->built_in)
			spoken_of |= rule->weekdays;
	}
	ls_week_narrow(week, ALL_WEEKDAYS & ~spoken_of, 0, 0);
}

/* Find out where somebody is, and which hours are open there. */
void
ls_calendar_make(
	const pg_uuid_t *org, LsChannel channel, const LsWhereabouts *whereabouts, LsCalendar *calendar)
{
	LsPlaces places;

	memset(calendar, 0, sizeof(LsCalendar));
	ls_places_find(whereabouts, calendar, &places);
	make_week(org, channel, &places, &calendar->week);
}

/*
 * The first instant from "at" on that is open in all zones, and within further
 * hours, if any; LS_NEVER when there is none.
 */
TimestampTz
ls_calendar_next(const LsCalendar *calendar, const LsHours *also, TimestampTz at)
{
	LsHours hours[LS_MAX_ZONES + 1];
	int n;

	for (n = 0; n < calendar->n_zones; n++)
		hours[n] = (LsHours){calendar->zones[n], &calendar->week};
	if (also != NULL)
		hours[n++] = *also;
	return ls_hours_next(hours, n, at);
}

/* What the zones were taken from, as a word. */
const char *
ls_calendar_source(LsZoneSource source)
{
	static const char *const names[] = {"unknown", "lead", "state", "zip_code", "area_code"};

	return names[source];
}

/* Does the area code lie in none of the zones, by what their clocks show? */
bool
ls_calendar_is_contradicted(const LsCalendar *calendar, TimestampTz at)
{
	int i;
	int j;

	for (i = 0; i < calendar->n_zones; i++)
	{
		for (j = 0; j < calendar->n_others; j++)
		{
			if (calendar->others[j] != NULL &&
				ls_zone_offset(calendar->zones[i], at) == ls_zone_offset(calendar->others[j], at))
				return false;
		}
	}
	return calendar->n_others > 0;
}

/* Append a time of day. */
static void
append_time(StringInfo text, int64 time)
{
	appendStringInfo(text, "%02d:%02d", (int) (time / USECS_PER_HOUR),
		(int) (time % USECS_PER_HOUR / USECS_PER_MINUTE));
}

/* Say which hours are open on the day of "at", and where. */
char *
ls_calendar_describe(const LsCalendar *calendar, TimestampTz at)
{
	StringInfoData text;
	int i;
	int j;

	initStringInfo(&text);
	for (i = 0; i < calendar->n_zones; i++)
	{
		const LsDay *day = &calendar->week.days[ls_zone_weekday(calendar->zones[i], at)];

		appendStringInfoString(&text, i > 0 ? ", " : "");
		if (day->n_windows == 0)
			appendStringInfoString(&text, "closed");
		for (j = 0; j < day->n_windows; j++)
		{
			append_time(&text, day->windows[j].from);
			appendStringInfoChar(&text, '-');
			append_time(&text, day->windows[j].to);
		}
		appendStringInfo(&text, " in %s", pg_get_timezone_name((pg_tz *) calendar->zones[i]));
	}
	appendStringInfo(&text, " (zone of %s)", ls_calendar_source(calendar->source));
	if (ls_calendar_is_contradicted(calendar, at))
		appendStringInfo(&text, "; the area code lies in %s",
			pg_get_timezone_name((pg_tz *) calendar->others[0]));
	return text.data;
}

void
ls_calendar_init(void)
{
	ls_cache_register(&rules_cache);
	ls_places_init();
}
