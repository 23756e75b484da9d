/* Lists about one record: its deals, notes, tasks, events, the latest first. All that a page needs goes in one call:
 * the rows, on the first page also how many there are in all, and whether the record is there. Where rows come from two
 * queries, which have none in common, their pages are merged; the cursor says how far each of them was read. */
#include "salesforce.h"

enum { LIST_DEFAULT = 50, LIST_MAX = 200, ENDED = -1, FEEDS = 2 };

/* One of the queries. */
struct feed {
    const struct sf_source *source;
    tl_shape shape; /* the one asked for, by the names that the object has for its fields */
    tlk_plan plan;
    int64_t from; /* rows told already; ENDED: there are no more */
    tlk_iter rows;
    const tlk_node *head; /* the next row; null: none is left of this page */
    bool cut;             /* the vendor sent less than it was asked for and has more */
};

struct listing {
    tl_conn *c;
    const tl_list *req;
    const struct sf_listed *k;
    const struct sf_about *about;
    const struct sf_part *part; /* null: all */
    struct feed feeds[FEEDS];
    uint32_t n, limit;
    bool first; /* the first page */
    int64_t all;
};

/* ---- the queries */

static void add_condition(tlk_buf *b, const struct listing *l, const char *text)
{
    for (const char *p = text; *p; p++) {
        if (*p == '$')
            sf_soql_text(b, l->req->about_id);
        else if (*p == '@')
            sf_soql_time(b, l->c->host->now_us(l->c->host));
        else
            tlk_addc(b, *p);
    }
}

static void add_conditions(tlk_buf *b, const struct listing *l, const struct sf_source *s)
{
    tlk_addf(b, " FROM %s WHERE ", s->origin->object);
    add_condition(b, l, s->where);
    if (s->origin->always)
        tlk_addf(b, " AND %s", s->origin->always);
    if (l->part) {
        tlk_addz(b, " AND ");
        add_condition(b, l, l->part->where);
    }
}

/* One row more than is wanted shows whether there are more. */
static void ask_rows(struct sf_composite *m, const struct listing *l, const struct feed *f)
{
    const struct sf_origin *o = f->source->origin;
    TLK_AUTO_BUF names = {0};
    TLK_AUTO_BUF b = {0};
    sf_soql_name(&names, tlk_str(o->envelope.id));
    sf_soql_name(&names, tlk_str(o->envelope.modified));
    sf_soql_name(&names, tlk_str(o->envelope.created));
    sf_soql_name(&names, tlk_str(o->order));
    sf_soql_names(&names, &f->shape);
    tlk_addf(&b, "SELECT %.*s", TLK_FMT(tlk_lent(&names)));
    add_conditions(&b, l, f->source);
    tlk_addf(&b, " ORDER BY %s DESC NULLS LAST, %s DESC LIMIT %u", o->order, o->envelope.id, l->limit + 1);
    if (f->from > 0)
        tlk_addf(&b, " OFFSET %lld", (long long)f->from);
    sf_composite_query(m, tlk_lent(&b), o->archived);
}

static void ask_count(struct sf_composite *m, const struct listing *l, const struct sf_source *s)
{
    TLK_AUTO_BUF b = {0};
    tlk_addz(&b, "SELECT COUNT()");
    add_conditions(&b, l, s);
    sf_composite_query(m, tlk_lent(&b), s->origin->archived);
}

/* A list of a record that is not there would be empty as any other. */
static void ask_about(struct sf_composite *m, const struct listing *l)
{
    const struct sf_kind *k = sf_kind_of(tlk_str(l->about->kind));
    tl_str tail = tlk_fmt(&l->c->call, "/sobjects/%s/%.*s?fields=Id", k->object, TLK_FMT(l->req->about_id));
    sf_composite_get(m, sf_inner_path(l->c, tail));
}

/* ---- the answer */

static tl_status take_rows(struct feed *f, const tlk_node *body, uint32_t asked, tl_error *e)
{
    const tlk_node *rows = tlk_get(body, "records");
    bool done = true;
    if (tlk_type(rows) != TLK_JARRAY)
        return tlk_fail(e, TL_E_TEMPORARY, "salesforce: the answer to a query holds no records");
    tlk_bool(tlk_get(body, "done"), &done);
    f->cut = !done && tlk_count(rows) > 0 && tlk_count(rows) < asked;
    f->rows = tlk_each(rows);
    f->head = tlk_next_item(&f->rows, &f->head) ? f->head : NULL;
    return TL_OK;
}

/* Of notes an org may have one sort alone: an object that is not there has none. */
static bool is_missing(const struct listing *l, tl_status rc, const tl_error *e)
{
    return rc == TL_E_INVALID && l->k->own && strcmp(e->code, "INVALID_TYPE") == 0;
}

