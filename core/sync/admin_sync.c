/* Starting, stopping and repeating: first sync, cycle now, cancel, retry of failures. */
#include <stdlib.h>

#include "admin_util.h"
#include "lifecycle.h"
#include "linkset.h"
#include "map_sample.h"
#include "parting.h"
#include "preview.h"
#include "reading.h"
#include "refmap.h"
#include "undo.h"
#include "writing.h"

static void warn(json_t *list, str code, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void warn(json_t *list, str code, const char *fmt, ...)
{
    AUTO(buf_done) struct buf b = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_fmtv(&b, fmt, ap);
    va_end(ap);
    json_array_append_new(list, json_pack("{s:s%,s:s}", "code", code.p, code.n, "text", buf_text(&b)));
}

/* A map with errors would fail record by record: nothing begins before they are mended. */
static int map_refused(const struct g_link *l, const struct map_finding *found, size_t n, struct err *e)
{
    AUTO(buf_done) struct buf text = {0};
    unsigned errors = 0;
    for (size_t i = 0; i < n; i++)
        if (found[i].level >= TL_ERROR && ++errors <= 5)
            buf_fmt(&text, "%s%.*s", errors > 1 ? "; " : "", STR_FMT(found[i].text));
    if (errors == 0)
        return TL_OK;
    if (errors > 5)
        buf_fmt(&text, "; and %u more", errors - 5);
    err_set(e, E_PRECONDITION, "the map of \"%.*s\" has errors: %s", STR_FMT(l->row.name), buf_text(&text));
    err_code(e, "MAP_ERROR");
    err_hint(e, "`tieline map check %.*s %.*s` shows them all", STR_FMT(l->conn->row.name), STR_FMT(l->row.name));
    return E_PRECONDITION;
}

static int link_check(struct engine *g, struct g_link *l, json_t *warnings, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct map_row *rows = NULL;
    size_t n = 0;
    int rc = map_list(g->db, &a, l->row.link, &rows, &n, e);
    if (rc == TL_OK && n == 0) {
        rc = model_default_map(g, l, e);
        if (rc == TL_OK)
            rc = map_list(g->db, &a, l->row.link, &rows, &n, e);
    }
    if (rc != TL_OK)
        return rc;
    AUTO(buf_done) struct buf linked = {0};
    refmap_linked_kinds(g, l, &linked);
    struct link_settings s;
    rc = map_settings_read(g->db, &a, l->row.link, &s, e);
    if (rc != TL_OK)
        return rc;
    s.direction = l->rules.direction;
    struct map_finding *found = NULL;
    const struct g_kind *ka = model_kind(l->conn->ep[0], l->row.kind[0]),
                        *kb = model_kind(l->conn->ep[1], l->row.kind[1]);
    size_t n_found = map_check(rows, n, &ka->desc, &kb->desc, &s, buf_lent(&linked), &a, &found);
    rc = map_refused(l, found, n_found, e);
    if (rc != TL_OK)
        return rc;
    for (size_t i = 0; i < n_found; i++)
        if (found[i].level >= TL_WARN)
            warn(warnings, found[i].code, "%.*s: %.*s", STR_FMT(l->row.name), STR_FMT(found[i].text));
    for (int s2 = 0; s2 < 2; s2++) {
        if (!link_allows(l->rules.direction, s2) || !(l->rules.can[s2] & TL_CAN_CREATE) || create_class(l, s2) <= 2)
            continue;
        str stamp = s2 ? kb->desc.stamp_field : ka->desc.stamp_field;
        warn(warnings, STR("NO_STAMP_FIELD"),
             "%.*s: side %c %s (create class C%d): a create whose answer is lost and that cannot be found again is "
             "reported, never sent again",
             STR_FMT(l->row.name), "ab"[s2],
             stamp.n ? "has a stamp field that its connector can neither search by nor keep unique"
                     : "has no stamp field",
             create_class(l, s2));
    }
    return TL_OK;
}

/* A link without pairs over feeds that were read before, for a former link: whose mark a record bears was forgotten
 * with that link's pairs, so everything is read once more. */
static int stamps_anew(struct engine *g, struct g_link *l, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct pair_filter f = {.link = l->row.link, .status = -1};
    struct pair *any = NULL;
    size_t n = 0;
    int rc = pair_list(g->db, &a, &f, 1, &any, &n, e);
    for (int s = 0; s < 2 && rc == TL_OK && n == 0; s++)
        if (l->feed[s] && l->feed[s]->row.full_pass_us && l->feed[s]->kind && l->feed[s]->kind->desc.stamp_field.n)
            rc = admin_read_anew(g, l->feed[s], e);
    return rc;
}

static int start_link(struct engine *g, struct g_link *l, int64_t plan, struct err *e)
{
    struct run run = {.connection = l->row.connection,
                      .link = l->row.link,
                      .kind = RUN_INITIAL,
                      .state = RUN_RUNNING,
                      .made_us = g_now(g),
                      .started_us = g_now(g),
                      .who = STR("admin"),
                      .phase = STR("observing"),
                      .total = -1,
                      .about = plan};
    int rc = run_create(g->db, &run, e);
    if (rc != TL_OK)
        return rc;
    l->row.run = run.run;
    l->plan = plan;
    l->row.phase = PHASE_OBSERVE;
    l->row.position = (str){0};
    l->orphans = true;
    if (!plan) /* its dry run asked whose the marks are */
        rc = stamps_anew(g, l, e);
    if (rc == TL_OK)
        rc = link_row_store(g, l, e);
    if (rc == TL_OK)
        run_say_begin(l, run.run, RUN_INITIAL);
    return rc;
}

static bool kind_known(const struct g_link *l, int s, struct err *e)
{
    const struct g_endpoint *ep = l->conn->ep[s];
    if (model_kind(ep, l->row.kind[s]))
        return true;
    if (!ep->kinds) {
        err_set(e, E_PRECONDITION, "the kinds of endpoint \"%.*s\" are not known yet", STR_FMT(ep->row.name));
        err_hint(e, "`tieline endpoint check %.*s`, then start again", STR_FMT(ep->row.name));
    } else {
        err_set(e, E_PRECONDITION, "endpoint \"%.*s\" has no kind \"%.*s\"", STR_FMT(ep->row.name),
                STR_FMT(l->row.kind[s]));
        err_code(e, "KIND_GONE");
        err_hint(e,
                 "`tieline link delete %.*s %.*s`; where the configuration has a section for it, take that out first",
                 STR_FMT(l->conn->row.name), STR_FMT(l->row.name));
    }
    return false;
}

static bool kinds_known(const struct g_conn *c, struct err *e)
{
    for (const struct g_link *l = c->links; l; l = l->next_of_conn)
        for (int s = 0; s < 2 && l->row.enabled; s++)
            if (!kind_known(l, s, e))
                return false;
    if (c->links)
        return true;
    err_set(e, E_PRECONDITION, "connection \"%.*s\" has no link", STR_FMT(c->row.name));
    err_hint(e, "`tieline link create %.*s contact`", STR_FMT(c->row.name));
    return false;
}

static bool orgs_known(const struct g_conn *c, struct err *e)
{
    for (int s = 0; s < 2; s++)
        if (c->ep[s]->row.org_key.n == 0) {
            err_set(e, E_PRECONDITION, "endpoint \"%.*s\" has not said which org it is", STR_FMT(c->ep[s]->row.name));
            err_hint(e, "run `tieline endpoint check %.*s`, then start again", STR_FMT(c->ep[s]->row.name));
            return false;
        }
    return true;
}

int admin_sync_ready(struct engine *g, struct g_conn *c, json_t *warnings, struct err *e)
{
    int rc = TL_OK;
    if (!kinds_known(c, e) || !orgs_known(c, e))
        return E_PRECONDITION;
    for (struct g_link *l = g->links; l && rc == TL_OK; l = l->next)
        if (l->conn == c && l->row.enabled)
            rc = link_check(g, l, warnings, e);
    return rc == TL_OK ? admin_rebuild(g, c, e) : rc;
}

static int start_first(struct engine *g, struct g_conn *c, const struct sync_request *r, json_t *warnings,
                       struct err *e)
{
    if (c->preview) {
        err_set(e, E_PRECONDITION, "a dry run of \"%.*s\" goes on", STR_FMT(c->row.name));
        err_hint(e, "wait for its end (`tieline sync plan %lld`), or `tieline sync cancel %.*s`",
                 (long long)preview_run(c), STR_FMT(c->row.name));
        return E_PRECONDITION;
    }
    int rc = admin_sync_ready(g, c, warnings, e);
    if (rc != TL_OK)
        return rc;
    rc = g_begin(g, e);
    if (rc == TL_OK)
        rc = admin_claims_take(g, c->ep, c->row.connection, e);
    for (struct g_link *l = c->links; l && rc == TL_OK; l = l->next_of_conn)
        if (l->row.enabled && l->row.phase == PHASE_NEW &&
            (!r->kind || str_eq(l->row.name, kind_plain(str_of(r->kind)))))
            rc = start_link(g, l, r->plan, e);
    struct connection row = c->row;
    if (rc == TL_OK && row.state != CONN_ACTIVE) {
        row.state = CONN_INITIAL;
        row.state_us = g_now(g);
        rc = connection_update(g->db, &row, e);
    }
    if (rc == TL_OK)
        rc = db_commit(g->db, e);
    else
        db_rollback(g->db);
    if (rc == TL_OK) {
        c->row.state = row.state;
        c->row.state_us = row.state_us;
        rc = admin_rebuild(g, c, e);
    }
    return rc;
}

int admin_sync_start(struct engine *g, const struct sync_request *r, json_t **out, struct err *e)
{
    struct g_conn *c = admin_conn(g, r->connection, e);
    if (!c)
        return TL_E_NOT_FOUND;
    if (r->kind && !admin_link(g, r->connection, r->kind, e))
        return TL_E_NOT_FOUND;
    int32_t state = c->row.state;
    int allowed = life_check(LIFE_START, &c->row, e);
    if (allowed != TL_OK)
        return allowed;
    json_t *warnings = json_array();
    bool fresh = false;
    for (struct g_link *l = c->links; l; l = l->next_of_conn)
        fresh |= l->row.enabled && l->row.phase == PHASE_NEW;
    int rc = TL_OK;
    if (fresh || state == CONN_DRAFT || state == CONN_READY)
        rc = start_first(g, c, r, warnings, e);
    json_t *runs = json_array(), *kinds = json_array();
    for (struct g_link *l = c->links; l && rc == TL_OK; l = l->next_of_conn) {
        if (r->kind && !str_eq(l->row.name, kind_plain(str_of(r->kind))))
            continue;
        for (int s = 0; s < 2; s++)
            if (l->feed[s]) {
                l->feed[s]->poll_due = l->feed[s]->backoff_until = 0;
                l->feed[s]->want_pass |= r->full;
                schedule_feed(l->feed[s]);
            }
        l->hold_until = 0;
        if (l->row.run) {
            json_array_append_new(runs, json_integer(l->row.run));
            json_array_append_new(kinds, json_stringn(l->row.name.p, l->row.name.n));
        }
    }
    if (rc == TL_OK && out)
        *out = json_pack("{s:O,s:O,s:O}", "runs", runs, "kinds", kinds, "warnings", warnings);
    json_decref(runs);
    json_decref(kinds);
    json_decref(warnings);
    return rc;
}

int admin_sync_cancel(struct engine *g, const char *connection, json_t **out, struct err *e)
{
    struct g_conn *c = admin_conn(g, connection, e);
    if (!c)
        return TL_E_NOT_FOUND;
    if (c->preview)
        return admin_preview_cancel(g, c, out, e);
    if (c->undo)
        return admin_undo_cancel(g, c, out, e);
    int cancelled = 0;
    int rc = life_check(LIFE_CANCEL, &c->row, e);
    if (rc != TL_OK)
        return rc;
    rc = g_begin(g, e);
    for (struct g_link *l = g->links; l && rc == TL_OK; l = l->next) {
        if (l->conn != c || l->row.run == 0)
            continue;
        rc = run_end(g, l, RUN_CANCELLED, e);
        l->row.phase = PHASE_NEW;
        l->row.position = (str){0};
        if (rc == TL_OK)
            rc = link_row_store(g, l, e);
        cancelled++;
    }
    struct connection row = c->row;
    if (rc == TL_OK && row.state == CONN_INITIAL) {
        row.state = CONN_READY;
        row.state_us = g_now(g);
        rc = connection_update(g->db, &row, e);
    }
    if (rc == TL_OK)
        rc = db_commit(g->db, e);
    else
        db_rollback(g->db);
    if (rc != TL_OK)
        return rc;
    c->row.state = row.state;
    if (cancelled == 0)
        return err_set(e, E_PRECONDITION, "connection \"%s\" has no run to cancel", connection);
    if (out)
        *out = json_pack("{s:i}", "cancelled", cancelled);
    model_feeds_build(g, c);
    return TL_OK;
}

/* A record without a pair. What still stands in its way is told again once it was read. */
static int retry_record(struct engine *g, struct g_link *l, const struct failure *f, struct arena *a, struct err *e)
{
    struct g_feed *feed = l->feed[f->side];
    struct record rec = {0};
    int rc = feed && f->id.n ? record_find(g->db, a, feed->row.feed, f->id, &rec, e) : TL_OK;
    if (rc == TL_OK && rec.rec)
        rc = feed_reread(g, feed, &rec, 0, e);
    else if (rc == TL_E_NOT_FOUND) {
        feed_want(feed, 0, f->id, g_mono(g), 0);
        rc = TL_OK;
    }
    return rc == TL_OK ? failure_resolve(g->db, f->failure, STR("retry"), g_now(g), e) : rc;
}

/* Both sides are read again, then it is planned anew: nothing old is sent. */
static int retry_one(struct engine *g, const struct failure *f, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct g_link *l = model_link(g, f->link);
    if (!l || !l->usable)
        return TL_OK;
    if (f->pair == 0)
        return retry_record(g, l, f, &a, e);
    struct pair p = {0};
    struct record rec[2] = {{0}};
    int rc = pair_load(g->db, &a, f->pair, &p, rec, e);
    if (rc != TL_OK)
        return rc == TL_E_NOT_FOUND ? failure_resolve(g->db, f->failure, STR("retry"), g_now(g), e) : rc;
    p.status = p.status == PAIR_FAILED || p.status == PAIR_QUARANTINED || p.status == PAIR_LOOP ? PAIR_OK : p.status;
    p.attempts = 0;
    str before = p.extra;
    p.extra = (str){0};
    for (int s = 0; s < 2; s++)
        parting_move(&p, before, s, &a);
    if (p.status == PAIR_OK)
        guard_release(&p, g_now(g), &a); /* what was written before does not count against it */
    p.lane = LANE_RETRY;
    p.due_us = g_now(g) + 120 * US_PER_S; /* the reads wake it earlier */
    bool asked = false;
    for (int s = 0; s < 2; s++)
        if (rec[s].rec && l->feed[s]) {
            feed_want(l->feed[s], rec[s].rec, rec[s].id, g_mono(g), p.pair);
            asked = true;
        }
    if (!asked)
        p.due_us = g_now(g);
    link_lanes_stale(l);
    return pair_store(g->db, &p, e);
}

/* Its link reads and writes now, so that something will come of it. */
static bool retry_runs(struct engine *g, const struct failure *f)
{
    const struct g_link *l = model_link(g, f->link);
    return l && link_runs(l);
}

int admin_failure_retry(struct engine *g, const struct failure_pick *pick, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct g_link *only = NULL;
    struct g_conn *conn = NULL;
    int64_t n = 0, waiting = 0;
    int rc = TL_OK;
    if (pick->connection && !(conn = admin_conn(g, pick->connection, e)))
        return TL_E_NOT_FOUND;
    if (pick->connection && pick->kind && !(only = admin_link(g, pick->connection, pick->kind, e)))
        return TL_E_NOT_FOUND;
    rc = g_begin(g, e);
    if (rc == TL_OK && pick->id) {
        struct failure f = {0};
        rc = failure_get(g->db, &a, pick->id, &f, e);
        if (rc == TL_E_NOT_FOUND)
            err_set(e, rc, "no failure %lld", (long long)pick->id);
        if (rc == TL_OK && f.resolved_us)
            rc = err_set(e, E_PRECONDITION, "failure %lld is resolved already", (long long)pick->id);
        if (rc == TL_OK)
            rc = retry_one(g, &f, e);
        n = 1;
        waiting = !retry_runs(g, &f);
    }
    struct failure_filter f = {.link = only ? only->row.link : 0, .code = str_of(pick->code ? pick->code : "")};
    while (rc == TL_OK && pick->id == 0) {
        struct failure *list = NULL;
        size_t n_list = 0;
        rc = failure_list(g->db, &a, &f, 500, &list, &n_list, e);
        for (size_t i = 0; i < n_list && rc == TL_OK; i++) {
            struct g_link *l = model_link(g, list[i].link);
            f.before = list[i].failure;
            if ((conn && (!l || l->conn != conn)) ||
                (pick->kind && (!l || !str_eq(l->row.name, kind_plain(str_of(pick->kind))))))
                continue;
            rc = retry_one(g, &list[i], e);
            n++;
            waiting += !retry_runs(g, &list[i]);
        }
        if (n_list < 500)
            break;
    }
    if (rc == TL_OK)
        rc = db_commit(g->db, e);
    else
        db_rollback(g->db);
    if (rc == TL_OK && out)
        *out = json_pack("{s:I,s:I}", "retried", (json_int_t)n, "waiting", (json_int_t)waiting);
    return rc;
}
