#ifndef FEED_USER_H
#define FEED_USER_H
/* Who reads a feed says what it needs of it: fields, keys to find records by, and how often. The feed is read for all
 * of them together. */
#include "keys.h"

struct feed_need {
    uint32_t number; /* of the field */
    tl_field field;
};
struct feed_user {
    struct feed_need *needs;
    size_t n_needs;
    struct feed_key *keys;
    unsigned n_keys;
    int64_t every_us;
};
#endif
