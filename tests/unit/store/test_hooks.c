/* Deliveries, hints, webhook subscriptions. */
#include "rig.h"
#include "times.h"

static int deliver(struct rig *r, const char *key, int64_t at_us, int64_t *id)
{
    struct inbox_row row = {.endpoint = r->endpoint[0],
                            .received_us = at_us,
                            .headers = STR("x-sig: 1"),
                            .query = STR("q=1"),
                            .body = STR("{\"id\":1}")};
    int rc = inbox_add(r->db, &row, str_of(key), &r->e);
    *id = row.inbox;
    return rc;
}

/* Q6: a delivery that comes again within a day is not stored again. */
static void a_delivery_is_stored_once(void **state)
{
    struct rig *r = *state;
    int64_t id, second, n;
    ok(deliver(r, "d1", RIG_START, &id));
    rig_reopen(r);
    assert_int_equal(deliver(r, "d1", RIG_START + US_PER_DAY - 1, &second), E_EXISTS);
    ok(deliver(r, "d2", RIG_START + 1, &second));
    ok(inbox_count(r->db, r->endpoint[0], &n, &r->e));
    assert_int_equal(n, 2);
    ok(deliver(r, "d1", RIG_START + US_PER_DAY, &second)); /* a day later it is news */
    bool done;
    ok(delivery_trim(r->db, RIG_START + 2, 9, &done, &r->e));
    assert_true(done);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM delivery"), 1);
}

static void the_inbox_is_read_in_order_and_kept_until_done(void **state)
{
    struct rig *r = *state;
    int64_t first, second;
    struct inbox_row *rows;
    size_t n;
    ok(deliver(r, "d1", RIG_START, &first));
    ok(deliver(r, "d2", RIG_START + 1, &second));
    rig_reopen(r);
    ok(inbox_next(r->db, &r->a, r->endpoint[0], RIG_START + 5, 9, &rows, &n, &r->e));
    assert_int_equal(n, 2);
    assert_int_equal(rows[0].inbox, first);
    assert_str(rows[0].headers, "x-sig: 1");
    assert_str(rows[0].query, "q=1");
    assert_str(rows[0].body, "{\"id\":1}");
    ok(inbox_retry(r->db, first, RIG_START + 10, &r->e));
    ok(inbox_next(r->db, &r->a, 0, RIG_START + 5, 9, &rows, &n, &r->e));
    assert_int_equal(n, 1);
    assert_int_equal(rows[0].inbox, second);
    ok(inbox_next(r->db, &r->a, 0, RIG_START + 10, 9, &rows, &n, &r->e));
    assert_int_equal(n, 2);
    assert_int_equal(rows[0].attempts, 1);
    ok(inbox_done(r->db, first, &r->e));
    ok(inbox_done(r->db, second, &r->e));
    ok(inbox_next(r->db, &r->a, 0, RIG_START + 10, 9, &rows, &n, &r->e));
    assert_int_equal(n, 0);
}

/* What has no key is like no other: it counts, however often the same comes. */
static void without_a_key_all_are_stored(void **state)
{
    struct rig *r = *state;
    int64_t n = 0;
    for (int i = 0; i < 3; i++) {
        struct inbox_row row = {.endpoint = r->endpoint[0],
                                .received_us = 5,
                                .method = STR("GET"),
                                .query = STR("a=1"),
                                .headers = STR("x: y\n")};
        ok(inbox_add(r->db, &row, (str){0}, &r->e));
    }
    ok(inbox_count(r->db, r->endpoint[0], &n, &r->e));
    assert_int_equal(n, 3);
    struct inbox_row *rows;
    size_t count;
    ok(inbox_next(r->db, &r->a, r->endpoint[0], 9, 9, &rows, &count, &r->e));
    assert_int_equal(count, 3);
    assert_str(rows[2].method, "GET");
    assert_str(rows[2].query, "a=1");
}

static void a_huge_delivery_is_refused(void **state)
{
    struct rig *r = *state;
    char *huge = calloc(1, (1 << 20) + 1);
    struct inbox_row row = {.endpoint = r->endpoint[0], .body = {huge, (1 << 20) + 1}};
    assert_int_equal(inbox_add(r->db, &row, STR("k"), &r->e), TL_E_INVALID);
    free(huge);
}

