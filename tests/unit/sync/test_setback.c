/* Work whose transaction fails each time: it is tried again less and less often, others go on meanwhile, people are
 * told, and it goes on by itself once the cause is gone. proves: Q13 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "attention.h"
#include "bed.h"
#include "connections.h"

static void sql(struct bed *b, const char *text)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(b->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* No pair of contacts can be stored any more. */
static void contacts_fail(struct bed *b, const char *how)
{
    AUTO(arena_done) struct arena a = {0};
    struct connection c;
    struct link l;
    struct err e = {0};
    char text[200];
    must(connection_find(b->db, &a, STR("c"), &c, &e), &e);
    must(link_find(b->db, &a, c.connection, STR("contact"), &l, &e), &e);
    snprintf(text, sizeof text, "CREATE TRIGGER refuse BEFORE INSERT ON pair WHEN NEW.link = %lld BEGIN %s; END",
             (long long)l.link, how);
    sql(b, text);
}

static int told(struct bed *b, const char *object)
{
    AUTO(arena_done) struct arena a = {0};
    struct repair *list = NULL;
    size_t n = 0;
    int found = 0;
    struct err e = {0};
    must(repair_list(b->db, &a, false, 100, &list, &n, &e), &e);
    for (size_t i = 0; i < n; i++)
        if (str_is(list[i].code, "STORE_FAILS") && str_is(list[i].object, object)) {
            AUTO(text_free) char *words = str_dup(list[i].text);
            assert_non_null(strstr(words, "walking over unpaired records: "));
            found++;
        }
    return found;
}

static int64_t turns(struct bed *b)
{
    struct engine_figures f;
    engine_figures_get(b->engine, &f);
    return f.turns;
}

static void begin(struct bed *b)
{
    struct err e = {0};
    struct sync_request r = {.connection = "c"};
    user_create(b->world, 0, KIND_CONTACT, "ann@x.org", "Ann");
    user_create(b->world, 0, KIND_ACCOUNT, "", "Acme");
    must(admin_sync_start(b->engine, &r, NULL, &e), &e);
}

static void goes_on_by_itself(struct bed *b, const char *object)
{
    sql(b, "DROP TRIGGER refuse");
    bed_run(b, 20 * US_PER_S); /* the longest rest is 16 s */
    assert_int_equal(bed_count(b->world, 1, KIND_CONTACT), 1);
    bed_run(b, 60 * US_PER_S);
    assert_int_equal(told(b, object), 0);
}

static void refused_each_time(void **state)
{
    struct bed *b = *state;
    contacts_fail(b, "SELECT RAISE(ABORT, 'not this one')");
    begin(b);
    bed_run(b, 60 * US_PER_S);
    assert_int_equal(told(b, "link c/contact"), 1);
    assert_int_equal(bed_count(b->world, 1, KIND_ACCOUNT), 1); /* whoever does not need it goes on */
    int64_t before = turns(b);
    bed_run(b, 3600 * US_PER_S);
    assert_true(turns(b) - before < 3000); /* the clock of the bed alone takes 720 steps */
    user_create(b->world, 0, KIND_ACCOUNT, "", "Zen");
    bed_run(b, 120 * US_PER_S);
    assert_int_equal(bed_count(b->world, 1, KIND_ACCOUNT), 2);
    assert_int_equal(bed_count(b->world, 1, KIND_CONTACT), 0);
    goes_on_by_itself(b, "link c/contact");
}

/* A small write works, no pair can be stored: it looks like a disk that fails. */
static void fails_like_a_disk(void **state)
{
    struct bed *b = *state;
    contacts_fail(b, "INSERT INTO nowhere VALUES(1)");
    begin(b);
    bed_run(b, 120 * US_PER_S);
    assert_int_equal(told(b, "link c/account"), 1);
    int64_t before = turns(b);
    bed_run(b, 3600 * US_PER_S);
    assert_true(turns(b) - before < 3000);
    for (int i = 0; i < 40; i++) { /* while it is tried again too, although a small write works all the time */
        bed_run(b, US_PER_S);
        struct err e = {0};
        assert_int_equal(engine_probe(b->engine, &e), E_STORAGE);
        assert_non_null(strstr(e.text, "while walking over unpaired records"));
    }
    goes_on_by_itself(b, "link c/account");
    assert_int_equal(engine_probe(b->engine, NULL), TL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(refused_each_time, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(fails_like_a_disk, bed_setup, bed_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
