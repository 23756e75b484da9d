/* Reading what is configured: endpoints, fields, connections, links, maps. */
#include "hooks.h"
#include "linkset.h"
#include "times.h"
#include "view_reading.h"
#include "view_util.h"
#include "writing.h"

json_t *view_str(str s)
{
    json_t *t = json_stringn(s.p ? s.p : "", s.n);
    return t ? t : json_string("?");
}

json_t *view_text_or_null(str s)
{
    return s.n ? view_str(s) : json_null();
}

json_t *view_time(int64_t us)
{
    char text[32];
    return us ? json_string(time_text(text, us)) : json_null();
}

static json_t *items(json_t *list)
{
    json_t *o = json_object();
    json_object_set_new(o, "items", list);
    return o;
}

bool view_describe(struct db *r, struct arena *a, struct arena *arrays, int64_t endpoint, str kind, tl_kind *out)
{
    struct kind_row row = {0};
    struct err e = {0};
    struct reply reply = {0};
    struct item item;
    if (kind_get(r, a, endpoint, kind, &row, &e) != TL_OK || row.description.n == 0)
        return false;
    struct reply_reader reader;
    reply.items.p = (char *)row.description.p;
    reply.items.n = row.description.n;
    reply_reader_init(&reader, &reply);
    bool ok = reply_next(&reader, &item) && item.kind == ITEM_KIND;
    if (ok)
        *out = item.u.described;
    *arrays = reader.scratch;
    return ok;
}

static const char *class_name(const tl_kind *k)
{
    bool stamped = k->stamp_field.n > 0;
    if (stamped && (k->can & TL_CAN_STAMP_UNIQUE))
        return "C1";
    if (stamped && (k->can & TL_CAN_STAMP_FIND))
        return "C2";
    return k->can & (TL_CAN_FIND | TL_CAN_FIND_CREATED) ? "C3" : "C4";
}

/* What is read of the kind for its own sake; null: nothing. */
static json_t *mirror_json(struct db *r, const struct feed *feeds, size_t n, str kind)
{
    for (size_t i = 0; i < n; i++)
        if (feeds[i].mirrored && str_eq(feeds[i].kind, kind))
            return json_pack("{s:I,s:o}", "records", (json_int_t)feed_record_count(r, feeds[i].feed), "read",
                             view_time(feeds[i].pulled_us ? feeds[i].pulled_us : feeds[i].full_pass_us));
    return json_null();
}

static json_t *endpoint_json(struct db *r, struct arena *a, const struct endpoint *ep)
{
    static const char *const auth[] = {"none", "ok", "expiring", "failed"};
    json_t *o = json_object();
    json_object_set_new(o, "name", view_str(ep->name));
    json_object_set_new(o, "connector", view_str(ep->connector));
    json_object_set_new(o, "org_key", view_text_or_null(ep->org_key));
    json_object_set_new(o, "org_name", view_text_or_null(ep->org_name));
    json_object_set_new(o, "edition", view_text_or_null(ep->edition));
    json_object_set_new(o, "user", view_text_or_null(ep->user_name));
    json_object_set_new(o, "auth",
                        json_string(ep->auth_state >= 0 && ep->auth_state < 4 ? auth[ep->auth_state] : "none"));
    json_object_set_new(o, "present", json_boolean(ep->present));
    json_object_set_new(o, "block_code", view_text_or_null(ep->block_code));
    json_object_set_new(o, "block_text", view_text_or_null(ep->block_text));
    json_object_set_new(o, "clock_offset_ms", json_integer(ep->clock_offset_us / 1000));
    json_object_set_new(o, "checked", view_time(ep->checked_us));
    json_object_set_new(o, "discovered", view_time(ep->discovered_us));
    json_t *kinds = json_array();
    struct kind_row *rows = NULL;
    struct feed *feeds = NULL;
    size_t n = 0, n_feeds = 0;
    struct err e = {0};
    (void)feed_list(r, a, ep->endpoint, &feeds, &n_feeds, &e); /* none then */
    for (size_t i = 0; kind_list(r, a, ep->endpoint, &rows, &n, &e) == TL_OK && i < n; i++) {
        AUTO(arena_done) struct arena arrays = {0};
        tl_kind k;
        if (!view_describe(r, a, &arrays, ep->endpoint, rows[i].kind, &k))
            continue;
        json_t *row = json_object();
        json_object_set_new(row, "kind", view_str(k.kind));
        json_object_set_new(row, "fields", json_integer(k.n_fields));
        json_object_set_new(row, "stamp_field", view_text_or_null(k.stamp_field));
        json_object_set_new(row, "create_class", json_string(class_name(&k)));
        json_object_set_new(row, "mirror", mirror_json(r, feeds, n_feeds, k.kind));
        json_array_append_new(kinds, row);
    }
    json_object_set_new(o, "kinds", kinds);
    struct quota_row *quotas = NULL;
    json_t *list = json_array();
    if (quota_list(r, a, ep->endpoint, &quotas, &n, &e) == TL_OK)
        for (size_t i = 0; i < n; i++)
            json_array_append_new(list,
                                  json_pack("{s:o,s:I,s:I,s:o}", "name", view_str(quotas[i].name), "limit",
                                            (json_int_t)quotas[i].limit, "remaining", (json_int_t)quotas[i].remaining,
                                            "resets", view_time(quotas[i].resets_us)));
    json_object_set_new(o, "quotas", list);
    return o;
}

