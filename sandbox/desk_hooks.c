/* Webhooks: subscriptions, their verification, and deliveries by a thread of their own: one attempt, no retry.
 * Vendor: https://desk.zoho.com/support/WebhookDocument.do, zohodesk-oas v1.0 Webhook.json. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "desk_int.h"
#include "desk_jwt.h"
#include "outcall.h"
#include "times.h"

enum { NAME_MAX_CHARS = 100, DELIVERIES_MAX = 2000, TOKEN_LIFE_S = 300 };

static const char *const events[] = {"Contact_Add",    "Contact_Update",   "Contact_Delete", "Account_Add",
                                     "Account_Update", "Account_Delete",   "Ticket_Add",     "Ticket_Update",
                                     "Ticket_Delete",  "Agent_Add",        "Agent_Update",   "Agent_Delete",
                                     "Department_Add", "Department_Update"};
/* Known to the vendor, never raised here: this twin has no such records, or tells nothing of them. */
static const char *const other_events[] = {
    "Ticket_Comment_Add", "Ticket_Comment_Update", "Ticket_Thread_Add", "Task_Add",  "Task_Update",  "Task_Delete",
    "Call_Add",           "Call_Update",           "Call_Delete",       "Event_Add", "Event_Update", "Event_Delete",
};

struct webhook {
    int64_t id, created_us, modified_us;
    char *name, *url, *description, *ignore_source; /* ignore_source NULL: none */
    bool wants[ARRAY_LEN(events)], prev[ARRAY_LEN(events)], enabled;
    json_t *subscriptions;
};

struct job { /* a delivery, or the verification of a webhook when call is set */
    struct job *next;
    int64_t webhook;
    char *url, *event;
    struct buf body, headers;
    struct call *call;
    struct webhook *draft; /* what becomes of the webhook when the verification succeeds */
};

struct delivery {
    int64_t webhook;
    char event[32];
    int status;
    int64_t at_us;
};

struct hooks {
    struct desk *desk;
    struct webhook *list[DESK_WEBHOOKS_MAX];
    int count;
    EVP_PKEY *key;
    char kid[17];
    struct job *first, **end, *held; /* held: waits for the next one, to be sent after it */
    struct delivery deliveries[DELIVERIES_MAX];
    int64_t delivery_count;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the queue: first, end, stopping. Inside the sandbox's lock, never around it */
    pthread_cond_t wake;
    bool running, stopping;
};

/* ---- webhooks ----------------------------------------------------------- */

static void webhook_free(struct webhook *x)
{
    if (!x)
        return;
    text_free(x->name);
    text_free(x->url);
    text_free(x->description);
    text_free(x->ignore_source);
    json_decref(x->subscriptions);
    free(x);
}

static void job_free(struct job *j)
{
    text_free(j->url);
    text_free(j->event);
    buf_done(&j->body);
    buf_done(&j->headers);
    webhook_free(j->draft);
    free(j);
}

static int event_number(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(events); i++) {
        if (strcmp(events[i], name) == 0)
            return (int)i;
    }
    return -1;
}

static bool event_known(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(other_events); i++) {
        if (strcmp(other_events[i], name) == 0)
            return true;
    }
    return event_number(name) >= 0;
}

static struct webhook *webhook_find(struct hooks *h, str id)
{
    int64_t n;
    for (int i = 0; i < h->count && str_to_i64(id, &n); i++) {
        if (h->list[i]->id == n)
            return h->list[i];
    }
    return NULL;
}

static void webhook_drop(struct hooks *h, const struct webhook *x)
{
    for (int i = 0; i < h->count; i++) {
        if (h->list[i] != x)
            continue;
        webhook_free(h->list[i]);
        memmove(&h->list[i], &h->list[i + 1], sizeof h->list[0] * (size_t)(h->count - i - 1));
        h->count--;
        return;
    }
}

static void webhook_put(struct buf *b, const struct webhook *x)
{
    buf_char(b, '{');
    put_id(b, "id", x->id);
    json_put_member(b, "name", str_of(x->name));
    json_put_member(b, "url", str_of(x->url));
    json_put_comma(b);
    json_put_key(b, "description");
    json_put_text(b, x->description);
    json_put_comma(b);
    json_put_key(b, "subscriptions");
    json_put_tree(b, x->subscriptions);
    json_put_raw(b, "includeEventsFrom", STR("[]"));
    json_put_comma(b);
    json_put_key(b, "ignoreSourceId");
    json_put_text(b, x->ignore_source);
    json_put_bool(b, "isEnabled", x->enabled);
    json_put_member(b, "type", STR("CUSTOMER_WEBHOOK"));
    put_id(b, "createdBy", DESK_AGENT_ID);
    put_time(b, "createdTime", x->created_us);
    put_time(b, "modifiedTime", x->modified_us);
    buf_char(b, '}');
}

