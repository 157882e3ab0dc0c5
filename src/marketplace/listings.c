/*-------------------------------------------------------------------------
 *
 * listings.c
 *	  Offering leads: open_bidding(), and the triggers of lead_listings.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/growth.h"
#include "core/input.h"
#include "core/tenant.h"
#include "core/transition.h"
#include "core/trigger.h"
#include "core/uuid.h"
#include "marketplace/internal.h"

/* Refuse a lead whose pipeline is not a marketplace. */
static void
check_pipeline(const pg_uuid_t *lead, const pg_uuid_t *pipeline)
{
	if (!ls_market_is_pipeline(pipeline))
		ereport(
			ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					   errmsg("lead \"%s\" is not in a marketplace pipeline", ls_uuid_text(lead)),
					   errhint("Offer leads of pipeline \"marketplace\", or of a copy of it.")));
}

/*
 * Open bidding on leads that are locked and listed.  The rules of the auction
 * are frozen into the listing.
 */
static void
open_batch(LsMarketBatch *batch, const LsLeadCause *cause)
{
	LS_QUERY(query,
		"UPDATE lead_system.lead_listings SET bidding_opens_at = $3,"
		"       bidding_closes_at = CASE WHEN bidding_closes_at > $3 THEN bidding_closes_at ELSE $4 END,"
		"       rank_by = $5, pricing = $6, charge_on = $7"
		" WHERE organization_id = $1 AND lead_id = ANY ($2)",
		UUIDOID, UUIDARRAYOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID);
	const char **statuses = palloc(sizeof(char *) * Max(batch->n, 1));
	LsMarketBatch to_move = *batch;
	LsScope scope;
	LsArgs args = {0};
	int i;

	if (batch->n == 0)
		return;
	ls_arg_uuid(&args, &batch->org);
	ls_arg_datum(&args, ls_market_lead_ids(batch), false);
	ls_arg_timestamptz(&args, batch->now);
	ls_arg_timestamptz(&args, ls_market_minutes_later(batch->now,
								  ls_config_int(&batch->org, "marketplace.bidding_minutes")));
	ls_arg_text(&args, ls_config_choice(&batch->org, "marketplace.rank_by"));
	ls_arg_text(&args, ls_config_choice(&batch->org, "marketplace.pricing"));
	ls_arg_text(&args, ls_config_choice(&batch->org, "marketplace.charge_on"));
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_market_run(&query, &args, cause);
	ls_scope_close(&scope);

	/* A lead that was made ACTIVE before it was listed stays there. */
	to_move.leads = palloc(sizeof(LsMarketLead) * Max(batch->n, 1));
	to_move.n = 0;
	for (i = 0; i < batch->n; i++)
	{
		if (strcmp(batch->leads[i].status, LS_MARKET_ACTIVE) == 0)
			continue;
		to_move.leads[to_move.n] = batch->leads[i];
		statuses[to_move.n++] = LS_MARKET_ACTIVE;
	}
	ls_market_move(&to_move, statuses, cause);
}

/*
 * Open bidding on those of the leads that are listed, qualified and not offered
 * yet, if the organisation wants that to happen by itself.
 */
void
ls_market_open_listed(const pg_uuid_t *org, const pg_uuid_t *leads, int n)
{
	LS_QUERY(query,
		"SELECT l.id, l.pipeline_id, l.status FROM lead_system.leads l"
		"  JOIN lead_system.lead_listings s ON s.organization_id = $1 AND s.lead_id = l.id"
		" WHERE l.organization_id = $1 AND l.id = ANY ($2) AND l.is_qualified"
		"   AND l.deleted_at IS NULL AND l.status = 'CREATED' AND s.bidding_opens_at IS NULL"
		" ORDER BY l.id FOR NO KEY UPDATE OF l",
		UUIDOID, UUIDARRAYOID);
	const LsLeadCause cause = {"qualified and listed", "automation", NULL, false};
	LsMarketBatch batch = {.org = *org, .now = ls_clock_now()};
	LsArgs args = {0};
	int kept = 0;
	int i;

	if (n == 0 || !ls_config_bool(org, "marketplace.auto_open"))
		return;
	ls_arg_uuid(&args, org);
	ls_arg_datum(&args, ls_uuid_array(leads, n), false);
	ls_market_read_leads(&batch, &query, &args);
	for (i = 0; i < batch.n; i++)
	{
		if (ls_market_is_pipeline(&batch.leads[i].pipeline))
			batch.leads[kept++] = batch.leads[i];
	}
	batch.n = kept;
	open_batch(&batch, &cause);
}

