/* Erasing a person: all that is stored of their records and of what these are paired with goes in one transaction, and
 * marks keep it away. The records at the vendors are the vendors'. */
#include <stdio.h>

#include "admin_util.h"
#include "attention.h"
#include "erased.h"
#include "person.h"
#include "reading.h"
#include "writing.h"

enum { RECORDS_MAX = 1000, WORD_MIN = 5 };

int erased_is(struct engine *g, const struct g_endpoint *ep, str kind, str id, bool *out, struct err *e)
{
    const struct erased_name name = {ep->row.system, ep->row.org_key, kind, id};
    return id.n && id.n <= REMOTE_ID_MAX ? erased_has(g->db, &name, out, e) : TL_OK;
}

/* ---- Who and what ------------------------------------------------------------------------------------------------ */

struct target {
    struct record record;
    struct feed feed;
    struct endpoint endpoint;
};
struct erasing {
    struct engine *g;
    struct arena a;
    struct target *of;
    size_t n;
    int64_t *pairs;
    size_t n_pairs, cap_pairs;
    struct erase_counts counts;
    int64_t erasure;
};

static int target_add(struct erasing *x, int64_t rec, struct err *e)
{
    for (size_t i = 0; i < x->n; i++)
        if (x->of[i].record.rec == rec)
            return TL_OK;
    struct target *t = &x->of[x->n];
    if (x->n == RECORDS_MAX)
        return err_set(e, E_PRECONDITION, "more than %d records are meant or paired with those", (int)RECORDS_MAX);
    int rc = record_get(x->g->db, &x->a, rec, &t->record, e);
    if (rc == TL_OK)
        rc = feed_get(x->g->db, &x->a, t->record.feed, &t->feed, e);
    if (rc == TL_OK)
        rc = endpoint_get(x->g->db, &x->a, t->feed.endpoint, &t->endpoint, e);
    x->n += rc == TL_OK;
    return rc == TL_E_NOT_FOUND ? TL_OK : rc; /* it went meanwhile */
}

static bool pair_add(struct erasing *x, int64_t pair)
{
    for (size_t i = 0; i < x->n_pairs; i++)
        if (x->pairs[i] == pair)
            return false;
    if (x->n_pairs == x->cap_pairs) {
        size_t cap = x->cap_pairs ? 2 * x->cap_pairs : 16;
        int64_t *more = arena_array(&x->a, int64_t, cap);
        if (x->n_pairs)
            memcpy(more, x->pairs, x->n_pairs * sizeof *more);
        x->pairs = more;
        x->cap_pairs = cap;
    }
    x->pairs[x->n_pairs++] = pair;
    return true;
}

