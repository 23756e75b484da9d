/* The engine as an administrator has it, against two vendors in memory: first sync, matching, history, failures, retry,
 * pause. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bed.h"
#include "map_edit.h"

#define NEVER_SHOWN INT64_MAX

/* proves: S1-12 S1-15 S1-17 S1-19 S1-20 S1-21 */
static void first_sync(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *acme = user_create(w, 0, KIND_ACCOUNT, "", "Acme");
    user_create(w, 1, KIND_ACCOUNT, "", " acme ");
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    user_edit(w, 0, KIND_CONTACT, ann, F_ACCOUNT, acme->id);
    user_create(w, 1, KIND_CONTACT, "ANN@x.org", "Ann");
    user_create(w, 0, KIND_CONTACT, "", "Nomail");
    user_create(w, 1, KIND_CONTACT, "bob@x.org", "Bob");
    bed_start(b);
    assert_int_equal(bed_count(w, 0, KIND_ACCOUNT), 1); /* known by its name */
    assert_int_equal(bed_count(w, 1, KIND_ACCOUNT), 1);
    assert_int_equal(bed_count(w, 0, KIND_CONTACT), 3); /* Ann by e-mail, Nomail, Bob */
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 3);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Ann")->v[F_ACCOUNT], w->rec[1][KIND_ACCOUNT][0].id);
    int64_t writes = w->counts.creates + w->counts.updates;
    bed_run(b, 3600 * US_PER_S);
    assert_int_equal(w->counts.creates + w->counts.updates, writes);
}

/* Calls that come back make room for the next at once: a first sync of writes one by one never waits for a clock. */
static void room_is_used_at_once(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    char name[TWIN_TEXT], email[TWIN_TEXT];
    w->knobs.max_batch[0] = w->knobs.max_batch[1] = 1;
    b->checked = 0;
    for (int s = 0; s < 2; s++)
        must(admin_endpoint_check(b->engine, s ? "sales" : "desk", bed_checked, b, &e), &e);
    for (int i = 0; i < 240; i++) {
        snprintf(name, sizeof name, "Person %d", i);
        snprintf(email, sizeof email, "p%d@x.org", i);
        user_create(w, i % 2, KIND_CONTACT, email, name);
    }
    struct sync_request r = {.connection = "c"};
    bed_run(b, 10 * US_PER_S);
    must(admin_sync_start(b->engine, &r, NULL, &e), &e);
    int64_t since = w->now_us;
    while (bed_count(w, 0, KIND_CONTACT) + bed_count(w, 1, KIND_CONTACT) < 480 && w->now_us - since < 600 * US_PER_S)
        bed_run(b, US_PER_S / 10);
    assert_in_range(w->now_us - since, 0, 5 * US_PER_S);
}

/* proves: S1-22 S1-37 S1-38 S1-39 S1-40 S1-41 */
static void live_and_history(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_start(b);
    user_edit(w, 0, KIND_CONTACT, ann, F_TITLE, "Director");
    user_create(w, 1, KIND_CONTACT, "bob@x.org", "Bob");
    bed_run(b, 400 * US_PER_S);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Ann")->v[F_TITLE], "Director");
    assert_string_equal(bed_named(w, 0, KIND_CONTACT, "Bob")->v[F_EMAIL], "bob@x.org");
    json_t *out = NULL;
    must(view_history(b->db, "c", w->now_us - 7 * US_PER_DAY, NULL, &out, &e), &e);
    json_t *row;
    size_t i;
    int64_t added = 0, updated = 0;
    json_array_foreach(json_object_get(out, "items"), i, row)
    {
        assert_true(json_is_string(json_object_get(row, "date")));
        assert_true(json_is_string(json_object_get(row, "source")) &&
                    json_is_string(json_object_get(row, "destination")));
        assert_true(json_is_string(json_object_get(row, "kind")));
        assert_int_equal(json_integer_value(json_object_get(row, "failed")), 0);
        added += json_integer_value(json_object_get(row, "added"));
        updated += json_integer_value(json_object_get(row, "updated"));
    }
    json_decref(out);
    assert_int_equal(added, w->counts.creates);
    assert_int_equal(updated, w->counts.updates);
    must(view_history(b->db, "c", w->now_us + US_PER_S, NULL, &out, &e), &e);
    assert_int_equal(json_array_size(json_object_get(out, "items")), 0);
    json_decref(out);
}

