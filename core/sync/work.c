/* Ready pairs are planned, and what the plans ask for is done: bases move, failures are noted, writes are gathered in
 * batches. A slice is one transaction; the intents of its batches are in it, the calls leave after its commit. */
#include <stdlib.h>

#include "deletion.h"
#include "engine_int.h"
#include "log.h"
#include "parting.h"
#include "reading.h"
#include "readopt.h"
#include "undo.h"
#include "writing.h"

void link_lanes_stale(struct g_link *l)
{
    for (int lane = 0; lane < LANE_COUNT; lane++)
        l->lane_due[lane] = -1;
    ready_wake(&l->ready);
}

/* A side that sleeps or has used up its allowance is asked again when that is over; one that is busy calls the links
 * that wait for it, each in its turn. */
void lane_waits(struct engine *g, struct g_link *l, int lane, bool a, bool b)
{
    int64_t hold = NEVER, mono = g_mono(g);
    for (int s = 0; s < 2; s++) {
        if (!(s ? b : a))
            continue;
        struct g_endpoint *ep = l->conn->ep[s];
        int64_t free = endpoint_free_us(g, ep, (enum lane)lane);
        if (free <= mono) {
            if (ep->waiter && ep->waiter != l->row.link)
                ep->rivals_us = mono;
            ep->waiter = l->row.link;
            ready_wait(&l->ready, s, &ep->queue, l->credit[s] > 0);
            free = mono + US_PER_S;
        }
        hold = free < hold ? free : hold;
    }
    l->lane_hold[lane] = hold < mono + HOLD_MAX_US ? hold : mono + HOLD_MAX_US;
}

/* ---- One pair */

static bool both_live(const struct loaded *ld)
{
    return ld->snap.side[0].state == SIDE_LIVE && ld->snap.side[1].state == SIDE_LIVE;
}

static int pair_done(struct engine *g, struct g_link *l, struct loaded *ld, struct arena *a, struct err *e)
{
    int64_t resolved = 0;
    ld->pair.due_us = 0;
    ld->pair.attempts = 0;
    ld->pair.status = PAIR_OK;
    if (both_live(ld))
        ld->pair.map_gen = l->row.map_gen;
    ld->pair.synced_us = g_now(g);
    deletion_forget(&ld->pair, a); /* had it been to travel, it would have */
    int rc = failure_resolve_pair(g->db, ld->pair.pair, STR("sync"), g_now(g), &resolved, e);
    return rc == TL_OK ? pair_store(g->db, &ld->pair, e) : rc;
}

/* A person has to look at this field. */
static bool is_noted(const struct g_link *l, const struct plan *plan, uint32_t i)
{
    return plan->verdict[i] == VERDICT_CONFLICT ||
           (plan->verdict[i] == VERDICT_DRIFT && l->rules.drift == DRIFT_REPORT);
}

static bool may_have_notes(const struct g_link *l, const struct snapshot *snap)
{
    bool left_over = snap->side[0].written_us || snap->side[1].written_us;
    bool may = left_over || l->rules.policy == POLICY_MANUAL || l->rules.drift == DRIFT_REPORT;
    for (uint32_t i = 0; i < l->rules.n_fields && !may; i++)
        may = l->fields[i].policy == POLICY_MANUAL;
    return may;
}

/* The pair's rows in the inbox are those that hold now: what became equal, or was decided, leaves it. */
static int conflicts_note(struct engine *g, struct g_link *l, struct loaded *ld, const struct plan *plan,
                          struct arena *a, struct err *e)
{
    if (!may_have_notes(l, &ld->snap) && plan->n_conflicts == 0)
        return TL_OK;
    struct conflict *known = NULL;
    size_t n_known = 0;
    int rc = conflict_list(g->db, a, 0, ld->pair.pair, l->rules.n_fields + 1, &known, &n_known, e);
    if (rc == TL_OK && n_known)
        rc = conflict_drop(g->db, ld->pair.pair, 0, e);
    for (uint32_t i = 0; i < l->rules.n_fields && rc == TL_OK; i++) {
        if (!is_noted(l, plan, i))
            continue;
        struct conflict row = {.pair = ld->pair.pair, .map_no = l->fields[i].number, .at_us = g_now(g)};
        for (size_t k = 0; k < n_known; k++)
            row.at_us = known[k].map_no == row.map_no ? known[k].at_us : row.at_us;
        for (int s = 0; s < 2; s++) {
            tl_value one = ld->values[s][i];
            one.field = l->fields[i].obs_no[s];
            AUTO(buf_done) struct buf blob = {0};
            obs_add(&blob, &one);
            row.value[s] = arena_str(a, buf_lent(&blob));
        }
        rc = conflict_put(g->db, &row, e);
    }
    return rc;
}

