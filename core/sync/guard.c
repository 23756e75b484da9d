/* Guards: a plan that looks like a fight between two systems, or with a person, is not carried out. And merges at the
 * vendor: the pair goes over to the record that is left. */
#include <stdio.h>

#include "engine_int.h"
#include "reading.h"
#include "writing.h"

enum { LOOP_WRITES = 4, RECREATIONS = 2, HISTORY_ROWS = 50, MERGE_CHAIN = 5, MERGE_TRIES = 5 };
#define LOOP_US       (600 * US_PER_S)
#define LOOP_REST_US  US_PER_DAY
#define RECREATION_US US_PER_DAY

/* Time kept in pair.extra; 0: none. */
static int64_t extra_time(const struct pair *p, char tag)
{
    int64_t t = 0;
    return str_to_i64(extra_get(p->extra, tag), &t) ? t : 0;
}

void guard_release(struct pair *p, int64_t now_us, struct arena *a)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)now_us);
    p->extra = extra_set(extra_set(p->extra, EXTRA_LOOP_UNTIL, (str){0}, a), EXTRA_RELEASED, str_of(text), a);
    p->status = PAIR_OK;
}

int64_t guard_rests_until(const struct pair *p)
{
    return p->status == PAIR_LOOP ? extra_time(p, EXTRA_LOOP_UNTIL) : 0;
}

static bool names_field(const struct change *c, uint32_t number)
{
    json_t *list = json_loadb(c->fields.p, c->fields.n, 0, NULL), *row;
    size_t i;
    bool found = false;
    json_array_foreach(list, i, row) found |= json_integer_value(json_object_get(row, "no")) == (json_int_t)number;
    json_decref(list);
    return found;
}

/* How often, counted back from now, this field was written to one side and the other in turn. */
static int turns_of(const struct change *list, size_t n, uint32_t number, int target, int64_t since_us)
{
    int turns = 0, last = target;
    for (size_t i = 0; i < n && list[i].at_us >= since_us; i++) {
        if (list[i].op != TL_OP_UPDATE || !names_field(&list[i], number))
            continue;
        if (list[i].side == last)
            break;
        last = list[i].side;
        turns++;
    }
    return turns;
}

static int64_t since(struct engine *g, const struct pair *p, int64_t span_us)
{
    int64_t from = g_now(g) - span_us, released = extra_time(p, EXTRA_RELEASED);
    return from > released ? from : released + 1;
}

static int loop_trip(struct engine *g, struct g_link *l, struct loaded *ld, const struct plan *plan, uint32_t field,
                     struct arena *a, struct err *e)
{
    AUTO(buf_done) struct buf text = {0};
    str path = l->fields[field].side[plan->target].path;
    buf_fmt(&text, "\"%.*s\" was written to both sides in turn %d times within 10 minutes", STR_FMT(path), LOOP_WRITES);
    struct trouble t = {.code = "LOOP_TRIPPED",
                        .field = path,
                        .id = ld->rec[1 - plan->target].id,
                        .side = 1 - plan->target,
                        .text = buf_text(&text)};
    int rc = fail_pair(g, l, &ld->pair, &t, e);
    char until[24];
    snprintf(until, sizeof until, "%lld", (long long)(g_now(g) + LOOP_REST_US));
    ld->pair.extra = extra_set(ld->pair.extra, EXTRA_LOOP_UNTIL, str_of(until), a);
    ld->pair.status = PAIR_LOOP;
    ld->pair.due_us = g_now(g) + LOOP_REST_US;
    return rc == TL_OK ? pair_store(g->db, &ld->pair, e) : rc;
}

int guard_loop(struct engine *g, struct g_link *l, struct loaded *ld, const struct plan *plan, struct arena *a,
               bool *tripped, struct err *e)
{
    int64_t from = since(g, &ld->pair, LOOP_US);
    struct change *list = NULL;
    size_t n = 0;
    *tripped = false;
    if (l->rules.direction != LINK_BOTH)
        return TL_OK;
    int rc = change_list_of_pair(g->db, a, ld->pair.pair, 0, HISTORY_ROWS, &list, &n, e);
    for (uint32_t i = 0; i < l->rules.n_fields && rc == TL_OK && n >= LOOP_WRITES && !*tripped; i++) {
        if (plan->verdict[i] != VERDICT_WRITE ||
            turns_of(list, n, l->fields[i].number, plan->target, from) < LOOP_WRITES)
            continue;
        *tripped = true;
        rc = loop_trip(g, l, ld, plan, i, a, e);
    }
    return rc;
}

int guard_recreation(struct engine *g, struct g_link *l, struct loaded *ld, int target, struct arena *a, bool *tripped,
                     struct err *e)
{
    int64_t from = since(g, &ld->pair, RECREATION_US);
    struct change *list = NULL;
    size_t n = 0;
    int times = 0;
    int rc = change_list_of_pair(g->db, a, ld->pair.pair, 0, HISTORY_ROWS, &list, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK && list[i].at_us >= from; i++)
        times += list[i].side == target && (list[i].op == TL_OP_CREATE || list[i].op == TL_OP_RESTORE);
    *tripped = rc == TL_OK && times >= RECREATIONS;
    if (!*tripped)
        return rc;
    struct trouble t = {.code = "RECREATE_LOOP",
                        .id = ld->rec[1 - target].id,
                        .side = 1 - target,
                        .text = "it was brought back twice within 24 hours and deleted again each time"};
    return fail_pair(g, l, &ld->pair, &t, e);
}

