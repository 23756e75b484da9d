/* Agents as the help desk told them last: who they are by id and by address, and whether they still are. */
#include "unit/store/rig.h"

#include "agent.h"

static void put_value(struct rig *r, tl_value *values, size_t *n, const char *path, tl_value v)
{
    assert_int_equal(field_number(r->db, r->endpoint[0], STR("user"), str_of(path), &v.field, &r->e), TL_OK);
    values[(*n)++] = v;
}

static tl_value text(uint8_t type, const char *s)
{
    return (tl_value){.type = type, .u.s = str_of(s)};
}

struct told {
    const char *id, *email, *profile;
    int active; /* -1: not told */
    int32_t state;
};

static void tell(struct rig *r, int64_t feed, const struct told *t)
{
    AUTO(buf_done) struct buf blob = {0};
    const tl_value departments[] = {text(TL_REF, "11"), text(TL_REF, "12")};
    tl_value values[8];
    size_t n = 0;
    put_value(r, values, &n, "name", text(TL_TEXT, "Ada Agent"));
    put_value(r, values, &n, "email", t->email ? text(TL_EMAIL, t->email) : (tl_value){.type = TL_NULL});
    put_value(r, values, &n, "profile", t->profile ? text(TL_REF, t->profile) : (tl_value){.type = TL_NULL});
    put_value(r, values, &n, "departments",
              (tl_value){.type = TL_LIST, .u.list = {departments, ARRAY_LEN(departments)}});
    if (t->active >= 0)
        put_value(r, values, &n, "active", (tl_value){.type = TL_BOOL, .u.i = t->active});
    obs_add_all(&blob, values, n);
    struct record rec = {
        .feed = feed, .id = str_of(t->id), .state = t->state, .seen_us = RIG_START, .observation = buf_lent(&blob)};
    assert_int_equal(record_put(r->db, &rec, &r->e), TL_OK);
}

static int64_t roll(struct rig *r)
{
    int64_t feed = 0;
    assert_int_equal(feed_ensure(r->db, r->endpoint[0], STR("user"), (str){0}, &feed, &r->e), TL_OK);
    return feed;
}

static void an_agent_by_id_and_by_address(void **state)
{
    struct rig *r = *state;
    struct agent a = {0};
    int64_t feed = roll(r);
    for (int i = 0; i < 450; i++) {
        char id[16], email[32];
        snprintf(id, sizeof id, "%d", 1000 + i);
        snprintf(email, sizeof email, "agent%d@example.com", i);
        tell(r, feed, &(struct told){id, email, "7", 1, TL_STATE_LIVE});
    }
    ok(agent_get(r->db, &r->a, r->endpoint[0], STR("1003"), &a, &r->e));
    assert_str(a.email, "agent3@example.com");
    assert_str(a.profile, "7");
    assert_int_equal(a.n_departments, 2);
    assert_str(a.departments[1], "12");
    assert_true(a.active);
    ok(agent_find(r->db, &r->a, r->endpoint[0], STR("AGENT449@Example.com"), &a, &r->e));
    assert_str(a.id, "1449");
    ok(agent_find(r->db, &r->a, r->endpoint[0], STR("1449"), &a, &r->e));
    assert_int_equal(agent_find(r->db, &r->a, r->endpoint[0], STR("agent44"), &a, &r->e), TL_E_NOT_FOUND);
    assert_int_equal(agent_get(r->db, &r->a, r->endpoint[0], STR("agent3@example.com"), &a, &r->e), TL_E_NOT_FOUND);
    assert_non_null(strstr(r->e.text, "has no agent"));
}

static void who_is_active(void **state)
{
    struct rig *r = *state;
    int64_t feed = roll(r);
    static const struct {
        struct told told;
        bool active;
    } cases[] = {
        {{"1", "a@x.org", "7", 1, TL_STATE_LIVE}, true},   {{"2", "b@x.org", "7", 0, TL_STATE_LIVE}, false},
        {{"3", "c@x.org", NULL, -1, TL_STATE_LIVE}, true}, {{"4", "d@x.org", "7", 1, TL_STATE_DELETED}, false},
        {{"5", NULL, "7", 1, TL_STATE_TRASHED}, false},    {{"6", NULL, "7", 1, TL_STATE_FORBIDDEN}, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct agent a = {0};
        tell(r, feed, &cases[i].told);
        ok(agent_get(r->db, &r->a, r->endpoint[0], str_of(cases[i].told.id), &a, &r->e));
        assert_int_equal(a.active, cases[i].active);
        assert_int_equal(a.profile.n != 0, cases[i].told.profile != NULL);
    }
}

static void before_the_agents_were_read(void **state)
{
    struct rig *r = *state;
    struct agent a = {0};
    assert_int_equal(agent_get(r->db, &r->a, r->endpoint[0], STR("1"), &a, &r->e), TL_E_NOT_FOUND);
    assert_non_null(strstr(r->e.text, "were not read yet"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT(an_agent_by_id_and_by_address), UNIT(who_is_active),
                                       UNIT(before_the_agents_were_read)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
