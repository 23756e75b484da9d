/* Rows of a dry run: the decisions of matching and of the planner written down instead of carried out. */
#include <stdlib.h>

#include "preview.h"
#include "reading.h"
#include "writing.h"

/* ---- What stands in for pairs ------------------------------------------------------------------------------------ */

int dry_paired(struct engine *g, const struct g_link *l, int side, int64_t rec, bool *out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct plan_item item = {0};
    int rc = plan_item_of_record(g->db, &a, g->dry_run, l->row.link, (enum side)side, rec, &item, e);
    *out = rc == TL_OK;
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

/* A record that the dry run will have made is not there yet: its source stands for it. */
int dry_reference(struct engine *g, const struct g_link *to, int side, str id, struct arena *a, struct ref_target *out,
                  struct err *e)
{
    struct record from = {0}, other = {0};
    struct plan_item item = {0};
    int rc = record_find(g->db, a, to->feed[side]->row.feed, id, &from, e);
    if (rc == TL_OK)
        rc = plan_item_of_record(g->db, a, g->dry_run, to->row.link, (enum side)side, from.rec, &item, e);
    if (rc != TL_OK)
        return rc == TL_E_NOT_FOUND ? TL_OK : rc;
    out->pair = -item.item; /* no pair has such a number */
    if (item.rec[1 - side] == 0) {
        out->other_id = str_of(arena_fmt(a, "(the counterpart of %.*s)", STR_FMT(id)));
        return TL_OK;
    }
    rc = record_get(g->db, a, item.rec[1 - side], &other, e);
    out->other_id = other.id;
    return rc;
}

/* ---- Rows -------------------------------------------------------------------------------------------------------- */

static int put(struct engine *g, struct g_link *l, const struct dry *d, int what, int side, const struct loaded *ld,
               const struct trouble *t, str fields, struct err *e)
{
    struct plan_item item = {.run = d->run,
                             .link = l->row.link,
                             .what = what,
                             .side = side,
                             .state = d->state,
                             .pair = ld->pair.pair,
                             .fields = fields};
    for (int s = 0; s < 2; s++) {
        item.rec[s] = ld->rec[s].rec;
        item.hash[s] = ld->rec[s].seen_hash;
    }
    if (t) {
        item.code = str_of(t->code);
        item.field = t->field;
        item.detail = str_of(t->text);
    }
    return plan_item_put(g->db, &item, e);
}

static json_t *text_of(const tl_value *v)
{
    AUTO(buf_done) struct buf text = {0};
    if (value_is_blank(v))
        return json_null();
    value_text(&text, v);
    str s = utf8_cut_bytes(buf_lent(&text), 200);
    return json_stringn(s.p ? s.p : "", s.n);
}

static str dump(json_t *list, struct arena *a)
{
    char *text = json_dumps(list, JSON_COMPACT);
    str out = arena_str(a, str_of(text ? text : "[]"));
    free(text);
    json_decref(list);
    return out;
}

static int update(struct engine *g, struct g_link *l, const struct dry *d, const struct loaded *ld,
                  const struct plan *plan, struct arena *a, struct err *e)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < l->rules.n_fields; i++) {
        if (!verdict_sends(plan->verdict[i]))
            continue;
        str path = l->fields[i].side[plan->target].path;
        json_array_append_new(list, json_pack("{s:I,s:s%,s:o,s:o}", "no", (json_int_t)l->fields[i].number, "field",
                                              path.p, (size_t)path.n, "before", text_of(&ld->values[plan->target][i]),
                                              "after", text_of(&plan->writes[i])));
    }
    return put(g, l, d, ITEM_UPDATE, plan->target, ld, NULL, dump(list, a), e);
}

/* The pair as it will be when that write is in: one side is written at a time. */
static void suppose_written(const struct g_link *l, struct loaded *ld, const struct plan *plan)
{
    for (uint32_t i = 0; i < l->rules.n_fields; i++) {
        if (!verdict_sends(plan->verdict[i]))
            continue;
        ld->values[plan->target][i] = plan->writes[i];
        for (int s = 0; s < 2; s++)
            if (ld->base[s] && ld->has_base[s]) {
                ld->base[s][i] = ld->values[s][i];
                ld->has_base[s][i] = true;
            }
    }
    ld->snap.adopting = false;
}

