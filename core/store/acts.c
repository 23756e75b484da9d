/* Actions, acts and relations. */
#include "acts.h"

#include "sql.h"

#define ACT_COLUMNS                                                                                                    \
    "act, key, connection, endpoint, kind, name, record, who, person, beside_kind, beside_id, state, params, before, " \
    "after, code, words, made, ended, look_at, looks"

enum {
    Q_ACTION_PUT,
    Q_ACTION_DROP,
    Q_ACTION_GET,
    Q_ACTION_LIST,
    Q_ADD,
    Q_UPDATE,
    Q_GET,
    Q_FIND,
    Q_LIST,
    Q_LIST_OF,
    Q_OPEN,
    Q_TRIM,
    Q_RELATION_ADD,
    Q_RELATION_LIST
};
static const char *const SQL[] = {
    [Q_ACTION_PUT] = "INSERT INTO action(endpoint, kind, name, description, hash, discovered) "
                     "VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(endpoint, kind, name) DO UPDATE SET "
                     "description = excluded.description, hash = excluded.hash, discovered = excluded.discovered "
                     "WHERE hash <> excluded.hash",
    [Q_ACTION_DROP] = "DELETE FROM action WHERE endpoint = ?1 AND kind = ?2 AND name = ?3",
    [Q_ACTION_GET] = "SELECT kind, name, description, hash, discovered FROM action "
                     "WHERE endpoint = ?1 AND kind = ?2 AND name = ?3",
    [Q_ACTION_LIST] = "SELECT kind, name, description, hash, discovered FROM action WHERE endpoint = ?1 "
                      "ORDER BY kind, name",
    [Q_ADD] = "INSERT INTO act(" ACT_COLUMNS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, "
              "?15, ?16, ?17, ?18, ?19, ?20, ?21)",
    [Q_UPDATE] = "UPDATE act SET record = ?2, state = ?3, before = ?4, after = ?5, code = ?6, words = ?7, ended = ?8, "
                 "look_at = ?9, looks = ?10 WHERE act = ?1",
    [Q_GET] = "SELECT " ACT_COLUMNS " FROM act WHERE act = ?1",
    [Q_FIND] = "SELECT " ACT_COLUMNS " FROM act WHERE key = ?1",
    [Q_LIST] = "SELECT " ACT_COLUMNS " FROM act WHERE act < ?1 ORDER BY act DESC LIMIT ?2",
    [Q_LIST_OF] = "SELECT " ACT_COLUMNS " FROM act WHERE connection = ?3 AND act < ?1 ORDER BY act DESC LIMIT ?2",
    [Q_OPEN] = "SELECT " ACT_COLUMNS " FROM act WHERE (state < 2 OR look_at > 0) AND act > ?1 ORDER BY act LIMIT ?2",
    /* They are as old as their numbers are low: no more than a slice is looked at. One that is open stays. */
    [Q_TRIM] = "DELETE FROM act WHERE act IN (SELECT act FROM act WHERE NOT (state < 2 OR look_at > 0) "
               "ORDER BY act LIMIT ?2) AND made < ?1",
    [Q_RELATION_ADD] = "INSERT INTO relation(relation, connection, endpoint, kind, id, beside_kind, beside_id, who, "
                       "made) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
    [Q_RELATION_LIST] = "SELECT relation, connection, endpoint, kind, id, beside_kind, beside_id, who, made "
                        "FROM relation WHERE connection = ?1 AND beside_kind = ?2 AND beside_id = ?3 "
                        "ORDER BY relation",
};
SQL_TABLE(T, SQL_ACTS, SQL);

/* ---- Actions ----------------------------------------------------------------------------------------------------- */

static void read_action(struct query *q, struct arena *a, struct action_row *out)
{
    out->kind = get_text(q, a);
    out->name = get_text(q, a);
    out->description = get_text(q, a);
    out->hash = get_u64(q);
    out->discovered_us = get_i64(q);
}

