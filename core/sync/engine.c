/* Opening, turning and closing; transactions and calls as all modules use them. */
#include <stdlib.h>

#include "engine_int.h"
#include "log.h"
#include "passport.h"
#include "preview.h"
#include "storage.h"
#include "undo.h"
#include "writing.h"

/* A slice is not begun that would not fit any more. To look at something costs little, but not nothing. */
bool g_spent(const struct engine *g)
{
    unsigned done = g->steps + g->looks / LOOKS_A_STEP;
    return done > 0 && done + LARGEST_SLICE > g->max_steps;
}

void g_step(struct engine *g, unsigned n)
{
    g->steps += n;
}

int g_begin(struct engine *g, struct err *e)
{
    return db_begin(g->db, e);
}

int g_end(struct engine *g, int rc, const char *what, struct err *e)
{
    while (g->counted) {
        struct g_link *l = g->counted;
        g->counted = l->next_counted;
        l->counted = false;
        if (rc == TL_OK)
            rc = run_flush(g, l, e);
        memset(l->counts, 0, sizeof l->counts);
    }
    if (rc == TL_OK) {
        env_crash_point(g->env, what);
        rc = db_commit(g->db, e);
        g->figures.transactions++;
        env_crash_point(g->env, what);
    } else {
        db_rollback(g->db);
    }
    runs_settle(g, rc == TL_OK);
    lookups_settle(g, rc == TL_OK);
    if (rc == TL_OK) {
        storage_worked(g, what);
        return rc;
    }
    struct err unnamed = {0};
    storage_transaction_failed(g, rc, what, e ? e : &unnamed);
    g->ref_epoch++;
    struct err again = {0};
    if (model_refresh(g, &again))
        storage_failed(g, "reading the model again", &again);
    return rc;
}

static void call_answered(struct call *c)
{
    struct engine *g = call_note(c)->g;
    c->next = NULL;
    call_note(c)->answered_us = g_mono(g);
    if (g->done_last)
        g->done_last->next = c;
    else
        g->done = c;
    g->done_last = c;
    if (g->wake)
        g->wake(g->wake_ctx);
}

struct call *g_call(struct engine *g, enum call_kind kind, int64_t endpoint, int32_t purpose)
{
    struct call *c = call_new(kind, endpoint, purpose);
    struct call_note *note = arena_new(&c->arena, struct call_note);
    note->g = g;
    c->owner = note;
    c->done = call_answered;
    return c;
}

void g_submit(struct engine *g, struct call *c)
{
    g->calls_open++;
    g->figures.calls++;
    budget_call_sent(g, c);
    call_note(c)->sent_us = g_now(g);
    env_crash_point(g->env, "before a call is sent");
    g->dispatcher->submit(g->dispatcher->ctx, c);
}

static bool has_slot(struct engine *g, const struct g_endpoint *ep, int32_t purpose)
{
    return g->dispatcher->room(g->dispatcher->ctx, ep->row.endpoint, purpose) > 0;
}

static bool is_awake(struct engine *g, const struct g_endpoint *ep)
{
    return ep && !g->stopping && ep->prep == PREP_READY && ep->row.block_code.n == 0 && ep->sleep_until <= g_mono(g) &&
           budget_lane(g, ep, LANE_LIVE);
}

bool g_endpoint_can(struct engine *g, const struct g_endpoint *ep, int32_t purpose)
{
    return is_awake(g, ep) && budget_room(&ep->budget, g_now(g)) > 0 && has_slot(g, ep, purpose);
}

bool g_endpoint_answers(struct engine *g, const struct g_endpoint *ep)
{
    return is_awake(g, ep) && budget_room(&ep->budget, g_now(g)) > 0;
}

bool g_endpoint_parses(struct engine *g, const struct g_endpoint *ep)
{
    return !g->stopping && ep->prep == PREP_READY && has_slot(g, ep, TL_PURPOSE_LIVE);
}

bool g_endpoint_can_go_on(struct engine *g, const struct g_endpoint *ep)
{
    return is_awake(g, ep) && (has_slot(g, ep, TL_PURPOSE_BULK) || has_slot(g, ep, TL_PURPOSE_AGENT));
}

int64_t backoff_us(struct engine *g, int tries)
{
    int64_t top = 2 * US_PER_S;
    for (int i = 1; i < tries && top < 900 * US_PER_S; i++)
        top *= 2;
    if (top > 900 * US_PER_S)
        top = 900 * US_PER_S;
    return top / 4 + (int64_t)env_random_below(g->env, (uint64_t)(top - top / 4));
}

