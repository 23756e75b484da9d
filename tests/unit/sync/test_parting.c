/* Linked by mistake and put right: what tieline wrote for the mistake is no edit of a person. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bed.h"

struct couple {
    struct twin_record *ann[2], *bea[2];
};

static struct twin_record *of_address(struct world *w, int s, const char *email)
{
    for (int i = 0; i < TWIN_RECORDS; i++) {
        struct twin_record *r = &w->rec[s][KIND_CONTACT][i];
        if (r->used && strcmp(r->v[F_EMAIL], email) == 0)
            return r;
    }
    fail_msg("nobody has the address %s", email);
    return NULL;
}

static int64_t pair_of(struct bed *b, const struct twin_record *r)
{
    struct err e = {0};
    json_t *found = NULL;
    must(view_pair_find(b->db, "c", r->id, &found, &e), &e);
    int64_t pair = json_integer_value(json_object_get(json_array_get(json_object_get(found, "items"), 0), "pair"));
    json_decref(found);
    return pair;
}

static void parted(struct bed *b, const struct twin_record *r)
{
    struct err e = {0};
    must(admin_pair_unlink(b->engine, pair_of(b, r), false, NULL, &e), &e);
}

static void linked(struct bed *b, const struct twin_record *one, const struct twin_record *two)
{
    struct err e = {0};
    struct pair_couple c = {.connection = "c", .kind = "contact", .id = {one->id, two->id}};
    must(admin_pair_link(b->engine, &c, false, NULL, &e), &e);
    bed_run(b, 900 * US_PER_S);
}

static void decided(struct bed *b, char take)
{
    struct err e = {0};
    struct conflict_pick pick = {.connection = "c", .kind = "contact", .take = take};
    must(admin_conflict_decide(b->engine, &pick, NULL, &e), &e);
    bed_run(b, 900 * US_PER_S);
}

static size_t conflicts(struct bed *b)
{
    struct err e = {0};
    json_t *list = NULL;
    must(view_conflicts(b->db, "c", "contact", 100, &list, &e), &e);
    size_t n = json_array_size(json_object_get(list, "items"));
    json_decref(list);
    return n;
}

/* Ann and Bea of the desk, each with the counterpart that was made for her. */
static struct couple two_pairs(struct bed *b)
{
    struct world *w = b->world;
    struct couple c;
    c.ann[0] = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    c.bea[0] = user_create(w, 0, KIND_CONTACT, "bea@x.org", "Bea");
    user_edit(w, 0, KIND_CONTACT, c.ann[0], F_TITLE, "Boss");
    user_edit(w, 0, KIND_CONTACT, c.bea[0], F_TITLE, "Clerk");
    user_edit(w, 0, KIND_CONTACT, c.ann[0], F_PHONE, "+551");
    user_edit(w, 0, KIND_CONTACT, c.bea[0], F_PHONE, "+552");
    bed_start(b);
    c.ann[1] = of_address(w, 1, "ann@x.org");
    c.bea[1] = of_address(w, 1, "bea@x.org");
    return c;
}

/* Bea's counterpart is linked to Ann by mistake, and gets Ann's values because a person says so. */
static struct couple mistaken(struct bed *b)
{
    struct couple c = two_pairs(b);
    parted(b, c.ann[0]);
    parted(b, c.bea[0]);
    linked(b, c.ann[0], c.bea[1]);
    assert_string_equal(c.ann[0]->v[F_TITLE], "Boss"); /* that Bea's was made later is no edit */
    assert_string_equal(c.bea[1]->v[F_TITLE], "Clerk");
    assert_int_equal(conflicts(b), 5);
    decided(b, 'a');
    assert_string_equal(c.bea[1]->v[F_TITLE], "Boss");
    assert_int_equal(conflicts(b), 0);
    parted(b, c.ann[0]);
    return c;
}

/* The cure asks, and overwrites nothing by itself: what stands there was written later, but by us and from Ann.
 * proves: V7 */
static void the_cure_overwrites_nothing(void **state)
{
    struct bed *b = *state;
    struct couple c = mistaken(b);
    linked(b, c.bea[0], c.bea[1]);
    assert_string_equal(c.bea[0]->v[F_TITLE], "Clerk");
    assert_string_equal(c.bea[0]->v[F_EMAIL], "bea@x.org");
    assert_string_equal(c.bea[1]->v[F_TITLE], "Boss");
    assert_int_equal(conflicts(b), 5);
    bed_restart(b);
    bed_run(b, 8 * US_PER_DAY);
    assert_int_equal(conflicts(b), 5);
    decided(b, 'a');
    assert_string_equal(c.bea[1]->v[F_TITLE], "Clerk");
    assert_string_equal(c.bea[1]->v[F_NAME], "Bea");
    assert_int_equal(conflicts(b), 0);
}

