/*-------------------------------------------------------------------------
 *
 * claim.h
 *	  A claim on leads of a campaign, being made.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_OUTREACH_CLAIM_H
#define LS_OUTREACH_CLAIM_H

#include "core/query.h"

/* A claim being made. */
typedef struct LsClaim
{
	pg_uuid_t org;
	pg_uuid_t campaign;
	pg_uuid_t user;
	bool has_user;
	TimestampTz lease_until;
	int limit;
	char *timezone; /* in which the campaign's day begins */
	bool capped;
	int daily_cap;
	Datum lists; /* that are active, in the order of their priority */
	pg_uuid_t *list_ids;
	int *max_attempts; /* of each of them */
	int n_lists;
	bool lists_kept; /* they cannot be deleted before the claim is done */
} LsClaim;

extern void ls_claim_release_lapsed(LsClaim *claim);
extern bool ls_claim_release_waiting(LsClaim *claim);

#endif /* LS_OUTREACH_CLAIM_H */
