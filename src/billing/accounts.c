/*-------------------------------------------------------------------------
 *
 * accounts.c
 *	  Budget accounts: opening, closing, finding.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "billing/internal.h"
#include "core/clock.h"
#include "core/input.h"
#include "core/tenant.h"
#include "core/uuid.h"

/*
 * The organisation of an account that the caller names.  A contractor has to do
 * with the own account alone.
 *
 * In a session with an organisation it is that one, and whether the account is
 * there turns out when it is locked or read: a look-up less for each transaction.
 */
void
ls_account_enter(const pg_uuid_t *account, LsRunMode mode, pg_uuid_t *org)
{
	LS_QUERY(query,
		"SELECT 1 FROM lead_system.budget_accounts"
		" WHERE organization_id = $1 AND id = $2 AND user_id = $3",
		UUIDOID, UUIDOID, UUIDOID);
	pg_uuid_t contractor;
	LsScope scope;
	LsArgs args = {0};
	bool is_own;

	if (!ls_current_org(org))
		ls_enter_org_of("budget_accounts", "budget account", account, mode, org);
	if (!ls_current_contractor(&contractor))
		return;
	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, account);
	ls_arg_uuid(&args, &contractor);
	ls_scope_open(&scope, LS_AS_OWNER);
	is_own = ls_query_run(&query, &args, mode) > 0;
	ls_scope_close(&scope);
	if (!is_own)
		ls_no_such_row("budget account", account);
}

/* What contractors owe, and what is held of them, is the organisation's to say. */
void
ls_account_refuse_contractor(void)
{
	pg_uuid_t contractor;

	if (ls_current_contractor(&contractor))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						   errmsg("a contractor must not change budget accounts")));
}

/* The open account of an organisation itself; false when there is none. */
bool
ls_account_of_organization(const pg_uuid_t *org, pg_uuid_t *account)
{
	LS_QUERY(query,
		"SELECT id FROM lead_system.budget_accounts"
		" WHERE organization_id = $1 AND closed_at IS NULL"
		"   AND coalesce(user_id, '00000000-0000-0000-0000-000000000000')"
		"       = '00000000-0000-0000-0000-000000000000'",
		UUIDOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, org);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		return false;
	*account = ls_result_uuid(0, 1);
	return true;
}

PG_FUNCTION_INFO_V1(ls_billing_open_account);

/* open_account(user_id, allow_overdraft) */
Datum
ls_billing_open_account(PG_FUNCTION_ARGS)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.budget_accounts (organization_id, user_id, currency, allow_overdraft)"
		" SELECT $1, $2, o.currency, $3 FROM lead_system.organizations o WHERE o.id = $1"
		" ON CONFLICT DO NOTHING RETURNING id",
		UUIDOID, UUIDOID, BOOLOID);
	pg_uuid_t *user = PG_ARGISNULL(0) ? NULL : PG_GETARG_UUID_P(0);
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));
	pg_uuid_t org;
	LsScope scope;
	LsArgs args = {0};
	bool is_new;

	ls_account_refuse_contractor();
	if (user != NULL)
		ls_enter_org_of("users", "user", user, LS_WRITE, &org);
	else
		ls_require_org(&org);
	ls_arg_uuid(&args, &org);
	ls_arg_uuid(&args, user);
	ls_arg_bool(&args, !PG_ARGISNULL(1) && PG_GETARG_BOOL(1));
	ls_scope_open(&scope, LS_AS_OWNER);
	is_new = ls_query_run(&query, &args, LS_WRITE) > 0;
	if (is_new)
		*id = ls_result_uuid(0, 1);
	ls_scope_close(&scope);
	if (!is_new)
		ereport(
			ERROR, (errcode(ERRCODE_UNIQUE_VIOLATION),
					   user ? errmsg("user \"%s\" has an open budget account", ls_uuid_text(user))
							: errmsg("the organization has an open budget account"),
					   errhint("Use that one; it is in budget_accounts.")));
	PG_RETURN_UUID_P(id);
}

PG_FUNCTION_INFO_V1(ls_billing_close_account);

/* close_account(account_id) */
Datum
ls_billing_close_account(PG_FUNCTION_ARGS)
{
	LS_QUERY(query,
		"UPDATE lead_system.budget_accounts SET closed_at = $3"
		" WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID, TIMESTAMPTZOID);
	pg_uuid_t org;
	LsLedger ledger;
	LsScope scope;
	LsArgs args = {0};

	LS_REQUIRE_ARG(0, "account_id");
	ls_account_enter(PG_GETARG_UUID_P(0), LS_WRITE, &org);
	ls_account_refuse_contractor();
	ls_arg_uuid(&args, &org);
	ls_arg_uuid(&args, PG_GETARG_UUID_P(0));
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_ledger_open(&ledger, &org, PG_GETARG_UUID_P(0));
	if (!ledger.accounts[0].is_closed)
	{
		LsAccount *account = &ledger.accounts[0];

		ls_holds_release_expired(&ledger, account, 0);
		if (account->balance != 0 || account->held != 0)
			ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
							   errmsg("the budget account is not empty"),
							   errdetail("It has a balance of %s, of which %s is held.",
								   ls_cents_text(account->balance), ls_cents_text(account->held)),
							   errhint("Pay the balance out, or settle it, with an adjustment.")));
		ls_ledger_write(&ledger);
		(void) ls_query_run(&query, &args, LS_WRITE);
	}
	ls_scope_close(&scope);
	PG_RETURN_VOID();
}
