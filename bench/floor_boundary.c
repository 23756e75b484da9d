/* See boundary.h. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boundary.h"
#include "codec.h"

enum { ASKED = 256 }; /* bytes of a question: about those of a call of one record */

static double of(int who)
{
    struct rusage use;
    getrusage(who, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e6 +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

double boundary_cpu_us(void)
{
    return of(RUSAGE_SELF) + of(RUSAGE_CHILDREN);
}

/* ---- the connector as a function ---- */

struct direct {
    tl_host host; /* first: it is what the connector is given */
    const tl_shape *shape;
    struct reply reply;
};

static tl_status direct_emit(const tl_host *host, const tl_batch *b)
{
    struct direct *d = (struct direct *)(void *)(size_t)host;
    struct err e = {0};
    for (uint32_t i = 0; i < b->count; i++)
        ASSERT(reply_add_record_of(&d->reply, TL_AT(tl_record, b->records, b->stride, i), d->shape, &e) == TL_OK);
    return TL_OK;
}

static tl_status direct_checkpoint(const tl_host *host, const tl_checkpoint *c)
{
    struct direct *d = (struct direct *)(void *)(size_t)host;
    struct err e = {0};
    return (tl_status)reply_add_checkpoint(&d->reply, c, &e);
}

static void measure_function(struct boundary_floor *out, uint32_t records, uint32_t events)
{
    const tl_connector *connector = tieline_connector_v0();
    struct direct d = {.host = {.struct_size = sizeof(tl_host), .emit = direct_emit, .checkpoint = direct_checkpoint}};
    tl_error error = {.struct_size = sizeof error};
    tl_open open = {.struct_size = sizeof open};
    tl_conn *conn = NULL;
    AUTO(call_free) struct call *pull = boundary_pull(1), *get = boundary_event();
    d.shape = pull->request.pull.shape;
    ASSERT(connector->open(&d.host, &open, &conn, &error) == TL_OK);
    double start = boundary_cpu_us();
    for (uint32_t done = 0; done < records; done += EMITTER_PAGE) {
        buf_clear(&d.reply.items);
        ASSERT(connector->pull(conn, &pull->request.pull, &error) == TL_OK);
    }
    out->function_record = (boundary_cpu_us() - start) / records;
    out->page_bytes = (double)d.reply.items.n;
    start = boundary_cpu_us();
    for (uint32_t i = 0; i < events; i++) {
        buf_clear(&d.reply.items);
        ASSERT(connector->get(conn, &get->request.get, &error) == TL_OK);
    }
    out->function_event = (boundary_cpu_us() - start) / events;
    out->one_bytes = (double)d.reply.items.n;
    connector->close(conn);
    buf_done(&d.reply.items);
}

/* ---- another process ---- */

static void all_of(int fd, uint8_t *p, size_t n, bool out)
{
    while (n > 0) {
        ssize_t k = out ? write(fd, p, n) : read(fd, p, n);
        if (k <= 0)
            _exit(0); /* the child's end: the parent has what it wanted */
        p += k;
        n -= (size_t)k;
    }
}

/* us for each question and its answer of so many bytes. */
static double process_round(size_t bytes, uint32_t rounds)
{
    int pair[2];
    uint8_t *answer = calloc(1, bytes), asked[ASKED] = {0};
    ASSERT(answer && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    double start = boundary_cpu_us();
    pid_t child = fork();
    ASSERT(child >= 0);
    if (child == 0) {
        close(pair[0]);
        for (;;) {
            all_of(pair[1], asked, sizeof asked, false);
            all_of(pair[1], answer, bytes, true);
        }
    }
    close(pair[1]);
    for (uint32_t i = 0; i < rounds; i++) {
        all_of(pair[0], asked, sizeof asked, true);
        all_of(pair[0], answer, bytes, false);
    }
    close(pair[0]);
    ASSERT(waitpid(child, NULL, 0) == child);
    free(answer);
    return (boundary_cpu_us() - start) / rounds;
}

/* ---- another thread ---- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint32_t asked, answered;
} hop = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void *answer_all(void *arg)
{
    const uint32_t *rounds = arg;
    pthread_mutex_lock(&hop.lock);
    while (hop.answered < *rounds) {
        while (hop.asked == hop.answered)
            pthread_cond_wait(&hop.changed, &hop.lock);
        hop.answered++;
        pthread_cond_signal(&hop.changed);
    }
    pthread_mutex_unlock(&hop.lock);
    return NULL;
}

static double thread_round(uint32_t rounds)
{
    pthread_t other;
    double start = boundary_cpu_us();
    ASSERT(pthread_create(&other, NULL, answer_all, &rounds) == 0);
    pthread_mutex_lock(&hop.lock);
    for (uint32_t i = 0; i < rounds; i++) {
        hop.asked++;
        pthread_cond_signal(&hop.changed);
        while (hop.answered < hop.asked)
            pthread_cond_wait(&hop.changed, &hop.lock);
    }
    pthread_mutex_unlock(&hop.lock);
    pthread_join(other, NULL);
    return (boundary_cpu_us() - start) / rounds;
}

void boundary_floor(struct boundary_floor *out, uint32_t records, uint32_t events)
{
    measure_function(out, records, events);
    out->record = out->page_bytes / EMITTER_PAGE;
    out->process_record = process_round((size_t)out->page_bytes, records / EMITTER_PAGE) / EMITTER_PAGE;
    out->process_round = process_round((size_t)out->one_bytes, events);
    out->thread_round = thread_round(events);
}
