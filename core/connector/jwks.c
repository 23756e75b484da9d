/* A vendor's public keys: fetched, kept, looked up by key id. */
#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "jwks.h"
#include "times.h"

enum { MAX_KEYS = 32, MAX_SET = 256 * 1024 };
static const int64_t keep_us = US_PER_DAY;
static const int64_t retry_us = 60 * US_PER_S;

struct key {
    char *id;
    EVP_PKEY *key;
};

struct jwks {
    atomic_int refs;
    pthread_mutex_t lock;  /* guards allow, keys, n, fetched_at, tried_at */
    pthread_mutex_t fetch; /* one fetch at a time; taken before lock */
    struct http_client *http;
    struct http_allow *allow; /* kept: its endpoint may be set anew meanwhile */
    const struct env *env;
    char *url;
    struct key keys[MAX_KEYS];
    size_t n;
    int64_t fetched_at, tried_at; /* mono; 0: never */
};

struct jwks *jwks_new(struct http_client *http, struct http_allow *allow, const struct env *env, str url)
{
    struct jwks *k = calloc(1, sizeof *k);
    ASSERT(k);
    pthread_mutex_init(&k->lock, NULL);
    pthread_mutex_init(&k->fetch, NULL);
    k->refs = 1;
    k->http = http;
    k->allow = http_allow_keep(allow);
    k->env = env;
    k->url = str_dup(url);
    return k;
}

static void keys_done(struct key *keys, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        text_free(keys[i].id);
        EVP_PKEY_free(keys[i].key);
    }
}

struct jwks *jwks_share(struct jwks *k, struct http_allow *allow, str url)
{
    if (!k || !str_is(url, k->url))
        return NULL;
    pthread_mutex_lock(&k->lock);
    struct http_allow *old = k->allow;
    k->allow = http_allow_keep(allow);
    pthread_mutex_unlock(&k->lock);
    http_allow_free(old);
    atomic_fetch_add(&k->refs, 1);
    return k;
}

struct jwks *jwks_free(struct jwks *k)
{
    if (!k || atomic_fetch_sub(&k->refs, 1) > 1)
        return NULL;
    keys_done(k->keys, k->n);
    text_free(k->url);
    http_allow_free(k->allow);
    pthread_mutex_destroy(&k->lock);
    pthread_mutex_destroy(&k->fetch);
    free(k);
    return NULL;
}

/* --- reading RFC 7517 --- */

