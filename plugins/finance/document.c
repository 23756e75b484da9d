/* Making and editing invoices and estimates. An update replaces all lines, and one that is not sent is gone
 * [OAS:invoices]: so an edit reads what is there, sends every line with its id and what the vendor has of it, and puts
 * in what is new. */
#include "finance.h"

static const char *const line_members[] = {"line_item_id", "item_id",  "name", "description", "item_order",
                                           "rate",         "quantity", "unit", "discount",    "tax_id"};
/* What an invoice takes over from its estimate, beside the lines. */
static const char *const taken_over[] = {"customer_id",
                                         "exchange_rate",
                                         "discount",
                                         "discount_type",
                                         "is_discount_before_tax",
                                         "is_inclusive_tax",
                                         "shipping_charge",
                                         "adjustment",
                                         "adjustment_description",
                                         "notes",
                                         "terms",
                                         "salesperson_name"};

/* ---- pieces of a body */

/* A scalar as it stood in the vendor's answer; what is empty there is not sent. */
static void copy_member(tlk_writer *w, const tlk_node *from, const char *name)
{
    const tlk_node *v = tlk_get(from, name);
    tl_str raw = tlk_raw(v);
    int type = tlk_type(v);
    if (type == 0 || type == TLK_JNULL || type == TLK_JARRAY || type == TLK_JOBJECT || (v->flags & TLK_UNUSABLE) ||
        (type == TLK_JSTRING && raw.n == 0))
        return;
    tlk_w_key(w, tlk_str(name));
    tlk_w_raw(w, type == TLK_JSTRING ? (tl_str){raw.p - 1, raw.n + 2} : raw); /* with its quotes */
}

static const tl_value *cell(const tl_value *row, const tl_field *lines, const char *name)
{
    for (uint64_t i = 0; i < row->u.list.n; i++) {
        const tl_value *v = &row->u.list.items[i];
        if (v->field < lines->n_columns &&
            tlk_is(TL_AT(tl_field, lines->columns, lines->column_stride, v->field)->name, name))
            return v;
    }
    return NULL;
}

static const tlk_node *line_of(const tlk_node *now, tl_str id, tlk_arena *a)
{
    const tlk_node *one;
    tlk_iter i = tlk_each(tlk_get(now, "line_items"));
    while (id.n > 0 && tlk_next_item(&i, &one)) {
        if (tlk_eq(tlk_text_at(one, "line_item_id", a), id))
            return one;
    }
    return NULL;
}

/* One line that was given: what the vendor has of it, and what is new. */
static void write_line(struct fin_deed *d, tlk_writer *w, const tl_field *lines, const tl_value *row,
                       const tlk_node *now)
{
    const tl_value *id = cell(row, lines, "line_item_id");
    const tlk_node *old = line_of(now, id && id->type != TL_NULL ? id->u.s : TLK_NONE, &d->c->page);
    tlk_w_object(w);
    for (size_t i = 0; i < TLK_LEN(line_members); i++) {
        if (i == 0 || !cell(row, lines, line_members[i]))
            copy_member(w, old, line_members[i]);
    }
    for (uint64_t i = 0; i < row->u.list.n; i++) {
        const tl_value *v = &row->u.list.items[i];
        const tl_field *f =
            v->field < lines->n_columns ? TL_AT(tl_field, lines->columns, lines->column_stride, v->field) : NULL;
        bool empty_new = !old && v->type == TL_NULL;
        if (!f || (f->flags & TL_F_READONLY) || tlk_is(f->name, "line_item_id") || empty_new)
            continue;
        tlk_w_key(w, f->name);
        tlk_value_write(w, f, v, &fin_rules);
    }
    tlk_w_end_object(w);
}

static void write_given_lines(struct fin_deed *d, tlk_writer *w, const tl_value *rows, const tlk_node *now)
{
    const tl_field *lines = tlk_field(d->act->shape, rows->field);
    for (uint64_t i = 0; i < rows->u.list.n; i++)
        write_line(d, w, lines, &rows->u.list.items[i], now);
}

