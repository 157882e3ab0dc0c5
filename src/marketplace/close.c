/*-------------------------------------------------------------------------
 *
 * close.c
 *	  The end of bidding: the first three bids get their rank, the first one
 *	  its window.
 *
 *	  Closing reads a limited number of a lead's bids from the index that has
 *	  them in order: the first three, and others that it marks as LOST, so that
 *	  ten thousand bids cost no more than about a hundred.  What is left of those
 *	  is marked by the sweeper; nothing depends on it, since a bid without rank has
 *	  lost once bidding is closed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/input.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "marketplace/internal.h"

/* Bids that the sweeper marks as LOST at a time. */
#define MARK_PER_SWEEP 10000

static const LsLeadCause closed_by_time = {"bidding is over", "automation", NULL, false};
static const LsLeadCause closed_by_hand = {"bidding closed", "manual", NULL, false};

/*
 * Keep those leads of a batch whose best bidder is not held by another session;
 * the others wait for the next run.
 */
static void
keep_lockable(LsMarketBatch *batch)
{
	LS_QUERY(query,
		"SELECT u.n::integer - 1, t.contractor_id FROM unnest($2) WITH ORDINALITY u(lead_id, n)"
		" CROSS JOIN LATERAL (SELECT b.* FROM lead_system.bids b"
		"    WHERE b.organization_id = $1 AND b.lead_id = u.lead_id"
		"      AND b.status = 'ACTIVE' AND b.bid_rank IS NULL"
		"    ORDER BY " LS_RANK_ORDER_SQL("b") " LIMIT 1) t",
		UUIDOID, UUIDARRAYOID);
	bool *waits = palloc0(sizeof(bool) * Max(batch->n, 1));
	LsScope scope;
	LsArgs args = {0};
	pg_uuid_t *best;
	int *position;
	Datum locked;
	int n;
	int i;

	ls_arg_uuid(&args, &batch->org);
	ls_arg_datum(&args, ls_market_lead_ids(batch), false);
	ls_scope_open(&scope, LS_AS_OWNER);
	n = (int) ls_query_run(&query, &args, LS_WRITE);
	best = SPI_palloc(sizeof(pg_uuid_t) * (n + 1));
	position = SPI_palloc(sizeof(int) * (n + 1));
	for (i = 0; i < n; i++)
	{
		position[i] = ls_result_int32(i, 1);
		best[i] = ls_result_uuid(i, 2);
	}
	ls_scope_close(&scope);

	locked = ls_market_lock_contractors(&batch->org, best, n);
	for (i = 0; i < n; i++)
		waits[position[i]] = !ls_market_id_in(locked, &best[i]);
	n = 0;
	for (i = 0; i < batch->n; i++)
	{
		if (!waits[i])
			batch->leads[n++] = batch->leads[i];
	}
	batch->n = n;
}

/* Say in the listings that bidding is closed. */
static void
close_listings(const LsMarketBatch *batch)
{
	LS_QUERY(query,
		"UPDATE lead_system.lead_listings SET bidding_closed_at = $3"
		" WHERE organization_id = $1 AND lead_id = ANY ($2)",
		UUIDOID, UUIDARRAYOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};

	ls_arg_uuid(&args, &batch->org);
	ls_arg_datum(&args, ls_market_lead_ids(batch), false);
	ls_arg_timestamptz(&args, batch->now);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_market_run(&query, &args, NULL);
	ls_scope_close(&scope);
}

/* Mark up to a number of bids without rank per lead as LOST; returns how many. */
static int64
mark_some(const pg_uuid_t *org, Datum lead_ids, int64 per_lead)
{
	LS_QUERY(query,
		"UPDATE lead_system.bids SET status = 'LOST' WHERE organization_id = $1 AND id = ANY (ARRAY("
		"   SELECT x.id FROM unnest($2) u(lead_id) CROSS JOIN LATERAL ("
		"     SELECT b.id FROM lead_system.bids b WHERE b.organization_id = $1 AND b.lead_id = u.lead_id"
		"        AND b.status = 'ACTIVE' AND b.bid_rank IS NULL LIMIT $3) x))",
		UUIDOID, UUIDARRAYOID, INT8OID);
	LsScope scope;
	LsArgs args = {0};
	int64 n;

	ls_arg_uuid(&args, org);
	ls_arg_datum(&args, lead_ids, false);
	ls_arg_int64(&args, per_lead);
	ls_scope_open(&scope, LS_AS_OWNER);
	n = (int64) ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
	return n;
}

