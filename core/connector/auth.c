/* The authorisation of one endpoint: when to sign in, who waits for whom, what is kept. */
#include "auth.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auth_int.h"
#include "log.h"
#include "seal.h"
#include "times.h"

static const int64_t refresh_window_us = 600 * US_PER_S;
static const int64_t failed_retry_us = 900 * US_PER_S;
static const int64_t trouble_retry_us = 10 * US_PER_S; /* at most; a vendor that is back is noticed soon */
/* Doubled each time in a row, up to what the limit of sign-ins leaves room for. */
static const int64_t rejected_retry_us = 10 * US_PER_S;
static const struct auth_grant no_grant = {0};

/* --- options --- */

static void options_free(struct option_value *options, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        explicit_bzero(options[i].value, strlen(options[i].value));
        text_free(options[i].name);
        text_free(options[i].value);
    }
    free(options);
}

static struct option_value *options_copy(const tl_pair *from, uint32_t n)
{
    struct option_value *o = calloc(n ? n : 1, sizeof *o);
    ASSERT(o);
    for (uint32_t i = 0; i < n; i++) {
        o[i].name = str_dup(from[i].name);
        o[i].value = str_dup(from[i].value);
    }
    return o;
}

/* --- state; the lock is held --- */

static void set_state(struct auth *a, enum auth_state state, int status, const char *words, const char *hint)
{
    if (a->state != state)
        a->since_us = env_now_us(a->env);
    a->state = state;
    a->state_status = status;
    snprintf(a->words, sizeof a->words, "%.255s", words);
    snprintf(a->hint, sizeof a->hint, "%.255s", hint);
}

/* Nothing is known against the tokens there are. */
static void calm(struct auth *a)
{
    a->refused = false;
    a->n_troubled = 0;
    a->troubled_us = 0;
}

static void hint_to_begin(const struct auth *a, struct err *e)
{
    if (a->spec->authorize_url)
        err_hint(e,
                 "run: tieline endpoint auth %s, and sign in with a browser; or set what is missing in [endpoint %s]",
                 a->endpoint, a->endpoint);
    else if (flow_takes_code(a))
        err_hint(e,
                 "run: tieline endpoint auth %s --code, with a grant code from the vendor's console; or set what is "
                 "missing in [endpoint %s]",
                 a->endpoint, a->endpoint);
    else
        err_hint(e, "set what is missing in [endpoint %s]", a->endpoint);
}

static void set_from_flow(struct auth *a)
{
    AUTO(buf_done) struct buf missing = {0};
    const struct auth_flow *f = flow_choose(a, &no_grant, &missing);
    snprintf(a->flow, sizeof a->flow, "%s", f ? f->name : "");
    if (f) {
        set_state(a, AUTH_NONE, TL_OK, "not signed in yet", "");
        return;
    }
    AUTO(text_free) char *words = text_fmt("nothing to sign in with: %s", buf_text(&missing));
    struct err e = {0};
    hint_to_begin(a, &e);
    set_state(a, AUTH_NONE, TL_E_CONFIG, words, e.hint);
}

const char *auth_state_name(enum auth_state s)
{
    switch (s) {
    case AUTH_NOT_NEEDED:
        return "not-needed";
    case AUTH_NONE:
        return "not-signed-in";
    case AUTH_OK:
        return "ok";
    case AUTH_EXPIRING:
        return "expiring";
    case AUTH_WAITING:
        return "waiting";
    case AUTH_FAILED:
        return "needs-sign-in";
    }
    return "unknown";
}

/* Between 60 and 300 s before the end, less for short-lived tokens. */
static int64_t early_us(const struct tokens *t)
{
    int64_t early = t->lifetime_us / 10;
    if (early < 60 * US_PER_S)
        early = 60 * US_PER_S;
    if (early > 300 * US_PER_S)
        early = 300 * US_PER_S;
    return early > t->lifetime_us / 2 ? t->lifetime_us / 2 : early;
}

