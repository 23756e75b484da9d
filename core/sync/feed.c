/* Feeds: pulling changes and passes, taking in their pages, fetching records by id.
 *
 * A page is one transaction: its observations and the cursor that covers them. The cursor is never ahead of what is
 * stored. */
#include <stdlib.h>

#include "engine_int.h"
#include "linkset.h"
#include "log.h"
#include "reading.h"
#include "writing.h"

#define REST_LOOK_US (60 * US_PER_S) /* quiet hours are looked at so often */

bool feed_ready(const struct g_feed *f)
{
    return f->row.full_pass_us != 0 && f->row.shape_hash == f->shape_hash && lookups_whole(f) && !f->pass_done;
}

static bool is_being_built(const struct g_feed *f)
{
    return f->wanted && f->kind && lookups_wait(f);
}

/* Those of links that somebody stands in of count as well: who that is, is looked up. */
bool link_feeds_ready(const struct engine *g, const struct g_link *l)
{
    bool ready = feed_ready(l->feed[0]) && feed_ready(l->feed[1]);
    for (uint32_t i = 0; i < l->rules.n_fields && ready && l->leans; i++) {
        const struct g_link *to = l->fields[i].ref_link ? by_id_get(&g->link_ids, l->fields[i].ref_link) : NULL;
        for (int s = 0; to && s < 2; s++)
            ready = ready && (to->fallback[s].n == 0 || !to->feed[s] || !is_being_built(to->feed[s]));
    }
    return ready;
}

bool feed_is_truth(const struct g_feed *f)
{
    return feed_ready(f) && f->row.view.n == 0 && !f->windowed;
}

void feed_want(struct g_feed *f, int64_t rec, str id, int64_t due, int64_t pair)
{
    for (struct get_want *w = f->wants; w; w = w->next)
        if (str_is(id, w->id)) {
            w->due = due < w->due ? due : w->due;
            w->pair = pair ? pair : w->pair;
            ready_wake(&f->ready);
            return;
        }
    struct get_want *w = calloc(1, sizeof *w);
    ASSERT(w);
    *w = (struct get_want){NULL, rec, str_dup(id), due, pair};
    if (f->wants)
        f->wants_last->next = w;
    else
        f->wants = w;
    f->wants_last = w;
    f->n_wants++;
    ready_wake(&f->ready);
}

int feed_reread(struct engine *g, struct g_feed *f, const struct record *r, int64_t pair, struct err *e)
{
    feed_want(f, r->rec, r->id, g_mono(g), pair);
    return record_touch(g->db, r->rec, r->version, r->version_kind, r->modified_us, r->seen_us, 0, e);
}

/* Of a link that stands still nothing is looked up meanwhile: it must not stop the others that read this feed. What
 * arrives without a stamp is held for it until it goes on. */
static bool has_unknown_create(const struct engine *g, const struct g_feed *f)
{
    bool unknown = false;
    for (const struct feed_side *at = g->unknown ? f->sides : NULL; at && !unknown; at = at->next)
        unknown = at->l->unknown_creates[at->side] > 0 && link_runs(at->l);
    return unknown;
}

/* Everybody who reads it has quiet hours now: nothing is read whole. */
static bool feed_rests(const struct engine *g, const struct g_feed *f)
{
    bool any = false;
    for (const struct feed_side *at = f->sides; at; at = at->next) {
        if (!link_runs(at->l) || at->l->row.phase == PHASE_NEW)
            continue;
        if (!link_rests(g, at->l))
            return false;
        any = true;
    }
    return any;
}

static bool pass_wanted(const struct engine *g, const struct g_feed *f)
{
    if (!(f->kind->desc.can & TL_CAN_PASS) || f->pass_done)
        return false;
    return f->pass.pass || f->want_pass || f->row.full_pass_us == 0 || f->row.shape_hash != f->shape_hash ||
           f->row.gap_us != 0 || f->row.accepted_us != 0 || g_now(g) - f->row.full_pass_us > f->sweep_us;
}

