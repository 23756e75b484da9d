#ifndef LOADER_H
#define LOADER_H
/* The only user of libltdl. Opens one staged .so, checks it against this host's ABI, copies its table.
 *
 * libltdl binds lazily and, when its own loader fails, says "file not found": a connector with an undefined symbol
 * would open fine and end the process at the first call. So the stock dlopen loader is taken out and replaced by one
 * that binds now, keeps symbols local and keeps dlerror()'s words. libltdl has one global list without locks:
 * everything here is called by one thread, the control thread of the daemon or the main thread of a worker. */
#include <stdbool.h>

#include "err.h"
#include "manifest.h"
#include "tieline.h"

/* Oldest minor of this major that still means the same; a break by ADR raises it. */
#define TL_ABI_MINOR_OLDEST 1u

struct module {
    void *handle;
    char *path;
    tl_connector connector; /* this host's size; members an older connector lacks are zero */
    tl_auth auth;           /* with its functions; zero when has_auth is false */
    tl_webhook webhook;
    tl_prepare prepare;
    tl_view view;
    tl_actions actions;
    bool has_auth, has_webhook, has_prepare, has_view, has_actions;
    bool loaded;           /* load() succeeded: unload() is due */
    bool *foreign_threads; /* set once a thread of the connector's own came to the host; atomic */
    struct manifest *manifest;
};

/* Opens path (absolute), shakes hands, copies the manifest, calls load(). expected_id: what the file is called.
 * TL_E_UNSUPPORTED: another major, no entry, undefined symbol. TL_E_BUG: the table is unusable. */
int module_open(struct module **out, const char *path, const char *expected_id, struct err *e);
/* Calls unload() and closes. True when the code is really gone, false when it stays mapped (by its wish, or because the
 * C library cannot unmap it). No thread may be in it, and every thread that ran it must have been joined. */
bool module_close(struct module *m);
#endif
