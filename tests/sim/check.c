/* Invariants of the quiet system, checked from the store and the two vendors. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connections.h"
#include "failures.h"
#include "fsck.h"
#include "intents.h"
#include "life.h"
#include "pairs.h"
#include "plans.h"
#include "runs.h"

static struct twin_record *twin_of(struct world *w, int s, int kind, str id)
{
    for (int i = 0; i < TWIN_RECORDS; i++) {
        struct twin_record *r = &w->rec[s][kind][i];
        if (r->used && str_is(id, r->id))
            return r;
    }
    return NULL;
}

static void plain(const char *in, char *out)
{
    size_t n = 0;
    for (; *in && n + 1 < TWIN_TEXT; in++)
        if (*in != ' ')
            out[n++] = *in;
    out[n] = 0;
}

static bool same(const char *a, const char *b)
{
    char x[TWIN_TEXT], y[TWIN_TEXT];
    plain(a, x);
    plain(b, y);
    return strcmp(x, y) == 0;
}

struct checker {
    struct world *w;
    struct db *db;
    struct link *link[TWIN_KINDS];
    struct arena arena;
    bool mapped[2][TWIN_KINDS][TWIN_RECORDS];
};

static bool failed_pair(struct checker *c, int64_t link, int64_t pair, str id)
{
    struct failure_filter f = {.link = link, .pair = pair};
    struct failure *list = NULL;
    size_t n = 0;
    struct err e = {0};
    if (failure_list(c->db, &c->arena, &f, 1000, &list, &n, &e) != TL_OK)
        return false;
    for (size_t i = 0; i < n; i++)
        if (pair || str_eq(list[i].id, id))
            return true;
    return false;
}

/* The pair leads from one living record to another: only then a reference can be carried over. */
static bool leads(struct checker *c, int64_t pair)
{
    struct err e = {0};
    struct pair p = {0};
    struct record rec[2] = {{0}, {0}};
    if (pair == 0 || pair_load(c->db, &c->arena, pair, &p, rec, &e) != TL_OK)
        return false;
    return rec[0].rec && rec[1].rec && rec[0].state == TL_STATE_LIVE && rec[1].state == TL_STATE_LIVE;
}

/* The other side's id for an account reference. */
static bool same_account(struct checker *c, const char *a, const char *b)
{
    struct err e = {0};
    const struct link *l = c->link[KIND_ACCOUNT];
    struct record ra = {0}, rb = {0};
    int64_t pa = 0, pb = 0;
    if (!a[0] || !b[0])
        return !a[0] && !b[0];
    if (record_find(c->db, &c->arena, l->feed[0], str_of(a), &ra, &e) ||
        record_find(c->db, &c->arena, l->feed[1], str_of(b), &rb, &e))
        return false;
    (void)pair_of_record(c->db, l->link, SIDE_A, ra.rec, (str){0}, &pa, &e);
    (void)pair_of_record(c->db, l->link, SIDE_B, rb.rec, (str){0}, &pb, &e);
    return pa == pb || !leads(c, pa) || !leads(c, pb);
}

static bool by_user(const struct twin_record *r, int f, const char *value)
{
    return same(r->user_value[f], value);
}

/* Titles that a transform puts into another case mean the same (the map of the link says so). */
static struct twin_record meant(const struct world *w, const struct twin_record *r)
{
    struct twin_record out = *r;
    for (int i = 0; i < TWIN_TEXT && w->knobs.transform; i++) {
        char *const texts[] = {out.v[F_TITLE], out.user_value[F_TITLE]};
        for (int k = 0; k < 2; k++)
            texts[k][i] = (char)(texts[k][i] >= 'A' && texts[k][i] <= 'Z' ? texts[k][i] + 32 : texts[k][i]);
    }
    return out;
}

/* What was taken back on one side stays on the other: whichever field the run had written. */
static bool taken_back(struct checker *c, const struct pair *p)
{
    struct change *list = NULL;
    size_t n = 0;
    struct err e = {0};
    if (!c->w->knobs.script || !strchr(c->w->knobs.script, 'z') ||
        change_list_of_pair(c->db, &c->arena, p->pair, 0, 1000, &list, &n, &e) != TL_OK)
        return false;
    for (size_t i = 0; i < n; i++) {
        struct run run = {0};
        if (run_get(c->db, &c->arena, list[i].run, &run, &e) == TL_OK && run.kind == RUN_UNDO)
            return true;
    }
    return false;
}

