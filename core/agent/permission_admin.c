/* Changes of what profiles may see and have done. */
#include "permission_admin.h"

#include <stdlib.h>

#include "attention.h"
#include "permission_view.h"

/* ---- One change -------------------------------------------------------------------------------------------------- */

struct changing {
    struct db *db;
    struct arena a;
    const struct permission_change *ask;
    struct permission_ends ends;
    struct profile profile;
    struct grants before, after;
    struct permission_objects objects;
};

static int unknown_object(const struct changing *x, struct err *e)
{
    AUTO(buf_done) struct buf known = {.max = 300};
    for (size_t i = 0; i < x->objects.n; i++)
        buf_fmt(&known, "%s%.*s", i ? ", " : "", STR_FMT(x->objects.of[i].name));
    err_set(e, E_USAGE, "nothing of \"%s\" can be granted through connection \"%s\"", x->ask->object,
            x->ask->connection);
    err_hint(e, "it knows: %s", buf_text(&known));
    return E_USAGE;
}

/* The rows of before with those of one object exchanged. */
static struct grants with_set(struct arena *a, const struct grants *before, const struct permission_object *o,
                              uint64_t set)
{
    struct permission *rows = arena_array(a, struct permission, before->n + o->n);
    size_t n = 0;
    for (size_t i = 0; i < before->n; i++)
        if (!str_eq(before->rows[i].object, o->name))
            rows[n++] = before->rows[i];
    for (size_t i = 0; i < o->n; i++)
        if (set & UINT64_C(1) << i)
            rows[n++] = (struct permission){o->name, o->items[i]};
    return (struct grants){rows, n};
}

static int after_wish(struct changing *x, struct err *e)
{
    const struct permission_object *o;
    uint64_t set = 0;
    str name = str_of(x->ask->object);
    int rc = permission_objects(x->db, &x->a, &x->ends, &x->before, name, &x->objects, e);
    if (rc)
        return rc;
    o = permission_object_find(&x->objects, name);
    rc = o ? permission_wish(o, str_of(x->ask->wish), permission_set_of(o, &x->before), &set, e) : unknown_object(x, e);
    if (rc == TL_OK)
        x->after = with_set(&x->a, &x->before, o, set);
    return rc;
}

static int after_copy(struct changing *x, struct err *e)
{
    struct profile from = {0};
    int rc = permission_profile(x->db, &x->a, &x->ends, x->ask->from, &from, e);
    if (rc == TL_OK)
        rc = grants_load(x->db, &x->a, x->ends.connection.connection, from.id, &x->after, e);
    if (rc)
        return rc;
    /* Objects of both, so that what goes is shown as well. */
    size_t n = x->before.n + x->after.n;
    struct permission *both = arena_array(&x->a, struct permission, n + 1);
    for (size_t i = 0; i < n; i++)
        both[i] = i < x->before.n ? x->before.rows[i] : x->after.rows[i - x->before.n];
    return permission_objects(x->db, &x->a, &x->ends, &(struct grants){both, n}, (str){0}, &x->objects, e);
}

static int change_load(struct changing *x, struct err *e)
{
    int rc = permission_ends(x->db, &x->a, x->ask->connection, &x->ends, e);
    if (rc == TL_OK)
        rc = permission_profile(x->db, &x->a, &x->ends, x->ask->profile, &x->profile, e);
    if (rc == TL_OK)
        rc = grants_load(x->db, &x->a, x->ends.connection.connection, x->profile.id, &x->before, e);
    if (rc)
        return rc;
    return x->ask->from ? after_copy(x, e) : after_wish(x, e);
}

static json_t *state_json(const struct changing *x, const struct grants *g)
{
    json_t *list = json_array();
    for (size_t i = 0; i < x->objects.n; i++) {
        const struct permission_object *o = &x->objects.of[i];
        if (x->ask->from || str_is(o->name, x->ask->object))
            json_array_append_new(list, permission_object_json(o, permission_set_of(o, g)));
    }
    return list;
}

static int trace(struct db *db, const char *who, const char *act, const char *object, json_t *detail, struct err *e)
{
    char *text = json_dumps(detail, JSON_COMPACT);
    struct audit row = {.who = str_of(who), .act = str_of(act), .object = str_of(object), .detail = str_of(text)};
    int rc = audit_add(db, &row, e);
    free(text);
    json_decref(detail);
    return rc;
}

