/* The engine's picture of endpoints, connections, links and feeds: built from the store, rebuilt after changes. */
#include <stdlib.h>

#include "engine_int.h"
#include "log.h"
#include "mirror.h"
#include "preview.h"
#include "reading.h"
#include "undo.h"
#include "writing.h"

struct g_endpoint *model_endpoint(struct engine *g, int64_t id)
{
    return by_id_get(&g->endpoint_ids, id);
}

struct g_endpoint *model_endpoint_named(struct engine *g, const char *name)
{
    struct g_endpoint *ep = g->endpoints;
    while (ep && !str_is(ep->row.name, name))
        ep = ep->next;
    return ep;
}

struct g_feed *model_feed(struct engine *g, int64_t id)
{
    return by_id_get(&g->feed_ids, id);
}

struct g_link *model_link(struct engine *g, int64_t id)
{
    return by_id_get(&g->link_ids, id);
}

struct g_conn *model_conn(struct engine *g, int64_t id)
{
    return by_id_get(&g->conn_ids, id);
}

str kind_plain(str kind)
{
    if (kind.n > 3 && str_ends(kind, STR("ies")))
        return kind; /* no such kind in the vocabulary */
    return kind.n > 2 && kind.p[kind.n - 1] == 's' ? str_n(kind.p, kind.n - 1) : kind;
}

struct g_kind *model_kind(const struct g_endpoint *ep, str kind)
{
    struct g_kind *k = ep->kinds;
    while (k && !str_eq(k->desc.kind, kind))
        k = k->next;
    return k;
}

bool kind_decode(str description, struct arena *arena, tl_kind *out)
{
    struct reply reply = {.items = {.p = (char *)description.p, .n = description.n}};
    struct reply_reader r;
    struct item item;
    reply_reader_init(&r, &reply);
    bool ok = description.n > 0 && reply_next(&r, &item) && item.kind == ITEM_KIND;
    if (ok)
        *out = item.u.described;
    *arena = r.scratch;
    return ok;
}

static struct g_kind *kind_free(struct g_kind *k)
{
    arena_done(&k->arena);
    text_free(k->bytes);
    free(k);
    return NULL;
}

static void kind_install(struct g_endpoint *ep, str description, uint64_t hash)
{
    struct g_kind *k = calloc(1, sizeof *k);
    ASSERT(k);
    k->hash = hash;
    k->bytes = str_dup(description);
    if (!kind_decode(str_n(k->bytes, description.n), &k->arena, &k->desc)) {
        kind_free(k);
        return;
    }
    for (struct g_kind **at = &ep->kinds; *at; at = &(*at)->next)
        if (str_eq((*at)->desc.kind, k->desc.kind)) {
            struct g_kind *old = *at;
            /* The object stays: feeds and links point to it. */
            struct g_kind *next = old->next;
            arena_done(&old->arena);
            text_free(old->bytes);
            *old = *k;
            old->next = next;
            free(k);
            return;
        }
    k->next = ep->kinds;
    ep->kinds = k;
}

int model_kind_put(struct engine *g, struct g_endpoint *ep, const tl_kind *kind, bool *changed_out, struct err *e)
{
    struct reply one = {0};
    int rc = reply_add_kind(&one, kind, e);
    if (rc == TL_OK) {
        str bytes = buf_lent(&one.items);
        uint64_t hash = store_hash(bytes.p, bytes.n);
        struct g_kind *known = model_kind(ep, kind->kind);
        if (!known || known->hash != hash) {
            *changed_out = true;
            struct kind_row row = {kind->kind, bytes, hash, g_now(g)};
            rc = kind_put(g->db, ep->row.endpoint, &row, e);
            if (rc == TL_OK)
                kind_install(ep, bytes, hash);
        }
        known = model_kind(ep, kind->kind);
        if (known)
            known->told = true;
    }
    buf_done(&one.items);
    return rc;
}

void model_kinds_unstored(struct g_endpoint *ep)
{
    for (struct g_kind *k = ep->kinds; k; k = k->next)
        k->hash = 0;
}

