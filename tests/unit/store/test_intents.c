/* Intents: one a pair, settle in parts, unknown after a restart. */
#include "rig.h"

static struct intent make(struct rig *r, struct intent_entry *entries, size_t n)
{
    return (struct intent){.link = r->link,
                           .endpoint = r->endpoint[SIDE_B],
                           .side = SIDE_B,
                           .op = TL_OP_CREATE,
                           .lane = LANE_BULK,
                           .flags = 5,
                           .run = 6,
                           .map_gen = 7,
                           .made_us = 8,
                           .settle_us = 9,
                           .n = n,
                           .entries = entries};
}

static void every_member_comes_back(void **state)
{
    struct rig *r = *state;
    int64_t p1 = rig_pair(r, rig_record(r, SIDE_A, "1", "x"), 0), p2 = rig_pair(r, rig_record(r, SIDE_A, "2", "x"), 0);
    struct intent_entry entries[] = {
        {.pair = p1,
         .gen = 3,
         .id = STR("id"),
         .stamp = STR("st.amp"),
         .version = STR("v1"),
         .sent = STR("\x01\x02"),
         .source_hash = UINT64_MAX,
         .flags = 4},
        {.pair = p2},
    };
    struct intent in = make(r, entries, 2), out;
    ok(intent_open(r->db, &in, &r->e));
    rig_reopen(r);
    ok(intent_get(r->db, &r->a, in.intent, &out, &r->e));
    assert_int_equal(out.link, r->link);
    assert_int_equal(out.endpoint, r->endpoint[SIDE_B]);
    assert_int_equal(out.op, TL_OP_CREATE);
    assert_int_equal(out.lane, LANE_BULK);
    assert_int_equal(out.state, INTENT_PREPARED);
    assert_int_equal(out.flags, 5);
    assert_int_equal(out.run, 6);
    assert_int_equal(out.map_gen, 7);
    assert_int_equal(out.made_us, 8);
    assert_int_equal(out.settle_us, 9);
    assert_int_equal(out.n, 2);
    assert_int_equal(out.entries[0].gen, 3);
    assert_str(out.entries[0].id, "id");
    assert_str(out.entries[0].stamp, "st.amp");
    assert_str(out.entries[0].version, "v1");
    assert_str(out.entries[0].sent, "\x01\x02");
    assert_true(out.entries[0].source_hash == UINT64_MAX);
    assert_int_equal(out.entries[0].flags, 4);
    assert_int_equal(out.entries[1].pair, p2);
}

/* V2 */
static void a_pair_has_one_intent(void **state)
{
    struct rig *r = *state;
    struct intent_entry one = {.pair = rig_pair(r, rig_record(r, SIDE_A, "1", "x"), 0)};
    struct intent_entry both[] = {{.pair = rig_pair(r, rig_record(r, SIDE_A, "2", "x"), 0)}, one};
    struct intent first = make(r, &one, 1), second = make(r, both, 2);
    ok(intent_open(r->db, &first, &r->e));
    assert_int_equal(intent_open(r->db, &second, &r->e), E_EXISTS);
    assert_string_equal(r->e.code, "INTENT_OPEN");
    assert_int_equal(second.intent, 0);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM pair WHERE intent <> 0"), 1); /* all of it was rolled back */
    struct intent_entry nobody = {.pair = 4711};
    struct intent third = make(r, &nobody, 1);
    assert_int_equal(intent_open(r->db, &third, &r->e), TL_E_NOT_FOUND);
}

static void pairs_can_be_born_with_their_intent(void **state)
{
    struct rig *r = *state;
    ok(db_begin(r->db, &r->e));
    int64_t id = intent_reserve(r->db);
    struct pair p = {.link = r->link, .rec = {rig_record(r, SIDE_A, "1", "x"), 0}, .intent = id};
    ok(pair_insert(r->db, &p, &r->e));
    struct intent_entry entry = {.pair = p.pair, .born = true};
    struct intent i = make(r, &entry, 1);
    i.intent = id;
    ok(intent_open(r->db, &i, &r->e));
    ok(db_commit(r->db, &r->e));
    p.intent = 0; /* the copy from the insert is good for the outcome */
    p.rec[SIDE_B] = rig_record(r, SIDE_B, "9", "y");
    pair_set_base(&p, SIDE_B, BASE_SAME, (str){0});
    ok(pair_store(r->db, &p, &r->e));
    i.n = 0;
    ok(intent_settle(r->db, &i, NULL, 0, &r->e));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM intent"), 0);
}

