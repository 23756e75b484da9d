/* tests/fault/disk_faults: the scenarios of the simulation on a disk that fails, the real engine and the real store.
 * Every write, truncation and sync of a scenario meets the fault in turn; then everything that holds for the quiet
 * system (tests/sim/check.c) has to hold, and a further cycle writes nothing.
 *   --every K     only every K-th operation (1: all)
 *   --fault NAME  only this one; --only TEXT: scenarios whose name contains it; --scenarios N: every N-th of them
 * proves: Q13 Q14 Q15 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"

static struct {
    uint64_t points, met, restored, refused, pushes, violations;
} totals;

/* Nothing is made twice, whatever state the database was put back to: no two live records bear one stamp. */
static void check_doubles(struct world *w)
{
    for (int s = 0; s < 2; s++)
        for (int kind = 0; kind < TWIN_KINDS; kind++)
            for (int i = 0; i < TWIN_RECORDS; i++) {
                const struct twin_record *r = &w->rec[s][kind][i];
                for (int m = i + 1; m < TWIN_RECORDS && r->used && r->stamp[0] && r->state == TL_STATE_LIVE; m++) {
                    const struct twin_record *o = &w->rec[s][kind][m];
                    if (o->used && o->state == TL_STATE_LIVE && !r->restored && !o->restored &&
                        strcmp(o->stamp, r->stamp) == 0)
                        world_violation(w, "Q14: %s and %s bear one stamp", r->id, o->id);
                }
            }
}

static uint64_t one(struct world *w, const struct scenario *n, enum disk_fault fault, uint64_t at, uint64_t back_at,
                    const char *db_path)
{
    struct knobs k = scenario_knobs(n);
    k.disk = &disk_of_fault;
    disk_start(fault, at, back_at);
    struct lives_how how = {.db_path = db_path, .clear = lives_wipe, .between = disk_between};
    lives_run(w, (uint64_t)(n - scenarios) + 1, &k, &how);
    if (!disk_state->refused)
        check_doubles(w);
    totals.met += disk_state->hit;
    totals.restored += disk_state->noticed;
    totals.refused += disk_state->refused;
    totals.pushes += (uint64_t)disk_state->pushes;
    if (w->violated) {
        totals.violations++;
        printf("\"%s\", %s at operation %" PRIu64 " (seed %d): %s\n", n->name, disk_fault_names[fault], at,
               (int)(n - scenarios) + 1, w->violation);
        if (getenv("SIM_KEEP")) {
            printf("kept %s\n", db_path);
            exit(1);
        }
    }
    lives_wipe(db_path);
    return disk_state->ops;
}

static void scenario_on_bad_disks(struct world *w, const struct scenario *n, int only, uint64_t every, uint64_t exactly,
                                  const char *db_path)
{
    uint64_t ops = one(w, n, DISK_GOOD, 0, 0, db_path), points = 0;
    for (int f = DISK_GOOD + 1; f < DISK_FAULTS; f++) {
        if (only != DISK_GOOD && f != only)
            continue;
        uint64_t first = exactly ? exactly : 1 + (uint64_t)(f * 131 + (n - scenarios)) % every;
        for (uint64_t at = first; at <= ops; at += every, points++) {
            one(w, n, (enum disk_fault)f, at, at + 1 + (ops - at) / 2, db_path);
            if (exactly)
                break;
        }
    }
    printf("%s: %" PRIu64 " operations, %" PRIu64 " faults\n", n->name, ops, points);
    fflush(stdout);
    totals.points += points;
}

int main(int argc, char **argv)
{
    int fault = DISK_GOOD, nth = 1;
    uint64_t every = 1, exactly = 0;
    const char *only = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *value = argv[i + 1];
        if (!strcmp(argv[i], "--every"))
            every = strtoull(value, NULL, 10);
        else if (!strcmp(argv[i], "--at"))
            exactly = strtoull(value, NULL, 10);
        else if (!strcmp(argv[i], "--only"))
            only = value;
        else if (!strcmp(argv[i], "--scenarios"))
            nth = atoi(value);
        else if (!strcmp(argv[i], "--fault"))
            for (fault = DISK_FAULTS - 1; fault > 0 && strcmp(value, disk_fault_names[fault]) != 0; fault--)
                ;
    }
    if (argc % 2 == 0 || every == 0 || nth < 1) {
        fprintf(stderr, "usage: disk_faults [--every K] [--at K] [--fault NAME] [--only TEXT] [--scenarios N]\n");
        return 2;
    }
    struct world *w = mmap(NULL, sizeof *w, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char dir[64], db_path[96];
    snprintf(dir, sizeof dir, "%s/tieline-disk-%d", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (int)getpid());
    if (w == MAP_FAILED || mkdir(dir, 0700) != 0 || disk_init(dir) != 0)
        return 2;
    snprintf(db_path, sizeof db_path, "%s/db", dir);
    for (int i = 0; i < n_scenarios; i++)
        if (only ? strstr(scenarios[i].name, only) != NULL : i % nth == fault % nth)
            scenario_on_bad_disks(w, &scenarios[i], fault, every, exactly, db_path);
    rmdir(disk_state->copies);
    rmdir(dir);
    printf("faults %" PRIu64 "  met %" PRIu64 "  calls that write %" PRIu64 "  older state noticed %" PRIu64
           "  refused %" PRIu64 "  violations %" PRIu64 "\n",
           totals.points, totals.met, totals.pushes, totals.restored, totals.refused, totals.violations);
    return totals.violations ? 1 : 0;
}