static void endpoint_row_take(struct g_endpoint *ep, const struct endpoint *row)
{
    struct arena fresh = {0};
    ep->row = *row;
    str *const texts[] = {&ep->row.name,       &ep->row.connector, &ep->row.system,  &ep->row.org_key,
                          &ep->row.org_name,   &ep->row.edition,   &ep->row.user_id, &ep->row.user_name,
                          &ep->row.block_code, &ep->row.block_text};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i] = arena_str(&fresh, *texts[i]);
    arena_done(&ep->arena);
    ep->arena = fresh;
}

static void conn_row_take(struct g_conn *c, const struct connection *row)
{
    struct arena fresh = {0};
    c->row = *row;
    c->row.name = arena_str(&fresh, row->name);
    c->row.block_code = arena_str(&fresh, row->block_code);
    c->row.block_text = arena_str(&fresh, row->block_text);
    arena_done(&c->arena);
    c->arena = fresh;
}

static void feed_row_take(struct g_feed *f, const struct feed *row)
{
    struct arena fresh = {0};
    f->row = *row;
    f->row.kind = arena_str(&fresh, row->kind);
    f->row.view = arena_str(&fresh, row->view);
    f->row.cursor = arena_str(&fresh, row->cursor);
    arena_done(&f->arena);
    f->arena = fresh;
}

static void pass_row_take(struct g_feed *f, const struct pass *row)
{
    struct arena fresh = {0};
    f->pass = *row;
    f->pass.cursor = arena_str(&fresh, row->cursor);
    arena_done(&f->pass_arena);
    f->pass_arena = fresh;
}

int feed_row_store(struct engine *g, struct g_feed *f, struct err *e)
{
    struct feed copy = f->row;
    int rc = feed_update(g->db, &copy, e);
    if (rc == TL_OK)
        feed_row_take(f, &copy);
    return rc;
}

static struct g_endpoint *endpoint_make(struct engine *g, const struct endpoint *row)
{
    struct g_endpoint *ep = calloc(1, sizeof *ep);
    ASSERT(ep);
    ep->next = g->endpoints;
    g->endpoints = ep;
    by_id_put(&g->endpoint_ids, row->endpoint, ep);
    ready_add(&g->ready, &ep->ready, READY_ENDPOINT, ep);
    endpoint_row_take(ep, row);
    ep->sleep_until = endpoint_throttled_until(g, ep);
    if (ep->sleep_until > 0) {
        ep->told_to_wait = true;
        outage_note(g, ep, NULL, TL_E_THROTTLED, "the vendor asked to wait, before the restart");
        ep->outage.of_writes = false;
    }
    return ep;
}

static int take_endpoint(struct engine *g, const struct endpoint *row, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct g_endpoint *ep = model_endpoint(g, row->endpoint);
    if (ep)
        endpoint_row_take(ep, row);
    else
        ep = endpoint_make(g, row);
    struct kind_row *kinds = NULL;
    size_t n = 0;
    int rc = kind_list(g->db, &a, row->endpoint, &kinds, &n, e);
    for (size_t k = 0; rc == TL_OK && k < n; k++)
        kind_install(ep, kinds[k].description, kinds[k].hash);
    return rc;
}

int model_load_endpoint(struct engine *g, int64_t id, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct endpoint row = {0};
    int rc = endpoint_get(g->db, &a, id, &row, e);
    return rc == TL_OK ? take_endpoint(g, &row, e) : rc;
}

static int load_endpoints(struct engine *g, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct endpoint *rows = NULL;
    size_t n = 0;
    int rc = endpoint_list(g->db, &a, &rows, &n, e);
    for (size_t i = 0; rc == TL_OK && i < n; i++)
        rc = take_endpoint(g, &rows[i], e);
    return rc;
}

static void take_connection(struct engine *g, const struct connection *row)
{
    struct g_conn *c = model_conn(g, row->connection);
    if (!c) {
        c = calloc(1, sizeof *c);
        ASSERT(c);
        c->next = g->conns;
        g->conns = c;
        by_id_put(&g->conn_ids, row->connection, c);
    }
    if (!c->unstored)
        conn_row_take(c, row);
    for (int s = 0; s < 2; s++)
        c->ep[s] = model_endpoint(g, row->endpoint[s]);
}

