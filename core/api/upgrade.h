#ifndef UPGRADE_H
#define UPGRADE_H
/* Another file of a connector taken in, and the former one put back where an endpoint that worked does not work with
 * the new one. All [control]. */
#include "verb.h"

/* Reloads v->object; when it took another file, asks every endpoint that worked before to check itself. Finishes the
 * verb with `finish`: words on success; e says what does not work with the new file, and that the former one is back.
 */
typedef void (*upgrade_finish_fn)(struct verb *v, const char *words, const struct err *e);
int upgrade_begin(struct verb *v, enum unload_mode mode, int64_t deadline_us, upgrade_finish_fn finish, struct err *e);
#endif