static void assert_pending(struct bed *b, const struct twin_record *r, const char *what)
{
    struct err e = {0};
    json_t *shown = NULL, *row;
    size_t i;
    must(view_pair(b->db, pair_of(b, r), &shown, &e), &e);
    json_array_foreach(json_object_get(shown, "fields"), i, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "a_field")), "title") != 0)
            continue;
        const json_t *pending = json_object_get(row, "pending");
        assert_string_equal(json_string_value(json_object_get(pending, "what")), what);
    }
    json_decref(shown);
}

/* The same for records that were parted, linked and parted again before anybody decided; `pair show` says it too. */
static void parted_twice(void **state)
{
    struct bed *b = *state;
    struct couple c = mistaken(b);
    linked(b, c.bea[0], c.bea[1]);
    assert_pending(b, c.bea[0], "conflict");
    parted(b, c.bea[0]);
    linked(b, c.bea[0], c.bea[1]);
    assert_int_equal(conflicts(b), 5);
    assert_string_equal(c.bea[0]->v[F_TITLE], "Clerk");
    assert_string_equal(c.bea[1]->v[F_TITLE], "Boss");
}

/* What a person edits after the mistake is an edit like any other: the later one wins, on either side, and a value that
 * nobody touched does not come along with it.
 * proves: S1-22 V7 */
static void edits_of_people_count(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct couple c = mistaken(b);
    bed_run(b, 900 * US_PER_S);
    user_edit(w, 0, KIND_CONTACT, c.bea[0], F_TITLE, "Head clerk");
    bed_run(b, 900 * US_PER_S);
    user_edit(w, 1, KIND_CONTACT, c.bea[1], F_PHONE, "+559");
    bed_run(b, 900 * US_PER_S);
    linked(b, c.bea[0], c.bea[1]);
    assert_string_equal(c.bea[0]->v[F_PHONE], "+559");
    assert_string_equal(c.bea[0]->v[F_NAME], "Bea"); /* Ann's name over there is no edit, the phone was */
    assert_string_equal(c.bea[0]->v[F_TITLE], "Head clerk");
    assert_string_equal(c.bea[1]->v[F_TITLE], "Boss");
    assert_int_equal(conflicts(b), 4);
    user_edit(w, 0, KIND_CONTACT, c.bea[0], F_TITLE, "Chair");
    bed_run(b, 900 * US_PER_S);
    assert_string_equal(c.bea[1]->v[F_TITLE], "Chair");
    assert_int_equal(conflicts(b), 3);
    for (int i = 0; i < TWIN_FIELDS; i++)
        user_edit(w, 0, KIND_CONTACT, c.bea[0], i, c.bea[1]->v[i]);
    bed_run(b, 900 * US_PER_S);
    assert_int_equal(conflicts(b), 0);
}

/* Crossed pairs that are exchanged are parted too. */
static void swapped(void **state)
{
    struct bed *b = *state;
    struct err e = {0};
    struct couple c = two_pairs(b);
    int64_t pairs[2] = {pair_of(b, c.ann[0]), pair_of(b, c.bea[0])};
    must(admin_pair_swap(b->engine, pairs, false, NULL, &e), &e);
    bed_run(b, 900 * US_PER_S);
    assert_int_equal(conflicts(b), 10);
    assert_string_equal(c.ann[0]->v[F_TITLE], "Boss");
    assert_string_equal(c.ann[1]->v[F_TITLE], "Boss");
    decided(b, 'a');
    assert_string_equal(c.ann[1]->v[F_TITLE], "Clerk");
    must(admin_pair_swap(b->engine, pairs, false, NULL, &e), &e);
    bed_run(b, 900 * US_PER_S);
    assert_int_equal(conflicts(b), 10);
    assert_string_equal(c.ann[0]->v[F_TITLE], "Boss");
    assert_string_equal(c.ann[1]->v[F_TITLE], "Clerk");
}

/* History has forgotten who wrote it, not that it may have been us. */
static void history_is_forgotten(void **state)
{
    struct bed *b = *state;
    struct couple c = two_pairs(b);
    user_edit(b->world, 0, KIND_CONTACT, c.bea[0], F_TITLE, "Chair");
    bed_run(b, 40 * US_PER_DAY);
    assert_string_equal(c.bea[1]->v[F_TITLE], "Chair");
    parted(b, c.ann[0]);
    parted(b, c.bea[0]);
    linked(b, c.ann[0], c.bea[1]);
    assert_string_equal(c.ann[0]->v[F_TITLE], "Boss");
    assert_int_equal(conflicts(b), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_cure_overwrites_nothing, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(parted_twice, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(edits_of_people_count, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(swapped, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(history_is_forgotten, bed_setup, bed_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
