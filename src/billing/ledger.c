/*-------------------------------------------------------------------------
 *
 * ledger.c
 *	  The ledger: accounts that are locked, entries that are judged and
 *	  written.
 *
 *	  Everything that an account is about is in its row: balance, what is held,
 *	  number and hash of the last transaction.  Who adds to an account locks that
 *	  row until the transaction ends, so there is one order of transactions, no
 *	  gap in their numbers when one is rolled back, and no overdraft whatever
 *	  runs at the same time.  In REPEATABLE READ the lock of a row that was
 *	  changed meanwhile fails with 40001, and nothing is judged by an old balance.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "billing/internal.h"
#include "core/clock.h"
#include "core/growth.h"
#include "core/json.h"
#include "core/tenant.h"
#include "core/uuid.h"

/* An amount for a message. */
char *
ls_cents_text(LsCents cents)
{
	uint64 size = cents < 0 ? -(uint64) cents : (uint64) cents;

	return psprintf(
		"%s" UINT64_FORMAT ".%02d", cents < 0 ? "-" : "", size / 100, (int) (size % 100));
}

/* What can be spent of an account. */
LsCents
ls_available(const LsAccount *account)
{
	return account->balance - account->held;
}

/* Take over the accounts that a query has locked. */
static void
read_accounts(LsLedger *ledger, uint64 n)
{
	uint64 row;
	bool isnull;

	ledger->accounts = palloc0(sizeof(LsAccount) * Max(n, 1));
	ledger->n_accounts = (int) n;
	for (row = 0; row < n; row++)
	{
		LsAccount *account = &ledger->accounts[row];

		account->id = ls_result_uuid(row, 1);
		account->has_user = !ls_result_isnull(row, 2);
		if (account->has_user)
			account->user = ls_result_uuid(row, 2);
		account->balance = ls_result_int64(row, 3);
		account->held = ls_result_int64(row, 4);
		account->allow_overdraft = ls_result_bool(row, 5);
		account->is_closed = ls_result_bool(row, 6);
		account->sequence = ls_result_int64(row, 7);
		memcpy(
			account->hash, VARDATA_ANY(DatumGetByteaPP(ls_result(row, 8, &isnull))), LS_HASH_SIZE);
	}
}

#define SELECT_ACCOUNTS \
	"SELECT id, user_id, (balance * 100)::bigint, (held * 100)::bigint, allow_overdraft," \
	"       closed_at IS NOT NULL, last_sequence, last_hash" \
	"  FROM lead_system.budget_accounts WHERE organization_id = $1 AND id "

/* Lock accounts, in the order of their ids. */
void
ls_ledger_lock(LsLedger *ledger, const pg_uuid_t *org, const pg_uuid_t *ids, int n)
{
	LS_QUERY(one, SELECT_ACCOUNTS "= $2 FOR NO KEY UPDATE", UUIDOID, UUIDOID);
	LS_QUERY_ARRAY(
		many, SELECT_ACCOUNTS "= ANY ($2) ORDER BY id FOR NO KEY UPDATE", UUIDOID, UUIDARRAYOID);
	LsArgs args = {0};

	memset(ledger, 0, sizeof(LsLedger));
	ledger->org = *org;
	ledger->now = ls_clock_now();
	ledger->has_user = ls_current_user(&ledger->user);
	ls_arg_uuid(&args, org);
	if (n == 1)
		ls_arg_uuid(&args, ids);
	else
		ls_arg_datum(&args, ls_uuid_array(ids, n), false);
	read_accounts(ledger, ls_query_run(n == 1 ? &one : &many, &args, LS_WRITE));
}

/* Lock one account that must be there. */
void
ls_ledger_open(LsLedger *ledger, const pg_uuid_t *org, const pg_uuid_t *account)
{
	ls_ledger_lock(ledger, org, account, 1);
	if (ledger->n_accounts == 0)
		ls_no_such_row("budget account", account);
}

/* One of the accounts. */
LsAccount *
ls_ledger_account(LsLedger *ledger, const pg_uuid_t *id)
{
	int i;

	for (i = 0; i < ledger->n_accounts; i++)
	{
		if (ls_uuid_equal(&ledger->accounts[i].id, id))
			return &ledger->accounts[i];
	}
	ls_no_such_row("budget account", id);
}

