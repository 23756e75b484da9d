/* The hook listener: verifies a delivery by the scheme its connector declares, has it stored durably (hook_queue.h),
 * answers 200. It never waits for a connector; what a delivery means is read later. Serves only /hooks/NAME/SECRET, and
 * never answers 410, which vendors take as "unsubscribe for good". */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin.h"
#include "app.h"
#include "endpoints.h"
#include "hook_key.h"
#include "hook_queue.h"
#include "hook_verify.h"
#include "hooks.h"
#include "log.h"
#include <microhttpd.h>

enum { MAX_HOOK_HEADERS = 64 };

struct hook_target {
    struct hook_target *next;
    char *name;
    int64_t endpoint;
    struct buf secret, issuer, audience;
    char *header, *delivery_id, *methods;
    int32_t scheme, key;
    bool answers_get;
    struct jwks *keys;
};

static void complain(enum log_level level, const struct hook_target *t, const struct err *e)
{
    AUTO(buf_done) struct buf ctx = {.max = 4096};
    log_member(&ctx, "endpoint", t->name);
    log_err(level, buf_text(&ctx), e);
}

/* One generation of targets. Deliveries under way keep theirs: the next one may be made before they are answered. */
struct generation {
    int refs; /* guarded by hook_targets.lock */
    struct hook_target *first;
    char *public_url; /* without the last slashes; "" when there is none */
};

struct hook_targets {
    pthread_mutex_t lock; /* guards what follows, and every refs */
    struct generation *now;
    struct hook_word *words; /* awaited; their owners wait */
};

static void target_free(struct hook_target *t)
{
    while (t) {
        struct hook_target *next = t->next;
        text_free(t->name);
        text_free(t->header);
        text_free(t->delivery_id);
        text_free(t->methods);
        buf_wipe(&t->secret);
        buf_done(&t->issuer);
        buf_done(&t->audience);
        jwks_free(t->keys);
        free(t);
        t = next;
    }
}

struct hook_targets *hook_targets_new(void)
{
    struct hook_targets *t = calloc(1, sizeof *t);
    ASSERT(t);
    pthread_mutex_init(&t->lock, NULL);
    t->now = calloc(1, sizeof *t->now);
    ASSERT(t->now);
    t->now->refs = 1;
    t->now->public_url = text_dup("");
    return t;
}

/* g NULL: the one that holds now. */
static struct generation *generation_keep(struct hook_targets *t, struct generation *g)
{
    pthread_mutex_lock(&t->lock);
    g = g ? g : t->now;
    g->refs++;
    pthread_mutex_unlock(&t->lock);
    return g;
}

static struct generation *generation_take(struct hook_targets *t)
{
    return generation_keep(t, NULL);
}

static void generation_give(struct hook_targets *t, struct generation *g)
{
    pthread_mutex_lock(&t->lock);
    bool last = --g->refs == 0;
    pthread_mutex_unlock(&t->lock);
    if (last) {
        target_free(g->first);
        text_free(g->public_url);
        free(g);
    }
}

struct hook_targets *hook_targets_free(struct hook_targets *t)
{
    if (t) {
        generation_give(t, t->now);
        pthread_mutex_destroy(&t->lock);
        free(t);
    }
    return NULL;
}

/* Keys that were fetched for the generation before stay known. [control] */
static struct jwks *keys_of(struct app *app, const struct hook_target *t, str url)
{
    struct http_allow *allow = runtime_endpoint_allow(app->runtime, t->endpoint);
    for (const struct hook_target *old = app->hooks->now->first; old; old = old->next) {
        struct jwks *same = old->endpoint == t->endpoint ? jwks_share(old->keys, allow, url) : NULL;
        if (same)
            return same;
    }
    return jwks_new(app->http, allow, app->env, url);
}

