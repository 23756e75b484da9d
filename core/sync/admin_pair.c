/* Pairs by hand: what matching could not decide, a person does. A dry run makes the change, plans what would be written
 * because of it, and takes everything back. */
#include "admin_util.h"
#include "parting.h"
#include "writing.h"

struct hand {
    struct engine *g;
    struct g_link *l;
    struct arena arena;
    json_t *effects;
};

static int hand_begin(struct hand *h, struct engine *g, struct err *e)
{
    *h = (struct hand){.g = g, .effects = json_array()};
    return g_begin(g, e);
}

/* Commits, or takes everything back: after a failure and for a dry run. */
static int hand_end(struct hand *h, int rc, bool dry_run, int64_t pair, json_t **out, struct err *e)
{
    if (rc == TL_OK && !dry_run)
        rc = db_commit(h->g->db, e);
    else
        db_rollback(h->g->db);
    if (h->l) {
        refs_changed(h->g, h->l);
        link_lanes_stale(h->l);
    }
    if (rc == TL_OK && out)
        *out = json_pack("{s:I,s:b,s:O}", "pair", (json_int_t)pair, "dry_run", dry_run, "effects", h->effects);
    json_decref(h->effects);
    arena_done(&h->arena);
    return rc;
}

static int pair_at_rest(const struct pair *p, struct err *e)
{
    if (p->intent == 0)
        return TL_OK;
    err_set(e, E_BUSY, "a write of pair %lld is under way", (long long)p->pair);
    err_hint(e, "try again in a moment");
    return E_BUSY;
}

static int pair_named(struct hand *h, int64_t pair, struct pair *out, struct err *e)
{
    int rc = pair_get(h->g->db, &h->arena, pair, out, e);
    if (rc == TL_E_NOT_FOUND)
        return err_set(e, rc, "no pair %lld", (long long)pair);
    if (rc != TL_OK)
        return rc;
    h->l = model_link(h->g, out->link);
    if (!h->l || !h->l->usable)
        return err_set(e, E_PRECONDITION, "the link of pair %lld cannot work now: its fields are not known",
                       (long long)pair);
    return pair_at_rest(out, e);
}

static json_t *value_of(const tl_value *v)
{
    AUTO(buf_done) struct buf text = {0};
    if (value_is_blank(v))
        return json_null();
    value_text(&text, v);
    return json_stringn(buf_lent(&text).p, text.n);
}

static void effect_fields(const struct g_link *l, const struct loaded *ld, const struct plan *plan, json_t *fields)
{
    static const char *const words[] = {[VERDICT_WRITE] = "written",
                                        [VERDICT_WRITE_BACK] = "written next",
                                        [VERDICT_DRIFT] = "left as it is",
                                        [VERDICT_CONFLICT] = "conflict",
                                        [VERDICT_WAIT_REF] = "waits for the record it refers to",
                                        [VERDICT_STAND_IN] = "written with the fall-back"};
    for (uint32_t i = 0; i < l->rules.n_fields; i++) {
        uint8_t v = plan->verdict[i];
        if (v >= ARRAY_LEN(words) || !words[v])
            continue;
        int to = v == VERDICT_WRITE_BACK ? 1 - plan->target : plan->target;
        json_array_append_new(
            fields, json_pack("{s:s%,s:s,s:o,s:o,s:o}", "field", l->fields[i].side[0].path.p,
                              (size_t)l->fields[i].side[0].path.n, "what", words[v], "to",
                              v == VERDICT_CONFLICT || v == VERDICT_DRIFT ? json_null() : json_string(to ? "b" : "a"),
                              "a", value_of(&ld->values[0][i]), "b", value_of(&ld->values[1][i])));
    }
}

/* What would be written for this pair as it stands now. */
static int effect_add(struct hand *h, int64_t pair, struct err *e)
{
    struct loaded ld;
    struct plan plan;
    int rc = snapshot_load(h->g, h->l, pair, &h->arena, &ld, e);
    if (rc != TL_OK)
        return rc;
    plan_pair(&h->l->rules, &ld.snap, &h->arena, &plan);
    json_t *fields = json_array();
    bool both = ld.snap.side[0].state == SIDE_LIVE && ld.snap.side[1].state == SIDE_LIVE;
    if (both && !ld.snap.frozen)
        effect_fields(h->l, &ld, &plan, fields);
    str a = ld.rec[0].id, b = ld.rec[1].id;
    json_array_append_new(h->effects, json_pack("{s:I,s:o,s:o,s:s,s:s,s:o}", "pair", (json_int_t)pair, "a_id",
                                                a.n ? json_stringn(a.p, a.n) : json_null(), "b_id",
                                                b.n ? json_stringn(b.p, b.n) : json_null(), "status",
                                                pair_status_name(ld.pair.status), "next", plan_act_name(plan.act),
                                                "fields", fields));
    return TL_OK;
}

