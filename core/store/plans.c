/* Rows of plans. */
#include "plans.h"

#include "sql.h"

#define COLUMNS "run, item, link, what, side, state, pair, a_rec, b_rec, a_hash, b_hash, code, field, detail, fields"
/* ITEM_CREATE and ITEM_ADOPT are what gives a record its counterpart. */
#define OF_RECORD(column)                                                                                              \
    "SELECT " COLUMNS " FROM plan_item WHERE run = ?1 AND " column " = ?2 AND link = ?3 AND what IN (0, 2) LIMIT 1"
#define ALL_OF(column)                                                                                                 \
    "SELECT " COLUMNS " FROM plan_item WHERE run = ?1 AND " column " = ?2 AND link = ?3 ORDER BY item"
#define FILTER "run = ?1 AND item > ?2 AND (?3 = 0 OR link = ?3) AND (?4 < 0 OR what = ?4) AND (?5 < 0 OR state = ?5) "

enum { Q_PUT, Q_NEXT, Q_LIST, Q_LIST_PAIR, Q_OF_A, Q_OF_B, Q_ALL_OF_A, Q_ALL_OF_B, Q_SUMMARY, Q_CLEAR };
static const char *const SQL[] = {
    [Q_PUT] = "INSERT OR REPLACE INTO plan_item(" COLUMNS
              ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    [Q_NEXT] = "SELECT ifnull(max(item), 0) + 1 FROM plan_item WHERE run = ?1",
    [Q_LIST] = "SELECT " COLUMNS " FROM plan_item WHERE " FILTER "ORDER BY item LIMIT ?6",
    [Q_LIST_PAIR] =
        "SELECT " COLUMNS " FROM plan_item WHERE " FILTER "AND pair = ?7 AND pair <> 0 ORDER BY item LIMIT ?6",
    [Q_OF_A] = OF_RECORD("a_rec"),
    [Q_OF_B] = OF_RECORD("b_rec"),
    [Q_ALL_OF_A] = ALL_OF("a_rec"),
    [Q_ALL_OF_B] = ALL_OF("b_rec"),
    [Q_SUMMARY] = "SELECT link, what, side, state, count(*) FROM plan_item WHERE run = ?1 GROUP BY link, what, side, "
                  "state ORDER BY link, what, side, state",
    [Q_CLEAR] = "DELETE FROM plan_item WHERE run = ?1 AND item IN (SELECT item FROM plan_item WHERE run = ?1 LIMIT ?2)",
};
SQL_TABLE(T, SQL_PLANS, SQL);

static const char *const whats[] = {"create", "update", "adopt", "conflict", "failure", "duplicate", "undo", "trash"};

const char *plan_what_name(int32_t what)
{
    return what >= 0 && what < ITEM_WHATS ? whats[what] : "unknown";
}

bool plan_what_of(str name, int32_t *out)
{
    for (int32_t i = 0; i < ITEM_WHATS; i++)
        if (str_is(name, whats[i])) {
            *out = i;
            return true;
        }
    return false;
}

const char *plan_state_name(int32_t state)
{
    static const char *const names[] = {"planned", "done", "replanned", "added", "skipped"};
    return state >= 0 && (size_t)state < ARRAY_LEN(names) ? names[state] : "unknown";
}

static int number_it(struct db *db, struct plan_item *i, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_NEXT, e);
    put_i64(&q, i->run);
    int rc = query_row(&q);
    if (rc == TL_OK)
        i->item = get_i64(&q);
    return rc;
}

int plan_item_put(struct db *db, struct plan_item *i, struct err *e)
{
    int rc = i->item ? TL_OK : number_it(db, i, e);
    if (rc != TL_OK)
        return rc;
    AUTO(query_end) struct query q = query_begin(db, &T, Q_PUT, e);
    put_i64(&q, i->run);
    put_i64(&q, i->item);
    put_i64(&q, i->link);
    put_i64(&q, i->what);
    put_i64(&q, i->side);
    put_i64(&q, i->state);
    put_i64(&q, i->pair);
    put_i64_or_null(&q, i->rec[0]);
    put_i64_or_null(&q, i->rec[1]);
    put_u64(&q, i->hash[0]);
    put_u64(&q, i->hash[1]);
    put_text(&q, i->code);
    put_text(&q, i->field);
    put_text(&q, i->detail);
    put_text(&q, i->fields);
    return query_run(&q);
}

static void read_item(struct query *q, struct arena *a, struct plan_item *out)
{
    out->run = get_i64(q);
    out->item = get_i64(q);
    out->link = get_i64(q);
    out->what = get_i32(q);
    out->side = get_i32(q);
    out->state = get_i32(q);
    out->pair = get_i64(q);
    out->rec[0] = get_i64(q);
    out->rec[1] = get_i64(q);
    out->hash[0] = get_u64(q);
    out->hash[1] = get_u64(q);
    out->code = get_text(q, a);
    out->field = get_text(q, a);
    out->detail = get_text(q, a);
    out->fields = get_text(q, a);
}

int plan_item_list(struct db *db, struct arena *a, const struct plan_filter *f, size_t max, struct plan_item **out,
                   size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct plan_item)};
    AUTO(query_end) struct query q = query_begin(db, &T, f->pair ? Q_LIST_PAIR : Q_LIST, e);
    put_i64(&q, f->run);
    put_i64(&q, f->after);
    put_i64(&q, f->link);
    put_i64(&q, f->what);
    put_i64(&q, f->state);
    put_i64(&q, (int64_t)max);
    if (f->pair)
        put_i64(&q, f->pair);
    int rc;
    while ((rc = query_row(&q)) == TL_OK)
        read_item(&q, a, list_add(&l));
    return list_end(rc, &l, (void **)out, n);
}

int plan_item_of_record(struct db *db, struct arena *a, int64_t run, int64_t link, enum side s, int64_t rec,
                        struct plan_item *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, s == SIDE_A ? Q_OF_A : Q_OF_B, e);
    put_i64(&q, run);
    put_i64(&q, rec);
    put_i64(&q, link);
    int rc = query_row(&q);
    if (rc == TL_OK)
        read_item(&q, a, out);
    return rc;
}

int plan_items_of_record(struct db *db, struct arena *a, int64_t run, int64_t link, enum side s, int64_t rec,
                         struct plan_item **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct plan_item)};
    AUTO(query_end) struct query q = query_begin(db, &T, s == SIDE_A ? Q_ALL_OF_A : Q_ALL_OF_B, e);
    put_i64(&q, run);
    put_i64(&q, rec);
    put_i64(&q, link);
    int rc;
    while ((rc = query_row(&q)) == TL_OK)
        read_item(&q, a, list_add(&l));
    return list_end(rc, &l, (void **)out, n);
}

int plan_summary(struct db *db, struct arena *a, int64_t run, struct plan_group **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct plan_group)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_SUMMARY, e);
    put_i64(&q, run);
    int rc;
    while ((rc = query_row(&q)) == TL_OK) {
        struct plan_group *g = list_add(&l);
        g->link = get_i64(&q);
        g->what = get_i32(&q);
        g->side = get_i32(&q);
        g->state = get_i32(&q);
        g->n = get_i64(&q);
    }
    return list_end(rc, &l, (void **)out, n);
}

int plan_clear(struct db *db, int64_t run, int max_rows, bool *done_out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_CLEAR, e);
    put_i64(&q, run);
    return query_run_some(&q, max_rows, done_out);
}
