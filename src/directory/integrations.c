/*-------------------------------------------------------------------------
 *
 * integrations.c
 *	  set_integration_token() and get_integration_token().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "core/input.h"
#include "core/query.h"
#include "core/tenant.h"
#include "directory/crypto.h"

/* Tokens are for administrators of the session's organisation. */
static void
enter_as_admin(pg_uuid_t *org)
{
	ls_require_org(org);
	if (!ls_caller_is_admin())
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						   errmsg("permission denied for tokens of integrations"),
						   errhint("Only administrators may set or read them.")));
}

/* A text argument that is encrypted; null stays null. */
static void
arg_encrypted(LsArgs *args, FunctionCallInfo fcinfo, int arg)
{
	if (PG_ARGISNULL(arg))
		ls_arg_datum(args, (Datum) 0, true);
	else
		ls_arg_datum(args,
			PointerGetDatum(ls_crypto_encrypt(text_to_cstring(PG_GETARG_TEXT_PP(arg)))), false);
}

/*
 * The name of a provider, checked here: the table's CHECK would tell the row, and
 * the ciphertext with it.
 */
static Datum
checked_provider(text *provider)
{
	char *name = text_to_cstring(provider);

	if (name[0] < 'a' || name[0] > 'z' || strlen(name) > 63 ||
		strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(name))
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("\"%s\" is not a provider", name),
				errhint("Write it like google_ads: letters, digits and underscores.")));
	return PointerGetDatum(provider);
}

PG_FUNCTION_INFO_V1(ls_directory_set_token);

/* set_integration_token(provider, access_token, refresh_token, external_id, expires_at) */
Datum
ls_directory_set_token(PG_FUNCTION_ARGS)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.integrations AS i"
		" (organization_id, provider, access_token, refresh_token, external_id, expires_at)"
		" VALUES ($1, $2, $3, $4, $5, $6)"
		" ON CONFLICT (organization_id, provider) DO UPDATE SET access_token = $3,"
		"   refresh_token = coalesce($4, i.refresh_token),"
		"   external_id = coalesce($5, i.external_id), expires_at = $6",
		UUIDOID, TEXTOID, BYTEAOID, BYTEAOID, TEXTOID, TIMESTAMPTZOID);
	LsArgs args = {0};
	LsScope scope;
	pg_uuid_t org;

	LS_REQUIRE_ARG(0, "provider");
	LS_REQUIRE_ARG(1, "access_token");
	enter_as_admin(&org);
	ls_crypto_require_key();
	ls_arg_uuid(&args, &org);
	ls_arg_datum(&args, checked_provider(PG_GETARG_TEXT_PP(0)), false);
	arg_encrypted(&args, fcinfo, 1);
	arg_encrypted(&args, fcinfo, 2);
	ls_arg_datum(&args, PG_GETARG_DATUM(3), PG_ARGISNULL(3));
	ls_arg_datum(&args, PG_GETARG_DATUM(4), PG_ARGISNULL(4));
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
	PG_RETURN_VOID();
}

/* Decrypt a token; null stays null.  Raises 22023 with another key. */
static void
set_token(Datum *value, bool *isnull, bytea *token, const char *provider)
{
	char *text;

	*isnull = token == NULL;
	if (token == NULL)
		return;
	text = ls_crypto_decrypt(token);
	if (text == NULL)
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("the key of this session does not open the tokens for \"%s\"", provider),
				errhint("They were set under another key, or were damaged.")));
	*value = CStringGetTextDatum(text);
}

/* A bytea of the last result, in the caller's context; NULL for NULL. */
static bytea *
result_bytea(int column)
{
	bool isnull;
	Datum value = ls_result(0, column, &isnull);
	bytea *found;
	bytea *copy;

	if (isnull)
		return NULL;
	found = DatumGetByteaP(value);
	copy = SPI_palloc(VARSIZE(found));
	memcpy(copy, found, VARSIZE(found));
	return copy;
}

PG_FUNCTION_INFO_V1(ls_directory_get_token);

/* get_integration_token(provider) */
Datum
ls_directory_get_token(PG_FUNCTION_ARGS)
{
	LS_QUERY(query,
		"SELECT external_id, access_token, refresh_token, expires_at FROM lead_system.integrations"
		" WHERE organization_id = $1 AND provider = $2",
		UUIDOID, TEXTOID);
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum values[4] = {0};
	bool nulls[4];
	bytea *access_token = NULL;
	bytea *refresh_token = NULL;
	char *external_id = NULL;
	char *provider;
	LsArgs args = {0};
	LsScope scope;
	pg_uuid_t org;
	bool found;

	LS_REQUIRE_ARG(0, "provider");
	enter_as_admin(&org);
	ls_crypto_require_key();
	provider = text_to_cstring(PG_GETARG_TEXT_PP(0));
	ls_arg_uuid(&args, &org);
	ls_arg_text(&args, provider);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run(&query, &args, LS_WRITE) > 0;
	if (found)
	{
		external_id = ls_result_text(0, 1);
		access_token = result_bytea(2);
		refresh_token = result_bytea(3);
		values[3] = ls_result(0, 4, &nulls[3]);
	}
	ls_scope_close(&scope);
	if (!found)
		ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND), errmsg("there are no tokens for \"%s\"", provider)));
	nulls[0] = external_id == NULL;
	if (external_id != NULL)
		values[0] = CStringGetTextDatum(external_id);
	set_token(&values[1], &nulls[1], access_token, provider);
	set_token(&values[2], &nulls[2], refresh_token, provider);
	InitMaterializedSRF(fcinfo, 0);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	return (Datum) 0;
}
