/* Rewriting the file: what was deleted leaves remains in unused parts of pages, also with secure_delete, where rows
 * moved from one page to another, and in the log until it is written over. */
#include "db_int.h"
#include "erased.h"

#define DUE     "compact_due"
#define LOG_DUE "log_due" /* since a crash may come before the log is emptied: the next start does it */

int erase_compacts(struct db *db, struct err *e)
{
    return meta_set_i64(db, DUE, 1, e);
}

/* The log is emptied once nobody reads from it any more; readers end within 2 s. */
static int log_empty(struct db *db, struct err *e)
{
    int rc = sqlite3_wal_checkpoint_v2(db->sqlite, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return rc == SQLITE_OK ? TL_OK : sql_error(db, rc, e);
}

int db_compact(struct db *db, struct err *e)
{
    ASSERT(!db->in_transaction);
    /* The copy is as large as the database: it goes to a file that has no name, not into memory. VACUUM attaches it. */
    sqlite3_limit(db->sqlite, SQLITE_LIMIT_ATTACHED, 1);
    int rc = sql_exec(db->sqlite, db->path, "PRAGMA temp_store = FILE; VACUUM", e);
    (void)sql_exec(db->sqlite, db->path, "PRAGMA temp_store = MEMORY", NULL);
    sqlite3_limit(db->sqlite, SQLITE_LIMIT_ATTACHED, 0);
    if (rc == TL_OK)
        rc = meta_set_i64(db, DUE, 0, e);
    return rc == TL_OK ? log_empty(db, e) : rc;
}

static int is_due(struct db *db, const char *what, bool *out, struct err *e)
{
    int64_t due = 0;
    int rc = meta_get_i64(db, what, &due, e);
    *out = rc == TL_OK && due;
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

int compact_if_due(struct db *db, struct err *e)
{
    bool file = false, log = false;
    int rc = is_due(db, DUE, &file, e);
    if (rc == TL_OK)
        rc = is_due(db, LOG_DUE, &log, e);
    if (rc == TL_OK && log)
        rc = meta_set_i64(db, LOG_DUE, 0, e);
    if (rc == TL_OK && file)
        return db_compact(db, e);
    return rc == TL_OK && log ? log_empty(db, e) : rc;
}

int db_log_empty_soon(struct db *db, struct err *e)
{
    checkpointer_empty_soon(db);
    return meta_set_i64(db, LOG_DUE, 1, e);
}
