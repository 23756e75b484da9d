/* What a created record is marked with, where one source record has several targets of one kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bed.h"
#include "engine_int.h"
#include "writing.h"

static struct g_link *contacts(struct bed *b)
{
    struct g_link *l = b->engine->links;
    while (l && !str_is(l->row.name, "contact"))
        l = l->next;
    assert_non_null(l);
    return l;
}

static void set_up(struct bed *b)
{
    bed_set(b, "contact", "direction", "a2b");
    bed_set(b, "contact", "match", "off");
}

static int64_t record_of(struct bed *b, int s, const char *id)
{
    AUTO(arena_done) struct arena a = {0};
    struct err e = {0};
    struct record rec = {0};
    must(record_find(b->db, &a, contacts(b)->feed[s]->row.feed, str_of(id), &rec, &e), &e);
    return rec.rec;
}

static const char *const slots[] = {"", "done", "open"};

/* Ann gets a target for each name beside the one she has. */
static struct twin_record *ann_with_three(struct bed *b)
{
    struct world *w = b->world;
    struct err e = {0};
    set_up(b);
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    user_create(w, 0, KIND_CONTACT, "bob@x.org", "Bob");
    bed_start(b);
    for (size_t i = 1; i < ARRAY_LEN(slots); i++) {
        struct pair p = {.link = contacts(b)->row.link,
                         .rec = {record_of(b, 0, ann->id), 0},
                         .slot = str_of(slots[i]),
                         .due_us = w->now_us,
                         .made_us = w->now_us};
        must(pair_insert(b->db, &p, &e), &e);
    }
    link_lanes_stale(contacts(b));
    bed_run(b, 600 * US_PER_S);
    return ann;
}

/* The id of the record at sales with that stamp. */
static const char *marked(struct world *w, const char *stamp)
{
    for (int i = 0; i < TWIN_RECORDS; i++)
        if (w->rec[1][KIND_CONTACT][i].used && strcmp(w->rec[1][KIND_CONTACT][i].stamp, stamp) == 0)
            return w->rec[1][KIND_CONTACT][i].id;
    fail_msg("nothing is marked with %s", stamp);
    return NULL;
}

static const char *target_of(struct bed *b, const struct twin_record *source, const char *slot)
{
    char stamp[40];
    stamp_of(b->engine, contacts(b), 0, &(struct origin){.id = str_of(source->id), .slot = str_of(slot)}, stamp);
    return marked(b->world, stamp);
}

static void assert_paired(struct bed *b, const struct twin_record *source, const char *slot)
{
    AUTO(arena_done) struct arena a = {0};
    struct err e = {0};
    struct pair p = {0};
    must(
        pair_get_of_record(b->db, &a, contacts(b)->row.link, SIDE_A, record_of(b, 0, source->id), str_of(slot), &p, &e),
        &e);
    assert_int_equal(p.rec[1], record_of(b, 1, target_of(b, source, slot)));
}

/* Three targets are three records with three marks, and an edit reaches all of them. proves: V21 */
static void each_target_has_a_mark_of_its_own(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *ann = ann_with_three(b);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 4);
    for (size_t i = 0; i < ARRAY_LEN(slots); i++)
        assert_paired(b, ann, slots[i]);
    user_edit(w, 0, KIND_CONTACT, ann, F_TITLE, "Director");
    bed_run(b, 600 * US_PER_S);
    int directors = 0;
    for (int i = 0; i < TWIN_RECORDS; i++)
        directors += strcmp(w->rec[1][KIND_CONTACT][i].v[F_TITLE], "Director") == 0;
    assert_int_equal(directors, 3);
}

/* Made anew, the connection binds each record by its mark to the place it was made for, and makes none again.
 * proves: V21 */
static void bound_again_to_the_place_it_was_made_for(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    static const str names[] = {{0}, {"done", 4}, {"open", 4}};
    struct twin_record *ann = ann_with_three(b);
    must(admin_connection_pause(b->engine, "c", NULL, &e), &e);
    bed_run(b, 10 * US_PER_S);
    must(admin_connection_delete(b->engine, "c", true, NULL, &e), &e);
    bed_run(b, 10 * US_PER_S);
    must(admin_connection_create(b->engine, "c", "desk", "sales", NULL, &e), &e);
    must(admin_link_create(b->engine, "c", "contact", NULL, 0, NULL, &e), &e);
    set_up(b);
    must(admin_sync_start(b->engine, &(struct sync_request){.connection = "c"}, NULL, &e), &e);
    contacts(b)->slots = names;
    contacts(b)->n_slots = ARRAY_LEN(names);
    bed_run(b, 900 * US_PER_S);
    assert_int_equal(bed_failures_of(b, NULL), 0);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 4);
    for (size_t i = 0; i < ARRAY_LEN(slots); i++)
        assert_paired(b, ann, slots[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_target_has_a_mark_of_its_own, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(bound_again_to_the_place_it_was_made_for, bed_setup, bed_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
