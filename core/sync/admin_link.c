/* Links and their field maps. */
#include <stdlib.h>

#include "admin_util.h"
#include "brake.h"
#include "config_value.h"
#include "linkset.h"
#include "map_sample.h"
#include "refmap.h"
#include "view.h"

static int setting_check(const struct admin_setting *set, unsigned n, struct err *e)
{
    struct link_settings s;
    link_settings_init(&s);
    for (unsigned i = 0; i < n; i++) {
        int rc = link_setting_apply(&s, str_of(set[i].key), str_of(set[i].value), e);
        if (rc != TL_OK)
            return rc;
    }
    return TL_OK;
}

static const char *setting_of(const struct admin_setting *set, unsigned n, const char *key)
{
    for (unsigned i = 0; i < n; i++)
        if (strcmp(set[i].key, key) == 0)
            return set[i].value;
    return NULL;
}

static bool says_yes(const char *value, bool otherwise)
{
    bool yes = otherwise;
    return value && config_parse_bool(value, &yes) ? yes : otherwise;
}

/* A match field must be one that both sides have: with a name nobody knows nothing would match, and every record would
 * get a second counterpart. */
static int match_check(const struct g_conn *c, const str kind[2], const char *match, struct err *e)
{
    if (!match || !*match || strcmp(match, "off") == 0)
        return TL_OK;
    for (int s = 0; s < 2; s++) {
        const struct g_kind *k = c->ep[s]->kinds ? model_kind(c->ep[s], kind[s]) : NULL;
        const tl_field *f = k ? field_by_name(&k->desc, str_of(match)) : NULL;
        if (!k || (f && str_is(f->path, match)))
            continue;
        err_set(e, E_USAGE, "match = %s: endpoint \"%.*s\" has no such field", match, STR_FMT(c->ep[s]->row.name));
        err_hint(e, "a path that both sides have, see `tieline endpoint fields %.*s`; or off",
                 STR_FMT(c->ep[s]->row.name));
        return E_USAGE;
    }
    return TL_OK;
}

/* A list view that nobody evaluates would be no view: everything would be exchanged. */
static int views_check(const struct g_conn *c, const str kind[2], const struct admin_setting *set, unsigned n,
                       struct err *e)
{
    static const char *const keys[] = {"view.a", "view.b"};
    for (int s = 0; s < 2; s++) {
        const char *view = setting_of(set, n, keys[s]);
        const struct g_kind *k = model_kind(c->ep[s], kind[s]);
        if (!view || !*view || !k || (k->desc.can & TL_CAN_VIEW))
            continue;
        err_set(e, E_USAGE, "%s = %s: endpoint \"%.*s\" has no list views of \"%.*s\"", keys[s], view,
                STR_FMT(c->ep[s]->row.name), STR_FMT(kind[s]));
        err_hint(e, "leave it out; created_within narrows what is exchanged on both sides");
        return E_USAGE;
    }
    return TL_OK;
}

static int settings_as_set(struct engine *g, const struct g_link *l, const struct admin_setting *set, unsigned n,
                           struct arena *a, struct link_settings *out, struct err *e)
{
    link_settings_init(out);
    int rc = l ? map_settings_read(g->db, a, l->row.link, out, e) : TL_OK;
    for (unsigned i = 0; i < n && rc == TL_OK; i++)
        rc = link_setting_apply(out, str_of(set[i].key), str_of(set[i].value), e);
    return rc;
}

/* Settings that do not go together, and deletions that a connector cannot send. l NULL: a link that is made. */
static int fit_check(struct engine *g, const struct g_link *l, const struct g_conn *c, const str kind[2],
                     const struct admin_setting *set, unsigned n, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct link_settings s;
    const char *word = setting_of(set, n, "delete");
    if (n == 0)
        return TL_OK;
    int rc = settings_as_set(g, l, set, n, &a, &s, e);
    if (rc == TL_OK && link_settings_misfit(&s, e))
        rc = E_USAGE;
    if (rc != TL_OK || (!word && !setting_of(set, n, "direction")))
        return rc;
    for (int to = 0; to < 2; to++) {
        const struct g_kind *k = model_kind(c->ep[to], kind[to]);
        if (!s.deletes[to] || !link_allows(s.direction, to) || !k || (k->desc.can & TL_CAN_DELETE))
            continue;
        err_set(e, E_USAGE, "delete = %s: endpoint \"%.*s\" cannot delete a \"%.*s\"", word ? word : "propagate",
                STR_FMT(c->ep[to]->row.name), STR_FMT(kind[to]));
        err_hint(e, "its connector offers no deletion for this account; delete=keep leaves the counterpart as it is");
        return E_USAGE;
    }
    return TL_OK;
}

