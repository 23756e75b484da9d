/* usage: boundary CONNECTORS STATE WORKER RECORDS EVENTS
 * What isolation costs: emitter.so of the directory CONNECTORS is asked through the runtime, in process and in a worker
 * of its own, for RECORDS records in pages of 200 and for one record EVENTS times, each awaited. STATE: an empty
 * directory. Prints one JSON object: CPU of this process and of the worker, the pieces it must consist of (boundary.h),
 * what loading takes, and the memory of the worker. */
#include "boundary.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "mailbox.h"
#include "runtime.h"
#include "times.h"

enum { PAGES = 8, WARM = 20 }; /* pages of one call, as the engine asks for changes; before the clock starts */

static const tl_shape *the_shape(void)
{
    static char paths[EMITTER_FIELDS][16];
    static tl_field fields[EMITTER_FIELDS];
    static const tl_shape shape = {.struct_size = sizeof shape,
                                   .n_fields = EMITTER_FIELDS,
                                   .field_stride = sizeof *fields,
                                   .kind = TL_STR("contact"),
                                   .fields = fields};
    for (int i = 0; !fields[EMITTER_FIELDS - 1].struct_size && i < EMITTER_FIELDS; i++) {
        snprintf(paths[i], sizeof paths[i], "x.field_%d", i);
        fields[i] = (tl_field){
            .struct_size = sizeof *fields, .type = TL_TEXT, .path = str_of(paths[i]), .name = str_of(paths[i])};
    }
    return &shape;
}

struct call *boundary_pull(uint32_t pages)
{
    struct call *c = call_new(CALL_PULL, 1, TL_PURPOSE_BULK);
    c->request.pull.shape = the_shape();
    c->request.pull.mode = TL_PULL_PASS;
    c->request.pull.max_pages = pages;
    c->request.pull.page_hint = EMITTER_PAGE;
    return c;
}

struct call *boundary_event(void)
{
    static const tl_str id = TL_STR("400000000000001");
    struct call *c = call_new(CALL_GET, 1, TL_PURPOSE_LIVE);
    c->request.get.shape = the_shape();
    c->request.get.ids = &id;
    c->request.get.n_ids = 1;
    return c;
}

/* ---- the connector through the runtime ---- */

struct figures {
    double record_us, event_us; /* CPU of both processes */
    double load_ms, load_cpu_ms;
    int64_t fresh_kib, busy_kib, rest_kib, private_kib; /* of the worker: loaded, after the calls, at rest; -1: none */
};

struct bed {
    struct mailbox *box;
    struct runtime *rt;
    pid_t worker; /* 0: none */
    bool done;
    int32_t answered;
};

static void must(int rc, const struct err *e, const char *what)
{
    if (rc == TL_OK)
        return;
    fprintf(stderr, "boundary: %s: status %d, %s %s\n", what, rc, e->text, e->detail);
    exit(1);
}

static double cpu_us(const struct bed *b)
{
    clockid_t clock;
    struct timespec t = {0};
    if (b->worker && clock_getcpuclockid(b->worker, &clock) == 0)
        clock_gettime(clock, &t);
    return boundary_cpu_us() + (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Memory of the worker in KiB, a line of smaps_rollup; -1: there is none, or it is not shown to us. */
static int64_t memory_of(const struct bed *b, const char *what)
{
    char path[64], line[128];
    int64_t sum = -1;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)b->worker);
    FILE *f = b->worker ? fopen(path, "re") : NULL;
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, what, strlen(what)) == 0)
            sum = (sum < 0 ? 0 : sum) + strtoll(strchr(line, ':') + 1, NULL, 10);
    if (f)
        fclose(f);
    return sum;
}

static void verb_done(void *arg, const char *words, const struct err *e)
{
    struct bed *b = arg;
    must(e ? e->status : TL_OK, e, words);
    b->done = true;
}

static void call_done(struct call *c)
{
    struct bed *b = c->owner;
    struct err e = {0};
    snprintf(e.text, sizeof e.text, "%s", c->reply.error.text);
    must(c->reply.status, &e, call_kind_name(c->kind));
    b->answered++;
    b->done = true;
    call_free(c);
}

static void await(struct bed *b)
{
    while (!b->done)
        mailbox_run(b->box, -1);
    b->done = false;
}

static void run(struct bed *b, struct call *c)
{
    struct dispatcher *d = runtime_dispatcher(b->rt);
    c->owner = b;
    c->done = call_done;
    d->submit(d->ctx, c);
    await(b);
}

static double events(struct bed *b, uint32_t n)
{
    double start = cpu_us(b);
    for (uint32_t i = 0; i < n; i++)
        run(b, boundary_event());
    return (cpu_us(b) - start) / n;
}

