#ifndef PEOPLE_H
#define PEOPLE_H
/* Who works at a help desk: the records that are kept of an endpoint's agents and profiles, by the vocabulary's paths.
 * [any, on a reader or the writer] */
#include "endpoints.h"
#include "feeds.h"
#include "obs.h"
#include "records.h"

struct people {
    struct feed feed;
    struct field_row *fields; /* numbers of the paths */
    size_t n_fields;
};
/* kind: "user", "profile". TL_E_NOT_FOUND: nothing of the kind is kept. */
int people_open(struct db *r, struct arena *a, int64_t endpoint, const char *kind, struct people *out, struct err *e);
/* False: it is not known, or blank. */
bool people_value(const struct people *p, const struct record *rec, const char *path, struct arena *a, tl_value *out);
str people_text(const struct people *p, const struct record *rec, const char *path, struct arena *a);
/* def: where it is not known. */
bool people_is(const struct people *p, const struct record *rec, const char *path, bool def, struct arena *a);
bool people_there(const struct record *rec); /* as far as the help desk told */
#endif
