/* The first sync of a link: observe both sides, walk over what has no counterpart, let it come in, be live. A restart
 * goes on at the place stored with the last batch. */
#include <stdio.h>

#include "engine_int.h"
#include "log.h"
#include "preview.h"
#include "reading.h"
#include "readopt.h"
#include "writing.h"

/* Links that this one refers to are through before it begins. */
static bool dependencies_through(struct engine *g, const struct g_link *l)
{
    for (uint32_t i = 0; i < l->rules.n_fields; i++) {
        int64_t to = l->fields[i].ref_link;
        if (to == 0 || to == l->row.link)
            continue;
        struct g_link *other = model_link(g, to);
        if (other && link_runs(other) && other->row.phase < PHASE_LIVE && other->row.topo < l->row.topo)
            return false;
    }
    return true;
}

static int phase_set(struct engine *g, struct g_link *l, int32_t phase, const char *position, const char *words,
                     struct err *e)
{
    l->row.phase = phase;
    l->row.position = arena_str(&l->arena, str_of(position));
    int rc = link_row_store(g, l, e);
    return rc == TL_OK ? run_phase(g, l, words, e) : rc;
}

/* The first side that is walked: one whose records may want a counterpart. */
static const char *walk_start(const struct g_link *l)
{
    return link_allows(l->rules.direction, 1) ? "a" : "b";
}

int damaged_reread(struct engine *g, struct g_link *l, struct loaded *ld, struct err *e)
{
    int rc = TL_OK;
    for (int s = 0; s < 2 && rc == TL_OK; s++) {
        const struct record *r = &ld->rec[s];
        if (!r->rec || !r->damaged ||
            record_has_left(r->state)) /* what is gone has nothing to read; back again a page shows it */
            continue;
        rc = feed_reread(g, l->feed[s], r, ld->pair.pair, e);
    }
    return rc;
}

static void wake_key(const struct g_link *l, char out[32])
{
    snprintf(out, 32, "wake.%lld", (long long)l->row.link);
}

int link_wake_all(struct engine *g, struct g_link *l, bool begins, struct err *e)
{
    char key[32];
    wake_key(l, key);
    l->wake_after = begins ? 0 : -1;
    return meta_set_i64(g->db, key, begins, e);
}

bool link_wakes_all(struct engine *g, const struct g_link *l)
{
    char key[32];
    int64_t begun = 0;
    struct err e = {0};
    wake_key(l, key);
    return meta_get_i64(g->db, key, &begun, &e) == TL_OK && begun;
}

/* One record of the walk: unpaired and admitted, it is matched, adopted or created. */
static int walk_record(struct engine *g, struct g_link *l, int side, const struct record *rec, struct builder *b,
                       struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    g_step(g, 1);
    if (rec->state != TL_STATE_LIVE || rec->observation.n == 0 || !record_in_window(g, l, rec))
        return TL_OK;
    bool was_held = false;
    int rc = observe_returned(g, l, side, rec, &was_held, e);
    if (rc != TL_OK || was_held)
        return rc;
    if (rec->stamp.n) {
        struct held h = {0};
        rc = held_get(g->db, &a, l->row.link, rec->rec, &h, e);
        if (rc != TL_E_NOT_FOUND)
            return rc; /* ours, and not explained: reported */
    }
    struct loaded ld;
    rc = snapshot_of_record(g, l, side, rec, &a, &ld, e);
    ld.pair.lane = LANE_BULK;
    if (rc == TL_OK && rec->damaged)
        return damaged_reread(g, l, &ld, e);
    if (rc == TL_OK && l->plan > 0)
        rc = dry_recheck(g, l, side, rec, e);
    return rc == TL_OK ? work_pair(g, l, &ld, b, false, &a, e) : rc;
}

/* Was the running first sync approved as a plan? */
static int plan_look(struct engine *g, struct g_link *l, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct run run = {0};
    int rc = l->plan < 0 && l->row.run ? run_get(g->db, &a, l->row.run, &run, e) : TL_OK;
    if (rc == TL_OK && l->plan < 0)
        l->plan = run.about;
    return rc;
}

/* The number of the record the walk over its side came to; 0: at the start. */
static int64_t walked_to(const struct g_link *l)
{
    int64_t rec = 0;
    str position = l->row.position;
    return position.n > 1 && str_to_i64(str_n(position.p + 1, position.n - 1), &rec) ? rec : 0;
}

