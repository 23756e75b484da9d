/* SPDX-License-Identifier: MIT-0
 * A JSON REST API that is described by the options of its endpoint: where the lists are, how they go on, what the
 * fields are called. Read it from the end: the table, then the calls; options.c says what the options mean.
 *
 * A reading goes page by page; the cursor names the next page: its number, the offset, the API's own cursor or its
 * address. Changes are asked for by time; the next reading begins a little before the time at which this one began, so
 * what is changed while pages are read comes with the next reading whatever the pages are sorted by. */
#include "rest.h"

#include <stdlib.h>

enum { OVERLAP_US = 5000000 }; /* how far a reading goes back before the last one: late commits, times cut to seconds */
#define CURSOR "rest.1"

struct tl_conn { /* one instance; the host never runs two calls on it at once */
    const tl_host *host;
    tlk_arena keep, call; /* as long as the instance; as long as one call */
    tlk_json json;
    struct api api;
};

/* ---- requests */

static void add_headers(tl_conn *c, tl_http *r)
{
    tl_str list = c->api.headers, one, name;
    while (tlk_split(&list, '|', &one)) {
        one = tlk_trim(one);
        if (tlk_split(&one, ':', &name))
            tlk_request_header(r, &c->call, tlk_dup(&c->call, tlk_trim(name)).p, tlk_trim(one));
    }
}

/* Sends one; the answer's JSON is in *root, as long as the next request. */
static tl_status ask(tl_conn *c, const char *method, tl_str url, tl_str body, tl_http *r, const tlk_node **root,
                     tl_error *e)
{
    uint32_t flags = strcmp(method, "GET") == 0 ? 0 : TL_HTTP_WRITE;
    *root = NULL;
    tlk_request(r, method, url, flags | (c->api.anonymous ? TL_HTTP_NO_AUTH : 0));
    add_headers(c, r);
    if (body.n > 0)
        tlk_request_json(r, &c->call, body);
    return tlk_call(c->host, r, &c->api.errors, &c->json, root, e);
}

static void begin_url(tl_conn *c, const struct kind *k, tlk_url *u)
{
    tlk_url_begin(u, &c->call, c->api.base, k->path.p);
    tl_str list = c->api.query, one, name;
    while (tlk_split(&list, '&', &one))
        if (tlk_split(&one, '=', &name))
            tlk_url_add(u, tlk_dup(&c->call, name).p, one);
}

static tl_str url_of(tl_conn *c, const struct kind *k, tl_str id)
{
    tlk_url u;
    tlk_url_begin(&u, &c->call, c->api.base, k->path.p);
    tlk_url_segment(&u, id);
    return tlk_url_end(&u);
}

static const tlk_node *at(const tlk_node *root, const char *path)
{
    return *path ? tlk_at(root, path) : root;
}

/* The list of an answer; null and an error where there is none. */
static const tlk_node *list_of(tl_conn *c, const struct kind *k, const tlk_node *root, tl_error *e)
{
    const tlk_node *list = at(root, k->records);
    if (tlk_type(list) == TLK_JARRAY)
        return list;
    tlk_fail(e, TL_E_TEMPORARY, "%s answered a list of %s with %s %s%s", c->api.errors.system, k->name,
             tlk_type_name(list), *k->records ? "at " : "as a whole", k->records);
    e->scope = TL_SCOPE_KIND;
    return NULL;
}

/* ---- times */

static tl_str time_text(tl_conn *c, int64_t us)
{
    char out[32];
    if (c->api.times == TIMES_ISO)
        return tlk_dup(&c->call, tlk_str(tlk_time_text(out, us)));
    return tlk_fmt(&c->call, "%lld", (long long)(us / (c->api.times == TIMES_S ? TLK_US_PER_S : TLK_US_PER_MS)));
}

static bool time_of(const struct api *api, const tlk_node *v, tlk_arena *a, int64_t *us)
{
    int64_t n;
    if (api->times == TIMES_ISO)
        return tlk_time_parse(tlk_text(v, a), us);
    return tlk_i64(v, &n) && !__builtin_mul_overflow(n, api->times == TIMES_S ? TLK_US_PER_S : TLK_US_PER_MS, us);
}

