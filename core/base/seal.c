#include "seal.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Envelope: version (1), key id (8), nonce (24), ciphertext, tag (16). Version, key id and `what` are authenticated. */
enum {
    ENVELOPE_VERSION = 1,
    NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG_BYTES = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    HEAD_BYTES = 1 + 8 + NONCE_BYTES,
    KEY_FILE_MAX_BYTES = 128,
    STAMP_HASH_BYTES = 32
};

static void need_sodium(void)
{
    ASSERT(sodium_init() >= 0);
}

static void key_set_id(struct seal_key *k)
{
    static const char label[] = "tieline key id";
    uint8_t hash[crypto_generichash_BYTES];
    crypto_generichash(hash, sizeof hash, (const unsigned char *)label, sizeof label, k->bytes, sizeof k->bytes);
    memcpy(k->id, hash, sizeof k->id);
    sodium_memzero(hash, sizeof hash);
}

/* systemd hands credentials to a service user through an ACL, which shows as root's file with mode 0440. */
static bool is_systemd_credential(const char *path, const struct stat *st)
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");
    size_t n = dir ? strlen(dir) : 0;
    return n && strncmp(path, dir, n) == 0 && path[n] == '/' && st->st_uid == 0 && (st->st_mode & 037) == 0;
}

static int check_owner(const char *path, const struct stat *st, struct err *e)
{
    if (!S_ISREG(st->st_mode))
        return err_set(e, TL_E_CONFIG, "key file \"%s\" is not a regular file; name one that --make-key made", path);
    if (st->st_uid != 0 && st->st_uid != geteuid()) {
        err_set(e, TL_E_CONFIG, "key file \"%s\" belongs to user %u", path, (unsigned)st->st_uid);
        err_hint(e, "the owner must be root or user %u, which runs this program", (unsigned)geteuid());
        return TL_E_CONFIG;
    }
    if ((st->st_mode & 077) && !is_systemd_credential(path, st)) {
        err_set(e, TL_E_CONFIG, "key file \"%s\" is open to group or others (mode %04o)", path,
                (unsigned)st->st_mode & 07777);
        err_hint(e, "run: chmod 0400 %s; and make a new key if others may have read it", path);
        return TL_E_CONFIG;
    }
    return TL_OK;
}

static bool key_decode(struct seal_key *out, const uint8_t *text, size_t n)
{
    size_t bytes = 0;
    const char *end = NULL;
    if (n == sizeof out->bytes) {
        memcpy(out->bytes, text, n);
        return true;
    }
    while (n && (text[n - 1] == '\n' || text[n - 1] == '\r' || text[n - 1] == ' '))
        n--;
    return n == 2 * sizeof out->bytes &&
           sodium_hex2bin(out->bytes, sizeof out->bytes, (const char *)text, n, NULL, &bytes, &end) == 0 &&
           bytes == sizeof out->bytes;
}

int seal_key_load(struct seal_key *out, const char *path, struct err *e)
{
    need_sodium();
    AUTO(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_errno(e, "cannot open key file \"%s\"", path);
    int rc = check_owner(path, &st, e);
    if (rc)
        return rc;
    uint8_t text[KEY_FILE_MAX_BYTES];
    ssize_t n = read(fd, text, sizeof text);
    if (n < 0)
        return err_errno(e, "cannot read key file \"%s\"", path);
    struct seal_key k;
    bool ok = key_decode(&k, text, (size_t)n);
    sodium_memzero(text, sizeof text);
    if (!ok) {
        seal_key_wipe(&k);
        err_set(e, TL_E_CONFIG, "key file \"%s\" does not hold a key", path);
        err_hint(e, "it must hold 32 raw bytes or 64 hex digits");
        return TL_E_CONFIG;
    }
    key_set_id(&k);
    *out = k;
    seal_key_wipe(&k);
    return TL_OK;
}

static bool write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        p += done;
        n -= (size_t)done;
    }
    return true;
}

int seal_key_create(const char *path, struct err *e)
{
    need_sodium();
    AUTO(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);
    if (fd < 0)
        return err_errno(e, "cannot create key file \"%s\"", path);
    uint8_t key[32];
    char hex[sizeof key * 2 + 2];
    randombytes_buf(key, sizeof key);
    sodium_bin2hex(hex, sizeof hex, key, sizeof key);
    hex[sizeof key * 2] = '\n';
    bool ok = write_all(fd, hex, sizeof key * 2 + 1) && fsync(fd) == 0;
    sodium_memzero(key, sizeof key);
    sodium_memzero(hex, sizeof hex);
    if (ok)
        return TL_OK;
    int rc = err_errno(e, "cannot write key file \"%s\"", path);
    unlink(path);
    return rc;
}