enum freshness { FRESH, DUE, DEAD };

static enum freshness token_freshness(const struct auth *a)
{
    int64_t now = env_now_us(a->env);
    if (!a->tokens.access.n || now >= a->tokens.expires_us)
        return DEAD;
    return now >= a->tokens.expires_us - early_us(&a->tokens) ? DUE : FRESH;
}

/* A sign-in that meets trouble is told as such, not as the sign-in that went well before. The lock is held. */
static void tell_trouble(const struct auth *a, struct auth_status *out)
{
    int64_t wait = a->retry_at - env_mono_us(a->env);
    if (wait > 0 && (a->troubled_us || a->state == AUTH_FAILED))
        out->retry_us = env_now_us(a->env) + wait;
    if (a->state == AUTH_FAILED)
        return;
    bool usable = !a->unsaved && !a->refused && token_freshness(a) != DEAD;
    if (!a->troubled_us && a->refused) {
        out->state = AUTH_EXPIRING;
        snprintf(out->words, sizeof out->words, "the vendor calls the access token expired");
    } else if (a->troubled_us) {
        if (!usable)
            out->state = AUTH_WAITING;
        out->since_us = usable ? out->since_us : a->troubled_us;
        snprintf(out->words, sizeof out->words, "%s%.200s", usable ? "signed in; the last refresh failed: " : "",
                 a->last.text);
        snprintf(out->hint, sizeof out->hint, "it is tried again by itself; at once with: tieline endpoint auth %.64s",
                 a->endpoint);
    }
}

void auth_status_get(struct auth *a, struct auth_status *out)
{
    *out = (struct auth_status){.state = AUTH_NOT_NEEDED};
    if (!a->spec)
        return;
    pthread_mutex_lock(&a->lock);
    out->state = a->state;
    if (a->state == AUTH_OK && token_freshness(a) != FRESH)
        out->state = AUTH_EXPIRING;
    out->status = a->state_status;
    out->expires_us = a->tokens.access.n && !a->refused ? a->tokens.expires_us : 0;
    out->since_us = a->since_us;
    memcpy(out->flow, a->flow, sizeof out->flow);
    memcpy(out->words, a->words, sizeof out->words);
    memcpy(out->hint, a->hint, sizeof out->hint);
    tell_trouble(a, out);
    pthread_mutex_unlock(&a->lock);
}

/* --- making and unmaking --- */

static int load_kept(struct auth *a, struct err *e)
{
    if (!a->store.load)
        return TL_OK;
    AUTO(buf_wipe) struct buf kept = {0};
    int rc = a->store.load(a->store.ctx, &kept, e);
    if (rc == TL_E_NOT_FOUND) {
        err_clear(e);
        return TL_OK;
    }
    if (rc)
        return err_wrap(e, "tokens of endpoint \"%s\"", a->endpoint);
    if (kept.n && !tokens_decode(&a->tokens, buf_lent(&kept)))
        log_line(LOG_DEBUG, NULL, "kept tokens have another format, signing in anew endpoint=%s", a->endpoint);
    return TL_OK;
}

/* A kept access token counts only for the options it was obtained with. */
static void drop_foreign_access(struct auth *a)
{
    uint8_t options[16];
    auth_options_hash(a, options);
    if (a->tokens.access.n && memcmp(options, a->tokens.options, sizeof options) != 0)
        buf_wipe(&a->tokens.access);
}

static void adopt_kept(struct auth *a)
{
    drop_foreign_access(a);
    log_secret_add(buf_lent(&a->tokens.access));
    log_secret_add(buf_lent(&a->tokens.refresh));
    set_from_flow(a);
    if (a->tokens.access.n) {
        a->generation++;
        set_state(a, AUTH_OK, TL_OK, "signed in", "");
    }
}

static void cond_init_mono(pthread_cond_t *c)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(c, &attr);
    pthread_condattr_destroy(&attr);
}