static int value_from(void *ctx, const tl_field *f, const tlk_node *v, tlk_arena *a, tl_value *out)
{
    const tl_conn *c = ctx;
    if (f->type != TL_TIME || c->api.times == TIMES_ISO || tlk_is_null(v))
        return TLK_DEFAULT;
    out->type = TL_TIME;
    return time_of(&c->api, v, a, &out->u.i) ? TLK_DONE : TLK_BAD;
}

static bool value_to(void *ctx, const tl_field *f, const tl_value *v, tlk_writer *w)
{
    tl_conn *c = ctx;
    if (f->type != TL_TIME || v->type != TL_TIME || c->api.times == TIMES_ISO)
        return false;
    tlk_w_raw(w, time_text(c, v->u.i));
    return true;
}

/* ---- records */

/* What a call works with, made at its beginning. */
struct work {
    const struct kind *kind;
    tlk_rules rules;
    tlk_plan plan;
    tlk_envelope envelope;
};

static tl_status begin(tl_conn *c, const tl_shape *shape, struct work *w, tl_error *e)
{
    tlk_arena_reset(&c->call);
    w->kind = rest_kind(&c->api, shape->kind);
    if (!w->kind)
        return tlk_fail(e, TL_E_UNSUPPORTED, "%s has no kind \"%.*s\"", c->api.errors.system, TLK_FMT(shape->kind));
    w->rules = (tlk_rules){.from = value_from, .to = value_to, .ctx = c, .null_object_is_empty = true};
    w->envelope = c->api.envelope;
    w->envelope.stamp = *w->kind->stamp ? w->kind->stamp : NULL;
    tlk_plan_init(&w->plan, shape, &w->rules, &c->call);
    return TL_OK;
}

/* Deleted is what says so: true, 1, a time; not false, 0, null, "". */
static bool is_deleted(tl_conn *c, const tlk_node *object)
{
    const tlk_node *v = *c->api.deleted ? tlk_at(object, c->api.deleted) : NULL;
    bool yes = false;
    return tlk_bool(v, &yes) ? yes : tlk_text(v, &c->call).n > 0;
}

static void read_record(tl_conn *c, const struct work *w, const tlk_node *object, tl_record *rec)
{
    tlk_object_read(&w->plan, &w->envelope, object, &c->call, rec);
    if (c->api.times != TIMES_ISO) {
        time_of(&c->api, tlk_at(object, c->api.envelope.modified), &c->call, &rec->modified_us);
        time_of(&c->api, tlk_at(object, c->api.envelope.created), &c->call, &rec->created_us);
    }
    if (rec->n_values < w->plan.shape->n_fields)
        rec->flags &= ~(uint32_t)TL_REC_FULL; /* it left fields out */
    rec->state = is_deleted(c, object) ? TL_STATE_DELETED : TL_STATE_LIVE;
}

/* ---- pull */

/* Where a reading stands. */
struct place {
    tl_str page;      /* number, offset, cursor or address of the next page; empty: the first */
    uint32_t size;    /* records of a page: numbers of pages mean something only with it */
    int64_t since_us; /* changes: from here on */
    int64_t start_us; /* when this reading began, by the API's clock */
};

/* Would the API have told it? What does not look so is a cursor of something else. */
static bool page_ok(const struct api *api, tl_str page, tlk_arena *a)
{
    int64_t n;
    if (api->paging == PAGING_PAGE || api->paging == PAGING_OFFSET)
        return tlk_to_i64(page, &n) && n >= 0;
    return api->paging == PAGING_CURSOR || tlk_url_next(a, api->base, page).n > 0;
}

static bool read_place(tl_conn *c, const tl_pull *p, struct place *out)
{
    tlk_cursor at = {0};
    uint32_t size = p->page_hint && p->page_hint < c->api.page_size ? p->page_hint : c->api.page_size;
    if (!tlk_cursor_read(&at, CURSOR, p->cursor, &c->call))
        return false;
    int64_t kept = tlk_cursor_int(&at, "size", size);
    *out = (struct place){.page = tlk_cursor_get(&at, "page"),
                          .size = kept > 0 && kept <= 1000 ? (uint32_t)kept : size,
                          .since_us = tlk_cursor_int(&at, "since", 0),
                          .start_us = tlk_cursor_int(&at, "start", 0)};
    if (p->mode == TL_PULL_CHANGES && p->cursor.n > 0 && out->since_us <= 0)
        return false;
    return out->page.n == 0 || page_ok(&c->api, out->page, &c->call);
}

