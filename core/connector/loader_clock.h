#ifndef LOADER_CLOCK_H
#define LOADER_CLOCK_H
/* What loading, unloading and reloading cost the control thread, which has other things to do: its CPU time for that in
 * each turn. All [control]. */
#include <stdint.h>

enum { LOADER_STEPS = 7 };

struct loader_figures {
    int64_t turns, total_us, longest_us; /* turns in which there was any of it */
    int64_t within[LOADER_STEPS];        /* of them: those of at most loader_steps_us */
};
extern const int64_t loader_steps_us[LOADER_STEPS];

struct loader_clock {
    int depth;
    int64_t began_us, turn_us;
    struct loader_figures figures;
};
/* Around such work; may be nested. */
void loader_begin(struct loader_clock *c);
void loader_end(struct loader_clock *c);
void loader_turn_ends(struct loader_clock *c);
#endif
