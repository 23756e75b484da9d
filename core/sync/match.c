/* Which record of the other side is this one's counterpart? And the walk of a first sync over everything unpaired. */
#include <stdio.h>
#include <stdlib.h>

#include "engine_int.h"
#include "log.h"
#include "unicode.h"

void stamp_of(struct engine *g, const struct g_link *l, int source, str source_id, uint32_t gen, char out[40])
{
    char number[16] = "0", hash[27];
    if (gen)
        snprintf(number, sizeof number, "%u", gen);
    const struct g_endpoint *from = l->conn->ep[source], *to = l->conn->ep[1 - source];
    const str parts[] = {from->row.org_key, l->row.kind[source],     source_id,
                         to->row.org_key,   l->row.kind[1 - source], {0},
                         str_of(number)};
    stamp_hash(hash, db_stamp_key(g->db), parts, (unsigned)ARRAY_LEN(parts));
    str own = str_of(db_instance(g->db));
    ASSERT(own.n + 1 + sizeof hash <= 40);
    memcpy(out, own.p, own.n);
    out[own.n] = '.';
    memcpy(out + own.n + 1, hash, sizeof hash);
}

/* ---- One decision
 * ----------------------------------------------------------------------------------------------------------- */

static bool key_of(const struct g_link *l, int side, str observation, struct arena *a, struct lookup_key *out)
{
    tl_value v = {0};
    if (!l->match_kind || !obs_find(observation, l->match_no[side], a, &v) || value_is_blank(&v))
        return false;
    AUTO(buf_done) struct buf text = {0};
    AUTO(buf_done) struct buf folded = {0};
    value_text(&text, &v);
    text_fold(&folded, buf_lent(&text));
    *out = (struct lookup_key){.kind = l->match_kind, .text = arena_str(a, buf_lent(&folded))};
    return folded.n > 0;
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
    int64_t pair[16]; /* 0: none */
    bool two_sided[16], busy[16];
    bool ignored[16]; /* a person took it out: it takes no counterpart and stands in nobody's way */
    size_t n;
};