static tl_str place_text(tl_conn *c, const struct place *s)
{
    tlk_cursor at = {0};
    if (s->since_us)
        tlk_cursor_set_int(&at, &c->call, "since", s->since_us);
    if (s->start_us)
        tlk_cursor_set_int(&at, &c->call, "start", s->start_us);
    if (s->page.n > 0) {
        tlk_cursor_set(&at, &c->call, "page", s->page);
        tlk_cursor_set_int(&at, &c->call, "size", s->size);
    }
    return tlk_cursor_text(&at, CURSOR, &c->call);
}

static tl_str page_url(tl_conn *c, const struct kind *k, const struct place *s)
{
    const struct api *api = &c->api;
    if (s->page.n > 0 && (api->paging == PAGING_LINK || s->page.p[0] == '/' || tlk_starts(s->page, "http")))
        return tlk_url_next(&c->call, api->base, s->page);
    tlk_url u;
    begin_url(c, k, &u);
    if (*api->limit_param)
        tlk_url_add_int(&u, api->limit_param, s->size);
    if (s->since_us)
        tlk_url_add(&u, api->since_param, time_text(c, s->since_us));
    if (s->page.n > 0)
        tlk_url_add(&u, api->page_param, s->page);
    else if (api->paging == PAGING_PAGE)
        tlk_url_add_int(&u, api->page_param, api->first_page);
    return tlk_url_end(&u);
}

/* Moves s to the page behind the one that was answered with n records. False: that was the last. *bad: the answer names
 * a page that cannot be asked for. */
static bool next_page(tl_conn *c, struct place *s, const tl_http *r, const tlk_node *root, uint32_t n, bool *bad)
{
    const struct api *api = &c->api;
    int64_t here = api->paging == PAGING_PAGE ? api->first_page : 0;
    bool counted = api->paging == PAGING_PAGE || api->paging == PAGING_OFFSET, more = n > 0 || !counted;
    tl_str next = TLK_NONE;
    tlk_to_i64(s->page, &here);
    if (*api->more)
        tlk_bool(tlk_at(root, api->more), &more);
    if (api->paging == PAGING_PAGE)
        next = tlk_fmt(&c->call, "%lld", (long long)here + 1);
    else if (api->paging == PAGING_OFFSET)
        next = tlk_fmt(&c->call, "%lld", (long long)here + n);
    else if (api->paging == PAGING_CURSOR)
        next = tlk_text_at(root, api->next, &c->call);
    else if (api->paging == PAGING_LINK)
        next = tlk_answer_link(r, "next");
    more = more && next.n > 0;
    bool address = more && (api->paging == PAGING_LINK || next.p[0] == '/' || tlk_starts(next, "http"));
    if (address)
        next = tlk_url_next(&c->call, r->url, next);
    *bad = address && next.n == 0;
    s->page = more ? tlk_dup(&c->call, next) : TLK_NONE;
    return more;
}

