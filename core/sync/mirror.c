/* Mirrors: see mirror.h. */
#include "mirror.h"

#include <stdlib.h>

#include "lifecycle.h"
#include "linkset.h"
#include "reading.h"

#define MIRROR_EVERY_US (5 * 60 * US_PER_S)
#define PEOPLE_SWEEP_US (3600 * US_PER_S)

/* Of every help desk: they are few, and who left must lose what he could see. */
static const char *const people[] = {"user", "profile", "department"};

static bool is_people(const struct g_endpoint *ep, str kind)
{
    bool found = false;
    for (size_t i = 0; ep->row.role == TL_ROLE_HELPDESK && i < ARRAY_LEN(people) && !found; i++)
        found = str_is(kind, people[i]);
    return found;
}

static bool is_configured(const struct g_endpoint *ep, str kind)
{
    bool found = false;
    for (str rest = str_of(ep->mirrors ? ep->mirrors : ""), one; !found && str_split(&rest, ',', &one);)
        found = str_eq(str_trim(one), kind);
    return found;
}

static bool has_connection(const struct engine *g, const struct g_endpoint *ep)
{
    bool has = false;
    for (const struct g_conn *c = g->conns; c && !has; c = c->next)
        has = conn_uses(c, ep);
    return has;
}

static bool is_wanted(const struct engine *g, const struct g_endpoint *ep, const struct g_kind *k)
{
    return (k->desc.can & (TL_CAN_PULL | TL_CAN_PASS)) && has_connection(g, ep) &&
           (is_people(ep, k->desc.kind) || is_configured(ep, k->desc.kind));
}

bool mirror_is_read(const struct engine *g, const struct g_feed *f)
{
    bool read = false;
    for (const struct g_conn *c = f->mirror ? g->conns : NULL; c && !read; c = c->next)
        read = conn_uses(c, f->ep) && c->row.state != CONN_DRAFT && life_takes_hooks(c->row.state);
    return read;
}

struct mirror *mirror_free(struct mirror *m)
{
    if (m)
        arena_done(&m->arena);
    free(m);
    return NULL;
}

/* All that the vocabulary has a word for: what an organisation added itself is nobody's business here. */
static int needs_take(struct engine *g, const struct g_endpoint *ep, const struct g_kind *k, struct mirror *m,
                      struct err *e)
{
    struct feed_user *u = &m->user;
    int rc = TL_OK;
    u->needs = arena_array(&m->arena, struct feed_need, k->desc.n_fields + 1);
    u->every_us = MIRROR_EVERY_US;
    for (uint32_t i = 0; i < k->desc.n_fields && rc == TL_OK; i++) {
        const tl_field *f = TL_AT(tl_field, k->desc.fields, k->desc.field_stride, i);
        if (str_starts(f->path, STR("x.")) || f->type >= TL_BLOB) /* of rows nothing is kept */
            continue;
        struct feed_need *need = &u->needs[u->n_needs++];
        need->field = field_bare(f, &m->arena);
        rc = field_number(g->db, ep->row.endpoint, k->desc.kind, f->path, &need->number, e);
    }
    return rc;
}

static int mirror_begin(struct engine *g, struct g_endpoint *ep, const struct g_kind *k, struct err *e)
{
    struct g_feed *f = model_feed_for(g, ep->row.endpoint, k->desc.kind, STR(""), e);
    if (!f)
        return E_STORAGE;
    int rc = f->row.mirrored ? TL_OK : feed_mirror(g->db, f->row.feed, true, e);
    if (rc != TL_OK)
        return rc;
    f->row.mirrored = true;
    f->mirror = mirror_free(f->mirror);
    struct mirror *m = calloc(1, sizeof *m);
    ASSERT(m);
    m->sweep_us = is_people(ep, k->desc.kind) ? PEOPLE_SWEEP_US : SWEEP_US;
    rc = needs_take(g, ep, k, m, e);
    if (rc == TL_OK)
        f->mirror = m;
    else
        mirror_free(m);
    return rc;
}

static int mirror_end(struct engine *g, struct g_feed *f, struct err *e)
{
    int rc = feed_mirror(g->db, f->row.feed, false, e);
    if (rc == TL_OK) {
        f->row.mirrored = false;
        f->mirror = mirror_free(f->mirror);
        g->collecting = true; /* its rows, if nobody reads it */
        model_feed_build(g, f);
        model_feed_forget(g, f);
    }
    return rc;
}

int mirrors_refresh(struct engine *g, struct g_endpoint *ep, struct err *e)
{
    int rc = TL_OK;
    for (const struct g_kind *k = ep->kinds; k && rc == TL_OK; k = k->next)
        if (is_wanted(g, ep, k))
            rc = mirror_begin(g, ep, k, e);
    struct g_feed *next = NULL;
    for (struct g_feed *f = ep->feeds; f && rc == TL_OK; f = next) {
        next = f->next_of_endpoint;
        const struct g_kind *k = model_kind(ep, f->row.kind);
        if (f->row.mirrored && !(k && is_wanted(g, ep, k)))
            rc = mirror_end(g, f, e);
        else
            model_feed_build(g, f);
    }
    return rc;
}
