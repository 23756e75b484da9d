/* What is done next: answers first, then whatever is due, one slice each in the order in which it became due. Nobody
 * goes twice before all others who are due went once, and calls of one endpoint go round among those who wait for it.
 */
#include "engine_int.h"
#include "preview.h"
#include "reading.h"
#include "readopt.h"
#include "undo.h"
#include "writing.h"

#define PATIENCE_MAX_US (64 * US_PER_S)

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Wall time of a stored due to mono time. */
static int64_t mono_of(const struct engine *g, int64_t wall)
{
    return wall == NEVER ? NEVER : wall - g_now(g) + g_mono(g);
}

/* ---- Who is due when */

int64_t endpoint_free_us(const struct engine *g, const struct g_endpoint *ep, enum lane lane)
{
    if (!ep || ep->prep != PREP_READY || ep->row.block_code.n)
        return NEVER; /* whoever changes that says so */
    int64_t again = 0;
    if (budget_allows(&ep->budget, lane, g_now(g), &again))
        return ep->sleep_until;
    int64_t resets = again ? mono_of(g, again) : NEVER;
    return later(ep->sleep_until, earlier(resets, g_mono(g) + PATIENCE_MAX_US)); /* the vendor may tell of more */
}

static int64_t endpoint_due(const struct engine *g, const struct g_endpoint *ep)
{
    if (g->stopping)
        return NEVER;
    if (ep->prep == PREP_NEEDED)
        return ep->row.present && endpoint_used(g, ep) ? later(ep->prep_due, ep->sleep_until) : NEVER;
    int64_t parse = ep->parsing || ep->prep != PREP_READY ? NEVER : ep->inbox_due;
    int64_t subscribe = ep->subscribing ? NEVER : ep->subscribe_due;
    return earlier(parse, later(subscribe, endpoint_free_us(g, ep, LANE_LIVE)));
}

/* Runs of live changes end when nothing of them is open. */
static int64_t run_due(const struct engine *g, const struct g_link *l)
{
    bool open = l->live_run || l->retry_run;
    return open && l->open_intents == 0 ? mono_of(g, l->live_run_until) : NEVER;
}

static int64_t lane_work_due(const struct engine *g, const struct g_link *l, int lane)
{
    return later(l->lane_due[lane] < 0 ? 0 : mono_of(g, l->lane_due[lane]), l->lane_hold[lane]);
}

static int64_t link_due(const struct engine *g, const struct g_link *l)
{
    int64_t due = run_due(g, l);
    if (!link_runs(l) || l->row.phase == PHASE_NEW || g->stopping || l->finding || !link_feeds_ready(g, l))
        return due; /* woken by what ends that */
    if (readopt_waits(l) && l->row.phase < PHASE_DRAIN)
        return due;
    if (l->row.brake_code.n) /* what an undo takes back */
        return earlier(due, later(lane_work_due(g, l, LANE_RETRY), l->hold_until));
    bool explaining = (l->orphans || readopt_holds(l)) && !readopt_waits(l);
    if (explaining || l->row.phase == PHASE_OBSERVE || (l->wake_after >= 0 && l->row.phase >= PHASE_MATCH))
        return 0;
    if (life_holds(l) || shift_holds(l))
        return due;
    if (l->row.phase == PHASE_DRAIN && l->open_intents == 0)
        return 0;
    bool rests = link_rests(g, l);
    int lanes = rests ? LANE_SWEEP : LANE_COUNT;
    int64_t work = rests ? g_mono(g) + PATIENCE_MAX_US : NEVER; /* the quiet hours end without a word */
    if (l->row.phase == PHASE_MATCH && !rests)
        work = l->lane_hold[LANE_BULK];
    for (int lane = 0; lane < lanes; lane++)
        work = earlier(work, lane_work_due(g, l, lane));
    return earlier(due, later(work, l->hold_until));
}

/* ---- Waiting for an endpoint */

static struct g_endpoint *endpoint_of(const struct ready *r, int side)
{
    if (r->kind == READY_LINK) {
        const struct g_conn *c = ((const struct g_link *)r->owner)->conn;
        return c ? c->ep[side] : NULL;
    }
    return r->kind == READY_FEED && side == 0 ? ((const struct g_feed *)r->owner)->ep : NULL;
}