/* What was open when the process ended may have been sent. */
static int load_intents(struct engine *g, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    int64_t changed = 0;
    struct intent *list = NULL;
    size_t n = 0;
    int rc = intent_all_unknown(g->db, &changed, e);
    if (rc == TL_OK)
        rc = intent_list(g->db, &a, 0, &list, &n, e);
    for (size_t i = 0; rc == TL_OK && i < n; i++) {
        struct g_batch *b = calloc(1, sizeof *b);
        ASSERT(b);
        b->intent = list[i].intent;
        b->link = list[i].link;
        b->endpoint = list[i].endpoint;
        b->side = list[i].side;
        b->op = list[i].op;
        b->lane = list[i].lane;
        b->state = INTENT_UNKNOWN;
        b->flags = list[i].flags;
        b->run = list[i].run;
        b->made_us = list[i].made_us;
        b->settle_us = list[i].settle_us;
        b->map_gen = list[i].map_gen;
        b->n = b->cap = (uint32_t)list[i].n;
        b->entries = arena_array(&b->arena, struct g_entry, list[i].n + 1);
        for (size_t k = 0; k < list[i].n; k++) {
            const struct intent_entry *from = &list[i].entries[k];
            struct g_entry *to = &b->entries[k];
            to->pair = from->pair;
            to->gen = from->gen;
            to->id = arena_str(&b->arena, from->id);
            to->stamp = arena_str(&b->arena, from->stamp);
            to->version = arena_str(&b->arena, from->version);
            to->source_hash = from->source_hash;
            to->flags = from->flags;
            size_t n_values = 0;
            to->values = obs_all(arena_str(&b->arena, from->sent), &b->arena, &n_values);
            to->n_values = (uint32_t)n_values;
        }
        batch_link(g, b);
    }
    return rc;
}

/* A database older than what was already sent: a person must say that work may go on. */
static int block_restored(struct engine *g, struct err *e)
{
    if (db_origin(g->db) != DB_RESTORED)
        return TL_OK;
    bool any = false;
    for (struct g_conn *c = g->conns; c; c = c->next)
        if (c->row.state == CONN_ACTIVE || c->row.state == CONN_INITIAL || c->row.state == CONN_PAUSED ||
            c->row.state == CONN_BLOCKED) {
            conn_block(g, c, "RESTORED", "the database is older than what was already written to the vendors");
            any = true;
        }
    return any ? TL_OK : db_accept_restored(g->db, e); /* nothing ever wrote: there is nobody to ask, then or later */
}

void engine_store_checked(struct engine *g, bool sound, const char *text)
{
    for (struct g_conn *c = g->conns; c; c = c->next)
        if (sound)
            conn_unblock(g, c, "STORAGE");
        else
            conn_block(g, c, "STORAGE", text);
}

int engine_open(struct engine **out, const struct engine_config *config, struct err *e)
{
    struct engine *g = calloc(1, sizeof *g);
    ASSERT(g);
    g->db = config->db;
    g->env = config->env;
    g->dispatcher = config->dispatcher;
    g->wake = config->wake;
    g->hooks_changed = config->hooks_changed;
    g->signed_out = config->signed_out;
    g->wake_ctx = config->ctx;
    g->next_handle = 1;
    engine_retention(g, &config->retention);
    g->enabling = g->collecting = true; /* looked at once after a start */
    int rc = model_load(g, e);
    if (rc == TL_OK)
        rc = passport_stamps_load(g, e);
    if (rc == TL_OK)
        rc = run_interrupt_all(g->db, e);
    if (rc == TL_OK)
        rc = preview_resume(g, e);
    if (rc == TL_OK)
        rc = undo_resume(g, e);
    if (rc == TL_OK)
        rc = load_intents(g, e);
    if (rc == TL_OK)
        rc = block_restored(g, e);
    if (rc != TL_OK) {
        engine_close(g);
        return rc;
    }
    *out = g;
    return TL_OK;
}

struct engine *engine_close(struct engine *g)
{
    if (!g)
        return NULL;
    while (g->done) {
        struct call *c = g->done;
        g->done = c->next;
        call_free(c);
    }
    while (g->batches) {
        struct g_batch *b = g->batches;
        g->batches = b->next;
        batch_free(b);
    }
    while (g->listeners) {
        struct listener *l = g->listeners;
        g->listeners = l->next;
        free(l);
    }
    passport_stamps_free(g);
    model_free(g);
    free(g);
    return NULL;
}

void engine_stop(struct engine *g)
{
    g->stopping = true;
}

void engine_rest(struct engine *g)
{
    db_cache_drop(g->db);
}

unsigned engine_calls_open(const struct engine *g)
{
    return g->calls_open;
}

void engine_figures_get(const struct engine *g, struct engine_figures *out)
{
    *out = g->figures;
}

unsigned engine_turn(struct engine *g, unsigned max_steps)
{
    g->steps = g->looks = 0;
    g->max_steps = max_steps ? max_steps : ENGINE_TURN_STEPS;
    g->figures.turns++;
    g->more = false;
    if (!storage_turn(g))
        return 0;
    retention_turn(g);
    while (!g_spent(g) && !g->storage_down && schedule_round(g))
        ;
    g->figures.steps += g->steps;
    g->figures.looks += g->looks;
    if (g->steps > g->figures.longest_turn_steps)
        g->figures.longest_turn_steps = g->steps;
    g->more = g_spent(g);
    return g->steps;
}

int64_t engine_next_due_us(const struct engine *g)
{
    if (g->storage_down)
        return g->storage_due;
    return g->done || g->more ? 0 : schedule_next_us(g);
}
