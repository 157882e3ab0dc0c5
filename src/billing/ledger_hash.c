/*-------------------------------------------------------------------------
 *
 * ledger_hash.c
 *	  What is hashed of a row of budget_transactions.
 *
 *	  The bytes depend on nothing but the values: amounts are counted in
 *	  hundredths, texts are in UTF-8, and what is NULL is left out, so that a
 *	  column that a later version adds leaves old hashes as they are.
 *	  docs/billing.md describes the form; it is not changed any more.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "port/pg_bswap.h"

#include "lead_system.h"
#include "billing/internal.h"
#include "core/json.h"

/* Add an identifier. */
static void
hash_uuid(LsHash *hash, const char *name, const pg_uuid_t *value)
{
	if (value != NULL)
		ls_hash_field(hash, name, value->data, UUID_LEN);
}

/* Add a number: 8 bytes, the highest first. */
static void
hash_int64(LsHash *hash, const char *name, int64 value)
{
	uint64 bytes = pg_hton64((uint64) value);

	ls_hash_field(hash, name, &bytes, sizeof(bytes));
}

/* Add a text, in UTF-8 whatever the database's encoding. */
static void
hash_text(LsHash *hash, const char *name, const char *value)
{
	char *utf8;

	if (value == NULL)
		return;
	utf8 = pg_server_to_any(value, strlen(value), PG_UTF8);
	ls_hash_field(hash, name, utf8, strlen(utf8));
	if (utf8 != value)
		pfree(utf8);
}

/* The hash of a row that comes after the row with the hash "previous". */
void
ls_ledger_row_hash(LsHash *hash, const uint8 *previous, const LsLedgerRow *row, uint8 *result)
{
	const LsEntry *entry = row->entry;

	ls_hash_begin(hash);
	ls_hash_bytes(hash, previous, LS_HASH_SIZE);
	hash_uuid(hash, "organization_id", row->org);
	hash_uuid(hash, "id", &entry->id);
	hash_uuid(hash, "account_id", row->account);
	hash_uuid(hash, "user_id", row->user);
	hash_int64(hash, "sequence", entry->sequence);
	hash_text(hash, "transaction_type", entry->type);
	hash_int64(hash, "amount", entry->amount);
	hash_int64(hash, "balance_before", entry->balance_before);
	hash_int64(hash, "balance_after", entry->balance_before + entry->amount);
	hash_int64(hash, "held_change", entry->held_change);
	hash_int64(hash, "held_after", entry->held_after);
	hash_uuid(hash, "hold_id", entry->hold);
	hash_uuid(hash, "refund_of", entry->refund_of);
	hash_uuid(hash, "call_id", entry->call);
	hash_uuid(hash, "sms_id", entry->sms);
	hash_text(hash, "description", entry->description);
	hash_text(hash, "reference", entry->reference ? ls_json_text(entry->reference) : "{}");
	hash_text(hash, "idempotency_key", entry->key);
	hash_uuid(hash, "created_by", row->created_by);
	hash_int64(hash, "created_at", row->created_at);
	ls_hash_end(hash, result);
}
