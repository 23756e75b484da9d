/* What is past its time goes, slice by slice; what is not stays. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT(old_tombstones_go), UNIT(old_deliveries_go), UNIT(resolved_repairs_go)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
