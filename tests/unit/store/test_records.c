/* Records: ids, probes, checksums, keeping observations that something stands on; lookups. */
#include <stdio.h>

#include "rig.h"

static void ids_come_back_as_they_were(void **state)
{
    struct rig *r = *state;
    static const char *const ids[] = {"0",
                                      "1",
                                      "9223372036854775807",
                                      "9223372036854775808",
                                      "007",
                                      "-1",
                                      "+1",
                                      "1 ",
                                      "0035g00000AbCdEAAV",
                                      "0035g00000aBcDeaav",
                                      "12345678901234567890123"};
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        int64_t rec = rig_record(r, SIDE_A, ids[i], "x");
        struct record got;
        ok(record_get(r->db, &r->a, rec, &got, &r->e));
        assert_str(got.id, ids[i]);
        assert_false(got.damaged);
        struct record_probe probe;
        ok(record_probe(r->db, r->feed[SIDE_A], str_of(ids[i]), &probe, &r->e));
        assert_int_equal(probe.rec, rec);
    }
    assert_int_equal(rig_number(r, "SELECT count(*) FROM record WHERE typeof(remote_id) = 'integer'"), 3);
    assert_int_equal(feed_record_count(r->db, r->feed[SIDE_A]), ARRAY_LEN(ids));
}

static void every_member_comes_back(void **state)
{
    struct rig *r = *state;
    struct record in = {.feed = r->feed[SIDE_A],
                        .id = STR("77"),
                        .state = TL_STATE_MERGED,
                        .version_kind = TL_VER_TIME,
                        .version = STR("2026-01-01T00:00:00Z"),
                        .modified_us = 5,
                        .created_us = 4,
                        .seen_us = 6,
                        .seen_hash = UINT64_MAX - 1,
                        .recheck_us = 9,
                        .into = STR("78"),
                        .by = STR("u1"),
                        .stamp = STR("abc.def"),
                        .observation = rig_observation(r, "v")};
    ok(record_put(r->db, &in, &r->e));
    rig_reopen(r);
    struct record out;
    ok(record_find(r->db, &r->a, r->feed[SIDE_A], STR("77"), &out, &r->e));
    assert_int_equal(out.rec, in.rec);
    assert_int_equal(out.state, TL_STATE_MERGED);
    assert_int_equal(out.version_kind, TL_VER_TIME);
    assert_str(out.version, "2026-01-01T00:00:00Z");
    assert_int_equal(out.modified_us, 5);
    assert_int_equal(out.created_us, 4);
    assert_int_equal(out.seen_us, 6);
    assert_true(out.seen_hash == UINT64_MAX - 1);
    assert_int_equal(out.recheck_us, 9);
    assert_str(out.into, "78");
    assert_str(out.by, "u1");
    assert_str(out.stamp, "abc.def");
    assert_true(str_eq(out.observation, in.observation));
    int64_t rec;
    ok(record_find_stamp(r->db, r->feed[SIDE_A], STR("abc.def"), &rec, &r->e));
    assert_int_equal(rec, in.rec);
    int64_t due[4];
    size_t n;
    ok(record_due_rechecks(r->db, r->feed[SIDE_A], 8, due, 4, &n, &r->e));
    assert_int_equal(n, 0);
    ok(record_due_rechecks(r->db, r->feed[SIDE_A], 9, due, 4, &n, &r->e));
    assert_int_equal(n, 1);
}

static void one_row_per_remote_record(void **state)
{
    struct rig *r = *state;
    rig_record(r, SIDE_A, "1", "x");
    struct record again = {.feed = r->feed[SIDE_A], .id = STR("1")};
    assert_int_equal(record_put(r->db, &again, &r->e), E_EXISTS);
    assert_int_equal(again.rec, 0);
    rig_record(r, SIDE_B, "1", "x"); /* another feed: another record */
    struct record_probe p;
    assert_int_equal(record_probe(r->db, r->feed[SIDE_A], STR("2"), &p, &r->e), TL_E_NOT_FOUND);
    struct record empty = {.feed = r->feed[SIDE_A]};
    assert_int_equal(record_put(r->db, &empty, &r->e), TL_E_INVALID);
}