static void check_values(struct checker *c, int kind, const struct pair *p, const struct twin_record *on_a,
                         const struct twin_record *on_b)
{
    struct world *w = c->w;
    struct twin_record meant_a = meant(w, on_a), meant_b = meant(w, on_b);
    const struct twin_record *a = &meant_a, *b = &meant_b;
    for (int f = 0; f < TWIN_FIELDS; f++) {
        if (!twin_field_path(kind, f))
            continue;
        if (f == F_ACCOUNT) {
            const struct twin_record *ta = twin_of(w, 0, KIND_ACCOUNT, str_of(a->v[f])),
                                     *tb = twin_of(w, 1, KIND_ACCOUNT, str_of(b->v[f]));
            bool alive = ta && tb && ta->state == TL_STATE_LIVE &&
                         tb->state == TL_STATE_LIVE; /* else nothing is to be re-pointed */
            if (w->knobs.direction == 0 && alive && !same_account(c, a->v[f], b->v[f]))
                world_violation(w, "V4: account of pair %lld differs: %s %s (%s %s)", (long long)p->pair, a->id, b->id,
                                a->v[f], b->v[f]);
            continue;
        }
        bool one_way_drift = w->knobs.direction != 0 || (f == F_TITLE && w->knobs.transform == 3);
        if (!same(a->v[f], b->v[f]) && !one_way_drift && !taken_back(c, p))
            world_violation(w, "V4: field %d of pair %lld differs: %s \"%s\" %s \"%s\"", f, (long long)p->pair, a->id,
                            a->v[f], b->id, b->v[f]);
        const struct twin_record *source = w->knobs.direction == 2 ? b : a;
        if (one_way_drift && !by_user(source, f, source->v[f]))
            world_violation(w, "one-way source %s was written: field %d \"%s\"", source->id, f, source->v[f]);
        if (a->v[f][0] && !world_typed(w, a->v[f]))
            world_violation(w, "V6: field %d of %s holds \"%s\", which no user ever gave", f, a->id, a->v[f]);
        /* A new connection makes a new copy for one whose first copy a user deleted: it has that one's values. */
        bool drifts = f == F_EXTRA && (w->knobs.chaos & CHAOS_DRIFT);
        /* Without stamps a create of unknown outcome may be taken for a user's (class C3), and be copied back. */
        bool doubled = a->ours && b->ours && !(w->knobs.stamp[0] && w->knobs.stamp[1]);
        bool original = !w->made_anew && !w->old_db && !drifts && !doubled && p->gen[0] == 0 && p->gen[1] == 0 &&
                        !a->restored && !b->restored;
        bool emptied =
            !a->v[f][0] && !b->v[f][0] && (a->user_value[f][0] || b->user_value[f][0]); /* no user ever does that */
        if (w->knobs.direction == 0 && original && emptied && f != F_EMAIL)
            world_violation(w, "V7: field %d of pair %lld was emptied (%s \"%s\", %s \"%s\")", f, (long long)p->pair,
                            a->id, a->user_value[f], b->id, b->user_value[f]);
        if (w->knobs.direction == 0 && original && a->v[f][0] && !by_user(a, f, a->v[f]) && !by_user(b, f, a->v[f]))
            world_violation(w, "V7: field %d of pair %lld holds \"%s\", which nobody gave last (%s \"%s\", %s \"%s\")",
                            f, (long long)p->pair, a->v[f], a->id, a->user_value[f], b->id, b->user_value[f]);
    }
}

static void check_pair(struct checker *c, int kind, int64_t id)
{
    struct err e = {0};
    struct pair p = {0};
    struct record rec[2] = {{0}, {0}};
    struct world *w = c->w;
    if (pair_load(c->db, &c->arena, id, &p, rec, &e) != TL_OK) {
        world_violation(w, "pair %lld cannot be read", (long long)id);
        return;
    }
    if (p.intent)
        world_violation(w, "V2: pair %lld still has intent %lld", (long long)id, (long long)p.intent);
    struct twin_record *t[2] = {NULL, NULL};
    for (int s = 0; s < 2; s++)
        if (rec[s].rec) {
            t[s] = twin_of(w, s, kind, rec[s].id);
            if (!t[s]) {
                world_violation(w, "pair %lld names %.*s, which is nowhere", (long long)id, STR_FMT(rec[s].id));
                return;
            }
            c->mapped[s][kind][t[s] - w->rec[s][kind]] =
                t[1 - s] != NULL || p.rec[1 - s] || p.status == PAIR_FAILED || p.status == PAIR_PARKED;
        }
    if (!t[0] || !t[1] || p.status != PAIR_OK)
        return;
    bool outside = (w->knobs.views && t[1]->outside) || (p.flags & (PAIR_OUTSIDE_A | PAIR_OUTSIDE_B)); /* rests */
    if (t[0]->state == TL_STATE_LIVE && t[1]->state == TL_STATE_LIVE && !outside)
        check_values(c, kind, &p, t[0], t[1]);
}

