/* Endpoints: identity by organisation (V16), labels; kinds, field numbers, quotas, connectors. */
#include <stdio.h>

#include "rig.h"

static void get(struct rig *r, int64_t id, struct endpoint *out)
{
    assert_int_equal_ok(endpoint_get(r->db, &r->a, id, out, &r->e), &r->e, __FILE__, __LINE__);
}

static void every_member_comes_back(void **state)
{
    struct rig *r = *state;
    struct endpoint in, out;
    get(r, r->endpoint[0], &in);
    in.org_key = STR("org1");
    in.org_name = STR("Acme");
    in.edition = STR("Enterprise");
    in.user_id = STR("u");
    in.user_name = STR("User");
    in.auth_state = ENDPOINT_AUTH_EXPIRING;
    in.block_code = STR("AUTH_FAILED");
    in.block_text = STR("why");
    in.blocked_us = 1;
    in.throttled_until_us = 2;
    in.clock_offset_us = -3;
    in.clock_uncertainty_us = 4;
    in.clock_us = 5;
    in.checked_us = 6;
    in.discovered_us = 7;
    ok(endpoint_update(r->db, &in, &r->e));
    rig_reopen(r);
    ok(endpoint_find(r->db, &r->a, STR("desk"), &out, &r->e));
    assert_str(out.org_key, "org1");
    assert_str(out.org_name, "Acme");
    assert_str(out.edition, "Enterprise");
    assert_str(out.user_name, "User");
    assert_int_equal(out.auth_state, ENDPOINT_AUTH_EXPIRING);
    assert_str(out.block_code, "AUTH_FAILED");
    assert_int_equal(out.throttled_until_us, 2);
    assert_int_equal(out.clock_offset_us, -3);
    assert_int_equal(out.discovered_us, 7);
    assert_true(out.present);
}

static void a_name_belongs_to_one_connector(void **state)
{
    struct rig *r = *state;
    int64_t id = 0;
    ok(endpoint_ensure(r->db, STR("desk"), STR("desk"), STR("desk"), &id, &r->e));
    assert_int_equal(id, r->endpoint[0]);
    assert_int_equal(endpoint_ensure(r->db, STR("desk"), STR("crm"), STR("crm"), &id, &r->e), E_EXISTS);
    assert_non_null(strstr(r->e.text, "connector \"desk\", not \"crm\""));
}

/* V16: another organisation is another endpoint; one organisation is one endpoint. */
static void an_organisation_is_an_identity(void **state)
{
    struct rig *r = *state;
    struct endpoint p, q;
    get(r, r->endpoint[0], &p);
    p.org_key = STR("org1");
    ok(endpoint_update(r->db, &p, &r->e));
    p.org_key = STR("org2");
    assert_int_equal(endpoint_update(r->db, &p, &r->e), E_PRECONDITION);
    assert_string_equal(r->e.code, "ORG_MISMATCH");
    p.org_key = (str){0};
    assert_int_equal(endpoint_update(r->db, &p, &r->e), E_PRECONDITION);

    int64_t second;
    ok(endpoint_ensure(r->db, STR("desk2"), STR("desk"), STR("desk"), &second, &r->e));
    get(r, second, &q);
    q.org_key = STR("org1");
    assert_int_equal(endpoint_update(r->db, &q, &r->e), E_EXISTS);
    assert_string_equal(r->e.code, "SAME_ORG");
    assert_non_null(strstr(r->e.text, "\"desk\""));
    get(r, r->endpoint[1], &q);
    q.org_key = STR("org1"); /* another system may use the same text */
    ok(endpoint_update(r->db, &q, &r->e));
}

