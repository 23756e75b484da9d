#ifndef STAMP_H
#define STAMP_H
/* Stamps: what a record that we make is marked with. The same source asks for the same mark for ever. */
#include "db.h"

struct engine;
struct g_link;

struct origin { /* what a stamp was made for */
    str id;     /* of the source record */
    str slot;   /* which of its targets; empty but where one source has several of one kind */
    uint32_t gen;
};
/* By the identity of an instance: this one's, or one whose passport we have. */
void stamp_of_instance(const struct g_link *l, int source, const struct origin *of, const char *instance,
                       const struct stamp_key *key, char out[40]);
void stamp_of(const struct engine *g, const struct g_link *l, int source, const struct origin *of, char out[40]);
#endif
