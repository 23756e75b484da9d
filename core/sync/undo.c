/* The life of an undo: what the run wrote is looked at slice by slice, pairs are marked, and when no row waits any more
 * the run ends. The writes themselves are those of the pairs (undo_item.c). */
#include "undo.h"

#include <stdlib.h>

#include "log.h"

enum { SLICE_ROWS = 50 };
#define LOOK_US (2 * US_PER_S)

void undo_free(struct engine *g, struct g_conn *c)
{
    g->undos -= c->undo != NULL;
    free(c->undo);
    c->undo = NULL;
}

static struct undo *undo_make(struct engine *g, struct g_conn *c, const struct run *r)
{
    undo_free(g, c);
    c->undo = calloc(1, sizeof *c->undo);
    ASSERT(c->undo);
    g->undos++;
    *c->undo = (struct undo){.run = r->run,
                             .about = r->about,
                             .link = r->link,
                             .dry = (r->basis & UNDO_DRY) != 0,
                             .trash = (r->basis & UNDO_TRASH) != 0,
                             .planned = !str_is(r->phase, "planning")};
    return c->undo;
}

static int open_run(struct engine *g, struct g_conn *c, const struct run *about, const char *phase, uint64_t how,
                    struct run *out, struct err *e)
{
    *out = (struct run){.connection = c->row.connection,
                        .link = about->link,
                        .kind = RUN_UNDO,
                        .state = RUN_RUNNING,
                        .made_us = g_now(g),
                        .started_us = g_now(g),
                        .who = STR("admin"),
                        .phase = str_of(phase),
                        .total = -1,
                        .about = about->run,
                        .basis = how};
    return run_create(g->db, out, e);
}

static void say_begin(const struct g_conn *c, const struct run *r)
{
    log_line(LOG_INFO, NULL, "\"%.*s\": run %lld (undo of run %lld%s) begins", STR_FMT(c->row.name), (long long)r->run,
             (long long)r->about, r->basis & UNDO_DRY ? ", looked at only" : "");
}

int undo_begin(struct engine *g, struct g_conn *c, const struct run *about, uint64_t how, int64_t *run_out,
               struct err *e)
{
    struct run run;
    int rc = g_begin(g, e);
    if (rc == TL_OK)
        rc = open_run(g, c, about, "planning", how, &run, e);
    rc = g_end(g, rc, "beginning an undo", e);
    if (rc != TL_OK)
        return rc;
    undo_make(g, c, &run);
    model_feeds_build(g, c); /* those of a link whose brake it passes are read */
    say_begin(c, &run);
    *run_out = run.run;
    return TL_OK;
}

int undo_begin_field(struct engine *g, struct g_conn *c, const struct change *row, uint32_t number, uint64_t how,
                     int64_t *run_out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct run run = {0}, about = {.run = row->run};
    struct pair p = {0};
    int rc = g_begin(g, e);
    if (rc == TL_OK)
        rc = pair_get(g->db, &a, row->pair, &p, e);
    about.link = p.link;
    if (rc == TL_OK)
        rc = open_run(g, c, &about, "writing", how, &run, e);
    struct undo_ask ask = {.run = run.run,
                           .about = row->run,
                           .link = about.link,
                           .pair = row->pair,
                           .row = row,
                           .number = number,
                           .dry = (how & UNDO_DRY) != 0,
                           .lane = LANE_ACTION};
    if (rc == TL_OK)
        rc = undo_plan_pair(g, &ask, e);
    rc = g_end(g, rc, "beginning an undo", e);
    if (rc != TL_OK)
        return rc;
    undo_make(g, c, &run);
    model_feeds_build(g, c); /* those of a link whose brake it passes are read */
    say_begin(c, &run);
    *run_out = run.run;
    return TL_OK;
}

/* Rows of one state; what is left of a cancelled one is skipped. */
static int skip_left(struct engine *g, const struct undo *u, struct err *e)
{
    struct plan_filter f = {.run = u->run, .what = -1, .state = ITEM_PLANNED};
    for (;;) {
        AUTO(arena_done) struct arena a = {0};
        struct plan_item *rows = NULL;
        size_t n = 0;
        int rc = plan_item_list(g->db, &a, &f, PAGE_ROWS, &rows, &n, e);
        for (size_t i = 0; i < n && rc == TL_OK; i++)
            rc = undo_skip(g, &rows[i], "CANCELLED", "the undo was cancelled before it came to this", e);
        if (rc != TL_OK || n < PAGE_ROWS)
            return rc;
    }
}