int model_load_connection(struct engine *g, int64_t id, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct connection row = {0};
    int rc = connection_get(g->db, &a, id, &row, e);
    if (rc == TL_OK)
        take_connection(g, &row);
    return rc;
}

static int load_connections(struct engine *g, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct connection *rows = NULL;
    size_t n = 0;
    int rc = connection_list(g->db, &a, &rows, &n, e);
    for (size_t i = 0; rc == TL_OK && i < n; i++)
        take_connection(g, &rows[i]);
    return rc;
}

static struct g_feed *feed_make(struct engine *g, int64_t id, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct feed row = {0};
    if (model_feed(g, id))
        return model_feed(g, id);
    if (feed_get(g->db, &a, id, &row, e))
        return NULL;
    struct g_feed *f = calloc(1, sizeof *f);
    ASSERT(f);
    feed_row_take(f, &row);
    f->ep = model_endpoint(g, row.endpoint);
    f->hint_due = 0;
    f->recheck_due = 0;
    f->live_started = row.cursor.n > 0;
    struct pass pass = {0};
    if (row.pass && pass_get(g->db, &a, row.pass, &pass, e) == TL_OK)
        pass_row_take(f, &pass);
    f->next = g->feeds;
    g->feeds = f;
    by_id_put(&g->feed_ids, id, f);
    struct g_feed **at = &f->ep->feeds;
    while (*at)
        at = &(*at)->next_of_endpoint;
    *at = f;
    ready_add(&g->ready, &f->ready, READY_FEED, f);
    return f;
}

static struct g_link *link_make(struct engine *g, int64_t id, struct g_conn *c)
{
    struct g_link *l = calloc(1, sizeof *l);
    ASSERT(l);
    l->row.link = id;
    l->conn = c;
    l->wake_after = link_wakes_all(g, l) ? 0 : -1;
    l->plan = -1;
    l->orphans = l->held = true; /* looked at once after a start, as is from recall_after 0 */
    l->next = g->links;
    g->links = l;
    by_id_put(&g->link_ids, id, l);
    struct g_link **at = c ? &c->links : NULL;
    while (at && *at)
        at = &(*at)->next_of_conn;
    if (at)
        *at = l;
    for (int s = 0; s < 2; s++)
        l->on[s] = (struct feed_side){.l = l, .side = s};
    ready_add(&g->ready, &l->ready, READY_LINK, l);
    return l;
}

int model_load_link(struct engine *g, int64_t id, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct link row = {0};
    struct g_link *l = model_link(g, id);
    int rc = l ? TL_OK : link_get(g->db, &a, id, &row, e);
    if (rc != TL_OK)
        return rc;
    return model_link_build(g, l ? l : link_make(g, id, model_conn(g, row.connection)), e);
}