/* What is no id of the object is no id of a record that is there. */
static tl_status take_about(const tlk_node *root, tl_error *e)
{
    const tlk_node *body = NULL;
    tl_status rc = sf_composite_part(root, 0, &body, e);
    bool malformed = rc == TL_E_INVALID && strcmp(e->code, "MALFORMED_ID") == 0;
    return malformed ? TL_E_NOT_FOUND : rc;
}

/* In the order in which they were asked: whether the record is there, rows, numbers. */
static tl_status take_answer(struct listing *l, const tlk_node *root, tl_error *e)
{
    const tlk_node *body = NULL;
    uint32_t part = l->first ? 1 : 0, missing = 0;
    tl_status rc = l->first ? take_about(root, e) : TL_OK;
    for (uint32_t i = 0; i < l->n && rc == TL_OK; i++) {
        struct feed *f = &l->feeds[i];
        if (f->from == ENDED)
            continue;
        rc = sf_composite_part(root, part++, &body, e);
        if (is_missing(l, rc, e) && ++missing < l->n) {
            f->from = ENDED;
            tlk_error_clear(e);
            rc = TL_OK;
        } else if (rc == TL_OK)
            rc = take_rows(f, body, l->limit + 1, e);
    }
    for (uint32_t i = 0; l->first && i < l->n && rc == TL_OK; i++) {
        int64_t n = 0;
        uint32_t at = part++;
        if (l->feeds[i].from == ENDED)
            continue;
        rc = sf_composite_part(root, at, &body, e);
        tlk_i64(tlk_get(body, "totalSize"), &n);
        l->all += n;
    }
    return rc;
}

static tl_status ask(struct listing *l, int64_t *server_us, tl_error *e)
{
    SF_AUTO_COMPOSITE m;
    tl_http r;
    const tlk_node *root = NULL;
    sf_composite_begin(&m, l->c);
    if (l->first)
        ask_about(&m, l);
    for (uint32_t i = 0; i < l->n; i++) {
        if (l->feeds[i].from != ENDED)
            ask_rows(&m, l, &l->feeds[i]);
    }
    for (uint32_t i = 0; l->first && i < l->n; i++)
        ask_count(&m, l, l->feeds[i].source);
    sf_composite_request(&m, &r);
    tl_status rc = sf_call(l->c, &r, &root, e);
    *server_us = tlk_server_us(l->c->host, &r);
    return rc == TL_OK ? take_answer(l, root, e) : rc;
}

/* ---- one list of the rows */

static tl_str key_of(const struct feed *f, tlk_arena *a)
{
    return tlk_text_at(f->head, f->source->origin->order, a);
}

/* Dates and times are written so that their order is that of their texts; none comes last. */
static bool is_later(tl_str a, tl_str b)
{
    size_t n = (size_t)(a.n < b.n ? a.n : b.n);
    int order = n ? memcmp(a.p, b.p, n) : 0;
    return order ? order > 0 : a.n > b.n;
}

/* The feed that has the latest row; null: there is none, or one of them may have a later one than it sent. */
static struct feed *latest(struct listing *l)
{
    struct feed *best = NULL;
    for (uint32_t i = 0; i < l->n; i++) {
        struct feed *f = &l->feeds[i];
        if (!f->head && f->cut)
            return NULL;
        if (f->head && (!best || is_later(key_of(f, &l->c->page), key_of(best, &l->c->page))))
            best = f;
    }
    return best;
}

static tl_status emit_merged(struct listing *l, tl_error *e)
{
    tlk_arena *a = &l->c->page;
    tl_record *list = tlk_new(a, tl_record, l->limit + 1);
    uint32_t n = 0;
    for (struct feed *f; n < l->limit && (f = latest(l));) {
        tl_record *rec = &list[n++];
        tlk_object_read(&f->plan, &f->source->origin->envelope, f->head, a, rec);
        rec->url = sf_url_of(l->c, rec->id, a);
        f->head = tlk_next_item(&f->rows, &f->head) ? f->head : NULL;
        f->from++;
    }
    tl_status rc = n ? tlk_emit(l->c->host, list, n) : TL_OK;
    return tlk_refused(rc, e);
}

/* What lies further down than a query can skip is not told: nobody reads that far. */
static bool is_over(const struct listing *l)
{
    bool over = true;
    for (uint32_t i = 0; i < l->n; i++) {
        const struct feed *f = &l->feeds[i];
        if (f->from > SF_OFFSET)
            return true;
        over = over && f->from == ENDED;
    }
    return over;
}

/* ---- the call */

static const char *const cursor_names[FEEDS] = {"a", "b"};

