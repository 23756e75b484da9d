/* What vendors said to people's questions: see answers.h.
 *
 * An entry is made by the first who asks, with a message to the control thread that puts the question; whoever comes
 * meanwhile waits for the same entry. Entries are found by their question, counted by those who hold them, and go when
 * they are too old or too many and nobody holds them. */
#include "answers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "db.h"
#include "times.h"

#define BUCKETS        256u
#define FAILED_KEEP_US (5 * US_PER_S)  /* a vendor that is down is not asked by every view */
#define CALL_US        (30 * US_PER_S) /* after that nobody waits for it any more */
#define LIST_MAX       50u             /* records of a list */

struct answer_entry {
    struct answer answer;
    struct answers *all;
    struct answer_entry *next, *to_ask;
    char *key;
    size_t key_bytes;
    struct question question; /* texts lent from key */
    unsigned held;
    int64_t mono_us;       /* when it came */
    const tl_shape *shape; /* in the call. [control] until it came */
    struct call *call;     /* holds the reply */
};

struct answers {
    struct answers_parts parts;
    pthread_mutex_t lock;
    pthread_cond_t came;
    struct answer_entry *buckets[BUCKETS];
    size_t bytes;
};

struct errand { /* from who asks to the control thread */
    struct message message;
    struct answer_entry *first;
};

struct answers *answers_new(const struct answers_parts *parts)
{
    struct answers *s = calloc(1, sizeof *s);
    ASSERT(s);
    s->parts = *parts;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->came, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return s;
}

const struct env *answers_env(const struct answers *s)
{
    return s->parts.env;
}

static size_t bytes_of(const struct answer_entry *n)
{
    return sizeof *n + n->key_bytes + (n->call ? n->call->reply.items.n : 0);
}

static void entry_free(struct answer_entry *n)
{
    if (n->call)
        call_free(n->call);
    free(n->key);
    free(n);
}

struct answers *answers_free(struct answers *s)
{
    for (unsigned i = 0; s && i < BUCKETS; i++)
        while (s->buckets[i]) {
            struct answer_entry *n = s->buckets[i];
            s->buckets[i] = n->next;
            entry_free(n);
        }
    if (s) {
        pthread_cond_destroy(&s->came);
        pthread_mutex_destroy(&s->lock);
    }
    free(s);
    return NULL;
}

/* ---- Entries [under the lock] ---- */

static bool is_fresh(const struct answers *s, const struct answer_entry *n)
{
    int64_t age = env_mono_us(s->parts.env) - n->mono_us;
    return n->answer.late || age < (n->answer.status == TL_OK ? s->parts.keep_us : FAILED_KEEP_US);
}

static void drop(struct answers *s, struct answer_entry **at)
{
    struct answer_entry *n = *at;
    *at = n->next;
    s->bytes -= bytes_of(n);
    entry_free(n);
}

/* What is old goes; where that is not enough also what is not, the longest kept first. */
static void make_room(struct answers *s)
{
    for (unsigned i = 0; i < BUCKETS; i++)
        for (struct answer_entry **at = &s->buckets[i]; *at;)
            if ((*at)->held == 0 && !(*at)->answer.late && !is_fresh(s, *at))
                drop(s, at);
            else
                at = &(*at)->next;
    while (s->bytes > s->parts.max_bytes) {
        struct answer_entry **oldest = NULL;
        for (unsigned i = 0; i < BUCKETS; i++)
            for (struct answer_entry **at = &s->buckets[i]; *at; at = &(*at)->next)
                if ((*at)->held == 0 && !(*at)->answer.late && (!oldest || (*at)->mono_us < (*oldest)->mono_us))
                    oldest = at;
        if (!oldest)
            return;
        drop(s, oldest);
    }
}

static void key_of(const struct question *q, struct buf *out)
{
    buf_fmt(out, "%d %lld", (int)q->what, (long long)q->endpoint);
    const str parts[] = {q->kind, q->by, q->key, q->filter};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        buf_char(out, '\0');
        buf_str(out, parts[i]);
    }
}

static struct answer_entry *entry_new(struct answers *s, const struct question *q, str key)
{
    struct answer_entry *n = calloc(1, sizeof *n);
    ASSERT(n);
    n->all = s;
    n->key = str_dup(key);
    n->key_bytes = key.n;
    const char *at = n->key + strlen(n->key) + 1;
    str *const texts[] = {&n->question.kind, &n->question.by, &n->question.key, &n->question.filter};
    const size_t lengths[] = {q->kind.n, q->by.n, q->key.n, q->filter.n};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        *texts[i] = str_n(at, lengths[i]);
        at += lengths[i] + 1;
    }
    n->question.endpoint = q->endpoint;
    n->question.what = q->what;
    n->answer.held = n;
    n->answer.late = true;
    n->answer.us = env_now_us(s->parts.env);
    return n;
}

