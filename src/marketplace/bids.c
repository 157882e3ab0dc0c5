/*-------------------------------------------------------------------------
 *
 * bids.c
 *	  Bids: the trigger that all of them pass, place_bid(), cancel_bid().
 *
 *	  A bid is ranked by what is frozen into it, and an index keeps the bids of
 *	  a lead in that order; nothing is re-ranked when one comes in.  Bidders
 *	  share the lock on the lead, so they wait for its closing, not for each
 *	  other.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/growth.h"
#include "core/input.h"
#include "core/tenant.h"
#include "core/trigger.h"
#include "core/uuid.h"
#include "marketplace/bids.h"

/* The multiplier must be a number from 0.50 to 2.00. */
static void
check_multiplier(Datum multiplier)
{
	Datum low = DirectFunctionCall3(numeric_in, CStringGetDatum("0.5"), InvalidOid, -1);
	Datum high = NumericGetDatum(int64_to_numeric(2));

	if (DatumGetBool(DirectFunctionCall2(numeric_lt, multiplier, low)) ||
		DatumGetBool(DirectFunctionCall2(numeric_gt, multiplier, high)))
		ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION),
						   errmsg("bid multiplier must be between 0.50 and 2.00"),
						   errdetail("It is %s.",
							   DatumGetCString(DirectFunctionCall1(numeric_out, multiplier))),
						   errhint("1.00 bids the base cost of the lead.")));
}

/* A bid in the last minutes extends the bidding (C17), where that is wanted. */
static void
extend_bidding(const LsNewBid *bid, const LsBidFacts *facts)
{
	LS_QUERY(query,
		"UPDATE lead_system.lead_listings SET bidding_closes_at = $3"
		" WHERE organization_id = $1 AND lead_id = $2",
		UUIDOID, UUIDOID, TIMESTAMPTZOID);
	int minutes = ls_config_int(&bid->org, "marketplace.anti_snipe_minutes");
	LsScope scope;
	LsArgs args = {0};

	if (!ls_config_bool(&bid->org, "marketplace.anti_snipe") ||
		ls_market_minutes_later(bid->now, minutes) < facts->closes_at)
		return;
	ls_arg_uuid(&args, &bid->org);
	ls_arg_uuid(&args, &bid->lead);
	ls_arg_timestamptz(&args, ls_market_minutes_later(facts->closes_at, minutes));
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_market_run(&query, &args, NULL);
	ls_scope_close(&scope);
}

/* The row as it is stored: what is frozen, and nothing that comes later. */
static HeapTuple
bid_tuple(TriggerData *trigdata, const LsNewBid *bid, const LsBidFacts *facts)
{
	static const char *const columns[] = {"discount_multiplier", "final_bid_amount", "rank_amount",
		"rating_at_bid", "bid_placed_at", "created_at", "status", "strike_applied", "bid_rank",
		"charge_amount", "response_window_starts_at", "response_window_ends_at", "window_warned_at",
		"responded_at", "declined_reason", "cancelled_at"};
	Datum values[lengthof(columns)] = {facts->discount, facts->final_amount, facts->rank_amount,
		facts->rating, TimestampTzGetDatum(bid->now), TimestampTzGetDatum(bid->now),
		CStringGetTextDatum("ACTIVE"), BoolGetDatum(false)};
	bool nulls[lengthof(columns)];
	int attnums[lengthof(columns)];
	int i;

	for (i = 0; i < (int) lengthof(columns); i++)
	{
		attnums[i] = ls_trigger_attnum(trigdata->tg_relation, columns[i]);
		nulls[i] = (i >= 8);
	}
	return heap_modify_tuple_by_cols(trigdata->tg_trigtuple,
		RelationGetDescr(trigdata->tg_relation), lengthof(columns), attnums, values, nulls);
}

/* A bid comes in. */
static HeapTuple
check_insert(TriggerData *trigdata)
{
	LsNewBid bid = {.now = ls_clock_now()};
	LsBidFacts facts = {0};
	LsMarketLead lead;

	bid.org = *DatumGetUUIDP(ls_market_required(trigdata, "bid", "organization_id"));
	ls_check_row_org(trigdata->tg_relation, &bid.org);
	bid.lead = *DatumGetUUIDP(ls_market_required(trigdata, "bid", "lead_id"));
	bid.contractor = *DatumGetUUIDP(ls_market_required(trigdata, "bid", "contractor_id"));
	bid.multiplier = ls_market_required(trigdata, "bid", "bid_multiplier");
	ls_plans_follow_growth(trigdata->tg_relation);
	ls_market_check_self(&bid.contractor);
	check_multiplier(bid.multiplier);
	ls_market_lock_lead(&bid.org, &bid.lead, LS_MARKET_TO_BID, &lead);
	ls_market_read_facts(&bid, &facts);
	ls_market_check_eligible(&bid, lead.status, &facts);
	extend_bidding(&bid, &facts);
	return bid_tuple(trigdata, &bid, &facts);
}

