/* quick_check and integrity_check on a thread and a connection of their own. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "db_int.h"

struct checker {
    pthread_t thread;
    sqlite3 *sqlite;
    char path[DB_PATH_MAX];
    bool full;
    atomic_bool stop, finished;
    void (*done)(void *arg, const struct err *result);
    void *arg;
};

static int should_stop(void *arg)
{
    struct checker *c = arg;
    return atomic_load(&c->stop) ? 1 : 0;
}

static int read_findings(struct checker *c, struct err *result)
{
    sqlite3_stmt *s = NULL;
    int found = 0;
    AUTO(buf_done) struct buf text = {.max = 900};
    int rc =
        sqlite3_prepare_v2(c->sqlite, c->full ? "PRAGMA integrity_check(10)" : "PRAGMA quick_check(10)", -1, &s, NULL);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(s);
        if (rc != SQLITE_ROW)
            break;
        const char *line = (const char *)sqlite3_column_text(s, 0);
        if (!line || strcmp(line, "ok") != 0) {
            buf_fmt(&text, "%s%s", found ? "; " : "", line ? line : "?");
            found++;
        }
    }
    sqlite3_finalize(s);
    if (rc != SQLITE_DONE)
        return sql_error_of(c->sqlite, c->path, rc, result);
    if (!found)
        return TL_OK;
    sql_error_of(NULL, c->path, SQLITE_CORRUPT, result);
    err_detail(result, "%s", buf_text(&text));
    return E_STORAGE;
}

static void *check_main(void *arg)
{
    struct checker *c = arg;
    struct err result = {0};
    read_findings(c, &result);
    sqlite3_close(c->sqlite);
    c->sqlite = NULL;
    if (!atomic_load(&c->stop))
        c->done(c->arg, &result);
    atomic_store(&c->finished, true);
    return NULL;
}

int db_check_start(struct db *db, bool full, void (*done)(void *arg, const struct err *result), void *arg,
                   struct err *e)
{
    if (db->checker && !atomic_load(&db->checker->finished))
        return err_set(e, E_BUSY, "a check of the database is running");
    checker_stop(db);
    struct checker *c = calloc(1, sizeof *c);
    ASSERT(c);
    memcpy(c->path, db->path, sizeof c->path);
    c->full = full;
    c->done = done;
    c->arg = arg;
    int rc = connection_open(&c->sqlite, db->path, db->vfs[0] ? db->vfs : NULL, true, 1024, e);
    if (rc == TL_OK) {
        sqlite3_progress_handler(c->sqlite, 100000, should_stop, c);
        if (pthread_create(&c->thread, NULL, check_main, c) != 0)
            rc = err_set(e, TL_E_TEMPORARY, "cannot start the thread that checks the database");
    }
    if (rc) {
        sqlite3_close(c->sqlite);
        free(c);
        return rc;
    }
    db->checker = c;
    return TL_OK;
}

void checker_stop(struct db *db)
{
    struct checker *c = db->checker;
    if (!c)
        return;
    atomic_store(&c->stop, true);
    pthread_join(c->thread, NULL);
    free(c);
    db->checker = NULL;
}
