/* Bad disks: full, I/O errors, short writes at every operation; power cuts and kills at every operation. (Q13, Q15) */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rig.h"
#include "vfs_shim.h"

enum { ROUNDS = 5 };

static int setup_shim(void **state)
{
    shim_register();
    if (rig_setup(state) != 0)
        return -1;
    struct rig *r = *state;
    rig_close(r);
    r->options.vfs = SHIM_VFS;
    rig_open(r);
    return 0;
}

static int teardown_shim(void **state)
{
    memset(&shim, 0, sizeof shim);
    return rig_teardown(state);
}
#define UNIT_SHIM(test) cmocka_unit_test_setup_teardown(test, setup_shim, teardown_shim)

/* One round of work as the engine does it: a page, then T1, then T2. Stops at the first failure. */
static int page(struct rig *r, int round, int64_t recs[3])
{
    int rc = db_begin(r->db, &r->e);
    for (int i = 0; rc == TL_OK && i < 3; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", round * 10 + i + 1);
        struct record x = {.feed = r->feed[SIDE_A], .id = str_of(id), .observation = rig_observation(r, id)};
        rc = record_put(r->db, &x, &r->e);
        recs[i] = x.rec;
    }
    char cursor[16];
    snprintf(cursor, sizeof cursor, "c%d", round);
    if (rc == TL_OK)
        rc = feed_set_cursor(r->db, r->feed[SIDE_A], str_of(cursor), round, round, &r->e);
    return rc == TL_OK ? db_commit(r->db, &r->e) : rc;
}

static int t1(struct rig *r, const int64_t recs[3], struct pair pairs[3], struct intent *i)
{
    struct intent_entry entries[3];
    memset(entries, 0, sizeof entries);
    int rc = db_begin(r->db, &r->e);
    if (rc)
        return rc;
    *i = (struct intent){.intent = intent_reserve(r->db),
                         .link = r->link,
                         .endpoint = r->endpoint[SIDE_B],
                         .side = SIDE_B,
                         .op = TL_OP_CREATE,
                         .n = 3,
                         .entries = entries};
    for (int k = 0; rc == TL_OK && k < 3; k++) {
        pairs[k] = (struct pair){.link = r->link, .rec = {recs[k], 0}, .intent = i->intent};
        rc = pair_insert(r->db, &pairs[k], &r->e);
        entries[k] = (struct intent_entry){.pair = pairs[k].pair, .born = true};
    }
    if (rc == TL_OK)
        rc = intent_open(r->db, i, &r->e);
    if (rc == TL_OK)
        rc = db_commit(r->db, &r->e);
    i->entries = NULL;
    i->n = 0;
    return rc == TL_OK ? db_seal_intent(r->db, i->intent, &r->e) : rc;
}

static int t2(struct rig *r, int round, struct pair pairs[3], const struct intent *i)
{
    int rc = db_begin(r->db, &r->e);
    for (int k = 0; rc == TL_OK && k < 3; k++) {
        char id[16];
        snprintf(id, sizeof id, "%d", 1000 + round * 10 + k);
        struct record x = {.feed = r->feed[SIDE_B], .id = str_of(id), .observation = rig_observation(r, id)};
        rc = record_put(r->db, &x, &r->e);
        pairs[k].rec[SIDE_B] = x.rec;
        pairs[k].intent = 0;
        pair_set_base(&pairs[k], SIDE_B, BASE_SAME, (str){0});
        if (rc == TL_OK)
            rc = pair_store(r->db, &pairs[k], &r->e);
    }
    if (rc == TL_OK)
        rc = intent_settle(r->db, i, NULL, 0, &r->e);
    return rc == TL_OK ? db_commit(r->db, &r->e) : rc;
}

