/* Hosts that a person accepted for a connector: see accept_hosts.h. */
#include "accept_hosts.h"

#include "app.h"
#include "endpoints.h"
#include "log.h"

int hosts_apply(struct app *app, const char *name, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct connector_row row = {.disabled = false};
    const char *own = config_get(app->config, "connectors", arena_fmt(&a, "hosts.%s", name));
    int rc = connector_get(app->db, &a, str_of(name), &row, e);
    if (rc && rc != TL_E_NOT_FOUND)
        return rc;
    bool both = own && *own && row.hosts.n;
    return runtime_connector_accept(app->runtime, name,
                                    arena_fmt(&a, "%.*s%s%s", STR_FMT(row.hosts), both ? "," : "", own ? own : ""), e);
}

void hosts_tell_pending(struct app *app, const char *name)
{
    struct connector_info info;
    if (runtime_connector_info(app->runtime, name, &info) && info.pending[0])
        log_line(LOG_WARN, NULL,
                 "connector \"%s\" wants to reach %s: nothing goes there until it is accepted, by \"tieline connector "
                 "load %s -y\" or \"hosts.%s\" in [connectors]",
                 name, info.pending, name, name);
}

int hosts_accept(struct app *app, const char *name, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct connector_info info;
    struct connector_row row = {.id = str_of(name)};
    if (!runtime_connector_info(app->runtime, name, &info) || !info.manifest)
        return err_set(e, E_PRECONDITION, "what connector \"%s\" wants to reach is not known before it is loaded",
                       name);
    int rc = connector_get(app->db, &a, row.id, &row, e);
    if (rc && rc != TL_E_NOT_FOUND)
        return rc;
    err_clear(e);
    row.id = str_of(name);
    row.hosts = str_of(info.manifest->hosts);
    rc = connector_put(app->db, &row, e);
    return rc ? rc : hosts_apply(app, name, e);
}
