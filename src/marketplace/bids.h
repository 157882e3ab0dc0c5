/*-------------------------------------------------------------------------
 *
 * bids.h
 *	  A bid that is being placed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_MARKETPLACE_BIDS_H
#define LS_MARKETPLACE_BIDS_H

#include "marketplace/internal.h"

typedef struct LsNewBid
{
	pg_uuid_t org;
	pg_uuid_t lead;
	pg_uuid_t contractor;
	Datum multiplier; /* numeric */
	TimestampTz now;
} LsNewBid;

/* What decides about it.  Times are 0 where there is none. */
typedef struct LsBidFacts
{
	TimestampTz opens_at;
	TimestampTz closes_at;
	TimestampTz closed_at;
	bool is_active;
	bool is_contractor;
	bool is_banned;
	TimestampTz banned_until;
	bool fits_category;
	bool fits_area;
	Datum discount; /* numeric, like the rest */
	Datum rating;
	Datum final_amount;
	Datum rank_amount;
} LsBidFacts;

extern void ls_market_read_facts(const LsNewBid *bid, LsBidFacts *facts);
extern void ls_market_check_bidding_open(
	const pg_uuid_t *lead, const char *status, const LsBidFacts *facts, TimestampTz now);
extern void ls_market_check_eligible(
	const LsNewBid *bid, const char *status, const LsBidFacts *facts);

#endif /* LS_MARKETPLACE_BIDS_H */
