/*-------------------------------------------------------------------------
 *
 * holds.c
 *	  Holds: money that is set aside until it is known what something costs.
 *
 *	  A hold leaves the balance as it is and lowers what can be spent.  It ends
 *	  in one of three ways: captured, released, or expired.  From the moment at
 *	  which its time is over it cannot be captured, and whoever needs the money
 *	  releases it; the sweeper does so for tidiness, and no decision depends on
 *	  when it runs.
 *
 *	  The row of the account is locked before any of its holds is read, so a hold
 *	  is settled once.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "billing/internal.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/input.h"
#include "core/sweep.h"
#include "core/tenant.h"
#include "core/uuid.h"

/* A hold, as it is. */
typedef struct Hold
{
	pg_uuid_t org;
	pg_uuid_t id;
	pg_uuid_t account;
	LsCents amount;
	char *status;
	TimestampTz expires_at;
} Hold;

/* Read a hold. */
static void
read_hold(Hold *hold)
{
	LS_QUERY(query,
		"SELECT account_id, (amount * 100)::bigint, status, expires_at"
		"  FROM lead_system.budget_holds WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &hold->org);
	ls_arg_uuid(&args, &hold->id);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		ls_no_such_row("hold", &hold->id);
	hold->account = ls_result_uuid(0, 1);
	hold->amount = ls_result_int64(0, 2);
	hold->status = ls_result_text(0, 3);
	hold->expires_at = ls_result_timestamptz(0, 4);
}

/* Release the holds of an account whose time is over (limit 0: all); returns how many. */
int
ls_holds_release_expired(LsLedger *ledger, LsAccount *account, int limit)
{
	LS_QUERY(query,
		"UPDATE lead_system.budget_holds h SET status = 'expired', settled_at = $3"
		" WHERE h.organization_id = $1 AND h.id = ANY (ARRAY("
		"       SELECT d.id FROM lead_system.budget_holds d"
		"        WHERE d.organization_id = $1 AND d.account_id = $2 AND d.status = 'held'"
		"          AND d.expires_at <= $3 ORDER BY d.expires_at LIMIT NULLIF($4, 0)))"
		" RETURNING h.id, (h.amount * 100)::bigint",
		UUIDOID, UUIDOID, TIMESTAMPTZOID, INT8OID);
	LsArgs args = {0};
	pg_uuid_t *ids;
	LsCents *amounts;
	int n;
	int i;

	ls_arg_uuid(&args, &ledger->org);
	ls_arg_uuid(&args, &account->id);
	ls_arg_timestamptz(&args, ledger->now);
	ls_arg_int64(&args, limit);
	n = (int) ls_query_run(&query, &args, LS_WRITE);
	ids = palloc(sizeof(pg_uuid_t) * (n + 1));
	amounts = palloc(sizeof(LsCents) * (n + 1));
	for (i = 0; i < n; i++)
	{
		ids[i] = ls_result_uuid(i, 1);
		amounts[i] = ls_result_int64(i, 2);
	}
	for (i = 0; i < n; i++)
	{
		LsEntry entry = {.type = "release",
			.held_change = -amounts[i],
			.hold = &ids[i],
			.description = "the hold has expired"};

		(void) ls_ledger_add(ledger, account, &entry);
	}
	return n;
}

/* Write the rows of the holds that were added to the only account of a ledger. */
void
ls_holds_insert(LsLedger *ledger, const pg_uuid_t *campaign_leads, TimestampTz expires_at)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.budget_holds"
		" (organization_id, id, account_id, user_id, amount, campaign_lead_id, expires_at, created_at)"
		" SELECT $1, u.id, $2, $3, u.amount * 0.01, u.campaign_lead_id, $7, $8"
		"   FROM ROWS FROM (unnest($4), unnest($5), unnest($6)) u(id, amount, campaign_lead_id)",
		UUIDOID, UUIDOID, UUIDOID, UUIDARRAYOID, INT8ARRAYOID, UUIDARRAYOID, TIMESTAMPTZOID,
		TIMESTAMPTZOID);
	const LsAccount *account = &ledger->accounts[0];
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * Max(ledger->n_entries, 1));
	Datum *amounts = palloc(sizeof(Datum) * Max(ledger->n_entries, 1));
	LsArgs args = {0};
	int n = 0;
	int i;

	for (i = 0; i < ledger->n_entries; i++)
	{
		if (strcmp(ledger->entries[i].type, "hold") != 0)
			continue;
		ids[n] = ledger->entries[i].id;
		amounts[n++] = Int64GetDatum(ledger->entries[i].held_change);
	}
	ls_ledger_write(ledger);
	ls_arg_uuid(&args, &ledger->org);
	ls_arg_uuid(&args, &account->id);
	ls_arg_uuid(&args, account->has_user ? &account->user : NULL);
	ls_arg_datum(&args, ls_uuid_array(ids, n), false);
	ls_arg_datum(&args,
		PointerGetDatum(construct_array(amounts, n, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)),
		false);
	ls_arg_datum(&args,
		campaign_leads != NULL ? ls_uuid_array(campaign_leads, n)
							   : PointerGetDatum(construct_empty_array(UUIDOID)),
		false);
	ls_arg_timestamptz(&args, expires_at);
	ls_arg_timestamptz(&args, ledger->now);
	(void) ls_query_run(&query, &args, LS_WRITE);
	ls_ledger_grows("budget_holds");
}

