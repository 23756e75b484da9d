/* usage: turn ENDPOINTS EDITS
 * A ring of so many connections with ten links each, and EDITS edits of one of them carried over one after the other
 * while nothing else is due. Prints the turns that it took. Under callgrind with --instr-atstart=no only these edits
 * are counted. */
#include <stdio.h>
#include <stdlib.h>

#include "admin.h"
#include "fleet.h"
#include "times.h"
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else /* no valgrind, nothing to tell it */
#define CALLGRIND_START_INSTRUMENTATION (void)0
#define CALLGRIND_STOP_INSTRUMENTATION  (void)0
#endif

enum { KINDS = 10, ENDPOINTS_MAX = 1000, EDITS_MAX = 1000 };

static uint32_t ring_size;

static void ring(uint32_t connection, uint32_t e[2])
{
    e[0] = connection;
    e[1] = (connection + 1) % ring_size;
}

static uint32_t one_record(uint32_t link)
{
    (void)link;
    return 1;
}

static void open_ring(struct fleet *f)
{
    struct fleet_plan plan = {.endpoints = ring_size,
                              .connections = ring_size,
                              .kinds = KINDS,
                              .ends = ring,
                              .records = one_record,
                              .every = "7d"};
    uint32_t *n = calloc((size_t)ring_size * KINDS, sizeof *n);
    ASSERT(n);
    fleet_open(f, &plan);
    n[0] = 1;
    fleet_fill(f, n);
    free(n);
    fleet_run(f, 4000 * US_PER_S); /* to between two of the hourly looks at what may be forgotten */
}

static void one_edit(struct fleet *f)
{
    struct vendors *v = fleet_vendors(f, 0, 0);
    struct sync_request now = {.connection = "c0", .kind = "contact"};
    struct err e = {0};
    int64_t pushed = v->side[1].pushed;
    vendors_edit(v, 0, 0);
    make_must(admin_sync_start(f->engine, &now, NULL, &e), &e, "sync start");
    fleet_run(f, 10 * US_PER_S);
    ASSERT(v->side[1].pushed == pushed + 1);
}

int main(int argc, char **argv)
{
    static struct fleet f;
    int64_t endpoints = 0, edits = 0;
    if (argc != 3 || !str_to_i64(str_of(argv[1]), &endpoints) || !str_to_i64(str_of(argv[2]), &edits) ||
        endpoints < 2 || endpoints > ENDPOINTS_MAX || edits < 1 || edits > EDITS_MAX) {
        fprintf(stderr, "usage: turn ENDPOINTS EDITS\n");
        return 2;
    }
    ring_size = (uint32_t)endpoints;
    open_ring(&f);
    uint64_t before;
    one_edit(&f); /* statements are prepared, caches filled */
    before = f.turns;
    CALLGRIND_START_INSTRUMENTATION;
    for (int64_t i = 0; i < edits; i++)
        one_edit(&f);
    CALLGRIND_STOP_INSTRUMENTATION;
    int64_t turns = (int64_t)(f.turns - before);
    fleet_close(&f);
    printf("{\"endpoints\":%lld,\"edits\":%lld,\"turns\":%lld}\n", (long long)endpoints, (long long)edits,
           (long long)turns);
    return 0;
}
