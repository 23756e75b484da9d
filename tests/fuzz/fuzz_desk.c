/* The desk connector: any bytes as the answer to every call, and as a webhook delivery. Nothing may crash, no call may
 * run for ever, what is emitted has an id, and every pushed record gets exactly one result. */
#include <stdint.h>
#include <stdlib.h>

#include "../../plugins/desk/desk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { CALLS_MAX = 3000, RECORDS = 3 };

struct host {
    tl_host table; /* first */
    tl_str body;
    int32_t status;
    uint32_t calls, results[RECORDS];
};

static struct host *of(const tl_host *h)
{
    return (struct host *)(uintptr_t)h;
}

static tl_status http(const tl_host *h, tl_http *r, uint32_t n, tl_error *e)
{
    (void)e;
    for (uint32_t i = 0; i < n; i++) {
        if (++of(h)->calls > CALLS_MAX)
            abort();
        r[i].outcome = TL_OK;
        r[i].status = of(h)->status;
        r[i].out_body = of(h)->body;
    }
    return TL_OK;
}

static tl_status emit(const tl_host *h, const tl_batch *b)
{
    (void)h;
    for (uint32_t i = 0; i < b->count; i++) {
        const tl_record *r = tlk_record(b, i);
        if (r->id.n == 0 || (r->n_values > 0 && !r->values))
            abort();
    }
    return TL_OK;
}

static tl_status result(const tl_host *h, uint32_t i, const tl_result *r)
{
    (void)r;
    if (i >= RECORDS || of(h)->results[i]++)
        abort();
    return TL_OK;
}

static void log_line(const tl_host *h, int32_t level, tl_str line)
{
    (void)h;
    (void)level;
    (void)line;
}

static int64_t now(const tl_host *h)
{
    (void)h;
    return INT64_C(1700000000000000);
}

static int32_t cancelled(const tl_host *h)
{
    (void)h;
    return 0;
}

static tl_status extra(const tl_host *h, const char *m, char *buf, uint64_t cap, uint64_t *len, tl_error *e)
{
    (void)h;
    (void)m;
    (void)buf;
    (void)cap;
    (void)e;
    *len = 0;
    return TL_OK;
}

static void quota(const tl_host *h, const tl_quota *q)
{
    (void)h;
    (void)q;
}

static tl_status account(const tl_host *h, const tl_account *a)
{
    (void)h;
    (void)a;
    return TL_OK;
}

static tl_status finding(const tl_host *h, const tl_finding *f)
{
    (void)h;
    (void)f;
    return TL_OK;
}

static tl_status describe(const tl_host *h, const tl_kind *k)
{
    (void)h;
    for (uint32_t i = 0; i < k->n_fields; i++) {
        if (TL_AT(tl_field, k->fields, k->field_stride, i)->path.n == 0)
            abort();
    }
    return TL_OK;
}

static tl_status checkpoint(const tl_host *h, const tl_checkpoint *c)
{
    (void)h;
    if (c->cursor.n > 65536)
        abort();
    return TL_OK;
}

static tl_status subscription(const tl_host *h, const tl_subscription *s)
{
    (void)h;
    if (s->id.n == 0)
        abort();
    return TL_OK;
}

static const tl_field fields[] = {
    {.struct_size = sizeof(tl_field), .type = TL_TEXT, .path = TL_STR("last_name"), .name = TL_STR("lastName")},
    {.struct_size = sizeof(tl_field), .type = TL_INT, .path = TL_STR("x.cf_n"), .name = TL_STR("cf.cf_n")},
    {.struct_size = sizeof(tl_field), .type = TL_REF, .path = TL_STR("account"), .name = TL_STR("accountId")},
};
static const tl_shape shape = {
    .n_fields = 3, .field_stride = sizeof(tl_field), .kind = TL_STR("contact"), .fields = fields};

static void push_some(const tl_connector *k, tl_conn *c, struct host *h, tl_error *e)
{
    const tl_value value = {.field = 0, .type = TL_TEXT, .u.s = TL_STR("x")};
    const tl_record records[RECORDS] = {{.op = TL_OP_CREATE, .n_values = 1, .values = &value},
                                        {.op = TL_OP_UPDATE, .id = TL_STR("1"), .n_values = 1, .values = &value},
                                        {.op = TL_OP_RESTORE, .id = TL_STR("2"), .n_values = 1, .values = &value}};
    const tl_batch b = {.count = RECORDS, .stride = sizeof(tl_record), .records = records};
    const tl_push p = {.shape = &shape, .batch = &b, .stamp_field = TL_STR("cf.cf_tieline_id")};
    k->push(c, &p, e);
    for (uint32_t i = 0; i < RECORDS; i++) {
        if (h->results[i] != 1)
            abort();
    }
}

