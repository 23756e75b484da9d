/* The life of a connection: every verb in every state, what disable, enable, delete and undelete do, and that rows go
 * in bounded slices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "attention.h"
#include "bed.h"
#include "connections.h"
#include "feeds.h"
#include "lifecycle.h"
#include "records.h"
#include "secrets.h"

static struct connection row(struct bed *b, struct arena *a)
{
    struct connection c = {0};
    struct err e = {0};
    must(connection_find(b->db, a, STR("c"), &c, &e), &e);
    return c;
}

/* What keeps it from being done is named, and the way out of it. */
static void a_block_is_named_where_it_is_in_the_way(void **unused)
{
    (void)unused;
    struct connection c = {
        .name = STR("c"), .state = CONN_BLOCKED, .block_code = STR("RESTORED"), .block_text = STR("an older database")};
    struct err e = {0};
    assert_int_equal(life_check(LIFE_RESUME, &c, &e), E_PRECONDITION);
    assert_string_equal(e.detail, "an older database");
    assert_non_null(strstr(e.hint, "tieline connection release c"));
    c.block_code = STR("AUTH");
    assert_int_equal(life_check(LIFE_START, &c, &e), E_PRECONDITION);
    assert_non_null(strstr(e.hint, "tieline connection show c"));
}

static int32_t state(struct bed *b)
{
    AUTO(arena_done) struct arena a = {0};
    return row(b, &a).state;
}

static bool is_there(struct bed *b)
{
    AUTO(arena_done) struct arena a = {0};
    struct connection c;
    return connection_find(b->db, &a, STR("c"), &c, NULL) == TL_OK;
}

static void last_audit(struct bed *b, const char *act, const char *who)
{
    AUTO(arena_done) struct arena a = {0};
    struct audit *list = NULL;
    size_t n = 0;
    struct err e = {0};
    must(audit_list(b->db, &a, INT64_MAX, 1, &list, &n, &e), &e);
    assert_int_equal(n, 1);
    assert_true(str_is(list[0].act, act));
    assert_true(str_is(list[0].who, who));
    assert_true(str_is(list[0].object, "c"));
}

static int64_t audits(struct bed *b)
{
    AUTO(arena_done) struct arena a = {0};
    struct audit *list = NULL;
    size_t n = 0;
    struct err e = {0};
    must(audit_list(b->db, &a, INT64_MAX, 1, &list, &n, &e), &e);
    return n ? list[0].audit : 0;
}

static int64_t writes(const struct world *w)
{
    return w->counts.creates + w->counts.updates + w->counts.restores;
}

/* Time goes by while nothing of ours looks at it. */
static void days_pass(struct bed *b, int days)
{
    b->world->now_us += days * US_PER_DAY;
    b->world->mono_us += days * US_PER_DAY;
    bed_run(b, 60 * US_PER_S);
}

static int run_verb(struct bed *b, enum life_verb v, struct err *e)
{
    struct sync_request start = {.connection = "c"};
    switch (v) {
    case LIFE_START:
        return admin_sync_start(b->engine, &start, NULL, e);
    case LIFE_CANCEL:
        return admin_sync_cancel(b->engine, "c", NULL, e);
    case LIFE_PAUSE:
        return admin_connection_pause(b->engine, "c", NULL, e);
    case LIFE_RESUME:
        return admin_connection_resume(b->engine, "c", NULL, e);
    case LIFE_DISABLE:
        return admin_connection_disable(b->engine, "c", NULL, e);
    case LIFE_ENABLE:
        return admin_connection_enable(b->engine, "c", NULL, e);
    case LIFE_DELETE:
        return admin_connection_delete(b->engine, "c", false, NULL, e);
    case LIFE_UNDELETE:
        return admin_connection_undelete(b->engine, "c", NULL, e);
    default:
        return admin_connection_release(b->engine, "c", NULL, e);
    }
}

