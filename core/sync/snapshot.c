/* From rows to the planner's view and back: values, bases, change times, references. */
#include "deletion.h"
#include "engine_int.h"
#include "parting.h"
#include "preview.h"
#include "reading.h"
#include "stand_in.h"

enum side_state side_state_of(const struct record *r)
{
    if (r->rec == 0)
        return SIDE_NONE;
    switch (r->state) {
    case TL_STATE_LIVE:
        return SIDE_LIVE;
    case TL_STATE_TRASHED:
        return SIDE_TRASHED;
    case TL_STATE_DELETED:
        return SIDE_DELETED;
    case TL_STATE_MERGED:
        return SIDE_MERGED;
    case REC_OUT_OF_SCOPE:
        return SIDE_OUT_OF_SCOPE;
    default:
        return SIDE_FORBIDDEN;
    }
}

/* chg: (map number * 2 + side, zigzag time) ... */
static void chg_decode(const struct g_link *l, str chg, struct loaded *ld)
{
    const uint8_t *p = (const uint8_t *)chg.p, *end = p + chg.n;
    uint64_t key = 0, raw = 0;
    while (p < end && varint_read(&p, end, &key) && varint_read(&p, end, &raw))
        for (uint32_t i = 0; i < l->rules.n_fields; i++)
            if (l->fields[i].number == key / 2)
                ld->chg[key & 1][i] = (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1);
}

void chg_encode(struct g_link *l, const struct loaded *ld, struct arena *a, str *out)
{
    AUTO(buf_done) struct buf b = {0};
    for (uint32_t i = 0; i < l->rules.n_fields; i++)
        for (unsigned s = 0; s < 2; s++)
            if (ld->chg[s][i] && field_changed(&l->fields[i], &ld->snap.side[s], i)) {
                buf_varint(&b, (uint64_t)l->fields[i].number * 2 + s);
                buf_varint(&b, ((uint64_t)ld->chg[s][i] << 1) ^ (uint64_t)(ld->chg[s][i] >> 63));
            }
    *out = arena_str(a, buf_lent(&b));
}

void chg_keep(const struct g_link *l, struct loaded *ld, int s, const bool *agreed, int64_t modified_us)
{
    const struct snapshot_side *side = &ld->snap.side[s];
    for (uint32_t i = 0; i < l->rules.n_fields; i++)
        if (!agreed[i] && side->has_base && !side->has_base[i] && ld->chg[s][i] == 0)
            ld->chg[s][i] = modified_us;
}

void refs_changed(struct engine *g, const struct g_link *l)
{
    if (l->referred)
        g->ref_epoch++;
}

static struct ref_slot *ref_slot(struct engine *g, int64_t link, int side, str id)
{
    uint64_t hash = store_hash(id.p, id.n) + (uint64_t)link * 2 + (uint64_t)side;
    return &g->refs[hash % ARRAY_LEN(g->refs)];
}

static bool ref_known(struct engine *g, int64_t link, int side, str id, struct arena *a, struct ref_target *out)
{
    const struct ref_slot *slot = ref_slot(g, link, side, id);
    if (slot->pair == 0 || slot->epoch != g->ref_epoch || slot->link != link || slot->side != side ||
        !str_eq(str_n(slot->id, slot->n_id), id))
        return false;
    out->pair = slot->pair;
    out->other_id = arena_str(a, str_n(slot->other, slot->n_other));
    return true;
}

static void ref_remember(struct engine *g, int64_t link, int side, str id, const struct ref_target *to)
{
    struct ref_slot *slot = ref_slot(g, link, side, id);
    if (to->other_id.n == 0 || to->other_id.n > sizeof slot->other || id.n > sizeof slot->id)
        return;
    *slot = (struct ref_slot){g->ref_epoch, link, to->pair, side, (uint8_t)id.n, (uint8_t)to->other_id.n, {0}, {0}};
    memcpy(slot->id, id.p, id.n);
    memcpy(slot->other, to->other_id.p, to->other_id.n);
}

/* A reference leads through the pair of the referenced link to a record of the other side. */
static int ref_resolve(struct engine *g, struct g_link *l, int side, const struct rule_field *f, str id,
                       struct arena *a, struct ref_target *out, struct err *e)
{
    struct g_link *to = f->ref_link == l->row.link ? l : model_link(g, f->ref_link);
    if (!to || !to->feed[side])
        return TL_OK;
    if (ref_known(g, to->row.link, side, id, a, out))
        return TL_OK;
    struct counterpart c = {0};
    int rc = pair_counterpart(g->db, a, to->row.link, (enum side)side, to->feed[side]->row.feed, id, &c, e);
    if (g->dry_run && (rc == TL_E_NOT_FOUND || (rc == TL_OK && c.rec == 0)))
        return dry_reference(g, to, side, id, a, out, e);
    if (rc != TL_OK || c.rec == 0)
        return rc == TL_E_NOT_FOUND ? TL_OK : rc;
    out->pair = c.pair;
    if (c.state == TL_STATE_LIVE || c.state == REC_OUT_OF_SCOPE)
        out->other_id = c.id;
    ref_remember(g, to->row.link, side, id, out);
    return TL_OK;
}

