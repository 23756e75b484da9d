#ifndef OBS_H
#define OBS_H
/* Observation: what a remote record looked like when last read, as one blob. Also the form of bases.
 *
 * A sequence of (field number, type, value), sorted by field number, every number once. Numbers come from
 * field_number() (endpoints.h), are counted per (endpoint, kind) and never reused, so a blob can be read for ever.
 *   varint number, byte type (TL_NULL ...), then by type
 *     TL_NULL -; TL_BOOL TL_INT TL_TIME TL_DATE zigzag varint; TL_REF varint aux, varint n, n bytes;
 *     TL_LIST varint n, n bytes: items as (byte type, value); every other type varint n, n bytes.
 * A value left out is unknown, TL_NULL is known to be empty. Pure. [any] */
#include <stdbool.h>

#include "arena.h"
#include "buf.h"
#include "str.h"
#include "tieline.h"

/* Appends one value; v->field is the field number and must be greater than the one before. */
void obs_add(struct buf *out, const tl_value *v);
/* Sorts by field number in place, drops all but the last of equal numbers, then appends all. */
void obs_add_all(struct buf *out, tl_value *values, size_t n);

struct obs_reader {
    const uint8_t *p, *end;
    struct arena *arena; /* for the items of lists */
    bool broken;         /* the bytes are not an observation */
};
void obs_reader_init(struct obs_reader *r, str blob, struct arena *a);
/* True and *out (texts lent from the blob), false at the end or when broken. */
bool obs_next(struct obs_reader *r, tl_value *out);
/* Value of one field; false when the blob does not hold it. */
bool obs_find(str blob, uint32_t field, struct arena *a, tl_value *out);
bool obs_valid(str blob);
/* All values, sorted by number; NULL and *n 0 for an empty or broken blob. */
tl_value *obs_all(str blob, struct arena *a, size_t *n);
#endif
