/* What else goes wrong while users work: an administrator's hands, a connector that leaves, a view that loses its
 * records, fields that come and go, webhooks that are lost, doubled, late and forged, storms of refusals, clocks that
 * jump. Everything is drawn from the world's randomness, so that a seed is a story. */
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "connections.h"
#include "life.h"
#include "pairs.h"
#include "runs.h"
#include "times.h"

static const char *const kinds[] = {"account", "contact"};

static bool drawn(struct world *w, uint32_t chaos, int in_thousand)
{
    return (w->knobs.chaos & chaos) && (int)world_random(w, 1000) < in_thousand;
}

static void did(struct world *w, const char *what, int64_t how)
{
    world_trace(w, "chaos", what, how);
    w->counts.chaos++;
}

static void ignored(void *arg, const json_t *result, const struct err *e)
{
    (void)arg;
    (void)result;
    (void)e;
}

static void describe_again(struct life *l, int s)
{
    struct err e = {0};
    (void)admin_endpoint_check(l->engine, s ? "b" : "a", ignored, NULL, &e);
}

static bool is_blocked(struct life *l, const char *code, bool *braked)
{
    AUTO(arena_done) struct arena a = {0};
    struct err e = {0};
    struct connection *conns = NULL;
    struct link *links = NULL;
    size_t n = 0, m = 0;
    if (connection_list(l->db, &a, &conns, &n, &e) != TL_OK || link_list(l->db, &a, 0, &links, &m, &e) != TL_OK)
        return false;
    for (size_t i = 0; i < m; i++)
        *braked |= links[i].brake_code.n > 0;
    return n > 0 && conns[0].state == CONN_BLOCKED && str_is(conns[0].block_code, code);
}

/* ---- Pause, unload, storms, clocks ------------------------------------------------------------------------------- */

static void pause_some(struct life *l)
{
    struct world *w = l->world;
    struct err e = {0};
    bool braked = false;
    if (w->pause_until == 0 && drawn(w, CHAOS_PAUSE, 8)) {
        w->pause_until = w->now_us + 1 + (int64_t)world_random(w, 1800 * US_PER_S);
        did(w, "pause", 0);
        w->paused = admin_connection_pause(l->engine, "c", NULL, &e) == TL_OK;
    } else if (w->pause_until && w->now_us >= w->pause_until && !is_blocked(l, "RESTORED", &braked)) {
        w->paused = false;
        did(w, "resume", 0);
        (void)admin_connection_resume(l->engine, "c", NULL, &e);
        w->pause_until = 0;
    }
}

static void leave_some(struct life *l)
{
    struct world *w = l->world;
    if (w->unload_until == 0 && drawn(w, CHAOS_UNLOAD, 8)) {
        w->unload_until = w->mono_us + (int64_t)world_random(w, 300 * US_PER_S);
        did(w, "unload", 0);
    } else if (w->unload_until && w->mono_us >= w->unload_until) {
        w->unload_until = 0;
        for (int s = 0; s < 2; s++)
            engine_endpoint_ready(l->engine, l->twin.endpoint[s]);
        did(w, "load", 0);
    }
    l->twin.unloaded = w->unload_until != 0;
}

static void weather(struct life *l)
{
    struct world *w = l->world;
    int s = (int)world_random(w, 2);
    if (drawn(w, CHAOS_STORM, 6)) {
        w->storm_until[s] = w->mono_us + (int64_t)(60 + world_random(w, 540)) * US_PER_S;
        did(w, "storm", s);
    }
    if (drawn(w, CHAOS_CLOCK, 6)) {
        w->knobs.skew_us[s] += ((int64_t)world_random(w, 7) - 3) * 1200 * US_PER_S;
        did(w, "clock", s);
    }
}

/* ---- Fields and views -------------------------------------------------------------------------------------------- */