/* Fields that both sides hold a value of their own for. */
static int conflicts(struct engine *g, struct g_link *l, const struct dry *d, const struct loaded *ld,
                     const struct plan *plan, struct arena *a, struct err *e)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < l->rules.n_fields; i++) {
        bool waits = plan->verdict[i] == VERDICT_CONFLICT;
        if (!waits && !plan->lost[i])
            continue;
        int loser = plan->verdict[i] == VERDICT_WRITE_BACK ? 1 - plan->target : plan->target;
        str path = l->fields[i].side[0].path;
        json_array_append_new(list, json_pack("{s:I,s:s%,s:o,s:o,s:o}", "no", (json_int_t)l->fields[i].number, "field",
                                              path.p, (size_t)path.n, "a", text_of(&ld->values[0][i]), "b",
                                              text_of(&ld->values[1][i]), "winner",
                                              waits ? json_null() : json_string(loser ? "a" : "b")));
    }
    if (json_array_size(list) == 0) {
        json_decref(list);
        return TL_OK;
    }
    return put(g, l, d, ITEM_CONFLICT, plan->target, ld, NULL, dump(list, a), e);
}

static int failure(struct engine *g, struct g_link *l, const struct dry *d, const struct loaded *ld,
                   const struct trouble *t, struct err *e)
{
    return put(g, l, d, ITEM_FAILURE, t->side, ld, t, (str){0}, e);
}

static int failed_plan(struct engine *g, struct g_link *l, const struct dry *d, const struct loaded *ld,
                       const struct plan *plan, struct arena *a, struct err *e)
{
    struct trouble t = {0};
    plan_trouble(l, ld, plan, 1 - plan->target, a, &t);
    return failure(g, l, d, ld, &t, e);
}

static int parked(struct engine *g, struct g_link *l, const struct dry *d, const struct loaded *ld,
                  const struct plan *plan, struct err *e)
{
    const struct rule_field *f = &l->fields[plan->field];
    struct trouble t = {.code = "REF_UNRESOLVED",
                        .side = 1 - plan->target,
                        .field = f->side[plan->target].path,
                        .text = "it waits for the record it refers to"};
    return failure(g, l, d, ld, &t, e);
}

/* ---- Decisions --------------------------------------------------------------------------------------------------- */

/* Both records are there. */
static int both(struct engine *g, struct g_link *l, const struct dry *d, struct loaded *ld, struct arena *a,
                struct err *e)
{
    struct plan plan, next;
    plan_pair(&l->rules, &ld->snap, a, &plan);
    switch (plan.act) {
    case PLAN_FAIL:
        return failed_plan(g, l, d, ld, &plan, a, e);
    case PLAN_PARK:
        return parked(g, l, d, ld, &plan, e);
    case PLAN_RESTORE:
        return put(g, l, d, ITEM_UPDATE, plan.target, ld, NULL, (str){0}, e);
    case PLAN_RECREATE:
        return put(g, l, d, ITEM_CREATE, plan.target, ld, NULL, (str){0}, e);
    default:
        break;
    }
    int rc = conflicts(g, l, d, ld, &plan, a, e);
    if (rc != TL_OK || plan.act != PLAN_UPDATE)
        return rc;
    rc = update(g, l, d, ld, &plan, a, e);
    suppose_written(l, ld, &plan);
    plan_pair(&l->rules, &ld->snap, a, &next);
    if (rc == TL_OK && next.act == PLAN_FAIL)
        rc = failed_plan(g, l, d, ld, &next, a, e);
    if (rc == TL_OK && next.act == PLAN_UPDATE && next.target != plan.target)
        rc = update(g, l, d, ld, &next, a, e);
    return rc;
}

