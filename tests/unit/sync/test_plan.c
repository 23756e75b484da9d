/* The planner: its rules as a table, and its properties over random pairs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "env.h"
#include "plan.h"
#include "times.h"
#include "values.h"

enum { FIELDS = 4 };

struct fixture {
    struct rule_field field[FIELDS];
    struct link_rules link;
    tl_value value[2][FIELDS], base[2][FIELDS];
    bool has[2][FIELDS];
    int64_t changed[2][FIELDS];
    struct snapshot snap;
    struct arena arena;
    struct plan plan;
};

static tl_value val(const char *z)
{
    return *z ? (tl_value){.type = TL_TEXT, .u.s = {z, strlen(z)}} : (tl_value){.type = TL_NULL};
}

static void start(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    for (uint32_t i = 0; i < FIELDS; i++) {
        f->field[i].number = i + 1;
        for (int s = 0; s < 2; s++)
            f->field[i].side[s].type = TL_TEXT;
        f->field[i].canon = canon_of(&f->field[i].side[0], &f->field[i].side[1], 0, 0);
        f->has[0][i] = f->has[1][i] = true;
    }
    f->link = (struct link_rules){.policy = POLICY_NEWEST,
                                  .can = {TL_CAN_CREATE | TL_CAN_UPDATE, TL_CAN_CREATE | TL_CAN_UPDATE},
                                  .n_fields = FIELDS,
                                  .fields = f->field};
    for (int s = 0; s < 2; s++)
        f->snap.side[s] = (struct snapshot_side){.state = SIDE_LIVE,
                                                 .values = f->value[s],
                                                 .base = f->base[s],
                                                 .has_base = f->has[s],
                                                 .changed_us = f->changed[s],
                                                 .in_window = true};
}

/* Both sides agreed on `base`; now they hold a and b. */
static void set(struct fixture *f, uint32_t i, const char *base, const char *a, const char *b)
{
    f->value[0][i] = val(a);
    f->value[1][i] = val(b);
    for (int s = 0; s < 2; s++) {
        f->base[s][i] = val(base);
        f->has[s][i] = true;
    }
}

static const struct plan *plan(struct fixture *f)
{
    plan_pair(&f->link, &f->snap, &f->arena, &f->plan);
    return &f->plan;
}

static void settled(void **state)
{
    (void)state;
    struct fixture f;
    start(&f);
    set(&f, 0, "x", "x", "x");
    assert_int_equal(plan(&f)->act, PLAN_SETTLED);
    set(&f, 0, "x", "y", "y");
    assert_int_equal(plan(&f)->act, PLAN_SETTLED);
    assert_int_equal(f.plan.verdict[0], VERDICT_AGREE);
    f.snap.has_intent = true;
    assert_int_equal(plan(&f)->act, PLAN_WAIT);
    arena_done(&f.arena);
}

/* proves: S1-02 S1-12 */
static void two_way(void **state)
{
    (void)state;
    struct fixture f;
    start(&f);
    set(&f, 0, "x", "new", "x");
    assert_int_equal(plan(&f)->act, PLAN_UPDATE);
    assert_int_equal(f.plan.target, 1);
    assert_true(str_is(f.plan.writes[0].u.s, "new"));
    set(&f, 0, "x", "x", "new");
    assert_int_equal(plan(&f)->act, PLAN_UPDATE);
    assert_int_equal(f.plan.target, 0);
    /* Different fields on both sides: first B, then A. */
    set(&f, 0, "x", "a", "x");
    set(&f, 1, "x", "x", "b");
    assert_int_equal(plan(&f)->target, 1);
    assert_int_equal(f.plan.n_writes, 1);
    assert_int_equal(f.plan.verdict[1], VERDICT_WRITE_BACK);
    arena_done(&f.arena);
}