/* ---- Merges ------------------------------------------------------------------------------------------------------ */

/* The record that is left of a merge; state LIVE or not known (rec 0). */
static int survivor_of(struct engine *g, const struct g_link *l, int side, const struct record *lost, struct arena *a,
                       struct record *out, struct err *e)
{
    *out = *lost;
    int rc = TL_OK;
    for (int i = 0; i < MERGE_CHAIN && rc == TL_OK && out->state == TL_STATE_MERGED && out->into.n; i++) {
        str into = out->into;
        rc = record_find(g->db, a, l->feed[side]->row.feed, into, out, e);
        if (rc == TL_E_NOT_FOUND)
            *out = (struct record){.id = into};
    }
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

static int survivor_taken(struct engine *g, struct g_link *l, struct loaded *ld, int side, const struct record *left,
                          const struct pair *theirs, struct err *e)
{
    AUTO(buf_done) struct buf text = {0};
    buf_fmt(&text, "its counterpart %.*s was merged into %.*s, which is in pair %lld", STR_FMT(ld->rec[side].id),
            STR_FMT(left->id), (long long)theirs->pair);
    struct trouble t = {.code = "ALREADY_MAPPED",
                        .reason = TL_R_ALREADY_MAPPED,
                        .id = ld->rec[1 - side].id,
                        .side = 1 - side,
                        .text = buf_text(&text)};
    return fail_pair(g, l, &ld->pair, &t, e);
}

static int survivor_bind(struct engine *g, struct g_link *l, struct loaded *ld, int side, const struct record *left,
                         const struct pair *theirs, struct err *e)
{
    int64_t resolved = 0;
    int rc = TL_OK;
    if (theirs->pair) {
        rc = failure_resolve_pair(g->db, theirs->pair, STR("sync"), g_now(g), &resolved, e);
        if (rc == TL_OK)
            rc = pair_delete(g->db, theirs->pair, e);
    }
    struct old_id old = {.link = l->row.link,
                         .rec = ld->pair.rec[side],
                         .side = side,
                         .pair = ld->pair.pair,
                         .gen = ld->pair.gen[side],
                         .why = STR("merged"),
                         .at_us = g_now(g)};
    if (rc == TL_OK)
        rc = old_id_put(g->db, &old, e);
    ld->pair.rec[side] = left->rec;
    for (int s = 0; s < 2; s++)
        pair_set_base(&ld->pair, (enum side)s, BASE_NONE, (str){0}); /* they meet for the first time */
    ld->pair.chg = (str){0};
    ld->pair.unsettled = 0;
    ld->pair.attempts = 0;
    ld->pair.status = PAIR_OK;
    ld->pair.due_us = g_now(g);
    refs_changed(g, l);
    link_lanes_stale(l);
    if (rc == TL_OK)
        rc = pair_store(g->db, &ld->pair, e);
    if (rc == TL_OK)
        rc = refs_lead(g, l, 1 - side, ld->rec[1 - side].id, e);
    event_pair(g, l, ld->pair.pair, side, left->id, "merged");
    return rc;
}

int guard_merged(struct engine *g, struct g_link *l, struct loaded *ld, int side, struct arena *a, bool *done,
                 struct err *e)
{
    struct record left = {0};
    struct pair theirs = {0};
    *done = false;
    int rc = survivor_of(g, l, side, &ld->rec[side], a, &left, e);
    if (rc == TL_OK && left.rec == 0 && ld->pair.attempts < MERGE_TRIES) {
        feed_want(l->feed[side], 0, left.id, g_mono(g), ld->pair.pair);
        ld->pair.attempts++;
        ld->pair.due_us = g_now(g) + READ_WAIT_US; /* the read wakes it earlier */
        *done = true;
        link_lanes_stale(l);
        return pair_store(g->db, &ld->pair, e);
    }
    if (rc != TL_OK || left.rec == 0 || left.state != TL_STATE_LIVE)
        return rc;
    rc = pair_get_of_record(g->db, a, l->row.link, (enum side)side, left.rec, (str){0}, &theirs, e);
    if (rc != TL_OK && rc != TL_E_NOT_FOUND)
        return rc;
    *done = true;
    if (rc == TL_OK && theirs.rec[1 - side])
        return survivor_taken(g, l, ld, side, &left, &theirs, e);
    if (rc == TL_OK && theirs.intent) {
        ld->pair.due_us = g_now(g) + US_PER_S;
        link_lanes_stale(l);
        return pair_store(g->db, &ld->pair, e);
    }
    return survivor_bind(g, l, ld, side, &left, &theirs, e);
}
