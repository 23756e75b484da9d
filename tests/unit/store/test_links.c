/* Connections, claims, links, maps, settings. */
#include <stdio.h>

#include "rig.h"

static void connections_have_one_name_and_two_endpoints(void **state)
{
    struct rig *r = *state;
    struct connection twice = {.name = STR("desk-sf"), .endpoint = {r->endpoint[0], r->endpoint[1]}};
    assert_int_equal(connection_create(r->db, &twice, &r->e), E_EXISTS);
    assert_non_null(strstr(r->e.text, "\"desk-sf\""));
    struct connection self = {.name = STR("self"), .endpoint = {r->endpoint[0], r->endpoint[0]}};
    assert_int_equal(connection_create(r->db, &self, &r->e), TL_E_INVALID);
    struct connection nobody = {.name = STR("nobody"), .endpoint = {r->endpoint[0], 99}};
    assert_int_equal(connection_create(r->db, &nobody, &r->e), TL_E_INVALID);
}

static void a_connection_changes_state_and_name(void **state)
{
    struct rig *r = *state;
    struct connection c, *all;
    size_t n;
    ok(connection_find(r->db, &r->a, STR("desk-sf"), &c, &r->e));
    assert_int_equal(c.state, CONN_DRAFT);
    c.name = STR("main");
    c.state = CONN_BLOCKED;
    c.prev_state = CONN_ACTIVE;
    c.block_code = STR("AUTH_FAILED");
    c.state_us = 5;
    ok(connection_update(r->db, &c, &r->e));
    rig_reopen(r);
    ok(connection_list(r->db, &r->a, &all, &n, &r->e));
    assert_int_equal(n, 1);
    assert_str(all[0].name, "main");
    assert_int_equal(all[0].state, CONN_BLOCKED);
    assert_int_equal(all[0].prev_state, CONN_ACTIVE);
    assert_str(all[0].block_code, "AUTH_FAILED");
    assert_string_equal(conn_state_name(CONN_BLOCKED), "blocked");
    assert_string_equal(conn_state_name(77), "unknown");
}

/* One help desk per CRM: the endpoint holds the group for one connection at a time. */
static void a_claim_is_exclusive(void **state)
{
    struct rig *r = *state;
    struct connection other = {.name = STR("other"), .endpoint = {r->endpoint[1], r->endpoint[0]}};
    int64_t holder;
    ok(connection_create(r->db, &other, &r->e));
    ok(claim_take(r->db, r->endpoint[1], STR("desk"), r->connection, &r->e));
    ok(claim_take(r->db, r->endpoint[1], STR("desk"), r->connection, &r->e)); /* its own: fine */
    assert_int_equal(claim_take(r->db, r->endpoint[1], STR("desk"), other.connection, &r->e), E_EXISTS);
    assert_string_equal(r->e.code, "CLAIMED");
    assert_non_null(strstr(r->e.text, "\"desk-sf\""));
    ok(claim_holder(r->db, r->endpoint[1], STR("desk"), &holder, &r->e));
    assert_int_equal(holder, r->connection);
    ok(claim_release(r->db, r->connection, &r->e));
    ok(claim_take(r->db, r->endpoint[1], STR("desk"), other.connection, &r->e));
}