/* Note in the listings whether bids are left that have to be marked. */
static void
note_unmarked(const pg_uuid_t *org, Datum lead_ids)
{
	LS_QUERY(query,
		"UPDATE lead_system.lead_listings s SET has_unmarked_bids = x.unmarked"
		"  FROM (SELECT u.lead_id, EXISTS (SELECT 1 FROM lead_system.bids b"
		"          WHERE b.organization_id = $1 AND b.lead_id = u.lead_id AND b.status = 'ACTIVE'"
		"            AND b.bid_rank IS NULL) AS unmarked FROM unnest($2) u(lead_id)) x"
		" WHERE s.organization_id = $1 AND s.lead_id = x.lead_id AND s.has_unmarked_bids <> x.unmarked",
		UUIDOID, UUIDARRAYOID);
	LsScope scope;
	LsArgs args = {0};

	ls_arg_uuid(&args, org);
	ls_arg_datum(&args, lead_ids, false);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_market_run(&query, &args, NULL);
	ls_scope_close(&scope);
}

/*
 * $2: leads, $3: begin and $4: end of the first window, $5: bids to read per lead.
 */
#define SQL_RANK \
	"WITH ranked AS (" \
	"  SELECT r.id, r.place, r.next_amount FROM unnest($2) u(lead_id) CROSS JOIN LATERAL (" \
	"    SELECT t.id, row_number() OVER w AS place, lead(t.final_bid_amount) OVER w AS next_amount" \
	"      FROM (SELECT b.* FROM lead_system.bids b" \
	"             WHERE b.organization_id = $1 AND b.lead_id = u.lead_id" \
	"               AND b.status = 'ACTIVE' AND b.bid_rank IS NULL" \
	"             ORDER BY " LS_RANK_ORDER_SQL( \
		"b") " LIMIT $5) t" \
			 "    WINDOW w AS (ORDER BY " LS_RANK_ORDER_SQL( \
				 "t") ")) r)" \
					  " UPDATE lead_system.bids b SET bid_rank = CASE WHEN r.place <= 3 THEN r.place END," \
					  "        status = CASE WHEN r.place <= 3 THEN b.status ELSE 'LOST' END," \
					  "        charge_amount = CASE WHEN r.place <= 3 THEN CASE s.pricing" \
					  "          WHEN 'second' THEN least(b.final_bid_amount," \
					  "            coalesce(r.next_amount, round(0.50 * s.base_lead_cost * b.discount_multiplier, 2)))" \
					  "          ELSE b.final_bid_amount END END," \
					  "        response_window_starts_at = CASE WHEN r.place = 1 THEN $3 END," \
					  "        response_window_ends_at = CASE WHEN r.place = 1 THEN $4 END" \
					  "   FROM ranked r, lead_system.lead_listings s" \
					  "  WHERE b.organization_id = $1 AND b.id = r.id" \
					  "    AND s.organization_id = $1 AND s.lead_id = b.lead_id" \
					  " RETURNING b.id, b.lead_id, b.contractor_id, r.place"

/*
 * Rank the first three bids of each lead, fix what they would pay, open the
 * window of the first, and mark a limited number of those after the third as
 * LOST.  One statement writes them all, so that each bid is written once.
 * Returns the first bids, one per lead that has bids.
 */
static LsMarketBid *
rank_batch(const LsMarketBatch *batch, TimestampTz ends_at, int *n_first)
{
	LS_QUERY(query, SQL_RANK, UUIDOID, UUIDARRAYOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID);
	const int64 read_per_lead = 3 + LS_MARKET_MARK_AT_CLOSE;
	LsMarketBid *first;
	pg_uuid_t *unmarked = palloc(sizeof(pg_uuid_t) * batch->n);
	int n_unmarked = 0;
	LsScope scope;
	LsArgs args = {0};
	uint64 n;
	uint64 row;

	ls_arg_uuid(&args, &batch->org);
	ls_arg_datum(&args, ls_market_lead_ids(batch), false);
	ls_arg_timestamptz(&args, batch->now);
	ls_arg_timestamptz(&args, ends_at);
	ls_arg_int64(&args, read_per_lead);
	ls_scope_open(&scope, LS_AS_OWNER);
	n = ls_query_run(&query, &args, LS_WRITE);
	first = SPI_palloc(sizeof(LsMarketBid) * batch->n);
	*n_first = 0;
	for (row = 0; row < n; row++)
	{
		int64 place = ls_result_int64(row, 4);

		if (place == read_per_lead)
			unmarked[n_unmarked++] = ls_result_uuid(row, 2);
		if (place != 1)
			continue;
		first[*n_first].id = ls_result_uuid(row, 1);
		first[*n_first].lead = ls_result_uuid(row, 2);
		first[*n_first].contractor = ls_result_uuid(row, 3);
		first[(*n_first)++].rank = 1;
	}
	ls_scope_close(&scope);
	if (n_unmarked > 0)
		note_unmarked(&batch->org, ls_uuid_array(unmarked, n_unmarked));
	return first;
}