static int pair_agrees(struct engine *g, struct g_link *l, struct loaded *ld, const struct plan *plan, struct arena *a,
                       struct err *e)
{
    uint32_t n = l->rules.n_fields;
    bool *agreed = arena_array(a, bool, n + 1);
    int rc = TL_OK;
    bool first = false;
    for (uint32_t i = 0; i < n && both_live(ld); i++) {
        const struct rule_field *f = &l->fields[i];
        bool adopting = field_adopting(&ld->snap, i);
        bool for_now = field_held_back(&l->rules, f, 0) || field_held_back(&l->rules, f, 1);
        agreed[i] = plan->verdict[i] == VERDICT_AGREE || (adopting && plan->verdict[i] == VERDICT_DRIFT && !for_now);
        first |= adopting; /* what waits must not count as agreed on once the pair has settled with this map */
    }
    const tl_value *value[2] = {ld->values[0], ld->values[1]};
    if (both_live(ld) && (plan->n_agreed || first))
        bases_set(l, ld, agreed, value, a);
    rc = conflicts_note(g, l, ld, plan, a, e);
    if (rc == TL_OK && plan->n_waiting) {
        rc = parked_drop(g->db, ld->pair.pair, e);
        for (int s = 0; s < 2 && rc == TL_OK; s++)
            if (plan->target == 1 - s)
                rc = refs_wait(g, l, ld, plan, s, a, e);
    }
    return rc == TL_OK ? pair_done(g, l, ld, a, e) : rc;
}

/* A pair is made for a record that has none, so that something can be remembered about it. */
static int pair_exists(struct engine *g, struct loaded *ld, struct err *e)
{
    if (ld->pair.pair)
        return TL_OK;
    ld->pair.made_us = g_now(g);
    return pair_insert(g->db, &ld->pair, e);
}

int pair_later(struct engine *g, struct g_link *l, struct loaded *ld, int64_t due_us, struct err *e)
{
    ld->pair.due_us = due_us;
    link_lanes_stale(l);
    if (ld->pair.pair == 0)
        return pair_exists(g, ld, e);
    return pair_store(g->db, &ld->pair, e);
}

/* Both records are there: one pair of them, without a base. A one-sided pair of the hit is taken over. */
static int pair_adopt(struct engine *g, struct g_link *l, struct loaded *ld, int target, const struct match_result *m,
                      struct arena *a, struct err *e)
{
    int rc = TL_OK;
    if (m->pair) {
        struct pair other = {0};
        rc = pair_get(g->db, a, m->pair, &other, e);
        if (rc == TL_OK && other.intent)
            return pair_later(g, l, ld, g_now(g) + US_PER_S, e);
        int64_t resolved = 0;
        parting_move(&ld->pair, other.extra, target, a);
        if (rc == TL_OK)
            rc = failure_resolve_pair(g->db, m->pair, STR("sync"), g_now(g), &resolved, e);
        if (rc == TL_OK)
            rc = pair_delete(g->db, m->pair, e);
    }
    if (rc != TL_OK)
        return rc;
    rc = window_matched(g, l, &ld->pair, target, m->rec, a, e);
    if (rc != TL_OK)
        return rc;
    ld->pair.rec[target] = m->rec;
    ld->pair.flags |= PAIR_ADOPTED;
    ld->pair.status = PAIR_OK;
    ld->pair.due_us = g_now(g);
    ld->pair.made_us = ld->pair.made_us ? ld->pair.made_us : g_now(g);
    rc = ld->pair.pair ? pair_store(g->db, &ld->pair, e) : pair_insert(g->db, &ld->pair, e);
    int64_t run = 0;
    if (rc == TL_OK)
        rc = run_for(g, l, ld->pair.lane, &run, e);
    if (rc != TL_OK)
        return rc;
    refs_changed(g, l);
    run_count(g, l, run, target, COUNT_MATCHED);
    g->figures.adoptions++;
    event_pair(g, l, ld->pair.pair, target, ld->rec[1 - target].id, "matched");
    struct record rec = {0};
    rc = record_get(g->db, a, m->rec, &rec, e);
    if (rc == TL_OK)
        rc = refs_lead(g, l, target, rec.id, e);
    if (rc == TL_OK)
        rc = refs_lead(g, l, 1 - target, ld->rec[1 - target].id, e);
    return rc == TL_OK ? record_paired(g, l, target, rec.id, e) : rc;
}

