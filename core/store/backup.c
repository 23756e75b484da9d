/* Online backup: one consistent state, copied page by page while the writer goes on. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "db_int.h"

enum { PAGES_A_STEP = 1024 };

struct connections {
    sqlite3 *from, *to;
};
static void connections_done(struct connections *c)
{
    sqlite3_close(c->to);
    sqlite3_close(c->from);
}
AUTO_DONE(struct connections, connections_done)

static int backup_errno(struct err *e, const char *doing, const char *path)
{
    char why[128];
    snprintf(why, sizeof why, "%s", strerror(errno));
    err_set(e, E_STORAGE, "cannot %s backup \"%s\": %s", doing, path, why);
    err_code(e, errno == ENOSPC ? "STORAGE_FULL" : "STORAGE_IO");
    err_hint(e, "choose a directory that the daemon's user may write to, with room for a copy of the database");
    return E_STORAGE;
}

/* A read transaction on the source pins one state, so that later commits never make the copy start again. */
static int copy_pages(struct connections *c, const char *from, const char *to, struct err *e)
{
    int64_t ignored;
    int rc = sql_exec(c->from, from, "BEGIN", e);
    if (rc == TL_OK)
        rc = sql_exec_i64(c->from, from, "SELECT count(*) FROM sqlite_schema", &ignored, e);
    if (rc)
        return rc;
    sqlite3_backup *b = sqlite3_backup_init(c->to, "main", c->from, "main");
    if (!b)
        return sql_error_of(c->to, to, sqlite3_errcode(c->to), e);
    int s;
    do
        s = sqlite3_backup_step(b, PAGES_A_STEP);
    while (s == SQLITE_OK);
    int end = sqlite3_backup_finish(b);
    return s == SQLITE_DONE && end == SQLITE_OK ? TL_OK : sql_error_of(c->to, to, s == SQLITE_DONE ? end : s, e);
}

static int check_copy(sqlite3 *copy, const char *path, struct err *e)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(copy, "PRAGMA integrity_check(1)", -1, &s, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(s);
    bool is_sound = rc == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(s, 0), "ok") == 0;
    sqlite3_finalize(s);
    if (is_sound)
        return TL_OK;
    return sql_error_of(rc == SQLITE_ROW ? NULL : copy, path, rc == SQLITE_ROW ? SQLITE_CORRUPT : rc, e);
}

static int make_copy(struct db *db, const char *path, struct err *e)
{
    AUTO(connections_done) struct connections c = {0};
    const char *vfs = db->vfs[0] ? db->vfs : NULL;
    int rc = connection_open(&c.from, db->path, vfs, true, 1024, e);
    if (rc == TL_OK)
        rc = sqlite3_open_v2(path, &c.to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, vfs)
                 ? sql_error_of(c.to, path, sqlite3_errcode(c.to), e)
                 : TL_OK;
    if (rc == TL_OK)
        rc = copy_pages(&c, db->path, path, e);
    if (rc == TL_OK)
        rc = sql_exec(c.to, path, "PRAGMA journal_mode = DELETE", e); /* one file, no log beside it */
    return rc == TL_OK ? check_copy(c.to, path, e) : rc;
}

static int sync_path(const char *path, int flags, struct err *e)
{
    int fd = open(path, flags | O_CLOEXEC);
    int failed = fd < 0 || fsync(fd) != 0;
    int kept = errno;
    if (fd >= 0)
        close(fd);
    errno = kept;
    return failed ? backup_errno(e, "sync", path) : TL_OK;
}

static int publish(const char *temporary, const char *to, struct err *e)
{
    int rc = sync_path(temporary, O_RDONLY, e);
    if (rc)
        return rc;
    if (rename(temporary, to) != 0)
        return backup_errno(e, "name", to);
    AUTO(text_free) char *copy = text_dup(to); /* dirname writes into it */
    return sync_path(dirname(copy), O_RDONLY | O_DIRECTORY, e);
}

int db_backup(struct db *db, const char *to, struct err *e)
{
    AUTO(text_free) char *temporary = text_fmt("%s.part", to);
    unlink(temporary); /* left by one that was cut short */
    int fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return backup_errno(e, "make", temporary);
    close(fd);
    int rc = make_copy(db, temporary, e);
    if (rc == TL_OK)
        rc = publish(temporary, to, e);
    if (rc)
        unlink(temporary);
    return rc;
}
