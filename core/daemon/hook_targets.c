/* Which endpoints take hooks, and where: see hook_targets.h. */
#include "hook_targets.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

#include "admin.h"
#include "app.h"
#include "endpoints.h"
#include "hooks.h"
#include "log.h"
#include "setup.h"

/* One generation of targets. Deliveries under way keep theirs: the next one may be made before they are answered. */
struct hook_generation {
    int refs; /* guarded by hook_targets.lock */
    struct hook_target *first;
    char *public_url; /* without the last slashes; "" when there is none */
};

struct hook_targets {
    pthread_mutex_t lock; /* guards what follows, and every refs */
    struct hook_generation *now;
    struct hook_word *words; /* awaited; their owners wait */
};

void hook_complain(enum log_level level, const struct hook_target *t, const struct err *e)
{
    AUTO(buf_done) struct buf ctx = {.max = 4096};
    log_member(&ctx, "endpoint", t->name);
    log_err(level, buf_text(&ctx), e);
}

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

static struct hook_generation *generation_take(struct hook_targets *t)
{
    pthread_mutex_lock(&t->lock);
    struct hook_generation *g = t->now;
    g->refs++;
    pthread_mutex_unlock(&t->lock);
    return g;
}

static void generation_give(struct hook_targets *t, struct hook_generation *g)
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
        hook_complain(LOG_ERROR, t, &e);
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
    struct hook_generation *next = calloc(1, sizeof *next);
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
                                  .generation = next,
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
    struct hook_generation *old = app->hooks->now;
    app->hooks->now = next;
    pthread_mutex_unlock(&app->hooks->lock);
    generation_give(app->hooks, old);
}

void hook_subscribe(struct app *app)
{
    struct hook_generation *g = generation_take(app->hooks);
    for (const struct hook_target *t = g->first; t; t = t->next) {
        AUTO(buf_done) struct buf url = {.max = 4096};
        struct err e = {0};
        if (*g->public_url && hook_url(app, t->name, &url, &e) == TL_OK)
            (void)admin_hook_url(app->engine, t->name, buf_text(&url), &e);
        else if (!*g->public_url)
            (void)admin_hook_url(app->engine, t->name, NULL, &e);
        if (e.status)
            hook_complain(LOG_WARN, t, &e);
    }
    generation_give(app->hooks, g);
}

int hook_url(struct app *app, const char *endpoint, struct buf *out, struct err *e)
{
    int rc = err_set(e, TL_E_NOT_FOUND, "endpoint \"%s\" takes no webhooks, or its connector is not loaded", endpoint);
    struct hook_generation *g = generation_take(app->hooks);
    for (const struct hook_target *t = g->first; t; t = t->next)
        if (strcmp(t->name, endpoint) == 0) {
            buf_fmt(out, "%s/hooks/%s/%s", g->public_url, t->name, buf_text(&t->secret));
            err_clear(e);
            rc = TL_OK;
        }
    generation_give(app->hooks, g);
    return rc;
}

const struct hook_target *hook_target_take(struct hook_targets *targets, str name, str secret)
{
    struct hook_generation *g = generation_take(targets);
    for (const struct hook_target *t = g->first; t; t = t->next)
        if (str_is(name, t->name) && secret.n == t->secret.n && sodium_memcmp(secret.p, t->secret.p, secret.n) == 0)
            return t;
    generation_give(targets, g);
    return NULL;
}

void hook_target_give(struct hook_targets *targets, const struct hook_target *t)
{
    generation_give(targets, t->generation);
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

bool hook_word_heard(struct hook_targets *targets, str word)
{
    bool awaited = false;
    pthread_mutex_lock(&targets->lock);
    for (struct hook_word *w = targets->words; w; w = w->next)
        if (str_is(word, w->text))
            w->arrived = awaited = true;
    pthread_mutex_unlock(&targets->lock);
    return awaited;
}