/* proves: S1-19 S1-43 S1-44 S1-50 S1-51 */
static void failure_and_retry(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    user_create(w, 0, KIND_CONTACT, "same@x.org", "First");
    w->now_us += US_PER_S;
    struct twin_record *second = user_create(w, 0, KIND_CONTACT, "same@x.org", "Second");
    bed_start(b);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 1);
    json_t *list = bed_failures(b, false), *row = json_array_get(json_object_get(list, "items"), 0);
    assert_int_equal(json_array_size(json_object_get(list, "items")), 1);
    assert_string_equal(json_string_value(json_object_get(row, "code")), "ALREADY_MAPPED");
    assert_string_equal(json_string_value(json_object_get(row, "record")), second->id);
    assert_string_equal(json_string_value(json_object_get(row, "reason")),
                        "the CRM id is already mapped with another support entity");
    assert_true(json_is_string(json_object_get(row, "time")));
    int64_t id = json_integer_value(json_object_get(row, "id"));
    json_decref(list);
    snprintf(second->v[F_EMAIL], TWIN_TEXT, "other@x.org"); /* corrected without the feed telling */
    struct failure_pick pick = {.id = id};
    must(admin_failure_retry(b->engine, &pick, NULL, &e), &e);
    bed_run(b, 200 * US_PER_S);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 2);
    list = bed_failures(b, false);
    assert_int_equal(json_array_size(json_object_get(list, "items")), 0);
    json_decref(list);
    list = bed_failures(b, true);
    assert_int_equal(json_array_size(json_object_get(list, "items")), 1);
    json_decref(list);
}

/* proves: S1-52 S1-53 */
static void pause_resume(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_start(b);
    must(admin_connection_pause(b->engine, "c", NULL, &e), &e);
    assert_int_equal(admin_connection_pause(b->engine, "c", NULL, &e), E_PRECONDITION);
    bed_run(b, 10 * US_PER_S);
    int64_t calls = w->counts.calls;
    user_edit(w, 0, KIND_CONTACT, ann, F_TITLE, "Director");
    bed_run(b, 3600 * US_PER_S);
    assert_int_equal(w->counts.calls, calls);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Ann")->v[F_TITLE], "");
    must(admin_connection_resume(b->engine, "c", NULL, &e), &e);
    bed_run(b, 60 * US_PER_S);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Ann")->v[F_TITLE], "Director");
}

static void assert_state(struct bed *b, const char *state)
{
    struct err e = {0};
    json_t *out = NULL;
    must(view_connection(b->db, "c", &out, &e), &e);
    assert_string_equal(json_string_value(json_object_get(out, "state")), state);
    json_decref(out);
}

static json_t *link_json(struct bed *b, const char *kind)
{
    struct err e = {0};
    json_t *out = NULL;
    must(view_link(b->db, "c", kind, &out, &e), &e);
    return out;
}

/* A side that shows nothing at all any more stops what reads it, however few records it had, until a person says so. */
static void empty_pass(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    struct sync_request full = {.connection = "c", .full = true};
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_start(b);
    int64_t visible_us = ann->visible_us;
    ann->visible_us = NEVER_SHOWN;
    must(admin_sync_start(b->engine, &full, NULL, &e), &e);
    bed_run(b, 300 * US_PER_S);
    json_t *link = link_json(b, "contact");
    assert_string_equal(json_string_value(json_object_get(link, "brake_code")), "SAFETY");
    json_decref(link);
    link = link_json(b, "account"); /* never had one */
    assert_true(json_is_null(json_object_get(link, "brake_code")));
    json_decref(link);
    ann->visible_us = visible_us;
    must(admin_connection_release(b->engine, "c", NULL, &e), &e);
    bed_run(b, 300 * US_PER_S);
    link = link_json(b, "contact");
    assert_true(json_is_null(json_object_get(link, "brake_code")));
    json_decref(link);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 1);
}

/* A wait the vendor asked for holds over a restart. */
static void throttled_over_restart(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_start(b);
    w->faults = true;
    w->knobs.throttle_pct = 100;
    w->knobs.throttle_ms = 3600000;
    user_create(w, 0, KIND_CONTACT, "bob@x.org", "Bob");
    bed_run(b, 600 * US_PER_S);
    assert_true(w->counts.throttled >= 2); /* both sides */
    w->faults = false;
    int64_t calls = w->counts.calls;
    bed_restart(b);
    bed_run(b, 1800 * US_PER_S);
    assert_int_equal(w->counts.calls, calls);
    bed_run(b, 3600 * US_PER_S);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 2);
}

/* An endpoint that does not say which org it is gets nothing until it does. */
static void org_untold(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    int before = b->checked;
    user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_start(b);
    w->knobs.nameless[1] = true;
    must(admin_endpoint_check(b->engine, "sales", bed_checked, b, &e), &e);
    bed_run(b, 10 * US_PER_S);
    assert_int_equal(b->checked, before + 1);
    assert_state(b, "blocked");
    user_create(w, 0, KIND_CONTACT, "bob@x.org", "Bob");
    bed_run(b, 3600 * US_PER_S);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 1);
    w->knobs.nameless[1] = false;
    must(admin_endpoint_check(b->engine, "sales", bed_checked, b, &e), &e);
    bed_run(b, 600 * US_PER_S);
    assert_state(b, "active");
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 2);
}

