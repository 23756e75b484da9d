/* Which record of the other side is this one's counterpart? And the walk of a first sync over everything unpaired. */
#include <stdio.h>
#include <stdlib.h>

#include "engine_int.h"
#include "log.h"
#include "preview.h"
#include "reading.h"
#include "writing.h"

/* ---- One decision */

static bool key_of(const struct g_link *l, int side, str observation, struct arena *a, struct lookup_key *out)
{
    return key_of_observation(&l->match[side], observation, a, out);
}

/* Who comes first: the older record, then the smaller id. The answer does not depend on who was seen first. */
static bool comes_before(const struct record *a, const struct record *b)
{
    if (a->created_us != b->created_us)
        return a->created_us < b->created_us;
    return str_cmp(a->id, b->id) < 0;
}

struct hits {
    struct record rec[16];
    int64_t pair[16];    /* 0: none */
    int64_t partner[16]; /* record of the other side in that pair; 0: none */
    bool two_sided[16], busy[16];
    bool ignored[16]; /* a person took it out: it takes no counterpart and stands in nobody's way */
    size_t n;
};

/* Live records of one side with this key, whichever side it was made of. */
static int hits_load(struct engine *g, struct g_link *l, int side, const struct lookup_key *key, int64_t except,
                     struct arena *a, struct hits *out, struct err *e)
{
    int64_t recs[ARRAY_LEN(out->rec) + 1];
    size_t n = 0;
    struct lookup_key here = *key;
    here.kind = l->match[side].kind;
    out->n = 0;
    int rc = lookup_find(g->db, l->feed[side]->row.feed, &here, recs, ARRAY_LEN(out->rec) + 1, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK && out->n < ARRAY_LEN(out->rec); i++) {
        struct record *r = &out->rec[out->n];
        if (recs[i] == except)
            continue;
        rc = record_get(g->db, a, recs[i], r, e);
        struct lookup_key own;
        if (rc != TL_OK || (r->state != TL_STATE_LIVE && r->state != REC_OUT_OF_SCOPE) ||
            !key_of(l, side, r->observation, a, &own) || !lookup_key_same(&own, &here))
            continue;
        int64_t *pair = &out->pair[out->n];
        *pair = out->partner[out->n] = 0;
        out->two_sided[out->n] = out->busy[out->n] = out->ignored[out->n] = false;
        rc = pair_of_record(g->db, l->row.link, (enum side)side, r->rec, (str){0}, pair, e);
        if (rc == TL_OK) {
            struct pair p = {0};
            rc = pair_get(g->db, a, *pair, &p, e);
            out->ignored[out->n] = p.status == PAIR_IGNORED;
            out->two_sided[out->n] = (p.rec[0] && p.rec[1]) || out->ignored[out->n];
            out->busy[out->n] = p.intent != 0;
            out->partner[out->n] = p.rec[1 - side];
        }
        if (rc == TL_E_NOT_FOUND)
            rc = g->dry_run ? dry_paired(g, l, side, r->rec, &out->two_sided[out->n], e) : TL_OK;
        out->n++;
    }
    return rc;
}

static void ids_text(const struct hits *h, const char *lead, char *out, size_t cap)
{
    AUTO(buf_done) struct buf b = {0};
    buf_text_add(&b, lead);
    for (size_t i = 0; i < h->n; i++)
        buf_fmt(&b, "%s%.*s", i ? ", " : " ", STR_FMT(h->rec[i].id));
    snprintf(out, cap, "%s", buf_text(&b));
}

/* Names who holds the counterparts: those are what a person has to look at. */
static int taken_text(struct engine *g, const struct hits *h, struct arena *a, char *out, size_t cap, struct err *e)
{
    AUTO(buf_done) struct buf b = {0};
    int rc = TL_OK;
    for (size_t i = 0; i < h->n && rc == TL_OK; i++) {
        struct record holder = {0};
        if (h->partner[i])
            rc = record_get(g->db, a, h->partner[i], &holder, e);
        buf_fmt(&b, "%s %.*s, which ", i ? "; and" : "it matches", STR_FMT(h->rec[i].id));
        if (holder.rec)
            buf_fmt(&b, "%.*s holds in pair %lld", STR_FMT(holder.id), (long long)h->pair[i]);
        else
            buf_fmt(&b, "was taken out by hand in pair %lld", (long long)h->pair[i]);
    }
    snprintf(out, cap, "%s", buf_text(&b));
    return rc;
}

