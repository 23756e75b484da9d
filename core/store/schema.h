#ifndef SCHEMA_H
#define SCHEMA_H
/* Inside core/store only: numbered migrations. Number N takes a database from schema N - 1 to N, in one transaction; no
 * migration rewrites a big table (that would be a long transaction): it adds what is needed and lets the engine fill it
 * slice by slice. */
#include <sqlite3.h>
#include <stdint.h>

#include "err.h"

enum { APPLICATION_ID = 0x746C3031 /* "tl01" */ };

struct migration {
    int32_t number;
    const char *sql;
};
extern const char migration_sql_0001[];

/* The list of this version, ascending; *n its length. The last number is the schema this version works with. */
const struct migration *schema_migrations(int *n);

struct schema_state {
    int64_t version; /* 0: empty file */
    int64_t application_id;
};
/* E_PRECONDITION, code FOREIGN_DATABASE or SCHEMA_NEWER, when this version must not touch the file. */
int schema_check(sqlite3 *handle, const char *path, const struct migration *list, int n, struct schema_state *out,
                 struct err *e);
/* Applies what is missing. created(arg) runs inside the transaction that creates a new database, after the tables. */
int schema_migrate(sqlite3 *handle, const char *path, const struct migration *list, int n, int64_t from,
                   int (*created)(void *arg, struct err *e), void *arg, struct err *e);
#endif