/*
 * Bids on leads whose market is over have lost, also without having been
 * ranked: mark them, at most so many per lead.
 */
void
ls_market_mark_lost(const pg_uuid_t *org, Datum lead_ids)
{
	if (mark_some(org, lead_ids, LS_MARKET_MARK_AT_CLOSE) >= LS_MARKET_MARK_AT_CLOSE)
		note_unmarked(org, lead_ids);
}

/*
 * Leads with bids go on to the first window, the others are over.  Each passes
 * BIDDING_CLOSED on the way.
 */
static void
move_closed(LsMarketBatch *batch, const LsMarketBid *first, int n_first, const LsLeadCause *cause)
{
	LsLeadCause granted = *cause;
	LsLeadCause over = *cause;
	const char **statuses = palloc(sizeof(char *) * Max(batch->n, 1));
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * Max(n_first, 1));
	LsMarketBatch parts[2] = {*batch, *batch};
	int part;
	int i;

	granted.via = over.via = LS_MARKET_CLOSED;
	granted.via_reason = over.via_reason = cause->reason;
	granted.reason = "window of rank 1";
	over.reason = "no bids";
	for (i = 0; i < n_first; i++)
		ids[i] = first[i].lead;
	if (n_first > 1)
		qsort(ids, n_first, sizeof(pg_uuid_t), ls_market_compare_ids);
	for (part = 0; part < 2; part++)
	{
		Datum with_bids = ls_uuid_array(ids, n_first);

		parts[part].leads = palloc(sizeof(LsMarketLead) * Max(batch->n, 1));
		parts[part].n = 0;
		for (i = 0; i < batch->n; i++)
		{
			if (ls_market_id_in(with_bids, &batch->leads[i].id) != (part == 0))
				continue;
			statuses[parts[part].n] = part == 0 ? ls_market_pending_status(1) : LS_MARKET_EXPIRED;
			parts[part].leads[parts[part].n++] = batch->leads[i];
		}
		ls_market_move(&parts[part], statuses, part == 0 ? &granted : &over);
	}
}

/* Close bidding on leads that are locked; returns the number of windows granted. */
static int
close_batch(LsMarketBatch *batch, const LsLeadCause *cause)
{
	TimestampTz ends_at = ls_market_minutes_later(
		batch->now, ls_config_int(&batch->org, "marketplace.response_minutes"));
	pg_uuid_t *ids;
	LsMarketBid *first;
	int n_first;
	int i;

	if (batch->n == 0)
		return 0;
	close_listings(batch);
	first = rank_batch(batch, ends_at, &n_first);
	move_closed(batch, first, n_first, cause);
	ids = palloc(sizeof(pg_uuid_t) * Max(n_first, 1));
	for (i = 0; i < n_first; i++)
		ids[i] = first[i].id;
	ls_market_charge_windows(&batch->org, ls_uuid_array(ids, n_first), batch->now);
	ls_market_note_windows(batch, first, n_first, ends_at);
	return n_first;
}

/* Is bidding on a lead open, whatever the time? */
static void
check_open(const LsMarketBatch *batch)
{
	LS_QUERY(query,
		"SELECT 1 FROM lead_system.lead_listings WHERE organization_id = $1 AND lead_id = $2"
		"   AND bidding_opens_at IS NOT NULL AND bidding_closed_at IS NULL FOR NO KEY UPDATE",
		UUIDOID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};
	bool is_open;

	ls_arg_uuid(&args, &batch->org);
	ls_arg_uuid(&args, &batch->leads[0].id);
	ls_scope_open(&scope, LS_AS_OWNER);
	is_open = ls_query_run(&query, &args, LS_WRITE) > 0;
	ls_scope_close(&scope);
	if (!is_open || strcmp(batch->leads[0].status, LS_MARKET_ACTIVE) != 0)
		ereport(ERROR,
			(errcode(LS_ERRCODE_BIDDING_NOT_OPEN),
				errmsg("bidding on lead \"%s\" is not open", ls_uuid_text(&batch->leads[0].id)),
				errdetail("The lead is %s.", batch->leads[0].status)));
}

