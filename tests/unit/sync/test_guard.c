/* Fights and merges: a field that goes back and forth, a record that is deleted again and again, two records of one
 * system that become one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bed.h"
#include "connections.h"
#include "pairs.h"

static struct twin_record *live_named(struct world *w, int s, const char *name)
{
    for (int i = 0; i < TWIN_RECORDS; i++) {
        struct twin_record *r = &w->rec[s][KIND_CONTACT][i];
        if (r->used && r->state == TL_STATE_LIVE && strcmp(r->v[F_NAME], name) == 0)
            return r;
    }
    return NULL;
}

/* An automation on each side writes its own value whenever the other one's arrives. */
static int fight(struct bed *b, struct twin_record *a, struct twin_record *of_b, int rounds)
{
    struct world *w = b->world;
    int turns = 0;
    for (int i = 0; i < rounds; i++) {
        char text[TWIN_TEXT];
        struct twin_record *from = i % 2 ? of_b : a, *to = i % 2 ? a : of_b;
        snprintf(text, sizeof text, "round %d", i);
        user_edit(w, i % 2, KIND_CONTACT, from, F_TITLE, text);
        bed_run(b, 70 * US_PER_S);
        turns += strcmp(to->v[F_TITLE], text) == 0;
    }
    return turns;
}

/* proves: Q5 */
static void a_loop_trips_and_is_released(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    struct twin_record *a = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_start(b);
    struct twin_record *of_b = bed_named(w, 1, KIND_CONTACT, "Ann");
    assert_int_equal(fight(b, a, of_b, 6), 4); /* the fifth is not written */
    assert_int_equal(bed_failures_of(b, "LOOP_TRIPPED"), 1);
    user_edit(w, 0, KIND_CONTACT, a, F_PHONE, "+4911111"); /* the pair rests as a whole */
    bed_run(b, 300 * US_PER_S);
    assert_string_equal(of_b->v[F_PHONE], "");
    struct failure_pick pick = {.code = "LOOP_TRIPPED"};
    must(admin_failure_retry(b->engine, &pick, NULL, &e), &e);
    bed_run(b, 300 * US_PER_S);
    assert_string_equal(a->v[F_TITLE], of_b->v[F_TITLE]);
    assert_string_equal(of_b->v[F_PHONE], "+4911111");
    assert_int_equal(bed_failures_of(b, "LOOP_TRIPPED"), 0);
}

static void a_loop_ends_by_itself_after_a_day(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *a = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_start(b);
    struct twin_record *of_b = bed_named(w, 1, KIND_CONTACT, "Ann");
    fight(b, a, of_b, 6);
    assert_string_not_equal(a->v[F_TITLE], of_b->v[F_TITLE]);
    bed_run(b, US_PER_DAY + 3600 * US_PER_S);
    assert_string_equal(a->v[F_TITLE], of_b->v[F_TITLE]);
    assert_int_equal(bed_failures_of(b, "LOOP_TRIPPED"), 0);
}

/* People who edit slowly do not fight. */
static void slow_turns_are_no_loop(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *a = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_start(b);
    struct twin_record *of_b = bed_named(w, 1, KIND_CONTACT, "Ann");
    for (int i = 0; i < 8; i++) {
        bed_run(b, 240 * US_PER_S);
        char text[TWIN_TEXT];
        snprintf(text, sizeof text, "slow %d", i);
        user_edit(w, i % 2, KIND_CONTACT, i % 2 ? of_b : a, F_TITLE, text);
        bed_run(b, 120 * US_PER_S);
        assert_string_equal(a->v[F_TITLE], text);
        assert_string_equal(of_b->v[F_TITLE], text);
    }
}

/* proves: S1-26 Q17 */
static void brought_back_twice_not_a_third_time(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *a = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_start(b);
    for (int i = 0; i < 4; i++) {
        char text[TWIN_TEXT];
        struct twin_record *made = live_named(w, 1, "Ann");
        if (made) {
            made->state = TL_STATE_DELETED;
            made->modified_us = w->now_us;
            made->visible_us = w->now_us;
        }
        bed_run(b, 300 * US_PER_S);
        snprintf(text, sizeof text, "edit %d", i);
        user_edit(w, 0, KIND_CONTACT, a, F_TITLE, text);
        bed_run(b, 300 * US_PER_S);
    }
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 0);
    assert_int_equal(bed_failures_of(b, "RECREATE_LOOP"), 1);
    assert_int_equal(w->counts.creates, 3); /* the first, and twice again */
}

