/* Failures, conflicts, parked pairs (V18), held records, old ids. */
#include "rig.h"

static struct failure too_long(struct rig *r, const char *id, int64_t at_us)
{
    return (struct failure){.link = r->link,
                            .side = SIDE_A,
                            .id = str_of(id),
                            .code = STR("TOO_LONG"),
                            .reason = TL_R_TOO_LONG,
                            .field = STR("title"),
                            .text = STR("{}"),
                            .vendor_code = STR("STRING_TOO_LONG"),
                            .vendor_text = STR("data value too large"),
                            .last_us = at_us,
                            .retry = RETRY_ON_CHANGE};
}

static void a_failure_is_one_row_and_counts(void **state)
{
    struct rig *r = *state;
    struct failure f = too_long(r, "1", 10), again = too_long(r, "1", 20), other = too_long(r, "2", 30), got;
    ok(failure_note(r->db, &f, &r->e));
    again.vendor_text = STR("newer words");
    again.pair = 7;
    ok(failure_note(r->db, &again, &r->e));
    ok(failure_note(r->db, &other, &r->e));
    assert_int_equal(again.failure, f.failure);
    assert_int_equal(again.n, 2);
    assert_int_equal(again.first_us, 10);
    rig_reopen(r);
    ok(failure_get(r->db, &r->a, f.failure, &got, &r->e));
    assert_int_equal(got.n, 2);
    assert_int_equal(got.first_us, 10);
    assert_int_equal(got.last_us, 20);
    assert_int_equal(got.pair, 7);
    assert_int_equal(got.reason, TL_R_TOO_LONG);
    assert_str(got.id, "1");
    assert_str(got.field, "title");
    assert_str(got.vendor_text, "newer words");
    assert_int_equal(got.retry, RETRY_ON_CHANGE);
    assert_int_equal(got.resolved_us, 0);
    struct failure_group *groups;
    size_t n;
    ok(failure_groups(r->db, &r->a, r->link, &groups, &n, &r->e));
    assert_int_equal(n, 1);
    assert_int_equal(groups[0].n, 2);
    assert_str(groups[0].code, "TOO_LONG");
}

static void a_record_that_is_fine_again_closes_its_own(void **state)
{
    struct rig *r = *state;
    struct failure one = too_long(r, "1", 10), two = too_long(r, "2", 20), paired = too_long(r, "3", 30);
    int64_t n;
    paired.pair = 5;
    ok(failure_note(r->db, &one, &r->e));
    ok(failure_note(r->db, &two, &r->e));
    ok(failure_note(r->db, &paired, &r->e));
    ok(failure_count_open(r->db, r->link, SIDE_A, "TOO_LONG", &n, &r->e));
    assert_int_equal(n, 2);
    ok(failure_count_open(r->db, r->link, SIDE_B, "TOO_LONG", &n, &r->e));
    assert_int_equal(n, 0);
    static const char *const ids[] = {"1", "1", "3", "4"};
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        struct failure over = {.link = r->link,
                               .side = SIDE_A,
                               .id = str_of(ids[i]),
                               .code = STR("TOO_LONG"),
                               .resolved_us = 50,
                               .resolved_by = STR("sync")};
        ok(failure_resolve_record(r->db, &over, &n, &r->e));
        assert_int_equal(n, i == 0);
    }
    struct failure got;
    ok(failure_get(r->db, &r->a, one.failure, &got, &r->e));
    assert_int_equal(got.resolved_us, 50);
    assert_str(got.resolved_by, "sync");
    ok(failure_count_open(r->db, r->link, SIDE_A, "TOO_LONG", &n, &r->e));
    assert_int_equal(n, 1);
}

