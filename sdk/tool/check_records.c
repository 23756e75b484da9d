#include "check_records.h"

#include <stdio.h>

#include "check_world.h"

enum { SOME_DAY = 20000, SOME_TIME_S = 1700000000 };

static bool is_text(uint32_t type)
{
    return type == TL_TEXT || type == TL_MULTILINE || type == TL_EMAIL || type == TL_PHONE || type == TL_URL;
}

/* Written by the tests: what is required, and plain texts of the vocabulary. */
static bool is_written(const struct check *c, const tl_field *f)
{
    const char *leave = project_get(c->project, "check", "leave");
    if ((f->flags & (TL_F_READONLY | TL_F_STAMP)) || (leave && str_in_list(str_of(leave), f->path)))
        return false;
    return (f->flags & TL_F_REQUIRED) || (is_text(f->type) && !str_starts(f->path, STR("x.")));
}

const tl_field *check_spare_field(const struct check *c, const struct stand_kind *k, uint32_t *position)
{
    for (uint32_t i = 0; i < k->shape.n_fields; i++) {
        const tl_field *f = &k->shape.fields[i];
        if (is_written(c, f) && f->type == TL_TEXT &&
            !(f->flags & (TL_F_REQUIRED | TL_F_UNIQUE | TL_F_CREATE_ONLY | TL_F_CLOSED))) {
            *position = i;
            return f;
        }
    }
    return NULL;
}

/* ---- values */

const char *check_first_id(struct check *c, str kinds)
{
    str name;
    while (str_split(&kinds, ',', &name)) {
        const struct stand_kind *k = stand_kind(&c->stand, arena_str(&c->stand.arena, name).p);
        if (!k || !(k->told.can & TL_CAN_PASS))
            continue;
        AUTO(call_free) struct call *call = check_pull_call(k, TL_PULL_PASS, "", 1, CHECK_PAGE_SIZE);
        AUTO(world_done) struct world w = {0};
        check_run_ok(c, call);
        world_take(&w, &call->reply);
        if (w.n)
            return arena_str(&c->stand.arena, str_of(w.list[0].id)).p;
    }
    return NULL;
}

static str cut(struct check *c, const tl_field *f, const char *text)
{
    str s = arena_str(&c->stand.arena, str_of(text));
    if (f->max && s.n > f->max)
        s = (str){s.p + (s.n - f->max), f->max}; /* the end differs from record to record */
    return s;
}

static str text_value(struct check *c, const tl_field *f, uint32_t n)
{
    uint32_t mark = (uint32_t)(c->seed % 100000);
    char text[128];
    switch (f->type) {
    case TL_EMAIL:
        snprintf(text, sizeof text, "check.%u.%u@example.org", mark, n);
        break;
    case TL_PHONE:
        snprintf(text, sizeof text, "+49 30 %07u", (mark * 1000 + n) % 10000000);
        break;
    case TL_URL:
        snprintf(text, sizeof text, "https://example.org/%u/%u", mark, n);
        break;
    default:
        snprintf(text, sizeof text, "Check %u %u", mark, n);
        break;
    }
    return cut(c, f, text);
}

static bool value_of(struct check *c, const tl_field *f, uint32_t position, uint32_t n, tl_value *out);

/* One row, with whatever of it can be made up. */
static bool row_of(struct check *c, const tl_field *f, uint32_t n, tl_value *out)
{
    tl_value *values = arena_array(&c->stand.arena, tl_value, f->n_columns),
             *row = arena_new(&c->stand.arena, tl_value);
    uint64_t filled = 0;
    for (uint32_t i = 0; i < f->n_columns; i++)
        if (!(f->columns[i].flags & TL_F_READONLY) && value_of(c, &f->columns[i], i, n, &values[filled]))
            filled++;
    *row = (tl_value){.type = TL_LIST, .u.list = {values, filled}};
    out->u.list.items = row;
    out->u.list.n = 1;
    return filled > 0;
}