int auth_new(struct auth **out, const struct auth_config *config, struct err *e)
{
    AUTO(auth_free) struct auth *a = calloc(1, sizeof *a);
    ASSERT(a);
    pthread_mutex_init(&a->lock, NULL);
    cond_init_mono(&a->changed);
    a->endpoint = text_dup(config->endpoint);
    a->spec = config->spec;
    a->allow = config->allow;
    a->http = config->http;
    a->gate = config->gate;
    a->env = config->env;
    a->store = config->store;
    a->verdict = config->verdict;
    a->token_error = config->token_error;
    a->hooks_ctx = config->hooks_ctx;
    a->max_refreshes = config->max_refreshes ? config->max_refreshes : 5;
    if (a->max_refreshes > ARRAY_LEN(a->refreshed_at))
        a->max_refreshes = ARRAY_LEN(a->refreshed_at);
    a->options = options_copy(config->options, config->n_options);
    a->n_options = config->n_options;
    if (a->spec) {
        int rc = load_kept(a, e);
        if (rc)
            return rc;
        adopt_kept(a);
    }
    *out = take(a);
    return TL_OK;
}

struct auth *auth_free(struct auth *a)
{
    if (!a)
        return NULL;
    tokens_done(&a->tokens);
    options_free(a->options, a->n_options);
    options_free(a->next_options, a->n_next_options);
    text_free(a->endpoint);
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->lock);
    free(a);
    return NULL;
}

/* Waits until nobody talks to the token server, then keeps everybody else from it. */
static void enter_busy(struct auth *a)
{
    pthread_mutex_lock(&a->lock);
    while (a->busy)
        pthread_cond_wait(&a->changed, &a->lock);
    a->busy = true;
    pthread_mutex_unlock(&a->lock);
}

/* New values take the place of the old ones while nobody reads them without the lock. The lock is held. */
static void take_next_options(struct auth *a)
{
    if (!a->next_options)
        return;
    options_free(a->options, a->n_options);
    a->options = a->next_options;
    a->n_options = a->n_next_options;
    a->next_options = NULL;
    a->n_next_options = 0;
    if (!a->spec)
        return;
    drop_foreign_access(a);
    if (!a->tokens.access.n) {
        a->retry_at = 0;
        a->n_refreshed = 0;
        calm(a);
        set_from_flow(a);
    }
}

/* The lock is held. */
static void leave_busy(struct auth *a)
{
    a->busy = false;
    take_next_options(a);
    pthread_cond_broadcast(&a->changed);
}

int auth_options_set(struct auth *a, const tl_pair *options, uint32_t n, struct err *e)
{
    (void)e;
    struct option_value *copy = options_copy(options, n);
    pthread_mutex_lock(&a->lock);
    if (a->next_options)
        options_free(a->next_options, a->n_next_options);
    a->next_options = copy;
    a->n_next_options = n;
    if (!a->busy)
        take_next_options(a);
    pthread_mutex_unlock(&a->lock);
    return TL_OK;
}

/* --- signing in; the caller is busy, the lock is free --- */

/* When the next attempt may reach the server (mono), 0: now. The lock is held. */
static int64_t limit_ends(struct auth *a)
{
    int64_t now = env_mono_us(a->env);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < a->n_refreshed; i++) {
        if (a->refreshed_at[i] > now - refresh_window_us)
            a->refreshed_at[kept++] = a->refreshed_at[i];
    }
    a->n_refreshed = kept;
    return kept < a->max_refreshes ? 0 : a->refreshed_at[0] + refresh_window_us;
}

static int save_tokens(struct auth *a, struct err *e)
{
    AUTO(buf_wipe) struct buf bytes = {0};
    tokens_encode(&a->tokens, &bytes);
    env_crash_point(a->env, "auth.before_save");
    int rc = a->store.save ? a->store.save(a->store.ctx, buf_lent(&bytes), e) : TL_OK;
    env_crash_point(a->env, "auth.after_save");
    pthread_mutex_lock(&a->lock);
    a->unsaved = rc != TL_OK;
    pthread_mutex_unlock(&a->lock);
    return rc ? err_wrap(e, "the new tokens cannot be kept") : TL_OK;
}