static void what_heals_closes_itself_and_may_come_again(void **state)
{
    struct rig *r = *state;
    struct failure f = too_long(r, "1", 10), *list;
    int64_t n_closed;
    size_t n;
    f.pair = 5;
    ok(failure_note(r->db, &f, &r->e));
    ok(failure_resolve_pair(r->db, 5, STR("sync"), 50, &n_closed, &r->e));
    assert_int_equal(n_closed, 1);
    ok(failure_resolve_pair(r->db, 5, STR("sync"), 60, &n_closed, &r->e));
    assert_int_equal(n_closed, 0);
    struct failure_filter open = {.link = r->link}, all = {.link = r->link, .with_resolved = true},
                          mine = {.pair = 5, .code = STR("TOO_LONG")};
    ok(failure_list(r->db, &r->a, &open, 9, &list, &n, &r->e));
    assert_int_equal(n, 0);
    ok(failure_list(r->db, &r->a, &all, 9, &list, &n, &r->e));
    assert_int_equal(n, 1);
    assert_int_equal(list[0].resolved_us, 50);
    assert_str(list[0].resolved_by, "sync");
    struct failure again = too_long(r, "1", 70);
    again.pair = 5;
    ok(failure_note(r->db, &again, &r->e));
    assert_int_not_equal(again.failure, f.failure);
    ok(failure_list(r->db, &r->a, &mine, 9, &list, &n, &r->e));
    assert_int_equal(n, 1);
    ok(failure_resolve(r->db, again.failure, STR("uid 0"), 80, &r->e));
    assert_int_equal(failure_resolve(r->db, again.failure, STR("uid 0"), 80, &r->e), TL_E_NOT_FOUND);
    bool done = false;
    ok(failure_trim(r->db, 60, 9, &done, &r->e));
    assert_true(done);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM failure"), 1);
}

static int64_t resolved_at(void **state, const struct failure *f)
{
    struct rig *r = *state;
    struct failure got;
    ok(failure_get(r->db, &r->a, f->failure, &got, &r->e));
    return got.resolved_us;
}

static void one_reason_of_a_pair(void **state)
{
    struct rig *r = *state;
    struct failure first = too_long(r, "1", 10), second = too_long(r, "1", 20), other = too_long(r, "2", 20);
    first.pair = second.pair = 5;
    other.pair = 6;
    second.code = STR("MANDATORY");
    ok(failure_note(r->db, &first, &r->e));
    ok(failure_note(r->db, &second, &r->e));
    ok(failure_note(r->db, &other, &r->e));
    ok(failure_resolve_others(r->db, &second, STR("sync"), 30, &r->e));
    assert_int_equal(resolved_at(state, &first), 30);
    assert_int_equal(resolved_at(state, &second), 0);
    assert_int_equal(resolved_at(state, &other), 0);
}

/* Of records without a pair: those that a whole reading did not meet again, and all of one that is gone. */
static void of_records_that_are_gone(void **state)
{
    struct rig *r = *state;
    struct failure early = too_long(r, "1", 10), late = too_long(r, "2", 20), paired = too_long(r, "3", 10);
    struct failure over = {.link = r->link, .side = SIDE_A, .code = early.code, .resolved_us = 40};
    int64_t n = 0;
    paired.pair = 5;
    ok(failure_note(r->db, &early, &r->e));
    ok(failure_note(r->db, &late, &r->e));
    ok(failure_note(r->db, &paired, &r->e));
    ok(failure_resolve_unmet(r->db, &over, 20, &r->e));
    assert_int_equal(resolved_at(state, &early), 40);
    assert_int_equal(resolved_at(state, &late), 0);
    over = (struct failure){.link = r->link, .side = SIDE_A, .id = STR("2"), .resolved_us = 50};
    ok(failure_resolve_record(r->db, &over, &n, &r->e));
    assert_int_equal(n, 1);
    assert_int_equal(resolved_at(state, &late), 50);
    assert_int_equal(resolved_at(state, &paired), 0);
}

