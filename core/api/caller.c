/* Who makes a request: see caller.h. */
#include "caller.h"

#include <microhttpd.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server.h"

static bool may_enter(const struct ucred *peer, uint32_t group)
{
    /* The socket's mode (0660, group) has let supplementary members of the group in already. */
    return peer->uid == 0 || peer->uid == geteuid() || group != UINT32_MAX;
}

int caller_of_peer(struct request *rq, uint32_t group, struct caller *out, struct err *e)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(rq->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct ucred peer = {0};
    socklen_t n = sizeof peer;
    if (!info || getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) || !may_enter(&peer, group)) {
        err_set(e, TL_E_DENIED, "this user may not use the API");
        err_hint(e, "run the command as root or as a member of the group named by [api] group");
        return TL_E_DENIED;
    }
    char name[64] = "?", space[1024];
    struct passwd entry, *found = NULL;
    if (getpwuid_r(peer.uid, &entry, space, sizeof space, &found) == 0 && found)
        snprintf(name, sizeof name, "%s", found->pw_name);
    *out = (struct caller){.kind = CALLER_OPERATOR,
                           .name = arena_fmt(&rq->arena, "uid %u (%s)", (unsigned)peer.uid, name),
                           .scopes = 1u << SCOPE_OPERATOR};
    return TL_OK;
}

static const char *const scope_names[] = {
    [SCOPE_OPERATOR] = "operate", [SCOPE_READ] = "read", [SCOPE_METRICS] = "metrics",
    [SCOPE_VIEW] = "view",        [SCOPE_ACT] = "act",
};

const char *scope_name(enum scope scope)
{
    return scope_names[scope];
}

static bool scope_add(str word, uint32_t *set)
{
    for (uint32_t i = 0; i < ARRAY_LEN(scope_names); i++)
        if (str_is(word, scope_names[i]))
            return *set |= 1u << i, true;
    return false;
}

int scopes_parse(str list, uint32_t *out, struct err *e)
{
    uint32_t set = 0;
    bool known = list.n > 0;
    str word = list;
    for (str rest = list; known && str_split(&rest, ',', &word);) {
        word = str_trim(word);
        known = scope_add(word, &set);
    }
    if (known)
        return *out = set, TL_OK;
    err_set(e, E_USAGE, "there is no scope \"%.*s\"", STR_FMT(word));
    err_hint(e, "operate, read, metrics; of an agent view, act");
    return E_USAGE;
}

json_t *scopes_json(uint32_t scopes)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < ARRAY_LEN(scope_names); i++)
        if (scopes & 1u << i)
            json_array_append_new(list, json_string(scope_names[i]));
    return list;
}

int caller_check(const struct caller *c, enum scope scope, const char *what, struct err *e)
{
    if (c->scopes & (1u << scope | 1u << SCOPE_OPERATOR))
        return TL_OK;
    err_set(e, TL_E_DENIED, "%s may not do this: %s", c->name, what);
    err_hint(e, "it is for the scope \"%s\"", scope_name(scope));
    return TL_E_DENIED;
}
