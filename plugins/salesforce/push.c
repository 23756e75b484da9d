/* Writing: collections of up to 200 records, each with a result of its own. */
#include "salesforce.h"

#include <stdlib.h>

/* What one collection call does. */
enum way { WAY_CREATE, WAY_UPSERT, WAY_UPDATE, WAY_DELETE };

struct pusher {
    tl_conn *c;
    const struct sf_kind *kind;
    const tl_push *req;
    bool upserts;   /* the stamp field takes part in upserts */
    bool *answered; /* by record */
    tl_status stop; /* status that ends the push: no use in sending more */
    tl_error why;
};

/* ---- results */

static tl_status give_fail(struct pusher *p, uint32_t i, tl_status status, const tl_error *error)
{
    if (p->answered[i])
        return TL_OK;
    p->answered[i] = true;
    return tlk_result_fail(p->c->host, i, status, error);
}

static tl_status give_ok(struct pusher *p, uint32_t i, bool created, tl_str id)
{
    tl_record rec = {.id = id, .version_kind = TL_VER_NONE};
    p->answered[i] = true;
    return tlk_result_ok(p->c->host, i, created, &rec);
}

static const tl_record *record_at(const struct pusher *p, uint32_t i)
{
    return tlk_record(p->req->batch, i);
}

/* ---- values that can only fail: found here, they do not cost the other records their call */

static bool is_number(tl_str s)
{
    uint64_t i = s.n && (s.p[0] == '-' || s.p[0] == '+');
    uint64_t digits = 0, points = 0;
    for (; i < s.n; i++) {
        digits += s.p[i] >= '0' && s.p[i] <= '9';
        points += s.p[i] == '.';
    }
    return digits > 0 && points <= 1 && digits + points + (s.n && (s.p[0] == '-' || s.p[0] == '+')) == s.n;
}

static bool value_fits(const tl_field *f, const tl_value *v)
{
    bool text = v->type == TL_TEXT || v->type == TL_MULTILINE || v->type == TL_CHOICE || v->type == TL_EMAIL ||
                v->type == TL_PHONE || v->type == TL_URL || v->type == TL_DECIMAL;
    if (f->type == TL_INT || f->type == TL_DECIMAL)
        return !text || is_number(tlk_trim(v->u.s));
    if (f->type == TL_BOOL || f->type == TL_DATE || f->type == TL_TIME)
        return !text;
    return true;
}

static bool record_fits(struct pusher *p, uint32_t i)
{
    const tl_record *r = record_at(p, i);
    for (uint32_t k = 0; k < r->n_values; k++) {
        const tl_value *v = &r->values[k];
        if (v->field >= p->req->shape->n_fields)
            continue;
        const tl_field *f = tlk_field(p->req->shape, v->field);
        if (v->type == TL_NULL || value_fits(f, v))
            continue;
        tl_error e = {.struct_size = sizeof(e)};
        bool number = f->type == TL_INT || f->type == TL_DECIMAL;
        tlk_fail_record(&e, TL_E_INVALID, number ? TL_R_TYPE_MISMATCH : TL_R_PARAM_INVALID, f->name.n ? f->name.p : "",
                        "salesforce: text that is no %s for the field \"%.*s\"",
                        number ? "number" : "date, time or checkbox", TLK_FMT(f->label.n ? f->label : f->name));
        give_fail(p, i, TL_E_INVALID, &e);
        return false;
    }
    return true;
}

/* ---- the call */

static void write_record(struct pusher *p, tlk_writer *w, uint32_t i, enum way way)
{
    const tl_record *r = record_at(p, i);
    tlk_w_object(w);
    tlk_w_key(w, TL_STR("attributes"));
    tlk_w_object(w);
    tlk_w_member(w, "type", tlk_str(p->kind->object));
    tlk_w_end_object(w);
    if (way == WAY_UPDATE)
        tlk_w_member(w, "id", r->id);
    else if (p->req->stamp_field.n && r->stamp.n) {
        tlk_w_key(w, p->req->stamp_field);
        tlk_w_text(w, r->stamp);
    }
    tlk_record_write(w, p->req->shape, r, &sf_rules);
    tlk_w_end_object(w);
}

static void write_request(struct pusher *p, tl_http *r, const uint32_t *list, uint32_t n, enum way way)
{
    TLK_AUTO_WRITER w = {0};
    tlk_w_object(&w);
    tlk_w_key(&w, TL_STR("allOrNone"));
    tlk_w_bool(&w, false);
    tlk_w_key(&w, TL_STR("records"));
    tlk_w_array(&w);
    for (uint32_t i = 0; i < n; i++)
        write_record(p, &w, list[i], way);
    tlk_w_end_array(&w);
    tlk_w_end_object(&w);
    tl_str url = sf_path(p->c, "/composite/sobjects");
    if (way == WAY_UPSERT)
        url = sf_path(p->c, "/composite/sobjects/%s/%.*s", p->kind->object, TLK_FMT(p->req->stamp_field));
    sf_write_request(p->c, r, way == WAY_CREATE ? "POST" : "PATCH", url, tlk_w_lent(&w));
}