/* Refuse to spend what is not there. */
static void
refuse_overdraft(const LsAccount *account, const LsEntry *entry)
{
	LsCents wanted = entry->held_change > 0 ? entry->held_change : -entry->amount;

	ereport(
		ERROR, (errcode(LS_ERRCODE_NO_BUDGET),
				   errmsg("insufficient budget: %s is wanted, %s can be spent",
					   ls_cents_text(wanted), ls_cents_text(ls_available(account))),
				   errdetail("The account has a balance of %s, of which %s is held.",
					   ls_cents_text(account->balance), ls_cents_text(account->held)),
				   errhint("Credit the account, or let it be overdrawn: set allow_overdraft.")));
}

/* May the entry be made?  Holds whose time is over make room first. */
static void
judge(LsLedger *ledger, LsAccount *account, const LsEntry *entry)
{
	LsCents less = entry->held_change - entry->amount;

	if (account->is_closed)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("the budget account is closed")));
	if (less > 0 && less > ls_available(account) && !account->allow_overdraft &&
		!entry->even_into_debt)
	{
		ls_holds_release_expired(ledger, account, 0);
		if (less > ls_available(account))
			refuse_overdraft(account, entry);
	}
	if (account->balance + entry->amount > LS_MAX_CENTS ||
		account->balance + entry->amount < -LS_MAX_CENTS ||
		account->held + entry->held_change > LS_MAX_CENTS)
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						   errmsg("the balance would be out of range"),
						   errdetail("Balances are from -%s to %s.", ls_cents_text(LS_MAX_CENTS),
							   ls_cents_text(LS_MAX_CENTS))));
}

/* Room for one more entry. */
static LsEntry *
new_entry(LsLedger *ledger)
{
	if (ledger->entries == NULL)
	{
		ledger->capacity = 8;
		ledger->entries = palloc(sizeof(LsEntry) * ledger->capacity);
	}
	else if (ledger->n_entries == ledger->capacity)
	{
		ledger->capacity *= 2;
		ledger->entries = repalloc_huge(ledger->entries, sizeof(LsEntry) * ledger->capacity);
	}
	return &ledger->entries[ledger->n_entries++];
}

/*
 * Add an entry to an account, or refuse it.  The result is valid until the next
 * one is added; what the entry points at must stay until it is written.
 */
LsEntry *
ls_ledger_add(LsLedger *ledger, LsAccount *account, const LsEntry *entry)
{
	static const pg_uuid_t none = {{0}};
	LsLedgerRow row = {.org = &ledger->org, .account = &account->id, .created_at = ledger->now};
	LsEntry *added;

	judge(ledger, account, entry);
	added = new_entry(ledger);
	*added = *entry;
	if (ls_uuid_equal(&added->id, &none))
		ls_uuid_v7(&added->id);
	added->account = account;
	added->sequence = ++account->sequence;
	added->balance_before = account->balance;
	account->balance += entry->amount;
	account->held += entry->held_change;
	added->held_after = account->held;

	row.user = account->has_user ? &account->user : NULL;
	row.created_by = ledger->has_user ? &ledger->user : NULL;
	row.entry = added;
	if (ledger->hash.ctx == NULL)
		ls_hash_open(&ledger->hash);
	ls_ledger_row_hash(&ledger->hash, account->hash, &row, added->hash);
	memcpy(account->hash, added->hash, LS_HASH_SIZE);
	return added;
}

/* A hash as a bytea. */
static Datum
hash_datum(const uint8 *hash)
{
	bytea *result = palloc(VARHDRSZ + LS_HASH_SIZE);

	SET_VARSIZE(result, VARHDRSZ + LS_HASH_SIZE);
	memcpy(VARDATA(result), hash, LS_HASH_SIZE);
	return PointerGetDatum(result);
}

/* A value of the array that an argument is made of. */
typedef struct Column
{
	Oid type;
	int16 len;
	bool byval;
	char align;
	Datum (*value)(const LsEntry *entry, bool *isnull);
} Column;

/* clang-format off */
#define VALUE_OF(name) static Datum name(const LsEntry *entry, bool *isnull)
#define OPTIONAL_UUID(pointer) \
	{ *isnull = (pointer) == NULL; return UUIDPGetDatum(pointer); }
#define OPTIONAL_TEXT(pointer) \
	{ *isnull = (pointer) == NULL; return *isnull ? (Datum) 0 : CStringGetTextDatum(pointer); }