static void a_batch_settles_in_parts(void **state)
{
    struct rig *r = *state;
    struct intent_entry entries[3];
    memset(entries, 0, sizeof entries);
    static const char *const ids[] = {"1", "2", "3"};
    for (int i = 0; i < 3; i++)
        entries[i].pair = rig_pair(r, rig_record(r, SIDE_A, ids[i], "x"), 0);
    struct intent i = make(r, entries, 3), left;
    ok(intent_open(r->db, &i, &r->e));
    ok(db_begin(r->db, &r->e)); /* the first is through, the second was refused, the third unknown */
    struct pair p;
    ok(pair_get(r->db, &r->a, entries[0].pair, &p, &r->e));
    p.intent = 0;
    ok(pair_store(r->db, &p, &r->e));
    struct intent rest = i;
    rest.entries = &entries[2];
    rest.n = 1;
    rest.state = INTENT_UNKNOWN;
    rest.settle_us = 1000;
    ok(intent_settle(r->db, &rest, &entries[1].pair, 1, &r->e));
    ok(db_commit(r->db, &r->e));
    ok(intent_get(r->db, &r->a, i.intent, &left, &r->e));
    assert_int_equal(left.n, 1);
    assert_int_equal(left.entries[0].pair, entries[2].pair);
    assert_int_equal(left.state, INTENT_UNKNOWN);
    assert_int_equal(left.settle_us, 1000);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM pair WHERE intent <> 0"), 1);
    int64_t n;
    ok(intent_unknown_count(r->db, r->link, SIDE_B, TL_OP_CREATE, &n, &r->e));
    assert_int_equal(n, 1);
    left.n = 0;
    ok(intent_settle(r->db, &left, &entries[2].pair, 1, &r->e));
    assert_int_equal(intent_get(r->db, &r->a, i.intent, &left, &r->e), TL_E_NOT_FOUND);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM pair WHERE intent <> 0"), 0);
}

static void a_restart_makes_prepared_ones_unknown(void **state)
{
    struct rig *r = *state;
    struct intent_entry entry = {.pair = rig_pair(r, rig_record(r, SIDE_A, "1", "x"), 0)};
    struct intent i = make(r, &entry, 1);
    ok(intent_open(r->db, &i, &r->e));
    rig_reopen(r);
    int64_t n;
    ok(intent_all_unknown(r->db, &n, &r->e));
    assert_int_equal(n, 1);
    struct intent *all;
    size_t count;
    ok(intent_list(r->db, &r->a, r->endpoint[SIDE_B], &all, &count, &r->e));
    assert_int_equal(count, 1);
    assert_int_equal(all[0].state, INTENT_UNKNOWN);
    ok(intent_list(r->db, &r->a, r->endpoint[SIDE_A], &all, &count, &r->e));
    assert_int_equal(count, 0);
    ok(intent_list(r->db, &r->a, 0, &all, &count, &r->e));
    assert_int_equal(count, 1);
}

static void a_damaged_intent_is_an_error(void **state)
{
    struct rig *r = *state;
    struct intent_entry entry = {.pair = rig_pair(r, rig_record(r, SIDE_A, "1", "x"), 0), .id = STR("abcdef")};
    struct intent i = make(r, &entry, 1), out;
    ok(intent_open(r->db, &i, &r->e));
    rig_sql(r, "UPDATE intent SET entries = CAST(replace(CAST(entries AS TEXT), 'abc', 'abd') AS BLOB)");
    assert_int_equal(intent_get(r->db, &r->a, i.intent, &out, &r->e), E_STORAGE);
    assert_string_equal(r->e.code, "STORAGE_CORRUPT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(every_member_comes_back),
        UNIT(a_pair_has_one_intent),
        UNIT(pairs_can_be_born_with_their_intent),
        UNIT(a_batch_settles_in_parts),
        UNIT(a_restart_makes_prepared_ones_unknown),
        UNIT(a_damaged_intent_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
