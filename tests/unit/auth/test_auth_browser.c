/* Signing in by browser against a scripted token server: the page's address, PKCE, what the redirect may change, what
 * was granted, a trial before anything counts, revocation. */
#include "unit/unit.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth_bed.h"
#include "times.h"

struct bench {
    struct auth_bed bed;       /* its lock guards what follows */
    struct loop_server *other; /* the sign-in server of another data centre */
    char *other_base;
    char form[4096]; /* the last one */
    int asked, asked_other, revoked;
    const char *answer;
    int revoke_status;
};

static void handler(void *ctx, const struct loop_request *r, struct loop_reply *a)
{
    struct bench *b = ctx;
    pthread_mutex_lock(&b->bed.lock);
    snprintf(b->form, sizeof b->form, "%.4000s", r->body);
    a->body = b->answer;
    if (strcmp(r->target, "/revoke") == 0) {
        b->revoked++;
        a->status = b->revoke_status;
        a->body = "";
    } else {
        b->asked++;
    }
    pthread_mutex_unlock(&b->bed.lock);
}

static void other_handler(void *ctx, const struct loop_request *r, struct loop_reply *a)
{
    struct bench *b = ctx;
    (void)r;
    pthread_mutex_lock(&b->bed.lock);
    b->asked_other++;
    a->body = b->answer;
    pthread_mutex_unlock(&b->bed.lock);
}

static const tl_auth_flow flows[] = {
    {.name = "jwt_bearer", .needs = "username", .token_url = "{login_url}/token", .form = "username={username}"},
    {.name = "authorization_code",
     .needs = "code,redirect_uri,code_verifier,client_id",
     .token_url = "{login_url}/token",
     .form = "code={code}&redirect_uri={redirect_uri}&code_verifier={code_verifier}&client_id={client_id}"},
    {.name = "authorization_code",
     .needs = "code,client_id",
     .token_url = "{login_url}/token",
     .form = "code={code}&client_id={client_id}"},
    {.name = "refresh_token",
     .needs = "refresh_token,client_id",
     .token_url = "{login_url}/token",
     .form = "refresh_token={refresh_token}"},
    {.name = "client_credentials",
     .needs = "client_id,client_secret",
     .token_url = "{login_url}/token",
     .form = "client_id={client_id}&client_secret={client_secret}"},
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
    .extras = "id,scope",
    .authorize_url =
        "{login_url}/page?client_id={client_id}&redirect_uri={redirect_uri}&scope=x%20{scopes}&state={state}&"
        "code_challenge={code_challenge}&code_challenge_method=S256",
    .scopes = "Desk.a.ALL,Desk.b.READ",
    .scope_member = "scope",
    .redirect_bases = "accounts-server=login_url",
    .revoke_url = "{login_url}/revoke",
    .revoke_form = "token={refresh_token}",
    .default_lifetime_s = 3600,
};

#define GRANTED                                                                                                        \
    "{\"access_token\":\"access-one\",\"refresh_token\":\"refresh-one\",\"id\":\"org-one\",\"scope\":\"Desk.b.READ "   \
    "Desk.a.ALL\"}"

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    b->answer = GRANTED;
    b->revoke_status = 200;
    auth_bed_open(&b->bed, &described, handler, b);
    b->other = loop_start(other_handler, b);
    b->other_base = loop_url(b->other, "");
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    loop_stop(b->other);
    auth_bed_done(&b->bed);
    free(b->other_base);
    free(b);
    return 0;
}

static void start(struct bench *b, const char *const *options)
{
    const struct auth_config config = {.endpoint = "desk", .store = {&b->bed, auth_bed_load, auth_bed_save}};
    auth_bed_start(&b->bed, config, options);
}

static const char *const only_id[] = {"client_id", "the id", NULL};
static const char uri[] = "http://localhost:8447/t";

static int exchange(struct bench *b, struct auth *a, const char *query, struct err *e)
{
    const struct auth_grant g = {.code = STR("the-grant-code"),
                                 .redirect_uri = STR(uri),
                                 .code_verifier = STR("the-verifier"),
                                 .redirect = str_of(query)};
    (void)b;
    return auth_exchange_code(a, &g, e);
}

