/* The control plane: what a test or a demo does to the world behind the vendors' backs. On its own port, below /_sim.
 */
#include <stdlib.h>

#include "server_int.h"
#include "times.h"

static const char help_text[] =
    "tieline-sandbox control plane\n"
    "GET    /_sim/state                            addresses, clock, counters per twin\n"
    "POST   /_sim/clock                            {\"advance\":\"5m\"} {\"set\":\"2026-01-01T00:00:00Z\"} "
    "{\"frozen\":true}\n"
    "GET    /_sim/faults                           faults set, with their hits\n"
    "POST   /_sim/faults                           {\"name\",\"twin\",\"method\",\"path\",\"after\",\"times\","
    "\"ms\",\"at\",\"retry_after\",\"text\"}\n"
    "DELETE /_sim/faults[/{id}]                    removes all, or one\n"
    "GET    /_sim/calls?twin=&method=&path=&since= received calls, oldest first (the last 20,000)\n"
    "GET    /_sim/calls/count                      calls per twin and route since the start\n"
    "POST   /_sim/calls/bodies                     {\"keep\":true}: keep request bodies in the log\n"
    "DELETE /_sim/calls                            forgets the log and the counts\n"
    "GET    /_sim/planted                          planted records: side, kind, id, case, expected reason\n"
    "GET    /_sim/violations                       writes that reached a record stamped for another source record\n"
    "GET    /_sim/{twin}/switches                  readings of unconfirmed facts, limits\n"
    "POST   /_sim/{twin}/switches                  {\"name\":value}\n"
    "POST   /_sim/{twin}/skew                      {\"ms\":90000}: error of its Date header\n"
    "GET    /_sim/{twin}/dump/{kind}?format=ndjson every record: all its fields and _state (default: one array)\n"
    "POST   /_sim/{twin}/records/{kind}            creates a record, or an array of them, as another user\n"
    "PATCH  /_sim/{twin}/records/{kind}/{id}       changes one as another user\n"
    "POST   /_sim/{twin}/records/{kind}/{id}/{verb}  trash, restore, purge, merge\n";

static void refuse(struct call *c, int status, const char *text)
{
    buf_clear(&c->out);
    buf_char(&c->out, '{');
    json_put_member(&c->out, "error", str_of(text));
    buf_char(&c->out, '}');
    c->status = status;
}

static void ctl_help(struct call *c)
{
    call_answer_text(c, 200, "text/plain; charset=utf-8", help_text);
}

static void time_member(struct buf *b, const char *key, int64_t us)
{
    char text[32];
    json_put_member(b, key, str_of(time_text(text, us)));
}

static void twin_state_put(struct buf *b, const struct twin *t)
{
    json_put_comma(b);
    json_put_key(b, t->ops->name);
    buf_char(b, '{');
    json_put_member(b, "url", str_of(t->url));
    json_put_int(b, "calls", t->calls);
    json_put_int(b, "unknown", t->unknown);
    json_put_int(b, "wrong_method", t->wrong_method);
    json_put_int(b, "violations", t->violations);
    json_put_int(b, "in_flight", t->in_flight);
    json_put_int(b, "skew_ms", t->skew_us / US_PER_MS);
    json_put_comma(b);
    json_put_key(b, "status");
    buf_char(b, '{');
    for (int i = 1; i < 6; i++) {
        char key[4] = {(char)('0' + i), 'x', 'x', 0};
        json_put_int(b, key, t->by_class[i]);
    }
    buf_add(b, "}}", 2);
}

static void ctl_state(struct call *c)
{
    struct sandbox *w = c->world;
    buf_char(&c->out, '{');
    time_member(&c->out, "now", sandbox_now_us(w));
    json_put_bool(&c->out, "frozen", w->frozen);
    json_put_int(&c->out, "seed", (int64_t)w->seed);
    json_put_int(&c->out, "violations", w->violation_count);
    json_put_comma(&c->out);
    json_put_key(&c->out, "twins");
    buf_char(&c->out, '{');
    for (unsigned i = 1; i < w->twin_count; i++)
        twin_state_put(&c->out, w->twins[i]);
    buf_add(&c->out, "}}", 2);
    call_answer(c, 200);
}

