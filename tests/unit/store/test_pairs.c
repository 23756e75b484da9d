/* Pairs: uniqueness (V1), one intent (V2), ready work, stale copies, consistency. */
#include <stdio.h>

#include "rig.h"

static void every_member_comes_back(void **state)
{
    struct rig *r = *state;
    int64_t a = rig_record(r, SIDE_A, "1", "x"), b = rig_record(r, SIDE_B, "1", "y");
    struct run run = {.connection = r->connection, .who = STR("test")};
    ok(run_create(r->db, &run, &r->e));
    struct pair in = {.link = r->link,
                      .rec = {a, b},
                      .slot = STR("open"),
                      .status = PAIR_PARKED,
                      .flags = PAIR_ADOPTED | PAIR_CREATED_B,
                      .unsettled = PAIR_UNSETTLED_B,
                      .gen = {0, 2},
                      .base = {{.kind = BASE_SAME}, {.kind = BASE_OWN, .blob = rig_observation(r, "base")}},
                      .chg = STR("chg"),
                      .extra = STR("extra"),
                      .due_us = 77,
                      .lane = LANE_SWEEP,
                      .attempts = 3,
                      .run = run.run,
                      .map_gen = 4,
                      .made_us = 5,
                      .synced_us = 6};
    ok(pair_insert(r->db, &in, &r->e));
    rig_reopen(r);
    struct pair out;
    struct record rec[2];
    ok(pair_load(r->db, &r->a, in.pair, &out, rec, &r->e));
    assert_int_equal(rec[SIDE_A].rec, a);
    assert_str(rec[SIDE_B].id, "1");
    assert_str(out.slot, "open");
    assert_int_equal(out.status, PAIR_PARKED);
    assert_int_equal(out.flags, PAIR_ADOPTED | PAIR_CREATED_B);
    assert_int_equal(out.unsettled, PAIR_UNSETTLED_B);
    assert_int_equal(out.gen[SIDE_B], 2);
    assert_int_equal(out.base[SIDE_A].kind, BASE_SAME);
    assert_int_equal(out.base[SIDE_B].kind, BASE_OWN);
    assert_true(str_eq(out.base[SIDE_B].blob, in.base[SIDE_B].blob));
    assert_str(out.chg, "chg");
    assert_str(out.extra, "extra");
    assert_int_equal(out.due_us, 77);
    assert_int_equal(out.lane, LANE_SWEEP);
    assert_int_equal(out.attempts, 3);
    assert_int_equal(out.map_gen, 4);
    assert_int_equal(out.synced_us, 6);
    ok(run_get(r->db, &r->a, run.run, &run, &r->e));
    assert_int_equal(run.pair_low, in.pair);
    assert_int_equal(run.pair_high, in.pair);
}

/* V1: a record of a side is in at most one pair of a link; slots make several targets of one source possible. */
static void a_record_is_in_one_pair(void **state)
{
    struct rig *r = *state;
    int64_t a = rig_record(r, SIDE_A, "1", "x"), b = rig_record(r, SIDE_B, "1", "x"),
            c = rig_record(r, SIDE_B, "2", "x");
    int64_t pair = rig_pair(r, a, b);
    struct pair again = {.link = r->link, .rec = {a, c}};
    assert_int_equal(pair_insert(r->db, &again, &r->e), E_EXISTS);
    assert_string_equal(r->e.code, "ALREADY_MAPPED");
    char named[64];
    snprintf(named, sizeof named, "side a is in pair %lld", (long long)pair);
    assert_non_null(strstr(r->e.text, named));
    struct pair other = {.link = r->link, .rec = {0, b}};
    assert_int_equal(pair_insert(r->db, &other, &r->e), E_EXISTS);
    assert_non_null(strstr(r->e.text, "side b"));
    struct pair slotted = {.link = r->link, .rec = {a, c}, .slot = STR("done")};
    ok(pair_insert(r->db, &slotted, &r->e));
    int64_t found;
    ok(pair_of_record(r->db, r->link, SIDE_A, a, STR("done"), &found, &r->e));
    assert_int_equal(found, slotted.pair);
    ok(pair_of_record(r->db, r->link, SIDE_A, a, (str){0}, &found, &r->e));
    assert_int_equal(found, pair);
    ok(pair_of_record(r->db, r->link, SIDE_B, b, (str){0}, &found, &r->e));
    assert_int_equal(found, pair);
    assert_int_equal(pair_of_record(r->db, r->link + 1, SIDE_B, b, (str){0}, &found, &r->e), TL_E_NOT_FOUND);
    struct pair other_link = {.link = r->link + 1, .rec = {a, b}}; /* the same records may serve another link */
    ok(pair_insert(r->db, &other_link, &r->e));
    struct pair_ref *refs;
    size_t n;
    ok(pair_list_of_record(r->db, &r->a, b, &refs, &n, &r->e));
    assert_int_equal(n, 2);
}

