#ifndef VIEW_UTIL_H
#define VIEW_UTIL_H
/* Shared by the modules behind view.h. */
#include "call.h"
#include "connections.h"
#include "endpoints.h"
#include "view.h"

json_t *view_str(str s); /* "" for an empty one */
json_t *view_text_or_null(str s);
json_t *view_time(int64_t us); /* RFC 3339, or null for 0 */
int view_find_connection(struct db *r, struct arena *a, const char *name, struct connection *out, struct err *e);
/* kind: also the plural. */
int view_find_link(struct db *r, struct arena *a, const char *connection, const char *kind, struct connection *conn,
                   struct link *out, struct err *e);
json_t *view_link_json(struct db *r, struct arena *a, const struct connection *c, const struct link *l);
/* A kind as discovered; arrays: an empty arena of its own. False: not known yet. */
bool view_describe(struct db *r, struct arena *a, struct arena *arrays, int64_t endpoint, str kind, tl_kind *out);
#endif
