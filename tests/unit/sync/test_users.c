/* Links that only tell who is who, and who stands in for those that have nobody. In the bed the accounts play the
 * users, and a contact's account its owner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "attention.h"
#include "bed.h"

/* Nobody makes accounts: they are paired or they are not. */
static void no_creates(struct bed *b)
{
    int before = b->checked;
    struct err e = {0};
    for (int s = 0; s < 2; s++) {
        b->world->knobs.can[s][KIND_ACCOUNT] &= ~(uint32_t)(TL_CAN_CREATE | TL_CAN_UPDATE | TL_CAN_DELETE);
        must(admin_endpoint_check(b->engine, s ? "sales" : "desk", bed_checked, b, &e), &e);
        while (b->checked == before + s) {
            engine_turn(b->engine, 0);
            twin_step(&b->twin);
        }
    }
}

static struct twin_record *owned(struct world *w, int s, const char *name, const struct twin_record *owner)
{
    char email[TWIN_TEXT];
    snprintf(email, sizeof email, "%s@x.org", name);
    struct twin_record *r = user_create(w, s, KIND_CONTACT, email, name);
    user_edit(w, s, KIND_CONTACT, r, F_ACCOUNT, owner->id);
    return r;
}

static struct twin_record *of_b(struct bed *b, const char *name)
{
    return bed_named(b->world, 1, KIND_CONTACT, name);
}

/* proves: S1-02 */
static void stands_in_until_the_real_one_is_there(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    no_creates(b);
    struct twin_record *boss_a = user_create(w, 0, KIND_ACCOUNT, "", "Boss");
    struct twin_record *boss_b = user_create(w, 1, KIND_ACCOUNT, "", "Boss");
    struct twin_record *eve = user_create(w, 0, KIND_ACCOUNT, "", "Eve");
    struct twin_record *ann = owned(w, 0, "Ann", eve), *bob = owned(w, 0, "Bob", boss_a);
    bed_set(b, "account", "fallback.b", "boss"); /* as the match key is compared: without case */
    bed_start(b);
    assert_string_equal(of_b(b, "Ann")->v[F_ACCOUNT], boss_b->id);
    assert_string_equal(of_b(b, "Bob")->v[F_ACCOUNT], boss_b->id);
    int64_t writes = w->counts.updates;
    user_edit(w, 1, KIND_CONTACT, of_b(b, "Ann"), F_TITLE, "edited there");
    bed_run(b, 600 * US_PER_S);
    assert_string_equal(ann->v[F_ACCOUNT], eve->id); /* not sent back */
    assert_string_equal(ann->v[F_TITLE], "edited there");
    bed_restart(b);
    bed_run(b, 8 * 86400 * US_PER_S); /* and quiet, over whole readings too */
    assert_int_equal(w->counts.updates, writes + 1);
    struct twin_record *eve_b = user_create(w, 1, KIND_ACCOUNT, "", "Eve");
    bed_run(b, 600 * US_PER_S);
    assert_string_equal(of_b(b, "Ann")->v[F_ACCOUNT], eve_b->id);
    assert_string_equal(ann->v[F_ACCOUNT], eve->id);
    assert_string_equal(of_b(b, "Bob")->v[F_ACCOUNT], boss_b->id);
    assert_string_equal(bob->v[F_ACCOUNT], boss_a->id);
}

/* Open rows of what needs attention about stand-ins, with these words. */
static size_t told(struct bed *b, const char *words)
{
    AUTO(arena_done) struct arena a = {0};
    struct err e = {0};
    struct repair *rows = NULL;
    size_t n = 0, found = 0;
    must(repair_list(b->db, &a, false, 100, &rows, &n, &e), &e);
    for (size_t i = 0; i < n; i++)
        found += str_is(rows[i].code, "FALLBACK_UNKNOWN") && strstr(arena_str(&a, rows[i].text).p, words);
    return found;
}

/* Nobody, or several, of that name: it is told what to do, until there is one. */
static void stands_in_for_whom(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    no_creates(b);
    struct twin_record *eve = user_create(w, 0, KIND_ACCOUNT, "", "Eve");
    owned(w, 0, "Ann", eve);
    bed_set(b, "account", "fallback.b", "Boss");
    bed_start(b);
    bed_run(b, 3700 * US_PER_S);
    assert_int_equal(told(b, "nobody"), 1);
    assert_string_equal(of_b(b, "Ann")->v[F_ACCOUNT], "");
    struct twin_record *one = user_create(w, 1, KIND_ACCOUNT, "", "Boss");
    user_create(w, 1, KIND_ACCOUNT, "", "boss");
    bed_run(b, 3700 * US_PER_S);
    assert_int_equal(told(b, "several"), 1);
    user_edit(w, 1, KIND_ACCOUNT, one, F_NAME, "Other");
    bed_run(b, 3700 * US_PER_S);
    assert_int_equal(told(b, ""), 0);
    bed_set(b, "account", "fallback.b", "Nobody");
    bed_run(b, 3700 * US_PER_S);
    assert_int_equal(told(b, "nobody"), 1);
    bed_set(b, "account", "fallback.b", "");
    bed_run(b, 3700 * US_PER_S);
    assert_int_equal(told(b, ""), 0);
}