static void attaching_a_taken_record_is_refused(void **state)
{
    struct rig *r = *state;
    int64_t b = rig_record(r, SIDE_B, "1", "x");
    rig_pair(r, 0, b);
    int64_t pair = rig_pair(r, rig_record(r, SIDE_A, "1", "x"), 0);
    struct pair p;
    ok(pair_get(r->db, &r->a, pair, &p, &r->e));
    p.rec[SIDE_B] = b;
    assert_int_equal(pair_store(r->db, &p, &r->e), E_EXISTS);
    assert_string_equal(r->e.code, "ALREADY_MAPPED");
    ok(pair_get(r->db, &r->a, pair, &p, &r->e));
    assert_int_equal(p.rec[SIDE_B], 0);
}

static int64_t open_on(struct rig *r, int64_t pair)
{
    struct intent_entry entry = {.pair = pair};
    struct intent i = {.link = r->link,
                       .endpoint = r->endpoint[SIDE_B],
                       .side = SIDE_B,
                       .op = TL_OP_UPDATE,
                       .n = 1,
                       .entries = &entry};
    assert_int_equal_ok(intent_open(r->db, &i, &r->e), &r->e, __FILE__, __LINE__);
    return i.intent;
}

/* V2: no pair with an open intent is deleted or re-attached; the database itself refuses too. */
static void an_open_intent_protects_the_pair(void **state)
{
    struct rig *r = *state;
    int64_t b = rig_record(r, SIDE_B, "1", "x");
    int64_t pair = rig_pair(r, rig_record(r, SIDE_A, "1", "x"), 0);
    open_on(r, pair);
    assert_int_equal(pair_delete(r->db, pair, &r->e), E_PRECONDITION);
    assert_string_equal(r->e.code, "INTENT_OPEN");
    struct pair p;
    ok(pair_get(r->db, &r->a, pair, &p, &r->e));
    p.rec[SIDE_B] = b;
    assert_int_equal(pair_store(r->db, &p, &r->e), E_PRECONDITION);
    p.intent = 0; /* the outcome of that very intent may */
    pair_set_base(&p, SIDE_B, BASE_SAME, (str){0});
    ok(pair_store(r->db, &p, &r->e));
    ok(pair_delete(r->db, pair, &r->e));
}

static void a_copy_from_before_the_intent_is_stale(void **state)
{
    struct rig *r = *state;
    int64_t pair = rig_pair(r, rig_record(r, SIDE_A, "1", "x"), 0);
    struct pair p;
    ok(pair_get(r->db, &r->a, pair, &p, &r->e));
    open_on(r, pair);
    p.attempts = 9;
    assert_int_equal(pair_store(r->db, &p, &r->e), TL_E_BUG);
    ok(pair_get(r->db, &r->a, pair, &p, &r->e));
    assert_int_equal(p.attempts, 0);
    assert_true(p.intent != 0);
}

/* ---- Ready work ---- */

