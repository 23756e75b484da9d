/* Which records of a feed have this e-mail, name or number. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "records.h"
#include "sql.h"

enum { KEY_MAX = 96, BUILD_MAX_BYTES = 16 << 20, ROWS_MAX = 8 };

enum { Q_FIND, Q_ADD, Q_ADD_2, Q_ADD_3, Q_ADD_8, Q_DROP, Q_CLEAR, Q_KIND_NEXT };

/* Starting and ending a statement costs a third of what a row does. */
#define ADD   "INSERT OR IGNORE INTO lookup(feed, kind, key, rec) VALUES"
#define ROW   "(?1, ?, ?, ?)"
#define ROW_2 ROW ", " ROW
#define ROW_4 ROW_2 ", " ROW_2
static const char *const SQL[] = {
    [Q_FIND] = "SELECT rec FROM lookup WHERE feed = ?1 AND kind = ?2 AND key = ?3 ORDER BY rec LIMIT ?4",
    [Q_ADD] = ADD ROW,
    [Q_ADD_2] = ADD ROW_2,
    [Q_ADD_3] = ADD ROW ", " ROW_2,
    [Q_ADD_8] = ADD ROW_4 ", " ROW_4,
    [Q_DROP] = "DELETE FROM lookup WHERE feed = ?1 AND kind = ?2 AND key = ?3 AND rec = ?4",
    [Q_CLEAR] = "DELETE FROM lookup WHERE feed = ?1 AND (kind, key, rec) IN "
                "(SELECT kind, key, rec FROM lookup WHERE feed = ?1 LIMIT ?2)",
    [Q_KIND_NEXT] = "SELECT kind FROM lookup WHERE feed = ?1 AND kind > ?2 ORDER BY kind LIMIT 1",
};
SQL_TABLE(T, SQL_LOOKUPS, SQL);

/* Long keys keep their beginning and a hash of the whole, so that they stay equal exactly when they were. */
static str short_key(str text, char room[KEY_MAX])
{
    static const char hex[] = "0123456789abcdef";
    if (text.n <= KEY_MAX)
        return text;
    uint64_t hash = store_hash(text.p, text.n);
    size_t head = KEY_MAX - 17;
    while (head > 0 && ((unsigned char)text.p[head] & 0xc0) == 0x80) /* whole characters */
        head--;
    memcpy(room, text.p, head);
    room[head++] = 0x1f;
    for (int i = 60; i >= 0; i -= 4)
        room[head++] = hex[(hash >> i) & 15];
    return str_n(room, head);
}

static void put_key(struct query *q, const struct lookup_key *k, char room[KEY_MAX])
{
    put_i64(q, k->kind);
    if (k->kind == LOOKUP_PHONE)
        put_i64(q, k->number);
    else
        put_text(q, short_key(k->text, room));
}

int lookup_find(struct db *db, int64_t feed, const struct lookup_key *k, int64_t *recs, size_t max, size_t *n,
                struct err *e)
{
    char room[KEY_MAX];
    AUTO(query_end) struct query q = query_begin(db, &T, Q_FIND, e);
    put_i64(&q, feed);
    put_key(&q, k, room);
    return query_ids(&q, recs, max, n);
}

struct row {
    struct lookup_key key;
    int64_t rec;
};

static int write_rows(struct db *db, int statement, int64_t feed, const struct row *rows, size_t n, struct err *e)
{
    char room[ROWS_MAX][KEY_MAX];
    AUTO(query_end) struct query q = query_begin(db, &T, statement, e);
    put_i64(&q, feed);
    for (size_t i = 0; i < n; i++) {
        put_key(&q, &rows[i].key, room[i]);
        put_i64(&q, rows[i].rec);
    }
    return query_run(&q);
}

static int drop_row(struct db *db, int64_t feed, const struct lookup_key *k, int64_t rec, struct err *e)
{
    const struct row row = {*k, rec};
    return write_rows(db, Q_DROP, feed, &row, 1, e);
}

/* Rows that are written a few at a time. */
struct adding {
    struct db *db;
    int64_t feed;
    size_t n;
    struct row rows[ROWS_MAX];
};