/* What a person chose over there stays, and a choice of that very user travels. */
static void real_owners_stay(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    no_creates(b);
    struct twin_record *boss_a = user_create(w, 0, KIND_ACCOUNT, "", "Boss");
    struct twin_record *boss_b = user_create(w, 1, KIND_ACCOUNT, "", "Boss");
    struct twin_record *max_a = user_create(w, 0, KIND_ACCOUNT, "", "Max");
    struct twin_record *max_b = user_create(w, 1, KIND_ACCOUNT, "", "Max");
    struct twin_record *eve = user_create(w, 0, KIND_ACCOUNT, "", "Eve");
    struct twin_record *ann = owned(w, 0, "Ann", max_a);
    bed_set(b, "account", "fallback.b", "Boss");
    bed_start(b);
    assert_string_equal(of_b(b, "Ann")->v[F_ACCOUNT], max_b->id);
    user_edit(w, 0, KIND_CONTACT, ann, F_ACCOUNT, eve->id);
    bed_run(b, 600 * US_PER_S);
    assert_string_equal(of_b(b, "Ann")->v[F_ACCOUNT], max_b->id); /* a real owner is not replaced */
    assert_string_equal(ann->v[F_ACCOUNT], eve->id);
    user_edit(w, 0, KIND_CONTACT, ann, F_ACCOUNT, max_a->id);
    bed_run(b, 600 * US_PER_S);
    user_edit(w, 1, KIND_CONTACT, of_b(b, "Ann"), F_ACCOUNT, boss_b->id);
    bed_run(b, 600 * US_PER_S);
    assert_string_equal(ann->v[F_ACCOUNT], boss_a->id);
}

/* Two records meet whose owners differ only because one of them stands in: the real one counts, whoever came later. */
static void blank_in_an_adoption(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    no_creates(b);
    user_create(w, 0, KIND_ACCOUNT, "", "Boss");
    struct twin_record *boss_b = user_create(w, 1, KIND_ACCOUNT, "", "Boss");
    struct twin_record *max_a = user_create(w, 0, KIND_ACCOUNT, "", "Max");
    struct twin_record *max_b = user_create(w, 1, KIND_ACCOUNT, "", "Max");
    struct twin_record *ann = owned(w, 0, "Ann", max_a);
    w->now_us += 3600 * US_PER_S;
    owned(w, 1, "Ann", boss_b);
    bed_set(b, "account", "fallback.b", "Boss");
    bed_start(b);
    assert_string_equal(ann->v[F_ACCOUNT], max_a->id);
    assert_string_equal(of_b(b, "Ann")->v[F_ACCOUNT], max_b->id);
}

/* Without any field to carry, the match key is enough. */
static void a_key_alone(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    static const char *const fields[] = {"name", "phone", "website", "description", "industry"};
    no_creates(b);
    bed_start(b);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        must(admin_map_unset(b->engine, "c", "account", fields[i], NULL, &e), &e);
    struct twin_record *max_a = user_create(w, 0, KIND_ACCOUNT, "", "Max");
    struct twin_record *max_b = user_create(w, 1, KIND_ACCOUNT, "", "Max");
    bed_run(b, 600 * US_PER_S);
    owned(w, 0, "Ann", max_a);
    bed_run(b, 600 * US_PER_S);
    assert_string_equal(of_b(b, "Ann")->v[F_ACCOUNT], max_b->id);
    bed_restart(b);
    struct twin_record *bob = owned(w, 1, "Bob", max_b);
    bed_run(b, 900 * US_PER_S);
    assert_string_equal(bed_named(w, 0, KIND_CONTACT, "Bob")->v[F_ACCOUNT], max_a->id);
    assert_string_equal(bob->v[F_ACCOUNT], max_b->id);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, bed_setup, bed_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(stands_in_until_the_real_one_is_there), T(real_owners_stay),
                                       T(blank_in_an_adoption), T(a_key_alone), T(stands_in_for_whom)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