void seal_key_wipe(struct seal_key *k)
{
    sodium_memzero(k, sizeof *k);
}

static void associated(struct buf *ad, const uint8_t *head, str what)
{
    buf_add(ad, head, 1 + 8);
    buf_str(ad, what);
}

void seal(struct buf *out, const struct seal_key *k, str what, str secret)
{
    need_sodium();
    uint8_t *to = buf_room(out, HEAD_BYTES + secret.n + TAG_BYTES);
    if (!to)
        return;
    to[0] = ENVELOPE_VERSION;
    memcpy(to + 1, k->id, sizeof k->id);
    randombytes_buf(to + 1 + sizeof k->id, NONCE_BYTES);
    AUTO(buf_done) struct buf ad = {0};
    associated(&ad, to, what);
    crypto_aead_xchacha20poly1305_ietf_encrypt(to + HEAD_BYTES, NULL, (const unsigned char *)secret.p, secret.n,
                                               (const unsigned char *)ad.p, ad.n, NULL, to + 1 + sizeof k->id,
                                               k->bytes);
}

int unseal(struct buf *out, const struct seal_key *k, str what, str blob, struct err *e)
{
    need_sodium();
    const uint8_t *from = (const uint8_t *)blob.p;
    if (blob.n < HEAD_BYTES + TAG_BYTES || from[0] != ENVELOPE_VERSION)
        return err_set(e, TL_E_DENIED, "sealed secret \"%.*s\" is damaged", STR_FMT(what));
    if (sodium_memcmp(from + 1, k->id, sizeof k->id) != 0) {
        char theirs[17], ours[17];
        str shown = str_starts(what, STR("secret/")) ? str_n(what.p + 7, what.n - 7) : what;
        err_set(e, TL_E_DENIED, "secret \"%.*s\" was sealed with another key", STR_FMT(shown));
        err_detail(e, "key id %s, ours is %s", sodium_bin2hex(theirs, sizeof theirs, from + 1, 8),
                   sodium_bin2hex(ours, sizeof ours, k->id, 8));
        err_hint(e, "put the former key back or enter the secret again");
        return TL_E_DENIED;
    }
    AUTO(buf_done) struct buf ad = {0};
    associated(&ad, from, what);
    size_t before = out->n, n = blob.n - HEAD_BYTES - TAG_BYTES;
    uint8_t *to = buf_room(out, n);
    if (!to)
        return err_set(e, TL_E_INVALID, "secret \"%.*s\" of %zu bytes is too long", STR_FMT(what), n);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(to, NULL, NULL, from + HEAD_BYTES, blob.n - HEAD_BYTES,
                                                   (const unsigned char *)ad.p, ad.n, from + 1 + 8, k->bytes) != 0) {
        out->n = before;
        out->p[before] = 0;
        return err_set(e, TL_E_DENIED, "sealed secret \"%.*s\" was changed or moved here from another place",
                       STR_FMT(what));
    }
    return TL_OK;
}

void buf_wipe(struct buf *b)
{
    if (b->p)
        sodium_memzero(b->p, b->cap);
    buf_done(b);
}

void stamp_key_init(struct stamp_key *out, const uint8_t key[32])
{
    _Static_assert(sizeof(crypto_generichash_state) == sizeof out->state, "a stamp key is a state");
    need_sodium();
    crypto_generichash_init((crypto_generichash_state *)(void *)out->state, key, 32, STAMP_HASH_BYTES);
}

void stamp_hash(char out[27], const struct stamp_key *key, const str *parts, unsigned n)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    crypto_generichash_state state;
    memcpy(&state, key->state, sizeof state);
    uint8_t hash[STAMP_HASH_BYTES];
    for (unsigned i = 0; i < n; i++) {
        uint8_t length[8]; /* little-endian, so that ("ab", "c") and ("a", "bc") differ */
        for (unsigned j = 0; j < 8; j++)
            length[j] = (uint8_t)(parts[i].n >> (8 * j));
        crypto_generichash_update(&state, length, sizeof length);
        crypto_generichash_update(&state, (const unsigned char *)parts[i].p, parts[i].n);
    }
    crypto_generichash_final(&state, hash, sizeof hash);
    for (unsigned i = 0; i < 26; i++) {
        unsigned bit = i * 5;
        unsigned two = (unsigned)hash[bit / 8] << 8 | hash[bit / 8 + 1];
        out[i] = alphabet[two >> (11 - bit % 8) & 31];
    }
    out[26] = 0;
}
