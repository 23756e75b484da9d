#ifndef OPENAPI_H
#define OPENAPI_H
/* The OpenAPI 3.1 document, made from the route tables, so that what is served and what is promised cannot part.
 *
 * Shapes are written short: `{name:string,pid:integer?,tags:[string],extra:object}`. Scalars: string integer number
 * boolean time (RFC 3339) object (any members) any. "?" marks a member that may be absent or null. */
#include <jansson.h>

#include "server.h"

json_t *openapi_document(const struct route *const *tables);
json_t *openapi_shape(const char *shape); /* JSON schema of one shape; NULL when the notation is wrong */
#endif
