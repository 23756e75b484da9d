/* Profiles of a help desk and what a connection lets them see: set up, looked at, changed, copied, audited. */
#include "unit/store/rig.h"

#include "call.h"
#include "permission_admin.h"
#include "permission_view.h"

/* The rig's connection "desk-sf" between a help desk and a system of that role; three profiles. */
static void prepare(struct rig *r, int32_t role)
{
    const int32_t roles[2] = {TL_ROLE_HELPDESK, role};
    const struct profile profiles[] = {{.id = STR("1"), .name = STR("Support Administrator"), .administrator = true},
                                       {.id = STR("2"), .name = STR("Agent")},
                                       {.id = STR("3"), .name = STR("Light Agent")}};
    for (int s = 0; s < 2; s++) {
        struct endpoint ep = {0};
        assert_int_equal(endpoint_get(r->db, &r->a, r->endpoint[s], &ep, &r->e), TL_OK);
        ep.role = roles[s];
        assert_int_equal(endpoint_update(r->db, &ep, &r->e), TL_OK);
    }
    for (size_t i = 0; i < ARRAY_LEN(profiles); i++)
        assert_int_equal(profile_put(r->db, r->endpoint[0], &profiles[i], &r->e), TL_OK);
}

static bool may(struct rig *r, const char *profile, const char *object, const char *item)
{
    const struct permission_question ask = {"desk-sf", profile, object, item};
    json_t *answer = NULL;
    if (view_permission(r->db, &ask, &answer, &r->e))
        fail_msg("%s", r->e.text);
    bool allowed = json_is_true(json_object_get(answer, "allowed"));
    json_decref(answer);
    return allowed;
}

static void change(struct rig *r, const struct permission_change *c)
{
    json_t *answer = NULL;
    if (permission_change(r->db, c, &answer, &r->e))
        fail_msg("%s", r->e.text);
    json_decref(answer);
}

static bool is_new(struct rig *r, const char *profile)
{
    json_t *answer = NULL;
    if (view_profile(r->db, "desk-sf", profile, &answer, &r->e))
        fail_msg("%s", r->e.text);
    bool found = json_is_true(json_object_get(answer, "new"));
    json_decref(answer);
    return found;
}

static str last_audit(struct rig *r, const char *act)
{
    struct audit *rows = NULL;
    size_t n = 0;
    assert_int_equal(audit_list(r->db, &r->a, 0, 1, &rows, &n, &r->e), TL_OK);
    assert_int_equal(n, 1);
    assert_str(rows[0].act, act);
    assert_str(rows[0].who, "ann");
    return rows[0].detail;
}

/* Administrators everything, others every view; who comes later nothing, until a person decides. */
static void the_set_up_of_a_crm(void **state)
{
    struct rig *r = *state;
    prepare(r, TL_ROLE_CRM);
    assert_false(may(r, "Agent", "contact", "information"));
    ok(permission_set_up(r->db, "desk-sf", "ann", &r->e));
    assert_non_null(strstr(arena_str(&r->a, last_audit(r, "profile.set-up")).p, "\"Agent\":\"every view\""));
    static const char *const lists[] = {"visible", "information", "deal", "note", "task", "call", "event"};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        assert_true(may(r, "Agent", "contact", lists[i]));
        assert_true(may(r, "Light Agent", "account", lists[i]));
        assert_true(may(r, "1", "account", lists[i]));
    }
    assert_true(may(r, "1", "contact", "update"));
    assert_false(may(r, "Agent", "contact", "update"));
    assert_false(may(r, "Agent", "invoice", "view"));
    ok(profile_put(r->db, r->endpoint[0], &(struct profile){.id = STR("9"), .name = STR("Later")}, &r->e));
    ok(permission_set_up(r->db, "desk-sf", "ben", &r->e)); /* once and for all */
    assert_false(may(r, "Later", "integration", "visible"));
    assert_true(is_new(r, "Later"));
    assert_false(is_new(r, "Agent"));
    change(r, &(struct permission_change){
                  .connection = "desk-sf", .profile = "Later", .object = "contact", .wish = "none", .who = "ann"});
    assert_false(is_new(r, "Later")); /* somebody decided: nothing */
}

/* proves: S4-18 S4-24 */
static void the_set_up_of_finance(void **state)
{
    struct rig *r = *state;
    prepare(r, TL_ROLE_FINANCE);
    ok(permission_set_up(r->db, "desk-sf", "ann", &r->e));
    static const char *const rights[] = {"send", "create", "update", "delete"};
    static const char *const kinds[] = {"invoice", "estimate"};
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        assert_true(may(r, "Agent", kinds[k], "view"));
        for (size_t i = 0; i < ARRAY_LEN(rights); i++) {
            assert_true(may(r, "1", kinds[k], rights[i]));
            assert_false(may(r, "Agent", kinds[k], rights[i]));
        }
    }
}