static size_t ready(struct rig *r, enum lane lane, int64_t now_us, int64_t ids[8])
{
    size_t n = 99;
    assert_int_equal_ok(pair_ready(r->db, r->link, lane, now_us, ids, 8, &n, &r->e), &r->e, __FILE__, __LINE__);
    return n;
}

static void work_comes_by_lane_and_due(void **state)
{
    struct rig *r = *state;
    int64_t p[4], ids[8];
    for (int i = 0; i < 4; i++) {
        char id[8];
        snprintf(id, sizeof id, "%d", i + 1);
        p[i] = rig_pair(r, rig_record(r, SIDE_A, id, "x"), 0);
    }
    ok(pair_wake(r->db, p[0], LANE_LIVE, 30, false, &r->e));
    ok(pair_wake(r->db, p[1], LANE_LIVE, 10, false, &r->e));
    ok(pair_wake(r->db, p[2], LANE_BULK, 10, false, &r->e));
    assert_int_equal(ready(r, LANE_LIVE, 5, ids), 0);
    assert_int_equal(ready(r, LANE_LIVE, 30, ids), 2);
    assert_int_equal(ids[0], p[1]);
    assert_int_equal(ids[1], p[0]);
    assert_int_equal(ready(r, LANE_BULK, 30, ids), 1);
    int64_t due;
    ok(pair_next_due(r->db, r->link, LANE_LIVE, &due, &r->e));
    assert_int_equal(due, 10);
    assert_int_equal(pair_next_due(r->db, r->link, LANE_RETRY, &due, &r->e), TL_E_NOT_FOUND);

    ok(pair_wake(r->db, p[1], LANE_LIVE, 99, false, &r->e)); /* never postponed */
    assert_int_equal(ready(r, LANE_LIVE, 10, ids), 1);
    ok(pair_wake(r->db, p[2], LANE_LIVE, 50, false, &r->e)); /* the more urgent lane, the earlier time */
    assert_int_equal(ready(r, LANE_LIVE, 10, ids), 2);
    assert_int_equal(ready(r, LANE_BULK, 99, ids), 0);
}

static void an_intent_takes_a_pair_off_and_gives_it_back(void **state)
{
    struct rig *r = *state;
    int64_t ids[8];
    int64_t pair = rig_pair(r, rig_record(r, SIDE_A, "1", "x"), 0);
    ok(pair_wake(r->db, pair, LANE_LIVE, 10, false, &r->e));
    open_on(r, pair);
    assert_int_equal(ready(r, LANE_LIVE, 10, ids), 0);
    ok(pair_wake(r->db, pair, LANE_LIVE, 20, false, &r->e)); /* edited while the write is under way */
    assert_int_equal(ready(r, LANE_LIVE, 20, ids), 0);
    struct pair p;
    ok(pair_get(r->db, &r->a, pair, &p, &r->e));
    p.intent = 0;
    ok(pair_store(r->db, &p, &r->e));
    assert_int_equal(ready(r, LANE_LIVE, 20, ids), 1);
}

static void healing_lets_a_failed_pair_try_again(void **state)
{
    struct rig *r = *state;
    int64_t pair = rig_pair(r, rig_record(r, SIDE_A, "1", "x"), 0);
    struct pair p;
    ok(pair_get(r->db, &r->a, pair, &p, &r->e));
    p.status = PAIR_FAILED;
    p.attempts = 7;
    ok(pair_store(r->db, &p, &r->e));
    struct link_tally t;
    ok(link_count(r->db, r->link, &t, &r->e));
    assert_int_equal(t.failed, 1);
    ok(pair_wake(r->db, pair, LANE_LIVE, 10, false, &r->e));
    ok(pair_get(r->db, &r->a, pair, &p, &r->e));
    assert_int_equal(p.status, PAIR_FAILED);
    ok(pair_wake(r->db, pair, LANE_LIVE, 10, true, &r->e));
    ok(pair_get(r->db, &r->a, pair, &p, &r->e));
    assert_int_equal(p.status, PAIR_OK);
    assert_int_equal(p.attempts, 0);
    p.status = PAIR_QUARANTINED; /* only an admin lifts this */
    ok(pair_store(r->db, &p, &r->e));
    ok(pair_wake(r->db, pair, LANE_LIVE, 1, true, &r->e));
    ok(pair_get(r->db, &r->a, pair, &p, &r->e));
    assert_int_equal(p.status, PAIR_QUARANTINED);
}

