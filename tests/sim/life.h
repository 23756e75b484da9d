#ifndef LIFE_H
#define LIFE_H
/* One life of the daemon inside the simulation: opens database and engine, goes on with the scenario where the world
 * stands, and ends when the scenario is over or a crash point kills it. */
#include "db.h"
#include "engine.h"
#include "env.h"
#include "twin.h"

enum { LIFE_OVER = 0, LIFE_CRASHED = 77, LIFE_BROKEN = 78, LIFE_REFUSED = 79 };
/* Runs in a process of its own; returns LIFE_OVER, or _exits with LIFE_CRASHED. */
struct life {
    struct world *world;
    struct env env;
    struct twin twin;
    struct db *db;
    struct engine *engine;
    uint64_t crash_in; /* crash points left in this life; 0: none */
    int checked;
    int64_t calm_until, quiet_until;
    bool put_right;
    int put_tries, spins;
    int64_t put_due, inbox_due;
};

/* What happens beside the users' work: at the start of a life, in every step, and all of it undone at the end of the
 * faults. chaos_end is false while something has to wait for a write in flight. */
void chaos_life(struct life *l);
void chaos_act(struct life *l);
bool chaos_end(struct life *l);
void chaos_do(struct life *l, char what); /* one of an administrator's acts; see scenarios.c */
void chaos_erase(struct life *l);         /* somebody, with all their records */
void chaos_decide(struct life *l);        /* the conflicts that wait for a person */
/* Between two lives: the database is that of an earlier life again, or a byte of an observation is another one. */
void chaos_files(struct world *w, const char *db_path);
bool chaos_flip(const char *db_path, uint64_t random); /* one bit of one stored observation */

struct scenario {
    const char *name;
    uint32_t can;
    const char *script;
    uint32_t batch, chaos;
    int direction, policy, unknown, partial, reject, throttle, skew;
    bool late, late_commits, reformats, merges, deletes, anew;
};
extern const struct scenario scenarios[];
extern const int n_scenarios;
struct knobs scenario_knobs(const struct scenario *n);
void scenario_act(struct life *l);          /* the next letter of the script */
void life_wait(struct life *l, int64_t us); /* the script goes on after so long */

int life_run(struct world *w, const char *db_path);
bool life_is_set_up(const struct life *l);
bool life_is_busy(const struct life *l); /* hours of idle polling add nothing: neither crashes nor disks that fail */

void life_env(struct life *l); /* time and randomness of its world */
struct db_options life_db_options(const struct life *l, const char *db_path);

struct lives_how {
    const char *db_path;
    void (*clear)(const char *db_path);                    /* makes room for a run */
    void (*before)(void);                                  /* a life is forked; null: nothing */
    void (*born)(void);                                    /* in that life; null: nothing */
    void (*between)(struct world *w, const char *db_path); /* after each life that crashed */
};
/* One whole scenario in a fresh database: lives until one is over. */
void lives_run(struct world *w, uint64_t seed, const struct knobs *k, const struct lives_how *how);
void lives_alone(void); /* in a life: no other process has the database */
void lives_wipe(const char *db_path);
void lives_wipe_beside(const char *db_path); /* all but database, log and wal-index */

/* Lives that begin with a connection which is open already: warm.c. Once in the process that forks them. */
bool warm_start(struct world *w, const char *db_path);
struct lives_how warm_lives(const char *db_path);

/* A disk that fails; see tests/fault. */
struct disk {
    const char *vfs;
    void (*begin)(struct life *l);        /* before the database is opened */
    void (*opened)(struct life *l);       /* before the first turn */
    void (*step)(struct life *l);         /* before every turn */
    int64_t (*failed)(struct life *l);    /* operations that failed so far in this life */
    bool (*refused)(const struct err *e); /* the database was not opened, and rightly so */
};

/* Checks of the quiet system, into world_violation. */
void check_quiet(struct world *w, struct db *db, struct engine *g);
#endif
