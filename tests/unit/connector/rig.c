#include "rig.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- clock and store ---- */

static int64_t rig_now(void *self)
{
    return __atomic_load_n(&((struct rig *)self)->now_us, __ATOMIC_RELAXED);
}

static int64_t rig_mono(void *self)
{
    return __atomic_load_n(&((struct rig *)self)->mono_us, __ATOMIC_RELAXED);
}

static void rig_random(void *self, void *out, size_t n)
{
    (void)self;
    memset(out, 7, n);
}

static int kv_get(void *ctx, int64_t endpoint, const char *key, struct buf *out, struct err *e)
{
    (void)endpoint;
    (void)e;
    struct rig_store *s = &((struct rig *)ctx)->store;
    if (strcmp(s->key, key) != 0)
        return TL_E_NOT_FOUND;
    buf_text_add(out, s->value);
    return TL_OK;
}

static int kv_set(void *ctx, int64_t endpoint, const char *key, str value, struct err *e)
{
    (void)endpoint;
    (void)e;
    struct rig_store *s = &((struct rig *)ctx)->store;
    snprintf(s->key, sizeof s->key, "%s", key);
    snprintf(s->value, sizeof s->value, "%.*s", STR_FMT(value));
    return TL_OK;
}

static int token_load(void *ctx, int64_t endpoint, struct buf *out, struct err *e)
{
    (void)endpoint;
    (void)e;
    struct rig_store *s = &((struct rig *)ctx)->store;
    if (!s->token[0])
        return TL_E_NOT_FOUND;
    buf_text_add(out, s->token);
    return TL_OK;
}

static int token_save(void *ctx, int64_t endpoint, str secret, struct err *e)
{
    (void)endpoint;
    (void)e;
    struct rig_store *s = &((struct rig *)ctx)->store;
    snprintf(s->token, sizeof s->token, "%.*s", STR_FMT(secret));
    return TL_OK;
}

static void metric(void *ctx, const char *connector, const char *name, int64_t add)
{
    (void)connector;
    (void)name;
    __atomic_add_fetch(&((struct rig *)ctx)->metric_total, add, __ATOMIC_RELAXED);
}

/* ---- life ---- */

static void start(struct rig *r, bool http)
{
    memset(r, 0, sizeof *r);
    r->now_us = INT64_C(1700000000000000);
    r->mono_us = INT64_C(1000000000);
    r->env = (struct env){.self = r, .now_us = rig_now, .mono_us = rig_mono, .random = rig_random};
    snprintf(r->root, sizeof r->root, "/tmp/tieline-rig-XXXXXX");
    assert_non_null(mkdtemp(r->root));
    snprintf(r->dir, sizeof r->dir, "%s/connectors", r->root);
    snprintf(r->state, sizeof r->state, "%s/state", r->root);
    assert_int_equal(mkdir(r->dir, 0755), 0);
    assert_int_equal(mkdir(r->state, 0700), 0);
    r->box = mailbox_new();
    struct err e = {0};
    if (http)
        assert_int_equal(http_client_new(&r->http, &(struct http_config){.max_per_host = 4}, &env_real, &e), TL_OK);
    const struct runtime_config config = {
        .env = &r->env,
        .control = r->box,
        .connector_dir = r->dir,
        .state_dir = r->state,
        .worker_path = WORKER_PATH,
        .development = true,
        .accept_all = true,
        .http = r->http,
        .store = {.ctx = r, .kv_get = kv_get, .kv_set = kv_set, .token_load = token_load, .token_save = token_save},
        .metric = metric,
        .ctx = r,
    };
    assert_int_equal(runtime_new(&r->rt, &config, &e), TL_OK);
}

void rig_start(struct rig *r)
{
    start(r, false);
}

void rig_start_http(struct rig *r)
{
    start(r, true);
}

static void remove_tree(const char *path)
{
    DIR *d = opendir(path);
    for (struct dirent *entry; d && (entry = readdir(d));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        char inner[512];
        snprintf(inner, sizeof inner, "%.200s/%.256s", path, entry->d_name);
        if (unlink(inner) < 0)
            remove_tree(inner);
    }
    if (d)
        closedir(d);
    rmdir(path);
}

void rig_stop(struct rig *r)
{
    runtime_stop(r->rt, r->mono_us + 1000000);
    rig_until(r, runtime_stopped(r->rt));
    while (mailbox_run(r->box, 0))
        ;
    runtime_free(r->rt);
    http_client_free(r->http);
    mailbox_free(r->box);
    remove_tree(r->root);
}

void rig_advance(struct rig *r, int64_t us)
{
    __atomic_add_fetch(&r->now_us, us, __ATOMIC_RELAXED);
    __atomic_add_fetch(&r->mono_us, us, __ATOMIC_RELAXED);
    runtime_tick(r->rt);
}

