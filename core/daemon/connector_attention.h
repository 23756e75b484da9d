#ifndef CONNECTOR_ATTENTION_H
#define CONNECTOR_ATTENTION_H
/* Connectors that crashed too often and stay down, and those that do not come back from calls when they are unloaded,
 * are for people to look at. All [control]. */
#include <stdint.h>

struct app;

/* The state of a connector, or of one of its endpoints (else 0), changed: raises or clears the repair of one that stays
 * down. */
void connector_attention(struct app *app, const char *connector, int64_t endpoint);
/* Those that stayed down before this start stay so until a person loads them. Between setup of endpoints and load. */
void connector_hold_crashed(struct app *app);
#endif
