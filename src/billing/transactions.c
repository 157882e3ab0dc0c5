/*-------------------------------------------------------------------------
 *
 * transactions.c
 *	  post_transaction(): debits, credits, refunds and adjustments (semantics
 *	  E1 to E3).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "billing/internal.h"
#include "core/input.h"
#include "core/tenant.h"
#include "core/uuid.h"

/* The types that can be posted by name; holds have functions of their own. */
static const char *
type_by_name(const char *name)
{
	static const char *const known[] = {"debit", "credit", "refund", "adjustment"};
	static const char *const of_holds[] = {"hold", "capture", "release"};
	int i;

	for (i = 0; i < (int) lengthof(known); i++)
	{
		if (strcmp(known[i], name) == 0)
			return known[i];
	}
	for (i = 0; i < (int) lengthof(of_holds); i++)
	{
		if (strcmp(of_holds[i], name) == 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							   errmsg("a %s is not posted by its type", name),
							   errhint("Use hold_budget(), capture_hold() or release_hold().")));
	}
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					   errmsg("unrecognized transaction type \"%s\"", name),
					   errhint("Types are: debit, credit, refund, adjustment.")));
}

/* Amounts are signed (E1). */
static void
check_sign(const LsEntry *entry)
{
	bool is_debit = strcmp(entry->type, "debit") == 0;

	if (entry->amount == 0)
		ereport(
			ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("amount must not be zero")));
	if (strcmp(entry->type, "adjustment") != 0 && is_debit != (entry->amount < 0))
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("the amount of a %s must be %s", entry->type,
					is_debit ? "negative" : "positive"),
				errdetail("It is %s.", ls_cents_text(entry->amount)),
				errhint("Amounts are signed: debits below zero, credits and refunds above.")));
}

/*
 * A refund gives back a debit of the same account, at most its amount, and once
 * (E3).  The account is locked, so no other refund can be on its way.
 */
static void
check_refund(const LsLedger *ledger, const LsEntry *entry)
{
	LS_QUERY(query,
		"SELECT (t.amount * 100)::bigint, r.id, t.account_id = $3 FROM lead_system.budget_transactions t"
		"  LEFT JOIN lead_system.budget_transactions r ON r.organization_id = $1 AND r.refund_of = t.id"
		" WHERE t.organization_id = $1 AND t.id = $2",
		UUIDOID, UUIDOID, UUIDOID);
	LsArgs args = {0};
	LsCents amount;

	if ((strcmp(entry->type, "refund") == 0) != (entry->refund_of != NULL))
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("a refund, and nothing else, says in reference which debit it gives back"),
				errhint("Pass {\"refund_of\": \"<id of the transaction>\"}.")));
	if (entry->refund_of == NULL)
		return;
	ls_arg_uuid(&args, &ledger->org);
	ls_arg_uuid(&args, entry->refund_of);
	ls_arg_uuid(&args, &ledger->accounts[0].id);
	if (ls_query_run(&query, &args, LS_WRITE) == 0 || !ls_result_bool(0, 3))
		ls_no_such_row("transaction of the account", entry->refund_of);
	amount = ls_result_int64(0, 1);
	if (!ls_result_isnull(0, 2))
	{
		pg_uuid_t refund = ls_result_uuid(0, 2);

		ereport(ERROR, (errcode(LS_ERRCODE_REFUND), errmsg("the transaction has been refunded"),
						   errdetail("Transaction \"%s\" did so.", ls_uuid_text(&refund))));
	}
	if (amount >= 0 || entry->amount > -amount)
		ereport(ERROR,
			(errcode(LS_ERRCODE_REFUND),
				errmsg("a refund of %s is more than was taken", ls_cents_text(entry->amount)),
				errdetail("The transaction took %s.", ls_cents_text(amount < 0 ? -amount : 0))));
}

PG_FUNCTION_INFO_V1(ls_billing_post_transaction);

/* post_transaction(account_id, transaction_type, amount, description, reference) */
Datum
ls_billing_post_transaction(PG_FUNCTION_ARGS)
{
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));
	LsEntry entry = {0};
	LsLedger ledger;
	pg_uuid_t org;
	LsScope scope;

	LS_REQUIRE_ARG(0, "account_id");
	LS_REQUIRE_ARG(1, "transaction_type");
	LS_REQUIRE_ARG(2, "amount");
	entry.type = type_by_name(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	entry.amount = ls_cents(PG_GETARG_DATUM(2), "amount");
	entry.description = PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3));
	check_sign(&entry);
	ls_account_enter(PG_GETARG_UUID_P(0), LS_WRITE, &org);
	ls_account_refuse_contractor();
	ls_reference_read(PG_ARGISNULL(4) ? NULL : PG_GETARG_JSONB_P(4), &org, &entry);

	ls_scope_open(&scope, LS_AS_OWNER);
	ls_ledger_open(&ledger, &org, PG_GETARG_UUID_P(0));
	if (!ls_reference_repeated(&ledger, &entry, id))
	{
		check_refund(&ledger, &entry);
		*id = ls_ledger_add(&ledger, &ledger.accounts[0], &entry)->id;
		ls_ledger_write(&ledger);
	}
	ls_scope_close(&scope);
	PG_RETURN_UUID_P(id);
}
