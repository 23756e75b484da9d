/* What records are found by: match keys that change while a link lives, several of them on one feed, phone numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bed.h"
#include "engine_int.h"
#include "map_edit.h"
#include "person.h"

static void set_up(struct bed *b, const char *match)
{
    bed_set(b, "contact", "direction", "a2b");
    if (match)
        bed_set(b, "contact", "match", match);
}

/* A live link gets another match key, one of a field that was read all along. What is there already is found by it, and
 * nobody is made twice. */
static void another_key_on_a_live_link(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    set_up(b, NULL);
    user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    user_create(w, 1, KIND_CONTACT, "zed@sales.example", "Zed");
    bed_start(b);
    bed_set(b, "contact", "match", "last_name");
    bed_run(b, 60 * US_PER_S);
    user_create(w, 0, KIND_CONTACT, "zed@desk.example", "Zed");
    bed_run(b, 900 * US_PER_S);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 2);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Zed")->v[F_EMAIL], "zed@desk.example");
}

/* The change and the record that it concerns come at the same moment: it waits for the new key. */
static void a_record_comes_with_the_key(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    set_up(b, NULL);
    user_create(w, 1, KIND_CONTACT, "zed@sales.example", "Zed");
    bed_start(b);
    user_create(w, 0, KIND_CONTACT, "zed@desk.example", "Zed");
    bed_set(b, "contact", "match", "last_name");
    bed_run(b, 900 * US_PER_S);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 1);
}

/* A second link reads a feed whose lookups are built, and matches by another field; a third key is there for whoever
 * calls. */
static void a_second_link_with_another_key(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    set_up(b, NULL);
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    user_edit(w, 0, KIND_CONTACT, ann, F_TAG, "badge 7");
    struct twin_record *firm = user_create(w, 1, KIND_ACCOUNT, "", "Ann's");
    user_edit(w, 1, KIND_ACCOUNT, firm, F_TAG, "badge 7");
    bed_start(b);
    int firms = bed_count(w, 1, KIND_ACCOUNT);
    const struct admin_setting of[] = {
        {"a_kind", "contact"}, {"b_kind", "account"}, {"match", "description"}, {"direction", "a2b"}};
    const struct map_ask maps[] = {{.a = "phone", .b = "phone"}, {.a = "last_name", .b = "name"}};
    must(admin_link_create(b->engine, "c", "lead", of, 4, NULL, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(maps); i++)
        must(admin_map_set(b->engine, "c", "lead", &maps[i], NULL, &e), &e);
    must(admin_sync_start(b->engine, &(struct sync_request){.connection = "c", .kind = "lead"}, NULL, &e), &e);
    bed_run(b, 900 * US_PER_S);
    assert_int_equal(bed_count(w, 1, KIND_ACCOUNT), firms);
    user_edit(w, 0, KIND_CONTACT, ann, F_PHONE, "+55 11 98739-2588");
    bed_run(b, 900 * US_PER_S);
    assert_string_equal(firm->v[F_PHONE], "+55 11 98739-2588");
}

static struct g_feed *contacts_of(struct bed *b, int s)
{
    struct g_feed *f = b->engine->feeds;
    while (f && !(f->row.endpoint == b->twin.endpoint[s] && str_is(f->row.kind, "contact")))
        f = f->next;
    assert_non_null(f);
    return f;
}

static void until_pulling(struct bed *b, const struct g_feed *f)
{
    for (int tries = 0; !f->pulling; tries++) {
        assert_true(tries < 1000);
        unsigned done = engine_turn(b->engine, 0);
        if (f->pulling || twin_step(&b->twin) || done)
            continue;
        b->world->now_us += US_PER_S;
        b->world->mono_us += US_PER_S;
    }
}

static size_t named_so(struct bed *b, const struct g_feed *f, const char *name)
{
    AUTO(arena_done) struct arena a = {0};
    struct err e = {0};
    struct lookup_key key;
    int64_t recs[8];
    size_t n = 0;
    assert_true(key_of_text(f->keys[f->n_keys - 1].kind, str_of(name), &a, &key));
    must(lookup_find(b->db, f->row.feed, &key, recs, ARRAY_LEN(recs), &n, &e), &e);
    return n;
}

/* A page that was asked for before is taken in while the keys are collected: nobody is missed, or found by an old
 * name. */
static void an_edit_while_they_are_built(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    set_up(b, NULL);
    struct twin_record *first = NULL;
    for (int i = 0; i < 450; i++) {
        char name[16], email[24];
        snprintf(name, sizeof name, "n%03d", i);
        snprintf(email, sizeof email, "%s@x.org", name);
        struct twin_record *r = user_create(w, 0, KIND_CONTACT, email, name);
        first = first ? first : r;
    }
    bed_start(b);
    struct g_feed *f = contacts_of(b, 0);
    user_edit(w, 0, KIND_CONTACT, first, F_NAME, "Moved");
    until_pulling(b, f);
    bed_set(b, "contact", "match", "last_name");
    assert_false(lookups_whole(f));
    for (int turns = 0; !f->build || f->build_after == 0; turns++) {
        assert_true(turns < 50);
        engine_turn(b->engine, 1);
    }
    while (twin_step(&b->twin))
        ;
    for (int turns = 0; !lookups_whole(f); turns++) {
        assert_true(turns < 200);
        engine_turn(b->engine, 1);
    }
    assert_int_equal(named_so(b, f, "moved"), 1);
    assert_int_equal(named_so(b, f, "n000"), 0);
    assert_int_equal(named_so(b, f, "n449"), 1);
}

/* Keys that are asked for and given up again, with an edit in between, before they were built. */
static void there_and_back(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    set_up(b, NULL);
    user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    struct twin_record *zed = user_create(w, 1, KIND_CONTACT, "zed@sales.example", "Zed");
    bed_start(b);
    struct g_feed *f = contacts_of(b, 1);
    user_edit(w, 1, KIND_CONTACT, zed, F_EMAIL, "zed@x.org");
    until_pulling(b, f);
    bed_set(b, "contact", "match", "last_name");
    while (twin_step(&b->twin))
        ;
    for (int turns = 0; f->pulling || f->replies; turns++) {
        assert_true(turns < 50);
        engine_turn(b->engine, 1);
    }
    assert_null(f->build);
    bed_set(b, "contact", "match", "email");
    user_create(w, 0, KIND_CONTACT, "zed@x.org", "Zed of the desk");
    bed_run(b, 900 * US_PER_S);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 2);
}

