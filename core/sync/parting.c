/* What was ours in two records that a person parted. */
#include "parting.h"

#include "change.h"
#include "writing.h"

enum { HISTORY_PAGE = 100, HISTORY_READ = 1000 };

static char tag_of(int s)
{
    return s ? EXTRA_PARTED_B : EXTRA_PARTED_A;
}

static bool next_number(str *rest, int64_t *out)
{
    str part;
    return str_split(rest, '.', &part) && str_to_i64(part, out);
}

static int64_t hash_of(const tl_value *v)
{
    AUTO(buf_done) struct buf blob = {0};
    tl_value one = *v;
    one.field = 1;
    obs_add(&blob, &one);
    return (int64_t)(store_hash(buf_lent(&blob).p, blob.n) & UINT32_MAX);
}

struct parting parting_of(str extra, int s, int64_t rec)
{
    struct parting p = {0};
    int64_t of = 0;
    str rest = extra.n ? extra_get(extra, tag_of(s)) : (str){0};
    if (rest.n && next_number(&rest, &of) && of == rec && next_number(&rest, &p.written_us))
        p.rows = rest;
    return p;
}

bool parting_wrote(const struct parting *p, uint32_t number, const tl_value *now)
{
    int64_t row = 0, hash = 0;
    for (str rest = p->rows; next_number(&rest, &row) && next_number(&rest, &hash);)
        if (row == (int64_t)number)
            return hash == hash_of(now);
    return false;
}

/* ---- At the parting */

struct note {
    const struct g_link *l;
    const struct loaded *ld;
    int side;
    int64_t written_us;
    bool *met, *ours; /* per field of the link: written to either side; its value here is what was written here last */
};

static void note_rows(struct note *n, const struct change *c, struct arena *a)
{
    bool here = c->side == n->side && str_eq(c->id, n->ld->rec[n->side].id);
    json_t *rows = json_loadb(c->fields.p ? c->fields.p : "", c->fields.n, 0, NULL), *row;
    size_t k;
    json_array_foreach(rows, k, row)
    {
        struct change_field f;
        int32_t i = change_field_read(row, a, &f) ? field_of_number(n->l, f.number) : -1;
        if (i < 0)
            continue;
        const struct canon *canon = field_canon(&n->l->fields[i], n->side);
        n->ours[i] |= here && !n->met[i] && canon_equal(canon, &n->ld->values[n->side][i], &f.after);
        n->met[i] = true;
    }
    json_decref(rows);
    if (here && c->at_us > n->written_us)
        n->written_us = c->at_us;
}

static int note_history(struct engine *g, struct note *n, struct err *e)
{
    int64_t before = 0;
    for (size_t read = 0; read < HISTORY_READ; read += HISTORY_PAGE) {
        AUTO(arena_done) struct arena a = {0};
        struct change *list = NULL;
        size_t m = 0;
        int rc = change_list_of_pair(g->db, &a, n->ld->pair.pair, before, HISTORY_PAGE, &list, &m, e);
        for (size_t i = 0; i < m && rc == TL_OK; i++)
            if (list[i].op != TL_OP_DELETE)
                note_rows(n, &list[i], &a);
        if (rc != TL_OK || m < HISTORY_PAGE)
            return rc;
        before = list[m - 1].change;
    }
    return TL_OK;
}

/* The record was made by us: every value that nobody has changed since is ours. */
static void note_birth(struct note *n)
{
    const struct pair *p = &n->ld->pair;
    if (!(p->flags & (n->side ? PAIR_CREATED_B : PAIR_CREATED_A)))
        return;
    if (p->made_us > n->written_us)
        n->written_us = p->made_us;
    for (uint32_t i = 0; i < n->l->rules.n_fields; i++)
        n->ours[i] |= !n->met[i] && !field_changed(&n->l->fields[i], &n->ld->snap.side[n->side], i);
}

int parting_note(struct engine *g, const struct g_link *l, const struct loaded *ld, int s, struct pair *into,
                 struct arena *a, struct err *e)
{
    uint32_t n_fields = l->rules.n_fields;
    struct note n = {.l = l, .ld = ld, .side = s};
    struct parting known = parting_of(ld->pair.extra, s, ld->rec[s].rec);
    n.written_us = known.written_us;
    n.met = arena_array(a, bool, n_fields + 1);
    n.ours = arena_array(a, bool, n_fields + 1);
    int rc = note_history(g, &n, e);
    if (rc != TL_OK)
        return rc;
    note_birth(&n);
    /* Writes that history has forgotten: how late the last of them can have been is known. */
    int64_t forgotten_us = g_now(g) - g->retention.history_us;
    if (ld->pair.made_us < forgotten_us && n.written_us < forgotten_us)
        n.written_us = forgotten_us;
    AUTO(buf_done) struct buf text = {0};
    if (n.written_us)
        buf_fmt(&text, "%lld.%lld", (long long)ld->rec[s].rec, (long long)n.written_us);
    for (uint32_t i = 0; i < n_fields; i++) {
        const tl_value *now = &ld->values[s][i];
        uint32_t number = l->fields[i].number;
        if (n.ours[i] || (!n.met[i] && parting_wrote(&known, number, now)))
            buf_fmt(&text, ".%u.%lld", number, (long long)hash_of(now));
    }
    into->extra = extra_set(into->extra, tag_of(s), buf_lent(&text), a);
    return TL_OK;
}

void parting_move(struct pair *p, str extra, int s, struct arena *a)
{
    p->extra = extra_set(p->extra, tag_of(s), extra.n ? extra_get(extra, tag_of(s)) : (str){0}, a);
}

/* ---- When they meet others */

void parting_show(const struct g_link *l, struct loaded *ld, struct arena *a)
{
    for (int s = 0; s < 2 && ld->pair.extra.n; s++) {
        struct parting p = parting_of(ld->pair.extra, s, ld->pair.rec[s]);
        if (p.written_us == 0)
            continue;
        bool *ours = arena_array(a, bool, l->rules.n_fields + 1);
        for (uint32_t i = 0; i < l->rules.n_fields; i++)
            ours[i] = parting_wrote(&p, l->fields[i].number, &ld->values[s][i]);
        ld->snap.side[s].written_us = p.written_us;
        ld->snap.side[s].ours = ours;
    }
}
