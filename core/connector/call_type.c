/* What each kind of call is: see call_type.h. */
#include "call_type.h"

#define OFFSET(member) offsetof(struct call, request.member)
#define ITEM(kind)     (1u << ITEM_##kind)

/* ---- check, discover ---- */

static int check_encode(struct buf *b, const struct call *c, struct err *e)
{
    (void)e;
    enc_strs(b, c->request.check.kinds, c->request.check.n_kinds);
    return TL_OK;
}

static void check_decode(struct decoder *d, struct call *c)
{
    c->request.check.kinds = dec_strs(d, &c->request.check.n_kinds);
}

static tl_status check_run(const struct module *m, tl_conn *conn, const struct call *c, tl_error *error)
{
    return m->connector.check ? m->connector.check(conn, &c->request.check, error) : TL_E_UNSUPPORTED;
}

static int discover_encode(struct buf *b, const struct call *c, struct err *e)
{
    (void)e;
    enc_strs(b, c->request.discover.kinds, c->request.discover.n_kinds);
    return TL_OK;
}

static void discover_decode(struct decoder *d, struct call *c)
{
    c->request.discover.kinds = dec_strs(d, &c->request.discover.n_kinds);
}

static tl_status discover_run(const struct module *m, tl_conn *conn, const struct call *c, tl_error *error)
{
    return m->connector.discover ? m->connector.discover(conn, &c->request.discover, error) : TL_E_UNSUPPORTED;
}

/* ---- pull ---- */

static int pull_encode(struct buf *b, const struct call *c, struct err *e)
{
    const tl_pull *r = &c->request.pull;
    (void)e;
    enc_i64(b, r->mode);
    enc_u64(b, r->max_pages);
    enc_u64(b, r->page_hint);
    enc_shape(b, r->shape);
    enc_str(b, r->cursor);
    enc_str(b, r->view);
    enc_i64(b, r->created_from_us);
    enc_i64(b, r->deadline_us);
    enc_str(b, r->stamp_field);
    return TL_OK;
}

static void pull_decode(struct decoder *d, struct call *c)
{
    tl_pull *r = &c->request.pull;
    r->mode = dec_i32(d);
    r->max_pages = dec_u32(d);
    r->page_hint = dec_u32(d);
    r->shape = dec_shape(d);
    r->cursor = dec_bytes(d);
    r->view = dec_str(d);
    r->created_from_us = dec_i64(d);
    r->deadline_us = dec_i64(d);
    r->stamp_field = dec_str(d);
}

static tl_status pull_run(const struct module *m, tl_conn *conn, const struct call *c, tl_error *error)
{
    return m->connector.pull ? m->connector.pull(conn, &c->request.pull, error) : TL_E_UNSUPPORTED;
}

/* ---- get ---- */

static int get_encode(struct buf *b, const struct call *c, struct err *e)
{
    (void)e;
    enc_shape(b, c->request.get.shape);
    enc_strs(b, c->request.get.ids, c->request.get.n_ids);
    enc_i64(b, c->request.get.deadline_us);
    enc_str(b, c->request.get.stamp_field);
    return TL_OK;
}

static void get_decode(struct decoder *d, struct call *c)
{
    tl_get *r = &c->request.get;
    r->shape = dec_shape(d);
    r->ids = dec_strs(d, &r->n_ids);
    r->deadline_us = dec_i64(d);
    r->stamp_field = dec_str(d);
}

static tl_status get_run(const struct module *m, tl_conn *conn, const struct call *c, tl_error *error)
{
    return m->connector.get ? m->connector.get(conn, &c->request.get, error) : TL_E_UNSUPPORTED;
}

/* ---- find ---- */

static void find_init(struct call *c)
{
    c->request.find.query_stride = sizeof(tl_query);
}

static int find_encode(struct buf *b, const struct call *c, struct err *e)
{
    const tl_find *r = &c->request.find;
    (void)e;
    enc_shape(b, r->shape);
    enc_u64(b, r->n_queries);
    for (uint32_t i = 0; i < r->n_queries; i++) {
        enc_str(b, r->queries[i].path);
        enc_str(b, r->queries[i].value);
    }
    enc_u64(b, r->limit);
    enc_i64(b, r->deadline_us);
    enc_str(b, r->stamp_field);
    return TL_OK;
}

