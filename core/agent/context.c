/* What is shown beside a record of the help desk: see context.h. */
#include "context.h"

#include <stdlib.h>

#include "context_int.h"
#include "feeds.h"
#include "values.h"

enum { ROUNDS_MAX = 5 };

const struct answer *round_know(struct round *w, const struct question *q)
{
    struct known *known = w->known;
    for (size_t i = 0; i < known->n; i++) {
        const struct question *o = &known->questions[i];
        if (o->endpoint == q->endpoint && o->what == q->what && str_eq(o->kind, q->kind) && str_eq(o->by, q->by) &&
            str_eq(o->key, q->key) && str_eq(o->filter, q->filter))
            return i < known->n_asked ? &known->answers[i] : NULL;
    }
    if (known->n < QUESTIONS_MAX)
        known->questions[known->n++] = (struct question){.endpoint = q->endpoint,
                                                         .what = q->what,
                                                         .kind = arena_str(&known->a, q->kind),
                                                         .by = arena_str(&known->a, q->by),
                                                         .key = arena_str(&known->a, q->key),
                                                         .filter = arena_str(&known->a, q->filter)};
    return NULL;
}

/* ---- Records ----------------------------------------------------------------------------------------------------- */

void record_ask(struct round *w, int64_t endpoint, str kind, str id, struct seen_record *out)
{
    struct question q = {.endpoint = endpoint, .what = CALL_GET, .kind = kind, .key = id};
    const struct answer *known = round_know(w, &q);
    *out = (struct seen_record){.sight = !known ? SIGHT_MISSING : known->late ? SIGHT_LATE : SIGHT_NONE};
    if (!known || known->late)
        return;
    out->asked_us = known->us;
    if (known->status != TL_OK) {
        out->sight = known->status == TL_E_NOT_FOUND ? SIGHT_NONE : SIGHT_FAILED;
        out->text = known->why.text;
        return;
    }
    AUTO(reply_reader_done) struct reply_reader reader;
    reply_reader_init(&reader, known->reply);
    for (struct item item; reply_next(&reader, &item);)
        if (item.kind == ITEM_RECORD && item.u.record.state == TL_STATE_LIVE && str_eq(item.u.record.id, id)) {
            facts_of_record(view_kind(&w->kinds, endpoint, kind), known->shape, &item.u.record, &w->a, &out->facts);
            out->sight = SIGHT_SHOWN;
        }
}

/* The stored row, whoever reads it; TL_E_NOT_FOUND. */
static int stored_find(struct round *w, int64_t endpoint, str kind, str id, struct record *out, struct err *e)
{
    struct feed *feeds = NULL;
    size_t n = 0;
    int rc = feed_list(w->r, &w->a, endpoint, &feeds, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        if (!str_eq(feeds[i].kind, kind))
            continue;
        rc = record_find(w->r, &w->a, feeds[i].feed, id, out, e);
        if (rc != TL_E_NOT_FOUND)
            return rc;
        rc = TL_OK;
    }
    return rc == TL_OK ? TL_E_NOT_FOUND : rc;
}

void record_know(struct round *w, int64_t endpoint, str kind, str id, struct seen_record *out)
{
    struct record r = {0};
    struct err e = {0};
    int rc = stored_find(w, endpoint, kind, id, &r, &e);
    if (rc != TL_OK || r.observation.n == 0 || r.damaged) {
        record_ask(w, endpoint, kind, id, out);
        return;
    }
    *out = (struct seen_record){.sight = r.state == TL_STATE_LIVE ? SIGHT_SHOWN : SIGHT_NONE};
    facts_of_observation(view_kind(&w->kinds, endpoint, kind), &r, &w->a, &out->facts);
}

/* ---- Blocks ------------------------------------------------------------------------------------------------------ */

static const char *sight_name(enum sight s)
{
    static const char *const names[] = {"late", "late", "failed", "not_found", "shown"};
    return names[s];
}

static json_t *record_json(struct round *w, const struct facts *f)
{
    return json_pack("{s:o,s:o,s:o,s:o,s:o}", "id", view_str(f->id), "url", view_text_or_null(f->url), "name",
                     view_text_or_null(facts_name(f, &w->a)), "modified", view_time(f->modified_us), "fields",
                     facts_json(f));
}

static json_t *block_json(const char *item, str kind, enum sight sight, const char *text, int64_t asked_us)
{
    return json_pack("{s:s,s:o,s:s,s:s?,s:o,s:n,s:[]}", "item", item, "kind", view_str(kind), "state",
                     sight_name(sight), "text", text, "asked", view_time(asked_us), "total", "records");
}

