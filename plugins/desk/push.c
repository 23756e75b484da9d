/* Writing: one record a call, four calls in flight. Zoho Desk has no upsert, no condition on a version and no request
 * key, so a lost answer leaves the outcome unknown; the stamp in the custom field is how it is found out later. */
#include "desk.h"

struct push {
    struct desk_reader rd;
    const tl_push *p;
    tl_shape shape; /* the caller's, and the stamp field behind it */
    tlk_writer w;
    tl_status stop; /* an answer that holds for all records to come, and why */
    tl_error why;
};

/* The stamp field as one more field of the shape, so that it lands among the other custom fields. */
static void shape_with_stamp(struct push *s)
{
    const tl_shape *from = s->p->shape;
    tl_conn *c = s->rd.c;
    tl_field *fields = tlk_new(&c->call, tl_field, from->n_fields + 1);
    for (uint32_t i = 0; i < from->n_fields; i++)
        fields[i] = *tlk_field(from, i);
    tl_str name = s->p->stamp_field;
    if (name.n > 0 && !tlk_starts(name, "cf."))
        name = tlk_fmt(&c->call, "cf.%.*s", TLK_FMT(name));
    fields[from->n_fields] = (tl_field){.struct_size = sizeof(tl_field), .type = TL_TEXT, .path = name, .name = name};
    s->shape = *from;
    s->shape.fields = fields;
    s->shape.field_stride = sizeof(tl_field);
    s->shape.n_fields = from->n_fields + (name.n > 0);
}

static tl_str body_of(struct push *s, const tl_record *rec)
{
    tl_record with = *rec;
    if (rec->op == TL_OP_CREATE && rec->stamp.n > 0 && s->shape.n_fields > s->p->shape->n_fields) {
        tl_value *values = tlk_new(&s->rd.c->call, tl_value, rec->n_values + 1);
        if (rec->n_values > 0)
            memcpy(values, rec->values, rec->n_values * sizeof(*values));
        values[rec->n_values] = (tl_value){.field = s->p->shape->n_fields, .type = TL_TEXT, .u.s = rec->stamp};
        with.values = values;
        with.n_values++;
    }
    tlk_w_clear(&s->w);
    tlk_w_object(&s->w);
    tlk_record_write(&s->w, &s->shape, &with, &desk_rules);
    tlk_w_end_object(&s->w);
    return tlk_w_lent(&s->w);
}

/* {"contactIds":["1"]} */
static tl_str ids_body(struct push *s, const char *member, tl_str id, bool restore)
{
    tlk_w_clear(&s->w);
    tlk_w_object(&s->w);
    tlk_w_key(&s->w, tlk_str(member));
    tlk_w_array(&s->w);
    tlk_w_text(&s->w, id);
    tlk_w_end_array(&s->w);
    if (restore) {
        tlk_w_key(&s->w, TL_STR("isChildNeedToBeRestored"));
        tlk_w_bool(&s->w, true);
    }
    tlk_w_end_object(&s->w);
    return tlk_w_lent(&s->w);
}

static void make_request(struct push *s, const tl_record *rec, tl_http *r)
{
    tl_conn *c = s->rd.c;
    const char *method = rec->op == TL_OP_UPDATE ? "PATCH" : "POST";
    tlk_url u = desk_url(c, "/");
    u.arena = &c->call;
    if (rec->op == TL_OP_RESTORE)
        tlk_addz(&u.b, "recycleBin/restore");
    else
        tlk_addz(&u.b, s->rd.kind->module);
    if (rec->op == TL_OP_UPDATE)
        tlk_url_segment(&u, rec->id);
    if (rec->op == TL_OP_DELETE)
        tlk_addz(&u.b, "/moveToTrash");
    tlk_request(r, method, tlk_url_end(&u), TL_HTTP_WRITE);
    tlk_request_header(r, &c->call, "orgId", c->org);
    if (rec->op == TL_OP_DELETE)
        tlk_request_json(r, &c->call, ids_body(s, s->rd.kind->trash_ids, rec->id, false));
    else if (rec->op == TL_OP_RESTORE)
        tlk_request_json(r, &c->call, ids_body(s, "ids", rec->id, true));
    else
        tlk_request_json(r, &c->call, body_of(s, rec));
}

