/*-------------------------------------------------------------------------
 *
 * crypto.c
 *	  Hashing and encrypting, by the extension pgcrypto.
 *
 *	  Its functions are found among the members of the extension, in whatever
 *	  schema it was put, and called directly.  So neither a function of the same
 *	  name elsewhere nor an operator in the search path can come in between, and
 *	  no statement text holds a secret.
 *
 *	  The key is a setting of the session.  Nobody can read it back, a superuser
 *	  neither: SHOW tells only whether there is one.  It is not taken from where
 *	  it would be stored in plain sight: configuration files, ALTER SYSTEM, ALTER
 *	  ROLE, ALTER DATABASE, CREATE FUNCTION ... SET.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/resowner.h"

#include "lead_system.h"
#include "core/query.h"
#include "directory/crypto.h"

#define KEY_SETTING "lead_system.secret_key"
#define MIN_KEY_LENGTH 16

/* How tokens are encrypted; compressing secrets tells of their content. */
#define CIPHER_OPTIONS "cipher-algo=aes256, compress-algo=0"

static char *secret_key = NULL;

/* A function of pgcrypto; "argtypes" are the numbers of its argument types. */
static Oid
crypto_function(const char *name, const char *argtypes)
{
	LS_QUERY(query,
		"SELECT p.oid FROM pg_catalog.pg_extension e"
		"  JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_extension'::regclass"
		"   AND d.refobjid = e.oid AND d.deptype = 'e'"
		"   AND d.classid = 'pg_catalog.pg_proc'::regclass"
		"  JOIN pg_catalog.pg_proc p ON p.oid = d.objid"
		" WHERE e.extname = 'pgcrypto' AND p.proname = $1 AND p.proargtypes::text = $2",
		TEXTOID, TEXTOID);
	LsArgs args = {0};
	LsScope scope;
	Oid result = InvalidOid;
	bool isnull;

	ls_arg_text(&args, name);
	ls_arg_text(&args, argtypes);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run_latest(&query, &args) > 0)
		result = DatumGetObjectId(ls_result(0, 1, &isnull));
	ls_scope_close(&scope);
	if (!OidIsValid(result))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						   errmsg("passwords and tokens need the extension pgcrypto"),
						   errhint("CREATE EXTENSION pgcrypto.")));
	return result;
}

/* crypt(password, salt) */
static char *
crypt_password(const char *password, const char *salt)
{
	return TextDatumGetCString(OidFunctionCall2(crypto_function("crypt", "25 25"),
		CStringGetTextDatum(password), CStringGetTextDatum(salt)));
}

/* The hash of a password, with a new salt. */
char *
ls_crypto_hash(const char *password, int cost)
{
	Datum salt = OidFunctionCall2(
		crypto_function("gen_salt", "25 23"), CStringGetTextDatum("bf"), Int32GetDatum(cost));

	return crypt_password(password, TextDatumGetCString(salt));
}

/* Is this the password that was hashed?  Takes the same time wherever hashes differ. */
bool
ls_crypto_matches(const char *password, const char *hash)
{
	char *computed = crypt_password(password, hash);
	size_t length = strlen(hash);
	unsigned char differs = 0;
	size_t i;

	if (strlen(computed) != length)
		return false;
	for (i = 0; i < length; i++)
		differs |= (unsigned char) (computed[i] ^ hash[i]);
	return differs == 0;
}

/* Is there a key?  Raises 55000 if not. */
void
ls_crypto_require_key(void)
{
	if (secret_key == NULL || *secret_key == '\0')
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("no key is set for this session"),
						   errhint("SELECT pg_catalog.set_config('" KEY_SETTING
								   "', $1, true), with the key as a parameter.")));
}

/* Encrypt a text under the session's key. */
bytea *
ls_crypto_encrypt(const char *text)
{
	ls_crypto_require_key();
	return DatumGetByteaP(
		OidFunctionCall3(crypto_function("pgp_sym_encrypt", "25 25 25"), CStringGetTextDatum(text),
			CStringGetTextDatum(secret_key), CStringGetTextDatum(CIPHER_OPTIONS)));
}

/*
 * Decrypt with the session's key; NULL with another key.  pgcrypto says so by an
 * error, which a subtransaction catches.
 */
char *
ls_crypto_decrypt(bytea *data)
{
	Oid function = crypto_function("pgp_sym_decrypt", "17 25");
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	char *volatile plain = NULL;

	ls_crypto_require_key();
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		plain = TextDatumGetCString(
			OidFunctionCall2(function, PointerGetDatum(data), CStringGetTextDatum(secret_key)));
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		if (error->sqlerrcode != ERRCODE_EXTERNAL_ROUTINE_INVOCATION_EXCEPTION)
			ReThrowError(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return plain;
}

/* Check hook of the key.  No message may have the value in it. */
static bool
key_check(char **newval, void **extra, GucSource source)
{
	if (*newval == NULL || **newval == '\0')
		return true;
	if (source != PGC_S_CLIENT && source != PGC_S_SESSION && source != PGC_S_OVERRIDE &&
		source != PGC_S_INTERACTIVE && source != PGC_S_DEFAULT)
	{
		GUC_check_errmsg("\"" KEY_SETTING "\" can only be set within a session");
		GUC_check_errdetail("What is stored with a role, a database, a function or in a file can "
							"be read by others.");
		return false;
	}
	if (pg_mbstrlen(*newval) < MIN_KEY_LENGTH)
	{
		GUC_check_errmsg("the key in \"" KEY_SETTING "\" is too short");
		GUC_check_errdetail("It must have at least %d characters.", MIN_KEY_LENGTH);
		return false;
	}
	return true;
}

/* Show hook of the key: whether there is one. */
static const char *
key_show(void)
{
	return secret_key != NULL && *secret_key != '\0' ? "********" : "";
}

void
ls_crypto_init(void)
{
	DefineCustomStringVariable(KEY_SETTING, "Sets the key for tokens of integrations.",
		"It is kept in this session only, and cannot be read back.", &secret_key, "", PGC_USERSET,
		GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE, key_check, NULL, key_show);
}