/* What the store knows of this endpoint's subscription and identity. */
static void fill_from_store(struct app *app, struct hook_target *t, const struct manifest *m)
{
    AUTO(arena_done) struct arena a = {0};
    struct err e = {0};
    struct webhook row;
    struct endpoint endpoint = {0};
    if (webhook_ensure(app->db, t->endpoint, &t->secret, &e))
        complain(LOG_ERROR, t, &e);
    if (webhook_get(app->db, &a, t->endpoint, &row, NULL) == TL_OK)
        buf_str(&t->audience, row.audience);
    (void)endpoint_get(app->db, &a, t->endpoint, &endpoint, NULL);
    struct auth *auth = runtime_endpoint_auth(app->runtime, t->endpoint);
    if (!auth || m->webhook->scheme != TL_HOOK_JWT_RS256)
        return;
    AUTO(buf_done) struct buf url = {.max = 4096};
    if (m->webhook->issuer && endpoint.org_key.n &&
        auth_fill(auth, m->webhook->issuer, endpoint.org_key, &t->issuer, &e))
        buf_clear(&t->issuer);
    if (m->webhook->jwks_url && auth_fill(auth, m->webhook->jwks_url, endpoint.org_key, &url, &e) == TL_OK)
        t->keys = keys_of(app, t, buf_lent(&url));
}

static char *public_url_of(const struct config *c)
{
    str url = str_of(config_get(c, "hooks", "public_url"));
    while (url.n && url.p[url.n - 1] == '/')
        url.n--;
    return str_dup(url);
}

void hook_targets_refresh(struct app *app)
{
    if (!app->hooks)
        return;
    struct generation *next = calloc(1, sizeof *next);
    ASSERT(next);
    next->refs = 1;
    next->public_url = public_url_of(app->config);
    for (const struct config_section *s = app->config->sections; s; s = s->next) {
        struct endpoint_info info;
        int64_t id = strcmp(s->type, "endpoint") == 0 ? setup_endpoint_id(app, s->name) : 0;
        if (!id || !runtime_endpoint_info(app->runtime, id, &info) || !info.manifest || !info.manifest->webhook)
            continue;
        const tl_webhook *w = info.manifest->webhook;
        struct hook_target *t = calloc(1, sizeof *t);
        ASSERT(t);
        *t = (struct hook_target){.next = next->first,
                                  .name = text_dup(s->name),
                                  .endpoint = id,
                                  .scheme = w->scheme,
                                  .header = w->header ? text_dup(w->header) : NULL,
                                  .delivery_id = w->delivery_id ? text_dup(w->delivery_id) : NULL,
                                  .methods = text_dup(w->methods),
                                  .key = w->key,
                                  .answers_get = w->answers_get != 0};
        fill_from_store(app, t, info.manifest);
        next->first = t;
    }
    pthread_mutex_lock(&app->hooks->lock);
    struct generation *old = app->hooks->now;
    app->hooks->now = next;
    pthread_mutex_unlock(&app->hooks->lock);
    generation_give(app->hooks, old);
}

void hook_subscribe(struct app *app)
{
    struct generation *g = generation_take(app->hooks);
    for (const struct hook_target *t = g->first; t; t = t->next) {
        AUTO(buf_done) struct buf url = {.max = 4096};
        struct err e = {0};
        if (*g->public_url && hook_url(app, t->name, &url, &e) == TL_OK)
            (void)admin_hook_url(app->engine, t->name, buf_text(&url), &e);
        else if (!*g->public_url)
            (void)admin_hook_url(app->engine, t->name, NULL, &e);
        if (e.status)
            complain(LOG_WARN, t, &e);
    }
    generation_give(app->hooks, g);
}

int hook_url(struct app *app, const char *endpoint, struct buf *out, struct err *e)
{
    int rc = err_set(e, TL_E_NOT_FOUND, "endpoint \"%s\" takes no webhooks, or its connector is not loaded", endpoint);
    struct generation *g = generation_take(app->hooks);
    for (const struct hook_target *t = g->first; t; t = t->next)
        if (strcmp(t->name, endpoint) == 0) {
            buf_fmt(out, "%s/hooks/%s/%s", g->public_url, t->name, buf_text(&t->secret));
            err_clear(e);
            rc = TL_OK;
        }
    generation_give(app->hooks, g);
    return rc;
}

/* ---- one delivery ---- */

