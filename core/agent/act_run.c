/* Deeds: see act_run.h.
 *
 *   prepared -> sent -> done | failed | unknown -> (looked at) -> done | failed
 *
 * Each arrow is one transaction with its row of the audit, and the one to `sent` is committed before the call leaves.
 * What is open in the store and not in memory was left behind by a crash or a full disk: acts_tick takes it up. */
#include "act_run.h"

#include <stdlib.h>

#include "acts.h"
#include "attention.h"
#include "log.h"
#include "rehearsal.h"
#include "times.h"
#include "view_act.h"
#include "view_util.h"

#define ANSWER_US      (60 * US_PER_S) /* for a vendor's answer */
#define AGAIN_US       (30 * US_PER_S) /* after what could not be stored */
#define BACKOFF_US     (2 * US_PER_S)
#define BACKOFF_MAX_US (900 * US_PER_S)
#define NEVER          INT64_MAX

enum { KEY_MAX = 64, KEY_CHARS = 26, LOOKS_AT_ONCE = 16 };

struct deed {
    struct deed *next;
    struct acts *all;
    struct arena a, arrays; /* texts of row and judged; arrays of judged.action */
    struct act row;
    struct act_judged judged;
    str version;      /* of the record before */
    act_done_fn done; /* NULL: nobody waits */
    void *arg;
};

struct acts {
    struct acts_parts parts;
    struct deed *open;
    int64_t due_us; /* wall; of the next look at what is open in the store */
};

struct acts *acts_new(const struct acts_parts *parts)
{
    struct acts *s = calloc(1, sizeof *s);
    ASSERT(s);
    s->parts = *parts;
    s->due_us = env_now_us(parts->env); /* what an end of the daemon left behind */
    return s;
}

struct acts *acts_free(struct acts *s)
{
    ASSERT(!s || !s->open);
    free(s);
    return NULL;
}

static int64_t now(const struct acts *s)
{
    return env_now_us(s->parts.env);
}

static void due_at(struct acts *s, int64_t us)
{
    if (us < s->due_us)
        s->due_us = us;
}

static struct deed *deed_new(struct acts *s)
{
    struct deed *d = calloc(1, sizeof *d);
    ASSERT(d);
    d->all = s;
    d->next = s->open;
    s->open = d;
    return d;
}

static void deed_free(struct deed *d)
{
    struct deed **at = &d->all->open;
    while (*at != d)
        at = &(*at)->next;
    *at = d->next;
    arena_done(&d->a);
    arena_done(&d->arrays);
    free(d);
}

static str dumped(struct arena *a, const json_t *o)
{
    char *text = o ? json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    str out = text ? arena_str(a, str_of(text)) : (str){0};
    free(text);
    return out;
}

/* ---- What is kept ------------------------------------------------------------------------------------------------ */

static json_t *parsed(str text)
{
    json_t *o = text.n ? json_loadb(text.p, (size_t)text.n, 0, NULL) : NULL;
    return o ? o : json_null();
}

/* Of the record as it was, what the deed is about: whatever it was given or told anew. */
static json_t *touched(const struct act *row)
{
    json_t *before = parsed(row->before), *params = parsed(row->params), *after = parsed(row->after);
    json_t *out = json_is_object(before) ? json_object() : json_null(), *v;
    const char *path;
    json_object_foreach(before, path, v) if (json_object_get(params, path) || json_object_get(after, path))
        json_object_set(out, path, v);
    json_decref(before);
    json_decref(params);
    json_decref(after);
    return out;
}

static int leave_trace(struct deed *d, const char *act, json_t *detail, struct err *e)
{
    struct audit row = {.at_us = now(d->all),
                        .who = d->row.who,
                        .act = str_of(act),
                        .object = str_of(arena_fmt(&d->a, "%.*s/%.*s %.*s", STR_FMT(d->judged.connection.name),
                                                   STR_FMT(d->row.kind), STR_FMT(d->row.name))),
                        .detail = dumped(&d->a, detail)};
    json_decref(detail);
    return audit_add(d->all->parts.db, &row, e);
}

