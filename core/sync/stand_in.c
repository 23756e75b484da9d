/* Who stands in has to be somebody: see stand_in.h. */
#include "stand_in.h"

#include "attention.h"
#include "reading.h"

static const char CODE[] = "FALLBACK_UNKNOWN";

int stand_in_find(struct engine *g, const struct g_link *l, int side, struct arena *a, struct record *out, unsigned *n,
                  struct err *e)
{
    int64_t recs[16];
    size_t found = 0;
    struct lookup_key key, own;
    *n = 0;
    if (!l->match[side].kind || !key_of_text(l->match[side].kind, l->fallback[side], a, &key))
        return TL_OK;
    int rc = lookup_find(g->db, l->feed[side]->row.feed, &key, recs, ARRAY_LEN(recs), &found, e);
    for (size_t i = 0; i < found && rc == TL_OK; i++) {
        struct record rec = {0};
        rc = record_get(g->db, a, recs[i], &rec, e);
        if (rc != TL_OK || rec.state != TL_STATE_LIVE ||
            !key_of_observation(&l->match[side], rec.observation, a, &own) || !lookup_key_same(&own, &key))
            continue;
        *out = rec;
        (*n)++;
    }
    return rc;
}

static int tell(struct engine *g, const struct g_link *l, int side, unsigned found, str object, struct err *e)
{
    AUTO(buf_done) struct buf text = {0};
    AUTO(buf_done) struct buf hint = {0};
    const char which = side ? 'b' : 'a';
    buf_fmt(&text, "\"%.*s\" is to stand in on side %c, and %s of \"%.*s\" there %s so", STR_FMT(l->fallback[side]),
            which, found ? "several" : "nobody", STR_FMT(l->conn->ep[side]->row.name),
            found ? "are called" : "is called");
    buf_fmt(&hint,
            "`tieline link set %.*s %.*s fallback.%c=...` names somebody else; until then those without a pair are "
            "written without, or wait where somebody is mandatory",
            STR_FMT(l->conn->row.name), STR_FMT(l->row.name), which);
    struct repair r = {.object = object,
                       .code = str_of(CODE),
                       .key = side ? STR("b") : STR("a"),
                       .level = TL_WARN,
                       .text = buf_lent(&text),
                       .hint = buf_lent(&hint)};
    return repair_raise(g->db, &r, e);
}

static void object_of(const struct g_link *l, struct buf *out)
{
    buf_fmt(out, "link %.*s/%.*s", STR_FMT(l->conn->row.name), STR_FMT(l->row.name));
}

static bool is_named(const struct g_link *l, int side)
{
    return l->conn && l->fallback[side].n && l->usable && l->match[side].kind;
}

static int check_side(struct engine *g, const struct g_link *l, int side, struct err *e)
{
    AUTO(buf_done) struct buf object = {0};
    AUTO(arena_done) struct arena a = {0};
    struct record who = {0};
    unsigned found = 0;
    if (!l->feed[side] || !l->feed[side]->kind || !feed_ready(l->feed[side]))
        return TL_OK; /* who is there is not known yet */
    object_of(l, &object);
    g_step(g, 1);
    int rc = stand_in_find(g, l, side, &a, &who, &found, e);
    if (rc == TL_OK && found != 1)
        return tell(g, l, side, found, buf_lent(&object), e);
    return rc == TL_OK ? repair_clear(g->db, buf_lent(&object), str_of(CODE), side ? STR("b") : STR("a"), g_now(g), e)
                       : rc;
}

/* Nobody is to stand in any more, or the link is gone. */
static int clear_settled(struct engine *g, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct repair *rows = NULL;
    size_t n = 0;
    int rc = repair_list(g->db, &a, false, PAGE_ROWS, &rows, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        bool holds = !str_is(rows[i].code, CODE);
        for (const struct g_link *l = g->links; l && !holds; l = l->next) {
            AUTO(buf_done) struct buf object = {0};
            if (!is_named(l, str_is(rows[i].key, "b")))
                continue;
            object_of(l, &object);
            holds = str_eq(buf_lent(&object), rows[i].object);
        }
        if (!holds)
            rc = repair_clear(g->db, rows[i].object, rows[i].code, rows[i].key, g_now(g), e);
    }
    return rc;
}

int stand_ins_check(struct engine *g, struct err *e)
{
    int rc = clear_settled(g, e);
    for (const struct g_link *l = g->links; l && rc == TL_OK; l = l->next)
        for (int s = 0; s < 2 && rc == TL_OK; s++)
            if (is_named(l, s))
                rc = check_side(g, l, s, e);
    return rc;
}
