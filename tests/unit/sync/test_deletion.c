/* Deletions that travel, and all those that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bed.h"

/* Ann is known to both, and deletions travel. */
static struct twin_record *ann(struct bed *b, struct twin_record **of_b)
{
    struct twin_record *a = user_create(b->world, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_start(b);
    *of_b = bed_named(b->world, 1, KIND_CONTACT, "Ann");
    b->world->knobs.deletes = true;
    bed_set(b, "contact", "delete", "propagate");
    bed_run(b, 120 * US_PER_S);
    return a;
}

static void gone(struct world *w, struct twin_record *r, int state)
{
    r->state = state;
    r->modified_us = r->visible_us = w->now_us;
    snprintf(r->by, sizeof r->by, "eve");
}

static void read_whole(struct bed *b)
{
    struct err e = {0};
    struct sync_request full = {.connection = "c", .full = true};
    must(admin_sync_start(b->engine, &full, NULL, &e), &e);
    bed_run(b, 600 * US_PER_S);
}

/* What the history of the only contact pair says last. */
static json_t *last_change(struct bed *b)
{
    struct err e = {0};
    json_t *out = NULL, *row = NULL;
    for (int64_t pair = 1; pair < 10 && !row; pair++) {
        if (view_pair(b->db, pair, &out, &e) != TL_OK)
            continue;
        json_t *history = json_object_get(out, "history"), *one;
        size_t i;
        json_array_foreach(history, i, one) if (strcmp(json_string_value(json_object_get(one, "op")), "delete") == 0)
            row = json_incref(one);
        json_decref(out);
    }
    return row;
}

/* proves: V9 Q17 */
static void travels_and_is_told_of(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *of_b, *a = ann(b, &of_b);
    gone(w, a, TL_STATE_TRASHED);
    bed_run(b, 300 * US_PER_S);
    assert_int_equal(w->counts.deletes, 1);
    assert_int_equal(of_b->state, TL_STATE_TRASHED);
    json_t *row = last_change(b);
    assert_non_null(row);
    assert_string_equal(json_string_value(json_object_get(row, "to")), "b");
    json_t *fields = json_object_get(row, "fields"), *field;
    size_t i;
    bool named = false;
    json_array_foreach(fields, i, field)
    {
        assert_string_equal(json_string_value(json_object_get(field, "rule")), "deleted");
        assert_string_equal(json_string_value(json_object_get(field, "by")), "eve");
        named |= strcmp(json_string_value(json_object_get(field, "before")), "Ann") == 0;
    }
    assert_true(named);
    json_decref(row);
    bed_run(b, 86400 * US_PER_S);
    read_whole(b);
    assert_int_equal(w->counts.deletes, 1);
    assert_int_equal(bed_count(w, 0, KIND_CONTACT) + bed_count(w, 1, KIND_CONTACT), 0);
    assert_false(w->violated);
}

/* proves: V9 */
static void kept_unless_asked_for(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *of_b, *a = ann(b, &of_b);
    bed_set(b, "contact", "delete", "keep");
    gone(w, a, TL_STATE_TRASHED);
    bed_run(b, 300 * US_PER_S);
    bed_set(b, "contact", "delete", "propagate"); /* what was deleted before stays as it is */
    bed_run(b, 300 * US_PER_S);
    read_whole(b);
    bed_restart(b);
    bed_run(b, 300 * US_PER_S);
    assert_int_equal(w->counts.deletes, 0);
    assert_int_equal(of_b->state, TL_STATE_LIVE);
}

static void one_way_only(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *of_b, *a = ann(b, &of_b);
    bed_set(b, "contact", "delete", "b2a");
    gone(w, a, TL_STATE_TRASHED);
    bed_run(b, 300 * US_PER_S);
    assert_int_equal(w->counts.deletes, 0);
    struct twin_record *bob = user_create(w, 1, KIND_CONTACT, "bob@x.org", "Bob");
    bed_run(b, 300 * US_PER_S);
    gone(w, bob, TL_STATE_TRASHED);
    bed_run(b, 300 * US_PER_S);
    assert_int_equal(w->counts.deletes, 1);
    assert_int_equal(bed_named(w, 0, KIND_CONTACT, "Bob")->state, TL_STATE_TRASHED);
}

/* proves: S1-26 Q17 */
static void edited_since_is_brought_back(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *of_b, *a = ann(b, &of_b);
    gone(w, a, TL_STATE_TRASHED);
    user_edit(w, 1, KIND_CONTACT, of_b, F_TITLE, "still here");
    bed_run(b, 300 * US_PER_S);
    assert_int_equal(w->counts.deletes, 0);
    assert_int_equal(bed_count(w, 0, KIND_CONTACT), 1);
    assert_int_equal(of_b->state, TL_STATE_LIVE);
}

/* The survivor is edited between the last look and the delete: the read before it sees that. */
static void edited_in_the_last_moment(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *of_b, *a = ann(b, &of_b);
    bed_set(b, "contact", "every", "3600s");
    bed_run(b, 7300 * US_PER_S);
    gone(w, a, TL_STATE_TRASHED);
    snprintf(of_b->v[F_TITLE], TWIN_TEXT, "in the last moment");
    world_type(w, of_b->v[F_TITLE]);
    of_b->modified_us = w->now_us;
    of_b->visible_us = INT64_MAX; /* no list shows it yet */
    bed_run(b, 7300 * US_PER_S);
    assert_int_equal(w->counts.deletes, 0);
    assert_int_equal(of_b->state, TL_STATE_LIVE);
}

/* Not found by its id is not deleted: it may be hidden, or merged away without a word.
 * proves: V9 */
static void only_what_the_vendor_tells(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *of_b, *a = ann(b, &of_b);
    a->visible_us = INT64_MAX; /* no page shows it; a whole reading misses it and asks for it by its id */
    a->state = TL_STATE_DELETED;
    read_whole(b);
    assert_int_equal(w->counts.deletes, 0);
    assert_int_equal(of_b->state, TL_STATE_LIVE);
}

/* One that a whole reading missed is not sent on either when it turns out to lie in the bin. */
static void missed_by_a_whole_reading(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *of_b, *a = ann(b, &of_b);
    a->visible_us = INT64_MAX;
    a->state = TL_STATE_TRASHED;
    read_whole(b);
    bed_run(b, 600 * US_PER_S);
    assert_int_equal(w->counts.deletes, 0);
    assert_int_equal(of_b->state, TL_STATE_LIVE);
}

static void merged_is_not_deleted(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *of_b, *a = ann(b, &of_b);
    struct twin_record *other = user_create(w, 0, KIND_CONTACT, "anna@x.org", "Anna");
    bed_run(b, 300 * US_PER_S);
    user_merge(w, 0, a, other);
    bed_run(b, 600 * US_PER_S);
    assert_int_equal(w->counts.deletes, 0);
    assert_int_equal(of_b->state, TL_STATE_LIVE);
}

/* A duplicate was cleaned away: the other one stands for Ann now, and a person is asked. */
static void one_of_two(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *of_b, *a = ann(b, &of_b);
    user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann again");
    bed_run(b, 300 * US_PER_S);
    gone(w, a, TL_STATE_TRASHED);
    bed_run(b, 600 * US_PER_S);
    assert_int_equal(w->counts.deletes, 0);
    assert_int_equal(of_b->state, TL_STATE_LIVE);
    assert_int_equal(bed_failures_of(b, "SUSPECTED_MERGE"), 1);
}

/* proves: Q17 */
static void put_back_by_a_person(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *of_b, *a = ann(b, &of_b);
    gone(w, a, TL_STATE_TRASHED);
    bed_run(b, 300 * US_PER_S);
    assert_int_equal(w->counts.deletes, 1);
    of_b->restored = true;
    gone(w, of_b, TL_STATE_LIVE);
    bed_run(b, 300 * US_PER_S);
    read_whole(b);
    assert_int_equal(w->counts.deletes, 1); /* not a second time */
    a->restored = true;
    gone(w, a, TL_STATE_LIVE);
    bed_run(b, 300 * US_PER_S);
    gone(w, of_b, TL_STATE_TRASHED);
    bed_run(b, 300 * US_PER_S);
    assert_int_equal(w->counts.deletes, 2); /* but when it is deleted anew */
    assert_int_equal(a->state, TL_STATE_TRASHED);
}

/* proves: V15 */
static void while_paused(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    struct twin_record *of_b, *a = ann(b, &of_b);
    must(admin_connection_pause(b->engine, "c", NULL, &e), &e);
    gone(w, a, TL_STATE_TRASHED);
    bed_run(b, 600 * US_PER_S);
    assert_int_equal(w->counts.deletes, 0);
    must(admin_connection_resume(b->engine, "c", NULL, &e), &e);
    bed_run(b, 600 * US_PER_S);
    assert_int_equal(w->counts.deletes, 1);
    assert_int_equal(of_b->state, TL_STATE_TRASHED);
}

/* Enabled again both sides are read whole: what was deleted meanwhile nobody watched. */
static void while_disabled(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    struct twin_record *of_b, *a = ann(b, &of_b);
    must(admin_connection_disable(b->engine, "c", NULL, &e), &e);
    gone(w, a, TL_STATE_TRASHED);
    bed_run(b, 600 * US_PER_S);
    must(admin_connection_enable(b->engine, "c", NULL, &e), &e);
    bed_run(b, 600 * US_PER_S);
    assert_int_equal(w->counts.deletes, 0);
    assert_int_equal(of_b->state, TL_STATE_LIVE);
}

static void answer_lost(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *of_b, *a = ann(b, &of_b);
    w->faults = true;
    w->knobs.unknown_pct = 70;
    gone(w, a, TL_STATE_TRASHED);
    for (int i = 0; i < 10; i++) {
        bed_run(b, 60 * US_PER_S);
        bed_restart(b);
    }
    w->faults = false;
    bed_run(b, 900 * US_PER_S);
    assert_int_equal(of_b->state, TL_STATE_TRASHED);
    assert_int_equal(w->counts.deletes, 1);
}

static int refused(struct bed *b, const struct admin_setting *list, unsigned n, const char *words)
{
    struct err e = {0};
    int rc = admin_link_set(b->engine, "c", "contact", list, n, NULL, &e);
    assert_non_null(strstr(e.text, words));
    assert_true(e.hint[0]);
    return rc;
}

static void refused_where_it_cannot_be(void **state)
{
    struct bed *b = *state;
    struct err e = {0};
    const struct admin_setting undone[] = {{"delete", "propagate"}, {"restore_on", "read_or_update"}};
    assert_int_equal(refused(b, undone, 2, "cannot both be sent on and be undone"), E_USAGE);
    const struct admin_setting against[] = {{"delete", "b2a"}, {"direction", "a2b"}};
    assert_int_equal(refused(b, against, 2, "does not write to side a"), E_USAGE);
    b->world->knobs.can[1][KIND_CONTACT] &= ~(uint32_t)TL_CAN_DELETE;
    int before = b->checked;
    must(admin_endpoint_check(b->engine, "sales", bed_checked, b, &e), &e);
    while (b->checked == before) {
        engine_turn(b->engine, 0);
        twin_step(&b->twin);
    }
    const struct admin_setting both = {"delete", "propagate"};
    assert_int_equal(refused(b, &both, 1, "\"sales\" cannot delete a \"contact\""), E_USAGE);
    bed_set(b, "contact", "delete", "b2a");
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, bed_setup, bed_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(travels_and_is_told_of),
                                       T(kept_unless_asked_for),
                                       T(one_way_only),
                                       T(edited_since_is_brought_back),
                                       T(edited_in_the_last_moment),
                                       T(only_what_the_vendor_tells),
                                       T(missed_by_a_whole_reading),
                                       T(merged_is_not_deleted),
                                       T(one_of_two),
                                       T(put_back_by_a_person),
                                       T(while_paused),
                                       T(while_disabled),
                                       T(answer_lost),
                                       T(refused_where_it_cannot_be)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
