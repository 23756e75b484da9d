/* Products of two systems: matched by their name, mapped by default where both sides have the field, and mapped anew
 * later.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bed.h"
#include "map_edit.h"

enum { F_CODE = F_TITLE, F_FAMILY = F_EXTRA };

static int setup(void **state)
{
    struct err e = {0};
    bed_open(state);
    struct bed *b = *state;
    b->world->knobs.products = true;
    bed_describe(b);
    assert_int_equal(b->checked, 2);
    must(admin_connection_create(b->engine, "c", "desk", "sales", NULL, &e), &e);
    must(admin_link_create(b->engine, "c", "product", NULL, 0, NULL, &e), &e);
    return 0;
}

static struct twin_record *product(struct world *w, int s, const char *name, const char *code)
{
    struct twin_record *r = user_create(w, s, KIND_ACCOUNT, "", name);
    user_edit(w, s, KIND_ACCOUNT, r, F_CODE, code);
    return r;
}

static void start(struct bed *b)
{
    struct err e = {0};
    must(admin_sync_start(b->engine, &(struct sync_request){.connection = "c"}, NULL, &e), &e);
    bed_run(b, 600 * US_PER_S);
}

/* The name tells which two are one, whatever its case and blanks; what only one side has is made at the other; where
 * several have one name all of them are told. proves: S2-29 */
static void known_by_their_name(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    product(w, 0, "Pump 12", "P12");
    struct twin_record *theirs = product(w, 1, "  PUMP 12 ", "");
    product(w, 0, "Valve", "V1");
    product(w, 1, "Hose", "H1");
    product(w, 0, "Twice", "T1");
    product(w, 1, "Twice", "T2");
    product(w, 1, "twice", "T3");
    start(b);
    assert_int_equal(bed_failures_of(b, "AMBIGUOUS_MATCH") + bed_failures_of(b, "ALREADY_MAPPED"), 3); /* each Twice */
    assert_int_equal(bed_failures_of(b, NULL), 3);
    assert_int_equal(bed_count(w, 1, KIND_ACCOUNT), 5); /* Pump, Hose, twice Twice, and Valve */
    assert_int_equal(bed_count(w, 0, KIND_ACCOUNT), 4);
    assert_string_equal(theirs->v[F_CODE], "P12");
    assert_string_equal(bed_named(w, 0, KIND_ACCOUNT, "Hose")->v[F_CODE], "H1");
}

/* Fields both sides have are mapped by default, custom fields are not; the map is edited afterwards, with the pairs as
 * they are. proves: S2-24 */
static void mapped_and_mapped_anew(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    struct twin_record *pump = product(w, 0, "Pump", "P1");
    user_edit(w, 0, KIND_ACCOUNT, pump, F_FAMILY, "Water");
    start(b);
    struct twin_record *theirs = bed_named(w, 1, KIND_ACCOUNT, "Pump");
    assert_string_equal(theirs->v[F_CODE], "P1");
    assert_string_equal(theirs->v[F_FAMILY], "");
    must(admin_map_set(b->engine, "c", "product", &(struct map_ask){.a = "x.family", .b = "x.family"}, NULL, &e), &e);
    must(admin_map_unset(b->engine, "c", "product", "code", NULL, &e), &e);
    bed_run(b, 300 * US_PER_S);
    assert_string_equal(theirs->v[F_FAMILY], "Water");
    user_edit(w, 0, KIND_ACCOUNT, pump, F_CODE, "P2");
    user_edit(w, 1, KIND_ACCOUNT, theirs, F_FAMILY, "Garden");
    bed_run(b, 300 * US_PER_S);
    assert_string_equal(theirs->v[F_CODE], "P1");
    assert_string_equal(pump->v[F_FAMILY], "Garden");
    assert_int_equal(w->counts.creates, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(known_by_their_name, setup, bed_teardown),
        cmocka_unit_test_setup_teardown(mapped_and_mapped_anew, setup, bed_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