static json_t *list_block(struct round *w, int64_t endpoint, const struct match *m, str kind)
{
    struct question q = {.endpoint = endpoint, .what = CALL_LIST, .kind = kind, .by = m->kind, .key = m->id};
    const struct answer *known = round_know(w, &q);
    AUTO(text_free) char *item = str_dup(kind);
    if (!known || known->late)
        return block_json(item, kind, SIGHT_LATE, NULL, 0);
    bool none = known->status == TL_E_NOT_FOUND;
    if (known->status != TL_OK && !none)
        return block_json(item, kind, SIGHT_FAILED, known->why.text, known->us);
    json_t *block = block_json(item, kind, SIGHT_SHOWN, NULL, known->us);
    json_t *records = json_object_get(block, "records");
    AUTO(reply_reader_done) struct reply_reader reader;
    struct reply empty = {0};
    reply_reader_init(&reader, known->reply && !none ? known->reply : &empty);
    for (struct item i; reply_next(&reader, &i);) {
        struct facts facts;
        if (i.kind == ITEM_CHECKPOINT && i.u.checkpoint.estimate >= 0)
            json_object_set_new(block, "total", json_integer(i.u.checkpoint.estimate));
        if (i.kind != ITEM_RECORD || i.u.record.state != TL_STATE_LIVE)
            continue;
        facts_of_record(view_kind(&w->kinds, endpoint, kind), known->shape, &i.u.record, &w->a, &facts);
        json_array_append_new(records, record_json(w, &facts));
    }
    return block;
}

static bool sees(const struct round *w, const struct grants *g, str object, str item)
{
    return w->everything || permission_judge(g, object, item).allowed;
}

static bool sees_list(const struct round *w, const struct grants *g, str panel, str kind)
{
    return w->everything || permission_judge_list(g, panel, kind).allowed;
}

/* What the system has of one it knows: himself, then every list the kinds say he has. */
static int blocks_add(struct round *w, int64_t endpoint, const struct grants *g, str panel, const struct match *m,
                      json_t *record, struct err *e)
{
    json_t *blocks = json_object_get(record, "blocks");
    struct kind_row *rows = NULL;
    size_t n = 0;
    int rc = kind_list(w->r, &w->a, endpoint, &rows, &n, e);
    if (rc == TL_OK && sees(w, g, panel, STR("information"))) {
        struct seen_record self;
        record_ask(w, endpoint, m->kind, m->id, &self);
        json_t *block = block_json("information", m->kind, self.sight, self.text, self.asked_us);
        if (self.sight == SIGHT_SHOWN) {
            json_array_append_new(json_object_get(block, "records"), record_json(w, &self.facts));
            json_object_set_new(record, "url", view_text_or_null(self.facts.url));
            json_object_set_new(record, "name", view_text_or_null(facts_name(&self.facts, &w->a)));
        }
        json_array_append_new(blocks, block);
    }
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        const struct view_kind *k = view_kind(&w->kinds, endpoint, rows[i].kind);
        if (str_in_list(k->desc.about, m->kind) && sees_list(w, g, panel, rows[i].kind))
            json_array_append_new(blocks, list_block(w, endpoint, m, rows[i].kind));
    }
    return rc;
}

/* One of the requester and his account, in one system. */
static int record_add(struct round *w, const struct connection *c, int side, const struct grants *g,
                      const struct subject *of, json_t *records, struct err *e)
{
    if (of->id.n == 0 || !sees(w, g, of->kind, PERMISSION_VISIBLE))
        return TL_OK;
    struct match m;
    int rc = match_find(w, c, side, of, &m, e);
    if (rc != TL_OK)
        return rc;
    const char *state = m.ambiguous ? "ambiguous" : sight_name(m.sight);
    json_t *record = json_pack("{s:o,s:o,s:n,s:n,s:s?,s:s,s:s?,s:[]}", "kind", view_str(m.kind), "id",
                               view_text_or_null(m.sight == SIGHT_SHOWN ? m.id : (str){0}), "url", "name", "found_by",
                               m.sight == SIGHT_SHOWN ? m.by : NULL, "state", state, "text", m.text, "blocks");
    if (m.sight == SIGHT_SHOWN)
        rc = blocks_add(w, c->endpoint[1 - side], g, of->kind, &m, record, e);
    json_array_append_new(records, record);
    return rc;
}

/* ---- Systems ----------------------------------------------------------------------------------------------------- */

