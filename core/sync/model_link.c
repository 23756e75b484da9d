/* One link of the model: its row, settings and map made into the planner's rules. */
#include <stdlib.h>

#include "engine_int.h"
#include "linkset.h"
#include "log.h"
#include "map_rules.h"
#include "refmap.h"
#include "writing.h"

static void row_take(struct g_link *l, const struct link *row)
{
    l->row = *row;
    str *const texts[] = {&l->row.name,     &l->row.kind[0],    &l->row.kind[1],
                          &l->row.position, &l->row.brake_code, &l->row.brake_text};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i] = arena_str(&l->arena, *texts[i]);
}

static int settings_read(struct engine *g, const struct g_link *l, struct arena *a, struct link_settings *out,
                         struct err *e)
{
    struct setting *rows = NULL;
    size_t n = 0;
    link_settings_init(out);
    int rc = setting_list(g->db, a, SETTING_LINK, l->row.link, &rows, &n, e);
    for (size_t i = 0; rc == TL_OK && i < n; i++) {
        struct err bad = {0};
        if (link_setting_apply(out, rows[i].key, rows[i].value, &bad))
            log_err(LOG_WARN, "link setting", &bad);
    }
    return rc;
}

/* Side that settles ties: what the admin said, else the connector that wants to be it, else a CRM, else A. */
static int master_of(const struct g_link *l, const struct link_settings *s)
{
    if (s->master >= 0)
        return s->master;
    for (int side = 0; side < 2; side++)
        if (l->conn->ep[side]->default_master && !l->conn->ep[1 - side]->default_master)
            return side;
    for (int side = 0; side < 2; side++)
        if (l->conn->ep[side]->row.role == TL_ROLE_CRM)
            return side;
    return 0;
}

/* The link of this connection whose kind on `side` a reference field points to. */
static int64_t ref_link_of(const struct g_link *l, int side, const tl_field *f)
{
    if (f->type != TL_REF)
        return 0;
    for (const struct g_link *other = l->conn->links; other; other = other->next_of_conn)
        if (str_in_list(f->refers_to, other->row.kind[side]))
            return other->row.link;
    return 0;
}

static int64_t link_of_kind(const struct g_link *l, str kind)
{
    for (const struct g_link *other = l->conn->links; other; other = other->next_of_conn)
        if (str_eq(other->row.name, kind_plain(kind)))
            return other->row.link;
    return 0;
}

/* Numbers of the fields a rule reads. Its base has a number of its own on a side where another row reads the same field
 * or where it reads several: each row agrees for itself. */
static int rule_numbers(struct engine *g, struct g_link *l, struct rule_field *f, uint32_t at, struct err *e)
{
    int rc = TL_OK;
    for (int s = 0; s < 2 && rc == TL_OK; s++) {
        int64_t endpoint = l->conn->row.endpoint[s];
        str kind = l->row.kind[s];
        rc = field_number(g->db, endpoint, kind, f->side[s].path, &f->obs_no[s], e);
        bool joins = f->n_more && f->more_side == s;
        for (uint32_t k = 0; k < f->n_more && joins && rc == TL_OK; k++)
            rc = field_number(g->db, endpoint, kind, f->more[k].path, &f->more_no[k], e);
        f->base_no[s] = f->obs_no[s];
        bool owned = joins;
        for (uint32_t i = 0; i < at; i++)
            owned |= l->fields[i].base_no[s] == f->obs_no[s];
        if (!owned || rc != TL_OK)
            continue;
        AUTO(buf_done) struct buf path = {0};
        buf_fmt(&path, "%.*s#%u", STR_FMT(f->side[s].path), f->number);
        rc = field_number(g->db, endpoint, kind, buf_lent(&path), &f->base_no[s], e);
        l->shares = true;
    }
    return rc;
}