int view_endpoints(struct db *r, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct endpoint *rows = NULL;
    size_t n = 0;
    int rc = endpoint_list(r, &a, &rows, &n, e);
    if (rc != TL_OK)
        return rc;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, endpoint_json(r, &a, &rows[i]));
    *out = items(list);
    return TL_OK;
}

static int find_endpoint(struct db *r, struct arena *a, const char *name, struct endpoint *out, struct err *e)
{
    int rc = endpoint_find(r, a, str_of(name), out, e);
    if (rc == TL_E_NOT_FOUND) {
        err_set(e, rc, "no endpoint \"%s\"", name);
        err_hint(e, "`tieline endpoint list` shows them");
    }
    return rc;
}

int view_endpoint(struct db *r, const char *name, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct endpoint ep = {0};
    int rc = find_endpoint(r, &a, name, &ep, e);
    if (rc == TL_OK)
        *out = endpoint_json(r, &a, &ep);
    return rc;
}

static const char *type_name(uint32_t t)
{
    static const char *const names[] = {"null",  "bool",  "int", "time",   "date", "decimal", "text", "multiline",
                                        "email", "phone", "url", "choice", "ref",  "list",    "json", "bytes"};
    return t < ARRAY_LEN(names) ? names[t] : "json";
}

static json_t *field_json(const tl_field *f)
{
    json_t *o = json_object();
    json_object_set_new(o, "path", view_str(f->path));
    json_object_set_new(o, "name", view_str(f->name));
    json_object_set_new(o, "label", view_str(f->label));
    json_object_set_new(o, "type", json_string(type_name(f->type)));
    json_object_set_new(o, "max", f->max ? json_integer(f->max) : json_null());
    json_object_set_new(o, "required", json_boolean(f->flags & TL_F_REQUIRED));
    json_object_set_new(o, "read_only", json_boolean(f->flags & TL_F_READONLY));
    json_object_set_new(o, "custom", json_boolean(f->flags & TL_F_CUSTOM));
    json_object_set_new(o, "unique", json_boolean(f->flags & TL_F_UNIQUE));
    json_object_set_new(o, "match", json_boolean(f->flags & TL_F_MATCH));
    json_object_set_new(o, "stamp", json_boolean(f->flags & TL_F_STAMP));
    json_object_set_new(o, "closed", json_boolean(f->flags & TL_F_CLOSED));
    json_object_set_new(o, "create_only", json_boolean(f->flags & TL_F_CREATE_ONLY));
    json_object_set_new(o, "n_choices", f->n_choices ? json_integer(f->n_choices) : json_null());
    json_object_set_new(o, "refers_to", view_text_or_null(f->refers_to));
    json_t *choices = json_array();
    for (uint32_t i = 0; i < f->n_choices; i++)
        json_array_append_new(choices, json_pack("{s:o,s:o}", "value", view_str(f->choices[i].value), "label",
                                                 view_str(f->choices[i].label)));
    json_object_set_new(o, "choices", choices);
    return o;
}