static double pulls(struct bed *b, uint32_t records)
{
    double start = cpu_us(b);
    uint32_t done = 0;
    for (; done < records; done += PAGES * EMITTER_PAGE)
        run(b, boundary_pull(PAGES));
    return (cpu_us(b) - start) / done;
}

static void load(struct bed *b, enum isolation isolation, struct figures *out)
{
    struct err e = {0};
    struct connector_info info;
    const struct endpoint_config endpoint = {.id = 1, .name = "one", .connector = "emitter"};
    must(runtime_connector_add(b->rt, "emitter", isolation, &e), &e, "adding it");
    int64_t start = env_real.mono_us(env_real.self);
    double cpu = boundary_cpu_us();
    must(runtime_load(b->rt, "emitter", verb_done, b, &e), &e, "loading it");
    await(b);
    runtime_connector_info(b->rt, "emitter", &info);
    b->worker = info.pid;
    out->load_ms = (double)(env_real.mono_us(env_real.self) - start) / 1e3;
    out->load_cpu_ms = (cpu_us(b) - cpu) / 1e3;
    must(runtime_endpoint_set(b->rt, &endpoint, &e), &e, "its endpoint");
}

static void measure(const struct runtime_config *config, enum isolation isolation, uint32_t records, uint32_t n_events,
                    struct figures *out)
{
    struct bed b = {.box = config->control};
    struct err e = {0};
    must(runtime_new(&b.rt, config, &e), &e, "the runtime");
    load(&b, isolation, out);
    out->fresh_kib = memory_of(&b, "Pss:");
    (void)pulls(&b, WARM * EMITTER_PAGE);
    out->record_us = pulls(&b, records);
    (void)events(&b, WARM);
    out->event_us = events(&b, n_events);
    out->busy_kib = memory_of(&b, "Pss:");
    struct endpoint_info info;
    while (runtime_endpoint_info(b.rt, 1, &info) && info.instances > 0) { /* it comes to rest */
        mailbox_run(b.box, US_PER_MS);
        runtime_tick(b.rt);
    }
    out->rest_kib = memory_of(&b, "Pss:");
    out->private_kib = memory_of(&b, "Private_");
    runtime_stop(b.rt, env_real.mono_us(env_real.self) + US_PER_S);
    while (!runtime_stopped(b.rt)) {
        mailbox_run(b.box, US_PER_MS);
        runtime_tick(b.rt);
    }
    while (mailbox_run(b.box, 0))
        ;
    runtime_free(b.rt);
}

static void print(const char *name, const struct figures *f)
{
    printf("\"%s\":{\"record_us\":%.3f,\"event_us\":%.2f,\"load_ms\":%.1f,\"load_cpu_ms\":%.1f,\"fresh_kib\":%" PRId64
           ",\"busy_kib\":%" PRId64 ",\"rest_kib\":%" PRId64 ",\"private_kib\":%" PRId64 "}",
           name, f->record_us, f->event_us, f->load_ms, f->load_cpu_ms, f->fresh_kib, f->busy_kib, f->rest_kib,
           f->private_kib);
}

int main(int argc, char **argv)
{
    int64_t records = 0, n_events = 0;
    struct boundary_floor floor = {0};
    struct figures in_process = {0}, isolated = {0};
    if (argc != 6 || !str_to_i64(str_of(argv[4]), &records) || !str_to_i64(str_of(argv[5]), &n_events) || records < 1 ||
        n_events < 1 || records > 100000000 || n_events > 100000000) {
        fprintf(stderr, "usage: boundary CONNECTORS STATE WORKER RECORDS EVENTS\n");
        return 2;
    }
    log_setup(LOG_ERROR, LOG_TEXT);
    boundary_floor(&floor, (uint32_t)records, (uint32_t)n_events);
    const struct runtime_config config = {.env = &env_real,
                                          .control = mailbox_new(),
                                          .connector_dir = argv[1],
                                          .state_dir = argv[2],
                                          .worker_path = argv[3],
                                          .development = true,
                                          .accept_all = true,
                                          .idle_us = US_PER_S};
    measure(&config, ISOLATION_INPROCESS, (uint32_t)records, (uint32_t)n_events, &in_process);
    measure(&config, ISOLATION_WORKER, (uint32_t)records, (uint32_t)n_events, &isolated);
    mailbox_free(config.control);
    printf("{\"record_bytes\":%.0f,\"function_record_us\":%.3f,\"function_event_us\":%.2f,\"thread_round_us\":%.2f,"
           "\"process_record_us\":%.3f,\"process_round_us\":%.2f,",
           floor.record, floor.function_record, floor.function_event, floor.thread_round, floor.process_record,
           floor.process_round);
    print("in_process", &in_process);
    printf(",");
    print("isolated", &isolated);
    printf("}\n");
    return 0;
}
