/*-------------------------------------------------------------------------
 *
 * windows.c
 *	  Response windows: one after the other, until somebody contacts the lead
 *	  or nobody is left (semantics C6, C7, C14).
 *
 *	  A window begins when the one before it is ended, not when it was due to
 *	  end, so nobody loses time by a sweeper that comes late.
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
#include "core/input.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "marketplace/internal.h"

/* A bid and its window, and the bid that comes after it. */
typedef struct Window
{
	LsMarketBid holder;
	TimestampTz ends_at; /* 0 when it is not open */
	bool has_next;
	LsMarketBid next;
} Window;

/* Write into the activities who has been given a window. */
void
ls_market_note_windows(
	const LsMarketBatch *batch, const LsMarketBid *bids, int n, TimestampTz ends_at)
{
	LsBatch *activities = ls_activity_batch();
	char *ends = pstrdup(timestamptz_to_str(ends_at));
	MemoryContext row_context =
		AllocSetContextCreate(CurrentMemoryContext, "lead_system activity", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(row_context);
	int i;

	for (i = 0; i < n; i++)
	{
		LsActivity activity = {.org = &batch->org, .lead = &bids[i].lead};

		activity.action = "window_opened";
		activity.new_value =
			ls_json_parse(psprintf("{\"bid_id\": \"%s\", \"contractor_id\": \"%s\", \"rank\": %d}",
				ls_uuid_text(&bids[i].id), ls_uuid_text(&bids[i].contractor), bids[i].rank));
		activity.description = psprintf("Response window until %s", ends);
		ls_activity_batch_add(activities, &activity);
		MemoryContextReset(row_context);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(row_context);
	ls_batch_flush(activities);
}

/*
 * The windows of bids whose leads are locked, in no particular order.  Bids are
 * looked up by their ids and nothing else, so that no statistics, which know
 * nothing of windows that were opened a moment ago, can lead the server astray.
 */
static Window *
read_windows(const pg_uuid_t *org, Datum bid_ids, int *n)
{
	LS_QUERY(query,
		"SELECT b.id, b.lead_id, b.contractor_id, coalesce(b.bid_rank, 0)::integer,"
		"       CASE WHEN b.status = 'ACTIVE' THEN b.response_window_ends_at END,"
		"       x.id, x.contractor_id, x.bid_rank::integer"
		"  FROM lead_system.bids b"
		"  LEFT JOIN LATERAL (SELECT a.id, a.contractor_id, a.bid_rank FROM lead_system.bids a"
		"      WHERE a.organization_id = $1 AND a.lead_id = b.lead_id AND a.bid_rank > b.bid_rank"
		"        AND a.status = 'ACTIVE' ORDER BY a.bid_rank LIMIT 1) x ON true"
		" WHERE b.organization_id = $1 AND b.id = ANY ($2)",
		UUIDOID, UUIDARRAYOID);
	Window *windows;
	LsScope scope;
	LsArgs args = {0};
	int i;

	ls_arg_uuid(&args, org);
	ls_arg_datum(&args, bid_ids, false);
	ls_scope_open(&scope, LS_AS_OWNER);
	*n = (int) ls_query_run(&query, &args, LS_WRITE);
	windows = SPI_palloc(sizeof(Window) * (*n + 1));
	for (i = 0; i < *n; i++)
	{
		windows[i].holder.id = ls_result_uuid(i, 1);
		windows[i].holder.lead = ls_result_uuid(i, 2);
		windows[i].holder.contractor = ls_result_uuid(i, 3);
		windows[i].holder.rank = ls_result_int32(i, 4);
		windows[i].ends_at = ls_result_isnull(i, 5) ? 0 : ls_result_timestamptz(i, 5);
		windows[i].has_next = !ls_result_isnull(i, 6);
		if (windows[i].has_next)
		{
			windows[i].next.id = ls_result_uuid(i, 6);
			windows[i].next.lead = windows[i].holder.lead;
			windows[i].next.contractor = ls_result_uuid(i, 7);
			windows[i].next.rank = ls_result_int32(i, 8);
		}
	}
	ls_scope_close(&scope);
	return windows;
}

/* Open the windows of some bids. */
static void
open_windows(const LsMarketBatch *batch, Datum bid_ids, TimestampTz ends_at)
{
	LS_QUERY(query,
		"UPDATE lead_system.bids SET response_window_starts_at = $3, response_window_ends_at = $4"
		" WHERE organization_id = $1 AND id = ANY ($2)",
		UUIDOID, UUIDARRAYOID, TIMESTAMPTZOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};

	ls_arg_uuid(&args, &batch->org);
	ls_arg_datum(&args, bid_ids, false);
	ls_arg_timestamptz(&args, batch->now);
	ls_arg_timestamptz(&args, ends_at);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
}

/*
 * The windows of a batch's leads have ended: give each to the next bid, or end
 * the lead's market.  windows[i] belongs to the lead i of the batch.
 */
static void
pass_on(LsMarketBatch *batch, const Window *windows, const LsLeadCause *cause)
{
	TimestampTz ends_at = ls_market_minutes_later(
		batch->now, ls_config_int(&batch->org, "marketplace.response_minutes"));
	const char **statuses = palloc(sizeof(char *) * Max(batch->n, 1));
	LsMarketBid *next = palloc(sizeof(LsMarketBid) * Max(batch->n, 1));
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * Max(batch->n, 1));
	Datum bid_ids;
	int n = 0;
	int i;

	for (i = 0; i < batch->n; i++)
	{
		if (!windows[i].has_next)
		{
			statuses[i] = LS_MARKET_EXPIRED;
			continue;
		}
		statuses[i] = ls_market_pending_status(windows[i].next.rank);
		next[n] = windows[i].next;
		ids[n++] = windows[i].next.id;
	}
	bid_ids = ls_uuid_array(ids, n);
	if (n > 0)
		open_windows(batch, bid_ids, ends_at);
	ls_market_move(batch, statuses, cause);
	if (n == 0)
		return;
	ls_market_charge_windows(&batch->org, bid_ids, batch->now);
	ls_market_note_windows(batch, next, n, ends_at);
}

/* Lock leads with a window that has lapsed, the longest ago first. */
static void
lock_lapsed(LsMarketBatch *batch, int limit)
{
	LS_QUERY(query,
		"SELECT l.id, l.pipeline_id, l.status, b.id FROM lead_system.bids b"
		"  JOIN lead_system.leads l ON l.organization_id = $1 AND l.id = b.lead_id"
		" WHERE b.organization_id = $1 AND b.status = 'ACTIVE'"
		"   AND b.response_window_starts_at IS NOT NULL AND b.response_window_ends_at < $2"
		" ORDER BY b.response_window_ends_at LIMIT $3 FOR NO KEY UPDATE OF l SKIP LOCKED",
		UUIDOID, TIMESTAMPTZOID, INT8OID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &batch->org);
	ls_arg_timestamptz(&args, batch->now);
	ls_arg_int64(&args, limit);
	ls_market_read_leads(batch, &query, &args);
}

/* Compare leads by the bid that was found with them, for qsort and bsearch. */
static int
compare_by_bid(const void *a, const void *b)
{
	return ls_market_compare_ids(
		&((const LsMarketLead *) a)->bid, &((const LsMarketLead *) b)->bid);
}

/* Contractors that the end of some windows concerns, locked; see sweep.c. */
static Datum
lock_concerned(const pg_uuid_t *org, const Window *windows, int n)
{
	pg_uuid_t *contractors = palloc(sizeof(pg_uuid_t) * (2 * n + 1));
	int n_contractors = 0;
	int i;

	for (i = 0; i < n; i++)
	{
		contractors[n_contractors++] = windows[i].holder.contractor;
		if (windows[i].has_next)
			contractors[n_contractors++] = windows[i].next.contractor;
	}
	return ls_market_lock_contractors(org, contractors, n_contractors);
}

/*
 * The windows of the locked leads that have lapsed.  Read after the locks were
 * taken: another session may have ended one in between.  Leads without one, or
 * whose contractors another session holds, leave the batch.
 */
static Window *
lapsed_windows(LsMarketBatch *batch)
{
	LsMarketLead *leads = palloc(sizeof(LsMarketLead) * (batch->n + 1));
	pg_uuid_t *bids = palloc(sizeof(pg_uuid_t) * (batch->n + 1));
	Window *windows;
	Datum locked;
	int n;
	int kept = 0;
	int i;

	qsort(batch->leads, batch->n, sizeof(LsMarketLead), compare_by_bid);
	for (i = 0; i < batch->n; i++)
		bids[i] = batch->leads[i].bid;
	windows = read_windows(&batch->org, ls_uuid_array(bids, batch->n), &n);
	locked = lock_concerned(&batch->org, windows, n);
	for (i = 0; i < n; i++)
	{
		LsMarketLead key = {.bid = windows[i].holder.id};

		if (windows[i].ends_at == 0 || windows[i].ends_at >= batch->now ||
			!ls_market_id_in(locked, &windows[i].holder.contractor) ||
			(windows[i].has_next && !ls_market_id_in(locked, &windows[i].next.contractor)))
			continue;
		leads[kept] = *(LsMarketLead *) bsearch(
			&key, batch->leads, batch->n, sizeof(LsMarketLead), compare_by_bid);
		windows[kept++] = windows[i];
	}
	batch->leads = leads;
	batch->n = kept;
	return windows;
}

/*
 * End windows that have lapsed: each bid, and its strike, once.  That they are
 * open is known; see read_windows() for why the statement does not ask again.
 */
static void
end_lapsed(const LsMarketBatch *batch, const Window *windows)
{
	LS_QUERY(query,
		"UPDATE lead_system.bids SET status = 'EXPIRED', strike_applied = true"
		" WHERE organization_id = $1 AND id = ANY ($2) AND NOT strike_applied",
		UUIDOID, UUIDARRAYOID);
	LsMarketBid *bids = palloc(sizeof(LsMarketBid) * batch->n);
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * batch->n);
	LsScope scope;
	LsArgs args = {0};
	int i;

	for (i = 0; i < batch->n; i++)
	{
		bids[i] = windows[i].holder;
		ids[i] = windows[i].holder.id;
	}
	ls_arg_uuid(&args, &batch->org);
	ls_arg_datum(&args, ls_uuid_array(ids, batch->n), false);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run(&query, &args, LS_WRITE) != (uint64) batch->n)
		elog(ERROR, "bids were changed by others while their leads were locked");
	ls_scope_close(&scope);
	ls_market_strike(batch, bids, batch->n);
}