static int rules_fields(struct engine *g, struct g_link *l, const tl_kind *ka, const tl_kind *kb, struct err *e)
{
    size_t n = 0;
    int rc = map_list(g->db, &l->arena, l->row.link, &l->map, &n, e);
    if (rc != TL_OK)
        return rc;
    l->fields = arena_array(&l->arena, struct rule_field, n + 1);
    uint32_t used = 0;
    l->shares = false;
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        struct rule_field *f = &l->fields[used];
        if (!rule_of_row(&l->map[i], ka, kb, &l->arena, f))
            continue;
        const tl_kind *kinds[2] = {ka, kb};
        str lookup = {0};
        if (!rule_transform(&l->map[i], l->rules.direction, kinds, &l->arena, f, &lookup))
            continue; /* `map check` tells */
        if (lookup.n || f->side[0].type == TL_REF || f->side[1].type == TL_REF) {
            f->ref_link = lookup.n ? link_of_kind(l, lookup) : ref_link_of(l, 0, &f->side[0]);
            if (f->ref_link == 0)
                continue; /* no link for that kind: `map check` tells */
        }
        rc = rule_numbers(g, l, f, used, e);
        used++;
    }
    l->rules.n_fields = used;
    l->rules.fields = l->fields;
    for (int s = 0; s < 2; s++) {
        uint32_t top = 0;
        for (uint32_t i = 0; i < used; i++)
            top = l->fields[i].base_no[s] > top ? l->fields[i].base_no[s] : top;
        l->n_numbers[s] = top + 1;
        l->position_of[s] = arena_array(&l->arena, int32_t, top + 1);
        for (uint32_t i = 0; i <= top; i++)
            l->position_of[s][i] = -1;
        for (uint32_t i = 0; i < used; i++)
            l->position_of[s][l->fields[i].base_no[s]] = (int32_t)i;
    }
    return rc;
}

static int match_key(struct engine *g, struct g_link *l, const struct link_settings *s, const tl_kind *ka,
                     const tl_kind *kb, struct err *e)
{
    const tl_kind *kinds[2] = {ka, kb};
    bool is_phone = false;
    uint32_t number[2];
    l->match[0] = l->match[1] = (struct feed_key){0};
    str path = s->match.n ? s->match : match_path_of(l->row.kind[0]);
    if (match_lookup_kind(path) == 0)
        return TL_OK;
    for (int side = 0; side < 2; side++) {
        const tl_field *f = field_by_name(kinds[side], path);
        if (!f)
            return TL_OK;
        l->match_path[side] = arena_str(&l->arena, f->path);
        int rc = field_number(g->db, l->conn->row.endpoint[side], l->row.kind[side], f->path, &number[side], e);
        if (rc != TL_OK)
            return rc;
        is_phone |= f->type == TL_PHONE;
    }
    for (int side = 0; side < 2; side++)
        l->match[side] = key_of_path(path, is_phone, number[side]);
    return TL_OK;
}

/* ---- What the link needs of the feed of one side ----------------------------------------------------------------- */

static void need_add(struct g_link *l, struct feed_user *u, uint32_t number, const tl_field *f)
{
    u->needs[u->n_needs++] = (struct feed_need){number, field_bare(f, &l->arena)};
}

/* A caller is known by any number, also by one that no map speaks of. */
static int phones_needed(struct engine *g, struct g_link *l, int side, const tl_kind *k, struct feed_user *u,
                         struct err *e)
{
    int rc = TL_OK;
    for (uint32_t i = 0; i < k->n_fields && rc == TL_OK && kind_has_callers(k->kind); i++) {
        const tl_field *f = TL_AT(tl_field, k->fields, k->field_stride, i);
        uint32_t number = 0;
        if (f->type != TL_PHONE)
            continue;
        rc = field_number(g->db, l->conn->row.endpoint[side], l->row.kind[side], f->path, &number, e);
        need_add(l, u, number, f);
        u->keys[u->n_keys++] = (struct feed_key){LOOKUP_PHONE, number};
    }
    return rc;
}

static int side_needs(struct engine *g, struct g_link *l, int side, const tl_kind *k, struct err *e)
{
    struct feed_user *u = &l->on[side].user;
    size_t most = k->n_fields + 1;
    for (uint32_t i = 0; i < l->rules.n_fields; i++)
        most += 1 + l->fields[i].n_more;
    *u = (struct feed_user){.needs = arena_array(&l->arena, struct feed_need, most),
                            .keys = arena_array(&l->arena, struct feed_key, k->n_fields + 1)};
    for (uint32_t i = 0; i < l->rules.n_fields; i++) {
        const struct rule_field *f = &l->fields[i];
        need_add(l, u, f->obs_no[side], &f->side[side]);
        for (uint32_t m = 0; m < f->n_more && f->more_side == side; m++)
            need_add(l, u, f->more_no[m], &f->more[m]);
    }
    if (l->match[side].kind) {
        need_add(l, u, l->match[side].number, field_by_name(k, l->match_path[side]));
        u->keys[u->n_keys++] = l->match[side];
    }
    return phones_needed(g, l, side, k, u, e);
}

static void link_window(struct engine *g, struct g_link *l, const struct link_settings *s)
{
    int64_t within = s->created_within_us;
    for (int side = 0; within < 0 && side < 2; side++)
        if (l->conn->ep[side]->default_window_us > 0)
            within = l->conn->ep[side]->default_window_us;
    l->slides_us = s->slides && within > 0 ? within : 0;
    l->admits = s->admits;
    /* Anchored at the first start: once set it stays. */
    if (l->row.phase != PHASE_NEW)
        return;
    int64_t from = l->conn->window_us ? l->conn->window_us : g_now(g); /* as its dry run had it */
    l->row.created_from_us = within > 0 ? from - within : 0;
}

