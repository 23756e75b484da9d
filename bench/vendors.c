#include "vendors.h"

#include <stdio.h>
#include <stdlib.h>

#include "times.h"

#define START_US (INT64_C(1767225600) * US_PER_S) /* 2026-01-01 */

static const struct {
    const char *path;
    uint32_t type, max, flags;
} fields[CONTACT_FIELDS] = {
    {"last_name", TL_TEXT, 80, TL_F_REQUIRED | TL_F_MATCH},
    {"email", TL_EMAIL, 255, TL_F_MATCH},
    {"phone", TL_PHONE, 40, 0},
    {"title", TL_TEXT, 100, 0},
    {"address.city", TL_TEXT, 30, 0},
    {"description", TL_MULTILINE, 32000, 0},
};
enum { TITLE = 3, PASS_PAGE = 200 };

const char *vendors_path(unsigned field)
{
    return field < CONTACT_FIELDS ? fields[field].path : NULL;
}

int64_t vendors_modified_us(uint32_t version)
{
    return START_US + (int64_t)version * US_PER_S;
}

/* A bijection of 20 bits. */
static uint32_t scatter(uint32_t k)
{
    k ^= k >> 10;
    k = k * 0x9e375u & 0xfffff;
    return k ^ k >> 10;
}

static uint32_t gather(uint32_t k)
{
    uint32_t inverse = 1; /* of the odd factor, by Newton's iteration */
    for (int i = 0; i < 5; i++)
        inverse *= 2 - 0x9e375u * inverse;
    k ^= k >> 10;
    k = k * inverse & 0xfffff;
    return k ^ k >> 10;
}

static tl_str id_of(const struct vendors *v, int side, uint32_t k, struct arena *a)
{
    k = v->scattered ? scatter(k ^ (side ? 0x5a5a5 : 0)) : k;
    return str_of(side == 0 ? arena_fmt(a, "4000000%09u", k) : arena_fmt(a, "0035j00000%05XAAA", k));
}

static bool number_of(const struct vendors *v, int side, tl_str id, uint32_t *k)
{
    char text[32];
    snprintf(text, sizeof text, "%.*s", STR_FMT(id));
    text[side == 0 ? 16 : 15] = '\0'; /* "4000000NNNNNNNNN", "0035j00000XXXXXAAA" */
    *k = side == 0 ? (uint32_t)strtoul(text + 7, NULL, 10) : (uint32_t)strtoul(text + 10, NULL, 16);
    *k = v->scattered ? gather(*k) ^ (side ? 0x5a5a5 : 0) : *k;
    return *k < v->n;
}

void vendors_record(const struct vendors *v, int side, uint32_t k, struct arena *a, tl_record *out, tl_value *values)
{
    uint32_t version = v->side[side].version[k];
    const char *texts[CONTACT_FIELDS] = {
        arena_fmt(a, "Almeida %u", k),
        arena_fmt(a, "user%u@example%u.test", k, k % 97),
        arena_fmt(a, "+55 11 %04u-%04u", k / 10000 % 10000, k % 10000),
        arena_fmt(a, "Account manager %u", version),
        "S\303\243o Paulo",
        arena_fmt(
            a,
            "Imported from the old help desk. Prefers e-mail; asked for a call back on the invoice %u and for the "
            "change of the delivery address. Customer since the first release, knows the product well, talks to "
            "the second line directly when the first one is busy.",
            k),
    };
    for (uint32_t f = 0; f < CONTACT_FIELDS; f++)
        values[f] = (tl_value){.field = f, .type = (uint8_t)fields[f].type, .u.s = str_of(texts[f])};
    *out = (tl_record){.id = id_of(v, side, k, a),
                       .version = str_of(arena_fmt(a, "%u", version)),
                       .by = side == 1 && version ? TL_STR("api") : TL_STR("someone"),
                       .modified_us = vendors_modified_us(version),
                       .created_us = START_US,
                       .version_kind = TL_VER_TIME,
                       .flags = TL_REC_FULL,
                       .n_values = CONTACT_FIELDS,
                       .values = values};
}

