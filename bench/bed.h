#ifndef BENCH_BED_H
#define BENCH_BED_H
/* The real engine over two vendors in memory and a store of many pairs, time injected: what the programs that measure
 * the engine alone start from. */
#include "db.h"
#include "engine.h"
#include "make_store.h"
#include "vendors.h"

enum { EVERY_S = 60 };

struct bench {
    struct env_sim sim;
    struct vendors vendors;
    struct db *db;
    struct engine *engine;
    int checked;
};

/* One link of contacts, live, with the first n_pairs records of the vendors in pairs. The vendors were made by the
 * caller, the environment too. */
void bench_open(struct bench *b, const char *path, uint32_t n_pairs);
/* The same before its first sync, over an empty store: bench_start begins it. */
void bench_open_fresh(struct bench *b, const char *path);
void bench_start(struct bench *b);
void bench_close(struct bench *b);
void bench_run(struct bench *b, int64_t us); /* lets time go on, from one thing that is due to the next */
void bench_settle(struct bench *b);          /* everything that is ready now is done */
double bench_cpu_us(void);                   /* of this process */
/* Pairs of the link and open failures are so many, and nothing is left to be done; else the program ends. */
void bench_end_state(struct bench *b, int64_t pairs, int64_t complete, int64_t failures);
#endif