/* Nothing was agreed on yet: the two records meet for the first time. */
static void start_anew(struct pair *p, int64_t now_us)
{
    for (int s = 0; s < 2; s++)
        pair_set_base(p, (enum side)s, BASE_NONE, (str){0});
    p->chg = p->extra = (str){0};
    p->unsettled = 0;
    p->attempts = 0;
    p->status = PAIR_OK;
    p->lane = LANE_ACTION;
    p->due_us = now_us;
}

static void leave_alone(struct pair *p)
{
    start_anew(p, 0);
    p->status = PAIR_IGNORED;
}

static int forget_troubles(struct hand *h, int64_t pair, struct err *e)
{
    int64_t n = 0;
    int rc = failure_resolve_pair(h->g->db, pair, STR("admin"), g_now(h->g), &n, e);
    if (rc == TL_OK)
        rc = conflict_drop(h->g->db, pair, 0, e);
    return rc == TL_OK ? parked_drop(h->g->db, pair, e) : rc;
}

/* The record of one side, and the pair that holds it now (pair 0: none). */
static int side_named(struct hand *h, int side, const char *id, struct record *rec, struct pair *p, struct err *e)
{
    struct g_link *l = h->l;
    const char *endpoint = arena_str(&h->arena, l->conn->ep[side]->row.name).p;
    int rc = record_find(h->g->db, &h->arena, l->feed[side]->row.feed, str_of(id), rec, e);
    if (rc == TL_E_NOT_FOUND) {
        err_set(e, rc, "\"%s\" has no record \"%s\" that was read", endpoint, id);
        err_hint(e,
                 "the first id is that of side a (\"%.*s\"), the second that of side b; a new record is there after "
                 "the next cycle",
                 STR_FMT(l->conn->ep[0]->row.name));
    }
    if (rc != TL_OK)
        return rc;
    if (rec->state != TL_STATE_LIVE)
        return err_set(e, E_PRECONDITION, "record \"%s\" of \"%s\" is not there any more", id, endpoint);
    rc = pair_get_of_record(h->g->db, &h->arena, l->row.link, (enum side)side, rec->rec, (str){0}, p, e);
    return rc == TL_E_NOT_FOUND ? TL_OK : rc == TL_OK ? pair_at_rest(p, e) : rc;
}

static int free_for(const struct pair *p, int side, int64_t other, const char *id, struct err *e)
{
    if (p->pair == 0 || p->rec[1 - side] == 0 || p->rec[1 - side] == other)
        return TL_OK;
    err_set(e, E_EXISTS, "record \"%s\" is in pair %lld with another one", id, (long long)p->pair);
    err_hint(e, "`tieline pair show %lld`; then `tieline pair unlink %lld`, or `tieline pair swap` two crossed ones",
             (long long)p->pair, (long long)p->pair);
    return E_EXISTS;
}

/* Those that wait for one of these records get it. */
static int wake_dependants(struct hand *h, const struct record rec[2], struct err *e)
{
    int64_t woken = 0;
    int rc = TL_OK;
    for (int s = 0; s < 2 && rc == TL_OK && h->l->referred; s++)
        rc = parked_wake(h->g->db, h->l->row.link, (enum side)s, rec[s].id, LANE_LIVE, g_now(h->g), &woken, e);
    return rc;
}

