/* A map passport: pairs of a former connection are bound again, without a write, before anything is matched or created.
 * A pair waits until both sides were read whole. Nothing is agreed on yet for it, so a blank never wins, as in any
 * adoption. A record that is not there then was deleted or left meanwhile: its counterpart stands alone, and nothing is
 * made anew for it before it is changed. */
#include <stdlib.h>

#include "admin_util.h"
#include "passport.h"
#include "passports.h"
#include "reading.h"
#include "readopt.h"
#include "seal.h"
#include "writing.h"

struct passport_stamps {
    struct passport_stamps *next;
    char instance[PASSPORT_INSTANCE + 1];
    struct stamp_key key;
};

/* ---- Stamps of former instances -------------------------------------------------------------------------------- */

static struct passport_stamps *stamps_find(const struct engine *g, str stamp)
{
    struct passport_stamps *k = g->passport_stamps;
    while (k && !(stamp.n > PASSPORT_INSTANCE && str_starts(stamp, str_of(k->instance)) &&
                  stamp.p[PASSPORT_INSTANCE] == '.'))
        k = k->next;
    return k;
}

bool passport_stamp_known(const struct engine *g, str stamp)
{
    return stamps_find(g, stamp) != NULL;
}

void passport_stamps_free(struct engine *g)
{
    while (g->passport_stamps) {
        struct passport_stamps *k = g->passport_stamps;
        g->passport_stamps = k->next;
        free(k);
    }
}

int passport_stamps_load(struct engine *g, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct passport_key *list = NULL;
    size_t n = 0;
    int rc = passport_key_list(g->db, &a, &list, &n, e);
    if (rc == TL_OK)
        passport_stamps_free(g);
    for (size_t i = 0; rc == TL_OK && i < n; i++) {
        struct passport_stamps *k = calloc(1, sizeof *k);
        ASSERT(k);
        memcpy(k->instance, list[i].instance, sizeof k->instance);
        stamp_key_init(&k->key, list[i].key);
        k->next = g->passport_stamps;
        g->passport_stamps = k;
    }
    return rc;
}

bool passport_stamp_next(const struct engine *g, const struct passport_stamps **at, const char **instance,
                         const struct stamp_key **key)
{
    *at = *at ? (*at)->next : g->passport_stamps;
    if (!*at)
        return false;
    *instance = (*at)->instance;
    *key = &(*at)->key;
    return true;
}

/* ---- Binding ----------------------------------------------------------------------------------------------------- */

struct bound { /* one pair of the passport and what is known of it here */
    const struct passport_pair *row;
    struct record rec[2];
    struct pair pair[2]; /* that hold these records now; .pair 0: none */
    bool found[2];
    bool known, taken, busy;
};

static int look_up(struct engine *g, struct g_link *l, const struct passport_pair *row, struct arena *a,
                   struct bound *out, struct err *e)
{
    int rc = TL_OK;
    *out = (struct bound){.row = row};
    for (int s = 0; s < 2 && rc == TL_OK; s++) {
        if (row->id[s].n == 0 || !l->feed[s])
            continue;
        rc = record_find(g->db, a, l->feed[s]->row.feed, row->id[s], &out->rec[s], e);
        out->found[s] = rc == TL_OK;
        if (rc == TL_OK)
            rc = pair_get_of_record(g->db, a, l->row.link, (enum side)s, out->rec[s].rec, s ? (str){0} : row->slot,
                                    &out->pair[s], e);
        rc = rc == TL_E_NOT_FOUND ? TL_OK : rc;
    }
    for (int s = 0; s < 2; s++) {
        const struct pair *p = &out->pair[s];
        out->busy |= p->pair && p->intent;
        out->taken |= p->pair && p->rec[1 - s] && !(out->found[1 - s] && p->rec[1 - s] == out->rec[1 - s].rec);
    }
    out->known = out->pair[0].pair && out->pair[0].pair == out->pair[1].pair;
    return rc;
}

/* Gone since the passport was made, or outside of what is read: the pair keeps its place. */
static int put_absent(struct engine *g, struct g_link *l, struct bound *b, int s, struct err *e)
{
    bool narrowed = window_from(g, l) > 0 || l->feed[s]->row.view.n > 0;
    b->rec[s] = (struct record){.feed = l->feed[s]->row.feed,
                                .id = b->row->id[s],
                                .state = narrowed ? REC_OUT_OF_SCOPE : TL_STATE_DELETED,
                                .seen_us = g_now(g)};
    return record_put(g->db, &b->rec[s], e);
}