static int one_round(struct rig *r, int round, int *committed)
{
    int64_t recs[3];
    struct pair pairs[3];
    struct intent i;
    int rc = page(r, round, recs);
    if (rc == TL_OK) {
        ++*committed;
        rc = t1(r, recs, pairs, &i);
    }
    if (rc == TL_OK) {
        ++*committed;
        rc = t2(r, round, pairs, &i);
    }
    if (rc == TL_OK)
        ++*committed;
    return rc;
}

/* What must hold of any state a disk can be left in. Returns how many transactions it holds. */
static int whole_transactions(struct rig *r, struct db *db)
{
    AUTO(buf_done) struct buf findings = {0};
    int64_t after = 0;
    bool end = false;
    struct link_tally t;
    struct intent *open;
    size_t n_open;
    assert_int_equal_ok(pair_fsck(db, &after, 10000, &findings, &end, &r->e), &r->e, __FILE__, __LINE__);
    assert_buf(findings, "");
    assert_int_equal_ok(link_count(db, r->link, &t, &r->e), &r->e, __FILE__, __LINE__);
    assert_int_equal_ok(intent_list(db, &r->a, 0, &open, &n_open, &r->e), &r->e, __FILE__, __LINE__);
    int64_t a = feed_record_count(db, r->feed[SIDE_A]), b = feed_record_count(db, r->feed[SIDE_B]);
    struct feed f;
    assert_int_equal_ok(feed_get(db, &r->a, r->feed[SIDE_A], &f, &r->e), &r->e, __FILE__, __LINE__);
    assert_int_equal(a % 3, 0);
    assert_int_equal(t.pairs % 3, 0);
    assert_int_equal(b % 3, 0);
    assert_int_equal(t.complete, b);
    assert_int_equal(n_open, (size_t)((t.pairs - t.complete) / 3)); /* each pair is through or has its intent */
    assert_int_equal(f.cursor_us, a ? a / 3 - 1 : 0);               /* the cursor goes with its page */
    return (int)(a + t.pairs + b) / 3;
}

/* Any operation fails, once or for good: the caller is told, nothing is half done, and work goes on when it works. */
static void fails_at_every_operation(struct rig *r, enum shim_fault fault, bool sticky)
{
    int64_t n_failed = 0;
    for (int round = 0, k = 1; n_failed == k - 1; k++) { /* until a round passes without meeting its fault */
        int committed = 0;
        rig_reopen(r);
        int before = whole_transactions(r, r->db);
        shim.ops = shim.failed = 0;
        shim.fault = fault;
        shim.sticky = sticky;
        shim.fail_at = k;
        int rc = one_round(r, round, &committed);
        if (rc) {
            assert_int_equal(rc, E_STORAGE);
            assert_non_null(strstr(r->e.text, r->path));
            assert_true(r->e.hint[0] != 0);
            db_rollback(r->db);
            if (sticky)
                assert_int_equal(db_probe(r->db, &r->e), E_STORAGE);
        }
        n_failed += shim.failed > 0;
        shim.fail_at = 0;
        assert_int_equal_ok(db_probe(r->db, &r->e), &r->e, __FILE__, __LINE__);
        assert_int_equal(whole_transactions(r, r->db), before + committed);
        round++;
        if (rc) { /* a commit that failed is not there; after a restart it may turn out to be, whole */
            rig_reopen(r);
            int holds = whole_transactions(r, r->db);
            assert_true(holds == before + committed || holds == before + committed + 1);
            rig_close(r); /* the next round starts from nothing */
            unlink(r->path);
            AUTO(text_free) char *wal = text_fmt("%s-wal", r->path);
            AUTO(text_free) char *seal = text_fmt("%s.seal", r->path);
            unlink(wal);
            unlink(seal);
            rig_open(r);
            rig_fill(r);
            round = 0;
        }
    }
    assert_true(n_failed >= 10); /* the faults were met, not missed */
}