/* New agents make estimates that somebody else approves and sends. proves: S4-19 S4-26 */
static void a_novice_who_creates_and_does_not_send(void **state)
{
    struct rig *r = *state;
    prepare(r, TL_ROLE_FINANCE);
    ok(profile_put(r->db, r->endpoint[0], &(struct profile){.id = STR("7"), .name = STR("Newbie")}, &r->e));
    ok(permission_set_up(r->db, "desk-sf", "ann", &r->e));
    struct permission_change c = {.connection = "desk-sf",
                                  .profile = "Newbie",
                                  .object = "estimate",
                                  .wish = "view-create-update",
                                  .who = "ann",
                                  .dry_run = true};
    change(r, &c);
    assert_false(may(r, "Newbie", "estimate", "create")); /* it was only looked at */
    c.dry_run = false;
    change(r, &c);
    assert_true(may(r, "Newbie", "estimate", "create"));
    assert_true(may(r, "Newbie", "estimate", "update"));
    assert_false(may(r, "Newbie", "estimate", "send"));
    assert_false(may(r, "Newbie", "invoice", "create"));
    assert_false(may(r, "Agent", "estimate", "create"));
    json_t *detail = json_loads(arena_str(&r->a, last_audit(r, "profile.set")).p, 0, NULL);
    const char *before = NULL, *after = NULL, *profile = NULL;
    assert_int_equal(json_unpack(detail, "{s:s,s:[{s:s}!],s:[{s:s}!]}", "profile", &profile, "before", "access",
                                 &before, "after", "access", &after),
                     0);
    assert_string_equal(profile, "7");
    assert_string_equal(before, "view");
    assert_string_equal(after, "view-create-update");
    json_decref(detail);
}

/* proves: S1-27 S1-28 S1-31 S2-36 S2-37 S2-45 */
static void a_profile_without_deals(void **state)
{
    struct rig *r = *state;
    prepare(r, TL_ROLE_CRM);
    ok(permission_set_up(r->db, "desk-sf", "ann", &r->e));
    struct permission_change c = {
        .connection = "desk-sf", .profile = "Light Agent", .object = "contact", .wish = "deal=off", .who = "ann"};
    change(r, &c);
    static const char *const kept[] = {"information", "note", "task", "call", "event"};
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        assert_true(may(r, "Light Agent", "contact", kept[i]));
    assert_false(may(r, "Light Agent", "contact", "deal"));
    assert_true(may(r, "Light Agent", "account", "deal"));
    assert_true(may(r, "Agent", "contact", "deal"));
    c.object = "account";
    c.wish = "visible=off";
    change(r, &c);
    assert_false(may(r, "Light Agent", "account", "information"));
    assert_true(may(r, "Light Agent", "contact", "note"));
    c = (struct permission_change){.connection = "desk-sf", .profile = "Agent", .from = "Light Agent", .who = "ann"};
    change(r, &c);
    assert_false(may(r, "Agent", "contact", "deal"));
    assert_false(may(r, "Agent", "account", "information"));
    assert_true(may(r, "Agent", "contact", "task"));
    assert_non_null(strstr(arena_str(&r->a, last_audit(r, "profile.copy")).p, "\"from\":\"Light Agent\""));
}

/* proves: S1-30 S2-39 */
static void the_integration_as_a_whole(void **state)
{
    struct rig *r = *state;
    prepare(r, TL_ROLE_CRM);
    ok(permission_set_up(r->db, "desk-sf", "ann", &r->e));
    struct permission_change c = {
        .connection = "desk-sf", .profile = "2", .object = "integration", .wish = "visible=off", .who = "ann"};
    change(r, &c);
    static const char *const items[] = {"visible", "information", "deal", "note", "task", "call", "event"};
    for (size_t i = 0; i < ARRAY_LEN(items); i++) {
        assert_false(may(r, "Agent", "contact", items[i]));
        assert_true(may(r, "Light Agent", "contact", items[i]));
    }
    c.wish = "visible";
    change(r, &c);
    assert_true(may(r, "Agent", "contact", "deal")); /* what was granted before was kept */
}

static void describe(struct rig *r, const char *kind, const char *about)
{
    const tl_kind k = {
        .struct_size = sizeof k, .kind = str_of(kind), .about = str_of(about), .field_stride = sizeof(tl_field)};
    struct reply one = {0};
    assert_int_equal(reply_add_kind(&one, &k, &r->e), TL_OK);
    const struct kind_row row = {.kind = k.kind, .description = buf_lent(&one.items), .hash = 1};
    assert_int_equal(kind_put(r->db, r->endpoint[1], &row, &r->e), TL_OK);
    reply_done(&one);
}

/* What the other system describes is what can be granted: one whose calls are tasks has no item for calls, and a kind
 * of its own is an item by its name. proves: S1-36 S2-45 */