static void fill(struct pair *p, const struct bound *b, int64_t now_us)
{
    bool whole = b->found[0] && b->found[1];
    for (int s = 0; s < 2; s++) {
        p->rec[s] = b->rec[s].rec;
        p->gen[s] = b->row->gen[s] > p->gen[s] ? b->row->gen[s] : p->gen[s];
        pair_set_base(p, (enum side)s, whole || !b->found[s] ? BASE_NONE : BASE_SAME, (str){0});
    }
    p->flags |= PAIR_ADOPTED;
    p->status = b->row->status == PAIR_IGNORED ? PAIR_IGNORED : PAIR_OK;
    p->attempts = 0;
    p->lane = LANE_BULK;
    p->due_us = p->status == PAIR_OK && whole ? now_us : 0;
}

static int bind(struct engine *g, struct g_link *l, struct bound *b, struct err *e)
{
    struct pair *one = b->pair[0].pair ? &b->pair[0] : &b->pair[1];
    struct pair fresh = {
        .link = l->row.link, .slot = b->row->slot, .made_us = g_now(g), .map_gen = l->row.map_gen, .lane = LANE_BULK};
    int64_t resolved = 0;
    int rc = TL_OK;
    for (int s = 0; s < 2 && rc == TL_OK; s++)
        if (!b->found[s] && b->row->id[s].n)
            rc = put_absent(g, l, b, s, e);
    if (rc == TL_OK && b->pair[0].pair && b->pair[1].pair)
        rc = pair_delete(g->db, b->pair[1].pair, e);
    if (!one->pair)
        one = &fresh;
    fill(one, b, g_now(g));
    if (rc == TL_OK && one->pair)
        rc = failure_resolve_pair(g->db, one->pair, STR("passport"), g_now(g), &resolved, e);
    if (rc == TL_OK)
        rc = one->pair ? pair_store(g->db, one, e) : pair_insert(g->db, one, e);
    for (int s = 0; s < 2 && rc == TL_OK; s++) {
        int64_t woken = 0;
        if (!b->found[s])
            continue;
        rc = held_drop(g->db, l->row.link, b->rec[s].rec, e);
        if (rc == TL_OK && b->rec[s].stamp.n)
            rc = record_set_stamp(g->db, b->rec[s].rec, (str){0}, e);
        if (rc == TL_OK && l->referred)
            rc = parked_wake(g->db, l->row.link, (enum side)s, b->rec[s].id, LANE_LIVE, g_now(g), &woken, e);
    }
    refs_changed(g, l);
    return rc;
}

static int bind_row(struct engine *g, struct g_link *l, const struct passport_pair *row, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct bound b;
    int rc = look_up(g, l, row, &a, &b, e);
    if (rc != TL_OK)
        return rc;
    bool nobody = !b.found[0] && !b.found[1];
    if (b.taken && !b.known) {
        struct trouble t = {.code = "ALREADY_MAPPED",
                            .id = row->id[b.found[0] ? 0 : 1],
                            .side = b.found[0] ? 0 : 1,
                            .text = "the passport pairs it with another record than it has now"};
        rc = fail_record(g, l, &t, e);
    } else if (!b.known && !nobody) {
        rc = bind(g, l, &b, e);
    }
    return rc == TL_OK ? passport_pair_drop(g->db, row->passport, e) : rc;
}