static void drift_some(struct life *l)
{
    struct world *w = l->world;
    if (!drawn(w, CHAOS_DRIFT, 8))
        return;
    int s = (int)world_random(w, 2);
    w->drift[s] = (int)world_random(w, 4);
    did(w, "drift", w->drift[s]);
    describe_again(l, s);
}

static void full_pass(struct life *l)
{
    struct err e = {0};
    struct sync_request full = {.connection = "c", .full = true};
    (void)admin_sync_start(l->engine, &full, NULL, &e);
}

static void view_some(struct life *l)
{
    struct world *w = l->world;
    if (!drawn(w, CHAOS_VIEW, 8))
        return;
    int s = (int)world_random(w, 2), kind = (int)world_random(w, TWIN_KINDS);
    w->hidden[s][kind] = (int)world_random(w, 3) * 50; /* nothing, half or all of it */
    did(w, "view", w->hidden[s][kind]);
    full_pass(l);
}

/* ---- By hand ----------------------------------------------------------------------------------------------------- */

static int64_t some_pair(struct life *l, int kind, struct pair *out, struct arena *a)
{
    struct err e = {0};
    struct link *links = NULL;
    struct pair *list = NULL;
    size_t n = 0;
    struct pair_filter f = {.status = -1};
    if (link_list(l->db, a, 0, &links, &n, &e) != TL_OK)
        return 0;
    for (size_t i = 0; i < n; i++)
        if (str_is(links[i].name, kinds[kind]))
            f.link = links[i].link;
    if (!f.link || pair_list(l->db, a, &f, 1000, &list, &n, &e) != TL_OK || n == 0)
        return 0;
    *out = list[world_random(l->world, n)];
    return out->pair;
}

static void unlink_pair(struct life *l, int kind, const struct pair *p, struct arena *a)
{
    struct world *w = l->world;
    struct err e = {0};
    struct pair again;
    struct record rec[2] = {{0}, {0}};
    if (pair_load(l->db, a, p->pair, &again, rec, &e) != TL_OK || !rec[0].rec || !rec[1].rec)
        return;
    struct twin_couple *c = &w->parted[w->n_parted % TWIN_PARTED];
    *c = (struct twin_couple){.kind = kind};
    for (int s = 0; s < 2; s++)
        snprintf(c->id[s], sizeof c->id[s], "%.*s", STR_FMT(rec[s].id));
    w->n_parted++; /* before the verb: a crash inside it may have done it */
    (void)admin_pair_unlink(l->engine, p->pair, false, NULL, &e);
    did(w, "unlink", p->pair);
}

static bool link_couple(struct life *l, const struct twin_couple *c)
{
    struct err e = {0};
    struct pair_couple ask = {.connection = "c", .kind = kinds[c->kind], .id = {c->id[0], c->id[1]}};
    did(l->world, "link", 0);
    return admin_pair_link(l->engine, &ask, false, NULL, &e) != E_BUSY;
}

static void hands(struct life *l)
{
    struct world *w = l->world;
    AUTO(arena_done) struct arena a = {0};
    struct err e = {0};
    struct pair p = {0};
    int kind = (int)world_random(w, TWIN_KINDS);
    if (drawn(w, CHAOS_BYHAND, 20) && some_pair(l, kind, &p, &a)) {
        switch (world_random(w, 4)) {
        case 0:
            if (w->n_parted < TWIN_PARTED)
                unlink_pair(l, kind, &p, &a);
            break;
        case 1:
            if (w->n_parted > 0)
                (void)link_couple(l, &w->parted[world_random(w, (uint64_t)w->n_parted) % TWIN_PARTED]);
            break;
        default:
            (void)admin_pair_ignore(l->engine, p.pair, world_random(w, 2), NULL, &e);
            did(w, "ignore", p.pair);
        }
    }
    if (w->knobs.policy == 3 && world_random(w, 100) < 2) {
        struct conflict_pick pick = {.connection = "c", .kind = kinds[kind], .take = "abn"[world_random(w, 3)]};
        (void)admin_conflict_decide(l->engine, &pick, NULL, &e);
        did(w, "decide", pick.take);
    }
    if (drawn(w, CHAOS_BYHAND, 5)) {
        struct failure_pick all = {.connection = "c"};
        (void)admin_failure_retry(l->engine, &all, NULL, &e);
        did(w, "retry", 0);
    }
}

