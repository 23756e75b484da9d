/* The brake: what a pass shows is too strange to act upon, and a person has to look. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bed.h"

enum { MANY = 60 };

static void people(struct world *w)
{
    for (int i = 0; i < MANY; i++) {
        char name[TWIN_TEXT], email[TWIN_TEXT];
        snprintf(name, sizeof name, "Person %d", i);
        snprintf(email, sizeof email, "p%d@x.org", i);
        user_edit(w, 0, KIND_CONTACT, user_create(w, 0, KIND_CONTACT, email, name), F_PHONE, "+4930123");
    }
}

static void read_whole(struct bed *b, int64_t us)
{
    struct err e = {0};
    struct sync_request full = {.connection = "c", .full = true};
    must(admin_sync_start(b->engine, &full, NULL, &e), &e);
    bed_run(b, us);
}

static bool braked(struct bed *b, const char *words)
{
    struct err e = {0};
    json_t *link = NULL;
    must(view_link(b->db, "c", "contact", &link, &e), &e);
    const char *text = json_string_value(json_object_get(link, "brake_text"));
    bool found = text && strstr(text, words);
    json_decref(link);
    return found;
}

static int shown(struct world *w, int s, bool is)
{
    int n = 0;
    for (int i = 0; i < TWIN_RECORDS; i++)
        if (w->rec[s][KIND_CONTACT][i].used && n < MANY / 2) {
            w->rec[s][KIND_CONTACT][i].visible_us = is ? 0 : INT64_MAX;
            n++;
        }
    return n;
}

/* The vendor shows every phone in another way, and no record as changed.
 * proves: Q16 */
static void a_format_moves(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    people(w);
    bed_start(b);
    int64_t before = w->counts.updates;
    for (int i = 0; i < TWIN_RECORDS; i++)
        if (w->rec[0][KIND_CONTACT][i].used)
            snprintf(w->rec[0][KIND_CONTACT][i].v[F_PHONE], TWIN_TEXT, "+4940999");
    read_whole(b, 300 * US_PER_S);
    assert_true(braked(b, "\"phone\" is another in 60 of 60 records of contact at once"));
    assert_in_range(w->counts.updates - before, 0, 20); /* what was met before it could be seen */
    bed_restart(b);
    bed_run(b, 300 * US_PER_S);
    assert_in_range(w->counts.updates - before, 0, 20);
    must(admin_connection_release(b->engine, "c", NULL, &e), &e);
    bed_run(b, 300 * US_PER_S);
    assert_false(braked(b, ""));
    assert_int_equal(w->counts.updates - before, MANY); /* a person said that it is right so */
}

/* Many edits are no such thing when the vendor says that they are edits. */
static void edited_by_people(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    people(w);
    bed_start(b);
    int64_t before = w->counts.updates;
    for (int i = 0; i < TWIN_RECORDS; i++)
        if (w->rec[0][KIND_CONTACT][i].used)
            user_edit(w, 0, KIND_CONTACT, &w->rec[0][KIND_CONTACT][i], F_PHONE, "+4940999");
    read_whole(b, 300 * US_PER_S);
    assert_false(braked(b, ""));
    assert_int_equal(w->counts.updates - before, MANY);
}

/* The decision of a person is kept: the daemon may end before the pass that it is about.
 * proves: Q16 */
static void accepted_over_restart(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    people(w);
    bed_start(b);
    int64_t creates = w->counts.creates;
    assert_int_equal(shown(w, 1, false), MANY / 2);
    read_whole(b, 300 * US_PER_S);
    assert_true(braked(b, "30 of 60 records of contact are not there any more"));
    must(admin_connection_release(b->engine, "c", NULL, &e), &e);
    bed_restart(b);
    bed_run(b, 300 * US_PER_S);
    assert_false(braked(b, ""));
    read_whole(b, 300 * US_PER_S);
    assert_true(braked(b, "30 of 60")); /* it was for one pass */
    assert_int_equal(w->counts.creates, creates);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, bed_setup, bed_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(a_format_moves), T(edited_by_people), T(accepted_over_restart)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
