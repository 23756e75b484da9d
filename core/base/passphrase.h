#ifndef PASSPHRASE_H
#define PASSPHRASE_H
/* What leaves the house sealed under a passphrase that a person keeps: Argon2id makes the key, XSalsa20-Poly1305
 * (libsodium's secretbox) seals. All of it text, so that it can stand in JSON. Takes about a tenth of a second and 64
 * MiB on purpose: never on the control thread. */
#include "buf.h"
#include "err.h"
#include "str.h"

struct passphrase_box {
    char salt[32], nonce[40]; /* base64 */
    struct buf box;           /* base64 */
    long long ops, memory;    /* of Argon2id: passes, bytes */
};
void passphrase_box_done(struct passphrase_box *b);
AUTO_DONE(struct passphrase_box, passphrase_box_done)

enum { PASSPHRASE_MIN = 8 };
/* E_USAGE: shorter than PASSPHRASE_MIN. */
int passphrase_seal(struct passphrase_box *out, str passphrase, str secret, struct err *e);
/* TL_E_DENIED: another passphrase, or changed on the way. out is the caller's to wipe. */
int passphrase_open(struct buf *out, str passphrase, const struct passphrase_box *b, struct err *e);
#endif