/* Another record of our own side with the same key that has mapped or goes first: this one does not map. */
static bool beaten(const struct engine *g, const struct g_link *l, const struct record *rec, const struct hits *own,
                   size_t *by)
{
    for (size_t i = 0; i < own->n; i++) {
        bool live = own->rec[i].state == TL_STATE_LIVE && !own->ignored[i] && record_in_window(g, l, &own->rec[i]);
        /* One that has its counterpart keeps it, also while that counterpart has not been seen by a pull yet. */
        if (live && (own->two_sided[i] || comes_before(&own->rec[i], rec))) {
            *by = i;
            return true;
        }
    }
    return false;
}

static void pick_multi(const struct g_link *l, struct hits *h, struct match_result *out)
{
    size_t best = 0;
    for (size_t i = 1; i < h->n; i++)
        if (comes_before(&h->rec[i], &h->rec[best]) == (l->match_multi == 'o'))
            best = i;
    out->match = MATCH_ADOPT;
    out->rec = h->rec[best].rec;
    out->pair = h->pair[best];
}

/* Several of a for one of b: the first of a has it. */
static void pick_multi_first(struct hits *h, struct match_result *out)
{
    size_t best = h->n;
    for (size_t i = 0; i < h->n; i++)
        if (!h->two_sided[i] && (best == h->n || comes_before(&h->rec[i], &h->rec[best])))
            best = i;
    out->match = MATCH_ADOPT;
    out->rec = h->rec[best].rec;
    out->pair = h->pair[best];
}

int match_decide(struct engine *g, struct g_link *l, int source, const struct record *rec, bool searched,
                 struct arena *a, struct match_result *out, struct err *e)
{
    struct lookup_key key;
    struct hits own_hits, there_hits, *own = &own_hits, *there = &there_hits; /* filled up to n only */
    own->n = there->n = 0;
    *out = (struct match_result){.match = MATCH_NONE};
    if (!key_of(l, source, rec->observation, a, &key))
        return TL_OK;
    int rc = hits_load(g, l, 1 - source, &key, 0, a, there, e);
    if (rc == TL_OK)
        rc = hits_load(g, l, source, &key, rec->rec, a, own, e);
    if (rc != TL_OK)
        return rc;
    size_t n_free = 0, free_at = 0, n_busy = 0, by = 0;
    for (size_t i = 0; i < there->n; i++) {
        if (!there->two_sided[i]) {
            free_at = i;
            n_free++;
        }
        n_busy += !there->two_sided[i] && there->busy[i];
    }
    for (size_t i = 0; i < own->n; i++)
        n_busy += !own->two_sided[i] && own->busy[i];
    if (n_busy > 0) {
        out->match = MATCH_WAIT; /* a write under this key is under way */
        return TL_OK;
    }
    if (n_free == 0 && there->n > 0) {
        out->match = MATCH_TAKEN;
        out->rec = there->rec[0].rec;
        out->pair = there->pair[0];
        return taken_text(g, there, a, out->text, sizeof out->text, e);
    }
    size_t rivals = 0;
    for (size_t i = 0; i < own->n; i++)
        rivals += !own->two_sided[i] && own->rec[i].state == TL_STATE_LIVE && record_in_window(g, l, &own->rec[i]);
    /* A two-way link reads the question from side a: one of a and several of b is ambiguous for all of them. */
    bool from_b = source == 1 && l->rules.direction == LINK_BOTH;
    if (from_b && n_free > 0 && rivals > 0) {
        out->match = MATCH_AMBIGUOUS;
        ids_text(own, "it has the same match key as", out->text, sizeof out->text);
        return TL_OK;
    }
    if (beaten(g, l, rec, own, &by)) {
        out->match = MATCH_TAKEN;
        int n = snprintf(out->text, sizeof out->text, "it has the same match key as %.*s, which was there first",
                         STR_FMT(own->rec[by].id));
        if (own->pair[by] && n > 0 && (size_t)n < sizeof out->text)
            snprintf(out->text + n, sizeof out->text - (size_t)n, " and is in pair %lld", (long long)own->pair[by]);
        return TL_OK;
    }
    if (from_b && n_free > 1) {
        pick_multi_first(there, out);
        return TL_OK;
    }
    if (there->n > 1) {
        out->match = MATCH_AMBIGUOUS;
        ids_text(there, "it matches", out->text, sizeof out->text);
        if (l->match_multi != 'f' && n_free == there->n)
            pick_multi(l, there, out);
        return TL_OK;
    }
    if (n_free == 1) {
        out->match = MATCH_ADOPT;
        out->rec = there->rec[free_at].rec;
        out->pair = there->pair[free_at];
        return TL_OK;
    }
    const tl_kind *kind = &l->feed[1 - source]->kind->desc;
    bool local_truth = l->row.phase < PHASE_LIVE && feed_is_truth(l->feed[1 - source]);
    if (!searched && !local_truth && (kind->can & TL_CAN_FIND))
        out->match = MATCH_SEARCH;
    return TL_OK;
}