/* May bidding on this lead be opened? */
static void
check_can_open(const pg_uuid_t *org, const LsMarketLead *lead)
{
	LS_QUERY(query,
		"SELECT s.bidding_opens_at FROM lead_system.lead_listings s"
		" WHERE s.organization_id = $1 AND s.lead_id = $2 AND s.bidding_opens_at IS NOT NULL",
		UUIDOID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};
	bool offered;
	TimestampTz opened_at = 0;

	check_pipeline(&lead->id, &lead->pipeline);
	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, &lead->id);
	ls_scope_open(&scope, LS_AS_OWNER);
	offered = ls_query_run(&query, &args, LS_WRITE) > 0;
	if (offered)
		opened_at = ls_result_timestamptz(0, 1);
	ls_scope_close(&scope);
	if (offered)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("lead \"%s\" was offered before", ls_uuid_text(&lead->id)),
						   errdetail("Bidding was opened at %s; the lead is %s.",
							   timestamptz_to_str(opened_at), lead->status),
						   errhint("A lead is offered once. Make a new lead to offer it again.")));
	if (strcmp(lead->status, LS_MARKET_CREATED) != 0 && strcmp(lead->status, LS_MARKET_ACTIVE) != 0)
		ereport(
			ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					   errmsg("lead \"%s\" cannot be offered any more", ls_uuid_text(&lead->id)),
					   errdetail("It is %s.", lead->status)));
}

/* Make the listing, or take over what is new into the one that is there. */
static void
upsert_listing(
	const pg_uuid_t *org, const pg_uuid_t *lead, const NullableDatum *cost, TimestampTz closes_at)
{
	LS_QUERY(insert,
		"INSERT INTO lead_system.lead_listings AS s"
		" (organization_id, lead_id, base_lead_cost, bidding_closes_at) VALUES ($1, $2, $3, $4)"
		" ON CONFLICT (organization_id, lead_id) DO UPDATE"
		"   SET base_lead_cost = excluded.base_lead_cost,"
		"       bidding_closes_at = coalesce(excluded.bidding_closes_at, s.bidding_closes_at)",
		UUIDOID, UUIDOID, NUMERICOID, TIMESTAMPTZOID);
	LS_QUERY(update,
		"UPDATE lead_system.lead_listings SET bidding_closes_at = coalesce($3, bidding_closes_at)"
		" WHERE organization_id = $1 AND lead_id = $2",
		UUIDOID, UUIDOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};
	uint64 n;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, lead);
	if (!cost->isnull)
		ls_arg_datum(&args, cost->value, false);
	ls_arg_datum(&args, TimestampTzGetDatum(closes_at), closes_at == 0);
	ls_scope_open(&scope, LS_AS_OWNER);
	n = ls_market_run(cost->isnull ? &update : &insert, &args, NULL);
	ls_scope_close(&scope);
	if (n == 0)
		ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("base_lead_cost must not be null"),
				errdetail("The lead is not listed yet."),
				errhint("Pass what a bid of 1.00 costs.")));
}

/* A lead that somebody offers is thereby qualified. */
static void
qualify(const pg_uuid_t *org, const pg_uuid_t *lead, const LsLeadCause *cause)
{
	LS_QUERY(query,
		"UPDATE lead_system.leads SET is_qualified = true"
		" WHERE organization_id = $1 AND id = $2 AND NOT is_qualified",
		UUIDOID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, lead);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_market_run(&query, &args, cause);
	ls_scope_close(&scope);
}

PG_FUNCTION_INFO_V1(ls_market_open_bidding);

/* open_bidding(lead_id, base_lead_cost, closes_at) */
Datum
ls_market_open_bidding(PG_FUNCTION_ARGS)
{
	const LsLeadCause cause = {"bidding opened", "manual", NULL, false};
	NullableDatum cost = {0};
	LsMarketLead lead;
	LsMarketBatch batch = {.leads = &lead, .n = 1, .now = ls_clock_now()};
	TimestampTz closes_at = 0;

	LS_REQUIRE_ARG(0, "lead_id");
	ls_market_refuse_contractor("open bidding");
	cost.isnull = PG_ARGISNULL(1);
	if (!cost.isnull)
		cost.value = PG_GETARG_DATUM(1);
	if (!PG_ARGISNULL(2))
	{
		closes_at = PG_GETARG_TIMESTAMPTZ(2);
		if (closes_at <= batch.now || TIMESTAMP_NOT_FINITE(closes_at))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							   errmsg("closes_at must be a time to come"),
							   errdetail("It is %s now.", timestamptz_to_str(batch.now))));
	}
	ls_enter_org_of("leads", "lead", PG_GETARG_UUID_P(0), LS_WRITE, &batch.org);
	ls_market_lock_lead(&batch.org, PG_GETARG_UUID_P(0), LS_MARKET_TO_CHANGE, &lead);
	check_can_open(&batch.org, &lead);
	upsert_listing(&batch.org, &lead.id, &cost, closes_at);
	qualify(&batch.org, &lead.id, &cause);
	open_batch(&batch, &cause);
	PG_RETURN_VOID();
}