static uint32_t version_now(const struct vendors *v)
{
    return (uint32_t)((env_now_us(&v->sim->env) - START_US) / US_PER_S);
}

static void note(struct vendor *s, uint32_t k, uint32_t version)
{
    s->version[k] = version;
    s->log[s->logged++ % s->kept] = k;
}

void vendors_edit(struct vendors *v, int side, uint32_t k)
{
    note(&v->side[side], k, version_now(v));
}

void vendors_empty(struct vendors *v, int side)
{
    for (uint32_t k = 0; k < v->n; k++)
        v->side[side].version[k] = NOT_THERE;
}

/* ---- Answers ----------------------------------------------------------------------------------------------------- */

static void emit(const struct vendors *v, int side, const tl_shape *shape, uint32_t k, uint32_t index,
                 struct reply *reply)
{
    AUTO(arena_done) struct arena a = {0};
    tl_value all[CONTACT_FIELDS], values[CONTACT_FIELDS];
    tl_record r;
    uint32_t n = 0;
    vendors_record(v, side, k, &a, &r, all);
    for (uint32_t i = 0; i < shape->n_fields; i++) {
        const tl_field *f = TL_AT(tl_field, shape->fields, shape->field_stride, i);
        for (uint32_t at = 0; at < CONTACT_FIELDS; at++)
            if (str_is(f->path, fields[at].path)) {
                values[n] = all[at];
                values[n++].field = i;
            }
    }
    r.values = values;
    r.n_values = n;
    r.index = index;
    ASSERT(reply_add_record(reply, &r, NULL) == TL_OK);
}

static void describe(const struct vendors *v, str kind, struct reply *reply)
{
    tl_field list[CONTACT_FIELDS];
    for (uint32_t f = 0; f < CONTACT_FIELDS; f++) {
        str path = str_of(fields[f].path);
        list[f] = (tl_field){.struct_size = sizeof(tl_field),
                             .type = fields[f].type,
                             .max = fields[f].max,
                             .flags = fields[f].flags,
                             .path = path,
                             .name = path,
                             .label = path};
    }
    tl_kind k = {.struct_size = sizeof k,
                 .can = TL_CAN_PULL | TL_CAN_PASS | TL_CAN_CREATE | TL_CAN_UPDATE | TL_CAN_FIND | TL_CAN_STAMP_FIND,
                 .max_batch = 200,
                 .max_get = 200,
                 .max_find = 20,
                 .n_fields = CONTACT_FIELDS,
                 .field_stride = sizeof(tl_field),
                 .resolution_ms = 1,
                 .settle_ms = 1000,
                 .kind = kind,
                 .name = kind,
                 .label = kind,
                 .fields = list};
    k.can |= v->conditional ? TL_CAN_CONDITIONAL : 0;
    k.stamp_field = TL_STR("stamp");
    ASSERT(reply_add_kind(reply, &k, NULL) == TL_OK);
}

void vendors_emit(const struct vendors *v, int side, const tl_shape *shape, uint32_t k, struct reply *reply)
{
    emit(v, side, shape, k, 0, reply);
}

void vendors_checkpoint(const struct vendors *v, int side, int32_t mode, struct reply *reply)
{
    char cursor[24];
    snprintf(cursor, sizeof cursor, "%llu", (unsigned long long)v->side[side].logged);
    tl_checkpoint c = {.struct_size = sizeof c,
                       .mode = mode,
                       .complete = 1,
                       .cursor = str_of(cursor),
                       .server_us = env_now_us(&v->sim->env),
                       .estimate = -1};
    ASSERT(reply_add_checkpoint(reply, &c, NULL) == TL_OK);
}

