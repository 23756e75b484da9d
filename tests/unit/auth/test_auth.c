/* Authorisation against a scripted token server: flows, refreshing, who waits for whom, what is kept when. */
#include "unit/unit.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth_bed.h"
#include "seal.h"
#include "times.h"

struct bench {
    struct auth_bed bed; /* its lock guards what follows */
    /* the token server */
    int tokens_issued, api_calls, api_refused;
    char last_form[8192], last_headers[1024];
    char valid[64]; /* the access token the API takes now */
    bool rotate, always_expired;
    const char *token_answer; /* instead of a token */
    int token_status;
    bool token_lost;
    const char *extra; /* further members of the token answer */
    /* the store */
    int saves;
    char valid_at_save[64], used_before_save[8];
};

/* --- the server --- */

static void token_request(struct bench *b, const struct loop_request *r, struct loop_reply *a, char *text, size_t cap)
{
    snprintf(b->last_form, sizeof b->last_form, "%.8000s", r->body);
    if (b->token_lost) {
        a->status = 0;
        return;
    }
    if (b->token_answer) {
        a->status = b->token_status;
        a->body = b->token_answer;
        return;
    }
    int n = ++b->tokens_issued;
    snprintf(b->valid, sizeof b->valid, "access-token-%d", n);
    char refresh[64] = "";
    if (b->rotate)
        snprintf(refresh, sizeof refresh, ",\"refresh_token\":\"refresh-token-%d\"", n);
    snprintf(text, cap, "{\"access_token\":\"%s\"%s%s,\"token_type\":\"Bearer\"}", b->valid, refresh, b->extra);
    a->body = text;
}

static void handler(void *ctx, const struct loop_request *r, struct loop_reply *a)
{
    static _Thread_local char text[1024];
    struct bench *b = ctx;
    pthread_mutex_lock(&b->bed.lock);
    if (strcmp(r->target, "/token") == 0)
        token_request(b, r, a, text, sizeof text);
    else if (strncmp(r->target, "/api", 4) == 0) {
        char given[128], wanted[128];
        loop_header(r, "Authorization", given, sizeof given);
        snprintf(b->last_headers, sizeof b->last_headers, "%s", given);
        snprintf(wanted, sizeof wanted, "Bearer %s", b->valid);
        b->api_calls++;
        if (b->always_expired || strcmp(given, wanted) != 0) {
            b->api_refused++;
            a->status = 401;
            a->body = "[{\"errorCode\":\"INVALID_SESSION_ID\"}]";
        } else
            a->body = "{\"ok\":true}";
    } else if (strcmp(r->target, "/revoke") == 0)
        snprintf(b->last_form, sizeof b->last_form, "%.8000s", r->body);
    else
        a->status = 404;
    pthread_mutex_unlock(&b->bed.lock);
}

/* --- what the connector would give --- */

static int32_t verdict(void *ctx, int32_t status, str body)
{
    (void)ctx;
    (void)body;
    return status == 401 ? TL_AUTH_EXPIRED : TL_AUTH_UNRELATED;
}

static tl_status token_error(void *ctx, int32_t status, str body, tl_error *error)
{
    (void)ctx;
    (void)status;
    bool dead = body.n && memmem(body.p, body.n, "invalid_code", 12);
    bool client = body.n && memmem(body.p, body.n, "invalid_client", 14);
    bool slow = body.n && memmem(body.p, body.n, "Access Denied", 13);
    snprintf(error->text, sizeof error->text, "%s", dead ? "the grant has been revoked" : "refused access-token-1");
    snprintf(error->code, sizeof error->code, "%s", dead ? "invalid_code" : "other");
    error->retry_after_ms = slow ? 600000 : 0;
    return dead ? TL_E_AUTH : client ? TL_E_CONFIG : slow ? TL_E_THROTTLED : TL_E_TEMPORARY;
}