static int trace_asked(struct deed *d, struct err *e)
{
    const struct act *row = &d->row;
    json_t *detail =
        json_pack("{s:I,s:o,s:o,s:o,s:o}", "act", (json_int_t)row->act, "key", view_str(row->key), "record",
                  view_str(row->record), "person", view_str(row->person), "params", parsed(row->params));
    if (row->beside_kind.n)
        json_object_set_new(detail, "beside",
                            json_pack("{s:o,s:o}", "kind", view_str(row->beside_kind), "id", view_str(row->beside_id)));
    return leave_trace(d, "act.ask", detail, e);
}

static int trace_ended(struct deed *d, struct err *e)
{
    const struct act *row = &d->row;
    const char *act = arena_fmt(&d->a, "act.%s", act_state_name(row->state));
    return leave_trace(d, act,
                       json_pack("{s:I,s:o,s:o,s:o,s:o,s:o}", "act", (json_int_t)row->act, "record",
                                 view_str(row->record), "before", touched(row), "after", parsed(row->after), "code",
                                 view_str(row->code), "text", view_str(row->words)),
                       e);
}

/* A record that was made beside another one belongs to it from then on. */
static int relate(struct deed *d, struct err *e)
{
    const struct act *row = &d->row;
    struct relation r = {.connection = row->connection,
                         .endpoint = row->endpoint,
                         .kind = row->kind,
                         .id = row->record,
                         .beside_kind = row->beside_kind,
                         .beside_id = row->beside_id,
                         .who = row->who,
                         .made_us = now(d->all)};
    bool made = row->state == ACT_DONE && (d->judged.action.flags & TL_ACTION_CREATES);
    return made && row->record.n && row->beside_id.n ? relation_add(d->all->parts.db, &r, e) : TL_OK;
}

/* In one transaction: the row as it is now, and what the audit says of it (NULL: nothing). */
static int keep(struct deed *d, int (*trace)(struct deed *d, struct err *e), struct err *e)
{
    struct db *db = d->all->parts.db;
    int rc = db_begin(db, e);
    if (rc == TL_OK && !d->row.act)
        rc = act_add(db, &d->row, e);
    else if (rc == TL_OK)
        rc = act_update(db, &d->row, e);
    if (rc == TL_OK && trace)
        rc = trace(d, e);
    if (rc == TL_OK && trace == trace_ended)
        rc = relate(d, e);
    if (rc == TL_OK)
        return db_commit(db, e);
    db_rollback(db);
    return rc;
}

/* ---- Answering --------------------------------------------------------------------------------------------------- */

static void answer(struct deed *d, int rc, const struct err *why)
{
    act_done_fn done = d->done;
    d->done = NULL;
    if (done)
        done(d->arg, rc, rc == TL_OK ? view_act_json(d->all->parts.db, &d->row) : NULL, why);
}

/* What cannot be stored stays as it is in the store, and is taken up from there. */
static void end(struct deed *d, int32_t state, const char *code, const char *words)
{
    struct acts *s = d->all;
    struct err e = {0};
    d->row.state = state;
    d->row.code = str_of(code);
    d->row.words = arena_str(&d->a, str_of(words));
    d->row.ended_us = now(s);
    d->row.look_us = 0;
    if (state == ACT_UNKNOWN && (d->judged.action.flags & TL_ACTION_LOOKS))
        d->row.look_us = now(s);
    int rc = keep(d, trace_ended, &e);
    if (rc != TL_OK) {
        log_err(LOG_ERROR, "storing what came of an act", &e);
        due_at(s, now(s) + AGAIN_US);
    }
    answer(d, rc, &e);
    deed_free(d);
}

static const char *words_of(const tl_error *error, int status)
{
    return error && error->text[0] ? error->text : status_name(status);
}

/* ---- Calls ------------------------------------------------------------------------------------------------------- */

