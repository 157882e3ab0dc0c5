/*-------------------------------------------------------------------------
 *
 * internal.h
 *	  What the files of billing share among themselves: a ledger in the hand.
 *
 *	  ls_ledger_open() or ls_ledger_lock() locks accounts, ls_ledger_add() adds
 *	  entries to them in memory and judges each, ls_ledger_write() writes all of
 *	  them with one statement per table.  All of it happens inside one scope of
 *	  core/query.h, as the owner.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_BILLING_INTERNAL_H
#define LS_BILLING_INTERNAL_H

#include "utils/jsonb.h"

#include "billing/billing.h"
#include "core/hash.h"
#include "core/query.h"

#define LS_MAX_CENTS INT64CONST(999999999999)

/* An account that is locked. */
typedef struct LsAccount
{
	pg_uuid_t id;
	bool has_user;
	pg_uuid_t user;
	LsCents balance;
	LsCents held;
	bool allow_overdraft;
	bool is_closed;
	int64 sequence;
	uint8 hash[LS_HASH_SIZE];
} LsAccount;

/* A row of budget_transactions; what is not there is NULL. */
typedef struct LsEntry
{
	pg_uuid_t id; /* set by ls_ledger_add(), if it is zero */
	const char *type;
	LsCents amount;
	LsCents held_change;
	const pg_uuid_t *hold;
	const pg_uuid_t *refund_of;
	const pg_uuid_t *call;
	const pg_uuid_t *sms;
	const char *description;
	Jsonb *reference;
	const char *key;
	bool even_into_debt; /* whatever the account allows */

	/* set by ls_ledger_add() */
	const LsAccount *account;
	int64 sequence;
	LsCents balance_before;
	LsCents held_after;
	uint8 hash[LS_HASH_SIZE];
} LsEntry;

/* Accounts of an organisation, and what is added to them. */
typedef struct LsLedger
{
	pg_uuid_t org;
	pg_uuid_t user; /* who does it */
	bool has_user;
	TimestampTz now;
	LsAccount *accounts;
	int n_accounts;
	LsEntry *entries;
	int n_entries;
	int capacity;
	LsHash hash;
} LsLedger;

/* The fields of a row that its hash is made of, in the order of the columns. */
typedef struct LsLedgerRow
{
	const pg_uuid_t *org;
	const pg_uuid_t *account;
	const pg_uuid_t *user;
	const pg_uuid_t *created_by;
	const LsEntry *entry;
	TimestampTz created_at;
} LsLedgerRow;

/* accounts.c */
extern void ls_account_enter(const pg_uuid_t *account, LsRunMode mode, pg_uuid_t *org);
extern void ls_account_refuse_contractor(void);
extern bool ls_account_of_organization(const pg_uuid_t *org, pg_uuid_t *account);

/* ledger.c */
extern void ls_ledger_lock(LsLedger *ledger, const pg_uuid_t *org, const pg_uuid_t *ids, int n);
extern void ls_ledger_open(LsLedger *ledger, const pg_uuid_t *org, const pg_uuid_t *account);
extern LsAccount *ls_ledger_account(LsLedger *ledger, const pg_uuid_t *id);
extern LsEntry *ls_ledger_add(LsLedger *ledger, LsAccount *account, const LsEntry *entry);
extern void ls_ledger_write(LsLedger *ledger);
extern void ls_ledger_grows(const char *relname);
extern LsCents ls_available(const LsAccount *account);

/* ledger_hash.c */
extern void ls_ledger_row_hash(
	LsHash *hash, const uint8 *previous, const LsLedgerRow *row, uint8 *result);

/* reference.c */
extern void ls_reference_read(Jsonb *reference, const pg_uuid_t *org, LsEntry *entry);
extern bool ls_reference_repeated(const LsLedger *ledger, const LsEntry *entry, pg_uuid_t *id);

/* holds.c */
extern int ls_holds_release_expired(LsLedger *ledger, LsAccount *account, int limit);
extern void ls_holds_insert(
	LsLedger *ledger, const pg_uuid_t *campaign_leads, TimestampTz expires_at);
extern void ls_hold_settle(
	LsLedger *ledger, const pg_uuid_t *hold, const char *status, LsCents captured);

extern char *ls_cents_text(LsCents cents);

#endif /* LS_BILLING_INTERNAL_H */
