/* Who works at a help desk: see people.h. */
#include "people.h"

int people_open(struct db *r, struct arena *a, int64_t endpoint, const char *kind, struct people *out, struct err *e)
{
    struct feed *feeds = NULL;
    struct people p = {0};
    size_t n = 0;
    int rc = feed_list(r, a, endpoint, &feeds, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        if (str_is(feeds[i].kind, kind) && feeds[i].view.n == 0)
            p.feed = feeds[i];
    if (rc == TL_OK && !p.feed.feed)
        return TL_E_NOT_FOUND;
    if (rc == TL_OK)
        rc = field_list(r, a, endpoint, str_of(kind), &p.fields, &p.n_fields, e);
    if (rc == TL_OK)
        *out = p;
    return rc;
}

bool people_value(const struct people *p, const struct record *rec, const char *path, struct arena *a, tl_value *out)
{
    for (size_t i = 0; i < p->n_fields; i++)
        if (str_is(p->fields[i].path, path))
            return obs_find(rec->observation, p->fields[i].number, a, out) && out->type != TL_NULL;
    return false;
}

str people_text(const struct people *p, const struct record *rec, const char *path, struct arena *a)
{
    tl_value v = {0};
    bool is_text = people_value(p, rec, path, a, &v) && v.type != TL_BOOL && v.type != TL_INT && v.type != TL_LIST;
    return is_text ? v.u.s : (str){0};
}

bool people_is(const struct people *p, const struct record *rec, const char *path, bool def, struct arena *a)
{
    tl_value v = {0};
    return people_value(p, rec, path, a, &v) && v.type == TL_BOOL ? v.u.i != 0 : def;
}

bool people_there(const struct record *rec)
{
    return rec->state == TL_STATE_LIVE && !rec->damaged;
}
