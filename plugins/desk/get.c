/* Records by id: one call each, since contactsByIds answers with short records [OAS:Contact]. Whether GET still answers
 * for a trashed record is not documented: with isTrashed it says so itself, with 404 the recycle bin is asked. */
#include "desk.h"

enum { BIN_PAGES = 4 };

struct fetch {
    const struct desk_reader *rd;
    const tl_str *ids;
    uint32_t *missing; /* positions that answered 404 */
    uint32_t n_missing;
};

static tl_status fetched(void *ctx, tl_http *done, uint32_t first, uint32_t n, tl_error *e)
{
    struct fetch *f = ctx;
    tl_conn *c = f->rd->c;
    for (uint32_t i = 0; i < n; i++) {
        tl_record rec = {.id = f->ids[first + i], .index = first + i};
        const tlk_node *root = NULL;
        tl_error own = {.struct_size = sizeof(own)};
        tl_status rc = tlk_answer(c->host, &done[i], &desk_errors, &c->json, &root, &own);
        if (rc == TL_E_NOT_FOUND) {
            f->missing[f->n_missing++] = first + i;
            continue;
        }
        if (rc == TL_OK) {
            desk_record_read(f->rd, root, &rec);
            rec.index = first + i;
            if (rec.id.n == 0)
                rec.id = f->ids[first + i];
        } else if (rc == TL_E_DENIED) {
            rec.state = TL_STATE_FORBIDDEN;
        } else {
            *e = own;
            return rc;
        }
        rc = tlk_refused(tlk_emit(c->host, &rec, 1), e);
        if (rc != TL_OK)
            return rc;
    }
    return TL_OK;
}

static tl_status emit_missing(struct fetch *f, tl_error *e)
{
    tl_conn *c = f->rd->c;
    struct desk_bin bin;
    tl_status rc = desk_bin_read(c, f->rd->kind, 0, BIN_PAGES, &bin, e);
    for (uint32_t i = 0; i < f->n_missing && rc == TL_OK; i++) {
        uint32_t at = f->missing[i];
        /* merged away, purged, or never there: the vendor answers all three alike */
        tl_record rec = {.id = f->ids[at], .state = TL_STATE_DELETED};
        for (uint32_t k = 0; k < bin.n; k++) {
            if (tlk_eq(bin.records[k].id, rec.id))
                rec = bin.records[k];
        }
        rec.index = at;
        rc = tlk_refused(tlk_emit(c->host, &rec, 1), e);
    }
    return rc;
}

tl_status desk_fetch(const struct desk_reader *rd, const tl_str *ids, uint32_t n, tl_error *e)
{
    tl_conn *c = rd->c;
    struct fetch f = {.rd = rd, .ids = ids, .missing = tlk_new(&c->call, uint32_t, n + 1)};
    tl_http *r = tlk_new(&c->call, tl_http, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        tlk_url u = desk_url(c, "/");
        tlk_addz(&u.b, rd->kind->module);
        tlk_url_segment(&u, ids[i]);
        desk_request(c, &r[i], "GET", &u, 0);
    }
    tl_status rc = tlk_send(c->host, r, n, DESK_AT_ONCE, fetched, &f, e);
    return rc == TL_OK && f.n_missing > 0 ? emit_missing(&f, e) : rc;
}

tl_status desk_get(tl_conn *c, const tl_get *q, tl_error *e)
{
    struct desk_reader rd;
    const struct directory *d = desk_directory_of(q->shape->kind);
    if (d)
        return desk_directory_get(c, d, q, e);
    tl_status rc = desk_begin_records(c, q->shape, &rd, e);
    return rc == TL_OK ? desk_of_kind(rd.kind, desk_fetch(&rd, q->ids, q->n_ids, e), e) : rc;
}
