/* Agents of a help desk: see agent.h. */
#include "agent.h"

#include "people.h"

enum { WALK_PAGE = 200 };

static int roll_open(struct db *r, struct arena *a, int64_t endpoint, struct people *out, struct err *e)
{
    int rc = people_open(r, a, endpoint, "user", out, e);
    return rc == TL_E_NOT_FOUND ? err_set(e, rc, "the agents of the help desk were not read yet") : rc;
}

static void departments_of(const struct people *roll, const struct record *rec, struct arena *a, struct agent *out)
{
    tl_value v = {0};
    if (!people_value(roll, rec, "departments", a, &v) || v.type != TL_LIST)
        return;
    str *list = arena_array(a, str, v.u.list.n + 1);
    for (uint64_t i = 0; i < v.u.list.n; i++)
        list[i] = v.u.list.items[i].u.s;
    out->departments = list;
    out->n_departments = (size_t)v.u.list.n;
}

static void read_agent(const struct people *roll, const struct record *rec, struct arena *a, struct agent *out)
{
    *out = (struct agent){.id = rec->id,
                          .name = people_text(roll, rec, "name", a),
                          .email = people_text(roll, rec, "email", a),
                          .profile = people_text(roll, rec, "profile", a),
                          .active = people_there(rec) && people_is(roll, rec, "active", true, a)};
    departments_of(roll, rec, a, out);
}

static int unknown(str who, struct err *e)
{
    err_set(e, TL_E_NOT_FOUND, "the help desk has no agent \"%.*s\"", STR_FMT(who));
    err_hint(e, "name one by id or e-mail address");
    return TL_E_NOT_FOUND;
}

static int by_id(struct db *r, struct arena *a, const struct people *roll, str id, struct agent *out, struct err *e)
{
    struct record rec = {0};
    int rc = record_find(r, a, roll->feed.feed, id, &rec, e);
    if (rc == TL_OK)
        read_agent(roll, &rec, a, out);
    return rc;
}

int agent_get(struct db *r, struct arena *a, int64_t endpoint, str id, struct agent *out, struct err *e)
{
    struct people roll;
    int rc = roll_open(r, a, endpoint, &roll, e);
    if (rc)
        return rc;
    rc = by_id(r, a, &roll, id, out, e);
    return rc == TL_E_NOT_FOUND ? unknown(id, e) : rc;
}

static int by_email(struct db *r, struct arena *a, const struct people *roll, str email, struct agent *out,
                    struct err *e)
{
    for (int64_t after = 0;;) {
        struct record *page = NULL;
        size_t n = 0;
        int rc = record_walk(r, a, roll->feed.feed, after, WALK_PAGE, &page, &n, e);
        for (size_t i = 0; i < n && rc == TL_OK; i++) {
            if (!str_eq_nocase(people_text(roll, &page[i], "email", a), email))
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
    struct people roll;
    int rc = roll_open(r, a, endpoint, &roll, e);
    if (rc)
        return rc;
    rc = by_id(r, a, &roll, who, out, e);
    if (rc == TL_E_NOT_FOUND)
        rc = by_email(r, a, &roll, who, out, e);
    return rc == TL_E_NOT_FOUND ? unknown(who, e) : rc;
}
