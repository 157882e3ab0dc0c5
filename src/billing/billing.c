/*-------------------------------------------------------------------------
 *
 * billing.c
 *	  Init of the domain, and who may use it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "billing/billing.h"
#include "core/grants.h"

#define SUBSCRIPTION_COLUMNS \
	"organization_id, stripe_subscription_id, stripe_price_id, plan_name, amount, currency, status," \
	" current_period_start, current_period_end, cancel_at_period_end, cancelled_at"
#define FINANCIAL_COLUMNS \
	"organization_id, date, ad_spend, platform_fee, other_costs, leads_generated, leads_contacted," \
	" leads_quoted, leads_booked, leads_completed, leads_lost, revenue"
#define COST_COLUMNS \
	"organization_id, user_id, source, sub_source, period_month, total_cost, currency"

/* Accounts and the ledger are written by functions alone. */
static const LsGrant billing_grants[] = {
	{"budget_accounts", "SELECT", LS_LEVEL_READONLY, false},
	{"budget_accounts", "UPDATE (allow_overdraft)", LS_LEVEL_ADMIN, false},
	{"budget_transactions", "SELECT", LS_LEVEL_READONLY, false},
	{"budget_holds", "SELECT", LS_LEVEL_READONLY, false},
	{"subscriptions", "SELECT", LS_LEVEL_READONLY, false},
	{"subscriptions",
		"DELETE, INSERT (id, " SUBSCRIPTION_COLUMNS "), UPDATE (" SUBSCRIPTION_COLUMNS ")",
		LS_LEVEL_ADMIN, false},
	{"financials", "SELECT", LS_LEVEL_READONLY, false},
	{"financials", "DELETE, INSERT (id, " FINANCIAL_COLUMNS "), UPDATE (" FINANCIAL_COLUMNS ")",
		LS_LEVEL_MANAGER, false},
	{"lead_source_costs", "SELECT", LS_LEVEL_READONLY, false},
	{"lead_source_costs", "DELETE, INSERT (id, " COST_COLUMNS "), UPDATE (" COST_COLUMNS ")",
		LS_LEVEL_MANAGER, false},
	{"open_account(uuid, boolean)", "EXECUTE", LS_LEVEL_ADMIN, false},
	{"close_account(uuid)", "EXECUTE", LS_LEVEL_ADMIN, false},
	{"post_transaction(uuid, text, numeric, text, jsonb)", "EXECUTE", LS_LEVEL_ADMIN, false},
	{"hold_budget(uuid, numeric)", "EXECUTE", LS_LEVEL_MANAGER, false},
	{"place_hold(uuid, numeric, interval, text, jsonb)", "EXECUTE", LS_LEVEL_MANAGER, false},
	{"capture_hold(uuid, numeric)", "EXECUTE", LS_LEVEL_MANAGER, false},
	{"release_hold(uuid)", "EXECUTE", LS_LEVEL_MANAGER, false},
	{"release_expired_holds(integer)", "EXECUTE", LS_LEVEL_ADMIN, true},
	{"verify_ledger(uuid)", "EXECUTE", LS_LEVEL_READONLY, true},
	{"roi(numeric, numeric, text)", "EXECUTE", LS_LEVEL_READONLY, true},
	{"subscription_mrr()", "EXECUTE", LS_LEVEL_READONLY, true},
};

void
ls_billing_init(void)
{
	ls_grants_register(billing_grants, lengthof(billing_grants));
}
