#include "twin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "times.h"

/* From the reading at the vendor to the write that builds on it: what the engine allows, and four seconds in which a
 * user is busy, twice. */
#define LOOKED_US (10 * US_PER_S)

/* ---- World */

static int64_t vendor_now(const struct world *w, int s)
{
    int64_t t = w->now_us + w->knobs.skew_us[s], step = (int64_t)w->knobs.resolution_ms[s] * US_PER_MS;
    return step > 0 ? t - t % step : t;
}

/* Half of them late, a third lost, some twice and more. */
static void hook_send(struct world *w, int s, const struct twin_record *r)
{
    if (!(w->knobs.chaos & CHAOS_HOOKS) || !w->faults || world_chance(w, 30))
        return;
    for (int i = 0; i < TWIN_HOOKS; i++) {
        struct twin_hook *h = &w->hook[i];
        if (h->times)
            continue;
        *h = (struct twin_hook){.times = world_chance(w, 20) ? 10 : 1, .vendor = s, .at_us = w->now_us};
        if (world_chance(w, 50))
            h->at_us += (int64_t)world_random(w, 600 * US_PER_S);
        snprintf(h->body, sizeof h->body, "%s %s", r->id[1] == 'c' ? "contact" : "account", r->id);
        snprintf(h->key, sizeof h->key, "%u", ++w->next_seq);
        return;
    }
}

static void touch(struct world *w, int s, struct twin_record *r, const char *by)
{
    if (strcmp(by, "user") == 0)
        hook_send(w, s, r);
    r->modified_us = vendor_now(w, s);
    r->seq = ++w->next_seq;
    r->visible_us = w->now_us;
    if (w->faults && w->knobs.late_us)
        r->visible_us += (int64_t)world_random(w, (uint64_t)w->knobs.late_us);
    snprintf(r->by, sizeof r->by, "%s", by);
}

static struct twin_record *record_new(struct world *w, int s, int kind)
{
    for (int i = 0; i < TWIN_RECORDS; i++) {
        struct twin_record *r = &w->rec[s][kind][i];
        if (r->used)
            continue;
        memset(r, 0, sizeof *r);
        r->used = true;
        snprintf(r->id, sizeof r->id, "%c%c%u", "AB"[s], "ac"[kind], ++w->next_id);
        r->created_us = vendor_now(w, s);
        return r;
    }
    return NULL;
}

static struct twin_record *record_by_id(struct world *w, int s, int kind, const char *id, size_t n)
{
    for (int i = 0; i < TWIN_RECORDS; i++) {
        struct twin_record *r = &w->rec[s][kind][i];
        if (r->used && strlen(r->id) == n && memcmp(r->id, id, n) == 0)
            return r;
    }
    return NULL;
}

static void set_field(struct world *w, int s, struct twin_record *r, int f, const char *value)
{
    if (f == F_PHONE && w->knobs.normalise[s] && strncmp(value, "+", 1) == 0)
        snprintf(r->v[f], TWIN_TEXT, "+ %.30s", value + 1);
    else
        snprintf(r->v[f], TWIN_TEXT, "%s", value);
}

static void user_typed(struct world *w, struct twin_record *r, int f)
{
    world_type(w, r->v[f]);
    r->user_edit[f] = ++w->edit_no;
    memcpy(r->user_value[f], r->v[f], TWIN_TEXT);
}

struct twin_record *user_create(struct world *w, int s, int kind, const char *email, const char *name)
{
    struct twin_record *r = record_new(w, s, kind);
    if (!r)
        return NULL;
    set_field(w, s, r, F_NAME, name);
    set_field(w, s, r, F_EMAIL, email);
    char tag[TWIN_TEXT];
    snprintf(tag, sizeof tag, "tag%s", r->id);
    set_field(w, s, r, F_TAG, tag);
    for (int f = 0; f < TWIN_FIELDS; f++)
        user_typed(w, r, f);
    touch(w, s, r, "user");
    world_trace(w, "user-create", r->id, kind);
    return r;
}

void user_edit(struct world *w, int s, int kind, struct twin_record *r, int field, const char *value)
{
    (void)kind;
    set_field(w, s, r, field, value);
    user_typed(w, r, field);
    touch(w, s, r, "user");
    world_trace(w, "user-edit", r->id, field);
}