/* proves: S1-13 */
static void one_way(void **state)
{
    (void)state;
    struct fixture f;
    start(&f);
    f.link.direction = LINK_B2A;
    set(&f, 0, "x", "mine", "x");
    assert_int_equal(plan(&f)->act, PLAN_SETTLED);
    assert_int_equal(f.plan.verdict[0], VERDICT_DRIFT);
    f.link.drift = DRIFT_REVERT;
    assert_int_equal(plan(&f)->act, PLAN_UPDATE);
    assert_int_equal(f.plan.target, 0);
    f.link.drift = DRIFT_LEAVE;
    set(&f, 0, "x", "mine", "theirs");
    assert_int_equal(plan(&f)->target, 0);
    assert_true(f.plan.lost[0]);
    arena_done(&f.arena);
}

static void newest(void **state)
{
    (void)state;
    static const struct {
        int64_t a_s, b_s, skew_b_s;
        int master, winner;
    } rows[] = {{100, 50, 0, 0, 0},    {50, 100, 0, 0, 1}, {100, 101, 0, 0, 0},  {100, 101, 0, 1, 1},
                {100, 390, 300, 0, 0}, {0, 100, 0, 0, 0},  {100, 410, 300, 0, 1}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f;
        start(&f);
        set(&f, 0, "x", "a", "b");
        f.changed[0][0] = rows[i].a_s * US_PER_S;
        f.changed[1][0] = rows[i].b_s * US_PER_S;
        f.link.clock_offset_us[1] = rows[i].skew_b_s * US_PER_S;
        f.link.master = rows[i].master;
        assert_int_equal(plan(&f)->act, PLAN_UPDATE);
        assert_int_equal(f.plan.target, 1 - rows[i].winner);
        assert_true(f.plan.lost[0]);
        arena_done(&f.arena);
    }
}

/* B was written for another record at 100 s. When the two meet for the first time that is no edit; a person's later one
 * is, and so is one of A. Once something was agreed on it counts no more. proves: V7 */
static void left_over(void **state)
{
    (void)state;
    static const struct {
        int64_t a_s, b_s;
        bool agreed, ours;
        int winner; /* -1: a person is asked */
    } rows[] = {{50, 100, false, false, -1}, {50, 101, false, false, -1}, {50, 200, false, false, 1},
                {50, 200, false, true, -1},  {300, 200, false, true, 0},  {50, 100, true, true, 1}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f;
        start(&f);
        set(&f, 0, "x", "a", "b");
        f.snap.adopting = !rows[i].agreed;
        f.changed[0][0] = rows[i].a_s * US_PER_S;
        f.changed[1][0] = rows[i].b_s * US_PER_S;
        f.snap.side[1].written_us = 100 * US_PER_S;
        f.snap.side[1].ours = rows[i].ours ? &rows[i].ours : NULL;
        plan(&f);
        assert_int_equal(f.plan.verdict[0] == VERDICT_CONFLICT, rows[i].winner < 0);
        if (rows[i].winner >= 0)
            assert_int_equal(f.plan.target, 1 - rows[i].winner);
        arena_done(&f.arena);
    }
}

static void policies(void **state)
{
    (void)state;
    struct fixture f;
    start(&f);
    set(&f, 0, "x", "a", "b");
    f.link.policy = POLICY_A;
    assert_int_equal(plan(&f)->target, 1);
    f.field[0].policy = POLICY_B;
    assert_int_equal(plan(&f)->target, 0);
    f.field[0].policy = POLICY_MANUAL;
    assert_int_equal(plan(&f)->act, PLAN_SETTLED);
    assert_int_equal(f.plan.verdict[0], VERDICT_CONFLICT);
    arena_done(&f.arena);
}

static void adoption(void **state)
{
    (void)state;
    struct fixture f;
    start(&f);
    f.snap.adopting = true;
    set(&f, 0, "", "a", "");
    set(&f, 1, "", "", "b");
    set(&f, 2, "", "same", "same");
    memset(f.has, 0, sizeof f.has);
    plan(&f);
    assert_int_equal(f.plan.act, PLAN_UPDATE);
    assert_int_equal(f.plan.target, 1);
    assert_true(str_is(f.plan.writes[0].u.s, "a"));
    assert_int_equal(f.plan.verdict[1], VERDICT_WRITE_BACK);
    assert_int_equal(f.plan.verdict[2], VERDICT_AGREE);
    assert_false(f.plan.lost[0]);
    arena_done(&f.arena);
}

