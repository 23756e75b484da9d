/* Writing: one record a call, four calls in flight. A create with a stamp is an update or insert by the stamp field; an
 * update first reads what is there, since the vendor replaces persons and addresses as a whole (body.c). */
#include "finance.h"

struct push {
    struct fin_reader rd;
    const tl_push *p;
    tl_status stop; /* an answer that holds for all records to come, and why */
    tl_error why;
};
/* Records whose requests are in flight together. */
struct group {
    tl_http r[FIN_AT_ONCE];
    uint32_t index[FIN_AT_ONCE]; /* in the batch */
    uint32_t n;
};

static const tl_record *record_at(const struct push *s, uint32_t index)
{
    return tlk_record(s->p->batch, index);
}

static tl_status tell_failure(struct push *s, uint32_t index, tl_status rc, const tl_error *why, tl_error *e)
{
    if (why->scope == TL_SCOPE_ENDPOINT && rc != TL_E_UNKNOWN) {
        s->stop = rc;
        s->why = *why;
    }
    return tlk_refused(tlk_result_fail(s->rd.c->host, index, rc, why), e);
}

/* ---- requests */

static void record_url(struct push *s, const tl_record *rec, tlk_url *u)
{
    *u = fin_url(s->rd.c, "/");
    tlk_addz(&u->b, s->rd.kind->many);
    if (rec->op == TL_OP_UPDATE)
        tlk_url_segment(u, rec->id);
}

static void create_request(struct push *s, const tl_record *rec, tl_http *r)
{
    tl_conn *c = s->rd.c;
    bool stamped = s->p->stamp_field.n > 0 && rec->stamp.n > 0;
    tlk_url u;
    record_url(s, rec, &u);
    fin_request(c, r, stamped ? "PUT" : "POST", &u, TL_HTTP_WRITE);
    if (stamped) {
        tlk_request_header(r, &c->call, "X-Unique-Identifier-Key", s->p->stamp_field);
        tlk_request_header(r, &c->call, "X-Unique-Identifier-Value", rec->stamp);
        tlk_request_header(r, &c->call, "X-Upsert", TL_STR("true"));
    }
    fin_body(c, r, fin_contact_body(&s->rd, rec, s->p->stamp_field, NULL));
}

static void update_request(struct push *s, const tl_record *rec, const tlk_node *now, tl_http *r)
{
    tlk_url u;
    record_url(s, rec, &u);
    fin_request(s->rd.c, r, "PUT", &u, TL_HTTP_WRITE);
    fin_body(s->rd.c, r, fin_contact_body(&s->rd, rec, TLK_NONE, now));
}

/* ---- answers */

static bool is_gone(const struct push *s, tl_status rc, const tl_error *e)
{
    return rc == TL_E_NOT_FOUND || (rc == TL_E_INVALID && strcmp(e->field, s->rd.kind->id) == 0);
}

static tl_status report(struct push *s, uint32_t index, const tl_http *r, tl_error *e)
{
    tl_conn *c = s->rd.c;
    const tl_record *rec = record_at(s, index);
    const tlk_node *root = NULL;
    tl_error own = {.struct_size = sizeof(own)};
    tl_record post;
    tlk_arena_reset(&c->page);
    tl_status rc = tlk_write_status(r, fin_answer(c, r, &root, &own));
    if (rc != TL_OK)
        return tell_failure(s, index, rec->op == TL_OP_UPDATE && is_gone(s, rc, &own) ? TL_E_NOT_FOUND : rc, &own, e);
    const tlk_node *now = tlk_get(root, s->rd.kind->one);
    bool told = tlk_type(now) == TLK_JOBJECT && (fin_record_read(&s->rd, now, &post) || post.id.n > 0);
    if (!told && rec->op == TL_OP_CREATE) {
        tlk_fail_record(&own, TL_E_UNKNOWN, TL_R_OTHER, "", "%s accepted a new record but did not say its id",
                        c->product->title);
        return tlk_refused(tlk_result_fail(c->host, index, TL_E_UNKNOWN, &own), e);
    }
    bool created = rec->op == TL_OP_CREATE && r->status == 201;
    return tlk_refused(tlk_result_ok(c->host, index, created, told ? &post : NULL), e);
}

/* ---- a group: what is there is read for the updates, then all are written */

/* Requests for what the updates of the group are about; which[i]: their place in the group. */
static uint32_t reads_of(struct push *s, const struct group *g, tl_http *reads, uint32_t *which)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < g->n; i++) {
        const tl_record *rec = record_at(s, g->index[i]);
        tlk_url u;
        if (rec->op != TL_OP_UPDATE)
            continue;
        record_url(s, rec, &u);
        fin_request(s->rd.c, &reads[n], "GET", &u, 0);
        which[n++] = i;
    }
    return n;
}

struct reading {
    struct push *s;
    struct group *g;
    const uint32_t *which;
    bool *failed;
};

static tl_status read_done(void *ctx, tl_http *done, uint32_t first, uint32_t n, tl_error *e)
{
    struct reading *x = ctx;
    tl_status rc = TL_OK;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = x->which[first + i];
        const tlk_node *root = NULL;
        tl_error own = {.struct_size = sizeof(own)};
        tl_status read = fin_answer(x->s->rd.c, &done[i], &root, &own);
        if (read == TL_OK) {
            update_request(x->s, record_at(x->s, x->g->index[at]), tlk_get(root, x->s->rd.kind->one), &x->g->r[at]);
            continue;
        }
        x->failed[at] = true;
        tl_status told =
            tell_failure(x->s, x->g->index[at], is_gone(x->s, read, &own) ? TL_E_NOT_FOUND : read, &own, e);
        rc = rc == TL_OK ? told : rc;
    }
    return rc;
}