/* Write what became of a hold. */
void
ls_hold_settle(LsLedger *ledger, const pg_uuid_t *hold, const char *status, LsCents captured)
{
	LS_QUERY(query,
		"UPDATE lead_system.budget_holds SET status = $3, captured_amount = $4 * 0.01, settled_at = $5"
		" WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID, TEXTOID, INT8OID, TIMESTAMPTZOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &ledger->org);
	ls_arg_uuid(&args, hold);
	ls_arg_text(&args, status);
	ls_arg_int64(&args, captured);
	ls_arg_timestamptz(&args, ledger->now);
	(void) ls_query_run(&query, &args, LS_WRITE);
}

/* Set money aside; returns the hold's id. */
static pg_uuid_t
place_hold(const pg_uuid_t *org, const pg_uuid_t *account, LsEntry *entry, TimestampTz expires_at)
{
	pg_uuid_t id;
	pg_uuid_t *hold = palloc(sizeof(pg_uuid_t));
	LsLedger ledger;
	LsScope scope;

	if (entry->held_change <= 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("the amount of a hold must be positive")));
	if (entry->refund_of != NULL)
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a hold gives no debit back")));
	ls_uuid_v7(hold);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_ledger_open(&ledger, org, account);
	if (!ls_reference_repeated(&ledger, entry, &id))
	{
		entry->id = id = *hold;
		entry->hold = hold;
		(void) ls_ledger_add(&ledger, &ledger.accounts[0], entry);
		ls_holds_insert(&ledger, NULL, expires_at);
	}
	ls_scope_close(&scope);
	return id;
}

PG_FUNCTION_INFO_V1(ls_billing_hold_budget);

/* hold_budget(account_id, amount) */
Datum
ls_billing_hold_budget(PG_FUNCTION_ARGS)
{
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));
	LsEntry entry = {.type = "hold"};
	pg_uuid_t org;

	LS_REQUIRE_ARG(0, "account_id");
	LS_REQUIRE_ARG(1, "amount");
	entry.held_change = ls_cents(PG_GETARG_DATUM(1), "amount");
	ls_account_enter(PG_GETARG_UUID_P(0), LS_WRITE, &org);
	ls_account_refuse_contractor();
	*id = place_hold(&org, PG_GETARG_UUID_P(0), &entry,
		ls_clock_now() + ls_config_int(&org, "billing.hold_minutes") * USECS_PER_MINUTE);
	PG_RETURN_UUID_P(id);
}

PG_FUNCTION_INFO_V1(ls_billing_place_hold);

