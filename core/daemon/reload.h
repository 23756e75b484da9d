#ifndef RELOAD_H
#define RELOAD_H
/* The configuration read again while everything runs: parsed, checked, planned, applied. One at a time; whoever comes
 * second waits and reads the file anew. Any error leaves what runs as it was; what did not change is not touched. */
#include <jansson.h>

#include "app.h"

struct reloader *reloader_new(struct app *app);
struct reloader *reloader_free(struct reloader *r);
/* Asks for a reload by signal, on a thread of its own; returns at once. [any] */
void reloader_ask(struct reloader *r);
/* Begins none any more and waits for the one that runs. [any but control] */
void reloader_stop(struct reloader *r);

/* *out: {"applied","dry_run","generation","path","restart","errors","warnings","items":[change],"findings":[...],
 * "steps":[...]}. TL_OK also when the file was refused: then "applied" is false and "errors" says how many. dry_run:
 * the plan alone. who: for log and audit. TL_E_CANCELLED: the daemon is stopping. [any but control] */
int reload_config(struct app *app, const char *who, bool dry_run, json_t **out, struct err *e);
#endif
