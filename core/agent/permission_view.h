#ifndef PERMISSION_VIEW_H
#define PERMISSION_VIEW_H
/* Profiles and their permissions for people, as JSON: like view.h, on a reader of the store. [any] */
#include <jansson.h>

#include "permission_object.h"

/* {"items":[{"profile","name","administrator","new","visible","first_seen","objects":[{"object","access"}]}]} */
int view_profiles(struct db *r, const char *connection, json_t **out, struct err *e);
/* The same of one, by id or name, where its objects have also "granted" and "not_granted". */
int view_profile(struct db *r, const char *connection, const char *profile, json_t **out, struct err *e);
/* {"profile","name","object","item","allowed","decided_by":{"object","item","there"},"text"} */
struct permission_question {
    const char *connection, *profile, *object, *item;
};
int view_permission(struct db *r, const struct permission_question *ask, json_t **out, struct err *e);

/* One of the profiles of ends, by id or name; TL_E_NOT_FOUND with words. */
int permission_profile(struct db *r, struct arena *a, const struct permission_ends *ends, const char *profile,
                       struct profile *out, struct err *e);
/* {"object","access","granted":[...]} */
json_t *permission_object_json(const struct permission_object *o, uint64_t set);
#endif