static void count_attempt(struct auth *a)
{
    pthread_mutex_lock(&a->lock);
    if (a->n_refreshed == ARRAY_LEN(a->refreshed_at)) /* forced attempts may exceed the limit */
        memmove(a->refreshed_at, a->refreshed_at + 1, --a->n_refreshed * sizeof *a->refreshed_at);
    a->refreshed_at[a->n_refreshed++] = env_mono_us(a->env);
    pthread_mutex_unlock(&a->lock);
}

static int no_flow(struct auth *a, const struct auth_grant *g, struct err *e)
{
    AUTO(buf_done) struct buf missing = {0};
    flow_choose(a, g, &missing);
    err_set(e, TL_E_CONFIG, "nothing to sign in with: %s", missing.n ? buf_text(&missing) : "no such flow");
    hint_to_begin(a, e);
    return TL_E_CONFIG;
}

static void adopt(struct auth *a, struct tokens *fresh, const struct auth_flow *flow)
{
    pthread_mutex_lock(&a->lock);
    tokens_done(&a->tokens);
    a->tokens = *fresh;
    *fresh = (struct tokens){0};
    a->unsaved = true;
    snprintf(a->flow, sizeof a->flow, "%s", flow->name);
    pthread_mutex_unlock(&a->lock);
}

/* New tokens, durable before anybody uses them. */
static int sign_in(struct auth *a, const struct auth_grant *g, struct err *e)
{
    if (a->unsaved && !g->code.n) /* the last ones were issued but could not be kept: no second issue for that */
        return save_tokens(a, e);
    const struct auth_flow *flow = flow_choose(a, g, NULL);
    if (!flow)
        return no_flow(a, g, e);
    AUTO(tokens_done) struct tokens fresh = {0};
    bool reached = false;
    int rc = flow_run(a, flow, g, &fresh, &reached, e);
    if (reached)
        count_attempt(a);
    if (rc && fresh.refresh.n) { /* issued, but not to be used as it came */
        adopt(a, &fresh, flow);
        struct err kept = {0};
        save_tokens(a, &kept);
        return rc;
    }
    if (rc)
        return rc;
    if (g->code.n && !fresh.refresh.n) {
        err_set(e, TL_E_AUTH, "sign-in: the vendor gave no refresh token");
        err_hint(e, "grant offline access (a refresh token) to the application and repeat");
        return TL_E_AUTH;
    }
    adopt(a, &fresh, flow);
    return save_tokens(a, e);
}

/* The lock is held. */
static void note_result(struct auth *a, int rc, const struct err *e)
{
    a->attempts++;
    a->last = rc ? *e : (struct err){0};
    int64_t now = env_mono_us(a->env);
    a->told_to_wait = false;
    if (rc == TL_OK) {
        a->generation++;
        a->retry_at = 0;
        calm(a);
        set_state(a, AUTH_OK, TL_OK, "signed in", "");
    } else if (rc == TL_E_AUTH || rc == TL_E_CONFIG) {
        a->retry_at = now + failed_retry_us;
        calm(a);
        buf_wipe(&a->tokens.access);
        AUTO(text_free) char *hint = text_fmt("run: tieline endpoint auth %s", a->endpoint);
        set_state(a, AUTH_FAILED, rc, e->text, e->hint[0] ? e->hint : rc == TL_E_AUTH ? hint : "");
    } else {
        int64_t wait = (2 * US_PER_S) << (a->n_troubled < 3 ? a->n_troubled : 3);
        wait = wait < trouble_retry_us ? wait : trouble_retry_us;
        a->told_to_wait = e->retry_after_ms > 0;
        if (a->told_to_wait)
            wait = e->retry_after_ms * US_PER_MS;
        a->retry_at = now + (wait < refresh_window_us ? wait : refresh_window_us);
        a->n_troubled++;
        if (!a->troubled_us)
            a->troubled_us = env_now_us(a->env);
    }
}

