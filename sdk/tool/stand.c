#include "stand.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "codec.h"
#include "loader.h"
#include "manifest.h"

enum { ENDPOINT = 1, KV_MAX = 64 << 10 };

/* ---- what the store would keep */

struct stand_kv {
    struct stand_kv *next;
    char *key;
    struct buf value;
};

static int kv_get(void *ctx, int64_t endpoint, const char *key, struct buf *out, struct err *e)
{
    const struct stand *s = ctx;
    (void)endpoint;
    (void)e;
    for (const struct stand_kv *x = s->kv; x; x = x->next) {
        if (strcmp(x->key, key) == 0 && x->value.n) {
            buf_str(out, buf_lent(&x->value));
            return TL_OK;
        }
    }
    return TL_E_NOT_FOUND;
}

static int kv_set(void *ctx, int64_t endpoint, const char *key, str value, struct err *e)
{
    struct stand *s = ctx;
    (void)endpoint;
    (void)e;
    struct stand_kv *x = s->kv;
    while (x && strcmp(x->key, key) != 0)
        x = x->next;
    if (!x) {
        x = calloc(1, sizeof *x);
        ASSERT(x);
        x->key = text_dup(key);
        x->value.max = KV_MAX;
        x->next = s->kv;
        s->kv = x;
    }
    buf_clear(&x->value);
    buf_str(&x->value, value);
    return TL_OK;
}

static int token_load(void *ctx, int64_t endpoint, struct buf *out, struct err *e)
{
    const struct stand *s = ctx;
    (void)endpoint;
    (void)e;
    buf_str(out, buf_lent(&s->tokens));
    return s->tokens.n ? TL_OK : TL_E_NOT_FOUND;
}

static int token_save(void *ctx, int64_t endpoint, str secret, struct err *e)
{
    struct stand *s = ctx;
    (void)endpoint;
    (void)e;
    buf_clear(&s->tokens);
    buf_str(&s->tokens, secret);
    return TL_OK;
}

/* ---- the parts */

static bool was_given(const tl_pair *given, uint32_t n, str name)
{
    for (uint32_t i = 0; i < n; i++)
        if (str_eq(given[i].name, name))
            return true;
    return false;
}

static int endpoint_options(struct stand *s, struct err *e)
{
    tl_pair *given;
    uint32_t n;
    const struct vendor *vendor = s->project->running ? s->project->running : &s->vendor;
    int rc = project_options(s->project, vendor, &s->arena, &given, &n, e);
    if (!rc)
        rc = options_resolve(&s->options, s->manifest, given, n, NULL, NULL, e);
    if (rc)
        return s->project->config ? err_wrap(e, "%s", s->project->config)
                                  : err_wrap(e, "without --config FILE there are no options");
    s->allow = http_allow_new(true);
    rc = http_allow_hosts(s->allow, str_of(s->manifest->hosts), e);
    for (uint32_t i = 0; !rc && i < s->options.n_open; i++)
        if (manifest_option(s->manifest, s->options.open[i].name)->type == TL_OPT_URL &&
            was_given(given, n, s->options.open[i].name))
            rc = http_allow_url(s->allow, s->options.open[i].value, e);
    return rc;
}

static int endpoint_auth(struct stand *s, struct err *e)
{
    int rc = http_client_new(&s->http, &(struct http_config){0}, &env_real, e);
    if (!rc && s->manifest->auth)
        rc = auth_spec_copy(&s->spec, s->manifest->auth, e);
    if (rc)
        return rc;
    s->gate = http_gate_new(8);
    s->place = (struct token_place){.control = &s->control, .store = &s->store, .endpoint = ENDPOINT};
    const struct auth_config config = {
        .endpoint = "under-test",
        .spec = s->spec,
        .allow = s->allow,
        .http = s->http,
        .gate = s->gate,
        .env = &env_real,
        .options = s->options.all,
        .n_options = s->options.n_all,
        .store = {.ctx = &s->place, .load = token_place_load, .save = token_place_save},
        .verdict = verdicts_verdict,
        .token_error = verdicts_token_error,
    };
    return auth_new(&s->auth, &config, e);
}

static int start_worker(struct stand *s, const char *const *dirs, uint32_t n_dirs, struct err *e)
{
    const struct project *p = s->project;
    const struct worker_wish wish = {
        .program = p->worker,
        .directory = "/",
        .id = p->id,
        .cell = {.module = p->so, .memory = WORKER_MEMORY, .dirs = dirs, .n_dirs = n_dirs}};
    return worker_start(&s->worker, &s->manifest, &wish, e);
}

/* Its options are known once it runs, and a cell is not widened: directories are granted to another worker. */
static int grant_directories(struct stand *s, struct err *e)
{
    const char **dirs = arena_array(&s->arena, const char *, s->options.n_open);
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->options.n_open; i++)
        if (manifest_option(s->manifest, s->options.open[i].name)->type == TL_OPT_DIR)
            dirs[n++] = s->options.open[i].value.p;
    if (!s->isolated || n == 0)
        return TL_OK;
    worker_stop(s->worker);
    s->worker = worker_free(s->worker);
    s->manifest = manifest_free(s->manifest);
    return start_worker(s, dirs, n, e);
}

static int open_code(struct stand *s, struct err *e)
{
    const struct project *p = s->project;
    if (s->isolated)
        return start_worker(s, NULL, 0, e);
    int rc = module_open(&s->module, p->so, p->id, e);
    if (!rc)
        s->manifest = s->module->manifest;
    return rc;
}