static void probing_writes_nothing(void **state)
{
    struct rig *r = *state;
    rig_record(r, SIDE_A, "1", "x");
    struct db_stats before, after;
    struct record_probe p;
    db_stats(r->db, &before);
    for (int i = 0; i < 100; i++)
        ok(record_probe(r->db, r->feed[SIDE_A], STR("1"), &p, &r->e));
    db_stats(r->db, &after);
    assert_int_equal(after.commits, before.commits);
    assert_int_equal(after.cache_writes, before.cache_writes);
}

/* A byte flipped in a stored observation, or a row moved to another record, is seen before anything is planned. */
static void damage_is_seen(void **state)
{
    struct rig *r = *state;
    int64_t one = rig_record(r, SIDE_A, "1", "hello"), two = rig_record(r, SIDE_A, "2", "world");
    struct record got;
    rig_sql(r, "UPDATE record SET observation = CAST(replace(CAST(observation AS TEXT), 'hello', 'hellp') AS BLOB) "
               "WHERE remote_id = 1");
    ok(record_get(r->db, &r->a, one, &got, &r->e));
    assert_true(got.damaged);
    ok(record_get(r->db, &r->a, two, &got, &r->e));
    assert_false(got.damaged);
    rig_sql(r, "UPDATE record SET remote_id = 3 WHERE remote_id = 2");
    ok(record_get(r->db, &r->a, two, &got, &r->e));
    assert_true(got.damaged);
}

static void observe(struct rig *r, int64_t rec, const char *text)
{
    struct record x;
    assert_int_equal_ok(record_get(r->db, &r->a, rec, &x, &r->e), &r->e, __FILE__, __LINE__);
    x.observation = rig_observation(r, text);
    x.seen_hash++;
    assert_int_equal_ok(record_put(r->db, &x, &r->e), &r->e, __FILE__, __LINE__);
}

static void assert_base(struct rig *r, int64_t pair, enum side s, enum base_kind kind, const char *text)
{
    struct pair p;
    assert_int_equal_ok(pair_get(r->db, &r->a, pair, &p, &r->e), &r->e, __FILE__, __LINE__);
    assert_false(p.damaged);
    assert_int_equal(p.base[s].kind, kind);
    if (text)
        assert_true(str_eq(p.base[s].blob, rig_observation(r, text)));
}

/* "Equal to the observation" stays true in meaning when the observation changes. */
static void a_base_that_was_the_observation_keeps_its_value(void **state)
{
    struct rig *r = *state;
    int64_t a = rig_record(r, SIDE_A, "1", "old a"), b = rig_record(r, SIDE_B, "1", "old b");
    int64_t pair = rig_pair(r, a, b);
    assert_base(r, pair, SIDE_A, BASE_SAME, NULL);
    observe(r, a, "old a"); /* same bytes: nothing to keep */
    assert_base(r, pair, SIDE_A, BASE_SAME, NULL);
    observe(r, a, "new a");
    assert_base(r, pair, SIDE_A, BASE_OWN, "old a");
    assert_base(r, pair, SIDE_B, BASE_SAME, NULL);
    observe(r, a, "newer a"); /* the base stays what was agreed */
    assert_base(r, pair, SIDE_A, BASE_OWN, "old a");
    observe(r, b, "new b");
    assert_base(r, pair, SIDE_B, BASE_OWN, "old b");
    struct pair p;
    ok(pair_get(r->db, &r->a, pair, &p, &r->e));
    pair_set_base(&p, SIDE_A, BASE_SAME, (str){0});
    ok(pair_store(r->db, &p, &r->e));
    assert_base(r, pair, SIDE_A, BASE_SAME, NULL);
    assert_base(r, pair, SIDE_B, BASE_OWN, "old b");
}

/* A copy of the pair read before the observation came must not take the kept base away again. */
static void a_stale_copy_does_not_undo_a_kept_base(void **state)
{
    struct rig *r = *state;
    int64_t a = rig_record(r, SIDE_A, "1", "old");
    int64_t pair = rig_pair(r, a, 0);
    struct pair p;
    ok(pair_get(r->db, &r->a, pair, &p, &r->e));
    observe(r, a, "new");
    p.attempts = 3;
    p.due_us = 5;
    ok(pair_store(r->db, &p, &r->e));
    assert_base(r, pair, SIDE_A, BASE_OWN, "old");
}

