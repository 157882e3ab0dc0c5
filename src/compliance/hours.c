/*-------------------------------------------------------------------------
 *
 * hours.c
 *	  When is it next within the hours of several time zones at once?
 *
 *	  The zones' data are the server's own.  An instant is within the hours of
 *	  a zone when the time of day that its clocks show lies in a window of that
 *	  weekday.  Between two changes of the clocks local time runs evenly, so
 *	  each such stretch is searched by plain arithmetic, and the search goes on
 *	  at the change.  Hours that the clocks leave out thus do not exist, and
 *	  hours that they show twice are open twice, without a special case.
 *
 *	  Hours of several zones are intersected by turns: the search moves to the
 *	  latest of the zones' next instants until all agree.  Each turn moves
 *	  forward over a closed stretch, and the search ends after SEARCH_DAYS,
 *	  which covers each weekday at each offset of a year.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "lead_system.h"
#include "compliance/hours.h"

/* How far ahead an open hour is looked for. */
#define SEARCH_DAYS 400

/* Nobody is called later than that (in the year 9994); the search must not overflow. */
#define LAST_INSTANT ((int64) (8000 - 1) * 365 * USECS_PER_DAY)

/* Seconds between the epochs of pg_time_t and of TimestampTz. */
#define EPOCH_SECONDS ((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

/* Division that rounds down, also before the year 2000. */
static int64
floor_div(int64 value, int64 divisor)
{
	int64 quotient = value / divisor;

	return value % divisor < 0 ? quotient - 1 : quotient;
}

/* The weekday of a day counted from 2000-01-01, a Saturday; 0 is Monday. */
static int
weekday(int64 day)
{
	int number = (int) ((day + 5) % 7);

	return number < 0 ? number + 7 : number;
}

/* Make a week in which no hour is open. */
void
ls_week_clear(LsWeek *week)
{
	memset(week, 0, sizeof(LsWeek));
}

/* Make a week of equal days; a window that ends before it begins runs over midnight. */
void
ls_week_daily(LsWeek *week, int64 from, int64 to)
{
	int day;

	ls_week_clear(week);
	for (day = 0; day < 7; day++)
	{
		LsDay *this = &week->days[day];

		if (from < to)
			this->windows[this->n_windows++] = (LsWindow){from, to};
		else
		{
			if (to > 0)
				this->windows[this->n_windows++] = (LsWindow){0, to};
			if (from < USECS_PER_DAY)
				this->windows[this->n_windows++] = (LsWindow){from, USECS_PER_DAY};
		}
	}
}

/* Close the hours outside a window, on some weekdays (bit 0: Monday). */
void
ls_week_narrow(LsWeek *week, int weekdays, int64 from, int64 to)
{
	int day;
	int i;

	for (day = 0; day < 7; day++)
	{
		LsDay *this = &week->days[day];
		int kept = 0;

		if ((weekdays & (1 << day)) == 0)
			continue;
		for (i = 0; i < this->n_windows; i++)
		{
			LsWindow window = {Max(this->windows[i].from, from), Min(this->windows[i].to, to)};

			if (window.from < window.to)
				this->windows[kept++] = window;
		}
		this->n_windows = kept;
	}
}

/* The first local time from "local" on that is open within a week; PG_INT64_MAX: none. */
static int64
next_local(const LsWeek *week, int64 local)
{
	int64 day = floor_div(local, USECS_PER_DAY);
	int ahead;
	int i;

	for (ahead = 0; ahead <= 7; ahead++)
	{
		const LsDay *this = &week->days[weekday(day + ahead)];
		int64 midnight = (day + ahead) * USECS_PER_DAY;

		for (i = 0; i < this->n_windows; i++)
		{
			if (local < midnight + this->windows[i].to)
				return Max(local, midnight + this->windows[i].from);
		}
	}
	return PG_INT64_MAX;
}

/*
 * The offset of a zone at an instant, in microseconds, and when it next
 * changes, which may be DT_NOEND.
 */
static int64
offset_at(const pg_tz *zone, TimestampTz at, TimestampTz *until)
{
	pg_time_t now = (pg_time_t) (floor_div(at, USECS_PER_SEC) + EPOCH_SECONDS);
	pg_time_t boundary;
	long before;
	long after;
	int before_isdst;
	int after_isdst;
	int found =
		pg_next_dst_boundary(&now, &before, &before_isdst, &boundary, &after, &after_isdst, zone);

	if (found < 0)
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
						   errmsg("could not determine the time in zone \"%s\"",
							   pg_get_timezone_name((pg_tz *) zone))));
	*until = found > 0 ? (TimestampTz) ((boundary - EPOCH_SECONDS) * USECS_PER_SEC) : DT_NOEND;
	return (int64) before * USECS_PER_SEC;
}

/* The first instant from "at" on, before "limit", that is within the hours of one zone. */
static TimestampTz
next_in_zone(const LsHours *hours, TimestampTz at, TimestampTz limit)
{
	while (at < limit)
	{
		TimestampTz until;
		int64 offset = offset_at(hours->zone, at, &until);
		int64 local = next_local(hours->week, at + offset);

		if (local != PG_INT64_MAX && local - offset < until)
			return local - offset;
		at = until;
	}
	return DT_NOEND;
}

/*
 * The first instant from "at" on that is within the hours of all; DT_NOEND
 * when there is none for more than a year.
 */
TimestampTz
ls_hours_next(const LsHours *hours, int n, TimestampTz at)
{
	TimestampTz limit;

	if (at < MIN_TIMESTAMP || at > LAST_INSTANT)
		return DT_NOEND;
	limit = at + SEARCH_DAYS * USECS_PER_DAY;
	while (at < limit)
	{
		TimestampTz latest = at;
		int i;

		for (i = 0; i < n; i++)
			latest = Max(latest, next_in_zone(&hours[i], latest, limit));
		if (latest == at)
			return at;
		at = latest;
	}
	return DT_NOEND;
}

/* The offset of a zone at an instant, in microseconds. */
int64
ls_zone_offset(const pg_tz *zone, TimestampTz at)
{
	TimestampTz until;

	return offset_at(zone, at, &until);
}

/* The weekday that the clocks of a zone show; 0 is Monday. */
int
ls_zone_weekday(const pg_tz *zone, TimestampTz at)
{
	return weekday(floor_div(at + ls_zone_offset(zone, at), USECS_PER_DAY));
}
