#include "rig.h"

#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

struct rig *rig_error(void **state)
{
    return *state;
}

void assert_int_equal_ok(int rc, const struct err *e, const char *file, int line)
{
    if (rc != TL_OK)
        print_error("status %d: %s (%s)\n", rc, e->text, e->detail);
    _assert_int_equal((uintmax_t)rc, TL_OK, file, line);
}

void rig_open(struct rig *r)
{
    int rc = db_open(&r->db, &r->options, &r->e);
    assert_int_equal_ok(rc, &r->e, __FILE__, __LINE__);
}

void rig_close(struct rig *r)
{
    r->db = db_close(r->db);
}

void rig_reopen(struct rig *r)
{
    rig_close(r);
    rig_open(r);
}

int rig_setup_bare(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    /* in memory where that is possible: hundreds of small databases, each synced often */
    snprintf(r->dir, sizeof r->dir, "%s/tieline-store-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(r->dir))
        return -1;
    snprintf(r->path, sizeof r->path, "%s/tieline.db", r->dir);
    env_sim_init(&r->sim, 1, RIG_START);
    memset(r->key.bytes, 7, sizeof r->key.bytes);
    memset(r->key.id, 1, sizeof r->key.id);
    r->options = (struct db_options){
        .path = r->path, .env = &r->sim.env, .key = &r->key, .no_checkpoint_thread = true, .cache_kib = 1024};
    *state = r;
    rig_open(r);
    return 0;
}

int rig_setup(void **state)
{
    if (rig_setup_bare(state) != 0)
        return -1;
    rig_fill(*state);
    return 0;
}

int rig_teardown(void **state)
{
    struct rig *r = *state;
    rig_close(r);
    arena_done(&r->a);
    nftw(r->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(r);
    return 0;
}

#define must(call) assert_int_equal_ok((call), &r->e, __FILE__, __LINE__)

void rig_fill(struct rig *r)
{
    must(endpoint_ensure(r->db, STR("desk"), STR("desk"), STR("desk"), &r->endpoint[SIDE_A], &r->e));
    must(endpoint_ensure(r->db, STR("sf"), STR("salesforce"), STR("salesforce"), &r->endpoint[SIDE_B], &r->e));
    for (int s = 0; s < 2; s++)
        must(feed_ensure(r->db, r->endpoint[s], STR("contact"), (str){0}, &r->feed[s], &r->e));
    struct connection c = {.name = STR("desk-sf"), .endpoint = {r->endpoint[0], r->endpoint[1]}};
    must(connection_create(r->db, &c, &r->e));
    struct link l = {.connection = c.connection,
                     .name = STR("contact"),
                     .kind = {STR("contact"), STR("contact")},
                     .feed = {r->feed[0], r->feed[1]},
                     .enabled = true};
    must(link_create(r->db, &l, &r->e));
    r->connection = c.connection;
    r->link = l.link;
}

void rig_sql(struct rig *r, const char *sql)
{
    sqlite3 *s;
    char *why = NULL;
    assert_int_equal(sqlite3_open_v2(r->path, &s, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(s, 1000);
    int rc = sqlite3_exec(s, sql, NULL, NULL, &why);
    if (rc != SQLITE_OK)
        print_error("%s: %s\n", sql, why);
    sqlite3_free(why);
    sqlite3_close(s);
    assert_int_equal(rc, SQLITE_OK);
}

int64_t rig_number(struct rig *r, const char *sql)
{
    sqlite3 *s;
    sqlite3_stmt *q = NULL;
    assert_int_equal(sqlite3_open_v2(r->path, &s, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(s, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(s);
    return n;
}

str rig_observation(struct rig *r, const char *text)
{
    AUTO(buf_done) struct buf b = {0};
    tl_value v = {.field = 1, .type = TL_TEXT, .u.s = str_of(text)};
    obs_add(&b, &v);
    return arena_str(&r->a, buf_lent(&b));
}

int64_t rig_record(struct rig *r, enum side s, const char *id, const char *observation)
{
    struct record rec = {
        .feed = r->feed[s], .id = str_of(id), .seen_us = RIG_START, .observation = rig_observation(r, observation)};
    rec.seen_hash = store_hash(rec.observation.p, rec.observation.n);
    must(record_put(r->db, &rec, &r->e));
    return rec.rec;
}

int64_t rig_pair(struct rig *r, int64_t a_rec, int64_t b_rec)
{
    struct pair p = {.link = r->link, .rec = {a_rec, b_rec}, .made_us = RIG_START};
    p.base[SIDE_A].kind = a_rec ? BASE_SAME : BASE_NONE;
    p.base[SIDE_B].kind = b_rec ? BASE_SAME : BASE_NONE;
    must(pair_insert(r->db, &p, &r->e));
    return p.pair;
}
