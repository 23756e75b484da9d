#ifndef CSV_H
#define CSV_H
/* Rows of comma separated values (RFC 4180, UTF-8). Text that a spreadsheet would run as a formula gets an apostrophe
 * in front: names and vendor texts are written by strangers. */
#include <jansson.h>

#include "buf.h"

struct csv {
    struct buf *out;
    bool any; /* the row has a field already */
};
void csv_text(struct csv *c, str text);
void csv_number(struct csv *c, int64_t n);
void csv_json(struct csv *c, const json_t *v); /* NULL and null are empty, objects stand as compact JSON */
void csv_end(struct csv *c);                   /* of the row */
#endif
