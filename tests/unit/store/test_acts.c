/* Actions, acts and relations: what an endpoint describes is kept as it says it last, a key names one deed, what is
 * under way is found again, and what is through is forgotten in its time. */
#include "acts.h"
#include "erased.h"
#include "rig.h"

static struct action_row action(const char *kind, const char *name, const char *description)
{
    return (struct action_row){str_of(kind), str_of(name), str_of(description),
                               store_hash(description, strlen(description)), RIG_START};
}

static void actions_are_those_told_last(void **state)
{
    struct rig *r = *state;
    struct action_row first[] = {action("invoice", "send", "one"), action("comment", "create", "two")};
    struct action_row then[] = {action("invoice", "send", "one"), action("invoice", "void", "three")};
    struct action_row *rows, row;
    size_t n;
    ok(action_replace(r->db, r->endpoint[0], first, 2, &r->e));
    ok(action_replace(r->db, r->endpoint[1], first, 1, &r->e));
    then[0].discovered_us = then[1].discovered_us = RIG_START + 5;
    ok(action_replace(r->db, r->endpoint[0], then, 2, &r->e));
    ok(action_list(r->db, &r->a, r->endpoint[0], &rows, &n, &r->e));
    assert_int_equal(n, 2);
    assert_str(rows[0].name, "send");
    assert_int_equal(rows[0].discovered_us, RIG_START); /* it did not change */
    assert_str(rows[1].name, "void");
    assert_str(rows[1].description, "three");
    assert_int_equal(action_get(r->db, &r->a, r->endpoint[0], STR("comment"), STR("create"), &row, &r->e),
                     TL_E_NOT_FOUND);
    ok(action_get(r->db, &r->a, r->endpoint[1], STR("invoice"), STR("send"), &row, &r->e));
    then[0] = action("invoice", "send", "other words");
    ok(action_replace(r->db, r->endpoint[0], then, 2, &r->e));
    ok(action_get(r->db, &r->a, r->endpoint[0], STR("invoice"), STR("send"), &row, &r->e));
    assert_str(row.description, "other words");
}

static struct act deed(const struct rig *r, const char *key)
{
    return (struct act){.key = str_of(key),
                        .connection = r->connection,
                        .endpoint = r->endpoint[1],
                        .kind = STR("invoice"),
                        .name = STR("send"),
                        .record = STR("4711"),
                        .who = STR("agent 5"),
                        .person = STR("Ann Lee"),
                        .beside_kind = STR("ticket"),
                        .beside_id = STR("17"),
                        .params = STR("{\"to\":\"ada@example.com\"}"),
                        .made_us = RIG_START};
}

static void a_key_names_one_deed(void **state)
{
    struct rig *r = *state;
    struct act a = deed(r, "k1"), again = deed(r, "k1"), got = {0};
    ok(act_add(r->db, &a, &r->e));
    assert_true(a.act > 0);
    assert_int_equal(act_add(r->db, &again, &r->e), E_EXISTS);
    assert_int_equal(act_find(r->db, &r->a, STR("k2"), &got, &r->e), TL_E_NOT_FOUND);
    a.state = ACT_DONE;
    a.before = STR("{\"status\":\"draft\"}");
    a.after = STR("{\"status\":\"sent\"}");
    a.ended_us = RIG_START + 9;
    ok(act_update(r->db, &a, &r->e));
    ok(act_find(r->db, &r->a, STR("k1"), &got, &r->e));
    assert_int_equal(got.act, a.act);
    assert_int_equal(got.state, ACT_DONE);
    assert_str(got.record, "4711");
    assert_str(got.beside_id, "17");
    assert_str(got.before, "{\"status\":\"draft\"}");
    assert_str(got.after, "{\"status\":\"sent\"}");
    assert_str(got.params, "{\"to\":\"ada@example.com\"}");
    assert_int_equal(got.ended_us, RIG_START + 9);
    a.act = 99;
    assert_int_equal(act_update(r->db, &a, &r->e), TL_E_NOT_FOUND);
}

static void what_is_open_is_found_again(void **state)
{
    struct rig *r = *state;
    struct act *list;
    size_t n;
    static const int32_t states[] = {ACT_PREPARED, ACT_SENT, ACT_DONE, ACT_FAILED, ACT_UNKNOWN, ACT_UNKNOWN};
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        char key[8];
        snprintf(key, sizeof key, "k%zu", i);
        struct act a = deed(r, key);
        a.state = states[i];
        a.look_us = i == 5 ? RIG_START : 0; /* the other one a person must look at */
        ok(act_add(r->db, &a, &r->e));
    }
    rig_reopen(r);
    ok(act_list_open(r->db, &r->a, 0, 9, &list, &n, &r->e));
    assert_int_equal(n, 3);
    assert_str(list[0].key, "k0");
    assert_str(list[1].key, "k1");
    assert_str(list[2].key, "k5");
    ok(act_list_open(r->db, &r->a, list[0].act, 1, &list, &n, &r->e));
    assert_int_equal(n, 1);
    assert_str(list[0].key, "k1");
    ok(act_list(r->db, &r->a, r->connection, INT64_MAX, 2, &list, &n, &r->e));
    assert_int_equal(n, 2);
    assert_str(list[0].key, "k5");
    ok(act_list(r->db, &r->a, 0, list[1].act, 9, &list, &n, &r->e));
    assert_int_equal(n, 4);
    ok(act_list(r->db, &r->a, r->connection + 1, INT64_MAX, 9, &list, &n, &r->e));
    assert_int_equal(n, 0);
}