/* The table, state by state: what is not marked is refused and changes nothing, not even the audit. */
static void every_verb_in_every_state(void **s)
{
    struct bed *b = *s;
    /*                               start cancel pause resume disable enable delete undelete release */
    static const char *const table[] = {
        [CONN_DRAFT] = "y-----y--",    [CONN_READY] = "y-----y--",   [CONN_INITIAL] = "yyy-y---y",
        [CONN_ACTIVE] = "yyy-y---y",   [CONN_PAUSED] = "-y-yy-y-y",  [CONN_BLOCKED] = "-y--y-y-y",
        [CONN_DISABLED] = "-----yy--", [CONN_DELETING] = "-------y-"};
    bed_start(b);
    for (int32_t at = CONN_DRAFT; at <= CONN_DELETING; at++)
        for (int v = 0; v < LIFE_VERBS; v++) {
            AUTO(arena_done) struct arena a = {0};
            struct err e = {0};
            bool allowed = table[at][v] == 'y';
            assert_int_equal(life_allows((enum life_verb)v, at), allowed);
            struct connection c = row(b, &a);
            c.state = at;
            c.prev_state = CONN_ACTIVE;
            c.block_code = at == CONN_BLOCKED ? STR("AUTH_FAILED") : (str){0};
            c.delete_us = at == CONN_DELETING ? INT64_MAX / 2 : 0;
            must(connection_update(b->db, &c, &e), &e);
            bed_restart(b);
            int64_t before = audits(b);
            struct connection was = row(b, &a);
            int rc = run_verb(b, (enum life_verb)v, &e);
            struct connection is = row(b, &a);
            if (!allowed) {
                if (rc != E_PRECONDITION)
                    fail_msg("%s of a connection that is %s: %d", life_verb_name((enum life_verb)v),
                             conn_state_name(at), rc);
                assert_int_equal(is.state, at);
                assert_int_equal(is.state_us, was.state_us);
                assert_int_equal(audits(b), before);
                assert_string_equal(e.code, "STATE");
                continue;
            }
            bool decided_by_state = v != LIFE_CANCEL && v != LIFE_RELEASE; /* these also need something to act on */
            if (decided_by_state && rc != TL_OK)
                fail_msg("%s of a connection that is %s: %s", life_verb_name((enum life_verb)v), conn_state_name(at),
                         e.text);
            if (decided_by_state && v != LIFE_START) {
                assert_int_not_equal(is.state, at);
                assert_true(audits(b) > before);
            }
        }
}

/* Disabled: no call at all. Enabled: both accounts are asked who they are, both sides are read whole, and what was
 * edited and deleted meanwhile meets the old bases: nobody is made twice.
 * proves: S0-71 S4-28 S4-30, V15 */
static void disabled_and_enabled(void **s)
{
    struct bed *b = *s;
    struct world *w = b->world;
    struct err e = {0};
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    user_create(w, 1, KIND_CONTACT, "bob@x.org", "Bob");
    bed_start(b);
    int contacts = bed_count(w, 0, KIND_CONTACT);
    engine_act_as(b->engine, "uid 7 (eve)");
    must(admin_connection_disable(b->engine, "c", NULL, &e), &e);
    engine_act_as(b->engine, NULL);
    last_audit(b, "connection.disable", "uid 7 (eve)");
    bed_run(b, 5 * US_PER_S); /* what is in flight comes in */
    int64_t calls = w->counts.calls;
    user_edit(w, 0, KIND_CONTACT, ann, F_TITLE, "Director");
    user_create(w, 0, KIND_CONTACT, "cid@x.org", "Cid");
    user_create(w, 1, KIND_CONTACT, "cid@x.org", "Cid"); /* made on both sides: they must meet, not be doubled */
    days_pass(b, 40);
    bed_restart(b);
    days_pass(b, 1);
    assert_int_equal(w->counts.calls, calls);
    must(admin_connection_enable(b->engine, "c", NULL, &e), &e);
    assert_int_equal(state(b), CONN_INITIAL);
    bed_run(b, 900 * US_PER_S);
    assert_int_equal(state(b), CONN_ACTIVE);
    last_audit(b, "connection.active", "engine");
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Ann")->v[F_TITLE], "Director");
    for (int side = 0; side < 2; side++)
        assert_int_equal(bed_count(w, side, KIND_CONTACT), contacts + 1);
    int64_t now = writes(w);
    bed_run(b, 3600 * US_PER_S);
    assert_int_equal(writes(w), now);
}

/* A pause of weeks, longer than anybody keeps a list of deletions: both sides are read whole, and what was deleted
 * meanwhile is noticed. proves: S1-52 S2-60 */