static void find_decode(struct decoder *d, struct call *c)
{
    tl_find *r = &c->request.find;
    r->shape = dec_shape(d);
    uint32_t n = dec_count(d, 4);
    tl_query *queries = arena_array(d->arena, tl_query, n);
    for (uint32_t i = 0; i < n; i++) {
        queries[i].path = dec_str(d);
        queries[i].value = dec_str(d);
    }
    r->queries = queries;
    r->n_queries = d->bad ? 0 : n;
    r->limit = dec_u32(d);
    r->deadline_us = dec_i64(d);
    r->stamp_field = dec_str(d);
}

static tl_status find_run(const struct module *m, tl_conn *conn, const struct call *c, tl_error *error)
{
    return m->connector.find ? m->connector.find(conn, &c->request.find, error) : TL_E_UNSUPPORTED;
}

/* ---- push ---- */

static int push_encode(struct buf *b, const struct call *c, struct err *e)
{
    const tl_push *r = &c->request.push;
    enc_u64(b, r->flags);
    enc_shape(b, r->shape);
    enc_str(b, r->stamp_field);
    enc_i64(b, r->deadline_us);
    uint32_t n = r->batch ? r->batch->count : 0;
    enc_u64(b, n);
    for (uint32_t i = 0; i < n; i++) {
        const tl_record *record = TL_AT(tl_record, r->batch->records, r->batch->stride, i);
        enc_u64(b, record->index);
        int rc = enc_record(b, record, r->shape, e);
        if (rc)
            return err_wrap(e, "record \"%.*s\"", STR_FMT(record->id));
    }
    return TL_OK;
}

static bool rows_inside(const tl_value *v, uint32_t columns)
{
    for (uint64_t i = 0; i < v->u.list.n; i++)
        for (uint64_t k = 0; k < v->u.list.items[i].u.list.n; k++)
            if (v->u.list.items[i].u.list.items[k].field >= columns)
                return false;
    return true;
}

/* Every value is of a field that the shape has, and of a column that the field has. */
static bool inside(const tl_record *r, const tl_shape *shape)
{
    for (uint32_t i = 0; i < r->n_values; i++) {
        const tl_value *v = &r->values[i];
        if (!shape || v->field >= shape->n_fields)
            return false;
        if (v->type == TL_ROWS &&
            !rows_inside(v, TL_AT(tl_field, shape->fields, shape->field_stride, v->field)->n_columns))
            return false;
    }
    return true;
}

static void push_decode(struct decoder *d, struct call *c)
{
    tl_push *r = &c->request.push;
    r->flags = dec_u32(d);
    r->shape = dec_shape(d);
    r->stamp_field = dec_str(d);
    r->deadline_us = dec_i64(d);
    uint32_t n = dec_count(d, 20);
    tl_record *records = arena_array(d->arena, tl_record, n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t index = dec_u32(d);
        dec_record(d, &records[i]);
        records[i].index = index;
        if (!inside(&records[i], r->shape))
            d->bad = true;
    }
    tl_batch *batch = arena_new(d->arena, tl_batch);
    *batch = (tl_batch){
        .struct_size = sizeof *batch, .count = d->bad ? 0 : n, .stride = sizeof *records, .records = records};
    r->batch = batch;
}

static tl_status push_run(const struct module *m, tl_conn *conn, const struct call *c, tl_error *error)
{
    return m->connector.push ? m->connector.push(conn, &c->request.push, error) : TL_E_UNSUPPORTED;
}

static bool push_writes(const struct call *c)
{
    (void)c;
    return true;
}

/* ---- lists ---- */

static int list_encode(struct buf *b, const struct call *c, struct err *e)
{
    const tl_list *r = &c->request.list;
    (void)e;
    enc_shape(b, r->shape);
    enc_u64(b, r->limit);
    enc_str(b, r->about_kind);
    enc_str(b, r->about_id);
    enc_str(b, r->filter);
    enc_str(b, r->cursor);
    enc_i64(b, r->deadline_us);
    return TL_OK;
}

static void list_decode(struct decoder *d, struct call *c)
{
    tl_list *r = &c->request.list;
    r->shape = dec_shape(d);
    r->limit = dec_u32(d);
    r->about_kind = dec_str(d);
    r->about_id = dec_str(d);
    r->filter = dec_str(d);
    r->cursor = dec_bytes(d);
    r->deadline_us = dec_i64(d);
}

static tl_status list_run(const struct module *m, tl_conn *conn, const struct call *c, tl_error *error)
{
    return m->view.list ? m->view.list(conn, &c->request.list, error) : TL_E_UNSUPPORTED;
}

/* ---- actions ---- */

