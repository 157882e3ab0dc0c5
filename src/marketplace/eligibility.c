/*-------------------------------------------------------------------------
 *
 * eligibility.c
 *	  Who may bid (semantics C15): what is known of lead and contractor, and a
 *	  refusal for each rule that says what would help.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "core/config.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "marketplace/bids.h"

/*
 * Where a late bid extends the bidding, bidders who do so at once see each
 * other's extension.
 */
static void
lock_listing(const LsNewBid *bid)
{
	LS_QUERY(query,
		"SELECT 1 FROM lead_system.lead_listings WHERE organization_id = $1 AND lead_id = $2"
		" FOR NO KEY UPDATE",
		UUIDOID, UUIDOID);
	LsArgs args = {0};

	if (!ls_config_bool(&bid->org, "marketplace.anti_snipe"))
		return;
	ls_arg_uuid(&args, &bid->org);
	ls_arg_uuid(&args, &bid->lead);
	ls_query_run(&query, &args, LS_WRITE);
}

/* Copy a number of the last result to where the scope was opened. */
static Datum
result_numeric(int column)
{
	bool isnull;
	Datum value = ls_result(0, column, &isnull);

	return isnull ? (Datum) 0 : SPI_datumTransfer(value, false, -1);
}

/* A time of the last result; 0 for null. */
static TimestampTz
result_time(int column)
{
	return ls_result_isnull(0, column) ? 0 : ls_result_timestamptz(0, column);
}

/*
 * Read what decides about a bid, and what it amounts to.  The lead is locked;
 * this locks the contractor, whose metrics the bid will change and whose bans
 * must not come in between.
 */
void
ls_market_read_facts(const LsNewBid *bid, LsBidFacts *facts)
{
	LS_QUERY(query,
		"SELECT s.bidding_opens_at, s.bidding_closes_at, s.bidding_closed_at,"
		"       u.is_active, u.is_contractor,"
		"       u.is_bidding_banned AND (u.bidding_ban_until IS NULL OR u.bidding_ban_until > $5),"
		"       u.bidding_ban_until,"
		"       cardinality(u.contractor_categories) = 0"
		"         OR coalesce(l.category_id = ANY (u.contractor_categories), false),"
		"       cardinality(u.service_area_zip_codes) = 0"
		"         OR coalesce(l.zip_code = ANY (u.service_area_zip_codes), false),"
		"       u.lead_discount_multiplier, u.profile_rating,"
		"       round(s.base_lead_cost * $4 * u.lead_discount_multiplier, 2),"
		"       CASE s.rank_by WHEN 'gross_amount' THEN round(s.base_lead_cost * $4, 2)"
		"         ELSE round(s.base_lead_cost * $4 * u.lead_discount_multiplier, 2) END"
		"  FROM lead_system.users u"
		"  JOIN lead_system.leads l ON l.organization_id = $1 AND l.id = $2"
		"  LEFT JOIN lead_system.lead_listings s ON s.organization_id = $1 AND s.lead_id = $2"
		" WHERE u.organization_id = $1 AND u.id = $3 FOR NO KEY UPDATE OF u",
		UUIDOID, UUIDOID, UUIDOID, NUMERICOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};
	bool found;

	ls_arg_uuid(&args, &bid->org);
	ls_arg_uuid(&args, &bid->lead);
	ls_arg_uuid(&args, &bid->contractor);
	ls_arg_datum(&args, bid->multiplier, false);
	ls_arg_timestamptz(&args, bid->now);
	ls_scope_open(&scope, LS_AS_OWNER);
	lock_listing(bid);
	found = ls_query_run(&query, &args, LS_WRITE) > 0;
	if (found)
	{
		facts->opens_at = result_time(1);
		facts->closes_at = result_time(2);
		facts->closed_at = result_time(3);
		facts->is_active = ls_result_bool(0, 4);
		facts->is_contractor = ls_result_bool(0, 5);
		facts->is_banned = ls_result_bool(0, 6);
		facts->banned_until = result_time(7);
		facts->fits_category = ls_result_bool(0, 8);
		facts->fits_area = ls_result_bool(0, 9);
		facts->discount = result_numeric(10);
		facts->rating = result_numeric(11);
		facts->final_amount = result_numeric(12);
		facts->rank_amount = result_numeric(13);
	}
	ls_scope_close(&scope);
	if (!found)
		ls_no_such_row("contractor", &bid->contractor);
}

