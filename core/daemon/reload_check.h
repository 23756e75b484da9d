#ifndef RELOAD_CHECK_H
#define RELOAD_CHECK_H
/* What is wrong with a configuration, as far as only the running daemon knows: connectors and their options, endpoints,
 * connections and links that are there already. Findings go to the configuration, with file and line. */
#include "app.h"
#include "config_diff.h"

/* A connector that was never loaded here, and is asked in a process of its own. */
struct stranger {
    const char *name;
    const struct config_value *named; /* where */
    struct verified found;
    struct stranger *next;
};
struct reload_check {
    struct app *app;
    struct arena *arena;
    struct config *next;
    const struct config_change *changes;
    struct stranger *strangers;
};
void reload_check_known(struct reload_check *r);     /* [control] */
void reload_check_strangers(struct reload_check *r); /* blocks. [any but control] */
void reload_check_done(struct reload_check *r);
/* NULL: not known. [control] */
const struct manifest *reload_manifest(const struct reload_check *r, const char *connector);
#endif