static void paused_for_weeks(void **s)
{
    struct bed *b = *s;
    struct world *w = b->world;
    struct err e = {0};
    AUTO(arena_done) struct arena a = {0};
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_start(b);
    must(admin_connection_pause(b->engine, "c", NULL, &e), &e);
    bed_run(b, 5 * US_PER_S);
    int64_t calls = w->counts.calls;
    user_edit(w, 0, KIND_CONTACT, ann, F_TITLE, "Director");
    days_pass(b, 20);
    assert_int_equal(w->counts.calls, calls);
    int64_t resumed = w->now_us;
    must(admin_connection_resume(b->engine, "c", NULL, &e), &e);
    bed_run(b, 600 * US_PER_S);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Ann")->v[F_TITLE], "Director");
    struct feed *feeds = NULL;
    size_t n = 0;
    must(feed_list(b->db, &a, 0, &feeds, &n, &e), &e);
    assert_int_equal(n, 4);
    for (size_t i = 0; i < n; i++)
        assert_true(feeds[i].full_pass_us >= resumed);
}

/* Webhooks of an endpoint whose connections are all disabled are refused; those of a paused one are kept. */
static void hooks_of_the_disabled(void **s)
{
    struct bed *b = *s;
    struct err e = {0};
    struct hook_delivery d = {.endpoint = b->twin.endpoint[0], .delivery_key = STR("1"), .body = STR("{}")};
    bed_start(b);
    must(admin_connection_pause(b->engine, "c", NULL, &e), &e);
    must(hook_deliver(b->engine, &d, &e), &e);
    must(admin_connection_disable(b->engine, "c", NULL, &e), &e);
    d.delivery_key = STR("2");
    assert_int_equal(hook_deliver(b->engine, &d, &e), E_PRECONDITION);
    assert_string_equal(e.code, "DISABLED");
}

/* Whose org it is cannot be told when it is enabled: blocked before anything is read, until it can. proves: V16 */
static void enabled_without_org(void **s)
{
    struct bed *b = *s;
    struct err e = {0};
    bed_start(b);
    must(admin_connection_disable(b->engine, "c", NULL, &e), &e);
    b->world->knobs.nameless[1] = true;
    must(admin_connection_enable(b->engine, "c", NULL, &e), &e);
    int64_t now = writes(b->world);
    bed_run(b, 60 * US_PER_S);
    assert_int_equal(state(b), CONN_BLOCKED);
    assert_int_equal(writes(b->world), now);
    b->world->knobs.nameless[1] = false;
    bed_run(b, 1200 * US_PER_S);
    assert_int_equal(state(b), CONN_ACTIVE);
}

/* Within the grace it can be taken back, with all its pairs; it is disabled then. */
static void deleted_and_taken_back(void **s)
{
    struct bed *b = *s;
    struct world *w = b->world;
    struct err e = {0};
    user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_start(b);
    int64_t before = writes(w);
    must(admin_connection_pause(b->engine, "c", NULL, &e), &e);
    must(admin_connection_delete(b->engine, "c", false, NULL, &e), &e);
    assert_int_equal(state(b), CONN_DELETING);
    days_pass(b, 6);
    must(admin_connection_undelete(b->engine, "c", NULL, &e), &e);
    assert_int_equal(state(b), CONN_DISABLED);
    must(admin_connection_enable(b->engine, "c", NULL, &e), &e);
    bed_run(b, 900 * US_PER_S);
    assert_int_equal(state(b), CONN_ACTIVE);
    assert_int_equal(writes(w), before);
}

/* After the grace its rows are gone, and so is what nobody needs any more; records stay; the place is free.
 * proves: S1-54 S1-55 S2-61 S2-62 S4-31 */
