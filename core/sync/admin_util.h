#ifndef ADMIN_UTIL_H
#define ADMIN_UTIL_H
/* Shared by the modules behind admin.h. */
#include "admin.h"
#include "engine_int.h"

struct g_conn *admin_conn(struct engine *g, const char *name, struct err *e); /* NULL with e */
struct g_link *admin_link(struct engine *g, const char *connection, const char *kind, struct err *e);
/* An endpoint whose connector claims a group may have one partner of the roles of that group only; E_EXISTS names the
 * connection that has the place. Before both connectors were loaded nothing is known: taken again when a sync starts.
 */
int admin_claims_take(struct engine *g, struct g_endpoint *const ep[2], int64_t connection, struct err *e);
/* After a change: rules, feeds and shapes again. */
int admin_rebuild(struct engine *g, struct g_conn *c, struct err *e);
/* The feed is not ready, after a restart neither, before a pass from the first page has seen everything: until then
 * nothing is written to anybody who reads it. Inside a transaction. */
int admin_read_anew(struct engine *g, struct g_feed *f, struct err *e);
/* A pass from the first page is due; what is known counts meanwhile. Inside a transaction. */
int admin_read_whole(struct engine *g, struct g_feed *f, struct err *e);
/* May a first sync of it begin? Makes default maps where none are, checks them, and builds rules and feeds anew.
 * warnings: texts for the person, added. */
int admin_sync_ready(struct engine *g, struct g_conn *c, json_t *warnings, struct err *e);
int admin_show_connection(struct engine *g, const char *name, json_t **out, struct err *e);
int admin_show_link(struct engine *g, struct g_link *l, json_t **out, struct err *e);
#endif
