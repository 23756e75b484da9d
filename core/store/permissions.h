#ifndef PERMISSIONS_H
#define PERMISSIONS_H
/* Profiles of help desks, and what each may see and have done through a connection: a row grants, no row denies. What a
 * row means is the business of core/agent/permission.h. */
#include "db.h"

/* ---- Profiles, as their help desk tells them ------------------------------------------------------------------- */

struct profile {
    str id, name; /* the help desk's id of it */
    bool administrator;
    int64_t first_us; /* our clock when it was first told */
};
/* Adds it or takes over name and rank; first_us is kept, or set to now. */
int profile_put(struct db *db, int64_t endpoint, const struct profile *p, struct err *e);
/* It is there no more; what it was permitted stays, in case it comes back. TL_E_NOT_FOUND: it was not there. */
int profile_gone(struct db *db, int64_t endpoint, str id, struct err *e);
int profile_list(struct db *db, struct arena *a, int64_t endpoint, struct profile **out, size_t *n,
                 struct err *e); /* by name */
/* By id, else by name. TL_E_NOT_FOUND; E_PRECONDITION where several have the name. */
int profile_find(struct db *db, struct arena *a, int64_t endpoint, str id_or_name, struct profile *out, struct err *e);

/* ---- Permissions ----------------------------------------------------------------------------------------------- */

struct permission {
    str object, item;
};
/* By object and item. */
int permission_list(struct db *db, struct arena *a, int64_t connection, str profile, struct permission **out, size_t *n,
                    struct err *e);
/* Exactly these rows of the profile from now on, and that it was decided about. Part of the caller's transaction if
 * there is one. */
int permission_replace(struct db *db, int64_t connection, str profile, const struct permission *rows, size_t n, str who,
                       struct err *e);
/* Was it decided about, at the set-up or since? The empty profile: was the set-up done? */
int permission_is_decided(struct db *db, int64_t connection, str profile, bool *out, struct err *e);
/* Connections of this help desk whose set-up was not done, without those that are being deleted. */
struct permission_waiting {
    str connection; /* its name */
    int64_t other;  /* endpoint at the other end */
};
int permission_list_waiting(struct db *db, struct arena *a, int64_t helpdesk, struct permission_waiting **out,
                            size_t *n, struct err *e);
#endif
