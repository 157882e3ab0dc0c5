/*-------------------------------------------------------------------------
 *
 * credentials.c
 *	  set_password() and verify_password().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "core/config.h"
#include "core/email.h"
#include "core/input.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "directory/crypto.h"

/* Users set their own password, administrators everybody's. */
static void
check_may_set(const pg_uuid_t *user)
{
	pg_uuid_t current;
	pg_uuid_t org;

	/* The organisation vouches for the user that the session names. */
	if (ls_current_org(&org) && ls_current_user(&current) && ls_uuid_equal(&current, user))
		return;
	if (!ls_caller_is_admin())
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						   errmsg("permission denied to set the password of another user"),
						   errhint("Users set their own password, with app.current_user_id set;"
								   " administrators set that of others.")));
}

/* Refuse a password that is too short, or longer than what bcrypt looks at. */
static void
check_length(const pg_uuid_t *org, const char *password)
{
	int minimum = ls_config_int(org, "credentials.min_password_length");

	if (pg_mbstrlen(password) < minimum)
		ereport(
			ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the password is too short"),
					   errdetail("It must have at least %d characters.", minimum)));
	if (strlen(password) > LS_MAX_PASSWORD_BYTES)
		ereport(
			ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the password is too long"),
					   errdetail("It must have at most %d bytes.", LS_MAX_PASSWORD_BYTES)));
}

PG_FUNCTION_INFO_V1(ls_directory_set_password);

/* set_password(user_id, password) */
Datum
ls_directory_set_password(PG_FUNCTION_ARGS)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.user_credentials (organization_id, user_id, password_hash)"
		" VALUES ($1, $2, $3)"
		" ON CONFLICT (organization_id, user_id) DO UPDATE SET password_hash = $3",
		UUIDOID, UUIDOID, TEXTOID);
	LsArgs args = {0};
	LsScope scope;
	pg_uuid_t org;
	char *password;

	LS_REQUIRE_ARG(0, "user_id");
	LS_REQUIRE_ARG(1, "password");
	check_may_set(PG_GETARG_UUID_P(0));
	ls_enter_org_of("users", "user", PG_GETARG_UUID_P(0), LS_WRITE, &org);
	password = text_to_cstring(PG_GETARG_TEXT_PP(1));
	check_length(&org, password);
	ls_arg_uuid(&args, &org);
	ls_arg_uuid(&args, PG_GETARG_UUID_P(0));
	ls_arg_text(&args, ls_crypto_hash(password, ls_config_int(&org, "credentials.bcrypt_cost")));
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
	PG_RETURN_VOID();
}

/* The user of an address, and the hash; NULL when there is no such user, or no password. */
static char *
read_hash(const pg_uuid_t *org, char *email, pg_uuid_t *user, bool *is_active)
{
	LS_QUERY(query,
		"SELECT u.id, u.is_active, c.password_hash FROM lead_system.users u"
		"  JOIN lead_system.user_credentials c ON c.organization_id = $1 AND c.user_id = u.id"
		" WHERE u.organization_id = $1 AND u.email = $2",
		UUIDOID, TEXTOID);
	LsArgs args = {0};
	LsScope scope;
	char *hash = NULL;

	ls_email_fold(email);
	ls_arg_uuid(&args, org);
	ls_arg_text(&args, email);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run_latest(&query, &args) > 0)
	{
		*user = ls_result_uuid(0, 1);
		*is_active = ls_result_bool(0, 2);
		hash = ls_result_text(0, 3);
	}
	ls_scope_close(&scope);
	return hash;
}

PG_FUNCTION_INFO_V1(ls_directory_verify_password);

/*
 * verify_password(email, password)
 *
 * Hashes once, whatever is wrong: for an address that nobody has, too, or the
 * time that it takes would tell which addresses are known.
 */
Datum
ls_directory_verify_password(PG_FUNCTION_ARGS)
{
	pg_uuid_t *user = palloc(sizeof(pg_uuid_t));
	bool is_active = false;
	bool matches = false;
	pg_uuid_t org;
	char *password;
	char *hash;

	LS_REQUIRE_ARG(0, "email");
	LS_REQUIRE_ARG(1, "password");
	ls_require_org(&org);
	password = text_to_cstring(PG_GETARG_TEXT_PP(1));
	hash = read_hash(&org, text_to_cstring(PG_GETARG_TEXT_PP(0)), user, &is_active);
	if (hash != NULL)
		matches = ls_crypto_matches(password, hash);
	else
		(void) ls_crypto_hash(password, ls_config_int(&org, "credentials.bcrypt_cost"));
	if (!matches || !is_active || strlen(password) > LS_MAX_PASSWORD_BYTES)
		PG_RETURN_NULL();
	PG_RETURN_UUID_P(user);
}