static void check_pairs(struct checker *c, int kind)
{
    struct err e = {0};
    struct pair_filter f = {.link = c->link[kind]->link, .status = -1};
    for (;;) {
        struct pair *list = NULL;
        size_t n = 0;
        if (pair_list(c->db, &c->arena, &f, 100, &list, &n, &e) != TL_OK || n == 0)
            return;
        for (size_t i = 0; i < n; i++)
            check_pair(c, kind, list[i].pair);
        f.after = list[n - 1].pair;
    }
}

/* Every record a user made is paired, or somebody says why not. */
static void check_lost(struct checker *c, int kind)
{
    struct world *w = c->w;
    for (int s = 0; s < 2; s++) {
        if (w->knobs.direction && (w->knobs.direction == 2) == (s == 0))
            continue;
        for (int i = 0; i < TWIN_RECORDS; i++) {
            const struct twin_record *r = &w->rec[s][kind][i];
            if (!r->used || r->state != TL_STATE_LIVE || c->mapped[s][kind][i])
                continue;
            if (w->knobs.views && r->outside && s == 1)
                continue;
            if (r->erased || world_is_old(w, r))
                continue;
            if (w->old_db || (r->restored && w->knobs.chaos)) /* open: see README */
                continue;
            if (!failed_pair(c, c->link[kind]->link, 0, str_of(r->id)))
                world_violation(w, "lost: %s (%s, tag %s) has neither counterpart nor failure", r->id, r->v[F_NAME],
                                r->v[F_TAG]);
        }
    }
}

/* Parted by a person: what was let go stays, and its former counterpart may get another one. */
static bool is_parted(const struct world *w, int s, const struct twin_record *r)
{
    for (int i = 0; i < w->n_parted && i < TWIN_PARTED; i++)
        if (strcmp(w->parted[i].id[s], r->id) == 0)
            return true;
    return false;
}

/* The tag is that of the record a user made. A vendor without stamps may have got that one twice; then each of the two
 * is a source of its own, and tells itself from the other by its stamp. */
static bool same_source(const struct world *w, int s, const struct twin_record *a, const struct twin_record *b)
{
    return w->knobs.stamp[1 - s] ? strcmp(a->v[F_TAG], b->v[F_TAG]) == 0 : strcmp(a->stamp, b->stamp) == 0;
}

/* V3: at most one live record of ours for one source; vendors without any stamp are not asked. */
static void check_duplicates(struct checker *c, int kind)
{
    struct world *w = c->w;
    if (w->old_db) /* open: see README */
        return;
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < TWIN_RECORDS; i++) {
            const struct twin_record *r = &w->rec[s][kind][i];
            if (!r->used || !r->ours || r->state != TL_STATE_LIVE || r->restored || !w->knobs.stamp[s] ||
                is_parted(w, s, r))
                continue;
            for (int k = i + 1; k < TWIN_RECORDS; k++) {
                const struct twin_record *o = &w->rec[s][kind][k];
                if (o->used && o->ours && o->state == TL_STATE_LIVE && !o->restored && !is_parted(w, s, o) &&
                    same_source(w, s, o, r))
                    world_violation(w, "V3: %s and %s were both made for %s", r->id, o->id, r->v[F_TAG]);
            }
        }
}