static int store_save(void *ctx, str secret, struct err *e)
{
    struct bench *b = ctx;
    pthread_mutex_lock(&b->bed.lock);
    int rc = auth_bed_save(&b->bed, secret, e);
    if (rc == TL_OK) {
        b->saves++;
        snprintf(b->valid_at_save, sizeof b->valid_at_save, "%s", b->valid);
        /* had the new access token been used before it was durable? */
        snprintf(b->used_before_save, sizeof b->used_before_save, "%s",
                 b->valid[0] && strstr(b->last_headers, b->valid) ? "yes" : "no");
    }
    pthread_mutex_unlock(&b->bed.lock);
    return rc;
}

static const tl_auth_flow flows[] = {
    {.name = "jwt_bearer",
     .needs = "private_key,username",
     .token_url = "{login_url}/token",
     .form = "grant_type=jwt&assertion={assertion}",
     .assertion_key = "private_key",
     .assertion_lifetime_s = 180,
     .assertion = "{\"iss\":\"{client_id}\",\"sub\":\"{username}\",\"aud\":\"{login_url}\",\"exp\":{expires}}"},
    {.name = "refresh_token",
     .needs = "refresh_token,client_id",
     .token_url = "{login_url}/token",
     .form = "grant_type=refresh_token&refresh_token={refresh_token}&client_id={client_id}"},
    {.name = "client_credentials",
     .needs = "client_id,client_secret",
     .token_url = "{login_url}/token",
     .form = "grant_type=client_credentials&client_id={client_id}&client_secret={client_secret}"},
    {.name = "authorization_code",
     .needs = "code,client_id",
     .token_url = "{login_url}/token",
     .form = "grant_type=authorization_code&code={code}&client_id={client_id}"},
};

static const tl_auth described = {
    .struct_size = sizeof(tl_auth),
    .n_flows = ARRAY_LEN(flows),
    .flow_stride = sizeof *flows,
    .flows = flows,
    .header = "Authorization",
    .prefix = "Bearer ",
    .access_member = "access_token",
    .refresh_member = "refresh_token",
    .lifetime_member = "expires_in",
    .extras = "instance_url,id",
    .url_extras = "instance_url",
    .revoke_url = "{login_url}/revoke",
    .revoke_form = "token={refresh_token}",
    .default_lifetime_s = 3600,
};

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    b->extra = "";
    b->token_status = 200;
    auth_bed_open(&b->bed, &described, handler, b);
    b->bed.sim.mono = 1000 * US_PER_S;
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    auth_bed_done(&b->bed);
    free(b);
    return 0;
}

static void start(struct bench *b, const char *const *options)
{
    const struct auth_config config = {
        .endpoint = "sf",
        .store = {b, auth_bed_load, store_save},
        .verdict = verdict,
        .token_error = token_error,
    };
    auth_bed_start(&b->bed, config, options);
}

static const char *const with_secret[] = {"client_id", "id", "client_secret", "s&cret=1", NULL};
static const char *const with_refresh[] = {"client_id", "id", "refresh_token", "refresh-token-0", NULL};

/* One API request; its outcome and status. */
static tl_status call(struct bench *b, int32_t *status, char *error, size_t cap)
{
    AUTO(auth_answers_free) struct auth_answers *keep = auth_answers_new(false);
    AUTO(text_free) char *url = text_fmt("%s/api/x", b->bed.base);
    const tl_pair own[] = {{TL_STR("authorization"), TL_STR("Bearer forged")}};
    tl_http h = {.struct_size = sizeof h, .method = "GET", .url = str_of(url), .headers = own, .n_headers = 1};
    struct err e = {0};
    auth_http(b->bed.auth, keep, &h, 1, NULL, NULL, &e);
    if (status)
        *status = h.status;
    if (error)
        snprintf(error, cap, "%s", h.error);
    return h.outcome;
}

static void expect_ok(struct bench *b)
{
    int32_t status = 0;
    char error[128];
    if (call(b, &status, error, sizeof error) != TL_OK || status != 200)
        fail_msg("HTTP %d %s", (int)status, error);
}

static enum auth_state state_of(struct bench *b)
{
    struct auth_status s;
    auth_status_get(b->bed.auth, &s);
    return s.state;
}

