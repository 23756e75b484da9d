/* Rows of an undo: what comes back, what is left alone and why. */
#include <stdlib.h>

#include "change.h"
#include "reading.h"
#include "undo.h"
#include "writing.h"

enum { HISTORY_PAGE = 100, ROWS_OF_PAIR = 1000 };

int64_t undo_of_pair(const struct pair *p)
{
    int64_t run = 0;
    return str_to_i64(extra_get(p->extra, EXTRA_UNDO), &run) ? run : 0;
}

int undo_mark(struct engine *g, struct pair *p, int64_t run, int32_t lane, struct arena *a, struct err *e)
{
    struct g_link *l = model_link(g, p->link);
    p->extra = extra_set(p->extra, EXTRA_UNDO, str_of(arena_fmt(a, "%lld", (long long)run)), a);
    p->lane = lane;
    p->due_us = g_now(g);
    if (l)
        link_lanes_stale(l);
    return pair_store(g->db, p, e);
}

int undo_skip(struct engine *g, struct plan_item *item, const char *code, const char *detail, struct err *e)
{
    item->state = ITEM_SKIPPED;
    item->code = str_of(code);
    item->detail = str_of(detail);
    return plan_item_put(g->db, item, e);
}

/* ---- Is the value still the run's? */

/* The run that wrote this field of this record last; 0: history knows of none. */
static int last_writer(struct engine *g, int64_t pair, int side, uint32_t number, int64_t *run_out, struct err *e)
{
    int64_t before = 0;
    *run_out = 0;
    for (;;) {
        AUTO(arena_done) struct arena a = {0};
        struct change *list = NULL;
        size_t n = 0;
        int rc = change_list_of_pair(g->db, &a, pair, before, HISTORY_PAGE, &list, &n, e);
        for (size_t i = 0; i < n && rc == TL_OK; i++)
            if (list[i].side == side && change_fields_have(list[i].fields, number)) {
                *run_out = list[i].run;
                return TL_OK;
            }
        if (rc != TL_OK || n < HISTORY_PAGE)
            return rc;
        before = list[n - 1].change;
    }
}

struct reason {
    const char *code, *detail; /* code NULL: it can be taken back */
    bool there;                /* the value is back already */
};

static struct reason reason_of(const char *code, const char *detail)
{
    return (struct reason){.code = code, .detail = detail};
}

static const char *shown(struct arena *a, const char *what, const tl_value *v)
{
    AUTO(buf_done) struct buf text = {0};
    value_text(&text, v);
    return arena_fmt(a, "%s: \"%.*s\"", what, STR_FMT(utf8_cut_bytes(buf_lent(&text), 80)));
}

/* What speaks against writing that row now. f: as the row holds it, before is what must be there. */
static int reason_against(struct engine *g, struct g_link *l, const struct loaded *ld, const struct plan_item *item,
                          const struct change_field *f, int64_t about, struct arena *a, struct reason *out,
                          struct err *e)
{
    int side = item->side, source = 1 - side;
    int32_t i = field_of_number(l, f->number);
    int64_t last = 0;
    *out = reason_of(NULL, "");
    if (ld->snap.frozen || ld->pair.damaged || ld->rec[0].damaged || ld->rec[1].damaged)
        *out = reason_of("PAIR_RESTS", "nothing is written for this pair: see `tieline pair show`");
    else if (ld->snap.side[side].state != SIDE_LIVE)
        *out = reason_of("RECORD_GONE", "the record is not there any more");
    else if (i < 0 || l->fields[i].suspended)
        *out = reason_of("UNMAPPED", "the field is not in the map any more");
    else if (!field_writable(&l->rules, &l->fields[i], side, false) ||
             (l->fields[i].n_more && l->fields[i].more_side == side))
        *out = reason_of("READ_ONLY", "the field cannot be written on this side");
    else if (!f->known)
        *out = reason_of("NO_BEFORE", "history does not hold the value it had before");
    if (out->code)
        return TL_OK;
    int rc = last_writer(g, item->pair, side, f->number, &last, e);
    if (rc != TL_OK)
        return rc;
    const struct canon *canon = field_canon(&l->fields[i], side);
    const tl_value *now = &ld->values[side][i];
    if (last != about)
        *out = reason_of("WRITTEN_SINCE", arena_fmt(a, "run %lld wrote it since", (long long)last));
    else if (field_changed(&l->fields[i], &ld->snap.side[side], (uint32_t)i) || !canon_equal(canon, now, &f->before))
        *out = reason_of("EDITED", shown(a, "it was edited since", now));
    else if (ld->snap.side[source].state == SIDE_LIVE &&
             field_changed(&l->fields[i], &ld->snap.side[source], (uint32_t)i))
        *out = reason_of("EDITED",
                         shown(a, "the other side was edited since, and that is on its way", &ld->values[source][i]));
    else
        out->there = canon_equal(canon, now, &f->after);
    return TL_OK;
}

