/* Everything stored about one person, as their right to know asks for it. */
#include <string.h>

#include "attention.h"
#include "erased.h"
#include "failures.h"
#include "feeds.h"
#include "person.h"
#include "values.h"
#include "view_act.h"
#include "view_record.h"

enum { AUDIT_PAGE = 1000, AUDIT_PAGES = 20 };

struct person {
    struct db *r;
    str who;
    struct view_kinds kinds;
    json_t *records, *pairs;
};

static json_t *values_json(const struct view_kind *kind, str observation)
{
    AUTO(arena_done) struct arena a = {0};
    json_t *o = json_object();
    size_t n = 0;
    tl_value *values = obs_all(observation, &a, &n);
    for (size_t i = 0; i < n; i++) {
        AUTO(buf_done) struct buf path = {0};
        AUTO(buf_done) struct buf text = {0};
        for (size_t k = 0; k < kind->n_rows; k++)
            if (kind->rows[k].number == values[i].field)
                buf_str(&path, kind->rows[k].path);
        if (path.n == 0)
            buf_fmt(&path, "field %u", values[i].field);
        if (values[i].type != TL_NULL)
            value_text(&text, &values[i]);
        json_object_set_new(o, buf_text(&path), values[i].type == TL_NULL ? json_null() : view_str(buf_lent(&text)));
    }
    return o;
}

static bool has_pair(const json_t *pairs, int64_t pair)
{
    size_t i;
    json_t *o;
    json_array_foreach((json_t *)(uintptr_t)pairs, i, o)
    {
        if (json_integer_value(json_object_get(o, "pair")) == pair)
            return true;
    }
    return false;
}

static int add_pairs(struct person *p, int64_t rec, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct pair_ref *refs = NULL;
    size_t n = 0;
    int rc = pair_list_of_record(p->r, &a, rec, &refs, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        json_t *whole = NULL;
        if (has_pair(p->pairs, refs[i].pair))
            continue;
        rc = view_pair(p->r, refs[i].pair, &whole, e);
        if (rc == TL_OK)
            json_array_append_new(p->pairs, whole);
    }
    return rc;
}

static int add_record(struct person *p, const struct person_record *of, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct feed feed = {0}, *f = &feed;
    struct record r = {0};
    struct endpoint ep = {0};
    int rc = record_get(p->r, &a, of->rec, &r, e);
    if (rc == TL_OK)
        rc = feed_get(p->r, &a, of->feed, f, e);
    if (rc == TL_OK)
        rc = endpoint_get(p->r, &a, f->endpoint, &ep, e);
    if (rc != TL_OK)
        return rc;
    const struct view_kind *kind = view_kind(&p->kinds, f->endpoint, f->kind);
    json_array_append_new(p->records,
                          json_pack("{s:o,s:o,s:o,s:b,s:o,s:o,s:o,s:o}", "endpoint", view_str(ep.name), "kind",
                                    view_str(f->kind), "record", view_str(r.id), "live", r.state == TL_STATE_LIVE,
                                    "seen", view_time(r.seen_us), "changed", view_time(r.modified_us), "changed_by",
                                    view_text_or_null(r.by), "values", values_json(kind, r.observation)));
    return add_pairs(p, of->rec, e);
}

static bool mentions(const struct audit *row, str who)
{
    return (row->detail.n && who.n && memmem(row->detail.p, row->detail.n, who.p, who.n)) ||
           (row->object.n && who.n && memmem(row->object.p, row->object.n, who.p, who.n));
}

static int add_audit(struct person *p, json_t *out, struct err *e)
{
    int64_t before = 0;
    for (int page = 0; page < AUDIT_PAGES; page++) {
        AUTO(arena_done) struct arena a = {0};
        struct audit *rows = NULL;
        size_t n = 0;
        int rc = audit_list(p->r, &a, before, AUDIT_PAGE, &rows, &n, e);
        for (size_t i = 0; i < n; i++)
            if (mentions(&rows[i], p->who))
                json_array_append_new(out, json_pack("{s:I,s:o,s:o,s:o}", "id", (json_int_t)rows[i].audit, "at",
                                                     view_time(rows[i].at_us), "act", view_str(rows[i].act), "detail",
                                                     view_str(rows[i].detail)));
        if (rc != TL_OK || n < AUDIT_PAGE)
            return rc;
        before = rows[n - 1].audit;
    }
    return TL_OK;
}

int view_person(struct db *r, const char *who, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct person p = {.r = r, .who = str_of(who), .kinds = {.r = r}, .records = json_array(), .pairs = json_array()};
    const struct person_ask ask = {.who = who, .by_phone = true};
    json_t *acts = json_array(), *audit = json_array();
    struct person_record *found = NULL;
    size_t n = 0;
    int rc = person_find(r, &ask, &a, &found, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        rc = add_record(&p, &found[i], e);
    if (rc == TL_OK)
        rc = view_acts_of_person(r, p.records, p.who, acts, e);
    if (rc == TL_OK)
        rc = add_audit(&p, audit, e);
    if (rc == TL_OK)
        *out = json_pack("{s:s,s:O,s:O,s:O,s:O}", "who", who, "records", p.records, "pairs", p.pairs, "acts", acts,
                         "audit", audit);
    view_kinds_done(&p.kinds);
    json_decref(p.records);
    json_decref(p.pairs);
    json_decref(acts);
    json_decref(audit);
    return rc;
}

int view_erasures(struct db *r, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct erasure *list = NULL;
    size_t n = 0;
    int rc = erasure_list(r, &a, &list, &n, e);
    if (rc != TL_OK)
        return rc;
    json_t *items = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(items, json_pack("{s:I,s:o,s:o,s:I}", "erasure", (json_int_t)list[i].erasure, "at",
                                               view_time(list[i].at_us), "who", view_str(list[i].who), "records",
                                               (json_int_t)list[i].records));
    *out = json_pack("{s:o}", "items", items);
    return TL_OK;
}