/* Two links over the same endpoints and kinds are refused, in another connection and turned round too. */
static void the_same_records_are_synced_once(void **state)
{
    struct rig *r = *state;
    struct connection other = {.name = STR("other"), .endpoint = {r->endpoint[1], r->endpoint[0]}};
    ok(connection_create(r->db, &other, &r->e));
    struct link again = {
        .connection = other.connection, .name = STR("people"), .kind = {STR("contact"), STR("contact")}};
    assert_int_equal(link_create(r->db, &again, &r->e), E_EXISTS);
    assert_string_equal(r->e.code, "SAME_LINK");
    assert_non_null(strstr(r->e.text, "link \"contact\" of connection \"desk-sf\""));
    again.kind[SIDE_A] = STR("lead"); /* lead of sf with contact of desk is something else */
    ok(link_create(r->db, &again, &r->e));
    struct link board = {.connection = other.connection,
                         .name = STR("board"),
                         .kind = {STR("contact"), STR("ticket")},
                         .feed = {r->feed[1], 0}};
    ok(link_create(r->db, &board, &r->e));
    struct link named = {.connection = other.connection, .name = STR("board"), .kind = {STR("deal"), STR("ticket")}};
    assert_int_equal(link_create(r->db, &named, &r->e), E_EXISTS);
    struct link *links;
    size_t n;
    ok(link_list_of_feed(r->db, &r->a, r->feed[1], &links, &n, &r->e));
    assert_int_equal(n, 2);
    ok(link_list(r->db, &r->a, other.connection, &links, &n, &r->e));
    assert_int_equal(n, 2);
    ok(link_list(r->db, &r->a, 0, &links, &n, &r->e));
    assert_int_equal(n, 3);
    struct link lost = {.connection = 999, .name = STR("x"), .kind = {STR("a"), STR("b")}};
    assert_int_equal(link_create(r->db, &lost, &r->e), TL_E_NOT_FOUND);
}

static void a_link_keeps_what_the_engine_writes(void **state)
{
    struct rig *r = *state;
    struct link l;
    ok(link_get(r->db, &r->a, r->link, &l, &r->e));
    assert_int_equal(l.map_gen, 1);
    l.phase = 4;
    l.position = STR("after 4711");
    l.created_from_us = 5;
    l.filter_hash = UINT64_MAX;
    l.topo = 2;
    l.run = 8;
    l.brake_code = STR("MASS_VANISH");
    l.brake_text = STR("too many");
    l.brake_us = 6;
    l.readopt_us = 7;
    l.enabled = false;
    l.feed[SIDE_B] = 0;
    ok(link_update(r->db, &l, &r->e));
    rig_reopen(r);
    ok(link_find(r->db, &r->a, r->connection, STR("contact"), &l, &r->e));
    assert_int_equal(l.phase, 4);
    assert_str(l.position, "after 4711");
    assert_true(l.filter_hash == UINT64_MAX);
    assert_str(l.brake_code, "MASS_VANISH");
    assert_int_equal(l.readopt_us, 7);
    assert_false(l.enabled);
    assert_int_equal(l.feed[SIDE_A], r->feed[0]);
    assert_int_equal(l.feed[SIDE_B], 0);
}

static void deleting_goes_in_slices_and_only_when_nothing_is_open(void **state)
{
    struct rig *r = *state;
    bool done = true;
    for (int i = 0; i < 5; i++) {
        char id[8];
        snprintf(id, sizeof id, "%d", i + 1);
        rig_pair(r, rig_record(r, SIDE_A, id, "x"), 0);
    }
    struct failure f = {.link = r->link, .code = STR("TOO_LONG"), .id = STR("1"), .last_us = 1};
    ok(failure_note(r->db, &f, &r->e));
    ok(setting_set(r->db, SETTING_LINK, r->link, "policy", STR("a"), STR("root"), &r->e));
    struct intent_entry entry = {.pair = 1};
    struct intent i = {.link = r->link, .endpoint = r->endpoint[1], .n = 1, .entries = &entry};
    ok(intent_open(r->db, &i, &r->e));
    assert_int_equal(link_delete_slice(r->db, r->link, 3, &done, &r->e), E_PRECONDITION);
    i.n = 0;
    ok(intent_settle(r->db, &i, &entry.pair, 1, &r->e));
    assert_int_equal(connection_delete(r->db, r->connection, &r->e), E_PRECONDITION);
    assert_int_equal(feed_delete_slice(r->db, r->feed[0], 9, &done, &r->e), E_PRECONDITION);
    int slices = 0;
    for (done = false; !done; slices++)
        ok(link_delete_slice(r->db, r->link, 3, &done, &r->e));
    assert_true(slices >= 2);
    struct link l;
    assert_int_equal(link_get(r->db, &r->a, r->link, &l, &r->e), TL_E_NOT_FOUND);
    ok(connection_delete(r->db, r->connection, &r->e));
    for (done = false; !done;)
        ok(feed_delete_slice(r->db, r->feed[0], 2, &done, &r->e));
    assert_int_equal(
        rig_number(
            r, "SELECT (SELECT count(*) FROM pair) + (SELECT count(*) FROM failure) + "
               "(SELECT count(*) FROM setting) + (SELECT count(*) FROM record) + (SELECT count(*) FROM stretch) + "
               "(SELECT count(*) FROM tally WHERE owner = 1 AND what <> 0) + (SELECT count(*) FROM tally WHERE n < 0)"),
        0);
}