static void check_counts(struct checker *c)
{
    struct world *w = c->w;
    struct run_filter f = {0};
    struct run *runs = NULL;
    size_t n = 0;
    struct err e = {0};
    int64_t creates = 0, changes = 0, failures = 0, counted = 0, failed = 0, rows = 0;
    if (run_list(c->db, &c->arena, &f, 10000, &runs, &n, &e) != TL_OK)
        return;
    for (size_t i = 0; i < n; i++) {
        struct run_count *counts = NULL;
        size_t n_counts = 0;
        if (run_accounting(c->db, runs[i].run, &creates, &changes, &failures, &e) != TL_OK ||
            run_count_list(c->db, &c->arena, runs[i].run, &counts, &n_counts, &e) != TL_OK)
            continue;
        int64_t here = 0;
        for (size_t k = 0; k < n_counts; k++) {
            here += counts[k].added + counts[k].updated + counts[k].deleted;
            failed += counts[k].failed;
        }
        if (here != creates + changes)
            world_violation(w, "V14: run %lld counts %lld writes, its rows say %lld + %lld", (long long)runs[i].run,
                            (long long)here, (long long)creates, (long long)changes);
        counted += here;
        rows += failures;
    }
    (void)failed;
    (void)rows;
    int64_t seen = w->counts.creates + w->counts.updates + w->counts.restores + w->counts.deletes;
    bool exact = w->counts.unknown == 0 && w->crashes == 0;
    if (exact && counted != seen)
        world_violation(w, "V14: %lld writes in the history, %lld at the vendors", (long long)counted, (long long)seen);
}

/* An undo comes to its end: no row waits, and it is over. */
static void check_undos(struct checker *c)
{
    struct run_filter f = {0};
    struct run *runs = NULL;
    struct plan_group *groups = NULL;
    size_t n = 0, n_groups = 0;
    struct err e = {0};
    if (run_list(c->db, &c->arena, &f, 10000, &runs, &n, &e) != TL_OK)
        return;
    for (size_t i = 0; i < n; i++) {
        if (runs[i].kind != RUN_UNDO || plan_summary(c->db, &c->arena, runs[i].run, &groups, &n_groups, &e) != TL_OK)
            continue;
        if (runs[i].ended_us == 0)
            world_violation(c->w, "Q22: undo %lld does not end", (long long)runs[i].run);
        for (size_t k = 0; k < n_groups; k++)
            if (groups[k].state == ITEM_PLANNED)
                world_violation(c->w, "Q22: %lld rows of undo %lld wait", (long long)groups[k].n,
                                (long long)runs[i].run);
    }
}

/* Of what the product's own check finds: the rules that hold whatever the vendors can do. */
static void on_finding(void *arg, const struct fsck_finding *f)
{
    static const char *const judged[] = {"V1", "V2", "V18", "stretch"};
    for (size_t i = 0; i < ARRAY_LEN(judged); i++)
        if (strcmp(f->check, judged[i]) == 0)
            world_violation(arg, "%s: %s: %s", f->check, f->object, f->text);
}

static void check_whole(struct world *w, struct db *db)
{
    const struct db_options o = {.path = db_path(db), .env = db_env(db)};
    AUTO(db_close) struct db *reader = NULL;
    struct fsck f;
    struct err e = {0};
    bool end = false;
    int rc = db_open_reader(&reader, &o, &e);
    if (rc == TL_OK)
        rc = fsck_begin(&f, reader, 0, &e);
    while (rc == TL_OK && !end)
        rc = fsck_slice(&f, reader, 1000, on_finding, w, &end, &e);
    if (rc != TL_OK)
        world_violation(w, "V1: the database cannot be checked: %s", e.text);
}

void check_quiet(struct world *w, struct db *db, struct engine *g)
{
    struct checker *c = calloc(1, sizeof *c);
    struct link *links = NULL;
    size_t n = 0;
    struct err e = {0};
    (void)g;
    c->w = w;
    c->db = db;
    if (link_list(db, &c->arena, 0, &links, &n, &e) != TL_OK || n != TWIN_KINDS) {
        world_violation(w, "links are gone");
    } else {
        for (size_t i = 0; i < n; i++)
            c->link[str_is(links[i].name, "contact") ? KIND_CONTACT : KIND_ACCOUNT] = &links[i];
        bool braked = false;
        for (size_t i = 0; i < n; i++)
            braked |= links[i].brake_code.n > 0;
        for (int kind = 0; kind < TWIN_KINDS && !braked; kind++) {
            check_pairs(c, kind);
            check_lost(c, kind);
            check_duplicates(c, kind);
        }
        if (!w->made_anew) /* its history went with it */
            check_counts(c);
        check_undos(c);
    }
    struct intent *intents = NULL;
    if (intent_list(db, &c->arena, 0, &intents, &n, &e) == TL_OK && n > 0)
        world_violation(w, "V2: %zu intents are open in a quiet system", n);
    check_whole(w, db);
    arena_done(&c->arena);
    free(c);
}