static struct twin_record *of_eve(struct world *w, const struct twin_record *eve, const char *name, const char *email)
{
    struct twin_record *r = user_create(w, 0, KIND_CONTACT, email, name);
    user_edit(w, 0, KIND_CONTACT, r, F_ACCOUNT, eve->id);
    return r;
}

/* Who stands in for an account without a pair is found by the match key of the accounts: while that is built anew, a
 * contact waits for it. */
static void a_stand_in_under_another_key(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    bed_set(b, "account", "direction", "b2a");
    bed_set(b, "account", "fallback.b", "boss");
    struct twin_record *boss = user_create(w, 1, KIND_ACCOUNT, "", "Boss");
    user_edit(w, 1, KIND_ACCOUNT, boss, F_TAG, "boss");
    for (int i = 0; i < 500; i++) {
        char name[16];
        snprintf(name, sizeof name, "firm %d", i);
        user_create(w, 1, KIND_ACCOUNT, "", name);
    }
    struct twin_record *eve = user_create(w, 0, KIND_ACCOUNT, "", "Eve");
    of_eve(w, eve, "Ann", "ann@x.org");
    bed_start(b);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Ann")->v[F_ACCOUNT], boss->id);
    int64_t updates = w->counts.updates;
    of_eve(w, eve, "Bob", "bob@x.org");
    until_pulling(b, contacts_of(b, 0));
    while (twin_step(&b->twin))
        ;
    bed_set(b, "account", "match", "description");
    bed_run(b, 900 * US_PER_S);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Bob")->v[F_ACCOUNT], boss->id);
    assert_int_equal(w->counts.updates, updates);
}

static size_t people_of(struct bed *b, const char *who)
{
    AUTO(arena_done) struct arena a = {0};
    struct err e = {0};
    struct person_record *found = NULL;
    size_t n = 0;
    const struct person_ask by = {.who = who, .by_phone = true};
    int rc = person_find(b->db, &by, &a, &found, &n, &e);
    assert_true(rc == TL_OK || rc == TL_E_NOT_FOUND);
    return n;
}

/* The last nine digits decide, in whatever form a number is written; an edit is followed, by us or by a user.
 * proves: S3-62 */
static void found_by_their_number(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    struct twin_record *firm = user_create(w, 0, KIND_ACCOUNT, "", "Ann's");
    user_edit(w, 0, KIND_CONTACT, ann, F_PHONE, "+55 (11) 98739-2588");
    user_edit(w, 0, KIND_ACCOUNT, firm, F_PHONE, "987392588 ext. 4");
    bed_start(b);
    assert_int_equal(people_of(b, "0055 11 9 8739 2588"), 4); /* both, at both sides */
    assert_int_equal(people_of(b, "87392588"), 0);
    user_edit(w, 0, KIND_CONTACT, ann, F_PHONE, "+55 11 91234-5678");
    bed_run(b, 900 * US_PER_S);
    assert_int_equal(people_of(b, "987392588"), 2);
    assert_int_equal(people_of(b, "912345678"), 2);
    bed_restart(b);
    bed_run(b, 60 * US_PER_S);
    assert_int_equal(people_of(b, "912345678"), 2);
}

/* A link may match by number: the same nine digits are the same number. */
static void matched_by_their_number(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    set_up(b, "phone");
    struct twin_record *here = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    struct twin_record *there = user_create(w, 1, KIND_CONTACT, "other@x.org", "A. Smith");
    user_edit(w, 0, KIND_CONTACT, here, F_PHONE, "+55 (11) 98739-2588");
    user_edit(w, 1, KIND_CONTACT, there, F_PHONE, "11 987392588");
    bed_start(b);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 1);
    assert_string_equal(there->v[F_EMAIL], "ann@x.org");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(another_key_on_a_live_link, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(a_record_comes_with_the_key, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(a_second_link_with_another_key, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(an_edit_while_they_are_built, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(there_and_back, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(a_stand_in_under_another_key, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(found_by_their_number, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(matched_by_their_number, bed_setup, bed_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