static void ctl_clock(struct call *c)
{
    struct sandbox *w = c->world;
    const json_t *body = call_json(c, NULL);
    const char *advance = json_string_value(json_object_get(body, "advance"));
    const char *set = json_string_value(json_object_get(body, "set"));
    const json_t *frozen = json_object_get(body, "frozen");
    int64_t us;
    if (!advance && !set && !json_is_boolean(frozen))
        return refuse(c, 400, "wants \"advance\", \"set\" or \"frozen\"");
    if (advance) {
        if (!duration_parse(str_of(advance), &us))
            return refuse(c, 400, "\"advance\" is no duration such as \"5m\"");
        sandbox_advance(w, us);
    }
    if (set) {
        if (!time_parse(str_of(set), &us))
            return refuse(c, 400, "\"set\" is no time such as \"2026-01-01T00:00:00Z\"");
        sandbox_set_clock(w, us, w->frozen);
    }
    if (json_is_boolean(frozen))
        sandbox_set_clock(w, sandbox_now_us(w), json_is_true(frozen));
    buf_char(&c->out, '{');
    time_member(&c->out, "now", sandbox_now_us(w));
    json_put_bool(&c->out, "frozen", w->frozen);
    buf_char(&c->out, '}');
    call_answer(c, 200);
}

static void ctl_faults(struct call *c)
{
    faults_put(c->world, &c->out);
    call_answer(c, 200);
}

static void ctl_fault_add(struct call *c)
{
    const json_t *body = call_json(c, NULL);
    if (!json_is_object(body))
        return refuse(c, 400, "a fault is one JSON object");
    struct err e = {0};
    const struct fault *f = fault_add(c->world, body, &e);
    if (!f)
        return refuse(c, 400, e.text);
    call_answer_fmt(c, 201, "{\"id\":%lld}", (long long)f->id);
}

static void ctl_faults_clear(struct call *c)
{
    fault_remove(c->world, 0);
    call_answer_empty(c, 204);
}

static void ctl_fault_remove(struct call *c)
{
    int64_t id;
    if (!str_to_i64(c->capture[0], &id) || id <= 0 || !fault_remove(c->world, id))
        return refuse(c, 404, "no such fault");
    call_answer_empty(c, 204);
}

static bool log_fits(const struct log_entry *x, str twin, str method, const char *glob, int64_t since)
{
    if (x->seq <= since || (twin.n && !str_is(twin, x->twin)) || (method.n && !str_is(method, x->method)))
        return false;
    str target = str_of(x->target);
    const char *mark = memchr(target.p, '?', target.n);
    str path = mark ? str_n(target.p, (size_t)(mark - target.p)) : target;
    return !glob || glob_fits(glob, path) || glob_fits(glob, target);
}

static void log_put(struct buf *b, const struct log_entry *x)
{
    json_put_comma(b);
    buf_char(b, '{');
    json_put_int(b, "seq", x->seq);
    time_member(b, "at", x->at_us);
    json_put_member(b, "twin", str_of(x->twin));
    json_put_member(b, "method", str_of(x->method));
    json_put_member(b, "target", str_of(x->target));
    json_put_int(b, "status", x->status);
    json_put_int(b, "bytes_in", (int64_t)x->bytes_in);
    json_put_int(b, "bytes_out", (int64_t)x->bytes_out);
    if (*x->fault)
        json_put_member(b, "fault", str_of(x->fault));
    if (x->body)
        json_put_member(b, "body", str_of(x->body));
    buf_char(b, '}');
}

static void ctl_calls(struct call *c)
{
    struct sandbox *w = c->world;
    str twin = {0}, method = {0}, path = {0}, since_text = {0};
    int64_t since = 0;
    call_query(c, "twin", &twin);
    call_query(c, "method", &method);
    bool has_path = call_query(c, "path", &path);
    if (call_query(c, "since", &since_text) && !str_to_i64(since_text, &since))
        return refuse(c, 400, "\"since\" is the number of a call");
    AUTO(text_free) char *glob = has_path ? str_dup(path) : NULL;
    buf_char(&c->out, '[');
    int64_t first = w->log_seq > LOG_MAX ? w->log_seq - LOG_MAX : 0;
    for (int64_t i = first; i < w->log_seq; i++) {
        const struct log_entry *x = &w->log[i % LOG_MAX];
        if (log_fits(x, twin, method, glob, since))
            log_put(&c->out, x);
    }
    buf_char(&c->out, ']');
    call_answer(c, 200);
}

static void ctl_count(struct call *c)
{
    struct sandbox *w = c->world;
    buf_char(&c->out, '{');
    for (unsigned i = 1; i < w->twin_count; i++) {
        const struct twin *t = w->twins[i];
        json_put_comma(&c->out);
        json_put_key(&c->out, t->ops->name);
        buf_char(&c->out, '{');
        for (size_t r = 0; r < t->ops->route_count; r++) {
            if (!t->by_route[r])
                continue;
            AUTO(text_free) char *key = text_fmt("%s %s", t->ops->routes[r].method, t->ops->routes[r].pattern);
            json_put_int(&c->out, key, t->by_route[r]);
        }
        json_put_int(&c->out, "unknown", t->unknown);
        json_put_int(&c->out, "wrong_method", t->wrong_method);
        json_put_int(&c->out, "total", t->calls);
        buf_char(&c->out, '}');
    }
    buf_char(&c->out, '}');
    call_answer(c, 200);
}