static void test_page(void **state)
{
    struct bench *b = *state;
    start(b, only_id);
    AUTO(buf_done) struct buf url = {0}, wanted = {0};
    struct err e = {0};
    assert_int_equal(
        auth_browse(b->bed.auth, uri, "the state", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", &url, &e), TL_OK);
    /* the verifier and challenge of RFC 7636, appendix B */
    buf_fmt(
        &wanted,
        "%s/"
        "page?client_id=the%%20id&redirect_uri=http%%3A%%2F%%2Flocalhost%%3A8447%%2Ft&scope=x%%20Desk.a.ALL%%2CDesk.b."
        "READ&state=the%%20state&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
        b->bed.base);
    assert_buf(url, buf_text(&wanted));
    assert_int_equal(auth_browse(b->bed.auth, "http://example.com/", "s", "v", &url, &e), TL_E_CONFIG);
    static const char *const nothing[] = {NULL};
    start(b, nothing);
    assert_int_equal(auth_browse(b->bed.auth, uri, "s", "v", &url, &e), TL_E_CONFIG);
    assert_non_null(strstr(e.text, "client_id"));
    char one[AUTH_TICKET_SIZE], two[AUTH_TICKET_SIZE];
    auth_ticket(&env_real, one);
    auth_ticket(&env_real, two);
    assert_int_equal(strlen(one), 43); /* RFC 7636, 4.1: 43 characters at least */
    assert_string_not_equal(one, two);
}

static void test_who_signs_in_alone(void **state)
{
    struct bench *b = *state;
    char flow[32] = "";
    struct err e = {0};
    AUTO(buf_done) struct buf url = {0};
    start(b, only_id);
    assert_false(auth_signs_in_alone(b->bed.auth, flow));
    assert_int_equal(exchange(b, b->bed.auth, "", &e), TL_OK);
    assert_false(auth_signs_in_alone(b->bed.auth, flow)); /* the kept token came from a person */
    static const char *const with_refresh[] = {"client_id", "id", "refresh_token", "of the INI", NULL};
    start(b, with_refresh);
    assert_true(auth_signs_in_alone(b->bed.auth, flow));
    assert_string_equal(flow, "refresh_token");
    assert_int_equal(auth_browse(b->bed.auth, uri, "s", "v", &url, &e), TL_OK); /* a person's would be used first */
    static const char *const with_key[] = {"client_id", "id", "username", "u", NULL};
    start(b, with_key);
    assert_true(auth_signs_in_alone(b->bed.auth, flow));
    assert_int_equal(auth_browse(b->bed.auth, uri, "s", "v", &url, &e), E_PRECONDITION); /* a person's would not */
    assert_non_null(strstr(e.text, "jwt_bearer"));
}

static void test_verifier_goes_with_the_code(void **state)
{
    struct bench *b = *state;
    start(b, only_id);
    struct err e = {0};
    assert_int_equal(exchange(b, b->bed.auth, "code=the-grant-code&state=s", &e), TL_OK);
    assert_string_equal(b->form,
                        "code=the-grant-code&redirect_uri=http%3A%2F%2Flocalhost%3A8447%2Ft&code_verifier=the-verifier&"
                        "client_id=the%20id");
    const struct auth_grant typed = {.code = STR("console-code")}; /* from the vendor's console */
    assert_int_equal(auth_exchange_code(b->bed.auth, &typed, &e), TL_OK);
    assert_string_equal(b->form, "code=console-code&client_id=the%20id");
}

static void test_redirect_names_another_server(void **state)
{
    struct bench *b = *state;
    start(b, only_id);
    AUTO(buf_done) struct buf query = {0}, evil = {0};
    struct err e = {0};
    buf_text_add(&query, "code=c&accounts-server=");
    buf_url(&query, str_of(b->other_base));
    assert_int_equal(exchange(b, b->bed.auth, buf_text(&query), &e), TL_E_CONFIG); /* not among the allowed */
    assert_non_null(strstr(e.text, "accounts-server"));
    assert_int_equal(b->asked + b->asked_other, 0); /* nobody learned the code or the client's secret */
    assert_int_equal(http_allow_url(b->bed.allow, str_of(b->other_base), &e), TL_OK);
    buf_fmt(&evil, "%s%%2Felsewhere", buf_text(&query));
    assert_int_equal(exchange(b, b->bed.auth, buf_text(&evil), &e), TL_E_CONFIG); /* a host alone may stand there */
    assert_int_equal(b->asked + b->asked_other, 0);
    assert_int_equal(exchange(b, b->bed.auth, buf_text(&query), &e), TL_OK);
    assert_int_equal(b->asked_other, 1);
    assert_int_equal(auth_acquire(b->bed.auth, b->bed.auth->generation, false, NULL, NULL, NULL, &e), TL_OK);
    assert_int_equal(b->asked_other, 2); /* and stays where it was made */
    start(b, only_id);
    assert_int_equal(auth_ensure(b->bed.auth, false, NULL, &e), TL_OK); /* also after a restart */
    assert_int_equal(auth_acquire(b->bed.auth, b->bed.auth->generation, false, NULL, NULL, NULL, &e), TL_OK);
    assert_int_equal(b->asked_other, 3);
    assert_int_equal(b->asked, 0);
    const tl_pair changed[] = {{TL_STR("login_url"), str_of(b->bed.base)}, {TL_STR("client_id"), TL_STR("other id")}};
    assert_int_equal(auth_options_set(b->bed.auth, changed, 2, &e), TL_OK);
    assert_int_equal(auth_ensure(b->bed.auth, false, NULL, &e), TL_OK);
    assert_int_equal(b->asked_other, 4); /* as long as the option itself is what it was */
    AUTO(text_free) char *slash = text_fmt("%s/", b->bed.base);
    const tl_pair moved[] = {{TL_STR("login_url"), str_of(slash)}, {TL_STR("client_id"), TL_STR("other id")}};
    assert_int_equal(auth_options_set(b->bed.auth, moved, 2, &e), TL_OK);
    assert_int_equal(auth_ensure(b->bed.auth, false, NULL, &e), TL_OK);
    assert_int_equal(b->asked, 1); /* an operator who names another server means it */
}

static void test_scopes(void **state)
{
    struct bench *b = *state;
    struct err e = {0};
    start(b, only_id);
    assert_int_equal(exchange(b, b->bed.auth, "", &e), TL_OK);
    assert_int_equal(auth_scopes_check(b->bed.auth, &e), TL_OK);
    b->answer = "{\"access_token\":\"access-2\",\"refresh_token\":\"refresh-2\",\"scope\":\"Desk.b.READ,Desk.aa.ALL\"}";
    assert_int_equal(exchange(b, b->bed.auth, "", &e), TL_OK);
    assert_int_equal(auth_scopes_check(b->bed.auth, &e), TL_E_AUTH);
    assert_string_equal(e.text, "sign-in: it was given without the scopes Desk.a.ALL");
    assert_string_equal(e.code, "SCOPES_MISSING");
    b->answer = "{\"access_token\":\"access-3\",\"refresh_token\":\"refresh-3\"}";
    assert_int_equal(exchange(b, b->bed.auth, "", &e), TL_OK);
    assert_int_equal(auth_scopes_check(b->bed.auth, &e), TL_OK); /* the vendor does not say, nor did it say so before */
}

static void test_trial(void **state)
{
    struct bench *b = *state;
    struct err e = {0};
    start(b, only_id);
    assert_int_equal(exchange(b, b->bed.auth, "", &e), TL_OK);
    AUTO(buf_done) struct buf before = {0}, id = {0};
    buf_str(&before, buf_lent(&b->bed.kept));
    b->answer = "{\"access_token\":\"access-two\",\"refresh_token\":\"refresh-two\",\"id\":\"org-two\"}";
    AUTO(auth_free) struct auth *trial = NULL;
    assert_int_equal(auth_trial(&trial, b->bed.auth, &e), TL_OK);
    assert_int_equal(exchange(b, trial, "", &e), TL_OK);
    auth_extra_known(trial, "id", &id);
    assert_buf(id, "org-two");
    assert_buf(b->bed.auth->tokens.access, "access-one"); /* nothing has happened yet */
    assert_int_equal(b->bed.kept.n, before.n);
    b->bed.refuse_saves = 100;
    assert_int_equal(auth_adopt(b->bed.auth, trial, &e), E_STORAGE);
    assert_buf(b->bed.auth->tokens.access, "access-one"); /* what cannot be kept does not count */
    assert_int_equal(auth_ensure(b->bed.auth, false, NULL, &e), TL_OK);
    b->bed.refuse_saves = 0;
    uint64_t generation = b->bed.auth->generation;
    assert_int_equal(auth_adopt(b->bed.auth, trial, &e), TL_OK);
    assert_buf(b->bed.auth->tokens.access, "access-two");
    assert_buf(b->bed.auth->tokens.refresh, "refresh-two");
    assert_true(b->bed.auth->generation > generation);
    start(b, only_id); /* durable */
    assert_buf(b->bed.auth->tokens.refresh, "refresh-two");
}

/* A person's sign-in owes nothing to the one before: neither its refresh token nor its org. */
static void test_grant_inherits_nothing(void **state)
{
    struct bench *b = *state;
    struct err e = {0};
    static const char *const with_refresh[] = {"client_id", "id", "refresh_token", "of the INI", NULL};
    start(b, with_refresh);
    assert_int_equal(auth_ensure(b->bed.auth, false, NULL, &e), TL_OK);
    b->answer = "{\"access_token\":\"access-two\"}";
    assert_int_equal(exchange(b, b->bed.auth, "", &e), TL_E_AUTH);
    assert_non_null(strstr(e.text, "no refresh token"));
    b->answer = "{\"access_token\":\"access-two\",\"refresh_token\":\"refresh-two\"}";
    assert_int_equal(exchange(b, b->bed.auth, "", &e), TL_OK);
    AUTO(buf_done) struct buf id = {0};
    auth_extra_known(b->bed.auth, "id", &id);
    assert_int_equal(id.n, 0);
}

static void test_refused_at_the_page(void **state)
{
    struct bench *b = *state;
    start(b, only_id);
    static const struct {
        const char *error, *words;
        int status;
        const char *said;
    } cases[] = {
        {"access_denied", "end-user denied authorization", TL_E_AUTH, "declined"},
        {"invalid_scope", "", TL_E_CONFIG, "scopes"},
        {"server_error", "", TL_E_TEMPORARY, "trouble"},
        {"OAUTH_APPROVAL_ERROR_GENERIC", "An unexpected error", TL_E_AUTH, "An unexpected error"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = {0};
        assert_int_equal(auth_redirect_refused(b->bed.auth, str_of(cases[i].error), str_of(cases[i].words), &e),
                         cases[i].status);
        assert_non_null(strstr(e.text, cases[i].said));
        assert_non_null(strstr(e.hint, "tieline endpoint auth desk"));
    }
}

static void test_revocation(void **state)
{
    struct bench *b = *state;
    struct err e = {0}, untold;
    start(b, only_id);
    assert_int_equal(exchange(b, b->bed.auth, "", &e), TL_OK);
    assert_int_equal(auth_revoke(b->bed.auth, &untold, &e), TL_OK);
    assert_int_equal(untold.status, TL_OK);
    assert_string_equal(b->form, "token=refresh-one");
    assert_int_equal(b->bed.kept.n, 0);
    assert_int_equal(exchange(b, b->bed.auth, "", &e), TL_OK);
    b->revoke_status = 503;
    b->bed.refuse_saves = 100;
    assert_int_equal(auth_revoke(b->bed.auth, &untold, &e), E_STORAGE);
    assert_buf(b->bed.auth->tokens.refresh, "refresh-one");
    b->bed.refuse_saves = 0;
    assert_int_equal(auth_revoke(b->bed.auth, &untold, &e), TL_OK); /* forgotten all the same */
    assert_int_equal(untold.status, TL_E_TEMPORARY);
    assert_non_null(strstr(untold.text, "the vendor could not be told"));
    assert_true(untold.hint[0]);
    assert_int_equal(b->bed.kept.n, 0);
    assert_int_equal(b->bed.auth->tokens.access.n, 0);
    static const char *const with_secret[] = {"client_id", "id", "client_secret", "s", NULL};
    b->answer = "{\"access_token\":\"access-only\"}";
    b->revoke_status = 200;
    start(b, with_secret);
    assert_int_equal(auth_ensure(b->bed.auth, false, NULL, &e), TL_OK);
    assert_int_equal(auth_revoke(b->bed.auth, &untold, &e), TL_OK);
    assert_string_equal(b->form, "token=access-only"); /* there is no other */
}

/* What is dropped because nobody uses it is told to the vendor; a token that the operator configured stays good there.
 */
static void test_forgetting(void **state)
{
    struct bench *b = *state;
    struct err e = {0}, untold;
    start(b, only_id);
    assert_int_equal(exchange(b, b->bed.auth, "", &e), TL_OK);
    assert_int_equal(auth_forget(b->bed.auth, &untold, &e), TL_OK);
    assert_int_equal(untold.status, TL_OK);
    assert_int_equal(b->revoked, 1);
    assert_int_equal(b->bed.kept.n, 0);
    static const char *const configured[] = {"client_id", "id", "refresh_token", "of-the-operator", NULL};
    start(b, configured);
    assert_int_equal(auth_ensure(b->bed.auth, false, NULL, &e), TL_OK);
    assert_true(b->bed.kept.n > 0);
    assert_int_equal(auth_forget(b->bed.auth, &untold, &e), TL_OK);
    assert_int_equal(b->revoked, 1);
    assert_int_equal(b->bed.kept.n, 0);
    assert_int_equal(b->bed.auth->tokens.access.n, 0);
    assert_int_equal(auth_ensure(b->bed.auth, false, NULL, &e), TL_OK); /* and it serves again */
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_page),
        T(test_who_signs_in_alone),
        T(test_verifier_goes_with_the_code),
        T(test_redirect_names_another_server),
        T(test_scopes),
        T(test_trial),
        T(test_grant_inherits_nothing),
        T(test_refused_at_the_page),
        T(test_revocation),
        T(test_forgetting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
