/*-------------------------------------------------------------------------
 *
 * warnings.c
 *	  The warning that a response window is about to end (semantics C6).
 *
 *	  A warning is written once per window, into the bid and the activities of
 *	  the lead, and the contractor is notified.  A window that is no longer than
 *	  the warning time gets none: its beginning is the warning.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/input.h"
#include "core/uuid.h"
#include "directory/directory.h"
#include "marketplace/internal.h"
#include "notifications/notifications.h"

/* A window that is about to end is open, and ends at or after $2. */
#define IS_ENDING \
	"b.status = 'ACTIVE' AND b.response_window_starts_at IS NOT NULL AND b.window_warned_at IS NULL" \
	" AND b.response_window_ends_at >= $2"

/* Lock leads with a window that is about to end, the next one to end first. */
static void
lock_ending(LsMarketBatch *batch, TimestampTz horizon, int minutes, int limit)
{
	LS_QUERY(query,
		"SELECT l.id, l.pipeline_id, l.status, b.id FROM lead_system.bids b"
		"  JOIN lead_system.leads l ON l.organization_id = $1 AND l.id = b.lead_id"
		" WHERE b.organization_id = $1 AND " IS_ENDING "   AND b.response_window_ends_at <= $3"
		"   AND b.response_window_ends_at - b.response_window_starts_at > make_interval(mins => $4)"
		" ORDER BY b.response_window_ends_at LIMIT $5 FOR NO KEY UPDATE OF l SKIP LOCKED",
		UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT4OID, INT8OID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &batch->org);
	ls_arg_timestamptz(&args, batch->now);
	ls_arg_timestamptz(&args, horizon);
	ls_arg_int32(&args, minutes);
	ls_arg_int64(&args, limit);
	ls_market_read_leads(batch, &query, &args);
}

/* A time as the people of an organisation write it. */
static char *
local_time(const LsOrganization *organization, TimestampTz at)
{
	pg_tz *zone = organization ? pg_tzset(organization->timezone) : NULL;
	struct pg_tm tm;
	fsec_t fsec;
	int offset;
	const char *name = NULL;

	if (timestamp2tm(at, &offset, &tm, &fsec, &name, zone ? zone : session_timezone) != 0)
		return pstrdup(timestamptz_to_str(at));
	return psprintf("%04d-%02d-%02d %02d:%02d %s", tm.tm_year, tm.tm_mon, tm.tm_mday, tm.tm_hour,
		tm.tm_min, name ? name : "");
}

/* What the contractor of a window is told. */
static LsUserNotice
notice_of(const LsMarketBatch *batch, const pg_uuid_t *lead, const pg_uuid_t *bid,
	const pg_uuid_t *contractor, TimestampTz ends_at)
{
	LsUserNotice notice = {.lead = *lead, .user = *contractor};

	notice.payload =
		ls_json_pair_text("ends_at", local_time(ls_organization(&batch->org), ends_at));
	notice.dedupe_key = psprintf("%s/%s", LS_TEMPLATE_WINDOW_ENDING, ls_uuid_text(bid));
	return notice;
}

/*
 * Mark the windows of the locked leads as warned, and write the activities.
 * Another session may have ended or warned one before its lead was locked, so
 * the condition is tested again; returns how many are left.  Inside CASE it
 * leads the server to no index of open windows, of which there may be many:
 * bids are looked up by their ids.
 */
static int
warn_locked(const LsMarketBatch *batch)
{
	LS_QUERY(query,
		"UPDATE lead_system.bids b SET window_warned_at = $2"
		" WHERE b.organization_id = $1 AND b.id = ANY ($3) AND CASE WHEN " IS_ENDING
		" THEN true END"
		" RETURNING b.lead_id, b.id, b.contractor_id, b.response_window_ends_at",
		UUIDOID, TIMESTAMPTZOID, UUIDARRAYOID);
	LsBatch *activities = ls_activity_batch();
	LsUserNotice *notices = palloc(sizeof(LsUserNotice) * batch->n);
	pg_uuid_t *bids = palloc(sizeof(pg_uuid_t) * batch->n);
	LsScope scope;
	LsArgs args = {0};
	int n;
	int i;

	for (i = 0; i < batch->n; i++)
		bids[i] = batch->leads[i].bid;
	ls_arg_uuid(&args, &batch->org);
	ls_arg_timestamptz(&args, batch->now);
	ls_arg_datum(&args, ls_uuid_array(bids, batch->n), false);
	ls_scope_open(&scope, LS_AS_OWNER);
	n = (int) ls_query_run(&query, &args, LS_WRITE);
	for (i = 0; i < n; i++)
	{
		pg_uuid_t lead = ls_result_uuid(i, 1);
		pg_uuid_t bid = ls_result_uuid(i, 2);
		pg_uuid_t contractor = ls_result_uuid(i, 3);
		LsActivity activity = {.org = &batch->org, .lead = &lead, .action = "window_ending_soon"};

		activity.new_value =
			ls_json_parse(psprintf("{\"bid_id\": \"%s\", \"contractor_id\": \"%s\"}",
				ls_uuid_text(&bid), ls_uuid_text(&contractor)));
		activity.description =
			psprintf("Response window ends at %s", timestamptz_to_str(ls_result_timestamptz(i, 4)));
		ls_activity_batch_add(activities, &activity);
		notices[i] = notice_of(batch, &lead, &bid, &contractor, ls_result_timestamptz(i, 4));
	}
	ls_notify_users(&batch->org, LS_TEMPLATE_WINDOW_ENDING, notices, n);
	ls_scope_close(&scope);
	ls_batch_flush(activities);
	return n;
}

/* One organisation's share of warn_response_windows(). */
static int64
warn(const pg_uuid_t *org, int limit)
{
	LsMarketBatch batch = {.org = *org, .now = ls_clock_now()};
	int minutes = ls_config_int(org, "marketplace.warning_minutes");

	if (minutes == 0)
		return 0;
	lock_ending(&batch, ls_market_minutes_later(batch.now, minutes), minutes, limit);
	return batch.n == 0 ? 0 : warn_locked(&batch);
}

PG_FUNCTION_INFO_V1(ls_market_warn_windows);

/* warn_response_windows(batch) */
Datum
ls_market_warn_windows(PG_FUNCTION_ARGS)
{
	/* How long before its end a window is warned of is the organization's own. */
	LS_QUERY(organizations,
		"SELECT organization_id FROM lead_system.bids"
		" WHERE status = 'ACTIVE' AND response_window_starts_at IS NOT NULL"
		"   AND window_warned_at IS NULL AND response_window_ends_at >= $1"
		" GROUP BY organization_id ORDER BY min(response_window_ends_at), organization_id",
		TIMESTAMPTZOID);

	LS_REQUIRE_ARG(0, "batch");
	PG_RETURN_INT64(ls_sweep(&organizations, warn, PG_GETARG_INT32(0), LS_MARKET_MAX_BATCH));
}