void plan_trouble(const struct g_link *l, const struct loaded *ld, const struct plan *plan, int side, struct arena *a,
                  struct trouble *out)
{
    const struct rule_field *f = &l->fields[plan->field];
    AUTO(buf_done) struct buf text = {0};
    tl_value shown = ld->values[1 - plan->target][plan->field];
    AUTO(buf_done) struct buf value = {0};
    value_text(&value, &shown);
    str v = utf8_cut_bytes(buf_lent(&value), 60);
    const char *code = reason_code_of(plan->reason);
    if (plan->why.n) {
        buf_fmt(&text, "\"%.*s\": %.*s", STR_FMT(f->side[plan->target].name), STR_FMT(plan->why));
        code = plan->reason == TL_R_OTHER ? "MAP_ERROR" : code;
    }
    switch (plan->why.n ? TL_R_OTHER : plan->reason) {
    case TL_R_REQUIRED_MISSING:
        buf_fmt(&text, "\"%.*s\" is mandatory and empty", STR_FMT(f->side[plan->target].name));
        break;
    case TL_R_TOO_LONG:
        buf_fmt(&text, "\"%.*s\" holds at most %u characters", STR_FMT(f->side[plan->target].name),
                f->side[plan->target].max);
        break;
    default:
        if (plan->why.n == 0)
            buf_fmt(&text, "\"%.*s\" does not fit \"%.*s\"", STR_FMT(v), STR_FMT(f->side[plan->target].name));
    }
    *out = (struct trouble){.code = code,
                            .reason = plan->reason,
                            .field = f->side[plan->target].path,
                            .id = ld->rec[side].id,
                            .side = side,
                            .text = arena_str(a, buf_lent(&text)).p};
}

static int plan_failed(struct engine *g, struct g_link *l, struct loaded *ld, const struct plan *plan, int side,
                       struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct trouble t = {0};
    plan_trouble(l, ld, plan, side, &a, &t);
    int rc = pair_exists(g, ld, e);
    return rc == TL_OK ? fail_pair(g, l, &ld->pair, &t, e) : rc;
}

static int work_create(struct engine *g, struct g_link *l, struct loaded *ld, struct builder *b, int target,
                       struct arena *a, struct err *e)
{
    struct plan plan;
    if (!(l->rules.can[target] & TL_CAN_CREATE))
        return ld->pair.pair ? pair_done(g, l, ld, a, e) : TL_OK;
    plan_create(&l->rules, &ld->snap, target, a, &plan);
    if (plan.act == PLAN_FAIL)
        return plan_failed(g, l, ld, &plan, 1 - target, e);
    int rc = TL_OK;
    if (create_is_unsure(&ld->pair, target, a)) {
        struct trouble t = {.code = "UNKNOWN_OUTCOME",
                            .id = ld->rec[1 - target].id,
                            .side = 1 - target,
                            .text = "the record was sent, and nothing tells whether it was made"};
        return fail_pair(g, l, &ld->pair, &t, e);
    }
    if (plan.act == PLAN_PARK) {
        rc = pair_exists(g, ld, e);
        if (rc == TL_OK)
            rc = refs_wait(g, l, ld, &plan, 1 - target, a, e);
        ld->pair.status = PAIR_PARKED;
        ld->pair.due_us = 0;
        return rc == TL_OK ? pair_store(g->db, &ld->pair, e) : rc;
    }
    rc = builder_add(g, l, b, target, TL_OP_CREATE, ld, &plan, e);
    if (rc == E_BUSY)
        return ld->pair.pair ? TL_OK : pair_later(g, l, ld, g_now(g), e);
    if (rc == TL_OK && plan.n_waiting)
        rc = refs_wait(g, l, ld, &plan, 1 - target, a, e);
    return rc;
}

