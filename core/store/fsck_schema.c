/* Is there anything in the database that is not of its schema? A trigger that somebody hung into it does its work in
 * every transaction of ours. */
#include <stdio.h>
#include <string.h>

#include "db_int.h"
#include "fsck.h"
#include "schema.h"

static const char OBJECTS[] = "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema "
                              "WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type, name";

struct object {
    const char *type, *name, *table, *sql;
};

static int read_objects(sqlite3 *handle, const char *path, struct arena *a, struct object **out, size_t *n_out,
                        struct err *e)
{
    sqlite3_stmt *st = NULL;
    struct object *list = NULL;
    size_t n = 0, cap = 0;
    int s = sqlite3_prepare_v2(handle, OBJECTS, -1, &st, NULL);
    while (s == SQLITE_OK && (s = sqlite3_step(st)) == SQLITE_ROW) {
        const char *texts[4];
        for (int i = 0; i < 4; i++)
            texts[i] = arena_str(a, str_of((const char *)sqlite3_column_text(st, i))).p;
        if (n == cap) {
            cap = cap ? cap * 2 : 128;
            struct object *grown = arena_array(a, struct object, cap);
            if (n)
                memcpy(grown, list, n * sizeof *grown);
            list = grown;
        }
        list[n++] = (struct object){texts[0], texts[1], texts[2], texts[3]};
        s = SQLITE_OK;
    }
    sqlite3_finalize(st);
    if (s != SQLITE_DONE)
        return sql_error_of(handle, path, s, e);
    *out = list;
    *n_out = n;
    return TL_OK;
}

static const struct object *same(const struct object *o, const struct object *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(o->type, list[i].type) == 0 && strcmp(o->name, list[i].name) == 0)
            return &list[i];
    return NULL;
}

static void tell(const struct object *o, const char *what, bool harmless, fsck_schema_fn found, void *arg)
{
    AUTO(buf_done) struct buf object = {0}, text = {0};
    bool of_table = strcmp(o->type, "index") == 0 || strcmp(o->type, "trigger") == 0;
    buf_fmt(&object, "%s \"%s\"", o->type, o->name);
    buf_text_add(&text, what);
    if (of_table)
        buf_fmt(&text, " (of table \"%s\")", o->table);
    found(arg, buf_text(&object), buf_text(&text), harmless);
}

/* What this version's migrations make of nothing. */
static int expected(struct arena *a, struct object **out, size_t *n_out, struct err *e)
{
    static const char memory[] = ":memory:";
    sqlite3 *handle = NULL;
    int n_migrations;
    const struct migration *list = schema_migrations(&n_migrations);
    int s = sqlite3_open(memory, &handle);
    int rc = s == SQLITE_OK ? schema_migrate(handle, memory, list, n_migrations, 0, NULL, NULL, e)
                            : sql_error_of(handle, memory, s, e);
    if (rc == TL_OK)
        rc = read_objects(handle, memory, a, out, n_out, e);
    sqlite3_close(handle);
    return rc;
}

int fsck_schema(struct db *db, fsck_schema_fn found, void *arg, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct object *ours = NULL, *there = NULL;
    size_t n_ours = 0, n_there = 0;
    int rc = expected(&a, &ours, &n_ours, e);
    if (rc == TL_OK)
        rc = read_objects(db->sqlite, db->path, &a, &there, &n_there, e);
    if (rc)
        return rc;
    for (size_t i = 0; i < n_there; i++) {
        const struct object *o = same(&there[i], ours, n_ours);
        if (!o)
            tell(&there[i], "it is none of tieline's", strcmp(there[i].type, "trigger") != 0, found, arg);
        else if (strcmp(o->sql, there[i].sql) != 0)
            tell(&there[i], "it is not as this version makes it", false, found, arg);
    }
    for (size_t i = 0; i < n_ours; i++)
        if (!same(&ours[i], there, n_there))
            tell(&ours[i], "it is missing", false, found, arg);
    return TL_OK;
}
