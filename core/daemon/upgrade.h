#ifndef UPGRADE_H
#define UPGRADE_H
/* Another file of a connector taken in, and the former one put back where an endpoint that worked does not work with
 * the new one. All [control]. */
#include "app.h"

/* Reloads the connector; when it took another file, asks every endpoint that worked before to check itself. Ends with
 * `done`: words on success; e says what does not work with the new file, and that the former one is back. */
int upgrade_begin(struct app *app, const char *connector, enum unload_mode mode, int64_t deadline_us,
                  runtime_done_fn done, void *arg, struct err *e);
#endif
