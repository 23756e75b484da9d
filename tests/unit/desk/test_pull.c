/* Passes and changes of the desk connector: slices, ties, moves while reading, resuming, the recycle bin. */
#include "desk.h"
#include "portal.h"

static const int64_t T0 = INT64_C(1600000000000);

static void run_pass(struct portal *f, uint32_t pages_a_call)
{
    tl_error e;
    for (int calls = 0; !f->complete; calls++) {
        assert_true(calls < 5000);
        if (portal_pull(f, TL_PULL_PASS, pages_a_call, &e) != TL_OK)
            fail_msg("%s", e.text);
    }
}

static void assert_each_once(const struct portal *f)
{
    for (uint32_t i = 0; i < f->n; i++) {
        if (f->emitted[i] != 1)
            fail_msg("contact %u was emitted %u times", i, f->emitted[i]);
    }
}

static void test_pass_of_nothing(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    run_pass(f, 0);
    assert_int_equal(f->n_emitted, 0);
    portal_free(f);
}

/* proves: S1-17. Even, clustered and lonely creation times; every record once, few calls wasted. */
static void test_pass_meets_every_record_once(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    for (int i = 0; i < 6000; i++)
        portal_add(f, T0 + i * INT64_C(60000), T0);
    for (int i = 0; i < 5000; i++)
        portal_add(f, T0 + INT64_C(400000000) + i * 7, T0); /* an import: 5,000 within 35 s */
    portal_add(f, T0 + INT64_C(90000000000), T0);
    run_pass(f, 0);
    assert_each_once(f);
    assert_int_equal(f->n_full, f->n);
    assert_true(f->most_at_once > 1 && f->most_at_once <= 4);
    if (f->searches > f->n / 100 * 17 / 10)
        fail_msg("%u searches for %u records", f->searches, f->n);
    portal_free(f);
}

/* A first pass goes on where it stopped: after every single page. */
static void test_pass_resumes_within_a_page(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    for (int i = 0; i < 2500; i++)
        portal_add(f, T0 + (int64_t)i * i, T0);
    run_pass(f, 1);
    assert_each_once(f);
    portal_free(f);
}

static void test_pass_stops_when_the_host_says_so(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    tl_error e;
    for (int i = 0; i < 1500; i++)
        portal_add(f, T0 + i * 1000, T0);
    f->host.pages_left = 3;
    assert_int_equal(portal_pull(f, TL_PULL_PASS, 0, &e), TL_OK);
    assert_int_equal(f->host.n_checkpoints, 3);
    assert_false(f->complete);
    f->host.pages_left = -1;
    run_pass(f, 0);
    assert_each_once(f);
    portal_free(f);
}

/* More records in one millisecond than a search can reach, told apart by the other time. */
static void test_pass_with_a_crowded_millisecond(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    portal_add(f, T0 - 5000, T0);
    for (int i = 0; i < 3500; i++)
        portal_add(f, T0, T0 + i / 2);
    portal_add(f, T0 + 5000, T0);
    run_pass(f, 0);
    assert_each_once(f);
    portal_free(f);
}

static void test_pass_says_what_cannot_be_told_apart(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    tl_error e;
    for (int i = 0; i < 1200; i++)
        portal_add(f, T0, T0);
    assert_int_equal(portal_pull(f, TL_PULL_PASS, 0, &e), TL_E_UNSUPPORTED);
    assert_non_null(strstr(e.text, "1200 contacts"));
    portal_free(f);
}

static void trash_one_of_the_first(struct portal *f)
{
    if (f->searches == 4) { /* its slice is being read: all rows behind it move forward */
        f->contacts[3].trashed = true;
        f->contacts[3].deleted_ms = f->host.now_us / 1000;
    }
}

