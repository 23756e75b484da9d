/* Records that a run made, put into the bins of their systems by its undo: only where a person can take them out again,
 * and only those that nobody has touched since. Each is read once more right before. */
#include "reading.h"
#include "undo.h"
#include "writing.h"

enum { HISTORY_PAGE = 100 };
#define AFTERWARDS_US (60 * US_PER_S) /* what a system does with a record by itself when it is made */

int undo_made_side(struct engine *g, const struct undo_ask *ask, const struct loaded *ld, struct arena *a, int *side,
                   struct err *e)
{
    struct change *list = NULL;
    size_t n = 0;
    *side = -1;
    if (ld->pair.run == ask->about && (ld->pair.flags & (PAIR_CREATED_A | PAIR_CREATED_B)))
        *side = ld->pair.flags & PAIR_CREATED_B ? 1 : 0;
    int rc = change_list_of_run_pair(g->db, a, ask->about, ask->pair, &list, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK && *side < 0; i++) /* newest first; made anew: an id of its own */
        if (list[i].op == TL_OP_CREATE && str_eq(list[i].id, ld->rec[list[i].side].id))
            *side = list[i].side;
    return rc;
}

struct against {
    const char *code, *detail; /* code NULL: nothing */
};

/* When we wrote to it last, by its vendor's clock; another run than this one: that speaks against it. */
static int own_writes(struct engine *g, struct g_link *l, const struct loaded *ld, int side, int64_t about,
                      struct arena *a, int64_t *last_us, struct against *out, struct err *e)
{
    const struct record *r = &ld->rec[side];
    int64_t offset = l->rules.clock_offset_us[side], before = 0;
    int rc = TL_OK;
    *last_us = r->created_us ? r->created_us : ld->pair.made_us + offset;
    for (size_t n = HISTORY_PAGE; n == HISTORY_PAGE && rc == TL_OK && !out->code;) {
        AUTO(arena_done) struct arena page = {0};
        struct change *list = NULL;
        rc = change_list_of_pair(g->db, &page, ld->pair.pair, before, HISTORY_PAGE, &list, &n, e);
        for (size_t i = 0; i < n && rc == TL_OK; i++) {
            if (list[i].side != side || !str_eq(list[i].id, r->id))
                continue;
            *last_us = list[i].at_us + offset > *last_us ? list[i].at_us + offset : *last_us;
            if (list[i].run != about)
                *out =
                    (struct against){"WRITTEN_SINCE", arena_fmt(a, "run %lld wrote it since", (long long)list[i].run)};
        }
        before = n ? list[n - 1].change : 0;
    }
    return rc;
}

static bool is_touched(const struct g_link *l, const struct loaded *ld, int side, int64_t last_us)
{
    const struct record *r = &ld->rec[side];
    str us = l->feed[side]->ep->row.user_id;
    bool touched = (r->by.n && us.n && !str_eq(r->by, us)) ||
                   (r->modified_us && r->modified_us > last_us + l->rules.resolution_us[side] + AFTERWARDS_US);
    for (uint32_t i = 0; i < l->rules.n_fields && !touched; i++)
        touched = field_changed(&l->fields[i], &ld->snap.side[side], i);
    return touched;
}

static int what_speaks_against(struct engine *g, struct g_link *l, const struct loaded *ld, int side, int64_t about,
                               struct arena *a, struct against *out, struct err *e)
{
    uint32_t can = l->feed[side] && l->feed[side]->kind ? l->feed[side]->kind->desc.can : 0;
    int64_t last_us = 0;
    *out = (struct against){NULL, ""};
    if (ld->snap.frozen || ld->pair.damaged || ld->rec[0].damaged || ld->rec[1].damaged)
        *out = (struct against){"PAIR_RESTS", "nothing is written for this pair: see `tieline pair show`"};
    else if (ld->snap.side[side].state != SIDE_LIVE)
        *out = (struct against){"RECORD_GONE", "the record is not there any more"};
    else if (!(can & TL_CAN_DELETE) || !(can & TL_CAN_TRASH))
        *out = (struct against){"NO_BIN", "the connector knows no bin there that people can take it out of again"};
    else if (l->referred)
        *out = (struct against){"REFERRED", "records of other kinds may belong to it, and might go with it"};
    if (out->code)
        return TL_OK;
    int rc = own_writes(g, l, ld, side, about, a, &last_us, out, e);
    if (rc == TL_OK && !out->code && is_touched(l, ld, side, last_us))
        *out = (struct against){"EDITED", "it was changed there since the run made it"};
    return rc;
}

