#include "worker.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "call_type.h"
#include "codec.h"
#include "confine.h"
#include "instance.h"
#include "wire.h"
#include "worker_fault.h"

enum { INSTANCE_STACK = 1 << 20, REST_MS = 1000, GRANTS_MAX = 4096 };

struct worker_state {
    struct channel control;
    struct module *module;
    pthread_mutex_t lock; /* guards the list and its count */
    pthread_cond_t ended;
    struct worker_instance *instances;
    unsigned n;
};

/* ---- one instance ---- */

static void send_status(struct worker_instance *w, uint16_t type, uint64_t call, tl_status s, const tl_error *error)
{
    wire_put_status(&w->out, s, error);
    worker_send(w, type, call, &w->out);
    buf_clear(&w->out);
}

static void run_open(struct worker_instance *w, struct instance **instance, const struct frame *f)
{
    AUTO(arena_done) struct arena arena = {0};
    struct decoder d = decoder_of(f->body, &arena, true);
    tl_open open;
    wire_get_open(&d, &open);
    tl_error error = {.struct_size = sizeof error};
    tl_status s = TL_E_BUG;
    struct services services;
    worker_services(w, &services);
    if (decoder_ended(&d) && !*instance)
        s = instance_open(instance, w->module, &services, &open, &error);
    send_status(w, FRAME_OPENED, 0, s, &error);
}

/* False: a frame that is none. */
static bool run_call(struct worker_instance *w, struct instance *instance, const struct frame *f)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf own = {.max = FRAME_MAX};
    buf_str(&own, f->body); /* the request must outlive the frames read inside the call */
    struct decoder d = decoder_of(buf_lent(&own), &arena, true);
    uint32_t kind = dec_u32(&d);
    int64_t now_us = dec_i64(&d);
    tl_str request = dec_bytes(&d);
    if (!decoder_ended(&d) || !call_type(kind) || !instance)
        return false;
    w->clock_offset_us = now_us - worker_mono_us();
    __atomic_store_n(&w->call_id, f->call, __ATOMIC_RELAXED);
    struct reply reply = {.status = TL_OK};
    instance_run(instance, (enum call_kind)kind, request, true, &reply);
    __atomic_store_n(&w->call_id, 0, __ATOMIC_RELAXED);
    reply_done(&reply);
    send_status(w, FRAME_DONE, f->call, reply.status, &reply.error);
    return true;
}

/* A worker is idle most of its life: what a bulk took goes back to the system once nothing more comes. */
static void rest(struct worker_instance *w, struct instance *instance)
{
    size_t max = w->out.max;
    buf_done(&w->out);
    w->out = (struct buf){.max = max};
    arena_done(&w->answer);
    channel_rest(&w->channel);
    if (instance)
        instance_rest(instance);
    malloc_trim(0);
}

static void serve_instance(struct worker_instance *w)
{
    struct instance *instance = NULL;
    struct err e = {0};
    struct frame f;
    bool open = true, rested = false;
    while (open && !w->gone) {
        if (!rested && channel_quiet(&w->channel, REST_MS)) {
            rest(w, instance);
            rested = true;
        }
        if (channel_read(&w->channel, &f, -1, &e) != TL_OK)
            break;
        switch (f.type) {
        case FRAME_OPEN:
            run_open(w, &instance, &f);
            break;
        case FRAME_CALL:
            open = run_call(w, instance, &f);
            rested = false;
            break;
        case FRAME_CLOSE:
            instance = instance_close(instance);
            buf_clear(&w->out);
            worker_send(w, FRAME_CLOSED, 0, &w->out);
            open = false;
            break;
        case FRAME_ASK_VERDICT: /* asked outside of a call: while the host signs in for another */
        case FRAME_ASK_TOKEN_ERROR:
            worker_answer_verdict(w, &f);
            break;
        default:
            open = false;
        }
    }
    w->gone = true; /* close() may still log */
    instance_close(instance);
}

struct thread_start {
    struct worker_state *state;
    struct worker_instance *instance;
};

static void instance_done(struct worker_instance *w)
{
    channel_done(&w->channel);
    arena_done(&w->answer);
    buf_done(&w->out);
    pthread_cond_destroy(&w->sleep_cond);
    pthread_mutex_destroy(&w->sleep_lock);
    pthread_mutex_destroy(&w->write_lock);
    free(w);
}

static void *instance_main(void *arg)
{
    struct thread_start start = *(struct thread_start *)arg;
    free(arg);
    void *stack = worker_fault_stack();
    serve_instance(start.instance);
    worker_fault_stack_drop(stack);
    struct worker_state *s = start.state;
    pthread_mutex_lock(&s->lock);
    struct worker_instance **at = &s->instances;
    while (*at != start.instance)
        at = &(*at)->next;
    *at = start.instance->next;
    instance_done(start.instance);
    s->n--;
    pthread_cond_signal(&s->ended);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static struct worker_instance *instance_new(struct worker_state *s, uint64_t id, int fd)
{
    struct worker_instance *w = calloc(1, sizeof *w);
    ASSERT(w);
    w->id = id;
    w->module = s->module;
    w->out.max = FRAME_MAX;
    channel_init(&w->channel, fd, false);
    pthread_mutex_init(&w->write_lock, NULL);
    pthread_mutex_init(&w->sleep_lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->sleep_cond, &attr);
    pthread_condattr_destroy(&attr);
    return w;
}

static void start_instance(struct worker_state *s, uint64_t id, int fd)
{
    struct worker_instance *w = instance_new(s, id, fd);
    struct thread_start *start = malloc(sizeof *start);
    ASSERT(start);
    *start = (struct thread_start){s, w};
    pthread_mutex_lock(&s->lock);
    w->next = s->instances;
    s->instances = w;
    s->n++;
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, INSTANCE_STACK);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    if (pthread_create(&thread, &attr, instance_main, start)) {
        s->instances = w->next;
        s->n--;
        instance_done(w); /* the host sees the end of the channel */
        free(start);
    }
    pthread_attr_destroy(&attr);
    pthread_mutex_unlock(&s->lock);
}

