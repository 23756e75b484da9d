#ifndef SEAL_H
#define SEAL_H
/* Secrets at rest: XChaCha20-Poly1305 (libsodium), associated data names what the secret is, so that a sealed blob
 * cannot be moved to another place. The key comes from a systemd credential or a 0400 file. */
#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

struct seal_key {
    uint8_t bytes[32];
    uint8_t id[8]; /* public: first bytes of a hash, kept in the envelope */
};

/* Reads 32 raw bytes or 64 hex digits. The file must belong to root or to us and be closed to group and others. */
int seal_key_load(struct seal_key *out, const char *path, struct err *e);
int seal_key_create(const char *path, struct err *e); /* O_EXCL, 0400 */
void seal_key_wipe(struct seal_key *k);
void seal(struct buf *out, const struct seal_key *k, str what, str secret);
/* TL_E_DENIED when the blob was made with another key, for another `what`, or was changed. */
int unseal(struct buf *out, const struct seal_key *k, str what, str blob, struct err *e);
void buf_wipe(struct buf *b); /* sodium_memzero, then buf_done */
AUTO_DONE(struct buf, buf_wipe)
/* A key of stamps with the part of the work that is the same for all of them done. Plain data: copy it freely. */
struct stamp_key {
    _Alignas(64) uint8_t state[384];
};
void stamp_key_init(struct stamp_key *out, const uint8_t key[32]);
/* BLAKE2b-256 with that key (RFC 7693) over the parts, each behind its length as 8 bytes little-endian; the first 26
 * characters of lower-case base32 (RFC 4648 alphabet). Some 10 times cheaper than HMAC-SHA-256 without SHA
 * instructions, and one is made for every record. */
void stamp_hash(char out[27], const struct stamp_key *key, const str *parts, unsigned n);
#endif
