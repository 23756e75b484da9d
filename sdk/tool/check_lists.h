#ifndef CHECK_LISTS_H
#define CHECK_LISTS_H
/* Lists, for the tests of them and of what is done to their records. */
#include "check_world.h"

/* A record that has a list. */
struct about {
    str kind, id;
};
/* The record that has the longest list of k, of the first ones that passes tell; false: none has any. */
bool check_about(struct check *c, const struct stand_kind *k, struct about *out);
struct call *check_list_call(const struct stand_kind *k, const struct about *a, str filter, const char *cursor,
                             uint32_t limit);
#endif
