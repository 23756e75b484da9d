/* The walk of a dry run: read both sides, then look at every record and every pair of every new link, in the order in
 * which a first sync would. A slice is one transaction. */
#include "preview.h"

#include <stdlib.h>

#include "log.h"
#include "reading.h"
#include "readopt.h"

enum { STEP_MARKS_A, STEP_MARKS_B, STEP_RECORDS_A, STEP_RECORDS_B, STEP_PAIRS, STEP_END };

static bool has_part(const struct g_link *l)
{
    const struct preview *p = l->conn ? l->conn->preview : NULL;
    return p && l->usable && l->row.enabled && l->row.phase == PHASE_NEW && l->row.mode == LINK_SYNC &&
           (p->only == 0 || p->only == l->row.link);
}

static bool may_go_on(int32_t state)
{
    return state == CONN_DRAFT || state == CONN_READY || state == CONN_INITIAL || state == CONN_ACTIVE;
}

bool preview_reads(const struct g_link *l)
{
    return has_part(l) && may_go_on(l->conn->row.state);
}

void preview_free(struct engine *g, struct g_conn *c)
{
    g->previews -= c->preview != NULL;
    free(c->preview);
    c->preview = NULL;
}

int64_t preview_run(const struct g_conn *c)
{
    return c->preview ? c->preview->run : 0;
}

static struct preview *preview_make(struct engine *g, struct g_conn *c, int64_t run, int64_t only, int64_t started_us)
{
    preview_free(g, c);
    c->preview = calloc(1, sizeof *c->preview);
    ASSERT(c->preview);
    g->previews++;
    c->preview->run = run;
    c->preview->only = only;
    c->preview->topo = -1;
    c->window_us = c->window_us ? c->window_us : started_us;
    return c->preview;
}

static int begin_in_store(struct engine *g, struct g_conn *c, struct run *run, struct err *e)
{
    int rc = g_begin(g, e);
    uint64_t basis = 0;
    if (rc == TL_OK)
        rc = plan_basis(g->db, c->row.connection, run->link, &basis, e);
    run->basis = basis;
    if (rc == TL_OK)
        rc = run_create(g->db, run, e);
    return g_end(g, rc, "beginning a dry run", e);
}

int preview_begin(struct engine *g, struct g_conn *c, int64_t only_link, int64_t *run_out, struct err *e)
{
    struct run run = {.connection = c->row.connection,
                      .link = only_link,
                      .kind = RUN_DRYRUN,
                      .state = RUN_RUNNING,
                      .made_us = g_now(g),
                      .started_us = g_now(g),
                      .who = STR("admin"),
                      .phase = STR("observing"),
                      .total = -1};
    int rc = begin_in_store(g, c, &run, e);
    if (rc != TL_OK)
        return rc;
    preview_make(g, c, run.run, only_link, run.started_us);
    log_line(LOG_INFO, NULL, "\"%.*s\": run %lld (dry run) begins", STR_FMT(c->row.name), (long long)run.run);
    *run_out = run.run;
    model_feeds_build(g, c);
    return TL_OK;
}

int preview_end(struct engine *g, struct g_conn *c, int32_t state, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct run run = {0};
    struct plan_group *groups = NULL;
    size_t n = 0;
    if (!c->preview)
        return TL_OK;
    int64_t id = c->preview->run;
    int rc = g_begin(g, e);
    if (rc == TL_OK)
        rc = run_get(g->db, &a, id, &run, e);
    if (rc == TL_OK)
        rc = plan_summary(g->db, &a, id, &groups, &n, e);
    for (size_t i = 0; i < n && state == RUN_SUCCEEDED; i++)
        if (groups[i].what == ITEM_FAILURE)
            state = RUN_PARTIAL;
    run.state = state;
    run.ended_us = g_now(g);
    run.done = c->preview->seen;
    run.phase = STR("");
    if (rc == TL_OK)
        rc = run_update(g->db, &run, e);
    rc = g_end(g, rc, "ending a dry run", e);
    if (rc != TL_OK)
        return rc;
    log_line(LOG_INFO, NULL, "\"%.*s\": run %lld (dry run) %s after %.1f s", STR_FMT(c->row.name), (long long)id,
             state == RUN_CANCELLED ? "cancelled" : "done", (double)(run.ended_us - run.started_us) / (double)US_PER_S);
    preview_free(g, c);
    model_feeds_build(g, c);
    return TL_OK;
}

/* What was found before a restart is forgotten and found again: nothing of it has been said to be whole. */
int preview_resume(struct engine *g, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct run_filter f = {.open_only = true};
    struct run *list = NULL;
    size_t n = 0;
    bool any = false;
    int rc = run_list(g->db, &a, &f, 1000, &list, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        struct g_conn *c = list[i].kind == RUN_DRYRUN ? model_conn(g, list[i].connection) : NULL;
        bool done = false;
        if (!c || c->preview)
            continue;
        while (rc == TL_OK && !done)
            rc = plan_clear(g->db, list[i].run, 10000, &done, e);
        preview_make(g, c, list[i].run, list[i].link, list[i].started_us);
        any = true;
    }
    for (struct g_link *l = g->links; l && any && rc == TL_OK; l = l->next)
        if (l->conn && l->conn->preview)
            rc = model_link_build(g, l, e);
    if (rc == TL_OK && any)
        model_feeds_build(g, NULL);
    return rc;
}

/* The link after the one that was walked last: in the order in which references lead. */
static struct g_link *next_link(const struct g_conn *c)
{
    const struct preview *p = c->preview;
    struct g_link *best = NULL;
    for (struct g_link *l = c->links; l; l = l->next_of_conn) {
        bool later = l->row.topo > p->topo || (l->row.topo == p->topo && l->row.link > p->link);
        if (has_part(l) && later &&
            (!best || l->row.topo < best->row.topo || (l->row.topo == best->row.topo && l->row.link < best->row.link)))
            best = l;
    }
    return best;
}

