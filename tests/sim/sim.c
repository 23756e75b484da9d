/* tests/sim/sim: seeded runs of the whole engine against two vendors in memory.
 *   --runs N --seed S --jobs J   N runs on J cores, each with its own knobs; a violated one is printed with its seed
 *   --same-trace          every seed twice: the same trace
 *   --sweep [--every K]   every scenario, killed at every (K-th) crash point
 * SIM_VERBOSE=1 prints what happens. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "life.h"
#include "times.h"

#define CAN_ALL (TL_CAN_PULL | TL_CAN_PASS | TL_CAN_CREATE | TL_CAN_UPDATE | TL_CAN_FIND | TL_CAN_DELETED)

struct totals {
    int64_t runs, crashes, creates, updates, unknown, violations, calls, races, lives, chaos;
};
static struct totals totals;

static char dir[64];

static uint64_t mix(uint64_t *x)
{
    *x += 0x9e3779b97f4a7c15u;
    uint64_t z = *x;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Knobs of a random run: what the vendors can and how badly they behave today. */
static struct knobs knobs_of(uint64_t seed)
{
    uint64_t x = seed ^ 0x5eed;
    struct knobs k = {.late_us = (int64_t)(mix(&x) % 3) * 5 * US_PER_S,
                      .settle_us = 120 * US_PER_S,
                      .delay_us = 60 * US_PER_S,
                      .transform = (int)(seed % 6) % 4,
                      .actions = 30 + (int)(mix(&x) % 60)};
    for (int s = 0; s < 2; s++) {
        uint32_t can = CAN_ALL | TL_CAN_FIND_CREATED;
        k.stamp[s] = mix(&x) % 4 != 0;
        can |= k.stamp[s] ? TL_CAN_STAMP_FIND : 0;
        can |= k.stamp[s] && mix(&x) % 2 ? TL_CAN_STAMP_UNIQUE : 0;
        can |= mix(&x) % 2 ? TL_CAN_CONDITIONAL : 0;
        can |= mix(&x) % 2 ? TL_CAN_RETURN_POST : 0;
        can |= mix(&x) % 2 ? TL_CAN_RESTORE : 0;
        k.can[s][0] = k.can[s][1] = can;
        k.resolution_ms[s] = mix(&x) % 3 == 0 ? 1000 : 0;
        k.max_batch[s] = (uint32_t[]){1, 10, 200}[mix(&x) % 3];
        k.normalise[s] = mix(&x) % 4 == 0;
        k.skew_us[s] = ((int64_t)(mix(&x) % 7) - 3) * 100 * US_PER_S;
    }
    uint64_t again = seed ^ 0xa9a1;
    k.anew = mix(&again) % 3 == 0 && k.stamp[0] && k.stamp[1]; /* without stamps only e-mail tells: there are doubles */
    k.unknown_pct = mix(&x) % 3 ? 10 : 0;
    k.race_pct = mix(&x) % 3 ? 0 : 10;
    k.partial_pct = mix(&x) % 2 ? 5 : 0;
    k.throttle_pct = mix(&x) % 3 ? 0 : 5;
    k.reject_pct = mix(&x) % 3 ? 0 : 10;
    k.crash_every = mix(&x) % 3 ? 150 : 0;
    k.direction = (int)(mix(&x) % 4) % 3;
    k.policy = (int)(mix(&x) % 3);
    if (mix(&x) % 6 == 0)
        k.policy = 3;
    for (uint32_t one = 1; one < CHAOS_ALL; one *= 2)
        k.chaos |= mix(&x) % 5 == 0 ? one : 0;
    if (k.chaos & CHAOS_OLD_DB)
        k.chaos &= ~(uint32_t)(CHAOS_VIEW | CHAOS_ERASE); /* what a view hides cannot be found again: see README; and an
                                                           * older database does not know of an erasure */
    k.merges = mix(&x) % 2;
    uint64_t gone = seed ^ 0xde1e;
    k.deletes = mix(&gone) % 3 == 0;
    for (int s = 0; s < 2 && k.deletes; s++)
        k.can[s][0] |= TL_CAN_DELETE, k.can[s][1] |= TL_CAN_DELETE;
    uint64_t view = seed ^ 0x71e3;
    k.views = mix(&view) % 4 == 0 && !(k.chaos & CHAOS_OLD_DB);
    if (k.views) {
        k.anew = false; /* nor what a list view hides */
        k.can[1][0] |= TL_CAN_VIEW;
        k.can[1][1] |= TL_CAN_VIEW;
    }
    uint64_t more = seed ^ 0x5e77;
    k.few_changes = mix(&more) % 6 == 0;
    k.stand_ins = mix(&more) % 5 == 0;
    k.window = mix(&more) % 5 == 0 && !k.views ? 1 + (int)(mix(&more) % 2) : 0; /* see README, "Open" */
    k.window_kept = mix(&more) % 2;
    return k;
}