/* One organisation's share of expire_response_windows(). */
static int64
expire(const pg_uuid_t *org, int limit)
{
	const LsLeadCause cause = {"response window expired", "automation", NULL, false};
	LsMarketBatch batch = {.org = *org, .now = ls_clock_now()};
	Window *windows;

	lock_lapsed(&batch, limit);
	if (batch.n == 0)
		return 0;
	windows = lapsed_windows(&batch);
	if (batch.n == 0)
		return 0;
	end_lapsed(&batch, windows);
	pass_on(&batch, windows, &cause);
	return batch.n;
}

PG_FUNCTION_INFO_V1(ls_market_expire_windows);

/* expire_response_windows(batch) */
Datum
ls_market_expire_windows(PG_FUNCTION_ARGS)
{
	LS_QUERY(organizations,
		"SELECT organization_id FROM lead_system.bids"
		" WHERE status = 'ACTIVE' AND response_window_starts_at IS NOT NULL"
		"   AND response_window_ends_at < $1"
		" GROUP BY organization_id ORDER BY min(response_window_ends_at), organization_id",
		TIMESTAMPTZOID);

	LS_REQUIRE_ARG(0, "batch");
	PG_RETURN_INT64(ls_sweep(&organizations, expire, PG_GETARG_INT32(0), LS_MARKET_MAX_BATCH));
}