static int ask_act(struct deed *d, uint32_t flags, struct call **out, struct err *e)
{
    const struct act_vendor *vendor = &d->all->parts.vendor;
    const tl_shape *kind_shape = NULL;
    const tl_action *action = &d->judged.action;
    struct call *c = NULL;
    int rc = vendor->ask(vendor->ctx, d->row.endpoint, CALL_ACT, d->row.kind, &c, &kind_shape, e);
    if (rc)
        return rc;
    tl_shape *shape = arena_new(&c->arena, tl_shape);
    tl_record *record = arena_new(&c->arena, tl_record);
    *shape = (tl_shape){sizeof *shape, action->n_params, action->param_stride, 0, action->kind, action->params};
    *record = (tl_record){.id = d->row.record,
                          .version = d->version,
                          .stamp = d->row.key,
                          .n_values = d->judged.values.n,
                          .values = d->judged.values.of};
    c->reads = action->flags & TL_ACTION_READS;
    c->request.act.flags = flags;
    c->request.act.name = action->name;
    c->request.act.shape = shape;
    c->request.act.record = record;
    c->request.act.stamp_field = d->judged.stamp_field;
    c->request.act.person = d->row.person;
    c->request.act.deadline_us = now(d->all) + ANSWER_US;
    *out = c;
    return TL_OK;
}

static void submit(struct deed *d, struct call *c, void (*done)(void *arg, struct call *c))
{
    const struct act_vendor *vendor = &d->all->parts.vendor;
    vendor->submit(vendor->ctx, c, done, d);
}

/* It was done: what the vendor says the record is now. */
static void take_result(struct deed *d, const struct call *c, const tl_result *result)
{
    if (result->record) {
        json_t *after = act_record_json(c->request.act.shape, result->record, &c->reply.blobs);
        d->row.after = dumped(&d->a, after);
        if (result->record->id.n)
            d->row.record = arena_str(&d->a, result->record->id);
        json_decref(after);
    }
}

static bool is_lost(const struct deed *d, tl_status status)
{
    bool open = status == TL_E_UNKNOWN || status == TL_E_BUG; /* a fault of the connector: who knows how far it came */
    return open && !(d->judged.action.flags & TL_ACTION_READS);
}

/* ---- Looking ----------------------------------------------------------------------------------------------------- */

static int64_t backoff_us(int32_t looks)
{
    int64_t wait = BACKOFF_US;
    for (int32_t i = 1; i < looks && wait < BACKOFF_MAX_US; i++)
        wait *= 2;
    return wait < BACKOFF_MAX_US ? wait : BACKOFF_MAX_US;
}

static void look_later(struct deed *d, int64_t at_us)
{
    struct acts *s = d->all;
    struct err e = {0};
    d->row.looks++;
    d->row.look_us = at_us;
    if (keep(d, NULL, &e))
        log_err(LOG_ERROR, "storing what came of an act", &e);
    due_at(s, at_us);
    answer(d, TL_OK, NULL);
    deed_free(d);
}

static void on_looked(void *arg, struct call *c)
{
    struct deed *d = arg;
    AUTO(reply_reader_done) struct reply_reader r;
    tl_result result = {0};
    int64_t us = now(d->all), settled_us = d->row.ended_us + d->judged.settle_us;
    tl_status status = call_act_outcome(c, &r, &result);
    if (status == TL_OK) {
        take_result(d, c, &result);
        end(d, ACT_DONE, "", "");
    } else if (status == TL_E_NOT_FOUND && us >= settled_us) {
        end(d, ACT_FAILED, "NOT_DONE", "its answer was lost, and the vendor knows nothing of it: it was not done");
    } else if (status == TL_E_NOT_FOUND) {
        look_later(d, settled_us); /* it may show only then */
    } else {
        look_later(d, us + backoff_us(d->row.looks + 1));
    }
    call_free(c);
}

