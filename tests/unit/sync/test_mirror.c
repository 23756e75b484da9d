/* Kinds that are read for their own sake. In the bed the contacts of the desk play them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "bed.h"
#include "feeds.h"

/* A connection with a link for accounts alone, and the desk's contacts mirrored. */
static int setup(void **state)
{
    if (bed_open(state))
        return -1;
    struct bed *b = *state;
    struct err e = {0};
    b->mirrors = "ticket, contact";
    bed_endpoints(b);
    must(admin_connection_create(b->engine, "c", "desk", "sales", NULL, &e), &e);
    must(admin_link_create(b->engine, "c", "accounts", NULL, 0, NULL, &e), &e);
    return 0;
}

/* Rows of the mirrored feed; -1: nothing is mirrored. */
static int64_t mirrored(struct bed *b)
{
    AUTO(arena_done) struct arena a = {0};
    struct feed *feeds = NULL;
    size_t n = 0;
    int64_t rows = -1;
    struct err e = {0};
    must(feed_list(b->db, &a, b->twin.endpoint[0], &feeds, &n, &e), &e);
    for (size_t i = 0; i < n; i++)
        if (feeds[i].mirrored) {
            assert_true(str_is(feeds[i].kind, "contact"));
            rows = feed_record_count(b->db, feeds[i].feed);
        }
    return rows;
}

static int64_t feeds_of_desk(struct bed *b)
{
    AUTO(arena_done) struct arena a = {0};
    struct feed *feeds = NULL;
    size_t n = 0;
    struct err e = {0};
    must(feed_list(b->db, &a, b->twin.endpoint[0], &feeds, &n, &e), &e);
    return (int64_t)n;
}

static void pause_it(struct bed *b)
{
    struct err e = {0};
    must(admin_connection_pause(b->engine, "c", NULL, &e), &e);
}

static void start(struct bed *b)
{
    struct err e = {0};
    struct sync_request r = {.connection = "c"};
    must(admin_sync_start(b->engine, &r, NULL, &e), &e);
    bed_run(b, 600 * US_PER_S);
}

static void is_read_without_a_link(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    user_create(w, 0, KIND_CONTACT, "bob@x.org", "Bob");
    assert_int_equal(mirrored(b), 0);
    bed_run(b, 60 * US_PER_S);
    assert_int_equal(mirrored(b), 0); /* the connection is a draft */
    start(b);
    bed_run(b, 600 * US_PER_S);
    assert_int_equal(mirrored(b), 2);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 0); /* it leads nowhere */
    user_create(w, 0, KIND_CONTACT, "eve@x.org", "Eve");
    pause_it(b); /* who may see what is asked then too */
    bed_run(b, 600 * US_PER_S);
    assert_int_equal(mirrored(b), 3);
    bed_restart(b);
    user_create(w, 0, KIND_CONTACT, "dan@x.org", "Dan");
    bed_run(b, 600 * US_PER_S);
    assert_int_equal(mirrored(b), 4);
}

static void shares_the_feed_of_a_link(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    must(admin_link_create(b->engine, "c", "contacts", NULL, 0, NULL, &e), &e);
    start(b);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 1);
    assert_int_equal(mirrored(b), 1);
    pause_it(b);
    must(admin_link_delete(b->engine, "c", "contacts", &e), &e);
    user_create(w, 0, KIND_CONTACT, "bob@x.org", "Bob");
    bed_run(b, 600 * US_PER_S);
    assert_int_equal(mirrored(b), 2);
    must(admin_connection_resume(b->engine, "c", NULL, &e), &e);
    bed_run(b, 600 * US_PER_S);
    assert_int_equal(mirrored(b), 2);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 1);
}

static void ends_with_what_asked_for_it(void **state)
{
    struct bed *b = *state;
    user_create(b->world, 0, KIND_CONTACT, "ann@x.org", "Ann");
    start(b);
    bed_run(b, 600 * US_PER_S);
    assert_int_equal(mirrored(b), 1);
    assert_int_equal(feeds_of_desk(b), 2);
    b->mirrors = NULL;
    bed_endpoints(b);
    bed_run(b, 600 * US_PER_S);
    assert_int_equal(mirrored(b), -1);
    assert_int_equal(feeds_of_desk(b), 1);
    b->mirrors = "contact";
    bed_endpoints(b);
    bed_run(b, 600 * US_PER_S);
    assert_int_equal(mirrored(b), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_read_without_a_link, setup, bed_teardown),
        cmocka_unit_test_setup_teardown(shares_the_feed_of_a_link, setup, bed_teardown),
        cmocka_unit_test_setup_teardown(ends_with_what_asked_for_it, setup, bed_teardown),
    };
    return cmocka_run_group_tests_name("mirrors", tests, NULL, NULL);
}