static int attempt(struct auth *a, const struct auth_grant *g, struct err *e)
{
    struct err mine = {0};
    int rc = sign_in(a, g, &mine);
    pthread_mutex_lock(&a->lock);
    if (rc && g->code.n && a->tokens.access.n) { /* a mistyped code does not spoil the sign-in that works */
        a->attempts++;
        a->last = (struct err){0};
    } else {
        note_result(a, rc, &mine);
    }
    leave_busy(a);
    pthread_mutex_unlock(&a->lock);
    if (rc && e)
        *e = mine;
    return rc;
}

/* --- acquiring --- */

static int throttled(struct auth *a, int64_t until, struct err *e)
{
    int64_t left = until - env_mono_us(a->env);
    int64_t seconds = left > 0 ? (left + US_PER_S - 1) / US_PER_S : 1;
    err_set(e, TL_E_THROTTLED, "sign-in waits %lld s: %u sign-ins within 10 minutes are the limit", (long long)seconds,
            a->max_refreshes);
    if (e)
        e->retry_after_ms = seconds * 1000;
    return TL_E_THROTTLED;
}

enum step { USE, ATTEMPT, WAIT, GIVE_UP };

void auth_hurry(struct auth *a)
{
    if (!a->spec)
        return;
    pthread_mutex_lock(&a->lock);
    if (!a->told_to_wait)
        a->retry_at = a->rejected_until = 0;
    pthread_mutex_unlock(&a->lock);
}

/* What to do now; the lock is held. GIVE_UP fills e. */
static enum step next_step(struct auth *a, uint64_t expired_generation, bool force, struct err *e)
{
    int64_t now = env_mono_us(a->env);
    enum freshness fresh = a->unsaved ? DEAD : token_freshness(a);
    bool expired = expired_generation && expired_generation == a->generation;
    a->refused |= expired;
    expired |= a->refused;
    if (fresh == FRESH && !expired && !force)
        return USE;
    if (a->busy)
        return fresh == DUE && !expired && !force ? USE : WAIT; /* the old one serves while it lasts */
    if (fresh == DUE && !expired && !force && now < a->retry_at)
        return USE;
    if (a->state == AUTH_FAILED && !force && now < a->retry_at) {
        err_set(e, a->state_status, "%s", a->words);
        err_hint(e, "%s", a->hint);
        return GIVE_UP;
    }
    int64_t until = a->unsaved || force ? 0 : limit_ends(a);
    if (!until && !force && !a->unsaved && now < a->retry_at)
        until = a->retry_at;
    if (!until)
        return ATTEMPT;
    if (fresh == DUE && !expired)
        return USE;
    if (until == a->retry_at && a->last.status) {
        *e = a->last;
        e->retry_after_ms = (until - now + US_PER_MS - 1) / US_PER_MS;
    } else {
        throttled(a, until, e);
    }
    return GIVE_UP;
}

static void wait_a_little(struct auth *a)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    ts.tv_nsec += 100 * 1000 * 1000;
    if (ts.tv_nsec >= 1000 * 1000 * 1000) {
        ts.tv_nsec -= 1000 * 1000 * 1000;
        ts.tv_sec++;
    }
    pthread_cond_timedwait(&a->changed, &a->lock, &ts);
}

/* Waits for the attempt of somebody else; its failure is the waiter's as well. The lock is held. */
static int wait_for_other(struct auth *a, const int32_t *cancel, struct err *e)
{
    uint64_t seen = a->attempts;
    while (a->busy && a->attempts == seen) {
        if (cancel && __atomic_load_n(cancel, __ATOMIC_RELAXED))
            return err_set(e, TL_E_CANCELLED, "cancelled while waiting for the sign-in");
        wait_a_little(a);
    }
    if (a->attempts != seen && a->last.status) {
        *e = a->last;
        return a->last.status;
    }
    return TL_OK;
}