/* A record that a write made known holds nothing: its first observation replaces it, a second one must not. */
static void a_first_observation_replaces_nothing(void **state)
{
    struct rig *r = *state;
    struct record made = {.feed = r->feed[SIDE_B], .id = STR("made")}, out;
    struct record_probe probe;
    ok(record_put(r->db, &made, &r->e));
    ok(record_probe(r->db, made.feed, made.id, &probe, &r->e));
    assert_true(probe.bare);
    assert_false(probe.observed);
    made.version = STR("v1");
    made.seen_hash = 77;
    made.by = STR("user");
    made.observation = rig_observation(r, "x");
    ok(record_first(r->db, &made, &r->e));
    ok(record_probe(r->db, made.feed, made.id, &probe, &r->e));
    assert_false(probe.bare);
    assert_true(probe.observed);
    ok(record_get(r->db, &r->a, made.rec, &out, &r->e));
    assert_str(out.version, "v1");
    assert_str(out.by, "user");
    assert_int_equal(out.seen_hash, 77);
    assert_false(out.damaged);
    assert_true(str_eq(out.observation, rig_observation(r, "x")));
    assert_int_equal(record_first(r->db, &made, &r->e), TL_E_NOT_FOUND);
    struct record stamped = {.feed = r->feed[SIDE_B], .id = STR("stamped"), .stamp = STR("s")};
    ok(record_put(r->db, &stamped, &r->e));
    ok(record_probe(r->db, stamped.feed, stamped.id, &probe, &r->e));
    assert_false(probe.bare);
}

static void an_open_intent_keeps_its_source(void **state)
{
    struct rig *r = *state;
    int64_t a = rig_record(r, SIDE_A, "1", "sent from this");
    int64_t pair = rig_pair(r, a, 0);
    struct intent_entry entry = {.pair = pair};
    struct intent i = {.link = r->link,
                       .endpoint = r->endpoint[SIDE_B],
                       .side = SIDE_B,
                       .op = TL_OP_CREATE,
                       .n = 1,
                       .entries = &entry};
    ok(intent_open(r->db, &i, &r->e));
    str source;
    assert_int_equal(intent_source(r->db, &r->a, pair, SIDE_A, &source, &r->e), TL_E_NOT_FOUND);
    observe(r, a, "first");
    observe(r, a, "second");
    rig_reopen(r);
    ok(intent_source(r->db, &r->a, pair, SIDE_A, &source, &r->e));
    assert_true(str_eq(source, rig_observation(r, "sent from this")));
    struct pair p;
    ok(pair_get(r->db, &r->a, pair, &p, &r->e));
    p.intent = 0;
    ok(pair_store(r->db, &p, &r->e));
    assert_int_equal(intent_source(r->db, &r->a, pair, SIDE_A, &source, &r->e), TL_E_NOT_FOUND);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM intent_source"), 0);
}

static void touching_changes_the_version_alone(void **state)
{
    struct rig *r = *state;
    int64_t a = rig_record(r, SIDE_A, "1", "x"), pair = rig_pair(r, a, 0);
    ok(record_touch(r->db, a, STR("v2"), TL_VER_TAG, 8, 9, 10, &r->e));
    ok(record_set_state(r->db, a, TL_STATE_TRASHED, (str){0}, 11, &r->e));
    struct record got;
    ok(record_get(r->db, &r->a, a, &got, &r->e));
    assert_str(got.version, "v2");
    assert_int_equal(got.seen_hash, 10);
    assert_int_equal(got.state, TL_STATE_TRASHED);
    assert_false(got.damaged);
    assert_base(r, pair, SIDE_A, BASE_SAME, NULL);
    assert_int_equal(record_touch(r->db, 999, STR("v"), 0, 0, 0, 0, &r->e), TL_E_NOT_FOUND);
}

/* Every record once, in an order that a restart can go on with: stretches of the two feeds lie between each other, one
 * is given up with its transaction, and what was deleted leaves a gap. */
