#include "toy.h"

#include <stdio.h>
#include <stdlib.h>

#include "times.h"
#include "unicode.h"

enum { TOY_START = 50, VALUE_MAX = 200, LIMIT_DEFAULT = 50, LIMIT_MAX = 200, FIELDS = 6 };
#define TOY_TOKEN "toy-5f2c9d81e07b"

static const char *const field_names[FIELDS] = {"first_name", "last_name", "email", "phone", "company", "ref"};
enum { LAST_NAME = 1, REF = 5 };

struct contact {
    int id;
    int64_t created_us, updated_us;
    bool deleted;
    char *values[FIELDS]; /* NULL: empty */
};
struct toy {
    struct sandbox *world;
    struct contact *rows; /* by id, ascending from 1 */
    int count;
};

static void refuse(struct call *c, int status, const char *code, const char *message, const char *field)
{
    buf_clear(&c->out);
    buf_text_add(&c->out, "{\"error\":{");
    json_put_member(&c->out, "code", str_of(code));
    json_put_member(&c->out, "message", str_of(message));
    json_put_comma(&c->out);
    json_put_key(&c->out, "field");
    json_put_text(&c->out, field);
    buf_add(&c->out, "}}", 2);
    call_answer(c, status);
}

static int64_t now_ms_of(const struct toy *t)
{
    return sandbox_now_us(t->world) / US_PER_MS * US_PER_MS;
}

static void time_put(struct buf *b, const char *key, int64_t us)
{
    char text[32];
    json_put_member(b, key, str_of(time_text(text, us)));
}

static void contact_put(struct buf *b, const struct contact *x)
{
    char id[16];
    snprintf(id, sizeof id, "%d", x->id);
    buf_char(b, '{');
    json_put_member(b, "id", str_of(id));
    for (int i = 0; i < FIELDS; i++) {
        json_put_comma(b);
        json_put_key(b, field_names[i]);
        json_put_text(b, x->values[i]);
    }
    time_put(b, "created_at", x->created_us);
    time_put(b, "updated_at", x->updated_us);
    json_put_bool(b, "deleted", x->deleted);
    buf_char(b, '}');
}

static struct contact *contact_add(struct toy *t, int64_t created_us)
{
    t->rows = realloc(t->rows, sizeof *t->rows * (size_t)(t->count + 1));
    ASSERT(t->rows != NULL);
    struct contact *x = &t->rows[t->count++];
    *x = (struct contact){.id = t->count, .created_us = created_us, .updated_us = created_us};
    return x;
}

static struct contact *contact_of(struct call *c)
{
    struct toy *t = c->self;
    int64_t id;
    if (str_to_i64(c->capture[0], &id) && id >= 1 && id <= t->count && !t->rows[id - 1].deleted)
        return &t->rows[id - 1];
    refuse(c, 404, "NOT_FOUND", "no contact has this id", NULL);
    return NULL;
}

/* ---- list --------------------------------------------------------------- */