/* The next in the queue may try. */
static bool queue_moves(struct g_endpoint *ep)
{
    struct ready *r = ready_next_of(&ep->queue);
    if (!r)
        return false;
    if (r->kind == READY_LINK) {
        struct g_link *l = r->owner;
        memset(l->lane_hold, 0, sizeof l->lane_hold);
    }
    r->patience = 0;
    ready_set(r, 0); /* its turn has come: before whoever has just come */
    return true;
}

/* A call of it came back: those who wait for room have their turn. */
static void schedule_room(struct engine *g, struct g_endpoint *ep)
{
    int room = g_endpoint_can(g, ep, TL_PURPOSE_BULK) ? budget_room(&ep->budget, g_now(g)) : 0;
    int free = room ? g->dispatcher->room(g->dispatcher->ctx, ep->row.endpoint, TL_PURPOSE_BULK) : 1;
    for (room = room && room < free ? room : free; room > 0 && queue_moves(ep); room--)
        ;
    ready_wake(&ep->ready);
}

void schedule_feed(struct g_feed *f)
{
    ready_wake(&f->ready);
    for (struct feed_side *at = f->sides; at; at = at->next)
        ready_wake(&at->l->ready);
}

void schedule_endpoint(struct g_endpoint *ep)
{
    while (queue_moves(ep))
        ;
    for (struct g_feed *f = ep->feeds; f; f = f->next_of_endpoint) {
        for (struct feed_side *at = f->sides; at; at = at->next)
            memset(at->l->lane_hold, 0, sizeof at->l->lane_hold);
        schedule_feed(f);
    }
    ready_wake(&ep->ready);
}

/* It wanted to do something and could not: looked at now and then, and as soon as what it waits for changes. */
static void be_patient(struct engine *g, struct ready *r)
{
    r->patience = r->patience ? earlier(2 * r->patience, PATIENCE_MAX_US) : US_PER_S;
    ready_set(r, g_mono(g) + r->patience);
    for (int s = 0; s < 2; s++) {
        struct g_endpoint *ep = endpoint_of(r, s);
        if (ep && endpoint_free_us(g, ep, LANE_LIVE) <= g_mono(g) && !g_endpoint_can(g, ep, TL_PURPOSE_BULK))
            ready_wait(r, s, &ep->queue, false);
    }
}

/* ---- Work that failed */

/* As people are told of it, and which part of it. */
static str object_of(const struct ready *r, struct buf *out, str *part)
{
    *part = r->kind == READY_FEED ? ((const struct g_feed *)r->owner)->row.kind : (str){0};
    if (r->kind == READY_LINK) {
        const struct g_link *l = r->owner;
        buf_fmt(out, "link %.*s/%.*s", STR_FMT(l->conn->row.name), STR_FMT(l->row.name));
    } else {
        const struct g_endpoint *ep = r->kind == READY_FEED ? ((const struct g_feed *)r->owner)->ep : r->owner;
        buf_fmt(out, "endpoint %.*s", STR_FMT(ep->row.name));
    }
    return buf_lent(out);
}

/* It rests where a transaction of it failed. */
static void note_setback(struct engine *g, struct ready *r, unsigned failed_before, bool got_on)
{
    AUTO(buf_done) struct buf text = {0};
    str part, object = object_of(r, &text, &part);
    setback_note(g, &r->setback, failed_before, got_on, object, part);
}

/* ---- Answers */

static void call_timed(struct engine *g, const struct call *c)
{
    struct g_endpoint *ep = model_endpoint(g, c->endpoint);
    int64_t took = g_now(g) - call_note(c)->sent_us;
    if (ep && took >= 0 && (c->kind == CALL_PULL || c->kind == CALL_PUSH || c->kind == CALL_GET))
        ep->call_us = ep->call_us ? ep->call_us + (took - ep->call_us) / 8 : took;
}