static bool item_field(const struct plan_item *item, struct arena *a, struct change_field *out)
{
    json_t *rows = json_loadb(item->fields.p, item->fields.n, 0, NULL);
    bool good = change_field_read(json_array_get(rows, 0), a, out);
    out->field = arena_str(a, out->field);
    json_decref(rows);
    return good;
}

/* ---- Making the rows */

struct chain {
    struct chain *next;
    int side;
    struct change_field field; /* before: where the chain has come to; after: what the run left there */
    const char *code;          /* no value can come back */
};

struct chains {
    struct arena *a;
    struct chain *first;
};

static struct chain *chain_of(struct chains *all, int side, uint32_t number)
{
    struct chain *c = all->first;
    while (c && (c->side != side || c->field.number != number))
        c = c->next;
    return c;
}

static struct chain *chain_add(struct chains *all, int side, const struct change_field *f)
{
    struct chain *c = arena_new(all->a, struct chain), **at = &all->first;
    while (*at)
        at = &(*at)->next;
    *c = (struct chain){.side = side, .field = *f};
    c->field.field = arena_str(all->a, f->field);
    *at = c;
    return c;
}

/* Rows come newest first: an older write is taken back with the newer ones where they follow on it. A value that came
 * between was somebody else's: the chain ends there. */
static void chain_row(struct chains *all, const struct change *c, const struct change_field *f)
{
    struct chain *known = chain_of(all, c->side, f->number);
    if (!known)
        chain_add(all, c->side, f);
    else if (known->field.known && value_same(&known->field.before, &f->after)) {
        known->field.known = f->known;
        known->field.before = f->before;
    }
}

static void chains_add(struct chains *all, const struct undo_ask *ask, const struct change *c)
{
    if (c->op == TL_OP_CREATE || c->op == TL_OP_RESTORE || c->op == TL_OP_DELETE) { /* the record itself: that stays */
        struct change_field none = {.number = 0};
        chain_add(all, c->side, &none)->code = c->op == TL_OP_DELETE ? "DELETED" : "BROUGHT_BACK";
        return;
    }
    json_t *rows = json_loadb(c->fields.p, c->fields.n, 0, NULL), *row;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        struct change_field f;
        if (change_field_read(row, all->a, &f) && (ask->number == 0 || f.number == ask->number))
            chain_row(all, c, &f);
    }
    json_decref(rows);
}

