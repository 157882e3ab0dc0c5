/*-------------------------------------------------------------------------
 *
 * crypto.h
 *	  Hashing and encrypting, by the extension pgcrypto.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_DIRECTORY_CRYPTO_H
#define LS_DIRECTORY_CRYPTO_H

/* bcrypt looks at no more of a password. */
#define LS_MAX_PASSWORD_BYTES 72

extern char *ls_crypto_hash(const char *password, int cost);
extern bool ls_crypto_matches(const char *password, const char *hash);
extern bytea *ls_crypto_encrypt(const char *text);
extern char *ls_crypto_decrypt(bytea *data);
extern void ls_crypto_require_key(void);
extern void ls_crypto_init(void);

#endif /* LS_DIRECTORY_CRYPTO_H */
