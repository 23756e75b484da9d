/* Opening and closing. */
#include "db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "db_int.h"
#include "times.h"

enum { CACHE_WRITER_KIB = 16384, CACHE_READER_KIB = 2048, READER_STEPS = 20000 };

/* ---- Connections ----------------------------------------------------------------------------------------------- */

/* What SQLite's own advice for files one does not trust asks for, and limits that no statement of ours comes near. */
static void harden(sqlite3 *handle)
{
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, 64 << 20);
    sqlite3_limit(handle, SQLITE_LIMIT_SQL_LENGTH, 256 << 10);
    sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(handle, SQLITE_LIMIT_VARIABLE_NUMBER, 64);
    sqlite3_limit(handle, SQLITE_LIMIT_TRIGGER_DEPTH, 4);
    sqlite3_busy_timeout(handle, 5000);
}

int connection_open(sqlite3 **out, const char *path, const char *vfs, bool read_only, int cache_kib, struct err *e)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE |
                (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
    char pragmas[160];
    sqlite3 *handle = NULL;
    int s = sqlite3_open_v2(path, &handle, flags, vfs);
    int rc = s == SQLITE_OK ? TL_OK : sql_error_of(handle, path, s, e);
    if (rc == TL_OK) {
        harden(handle);
        snprintf(pragmas, sizeof pragmas,
                 "PRAGMA cell_size_check = 1; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -%d%s", cache_kib,
                 read_only ? "; PRAGMA query_only = 1" : "");
        rc = sql_exec(handle, path, pragmas, e);
    }
    if (rc) {
        sqlite3_close(handle);
        return rc;
    }
    *out = handle;
    return TL_OK;
}

/* SQLite's own memory statistics cost a process-wide lock per allocation; nothing here reads them. Only possible before
 * SQLite is first used: later it answers "misuse", which changes nothing but speed. */
static void configure_once(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* ---- Migration ------------------------------------------------------------------------------------------------- */

static int on_created(void *arg, struct err *e)
{
    struct db *db = arg;
    return identity_make(db, e);
}

static int backup_before(struct db *db, const char *dir, int64_t from, int64_t to, struct err *e)
{
    const char *slash = strrchr(db->path, '/');
    const char *name = slash ? slash + 1 : db->path;
    AUTO(text_free)
    char *path =
        dir ? text_fmt("%s/%s.schema-%d", dir, name, (int)from) : text_fmt("%s.schema-%d", db->path, (int)from);
    int rc = db_backup(db, path, e);
    if (rc)
        err_wrap(e, "before the migration from schema %d to %d", (int)from, (int)to);
    return rc;
}

static int bring_up_to_date(struct db *db, const struct db_options *o, bool *created, struct err *e)
{
    int n;
    const struct migration *list = schema_migrations(&n);
    struct schema_state state;
    int rc = schema_check(db->sqlite, db->path, list, n, &state, e);
    if (rc)
        return rc;
    *created = state.version == 0;
    if (state.version == list[n - 1].number)
        return TL_OK;
    if (state.version > 0)
        rc = backup_before(db, o->backup_dir, state.version, list[n - 1].number, e);
    return rc ? rc : schema_migrate(db->sqlite, db->path, list, n, state.version, on_created, db, e);
}

/* ---- Open, close ----------------------------------------------------------------------------------------------- */

static struct db *db_new(const struct db_options *o, struct err *e)
{
    if (strlen(o->path) >= DB_PATH_MAX - 8 || (o->vfs && strlen(o->vfs) >= sizeof((struct db *)0)->vfs)) {
        err_set(e, TL_E_CONFIG, "the path of the database is too long");
        return NULL;
    }
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, configure_once);
    struct db *db = calloc(1, sizeof *db);
    ASSERT(db);
    db->lock_fd = db->file_fd = db->seal_fd = -1;
    db->env = o->env;
    db->durability = o->durability;
    snprintf(db->path, sizeof db->path, "%s", o->path);
    snprintf(db->vfs, sizeof db->vfs, "%s", o->vfs ? o->vfs : "");
    if (o->key) {
        db->key = *o->key;
        db->has_key = true;
    }
    return db;
}