/* Live records of one side with this key. */
static int hits_load(struct engine *g, struct g_link *l, int side, const struct lookup_key *key, int64_t except,
                     struct arena *a, struct hits *out, struct err *e)
{
    int64_t recs[ARRAY_LEN(out->rec) + 1];
    size_t n = 0;
    out->n = 0;
    int rc = lookup_find(g->db, l->feed[side]->row.feed, key, recs, ARRAY_LEN(out->rec) + 1, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK && out->n < ARRAY_LEN(out->rec); i++) {
        struct record *r = &out->rec[out->n];
        if (recs[i] == except)
            continue;
        rc = record_get(g->db, a, recs[i], r, e);
        struct lookup_key own;
        if (rc != TL_OK || (r->state != TL_STATE_LIVE && r->state != REC_OUT_OF_SCOPE) ||
            !key_of(l, side, r->observation, a, &own) || !str_eq(own.text, key->text))
            continue;
        int64_t *pair = &out->pair[out->n];
        *pair = 0;
        out->two_sided[out->n] = out->busy[out->n] = out->ignored[out->n] = false;
        rc = pair_of_record(g->db, l->row.link, (enum side)side, r->rec, (str){0}, pair, e);
        if (rc == TL_OK) {
            struct pair p = {0};
            rc = pair_get(g->db, a, *pair, &p, e);
            out->ignored[out->n] = p.status == PAIR_IGNORED;
            out->two_sided[out->n] = (p.rec[0] && p.rec[1]) || out->ignored[out->n];
            out->busy[out->n] = p.intent != 0;
        }
        if (rc == TL_E_NOT_FOUND)
            rc = TL_OK;
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

/* Another record of our own side with the same key that has mapped or goes first: this one does not map. */
static bool beaten(const struct g_link *l, const struct record *rec, const struct hits *own, size_t *by)
{
    for (size_t i = 0; i < own->n; i++) {
        bool live = own->rec[i].state == TL_STATE_LIVE && !own->ignored[i] && record_in_window(l, &own->rec[i]);
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
        ids_text(there, "it matches a record that has its counterpart already:", out->text, sizeof out->text);
        return TL_OK;
    }
    size_t rivals = 0;
    for (size_t i = 0; i < own->n; i++)
        rivals += !own->two_sided[i] && own->rec[i].state == TL_STATE_LIVE && record_in_window(l, &own->rec[i]);
    /* A two-way link reads the question from side a: one of a and several of b is ambiguous for all of them. */
    bool from_b = source == 1 && l->rules.direction == LINK_BOTH;
    if (from_b && n_free > 0 && rivals > 0) {
        out->match = MATCH_AMBIGUOUS;
        ids_text(own, "it has the same match key as", out->text, sizeof out->text);
        return TL_OK;
    }
    if (beaten(l, rec, own, &by)) {
        out->match = MATCH_TAKEN;
        snprintf(out->text, sizeof out->text, "it has the same match key as %.*s, which was there first",
                 STR_FMT(own->rec[by].id));
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

/* ---- Searching at the vendor
 * -------------------------------------------------------------------------------------------------- */

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
    int64_t *note = arena_array(&c->arena, int64_t, n + 2);
    note[0] = target;
    note[1] = n;
    memcpy(note + 2, pairs, sizeof *pairs * n);
    call_note(c)->more = note;
    l->finding = true;
    g_submit(g, c);
    return true;
}

static int find_taken_in(struct engine *g, struct g_link *l, struct call *c, int target, struct err *e)
{
    struct observe_how how = {OBSERVE_GET, call_note(c)->sent_us};
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
    const int64_t *note = call_note(c)->more;
    if (!l) {
        call_free(c);
        return;
    }
    l->finding = false;
    int target = (int)note[0];
    struct err e = {0};
    int status = c->reply.status;
    bool same_shape = call_note(c)->shape_hash == l->feed[target]->shape_hash;
    bool ok = same_shape && (status == TL_OK || status == TL_E_NOT_FOUND);
    if (ok)
        ok = find_taken_in(g, l, c, target, &e) == TL_OK;
    else if (same_shape && !endpoint_trouble(g, l->feed[target]->ep, c, status, &c->reply.error))
        l->hold_until = g_mono(g) + backoff_us(g, 1);
    if (!ok || !link_runs(l)) {
        call_free(c);
        return; /* the pairs are still due: they are asked for again */
    }
    struct builder b;
    builder_start(g, l, &b);
    int rc = g_begin(g, &e);
    for (int64_t i = 0; i < note[1] && rc == TL_OK; i++) {
        AUTO(arena_done) struct arena a = {0};
        struct loaded ld;
        rc = snapshot_load(g, l, note[2 + i], &a, &ld, &e);
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

/* ---- Stamps that no pair explains
 * --------------------------------------------------------------------------------------------- */

enum { ORPHAN_GENERATIONS = 8 };

static int orphan_bind(struct engine *g, struct g_link *l, const struct held *h, const struct record *source,
                       uint32_t gen, struct arena *a, struct err *e)
{
    refs_changed(g, l);
    int from = 1 - h->side;
    int64_t id = 0;
    struct pair p = {0};
    int rc = pair_of_record(g->db, l->row.link, (enum side)from, source->rec, (str){0}, &id, e);
    if (rc == TL_OK)
        rc = pair_get(g->db, a, id, &p, e);
    if (rc != TL_OK && rc != TL_E_NOT_FOUND)
        return rc;
    if (rc == TL_OK && p.intent)
        return TL_OK; /* looked at again when the intent closes */
    if (p.rec[h->side] && p.rec[h->side] != h->rec) {
        struct record twin = {0};
        rc = record_get(g->db, a, h->rec, &twin, e);
        struct trouble t = {.code = "DUPLICATE_CREATED",
                            .id = twin.id,
                            .side = h->side,
                            .text = "its source record has a counterpart already"};
        if (rc == TL_OK)
            rc = fail_record(g, l, &t, e);
    } else if (rc == TL_E_NOT_FOUND) {
        p = (struct pair){
            .link = l->row.link, .made_us = g_now(g), .map_gen = l->row.map_gen, .lane = LANE_BULK, .due_us = g_now(g)};
        p.rec[from] = source->rec;
        p.rec[h->side] = h->rec;
        p.gen[h->side] = (int32_t)gen;
        p.flags = h->side ? PAIR_CREATED_B : PAIR_CREATED_A;
        rc = pair_insert(g->db, &p, e);
    } else if (!p.rec[h->side]) {
        p.rec[h->side] = h->rec;
        p.gen[h->side] = (int32_t)gen;
        p.flags |= h->side ? PAIR_CREATED_B : PAIR_CREATED_A;
        p.status = PAIR_OK;
        p.due_us = g_now(g);
        rc = pair_store(g->db, &p, e);
    }
    if (rc == TL_OK)
        rc = record_set_stamp(g->db, h->rec, (str){0}, e);
    if (rc == TL_OK)
        rc = held_drop(g->db, l->row.link, h->rec, e);
    return rc;
}

static int orphan_explain(struct engine *g, struct g_link *l, const struct held *list, const str *stamps, size_t n,
                          const struct record *source, struct arena *a, struct err *e)
{
    int rc = TL_OK;
    for (uint32_t gen = 0; gen < ORPHAN_GENERATIONS && rc == TL_OK; gen++) {
        char stamp[40];
        stamp_of(g, l, 1 - list[0].side, source->id, gen, stamp);
        for (size_t i = 0; i < n && rc == TL_OK; i++)
            if (str_is(stamps[i], stamp))
                rc = orphan_bind(g, l, &list[i], source, gen, a, e);
    }
    return rc;
}

static int orphan_report(struct engine *g, struct g_link *l, const struct held *h, str id, struct err *e)
{
    struct held known = *h;
    known.why = STR("reported");
    struct trouble t = {.code = "ORPHANED_STAMP", .id = id, .side = h->side, .text = "the record carries our mark"};
    int rc = held_put(g->db, &known, e);
    return rc == TL_OK ? fail_record(g, l, &t, e) : rc;
}

/* One slice: the stamps of a page of source records against those that wait on one side. */
static int orphan_slice(struct engine *g, struct g_link *l, bool *end, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct held *all = NULL, *list = arena_array(&a, struct held, PAGE_ROWS);
    str *stamps = arena_array(&a, str, PAGE_ROWS), *ids = arena_array(&a, str, PAGE_ROWS);
    size_t n_all = 0, n = 0;
    bool start = l->orphan_after == NULL, left = false;
    if (start) {
        l->orphan_since = g_now(g);
        l->orphan_top = 0;
    }
    int rc = held_waiting(g->db, &a, l->row.link, l->orphan_side, STR("orphaned_stamp"), PAGE_ROWS, &all, &n_all, e);
    for (size_t i = 0; i < n_all && rc == TL_OK; i++) {
        struct record rec = {0};
        if (start)
            l->orphan_top = all[i].rec;
        if (all[i].rec > l->orphan_top || all[i].at_us > l->orphan_since) {
            left = true; /* came into sight under way: not compared with the pages before */
            continue;
        }
        rc = record_get(g->db, &a, all[i].rec, &rec, e);
        if (rc == TL_OK && rec.stamp.n == 0)
            rc = held_drop(g->db, l->row.link, rec.rec, e);
        else if (rc == TL_OK) {
            list[n] = all[i];
            ids[n] = rec.id;
            stamps[n++] = rec.stamp;
        }
    }
    *end = n_all < PAGE_ROWS && !left;
    if (rc == TL_OK && n == 0)
        l->orphan_after = text_free(l->orphan_after);
    if (rc != TL_OK || n == 0)
        return rc;
    struct record *page = NULL;
    size_t n_page = 0;
    rc = record_walk(g->db, &a, l->feed[1 - l->orphan_side]->row.feed, str_of(l->orphan_after), PAGE_ROWS, &page,
                     &n_page, e);
    for (size_t i = 0; i < n_page && rc == TL_OK; i++)
        rc = orphan_explain(g, l, list, stamps, n, &page[i], &a, e);
    g_step(g, (unsigned)n_page * 4 + 1);
    if (rc != TL_OK)
        return rc;
    if (n_page == PAGE_ROWS) {
        text_free(l->orphan_after);
        l->orphan_after = str_dup(page[n_page - 1].id);
        *end = false;
        return TL_OK;
    }
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        struct held now = {0};
        rc = held_get(g->db, &a, l->row.link, list[i].rec, &now, e);
        if (rc == TL_OK && str_is(now.why, "orphaned_stamp"))
            rc = orphan_report(g, l, &now, ids[i], e);
        if (rc == TL_E_NOT_FOUND)
            rc = TL_OK;
    }
    l->orphan_after = text_free(l->orphan_after); /* what is left is compared from the first page */
    return rc;
}

bool orphan_turn(struct engine *g, struct g_link *l)
{
    if (!l->orphans || !link_runs(l) || l->row.phase == PHASE_NEW || g->storage_down)
        return false;
    if (!feed_ready(l->feed[0]) || !feed_ready(l->feed[1]))
        return false;
    struct err e = {0};
    bool end = false;
    int rc = g_begin(g, &e);
    if (rc == TL_OK)
        rc = orphan_slice(g, l, &end, &e);
    rc = g_end(g, rc, "explaining stamps", &e);
    g_step(g, 1);
    if (rc == TL_OK && end) {
        l->orphan_after = text_free(l->orphan_after);
        if (l->orphan_side == 0) {
            l->orphan_side = 1;
        } else {
            l->orphan_side = 0;
            l->orphans = false;
        }
    }
    link_lanes_stale(l);
    return rc == TL_OK;
}