/* A field mapped later has no base on either side of a pair that is settled otherwise: a blank does not win, whichever
 * side is the newer one or the master, and also where only one way is written.
 * proves: S1-16 */
static void adoption_of_one_field(void **state)
{
    (void)state;
    struct fixture f;
    for (int blank = 0; blank < 2; blank++)
        for (int master = 0; master < 2; master++) {
            start(&f);
            set(&f, 0, "x", "x", "x");
            set(&f, 1, "", blank ? "kept" : "", blank ? "" : "kept");
            f.has[0][1] = f.has[1][1] = false;
            f.link.master = master;
            f.snap.side[blank].modified_us = 9 * US_PER_S;
            f.snap.side[1 - blank].modified_us = US_PER_S;
            assert_int_equal(plan(&f)->act, PLAN_UPDATE);
            assert_int_equal(f.plan.target, blank);
            assert_int_equal(f.plan.n_writes, 1);
            assert_true(str_is(f.plan.writes[1].u.s, "kept"));
            assert_false(f.plan.lost[1]);
            f.field[1].direction = blank ? LINK_B2A : LINK_A2B;
            assert_int_equal(plan(&f)->act, PLAN_SETTLED);
            assert_int_equal(f.plan.verdict[1], VERDICT_DRIFT);
            arena_done(&f.arena);
        }
}

/* proves: S1-23 S1-26 */
static void deletes(void **state)
{
    (void)state;
    struct fixture f;
    start(&f);
    set(&f, 0, "x", "x", "x");
    f.snap.side[1].state = SIDE_DELETED;
    assert_int_equal(plan(&f)->act, PLAN_SETTLED);
    set(&f, 0, "x", "edited", "x");
    assert_int_equal(plan(&f)->act, PLAN_RECREATE);
    assert_int_equal(f.plan.target, 1);
    f.snap.side[1].state = SIDE_TRASHED;
    assert_int_equal(plan(&f)->act, PLAN_RECREATE);
    f.link.can[1] |= TL_CAN_RESTORE;
    assert_int_equal(plan(&f)->act, PLAN_RESTORE);
    f.link.restore_on = RESTORE_NEVER;
    assert_int_equal(plan(&f)->act, PLAN_SETTLED);
    f.link.restore_on = RESTORE_ON_READ;
    set(&f, 0, "x", "x", "x");
    assert_int_equal(plan(&f)->act, PLAN_RESTORE);
    f.link.direction = LINK_B2A;
    assert_int_equal(plan(&f)->act, PLAN_SETTLED);
    f.snap.side[0].state = SIDE_TRASHED;
    assert_int_equal(plan(&f)->act, PLAN_TOMBSTONE);
    f.snap.side[0].state = SIDE_LIVE;
    f.snap.side[1].state = SIDE_OUT_OF_SCOPE;
    set(&f, 0, "x", "edited", "x");
    assert_int_equal(plan(&f)->act, PLAN_SETTLED);
    arena_done(&f.arena);
}