static int add_end(struct adding *a, struct err *e)
{
    static const struct {
        int statement;
        size_t rows;
    } widths[] = {{Q_ADD_8, ROWS_MAX}, {Q_ADD_3, 3}, {Q_ADD_2, 2}, {Q_ADD, 1}};
    size_t at = 0;
    int rc = TL_OK;
    for (size_t w = 0; w < ARRAY_LEN(widths); w++)
        for (; rc == TL_OK && a->n - at >= widths[w].rows; at += widths[w].rows)
            rc = write_rows(a->db, widths[w].statement, a->feed, a->rows + at, widths[w].rows, e);
    a->n = 0;
    return rc;
}

static int add_row(struct adding *a, const struct lookup_key *k, int64_t rec, struct err *e)
{
    a->rows[a->n++] = (struct row){*k, rec};
    return a->n == ROWS_MAX ? add_end(a, e) : TL_OK;
}

int lookup_kind_next(struct db *db, int64_t feed, int32_t after, int32_t *kind_out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_KIND_NEXT, e);
    put_i64(&q, feed);
    put_i64(&q, after);
    int rc = query_row(&q);
    if (rc == TL_OK)
        *kind_out = (int32_t)get_i64(&q);
    return rc;
}

bool lookup_key_same(const struct lookup_key *a, const struct lookup_key *b)
{
    return a->kind == b->kind && a->number == b->number && str_eq(a->text, b->text);
}

static bool has_key(const struct lookup_key *keys, size_t n, const struct lookup_key *k)
{
    for (size_t i = 0; i < n; i++)
        if (lookup_key_same(&keys[i], k))
            return true;
    return false;
}

int lookup_change(struct db *db, int64_t feed, int64_t rec, const struct lookup_key *old, size_t n_old,
                  const struct lookup_key *now, size_t n_now, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    struct adding added = {.db = db, .feed = feed};
    int rc = tx_begin(&tx, db, e);
    for (size_t i = 0; rc == TL_OK && i < n_old; i++)
        if (!has_key(now, n_now, &old[i]))
            rc = drop_row(db, feed, &old[i], rec, e);
    for (size_t i = 0; rc == TL_OK && i < n_now; i++)
        if (!has_key(old, n_old, &now[i]))
            rc = add_row(&added, &now[i], rec, e);
    if (rc == TL_OK)
        rc = add_end(&added, e);
    return rc == TL_OK ? tx_commit(&tx, e) : rc;
}

int lookup_clear(struct db *db, int64_t feed, int max_rows, bool *done_out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_CLEAR, e);
    put_i64(&q, feed);
    return query_run_some(&q, max_rows, done_out);
}

/* ---- Bulk build ------------------------------------------------------------------------------------------------ */

struct build_entry {
    int64_t rec;
    int64_t number; /* LOOKUP_PHONE */
    uint64_t head;  /* of the text, first byte highest: nearly always enough to tell two apart */
    uint32_t at, n; /* the text */
    int32_t kind;
    uint32_t told; /* its place in the order in which they were told, times 2; odd: the record has this key no more */
};

/* What was collected when writing began is sorted and written; what is told meanwhile follows it as the next
 * collection. */
struct lookup_build {
    struct db *db;
    int64_t feed;
    struct buf text;
    struct build_entry *entries;
    size_t n, cap, written, sorted; /* written <= sorted <= n */
    uint32_t told;
};

struct lookup_build *lookup_build_new(struct db *db, int64_t feed)
{
    struct lookup_build *b = calloc(1, sizeof *b);
    ASSERT(b);
    b->db = db;
    b->feed = feed;
    return b;
}

struct lookup_build *lookup_build_free(struct lookup_build *b)
{
    if (b) {
        buf_done(&b->text);
        free(b->entries);
        free(b);
    }
    return NULL;
}

static uint64_t head_of(str text)
{
    uint64_t head = 0;
    memcpy(&head, text.n ? text.p : "", text.n < sizeof head ? text.n : sizeof head);
    return be64toh(head);
}