/* place_hold(account_id, amount, lasts, description, reference) */
Datum
ls_billing_place_hold(PG_FUNCTION_ARGS)
{
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));
	LsEntry entry = {.type = "hold"};
	TimestampTz expires_at;
	pg_uuid_t org;

	LS_REQUIRE_ARG(0, "account_id");
	LS_REQUIRE_ARG(1, "amount");
	entry.held_change = ls_cents(PG_GETARG_DATUM(1), "amount");
	entry.description = PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3));
	ls_account_enter(PG_GETARG_UUID_P(0), LS_WRITE, &org);
	ls_account_refuse_contractor();
	ls_reference_read(PG_ARGISNULL(4) ? NULL : PG_GETARG_JSONB_P(4), &org, &entry);
	if (PG_ARGISNULL(2))
		expires_at =
			ls_clock_now() + ls_config_int(&org, "billing.hold_minutes") * USECS_PER_MINUTE;
	else
		expires_at = DatumGetTimestampTz(DirectFunctionCall2(
			timestamptz_pl_interval, TimestampTzGetDatum(ls_clock_now()), PG_GETARG_DATUM(2)));
	if (expires_at <= ls_clock_now())
		ereport(
			ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("lasts must be positive")));
	*id = place_hold(&org, PG_GETARG_UUID_P(0), &entry, expires_at);
	PG_RETURN_UUID_P(id);
}

/* Lock the account of a hold that the caller names, and read the hold, which must be open. */
static void
open_hold(LsLedger *ledger, Hold *hold)
{
	const char *what = NULL;

	read_hold(hold);
	ls_ledger_open(ledger, &hold->org, &hold->account);
	read_hold(hold);
	if (strcmp(hold->status, "held") != 0)
		what = psprintf("It was %s.", hold->status);
	if (strcmp(hold->status, "expired") == 0 || (what == NULL && hold->expires_at <= ledger->now))
		what = psprintf("It expired at %s.", timestamptz_to_str(hold->expires_at));
	if (what != NULL)
		ereport(ERROR, (errcode(LS_ERRCODE_HOLD_NOT_OPEN), errmsg("the hold is not open"),
						   errdetail("%s", what)));
}

PG_FUNCTION_INFO_V1(ls_billing_capture_hold);

/* capture_hold(hold_id, amount) */
Datum
ls_billing_capture_hold(PG_FUNCTION_ARGS)
{
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));
	LsEntry entry = {.type = "capture"};
	LsCents amount = 0;
	LsLedger ledger;
	LsScope scope;
	Hold hold;

	LS_REQUIRE_ARG(0, "hold_id");
	hold.id = *PG_GETARG_UUID_P(0);
	if (!PG_ARGISNULL(1))
	{
		amount = ls_cents(PG_GETARG_DATUM(1), "amount");
		if (amount <= 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							   errmsg("the amount that is captured must be positive"),
							   errhint("release_hold() ends a hold without spending.")));
	}
	ls_account_refuse_contractor();
	ls_enter_org_of("budget_holds", "hold", &hold.id, LS_WRITE, &hold.org);
	ls_scope_open(&scope, LS_AS_OWNER);
	open_hold(&ledger, &hold);
	if (PG_ARGISNULL(1))
		amount = hold.amount;
	if (amount > hold.amount)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("%s is more than the hold has set aside", ls_cents_text(amount)),
						   errdetail("It is a hold of %s.", ls_cents_text(hold.amount))));
	entry.amount = -amount;
	entry.held_change = -hold.amount;
	entry.hold = &hold.id;
	*id = ls_ledger_add(&ledger, &ledger.accounts[0], &entry)->id;
	ls_ledger_write(&ledger);
	ls_hold_settle(&ledger, &hold.id, "captured", amount);
	ls_scope_close(&scope);
	PG_RETURN_UUID_P(id);
}

PG_FUNCTION_INFO_V1(ls_billing_release_hold);

/* release_hold(hold_id) */
Datum
ls_billing_release_hold(PG_FUNCTION_ARGS)
{
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));
	LsEntry entry = {.type = "release"};
	LsLedger ledger;
	LsScope scope;
	Hold hold;

	LS_REQUIRE_ARG(0, "hold_id");
	hold.id = *PG_GETARG_UUID_P(0);
	ls_account_refuse_contractor();
	ls_enter_org_of("budget_holds", "hold", &hold.id, LS_WRITE, &hold.org);
	ls_scope_open(&scope, LS_AS_OWNER);
	open_hold(&ledger, &hold);
	entry.held_change = -hold.amount;
	entry.hold = &hold.id;
	*id = ls_ledger_add(&ledger, &ledger.accounts[0], &entry)->id;
	ls_ledger_write(&ledger);
	ls_hold_settle(&ledger, &hold.id, "released", 0);
	ls_scope_close(&scope);
	PG_RETURN_UUID_P(id);
}