/* A copy of the feed's shape that lives as long as the call. */
const tl_shape *feed_call_shape(const struct g_feed *f, struct call *c)
{
    tl_shape *shape = arena_copy(&c->arena, &f->shape, sizeof f->shape);
    tl_field *fields = arena_array(&c->arena, tl_field, f->shape.n_fields + 1);
    for (uint32_t i = 0; i < f->shape.n_fields; i++)
        fields[i] = field_bare(&f->shape.fields[i], &c->arena);
    shape->kind = arena_str(&c->arena, shape->kind);
    shape->fields = fields;
    call_note(c)->shape_hash = f->shape_hash;
    return shape;
}

str feed_call_stamp(const struct g_feed *f, struct call *c)
{
    return f->kind ? arena_str(&c->arena, f->kind->desc.stamp_field) : STR("");
}

static void pull_send(struct engine *g, struct g_feed *f, int32_t mode)
{
    struct call *c = g_call(g, CALL_PULL, f->row.endpoint, TL_PURPOSE_BULK);
    tl_pull *p = &c->request.pull;
    c->tag = f->row.feed;
    p->mode = mode;
    p->max_pages = mode == TL_PULL_PASS ? PASS_PAGES : PULL_PAGES;
    p->shape = feed_call_shape(f, c);
    p->stamp_field = feed_call_stamp(f, c);
    p->cursor = arena_str(&c->arena, mode == TL_PULL_PASS ? f->pass.cursor : f->row.cursor);
    p->view = arena_str(&c->arena, f->row.view);
    p->created_from_us = mode == TL_PULL_PASS ? feed_created_from(g, f) : 0; /* what is paired stays in step */
    f->pulling = true;
    g_submit(g, c);
}

static bool pull_turn(struct engine *g, struct g_feed *f)
{
    int64_t mono = g_mono(g);
    if (f->pulling || f->replies || f->backoff_until > mono || has_unknown_create(g, f))
        return false;
    if (!g_endpoint_can(g, f->ep, TL_PURPOSE_BULK))
        return false;
    bool can_pull = f->kind->desc.can & TL_CAN_PULL;
    bool changes_due = can_pull && (f->row.cursor.n == 0 || f->poll_due <= mono);
    if (changes_due) {
        pull_send(g, f, TL_PULL_CHANGES);
        return true;
    }
    if (!pass_wanted(g, f) || feed_rests(g, f) || !budget_lane(g, f->ep, LANE_SWEEP))
        return false;
    struct err e = {0};
    if (f->pass.pass == 0 || f->pass.filter_hash != f->shape_hash)
        if (pass_begin(g, f, &e) != TL_OK)
            return false;
    pull_send(g, f, TL_PULL_PASS);
    return true;
}

/* ---- Records by id */

struct get_note { /* what a call of ids was for, by position */
    int64_t rec, pair;
    struct hint hint; /* n 0: none */
};

static unsigned collect_wants(struct engine *g, struct g_feed *f, struct call *c, str *ids, struct get_note *notes,
                              unsigned n, unsigned max)
{
    struct get_want **at = &f->wants;
    f->wants_last = NULL;
    while (*at) {
        struct get_want *w = *at;
        if (n == max || w->due > g_mono(g)) {
            f->wants_last = w;
            at = &w->next;
            continue;
        }
        ids[n] = arena_str(&c->arena, str_of(w->id));
        notes[n++] = (struct get_note){.rec = w->rec, .pair = w->pair};
        *at = w->next;
        f->n_wants--;
        free(w->id);
        free(w);
    }
    return n;
}

static bool id_listed(const str *ids, unsigned n, str id)
{
    for (unsigned i = 0; i < n; i++)
        if (str_eq(ids[i], id))
            return true;
    return false;
}