static void a_walk_meets_every_record_once(void **state)
{
    enum { RECORDS = 500, PAGE = 7 };
    struct rig *r = *state;
    char id[16];
    int64_t mine[RECORDS], after = 0;
    int n_mine = 0, met = 0;
    for (int i = 0; i < RECORDS; i++) {
        bool ours = i < 10 || (i / 70) % 2 == 1 || i % 97 == 0;
        snprintf(id, sizeof id, i % 3 ? "%d" : "x%d", (i * 271) % RECORDS);
        if (i == 170) {
            ok(db_begin(r->db, &r->e));
            rig_record(r, SIDE_A, "given up", "x");
            db_rollback(r->db);
        }
        int64_t rec = rig_record(r, ours ? SIDE_A : SIDE_B, id, "x");
        if (ours && i % 31 == 0)
            ok(record_delete(r->db, rec, &r->e));
        else if (ours)
            mine[n_mine++] = rec;
    }
    for (size_t n = PAGE; n == PAGE; met += (int)n) {
        struct record *page;
        ok(record_walk(r->db, &r->a, r->feed[SIDE_A], after, PAGE, &page, &n, &r->e));
        for (size_t i = 0; i < n; i++)
            assert_int_equal(page[i].rec, mine[(size_t)met + i]);
        after = n ? page[n - 1].rec : after;
    }
    assert_int_equal(met, n_mine);
}

static void a_walk_of_a_link_tells_what_has_a_pair(void **state)
{
    struct rig *r = *state;
    int64_t rec[9];
    for (int i = 0; i < 9; i++) { /* numbers and texts, not in the order of their ids */
        char id[8];
        snprintf(id, sizeof id, i % 2 ? "x%d" : "%d", (i * 4) % 9);
        rec[i] = rig_record(r, SIDE_B, id, "seen");
    }
    int64_t with[] = {rig_pair(r, 0, rec[3]), rig_pair(r, 0, rec[4])};
    struct pair slotted = {.link = r->link, .rec = {rig_record(r, SIDE_A, "s", "x"), 0}, .slot = STR("open")};
    ok(pair_insert(r->db, &slotted, &r->e));
    int64_t after = 0;
    int met = 0, pairs = 0;
    for (size_t n = 2; n == 2;) {
        struct record *plain, *list;
        size_t n_plain;
        bool *paired;
        ok(record_walk(r->db, &r->a, r->feed[SIDE_B], after, 2, &plain, &n_plain, &r->e));
        ok(record_walk_link(r->db, &r->a, r->feed[SIDE_B], r->link, SIDE_B, after, 2, &list, &paired, &n, &r->e));
        assert_int_equal(n, n_plain);
        for (size_t i = 0; i < n; i++, met++) {
            assert_int_equal(list[i].rec, plain[i].rec);
            assert_int_equal(paired[i], list[i].rec == rec[3] || list[i].rec == rec[4]);
            assert_true(paired[i] || str_eq(list[i].observation, plain[i].observation));
            pairs += paired[i];
            after = list[i].rec;
        }
    }
    assert_int_equal(met, 9);
    assert_int_equal(pairs, 2);
    struct record *list;
    size_t n;
    bool *paired;
    ok(record_walk_link(r->db, &r->a, r->feed[SIDE_A], r->link, SIDE_A, 0, 2, &list, &paired, &n, &r->e));
    assert_int_equal(n, 1);
    assert_false(paired[0]); /* another slot's */
    (void)with;
}

static void a_record_in_use_stays(void **state)
{
    struct rig *r = *state;
    int64_t a = rig_record(r, SIDE_A, "1", "x"), pair = rig_pair(r, a, 0);
    assert_int_equal(record_delete(r->db, a, &r->e), E_PRECONDITION);
    ok(pair_delete(r->db, pair, &r->e));
    ok(record_delete(r->db, a, &r->e));
    assert_int_equal(feed_record_count(r->db, r->feed[SIDE_A]), 0);
    assert_int_equal(record_delete(r->db, a, &r->e), TL_E_NOT_FOUND);
}

/* ---- Lookup ---- */

static size_t find(struct rig *r, const struct lookup_key *k, int64_t recs[8])
{
    size_t n = 99;
    assert_int_equal_ok(lookup_find(r->db, r->feed[SIDE_A], k, recs, 8, &n, &r->e), &r->e, __FILE__, __LINE__);
    return n;
}

