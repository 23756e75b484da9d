/* Profiles and their permissions as JSON. */
#include "permission_view.h"

#include "buf.h"
#include "view_util.h"

int permission_profile(struct db *r, struct arena *a, const struct permission_ends *ends, const char *profile,
                       struct profile *out, struct err *e)
{
    int rc = profile_find(r, a, ends->helpdesk.endpoint, str_of(profile), out, e);
    if (rc != TL_E_NOT_FOUND)
        return rc;
    err_set(e, rc, "\"%.*s\" has no profile \"%s\"", STR_FMT(ends->helpdesk.name), profile);
    err_hint(e, "`tieline profile list %.*s` shows them", STR_FMT(ends->connection.name));
    return rc;
}

static json_t *items_json(const struct permission_object *o, uint64_t set)
{
    json_t *list = json_array();
    for (size_t i = 0; i < o->n; i++)
        if (set & UINT64_C(1) << i)
            json_array_append_new(list, view_str(o->items[i]));
    return list;
}

json_t *permission_object_json(const struct permission_object *o, uint64_t set)
{
    return json_pack("{s:o,s:s,s:o}", "object", view_str(o->name), "access", permission_access(o, set), "granted",
                     items_json(o, set));
}

static json_t *objects_json(const struct permission_objects *all, const struct grants *g, bool with_items)
{
    json_t *list = json_array();
    for (size_t i = 0; i < all->n; i++) {
        const struct permission_object *o = &all->of[i];
        uint64_t set = permission_set_of(o, g);
        if (o->sort == PERMISSION_SWITCH)
            continue; /* that is "visible" of the profile */
        json_t *row = with_items
                          ? permission_object_json(o, set)
                          : json_pack("{s:o,s:s}", "object", view_str(o->name), "access", permission_access(o, set));
        if (with_items)
            json_object_set_new(row, "not_granted", items_json(o, ~set));
        json_array_append_new(list, row);
    }
    return list;
}

static int profile_json(struct db *r, struct arena *a, const struct permission_ends *ends, const struct profile *p,
                        bool with_items, json_t **out, struct err *e)
{
    struct grants g = {0};
    struct permission_objects all = {0};
    bool decided = false;
    int rc = grants_load(r, a, ends->connection.connection, p->id, &g, e);
    if (rc == TL_OK)
        rc = permission_objects(r, a, ends, &g, (str){0}, &all, e);
    if (rc == TL_OK)
        rc = permission_is_decided(r, ends->connection.connection, p->id, &decided, e);
    if (rc == TL_OK)
        *out = json_pack("{s:o,s:o,s:b,s:b,s:b,s:o,s:o}", "profile", view_str(p->id), "name", view_str(p->name),
                         "administrator", p->administrator, "new", !decided, "visible",
                         permission_judge(&g, PERMISSION_INTEGRATION, PERMISSION_VISIBLE).allowed, "first_seen",
                         view_time(p->first_us), "objects", objects_json(&all, &g, with_items));
    return rc;
}

int view_profiles(struct db *r, const char *connection, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct permission_ends ends = {0};
    struct profile *rows = NULL;
    size_t n = 0;
    int rc = permission_ends(r, &a, connection, &ends, e);
    if (rc == TL_OK)
        rc = profile_list(r, &a, ends.helpdesk.endpoint, &rows, &n, e);
    json_t *items = json_array(), *one = NULL;
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        rc = profile_json(r, &a, &ends, &rows[i], false, &one, e);
        if (rc == TL_OK)
            json_array_append_new(items, one);
    }
    if (rc == TL_OK)
        *out = json_pack("{s:O}", "items", items);
    json_decref(items);
    return rc;
}

int view_profile(struct db *r, const char *connection, const char *profile, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct permission_ends ends = {0};
    struct profile p = {0};
    int rc = permission_ends(r, &a, connection, &ends, e);
    if (rc == TL_OK)
        rc = permission_profile(r, &a, &ends, profile, &p, e);
    return rc == TL_OK ? profile_json(r, &a, &ends, &p, true, out, e) : rc;
}

int view_permission(struct db *r, const struct permission_question *ask, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    AUTO(buf_done) struct buf words = {0};
    struct permission_ends ends = {0};
    struct profile p = {0};
    struct grants g = {0};
    int rc = permission_ends(r, &a, ask->connection, &ends, e);
    if (rc == TL_OK)
        rc = permission_profile(r, &a, &ends, ask->profile, &p, e);
    if (rc == TL_OK)
        rc = grants_load(r, &a, ends.connection.connection, p.id, &g, e);
    if (rc)
        return rc;
    struct permission_verdict v = permission_judge(&g, str_of(ask->object), str_of(ask->item));
    verdict_words(&v, &words);
    *out = json_pack("{s:o,s:o,s:s,s:s,s:b,s:{s:o,s:o,s:b},s:s}", "profile", view_str(p.id), "name", view_str(p.name),
                     "object", ask->object, "item", ask->item, "allowed", v.allowed, "decided_by", "object",
                     view_str(v.object), "item", view_str(v.item), "there", v.allowed, "text", buf_text(&words));
    return TL_OK;
}