/* ---- the control channel ---- */

static void cancel_instance(struct worker_state *s, uint64_t id, uint64_t call)
{
    pthread_mutex_lock(&s->lock);
    for (struct worker_instance *w = s->instances; w; w = w->next)
        if (w->id == id)
            worker_cancel(w, call);
    pthread_mutex_unlock(&s->lock);
}

/* What the host asked for; lent by arena. */
struct hello {
    const char *id;
    struct confine_wish cell;
};

static bool read_hello(struct hello *h, const struct frame *f, struct arena *arena)
{
    struct decoder d = decoder_of(f->body, arena, true);
    h->cell.module = dec_text(&d);
    h->id = dec_text(&d);
    h->cell.memory = dec_u64(&d);
    uint32_t n = dec_count(&d, 1);
    if (d.bad || n > GRANTS_MAX)
        return false;
    const char **dirs = arena_array(arena, const char *, n);
    for (uint32_t i = 0; i < n; i++)
        dirs[i] = dec_text(&d);
    h->cell.dirs = dirs;
    h->cell.n_dirs = n;
    return h->cell.module && h->id && decoder_ended(&d);
}

/* The listener goes to the host, and may not stay here: who has it answers what is refused. */
static int tell_confinement(struct worker_state *s, const struct confinement *c, int listener, struct err *e)
{
    AUTO(buf_done) struct buf b = {.max = 64};
    enc_u64(&b, c->landlock);
    enc_u64(&b, c->listens);
    int rc = channel_write_fd(&s->control, FRAME_CONFINED, 0, buf_lent(&b), listener, e);
    if (listener >= 0)
        close(listener);
    return rc;
}

static int load(struct worker_state *s, const struct hello *h, struct err *e)
{
    struct confinement c;
    int listener = -1;
    worker_fault_init(h->cell.module, h->id);
    int rc = confine(&h->cell, &c, &listener, e);
    if (!rc)
        rc = tell_confinement(s, &c, listener, e);
    if (!rc)
        rc = module_open(&s->module, h->cell.module, h->id, e);
    if (!rc)
        worker_fault_loaded();
    return rc ? rc : confine_loaded(&h->cell, &c, e);
}

static bool hello(struct worker_state *s)
{
    struct err e = {0};
    struct frame f;
    AUTO(arena_done) struct arena arena = {0};
    struct hello h;
    if (channel_read(&s->control, &f, -1, &e) || f.type != FRAME_HELLO || !read_hello(&h, &f, &arena))
        return false;
    int rc = load(s, &h, &e);
    AUTO(buf_done) struct buf b = {.max = FRAME_MAX};
    if (rc)
        wire_put_err(&b, &e);
    else
        manifest_encode(&b, s->module->manifest);
    return channel_write(&s->control, rc ? FRAME_REFUSED : FRAME_READY, 0, buf_lent(&b), &e) == TL_OK && !rc;
}

/* True when told to end; false when the daemon is gone. */
static bool serve_control(struct worker_state *s)
{
    struct err e = {0};
    struct frame f;
    while (channel_read(&s->control, &f, -1, &e) == TL_OK) {
        if (f.type == FRAME_BYE)
            return true;
        AUTO(arena_done) struct arena arena = {0};
        struct decoder d = decoder_of(f.body, &arena, true);
        uint64_t id = dec_u64(&d);
        if (d.bad || (f.fd >= 0) != (f.type == FRAME_INSTANCE))
            return false;
        if (f.type == FRAME_INSTANCE)
            start_instance(s, id, f.fd);
        else if (f.type == FRAME_CANCEL)
            cancel_instance(s, id, f.call);
    }
    return false;
}

int worker_main(int control_fd)
{
    mallopt(M_ARENA_MAX, 1);          /* instances wait most of their time, and each pool has memory that lies idle */
    setvbuf(stdout, NULL, _IOLBF, 0); /* the host logs lines; a crash must not lose them */
    struct worker_state s = {.n = 0};
    channel_init(&s.control, control_fd, true);
    pthread_mutex_init(&s.lock, NULL);
    pthread_cond_init(&s.ended, NULL);
    int status = 0;
    if (hello(&s)) {
        if (!serve_control(&s))
            _exit(0); /* the host is gone: nobody waits for a clean end, and a call may hang */
        pthread_mutex_lock(&s.lock);
        while (s.n)
            pthread_cond_wait(&s.ended, &s.lock);
        pthread_mutex_unlock(&s.lock);
        if (s.module->connector.unload)
            s.module->connector.unload();
    } else {
        status = 1;
    }
    /* The code stays mapped: detached threads may still be on their last instructions, and the process ends now. */
    fflush(NULL);
    _exit(status);
}
