/* The policy: see permission.h. */
#include "permission.h"

#include "buf.h"

static const struct right {
    uint32_t bit;
    str item;
} rights_known[] = {
    {TL_RIGHT_SEND, {"send", 4}},
    {TL_RIGHT_CREATE, {"create", 6}},
    {TL_RIGHT_UPDATE, {"update", 6}},
    {TL_RIGHT_DELETE, {"delete", 6}},
};

int grants_load(struct db *r, struct arena *a, int64_t connection, str profile, struct grants *out, struct err *e)
{
    struct permission *rows = NULL;
    size_t n = 0;
    int rc = permission_list(r, a, connection, profile, &rows, &n, e);
    if (rc == TL_OK)
        *out = (struct grants){rows, n};
    return rc;
}

bool permission_is_panel(str object)
{
    return str_is(object, "account") || str_is(object, "contact");
}

bool permission_is_document(str object)
{
    return str_is(object, "invoice") || str_is(object, "estimate");
}

str permission_seeing(str object)
{
    return permission_is_panel(object) ? STR("information") : STR("view");
}

str permission_right(unsigned i)
{
    return i < ARRAY_LEN(rights_known) ? rights_known[i].item : (str){0};
}

static bool is_right(str item)
{
    for (unsigned i = 0; i < ARRAY_LEN(rights_known); i++)
        if (str_eq(rights_known[i].item, item))
            return true;
    return false;
}

static bool granted(const struct grants *g, str object, str item)
{
    for (size_t i = 0; i < g->n; i++)
        if (str_eq(g->rows[i].object, object) && str_eq(g->rows[i].item, item))
            return true;
    return false;
}

struct permission_verdict permission_judge(const struct grants *g, str object, str item)
{
    const struct permission needed[] = {
        {PERMISSION_INTEGRATION, PERMISSION_VISIBLE},
        {object, PERMISSION_VISIBLE},
        {object, is_right(item) ? permission_seeing(object) : item},
        {object, item},
    };
    for (size_t i = 0; i < ARRAY_LEN(needed); i++)
        if (!granted(g, needed[i].object, needed[i].item))
            return (struct permission_verdict){false, needed[i].object, needed[i].item};
    return (struct permission_verdict){true, object, item};
}

struct permission_verdict permission_judge_list(const struct grants *g, str panel, str kind)
{
    return permission_is_document(kind) ? permission_judge(g, kind, permission_seeing(kind))
                                        : permission_judge(g, panel, kind);
}

struct permission_verdict permission_judge_action(const struct grants *g, str kind, uint32_t rights)
{
    struct permission_verdict v = permission_judge(g, kind, permission_seeing(kind));
    uint32_t known = TL_RIGHT_VIEW;
    for (unsigned i = 0; i < ARRAY_LEN(rights_known); i++) {
        known |= rights_known[i].bit;
        if (v.allowed && (rights & rights_known[i].bit))
            v = permission_judge(g, kind, rights_known[i].item);
    }
    return v.allowed && (rights & ~known) ? (struct permission_verdict){false, kind, STR("unknown right")} : v;
}

void verdict_words(const struct permission_verdict *v, struct buf *out)
{
    buf_fmt(out, v->allowed ? "allowed: the row %.*s/%.*s grants it" : "denied: there is no row %.*s/%.*s",
            STR_FMT(v->object), STR_FMT(v->item));
}
