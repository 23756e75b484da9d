/* The deliveries of webhooks: see hook_listener.h. */
#include "hook_listener.h"

#include <stdlib.h>

#include "answer.h"
#include "app.h"
#include "hook_key.h"
#include "hook_queue.h"
#include "hook_targets.h"

enum { MAX_HOOK_HEADERS = 64 };

struct hook_listener {
    struct app *app;
    struct hook_queue *queue;
};

struct hook_listener *hook_listener_new(struct app *app)
{
    struct hook_listener *l = calloc(1, sizeof *l);
    ASSERT(l);
    l->app = app;
    l->queue = hook_queue_new(app->control, app->engine);
    return l;
}

struct hook_listener *hook_listener_free(struct hook_listener *l)
{
    if (l) {
        hook_queue_free(l->queue);
        free(l);
    }
    return NULL;
}

/* ---- one delivery ---- */

struct delivery {
    struct hook_arrived arrived;
    struct app *app;
    const struct hook_target *target; /* held */
    tl_hook_request request;
    str path_secret;
};

struct header_pairs {
    tl_pair items[MAX_HOOK_HEADERS];
    uint32_t n;
    struct arena *arena;
};

static enum MHD_Result add_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    struct header_pairs *h = cls;
    if (h->n == MAX_HOOK_HEADERS)
        return MHD_NO;
    str lower = arena_str(h->arena, str_of(name));
    for (uint64_t i = 0; i < lower.n; i++)
        if (lower.p[i] >= 'A' && lower.p[i] <= 'Z')
            ((char *)(uintptr_t)lower.p)[i] = (char)(lower.p[i] | 0x20); /* our own copy */
    h->items[h->n++] = (tl_pair){lower, str_of(value ? value : "")};
    return MHD_YES;
}

static void complain_refused(const struct hook_target *t, const struct err *e)
{
    struct err told = *e;
    err_wrap(&told, "a webhook delivery is refused");
    hook_complain(LOG_WARN, t, &told);
}

/* False: the vendor's keys must be fetched first. */
static bool verify(struct delivery *d, bool at_once)
{
    const struct hook_target *t = d->target;
    struct err e = {0};
    struct hook_rule rule = {.scheme = t->scheme,
                             .header = str_of(t->header),
                             .secret = buf_lent(&t->secret),
                             .issuer = buf_lent(&t->issuer),
                             .audience = buf_lent(&t->audience),
                             .keys = t->keys,
                             .at_once = at_once};
    int rc = hook_verify(&rule, &d->request, d->path_secret, d->app->env, &e);
    if (rc && at_once && strcmp(e.code, "KEYS_AWAITED") == 0)
        return false;
    if (rc)
        complain_refused(t, &e);
    d->arrived.refusal = rc == TL_OK ? 0 : rc == TL_E_TEMPORARY ? 503 : 403;
    d->arrived.delivery.refused = rc != TL_OK;
    return true;
}

static void verify_waiting(struct hook_arrived *arrived)
{
    (void)verify((struct delivery *)(void *)arrived, false);
}

/* 503: it is not stored; the vendor may send it again, and polling finds the change anyway. */
static int delivery_told(struct hook_arrived *arrived, const struct err *e)
{
    struct delivery *d = (struct delivery *)(void *)arrived;
    int status = arrived->refusal ? arrived->refusal : 200;
    if (status == 200 && e && e->status == E_PRECONDITION) {
        complain_refused(d->target, e);
        status = 403;
    } else if (status == 200 && e) {
        hook_complain(LOG_ERROR, d->target, e);
        status = 503;
    }
    hook_target_give(d->app->hooks, d->target);
    return status;
}

static void delivery_fill(struct delivery *d, struct request *rq)
{
    const struct hook_target *t = d->target;
    struct header_pairs *headers = arena_new(&rq->arena, struct header_pairs);
    headers->arena = &rq->arena;
    MHD_get_connection_values(rq->connection, MHD_HEADER_KIND, add_header, headers);
    d->request = (tl_hook_request){.struct_size = sizeof d->request,
                                   .n_headers = headers->n,
                                   .headers = headers->items,
                                   .method = rq->method,
                                   .query = rq->query,
                                   .body = rq->raw_body,
                                   .received_us = env_now_us(d->app->env)};
    d->arrived.delivery =
        (struct hook_delivery){.endpoint = t->endpoint,
                               .delivery_key = hook_key(t->key, str_of(t->delivery_id), &d->request, &rq->arena),
                               .method = rq->method,
                               .query = rq->query,
                               .headers = headers->items,
                               .n_headers = headers->n,
                               .body = rq->raw_body};
}

/* The thread that serves the connection waits for nobody: the answer follows from the control thread, and 0 says that t
 * belongs to the delivery. */
static int take_delivery(struct hook_listener *l, struct request *rq, const struct hook_target *t, str secret)
{
    size_t bytes = rq->raw_body.n + rq->query.n;
    if (!hook_queue_enter(l->queue, bytes)) {
        log_line(LOG_WARN, "hook", "a webhook delivery for \"%s\" is put off: too many wait to be stored", t->name);
        return 503;
    }
    struct delivery *d = arena_new(&rq->arena, struct delivery);
    *d = (struct delivery){.app = l->app,
                           .target = t,
                           .path_secret = secret,
                           .arrived = {.bytes = bytes, .verify = verify_waiting, .told = delivery_told}};
    delivery_fill(d, rq);
    bool verified = verify(d, true);
    d->arrived.held = request_hold(rq);
    if (verified)
        hook_queue_store(l->queue, &d->arrived);
    else
        hook_queue_verify(l->queue, &d->arrived);
    return 0;
}

/* ---- what came to an address ---- */

static bool is_a_test(struct app *app, const struct request *rq)
{
    str name, word = rq->query;
    return str_is(rq->method, "GET") && str_split(&word, '=', &name) && str_is(name, "tieline_test") &&
           hook_word_heard(app->hooks, word);
}

static int answer_target(struct hook_listener *l, struct request *rq, const struct hook_target *t, str secret)
{
    if (is_a_test(l->app, rq))
        return 200;
    if (str_in_list(str_of(t->methods), rq->method))
        return take_delivery(l, rq, t, secret);
    bool reads = str_is(rq->method, "GET") || str_is(rq->method, "HEAD");
    return reads && t->answers_get ? 200 : 405;
}

int hook_answer(void *listener, struct request *rq)
{
    struct hook_listener *l = listener;
    str rest = rq->path, part, name = {0}, secret = {0};
    bool ours = str_split(&rest, '/', &part) && part.n == 0 && str_split(&rest, '/', &part) && str_is(part, "hooks") &&
                str_split(&rest, '/', &name) && str_split(&rest, '/', &secret) && rest.n == 0 &&
                rq->path.p[rq->path.n - 1] != '/';
    const struct hook_target *t = ours ? hook_target_take(l->app->hooks, name, secret) : NULL;
    int status = t ? answer_target(l, rq, t, secret) : 404;
    if (!status)
        return MHD_YES;
    if (t)
        hook_target_give(l->app->hooks, t);
    return answer_words(rq->connection, status, status == 200 ? "ok\n" : "no\n");
}
