#ifndef LOOKUPS_H
#define LOOKUPS_H
/* The lookups of a feed: built after its first pass and whenever its keys are others, a slice at a time, and kept up
 * from then on. Until they are whole nothing is matched by them. [control] */
#include <stdbool.h>

#include "keys.h"

struct engine;
struct g_feed;

bool lookups_whole(const struct g_feed *f); /* for the keys that are asked for now */
bool lookups_wait(const struct g_feed *f);  /* to be built, or being built */
int lookups_turn(struct engine *g, struct g_feed *f, struct err *e);
void lookups_again(struct g_feed *f); /* those being built are collected anew */
/* The keys of a record follow its observation, from the old one to the new one; in a transaction. *moved: is a key
 * another than before? May be NULL. */
int lookups_follow(struct engine *g, struct g_feed *f, int64_t rec, str old, str now, struct arena *a, bool *moved,
                   struct err *e);
void lookups_settle(struct engine *g, bool committed); /* what was told to a build in a transaction that failed */
#endif