static int adopted(struct engine *g, struct g_link *l, const struct dry *d, int target, struct loaded *ld, int64_t rec,
                   struct arena *a, struct err *e)
{
    struct loaded two = {.pair = {.link = l->row.link, .map_gen = l->row.map_gen, .pair = ld->pair.pair}};
    two.rec[1 - target] = ld->rec[1 - target];
    int rc = record_get(g->db, a, rec, &two.rec[target], e);
    for (int s = 0; s < 2; s++)
        two.pair.rec[s] = two.rec[s].rec;
    if (rc == TL_OK)
        rc = snapshot_make(g, l, a, &two, e);
    if (rc == TL_OK)
        rc = put(g, l, d, ITEM_ADOPT, target, &two, NULL, (str){0}, e);
    return rc == TL_OK ? both(g, l, d, &two, a, e) : rc;
}

static int created(struct engine *g, struct g_link *l, const struct dry *d, int target, struct loaded *ld, bool asks,
                   struct arena *a, struct err *e)
{
    struct plan plan;
    if (!(l->rules.can[target] & TL_CAN_CREATE))
        return TL_OK;
    plan_create(&l->rules, &ld->snap, target, a, &plan);
    if (plan.act == PLAN_FAIL)
        return failed_plan(g, l, d, ld, &plan, a, e);
    if (plan.act == PLAN_PARK)
        return parked(g, l, d, ld, &plan, e);
    struct trouble asked = {.code = "SEARCH", .text = "unless the vendor knows it by its match key: it is asked first"};
    return put(g, l, d, ITEM_CREATE, target, ld, asks ? &asked : NULL, (str){0}, e);
}

static int one_sided(struct engine *g, struct g_link *l, const struct dry *d, struct loaded *ld, struct arena *a,
                     struct err *e)
{
    struct plan plan;
    struct match_result m;
    plan_pair(&l->rules, &ld->snap, a, &plan);
    if (plan.act != PLAN_COUNTERPART)
        return TL_OK;
    int source = 1 - plan.target;
    int rc = match_decide(g, l, source, &ld->rec[source], false, a, &m, e);
    if (rc != TL_OK)
        return rc;
    switch (m.match) {
    case MATCH_ADOPT:
        return adopted(g, l, d, plan.target, ld, m.rec, a, e);
    case MATCH_NONE:
    case MATCH_SEARCH:
        return created(g, l, d, plan.target, ld, m.match == MATCH_SEARCH, a, e);
    case MATCH_WAIT:
        return TL_OK;
    case MATCH_AMBIGUOUS:
    case MATCH_TAKEN:
        break;
    }
    struct trouble t = {.code = m.match == MATCH_TAKEN ? "ALREADY_MAPPED" : "AMBIGUOUS_MATCH",
                        .side = source,
                        .field = l->match_path[source],
                        .text = m.text};
    return failure(g, l, d, ld, &t, e);
}

/* The first of several records of one side with one match key stands for them all in the work list. */
static int duplicates(struct engine *g, struct g_link *l, const struct dry *d, int side, const struct loaded *ld,
                      struct arena *a, struct err *e)
{
    str key = {0}, ids = {0};
    unsigned n = 0;
    int rc = match_same_key(g, l, side, &ld->rec[side], a, &key, &ids, &n, e);
    if (rc != TL_OK || n < 2)
        return rc;
    struct trouble t = {.code = "DUPLICATE",
                        .side = side,
                        .field = l->match_path[side],
                        .text = arena_fmt(a, "%.*s: %.*s", STR_FMT(key), STR_FMT(ids))};
    struct loaded alone = {.rec = {{0}}};
    alone.rec[side] = ld->rec[side];
    return put(g, l, d, ITEM_DUPLICATE, side, &alone, &t, (str){0}, e);
}

static bool counts(const struct engine *g, const struct g_link *l, const struct record *rec)
{
    return rec->state == TL_STATE_LIVE && rec->observation.n > 0 && !rec->damaged && record_in_window(g, l, rec);
}

