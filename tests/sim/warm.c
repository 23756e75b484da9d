/* A connection that is open before a life begins. Half of what a life costs is the reading of the schema and the
 * compiling of some 200 statements, nine times a run and each time the same. Here the process that lives are forked
 * from has the store open an empty database once, keeps the connection that the store would have closed, and compiles
 * on it what the lives before it used. Every life is a fork: it has that connection as it was then, whatever lives
 * before it did; its end is the end of a process; and SQLite takes it for a connection that was idle while another
 * process wrote and died. The wal-index is emptied between two lives, so each begins with a recovery of the log, as
 * after any crash. The store's own code runs unchanged: it is given the connection where it opens one (--wrap of the
 * linker).
 *
 * Every eighth run is without: its lives open the database themselves. */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "life.h"

enum { TEXTS = 2000, SAID = 8, INDEX_BYTES = 32768 };

/* Statements that lives compiled, by their texts, which are constants of this program: in shared memory. */
struct texts {
    int n;
    const char *of[TEXTS];
};

static struct {
    struct texts *texts;
    char path[128];
    char *image; /* of the empty database */
    long image_bytes;
    bool keeping;       /* the store opens what is to be kept */
    bool in_life, used; /* by the life that this process is */
    sqlite3 *db;
    sqlite3_stmt *compiled[TEXTS];
    int n_compiled;
    char *said[SAID]; /* settings it has already */
    int n_said;
} warm;

int __real_sqlite3_open_v2(const char *path, sqlite3 **out, int flags, const char *vfs);
int __wrap_sqlite3_open_v2(const char *path, sqlite3 **out, int flags, const char *vfs);
int __real_sqlite3_close(sqlite3 *db);
int __wrap_sqlite3_close(sqlite3 *db);
int __real_sqlite3_exec(sqlite3 *db, const char *sql, int (*row)(void *, int, char **, char **), void *arg, char **why);
int __wrap_sqlite3_exec(sqlite3 *db, const char *sql, int (*row)(void *, int, char **, char **), void *arg, char **why);
int __real_sqlite3_prepare_v3(sqlite3 *db, const char *sql, int n, unsigned flags, sqlite3_stmt **out,
                              const char **end);
int __wrap_sqlite3_prepare_v3(sqlite3 *db, const char *sql, int n, unsigned flags, sqlite3_stmt **out,
                              const char **end);

static bool is_writer(int flags, const char *vfs)
{
    return (flags & SQLITE_OPEN_READWRITE) && !vfs;
}