/* An edit on one link is found at once whatever waits on another: the cost does not follow the backlog. */
static void a_backlog_elsewhere_costs_nothing(void **state)
{
    struct rig *r = *state;
    int64_t ids[8];
    size_t n;
    ok(db_begin(r->db, &r->e));
    for (int i = 0; i < 3000; i++) {
        struct pair p = {.link = r->link, .due_us = 1, .lane = LANE_BULK, .rec = {1000 + i, 0}};
        ok(pair_insert(r->db, &p, &r->e));
    }
    struct pair live = {.link = r->link + 1, .due_us = 50, .lane = LANE_LIVE, .rec = {1, 0}};
    ok(pair_insert(r->db, &live, &r->e));
    ok(db_commit(r->db, &r->e));
    ok(pair_ready(r->db, r->link + 1, LANE_LIVE, 60, ids, 8, &n, &r->e)); /* prepared */
    struct db_stats before, after;
    db_stats(r->db, &before);
    ok(pair_ready(r->db, r->link + 1, LANE_LIVE, 60, ids, 8, &n, &r->e));
    db_stats(r->db, &after);
    assert_int_equal(n, 1);
    assert_int_equal(ids[0], live.pair);
    assert_true(after.vm_steps - before.vm_steps < 60);
}

static void unsettled_pairs_are_counted(void **state)
{
    struct rig *r = *state;
    int64_t a = rig_pair(r, rig_record(r, SIDE_A, "1", "x"), 0), b = rig_pair(r, rig_record(r, SIDE_A, "2", "x"), 0);
    struct pair p;
    ok(pair_get(r->db, &r->a, b, &p, &r->e));
    p.unsettled = PAIR_UNSETTLED_B;
    ok(pair_store(r->db, &p, &r->e));
    struct link_tally t;
    ok(link_count(r->db, r->link, &t, &r->e));
    assert_int_equal(t.unsettled, 1);
    assert_int_equal(t.pairs, 2);
    assert_int_equal(t.complete, 0);
    p.unsettled = 0;
    ok(pair_store(r->db, &p, &r->e));
    ok(link_count(r->db, r->link, &t, &r->e));
    assert_int_equal(t.unsettled, 0);
    p.unsettled = PAIR_UNSETTLED_A;
    ok(pair_store(r->db, &p, &r->e));
    ok(pair_delete(r->db, b, &r->e));
    ok(link_count(r->db, r->link, &t, &r->e));
    assert_int_equal(t.unsettled, 0);
    assert_int_equal(t.pairs, 1);
    (void)a;
}

