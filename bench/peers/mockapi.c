/* A small vendor-like HTTP/1.1 API on loopback: one thread, epoll, keep-alive, pages rendered beforehand.
   GET  /page?from=N            a page of PAGE contacts ({"data":[...],"info":{...}}), "more_records" false on the last
   GET  /list?from=N            the same page as a bare JSON array
   GET  /changes?n=K            a page holding K changed contacts (spread over the set), modifiedTime in 2027
   POST /batch?n=K              takes any body, answers K per-record results with new ids
   POST /one                    takes any body, answers one result with a new id
   GET  /stats                  requests, bytes in, CPU used so far (us), and resets nothing
   usage: mockapi PORT TOTAL [PAGE=200] [DELAY_MS=0] [MAX_SECONDS=900]   binds 127.0.0.1 only; stops itself */
#include "common.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

typedef struct {
    char *p;
    size_t n;
} buf;
typedef struct conn {
    int fd;
    char *in;
    size_t len, cap;
    const char *ob;
    size_t on, oo;
    char *own;
    char hd[256];
    size_t hn, ho;
    struct conn *next;
    uint64_t due;
    int waiting;
} conn;
static buf *pages;
static uint64_t total, pagesz = 200, delay_ns, nreq, bin, idseq = 1, lastpost;
static int ep;
static conn *dq_h, *dq_t;
static void nb(int fd)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}
static void want(conn *c, int out)
{
    struct epoll_event e = {.events = out ? EPOLLOUT : EPOLLIN, .data.ptr = c};
    epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}