static struct twin_record *pick(struct world *w, int s, int kind, int state)
{
    uint64_t at = world_random(w, TWIN_RECORDS);
    for (uint64_t i = 0; i < TWIN_RECORDS; i++) {
        struct twin_record *r = &w->rec[s][kind][(at + i) % TWIN_RECORDS];
        if (r->used && r->state == state)
            return r;
    }
    return NULL;
}

void user_touch(struct world *w, int s, struct twin_record *r)
{
    touch(w, s, r, "user");
    world_trace(w, "user-touch", r->id, r->state);
}

/* The vendor keeps the values of the one that is left. */
void user_merge(struct world *w, int s, struct twin_record *lost, struct twin_record *left)
{
    lost->state = TL_STATE_MERGED;
    snprintf(lost->into, sizeof lost->into, "%s", left->id);
    left->restored = true; /* its values may come from counterparts of both */
    touch(w, s, lost, "user");
    world_trace(w, "user-merge", lost->id, 0);
}

/* Into the list view, or out of it: an edit like any other. */
static void user_moves(struct world *w)
{
    struct twin_record *r = pick(w, 1, world_chance(w, 70) ? KIND_CONTACT : KIND_ACCOUNT, TL_STATE_LIVE);
    if (!r)
        return;
    r->outside = !r->outside;
    touch(w, 1, r, "user");
    world_trace(w, "user-view", r->id, r->outside);
}

void user_random(struct world *w)
{
    if (w->knobs.views && world_chance(w, 10)) {
        user_moves(w);
        return;
    }
    int s = (int)world_random(w, 2), kind = world_chance(w, 70) ? KIND_CONTACT : KIND_ACCOUNT;
    char text[TWIN_TEXT], email[TWIN_TEXT] = "";
    uint64_t what = world_random(w, 100);
    struct twin_record *r = pick(w, s, kind, TL_STATE_LIVE);
    if (what < 20 || !r) {
        snprintf(text, sizeof text, "name%u", w->edit_no);
        if (kind == KIND_CONTACT && world_chance(w, 85))
            snprintf(email, sizeof email, "m%u@x.org",
                     world_chance(w, 6) && w->edit_no > 20 ? w->edit_no - 9 : w->edit_no);
        r = user_create(w, s, kind, email, text);
        struct twin_record *account = kind == KIND_CONTACT && r ? pick(w, s, KIND_ACCOUNT, TL_STATE_LIVE) : NULL;
        if (account && world_chance(w, 60)) {
            set_field(w, s, r, F_ACCOUNT, account->id);
            user_typed(w, r, F_ACCOUNT);
        }
    } else if (what < 90) {
        static const int fields[] = {F_PHONE, F_TITLE, F_EXTRA};
        int f = fields[world_random(w, 3)];
        if (f == F_PHONE)
            snprintf(text, sizeof text, "+55%07u", ++w->edit_no);
        else
            snprintf(text, sizeof text, "v%u", w->edit_no + 1);
        user_edit(w, s, kind, r, f, text);
    } else if (what < 94) {
        r->state = TL_STATE_TRASHED;
        touch(w, s, r, "user");
        world_trace(w, "user-trash", r->id, 0);
    } else if (what == 94 && w->knobs.merges) {
        struct twin_record *left = pick(w, s, kind, TL_STATE_LIVE);
        if (left && left != r)
            user_merge(w, s, r, left);
    } else if (what < 96) {
        r->state = TL_STATE_DELETED;
        touch(w, s, r, "user");
        world_trace(w, "user-delete", r->id, 0);
    } else if ((r = pick(w, s, kind, TL_STATE_TRASHED))) {
        r->state = TL_STATE_LIVE;
        r->restored = true;
        touch(w, s, r, "user");
        world_trace(w, "user-restore", r->id, 0);
    }
}

/* ---- Records out */

static int shape_kind(const tl_shape *shape)
{
    return shape->kind.n == 7 && memcmp(shape->kind.p, "contact", 7) == 0 ? KIND_CONTACT : KIND_ACCOUNT;
}

