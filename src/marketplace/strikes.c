/*-------------------------------------------------------------------------
 *
 * strikes.c
 *	  Strikes, the ban that follows from enough of them, and its end
 *	  (semantics C10 to C12).
 *
 *	  A ban whose time is over counts for nothing from that moment on;
 *	  lift_expired_bans() only writes it down.  So a strike after that moment is
 *	  the first one of a new count, whether it was written down or not.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "marketplace/internal.h"

#define STRIKE_REASON "response_window_expired"
#define BAN_RAN_OUT "The ban has run out"

/* Is the ban of a row u of users over at the time $3?  One without end is not. */
#define SQL_BAN_IS_OVER "(u.is_bidding_banned AND coalesce(u.bidding_ban_until <= $3, false))"

/*
 * Of each contractor: banned at the time $3, and strikes that count by then.
 * Parameter $5: days after which a strike counts no more, 0 for never.
 */
#define SQL_STANDING \
	"SELECT u.id AS contractor_id, u.is_bidding_banned AND NOT " SQL_BAN_IS_OVER " AS banned," \
	"       CASE WHEN " SQL_BAN_IS_OVER " THEN 0 WHEN $5 = 0 THEN u.strike_count" \
	"         ELSE (SELECT count(*)::integer FROM lead_system.strike_logs o" \
	"                WHERE o.organization_id = $1 AND o.contractor_id = u.id" \
	"                  AND o.created_at > $3 - make_interval(hours => 24 * $5)" \
	"                  AND (u.strikes_reset_at IS NULL OR o.created_at >= u.strikes_reset_at))" \
	"       END AS base" \
	"  FROM lead_system.users u WHERE u.organization_id = $1"

/* What a strike did. */
typedef struct Strike
{
	LsMarketBid bid;
	int count_after;
	bool ban_triggered;
} Strike;

/*
 * Write the strike logs.  Several strikes of one contractor are counted in the
 * order in which the windows ended.  The contractors are locked.  The bids are
 * looked up first, by their ids: tables without statistics must not make the
 * server look through all bids of all contractors.
 */
static Strike *
log_strikes(const LsMarketBatch *batch, Datum bid_ids, int *n)
{
	LS_QUERY(query,
		"WITH struck AS MATERIALIZED (SELECT b.id, b.contractor_id, b.lead_id, b.response_window_ends_at"
		"    FROM lead_system.bids b WHERE b.organization_id = $1 AND b.id = ANY ($2))"
		" INSERT INTO lead_system.strike_logs (organization_id, contractor_id, lead_id, bid_id,"
		"       strike_reason, strike_count_after, ban_triggered, created_at)"
		" SELECT $1, s.contractor_id, s.lead_id, s.id, '" STRIKE_REASON "', s.base + s.n,"
		"        NOT s.banned AND s.base + s.n >= $4 AND (s.n = 1 OR s.base + s.n = $4), $3"
		"   FROM (SELECT b.id, b.contractor_id, b.lead_id, v.banned, v.base,"
		"                row_number() OVER (PARTITION BY b.contractor_id"
		"                    ORDER BY b.response_window_ends_at, b.id)::integer AS n"
		"           FROM struck b JOIN (" SQL_STANDING ") v ON v.contractor_id = b.contractor_id) s"
		"  ORDER BY s.contractor_id, s.n"
		" RETURNING bid_id, lead_id, contractor_id, strike_count_after, ban_triggered",
		UUIDOID, UUIDARRAYOID, TIMESTAMPTZOID, INT4OID, INT4OID);
	Strike *strikes;
	LsScope scope;
	LsArgs args = {0};
	int i;

	ls_arg_uuid(&args, &batch->org);
	ls_arg_datum(&args, bid_ids, false);
	ls_arg_timestamptz(&args, batch->now);
	ls_arg_int32(&args, ls_config_int(&batch->org, "marketplace.strikes_until_ban"));
	ls_arg_int32(&args, ls_config_int(&batch->org, "marketplace.strike_decay_days"));
	ls_scope_open(&scope, LS_AS_OWNER);
	*n = (int) ls_query_run(&query, &args, LS_WRITE);
	strikes = SPI_palloc(sizeof(Strike) * (*n + 1));
	for (i = 0; i < *n; i++)
	{
		strikes[i].bid.id = ls_result_uuid(i, 1);
		strikes[i].bid.lead = ls_result_uuid(i, 2);
		strikes[i].bid.contractor = ls_result_uuid(i, 3);
		strikes[i].count_after = ls_result_int32(i, 4);
		strikes[i].ban_triggered = ls_result_bool(i, 5);
	}
	ls_scope_close(&scope);
	return strikes;
}

