/*-------------------------------------------------------------------------
 *
 * verify.c
 *	  verify_ledger(): is the ledger of an account whole?
 *
 *	  The rows are walked in their order.  Each must have the next number, begin
 *	  at the balance at which the one before ended, and have the hash that
 *	  follows from the hash before and from its fields as they stand now.  The
 *	  row of the account must be where the walk ends, or rows were cut off.  All
 *	  is read with the one snapshot of the calling statement.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "billing/internal.h"
#include "core/input.h"
#include "core/tenant.h"
#include "core/uuid.h"

#define PAGE_ROWS 5000

/* How far the walk has come. */
typedef struct Walk
{
	pg_uuid_t org;
	LsAccount account; /* as its row says */
	int64 sequence;
	LsCents balance;
	LsCents held;
	uint8 hash[LS_HASH_SIZE];
	LsHash state;
	char *problem; /* NULL: none */
	int64 broken_at;
} Walk;

/* Note what is wrong, and where. */
static void
note(Walk *walk, int64 at, char *problem)
{
	walk->broken_at = at;
	walk->problem = problem;
}

/* Read the row of the account. */
static void
read_account(Walk *walk, const pg_uuid_t *id)
{
	LS_QUERY(query,
		"SELECT (balance * 100)::bigint, (held * 100)::bigint, last_sequence, last_hash"
		"  FROM lead_system.budget_accounts WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID);
	LsArgs args = {0};
	bool isnull;

	ls_arg_uuid(&args, &walk->org);
	ls_arg_uuid(&args, id);
	if (ls_query_run(&query, &args, LS_READ) == 0)
		ls_no_such_row("budget account", id);
	walk->account.id = *id;
	walk->account.balance = ls_result_int64(0, 1);
	walk->account.held = ls_result_int64(0, 2);
	walk->account.sequence = ls_result_int64(0, 3);
	memcpy(
		walk->account.hash, VARDATA_ANY(DatumGetByteaPP(ls_result(0, 4, &isnull))), LS_HASH_SIZE);
}

/* A uuid in a result, or NULL. */
static const pg_uuid_t *
optional_uuid(uint64 row, int column)
{
	bool isnull;
	Datum value = ls_result(row, column, &isnull);

	return isnull ? NULL : DatumGetUUIDP(value);
}

/* A text in a result, or NULL. */
static char *
optional_text(uint64 row, int column)
{
	return ls_result_isnull(row, column) ? NULL : ls_result_text(row, column);
}

/* Is the hash of a row the one that it must have? */
static bool
hash_holds(Walk *walk, uint64 row, LsEntry *entry)
{
	LsLedgerRow fields = {.org = &walk->org, .account = &walk->account.id, .entry = entry};
	uint8 computed[LS_HASH_SIZE];
	bool isnull;
	Datum stored = ls_result(row, 19, &isnull);
	Datum reference = ls_result(row, 14, &isnull);

	entry->id = ls_result_uuid(row, 2);
	fields.user = optional_uuid(row, 3);
	entry->type = ls_result_text(row, 4);
	entry->hold = optional_uuid(row, 9);
	entry->refund_of = optional_uuid(row, 10);
	entry->call = optional_uuid(row, 11);
	entry->sms = optional_uuid(row, 12);
	entry->description = optional_text(row, 13);
	entry->reference = isnull ? NULL : DatumGetJsonbP(reference);
	entry->key = optional_text(row, 15);
	fields.created_by = optional_uuid(row, 16);
	fields.created_at = ls_result_timestamptz(row, 17);
	ls_ledger_row_hash(&walk->state, walk->hash, &fields, computed);
	memcpy(walk->hash, computed, LS_HASH_SIZE);
	return memcmp(VARDATA_ANY(DatumGetByteaPP(stored)), computed, LS_HASH_SIZE) == 0;
}

/* Look at a row. */
static void
check_row(Walk *walk, uint64 row)
{
	LsEntry entry = {.sequence = ls_result_int64(row, 1),
		.amount = ls_result_int64(row, 5),
		.balance_before = ls_result_int64(row, 6),
		.held_change = ls_result_int64(row, 7),
		.held_after = ls_result_int64(row, 8)};
	LsCents balance_after = ls_result_int64(row, 18);
	int64 expected = walk->sequence + 1;

	if (entry.sequence > expected)
		note(walk, expected, psprintf("transaction " INT64_FORMAT " is missing", expected));
	else if (entry.sequence < expected)
		note(walk, entry.sequence,
			psprintf("there is a second transaction " INT64_FORMAT, entry.sequence));
	else if (!hash_holds(walk, row, &entry))
		note(walk, expected,
			psprintf("transaction " INT64_FORMAT
					 " does not have its hash: it was changed, moved or put in",
				expected));
	else if (entry.balance_before != walk->balance ||
			 balance_after != walk->balance + entry.amount ||
			 entry.held_after != walk->held + entry.held_change)
		note(walk, expected,
			psprintf(
				"transaction " INT64_FORMAT " does not follow from the balance before", expected));
	walk->sequence = expected;
	walk->balance = balance_after;
	walk->held = entry.held_after;
}

/* Walk over the rows. */
static void
walk_rows(Walk *walk)
{
	LS_QUERY(query,
		"SELECT sequence, id, user_id, transaction_type, (amount * 100)::bigint,"
		"       (balance_before * 100)::bigint, (held_change * 100)::bigint,"
		"       (held_after * 100)::bigint, hold_id, refund_of, call_id, sms_id, description,"
		"       reference, idempotency_key, created_by, created_at,"
		"       (balance_after * 100)::bigint, row_hash"
		"  FROM lead_system.budget_transactions"
		" WHERE organization_id = $1 AND account_id = $2 ORDER BY sequence",
		UUIDOID, UUIDOID);
	MemoryContext page =
		AllocSetContextCreate(CurrentMemoryContext, "page of a ledger", ALLOCSET_DEFAULT_SIZES);
	LsArgs args = {0};
	Portal portal;

	ls_arg_uuid(&args, &walk->org);
	ls_arg_uuid(&args, &walk->account.id);
	portal = ls_query_open(&query, &args, LS_READ);
	do
	{
		MemoryContext caller;
		uint64 row;

		SPI_cursor_fetch(portal, true, PAGE_ROWS);
		caller = MemoryContextSwitchTo(page);
		for (row = 0; row < SPI_processed && walk->problem == NULL; row++)
			check_row(walk, row);
		MemoryContextSwitchTo(caller);
		SPI_freetuptable(SPI_tuptable);
		if (walk->problem == NULL)
			MemoryContextReset(page);
	} while (SPI_processed > 0 && walk->problem == NULL);
	SPI_cursor_close(portal);
}

/* What do the open holds of the account add up to? */
static LsCents
open_holds(const Walk *walk)
{
	LS_QUERY(query,
		"SELECT coalesce((sum(amount) * 100)::bigint, 0) FROM lead_system.budget_holds"
		" WHERE organization_id = $1 AND account_id = $2 AND status = 'held'",
		UUIDOID, UUIDOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &walk->org);
	ls_arg_uuid(&args, &walk->account.id);
	(void) ls_query_run(&query, &args, LS_READ);
	return ls_result_int64(0, 1);
}

/* Does the account stand where its ledger ends? */
static void
check_end(Walk *walk)
{
	const LsAccount *account = &walk->account;
	LsCents held = open_holds(walk);

	if (walk->sequence < account->sequence)
		note(walk, walk->sequence + 1,
			psprintf("the ledger is cut off after " INT64_FORMAT " of " INT64_FORMAT
					 " transactions",
				walk->sequence, account->sequence));
	else if (walk->sequence > account->sequence)
		note(walk, account->sequence + 1,
			psprintf("transaction " INT64_FORMAT
					 " is not the account's, which ends at " INT64_FORMAT,
				account->sequence + 1, account->sequence));
	else if (memcmp(walk->hash, account->hash, LS_HASH_SIZE) != 0)
		note(walk, walk->sequence, pstrdup("the account has not the hash of its last transaction"));
	else if (walk->balance != account->balance || walk->held != account->held)
		note(walk, walk->sequence,
			psprintf(
				"the account has a balance of %s, of which %s is held; its ledger ends with %s and %s",
				ls_cents_text(account->balance), ls_cents_text(account->held),
				ls_cents_text(walk->balance), ls_cents_text(walk->held)));
	else if (held != account->held)
		note(walk, walk->sequence,
			psprintf("%s of the account is held, but its open holds add up to %s",
				ls_cents_text(account->held), ls_cents_text(held)));
}

PG_FUNCTION_INFO_V1(ls_billing_verify_ledger);

/* verify_ledger(account_id) */
Datum
ls_billing_verify_ledger(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Walk walk = {0};
	LsScope scope;
	Datum values[3] = {0};
	bool nulls[3] = {false, true, true};

	LS_REQUIRE_ARG(0, "account_id");
	ls_account_enter(PG_GETARG_UUID_P(0), LS_READ, &walk.org);
	InitMaterializedSRF(fcinfo, 0);
	ls_hash_open(&walk.state);
	ls_scope_open(&scope, LS_AS_OWNER);
	read_account(&walk, PG_GETARG_UUID_P(0));
	walk_rows(&walk);
	if (walk.problem == NULL)
		check_end(&walk);
	values[0] = BoolGetDatum(walk.problem == NULL);
	if (walk.problem != NULL)
	{
		values[1] = Int64GetDatum(walk.broken_at);
		values[2] = CStringGetTextDatum(walk.problem);
		nulls[1] = nulls[2] = false;
	}
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	ls_scope_close(&scope);
	ls_hash_close(&walk.state);
	return (Datum) 0;
}