static int walk_slice(struct engine *g, struct g_link *l, struct builder *b, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct record *page = NULL;
    size_t n = 0;
    int side = l->row.position.n && l->row.position.p[0] == 'b' ? 1 : 0;
    int64_t after = walked_to(l);
    bool *paired = NULL;
    int rc = plan_look(g, l, e);
    if (rc == TL_OK)
        rc = record_walk_link(g->db, &a, l->feed[side]->row.feed, l->row.link, (enum side)side, after, PAGE_ROWS, &page,
                              &paired, &n, e);
    size_t done = 0;
    for (; done < n && rc == TL_OK && !b->starved[1 - side]; done++)
        if (!paired[done])
            rc = walk_record(g, l, side, &page[done], b, e);
        else
            g_step(g, 1);
    if (rc != TL_OK)
        return rc;
    if (done < n || n == PAGE_ROWS) {
        if (done == 0)
            return TL_OK;
        l->row.position = str_of(arena_fmt(&l->arena, "%c%lld", side ? 'b' : 'a', (long long)page[done - 1].rec));
        return link_row_store(g, l, e);
    }
    if (side == 0 && link_allows(l->rules.direction, 0))
        return phase_set(g, l, PHASE_MATCH, "b", "matching", e);
    return phase_set(g, l, PHASE_DRAIN, "", "settling", e);
}

static bool walk_turn(struct engine *g, struct g_link *l)
{
    int side = l->row.position.n && l->row.position.p[0] == 'b' ? 1 : 0;
    struct builder b;
    struct err e = {0};
    if (l->hold_until > g_mono(g) || l->lane_hold[LANE_BULK] > g_mono(g) || l->finding)
        return false;
    builder_start(g, l, LANE_BULK, &b);
    if (b.room[1 - side] <= 0) {
        lane_waits(g, l, LANE_BULK, side == 1, side == 0);
        return false;
    }
    int rc = g_begin(g, &e);
    if (rc == TL_OK)
        rc = walk_slice(g, l, &b, &e);
    if (rc == TL_OK)
        rc = builder_intents(g, l, &b, &e);
    rc = g_end(g, rc, "walking over unpaired records", &e);
    builder_send(g, l, &b, rc);
    arena_done(&b.arena); /* pairs that want a search are due: the next slice of their lane asks */
    link_lanes_stale(l);
    g_step(g, 1);
    if (rc != TL_OK)
        l->hold_until = g_mono(g) + US_PER_S;
    return rc == TL_OK;
}

/* Nothing is open and nothing is due: what the walk started has come in. */
static bool drained(struct engine *g, struct g_link *l)
{
    if (l->open_intents > 0 || l->finding)
        return false;
    int64_t due = 0;
    struct err e = {0};
    return pair_next_due(g->db, l->row.link, LANE_BULK, &due, &e) == TL_E_NOT_FOUND;
}

static bool phase_turn(struct engine *g, struct g_link *l, int32_t phase, const char *position, const char *words)
{
    struct err e = {0};
    int rc = g_begin(g, &e);
    bool live = phase == PHASE_LIVE;
    if (rc == TL_OK)
        rc = phase_set(g, l, phase, position, words, &e);
    if (rc == TL_OK && live)
        rc = run_end(g, l, RUN_SUCCEEDED, &e);
    if (rc == TL_OK && live)
        rc = link_row_store(g, l, &e);
    bool all_live = live;
    for (struct g_link *other = l->conn->links; other && all_live; other = other->next_of_conn)
        all_live = !other->row.enabled || other->row.phase == PHASE_LIVE;
    if (rc == TL_OK && all_live && l->conn->row.state == CONN_INITIAL) {
        l->conn->row.state = CONN_ACTIVE;
        l->conn->row.state_us = g_now(g);
        rc = connection_update(g->db, &l->conn->row, &e);
    }
    rc = g_end(g, rc, "changing the phase of a first sync", &e);
    for (struct g_link *other = l->conn->links; other; other = other->next_of_conn)
        link_lanes_stale(other); /* those that refer to it were waiting */
    g_step(g, 1);
    return rc == TL_OK;
}

/* Both sides were read for the dry run, a while ago: what changed since comes before anything is decided. */
static bool is_up_to_date(struct engine *g, struct g_link *l)
{
    AUTO(arena_done) struct arena a = {0};
    struct run run = {0};
    struct err e = {0};
    if (plan_look(g, l, &e) != TL_OK)
        return false;
    if (l->plan == 0)
        return true;
    if (run_get(g->db, &a, l->row.run, &run, &e) != TL_OK)
        return false;
    for (int s = 0; s < 2; s++)
        if ((l->feed[s]->kind->desc.can & TL_CAN_PULL) && l->feed[s]->looked_us < run.started_us)
            return false;
    return true;
}

bool link_walk(struct engine *g, struct g_link *l)
{
    if (!link_runs(l) || g->stopping || g->storage_down || l->orphans || readopt_holds(l))
        return false;
    bool ready = link_feeds_ready(g, l) && !link_rests(g, l);
    switch (l->row.phase) {
    case PHASE_OBSERVE:
        return ready && is_up_to_date(g, l) && dependencies_through(g, l) &&
               phase_turn(g, l, PHASE_MATCH, walk_start(l), "matching");
    case PHASE_MATCH:
        return ready && walk_turn(g, l);
    case PHASE_DRAIN:
        return drained(g, l) && phase_turn(g, l, PHASE_LIVE, "", "");
    default:
        return false;
    }
}