int action_get(struct db *db, struct arena *a, int64_t endpoint, str kind, str name, struct action_row *out,
               struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_ACTION_GET, e);
    put_i64(&q, endpoint);
    put_text(&q, kind);
    put_text(&q, name);
    int rc = query_row(&q);
    if (rc == TL_OK)
        read_action(&q, a, out);
    return rc;
}

int action_list(struct db *db, struct arena *a, int64_t endpoint, struct action_row **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct action_row)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_ACTION_LIST, e);
    put_i64(&q, endpoint);
    int rc;
    while ((rc = query_row(&q)) == TL_OK)
        read_action(&q, a, list_add(&l));
    return list_end(rc, &l, (void **)out, n);
}

static int action_put(struct db *db, int64_t endpoint, const struct action_row *row, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_ACTION_PUT, e);
    put_i64(&q, endpoint);
    put_text(&q, row->kind);
    put_text(&q, row->name);
    put_blob(&q, row->description);
    put_u64(&q, row->hash);
    put_i64(&q, row->discovered_us);
    return query_run(&q);
}

static int action_drop(struct db *db, int64_t endpoint, const struct action_row *row, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_ACTION_DROP, e);
    put_i64(&q, endpoint);
    put_text(&q, row->kind);
    put_text(&q, row->name);
    return query_run(&q);
}

static bool is_among(const struct action_row *row, const struct action_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(rows[i].kind, row->kind) && str_eq(rows[i].name, row->name))
            return true;
    return false;
}

int action_replace(struct db *db, int64_t endpoint, const struct action_row *rows, size_t n, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    AUTO(tx_end) struct tx tx;
    struct action_row *known = NULL;
    size_t n_known = 0;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = action_list(db, &a, endpoint, &known, &n_known, e);
    for (size_t i = 0; i < n_known && rc == TL_OK; i++)
        if (!is_among(&known[i], rows, n))
            rc = action_drop(db, endpoint, &known[i], e);
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        rc = action_put(db, endpoint, &rows[i], e);
    return rc == TL_OK ? tx_commit(&tx, e) : rc;
}

/* ---- Acts -------------------------------------------------------------------------------------------------------- */

static void read_act(struct query *q, struct arena *a, struct act *out)
{
    out->act = get_i64(q);
    out->key = get_text(q, a);
    out->connection = get_i64(q);
    out->endpoint = get_i64(q);
    out->kind = get_text(q, a);
    out->name = get_text(q, a);
    out->record = get_id(q, a);
    out->who = get_text(q, a);
    out->person = get_text(q, a);
    out->beside_kind = get_text(q, a);
    out->beside_id = get_id(q, a);
    out->state = get_i32(q);
    out->params = get_text(q, a);
    out->before = get_text(q, a);
    out->after = get_text(q, a);
    out->code = get_text(q, a);
    out->words = get_text(q, a);
    out->made_us = get_i64(q);
    out->ended_us = get_i64(q);
    out->look_us = get_i64(q);
    out->looks = get_i32(q);
}

int act_add(struct db *db, struct act *a, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    int rc = tx_begin(&tx, db, e);
    if (rc)
        return rc;
    int64_t id = next_id(db, COUNT_ACT);
    AUTO(query_end) struct query q = query_begin(db, &T, Q_ADD, e);
    put_i64(&q, id);
    put_text(&q, a->key);
    put_i64(&q, a->connection);
    put_i64(&q, a->endpoint);
    put_text(&q, a->kind);
    put_text(&q, a->name);
    put_id_or_null(&q, a->record);
    put_text(&q, a->who);
    put_text(&q, a->person);
    put_text(&q, a->beside_kind);
    put_id_or_null(&q, a->beside_id);
    put_i64(&q, a->state);
    const str texts[] = {a->params, a->before, a->after, a->code, a->words};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        put_text(&q, texts[i]);
    const int64_t numbers[] = {a->made_us, a->ended_us, a->look_us, a->looks};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        put_i64(&q, numbers[i]);
    rc = query_run(&q);
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc == TL_OK)
        a->act = id;
    return rc;
}