int auth_acquire(struct auth *a, uint64_t expired_generation, bool force, const int32_t *cancel, struct buf *header_out,
                 uint64_t *generation_out, struct err *e)
{
    struct err mine = {0};
    int rc = TL_OK;
    pthread_mutex_lock(&a->lock);
    for (enum step s; rc == TL_OK && (s = next_step(a, expired_generation, force, &mine)) != USE;) {
        if (s == GIVE_UP) {
            rc = mine.status;
        } else if (s == WAIT) {
            rc = wait_for_other(a, cancel, &mine);
            force = false;
        } else {
            bool usable = !a->unsaved && token_freshness(a) == DUE && !a->refused && !force;
            a->busy = true;
            pthread_mutex_unlock(&a->lock);
            rc = attempt(a, &no_grant, &mine);
            pthread_mutex_lock(&a->lock);
            force = false;
            if (usable && rc != TL_OK && rc != TL_E_AUTH && rc != TL_E_CONFIG)
                rc = TL_OK; /* too early to matter */
        }
    }
    if (rc == TL_OK && header_out) {
        buf_text_add(header_out, a->spec->prefix);
        buf_str(header_out, buf_lent(&a->tokens.access));
        *generation_out = a->generation;
    }
    pthread_mutex_unlock(&a->lock);
    if (rc && e)
        *e = mine;
    return rc;
}

void auth_rejected(struct auth *a)
{
    pthread_mutex_lock(&a->lock);
    int64_t most = refresh_window_us / a->max_refreshes, wait = rejected_retry_us;
    for (uint32_t i = 0; i < a->n_rejected && wait < most; i++)
        wait *= 2;
    a->n_rejected++;
    a->rejected_until = env_mono_us(a->env) + (wait < most ? wait : most);
    pthread_mutex_unlock(&a->lock);
}

void auth_accepted(struct auth *a)
{
    pthread_mutex_lock(&a->lock);
    a->n_rejected = 0;
    a->rejected_until = 0;
    pthread_mutex_unlock(&a->lock);
}

int auth_ensure(struct auth *a, bool force, const int32_t *cancel, struct err *e)
{
    if (!a->spec)
        return TL_OK;
    bool again = false;
    if (force) { /* a usable token stays; a failed state and its waiting time do not */
        pthread_mutex_lock(&a->lock);
        again = a->state == AUTH_FAILED || !a->tokens.access.n || a->refused;
        a->rejected_until = 0;
        pthread_mutex_unlock(&a->lock);
    }
    return auth_acquire(a, 0, again, cancel, NULL, NULL, e);
}

int auth_exchange_code(struct auth *a, const struct auth_grant *given, struct err *e)
{
    if (!a->spec)
        return err_set(e, E_PRECONDITION, "endpoint \"%s\" needs no sign-in", a->endpoint);
    struct auth_grant g = *given;
    g.code = str_trim(g.code);
    if (!g.code.n)
        return err_set(e, E_USAGE, "the code is empty");
    log_secret_add(g.code);
    log_secret_add(g.code_verifier);
    enter_busy(a);
    int rc = attempt(a, &g, e);
    log_secret_forget(g.code_verifier); /* spent, also by a failure */
    return rc;
}

/* ---- a sign-in on trial ---- */

int auth_trial(struct auth **out, struct auth *of, struct err *e)
{
    struct auth_config config = {.endpoint = of->endpoint,
                                 .spec = of->spec,
                                 .allow = of->allow,
                                 .http = of->http,
                                 .gate = of->gate,
                                 .env = of->env,
                                 .max_refreshes = of->max_refreshes,
                                 .verdict = of->verdict,
                                 .token_error = of->token_error,
                                 .hooks_ctx = of->hooks_ctx};
    pthread_mutex_lock(&of->lock);
    tl_pair *options = calloc(of->n_options ? of->n_options : 1, sizeof *options);
    ASSERT(options);
    for (uint32_t i = 0; i < of->n_options; i++)
        options[i] = (tl_pair){str_of(of->options[i].name), str_of(of->options[i].value)};
    config.options = options;
    config.n_options = of->n_options;
    int rc = auth_new(out, &config, e);
    pthread_mutex_unlock(&of->lock);
    free(options);
    return rc;
}