/* The cursor is the number of the next record; they come in the order of their numbers. */
static void pass(struct vendors *v, int side, const tl_pull *p, struct reply *reply)
{
    int64_t from = 0;
    if (p->cursor.n)
        ASSERT(str_to_i64(p->cursor, &from));
    for (uint32_t page = 0; page < p->max_pages && from < v->n; page++) {
        char cursor[24];
        for (int64_t end = from + PASS_PAGE; from < end && from < v->n; from++)
            if (v->side[side].version[from] != NOT_THERE)
                emit(v, side, p->shape, (uint32_t)from, 0, reply);
        snprintf(cursor, sizeof cursor, "%lld", (long long)from);
        tl_checkpoint c = {.struct_size = sizeof c,
                           .mode = TL_PULL_PASS,
                           .complete = from == v->n,
                           .cursor = str_of(cursor),
                           .server_us = env_now_us(&v->sim->env),
                           .estimate = v->n};
        ASSERT(reply_add_checkpoint(reply, &c, NULL) == TL_OK);
    }
}

static void pull(struct vendors *v, int side, const tl_pull *p, struct reply *reply)
{
    struct vendor *s = &v->side[side];
    uint64_t from = s->logged;
    int64_t told = 0;
    if (p->cursor.n && str_to_i64(p->cursor, &told))
        from = (uint64_t)told;
    if (p->mode == TL_PULL_PASS && !s->hidden) {
        pass(v, side, p, reply);
        return;
    }
    for (; p->mode == TL_PULL_CHANGES && from < s->logged; from++)
        emit(v, side, p->shape, s->log[from % s->kept], 0, reply);
    s->pulls += p->mode == TL_PULL_CHANGES;
    vendors_checkpoint(v, side, p->mode, reply);
}

/* A new record carries its number in its name, and every write its new title, which holds the version of the other
 * side. */
static void written(const tl_record *r, uint32_t *k, uint32_t *version)
{
    for (uint32_t f = 0; f < r->n_values; f++) {
        char text[64];
        snprintf(text, sizeof text, "%.*s", STR_FMT(r->values[f].u.s));
        (void)sscanf(text, "Account manager %u", version);
        if (r->op == TL_OP_CREATE)
            (void)sscanf(text, "Almeida %u", k);
    }
}

static bool refuses(const struct vendors *v, uint32_t index, uint32_t k, struct reply *reply)
{
    if (v->refuse_each == 0 || k % v->refuse_each != 0)
        return false;
    tl_error why = {.struct_size = sizeof why,
                    .reason = TL_R_VALIDATION_RULE,
                    .code = "INVALID_DATA",
                    .field = "phone",
                    .text = "the phone number is not valid"};
    tl_result no = {.struct_size = sizeof no, .status = TL_E_INVALID, .error = &why};
    ASSERT(reply_add_result(reply, index, &no, NULL) == TL_OK);
    return true;
}

static void push(struct vendors *v, int side, const tl_push *p, struct reply *reply)
{
    struct vendor *s = &v->side[side];
    for (uint32_t i = 0; i < p->batch->count; i++) {
        AUTO(arena_done) struct arena a = {0};
        const tl_record *r = TL_AT(tl_record, p->batch->records, p->batch->stride, i);
        uint32_t k = NOT_THERE, version = NOT_THERE;
        bool made = r->op == TL_OP_CREATE;
        written(r, &k, &version);
        ASSERT(version != NOT_THERE && (made || number_of(v, side, r->id, &k)) && k < v->n);
        ASSERT((s->version[k] == NOT_THERE) == made);
        if (made && refuses(v, i, k, reply)) {
            s->refused++;
            continue;
        }
        note(s, k, version);
        s->pushed++;
        s->created += made;
        tl_record out = {.id = id_of(v, side, k, &a)};
        tl_result ok = {.struct_size = sizeof ok, .record = &out};
        ASSERT(reply_add_result(reply, i, &ok, NULL) == TL_OK);
    }
}