static int settings_store(struct engine *g, int64_t link, const struct admin_setting *set, unsigned n, struct err *e)
{
    int rc = TL_OK;
    for (unsigned i = 0; i < n && rc == TL_OK; i++)
        if (strcmp(set[i].key, "a_kind") != 0 && strcmp(set[i].key, "b_kind") != 0)
            rc = setting_set(g->db, SETTING_LINK, link, set[i].key, str_of(set[i].value), STR("admin"), e);
    return rc;
}

/* Pairs, observations and maps belong to the kinds a link was made with. */
static int kinds_fixed(const struct g_link *l, const struct admin_setting *set, unsigned n, struct err *e)
{
    static const char *const keys[] = {"a_kind", "b_kind"};
    for (int s = 0; s < 2; s++) {
        const char *kind = setting_of(set, n, keys[s]);
        if (!kind || str_is(l->row.kind[s], kind))
            continue;
        err_set(e, E_PRECONDITION, "%s = %s: link \"%.*s\" was made with kind \"%.*s\" on side %c, and stays so",
                keys[s], kind, STR_FMT(l->row.name), STR_FMT(l->row.kind[s]), "ab"[s]);
        err_code(e, "KIND_FIXED");
        err_hint(e, "`tieline link delete %.*s %.*s`, then make it anew", STR_FMT(l->conn->row.name),
                 STR_FMT(l->row.name));
        return E_PRECONDITION;
    }
    return TL_OK;
}

enum { SETTINGS_MAX = 32 };

/* What differs from the values that count: a file read again changes nothing, and wakes nobody. */
static int settings_changed(struct engine *g, int64_t link, const struct admin_setting *set, unsigned n,
                            struct admin_setting *out, unsigned *n_out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    *n_out = 0;
    for (unsigned i = 0; i < n; i++) {
        struct setting now = {0};
        if (strcmp(set[i].key, "a_kind") == 0 || strcmp(set[i].key, "b_kind") == 0)
            continue;
        int rc = setting_get(g->db, &a, SETTING_LINK, link, set[i].key, &now, e);
        if (rc != TL_OK && rc != TL_E_NOT_FOUND)
            return rc;
        if (str_is(now.value, set[i].value))
            continue;
        if (*n_out == SETTINGS_MAX)
            return err_set(e, E_USAGE, "too many settings at once");
        out[(*n_out)++] = set[i];
    }
    return TL_OK;
}

/* Feeds follow the list views; a changed view is another feed. */
static int link_feeds(struct engine *g, struct g_conn *c, struct link *row, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    int rc = TL_OK;
    for (int s = 0; s < 2 && rc == TL_OK; s++) {
        struct setting view = {0};
        rc = row->link ? setting_get(g->db, &a, SETTING_LINK, row->link, s ? "view.b" : "view.a", &view, e)
                       : TL_E_NOT_FOUND;
        if (rc == TL_OK || rc == TL_E_NOT_FOUND)
            rc = feed_ensure(g->db, c->row.endpoint[s], row->kind[s], view.value, &row->feed[s], e);
    }
    return rc;
}

static int32_t topo_of(str kind)
{
    static const char *const order[] = {"user", "department", "account", "contact", "product", "deal"};
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        if (str_is(kind, order[i]))
            return (int32_t)i;
    return (int32_t)ARRAY_LEN(order);
}

/* The map of a new link, and what the maps of others gain by it. In the transaction that makes it: no link is ever
 * there without its map. */
static int link_maps(struct engine *g, struct g_conn *c, const struct link *row, json_t *added, struct err *e)
{
    const struct g_link made = {.conn = c, .row = *row};
    int rc = TL_OK;
    if (model_kind(c->ep[0], row->kind[0]) && model_kind(c->ep[1], row->kind[1]))
        rc = default_map_store(g, &made, e);
    return rc == TL_OK ? refmap_join(g, &made, added, e) : rc;
}