static int path_field(int kind, tl_str path)
{
    for (int f = 0; f < TWIN_FIELDS; f++) {
        const char *of_kind = twin_field_path(kind, f), *of_product = twin_product_path(f);
        if ((of_kind && str_is(path, of_kind)) || (kind == KIND_ACCOUNT && of_product && str_is(path, of_product)))
            return f;
    }
    return -1;
}

static tl_str text(const char *z)
{
    return (tl_str){z, strlen(z)};
}

static void emit(struct world *w, int s, const tl_shape *shape, const struct twin_record *r, uint32_t index,
                 struct reply *reply)
{
    tl_value values[TWIN_FIELDS];
    char version[24];
    uint32_t n = 0;
    int kind = shape_kind(shape);
    for (uint32_t i = 0; i < shape->n_fields; i++) {
        const tl_field *f = TL_AT(tl_field, shape->fields, shape->field_stride, i);
        int at = path_field(kind, f->path);
        if (at < 0)
            continue;
        values[n] = (tl_value){.field = i, .type = r->v[at][0] ? (uint8_t)twin_field_type(at) : TL_NULL};
        if (r->v[at][0])
            values[n].u.s = text(r->v[at]);
        n++;
    }
    snprintf(version, sizeof version, "%lld", (long long)r->modified_us);
    tl_record out = {.id = text(r->id),
                     .version = text(version),
                     .by = text(r->by),
                     .stamp = text(r->stamp),
                     .into = text(r->state == TL_STATE_MERGED ? r->into : ""),
                     .modified_us = r->modified_us,
                     .created_us = r->created_us,
                     .state = r->state,
                     .version_kind = TL_VER_TIME,
                     .flags = TL_REC_FULL,
                     .index = index,
                     .n_values = r->state == TL_STATE_DELETED || r->state == TL_STATE_MERGED ? 0 : n,
                     .values = values};
    (void)w;
    (void)s;
    ASSERT(reply_add_record(reply, &out, NULL) == TL_OK);
}

static int by_change(const void *a, const void *b)
{
    const struct twin_record *x = *(struct twin_record *const *)a, *y = *(struct twin_record *const *)b;
    if (x->modified_us != y->modified_us)
        return x->modified_us < y->modified_us ? -1 : 1;
    return strcmp(x->id, y->id);
}

/* A record that the view has lost for now: always the same ones. */
static bool is_hidden(const struct world *w, int s, int kind, const struct twin_record *r)
{
    int at = (int)(r - w->rec[s][kind]);
    return at * 37 % 100 < w->hidden[s][kind];
}

/* A pull that asks for a list view is shown what is inside. */
static bool is_shown(const struct world *w, int s, int kind, const struct twin_record *r, const tl_pull *p)
{
    if (w->knobs.window_kept && r->created_us < p->created_from_us)
        return false;
    return r->used && r->visible_us <= w->now_us && !is_hidden(w, s, kind, r) && !(p->view.n && r->outside);
}

/* The cursor is the vendor's time at the start of the pull, less the lateness. */
static void pull_changes(struct world *w, int s, const tl_pull *p, struct reply *reply)
{
    int64_t since = p->cursor.n ? strtoll(p->cursor.p, NULL, 10) : vendor_now(w, s) - w->knobs.late_us - US_PER_S;
    struct twin_record *list[TWIN_RECORDS];
    int n = 0, kind = shape_kind(p->shape);
    for (int i = 0; i < TWIN_RECORDS; i++) {
        struct twin_record *r = &w->rec[s][kind][i];
        if (is_shown(w, s, kind, r, p) && r->modified_us >= since)
            list[n++] = r;
    }
    qsort(list, (size_t)n, sizeof *list, by_change);
    if (w->faults && (w->knobs.chaos & CHAOS_PAGES))
        n = world_scrambled(w, list, n);
    for (int i = 0; i < n; i++)
        emit(w, s, p->shape, list[i], 0, reply);
    char cursor[24];
    snprintf(cursor, sizeof cursor, "%lld", (long long)(vendor_now(w, s) - w->knobs.late_us - 2 * US_PER_S));
    tl_checkpoint c = {.struct_size = sizeof c,
                       .mode = TL_PULL_CHANGES,
                       .complete = 1,
                       .cursor = text(cursor),
                       .server_us = vendor_now(w, s),
                       .estimate = -1};
    ASSERT(reply_add_checkpoint(reply, &c, NULL) == TL_OK);
}

