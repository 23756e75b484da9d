/* Repairs and the audit chain. */
#include "rig.h"

static void a_repair_is_one_row_until_it_is_cleared(void **state)
{
    struct rig *r = *state;
    struct repair a = {.object = STR("link desk-sf/contact"),
                       .code = STR("SCHEMA_DRIFT"),
                       .key = STR("phone"),
                       .level = TL_WARN,
                       .text = STR("field \"phone\" is gone"),
                       .hint = STR("map another"),
                       .last_us = 5};
    struct repair b = a, *list;
    size_t n;
    ok(repair_raise(r->db, &a, &r->e));
    b.last_us = 9;
    ok(repair_raise(r->db, &b, &r->e));
    assert_int_equal(b.repair, a.repair);
    assert_int_equal(b.n, 2);
    assert_int_equal(b.first_us, 5);
    b.key = STR("title");
    ok(repair_raise(r->db, &b, &r->e));
    assert_int_not_equal(b.repair, a.repair);
    ok(repair_list(r->db, &r->a, false, 9, &list, &n, &r->e));
    assert_int_equal(n, 2);
    ok(repair_clear(r->db, a.object, a.code, STR("phone"), 20, &r->e));
    ok(repair_clear(r->db, a.object, a.code, STR("phone"), 21, &r->e)); /* nothing open is fine */
    ok(repair_list(r->db, &r->a, false, 9, &list, &n, &r->e));
    assert_int_equal(n, 1);
    assert_str(list[0].key, "title");
    assert_str(list[0].hint, "map another");
    ok(repair_clear(r->db, a.object, (str){0}, (str){0}, 22, &r->e));
    ok(repair_list(r->db, &r->a, false, 9, &list, &n, &r->e));
    assert_int_equal(n, 0);
    ok(repair_list(r->db, &r->a, true, 9, &list, &n, &r->e));
    assert_int_equal(n, 2);
    ok(repair_raise(r->db, &a, &r->e)); /* it is back: a new row */
    ok(repair_list(r->db, &r->a, true, 9, &list, &n, &r->e));
    assert_int_equal(n, 3);
}

static void add(struct rig *r, const char *act)
{
    struct audit row = {.who = STR("uid 0 (root)"), .act = str_of(act), .object = STR("desk-sf"), .detail = STR("{}")};
    assert_int_equal_ok(audit_add(r->db, &row, &r->e), &r->e, __FILE__, __LINE__);
    assert_int_equal(row.at_us, RIG_START);
}

static void a_changed_or_removed_audit_row_shows(void **state)
{
    struct rig *r = *state;
    struct audit *list;
    size_t n;
    int64_t broken = 99;
    ok(audit_verify(r->db, &broken, &r->e));
    assert_int_equal(broken, 0);
    add(r, "connection.create");
    add(r, "connection.pause");
    rig_reopen(r);
    add(r, "connection.resume");
    add(r, "connection.delete");
    ok(audit_verify(r->db, &broken, &r->e));
    assert_int_equal(broken, 0);
    ok(audit_list(r->db, &r->a, 0, 2, &list, &n, &r->e));
    assert_int_equal(n, 2);
    assert_str(list[0].act, "connection.delete");
    assert_str(list[0].who, "uid 0 (root)");
    ok(audit_list(r->db, &r->a, list[1].audit, 9, &list, &n, &r->e));
    assert_int_equal(n, 2);
    rig_sql(r, "UPDATE audit SET who = 'nobody' WHERE audit = 2");
    ok(audit_verify(r->db, &broken, &r->e));
    assert_int_equal(broken, 2);
    rig_sql(r, "UPDATE audit SET who = 'uid 0 (root)' WHERE audit = 2; DELETE FROM audit WHERE audit = 3");
    ok(audit_verify(r->db, &broken, &r->e));
    assert_int_equal(broken, 4);
}

/* Whoever asks who changed this finds an answer for every change, and no answer for what did not happen. */
static void an_audit_row_comes_with_its_change_or_not_at_all(void **state)
{
    struct rig *r = *state;
    struct audit row = {.who = STR("uid 0 (root)"), .act = STR("secret.set"), .object = STR("sf")}, *list;
    str value;
    size_t n;
    audit_owe(r->db, &row);
    ok(db_begin(r->db, &r->e));
    ok(meta_set(r->db, "k", STR("lost"), &r->e));
    db_rollback(r->db);
    ok(audit_list(r->db, &r->a, 0, 9, &list, &n, &r->e));
    assert_int_equal(n, 0);
    ok(db_begin(r->db, &r->e));
    ok(meta_set(r->db, "k", STR("kept"), &r->e));
    ok(db_commit(r->db, &r->e));
    ok(db_begin(r->db, &r->e)); /* what follows has no second row */
    ok(db_commit(r->db, &r->e));
    assert_true(audit_settle(r->db));
    ok(audit_list(r->db, &r->a, 0, 9, &list, &n, &r->e));
    assert_int_equal(n, 1);
    assert_str(list[0].act, "secret.set");
    audit_owe(r->db, &row);
    assert_false(audit_settle(r->db));
    audit_owe(r->db, &row);
    rig_sql(r, "ALTER TABLE audit RENAME TO away");
    ok(db_begin(r->db, &r->e));
    ok(meta_set(r->db, "k", STR("unseen"), &r->e));
    assert_int_not_equal(db_commit(r->db, &r->e), TL_OK);
    rig_sql(r, "ALTER TABLE away RENAME TO audit");
    assert_false(audit_settle(r->db));
    ok(meta_get(r->db, &r->a, "k", &value, &r->e));
    assert_str(value, "kept");
}

/* What is past its time goes from the front, and the chain still proves the rest; one missing at the end shows. */
static void a_trimmed_audit_is_still_proved(void **state)
{
    struct rig *r = *state;
    bool done = false, end = false;
    int64_t broken = -1;
    for (int i = 0; i < 9; i++) {
        struct audit row = {.at_us = RIG_START + i, .who = STR("root"), .act = STR("x"), .object = STR("y")};
        ok(audit_add(r->db, &row, &r->e));
    }
    ok(audit_trim(r->db, RIG_START + 4, 3, &done, &r->e));
    assert_false(done);
    ok(audit_trim(r->db, RIG_START + 4, 3, &done, &r->e));
    assert_true(done);
    assert_int_equal(rig_number(r, "SELECT min(audit) FROM audit"), 5);
    ok(audit_verify(r->db, &broken, &r->e));
    assert_int_equal(broken, 0);
    struct audit_walk w = {0};
    ok(audit_verify_slice(r->db, &w, 2, &end, &r->e));
    assert_false(end);
    assert_int_equal(w.first, 5);
    ok(audit_trim(r->db, INT64_MAX, 100, &done, &r->e)); /* all of it */
    struct audit next = {.at_us = RIG_START + 99, .who = STR("root"), .act = STR("x"), .object = STR("y")};
    ok(audit_add(r->db, &next, &r->e));
    ok(audit_verify(r->db, &broken, &r->e));
    assert_int_equal(broken, 0);
    rig_sql(r, "DELETE FROM audit");
    ok(audit_verify(r->db, &broken, &r->e));
    assert_int_equal(broken, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_repair_is_one_row_until_it_is_cleared),
        UNIT(a_changed_or_removed_audit_row_shows),
        UNIT(an_audit_row_comes_with_its_change_or_not_at_all),
        UNIT(a_trimmed_audit_is_still_proved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
