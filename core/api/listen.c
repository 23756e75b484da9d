/* Sockets to listen on: see listen.h. */
#include "listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "address.h"
#include "log.h"

int listen_unix(const char *path, uint32_t group, struct err *e)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof addr.sun_path)
        return err_set(e, TL_E_CONFIG, "[api] socket = %s: longer than %zu bytes", path, sizeof addr.sun_path - 1), -1;
    memcpy(addr.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_errno(e, "cannot make the API socket"), -1;
    if (connect(fd, (struct sockaddr *)&addr, sizeof addr) == 0) {
        close(fd);
        err_set(e, E_BUSY, "another tielined answers on \"%s\"", path);
        err_hint(e, "stop it first, or give this one its own [api] socket and [core] state_dir");
        return -1;
    }
    bool left_behind = errno == ECONNREFUSED; /* by a daemon that was killed */
    close(fd);
    struct stat st;
    if (lstat(path, &st) == 0 && (!S_ISSOCK(st.st_mode) || !left_behind)) {
        err_set(e, TL_E_CONFIG, "[api] socket = %s: %s", path,
                S_ISSOCK(st.st_mode) ? "is a socket of another kind or user" : "there is something else than a socket");
        err_hint(e, "look at it, then remove it or name another path");
        return -1;
    }
    if (left_behind)
        unlink(path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    mode_t old = umask(0117);
    int rc = bind(fd, (struct sockaddr *)&addr, sizeof addr);
    umask(old);
    if (rc || listen(fd, 64)) {
        err_errno(e, "cannot listen on \"%s\"", path);
        err_hint(e, "does its directory exist, and may the daemon's user write there?");
        close(fd);
        return -1;
    }
    if (group != UINT32_MAX && chown(path, (uid_t)-1, group)) {
        struct err why = {0};
        err_errno(&why, "members of [api] group (gid %u) cannot use the API: cannot hand them \"%s\"", group, path);
        err_hint(&why, "the daemon's user must be in the group: SupplementaryGroups= in the unit, or usermod -aG");
        log_err(LOG_ERROR, NULL, &why);
    }
    return fd;
}

int listen_tcp(const char *address, struct err *e)
{
    char host[256];
    const char *colon = strrchr(address, ':');
    snprintf(host, sizeof host, "%.*s", colon ? (int)(colon - address) : 0, address);
    const char *name = host[0] == '[' ? host + 1 : host;
    if (host[0] == '[' && strlen(host) > 1)
        host[strlen(host) - 1] = 0;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *found = NULL;
    int rc = getaddrinfo(name, colon ? colon + 1 : "0", &hints, &found);
    if (rc)
        return err_set(e, TL_E_CONFIG, "cannot listen on \"%s\": %s", address, gai_strerror(rc)), -1;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) || listen(fd, 128)) {
        err_errno(e, "cannot listen on \"%s\"", address);
        err_hint(e, "is the port in use? see: ss -ltnp");
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

bool listen_beyond_host(int fd)
{
    struct sockaddr_storage at = {0};
    socklen_t n = sizeof at;
    return getsockname(fd, (struct sockaddr *)&at, &n) || !address_is_loopback((const struct sockaddr *)&at);
}
