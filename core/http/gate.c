/* Pacing of one endpoint. */
#include <stdlib.h>

#include "http_int.h"

struct http_gate *http_gate_new(uint32_t max_in_flight)
{
    struct http_gate *g = calloc(1, sizeof *g);
    ASSERT(g);
    g->max = max_in_flight ? max_in_flight : UINT32_MAX;
    uint32_t kept = g->max / 4 ? g->max / 4 : g->max > 1;
    g->max_others = g->max - kept;
    return g;
}

struct http_gate *http_gate_free(struct http_gate *g)
{
    free(g);
    return NULL;
}

void http_gate_pause(struct http_gate *g, int64_t until_mono_us)
{
    int64_t old = atomic_load(&g->paused_until);
    do {
        if (until_mono_us && until_mono_us <= old)
            return;
    } while (!atomic_compare_exchange_weak(&g->paused_until, &old, until_mono_us));
}

int64_t http_gate_paused_until(const struct http_gate *g)
{
    return atomic_load(&g->paused_until);
}

uint32_t http_gate_in_flight(const struct http_gate *g)
{
    return atomic_load(&g->in_flight);
}