/* --- tests --- */

static void test_signs_in_once(void **state)
{
    struct bench *b = *state;
    start(b, with_secret);
    assert_int_equal(state_of(b), AUTH_NONE);
    expect_ok(b);
    expect_ok(b);
    assert_int_equal(b->tokens_issued, 1);
    assert_string_equal(b->last_headers, "Bearer access-token-1"); /* not the connector's own */
    assert_string_equal(b->last_form, "grant_type=client_credentials&client_id=id&client_secret=s%26cret%3D1");
    struct auth_status s;
    auth_status_get(b->bed.auth, &s);
    assert_int_equal(s.state, AUTH_OK);
    assert_string_equal(s.flow, "client_credentials");
    assert_int_equal(s.expires_us, b->bed.sim.now + 3600 * US_PER_S); /* no expires_in: the default */
}

static void test_no_way_to_sign_in(void **state)
{
    struct bench *b = *state;
    start(b, NULL);
    char error[128];
    assert_int_equal(call(b, NULL, error, sizeof error), TL_E_CONFIG);
    assert_non_null(strstr(error, "is not set, nor "));
    struct auth_status s;
    auth_status_get(b->bed.auth, &s);
    assert_non_null(strstr(s.hint, "endpoint auth sf"));
    assert_int_equal(loop_requests(b->bed.server), 0);
}

static void test_refreshes_before_the_end(void **state)
{
    struct bench *b = *state;
    b->extra = ",\"expires_in\":3600000"; /* milliseconds, as some have answered */
    start(b, with_refresh);
    expect_ok(b);
    env_sim_advance(&b->bed.sim, 3200 * US_PER_S);
    expect_ok(b);
    assert_int_equal(b->tokens_issued, 1);
    env_sim_advance(&b->bed.sim, 150 * US_PER_S); /* 250 s are left */
    assert_int_equal(state_of(b), AUTH_EXPIRING);
    expect_ok(b);
    assert_int_equal(b->tokens_issued, 2);
    assert_int_equal(b->api_refused, 0);
    b->token_answer = "<html>busy</html>"; /* an early refresh that fails is no harm */
    env_sim_advance(&b->bed.sim, 3400 * US_PER_S);
    expect_ok(b);
    expect_ok(b);
    env_sim_advance(&b->bed.sim, 250 * US_PER_S);
    assert_int_equal(call(b, NULL, NULL, 0), TL_E_TEMPORARY);
}

static void test_expired_token_is_refreshed_and_repeated_once(void **state)
{
    struct bench *b = *state;
    start(b, with_secret);
    expect_ok(b);
    snprintf(b->valid, sizeof b->valid, "revoked-meanwhile");
    expect_ok(b);
    assert_int_equal(b->tokens_issued, 2);
    assert_int_equal(b->api_calls, 3);
}

static void test_no_refresh_loop(void **state)
{
    struct bench *b = *state;
    start(b, with_secret);
    b->always_expired = true; /* policy: every token is refused */
    int32_t status = 0;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(call(b, &status, NULL, 0), TL_OK);
        assert_int_equal(status, 401);
    }
    assert_int_equal(b->tokens_issued, 2); /* the first, one refresh, and not again at once */
    assert_int_equal(b->api_calls, 11);
    for (int waited = 0; waited < 590; waited += 5) { /* a call every 5 s: within the limit of 5 in ten minutes */
        env_sim_advance(&b->bed.sim, 5 * US_PER_S);
        tl_status outcome = call(b, &status, NULL, 0);
        assert_true(outcome == TL_OK ? status == 401 : outcome == TL_E_TEMPORARY);
    }
    assert_int_equal(b->tokens_issued, 5);
}