/* Its records of now, and those it held before. */
static int targets_of_pair(struct erasing *x, int64_t pair, struct err *e)
{
    struct pair p = {0};
    struct old_id *old = NULL;
    size_t n = 0;
    int rc = pair_get(x->g->db, &x->a, pair, &p, e);
    if (rc == TL_OK && p.intent) {
        err_set(e, E_BUSY, "a write of pair %lld is under way", (long long)pair);
        err_hint(e, "try again when it is over; while its system is away, that is when it is back");
        return E_BUSY;
    }
    for (int s = 0; s < 2 && rc == TL_OK; s++)
        if (p.rec[s])
            rc = target_add(x, p.rec[s], e);
    if (rc == TL_OK)
        rc = old_id_list(x->g->db, &x->a, pair, &old, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        rc = target_add(x, old[i].rec, e);
    return rc;
}

/* Whatever is paired with them is theirs too, in every connection. */
static int targets_load(struct erasing *x, const struct person_erase *ask, struct err *e)
{
    int rc = TL_OK;
    x->of = arena_array(&x->a, struct target, RECORDS_MAX + 1);
    for (size_t i = 0; i < ask->n && rc == TL_OK; i++)
        rc = target_add(x, ask->of[i].rec, e);
    for (size_t i = 0; i < x->n && rc == TL_OK; i++) {
        struct pair_ref *refs = NULL;
        size_t n = 0;
        rc = pair_list_of_record(x->g->db, &x->a, x->of[i].record.rec, &refs, &n, e);
        for (size_t k = 0; k < n && rc == TL_OK; k++)
            if (pair_add(x, refs[k].pair))
                rc = targets_of_pair(x, refs[k].pair, e);
    }
    return rc == TL_OK && x->n == 0 ? err_set(e, TL_E_NOT_FOUND, "nothing is stored of them any more") : rc;
}

/* ---- What names them elsewhere ----------------------------------------------------------------------------------- */

static int word_erase(struct erasing *x, str word, struct err *e)
{
    return word.n < WORD_MIN ? TL_OK : erase_word(x->g->db, word, &x->counts, e);
}

static str text_of(struct erasing *x, const tl_value *v)
{
    AUTO(buf_done) struct buf text = {0};
    if (!value_is_blank(v))
        value_text(&text, v);
    return arena_str(&x->a, buf_lent(&text));
}

/* The field of the kind that a number of the observation stands for. */
static const tl_field *field_of(const struct g_kind *kind, const struct field_row *rows, size_t n, uint32_t number)
{
    for (size_t i = 0; i < n; i++)
        for (uint32_t k = 0; rows[i].number == number && k < kind->desc.n_fields; k++)
            if (str_eq(kind->desc.fields[k].path, rows[i].path))
                return &kind->desc.fields[k];
    return NULL;
}

/* Their addresses, numbers and whole name, as they may stand in texts of other rows. */
static int words_of_values(struct erasing *x, const struct target *t, const struct g_kind *kind, struct err *e)
{
    struct field_row *rows = NULL;
    size_t n_rows = 0, n = 0;
    str first = {0}, last = {0};
    int rc = field_list(x->g->db, &x->a, t->feed.endpoint, t->feed.kind, &rows, &n_rows, e);
    tl_value *values = obs_all(t->record.observation, &x->a, &n);
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        const tl_field *f = field_of(kind, rows, n_rows, values[i].field);
        if (!f)
            continue;
        if (str_is(f->path, "first_name"))
            first = text_of(x, &values[i]);
        if (str_is(f->path, "last_name"))
            last = text_of(x, &values[i]);
        if (f->type == TL_EMAIL || f->type == TL_PHONE || str_is(f->path, "name"))
            rc = word_erase(x, text_of(x, &values[i]), e);
    }
    if (rc == TL_OK && first.n && last.n)
        rc = word_erase(x, str_of(arena_fmt(&x->a, "%.*s %.*s", STR_FMT(first), STR_FMT(last))), e);
    return rc;
}

static int words_erase(struct erasing *x, const struct target *t, struct err *e)
{
    struct g_endpoint *ep = model_endpoint(x->g, t->feed.endpoint);
    const struct g_kind *kind = ep ? model_kind(ep, t->feed.kind) : NULL;
    int rc = word_erase(x, t->record.id, e);
    return rc == TL_OK && kind ? words_of_values(x, t, kind, e) : rc;
}

/* ---- The transaction --------------------------------------------------------------------------------------------- */

static json_t *counts_json(const struct erase_counts *n)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "records", (json_int_t)n->records,
                     "pairs", (json_int_t)n->pairs, "changes", (json_int_t)n->changes, "failures",
                     (json_int_t)n->failures, "conflicts", (json_int_t)n->conflicts, "plan_rows",
                     (json_int_t)n->plan_rows, "lookups", (json_int_t)n->lookups, "hints", (json_int_t)n->hints,
                     "deliveries", (json_int_t)n->deliveries, "passport_pairs", (json_int_t)n->passport_pairs, "acts",
                     (json_int_t)n->acts, "texts", (json_int_t)n->texts, "audit_rows", (json_int_t)n->audit_rows);
}

static int trace(struct erasing *x, struct err *e)
{
    json_t *detail = json_pack("{s:I,s:o}", "erasure", (json_int_t)x->erasure, "erased", counts_json(&x->counts));
    char *text = json_dumps(detail, JSON_COMPACT);
    struct audit row = {.at_us = g_now(x->g),
                        .who = x->g->actor[0] ? str_of(x->g->actor) : STR("engine"),
                        .act = STR("person.erase"),
                        .object = STR("a person"),
                        .detail = str_of(text)};
    int rc = audit_add(x->g->db, &row, e);
    free(text);
    json_decref(detail);
    return rc;
}

static int erase_all(struct erasing *x, struct err *e)
{
    struct db *db = x->g->db;
    int rc = erasure_add(db, str_of(x->g->actor), &x->erasure, e);
    for (size_t i = 0; i < x->n_pairs && rc == TL_OK; i++)
        rc = erase_pair(db, x->pairs[i], &x->counts, e);
    for (size_t i = 0; i < x->n && rc == TL_OK; i++) {
        const struct target *t = &x->of[i];
        const struct erased_name name = {t->endpoint.system, t->endpoint.org_key, t->feed.kind, t->record.id};
        rc = erase_record(db, t->record.rec, &x->counts, e);
        if (rc == TL_OK)
            rc = erased_put(db, x->erasure, &name, e);
    }
    for (size_t i = 0; i < x->n && rc == TL_OK; i++)
        rc = words_erase(x, &x->of[i], e);
    if (rc == TL_OK)
        rc = trace(x, e);
    return rc == TL_OK ? erase_compacts(db, e) : rc;
}

