#ifndef CONFINE_PROBE_H
#define CONFINE_PROBE_H
/* What this kernel gives a worker's cell (confine.h), asked without confining anybody. */
#include <stdbool.h>
#include <stdint.h>

struct confine_abilities {
    uint32_t landlock; /* version; 0: none */
    bool filters;      /* seccomp; without it no worker starts */
    bool listens;      /* refused calls can be told to the host */
};
void confine_probe(struct confine_abilities *out);
#endif
