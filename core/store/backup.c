/* Online backup: one consistent state, copied page by page while the writer goes on. The copy must neither slow the
 * writer down nor take the room it needs: it is written to the disk slice by slice, so that no commit waits behind more
 * than one slice, and it is not begun where it would fill the file system. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "db_int.h"

enum { PAGES_A_SLICE = 1024, PAGE_BYTES = 4096, STEPS_A_LOOK = 100000, NICE = 10, MIB = 1 << 20 };
/* What a copy beside the database leaves free for the database itself. */
#define ROOM_LEFT_BYTES (32 * INT64_C(1048576))

struct job {
    const struct db *db;
    const char *to, *part;   /* its name, and the one it has until it is whole */
    bool replaces;           /* a file of that name */
    const atomic_bool *stop; /* NULL: never */
    sqlite3 *source, *target;
    int fd; /* of the target: for syncing */
};

static void job_done(struct job *j)
{
    sqlite3_close(j->target);
    sqlite3_close(j->source);
    if (j->fd >= 0)
        close(j->fd);
}
AUTO_DONE(struct job, job_done)

static int job_errno(const struct job *j, const char *doing, struct err *e)
{
    bool is_full = errno == ENOSPC || errno == EDQUOT;
    if (errno == EEXIST) {
        err_set(e, E_EXISTS, "\"%s\" exists already", j->to);
        err_hint(e, "give the backup another name");
        return E_EXISTS;
    }
    char why[128];
    snprintf(why, sizeof why, "%s", strerror(errno));
    err_set(e, E_STORAGE, "cannot %s backup \"%s\": %s", doing, j->to, why);
    err_code(e, is_full ? "STORAGE_FULL" : "STORAGE_IO");
    err_hint(e, "choose a directory that the daemon's user may write to, with room for a copy of the database");
    return E_STORAGE;
}

static bool is_stopped(const struct job *j)
{
    return j->stop && atomic_load(j->stop);
}

static int stopped(const struct job *j, struct err *e)
{
    return err_set(e, TL_E_CANCELLED, "backup \"%s\" was cut short: tielined is stopping", j->to);
}

static int on_progress(void *arg)
{
    return is_stopped(arg) ? 1 : 0;
}

/* SQLite's trouble with the target: what it says about a database of ours would mislead. */
static int target_error(const struct job *j, int s, struct err *e)
{
    if (is_stopped(j))
        return stopped(j, e);
    int rc = sql_error_of(j->target, j->to, s, e);
    if ((s & 0xff) == SQLITE_FULL) {
        rc = err_set(e, E_STORAGE, "cannot write backup \"%s\": the disk is full", j->to);
        err_code(e, "STORAGE_FULL");
        err_hint(e, "make room there; everything else goes on");
    }
    return rc;
}

static int target_run(const struct job *j, const char *sql, struct err *e)
{
    int s = sqlite3_exec(j->target, sql, NULL, NULL, NULL);
    return s == SQLITE_OK ? TL_OK : target_error(j, s, e);
}

/* ---- Room ------------------------------------------------------------------------------------------------------ */

static int check_room(const struct job *j, int64_t pages, struct err *e)
{
    struct statvfs fs;
    struct stat ours, theirs;
    if (fstatvfs(j->fd, &fs) != 0 || fstat(j->fd, &theirs) != 0)
        return job_errno(j, "make", e);
    bool shared = stat(j->db->path, &ours) == 0 && ours.st_dev == theirs.st_dev;
    int64_t need = pages * PAGE_BYTES + (shared ? ROOM_LEFT_BYTES : 0);
    int64_t free_bytes = (int64_t)(fs.f_bavail * fs.f_frsize);
    if (free_bytes >= need)
        return TL_OK;
    err_set(e, E_STORAGE, "no room for backup \"%s\": it needs %.1f MiB%s, %.1f MiB are free", j->to,
            (double)(pages * PAGE_BYTES) / MIB, shared ? " and 32 MiB for the database itself" : "",
            (double)free_bytes / MIB);
    err_code(e, "STORAGE_FULL");
    err_hint(e, "make room there, or name another file system in [store] backup_dir; everything else goes on");
    return E_STORAGE;
}

/* ---- The copy -------------------------------------------------------------------------------------------------- */

/* A read transaction on the source pins one state, so that later commits never make the copy start again. */
static int pin_source(struct job *j, int64_t *pages, struct err *e)
{
    int rc = sql_exec(j->source, j->db->path, "BEGIN", e);
    if (rc == TL_OK)
        rc = sql_exec_i64(j->source, j->db->path, "SELECT count(*) FROM sqlite_schema", pages, e);
    return rc == TL_OK ? sql_exec_i64(j->source, j->db->path, "PRAGMA page_count", pages, e) : rc;
}

static int copy_pages(const struct job *j, struct err *e)
{
    sqlite3_backup *b = sqlite3_backup_init(j->target, "main", j->source, "main");
    if (!b)
        return target_error(j, sqlite3_errcode(j->target), e);
    int s;
    do {
        s = sqlite3_backup_step(b, PAGES_A_SLICE);
        if (s == SQLITE_OK)
            (void)fdatasync(j->fd); /* paces only: what counts is the sync at the end */
    } while (s == SQLITE_OK && !is_stopped(j));
    int end = sqlite3_backup_finish(b);
    if (is_stopped(j))
        return stopped(j, e);
    return s == SQLITE_DONE && end == SQLITE_OK ? TL_OK : target_error(j, s == SQLITE_DONE ? end : s, e);
}