static int journal_setup(struct db *db, struct err *e)
{
    char pragmas[160];
    snprintf(pragmas, sizeof pragmas,
             "PRAGMA journal_mode = WAL; PRAGMA synchronous = %s; PRAGMA journal_size_limit = %d",
             db->durability == DB_NORMAL ? "NORMAL" : "FULL", WAL_LIMIT_PAGES * 4096);
    return sql_exec(db->sqlite, db->path, pragmas, e);
}

static int count_sources(struct db *db, struct err *e)
{
    return sql_exec_i64(db->sqlite, db->path, "SELECT count(*) FROM intent_source", &db->sources, e);
}

static int writer_setup(struct db *db, const struct db_options *o, struct err *e)
{
    bool created = false;
    int cache = o->cache_kib ? o->cache_kib : CACHE_WRITER_KIB;
    int rc = files_take(db, e);
    if (rc == TL_OK)
        rc = connection_open(&db->sqlite, db->path, o->vfs, false, cache, e);
    if (rc == TL_OK)
        rc = journal_setup(db, e);
    if (rc == TL_OK)
        rc = bring_up_to_date(db, o, &created, e);
    if (rc == TL_OK)
        rc = identity_load(db, e);
    if (rc == TL_OK)
        rc = counters_load(db, e);
    if (rc == TL_OK)
        rc = count_sources(db, e);
    if (rc == TL_OK)
        rc = marks_look(db, e);
    if (rc == TL_OK)
        rc = old_ids_look(db, e);
    if (rc == TL_OK)
        rc = compact_if_due(db, e);
    if (rc == TL_OK)
        rc = sidecar_open(db, created, e);
    if (rc == TL_OK)
        rc = sidecar_age_now(db, e);
    return rc == TL_OK ? checkpointer_start(db, o, e) : rc;
}

int db_open(struct db **out, const struct db_options *o, struct err *e)
{
    AUTO(db_close) struct db *db = db_new(o, e);
    if (!db)
        return TL_E_CONFIG;
    int rc = writer_setup(db, o, e);
    if (rc)
        return rc;
    *out = take(db);
    return TL_OK;
}

static int reader_over(void *arg)
{
    const struct db *db = arg;
    return db->in_transaction && env_mono_us(db->env) > db->read_until_us;
}

static int reader_setup(struct db *db, const struct db_options *o, struct err *e)
{
    int n;
    const struct migration *list = schema_migrations(&n);
    struct schema_state state;
    int rc = connection_open(&db->sqlite, db->path, o->vfs, true, o->cache_kib ? o->cache_kib : CACHE_READER_KIB, e);
    if (rc == TL_OK)
        rc = schema_check(db->sqlite, db->path, list, n, &state, e);
    if (rc)
        return rc;
    if (state.version != list[n - 1].number)
        return err_set(e, E_PRECONDITION, "database \"%s\" has schema %d, %d is needed", db->path, (int)state.version,
                       (int)list[n - 1].number);
    sqlite3_progress_handler(db->sqlite, READER_STEPS, reader_over, db);
    return identity_load(db, e);
}

int db_open_reader(struct db **out, const struct db_options *o, struct err *e)
{
    AUTO(db_close) struct db *db = db_new(o, e);
    if (!db)
        return TL_E_CONFIG;
    db->reader = true;
    int rc = reader_setup(db, o, e);
    if (rc)
        return rc;
    *out = take(db);
    return TL_OK;
}

struct db *db_close(struct db *db)
{
    if (!db)
        return NULL;
    checker_stop(db);
    db_backup_cancel(db);
    backup_stop(db);
    if (db->sqlite) {
        db_rollback(db);
        if (!db->reader)
            (void)sidecar_age_now(db, NULL); /* it may be the disk that ends us */
    }
    for (int m = 0; m < SQL_MODULES; m++) {
        for (int i = 0; i < db->n_statements[m]; i++)
            sqlite3_finalize(db->statements[m][i]);
        free(db->statements[m]);
    }
    checkpointer_stop(db);
    sqlite3_close(db->sqlite);
    sidecar_close(db);
    files_leave(db);
    seal_key_wipe(&db->key);
    free(db);
    return NULL;
}