int match_same_key(struct engine *g, struct g_link *l, int side, const struct record *rec, struct arena *a, str *key,
                   str *ids, unsigned *n, struct err *e)
{
    struct lookup_key k;
    struct hits own;
    AUTO(buf_done) struct buf text = {0};
    *n = 0;
    if (!key_of(l, side, rec->observation, a, &k))
        return TL_OK;
    int rc = hits_load(g, l, side, &k, rec->rec, a, &own, e);
    buf_str(&text, rec->id);
    unsigned found = 1;
    for (size_t i = 0; i < own.n && rc == TL_OK; i++) {
        if (own.rec[i].state != TL_STATE_LIVE || own.ignored[i] || !record_in_window(g, l, &own.rec[i]))
            continue;
        if (comes_before(&own.rec[i], rec))
            return TL_OK;
        buf_fmt(&text, ", %.*s", STR_FMT(own.rec[i].id));
        found++;
    }
    *n = found;
    *key = k.text;
    *ids = arena_str(a, buf_lent(&text));
    return rc;
}

int match_heir(struct engine *g, struct g_link *l, int side, const struct record *rec, struct arena *a, str *id_out,
               struct err *e)
{
    struct lookup_key key;
    struct hits own;
    if (!key_of(l, side, rec->observation, a, &key))
        return TL_OK;
    int rc = hits_load(g, l, side, &key, rec->rec, a, &own, e);
    for (size_t i = 0; i < own.n && rc == TL_OK; i++)
        if (own.rec[i].state == TL_STATE_LIVE && !own.ignored[i])
            *id_out = own.rec[i].id;
    return rc;
}

/* One-sided pairs of one side with this key decide anew. */
static int key_wake(struct engine *g, struct g_link *l, int side, const struct lookup_key *key, struct arena *a,
                    struct err *e)
{
    struct hits waiting;
    int rc = hits_load(g, l, side, key, 0, a, &waiting, e);
    for (size_t i = 0; i < waiting.n && rc == TL_OK; i++)
        if (waiting.pair[i] && !waiting.two_sided[i]) {
            rc = pair_wake(g->db, waiting.pair[i], LANE_LIVE, g_now(g), true, e);
            link_lanes_stale(l);
        }
    return rc;
}

int match_key_freed(struct engine *g, struct g_link *l, int side, const struct record *now, str old, struct arena *a,
                    struct err *e)
{
    struct lookup_key before, after;
    if (l->row.mode != LINK_SYNC || !l->usable || l->row.phase < PHASE_MATCH || !key_of(l, side, old, a, &before))
        return TL_OK;
    if (now->state == TL_STATE_LIVE && key_of(l, side, now->observation, a, &after) && lookup_key_same(&before, &after))
        return TL_OK;
    if (!lookups_whole(l->feed[0]) || !lookups_whole(l->feed[1]))
        return link_wake_all(g, l, true, e); /* who waited cannot be told now */
    int rc = key_wake(g, l, 1 - side, &before, a, e);
    return rc == TL_OK ? key_wake(g, l, side, &before, a, e) : rc;
}