/* V2: the short way of a create's outcome is taken only for a pair that is still as it was born. */
static void a_created_record_joins_its_pair(void **state)
{
    struct rig *r = *state;
    int64_t a = rig_record(r, SIDE_A, "1", "x"), b = rig_record(r, SIDE_B, "1", "x");
    struct pair born = {.link = r->link, .rec = {a, 0}, .lane = LANE_BULK, .intent = 7};
    ok(pair_insert(r->db, &born, &r->e));
    struct pair_created c = {.pair = born.pair,
                             .link = r->link,
                             .intent = 8,
                             .side = SIDE_B,
                             .rec = b,
                             .gen = 3,
                             .map_gen = 5,
                             .synced_us = 9};
    bool done = true;
    struct pair p;
    ok(pair_created(r->db, &c, &done, &r->e));
    assert_false(done); /* another intent's */
    ok(pair_wake(r->db, born.pair, LANE_LIVE, 50, false, &r->e));
    c.intent = 7;
    ok(pair_created(r->db, &c, &done, &r->e));
    assert_false(done); /* woken meanwhile: it must be looked at again */
    ok(pair_get(r->db, &r->a, born.pair, &p, &r->e));
    assert_int_equal(p.rec[SIDE_B], 0);
    p.due_us = 0;
    ok(pair_store(r->db, &p, &r->e));
    ok(pair_created(r->db, &c, &done, &r->e));
    assert_true(done);
    ok(pair_get(r->db, &r->a, born.pair, &p, &r->e));
    assert_int_equal(p.rec[SIDE_B], b);
    assert_int_equal(p.gen[SIDE_B], 3);
    assert_int_equal(p.flags, PAIR_CREATED_B);
    assert_int_equal(p.unsettled, PAIR_UNSETTLED_B);
    assert_int_equal(p.intent, 0);
    assert_int_equal(p.base[SIDE_A].kind, BASE_SAME);
    assert_int_equal(p.base[SIDE_B].kind, BASE_NONE);
    struct link_tally t;
    ok(link_count(r->db, r->link, &t, &r->e));
    assert_int_equal(t.complete, 1);
    assert_int_equal(t.unsettled, 1);
    ok(pair_created(r->db, &c, &done, &r->e));
    assert_false(done); /* once */
}

static void what_holds_a_record_comes_with_its_other_side(void **state)
{
    struct rig *r = *state;
    int64_t a = rig_record(r, SIDE_A, "1", "x"), b = rig_record(r, SIDE_B, "2", "y");
    int64_t two = rig_pair(r, a, b), one = rig_pair(r, rig_record(r, SIDE_A, "3", "z"), 0);
    struct pair p;
    struct pair_held *held;
    size_t n;
    ok(pair_load_of_record(r->db, &r->a, SIDE_B, b, &held, &n, &r->e));
    assert_int_equal(n, 1);
    assert_int_equal(held[0].pair.pair, two);
    assert_str(held[0].other.id, "1");
    assert_true(str_eq(held[0].other.observation, rig_observation(r, "x")));
    assert_false(held[0].other.damaged);
    ok(pair_load_of_record(r->db, &r->a, SIDE_A, b, &held, &n, &r->e));
    assert_int_equal(n, 0);
    ok(pair_get(r->db, &r->a, one, &p, &r->e));
    ok(pair_load_of_record(r->db, &r->a, SIDE_A, p.rec[SIDE_A], &held, &n, &r->e));
    assert_int_equal(n, 1);
    assert_int_equal(held[0].other.rec, 0);
}

/* Counts are kept with the transactions: also with those that are rolled back. */
static void counts_follow_every_change(void **state)
{
    struct rig *r = *state;
    struct link_tally t;
    int64_t pair = rig_pair(r, rig_record(r, SIDE_A, "1", "x"), 0);
    int64_t b = rig_record(r, SIDE_B, "1", "x");
    struct pair p;
    ok(pair_get(r->db, &r->a, pair, &p, &r->e));
    p.rec[SIDE_B] = b;
    pair_set_base(&p, SIDE_B, BASE_NONE, (str){0});
    ok(db_begin(r->db, &r->e));
    ok(pair_store(r->db, &p, &r->e));
    ok(link_count(r->db, r->link, &t, &r->e));
    assert_int_equal(t.complete, 1); /* seen inside the transaction too */
    db_rollback(r->db);
    ok(link_count(r->db, r->link, &t, &r->e));
    assert_int_equal(t.complete, 0);
    ok(pair_get(r->db, &r->a, pair, &p, &r->e));
    p.rec[SIDE_B] = b;
    pair_set_base(&p, SIDE_B, BASE_NONE, (str){0});
    ok(pair_store(r->db, &p, &r->e));
    rig_reopen(r);
    ok(link_count(r->db, r->link, &t, &r->e));
    assert_int_equal(t.pairs, 1);
    assert_int_equal(t.complete, 1);
    ok(pair_delete(r->db, pair, &r->e));
    ok(link_count(r->db, r->link, &t, &r->e));
    assert_int_equal(t.pairs, 0);
    assert_int_equal(t.complete, 0);
}

