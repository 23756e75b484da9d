#ifndef VALUES_H
#define VALUES_H
/* Single field values and observations (obs.h) as the planner and the engine use them. Pure. [any] */
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "obs.h"
#include "str.h"
#include "tieline.h"

/* Sets out[position_of[number]] for every value of the observation whose number has a position >= 0; the others of the
 * n_out values become TL_NULL. has (may be null): which ones the observation holds. False when it is broken. */
bool obs_spread(str image, const int32_t *position_of, uint32_t n_positions, tl_value *out, bool *has, uint32_t n_out,
                struct arena *arena);
/* out = old with the values of newer laid over it (a partial record over a full one). */
void obs_overlay(struct buf *out, str old, str newer, struct arena *arena);

bool value_is_blank(const tl_value *v); /* null, or text without a character */
/* Same type and same bytes. */
bool value_same(const tl_value *a, const tl_value *b);
tl_value value_copy(const tl_value *v, struct arena *arena);
/* For people and logs: text as it is, numbers in decimal, times in RFC 3339. Never fails. */
void value_text(struct buf *out, const tl_value *v);
#endif