/* ---- Maps ---- */

static struct map_row row(const char *a, const char *b, int32_t dir)
{
    return (struct map_row){.a_path = str_of(a), .b_path = str_of(b), .dir = dir};
}

static int64_t since(void **state, size_t at)
{
    struct rig *r = *state;
    struct map_row *got;
    size_t n;
    ok(map_list(r->db, &r->a, r->link, &got, &n, &r->e));
    assert_true(at < n);
    return got[at].since_gen;
}

/* A pair that last settled with an older map has no base for a field that is newer. */
static void map_rows_know_since_when(void **state)
{
    struct rig *r = *state;
    struct map_row first[] = {row("email", "email", MAP_BOTH), row("phone", "phone", MAP_OFF)};
    ok(map_replace(r->db, r->link, first, 2, &r->e)); /* the map's generation is 2 now */
    assert_int_equal(since(state, 0), 2);
    struct map_row email = row("email", "email", MAP_A2B), phone = row("phone", "phone", MAP_BOTH);
    email.map_no = 1;
    phone.map_no = 2;
    ok(map_set(r->db, r->link, &email, &r->e));
    assert_int_equal(since(state, 0), 2); /* another direction, the same field */
    ok(map_set(r->db, r->link, &phone, &r->e));
    assert_int_equal(since(state, 1), 4); /* it was off */
    phone.b_path = STR("mobile");
    ok(map_set(r->db, r->link, &phone, &r->e));
    assert_int_equal(since(state, 1), 5); /* another field */
    ok(map_replace(r->db, r->link, first, 1, &r->e));
    assert_int_equal(since(state, 0), 2);
    ok(map_renew(r->db, r->link, 1, &r->e));
    assert_int_equal(since(state, 0), 7);
    assert_int_equal(map_renew(r->db, r->link, 9, &r->e), TL_E_NOT_FOUND);
}

static void map_numbers_are_never_reused(void **state)
{
    struct rig *r = *state;
    struct map_row first[] = {row("email", "email", MAP_BOTH), row("phone", "phone", MAP_A2B)}, *got;
    struct map_row second[] = {row("title", "title", MAP_BOTH), row("email", "email", MAP_B2A)};
    size_t n;
    ok(map_replace(r->db, r->link, first, 2, &r->e));
    ok(map_replace(r->db, r->link, second, 2, &r->e));
    ok(map_list(r->db, &r->a, r->link, &got, &n, &r->e));
    assert_int_equal(n, 2);
    assert_int_equal(got[0].map_no, 1); /* the same paths keep their number */
    assert_str(got[0].a_path, "email");
    assert_int_equal(got[0].dir, MAP_B2A);
    assert_int_equal(got[1].map_no, 3); /* 2 was another field */
    struct link l;
    ok(link_get(r->db, &r->a, r->link, &l, &r->e));
    assert_int_equal(l.map_gen, 3);
    ok(map_unset(r->db, r->link, 3, &r->e));
    struct map_row again = row("title", "title", MAP_BOTH);
    again.transform = STR("to_int");
    ok(map_set(r->db, r->link, &again, &r->e));
    assert_int_equal(again.map_no, 4);
    assert_int_equal(map_unset(r->db, r->link, 3, &r->e), TL_E_NOT_FOUND);
}

