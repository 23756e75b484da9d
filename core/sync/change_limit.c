/* The budget of a run: a mistake in a map, or in one of the two systems, that would touch everything stops after
 * max_changes writes and waits for a word. It counts in runs of changes and retries; a first sync is shown before it
 * begins, and an undo was asked for. Deletions have a limit of their own, by the day, which cannot be set. */
#include <stdio.h>

#include "brake.h"
#include "writing.h"

enum { LEAST_CHANGES = 500, LEAST_DELETES = 20, DELETES_PERCENT = 5 };

static void approval_key(const struct g_link *l, char out[32])
{
    snprintf(out, 32, "approved.%lld", (long long)l->row.link);
}

static void figures_key(const struct g_link *l, char out[32])
{
    snprintf(out, 32, "written.%lld", (long long)l->row.link);
}

/* What a restart would forget: "written at deleted since". A run that ended while nobody was there counts no more. */
static int figures_store(struct engine *g, const struct g_link *l, int64_t written, int64_t deleted, int64_t since_us,
                         struct err *e)
{
    char key[32], text[96];
    figures_key(l, key);
    snprintf(text, sizeof text, "%lld %lld %lld %lld", (long long)written, (long long)g_now(g), (long long)deleted,
             (long long)since_us);
    return meta_set(g->db, key, str_of(text), e);
}

static void figures_recall(struct engine *g, struct g_link *l)
{
    AUTO(arena_done) struct arena a = {0};
    char key[32];
    str text = {0}, one = {0};
    int64_t figure[4] = {0};
    struct err e = {0};
    figures_key(l, key);
    if (meta_get(g->db, &a, key, &text, &e) != TL_OK)
        return;
    for (size_t i = 0; i < ARRAY_LEN(figure) && str_split(&text, ' ', &one); i++)
        (void)str_to_i64(one, &figure[i]);
    l->limit.written = g_now(g) - figure[1] < LIVE_RUN_US ? figure[0] : 0;
    l->limit.deleted = figure[2];
    l->limit.deletes_since_us = figure[3];
}

/* Once after a start: what is remembered of before. */
static void recall(struct engine *g, struct g_link *l)
{
    char key[32];
    int64_t set = 0;
    struct err e = {0};
    if (l->limit.known)
        return;
    approval_key(l, key);
    l->limit.approved = meta_get_i64(g->db, key, &set, &e) == TL_OK && set;
    figures_recall(g, l);
    l->limit.known = true;
}

static bool is_approved(struct engine *g, struct g_link *l)
{
    recall(g, l);
    return l->limit.approved;
}

static int64_t complete_pairs(struct engine *g, const struct g_link *l)
{
    struct link_tally t = {0};
    struct err e = {0};
    return link_count(g->db, l->row.link, &t, &e) == TL_OK ? t.complete : 0;
}

/* -1: none. */
static int64_t changes_allowed(struct engine *g, const struct g_link *l)
{
    if (l->limit.changes)
        return l->limit.changes;
    if (l->limit.percent == 0)
        return -1;
    int64_t share = complete_pairs(g, l) * l->limit.percent / 100;
    return share > LEAST_CHANGES ? share : LEAST_CHANGES;
}

static int64_t deletes_allowed(struct engine *g, const struct g_link *l)
{
    int64_t share = complete_pairs(g, l) * DELETES_PERCENT / 100;
    return share > LEAST_DELETES ? share : LEAST_DELETES;
}

static void gathered(const struct builder *b, int64_t *writes, int64_t *deletes)
{
    *writes = *deletes = 0;
    for (const struct g_batch *it = b->batches; it; it = it->next) {
        *writes += it->flags & BATCH_UNDO ? 0 : it->n;
        *deletes += it->op == TL_OP_DELETE && !(it->flags & BATCH_UNDO) ? it->n : 0;
    }
}

