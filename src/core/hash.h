/*-------------------------------------------------------------------------
 *
 * hash.h
 *	  SHA-256 and HMAC by the server's own cryptographic functions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CORE_HASH_H
#define LS_CORE_HASH_H

#include "common/cryptohash.h"

#define LS_HASH_SIZE 32

/* A hash being computed; used again and again between open and close. */
typedef struct LsHash
{
	pg_cryptohash_ctx *ctx;
} LsHash;

extern void ls_hash_open(LsHash *hash);
extern void ls_hash_begin(LsHash *hash);
extern void ls_hash_bytes(LsHash *hash, const void *data, size_t len);
extern void ls_hash_number(LsHash *hash, uint64 value);
extern void ls_hash_field(LsHash *hash, const char *name, const void *data, size_t len);
extern void ls_hash_end(LsHash *hash, uint8 *result);
extern void ls_hash_close(LsHash *hash);

extern void ls_hmac(const void *key, size_t key_len, const void *data, size_t len, uint8 *result);

#endif /* LS_CORE_HASH_H */