/* An update of a listing: bidders rely on the base cost. */
static void
check_update(TriggerData *trigdata)
{
	static const char *const keys[] = {"organization_id", "lead_id"};
	static const char *const relied_on[] = {"base_lead_cost"};
	Relation rel = trigdata->tg_relation;
	bool not_open;

	ls_market_refuse_changes(
		trigdata, "listing", keys, lengthof(keys), "List the other lead with a row of its own.");
	(void) SPI_getbinval(trigdata->tg_trigtuple, RelationGetDescr(rel),
		ls_trigger_attnum(rel, "bidding_opens_at"), &not_open);
	if (!not_open)
		ls_market_refuse_changes(trigdata, "listing", relied_on, lengthof(relied_on),
			"It is fixed once bidding has been opened.");
}

/* A new listing by hand: of a lead that has not been offered, not opened yet. */
static HeapTuple
check_insert(TriggerData *trigdata)
{
	static const char *const later[] = {"has_unmarked_bids", "bidding_opens_at",
		"bidding_closed_at", "rank_by", "pricing", "charge_on", "winner_bid_id", "archived_at"};
	Relation rel = trigdata->tg_relation;
	int attnums[lengthof(later)];
	Datum values[lengthof(later)] = {BoolGetDatum(false)};
	bool nulls[lengthof(later)];
	LsMarketLead found;
	pg_uuid_t org;
	pg_uuid_t lead;
	Datum closes_at;
	bool isnull;
	int i;

	org = *DatumGetUUIDP(ls_market_required(trigdata, "listing", "organization_id"));
	ls_check_row_org(rel, &org);
	ls_market_refuse_contractor("offer leads");
	lead = *DatumGetUUIDP(ls_market_required(trigdata, "listing", "lead_id"));
	ls_plans_follow_growth(rel);
	ls_market_lock_lead(&org, &lead, LS_MARKET_TO_CHANGE, &found);
	check_can_open(&org, &found);
	closes_at = SPI_getbinval(trigdata->tg_trigtuple, RelationGetDescr(rel),
		ls_trigger_attnum(rel, "bidding_closes_at"), &isnull);
	if (!isnull && (DatumGetTimestampTz(closes_at) <= ls_clock_now() ||
					   TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(closes_at))))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("bidding_closes_at must be a time to come")));
	for (i = 0; i < (int) lengthof(later); i++)
	{
		attnums[i] = ls_trigger_attnum(rel, later[i]);
		nulls[i] = (i > 0);
	}
	return heap_modify_tuple_by_cols(
		trigdata->tg_trigtuple, RelationGetDescr(rel), lengthof(later), attnums, values, nulls);
}

PG_FUNCTION_INFO_V1(ls_market_listings_check);

/* lead_listings_check(): BEFORE row trigger of lead_listings. */
Datum
ls_market_listings_check(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "lead_listings_check", LS_TRIGGER_BEFORE_ROW,
		LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE, "lead_listings");

	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		return PointerGetDatum(
			ls_market_is_moving() ? trigdata->tg_trigtuple : check_insert(trigdata));
	check_update(trigdata);
	return PointerGetDatum(trigdata->tg_newtuple);
}

PG_FUNCTION_INFO_V1(ls_market_listings_added);

/* lead_listings_added(): AFTER INSERT statement trigger of lead_listings. */
Datum
ls_market_listings_added(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "lead_listings_added",
		LS_TRIGGER_AFTER_STATEMENT, LS_TRIGGER_INSERT, "lead_listings");
	int org_attnum = ls_trigger_attnum(trigdata->tg_relation, "organization_id");
	int lead_attnum = ls_trigger_attnum(trigdata->tg_relation, "lead_id");
	LsTransition transition;
	pg_uuid_t org = {{0}};
	pg_uuid_t *leads;
	int capacity = 64;
	int n = 0;

	if (ls_market_is_moving())
		return PointerGetDatum(NULL);
	leads = palloc(sizeof(pg_uuid_t) * capacity);
	ls_transition_open(&transition, trigdata);
	while (ls_transition_next(&transition))
	{
		const pg_uuid_t *row_org = DatumGetUUIDP(transition.new->tts_values[org_attnum - 1]);

		/* Rows of several organisations are for those above the policies. */
		if (n > 0 && (n == capacity || !ls_uuid_equal(&org, row_org)))
		{
			ls_market_open_listed(&org, leads, n);
			n = 0;
		}
		org = *row_org;
		leads[n++] = *DatumGetUUIDP(transition.new->tts_values[lead_attnum - 1]);
		if (n == capacity && capacity < LS_BATCH_ROWS)
		{
			capacity *= 4;
			leads = repalloc(leads, sizeof(pg_uuid_t) * capacity);
		}
	}
	ls_transition_close(&transition);
	ls_market_open_listed(&org, leads, n);
	return PointerGetDatum(NULL);
}
