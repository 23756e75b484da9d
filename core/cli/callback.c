#include "callback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "callback_request.h"

enum { VISITORS_MAX = 16, LISTENERS = 2 };

struct visitor {
    int fd;
    struct buf head;
};
struct callback {
    char *uri, *state;
    struct redirect_uri at;
    int listeners[LISTENERS];              /* IPv4 and IPv6 loopback; -1: none */
    struct visitor visitors[VISITORS_MAX]; /* oldest first */
    size_t n_visitors;
    bool input_ended;
    struct buf input;
    bool has_signals; /* those that end a program are its own until the wait is over */
    struct sigaction before[3];
    sigset_t open;
};

/* ---- signals: they come only while it waits, and end the wait ---- */

static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
static volatile sig_atomic_t asked_to_end;

static void on_end(int number)
{
    (void)number;
    asked_to_end = 1;
}

static void take_signals(struct callback *c)
{
    const struct sigaction end = {.sa_handler = on_end};
    sigset_t closed;
    sigemptyset(&closed);
    for (size_t i = 0; i < ARRAY_LEN(ending); i++)
        sigaddset(&closed, ending[i]);
    sigprocmask(SIG_BLOCK, &closed, &c->open);
    for (size_t i = 0; i < ARRAY_LEN(ending); i++)
        sigaction(ending[i], &end, &c->before[i]);
    c->has_signals = true;
}

static void give_signals(struct callback *c)
{
    if (!c->has_signals)
        return;
    for (size_t i = 0; i < ARRAY_LEN(ending); i++)
        sigaction(ending[i], &c->before[i], NULL);
    sigprocmask(SIG_SETMASK, &c->open, NULL);
    c->has_signals = false;
}

/* ---- listening ---- */

static int listen_at(int family, int port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int on = 1, fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    const struct sockaddr *sa = family == AF_INET ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6;
    if (bind(fd, sa, family == AF_INET ? sizeof v4 : sizeof v6) == 0 && listen(fd, 8) == 0)
        return fd;
    int keep = errno;
    close(fd);
    errno = keep;
    return -1;
}

/* "localhost" may be looked up as either; an address is itself. One of the two is enough. */
static bool listen_both(struct callback *c, struct err *e)
{
    bool v4 = strcmp(c->at.host, "[::1]") != 0, v6 = strcmp(c->at.host, "127.0.0.1") != 0;
    int why = 0;
    if (v4 && (c->listeners[0] = listen_at(AF_INET, c->at.port)) < 0)
        why = errno;
    if (v6 && !why && (c->listeners[1] = listen_at(AF_INET6, c->at.port)) < 0 && !v4)
        why = errno;
    if (!why)
        return true;
    errno = why;
    err_errno(e, "port %d of this machine cannot be listened on", c->at.port);
    return false;
}

struct callback *callback_new(const char *redirect_uri, const char *state, struct err *e)
{
    struct callback *c = calloc(1, sizeof *c);
    ASSERT(c);
    c->uri = text_dup(redirect_uri);
    c->state = text_dup(state);
    c->listeners[0] = c->listeners[1] = -1;
    c->input.max = REDIRECT_MAX;
    take_signals(c);
    if (redirect_uri_read(&c->at, c->uri, e))
        return c;
    if (!c->at.loopback)
        err_set(e, E_PRECONDITION, "the browser will end at %s, not on this machine", c->at.host);
    else
        listen_both(c, e);
    return c;
}

static void visitor_end(struct callback *c, size_t i)
{
    close(c->visitors[i].fd);
    buf_done(&c->visitors[i].head);
    c->n_visitors--;
    memmove(&c->visitors[i], &c->visitors[i + 1], (c->n_visitors - i) * sizeof c->visitors[0]);
}

struct callback *callback_free(struct callback *c)
{
    if (!c)
        return NULL;
    give_signals(c);
    while (c->n_visitors)
        visitor_end(c, 0);
    for (int i = 0; i < LISTENERS; i++)
        if (c->listeners[i] >= 0)
            close(c->listeners[i]);
    if (c->input.p)
        explicit_bzero(c->input.p, c->input.cap);
    buf_done(&c->input);
    text_free(c->uri);
    text_free(c->state);
    free(c);
    return NULL;
}