/* Who stands in on this side of the link for those who have no pair; empty: nobody, or nobody of that name is seen. */
static int fallback_of(struct engine *g, struct g_link *to, int side, str *out, struct err *e)
{
    struct stand_in *known = &to->stand_in[side];
    AUTO(arena_done) struct arena a = {0};
    *out = (str){0};
    if (to->fallback[side].n == 0 || !to->feed[side])
        return TL_OK;
    if (known->epoch != g->ref_epoch + 1 || known->n == 0) {
        struct record rec = {0};
        unsigned n = 0;
        int rc = stand_in_find(g, to, side, &a, &rec, &n, e);
        if (rc != TL_OK || n != 1 || rec.id.n > sizeof known->id)
            return rc;
        *known = (struct stand_in){.epoch = g->ref_epoch + 1, .n = (uint8_t)rec.id.n};
        memcpy(known->id, rec.id.p, rec.id.n);
    }
    *out = str_n(known->id, known->n);
    return TL_OK;
}

static int fallbacks(struct engine *g, struct g_link *l, int side, const struct rule_field *f, str id,
                     struct ref_target *out, struct err *e)
{
    struct g_link *to = f->ref_link == l->row.link ? l : model_link(g, f->ref_link);
    str own = {0};
    if (!to || (to->fallback[0].n == 0 && to->fallback[1].n == 0))
        return TL_OK;
    int rc = fallback_of(g, to, 1 - side, &out->fallback, e);
    if (rc == TL_OK)
        rc = fallback_of(g, to, side, &own, e);
    out->stands_in = own.n && str_eq(own, id);
    return rc;
}

static int refs_resolve(struct engine *g, struct g_link *l, int side, struct arena *a, struct loaded *ld, struct err *e)
{
    int rc = TL_OK;
    for (uint32_t i = 0; i < l->rules.n_fields && rc == TL_OK; i++) {
        const struct rule_field *f = &l->fields[i];
        if (f->ref_link == 0 || value_is_blank(&ld->values[side][i]))
            continue;
        if (!ld->refs[side])
            ld->refs[side] = arena_array(a, struct ref_target, l->rules.n_fields);
        rc = ref_resolve(g, l, side, f, ld->values[side][i].u.s, a, &ld->refs[side][i], e);
        if (rc == TL_OK)
            rc = fallbacks(g, l, side, f, ld->values[side][i].u.s, &ld->refs[side][i], e);
    }
    ld->snap.side[side].refs = ld->refs[side];
    return rc;
}

/* Several rows may read one field, and one row several: what a plain spread cannot give. */
static bool base_is_own(const struct rule_field *f, int s)
{
    return f->base_no[s] != f->obs_no[s];
}

static void value_join(const struct g_link *l, int s, str blob, uint32_t i, tl_value *out, struct arena *a)
{
    const struct rule_field *f = &l->fields[i];
    tl_value *items = arena_array(a, tl_value, f->n_more + 1);
    if (!obs_find(blob, f->obs_no[s], a, &items[0]))
        items[0] = (tl_value){.type = TL_NULL};
    for (uint32_t k = 0; k < f->n_more; k++)
        if (!obs_find(blob, f->more_no[k], a, &items[k + 1]))
            items[k + 1] = (tl_value){.type = TL_NULL};
    for (uint32_t k = 0; k <= f->n_more; k++)
        items[k].field = 0;
    out[i] = (tl_value){.type = TL_LIST};
    out[i].u.list.items = items;
    out[i].u.list.n = f->n_more + 1;
}

static void value_owned(const struct g_link *l, int s, str blob, uint32_t i, tl_value *out, struct arena *a)
{
    if (l->fields[i].n_more && l->fields[i].more_side == s)
        value_join(l, s, blob, i, out, a);
    else if (!obs_find(blob, l->fields[i].obs_no[s], a, &out[i]))
        out[i] = (tl_value){.type = TL_NULL};
}