static void a_full_disk_is_survived(void **state)
{
    fails_at_every_operation(*state, SHIM_FULL, true);
}
static void an_error_once_is_survived(void **state)
{
    fails_at_every_operation(*state, SHIM_IOERR, false);
}
static void a_dead_disk_is_survived(void **state)
{
    fails_at_every_operation(*state, SHIM_IOERR, true);
}
static void a_short_write_is_survived(void **state)
{
    fails_at_every_operation(*state, SHIM_SHORT, false);
}

static void a_full_disk_is_named(void **state)
{
    struct rig *r = *state;
    shim.fault = SHIM_FULL;
    shim.sticky = true;
    shim.fail_at = shim.ops + 1;
    assert_int_equal(meta_set_i64(r->db, "x", 1, &r->e), E_STORAGE);
    assert_string_equal(r->e.code, "STORAGE_FULL");
    assert_non_null(strstr(r->e.hint, "make room"));
}

/* The copy is given up, its beginnings are removed, and the database itself is written as before. */
static void a_backup_without_room_harms_nobody(void **state)
{
    struct rig *r = *state;
    char to[128], part[136];
    snprintf(to, sizeof to, "%s/copy.db", r->dir);
    snprintf(part, sizeof part, "%s.part", to);
    shim.fault = SHIM_FULL;
    shim.sticky = true;
    shim.fail_at = shim.ops + 3;
    assert_int_equal(db_backup(r->db, to, &r->e), E_STORAGE);
    assert_string_equal(r->e.code, "STORAGE_FULL");
    assert_non_null(strstr(r->e.text, "cannot write backup"));
    assert_non_null(strstr(r->e.hint, "everything else goes on"));
    assert_int_not_equal(access(to, F_OK), 0);
    assert_int_not_equal(access(part, F_OK), 0);
    shim.fail_at = 0;
    ok(meta_set_i64(r->db, "x", 1, &r->e));
    ok(db_backup(r->db, to, &r->e));
    assert_int_equal(access(to, F_OK), 0);
}

/* After SQLite ended a transaction by itself, what follows must not be written as single statements. */
static void a_broken_transaction_stays_broken(void **state)
{
    struct rig *r = *state;
    ok(db_begin(r->db, &r->e));
    ok(meta_set_i64(r->db, "first", 1, &r->e));
    rig_record(r, SIDE_A, "1", "x");
    shim.fault = SHIM_FULL;
    shim.sticky = true;
    shim.fail_at = shim.ops + 1;
    assert_int_equal(db_commit(r->db, &r->e), E_STORAGE);
    assert_false(db_in_transaction(r->db));
    shim.fail_at = 0;
    int64_t n;
    assert_int_equal(meta_get_i64(r->db, "first", &n, &r->e), TL_E_NOT_FOUND);
    assert_int_equal(feed_record_count(r->db, r->feed[SIDE_A]), 0);
}

/* ---- Power cuts ---- */

struct cuts {
    struct rig *r;
    bool drop;
    int n, committed, active;
    int at_commit[4000]; /* transactions acknowledged when cut i was taken */
};

static void cut_path(char out[160], const struct cuts *c, int i)
{
    snprintf(out, 160, "%s/cut%d", c->r->dir, i);
}

static void take_cut(void *arg)
{
    struct cuts *c = arg;
    char dir[160];
    if (!c->active || c->n == (int)ARRAY_LEN(c->at_commit))
        return;
    cut_path(dir, c, c->n);
    mkdir(dir, 0700);
    shim_power_cut(dir, c->drop);
    c->at_commit[c->n++] = c->committed;
}