/* proves: V9 S1-23 */
static void deletes_that_travel(void **state)
{
    (void)state;
    struct fixture f;
    start(&f);
    for (uint32_t i = 0; i < FIELDS; i++)
        set(&f, i, "x", "x", "x");
    f.snap.side[1].state = SIDE_TRASHED;
    f.snap.side[1].told_deleted = true;
    assert_int_equal(plan(&f)->act, PLAN_SETTLED); /* keep */
    f.link.deletes[0] = true;
    assert_int_equal(plan(&f)->act, PLAN_SETTLED); /* the connector cannot */
    f.link.can[0] |= TL_CAN_DELETE;
    assert_int_equal(plan(&f)->act, PLAN_DELETE);
    assert_int_equal(f.plan.target, 0);
    f.snap.side[1].told_deleted = false;
    assert_int_equal(plan(&f)->act, PLAN_SETTLED); /* nobody said so */
    f.snap.side[1].told_deleted = true;
    f.snap.side[1].state = SIDE_MERGED;
    assert_int_equal(plan(&f)->act, PLAN_SETTLED);
    f.snap.side[1].state = SIDE_DELETED;
    assert_int_equal(plan(&f)->act, PLAN_DELETE);
    f.link.direction = LINK_A2B;
    assert_int_equal(plan(&f)->act, PLAN_SETTLED);
    f.link.direction = LINK_BOTH;
    set(&f, 0, "x", "edited", "x");
    assert_int_equal(plan(&f)->act, PLAN_RECREATE);
    f.field[0].direction = LINK_B2A; /* an edit that would not travel speaks for the survivor all the same */
    assert_int_equal(plan(&f)->act, PLAN_SETTLED);
    set(&f, 0, "x", "x", "x");
    f.has[0][1] = false; /* never agreed on */
    assert_int_equal(plan(&f)->act, PLAN_RECREATE);
    f.has[0][1] = true;
    f.field[2].suspended = true; /* nobody can tell */
    assert_int_equal(plan(&f)->act, PLAN_SETTLED);
    f.field[2].suspended = false;
    f.snap.adopting = true;
    assert_int_not_equal(plan(&f)->act, PLAN_DELETE);
    f.snap.adopting = false;
    f.snap.side[0].state = SIDE_OUT_OF_SCOPE;
    assert_int_equal(plan(&f)->act, PLAN_SETTLED);
    arena_done(&f.arena);
}

/* Whoever has no counterpart is stood in for, where the other side has nobody; that is nobody's choice. */
static void stood_in_for(void **state)
{
    (void)state;
    struct fixture f;
    struct ref_target to[2][FIELDS] = {{{0}}};
    start(&f);
    f.field[0].ref_link = 9;
    f.field[0].side[0].type = f.field[0].side[1].type = TL_REF;
    f.snap.side[0].refs = to[0];
    f.snap.side[1].refs = to[1];
    to[0][0].fallback = STR("b0");
    set(&f, 0, "", "a1", "");
    assert_int_equal(plan(&f)->act, PLAN_UPDATE);
    assert_int_equal(f.plan.verdict[0], VERDICT_STAND_IN);
    assert_int_equal(f.plan.n_waiting, 1);
    assert_true(str_is(f.plan.writes[0].u.s, "b0"));
    /* It is there: quiet, and never sent back, whoever was edited last. */
    for (int master = 0; master < 2; master++) {
        f.link.master = master;
        set(&f, 0, "", "a1", "b0");
        to[1][0] = (struct ref_target){.pair = 5, .other_id = STR("a0"), .stands_in = true};
        f.snap.side[1].modified_us = 9 * US_PER_S;
        assert_int_equal(plan(&f)->act, PLAN_SETTLED);
        assert_int_equal(f.plan.verdict[0], VERDICT_WAIT_REF);
        f.has[0][0] = f.has[1][0] = false; /* met for the first time */
        assert_int_equal(plan(&f)->act, PLAN_SETTLED);
        assert_int_equal(f.plan.verdict[0], VERDICT_WAIT_REF);
        f.snap.adopting = true;
        assert_int_equal(plan(&f)->act, PLAN_SETTLED);
        f.snap.adopting = false;
    }
    /* Nobody has edited this side, and the other one was never agreed on: it is no edit there either. */
    set(&f, 0, "", "a1", "b0");
    f.base[0][0] = val("a1");
    f.has[1][0] = false;
    plan(&f);
    assert_int_equal(f.plan.act, PLAN_SETTLED);
    /* A new record has it at once. */
    to[0][0].fallback = STR("b0");
    set(&f, 0, "", "a1", "");
    plan_create(&f.link, &f.snap, 1, &f.arena, &f.plan);
    assert_int_equal(f.plan.act, PLAN_RECREATE);
    assert_int_equal(f.plan.verdict[0], VERDICT_STAND_IN);
    f.field[0].side[1].flags = TL_F_REQUIRED; /* and need not wait for a mandatory one */
    plan_create(&f.link, &f.snap, 1, &f.arena, &f.plan);
    assert_int_equal(f.plan.act, PLAN_RECREATE);
    f.field[0].side[1].flags = 0;
    /* The real one has a counterpart by now. */
    set(&f, 0, "", "a1", "b0");
    to[0][0] = (struct ref_target){.pair = 7, .other_id = STR("b1"), .fallback = STR("b0")};
    assert_int_equal(plan(&f)->act, PLAN_UPDATE);
    assert_int_equal(f.plan.target, 1);
    assert_true(str_is(f.plan.writes[0].u.s, "b1"));
    assert_false(f.plan.lost[0]);
    /* A real owner over there is not replaced by who stands in. */
    to[0][0] = (struct ref_target){.fallback = STR("b0")};
    to[1][0] = (struct ref_target){.pair = 6, .other_id = STR("a2")};
    set(&f, 0, "", "a1", "b2");
    f.base[1][0] = val("b2");
    assert_int_equal(plan(&f)->act, PLAN_SETTLED);
    assert_int_equal(f.plan.verdict[0], VERDICT_WAIT_REF);
    /* Given to that user by a person, it is an edit like any other. */
    set(&f, 0, "", "a1", "b0");
    f.base[0][0] = val("a1");
    f.base[1][0] = val("b1");
    to[0][0] = (struct ref_target){.pair = 7, .other_id = STR("b1"), .fallback = STR("b0")};
    to[1][0] = (struct ref_target){.pair = 5, .other_id = STR("a0"), .stands_in = true};
    assert_int_equal(plan(&f)->act, PLAN_UPDATE);
    assert_int_equal(f.plan.target, 0);
    assert_true(str_is(f.plan.writes[0].u.s, "a0"));
    arena_done(&f.arena);
}