void link_values(const struct g_link *l, int s, str observation, tl_value *out, struct arena *a)
{
    uint32_t n = l->rules.n_fields;
    obs_spread(observation, l->position_of[s], l->n_numbers[s], out, NULL, n, a);
    for (uint32_t i = 0; i < n && l->shares; i++)
        if (base_is_own(&l->fields[i], s))
            value_owned(l, s, observation, i, out, a);
}

/* A base that was an observation once tells nothing of its own number: there the observed values count. */
static void link_bases(const struct g_link *l, int s, str blob, tl_value *base, bool *has, struct arena *a)
{
    uint32_t n = l->rules.n_fields;
    obs_spread(blob, l->position_of[s], l->n_numbers[s], base, has, n, a);
    for (uint32_t i = 0; i < n && l->shares; i++) {
        tl_value v;
        if (!base_is_own(&l->fields[i], s))
            continue;
        if (has[i]) {
            has[i] = base[i].type != TL_BYTES;
            continue;
        }
        has[i] = obs_find(blob, l->fields[i].obs_no[s], a, &v);
        value_owned(l, s, blob, i, base, a);
    }
}

static void side_fill(struct g_link *l, int s, struct arena *a, struct loaded *ld)
{
    uint32_t n = l->rules.n_fields;
    struct snapshot_side *side = &ld->snap.side[s];
    const struct record *r = &ld->rec[s];
    ld->values[s] = arena_array(a, tl_value, n + 1);
    ld->chg[s] = arena_array(a, int64_t, n + 1);
    link_values(l, s, r->observation, ld->values[s], a);
    side->state = side_state_of(r);
    side->is_b = s == 1;
    side->values = ld->values[s];
    side->changed_us = ld->chg[s];
    side->modified_us = r->modified_us;
    side->in_window = r->rec != 0;
    side->told_deleted = deletion_told(&ld->pair, s);
    const struct pair_base *base = &ld->pair.base[s];
    if (base->kind == BASE_SAME)
        return;
    ld->base[s] = arena_array(a, tl_value, n + 1);
    ld->has_base[s] = arena_array(a, bool, n + 1);
    if (base->kind == BASE_OWN)
        link_bases(l, s, base->blob, ld->base[s], ld->has_base[s], a);
    side->base = ld->base[s];
    side->has_base = ld->has_base[s];
}

static void base_drop(const struct g_link *l, struct loaded *ld, int s, uint32_t i, struct arena *a)
{
    uint32_t n = l->rules.n_fields;
    if (!ld->base[s]) {
        ld->base[s] = arena_array(a, tl_value, n + 1);
        ld->has_base[s] = arena_array(a, bool, n + 1);
        for (uint32_t k = 0; k < n; k++) {
            ld->base[s][k] = ld->values[s][k];
            ld->has_base[s][k] = true;
        }
        ld->snap.side[s].base = ld->base[s];
        ld->snap.side[s].has_base = ld->has_base[s];
    }
    ld->has_base[s][i] = false;
}

/* A field that came into the map after the pair last settled was never agreed on, whatever the bases say: one that is
 * said to equal the observation does so for every field, and one of a field that was mapped to another tells nothing.
 */
static void new_fields(const struct g_link *l, struct loaded *ld, struct arena *a)
{
    if (ld->pair.map_gen == l->row.map_gen || ld->snap.side[0].state != SIDE_LIVE ||
        ld->snap.side[1].state != SIDE_LIVE)
        return;
    for (uint32_t i = 0; i < l->rules.n_fields; i++)
        for (int s = 0; s < 2 && l->fields[i].since_gen > ld->pair.map_gen; s++)
            base_drop(l, ld, s, i, a);
}

int snapshot_load(struct engine *g, struct g_link *l, int64_t pair, struct arena *a, struct loaded *out, struct err *e)
{
    *out = (struct loaded){0};
    int rc = pair_load(g->db, a, pair, &out->pair, out->rec, e);
    return rc == TL_OK ? snapshot_make(g, l, a, out, e) : rc;
}

int snapshot_make(struct engine *g, struct g_link *l, struct arena *a, struct loaded *out, struct err *e)
{
    int rc = TL_OK;
    for (int s = 0; s < 2; s++)
        side_fill(l, s, a, out);
    chg_decode(l, out->pair.chg, out);
    for (int s = 0; s < 2 && rc == TL_OK; s++)
        rc = refs_resolve(g, l, s, a, out, e);
    if (rc != TL_OK)
        return rc;
    new_fields(l, out, a);
    parting_show(l, out, a);
    struct snapshot *snap = &out->snap;
    snap->has_intent = out->pair.intent != 0;
    int32_t st = out->pair.status;
    snap->frozen = st == PAIR_LOOP || st == PAIR_QUARANTINED || st == PAIR_IGNORED;
    snap->adopting = out->pair.base[0].kind == BASE_NONE && out->pair.base[1].kind == BASE_NONE;
    for (int s = 0; s < 2; s++)
        if (out->pair.rec[1 - s] == 0)
            snap->side[s].in_window = (out->pair.flags & PAIR_ADMITTED) || record_in_window(g, l, &out->rec[s]);
    for (int s = 0; s < 2; s++)
        if ((out->pair.flags & (s ? PAIR_OUTSIDE_B : PAIR_OUTSIDE_A)) && snap->side[s].state == SIDE_LIVE)
            snap->side[s].state = SIDE_OUT_OF_SCOPE;
    return TL_OK;
}