/* ---- connectors ---- */

void rig_copy(struct rig *r, const char *fixture, const char *as)
{
    char from[512], to[256], temp[300];
    snprintf(from, sizeof from, "%s/%s.so", FIXTURES_DIR, fixture);
    snprintf(to, sizeof to, "%s/%s.so", r->dir, as);
    snprintf(temp, sizeof temp, "%s.new", to);
    FILE *in = fopen(from, "rb");
    FILE *out = fopen(temp, "wb");
    assert_non_null(in);
    assert_non_null(out);
    char piece[65536];
    for (size_t n; (n = fread(piece, 1, sizeof piece, in)) > 0;)
        assert_int_equal(fwrite(piece, 1, n, out), n);
    fclose(in);
    fclose(out);
    assert_int_equal(chmod(temp, 0755), 0);
    assert_int_equal(rename(temp, to), 0);
}

void rig_install(struct rig *r, const char *name, enum isolation isolation)
{
    rig_copy(r, name, name);
    struct err e = {0};
    assert_int_equal(runtime_connector_add(r->rt, name, isolation, &e), TL_OK);
}

void rig_done(void *arg, const char *words, const struct err *e)
{
    struct rig *r = arg;
    assert_false(r->done);
    r->done = true;
    r->done_status = e ? e->status : TL_OK;
    snprintf(r->words, sizeof r->words, "%s", words);
    if (e)
        r->err = *e;
}

void rig_wait_done(struct rig *r)
{
    rig_until(r, r->done);
}

static int verb_end(struct rig *r, int rc)
{
    if (rc)
        return rc;
    rig_wait_done(r);
    return r->done_status;
}

static void verb_begin(struct rig *r)
{
    r->done = false;
    r->words[0] = 0;
    err_clear(&r->err);
}

int rig_load(struct rig *r, const char *name)
{
    verb_begin(r);
    return verb_end(r, runtime_load(r->rt, name, rig_done, r, &r->err));
}

int rig_unload(struct rig *r, const char *name, enum unload_mode mode)
{
    verb_begin(r);
    return verb_end(r, runtime_unload(r->rt, name, mode, 0, rig_done, r, &r->err));
}

int rig_reload(struct rig *r, const char *name)
{
    verb_begin(r);
    return verb_end(r, runtime_reload(r->rt, name, UNLOAD_DRAIN, 0, rig_done, r, &r->err));
}

void rig_endpoint(struct rig *r, int64_t id, const char *connector, ...)
{
    tl_pair pairs[16];
    uint32_t n = 0;
    va_list ap;
    va_start(ap, connector);
    for (const char *name; (name = va_arg(ap, const char *));)
        pairs[n++] = (tl_pair){str_of(name), str_of(va_arg(ap, const char *))};
    va_end(ap);
    char label[32];
    snprintf(label, sizeof label, "ep%d", (int)id);
    struct err e = {0};
    const struct endpoint_config config = {
        .id = id, .name = label, .connector = connector, .options = pairs, .n_options = n};
    assert_int_equal(runtime_endpoint_set(r->rt, &config, &e), TL_OK);
}

enum run_state rig_state(struct rig *r, const char *name)
{
    struct connector_info info;
    assert_true(runtime_connector_info(r->rt, name, &info));
    return info.state;
}

/* ---- calls ---- */

static void call_done(struct call *c)
{
    c->tag = 1;
}

bool rig_finished(const struct call *c)
{
    return c->tag == 1;
}

static const tl_shape *five_fields(struct call *c)
{
    tl_shape *s = arena_new(&c->arena, tl_shape);
    tl_field *f = arena_array(&c->arena, tl_field, 5);
    static const uint32_t types[] = {TL_TEXT, TL_INT, TL_LIST, TL_REF, TL_TEXT};
    for (int i = 0; i < 5; i++) {
        f[i] = (tl_field){.struct_size = sizeof f[i], .type = types[i]};
        f[i].path = str_of(arena_fmt(&c->arena, "x.f%d", i));
        f[i].name = str_of(arena_fmt(&c->arena, "F%d", i));
    }
    *s = (tl_shape){
        .struct_size = sizeof *s, .n_fields = 5, .field_stride = sizeof *f, .kind = STR("contact"), .fields = f};
    return s;
}

struct call *rig_call(enum call_kind kind)
{
    struct call *c = call_new(kind, 1, kind == CALL_PULL || kind == CALL_PUSH ? TL_PURPOSE_BULK : TL_PURPOSE_LIVE);
    c->done = call_done;
    return c;
}

