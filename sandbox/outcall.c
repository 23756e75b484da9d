#include "outcall.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_MAX = 4096 };

struct target {
    char host[128];
    int port;
    const char *path;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool url_read(const char *url, struct target *out)
{
    str s = str_of(url), authority;
    if (!str_starts(s, STR("http://")))
        return false;
    s = str_n(s.p + 7, s.n - 7);
    const char *slash = memchr(s.p, '/', s.n);
    authority = str_n(s.p, slash ? (size_t)(slash - s.p) : s.n);
    out->path = slash ? slash : "/";
    out->port = 80;
    const char *colon = memchr(authority.p, ':', authority.n);
    if (colon) {
        int64_t port;
        if (!str_to_i64(str_n(colon + 1, authority.n - (size_t)(colon - authority.p) - 1), &port) || port < 1 ||
            port > 65535)
            return false;
        out->port = (int)port;
        authority.n = (size_t)(colon - authority.p);
    }
    if (!authority.n || authority.n >= sizeof out->host)
        return false;
    memcpy(out->host, authority.p, authority.n);
    out->host[authority.n] = '\0';
    return strcmp(out->host, "127.0.0.1") == 0 || strcmp(out->host, "localhost") == 0;
}

static bool wait_for(int fd, short events, int64_t until_ms)
{
    struct pollfd p = {.fd = fd, .events = events};
    int64_t left = until_ms - now_ms();
    return left > 0 && poll(&p, 1, (int)left) == 1;
}

static int connect_to(const struct target *t, int64_t until_ms)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)t->port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), failed = 0;
    socklen_t size = sizeof failed;
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
        return fd;
    if (errno == EINPROGRESS && wait_for(fd, POLLOUT, until_ms) &&
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) == 0 && failed == 0)
        return fd;
    close(fd);
    return -1;
}

static bool send_all(int fd, const char *p, size_t n, int64_t until_ms)
{
    while (n) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent < 0 && (errno != EAGAIN || !wait_for(fd, POLLOUT, until_ms)))
            return false;
        if (sent > 0) {
            p += sent;
            n -= (size_t)sent;
        }
    }
    return true;
}

/* Reads up to the end of the status line; what follows does not matter to the vendor. */
static int status_read(int fd, int64_t until_ms)
{
    char head[HEAD_MAX + 1];
    size_t n = 0;
    while (n < HEAD_MAX) {
        ssize_t got = recv(fd, head + n, HEAD_MAX - n, 0);
        if (got == 0 || (got < 0 && (errno != EAGAIN || !wait_for(fd, POLLIN, until_ms))))
            return -1;
        n += got > 0 ? (size_t)got : 0;
        head[n] = '\0';
        if (memchr(head, '\n', n))
            break;
    }
    if (n < 12 || memcmp(head, "HTTP/1.", 7) != 0)
        return -1;
    long status = strtol(head + 9, NULL, 10);
    return status >= 100 && status < 600 ? (int)status : -1;
}

int outcall(const char *method, const char *url, const char *headers, str body, int64_t timeout_ms)
{
    struct target t;
    int64_t until_ms = now_ms() + timeout_ms;
    if (!url_read(url, &t))
        return -1;
    int fd = connect_to(&t, until_ms);
    if (fd < 0)
        return -1;
    AUTO(buf_done) struct buf b = {0};
    buf_fmt(&b, "%s %s HTTP/1.1\r\nHost: %s:%d\r\nConnection: close\r\nUser-Agent: ZohoDesk\r\n%s", method, t.path,
            t.host, t.port, headers);
    if (body.n)
        buf_fmt(&b, "Content-Type: application/json\r\nContent-Length: %zu\r\n", body.n);
    buf_text_add(&b, "\r\n");
    buf_str(&b, body);
    int status = send_all(fd, b.p, b.n, until_ms) ? status_read(fd, until_ms) : -1;
    close(fd);
    return status;
}