static void fail_rest(struct push *s, const struct group *g, tl_status rc, const tl_error *e)
{
    for (uint32_t i = 0; i < g->n; i++)
        tlk_result_fail(s->rd.c->host, g->index[i], rc, e);
}

static tl_status written(void *ctx, tl_http *done, uint32_t first, uint32_t n, tl_error *e)
{
    const struct reading *x = ctx;
    tl_status rc = TL_OK;
    for (uint32_t i = 0; i < n; i++) {
        tl_status told = report(x->s, x->g->index[first + i], &done[i], e);
        rc = rc == TL_OK ? told : rc;
    }
    return rc;
}

/* Leaves in the group what can be written now. */
static tl_status prepare_group(struct push *s, struct group *g, tl_error *e)
{
    tl_http reads[FIN_AT_ONCE];
    uint32_t which[FIN_AT_ONCE], kept = 0;
    bool failed[FIN_AT_ONCE] = {false};
    struct reading x = {s, g, which, failed};
    uint32_t n = reads_of(s, g, reads, which);
    tl_status rc = n > 0 ? fin_send(s->rd.c, reads, n, read_done, &x, e) : TL_OK;
    for (uint32_t i = 0; i < g->n; i++) {
        if (failed[i])
            continue;
        g->r[kept] = g->r[i];
        g->index[kept++] = g->index[i];
    }
    g->n = kept;
    return rc;
}

static tl_status group_write(struct push *s, struct group *g, tl_error *e)
{
    struct reading x = {.s = s, .g = g};
    tl_status rc = prepare_group(s, g, e);
    if (rc == TL_OK && s->stop != TL_OK)
        rc = s->stop;
    if (rc != TL_OK) {
        fail_rest(s, g, rc, s->stop != TL_OK ? &s->why : e);
        return rc;
    }
    if (g->n == 0)
        return TL_OK;
    rc = s->rd.c->host->http(s->rd.c->host, g->r, g->n, e);
    if (rc != TL_OK && rc != TL_E_CANCELLED) { /* nothing of this group left the house */
        fail_rest(s, g, rc, e);
        return rc;
    }
    tl_error own = {.struct_size = sizeof(own)};
    tl_status told = written(&x, g->r, 0, g->n, &own);
    if (rc == TL_OK && told != TL_OK)
        *e = own;
    return rc != TL_OK ? rc : told;
}

/* ---- all */

/* Takes one record into the group; what needs no call, or cannot be one, is told at once. */
static tl_status take(struct push *s, struct group *g, uint32_t index, tl_error *e)
{
    const tl_host *h = s->rd.c->host;
    const tl_record *rec = record_at(s, index);
    tl_error own = {.struct_size = sizeof(own)};
    if (rec->op == TL_OP_UPDATE && !fin_has_values(&s->rd, rec))
        return tlk_refused(tlk_result_ok(h, index, false, NULL), e);
    if (rec->op != TL_OP_UPDATE && rec->op != TL_OP_CREATE) {
        tlk_fail_record(&own, TL_E_UNSUPPORTED, TL_R_OTHER, "", "customers are neither deleted nor restored from here");
        return tlk_refused(tlk_result_fail(h, index, TL_E_UNSUPPORTED, &own), e);
    }
    if (rec->op == TL_OP_CREATE && fin_contact_name(&s->rd, rec).n == 0) {
        tlk_fail_record(&own, TL_E_INVALID, TL_R_REQUIRED_MISSING, "contact_name",
                        "a customer needs a name, a company or an e-mail address to be named by");
        return tlk_refused(tlk_result_fail(h, index, TL_E_INVALID, &own), e);
    }
    if (rec->op == TL_OP_CREATE)
        create_request(s, rec, &g->r[g->n]);
    g->index[g->n++] = index;
    return TL_OK;
}

static tl_status send_all(struct push *s, tl_error *e)
{
    tl_error stopped = {.struct_size = sizeof(stopped)};
    uint32_t next = 0, count = s->p->batch->count;
    tl_status rc = TL_OK;
    while (rc == TL_OK && s->stop == TL_OK && next < count) {
        struct group g = {.n = 0};
        while (rc == TL_OK && next < count && g.n < FIN_AT_ONCE)
            rc = take(s, &g, next++, e);
        tlk_fail(&stopped, TL_E_CANCELLED, "not sent: the call was stopped before");
        if (rc == TL_OK)
            rc = group_write(s, &g, e);
        else
            fail_rest(s, &g, TL_E_CANCELLED, &stopped);
    }
    bool shared = s->stop != TL_OK && s->stop != TL_E_CANCELLED; /* throttled, signed out: the rest would fare alike */
    for (; next < count; next++)
        tlk_result_fail(s->rd.c->host, next, shared ? s->stop : TL_E_CANCELLED, shared ? &s->why : &stopped);
    if (shared)
        *e = s->why;
    return shared ? s->stop : rc;
}

tl_status fin_push(tl_conn *c, const tl_push *p, tl_error *e)
{
    struct push s = {.p = p};
    tl_status rc = fin_begin_records(c, p->shape, true, &s.rd, e);
    if (rc == TL_OK && !s.rd.kind->synced)
        rc = tlk_unknown_kind(e, fin_errors.system, p->shape->kind);
    return rc == TL_OK ? send_all(&s, e) : rc;
}
