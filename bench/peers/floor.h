/* What the straight-line limit programs share: the state tables, the client calls, the 12-field mapping. */
#ifndef BENCH_PEERS_FLOOR_H
#define BENCH_PEERS_FLOOR_H
#include "common.h"
#include <curl/curl.h>
#include <jansson.h>
#include <sqlite3.h>
#include <xxhash.h>
static sqlite3 *db;
static sqlite3_stmt *q_find, *q_ups, *q_his, *q_enq, *q_del, *q_begin, *q_commit;
static sqlite3_stmt *prep(const char *q)
{
    sqlite3_stmt *s;
    if (sqlite3_prepare_v3(db, q, -1, SQLITE_PREPARE_PERSISTENT, &s, NULL)) {
        fprintf(stderr, "%s: %s\n", q, sqlite3_errmsg(db));
        exit(1);
    }
    return s;
}
static inline void go(sqlite3_stmt *s)
{
    int r = sqlite3_step(s);
    if (r != SQLITE_DONE && r != SQLITE_ROW) {
        fprintf(stderr, "sqlite %d %s\n", r, sqlite3_errmsg(db));
        exit(1);
    }
    sqlite3_reset(s);
}
static void db_open(const char *path, const char *sync, int fresh)
{
    char b[512];
    if (fresh) {
        unlink(path);
        snprintf(b, sizeof b, "%s-wal", path);
        unlink(b);
        snprintf(b, sizeof b, "%s-shm", path);
        unlink(b);
    }
    if (sqlite3_open(path, &db))
        exit(1);
    snprintf(b, sizeof b, "PRAGMA journal_mode=WAL; PRAGMA synchronous=%s; PRAGMA cache_size=-16384;", sync);
    sqlite3_exec(db, b, NULL, NULL, NULL);
    sqlite3_exec(
        db,
        "CREATE TABLE IF NOT EXISTS map(id INTEGER PRIMARY KEY, ent INTEGER NOT NULL, lid TEXT NOT NULL, rid TEXT, fp "
        "INTEGER, ts INTEGER);"
        "CREATE UNIQUE INDEX IF NOT EXISTS map_l ON map(ent,lid); CREATE UNIQUE INDEX IF NOT EXISTS map_r ON "
        "map(ent,rid);"
        "CREATE TABLE IF NOT EXISTS history(id INTEGER PRIMARY KEY, ts INTEGER, map INTEGER, op INTEGER, detail TEXT);"
        "CREATE TABLE IF NOT EXISTS outbox(id INTEGER PRIMARY KEY, due INTEGER, ent INTEGER, body BLOB);",
        NULL, NULL, NULL);
    q_find = prep("SELECT id,rid,fp FROM map WHERE ent=1 AND lid=?1");
    q_ups = prep("INSERT INTO map(ent,lid,rid,fp,ts) VALUES(1,?1,?2,?3,?4) ON CONFLICT(ent,lid) DO UPDATE SET "
                 "fp=excluded.fp, ts=excluded.ts");
    q_his = prep("INSERT INTO history(ts,map,op,detail) VALUES(?1,?2,?3,?4)");
    q_enq = prep("INSERT INTO outbox(due,ent,body) VALUES(?1,1,?2)");
    q_del = prep("DELETE FROM outbox WHERE id=?1");
    q_begin = prep("BEGIN IMMEDIATE");
    q_commit = prep("COMMIT");
}
static inline int db_find(const char *lid, int ll, uint64_t *fp, char *rid)
{
    sqlite3_bind_text(q_find, 1, lid, ll, SQLITE_STATIC);
    int r = sqlite3_step(q_find) == SQLITE_ROW;
    if (r) {
        *fp = (uint64_t)sqlite3_column_int64(q_find, 2);
        const char *t = (const char *)sqlite3_column_text(q_find, 1);
        strcpy(rid, t ? t : "");
    }
    sqlite3_reset(q_find);
    return r;
}
static inline void db_done(const char *lid, const char *rid, uint64_t fp, int64_t ts, int op)
{
    char d[96];
    sqlite3_bind_text(q_ups, 1, lid, -1, SQLITE_STATIC);
    sqlite3_bind_text(q_ups, 2, rid, -1, SQLITE_STATIC);
    sqlite3_bind_int64(q_ups, 3, (sqlite3_int64)fp);
    sqlite3_bind_int64(q_ups, 4, ts);
    go(q_ups);
    int l = snprintf(d, sizeof d, "contact %s -> %s", lid, rid);
    sqlite3_bind_int64(q_his, 1, ts);
    sqlite3_bind_int64(q_his, 2, 0);
    sqlite3_bind_int(q_his, 3, op);
    sqlite3_bind_text(q_his, 4, d, l, SQLITE_STATIC);
    go(q_his);
}
typedef struct {
    char *p;
    size_t n, cap;
} mem;
static size_t mem_add(char *p, size_t s, size_t n, void *u)
{
    mem *m = u;
    if (m->n + s * n + 1 > m->cap)
        m->p = (char *)realloc(m->p, m->cap = (m->n + s * n + 1) * 2);
    memcpy(m->p + m->n, p, s * n);
    m->n += s * n;
    return s * n;
}
static struct curl_slist *jhdr;
static inline CURL *client(mem *m)
{
    CURL *c = curl_easy_init();
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, mem_add);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, m);
    curl_easy_setopt(c, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_BUFFERSIZE, 262144L);
    if (!jhdr)
        jhdr = curl_slist_append(curl_slist_append(NULL, "Content-Type: application/json"), "Expect:");
    return c;
}
static const char *const want[12] = {"id",    "firstName", "lastName", "email",       "phone",        "mobile",
                                     "title", "city",      "country",  "description", "modifiedTime", "accountId"};
static const char *const name[12] = {"Desk_Id",         "First_Name",  "Last_Name",     "Email",
                                     "Phone",           "Mobile",      "Title",         "Mailing_City",
                                     "Mailing_Country", "Description", "Modified_Time", "Account_Name"};
static inline json_t *map12(json_t *r)
{
    json_t *n = json_object();
    for (int f = 0; f < 12; f++)
        json_object_set_nocheck(n, name[f], json_object_get(r, want[f]));
    return n;
}
static inline int fp_add(const char *b, size_t n, void *u)
{
    XXH3_64bits_update((XXH3_state_t *)u, b, n);
    return 0;
}
/* style-ok: headers-alone xxhash.h is needed for this program only
   BASEURL "offline": no HTTP; the page is generated (untimed share: see gen_only) and the answer is made up, so that
   the rest can be counted in instructions */
static int offline;
static inline int get_page(CURL *c, mem *m, uint64_t from, unsigned n)
{
    if (!offline)
        return (int)curl_easy_perform(c);
    size_t l;
    char *p = gen_page(from, n, &l);
    mem_add(p, 1, l, m);
    free(p);
    return 0;
}
static inline int post_batch(CURL *c, mem *m, unsigned n)
{
    static uint64_t seq = 1;
    if (!offline)
        return (int)curl_easy_perform(c);
    char b[200];
    mem_add((char *)"{\"data\":[", 1, 9, m);
    for (unsigned i = 0; i < n; i++)
        mem_add(b, 1,
                (size_t)sprintf(b,
                                "%s{\"code\":\"SUCCESS\",\"details\":{\"id\":\"5100000%010llu\",\"Modified_Time\":"
                                "\"2026-11-21T10:00:00Z\"},\"status\":\"success\"}",
                                i ? "," : "", (unsigned long long)seq++),
                m);
    mem_add((char *)"]}", 1, 2, m);
    return 0;
}
#endif
