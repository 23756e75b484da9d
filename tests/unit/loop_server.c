#include "loop_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 512 };

struct connection {
    struct loop_server *server;
    pthread_t thread;
    int fd, number;
};
struct loop_server {
    pthread_mutex_t lock; /* guards the counters, release, connections */
    pthread_cond_t released;
    bool release, stopping;
    int listener, port, connections, requests;
    pthread_t thread;
    struct connection all[MAX_CONNECTIONS];
    void (*handler)(void *, const struct loop_request *, struct loop_reply *);
    void *ctx;
};

void loop_header(const struct loop_request *r, const char *name, char *out, size_t cap)
{
    size_t n = strlen(name);
    out[0] = '\0';
    for (const char *p = strstr(r->head, "\r\n"); p && p[2]; p = strstr(p + 2, "\r\n")) {
        if (strncasecmp(p + 2, name, n) == 0 && p[2 + n] == ':') {
            const char *v = p + 3 + n + strspn(p + 3 + n, " ");
            snprintf(out, cap, "%.*s", (int)strcspn(v, "\r"), v);
            return;
        }
    }
}

static bool write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t w = send(fd, p, n, MSG_NOSIGNAL);
        if (w <= 0)
            return false;
        p += w;
        n -= (size_t)w;
    }
    return true;
}

/* Reads one request; bytes beyond it are never sent by the client before our answer. */
static bool read_request(int fd, struct loop_request *r)
{
    size_t n = 0;
    char *end = NULL;
    while (!end) {
        ssize_t got = n < sizeof r->head - 1 ? recv(fd, r->head + n, sizeof r->head - 1 - n, 0) : -1;
        if (got <= 0)
            return false;
        n += (size_t)got;
        r->head[n] = '\0';
        end = strstr(r->head, "\r\n\r\n");
    }
    size_t head_n = (size_t)(end + 4 - r->head);
    r->body_n = n - head_n;
    memcpy(r->body, r->head + head_n, r->body_n);
    r->head[head_n] = '\0';
    char length[32];
    loop_header(r, "Content-Length", length, sizeof length);
    size_t wanted = strtoul(length, NULL, 10);
    while (r->body_n < wanted && wanted < sizeof r->body) {
        ssize_t got = recv(fd, r->body + r->body_n, wanted - r->body_n, 0);
        if (got <= 0)
            return false;
        r->body_n += (size_t)got;
    }
    r->body[r->body_n] = '\0';
    return sscanf(r->head, "%15s %2047s", r->method, r->target) == 2;
}

static bool answer(struct connection *c, const struct loop_reply *a)
{
    struct loop_server *s = c->server;
    pthread_mutex_lock(&s->lock);
    while (a->hold && !s->release)
        pthread_cond_wait(&s->released, &s->lock);
    pthread_mutex_unlock(&s->lock);
    if (!a->status)
        return false;
    size_t n = a->body ? (a->body_n ? a->body_n : strlen(a->body)) : 0;
    char head[2048];
    int h =
        snprintf(head, sizeof head, "HTTP/1.1 %d Status\r\n%sContent-Length: %zu\r\n\r\n", a->status, a->headers, n);
    size_t send_n = a->cut ? a->cut : n;
    return write_all(c->fd, head, (size_t)h) && (!send_n || write_all(c->fd, a->body, send_n)) && !a->cut;
}

static void *serve(void *arg)
{
    struct connection *c = arg;
    struct loop_server *s = c->server;
    struct loop_request *r = calloc(1, sizeof *r);
    for (int i = 1; r && read_request(c->fd, r); i++) {
        struct loop_reply a = {.status = 200};
        r->connection = c->number;
        r->on_connection = i;
        pthread_mutex_lock(&s->lock);
        s->requests++;
        pthread_mutex_unlock(&s->lock);
        s->handler(s->ctx, r, &a);
        if (!answer(c, &a))
            break;
    }
    free(r);
    shutdown(c->fd, SHUT_RDWR);
    return NULL;
}

static void *listen_loop(void *arg)
{
    struct loop_server *s = arg;
    for (;;) {
        int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            return NULL;
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        pthread_mutex_lock(&s->lock);
        if (s->stopping || s->connections == MAX_CONNECTIONS) {
            pthread_mutex_unlock(&s->lock);
            close(fd);
            continue;
        }
        struct connection *c = &s->all[s->connections++];
        *c = (struct connection){.server = s, .fd = fd, .number = s->connections};
        pthread_create(&c->thread, NULL, serve, c);
        pthread_mutex_unlock(&s->lock);
    }
}

struct loop_server *loop_start(void (*handler)(void *, const struct loop_request *, struct loop_reply *), void *ctx)
{
    struct loop_server *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->released, NULL);
    s->handler = handler;
    s->ctx = ctx;
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    if (bind(s->listener, (struct sockaddr *)(void *)&at, n) || listen(s->listener, 128) ||
        getsockname(s->listener, (struct sockaddr *)(void *)&at, &n))
        abort();
    s->port = ntohs(at.sin_port);
    pthread_create(&s->thread, NULL, listen_loop, s);
    return s;
}

void loop_release(struct loop_server *s)
{
    pthread_mutex_lock(&s->lock);
    s->release = true;
    pthread_cond_broadcast(&s->released);
    pthread_mutex_unlock(&s->lock);
}

struct loop_server *loop_stop(struct loop_server *s)
{
    loop_release(s);
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_mutex_unlock(&s->lock);
    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    for (int i = 0; i < s->connections; i++)
        shutdown(s->all[i].fd, SHUT_RDWR);
    for (int i = 0; i < s->connections; i++) {
        pthread_join(s->all[i].thread, NULL);
        close(s->all[i].fd);
    }
    close(s->listener);
    pthread_cond_destroy(&s->released);
    pthread_mutex_destroy(&s->lock);
    free(s);
    return NULL;
}

int loop_port(const struct loop_server *s)
{
    return s->port;
}

char *loop_url(const struct loop_server *s, const char *path)
{
    char *out = NULL;
    if (asprintf(&out, "http://127.0.0.1:%d%s", s->port, path) < 0)
        abort();
    return out;
}

static int counted(struct loop_server *s, const int *what)
{
    pthread_mutex_lock(&s->lock);
    int n = *what;
    pthread_mutex_unlock(&s->lock);
    return n;
}

int loop_connections(struct loop_server *s)
{
    return counted(s, &s->connections);
}

int loop_requests(struct loop_server *s)
{
    return counted(s, &s->requests);
}
