/* The kinds with their fields. The vendor has no call that describes fields: the standard ones stand in kinds.c, custom
 * ones are named by the operator. */
#include "finance.h"

static void add_choices(tl_conn *c, const struct fin_field *from, tl_field *f)
{
    tl_choice *choices = tlk_new(&c->call, tl_choice, 16);
    tl_str rest = tlk_str(from->words), one;
    while (f->n_choices < 16 && tlk_split(&rest, ',', &one))
        choices[f->n_choices++] = (tl_choice){one, one};
    f->choices = choices;
    f->choice_stride = sizeof(*choices);
    if (!(from->flags & TL_F_READONLY))
        f->flags |= TL_F_CLOSED;
}

static void add_columns(tl_conn *c, const struct fin_kind *k, uint32_t scale, tl_field *f)
{
    tlk_fields columns = {.arena = &c->call};
    for (uint32_t i = 0; i < k->n_columns; i++)
        fin_describe_field(c, &columns, &k->columns[i], scale, k);
    f->columns = columns.list;
    f->n_columns = columns.n;
    f->column_stride = sizeof(tl_field);
}

tl_field *fin_describe_field(tl_conn *c, tlk_fields *list, const struct fin_field *from, uint32_t scale,
                             const struct fin_kind *k)
{
    tl_field *f = tlk_field_add(list, from->path, tlk_str(from->name), tlk_str(from->label), from->type, from->flags);
    f->max = from->max;
    f->scale = from->type == TL_DECIMAL ? scale : 0;
    if (from->type == TL_CHOICE)
        add_choices(c, from, f);
    else if (from->type == TL_REF)
        f->refers_to = tlk_str(from->words);
    else if (from->type == TL_ROWS)
        add_columns(c, k, scale, f);
    else if (from->type == TL_LIST)
        f->item_type = TL_EMAIL;
    return f;
}

static void add_fields(tl_conn *c, const struct fin_kind *k, uint32_t scale, tlk_fields *list)
{
    for (uint32_t i = 0; i < k->n_fields; i++)
        fin_describe_field(c, list, &k->fields[i], scale, k);
    tl_str rest = k->synced ? c->custom : TLK_NONE, one;
    while (tlk_split(&rest, ',', &one))
        tlk_field_add(list, tlk_fmt(&c->call, "x.%.*s", TLK_FMT(one)).p, one, one, TL_TEXT, TL_F_CUSTOM);
}

/* How many digits the organisation's amounts have behind the point. */
static tl_status read_scale(tl_conn *c, uint32_t *scale, tl_error *e)
{
    const tlk_node *root = NULL;
    int64_t digits = 2;
    tlk_url u = fin_url(c, "/organizations");
    tlk_url_segment(&u, c->org);
    tl_status rc = fin_read(c, &u, &root, e);
    if (rc != TL_OK)
        return rc;
    tlk_i64(tlk_at(root, "organization.price_precision"), &digits);
    *scale = digits >= 0 && digits <= 10 ? (uint32_t)digits : 2;
    return TL_OK;
}

static tl_status describe(tl_conn *c, const struct fin_kind *k, uint32_t scale, tl_error *e)
{
    tlk_fields list = {.arena = &c->call};
    bool stamped = false;
    tl_status rc = fin_can_stamp(c, k, &stamped, e);
    if (rc != TL_OK)
        return rc;
    add_fields(c, k, scale, &list);
    if (stamped)
        tlk_field_add(&list, tlk_fmt(&c->call, "x.%.*s", TLK_FMT(c->stamp)).p, c->stamp, TL_STR("Tieline Id"), TL_TEXT,
                      TL_F_CUSTOM | TL_F_STAMP | TL_F_UNIQUE);
    const uint32_t synced = TL_CAN_PULL | TL_CAN_PASS | TL_CAN_CREATE | TL_CAN_UPDATE | TL_CAN_RETURN_POST |
                            (stamped ? TL_CAN_STAMP_UNIQUE : 0u);
    tl_kind kind = {
        .struct_size = sizeof(kind),
        .can = TL_CAN_FIND | (k->synced ? synced : 0u),
        .max_batch = k->synced ? 8 : 0,
        .max_get = 20,
        .max_find = 10,
        .n_fields = list.n,
        .field_stride = sizeof(tl_field),
        .resolution_ms = 1000,
        .settle_ms = 120000,
        .lateness_ms = FIN_OVERLAP_US / TLK_US_PER_MS,
        .kind = tlk_str(k->kind),
        .label = tlk_str(k->label),
        .name = tlk_str(k->many),
        .stamp_field = stamped ? c->stamp : TLK_NONE,
        .fields = list.list,
        .about = tlk_str(k->about),
        .filters = tlk_str(k->filters),
    };
    rc = tlk_refused(c->host->describe(c->host, &kind), e);
    return rc == TL_OK ? fin_describe_actions(c, k, scale, stamped, e) : rc;
}

tl_status fin_discover(tl_conn *c, const tl_discover *q, tl_error *e)
{
    uint32_t scale = 2;
    tl_status rc = fin_begin(c, e);
    if (rc == TL_OK)
        rc = read_scale(c, &scale, e);
    for (uint32_t i = 0; i < fin_n_kinds && rc == TL_OK; i++) {
        if (tlk_wants(q->kinds, q->n_kinds, fin_kinds[i].kind))
            rc = describe(c, &fin_kinds[i], scale, e);
    }
    return rc;
}
