/* usage: grow DATABASE RECORDS LAST REFUSE_EACH
 * What a record of a first sync costs when there are many already and the vendors' ids come in no order: RECORDS of
 * side A are created at the empty side B by the real engine and seen there again. Every REFUSE_EACH-th is refused by
 * its vendor (0: none). Prints one JSON object: CPU per record of all and of the LAST ones written, the reading of both
 * sides before and the vendors in memory included; VM steps and written pages. */
#include <stdio.h>
#include <stdlib.h>

#include "bed.h"
#include "times.h"

#define CALL_US (200 * US_PER_MS) /* of the injected clock */

static int64_t number(const char *text, int64_t max)
{
    int64_t n = 0;
    if (!str_to_i64(str_of(text), &n) || n < 0 || n > max) {
        fprintf(stderr, "usage: grow DATABASE RECORDS LAST REFUSE_EACH\n");
        exit(2);
    }
    return n;
}

/* Until so many were written or refused; while LAST of them are left the reading of both sides is through. */
static void run_until(struct bench *b, int64_t written)
{
    const struct vendor *to = &b->vendors.side[1];
    while (to->created + to->refused < written) {
        unsigned done = engine_turn(b->engine, 0);
        if (vendors_step(&b->vendors))
            env_sim_advance(&b->sim, CALL_US);
        else if (!done)
            env_sim_advance(&b->sim, US_PER_MS);
    }
}

int main(int argc, char **argv)
{
    static struct bench b;
    if (argc != 5)
        number("", 0);
    int64_t n = number(argv[2], VENDORS_MAX), last = number(argv[3], n);
    env_sim_init(&b.sim, 7, INT64_C(1767225600) * US_PER_S);
    vendors_init(&b.vendors, &b.sim, (uint32_t)n);
    b.vendors.scattered = true;
    vendors_empty(&b.vendors, 1);
    bench_open_fresh(&b, argv[1]);
    b.vendors.refuse_each = (unsigned)number(argv[4], 1000);
    struct db_stats before, after;
    db_stats(b.db, &before);
    double start = bench_cpu_us();
    bench_start(&b);
    run_until(&b, n - last);
    double middle = bench_cpu_us();
    run_until(&b, n);
    bench_run(&b, 5 * EVERY_S * US_PER_S);
    double end = bench_cpu_us();
    db_stats(b.db, &after);
    int64_t made = b.vendors.side[1].created, refused = b.vendors.side[1].refused;
    if (made + refused != n || b.vendors.side[0].pushed || made != b.vendors.side[1].pushed) {
        fprintf(stderr, "grow: %lld of %lld were made, %lld refused\n", (long long)made, (long long)n,
                (long long)refused);
        return 1;
    }
    bench_end_state(&b, n, made, refused);
    printf("{\"records\":%lld,\"last\":%lld,\"refused\":%lld,\"cpu_us\":%.2f,\"last_cpu_us\":%.2f,"
           "\"vm_steps\":%.0f,\"page_writes\":%.2f,\"database_mb\":%.0f}\n",
           (long long)n, (long long)last, (long long)refused, (end - start) / (double)n,
           last ? (end - middle) / (double)last : 0, (double)(after.vm_steps - before.vm_steps) / (double)n,
           (double)(after.cache_writes - before.cache_writes) / (double)n, (double)after.page_count * 4096 / 1e6);
    bench_close(&b);
    return 0;
}