int auth_adopt(struct auth *a, struct auth *trial, struct err *e)
{
    AUTO(tokens_done) struct tokens fresh = {0};
    AUTO(buf_wipe) struct buf bytes = {0};
    tokens_copy(&fresh, &trial->tokens);
    tokens_encode(&fresh, &bytes);
    enter_busy(a);
    env_crash_point(a->env, "auth.before_adopt");
    int rc = a->store.save ? a->store.save(a->store.ctx, buf_lent(&bytes), e) : TL_OK;
    env_crash_point(a->env, "auth.after_adopt");
    pthread_mutex_lock(&a->lock);
    if (rc == TL_OK) {
        tokens_done(&a->tokens);
        a->tokens = fresh;
        fresh = (struct tokens){0};
        a->unsaved = false;
        snprintf(a->flow, sizeof a->flow, "%s", trial->flow);
        note_result(a, TL_OK, NULL);
    }
    leave_busy(a);
    pthread_mutex_unlock(&a->lock);
    return rc ? err_wrap(e, "the new sign-in cannot be kept, so the former one stays") : TL_OK;
}

static int drop(struct auth *a, bool configured_too, struct err *untold, struct err *e)
{
    err_clear(untold);
    if (!a->spec)
        return TL_OK;
    enter_busy(a);
    bool tell = configured_too || !auth_option(a, STR("refresh_token")).n;
    if (tell && flow_revoke(a, untold)) {
        err_wrap(untold, "the vendor could not be told");
        err_hint(untold,
                 "take the application out of the user's connected apps at the vendor, else its tokens stay good");
    }
    int rc = a->store.save ? a->store.save(a->store.ctx, (str){NULL, 0}, e) : TL_OK;
    pthread_mutex_lock(&a->lock);
    if (rc == TL_OK) {
        tokens_done(&a->tokens);
        a->unsaved = false;
        a->retry_at = 0;
        calm(a);
        set_from_flow(a);
    }
    leave_busy(a);
    pthread_mutex_unlock(&a->lock);
    return rc ? err_wrap(e, "the sign-in cannot be forgotten") : TL_OK;
}

int auth_revoke(struct auth *a, struct err *untold, struct err *e)
{
    return drop(a, true, untold, e);
}

int auth_forget(struct auth *a, struct err *untold, struct err *e)
{
    return drop(a, false, untold, e);
}

/* --- extras and templates --- */

void auth_extra_known(struct auth *a, const char *member, struct buf *out)
{
    if (!a->spec)
        return;
    pthread_mutex_lock(&a->lock);
    const char *value = tokens_extra(&a->tokens, str_of(member));
    if (value)
        buf_text_add(out, value);
    pthread_mutex_unlock(&a->lock);
}

int auth_extra(struct auth *a, const char *member, const int32_t *cancel, struct buf *out, struct err *e)
{
    int rc = auth_ensure(a, false, cancel, e);
    if (rc == TL_OK)
        auth_extra_known(a, member, out);
    return rc;
}

struct fill_names {
    struct auth *a;
    str org_key;
};

static bool fill_lookup(void *ctx, str name, str *out)
{
    struct fill_names *f = ctx;
    *out = str_is(name, "org_key") ? f->org_key : auth_option(f->a, name);
    if (!out->n)
        *out = str_of(tokens_extra(&f->a->tokens, name));
    return out->n > 0;
}

int auth_fill(struct auth *a, const char *template, str org_key, struct buf *out, struct err *e)
{
    struct fill_names names = {a, org_key};
    pthread_mutex_lock(&a->lock);
    int rc = template_fill(template, FILL_RAW, fill_lookup, &names, out, e);
    pthread_mutex_unlock(&a->lock);
    return rc;
}
