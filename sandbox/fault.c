/* Faults by name: kept in the order they were set, matched by twin, method and path, counted by the calls they fit. */
#include <stdio.h>
#include <stdlib.h>

#include "server_int.h"

/* Those the core applies itself; the rest are the twins' own. */
static const char *const core_names[] = {"307",      "429",       "500",         "502",         "503-json",
                                         "503-html", "503-empty", "html",        "drop-before", "drop-after",
                                         "truncate", "delay",     "expire-token"};

static const char *core_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(core_names); i++) {
        if (strcmp(core_names[i], name) == 0)
            return core_names[i];
    }
    return NULL;
}

static bool is_twin_name(const struct sandbox *w, const char *name)
{
    for (unsigned i = 0; i < w->twin_count; i++) {
        for (size_t j = 0; j < w->twins[i]->ops->fault_count; j++) {
            if (strcmp(w->twins[i]->ops->fault_names[j], name) == 0)
                return true;
        }
    }
    return false;
}

static bool fault_fits(const struct fault *f, const struct twin *t, const char *method, str path)
{
    return (!*f->twin || strcmp(f->twin, t->ops->name) == 0) &&
           (!*f->method || !method || strcmp(f->method, method) == 0) && (!*f->path || glob_fits(f->path, path));
}

/* Counts a call the fault fits; true when it is one of those it hits. */
static bool fault_due(struct fault *f)
{
    if (f->times && f->hits >= f->times)
        return false;
    if (f->seen++ < f->after)
        return false;
    f->hits++;
    return true;
}

const struct fault *fault_take(struct sandbox *w, const struct twin *t, const char *name, const char *method, str path)
{
    for (struct fault_entry *x = w->faults; x; x = x->next) {
        if (strcmp(x->f.name, name) == 0 && fault_fits(&x->f, t, method, path) && fault_due(&x->f))
            return &x->f;
    }
    return NULL;
}

static const char html_page[] = "<html><head><title>Error</title></head><body><h1>We're sorry</h1>"
                                "<p>The service is not available right now.</p></body></html>\n";

static void core_answer(struct call *c, const struct fault *f)
{
    if (strcmp(f->name, "503-html") == 0 || strcmp(f->name, "502") == 0)
        call_answer_text(c, f->name[2] == '2' ? 502 : 503, "text/html;charset=UTF-8", html_page);
    else if (strcmp(f->name, "html") == 0)
        call_answer_text(c, 200, "text/html;charset=UTF-8", html_page);
    else if (strcmp(f->name, "503-empty") == 0)
        call_answer_empty(c, 503);
    else
        call_answer_fmt(c, (int)strtol(f->name, NULL, 10), "{\"error\":\"%s\"}", f->name);
}

static void fault_answer(struct call *c, const struct fault *f)
{
    if (!c->twin->ops->fault_answer || !c->twin->ops->fault_answer(c, f))
        core_answer(c, f);
    if (f->retry_after >= 0) {
        char text[24];
        snprintf(text, sizeof text, "%lld", (long long)f->retry_after);
        call_add_header(c, "Retry-After", text);
    }
}

static void fault_apply(struct call_impl *i, const struct fault *f)
{
    struct call *c = &i->call;
    i->fault_name = core_name(f->name); /* outlives the fault */
    if (strcmp(f->name, "drop-before") == 0) {
        c->drop = true;
        c->status = -1;
    } else if (strcmp(f->name, "drop-after") == 0) {
        c->drop = true;
    } else if (strcmp(f->name, "truncate") == 0) {
        i->truncate = true;
        i->truncate_at = f->at;
    } else if (strcmp(f->name, "delay") == 0) {
        i->delay_ms += f->ms;
    } else if (strcmp(f->name, "expire-token") == 0) {
        if (c->twin->ops->expire)
            c->twin->ops->expire(c);
    } else {
        fault_answer(c, f);
    }
}

