/* All that the API answers: see routes.h. */
#include "routes.h"

const struct route *const api_tables[] = {routes_daemon,  routes_connectors,  routes_endpoints,
                                          routes_sign_in, routes_connections, routes_maps,
                                          routes_sync,    routes_pairs,       routes_plans,
                                          routes_undo,    routes_secrets,     routes_backups,
                                          routes_fsck,    routes_audit,       routes_passports,
                                          routes_people,  routes_profiles,    routes_tokens,
                                          routes_context, routes_acts,        NULL};
