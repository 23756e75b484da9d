/* Sealing under a passphrase: see passphrase.h. */
#include "passphrase.h"

#include <sodium.h>
#include <string.h>

#include "cleanup.h"
#include "seal.h"

enum { BASE64 = sodium_base64_VARIANT_ORIGINAL, MOST_OPS = 16 };
#define MOST_MEMORY ((long long)1 << 30) /* a file cannot make us use more */

void passphrase_box_done(struct passphrase_box *b)
{
    buf_done(&b->box);
}

static int key_of(uint8_t key[crypto_secretbox_KEYBYTES], str passphrase, const uint8_t *salt, long long ops,
                  long long memory, struct err *e)
{
    if (crypto_pwhash(key, crypto_secretbox_KEYBYTES, passphrase.p, passphrase.n, salt, (unsigned long long)ops,
                      (size_t)memory, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return err_set(e, TL_E_TEMPORARY, "there is not enough memory to make a key of a passphrase");
    return TL_OK;
}

int passphrase_seal(struct passphrase_box *out, str passphrase, str secret, struct err *e)
{
    uint8_t salt[crypto_pwhash_SALTBYTES], nonce[crypto_secretbox_NONCEBYTES], key[crypto_secretbox_KEYBYTES];
    AUTO(buf_wipe) struct buf sealed = {0};
    if (passphrase.n < PASSPHRASE_MIN) {
        err_set(e, E_USAGE, "the passphrase is shorter than %d characters", PASSPHRASE_MIN);
        err_hint(e, "several words are easier to keep than a short riddle");
        return E_USAGE;
    }
    randombytes_buf(salt, sizeof salt);
    randombytes_buf(nonce, sizeof nonce);
    out->ops = crypto_pwhash_OPSLIMIT_MODERATE;
    out->memory = crypto_pwhash_MEMLIMIT_INTERACTIVE;
    int rc = key_of(key, passphrase, salt, out->ops, out->memory, e);
    if (rc)
        return rc;
    for (size_t i = 0; i < secret.n + crypto_secretbox_MACBYTES; i++)
        buf_char(&sealed, 0);
    crypto_secretbox_easy((uint8_t *)sealed.p, (const uint8_t *)secret.p, secret.n, nonce, key);
    sodium_memzero(key, sizeof key);
    sodium_bin2base64(out->salt, sizeof out->salt, salt, sizeof salt, BASE64);
    sodium_bin2base64(out->nonce, sizeof out->nonce, nonce, sizeof nonce, BASE64);
    buf_done(&out->box);
    size_t room = sodium_base64_encoded_len(sealed.n, BASE64);
    for (size_t i = 0; i < room; i++)
        buf_char(&out->box, 0);
    sodium_bin2base64(out->box.p, room, (const uint8_t *)sealed.p, sealed.n, BASE64);
    out->box.n = room - 1;
    return TL_OK;
}

static bool decode(const char *text, size_t text_n, void *out, size_t size, size_t *n)
{
    return sodium_base642bin(out, size, text, text_n, NULL, n, NULL, BASE64) == 0;
}

int passphrase_open(struct buf *out, str passphrase, const struct passphrase_box *b, struct err *e)
{
    uint8_t salt[crypto_pwhash_SALTBYTES], nonce[crypto_secretbox_NONCEBYTES], key[crypto_secretbox_KEYBYTES];
    size_t n_salt = 0, n_nonce = 0, n_box = 0;
    AUTO(buf_done) struct buf sealed = {0};
    for (size_t i = 0; i < b->box.n; i++)
        buf_char(&sealed, 0);
    bool sound = b->ops >= 1 && b->ops <= MOST_OPS && b->memory >= 8192 && b->memory <= MOST_MEMORY &&
                 decode(b->salt, strlen(b->salt), salt, sizeof salt, &n_salt) && n_salt == sizeof salt &&
                 decode(b->nonce, strlen(b->nonce), nonce, sizeof nonce, &n_nonce) && n_nonce == sizeof nonce &&
                 b->box.n > 0 && decode(b->box.p, b->box.n, sealed.p, sealed.n, &n_box) &&
                 n_box > crypto_secretbox_MACBYTES;
    if (!sound)
        return err_set(e, TL_E_INVALID, "the sealed part of the file is not as it was written");
    int rc = key_of(key, passphrase, salt, b->ops, b->memory, e);
    if (rc)
        return rc;
    buf_clear(out);
    for (size_t i = 0; i < n_box - crypto_secretbox_MACBYTES; i++)
        buf_char(out, 0);
    int opened = crypto_secretbox_open_easy((uint8_t *)out->p, (const uint8_t *)sealed.p, n_box, nonce, key);
    sodium_memzero(key, sizeof key);
    if (opened != 0) {
        buf_wipe(out);
        return err_set(e, TL_E_DENIED, "this is not the passphrase the file was sealed with, or the file was changed");
    }
    return TL_OK;
}
