/*-------------------------------------------------------------------------
 *
 * reference.c
 *	  What a caller says about a transaction: amounts and references.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "lead_system.h"
#include "billing/internal.h"
#include "core/json.h"
#include "core/tenant.h"
#include "core/uuid.h"

#define MAX_KEY 200

/* An amount in hundredths; 22023 when it has more decimals than money has. */
LsCents
ls_cents(Datum amount, const char *what)
{
	Datum hundred = NumericGetDatum(int64_to_numeric(100));
	Datum limit = NumericGetDatum(int64_to_numeric(LS_MAX_CENTS));
	Datum cents;

	if (numeric_is_nan(DatumGetNumeric(amount)) || numeric_is_inf(DatumGetNumeric(amount)))
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must be a finite number", what)));
	cents = DirectFunctionCall2(numeric_mul, amount, hundred);
	if (DatumGetBool(
			DirectFunctionCall2(numeric_gt, DirectFunctionCall1(numeric_abs, cents), limit)))
		ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("%s is out of range", what)));
	if (DatumGetBool(DirectFunctionCall2(
			numeric_ne, cents, DirectFunctionCall2(numeric_trunc, cents, Int32GetDatum(0)))))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("%s must not have more than two decimals", what)));
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, cents));
}

/* A text member of a reference; NULL when it is not there. */
static char *
text_member(Jsonb *reference, const char *key)
{
	JsonbValue *value = ls_json_get(reference, key);

	if (value == NULL || value->type == jbvNull)
		return NULL;
	if (value->type != jbvString)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("key \"%s\" of reference must be a string", key)));
	return ls_json_scalar_text(value);
}

/* An identifier in a reference; NULL when it is not there. */
static const pg_uuid_t *
uuid_member(Jsonb *reference, const char *key)
{
	char *text = text_member(reference, key);
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));

	if (text == NULL)
		return NULL;
	if (!ls_uuid_parse(text, id))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("key \"%s\" of reference must be a uuid", key)));
	return id;
}

/* A row that a reference names must be there, in the same organisation. */
static void
check_row(const char *relname, const char *kind, const pg_uuid_t *org, const pg_uuid_t *id)
{
	if (id != NULL && !ls_row_exists(relname, org, id))
		ls_no_such_row(kind, id);
}

/* Read a reference into an entry. */
void
ls_reference_read(Jsonb *reference, const pg_uuid_t *org, LsEntry *entry)
{
	if (reference == NULL)
		return;
	if (!JB_ROOT_IS_OBJECT(reference))
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("reference must be a JSON object")));
	entry->reference = reference;
	entry->call = uuid_member(reference, "call_id");
	entry->sms = uuid_member(reference, "sms_id");
	entry->refund_of = uuid_member(reference, "refund_of");
	entry->key = text_member(reference, "idempotency_key");
	if (entry->key != NULL && (entry->key[0] == '\0' || strlen(entry->key) > MAX_KEY))
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("key \"idempotency_key\" of reference must have 1 to %d bytes", MAX_KEY)));
	check_row("call_logs", "call", org, entry->call);
	check_row("sms_logs", "text message", org, entry->sms);
}

/*
 * Has an entry been made already, by its idempotency key?  The account is
 * locked.  The same key for something else is a mistake.
 */
bool
ls_reference_repeated(const LsLedger *ledger, const LsEntry *entry, pg_uuid_t *id)
{
	LS_QUERY(query,
		"SELECT id, transaction_type = $4 AND amount = $5 * 0.01 AND held_change = $6 * 0.01"
		"       AND refund_of IS NOT DISTINCT FROM $7"
		"  FROM lead_system.budget_transactions"
		" WHERE organization_id = $1 AND account_id = $2 AND idempotency_key = $3",
		UUIDOID, UUIDOID, TEXTOID, TEXTOID, INT8OID, INT8OID, UUIDOID);
	LsArgs args = {0};

	if (entry->key == NULL)
		return false;
	ls_arg_uuid(&args, &ledger->org);
	ls_arg_uuid(&args, &ledger->accounts[0].id);
	ls_arg_text(&args, entry->key);
	ls_arg_text(&args, entry->type);
	ls_arg_int64(&args, entry->amount);
	ls_arg_int64(&args, entry->held_change);
	ls_arg_uuid(&args, entry->refund_of);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		return false;
	*id = ls_result_uuid(0, 1);
	if (!ls_result_bool(0, 2))
		ereport(ERROR, (errcode(ERRCODE_UNIQUE_VIOLATION),
						   errmsg("the idempotency key was used for another transaction"),
						   errdetail("It is that of transaction \"%s\".", ls_uuid_text(id))));
	return true;
}