/* Whether a link may be made so; the row it would be. */
static int create_check(struct engine *g, const struct g_conn *c, const char *kind, const struct admin_setting *set,
                        unsigned n, struct link *row_out, struct err *e)
{
    int rc = setting_check(set, n, e);
    if (rc == TL_OK && c->row.state == CONN_DELETING) {
        rc = err_set(e, E_PRECONDITION, "connection \"%.*s\" is being deleted", STR_FMT(c->row.name));
        err_hint(e, "`tieline connection undelete %.*s` within the grace", STR_FMT(c->row.name));
    }
    if (rc != TL_OK)
        return rc;
    str plain = kind_plain(str_of(kind));
    const char *ka = setting_of(set, n, "a_kind"), *kb = setting_of(set, n, "b_kind");
    struct link row = {.connection = c->row.connection,
                       .name = plain,
                       .mode = LINK_SYNC,
                       .topo = topo_of(plain),
                       .enabled = says_yes(setting_of(set, n, "enabled"), true),
                       .made_us = g_now(g)};
    row.kind[0] = ka ? str_of(ka) : plain;
    row.kind[1] = kb ? str_of(kb) : plain;
    for (int s = 0; s < 2; s++)
        if (c->ep[s]->kinds && !model_kind(c->ep[s], row.kind[s])) {
            err_set(e, E_USAGE, "endpoint \"%.*s\" has no kind \"%.*s\"", STR_FMT(c->ep[s]->row.name),
                    STR_FMT(row.kind[s]));
            err_hint(e, "`tieline endpoint fields %.*s` shows its kinds", STR_FMT(c->ep[s]->row.name));
            return E_USAGE;
        }
    rc = match_check(c, row.kind, setting_of(set, n, "match"), e);
    if (rc == TL_OK)
        rc = views_check(c, row.kind, set, n, e);
    if (rc == TL_OK)
        rc = fit_check(g, NULL, c, row.kind, set, n, e);
    if (rc == TL_OK)
        *row_out = row;
    return rc;
}

int admin_link_create(struct engine *g, const char *connection, const char *kind, const struct admin_setting *set,
                      unsigned n, json_t **out, struct err *e)
{
    struct g_conn *c = admin_conn(g, connection, e);
    struct link row;
    int rc = c ? create_check(g, c, kind, set, n, &row, e) : TL_E_NOT_FOUND;
    if (rc != TL_OK)
        return rc;
    rc = g_begin(g, e);
    if (rc == TL_OK)
        rc = link_feeds(g, c, &row, e);
    if (rc == TL_OK)
        rc = link_create(g->db, &row, e);
    if (rc == TL_OK)
        rc = settings_store(g, row.link, set, n, e);
    if (rc == TL_OK && (setting_of(set, n, "view.a") || setting_of(set, n, "view.b"))) {
        rc = link_feeds(g, c, &row, e);
        if (rc == TL_OK)
            rc = link_update(g->db, &row, e);
    }
    json_t *added = json_array(), *left_out = json_array();
    if (rc == TL_OK)
        rc = link_maps(g, c, &row, added, e);
    if (rc == TL_OK)
        rc = db_commit(g->db, e);
    else
        db_rollback(g->db);
    if (rc == TL_OK)
        rc = model_load_link(g, row.link, e);
    if (rc == TL_OK)
        rc = admin_rebuild(g, c, e);
    struct g_link *l = rc == TL_OK ? model_link(g, row.link) : NULL;
    if (rc == TL_OK)
        rc = admin_show_link(g, l, out, e);
    if (rc == TL_OK && out) {
        refmap_left_out(g, l, left_out);
        json_object_set(*out, "references_mapped", added);
        json_object_set(*out, "references_left_out", left_out);
    }
    json_decref(added);
    json_decref(left_out);
    return rc;
}

static bool names_views(const struct admin_setting *set, unsigned n)
{
    return setting_of(set, n, "view.a") || setting_of(set, n, "view.b");
}