static void a_vanished_endpoint_keeps_its_row_and_can_be_relabelled(void **state)
{
    struct rig *r = *state;
    int64_t renamed;
    struct endpoint p;
    ok(endpoint_ensure(r->db, STR("helpdesk"), STR("desk"), STR("desk"), &renamed, &r->e));
    assert_int_equal(endpoint_relabel(r->db, r->endpoint[0], renamed, &r->e), E_PRECONDITION); /* still there */
    int64_t present[] = {r->endpoint[1], renamed};
    ok(endpoint_set_present(r->db, present, 2, &r->e));
    get(r, r->endpoint[0], &p);
    assert_false(p.present);
    ok(endpoint_relabel(r->db, r->endpoint[0], renamed, &r->e));
    ok(endpoint_find(r->db, &r->a, STR("helpdesk"), &p, &r->e));
    assert_int_equal(p.endpoint, r->endpoint[0]);
    assert_true(p.present);
    assert_int_equal(endpoint_find(r->db, &r->a, STR("desk"), &p, &r->e), TL_E_NOT_FOUND);
    struct endpoint *all;
    size_t n;
    ok(endpoint_list(r->db, &r->a, &all, &n, &r->e));
    assert_int_equal(n, 2);
    assert_str(all[0].name, "helpdesk");
}

/* Numbers in stored observations must mean the same field for ever. */
static void field_numbers_are_stable_and_never_reused(void **state)
{
    struct rig *r = *state;
    uint32_t a, b, again, other;
    ok(field_number(r->db, r->endpoint[0], STR("contact"), STR("email"), &a, &r->e));
    ok(field_number(r->db, r->endpoint[0], STR("contact"), STR("x.Colour"), &b, &r->e));
    rig_reopen(r);
    ok(field_number(r->db, r->endpoint[0], STR("contact"), STR("email"), &again, &r->e));
    ok(field_number(r->db, r->endpoint[0], STR("account"), STR("name"), &other, &r->e));
    assert_int_equal(a, 1);
    assert_int_equal(b, 2);
    assert_int_equal(again, a);
    assert_int_equal(other, 1);
    struct field_row *rows;
    size_t n;
    ok(field_list(r->db, &r->a, r->endpoint[0], STR("contact"), &rows, &n, &r->e));
    assert_int_equal(n, 2);
    assert_str(rows[1].path, "x.Colour");
}

static void kinds_quotas_and_connectors_are_kept(void **state)
{
    struct rig *r = *state;
    struct kind_row k = {.kind = STR("contact"), .description = STR("bytes"), .hash = 9, .discovered_us = 3};
    ok(kind_put(r->db, r->endpoint[0], &k, &r->e));
    k.description = STR("newer");
    ok(kind_put(r->db, r->endpoint[0], &k, &r->e));
    struct kind_row got, *kinds;
    size_t n;
    ok(kind_get(r->db, &r->a, r->endpoint[0], STR("contact"), &got, &r->e));
    assert_str(got.description, "newer");
    assert_int_equal(got.hash, 9);
    ok(kind_list(r->db, &r->a, r->endpoint[0], &kinds, &n, &r->e));
    assert_int_equal(n, 1);
    assert_int_equal(kind_get(r->db, &r->a, r->endpoint[0], STR("deal"), &got, &r->e), TL_E_NOT_FOUND);

    struct quota_row q = {.name = STR("day"), .limit = 1000, .remaining = 10, .resets_us = 5, .told_us = 4}, *quotas;
    ok(quota_put(r->db, r->endpoint[0], &q, &r->e));
    q.remaining = 9;
    ok(quota_put(r->db, r->endpoint[0], &q, &r->e));
    ok(quota_list(r->db, &r->a, r->endpoint[0], &quotas, &n, &r->e));
    assert_int_equal(n, 1);
    assert_int_equal(quotas[0].remaining, 9);

    struct connector_row c = {.id = STR("desk"),
                              .disabled = true,
                              .hosts = STR("a.example.com"),
                              .version = STR("1.0")},
                         back;
    ok(connector_put(r->db, &c, &r->e));
    rig_reopen(r);
    ok(connector_get(r->db, &r->a, STR("desk"), &back, &r->e));
    assert_true(back.disabled);
    assert_str(back.version, "1.0");
    struct connector_row *list;
    ok(connector_list(r->db, &r->a, &list, &n, &r->e));
    assert_int_equal(n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(every_member_comes_back),
        UNIT(a_name_belongs_to_one_connector),
        UNIT(an_organisation_is_an_identity),
        UNIT(a_vanished_endpoint_keeps_its_row_and_can_be_relabelled),
        UNIT(field_numbers_are_stable_and_never_reused),
        UNIT(kinds_quotas_and_connectors_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
