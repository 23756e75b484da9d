/* Why is this value here, who wrote it, what else was offered, what is still to come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bed.h"

static const char *text(const json_t *row, const char *member)
{
    const char *t = json_string_value(json_object_get(row, member));
    return t ? t : "";
}

static json_t *shown(struct bed *b)
{
    struct err e = {0};
    json_t *found = NULL, *out = NULL;
    must(view_pair_find(b->db, "c", "ann@x.org", &found, &e), &e);
    int64_t pair = json_integer_value(json_object_get(json_array_get(json_object_get(found, "items"), 0), "pair"));
    json_decref(found);
    must(view_pair(b->db, pair, &out, &e), &e);
    return out;
}

/* One field of it; lent. */
static const json_t *field(const json_t *pair, const char *path)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(pair, "fields"), i, row)
    {
        if (strcmp(text(row, "a_field"), path) == 0)
            return row;
    }
    fail_msg("no field %s", path);
    return NULL;
}

static void assert_written(const json_t *f, const char *to, const char *rule, const char *value)
{
    const json_t *w = json_object_get(f, "written");
    assert_string_equal(text(w, "to"), to);
    assert_string_equal(text(w, "rule"), rule);
    assert_string_equal(text(w, "after"), value);
    assert_true(json_integer_value(json_object_get(w, "run")) > 0 && *text(w, "at"));
}

static void assert_pending(const json_t *f, const char *what, const char *to, const char *why)
{
    const json_t *p = json_object_get(f, "pending");
    assert_string_equal(text(p, "what"), what);
    assert_string_equal(text(p, "to"), to);
    assert_string_equal(text(p, "why"), why);
}

static void both_edit(struct bed *b, const char *a, const char *of_b)
{
    struct world *w = b->world;
    user_edit(w, 0, KIND_CONTACT, bed_named(w, 0, KIND_CONTACT, "Ann"), F_TITLE, a);
    w->now_us += 10 * US_PER_S;
    w->mono_us += 10 * US_PER_S;
    user_edit(w, 1, KIND_CONTACT, bed_named(w, 1, KIND_CONTACT, "Ann"), F_TITLE, of_b);
}

/* proves: V8 */
static void where_a_value_comes_from(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *a = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    user_edit(w, 0, KIND_CONTACT, a, F_TITLE, "Boss");
    bed_start(b);
    json_t *pair = shown(b);
    const json_t *title = field(pair, "title");
    assert_string_equal(text(title, "b"), "Boss");
    assert_string_equal(text(title, "b_agreed"), "Boss");
    assert_string_equal(text(title, "policy"), "newest");
    assert_string_equal(text(title, "direction"), "both");
    assert_string_equal(text(json_object_get(title, "written"), "rule"), "created");
    assert_string_equal(text(json_object_get(title, "written"), "to"), "b");
    assert_true(json_is_null(json_object_get(title, "pending")));
    assert_true(json_is_null(json_object_get(title, "lost")));
    json_decref(pair);
    user_edit(w, 0, KIND_CONTACT, a, F_PHONE, "+551");
    bed_run(b, 400 * US_PER_S);
    both_edit(b, "Chief", "Head");
    bed_run(b, 400 * US_PER_S);
    pair = shown(b);
    assert_written(field(pair, "phone"), "b", "only_edit", "+551");
    assert_written(field(pair, "title"), "a", "newest", "Head");
    const json_t *lost = json_object_get(field(pair, "title"), "lost");
    assert_string_equal(text(lost, "side"), "a");
    assert_string_equal(text(lost, "value"), "Chief"); /* what else was offered */
    assert_true(json_is_null(json_object_get(field(pair, "phone"), "lost")));
    json_decref(pair);
    bed_set(b, "contact", "policy", "a");
    both_edit(b, "Queen", "King");
    bed_run(b, 400 * US_PER_S);
    pair = shown(b);
    assert_written(field(pair, "title"), "b", "a", "Queen");
    assert_string_equal(text(json_object_get(field(pair, "title"), "lost"), "value"), "King");
    json_decref(pair);
}

static void what_a_person_decides(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_start(b);
    bed_set(b, "contact", "policy", "manual");
    both_edit(b, "Chief", "Head");
    bed_run(b, 400 * US_PER_S);
    json_t *pair = shown(b);
    assert_pending(field(pair, "title"), "conflict", "", "");
    assert_true(*text(field(pair, "title"), "a_edited") && *text(field(pair, "title"), "b_edited"));
    struct conflict_pick pick = {.connection = "c", .kind = "contact", .take = 'a'};
    must(admin_conflict_decide(b->engine, &pick, NULL, &e), &e);
    json_decref(pair);
    pair = shown(b);
    assert_pending(field(pair, "title"), "write", "b", "decided");
    json_decref(pair);
    bed_run(b, 400 * US_PER_S);
    pair = shown(b);
    assert_written(field(pair, "title"), "b", "decided", "Chief");
    assert_true(json_is_null(json_object_get(field(pair, "title"), "pending")));
    json_decref(pair);
}

/* An answer that was lost leaves no hole: what was there before is told all the same. */
static void told_after_a_lost_answer(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *a = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    user_edit(w, 0, KIND_CONTACT, a, F_TITLE, "Boss");
    bed_start(b);
    w->faults = true;
    w->knobs.unknown_pct = 100;
    user_edit(w, 0, KIND_CONTACT, a, F_TITLE, "Chief");
    bed_run(b, 90 * US_PER_S);
    w->faults = false;
    bed_run(b, 900 * US_PER_S);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Ann")->v[F_TITLE], "Chief");
    json_t *pair = shown(b);
    assert_written(field(pair, "title"), "b", "only_edit", "Chief");
    assert_string_equal(text(json_object_get(field(pair, "title"), "written"), "before"), "Boss");
    json_decref(pair);
}

#define WITH_BED(fn) cmocka_unit_test_setup_teardown(fn, bed_setup, bed_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BED(where_a_value_comes_from),
        WITH_BED(what_a_person_decides),
        WITH_BED(told_after_a_lost_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
