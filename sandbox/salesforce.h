#ifndef SALESFORCE_H
#define SALESFORCE_H
/* The Salesforce twin: two roles, a login host ("login": OAuth only) and an instance ("salesforce": the REST API), so
 * that a client that posts to the wrong one is caught. Kinds of the control plane: object names (Account, Contact ...)
 * or "accounts" and "contacts". */
#include "buf.h"
#include "people.h"
#include "server.h"

/* Adds both roles and their population; returns the login role. Ports 0: free ones. */
struct twin *salesforce_add(struct sandbox *w, const struct people *people, int login_port, int instance_port);
/* ,"salesforce":{"client_id":...,"client_secret":...,"username":...,"refresh_token":...} */
void salesforce_credentials(struct buf *out, struct twin *login);
#endif
