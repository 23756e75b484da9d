#ifndef SANDBOX_ZOHO_ACCOUNTS_H
#define SANDBOX_ZOHO_ACCOUNTS_H
/* Twin of a Zoho accounts server: POST /oauth/v2/token for grant codes, refresh tokens and client credentials, and
 * revocation, with the quirks that break naive clients: most refusals answer 200, the throttle 400, tokens are evicted.
 * Two instances run, one per data centre ("accounts": eu, "accounts-us": us); a client is known to the first alone. */
#include <stdbool.h>
#include <stdint.h>

#include "server.h"

struct zoho_access {            /* an access token the API twins accept */
    char token[80], scope[512]; /* scopes separated by commas */
    char org[24];               /* the organisation picked at consent */
    int64_t expires_us;
    int refresh; /* number of its refresh token, -1: none */
    struct zoho_access *next;
};

/* Adds both instances; returns the one of data centre eu. */
struct twin *zoho_accounts_add(struct sandbox *w, int port);
/* The members "client_id", "client_secret", "refresh_token", "grant_code" of a first client with every Desk scope. */
void zoho_accounts_credentials(struct buf *b, struct twin *accounts);
/* A further client with a refresh token of its own; its number. */
int zoho_accounts_client(struct twin *accounts, const char *scopes, const char *org);
/* The members "client_id", "client_secret", "refresh_token" of a further client. */
void zoho_accounts_client_put(struct buf *b, struct twin *accounts, int client);
/* The token of a request to an API twin, alive now, or NULL. Lent until the next change of tokens. "Bearer" counts
 * where the twin's switch "accept_bearer" says so. */
struct zoho_access *zoho_access_of(struct twin *accounts, const struct call *c);
void zoho_access_expire(struct twin *accounts, const struct call *c); /* that token, if it has one */
/* True when the token has the scope, such as "Desk.contacts.READ"; its ALL counts, and WRITE for CREATE and UPDATE. */
bool zoho_access_allows(const struct zoho_access *t, const char *scope);

#define ZOHO_DESK_ORG "20063578341"
#define ZOHO_DESK_SCOPES                                                                                               \
    "Desk.tickets.ALL,Desk.contacts.ALL,Desk.products.ALL,Desk.tasks.ALL,Desk.calls.ALL,Desk.events.ALL,Desk.basic."   \
    "ALL,"                                                                                                             \
    "Desk.settings.ALL,Desk.search.READ"
#endif
