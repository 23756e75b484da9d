/* The pass over Zoho Desk: slices of the creation time, pages of 100, as the connector asks for them. */
#include "desk.h"
#include "floor.h"
#include "unicode.h"

struct rows {
    const tlk_node *data;
    uint32_t n;
    int64_t count;
};

static struct rows search(struct floor *f, int64_t lo_ms, int64_t hi_ms, uint32_t from, uint32_t limit)
{
    char lo[32], hi[32], both[72];
    tlk_url u;
    tlk_time_text(lo, (lo_ms - 1) * TLK_US_PER_MS);
    tlk_time_text(hi, hi_ms * TLK_US_PER_MS);
    snprintf(both, sizeof both, "%s,%s", lo, hi);
    tlk_arena_reset(&f->page);
    tlk_url_begin(&u, &f->page, tlk_str(f->desk_url), "/api/v1/");
    tlk_addz(&u.b, f->kind->module);
    tlk_addz(&u.b, "/search");
    tlk_url_add(&u, "createdTimeRange", tlk_str(both));
    tlk_url_add(&u, "sortBy", TL_STR("createdTime"));
    if (from > 0)
        tlk_url_add_int(&u, "from", from);
    tlk_url_add_int(&u, "limit", limit);
    tl_str answer = http_call(f->desk, "GET", tlk_url_end(&u), (tl_str){0});
    f->requests++;
    floor_spent(f, STAGE_DESK_GET);
    struct rows r = {0};
    if (answer.n == 0)
        return r;
    const tlk_node *root = tlk_json_read(&f->json, answer);
    if (!root)
        floor_die("a page of Zoho Desk is no JSON", f->json.error);
    r.data = tlk_get(root, "data");
    r.n = tlk_count(r.data);
    tlk_i64(tlk_get(root, "count"), &r.count);
    return r;
}

static void record_read(struct floor *f, const tlk_node *object, tl_record *rec)
{
    *rec = (tl_record){.flags = TL_REC_FULL, .version_kind = TL_VER_TIME};
    tlk_iter i = tlk_each(object);
    for (const tlk_node *key, *v; tlk_next_member(&i, &key, &v);) {
        tl_str name = tlk_raw(key);
        if (tlk_is(name, "id")) {
            rec->id = tlk_text(v, &f->page);
        } else if (tlk_is(name, "modifiedTime")) {
            rec->version = tlk_text(v, &f->page);
            tlk_time_parse(rec->version, &rec->modified_us);
        } else if (tlk_is(name, "createdTime")) {
            tlk_time_parse(tlk_raw(v), &rec->created_us);
        }
    }
    if (!tlk_record_read(&f->plan[0], object, &f->page, rec) || rec->id.n == 0)
        floor_die("a record of Zoho Desk cannot be used", rec->note.p);
}

/* One page is one transaction: records, membership of the pass, its position. */
static void page_store(struct floor *f, const tl_record *list, uint32_t n, struct pass *pass, int64_t total)
{
    struct err e = {0};
    AUTO(buf_done) struct buf blob = {0};
    int64_t *recs = tlk_new(&f->page, int64_t, n);
    floor_must(db_begin(f->db, &e), &e, "begin");
    for (uint32_t i = 0; i < n; i++) {
        buf_clear(&blob);
        floor_observation(&list[i], &blob);
        struct record rec = {.feed = f->feed[0],
                             .id = list[i].id,
                             .version_kind = list[i].version_kind,
                             .version = list[i].version,
                             .modified_us = list[i].modified_us,
                             .created_us = list[i].created_us,
                             .seen_us = env_now_us(db_env(f->db)),
                             .seen_hash = store_hash(blob.p, blob.n),
                             .observation = buf_lent(&blob)};
        floor_must(record_put(f->db, &rec, &e), &e, "storing a record");
        recs[i] = rec.rec;
    }
    pass->seen += n;
    floor_must(pass_mark(f->db, pass->pass, recs, n, &e), &e, "marking a page");
    floor_must(pass_advance(f->db, pass->pass, STR("floor"), pass->seen, total, &e), &e, "advancing a pass");
    floor_must(db_commit(f->db, &e), &e, "commit");
    floor_spent(f, STAGE_DESK_STORE);
}

static void page_take(struct floor *f, const struct rows *rows, int64_t lo, int64_t hi, struct pass *pass,
                      int64_t total)
{
    tl_record *list = tlk_new(&f->page, tl_record, rows->n + 1);
    uint32_t n = 0;
    tlk_iter i = tlk_each(rows->data);
    for (const tlk_node *row; tlk_next_item(&i, &row);) {
        record_read(f, row, &list[n]);
        int64_t ms = list[n].created_us / TLK_US_PER_MS;
        n += ms >= lo && ms < hi;
    }
    floor_spent(f, STAGE_DESK_READ);
    page_store(f, list, n, pass, total);
}

void floor_desk_pass(struct floor *f)
{
    struct err e = {0};
    struct pass pass = {.feed = f->feed[0], .started_us = env_now_us(db_env(f->db)), .estimate = -1};
    floor_must(pass_start(f->db, &pass, &e), &e, "starting a pass");
    int64_t now = env_now_us(db_env(f->db)) / TLK_US_PER_MS, end = now + 1000, lo = 1;
    struct rows rows = search(f, 1, now + 86400000, 0, 1);
    int64_t total = rows.count;
    if (rows.n > 0 && tlk_time_parse(tlk_raw(tlk_at(tlk_item(rows.data, 0), "createdTime")), &lo))
        lo /= TLK_US_PER_MS;
    for (int64_t width = desk_slice_first(end - lo, total); rows.n > 0 && lo < end;) {
        int64_t hi = desk_slice_end(lo, width, end);
        struct rows page = search(f, lo, hi, 0, DESK_PAGE);
        int64_t count = page.count;
        if (count > DESK_SEARCH_LAST + 1) {
            width = desk_slice_narrower(hi - lo, count);
            continue;
        }
        for (uint32_t from = 0; page.n > 0; page = search(f, lo, hi, from, DESK_PAGE)) {
            page_take(f, &page, lo, hi, &pass, total);
            from += page.n;
            if (from >= count)
                break;
        }
        lo = hi;
        width = desk_slice_wider(width, count);
    }
    if (pass.seen != total)
        floor_die("the pass did not meet every record", "");
    floor_must(db_begin(f->db, &e), &e, "begin");
    floor_must(pass_end(f->db, pass.pass, PASS_COMPLETE, env_now_us(db_env(f->db)), &e), &e, "ending a pass");
    floor_must(pass_end(f->db, pass.pass, PASS_EVALUATED, env_now_us(db_env(f->db)), &e), &e, "ending a pass");
    floor_must(db_commit(f->db, &e), &e, "commit");
    floor_spent(f, STAGE_DESK_STORE);
}