/* proves: S1-46 */
static void creates(void **state)
{
    (void)state;
    struct fixture f;
    start(&f);
    f.snap.side[1] = (struct snapshot_side){.state = SIDE_NONE, .values = f.value[1]};
    f.snap.adopting = true;
    set(&f, 0, "", "a", "");
    assert_int_equal(plan(&f)->act, PLAN_COUNTERPART);
    assert_int_equal(f.plan.target, 1);
    f.snap.side[0].in_window = false;
    assert_int_equal(plan(&f)->act, PLAN_SETTLED);
    f.snap.side[0].in_window = true;
    f.link.direction = LINK_B2A;
    assert_int_equal(plan(&f)->act, PLAN_SETTLED);
    f.link.direction = LINK_BOTH;
    plan_create(&f.link, &f.snap, 1, &f.arena, &f.plan);
    assert_int_equal(f.plan.act, PLAN_RECREATE);
    assert_int_equal(f.plan.n_writes, 1);
    f.field[1].side[1].flags = TL_F_REQUIRED;
    plan_create(&f.link, &f.snap, 1, &f.arena, &f.plan);
    assert_int_equal(f.plan.act, PLAN_FAIL);
    assert_int_equal(f.plan.reason, TL_R_REQUIRED_MISSING);
    arena_done(&f.arena);
}

static void references(void **state)
{
    (void)state;
    struct fixture f;
    struct ref_target to[2][FIELDS] = {{{0}}};
    start(&f);
    f.field[0].ref_link = 9;
    f.field[0].side[0].type = f.field[0].side[1].type = TL_REF;
    set(&f, 0, "", "a1", "");
    f.snap.side[0].refs = to[0];
    f.snap.side[1].refs = to[1];
    assert_int_equal(plan(&f)->act, PLAN_SETTLED);
    assert_int_equal(f.plan.n_waiting, 1);
    to[0][0] = (struct ref_target){.pair = 7, .other_id = STR("b1")};
    assert_int_equal(plan(&f)->act, PLAN_UPDATE);
    assert_true(str_is(f.plan.writes[0].u.s, "b1"));
    /* The same pair from both sides: equal, whatever the ids are. */
    set(&f, 0, "", "a1", "b1");
    to[1][0] = (struct ref_target){.pair = 7, .other_id = STR("a1")};
    plan(&f);
    assert_int_equal(f.plan.act, PLAN_SETTLED);
    assert_int_equal(f.plan.verdict[0], VERDICT_AGREE);
    /* A required one that leads nowhere parks the create. */
    f.snap.side[1].state = SIDE_NONE;
    to[0][0] = (struct ref_target){0};
    f.field[0].side[1].flags = TL_F_REQUIRED;
    plan_create(&f.link, &f.snap, 1, &f.arena, &f.plan);
    assert_int_equal(f.plan.act, PLAN_PARK);
    arena_done(&f.arena);
}

