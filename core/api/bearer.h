#ifndef BEARER_H
#define BEARER_H
/* Who asks on an address: the bearer of a token (tokens.h). A token of an agent says who he is; profile and departments
 * are looked up at each request, so that a change at the help desk counts at once. How often a token is used is
 * limited, and so is how often an address may send one that is none. */
#include "server.h"

struct bearer;
struct bearer *bearer_new(struct app *app, uint32_t requests_a_minute);
struct bearer *bearer_free(struct bearer *b); /* no request is under way; returns NULL */
/* server_options.authenticate. TL_E_AUTH: no token, or one that is good for nothing; TL_E_THROTTLED: too often;
 * TL_E_DENIED: whom it speaks for may not come in any more. */
int bearer_authenticate(void *bearer, struct request *rq, struct caller *out, struct err *e);
#endif