/* Counting pairs is left until the least of all limits is met. */
bool limit_reached(struct engine *g, struct g_link *l, const struct builder *b, int op)
{
    int64_t writes = 0, deletes = 0;
    if (l->row.phase < PHASE_LIVE)
        return false;
    recall(g, l);
    gathered(b, &writes, &deletes);
    writes += l->limit.written;
    deletes += g_now(g) - l->limit.deletes_since_us < US_PER_DAY ? l->limit.deleted : 0;
    bool many = writes >= (l->limit.changes ? l->limit.changes : LEAST_CHANGES);
    bool gone = op == TL_OP_DELETE && deletes >= LEAST_DELETES;
    if ((!many && !gone) || is_approved(g, l))
        return false;
    int64_t allowed = many ? changes_allowed(g, l) : -1;
    return (allowed >= 0 && writes >= allowed) || (gone && deletes >= deletes_allowed(g, l));
}

int limit_stop(struct engine *g, struct g_link *l, const struct builder *b, struct err *e)
{
    AUTO(buf_done) struct buf text = {0};
    int64_t writes = 0, deletes = 0, waiting = 0;
    gathered(b, &writes, &deletes);
    int rc = pair_count_due(g->db, l->row.link, g_now(g) + READ_WAIT_US, &waiting, e);
    if (rc != TL_OK)
        return rc;
    waiting = waiting > writes ? waiting - writes : 1;
    bool deletions = b->over == TL_OP_DELETE && deletes + l->limit.deleted >= deletes_allowed(g, l);
    if (deletions)
        buf_fmt(&text, "%lld records were deleted within a day because their counterparts were, and %lld pairs wait",
                (long long)(deletes + l->limit.deleted), (long long)waiting);
    else
        buf_fmt(&text, "%lld changes were written in this run, which is what max_changes allows, and %lld pairs wait",
                (long long)(writes + l->limit.written), (long long)waiting);
    return link_brake(
        g, l, BRAKE_CHANGES, buf_lent(&text),
        deletions
            ? "look at what was deleted (`tieline sync history`, `tieline pair show PAIR`); `tieline connection "
              "release` lets what waits go on once; `tieline link set ... delete=keep` ends it"
            : "look at what it wrote (`tieline sync history`); `tieline undo run` takes that back at once, `tieline "
              "connection release` lets what waits go on once, `tieline link set ... max_changes=` allows more",
        e);
}

/* With the writes of b. */
static struct change_limit counted(struct engine *g, const struct g_link *l, const struct builder *b, bool *any)
{
    struct change_limit sum = l->limit;
    int64_t writes = 0, deletes = 0;
    gathered(b, &writes, &deletes);
    sum.written += writes;
    if (deletes && g_now(g) - sum.deletes_since_us >= US_PER_DAY) {
        sum.deletes_since_us = g_now(g);
        sum.deleted = 0;
    }
    sum.deleted += deletes;
    *any = writes || deletes;
    return sum;
}

int limit_store(struct engine *g, struct g_link *l, const struct builder *b, struct err *e)
{
    bool any = false;
    if (l->row.phase < PHASE_LIVE)
        return TL_OK;
    struct change_limit sum = counted(g, l, b, &any);
    return any ? figures_store(g, l, sum.written, sum.deleted, sum.deletes_since_us, e) : TL_OK;
}

void limit_count(struct engine *g, struct g_link *l, const struct builder *b)
{
    bool any = false;
    if (l->row.phase >= PHASE_LIVE)
        l->limit = counted(g, l, b, &any);
}

static int approve(struct engine *g, struct g_link *l, bool on, struct err *e)
{
    char key[32];
    approval_key(l, key);
    int rc = meta_set_i64(g->db, key, on, e);
    if (rc == TL_OK) {
        l->limit.known = true;
        l->limit.approved = on;
    }
    return rc;
}

void limit_run_ended(struct engine *g, struct g_link *l)
{
    struct err e = {0};
    int64_t waiting = 0;
    l->limit.written = 0;
    if (is_approved(g, l) && pair_count_due(g->db, l->row.link, g_now(g) + READ_WAIT_US, &waiting, &e) == TL_OK &&
        waiting == 0)
        (void)approve(g, l, false, &e); /* else with the next run */
}

int limit_lift(struct engine *g, struct g_link *l, struct err *e)
{
    l->limit.written = l->limit.deleted = 0;
    int rc = figures_store(g, l, 0, 0, 0, e);
    return rc == TL_OK ? approve(g, l, true, e) : rc;
}
