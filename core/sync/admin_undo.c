/* Verbs that take back what was written. */
#include "admin_util.h"
#include "brake.h"
#include "change.h"
#include "undo.h"

enum { HISTORY_PAGE = 100 };

static int may_undo(struct engine *g, int64_t connection, bool dry_run, struct g_conn **out, struct err *e)
{
    struct g_conn *c = model_conn(g, connection);
    if (!c)
        return err_set(e, TL_E_NOT_FOUND, "its connection is gone");
    if (c->undo) {
        err_set(e, E_BUSY, "run %lld takes something back in connection \"%.*s\" already", (long long)c->undo->run,
                STR_FMT(c->row.name));
        err_hint(e, "`tieline sync plan %lld` shows it, `tieline sync cancel %.*s` ends it", (long long)c->undo->run,
                 STR_FMT(c->row.name));
        return E_BUSY;
    }
    bool runs = c->row.state == CONN_INITIAL || c->row.state == CONN_ACTIVE;
    if (!runs && !dry_run) {
        err_set(e, E_PRECONDITION, "connection \"%.*s\" is %s: nothing is written now", STR_FMT(c->row.name),
                conn_state_name(c->row.state));
        err_code(e, "STATE");
        err_hint(e, "resume or enable it first; -n looks without writing");
        return E_PRECONDITION;
    }
    *out = c;
    return TL_OK;
}

/* What holds the link back, and is not passed by an undo: it would begin, and wait without a word. */
static int link_may_write(const struct engine *g, int64_t link, struct err *e)
{
    const struct g_link *l = link ? by_id_get(&g->link_ids, link) : NULL;
    if (!l || (l->row.enabled && (l->row.brake_code.n == 0 || str_is(l->row.brake_code, BRAKE_CHANGES))))
        return TL_OK;
    str c = l->conn->row.name, kind = l->row.name;
    if (!l->row.enabled) {
        err_set(e, E_PRECONDITION, "link \"%.*s/%.*s\" is switched off: nothing is written now", STR_FMT(c),
                STR_FMT(kind));
        err_hint(e, "`tieline link set %.*s %.*s enabled=yes` first; -n looks without writing", STR_FMT(c),
                 STR_FMT(kind));
    } else {
        err_set(e, E_PRECONDITION, "link \"%.*s/%.*s\" is stopped (%.*s), nothing is written now: %.*s", STR_FMT(c),
                STR_FMT(kind), STR_FMT(l->row.brake_code), STR_FMT(l->row.brake_text));
        err_hint(e, "`tieline connection release %.*s` when that is understood; -n looks without writing", STR_FMT(c));
    }
    err_code(e, "STATE");
    return E_PRECONDITION;
}

/* A run that goes on would write behind the back of its undo. One that only gathers live changes ends here. */
static int run_over(struct engine *g, const struct run *about, bool dry_run, struct err *e)
{
    if (dry_run || (about->state != RUN_RUNNING && about->state != RUN_INTERRUPTED && about->state != RUN_QUEUED))
        return TL_OK;
    for (const struct g_batch *b = g->batches; b; b = b->next)
        if (b->run == about->run) {
            err_set(e, E_BUSY, "writes of run %lld are under way", (long long)about->run);
            err_hint(e, "try again in a moment");
            return E_BUSY;
        }
    struct g_link *l = about->link ? model_link(g, about->link) : NULL;
    if (l && (l->live_run == about->run || l->retry_run == about->run)) {
        l->live_run_until = 0; /* the next turn ends it */
        return run_turn(g, l) ? TL_OK : err_set(e, E_BUSY, "run %lld is being ended", (long long)about->run);
    }
    if (l && l->row.run == about->run) {
        err_set(e, E_PRECONDITION, "run %lld goes on", (long long)about->run);
        err_hint(e, "wait for its end, or `tieline sync cancel %.*s`", STR_FMT(l->conn->row.name));
        return E_PRECONDITION;
    }
    return TL_OK; /* a run of live changes that a restart cut off */
}

static json_t *answer(const struct g_conn *c, int64_t run, int64_t about, bool dry_run, int64_t changes,
                      int64_t creates)
{
    return json_pack("{s:I,s:I,s:s%,s:b,s:I,s:I}", "run", (json_int_t)run, "about", (json_int_t)about, "connection",
                     c->row.name.p, (size_t)c->row.name.n, "dry_run", dry_run, "changes", (json_int_t)changes,
                     "creates", (json_int_t)creates);
}

