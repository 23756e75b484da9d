/* Pairs of a passport in the engine: bound before anything is created, also where a record is gone meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bed.h"
#include "connections.h"
#include "endpoints.h"
#include "pairs.h"
#include "passports.h"
#include "records.h"
#include "seal.h"

static void links(struct bed *b)
{
    struct err e = {0};
    must(admin_connection_create(b->engine, "c", "desk", "sales", NULL, &e), &e);
    must(admin_link_create(b->engine, "c", "contact", NULL, 0, NULL, &e), &e);
}

static void sync(struct bed *b)
{
    struct err e = {0};
    struct sync_request r = {.connection = "c"};
    must(admin_sync_start(b->engine, &r, NULL, &e), &e);
    bed_run(b, 900 * US_PER_S);
}

static size_t passport(struct bed *b, struct arena *a, struct passport_pair **out)
{
    struct err e = {0};
    struct connection c = {0};
    struct link l = {0};
    size_t n = 0;
    must(connection_find(b->db, a, STR("c"), &c, &e), &e);
    must(link_find(b->db, a, c.connection, STR("contact"), &l, &e), &e);
    must(passport_export(b->db, a, l.link, 0, 1000, out, &n, &e), &e);
    return n;
}

static void forget(struct bed *b)
{
    struct err e = {0};
    must(admin_connection_pause(b->engine, "c", NULL, &e), &e);
    bed_run(b, 10 * US_PER_S);
    must(admin_connection_delete(b->engine, "c", true, NULL, &e), &e);
    bed_run(b, 10 * US_PER_S);
}

static json_int_t put(struct bed *b, struct passport_pair *rows, size_t n, bool dry_run, const char *what)
{
    struct err e = {0};
    json_t *out = NULL;
    must(admin_passport_pairs(b->engine, "c", "contact", rows, n, dry_run, &out, &e), &e);
    json_t *member = json_object_get(out, what);
    json_int_t found = json_is_array(member) ? (json_int_t)json_array_size(member) : json_integer_value(member);
    json_decref(out);
    return found;
}

/* No e-mail, no marks: only the passport knows. One record was deleted while nobody looked, one pair went as a whole.
 * The survivor stays alone until it is edited; a restart in between changes nothing. proves: V5 Q1 */
static void bound_before_anything_is_made(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    AUTO(arena_done) struct arena a = {0};
    struct passport_pair *rows = NULL;
    links(b);
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "", "Ann");
    struct twin_record *eve = user_create(w, 0, KIND_CONTACT, "", "Eve");
    user_create(w, 0, KIND_CONTACT, "", "Zoe");
    sync(b);
    size_t n = passport(b, &a, &rows);
    assert_int_equal(n, 3);
    forget(b);
    for (int i = 0; i < TWIN_RECORDS; i++)
        for (int s = 0; s < 2; s++)
            w->rec[s][KIND_CONTACT][i].stamp[0] = 0;
    struct twin_record *gone = bed_named(w, 1, KIND_CONTACT, "Eve");
    gone->state = TL_STATE_DELETED;
    snprintf(gone->v[F_NAME], sizeof gone->v[F_NAME], "Gone");
    bed_named(w, 0, KIND_CONTACT, "Zoe")->state = TL_STATE_DELETED;
    bed_named(w, 1, KIND_CONTACT, "Zoe")->state = TL_STATE_DELETED;
    links(b);
    assert_int_equal(put(b, rows, n, true, "waiting"), 3);
    assert_int_equal(put(b, rows, n, false, "waiting"), 3);
    bed_restart(b);
    int64_t creates = w->counts.creates;
    sync(b);
    assert_int_equal(w->counts.creates, creates);
    assert_int_equal(bed_count(w, 0, KIND_CONTACT), 2);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 1);
    user_edit(w, 0, KIND_CONTACT, ann, F_TITLE, "Director");
    sync(b);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Ann")->v[F_TITLE], "Director");
    assert_int_equal(put(b, rows, 1, false, "known"), 1);
    user_edit(w, 0, KIND_CONTACT, eve, F_TITLE, "back");
    sync(b);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 2);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Eve")->v[F_TITLE], "back");
}