static void look(struct deed *d)
{
    struct err e = {0};
    struct call *c = NULL;
    if (ask_act(d, TL_ACT_LOOK, &c, &e) == TL_OK)
        submit(d, c, on_looked);
    else
        look_later(d, now(d->all) + backoff_us(d->row.looks + 1));
}

/* The answer was lost. It is kept so, then looked for; who waits is answered after the first look. */
static void lost(struct deed *d, const char *why)
{
    struct acts *s = d->all;
    struct err e = {0};
    bool looks = d->judged.action.flags & TL_ACTION_LOOKS;
    d->row.state = ACT_UNKNOWN;
    d->row.code = STR("UNKNOWN");
    d->row.words =
        str_of(arena_fmt(&d->a, "%s; whether it was done is not known%s", why,
                         looks ? ", and is looked for" : ": look at the vendor, and do it anew if it was not"));
    d->row.ended_us = now(s);
    d->row.look_us = looks ? now(s) : 0;
    int rc = keep(d, trace_ended, &e);
    if (rc == TL_OK && looks) {
        look(d);
        return;
    }
    if (rc != TL_OK) {
        log_err(LOG_ERROR, "storing what came of an act", &e);
        due_at(s, now(s) + AGAIN_US);
    }
    answer(d, rc, &e);
    deed_free(d);
}

/* ---- Sending ----------------------------------------------------------------------------------------------------- */

static void on_sent(void *arg, struct call *c)
{
    struct deed *d = arg;
    AUTO(reply_reader_done) struct reply_reader r;
    tl_result result = {0};
    tl_status status = call_act_outcome(c, &r, &result);
    const tl_error *error = result.status != TL_OK && result.error ? result.error : &c->reply.error;
    if (status == TL_OK) {
        take_result(d, c, &result);
        end(d, ACT_DONE, "", "");
    } else if (is_lost(d, status)) {
        lost(d, words_of(error, status));
    } else {
        end(d, ACT_FAILED, arena_fmt(&d->a, "%s", error->code[0] ? error->code : status_name(status)),
            words_of(error, status));
    }
    call_free(c);
}

static void send_out(struct deed *d)
{
    struct err e = {0};
    struct call *c = NULL;
    if (ask_act(d, 0, &c, &e)) {
        end(d, ACT_FAILED, "NOT_SENT", arena_fmt(&d->a, "nothing was sent: %s", e.text));
        return;
    }
    d->row.state = ACT_SENT;
    int rc = keep(d, NULL, &e);
    if (rc == TL_OK) {
        env_crash_point(d->all->parts.env, "act sent");
        submit(d, c, on_sent);
        return;
    }
    call_free(c);
    due_at(d->all, now(d->all) + AGAIN_US);
    answer(d, rc, &e);
    deed_free(d);
}

/* ---- The record before ------------------------------------------------------------------------------------------- */

static bool take_before(struct deed *d, const struct call *c)
{
    AUTO(reply_reader_done) struct reply_reader r;
    bool there = false;
    reply_reader_init(&r, &c->reply);
    for (struct item x; reply_next(&r, &x);) {
        if (x.kind != ITEM_RECORD || x.u.record.state != TL_STATE_LIVE || (x.u.record.flags & TL_REC_BAD))
            continue;
        json_t *before = act_record_json(c->request.get.shape, &x.u.record, NULL);
        d->row.before = dumped(&d->a, before);
        d->version = arena_str(&d->a, x.u.record.version);
        json_decref(before);
        there = true;
    }
    return there;
}

static void on_before(void *arg, struct call *c)
{
    struct deed *d = arg;
    tl_status status = c->reply.status;
    if (status == TL_E_UNSUPPORTED || (status == TL_OK && take_before(d, c)))
        send_out(d);
    else if (status == TL_OK || status == TL_E_NOT_FOUND)
        end(d, ACT_FAILED, "NOT_FOUND",
            arena_fmt(&d->a, "nothing was sent: there is no %.*s \"%.*s\"", STR_FMT(d->row.kind),
                      STR_FMT(d->row.record)));
    else
        end(d, ACT_FAILED, "NOT_SENT", arena_fmt(&d->a, "nothing was sent: %s", words_of(&c->reply.error, status)));
    call_free(c);
}

