/* usage: cycle DATABASE PAIRS CHANGES CYCLES [KEEP]
 * What a change costs the store when there are PAIRS pairs: makes the database, then CYCLES times changes CHANGES
 * random records at side A and lets the real engine bring them to side B and see them there. Prints one JSON object:
 * per changed record the median of VM steps, page requests, cache misses and page writes, and CPU per cycle. Time is
 * the injected clock's, so the counts repeat exactly. */
#include <stdio.h>
#include <stdlib.h>

#include "bed.h"
#include "times.h"

enum { WARM = 5, CYCLES_MAX = 200, CHANGES_MAX = 10000 };

struct cost {
    double steps, requests, misses, writes, cpu_us;
};

static struct cost one_cycle(struct bench *b, uint32_t changes)
{
    static uint32_t picked[CHANGES_MAX];
    struct db_stats before, after;
    struct vendor *from = &b->vendors.side[0], *to = &b->vendors.side[1];
    env_sim_advance(&b->sim, 2 * US_PER_S);
    for (uint32_t i = 0; i < changes; i++) {
        picked[i] = (uint32_t)env_random_below(&b->sim.env, b->vendors.n);
        vendors_edit(&b->vendors, 0, picked[i]);
    }
    int64_t pushed = to->pushed, back = from->pushed;
    double cpu = bench_cpu_us();
    db_stats(b->db, &before);
    bench_run(b, 3 * EVERY_S * US_PER_S);
    db_stats(b->db, &after);
    cpu = bench_cpu_us() - cpu;
    uint32_t distinct = 0;
    for (uint32_t i = 0; i < changes; i++) {
        bool again = false;
        for (uint32_t k = 0; k < i && !again; k++)
            again = picked[k] == picked[i];
        distinct += !again;
        ASSERT(to->version[picked[i]] == from->version[picked[i]]); /* it arrived */
    }
    if (to->pushed - pushed != distinct || from->pushed != back) {
        fprintf(stderr, "cycle: %lld writes at b and %lld at a for %u changes\n", (long long)(to->pushed - pushed),
                (long long)(from->pushed - back), distinct);
        exit(1);
    }
    int64_t requests = after.cache_hits + after.cache_misses - before.cache_hits - before.cache_misses;
    return (struct cost){(double)(after.vm_steps - before.vm_steps) / distinct, (double)requests / distinct,
                         (double)(after.cache_misses - before.cache_misses) / distinct,
                         (double)(after.cache_writes - before.cache_writes) / distinct, cpu};
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median_of(const struct cost *list, int n, size_t member)
{
    double values[CYCLES_MAX];
    for (int i = 0; i < n; i++)
        memcpy(&values[i], (const char *)&list[i] + member, sizeof(double));
    qsort(values, (size_t)n, sizeof *values, by_value);
    return values[n / 2];
}

int main(int argc, char **argv)
{
    int64_t pairs = 0, changes = 0, cycles = 0;
    if (argc != 5 || !str_to_i64(str_of(argv[2]), &pairs) || !str_to_i64(str_of(argv[3]), &changes) ||
        !str_to_i64(str_of(argv[4]), &cycles) || pairs < 1 || pairs > 0xfffff || changes < 1 || changes > CHANGES_MAX ||
        cycles < 1 || cycles > CYCLES_MAX) {
        fprintf(stderr, "usage: cycle DATABASE PAIRS CHANGES CYCLES\n");
        return 2;
    }
    static struct bench b;
    static struct cost costs[CYCLES_MAX];
    env_sim_init(&b.sim, 7, INT64_C(1767225600) * US_PER_S);
    vendors_init(&b.vendors, &b.sim, (uint32_t)pairs);
    double made = bench_cpu_us();
    bench_open(&b, argv[1], (uint32_t)pairs);
    made = bench_cpu_us() - made;
    for (int i = 0; i < WARM; i++)
        one_cycle(&b, (uint32_t)changes);
    for (int i = 0; i < cycles; i++)
        costs[i] = one_cycle(&b, (uint32_t)changes);
    bench_end_state(&b, pairs, pairs, 0);
    struct db_stats stats;
    db_stats(b.db, &stats);
    int n = (int)cycles;
    printf("{\"pairs\":%lld,\"changes\":%lld,\"cycles\":%d,\"vm_steps\":%.1f,\"page_requests\":%.2f,\"misses\":%.3f,"
           "\"page_writes\":%.2f,\"cpu_ms\":%.2f,\"make_s\":%.1f,\"database_mb\":%.0f}\n",
           (long long)pairs, (long long)changes, n, median_of(costs, n, offsetof(struct cost, steps)),
           median_of(costs, n, offsetof(struct cost, requests)), median_of(costs, n, offsetof(struct cost, misses)),
           median_of(costs, n, offsetof(struct cost, writes)), median_of(costs, n, offsetof(struct cost, cpu_us)) / 1e3,
           made / 1e6, (double)stats.page_count * 4096 / 1e6);
    bench_close(&b);
    return 0;
}