int undo_plan_made(struct engine *g, const struct undo_ask *ask, struct g_link *l, const struct loaded *ld, int side,
                   struct arena *a, bool *planned, struct err *e)
{
    struct plan_item item = {.run = ask->run,
                             .link = ld->pair.link,
                             .what = ITEM_TRASH,
                             .side = side,
                             .state = ITEM_PLANNED,
                             .pair = ask->pair,
                             .rec = {ld->pair.rec[0], ld->pair.rec[1]},
                             .hash = {ld->rec[0].seen_hash, ld->rec[1].seen_hash},
                             .fields = STR("[]")};
    struct against why = {"UNMAPPED", "the fields of this kind are not known now"};
    int rc = l && l->usable ? what_speaks_against(g, l, ld, side, ask->about, a, &why, e) : TL_OK;
    if (rc == TL_OK && why.code)
        return undo_skip(g, &item, why.code, why.detail, e);
    *planned = rc == TL_OK;
    return rc == TL_OK ? plan_item_put(g->db, &item, e) : rc;
}

static int planned_row(struct engine *g, const struct loaded *ld, int64_t run, struct arena *a, struct run *undo,
                       struct plan_item *out, bool *any, struct err *e)
{
    struct plan_item *rows = NULL;
    size_t n = 0;
    int rc = undo_rows(g, run, ld->pair.pair, ITEM_TRASH, ITEM_PLANNED, a, &rows, &n, e);
    *any = rc == TL_OK && n > 0;
    if (*any)
        *out = rows[0];
    return *any ? run_get(g->db, a, run, undo, e) : rc;
}

int undo_trash(struct engine *g, struct g_link *l, struct loaded *ld, struct builder *b, struct arena *a, bool *done,
               struct err *e)
{
    struct run undo = {0};
    struct plan_item row = {0};
    struct against why = {0};
    bool any = false;
    int64_t run = undo_of_pair(&ld->pair);
    int rc = planned_row(g, ld, run, a, &undo, &row, &any, e);
    if (rc != TL_OK || !any)
        return rc;
    int side = row.side;
    rc = what_speaks_against(g, l, ld, side, undo.about, a, &why, e);
    if (rc == TL_OK && why.code)
        return undo_skip(g, &row, why.code, why.detail, e);
    if (rc != TL_OK)
        return rc;
    *done = true;
    if (!asked_just_now(g, ld->rec[side].rec)) {
        if (!builder_has_room(b, side) || l->feed[side]->n_wants >= WANTS_MAX) {
            b->starved[side] = true;
            return TL_OK;
        }
        feed_want(l->feed[side], ld->rec[side].rec, ld->rec[side].id, g_mono(g), ld->pair.pair);
        return pair_later(g, l, ld, g_now(g) + READ_WAIT_US, e); /* the read wakes it earlier */
    }
    ld->undo = run;
    rc = builder_add(g, l, b, side, TL_OP_DELETE, ld, NULL, e);
    return rc == E_BUSY ? TL_OK : rc;
}

int undo_trashed(struct engine *g, const struct g_batch *b, const struct g_entry *entry, struct arena *a, struct err *e)
{
    struct plan_item *rows = NULL;
    size_t n = 0;
    int rc = undo_rows(g, b->run, entry->pair, ITEM_TRASH, -1, a, &rows, &n, e); /* a cancelled one was on its way */
    for (size_t k = 0; k < n && rc == TL_OK; k++) {
        rows[k].state = ITEM_DONE;
        rows[k].code = rows[k].detail = (str){0};
        rc = plan_item_put(g->db, &rows[k], e);
    }
    return rc;
}