static int chains_load(struct engine *g, const struct undo_ask *ask, struct chains *all, struct err *e)
{
    struct change *list = NULL;
    size_t n = 0;
    if (ask->row) {
        chains_add(all, ask, ask->row);
        return TL_OK;
    }
    int rc = change_list_of_run_pair(g->db, all->a, ask->about, ask->pair, &list, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        chains_add(all, ask, &list[i]);
    return rc;
}

/* The row shows what is done: before is what the record holds, after what comes back. */
static void item_fill(struct plan_item *item, const struct chain *c, struct arena *a)
{
    json_t *rows = json_array();
    if (c->field.number)
        json_array_append_new(rows, change_field_json(c->field.number, c->field.field, &c->field.after,
                                                      c->field.known ? &c->field.before : &(tl_value){0}));
    char *text = json_dumps(rows, JSON_COMPACT);
    item->fields = arena_str(a, str_of(text));
    item->field = c->field.field;
    free(text);
    json_decref(rows);
}

static int item_make(struct engine *g, const struct undo_ask *ask, struct g_link *l, const struct loaded *ld,
                     const struct chain *c, struct arena *a, bool *planned, struct err *e)
{
    struct plan_item item = {.run = ask->run,
                             .link = ld->pair.link,
                             .what = ITEM_UNDO,
                             .side = c->side,
                             .pair = ask->pair,
                             .rec = {ld->pair.rec[0], ld->pair.rec[1]},
                             .hash = {ld->rec[0].seen_hash, ld->rec[1].seen_hash}};
    item_fill(&item, c, a);
    if (c->code)
        return undo_skip(g, &item, c->code,
                         str_is(str_of(c->code), "DELETED")
                             ? "the record was deleted: put it back out of the bin of its system"
                             : "the record was made anew or put back from the bin: it stays",
                         e);
    if (!l || !l->usable)
        return undo_skip(g, &item, "UNMAPPED", "the fields of this kind are not known now", e);
    struct change_field f = {
        .number = c->field.number, .known = c->field.known, .before = c->field.after, .after = c->field.before};
    struct reason why;
    int rc = reason_against(g, l, ld, &item, &f, ask->about, a, &why, e);
    if (rc != TL_OK)
        return rc;
    if (why.code)
        return undo_skip(g, &item, why.code, why.detail, e);
    item.state = why.there ? ITEM_DONE : ITEM_PLANNED;
    *planned |= !why.there;
    return plan_item_put(g->db, &item, e);
}

static int pair_gone(struct engine *g, const struct undo_ask *ask, const struct chains *all, struct arena *a,
                     struct err *e)
{
    int rc = TL_OK;
    for (const struct chain *c = all->first; c && rc == TL_OK; c = c->next) {
        struct plan_item item = {
            .run = ask->run, .link = ask->link, .what = ITEM_UNDO, .side = c->side, .pair = ask->pair};
        item_fill(&item, c, a);
        rc = undo_skip(g, &item, "PAIR_GONE", "the records are not paired any more", e);
    }
    return rc;
}

int undo_plan_pair(struct engine *g, const struct undo_ask *ask, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct chains all = {.a = &a};
    struct loaded ld = {0};
    bool planned = false;
    int rc = chains_load(g, ask, &all, e);
    if (rc == TL_OK)
        rc = pair_load(g->db, &a, ask->pair, &ld.pair, ld.rec, e);
    if (rc == TL_E_NOT_FOUND)
        return pair_gone(g, ask, &all, &a, e);
    struct g_link *l = rc == TL_OK ? model_link(g, ld.pair.link) : NULL;
    if (rc == TL_OK && l && l->usable)
        rc = snapshot_make(g, l, &a, &ld, e);
    int made = -1;
    if (rc == TL_OK && ask->trash)
        rc = undo_made_side(g, ask, &ld, &a, &made, e);
    if (rc == TL_OK && made >= 0)
        rc = undo_plan_made(g, ask, l, &ld, made, &a, &planned, e);
    bool goes = planned; /* with all its values */
    for (const struct chain *c = all.first; c && rc == TL_OK; c = c->next) {
        bool told = made == c->side && (goes || (c->code && str_is(str_of(c->code), "BROUGHT_BACK")));
        g_step(g, 1);
        rc = told ? TL_OK : item_make(g, ask, l, &ld, c, &a, &planned, e);
    }
    if (rc == TL_OK && planned && !ask->dry)
        rc = undo_mark(g, &ld.pair, ask->run, ask->lane, &a, e);
    return rc;
}

/* ---- Carrying them out */

int undo_rows(struct engine *g, int64_t run, int64_t pair, int32_t what, int32_t state, struct arena *a,
              struct plan_item **out, size_t *n, struct err *e)
{
    struct plan_filter f = {.run = run, .what = what, .state = state, .pair = pair};
    return plan_item_list(g->db, a, &f, ROWS_OF_PAIR, out, n, e);
}

/* A write of one side: the rows that still hold, as the planner would say it. *n_left: also those of the other side. */
static int rows_planned(struct engine *g, struct g_link *l, const struct loaded *ld, int64_t run, struct arena *a,
                        struct plan *plan, unsigned *n_left, struct err *e)
{
    struct run undo = {0};
    struct plan_item *rows = NULL;
    size_t n = 0;
    int rc = run_get(g->db, a, run, &undo, e);
    if (rc == TL_OK)
        rc = undo_rows(g, run, ld->pair.pair, ITEM_UNDO, ITEM_PLANNED, a, &rows, &n, e);
    for (size_t k = 0; k < n && rc == TL_OK; k++) {
        struct change_field f;
        struct reason why = {.code = "UNMAPPED", .detail = "the row cannot be read"};
        if (item_field(&rows[k], a, &f))
            rc = reason_against(g, l, ld, &rows[k], &f, undo.about, a, &why, e);
        if (rc != TL_OK)
            return rc;
        if (why.code) {
            rc = undo_skip(g, &rows[k], why.code, why.detail, e);
            continue;
        }
        if (why.there) {
            rows[k].state = ITEM_DONE;
            rc = plan_item_put(g->db, &rows[k], e);
            continue;
        }
        (*n_left)++;
        if (plan->n_writes && plan->target != rows[k].side)
            continue;
        int32_t i = field_of_number(l, f.number);
        plan->target = rows[k].side;
        plan->verdict[i] = VERDICT_WRITE;
        plan->writes[i] = f.after;
        plan->n_writes++;
    }
    return rc;
}

int undo_work(struct engine *g, struct g_link *l, struct loaded *ld, struct builder *b, struct arena *a, bool *done,
              struct err *e)
{
    int64_t run = undo_of_pair(&ld->pair);
    uint32_t n = l->rules.n_fields;
    unsigned left = 0;
    struct plan plan = {.act = PLAN_UPDATE,
                        .verdict = arena_array(a, uint8_t, n + 1),
                        .lost = arena_array(a, bool, n + 1),
                        .writes = arena_array(a, tl_value, n + 1)};
    if (run == 0 || ld->pair.intent)
        return TL_OK;
    int rc = undo_trash(g, l, ld, b, a, done, e);
    if (rc == TL_OK && !*done)
        rc = rows_planned(g, l, ld, run, a, &plan, &left, e);
    if (rc != TL_OK || *done)
        return rc;
    if (left == 0) {
        ld->pair.extra = extra_set(ld->pair.extra, EXTRA_UNDO, (str){0}, a);
        return pair_store(g->db, &ld->pair, e);
    }
    int target = plan.target;
    *done = true;
    bool unseen = (ld->pair.unsettled & (target ? PAIR_UNSETTLED_B : PAIR_UNSETTLED_A)) != 0;
    if (work_reads_first(g, l, ld, target) || (unseen && !asked_just_now(g, ld->rec[target].rec))) {
        if (!builder_has_room(b, target) || l->feed[target]->n_wants >= WANTS_MAX) {
            b->starved[target] = true;
            return TL_OK;
        }
        feed_want(l->feed[target], ld->rec[target].rec, ld->rec[target].id, g_mono(g), ld->pair.pair);
        return pair_later(g, l, ld, g_now(g) + READ_WAIT_US, e); /* the read wakes it earlier */
    }
    ld->undo = run;
    rc = builder_add(g, l, b, target, TL_OP_UPDATE, ld, &plan, e);
    return rc == E_BUSY ? TL_OK : rc;
}

int undo_written(struct engine *g, const struct g_batch *b, const struct g_entry *entry, struct arena *a, struct err *e)
{
    struct plan_item *rows = NULL;
    size_t n = 0;
    int rc =
        undo_rows(g, b->run, entry->pair, ITEM_UNDO, -1, a, &rows, &n, e); /* cancelled ones too: it was on its way */
    for (size_t k = 0; k < n && rc == TL_OK; k++) {
        struct change_field f;
        bool sent = false;
        if (rows[k].side != b->side || !item_field(&rows[k], a, &f))
            continue;
        for (uint32_t v = 0; v < entry->n_values; v++)
            sent |= entry->values[v].field == f.number;
        if (!sent)
            continue;
        rows[k].state = ITEM_DONE;
        rows[k].code = rows[k].detail = (str){0};
        rc = plan_item_put(g->db, &rows[k], e);
    }
    return rc;
}

int undo_refused(struct engine *g, const struct g_batch *b, struct pair *p, const char *code, const tl_error *error,
                 struct arena *a, struct err *e)
{
    struct plan_item *rows = NULL;
    size_t n = 0;
    int rc = undo_rows(g, b->run, p->pair, -1, ITEM_PLANNED, a, &rows, &n, e);
    for (size_t k = 0; k < n && rc == TL_OK; k++)
        if (rows[k].side == b->side)
            rc = undo_skip(g, &rows[k], code, error && error->text[0] ? error->text : "the vendor refused it", e);
    p->attempts = 0;
    p->due_us = g_now(g);
    return rc == TL_OK ? pair_store(g->db, p, e) : rc;
}
