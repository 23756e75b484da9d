/* Normalized change events for whoever listens: one line of JSON each. Nothing is built while nobody does. */
#include <stdlib.h>

#include "engine_int.h"

int64_t engine_events_add(struct engine *g, engine_event_fn fn, void *arg)
{
    struct listener *l = calloc(1, sizeof *l);
    ASSERT(l);
    *l = (struct listener){g->listeners, g->next_handle++, fn, arg};
    g->listeners = l;
    return l->handle;
}

void engine_events_remove(struct engine *g, int64_t handle)
{
    for (struct listener **at = &g->listeners; *at; at = &(*at)->next)
        if ((*at)->handle == handle) {
            struct listener *l = *at;
            *at = l->next;
            free(l);
            return;
        }
}

static void emit(struct engine *g, json_t *event)
{
    char text[32];
    json_object_set_new(event, "at", json_string(time_text(text, g_now(g))));
    char *line = json_dumps(event, JSON_COMPACT);
    for (struct listener *l = g->listeners, *next = NULL; l && line; l = next) {
        next = l->next;
        l->fn(l->arg, str_of(line));
    }
    free(line);
    json_decref(event);
}

static json_t *text_of(str s)
{
    return json_stringn(s.p ? s.p : "", s.n);
}

static const char *state_text(int32_t state)
{
    static const char *const names[] = {"live", "trashed", "deleted", "merged", "forbidden"};
    return state >= 0 && state <= TL_STATE_FORBIDDEN ? names[state] : "unknown";
}

void event_record(struct engine *g, const struct g_feed *f, const tl_record *r, const char *what)
{
    json_t *fields = json_object();
    for (uint32_t i = 0; i < r->n_values; i++) {
        if (r->values[i].field >= f->shape.n_fields)
            continue;
        AUTO(buf_done) struct buf text = {0};
        value_text(&text, &r->values[i]);
        str path = f->shape.fields[r->values[i].field].path;
        json_object_setn_new(fields, path.p, path.n,
                             r->values[i].type == TL_NULL ? json_null() : text_of(buf_lent(&text)));
    }
    json_t *event = json_object();
    json_object_set_new(event, "event", json_string(what));
    json_object_set_new(event, "endpoint", text_of(f->ep->row.name));
    json_object_set_new(event, "kind", text_of(f->row.kind));
    json_object_set_new(event, "id", text_of(r->id));
    json_object_set_new(event, "state", json_string(state_text(r->state)));
    json_object_set_new(event, "version", text_of(r->version));
    char at[32];
    json_object_set_new(event, "modified", r->modified_us ? json_string(time_text(at, r->modified_us)) : json_null());
    json_object_set_new(event, "fields", fields);
    emit(g, event);
}

void event_pair(struct engine *g, const struct g_link *l, int64_t pair, int side, str id, const char *what)
{
    if (!g->listeners)
        return;
    json_t *event = json_object();
    json_object_set_new(event, "event", json_string(what));
    json_object_set_new(event, "connection", text_of(l->conn->row.name));
    json_object_set_new(event, "link", text_of(l->row.name));
    json_object_set_new(event, "pair", json_integer(pair));
    json_object_set_new(event, "endpoint", text_of(l->conn->ep[side]->row.name));
    json_object_set_new(event, "id", text_of(id));
    emit(g, event);
}