static void deleted_for_good(void **s)
{
    struct bed *b = *s;
    struct world *w = b->world;
    struct err e = {0};
    AUTO(arena_done) struct arena a = {0};
    char name[32], mail[32];
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "Person %d", i);
        snprintf(mail, sizeof mail, "p%d@x.org", i);
        user_create(w, 0, KIND_CONTACT, mail, name);
    }
    bed_start(b);
    int records = bed_count(w, 1, KIND_CONTACT);
    must(admin_connection_pause(b->engine, "c", NULL, &e), &e);
    must(admin_connection_delete(b->engine, "c", false, NULL, &e), &e);
    days_pass(b, 6);
    b->world->now_us += 22 * 3600 * US_PER_S;
    b->world->mono_us += 22 * 3600 * US_PER_S;
    bed_run(b, 60 * US_PER_S);
    assert_true(is_there(b));
    bed_restart(b);
    bed_run(b, 3 * 3600 * US_PER_S);
    assert_false(is_there(b));
    last_audit(b, "connection.gone", "engine");
    struct feed *feeds = NULL;
    struct link *links = NULL;
    size_t n = 0;
    must(feed_list(b->db, &a, 0, &feeds, &n, &e), &e);
    assert_int_equal(n, 0);
    must(link_list(b->db, &a, 0, &links, &n, &e), &e);
    assert_int_equal(n, 0);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), records);
    assert_int_equal(w->counts.deletes, 0);
    must(admin_connection_create(b->engine, "c", "desk", "sales", NULL, &e), &e);
    struct engine_figures f;
    engine_figures_get(b->engine, &f);
    assert_true(f.longest_turn_steps < ENGINE_TURN_STEPS + 400);
}

/* Now means now, in slices of several turns; killed half-way it goes on after the restart. A link that takes up a feed
 * whose rows are going reads it whole. */
static void deleted_now(void **s)
{
    struct bed *b = *s;
    struct world *w = b->world;
    struct err e = {0};
    char name[32];
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "Account %d", i);
        user_create(w, 0, KIND_ACCOUNT, "", name);
    }
    bed_start(b);
    must(admin_connection_pause(b->engine, "c", NULL, &e), &e);
    bed_run(b, 5 * US_PER_S);
    must(admin_connection_delete(b->engine, "c", true, NULL, &e), &e);
    assert_int_equal(admin_connection_undelete(b->engine, "c", NULL, &e), E_PRECONDITION);
    unsigned turns = 0;
    for (; is_there(b); turns++) {
        assert_true(turns < 100);
        assert_true(engine_turn(b->engine, 100) <= 100 + 600);
        if (turns == 2)
            bed_restart(b);
    }
    assert_true(turns > 3);
    must(admin_connection_create(b->engine, "c", "desk", "sales", NULL, &e), &e);
    must(admin_link_create(b->engine, "c", "account", NULL, 0, NULL, &e), &e); /* while records of its feeds remain */
    struct sync_request r = {.connection = "c"};
    must(admin_sync_start(b->engine, &r, NULL, &e), &e);
    bed_run(b, 1200 * US_PER_S);
    for (int side = 0; side < 2; side++)
        assert_int_equal(bed_count(w, side, KIND_ACCOUNT), 500);
}

static void reading_says(struct bed *b, const char *words, bool missed)
{
    struct err e = {0};
    json_t *out = NULL;
    must(view_link(b->db, "c", "contact", &out, &e), &e);
    json_t *sides = json_object_get(out, "reading"), *one;
    size_t i;
    assert_int_equal(json_array_size(sides), 2);
    json_array_foreach(sides, i, one)
    {
        assert_non_null(strstr(json_string_value(json_object_get(one, "text")), words));
        assert_int_equal(json_is_string(json_object_get(one, "missed_since")), missed);
    }
    json_decref(out);
}

/* How far back the sides are read, in words, also while nobody can say that nothing was missed. */
static void how_far_it_is_read(void **s)
{
    struct bed *b = *s;
    struct err e = {0};
    bed_start(b);
    reading_says(b, "every change since", false);
    must(admin_connection_disable(b->engine, "c", NULL, &e), &e);
    days_pass(b, 40);
    must(admin_connection_enable(b->engine, "c", NULL, &e), &e);
    reading_says(b, "it is read whole next", true);
    bed_run(b, 900 * US_PER_S);
    reading_says(b, "every change since", false);
}

static void sign_in(struct bed *b, int side)
{
    AUTO(token_done) struct token t = {.expires_us = 1};
    struct err e = {0};
    buf_text_add(&t.access, "access");
    must(token_put(b->db, b->twin.endpoint[side], &t, &e), &e);
}

static bool is_signed_in(struct bed *b, int side)
{
    AUTO(token_done) struct token t = {.expires_us = 0};
    return token_get(b->db, b->twin.endpoint[side], &t, NULL) == TL_OK;
}

static int audits_of(struct bed *b, const char *act, const char *object)
{
    AUTO(arena_done) struct arena a = {0};
    struct audit *list = NULL;
    size_t n = 0;
    int found = 0;
    struct err e = {0};
    must(audit_list(b->db, &a, INT64_MAX, 1000, &list, &n, &e), &e);
    for (size_t i = 0; i < n; i++)
        found += str_is(list[i].act, act) && str_is(list[i].object, object);
    return found;
}

