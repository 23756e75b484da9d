#ifndef FLEET_H
#define FLEET_H
/* Very many endpoints, connections and links in one process: the real engine and store over vendors in memory, which
 * are shared with the benchmarks. Connection i is that of endpoint ring(i) and the next; time is injected. */
#include "db.h"
#include "engine.h"
#include "make_store.h"
#include "vendors.h"

struct fleet {
    struct env_sim sim;
    struct dispatcher dispatcher;
    struct db *db;
    struct engine *engine;
    char path[64];
    uint32_t n_endpoints, n_connections, n_kinds;
    int64_t *endpoint;       /* [n_endpoints] their ids */
    struct vendors *vendors; /* [n_connections * n_kinds] */
    uint32_t *room, *out;    /* [n_endpoints] calls at once; under way */
    struct vendors **asked;  /* in the order of their calls */
    size_t n_asked, cap_asked;
    struct fleet_part { /* of which vendors an endpoint is a side */
        struct vendors **list;
        size_t n;
    } * part; /* [n_endpoints] */
    unsigned longest_turn;
    uint64_t turns;
    int checked;
};

struct fleet_plan {
    uint32_t endpoints;
    uint32_t connections;
    uint32_t kinds;                                   /* links of a connection */
    void (*ends)(uint32_t connection, uint32_t e[2]); /* which endpoints it connects */
    uint32_t (*records)(uint32_t link);               /* of link = connection * kinds + kind */
    const char *every;
    bool apart;       /* each connection has kinds of its own; else every other one */
    bool conditional; /* vendors.h */
};

void fleet_open(struct fleet *f, const struct fleet_plan *plan);
void fleet_close(struct fleet *f);
void fleet_run(struct fleet *f, int64_t us); /* time goes on, from one thing that is due to the next */
/* One turn, and what was asked in it is answered. False: nothing was done. */
bool fleet_turn(struct fleet *f);
struct vendors *fleet_vendors(struct fleet *f, uint32_t connection, uint32_t kind);
/* The first n records of the link come to be in pairs, as after a first sync; the engine starts anew over them. */
void fleet_fill(struct fleet *f, const uint32_t *n);
#endif