static int ask_before(struct deed *d, struct call **out, struct err *e)
{
    const struct act_vendor *vendor = &d->all->parts.vendor;
    const tl_shape *shape = NULL;
    struct call *c = NULL;
    int rc = vendor->ask(vendor->ctx, d->row.endpoint, CALL_GET, d->row.kind, &c, &shape, e);
    if (rc)
        return rc;
    str *id = arena_new(&c->arena, str);
    *id = d->row.record;
    c->request.get.shape = shape;
    c->request.get.ids = id;
    c->request.get.n_ids = 1;
    c->request.get.deadline_us = now(d->all) + ANSWER_US;
    *out = c;
    return TL_OK;
}

/* ---- Beginning --------------------------------------------------------------------------------------------------- */

/* It goes to the vendor as a mark: one that looks like those of synced records would be taken for one. */
static int check_key(struct db *db, const char *key, struct err *e)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-";
    size_t n = strlen(key);
    str own = str_of(db_instance(db));
    if (n == 0 || n > KEY_MAX || strspn(key, allowed) != n)
        return err_set(e, TL_E_INVALID, "a key has 1 to %d letters, digits and \".\", \"_\", \":\", \"-\"", KEY_MAX);
    if (str_starts(str_of(key), own) && key[own.n] == '.')
        return err_set(e, TL_E_INVALID, "a key does not begin like the marks of synced records, \"%.*s.\"",
                       STR_FMT(own));
    return TL_OK;
}

static str key_made(struct acts *s, struct arena *a)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    char *key = arena_fmt(a, "act-%*s", KEY_CHARS, "");
    for (int i = 0; i < KEY_CHARS; i++)
        key[4 + i] = alphabet[env_random_below(s->parts.env, 32)];
    return str_of(key);
}

static void fill_row(struct deed *d, const struct act_wish *w)
{
    struct act *row = &d->row;
    json_t *nothing = json_object();
    *row = (struct act){.key = w->key ? arena_str(&d->a, str_of(w->key)) : key_made(d->all, &d->a),
                        .connection = d->judged.connection.connection,
                        .endpoint = d->judged.endpoint.endpoint,
                        .kind = arena_str(&d->a, str_of(w->kind)),
                        .name = arena_str(&d->a, str_of(w->name)),
                        .record = arena_str(&d->a, str_of(w->record)),
                        .who = arena_str(&d->a, str_of(w->caller.who)),
                        .person = arena_str(&d->a, w->caller.person),
                        .beside_kind = arena_str(&d->a, str_of(w->beside_kind)),
                        .beside_id = arena_str(&d->a, str_of(w->beside_id)),
                        .params = dumped(&d->a, w->params ? w->params : nothing),
                        .made_us = now(d->all)};
    json_decref(nothing);
}

static bool same_deed(const struct act *a, const struct act *b)
{
    return a->connection == b->connection && a->endpoint == b->endpoint && str_eq(a->kind, b->kind) &&
           str_eq(a->name, b->name) && (str_eq(a->record, b->record) || b->record.n == 0) && str_eq(a->who, b->who) &&
           str_eq(a->params, b->params) && str_eq(a->beside_kind, b->beside_kind) && str_eq(a->beside_id, b->beside_id);
}

/* TL_E_NOT_FOUND: nobody has used this key. */
static int known_deed(const struct deed *d, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct act known = {0};
    int rc = act_find(d->all->parts.db, &a, d->row.key, &known, e);
    if (rc == TL_OK && !same_deed(&known, &d->row)) {
        err_set(e, E_EXISTS, "the key \"%.*s\" names another act, which was asked for before", STR_FMT(d->row.key));
        err_code(e, "KEY_USED");
        err_hint(e, "a key names one act with its parameters: take a new one for another");
        return E_EXISTS;
    }
    if (rc == TL_OK)
        *out = view_act_json(d->all->parts.db, &known);
    return rc;
}

