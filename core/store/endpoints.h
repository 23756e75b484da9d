#ifndef ENDPOINTS_H
#define ENDPOINTS_H
/* Endpoints, what is known of their kinds and fields, their quotas, and the connectors' stored wishes. An endpoint's
 * identity is (system, org key); its name is a label. Rows stay when an endpoint leaves the configuration. */
#include "db.h"

enum endpoint_auth {
    ENDPOINT_AUTH_NONE = 0,
    ENDPOINT_AUTH_OK = 1,
    ENDPOINT_AUTH_EXPIRING = 2,
    ENDPOINT_AUTH_FAILED = 3
};

struct endpoint {
    int64_t endpoint;
    str name, connector, system;                        /* system: the connector's id, unless it serves several */
    str org_key, org_name, edition, user_id, user_name; /* empty until a check told them */
    int32_t auth_state;
    bool present;               /* configured at the last start */
    str block_code, block_text; /* why nothing is done with it; empty: it works */
    int64_t blocked_us;
    int64_t throttled_until_us;
    int64_t clock_offset_us, clock_uncertainty_us, clock_us; /* vendor's clock minus ours, measured at clock_us */
    int64_t checked_us, discovered_us, made_us;
    int32_t reserve_pct; /* of every allowance, left to others; as last configured */
    int32_t role;        /* TL_ROLE_*, as its connector said last */
};

/* Row of this name, made when it is not there; marks it present. An existing row of another connector: E_EXISTS. */
int endpoint_ensure(struct db *db, str name, str connector, str system, int64_t *out, struct err *e);
/* Every row not in the list becomes present = false. */
int endpoint_set_present(struct db *db, const int64_t *ids, size_t n, struct err *e);
int endpoint_get(struct db *db, struct arena *a, int64_t endpoint, struct endpoint *out, struct err *e);
int endpoint_find(struct db *db, struct arena *a, str name, struct endpoint *out, struct err *e);
int endpoint_list(struct db *db, struct arena *a, struct endpoint **out, size_t *n, struct err *e); /* by name */
/* Writes all members but id, name, connector, system, made. An org key that another row of this system has: E_EXISTS
 * naming it (code SAME_ORG). An org key that differs from the stored one, while that is not empty: E_PRECONDITION
 * (code ORG_MISMATCH); a new org is a new endpoint. */
int endpoint_update(struct db *db, const struct endpoint *p, struct err *e);
/* Gives the vanished endpoint `old` (not present) the name of `now`, which must be unused, and removes `now`: the same
 * org came back under another label. */
int endpoint_relabel(struct db *db, int64_t old, int64_t now, struct err *e);

/* What discover said about one kind: bytes of the codec above, opaque here. hash: of those bytes. */
struct kind_row {
    str kind;
    str description;
    uint64_t hash;
    int64_t discovered_us;
};
int kind_put(struct db *db, int64_t endpoint, const struct kind_row *k, struct err *e);
int kind_get(struct db *db, struct arena *a, int64_t endpoint, str kind, struct kind_row *out, struct err *e);
int kind_list(struct db *db, struct arena *a, int64_t endpoint, struct kind_row **out, size_t *n, struct err *e);

/* Number of a field in observations; given on first use, counted from 1 per (endpoint, kind), never reused. */
int field_number(struct db *db, int64_t endpoint, str kind, str path, uint32_t *out, struct err *e);
struct field_row {
    uint32_t number;
    str path;
};
int field_list(struct db *db, struct arena *a, int64_t endpoint, str kind, struct field_row **out, size_t *n,
               struct err *e); /* by number */

/* A vendor's allowance as last told. -1: not told. */
struct quota_row {
    str name;
    int64_t limit, remaining, resets_us, told_us;
};
int quota_put(struct db *db, int64_t endpoint, const struct quota_row *q, struct err *e);
int quota_list(struct db *db, struct arena *a, int64_t endpoint, struct quota_row **out, size_t *n, struct err *e);

/* What the admin wished of a connector, kept until taken back; and which file was loaded last. */
struct connector_row {
    str id;
    bool disabled;
    str hosts;           /* accepted, comma separated */
    str version, sha256; /* of the last file loaded */
    int64_t loaded_us;
};
int connector_put(struct db *db, const struct connector_row *c, struct err *e);
int connector_get(struct db *db, struct arena *a, str id, struct connector_row *out, struct err *e);
int connector_list(struct db *db, struct arena *a, struct connector_row **out, size_t *n, struct err *e);
#endif
