#ifndef MAP_RULES_H
#define MAP_RULES_H
/* The transforms of map rows: read, checked, and made into the planner's rules. Pure over what it is given. [any] */
#include "connections.h"
#include "linkset.h"
#include "plan.h"

struct map_chains {
    bool transformed;
    bool carries[2];               /* values go to side s: the row's and the link's direction together */
    const struct transform *to[2]; /* null where values do not go, or go as they are */
    bool derived;                  /* the chain that was not written is the inverse of the other */
    bool one_way_only;             /* both ways were asked for, and one chain is missing: see the error */
};

/* Reads both chains of a row. What is wrong with them is in *errors (column 0: no place); of_back[i] says in which of
 * the two texts. A two-way row without a way back has an error that names the function. */
bool map_chains_read(const struct map_row *row, enum link_direction link, struct arena *a, struct map_chains *out,
                     struct transform_error **errors, bool **of_back, size_t *n);

/* Puts them into the rule that rule_of_row made. False: the row cannot be used (further fields do not exist, lookup of
 * a type that holds no id); *lookup: the kind whose link the row's ids belong to, else empty. */
bool rule_transform(const struct map_row *row, enum link_direction link, const tl_kind *const kinds[2], struct arena *a,
                    struct rule_field *f, str *lookup);
#endif