static void items_follow_what_is_described(void **state)
{
    struct rig *r = *state;
    prepare(r, TL_ROLE_CRM);
    describe(r, "contact", "");
    describe(r, "account", "");
    describe(r, "user", "contact");
    describe(r, "deal", "account,contact");
    describe(r, "task", "contact");
    describe(r, "event", "contact");
    describe(r, "subscription", "account");
    describe(r, "invoice", "contact");
    ok(permission_set_up(r->db, "desk-sf", "ann", &r->e));
    assert_true(may(r, "Agent", "contact", "task") && may(r, "Agent", "contact", "event"));
    assert_true(may(r, "Agent", "account", "subscription") && !may(r, "Agent", "contact", "subscription"));
    assert_false(may(r, "1", "contact", "call") || may(r, "1", "contact", "user") || may(r, "1", "contact", "invoice"));
    assert_true(may(r, "Agent", "invoice", "view") && !may(r, "Agent", "estimate", "view"));
    struct permission_change c = {
        .connection = "desk-sf", .profile = "Agent", .object = "contact", .wish = "task=off", .who = "ann"};
    change(r, &c);
    assert_true(!may(r, "Agent", "contact", "task") && may(r, "Agent", "contact", "event"));
    c.object = "deal"; /* a kind whose actions somebody may be let do */
    c.wish = "update";
    change(r, &c);
    assert_true(may(r, "Agent", "deal", "update") && may(r, "Agent", "deal", "view"));
}

static void what_is_not_known_is_refused(void **state)
{
    struct rig *r = *state;
    static const struct {
        const char *connection, *profile, *object, *wish;
        int status;
    } cases[] = {
        {"none", "Agent", "contact", "full", TL_E_NOT_FOUND},
        {"desk-sf", "Nobody", "contact", "full", TL_E_NOT_FOUND},
        {"desk-sf", "Agent", "ticket", "full", E_USAGE},
        {"desk-sf", "Agent", "contact", "opportunities", E_USAGE},
        {"desk-sf", "Agent", "contact", "view-send", E_USAGE},
        {"desk-sf", "Twin", "contact", "full", E_PRECONDITION},
    };
    prepare(r, TL_ROLE_CRM);
    for (int i = 0; i < 2; i++)
        ok(profile_put(r->db, r->endpoint[0], &(struct profile){.id = i ? STR("21") : STR("20"), .name = STR("Twin")},
                       &r->e));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct permission_change c = {.connection = cases[i].connection,
                                            .profile = cases[i].profile,
                                            .object = cases[i].object,
                                            .wish = cases[i].wish,
                                            .who = "ann"};
        struct err e = {0};
        json_t *answer = NULL;
        assert_int_equal(permission_change(r->db, &c, &answer, &e), cases[i].status);
        assert_null(answer);
        assert_true(e.text[0] && e.hint[0]);
    }
    assert_int_equal(rig_number(r, "SELECT count(*) FROM permission"), 0);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM audit"), 0);
    prepare(r, TL_ROLE_CRM);
    rig_sql(r, "UPDATE endpoint SET role = 2");
    json_t *list = NULL;
    assert_int_equal(view_profiles(r->db, "desk-sf", &list, &r->e), E_PRECONDITION);
    assert_non_null(strstr(r->e.text, "has no help desk"));
}

/* A profile that vanished and came back has what it had; with the connection its permissions go. */
static void permissions_live_as_long_as_the_connection(void **state)
{
    struct rig *r = *state;
    prepare(r, TL_ROLE_CRM);
    ok(permission_set_up(r->db, "desk-sf", "ann", &r->e));
    ok(profile_gone(r->db, r->endpoint[0], STR("2"), &r->e));
    assert_int_equal(profile_gone(r->db, r->endpoint[0], STR("2"), &r->e), TL_E_NOT_FOUND);
    json_t *answer = NULL;
    assert_int_equal(view_profile(r->db, "desk-sf", "Agent", &answer, &r->e), TL_E_NOT_FOUND);
    ok(profile_put(r->db, r->endpoint[0], &(struct profile){.id = STR("2"), .name = STR("Agents")}, &r->e));
    assert_true(may(r, "Agents", "contact", "deal"));
    ok(link_drop(r->db, r->link, &r->e));
    bool done = false;
    while (!done)
        ok(link_delete_slice(r->db, r->link, 100, &done, &r->e));
    ok(connection_delete(r->db, r->connection, &r->e));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM permission"), 0);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM permission_decided"), 0);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM profile"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(the_set_up_of_a_crm),
        UNIT(the_set_up_of_finance),
        UNIT(a_novice_who_creates_and_does_not_send),
        UNIT(a_profile_without_deals),
        UNIT(the_integration_as_a_whole),
        UNIT(what_is_not_known_is_refused),
        UNIT(items_follow_what_is_described),
        UNIT(permissions_live_as_long_as_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