static void delete_request(struct pusher *p, tl_http *r, const uint32_t *list, uint32_t n)
{
    TLK_AUTO_BUF b = {0};
    tlk_add(&b, sf_path(p->c, "/composite/sobjects?allOrNone=false&ids="));
    for (uint32_t i = 0; i < n; i++) {
        tlk_addz(&b, i ? "," : "");
        tlk_add_url(&b, record_at(p, list[i])->id);
    }
    sf_write_request(p->c, r, "DELETE", tlk_dup(&p->c->call, tlk_lent(&b)), TLK_NONE);
}

/* ---- the answer */

static bool mentions(const tl_error *e, tl_str word)
{
    return word.n && (memmem(e->text, strlen(e->text), word.p, (size_t)word.n) ||
                      memmem(e->detail, strlen(e->detail), word.p, (size_t)word.n));
}

/* All messages of the row, for the log: two validation rules may have failed. */
static void keep_all(tl_error *e, const tlk_node *errors, tlk_arena *a)
{
    TLK_AUTO_BUF b = {.max = 2048};
    tlk_iter each = tlk_each(errors);
    for (const tlk_node *one; tlk_next_item(&each, &one);) {
        tl_str code = tlk_text(tlk_get(one, "statusCode"), a), words = tlk_text(tlk_get(one, "message"), a);
        tlk_addf(&b, "%s%.*s: %.*s", b.n ? "; " : "", TLK_FMT(code), TLK_FMT(words));
    }
    tlk_error_detail(e, tlk_lent(&b));
}

static tl_status row_failed(struct pusher *p, uint32_t i, enum way way, const tlk_node *row)
{
    tl_error e = {.struct_size = sizeof(e)};
    const tlk_node *errors = tlk_get(row, "errors");
    tl_status status = tlk_error_of(&sf_errors, 0, tlk_item(errors, 0), 0, &e);
    keep_all(&e, errors, &p->c->page);
    /* The target itself is gone: named so for an id that was purged [SOAP:sforce_api_calls_concepts_core_data_objects].
     */
    if ((way == WAY_UPDATE || way == WAY_DELETE) && strcmp(e.code, "INVALID_CROSS_REFERENCE_KEY") == 0 && !e.field[0])
        status = TL_E_NOT_FOUND;
    /* Two upserts of one stamp met: the other one made the record, the next attempt finds it. */
    if (way == WAY_UPSERT && strcmp(e.code, "DUPLICATE_VALUE") == 0 && mentions(&e, p->req->stamp_field)) {
        status = TL_E_TEMPORARY;
        e.reason = TL_R_OTHER;
    }
    if (status == TL_E_CONFIG || status == TL_E_AUTH)
        status = TL_E_DENIED; /* said of a row it is not about the endpoint */
    return give_fail(p, i, status, &e);
}

/* One element a record, in its order [REST:resources_composite_sobjects_collections]. */
static tl_status rows_answered(struct pusher *p, const uint32_t *list, uint32_t n, enum way way, const tlk_node *root)
{
    tlk_iter each = tlk_each(root);
    tl_status rc = TL_OK;
    uint32_t at = 0;
    for (const tlk_node *row; rc == TL_OK && at < n && tlk_next_item(&each, &row); at++) {
        bool success = false, created = way == WAY_CREATE;
        tlk_bool(tlk_get(row, "success"), &success);
        tlk_bool(tlk_get(row, "created"), &created);
        tl_str id = tlk_text(tlk_get(row, "id"), &p->c->page);
        if (success && (id.n || way != WAY_CREATE))
            rc = give_ok(p, list[at], created, id.n ? id : record_at(p, list[at])->id);
        else
            rc = row_failed(p, list[at], way, row);
    }
    tl_error e = {.struct_size = sizeof(e)};
    tlk_fail_record(&e, TL_E_UNKNOWN, TL_R_OTHER, "", "salesforce: the answer says nothing about this record");
    for (; rc == TL_OK && at < n; at++)
        rc = give_fail(p, list[at], TL_E_UNKNOWN, &e);
    return rc;
}

static tl_status all_failed(struct pusher *p, const uint32_t *list, uint32_t n, tl_status status, const tl_error *e)
{
    tl_status rc = TL_OK;
    for (uint32_t i = 0; i < n && rc == TL_OK; i++)
        rc = give_fail(p, list[i], status, e);
    return rc;
}

static tl_status send_group(struct pusher *p, const uint32_t *list, uint32_t n, enum way way);

/* The call as a whole was refused, nothing was written. A value that cannot be parsed refuses all 200 records: halved
 * until it stands alone. What concerns the endpoint ends the push. */