/* A record that somebody types in is told of every second. */
static bool hinted_just_now(struct g_feed *f, str id, int64_t mono)
{
    uint64_t hash = store_hash(id.p, id.n);
    unsigned at = (unsigned)(hash % ARRAY_LEN(f->hinted));
    if (f->hinted[at].id == hash && mono - f->hinted[at].at < HINT_AGAIN_US)
        return true;
    f->hinted[at].id = hash;
    f->hinted[at].at = mono;
    return false;
}

static unsigned collect_hints(struct engine *g, struct g_feed *f, struct call *c, str *ids, struct get_note *notes,
                              unsigned n, unsigned max)
{
    if (f->hint_due > g_mono(g) || n == max)
        return n;
    struct hint *hints = NULL;
    size_t n_hints = 0;
    struct err e = {0};
    f->hint_due = NEVER;
    if (hint_next(g->db, &c->arena, f->row.feed, g_now(g) - DEBOUNCE_US, max - n, &hints, &n_hints, &e) != TL_OK)
        return n;
    for (size_t i = 0; i < n_hints; i++) {
        if (id_listed(ids, n, hints[i].id))
            continue;
        if (hinted_just_now(f, hints[i].id, g_mono(g))) {
            f->hint_due = g_mono(g) + DEBOUNCE_US;
            continue;
        }
        ids[n] = hints[i].id;
        notes[n++] = (struct get_note){.hint = hints[i]};
    }
    int64_t left = 0;
    if (hint_count(g->db, f->row.feed, &left, &e) == TL_OK && left > (int64_t)n_hints)
        f->hint_due = g_mono(g) + DEBOUNCE_US / 2;
    return n;
}

static unsigned collect_rechecks(struct engine *g, struct g_feed *f, struct call *c, str *ids, struct get_note *notes,
                                 unsigned n, unsigned max)
{
    if (f->recheck_due > g_now(g) || n == max)
        return n;
    int64_t recs[GET_MAX];
    size_t found = 0;
    struct err e = {0};
    f->recheck_due = NEVER;
    if (record_due_rechecks(g->db, f->row.feed, NEVER - 1, recs, max - n, &found, &e) != TL_OK)
        return n;
    for (size_t i = 0; i < found; i++) {
        struct record rec = {0};
        if (record_get(g->db, &c->arena, recs[i], &rec, &e) != TL_OK)
            continue;
        if (rec.recheck_us > g_now(g)) {
            f->recheck_due = rec.recheck_us < f->recheck_due ? rec.recheck_us : f->recheck_due;
            continue;
        }
        if (record_set_recheck(g->db, recs[i], 0, &e) != TL_OK || id_listed(ids, n, rec.id))
            continue;
        ids[n] = rec.id;
        notes[n++] = (struct get_note){.rec = recs[i]};
    }
    if (found == max - n)
        f->recheck_due = g_now(g);
    return n;
}

static bool get_turn(struct engine *g, struct g_feed *f)
{
    int64_t mono = g_mono(g);
    bool due = f->hint_due <= mono || f->recheck_due <= g_now(g);
    for (const struct get_want *w = f->wants; w && !due; w = w->next)
        due = w->due <= mono;
    if (!due || f->getting || !g_endpoint_can(g, f->ep, TL_PURPOSE_LIVE))
        return false;
    unsigned max = f->kind->desc.max_get;
    max = max == 0 || max > GET_MAX ? GET_MAX : max;
    struct call *c = g_call(g, CALL_GET, f->row.endpoint, TL_PURPOSE_LIVE);
    str *ids = arena_array(&c->arena, str, max);
    struct get_note *notes = arena_array(&c->arena, struct get_note, max);
    unsigned n = collect_wants(g, f, c, ids, notes, 0, max);
    n = collect_hints(g, f, c, ids, notes, n, max);
    n = collect_rechecks(g, f, c, ids, notes, n, max);
    if (n == 0) {
        call_free(c);
        return false;
    }
    c->tag = f->row.feed;
    c->request.get.ids = ids;
    c->request.get.n_ids = n;
    c->request.get.shape = feed_call_shape(f, c);
    c->request.get.stamp_field = feed_call_stamp(f, c);
    call_note(c)->more = notes;
    f->getting = true;
    g_step(g, n);
    g_submit(g, c);
    return true;
}

