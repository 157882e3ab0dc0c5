/*-------------------------------------------------------------------------
 *
 * hours.h
 *	  Weeks of open hours, in time zones.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_HOURS_H
#define LS_HOURS_H

#include "datatype/timestamp.h"
#include "pgtime.h"

/* Part of a day, in microseconds of local time, half-open. */
typedef struct LsWindow
{
	int64 from;
	int64 to;
} LsWindow;

#define LS_MAX_WINDOWS 2

typedef struct LsDay
{
	int n_windows; /* that do not overlap, the earlier one first */
	LsWindow windows[LS_MAX_WINDOWS];
} LsDay;

typedef struct LsWeek
{
	LsDay days[7]; /* Monday first */
} LsWeek;

/* A week that is kept by the clocks of a zone. */
typedef struct LsHours
{
	const pg_tz *zone;
	const LsWeek *week;
} LsHours;

extern void ls_week_clear(LsWeek *week);
extern void ls_week_daily(LsWeek *week, int64 from, int64 to);
extern void ls_week_narrow(LsWeek *week, int weekdays, int64 from, int64 to);
extern TimestampTz ls_hours_next(const LsHours *hours, int n, TimestampTz at);
extern int64 ls_zone_offset(const pg_tz *zone, TimestampTz at);
extern int ls_zone_weekday(const pg_tz *zone, TimestampTz at);

#endif /* LS_HOURS_H */