void faults_before(struct call_impl *i)
{
    struct call *c = &i->call;
    for (struct fault_entry *x = c->world->faults; x && !c->status; x = x->next) {
        if (core_name(x->f.name) && fault_fits(&x->f, c->twin, i->method_z, c->path) && fault_due(&x->f))
            fault_apply(i, &x->f);
    }
}

static char *text_of(const json_t *spec, const char *key)
{
    const char *z = json_string_value(json_object_get(spec, key));
    return text_dup(z ? z : "");
}

static int64_t int_of(const json_t *spec, const char *key, int64_t otherwise)
{
    const json_t *v = json_object_get(spec, key);
    return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

static int spec_check(const struct sandbox *w, const json_t *spec, struct err *e)
{
    static const char *const keys[] = {"name",  "twin", "method", "path",        "after",
                                       "times", "ms",   "at",     "retry_after", "text"};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)spec, key, value)
    {
        bool known = false;
        for (size_t i = 0; i < ARRAY_LEN(keys); i++)
            known |= strcmp(keys[i], key) == 0;
        if (!known)
            return err_set(e, E_USAGE, "unknown member \"%s\" in a fault", key);
    }
    const char *name = json_string_value(json_object_get(spec, "name"));
    if (!name || (!core_name(name) && !is_twin_name(w, name)))
        return err_set(e, E_USAGE, "no fault is named \"%s\"", name ? name : "");
    const char *twin = json_string_value(json_object_get(spec, "twin"));
    if (twin && *twin && !sandbox_twin((struct sandbox *)(uintptr_t)w, twin))
        return err_set(e, E_USAGE, "no twin is named \"%s\"", twin);
    return TL_OK;
}

const struct fault *fault_add(struct sandbox *w, const json_t *spec, struct err *e)
{
    if (spec_check(w, spec, e))
        return NULL;
    struct fault_entry *x = calloc(1, sizeof *x);
    ASSERT(x != NULL);
    x->f = (struct fault){
        .id = ++w->fault_seq,
        .name = text_of(spec, "name"),
        .twin = text_of(spec, "twin"),
        .method = text_of(spec, "method"),
        .path = text_of(spec, "path"),
        .text = text_of(spec, "text"),
        .after = int_of(spec, "after", 0),
        .times = int_of(spec, "times", 0),
        .ms = int_of(spec, "ms", 0),
        .at = int_of(spec, "at", -1),
        .retry_after = int_of(spec, "retry_after", -1),
    };
    struct fault_entry **end = &w->faults;
    while (*end)
        end = &(*end)->next;
    *end = x;
    return &x->f;
}

static void entry_free(struct fault_entry *x)
{
    const char *texts[] = {x->f.name, x->f.twin, x->f.method, x->f.path, x->f.text};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        text_free((char *)(uintptr_t)texts[i]);
    free(x);
}

bool fault_remove(struct sandbox *w, int64_t id)
{
    bool found = false;
    for (struct fault_entry **at = &w->faults; *at;) {
        struct fault_entry *x = *at;
        if (id && x->f.id != id) {
            at = &x->next;
            continue;
        }
        *at = x->next;
        entry_free(x);
        found = true;
    }
    return found || !id;
}

void faults_put(struct sandbox *w, struct buf *out)
{
    buf_char(out, '[');
    for (const struct fault_entry *x = w->faults; x; x = x->next) {
        json_put_comma(out);
        buf_char(out, '{');
        json_put_int(out, "id", x->f.id);
        json_put_member(out, "name", str_of(x->f.name));
        json_put_member(out, "twin", str_of(x->f.twin));
        json_put_member(out, "method", str_of(x->f.method));
        json_put_member(out, "path", str_of(x->f.path));
        json_put_int(out, "after", x->f.after);
        json_put_int(out, "times", x->f.times);
        json_put_int(out, "seen", x->f.seen);
        json_put_int(out, "hits", x->f.hits);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}