static void test_pass_jumps_over_nobody_when_rows_move(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    for (int i = 0; i < 550; i++)
        portal_add(f, T0 + i * 1000, T0);
    f->on_search = trash_one_of_the_first;
    run_pass(f, 0);
    for (uint32_t i = 0; i < f->n; i++) {
        if (i != 3 && f->emitted[i] == 0)
            fail_msg("contact %u was jumped over", i);
    }
    portal_free(f);
}

static void test_pass_where_only_99_rows_are_allowed(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    for (int i = 0; i < 700; i++)
        portal_add(f, T0 + i * 1000, T0);
    f->limit_max = 99;
    run_pass(f, 2);
    assert_each_once(f);
    portal_free(f);
}

static void test_pass_without_counts(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    for (int i = 0; i < 4000; i++)
        portal_add(f, T0 + i * INT64_C(1000), T0);
    f->no_count = true;
    run_pass(f, 0);
    for (uint32_t i = 0; i < f->n; i++)
        assert_true(f->emitted[i] >= 1);
    portal_free(f);
}

/* ---- changes */

static void poll_all(struct portal *f, uint32_t pages_a_call)
{
    tl_error e;
    f->complete = false;
    for (int calls = 0; !f->complete; calls++) {
        assert_true(calls < 5000);
        if (portal_pull(f, TL_PULL_CHANGES, pages_a_call, &e) != TL_OK)
            fail_msg("%s", e.text);
    }
}

static void clear_emitted(struct portal *f)
{
    memset(f->emitted, 0, sizeof(f->emitted));
    f->n_emitted = f->n_trashed = f->n_deleted = f->searches = 0;
}

static void test_changes_begin_now(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    int64_t now = f->host.now_us / 1000;
    portal_add(f, T0, now - 3600000);
    portal_add(f, T0, now - 60000); /* within the overlap */
    poll_all(f, 0);
    assert_int_equal(f->emitted[0], 0);
    assert_int_equal(f->emitted[1], 1);
    clear_emitted(f);
    f->host.now_us += INT64_C(600) * TLK_US_PER_S;
    f->contacts[0].modified_ms = f->host.now_us / 1000 - 1000;
    poll_all(f, 0);
    assert_int_equal(f->emitted[0], 1);
    assert_int_equal(f->emitted[1], 1); /* the overlap reads it again */
    clear_emitted(f);
    f->host.now_us += INT64_C(600) * TLK_US_PER_S;
    poll_all(f, 0);
    assert_int_equal(f->emitted[1], 0);
    portal_free(f);
}

/* A record whose change shows up late is met, as long as it is not later than the overlap. */
static void test_changes_meet_late_ones(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    portal_add(f, T0, T0);
    poll_all(f, 0);
    f->lag_ms = 90000;
    f->contacts[0].modified_ms = f->host.now_us / 1000 + 30000;
    f->host.now_us += INT64_C(60) * TLK_US_PER_S;
    poll_all(f, 0);
    assert_int_equal(f->emitted[0], 0);
    f->host.now_us += INT64_C(60) * TLK_US_PER_S;
    poll_all(f, 0);
    assert_int_equal(f->emitted[0], 1);
    portal_free(f);
}

/* The portal's clock counts: ours may be far ahead. */
static void test_changes_by_the_clock_of_the_vendor(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    f->server_skew_us = -INT64_C(600) * TLK_US_PER_S;
    portal_add(f, T0, (f->host.now_us + f->server_skew_us) / 1000 - 30000);
    poll_all(f, 0);
    assert_int_equal(f->emitted[0], 1);
    portal_free(f);
}

static void test_changes_after_a_long_pause(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    for (int i = 0; i < 3000; i++)
        portal_add(f, T0, T0);
    poll_all(f, 0);
    int64_t from = f->host.now_us / 1000;
    f->host.now_us += INT64_C(86400) * 20 * TLK_US_PER_S;
    for (int i = 0; i < 3000; i++)
        f->contacts[i].modified_ms = from + 1000 + (i < 2800 ? i * 3 : i * INT64_C(500000));
    poll_all(f, 1);
    for (uint32_t i = 0; i < f->n; i++) {
        if (f->emitted[i] != 1)
            fail_msg("contact %u was emitted %u times", i, f->emitted[i]);
    }
    portal_free(f);
}