static int act_encode(struct buf *b, const struct call *c, struct err *e)
{
    static const tl_record nothing = {.id = {"", 0}};
    const tl_act *r = &c->request.act;
    enc_u64(b, r->flags);
    enc_str(b, r->name);
    enc_shape(b, r->shape);
    enc_str(b, r->stamp_field);
    enc_str(b, r->person);
    enc_i64(b, r->deadline_us);
    int rc = enc_record(b, r->record ? r->record : &nothing, r->shape, e);
    return rc ? err_wrap(e, "action \"%.*s\"", STR_FMT(r->name)) : TL_OK;
}

static void act_decode(struct decoder *d, struct call *c)
{
    tl_act *r = &c->request.act;
    r->flags = dec_u32(d);
    r->name = dec_str(d);
    r->shape = dec_shape(d);
    r->stamp_field = dec_str(d);
    r->person = dec_str(d);
    r->deadline_us = dec_i64(d);
    tl_record *record = arena_new(d->arena, tl_record);
    dec_record(d, record);
    r->record = record;
    d->bad = d->bad || !inside(record, r->shape);
}

static tl_status act_run(const struct module *m, tl_conn *conn, const struct call *c, tl_error *error)
{
    return m->actions.act ? m->actions.act(conn, &c->request.act, error) : TL_E_UNSUPPORTED;
}

/* What looks, reads, or is only shown changes nothing. */
static bool act_writes(const struct call *c)
{
    return !(c->request.act.flags & TL_ACT_LOOK) && !c->reads && !c->rehearse;
}

/* ---- webhooks ---- */

static int parse_encode(struct buf *b, const struct call *c, struct err *e)
{
    const tl_hook_request *r = &c->request.hook;
    (void)e;
    enc_pairs(b, r->headers, r->n_headers);
    enc_str(b, r->body);
    enc_str(b, r->query);
    enc_i64(b, r->received_us);
    enc_str(b, r->method);
    enc_u64(b, r->n_shapes);
    for (uint32_t i = 0; i < r->n_shapes; i++)
        enc_shape(b, TL_AT(tl_shape, r->shapes, r->shape_stride, i));
    return TL_OK;
}

static void parse_decode(struct decoder *d, struct call *c)
{
    tl_hook_request *r = &c->request.hook;
    r->headers = dec_pairs(d, &r->n_headers);
    r->body = dec_bytes(d);
    r->query = dec_bytes(d);
    r->received_us = dec_i64(d);
    r->method = dec_str(d);
    uint32_t n = dec_count(d, 2);
    tl_shape *shapes = arena_array(d->arena, tl_shape, n);
    for (uint32_t i = 0; i < n && !d->bad; i++) {
        const tl_shape *shape = dec_shape(d);
        d->bad = d->bad || !shape;
        if (shape)
            shapes[i] = *shape;
    }
    r->shapes = shapes;
    r->shape_stride = sizeof *shapes;
    r->n_shapes = d->bad ? 0 : n;
}

static tl_status parse_run(const struct module *m, tl_conn *conn, const struct call *c, tl_error *error)
{
    return m->webhook.parse ? m->webhook.parse(conn, &c->request.hook, error) : TL_E_UNSUPPORTED;
}

static int subscribe_encode(struct buf *b, const struct call *c, struct err *e)
{
    const tl_subscribe *r = &c->request.subscribe;
    (void)e;
    enc_strs(b, r->kinds, r->n_kinds);
    enc_str(b, r->url);
    enc_str(b, r->id);
    return TL_OK;
}

static void subscribe_decode(struct decoder *d, struct call *c)
{
    tl_subscribe *r = &c->request.subscribe;
    r->kinds = dec_strs(d, &r->n_kinds);
    r->url = dec_str(d);
    r->id = dec_str(d);
}

static tl_status subscribe_run(const struct module *m, tl_conn *conn, const struct call *c, tl_error *error)
{
    return m->webhook.subscribe ? m->webhook.subscribe(conn, &c->request.subscribe, error) : TL_E_UNSUPPORTED;
}

static tl_status unsubscribe_run(const struct module *m, tl_conn *conn, const struct call *c, tl_error *error)
{
    return m->webhook.unsubscribe ? m->webhook.unsubscribe(conn, &c->request.subscribe, error) : TL_E_UNSUPPORTED;
}

/* ---- prepare ---- */

static int prepare_encode(struct buf *b, const struct call *c, struct err *e)
{
    (void)e;
    enc_i64(b, c->request.prepare.dry_run);
    enc_strs(b, c->request.prepare.kinds, c->request.prepare.n_kinds);
    return TL_OK;
}

