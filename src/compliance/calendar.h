/*-------------------------------------------------------------------------
 *
 * calendar.h
 *	  Where somebody is, and the hours that the rules allow there.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CALENDAR_H
#define LS_CALENDAR_H

#include "utils/uuid.h"

#include "compliance/contact.h"
#include "compliance/hours.h"

#define LS_MAX_ZONES 16

/* A country, and states in it. */
typedef struct LsPlace
{
	char country[3]; /* "" for unknown */
	int n_states;
	char (*states)[3];
} LsPlace;

/* Where the rules of a place apply: the lead's own, and that of its number. */
typedef struct LsPlaces
{
	LsPlace of_lead;
	LsPlace of_number;
} LsPlaces;

/* What is known of where somebody is; each may be NULL. */
typedef struct LsWhereabouts
{
	const char *timezone;
	const char *state;
	const char *zip_code;
	const char *country;
	const char *phone_number;
} LsWhereabouts;

/* What the zones were taken from. */
typedef enum LsZoneSource
{
	LS_ZONES_UNKNOWN,
	LS_ZONES_OF_LEAD,
	LS_ZONES_OF_STATE,
	LS_ZONES_OF_ZIP_CODE,
	LS_ZONES_OF_AREA_CODE
} LsZoneSource;

typedef struct LsCalendar
{
	LsZoneSource source;
	int n_zones; /* 0: unknown */
	const pg_tz *zones[LS_MAX_ZONES];
	int n_others; /* zones of the area code, where they were not asked */
	const pg_tz *const *others;
	LsWeek week; /* the open hours, by the clocks of each zone */
} LsCalendar;

extern void ls_calendar_make(const pg_uuid_t *org, LsChannel channel,
	const LsWhereabouts *whereabouts, LsCalendar *calendar);
extern TimestampTz ls_calendar_next(
	const LsCalendar *calendar, const LsHours *also, TimestampTz at);
extern const char *ls_calendar_source(LsZoneSource source);
extern bool ls_calendar_is_contradicted(const LsCalendar *calendar, TimestampTz at);
extern char *ls_calendar_describe(const LsCalendar *calendar, TimestampTz at);
extern void ls_places_find(
	const LsWhereabouts *whereabouts, LsCalendar *calendar, LsPlaces *places);
extern void ls_calendar_init(void);
extern void ls_places_init(void);

#endif /* LS_CALENDAR_H */