static tl_status group_refused(struct pusher *p, const uint32_t *list, uint32_t n, enum way way, tl_status status,
                               const tl_error *e)
{
    bool about_data =
        status == TL_E_INVALID || (status == TL_E_DENIED && e->scope == TL_SCOPE_RECORD) || status == TL_E_NOT_FOUND;
    if (about_data && n > 1 && !(e->reason == TL_R_SCHEMA && e->scope == TL_SCOPE_KIND)) {
        tl_status rc = send_group(p, list, n / 2, way);
        return rc == TL_OK ? send_group(p, list + n / 2, n - n / 2, way) : rc;
    }
    if (!about_data && status != TL_E_UNKNOWN) {
        p->stop = status;
        p->why = *e;
    }
    return all_failed(p, list, n, status, e);
}

static tl_status send_group(struct pusher *p, const uint32_t *list, uint32_t n, enum way way)
{
    tl_conn *c = p->c;
    tl_http r;
    tl_error e = {.struct_size = sizeof(e)};
    const tlk_node *root = NULL;
    if (n == 0)
        return TL_OK;
    if (p->stop != TL_OK)
        return all_failed(p, list, n, p->stop, &p->why);
    if (way == WAY_DELETE)
        delete_request(p, &r, list, n);
    else
        write_request(p, &r, list, n, way);
    if (r.body.n > SF_BODY && n > 1) {
        tl_status rc = send_group(p, list, n / 2, way);
        return rc == TL_OK ? send_group(p, list + n / 2, n - n / 2, way) : rc;
    }
    tl_status rc = sf_call(c, &r, &root, &e);
    if (rc == TL_OK && tlk_type(root) == TLK_JARRAY)
        return rows_answered(p, list, n, way, root);
    if (rc == TL_OK)
        rc = tlk_fail(&e, TL_E_UNKNOWN, "salesforce: the answer to a write names no results");
    if (rc == TL_E_CANCELLED) { /* nothing was sent */
        p->stop = rc;
        p->why = e;
        return all_failed(p, list, n, rc, &e);
    }
    rc = tlk_write_status(&r, rc);
    if (rc == TL_E_UNKNOWN)
        e.scope = TL_SCOPE_RECORD;
    return group_refused(p, list, n, way, rc, &e);
}

/* ---- all of it */

static enum way way_of(const struct pusher *p, const tl_record *r)
{
    if (r->op == TL_OP_UPDATE)
        return WAY_UPDATE;
    if (r->op == TL_OP_DELETE)
        return WAY_DELETE;
    return p->upserts && r->stamp.n ? WAY_UPSERT : WAY_CREATE;
}

static tl_status push_way(struct pusher *p, enum way way, uint32_t *list)
{
    tl_status rc = TL_OK;
    uint32_t n = 0, count = p->req->batch->count;
    for (uint32_t i = 0; i <= count && rc == TL_OK; i++) {
        if (i < count && !p->answered[i] && way_of(p, record_at(p, i)) == way && record_fits(p, i))
            list[n++] = i;
        if (n == SF_COLLECTION || (i == count && n > 0)) {
            rc = send_group(p, list, n, way);
            n = 0;
        }
    }
    return rc;
}

/* There is no call that brings a record back from the recycle bin [REST:resources_list]. */
static tl_status refuse_restores(struct pusher *p)
{
    tl_status rc = TL_OK;
    for (uint32_t i = 0; i < p->req->batch->count && rc == TL_OK; i++) {
        tl_error e = {.struct_size = sizeof(e)};
        if (record_at(p, i)->op != TL_OP_RESTORE)
            continue;
        tlk_fail_record(&e, TL_E_UNSUPPORTED, TL_R_OTHER, "", "salesforce: the API cannot restore a deleted record");
        rc = give_fail(p, i, TL_E_UNSUPPORTED, &e);
    }
    return rc;
}

tl_status sf_push(tl_conn *c, const tl_push *req, tl_error *e)
{
    struct sf_reader rd;
    tl_status rc = sf_begin_records(c, req->shape, &rd, e);
    if (rc != TL_OK)
        return rc;
    struct pusher p = {.c = c, .req = req, .kind = rd.kind};
    p.upserts = tlk_eq(req->stamp_field, c->stamp) && sf_stamp_is_unique(c, p.kind);
    p.answered = tlk_new(&c->call, bool, req->batch->count + 1);
    uint32_t *list = tlk_new(&c->call, uint32_t, SF_COLLECTION);
    static const enum way ways[] = {WAY_UPDATE, WAY_UPSERT, WAY_CREATE, WAY_DELETE};
    rc = refuse_restores(&p);
    for (size_t i = 0; i < TLK_LEN(ways) && rc == TL_OK; i++)
        rc = push_way(&p, ways[i], list);
    if (rc != TL_OK)
        return tlk_refused(rc, e);
    if (p.stop != TL_OK)
        *e = p.why;
    return p.stop;
}