static int fetched_one(struct engine *g, struct g_feed *f, const tl_record *r, str raw, const struct observe_how *how,
                       struct err *e)
{
    struct observed seen;
    int rc = TL_OK;
    if (r->state == TL_STATE_LIVE || r->n_values > 0)
        return observe(g, f, r, raw, how, &seen, e);
    struct record_probe probe = {0};
    rc = record_probe(g->db, f->row.feed, r->id, &probe, e);
    if (rc == TL_OK)
        rc = observe_told(g, f, probe.rec, r, how, e);
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

/* An id that a successful get did not answer is gone. */
static int fetched_missing(struct engine *g, struct g_feed *f, str id, struct err *e)
{
    struct record_probe probe = {0};
    int rc = record_probe(g->db, f->row.feed, id, &probe, e);
    if (rc == TL_OK)
        rc = observe_state(g, f, probe.rec, TL_STATE_DELETED, (str){0}, e);
    if (rc == TL_OK)
        asked_note(g, probe.rec);
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

/* What was taken in may have made work for whoever reads it. */
static void lanes_stale(struct g_feed *f)
{
    ready_wake(&f->ready);
    for (struct feed_side *at = f->sides; at; at = at->next)
        link_lanes_stale(at->l);
}

static void wants_again(struct engine *g, struct g_feed *f, const tl_get *q, const struct get_note *notes)
{
    for (uint32_t i = 0; i < q->n_ids; i++)
        if (notes[i].hint.n == 0)
            feed_want(f, notes[i].rec, q->ids[i], g_mono(g) + 2 * US_PER_S, notes[i].pair);
    f->hint_due = g_mono(g) + 2 * US_PER_S;
    ready_wake(&f->ready);
}

void feed_fetched(struct engine *g, struct call *c)
{
    struct g_feed *f = model_feed(g, c->tag);
    const struct get_note *notes = call_note(c)->more;
    const tl_get *q = &c->request.get;
    if (!f) {
        call_free(c);
        return;
    }
    f->getting = false;
    struct err e = {0};
    int status = c->reply.status;
    bool ok = status == TL_OK || status == TL_E_NOT_FOUND;
    if (ok && call_note(c)->shape_hash != f->shape_hash) /* a refusal counts whatever was asked for */
        c->reply.status = status = TL_E_TEMPORARY;
    if (status != TL_OK && status != TL_E_NOT_FOUND) {
        if (!endpoint_trouble(g, f->ep, c, status, &c->reply.error))
            f->backoff_until = g_mono(g) + backoff_us(g, ++f->failures);
        wants_again(g, f, q, notes);
        call_free(c);
        return;
    }
    struct observe_how how = {.via = OBSERVE_GET, .sent_us = call_note(c)->sent_us};
    bool *answered = arena_array(&c->arena, bool, q->n_ids + 1);
    AUTO(reply_reader_done) struct reply_reader r;
    reply_reader_init(&r, &c->reply);
    int rc = g_begin(g, &e);
    for (struct item item; rc == TL_OK && reply_next(&r, &item);) {
        if (item.kind != ITEM_RECORD)
            continue;
        how.missed = false;
        for (uint32_t i = 0; i < q->n_ids; i++) {
            bool this_one = item.u.record.index == i || str_eq(q->ids[i], item.u.record.id);
            answered[i] |= this_one;
            how.missed |= this_one && notes[i].hint.gone == HINT_MISSED;
        }
        rc = fetched_one(g, f, &item.u.record, item.raw, &how, &e);
    }
    for (uint32_t i = 0; i < q->n_ids && rc == TL_OK; i++) {
        if (!answered[i])
            rc = fetched_missing(g, f, q->ids[i], &e);
        if (rc == TL_OK && notes[i].hint.n)
            rc = hint_done(g->db, &notes[i].hint, &e);
        if (rc == TL_OK && notes[i].pair) {
            rc = pair_wake(g->db, notes[i].pair, LANE_LIVE, g_now(g), false, &e);
            rc = rc == TL_E_NOT_FOUND ? TL_OK : rc;
        }
    }
    if (g_end(g, rc, "taking in records fetched by id", &e) != TL_OK)
        wants_again(g, f, q, notes);
    else
        endpoint_works(g, f->ep, c);
    lanes_stale(f);
    call_free(c);
}

/* ---- Pages */

static void pull_failed(struct engine *g, struct g_feed *f, const struct call *c, int status)
{
    f->failures++;
    if (!endpoint_trouble(g, f->ep, c, status, &c->reply.error)) {
        log_line(LOG_WARN, "feed", "pull of %.*s from \"%.*s\": %s", STR_FMT(f->row.kind), STR_FMT(f->ep->row.name),
                 c->reply.error.text[0] ? c->reply.error.text : status_name(status));
        f->backoff_until = g_mono(g) + backoff_us(g, f->failures);
    }
    f->poll_due = g_mono(g);
}

/* Its records are taken in later, page by page. What went wrong counts at once: a vendor that asked to wait is not
 * asked again meanwhile. */
void feed_call_done(struct engine *g, struct call *c)
{
    struct g_feed *f = model_feed(g, c->tag);
    if (!f) {
        call_free(c);
        return;
    }
    f->pulling = false;
    if (c->reply.status != TL_OK && c->reply.status != TL_E_CURSOR_LOST)
        pull_failed(g, f, c, c->reply.status);
    if (call_note(c)->shape_hash != f->shape_hash)
        buf_clear(&c->reply.items); /* the map changed meanwhile: asked again */
    c->next = NULL;
    if (f->replies)
        f->replies_last->next = c;
    else
        f->replies = c;
    f->replies_last = c;
    ready_wake(&f->ready);
}

static void clock_sample(struct engine *g, struct g_feed *f, const struct call *c, int64_t server_us)
{
    if (server_us == 0)
        return;
    struct g_endpoint *ep = f->ep;
    int64_t server = server_us + (server_us % US_PER_S == 0 ? US_PER_S / 2 : 0);
    unsigned n = (unsigned)ARRAY_LEN(ep->clock_samples);
    ep->clock_samples[ep->n_clock++ % n] = server - call_note(c)->sent_us;
    unsigned have = ep->n_clock < n ? ep->n_clock : n;
    int64_t sorted[ARRAY_LEN(ep->clock_samples)];
    for (unsigned i = 0; i < have; i++) {
        unsigned k = i;
        for (; k > 0 && sorted[k - 1] > ep->clock_samples[i]; k--)
            sorted[k] = sorted[k - 1];
        sorted[k] = ep->clock_samples[i];
    }
    int64_t median = sorted[have / 2], moved = median - ep->row.clock_offset_us;
    if (moved > -US_PER_S / 2 && moved < US_PER_S / 2)
        return;
    ep->row.clock_offset_us = median;
    ep->row.clock_us = g_now(g);
    struct err e = {0};
    if (endpoint_update(g->db, &ep->row, &e))
        log_err(LOG_WARN, "clock", &e);
    for (struct g_feed *each = ep->feeds; each; each = each->next_of_endpoint)
        for (struct feed_side *at = each->sides; at; at = at->next)
            at->l->rules.clock_offset_us[at->side] = median;
}

static int take_checkpoint(struct engine *g, struct g_feed *f, struct call *c, const tl_checkpoint *k, struct err *e)
{
    clock_sample(g, f, c, k->server_us);
    if (k->mode == TL_PULL_CHANGES) {
        int64_t pulled = k->complete ? g_now(g) : f->row.pulled_us;
        f->looked_us = k->complete ? call_note(c)->sent_us : f->looked_us;
        if (str_eq(k->cursor, f->row.cursor) && pulled == f->row.pulled_us)
            return TL_OK;
        bool moved = !str_eq(k->cursor, f->row.cursor);
        if (moved || pulled - f->row.pulled_us > 3600 * US_PER_S || f->row.pulled_us == 0) {
            int rc = feed_set_cursor(g->db, f->row.feed, k->cursor, k->server_us, pulled, e);
            if (rc != TL_OK)
                return rc;
            f->row.pulled_us = pulled;
        }
        f->row.cursor_us = k->server_us;
        if (moved)
            f->row.cursor = arena_str(&f->arena, k->cursor);
        return TL_OK;
    }
    if (f->pass.pass == 0)
        return TL_OK; /* aborted meanwhile */
    int64_t estimate = k->complete ? PASS_ENUMERATED : k->estimate;
    int rc = pass_advance(g->db, f->pass.pass, k->cursor, f->pass.seen, estimate, e);
    if (rc == TL_OK) {
        f->pass.cursor = arena_str(&f->pass_arena, k->cursor);
        f->pass.estimate = estimate;
        f->pass_done = k->complete != 0;
    }
    return rc;
}

/* Takes the reply from f; what it ended with decides when to ask again. */
static void reply_ends(struct engine *g, struct g_feed *f, bool failed)
{
    struct call *c = f->replies;
    f->replies = c->next;
    reply_reader_done(&f->reader);
    f->reading = false;
    int status = c->reply.status;
    bool pass = c->request.pull.mode == TL_PULL_PASS;
    if (failed) {
        pull_failed(g, f, c, TL_E_TEMPORARY);
    } else if (status == TL_OK) {
        endpoint_works(g, f->ep, c);
        f->failures = 0;
        if (!pass)
            f->poll_due = f->reply_complete ? g_mono(g) + f->every_us : g_mono(g);
    } else if (status == TL_E_CURSOR_LOST) {
        struct err e = {0};
        f->row.cursor = (str){0};
        f->row.gap_us = g_now(g);
        if (pass && f->pass.pass)
            pass_end(g->db, f->pass.pass, PASS_ABORTED, g_now(g), &e);
        if (pass)
            f->pass = (struct pass){0};
        f->row.pass = f->pass.pass;
        if (feed_row_store(g, f, &e) != TL_OK)
            log_err(LOG_ERROR, "feed", &e);
    }
    call_free(c);
}

static int take_page(struct engine *g, struct g_feed *f, struct call *c, bool *end, struct err *e)
{
    bool pass = c->request.pull.mode == TL_PULL_PASS;
    struct observe_how how = {.via = pass ? OBSERVE_PASS : OBSERVE_FEED, .sent_us = call_note(c)->sent_us};
    int64_t recs[PAGE_MAX];
    size_t n = 0, rows = 0;
    int64_t seen_before = f->pass.seen;
    int rc = TL_OK;
    *end = true;
    for (struct item item; rc == TL_OK && reply_next(&f->reader, &item);) {
        if (item.kind == ITEM_CHECKPOINT) {
            rc = f->pass.pass && n ? pass_mark(g->db, f->pass.pass, recs, n, e) : TL_OK;
            n = 0;
            if (rc == TL_OK)
                rc = take_checkpoint(g, f, c, &item.u.checkpoint, e);
            f->reply_complete = item.u.checkpoint.complete != 0;
            *end = false;
            break;
        }
        if (item.kind != ITEM_RECORD)
            continue;
        const tl_record *r = &item.u.record;
        if (r->flags & TL_REC_GAP) {
            f->row.gap_us = g_now(g);
            rc = feed_row_store(g, f, e);
            continue;
        }
        if (r->flags & TL_REC_HINT) {
            enum hint_why why = r->state != TL_STATE_LIVE ? HINT_GONE : HINT_CHANGED;
            rc = hint_note(g, f->ep, f->row.kind, r->id, why, e);
            f->hint_due = g_mono(g) + DEBOUNCE_US;
            continue;
        }
        struct observed seen;
        rc = observe(g, f, r, item.raw, &how, &seen, e);
        if (rc == TL_OK && seen.rec && r->state == TL_STATE_LIVE && f->pass.pass) {
            if (pass)
                f->pass.seen++;
            recs[n++] = seen.rec;
        }
        if (++rows == PAGE_MAX) {
            *end = false;
            break;
        }
    }
    if (rc == TL_OK && n && f->pass.pass)
        rc = pass_mark(g->db, f->pass.pass, recs, n, e);
    if (rc != TL_OK)
        f->pass.seen = seen_before;
    return rc;
}

bool feed_take_page(struct engine *g, struct g_feed *f)
{
    struct call *c = f->replies;
    if (!c || g->storage_down)
        return false;
    if (!f->reading) {
        reply_reader_init(&f->reader, &c->reply);
        f->reading = true;
        f->reply_complete = true;
    }
    const uint8_t *start = f->reader.p;
    bool end = false;
    struct err e = {0};
    int rc = g_begin(g, &e);
    if (rc == TL_OK)
        rc = take_page(g, f, c, &end, &e);
    rc = g_end(g, rc, "taking in a page", &e);
    if (rc == E_STORAGE) {
        f->reader.p = start;
        return true;
    }
    lanes_stale(f);
    if (rc != TL_OK || end)
        reply_ends(g, f, rc != TL_OK);
    return true;
}

/* mono; from when on a complete pass is wanted. */
static int64_t pass_due(const struct engine *g, const struct g_feed *f)
{
    if (!(f->kind->desc.can & TL_CAN_PASS) || f->pass_done)
        return NEVER;
    if (!pass_wanted(g, f))
        return f->row.full_pass_us + f->sweep_us - g_now(g) + g_mono(g) + 1;
    int64_t free = endpoint_free_us(g, f->ep, LANE_SWEEP);
    return feed_rests(g, f) && free <= g_mono(g) ? g_mono(g) + REST_LOOK_US : free;
}

int64_t feed_due(const struct engine *g, const struct g_feed *f)
{
    if (f->replies)
        return 0;
    if (!f->wanted || !f->kind || g->stopping)
        return NEVER;
    if (pass_has_work(f))
        return f->backoff_until;
    int64_t due = NEVER, asked = NEVER;
    if (!f->pulling && !has_unknown_create(g, f)) {
        bool changes = f->kind->desc.can & TL_CAN_PULL;
        due = !changes ? NEVER : f->row.cursor.n == 0 ? 0 : f->poll_due;
        int64_t pass = pass_due(g, f);
        due = pass < due ? pass : due;
        due = due < f->backoff_until ? f->backoff_until : due;
    }
    if (!f->getting) {
        asked = f->hint_due;
        int64_t recheck = f->recheck_due == NEVER ? NEVER : f->recheck_due - g_now(g) + g_mono(g);
        asked = recheck < asked ? recheck : asked;
        for (const struct get_want *w = f->wants; w; w = w->next)
            asked = w->due < asked ? w->due : asked;
    }
    int64_t free = endpoint_free_us(g, f->ep, LANE_LIVE);
    due = asked < due ? asked : due;
    return due < free ? free : due;
}

bool feed_turn(struct engine *g, struct g_feed *f)
{
    if (!f->wanted || !f->kind || f->ep->prep != PREP_READY)
        return false;
    bool any = get_turn(g, f);
    return pull_turn(g, f) || any;
}