/* ---- raising ------------------------------------------------------------ */

bool hooks_want(const struct hooks *h, const char *event, bool *prev_out)
{
    int n = event_number(event);
    bool wanted = false, prev = false;
    for (int i = 0; i < h->count && n >= 0; i++) {
        wanted |= h->list[i]->enabled && h->list[i]->wants[n];
        prev |= h->list[i]->enabled && h->list[i]->wants[n] && h->list[i]->prev[n];
    }
    if (prev_out)
        *prev_out = prev;
    return wanted;
}

/* False when the twin stops: the job is not taken. */
static bool queue_add(struct hooks *h, struct job *j)
{
    pthread_mutex_lock(&h->lock);
    bool taken = !h->stopping;
    if (taken) {
        *h->end = j;
        h->end = &j->next;
        pthread_cond_signal(&h->wake);
    }
    pthread_mutex_unlock(&h->lock);
    return taken;
}

static void delivery_queue(struct hooks *h, struct job *j)
{
    if (!queue_add(h, j))
        job_free(j);
}

static void job_sign(struct hooks *h, struct job *j, bool good)
{
    int64_t now_s = sandbox_now_us(h->desk->world) / US_PER_S;
    AUTO(buf_done) struct buf claims = {0};
    buf_fmt(&claims, "{\"iss\":\"orgId:" ZOHO_DESK_ORG "\",\"aud\":\"webhookId:%lld\",\"iat\":%lld,\"exp\":%lld}",
            (long long)j->webhook, (long long)now_s, (long long)(now_s + TOKEN_LIFE_S));
    AUTO(buf_done) struct buf token = {0};
    jwt_put(&token, h->key, h->kid, buf_lent(&claims), good);
    buf_fmt(&j->headers, "X-ZDesk-JWT: %s\r\n", buf_text(&token));
}

static struct job *delivery_new(struct hooks *h, const struct webhook *x, const char *event, str payload, str prev)
{
    struct job *j = calloc(1, sizeof *j);
    ASSERT(j != NULL);
    j->webhook = x->id;
    j->url = text_dup(x->url);
    j->event = text_dup(event);
    buf_text_add(&j->body, "[{\"payload\":");
    buf_str(&j->body, payload);
    buf_text_add(&j->body, ",\"prevState\":");
    buf_str(&j->body, x->prev[event_number(event)] && prev.n ? prev : STR("null"));
    buf_fmt(&j->body, ",\"eventTime\":\"%lld\",\"eventType\":\"%s\",\"orgId\":\"" ZOHO_DESK_ORG "\"}]",
            (long long)(sandbox_now_us(h->desk->world) / US_PER_MS), event);
    return j;
}

static bool fault_due(struct hooks *h, const char *name, const char *event)
{
    return fault_take(h->desk->world, h->desk->twin, name, NULL, str_of(event)) != NULL;
}

static void delivery_send(struct hooks *h, const struct webhook *x, const char *event, str payload, str prev)
{
    if (fault_due(h, "hook-lost", event))
        return;
    struct job *j = delivery_new(h, x, event, payload, prev);
    job_sign(h, j, !fault_due(h, "hook-bad-signature", event));
    if (!h->held && fault_due(h, "hook-reorder", event)) {
        h->held = j;
        return;
    }
    if (fault_due(h, "hook-duplicate", event)) {
        struct job *again = delivery_new(h, x, event, payload, prev);
        buf_clear(&again->body); /* the same delivery to the byte, whatever the clock says by now */
        buf_str(&again->body, buf_lent(&j->body));
        job_sign(h, again, true);
        delivery_queue(h, again);
    }
    delivery_queue(h, j);
    if (h->held)
        delivery_queue(h, h->held);
    h->held = NULL;
}

void hooks_raise(struct hooks *h, const char *event, str payload, str prev, str source_id)
{
    int n = event_number(event);
    for (int i = 0; i < h->count && n >= 0; i++) {
        const struct webhook *x = h->list[i];
        bool ignored = x->ignore_source && source_id.n && str_is(source_id, x->ignore_source);
        if (x->enabled && x->wants[n] && !ignored)
            delivery_send(h, x, event, payload, prev);
    }
}

