#ifndef VIEW_RECORD_H
#define VIEW_RECORD_H
/* Records as people know them: by name and e-mail address, and one line per pair. */
#include "linkset.h"
#include "pairs.h"
#include "records.h"
#include "view_util.h"

struct view_kind {
    int64_t endpoint;
    str kind;
    tl_kind desc; /* without fields when not discovered yet */
    struct field_row *rows;
    size_t n_rows;
    struct arena arrays;
    struct view_kind *next;
};
/* The kinds that one answer has come across, each read once. Start as {.r = reader}. */
struct view_kinds {
    struct db *r;
    struct arena a;
    struct view_kind *first;
};
void view_kinds_done(struct view_kinds *k);
AUTO_DONE(struct view_kinds, view_kinds_done)
const struct view_kind *view_kind(struct view_kinds *k, int64_t endpoint, str kind); /* never NULL */

/* Appends the value of one field as people read it; nothing when the record has none. */
void view_field_text(const struct view_kind *k, str observation, str path, struct arena *a, struct buf *out);
/* Appends first and last name, or the name, subject or company. */
void view_record_name(const struct view_kind *k, str observation, struct arena *a, struct buf *out);
/* The path on this side of a field that is named as either side does; empty: the map has no such field. */
str view_field_of_side(struct view_kinds *k, struct arena *a, const struct connection *c, const struct link *l,
                       str field, int side);
str view_cut(str text, struct arena *a); /* for a table: the beginning of a long text */
struct failure;
json_t *view_failure_json(struct view_kinds *kinds, struct arena *a, const struct failure *f, const char *lang);
/* NULL: the pair is gone. */
json_t *view_pair_line(struct view_kinds *k, struct arena *a, int64_t pair);
#endif