static void lists_filter_and_go_on(void **state)
{
    struct rig *r = *state;
    struct run run = {.connection = r->connection};
    ok(run_create(r->db, &run, &r->e));
    int64_t ids[5];
    for (int i = 0; i < 5; i++) {
        char id[8];
        snprintf(id, sizeof id, "%d", i + 1);
        struct pair p = {.link = r->link,
                         .rec = {rig_record(r, SIDE_A, id, "x"), 0},
                         .status = i == 2 ? PAIR_FAILED : PAIR_OK,
                         .run = i >= 3 ? run.run : 0};
        ok(pair_insert(r->db, &p, &r->e));
        ids[i] = p.pair;
    }
    struct pair *page;
    size_t n;
    struct pair_filter all = {.link = r->link, .status = -1}, failed = {.link = r->link, .status = PAIR_FAILED},
                       made = {.link = r->link, .status = -1, .run = run.run};
    ok(pair_list(r->db, &r->a, &all, 3, &page, &n, &r->e));
    assert_int_equal(n, 3);
    all.after = page[2].pair;
    ok(pair_list(r->db, &r->a, &all, 3, &page, &n, &r->e));
    assert_int_equal(n, 2);
    ok(pair_list(r->db, &r->a, &failed, 3, &page, &n, &r->e));
    assert_int_equal(n, 1);
    assert_int_equal(page[0].pair, ids[2]);
    ok(pair_list(r->db, &r->a, &made, 9, &page, &n, &r->e));
    assert_int_equal(n, 2);
    assert_int_equal(page[0].pair, ids[3]);
}

static void a_damaged_base_is_seen(void **state)
{
    struct rig *r = *state;
    struct pair p = {.link = r->link,
                     .rec = {rig_record(r, SIDE_A, "1", "x"), 0},
                     .base[SIDE_A] = {.kind = BASE_OWN, .blob = rig_observation(r, "agreed")}};
    ok(pair_insert(r->db, &p, &r->e));
    rig_sql(r, "UPDATE pair SET a_base = CAST(replace(CAST(a_base AS TEXT), 'agreed', 'abreed') AS BLOB)");
    ok(pair_get(r->db, &r->a, p.pair, &p, &r->e));
    assert_true(p.damaged);
}

static void deleting_a_pair_takes_its_dependants_along(void **state)
{
    struct rig *r = *state;
    int64_t a = rig_record(r, SIDE_A, "1", "x"), old = rig_record(r, SIDE_A, "2", "x");
    int64_t pair = rig_pair(r, a, 0);
    ok(conflict_put(r->db, &(struct conflict){.pair = pair, .map_no = 1}, &r->e));
    ok(parked_put(r->db, &(struct parked){.pair = pair, .map_no = 1, .dep_link = 1, .dep_id = STR("9")}, &r->e));
    ok(held_put(r->db, &(struct held){.link = r->link, .rec = old, .pair = pair, .why = STR("intent")}, &r->e));
    ok(old_id_put(r->db, &(struct old_id){.link = r->link, .rec = old, .pair = pair, .why = STR("merged")}, &r->e));
    ok(pair_delete(r->db, pair, &r->e));
    assert_int_equal(rig_number(r, "SELECT (SELECT count(*) FROM conflict) + (SELECT count(*) FROM parked) + "
                                   "(SELECT count(*) FROM held) + (SELECT count(*) FROM old_id)"),
                     0);
    ok(record_delete(r->db, old, &r->e));
    assert_int_equal(pair_delete(r->db, pair, &r->e), TL_E_NOT_FOUND);
}

