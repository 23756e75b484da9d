#ifndef LIFECYCLE_H
#define LIFECYCLE_H
/* The life of a connection as a table: which verb is possible in which state, and where it leads. Pure. [any]
 *
 *   draft -> ready -> initial -> active <-> paused       initial, active, paused -> blocked -> back
 *   initial, active, paused, blocked -> disabled -> initial (a sweep only) -> active
 *   draft, ready, paused, blocked, disabled -> deleting -> gone, or back to draft or disabled within the grace */
#include <stdbool.h>
#include <stdint.h>

#include "connections.h"

enum life_verb {
    LIFE_START,
    LIFE_CANCEL,
    LIFE_PAUSE,
    LIFE_RESUME,
    LIFE_DISABLE,
    LIFE_ENABLE,
    LIFE_DELETE,
    LIFE_UNDELETE,
    LIFE_RELEASE,
    LIFE_VERBS
};
const char *life_verb_name(enum life_verb v); /* "pause" */
bool life_allows(enum life_verb v, int32_t state);
/* TL_OK, or E_PRECONDITION (code STATE) saying which state it is in, with what to do first. */
int life_check(enum life_verb v, const struct connection *c, struct err *e);
/* State after the verb; before: what the connection was when it was paused, disabled or deleted. */
int32_t life_next(enum life_verb v, const struct connection *c);
/* Webhooks of its endpoints are wanted: those of a paused or blocked one are remembered as hints. */
bool life_takes_hooks(int32_t state);
#endif
