/* One record as it was read goes into the store, and the pairs it belongs to learn of it. Nothing is written to any
 * vendor here, and no other endpoint is waited for. */
#include <stdio.h>

#include "deletion.h"
#include "engine_int.h"
#include "passport.h"
#include "reading.h"
#include "writing.h"

/* As of the answer: it may have waited for a disk. */
void asked_note(struct engine *g, int64_t rec)
{
    g->asked[(uint64_t)rec % ARRAY_LEN(g->asked)] = (struct asked_record){.rec = rec, .at = g->answered_us};
}

void asked_forget(struct engine *g, int64_t rec)
{
    struct asked_record *asked = &g->asked[(uint64_t)rec % ARRAY_LEN(g->asked)];
    if (asked->rec == rec)
        asked->rec = 0;
}

void asked_forget_all(struct engine *g)
{
    memset(g->asked, 0, sizeof g->asked);
}

bool asked_just_now(const struct engine *g, int64_t rec)
{
    const struct asked_record *asked = &g->asked[(uint64_t)rec % ARRAY_LEN(g->asked)];
    return asked->rec == rec && g_mono(g) - asked->at < JUST_NOW_US;
}

bool stamp_is_ours(const struct engine *g, str stamp)
{
    str own = str_of(db_instance(g->db));
    return (stamp.n > own.n + 1 && str_starts(stamp, own) && stamp.p[own.n] == '.') || passport_stamp_known(g, stamp);
}

void observation_of(const struct g_feed *f, const tl_record *r, struct arena *a, struct buf *out)
{
    tl_value *values = arena_array(a, tl_value, r->n_values + 1);
    size_t n = 0;
    for (uint32_t i = 0; i < r->n_values; i++) {
        if (r->values[i].field >= f->shape.n_fields)
            continue;
        values[n] = r->values[i];
        values[n++].field = f->number_of[r->values[i].field];
    }
    obs_add_all(out, values, n);
}

int observe_lookups(struct engine *g, struct g_feed *f, const struct record *made, struct arena *a, struct err *e)
{
    return lookups_follow(g, f, made->rec, (str){0}, made->observation, a, NULL, e);
}

int observe_moved(struct engine *g, struct g_feed *f, const struct record *now, int32_t was, str old, struct arena *a,
                  struct err *e)
{
    bool moved = false;
    int rc =
        str_eq(old, now->observation) ? TL_OK : lookups_follow(g, f, now->rec, old, now->observation, a, &moved, e);
    bool freed = was == TL_STATE_LIVE && (moved || now->state != TL_STATE_LIVE);
    for (const struct feed_side *at = f->sides; at && freed && rc == TL_OK; at = at->next)
        rc = match_key_freed(g, at->l, at->side, now, old, a, e);
    return rc;
}

/* ---- Pairs that hold the record */

static void side_is_settled(struct loaded *ld, int s, struct arena *a)
{
    if (ld->pair.extra.n)
        ld->pair.extra = extra_set(ld->pair.extra, extra_written(s), (str){0}, a);
    ld->pair.unsettled &= ~(s ? (uint32_t)PAIR_UNSETTLED_B : (uint32_t)PAIR_UNSETTLED_A);
}

/* Does `there` stand for what was sent? In our own write it does however the vendor keeps it, but not when it is blank:
 * then it was not sent, or not taken. */
static bool value_arrived(const struct rule_field *f, int s, const tl_value *sent, const tl_value *there,
                          bool own_write)
{
    if (f->ref_link)
        return !value_is_blank(sent) == !value_is_blank(there);
    return (own_write && !value_is_blank(there)) || field_arrived(f, s, sent, there);
}

/* A create seen for the first time, whose source has not changed since: did every field arrive as it was sent? Then
 * both bases are the observations. What settle_side comes to for nearly all creates. */
static bool arrived_whole(const struct g_link *l, const struct loaded *ld, int s, bool own_write)
{
    const struct snapshot_side *there = &ld->snap.side[s], *other = &ld->snap.side[1 - s];
    if (ld->pair.base[s].kind != BASE_NONE || other->base || ld->rec[0].observation.n == 0 ||
        ld->rec[1].observation.n == 0)
        return false;
    for (uint32_t i = 0; i < l->rules.n_fields; i++)
        if (!value_arrived(&l->fields[i], s, &other->values[i], &there->values[i], own_write))
            return false;
    return true;
}