/* Bidding is open from its opening up to, but not at, its closing time. */
void
ls_market_check_bidding_open(
	const pg_uuid_t *lead, const char *status, const LsBidFacts *facts, TimestampTz now)
{
	const char *detail;
	const char *hint = "A bid must come in before bidding closes.";

	if (facts->opens_at == 0)
	{
		detail = "The lead is not offered.";
		hint = "open_bidding() offers it.";
	}
	else if (facts->closed_at != 0)
		detail = psprintf("Bidding was closed at %s; the lead is %s.",
			timestamptz_to_str(facts->closed_at), status);
	else if (strcmp(status, LS_MARKET_ACTIVE) != 0)
		detail = psprintf("The lead is %s.", status);
	else if (now >= facts->closes_at)
		detail = psprintf("Bidding ended at %s.", timestamptz_to_str(facts->closes_at));
	else
		return;
	ereport(ERROR, (errcode(LS_ERRCODE_BIDDING_NOT_OPEN),
					   errmsg("bidding on lead \"%s\" is not open", ls_uuid_text(lead)),
					   errdetail("%s", detail), errhint("%s", hint)));
}

/* A contractor who is banned may bid again when the ban ends. */
static void
check_ban(const LsNewBid *bid, const LsBidFacts *facts)
{
	if (!facts->is_banned)
		return;
	ereport(ERROR,
		(errcode(LS_ERRCODE_BIDDER_BANNED),
			errmsg("contractor \"%s\" is banned from bidding", ls_uuid_text(&bid->contractor)),
			facts->banned_until != 0
				? errdetail("The ban ends at %s.", timestamptz_to_str(facts->banned_until))
				: errdetail("The ban has no end."),
			errhint("appeal_ban() asks for its end.")));
}

/* What a contractor must be, and what the contractor's lists must contain. */
static void
check_contractor(const LsNewBid *bid, const LsBidFacts *facts)
{
	const char *detail;
	const char *hint;

	if (!facts->is_active)
	{
		detail = "The user is not active.";
		hint = "Set users.is_active to let the user in again.";
	}
	else if (!facts->is_contractor)
	{
		detail = "The user is not a contractor.";
		hint = "Set users.is_contractor for those who bid.";
	}
	else if (!facts->fits_category)
	{
		detail = "The category of the lead is not among the contractor's categories.";
		hint = "users.contractor_categories lists them; empty means all.";
	}
	else if (!facts->fits_area)
	{
		detail = "The ZIP code of the lead is not in the contractor's service area.";
		hint = "users.service_area_zip_codes lists it; empty means everywhere.";
	}
	else
		return;
	ereport(ERROR, (errcode(LS_ERRCODE_BIDDER_NOT_ELIGIBLE),
					   errmsg("contractor \"%s\" cannot bid for lead \"%s\"",
						   ls_uuid_text(&bid->contractor), ls_uuid_text(&bid->lead)),
					   errdetail("%s", detail), errhint("%s", hint)));
}

/*
 * One bid per contractor and lead.  The contractor is locked, so a bid that
 * another session was placing is seen here; the unique key stands behind this.
 */
static void
check_first_bid(const LsNewBid *bid)
{
	LS_QUERY(query,
		"SELECT id, status FROM lead_system.bids"
		" WHERE organization_id = $1 AND lead_id = $2 AND contractor_id = $3",
		UUIDOID, UUIDOID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};
	pg_uuid_t id;
	char *status = NULL;

	ls_arg_uuid(&args, &bid->org);
	ls_arg_uuid(&args, &bid->lead);
	ls_arg_uuid(&args, &bid->contractor);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run(&query, &args, LS_WRITE) > 0)
	{
		id = ls_result_uuid(0, 1);
		status = ls_result_text(0, 2);
	}
	ls_scope_close(&scope);
	if (status != NULL)
		ereport(ERROR, (errcode(ERRCODE_UNIQUE_VIOLATION),
						   errmsg("contractor \"%s\" has bid for lead \"%s\" already",
							   ls_uuid_text(&bid->contractor), ls_uuid_text(&bid->lead)),
						   errdetail("Bid \"%s\" is %s.", ls_uuid_text(&id), status),
						   errhint("A contractor bids once for a lead; a bid that was cancelled "
								   "counts, too.")));
}

/* Refuse a bid that any of the rules forbids. */
void
ls_market_check_eligible(const LsNewBid *bid, const char *status, const LsBidFacts *facts)
{
	ls_market_check_bidding_open(&bid->lead, status, facts, bid->now);
	check_contractor(bid, facts);
	check_ban(bid, facts);
	check_first_bid(bid);
}
