#ifndef ROUTE_MATCH_H
#define ROUTE_MATCH_H
/* Finding the route of a request, and reading what it asks. Shared by the files of core/api. */
#include "server.h"

/* Fills rq->captures. NULL: none; *other_method then tells that the path exists for another method. */
const struct route *route_find(const struct route *const *tables, struct request *rq, bool *other_method);
/* Methods that the path knows: "GET, PATCH". */
void route_methods(const struct route *const *tables, str path, struct buf *out);
/* Whether a query parameter or a member of the body is one the route knows. */
bool route_takes_param(const struct route *r, str name);
bool route_takes_member(const struct route *r, str name);
uint64_t json_hash(const json_t *json); /* of the object's canonical text: its ETag */
#endif