/*
 * Bring the contractors to what the logs say.  A ban that was over, which nobody
 * has written down yet, ends with that.
 */
static void
count_strikes(const LsMarketBatch *batch, Datum bid_ids)
{
	LS_QUERY(query,
		"UPDATE lead_system.users u SET strike_count = s.count_after,"
		"       is_bidding_banned = s.ban OR (u.is_bidding_banned AND NOT " SQL_BAN_IS_OVER "),"
		"       bidding_ban_until = CASE WHEN s.ban THEN $3 + make_interval(hours => 24 * $4)"
		"         WHEN " SQL_BAN_IS_OVER " THEN NULL ELSE u.bidding_ban_until END,"
		"       strikes_reset_at = CASE WHEN " SQL_BAN_IS_OVER " THEN u.bidding_ban_until"
		"         ELSE u.strikes_reset_at END"
		"  FROM (SELECT o.contractor_id, max(o.strike_count_after) AS count_after,"
		"               bool_or(o.ban_triggered) AS ban FROM lead_system.strike_logs o"
		"         WHERE o.organization_id = $1 AND o.bid_id = ANY ($2) GROUP BY o.contractor_id) s,"
		"       (SELECT u.id, " SQL_BAN_IS_OVER " AS ban_is_over FROM lead_system.users u"
		"         WHERE u.organization_id = $1) was"
		" WHERE u.organization_id = $1 AND u.id = s.contractor_id AND was.id = u.id"
		" RETURNING u.id, was.ban_is_over",
		UUIDOID, UUIDARRAYOID, TIMESTAMPTZOID, INT4OID);
	LsScope scope;
	LsArgs args = {0};
	pg_uuid_t *unbanned;
	int n_unbanned = 0;
	uint64 n;
	uint64 row;

	ls_arg_uuid(&args, &batch->org);
	ls_arg_datum(&args, bid_ids, false);
	ls_arg_timestamptz(&args, batch->now);
	ls_arg_int32(&args, ls_config_int(&batch->org, "marketplace.ban_days"));
	ls_scope_open(&scope, LS_AS_OWNER);
	n = ls_query_run(&query, &args, LS_WRITE);
	unbanned = SPI_palloc(sizeof(pg_uuid_t) * (n + 1));
	for (row = 0; row < n; row++)
	{
		if (ls_result_bool(row, 2))
			unbanned[n_unbanned++] = ls_result_uuid(row, 1);
	}
	ls_scope_close(&scope);
	if (n_unbanned > 0)
		ls_market_note_unbanned(&batch->org, unbanned, n_unbanned, BAN_RAN_OUT);
}

