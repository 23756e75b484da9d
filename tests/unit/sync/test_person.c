/* A person is erased while the engine runs: nothing of them is stored again, whatever is read, told or looked up, and
 * nothing is made anew at either side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bed.h"
#include "person.h"

enum { SETTLE_S = 400 };

static int64_t number(const json_t *row, const char *member)
{
    return json_integer_value(json_object_get(row, member));
}

static int64_t writes_of(const struct world *w)
{
    return w->counts.creates + w->counts.updates + w->counts.restores + w->counts.deletes;
}

/* Erases by address; the answer is the caller's. NULL: nothing is stored of them. */
static json_t *erase(struct bed *b, const char *who, bool dry)
{
    AUTO(arena_done) struct arena a = {0};
    struct err e = {0};
    json_t *out = NULL;
    struct person_record *found = NULL;
    struct person_erase ask = {.dry_run = dry, .compact = true};
    const struct person_ask by = {.who = who};
    int rc = person_find(b->db, &by, &a, &found, &ask.n, &e);
    if (rc == TL_E_NOT_FOUND)
        return NULL;
    must(rc, &e);
    ask.of = found;
    must(admin_person_erase(b->engine, &ask, &out, &e), &e);
    return out;
}

static int64_t erased(struct bed *b, const char *who, const char *what)
{
    json_t *out = erase(b, who, false);
    assert_non_null(out);
    assert_true(json_is_true(json_object_get(out, "compacted")));
    int64_t n = number(json_object_get(out, "erased"), what);
    json_decref(out);
    return n;
}

static bool is_stored(struct bed *b, const char *who)
{
    AUTO(arena_done) struct arena a = {0};
    struct err e = {0};
    struct person_record *found = NULL;
    size_t n = 0;
    const struct person_ask by = {.who = who};
    int rc = person_find(b->db, &by, &a, &found, &n, &e);
    assert_true(rc == TL_OK || rc == TL_E_NOT_FOUND);
    return rc == TL_OK;
}

static void sweep(struct bed *b)
{
    struct err e = {0};
    struct sync_request all = {.connection = "c", .full = true};
    must(admin_sync_start(b->engine, &all, NULL, &e), &e);
    bed_run(b, SETTLE_S * US_PER_S);
}

static void ann_and_bob(struct bed *b, struct twin_record *of[2])
{
    struct world *w = b->world;
    of[0] = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    user_create(w, 0, KIND_CONTACT, "bob@x.org", "Bob");
    bed_start(b);
    of[1] = bed_named(w, 1, KIND_CONTACT, "Ann");
    assert_non_null(of[1]);
}

/* Edits on either side, a whole reading, a restart, a day: she stays away, at nobody's cost. */
static void nothing_comes_back(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *of[2];
    ann_and_bob(b, of);
    user_edit(w, 0, KIND_CONTACT, of[0], F_TITLE, "Chief");
    bed_run(b, SETTLE_S * US_PER_S);
    assert_int_equal(erased(b, "ANN@x.org", "records"), 2);
    assert_false(is_stored(b, "ann@x.org"));
    assert_true(is_stored(b, "bob@x.org"));
    int64_t before = writes_of(w);
    int people = bed_count(w, 0, KIND_CONTACT);
    user_edit(w, 0, KIND_CONTACT, of[0], F_TITLE, "Head");
    user_edit(w, 1, KIND_CONTACT, of[1], F_PHONE, "+551");
    bed_run(b, SETTLE_S * US_PER_S);
    sweep(b);
    bed_restart(b);
    bed_run(b, 3600 * US_PER_S);
    sweep(b);
    assert_false(is_stored(b, "ann@x.org"));
    assert_int_equal(writes_of(w), before);
    assert_int_equal(bed_count(w, 0, KIND_CONTACT), people);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), people);
    assert_string_equal(of[1]->v[F_TITLE], "Chief"); /* the vendors' records are theirs */
    user_edit(w, 0, KIND_CONTACT, bed_named(w, 0, KIND_CONTACT, "Bob"), F_TITLE, "Cook");
    bed_run(b, SETTLE_S * US_PER_S);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Bob")->v[F_TITLE], "Cook");
}

static void looked_at_first(void **state)
{
    struct bed *b = *state;
    struct twin_record *of[2];
    ann_and_bob(b, of);
    json_t *out = erase(b, "ann@x.org", true);
    assert_int_equal(json_array_size(json_object_get(out, "records")), 2);
    assert_int_equal(number(json_object_get(out, "erased"), "pairs"), 1);
    assert_true(json_is_null(json_object_get(out, "erasure")));
    json_decref(out);
    assert_true(is_stored(b, "ann@x.org"));
    user_edit(b->world, 0, KIND_CONTACT, of[0], F_TITLE, "Head");
    bed_run(b, SETTLE_S * US_PER_S);
    assert_string_equal(of[1]->v[F_TITLE], "Head");
}

/* In the midst of a first sync: before the other side has her, and while lookups are built. */
static void during_a_first_sync(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    struct sync_request all = {.connection = "c"};
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    for (int i = 0; i < 40; i++) {
        char email[32], name[32];
        snprintf(email, sizeof email, "p%d@x.org", i);
        snprintf(name, sizeof name, "P%d", i);
        user_create(w, 0, KIND_CONTACT, email, name);
    }
    must(admin_sync_start(b->engine, &all, NULL, &e), &e);
    while (!is_stored(b, "ann@x.org")) { /* turn by turn: she is read, nobody is matched yet */
        unsigned done = engine_turn(b->engine, 0);
        assert_true(twin_step(&b->twin) || done);
    }
    assert_int_equal(erased(b, "ann@x.org", "records"), 1);
    bed_run(b, 2 * SETTLE_S * US_PER_S);
    assert_false(is_stored(b, "ann@x.org"));
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 40);
    assert_non_null(bed_named(w, 1, KIND_CONTACT, "P7"));
    assert_string_equal(ann->v[F_EMAIL], "ann@x.org");
}

static void lifted(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    struct twin_record *of[2];
    json_t *out = NULL, *list = NULL;
    ann_and_bob(b, of);
    erased(b, "ann@x.org", "pairs");
    bed_restart(b);
    must(view_erasures(b->db, &list, &e), &e);
    int64_t erasure = number(json_array_get(json_object_get(list, "items"), 0), "erasure");
    assert_int_equal(number(json_array_get(json_object_get(list, "items"), 0), "records"), 2);
    json_decref(list);
    assert_int_equal(admin_person_restore(b->engine, erasure + 1, NULL, &out, &e), TL_E_NOT_FOUND);
    must(admin_person_restore(b->engine, erasure, NULL, &out, &e), &e);
    assert_int_equal(number(out, "records"), 2);
    json_decref(out);
    int64_t creates = w->counts.creates;
    sweep(b);
    assert_true(is_stored(b, "ann@x.org"));
    assert_int_equal(w->counts.creates, creates); /* both were there: they are paired again */
    user_edit(w, 0, KIND_CONTACT, of[0], F_TITLE, "Head");
    bed_run(b, SETTLE_S * US_PER_S);
    assert_string_equal(of[1]->v[F_TITLE], "Head");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_comes_back, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(looked_at_first, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(during_a_first_sync, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(lifted, bed_setup, bed_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