static int change_write(struct changing *x, struct err *e)
{
    const char *object = arena_fmt(&x->a, "%s/%.*s", x->ask->connection, STR_FMT(x->profile.name));
    json_t *detail = json_pack("{s:s%,s:s*,s:o,s:o}", "profile", x->profile.id.p, (size_t)x->profile.id.n, "from",
                               x->ask->from, "before", state_json(x, &x->before), "after", state_json(x, &x->after));
    int rc = db_begin(x->db, e);
    if (rc == TL_OK)
        rc = permission_replace(x->db, x->ends.connection.connection, x->profile.id, x->after.rows, x->after.n,
                                str_of(x->ask->who), e);
    if (rc == TL_OK)
        rc = trace(x->db, x->ask->who, x->ask->from ? "profile.copy" : "profile.set", object, json_incref(detail), e);
    if (rc == TL_OK)
        rc = db_commit(x->db, e);
    db_rollback(x->db);
    json_decref(detail);
    return rc;
}

int permission_change(struct db *db, const struct permission_change *c, json_t **out, struct err *e)
{
    struct changing x = {.db = db, .ask = c};
    int rc = change_load(&x, e);
    if (rc == TL_OK && !c->dry_run)
        rc = change_write(&x, e);
    if (rc == TL_OK)
        *out =
            json_pack("{s:b,s:s,s:s%,s:s%,s:b,s:o,s:o}", "dry_run", c->dry_run, "connection", c->connection, "profile",
                      x.profile.id.p, (size_t)x.profile.id.n, "name", x.profile.name.p, (size_t)x.profile.name.n,
                      "visible", permission_judge(&x.after, PERMISSION_INTEGRATION, PERMISSION_VISIBLE).allowed,
                      "before", state_json(&x, &x.before), "after", state_json(&x, &x.after));
    arena_done(&x.a);
    return rc;
}

/* ---- Set-up ------------------------------------------------------------------------------------------------------ */

static uint64_t first_set(const struct permission_object *o, bool administrator)
{
    if (administrator)
        return UINT64_MAX;
    if (o->sort != PERMISSION_DOCUMENT)
        return o->full;
    uint64_t set = 0;
    struct err impossible = {0};
    (void)permission_wish(o, STR("view"), 0, &set, &impossible);
    return set;
}

static struct grants first_grants(struct arena *a, const struct permission_objects *all, bool administrator)
{
    struct grants g = {0};
    for (size_t i = 0; i < all->n; i++)
        g = with_set(a, &g, &all->of[i], first_set(&all->of[i], administrator));
    return g;
}

static int set_up_profiles(struct db *db, struct arena *a, const struct permission_ends *ends, const char *who,
                           json_t *done, struct err *e)
{
    struct permission_objects all = {0};
    struct profile *rows = NULL;
    size_t n = 0;
    int rc = permission_objects(db, a, ends, &(struct grants){0}, (str){0}, &all, e);
    if (rc == TL_OK)
        rc = profile_list(db, a, ends->helpdesk.endpoint, &rows, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        bool decided = false;
        rc = permission_is_decided(db, ends->connection.connection, rows[i].id, &decided, e);
        if (rc || decided)
            continue;
        struct grants g = first_grants(a, &all, rows[i].administrator);
        rc = permission_replace(db, ends->connection.connection, rows[i].id, g.rows, g.n, str_of(who), e);
        json_object_setn_new(done, rows[i].name.p, rows[i].name.n,
                             json_string(rows[i].administrator ? "everything" : "every view"));
    }
    return rc == TL_OK ? permission_replace(db, ends->connection.connection, (str){0}, NULL, 0, str_of(who), e) : rc;
}

int permission_set_up(struct db *db, const char *connection, const char *who, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct permission_ends ends = {0};
    bool done_before = false, own = !db_in_transaction(db);
    int rc = permission_ends(db, &a, connection, &ends, e);
    if (rc == TL_OK)
        rc = permission_is_decided(db, ends.connection.connection, (str){0}, &done_before, e);
    if (rc || done_before)
        return rc;
    json_t *done = json_object();
    rc = own ? db_begin(db, e) : TL_OK;
    if (rc == TL_OK)
        rc = set_up_profiles(db, &a, &ends, who, done, e);
    if (rc == TL_OK)
        rc = trace(db, who, "profile.set-up", connection, json_pack("{s:O}", "granted", done), e);
    json_decref(done);
    if (!own)
        return rc;
    if (rc == TL_OK)
        rc = db_commit(db, e);
    db_rollback(db);
    return rc;
}