/* ---- Hooks ------------------------------------------------------------------------------------------------------- */

static void hooks(struct life *l)
{
    struct world *w = l->world;
    for (int i = 0; i < TWIN_HOOKS; i++) {
        struct twin_hook *h = &w->hook[i];
        if (!h->times || h->at_us > w->now_us)
            continue;
        struct err e = {0};
        struct hook_delivery d = {
            .endpoint = l->twin.endpoint[h->vendor], .delivery_key = str_of(h->key), .body = str_of(h->body)};
        h->at_us = w->now_us + (int64_t)world_random(w, 30 * US_PER_S);
        h->times--; /* a delivery whose answer a crash cut off is not sent again: Desk does not */
        (void)hook_deliver(l->engine, &d, &e);
    }
    if (drawn(w, CHAOS_HOOKS, 10)) { /* forged: nobody has such a record */
        struct err e = {0};
        struct hook_delivery d = {.endpoint = l->twin.endpoint[0], .body = STR("contact Xx9999")};
        char key[24];
        snprintf(key, sizeof key, "forged%lld", (long long)w->steps);
        d.delivery_key = str_of(key);
        (void)hook_deliver(l->engine, &d, &e);
    }
}

/* ---- A restored database ----------------------------------------------------------------------------------------- */

static void release_some(struct life *l, bool at_once)
{
    struct world *w = l->world;
    struct err e = {0};
    bool braked = false;
    if (!at_once && world_random(w, 1000) >= 10)
        return;
    bool restored = is_blocked(l, "RESTORED", &braked);
    if (!restored && !braked)
        return;
    w->braked |= braked;
    did(w, "release", restored);
    (void)admin_connection_release(l->engine, "c", NULL, &e);
}

void chaos_life(struct life *l)
{
    l->twin.unloaded = l->world->unload_until != 0;
    memset(l->world->told_next, 0, sizeof l->world->told_next);
    memset(l->world->told_until, 0, sizeof l->world->told_until); /* the crash may have come before it was stored */
}

static void by_hand(struct life *l, char what)
{
    struct world *w = l->world;
    AUTO(arena_done) struct arena a = {0};
    struct err e = {0};
    struct pair p = {0};
    if (what == 'l' && w->n_parted > 0)
        (void)link_couple(l, &w->parted[0]);
    if (what == 'l' || !some_pair(l, KIND_CONTACT, &p, &a))
        return;
    if (what == 'u')
        unlink_pair(l, KIND_CONTACT, &p, &a);
    else
        (void)admin_pair_ignore(l->engine, p.pair, what == 'i', NULL, &e);
}

/* The newest run of live changes is taken back. */
static void take_back(struct life *l)
{
    AUTO(arena_done) struct arena a = {0};
    struct run_filter f = {0};
    struct run *runs = NULL;
    size_t n = 0;
    struct err e = {0};
    if (run_list(l->db, &a, &f, 100, &runs, &n, &e) != TL_OK)
        return;
    for (size_t i = 0; i < n; i++)
        if (runs[i].kind == RUN_LIVE) {
            (void)admin_undo_run(l->engine, runs[i].run, (struct undo_how){0}, NULL, &e);
            return;
        }
}