static int change_cmp(const void *a, const void *b)
{
    const struct contact *x = *(const struct contact *const *)a, *y = *(const struct contact *const *)b;
    if (x->updated_us != y->updated_us)
        return x->updated_us < y->updated_us ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static bool number_param(struct call *c, const char *name, int64_t otherwise, int64_t max, int64_t *out)
{
    str text;
    *out = otherwise;
    if (!call_query(c, name, &text) || (str_to_i64(text, out) && *out >= 0 && *out <= max))
        return true;
    refuse(c, 400, "BAD_PARAMETER", "not a number in range", name);
    return false;
}

static void h_list(struct call *c)
{
    struct toy *t = c->self;
    int64_t since = INT64_MIN, after, limit, n = 0, kept = 0;
    str text;
    if (call_query(c, "since", &text) && !time_parse(text, &since))
        return refuse(c, 400, "BAD_PARAMETER", "not a time such as 2026-01-31T08:00:00.000Z", "since");
    if (!number_param(c, "after", 0, INT32_MAX, &after) || !number_param(c, "limit", LIMIT_DEFAULT, LIMIT_MAX, &limit))
        return;
    const struct contact **rows = calloc((size_t)t->count + 1, sizeof *rows);
    ASSERT(rows != NULL);
    for (int i = 0; i < t->count; i++) {
        const struct contact *x = &t->rows[i];
        if (x->updated_us > since || (x->updated_us == since && x->id > after))
            rows[n++] = x;
    }
    qsort(rows, (size_t)n, sizeof *rows, change_cmp);
    buf_text_add(&c->out, "{\"contacts\":[");
    for (; kept < n && kept < limit; kept++) {
        json_put_comma(&c->out);
        contact_put(&c->out, rows[kept]);
    }
    buf_char(&c->out, ']');
    free(rows);
    json_put_bool(&c->out, "more", kept < n);
    time_put(&c->out, "now", sandbox_now_us(t->world));
    buf_char(&c->out, '}');
    call_answer(c, 200);
}

static void h_get(struct call *c)
{
    const struct contact *x = contact_of(c);
    if (!x)
        return;
    contact_put(&c->out, x);
    call_answer(c, 200);
}

/* ---- writing ------------------------------------------------------------ */

/* Checks the whole body before anything is changed. x NULL: a create. */
static bool body_check(struct call *c, const struct contact *x, const json_t *body)
{
    const struct toy *t = c->self;
    if (!json_is_object(body))
        return refuse(c, 400, "BAD_BODY", "the body is not a JSON object", NULL), false;
    for (int i = 0; i < FIELDS; i++) {
        const json_t *v = json_object_get(body, field_names[i]);
        const char *z = json_string_value(v);
        if (v && !z && !json_is_null(v))
            return refuse(c, 422, "NOT_TEXT", "the value is not text", field_names[i]), false;
        if (z && utf8_length(str_of(z)) > VALUE_MAX)
            return refuse(c, 422, "TOO_LONG", "the value has more than 200 characters", field_names[i]), false;
        if (i == LAST_NAME && (v ? !z || !*z : !x))
            return refuse(c, 422, "MISSING", "last_name is needed", field_names[i]), false;
        for (int k = 0; i == REF && z && *z && k < t->count; k++) {
            const struct contact *other = &t->rows[k];
            if (other != x && !other->deleted && other->values[REF] && strcmp(other->values[REF], z) == 0)
                return refuse(c, 409, "DUPLICATE", "another contact has this ref", field_names[i]), false;
        }
    }
    return true;
}

static void body_apply(struct toy *t, struct contact *x, const json_t *body)
{
    for (int i = 0; i < FIELDS; i++) {
        const json_t *v = json_object_get(body, field_names[i]);
        if (!v)
            continue;
        const char *z = json_string_value(v);
        const char *have = x->values[REF];
        if (i == REF && z && have && *z && strcmp(have, z) != 0)
            sandbox_violation(t->world, sandbox_twin(t->world, "toy"),
                              "contact %d is stamped \"%s\", written with \"%s\"", x->id, have, z);
        text_free(x->values[i]);
        x->values[i] = z && *z ? text_dup(z) : NULL;
    }
}

static void h_create(struct call *c)
{
    struct toy *t = c->self;
    const json_t *body = call_json(c, NULL);
    if (!body_check(c, NULL, body))
        return;
    struct contact *x = contact_add(t, now_ms_of(t));
    body_apply(t, x, body);
    contact_put(&c->out, x);
    call_answer(c, 201);
}

static void h_patch(struct call *c)
{
    struct toy *t = c->self;
    struct contact *x = contact_of(c);
    const json_t *body = x ? call_json(c, NULL) : NULL;
    if (!x || !body_check(c, x, body))
        return;
    body_apply(t, x, body);
    x->updated_us = now_ms_of(t);
    contact_put(&c->out, x);
    call_answer(c, 200);
}

static void h_delete(struct call *c)
{
    struct contact *x = contact_of(c);
    if (!x)
        return;
    x->deleted = true;
    x->updated_us = now_ms_of(c->self);
    call_answer_empty(c, 204);
}

/* ---- the twin ----------------------------------------------------------- */

static void on_before(struct call *c, const struct route *r)
{
    (void)r;
    if (!str_is(call_header(c, "Authorization"), "Bearer " TOY_TOKEN))
        refuse(c, 401, "UNAUTHORIZED", "the bearer token is missing or wrong", NULL);
}

static void on_unknown(struct call *c)
{
    refuse(c, 404, "NOT_FOUND", "no such path", NULL);
}

static void on_wrong_method(struct call *c)
{
    refuse(c, 405, "METHOD_NOT_ALLOWED", "not with this method", NULL);
}

static bool on_dump(struct twin *t, str kind, struct buf *out)
{
    const struct toy *toy = twin_self(t);
    if (!str_is(kind, "contacts"))
        return false;
    for (int i = 0; i < toy->count; i++) {
        contact_put(out, &toy->rows[i]);
        buf_char(out, '\n');
    }
    return true;
}

static bool on_change(struct call *c, struct twin *t, const char *verb, str kind, str id, json_t *fields)
{
    if (!str_is(kind, "contacts"))
        return false;
    c->self = twin_self(t);
    c->capture[0] = id;
    if (strcmp(verb, "create") == 0) {
        if (!body_check(c, NULL, fields))
            return true;
        struct contact *x = contact_add(c->self, now_ms_of(c->self));
        body_apply(c->self, x, fields);
        contact_put(&c->out, x);
        call_answer(c, 201);
    } else if (strcmp(verb, "update") == 0) {
        h_patch(c);
    } else if (strcmp(verb, "purge") == 0) {
        h_delete(c);
    } else {
        return false;
    }
    return true;
}

static void self_free(void *self)
{
    struct toy *t = self;
    for (int i = 0; i < t->count; i++) {
        for (int k = 0; k < FIELDS; k++)
            text_free(t->rows[i].values[k]);
    }
    free(t->rows);
    free(t);
}

static const struct route routes[] = {
    {"GET", "/toy/contacts", h_list},           {"POST", "/toy/contacts", h_create},
    {"GET", "/toy/contacts/{id}", h_get},       {"PATCH", "/toy/contacts/{id}", h_patch},
    {"DELETE", "/toy/contacts/{id}", h_delete},
};

static const struct twin_ops ops = {
    .name = "toy",
    .routes = routes,
    .route_count = ARRAY_LEN(routes),
    .content_type = "application/json",
    .before = on_before,
    .unknown = on_unknown,
    .wrong_method = on_wrong_method,
    .dump = on_dump,
    .change = on_change,
    .free_self = self_free,
};

struct twin *toy_add(struct sandbox *w, const struct people *people, int port)
{
    struct toy *t = calloc(1, sizeof *t);
    ASSERT(t != NULL);
    t->world = w;
    for (int i = 0; i < people->person_count && t->count < TOY_START; i++) {
        const struct person *p = &people->persons[i];
        const char *from[FIELDS] = {
            p->first, p->last, p->email, p->phone, p->company == NO_COMPANY ? NULL : people->companies[p->company].name,
            NULL};
        struct contact *x = contact_add(t, p->created_us);
        for (int k = 0; k < FIELDS; k++)
            x->values[k] = from[k] ? text_dup(from[k]) : NULL;
    }
    return sandbox_add(w, &ops, t, port);
}

void toy_credentials(struct buf *b)
{
    json_put_raw(b, "toy", STR("{"));
    json_put_member(b, "token", STR(TOY_TOKEN));
    buf_char(b, '}');
}