static BIGNUM *read_number(const json_t *jwk, const char *member)
{
    const json_t *j = json_object_get(jwk, member);
    unsigned char bytes[1024];
    size_t n = 0;
    if (!json_is_string(j) || sodium_base642bin(bytes, sizeof bytes, json_string_value(j), json_string_length(j), NULL,
                                                &n, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return NULL;
    return BN_bin2bn(bytes, (int)n, NULL);
}

static EVP_PKEY *key_build(const BIGNUM *n, const BIGNUM *exponent)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (bld && ctx && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
        params = OSSL_PARAM_BLD_to_param(bld);
    if (params && EVP_PKEY_fromdata_init(ctx) == 1 && EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(bld);
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return key;
}

/* Keys of other kinds, other uses or of less than 2048 bits are passed over. */
static EVP_PKEY *read_key(const json_t *jwk)
{
    const char *kty = json_string_value(json_object_get(jwk, "kty"));
    const char *use = json_string_value(json_object_get(jwk, "use"));
    if (!kty || strcmp(kty, "RSA") != 0 || (use && strcmp(use, "sig") != 0))
        return NULL;
    BIGNUM *n = read_number(jwk, "n"), *exponent = read_number(jwk, "e");
    EVP_PKEY *key = n && exponent && BN_num_bits(n) >= 2048 ? key_build(n, exponent) : NULL;
    BN_free(n);
    BN_free(exponent);
    return key;
}

static size_t read_set(str body, struct key *out)
{
    json_t *root = json_loadb(body.p ? body.p : "", body.n, 0, NULL);
    const json_t *list = json_object_get(root, "keys");
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(list) && n < MAX_KEYS; i++) {
        const json_t *jwk = json_array_get(list, i);
        EVP_PKEY *key = read_key(jwk);
        const char *id = json_string_value(json_object_get(jwk, "kid"));
        if (key)
            out[n++] = (struct key){text_dup(id ? id : ""), key};
    }
    json_decref(root);
    return n;
}

/* --- fetching --- */

static int download(struct jwks *k, struct key *keys, size_t *n_out, struct err *e)
{
    pthread_mutex_lock(&k->lock);
    AUTO(http_allow_free) struct http_allow *allow = http_allow_keep(k->allow);
    pthread_mutex_unlock(&k->lock);
    struct http_request r = {
        .method = "GET",
        .url = str_of(k->url),
        .timeout_us = 10 * US_PER_S,
        .max_body = MAX_SET,
        .allow = allow,
    };
    struct http_request *const one[] = {&r};
    int rc = http_client_run(k->http, one, 1, NULL, e);
    if (rc == TL_OK && r.outcome != TL_OK)
        rc = err_set(e, TL_E_TEMPORARY, "the vendor's keys cannot be fetched: %s", r.error);
    if (rc == TL_OK && (r.status != 200 || (*n_out = read_set(buf_lent(&r.answer), keys)) == 0))
        rc = err_set(e, TL_E_TEMPORARY, "the vendor's key address answered HTTP %d without usable keys", (int)r.status);
    http_request_done(&r);
    return rc;
}

static int fetch_keys(struct jwks *k, struct err *e)
{
    struct key keys[MAX_KEYS];
    size_t n = 0;
    int rc = download(k, keys, &n, e);
    pthread_mutex_lock(&k->lock);
    k->tried_at = env_mono_us(k->env) + 1;
    if (rc == TL_OK) {
        keys_done(k->keys, k->n);
        memcpy(k->keys, keys, n * sizeof *keys);
        k->n = n;
        k->fetched_at = k->tried_at;
    }
    pthread_mutex_unlock(&k->lock);
    return rc;
}

/* --- looking up --- */

static bool key_fits(const struct key *key, str id, str text, str signature)
{
    if (id.n && !str_is(id, key->id))
        return false;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool good = md && EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, key->key) == 1 &&
                EVP_DigestVerify(md, (const unsigned char *)signature.p, signature.n, (const unsigned char *)text.p,
                                 text.n) == 1;
    EVP_MD_CTX_free(md);
    ERR_clear_error();
    return good;
}

enum look { GOOD, BAD, UNKNOWN_KEY };

static enum look look(struct jwks *k, str id, str text, str signature)
{
    enum look result = UNKNOWN_KEY;
    pthread_mutex_lock(&k->lock);
    bool stale = !k->fetched_at || env_mono_us(k->env) - k->fetched_at > keep_us;
    for (size_t i = 0; i < k->n && !stale && result != GOOD; i++) {
        if (!id.n || str_is(id, k->keys[i].id))
            result = key_fits(&k->keys[i], id, text, signature) ? GOOD : BAD;
    }
    pthread_mutex_unlock(&k->lock);
    return result;
}

static bool may_fetch(struct jwks *k)
{
    pthread_mutex_lock(&k->lock);
    bool may = !k->tried_at || env_mono_us(k->env) - k->tried_at > retry_us;
    pthread_mutex_unlock(&k->lock);
    return may;
}

int jwks_verify(struct jwks *k, bool may_wait, str id, str text, str signature, struct err *e)
{
    enum look found = look(k, id, text, signature);
    int rc = TL_OK;
    if (found == UNKNOWN_KEY && !may_wait && may_fetch(k)) {
        err_set(e, TL_E_TEMPORARY, "the vendor's keys are not known yet");
        err_code(e, "KEYS_AWAITED");
        return TL_E_TEMPORARY;
    }
    if (found == UNKNOWN_KEY) {
        pthread_mutex_lock(&k->fetch);
        found = look(k, id, text, signature); /* somebody else may have fetched meanwhile */
        bool may = found == UNKNOWN_KEY && may_fetch(k);
        if (may)
            rc = fetch_keys(k, e);
        pthread_mutex_unlock(&k->fetch);
        if (may && rc == TL_OK)
            found = look(k, id, text, signature);
    }
    if (found == GOOD)
        return TL_OK;
    if (rc)
        return rc;
    return err_set(e, TL_E_DENIED, found == BAD ? "the signature is wrong" : "the signature names an unknown key");
}