/* Two refusals in a row, as when the vendor takes back what it has just issued: the next try but one signs in anew. */
static void test_two_refusals_heal(void **state)
{
    struct bench *b = *state;
    int32_t status = 0;
    start(b, with_secret);
    b->always_expired = true;
    assert_int_equal(call(b, &status, NULL, 0), TL_OK);
    assert_int_equal(status, 401);
    b->always_expired = false;
    snprintf(b->valid, sizeof b->valid, "taken-back");
    assert_int_equal(call(b, &status, NULL, 0), TL_OK);
    assert_int_equal(status, 401); /* right after it: nothing is asked for */
    env_sim_advance(&b->bed.sim, 11 * US_PER_S);
    int issued = b->tokens_issued;
    expect_ok(b);
    assert_int_equal(b->tokens_issued, issued + 1);
    snprintf(b->valid, sizeof b->valid, "taken-back-again"); /* what worked counts as a new beginning */
    expect_ok(b);
}

struct caller {
    struct bench *b;
    pthread_t thread;
    tl_status outcome;
    int32_t status;
};

static void *call_thread(void *arg)
{
    struct caller *c = arg;
    c->outcome = call(c->b, &c->status, NULL, 0);
    return NULL;
}

static void together(struct bench *b, tl_status outcome)
{
    struct caller all[8];
    for (int i = 0; i < 8; i++) {
        all[i] = (struct caller){.b = b};
        assert_int_equal(pthread_create(&all[i].thread, NULL, call_thread, &all[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(all[i].thread, NULL);
        assert_int_equal(all[i].outcome, outcome);
        if (outcome == TL_OK)
            assert_int_equal(all[i].status, 200);
    }
}

static void test_single_flight(void **state)
{
    struct bench *b = *state;
    b->rotate = true; /* two refreshes at once would lock each other out */
    start(b, with_refresh);
    together(b, TL_OK);
    assert_int_equal(b->tokens_issued, 1);
    pthread_mutex_lock(&b->bed.lock);
    snprintf(b->valid, sizeof b->valid, "revoked-meanwhile");
    pthread_mutex_unlock(&b->bed.lock);
    together(b, TL_OK);
    assert_int_equal(b->tokens_issued, 2);
    assert_string_equal(b->last_form, "grant_type=refresh_token&refresh_token=refresh-token-1&client_id=id");
}

static void test_failure_is_shared(void **state)
{
    struct bench *b = *state;
    b->token_answer = "{\"error\":\"general_error\"}";
    start(b, with_secret);
    together(b, TL_E_TEMPORARY);
    assert_in_range(loop_requests(b->bed.server), 1, 5);
}

static void test_rotated_token_is_durable_before_use(void **state)
{
    struct bench *b = *state;
    b->rotate = true;
    start(b, with_refresh);
    expect_ok(b);
    assert_int_equal(b->saves, 1);
    assert_string_equal(b->valid_at_save, "access-token-1");
    assert_string_equal(b->used_before_save, "no");

    b->bed.refuse_saves = 2; /* disk full: the new token must neither be used nor be lost */
    snprintf(b->valid, sizeof b->valid, "revoked-meanwhile");
    assert_int_equal(call(b, NULL, NULL, 0), TL_E_TEMPORARY);
    assert_int_equal(b->tokens_issued, 2);
    assert_null(strstr(b->last_headers, "access-token-2"));
    assert_int_equal(call(b, NULL, NULL, 0), TL_E_TEMPORARY);
    expect_ok(b);
    assert_int_equal(b->tokens_issued, 2); /* not issued again */
    assert_string_equal(b->used_before_save, "no");
}

static void test_restart_keeps_tokens(void **state)
{
    struct bench *b = *state;
    b->rotate = true;
    start(b, with_refresh);
    expect_ok(b);
    start(b, with_refresh);
    assert_int_equal(state_of(b), AUTH_OK);
    expect_ok(b);
    assert_int_equal(b->tokens_issued, 1);
    env_sim_advance(&b->bed.sim, 4000 * US_PER_S);
    expect_ok(b);
    assert_non_null(strstr(b->last_form, "refresh-token-1")); /* the rotated one, not the option */
    /* another refresh token in the configuration is what the operator wants now */
    static const char *const other[] = {"client_id", "id", "refresh_token", "entered-by-hand", NULL};
    start(b, other);
    expect_ok(b);
    assert_non_null(strstr(b->last_form, "entered-by-hand"));
    b->rotate = false; /* an answer without one keeps what was used */
    env_sim_advance(&b->bed.sim, 4000 * US_PER_S);
    expect_ok(b);
    assert_non_null(strstr(b->last_form, "refresh-token-3"));
}

static void test_limit_of_refreshes(void **state)
{
    struct bench *b = *state;
    start(b, with_secret);
    int32_t status = 0;
    for (int i = 0; i < 5; i++) {
        expect_ok(b);
        snprintf(b->valid, sizeof b->valid, "revoked-meanwhile");
    }
    assert_int_equal(b->tokens_issued, 5);
    char error[128];
    assert_int_equal(call(b, &status, error, sizeof error), TL_E_TEMPORARY);
    assert_non_null(strstr(error, "limit"));
    assert_int_equal(b->tokens_issued, 5);
    env_sim_advance(&b->bed.sim, 601 * US_PER_S);
    expect_ok(b);
    assert_int_equal(b->tokens_issued, 6);
}

/* Zoho says most of its refusals with HTTP 200. */
static void test_refusals(void **state)
{
    struct bench *b = *state;
    start(b, with_secret);
    b->token_answer = "{\"error\":\"invalid_code\"}";
    char error[128];
    assert_int_equal(call(b, NULL, error, sizeof error), TL_E_AUTH);
    assert_string_equal(error, "sign-in: the grant has been revoked");
    assert_int_equal(state_of(b), AUTH_FAILED);
    int requests = loop_requests(b->bed.server);
    assert_int_equal(call(b, NULL, NULL, 0), TL_E_AUTH);
    assert_int_equal(loop_requests(b->bed.server), requests); /* not asked again at once */

    b->token_answer = NULL;
    struct err e = {0};
    assert_int_equal(auth_ensure(b->bed.auth, true, NULL, &e), TL_OK);
    assert_int_equal(state_of(b), AUTH_OK);

    b->token_answer = "{\"error\":\"Access Denied\",\"status\":\"failure\"}";
    b->token_status = 400;
    snprintf(b->valid, sizeof b->valid, "revoked-meanwhile");
    assert_int_equal(call(b, NULL, NULL, 0), TL_E_TEMPORARY);
    b->token_answer = NULL;
    env_sim_advance(&b->bed.sim, 500 * US_PER_S);
    assert_int_equal(call(b, NULL, NULL, 0), TL_E_TEMPORARY); /* told to wait 600 s */
    env_sim_advance(&b->bed.sim, 101 * US_PER_S);
    expect_ok(b);
}

/* The vendor calls the token expired and the token server has trouble: the state tells so, never "signed in", and what
 * was answered without a token does not use up the sign-ins that are allowed. */
static void test_trouble_is_told(void **state)
{
    struct bench *b = *state;
    start(b, with_secret);
    expect_ok(b);
    snprintf(b->valid, sizeof b->valid, "revoked-meanwhile");
    b->token_answer = "<html>busy</html>";
    struct auth_status s;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(call(b, NULL, NULL, 0), TL_E_TEMPORARY);
        auth_status_get(b->bed.auth, &s);
        assert_int_equal(s.state, AUTH_WAITING);
        assert_int_equal(s.expires_us, 0);
        assert_true(s.retry_us > env_now_us(&b->bed.sim.env) &&
                    s.retry_us <= env_now_us(&b->bed.sim.env) + 10 * US_PER_S);
        assert_non_null(strstr(s.hint, "endpoint auth"));
        env_sim_advance(&b->bed.sim, 11 * US_PER_S);
    }
    struct err e = {0};
    assert_int_equal(auth_ensure(b->bed.auth, true, NULL, &e), TL_E_TEMPORARY); /* really tried */
    int requests = loop_requests(b->bed.server);
    assert_int_equal(call(b, NULL, NULL, 0), TL_E_TEMPORARY);
    assert_int_equal(loop_requests(b->bed.server), requests); /* the token is known to be dead, the pause holds */
    b->token_answer = NULL;
    auth_hurry(b->bed.auth); /* a person asks: no pause */
    expect_ok(b);
    auth_status_get(b->bed.auth, &s);
    assert_int_equal(s.state, AUTH_OK);
    assert_string_equal(s.words, "signed in");
}

static void test_secrets_never_show(void **state)
{
    struct bench *b = *state;
    start(b, with_secret);
    expect_ok(b); /* "access-token-1" is known as a secret now; the connector's text repeats it */
    b->token_answer = "{\"error\":\"other\"}";
    env_sim_advance(&b->bed.sim, 4000 * US_PER_S);
    struct err e = {0};
    assert_int_equal(auth_ensure(b->bed.auth, false, NULL, &e), TL_E_TEMPORARY);
    assert_null(strstr(e.text, "access-token-1"));
    assert_non_null(strstr(e.text, "refused"));
}

static void test_lost_token_answer(void **state)
{
    struct bench *b = *state;
    start(b, with_refresh);
    b->token_lost = true;
    assert_int_equal(call(b, NULL, NULL, 0), TL_E_TEMPORARY);
    pthread_mutex_lock(&b->bed.lock);
    b->token_lost = false;
    pthread_mutex_unlock(&b->bed.lock);
    env_sim_advance(&b->bed.sim, 31 * US_PER_S);
    expect_ok(b);
}

static void test_extras_and_their_hosts(void **state)
{
    struct bench *b = *state;
    AUTO(text_free) char *good = text_fmt(",\"instance_url\":\"%s\",\"id\":\"x/00D/005\"", b->bed.base);
    b->extra = good;
    start(b, with_secret);
    AUTO(buf_done) struct buf url = {0}, none = {0}, filled = {0};
    struct err e = {0};
    assert_int_equal(auth_extra(b->bed.auth, "instance_url", NULL, &url, &e), TL_OK);
    assert_buf(url, b->bed.base);
    assert_int_equal(auth_extra(b->bed.auth, "nothing", NULL, &none, &e), TL_OK);
    assert_int_equal(none.n, 0);
    assert_int_equal(auth_fill(b->bed.auth, "orgId:{org_key}/{id}", STR("7"), &filled, &e), TL_OK);
    assert_buf(filled, "orgId:7/x/00D/005");

    b->extra = ",\"instance_url\":\"https://evil.example\"";
    env_sim_advance(&b->bed.sim, 4000 * US_PER_S);
    assert_int_equal(call(b, NULL, NULL, 0), TL_E_CONFIG);
    assert_int_equal(b->api_calls, 0);
}

/* A pair of names is what HTTP Basic wants [RFC 7617, 2]; the second may be empty. The header's name may be a template.
 */
static void test_basic_credentials_and_a_header_of_ones_own(void **state)
{
    struct bench *b = *state;
    static const char *const options[] = {"client_id", "Aladdin", "client_secret", "open sesame", NULL};
    start(b, options);
    AUTO(buf_done) struct buf both = {0}, user_only = {0}, none = {0};
    struct err e = {0};
    assert_int_equal(auth_fill(b->bed.auth, "Basic {client_id:client_secret}", (str){NULL, 0}, &both, &e), TL_OK);
    assert_buf(both, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_int_equal(auth_fill(b->bed.auth, "{client_id:nothing}", (str){NULL, 0}, &user_only, &e), TL_OK);
    assert_buf(user_only, "QWxhZGRpbjo=");
    assert_int_equal(auth_fill(b->bed.auth, "{nothing:client_secret}", (str){NULL, 0}, &none, &e), TL_E_CONFIG);
    assert_int_equal(none.n, 0);
}

static char *test_key(char **public_pem)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    BIO *bio = BIO_new(BIO_s_mem()), *pub = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    PEM_write_bio_PUBKEY(pub, key);
    char *p = NULL;
    long n = BIO_get_mem_data(bio, &p);
    char *pem = str_dup(str_n(p, (size_t)n));
    n = BIO_get_mem_data(pub, &p);
    *public_pem = str_dup(str_n(p, (size_t)n));
    BIO_free(bio);
    BIO_free(pub);
    EVP_PKEY_free(key);
    return pem;
}

static bool signature_fits(const char *jwt, const char *public_pem)
{
    const char *last = strrchr(jwt, '.');
    unsigned char signature[512];
    size_t n = 0;
    if (sodium_base642bin(signature, sizeof signature, last + 1, strlen(last + 1), NULL, &n, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING))
        return false;
    BIO *bio = BIO_new_mem_buf(public_pem, -1);
    EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, key);
    int good = EVP_DigestVerify(md, signature, n, (const unsigned char *)jwt, (size_t)(last - jwt));
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(key);
    BIO_free(bio);
    return good == 1;
}

static void test_jwt_bearer(void **state)
{
    struct bench *b = *state;
    char *public_pem = NULL;
    AUTO(text_free) char *pem = test_key(&public_pem);
    const char *const options[] = {"client_id", "id\"x",         "username", "u@x", "private_key",
                                   pem,         "client_secret", "s",        NULL};
    start(b, options);
    expect_ok(b);
    const char *jwt = strstr(b->last_form, "assertion=");
    assert_non_null(jwt);
    assert_true(signature_fits(jwt + 10, public_pem));
    char claims[1024];
    size_t n = 0;
    const char *part = strchr(jwt, '.') + 1;
    assert_int_equal(sodium_base642bin((unsigned char *)claims, sizeof claims - 1, part, strcspn(part, "."), NULL, &n,
                                       NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING),
                     0);
    claims[n] = '\0';
    AUTO(text_free)
    char *wanted = text_fmt("{\"iss\":\"id\\\"x\",\"sub\":\"u@x\",\"aud\":\"%s\",\"exp\":1800000180}", b->bed.base);
    assert_string_equal(claims, wanted);
    text_free(public_pem);

    const char *const bad[] = {"client_id", "id", "username", "u@x", "private_key", "no key at all", NULL};
    b->bed.auth = auth_free(b->bed.auth);
    buf_clear(&b->bed.kept);
    start(b, bad);
    char error[128];
    assert_int_equal(call(b, NULL, error, sizeof error), TL_E_CONFIG);
    assert_non_null(strstr(error, "private key"));
}

static int save_that_changes_options(void *ctx, str secret, struct err *e)
{
    struct bench *b = ctx;
    const tl_pair changed[] = {{TL_STR("login_url"), str_of(b->bed.base)},
                               {TL_STR("client_id"), TL_STR("id2")},
                               {TL_STR("client_secret"), TL_STR("s2")}};
    int rc = auth_options_set(b->bed.auth, changed, ARRAY_LEN(changed), e); /* as the control thread would, meanwhile */
    return rc ? rc : store_save(ctx, secret, e);
}

/* New options in the middle of a sign-in wait for nobody and count from the next one on. */
static void test_options_change_during_sign_in(void **state)
{
    struct bench *b = *state;
    start(b, with_secret);
    b->bed.auth->store.save = save_that_changes_options;
    struct err e = {0};
    assert_int_equal(auth_ensure(b->bed.auth, false, NULL, &e), TL_OK);
    b->bed.auth->store.save = store_save;
    expect_ok(b);
    assert_int_equal(b->tokens_issued, 2);
    assert_string_equal(b->last_form, "grant_type=client_credentials&client_id=id2&client_secret=s2");
}

static int exchange(struct bench *b, const char *code, struct err *e)
{
    return auth_exchange_code(b->bed.auth, &(struct auth_grant){.code = str_of(code)}, e);
}

static void test_code_exchange(void **state)
{
    struct bench *b = *state;
    static const char *const only_id[] = {"client_id", "id", NULL};
    start(b, only_id);
    struct err e = {0};
    assert_int_equal(exchange(b, " 1000.grant.code ", &e), TL_E_AUTH); /* no refresh token */
    b->rotate = true;
    assert_int_equal(exchange(b, "1000.grant.code", &e), TL_OK);
    assert_string_equal(b->last_form, "grant_type=authorization_code&code=1000.grant.code&client_id=id");
    expect_ok(b);
    env_sim_advance(&b->bed.sim, 4000 * US_PER_S);
    expect_ok(b);
    assert_string_equal(b->last_form, "grant_type=refresh_token&refresh_token=refresh-token-2&client_id=id");
    b->token_answer = "{\"error\":\"invalid_code\"}"; /* a mistyped code spoils nothing */
    assert_int_equal(exchange(b, "1000.other", &e), TL_E_AUTH);
    expect_ok(b);
    b->token_answer = NULL;
    struct err untold;
    assert_int_equal(auth_revoke(b->bed.auth, &untold, &e), TL_OK);
    assert_non_null(strstr(b->last_form, "token=refresh-token-3"));
    assert_int_equal(b->bed.kept.n, 0);
    assert_int_equal(state_of(b), AUTH_NONE);
}

static void test_only_allowed_hosts_get_the_header(void **state)
{
    struct bench *b = *state;
    start(b, with_secret);
    AUTO(auth_answers_free) struct auth_answers *keep = auth_answers_new(false);
    AUTO(text_free) char *url = text_fmt("%s/api/1", b->bed.base), *open = text_fmt("%s/api/2", b->bed.base);
    tl_http h[3] = {
        {.struct_size = sizeof(tl_http), .method = "GET", .url = str_of(url)},
        {.struct_size = sizeof(tl_http), .method = "GET", .url = STR("https://evil.example/")},
        {.struct_size = sizeof(tl_http), .method = "GET", .url = str_of(open), .flags = TL_HTTP_NO_AUTH},
    };
    struct err e = {0};
    assert_int_equal(auth_http(b->bed.auth, keep, h, 3, NULL, NULL, &e), TL_OK);
    assert_int_equal(h[0].status, 200);
    assert_int_equal(h[1].outcome, TL_E_DENIED);
    assert_int_equal(h[2].status, 401); /* sent without, and not refreshed for */
    assert_int_equal(b->tokens_issued, 1);
    h[0].body_blob = 7;
    assert_int_equal(auth_http(b->bed.auth, keep, h, 1, NULL, NULL, &e), TL_E_INVALID);
}

static void test_token_bytes_from_disk(void **state)
{
    (void)state;
    AUTO(tokens_done) struct tokens t = {0}, back = {0};
    AUTO(buf_done) struct buf bytes = {0};
    buf_text_add(&t.access, "access");
    t.expires_us = 123456789;
    t.lifetime_us = 5;
    tokens_extra_set(&t, "instance_url", STR("https://x"));
    tokens_encode(&t, &bytes);
    assert_true(tokens_decode(&back, buf_lent(&bytes)));
    assert_buf(back.access, "access");
    assert_string_equal(tokens_extra(&back, STR("instance_url")), "https://x");
    for (size_t n = 0; n < bytes.n; n++) { /* every prefix is either refused or complete without the extra */
        AUTO(tokens_done) struct tokens cut = {0};
        if (tokens_decode(&cut, str_n(bytes.p, n)))
            assert_null(cut.extras);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_signs_in_once),
        T(test_no_way_to_sign_in),
        T(test_refreshes_before_the_end),
        T(test_expired_token_is_refreshed_and_repeated_once),
        T(test_no_refresh_loop),
        T(test_two_refusals_heal),
        T(test_single_flight),
        T(test_failure_is_shared),
        T(test_rotated_token_is_durable_before_use),
        T(test_restart_keeps_tokens),
        T(test_limit_of_refreshes),
        T(test_refusals),
        T(test_trouble_is_told),
        T(test_secrets_never_show),
        T(test_lost_token_answer),
        T(test_extras_and_their_hosts),
        T(test_basic_credentials_and_a_header_of_ones_own),
        T(test_jwt_bearer),
        T(test_options_change_during_sign_in),
        T(test_code_exchange),
        T(test_only_allowed_hosts_get_the_header),
        cmocka_unit_test(test_token_bytes_from_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
