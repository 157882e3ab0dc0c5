/*-------------------------------------------------------------------------
 *
 * hash.c
 *	  SHA-256 and HMAC by the server's own cryptographic functions, which are
 *	  OpenSSL's where the server was built with it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hmac.h"
#include "port/pg_bswap.h"

#include "lead_system.h"
#include "core/hash.h"

/* What cannot happen, unless memory runs out or FIPS mode forbids it. */
static void
hash_failed(const char *what)
{
	ereport(
		ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute SHA-256: %s", what)));
}

/* Make the state; freed by ls_hash_close(), or by the server on an error. */
void
ls_hash_open(LsHash *hash)
{
	hash->ctx = pg_cryptohash_create(PG_SHA256);
	if (hash->ctx == NULL)
		hash_failed("out of memory");
}

/* Start a hash. */
void
ls_hash_begin(LsHash *hash)
{
	if (pg_cryptohash_init(hash->ctx) < 0)
		hash_failed(pg_cryptohash_error(hash->ctx));
}

/* Add bytes. */
void
ls_hash_bytes(LsHash *hash, const void *data, size_t len)
{
	if (pg_cryptohash_update(hash->ctx, data, len) < 0)
		hash_failed(pg_cryptohash_error(hash->ctx));
}

/* Add a number: 8 bytes, the highest first. */
void
ls_hash_number(LsHash *hash, uint64 value)
{
	uint64 bytes = pg_hton64(value);

	ls_hash_bytes(hash, &bytes, sizeof(bytes));
}

/*
 * Add a named value.  Name and value carry their lengths, so that no two lists
 * of fields make the same bytes.
 */
void
ls_hash_field(LsHash *hash, const char *name, const void *data, size_t len)
{
	ls_hash_number(hash, strlen(name));
	ls_hash_bytes(hash, name, strlen(name));
	ls_hash_number(hash, len);
	ls_hash_bytes(hash, data, len);
}

/* Finish a hash: LS_HASH_SIZE bytes. */
void
ls_hash_end(LsHash *hash, uint8 *result)
{
	if (pg_cryptohash_final(hash->ctx, result, LS_HASH_SIZE) < 0)
		hash_failed(pg_cryptohash_error(hash->ctx));
}

/* Free the state. */
void
ls_hash_close(LsHash *hash)
{
	pg_cryptohash_free(hash->ctx);
	hash->ctx = NULL;
}

/* HMAC-SHA-256: what nobody can compute, or try out, without the key. */
void
ls_hmac(const void *key, size_t key_len, const void *data, size_t len, uint8 *result)
{
	pg_hmac_ctx *ctx = pg_hmac_create(PG_SHA256);

	if (ctx == NULL)
		hash_failed("out of memory");
	if (pg_hmac_init(ctx, key, key_len) < 0 || pg_hmac_update(ctx, data, len) < 0 ||
		pg_hmac_final(ctx, result, LS_HASH_SIZE) < 0)
		hash_failed(pg_hmac_error(ctx));
	pg_hmac_free(ctx);
}
