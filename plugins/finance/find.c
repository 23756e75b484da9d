/* Finding by a value: the lists filter by several fields [OAS:contacts]; of e-mail addresses and telephone numbers only
 * those of the primary person count. One call a question; what is found is read by itself where the rows lack a field.
 */
#include "finance.h"

enum { FILTER_MAX = 100 /* characters that a filter takes */ };

/* The first so many characters. */
static tl_str head_of(tl_conn *c, tl_str s, uint32_t characters)
{
    while (tlk_characters(s) > characters)
        s.n--;
    while (s.n > 0 && ((unsigned char)s.p[s.n] & 0xC0) == 0x80) /* not in the middle of one */
        s.n--;
    return tlk_dup(&c->call, s);
}

static bool question_request(struct fin_reader *rd, const tl_query *q, uint32_t limit, tl_http *r)
{
    tl_conn *c = rd->c;
    const struct fin_field *f = tlk_row_by(rd->kind->fields, rd->kind->n_fields, path, q->path);
    if (!f || !(f->flags & TL_F_MATCH) || q->value.n == 0)
        return false;
    bool longer = tlk_characters(q->value) > FILTER_MAX;
    tlk_url u = fin_url(c, "/");
    tlk_addz(&u.b, rd->kind->many);
    tlk_url_add(&u, "filter_by", TL_STR("Status.All"));
    if (rd->kind->synced)
        tlk_url_add(&u, "contact_type", TL_STR("customer"));
    if (longer) /* the host compares again */
        tlk_url_add(&u, tlk_fmt(&c->call, "%s_startswith", f->name).p, head_of(c, q->value, FILTER_MAX));
    else
        tlk_url_add(&u, f->name, q->value);
    tlk_url_add_int(&u, "per_page", limit);
    fin_request(c, r, "GET", &u, 0);
    return true;
}

static tl_status ask(struct fin_reader *rd, const tl_query *q, uint32_t index, uint32_t limit, tl_error *e)
{
    tl_conn *c = rd->c;
    const tlk_node *root = NULL, *one;
    tl_http r;
    if (!question_request(rd, q, limit, &r))
        return TL_OK;
    tlk_arena_reset(&c->page);
    tl_status rc = fin_call(c, &r, &root, e);
    if (rc != TL_OK)
        return rc;
    const tlk_node *list = tlk_get(root, rd->kind->many);
    const tlk_node **rows = tlk_new(&c->call, const tlk_node *, tlk_count(list) + 1);
    uint32_t n = 0;
    tlk_iter i = tlk_each(list);
    while (n < limit && tlk_next_item(&i, &one))
        rows[n++] = one;
    return fin_emit_rows(rd, rows, n, index, e);
}

tl_status fin_find(tl_conn *c, const tl_find *q, tl_error *e)
{
    struct fin_reader rd;
    uint32_t limit = q->limit == 0 ? 10 : q->limit < FIN_PAGE ? q->limit : FIN_PAGE;
    tl_status rc = fin_begin_records(c, q->shape, q->stamp_field.n > 0, &rd, e);
    for (uint32_t i = 0; rc == TL_OK && i < q->n_queries; i++)
        rc = ask(&rd, tlk_query(q, i), i, limit, e);
    return rc;
}