static void lookups_follow_changes(void **state)
{
    struct rig *r = *state;
    struct lookup_key mail = {.kind = LOOKUP_EMAIL, .text = STR("a@x.org")},
                      other = {.kind = LOOKUP_EMAIL, .text = STR("b@x.org")},
                      phone = {.kind = LOOKUP_PHONE, .number = 123456789};
    struct lookup_key first[] = {mail, phone}, second[] = {other, phone};
    int64_t recs[8];
    ok(lookup_change(r->db, r->feed[SIDE_A], 7, NULL, 0, first, 2, &r->e));
    ok(lookup_change(r->db, r->feed[SIDE_A], 5, NULL, 0, first, 2, &r->e));
    assert_int_equal(find(r, &mail, recs), 2);
    assert_int_equal(recs[0], 5);
    ok(lookup_change(r->db, r->feed[SIDE_A], 7, first, 2, second, 2, &r->e));
    assert_int_equal(find(r, &mail, recs), 1);
    assert_int_equal(find(r, &other, recs), 1);
    assert_int_equal(recs[0], 7);
    assert_int_equal(find(r, &phone, recs), 2);
    ok(lookup_change(r->db, r->feed[SIDE_A], 7, second, 2, NULL, 0, &r->e));
    assert_int_equal(find(r, &other, recs), 0);
    assert_int_equal(find(r, &phone, recs), 1);
}

/* However many keys a record has, all of them find it, long ones too, and any of them can go. */
static void a_record_is_found_by_each_of_its_keys(void **state)
{
    struct rig *r = *state;
    enum { MOST = 14 };
    char text[MOST][200];
    struct lookup_key keys[MOST];
    int64_t recs[8];
    for (int i = 0; i < MOST; i++) {
        memset(text[i], 'k', sizeof text[i]);
        text[i][0] = (char)('a' + i);
        keys[i] = i % 2 ? (struct lookup_key){.kind = LOOKUP_PHONE, .number = 100000000 + i}
                        : (struct lookup_key){.kind = LOOKUP_NAME, .text = {text[i], i % 4 ? 1 : sizeof text[i]}};
    }
    for (int n = 1; n <= MOST; n++)
        ok(lookup_change(r->db, r->feed[SIDE_A], n, NULL, 0, keys, (size_t)n, &r->e));
    for (int i = 0; i < MOST; i++) {
        assert_int_equal(find(r, &keys[i], recs), MOST - i < 8 ? MOST - i : 8);
        assert_int_equal(recs[0], i + 1);
    }
    ok(lookup_change(r->db, r->feed[SIDE_A], MOST, keys, MOST, keys + 1, MOST - 2, &r->e));
    assert_int_equal(find(r, &keys[MOST - 1], recs), 0);
    assert_int_equal(find(r, &keys[MOST - 2], recs), 2);
    ok(lookup_change(r->db, r->feed[SIDE_A], MOST - 1, keys, MOST - 1, keys, MOST, &r->e));
    assert_int_equal(find(r, &keys[MOST - 1], recs), 1);
}

static void long_keys_stay_distinct(void **state)
{
    struct rig *r = *state;
    char x[400], y[400];
    memset(x, 'n', sizeof x);
    memset(y, 'n', sizeof y);
    y[399] = 'm';
    struct lookup_key a = {.kind = LOOKUP_NAME, .text = {x, sizeof x}},
                      b = {.kind = LOOKUP_NAME, .text = {y, sizeof y}};
    int64_t recs[8];
    ok(lookup_change(r->db, r->feed[SIDE_A], 1, NULL, 0, &a, 1, &r->e));
    assert_int_equal(find(r, &a, recs), 1);
    assert_int_equal(find(r, &b, recs), 0);
}

static void a_bulk_build_finds_all_also_after_a_rollback(void **state)
{
    struct rig *r = *state;
    AUTO(lookup_build_free) struct lookup_build *b = lookup_build_new(r->db, r->feed[SIDE_A]);
    char text[32];
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof text, "name %d", (i * 7919) % 500);
        struct lookup_key k = {.kind = LOOKUP_NAME, .text = str_of(text)};
        assert_false(lookup_build_add(b, &k, i + 1));
    }
    bool empty = false;
    ok(db_begin(r->db, &r->e));
    ok(lookup_build_write(b, 300, &empty, &r->e));
    assert_false(empty);
    db_rollback(r->db);
    lookup_build_repeat(b);
    for (int slices = 0; !empty; slices++) {
        assert_true(slices < 5);
        ok(lookup_build_write(b, 300, &empty, &r->e));
    }
    assert_int_equal(rig_number(r, "SELECT count(*) FROM lookup"), 1000);
    int64_t recs[8];
    struct lookup_key k = {.kind = LOOKUP_NAME, .text = STR("name 42")};
    assert_int_equal(find(r, &k, recs), 2);
    bool done = false;
    ok(lookup_clear(r->db, r->feed[SIDE_A], 600, &done, &r->e));
    assert_false(done);
    ok(lookup_clear(r->db, r->feed[SIDE_A], 600, &done, &r->e));
    assert_true(done);
    assert_int_equal(find(r, &k, recs), 0);
}