int view_fields(struct db *r, const char *endpoint, const char *kind, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct endpoint ep = {0};
    struct kind_row *rows = NULL;
    size_t n = 0;
    int rc = find_endpoint(r, &a, endpoint, &ep, e);
    if (rc == TL_OK)
        rc = kind_list(r, &a, ep.endpoint, &rows, &n, e);
    if (rc != TL_OK)
        return rc;
    json_t *list = json_array();
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        AUTO(arena_done) struct arena arrays = {0};
        tl_kind k;
        size_t want = kind ? strlen(kind) : 0;
        bool plural =
            kind && want == rows[i].kind.n + 1 && kind[want - 1] == 's' && memcmp(kind, rows[i].kind.p, want - 1) == 0;
        if ((kind && !plural && !str_is(rows[i].kind, kind)) ||
            !view_describe(r, &a, &arrays, ep.endpoint, rows[i].kind, &k))
            continue;
        any = true;
        for (uint32_t f = 0; f < k.n_fields; f++) {
            json_t *row = field_json(TL_AT(tl_field, k.fields, k.field_stride, f));
            json_object_set_new(row, "kind", view_str(k.kind));
            json_array_append_new(list, row);
        }
    }
    if (!any) {
        json_decref(list);
        err_set(e, TL_E_NOT_FOUND,
                kind ? "endpoint \"%s\" has no kind \"%s\"" : "the fields of endpoint \"%s\" are not known yet%s",
                endpoint, kind ? kind : "");
        err_hint(e, "run `tieline endpoint check %s`", endpoint);
        return TL_E_NOT_FOUND;
    }
    *out = items(list);
    return TL_OK;
}

int view_find_connection(struct db *r, struct arena *a, const char *name, struct connection *out, struct err *e)
{
    int rc = connection_find(r, a, str_of(name), out, e);
    if (rc == TL_E_NOT_FOUND) {
        err_set(e, rc, "no connection \"%s\"", name);
        err_hint(e, "`tieline connection list` shows them");
    }
    return rc;
}

int view_find_link(struct db *r, struct arena *a, const char *connection, const char *kind, struct connection *conn,
                   struct link *out, struct err *e)
{
    int rc = view_find_connection(r, a, connection, conn, e);
    if (rc != TL_OK)
        return rc;
    str name = str_of(kind);
    rc = link_find(r, a, conn->connection, name, out, e);
    if (rc == TL_E_NOT_FOUND && name.n > 1 && name.p[name.n - 1] == 's')
        rc = link_find(r, a, conn->connection, str_n(name.p, name.n - 1), out, e);
    if (rc == TL_E_NOT_FOUND) {
        err_set(e, rc, "connection \"%s\" has no link \"%s\"", connection, kind);
        err_hint(e, "`tieline link list %s` shows them", connection);
    }
    return rc;
}

static str endpoint_name(struct db *r, struct arena *a, int64_t id)
{
    struct endpoint ep = {0};
    struct err e = {0};
    return endpoint_get(r, a, id, &ep, &e) == TL_OK ? ep.name : (str){0};
}

json_t *view_link_json(struct db *r, struct arena *a, const struct connection *c, const struct link *l)
{
    static const char *const phases[] = {"new", "observing", "matching", "settling", "live"};
    static const char *const directions[] = {"both", "a2b", "b2a"};
    json_t *o = json_object();
    struct err e = {0};
    json_object_set_new(o, "connection", view_str(c->name));
    json_object_set_new(o, "kind", view_str(l->name));
    json_object_set_new(o, "a_kind", view_str(l->kind[0]));
    json_object_set_new(o, "b_kind", view_str(l->kind[1]));
    json_object_set_new(o, "phase", json_string(l->phase >= 0 && l->phase <= 4 ? phases[l->phase] : "new"));
    json_object_set_new(o, "enabled", json_boolean(l->enabled));
    json_object_set_new(o, "brake_code", view_text_or_null(l->brake_code));
    json_object_set_new(o, "brake_text", view_text_or_null(l->brake_text));
    struct setting *rows = NULL;
    size_t n = 0;
    struct link_settings s;
    link_settings_init(&s);
    json_t *settings = json_array();
    if (setting_list(r, a, SETTING_LINK, l->link, &rows, &n, &e) == TL_OK)
        for (size_t i = 0; i < n; i++) {
            (void)link_setting_apply(&s, rows[i].key, rows[i].value, &e);
            json_array_append_new(settings, json_pack("{s:o,s:o,s:b,s:o}", "key", view_str(rows[i].key), "value",
                                                      view_str(rows[i].value), "pinned", rows[i].pinned, "origin",
                                                      view_str(rows[i].origin)));
        }
    json_object_set_new(o, "created_from", view_time(s.slides ? 0 : l->created_from_us));
    json_object_set_new(o, "direction", json_string(directions[s.direction]));
    json_object_set_new(o, "every_seconds", json_integer(s.every_us / US_PER_S));
    json_object_set_new(o, "settings", settings);
    for (int side = 0; side < 2; side++) {
        AUTO(arena_done) struct arena arrays = {0};
        tl_kind k;
        json_object_set_new(o, side ? "create_class_b" : "create_class_a",
                            view_describe(r, a, &arrays, c->endpoint[side], l->kind[side], &k)
                                ? json_string(class_name(&k))
                                : json_null());
    }
    json_object_set_new(o, "reading", view_reading(r, l));
    struct link_tally t = {0};
    if (link_count(r, l->link, &t, &e) == TL_OK) {
        json_t *counts = json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "pairs", (json_int_t)t.pairs, "complete",
                                   (json_int_t)t.complete, "unsettled", (json_int_t)t.unsettled, "parked",
                                   (json_int_t)t.parked, "failed", (json_int_t)t.failed, "quarantined",
                                   (json_int_t)t.quarantined, "failures", (json_int_t)t.failures);
        json_object_set_new(o, "counts", counts);
    }
    return o;
}