/* False: no value of this type can be made up. */
static bool value_of(struct check *c, const tl_field *f, uint32_t position, uint32_t n, tl_value *out)
{
    *out = (tl_value){.field = position, .type = (uint8_t)f->type};
    switch (f->type) {
    case TL_BOOL:
    case TL_INT:
        out->u.i = 1;
        return true;
    case TL_TIME:
        out->u.i = INT64_C(1000000) * SOME_TIME_S;
        return true;
    case TL_DATE:
        out->u.i = SOME_DAY;
        return true;
    case TL_DECIMAL:
        out->u.s = STR("12.10");
        return true;
    case TL_CHOICE:
        if (f->n_choices)
            out->u.s = f->choices[0].value;
        return f->n_choices > 0;
    case TL_REF: {
        const char *id = check_first_id(c, f->refers_to);
        out->u.s = str_of(id);
        return id != NULL;
    }
    case TL_ROWS:
        return row_of(c, f, n, out);
    case TL_LIST:
    case TL_JSON:
    case TL_BYTES:
    case TL_BLOB:
        return false;
    default:
        out->u.s = text_value(c, f, n);
        return true;
    }
}

bool check_make_value(struct check *c, const tl_field *f, uint32_t position, tl_value *out)
{
    return value_of(c, f, position, ++c->serial, out);
}

bool check_can_make(struct check *c, const struct stand_kind *k)
{
    for (uint32_t i = 0; i < k->shape.n_fields; i++) {
        tl_value v;
        const tl_field *f = &k->shape.fields[i];
        if ((f->flags & TL_F_REQUIRED) && is_written(c, f) && !value_of(c, f, i, 0, &v))
            return false;
    }
    return true;
}

/* ---- pushes */

enum { PUSH_MAX = 50 };

struct call *check_push_call(const struct stand_kind *k)
{
    struct call *call = call_new(CALL_PUSH, 1, TL_PURPOSE_BULK);
    tl_batch *b = arena_new(&call->arena, tl_batch);
    *b = (tl_batch){.struct_size = sizeof *b,
                    .stride = sizeof(tl_record),
                    .records = arena_array(&call->arena, tl_record, PUSH_MAX)};
    call->request.push.shape = &k->shape;
    call->request.push.batch = b;
    call->request.push.stamp_field = k->told.stamp_field;
    return call;
}

tl_record *check_add(struct check *c, struct call *push, int32_t op, const char *id)
{
    tl_batch *b = (tl_batch *)(uintptr_t)push->request.push.batch;
    const tl_shape *shape = push->request.push.shape;
    ASSERT(b->count < PUSH_MAX);
    tl_record *r = (tl_record *)(uintptr_t)&b->records[b->count++];
    tl_value *values = arena_array(&push->arena, tl_value, shape->n_fields + 1);
    uint32_t n = ++c->serial;
    *r = (tl_record){.op = op, .id = arena_str(&push->arena, str_of(id)), .values = values};
    if (op == TL_OP_DELETE || op == TL_OP_RESTORE)
        return r;
    for (uint32_t i = 0; i < shape->n_fields; i++) {
        const tl_field *f = &shape->fields[i];
        if (is_written(c, f) && !(op == TL_OP_UPDATE && (f->flags & TL_F_CREATE_ONLY)) &&
            value_of(c, f, i, n, &values[r->n_values]))
            r->n_values++;
    }
    return r;
}

void check_stamp(struct check *c, struct call *push, tl_record *r, const char *stamp)
{
    (void)c;
    if (push->request.push.stamp_field.n && stamp)
        r->stamp = arena_str(&push->arena, str_of(stamp));
}