VALUE_OF(value_id) { return UUIDPGetDatum(&entry->id); }
VALUE_OF(value_account) { return UUIDPGetDatum(&entry->account->id); }
VALUE_OF(value_user) OPTIONAL_UUID(entry->account->has_user ? &entry->account->user : NULL)
VALUE_OF(value_sequence) { return Int64GetDatum(entry->sequence); }
VALUE_OF(value_type) { return CStringGetTextDatum(entry->type); }
VALUE_OF(value_amount) { return Int64GetDatum(entry->amount); }
VALUE_OF(value_before) { return Int64GetDatum(entry->balance_before); }
VALUE_OF(value_change) { return Int64GetDatum(entry->held_change); }
VALUE_OF(value_held) { return Int64GetDatum(entry->held_after); }
VALUE_OF(value_hold) OPTIONAL_UUID(entry->hold)
VALUE_OF(value_refund) OPTIONAL_UUID(entry->refund_of)
VALUE_OF(value_call) OPTIONAL_UUID(entry->call)
VALUE_OF(value_sms) OPTIONAL_UUID(entry->sms)
VALUE_OF(value_description) OPTIONAL_TEXT(entry->description)
VALUE_OF(value_reference) { *isnull = entry->reference == NULL; return JsonbPGetDatum(entry->reference); }
VALUE_OF(value_key) OPTIONAL_TEXT(entry->key)
VALUE_OF(value_hash) { return hash_datum(entry->hash); }

#define UUID_COLUMN(value) {UUIDOID, UUID_LEN, false, TYPALIGN_CHAR, value}
#define INT_COLUMN(value) {INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, value}
#define TEXT_COLUMN(value) {TEXTOID, -1, false, TYPALIGN_INT, value}

/* In the order of the parameters of the INSERT. */
static const Column columns[] = {
	UUID_COLUMN(value_id), UUID_COLUMN(value_account), UUID_COLUMN(value_user),
	INT_COLUMN(value_sequence), TEXT_COLUMN(value_type), INT_COLUMN(value_amount),
	INT_COLUMN(value_before), INT_COLUMN(value_change), INT_COLUMN(value_held),
	UUID_COLUMN(value_hold), UUID_COLUMN(value_refund), UUID_COLUMN(value_call),
	UUID_COLUMN(value_sms), TEXT_COLUMN(value_description),
	{JSONBOID, -1, false, TYPALIGN_INT, value_reference}, TEXT_COLUMN(value_key),
	{BYTEAOID, -1, false, TYPALIGN_INT, value_hash}};
/* clang-format on */

/* The values of all entries in one column, as an array. */
static Datum
column_array(const LsLedger *ledger, const Column *column)
{
	Datum *values = palloc(sizeof(Datum) * Max(ledger->n_entries, 1));
	bool *nulls = palloc0(sizeof(bool) * Max(ledger->n_entries, 1));
	int n = ledger->n_entries;
	int lower = 1;
	int i;

	for (i = 0; i < n; i++)
		values[i] = column->value(&ledger->entries[i], &nulls[i]);
	return PointerGetDatum(construct_md_array(
		values, nulls, 1, &n, &lower, column->type, column->len, column->byval, column->align));
}

/* The columns that are written, and the values of an entry. */
#define INSERT_ENTRIES \
	"INSERT INTO lead_system.budget_transactions (organization_id, id, account_id, user_id," \
	"       sequence, transaction_type, amount, balance_before, balance_after, held_change," \
	"       held_after, hold_id, refund_of, call_id, sms_id, description, reference," \
	"       idempotency_key, row_hash, created_by, created_at)"

/* Add the parameters that are the same for all entries. */
static void
add_common_args(const LsLedger *ledger, LsArgs *args)
{
	ls_arg_uuid(args, &ledger->org);
	ls_arg_uuid(args, ledger->has_user ? &ledger->user : NULL);
	ls_arg_timestamptz(args, ledger->now);
}

/*
 * Write one entry, which is what most transactions have, and its account, which
 * then stands where the entry ends: one statement, while others wait for the row.
 */
static void
write_entry(const LsLedger *ledger)
{
	LS_QUERY(query,
		"WITH account AS (UPDATE lead_system.budget_accounts"
		"     SET balance = ($7 + $6) * 0.01, held = $9 * 0.01, last_sequence = $4, last_hash = $17"
		"   WHERE organization_id = $18 AND id = $2) " INSERT_ENTRIES
		" VALUES ($18, $1, $2, $3, $4, $5, $6 * 0.01, $7 * 0.01, ($7 + $6) * 0.01, $8 * 0.01,"
		"         $9 * 0.01, $10, $11, $12, $13, $14, coalesce($15, '{}'), $16, $17, $19, $20)",
		UUIDOID, UUIDOID, UUIDOID, INT8OID, TEXTOID, INT8OID, INT8OID, INT8OID, INT8OID, UUIDOID,
		UUIDOID, UUIDOID, UUIDOID, TEXTOID, JSONBOID, TEXTOID, BYTEAOID, UUIDOID, UUIDOID,
		TIMESTAMPTZOID);
	LsArgs args = {0};
	int i;

	for (i = 0; i < (int) lengthof(columns); i++)
	{
		bool isnull = false;
		Datum value = columns[i].value(&ledger->entries[0], &isnull);

		ls_arg_datum(&args, value, isnull);
	}
	add_common_args(ledger, &args);
	(void) ls_query_run(&query, &args, LS_WRITE);
}