static void conflicts_hold_both_values(void **state)
{
    struct rig *r = *state;
    int64_t pair = rig_pair(r, rig_record(r, SIDE_A, "1", "x"), 0);
    struct conflict c = {.pair = pair, .map_no = 2, .value = {STR("a"), STR("b")}, .base = STR("o"), .at_us = 3}, *list;
    size_t n;
    ok(conflict_put(r->db, &c, &r->e));
    c.value[SIDE_B] = STR("bb");
    ok(conflict_put(r->db, &c, &r->e));
    c.map_no = 3;
    ok(conflict_put(r->db, &c, &r->e));
    ok(conflict_list(r->db, &r->a, r->link, 0, 9, &list, &n, &r->e));
    assert_int_equal(n, 2);
    assert_str(list[0].value[SIDE_A], "a");
    assert_str(list[0].value[SIDE_B], "bb");
    assert_str(list[0].base, "o");
    struct link_tally t;
    ok(link_count(r->db, r->link, &t, &r->e));
    assert_int_equal(t.conflicts, 2);
    ok(conflict_drop(r->db, pair, 2, &r->e));
    ok(conflict_list(r->db, &r->a, 0, pair, 9, &list, &n, &r->e));
    assert_int_equal(n, 1);
    ok(conflict_drop(r->db, pair, 0, &r->e));
    ok(conflict_list(r->db, &r->a, 0, pair, 9, &list, &n, &r->e));
    assert_int_equal(n, 0);
}

/* V18: a parked pair has a row, and goes on when the last thing it waits for is there. */
static void a_parked_pair_wakes_when_all_it_waits_for_is_there(void **state)
{
    struct rig *r = *state;
    int64_t pair = rig_pair(r, rig_record(r, SIDE_A, "1", "x"), 0), n;
    struct pair p;
    ok(pair_get(r->db, &r->a, pair, &p, &r->e));
    p.status = PAIR_PARKED;
    ok(pair_store(r->db, &p, &r->e));
    struct parked one = {.pair = pair, .map_no = 1, .dep_link = 9, .dep_side = SIDE_A, .dep_id = STR("70"), .at_us = 5};
    struct parked two = one, *list;
    size_t count;
    two.map_no = 2;
    two.dep_id = STR("acc");
    ok(parked_put(r->db, &one, &r->e));
    ok(parked_put(r->db, &two, &r->e));
    ok(parked_list_of_pair(r->db, &r->a, pair, &list, &count, &r->e));
    assert_int_equal(count, 2);
    assert_str(list[0].dep_id, "70");
    ok(parked_for(r->db, &r->a, 9, 0, 9, &list, &count, &r->e));
    assert_int_equal(count, 2);
    ok(parked_for(r->db, &r->a, 9, pair, 9, &list, &count, &r->e));
    assert_int_equal(count, 0);
    ok(parked_for(r->db, &r->a, 8, 0, 9, &list, &count, &r->e)); /* another link's */
    assert_int_equal(count, 0);
    ok(parked_wake(r->db, 9, SIDE_B, STR("70"), LANE_LIVE, 20, &n, &r->e)); /* the other side's id: nobody */
    assert_int_equal(n, 0);
    ok(parked_wake(r->db, 9, SIDE_A, STR("70"), LANE_LIVE, 20, &n, &r->e));
    assert_int_equal(n, 1);
    ok(pair_get(r->db, &r->a, pair, &p, &r->e));
    assert_int_equal(p.status, PAIR_PARKED); /* still waits for the other */
    ok(parked_wake(r->db, 9, SIDE_A, STR("acc"), LANE_LIVE, 20, &n, &r->e));
    ok(pair_get(r->db, &r->a, pair, &p, &r->e));
    assert_int_equal(p.status, PAIR_OK);
    assert_int_equal(p.due_us, 20);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM parked"), 0);
    ok(parked_put(r->db, &one, &r->e));
    ok(parked_drop(r->db, pair, &r->e));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM parked"), 0);
}