void chaos_do(struct life *l, char what)
{
    struct world *w = l->world;
    struct err e = {0};
    struct failure_pick all = {.connection = "c"};
    switch (what) {
    case 'p':
        w->pause_until = INT64_MAX;
        w->paused = admin_connection_pause(l->engine, "c", NULL, &e) == TL_OK;
        break;
    case 'P':
        w->pause_until = 1;
        pause_some(l);
        break;
    case '6':
        w->unload_until = INT64_MAX;
        leave_some(l);
        break;
    case 'G':
        w->unload_until = 1;
        leave_some(l);
        break;
    case '7':
        w->storm_until[0] = w->storm_until[1] = w->mono_us + 300 * US_PER_S;
        break;
    case 's':
        full_pass(l);
        break;
    case 'V':
        release_some(l, true);
        break;
    case '?':
        chaos_decide(l);
        break;
    case 'f':
        (void)admin_failure_retry(l->engine, &all, NULL, &e);
        break;
    case 'z':
        take_back(l);
        break;
    case 'x':
    case 'y':
    case 'X':
        w->drift[1] = what == 'x' ? 1 : what == 'y' ? 2 : 0;
        describe_again(l, 1);
        break;
    default:
        by_hand(l, what);
    }
}

void chaos_act(struct life *l)
{
    struct world *w = l->world;
    if (!w->knobs.chaos && w->knobs.policy != 3)
        return;
    hooks(l);
    pause_some(l);
    leave_some(l);
    weather(l);
    drift_some(l);
    view_some(l);
    hands(l);
    if (drawn(w, CHAOS_ERASE, 4))
        chaos_erase(l);
    release_some(l, false);
}

/* ---- The end of the faults: the administrator puts everything right ---------------------------------------------- */

static bool let_go(struct life *l)
{
    bool through = true;
    AUTO(arena_done) struct arena a = {0};
    struct err e = {0};
    struct link *links = NULL;
    size_t n = 0, m = 0;
    for (int i = 0; i < l->world->n_parted && i < TWIN_PARTED; i++) {
        through &= link_couple(l, &l->world->parted[i]);
    }
    if (link_list(l->db, &a, 0, &links, &n, &e) != TL_OK)
        return false;
    for (size_t i = 0; i < n; i++) {
        struct pair_filter f = {.link = links[i].link, .status = PAIR_IGNORED};
        struct pair *list = NULL;
        if (pair_list(l->db, &a, &f, 1000, &list, &m, &e) != TL_OK)
            continue;
        for (size_t k = 0; k < m; k++)
            through &= admin_pair_ignore(l->engine, list[k].pair, false, NULL, &e) != E_BUSY;
    }
    return through;
}

void chaos_decide(struct life *l)
{
    for (int kind = 0; kind < TWIN_KINDS; kind++) {
        struct err e = {0};
        struct conflict_pick pick = {.connection = "c", .kind = kinds[kind], .take = 'n'};
        (void)admin_conflict_decide(l->engine, &pick, NULL, &e);
    }
}

bool chaos_end(struct life *l)
{
    struct world *w = l->world;
    struct err e = {0};
    if (!w->knobs.chaos)
        return true;
    if (w->now_us < l->put_due)
        return false;
    l->put_due = w->now_us + 60 * US_PER_S;
    memset(w->hidden, 0, sizeof w->hidden);
    memset(w->drift, 0, sizeof w->drift);
    memset(w->storm_until, 0, sizeof w->storm_until);
    if (w->unload_until) {
        w->unload_until = 1;
        leave_some(l);
    }
    release_some(l, true); /* blocked, it cannot be resumed */
    if (w->pause_until) {
        w->pause_until = 1;
        pause_some(l);
    }
    if (w->knobs.chaos & (CHAOS_DRIFT | CHAOS_SCRIPT))
        for (int s = 0; s < 2; s++)
            describe_again(l, s);
    if ((w->knobs.chaos & (CHAOS_BYHAND | CHAOS_SCRIPT)) && !let_go(l) && l->put_tries++ < 20)
        return false;
    struct failure_pick all = {.connection = "c"};
    (void)admin_failure_retry(l->engine, &all, NULL, &e);
    return true;
}