static size_t found(struct rig *r, const char *name, int64_t recs[8])
{
    struct lookup_key k = {.kind = LOOKUP_NAME, .text = str_of(name)};
    return find(r, &k, recs);
}

static void renamed(struct lookup_build *b, int64_t rec, const char *old, const char *now)
{
    struct lookup_key of[2] = {{.kind = LOOKUP_NAME, .text = str_of(old)}, {.kind = LOOKUP_NAME, .text = str_of(now)}};
    lookup_build_change(b, rec, &of[0], 1, &of[1], 1);
}

/* Records change while their keys are collected, and while these are written: what was told last counts. */
static void a_bulk_build_follows_changes(void **state)
{
    struct rig *r = *state;
    AUTO(lookup_build_free) struct lookup_build *b = lookup_build_new(r->db, r->feed[SIDE_A]);
    char text[32];
    int64_t recs[8];
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "name %02d", i);
        struct lookup_key k = {.kind = LOOKUP_NAME, .text = str_of(text)};
        lookup_build_add(b, &k, i + 1);
    }
    renamed(b, 11, "name 10", "ann");
    renamed(b, 12, "name 11", "bob");
    renamed(b, 12, "bob", "name 11");
    bool empty = false;
    ok(lookup_build_write(b, 60, &empty, &r->e));
    renamed(b, 11, "ann", "zoe");
    renamed(b, 91, "name 90", "zoe");
    renamed(b, 1, "name 00", "cid");
    renamed(b, 1, "cid", "name 00");
    for (int slices = 0; !empty; slices++) {
        assert_true(slices < 5);
        ok(lookup_build_write(b, 60, &empty, &r->e));
    }
    assert_int_equal(rig_number(r, "SELECT count(*) FROM lookup"), 100);
    assert_int_equal(found(r, "zoe", recs), 2);
    assert_int_equal(found(r, "name 11", recs), 1);
    assert_int_equal(recs[0], 12);
    assert_int_equal(found(r, "name 00", recs), 1);
    assert_int_equal(found(r, "ann", recs) + found(r, "bob", recs) + found(r, "cid", recs), 0);
    assert_int_equal(found(r, "name 10", recs) + found(r, "name 90", recs), 0);
}

static void kinds_that_are_there(void **state)
{
    struct rig *r = *state;
    const struct lookup_key keys[] = {{.kind = LOOKUP_PHONE, .number = 987392588},
                                      {.kind = LOOKUP_TEXT_OF + 12, .text = STR("badge 7")}};
    int32_t kind = 0;
    assert_int_equal(lookup_kind_next(r->db, r->feed[SIDE_A], 0, &kind, &r->e), TL_E_NOT_FOUND);
    ok(lookup_change(r->db, r->feed[SIDE_A], 7, NULL, 0, keys, 2, &r->e));
    ok(lookup_kind_next(r->db, r->feed[SIDE_A], 0, &kind, &r->e));
    assert_int_equal(kind, LOOKUP_PHONE);
    ok(lookup_kind_next(r->db, r->feed[SIDE_A], kind, &kind, &r->e));
    assert_int_equal(kind, LOOKUP_TEXT_OF + 12);
    assert_int_equal(lookup_kind_next(r->db, r->feed[SIDE_A], kind, &kind, &r->e), TL_E_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(ids_come_back_as_they_were),
        UNIT(every_member_comes_back),
        UNIT(one_row_per_remote_record),
        UNIT(probing_writes_nothing),
        UNIT(damage_is_seen),
        UNIT(a_base_that_was_the_observation_keeps_its_value),
        UNIT(a_stale_copy_does_not_undo_a_kept_base),
        UNIT(a_first_observation_replaces_nothing),
        UNIT(an_open_intent_keeps_its_source),
        UNIT(touching_changes_the_version_alone),
        UNIT(a_walk_meets_every_record_once),
        UNIT(a_walk_of_a_link_tells_what_has_a_pair),
        UNIT(a_record_in_use_stays),
        UNIT(lookups_follow_changes),
        UNIT(a_record_is_found_by_each_of_its_keys),
        UNIT(long_keys_stay_distinct),
        UNIT(a_bulk_build_finds_all_also_after_a_rollback),
        UNIT(a_bulk_build_follows_changes),
        UNIT(kinds_that_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
