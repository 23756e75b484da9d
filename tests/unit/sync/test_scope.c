/* List views: what leaves one rests with its pair as it was, what comes back is met with what was agreed on before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bed.h"

static void read_whole(struct bed *b)
{
    struct err e = {0};
    struct sync_request full = {.connection = "c", .full = true};
    must(admin_sync_start(b->engine, &full, NULL, &e), &e);
    bed_run(b, 300 * US_PER_S);
}

static void leaves(struct world *w, int s, struct twin_record *r, bool leaves)
{
    r->outside = leaves;
    user_touch(w, s, r);
}

static const char *state_of(struct bed *b, const char *email, const char *member)
{
    static char state[32];
    struct err e = {0};
    json_t *out = NULL;
    must(view_pair_find(b->db, "c", email, &out, &e), &e);
    const char *text = json_string_value(json_object_get(json_array_get(json_object_get(out, "items"), 0), member));
    snprintf(state, sizeof state, "%s", text ? text : "no pair");
    json_decref(out);
    return state;
}

/* proves: S2-17 */
static void rests_outside_and_comes_back(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    user_create(w, 0, KIND_CONTACT, "bob@x.org", "Bob");
    bed_set(b, "contact", "view.b", "customers");
    bed_start(b);
    struct twin_record *there = bed_named(w, 1, KIND_CONTACT, "Ann");
    leaves(w, 1, there, true);
    read_whole(b);
    assert_string_equal(state_of(b, "ann@x.org", "b_state"), "out_of_scope");
    int64_t writes = w->counts.updates + w->counts.creates;
    user_edit(w, 0, KIND_CONTACT, ann, F_TITLE, "from the desk");
    user_edit(w, 1, KIND_CONTACT, there, F_PHONE, "+49111");
    bed_restart(b);
    bed_run(b, 300 * US_PER_S);
    read_whole(b);
    assert_int_equal(w->counts.updates + w->counts.creates, writes); /* no write either way */
    assert_string_equal(ann->v[F_PHONE], "");
    leaves(w, 1, there, false);
    bed_run(b, 300 * US_PER_S);
    assert_string_equal(state_of(b, "ann@x.org", "b_state"), "live");
    assert_string_equal(there->v[F_TITLE], "from the desk"); /* both edits of the time arrive */
    assert_string_equal(ann->v[F_PHONE], "+49111");
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 2);
}

/* One field edited on both sides meanwhile is a conflict of its own base, not an adoption: the later edit wins. */
static void met_with_the_old_base(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    user_edit(w, 0, KIND_CONTACT, ann, F_TITLE, "CTO");
    user_create(w, 0, KIND_CONTACT, "bob@x.org", "Bob");
    bed_set(b, "contact", "view.a", "customers");
    bed_start(b);
    leaves(w, 0, ann, true);
    read_whole(b);
    struct twin_record *there = bed_named(w, 1, KIND_CONTACT, "Ann");
    user_edit(w, 1, KIND_CONTACT, there, F_TITLE, ""); /* cleared: in an adoption a blank would never win */
    bed_run(b, 300 * US_PER_S);
    assert_string_equal(ann->v[F_TITLE], "CTO");
    leaves(w, 0, ann, false);
    bed_run(b, 300 * US_PER_S);
    assert_string_equal(ann->v[F_TITLE], "");
}

/* What is gone at the vendor is gone, whatever view it was in: asked for by its id. */
static void gone_not_outside(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_set(b, "contact", "view.b", "customers");
    bed_start(b);
    struct twin_record *there = bed_named(w, 1, KIND_CONTACT, "Ann");
    there->state = TL_STATE_DELETED; /* no page tells */
    there->modified_us = 0;
    user_create(w, 1, KIND_CONTACT, "bob@x.org", "Bob");
    read_whole(b);
    assert_string_equal(state_of(b, "ann@x.org", "b_state"), "deleted");
}

/* A counterpart outside of the view is paired and left alone: not doubled.
 * proves: S2-17 S2-27 */
static void counterpart_outside(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *there = user_create(w, 1, KIND_CONTACT, "ann@x.org", "Ann over there");
    there->outside = true;
    user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_set(b, "contact", "view.b", "customers");
    bed_start(b);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 1);
    assert_string_equal(state_of(b, "ann@x.org", "b_state"), "out_of_scope");
    assert_int_equal(w->counts.updates, 0);
    leaves(w, 1, there, false);
    bed_run(b, 300 * US_PER_S);
    assert_string_equal(state_of(b, "ann@x.org", "b_state"), "live");
    assert_string_equal(there->v[F_NAME], bed_named(w, 0, KIND_CONTACT, there->v[F_NAME])->v[F_NAME]);
}

/* Desk has no list views that can be followed: said at once, not read past. */
static void views_nobody_evaluates(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    struct admin_setting one = {"view.a", "customers"};
    for (int kind = 0; kind < TWIN_KINDS; kind++)
        w->knobs.can[0][kind] &= ~(uint32_t)TL_CAN_VIEW;
    b->checked = 0;
    must(admin_endpoint_check(b->engine, "desk", bed_checked, b, &e), &e);
    bed_run(b, US_PER_S);
    assert_int_equal(admin_link_set(b->engine, "c", "contact", &one, 1, NULL, &e), E_USAGE);
    assert_non_null(strstr(e.text, "has no list views"));
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, bed_setup, bed_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(rests_outside_and_comes_back), T(met_with_the_old_base),  T(gone_not_outside),
        T(counterpart_outside),          T(views_nobody_evaluates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
