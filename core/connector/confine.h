#ifndef CONFINE_H
#define CONFINE_H
/* The cell of a worker process: what its connector's code may ask of the kernel, and nothing else. Put on in two steps,
 * before the connector is mapped (its constructors run there) and after. docs/adr/0005-cell.md says why it is so.
 *
 *   filter one  calls that compute, wait, use memory and the descriptors the worker has. No network, program, process
 * or signal to another process, for good. Landlock    files are read below the directories of libraries only; granted
 * directories are read and written. filter two  once it is loaded no file is opened any more, unless directories were
 * granted.
 *
 * What is refused comes to the host as a question where the kernel can do that (a seccomp listener, Linux 5.9): nothing
 * in the worker can forge, block or answer it. Then filter two is the host's answer. Elsewhere it is a second filter.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define WORKER_MEMORY (UINT64_C(1) << 30) /* of a worker nobody set a limit for */

struct confine_wish {
    const char *module;      /* the staged file */
    const char *const *dirs; /* granted to read and write below them; needs Landlock */
    uint32_t n_dirs;
    uint64_t memory; /* bytes of address space; 0: no limit */
};

/* What was reached. */
struct confinement {
    uint32_t landlock; /* version of the kernel's Landlock; 0: it has none */
    bool listens;      /* refused calls are told to the host */
};

/* [worker's main thread, alone]. *listener_out: to be handed to the host and closed, or -1. */
int confine(const struct confine_wish *w, struct confinement *out, int *listener_out, struct err *e);
/* After the connector was mapped; reaches the threads its constructors may have started. */
int confine_loaded(const struct confine_wish *w, const struct confinement *c, struct err *e);

/* "Landlock 2, refusals told"; for people. */
const char *confinement_text(const struct confinement *c, char *out, size_t cap);

/* Inside of the above. */
int confine_files(const struct confine_wish *w, uint32_t *landlock_out, struct err *e);
int confine_calls(const struct confine_wish *w, struct confinement *c, int *listener_out, struct err *e);

/* ---- the host's side of a listener: judges one refused call ---- */
enum cell_answer {
    CELL_CONTINUE, /* goes on: a library is opened for reading while the connector is being mapped */
    CELL_ERRNO,    /* answered by *errno_out: a library may try it in good faith */
    CELL_KILL      /* nothing honest does that */
};
enum cell_answer confine_judge(int call, const uint64_t args[6], bool loading, int *errno_out);
/* "connect"; text of its own for a call without a name. */
void confine_call_name(int call, char *out, size_t cap);
#endif