void hooks_deliveries_put(struct hooks *h, struct buf *b)
{
    buf_char(b, '[');
    int64_t first = h->delivery_count > DELIVERIES_MAX ? h->delivery_count - DELIVERIES_MAX : 0;
    for (int64_t i = first; i < h->delivery_count; i++) {
        const struct delivery *d = &h->deliveries[i % DELIVERIES_MAX];
        json_put_comma(b);
        buf_char(b, '{');
        put_id(b, "webhookId", d->webhook);
        json_put_member(b, "event", str_of(d->event));
        json_put_int(b, "status", d->status);
        put_time(b, "at", d->at_us);
        buf_char(b, '}');
    }
    buf_char(b, ']');
}

/* ---- the thread --------------------------------------------------------- */

static void delivery_done(struct hooks *h, const struct job *j, int status)
{
    struct delivery *d = &h->deliveries[h->delivery_count++ % DELIVERIES_MAX];
    *d = (struct delivery){.webhook = j->webhook, .status = status, .at_us = sandbox_now_us(h->desk->world)};
    snprintf(d->event, sizeof d->event, "%s", j->event);
    if (status != 410)
        return;
    for (int i = 0; i < h->count; i++) { /* Gone removes the subscription */
        if (h->list[i]->id == j->webhook)
            webhook_drop(h, h->list[i--]);
    }
}

static void verification_done(struct hooks *h, struct job *j, bool verified)
{
    struct call *c = j->call;
    struct webhook *x = j->draft, *old = NULL;
    for (int i = 0; i < h->count; i++)
        old = h->list[i]->id == x->id ? h->list[i] : old;
    if (!verified || (!old && h->count == DESK_WEBHOOKS_MAX)) {
        desk_error(c, 500, "INTERNAL_SERVER_ERROR",
                   "An internal server error occurred while performing this operation.");
    } else {
        j->draft = NULL;
        if (old)
            webhook_drop(h, old);
        h->list[h->count++] = x;
        webhook_put(&c->out, x);
        call_answer(c, 200);
    }
    call_finish(c);
}

/* The next job, or NULL when the twin stops and none is left; *skip_out: it stops, so nobody is called any more. */
static struct job *job_next(struct hooks *h, bool *skip_out)
{
    pthread_mutex_lock(&h->lock);
    while (!h->first && !h->stopping)
        pthread_cond_wait(&h->wake, &h->lock);
    struct job *j = h->first;
    if (j) {
        h->first = j->next;
        if (!h->first)
            h->end = &h->first;
    }
    *skip_out = h->stopping;
    pthread_mutex_unlock(&h->lock);
    return j;
}

/* A verification is a GET, then a POST if that was not 200. */
static int job_run(const struct job *j, int64_t limit_ms)
{
    if (!j->call)
        return outcall("POST", j->url, buf_text(&j->headers), buf_lent(&j->body), limit_ms);
    int status = outcall("GET", j->url, "", (str){0}, limit_ms);
    return status == 200 ? status : outcall("POST", j->url, "", STR("[]"), limit_ms);
}

static void *thread_main(void *arg)
{
    struct hooks *h = arg;
    struct job *j;
    bool skip;
    while ((j = job_next(h, &skip)) != NULL) {
        sandbox_lock(h->desk->world);
        int64_t limit_ms = twin_switch(h->desk->twin, "hook_timeout_ms");
        sandbox_unlock(h->desk->world);
        int status = skip ? -1 : job_run(j, limit_ms);
        sandbox_lock(h->desk->world);
        if (j->call)
            verification_done(h, j, status == 200);
        else
            delivery_done(h, j, status);
        sandbox_unlock(h->desk->world);
        job_free(j);
    }
    return NULL;
}

/* The key and the thread come with the first webhook. */
static void hooks_begin(struct hooks *h)
{
    if (!h->key) {
        h->key = jwt_key_new();
        sandbox_random_hex(h->desk->world, h->kid, 16);
    }
    pthread_mutex_lock(&h->lock);
    bool wanted = !h->running && !h->stopping;
    pthread_mutex_unlock(&h->lock);
    if (wanted) {
        h->running = pthread_create(&h->thread, NULL, thread_main, h) == 0;
        ASSERT(h->running);
    }
}

struct hooks *hooks_new(struct desk *d)
{
    struct hooks *h = calloc(1, sizeof *h);
    ASSERT(h != NULL);
    h->desk = d;
    h->end = &h->first;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->wake, NULL);
    return h;
}