int __wrap_sqlite3_open_v2(const char *path, sqlite3 **out, int flags, const char *vfs)
{
    if (warm.in_life && warm.db && !warm.used && is_writer(flags, vfs) && strcmp(path, warm.path) == 0) {
        warm.used = true;
        *out = warm.db;
        return SQLITE_OK;
    }
    int rc = __real_sqlite3_open_v2(path, out, flags, vfs);
    int keep = 1; /* the kept connection has these very files open */
    if (rc == SQLITE_OK && is_writer(flags, vfs) && warm.path[0] && strcmp(path, warm.path) == 0)
        sqlite3_file_control(*out, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
    if (rc == SQLITE_OK && warm.keeping && is_writer(flags, vfs))
        warm.db = *out;
    return rc;
}

int __wrap_sqlite3_close(sqlite3 *db)
{
    if (db && db == warm.db && warm.keeping)
        return SQLITE_OK;
    for (int i = 0; db && db == warm.db && i < warm.n_compiled; i++)
        sqlite3_finalize(warm.compiled[i]); /* which this life had no use for */
    return __real_sqlite3_close(db);
}

/* A setting that the connection has: to make it once more would have every statement compiled anew. */
static bool is_said(const char *sql)
{
    for (int i = 0; i < warm.n_said; i++)
        if (strcmp(warm.said[i], sql) == 0)
            return true;
    return false;
}

int __wrap_sqlite3_exec(sqlite3 *db, const char *sql, int (*row)(void *, int, char **, char **), void *arg, char **why)
{
    bool setting = db == warm.db && strncmp(sql, "PRAGMA ", 7) == 0;
    if (setting && warm.used && is_said(sql))
        return SQLITE_OK;
    if (setting && warm.keeping && warm.n_said < SAID)
        warm.said[warm.n_said++] = strdup(sql);
    return __real_sqlite3_exec(db, sql, row, arg, why);
}

static int text_at(const char *sql)
{
    for (int i = 0; i < warm.texts->n; i++)
        if (warm.texts->of[i] == sql)
            return i;
    if (warm.texts->n == TEXTS)
        return -1;
    warm.texts->of[warm.texts->n] = sql;
    return warm.texts->n++;
}

int __wrap_sqlite3_prepare_v3(sqlite3 *db, const char *sql, int n, unsigned flags, sqlite3_stmt **out, const char **end)
{
    int at = warm.texts && n < 0 && (flags & SQLITE_PREPARE_PERSISTENT) ? text_at(sql) : -1;
    if (warm.used && db == warm.db && at >= 0 && at < warm.n_compiled && warm.compiled[at]) {
        *out = warm.compiled[at];
        warm.compiled[at] = NULL;
        return SQLITE_OK;
    }
    return __real_sqlite3_prepare_v3(db, sql, n, flags, out, end);
}

/* ---- Between lives ----------------------------------------------------------------------------------------------- */

static void name_of(const char *end, char out[160])
{
    size_t n = strlen(warm.path), m = strlen(end) + 1;
    memcpy(out, warm.path, n);
    memcpy(out + n, end, m);
}

/* The file stays the one that the kept connection has open. */
static bool fill(const char *end, const char *bytes, long n)
{
    char name[160];
    name_of(end, name);
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool done = fd >= 0 && ftruncate(fd, 0) == 0 && (!bytes || pwrite(fd, bytes, (size_t)n, 0) == n) &&
                (bytes || ftruncate(fd, n) == 0);
    if (fd >= 0)
        close(fd);
    return done;
}

static bool keep_image(void)
{
    int fd = open(warm.path, O_RDONLY | O_CLOEXEC);
    warm.image_bytes = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
    warm.image = malloc((size_t)warm.image_bytes + 1);
    bool done = fd >= 0 && warm.image && pread(fd, warm.image, (size_t)warm.image_bytes, 0) == warm.image_bytes;
    if (fd >= 0)
        close(fd);
    return done;
}

bool warm_start(struct world *w, const char *db_path)
{
    struct err e = {0};
    struct db *db = NULL;
    struct life l = {.world = w};
    life_env(&l);
    struct db_options o = life_db_options(&l, db_path);
    world_init(w, 0, &(struct knobs){0});
    lives_alone();
    snprintf(warm.path, sizeof warm.path, "%s", db_path);
    warm.texts = mmap(NULL, sizeof *warm.texts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (warm.texts == MAP_FAILED)
        return false;
    lives_wipe(db_path);
    warm.keeping = true;
    int rc = db_open(&db, &o, &e);
    db_close(db);
    warm.keeping = false;
    sqlite3_wal_hook(warm.db, NULL, NULL); /* of the handle that was closed */
    return rc == TL_OK &&
           sqlite3_wal_checkpoint_v2(warm.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) == SQLITE_OK &&
           keep_image();
}

static void run_begins(const char *db_path)
{
    lives_wipe_beside(db_path);
    if (!fill("", warm.image, warm.image_bytes) || !fill("-wal", NULL, 0))
        abort();
}

static void life_begins(void)
{
    if (!fill("-shm", NULL, INDEX_BYTES))
        abort();
    for (; warm.n_compiled < warm.texts->n; warm.n_compiled++)
        __real_sqlite3_prepare_v3(warm.db, warm.texts->of[warm.n_compiled], -1, SQLITE_PREPARE_PERSISTENT,
                                  &warm.compiled[warm.n_compiled], NULL);
}

static void born(void)
{
    warm.in_life = true;
}

struct lives_how warm_lives(const char *db_path)
{
    return (struct lives_how){.db_path = db_path, .clear = run_begins, .before = life_begins, .born = born};
}