static int link_now(struct hand *h, const struct record rec[2], struct pair p[2], struct pair *kept, struct err *e)
{
    int rc = TL_OK;
    if (p[0].pair && p[1].pair) {
        rc = forget_troubles(h, p[1].pair, e);
        if (rc == TL_OK)
            rc = pair_delete(h->g->db, p[1].pair, e);
    }
    *kept = p[0].pair ? p[0] : p[1];
    if (p[0].pair && p[1].pair)
        kept->gen[0] = p[1].gen[0]; /* generations of what was made from the record of b */
    if (rc == TL_OK && kept->pair)
        rc = forget_troubles(h, kept->pair, e);
    kept->link = h->l->row.link;
    kept->flags |= PAIR_ADOPTED;
    kept->flags &= ~(uint32_t)(PAIR_OUTSIDE_A | PAIR_OUTSIDE_B); /* a person wants them in step */
    for (int s = 0; s < 2; s++)
        kept->rec[s] = rec[s].rec;
    start_anew(kept, g_now(h->g));
    for (int s = 0; s < 2; s++)
        parting_move(kept, p[s].extra, s, &h->arena);
    kept->made_us = kept->made_us ? kept->made_us : g_now(h->g);
    if (rc == TL_OK)
        rc = kept->pair ? pair_store(h->g->db, kept, e) : pair_insert(h->g->db, kept, e);
    for (int s = 0; s < 2 && rc == TL_OK; s++)
        rc = held_drop(h->g->db, h->l->row.link, rec[s].rec, e);
    return rc == TL_OK ? wake_dependants(h, rec, e) : rc;
}

int admin_pair_link(struct engine *g, const struct pair_couple *c, bool dry_run, json_t **out, struct err *e)
{
    struct hand h;
    struct record rec[2] = {{0}};
    struct pair p[2] = {{0}}, kept = {0};
    struct g_link *l = admin_link(g, c->connection, c->kind, e);
    if (!l)
        return TL_E_NOT_FOUND;
    if (!l->usable)
        return err_set(e, E_PRECONDITION, "the link cannot work now: its fields are not known");
    int rc = hand_begin(&h, g, e);
    h.l = l;
    for (int s = 0; s < 2 && rc == TL_OK; s++)
        rc = side_named(&h, s, c->id[s], &rec[s], &p[s], e);
    if (rc == TL_OK && p[0].pair && p[0].pair == p[1].pair)
        rc = err_set(e, E_EXISTS, "they are pair %lld already", (long long)p[0].pair);
    for (int s = 0; s < 2 && rc == TL_OK; s++)
        rc = free_for(&p[s], s, rec[1 - s].rec, c->id[s], e);
    if (rc == TL_OK)
        rc = link_now(&h, rec, p, &kept, e);
    if (rc == TL_OK)
        rc = effect_add(&h, kept.pair, e);
    return hand_end(&h, rc, dry_run, kept.pair, out, e);
}

/* The pair is its create's row in the history (see run_accounting). What is let go is not: the row is written out. */
static int keep_create(struct hand *h, struct pair *p, struct err *e)
{
    struct record made = {0};
    int side = p->flags & PAIR_CREATED_B ? 1 : 0, rc = TL_OK;
    if (p->run == 0)
        return TL_OK;
    rc = record_get(h->g->db, &h->arena, p->rec[side], &made, e);
    struct change row = {.run = p->run,
                         .pair = p->pair,
                         .side = side,
                         .op = TL_OP_CREATE,
                         .id = made.id,
                         .fields = STR("[]"),
                         .cause = STR("manual"),
                         .at_us = p->made_us};
    p->run = 0;
    return rc == TL_OK ? change_add(h->g->db, &row, e) : rc;
}

int admin_pair_unlink(struct engine *g, int64_t pair, bool dry_run, json_t **out, struct err *e)
{
    struct hand h;
    struct pair p = {0};
    struct loaded together;
    int rc = hand_begin(&h, g, e);
    if (rc == TL_OK)
        rc = pair_named(&h, pair, &p, e);
    if (rc == TL_OK && (p.rec[0] == 0 || p.rec[1] == 0))
        rc = err_set(e, E_PRECONDITION, "pair %lld has one record only", (long long)pair);
    if (rc == TL_OK)
        rc = snapshot_load(g, h.l, pair, &h.arena, &together, e);
    if (rc == TL_OK)
        rc = forget_troubles(&h, pair, e);
    if (rc == TL_OK)
        rc = keep_create(&h, &p, e);
    /* What is made from either record later gets a generation of its own: the old mark names the record let go. */
    struct pair alone = {.link = p.link, .made_us = g_now(g), .map_gen = p.map_gen, .slot = p.slot};
    alone.rec[1] = p.rec[1];
    alone.gen[0] = p.gen[0] + 1;
    leave_alone(&alone);
    p.rec[1] = 0;
    p.gen[0] = 0;
    p.gen[1]++;
    p.flags &= ~(uint32_t)(PAIR_ADOPTED | PAIR_CREATED_A | PAIR_CREATED_B | PAIR_OUTSIDE_A | PAIR_OUTSIDE_B);
    leave_alone(&p);
    if (rc == TL_OK)
        rc = parting_note(g, h.l, &together, 0, &p, &h.arena, e);
    if (rc == TL_OK)
        rc = parting_note(g, h.l, &together, 1, &alone, &h.arena, e);
    if (rc == TL_OK)
        rc = pair_store(g->db, &p, e);
    if (rc == TL_OK)
        rc = pair_insert(g->db, &alone, e);
    if (rc == TL_OK)
        rc = effect_add(&h, pair, e);
    if (rc == TL_OK)
        rc = effect_add(&h, alone.pair, e);
    return hand_end(&h, rc, dry_run, pair, out, e);
}