static void ctl_bodies(struct call *c)
{
    const json_t *keep = json_object_get(call_json(c, NULL), "keep");
    if (!json_is_boolean(keep))
        return refuse(c, 400, "wants {\"keep\":true} or {\"keep\":false}");
    c->world->log_bodies = json_is_true(keep);
    call_answer_empty(c, 204);
}

static void ctl_calls_forget(struct call *c)
{
    struct sandbox *w = c->world;
    log_forget(w);
    w->log_seq = 0;
    for (unsigned i = 0; i < w->twin_count; i++) {
        struct twin *t = w->twins[i];
        t->calls = t->unknown = t->wrong_method = 0;
        memset(t->by_class, 0, sizeof t->by_class);
        memset(t->by_route, 0, sizeof *t->by_route * (t->ops->route_count + 1));
    }
    call_answer_empty(c, 204);
}

static void ctl_planted(struct call *c)
{
    buf_char(&c->out, '[');
    for (size_t i = 0; i < c->world->plant_count; i++) {
        const struct plant *p = &c->world->plants[i];
        json_put_comma(&c->out);
        buf_char(&c->out, '{');
        json_put_member(&c->out, "side", str_of(p->side));
        json_put_member(&c->out, "kind", str_of(p->kind));
        json_put_member(&c->out, "id", str_of(p->id));
        json_put_member(&c->out, "case", str_of(p->name));
        json_put_comma(&c->out);
        json_put_key(&c->out, "reason");
        json_put_text(&c->out, p->reason);
        buf_char(&c->out, '}');
    }
    buf_char(&c->out, ']');
    call_answer(c, 200);
}

static void ctl_violations(struct call *c)
{
    struct sandbox *w = c->world;
    buf_char(&c->out, '{');
    json_put_int(&c->out, "count", w->violation_count);
    json_put_raw(&c->out, "violations", STR("["));
    for (int64_t i = 0; i < w->violation_count && i < VIOLATIONS_MAX; i++) {
        json_put_comma(&c->out);
        json_put_text(&c->out, w->violations[i]);
    }
    buf_add(&c->out, "]}", 2);
    call_answer(c, 200);
}

/* The twin the path names; answers 404 and returns NULL when there is none. */
static struct twin *twin_of(struct call *c)
{
    AUTO(text_free) char *name = str_dup(c->capture[0]);
    struct twin *t = sandbox_twin(c->world, name);
    if (!t)
        refuse(c, 404, "no such twin");
    return t;
}

static void switches_put(struct call *c, const struct twin *t)
{
    buf_char(&c->out, '{');
    for (size_t i = 0; i < t->switch_count; i++) {
        json_put_comma(&c->out);
        json_put_key(&c->out, t->switches[i].name);
        buf_char(&c->out, '{');
        json_put_int(&c->out, "value", t->switches[i].value);
        json_put_member(&c->out, "help", str_of(t->switches[i].help));
        buf_char(&c->out, '}');
    }
    buf_char(&c->out, '}');
    call_answer(c, 200);
}

static void ctl_switches(struct call *c)
{
    struct twin *t = twin_of(c);
    if (t)
        switches_put(c, t);
}

static void ctl_switches_set(struct call *c)
{
    struct twin *t = twin_of(c);
    if (!t)
        return;
    json_t *body = call_json(c, NULL), *value;
    if (!json_is_object(body))
        return refuse(c, 400, "wants {\"name\":value}");
    const char *name;
    json_object_foreach(body, name, value)
    {
        if (!twin_has_switch(t, name) || (!json_is_integer(value) && !json_is_boolean(value)))
            return refuse(c, 400, "no such switch, or its value is neither integer nor boolean");
    }
    json_object_foreach(body, name, value)
    {
        twin_switch_set(t, name, json_is_integer(value) ? json_integer_value(value) : json_is_true(value));
    }
    switches_put(c, t);
}

static void ctl_skew(struct call *c)
{
    struct twin *t = twin_of(c);
    if (!t)
        return;
    const json_t *ms = json_object_get(call_json(c, NULL), "ms");
    if (!json_is_integer(ms))
        return refuse(c, 400, "wants {\"ms\":integer}");
    t->skew_us = json_integer_value(ms) * US_PER_MS;
    call_answer_empty(c, 204);
}

/* One object a line becomes one array. */
static void lines_to_array(struct buf *b)
{
    if (!b->n) {
        buf_add(b, "[]", 2);
        return;
    }
    AUTO(buf_done) struct buf out = {.max = CALL_BODY_MAX};
    buf_char(&out, '[');
    str rest = buf_lent(b), line;
    while (str_split(&rest, '\n', &line)) {
        if (!line.n)
            continue;
        json_put_comma(&out);
        buf_str(&out, line);
    }
    buf_char(&out, ']');
    struct buf swap = *b;
    *b = out;
    out = swap;
}

