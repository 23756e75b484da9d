/* Records by id, one call each [B:contacts]. */
#include "finance.h"

struct fetch {
    const struct fin_reader *rd;
    const tl_str *ids;
    const uint32_t *index; /* null: the position */
};

static tl_status fetched(void *ctx, tl_http *done, uint32_t first, uint32_t n, tl_error *e)
{
    const struct fetch *f = ctx;
    tl_conn *c = f->rd->c;
    for (uint32_t i = 0; i < n; i++) {
        tl_record rec = {.id = f->ids[first + i]};
        const tlk_node *root = NULL;
        tl_error own = {.struct_size = sizeof(own)};
        tlk_arena_reset(&c->page);
        tl_status rc = fin_answer(c, &done[i], &root, &own);
        bool gone = rc == TL_E_NOT_FOUND || (rc == TL_E_INVALID && strcmp(own.field, f->rd->kind->id) == 0);
        if (gone && f->index)
            continue;
        if (rc == TL_OK) {
            fin_record_read(f->rd, tlk_get(root, f->rd->kind->one), &rec);
            rec.id = f->ids[first + i];
        } else if (gone) {
            rec.state = TL_STATE_DELETED;
        } else if (rc == TL_E_DENIED) {
            rec.state = TL_STATE_FORBIDDEN;
        } else {
            *e = own;
            return rc;
        }
        rec.index = f->index ? f->index[first + i] : first + i;
        rc = tlk_refused(tlk_emit(c->host, &rec, 1), e);
        if (rc != TL_OK)
            return rc;
    }
    return TL_OK;
}

tl_status fin_fetch(const struct fin_reader *rd, const tl_str *ids, const uint32_t *index, uint32_t n, tl_error *e)
{
    tl_conn *c = rd->c;
    struct fetch f = {.rd = rd, .ids = ids, .index = index};
    tl_http *r = tlk_new(&c->call, tl_http, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        tlk_url u = fin_url(c, "/");
        tlk_addz(&u.b, rd->kind->many);
        tlk_url_segment(&u, ids[i]);
        fin_request(c, &r[i], "GET", &u, 0);
    }
    return fin_send(c, r, n, fetched, &f, e);
}

tl_status fin_get(tl_conn *c, const tl_get *q, tl_error *e)
{
    struct fin_reader rd;
    tl_status rc = fin_begin_records(c, q->shape, true, &rd, e);
    return rc == TL_OK ? fin_fetch(&rd, q->ids, NULL, q->n_ids, e) : rc;
}