PG_FUNCTION_INFO_V1(ls_market_close_bidding);

/* close_bidding(lead_id) */
Datum
ls_market_close_bidding(PG_FUNCTION_ARGS)
{
	LsMarketLead lead;
	LsMarketBatch batch = {.leads = &lead, .n = 1, .now = ls_clock_now()};

	LS_REQUIRE_ARG(0, "lead_id");
	ls_market_refuse_contractor("close bidding");
	ls_enter_org_of("leads", "lead", PG_GETARG_UUID_P(0), LS_WRITE, &batch.org);
	ls_market_lock_lead(&batch.org, PG_GETARG_UUID_P(0), LS_MARKET_TO_CHANGE, &lead);
	check_open(&batch);
	PG_RETURN_INT32(close_batch(&batch, &closed_by_hand));
}

/* Lock leads whose bidding is over. */
static void
lock_due(LsMarketBatch *batch, int limit)
{
	LS_QUERY(query,
		"SELECT l.id, l.pipeline_id, l.status FROM lead_system.lead_listings s"
		"  JOIN lead_system.leads l ON l.organization_id = $1 AND l.id = s.lead_id"
		" WHERE s.organization_id = $1 AND s.bidding_opens_at IS NOT NULL"
		"   AND s.bidding_closed_at IS NULL AND s.bidding_closes_at <= $2 AND l.status = 'ACTIVE'"
		" ORDER BY s.bidding_closes_at LIMIT $3 FOR NO KEY UPDATE OF l, s SKIP LOCKED",
		UUIDOID, TIMESTAMPTZOID, INT8OID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &batch->org);
	ls_arg_timestamptz(&args, batch->now);
	ls_arg_int64(&args, limit);
	ls_market_read_leads(batch, &query, &args);
}

/* Go on marking bids that have lost. */
static void
mark_rest(const pg_uuid_t *org)
{
	LS_QUERY(query,
		"SELECT l.id, l.pipeline_id, l.status FROM lead_system.lead_listings s"
		"  JOIN lead_system.leads l ON l.organization_id = $1 AND l.id = s.lead_id"
		" WHERE s.organization_id = $1 AND s.has_unmarked_bids"
		"   AND l.id = ANY (ARRAY(SELECT x.lead_id FROM lead_system.lead_listings x"
		"         WHERE x.organization_id = $1 AND x.has_unmarked_bids LIMIT 100))"
		" LIMIT 1 FOR NO KEY UPDATE OF l, s SKIP LOCKED",
		UUIDOID);
	int64 left = MARK_PER_SWEEP;

	while (left > 0)
	{
		LsMarketBatch batch = {.org = *org};
		LsArgs args = {0};
		Datum lead;

		ls_arg_uuid(&args, org);
		ls_market_read_leads(&batch, &query, &args);
		if (batch.n == 0)
			break;
		lead = ls_market_lead_ids(&batch);
		left -= mark_some(org, lead, left) + 1;
		note_unmarked(org, lead);
	}
}

/* One organisation's share of close_due_bidding(). */
static int64
close_due(const pg_uuid_t *org, int limit)
{
	LsMarketBatch batch = {.org = *org, .now = ls_clock_now()};

	lock_due(&batch, limit);
	if (batch.n > 0)
		keep_lockable(&batch);
	(void) close_batch(&batch, &closed_by_time);
	mark_rest(org);
	return batch.n;
}

PG_FUNCTION_INFO_V1(ls_market_close_due);

/* close_due_bidding(batch) */
Datum
ls_market_close_due(PG_FUNCTION_ARGS)
{
	LS_QUERY(organizations,
		"SELECT d.organization_id FROM ("
		"  SELECT organization_id, bidding_closes_at FROM lead_system.lead_listings"
		"   WHERE bidding_opens_at IS NOT NULL AND bidding_closed_at IS NULL AND bidding_closes_at <= $1"
		"  UNION ALL"
		"  SELECT organization_id, bidding_closes_at FROM lead_system.lead_listings"
		"   WHERE has_unmarked_bids) d"
		" GROUP BY d.organization_id ORDER BY min(d.bidding_closes_at), d.organization_id",
		TIMESTAMPTZOID);

	LS_REQUIRE_ARG(0, "batch");
	PG_RETURN_INT64(ls_sweep(&organizations, close_due, PG_GETARG_INT32(0), LS_MARKET_MAX_BATCH));
}