/* Reads one page, hands it over, moves s behind it. */
static tl_status pull_page(tl_conn *c, const tl_pull *p, const struct work *w, struct place *s, bool *more, tl_error *e)
{
    tl_http r;
    const tlk_node *root, *o;
    bool bad;
    int64_t estimate = -1, now = c->host->now_us(c->host);
    tl_status rc = ask(c, "GET", page_url(c, w->kind, s), TLK_NONE, &r, &root, e);
    if (rc == TL_E_NOT_FOUND)
        return tlk_fail(e, TL_E_CONFIG, "%s has nothing at %s", c->api.errors.system, w->kind->path.p);
    int64_t server = r.server_us ? r.server_us : now;
    if (rc == TL_OK && p->mode == TL_PULL_CHANGES && s->start_us == 0) {
        rc = tlk_position_check(s->since_us, server, now, e);
        s->start_us = server;
    }
    if (rc != TL_OK)
        return rc;
    const tlk_node *list = list_of(c, w->kind, root, e);
    if (!list)
        return TL_E_TEMPORARY;
    tl_record *records = tlk_new(&c->call, tl_record, tlk_count(list) + 1);
    uint32_t n = 0;
    for (tlk_iter i = tlk_each(list); tlk_next_item(&i, &o);) {
        read_record(c, w, o, &records[n]);
        n += p->mode == TL_PULL_CHANGES || records[n].state == TL_STATE_LIVE; /* a pass tells of the living */
    }
    tlk_i64(*c->api.total ? tlk_at(root, c->api.total) : NULL, &estimate);
    *more = next_page(c, s, &r, root, tlk_count(list), &bad);
    if (bad)
        return tlk_fail(e, TL_E_CONFIG, "%s names a next page that is not at %s", c->api.errors.system, c->api.base.p);
    if (!*more && p->mode == TL_PULL_CHANGES) {
        s->since_us = s->start_us - OVERLAP_US;
        s->start_us = 0;
    }
    rc = tlk_emit(c->host, records, n);
    return rc == TL_OK ? tlk_checkpoint(c->host, p->mode, !*more, place_text(c, s), r.server_us, estimate) : rc;
}

static tl_status rest_pull(tl_conn *c, const tl_pull *p, tl_error *e)
{
    struct work w;
    struct place s;
    bool more = true;
    tl_status rc = begin(c, p->shape, &w, e);
    if (rc != TL_OK)
        return rc;
    if (!read_place(c, p, &s))
        return tlk_cursor_lost(e);
    if (p->mode == TL_PULL_CHANGES && s.since_us == 0) /* from now on */
        s.since_us = c->host->now_us(c->host) - OVERLAP_US;
    for (uint32_t page = 0; rc == TL_OK && more && (p->max_pages == 0 || page < p->max_pages); page++)
        rc = pull_page(c, p, &w, &s, &more, e);
    return rc == TL_E_CANCELLED ? TL_OK : rc; /* cancelled: the host has enough for now */
}

/* ---- get, find */

static tl_status rest_get(tl_conn *c, const tl_get *q, tl_error *e)
{
    struct work w;
    tl_status rc = begin(c, q->shape, &w, e);
    for (uint32_t i = 0; i < q->n_ids && rc == TL_OK; i++) {
        tl_http r;
        const tlk_node *root;
        tl_record rec = {.id = q->ids[i], .state = TL_STATE_DELETED};
        rc = ask(c, "GET", url_of(c, w.kind, q->ids[i]), TLK_NONE, &r, &root, e);
        if (rc != TL_OK && rc != TL_E_NOT_FOUND)
            return rc;
        if (rc == TL_OK)
            read_record(c, &w, at(root, w.kind->record), &rec);
        rec.index = i;
        rc = tlk_emit(c->host, &rec, 1);
    }
    return rc;
}

/* A search is a list with one more parameter, named as the field is. */
static tl_status find_one(tl_conn *c, const tl_find *q, const struct work *w, uint32_t index, tl_error *e)
{
    tlk_url u;
    tl_http r;
    const tlk_node *root, *o;
    const tl_query *query = tlk_query(q, index);
    const tl_field *f = tlk_field_by_path(q->shape, tlk_dup(&c->call, query->path).p);
    const char *name = tlk_is(query->path, "stamp") ? w->kind->stamp : f ? tlk_dup(&c->call, f->name).p : "";
    uint32_t limit = q->limit ? q->limit : c->api.page_size, n = 0;
    if (!*name)
        return tlk_fail(e, TL_E_UNSUPPORTED, "%s is not searched by \"%.*s\"", w->kind->name, TLK_FMT(query->path));
    begin_url(c, w->kind, &u);
    tlk_url_add(&u, name, query->value);
    if (*c->api.limit_param)
        tlk_url_add_int(&u, c->api.limit_param, limit < c->api.page_size ? limit : c->api.page_size);
    tl_status rc = ask(c, "GET", tlk_url_end(&u), TLK_NONE, &r, &root, e);
    const tlk_node *list = rc == TL_OK ? list_of(c, w->kind, root, e) : NULL;
    if (!list)
        return rc == TL_OK ? TL_E_TEMPORARY : rc;
    tl_record *records = tlk_new(&c->call, tl_record, tlk_count(list) + 1);
    for (tlk_iter i = tlk_each(list); n < limit && tlk_next_item(&i, &o); n++) {
        read_record(c, w, o, &records[n]);
        records[n].index = index;
    }
    return tlk_emit(c->host, records, n);
}