/* Storms are bounded by the number of records: one row each, in every feed of the kind. */
static void hints_come_together(void **state)
{
    struct rig *r = *state;
    int64_t view, feeds, n;
    struct hint *list;
    size_t count;
    ok(feed_ensure(r->db, r->endpoint[0], STR("contact"), STR("view"), &view, &r->e));
    for (int i = 0; i < 10; i++)
        ok(hint_put(r->db, r->endpoint[0], STR("contact"), STR("42"), HINT_CHANGED, 100 + i, &feeds, &r->e));
    assert_int_equal(feeds, 2);
    ok(hint_put(r->db, r->endpoint[0], STR("contact"), STR("7"), HINT_GONE, 50, &feeds, &r->e));
    ok(hint_put(r->db, r->endpoint[0], STR("unknown"), STR("7"), HINT_GONE, 50, &feeds, &r->e));
    assert_int_equal(feeds, 0);
    ok(hint_count(r->db, r->feed[0], &n, &r->e));
    assert_int_equal(n, 2);
    ok(hint_next(r->db, &r->a, r->feed[0], 99, 9, &list, &count, &r->e)); /* what is younger waits a moment */
    assert_int_equal(count, 1);
    assert_str(list[0].id, "7");
    assert_int_equal(list[0].gone, 1);
    ok(hint_next(r->db, &r->a, r->feed[0], 200, 9, &list, &count, &r->e));
    assert_int_equal(count, 2);
    assert_int_equal(list[1].n, 10);
    assert_int_equal(list[1].at_us, 109);
    ok(hint_put(r->db, r->endpoint[0], STR("contact"), STR("42"), HINT_CHANGED, 120, &feeds,
                &r->e)); /* while it is fetched */
    ok(hint_done(r->db, &list[1], &r->e));
    ok(hint_done(r->db, &list[0], &r->e));
    ok(hint_count(r->db, r->feed[0], &n, &r->e));
    assert_int_equal(n, 1);
    ok(hint_next(r->db, &r->a, r->feed[0], 200, 9, &list, &count, &r->e));
    assert_str(list[0].id, "42");
    ok(hint_done(r->db, &list[0], &r->e));
    ok(hint_count(r->db, r->feed[0], &n, &r->e));
    assert_int_equal(n, 0);
}

static void a_webhook_has_one_sealed_secret(void **state)
{
    struct rig *r = *state;
    AUTO(buf_done) struct buf secret = {0};
    AUTO(buf_done) struct buf again = {0};
    ok(webhook_ensure(r->db, r->endpoint[0], &secret, &r->e));
    assert_int_equal(secret.n, 26);
    rig_reopen(r);
    ok(webhook_ensure(r->db, r->endpoint[0], &again, &r->e));
    assert_string_equal(buf_text(&secret), buf_text(&again));
    char sql[128];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM webhook WHERE instr(secret, '%s') > 0", buf_text(&secret));
    assert_int_equal(rig_number(r, sql), 0);
    struct webhook w;
    ok(webhook_get(r->db, &r->a, r->endpoint[0], &w, &r->e));
    w.id = STR("sub1");
    w.audience = STR("aud");
    w.kinds = STR("contact,account");
    w.url = UINT64_MAX;
    w.subscribed_us = 5;
    w.expires_us = 9;
    ok(webhook_update(r->db, &w, &r->e));
    ok(webhook_count(r->db, r->endpoint[0], 1, 2, 3, 77, &r->e));
    ok(webhook_count(r->db, r->endpoint[0], 0, 1, 0, 88, &r->e));
    ok(webhook_get(r->db, &r->a, r->endpoint[0], &w, &r->e));
    assert_str(w.id, "sub1");
    assert_str(w.kinds, "contact,account");
    assert_true(w.url == UINT64_MAX);
    assert_int_equal(w.subscribed_us, 5);
    assert_int_equal(w.expires_us, 9);
    assert_int_equal(w.accepted, 1);
    assert_int_equal(w.refused, 3);
    assert_int_equal(w.duplicates, 3);
    assert_int_equal(w.received_us, 77); /* a refused one is not one received */
    ok(webhook_delete(r->db, r->endpoint[0], &r->e));
    assert_int_equal(webhook_get(r->db, &r->a, r->endpoint[0], &w, &r->e), TL_E_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_delivery_is_stored_once),    UNIT(the_inbox_is_read_in_order_and_kept_until_done),
        UNIT(without_a_key_all_are_stored), UNIT(a_huge_delivery_is_refused),
        UNIT(hints_come_together),          UNIT(a_webhook_has_one_sealed_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
