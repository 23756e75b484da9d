#ifndef ROUTES_H
#define ROUTES_H
/* The route tables, one a file; api_tables lists them all, ended by NULL. */
#include "server.h"

extern const struct route routes_daemon[], routes_connectors[], routes_endpoints[], routes_sign_in[],
    routes_connections[], routes_sync[], routes_pairs[], routes_plans[], routes_undo[], routes_maps[], routes_secrets[],
    routes_backups[], routes_fsck[], routes_audit[], routes_passports[], routes_people[], routes_profiles[],
    routes_tokens[], routes_context[], routes_acts[];
extern const struct route *const api_tables[];
#endif