/* Every eighth run opens its database anew in every life. */
static bool is_cold(uint64_t seed, const struct knobs *k)
{
    return getenv("SIM_COLD") || (seed + k->crash_at) % 8 == 0;
}

/* One whole run over as many lives as it takes. */
static void run(struct world *w, uint64_t seed, const struct knobs *k, const char *db_path)
{
    char cold[96];
    snprintf(cold, sizeof cold, "%s-cold", db_path);
    struct lives_how how =
        is_cold(seed, k) ? (struct lives_how){.db_path = cold, .clear = lives_wipe} : warm_lives(db_path);
    how.between = chaos_files;
    lives_run(w, seed, k, &how);
    totals.runs++;
    totals.crashes += w->crashes;
    totals.lives += w->lives;
    totals.creates += w->counts.creates;
    totals.updates += w->counts.updates;
    totals.unknown += w->counts.unknown;
    totals.calls += w->counts.calls;
    totals.races += w->counts.races;
    totals.chaos += w->counts.chaos;
    if (w->violated) {
        totals.violations++;
        printf("seed %" PRIu64 ": %s\n", seed, w->violation);
        if (getenv("SIM_KEEP")) {
            printf("kept %s\n", how.db_path);
            exit(1);
        }
    }
    lives_wipe(cold);
}

static int same_trace(struct world *w, uint64_t seed, int runs, const char *db_path)
{
    int different = 0;
    for (int i = 0; i < runs; i++) {
        struct knobs k = knobs_of(seed + (uint64_t)i);
        run(w, seed + (uint64_t)i, &k, db_path);
        uint64_t first = w->trace;
        run(w, seed + (uint64_t)i, &k, db_path);
        printf("seed %" PRIu64 " trace %016" PRIx64 "%s\n", seed + (uint64_t)i, first,
               first == w->trace ? "" : " DIFFERS");
        different += first != w->trace;
    }
    return different;
}

/* One scenario: as it goes undisturbed, then killed at every (K-th) crash point. */
static void sweep_one(struct world *w, const struct scenario *n, uint64_t every, const char *db_path)
{
    struct knobs k = scenario_knobs(n);
    uint64_t seed = (uint64_t)(n - scenarios) + 1, before = (uint64_t)totals.violations, killed = 0;
    run(w, seed, &k, db_path);
    uint64_t points = w->crash_passages;
    for (uint64_t at = 1 + seed % every; at <= points; at += every, killed++) {
        k.crash_at = at;
        run(w, seed, &k, db_path);
        if (w->violated)
            printf("  ... \"%s\" killed at point %" PRIu64 "\n", n->name, at);
    }
    printf("%s: %" PRIu64 " crash points, killed at %" PRIu64 ", %" PRIu64 " violations\n", n->name, points, killed,
           (uint64_t)totals.violations - before);
    fflush(stdout);
}

static void sweep(struct world *w, uint64_t every, const char *only, const char *db_path)
{
    for (int i = 0; i < n_scenarios; i++)
        if (!only || strstr(scenarios[i].name, only))
            sweep_one(w, &scenarios[i], every, db_path);
}

