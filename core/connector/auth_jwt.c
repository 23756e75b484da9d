/* The JWT bearer assertion (RFC 7523): three base64url parts, signed RS256. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sodium.h>
#include <stdlib.h>

#include "auth_int.h"

AUTO_FN(BIO *, BIO_free)
AUTO_FN(EVP_PKEY *, EVP_PKEY_free)
AUTO_FN(EVP_MD_CTX *, EVP_MD_CTX_free)

void base64url_add(struct buf *out, const void *p, size_t n)
{
    size_t cap = sodium_base64_ENCODED_LEN(n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char *text = malloc(cap);
    ASSERT(text);
    sodium_bin2base64(text, cap, p, n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    buf_text_add(out, text);
    free(text);
}

/* A key with a passphrase would make OpenSSL ask on the terminal: answer that there is none. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)arg;
    return 0;
}

static int key_read(EVP_PKEY **out, str pem, struct err *e)
{
    AUTO(BIO_free) BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    ASSERT(bio);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    ERR_clear_error();
    if (!key || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_get_bits(key) < 2048) {
        EVP_PKEY_free(key);
        err_set(e, TL_E_CONFIG, "the private key cannot be used");
        err_hint(e, "a PEM file with an RSA key of 2048 bits or more and without passphrase is needed");
        return TL_E_CONFIG;
    }
    *out = key;
    return TL_OK;
}

int jwt_sign_rs256(struct buf *out, str claims, str pem, struct err *e)
{
    AUTO(EVP_PKEY_free) EVP_PKEY *key = NULL;
    int rc = key_read(&key, pem, e);
    if (rc)
        return rc;
    AUTO(buf_done) struct buf text = {0};
    static const char header[] = "{\"alg\":\"RS256\"}";
    base64url_add(&text, header, sizeof header - 1);
    buf_char(&text, '.');
    base64url_add(&text, claims.p, claims.n);
    AUTO(EVP_MD_CTX_free) EVP_MD_CTX *md = EVP_MD_CTX_new();
    unsigned char signature[1024]; /* RSA of up to 8192 bits */
    size_t n = sizeof signature;
    if (!md || EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key) != 1 ||
        EVP_DigestSign(md, signature, &n, (const unsigned char *)text.p, text.n) != 1) {
        ERR_clear_error();
        return err_set(e, TL_E_CONFIG, "the assertion cannot be signed with the private key");
    }
    buf_str(out, buf_lent(&text));
    buf_char(out, '.');
    base64url_add(out, signature, n);
    return TL_OK;
}
