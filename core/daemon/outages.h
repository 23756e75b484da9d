#ifndef OUTAGES_H
#define OUTAGES_H
/* What keeps endpoints from answering, for people: in endpoints, connections and /metrics. All [control]. */
#include <jansson.h>
#include <stdint.h>

struct app;
struct buf;

/* {"state","text","since","next_try"?,"calls"} of one endpoint; NULL: it answers. The caller's. */
json_t *outage_json(struct app *app, int64_t endpoint);
/* "waits_for" of connections (by their "name"): the problems of their endpoints, each with "endpoint"; [] for none. */
void outages_of_connections(struct app *app, json_t *items);
/* Appends to warnings {"code","text"} what a sync of the connection waits for. */
void outages_warn(struct app *app, const char *connection, json_t *warnings);
/* A person wants the connection to go on: its endpoints are asked at once, whatever failed before. */
void outages_hurry(struct app *app, const char *connection);
void outages_figures(struct app *app, struct buf *out); /* for /metrics */
#endif
