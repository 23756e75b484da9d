/* Which deliveries are believed. */
#include "unit/unit.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth_int.h"
#include "hook_verify.h"
#include "times.h"
#include "unit/loop_server.h"

static const int64_t now_s = 1800000000;

struct bench {
    struct loop_server *server;
    struct http_client *client;
    struct http_allow *allow;
    struct env_sim sim;
    struct jwks *keys;
    EVP_PKEY *key, *foreign;
    char set[2048];
    int status;
};

static void handler(void *ctx, const struct loop_request *r, struct loop_reply *a)
{
    struct bench *b = ctx;
    (void)r;
    a->status = b->status;
    a->body = b->set;
}

static void add_number(struct buf *out, EVP_PKEY *key, const char *what)
{
    BIGNUM *n = NULL;
    unsigned char bytes[512];
    EVP_PKEY_get_bn_param(key, what, &n);
    int len = BN_bn2bin(n, bytes);
    base64url_add(out, bytes, (size_t)len);
    BN_free(n);
}

static void publish(struct bench *b, EVP_PKEY *key, const char *kid)
{
    AUTO(buf_done) struct buf s = {0};
    buf_text_add(&s, "{\"keys\":[{\"kty\":\"EC\",\"kid\":\"other\"},{\"kty\":\"RSA\",\"use\":\"sig\",\"n\":\"");
    add_number(&s, key, OSSL_PKEY_PARAM_RSA_N);
    buf_text_add(&s, "\",\"e\":\"");
    add_number(&s, key, OSSL_PKEY_PARAM_RSA_E);
    buf_fmt(&s, "\",\"kid\":\"%s\"}]}", kid);
    snprintf(b->set, sizeof b->set, "%s", buf_text(&s));
}

static EVP_PKEY *own_key, *foreign_key; /* costly to make: once for all tests */

static int make_keys(void **state)
{
    (void)state;
    own_key = EVP_RSA_gen(2048);
    foreign_key = EVP_RSA_gen(2048);
    return own_key && foreign_key ? 0 : -1;
}

static int drop_keys(void **state)
{
    (void)state;
    EVP_PKEY_free(own_key);
    EVP_PKEY_free(foreign_key);
    return 0;
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    struct err e = {0};
    b->status = 200;
    b->key = own_key;
    b->foreign = foreign_key;
    publish(b, b->key, "k1");
    b->server = loop_start(handler, b);
    char *url = loop_url(b->server, "/.well-known/jwks.json");
    b->allow = http_allow_new(true);
    assert_int_equal(http_allow_url(b->allow, str_of(url), &e), TL_OK);
    assert_int_equal(http_client_new(&b->client, NULL, &env_real, &e), TL_OK);
    env_sim_init(&b->sim, 1, now_s * US_PER_S);
    b->keys = jwks_new(b->client, b->allow, &b->sim.env, str_of(url));
    free(url);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    jwks_free(b->keys);
    http_client_free(b->client);
    loop_stop(b->server);
    http_allow_free(b->allow);
    free(b);
    return 0;
}

static char *make_jwt(EVP_PKEY *key, const char *head, const char *claims)
{
    AUTO(buf_done) struct buf t = {0};
    base64url_add(&t, head, strlen(head));
    buf_char(&t, '.');
    base64url_add(&t, claims, strlen(claims));
    unsigned char signature[512];
    size_t n = sizeof signature;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key);
    EVP_DigestSign(md, signature, &n, (const unsigned char *)t.p, t.n);
    EVP_MD_CTX_free(md);
    buf_char(&t, '.');
    base64url_add(&t, signature, n);
    return buf_take(&t);
}

static int verify_with(struct bench *b, struct jwks *keys, bool at_once, const char *token, struct err *e)
{
    const tl_pair headers[] = {{TL_STR("x-zdesk-jwt"), str_of(token)}};
    tl_hook_request r = {.struct_size = sizeof r, .headers = headers, .n_headers = 1, .body = TL_STR("[]")};
    struct hook_rule rule = {.scheme = TL_HOOK_JWT_RS256,
                             .header = STR("x-zdesk-jwt"),
                             .issuer = STR("orgId:7"),
                             .audience = STR("webhookId:9"),
                             .keys = keys,
                             .at_once = at_once};
    *e = (struct err){0};
    return hook_verify(&rule, &r, (str){0}, &b->sim.env, e);
}

static int verify_jwt(struct bench *b, const char *token, struct err *e)
{
    return verify_with(b, b->keys, false, token, e);
}

#define HEAD   "{\"alg\":\"RS256\",\"kid\":\"k1\"}"
#define CLAIMS "{\"iss\":\"orgId:7\",\"aud\":\"webhookId:9\",\"exp\":1800000300}"