static const tl_field comment_fields[] = {
    {.struct_size = sizeof(tl_field), .type = TL_REF, .path = TL_STR("parent"), .name = TL_STR("ticketId")},
    {.struct_size = sizeof(tl_field), .type = TL_MULTILINE, .path = TL_STR("body"), .name = TL_STR("content")},
    {.struct_size = sizeof(tl_field),
     .type = TL_REF,
     .path = TL_STR("author"),
     .name = TL_STR("commenterId"),
     .refers_to = TL_STR("user,contact")},
};

static void comment_on(tl_conn *c, struct host *h, const tl_shape *of, tl_error *e)
{
    const tl_value values[] = {{.field = 0, .type = TL_REF, .u.s = TL_STR("1")},
                               {.field = 1, .type = TL_MULTILINE, .u.s = TL_STR("x")}};
    const tl_record record = {.n_values = 2, .values = values};
    h->results[0] = 0;
    desk_actions.act(c, &(tl_act){.name = TL_STR("create"), .shape = of, .record = &record}, e);
    if (h->results[0] != 1)
        abort();
    desk_plain_text(&c->call, h->body);
}

static void all_calls(const tl_connector *k, tl_conn *c, struct host *h)
{
    tl_error e = {.struct_size = sizeof(e)};
    const tl_query queries[] = {{TL_STR("email"), TL_STR("a@x.org")}, {TL_STR("stamp"), TL_STR("s.1")}};
    const tl_find find = {.n_queries = 2, .shape = &shape, .queries = queries, .query_stride = sizeof *queries};
    const tl_str ids[] = {TL_STR("1"), TL_STR("2")};
    const tl_get get = {.n_ids = 2, .shape = &shape, .ids = ids};
    for (int32_t mode = TL_PULL_CHANGES; mode <= TL_PULL_PASS; mode++) {
        const tl_pull fresh = {.mode = mode, .max_pages = 5, .shape = &shape};
        const tl_pull old = {.mode = mode, .max_pages = 5, .shape = &shape, .cursor = h->body};
        h->calls = 0;
        k->pull(c, &fresh, &e);
        if (h->body.n < 65536)
            k->pull(c, &old, &e);
    }
    h->calls = 0;
    k->find(c, &find, &e);
    k->get(c, &get, &e);
    k->check(c, &(tl_check){0}, &e);
    k->discover(c, &(tl_discover){0}, &e);
    push_some(k, c, h, &e);
    const tl_shape comment = {
        .n_fields = 3, .field_stride = sizeof(tl_field), .kind = TL_STR("comment"), .fields = comment_fields};
    const tl_shape ticket = {
        .n_fields = 3, .field_stride = sizeof(tl_field), .kind = TL_STR("ticket"), .fields = fields};
    const tl_list lists[] = {
        {.limit = 5,
         .shape = &ticket,
         .about_kind = TL_STR("contact"),
         .about_id = TL_STR("1"),
         .filter = TL_STR("open")},
        {.limit = 5, .shape = &ticket, .about_kind = TL_STR("account"), .about_id = TL_STR("1"), .cursor = h->body},
        {.limit = 5, .shape = &comment, .about_kind = TL_STR("ticket"), .about_id = TL_STR("1")},
    };
    for (size_t i = 0; i < TLK_LEN(lists) && h->body.n < 65536; i++)
        desk_view.list(c, &lists[i], &e);
    comment_on(c, h, &comment, &e);
    desk_webhook.parse(c, &(tl_hook_request){.body = h->body}, &e);
    desk_webhook.subscribe(c, &(tl_subscribe){.url = TL_STR("https://h/1")}, &e);
    desk_prepare.prepare(c, &(tl_prepare_request){0}, &e);
    desk_auth.verdict(401, h->body);
    desk_auth.token_error(200, h->body, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const int32_t statuses[] = {200, 422, 403, 404, 429, 500, 401, 204};
    const tl_connector *k = tieline_connector_v0();
    if (n < 1)
        return 0;
    struct host h = {.table = {.struct_size = sizeof(tl_host),
                               .log = log_line,
                               .now_us = now,
                               .cancelled = cancelled,
                               .http = http,
                               .auth_extra = extra,
                               .quota = quota,
                               .account = account,
                               .finding = finding,
                               .describe = describe,
                               .emit = emit,
                               .checkpoint = checkpoint,
                               .result = result,
                               .subscription = subscription},
                     .status = statuses[data[0] % TLK_LEN(statuses)],
                     .body = {(const char *)data + 1, n - 1}};
    const tl_pair config[] = {{TL_STR("api_url"), TL_STR("https://desk.test")}, {TL_STR("org_id"), TL_STR("4711")}};
    const tl_open o = {.n_config = 2, .config = config};
    tl_error e = {.struct_size = sizeof(e)};
    tl_conn *c;
    if (k->open(&h.table, &o, &c, &e) != TL_OK)
        abort();
    all_calls(k, c, &h);
    k->close(c);
    return 0;
}
