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

static bool is_address_of(struct search *s, str observation)
{
    AUTO(arena_done) struct arena a = {0};
    size_t n = 0;
    tl_value *values = obs_all(observation, &a, &n);
    for (size_t i = 0; i < n; i++) {
        AUTO(buf_done) struct buf text = {0};
        AUTO(buf_done) struct buf folded = {0};
        value_text(&text, &values[i]);
        if (text.n == 0 || !memchr(buf_text(&text), '@', text.n))
            continue;
        text_fold(&folded, buf_lent(&text));
        if (str_eq(buf_lent(&folded), buf_lent(&s->folded)))
            return true;
    }
    return false;
}

static int find_address(struct search *s, int64_t feed, struct err *e)
{
    for (int64_t after = 0;;) {
        AUTO(arena_done) struct arena a = {0};
        struct record *page = NULL;
        size_t n = 0;
        int rc = record_walk(s->r, &a, feed, after, PAGE, &page, &n, e);
        for (size_t i = 0; i < n; i++)
            if (is_address_of(s, page[i].observation))
                found_add(s, page[i].rec, feed);
        if (rc != TL_OK || n < PAGE)
            return rc;
        after = page[n - 1].rec;
    }
}

static int find_phone(struct search *s, int64_t feed, struct err *e)
{
    struct lookup_key phone = {.kind = LOOKUP_PHONE};
    int64_t recs[OF_A_PHONE];
    size_t n = 0;
    if (!s->ask->by_phone || !phone_last9(str_of(s->ask->who), &phone.number))
        return TL_OK;
    int rc = lookup_find(s->r, feed, &phone, recs, OF_A_PHONE, &n, e);
    for (size_t i = 0; i < n; i++)
        found_add(s, recs[i], feed);
    return rc;
}

static int find_in_feed(struct search *s, int64_t feed, struct err *e)
{
    struct record_probe by_id = {0};
    int rc = record_probe(s->r, feed, str_of(s->ask->who), &by_id, e);
    if (rc == TL_OK)
        found_add(s, by_id.rec, feed);
    if (rc != TL_E_NOT_FOUND)
        return rc;
    return strchr(s->ask->who, '@') ? find_address(s, feed, e) : find_phone(s, feed, e);
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
    int rc = feed_list(r, &lists, 0, &feeds, &n_feeds, e);
    for (size_t i = 0; i < n_feeds && rc == TL_OK; i++) {
        bool asked = false;
        rc = is_asked(&s, &feeds[i], &asked, e);
        if (rc == TL_OK && asked)
            rc = find_in_feed(&s, feeds[i].feed, e);
    }
    buf_done(&s.folded);
    *out = s.found;
    *n = s.n;
    return rc == TL_OK && s.n == 0 ? TL_E_NOT_FOUND : rc;
}