/* ---- Properties */

static void random_pair(struct fixture *f, const struct env *env)
{
    static const char *const words[] = {"", "a", "b", "c"};
    start(f);
    f->link.direction = (enum link_direction)env_random_below(env, 3);
    f->link.policy = (enum link_policy)(1 + env_random_below(env, 3));
    f->link.master = (int)env_random_below(env, 2);
    for (uint32_t i = 0; i < FIELDS; i++) {
        set(f, i, words[env_random_below(env, 4)], words[env_random_below(env, 4)], words[env_random_below(env, 4)]);
        if (env_random_below(env, 5) == 0)
            f->field[i].side[env_random_below(env, 2)].flags = TL_F_READONLY;
        for (int s = 0; s < 2; s++)
            f->changed[s][i] = (int64_t)env_random_below(env, 20) * US_PER_S;
    }
}

/* Applies the plan as a perfect vendor would. */
static void apply(struct fixture *f)
{
    int t = f->plan.target;
    for (uint32_t i = 0; i < FIELDS; i++) {
        if (f->plan.verdict[i] == VERDICT_WRITE) {
            f->value[t][i] = f->plan.writes[i];
            for (int s = 0; s < 2; s++)
                f->base[s][i] = f->value[s][i];
        }
        if (f->plan.verdict[i] == VERDICT_AGREE)
            for (int s = 0; s < 2; s++)
                f->base[s][i] = f->value[s][i];
    }
}

static void properties(void **state)
{
    (void)state;
    struct env_sim sim;
    env_sim_init(&sim, 4711, 0);
    for (int round = 0; round < 20000; round++) {
        struct fixture f;
        random_pair(&f, &sim.env);
        struct fixture before = f;
        struct plan twice;
        plan(&f);
        plan_pair(&f.link, &f.snap, &f.arena, &twice);
        assert_int_equal(twice.act, f.plan.act); /* V13: a function of its input */
        assert_int_equal(twice.n_writes, f.plan.n_writes);
        int rounds = 0;
        for (; f.plan.act == PLAN_UPDATE; rounds++) {
            assert_true(rounds < 3); /* V5: at most one write per side */
            assert_true(link_allows(f.link.direction, f.plan.target));
            for (uint32_t i = 0; i < FIELDS; i++)
                if (f.plan.verdict[i] == VERDICT_WRITE)
                    assert_false(f.field[i].side[f.plan.target].flags & TL_F_READONLY);
            apply(&f);
            plan(&f);
        }
        apply(&f);
        for (uint32_t i = 0; i < FIELDS; i++) {
            const tl_value *a = &f.value[0][i], *b = &f.value[1][i], *a0 = &before.value[0][i],
                           *b0 = &before.value[1][i];
            assert_true(value_same(a, a0) || value_same(a, b0)); /* V6: nothing out of thin air */
            assert_true(value_same(b, a0) || value_same(b, b0));
            bool one_sided = !value_same(a0, &before.base[0][i]) && value_same(b0, &before.base[1][i]);
            if (one_sided && field_writable(&f.link, &f.field[i], 1, false))
                assert_true(value_same(b, a0)); /* V7: an edit on one side only arrives */
            if (!value_same(a, b) && f.plan.verdict[i] != VERDICT_DRIFT)
                assert_true(value_same(a, a0) && value_same(b, b0)); /* V4: equal, or left alone */
        }
        arena_done(&f.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settled),      cmocka_unit_test(two_way),   cmocka_unit_test(one_way),
        cmocka_unit_test(newest),       cmocka_unit_test(left_over), cmocka_unit_test(policies),
        cmocka_unit_test(adoption),     cmocka_unit_test(deletes),   cmocka_unit_test(deletes_that_travel),
        cmocka_unit_test(stood_in_for), cmocka_unit_test(creates),   cmocka_unit_test(adoption_of_one_field),
        cmocka_unit_test(references),   cmocka_unit_test(properties)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
