#include "desk_jwt.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>

static void base64url(struct buf *out, const unsigned char *p, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0);
        size_t take_n = n - i >= 3 ? 4 : n - i + 1;
        for (size_t k = 0; k < take_n; k++)
            buf_char(out, digits[v >> (18 - 6 * k) & 63]);
    }
}

EVP_PKEY *jwt_key_new(void)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    ASSERT(key != NULL);
    return key;
}

void jwt_key_free(EVP_PKEY *key)
{
    EVP_PKEY_free(key);
}

void jwt_put(struct buf *out, EVP_PKEY *key, const char *kid, str claims, bool good)
{
    AUTO(buf_done) struct buf head = {0};
    buf_fmt(&head, "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"%s\"}", kid);
    base64url(out, (const unsigned char *)head.p, head.n);
    buf_char(out, '.');
    base64url(out, (const unsigned char *)claims.p, claims.n);
    unsigned char signature[512];
    size_t n = sizeof signature;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    ASSERT(md && EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key) == 1 &&
           EVP_DigestSign(md, signature, &n, (const unsigned char *)out->p, out->n) == 1);
    EVP_MD_CTX_free(md);
    if (!good)
        signature[n / 2] ^= 0x55;
    buf_char(out, '.');
    base64url(out, signature, n);
}

static void number_put(struct buf *out, const EVP_PKEY *key, const char *param)
{
    BIGNUM *v = NULL;
    unsigned char bytes[512];
    ASSERT(EVP_PKEY_get_bn_param(key, param, &v) == 1 && BN_num_bytes(v) <= (int)sizeof bytes);
    base64url(out, bytes, (size_t)BN_bn2bin(v, bytes));
    BN_free(v);
}

void jwks_put(struct buf *out, EVP_PKEY *key, const char *kid)
{
    buf_fmt(out, "{\"keys\":[{\"kty\":\"RSA\",\"use\":\"sig\",\"alg\":\"RS256\",\"kid\":\"%s\",\"n\":\"", kid);
    number_put(out, key, OSSL_PKEY_PARAM_RSA_N);
    buf_text_add(out, "\",\"e\":\"");
    number_put(out, key, OSSL_PKEY_PARAM_RSA_E);
    buf_text_add(out, "\"}]}");
}