static int judged(struct acts *s, const struct act_wish *w, struct deed **out, struct err *e)
{
    int rc = w->key ? check_key(s->parts.db, w->key, e) : TL_OK;
    if (rc)
        return rc;
    struct deed *d = deed_new(s);
    rc = act_judge(s->parts.db, &d->a, &d->arrays, w, &d->judged, e);
    if (rc == TL_OK) {
        fill_row(d, w);
        *out = d;
    } else {
        deed_free(d);
    }
    return rc;
}

/* The call is made before anything is kept: what cannot be asked now leaves nothing behind. */
static int begin(struct deed *d, struct err *e)
{
    struct call *c = NULL;
    bool reads = d->judged.action.flags & TL_ACTION_READS, before = d->row.record.n && !reads;
    int rc = before ? ask_before(d, &c, e) : ask_act(d, 0, &c, e);
    if (rc)
        return rc;
    d->row.state = before ? ACT_PREPARED : ACT_SENT;
    rc = keep(d, trace_asked, e);
    if (rc) {
        call_free(c);
        return rc;
    }
    env_crash_point(d->all->parts.env, "act kept");
    submit(d, c, before ? on_before : on_sent);
    return TL_OK;
}

int acts_do(struct acts *s, const struct act_wish *w, json_t **at_once, act_done_fn done, void *arg, struct err *e)
{
    struct deed *d = NULL;
    json_t *known = NULL;
    int rc = judged(s, w, &d, e);
    if (rc)
        return rc;
    rc = known_deed(d, &known, e);
    if (rc == TL_E_NOT_FOUND) {
        d->done = done;
        d->arg = arg;
        rc = begin(d, e);
        if (rc == TL_OK)
            return TL_OK;
    }
    deed_free(d);
    if (rc == TL_OK)
        *at_once = known;
    return rc;
}

/* ---- Only shown -------------------------------------------------------------------------------------------------- */

static json_t *requests_json(const struct buf *notes)
{
    json_t *list = json_array();
    size_t at = 0;
    for (struct rehearsed r; rehearsed_next(notes, &at, &r);) {
        json_t *body = json_stringn(r.body.n ? r.body.p : "", (size_t)r.body.n); /* NULL: not text */
        json_array_append_new(list, json_pack("{s:o,s:o,s:o,s:I}", "method", view_str(r.method), "url", view_str(r.url),
                                              "body", body ? body : json_null(), "bytes", (json_int_t)r.bytes));
    }
    return list;
}

static void on_rehearsed(void *arg, struct call *c)
{
    struct deed *d = arg;
    AUTO(reply_reader_done) struct reply_reader r;
    tl_result result = {0};
    struct err e = {0};
    json_t *requests = requests_json(&c->reply.rehearsed), *out = NULL;
    tl_status status = call_act_outcome(c, &r, &result);
    const tl_error *error = result.status != TL_OK && result.error ? result.error : &c->reply.error;
    bool shown = json_array_size(requests) > 0 || status == TL_OK;
    if (shown)
        out = json_pack("{s:o,s:o,s:o,s:o,s:o,s:O}", "endpoint", view_str(d->judged.endpoint.name), "kind",
                        view_str(d->row.kind), "name", view_str(d->row.name), "record",
                        d->row.record.n ? view_str(d->row.record) : json_null(), "params", parsed(d->row.params),
                        "requests", requests);
    else
        err_set(&e, status, "%s", words_of(error, status));
    d->done(d->arg, shown ? TL_OK : status, out, &e);
    json_decref(requests);
    deed_free(d);
    call_free(c);
}

int acts_rehearse(struct acts *s, const struct act_wish *w, act_done_fn done, void *arg, struct err *e)
{
    struct deed *d = NULL;
    struct call *c = NULL;
    int rc = judged(s, w, &d, e);
    if (rc)
        return rc;
    rc = ask_act(d, 0, &c, e);
    if (rc) {
        deed_free(d);
        return rc;
    }
    d->done = done;
    d->arg = arg;
    c->rehearse = true;
    submit(d, c, on_rehearsed);
    return TL_OK;
}