/* The sent value of each field of a side that was written (created: made by us) and is seen for the first time since:
 * base where the vendor keeps it in its own form, else what was sent, so that a foreign edit stays visible. */
static void settle_side(struct g_link *l, struct loaded *ld, int s, bool created, bool own_write, struct arena *a)
{
    if (created && arrived_whole(l, ld, s, own_write)) {
        bases_same(ld);
        side_is_settled(ld, s, a);
        return;
    }
    uint32_t n = l->rules.n_fields;
    bool *agreed = arena_array(a, bool, n + 1);
    tl_value *value[2] = {arena_array(a, tl_value, n + 1), arena_array(a, tl_value, n + 1)};
    const struct snapshot_side *other = &ld->snap.side[1 - s];
    bool first = created && ld->pair.base[s].kind == BASE_NONE;
    str written = extra_get(ld->pair.extra, extra_written(s));
    for (uint32_t i = 0; i < n; i++) {
        const struct rule_field *f = &l->fields[i];
        bool other_has = !other->base || !other->has_base || other->has_base[i];
        tl_value sent = other->base ? other->base[i] : other->values[i];
        value[1 - s][i] = sent;
        value[s][i] = ld->values[s][i];
        if (!first) {
            /* An update: the base holds what was sent. What the vendor made of it is ours; other fields may be others'.
             * A record that was only restored was sent nothing. */
            char number[16];
            snprintf(number, sizeof number, "%u", f->number);
            agreed[i] = own_write && other_has && str_in_list(written, str_of(number));
            continue;
        }
        if (!other_has)
            continue;
        agreed[i] = value_arrived(f, s, &sent, &ld->values[s][i], own_write);
        if (agreed[i] || f->ref_link || own_write || value_is_blank(&sent) || !field_writable(&l->rules, f, s, true))
            continue;
        agreed[i] = field_image(f, s, &sent, a, &value[s][i], NULL) == IMAGE_OK;
    }
    const tl_value *both[2] = {value[0], value[1]};
    bases_set(l, ld, agreed, both, a);
    side_is_settled(ld, s, a);
}

static bool any_changed(const struct g_link *l, const struct loaded *ld, int s)
{
    for (uint32_t i = 0; i < l->rules.n_fields; i++)
        if (field_changed(&l->fields[i], &ld->snap.side[s], i))
            return true;
    return false;
}

static void due_now(struct engine *g, struct g_link *l, struct pair *p, enum lane lane)
{
    int64_t now = g_now(g);
    if (p->due_us == 0 || p->due_us > now || p->lane > (int32_t)lane) {
        p->due_us = now;
        p->lane = (int32_t)lane;
    }
    if (p->status == PAIR_FAILED || p->status == PAIR_PARKED)
        p->status = PAIR_OK;
    if (p->status == PAIR_TOMBSTONE)
        p->status = PAIR_OK;
    p->attempts = 0;
    link_lanes_stale(l);
}

struct seen {
    const tl_record *record;
    str old; /* observation before */
    int32_t old_state;
    bool content_changed, state_changed;
    bool own_write; /* the vendor says that this version is our own write */
    bool told;      /* and that the record was deleted: nobody concludes it */
    bool damaged;   /* what was stored of it, and with that what was agreed on, is lost */
};

/* A write to this side is under way: what is read may be from before it or from after. */
static bool is_being_written(struct engine *g, const struct pair *p, int s)
{
    const struct g_batch *b = p->intent ? batch_find(g, p->intent) : NULL;
    return p->intent && (!b || b->side == s);
}