/* Whose question it was; NULL: nobody's who could rest. */
static struct ready *asked_by(struct engine *g, const struct call *c)
{
    if (c->tag < 0 || (c->kind != CALL_GET && c->kind != CALL_FIND))
        return NULL;
    struct g_feed *f = c->kind == CALL_GET ? model_feed(g, c->tag) : NULL;
    struct g_link *l = c->kind == CALL_FIND ? model_link(g, c->tag) : NULL;
    return f ? &f->ready : l ? &l->ready : NULL;
}

static void take_answer(struct engine *g, struct call *c)
{
    struct g_endpoint *ep = model_endpoint(g, c->endpoint);
    struct ready *asked = asked_by(g, c);
    bool resolves = c->tag < 0 && (c->kind == CALL_GET || c->kind == CALL_FIND);
    unsigned failed = g->setbacks.n;
    g->calls_open--;
    call_timed(g, c);
    budget_call_answered(g, c);
    if (call_note(c)->asker) {
        ask_answered(g, c);
        if (ep)
            schedule_room(g, ep);
        return;
    }
    switch (c->kind) {
    case CALL_CHECK:
    case CALL_DISCOVER:
    case CALL_PREPARE:
        prep_call_done(g, c);
        break;
    case CALL_PULL:
        feed_call_done(g, c);
        break;
    case CALL_GET:
        if (c->tag < 0)
            resolve_call_done(g, c);
        else
            feed_fetched(g, c);
        break;
    case CALL_FIND:
        if (c->tag < 0)
            resolve_call_done(g, c);
        else
            match_find_done(g, c);
        break;
    case CALL_PUSH:
        push_call_done(g, c);
        break;
    case CALL_PARSE_HOOK:
        hook_call_done(g, c);
        break;
    case CALL_SUBSCRIBE:
    case CALL_UNSUBSCRIBE:
        subscription_done(g, c);
        break;
    case CALL_LIST:
    case CALL_ACT: /* of a person who waits: not the engine's own */
        break;
    }
    if (resolves)
        setback_note(g, &g->setbacks.resolve, failed, true, STR("engine"), STR("unknown writes"));
    else if (asked && g->setbacks.n != failed)
        note_setback(g, asked, failed, false);
    if (ep)
        schedule_room(g, ep);
}

static bool take_answers(struct engine *g)
{
    bool any = false;
    while (g->done && !g_spent(g) && !g->storage_down) {
        struct call *c = g->done;
        g->done = c->next;
        if (!g->done)
            g->done_last = NULL;
        c->next = NULL;
        g->answered_us = call_note(c)->answered_us;
        take_answer(g, c);
        g_step(g, 1);
        any = true;
    }
    return any;
}

/* ---- Turns */

static bool endpoint_turn(struct engine *g, struct g_endpoint *ep)
{
    bool any = prep_turn(g, ep);
    any |= hook_turn(g, ep);
    return subscription_turn(g, ep) || any;
}

static bool whole_feed_turn(struct engine *g, struct g_feed *f)
{
    if (feed_take_page(g, f))
        return true;
    bool any = pass_turn(g, f);
    return (!g_spent(g) && feed_turn(g, f)) || any;
}

static bool whole_link_turn(struct engine *g, struct g_link *l)
{
    bool any = link_work(g, l);
    if (!g_spent(g))
        any |= link_walk(g, l);
    if (!g_spent(g))
        any |= orphan_turn(g, l);
    return run_turn(g, l) || any;
}

static bool work(struct engine *g, struct ready *r)
{
    switch (r->kind) {
    case READY_ENDPOINT:
        return endpoint_turn(g, r->owner);
    case READY_FEED:
        return whole_feed_turn(g, r->owner);
    case READY_LINK:
        return whole_link_turn(g, r->owner);
    }
    return false;
}

static int64_t due_of(const struct engine *g, const struct ready *r)
{
    switch (r->kind) {
    case READY_ENDPOINT:
        return endpoint_due(g, r->owner);
    case READY_FEED:
        return feed_due(g, r->owner);
    case READY_LINK:
        return link_due(g, r->owner);
    }
    return NEVER;
}

