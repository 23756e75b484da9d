#ifndef RATE_H
#define RATE_H
/* How often something may happen: so many a minute for each key, all of a minute at once if need be. Memory is fixed:
 * where keys are more than there is room for, those that asked least lately are forgotten. [any] */
#include <stdbool.h>
#include <stdint.h>

struct rate;
struct rate *rate_new(uint32_t a_minute);
struct rate *rate_free(struct rate *r); /* returns NULL */
/* True, and it is counted; or how long it takes until it may happen again. now_us: of a clock that never goes back. */
bool rate_take(struct rate *r, uint64_t key, int64_t now_us, int64_t *wait_us);
#endif
