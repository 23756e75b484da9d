/* Directories that operators grant to connectors: the values of options of type "dir". A worker gets them when it is
 * started; its cell cannot be widened later. */
#include "runtime_int.h"

static bool grants_cover(const struct grants *g, str dir)
{
    for (uint32_t i = 0; i < g->n; i++)
        if (str_is(dir, g->dirs[i]))
            return true;
    return false;
}

static bool is_dir(const struct connector *c, const tl_pair *option)
{
    const tl_option *o = manifest_option(c->manifest, option->name);
    return o && o->type == TL_OPT_DIR && option->value.n && option->value.p[0] == '/';
}

/* Only what the operator wrote is granted, no default of the connector's. */
static void collect_of(struct grants *g, const struct endpoint *ep)
{
    for (uint32_t i = 0; i < ep->n_given; i++) {
        if (!is_dir(ep->connector, &ep->given[i]) || grants_cover(g, ep->given[i].value))
            continue;
        const char **grown = arena_array(&g->arena, const char *, g->n + 1);
        if (g->n)
            memcpy(grown, g->dirs, g->n * sizeof *grown);
        grown[g->n++] = arena_str(&g->arena, ep->given[i].value).p;
        g->dirs = grown;
    }
}

void grants_collect(struct grants *g, const struct connector *c, const struct endpoint *ep)
{
    grants_done(g);
    if (!c->manifest || c->confinement.landlock == 0)
        return;
    for (size_t i = 0; i < c->rt->n_endpoints; i++)
        if (c->rt->endpoints[i]->connector == c && (!ep || ep == c->rt->endpoints[i]))
            collect_of(g, c->rt->endpoints[i]);
}

void grants_done(struct grants *g)
{
    arena_done(&g->arena);
    *g = (struct grants){.n = 0};
}

int grants_check(struct endpoint *ep, struct err *e)
{
    const struct connector *c = ep->connector;
    const struct cell *cell = rt_endpoint_cell(ep);
    for (uint32_t i = 0; cell && i < ep->n_given; i++) {
        const tl_pair *p = &ep->given[i];
        if (!is_dir(c, p))
            continue;
        if (c->confinement.landlock == 0) {
            err_set(e, TL_E_UNSUPPORTED, "directory \"%.*s\" cannot be granted: the kernel has no Landlock",
                    STR_FMT(p->value));
            err_hint(e,
                     "boot with \"landlock\" among lsm=, or run it with \"isolation.%s = inprocess\" if you trust it",
                     c->name);
            return TL_E_UNSUPPORTED;
        }
        if (cell->worker && !grants_cover(&cell->grants, p->value)) {
            err_set(e, TL_E_CONFIG, "directory \"%.*s\" is not yet granted to the worker that runs", STR_FMT(p->value));
            err_hint(e, "tieline connector reload %s", c->name);
            return TL_E_CONFIG;
        }
    }
    return TL_OK;
}