/* Those that no link reads: whether they are wanted is known when their endpoint is told of. */
static int load_mirrored(struct engine *g, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct feed *rows = NULL;
    size_t n = 0;
    int rc = feed_list(g->db, &a, 0, &rows, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        if (rows[i].mirrored && !feed_make(g, rows[i].feed, e))
            rc = E_STORAGE;
    return rc;
}

static int load_links(struct engine *g, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct link *rows = NULL;
    size_t n = 0;
    int rc = link_list(g->db, &a, 0, &rows, &n, e);
    for (size_t i = 0; rc == TL_OK && i < n; i++)
        rc = model_load_link(g, rows[i].link, e);
    return rc;
}

int model_load(struct engine *g, struct err *e)
{
    int rc = load_endpoints(g, e);
    if (rc == TL_OK)
        rc = load_connections(g, e);
    if (rc == TL_OK)
        rc = load_links(g, e);
    if (rc == TL_OK)
        rc = load_mirrored(g, e);
    if (rc == TL_OK)
        model_feeds_build(g, NULL);
    return rc;
}

static void link_free(struct g_link *l)
{
    ready_remove(&l->ready);
    arena_done(&l->arena);
    free(l);
}

static void feed_free(struct g_feed *f)
{
    while (f->replies) {
        struct call *c = f->replies;
        f->replies = c->next;
        call_free(c);
    }
    while (f->wants) {
        struct get_want *w = f->wants;
        f->wants = w->next;
        free(w->id);
        free(w);
    }
    if (f->reading)
        reply_reader_done(&f->reader);
    mirror_free(f->mirror);
    lookup_build_free(f->build);
    pass_walk_close(f->walk);
    free(f->vanished);
    ready_remove(&f->ready);
    free(f->shifted);
    arena_done(&f->arena);
    arena_done(&f->pass_arena);
    arena_done(&f->shape_arena);
    free(f);
}

void model_feed_forget(struct engine *g, struct g_feed *f)
{
    if (f->sides || f->mirror)
        return;
    struct g_feed **at = &g->feeds;
    while (*at && *at != f)
        at = &(*at)->next;
    if (*at)
        *at = f->next;
    at = &f->ep->feeds;
    while (*at && *at != f)
        at = &(*at)->next_of_endpoint;
    if (*at)
        *at = f->next_of_endpoint;
    by_id_drop(&g->feed_ids, f->row.feed);
    feed_free(f);
}

void link_feed_set(struct g_link *l, int side, struct g_feed *f)
{
    struct g_feed *old = l->feed[side];
    if (old == f)
        return;
    struct feed_side **at = old ? &old->sides : NULL;
    while (at && *at != &l->on[side])
        at = &(*at)->next;
    if (at)
        *at = l->on[side].next;
    l->feed[side] = f;
    l->on[side].next = NULL;
    at = f ? &f->sides : NULL;
    while (at && *at)
        at = &(*at)->next;
    if (at)
        *at = &l->on[side];
}

void model_link_forget(struct engine *g, struct g_link *l)
{
    struct g_feed *feed[2] = {l->feed[0], l->feed[1]};
    struct g_link **at = &g->links;
    while (*at && *at != l)
        at = &(*at)->next;
    if (*at)
        *at = l->next;
    at = l->conn ? &l->conn->links : NULL;
    while (at && *at && *at != l)
        at = &(*at)->next_of_conn;
    if (at && *at)
        *at = l->next_of_conn;
    by_id_drop(&g->link_ids, l->row.link);
    for (int s = 0; s < 2; s++)
        link_feed_set(l, s, NULL);
    link_free(l);
    for (int s = 0; s < 2; s++)
        if (feed[s])
            model_feed_forget(g, feed[s]);
}

void model_conn_forget(struct engine *g, struct g_conn *c)
{
    struct g_conn **at = &g->conns;
    while (*at && *at != c)
        at = &(*at)->next;
    if (*at)
        *at = c->next;
    by_id_drop(&g->conn_ids, c->row.connection);
    preview_free(g, c);
    undo_free(g, c);
    arena_done(&c->arena);
    free(c);
}

void model_free(struct engine *g)
{
    while (g->links) {
        struct g_link *l = g->links;
        g->links = l->next;
        link_free(l);
    }
    while (g->feeds) {
        struct g_feed *f = g->feeds;
        g->feeds = f->next;
        feed_free(f);
    }
    while (g->conns) {
        struct g_conn *c = g->conns;
        g->conns = c->next;
        preview_free(g, c);
        undo_free(g, c);
        arena_done(&c->arena);
        free(c);
    }
    while (g->endpoints) {
        struct g_endpoint *ep = g->endpoints;
        g->endpoints = ep->next;
        while (ep->kinds) {
            struct g_kind *k = ep->kinds;
            ep->kinds = k->next;
            kind_free(k);
        }
        arena_done(&ep->arena);
        free(ep->claims);
        free(ep->mirrors);
        free(ep->hook_url);
        ready_remove(&ep->ready);
        free(ep);
    }
    struct by_id *const ids[] = {&g->endpoint_ids, &g->feed_ids, &g->conn_ids, &g->link_ids, &g->batch_ids};
    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        by_id_done(ids[i]);
    ready_done(&g->ready);
}

int model_refresh(struct engine *g, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    int rc = load_connections(g, e);
    for (struct g_feed *f = g->feeds; f && rc == TL_OK; f = f->next) {
        struct feed row = {0};
        rc = feed_get(g->db, &a, f->row.feed, &row, e);
        if (rc != TL_OK)
            break;
        feed_row_take(f, &row);
        struct pass pass = {0};
        if (row.pass)
            rc = pass_get(g->db, &a, row.pass, &pass, e);
        pass_row_take(f, &pass);
    }
    for (struct g_link *l = g->links; l && rc == TL_OK; l = l->next) {
        struct link row = {0};
        rc = link_get(g->db, &a, l->row.link, &row, e);
        if (rc != TL_OK)
            break;
        row.name = arena_str(&l->arena, row.name);
        row.kind[0] = arena_str(&l->arena, row.kind[0]);
        row.kind[1] = arena_str(&l->arena, row.kind[1]);
        row.position = arena_str(&l->arena, row.position);
        row.brake_code = arena_str(&l->arena, row.brake_code);
        row.brake_text = arena_str(&l->arena, row.brake_text);
        l->row = row;
        link_lanes_stale(l);
    }
    return rc;
}

bool link_runs(const struct g_link *l)
{
    return l->usable && l->row.enabled && (l->row.brake_code.n == 0 || undo_passes(l)) && l->conn &&
           (l->conn->row.state == CONN_INITIAL || l->conn->row.state == CONN_ACTIVE);
}

bool link_rests(const struct engine *g, const struct g_link *l)
{
    return l->rests.set && quiet_now(&l->rests, g_now(g));
}

int link_row_store(struct engine *g, struct g_link *l, struct err *e)
{
    return link_update(g->db, &l->row, e);
}

static bool feed_is_read(const struct engine *g, const struct g_feed *f)
{
    bool read = mirror_is_read(g, f);
    for (const struct feed_side *at = f->sides; at && !read; at = at->next)
        read = (link_runs(at->l) && at->l->row.phase != PHASE_NEW) || preview_reads(at->l);
    return read;
}

void model_feed_build(struct engine *g, struct g_feed *f)
{
    feed_build(f);
    f->wanted = feed_is_read(g, f);
    schedule_feed(f);
}

/* References lead to links of the same connection. */
static void conn_build(struct engine *g, struct g_conn *c)
{
    for (struct g_link *l = c->links; l; l = l->next_of_conn)
        l->referred = l->leans = false;
    for (struct g_link *l = c->links; l; l = l->next_of_conn) {
        for (uint32_t i = 0; l->usable && i < l->rules.n_fields; i++) {
            struct g_link *to = l->fields[i].ref_link ? model_link(g, l->fields[i].ref_link) : NULL;
            if (!to)
                continue;
            to->referred = true;
            l->leans |= to->fallback[0].n > 0 || to->fallback[1].n > 0;
        }
        for (int s = 0; s < 2; s++)
            if (l->feed[s])
                model_feed_build(g, l->feed[s]);
        ready_wake(&l->ready);
    }
    for (int s = 0; s < 2; s++)
        if (c->ep[s]) {
            for (struct g_feed *f = c->ep[s]->feeds; f; f = f->next_of_endpoint)
                if (f->mirror)
                    model_feed_build(g, f);
            c->ep[s]->subscribe_due = 0;
            ready_wake(&c->ep[s]->ready);
        }
}

void model_feeds_build(struct engine *g, struct g_conn *c)
{
    g->ref_epoch++;
    if (c)
        conn_build(g, c);
    for (struct g_conn *each = g->conns; each && !c; each = each->next)
        conn_build(g, each);
}

struct g_feed *model_feed_for(struct engine *g, int64_t endpoint, str kind, str view, struct err *e)
{
    int64_t id = 0;
    if (feed_ensure(g->db, endpoint, kind, view, &id, e))
        return NULL;
    return feed_make(g, id, e);
}