/* Write the strikes, and bans, into the activities of the leads. */
static void
note_strikes(const LsMarketBatch *batch, const Strike *strikes, int n)
{
	LsBatch *activities = ls_activity_batch();
	MemoryContext row_context =
		AllocSetContextCreate(CurrentMemoryContext, "lead_system activity", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(row_context);
	int i;

	for (i = 0; i < n; i++)
	{
		const Strike *strike = &strikes[i];
		LsActivity activity = {.org = &batch->org, .lead = &strike->bid.lead};
		char *contractor;

		MemoryContextReset(row_context);
		contractor = ls_uuid_text(&strike->bid.contractor);
		activity.action = "strike_applied";
		activity.new_value = ls_json_parse(
			psprintf("{\"bid_id\": \"%s\", \"contractor_id\": \"%s\", \"strike_count\": %d}",
				ls_uuid_text(&strike->bid.id), contractor, strike->count_after));
		activity.description = "Response window expired";
		ls_activity_batch_add(activities, &activity);
		if (!strike->ban_triggered)
			continue;
		activity.action = "contractor_banned";
		activity.new_value = ls_json_pair_text("contractor_id", contractor);
		activity.description =
			psprintf("Banned from bidding after %d strikes", strike->count_after);
		ls_activity_batch_add(activities, &activity);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(row_context);
	ls_batch_flush(activities);
}

/* Windows have lapsed: one strike for each of the bids. */
void
ls_market_strike(const LsMarketBatch *batch, const LsMarketBid *bids, int n)
{
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * Max(n, 1));
	Strike *strikes;
	Datum bid_ids;
	int logged;
	int i;

	for (i = 0; i < n; i++)
		ids[i] = bids[i].id;
	bid_ids = ls_uuid_array(ids, n);
	strikes = log_strikes(batch, bid_ids, &logged);
	count_strikes(batch, bid_ids);
	note_strikes(batch, strikes, logged);
}

/* Write into the activities whose bans are over; they are about no lead. */
void
ls_market_note_unbanned(const pg_uuid_t *org, const pg_uuid_t *contractors, int n, const char *how)
{
	LsBatch *activities = ls_activity_batch();
	int i;

	for (i = 0; i < n; i++)
	{
		LsActivity activity = {.org = org, .action = "ban_lifted", .description = how};

		activity.new_value = ls_json_pair_text("contractor_id", ls_uuid_text(&contractors[i]));
		ls_activity_batch_add(activities, &activity);
	}
	ls_batch_flush(activities);
}

/* One organisation's share of lift_expired_bans(). */
static int64
lift_bans(const pg_uuid_t *org, int limit)
{
	LS_QUERY(query,
		"UPDATE lead_system.users SET is_bidding_banned = false, bidding_ban_until = NULL,"
		"       strike_count = 0, strikes_reset_at = $2"
		" WHERE organization_id = $1 AND id = ANY (ARRAY(SELECT id FROM lead_system.users"
		"     WHERE organization_id = $1 AND is_bidding_banned AND bidding_ban_until <= $2"
		"     ORDER BY id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED))"
		" RETURNING id",
		UUIDOID, TIMESTAMPTZOID, INT8OID);
	pg_uuid_t *lifted;
	LsScope scope;
	LsArgs args = {0};
	int n;
	int i;

	ls_arg_uuid(&args, org);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_arg_int64(&args, limit);
	ls_scope_open(&scope, LS_AS_OWNER);
	n = (int) ls_query_run(&query, &args, LS_WRITE);
	lifted = SPI_palloc(sizeof(pg_uuid_t) * (n + 1));
	for (i = 0; i < n; i++)
		lifted[i] = ls_result_uuid(i, 1);
	ls_scope_close(&scope);
	if (n > 0)
		ls_market_note_unbanned(org, lifted, n, BAN_RAN_OUT);
	return n;
}

PG_FUNCTION_INFO_V1(ls_market_lift_bans);

/* lift_expired_bans() */
Datum
ls_market_lift_bans(PG_FUNCTION_ARGS)
{
	LS_QUERY(organizations,
		"SELECT DISTINCT organization_id FROM lead_system.users"
		" WHERE is_bidding_banned AND bidding_ban_until <= $1 ORDER BY organization_id",
		TIMESTAMPTZOID);

	PG_RETURN_INT64(ls_sweep(&organizations, lift_bans, LS_MARKET_MAX_BATCH, LS_MARKET_MAX_BATCH));
}
