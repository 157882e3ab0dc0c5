/*-------------------------------------------------------------------------
 *
 * rank.c
 *	  rank_bids(): all bids of a lead in their order (semantics C2).
 *
 *	  The auction is sealed: a contractor's session is told nothing of the
 *	  others before bidding is closed, and their amounts not after that either.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"

#include "lead_system.h"
#include "core/input.h"
#include "core/tenant.h"
#include "marketplace/internal.h"

#define SQL_RANKED \
	"SELECT b.id, b.contractor_id, b.final_bid_amount," \
	"       row_number() OVER (ORDER BY " LS_RANK_ORDER_SQL( \
		"b") ")::integer AS place" \
			 "  FROM lead_system.bids b" \
			 " WHERE b.organization_id = $1 AND b.lead_id = $2 AND b.status <> 'CANCELLED'"

PG_FUNCTION_INFO_V1(ls_market_rank_bids);

/* rank_bids(lead_id) */
Datum
ls_market_rank_bids(PG_FUNCTION_ARGS)
{
	LS_QUERY(for_all, SQL_RANKED " ORDER BY place", UUIDOID, UUIDOID);
	LS_QUERY(for_contractor,
		"SELECT r.id, r.contractor_id, CASE WHEN r.contractor_id = $3 THEN r.final_bid_amount END,"
		"       CASE WHEN s.bidding_closed_at IS NOT NULL THEN r.place END"
		"  FROM (" SQL_RANKED ") r"
		"  LEFT JOIN lead_system.lead_listings s ON s.organization_id = $1 AND s.lead_id = $2"
		" WHERE r.contractor_id = $3 OR s.bidding_closed_at IS NOT NULL ORDER BY r.place",
		UUIDOID, UUIDOID, UUIDOID);
	pg_uuid_t org;
	pg_uuid_t contractor;
	bool is_contractor;
	LsScope scope;
	LsArgs args = {0};

	LS_REQUIRE_ARG(0, "lead_id");
	ls_enter_org_of("leads", "lead", PG_GETARG_UUID_P(0), LS_READ, &org);
	InitMaterializedSRF(fcinfo, 0);
	is_contractor = ls_current_contractor(&contractor);
	ls_arg_uuid(&args, &org);
	ls_arg_uuid(&args, PG_GETARG_UUID_P(0));
	if (is_contractor)
		ls_arg_uuid(&args, &contractor);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(is_contractor ? &for_contractor : &for_all, &args, LS_READ);
	ls_result_to_srf(fcinfo);
	ls_scope_close(&scope);
	return (Datum) 0;
}