/* ---- Searching at the vendor */

struct find_note { /* what a search was for */
    int target;
    struct feed_key key;
    unsigned n;
    const int64_t *pairs;
};

bool match_find_dispatch(struct engine *g, struct g_link *l, int target, const int64_t *pairs, const str *values,
                         unsigned n)
{
    struct g_feed *f = l->feed[target];
    if (!g_endpoint_can(g, f->ep, TL_PURPOSE_LIVE))
        return false;
    struct call *c = g_call(g, CALL_FIND, f->row.endpoint, TL_PURPOSE_LIVE);
    tl_query *queries = arena_array(&c->arena, tl_query, n);
    for (unsigned i = 0; i < n; i++)
        queries[i] = (tl_query){arena_str(&c->arena, l->match_path[target]), arena_str(&c->arena, values[i])};
    c->tag = l->row.link;
    c->request.find.queries = queries;
    c->request.find.n_queries = n;
    c->request.find.shape = feed_call_shape(f, c);
    c->request.find.stamp_field = feed_call_stamp(f, c);
    struct find_note *note = arena_new(&c->arena, struct find_note);
    *note = (struct find_note){target, l->match[target], n, arena_copy(&c->arena, pairs, sizeof *pairs * n)};
    call_note(c)->more = note;
    l->finding = true;
    g_submit(g, c);
    return true;
}

static int find_taken_in(struct engine *g, struct g_link *l, struct call *c, int target, struct err *e)
{
    struct observe_how how = {.via = OBSERVE_GET, .sent_us = call_note(c)->sent_us};
    AUTO(reply_reader_done) struct reply_reader r;
    reply_reader_init(&r, &c->reply);
    int rc = g_begin(g, e);
    for (struct item item; rc == TL_OK && reply_next(&r, &item);) {
        if (item.kind != ITEM_RECORD || item.u.record.state != TL_STATE_LIVE)
            continue;
        struct observed seen;
        rc = observe(g, l->feed[target], &item.u.record, item.raw, &how, &seen, e);
    }
    return g_end(g, rc, "taking in what a search found", e);
}

void match_find_done(struct engine *g, struct call *c)
{
    struct g_link *l = model_link(g, c->tag);
    const struct find_note *note = call_note(c)->more;
    if (!l) {
        call_free(c);
        return;
    }
    l->finding = false;
    int target = note->target;
    struct err e = {0};
    int status = c->reply.status;
    bool ok = status == TL_OK || status == TL_E_NOT_FOUND;
    if (!ok && !endpoint_trouble(g, l->feed[target]->ep, c, status, &c->reply.error))
        l->hold_until = g_mono(g) + backoff_us(g, 1);
    ok = ok && call_note(c)->shape_hash == l->feed[target]->shape_hash && find_taken_in(g, l, c, target, &e) == TL_OK;
    bool same_key = l->match[target].kind == note->key.kind && l->match[target].number == note->key.number;
    if (!ok || !link_runs(l) || !same_key || !link_feeds_ready(g, l)) {
        call_free(c);
        return; /* the pairs are still due: they are asked for again */
    }
    struct builder b;
    builder_start(g, l, l->row.phase < PHASE_LIVE ? LANE_BULK : LANE_LIVE, &b);
    int rc = g_begin(g, &e);
    for (unsigned i = 0; i < note->n && rc == TL_OK; i++) {
        AUTO(arena_done) struct arena a = {0};
        struct loaded ld;
        rc = snapshot_load(g, l, note->pairs[i], &a, &ld, &e);
        if (rc == TL_OK && ld.pair.due_us != 0)
            rc = work_pair(g, l, &ld, &b, true, &a, &e);
        if (rc == TL_E_NOT_FOUND)
            rc = TL_OK;
    }
    if (rc == TL_OK)
        rc = builder_intents(g, l, &b, &e);
    rc = g_end(g, rc, "deciding after a search", &e);
    builder_send(g, l, &b, rc);
    link_lanes_stale(l);
    call_free(c);
}