static void drop(conn *c)
{
    close(c->fd);
    free(c->in);
    free(c->own);
    free(c);
}
static int flush_out(conn *c) /* 1 done, 0 again, -1 dead */
{
    while (c->ho < c->hn || c->oo < c->on) {
        struct iovec v[2] = {{c->hd + c->ho, c->hn - c->ho}, {(char *)c->ob + c->oo, c->on - c->oo}};
        ssize_t w = writev(c->fd, v, 2);
        if (w < 0)
            return errno == EAGAIN ? 0 : -1;
        size_t h = (size_t)w < c->hn - c->ho ? (size_t)w : c->hn - c->ho;
        c->ho += h;
        c->oo += (size_t)w - h;
    }
    free(c->own);
    c->own = NULL;
    return 1;
}
static uint64_t arg(const char *q, const char *e, const char *k)
{
    size_t kl = strlen(k);
    for (; q + kl < e; q++)
        if ((q[-1] == '?' || q[-1] == '&') && !memcmp(q, k, kl) && q[kl] == '=')
            return strtoull(q + kl + 1, NULL, 10);
    return 0;
}
static void answer(conn *c, const char *path, const char *pe, size_t blen)
{
    int code = 200;
    c->ob = "{}";
    c->on = 2;
    c->oo = 0;
    if (!strncmp(path, "/page", 5)) {
        uint64_t k = arg(path + 6, pe, "from") / pagesz;
        if (k < (total + pagesz - 1) / pagesz) {
            c->ob = pages[k].p;
            c->on = pages[k].n;
        }
    } else if (!strncmp(path, "/list", 5)) {
        uint64_t k = arg(path + 6, pe, "from") / pagesz;
        c->ob = "[]";
        if (k < (total + pagesz - 1) / pagesz) {
            c->ob = pages[k].p + 8;
            c->on = (size_t)(strstr(pages[k].p + pages[k].n - 80, "],\"info\"") + 1 - c->ob);
        }
    } else if (!strncmp(path, "/changes", 8)) {
        uint64_t n = arg(path + 9, pe, "n"), st = n ? total / n : 1;
        size_t o = 0, cap = n * 2048 + 128;
        c->own = malloc(cap);
        o += (size_t)sprintf(c->own, "{\"data\":[");
        for (uint64_t i = 0; i < n; i++) {
            if (i)
                c->own[o++] = ',';
            size_t s = o;
            o += gen_record(c->own + o, cap - o, i * st);
            char *m = strstr(c->own + s, "\"modifiedTime\":\"2026");
            if (m)
                m[19] = '7';
        }
        o += (size_t)sprintf(c->own + o, "],\"info\":{\"count\":%llu,\"more_records\":false}}", (unsigned long long)n);
        c->ob = c->own;
        c->on = o;
    } else if (!strncmp(path, "/batch", 6) || !strncmp(path, "/one", 4)) {
        uint64_t n = path[1] == 'b' ? arg(path + 7, pe, "n") : 1;
        size_t o = 0;
        lastpost = now_ns();
        c->own = malloc(n * 160 + 64);
        o += (size_t)sprintf(c->own, "{\"data\":[");
        for (uint64_t i = 0; i < n; i++)
            o += (size_t)sprintf(c->own + o,
                                 "%s{\"code\":\"SUCCESS\",\"details\":{\"id\":\"5100000%010llu\",\"Modified_Time\":"
                                 "\"2026-11-21T10:00:00Z\"},\"status\":\"success\"}",
                                 i ? "," : "", (unsigned long long)idseq++);
        o += (size_t)sprintf(c->own + o, "]}");
        c->ob = c->own;
        c->on = o;
    } else if (!strncmp(path, "/stats", 6)) {
        c->own = malloc(256);
        c->on = (size_t)sprintf(
            c->own, "{\"requests\":%llu,\"bytes_in\":%llu,\"cpu_us\":%llu,\"last_post_ns\":%llu,\"ids\":%llu}",
            (unsigned long long)nreq, (unsigned long long)bin, (unsigned long long)(cpu_ns() / 1000),
            (unsigned long long)lastpost, (unsigned long long)idseq);
        c->ob = c->own;
    } else
        code = 404;
    nreq++;
    bin += blen;
    c->hn = (size_t)sprintf(c->hd, "HTTP/1.1 %d OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                            code, c->on);
    c->ho = 0;
}
static void serve(conn *c);
static void deliver(conn *c)
{
    int r = flush_out(c);
    if (r < 0)
        drop(c);
    else if (r == 0)
        want(c, 1);
    else
        serve(c);
}
static void serve(conn *c) /* handle what the input holds; one request at a time */
{
    for (;;) {
        char *end = c->len ? memmem(c->in, c->len, "\r\n\r\n", 4) : NULL;
        if (!end)
            return;
        size_t hl = (size_t)(end - c->in) + 4, bl = 0;
        char *p = c->in;
        while (p < end) {
            if (!strncasecmp(p, "content-length:", 15))
                bl = strtoull(p + 15, NULL, 10);
            if (!strncasecmp(p, "expect: 100", 11) && c->len < hl + 1) {
                if (write(c->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25) < 0) {
                }
            }
            char *nl = memchr(p, '\n', (size_t)(end + 2 - p));
            if (!nl)
                break;
            p = nl + 1;
        }
        if (c->len < hl + bl)
            return;
        char *path = memchr(c->in, ' ', hl), *pe = path ? memchr(path + 1, ' ', hl - (size_t)(path + 1 - c->in)) : NULL;
        if (!pe) {
            drop(c);
            return;
        }
        answer(c, path + 1, pe, bl);
        memmove(c->in, c->in + hl + bl, c->len - hl - bl);
        c->len -= hl + bl;
        if (delay_ns) {
            c->due = now_ns() + delay_ns;
            c->next = NULL;
            c->waiting = 1;
            if (dq_t)
                dq_t->next = c;
            else
                dq_h = c;
            dq_t = c;
            return;
        }
        int r = flush_out(c);
        if (r < 0) {
            drop(c);
            return;
        }
        if (r == 0) {
            want(c, 1);
            return;
        }
    }
}
int main(int argc, char **argv)
{
    int port = argc > 1 ? atoi(argv[1]) : 18080;
    total = argc > 2 ? strtoull(argv[2], NULL, 10) : 10000;
    if (argc > 3)
        pagesz = strtoull(argv[3], NULL, 10);
    if (argc > 4)
        delay_ns = (uint64_t)(atof(argv[4]) * 1e6);
    alarm(argc > 5 ? (unsigned)atoi(argv[5]) : 900);
    signal(SIGPIPE, SIG_IGN);
    uint64_t np = (total + pagesz - 1) / pagesz;
    pages = calloc(np + 1, sizeof *pages);
    for (uint64_t i = 0; i < np; i++) {
        uint64_t n = total - i * pagesz < pagesz ? total - i * pagesz : pagesz;
        pages[i].p = gen_page(i * pagesz, (unsigned)n, &pages[i].n);
        pages[i].p = realloc(pages[i].p, pages[i].n + 8);
        if (i == np - 1) {
            char *m = strstr(pages[i].p + pages[i].n - 60, "true}}");
            if (m) {
                memcpy(m, "false}}", 8);
                pages[i].n++;
            }
        }
    }
    int ls = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(ls, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(ls, (void *)&a, sizeof a) || listen(ls, 256)) {
        perror("bind");
        return 1;
    }
    nb(ls);
    ep = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL}, ev[64];
    epoll_ctl(ep, EPOLL_CTL_ADD, ls, &e);
    fprintf(stderr, "mockapi ready pid %d port %d records %llu\n", getpid(), port, (unsigned long long)total);
    for (;;) {
        int to = -1;
        if (dq_h) {
            uint64_t n = now_ns();
            to = dq_h->due > n ? (int)((dq_h->due - n) / 1000000 + 1) : 0;
        }
        int n = epoll_wait(ep, ev, 64, to);
        for (int i = 0; i < n; i++) {
            conn *c = ev[i].data.ptr;
            if (!c) {
                int fd;
                while ((fd = accept(ls, NULL, NULL)) >= 0) {
                    nb(fd);
                    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    conn *k = calloc(1, sizeof *k);
                    k->fd = fd;
                    e.data.ptr = k;
                    e.events = EPOLLIN;
                    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
                }
                continue;
            }
            if (ev[i].events & EPOLLOUT) {
                want(c, 0);
                deliver(c);
                continue;
            }
            if (c->cap - c->len < 65536)
                c->in = realloc(c->in, c->cap = c->cap * 2 + 131072);
            ssize_t r = read(c->fd, c->in + c->len, c->cap - c->len - 1);
            if (r <= 0) {
                if (!(r < 0 && errno == EAGAIN) && !c->waiting)
                    drop(c);
                continue;
            }
            c->len += (size_t)r;
            if (!c->waiting)
                serve(c);
        }
        uint64_t nw = dq_h ? now_ns() : 0;
        while (dq_h && dq_h->due <= nw) {
            conn *c = dq_h;
            dq_h = c->next;
            if (!dq_h)
                dq_t = NULL;
            c->waiting = 0;
            deliver(c);
        }
    }
}
