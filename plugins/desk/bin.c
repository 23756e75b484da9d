/* The recycle bin [OAS:Recyclebin]: GET /recycleBin, at most 50 entries a page, all modules mixed. It is the only place
 * that tells of trashed records by polling. Its order is not documented: when it is newest first, reading ends at the
 * first entry that is old enough, else with the last page. A restore is told by nobody: reported ids are looked for
 * again at times, and those that left the bin are read. */
#include "desk.h"

enum { PAGES_A_POLL = 40, PAGES_A_LOOK = 40, TRACKED_MAX = 200 };
static const int64_t LOOK_EVERY_US = INT64_C(300) * TLK_US_PER_S;

static bool may_not(tl_status rc, const tl_error *e)
{
    return rc == TL_E_DENIED || desk_lacks_scope(rc, e);
}

/* Where reading stands. */
struct bin_reading {
    int64_t since_us, last_us; /* last_us: deletion time of the entry before */
    bool older, unordered;     /* one was older than since; one was younger than the one before it */
};

static void take_entry(tl_conn *c, const struct desk_kind *k, const tlk_node *entry, struct bin_reading *r,
                       struct desk_bin *b)
{
    int64_t us = desk_time_us(tlk_get(entry, "deletedTime"));
    r->unordered = r->unordered || (r->last_us != 0 && us > r->last_us);
    r->last_us = us;
    if (us != 0 && us < r->since_us) {
        r->older = true;
        return;
    }
    tl_str id = tlk_text_at(entry, "id", &c->page);
    if (id.n == 0 || memchr(id.p, ',', (size_t)id.n) || !tlk_is(tlk_text_at(entry, "type", &c->page), k->bin_type))
        return;
    b->records[b->n++] = (tl_record){.id = tlk_dup(&c->call, id),
                                     .by = tlk_dup(&c->call, tlk_text_at(entry, "deletedById", &c->page)),
                                     .modified_us = us,
                                     .state = TL_STATE_TRASHED};
}

tl_status desk_bin_read(tl_conn *c, const struct desk_kind *k, int64_t since_us, uint32_t max_pages,
                        struct desk_bin *out, tl_error *e)
{
    *out = (struct desk_bin){.records = tlk_new(&c->call, tl_record, max_pages * DESK_BIN_PAGE)};
    struct bin_reading r = {.since_us = since_us};
    uint32_t from = 0;
    for (uint32_t page = 0; page < max_pages && !out->whole; page++) {
        tlk_url u = desk_url(c, "/recycleBin");
        if (from > 0)
            tlk_url_add_int(&u, "from", from);
        tlk_url_add_int(&u, "limit", DESK_BIN_PAGE);
        const tlk_node *root = NULL;
        tl_status rc = desk_read(c, &u, &root, e);
        if (may_not(rc, e)) {
            tlk_log(c->host, TL_WARN, "deletions are not seen by polling: the recycle bin may not be read (%s)",
                    e->code);
            tlk_error_clear(e);
            return TL_OK;
        }
        if (rc != TL_OK)
            return rc;
        const tlk_node *data = tlk_get(root, "data");
        uint32_t n = tlk_count(data);
        tlk_iter i = tlk_each(data);
        for (const tlk_node *entry; n <= DESK_BIN_PAGE && tlk_next_item(&i, &entry);)
            take_entry(c, k, entry, &r, out);
        from += n;
        out->whole = (r.older && !r.unordered) || n < DESK_BIN_PAGE;
    }
    return TL_OK;
}

static bool in_bin(const struct desk_bin *b, tl_str id)
{
    for (uint32_t i = 0; i < b->n; i++) {
        if (tlk_eq(b->records[i].id, id))
            return true;
    }
    return false;
}

/* Puts new ids in front, keeps at most TRACKED_MAX. */
static tl_str track(tl_conn *c, const struct desk_bin *b, tl_str old)
{
    TLK_AUTO_BUF list = {0};
    uint32_t n = 0;
    for (uint32_t i = 0; i < b->n && n < TRACKED_MAX; i++, n++) {
        tlk_add(&list, b->records[i].id);
        tlk_addc(&list, ',');
    }
    for (tl_str one; n < TRACKED_MAX && tlk_split(&old, ',', &one);) {
        if (in_bin(b, one))
            continue;
        tlk_add(&list, one);
        tlk_addc(&list, ',');
        n++;
    }
    return tlk_dup(&c->call, tlk_lent(&list));
}

/* Reads those of the tracked ids that are in the bin no more: restored, or purged. */
static tl_status look_for_restores(const struct desk_reader *rd, tl_str *tracked, tl_error *e)
{
    tl_conn *c = rd->c;
    struct desk_bin bin;
    tl_status rc = desk_bin_read(c, rd->kind, 0, PAGES_A_LOOK, &bin, e);
    if (rc != TL_OK)
        return rc;
    TLK_AUTO_BUF kept = {0};
    tl_str *gone = tlk_new(&c->call, tl_str, TRACKED_MAX);
    uint32_t n = 0;
    for (tl_str rest = *tracked, one; tlk_split(&rest, ',', &one);) {
        if (in_bin(&bin, one) || !bin.whole) {
            tlk_add(&kept, one);
            tlk_addc(&kept, ',');
        } else if (n < TRACKED_MAX) {
            gone[n++] = one;
        }
    }
    rc = n > 0 ? desk_fetch(rd, gone, n, e) : TL_OK;
    if (rc == TL_OK)
        *tracked = tlk_dup(&c->call, tlk_lent(&kept));
    return rc;
}

tl_status desk_bin_changes(const struct desk_reader *rd, int64_t *mark_us, int64_t *looked_us, tl_str *tracked,
                           int64_t now_us, tl_error *e)
{
    tl_conn *c = rd->c;
    struct desk_bin bin;
    tl_status rc = desk_bin_read(c, rd->kind, *mark_us - DESK_OVERLAP_US, PAGES_A_POLL, &bin, e);
    if (rc != TL_OK)
        return rc;
    tl_record *fresh = tlk_new(&c->call, tl_record, bin.n + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < bin.n; i++) {
        if (bin.records[i].modified_us > *mark_us || !tlk_in_list(*tracked, ',', bin.records[i].id))
            fresh[n++] = bin.records[i];
    }
    rc = tlk_refused(tlk_emit(c->host, fresh, n), e);
    if (rc != TL_OK)
        return rc;
    for (uint32_t i = 0; i < bin.n; i++) {
        if (bin.records[i].modified_us > *mark_us)
            *mark_us = bin.records[i].modified_us;
    }
    *tracked = track(c, &bin, *tracked);
    if (tracked->n > 0 && now_us - *looked_us >= LOOK_EVERY_US) {
        rc = look_for_restores(rd, tracked, e);
        *looked_us = now_us;
    }
    return rc;
}