static int work_counterpart(struct engine *g, struct g_link *l, struct loaded *ld, struct builder *b, int target,
                            bool searched, struct arena *a, struct err *e)
{
    struct match_result m;
    int source = 1 - target;
    if (readopt_holds(l))
        return pair_later(g, l, ld, g_now(g) + READ_WAIT_US, e);
    int rc = match_decide(g, l, source, &ld->rec[source], searched, a, &m, e);
    if (rc != TL_OK)
        return rc;
    switch (m.match) {
    case MATCH_NONE:
        return work_create(g, l, ld, b, target, a, e);
    case MATCH_ADOPT:
        return pair_adopt(g, l, ld, target, &m, a, e);
    case MATCH_WAIT:
        return pair_later(g, l, ld, g_now(g) + US_PER_S, e);
    case MATCH_SEARCH:
        rc = pair_exists(g, ld, e);
        if (rc == TL_OK && ld->pair.due_us == 0)
            rc = pair_later(g, l, ld, g_now(g), e);
        if (rc == TL_OK && b->n_find < FIND_MAX) {
            tl_value v = {0};
            AUTO(buf_done) struct buf text = {0};
            obs_find(ld->rec[source].observation, l->match[source].number, a, &v);
            value_text(&text, &v);
            b->find_pairs[b->n_find] = ld->pair.pair;
            b->find_values[b->n_find] = arena_str(&b->arena, buf_lent(&text));
            b->find_target[b->n_find++] = target;
        }
        return rc;
    case MATCH_AMBIGUOUS:
    case MATCH_TAKEN:
        break;
    }
    rc = pair_exists(g, ld, e);
    if (rc != TL_OK)
        return rc;
    bool taken = m.match == MATCH_TAKEN;
    struct trouble t = {.code = taken ? "ALREADY_MAPPED" : "AMBIGUOUS_MATCH",
                        .reason = taken ? TL_R_ALREADY_MAPPED : TL_R_OTHER,
                        .field = l->match_path[source],
                        .id = ld->rec[source].id,
                        .side = source,
                        .text = m.text};
    return fail_pair(g, l, &ld->pair, &t, e);
}

/* A later edit may have the version that is known: within one tick of a coarse clock, of which the record was read, or
 * was written by us and not read since. */
static bool version_is_shared(const struct g_link *l, const struct loaded *ld, int s)
{
    bool unread = ld->pair.unsettled & (s ? PAIR_UNSETTLED_B : PAIR_UNSETTLED_A);
    return l->rules.resolution_us[s] > 0 && (unread || ld->rec[s].recheck_us);
}

/* A write that cannot be bound to the version it builds on goes over whatever was edited meanwhile, unseen: so the
 * record is read right before, however lately a list showed it. */
bool work_reads_first(const struct engine *g, const struct g_link *l, const struct loaded *ld, int target)
{
    bool bound = (l->rules.can[target] & TL_CAN_CONDITIONAL) && ld->rec[target].version.n;
    return (!bound || version_is_shared(l, ld, target)) && !asked_just_now(g, ld->rec[target].rec);
}