static void pull_pass(struct world *w, int s, const tl_pull *p, struct reply *reply)
{
    int kind = shape_kind(p->shape), at = p->cursor.n ? atoi(p->cursor.p) : 0, pages = 0;
    while (pages < (int)p->max_pages) {
        int n = 0;
        for (; at < TWIN_RECORDS && n < 10; at++) {
            struct twin_record *r = &w->rec[s][kind][at];
            if (r->state != TL_STATE_LIVE || !is_shown(w, s, kind, r, p))
                continue;
            emit(w, s, p->shape, r, 0, reply);
            n++;
        }
        char cursor[24];
        snprintf(cursor, sizeof cursor, "%d", at);
        tl_checkpoint c = {.struct_size = sizeof c,
                           .mode = TL_PULL_PASS,
                           .complete = at >= TWIN_RECORDS,
                           .cursor = text(cursor),
                           .server_us = vendor_now(w, s),
                           .estimate = TWIN_RECORDS};
        ASSERT(reply_add_checkpoint(reply, &c, NULL) == TL_OK);
        pages++;
        if (c.complete)
            return;
        if (w->faults && (w->knobs.chaos & CHAOS_PAGES) && world_chance(w, 10)) { /* the line breaks after a page */
            reply->status = TL_E_TEMPORARY;
            return;
        }
    }
}

/* A user edits the record at the last moment. */
static void race(struct world *w, int s, int kind, struct twin_record *r)
{
    char value[TWIN_TEXT];
    if (r->state != TL_STATE_LIVE || !w->faults || !world_chance(w, w->knobs.race_pct))
        return;
    snprintf(value, sizeof value, "race%u", w->edit_no + 1);
    user_edit(w, s, kind, r, F_TITLE, value);
    w->counts.races++;
}

/* Where writes take no condition, the last moment is before the read that the write builds on. */
static void get(struct world *w, int s, const tl_get *q, struct reply *reply)
{
    int kind = shape_kind(q->shape);
    for (uint32_t i = 0; i < q->n_ids; i++) {
        struct twin_record *r = record_by_id(w, s, kind, q->ids[i].p, q->ids[i].n);
        if (!r)
            continue;
        if (!(w->knobs.can[s][kind] & TL_CAN_CONDITIONAL))
            race(w, s, kind, r);
        r->read_us = w->mono_us;
        emit(w, s, q->shape, r, i, reply);
    }
}

static void find(struct world *w, int s, const tl_find *q, struct reply *reply)
{
    int kind = shape_kind(q->shape);
    for (uint32_t i = 0; i < q->n_queries; i++) {
        const tl_query *query = TL_AT(tl_query, q->queries, q->query_stride, i);
        int field = path_field(kind, query->path), n = 0;
        for (int k = 0; k < TWIN_RECORDS && n < (int)(q->limit ? q->limit : 20); k++) {
            struct twin_record *r = &w->rec[s][kind][k];
            if (!r->used || r->state == TL_STATE_DELETED)
                continue;
            bool hit;
            if (query->path.n == 5 && memcmp(query->path.p, "stamp", 5) == 0)
                hit = strlen(r->stamp) == query->value.n && memcmp(r->stamp, query->value.p, query->value.n) == 0;
            else if (query->path.n == 7 && memcmp(query->path.p, "created", 7) == 0)
                hit = strcmp(r->by, "api") == 0 && r->ours && r->created_us >= strtoll(query->value.p, NULL, 10);
            else
                hit = field >= 0 && strlen(r->v[field]) == query->value.n &&
                      strncasecmp(r->v[field], query->value.p, query->value.n) == 0;
            if (!hit)
                continue;
            r->read_us = w->mono_us;
            emit(w, s, q->shape, r, i, reply);
            n++;
        }
    }
}

/* ---- Writes */

struct write {
    int op;
    int64_t version; /* of the record it is based on; 0: none, or a vendor that does not look */
    const char *id, *stamp;
    const bool *set;
    char (*v)[TWIN_TEXT];
};