static tl_status rest_find(tl_conn *c, const tl_find *q, tl_error *e)
{
    struct work w;
    tl_status rc = begin(c, q->shape, &w, e);
    for (uint32_t i = 0; i < q->n_queries && rc == TL_OK; i++)
        rc = find_one(c, q, &w, i, e);
    return rc;
}

/* ---- push */

/* The body of a write: the record, inside of "data" where the API wants it so. */
static tl_str body_of(tl_conn *c, const struct work *w, const tl_record *rec)
{
    TLK_AUTO_WRITER out = {0};
    tl_str wrap = c->api.wrap ? tlk_str(w->kind->record) : TLK_NONE, part;
    tlk_w_object(&out);
    while (tlk_split(&wrap, '.', &part)) {
        tlk_w_key(&out, part);
        tlk_w_object(&out);
    }
    tlk_record_write(&out, w->plan.shape, rec, &w->rules);
    if (rec->op == TL_OP_CREATE && rec->stamp.n > 0 && *w->kind->stamp)
        tlk_w_member(&out, w->kind->stamp, rec->stamp);
    while (out.depth > 0)
        tlk_w_end_object(&out);
    return tlk_dup(&c->call, tlk_w_lent(&out));
}

/* Some answer a create with nothing but "Location: /people/17". */
static tl_str id_of_location(tl_conn *c, const struct kind *k, const tl_http *r)
{
    tl_str url = tlk_base_url(tlk_answer_header(r, "location"));
    uint64_t i = url.n;
    while (i > 0 && url.p[i - 1] != '/')
        i--;
    tl_str before = {url.p, i};
    return tlk_ends(tlk_base_url(before), k->path.p) ? tlk_dup(&c->call, (tl_str){url.p + i, url.n - i}) : TLK_NONE;
}

/* One record; a lost answer ends as TL_E_UNKNOWN. */
static tl_status push_one(tl_conn *c, const tl_push *p, const struct work *w, uint32_t index)
{
    const tl_record *rec = tlk_record(p->batch, index);
    const tlk_node *root;
    tl_http r;
    tl_error own = {.struct_size = sizeof(own)};
    bool create = rec->op == TL_OP_CREATE, remove = rec->op == TL_OP_DELETE;
    const char *method = create ? "POST" : remove ? "DELETE" : c->api.update_method;
    tlk_url u;
    tlk_url_begin(&u, &c->call, c->api.base, w->kind->path.p);
    tl_str url = create ? tlk_url_end(&u) : url_of(c, w->kind, rec->id);
    tl_status rc = ask(c, method, url, remove ? TLK_NONE : body_of(c, w, rec), &r, &root, &own);
    if (rc != TL_OK)
        return tlk_result_fail(c->host, index, tlk_write_status(&r, rc), &own);
    tl_record post = {0};
    const tlk_node *object = remove ? NULL : at(root, w->kind->record);
    if (tlk_type(object) == TLK_JOBJECT)
        read_record(c, w, object, &post);
    if (create && post.id.n == 0)
        post.id = id_of_location(c, w->kind, &r);
    if (create && post.id.n == 0) {
        rc = tlk_fail(&own, TL_E_UNKNOWN, "%s did not say the id of a new %s", c->api.errors.system, w->kind->name);
        return tlk_result_fail(c->host, index, rc, &own);
    }
    return tlk_result_ok(c->host, index, create, post.id.n > 0 ? &post : NULL);
}

static tl_status rest_push(tl_conn *c, const tl_push *p, tl_error *e)
{
    struct work w;
    tl_status rc = begin(c, p->shape, &w, e);
    for (uint32_t i = 0; i < p->batch->count && rc == TL_OK; i++)
        rc = push_one(c, p, &w, i);
    return rc;
}

/* ---- check, discover */