/* Sign-ins stay while a connection, though deleted, can be taken back; then those that no other one uses go. */
static void sign_ins_go_with_the_last_connection(void **s)
{
    struct bed *b = *s;
    struct err e = {0};
    struct endpoint_setup third = {.name = "shop", .connector = "twin", .system = "twinc", .role = TL_ROLE_OTHER};
    int64_t id;
    must(engine_endpoint_put(b->engine, &third, &id, &e), &e);
    must(admin_connection_create(b->engine, "other", "sales", "shop", NULL, &e), &e);
    sign_in(b, 0);
    sign_in(b, 1);
    must(admin_connection_delete(b->engine, "c", false, NULL, &e), &e);
    days_pass(b, 6);
    assert_true(is_signed_in(b, 0));
    days_pass(b, 2);
    assert_false(is_there(b));
    assert_false(is_signed_in(b, 0));
    assert_true(is_signed_in(b, 1));
    assert_int_equal(b->signed_out[0], 1);
    assert_int_equal(b->signed_out[1], 0);
    assert_int_equal(audits_of(b, "endpoint.sign_out", "desk"), 1);
    must(admin_connection_delete(b->engine, "other", true, NULL, &e), &e);
    bed_run(b, 60 * US_PER_S);
    assert_false(is_signed_in(b, 1));
    assert_int_equal(b->signed_out[1], 1);
    assert_int_equal(audits_of(b, "endpoint.sign_out", "sales"), 1);
    assert_int_equal(audits_of(b, "endpoint.sign_out", "shop"), 0); /* nobody was signed in there */
}

/* A section that went from the file keeps everything of an endpoint that a connection uses, its sign-in too; that of
 * one that nobody uses goes. */
static void sign_ins_of_what_is_not_configured(void **s)
{
    struct bed *b = *s;
    struct err e = {0};
    sign_in(b, 0);
    must(engine_endpoint_gone(b->engine, "desk", &e), &e);
    assert_true(is_signed_in(b, 0));
    must(admin_connection_delete(b->engine, "c", true, NULL, &e), &e);
    bed_run(b, 60 * US_PER_S);
    assert_false(is_signed_in(b, 0));
    sign_in(b, 1);
    must(engine_endpoint_gone(b->engine, "sales", &e), &e);
    assert_false(is_signed_in(b, 1));
    assert_int_equal(b->signed_out[0], 1);
    assert_int_equal(b->signed_out[1], 1);
}

/* A telephone system that serves a CRM or a help desk serves one of them: the other one is refused, with the connection
 * that has the place, and takes it once that is gone. */
static void one_place_for_partners_of_several_roles(void **s)
{
    struct bed *b = *s;
    struct err e = {0};
    struct endpoint_setup phones = {.name = "phones",
                                    .connector = "twin",
                                    .system = "twinc",
                                    .role = TL_ROLE_TELEPHONY,
                                    .claims = "helpdesk|crm:crm"};
    int64_t id;
    must(engine_endpoint_put(b->engine, &phones, &id, &e), &e);
    must(admin_connection_create(b->engine, "first", "phones", "desk", NULL, &e), &e);
    assert_int_equal(admin_connection_create(b->engine, "second", "sales", "phones", NULL, &e), E_EXISTS);
    assert_string_equal(e.code, "CLAIMED");
    assert_non_null(strstr(e.text, "connection \"first\""));
    err_clear(&e);
    must(admin_connection_delete(b->engine, "first", true, NULL, &e), &e);
    bed_run(b, 60 * US_PER_S);
    must(admin_connection_create(b->engine, "second", "sales", "phones", NULL, &e), &e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_is_named_where_it_is_in_the_way),
        cmocka_unit_test_setup_teardown(every_verb_in_every_state, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(disabled_and_enabled, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(paused_for_weeks, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(hooks_of_the_disabled, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(enabled_without_org, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(deleted_and_taken_back, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(deleted_for_good, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(deleted_now, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(how_far_it_is_read, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(sign_ins_go_with_the_last_connection, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(sign_ins_of_what_is_not_configured, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(one_place_for_partners_of_several_roles, bed_setup, bed_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
