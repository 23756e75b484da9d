/* The budget of a run: what it stops, what it says, and how it goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "attention.h"
#include "bed.h"

enum { MANY = 60 };

static void people(struct world *w)
{
    for (int i = 0; i < MANY; i++) {
        char name[TWIN_TEXT], email[TWIN_TEXT];
        snprintf(name, sizeof name, "Person %d", i);
        snprintf(email, sizeof email, "p%d@x.org", i);
        user_create(w, 0, KIND_CONTACT, email, name);
    }
}

static void everybody_edited(struct world *w, int n, const char *title)
{
    for (int i = 0; i < TWIN_RECORDS && n > 0; i++)
        if (w->rec[0][KIND_CONTACT][i].used) {
            user_edit(w, 0, KIND_CONTACT, &w->rec[0][KIND_CONTACT][i], F_TITLE, title);
            n--;
        }
}

static bool stopped(struct bed *b, const char *words)
{
    struct err e = {0};
    json_t *link = NULL;
    must(view_link(b->db, "c", "contact", &link, &e), &e);
    const char *text = json_string_value(json_object_get(link, "brake_text"));
    bool found = text && strstr(text, words) &&
                 strcmp(json_string_value(json_object_get(link, "brake_code")), "MAX_CHANGES") == 0;
    json_decref(link);
    return found;
}

/* Open rows of what needs attention. */
static size_t attention(struct bed *b)
{
    struct err e = {0};
    struct arena a = {0};
    struct repair *rows = NULL;
    size_t n = 0, found = 0;
    must(repair_list(b->db, &a, false, 100, &rows, &n, &e), &e);
    for (size_t i = 0; i < n; i++)
        found += str_is(rows[i].code, "MAX_CHANGES");
    arena_done(&a);
    return found;
}

/* proves: Q16 */
static void stops_before_the_first_too_many(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    people(w);
    bed_start(b);
    bed_set(b, "contact", "max_changes", "10");
    int64_t before = w->counts.updates;
    everybody_edited(w, 35, "one");
    bed_run(b, 200 * US_PER_S);
    assert_int_equal(w->counts.updates - before, 10);
    assert_true(stopped(b, "10 changes were written in this run"));
    assert_true(stopped(b, "25 pairs wait"));
    assert_int_equal(attention(b), 1);
    bed_restart(b);
    bed_run(b, 3600 * US_PER_S);
    assert_int_equal(w->counts.updates - before, 10);
    must(admin_connection_release(b->engine, "c", NULL, &e), &e);
    assert_int_equal(attention(b), 0);
    bed_restart(b); /* the word counts over a restart too */
    bed_run(b, 900 * US_PER_S);
    assert_int_equal(w->counts.updates - before, 35);
    everybody_edited(w, 12, "two"); /* it was for what waited then */
    bed_run(b, 200 * US_PER_S);
    assert_int_equal(w->counts.updates - before, 45);
    assert_true(stopped(b, "2 pairs wait"));
}

/* A restart in the middle of a run begins no new allowance.
 * proves: Q16 */
static void over_a_restart(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    people(w);
    bed_start(b);
    bed_set(b, "contact", "max_changes", "10");
    int64_t before = w->counts.updates;
    everybody_edited(w, 8, "one");
    bed_run(b, 60 * US_PER_S);
    assert_int_equal(w->counts.updates - before, 8);
    bed_restart(b);
    everybody_edited(w, 8, "two");
    bed_run(b, 60 * US_PER_S);
    assert_int_equal(w->counts.updates - before, 10);
    assert_true(stopped(b, "10 changes were written in this run"));
}

/* What was written hours ago is no part of the run that comes. */
static void after_a_rest(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    people(w);
    bed_start(b);
    bed_set(b, "contact", "max_changes", "10");
    int64_t before = w->counts.updates;
    everybody_edited(w, 8, "one");
    bed_run(b, 60 * US_PER_S);
    bed_restart(b);
    bed_run(b, 3600 * US_PER_S);
    everybody_edited(w, 8, "two");
    bed_run(b, 60 * US_PER_S);
    assert_int_equal(w->counts.updates - before, 16);
}

static void raised(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    people(w);
    bed_start(b);
    bed_set(b, "contact", "max_changes", "10");
    int64_t before = w->counts.updates;
    everybody_edited(w, 35, "one");
    bed_run(b, 200 * US_PER_S);
    assert_true(stopped(b, "10 changes"));
    bed_set(b, "contact", "max_changes", "20");
    bed_run(b, 60 * US_PER_S);
    assert_true(stopped(b, "20 changes"));
    bed_set(b, "contact", "max_changes", "off");
    bed_run(b, 300 * US_PER_S);
    assert_false(stopped(b, ""));
    assert_int_equal(attention(b), 0);
    assert_int_equal(w->counts.updates - before, 35);
}

/* As many as it may, again and again, are no reason to stop: it is the single run that is counted. */
static void run_by_run(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    people(w);
    bed_start(b);
    bed_set(b, "contact", "max_changes", "10");
    int64_t before = w->counts.updates;
    for (int i = 0; i < 5; i++) {
        char title[24];
        snprintf(title, sizeof title, "round %d", i);
        everybody_edited(w, 10, title);
        bed_run(b, 700 * US_PER_S);
    }
    assert_int_equal(w->counts.updates - before, 50);
    assert_false(stopped(b, ""));
}

/* The first sync is shown before it begins; a share is of the pairs, and small links never meet it. */
static void not_the_first_sync(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    bed_set(b, "contact", "max_changes", "5");
    people(w);
    bed_start(b);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), MANY);
    bed_set(b, "contact", "max_changes", "20%");
    everybody_edited(w, MANY, "all of them");
    bed_run(b, 300 * US_PER_S);
    assert_false(stopped(b, ""));
}

/* Deletions have a limit that no setting lifts.
 * proves: V9 Q16 */
static void many_deletions(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    people(w);
    bed_start(b);
    w->knobs.deletes = true;
    bed_set(b, "contact", "delete", "propagate");
    bed_set(b, "contact", "max_changes", "off");
    bed_run(b, 120 * US_PER_S);
    for (int i = 0; i < 30; i++) {
        char name[TWIN_TEXT];
        snprintf(name, sizeof name, "Person %d", i);
        struct twin_record *r = bed_named(w, 0, KIND_CONTACT, name);
        r->state = TL_STATE_TRASHED;
        r->modified_us = r->visible_us = w->now_us;
    }
    bed_run(b, 600 * US_PER_S);
    assert_int_equal(w->counts.deletes, 20);
    assert_true(stopped(b, "20 records were deleted within a day because their counterparts were, and 10 pairs wait"));
    must(admin_connection_release(b->engine, "c", NULL, &e), &e);
    bed_run(b, 600 * US_PER_S);
    assert_int_equal(w->counts.deletes, 30);
    assert_false(w->violated);
}

static void values(void **state)
{
    struct bed *b = *state;
    static const char *const bad[] = {"0", "-1", "101%", "%", "many", "1.5"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err e = {0};
        const struct admin_setting one = {"max_changes", bad[i]};
        assert_int_equal(admin_link_set(b->engine, "c", "contact", &one, 1, NULL, &e), E_USAGE);
        assert_true(e.hint[0]);
    }
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, bed_setup, bed_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(stops_before_the_first_too_many),
                                       T(over_a_restart),
                                       T(after_a_rest),
                                       T(raised),
                                       T(run_by_run),
                                       T(not_the_first_sync),
                                       T(many_deletions),
                                       T(values)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
