/* Feeds and passes: cursor, membership, who vanished (V11). */
#include <stdio.h>

#include "rig.h"

static void a_feed_is_one_stream(void **state)
{
    struct rig *r = *state;
    int64_t same, view;
    ok(feed_ensure(r->db, r->endpoint[0], STR("contact"), (str){0}, &same, &r->e));
    ok(feed_ensure(r->db, r->endpoint[0], STR("contact"), STR("view 7"), &view, &r->e));
    assert_int_equal(same, r->feed[0]);
    assert_int_not_equal(view, same);
    assert_int_equal(feed_ensure(r->db, 99, STR("contact"), (str){0}, &view, &r->e), TL_E_NOT_FOUND);
    struct feed *all;
    size_t n;
    ok(feed_list(r->db, &r->a, r->endpoint[0], &all, &n, &r->e));
    assert_int_equal(n, 2);
    ok(feed_list(r->db, &r->a, 0, &all, &n, &r->e));
    assert_int_equal(n, 3);
}

static void every_member_comes_back(void **state)
{
    struct rig *r = *state;
    struct feed f;
    ok(feed_get(r->db, &r->a, r->feed[0], &f, &r->e));
    f.cursor = (str){"a\0b", 3};
    f.cursor_us = 1;
    f.pulled_us = 2;
    f.shape_hash = UINT64_MAX;
    f.full_pass_us = 3;
    f.lookup_hash = UINT64_MAX - 2;
    f.gap_us = 4;
    ok(feed_update(r->db, &f, &r->e));
    rig_reopen(r);
    ok(feed_get(r->db, &r->a, r->feed[0], &f, &r->e));
    assert_int_equal(f.cursor.n, 3);
    assert_true(f.shape_hash == UINT64_MAX);
    assert_true(f.lookup_hash == UINT64_MAX - 2);
    assert_int_equal(f.gap_us, 4);
    ok(feed_set_cursor(r->db, r->feed[0], STR("next"), 7, 8, &r->e));
    ok(feed_get(r->db, &r->a, r->feed[0], &f, &r->e));
    assert_str(f.cursor, "next");
    assert_int_equal(f.cursor_us, 7);
    assert_int_equal(f.gap_us, 4);
}

static int64_t start(struct rig *r)
{
    struct pass p = {.feed = r->feed[0], .filter_hash = 5, .started_us = 10, .estimate = -1};
    assert_int_equal_ok(pass_start(r->db, &p, &r->e), &r->e, __FILE__, __LINE__);
    return p.pass;
}

static void one_pass_runs_at_a_time(void **state)
{
    struct rig *r = *state;
    int64_t first = start(r);
    struct feed f;
    struct pass p;
    int64_t recs[] = {1};
    ok(pass_mark(r->db, first, recs, 1, &r->e));
    ok(pass_advance(r->db, first, STR("page 2"), 1, 100, &r->e));
    rig_reopen(r); /* a resumed pass goes on under its number */
    ok(feed_get(r->db, &r->a, r->feed[0], &f, &r->e));
    assert_int_equal(f.pass, first);
    ok(pass_get(r->db, &r->a, first, &p, &r->e));
    assert_str(p.cursor, "page 2");
    assert_int_equal(p.estimate, 100);
    assert_int_equal(p.filter_hash, 5);
    int64_t second = start(r);
    assert_int_not_equal(second, first);
    ok(pass_get(r->db, &r->a, first, &p, &r->e));
    assert_int_equal(p.state, PASS_ABORTED);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM pass_seen"), 0); /* infers nothing: its bits are gone */
    ok(pass_end(r->db, second, PASS_COMPLETE, 50, &r->e));
    ok(feed_get(r->db, &r->a, r->feed[0], &f, &r->e));
    assert_int_equal(f.pass, 0);
    assert_int_equal(f.full_pass_us, 50);
}

/* V11: who vanished is exactly who is live and was not met. */
static void the_walk_finds_exactly_those_not_met(void **state)
{
    struct rig *r = *state;
    enum { N = 500 };
    int64_t rec[N], met[N];
    size_t n_met = 0;
    for (int i = 0; i < N; i++) {
        char id[16];
        snprintf(id, sizeof id, i % 3 ? "%d" : "id%d", i);
        rec[i] = rig_record(r, SIDE_A, id, "x");
        if (i % 7)
            met[n_met++] = rec[i];
    }
    ok(record_set_state(r->db, rec[0], TL_STATE_DELETED, (str){0}, 1, &r->e)); /* not met, but dead already */
    int64_t pass = start(r);
    for (size_t i = 0; i < n_met; i += 100) { /* pages, out of order inside */
        int64_t page[100];
        size_t n = n_met - i < 100 ? n_met - i : 100;
        for (size_t k = 0; k < n; k++)
            page[k] = met[i + n - 1 - k];
        ok(pass_mark(r->db, pass, page, n, &r->e));
        ok(pass_mark(r->db, pass, page, n, &r->e)); /* a page read twice changes nothing */
    }
    bool has;
    ok(pass_has(r->db, pass, rec[1], &has, &r->e));
    assert_true(has);
    ok(pass_has(r->db, pass, rec[7], &has, &r->e));
    assert_false(has);
    AUTO(pass_walk_close) struct pass_walk *w = NULL;
    ok(pass_walk_open(&w, r->db, r->feed[0], pass, &r->e));
    bool vanished[N] = {false}, end = false;
    int turns = 0;
    for (; !end; turns++) {
        int64_t out[64];
        size_t n;
        ok(pass_walk_next(w, 64, out, &n, &end, &r->e));
        for (size_t k = 0; k < n; k++)
            for (int i = 0; i < N; i++)
                if (rec[i] == out[k]) {
                    assert_false(vanished[i]);
                    vanished[i] = true;
                }
    }
    assert_int_equal(turns, N / 64 + 1);
    for (int i = 0; i < N; i++)
        assert_int_equal(vanished[i], i % 7 == 0 && i != 0);
    ok(pass_end(r->db, pass, PASS_COMPLETE, 20, &r->e));
    assert_true(rig_number(r, "SELECT count(*) FROM pass_seen") > 0);
    ok(pass_end(r->db, pass, PASS_EVALUATED, 21, &r->e));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM pass_seen"), 0);
}

static void bits_stand_at_chunk_borders(void **state)
{
    struct rig *r = *state;
    int64_t pass = start(r), recs[] = {8192, 4095, 1, 4096, 1000000000};
    ok(pass_mark(r->db, pass, recs, ARRAY_LEN(recs), &r->e));
    static const int64_t met[] = {1, 4095, 4096, 8192, 1000000000}, missed[] = {0, 2, 4094, 4097, 8191, 999999999};
    bool has;
    for (size_t i = 0; i < ARRAY_LEN(met); i++) {
        ok(pass_has(r->db, pass, met[i], &has, &r->e));
        assert_true(has);
    }
    for (size_t i = 0; i < ARRAY_LEN(missed); i++) {
        ok(pass_has(r->db, pass, missed[i], &has, &r->e));
        assert_false(has);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_feed_is_one_stream),        UNIT(every_member_comes_back),
        UNIT(one_pass_runs_at_a_time),     UNIT(the_walk_finds_exactly_those_not_met),
        UNIT(bits_stand_at_chunk_borders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