/* Write the entries. */
static void
write_entries(const LsLedger *ledger)
{
	LS_QUERY(query,
		INSERT_ENTRIES
		" SELECT $18, u.id, u.account_id, u.user_id, u.sequence, u.type, u.amount * 0.01,"
		"        u.before * 0.01, (u.before + u.amount) * 0.01, u.change * 0.01, u.held * 0.01,"
		"        u.hold, u.refund, u.call, u.sms, u.description, coalesce(u.reference, '{}'),"
		"        u.key, u.hash, $19, $20"
		"   FROM ROWS FROM (unnest($1), unnest($2), unnest($3), unnest($4), unnest($5),"
		"        unnest($6), unnest($7), unnest($8), unnest($9), unnest($10), unnest($11),"
		"        unnest($12), unnest($13), unnest($14), unnest($15), unnest($16), unnest($17))"
		"        u(id, account_id, user_id, sequence, type, amount, before, change, held, hold,"
		"          refund, call, sms, description, reference, key, hash)",
		UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID, INT8ARRAYOID, TEXTARRAYOID, INT8ARRAYOID,
		INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID,
		UUIDARRAYOID, TEXTARRAYOID, JSONBARRAYOID, TEXTARRAYOID, BYTEAARRAYOID, UUIDOID, UUIDOID,
		TIMESTAMPTZOID);
	LsArgs args = {0};
	int i;

	for (i = 0; i < (int) lengthof(columns); i++)
		ls_arg_datum(&args, column_array(ledger, &columns[i]), false);
	add_common_args(ledger, &args);
	(void) ls_query_run(&query, &args, LS_WRITE);
}

/* Write the accounts: the state after the last entry of each. */
static void
write_accounts(const LsLedger *ledger)
{
	LS_QUERY_ARRAY(query,
		"UPDATE lead_system.budget_accounts a"
		"   SET balance = u.balance * 0.01, held = u.held * 0.01, last_sequence = u.sequence,"
		"       last_hash = u.hash"
		"  FROM ROWS FROM (unnest($2), unnest($3), unnest($4), unnest($5), unnest($6))"
		"       u(id, balance, held, sequence, hash)"
		" WHERE a.organization_id = $1 AND a.id = u.id",
		UUIDOID, UUIDARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, BYTEAARRAYOID);
	int n = ledger->n_accounts;
	Datum *values = palloc(sizeof(Datum) * n * 5);
	LsArgs args = {0};
	int i;

	for (i = 0; i < n; i++)
	{
		const LsAccount *account = &ledger->accounts[i];

		values[i] = UUIDPGetDatum(&account->id);
		values[n + i] = Int64GetDatum(account->balance);
		values[2 * n + i] = Int64GetDatum(account->held);
		values[3 * n + i] = Int64GetDatum(account->sequence);
		values[4 * n + i] = hash_datum(account->hash);
	}
	ls_arg_uuid(&args, &ledger->org);
	ls_arg_datum(&args,
		PointerGetDatum(construct_array(values, n, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR)),
		false);
	for (i = 1; i < 4; i++)
		ls_arg_datum(&args,
			PointerGetDatum(
				construct_array(values + i * n, n, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)),
			false);
	ls_arg_datum(&args,
		PointerGetDatum(construct_array(values + 4 * n, n, BYTEAOID, -1, false, TYPALIGN_INT)),
		false);
	(void) ls_query_run(&query, &args, LS_WRITE);
}

/* Plans that were made while a table was small are not kept when it has grown. */
void
ls_ledger_grows(const char *relname)
{
	Relation rel = table_open(ls_relation_oid(relname, false), AccessShareLock);

	ls_plans_follow_growth(rel);
	table_close(rel, NoLock);
}

/* Write all that was added. */
void
ls_ledger_write(LsLedger *ledger)
{
	if (ledger->n_entries == 0)
		return;
	if (ledger->n_entries == 1)
		write_entry(ledger);
	else
	{
		write_entries(ledger);
		write_accounts(ledger);
	}
	ls_hash_close(&ledger->hash);
	ls_ledger_grows("budget_transactions");
	ls_ledger_grows("budget_accounts");
	ledger->n_entries = 0;
}