/* A blank never wins where nothing is agreed on yet; two pairs that cross what is paired now are told and left out. */
static void as_in_an_adoption(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    AUTO(arena_done) struct arena a = {0};
    struct passport_pair *rows = NULL;
    links(b);
    user_create(w, 0, KIND_CONTACT, "", "Ann");
    user_create(w, 0, KIND_CONTACT, "", "Eve");
    sync(b);
    assert_int_equal(passport(b, &a, &rows), 2);
    forget(b);
    for (int i = 0; i < TWIN_RECORDS; i++)
        w->rec[1][KIND_CONTACT][i].stamp[0] = 0;
    user_edit(w, 1, KIND_CONTACT, bed_named(w, 1, KIND_CONTACT, "Ann"), F_PHONE, "123");
    user_edit(w, 0, KIND_CONTACT, bed_named(w, 0, KIND_CONTACT, "Ann"), F_PHONE, "");
    links(b);
    put(b, rows, 2, false, "waiting");
    sync(b);
    assert_string_equal(bed_named(w, 0, KIND_CONTACT, "Ann")->v[F_PHONE], "123");
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 2);
    str first = rows[0].id[1];
    rows[0].id[1] = rows[1].id[1];
    rows[1].id[1] = first;
    assert_int_equal(put(b, rows, 2, false, "conflicts"), 2);
    assert_int_equal(put(b, rows, 2, false, "bound"), 0);
}

/* Taken in and given out while paused: nobody is asked and nothing is written before it goes on, also not after a
 * restart. proves: S1-53 */
static void taken_in_while_paused(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    AUTO(arena_done) struct arena a = {0};
    struct passport_pair *rows = NULL;
    struct passport_key other = {.instance = "abcdefgh", .key = {1, 2, 3}};
    links(b);
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "", "Ann");
    user_create(w, 0, KIND_CONTACT, "", "Eve");
    sync(b);
    must(admin_connection_pause(b->engine, "c", NULL, &e), &e);
    bed_run(b, 60 * US_PER_S);
    int64_t calls = w->counts.calls, creates = w->counts.creates;
    user_edit(w, 0, KIND_CONTACT, ann, F_TITLE, "Director");
    assert_int_equal(passport(b, &a, &rows), 2);
    must(admin_passport_keys(b->engine, "c", &other, 1, NULL, &e), &e);
    assert_int_equal(put(b, rows, 2, false, "known"), 2);
    bed_run(b, US_PER_DAY);
    bed_restart(b);
    bed_run(b, 3600 * US_PER_S);
    assert_int_equal(w->counts.calls, calls);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Ann")->v[F_TITLE], "");
    must(admin_connection_resume(b->engine, "c", NULL, &e), &e);
    sync(b);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Ann")->v[F_TITLE], "Director");
    assert_int_equal(w->counts.creates, creates);
}

/* A mark of an instance whose passport we have is explained by its source; one that nothing explains is reported. */
static void marks_of_another_instance(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    struct passport_key other = {.instance = "abcdefgh", .key = {1, 2, 3}};
    links(b);
    struct twin_record *ann = user_create(w, 1, KIND_CONTACT, "", "Ann");
    snprintf(ann->stamp, sizeof ann->stamp, "abcdefgh.abcdefghijklmnopqrstuvwxyz");
    must(admin_passport_keys(b->engine, "c", &other, 1, NULL, &e), &e);
    sync(b);
    json_t *list = bed_failures(b, false), *row = json_array_get(json_object_get(list, "items"), 0);
    assert_string_equal(json_string_value(json_object_get(row, "code")), "ORPHANED_STAMP");
    json_decref(list);
    assert_int_equal(bed_count(w, 0, KIND_CONTACT), 0);
    other.key[0] = 9;
    assert_int_equal(admin_passport_keys(b->engine, "c", &other, 1, NULL, &e), E_EXISTS);
}