static struct twin_record *apply(struct world *w, int s, int kind, const struct write *in, bool *created)
{
    struct twin_record *r = NULL;
    *created = false;
    if (in->op == TL_OP_CREATE) {
        bool unique = w->knobs.stamp[s] && (w->knobs.can[s][kind] & TL_CAN_STAMP_UNIQUE);
        for (int i = 0; i < TWIN_RECORDS && unique && in->stamp[0]; i++) {
            struct twin_record *known = &w->rec[s][kind][i];
            if (known->used && known->state == TL_STATE_LIVE && strcmp(known->stamp, in->stamp) == 0)
                r = known;
        }
        if (r && in->set[F_TAG] && strcmp(r->v[F_TAG], in->v[F_TAG]) != 0)
            world_violation(w, "V21: a create for %s reached %s, which is stamped for %s", in->v[F_TAG], r->id,
                            r->v[F_TAG]);
        if (!r) {
            r = record_new(w, s, kind);
            if (!r)
                return NULL;
            *created = true;
            r->ours = true;
            snprintf(r->stamp, sizeof r->stamp, "%s", in->stamp);
        }
        w->counts.creates++;
    } else {
        r = record_by_id(w, s, kind, in->id, strlen(in->id));
        if (!r || r->state == TL_STATE_DELETED)
            return NULL;
        if (in->op == TL_OP_RESTORE) {
            r->state = TL_STATE_LIVE;
            w->counts.restores++;
        } else if (in->op == TL_OP_DELETE) {
            w->counts.deletes++;
            r->state = TL_STATE_TRASHED;
        } else {
            w->counts.updates++;
        }
    }
    for (int f = 0; f < TWIN_FIELDS; f++)
        if (in->set[f])
            set_field(w, s, r, f, in->v[f]);
    touch(w, s, r, "api");
    world_trace(w, in->op == TL_OP_CREATE ? "create" : in->op == TL_OP_UPDATE ? "update" : "restore", r->id, *created);
    return r;
}

void world_later(struct world *w)
{
    for (int i = 0; i < TWIN_LATER && w->n_later > 0; i++) {
        struct twin_later *l = &w->later[i];
        if (!l->used || l->at_us > w->now_us)
            continue;
        bool created;
        struct write in = {l->op, l->version, l->id, l->stamp, l->set, l->v};
        const struct twin_record *known = record_by_id(w, l->vendor, l->kind, l->id, strlen(l->id));
        l->used = false;
        w->n_later--;
        if (!l->version || !known || known->modified_us == l->version)
            apply(w, l->vendor, l->kind, &in, &created);
    }
}

static void write_later(struct world *w, int s, int kind, const struct write *in)
{
    for (int i = 0; i < TWIN_LATER; i++) {
        struct twin_later *l = &w->later[i];
        if (l->used)
            continue;
        memset(l, 0, sizeof *l);
        l->used = true;
        w->n_later++;
        l->vendor = s;
        l->kind = kind;
        l->op = in->op;
        l->version = in->version;
        l->at_us = w->now_us + 1 + (int64_t)world_random(w, (uint64_t)w->knobs.delay_us);
        snprintf(l->id, sizeof l->id, "%s", in->id);
        snprintf(l->stamp, sizeof l->stamp, "%s", in->stamp);
        memcpy(l->set, in->set, sizeof l->set);
        memcpy(l->v, in->v, sizeof l->v);
        return;
    }
}

static void result(struct reply *reply, uint32_t index, tl_status status, int32_t reason, const char *words)
{
    tl_error error = {.struct_size = sizeof error, .reason = reason};
    snprintf(error.text, sizeof error.text, "%s", words);
    tl_result r = {.struct_size = sizeof r, .status = status, .error = &error};
    ASSERT(reply_add_result(reply, index, &r, NULL) == TL_OK);
}