struct delivery {
    struct hook_arrived arrived;
    struct app *app;
    struct generation *generation; /* kept: the target is of it */
    const struct hook_target *target;
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
    complain(LOG_WARN, t, &told);
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
        complain(LOG_ERROR, d->target, e);
        status = 503;
    }
    generation_give(d->app->hooks, d->generation);
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

/* The thread that serves the connection waits for nobody: the answer follows from the control thread. */
static int take_delivery(struct request *rq, struct generation *g, const struct hook_target *t, str secret)
{
    struct app *app = rq->app;
    size_t bytes = rq->raw_body.n + rq->query.n;
    if (!hook_queue_enter(app->hook_queue, bytes)) {
        log_line(LOG_WARN, "hook", "a webhook delivery for \"%s\" is put off: too many wait to be stored", t->name);
        return 503;
    }
    struct delivery *d = arena_new(&rq->arena, struct delivery);
    *d = (struct delivery){.app = app,
                           .generation = generation_keep(app->hooks, g),
                           .target = t,
                           .path_secret = secret,
                           .arrived = {.bytes = bytes, .verify = verify_waiting, .told = delivery_told}};
    delivery_fill(d, rq);
    bool verified = verify(d, true);
    d->arrived.held = request_hold(rq);
    if (verified)
        hook_queue_store(app->hook_queue, &d->arrived);
    else
        hook_queue_verify(app->hook_queue, &d->arrived);
    return 0;
}

/* ---- a test of the address ---- */

void hook_word_await(struct app *app, struct hook_word *w)
{
    uint8_t bytes[sizeof w->text / 2];
    app->env->random(app->env->self, bytes, sizeof bytes);
    *w = (struct hook_word){0};
    sodium_bin2hex(w->text, sizeof w->text, bytes, sizeof bytes);
    pthread_mutex_lock(&app->hooks->lock);
    w->next = app->hooks->words;
    app->hooks->words = w;
    pthread_mutex_unlock(&app->hooks->lock);
}

bool hook_word_arrived(struct app *app, struct hook_word *w)
{
    pthread_mutex_lock(&app->hooks->lock);
    struct hook_word **at = &app->hooks->words;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    pthread_mutex_unlock(&app->hooks->lock);
    return w->arrived;
}

static bool is_a_test(struct app *app, const struct request *rq)
{
    str name, word = rq->query;
    bool found = false;
    if (!str_is(rq->method, "GET") || !str_split(&word, '=', &name) || !str_is(name, "tieline_test"))
        return false;
    pthread_mutex_lock(&app->hooks->lock);
    for (struct hook_word *w = app->hooks->words; w; w = w->next)
        if (str_is(word, w->text))
            w->arrived = found = true;
    pthread_mutex_unlock(&app->hooks->lock);
    return found;
}

static bool comes_by(const struct hook_target *t, str method)
{
    for (str rest = str_of(t->methods), one; str_split(&rest, ',', &one);)
        if (str_eq(one, method))
            return true;
    return false;
}

int hook_answer(struct request *rq, const char **text)
{
    str rest = rq->path, part, name = {0}, secret = {0};
    bool ours = str_split(&rest, '/', &part) && part.n == 0 && str_split(&rest, '/', &part) && str_is(part, "hooks") &&
                str_split(&rest, '/', &name) && str_split(&rest, '/', &secret) && rest.n == 0 &&
                rq->path.p[rq->path.n - 1] != '/';
    int status = 404;
    struct generation *g = generation_take(rq->app->hooks);
    for (const struct hook_target *t = ours ? g->first : NULL; t; t = t->next) {
        if (!str_is(name, t->name) || secret.n != t->secret.n || sodium_memcmp(secret.p, t->secret.p, t->secret.n) != 0)
            continue;
        if (is_a_test(rq->app, rq))
            status = 200;
        else if (comes_by(t, rq->method))
            status = take_delivery(rq, g, t, secret);
        else if (str_is(rq->method, "GET") || str_is(rq->method, "HEAD"))
            status = t->answers_get ? 200 : 405;
        else
            status = 405;
        break;
    }
    generation_give(rq->app->hooks, g);
    *text = status == 200 ? "ok\n" : "no\n";
    return status;
}
