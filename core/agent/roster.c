/* Profiles of help desks as they are kept, and the set-up of permissions. */
#include "roster.h"

#include <stdlib.h>

#include "app.h"
#include "log.h"
#include "people.h"
#include "permission_admin.h"
#include "permissions.h"
#include "times.h"

enum { WALK_PAGE = 200 };
#define LOOK_US (5 * US_PER_S)

/* ---- Profiles ---------------------------------------------------------------------------------------------------- */

struct roll_call {
    struct db *db;
    struct arena *a;
    int64_t endpoint;
    struct people people;
    struct profile *known;
    bool *met;
    size_t n_known;
};

static bool same_profile(const struct profile *a, const struct profile *b)
{
    return str_eq(a->name, b->name) && a->administrator == b->administrator;
}

static int meet(struct roll_call *x, const struct record *rec, struct err *e)
{
    const struct profile now = {.id = rec->id,
                                .name = people_text(&x->people, rec, "name", x->a),
                                .administrator = people_is(&x->people, rec, "administrator", false, x->a)};
    for (size_t i = 0; i < x->n_known; i++)
        if (str_eq(x->known[i].id, now.id)) {
            x->met[i] = true;
            return same_profile(&x->known[i], &now) ? TL_OK : profile_put(x->db, x->endpoint, &now, e);
        }
    return profile_put(x->db, x->endpoint, &now, e);
}

static int meet_all(struct roll_call *x, struct err *e)
{
    int rc = TL_OK;
    size_t n = WALK_PAGE;
    for (int64_t after = 0; n == WALK_PAGE && rc == TL_OK;) {
        struct record *page = NULL;
        rc = record_walk(x->db, x->a, x->people.feed.feed, after, WALK_PAGE, &page, &n, e);
        for (size_t i = 0; i < n && rc == TL_OK; i++)
            if (people_there(&page[i]))
                rc = meet(x, &page[i], e);
        after = rc == TL_OK && n ? page[n - 1].rec : 0;
    }
    for (size_t i = 0; i < x->n_known && rc == TL_OK; i++)
        if (!x->met[i])
            rc = profile_gone(x->db, x->endpoint, x->known[i].id, e);
    return rc;
}

/* *whole_out: they were read from the first to the last once, so that who is missing is not there. */
static int profiles_take(struct db *db, struct arena *a, int64_t endpoint, bool *whole_out, struct err *e)
{
    struct roll_call x = {.db = db, .a = a, .endpoint = endpoint};
    int rc = people_open(db, a, endpoint, "profile", &x.people, e);
    *whole_out = rc == TL_OK && x.people.feed.full_pass_us != 0;
    if (rc || !*whole_out)
        return rc == TL_E_NOT_FOUND ? TL_OK : rc;
    rc = profile_list(db, a, endpoint, &x.known, &x.n_known, e);
    x.met = arena_array(a, bool, x.n_known + 1);
    return rc == TL_OK ? meet_all(&x, e) : rc;
}

/* ---- Set-up ------------------------------------------------------------------------------------------------------ */

static int is_described(struct db *db, struct arena *a, int64_t endpoint, bool *out, struct err *e)
{
    struct kind_row *rows = NULL;
    size_t n = 0;
    int rc = kind_list(db, a, endpoint, &rows, &n, e);
    if (rc == TL_OK)
        *out = n > 0;
    return rc;
}

static int set_up(struct db *db, struct arena *a, int64_t helpdesk, struct err *e)
{
    struct permission_waiting *rows = NULL;
    size_t n = 0;
    int rc = permission_list_waiting(db, a, helpdesk, &rows, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        bool described = false;
        rc = is_described(db, a, rows[i].other, &described, e);
        if (rc == TL_OK && described)
            rc = permission_set_up(db, rows[i].connection.p, "engine", e);
    }
    return rc;
}

int roster_look(struct db *db, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct endpoint *rows = NULL;
    size_t n = 0;
    int rc = endpoint_list(db, &a, &rows, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        bool whole = false;
        if (rows[i].role == TL_ROLE_HELPDESK)
            rc = profiles_take(db, &a, rows[i].endpoint, &whole, e);
        if (rc == TL_OK && whole)
            rc = set_up(db, &a, rows[i].endpoint, e);
    }
    return rc;
}

/* ---- Now and then ------------------------------------------------------------------------------------------------ */

struct roster {
    struct app *app;
    int64_t due_us; /* mono */
    bool failing;   /* said once */
};

struct roster *roster_new(struct app *app)
{
    struct roster *r = calloc(1, sizeof *r);
    ASSERT(r);
    r->app = app;
    return r;
}

struct roster *roster_free(struct roster *r)
{
    free(r);
    return NULL;
}

int64_t roster_tick(void *roster)
{
    struct roster *r = roster;
    int64_t now = env_mono_us(r->app->env);
    if (now < r->due_us)
        return r->due_us;
    struct err e = {0};
    int rc = roster_look(r->app->db, &e);
    if (rc && !r->failing)
        log_err(LOG_ERROR, "profiles of the help desk", &e);
    r->failing = rc != TL_OK;
    r->due_us = now + LOOK_US;
    return r->due_us;
}