int act_update(struct db *db, const struct act *a, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_UPDATE, e);
    put_i64(&q, a->act);
    put_id_or_null(&q, a->record);
    put_i64(&q, a->state);
    const str texts[] = {a->before, a->after, a->code, a->words};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        put_text(&q, texts[i]);
    put_i64(&q, a->ended_us);
    put_i64(&q, a->look_us);
    put_i64(&q, a->looks);
    return query_run_one(&q);
}

int act_get(struct db *db, struct arena *a, int64_t act, struct act *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_GET, e);
    put_i64(&q, act);
    int rc = query_row(&q);
    if (rc == TL_OK)
        read_act(&q, a, out);
    return rc;
}

int act_find(struct db *db, struct arena *a, str key, struct act *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_FIND, e);
    put_text(&q, key);
    int rc = query_row(&q);
    if (rc == TL_OK)
        read_act(&q, a, out);
    return rc;
}

static int acts_of(struct query *q, struct arena *a, struct act **out, size_t *n)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct act)};
    int rc;
    while ((rc = query_row(q)) == TL_OK)
        read_act(q, a, list_add(&l));
    return list_end(rc, &l, (void **)out, n);
}

int act_list(struct db *db, struct arena *a, int64_t connection, int64_t before, size_t max, struct act **out,
             size_t *n, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, connection ? Q_LIST_OF : Q_LIST, e);
    put_i64(&q, before);
    put_i64(&q, (int64_t)max);
    if (connection)
        put_i64(&q, connection);
    return acts_of(&q, a, out, n);
}

int act_list_open(struct db *db, struct arena *a, int64_t after, size_t max, struct act **out, size_t *n, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_OPEN, e);
    put_i64(&q, after);
    put_i64(&q, (int64_t)max);
    return acts_of(&q, a, out, n);
}

int act_trim(struct db *db, int64_t older_than_us, int max_rows, bool *done_out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_TRIM, e);
    put_i64(&q, older_than_us);
    return query_run_some(&q, max_rows, done_out);
}

/* ---- Relations --------------------------------------------------------------------------------------------------- */

int relation_add(struct db *db, struct relation *r, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    int rc = tx_begin(&tx, db, e);
    if (rc)
        return rc;
    int64_t id = next_id(db, COUNT_RELATION);
    AUTO(query_end) struct query q = query_begin(db, &T, Q_RELATION_ADD, e);
    put_i64(&q, id);
    put_i64(&q, r->connection);
    put_i64(&q, r->endpoint);
    put_text(&q, r->kind);
    put_id(&q, r->id);
    put_text(&q, r->beside_kind);
    put_id(&q, r->beside_id);
    put_text(&q, r->who);
    put_i64(&q, r->made_us);
    rc = query_run(&q);
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc == TL_OK)
        r->relation = id;
    return rc;
}

int relation_list(struct db *db, struct arena *a, int64_t connection, str beside_kind, str beside_id,
                  struct relation **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct relation)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_RELATION_LIST, e);
    put_i64(&q, connection);
    put_text(&q, beside_kind);
    put_id(&q, beside_id);
    int rc;
    while ((rc = query_row(&q)) == TL_OK) {
        struct relation *r = list_add(&l);
        r->relation = get_i64(&q);
        r->connection = get_i64(&q);
        r->endpoint = get_i64(&q);
        r->kind = get_text(&q, a);
        r->id = get_id(&q, a);
        r->beside_kind = get_text(&q, a);
        r->beside_id = get_id(&q, a);
        r->who = get_text(&q, a);
        r->made_us = get_i64(&q);
    }
    return list_end(rc, &l, (void **)out, n);
}
