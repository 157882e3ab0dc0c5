/*-------------------------------------------------------------------------
 *
 * billing.h
 *	  Money, as other domains spend it.
 *
 *	  The organisation's account, which calls are paid from, is locked before
 *	  numbers, leads and queues; accounts of contractors after all rows of leads
 *	  and the marketplace; both before the counts of lists, and several in the
 *	  order of their ids.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_BILLING_H
#define LS_BILLING_H

#include "datatype/timestamp.h"
#include "utils/numeric.h"
#include "utils/uuid.h"

/* Amounts are counted in hundredths: what numeric(12,2) holds fits in an int64. */
typedef int64 LsCents;

/* What a contractor owes for a lead. */
typedef struct LsCharge
{
	pg_uuid_t contractor;
	pg_uuid_t conversion;
	pg_uuid_t bid;
	pg_uuid_t lead;
	LsCents amount;
} LsCharge;

extern LsCents ls_cents(Datum amount, const char *what);

extern int ls_calls_affordable(const pg_uuid_t *org, LsCents price, int wanted);
extern void ls_calls_lock_account(
	const pg_uuid_t *org, const pg_uuid_t *campaign_lead, LsCents price);
extern void ls_calls_hold(const pg_uuid_t *org, LsCents price, const pg_uuid_t *campaign_leads,
	int n, TimestampTz expires_at);
extern void ls_calls_settle(const pg_uuid_t *org, const pg_uuid_t *campaign_lead, LsCents price,
	const pg_uuid_t *call, bool was_made);
extern void ls_charge_contractors(
	const pg_uuid_t *org, const LsCharge *charges, int n, bool even_into_debt);

extern void ls_billing_init(void);

#endif /* LS_BILLING_H */
