/* Calls: queues, instances, and what a pool thread does with them. */
#include <stdio.h>
#include <stdlib.h>

#include "call_place.h"
#include "codec.h"
#include "log.h"
#include "runtime_int.h"

static struct slot *slot_of(struct endpoint *ep, int32_t purpose)
{
    return &ep->slots[purpose >= 0 && purpose < SLOTS ? purpose : TL_PURPOSE_LIVE];
}

void slots_init(struct endpoint *ep, const struct runtime_config *config)
{
    for (int i = 0; i < SLOTS; i++)
        ep->slots[i] = (struct slot){.max = 1, .queue_tail = &ep->slots[i].queue};
    ep->slots[TL_PURPOSE_AGENT].max = config->agent_instances;
}

/* ---- counting ---- */

uint32_t rt_endpoint_running(const struct endpoint *ep)
{
    return ep->slots[0].n_busy + ep->slots[1].n_busy + ep->slots[2].n_busy;
}

bool rt_endpoint_writes(const struct endpoint *ep)
{
    for (int i = 0; i < SLOTS; i++)
        for (const struct inst *inst = ep->slots[i].insts; inst; inst = inst->next)
            if (inst->state == INST_BUSY && inst->call && call_writes(inst->call))
                return true;
    return false;
}

uint32_t rt_endpoint_queued(const struct endpoint *ep)
{
    return ep->slots[0].n_queued + ep->slots[1].n_queued + ep->slots[2].n_queued + (ep->errands ? 1 : 0);
}

uint32_t rt_endpoint_instances(const struct endpoint *ep)
{
    return ep->slots[0].n_insts + ep->slots[1].n_insts + ep->slots[2].n_insts;
}

bool rt_endpoint_uses_worker(const struct endpoint *ep, const struct worker *w)
{
    for (int i = 0; i < SLOTS; i++)
        for (const struct inst *inst = ep->slots[i].insts; inst; inst = inst->next)
            if (inst->worker == w)
                return true;
    return false;
}

/* ---- calls that end without an instance ---- */

static void run_failed(struct message *m)
{
    struct runtime *rt = (struct runtime *)(void *)((char *)m - offsetof(struct runtime, failed_message));
    struct call *c = rt->failed;
    struct errand *errand = rt->failed_errands;
    rt->failed = NULL;
    rt->failed_errands = NULL;
    rt->failed_posted = false;
    while (c) {
        struct call *next = c->next;
        c->next = NULL;
        c->done(c);
        c = next;
    }
    while (errand) {
        struct errand *next = errand->next;
        errand->done(errand->arg, errand->rc, &errand->err);
        free(errand);
        errand = next;
    }
}

static void post_failed(struct runtime *rt)
{
    if (rt->failed_posted)
        return;
    rt->failed_posted = true;
    rt->failed_message.run = run_failed;
    mailbox_post(rt->config.control, &rt->failed_message);
}

/* Ends a call without running it; done() comes in a later turn. */
static void call_fail(struct runtime *rt, struct call *call, tl_status s, const char *text)
{
    call->reply.status = s;
    call->reply.error = (tl_error){.struct_size = sizeof call->reply.error, .scope = TL_SCOPE_ENDPOINT};
    snprintf(call->reply.error.text, sizeof call->reply.error.text, "%.255s", text);
    call->next = NULL;
    if (!rt->failed)
        rt->failed_tail = &rt->failed;
    *rt->failed_tail = call;
    rt->failed_tail = &call->next;
    post_failed(rt);
}

static void errand_fail(struct runtime *rt, struct errand *errand, int rc, const char *text)
{
    errand->rc = err_set(&errand->err, rc, "%s", text);
    errand->next = rt->failed_errands;
    rt->failed_errands = errand;
    post_failed(rt);
}

static void slot_fail_queued(struct runtime *rt, struct slot *slot, tl_status s, const char *text)
{
    while (slot->queue) {
        struct call *c = slot->queue;
        slot->queue = c->next;
        call_fail(rt, c, s, text);
    }
    slot->queue_tail = &slot->queue;
    slot->n_queued = 0;
}

