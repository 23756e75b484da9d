/* Agents of a help desk: see agent.h. */
#include "agent.h"

#include "endpoints.h"
#include "feeds.h"
#include "obs.h"
#include "records.h"

enum { WALK_PAGE = 200 };

/* The feed of an endpoint's agents with the numbers of its fields. */
struct roll {
    int64_t feed;
    struct field_row *fields;
    size_t n_fields;
};

static int roll_open(struct db *r, struct arena *a, int64_t endpoint, struct roll *out, struct err *e)
{
    struct feed *feeds = NULL;
    size_t n = 0;
    int rc = feed_list(r, a, endpoint, &feeds, &n, e);
    *out = (struct roll){0};
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        if (str_is(feeds[i].kind, "user") && feeds[i].view.n == 0)
            out->feed = feeds[i].feed;
    if (rc == TL_OK)
        rc = field_list(r, a, endpoint, STR("user"), &out->fields, &out->n_fields, e);
    if (rc == TL_OK && !out->feed)
        rc = err_set(e, TL_E_NOT_FOUND, "the agents of the help desk were not read yet");
    return rc;
}

static bool value_of(const struct roll *roll, const struct record *rec, const char *path, struct arena *a,
                     tl_value *out)
{
    for (size_t i = 0; i < roll->n_fields; i++)
        if (str_is(roll->fields[i].path, path))
            return obs_find(rec->observation, roll->fields[i].number, a, out) && out->type != TL_NULL;
    return false;
}

static str text_of(const struct roll *roll, const struct record *rec, const char *path, struct arena *a)
{
    tl_value v = {0};
    bool is_text = value_of(roll, rec, path, a, &v) && v.type != TL_BOOL && v.type != TL_INT && v.type != TL_LIST;
    return is_text ? v.u.s : (str){0};
}

static void departments_of(const struct roll *roll, const struct record *rec, struct arena *a, struct agent *out)
{
    tl_value v = {0};
    if (!value_of(roll, rec, "departments", a, &v) || v.type != TL_LIST)
        return;
    str *list = arena_array(a, str, v.u.list.n + 1);
    for (uint64_t i = 0; i < v.u.list.n; i++)
        list[i] = v.u.list.items[i].u.s;
    out->departments = list;
    out->n_departments = (size_t)v.u.list.n;
}

static void read_agent(const struct roll *roll, const struct record *rec, struct arena *a, struct agent *out)
{
    tl_value active = {0};
    bool told = value_of(roll, rec, "active", a, &active) && active.type == TL_BOOL;
    *out = (struct agent){.id = rec->id,
                          .name = text_of(roll, rec, "name", a),
                          .email = text_of(roll, rec, "email", a),
                          .profile = text_of(roll, rec, "profile", a),
                          .active = rec->state == TL_STATE_LIVE && !rec->damaged && (!told || active.u.i)};
    departments_of(roll, rec, a, out);
}

static int unknown(str who, struct err *e)
{
    err_set(e, TL_E_NOT_FOUND, "the help desk has no agent \"%.*s\"", STR_FMT(who));
    err_hint(e, "name one by id or e-mail address");
    return TL_E_NOT_FOUND;
}

static int by_id(struct db *r, struct arena *a, const struct roll *roll, str id, struct agent *out, struct err *e)
{
    struct record rec = {0};
    int rc = record_find(r, a, roll->feed, id, &rec, e);
    if (rc == TL_OK)
        read_agent(roll, &rec, a, out);
    return rc;
}

int agent_get(struct db *r, struct arena *a, int64_t endpoint, str id, struct agent *out, struct err *e)
{
    struct roll roll;
    int rc = roll_open(r, a, endpoint, &roll, e);
    if (rc)
        return rc;
    rc = by_id(r, a, &roll, id, out, e);
    return rc == TL_E_NOT_FOUND ? unknown(id, e) : rc;
}

static int by_email(struct db *r, struct arena *a, const struct roll *roll, str email, struct agent *out, struct err *e)
{
    for (int64_t after = 0;;) {
        struct record *page = NULL;
        size_t n = 0;
        int rc = record_walk(r, a, roll->feed, after, WALK_PAGE, &page, &n, e);
        for (size_t i = 0; i < n && rc == TL_OK; i++) {
            if (!str_eq_nocase(text_of(roll, &page[i], "email", a), email))
                continue;
            read_agent(roll, &page[i], a, out);
            return TL_OK;
        }
        if (rc || n < WALK_PAGE)
            return rc ? rc : TL_E_NOT_FOUND;
        after = page[n - 1].rec;
    }
}

int agent_find(struct db *r, struct arena *a, int64_t endpoint, str who, struct agent *out, struct err *e)
{
    struct roll roll;
    int rc = roll_open(r, a, endpoint, &roll, e);
    if (rc)
        return rc;
    rc = by_id(r, a, &roll, who, out, e);
    if (rc == TL_E_NOT_FOUND)
        rc = by_email(r, a, &roll, who, out, e);
    return rc == TL_E_NOT_FOUND ? unknown(who, e) : rc;
}
