#ifndef MAP_EDIT_H
#define MAP_EDIT_H
/* One row of a map as somebody asks for it, checked against both kinds before anything is stored. Pure. [any] */
#include "map_rules.h"

struct map_ask {
    const char *a, *b;              /* fields, by canonical path or by the vendor's name */
    const char *direction, *policy; /* null: both, the link's */
    const char *transform, *back;   /* null or empty: none */
    const char *unless_blank;       /* "yes"; null: no */
};

/* E_USAGE (code MAP_ERROR for a chain) naming what is wrong, all mistakes of both chains at once; TL_E_NOT_FOUND for a
 * field. Texts of *out live in the arena. */
int map_row_make(const struct map_ask *ask, const tl_kind *const kinds[2], enum link_direction link, struct arena *a,
                 struct map_row *out, struct err *e);
const char *map_direction_name(int32_t dir); /* "both", "a2b", "b2a", "off" */

/* Findings about a row's chains: what is wrong with them, and what the two fields have to say. */
size_t map_row_findings(const struct map_row *row, const tl_kind *const kinds[2], enum link_direction link,
                        struct arena *a, struct transform_error **errors, bool **of_back);
#endif
