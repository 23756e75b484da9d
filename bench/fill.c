/* usage: fill DATABASE PAIRS
 * Puts so many pairs of contacts into the database of a daemon that does not run, as a first sync leaves them: into the
 * link of contacts that it has. Their vendors know nothing of them. */
#include <stdio.h>
#include <stdlib.h>

#include "connections.h"
#include "feeds.h"
#include "log.h"
#include "make_store.h"

/* The endpoints of the link of contacts. */
static void find_ends(struct db *db, struct vendors *v)
{
    AUTO(arena_done) struct arena a = {0};
    struct err e = {0};
    struct link *links = NULL;
    struct feed feed = {0};
    size_t n = 0;
    make_must(link_list(db, &a, 0, &links, &n, &e), &e, "links");
    for (size_t i = 0; i < n; i++)
        for (int s = 0; s < 2 && str_is(links[i].name, "contact"); s++) {
            make_must(feed_get(db, &a, links[i].feed[s], &feed, &e), &e, "feed");
            v->side[s].endpoint = feed.endpoint;
        }
    if (!v->side[0].endpoint) {
        fprintf(stderr, "fill: there is no link of contacts in it\n");
        exit(1);
    }
}

int main(int argc, char **argv)
{
    int64_t pairs = 0;
    struct err e = {0};
    struct db *db = NULL;
    struct env_sim sim;
    struct vendors v;
    if (argc != 3 || !str_to_i64(str_of(argv[2]), &pairs) || pairs < 1 || pairs > VENDORS_MAX) {
        fprintf(stderr, "usage: fill DATABASE PAIRS\n");
        return 2;
    }
    log_setup(LOG_ERROR, LOG_TEXT);
    env_sim_init(&sim, 7, env_real.now_us(env_real.self)); /* the records' times */
    vendors_init(&v, &sim, (uint32_t)pairs);
    const struct db_options options = {.path = argv[1], .env = &env_real};
    make_must(db_open(&db, &options, &e), &e, "opening the database");
    find_ends(db, &v);
    make_store(db, &v, (uint32_t)pairs);
    db_close(db);
    vendors_done(&v);
    return 0;
}