static void prepare_decode(struct decoder *d, struct call *c)
{
    c->request.prepare.dry_run = dec_i32(d);
    c->request.prepare.kinds = dec_strs(d, &c->request.prepare.n_kinds);
}

static tl_status prepare_run(const struct module *m, tl_conn *conn, const struct call *c, tl_error *error)
{
    return m->prepare.prepare ? m->prepare.prepare(conn, &c->request.prepare, error) : TL_E_UNSUPPORTED;
}

/* ---- the table ---- */

static const struct call_type types[] = {
    [CALL_CHECK] = {.name = "check",
                    .items = ITEM(ACCOUNT) | ITEM(FINDING),
                    .size = sizeof(tl_check),
                    .encode = check_encode,
                    .decode = check_decode,
                    .run = check_run},
    [CALL_DISCOVER] = {.name = "discover",
                       .items = ITEM(KIND) | ITEM(ACTION),
                       .size = sizeof(tl_discover),
                       .encode = discover_encode,
                       .decode = discover_decode,
                       .run = discover_run},
    [CALL_PULL] = {.name = "pull",
                   .items = ITEM(RECORD) | ITEM(CHECKPOINT),
                   .size = sizeof(tl_pull),
                   .shape_at = OFFSET(pull.shape),
                   .deadline_at = OFFSET(pull.deadline_us),
                   .encode = pull_encode,
                   .decode = pull_decode,
                   .run = pull_run},
    [CALL_GET] = {.name = "get",
                  .items = ITEM(RECORD),
                  .size = sizeof(tl_get),
                  .shape_at = OFFSET(get.shape),
                  .deadline_at = OFFSET(get.deadline_us),
                  .encode = get_encode,
                  .decode = get_decode,
                  .run = get_run},
    [CALL_FIND] = {.name = "find",
                   .items = ITEM(RECORD),
                   .size = sizeof(tl_find),
                   .shape_at = OFFSET(find.shape),
                   .deadline_at = OFFSET(find.deadline_us),
                   .init = find_init,
                   .encode = find_encode,
                   .decode = find_decode,
                   .run = find_run},
    [CALL_PUSH] = {.name = "push",
                   .writes = push_writes,
                   .items = ITEM(RESULT),
                   .size = sizeof(tl_push),
                   .shape_at = OFFSET(push.shape),
                   .deadline_at = OFFSET(push.deadline_us),
                   .encode = push_encode,
                   .decode = push_decode,
                   .run = push_run},
    [CALL_PARSE_HOOK] = {.name = "parse",
                         .flags = CALL_LOCAL,
                         .items = ITEM(RECORD),
                         .size = sizeof(tl_hook_request),
                         .encode = parse_encode,
                         .decode = parse_decode,
                         .run = parse_run},
    [CALL_SUBSCRIBE] = {.name = "subscribe",
                        .items = ITEM(SUBSCRIPTION),
                        .size = sizeof(tl_subscribe),
                        .encode = subscribe_encode,
                        .decode = subscribe_decode,
                        .run = subscribe_run},
    [CALL_UNSUBSCRIBE] = {.name = "unsubscribe",
                          .size = sizeof(tl_subscribe),
                          .encode = subscribe_encode,
                          .decode = subscribe_decode,
                          .run = unsubscribe_run},
    [CALL_PREPARE] = {.name = "prepare",
                      .items = ITEM(FINDING),
                      .size = sizeof(tl_prepare_request),
                      .encode = prepare_encode,
                      .decode = prepare_decode,
                      .run = prepare_run},
    [CALL_LIST] = {.name = "list",
                   .items = ITEM(RECORD) | ITEM(CHECKPOINT),
                   .size = sizeof(tl_list),
                   .shape_at = OFFSET(list.shape),
                   .deadline_at = OFFSET(list.deadline_us),
                   .encode = list_encode,
                   .decode = list_decode,
                   .run = list_run},
    [CALL_ACT] = {.name = "act",
                  .writes = act_writes,
                  .items = ITEM(RESULT),
                  .size = sizeof(tl_act),
                  .shape_at = OFFSET(act.shape),
                  .deadline_at = OFFSET(act.deadline_us),
                  .encode = act_encode,
                  .decode = act_decode,
                  .run = act_run},
};

const struct call_type *call_type(uint32_t kind)
{
    return kind < ARRAY_LEN(types) && types[kind].name ? &types[kind] : NULL;
}