static int system_add(struct round *w, const struct connection *c, int side, const struct subject of[2],
                      json_t *systems, struct err *e)
{
    struct grants g = {0};
    struct endpoint other = {0};
    int rc = w->everything ? TL_OK : grants_load(w->r, &w->a, c->connection, w->profile, &g, e);
    if (rc != TL_OK || !sees(w, &g, PERMISSION_INTEGRATION, PERMISSION_VISIBLE))
        return rc;
    rc = endpoint_get(w->r, &w->a, c->endpoint[1 - side], &other, e);
    if (rc != TL_OK)
        return rc;
    bool off = c->state == CONN_DISABLED;
    json_t *system = json_pack("{s:o,s:o,s:s,s:s?,s:[]}", "connection", view_str(c->name), "endpoint",
                               view_str(other.name), "state", off ? "disabled" : "shown", "text",
                               off                       ? "the connection is disabled"
                               : c->state == CONN_PAUSED ? "synchronisation is paused; what is shown is current"
                                                         : NULL,
                               "records");
    for (int i = 0; i < 2 && rc == TL_OK && !off; i++)
        rc = record_add(w, c, side, &g, &of[i], json_object_get(system, "records"), e);
    json_array_append_new(systems, system);
    return rc;
}

static int systems_add(struct round *w, int64_t endpoint, const struct subject of[2], json_t *systems, struct err *e)
{
    struct connection *all = NULL;
    size_t n = 0;
    int rc = connection_list(w->r, &w->a, &all, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        for (int s = 0; s < 2 && rc == TL_OK; s++)
            if (all[i].endpoint[s] == endpoint && all[i].state != CONN_DRAFT && all[i].state != CONN_DELETING)
                rc = system_add(w, &all[i], s, of, systems, e);
    return rc;
}

/* ---- The record itself ------------------------------------------------------------------------------------------- */

static int department_check(struct round *w, const struct facts *ticket, struct err *e)
{
    const struct viewer *v = w->ask->viewer;
    str department = fact_text(ticket, "department", &w->a);
    bool his = v->everything;
    for (uint32_t i = 0; i < v->n_departments && !his; i++)
        his = str_eq(v->departments[i], department);
    if (his)
        return TL_OK;
    err_set(e, TL_E_DENIED, "this ticket belongs to a department that the agent is not in");
    err_code(e, "DEPARTMENT");
    return TL_E_DENIED;
}

static json_t *subject_json(struct round *w, const struct subject *s)
{
    if (s->id.n == 0)
        return json_null();
    return json_pack("{s:o,s:o,s:o,s:o}", "kind", view_str(s->kind), "id", view_str(s->id), "name",
                     view_text_or_null(facts_name(&s->facts, &w->a)), "email",
                     view_text_or_null(fact_text(&s->facts, "email", &w->a)));
}

static void subject_know(struct round *w, int64_t endpoint, struct subject *s)
{
    struct seen_record seen = {0};
    if (s->id.n)
        record_know(w, endpoint, s->kind, s->id, &seen);
    s->facts = seen.facts;
}

/* The requester and his account, as far as they are known by now. */
static void subjects_of(struct round *w, int64_t endpoint, str kind, const struct facts *self, struct subject of[2])
{
    of[0] = (struct subject){.kind = STR("contact")};
    of[1] = (struct subject){.kind = STR("account")};
    if (str_is(kind, "account")) {
        of[1].id = self->id;
        of[1].facts = *self;
        return;
    }
    if (str_is(kind, "contact")) {
        of[0].id = self->id;
        of[0].facts = *self;
    } else {
        of[0].id = fact_text(self, "contact", &w->a);
        subject_know(w, endpoint, &of[0]);
    }
    of[1].id = fact_text(&of[0].facts, "account", &w->a);
    if (of[1].id.n == 0)
        of[1].id = fact_text(self, "account", &w->a);
    subject_know(w, endpoint, &of[1]);
}

/* The one that is named; else the only help desk. */
static int endpoint_choose(struct round *w, struct endpoint *out, struct err *e)
{
    struct endpoint *all = NULL;
    size_t n = 0, desks = 0;
    if (!w->ask->viewer->everything)
        return endpoint_get(w->r, &w->a, w->ask->viewer->endpoint, out, e);
    int rc = endpoint_list(w->r, &w->a, &all, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        bool named = w->ask->endpoint && str_is(all[i].name, w->ask->endpoint);
        if (!named && (w->ask->endpoint || all[i].role != TL_ROLE_HELPDESK))
            continue;
        *out = all[i];
        desks++;
    }
    if (rc != TL_OK || desks == 1)
        return rc;
    if (w->ask->endpoint)
        return err_set(e, TL_E_NOT_FOUND, "no endpoint \"%s\"", w->ask->endpoint);
    err_set(e, TL_E_NOT_FOUND, desks ? "there are %zu help desks: name one" : "there is no help desk", desks);
    err_hint(e, "`tieline endpoint list` shows them");
    return TL_E_NOT_FOUND;
}

/* Whose eyes it is seen with. */
static int viewer_take(struct round *w, int64_t endpoint, struct err *e)
{
    const struct viewer *v = w->ask->viewer;
    struct profile p = {0};
    w->everything = v->everything && !w->ask->profile;
    w->profile = v->profile;
    if (!v->everything || !w->ask->profile)
        return TL_OK;
    int rc = profile_find(w->r, &w->a, endpoint, str_of(w->ask->profile), &p, e);
    w->profile = p.id;
    return rc == TL_E_NOT_FOUND ? err_set(e, rc, "the help desk has no profile \"%s\"", w->ask->profile) : rc;
}

static int assemble(struct round *w, json_t **out, struct err *e)
{
    const struct context_ask *ask = w->ask;
    struct endpoint ep = {0};
    struct seen_record self;
    int rc = endpoint_choose(w, &ep, e);
    if (rc == TL_OK)
        rc = viewer_take(w, ep.endpoint, e);
    if (rc != TL_OK)
        return rc;
    str kind = str_of(ask->kind), id = str_of(ask->id);
    record_know(w, ep.endpoint, kind, id, &self);
    if (self.sight == SIGHT_NONE)
        return err_set(e, TL_E_NOT_FOUND, "\"%.*s\" has no %s %s", STR_FMT(ep.name), ask->kind, ask->id);
    if (self.sight == SIGHT_SHOWN && str_is(kind, "ticket"))
        rc = department_check(w, &self.facts, e);
    if (rc != TL_OK)
        return rc;
    struct subject of[2];
    self.facts.id = id;
    subjects_of(w, ep.endpoint, kind, &self.facts, of);
    *out = json_pack("{s:o,s:s,s:s,s:o,s:s,s:s?,s:o,s:o,s:[]}", "endpoint", view_str(ep.name), "kind", ask->kind, "id",
                     ask->id, "name", view_text_or_null(facts_name(&self.facts, &w->a)), "state",
                     sight_name(self.sight), "text", self.text, "requester", subject_json(w, &of[0]), "account",
                     subject_json(w, &of[1]), "systems");
    return systems_add(w, ep.endpoint, of, json_object_get(*out, "systems"), e);
}

/* ---- Rounds ------------------------------------------------------------------------------------------------------ */

static int round_run(const struct context_parts *parts, const struct context_ask *ask, struct known *known,
                     json_t **out, struct err *e)
{
    struct round w = {.ask = ask, .known = known};
    json_t *made = NULL;
    int rc = readers_take(parts->readers, &w.r, e);
    if (rc != TL_OK)
        return rc;
    w.kinds.r = w.r;
    rc = assemble(&w, &made, e);
    readers_give(parts->readers, w.r);
    view_kinds_done(&w.kinds);
    arena_done(&w.a);
    if (rc == TL_OK)
        *out = made;
    else
        json_decref(made);
    return rc;
}

int context_show(const struct context_parts *parts, const struct context_ask *ask, json_t **out, struct err *e)
{
    struct known *known = calloc(1, sizeof *known);
    ASSERT(known);
    const struct env *env = answers_env(parts->answers);
    int64_t until = env_mono_us(env) + ask->wait_us;
    json_t *made = NULL;
    int rc = round_run(parts, ask, known, &made, e);
    for (int i = 0; i < ROUNDS_MAX && rc == TL_OK && known->n > known->n_asked; i++) {
        int64_t left = until - env_mono_us(env);
        answers_take(parts->answers, &known->questions[known->n_asked], known->n - known->n_asked, left > 0 ? left : 0,
                     &known->answers[known->n_asked]);
        known->n_asked = known->n;
        json_decref(made);
        made = NULL;
        rc = round_run(parts, ask, known, &made, e);
    }
    for (size_t i = 0; i < known->n_asked; i++)
        answer_give(parts->answers, &known->answers[i]);
    arena_done(&known->a);
    free(known);
    if (rc == TL_OK)
        *out = made;
    else
        json_decref(made);
    return rc;
}