/* ---- What was left behind ---------------------------------------------------------------------------------------- */

static bool is_under_way(const struct acts *s, int64_t act, unsigned *n)
{
    bool found = false;
    *n = 0;
    for (const struct deed *d = s->open; d; d = d->next, ++*n)
        found = found || d->row.act == act;
    return found;
}

static void copy_row(struct deed *d, const struct act *row)
{
    d->row = *row;
    str *const texts[] = {&d->row.key,    &d->row.kind,        &d->row.name,      &d->row.record, &d->row.who,
                          &d->row.person, &d->row.beside_kind, &d->row.beside_id, &d->row.params, &d->row.before,
                          &d->row.after,  &d->row.code,        &d->row.words};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i] = arena_str(&d->a, *texts[i]);
}

/* As far as it can be known again: an action that is described no longer cannot be looked for. */
static struct deed *deed_again(struct acts *s, const struct act *row)
{
    struct deed *d = deed_new(s);
    struct db *db = s->parts.db;
    struct action_row action = {0};
    AUTO(arena_done) struct arena arrays = {0};
    tl_kind kind = {0};
    copy_row(d, row);
    (void)connection_get(db, &d->a, row->connection, &d->judged.connection, NULL);
    if (action_get(db, &d->a, row->endpoint, row->kind, row->name, &action, NULL) == TL_OK &&
        act_describe(action.description, &d->arrays, &d->judged.action)) {
        json_t *params = parsed(d->row.params);
        (void)act_params_read(&d->judged.action, params, &d->a, &d->judged.values, NULL);
        json_decref(params);
    }
    if (view_describe(db, &d->a, &arrays, row->endpoint, row->kind, &kind)) {
        d->judged.stamp_field = arena_str(&d->a, kind.stamp_field);
        d->judged.settle_us = kind.settle_ms * US_PER_MS;
    }
    return d;
}

static void take_up(struct acts *s, const struct act *row)
{
    if (row->state == ACT_UNKNOWN && row->look_us > now(s)) {
        due_at(s, row->look_us);
        return;
    }
    struct deed *d = deed_again(s, row);
    if (row->state == ACT_PREPARED)
        end(d, ACT_FAILED, "NOT_SENT", "nothing was sent: tielined ended before");
    else if (row->state == ACT_SENT)
        lost(d, "tielined ended before it was answered");
    else
        look(d);
}

static int take_up_all(struct acts *s, struct err *e)
{
    int64_t after = 0;
    for (size_t n = 1; n > 0;) {
        AUTO(arena_done) struct arena a = {0};
        struct act *rows = NULL;
        int rc = act_list_open(s->parts.db, &a, after, 100, &rows, &n, e);
        if (rc)
            return rc;
        for (size_t i = 0; i < n; i++) {
            unsigned under_way = 0;
            after = rows[i].act;
            if (is_under_way(s, after, &under_way))
                continue;
            if (under_way >= LOOKS_AT_ONCE) {
                due_at(s, now(s) + BACKOFF_US);
                return TL_OK;
            }
            take_up(s, &rows[i]);
        }
    }
    return TL_OK;
}

int acts_recover(struct acts *s, struct err *e)
{
    s->due_us = NEVER;
    return take_up_all(s, e);
}

int64_t acts_tick(struct acts *s)
{
    struct err e = {0};
    if (s->due_us <= now(s) && acts_recover(s, &e)) {
        log_err(LOG_WARN, "acts", &e);
        due_at(s, now(s) + AGAIN_US);
    }
    if (s->due_us == NEVER)
        return NEVER;
    int64_t left_us = s->due_us - now(s);
    return env_mono_us(s->parts.env) + (left_us > 0 ? left_us : 0);
}