int snapshot_of_record(struct engine *g, struct g_link *l, int side, const struct record *rec, struct arena *a,
                       struct loaded *out, struct err *e)
{
    *out = (struct loaded){.pair = {.link = l->row.link, .map_gen = l->row.map_gen}};
    out->rec[side] = *rec;
    out->pair.rec[side] = rec->rec;
    for (int s = 0; s < 2; s++)
        side_fill(l, s, a, out);
    out->snap.adopting = true;
    out->snap.side[side].in_window = record_in_window(g, l, rec);
    return refs_resolve(g, l, side, a, out, e);
}

int snapshot_at_write(struct engine *g, struct g_link *l, const struct loaded *ld, struct arena *a, struct loaded *out,
                      struct err *e)
{
    *out = (struct loaded){.pair = ld->pair, .rec = {ld->rec[0], ld->rec[1]}};
    for (int s = 0; s < 2; s++) {
        int rc = intent_source(g->db, a, ld->pair.pair, (enum side)s, &out->rec[s].observation, e);
        if (rc != TL_OK && rc != TL_E_NOT_FOUND)
            return rc;
    }
    return snapshot_make(g, l, a, out, e);
}

void bases_same(struct loaded *ld)
{
    for (int s = 0; s < 2; s++) {
        ld->snap.side[s].base = NULL;
        ld->snap.side[s].has_base = NULL;
        pair_set_base(&ld->pair, (enum side)s, BASE_SAME, (str){0});
    }
    ld->pair.chg = (str){0};
}

void bases_none(const struct g_link *l, struct loaded *ld, struct arena *a)
{
    for (int s = 0; s < 2; s++) {
        ld->snap.side[s].base = arena_array(a, tl_value, l->rules.n_fields + 1);
        ld->snap.side[s].has_base = arena_array(a, bool, l->rules.n_fields + 1);
        pair_set_base(&ld->pair, (enum side)s, BASE_NONE, (str){0});
    }
    ld->pair.chg = (str){0};
}

/* Makes these the bases of side s; costs nothing to keep where they equal the observation. */
static void base_keep(struct g_link *l, struct loaded *ld, int s, tl_value *base, bool *has, struct arena *a)
{
    uint32_t n = l->rules.n_fields;
    struct snapshot_side *side = &ld->snap.side[s];
    bool same = ld->rec[s].observation.n > 0, any = false;
    for (uint32_t i = 0; i < n; i++) {
        any |= has[i];
        same = same && has[i] && canon_equal(field_canon(&l->fields[i], s), &base[i], &side->values[i]);
    }
    ld->base[s] = base;
    ld->has_base[s] = has;
    side->base = same ? NULL : base;
    side->has_base = same ? NULL : has;
    ld->pair.base[s] = (struct pair_base){.kind = same ? BASE_SAME : any ? BASE_OWN : BASE_NONE, .set = true};
    if (same || !any)
        return;
    tl_value *kept = arena_array(a, tl_value, n + 1);
    size_t n_kept = 0;
    for (uint32_t i = 0; i < n; i++)
        if (has[i] || base_is_own(&l->fields[i], s)) {
            kept[n_kept] = has[i] ? base[i] : (tl_value){.type = TL_BYTES}; /* known to have none */
            kept[n_kept++].field = l->fields[i].base_no[s];
        }
    AUTO(buf_done) struct buf blob = {0};
    obs_add_all(&blob, kept, n_kept);
    ld->pair.base[s].blob = arena_str(a, buf_lent(&blob));
}

/* Copies of the bases of side s that may be changed. */
static void base_open(struct g_link *l, struct loaded *ld, int s, tl_value **base, bool **has, struct arena *a)
{
    uint32_t n = l->rules.n_fields;
    const struct snapshot_side *side = &ld->snap.side[s];
    *base = arena_array(a, tl_value, n + 1);
    *has = arena_array(a, bool, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        (*has)[i] = !side->base || !side->has_base || side->has_base[i];
        (*base)[i] = side->base ? side->base[i] : side->values[i];
    }
}