/* ---- one visitor ---- */

/* True when the answer came. */
static bool visitor_reads(struct callback *c, size_t i, struct buf *out)
{
    struct visitor *v = &c->visitors[i];
    char bytes[4096];
    ssize_t n = recv(v->fd, bytes, sizeof bytes, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    bool came = false;
    if (n > 0) {
        buf_add(&v->head, bytes, (size_t)n);
        explicit_bzero(bytes, (size_t)n);
        AUTO(buf_done) struct buf page = {0};
        const struct callback_wish wish = {.uri = c->uri, .at = &c->at, .state = c->state};
        enum callback_verdict verdict = callback_judge(&wish, buf_lent(&v->head), v->head.full, &page, out);
        if (verdict == CALLBACK_MORE)
            return false;
        (void)send(v->fd, page.p, page.n, MSG_NOSIGNAL | MSG_DONTWAIT);
        came = verdict == CALLBACK_OURS;
    }
    visitor_end(c, i);
    return came;
}

/* A browser opens connections it never uses: the oldest makes room. */
static void visitor_new(struct callback *c, int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    if (c->n_visitors == VISITORS_MAX)
        visitor_end(c, 0);
    c->visitors[c->n_visitors++] = (struct visitor){.fd = fd, .head = {.max = CALLBACK_HEAD_MAX}};
}

/* ---- what is pasted ---- */

/* True when there is a whole line with something in it. */
static bool input_reads(struct callback *c, struct buf *out)
{
    char bytes[4096];
    ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n > 0)
        buf_add(&c->input, bytes, (size_t)n);
    explicit_bzero(bytes, sizeof bytes);
    c->input_ended = n <= 0 || c->input.full;
    str rest = buf_lent(&c->input), line;
    while (str_split(&rest, '\n', &line)) {
        bool whole = c->input_ended || line.p + line.n < c->input.p + c->input.n; /* its end was read, too */
        line = str_trim(line);
        if (!line.n || !whole)
            continue;
        buf_clear(out);
        buf_str(out, line);
        return true;
    }
    return false;
}

/* ---- waiting ---- */

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

static size_t poll_set(const struct callback *c, struct pollfd *fds)
{
    size_t n = 0;
    for (int i = 0; i < LISTENERS; i++)
        fds[n++] = (struct pollfd){.fd = c->listeners[i], .events = POLLIN};
    fds[n++] = (struct pollfd){.fd = c->input_ended ? -1 : STDIN_FILENO, .events = POLLIN};
    for (size_t i = 0; i < c->n_visitors; i++)
        fds[n++] = (struct pollfd){.fd = c->visitors[i].fd, .events = POLLIN};
    return n;
}

/* One round; true when the answer is there. */
static bool serve(struct callback *c, const struct pollfd *fds, size_t n, struct buf *out)
{
    for (size_t i = n; i-- > LISTENERS + 1;) /* from the last: those that end move the later ones */
        if (fds[i].revents && visitor_reads(c, i - LISTENERS - 1, out))
            return true;
    for (int i = 0; i < LISTENERS; i++)
        if (fds[i].revents)
            visitor_new(c, c->listeners[i]);
    return fds[LISTENERS].revents && input_reads(c, out);
}

static enum callback_end wait_for(struct callback *c, int64_t ends_ms, const sigset_t *open, struct buf *out)
{
    struct pollfd fds[LISTENERS + 1 + VISITORS_MAX];
    for (;;) {
        if (asked_to_end)
            return CALLBACK_INTERRUPTED;
        if (c->input_ended && c->listeners[0] < 0 && c->listeners[1] < 0)
            return CALLBACK_NOBODY;
        int64_t left = ends_ms - now_ms();
        if (left <= 0)
            return CALLBACK_EXPIRED;
        size_t n = poll_set(c, fds);
        struct timespec ts = {left / 1000, (left % 1000) * 1000000};
        if (ppoll(fds, n, &ts, open) > 0 && serve(c, fds, n, out))
            return CALLBACK_ANSWER;
    }
}

enum callback_end callback_wait(struct callback *c, int64_t timeout_ms, struct buf *out)
{
    enum callback_end how = wait_for(c, now_ms() + timeout_ms, &c->open, out);
    give_signals(c);
    return how;
}