int admin_pair_ignore(struct engine *g, int64_t pair, bool ignore, json_t **out, struct err *e)
{
    struct hand h;
    struct pair p = {0};
    int rc = hand_begin(&h, g, e);
    if (rc == TL_OK)
        rc = pair_named(&h, pair, &p, e);
    if (rc == TL_OK && ignore == (p.status == PAIR_IGNORED))
        rc = err_set(e, E_PRECONDITION, "pair %lld is %signored", (long long)pair, ignore ? "already " : "not ");
    if (rc == TL_OK && ignore)
        rc = forget_troubles(&h, pair, e);
    p.status = ignore ? PAIR_IGNORED : PAIR_OK;
    p.due_us = ignore ? 0 : g_now(g);
    p.lane = LANE_ACTION;
    p.attempts = 0;
    if (rc == TL_OK)
        rc = pair_store(g->db, &p, e);
    if (rc == TL_OK)
        rc = effect_add(&h, pair, e);
    return hand_end(&h, rc, false, pair, out, e);
}

/* Pair `to` gets the record of side b that pair `from` had. */
static int swap_into(struct hand *h, const struct loaded together[2], struct pair *p, int to, struct err *e)
{
    int from = 1 - to;
    p->rec[1] = together[from].pair.rec[1];
    p->gen[0] = together[from].pair.gen[0];
    start_anew(p, g_now(h->g));
    int rc = parting_note(h->g, h->l, &together[to], 0, p, &h->arena, e);
    if (rc == TL_OK)
        rc = parting_note(h->g, h->l, &together[from], 1, p, &h->arena, e);
    return rc == TL_OK ? pair_store(h->g->db, p, e) : rc;
}

static int swap_now(struct hand *h, const struct pair p[2], struct err *e)
{
    struct loaded together[2];
    struct pair one = p[0], two = p[1];
    int rc = TL_OK;
    for (int i = 0; i < 2 && rc == TL_OK; i++)
        rc = snapshot_load(h->g, h->l, p[i].pair, &h->arena, &together[i], e);
    one.rec[1] = 0; /* a record is in one pair at a time */
    start_anew(&one, g_now(h->g));
    if (rc == TL_OK)
        rc = pair_store(h->g->db, &one, e);
    if (rc == TL_OK)
        rc = swap_into(h, together, &two, 1, e);
    if (rc == TL_OK)
        rc = pair_get(h->g->db, &h->arena, p[0].pair, &one, e);
    return rc == TL_OK ? swap_into(h, together, &one, 0, e) : rc;
}

int admin_pair_swap(struct engine *g, const int64_t pair[2], bool dry_run, json_t **out, struct err *e)
{
    struct hand h;
    struct pair p[2] = {{0}};
    int rc = hand_begin(&h, g, e);
    for (int i = 0; i < 2 && rc == TL_OK; i++) {
        rc = pair_named(&h, pair[i], &p[i], e);
        if (rc == TL_OK && (p[i].rec[0] == 0 || p[i].rec[1] == 0))
            rc = err_set(e, E_PRECONDITION, "pair %lld has one record only", (long long)pair[i]);
    }
    if (rc == TL_OK && (pair[0] == pair[1] || p[0].link != p[1].link))
        rc = err_set(e, E_USAGE, "two different pairs of one link are needed");
    for (int i = 0; i < 2 && rc == TL_OK; i++)
        rc = forget_troubles(&h, pair[i], e);
    if (rc == TL_OK)
        rc = swap_now(&h, p, e);
    for (int i = 0; i < 2 && rc == TL_OK; i++)
        rc = effect_add(&h, pair[i], e);
    return hand_end(&h, rc, dry_run, pair[0], out, e);
}
