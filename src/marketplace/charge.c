/*-------------------------------------------------------------------------
 *
 * charge.c
 *	  The seam to the money: what a contractor pays for a lead, and when.
 *
 *	  Nothing else in the marketplace touches money.  The amount was fixed when
 *	  bidding closed (bids.charge_amount).  A charge is the row of conversions
 *	  that carries amount, currency and time; a unique index allows one per bid.
 *	  It is posted to the contractor's budget account, in the same transaction and
 *	  from the rows that these statements return.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "billing/billing.h"
#include "marketplace/internal.h"

/* What becomes of bids; "charged" is the condition under which they are. */
#define SQL_CONVERT(conversion, charged) \
	"INSERT INTO lead_system.conversions (organization_id, lead_id, contractor_id, bid_id," \
	"       conversion_type, amount, currency, charged_at, converted_at)" \
	" SELECT $1, b.lead_id, b.contractor_id, b.id, '" conversion "'," \
	"        CASE WHEN " charged " THEN b.charge_amount END," \
	"        CASE WHEN " charged " THEN o.currency END," \
	"        CASE WHEN " charged " THEN $3 END, $3" \
	"   FROM lead_system.bids b" \
	"   JOIN lead_system.lead_listings s ON s.organization_id = $1 AND s.lead_id = b.lead_id" \
	"   JOIN lead_system.organizations o ON o.id = $1" \
	"  WHERE b.organization_id = $1 AND b.id = ANY ($2)"

#define SQL_RETURNING " RETURNING id, contractor_id, bid_id, lead_id, (amount * 100)::bigint"

/* Record a charge, or several. */
static void
ls_market_charge(
	LsQuery *query, const pg_uuid_t *org, Datum bid_ids, TimestampTz at, bool even_into_debt)
{
	LsScope scope;
	LsArgs args = {0};
	LsCharge *charges;
	uint64 n;
	uint64 row;
	int n_charges = 0;

	ls_arg_uuid(&args, org);
	ls_arg_datum(&args, bid_ids, false);
	ls_arg_timestamptz(&args, at);
	ls_scope_open(&scope, LS_AS_OWNER);
	n = ls_query_run(query, &args, LS_WRITE);
	charges = palloc(sizeof(LsCharge) * (n + 1));
	for (row = 0; row < n; row++)
	{
		if (ls_result_isnull(row, 5) || ls_result_int64(row, 5) == 0)
			continue;
		charges[n_charges].conversion = ls_result_uuid(row, 1);
		charges[n_charges].contractor = ls_result_uuid(row, 2);
		charges[n_charges].bid = ls_result_uuid(row, 3);
		charges[n_charges].lead = ls_result_uuid(row, 4);
		charges[n_charges++].amount = ls_result_int64(row, 5);
	}
	ls_charge_contractors(org, charges, n_charges, even_into_debt);
	ls_scope_close(&scope);
}

/* Bids were given their windows: charged where the listing says "win". */
void
ls_market_charge_windows(const pg_uuid_t *org, Datum bid_ids, TimestampTz at)
{
	LS_QUERY(query,
		SQL_CONVERT(
			"won", "true") " AND s.charge_on = 'win' ORDER BY b.contractor_id" SQL_RETURNING,
		UUIDOID, UUIDARRAYOID, TIMESTAMPTZOID);

	ls_market_charge(&query, org, bid_ids, at, true);
}

/* The holder of the window contacted the lead: charged where that says "contact". */
void
ls_market_charge_contact(const pg_uuid_t *org, const pg_uuid_t *bid, TimestampTz at)
{
	LS_QUERY(query, SQL_CONVERT("contacted", "s.charge_on = 'contact'") SQL_RETURNING, UUIDOID,
		UUIDARRAYOID, TIMESTAMPTZOID);

	ls_market_charge(&query, org, ls_uuid_array(bid, 1), at, false);
}
