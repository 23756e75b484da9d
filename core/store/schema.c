/* Numbered migrations. */
#include "schema.h"

#include <stdio.h>

#include "db_int.h"

static const struct migration MIGRATIONS[] = {
    {1, migration_sql_0001},
};

const struct migration *schema_migrations(int *n)
{
    *n = (int)ARRAY_LEN(MIGRATIONS);
    return MIGRATIONS;
}

int schema_check(sqlite3 *handle, const char *path, const struct migration *list, int n, struct schema_state *out,
                 struct err *e)
{
    struct schema_state found;
    int64_t tables;
    int rc = sql_exec_i64(handle, path, "PRAGMA user_version", &found.version, e);
    if (rc == TL_OK)
        rc = sql_exec_i64(handle, path, "PRAGMA application_id", &found.application_id, e);
    if (rc == TL_OK)
        rc = sql_exec_i64(handle, path, "SELECT count(*) FROM sqlite_schema", &tables, e);
    if (rc)
        return rc;
    bool is_empty = found.version == 0 && found.application_id == 0 && tables == 0;
    if (!is_empty && found.application_id != APPLICATION_ID) {
        err_set(e, E_PRECONDITION, "\"%s\" is a database of another program", path);
        err_code(e, "FOREIGN_DATABASE");
        err_hint(e, "give the daemon a [core] state_dir of its own");
        return E_PRECONDITION;
    }
    if (found.version > list[n - 1].number) {
        err_set(e, E_PRECONDITION, "database \"%s\" has schema %d, this version knows schemas up to %d", path,
                (int)found.version, (int)list[n - 1].number);
        err_code(e, "SCHEMA_NEWER");
        err_hint(e, "install the newer version again, or put back the backup made before its migration");
        return E_PRECONDITION;
    }
    *out = found;
    return TL_OK;
}

/* Tables, version and, for a new database, what makes it this installation's: all or nothing. */
static int migrate_steps(sqlite3 *handle, const char *path, const struct migration *list, int n, int64_t from,
                         int (*created)(void *arg, struct err *e), void *arg, struct err *e)
{
    char pragma[96];
    for (int i = 0; i < n; i++) {
        if (list[i].number <= from)
            continue;
        int rc = sql_exec(handle, path, list[i].sql, e);
        if (rc) {
            err_wrap(e, "migration %d", (int)list[i].number);
            return rc;
        }
    }
    snprintf(pragma, sizeof pragma, "PRAGMA application_id = %d; PRAGMA user_version = %d", (int)APPLICATION_ID,
             (int)list[n - 1].number);
    int rc = sql_exec(handle, path, pragma, e);
    return rc == TL_OK && from == 0 && created ? created(arg, e) : rc;
}

int schema_migrate(sqlite3 *handle, const char *path, const struct migration *list, int n, int64_t from,
                   int (*created)(void *arg, struct err *e), void *arg, struct err *e)
{
    int rc = sql_exec(handle, path, "BEGIN IMMEDIATE", e);
    if (rc)
        return rc;
    rc = migrate_steps(handle, path, list, n, from, created, arg, e);
    if (rc == TL_OK)
        rc = sql_exec(handle, path, "COMMIT", e);
    if (rc && !sqlite3_get_autocommit(handle))
        sqlite3_exec(handle, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}
