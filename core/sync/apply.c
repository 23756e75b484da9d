/* What becomes of a record that was written: the row of the record, its bases, the history row and the end of its part
 * of the intent. Inside the caller's transaction. */
#include "deletion.h"
#include "engine_int.h"
#include "reading.h"
#include "undo.h"
#include "writing.h"

static void pair_is_through(struct engine *g, struct pair *p, bool again)
{
    p->intent = 0;
    p->attempts = 0;
    p->status = PAIR_OK;
    p->due_us = again || p->due_us ? g_now(g) : 0; /* woken while the write was out: look again */
}

/* Everybody else who holds the written record has something to look at. */
static int wake_others(struct engine *g, int64_t rec, int64_t pair, struct arena *a, struct err *e)
{
    struct pair_ref *refs = NULL;
    size_t n = 0;
    int rc = pair_list_of_record(g->db, a, rec, &refs, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        if (refs[i].pair != pair) {
            rc = pair_wake(g->db, refs[i].pair, LANE_LIVE, g_now(g), true, e);
            struct g_link *other = model_link(g, refs[i].link);
            if (other)
                link_lanes_stale(other);
        }
    return rc;
}

static int wake_dependants(struct engine *g, struct g_link *l, struct g_batch *b, const struct g_entry *entry,
                           struct arena *a, struct err *e)
{
    if (!l->referred)
        return TL_OK;
    str id = entry->source_id;
    struct record source = {0};
    struct pair p = {0};
    int rc = TL_OK;
    if (id.n == 0) {
        rc = pair_get(g->db, a, entry->pair, &p, e);
        if (rc == TL_OK)
            rc = record_get(g->db, a, p.rec[1 - b->side], &source, e);
        id = source.id;
    }
    return rc == TL_OK ? refs_lead(g, l, 1 - b->side, id, e) : rc;
}

static void target_take(struct engine *g, struct record *to, const tl_record *post)
{
    if (post->version.n)
        to->version = post->version;
    if (post->version_kind)
        to->version_kind = post->version_kind;
    if (post->modified_us)
        to->modified_us = post->modified_us;
    if (post->created_us)
        to->created_us = post->created_us;
    to->seen_us = g_now(g);
    to->seen_hash = 0;
    to->stamp = (str){0};
}

static int create_slow(struct engine *g, struct g_link *l, struct g_batch *b, struct g_entry *entry,
                       const tl_record *post, bool seen_before, str source_obs, struct arena *a, struct err *e)
{
    int side = b->side, source = 1 - side;
    struct loaded ld;
    int rc = snapshot_load(g, l, entry->pair, a, &ld, e);
    if (rc != TL_OK)
        return rc;
    uint32_t n = l->rules.n_fields;
    bool *agreed = arena_array(a, bool, n + 1);
    tl_value *value[2] = {arena_array(a, tl_value, n + 1), arena_array(a, tl_value, n + 1)};
    link_values(l, source, source_obs, value[source], a);
    bool post_full = post && (post->flags & TL_REC_FULL) && !seen_before;
    for (uint32_t i = 0; i < n; i++) {
        bool may_wait = l->fields[i].ref_link || field_held_back(&l->rules, &l->fields[i], side) ||
                        field_writable(&l->rules, &l->fields[i], side, true); /* by now */
        bool waits = (entry->flags & ENTRY_WAITS) && may_wait && !value_is_blank(&value[source][i]);
        for (uint32_t k = 0; k < entry->n_values && waits; k++)
            waits = entry->values[k].field != l->fields[i].number;
        agreed[i] = !waits && !stood_in(&ld, entry, &l->fields[i], source, i);
        value[side][i] = ld.values[side][i];
    }
    const tl_value *both[2] = {value[0], value[1]};
    bases_none(l, &ld, a);
    bases_set(l, &ld, agreed, both, a);
    if (!post_full) {
        pair_set_base(&ld.pair, (enum side)side, BASE_NONE, (str){0});
        ld.pair.unsettled |= side ? PAIR_UNSETTLED_B : PAIR_UNSETTLED_A;
    }
    ld.pair.map_gen = b->map_gen;
    pair_is_through(g, &ld.pair, true);
    ld.pair.lane = LANE_LIVE;
    link_lanes_stale(l);
    rc = pair_store(g->db, &ld.pair, e);
    return rc == TL_OK && seen_before ? observe_settle(g, l, side, ld.pair.pair, a, e) : rc;
}

/* The dead record was brought back by a user while its successor was being made: now there are two. */
static int came_back(struct engine *g, struct g_link *l, int side, int64_t rec_id, str successor, struct arena *a,
                     struct err *e)
{
    struct record rec = {0};
    int rc = record_get(g->db, a, rec_id, &rec, e);
    if (rc != TL_OK || rec.state != TL_STATE_LIVE)
        return rc;
    AUTO(buf_done) struct buf text = {0};
    buf_fmt(&text, "its place is held by %.*s", STR_FMT(successor));
    struct trouble t = {
        .code = "ALREADY_MAPPED", .reason = TL_R_ALREADY_MAPPED, .id = rec.id, .text = buf_text(&text), .side = side};
    return fail_record(g, l, &t, e);
}

/* The target answered with a record that is known already: seen by the feed before its result came, or another's.
 * *failed_out: it has its counterpart, and the pair was failed for that. */
static int create_known(struct engine *g, struct g_link *l, struct g_batch *b, struct g_entry *entry,
                        const tl_record *post, struct record *rec, bool *failed_out, struct arena *a, struct err *e)
{
    int side = b->side;
    int64_t of = 0;
    int rc = record_find(g->db, a, l->feed[side]->row.feed, post->id, rec, e);
    if (rc == TL_OK)
        rc = pair_of_record(g->db, l->row.link, (enum side)side, rec->rec, (str){0}, &of, e);
    if (rc == TL_OK && of != entry->pair) {
        struct pair p = {0};
        rc = pair_get(g->db, a, entry->pair, &p, e);
        AUTO(buf_done) struct buf text = {0};
        buf_fmt(&text, "the target answered with %.*s, which is in pair %lld already", STR_FMT(post->id),
                (long long)of);
        struct trouble t = {.code = "ALREADY_MAPPED",
                            .reason = TL_R_ALREADY_MAPPED,
                            .id = entry->source_id,
                            .side = 1 - side,
                            .text = buf_text(&text)};
        p.intent = 0;
        *failed_out = true;
        return rc == TL_OK ? fail_pair(g, l, &p, &t, e) : rc;
    }
    if (rc == TL_E_NOT_FOUND)
        rc = held_drop(g->db, l->row.link, rec->rec, e);
    if (rc == TL_OK && rec->stamp.n)
        rc = record_set_stamp(g->db, rec->rec, (str){0}, e);
    return rc;
}

/* The row of the record that the write made; *seen_before: it was there. */
static int create_record(struct engine *g, struct g_link *l, struct g_batch *b, struct g_entry *entry,
                         const tl_record *post, struct record *rec, bool *seen_before, bool *failed_out,
                         struct arena *a, struct err *e)
{
    struct g_feed *f = l->feed[b->side];
    bool post_full = (post->flags & TL_REC_FULL) != 0;
    AUTO(buf_done) struct buf blob = {0};
    struct err put = {0};
    *rec = (struct record){.feed = f->row.feed, .id = post->id, .state = TL_STATE_LIVE};
    target_take(g, rec, post);
    if (post_full) {
        observation_of(f, post, a, &blob);
        rec->observation = arena_str(a, buf_lent(&blob));
    }
    int rc = record_put(g->db, rec, &put);
    *seen_before = rc == E_EXISTS;
    if (rc == E_EXISTS)
        return create_known(g, l, b, entry, post, rec, failed_out, a, e);
    if (rc != TL_OK) {
        *e = put;
        return rc;
    }
    return post_full ? observe_lookups(g, f, rec, a, e) : TL_OK;
}

/* What nearly every create comes to: the record is new, the pair is as it was born, all that was planned was sent. */
static int create_plain(struct engine *g, const struct g_batch *b, const struct g_entry *entry, int64_t rec,
                        bool *done_out, struct err *e)
{
    struct pair_created c = {.pair = entry->pair,
                             .link = b->link,
                             .intent = b->intent,
                             .side = (enum side)b->side,
                             .rec = rec,
                             .gen = (int32_t)entry->gen,
                             .run = b->run,
                             .map_gen = b->map_gen,
                             .synced_us = g_now(g)};
    return pair_created(g->db, &c, done_out, e);
}

/* Any other create. *first: the pair had no record on this side before. */
static int create_bind(struct engine *g, struct g_link *l, struct g_batch *b, struct g_entry *entry,
                       const tl_record *post, const struct record *rec, bool seen_before, bool *first, struct arena *a,
                       struct err *e)
{
    int side = b->side;
    struct pair p = {0};
    int rc = pair_get(g->db, a, entry->pair, &p, e);
    if (rc == TL_OK && p.rec[side] && p.rec[side] != rec->rec) {
        struct old_id old = {.link = l->row.link,
                             .rec = p.rec[side],
                             .pair = p.pair,
                             .side = side,
                             .gen = p.gen[side],
                             .why = STR("recreated"),
                             .at_us = g_now(g),
                             .base = {p.base[side].kind, p.base[side].blob}};
        rc = old_id_put(g->db, &old, e);
        if (rc == TL_OK)
            rc = came_back(g, l, side, p.rec[side], post->id, a, e);
    }
    if (rc != TL_OK)
        return rc;
    *first = p.rec[side] == 0;
    p.rec[side] = rec->rec;
    p.gen[side] = (int32_t)entry->gen;
    p.flags |= side ? PAIR_CREATED_B : PAIR_CREATED_A;
    if (*first)
        p.run = b->run;
    pair_is_through(g, &p, false);
    p.map_gen = b->map_gen;
    p.synced_us = g_now(g);
    bool post_full = (post->flags & TL_REC_FULL) != 0;
    if (!seen_before && !post_full && !(entry->flags & (ENTRY_WAITS | ENTRY_MOVED)) && *first) {
        pair_set_base(&p, (enum side)(1 - side), BASE_SAME, (str){0});
        pair_set_base(&p, (enum side)side, BASE_NONE, (str){0});
        p.unsettled |= side ? PAIR_UNSETTLED_B : PAIR_UNSETTLED_A;
        return pair_store(g->db, &p, e);
    }
    /* Bound first, so that the planner's view holds both records; then the bases. */
    struct record source = {0};
    rc = record_get(g->db, a, p.rec[1 - side], &source, e);
    str source_obs = source.observation;
    if (rc == TL_OK)
        rc = intent_source(g->db, a, p.pair, (enum side)(1 - side), &source_obs, e);
    if (rc == TL_E_NOT_FOUND)
        rc = TL_OK;
    if (rc == TL_OK)
        rc = pair_store(g->db, &p, e);
    return rc == TL_OK ? create_slow(g, l, b, entry, post, seen_before, source_obs, a, e) : rc;
}

/* The record is there: made by this write, by an earlier attempt of it, or seen by the feed before its result came. */
static int create_apply(struct engine *g, struct g_link *l, struct g_batch *b, struct g_entry *entry,
                        const tl_record *post, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    int side = b->side;
    bool post_full = (post->flags & TL_REC_FULL) != 0;
    bool seen_before = false, failed = false, done = false, first = true;
    struct record rec = {0};
    int rc = create_record(g, l, b, entry, post, &rec, &seen_before, &failed, &a, e);
    if (rc != TL_OK || failed)
        return rc;
    bool plain = (entry->flags & ENTRY_BORN) && !(entry->flags & (ENTRY_WAITS | ENTRY_MOVED)) && !post_full;
    if (plain && !seen_before)
        rc = create_plain(g, b, entry, rec.rec, &done, e);
    if (rc == TL_OK && !done)
        rc = create_bind(g, l, b, entry, post, &rec, seen_before, &first, &a, e);
    if (rc == TL_OK && !first)
        rc = change_note(g, l, b, entry, NULL, post->id, &a, e);
    refs_changed(g, l);
    if (rc == TL_OK)
        rc = wake_dependants(g, l, b, entry, &a, e);
    int64_t resolved = 0;
    if (rc == TL_OK && !(entry->flags & ENTRY_BORN))
        rc = failure_resolve_pair(g->db, entry->pair, STR("sync"), g_now(g), &resolved, e);
    if (rc == TL_OK && seen_before)
        rc = record_paired(g, l, side, rec.id, e);
    if (rc == TL_OK && b->lane != LANE_BULK && !post_full && !seen_before)
        feed_want(l->feed[side], rec.rec, rec.id, g_mono(g), 0);
    run_count(g, l, b->run, side, COUNT_ADDED);
    g->figures.creates++;
    event_pair(g, l, entry->pair, side, post->id, "created");
    return rc;
}

/* Fields of a written record that is in the bin by now: those that were the same on both sides count as agreed on, as
 * they would have with the next look at two living records. */
static void agree_in_the_bin(const struct g_link *l, const struct loaded *ld, int side, bool *agreed,
                             tl_value *value[2])
{
    for (uint32_t i = 0; i < l->rules.n_fields && ld->rec[side].state != TL_STATE_LIVE; i++)
        if (!agreed[i] && field_adopting(&ld->snap, i) && field_equal(&l->fields[i], &ld->snap, i)) {
            agreed[i] = true;
            value[0][i] = ld->values[0][i];
            value[1][i] = ld->values[1][i];
        }
}

/* The row of the record as it is after the write: as the vendor told it, else with the values that were sent. */
static int target_written(struct engine *g, struct g_link *l, struct g_batch *b, const struct g_entry *entry,
                          const tl_record *post, struct record now, struct arena *a, struct err *e)
{
    struct g_feed *f = l->feed[b->side];
    AUTO(buf_done) struct buf overlay = {0};
    AUTO(buf_done) struct buf whole = {0};
    str old = now.observation;
    int32_t was_state = now.state;
    if (post && (post->flags & TL_REC_FULL)) {
        observation_of(f, post, a, &whole);
    } else {
        tl_value *sent = arena_array(a, tl_value, entry->n_values + 1);
        size_t n_sent = 0;
        for (uint32_t k = 0; k < entry->n_values; k++) {
            int32_t i = field_of_number(l, entry->values[k].field);
            if (i < 0)
                continue;
            sent[n_sent] = entry->values[k];
            sent[n_sent++].field = l->fields[i].obs_no[b->side];
        }
        obs_add_all(&overlay, sent, n_sent);
        obs_overlay(&whole, old, buf_lent(&overlay), a);
    }
    now.observation = buf_lent(&whole);
    target_take(g, &now, post);
    if (b->op == TL_OP_RESTORE)
        now.state = TL_STATE_LIVE;
    refs_changed(g, l);
    int rc = record_put(g->db, &now, e);
    return rc == TL_OK ? observe_moved(g, f, &now, was_state, old, a, e) : rc;
}

/* What was written and not seen yet, by the numbers of its fields. */
static void note_unseen(struct pair *p, const struct g_entry *entry, int side, struct arena *a)
{
    AUTO(buf_done) struct buf written = {0};
    buf_str(&written, extra_get(p->extra, extra_written(side)));
    for (uint32_t k = 0; k < entry->n_values; k++)
        buf_fmt(&written, "%s%u", written.n ? "," : "", entry->values[k].field);
    p->extra = extra_set(p->extra, extra_written(side), buf_lent(&written), a);
    p->unsettled |= side ? PAIR_UNSETTLED_B : PAIR_UNSETTLED_A;
}

static int update_apply(struct engine *g, struct g_link *l, struct g_batch *b, struct g_entry *entry,
                        const tl_record *post, bool observed, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    int side = b->side, source = 1 - side;
    struct g_feed *f = l->feed[side];
    struct loaded ld, was;
    int rc = snapshot_load(g, l, entry->pair, &a, &ld, e);
    if (rc == TL_OK)
        rc = snapshot_at_write(g, l, &ld, &a, &was, e);
    if (rc != TL_OK)
        return rc;
    uint32_t n = l->rules.n_fields;
    bool *agreed = arena_array(&a, bool, n + 1);
    tl_value *value[2] = {arena_array(&a, tl_value, n + 1), arena_array(&a, tl_value, n + 1)};
    link_values(l, source, was.rec[source].observation, value[source], &a);
    bool post_full = post && (post->flags & TL_REC_FULL);
    int64_t modified_us = ld.rec[side].modified_us;
    if (!observed)
        rc = target_written(g, l, b, entry, post, ld.rec[side], &a, e);
    if (rc == TL_OK && !observed)
        rc = snapshot_load(g, l, entry->pair, &a, &ld, e);
    if (rc != TL_OK)
        return rc;
    for (uint32_t k = 0; k < entry->n_values; k++) {
        int32_t i = field_of_number(l, entry->values[k].field);
        if (i < 0)
            continue;
        agreed[i] = !stood_in(&ld, entry, &l->fields[i], source, (uint32_t)i);
        value[side][i] = ld.values[side][i];
    }
    agree_in_the_bin(l, &ld, side, agreed, value);
    const tl_value *both[2] = {value[0], value[1]};
    chg_keep(l, &ld, side, agreed, modified_us);
    bases_set(l, &ld, agreed, both, &a);
    if (b->op == TL_OP_UPDATE)
        ld.pair.map_gen = b->map_gen; /* what has no base of these fields is stored so */
    if (!observed && !post_full)
        note_unseen(&ld.pair, entry, side, &a);
    if (ld.rec[side].state == TL_STATE_LIVE)
        deletion_forget(&ld.pair, &a);
    pair_is_through(g, &ld.pair, true);
    link_lanes_stale(l);
    rc = pair_store(g->db, &ld.pair, e);
    if (rc == TL_OK && b->op == TL_OP_RESTORE)
        rc = refs_lead(g, l, source, ld.rec[source].id, e);
    if (rc == TL_OK)
        rc = change_note(g, l, b, entry, &was, ld.rec[side].id, &a, e);
    if (rc == TL_OK && (b->flags & BATCH_UNDO))
        rc = undo_written(g, b, entry, &a, e);
    if (rc == TL_OK && !observed)
        rc = wake_others(g, ld.rec[side].rec, ld.pair.pair, &a, e);
    if (rc == TL_OK && !observed && !post_full)
        feed_want(f, ld.rec[side].rec, ld.rec[side].id, g_mono(g), 0);
    run_count(g, l, b->run, side, COUNT_UPDATED);
    if (entry->flags & ENTRY_CONFLICT)
        run_count(g, l, b->run, side, COUNT_CONFLICT);
    g->figures.updates++;
    g->figures.conflicts += (entry->flags & ENTRY_CONFLICT) != 0;
    if (post_full)
        asked_note(g, ld.rec[side].rec);
    else if (!observed)
        asked_forget(g, ld.rec[side].rec);
    event_pair(g, l, entry->pair, side, ld.rec[side].id, b->op == TL_OP_RESTORE ? "restored" : "updated");
    return rc;
}

int push_apply(struct engine *g, struct g_link *l, struct g_batch *b, uint32_t i, const tl_record *post, bool observed,
               struct err *e)
{
    struct g_entry *entry = &b->entries[i];
    int rc = b->op == TL_OP_CREATE   ? create_apply(g, l, b, entry, post, e)
             : b->op == TL_OP_DELETE ? deletion_apply(g, l, b, entry, observed, e)
                                     : update_apply(g, l, b, entry, post, observed, e);
    entry->done = rc == TL_OK;
    return rc;
}

int push_apply_part(struct engine *g, struct g_link *l, struct g_batch *b, struct g_entry *part, const tl_record *post,
                    struct err *e)
{
    return update_apply(g, l, b, part, post, true, e);
}

int push_drop(struct engine *g, struct g_link *l, struct g_batch *b, uint32_t i, int64_t due_us, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct g_entry *entry = &b->entries[i];
    struct pair p = {0};
    int rc = pair_get(g->db, &a, entry->pair, &p, e);
    if (rc == TL_OK) {
        p.intent = 0;
        p.due_us = due_us;
        if (b->lane == LANE_BULK)
            p.lane = LANE_BULK;
        rc = pair_store(g->db, &p, e);
    }
    link_lanes_stale(l);
    entry->done = rc == TL_OK;
    return rc;
}