static int outcome(struct engine *g, const struct undo *u, int32_t *state, int64_t *done, int64_t *skipped,
                   struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct plan_group *groups = NULL;
    size_t n = 0;
    int rc = plan_summary(g->db, &a, u->run, &groups, &n, e);
    for (size_t i = 0; i < n; i++) {
        *done += groups[i].state == ITEM_DONE ? groups[i].n : 0;
        *skipped += groups[i].state == ITEM_SKIPPED ? groups[i].n : 0;
    }
    if (*state == RUN_SUCCEEDED && *skipped)
        *state = RUN_PARTIAL;
    return rc;
}

int undo_end(struct engine *g, struct g_conn *c, int32_t state, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct undo *u = c->undo;
    struct run run = {0};
    int64_t done = 0, skipped = 0;
    if (!u)
        return TL_OK;
    int rc = g_begin(g, e);
    if (rc == TL_OK && state == RUN_CANCELLED && !u->dry)
        rc = skip_left(g, u, e);
    if (rc == TL_OK)
        rc = outcome(g, u, &state, &done, &skipped, e);
    for (struct g_link *l = g->links; l && rc == TL_OK; l = l->next)
        if (l->conn == c)
            rc = run_flush(g, l, e);
    if (rc == TL_OK)
        rc = run_get(g->db, &a, u->run, &run, e);
    run.state = state;
    run.ended_us = g_now(g);
    run.phase = STR("");
    if (rc == TL_OK)
        rc = run_update(g->db, &run, e);
    rc = g_end(g, rc, "ending an undo", e);
    if (rc != TL_OK)
        return rc;
    log_line(LOG_INFO, NULL, "\"%.*s\": run %lld (undo of run %lld) %s: %lld are done, %lld were left",
             STR_FMT(c->row.name), (long long)run.run, (long long)run.about,
             u->dry                   ? "looked at"
             : state == RUN_CANCELLED ? "cancelled"
                                      : "done",
             (long long)done, (long long)skipped);
    undo_free(g, c);
    model_feeds_build(g, c);
    return TL_OK;
}

/* A pair that has rows was looked at before a restart, or with an earlier change of it. */
static int has_rows(struct engine *g, const struct undo *u, int64_t pair, bool *out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct plan_filter f = {.run = u->run, .what = -1, .state = -1, .pair = pair};
    struct plan_item *rows = NULL;
    size_t n = 0;
    int rc = plan_item_list(g->db, &a, &f, 1, &rows, &n, e);
    *out = n > 0;
    return rc;
}

static int phase_of(struct engine *g, const struct undo *u, const char *phase, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct run run = {0};
    int rc = run_get(g->db, &a, u->run, &run, e);
    run.state = RUN_RUNNING;
    run.phase = str_of(phase);
    return rc == TL_OK ? run_update(g->db, &run, e) : rc;
}

static int plan_pair_once(struct engine *g, const struct undo *u, int64_t pair, struct err *e)
{
    struct undo_ask ask = {.run = u->run,
                           .about = u->about,
                           .link = u->link,
                           .pair = pair,
                           .dry = u->dry,
                           .trash = u->trash,
                           .lane = LANE_RETRY};
    bool known = false;
    g_step(g, 2);
    int rc = has_rows(g, u, pair, &known, e);
    return rc == TL_OK && !known ? undo_plan_pair(g, &ask, e) : rc;
}