int passport_slice(struct engine *g, struct g_link *l, bool *end, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct passport_pair *list = NULL;
    size_t n = 0;
    int rc = passport_pair_list(g->db, &a, l->row.link, 0, PAGE_ROWS, &list, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        rc = bind_row(g, l, &list[i], e);
    g_step(g, (unsigned)n * 4 + 1);
    *end = n < PAGE_ROWS;
    link_lanes_stale(l);
    return rc;
}

/* ---- Taking one in ----------------------------------------------------------------------------------------------- */

#define PAGES_WAIT_US (10 * US_PER_S) /* the next page of an import comes before */

/* Nothing is made between two pages of an import. */
static void wait_for_more(struct engine *g, struct g_conn *c)
{
    for (struct g_link *l = c->links; l; l = l->next_of_conn)
        if (l->hold_until < g_mono(g) + PAGES_WAIT_US)
            l->hold_until = g_mono(g) + PAGES_WAIT_US;
}

/* Of the links of the connection: how many read their records again, to see the marks of these keys. */
static int keys_put(struct engine *g, struct g_conn *c, const struct passport_key *keys, size_t n, int *again,
                    struct err *e)
{
    bool any_new = false;
    int rc = TL_OK;
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        struct passport_stamps *known = g->passport_stamps;
        while (known && strcmp(known->instance, keys[i].instance) != 0)
            known = known->next;
        any_new |= !known && strcmp(keys[i].instance, db_instance(g->db)) != 0;
        rc = passport_key_put(g->db, &keys[i], e);
    }
    for (struct g_link *l = c->links; l && any_new && rc == TL_OK; l = l->next_of_conn) {
        bool wanted = false;
        rc = readopt_want(g, l, &wanted, e);
        *again += wanted;
    }
    return rc;
}

int admin_passport_keys(struct engine *g, const char *connection, const struct passport_key *keys, size_t n,
                        json_t **out, struct err *e)
{
    struct g_conn *c = admin_conn(g, connection, e);
    int again = 0, rc = c ? g_begin(g, e) : TL_E_NOT_FOUND;
    if (rc != TL_OK)
        return rc;
    rc = keys_put(g, c, keys, n, &again, e);
    if (rc == TL_OK)
        rc = db_commit(g->db, e);
    else
        db_rollback(g->db);
    if (rc != TL_OK) {
        struct err refresh = {0};
        (void)model_refresh(g, &refresh);
        return rc;
    }
    wait_for_more(g, c);
    model_feeds_build(g, c);
    if (out)
        *out = json_pack("{s:i}", "read_again", again);
    return passport_stamps_load(g, e);
}

static void add_conflict(json_t *list, const struct bound *b)
{
    int64_t in = b->pair[0].pair ? b->pair[0].pair : b->pair[1].pair;
    json_array_append_new(list, json_pack("{s:s%,s:s%,s:I}", "a", b->row->id[0].p ? b->row->id[0].p : "",
                                          (size_t)b->row->id[0].n, "b", b->row->id[1].p ? b->row->id[1].p : "",
                                          (size_t)b->row->id[1].n, "pair", (json_int_t)in));
}

static int names_erased(struct engine *g, const struct g_link *l, const struct passport_pair *row, bool *out,
                        struct err *e)
{
    int rc = TL_OK;
    for (int s = 0; s < 2 && rc == TL_OK && !*out; s++)
        rc = erased_is(g, l->conn->ep[s], l->row.kind[s], row->id[s], out, e);
    return rc;
}

int admin_passport_pairs(struct engine *g, const char *connection, const char *kind, struct passport_pair *rows,
                         size_t n, bool dry_run, json_t **out, struct err *e)
{
    struct g_link *l = admin_link(g, connection, kind, e);
    if (!l)
        return TL_E_NOT_FOUND;
    json_t *conflicts = json_array();
    json_int_t ready = 0, known = 0, waiting = 0, erased = 0;
    int rc = g_begin(g, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        AUTO(arena_done) struct arena a = {0};
        struct bound b;
        bool gone = false;
        rc = names_erased(g, l, &rows[i], &gone, e);
        erased += gone;
        if (rc != TL_OK || gone)
            continue;
        rows[i].link = l->row.link;
        rc = look_up(g, l, &rows[i], &a, &b, e);
        if (rc != TL_OK || b.known || b.taken) {
            known += b.known;
            if (rc == TL_OK && !b.known)
                add_conflict(conflicts, &b);
            continue;
        }
        bool there = b.found[0] && b.found[1];
        ready += there;
        waiting += !there;
        rc = passport_pair_put(g->db, &rows[i], e);
    }
    if (rc == TL_OK && !dry_run)
        rc = db_commit(g->db, e);
    else
        db_rollback(g->db);
    if (rc == TL_OK && !dry_run) {
        l->orphans = true;
        l->passports_bound = false;
        wait_for_more(g, l->conn);
        ready_wake(&l->ready);
    }
    if (rc == TL_OK)
        *out = json_pack("{s:b,s:I,s:I,s:I,s:I,s:O}", "dry_run", dry_run, "bound", ready, "known", known, "waiting",
                         waiting, "erased", erased, "conflicts", conflicts);
    json_decref(conflicts);
    return rc;
}
