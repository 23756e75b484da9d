#include "bench.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth.h"

/* ---- the world */

const char *bench_credential(struct bench *b, const char *name)
{
    const json_t *all = json_object_get(json_object_get(b->line, "credentials"), "salesforce");
    const char *text = json_string_value(json_object_get(all, name));
    assert_non_null(text);
    return text;
}

static const char *address(struct bench *b, const char *role)
{
    return json_string_value(json_object_get(b->line, role));
}

static void start_sandbox(struct bench *b)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    b->pid = fork();
    if (b->pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        execl(TIELINE_SANDBOX, TIELINE_SANDBOX, "--contacts", "60", "--accounts", "12", "--frozen", "--now",
              "2026-03-01T12:00:00Z", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    b->out = fdopen(ends[0], "r");
    char *text = NULL;
    size_t cap = 0;
    assert_true(getline(&text, &cap, b->out) > 0);
    b->line = json_loads(text, 0, NULL);
    free(text);
    assert_non_null(b->line);
}

json_t *bench_sim(struct bench *b, const char *method, const char *path, const char *body)
{
    AUTO(text_free) char *url = text_fmt("%s/_sim%s", address(b, "control"), path);
    struct http_request r = {.method = method, .url = str_of(url), .body = str_of(body), .allow = b->allow};
    struct http_request *const list[] = {&r};
    struct err e = {0};
    assert_int_equal(http_client_run(b->client, list, 1, NULL, &e), TL_OK);
    if (r.outcome != TL_OK || r.status >= 300)
        fail_msg("%s %s: HTTP %d %s %s", method, path, (int)r.status, r.error, buf_text(&r.answer));
    json_t *j = json_loadb(buf_text(&r.answer), r.answer.n, 0, NULL);
    http_request_done(&r);
    return j;
}

void bench_do(struct bench *b, const char *method, const char *path, const char *body)
{
    json_decref(bench_sim(b, method, path, body));
}

const char *bench_create(struct bench *b, const char *object, const char *body)
{
    static char id[64];
    AUTO(text_free) char *path = text_fmt("/salesforce/records/%s", object);
    json_t *j = bench_sim(b, "POST", path, body);
    snprintf(id, sizeof id, "%s", json_string_value(json_object_get(j, "id")));
    json_decref(j);
    return id;
}

void bench_advance(struct bench *b, const char *how)
{
    AUTO(text_free) char *body = text_fmt("{\"advance\":\"%s\"}", how);
    bench_do(b, "POST", "/clock", body);
}

/* ---- the host's part */

static tl_status http(struct fake_host *f, tl_http *r, uint32_t n, tl_error *e)
{
    struct bench *b = f->test;
    struct err why = {0};
    b->http_calls += (int)n;
    int rc = auth_http(b->auth, b->answers, r, n, NULL, NULL, &why);
    err_to_tl(&why, e);
    return rc;
}

static tl_status extra(struct fake_host *f, const char *member, struct buf *out)
{
    struct bench *b = f->test;
    struct err e = {0};
    return auth_extra(b->auth, member, NULL, out, &e);
}

static int32_t verdict(void *ctx, int32_t status, str body)
{
    (void)ctx;
    return sf_auth.verdict(status, body);
}

static tl_status token_error(void *ctx, int32_t status, str body, tl_error *e)
{
    (void)ctx;
    return sf_auth.token_error(status, body, e);
}

void bench_sign_in(struct bench *b, bool by_refresh_token)
{
    const tl_pair options[] = {
        {TL_STR("login_url"), str_of(address(b, "login"))},
        {TL_STR("client_id"), str_of(bench_credential(b, "client_id"))},
        {TL_STR("client_secret"), str_of(bench_credential(b, "client_secret"))},
        {TL_STR("refresh_token"), str_of(by_refresh_token ? bench_credential(b, "refresh_token") : "")},
    };
    struct auth_config config = {.endpoint = "sf",
                                 .spec = b->spec,
                                 .allow = b->allow,
                                 .http = b->client,
                                 .env = &env_real,
                                 .options = options,
                                 .n_options = ARRAY_LEN(options),
                                 .verdict = verdict,
                                 .token_error = token_error};
    struct err e = {0};
    auth_free(b->auth);
    assert_int_equal(auth_new(&b->auth, &config, &e), TL_OK);
}

static void open_connector(struct bench *b)
{
    const tl_pair config[] = {
        {TL_STR("login_url"), str_of(address(b, "login"))},
        {TL_STR("api_version"), TL_STR("62.0")},
        {TL_STR("external_id_field"), TL_STR("Tieline_Id__c")},
    };
    tl_open o = {.struct_size = sizeof o, .config = config, .n_config = ARRAY_LEN(config), .endpoint = TL_STR("sf")};
    tl_error e = {.struct_size = sizeof e};
    assert_int_equal(b->connector->open(&b->fake->host, &o, &b->conn, &e), TL_OK);
}

void bench_discover(struct bench *b)
{
    tl_discover d = {.struct_size = sizeof d};
    tl_error e = {.struct_size = sizeof e};
    if (b->connector->discover(b->conn, &d, &e) != TL_OK)
        fail_msg("discover: %s (%s)", e.text, e.detail);
}

int bench_setup(void **state)
{
    static const char *const roles[] = {"control", "login", "salesforce"};
    struct bench *b = calloc(1, sizeof *b);
    struct err e = {0};
    start_sandbox(b);
    b->fake = fake_new();
    b->fake->test = b;
    b->fake->http = http;
    b->fake->auth_extra = extra;
    b->connector = tieline_connector_v0();
    b->allow = http_allow_new(true);
    for (size_t i = 0; i < ARRAY_LEN(roles); i++)
        assert_int_equal(http_allow_url(b->allow, str_of(address(b, roles[i])), &e), TL_OK);
    assert_int_equal(http_client_new(&b->client, NULL, &env_real, &e), TL_OK);
    assert_int_equal(auth_spec_copy(&b->spec, &sf_auth, &e), TL_OK);
    b->answers = auth_answers_new(false);
    bench_sign_in(b, false);
    open_connector(b);
    bench_discover(b);
    *state = b;
    return 0;
}

int bench_teardown(void **state)
{
    struct bench *b = *state;
    b->connector->close(b->conn);
    auth_free(b->auth);
    auth_answers_free(b->answers);
    auth_spec_free(b->spec);
    http_client_free(b->client);
    http_allow_free(b->allow);
    kill(b->pid, SIGTERM);
    waitpid(b->pid, NULL, 0);
    fclose(b->out);
    json_decref(b->line);
    fake_free(b->fake);
    free(b);
    return 0;
}