static bool all_read(const struct engine *g, const struct g_conn *c)
{
    bool ready = true;
    for (struct g_link *l = c->links; l && ready; l = l->next_of_conn)
        ready = !has_part(l) || (!readopt_waits(l) && link_feeds_ready(g, l));
    return ready;
}

static int progress(struct engine *g, const struct g_conn *c, const char *phase, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct run run = {0};
    int rc = run_get(g->db, &a, c->preview->run, &run, e);
    run.state = RUN_RUNNING;
    run.phase = str_of(phase);
    run.done = c->preview->seen;
    run.total = 0;
    for (const struct g_link *l = c->links; l; l = l->next_of_conn)
        for (int s = 0; s < 2 && has_part(l); s++)
            run.total += feed_record_count(g->db, l->feed[s]->row.feed);
    return rc == TL_OK ? run_update(g->db, &run, e) : rc;
}

static int no_marks(struct engine *g, const struct g_link *l, bool *out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct held *list = NULL;
    size_t n = 0;
    int rc = held_waiting(g->db, &a, l->row.link, -1, STR("orphaned_stamp"), 1, &list, &n, e);
    *out = n == 0;
    return rc;
}

static int walk_records(struct engine *g, struct g_link *l, struct preview *p, bool *end, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct record *page = NULL;
    bool *paired = NULL, marks = p->step <= STEP_MARKS_B;
    size_t n = 0;
    int side = p->step == STEP_MARKS_B || p->step == STEP_RECORDS_B ? 1 : 0;
    struct dry d = {.run = p->run, .state = ITEM_PLANNED};
    int rc = record_walk_link(g->db, &a, l->feed[side]->row.feed, l->row.link, (enum side)side, p->after, PAGE_ROWS,
                              &page, &paired, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        bool done = false;
        g_step(g, 1);
        p->seen += !marks;
        if (paired[i])
            continue;
        rc = marks ? dry_by_mark(g, l, &d, side, &page[i], &done, e) : dry_record(g, l, &d, side, &page[i], e);
    }
    *end = n < PAGE_ROWS;
    p->after = n ? page[n - 1].rec : p->after;
    return rc;
}

static int walk_pairs(struct engine *g, struct g_link *l, struct preview *p, bool *end, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct pair_filter f = {.link = l->row.link, .status = -1, .after = p->after_pair};
    struct pair *list = NULL;
    size_t n = 0;
    struct dry d = {.run = p->run, .state = ITEM_PLANNED};
    int rc = pair_list(g->db, &a, &f, PAGE_ROWS, &list, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        g_step(g, 1);
        rc = dry_pair(g, l, &d, list[i].pair, e);
    }
    *end = n < PAGE_ROWS;
    p->after_pair = n ? list[n - 1].pair : p->after_pair;
    return rc;
}

static void next_step(struct preview *p)
{
    p->step++;
    p->after = p->after_pair = 0;
}

static int slice(struct engine *g, struct g_conn *c, struct g_link *l, struct err *e)
{
    struct preview *p = c->preview;
    bool end = false;
    int rc = TL_OK;
    if (p->step == STEP_MARKS_A && !p->after)
        rc = no_marks(g, l, &end, e);
    if (rc == TL_OK && end) {
        p->step = STEP_RECORDS_A;
        end = false;
    }
    if (rc != TL_OK)
        return rc;
    rc = g_begin(g, e);
    g->dry_run = p->run;
    if (rc == TL_OK)
        rc = p->step == STEP_PAIRS ? walk_pairs(g, l, p, &end, e) : walk_records(g, l, p, &end, e);
    g->dry_run = 0;
    if (rc == TL_OK)
        rc = progress(g, c, "planning", e);
    rc = g_end(g, rc, "planning a first sync", e);
    if (rc == TL_OK && end)
        next_step(p);
    return rc;
}

/* Begins again from nothing: also after a slice that could not be stored. */
static int anew(struct engine *g, struct g_conn *c, struct err *e)
{
    struct preview *p = c->preview;
    bool done = false;
    int rc = g_begin(g, e);
    while (rc == TL_OK && !done)
        rc = plan_clear(g->db, p->run, 1000, &done, e);
    rc = g_end(g, rc, "clearing a dry run", e);
    if (rc == TL_OK)
        preview_make(g, c, p->run, p->only, c->window_us);
    return rc;
}

static bool conn_turn(struct engine *g, struct g_conn *c)
{
    struct err e = {0};
    struct preview *p = c->preview;
    if (!may_go_on(c->row.state))
        return preview_end(g, c, RUN_CANCELLED, &e) == TL_OK;
    if (!all_read(g, c))
        return false;
    struct g_link *l = p->link ? model_link(g, p->link) : NULL;
    if (l && !has_part(l))
        l = NULL; /* switched off or deleted meanwhile */
    if (!l || p->step == STEP_END) {
        l = next_link(c);
        if (!l)
            return preview_end(g, c, RUN_SUCCEEDED, &e) == TL_OK;
        p->link = l->row.link;
        p->topo = l->row.topo;
        p->step = STEP_MARKS_A;
    }
    g_step(g, 1);
    int rc = slice(g, c, l, &e);
    if (rc == TL_OK)
        return true;
    return !g->storage_down && anew(g, c, &e) == TL_OK;
}

bool preview_turn(struct engine *g)
{
    bool any = false;
    if (g->stopping || g->storage_down || !g->previews)
        return false;
    for (struct g_conn *c = g->conns; c && !g_spent(g); c = c->next)
        if (c->preview)
            any |= conn_turn(g, c);
    return any;
}