static void random_runs(struct world *w, uint64_t seed, int runs, int first, int step, const char *db_path)
{
    for (int i = first; i < runs; i += step) {
        struct knobs k = knobs_of(seed + (uint64_t)i);
        run(w, seed + (uint64_t)i, &k, db_path);
    }
}

/* Every job runs every jobs-th seed in a world and a process of its own. */
static void in_parallel(uint64_t seed, int runs, int jobs)
{
    enum { JOBS = 64 };
    jobs = jobs > JOBS ? JOBS : jobs;
    size_t size = (size_t)jobs * sizeof(struct totals);
    struct totals *of = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (of == MAP_FAILED)
        exit(2);
    for (int job = 0; job < jobs; job++) {
        fflush(NULL);
        if (fork() != 0)
            continue;
        struct world *w = mmap(NULL, sizeof *w, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        char path[96];
        snprintf(path, sizeof path, "%s/db%d", dir, job);
        if (w != MAP_FAILED && warm_start(w, path))
            random_runs(w, seed, runs, job, jobs, path);
        lives_wipe(path);
        of[job] = totals;
        exit(0);
    }
    while (wait(NULL) > 0)
        ;
    for (int job = 0; job < jobs; job++) {
        const int64_t *from = (const int64_t *)&of[job];
        for (size_t i = 0; i < sizeof totals / sizeof(int64_t); i++)
            ((int64_t *)&totals)[i] += from[i];
    }
    if (totals.runs != runs) { /* a job died */
        printf("%d runs were asked for\n", runs);
        totals.violations++;
    }
}

int main(int argc, char **argv)
{
    int runs = 100, jobs = 1;
    uint64_t seed = 1, every = 0;
    bool trace = false;
    const char *only = NULL;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--runs") && i + 1 < argc)
            runs = atoi(argv[++i]);
        else if (!strcmp(argv[i], "--seed") && i + 1 < argc)
            seed = strtoull(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--jobs") && i + 1 < argc)
            jobs = atoi(argv[++i]);
        else if (!strcmp(argv[i], "--same-trace"))
            trace = true;
        else if (!strcmp(argv[i], "--sweep"))
            every = every ? every : 1;
        else if (!strcmp(argv[i], "--only") && i + 1 < argc)
            only = argv[++i];
        else if (!strcmp(argv[i], "--every") && i + 1 < argc)
            every = strtoull(argv[++i], NULL, 10);
        else {
            fprintf(stderr,
                    "usage: sim [--runs N] [--seed S] [--jobs N] [--same-trace] [--sweep [--every K] [--only NAME]]\n");
            return 2;
        }
    }
    struct world *w = mmap(NULL, sizeof *w, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (w == MAP_FAILED)
        return 2;
    snprintf(dir, sizeof dir, "%s/tieline-sim-%d", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (int)getpid());
    mkdir(dir, 0700);
    char db_path[96];
    snprintf(db_path, sizeof db_path, "%s/db", dir);
    int different = 0;
    bool alone = trace || every || jobs <= 1;
    if (alone && !warm_start(w, db_path))
        return 2;
    if (trace)
        different = same_trace(w, seed, runs, db_path);
    else if (every)
        sweep(w, every, only, db_path);
    else if (!alone)
        in_parallel(seed, runs, jobs);
    else
        random_runs(w, seed, runs, 0, 1, db_path);
    lives_wipe(db_path);
    rmdir(dir);
    printf("runs %" PRId64 "  lives %" PRId64 "  crashes %" PRId64 "  calls %" PRId64 "  creates %" PRId64
           "  updates %" PRId64 "  unknown outcomes %" PRId64 "  races %" PRId64 "  troubles %" PRId64
           "  violations %" PRId64 "\n",
           totals.runs, totals.lives, totals.crashes, totals.calls, totals.creates, totals.updates, totals.unknown,
           totals.races, totals.chaos, totals.violations);
    return totals.violations || different ? 1 : 0;
}