static void push_one(struct world *w, int s, int kind, const tl_push *p, uint32_t index, struct reply *reply)
{
    const tl_record *r = TL_AT(tl_record, p->batch->records, p->batch->stride, index);
    bool set[TWIN_FIELDS] = {false};
    char v[TWIN_FIELDS][TWIN_TEXT] = {{0}}, id[16], stamp[40];
    snprintf(id, sizeof id, "%.*s", (int)r->id.n, r->id.n ? r->id.p : "");
    snprintf(stamp, sizeof stamp, "%.*s", (int)r->stamp.n, r->stamp.n ? r->stamp.p : "");
    for (uint32_t i = 0; i < r->n_values; i++) {
        const tl_field *f = TL_AT(tl_field, p->shape->fields, p->shape->field_stride, r->values[i].field);
        int at = path_field(kind, f->path);
        if (at < 0)
            continue;
        set[at] = true;
        if (r->values[i].type != TL_NULL)
            snprintf(v[at], TWIN_TEXT, "%.*s", (int)r->values[i].u.s.n, r->values[i].u.s.p);
    }
    if (set[F_EXTRA] && w->drift[s] && (w->drift[s] != 3 || (r->op == TL_OP_CREATE && !v[F_EXTRA][0]))) {
        result(reply, index, TL_E_INVALID, TL_R_READ_ONLY, "the field cannot be written");
        return;
    }
    if (kind == KIND_CONTACT)
        world_erased(w, s, id, v[F_TAG]);
    bool conditional = (w->knobs.can[s][kind] & TL_CAN_CONDITIONAL) && r->version.n;
    struct write in = {r->op, conditional ? strtoll(r->version.p, NULL, 10) : 0, id, stamp, set, v};
    struct twin_record *known = r->op == TL_OP_CREATE ? NULL : record_by_id(w, s, kind, id, strlen(id));
    /* A vendor without conditional writes lets a write go over an edit of the same field made between its read and
     * itself: nobody can see that, so it is not asked for. */
    bool blind = set[F_TITLE] && !(w->knobs.can[s][kind] & TL_CAN_CONDITIONAL);
    if (known && !blind)
        race(w, s, kind, known);
    if (r->op != TL_OP_CREATE &&
        (!known || known->state == TL_STATE_DELETED || (known->state != TL_STATE_LIVE && r->op != TL_OP_RESTORE))) {
        result(reply, index, TL_E_NOT_FOUND, TL_R_OTHER, "no such record");
        return;
    }
    if (in.version && known && in.version != known->modified_us) {
        result(reply, index, TL_E_CONFLICT, TL_R_OTHER, "the record changed meanwhile");
        return;
    }
    if (known && r->op == TL_OP_DELETE)
        world_deletable(w, s, kind, known);
    if (w->faults && world_chance(w, w->knobs.partial_pct)) {
        result(reply, index, TL_E_TEMPORARY, TL_R_LOCKED, "row is locked");
        return;
    }
    if (w->faults && world_chance(w, w->knobs.unknown_pct)) {
        uint64_t how = world_random(w, 3);
        bool created;
        w->counts.unknown++;
        world_trace(w, "unknown", r->op == TL_OP_CREATE ? v[F_TAG] : id, (int64_t)how);
        if (how == 0)
            apply(w, s, kind, &in, &created);
        else if (how == 1 && w->knobs.delay_us)
            write_later(w, s, kind, &in);
        if (world_chance(w, 50))
            result(reply, index, TL_E_UNKNOWN, TL_R_OTHER, "no answer");
        return;
    }
    bool created = false;
    struct twin_record *now = apply(w, s, kind, &in, &created);
    if (!now) {
        result(reply, index, TL_E_TEMPORARY, TL_R_OTHER, "the twin is full");
        return;
    }
    char version[24];
    snprintf(version, sizeof version, "%lld", (long long)now->modified_us);
    tl_value values[TWIN_FIELDS];
    uint32_t n = 0;
    bool post = w->knobs.can[s][kind] & TL_CAN_RETURN_POST;
    for (uint32_t i = 0; i < p->shape->n_fields && post; i++) {
        int at = path_field(kind, TL_AT(tl_field, p->shape->fields, p->shape->field_stride, i)->path);
        if (at < 0)
            continue;
        values[n] = (tl_value){.field = i, .type = now->v[at][0] ? (uint8_t)twin_field_type(at) : TL_NULL};
        if (now->v[at][0])
            values[n].u.s = text(now->v[at]);
        n++;
    }
    now->read_us = post ? w->mono_us : 0;
    tl_record out = {.id = text(now->id),
                     .version = text(version),
                     .version_kind = TL_VER_TIME,
                     .modified_us = now->modified_us,
                     .created_us = now->created_us,
                     .by = text("api"),
                     .stamp = text(now->stamp),
                     .n_values = n,
                     .values = values,
                     .flags = post ? TL_REC_FULL : 0};
    tl_result ok = {.struct_size = sizeof ok, .created = created, .record = &out};
    ASSERT(reply_add_result(reply, index, &ok, NULL) == TL_OK);
}

