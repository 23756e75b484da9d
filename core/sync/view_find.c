/* Which pairs does somebody mean? By id, e-mail address and number through the indexes; by name through the records. */
#include "keys.h"
#include "unicode.h"
#include "view_record.h"

/* Names of contacts have no index: a key per name would cost every first sync more than looking through costs here. */
enum { SCAN_RECORDS = 100000, SCAN_PAGE = 500, MAX_PAIRS = 100 };

struct finding {
    struct db *r;
    struct view_kinds kinds;
    const struct link *link;
    int side;
    str ask; /* from text_plain() */
    json_t *list;
    size_t scanned;
    bool more; /* stopped before the end */
};

static void add_pair_of(struct finding *f, struct arena *a, int64_t rec)
{
    int64_t pair = 0;
    struct err e = {0};
    if (pair_of_record(f->r, f->link->link, (enum side)f->side, rec, (str){0}, &pair, &e) != TL_OK)
        return;
    size_t k;
    json_t *row;
    json_array_foreach(f->list, k, row)
    {
        if (json_integer_value(json_object_get(row, "pair")) == pair)
            return;
    }
    if (json_array_size(f->list) == MAX_PAIRS) {
        f->more = true;
        return;
    }
    json_t *line = view_pair_line(&f->kinds, a, pair);
    if (line)
        json_array_append_new(f->list, line);
}

static void find_in_indexes(struct finding *f, str text)
{
    AUTO(arena_done) struct arena a = {0};
    int64_t feed = f->link->feed[f->side], recs[16];
    size_t n = 0;
    struct err e = {0};
    struct record rec = {0};
    if (record_find(f->r, &a, feed, text, &rec, &e) == TL_OK)
        recs[n++] = rec.rec;
    for (int32_t kind = 0; n == 0 && lookup_kind_next(f->r, feed, kind, &kind, &e) == TL_OK;) {
        struct lookup_key key;
        if (key_finds(kind) && key_of_text(kind, text, &a, &key))
            (void)lookup_find(f->r, feed, &key, recs, ARRAY_LEN(recs), &n, &e);
    }
    for (size_t i = 0; i < n; i++)
        add_pair_of(f, &a, recs[i]);
}

static void scan_page(struct finding *f, const struct view_kind *kind, const struct record *rows, size_t n)
{
    AUTO(arena_done) struct arena a = {0};
    AUTO(buf_done) struct buf name = {0};
    AUTO(buf_done) struct buf plain = {0};
    for (size_t i = 0; i < n && !f->more; i++) {
        buf_clear(&name);
        buf_clear(&plain);
        view_record_name(kind, rows[i].observation, &a, &name);
        text_plain(&plain, buf_lent(&name));
        if (text_has_words(buf_lent(&plain), f->ask))
            add_pair_of(f, &a, rows[i].rec);
    }
}

static int find_by_name(struct finding *f, int64_t endpoint, struct err *e)
{
    const struct view_kind *kind = view_kind(&f->kinds, endpoint, f->link->kind[f->side]);
    int64_t place = 0;
    for (size_t n = SCAN_PAGE; n == SCAN_PAGE && !f->more;) {
        AUTO(arena_done) struct arena a = {0};
        struct record *rows = NULL;
        if (f->scanned >= SCAN_RECORDS) {
            f->more = true;
            break;
        }
        int rc = record_walk(f->r, &a, f->link->feed[f->side], place, SCAN_PAGE, &rows, &n, e);
        if (rc != TL_OK)
            return rc;
        scan_page(f, kind, rows, n);
        f->scanned += n;
        if (n)
            place = rows[n - 1].rec;
    }
    return TL_OK;
}

int view_pair_find(struct db *r, const char *connection, const char *text, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    AUTO(buf_done) struct buf ask = {0};
    struct connection c = {0};
    struct link *links = NULL;
    size_t n = 0;
    int rc = connection ? view_find_connection(r, &a, connection, &c, e) : TL_OK;
    if (rc == TL_OK)
        rc = link_list(r, &a, c.connection, &links, &n, e);
    if (rc != TL_OK)
        return rc;
    text_plain(&ask, str_of(text));
    struct finding f = {.r = r, .kinds = {.r = r}, .ask = buf_lent(&ask), .list = json_array()};
    for (size_t i = 0; i < n * 2; i++) {
        f.link = &links[i / 2];
        f.side = (int)(i % 2);
        if (f.link->feed[f.side])
            find_in_indexes(&f, str_of(text));
    }
    bool known = json_array_size(f.list) > 0 && strpbrk(text, "@0123456789"); /* an id, address or number */
    for (size_t i = 0; i < n * 2 && !known && ask.n && rc == TL_OK; i++) {
        f.link = &links[i / 2];
        f.side = (int)(i % 2);
        struct connection of = {0};
        if (f.link->feed[f.side] && connection_get(r, &a, f.link->connection, &of, e) == TL_OK)
            rc = find_by_name(&f, of.endpoint[f.side], e);
    }
    view_kinds_done(&f.kinds);
    if (rc == TL_OK)
        *out = json_pack("{s:O,s:b,s:I}", "items", f.list, "complete", !f.more, "looked_at", (json_int_t)f.scanned);
    json_decref(f.list);
    return rc;
}
