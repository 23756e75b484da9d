/* What only the running daemon knows of a configuration: see reload_check.h. */
#include "reload_check.h"

#include "admin.h"
#include "admission.h"
#include "endpoints.h"
#include "hosts_key.h"
#include "setup.h"

static void find(struct config *c, const char *file, int line, const char *section, const struct err *e)
{
    ini_find(&c->ini, FINDING_ERROR, file, line, "[%s] %s%s%s", section, e->text, e->hint[0] ? "; " : "", e->hint);
}

const struct manifest *reload_manifest(const struct reload_check *r, const char *connector)
{
    struct connector_info info;
    if (connector && runtime_connector_info(r->app->runtime, connector, &info) && info.manifest)
        return info.manifest;
    for (const struct stranger *s = r->strangers; connector && s; s = s->next)
        if (strcmp(s->name, connector) == 0)
            return s->found.manifest;
    return NULL;
}

/* One that must be asked before it is relied on. */
static void note_stranger(struct reload_check *r, const char *name, const struct config_value *named)
{
    for (const struct stranger *s = r->strangers; s; s = s->next)
        if (strcmp(s->name, name) == 0)
            return;
    if (reload_manifest(r, name))
        return;
    struct stranger *s = arena_new(r->arena, struct stranger);
    *s = (struct stranger){.name = name, .named = named, .next = r->strangers};
    r->strangers = s;
}

static void check_enable(struct reload_check *r)
{
    const struct config_value *v = config_lookup(r->next, "connectors", "enable");
    str rest = str_of(v ? v->value : ""), word;
    while (str_split(&rest, ',', &word)) {
        const char *name = arena_str(r->arena, str_trim(word)).p;
        if (!*name || config_enables(r->app->config, name))
            continue;
        if (connector_name_ok(str_of(name)))
            note_stranger(r, name, v);
        else
            ini_find(&r->next->ini, FINDING_ERROR, v->file, v->line,
                     "[connectors] enable: \"%s\" is no name of a connector", name);
    }
}

static void check_options(struct reload_check *r, const struct config_section *s, const struct manifest *m)
{
    config_check_options(r->next, s, m->options, m->n_options, sizeof(tl_option));
}

static void check_endpoint(struct reload_check *r, const struct config_section *s)
{
    AUTO(arena_done) struct arena a = {0};
    const struct config_value *named = config_lookup(r->next, s->header, "connector");
    const char *connector = config_get(r->next, s->header, "connector");
    if (!named || !*connector)
        return; /* told */
    struct endpoint row;
    if (endpoint_find(r->app->db, &a, str_of(s->name), &row, NULL) == TL_OK && !str_is(row.connector, connector)) {
        ini_find(&r->next->ini, FINDING_ERROR, named->file, named->line,
                 "[%s] connector = %s: the endpoint was made with connector \"%.*s\", and stays so; give the new one "
                 "another name",
                 s->header, connector, STR_FMT(row.connector));
        return;
    }
    if (!config_enables(r->next, connector))
        ini_find(&r->next->ini, FINDING_WARNING, s->file, s->line,
                 "[%s] connector \"%s\" is not in [connectors] enable: the endpoint does not work until it is loaded",
                 s->header, connector);
    const struct manifest *m = reload_manifest(r, connector);
    if (m)
        check_options(r, s, m);
    else
        note_stranger(r, connector, named);
}

static void check_link(struct reload_check *r, const struct config_section *s)
{
    const struct admin_setting *set;
    struct err e = {0};
    unsigned n = setup_link_settings(s, r->arena, &set);
    if (admin_link_check(r->app->engine, s->name, s->kind, set, n, &e) == TL_OK)
        return;
    const char *file;
    int line;
    setup_link_place(s, &e, &file, &line);
    find(r->next, file, line, s->header, &e);
}

static const struct stranger *stranger_named(const struct reload_check *r, const char *name)
{
    const struct stranger *s = r->strangers;
    while (s && strcmp(s->name, name) != 0)
        s = s->next;
    return s;
}

/* of NULL: of all who are no strangers. */
static void check_hosts(struct reload_check *r, const struct stranger *of)
{
    for (const struct config_section *s = r->next->sections; s; s = s->next)
        for (const struct config_value *v = s->values; v; v = v->next) {
            const char *connector = hosts_key_connector(v);
            if (connector && stranger_named(r, connector) == of)
                hosts_key_check(r->next, v, of ? of->found.manifest : reload_manifest(r, connector));
        }
}

void reload_check_known(struct reload_check *r)
{
    r->next->development = r->app->boot->development; /* changes with the next start */
    check_enable(r);
    for (const struct config_section *s = r->next->sections; s; s = s->next) {
        struct err e = {0};
        if (!config_section_changed(r->changes, s->header) &&
            config_section_find(r->app->config, s->type, s->name, s->kind)) /* one without a key may be new as well */
            continue;
        if (strcmp(s->type, "endpoint") == 0)
            check_endpoint(r, s);
        else if (strcmp(s->type, "connection") == 0 && setup_connection_fits(r->app, r->next, s, &e) == TL_E_CONFIG)
            find(r->next, s->file, s->line, s->header, &e);
        else if (strcmp(s->type, "link") == 0)
            check_link(r, s);
    }
    check_hosts(r, NULL);
}

void reload_check_strangers(struct reload_check *r)
{
    for (struct stranger *x = r->strangers; x; x = x->next) {
        struct err e = {0};
        const struct config_value *v = x->named;
        int rc = runtime_verify(runtime_config_of(r->app->runtime), x->name, &x->found, &e);
        check_hosts(r, x);
        if (rc) {
            ini_find(&r->next->ini, FINDING_ERROR, v->file, v->line, "[%s] %s = %s: %s%s%s", v->section, v->key,
                     x->name, e.text, e.hint[0] ? "; " : "", e.hint);
            continue;
        }
        for (const struct config_section *s = r->next->sections; s; s = s->next)
            if (strcmp(s->type, "endpoint") == 0 && strcmp(config_get(r->next, s->header, "connector"), x->name) == 0)
                check_options(r, s, x->found.manifest);
    }
}

void reload_check_done(struct reload_check *r)
{
    for (struct stranger *s = r->strangers; s; s = s->next)
        verified_done(&s->found);
}
