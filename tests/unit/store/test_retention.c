/* What is past its time goes, slice by slice; what is not stays. */
#include "passports.h"
#include "rig.h"

static int64_t dead(struct rig *r, const char *id, int64_t seen)
{
    int64_t a = rig_record(r, SIDE_A, id, "x"), b = rig_record(r, SIDE_B, id, "x"), pair = rig_pair(r, a, b);
    char sql[160];
    snprintf(sql, sizeof sql, "UPDATE record SET state = 2, seen = %lld WHERE rec IN (%lld, %lld)", (long long)seen,
             (long long)a, (long long)b);
    rig_sql(r, sql);
    snprintf(sql, sizeof sql, "UPDATE pair SET status = 5, synced = 0 WHERE pair = %lld", (long long)pair);
    rig_sql(r, sql);
    return pair;
}

static void old_tombstones_go(void **state)
{
    struct rig *r = *state;
    int64_t after = 0;
    bool end = false;
    dead(r, "a", 10);
    dead(r, "b", 1000);
    dead(r, "c", 20);
    rig_pair(r, rig_record(r, SIDE_A, "live", "x"), rig_record(r, SIDE_B, "live", "x"));
    ok(tombstone_trim(r->db, r->link, &after, 500, 2, &end, &r->e));
    assert_false(end);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM pair"), 3);
    ok(tombstone_trim(r->db, r->link, &after, 500, 2, &end, &r->e));
    assert_true(end);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM pair WHERE status = 5"), 1);
    assert_int_equal(rig_number(r, "SELECT n FROM tally WHERE what = 1"), 2);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM record"), 8);
}

static void old_deliveries_go(void **state)
{
    struct rig *r = *state;
    bool done = false;
    for (int i = 0; i < 5; i++) {
        char key[8];
        struct inbox_row row = {.endpoint = r->endpoint[0], .received_us = i * 100, .body = STR("x")};
        snprintf(key, sizeof key, "k%d", i);
        ok(inbox_add(r->db, &row, str_of(key), &r->e));
    }
    rig_sql(r, "UPDATE inbox SET received = inbox * 100");
    ok(inbox_trim(r->db, 350, 2, &done, &r->e));
    assert_false(done);
    ok(inbox_trim(r->db, 350, 2, &done, &r->e));
    assert_true(done);
    assert_int_equal(rig_number(r, "SELECT min(inbox) FROM inbox"), 4);
}

static void resolved_repairs_go(void **state)
{
    struct rig *r = *state;
    bool done = false;
    struct repair a = {.object = STR("x"), .code = STR("OLD"), .last_us = 5};
    struct repair b = {.object = STR("x"), .code = STR("OPEN"), .last_us = 5};
    ok(repair_raise(r->db, &a, &r->e));
    ok(repair_raise(r->db, &b, &r->e));
    ok(repair_clear(r->db, a.object, a.code, (str){0}, 9, &r->e));
    ok(repair_trim(r->db, 100, 10, &done, &r->e));
    assert_true(done);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM repair"), 1);
}

/* What nobody read for so long. */
static void old_hints_go(void **state)
{
    struct rig *r = *state;
    bool done = false;
    int64_t feeds = 0;
    for (int i = 0; i < 5; i++) {
        char id[8];
        snprintf(id, sizeof id, "h%d", i);
        ok(hint_put(r->db, r->endpoint[i % 2], STR("contact"), str_of(id), HINT_CHANGED, 100 * i, &feeds, &r->e));
        assert_int_equal(feeds, 1);
    }
    ok(hint_trim(r->db, 301, 3, &done, &r->e));
    assert_false(done);
    ok(hint_trim(r->db, 301, 3, &done, &r->e));
    assert_true(done);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM hint"), 1);
    assert_int_equal(rig_number(r, "SELECT min(at) FROM hint"), 400);
}

/* Former records of a pair that are gone; one that lives is kept apart from its successor for ever. */
static void old_ids_go(void **state)
{
    struct rig *r = *state;
    bool done = false;
    int64_t pair = rig_pair(r, rig_record(r, SIDE_A, "a", "x"), rig_record(r, SIDE_B, "b", "x"));
    const char *const ids[] = {"gone", "alive", "lately", "deleted"};
    for (int i = 0; i < 4; i++) {
        struct old_id old = {.link = r->link, .rec = rig_record(r, SIDE_B, ids[i], "x"), .pair = pair, .side = SIDE_B};
        old.at_us = i == 2 ? 1000 : 10;
        old.why = STR("recreated");
        ok(old_id_put(r->db, &old, &r->e));
    }
    rig_sql(r, "UPDATE record SET state = 2 WHERE remote_id IN ('gone', 'lately')");
    rig_sql(r, "DELETE FROM record WHERE remote_id = 'deleted'");
    ok(old_id_trim(r->db, 500, 1, &done, &r->e));
    assert_false(done);
    ok(old_id_trim(r->db, 500, 10, &done, &r->e));
    assert_true(done);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM old_id"), 2);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM old_id JOIN record USING(rec) WHERE remote_id IN ('alive', "
                                   "'lately')"),
                     2);
}

static void passport_pairs_that_wait_too_long_go(void **state)
{
    struct rig *r = *state;
    bool done = false;
    for (int i = 0; i < 4; i++) {
        char id[8];
        snprintf(id, sizeof id, "p%d", i);
        struct passport_pair p = {.link = r->link, .id = {str_of(id), str_of(id)}};
        if (i == 2)
            env_sim_advance(&r->sim, 1000);
        ok(passport_pair_put(r->db, &p, &r->e));
    }
    ok(passport_pair_trim(r->db, RIG_START + 500, 2, &done, &r->e));
    assert_false(done);
    ok(passport_pair_trim(r->db, RIG_START + 500, 2, &done, &r->e));
    assert_true(done);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM passport_pair"), 2);
    assert_int_equal(rig_number(r, "SELECT min(passport) FROM passport_pair"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT(old_tombstones_go),   UNIT(old_deliveries_go),
                                       UNIT(resolved_repairs_go), UNIT(old_hints_go),
                                       UNIT(old_ids_go),          UNIT(passport_pairs_that_wait_too_long_go)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