int dry_record(struct engine *g, struct g_link *l, const struct dry *d, int side, const struct record *rec,
               struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct loaded ld;
    struct held h = {0};
    bool has = false;
    if (!counts(g, l, rec))
        return TL_OK;
    int rc = snapshot_of_record(g, l, side, rec, &a, &ld, e);
    if (rc == TL_OK)
        rc = duplicates(g, l, d, side, &ld, &a, e);
    if (rc == TL_OK && g->dry_run)
        rc = dry_paired(g, l, side, rec->rec, &has, e);
    if (rc != TL_OK || has)
        return rc;
    if (rec->stamp.n && (rc = held_get(g->db, &a, l->row.link, rec->rec, &h, e)) != TL_E_NOT_FOUND) {
        struct trouble t = {.code = "ORPHANED_STAMP", .side = side, .text = ""};
        return rc == TL_OK ? failure(g, l, d, &ld, &t, e) : rc;
    }
    return one_sided(g, l, d, &ld, &a, e);
}

int dry_by_mark(struct engine *g, struct g_link *l, const struct dry *d, int side, const struct record *source,
                bool *done, struct err *e)
{
    enum { GENERATIONS = 8 };
    AUTO(arena_done) struct arena a = {0};
    int target = 1 - side, rc = TL_OK;
    *done = false;
    if (!counts(g, l, source) || (source->stamp.n && !l->feed[target]))
        return TL_OK;
    rc = dry_paired(g, l, side, source->rec, done, e);
    for (uint32_t gen = 0; gen < GENERATIONS && rc == TL_OK && !*done; gen++) {
        char stamp[40];
        int64_t rec = 0;
        struct held h = {0};
        stamp_of(g, l, side, &(struct origin){.id = source->id, .gen = gen}, stamp);
        rc = record_find_stamp(g->db, l->feed[target]->row.feed, str_of(stamp), &rec, e);
        if (rc == TL_OK)
            rc = held_get(g->db, &a, l->row.link, rec, &h, e);
        if (rc == TL_E_NOT_FOUND) {
            rc = TL_OK;
            continue;
        }
        struct loaded ld;
        if (rc == TL_OK)
            rc = snapshot_of_record(g, l, side, source, &a, &ld, e);
        if (rc == TL_OK)
            rc = adopted(g, l, d, target, &ld, rec, &a, e);
        *done = true;
    }
    return rc;
}

int dry_pair(struct engine *g, struct g_link *l, const struct dry *d, int64_t pair, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct loaded ld;
    int rc = snapshot_load(g, l, pair, &a, &ld, e);
    if (rc != TL_OK || ld.pair.damaged || ld.rec[0].damaged || ld.rec[1].damaged)
        return rc == TL_E_NOT_FOUND ? TL_OK : rc;
    if (ld.pair.rec[0] && ld.pair.rec[1])
        return both(g, l, d, &ld, &a, e);
    return ld.snap.frozen || ld.pair.intent ? TL_OK : one_sided(g, l, d, &ld, &a, e);
}

/* ---- An approved plan is carried out ----------------------------------------------------------------------------- */

static int hash_holds(struct engine *g, const struct plan_item *item, bool *out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    int rc = TL_OK;
    for (int s = 0; s < 2 && rc == TL_OK; s++) {
        struct record now = {0};
        if (item->rec[s] == 0)
            continue;
        rc = record_get(g->db, &a, item->rec[s], &now, e);
        if (rc == TL_E_NOT_FOUND || (rc == TL_OK && now.seen_hash != item->hash[s])) {
            *out = false;
            rc = TL_OK;
        }
    }
    return rc;
}

int dry_recheck(struct engine *g, struct g_link *l, int side, const struct record *rec, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct plan_item *list = NULL;
    size_t n = 0;
    bool holds = true;
    if (!counts(g, l, rec))
        return TL_OK;
    int rc = plan_items_of_record(g->db, &a, l->plan, l->row.link, (enum side)side, rec->rec, &list, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK && holds; i++)
        rc = list[i].state == ITEM_PLANNED ? hash_holds(g, &list[i], &holds, e) : TL_OK;
    for (size_t i = 0; i < n && rc == TL_OK && !holds; i++) {
        if (list[i].state != ITEM_PLANNED)
            continue;
        list[i].state = ITEM_REPLANNED;
        rc = plan_item_put(g->db, &list[i], e);
    }
    if (rc != TL_OK || (n && holds))
        return rc;
    return dry_record(g, l, &(struct dry){.run = l->plan, .state = ITEM_ADDED}, side, rec, e);
}
