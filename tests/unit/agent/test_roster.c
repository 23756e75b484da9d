/* Profiles are taken from the records that are kept of them, and permissions are set up once they are known. */
#include "unit/store/rig.h"

#include "call.h"
#include "permissions.h"
#include "roster.h"

struct told {
    const char *id, *name;
    int administrator; /* -1: not told */
    int32_t state;
};

static uint32_t number(struct rig *r, const char *path)
{
    uint32_t found = 0;
    assert_int_equal(field_number(r->db, r->endpoint[0], STR("profile"), str_of(path), &found, &r->e), TL_OK);
    return found;
}

static void tell(struct rig *r, int64_t feed, struct told t)
{
    AUTO(buf_done) struct buf blob = {0};
    tl_value values[] = {
        {.field = number(r, "name"), .type = TL_TEXT, .u.s = str_of(t.name)},
        {.field = number(r, "administrator"), .type = t.administrator < 0 ? TL_NULL : TL_BOOL, .u.i = t.administrator}};
    obs_add_all(&blob, values, ARRAY_LEN(values));
    struct record rec = {.feed = feed, .id = str_of(t.id)};
    (void)record_find(r->db, &r->a, feed, str_of(t.id), &rec, &r->e);
    rec.state = t.state;
    rec.observation = buf_lent(&blob);
    rec.seen_us = RIG_START;
    assert_int_equal(record_put(r->db, &rec, &r->e), TL_OK);
}

static int64_t prepare(struct rig *r)
{
    int64_t feed = 0;
    const int32_t roles[2] = {TL_ROLE_HELPDESK, TL_ROLE_CRM};
    for (int s = 0; s < 2; s++) {
        struct endpoint ep = {0};
        assert_int_equal(endpoint_get(r->db, &r->a, r->endpoint[s], &ep, &r->e), TL_OK);
        ep.role = roles[s];
        assert_int_equal(endpoint_update(r->db, &ep, &r->e), TL_OK);
    }
    assert_int_equal(feed_ensure(r->db, r->endpoint[0], STR("profile"), (str){0}, &feed, &r->e), TL_OK);
    tell(r, feed, (struct told){"1", "Boss", 1, TL_STATE_LIVE});
    tell(r, feed, (struct told){"2", "Agent", 0, TL_STATE_LIVE});
    tell(r, feed, (struct told){"3", "Light Agent", -1, TL_STATE_LIVE});
    tell(r, feed, (struct told){"4", "Gone", 0, TL_STATE_DELETED});
    return feed;
}

static void read_whole(struct rig *r, int64_t feed)
{
    struct feed f = {0};
    assert_int_equal(feed_get(r->db, &r->a, feed, &f, &r->e), TL_OK);
    f.full_pass_us = RIG_START;
    assert_int_equal(feed_update(r->db, &f, &r->e), TL_OK);
}

static void describe_other(struct rig *r)
{
    const tl_kind contact = {.struct_size = sizeof contact, .kind = STR("contact"), .field_stride = sizeof(tl_field)};
    struct reply one = {0};
    assert_int_equal(reply_add_kind(&one, &contact, &r->e), TL_OK);
    const struct kind_row k = {.kind = contact.kind, .description = buf_lent(&one.items), .hash = 1};
    assert_int_equal(kind_put(r->db, r->endpoint[1], &k, &r->e), TL_OK);
    reply_done(&one);
}

static int64_t rows_of(struct rig *r, const char *profile)
{
    struct permission *rows = NULL;
    size_t n = 0;
    assert_int_equal(permission_list(r->db, &r->a, r->connection, str_of(profile), &rows, &n, &r->e), TL_OK);
    return (int64_t)n;
}

/* Nothing is decided from half a list, nor before it is known what there is to permit. */
static void the_set_up_waits_until_all_is_known(void **state)
{
    struct rig *r = *state;
    bool done = true;
    ok(roster_look(r->db, &r->e));
    int64_t feed = prepare(r);
    ok(roster_look(r->db, &r->e));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM profile"), 0);
    read_whole(r, feed);
    ok(roster_look(r->db, &r->e));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM profile WHERE gone = 0"), 3);
    ok(permission_is_decided(r->db, r->connection, (str){0}, &done, &r->e));
    assert_false(done);
    describe_other(r);
    ok(roster_look(r->db, &r->e));
    ok(permission_is_decided(r->db, r->connection, (str){0}, &done, &r->e));
    assert_true(done);
    assert_true(rows_of(r, "1") > rows_of(r, "2"));
    assert_true(rows_of(r, "2") > 0);
    assert_int_equal(rows_of(r, "2"), rows_of(r, "3")); /* whose rank was not told is no administrator */
    assert_int_equal(rows_of(r, "4"), 0);
}

static void profiles_come_and_change_and_go(void **state)
{
    struct rig *r = *state;
    struct profile p = {0};
    bool decided = true;
    int64_t feed = prepare(r);
    read_whole(r, feed);
    describe_other(r);
    ok(roster_look(r->db, &r->e));
    struct db_stats before, after;
    db_stats(r->db, &before);
    ok(roster_look(r->db, &r->e));
    db_stats(r->db, &after);
    assert_int_equal(before.commits, after.commits); /* nothing changed: nothing was written */
    tell(r, feed, (struct told){"2", "Agents", 1, TL_STATE_LIVE});
    tell(r, feed, (struct told){"3", "Light Agent", 0, TL_STATE_DELETED});
    tell(r, feed, (struct told){"9", "Later", 0, TL_STATE_LIVE});
    ok(roster_look(r->db, &r->e));
    ok(profile_find(r->db, &r->a, r->endpoint[0], STR("Agents"), &p, &r->e));
    assert_true(p.administrator);
    assert_int_equal(profile_find(r->db, &r->a, r->endpoint[0], STR("3"), &p, &r->e), TL_E_NOT_FOUND);
    ok(profile_find(r->db, &r->a, r->endpoint[0], STR("Later"), &p, &r->e));
    ok(permission_is_decided(r->db, r->connection, STR("9"), &decided, &r->e));
    assert_false(decided);
    assert_int_equal(rows_of(r, "9"), 0);
    int64_t kept = rows_of(r, "3");
    tell(r, feed, (struct told){"3", "Light Agent", 0, TL_STATE_LIVE});
    ok(roster_look(r->db, &r->e));
    assert_int_equal(rows_of(r, "3"), kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT(the_set_up_waits_until_all_is_known),
                                       UNIT(profiles_come_and_change_and_go)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