/* Durability full: every acknowledged transaction is there after a cut, at most the one under way beside it. */
static void check_cut(struct cuts *c, int i)
{
    struct rig *r = c->r;
    char dir[160], path[192];
    cut_path(dir, c, i);
    snprintf(path, sizeof path, "%s/tieline.db", dir);
    struct db_options o = r->options;
    struct db *db = NULL;
    o.path = path;
    assert_int_equal_ok(db_open(&db, &o, &r->e), &r->e, __FILE__, __LINE__);
    int holds = whole_transactions(r, db);
    if (holds != c->at_commit[i] && holds != c->at_commit[i] + 1)
        print_error("cut %d of %d: %d acknowledged, %d there\n", i, c->n, c->at_commit[i], holds);
    assert_true(holds == c->at_commit[i] || holds == c->at_commit[i] + 1);
    /* and work goes on from there */
    struct db *mine = r->db;
    r->db = db;
    int committed = 0;
    int rc = one_round(r, 500, &committed);
    r->db = mine;
    assert_int_equal_ok(rc, &r->e, __FILE__, __LINE__);
    db_close(db);
}

static void cut_everywhere(struct rig *r, bool drop, enum db_durability durability)
{
    struct cuts *c = calloc(1, sizeof *c);
    c->r = r;
    c->drop = drop;
    rig_close(r);
    r->options.durability = durability;
    rig_open(r);
    shim.before_op = take_cut;
    shim.arg = c;
    c->active = 1;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t recs[3];
        struct pair pairs[3];
        struct intent i;
        assert_int_equal_ok(page(r, round, recs), &r->e, __FILE__, __LINE__);
        c->committed++;
        assert_int_equal_ok(t1(r, recs, pairs, &i), &r->e, __FILE__, __LINE__);
        c->committed++;
        assert_int_equal_ok(t2(r, round, pairs, &i), &r->e, __FILE__, __LINE__);
        c->committed++;
    }
    rig_close(r); /* the last checkpoint is cut too */
    c->active = 0;
    shim.before_op = NULL;
    assert_true(c->n > 60);
    for (int i = 0; i < c->n; i++)
        check_cut(c, i);
    rig_open(r);
    free(c);
}

static void a_power_cut_loses_nothing_acknowledged(void **state)
{
    cut_everywhere(*state, true, DB_FULL);
}
static void a_kill_loses_nothing_acknowledged(void **state)
{
    cut_everywhere(*state, false, DB_NORMAL);
}

/* Durability normal gives the last commits away, but the start notices: the sidecar is ahead. */
static void a_cut_in_normal_durability_is_noticed(void **state)
{
    struct rig *r = *state;
    char dir[160], path[192], seal[200];
    int committed = 0;
    rig_close(r);
    r->options.durability = DB_NORMAL;
    rig_open(r);
    ok(one_round(r, 0, &committed));
    snprintf(dir, sizeof dir, "%s/cut", r->dir);
    snprintf(path, sizeof path, "%s/tieline.db", dir);
    snprintf(seal, sizeof seal, "%s.seal", path);
    mkdir(dir, 0700);
    shim_power_cut(dir, true);
    char line[128];
    AUTO(text_free) char *mine = text_fmt("%s.seal", r->path);
    FILE *in = fopen(mine, "r"), *out = fopen(seal, "w");
    assert_int_equal(fread(line, 1, sizeof line, in), sizeof line);
    assert_int_equal(fwrite(line, 1, sizeof line, out), sizeof line);
    fclose(in);
    fclose(out);
    struct db_options o = r->options;
    struct db *db = NULL;
    o.path = path;
    o.vfs = NULL;
    ok(db_open(&db, &o, &r->e));
    assert_int_equal(whole_transactions(r, db), 0);
    assert_int_equal(db_origin(db), DB_RESTORED);
    db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_SHIM(a_full_disk_is_survived),
        UNIT_SHIM(an_error_once_is_survived),
        UNIT_SHIM(a_dead_disk_is_survived),
        UNIT_SHIM(a_short_write_is_survived),
        UNIT_SHIM(a_full_disk_is_named),
        UNIT_SHIM(a_backup_without_room_harms_nobody),
        UNIT_SHIM(a_broken_transaction_stays_broken),
        UNIT_SHIM(a_power_cut_loses_nothing_acknowledged),
        UNIT_SHIM(a_kill_loses_nothing_acknowledged),
        UNIT_SHIM(a_cut_in_normal_durability_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