/* Pairs whose counterpart the run made. */
static int made_slice(struct engine *g, const struct undo *u, int64_t *after, bool *end, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct pair_filter f = {.link = u->link, .status = -1, .run = u->about, .after = u->made_after};
    struct pair *list = NULL;
    size_t n = 0;
    int rc = pair_list(g->db, &a, &f, SLICE_ROWS, &list, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        rc = plan_pair_once(g, u, list[i].pair, e);
    *end = n < SLICE_ROWS;
    *after = n ? list[n - 1].pair : u->made_after;
    return rc;
}

static int plan_slice(struct engine *g, const struct undo *u, int64_t *after, bool *end, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct change *list = NULL;
    size_t n = 0;
    int rc = change_list_of_run(g->db, &a, u->about, u->after, SLICE_ROWS, &list, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        rc = plan_pair_once(g, u, list[i].pair, e);
    *end = n < SLICE_ROWS;
    *after = n ? list[n - 1].change : u->after;
    if (rc == TL_OK && *end)
        rc = phase_of(g, u, "writing", e);
    return rc;
}

/* Rows that wait are given what they wait for again, should it have been taken from them: a pair linked anew by hand
 * has lost its mark, one that was deleted will not come. */
static int look_after(struct engine *g, const struct undo *u, struct plan_item *item, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct pair p = {0};
    int rc = pair_get(g->db, &a, item->pair, &p, e);
    if (rc == TL_E_NOT_FOUND)
        return undo_skip(g, item, "PAIR_GONE", "the records are not paired any more", e);
    if (rc != TL_OK || p.intent)
        return rc;
    if (p.status == PAIR_QUARANTINED)
        return undo_skip(g, item, "PAIR_RESTS", "nothing is written for this pair: see `tieline pair show`", e);
    if (undo_of_pair(&p) == u->run && p.due_us && !u->resumed)
        return TL_OK;
    return undo_mark(g, &p, u->run, LANE_RETRY, &a, e);
}

/* Also whether they wait because nothing is written for their link now. */
static int look_slice(struct engine *g, const struct undo *u, size_t *n_left, bool *stopped, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct plan_filter f = {.run = u->run, .what = -1, .state = ITEM_PLANNED};
    struct plan_item *rows = NULL;
    int rc = plan_item_list(g->db, &a, &f, SLICE_ROWS, &rows, n_left, e);
    for (size_t i = 0; i < *n_left && rc == TL_OK; i++) {
        const struct g_link *l = model_link(g, rows[i].link);
        *stopped |= l && !link_runs(l);
        g_step(g, 1);
        rc = look_after(g, u, &rows[i], e);
    }
    return rc;
}

static bool plan_turn(struct engine *g, struct g_conn *c, struct err *e)
{
    struct undo *u = c->undo;
    bool made = u->trash && !u->made_looked, end = false;
    int64_t after = 0;
    int rc = g_begin(g, e);
    if (rc == TL_OK)
        rc = made ? made_slice(g, u, &after, &end, e) : plan_slice(g, u, &after, &end, e);
    rc = g_end(g, rc, "planning an undo", e);
    if (rc != TL_OK) {
        u->look_due = g_mono(g) + LOOK_US;
        return false;
    }
    *(made ? &u->made_after : &u->after) = after;
    *(made ? &u->made_looked : &u->planned) = end;
    return true;
}

static bool write_turn(struct engine *g, struct g_conn *c, struct err *e)
{
    struct undo *u = c->undo;
    size_t left = 0;
    bool stopped = false;
    if (u->dry)
        return undo_end(g, c, RUN_SUCCEEDED, e) == TL_OK;
    u->look_due = g_mono(g) + LOOK_US;
    int rc = g_begin(g, e);
    if (rc == TL_OK)
        rc = look_slice(g, u, &left, &stopped, e);
    if (rc == TL_OK && stopped != u->stopped)
        rc = phase_of(g, u, stopped ? "waiting" : "writing", e);
    rc = g_end(g, rc, "looking after an undo", e);
    u->stopped = rc == TL_OK ? stopped : u->stopped;
    u->resumed = u->resumed && rc != TL_OK;
    return rc == TL_OK && left == 0 && undo_end(g, c, RUN_SUCCEEDED, e) == TL_OK;
}

static bool may_go_on(int32_t state)
{
    return state == CONN_INITIAL || state == CONN_ACTIVE || state == CONN_PAUSED || state == CONN_BLOCKED;
}

bool undo_turn(struct engine *g)
{
    bool any = false;
    for (struct g_conn *c = g->undos ? g->conns : NULL; c && !g->stopping && !g->storage_down; c = c->next) {
        struct err e = {0};
        if (!c->undo || c->undo->look_due > g_mono(g) || g_spent(g))
            continue;
        g_step(g, 1);
        if (!may_go_on(c->row.state))
            any |= undo_end(g, c, RUN_CANCELLED, &e) == TL_OK;
        else if (!c->undo->planned)
            any |= plan_turn(g, c, &e);
        else
            any |= write_turn(g, c, &e);
    }
    return any;
}

int64_t undo_due(const struct engine *g)
{
    int64_t due = NEVER;
    for (const struct g_conn *c = g->undos ? g->conns : NULL; c; c = c->next)
        if (c->undo && c->undo->look_due < due)
            due = c->undo->look_due;
    return due;
}

int undo_resume(struct engine *g, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct run_filter f = {.open_only = true};
    struct run *list = NULL;
    size_t n = 0;
    int rc = run_list(g->db, &a, &f, 1000, &list, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        struct g_conn *c = list[i].kind == RUN_UNDO ? model_conn(g, list[i].connection) : NULL;
        if (!c || c->undo)
            continue;
        undo_make(g, c, &list[i])->resumed = true;
        model_feeds_build(g, c);
    }
    return rc;
}
