/* Which hosts a connector may reach: those it declares and a person accepted. */
#include "runtime_int.h"

enum { HOSTS_MAX = 16 << 10 };

static void sort_hosts(const struct connector *c, struct buf *accepted, struct buf *pending)
{
    str declared = str_of(c->manifest->hosts);
    http_hosts_sort(declared, c->rt->config.accept_all ? declared : str_of(c->accepted), accepted, pending);
}

int rt_allow_declared(const struct connector *c, struct http_allow *a, struct err *e)
{
    AUTO(buf_done) struct buf accepted = {.max = HOSTS_MAX}, pending = {.max = HOSTS_MAX};
    sort_hosts(c, &accepted, &pending);
    int rc = http_allow_hosts(a, buf_lent(&accepted), e);
    return rc ? rc : http_allow_pending(a, buf_lent(&pending), e);
}

void rt_hosts_learnt(struct connector *c)
{
    AUTO(buf_done) struct buf accepted = {.max = HOSTS_MAX}, pending = {.max = HOSTS_MAX};
    sort_hosts(c, &accepted, &pending);
    text_free(c->pending);
    c->pending = str_dup(buf_lent(&pending));
}

int runtime_connector_accept(struct runtime *rt, const char *name, const char *hosts, struct err *e)
{
    struct connector *c = rt_connector(rt, name);
    if (!c)
        return err_set(e, TL_E_NOT_FOUND, "there is no connector \"%s\"", name);
    AUTO(http_allow_free) struct http_allow *probe = http_allow_new(false);
    int rc = http_allow_hosts(probe, str_of(hosts), e);
    if (rc)
        return err_wrap(e, "hosts of connector \"%s\"", name);
    if (str_eq(str_of(c->accepted), str_of(hosts)))
        return TL_OK;
    text_free(c->accepted);
    c->accepted = text_dup(hosts);
    if (!c->manifest)
        return TL_OK;
    rt_hosts_learnt(c);
    for (size_t i = rt->n_endpoints; i-- > 0;) /* one that was removed may go now */
        if (rt->endpoints[i]->connector == c)
            rt_endpoint_reconfigure(rt->endpoints[i]);
    return TL_OK;
}
