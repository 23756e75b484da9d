#ifndef FACTS_H
#define FACTS_H
/* What is known of one record, by path: as it is stored, or as its vendor has just told it. Pure. [any] */
#include <jansson.h>

#include "call.h"
#include "view_record.h"

struct fact {
    str path, label;
    const tl_field *field;
    tl_value value; /* never TL_NULL */
};
struct facts {
    str id, url;
    int64_t modified_us;
    int32_t state; /* TL_STATE_* */
    struct fact *of;
    size_t n;
};
/* In the arena; labels are lent from the description of the kind. */
void facts_of_observation(const struct view_kind *k, const struct record *r, struct arena *a, struct facts *out);
void facts_of_record(const struct view_kind *k, const tl_shape *shape, const tl_record *r, struct arena *a,
                     struct facts *out);
/* The text of one of them; empty: there is none. */
str fact_text(const struct facts *f, const char *path, struct arena *a);
/* First and last name, or the name, subject, number. */
str facts_name(const struct facts *f, struct arena *a);
json_t *facts_json(const struct facts *f); /* [{"path","label","value"}] */
#endif