static int pair_seen(struct engine *g, struct g_link *l, int s, const struct pair_held *held, const struct record *rec,
                     const struct seen *seen, struct arena *a, struct err *e)
{
    struct loaded ld = {.pair = held->pair};
    ld.rec[s] = *rec;
    ld.rec[1 - s] = held->other;
    if (ld.pair.intent)
        batch_source_moved(g, ld.pair.intent, ld.pair.pair);
    int rc = snapshot_make(g, l, a, &ld, e);
    if (rc == TL_OK && seen->damaged)
        rc = bases_follow(g, l, &ld, s, true, a, e);
    if (rc != TL_OK)
        return rc;
    if (seen->state_changed)
        deletion_seen(l, &ld, s, seen->old_state, seen->told, a);
    uint32_t bit = s ? PAIR_UNSETTLED_B : PAIR_UNSETTLED_A;
    bool unsettled = (ld.pair.unsettled & bit) && !is_being_written(g, &ld.pair, s);
    if (!seen->content_changed && !seen->state_changed && !unsettled)
        return TL_OK;
    if (seen->content_changed && !unsettled) {
        tl_value *before = arena_array(a, tl_value, l->rules.n_fields + 1);
        link_values(l, s, seen->old, before, a);
        for (uint32_t i = 0; i < l->rules.n_fields; i++)
            if (!canon_equal(field_canon(&l->fields[i], s), &before[i], &ld.values[s][i]))
                ld.chg[s][i] = seen->record->modified_us;
        chg_encode(l, &ld, a, &ld.pair.chg);
    }
    if (unsettled && ld.snap.side[s].state == SIDE_LIVE) {
        settle_side(l, &ld, s, seen->old.n == 0, seen->own_write, a);
        if (!any_changed(l, &ld, 0) && !any_changed(l, &ld, 1))
            ld.pair.synced_us = g_now(g);
    }
    bool work = any_changed(l, &ld, s) || seen->state_changed || (unsettled && any_changed(l, &ld, 1 - s)) ||
                ld.pair.rec[1 - s] == 0;
    if (work) {
        due_now(g, l, &ld.pair, LANE_LIVE);
    } else if (!unsettled) {
        g->figures.echoes++;
        if (ld.pair.status == PAIR_FAILED)
            due_now(g, l, &ld.pair, LANE_LIVE);
    }
    if (seen->state_changed && ld.snap.side[s].state == SIDE_LIVE)
        rc = refs_lead(g, l, 1 - s, ld.rec[1 - s].id, e);
    return rc == TL_OK ? pair_store(g->db, &ld.pair, e) : rc;
}

int observe_settle(struct engine *g, struct g_link *l, int side, int64_t pair, struct arena *a, struct err *e)
{
    struct loaded ld;
    int rc = snapshot_load(g, l, pair, a, &ld, e);
    if (rc != TL_OK || ld.rec[side].observation.n == 0)
        return rc;
    settle_side(l, &ld, side, true, false, a);
    due_now(g, l, &ld.pair, LANE_LIVE);
    return pair_store(g->db, &ld.pair, e);
}

/* ---- Records that no pair holds */

/* The pair of a create that is under way with this stamp, of whichever link writes there; 0: none. */
static int64_t pair_being_made(struct engine *g, const struct g_feed *f, str stamp)
{
    for (struct g_batch *b = g->batches; b; b = b->next) {
        const struct g_link *l = b->op == TL_OP_CREATE ? model_link(g, b->link) : NULL;
        for (uint32_t i = 0; l && l->feed[b->side] == f && i < b->n; i++)
            if (!b->entries[i].done && str_eq(b->entries[i].stamp, stamp))
                return b->entries[i].pair;
    }
    return 0;
}

/* It bears a mark of ours that says nothing yet: held until that is known. */
static int stamped(struct engine *g, struct g_link *l, int s, const struct record *rec, struct err *e)
{
    int64_t pair = pair_being_made(g, l->feed[s], rec->stamp);
    struct held h = {.link = l->row.link,
                     .side = s,
                     .rec = rec->rec,
                     .pair = pair,
                     .at_us = g_now(g),
                     .why = pair ? STR("intent") : STR("orphaned_stamp")};
    if (!pair) {
        l->orphans = true;
        ready_wake(&l->ready);
    }
    l->held = true;
    return held_put(g->db, &h, e);
}

