/* The order of the steps, privileges and limits. */
#include "confine.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "cleanup.h"

enum { FILES_MAX = 4096, THREADS_MAX = 4096 };

/* Never raises what the process was given. */
static int limit(int what, rlim_t value, const char *name, struct err *e)
{
    struct rlimit now;
    if (getrlimit(what, &now) == 0 && now.rlim_max != RLIM_INFINITY && now.rlim_max < value)
        value = now.rlim_max;
    struct rlimit r = {value, value};
    return setrlimit(what, &r) < 0 ? err_errno(e, "cannot limit %s", name) : TL_OK;
}

/* There is none of CPU time: it adds up over a worker's whole life. A call that spins is silent, and cut for that. */
static int confine_resources(const struct confine_wish *w, struct err *e)
{
    int rc = limit(RLIMIT_CORE, 0, "core dumps", e);
    if (!rc)
        rc = limit(RLIMIT_NOFILE, FILES_MAX, "descriptors", e);
    if (!rc)
        rc = limit(RLIMIT_NPROC, THREADS_MAX, "threads", e);
    if (!rc)
        rc = limit(RLIMIT_MEMLOCK, 0, "locked memory", e);
    if (!rc && w->n_dirs == 0)
        rc = limit(RLIMIT_FSIZE, 0, "file sizes", e);
#ifndef TIELINE_SANITIZED /* sanitizers reserve terabytes */
    if (!rc && w->memory)
        rc = limit(RLIMIT_AS, w->memory, "memory", e);
#endif
    return rc;
}

int confine(const struct confine_wish *w, struct confinement *out, int *listener_out, struct err *e)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return err_errno(e, "cannot give up new privileges");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return err_errno(e, "cannot become undumpable");
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        return err_errno(e, "cannot ask to end with the host");
    struct confinement c = {.landlock = 0};
    int rc = confine_resources(w, e);
    if (!rc)
        rc = confine_files(w, &c.landlock, e);
    if (!rc && w->n_dirs > 0 && c.landlock == 0) {
        rc = err_set(e, TL_E_CONFIG, "a directory cannot be granted: the kernel has no Landlock");
        err_hint(e, "boot with \"landlock\" in lsm=, or take the option away");
    }
    if (!rc)
        rc = confine_calls(w, &c, listener_out, e);
    if (!rc)
        *out = c;
    return rc;
}

const char *confinement_text(const struct confinement *c, char *out, size_t cap)
{
    const char *told = c->listens ? "refusals told" : "refusals not told";
    if (c->landlock)
        snprintf(out, cap, "Landlock %u, %s", c->landlock, told);
    else
        snprintf(out, cap, "no Landlock, %s", told);
    return out;
}