static void ctl_dump(struct call *c)
{
    struct twin *t = twin_of(c);
    if (!t)
        return;
    if (!t->ops->dump || !t->ops->dump(t, c->capture[1], &c->out))
        return refuse(c, 404, "no such kind");
    str format = {0};
    call_query(c, "format", &format);
    if (str_is(format, "ndjson"))
        c->content_type = "application/x-ndjson";
    else
        lines_to_array(&c->out);
    call_answer(c, 200);
}

static void change_one(struct call *c, struct twin *t, const char *verb, str id, json_t *fields)
{
    if (!t->ops->change || !t->ops->change(c, t, verb, c->capture[1], id, fields))
        refuse(c, 404, "no such kind or verb");
}

static void ctl_create(struct call *c)
{
    struct twin *t = twin_of(c);
    if (!t)
        return;
    json_t *body = call_json(c, NULL), *one;
    if (json_is_object(body))
        return change_one(c, t, "create", (str){0}, body);
    if (!json_is_array(body))
        return refuse(c, 400, "wants a record, or an array of records");
    AUTO(buf_done) struct buf all = {.max = CALL_BODY_MAX};
    size_t i;
    buf_char(&all, '[');
    json_array_foreach(body, i, one)
    {
        buf_clear(&c->out);
        change_one(c, t, "create", (str){0}, one);
        if (c->status >= 300)
            return;
        json_put_comma(&all);
        buf_str(&all, buf_lent(&c->out));
    }
    buf_char(&all, ']');
    buf_clear(&c->out);
    buf_str(&c->out, buf_lent(&all));
    call_answer(c, 201);
}

static void ctl_update(struct call *c)
{
    struct twin *t = twin_of(c);
    if (!t)
        return;
    json_t *body = call_json(c, NULL);
    if (!json_is_object(body))
        return refuse(c, 400, "wants an object of fields");
    change_one(c, t, "update", c->capture[2], body);
}

static void ctl_verb(struct call *c)
{
    struct twin *t = twin_of(c);
    if (!t)
        return;
    AUTO(text_free) char *verb = str_dup(c->capture[3]);
    change_one(c, t, verb, c->capture[2], c->body.n ? call_json(c, NULL) : NULL);
}

static void ctl_twin(struct call *c)
{
    struct twin *t = twin_of(c);
    if (!t)
        return;
    bool wrong_method;
    c->path = c->capture[1];
    const struct route *r = route_find(t->ops->control, t->ops->control_count, c, &wrong_method);
    if (!r)
        return refuse(c, wrong_method ? 405 : 404, "no such control call; GET /_sim lists them");
    c->self = t->self;
    r->fn(c);
}

static void ctl_unknown(struct call *c)
{
    refuse(c, 404, "no such control call; GET /_sim lists them");
}

static void ctl_wrong_method(struct call *c)
{
    refuse(c, 405, "not with this method; GET /_sim lists the calls");
}

static const struct route routes[] = {
    {"GET", "/_sim", ctl_help},
    {"GET", "/_sim/state", ctl_state},
    {"POST", "/_sim/clock", ctl_clock},
    {"GET", "/_sim/faults", ctl_faults},
    {"POST", "/_sim/faults", ctl_fault_add},
    {"DELETE", "/_sim/faults", ctl_faults_clear},
    {"DELETE", "/_sim/faults/{id}", ctl_fault_remove},
    {"GET", "/_sim/calls", ctl_calls},
    {"DELETE", "/_sim/calls", ctl_calls_forget},
    {"GET", "/_sim/calls/count", ctl_count},
    {"POST", "/_sim/calls/bodies", ctl_bodies},
    {"GET", "/_sim/planted", ctl_planted},
    {"GET", "/_sim/violations", ctl_violations},
    {"GET", "/_sim/{twin}/switches", ctl_switches},
    {"POST", "/_sim/{twin}/switches", ctl_switches_set},
    {"POST", "/_sim/{twin}/skew", ctl_skew},
    {"GET", "/_sim/{twin}/dump/{kind}", ctl_dump},
    {"POST", "/_sim/{twin}/records/{kind}", ctl_create},
    {"PATCH", "/_sim/{twin}/records/{kind}/{id}", ctl_update},
    {"POST", "/_sim/{twin}/records/{kind}/{id}/{verb}", ctl_verb},
    {"*", "/_sim/{twin}/{rest*}", ctl_twin},
};

const struct twin_ops control_ops = {
    .name = "control",
    .routes = routes,
    .route_count = ARRAY_LEN(routes),
    .content_type = "application/json",
    .unknown = ctl_unknown,
    .wrong_method = ctl_wrong_method,
};
