/*-------------------------------------------------------------------------
 *
 * calls.c
 *	  What calls of a campaign cost (campaigns.call_price).
 *
 *	  A claim holds the price of each call from the organisation's account, for
 *	  as long as its lease; so a claim that lapses gives the money back by the
 *	  rule of all holds.  The call that is recorded captures it.
 *
 *	  Who claims, and who records a call that costs something, waits for the
 *	  account before locking anything else.  So transactions that claim and record
 *	  in any order take turns, and none of them can be the victim of a deadlock.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "billing/internal.h"
#include "core/json.h"
#include "core/uuid.h"

/* For how many of the calls wanted is there money?  Locks the account. */
int
ls_calls_affordable(const pg_uuid_t *org, LsCents price, int wanted)
{
	pg_uuid_t id;
	LsLedger ledger;
	LsAccount *account;

	if (!ls_account_of_organization(org, &id))
		return 0;
	ls_ledger_open(&ledger, org, &id);
	account = &ledger.accounts[0];
	if (account->is_closed)
		return 0;
	if (account->allow_overdraft)
		return wanted;
	if (ls_available(account) < price * wanted)
	{
		ls_holds_release_expired(&ledger, account, 0);
		ls_ledger_write(&ledger);
	}
	return (int) Min((int64) wanted, Max(ls_available(account) / price, 0));
}

/* Hold the price of calls that have been handed out. */
void
ls_calls_hold(const pg_uuid_t *org, LsCents price, const pg_uuid_t *campaign_leads, int n,
	TimestampTz expires_at)
{
	pg_uuid_t *holds = palloc(sizeof(pg_uuid_t) * (n + 1));
	pg_uuid_t account;
	LsLedger ledger;
	int i;

	if (n == 0 || !ls_account_of_organization(org, &account))
		return;
	ls_ledger_open(&ledger, org, &account);
	for (i = 0; i < n; i++)
	{
		LsEntry entry = {.type = "hold", .held_change = price, .hold = &holds[i]};

		ls_uuid_v7(&holds[i]);
		entry.id = holds[i];
		entry.reference = ls_json_pair_text("campaign_lead_id", ls_uuid_text(&campaign_leads[i]));
		(void) ls_ledger_add(&ledger, &ledger.accounts[0], &entry);
	}
	ls_holds_insert(&ledger, campaign_leads, expires_at);
}

/* Find the hold of a claim, and its account; false when there is none. */
static bool
find_hold(const pg_uuid_t *org, const pg_uuid_t *campaign_lead, pg_uuid_t *hold, pg_uuid_t *account,
	LsCents *amount)
{
	LS_QUERY(query,
		"SELECT id, account_id, (amount * 100)::bigint FROM lead_system.budget_holds"
		" WHERE organization_id = $1 AND campaign_lead_id = $2 AND status = 'held'"
		" ORDER BY created_at DESC, id DESC LIMIT 1",
		UUIDOID, UUIDOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, campaign_lead);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		return false;
	*hold = ls_result_uuid(0, 1);
	*account = ls_result_uuid(0, 2);
	*amount = ls_result_int64(0, 3);
	return true;
}

/* Lock the account from which a call will be paid that is about to be recorded. */
void
ls_calls_lock_account(const pg_uuid_t *org, const pg_uuid_t *campaign_lead, LsCents price)
{
	pg_uuid_t hold;
	pg_uuid_t account;
	LsCents held;
	LsLedger ledger;

	if (find_hold(org, campaign_lead, &hold, &account, &held) ||
		(price > 0 && ls_account_of_organization(org, &account)))
		ls_ledger_open(&ledger, org, &account);
}

/*
 * Debit a call for which nothing is held: it was not claimed, or reported after
 * the hold had been released.  The call has been made, so it is not refused when
 * the money is not there.
 */
static void
debit_call(const pg_uuid_t *org, LsCents price, LsEntry *entry)
{
	pg_uuid_t account;
	LsLedger ledger;

	if (!ls_account_of_organization(org, &account))
		return;
	ls_ledger_open(&ledger, org, &account);
	if (!ledger.accounts[0].allow_overdraft && ls_available(&ledger.accounts[0]) < price)
		ls_holds_release_expired(&ledger, &ledger.accounts[0], 0);
	if (!ledger.accounts[0].allow_overdraft && ls_available(&ledger.accounts[0]) < price)
		ereport(WARNING,
			(errcode(LS_ERRCODE_NO_BUDGET),
				errmsg(
					"the call is recorded, but %s cannot be debited for it", ls_cents_text(price)),
				errdetail("%s can be spent.", ls_cents_text(ls_available(&ledger.accounts[0])))));
	else
	{
		entry->type = "debit";
		entry->amount = -price;
		(void) ls_ledger_add(&ledger, &ledger.accounts[0], entry);
	}
	ls_ledger_write(&ledger);
}

/*
 * A call was recorded: pay it from what its claim has held, or give that back
 * when the call could not be made.  The price that counts is that of the claim.
 */
void
ls_calls_settle(const pg_uuid_t *org, const pg_uuid_t *campaign_lead, LsCents price,
	const pg_uuid_t *call, bool was_made)
{
	LsEntry entry = {.call = call};
	pg_uuid_t hold;
	pg_uuid_t account;
	LsCents held;
	LsLedger ledger;

	entry.reference = ls_json_pair_text("campaign_lead_id", ls_uuid_text(campaign_lead));
	if (find_hold(org, campaign_lead, &hold, &account, &held))
	{
		ls_ledger_open(&ledger, org, &account);
		/* Somebody may have released it, as expired, while we waited. */
		if (find_hold(org, campaign_lead, &hold, &account, &held))
		{
			entry.type = was_made ? "capture" : "release";
			entry.amount = was_made ? -held : 0;
			entry.held_change = -held;
			entry.hold = &hold;
			(void) ls_ledger_add(&ledger, &ledger.accounts[0], &entry);
			ls_ledger_write(&ledger);
			ls_hold_settle(&ledger, &hold, was_made ? "captured" : "released", was_made ? held : 0);
			return;
		}
	}
	if (was_made && price > 0)
		debit_call(org, price, &entry);
}