/* A mass action answers 200 although its one item failed [OAS:CommonMassActionResponse]. */
static tl_status item_verdict(const tlk_node *root, tl_error *e)
{
    bool success;
    const tlk_node *item = tlk_at(root, "results.0");
    if (!item || !tlk_bool(tlk_get(item, "success"), &success) || success)
        return TL_OK;
    int64_t http = 0;
    tlk_i64(tlk_at(item, "errors.httpCode"), &http);
    return tlk_error_of(&desk_errors, (int32_t)http, tlk_get(item, "errors"), 0, e);
}

/* The record as the answer shows it. PATCH is documented to answer with it, but that is not sure: what is not there is
 * not claimed. */
static bool post_write(struct push *s, const tlk_node *root, const tl_record *rec, tl_record *out)
{
    if (tlk_type(root) != TLK_JOBJECT || !tlk_get(root, "id"))
        return false;
    desk_record_read(&s->rd, root, out);
    if (rec->op == TL_OP_UPDATE && !tlk_eq(out->id, rec->id))
        return false;
    if (!tlk_get(root, "modifiedTime") || !tlk_get(root, "createdTime") || !tlk_get(root, "cf"))
        out->flags &= ~(uint32_t)TL_REC_FULL;
    return true;
}

static tl_status verdict_of(struct push *s, const tl_http *r, const tl_record *rec, const tlk_node **root, tl_error *e)
{
    tl_status rc = tlk_answer(s->rd.c->host, r, &desk_errors, &s->rd.c->json, root, e);
    if (rc == TL_OK)
        rc = item_verdict(*root, e);
    if (rc == TL_E_INVALID)
        desk_refine(*root ? *root : s->rd.c->json.nodes, &s->shape, rec, e);
    /* The one id of a mass action is refused as invalid when no live record has it. */
    if (rc == TL_E_INVALID && rec->op == TL_OP_DELETE && strcmp(e->field, s->rd.kind->trash_ids) == 0)
        rc = TL_E_NOT_FOUND;
    return tlk_write_status(r, rc);
}

static tl_status report(struct push *s, uint32_t index, const tl_record *rec, const tl_http *r, tl_error *e)
{
    const tlk_node *root = NULL;
    tl_error own = {.struct_size = sizeof(own)};
    const tl_host *h = s->rd.c->host;
    tl_record post;
    tlk_arena_reset(&s->rd.c->page);
    tl_status rc = verdict_of(s, r, rec, &root, &own);
    if (rc != TL_OK) {
        if (own.scope == TL_SCOPE_ENDPOINT && rc != TL_E_UNKNOWN) {
            s->stop = rc;
            s->why = own;
        }
        return tlk_refused(tlk_result_fail(h, index, rc, &own), e);
    }
    bool told = rec->op != TL_OP_DELETE && rec->op != TL_OP_RESTORE && post_write(s, root, rec, &post);
    if (rec->op == TL_OP_CREATE && !told) {
        tlk_fail_record(&own, TL_E_UNKNOWN, TL_R_OTHER, "", "Zoho Desk accepted a new record but did not say its id");
        return tlk_refused(tlk_result_fail(h, index, TL_E_UNKNOWN, &own), e);
    }
    return tlk_refused(tlk_result_ok(h, index, rec->op == TL_OP_CREATE, told ? &post : NULL), e);
}

/* Out of the bin first; what the record shall hold then follows as an update. */
static tl_status restore_then_update(struct push *s, uint32_t index, const tl_http *restored, tl_error *e)
{
    tl_conn *c = s->rd.c;
    const tl_record *rec = tlk_record(s->p->batch, index);
    const tlk_node *root = NULL;
    tl_error own = {.struct_size = sizeof(own)};
    tl_status rc = verdict_of(s, restored, rec, &root, &own);
    if (rc != TL_OK || rec->n_values == 0)
        return rc == TL_OK ? tlk_refused(tlk_result_ok(c->host, index, false, NULL), e)
                           : tlk_refused(tlk_result_fail(c->host, index, rc, &own), e);
    tl_record update = *rec;
    update.op = TL_OP_UPDATE;
    tl_http r;
    make_request(s, &update, &r);
    rc = c->host->http(c->host, &r, 1, e);
    if (rc != TL_OK) {
        tlk_result_fail(c->host, index, rc, e);
        return rc;
    }
    return report(s, index, &update, &r, e);
}