static void held_records_wait_for_their_pair(void **state)
{
    struct rig *r = *state;
    int64_t rec = rig_record(r, SIDE_B, "1", "x");
    struct held h = {.link = r->link, .side = SIDE_B, .rec = rec, .pair = 4, .why = STR("intent"), .at_us = 5}, got,
                *list;
    size_t n;
    ok(held_put(r->db, &h, &r->e));
    h.why = STR("orphaned_stamp");
    ok(held_put(r->db, &h, &r->e));
    ok(held_get(r->db, &r->a, r->link, rec, &got, &r->e));
    assert_str(got.why, "orphaned_stamp");
    assert_int_equal(got.side, SIDE_B);
    ok(held_list(r->db, &r->a, 0, 4, 9, &list, &n, &r->e));
    assert_int_equal(n, 1);
    ok(held_list(r->db, &r->a, r->link, 0, 9, &list, &n, &r->e));
    assert_int_equal(n, 1);
    ok(held_waiting(r->db, &r->a, r->link, SIDE_B, STR("orphaned_stamp"), 9, &list, &n, &r->e));
    assert_int_equal(n, 1);
    ok(held_waiting(r->db, &r->a, r->link, -1, STR("orphaned_stamp"), 9, &list, &n, &r->e));
    assert_int_equal(n, 1);
    ok(held_waiting(r->db, &r->a, r->link, SIDE_A, STR("orphaned_stamp"), 9, &list, &n, &r->e));
    assert_int_equal(n, 0);
    ok(held_waiting(r->db, &r->a, r->link, -1, STR("intent"), 9, &list, &n, &r->e));
    assert_int_equal(n, 0);
    assert_int_equal(record_delete(r->db, rec, &r->e), E_PRECONDITION);
    ok(held_drop(r->db, r->link, rec, &r->e));
    assert_int_equal(held_get(r->db, &r->a, r->link, rec, &got, &r->e), TL_E_NOT_FOUND);
}

/* A record put aside keeps the base it had, whatever is observed of it later. */
static void an_old_id_keeps_its_base(void **state)
{
    struct rig *r = *state;
    int64_t rec = rig_record(r, SIDE_B, "1", "agreed");
    struct old_id o = {.link = r->link,
                       .rec = rec,
                       .pair = 3,
                       .side = SIDE_B,
                       .gen = 2,
                       .why = STR("recreated"),
                       .base = {.kind = BASE_SAME},
                       .at_us = 5},
                  got, *list;
    size_t n;
    assert_int_equal(old_id_get(r->db, &r->a, r->link, rec, &got, &r->e), TL_E_NOT_FOUND);
    ok(old_id_put(r->db, &o, &r->e));
    struct record x;
    ok(record_get(r->db, &r->a, rec, &x, &r->e));
    x.observation = rig_observation(r, "edited later");
    ok(record_put(r->db, &x, &r->e));
    ok(old_id_get(r->db, &r->a, r->link, rec, &got, &r->e));
    assert_int_equal(got.base.kind, BASE_OWN);
    assert_true(str_eq(got.base.blob, rig_observation(r, "agreed")));
    assert_false(got.damaged);
    assert_int_equal(got.gen, 2);
    assert_str(got.why, "recreated");
    rig_reopen(r);
    ok(old_id_get(r->db, &r->a, r->link, rec, &got, &r->e));
    o.base.kind = BASE_NONE;
    ok(old_id_put(r->db, &o, &r->e));
    ok(old_id_list(r->db, &r->a, 3, &list, &n, &r->e));
    assert_int_equal(n, 1);
    assert_int_equal(list[0].base.kind, BASE_NONE);
    ok(old_id_drop(r->db, r->link, rec, &r->e));
    assert_int_equal(old_id_get(r->db, &r->a, r->link, rec, &got, &r->e), TL_E_NOT_FOUND);
    o.rec = 999;
    o.base.kind = BASE_SAME;
    assert_int_equal(old_id_put(r->db, &o, &r->e), TL_E_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_record_that_is_fine_again_closes_its_own),
        UNIT(a_failure_is_one_row_and_counts),
        UNIT(what_heals_closes_itself_and_may_come_again),
        UNIT(one_reason_of_a_pair),
        UNIT(of_records_that_are_gone),
        UNIT(conflicts_hold_both_values),
        UNIT(a_parked_pair_wakes_when_all_it_waits_for_is_there),
        UNIT(held_records_wait_for_their_pair),
        UNIT(an_old_id_keeps_its_base),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
