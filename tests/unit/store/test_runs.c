/* Runs, counts, change rows, accounting (V14, Q24), retention. */
#include <stdio.h>

#include "rig.h"

static int64_t make_run(struct rig *r, int64_t made_us, int32_t state)
{
    struct run run = {.connection = r->connection,
                      .link = r->link,
                      .kind = RUN_LIVE,
                      .state = state,
                      .made_us = made_us,
                      .who = STR("engine"),
                      .total = -1};
    assert_int_equal_ok(run_create(r->db, &run, &r->e), &r->e, __FILE__, __LINE__);
    return run.run;
}

static void every_member_comes_back(void **state)
{
    struct rig *r = *state;
    struct run run;
    int64_t id = make_run(r, 5, RUN_RUNNING);
    ok(run_get(r->db, &r->a, id, &run, &r->e));
    assert_int_equal(run.total, -1);
    run.state = RUN_PARTIAL;
    run.started_us = 6;
    run.ended_us = 7;
    run.phase = STR("creating");
    run.done = 8;
    run.total = 9;
    run.error = STR("two failed");
    ok(run_update(r->db, &run, &r->e));
    rig_reopen(r);
    ok(run_get(r->db, &r->a, id, &run, &r->e));
    assert_int_equal(run.kind, RUN_LIVE);
    assert_int_equal(run.state, RUN_PARTIAL);
    assert_int_equal(run.made_us, 5);
    assert_int_equal(run.ended_us, 7);
    assert_str(run.phase, "creating");
    assert_str(run.who, "engine");
    assert_str(run.error, "two failed");
    assert_string_equal(history_state_name(run.state), "partial");
    assert_string_equal(run_kind_name(run.kind), "live");
    run.run = 99;
    assert_int_equal(run_update(r->db, &run, &r->e), TL_E_NOT_FOUND);
}

static void lists_are_newest_first_and_filter(void **state)
{
    struct rig *r = *state;
    int64_t a = make_run(r, 10, RUN_SUCCEEDED), b = make_run(r, 20, RUN_RUNNING), c = make_run(r, 30, RUN_FAILED);
    struct run *page;
    size_t n;
    struct run_filter f = {.connection = r->connection};
    ok(run_list(r->db, &r->a, &f, 2, &page, &n, &r->e));
    assert_int_equal(n, 2);
    assert_int_equal(page[0].run, c);
    f.before = page[1].run;
    ok(run_list(r->db, &r->a, &f, 2, &page, &n, &r->e));
    assert_int_equal(n, 1);
    assert_int_equal(page[0].run, a);
    struct run_filter recent = {.since_us = 15, .open_only = true};
    ok(run_list(r->db, &r->a, &recent, 9, &page, &n, &r->e));
    assert_int_equal(n, 1);
    assert_int_equal(page[0].run, b);
    struct run_filter elsewhere = {.connection = 99};
    ok(run_list(r->db, &r->a, &elsewhere, 9, &page, &n, &r->e));
    assert_int_equal(n, 0);
    ok(run_interrupt_all(r->db, &r->e));
    struct run run;
    ok(run_get(r->db, &r->a, b, &run, &r->e));
    assert_int_equal(run.state, RUN_INTERRUPTED);
}

static void counts_add_up(void **state)
{
    struct rig *r = *state;
    int64_t run = make_run(r, 1, RUN_RUNNING);
    struct run_count d = {.link = r->link, .to = SIDE_B, .added = 2, .failed = 1}, *all;
    size_t n;
    ok(run_count_add(r->db, run, &d, &r->e));
    d = (struct run_count){.link = r->link, .to = SIDE_B, .added = 3, .echo = 4};
    ok(run_count_add(r->db, run, &d, &r->e));
    d.to = SIDE_A;
    ok(run_count_add(r->db, run, &d, &r->e));
    ok(run_count_list(r->db, &r->a, run, &all, &n, &r->e));
    assert_int_equal(n, 2);
    assert_int_equal(all[1].to, SIDE_B);
    assert_int_equal(all[1].added, 5);
    assert_int_equal(all[1].failed, 1);
    assert_int_equal(all[1].echo, 4);
}

/* V14: first creates are counted by the pairs' run, everything else by change and failure rows. */
static void accounting_reads_pairs_changes_and_failures(void **state)
{
    struct rig *r = *state;
    int64_t run = make_run(r, 1, RUN_RUNNING), other = make_run(r, 2, RUN_RUNNING);
    for (int i = 0; i < 6; i++) {
        char id[8];
        snprintf(id, sizeof id, "%d", i + 1);
        struct pair p = {.link = r->link, .rec = {rig_record(r, SIDE_A, id, "x"), 0}, .run = i % 2 ? run : other};
        ok(pair_insert(r->db, &p, &r->e));
    }
    for (int i = 0; i < 4; i++) {
        struct change c = {.run = run,
                           .pair = 1,
                           .side = SIDE_B,
                           .op = i ? TL_OP_UPDATE : 0,
                           .id = STR("77"),
                           .fields = STR("f"),
                           .cause = STR("live"),
                           .at_us = i};
        ok(change_add(r->db, &c, &r->e));
    }
    struct failure f = {.link = r->link, .code = STR("TOO_LONG"), .run = run, .last_us = 1};
    ok(failure_note(r->db, &f, &r->e));
    int64_t creates, changes, failures;
    ok(run_accounting(r->db, run, &creates, &changes, &failures, &r->e));
    assert_int_equal(creates, 3);
    assert_int_equal(changes, 3); /* a conflict settled without a write is no write */
    assert_int_equal(failures, 1);
    struct change *rows;
    size_t n;
    ok(change_list_of_pair(r->db, &r->a, 1, 0, 2, &rows, &n, &r->e));
    assert_int_equal(n, 2);
    assert_int_equal(rows[0].at_us, 3);
    assert_str(rows[0].id, "77");
    assert_str(rows[0].fields, "f");
    ok(change_list_of_pair(r->db, &r->a, 1, rows[1].change, 9, &rows, &n, &r->e));
    assert_int_equal(n, 2);
    ok(change_list_of_run(r->db, &r->a, run, 0, 9, &rows, &n, &r->e));
    assert_int_equal(n, 4);
    assert_int_equal(rows[0].op, 0);
}

static void old_history_goes_open_runs_stay(void **state)
{
    struct rig *r = *state;
    make_run(r, 10, RUN_SUCCEEDED);
    int64_t open = make_run(r, 11, RUN_INTERRUPTED), young = make_run(r, 100, RUN_SUCCEEDED);
    for (int i = 0; i < 10; i++) {
        struct change c = {.run = 1, .pair = 1, .op = TL_OP_UPDATE, .cause = STR("live"), .at_us = i * 10};
        ok(change_add(r->db, &c, &r->e));
    }
    bool done = false;
    int slices = 0;
    for (; !done; slices++)
        ok(history_trim(r->db, 50, 2, &done, &r->e));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM change"), 5);
    assert_int_equal(rig_number(r, "SELECT min(at) FROM change"), 50);
    struct run run;
    ok(run_get(r->db, &r->a, open, &run, &r->e));
    ok(run_get(r->db, &r->a, young, &run, &r->e));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM run"), 2);
    assert_true(slices >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(every_member_comes_back),
        UNIT(lists_are_newest_first_and_filter),
        UNIT(counts_add_up),
        UNIT(accounting_reads_pairs_changes_and_failures),
        UNIT(old_history_goes_open_runs_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