/* All lines of a document; with_ids: they stay the lines they are. */
static void write_old_lines(tlk_writer *w, const tlk_node *now, bool with_ids)
{
    const tlk_node *one;
    tlk_iter i = tlk_each(tlk_get(now, "line_items"));
    while (tlk_next_item(&i, &one)) {
        tlk_w_object(w);
        for (size_t m = with_ids ? 0 : 1; m < TLK_LEN(line_members); m++)
            copy_member(w, one, line_members[m]);
        tlk_w_end_object(w);
    }
}

static void write_lines(struct fin_deed *d, tlk_writer *w, const tlk_node *now)
{
    const tl_value *rows = fin_param(d, "lines");
    tlk_w_key(w, TL_STR("line_items"));
    tlk_w_array(w);
    if (rows)
        write_given_lines(d, w, rows, now);
    else
        write_old_lines(w, now, true);
    tlk_w_end_array(w);
}

/* Every parameter that is a member of the document. */
static void write_params(struct fin_deed *d, tlk_writer *w)
{
    const tl_record *rec = d->act->record;
    for (uint32_t i = 0; i < rec->n_values; i++) {
        const tl_value *v = &rec->values[i];
        const tl_field *f = v->field < d->act->shape->n_fields ? tlk_field(d->act->shape, v->field) : NULL;
        if (!f || (f->flags & TL_F_READONLY) || f->type == TL_ROWS || (v->type == TL_NULL && rec->id.n == 0))
            continue;
        tlk_w_key(w, f->name);
        tlk_value_write(w, f, v, &fin_rules);
    }
}

static bool is_stamped(const struct fin_deed *d)
{
    return d->act->stamp_field.n > 0 && d->act->record->stamp.n > 0;
}

static void write_stamp(struct fin_deed *d, tlk_writer *w)
{
    if (!is_stamped(d))
        return;
    tlk_w_key(w, TL_STR("custom_fields"));
    tlk_w_array(w);
    tlk_w_object(w);
    tlk_w_member(w, "api_name", d->act->stamp_field);
    tlk_w_member(w, "value", d->act->record->stamp);
    tlk_w_end_object(w);
    tlk_w_end_array(w);
}

/* ---- making */

static tl_status send_new(struct fin_deed *d, tlk_writer *w, tl_error *e)
{
    tl_conn *c = d->c;
    const tlk_node *root = NULL;
    bool stamped = is_stamped(d), ended;
    tl_http r;
    tlk_url u = fin_deed_url(d, "");
    fin_request(c, &r, stamped ? "PUT" : "POST", &u, TL_HTTP_WRITE);
    if (stamped) { /* update or insert by the stamp: a second attempt makes no second document */
        tlk_request_header(&r, &c->call, "X-Unique-Identifier-Key", d->act->stamp_field);
        tlk_request_header(&r, &c->call, "X-Unique-Identifier-Value", d->act->record->stamp);
        tlk_request_header(&r, &c->call, "X-Upsert", TL_STR("true"));
    }
    fin_body(c, &r, tlk_w_lent(w));
    tlk_arena_reset(&c->page);
    tl_status rc = fin_deed_send(d, &r, &root, &ended, e);
    return ended ? rc : fin_deed_done(d, tlk_get(root, d->rd.kind->one), 0, r.status == 201, e);
}

tl_status fin_act_create(struct fin_deed *d, tl_error *e)
{
    TLK_AUTO_WRITER w = {0};
    tlk_w_object(&w);
    write_params(d, &w);
    write_lines(d, &w, NULL);
    write_stamp(d, &w);
    tlk_w_end_object(&w);
    return send_new(d, &w, e);
}

