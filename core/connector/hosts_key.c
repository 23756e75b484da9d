#include "hosts_key.h"

#include "address.h"
#include "admission.h"

const char *hosts_key_connector(const struct config_value *v)
{
    static const char prefix[] = "hosts.";
    bool is = strcmp(v->section, "connectors") == 0 && strncmp(v->key, prefix, sizeof prefix - 1) == 0;
    return is ? v->key + sizeof prefix - 1 : NULL;
}

static bool declares(const struct manifest *m, str host)
{
    AUTO(buf_done) struct buf accepted = {.max = 64 << 10};
    http_hosts_sort(str_of(m->hosts), host, &accepted, NULL);
    return accepted.n > 0;
}

void hosts_key_check(struct config *c, const struct config_value *v, const struct manifest *m)
{
    const char *connector = hosts_key_connector(v);
    AUTO(http_allow_free) struct http_allow *probe = http_allow_new(false);
    str rest = str_of(v->value), word;
    if (!connector_name_ok(str_of(connector)))
        ini_find(&c->ini, FINDING_ERROR, v->file, v->line, "[connectors] %s: \"%s\" is no name of a connector", v->key,
                 connector);
    while (str_split(&rest, ',', &word)) {
        struct err e = {0};
        word = str_trim(word);
        if (http_allow_hosts(probe, word, &e))
            ini_find(&c->ini, FINDING_ERROR, v->file, v->line, "[connectors] %s: %s", v->key, e.text);
        else if (word.n && m && !declares(m, word))
            ini_find(
                &c->ini, FINDING_WARNING, v->file, v->line,
                "[connectors] %s: connector \"%s\" does not declare \"%.*s\", which it will not reach; it declares %s",
                v->key, connector, STR_FMT(word), *m->hosts ? m->hosts : "none");
    }
}