/* A record that a pair used to hold came back: it takes its place again, with the base it had. */
static int reattach(struct engine *g, struct g_link *l, int s, const struct record *rec, const struct old_id *old,
                    struct arena *a, struct err *e)
{
    struct pair p = {0};
    int rc = pair_get(g->db, a, old->pair, &p, e);
    if (rc != TL_OK)
        return rc;
    struct record now = {0};
    if (p.rec[s]) {
        rc = record_get(g->db, a, p.rec[s], &now, e);
        if (rc != TL_OK)
            return rc;
    }
    if (p.intent) {
        struct held h = {l->row.link, s, rec->rec, p.pair, STR("intent"), g_now(g)};
        l->held = true;
        return held_put(g->db, &h, e);
    }
    if (p.rec[s] && now.state == TL_STATE_LIVE) {
        AUTO(buf_done) struct buf text = {0};
        buf_fmt(&text, "its place in pair %lld is held by %.*s", (long long)p.pair, STR_FMT(now.id));
        struct trouble t = {
            .code = "ALREADY_MAPPED", .reason = TL_R_ALREADY_MAPPED, .id = rec->id, .text = buf_text(&text), .side = s};
        return fail_record(g, l, &t, e);
    }
    int64_t gone = p.rec[s];
    struct old_id put = {.link = l->row.link,
                         .rec = gone,
                         .pair = p.pair,
                         .side = s,
                         .gen = p.gen[s],
                         .why = STR("repointed"),
                         .at_us = g_now(g)};
    put.base.kind = p.base[s].kind;
    put.base.blob = p.base[s].blob;
    p.rec[s] = rec->rec;
    p.base[s] = (struct pair_base){
        .kind = old->base.kind == BASE_OWN ? BASE_OWN : BASE_NONE, .blob = old->base.blob, .set = true};
    refs_changed(g, l);
    due_now(g, l, &p, LANE_LIVE);
    rc = pair_store(g->db, &p, e);
    if (rc == TL_OK && gone)
        rc = old_id_put(g->db, &put, e);
    struct loaded ld;
    if (rc == TL_OK)
        rc = snapshot_load(g, l, p.pair, a, &ld, e);
    if (rc == TL_OK) /* what the other side agreed on since, with a successor, counts as its change */
        rc = bases_follow(g, l, &ld, 1 - s, false, a, e);
    return rc == TL_OK ? pair_store(g->db, &ld.pair, e) : rc;
}

int observe_returned(struct engine *g, struct g_link *l, int s, const struct record *rec, bool *held, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct old_id old = {0};
    int rc = old_id_get(g->db, &a, l->row.link, rec->rec, &old, e);
    *held = rc == TL_OK;
    if (rc == TL_E_NOT_FOUND)
        return TL_OK;
    return rc == TL_OK ? reattach(g, l, s, rec, &old, &a, e) : rc;
}

static int record_unpaired(struct engine *g, struct g_link *l, int s, const struct record *rec, struct err *e)
{
    if (l->row.mode != LINK_SYNC || !l->usable)
        return TL_OK;
    bool elsewhere = false;
    if (rec->stamp.n && stamp_is_ours(g, rec->stamp)) {
        int marked = stamp_of_other_link(g, l, rec->rec, &elsewhere, e);
        if (marked != TL_OK || !elsewhere)
            return marked == TL_OK ? stamped(g, l, s, rec, e) : marked;
    }
    if (l->row.phase < PHASE_MATCH || rec->state != TL_STATE_LIVE)
        return TL_OK;
    bool was_held = false;
    int rc = observe_returned(g, l, s, rec, &was_held, e);
    if (rc != TL_OK || was_held)
        return rc;
    bool has_field = l->feed[s]->kind && l->feed[s]->kind->desc.stamp_field.n > 0;
    if (!has_field && l->open_creates[s] > 0) {
        struct held h = {l->row.link, s, rec->rec, 0, STR("intent"), g_now(g)};
        l->held = true;
        return held_put(g->db, &h, e);
    }
    if (!record_in_window(g, l, rec))
        return window_outside(g, l, s, rec, e);
    if (!link_allows(l->rules.direction, 1 - s))
        return TL_OK;
    struct pair p = {
        .link = l->row.link, .lane = LANE_LIVE, .due_us = g_now(g), .made_us = g_now(g), .map_gen = l->row.map_gen};
    p.rec[s] = rec->rec;
    rc = pair_insert(g->db, &p, e);
    if (rc == E_EXISTS)
        return TL_OK;
    link_lanes_stale(l);
    return rc;
}