void rt_endpoint_fail_queued(struct endpoint *ep, tl_status s, const char *text)
{
    struct runtime *rt = ep->connector->rt;
    for (int i = 0; i < SLOTS; i++)
        slot_fail_queued(rt, &ep->slots[i], s, text);
    while (ep->errands) {
        struct errand *errand = ep->errands;
        ep->errands = errand->next;
        errand_fail(rt, errand, s, text);
    }
}

/* ---- on the pool thread ---- */

static int32_t local_verdict(void *ctx, int32_t status, tl_str body)
{
    return module_verdict(ctx, status, body);
}

static tl_status local_token_error(void *ctx, int32_t status, tl_str body, tl_error *error)
{
    return module_token_error(ctx, status, body, error);
}

tl_status rt_inst_open(struct inst *inst, struct instance **local, struct remote **remote, tl_error *error)
{
    struct endpoint *ep = inst->endpoint;
    struct services services;
    const struct runtime_config *config = &ep->connector->rt->config;
    if (!config->services || !config->services(config->ctx, ep->id, inst->purpose, &services))
        host_side_services(inst->host, &services);
    const tl_open open = {
        .struct_size = sizeof open,
        .purpose = inst->purpose,
        .n_config = ep->options.n_open,
        .config = ep->options.open,
        .endpoint = str_of(ep->name),
    };
    *error = (tl_error){.struct_size = sizeof *error};
    if (inst->worker)
        return remote_open(remote, inst->worker, &services, &open, error, &inst->gone);
    return instance_open(local, ep->connector->module, &services, &open, error);
}

static tl_status inst_open(struct inst *inst, tl_error *error)
{
    if (inst->local || inst->remote)
        return TL_OK;
    struct remote *remote = NULL;
    tl_status s = rt_inst_open(inst, &inst->local, &remote, error);
    __atomic_store_n(&inst->remote, remote, __ATOMIC_RELEASE); /* the control thread may want to cancel */
    return s;
}

/* In process the call may be given up meanwhile: then only what belongs to inst may be touched after the run. */
static void inst_run_call(struct inst *inst, struct call *call)
{
    struct reply *reply = inst->worker ? &call->reply : &inst->reply;
    const struct env *env = inst->endpoint->connector->rt->config.env;
    int64_t start = env_mono_us(env);
    AUTO(buf_done) struct buf request = {.max = FRAME_MAX};
    struct err e = {0};
    if (__atomic_load_n(&call->cancelled, __ATOMIC_RELAXED)) {
        reply->status = TL_E_CANCELLED;
    } else if (request_encode(&request, call, &e)) {
        reply->status = TL_E_INVALID;
        err_to_tl(&e, &reply->error);
    } else if (host_side_serve(inst->host, call, reply)) {
        reply->status = TL_E_TEMPORARY;
        err_set(&e, TL_E_TEMPORARY, "the files of the call cannot be opened");
        err_to_tl(&e, &reply->error);
    } else if (inst->remote) {
        remote_run(inst->remote, call, buf_lent(&request), env_now_us(env), reply);
        if (reply->crashed || (reply->status == TL_E_TEMPORARY && remote_is_broken(inst->remote)))
            inst->gone = true;
    } else {
        enum call_kind kind = call->kind;
        __atomic_store_n(&inst->phase, PHASE_HANDED, __ATOMIC_RELEASE);
        instance_run(inst->local, kind, buf_lent(&request), false, reply);
    }
    host_side_served(inst->host);
    reply->took_us = env_mono_us(env) - start;
}