int stand_open(struct stand *s, const struct project *p, bool isolated, bool with_endpoint, struct err *e)
{
    *s = (struct stand){.project = p, .isolated = isolated, .box = mailbox_new()};
    s->control = (struct control_line){.mailbox = s->box, .thread = pthread_self()};
    s->store = (struct host_store){s, kv_get, kv_set, token_load, token_save};
    quota_board_init(&s->quota);
    int rc = open_code(s, e);
    if (rc || !with_endpoint)
        return rc;
    snprintf(s->blobs, sizeof s->blobs, "/tmp/tieline-sdk-XXXXXX");
    if (!mkdtemp(s->blobs))
        return err_errno(e, "cannot make a directory below /tmp");
    rc = p->running ? TL_OK : vendor_start(&s->vendor, p, e);
    if (!rc)
        rc = endpoint_options(s, e);
    if (!rc)
        rc = grant_directories(s, e);
    return rc ? rc : endpoint_auth(s, e);
}

bool stand_close(struct stand *s)
{
    bool gone = true;
    auth_free(s->auth);
    auth_spec_free(s->spec);
    http_client_free(s->http);
    http_gate_free(s->gate);
    http_allow_free(s->allow);
    option_set_done(&s->options);
    vendor_stop(&s->vendor);
    if (s->module)
        gone = module_close(s->module);
    if (s->worker) {
        worker_stop(s->worker);
        worker_free(s->worker);
        manifest_free(s->manifest);
    }
    quota_board_done(&s->quota);
    while (s->kv) {
        struct stand_kv *next = s->kv->next;
        text_free(s->kv->key);
        buf_done(&s->kv->value);
        free(s->kv);
        s->kv = next;
    }
    buf_done(&s->tokens);
    if (s->blobs[0])
        rmdir(s->blobs);
    mailbox_free(s->box);
    arena_done(&s->arena);
    *s = (struct stand){0};
    return gone;
}

/* ---- seats */

static int32_t local_verdict(void *ctx, int32_t status, tl_str body)
{
    return module_verdict(ctx, status, body);
}

static tl_status local_token_error(void *ctx, int32_t status, tl_str body, tl_error *error)
{
    return module_token_error(ctx, status, body, error);
}

tl_status seat_open(struct seat *t, struct stand *s, int32_t purpose, seat_wrap_fn wrap, void *ctx, tl_error *error)
{
    *t = (struct seat){.stand = s};
    const struct host_config config = {
        .env = &env_real,
        .control = &s->control,
        .store = &s->store,
        .endpoint = ENDPOINT,
        .endpoint_name = "under-test",
        .connector = s->project->id,
        .auth = s->auth,
        .quota = &s->quota,
        .blob_dir = s->blobs,
        .http = s->http,
    };
    t->host = host_side_new(&config);
    host_side_services(t->host, &t->services);
    if (wrap)
        wrap(ctx, &t->services);
    const tl_open open = {.struct_size = sizeof open,
                          .purpose = purpose,
                          .n_config = s->options.n_open,
                          .config = s->options.open,
                          .endpoint = STR("under-test")};
    *error = (tl_error){.struct_size = sizeof *error};
    host_side_begin(t->host);
    t->verdicts = (struct verdicts){s->module, local_verdict, local_token_error};
    verdicts_bind(s->worker ? NULL : &t->verdicts);
    tl_status status = s->worker ? remote_open(&t->remote, s->worker, &t->services, &open, error, &t->gone)
                                 : instance_open(&t->local, s->module, &t->services, &open, error);
    verdicts_bind(NULL);
    if (status)
        seat_close(t);
    return status;
}

/* How it ended, and what it said last: where in the connector's file it was. */
static void say_how_it_died(struct worker *w, tl_error *error)
{
    char how[128];
    AUTO(buf_done) struct buf crime = {.max = 256}, printed = {.max = 1000};
    size_t n = strlen(error->text);
    worker_kill(w);
    worker_wait(w, how, sizeof how);
    worker_last_words(w, &crime, &printed);
    snprintf(error->text + n, sizeof error->text - n, ": %s", crime.n ? buf_text(&crime) : how);
    if (!error->detail[0])
        snprintf(error->detail, sizeof error->detail, "%s", buf_text(&printed));
}

void seat_run(struct seat *t, struct call *call)
{
    AUTO(buf_done) struct buf request = {.max = FRAME_MAX};
    struct err e = {0};
    int64_t start = env_mono_us(&env_real);
    host_side_begin(t->host);
    verdicts_bind(t->remote ? remote_verdicts(t->remote) : &t->verdicts);
    if (host_side_serve(t->host, call, &call->reply)) {
        call->reply.status = TL_E_TEMPORARY;
        snprintf(call->reply.error.text, sizeof call->reply.error.text, "the files of the call cannot be opened");
    } else if (request_encode(&request, call, &e)) {
        call->reply.status = TL_E_INVALID;
        err_to_tl(&e, &call->reply.error);
    } else if (t->remote) {
        remote_run(t->remote, call, buf_lent(&request), env_now_us(&env_real), &call->reply);
        if (call->reply.crashed)
            say_how_it_died(t->stand->worker, &call->reply.error);
    } else {
        instance_run(t->local, call->kind, buf_lent(&request), true, &call->reply);
    }
    verdicts_bind(NULL);
    host_side_served(t->host);
    call->reply.took_us = env_mono_us(&env_real) - start;
}

void seat_close(struct seat *t)
{
    t->local = instance_close(t->local);
    t->remote = remote_close(t->remote);
    t->host = host_side_free(t->host);
}