static void a_field_is_written_by_one_row(void **state)
{
    struct rig *r = *state;
    struct map_row fight[] = {row("phone", "phone", MAP_BOTH), row("mobile", "phone", MAP_A2B)};
    assert_int_equal(map_replace(r->db, r->link, fight, 2, &r->e), E_EXISTS);
    assert_non_null(strstr(r->e.text, "\"phone\" of side b"));
    fight[1].dir = MAP_B2A; /* read from phone, written to mobile: fine */
    ok(map_replace(r->db, r->link, fight, 2, &r->e));
    struct map_row third = row("fax", "phone", MAP_BOTH);
    assert_int_equal(map_set(r->db, r->link, &third, &r->e), E_EXISTS);
    assert_int_equal(third.map_no, 0);
}

static void suspending_leaves_the_generation(void **state)
{
    struct rig *r = *state;
    struct map_row one = row("email", "email", MAP_BOTH), *got;
    struct link before, after;
    size_t n;
    ok(map_set(r->db, r->link, &one, &r->e));
    ok(link_get(r->db, &r->a, r->link, &before, &r->e));
    ok(map_suspend(r->db, r->link, one.map_no, STR("the vendor removed it"), &r->e));
    ok(map_list(r->db, &r->a, r->link, &got, &n, &r->e));
    assert_str(got[0].suspended, "the vendor removed it");
    ok(link_get(r->db, &r->a, r->link, &after, &r->e));
    assert_int_equal(after.map_gen, before.map_gen);
}

/* ---- Settings ---- */

static void a_pin_counts_first_and_only_while_it_is_there(void **state)
{
    struct rig *r = *state;
    struct setting s, *all;
    size_t n;
    ok(setting_set(r->db, SETTING_LINK, r->link, "policy", STR("newest"), STR("uid 0"), &r->e));
    ok(setting_set(r->db, SETTING_LINK, r->link, "every", STR("60s"), STR("uid 0"), &r->e));
    struct setting pin = {.key = STR("policy"), .value = STR("a"), .origin = STR("/etc/tieline/tieline.ini:41")};
    ok(setting_pin(r->db, SETTING_LINK, r->link, &pin, 1, &r->e));
    ok(setting_get(r->db, &r->a, SETTING_LINK, r->link, "policy", &s, &r->e));
    assert_str(s.value, "a");
    assert_true(s.pinned);
    assert_int_equal(setting_set(r->db, SETTING_LINK, r->link, "policy", STR("b"), STR("uid 0"), &r->e),
                     E_PRECONDITION);
    assert_string_equal(r->e.code, "PINNED");
    assert_non_null(strstr(r->e.text, "tieline.ini:41"));
    ok(setting_list(r->db, &r->a, SETTING_LINK, r->link, &all, &n, &r->e));
    assert_int_equal(n, 2);
    assert_str(all[0].key, "every");
    assert_true(all[1].pinned);
    ok(setting_pin(r->db, SETTING_LINK, r->link, NULL, 0, &r->e)); /* the section went away */
    ok(setting_get(r->db, &r->a, SETTING_LINK, r->link, "policy", &s, &r->e));
    assert_str(s.value, "newest");
    assert_false(s.pinned);
    ok(setting_set(r->db, SETTING_LINK, r->link, "policy", (str){0}, STR("uid 0"), &r->e));
    assert_int_equal(setting_get(r->db, &r->a, SETTING_LINK, r->link, "policy", &s, &r->e), TL_E_NOT_FOUND);
    assert_int_equal(setting_get(r->db, &r->a, SETTING_CONNECTION, r->link, "every", &s, &r->e), TL_E_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(connections_have_one_name_and_two_endpoints),
        UNIT(a_connection_changes_state_and_name),
        UNIT(a_claim_is_exclusive),
        UNIT(the_same_records_are_synced_once),
        UNIT(a_link_keeps_what_the_engine_writes),
        UNIT(deleting_goes_in_slices_and_only_when_nothing_is_open),
        UNIT(map_numbers_are_never_reused),
        UNIT(map_rows_know_since_when),
        UNIT(a_field_is_written_by_one_row),
        UNIT(suspending_leaves_the_generation),
        UNIT(a_pin_counts_first_and_only_while_it_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