static void answer(struct vendors *v, struct call *c)
{
    int side = c->endpoint == v->side[1].endpoint;
    if (v->side[side].until_us > v->sim->mono) {
        v->side[side].throttled++;
        c->reply.status = TL_E_THROTTLED;
        c->reply.error = (tl_error){.struct_size = sizeof c->reply.error,
                                    .scope = TL_SCOPE_ENDPOINT,
                                    .retry_after_ms = (v->side[side].until_us - v->sim->mono) / US_PER_MS};
        return;
    }
    if (c->kind == CALL_CHECK) {
        char org[24];
        snprintf(org, sizeof org, "org%lld", (long long)c->endpoint);
        tl_account account = {.struct_size = sizeof account,
                              .org_key = str_of(org),
                              .user_id = TL_STR("api"),
                              .server_us = env_now_us(&v->sim->env)};
        ASSERT(reply_add_account(&c->reply, &account, NULL) == TL_OK);
    } else if (c->kind == CALL_DISCOVER) {
        str rest = str_of(v->kinds);
        for (str kind; str_split(&rest, ',', &kind);)
            describe(v, kind, &c->reply);
    } else if (c->kind == CALL_PULL && c->request.pull.mode == TL_PULL_CHANGES && v->side[side].instead) {
        void (*instead)(struct vendors *, struct call *) = v->side[side].instead;
        v->side[side].instead = NULL;
        instead(v, c);
    } else if (c->kind == CALL_PULL) {
        pull(v, side, &c->request.pull, &c->reply);
    } else if (c->kind == CALL_PUSH) {
        push(v, side, &c->request.push, &c->reply);
    } else if (c->kind == CALL_GET) {
        for (uint32_t i = 0, k = 0; i < c->request.get.n_ids; i++)
            if (number_of(v, side, c->request.get.ids[i], &k) && v->side[side].version[k] != NOT_THERE)
                emit(v, side, c->request.get.shape, k, i, &c->reply);
    } else if (c->kind != CALL_FIND) { /* what is searched for is new: nobody has it */
        c->reply.status = TL_E_UNSUPPORTED;
    }
}

/* ---- Dispatcher -------------------------------------------------------------------------------------------------- */

void vendors_take(struct vendors *v, struct call *c)
{
    struct call **at = &v->queue;
    while (*at)
        at = &(*at)->next;
    c->next = NULL;
    *at = c;
    v->side[c->endpoint == v->side[1].endpoint].out++;
}

static void submit(void *ctx, struct call *c)
{
    vendors_take(ctx, c);
}

static int room(void *ctx, int64_t endpoint, int32_t purpose)
{
    const struct vendors *v = ctx;
    const struct vendor *s = &v->side[endpoint == v->side[1].endpoint];
    (void)purpose;
    return s->room > s->out ? s->room - s->out : 0;
}

static void cancel(void *ctx, struct call *c)
{
    (void)ctx, (void)c;
}

void vendors_init(struct vendors *v, struct env_sim *sim, uint32_t n)
{
    *v = (struct vendors){.sim = sim, .n = n, .kind = "contact", .kinds = "contact"};
    v->dispatcher = (struct dispatcher){.ctx = v, .submit = submit, .room = room, .cancel = cancel};
    for (int s = 0; s < 2; s++) {
        v->side[s].kept = n < 1000 ? 1024 : CHANGES_KEPT;
        v->side[s].version = calloc(n, sizeof(uint32_t));
        v->side[s].log = calloc(v->side[s].kept, sizeof(uint32_t));
        ASSERT(v->side[s].version && v->side[s].log);
        v->side[s].hidden = true;
        v->side[s].room = 4;
    }
}

void vendors_done(struct vendors *v)
{
    for (int s = 0; s < 2; s++) {
        free(v->side[s].version);
        free(v->side[s].log);
    }
}

bool vendors_step(struct vendors *v)
{
    struct call *c = v->queue;
    if (!c)
        return false;
    v->queue = c->next;
    c->next = NULL;
    v->side[c->endpoint == v->side[1].endpoint].out--;
    answer(v, c);
    c->done(c);
    return true;
}