struct call *rig_pull(uint32_t max_pages, const char *cursor)
{
    struct call *c = rig_call(CALL_PULL);
    c->request.pull.shape = five_fields(c);
    c->request.pull.mode = TL_PULL_PASS;
    c->request.pull.max_pages = max_pages;
    c->request.pull.cursor = str_of(cursor);
    return c;
}

struct call *rig_get(const char *id)
{
    struct call *c = rig_call(CALL_GET);
    tl_str *ids = arena_array(&c->arena, tl_str, 1);
    ids[0] = str_of(id);
    c->request.get.shape = five_fields(c);
    c->request.get.ids = ids;
    c->request.get.n_ids = 1;
    return c;
}

struct call *rig_push(const char *first, ...)
{
    struct call *c = rig_call(CALL_PUSH);
    tl_record *records = arena_array(&c->arena, tl_record, 16);
    tl_value *value = arena_new(&c->arena, tl_value);
    *value = (tl_value){.field = 0, .type = TL_TEXT, .u.s = STR("new")};
    uint32_t n = 0;
    va_list ap;
    va_start(ap, first);
    for (const char *id = first; id; id = va_arg(ap, const char *))
        records[n++] = (tl_record){.id = str_of(id), .op = TL_OP_UPDATE, .n_values = 1, .values = value};
    va_end(ap);
    tl_batch *b = arena_new(&c->arena, tl_batch);
    *b = (tl_batch){.struct_size = sizeof *b, .count = n, .stride = sizeof *records, .records = records};
    c->request.push.shape = five_fields(c);
    c->request.push.batch = b;
    return c;
}

void rig_submit(struct rig *r, struct call *c)
{
    struct dispatcher *d = runtime_dispatcher(r->rt);
    d->submit(d->ctx, c);
    assert_false(rig_finished(c)); /* never from inside submit */
}

void rig_wait(struct rig *r, struct call *c)
{
    rig_until(r, rig_finished(c));
}

struct call *rig_run(struct rig *r, struct call *c)
{
    rig_submit(r, c);
    rig_wait(r, c);
    return c;
}

/* ---- looking ---- */

static void print_item(struct buf *out, const struct item *i)
{
    switch (i->kind) {
    case ITEM_RECORD:
        if (i->u.record.flags & TL_REC_BAD) {
            buf_fmt(out, "record %u %.*s bad: %.*s\n", i->u.record.index, STR_FMT(i->u.record.id),
                    STR_FMT(i->u.record.note));
            break;
        }
        buf_fmt(out, "record %u %.*s values %u\n", i->u.record.index, STR_FMT(i->u.record.id), i->u.record.n_values);
        break;
    case ITEM_CHECKPOINT:
        buf_fmt(out, "checkpoint %.*s complete %d\n", STR_FMT(i->u.checkpoint.cursor), i->u.checkpoint.complete);
        break;
    case ITEM_RESULT:
        buf_fmt(out, "result %u %s\n", i->u.result.index, status_name(i->u.result.result.status));
        break;
    case ITEM_KIND:
        buf_fmt(out, "kind %.*s fields %u\n", STR_FMT(i->u.described.kind), i->u.described.n_fields);
        break;
    case ITEM_ACTION:
        buf_fmt(out, "action %.*s of %.*s flags %u rights %x params %u\n", STR_FMT(i->u.action.name),
                STR_FMT(i->u.action.kind), i->u.action.flags, i->u.action.rights, i->u.action.n_params);
        break;
    case ITEM_ACCOUNT:
        buf_fmt(out, "account %.*s %.*s\n", STR_FMT(i->u.account.org_key), STR_FMT(i->u.account.org_name));
        break;
    case ITEM_FINDING:
        buf_fmt(out, "finding %.*s %.*s\n", STR_FMT(i->u.finding.code), STR_FMT(i->u.finding.text));
        break;
    case ITEM_SUBSCRIPTION:
        buf_fmt(out, "subscription %.*s\n", STR_FMT(i->u.subscription.id));
        break;
    }
}

void rig_print(struct buf *out, const struct reply *reply)
{
    AUTO(reply_reader_done) struct reply_reader reader;
    reply_reader_init(&reader, reply);
    for (struct item i; reply_next(&reader, &i);)
        print_item(out, &i);
}

int rig_count(const struct reply *reply, enum item_kind kind)
{
    AUTO(reply_reader_done) struct reply_reader reader;
    reply_reader_init(&reader, reply);
    int n = 0;
    for (struct item i; reply_next(&reader, &i);)
        n += i.kind == kind;
    return n;
}

static int count_entries(const char *path)
{
    DIR *d = opendir(path);
    int n = 0;
    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n;
}

int rig_open_fds(void)
{
    return count_entries("/proc/self/fd");
}

int rig_threads(void)
{
    return count_entries("/proc/self/task");
}