static bool is_bad(const tl_record *r)
{
    for (uint32_t k = 0; k < r->n_values; k++)
        if (r->values[k].type == TL_TEXT && r->values[k].u.s.n >= 3 && memcmp(r->values[k].u.s.p, "bad", 3) == 0)
            return true;
    return false;
}

static bool holds_bad(const tl_push *p)
{
    for (uint32_t i = 0; i < p->batch->count; i++)
        if (is_bad(TL_AT(tl_record, p->batch->records, p->batch->stride, i)))
            return true;
    return false;
}

/* What no vendor or connector survives whole. */
static void push_bad(struct world *w, const tl_push *p, struct reply *reply)
{
    reply->crashed = w->knobs.bad == 2;
    if (reply->crashed)
        reply->status = TL_E_UNKNOWN;
    else if (p->batch->count > 1)
        reply->status = TL_E_INVALID;
    else
        result(reply, 0, TL_E_INVALID, TL_R_OTHER, "this record is wrong");
}

static void push(struct world *w, int s, const tl_push *p, struct reply *reply)
{
    int kind = shape_kind(p->shape);
    if (w->knobs.bad && w->knobs.bad < 3 && holds_bad(p)) {
        push_bad(w, p, reply);
        return;
    }
    if (w->faults && p->batch->count > 1 && world_chance(w, w->knobs.reject_pct)) {
        w->counts.rejected++;
        reply->status = TL_E_INVALID;
        snprintf(reply->error.text, sizeof reply->error.text, "something in this batch is wrong");
        return;
    }
    for (uint32_t i = 0; i < p->batch->count; i++)
        if (w->knobs.bad != 3 || !is_bad(TL_AT(tl_record, p->batch->records, p->batch->stride, i)))
            push_one(w, s, kind, p, i, reply);
}

/* ---- Dispatcher */

/* A write that takes no condition goes over whatever was edited since the record was read: it was read for it. */
static void looked_before(struct world *w, int s, const tl_push *p)
{
    int kind = shape_kind(p->shape);
    for (uint32_t i = 0; i < p->batch->count; i++) {
        const tl_record *r = TL_AT(tl_record, p->batch->records, p->batch->stride, i);
        bool bound = (w->knobs.can[s][kind] & TL_CAN_CONDITIONAL) && r->version.n;
        const struct twin_record *known = record_by_id(w, s, kind, r->id.p, r->id.n);
        if (r->op != TL_OP_UPDATE || bound || !known || w->mono_us - known->read_us <= LOOKED_US)
            continue;
        world_violation(w, "P2: an update of %s left, which was not read since %s", known->id,
                        known->read_us ? "long" : "our last write");
    }
}

static void submit(void *ctx, struct call *c)
{
    struct twin *t = ctx;
    struct world *w = t->world;
    int s = c->endpoint == t->endpoint[1];
    bool told = c->kind == CALL_CHECK || c->kind == CALL_DISCOVER; /* a person asked for it */
    bool asks = !told && c->kind != CALL_PARSE_HOOK;
    if (w->paused && c->kind == CALL_PUSH)
        world_violation(w, "V15: a write left while the connection was paused");
    if (c->kind == CALL_PUSH)
        looked_before(w, s, &c->request.push);
    if (t->unloaded && !told)
        world_violation(w, "Q12: a %s went to a connector that is not there", call_kind_name(c->kind));
    if (asks && w->told_until[s] > w->mono_us + US_PER_S)
        world_violation(w, "V17: a %s went to %s, %lld ms before the vendor wanted to hear of us again",
                        call_kind_name(c->kind), s ? "B" : "A", (long long)(w->told_until[s] - w->mono_us) / 1000);
    c->next = t->queue;
    t->queue = c;
}