static const str one_target = {0};

int model_link_build(struct engine *g, struct g_link *l, struct err *e)
{
    struct link row = {0};
    AUTO(arena_done) struct arena a = {0};
    int rc = link_get(g->db, &a, l->row.link, &row, e);
    if (rc != TL_OK)
        return rc;
    arena_done(&l->arena);
    l->arena = (struct arena){0};
    row_take(l, &row);
    l->usable = false;
    l->slots = &one_target;
    l->n_slots = 1;
    link_lanes_stale(l);
    if (!l->conn || !l->conn->ep[0] || !l->conn->ep[1])
        return TL_OK;
    for (int s = 0; s < 2; s++)
        if (row.feed[s]) {
            AUTO(arena_done) struct arena b = {0};
            struct feed feed = {0};
            rc = feed_get(g->db, &b, row.feed[s], &feed, e);
            link_feed_set(l, s, rc == TL_OK ? model_feed_for(g, feed.endpoint, feed.kind, feed.view, e) : NULL);
        }
    struct link_settings s;
    rc = settings_read(g, l, &l->arena, &s, e);
    if (rc != TL_OK)
        return rc;
    l->share = s.share;
    l->match_multi = s.match_multi;
    l->quiet = s.quiet;
    l->limit.changes = s.max_changes;
    for (int side = 0; side < 2; side++) {
        l->fallback[side] = arena_str(&l->arena, s.fallback[side]);
        l->stand_in[side] = (struct stand_in){0};
    }
    l->limit.percent = s.max_changes_percent;
    l->rests = (struct quiet_hours){0};
    (void)quiet_parse(s.quiet_hours, &l->arena, &l->rests, NULL); /* checked when it was set */
    link_window(g, l, &s);
    struct g_kind *ka = model_kind(l->conn->ep[0], l->row.kind[0]), *kb = model_kind(l->conn->ep[1], l->row.kind[1]);
    if (!ka || !kb)
        return TL_OK;
    l->rules = (struct link_rules){.direction = s.direction,
                                   .policy = s.policy,
                                   .master = master_of(l, &s),
                                   .drift = s.drift,
                                   .restore_on = s.restore_on,
                                   .deletes = {s.deletes[0], s.deletes[1]}};
    const struct g_kind *kinds[2] = {ka, kb};
    for (int side = 0; side < 2; side++) {
        l->rules.can[side] = kinds[side]->desc.can;
        l->rules.resolution_us[side] = (int64_t)kinds[side]->desc.resolution_ms * US_PER_MS;
        l->rules.clock_offset_us[side] = l->conn->ep[side]->row.clock_offset_us;
    }
    rc = rules_fields(g, l, &ka->desc, &kb->desc, e);
    if (rc == TL_OK)
        rc = match_key(g, l, &s, &ka->desc, &kb->desc, e);
    for (int side = 0; side < 2 && rc == TL_OK; side++) {
        rc = side_needs(g, l, side, &kinds[side]->desc, e);
        l->on[side].user.every_us = s.every_us;
    }
    /* A link may do no more than tell who is who, for the references of others. */
    l->usable = rc == TL_OK && (l->rules.n_fields > 0 || l->match[0].kind) && l->feed[0] && l->feed[1];
    return rc;
}

int default_map_store(struct engine *g, const struct g_link *l, struct err *e)
{
    const struct g_kind *ka = model_kind(l->conn->ep[0], l->row.kind[0]),
                        *kb = model_kind(l->conn->ep[1], l->row.kind[1]);
    if (!ka || !kb) {
        const struct g_endpoint *ep = l->conn->ep[ka ? 1 : 0];
        err_set(e, TL_E_CONFIG, "endpoint \"%.*s\" has no kind \"%.*s\"", STR_FMT(ep->row.name),
                STR_FMT(l->row.kind[ka ? 1 : 0]));
        err_hint(e, "run `tieline endpoint check %.*s`", STR_FMT(ep->row.name));
        return TL_E_CONFIG;
    }
    AUTO(arena_done) struct arena a = {0};
    AUTO(buf_done) struct buf linked = {0};
    refmap_linked_kinds(g, l, &linked);
    struct map_row *rows = NULL;
    size_t n = map_defaults(&ka->desc, &kb->desc, buf_lent(&linked), &a, &rows);
    return map_replace(g->db, l->row.link, rows, n, e);
}

int model_default_map(struct engine *g, struct g_link *l, struct err *e)
{
    int rc = default_map_store(g, l, e);
    return rc == TL_OK ? model_link_build(g, l, e) : rc;
}