static void inst_work(struct task *t)
{
    struct inst *inst = (struct inst *)(void *)((char *)t - offsetof(struct inst, task));
    const struct verdicts local = {inst->endpoint->connector->module, local_verdict, local_token_error};
    if (inst->state == INST_CLOSING) {
        inst->local = instance_close(inst->local);
        inst->remote = remote_close(inst->remote);
        return;
    }
    tl_error error;
    struct call *call = inst->call; /* the control thread may take it away when it gives the call up */
    verdicts_bind(inst->worker ? NULL : &local);
    tl_status s = inst_open(inst, &error);
    int32_t opening = PHASE_OPENING;
    bool given_up =
        !__atomic_compare_exchange_n(&inst->phase, &opening, PHASE_RUNNING, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    if (s) {
        struct reply *reply = inst->worker && call ? &call->reply : &inst->reply;
        inst->stale = true;
        if (call) {
            reply->status = s;
            reply->error = error;
        } else {
            err_from_tl(&inst->errand->err, s, &error);
            inst->errand->rc = s;
        }
    } else if (!given_up) {
        verdicts_bind(inst->remote ? remote_verdicts(inst->remote) : &local);
        if (call)
            inst_run_call(inst, call);
        else
            inst->errand->rc = inst->errand->fn(inst, inst->errand->arg, &inst->errand->err);
    }
    verdicts_bind(NULL);
}

/* ---- instances ---- */

static struct inst *inst_new(struct endpoint *ep, int32_t purpose)
{
    struct inst *inst = calloc(1, sizeof *inst);
    ASSERT(inst);
    struct runtime *rt = ep->connector->rt;
    struct slot *slot = slot_of(ep, purpose);
    inst->endpoint = ep;
    inst->purpose = purpose;
    inst->cell = rt_endpoint_cell(ep);
    inst->worker = inst->cell ? worker_ref(inst->cell->worker) : NULL;
    const struct host_config config = {
        .env = rt->config.env,
        .control = &rt->control,
        .store = &rt->config.store,
        .endpoint = ep->id,
        .endpoint_name = ep->name,
        .connector = ep->connector->name,
        .auth = ep->auth,
        .quota = &ep->quota,
        .blob_dir = rt->blob_dir,
        .urgent = purpose == TL_PURPOSE_AGENT,
        .metric = rt->config.metric,
        .metric_ctx = rt->config.ctx,
        .http = rt->config.http,
    };
    inst->host = host_side_new(&config);
    inst->next = slot->insts;
    slot->insts = inst;
    slot->n_insts++;
    return inst;
}

static void inst_destroy(struct inst *inst)
{
    struct slot *slot = slot_of(inst->endpoint, inst->purpose);
    struct inst **at = &slot->insts;
    while (*at != inst)
        at = &(*at)->next;
    *at = inst->next;
    slot->n_insts--;
    host_side_free(inst->host);
    worker_unref(inst->worker);
    free(inst);
}

/* After something of ep ended: what may go on now. ep may be gone afterwards. */
static void endpoint_moved(struct endpoint *ep)
{
    struct connector *c = ep->connector;
    rt_endpoint_pump(ep);
    rt_endpoint_settle(ep);
    rt_connector_end_step(c);
}

static void inst_closed(struct task *t)
{
    struct inst *inst = (struct inst *)(void *)((char *)t - offsetof(struct inst, task));
    struct endpoint *ep = inst->endpoint;
    inst_destroy(inst);
    endpoint_moved(ep);
}

static void inst_close(struct inst *inst)
{
    if (inst->state != INST_IDLE)
        return;
    inst->state = INST_CLOSING;
    task_start(&inst->task, inst->endpoint->connector->rt, inst->endpoint->connector->pool, inst_work, inst_closed);
}

/* What the outcome of a call says about its endpoint. */
static void learn(struct endpoint *ep, struct inst *inst, const struct reply *reply)
{
    int64_t now = rt_mono_us(ep->connector->rt);
    int64_t pause = reply->error.retry_after_ms > 0 ? reply->error.retry_after_ms * 1000 : THROTTLE_DEFAULT_US;
    bool whole = reply->error.scope == TL_SCOPE_ENDPOINT;
    switch (reply->status) {
    case TL_OK:
        ep->blocked_until_us = 0;
        break;
    case TL_E_THROTTLED:
    case TL_E_QUOTA:
        if (whole)
            ep->blocked_until_us = now + pause;
        if (whole)
            ep->told_to_wait = reply->error.retry_after_ms > 0;
        break;
    case TL_E_AUTH:
        ep->blocked_until_us = now + SIGN_IN_PAUSE_US;
        ep->told_to_wait = false;
        inst->stale = true;
        break;
    case TL_E_CONFIG:
    case TL_E_BUG:
        inst->stale = inst->stale || whole;
        break;
    default:
        break;
    }
}

static void reply_move(struct reply *to, struct reply *from)
{
    reply_done(to);
    *to = *from;
    memset(from, 0, sizeof *from);
}

/* "pull of contact of endpoint "x" after 20 records ..." */
static void place_of(struct buf *out, const struct inst *inst, const struct call *call)
{
    if (!call) {
        buf_fmt(out, "a sign-in of endpoint \"%s\"", inst->endpoint->name);
        return;
    }
    call_place(out, call);
    buf_fmt(out, " of endpoint \"%s\"", inst->endpoint->name);
    call_progress(out, call);
}

static void late_words(struct buf *out, const struct inst *inst)
{
    const struct runtime_config *config = &inst->endpoint->connector->rt->config;
    if (inst->silent)
        buf_fmt(out, "it gave no sign of life for %lld s and did not heed being cancelled",
                (long long)(config->silence_us / 1000000));
    else
        buf_fmt(out, "it did not end within its deadline of %lld s and did not heed being cancelled",
                (long long)((inst->deadline_us - inst->started_us) / 1000000));
}

/* What a person reads of a call that was killed or given up. */
static void hang_error(const struct inst *inst, const struct call *call, tl_error *error)
{
    AUTO(buf_done) struct buf text = {.max = 1024};
    call_place(&text, call);
    buf_text_add(&text, " hangs: ");
    late_words(&text, inst);
    *error = (tl_error){.struct_size = sizeof *error, .scope = TL_SCOPE_ENDPOINT};
    snprintf(error->code, sizeof error->code, "PLUGIN_HANG");
    snprintf(error->text, sizeof error->text, "%.255s", buf_text(&text));
    codec_error_clean(error);
}

/* Whatever the engine makes of it, the log has what the connector said. */
static void tell_failure(struct endpoint *ep, const struct call *call)
{
    const struct reply *r = &call->reply;
    if (r->status == TL_OK || r->status == TL_E_CANCELLED || r->status == TL_E_CURSOR_LOST || r->crashed)
        return;
    AUTO(buf_done) struct buf ctx = {.max = 4096}, line = {.max = 2048};
    call_place(&line, call);
    buf_fmt(&line, ": %s: %s", status_name(r->status), r->error.text);
    if (r->error.code[0])
        buf_fmt(&line, " (%s)", r->error.code);
    int64_t now = rt_mono_us(ep->connector->rt);
    if (strcmp(buf_text(&line), ep->told) == 0 && now - ep->told_us < TELL_AGAIN_US)
        return;
    snprintf(ep->told, sizeof ep->told, "%s", buf_text(&line));
    ep->told_us = now;
    log_member(&ctx, "connector", ep->connector->name);
    log_member(&ctx, "endpoint", ep->name);
    log_line(LOG_WARN, buf_text(&ctx), "%s", buf_text(&line));
    if (r->error.detail[0])
        log_line(LOG_DEBUG, buf_text(&ctx), "%s", r->error.detail);
}

/* The call was given up before: its instance, back after all, is closed. */
static void inst_back(struct inst *inst)
{
    struct endpoint *ep = inst->endpoint;
    log_line(LOG_WARN, ep->connector->name, "a call of endpoint \"%s\" that was given up came back after %lld s",
             ep->name, (long long)((rt_mono_us(ep->connector->rt) - inst->started_us) / 1000000));
    slot_of(ep, inst->purpose)->n_lost--;
    reply_done(&inst->reply);
    inst->state = INST_IDLE;
    inst_close(inst);
    endpoint_moved(ep);
}

static void inst_ended(struct task *t)
{
    struct inst *inst = (struct inst *)(void *)((char *)t - offsetof(struct inst, task));
    struct endpoint *ep = inst->endpoint;
    struct connector *c = ep->connector;
    struct runtime *rt = c->rt;
    int64_t id = ep->id;
    struct call *call = inst->call;
    struct errand *errand = inst->errand;
    bool was_auth_failed = false;
    slot_of(ep, inst->purpose)->n_busy--;
    if (!call && !errand) {
        inst_back(inst);
        return;
    }
    AUTO(buf_done) struct buf place = {.max = 2048};
    if (call && !inst->worker)
        reply_move(&call->reply, &inst->reply);
    if (inst->gone)
        place_of(&place, inst, call);
    if (inst->gone && inst->hung) {
        buf_text_add(&place, ": ");
        late_words(&place, inst);
        if (call)
            hang_error(inst, call, &call->reply.error);
    }
    inst->call = NULL;
    inst->errand = NULL;
    inst->state = INST_IDLE;
    inst->idle_since_us = rt_mono_us(rt);
    if (call) {
        tell_failure(ep, call);
        learn(ep, inst, &call->reply);
        was_auth_failed = call->reply.status == TL_E_AUTH;
    } else if (errand->rc == TL_OK) {
        ep->blocked_until_us = 0;
    }
    if (inst->gone)
        cell_crashed(c, inst->cell == &ep->cell ? ep : NULL, inst->worker, buf_text(&place));
    if (inst->gone || inst->stale || !rt_endpoint_usable(ep) || ep->dirty || rt->stopping)
        inst_close(inst);
    if (was_auth_failed)
        rt_changed(rt, c, ep);

    if (call) {
        call->done(call);
    } else {
        errand->done(errand->arg, errand->rc, &errand->err);
        free(errand);
    }
    ep = rt_endpoint(rt, id); /* done() may have removed it */
    if (ep)
        endpoint_moved(ep);
}

static int64_t deadline_of(const struct call *c, const struct runtime *rt)
{
    int64_t wall = call_deadline(c), now = rt_mono_us(rt);
    return wall ? now + (wall - env_now_us(rt->config.env)) : now + rt->config.call_us;
}

static void inst_start(struct inst *inst, struct call *call, struct errand *errand)
{
    struct endpoint *ep = inst->endpoint;
    struct runtime *rt = ep->connector->rt;
    inst->state = INST_BUSY;
    inst->call = call;
    inst->errand = errand;
    inst->cancelled = inst->silent = inst->hung = false;
    inst->late_us = 0;
    inst->phase = PHASE_OPENING;
    inst->started_us = rt_mono_us(rt);
    inst->deadline_us = call ? deadline_of(call, rt) : rt_mono_us(rt) + rt->config.call_us;
    host_side_begin(inst->host);
    slot_of(ep, inst->purpose)->n_busy++;
    task_start(&inst->task, rt, ep->connector->pool, inst_work, inst_ended);
}

/* An idle instance, or a new one, or NULL when all are busy. */
static struct inst *free_inst(struct endpoint *ep, int32_t purpose)
{
    struct slot *slot = slot_of(ep, purpose);
    for (struct inst *i = slot->insts; i; i = i->next)
        if (i->state == INST_IDLE && !i->stale)
            return i;
    return slot->n_insts < slot->max ? inst_new(ep, purpose) : NULL;
}

static struct call *next_call(struct slot *slot)
{
    struct call *c = slot->queue;
    slot->queue = c->next;
    if (!slot->queue)
        slot->queue_tail = &slot->queue;
    slot->n_queued--;
    c->next = NULL;
    return c;
}

void rt_endpoint_pump(struct endpoint *ep)
{
    if (!rt_endpoint_queued(ep))
        return;
    struct connector *c = ep->connector;
    if (!rt_endpoint_usable(ep) || ep->dirty)
        return;
    struct cell *cell = rt_endpoint_cell(ep);
    struct endpoint *own = cell == &ep->cell ? ep : NULL; /* whose the cell is; NULL: the connector's */
    if (cell && !cell_ready(c, own)) {
        if (cell->down)
            rt_endpoint_fail_queued(ep, TL_E_TEMPORARY, "the connector crashed too often and stays down");
        else if (!cell->worker && !cell->starting && !cell->retry_us)
            cell_start(c, own);
        return;
    }
    struct inst *inst;
    while (ep->errands && (inst = free_inst(ep, TL_PURPOSE_LIVE))) {
        struct errand *errand = ep->errands;
        ep->errands = errand->next;
        inst_start(inst, NULL, errand);
    }
    for (int32_t purpose = 0; purpose < SLOTS; purpose++) {
        struct slot *slot = &ep->slots[purpose];
        while (slot->queue && (inst = free_inst(ep, purpose)))
            inst_start(inst, next_call(slot), NULL);
    }
}

void rt_connector_pump(struct connector *c)
{
    for (size_t i = 0; i < c->rt->n_endpoints; i++)
        if (c->rt->endpoints[i]->connector == c)
            rt_endpoint_pump(c->rt->endpoints[i]);
}

/* ---- cancelling, closing, time ---- */

static void inst_cancel(struct inst *inst)
{
    if (inst->cancelled)
        return;
    inst->cancelled = true;
    host_side_cancel(inst->host);
    if (inst->call)
        __atomic_store_n(&inst->call->cancelled, 1, __ATOMIC_RELAXED);
    struct remote *remote = __atomic_load_n(&inst->remote, __ATOMIC_ACQUIRE);
    if (remote)
        remote_cancel(remote);
}

void rt_endpoint_cancel_running(struct endpoint *ep, bool pushes_too)
{
    for (int i = 0; i < SLOTS; i++)
        for (struct inst *inst = ep->slots[i].insts; inst; inst = inst->next)
            if (inst->state == INST_BUSY && (pushes_too || !inst->call || !call_writes(inst->call)))
                inst_cancel(inst);
}

void rt_endpoint_close_instances(struct endpoint *ep)
{
    for (int i = 0; i < SLOTS; i++) {
        for (struct inst *inst = ep->slots[i].insts; inst; inst = inst->next) {
            inst->stale = true;
            if (inst->state == INST_IDLE)
                inst_close(inst);
        }
    }
}

/* In process a call cannot be cut. It ends for whoever waits for it, and its instance is not used again. */
static void give_up(struct inst *inst)
{
    struct endpoint *ep = inst->endpoint;
    struct connector *c = ep->connector;
    struct slot *slot = slot_of(ep, inst->purpose);
    AUTO(buf_done) struct buf place = {.max = 2048};
    place_of(&place, inst, inst->call);
    buf_text_add(&place, ": ");
    late_words(&place, inst);
    err_clear(&c->error);
    err_set(&c->error, TL_E_BUG, "connector \"%s\" hangs in %s", c->name, buf_text(&place));
    err_hint(&c->error, "in process a call cannot be cut: its instance is given up; restart the daemon, or isolate it");
    log_err(LOG_ERROR, c->name, &c->error);
    slot->n_lost++;
    int32_t opening = PHASE_OPENING;
    __atomic_compare_exchange_n(&inst->phase, &opening, PHASE_GIVEN_UP, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    struct call *call = take(inst->call);
    tl_error error;
    hang_error(inst, call, &error);
    call_fail(c->rt, call, call_lost_status(call), error.text);
    call->reply.error = error;
    call->reply.crashed = true;
    if (slot->n_lost >= slot->max)
        slot_fail_queued(c->rt, slot, TL_E_TEMPORARY, "a call of the connector hangs");
    rt_changed(c->rt, c, ep);
}

/* Late is past its deadline, or silent for too long: cancelled first, and a hang when that does not bring it back. */
static void inst_watch(struct inst *inst, int64_t now)
{
    const struct runtime_config *config = &inst->endpoint->connector->rt->config;
    bool silent = host_side_silent_us(inst->host, now) >= config->silence_us;
    if (!inst->late_us && (silent || now >= inst->deadline_us)) {
        inst->late_us = now;
        inst->silent = silent;
        inst_cancel(inst);
    }
    if (!inst->late_us || now < inst->late_us + KILL_GRACE_US || inst->hung)
        return;
    if (!inst->worker && !inst->call)
        return; /* a sign-in ends with its requests */
    if (!inst->worker && __atomic_load_n(&inst->phase, __ATOMIC_ACQUIRE) == PHASE_RUNNING)
        return; /* still being read: in a moment */
    inst->hung = true;
    if (inst->worker)
        worker_kill(inst->worker); /* the pool thread sees the end of the channel */
    else
        give_up(inst);
}

static void inst_tick(struct inst *inst, int64_t now)
{
    struct connector *c = inst->endpoint->connector;
    if (inst->state == INST_IDLE && now - inst->idle_since_us >= c->rt->config.idle_us)
        inst_close(inst);
    if (inst->state == INST_BUSY && (inst->call || inst->errand))
        inst_watch(inst, now);
}

void rt_endpoint_tick(struct endpoint *ep, int64_t now)
{
    for (int i = 0; i < SLOTS; i++)
        for (struct inst *inst = ep->slots[i].insts; inst; inst = inst->next)
            inst_tick(inst, now);
    if (ep->connector->isolation == ISOLATION_ENDPOINT)
        cell_tick(ep->connector, ep, now);
}

/* ---- the dispatcher ---- */

static void d_submit(void *ctx, struct call *call)
{
    struct runtime *rt = ctx;
    struct endpoint *ep = rt_endpoint(rt, call->endpoint);
    call->next = NULL;
    if (!ep || ep->removed) {
        call_fail(rt, call, TL_E_NOT_FOUND, "there is no such endpoint");
        return;
    }
    if (rt->stopping || ep->connector->ending.active) {
        call_fail(rt, call, TL_E_TEMPORARY, "the connector is being unloaded");
        return;
    }
    if (ep->error.status) {
        call_fail(rt, call, TL_E_CONFIG, ep->error.text);
        return;
    }
    if (!rt_endpoint_usable(ep)) {
        char text[128];
        snprintf(text, sizeof text, "connector \"%s\" is %s", ep->connector->name,
                 run_state_name(ep->connector->state));
        call_fail(rt, call, TL_E_TEMPORARY, text);
        return;
    }
    struct slot *slot = slot_of(ep, call->purpose);
    if (slot->n_lost >= slot->max) {
        call_fail(rt, call, TL_E_TEMPORARY, "a call of the connector hangs");
        return;
    }
    *slot->queue_tail = call;
    slot->queue_tail = &call->next;
    slot->n_queued++;
    rt_endpoint_pump(ep);
}

static int d_room(void *ctx, int64_t endpoint, int32_t purpose)
{
    struct runtime *rt = ctx;
    struct endpoint *ep = rt_endpoint(rt, endpoint);
    if (!ep || rt->stopping || !rt_endpoint_usable(ep) || ep->connector->state != RUN_RUNNING || ep->dirty)
        return 0;
    struct cell *cell = rt_endpoint_cell(ep);
    if (cell && (cell->down || cell->retry_us))
        return 0;
    if (ep->blocked_until_us > rt_mono_us(rt) || quota_board_blocked_until(&ep->quota, env_now_us(rt->config.env)))
        return 0;
    const struct slot *slot = slot_of(ep, purpose);
    uint32_t taken = slot->n_busy + slot->n_queued;
    return taken < slot->max ? (int)(slot->max - taken) : 0;
}

static uint32_t d_allowances(void *ctx, int64_t endpoint, struct allowance *out, uint32_t max)
{
    struct endpoint_quota told[QUOTAS_MAX];
    struct endpoint *ep = rt_endpoint(ctx, endpoint);
    uint32_t n = ep ? quota_board_copy(&ep->quota, told) : 0;
    for (uint32_t i = 0; i < n && i < max; i++) {
        out[i] = (struct allowance){.limit = told[i].limit,
                                    .remaining = told[i].remaining,
                                    .resets_us = told[i].resets_us,
                                    .told_us = told[i].told_us};
        memcpy(out[i].name, told[i].name, sizeof out[i].name);
    }
    return n < max ? n : max;
}

static bool unqueue(struct slot *slot, struct call *call)
{
    for (struct call **at = &slot->queue; *at; at = &(*at)->next) {
        if (*at != call)
            continue;
        *at = call->next;
        if (!*at)
            slot->queue_tail = at;
        slot->n_queued--;
        return true;
    }
    return false;
}

static void d_cancel(void *ctx, struct call *call)
{
    struct runtime *rt = ctx;
    struct endpoint *ep = rt_endpoint(rt, call->endpoint);
    if (!ep)
        return;
    struct slot *slot = slot_of(ep, call->purpose);
    if (unqueue(slot, call)) {
        call_fail(rt, call, TL_E_CANCELLED, "cancelled before it began");
        return;
    }
    for (struct inst *inst = slot->insts; inst; inst = inst->next)
        if (inst->call == call)
            inst_cancel(inst);
}

void dispatcher_init(struct runtime *rt)
{
    rt->dispatcher = (struct dispatcher){
        .ctx = rt, .submit = d_submit, .room = d_room, .allowances = d_allowances, .cancel = d_cancel};
}