static int work_update(struct engine *g, struct g_link *l, struct loaded *ld, struct builder *b,
                       const struct plan *plan, struct arena *a, struct err *e)
{
    int target = plan->target;
    if (work_reads_first(g, l, ld, target)) {
        if (!builder_has_room(b, target) || l->feed[target]->n_wants >= WANTS_MAX) {
            b->starved[target] = true;
            return TL_OK;
        }
        feed_want(l->feed[target], ld->rec[target].rec, ld->rec[target].id, g_mono(g), ld->pair.pair);
        return pair_later(g, l, ld, g_now(g) + READ_WAIT_US, e); /* the read wakes it earlier */
    }
    bool tripped;
    int rc = guard_loop(g, l, ld, plan, a, &tripped, e);
    if (rc != TL_OK || tripped)
        return rc;
    rc = builder_add(g, l, b, target, TL_OP_UPDATE, ld, plan, e);
    if (rc == TL_OK && plan->n_waiting)
        rc = refs_wait(g, l, ld, plan, 1 - target, a, e);
    if (rc == TL_OK)
        rc = conflicts_note(g, l, ld, plan, a, e);
    return rc == E_BUSY ? TL_OK : rc;
}

/* The counterpart is dead and wanted back as a new record: unless another record has its key by now. */
static int work_recreate(struct engine *g, struct g_link *l, struct loaded *ld, struct builder *b, int target,
                         struct arena *a, struct err *e)
{
    struct match_result m;
    int source = 1 - target;
    bool tripped;
    if (readopt_holds(l))
        return pair_later(g, l, ld, g_now(g) + READ_WAIT_US, e);
    int rc = guard_recreation(g, l, ld, target, a, &tripped, e);
    if (rc != TL_OK || tripped)
        return rc;
    rc = match_decide(g, l, source, &ld->rec[source], true, a, &m, e);
    if (rc != TL_OK)
        return rc;
    if (m.match == MATCH_WAIT)
        return pair_later(g, l, ld, g_now(g) + US_PER_S, e);
    if (m.match == MATCH_NONE)
        return work_create(g, l, ld, b, target, a, e);
    struct trouble t = {.code = "SUSPECTED_MERGE", .id = ld->rec[source].id, .side = source, .text = m.text};
    return fail_pair(g, l, &ld->pair, &t, e);
}

/* Dead on both sides: whatever was wrong with it is over. */
static int pair_buried(struct engine *g, struct loaded *ld, struct arena *a, struct err *e)
{
    int64_t resolved = 0;
    ld->pair.status = PAIR_TOMBSTONE;
    ld->pair.due_us = 0;
    deletion_forget(&ld->pair, a);
    int rc = failure_resolve_pair(g->db, ld->pair.pair, STR("sync"), g_now(g), &resolved, e);
    return rc == TL_OK ? pair_store(g->db, &ld->pair, e) : rc;
}

static int work_damaged(struct engine *g, struct g_link *l, struct loaded *ld, struct err *e)
{
    int side = ld->rec[1].damaged && !ld->rec[0].damaged ? 1 : 0;
    struct trouble t = {
        .code = "DAMAGED", .id = ld->rec[side].id, .side = side, .text = "the stored checksum does not fit"};
    bool asked = ld->pair.status == PAIR_QUARANTINED; /* once: what the vendor cannot repair waits for a person */
    int rc = asked ? TL_OK : damaged_reread(g, l, ld, e);
    if (rc == TL_OK)
        rc = fail_pair(g, l, &ld->pair, &t, e);
    ld->pair.status = PAIR_QUARANTINED;
    ld->pair.due_us = 0;
    return rc == TL_OK ? pair_store(g->db, &ld->pair, e) : rc;
}

int work_unseen(struct engine *g, struct g_link *l, struct loaded *ld, bool *waits, struct err *e)
{
    for (int s = 0; s < 2; s++)
        if (ld->rec[s].rec && ld->rec[s].state == TL_STATE_LIVE && ld->rec[s].observation.n == 0) {
            *waits = true;
            feed_want(l->feed[s], ld->rec[s].rec, ld->rec[s].id, g_mono(g), ld->pair.pair);
            return pair_later(g, l, ld, g_now(g) + READ_WAIT_US, e); /* the read wakes it earlier */
        }
    return TL_OK;
}