/* Is what the record waited for over? */
static int held_is_free(struct engine *g, struct g_link *l, const struct held *h, struct arena *a, bool *free_out,
                        struct err *e)
{
    struct pair p = {0};
    *free_out = h->pair != 0 || l->open_creates[h->side] == 0;
    if (h->pair == 0)
        return TL_OK;
    int rc = pair_get(g->db, a, h->pair, &p, e);
    if (rc == TL_OK)
        *free_out = p.intent == 0;
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

static int held_look(struct engine *g, struct g_link *l, const struct held *h, struct arena *a, struct err *e)
{
    bool is_free = false;
    struct record rec = {0};
    int64_t of = 0;
    int rc = held_is_free(g, l, h, a, &is_free, e);
    if (rc != TL_OK || !is_free) {
        l->held = true;
        return rc;
    }
    rc = held_drop(g->db, l->row.link, h->rec, e);
    if (rc == TL_OK)
        rc = record_get(g->db, a, h->rec, &rec, e);
    if (rc != TL_OK)
        return rc == TL_E_NOT_FOUND ? TL_OK : rc;
    rc = pair_of_record(g->db, l->row.link, (enum side)h->side, rec.rec, (str){0}, &of, e);
    return rc == TL_E_NOT_FOUND ? record_unpaired(g, l, h->side, &rec, e) : rc;
}

void held_release(struct engine *g, struct g_link *l)
{
    AUTO(arena_done) struct arena a = {0};
    struct held *list = NULL;
    size_t n = 0;
    struct err e = {0};
    l->held = false;
    int rc = g_begin(g, &e);
    if (rc == TL_OK)
        rc = held_waiting(g->db, &a, l->row.link, -1, STR("intent"), PAGE_ROWS, &list, &n, &e);
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        rc = held_look(g, l, &list[i], &a, &e);
    if (g_end(g, rc, "looking at held records again", &e) != TL_OK || n == PAGE_ROWS)
        l->held = true; /* there are more */
    g_step(g, (unsigned)n + 1);
}

/* The links that have the feed on this side: their pairs with the record learn of it, those without one too. */
static int each_pair(struct engine *g, struct g_feed *f, int s, const struct record *rec, const struct seen *seen,
                     struct arena *a, struct err *e)
{
    const struct feed_side *user = f->sides;
    while (user && user->side != s)
        user = user->next;
    if (!user)
        return TL_OK;
    struct pair_held *held = NULL;
    size_t n = 0;
    int rc = pair_load_of_record(g->db, a, (enum side)s, rec->rec, &held, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        struct g_link *l = model_link(g, held[i].pair.link);
        if (l && l->usable)
            rc = pair_seen(g, l, s, &held[i], rec, seen, a, e);
    }
    for (; user && rc == TL_OK; user = user->next) {
        bool paired = user->side != s;
        for (size_t i = 0; i < n; i++)
            paired |= held[i].pair.link == user->l->row.link;
        if (!paired)
            rc = record_unpaired(g, user->l, s, rec, e);
    }
    return rc;
}

static int each_link(struct engine *g, struct g_feed *f, const struct record *rec, const struct seen *seen,
                     struct arena *a, struct err *e)
{
    for (const struct feed_side *at = f->sides; at && seen->state_changed; at = at->next)
        refs_changed(g, at->l);
    int rc = TL_OK;
    for (int s = 0; s < 2 && rc == TL_OK; s++)
        rc = each_pair(g, f, s, rec, seen, a, e);
    return rc;
}

/* ---- The record itself */

/* -1, 0, 1; 2 when the versions cannot be ordered. */
static int version_order(const tl_record *r, const struct record *old)
{
    if (r->version_kind == TL_VER_TIME)
        return r->modified_us < old->modified_us ? -1 : r->modified_us > old->modified_us;
    if (r->version_kind != TL_VER_SEQUENCE)
        return 2;
    if (r->version.n != old->version.n)
        return r->version.n < old->version.n ? -1 : 1;
    int c = str_cmp(r->version, old->version);
    return c < 0 ? -1 : c > 0;
}

/* Is what we hold later than the question this record answers? Then a row that is not newer tells nothing. */
static bool is_stale(const tl_record *r, const struct record *old, const struct observe_how *how, bool *refetch)
{
    *refetch = false;
    if (old->observation.n == 0)
        return false; /* known from our own create only */
    int order = version_order(r, old);
    bool asked_before = how->sent_us && old->seen_us > how->sent_us;
    if (order == 1)
        return false;
    if (order == -1)
        return how->via == OBSERVE_FEED || asked_before;
    *refetch = asked_before;
    return asked_before;
}

static bool is_own_write(const struct g_feed *f, const tl_record *r, const struct record *old)
{
    if (old->version.n == 0 || !str_eq(r->version, old->version))
        return false;
    return f->ep->row.user_id.n > 0 && str_eq(r->by, f->ep->row.user_id);
}

static void record_take(struct record *to, const tl_record *r, int32_t state, uint64_t hash, int64_t now)
{
    to->state = state;
    to->version_kind = r->version_kind;
    to->version = r->version;
    if (r->modified_us || r->state == TL_STATE_LIVE)
        to->modified_us = r->modified_us;
    if (r->created_us)
        to->created_us = r->created_us;
    to->seen_us = now;
    to->seen_hash = hash;
    to->into = r->into;
    to->by = r->by;
}

/* Two changes within one tick of a coarse clock carry one version: look again when the tick is over. */
static int64_t recheck_at(struct engine *g, const struct g_feed *f, const tl_record *r)
{
    int64_t resolution = f->kind ? (int64_t)f->kind->desc.resolution_ms * US_PER_MS : 0;
    if (r->version_kind != TL_VER_TIME || resolution == 0 || r->modified_us == 0)
        return 0;
    int64_t vendor_now = g_now(g) + f->ep->row.clock_offset_us;
    int64_t age = vendor_now - r->modified_us - US_PER_S; /* the vendor's clock is known to about a second */
    return age <= resolution ? g_now(g) + resolution + US_PER_S : 0;
}

static int record_new(struct engine *g, struct g_feed *f, const tl_record *r, uint64_t hash, struct arena *a,
                      struct observed *out, struct err *e)
{
    AUTO(buf_done) struct buf blob = {0};
    struct record rec = {.feed = f->row.feed, .id = r->id};
    record_take(&rec, r, out->state, hash, g_now(g));
    if (r->state != TL_STATE_LIVE && r->n_values == 0)
        return TL_OK; /* gone before we ever knew it */
    observation_of(f, r, a, &blob);
    rec.observation = buf_lent(&blob);
    rec.stamp = r->stamp.n && stamp_is_ours(g, r->stamp) ? r->stamp : (str){0};
    rec.recheck_us = recheck_at(g, f, r);
    int rc = record_put(g->db, &rec, e);
    if (rc != TL_OK)
        return rc;
    out->rec = rec.rec;
    out->is_new = true;
    if (rec.recheck_us && rec.recheck_us < f->recheck_due)
        f->recheck_due = rec.recheck_us;
    rc = observe_lookups(g, f, &rec, a, e);
    for (const struct feed_side *at = f->sides; at && rc == TL_OK; at = at->next)
        rc = record_unpaired(g, at->l, at->side, &rec, e);
    return rc;
}

/* What a write of ours made is seen for the first time. The row holds nothing that counts, so it is not read. */
static int record_first_seen(struct engine *g, struct g_feed *f, const tl_record *r, uint64_t hash,
                             const struct record_probe *probe, struct arena *a, struct observed *out, struct err *e)
{
    AUTO(buf_done) struct buf blob = {0};
    struct record now = {.rec = probe->rec, .feed = f->row.feed, .id = r->id};
    record_take(&now, r, out->state, hash, g_now(g));
    observation_of(f, r, a, &blob);
    now.observation = buf_lent(&blob);
    now.recheck_us = recheck_at(g, f, r);
    if (now.recheck_us && now.recheck_us < f->recheck_due)
        f->recheck_due = now.recheck_us;
    int rc = record_first(g->db, &now, e);
    if (rc != TL_OK)
        return rc;
    out->rec = now.rec;
    rc = observe_lookups(g, f, &now, a, e);
    struct seen seen = {.record = r, .old_state = probe->state, .content_changed = true};
    seen.state_changed = probe->state != now.state;
    return rc == TL_OK ? each_link(g, f, &now, &seen, a, e) : rc;
}

/* A record that is not found by its id may as well be hidden or merged away; one in the bin was put there, and a feed
 * of changes names what was deleted. */
static bool tells_of_deletion(const tl_record *r, const struct observe_how *how)
{
    bool named = r->state == TL_STATE_TRASHED || (r->state == TL_STATE_DELETED && how->via == OBSERVE_FEED);
    return named && how->via != OBSERVE_PASS && !how->missed;
}

static int record_known(struct engine *g, struct g_feed *f, const tl_record *r, uint64_t hash,
                        const struct observe_how *how, int64_t rec_id, struct arena *a, struct observed *out,
                        struct err *e)
{
    struct record old = {0};
    bool refetch = false;
    int rc = record_get(g->db, a, rec_id, &old, e);
    if (rc != TL_OK)
        return rc;
    out->rec = rec_id;
    bool part = !(r->flags & TL_REC_FULL) && r->state == TL_STATE_LIVE;
    if (is_stale(r, &old, how, &refetch) || (part && old.damaged)) {
        out->stale = true;
        if (refetch || (old.damaged && how->via != OBSERVE_GET))
            feed_want(f, rec_id, r->id, g_mono(g), 0);
        return scope_entered(g, f, &old, r, how->via, e);
    }
    AUTO(buf_done) struct buf blob = {0};
    AUTO(buf_done) struct buf whole = {0};
    observation_of(f, r, a, &blob);
    str observation = buf_lent(&blob);
    if ((part || r->state != TL_STATE_LIVE) && !old.damaged) {
        obs_overlay(&whole, old.observation, observation, a);
        observation = buf_lent(&whole);
    }
    struct record now = old;
    record_take(&now, r, out->state, hash, g_now(g));
    now.observation = observation;
    now.recheck_us = recheck_at(g, f, r);
    if (now.recheck_us && now.recheck_us < f->recheck_due)
        f->recheck_due = now.recheck_us;
    if (old.stamp.n && r->stamp.n == 0 && (r->flags & TL_REC_FULL))
        now.stamp = (str){0}; /* taken off by a person: a record like others */
    struct seen seen = {
        .record = r, .old = old.observation, .old_state = old.state, .own_write = is_own_write(f, r, &old)};
    seen.damaged = old.damaged;
    seen.content_changed = old.damaged || !str_eq(old.observation, observation);
    seen.state_changed = old.state != now.state;
    seen.told = tells_of_deletion(r, how);
    out->unchanged = !seen.content_changed && !seen.state_changed;
    if (out->unchanged && now.recheck_us == old.recheck_us)
        rc = record_touch(g->db, rec_id, now.version, now.version_kind, now.modified_us, now.seen_us, hash, e);
    else
        rc = record_put(g->db, &now, e);
    now.damaged = false; /* unchanged it was not, or it would have been put */
    if (rc == TL_OK && seen.content_changed && how->via == OBSERVE_PASS && !old.damaged)
        shift_note(f, old.observation, observation);
    if (rc == TL_OK)
        rc = observe_moved(g, f, &now, old.state, old.observation, a, e);
    return rc == TL_OK ? each_link(g, f, &now, &seen, a, e) : rc;
}

/* In the first pass of a feed nearly every record is new: made without asking for it. E_EXISTS: it is known. */
static int first_pass(struct engine *g, struct g_feed *f, const tl_record *r, uint64_t hash, struct arena *a,
                      struct observed *out, struct err *e)
{
    struct err known = {0};
    out->state = scope_state(f, r, OBSERVE_PASS, SCOPE_UNKNOWN);
    int rc = record_new(g, f, r, hash, a, out, &known);
    if (rc == TL_OK && g->listeners && out->is_new)
        event_record(g, f, r, "new");
    if (rc != TL_OK && rc != E_EXISTS)
        *e = known;
    return rc;
}

int observe(struct engine *g, struct g_feed *f, const tl_record *r, str raw, const struct observe_how *how,
            struct observed *out, struct err *e)
{
    *out = (struct observed){0};
    g_step(g, 1);
    g->figures.observed++;
    bool erased = false;
    int rc = erased_is(g, f->ep, f->row.kind, r->id, &erased, e);
    if (rc != TL_OK || erased)
        return rc;
    if ((r->flags & TL_REC_BAD) || r->id.n > REMOTE_ID_MAX)
        return record_unusable(g, f, r, e);
    if (r->id.n == 0)
        return TL_OK;
    uint64_t hash = store_hash(raw.p, raw.n) ^ f->shape_hash;
    rc = record_has_left(r->state) ? record_over(g, f, r->id, e) : record_usable(g, f, r->id, e);
    if (rc != TL_OK)
        return rc;
    AUTO(arena_done) struct arena a = {0};
    if (how->via == OBSERVE_PASS && f->row.full_pass_us == 0) {
        rc = first_pass(g, f, r, hash, &a, out, e);
        if (rc != E_EXISTS)
            return rc;
        *out = (struct observed){0};
    }
    struct record_probe probe = {0};
    rc = record_probe(g->db, f->row.feed, r->id, &probe, e);
    if (rc == TL_OK && how->via == OBSERVE_PASS && probe.observed)
        shift_met(f);
    if (rc == TL_OK && orphan_asked(g, f, r->stamp)) {
        probe.bare = false;
        rc = orphan_again(g, f, probe.rec, r->stamp, e);
    }
    out->state = scope_state(f, r, how->via, rc == TL_OK ? probe.state : SCOPE_UNKNOWN);
    if (rc == TL_OK && probe.seen_hash == hash && probe.observed && probe.state == out->state) {
        out->rec = probe.rec;
        out->unchanged = true;
        g->figures.unchanged++;
        if (how->via == OBSERVE_GET)
            asked_note(g, probe.rec);
        return TL_OK;
    }
    if (rc != TL_OK && rc != TL_E_NOT_FOUND)
        return rc;
    if (g->listeners)
        event_record(g, f, r, rc == TL_OK ? "changed" : "new");
    if (rc == TL_E_NOT_FOUND)
        rc = record_new(g, f, r, hash, &a, out, e);
    else if (probe.bare && r->state == TL_STATE_LIVE && (r->flags & TL_REC_FULL) && r->created_us)
        rc = record_first_seen(g, f, r, hash, &probe, &a, out, e);
    else
        rc = record_known(g, f, r, hash, how, probe.rec, &a, out, e);
    if (rc == TL_OK && how->via == OBSERVE_GET && !out->stale)
        asked_note(g, out->rec);
    return rc;
}

static int state_take(struct engine *g, struct g_feed *f, int64_t rec_id, int32_t state, str into, str by, bool told,
                      struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct record rec = {0};
    int rc = record_get(g->db, &a, rec_id, &rec, e);
    if (rc == TL_OK && rec.damaged) { /* it cannot be read again: what was stored of it is dropped */
        rec.observation = (str){0};
        rc = record_put(g->db, &rec, e);
    }
    if (rc != TL_OK || (rec.state == state && str_eq(rec.into, into)))
        return rc == TL_E_NOT_FOUND ? TL_OK : rc;
    int32_t before = rec.state;
    rc = record_set_state(g->db, rec_id, state, into, g_now(g), e);
    if (rc == TL_OK && record_has_left(state))
        rc = record_over(g, f, rec.id, e);
    if (rc == TL_OK && by.n) {
        rec.state = state;
        rec.into = into;
        rec.by = by;
        rc = record_put(g->db, &rec, e);
    }
    if (rc != TL_OK)
        return rc;
    tl_record none = {.id = rec.id, .state = state, .modified_us = rec.modified_us};
    struct seen seen = {
        .record = &none, .old = rec.observation, .old_state = before, .state_changed = true, .told = told};
    rec.state = state;
    rec.into = into;
    return each_link(g, f, &rec, &seen, &a, e);
}

int observe_state(struct engine *g, struct g_feed *f, int64_t rec, int32_t state, str into, struct err *e)
{
    return state_take(g, f, rec, state, into, (str){0}, false, e);
}

int observe_deleted(struct engine *g, struct g_feed *f, int64_t rec, struct err *e)
{
    return state_take(g, f, rec, TL_STATE_DELETED, (str){0}, (str){0}, true, e);
}

int observe_told(struct engine *g, struct g_feed *f, int64_t rec, const tl_record *r, const struct observe_how *how,
                 struct err *e)
{
    int rc = state_take(g, f, rec, r->state, r->into, r->by, tells_of_deletion(r, how), e);
    if (rc == TL_OK && how->via == OBSERVE_GET)
        asked_note(g, rec);
    return rc;
}