/* Held for the caller; *asks: it is new, and to be asked. */
static struct answer_entry *entry_take(struct answers *s, const struct question *q, bool *asks)
{
    AUTO(buf_done) struct buf key = {0};
    key_of(q, &key);
    struct answer_entry **bucket = &s->buckets[store_hash(key.p, key.n) % BUCKETS], *n = *bucket;
    while (n && !(n->key_bytes == key.n && memcmp(n->key, key.p, key.n) == 0 && is_fresh(s, n)))
        n = n->next;
    *asks = !n;
    if (!n) {
        n = entry_new(s, q, buf_lent(&key));
        n->next = *bucket;
        *bucket = n;
        s->bytes += bytes_of(n);
    }
    n->held++;
    return n;
}

/* ---- Asking [control] ---- */

static void settle(struct answer_entry *n, struct call *c, tl_status status, const struct err *why)
{
    struct answers *s = n->all;
    pthread_mutex_lock(&s->lock);
    s->bytes -= bytes_of(n);
    n->call = c;
    s->bytes += bytes_of(n);
    n->answer.status = status;
    n->answer.reply = c ? &c->reply : NULL;
    n->answer.shape = c ? n->shape : NULL;
    if (why)
        n->answer.why = *why;
    n->mono_us = env_mono_us(s->parts.env);
    n->answer.late = false;
    n->held--; /* the question's own */
    make_room(s);
    pthread_cond_broadcast(&s->came);
    pthread_mutex_unlock(&s->lock);
}

static void answered(void *arg, struct call *c)
{
    struct answer_entry *n = arg;
    struct err why = {0};
    if (c->reply.status != TL_OK)
        err_set(&why, c->reply.status, "%s",
                c->reply.error.text[0] ? c->reply.error.text : "the vendor gave no answer");
    settle(n, c, c->reply.status, &why);
}

static void request_fill(const struct answers *s, struct call *c, const struct question *q, const tl_shape *shape)
{
    int64_t deadline_us = env_now_us(s->parts.env) + CALL_US;
    str by = arena_str(&c->arena, q->by);
    str *key = arena_new(&c->arena, str);
    *key = arena_str(&c->arena, q->key);
    if (q->what == CALL_LIST) {
        tl_list *l = &c->request.list;
        l->shape = shape;
        l->about_kind = by;
        l->about_id = *key;
        l->filter = arena_str(&c->arena, q->filter);
        l->limit = LIST_MAX;
        l->deadline_us = deadline_us;
    } else if (q->what == CALL_FIND) {
        tl_query *query = arena_new(&c->arena, tl_query);
        *query = (tl_query){by, *key};
        c->request.find.shape = shape;
        c->request.find.queries = query;
        c->request.find.n_queries = 1;
        c->request.find.deadline_us = deadline_us;
    } else {
        c->request.get.shape = shape;
        c->request.get.ids = key;
        c->request.get.n_ids = 1;
        c->request.get.deadline_us = deadline_us;
    }
}

static void ask_one(struct answer_entry *n)
{
    const struct answers *s = n->all;
    const struct question *q = &n->question;
    struct call *c = NULL;
    const tl_shape *shape = NULL;
    struct err e = {0};
    int rc = ask_new(s->parts.engine, q->endpoint, q->what, q->kind, &c, &shape, &e);
    if (rc != TL_OK) {
        settle(n, NULL, rc, &e);
        return;
    }
    request_fill(s, c, q, shape);
    n->shape = shape;
    ask_submit(s->parts.engine, c, answered, n);
}

static void ask_all(struct message *m)
{
    struct errand *errand = (struct errand *)m;
    struct answer_entry *next = NULL;
    for (struct answer_entry *n = errand->first; n; n = next) {
        next = n->to_ask; /* it may be gone once it is settled */
        ask_one(n);
    }
    free(errand);
}

/* ---- For who asks ---- */

/* As they are now; false: some are late. [under the lock] */
static bool copy_all(struct answer *out, size_t n)
{
    bool came = true;
    for (size_t i = 0; i < n; i++) {
        if (out[i].late)
            out[i] = out[i].held->answer;
        came &= !out[i].late;
    }
    return came;
}

static void wait_for(struct answers *s, struct answer *out, size_t n, int64_t wait_us)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + (wait_us % US_PER_S) * 1000;
    until.tv_sec += wait_us / US_PER_S + ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    while (!copy_all(out, n) && pthread_cond_timedwait(&s->came, &s->lock, &until) == 0)
        ;
    (void)copy_all(out, n);
}

void answers_take(struct answers *s, const struct question *questions, size_t n, int64_t wait_us, struct answer *out)
{
    struct errand *errand = calloc(1, sizeof *errand);
    ASSERT(errand);
    errand->message.run = ask_all;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < n; i++) {
        bool asks = false;
        struct answer_entry *entry = entry_take(s, &questions[i], &asks);
        out[i] = (struct answer){.late = true, .held = entry};
        if (!asks)
            continue;
        entry->held++; /* until it is settled */
        entry->to_ask = errand->first;
        errand->first = entry;
    }
    bool any = errand->first;
    if (any)
        control_post(s->parts.control, &errand->message);
    wait_for(s, out, n, wait_us);
    pthread_mutex_unlock(&s->lock);
    if (!any)
        free(errand);
}

void answer_give(struct answers *s, struct answer *a)
{
    if (!a->held)
        return;
    pthread_mutex_lock(&s->lock);
    a->held->held--;
    pthread_mutex_unlock(&s->lock);
    *a = (struct answer){0};
}