/* Records whose requests are in flight together. */
struct group {
    tl_http r[DESK_AT_ONCE];
    uint32_t index[DESK_AT_ONCE]; /* in the batch */
    uint32_t n, next;             /* next: first record that is not looked at yet */
    bool restore;
};

/* An update of nothing that may be written would be an EMPTY_PAYLOAD. */
static bool has_nothing(struct push *s, const tl_record *rec)
{
    TLK_AUTO_WRITER w = {0};
    tlk_w_object(&w);
    return rec->op == TL_OP_UPDATE && tlk_record_write(&w, &s->shape, rec, &desk_rules) == 0;
}

/* Takes records for the next group: up to four writes, or one restore, which calls a second time and so ends the loan
 * of the answers. */
static tl_status gather(struct push *s, struct group *g, tl_error *e)
{
    const tl_batch *b = s->p->batch;
    for (g->n = 0; g->next < b->count && g->n < DESK_AT_ONCE; g->next++) {
        const tl_record *rec = tlk_record(b, g->next);
        if (has_nothing(s, rec)) {
            tl_status rc = tlk_refused(tlk_result_ok(s->rd.c->host, g->next, false, NULL), e);
            if (rc != TL_OK)
                return rc;
            continue;
        }
        bool restore = rec->op == TL_OP_RESTORE;
        if (g->n > 0 && (restore || g->restore))
            return TL_OK;
        g->restore = restore;
        g->index[g->n] = g->next;
        make_request(s, rec, &g->r[g->n++]);
    }
    return TL_OK;
}

/* Every answer is told, also when the host wants no more: what is not told counts as unknown. */
static tl_status group_done(struct push *s, struct group *g, tl_error *e)
{
    tl_status rc = TL_OK;
    if (g->restore)
        return restore_then_update(s, g->index[0], &g->r[0], e);
    for (uint32_t i = 0; i < g->n; i++) {
        tl_status told = report(s, g->index[i], tlk_record(s->p->batch, g->index[i]), &g->r[i], e);
        rc = rc == TL_OK ? told : rc;
    }
    return rc;
}

static void give_up(struct push *s, uint32_t first, tl_status why, const tl_error *e)
{
    for (uint32_t i = first; i < s->p->batch->count; i++)
        tlk_result_fail(s->rd.c->host, i, why, e);
}

/* The same for the records of a group that was not sent. */
static void give_up_group(struct push *s, const struct group *g, tl_status why, const tl_error *e)
{
    for (uint32_t i = 0; i < g->n; i++)
        tlk_result_fail(s->rd.c->host, g->index[i], why, e);
    give_up(s, g->next, why, e);
}

static tl_status send_all(struct push *s, tl_error *e)
{
    tl_conn *c = s->rd.c;
    struct group g = {.n = 0};
    tl_error stopped = {.struct_size = sizeof(stopped)};
    tlk_fail(&stopped, TL_E_CANCELLED, "not sent: the call was stopped before");
    while (g.next < s->p->batch->count) {
        tl_status rc = gather(s, &g, e);
        if (rc != TL_OK) {
            g.next++; /* the one that was told last */
            give_up_group(s, &g, TL_E_CANCELLED, &stopped);
            return rc;
        }
        if (g.n == 0) /* what was left was nothing to write */
            break;
        rc = c->host->http(c->host, g.r, g.n, e);
        if (rc != TL_OK && rc != TL_E_CANCELLED) { /* nothing of this group left the house */
            give_up_group(s, &g, rc, e);
            return rc;
        }
        tl_status told = group_done(s, &g, e);
        if (s->stop != TL_OK && s->stop != TL_E_CANCELLED) { /* throttled, signed out: the rest would fare alike */
            give_up(s, g.next, s->stop, &s->why);
            *e = s->why;
            return s->stop;
        }
        if (rc != TL_OK || told != TL_OK) {
            give_up(s, g.next, TL_E_CANCELLED, &stopped);
            return rc != TL_OK ? rc : told;
        }
    }
    return TL_OK;
}

tl_status desk_push(tl_conn *c, const tl_push *p, tl_error *e)
{
    struct push s = {.p = p};
    tl_status rc = desk_begin_records(c, p->shape, &s.rd, e);
    if (rc != TL_OK)
        return rc;
    shape_with_stamp(&s);
    rc = send_all(&s, e);
    tlk_w_done(&s.w);
    return rc;
}