static void a_reference_leads_to_the_counterpart(void **state)
{
    struct rig *r = *state;
    struct counterpart c = {0};
    int64_t a = rig_record(r, SIDE_A, "17", "x"), b = rig_record(r, SIDE_B, "003B", "y"), pair = rig_pair(r, a, b);
    int64_t alone = rig_pair(r, rig_record(r, SIDE_A, "18", "x"), 0);
    rig_record(r, SIDE_A, "19", "x"); /* in no pair */
    ok(pair_counterpart(r->db, &r->a, r->link, SIDE_A, r->feed[SIDE_A], STR("17"), &c, &r->e));
    assert_true(c.pair == pair && c.rec == b && c.state == TL_STATE_LIVE);
    assert_str(c.id, "003B");
    ok(pair_counterpart(r->db, &r->a, r->link, SIDE_B, r->feed[SIDE_B], STR("003B"), &c, &r->e));
    assert_true(c.pair == pair && c.rec == a);
    assert_str(c.id, "17");
    ok(record_set_state(r->db, b, TL_STATE_TRASHED, (str){0}, RIG_START, &r->e));
    ok(pair_counterpart(r->db, &r->a, r->link, SIDE_A, r->feed[SIDE_A], STR("17"), &c, &r->e));
    assert_int_equal(c.state, TL_STATE_TRASHED);
    ok(pair_counterpart(r->db, &r->a, r->link, SIDE_A, r->feed[SIDE_A], STR("18"), &c, &r->e));
    assert_true(c.pair == alone && c.rec == 0);
    assert_int_equal(pair_counterpart(r->db, &r->a, r->link, SIDE_A, r->feed[SIDE_A], STR("19"), &c, &r->e),
                     TL_E_NOT_FOUND);
    assert_int_equal(pair_counterpart(r->db, &r->a, r->link, SIDE_A, r->feed[SIDE_A], STR("20"), &c, &r->e),
                     TL_E_NOT_FOUND);
    assert_int_equal(pair_counterpart(r->db, &r->a, r->link + 1, SIDE_A, r->feed[SIDE_A], STR("17"), &c, &r->e),
                     TL_E_NOT_FOUND);
}

static void fsck_names_what_is_wrong(void **state)
{
    struct rig *r = *state;
    AUTO(buf_done) struct buf text = {0};
    int64_t after = 0;
    bool end = false;
    int64_t good = rig_pair(r, rig_record(r, SIDE_A, "1", "x"), rig_record(r, SIDE_B, "1", "x"));
    ok(pair_fsck(r->db, &after, 10, &text, &end, &r->e));
    assert_true(end);
    assert_buf(text, "");
    rig_pair(r, rig_record(r, SIDE_A, "2", "x"), 0);
    rig_sql(r, "DELETE FROM record WHERE remote_id = 2");
    rig_sql(r, "UPDATE pair SET intent = 999, status = 1 WHERE pair = 1");
    after = 0;
    ok(pair_fsck(r->db, &after, 10, &text, &end, &r->e));
    assert_non_null(strstr(buf_text(&text), "pair 1 of link 1: its open write does not exist"));
    assert_non_null(strstr(buf_text(&text), "pair 1 of link 1: it is parked and waits for nothing"));
    assert_non_null(strstr(buf_text(&text), "pair 2 of link 1: its record of side a does not exist"));
    assert_int_equal(good, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(every_member_comes_back),
        UNIT(a_record_is_in_one_pair),
        UNIT(attaching_a_taken_record_is_refused),
        UNIT(an_open_intent_protects_the_pair),
        UNIT(a_copy_from_before_the_intent_is_stale),
        UNIT(work_comes_by_lane_and_due),
        UNIT(an_intent_takes_a_pair_off_and_gives_it_back),
        UNIT(healing_lets_a_failed_pair_try_again),
        UNIT(a_backlog_elsewhere_costs_nothing),
        UNIT(unsettled_pairs_are_counted),
        UNIT(a_created_record_joins_its_pair),
        UNIT(what_holds_a_record_comes_with_its_other_side),
        UNIT(counts_follow_every_change),
        UNIT(lists_filter_and_go_on),
        UNIT(a_damaged_base_is_seen),
        UNIT(deleting_a_pair_takes_its_dependants_along),
        UNIT(a_reference_leads_to_the_counterpart),
        UNIT(fsck_names_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
