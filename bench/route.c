/* usage: route DATABASE PAIRS EVENTS [isolated]
 * What an event costs that changes nothing: random records of side A, as they are known, come in pages that were
 * emitted before the clock starts. isolated: another process sends them over the channel of a worker and they are
 * checked, as those of a worker are; its CPU counts too. Prints one JSON object. Nothing may be written. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "codec.h"
#include "frame.h"
#include "times.h"

enum { PAGE = 500, PAGES = 8, WARM = 5, CHANNEL_ITEMS = 256 * 1024 };

static struct {
    struct bench bench;
    struct arena arena; /* of shape */
    tl_shape shape;     /* that the engine asks in */
    struct reply pull;  /* what the next pull of side A answers */
    bool isolated;
} r;

static double children_us(void)
{
    struct rusage use;
    getrusage(RUSAGE_CHILDREN, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e6 +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

static void must(int rc, const struct err *e)
{
    make_must(rc, e, "channel");
}

/* The items in frames of a worker's size, cut between two of them. */
static void send_items(struct channel *to, const struct reply *pull)
{
    struct err e = {0};
    struct reply_reader reader;
    struct item item;
    reply_reader_init(&reader, pull);
    const uint8_t *from = reader.p;
    for (bool more = true; more;) {
        more = reply_next(&reader, &item);
        if (reader.p - from < CHANNEL_ITEMS && more)
            continue;
        must(channel_write(to, FRAME_ITEMS, 1, str_n((const char *)from, (size_t)(reader.p - from)), &e), &e);
        from = reader.p;
    }
    reply_reader_done(&reader);
    must(channel_write(to, FRAME_DONE, 1, (str){0}, &e), &e);
}

static void over_a_channel(struct call *c)
{
    int ours = -1, theirs = -1;
    struct err e = {0};
    struct channel channel;
    AUTO(arena_done) struct arena scratch = {0};
    must(channel_pair(&ours, &theirs, &e), &e);
    pid_t child = fork();
    ASSERT(child >= 0);
    channel_init(&channel, child ? ours : theirs, false);
    close(child ? theirs : ours);
    if (child == 0) {
        send_items(&channel, &r.pull);
        _exit(0);
    }
    for (struct frame f = {0};;) {
        must(channel_read(&channel, &f, -1, &e), &e);
        if (f.type == FRAME_DONE)
            break;
        must(items_check(c, f.body, &scratch, &e), &e);
        buf_str(&c->reply.items, f.body);
    }
    channel_done(&channel);
    waitpid(child, NULL, 0);
}

static void answer_pull(struct vendors *v, struct call *c)
{
    (void)v;
    if (r.isolated)
        over_a_channel(c);
    else
        c->reply.items = r.pull.items;
    if (r.isolated)
        buf_done(&r.pull.items);
    r.pull.items = (struct buf){0};
}

static void note_shape(struct vendors *v, struct call *c)
{
    const tl_shape *asked = c->request.pull.shape;
    tl_field *fields = arena_array(&r.arena, tl_field, asked->n_fields + 1);
    for (uint32_t i = 0; i < asked->n_fields; i++)
        fields[i] = (tl_field){.struct_size = sizeof(tl_field), .path = arena_str(&r.arena, asked->fields[i].path)};
    r.shape = (tl_shape){sizeof r.shape, asked->n_fields, sizeof(tl_field), 0, {0}, fields};
    vendors_checkpoint(v, 0, TL_PULL_CHANGES, &c->reply);
}

/* One pull of random records, or of those from `from` on, with the checkpoint that stands there anyway. */
static void emit_pull(struct bench *b, int64_t from)
{
    for (int i = 0; i < PAGES * PAGE; i++) {
        uint32_t k = from < 0 ? (uint32_t)env_random_below(&b->sim.env, b->vendors.n) : (uint32_t)from++ % b->vendors.n;
        vendors_emit(&b->vendors, 0, &r.shape, k, &r.pull);
    }
    vendors_checkpoint(&b->vendors, 0, TL_PULL_CHANGES, &r.pull);
    b->vendors.side[0].instead = answer_pull;
}

/* CPU of one pull of unchanged records, from its answer to the end of the turn; ends the program when they made
 * anything be written. */
static double one_pull(struct bench *b)
{
    struct db_stats before, after;
    struct engine_figures figures[2];
    emit_pull(b, -1);
    bench_start(b); /* it is asked now: no time passes in which other things become due */
    db_stats(b->db, &before);
    engine_figures_get(b->engine, &figures[0]);
    double start = bench_cpu_us() + children_us();
    bench_settle(b);
    double cpu = bench_cpu_us() + children_us() - start;
    db_stats(b->db, &after);
    engine_figures_get(b->engine, &figures[1]);
    int64_t unchanged = figures[1].unchanged - figures[0].unchanged;
    int64_t written = after.cache_writes - before.cache_writes;
    if (unchanged != PAGES * PAGE || written != 0) {
        fprintf(stderr, "route: %lld of %d were unchanged, %lld pages were written\n", (long long)unchanged,
                PAGES * PAGE, (long long)written);
        exit(1);
    }
    return cpu;
}

int main(int argc, char **argv)
{
    int64_t pairs = 0, events = 0, done = 0;
    struct bench *b = &r.bench;
    if (argc < 4 || !str_to_i64(str_of(argv[2]), &pairs) || !str_to_i64(str_of(argv[3]), &events) || pairs < 1 ||
        pairs > VENDORS_MAX || events < 1) {
        fprintf(stderr, "usage: route DATABASE PAIRS EVENTS [isolated]\n");
        return 2;
    }
    r.isolated = argc > 4;
    env_sim_init(&b->sim, 7, INT64_C(1767225600) * US_PER_S);
    vendors_init(&b->vendors, &b->sim, (uint32_t)pairs);
    bench_open(b, argv[1], (uint32_t)pairs);
    b->vendors.side[0].instead = note_shape;
    bench_run(b, 2 * EVERY_S * US_PER_S);
    for (int64_t k = 0; k < pairs; k += (int64_t)PAGES * PAGE) { /* as they are emitted, each is known from now on */
        emit_pull(b, k);
        bench_start(b);
        bench_settle(b);
    }
    for (int i = 0; i < WARM; i++)
        one_pull(b);
    double cpu = 0;
    for (; done < events; done += (int64_t)PAGES * PAGE)
        cpu += one_pull(b);
    printf("{\"pairs\":%lld,\"events\":%lld,\"us\":%.3f}\n", (long long)pairs, (long long)done, cpu / (double)done);
    arena_done(&r.arena);
    bench_close(b);
    return 0;
}