/* What is held in memory of them, or counts on them. */
static void forget(struct erasing *x)
{
    for (struct g_link *l = x->g->links; l; l = l->next) {
        refs_changed(x->g, l);
        link_lanes_stale(l);
    }
    for (size_t i = 0; i < x->n; i++) {
        struct g_feed *f = model_feed(x->g, x->of[i].feed.feed);
        if (!f)
            continue;
        lookups_again(f);
        f->unusable_known = false;
    }
}

static json_t *records_json(const struct erasing *x)
{
    json_t *list = json_array();
    for (size_t i = 0; i < x->n; i++)
        json_array_append_new(list, json_pack("{s:s%,s:s%,s:s%}", "endpoint", x->of[i].endpoint.name.p,
                                              (size_t)x->of[i].endpoint.name.n, "kind", x->of[i].feed.kind.p,
                                              (size_t)x->of[i].feed.kind.n, "record", x->of[i].record.id.p,
                                              (size_t)x->of[i].record.id.n));
    return list;
}

/* Erased it is; what lies in unused parts of pages is another matter, and is told. */
static const char *compact(struct engine *g, const struct person_erase *ask, struct err *why)
{
    if (!ask->compact)
        return "not asked for";
    return db_compact(g->db, why) == TL_OK ? NULL : why->text;
}

int admin_person_erase(struct engine *g, const struct person_erase *ask, json_t **out, struct err *e)
{
    struct erasing x = {.g = g};
    struct err why = {0};
    const char *remains = "nothing was erased";
    int rc = g_begin(g, e);
    if (rc == TL_OK)
        rc = targets_load(&x, ask, e);
    if (rc == TL_OK)
        rc = erase_all(&x, e);
    if (rc == TL_OK && !ask->dry_run)
        rc = g_end(g, rc, "erasing a person", e);
    else
        db_rollback(g->db);
    if (rc == TL_OK && !ask->dry_run) {
        forget(&x);
        remains = compact(g, ask, &why);
    }
    if (rc == TL_OK)
        *out = json_pack("{s:b,s:o,s:o,s:o,s:b,s:o}", "dry_run", ask->dry_run, "erasure",
                         ask->dry_run ? json_null() : json_integer(x.erasure), "records", records_json(&x), "erased",
                         counts_json(&x.counts), "compacted", remains == NULL, "remains",
                         remains ? json_string(remains) : json_null());
    arena_done(&x.a);
    return rc;
}

/* ---- Lifting ----------------------------------------------------------------------------------------------------- */

static int erasure_of(struct engine *g, const char *id, int64_t *out, struct err *e)
{
    for (const struct g_endpoint *ep = g->endpoints; ep; ep = ep->next)
        for (const struct g_kind *k = ep->kinds; k; k = k->next) {
            const struct erased_name name = {ep->row.system, ep->row.org_key, k->desc.kind, str_of(id)};
            int rc = erased_find(g->db, &name, out, e);
            if (rc != TL_E_NOT_FOUND)
                return rc;
        }
    return err_set(e, TL_E_NOT_FOUND, "no record with this id was erased");
}

int admin_person_restore(struct engine *g, int64_t erasure, const char *id, json_t **out, struct err *e)
{
    int64_t records = 0;
    char number[32];
    int rc = erasure ? TL_OK : erasure_of(g, id, &erasure, e);
    if (rc != TL_OK)
        return rc;
    snprintf(number, sizeof number, "erasure %lld", (long long)erasure);
    struct audit row = {.at_us = g_now(g),
                        .who = g->actor[0] ? str_of(g->actor) : STR("engine"),
                        .act = STR("person.restore"),
                        .object = str_of(number)};
    rc = g_begin(g, e);
    if (rc == TL_OK)
        rc = erasure_lift(g->db, erasure, &records, e);
    if (rc == TL_E_NOT_FOUND)
        rc = err_set(e, rc, "no erasure %lld", (long long)erasure);
    if (rc == TL_OK)
        rc = audit_add(g->db, &row, e);
    rc = rc == TL_OK ? db_commit(g->db, e) : rc;
    db_rollback(g->db);
    if (rc == TL_OK)
        *out = json_pack("{s:I,s:I}", "erasure", (json_int_t)erasure, "records", (json_int_t)records);
    return rc;
}