enum db_origin db_origin(const struct db *db)
{
    return db->origin;
}
const char *db_path(const struct db *db)
{
    return db->path;
}
const char *db_instance(const struct db *db)
{
    return db->id.instance;
}
const uint8_t *db_instance_key(const struct db *db)
{
    return db->id.key;
}
const struct stamp_key *db_stamp_key(const struct db *db)
{
    return &db->id.stamps;
}
const struct env *db_env(const struct db *db)
{
    return db->env;
}

/* A log that has been longer takes small writes on a full disk, and no work. */
static int room_left(const struct db *db, struct err *e)
{
    struct statvfs fs;
    if (fstatvfs(db->file_fd, &fs) != 0)
        return TL_OK; /* the write told */
    uint64_t left = (uint64_t)(geteuid() == 0 ? fs.f_bfree : fs.f_bavail) * fs.f_frsize;
    if (left >= DB_LEAST_BYTES)
        return TL_OK;
    err_set(e, E_STORAGE, "the file system of \"%s\" is full", db->path);
    err_code(e, "STORAGE_FULL");
    err_hint(e, "make room there");
    return E_STORAGE;
}

int db_probe(struct db *db, struct err *e)
{
    int rc = db_present(db, e);
    if (rc)
        return rc;
    AUTO(tx_end) struct tx tx;
    rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = meta_set_i64(db, "probe", env_now_us(db->env), e);
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    return rc == TL_OK ? room_left(db, e) : rc;
}

int db_probe_room(struct db *db, struct err *e)
{
    AUTO(buf_done) struct buf filler = {0};
    int rc = db_probe(db, e);
    if (rc)
        return rc;
    for (int i = 0; i < DB_ROOM_BYTES; i++)
        buf_char(&filler, 'r');
    rc = meta_set(db, "probe_room", buf_lent(&filler), e);
    struct err ignored = {0}; /* to give room back needs none */
    (void)meta_set(db, "probe_room", (str){0}, &ignored);
    return rc;
}

/* SQLite counts in an int: taken out and added up, so that it never wraps. */
static int64_t status_of(sqlite3 *handle, int what, int64_t *sum)
{
    int now = 0, most = 0;
    sqlite3_db_status(handle, what, &now, &most, 1);
    return *sum += now;
}

static int64_t cache_bytes(sqlite3 *handle)
{
    int now = 0, most = 0;
    sqlite3_db_status(handle, SQLITE_DBSTATUS_CACHE_USED, &now, &most, 0);
    return now;
}

void db_cache_drop(struct db *db)
{
    sqlite3_db_release_memory(db->sqlite);
}

void db_stats(struct db *db, struct db_stats *out)
{
    struct db_stats s = {0};
    checkpointer_stats(db, &s);
    for (int m = 0; m < SQL_MODULES; m++)
        for (int i = 0; i < db->n_statements[m]; i++)
            if (db->statements[m][i])
                db->vm_steps += sqlite3_stmt_status(db->statements[m][i], SQLITE_STMTSTATUS_VM_STEP, 1);
    s.vm_steps = db->vm_steps;
    s.cache_hits = status_of(db->sqlite, SQLITE_DBSTATUS_CACHE_HIT, &db->cache_hits);
    s.cache_misses = status_of(db->sqlite, SQLITE_DBSTATUS_CACHE_MISS, &db->cache_misses);
    s.cache_writes = status_of(db->sqlite, SQLITE_DBSTATUS_CACHE_WRITE, &db->cache_writes);
    s.cache_bytes = cache_bytes(db->sqlite);
    sql_exec_i64(db->sqlite, db->path, "PRAGMA page_count", &s.page_count, NULL);
    sql_exec_i64(db->sqlite, db->path, "PRAGMA freelist_count", &s.free_pages, NULL);
    *out = s;
}