/* A block that comes and goes while a connection is paused changes nothing of what it is resumed to. */
static void blocked_while_paused(void **state)
{
    struct bed *b = *state;
    struct err e = {0};
    struct sync_request r = {.connection = "c"};
    struct endpoint_setup ep = {.name = "sales", .connector = "twin", .system = "twinb", .role = TL_ROLE_CRM};
    user_create(b->world, 0, KIND_CONTACT, "ann@x.org", "Ann");
    must(admin_sync_start(b->engine, &r, NULL, &e), &e);
    must(admin_connection_pause(b->engine, "c", NULL, &e), &e);
    must(engine_endpoint_gone(b->engine, "sales", &e), &e);
    assert_state(b, "blocked");
    must(engine_endpoint_put(b->engine, &ep, &b->twin.endpoint[1], &e), &e);
    assert_state(b, "paused");
    must(admin_connection_resume(b->engine, "c", NULL, &e), &e);
    assert_state(b, "initial");
    must(engine_endpoint_gone(b->engine, "sales", &e), &e);
    must(engine_endpoint_put(b->engine, &ep, &b->twin.endpoint[1], &e), &e);
    assert_state(b, "initial");
    bed_run(b, 600 * US_PER_S);
    assert_state(b, "active");
    assert_int_equal(bed_count(b->world, 1, KIND_CONTACT), 1);
}

/* A paused connection looks nothing up: what it does not know must not stop another one that reads the same records. */
static void paused_unknown(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    must(admin_connection_create(b->engine, "d", "desk", "sales", NULL, &e), &e);
    struct admin_setting set[] = {{"a_kind", "contact"}, {"b_kind", "account"}, {"direction", "a2b"}};
    must(admin_link_create(b->engine, "d", "people", set, 3, NULL, &e), &e);
    must(admin_map_set(b->engine, "d", "people", &(struct map_ask){.a = "last_name", .b = "name"}, NULL, &e), &e);
    user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_start(b);
    struct sync_request other = {.connection = "d"};
    must(admin_sync_start(b->engine, &other, NULL, &e), &e);
    bed_run(b, 600 * US_PER_S);
    must(admin_connection_pause(b->engine, "d", NULL, &e), &e);
    w->faults = true;
    w->knobs.unknown_pct = 100;
    user_create(w, 1, KIND_CONTACT, "bob@x.org", "Bob");
    for (int i = 0; i < 100000 && w->counts.unknown == 0; i++) {
        engine_turn(b->engine, 0);
        if (!twin_step(&b->twin)) {
            w->now_us += 10000;
            w->mono_us += 10000;
        }
    }
    assert_int_equal(w->counts.unknown, 1);
    w->knobs.throttle_pct = 100; /* so that looking for it fails */
    bed_run(b, 10000);
    must(admin_connection_pause(b->engine, "c", NULL, &e), &e);
    w->faults = false;
    bed_run(b, US_PER_S);
    must(admin_connection_resume(b->engine, "d", NULL, &e), &e);
    user_edit(w, 0, KIND_CONTACT, bed_named(w, 0, KIND_CONTACT, "Ann"), F_PHONE, "+41 44 1");
    bed_run(b, 600 * US_PER_S);
    assert_string_equal(w->rec[1][KIND_ACCOUNT][0].v[F_PHONE], "+41 44 1");
    must(admin_connection_resume(b->engine, "c", NULL, &e), &e);
    bed_run(b, 600 * US_PER_S);
    assert_int_equal(bed_count(w, 0, KIND_CONTACT), 2);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 2);
}

/* proves: S1-13 */
static void one_way(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    bed_set(b, "contact", "direction", "b2a");
    bed_set(b, "account", "direction", "b2a");
    user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    user_create(w, 1, KIND_CONTACT, "bob@x.org", "Bob");
    bed_start(b);
    assert_int_equal(bed_count(w, 0, KIND_CONTACT), 2);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 1);
    struct twin_record *bob = bed_named(w, 0, KIND_CONTACT, "Bob");
    user_edit(w, 0, KIND_CONTACT, bob, F_TITLE, "edited here");
    bed_run(b, 300 * US_PER_S);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Bob")->v[F_TITLE], "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(first_sync, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(room_is_used_at_once, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(live_and_history, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(failure_and_retry, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(pause_resume, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(empty_pass, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(throttled_over_restart, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(org_untold, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(blocked_while_paused, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(paused_unknown, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(one_way, bed_setup, bed_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
