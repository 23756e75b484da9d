#include "worker_output.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "codec.h"
#include "log.h"

struct worker_output {
    int fd;
    pthread_t thread;
    char *connector;
    struct buf line;
    bool cut; /* the rest of a line too long is skipped */
    int64_t span_ms;
    uint32_t lines, left_out;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void tell(const struct worker_output *o, enum log_level level, const char *text)
{
    AUTO(buf_done) struct buf ctx = {.max = 1024};
    log_member(&ctx, "connector", o->connector);
    log_line(level, buf_text(&ctx), "%s", text);
}

static void tell_left_out(struct worker_output *o)
{
    if (!o->left_out)
        return;
    AUTO(buf_done) struct buf text = {.max = 256};
    buf_fmt(&text, "%u more lines of its output are left out", o->left_out);
    o->left_out = 0;
    tell(o, LOG_WARN, buf_text(&text));
}

static void line_ends(struct worker_output *o)
{
    int64_t now = now_ms();
    if (now - o->span_ms >= OUTPUT_SPAN_MS) {
        tell_left_out(o);
        o->span_ms = now;
        o->lines = 0;
    }
    if (o->line.n && o->lines++ >= OUTPUT_LINES)
        o->left_out++;
    else if (o->line.n) {
        AUTO(buf_done) struct buf text = {.max = OUTPUT_LINE_MAX + 64};
        buf_text_add(&text, "it prints: ");
        buf_str(&text, codec_utf8(buf_lent(&o->line)) ? buf_lent(&o->line) : STR("(no UTF-8 text)"));
        tell(o, LOG_WARN, buf_text(&text));
    }
    buf_clear(&o->line);
    o->cut = false;
}

static void take_byte(struct worker_output *o, char c)
{
    if (c == '\n')
        line_ends(o);
    else if (o->line.n < OUTPUT_LINE_MAX)
        buf_char(&o->line, (unsigned char)c < 0x20 ? ' ' : c);
    else if (!o->cut)
        o->cut = true;
}

static void *output_main(void *arg)
{
    struct worker_output *o = arg;
    char bytes[4096];
    for (;;) {
        ssize_t n = read(o->fd, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        for (ssize_t i = 0; i < n; i++)
            take_byte(o, bytes[i]);
    }
    line_ends(o);
    tell_left_out(o);
    return NULL;
}

int worker_output_start(struct worker_output **out, const char *connector, int *fd_out, struct err *e)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return err_errno(e, "cannot make a socket for the output of connector \"%s\"", connector);
    shutdown(pair[1], SHUT_RD);
    struct worker_output *o = calloc(1, sizeof *o);
    ASSERT(o);
    o->fd = pair[0];
    o->connector = text_dup(connector);
    sigset_t all, before; /* signals belong to the control thread */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 256 << 10);
    int rc = pthread_create(&o->thread, &attr, output_main, o);
    pthread_attr_destroy(&attr);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc) {
        close(pair[0]);
        close(pair[1]);
        text_free(o->connector);
        free(o);
        errno = rc;
        return err_errno(e, "cannot start a thread for the output of connector \"%s\"", connector);
    }
    *fd_out = pair[1];
    *out = o;
    return TL_OK;
}

struct worker_output *worker_output_stop(struct worker_output *o)
{
    if (!o)
        return NULL;
    shutdown(o->fd, SHUT_RD); /* whoever else may hold the other end: what is there is read, then comes the end */
    pthread_join(o->thread, NULL);
    close(o->fd);
    buf_done(&o->line);
    text_free(o->connector);
    free(o);
    return NULL;
}