/* A mass update gives many records one time: more than a page, and more than a search reaches. */
static void test_changes_with_one_time_for_all(void **state)
{
    (void)state;
    static const int sizes[] = {99, 100, 101, 450, 1500, 2600};
    for (size_t k = 0; k < TLK_LEN(sizes); k++) {
        struct portal *f = portal_new();
        for (int i = 0; i < sizes[k]; i++)
            portal_add(f, T0 + i * INT64_C(1000), T0);
        poll_all(f, 0);
        f->host.now_us += INT64_C(600) * TLK_US_PER_S;
        for (int i = 0; i < sizes[k]; i++)
            f->contacts[i].modified_ms = f->host.now_us / 1000 - 5000;
        poll_all(f, 1);
        for (uint32_t i = 0; i < f->n; i++) {
            if (f->emitted[i] == 0)
                fail_msg("contact %u of %u was jumped over", i, f->n);
        }
        portal_free(f);
    }
}

static void change_one_while_reading(struct portal *f)
{
    if (f->searches == 2) /* the first row of all moves behind the last */
        f->contacts[0].modified_ms = f->host.now_us / 1000 - 1;
}

static void test_changes_jump_over_nobody_when_rows_move(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    for (int i = 0; i < 350; i++)
        portal_add(f, T0, T0);
    poll_all(f, 0);
    f->host.now_us += INT64_C(600) * TLK_US_PER_S;
    for (int i = 0; i < 350; i++)
        f->contacts[i].modified_ms = f->host.now_us / 1000 - 400000 + i * 1000;
    f->searches = 0;
    f->on_search = change_one_while_reading;
    poll_all(f, 0);
    assert_int_equal(f->emitted[0], 2);
    for (uint32_t i = 1; i < f->n; i++)
        assert_true(f->emitted[i] >= 1);
    portal_free(f);
}

/* proves: S1-25 (deletions reach the host as such). They are seen, once, and so is a restore that touches no time. */
static void test_changes_tell_of_trash_and_restore(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    for (int i = 0; i < 130; i++)
        portal_add(f, T0, T0);
    poll_all(f, 0);
    f->host.now_us += INT64_C(60) * TLK_US_PER_S;
    for (int i = 0; i < 120; i++) {
        f->contacts[i].trashed = true;
        f->contacts[i].deleted_ms = f->host.now_us / 1000 - i;
    }
    poll_all(f, 0);
    assert_int_equal(f->n_trashed, 120);
    assert_true(tlk_is(f->last.by, "77"));
    f->host.now_us += INT64_C(30) * TLK_US_PER_S;
    poll_all(f, 0);
    assert_int_equal(f->n_trashed, 120);
    f->contacts[7].trashed = false;
    f->contacts[8].purged = true;
    f->host.now_us += INT64_C(400) * TLK_US_PER_S;
    clear_emitted(f);
    poll_all(f, 0);
    assert_int_equal(f->emitted[7], 1);
    assert_int_equal(f->emitted[8], 1);
    assert_int_equal(f->n_deleted, 1);
    assert_int_equal(f->n_emitted, 2);
    portal_free(f);
}

/* The order of the bin is not documented. */
static void test_changes_with_a_bin_in_another_order(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    f->bin_by_id = true;
    for (int i = 0; i < 300; i++)
        portal_add(f, T0, T0)->trashed = i < 200;
    for (int i = 0; i < 200; i++)
        f->contacts[i].deleted_ms = T0 + (i * 37) % 200; /* long ago, in no order */
    poll_all(f, 0);
    assert_int_equal(f->n_trashed, 0);
    f->contacts[250].trashed = true; /* the last entry */
    f->contacts[250].deleted_ms = f->host.now_us / 1000 + 1000;
    f->host.now_us += INT64_C(60) * TLK_US_PER_S;
    poll_all(f, 0);
    assert_int_equal(f->n_trashed, 1);
    assert_int_equal(f->emitted[250], 1);
    portal_free(f);
}

