/*-------------------------------------------------------------------------
 *
 * daily.c
 *	  How many text messages and e-mails an organisation's sequences may send on
 *	  a day of its time zone (semantics F8).
 *
 *	  The cap is exact, and claims do not wait for each other all the same: it is
 *	  divided into parts.  A claim takes the lock of a part, if no other claim
 *	  has it, and counts there until it ends.  What a part has left, while another
 *	  claim has it, is not to be had at that moment; the steps stay due.
 *
 *	  A step counts when it is handed out, whatever comes of it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"

#include "lead_system.h"
#include "core/config.h"
#include "core/lock.h"
#include "core/query.h"
#include "nurture/claim.h"

#define N_PARTS 16

/* What of the cap is left. */
typedef struct Day
{
	Datum date;
	TimestampTz ends_at;
	int cap;
	int counts[N_PARTS];
	bool locked[N_PARTS];
} Day;

/* The share of a part. */
static int
quota(const Day *day, int part)
{
	return day->cap / N_PARTS + (part < day->cap % N_PARTS ? 1 : 0);
}

/* What a part has left. */
static int
left_in(const Day *day, int part)
{
	return Max(quota(day, part) - day->counts[part], 0);
}

/* What all parts together have left; a cap that was lowered binds at once. */
static int
left_of_cap(const Day *day)
{
	int used = 0;
	int part;

	for (part = 0; part < N_PARTS; part++)
		used += day->counts[part];
	return Max(day->cap - used, 0);
}

/* Today, and when it ends. */
static void
read_day(const LsNurtureClaim *claim, Day *day)
{
	LS_QUERY(query,
		"SELECT x.day, (x.day + 1)::timestamp AT TIME ZONE x.timezone"
		"  FROM (SELECT ($2 AT TIME ZONE o.timezone)::date AS day, o.timezone"
		"          FROM lead_system.organizations o WHERE o.id = $1) x",
		UUIDOID, TIMESTAMPTZOID);
	LsArgs args = {0};
	bool isnull;

	ls_arg_uuid(&args, &claim->org);
	ls_arg_timestamptz(&args, claim->now);
	ls_query_run(&query, &args, LS_WRITE);
	day->date = ls_result(0, 1, &isnull);
	day->ends_at = ls_result_timestamptz(0, 2);
}

/* What has been counted, as of now. */
static void
read_counts(const LsNurtureClaim *claim, LsNurtureChannel channel, Day *day)
{
	LS_QUERY(query,
		"SELECT part, step_count FROM lead_system.nurture_daily_counts"
		" WHERE organization_id = $1 AND day = $2 AND channel = $3",
		UUIDOID, DATEOID, TEXTOID);
	LsArgs args = {0};
	uint64 n;
	uint64 row;

	memset(day->counts, 0, sizeof(day->counts));
	ls_arg_uuid(&args, &claim->org);
	ls_arg_datum(&args, day->date, false);
	ls_arg_text(&args, ls_nurture_channel_name(channel));
	n = ls_query_run_latest(&query, &args);
	for (row = 0; row < n; row++)
	{
		int part = ls_result_int32(row, 1);

		if (part >= 0 && part < N_PARTS)
			day->counts[part] = ls_result_int32(row, 2);
	}
}

/* Lock a part until the transaction ends, unless somebody else has it. */
static bool
lock_part(const LsNurtureClaim *claim, LsNurtureChannel channel, int part)
{
	LOCKTAG tag = ls_lock_tag(LS_LOCK_NURTURE_PART, hash_bytes(claim->org.data, UUID_LEN),
		(uint32) channel * N_PARTS + part);

	return LockAcquire(&tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
}

/* Lock parts until they have enough; true when all parts that count were to be had. */
static bool
lock_parts(const LsNurtureClaim *claim, LsNurtureChannel channel, Day *day, int wanted)
{
	bool all = true;
	int expected = 0;
	int part;

	for (part = 0; part < N_PARTS && expected < wanted; part++)
	{
		if (left_in(day, part) == 0)
			continue;
		day->locked[part] = lock_part(claim, channel, part);
		if (day->locked[part])
			expected += left_in(day, part);
		else
			all = false;
	}
	return all;
}

/* Count what was taken of each part. */
static void
write_counts(
	const LsNurtureClaim *claim, LsNurtureChannel channel, const Day *day, const int *taken)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.nurture_daily_counts AS c"
		" (organization_id, day, channel, part, step_count)"
		" SELECT $1, $2, $3, u.part, u.taken FROM unnest($4, $5) u(part, taken)"
		" ON CONFLICT (organization_id, day, channel, part)"
		" DO UPDATE SET step_count = c.step_count + excluded.step_count",
		UUIDOID, DATEOID, TEXTOID, INT4ARRAYOID, INT4ARRAYOID);
	Datum parts[N_PARTS];
	Datum counts[N_PARTS];
	LsArgs args = {0};
	int n = 0;
	int part;

	for (part = 0; part < N_PARTS; part++)
	{
		if (taken[part] == 0)
			continue;
		parts[n] = Int32GetDatum(part);
		counts[n++] = Int32GetDatum(taken[part]);
	}
	ls_arg_uuid(&args, &claim->org);
	ls_arg_datum(&args, day->date, false);
	ls_arg_text(&args, ls_nurture_channel_name(channel));
	ls_arg_datum(&args,
		PointerGetDatum(construct_array(parts, n, INT4OID, sizeof(int32), true, TYPALIGN_INT)),
		false);
	ls_arg_datum(&args,
		PointerGetDatum(construct_array(counts, n, INT4OID, sizeof(int32), true, TYPALIGN_INT)),
		false);
	ls_query_run(&query, &args, LS_WRITE);
}

/*
 * Take up to "wanted" of what may be sent today; returns how many.  *until is set
 * when it is fewer because the cap is reached: to the beginning of the next day.
 */
int
ls_nurture_take_daily(
	const LsNurtureClaim *claim, LsNurtureChannel channel, int wanted, TimestampTz *until)
{
	Day day = {0};
	int taken[N_PARTS] = {0};
	int rest;
	int part;
	bool all;

	*until = 0;
	day.cap = ls_config_int(
		&claim->org, channel == NURTURE_SMS ? "nurture.daily_sms_cap" : "nurture.daily_email_cap");
	if (day.cap == 0)
		return wanted;
	read_day(claim, &day);
	read_counts(claim, channel, &day);
	all = lock_parts(claim, channel, &day, wanted);
	read_counts(claim, channel, &day);
	rest = Min(wanted, left_of_cap(&day));
	wanted = rest;
	for (part = 0; part < N_PARTS && rest > 0; part++)
	{
		if (!day.locked[part])
			continue;
		taken[part] = Min(left_in(&day, part), rest);
		rest -= taken[part];
	}
	if (wanted > rest)
		write_counts(claim, channel, &day, taken);
	if (all && left_of_cap(&day) == wanted - rest)
		*until = day.ends_at;
	return wanted - rest;
}
