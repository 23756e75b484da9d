#ifndef MIRROR_H
#define MIRROR_H
/* Mirrors: kinds that are read for their own sake, without a second side. Who works at a help desk, with which profile
 * and in which departments, decides what they may see; further kinds are asked for in the configuration. A mirror is
 * one more user of the feed, beside the links that may read it too. */
#include "engine_int.h"

struct mirror {
    struct arena arena;
    struct feed_user user;
    int64_t sweep_us; /* read whole so often: what a vendor does not say is gone is noticed then */
};

/* What is to be mirrored of the endpoint is, and nothing else: after its kinds were told, after a connection came or
 * went, after another configuration. Outside of a transaction. */
int mirrors_refresh(struct engine *g, struct g_endpoint *ep, struct err *e);
/* Somebody needs it now: also while the connections are paused. */
bool mirror_is_read(const struct engine *g, const struct g_feed *f);
struct mirror *mirror_free(struct mirror *m);
#endif