void hooks_stop(struct hooks *h)
{
    pthread_mutex_lock(&h->lock);
    h->stopping = true;
    pthread_cond_signal(&h->wake);
    pthread_mutex_unlock(&h->lock);
    if (h->running)
        pthread_join(h->thread, NULL);
    h->running = false;
}

void hooks_free(struct hooks *h)
{
    while (h->first) {
        struct job *next = h->first->next;
        job_free(h->first);
        h->first = next;
    }
    if (h->held)
        job_free(h->held);
    while (h->count)
        webhook_drop(h, h->list[0]);
    jwt_key_free(h->key);
    pthread_cond_destroy(&h->wake);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

/* ---- the calls ---------------------------------------------------------- */

static struct hooks *hooks_of(struct call *c)
{
    return ((struct desk *)c->self)->hooks;
}

static void member_invalid(struct call *c, const char *name, const char *type)
{
    AUTO(text_free)
    char *error = text_fmt("{\"fieldName\":\"/%s\",\"errorType\":\"%s\",\"errorMessage\":\"\"}", name, type);
    desk_invalid(c, error);
}

/* Options of an event: null, or {"includePrevState":bool} for *_Update; department filters belong to other events. */
static bool subscription_take(struct webhook *x, const char *event, const json_t *options)
{
    if (!event_known(event))
        return false;
    int n = event_number(event);
    bool update = str_ends(str_of(event), STR("_Update"));
    if (n >= 0) {
        x->wants[n] = true;
        x->prev[n] = update && json_is_true(json_object_get(options, "includePrevState"));
    }
    if (json_is_null(options) || n < 0)
        return true;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)options, key, value)
    {
        if (strcmp(key, "includePrevState") != 0 || !update || !json_is_boolean(value))
            return false;
    }
    return json_is_object(options);
}

static bool subscriptions_read(struct call *c, struct webhook *x, json_t *given)
{
    const char *event;
    json_t *options;
    memset(x->wants, 0, sizeof x->wants);
    memset(x->prev, 0, sizeof x->prev);
    json_object_foreach(given, event, options)
    {
        if (!subscription_take(x, event, options))
            return member_invalid(c, "subscriptions", "invalid"), false;
    }
    if (!json_object_size(given))
        return member_invalid(c, "subscriptions", given ? "invalid" : "missing"), false;
    json_decref(x->subscriptions);
    x->subscriptions = json_deep_copy(given);
    return true;
}

/* xxxxxxxx-xxxx-Vxxx-xxxx-xxxxxxxxxxxx; one client saw version 4 refused. */
static bool source_id_valid(struct call *c, const char *z)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (strlen(z) != sizeof shape - 1)
        return false;
    for (size_t i = 0; z[i]; i++) {
        bool hex = (z[i] >= '0' && z[i] <= '9') || (z[i] >= 'a' && z[i] <= 'f');
        if (shape[i] == 'x' ? !hex : z[i] != '-')
            return false;
    }
    return z[14] == '1' || !twin_switch(c->twin, "source_id_v1");
}

static void text_replace(char **at, const char *z)
{
    text_free(*at);
    *at = z ? text_dup(z) : NULL;
}

/* Takes what the body gives into x; false after a refusal. */
static bool body_read(struct call *c, struct webhook *x, json_t *body)
{
    const char *name = json_string_value(json_object_get(body, "name"));
    const char *url = json_string_value(json_object_get(body, "url"));
    const char *source = json_string_value(json_object_get(body, "ignoreSourceId"));
    const json_t *enabled = json_object_get(body, "isEnabled"), *description = json_object_get(body, "description");
    json_t *subscriptions = json_object_get(body, "subscriptions");
    if (name ? !*name || strlen(name) > NAME_MAX_CHARS : !x->name)
        return member_invalid(c, "name", name ? "invalid" : "missing"), false;
    if (url ? !str_starts(str_of(url), STR("http")) : !x->url)
        return member_invalid(c, "url", url ? "invalid" : "missing"), false;
    if (source && !source_id_valid(c, source))
        return member_invalid(c, "ignoreSourceId", "invalid"), false;
    if ((subscriptions || !x->subscriptions) && !subscriptions_read(c, x, subscriptions))
        return false;
    if (name)
        text_replace(&x->name, name);
    if (url)
        text_replace(&x->url, url);
    if (source)
        text_replace(&x->ignore_source, source);
    if (description)
        text_replace(&x->description, json_string_value(description));
    if (json_is_boolean(enabled))
        x->enabled = json_is_true(enabled);
    return true;
}