void bases_set(struct g_link *l, struct loaded *ld, const bool *agreed, const tl_value *value[2], struct arena *a)
{
    for (int s = 0; s < 2; s++) {
        tl_value *base;
        bool *has;
        base_open(l, ld, s, &base, &has, a);
        for (uint32_t i = 0; i < l->rules.n_fields; i++)
            if (agreed[i]) {
                has[i] = true;
                base[i] = value[s][i];
            }
        base_keep(l, ld, s, base, has, a);
    }
    chg_encode(l, ld, a, &ld->pair.chg);
}

/* What the base of the other side, read as that of `was`, says side s held then. False: that cannot be told. */
static bool base_mirrored(const struct g_link *l, const struct loaded *was, int s, uint32_t i, struct arena *a,
                          tl_value *out)
{
    const struct rule_field *f = &l->fields[i];
    const tl_value *in = &was->values[1 - s][i];
    if (f->ref_link == 0 || value_is_blank(in))
        return field_image(f, s, in, a, out, NULL) == IMAGE_OK;
    str id = was->refs[1 - s] ? was->refs[1 - s][i].other_id : (str){0};
    *out = (tl_value){.type = f->side[s].type == TL_REF ? TL_REF : TL_TEXT, .u.s = id};
    return id.n > 0;
}

/* What goes one way may differ for good, and says nothing of the other side; and a blank whose base was lost must not
 * pass for one that a user made. Both count as never agreed on. */
static bool base_follows(const struct g_link *l, const struct loaded *ld, int s, uint32_t i, bool lost)
{
    const struct rule_field *f = &l->fields[i];
    bool both_ways = l->rules.direction == LINK_BOTH && f->direction == LINK_BOTH;
    return both_ways && !(lost && field_blank(f, &ld->snap, s, i));
}

int bases_follow(struct engine *g, struct g_link *l, struct loaded *ld, int s, bool lost, struct arena *a,
                 struct err *e)
{
    struct loaded was = *ld;
    bool *has[2], apart = false;
    int rc = TL_OK;
    for (int side = 0; side < 2 && rc == TL_OK; side++) {
        base_open(l, ld, side, &was.values[side], &has[side], a);
        was.snap.side[side].values = was.values[side];
        was.refs[side] = NULL;
        rc = refs_resolve(g, l, side, a, &was, e);
    }
    for (uint32_t i = 0; i < l->rules.n_fields && rc == TL_OK; i++) {
        bool agrees = has[s][i] ? field_equal(&l->fields[i], &was.snap, i) : !lost;
        if (!has[1 - s][i] || agrees)
            continue;
        has[s][i] = base_follows(l, ld, s, i, lost) && base_mirrored(l, &was, s, i, a, &was.values[s][i]);
        apart = true;
    }
    if (rc != TL_OK || !apart)
        return rc;
    base_keep(l, ld, s, was.values[s], has[s], a);
    chg_encode(l, ld, a, &ld->pair.chg);
    return TL_OK;
}

void bases_decide(struct g_link *l, struct loaded *ld, uint32_t i, int winner, struct arena *a)
{
    const struct rule_field *f = &l->fields[i];
    /* What may not be written for now is not given up: it is written once it may. */
    bool left = !field_writable(&l->rules, f, 1 - winner, false) && !field_held_back(&l->rules, f, 1 - winner);
    for (int s = 0; s < 2; s++) {
        tl_value *base;
        bool *has;
        base_open(l, ld, s, &base, &has, a);
        has[i] = s != winner || left;
        base[i] = ld->snap.side[s].values[i];
        base_keep(l, ld, s, base, has, a);
    }
    chg_encode(l, ld, a, &ld->pair.chg);
}

/* ---- pair.extra: what only few pairs need, as "TAGvalue;..." */

str extra_get(str extra, char tag)
{
    for (str rest = extra, part; str_split(&rest, ';', &part);)
        if (part.n && part.p[0] == tag)
            return str_n(part.p + 1, part.n - 1);
    return (str){0};
}

str extra_set(str extra, char tag, str value, struct arena *a)
{
    AUTO(buf_done) struct buf b = {0};
    for (str rest = extra, part; str_split(&rest, ';', &part);)
        if (part.n && part.p[0] != tag) {
            buf_str(&b, part);
            buf_char(&b, ';');
        }
    if (value.n) {
        buf_char(&b, tag);
        buf_str(&b, value);
        buf_char(&b, ';');
    }
    return arena_str(a, buf_lent(&b));
}
