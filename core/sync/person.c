/* Somebody's records: see person.h. */
#include "person.h"

#include <string.h>

#include "endpoints.h"
#include "feeds.h"
#include "obs.h"
#include "records.h"
#include "unicode.h"
#include "values.h"

enum { OF_A_PHONE = 100, PAGE = 500 };

struct search {
    struct db *r;
    const struct person_ask *ask;
    struct arena *a;
    struct buf folded; /* who, as an address */
    bool is_phone;
    int64_t last9; /* and as a number */
    struct person_record *found;
    size_t n, cap;
};

static void found_add(struct search *s, int64_t rec, int64_t feed)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->found[i].rec == rec)
            return;
    if (s->n == s->cap) {
        size_t cap = s->cap ? 2 * s->cap : 16;
        struct person_record *more = arena_array(s->a, struct person_record, cap);
        if (s->n)
            memcpy(more, s->found, s->n * sizeof *more);
        s->found = more;
        s->cap = cap;
    }
    s->found[s->n++] = (struct person_record){rec, feed};
}

static bool is_address(const struct search *s, const tl_value *v)
{
    AUTO(buf_done) struct buf text = {0};
    AUTO(buf_done) struct buf folded = {0};
    value_text(&text, v);
    if (text.n == 0 || !memchr(buf_text(&text), '@', text.n))
        return false;
    text_fold(&folded, buf_lent(&text));
    return str_eq(buf_lent(&folded), buf_lent(&s->folded));
}

static bool is_number(const struct search *s, const tl_value *v)
{
    int64_t last9 = 0;
    return v->type == TL_PHONE && phone_last9(v->u.s, &last9) && last9 == s->last9;
}

typedef bool (*value_fn)(const struct search *s, const tl_value *v);

static bool has_value(struct search *s, str observation, value_fn is)
{
    AUTO(arena_done) struct arena a = {0};
    size_t n = 0;
    tl_value *values = obs_all(observation, &a, &n);
    for (size_t i = 0; i < n; i++)
        if (is(s, &values[i]))
            return true;
    return false;
}

static int look_through(struct search *s, int64_t feed, value_fn is, struct err *e)
{
    for (int64_t after = 0;;) {
        AUTO(arena_done) struct arena a = {0};
        struct record *page = NULL;
        size_t n = 0;
        int rc = record_walk(s->r, &a, feed, after, PAGE, &page, &n, e);
        for (size_t i = 0; i < n; i++)
            if (has_value(s, page[i].observation, is))
                found_add(s, page[i].rec, feed);
        if (rc != TL_OK || n < PAGE)
            return rc;
        after = page[n - 1].rec;
    }
}

/* Where the lookups of numbers are not there, or are being built, the records are looked through. */
static int find_phone(struct search *s, const struct feed *f, struct err *e)
{
    struct lookup_key phone = {.kind = LOOKUP_PHONE, .number = s->last9};
    int64_t recs[OF_A_PHONE];
    size_t n = 0;
    if (f->lookup_hash == 0)
        return look_through(s, f->feed, is_number, e);
    int rc = lookup_find(s->r, f->feed, &phone, recs, OF_A_PHONE, &n, e);
    for (size_t i = 0; i < n; i++)
        found_add(s, recs[i], f->feed);
    return rc;
}

static int find_in_feed(struct search *s, const struct feed *f, struct err *e)
{
    struct record_probe by_id = {0};
    int rc = record_probe(s->r, f->feed, str_of(s->ask->who), &by_id, e);
    if (rc == TL_OK)
        found_add(s, by_id.rec, f->feed);
    if (rc != TL_E_NOT_FOUND)
        return rc;
    if (strchr(s->ask->who, '@'))
        return look_through(s, f->feed, is_address, e);
    return s->is_phone ? find_phone(s, f, e) : TL_OK;
}

static int is_asked(struct search *s, const struct feed *f, bool *out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct endpoint ep = {0};
    int rc = endpoint_get(s->r, &a, f->endpoint, &ep, e);
    *out = (!s->ask->endpoint || str_is(ep.name, s->ask->endpoint)) && (!s->ask->kind || str_is(f->kind, s->ask->kind));
    return rc;
}

int person_find(struct db *r, const struct person_ask *ask, struct arena *a, struct person_record **out, size_t *n,
                struct err *e)
{
    AUTO(arena_done) struct arena lists = {0};
    struct search s = {.r = r, .ask = ask, .a = a};
    struct feed *feeds = NULL;
    size_t n_feeds = 0;
    text_fold(&s.folded, str_of(ask->who));
    s.is_phone = ask->by_phone && phone_last9(str_of(ask->who), &s.last9);
    int rc = feed_list(r, &lists, 0, &feeds, &n_feeds, e);
    for (size_t i = 0; i < n_feeds && rc == TL_OK; i++) {
        bool asked = false;
        rc = is_asked(&s, &feeds[i], &asked, e);
        if (rc == TL_OK && asked)
            rc = find_in_feed(&s, &feeds[i], e);
    }
    buf_done(&s.folded);
    *out = s.found;
    *n = s.n;
    return rc == TL_OK && s.n == 0 ? TL_E_NOT_FOUND : rc;
}