static int room(void *ctx, int64_t endpoint, int32_t purpose)
{
    struct twin *t = ctx;
    int used = 0;
    for (struct call *c = t->queue; c; c = c->next)
        used += c->endpoint == endpoint && c->purpose == purpose;
    return t->unloaded ? 0 : 3 - used > 0 ? 3 - used : 0;
}

static void cancel(void *ctx, struct call *c)
{
    (void)ctx;
    (void)c;
}

void twin_init(struct twin *t, struct world *w)
{
    *t = (struct twin){.world = w, .dispatcher = {.ctx = t, .submit = submit, .room = room, .cancel = cancel}};
}

/* "contact Bc12" */
static void parse_hook(const tl_hook_request *h, struct reply *reply)
{
    if (h->body.n < 9) {
        reply->status = TL_E_INVALID;
        return;
    }
    tl_record r = {.kind = {h->body.p, 7}, .id = {h->body.p + 8, h->body.n - 8}, .flags = TL_REC_HINT};
    ASSERT(reply_add_record(reply, &r, NULL) == TL_OK);
}

static void run(struct twin *t, struct call *c)
{
    struct world *w = t->world;
    int s = c->endpoint == t->endpoint[1];
    w->counts.calls++;
    world_trace(w, call_kind_name(c->kind), s ? "B" : "A",
                c->kind == CALL_PUSH ? (int64_t)c->request.push.batch->count : 0);
    bool storm = w->storm_until[s] > w->mono_us;
    if (w->faults && c->kind != CALL_CHECK && c->kind != CALL_DISCOVER && c->kind != CALL_PARSE_HOOK &&
        (storm || world_chance(w, w->knobs.throttle_pct))) {
        c->reply.status = TL_E_THROTTLED;
        c->reply.error.retry_after_ms = w->knobs.throttle_ms ? w->knobs.throttle_ms : storm ? 30000 : 3000;
        w->told_next[s] = w->mono_us + c->reply.error.retry_after_ms * US_PER_MS;
        w->counts.throttled++;
        return;
    }
    switch (c->kind) {
    case CALL_CHECK: {
        tl_account a = {.struct_size = sizeof a,
                        .org_key = text(w->knobs.nameless[s] ? ""
                                        : s                  ? "orgB"
                                                             : "orgA"),
                        .user_id = text("api"),
                        .server_us = vendor_now(w, s)};
        ASSERT(reply_add_account(&c->reply, &a, NULL) == TL_OK);
        break;
    }
    case CALL_DISCOVER:
        for (int kind = 0; kind < TWIN_KINDS; kind++)
            if (w->drift[s] != 4 || kind != KIND_CONTACT)
                twin_describe(w, s, kind, &c->reply);
        break;
    case CALL_PULL:
        if (c->request.pull.mode == TL_PULL_PASS)
            pull_pass(w, s, &c->request.pull, &c->reply);
        else
            pull_changes(w, s, &c->request.pull, &c->reply);
        break;
    case CALL_GET:
        get(w, s, &c->request.get, &c->reply);
        break;
    case CALL_FIND:
        find(w, s, &c->request.find, &c->reply);
        break;
    case CALL_PUSH:
        push(w, s, &c->request.push, &c->reply);
        break;
    case CALL_PARSE_HOOK:
        parse_hook(&c->request.hook, &c->reply);
        break;
    default:
        c->reply.status = TL_E_UNSUPPORTED;
    }
}

int hook_deliver(struct engine *g, const struct hook_delivery *d, struct err *e)
{
    struct hook_delivery one = *d, *list[] = {&one};
    int rc = engine_hooks(g, list, 1, e);
    if (rc == TL_OK && one.why.status)
        *e = one.why;
    return rc == TL_OK ? one.why.status : rc;
}

bool twin_step(struct twin *t)
{
    int n = 0;
    for (struct call *c = t->queue; c; c = c->next)
        n++;
    if (n == 0)
        return false;
    uint64_t at = world_random(t->world, (uint64_t)n);
    struct call **link = &t->queue;
    while (at-- > 0)
        link = &(*link)->next;
    struct call *c = *link;
    *link = c->next;
    c->next = NULL;
    run(t, c);
    c->done(c);
    return true;
}