static void test_jwt(void **state)
{
    struct bench *b = *state;
    struct err e;
    AUTO(text_free) char *good = make_jwt(b->key, HEAD, CLAIMS);
    assert_int_equal(verify_jwt(b, good, &e), TL_OK);
    assert_int_equal(verify_jwt(b, good, &e), TL_OK);
    assert_int_equal(loop_requests(b->server), 1); /* the keys are kept */
    AUTO(text_free)
    char *list = make_jwt(b->key, HEAD, "{\"iss\":\"orgId:7\",\"aud\":[\"x\",\"webhookId:9\"],\"exp\":1800000300}");
    assert_int_equal(verify_jwt(b, list, &e), TL_OK);
}

static void test_jwt_forgeries(void **state)
{
    struct bench *b = *state;
    static const struct {
        const char *head, *claims, *words;
        bool foreign;
    } all[] = {
        {HEAD, CLAIMS, "signature is wrong", true},
        {"{\"alg\":\"none\",\"kid\":\"k1\"}", CLAIMS, "RS256", false},
        {"{\"alg\":\"HS256\",\"kid\":\"k1\"}", CLAIMS, "RS256", false},
        {"{\"kid\":\"k1\"}", CLAIMS, "RS256", false},
        {HEAD, "{\"iss\":\"orgId:8\",\"aud\":\"webhookId:9\",\"exp\":1800000300}", "issuer", false},
        {HEAD, "{\"iss\":\"orgId:7\",\"aud\":\"webhookId:8\",\"exp\":1800000300}", "receiver", false},
        {HEAD, "{\"iss\":\"orgId:7\",\"aud\":\"webhookId:9\",\"exp\":1799999900}", "expired", false},
        {HEAD, "{\"iss\":\"orgId:7\",\"aud\":\"webhookId:9\"}", "expired", false},
        {HEAD, "{\"iss\":\"orgId:7\",\"aud\":\"webhookId:9\",\"exp\":\"1800000300\"}", "expired", false},
        {HEAD, "{\"iss\":\"orgId:7\",\"aud\":\"webhookId:9\",\"exp\":1800000300,\"nbf\":1800000200}", "not valid yet",
         false},
        {HEAD, "[1]", "claims", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct err e;
        AUTO(text_free) char *token = make_jwt(all[i].foreign ? b->foreign : b->key, all[i].head, all[i].claims);
        assert_int_equal(verify_jwt(b, token, &e), TL_E_DENIED);
        if (!strstr(e.text, all[i].words))
            fail_msg("%zu: %s", i, e.text);
    }
    static const char *const junk[] = {"",   "a",    "a.b",  "a.b.c",    "a.b.c.d",
                                       "..", ".b.c", "a..c", "e30.e30.", "e30.e30.!!"};
    for (size_t i = 0; i < ARRAY_LEN(junk); i++) {
        struct err e;
        assert_int_equal(verify_jwt(b, junk[i], &e), TL_E_DENIED);
    }
    AUTO(text_free) char *good = make_jwt(b->key, HEAD, CLAIMS);
    AUTO(text_free) char *tail = text_fmt("%s.x", good);
    struct err e;
    assert_int_equal(verify_jwt(b, tail, &e), TL_E_DENIED);
}

/* Where nobody may wait, keys are asked of nobody; who may fetches them for all. */
static void test_at_once(void **state)
{
    struct bench *b = *state;
    struct err e;
    AUTO(text_free) char *good = make_jwt(b->key, HEAD, CLAIMS);
    AUTO(text_free) char *unknown = make_jwt(b->foreign, "{\"alg\":\"RS256\",\"kid\":\"k9\"}", CLAIMS);
    assert_int_equal(verify_with(b, b->keys, true, good, &e), TL_E_TEMPORARY);
    assert_string_equal(e.code, "KEYS_AWAITED");
    assert_int_equal(loop_requests(b->server), 0);
    assert_int_equal(verify_jwt(b, good, &e), TL_OK);
    assert_int_equal(verify_with(b, b->keys, true, good, &e), TL_OK);
    assert_int_equal(verify_with(b, b->keys, true, unknown, &e), TL_E_DENIED); /* asked for a moment ago */
    assert_int_equal(loop_requests(b->server), 1);
}

/* Whoever asks for the keys of the same address has those that were fetched before. */
static void test_keys_are_shared(void **state)
{
    struct bench *b = *state;
    struct err e;
    AUTO(text_free) char *good = make_jwt(b->key, HEAD, CLAIMS);
    AUTO(text_free) char *url = loop_url(b->server, "/.well-known/jwks.json");
    assert_int_equal(verify_jwt(b, good, &e), TL_OK);
    assert_null(jwks_share(b->keys, b->allow, STR("https://elsewhere.example.com/jwks")));
    assert_null(jwks_share(NULL, b->allow, str_of(url)));
    struct jwks *again = jwks_share(b->keys, b->allow, str_of(url));
    assert_non_null(again);
    b->keys = jwks_free(b->keys); /* the generation before ends */
    b->keys = again;
    assert_int_equal(verify_with(b, again, true, good, &e), TL_OK);
    assert_int_equal(loop_requests(b->server), 1);
}

static void test_key_rotation(void **state)
{
    struct bench *b = *state;
    struct err e;
    AUTO(text_free) char *first = make_jwt(b->key, HEAD, CLAIMS);
    assert_int_equal(verify_jwt(b, first, &e), TL_OK);
    publish(b, b->foreign, "k2");
    AUTO(text_free) char *second = make_jwt(b->foreign, "{\"alg\":\"RS256\",\"kid\":\"k2\"}", CLAIMS);
    assert_int_equal(verify_jwt(b, second, &e),
                     TL_E_DENIED); /* asked less than a minute ago: a flood fetches nothing */
    assert_int_equal(loop_requests(b->server), 1);
    env_sim_advance(&b->sim, 61 * US_PER_S);
    assert_int_equal(verify_jwt(b, second, &e), TL_OK);
    assert_int_equal(verify_jwt(b, first, &e), TL_E_DENIED);
    b->status = 500;
    env_sim_advance(&b->sim, 2 * US_PER_DAY);
    AUTO(text_free)
    char *late = make_jwt(b->foreign, "{\"alg\":\"RS256\",\"kid\":\"k2\"}",
                          "{\"iss\":\"orgId:7\",\"aud\":\"webhookId:9\",\"exp\":1900000000}");
    assert_int_equal(verify_jwt(b, late, &e), TL_E_TEMPORARY);
}

static int verify(int32_t scheme, const char *secret, const char *header, const char *body, const char *path)
{
    const tl_pair headers[] = {{TL_STR("x-sign"), str_of(header)}};
    tl_hook_request r = {
        .struct_size = sizeof r, .headers = headers, .n_headers = header ? 1 : 0, .body = str_of(body)};
    struct hook_rule rule = {.scheme = scheme, .header = STR("x-sign"), .secret = str_of(secret)};
    struct err e = {0};
    return hook_verify(&rule, &r, str_of(path), &env_real, &e);
}

static void test_shared_secrets(void **state)
{
    (void)state;
    const char *secret = "0123456789abcdef0123456789abcdef";
    assert_int_equal(verify(TL_HOOK_SECRET_PATH, secret, NULL, "", secret), TL_OK);
    assert_int_equal(verify(TL_HOOK_SECRET_PATH, secret, NULL, "", "0123456789abcdef0123456789abcdeX"), TL_E_DENIED);
    assert_int_equal(verify(TL_HOOK_SECRET_PATH, secret, NULL, "", ""), TL_E_DENIED);
    assert_int_equal(verify(TL_HOOK_SECRET_PATH, "", NULL, "", ""), TL_E_DENIED);
    assert_int_equal(verify(TL_HOOK_SECRET_PATH, "short", NULL, "", "short"), TL_E_DENIED);
    assert_int_equal(verify(TL_HOOK_HEADER_TOKEN, secret, secret, "", ""), TL_OK);
    assert_int_equal(verify(TL_HOOK_HEADER_TOKEN, secret, "0123", "", secret), TL_E_DENIED);
    assert_int_equal(verify(TL_HOOK_HEADER_TOKEN, secret, NULL, "", secret), TL_E_DENIED);
    assert_int_equal(verify(99, secret, secret, "", secret), TL_E_DENIED);
}

static void test_hmac(void **state)
{
    (void)state;
    const char *key = "0123456789abcdef0123456789abcdef", *body = "{\"a\":1}";
    unsigned char mac[32];
    char hex[65], base64[64], prefixed[80];
    crypto_auth_hmacsha256_state s;
    crypto_auth_hmacsha256_init(&s, (const unsigned char *)key, strlen(key));
    crypto_auth_hmacsha256_update(&s, (const unsigned char *)body, strlen(body));
    crypto_auth_hmacsha256_final(&s, mac);
    sodium_bin2hex(hex, sizeof hex, mac, sizeof mac);
    sodium_bin2base64(base64, sizeof base64, mac, sizeof mac, sodium_base64_VARIANT_ORIGINAL);
    snprintf(prefixed, sizeof prefixed, "sha256=%s", hex);
    assert_int_equal(verify(TL_HOOK_HMAC_SHA256, key, hex, body, ""), TL_OK);
    assert_int_equal(verify(TL_HOOK_HMAC_SHA256, key, base64, body, ""), TL_OK);
    assert_int_equal(verify(TL_HOOK_HMAC_SHA256, key, prefixed, body, ""), TL_OK);
    assert_int_equal(verify(TL_HOOK_HMAC_SHA256, key, hex, "{\"a\":2}", ""), TL_E_DENIED);
    hex[0] = hex[0] == '0' ? '1' : '0';
    assert_int_equal(verify(TL_HOOK_HMAC_SHA256, key, hex, body, ""), TL_E_DENIED);
    assert_int_equal(verify(TL_HOOK_HMAC_SHA256, key, "zz", body, ""), TL_E_DENIED);
    assert_int_equal(verify(TL_HOOK_HMAC_SHA256, key, NULL, body, ""), TL_E_DENIED);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_jwt),
        T(test_jwt_forgeries),
        T(test_at_once),
        T(test_keys_are_shared),
        T(test_key_rotation),
        cmocka_unit_test(test_shared_secrets),
        cmocka_unit_test(test_hmac),
    };
    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