static void old_ones_go_and_open_ones_stay(void **state)
{
    struct rig *r = *state;
    bool done = false;
    for (int i = 0; i < 6; i++) {
        char key[8];
        snprintf(key, sizeof key, "k%d", i);
        struct act a = deed(r, key);
        a.made_us = 100 * i;
        a.state = i == 1 ? ACT_SENT : i == 2 ? ACT_UNKNOWN : ACT_DONE;
        a.look_us = i == 2 ? 1 : 0;
        ok(act_add(r->db, &a, &r->e));
    }
    ok(act_trim(r->db, 350, 1, &done, &r->e));
    assert_false(done);
    ok(act_trim(r->db, 350, 2, &done, &r->e));
    assert_true(done);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM act"), 4);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM act WHERE key IN ('k1', 'k2', 'k4', 'k5')"), 4);
}

static struct relation relation(const struct rig *r, const char *id)
{
    return (struct relation){.connection = r->connection,
                             .endpoint = r->endpoint[1],
                             .kind = STR("invoice"),
                             .id = str_of(id),
                             .beside_kind = STR("ticket"),
                             .beside_id = STR("17"),
                             .who = STR("agent 5"),
                             .made_us = RIG_START};
}

static void relations_are_kept_once_and_go_with_their_connection(void **state)
{
    struct rig *r = *state;
    struct relation a = relation(r, "4711"), again = relation(r, "4711"), b = relation(r, "INV-2"), *list;
    size_t n;
    ok(relation_add(r->db, &a, &r->e));
    ok(relation_add(r->db, &again, &r->e));
    ok(relation_add(r->db, &b, &r->e));
    ok(relation_list(r->db, &r->a, r->connection, STR("ticket"), STR("17"), &list, &n, &r->e));
    assert_int_equal(n, 2);
    assert_str(list[0].id, "4711");
    assert_str(list[1].id, "INV-2");
    assert_str(list[1].who, "agent 5");
    rig_sql(r, "UPDATE connection SET state = 5");
    ok(relation_list(r->db, &r->a, r->connection, STR("ticket"), STR("17"), &list, &n, &r->e));
    assert_int_equal(n, 2);
    rig_sql(r, "DELETE FROM link");
    ok(connection_delete(r->db, r->connection, &r->e));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM relation"), 0);
}

/* What was done to an erased record stays as a row, and says no more of whom or with what. */
static void an_erased_record_leaves_a_bare_row(void **state)
{
    struct rig *r = *state;
    struct erase_counts counts = {0};
    struct act mine = deed(r, "mine"), beside = deed(r, "beside"), other = deed(r, "other"), got = {0};
    struct relation made = relation(r, "4711");
    mine.kind = STR("contact");
    mine.after = STR("{\"name\":\"Ada\"}");
    beside.beside_kind = STR("contact");
    beside.beside_id = STR("a-1");
    made.kind = STR("contact");
    int64_t rec_b = rig_record(r, SIDE_B, "4711", "x"), rec_a = rig_record(r, SIDE_A, "a-1", "x");
    ok(act_add(r->db, &mine, &r->e));
    ok(act_add(r->db, &beside, &r->e));
    ok(act_add(r->db, &other, &r->e));
    ok(relation_add(r->db, &made, &r->e));
    ok(db_begin(r->db, &r->e));
    ok(erase_record(r->db, rec_b, &counts, &r->e));
    ok(erase_record(r->db, rec_a, &counts, &r->e));
    assert_int_equal(counts.acts, 3);
    ok(erase_word(r->db, STR("ada@example.com"), &counts, &r->e));
    ok(db_commit(r->db, &r->e));
    ok(act_find(r->db, &r->a, STR("mine"), &got, &r->e));
    assert_int_equal(got.record.n + got.person.n + got.after.n + got.beside_id.n, 0);
    assert_str(got.params, "{}");
    assert_str(got.who, "agent 5");
    ok(act_find(r->db, &r->a, STR("beside"), &got, &r->e));
    assert_int_equal(got.beside_id.n, 0);
    ok(act_find(r->db, &r->a, STR("other"), &got, &r->e));
    assert_str(got.record, "4711"); /* an invoice with the number of the contact */
    assert_str(got.params, "{\"to\":\"(erased)\"}");
    assert_int_equal(rig_number(r, "SELECT count(*) FROM relation"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(actions_are_those_told_last),
        UNIT(a_key_names_one_deed),
        UNIT(what_is_open_is_found_again),
        UNIT(old_ones_go_and_open_ones_stay),
        UNIT(relations_are_kept_once_and_go_with_their_connection),
        UNIT(an_erased_record_leaves_a_bare_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