static int by_key(const void *x, const void *y, void *arg)
{
    const struct build_entry *a = x, *b = y;
    const char *text = buf_text(&((const struct lookup_build *)arg)->text);
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    if (a->head != b->head)
        return a->head < b->head ? -1 : 1;
    int order = str_cmp(str_n(text + a->at, a->n), str_n(text + b->at, b->n));
    if (order == 0)
        order = (a->rec > b->rec) - (a->rec < b->rec);
    return order ? order : (a->told > b->told) - (a->told < b->told);
}

/* The sorted entries are written: those told meanwhile take their place. */
static void next_collection(struct lookup_build *b)
{
    if (b->sorted == 0 || b->written < b->sorted)
        return;
    b->n -= b->sorted;
    if (b->n)
        memmove(b->entries, b->entries + b->sorted, b->n * sizeof *b->entries);
    else
        buf_clear(&b->text);
    b->sorted = b->written = 0;
}

static void tell(struct lookup_build *b, const struct lookup_key *k, int64_t rec, bool dropped)
{
    next_collection(b);
    if (b->n == b->cap) {
        b->cap = b->cap ? b->cap * 2 : 1024;
        b->entries = realloc(b->entries, b->cap * sizeof *b->entries);
        ASSERT(b->entries);
    }
    char room[KEY_MAX];
    str text = k->kind == LOOKUP_PHONE ? (str){0} : short_key(k->text, room);
    b->entries[b->n] = (struct build_entry){.rec = rec,
                                            .number = k->number,
                                            .kind = k->kind,
                                            .head = head_of(text),
                                            .at = (uint32_t)b->text.n,
                                            .n = (uint32_t)text.n,
                                            .told = 2 * b->told++ + dropped};
    b->n++;
    buf_str(&b->text, text);
}

bool lookup_build_add(struct lookup_build *b, const struct lookup_key *k, int64_t rec)
{
    tell(b, k, rec, false);
    return b->text.n + b->n * sizeof *b->entries >= BUILD_MAX_BYTES;
}

void lookup_build_change(struct lookup_build *b, int64_t rec, const struct lookup_key *old, size_t n_old,
                         const struct lookup_key *now, size_t n_now)
{
    for (size_t i = 0; i < n_old; i++)
        if (!has_key(now, n_now, &old[i]))
            tell(b, &old[i], rec, true);
    for (size_t i = 0; i < n_now; i++)
        if (!has_key(old, n_old, &now[i]))
            tell(b, &now[i], rec, false);
}

/* The one after it is about the same key of the same record: that one counts. */
static bool told_again(const struct lookup_build *b, size_t at)
{
    if (at + 1 == b->sorted)
        return false;
    const struct build_entry *x = &b->entries[at], *y = x + 1;
    const char *text = buf_text(&b->text);
    return x->kind == y->kind && x->rec == y->rec && x->number == y->number &&
           str_eq(str_n(text + x->at, x->n), str_n(text + y->at, y->n));
}

int lookup_build_write(struct lookup_build *b, int max_rows, bool *empty_out, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    next_collection(b);
    if (b->sorted == 0) {
        if (b->n > 1)
            qsort_r(b->entries, b->n, sizeof *b->entries, by_key, b);
        b->sorted = b->n;
    }
    size_t at = b->written;
    struct adding added = {.db = b->db, .feed = b->feed};
    int rc = tx_begin(&tx, b->db, e);
    for (int i = 0; rc == TL_OK && i < max_rows && at < b->sorted; i++, at++) {
        const struct build_entry *x = &b->entries[at];
        struct lookup_key k = {.kind = x->kind, .number = x->number, .text = {buf_text(&b->text) + x->at, x->n}};
        if (!told_again(b, at))
            rc = x->told & 1 ? drop_row(b->db, b->feed, &k, x->rec, e) : add_row(&added, &k, x->rec, e);
    }
    if (rc == TL_OK)
        rc = add_end(&added, e);
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc)
        return rc;
    b->written = at;
    *empty_out = at == b->n;
    return TL_OK;
}

void lookup_build_repeat(struct lookup_build *b)
{
    b->written = 0;
}