static tl_status estimate_read(struct fin_deed *d, tl_str id, const tlk_node **estimate, tl_error *e)
{
    const tlk_node *root = NULL;
    tlk_url u = fin_url(d->c, "/estimates");
    tlk_url_segment(&u, id);
    tl_status rc = fin_read(d->c, &u, &root, e);
    *estimate = tlk_get(root, "estimate");
    return rc;
}

/* The vendor's own call for it does not say which invoice it made; one that names its estimate is told whole, and turns
 * the estimate into an invoiced one as well [OAS:invoices]. */
tl_status fin_act_convert(struct fin_deed *d, tl_error *e)
{
    TLK_AUTO_WRITER w = {0};
    const tlk_node *estimate = NULL;
    tl_error own = {.struct_size = sizeof(own)};
    const tl_value *id = fin_param(d, "x.estimate");
    tl_status rc = estimate_read(d, id ? id->u.s : TLK_NONE, &estimate, &own);
    if (rc != TL_OK)
        return fin_deed_refuse(d, rc, &own, e);
    tlk_w_object(&w);
    for (size_t i = 0; i < TLK_LEN(taken_over); i++)
        copy_member(&w, estimate, taken_over[i]);
    write_params(d, &w);
    if (!fin_param(d, "reference"))
        tlk_w_member(&w, "reference_number", tlk_text_at(estimate, "estimate_number", &d->c->page));
    tlk_w_key(&w, TL_STR("line_items"));
    tlk_w_array(&w);
    write_old_lines(&w, estimate, false);
    tlk_w_end_array(&w);
    write_stamp(d, &w);
    tlk_w_end_object(&w);
    return send_new(d, &w, e);
}

/* ---- editing */

/* Does every line that was given with an id stand in the document still? */
static bool lines_are_there(struct fin_deed *d, const tlk_node *now)
{
    const tl_value *rows = fin_param(d, "lines");
    for (uint64_t i = 0; rows && i < rows->u.list.n; i++) {
        const tl_value *id = cell(&rows->u.list.items[i], tlk_field(d->act->shape, rows->field), "line_item_id");
        if (id && id->type != TL_NULL && id->u.s.n > 0 && !line_of(now, id->u.s, &d->c->page))
            return false;
    }
    return true;
}

static tl_status changed_meanwhile(struct fin_deed *d, tl_error *e)
{
    tl_error own = {.struct_size = sizeof(own)};
    tlk_fail_record(&own, TL_E_CONFLICT, TL_R_OTHER, "",
                    "the document was changed meanwhile: look at it and edit again");
    return fin_deed_refuse(d, TL_E_CONFLICT, &own, e);
}

tl_status fin_act_edit(struct fin_deed *d, tl_error *e)
{
    TLK_AUTO_WRITER w = {0};
    tl_conn *c = d->c;
    const tlk_node *now = NULL, *root = NULL;
    tl_error own = {.struct_size = sizeof(own)};
    bool ended;
    tl_http r;
    tl_str version = d->act->record->version;
    tl_status rc = fin_deed_read(d, &now, &own);
    if (rc != TL_OK)
        return fin_deed_refuse(d, rc, &own, e);
    bool moved = version.n > 0 && !tlk_eq(version, tlk_text_at(now, "last_modified_time", &c->page));
    if (moved || !lines_are_there(d, now))
        return changed_meanwhile(d, e);
    tlk_w_object(&w);
    copy_member(&w, now, "customer_id"); /* without it an update is refused [OAS:invoices] */
    write_params(d, &w);
    write_lines(d, &w, now);
    tlk_w_end_object(&w);
    tlk_url u = fin_deed_url(d, "");
    fin_request(c, &r, "PUT", &u, TL_HTTP_WRITE);
    fin_body(c, &r, tlk_w_lent(&w));
    tlk_arena_reset(&c->page);
    rc = fin_deed_send(d, &r, &root, &ended, e);
    return ended ? rc : fin_deed_done(d, tlk_get(root, d->rd.kind->one), 0, false, e);
}