/* Enabled webhooks per edition: none below Professional (5), Enterprise 10; 20 configured at most. */
static bool limit_allows(struct call *c, const struct hooks *h, const struct webhook *x, bool is_new)
{
    static const int by_edition[] = {0, 0, 5, 10};
    int64_t edition = twin_switch(c->twin, "edition");
    int enabled = x->enabled;
    for (int i = 0; i < h->count; i++)
        enabled += h->list[i]->enabled && h->list[i]->id != x->id;
    bool allowed =
        enabled <= by_edition[edition < 0 || edition > 3 ? 3 : edition] && (!is_new || h->count < DESK_WEBHOOKS_MAX);
    if (!allowed)
        desk_error(c, 403, "LICENSE_ACCESS_LIMITED", "Your Zoho Desk Edition does not support this feature/operation.");
    return allowed;
}

static void verify(struct call *c, struct hooks *h, struct webhook *draft)
{
    struct job *j = calloc(1, sizeof *j);
    ASSERT(j != NULL);
    j->webhook = draft->id;
    j->url = text_dup(draft->url);
    j->event = text_dup("verification");
    j->call = c;
    j->draft = draft;
    hooks_begin(h);
    if (queue_add(h, j)) {
        call_defer(c); /* the thread cannot finish it before this handler has left the lock */
    } else {
        desk_error(c, 503, "INTERNAL_SERVER_ERROR", "The sandbox is stopping.");
        job_free(j);
    }
}

void h_webhooks(struct call *c)
{
    const struct hooks *h = hooks_of(c);
    if (!h->count)
        return call_answer_empty(c, 204);
    buf_text_add(&c->out, "{\"data\":[");
    for (int i = 0; i < h->count; i++) {
        json_put_comma(&c->out);
        webhook_put(&c->out, h->list[i]);
    }
    buf_add(&c->out, "]}", 2);
    call_answer(c, 200);
}

void h_webhook_create(struct call *c)
{
    struct hooks *h = hooks_of(c);
    json_t *body = desk_body(c);
    if (!body)
        return;
    struct webhook *x = calloc(1, sizeof *x);
    ASSERT(x != NULL);
    x->enabled = true;
    x->created_us = x->modified_us = sandbox_now_us(c->world) / US_PER_MS * US_PER_MS;
    if (!body_read(c, x, body) || !limit_allows(c, h, x, true)) {
        webhook_free(x);
        return;
    }
    x->id = h->desk->next_id += 2;
    verify(c, h, x);
}

void h_webhook_get(struct call *c)
{
    const struct webhook *x = webhook_find(hooks_of(c), c->capture[0]);
    if (!x)
        return desk_not_found(c);
    webhook_put(&c->out, x);
    call_answer(c, 200);
}

static struct webhook *webhook_copy(const struct webhook *from)
{
    struct webhook *x = malloc(sizeof *x);
    ASSERT(x != NULL);
    *x = *from;
    x->name = text_dup(from->name);
    x->url = text_dup(from->url);
    x->description = from->description ? text_dup(from->description) : NULL;
    x->ignore_source = from->ignore_source ? text_dup(from->ignore_source) : NULL;
    x->subscriptions = json_deep_copy(from->subscriptions);
    return x;
}

void h_webhook_patch(struct call *c)
{
    struct hooks *h = hooks_of(c);
    struct webhook *old = webhook_find(h, c->capture[0]);
    if (!old)
        return desk_not_found(c);
    json_t *body = desk_body(c);
    if (!body)
        return;
    struct webhook *x = webhook_copy(old);
    if (!body_read(c, x, body) || !limit_allows(c, h, x, false)) {
        webhook_free(x);
        return;
    }
    x->modified_us = sandbox_now_us(c->world) / US_PER_MS * US_PER_MS;
    if (strcmp(x->url, old->url) != 0)
        return verify(c, h, x);
    webhook_drop(h, old);
    h->list[h->count++] = x;
    webhook_put(&c->out, x);
    call_answer(c, 200);
}

void h_webhook_delete(struct call *c)
{
    struct hooks *h = hooks_of(c);
    struct webhook *x = webhook_find(h, c->capture[0]);
    if (!x)
        return desk_not_found(c);
    webhook_drop(h, x);
    call_answer_empty(c, 204);
}

void h_jwks(struct call *c)
{
    struct hooks *h = hooks_of(c);
    hooks_begin(h);
    jwks_put(&c->out, h->key, h->kid);
    call_answer(c, 200);
}