int admin_undo_run(struct engine *g, int64_t id, struct undo_how how, json_t **out, struct err *e)
{
    bool dry_run = how.dry_run;
    AUTO(arena_done) struct arena a = {0};
    struct run about = {0};
    struct g_conn *c = NULL;
    int64_t creates = 0, changes = 0, failures = 0, run = 0;
    int rc = run_get(g->db, &a, id, &about, e);
    if (rc == TL_E_NOT_FOUND) {
        err_set(e, rc, "no run %lld", (long long)id);
        err_hint(e, "`tieline sync history` lists those that history still holds");
    }
    if (rc == TL_OK)
        rc = may_undo(g, about.connection, dry_run, &c, e);
    if (rc == TL_OK && !dry_run)
        rc = link_may_write(g, about.link, e);
    if (rc == TL_OK)
        rc = run_accounting(g->db, id, &creates, &changes, &failures, e);
    if (rc == TL_OK && changes == 0 && !(how.trash && creates)) {
        err_set(e, E_PRECONDITION, "run %lld changed no record that was there", (long long)id);
        err_code(e, "NOTHING");
        err_hint(
            e, creates ? "records that a run made stay; --trash-created puts those into the bin that nobody has touched"
                       : "`tieline sync history` shows what each run did");
        rc = E_PRECONDITION;
    }
    if (rc == TL_OK)
        rc = run_over(g, &about, dry_run, e);
    if (rc == TL_OK)
        rc = undo_begin(g, c, &about, (dry_run ? UNDO_DRY : 0u) | (how.trash ? UNDO_TRASH : 0u), &run, e);
    if (rc == TL_OK && out)
        *out = answer(c, run, id, dry_run, changes, creates);
    return rc;
}

/* The map row that a field's name means; 0: none. */
static uint32_t number_of(const struct g_link *l, const char *field)
{
    for (uint32_t i = 0; i < l->rules.n_fields; i++)
        for (int s = 0; s < 2; s++)
            if (str_is(l->fields[i].side[s].path, field) || str_is(l->fields[i].side[s].name, field))
                return l->fields[i].number;
    return 0;
}

static int newest_write(struct engine *g, const struct undo_pick *pick, uint32_t number, struct arena *a,
                        struct change *out, struct err *e)
{
    int64_t before = 0;
    for (;;) {
        struct change *list = NULL;
        size_t n = 0;
        int rc = change_list_of_pair(g->db, a, pick->pair, before, HISTORY_PAGE, &list, &n, e);
        for (size_t i = 0; i < n && rc == TL_OK; i++)
            if ((!pick->side || list[i].side == (pick->side == 'b')) && change_fields_have(list[i].fields, number)) {
                *out = list[i];
                return TL_OK;
            }
        if (rc != TL_OK)
            return rc;
        if (n < HISTORY_PAGE)
            break;
        before = list[n - 1].change;
    }
    err_set(e, E_PRECONDITION, "history knows of no write of \"%s\" in pair %lld", pick->field, (long long)pick->pair);
    err_code(e, "NOTHING");
    err_hint(e, "`tieline pair show %lld` tells where each value comes from", (long long)pick->pair);
    return E_PRECONDITION;
}

int admin_undo_field(struct engine *g, const struct undo_pick *pick, bool dry_run, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct pair p = {0};
    struct change row = {0};
    struct g_conn *c = NULL;
    int64_t run = 0;
    int rc = pair_get(g->db, &a, pick->pair, &p, e);
    if (rc == TL_E_NOT_FOUND)
        return err_set(e, rc, "no pair %lld", (long long)pick->pair);
    struct g_link *l = rc == TL_OK ? model_link(g, p.link) : NULL;
    if (rc == TL_OK && (!l || !l->usable))
        rc = err_set(e, E_PRECONDITION, "the link of pair %lld cannot work now: its fields are not known",
                     (long long)pick->pair);
    if (rc == TL_OK)
        rc = may_undo(g, l->row.connection, dry_run, &c, e);
    if (rc == TL_OK && !dry_run)
        rc = link_may_write(g, p.link, e);
    uint32_t number = rc == TL_OK ? number_of(l, pick->field) : 0;
    if (rc == TL_OK && number == 0) {
        rc = err_set(e, TL_E_NOT_FOUND, "no field \"%s\" is mapped in pair %lld", pick->field, (long long)pick->pair);
        err_hint(e, "`tieline map list %.*s %.*s` names them", STR_FMT(c->row.name), STR_FMT(l->row.name));
    }
    if (rc == TL_OK)
        rc = newest_write(g, pick, number, &a, &row, e);
    if (rc == TL_OK)
        rc = undo_begin_field(g, c, &row, number, dry_run ? UNDO_DRY : 0, &run, e);
    if (rc == TL_OK && out)
        *out = answer(c, run, row.run, dry_run, 1, 0);
    return rc;
}

int admin_undo_cancel(struct engine *g, struct g_conn *c, json_t **out, struct err *e)
{
    int rc = undo_end(g, c, RUN_CANCELLED, e);
    if (rc == TL_OK && out)
        *out = json_pack("{s:i}", "cancelled", 1);
    return rc;
}
