#ifndef INSTANCE_H
#define INSTANCE_H
/* One open() of an endpoint through a connector's code: runs its calls and is the tl_host behind its back. The same in
 * the daemon and in a worker; what differs is struct services. One thread at a time, [instance]. */
#include <stdint.h>

#include "call.h"
#include "loader.h"
#include "services.h"

struct instance;

enum { ITEMS_FLUSH_BYTES = 64 << 10, REPLY_ITEMS_MAX = 64 << 20 };

/* The module must outlive the instance. On failure *error says why and nothing stays open. */
tl_status instance_open(struct instance **out, const struct module *m, const struct services *s, const tl_open *open,
                        tl_error *error);
/* Calls close(). */
struct instance *instance_close(struct instance *i);
void instance_rest(struct instance *i); /* between calls: what the last one took goes back */

/* Runs one call: request in the flat form (request_encode), checked when strict. Fills status, error and items of
 * reply; items that services->items took are gone from it. */
void instance_run(struct instance *i, enum call_kind kind, str request, bool strict, struct reply *reply);

/* The connector's pure functions, on the instance's thread. */
int32_t module_verdict(const struct module *m, int32_t status, tl_str body);
tl_status module_token_error(const struct module *m, int32_t status, tl_str body, tl_error *error);
#endif