/* Whether a link may be changed so; set: what differs from what counts. */
static int set_check(struct engine *g, const struct g_link *l, const struct admin_setting *asked, unsigned n_asked,
                     struct admin_setting *set, unsigned *n_out, struct err *e)
{
    unsigned n = 0;
    int rc = setting_check(asked, n_asked, e);
    if (rc == TL_OK)
        rc = kinds_fixed(l, asked, n_asked, e);
    if (rc == TL_OK)
        rc = settings_changed(g, l->row.link, asked, n_asked, set, &n, e);
    if (rc == TL_OK)
        rc = match_check(l->conn, l->row.kind, setting_of(set, n, "match"), e);
    if (rc == TL_OK)
        rc = views_check(l->conn, l->row.kind, set, n, e);
    if (rc == TL_OK)
        rc = fit_check(g, l, l->conn, l->row.kind, set, n, e);
    if (rc == TL_OK && names_views(set, n) && l->row.phase != PHASE_NEW) {
        rc = err_set(e, E_PRECONDITION, "the list view cannot be changed once the first sync has begun");
        err_hint(e, "pairs belong to the view they were made in: delete the connection and make it anew");
    }
    *n_out = n;
    return rc;
}

int admin_link_check(struct engine *g, const char *connection, const char *kind, const struct admin_setting *set,
                     unsigned n, struct err *e)
{
    struct admin_setting changed[SETTINGS_MAX];
    unsigned n_changed;
    struct link row;
    const struct g_conn *c = admin_conn(g, connection, NULL);
    if (!c)
        return setting_check(set, n, e);
    const struct g_link *l = admin_link(g, connection, kind, NULL);
    return l ? set_check(g, l, set, n, changed, &n_changed, e) : create_check(g, c, kind, set, n, &row, e);
}

int admin_link_set(struct engine *g, const char *connection, const char *kind, const struct admin_setting *asked,
                   unsigned n_asked, json_t **out, struct err *e)
{
    struct admin_setting set[SETTINGS_MAX];
    unsigned n = 0;
    struct g_link *l = admin_link(g, connection, kind, e);
    int rc = l ? set_check(g, l, asked, n_asked, set, &n, e) : TL_E_NOT_FOUND;
    if (rc != TL_OK)
        return rc;
    if (n == 0)
        return admin_show_link(g, l, out, e);
    const char *enabled = setting_of(set, n, "enabled");
    bool views = names_views(set, n);
    rc = g_begin(g, e);
    if (rc == TL_OK)
        rc = settings_store(g, l->row.link, set, n, e);
    if (rc == TL_OK && setting_of(set, n, "max_changes") && str_is(l->row.brake_code, BRAKE_CHANGES))
        rc = link_unbrake(g, l, e);
    struct link row = l->row;
    if (enabled)
        row.enabled = says_yes(enabled, true);
    if (rc == TL_OK && views)
        rc = link_feeds(g, l->conn, &row, e);
    if (rc == TL_OK && (enabled || views))
        rc = link_update(g->db, &row, e);
    if (rc == TL_OK && l->row.phase == PHASE_LIVE)
        rc = link_wake_all(g, l, true, e);
    if (rc == TL_OK)
        rc = db_commit(g->db, e);
    else
        db_rollback(g->db);
    if (rc == TL_OK)
        rc = admin_rebuild(g, l->conn, e);
    return rc == TL_OK ? admin_show_link(g, l, out, e) : rc;
}

int admin_link_pin(struct engine *g, const char *connection, const char *kind, const char *keys, const char *place,
                   struct err *e)
{
    struct g_link *l = admin_link(g, connection, kind, e);
    if (!l)
        return TL_E_NOT_FOUND;
    AUTO(arena_done) struct arena a = {0};
    size_t n = 0, most = 1;
    int rc = TL_OK;
    for (const char *p = keys; *p; p++)
        most += *p == ',';
    struct setting *pins = arena_array(&a, struct setting, most);
    for (str rest = str_of(keys), key; rc == TL_OK && str_split(&rest, ',', &key);) {
        str name = arena_str(&a, str_trim(key));
        if (name.n == 0 || !link_setting_known(name))
            continue;
        rc = setting_get(g->db, &a, SETTING_LINK, l->row.link, name.p, &pins[n], e);
        if (rc == TL_E_NOT_FOUND) {
            rc = TL_OK;
            continue;
        }
        pins[n].key = name;
        pins[n].pinned = true;
        pins[n++].origin = str_of(place);
    }
    if (rc == TL_OK)
        rc = setting_pin(g->db, SETTING_LINK, l->row.link, pins, n, e);
    return rc == TL_OK ? admin_rebuild(g, l->conn, e) : rc;
}
