/*-------------------------------------------------------------------------
 *
 * charges.c
 *	  What contractors owe for leads, posted to their accounts.
 *
 *	  A contractor who is charged and has no account gets one.  Whether it may be
 *	  overdrawn is setting billing.contractor_overdraft: if so, and that is the
 *	  default, a charge without budget becomes a debt.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "billing/internal.h"
#include "core/config.h"
#include "core/json.h"
#include "core/uuid.h"

/* Give the contractors accounts who have none. */
static void
open_missing_accounts(const pg_uuid_t *org, Datum contractors)
{
	LS_QUERY_ARRAY(query,
		"INSERT INTO lead_system.budget_accounts (organization_id, user_id, currency, allow_overdraft)"
		" SELECT $1, u.id, o.currency, $3 FROM unnest($2) u(id)"
		"   JOIN lead_system.organizations o ON o.id = $1"
		"  WHERE NOT EXISTS (SELECT FROM lead_system.budget_accounts a WHERE a.organization_id = $1"
		"                       AND a.user_id = u.id AND a.closed_at IS NULL)"
		"  GROUP BY u.id, o.currency ORDER BY u.id"
		" ON CONFLICT DO NOTHING",
		UUIDOID, UUIDARRAYOID, BOOLOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, org);
	ls_arg_datum(&args, contractors, false);
	ls_arg_bool(&args, ls_config_bool(org, "billing.contractor_overdraft"));
	(void) ls_query_run(&query, &args, LS_WRITE);
}

/* Lock the accounts of contractors. */
static void
lock_accounts(LsLedger *ledger, const pg_uuid_t *org, Datum contractors)
{
	LS_QUERY_ARRAY(query,
		"SELECT id FROM lead_system.budget_accounts"
		" WHERE organization_id = $1 AND user_id = ANY ($2) AND closed_at IS NULL",
		UUIDOID, UUIDARRAYOID);
	LsArgs args = {0};
	pg_uuid_t *ids;
	int n;
	int i;

	ls_arg_uuid(&args, org);
	ls_arg_datum(&args, contractors, false);
	n = (int) ls_query_run(&query, &args, LS_WRITE);
	ids = palloc(sizeof(pg_uuid_t) * (n + 1));
	for (i = 0; i < n; i++)
		ids[i] = ls_result_uuid(i, 1);
	ls_ledger_lock(ledger, org, ids, n);
}

/* The account of a contractor, among those that are locked. */
static LsAccount *
account_of(LsLedger *ledger, const pg_uuid_t *contractor)
{
	int i;

	for (i = 0; i < ledger->n_accounts; i++)
	{
		if (ls_uuid_equal(&ledger->accounts[i].user, contractor))
			return &ledger->accounts[i];
	}
	ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					   errmsg("the contractor's budget account was closed by another session"),
					   errhint("Retry the transaction.")));
}

/*
 * Charge contractors for leads.  Nobody is there to be refused when windows are
 * granted by a sweeper, so what is owed then is booked in any case.
 */
void
ls_charge_contractors(const pg_uuid_t *org, const LsCharge *charges, int n, bool even_into_debt)
{
	pg_uuid_t *contractors = palloc(sizeof(pg_uuid_t) * (n + 1));
	LsLedger ledger;
	Datum array;
	int i;

	if (n == 0)
		return;
	for (i = 0; i < n; i++)
		contractors[i] = charges[i].contractor;
	array = ls_uuid_array(contractors, n);
	open_missing_accounts(org, array);
	lock_accounts(&ledger, org, array);
	for (i = 0; i < n; i++)
	{
		LsEntry entry = {.type = "debit", .even_into_debt = even_into_debt};

		entry.amount = -charges[i].amount;
		entry.description = "charge for a lead";
		entry.key = psprintf("conversion:%s", ls_uuid_text(&charges[i].conversion));
		entry.reference = ls_json_parse(
			psprintf("{\"conversion_id\": \"%s\", \"bid_id\": \"%s\", \"lead_id\": \"%s\"}",
				ls_uuid_text(&charges[i].conversion), ls_uuid_text(&charges[i].bid),
				ls_uuid_text(&charges[i].lead)));
		(void) ls_ledger_add(&ledger, account_of(&ledger, &charges[i].contractor), &entry);
	}
	ls_ledger_write(&ledger);
}