int work_pair(struct engine *g, struct g_link *l, struct loaded *ld, struct builder *b, bool searched, struct arena *a,
              struct err *e)
{
    g_step(g, 1);
    if (ld->pair.damaged || ld->rec[0].damaged || ld->rec[1].damaged)
        return work_damaged(g, l, ld, e);
    bool waits = false;
    int rc = work_unseen(g, l, ld, &waits, e);
    if (rc == TL_OK && !waits)
        rc = undo_work(g, l, ld, b, a, &waits, e);
    if (rc != TL_OK || waits)
        return rc;
    if (guard_rests_until(&ld->pair) > g_now(g))
        return pair_later(g, l, ld, guard_rests_until(&ld->pair), e);
    if (ld->pair.status == PAIR_LOOP) {
        guard_release(&ld->pair, g_now(g), a);
        ld->snap.frozen = false;
    }
    for (int s = 0; s < 2; s++) {
        bool done = false, merged = ld->rec[s].rec && ld->rec[s].state == TL_STATE_MERGED && ld->rec[s].into.n;
        if (!merged || ld->snap.frozen || ld->pair.intent || ld->snap.side[1 - s].state != SIDE_LIVE)
            continue;
        rc = guard_merged(g, l, ld, s, a, &done, e);
        if (rc != TL_OK || done)
            return rc;
    }
    struct plan plan;
    plan_pair(&l->rules, &ld->snap, a, &plan);
    switch (plan.act) {
    case PLAN_WAIT:
        return ld->pair.intent ? TL_OK : pair_later(g, l, ld, 0, e);
    case PLAN_SETTLED:
        return pair_agrees(g, l, ld, &plan, a, e);
    case PLAN_COUNTERPART:
        return work_counterpart(g, l, ld, b, plan.target, searched, a, e);
    case PLAN_UPDATE:
        return work_update(g, l, ld, b, &plan, a, e);
    case PLAN_RESTORE: {
        bool tripped;
        rc = guard_recreation(g, l, ld, plan.target, a, &tripped, e);
        if (rc != TL_OK || tripped)
            return rc;
        rc = builder_add(g, l, b, plan.target, TL_OP_RESTORE, ld, NULL, e);
        return rc == E_BUSY ? TL_OK : rc;
    }
    case PLAN_RECREATE:
        return work_recreate(g, l, ld, b, plan.target, a, e);
    case PLAN_PARK:
        ld->pair.status = PAIR_PARKED;
        ld->pair.due_us = 0;
        if (refs_wait(g, l, ld, &plan, 1 - plan.target, a, e) != TL_OK)
            return e->status;
        return pair_store(g->db, &ld->pair, e);
    case PLAN_FAIL:
        return plan_failed(g, l, ld, &plan, 1 - plan.target, e);
    case PLAN_TOMBSTONE:
        return pair_buried(g, ld, a, e);
    case PLAN_DELETE:
        return deletion_work(g, l, ld, b, plan.target, a, e);
    }
    return TL_OK;
}

/* ---- Slices */

static void find_send(struct engine *g, struct g_link *l, struct builder *b)
{
    for (int target = 0; target < 2; target++) {
        int64_t pairs[FIND_MAX];
        str values[FIND_MAX];
        unsigned n = 0, max = l->feed[target]->kind->desc.max_find;
        max = max == 0 || max > FIND_MAX ? FIND_MAX : max;
        for (unsigned i = 0; i < b->n_find && n < max; i++)
            if (b->find_target[i] == target) {
                pairs[n] = b->find_pairs[i];
                values[n++] = b->find_values[i];
            }
        if (n && match_find_dispatch(g, l, target, pairs, values, n))
            break; /* one search of a link at a time */
    }
    arena_done(&b->arena);
}