/* One file without a log beside it, that says what it is. */
static int mark(const struct job *j, struct err *e)
{
    char sql[192];
    snprintf(sql, sizeof sql,
             "PRAGMA journal_mode = DELETE; INSERT INTO meta(key, value) VALUES('" META_COPIED "', %lld) "
             "ON CONFLICT(key) DO UPDATE SET value = excluded.value",
             (long long)env_now_us(j->db->env));
    return target_run(j, sql, e);
}

static int check_copy(const struct job *j, struct err *e)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(j->target, "PRAGMA integrity_check(1)", -1, &s, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(s);
    bool is_sound = rc == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(s, 0), "ok") == 0;
    sqlite3_finalize(s);
    if (is_sound)
        return TL_OK;
    return rc == SQLITE_ROW && !is_stopped(j) ? sql_error_of(NULL, j->db->path, SQLITE_CORRUPT, e)
                                              : target_error(j, rc, e);
}

static int make_copy(struct job *j, struct err *e)
{
    const char *vfs = j->db->vfs[0] ? j->db->vfs : NULL;
    int64_t pages = 0;
    int rc = connection_open(&j->source, j->db->path, vfs, true, 1024, e);
    if (rc == TL_OK)
        rc = pin_source(j, &pages, e);
    if (rc == TL_OK)
        rc = check_room(j, pages, e);
    if (rc)
        return rc;
    int s =
        sqlite3_open_v2(j->part, &j->target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, vfs);
    if (s != SQLITE_OK)
        return target_error(j, s, e);
    sqlite3_progress_handler(j->target, STEPS_A_LOOK, on_progress, j);
    rc = target_run(j, "PRAGMA synchronous = OFF; PRAGMA cache_size = -1024", e); /* synced once, whole, below */
    if (rc == TL_OK)
        rc = copy_pages(j, e);
    if (rc == TL_OK)
        rc = mark(j, e);
    return rc == TL_OK ? check_copy(j, e) : rc;
}

static int sync_directory(const struct job *j, struct err *e)
{
    AUTO(text_free) char *copy = text_dup(j->to); /* dirname writes into it */
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int failed = fd < 0 || fsync(fd) != 0, kept = errno;
    if (fd >= 0)
        close(fd);
    errno = kept;
    return failed ? job_errno(j, "sync", e) : TL_OK;
}

static int publish(const struct job *j, struct err *e)
{
    if (fsync(j->fd) != 0)
        return job_errno(j, "sync", e);
    if (renameat2(AT_FDCWD, j->part, AT_FDCWD, j->to, j->replaces ? 0 : RENAME_NOREPLACE) != 0)
        return job_errno(j, "name", e);
    return sync_directory(j, e);
}

static int run(const struct db *db, const char *to, bool replaces, const atomic_bool *stop, int64_t *bytes,
               struct err *e)
{
    AUTO(text_free) char *part = text_fmt("%s.part", to);
    AUTO(job_done)
    struct job j = {.db = db, .to = to, .part = part, .replaces = replaces, .stop = stop, .fd = -1};
    if (!replaces && access(to, F_OK) == 0) {
        errno = EEXIST;
        return job_errno(&j, "make", e);
    }
    unlink(part); /* left by one that was killed */
    j.fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (j.fd < 0)
        return job_errno(&j, "make", e);
    int rc = make_copy(&j, e);
    sqlite3_close(j.target);
    j.target = NULL;
    struct stat st = {0};
    if (rc == TL_OK && fstat(j.fd, &st) == 0)
        rc = publish(&j, e);
    if (rc)
        unlink(part);
    else if (bytes)
        *bytes = st.st_size;
    return rc;
}

int db_backup(struct db *db, const char *to, struct err *e)
{
    return run(db, to, true, NULL, NULL, e);
}

/* ---- On a thread of its own ------------------------------------------------------------------------------------- */

struct backup {
    pthread_t thread;
    const struct db *db;
    char *to;
    atomic_bool *stop;
    atomic_bool finished;
    void (*done)(void *arg, const struct err *result, int64_t bytes);
    void *arg;
};

static void *backup_main(void *arg)
{
    struct backup *b = arg;
    struct err result = {0};
    int64_t bytes = 0;
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE); /* of this thread alone */
    if (run(b->db, b->to, false, b->stop, &bytes, &result) == TL_OK)
        result.status = TL_OK;
    atomic_store(&b->finished, true); /* first: who is told may start the next one at once */
    b->done(b->arg, &result, bytes);
    return NULL;
}

static void backup_free(struct backup *b)
{
    free(b->to);
    free(b);
}

int db_backup_start(struct db *db, const char *to, void (*done)(void *arg, const struct err *result, int64_t bytes),
                    void *arg, struct err *e)
{
    if (db->backup && !atomic_load(&db->backup->finished))
        return err_set(e, E_BUSY, "a backup is being made");
    backup_stop(db);
    struct backup *b = calloc(1, sizeof *b);
    ASSERT(b);
    *b = (struct backup){.db = db, .to = text_dup(to), .stop = &db->no_backups, .done = done, .arg = arg};
    if (pthread_create(&b->thread, NULL, backup_main, b) != 0) {
        backup_free(b);
        return err_set(e, TL_E_TEMPORARY, "cannot start the thread that makes the backup");
    }
    db->backup = b;
    return TL_OK;
}

void db_backup_cancel(struct db *db)
{
    atomic_store(&db->no_backups, true);
}

void backup_stop(struct db *db)
{
    if (!db->backup)
        return;
    pthread_join(db->backup->thread, NULL);
    backup_free(db->backup);
    db->backup = NULL;
}
