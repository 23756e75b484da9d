#ifndef CONNECTOR_ATTENTION_H
#define CONNECTOR_ATTENTION_H
/* Connectors that crashed too often and stay down, and those that do not come back from calls when they are unloaded,
 * are for people to look at. All [control]. */
#include "attention.h"

struct app;

/* The state of a connector, or of one of its endpoints (else 0), changed: raises or clears the repair of one that stays
 * down. */
void connector_attention(struct app *app, const char *connector, int64_t endpoint);
/* A reload has refused the file that lies there, which the next start would try all the same. sha256: of one that was
 * loaded and put back, else "". */
void connector_refused(struct app *app, const char *connector, const char *sha256, const struct err *why);
/* Another file is loaded, by whatever way; or, by a reload, whatever lies there (sha256 NULL): nothing is refused. */
void connector_taken(struct app *app, const char *connector, const char *sha256);
/* The open refusal of a connector's file. TL_E_NOT_FOUND: none. */
int connector_refusal(struct app *app, struct arena *a, const char *connector, struct repair *out, struct err *e);
/* Those that stayed down before this start stay so until a person loads them. Between setup of endpoints and load. */
void connector_hold_crashed(struct app *app);
#endif
