#ifndef SANDBOX_DESK_JWT_H
#define SANDBOX_DESK_JWT_H
/* RS256 as the vendor signs its webhooks: one RSA key, made when first needed, and its public half as a JWK set. */
#include <openssl/evp.h>

#include "buf.h"

EVP_PKEY *jwt_key_new(void);
void jwt_key_free(EVP_PKEY *key); /* NULL is fine */
/* header.payload.signature; claims is a JSON object. good false: a signature that does not verify. */
void jwt_put(struct buf *out, EVP_PKEY *key, const char *kid, str claims, bool good);
void jwks_put(struct buf *out, EVP_PKEY *key, const char *kid); /* {"keys":[...]} */
#endif
