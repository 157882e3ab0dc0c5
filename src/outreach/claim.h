/*-------------------------------------------------------------------------
 *
 * claim.h
 *	  A claim on leads of a campaign, being made.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_OUTREACH_CLAIM_H
#define LS_OUTREACH_CLAIM_H

#include "datatype/timestamp.h"

#include "billing/billing.h"
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
	bool lists_kept;   /* they cannot be deleted before the claim is done */
	pg_uuid_t *passed; /* rows that are passed over, and stay as they are */
	int n_passed;
	int n_refused; /* rows that did not pass the gate */
	LsCents price; /* of a call; 0: none */
} LsClaim;

/* A candidate from the queue. */
typedef struct LsCandidate
{
	pg_uuid_t id;
	pg_uuid_t lead;
	int attempts;
	pg_uuid_t list;
	char *blocked_rule; /* by which it was passed over before; NULL: none */
	char *phone_number; /* set by the gate */
	bool claimed;       /* the same */
} LsCandidate;

extern int ls_claim_gate(
	LsClaim *claim, LsCandidate *candidates, int n, bool callbacks, int wanted);
extern void ls_claim_release_lapsed(LsClaim *claim);
extern bool ls_claim_release_waiting(LsClaim *claim);

#endif /* LS_OUTREACH_CLAIM_H */