static void test_changes_without_the_right_to_the_bin(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    portal_add(f, T0, f->host.now_us / 1000 - 1000);
    f->bin_forbidden = true;
    poll_all(f, 0);
    assert_int_equal(f->n_emitted, 1);
    portal_free(f);
}

static void test_foreign_cursors_are_lost(void **state)
{
    (void)state;
    static const char *const cursors[] = {"garbage", "desk.pass.1", "desk.pass.9;lo=1", "desk.changes.1;lo=x",
                                          "desk.changes.1;lo"};
    for (size_t i = 0; i < TLK_LEN(cursors); i++) {
        for (int32_t mode = TL_PULL_CHANGES; mode <= TL_PULL_PASS; mode++) {
            struct portal *f = portal_new();
            tl_error e;
            portal_set_cursor(f, cursors[i]);
            tl_status rc = portal_pull(f, mode, 0, &e);
            bool own = mode == TL_PULL_PASS && strcmp(cursors[i], "desk.pass.1") == 0; /* no members: a beginning */
            assert_int_equal(rc, own ? TL_OK : TL_E_CURSOR_LOST);
            portal_free(f);
        }
    }
}

static void test_slices(void **state)
{
    (void)state;
    assert_int_equal(desk_slice_first(1000, 10), 1000);
    assert_int_equal(desk_slice_first(1000000, 60000), 10000);
    assert_int_equal(desk_slice_first(0, 5), 1);
    assert_int_equal(desk_slice_narrower(1000, 6000), 100);
    assert_int_equal(desk_slice_narrower(1, 6000), 1);
    assert_true(desk_slice_narrower(1000, 10) < 1000); /* always narrower while it can be */
    assert_int_equal(desk_slice_wider(1000, 0), 8000);
    assert_int_equal(desk_slice_wider(1000, 200), 3000);
    assert_int_equal(desk_slice_wider(1000, 900), 1000);
    assert_true(desk_slice_wider(INT64_MAX / 2, 0) > 0);
    assert_int_equal(desk_slice_end(5, 10, 100), 15);
    assert_int_equal(desk_slice_end(95, 10, 100), 100);
    assert_int_equal(desk_slice_end(500, 20000, 100000), 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slices),
        cmocka_unit_test(test_pass_of_nothing),
        cmocka_unit_test(test_pass_meets_every_record_once),
        cmocka_unit_test(test_pass_resumes_within_a_page),
        cmocka_unit_test(test_pass_stops_when_the_host_says_so),
        cmocka_unit_test(test_pass_with_a_crowded_millisecond),
        cmocka_unit_test(test_pass_says_what_cannot_be_told_apart),
        cmocka_unit_test(test_pass_jumps_over_nobody_when_rows_move),
        cmocka_unit_test(test_pass_where_only_99_rows_are_allowed),
        cmocka_unit_test(test_pass_without_counts),
        cmocka_unit_test(test_changes_begin_now),
        cmocka_unit_test(test_changes_meet_late_ones),
        cmocka_unit_test(test_changes_by_the_clock_of_the_vendor),
        cmocka_unit_test(test_changes_after_a_long_pause),
        cmocka_unit_test(test_changes_with_one_time_for_all),
        cmocka_unit_test(test_changes_jump_over_nobody_when_rows_move),
        cmocka_unit_test(test_changes_tell_of_trash_and_restore),
        cmocka_unit_test(test_changes_with_a_bin_in_another_order),
        cmocka_unit_test(test_changes_without_the_right_to_the_bin),
        cmocka_unit_test(test_foreign_cursors_are_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