/* A bid that was placed keeps what it is ranked by. */
static void
check_update(TriggerData *trigdata)
{
	static const char *const frozen[] = {"organization_id", "id", "lead_id", "contractor_id",
		"bid_multiplier", "discount_multiplier", "final_bid_amount", "rank_amount", "rating_at_bid",
		"bid_placed_at"};

	ls_market_refuse_changes(trigdata, "bid", frozen, lengthof(frozen),
		"cancel_bid() takes it back while bidding is open.");
}

PG_FUNCTION_INFO_V1(ls_market_bids_check);

/* bids_check(): BEFORE row trigger of bids. */
Datum
ls_market_bids_check(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(
		fcinfo, "bids_check", LS_TRIGGER_BEFORE_ROW, LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE, "bids");

	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		return PointerGetDatum(check_insert(trigdata));
	check_update(trigdata);
	return PointerGetDatum(trigdata->tg_newtuple);
}

PG_FUNCTION_INFO_V1(ls_market_place_bid);

/* place_bid(lead_id, contractor_id, bid_multiplier) */
Datum
ls_market_place_bid(PG_FUNCTION_ARGS)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.bids (organization_id, lead_id, contractor_id, bid_multiplier)"
		" VALUES ($1, $2, $3, $4) RETURNING id",
		UUIDOID, UUIDOID, UUIDOID, NUMERICOID);
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));
	pg_uuid_t org;
	LsScope scope;
	LsArgs args = {0};

	LS_REQUIRE_ARG(0, "lead_id");
	LS_REQUIRE_ARG(1, "contractor_id");
	LS_REQUIRE_ARG(2, "bid_multiplier");
	ls_enter_org_of("leads", "lead", PG_GETARG_UUID_P(0), LS_WRITE, &org);
	check_multiplier(PG_GETARG_DATUM(2));
	ls_arg_uuid(&args, &org);
	ls_arg_uuid(&args, PG_GETARG_UUID_P(0));
	ls_arg_uuid(&args, PG_GETARG_UUID_P(1));
	ls_arg_datum(&args, PG_GETARG_DATUM(2), false);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	*id = ls_result_uuid(0, 1);
	ls_scope_close(&scope);
	PG_RETURN_UUID_P(id);
}

/*
 * Find the lead and the contractor of a bid; for the session of another
 * contractor it does not exist, as the policies have it.
 */
void
ls_market_read_bid(const pg_uuid_t *org, const pg_uuid_t *id, LsMarketBid *bid)
{
	LS_QUERY(query,
		"SELECT lead_id, contractor_id, bid_rank::integer FROM lead_system.bids"
		" WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};
	pg_uuid_t self;
	bool found;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, id);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run(&query, &args, LS_WRITE) > 0;
	if (found)
	{
		bid->id = *id;
		bid->lead = ls_result_uuid(0, 1);
		bid->contractor = ls_result_uuid(0, 2);
		bid->rank = ls_result_isnull(0, 3) ? 0 : ls_result_int32(0, 3);
	}
	ls_scope_close(&scope);
	if (!found || (ls_current_contractor(&self) && !ls_uuid_equal(&self, &bid->contractor)))
		ls_no_such_row("bid", id);
}

/* Take a bid back; nothing happens when it is cancelled already. */
static void
cancel(const pg_uuid_t *org, const pg_uuid_t *id, TimestampTz now)
{
	LS_QUERY(query,
		"UPDATE lead_system.bids SET status = 'CANCELLED', cancelled_at = $3"
		" WHERE organization_id = $1 AND id = $2 AND status = 'ACTIVE'",
		UUIDOID, UUIDOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, id);
	ls_arg_timestamptz(&args, now);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
}

PG_FUNCTION_INFO_V1(ls_market_cancel_bid);

/* cancel_bid(bid_id) */
Datum
ls_market_cancel_bid(PG_FUNCTION_ARGS)
{
	LS_QUERY(times,
		"SELECT bidding_opens_at, bidding_closes_at, bidding_closed_at FROM lead_system.lead_listings"
		" WHERE organization_id = $1 AND lead_id = $2",
		UUIDOID, UUIDOID);
	TimestampTz now = ls_clock_now();
	LsBidFacts facts = {0};
	LsMarketBid bid;
	LsMarketLead lead;
	pg_uuid_t org;
	LsScope scope;
	LsArgs args = {0};

	LS_REQUIRE_ARG(0, "bid_id");
	ls_enter_org_of("bids", "bid", PG_GETARG_UUID_P(0), LS_WRITE, &org);
	ls_market_read_bid(&org, PG_GETARG_UUID_P(0), &bid);
	ls_market_lock_lead(&org, &bid.lead, LS_MARKET_TO_BID, &lead);
	ls_arg_uuid(&args, &org);
	ls_arg_uuid(&args, &bid.lead);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run(&times, &args, LS_WRITE) > 0 && !ls_result_isnull(0, 1))
	{
		facts.opens_at = ls_result_timestamptz(0, 1);
		facts.closes_at = ls_result_timestamptz(0, 2);
		facts.closed_at = ls_result_isnull(0, 3) ? 0 : ls_result_timestamptz(0, 3);
	}
	ls_scope_close(&scope);
	ls_market_check_bidding_open(&bid.lead, lead.status, &facts, now);
	cancel(&org, PG_GETARG_UUID_P(0), now);
	PG_RETURN_VOID();
}