static int lane_due(struct engine *g, struct g_link *l, int lane)
{
    if (l->lane_due[lane] >= 0)
        return TL_OK;
    struct err e = {0};
    int64_t due = 0;
    int rc = pair_next_due(g->db, l->row.link, (enum lane)lane, &due, &e);
    l->lane_due[lane] = rc == TL_OK ? due : NEVER;
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

static bool lane_slice(struct engine *g, struct g_link *l, int lane)
{
    int64_t pairs[PAGE_ROWS];
    size_t n = 0;
    struct err e = {0};
    struct builder b;
    builder_start(g, l, (enum lane)lane, &b);
    if (b.room[0] <= 0 && b.room[1] <= 0) {
        lane_waits(g, l, lane, true, true);
        return false;
    }
    int rc = pair_ready(g->db, l->row.link, (enum lane)lane, g_now(g), pairs, PAGE_ROWS, &n, &e);
    if (rc != TL_OK || n == 0) {
        l->lane_due[lane] = -1;
        return false;
    }
    uint32_t before = g->steps;
    rc = g_begin(g, &e);
    for (size_t i = 0; i < n && rc == TL_OK && !(b.starved[0] && b.starved[1]); i++) {
        AUTO(arena_done) struct arena a = {0};
        struct loaded ld;
        rc = snapshot_load(g, l, pairs[i], &a, &ld, &e);
        if (rc == TL_E_NOT_FOUND) {
            rc = TL_OK; /* taken over by another pair in this slice */
            continue;
        }
        if (rc == TL_OK)
            rc = work_pair(g, l, &ld, &b, false, &a, &e);
    }
    if (rc == TL_OK)
        rc = builder_intents(g, l, &b, &e);
    if (rc == TL_OK)
        rc = run_flush(g, l, &e);
    rc = g_end(g, rc, "working on pairs", &e);
    bool sent = b.batches != NULL;
    builder_send(g, l, &b, rc);
    if (rc == TL_OK && b.n_find && !l->finding)
        find_send(g, l, &b);
    else
        arena_done(&b.arena);
    if ((b.starved[0] || b.starved[1]) && !sent)
        lane_waits(g, l, lane, b.starved[0], b.starved[1]);
    else if (b.n_find && !sent)
        l->hold_until = g_mono(g) + US_PER_S / 10;
    if (rc != TL_OK)
        l->hold_until = g_mono(g) + US_PER_S;
    link_lanes_stale(l);
    return g->steps > before && rc == TL_OK && l->hold_until <= g_mono(g) && l->lane_hold[lane] <= g_mono(g);
}

/* After a map edit every pair is looked at again, a slice at a time. */
static bool wake_walk(struct engine *g, struct g_link *l)
{
    AUTO(arena_done) struct arena a = {0};
    struct pair *list = NULL;
    size_t n = 0;
    struct err e = {0};
    struct pair_filter f = {.link = l->row.link, .status = -1, .after = l->wake_after};
    int rc = g_begin(g, &e);
    if (rc == TL_OK)
        rc = pair_list(g->db, &a, &f, PAGE_ROWS, &list, &n, &e);
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        rc = pair_wake(g->db, list[i].pair, LANE_SWEEP, g_now(g), true, &e);
    if (rc == TL_OK && n < PAGE_ROWS)
        rc = link_wake_all(g, l, false, &e);
    rc = g_end(g, rc, "looking at every pair again", &e);
    g_step(g, (unsigned)n + 1);
    l->wake_after = rc != TL_OK ? f.after : n == PAGE_ROWS ? list[n - 1].pair : -1;
    link_lanes_stale(l);
    return rc == TL_OK;
}

bool link_work(struct engine *g, struct g_link *l)
{
    if (!link_runs(l) || l->row.phase < PHASE_MATCH || g->stopping || g->storage_down)
        return false;
    if (l->row.brake_code.n)
        return undo_past_brake(g, l);
    if (l->wake_after >= 0)
        return wake_walk(g, l);
    if (l->recall_after >= 0 && l->feed[0]->n_wants + l->feed[1]->n_wants < WANTS_MAX)
        return window_recall(g, l);
    if (life_holds(l) || shift_holds(l))
        return false;
    bool explaining = l->orphans && !readopt_waits(l);
    if (l->hold_until > g_mono(g) || explaining || l->finding || !link_feeds_ready(g, l))
        return false;
    if (l->held && l->open_intents == 0)
        held_release(g, l);
    bool any = false;
    int lanes = link_rests(g, l) ? LANE_SWEEP : LANE_COUNT;
    for (int lane = 0; lane < lanes && !g_spent(g); lane++) {
        if (l->lane_hold[lane] > g_mono(g) || lane_due(g, l, lane) != TL_OK || l->lane_due[lane] > g_now(g))
            continue;
        any |= lane_slice(g, l, lane);
    }
    return any;
}