struct check_result check_result_of(struct check *c, const struct call *push, uint32_t i)
{
    AUTO(reply_reader_done) struct reply_reader reader = {0};
    struct arena *a = &c->stand.arena;
    struct check_result out = {.status = TL_E_UNKNOWN, .id = "", .version = "", .text = "no result"};
    uint32_t seen = 0;
    reply_reader_init(&reader, &push->reply);
    for (struct item x; reply_next(&reader, &x);) {
        if (x.kind != ITEM_RESULT || x.u.result.index != i)
            continue;
        const tl_result *r = &x.u.result.result;
        seen++;
        out = (struct check_result){.status = r->status, .created = r->created, .id = "", .version = "", .text = ""};
        if (r->record) {
            out.id = arena_str(a, r->record->id).p;
            out.version = arena_str(a, r->record->version).p;
        }
        if (r->error) {
            out.reason = r->error->reason;
            out.text = arena_str(a, str_of(r->error->text)).p;
        }
    }
    if (seen > 1)
        check_fail(c, "push reports %u results for one record", seen);
    if (seen == 0 && push->reply.status == TL_OK)
        check_fail(c, "push ended with success and without a result for record %u", i + 1);
    return out;
}

char *check_create(struct check *c, const struct stand_kind *k, const char *stamp)
{
    AUTO(call_free) struct call *push = check_push_call(k);
    check_stamp(c, push, check_add(c, push, TL_OP_CREATE, NULL), stamp);
    check_at(c, "making a record of %s", k->name);
    check_run_ok(c, push);
    struct check_result r = check_result_of(c, push, 0);
    if (r.status)
        check_fail(c,
                   "a new record of %s is refused (\"%s\"): %s; fields that need care can be left out with \"leave\" "
                   "in [check]",
                   k->name, status_name(r.status), r.text);
    if (!*r.id)
        check_fail(c, "the result of a create of %s does not tell the new id", k->name);
    return text_dup(r.id);
}

/* doing: "deleting". */
static void push_one(struct check *c, const struct stand_kind *k, int32_t op, const char *id, const char *doing)
{
    AUTO(call_free) struct call *push = check_push_call(k);
    check_add(c, push, op, id);
    check_at(c, "%s a record of %s", doing, k->name);
    check_run_ok(c, push);
    struct check_result r = check_result_of(c, push, 0);
    if (r.status)
        check_fail(c, "%s a record of %s is refused (\"%s\"): %s", doing, k->name, status_name(r.status), r.text);
}

void check_delete(struct check *c, const struct stand_kind *k, const char *id)
{
    push_one(c, k, TL_OP_DELETE, id, "deleting");
}

void check_restore(struct check *c, const struct stand_kind *k, const char *id)
{
    push_one(c, k, TL_OP_RESTORE, id, "restoring");
}

struct call *check_get_call(const struct stand_kind *k, int32_t purpose, const tl_str *ids, uint32_t n)
{
    struct call *call = call_new(CALL_GET, 1, purpose);
    call->request.get.shape = &k->shape;
    call->request.get.stamp_field = k->told.stamp_field;
    call->request.get.ids = ids;
    call->request.get.n_ids = n;
    return call;
}

int32_t check_get(struct check *c, const struct stand_kind *k, const char *id, const tl_value **values)
{
    const tl_str one = str_of(id);
    AUTO(call_free) struct call *call = check_get_call(k, TL_PURPOSE_BULK, &one, 1);
    AUTO(reply_reader_done) struct reply_reader reader = {0};
    check_at(c, "get of one record of %s", k->name);
    check_run_ok(c, call);
    reply_reader_init(&reader, &call->reply);
    int32_t state = -1;
    tl_value *own = arena_array(&c->stand.arena, tl_value, k->shape.n_fields + 1);
    for (struct item x; reply_next(&reader, &x);) {
        if (x.kind != ITEM_RECORD || x.u.record.index != 0)
            continue;
        state = x.u.record.state;
        for (uint32_t i = 0; i < x.u.record.n_values; i++) {
            tl_value *v = &own[x.u.record.values[i].field];
            *v = x.u.record.values[i];
            if (v->type >= TL_DECIMAL && v->type <= TL_REF)
                v->u.s = arena_str(&c->stand.arena, v->u.s);
        }
    }
    if (values)
        *values = own;
    return state;
}
