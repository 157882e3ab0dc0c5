/*-------------------------------------------------------------------------
 *
 * conversions.c
 *	  What comes after the market: the job that was booked or paid, and the
 *	  archive.
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

/* The bid that won a lead. */
static LsMarketBid
winning_bid(const pg_uuid_t *org, const pg_uuid_t *lead)
{
	LS_QUERY(query,
		"SELECT b.id, b.contractor_id FROM lead_system.lead_listings s"
		"  JOIN lead_system.bids b ON b.organization_id = $1 AND b.id = s.winner_bid_id"
		" WHERE s.organization_id = $1 AND s.lead_id = $2",
		UUIDOID, UUIDOID);
	LsMarketBid bid = {.lead = *lead};
	LsScope scope;
	LsArgs args = {0};
	bool found;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, lead);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run(&query, &args, LS_WRITE) > 0;
	if (found)
	{
		bid.id = ls_result_uuid(0, 1);
		bid.contractor = ls_result_uuid(0, 2);
	}
	ls_scope_close(&scope);
	if (!found)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("no contractor has won lead \"%s\"", ls_uuid_text(lead)),
						   errdetail("A lead is won by the first message about it.")));
	return bid;
}

/* Add a conversion, or find the one that is there; returns whether it is new. */
static bool
add_conversion(
	const pg_uuid_t *org, const LsMarketBid *bid, const char *type, pg_uuid_t *conversion)
{
	LS_QUERY(insert,
		"INSERT INTO lead_system.conversions"
		" (organization_id, lead_id, contractor_id, bid_id, conversion_type, converted_at)"
		" VALUES ($1, $2, $3, $4, $5, $6)"
		" ON CONFLICT (organization_id, bid_id, conversion_type) DO NOTHING RETURNING id",
		UUIDOID, UUIDOID, UUIDOID, UUIDOID, TEXTOID, TIMESTAMPTZOID);
	LS_QUERY(find,
		"SELECT id FROM lead_system.conversions"
		" WHERE organization_id = $1 AND bid_id = $2 AND conversion_type = $3",
		UUIDOID, UUIDOID, TEXTOID);
	LsScope scope;
	LsArgs insert_args = {0};
	LsArgs find_args = {0};
	bool is_new;

	ls_arg_uuid(&insert_args, org);
	ls_arg_uuid(&insert_args, &bid->lead);
	ls_arg_uuid(&insert_args, &bid->contractor);
	ls_arg_uuid(&insert_args, &bid->id);
	ls_arg_text(&insert_args, type);
	ls_arg_timestamptz(&insert_args, ls_clock_now());
	ls_arg_uuid(&find_args, org);
	ls_arg_uuid(&find_args, &bid->id);
	ls_arg_text(&find_args, type);
	ls_scope_open(&scope, LS_AS_OWNER);
	is_new = ls_query_run(&insert, &insert_args, LS_WRITE) > 0;
	if (!is_new && ls_query_run(&find, &find_args, LS_WRITE) == 0)
		elog(ERROR, "conversion was neither added nor found");
	*conversion = ls_result_uuid(0, 1);
	ls_scope_close(&scope);
	return is_new;
}

PG_FUNCTION_INFO_V1(ls_market_record_conversion);

/* record_conversion(lead_id, conversion_type) */
Datum
ls_market_record_conversion(PG_FUNCTION_ARGS)
{
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));
	LsActivity activity = {0};
	LsMarketLead lead;
	LsMarketBid bid;
	pg_uuid_t org;
	char *type;

	LS_REQUIRE_ARG(0, "lead_id");
	LS_REQUIRE_ARG(1, "conversion_type");
	type = text_to_cstring(PG_GETARG_TEXT_PP(1));
	if (strcmp(type, "booked") != 0 && strcmp(type, "paid") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("unrecognized conversion type \"%s\"", type),
						   errhint("Conversion types are: booked, paid. send_message() records "
								   "the first contact.")));
	ls_enter_org_of("leads", "lead", PG_GETARG_UUID_P(0), LS_WRITE, &org);
	ls_market_lock_lead(&org, PG_GETARG_UUID_P(0), LS_MARKET_TO_CHANGE, &lead);
	bid = winning_bid(&org, &lead.id);
	ls_market_check_self(&bid.contractor);
	if (add_conversion(&org, &bid, type, id))
	{
		activity.org = &org;
		activity.lead = &lead.id;
		activity.action = "lead_converted";
		activity.new_value = ls_json_pair_text("conversion_type", type);
		(void) ls_activity_add(&activity);
	}
	PG_RETURN_UUID_P(id);
}

/* One organisation's share of archive_listings(). */
static int64
archive(const pg_uuid_t *org, int limit)
{
	LS_QUERY(query,
		"SELECT l.id, l.pipeline_id, l.status FROM lead_system.lead_listings s"
		"  JOIN lead_system.leads l ON l.organization_id = $1 AND l.id = s.lead_id"
		" WHERE s.organization_id = $1 AND s.archived_at IS NULL AND l.deleted_at IS NULL"
		"   AND l.created_at <= $2 - make_interval(hours => 24 * $3)"
		"   AND l.status IN ('CREATED', 'CONTACTED', 'EXPIRED')"
		" ORDER BY l.created_at, l.id LIMIT $4 FOR NO KEY UPDATE OF l SKIP LOCKED",
		UUIDOID, TIMESTAMPTZOID, INT4OID, INT8OID);
	const LsLeadCause cause = {"offered long ago", "automation", NULL, false};
	LsMarketBatch batch = {.org = *org, .now = ls_clock_now()};
	const char **statuses;
	pg_uuid_t *ids;
	LsArgs args = {0};
	int i;

	ls_arg_uuid(&args, org);
	ls_arg_timestamptz(&args, batch.now);
	ls_arg_int32(&args, ls_config_int(org, "marketplace.archive_after_days"));
	ls_arg_int64(&args, limit);
	ls_market_read_leads(&batch, &query, &args);
	statuses = palloc(sizeof(char *) * Max(batch.n, 1));
	ids = palloc(sizeof(pg_uuid_t) * Max(batch.n, 1));
	for (i = 0; i < batch.n; i++)
	{
		statuses[i] = LS_MARKET_ARCHIVED;
		ids[i] = batch.leads[i].id;
	}
	ls_market_move(&batch, statuses, &cause);
	if (batch.n > 0)
		ls_market_note_archived(org, ids, batch.n);
	return batch.n;
}

PG_FUNCTION_INFO_V1(ls_market_archive_listings);

/* archive_listings(batch) */
Datum
ls_market_archive_listings(PG_FUNCTION_ARGS)
{
	/* How old is too old is for each organisation to say. */
	LS_QUERY(organizations,
		"SELECT DISTINCT s.organization_id FROM lead_system.lead_listings s"
		" WHERE s.archived_at IS NULL AND s.created_at <= $1 ORDER BY s.organization_id",
		TIMESTAMPTZOID);

	LS_REQUIRE_ARG(0, "batch");
	PG_RETURN_INT64(ls_sweep(&organizations, archive, PG_GETARG_INT32(0), LS_MARKET_MAX_BATCH));
}