/* proves: S1-20 */
static void a_merge_takes_the_pair_over(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *a = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_start(b);
    struct twin_record *lost = bed_named(w, 1, KIND_CONTACT, "Ann");
    struct twin_record *left = user_create(w, 1, KIND_CONTACT, "", "Anna");
    bed_run(b, 120 * US_PER_S);
    /* The one that is left has a counterpart of its own by now: its pair stays, the other one says so. */
    user_merge(w, 1, lost, left);
    bed_run(b, 300 * US_PER_S);
    assert_int_equal(bed_failures_of(b, "ALREADY_MAPPED"), 1);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 1);
    struct twin_record *counterpart = bed_named(w, 0, KIND_CONTACT, "Anna");
    assert_non_null(counterpart);
    /* The user merges on this side too: nothing is left to say. */
    user_merge(w, 0, a, counterpart);
    bed_run(b, 300 * US_PER_S);
    assert_int_equal(bed_failures_of(b, "ALREADY_MAPPED"), 0);
    assert_int_equal(bed_count(w, 0, KIND_CONTACT), 1);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 1);
}

/* As a first sync that was cancelled near its end leaves the store. */
static void first_sync_again(struct bed *b)
{
    AUTO(arena_done) struct arena a = {0};
    struct err e = {0};
    struct connection *c = NULL;
    struct link *list = NULL;
    size_t n = 0;
    must(connection_list(b->db, &a, &c, &n, &e), &e);
    c[0].state = CONN_READY;
    must(connection_update(b->db, &c[0], &e), &e);
    must(link_list(b->db, &a, 0, &list, &n, &e), &e);
    for (size_t i = 0; i < n; i++) {
        list[i].phase = 0;
        must(link_update(b->db, &list[i], &e), &e);
    }
    bed_restart(b);
    bed_start(b);
}

/* Its place in the pair is taken by the record that was made instead. proves: V1 */
static void a_record_back_from_the_bin_gets_no_second_pair(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    struct twin_record *a = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_start(b);
    struct twin_record *first = bed_named(w, 1, KIND_CONTACT, "Ann");
    first->state = TL_STATE_TRASHED;
    user_touch(w, 1, first);
    bed_run(b, 300 * US_PER_S);
    user_edit(w, 0, KIND_CONTACT, a, F_TITLE, "made again");
    bed_run(b, 300 * US_PER_S);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 1);
    must(admin_connection_pause(b->engine, "c", NULL, &e), &e);
    first->state = TL_STATE_LIVE;
    user_touch(w, 1, first);
    first_sync_again(b);
    assert_int_equal(bed_failures_of(b, "ALREADY_MAPPED"), 1);
    int64_t after = 0;
    bool end = false;
    AUTO(buf_done) struct buf findings = {0};
    must(pair_fsck(b->db, &after, 1000, &findings, &end, &e), &e);
    assert_string_equal(buf_text(&findings), "");
}

/* Its pair was looked at while the field could not be written; that it can be now was told in the middle of a first
 * sync. proves: V4 */
static void what_was_held_back_goes_on_in_a_first_sync_too(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    struct twin_record *a = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_start(b);
    w->drift[1] = 2;
    must(admin_endpoint_check(b->engine, "sales", bed_checked, b, &e), &e);
    bed_run(b, 60 * US_PER_S);
    user_edit(w, 0, KIND_CONTACT, a, F_EXTRA, "held back");
    bed_run(b, 300 * US_PER_S);
    struct twin_record *of_b = bed_named(w, 1, KIND_CONTACT, "Ann");
    assert_string_equal(of_b->v[F_EXTRA], "");
    w->drift[1] = 0;
    first_sync_again(b);
    assert_string_equal(of_b->v[F_EXTRA], "held back");
}

static void a_merge_into_one_that_is_not_mapped(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *a = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_set(b, "contact", "direction", "a2b");
    bed_start(b);
    struct twin_record *lost = bed_named(w, 1, KIND_CONTACT, "Ann");
    struct twin_record *left = user_create(w, 1, KIND_CONTACT, "", "Anna");
    bed_run(b, 120 * US_PER_S);
    user_merge(w, 1, lost, left);
    user_edit(w, 0, KIND_CONTACT, a, F_TITLE, "Director");
    bed_run(b, 300 * US_PER_S);
    assert_string_equal(left->v[F_TITLE], "Director");
    assert_int_equal(w->counts.creates, 1);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 1);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, bed_setup, bed_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_loop_trips_and_is_released),
        T(a_loop_ends_by_itself_after_a_day),
        T(slow_turns_are_no_loop),
        T(brought_back_twice_not_a_third_time),
        T(a_merge_takes_the_pair_over),
        T(a_record_back_from_the_bin_gets_no_second_pair),
        T(what_was_held_back_goes_on_in_a_first_sync_too),
        T(a_merge_into_one_that_is_not_mapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