/* The window of a bid whose lead is locked, which must be open. */
static Window *
open_window(const LsMarketBatch *batch, const pg_uuid_t *bid)
{
	int n;
	Window *window = read_windows(&batch->org, ls_uuid_array(bid, 1), &n);

	if (n == 0 || window->ends_at < batch->now)
		ereport(
			ERROR, (errcode(LS_ERRCODE_NOT_WINDOW_HOLDER),
					   errmsg("the response window of bid \"%s\" is not open", ls_uuid_text(bid)),
					   n > 0 && window->ends_at != 0
						   ? errdetail("It ended at %s.", timestamptz_to_str(window->ends_at))
						   : errdetail("The lead is %s.", batch->leads[0].status),
					   errhint("Only the contractor whose window is open can decline.")));
	return window;
}

/* The bid is lost, without strike and without charge. */
static void
decline(const LsMarketBatch *batch, const LsMarketBid *bid, const char *reason)
{
	LS_QUERY(query,
		"UPDATE lead_system.bids SET status = 'LOST', declined_reason = $3"
		" WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID, TEXTOID);
	LsActivity activity = {.org = &batch->org, .lead = &bid->lead};
	LsScope scope;
	LsArgs args = {0};

	ls_arg_uuid(&args, &batch->org);
	ls_arg_uuid(&args, &bid->id);
	ls_arg_text(&args, reason);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);

	activity.action = "lead_declined";
	activity.new_value = ls_json_parse(psprintf("{\"bid_id\": \"%s\", \"contractor_id\": \"%s\"}",
		ls_uuid_text(&bid->id), ls_uuid_text(&bid->contractor)));
	activity.description = reason;
	(void) ls_activity_add(&activity);
}

PG_FUNCTION_INFO_V1(ls_market_decline);

/* decline_lead(bid_id, reason) */
Datum
ls_market_decline(PG_FUNCTION_ARGS)
{
	LsLeadCause cause = {NULL, "manual", NULL, false};
	LsMarketLead lead;
	LsMarketBatch batch = {.leads = &lead, .n = 1, .now = ls_clock_now()};
	LsMarketBid bid;
	Window *window;
	char *reason;

	LS_REQUIRE_ARG(0, "bid_id");
	LS_REQUIRE_ARG(1, "reason");
	reason = ls_trim(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	if (reason == NULL)
		ereport(
			ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("reason must not be empty")));
	ls_enter_org_of("bids", "bid", PG_GETARG_UUID_P(0), LS_WRITE, &batch.org);
	ls_market_read_bid(&batch.org, PG_GETARG_UUID_P(0), &bid);
	ls_market_lock_lead(&batch.org, &bid.lead, LS_MARKET_TO_CHANGE, &lead);
	window = open_window(&batch, &bid.id);
	decline(&batch, &bid, reason);
	cause.reason = psprintf("declined: %s", reason);
	cause.trigger_id = &bid.id;
	pass_on(&batch, window, &cause);
	PG_RETURN_VOID();
}