/* The mark that another instance put on the counterpart at B of this record of A. */
static void mark_as(struct bed *b, const struct passport_key *k, const char *source_id, char *out, size_t cap)
{
    AUTO(arena_done) struct arena a = {0};
    struct err e = {0};
    struct stamp_key key;
    struct endpoint ep[2] = {{0}, {0}};
    char hash[27];
    for (int s = 0; s < 2; s++)
        must(endpoint_get(b->db, &a, b->twin.endpoint[s], &ep[s], &e), &e);
    const str parts[] = {ep[0].org_key, STR("contact"), str_of(source_id), ep[1].org_key, STR("contact"),
                         {0},           STR("0")};
    stamp_key_init(&key, k->key);
    stamp_hash(hash, &key, parts, (unsigned)ARRAY_LEN(parts));
    snprintf(out, cap, "%s.%.26s", k->instance, hash);
}

/* Records were read, and taken for unmarked, before the passport came. Both sides are read whole again for it, over
 * a restart too, and nothing is made meanwhile; updates go on. Kim of A comes into sight in that time: made by nothing
 * but her mark does Kim of B belong to her. Eve could not be told apart by e-mail: her failure is over.
 * proves: Q2 Q14 */
static void after_the_first_sync(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    struct admin_setting a2b[] = {{"direction", "a2b"}};
    struct passport_key other = {.instance = "abcdefgh", .key = {1, 2, 3}};
    json_t *out = NULL;
    links(b);
    must(admin_link_set(b->engine, "c", "contact", a2b, 1, NULL, &e), &e);
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "", "Ann");
    struct twin_record *eve = user_create(w, 0, KIND_CONTACT, "eve@x", "Eve");
    struct twin_record *kim = user_create(w, 0, KIND_CONTACT, "", "Kim");
    struct twin_record *eve_b = user_create(w, 1, KIND_CONTACT, "eve@x", "Eve");
    struct twin_record *kim_b = user_create(w, 1, KIND_CONTACT, "", "Kim");
    user_create(w, 1, KIND_CONTACT, "eve@x", "Other Eve");
    mark_as(b, &other, eve->id, eve_b->stamp, sizeof eve_b->stamp);
    mark_as(b, &other, kim->id, kim_b->stamp, sizeof kim_b->stamp);
    kim->visible_us = w->now_us + 2 * US_PER_DAY;
    sync(b);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 4); /* Ann was made there */
    json_t *list = bed_failures(b, false);
    assert_int_equal(json_array_size(json_object_get(list, "items")), 1); /* AMBIGUOUS_MATCH: Eve */
    json_decref(list);
    int64_t creates = w->counts.creates;
    must(admin_passport_keys(b->engine, "c", &other, 1, &out, &e), &e);
    assert_int_equal(json_integer_value(json_object_get(out, "read_again")), 1);
    json_decref(out);
    bed_restart(b);
    kim->visible_us = 0;
    user_touch(w, 0, kim);
    user_edit(w, 0, KIND_CONTACT, ann, F_TITLE, "Director");
    bed_run(b, 3600 * US_PER_S);
    assert_int_equal(w->counts.creates, creates);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Ann")->v[F_TITLE], "Director");
    list = bed_failures(b, false);
    assert_int_equal(json_array_size(json_object_get(list, "items")), 0);
    json_decref(list);
    user_edit(w, 0, KIND_CONTACT, kim, F_TITLE, "Boss");
    user_edit(w, 0, KIND_CONTACT, eve, F_TITLE, "Chief");
    user_create(w, 0, KIND_CONTACT, "", "Zoe");
    bed_run(b, 3600 * US_PER_S);
    assert_string_equal(kim_b->v[F_TITLE], "Boss");
    assert_string_equal(eve_b->v[F_TITLE], "Chief");
    assert_int_equal(w->counts.creates, creates + 1);
    must(admin_passport_keys(b->engine, "c", &other, 1, &out, &e), &e);
    assert_int_equal(json_integer_value(json_object_get(out, "read_again")), 0); /* known */
    json_decref(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bound_before_anything_is_made, bed_open, bed_teardown),
        cmocka_unit_test_setup_teardown(as_in_an_adoption, bed_open, bed_teardown),
        cmocka_unit_test_setup_teardown(taken_in_while_paused, bed_open, bed_teardown),
        cmocka_unit_test_setup_teardown(marks_of_another_instance, bed_open, bed_teardown),
        cmocka_unit_test_setup_teardown(after_the_first_sync, bed_open, bed_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