static bool read_cursor(struct listing *l)
{
    tlk_cursor cur;
    if (!tlk_cursor_read(&cur, SF_LIST_TAG, l->req->cursor, &l->c->call))
        return false;
    l->first = l->req->cursor.n == 0;
    l->all = tlk_cursor_int(&cur, "all", 0);
    for (uint32_t i = 0; i < l->n; i++) {
        l->feeds[i].from = tlk_cursor_int(&cur, cursor_names[i], l->first ? 0 : ENDED);
        if (l->feeds[i].from < ENDED || l->feeds[i].from > SF_OFFSET)
            return false;
    }
    return l->first || !is_over(l);
}

static tl_str write_cursor(const struct listing *l)
{
    tlk_cursor cur = {.n = 0};
    tlk_cursor_set_int(&cur, &l->c->call, "all", l->all);
    for (uint32_t i = 0; i < l->n; i++)
        tlk_cursor_set_int(&cur, &l->c->call, cursor_names[i], l->feeds[i].from);
    return tlk_cursor_text(&cur, SF_LIST_TAG, &l->c->page);
}

static tl_str name_here(const struct sf_origin *o, tl_str name)
{
    if (!o->names)
        return name;
    const struct sf_rename *known = tlk_row_by(o->names, o->n_names, name, name);
    return known ? tlk_str(known->here) : TLK_NONE;
}

static void feed_init(struct feed *f, tl_conn *c, const tl_shape *shape, const struct sf_source *source)
{
    tl_field *fields = tlk_new(&c->call, tl_field, shape->n_fields + 1);
    for (uint32_t i = 0; i < shape->n_fields; i++) {
        fields[i] = *tlk_field(shape, i);
        fields[i].name = name_here(source->origin, fields[i].name);
    }
    *f = (struct feed){.source = source, .shape = *shape};
    f->shape.fields = fields;
    f->shape.field_stride = sizeof(*fields);
    tlk_plan_init(&f->plan, &f->shape, &sf_rules, &c->call);
}

/* Which list it is: its kind, about what, which part of it. */
static tl_status find_list(struct listing *l, tl_error *e)
{
    const tl_list *req = l->req;
    l->k = sf_listed_of(req->shape->kind);
    if (!l->k)
        return tlk_unknown_kind(e, sf_errors.system, req->shape->kind);
    l->about = tlk_row_by(l->k->about, l->k->n_about, kind, req->about_kind);
    if (!l->about)
        return tlk_fail_kind(e, TL_E_UNSUPPORTED, "salesforce: \"%.*s\" has no list of \"%.*s\"",
                             TLK_FMT(req->about_kind), TLK_FMT(req->shape->kind));
    if (!sf_is_id(req->about_id)) /* nor would it fit into an address */
        return tlk_fail_record(e, TL_E_NOT_FOUND, TL_R_OTHER, "Id", "salesforce: no %s has the id \"%.*s\"",
                               l->about->kind, TLK_FMT(req->about_id));
    if (!req->filter.n)
        return TL_OK;
    l->part = tlk_row_by(l->k->parts, l->k->n_parts, name, req->filter);
    return l->part ? TL_OK
                   : tlk_fail_kind(e, TL_E_UNSUPPORTED, "salesforce: a list of \"%.*s\" has no part \"%.*s\"",
                                   TLK_FMT(req->shape->kind), TLK_FMT(req->filter));
}

static tl_status list(tl_conn *c, const tl_list *req, tl_error *e)
{
    struct listing l = {.c = c, .req = req, .limit = req->limit ? req->limit : LIST_DEFAULT};
    int64_t server_us = 0;
    tl_status rc = sf_begin(c, e);
    if (rc == TL_OK)
        rc = find_list(&l, e);
    if (rc != TL_OK)
        return rc;
    l.limit = l.limit > LIST_MAX ? LIST_MAX : l.limit;
    l.n = sf_n_sources(l.about);
    for (uint32_t i = 0; i < l.n; i++)
        feed_init(&l.feeds[i], c, req->shape, &l.about->sources[i]);
    if (!read_cursor(&l))
        return tlk_cursor_lost(e);
    rc = ask(&l, &server_us, e);
    if (rc == TL_OK)
        rc = emit_merged(&l, e);
    if (rc != TL_OK)
        return rc;
    for (uint32_t i = 0; i < l.n; i++) {
        if (!l.feeds[i].head && !l.feeds[i].cut)
            l.feeds[i].from = ENDED;
    }
    rc = tlk_checkpoint(c->host, TL_PULL_CHANGES, is_over(&l), write_cursor(&l), server_us, l.all);
    return rc == TL_E_CANCELLED ? TL_OK : tlk_refused(rc, e);
}

const tl_view sf_view = {.struct_size = sizeof(sf_view), .list = list};