/* One record of every kind that is used: a wrong path, key or right shows. */
static tl_status rest_check(tl_conn *c, const tl_check *q, tl_error *e)
{
    const tl_account a = {.struct_size = sizeof(a), .org_key = c->api.org, .org_name = c->api.org};
    tl_status rc = TL_OK;
    tlk_arena_reset(&c->call);
    for (uint32_t i = 0; i < c->api.n_kinds && rc == TL_OK; i++) {
        const struct kind *k = &c->api.kinds[i];
        const struct place first = {.size = 1};
        tl_http r;
        const tlk_node *root;
        if (!tlk_wants(q->kinds, q->n_kinds, k->name))
            continue;
        rc = ask(c, "GET", page_url(c, k, &first), TLK_NONE, &r, &root, e);
        if (rc == TL_OK && !list_of(c, k, root, e))
            rc = TL_E_CONFIG;
        if (rc == TL_E_NOT_FOUND)
            rc = tlk_fail(e, TL_E_CONFIG, "%s has nothing at %s", c->api.errors.system, k->path.p);
    }
    return rc == TL_OK ? c->host->account(c->host, &a) : rc;
}

/* clang-format off */
static tl_status describe(tl_conn *c, const struct kind *k)
{
    const tl_kind kind = {
        .struct_size = sizeof(kind), .kind = tlk_str(k->name), .label = tlk_str(k->label), .name = k->path,
        .stamp_field = tlk_str(k->stamp), .can = k->can, .max_batch = 10, .max_get = 20, .max_find = 10,
        .resolution_ms = 1000, .settle_ms = 5000, .lateness_ms = OVERLAP_US / 1000,
        .n_fields = k->fields.n, .field_stride = sizeof(tl_field), .fields = k->fields.list};
    return c->host->describe(c->host, &kind);
}
/* clang-format on */

static tl_status rest_discover(tl_conn *c, const tl_discover *q, tl_error *e)
{
    tl_status rc = TL_OK;
    (void)e;
    for (uint32_t i = 0; i < c->api.n_kinds && rc == TL_OK; i++)
        if (tlk_wants(q->kinds, q->n_kinds, c->api.kinds[i].name))
            rc = describe(c, &c->api.kinds[i]);
    return rc;
}

/* ---- the table */

static void rest_close(tl_conn *c)
{
    tlk_json_done(&c->json);
    tlk_arena_done(&c->call);
    tlk_arena_done(&c->keep);
    free(c);
}

static tl_status rest_open(const tl_host *h, const tl_open *o, tl_conn **out, tl_error *e)
{
    tl_conn *c = calloc(1, sizeof(*c));
    if (!c)
        return tlk_fail(e, TL_E_TEMPORARY, "out of memory");
    c->host = h;
    tl_status rc = rest_read_options(&c->api, o, &c->keep, e);
    if (rc == TL_OK)
        *out = c;
    else
        rest_close(c);
    return rc;
}

/* The first whose needs have values; none of them asks a server, so the form is what the header says. */
static const tl_auth_flow flows[] = {
    {.name = "basic", .needs = "user", .form = "Basic {user:password}"},
    {.name = "bearer", .needs = "token,auth_scheme", .form = "{auth_scheme} {token}"},
    {.name = "header", .needs = "token", .form = "{token}"},
};
/* clang-format off */
static const tl_auth auth = {
    .struct_size = sizeof(auth), .n_flows = TLK_LEN(flows), .flow_stride = sizeof(flows[0]), .flows = flows,
    .header = "{auth_header}", .access_member = "token"};

static const void *rest_extension(const char *id)
{
    return strcmp(id, "tl.auth/1") == 0 ? &auth : NULL;
}

static const tl_connector connector = {
    .magic = TL_MAGIC, .struct_size = sizeof(connector), .abi_major = TL_ABI_MAJOR, .abi_minor = TL_ABI_MINOR,
    .id = "rest", .name = "JSON REST API", .version = "1.0", .license = "MIT-0", .role = TL_ROLE_OTHER,
    .n_options = REST_OPTIONS, .option_stride = sizeof(tl_option), .options = rest_options,
    .open = rest_open, .close = rest_close, .check = rest_check, .discover = rest_discover,
    .pull = rest_pull, .get = rest_get, .find = rest_find, .push = rest_push, .extension = rest_extension,
};
/* clang-format on */

const tl_connector *tieline_connector_v0(void)
{
    return &connector;
}