static json_t *connection_json(struct db *r, struct arena *a, const struct connection *c)
{
    json_t *o = json_object(), *links = json_array();
    struct link *rows = NULL;
    size_t n = 0;
    struct err e = {0};
    json_object_set_new(o, "name", view_str(c->name));
    json_object_set_new(o, "a", view_str(endpoint_name(r, a, c->endpoint[0])));
    json_object_set_new(o, "b", view_str(endpoint_name(r, a, c->endpoint[1])));
    json_object_set_new(o, "state", json_string(conn_state_name(c->state)));
    json_object_set_new(o, "since", view_time(c->state_us));
    json_object_set_new(o, "block_code", view_text_or_null(c->block_code));
    json_object_set_new(o, "block_text", view_text_or_null(c->block_text));
    json_object_set_new(o, "gone_at", view_time(c->delete_us));
    if (link_list(r, a, c->connection, &rows, &n, &e) == TL_OK)
        for (size_t i = 0; i < n; i++)
            json_array_append_new(links, view_link_json(r, a, c, &rows[i]));
    json_object_set_new(o, "links", links);
    return o;
}

int view_connections(struct db *r, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct connection *rows = NULL;
    size_t n = 0;
    int rc = connection_list(r, &a, &rows, &n, e);
    if (rc != TL_OK)
        return rc;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, connection_json(r, &a, &rows[i]));
    *out = items(list);
    return TL_OK;
}

int view_connection(struct db *r, const char *name, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct connection c = {0};
    int rc = view_find_connection(r, &a, name, &c, e);
    if (rc == TL_OK)
        *out = connection_json(r, &a, &c);
    return rc;
}

int view_links(struct db *r, const char *connection, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct connection c = {0};
    struct link *rows = NULL;
    size_t n = 0;
    int rc = view_find_connection(r, &a, connection, &c, e);
    if (rc == TL_OK)
        rc = link_list(r, &a, c.connection, &rows, &n, e);
    if (rc != TL_OK)
        return rc;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, view_link_json(r, &a, &c, &rows[i]));
    *out = items(list);
    return TL_OK;
}

int view_link(struct db *r, const char *connection, const char *kind, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct connection c = {0};
    struct link l = {0};
    int rc = view_find_link(r, &a, connection, kind, &c, &l, e);
    if (rc == TL_OK)
        *out = view_link_json(r, &a, &c, &l);
    return rc;
}

int view_hooks(struct db *r, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct endpoint *rows = NULL;
    size_t n = 0;
    int rc = endpoint_list(r, &a, &rows, &n, e);
    if (rc != TL_OK)
        return rc;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        struct webhook w = {0};
        if (webhook_get(r, &a, rows[i].endpoint, &w, e) != TL_OK)
            continue;
        json_array_append_new(list,
                              json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:I,s:I,s:I}", "endpoint", view_str(rows[i].name),
                                        "id", view_text_or_null(w.id), "kinds", view_str(w.kinds), "subscribed",
                                        view_time(w.subscribed_us), "expires", view_time(w.expires_us), "last_received",
                                        view_time(w.received_us), "accepted", (json_int_t)w.accepted, "refused",
                                        (json_int_t)w.refused, "duplicates", (json_int_t)w.duplicates));
    }
    *out = items(list);
    return TL_OK;
}