static bool slice(struct engine *g, struct ready *r)
{
    unsigned before = g->setbacks.n;
    if (r->setback.tries) {
        AUTO(buf_done) struct buf text = {0};
        str part, object = object_of(r, &text, &part);
        setback_again(g, &r->setback, object, part);
    }
    bool any = work(g, r), failed = g->setbacks.n != before;
    if (failed || (any && r->setback.tries))
        note_setback(g, r, before, any);
    return any && !failed;
}

/* The same for what belongs to no endpoint, feed or link. */
static bool turn_of(struct engine *g, struct setback *s, bool (*turn)(struct engine *g), const char *what)
{
    if (setback_rests(g, s))
        return false;
    unsigned before = g->setbacks.n;
    setback_again(g, s, STR("engine"), str_of(what));
    bool any = turn(g), failed = g->setbacks.n != before;
    setback_note(g, s, before, true, STR("engine"), str_of(what)); /* what went without a failure is through, too */
    return any && !failed;
}

static bool look(struct engine *g, struct ready *r)
{
    g->looks++;
    if (setback_rests(g, &r->setback)) {
        ready_set(r, r->setback.until_us);
        return false;
    }
    bool any = due_of(g, r) <= g_mono(g) && slice(g, r);
    int64_t due = later(due_of(g, r), r->setback.until_us);
    if (any) {
        r->patience = 0;
        if (r->kind == READY_LINK && (r->wait[0].queue || r->wait[1].queue)) /* nobody would tell its lanes of room */
            memset(((struct g_link *)r->owner)->lane_hold, 0, sizeof((struct g_link *)r->owner)->lane_hold);
        ready_leave(r);
        ready_set(r, due < g_mono(g) ? g_mono(g) : due);
        for (int s = 0; s < 2; s++) {
            struct g_endpoint *ep = endpoint_of(r, s);
            if (ep && ep->queue.first && g_endpoint_can(g, ep, TL_PURPOSE_BULK))
                queue_moves(ep);
        }
    } else if (due <= g_mono(g)) {
        be_patient(g, r);
    } else {
        ready_set(r, due);
    }
    return any;
}

bool schedule_round(struct engine *g)
{
    bool any = take_answers(g);
    any |= turn_of(g, &g->setbacks.preview, preview_turn, "preview");
    any |= turn_of(g, &g->setbacks.undo, undo_turn, "undo");
    any |= turn_of(g, &g->setbacks.life, life_turn, "life");
    if (!g_spent(g) && g->unknown && !setback_rests(g, &g->setbacks.resolve))
        any |= resolve_turn(g);
    while (!g_spent(g) && !g->storage_down) {
        struct ready *r = ready_take(&g->ready, g_mono(g));
        if (!r)
            break;
        any |= look(g, r);
    }
    return any;
}

/* Writes of unknown outcome that may be asked for. */
static int64_t unknown_due(const struct engine *g)
{
    int64_t due = NEVER;
    for (const struct g_batch *b = g->unknown ? g->batches : NULL; b; b = b->next) {
        const struct g_link *l = by_id_get(&g->link_ids, b->link);
        if (b->state != INTENT_UNKNOWN || b->calls > 0 || !l || !link_runs(l))
            continue;
        int64_t free = endpoint_free_us(g, l->conn->ep[b->side], LANE_LIVE);
        if (free != NEVER)
            due = earlier(due, later(b->resolve_due, free));
    }
    return due <= g_mono(g) ? g_mono(g) + IDLE_US : due;
}

/* mono; when it is tried again although nothing else says so. */
static int64_t again_us(const struct engine *g, const struct setback *s)
{
    return setback_rests(g, s) ? s->until_us : NEVER;
}

int64_t schedule_next_us(const struct engine *g)
{
    const struct setbacks *s = &g->setbacks;
    int64_t due = earlier(g->trim_due, ready_first_us(&g->ready));
    due = earlier(due, later(undo_due(g), s->undo.until_us));
    due = earlier(due, later(mono_of(g, g->collect_wall), s->life.until_us));
    due = earlier(due, later(unknown_due(g), s->resolve.until_us));
    return earlier(due, earlier(again_us(g, &s->preview), again_us(g, &s->life)));
}
