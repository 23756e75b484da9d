#ifndef CANON_H
#define CANON_H
/* Canonical form: what two values mean, for comparison only and never for writing. Two systems write one phone number
 * in two ways, keep whole seconds or cut a text; the canonical form is where such values meet. Pure. */
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "tieline.h"

enum canon_kind {
    CANON_TEXT,  /* NFC, trimmed, CRLF -> LF */
    CANON_EMAIL, /* folded, also the local part */
    CANON_PHONE, /* leading + and digits */
    CANON_NUMBER,
    CANON_BOOL,
    CANON_TIME, /* floored to the coarser resolution */
    CANON_DATE,
    CANON_CHOICE,
    CANON_LIST, /* order does not count */
    CANON_EXACT /* JSON, bytes, references: byte for byte */
};
struct canon {
    enum canon_kind kind;
    uint32_t max;          /* characters; 0: no limit. The smaller one of both sides */
    uint32_t scale;        /* digits behind the point; UINT32_MAX: as many as there are */
    int64_t resolution_us; /* at least 1 */
};

/* The rule for a field whose two sides have these descriptions. Resolutions are those of the kinds, in milliseconds. */
struct canon canon_of(const tl_field *a, const tl_field *b, uint32_t resolution_a_ms, uint32_t resolution_b_ms);

/* Blank values are equal to each other and to nothing else. References are compared by their bytes: of one side only.
 */
bool canon_equal(const struct canon *c, const tl_value *a, const tl_value *b);

/* "12.10" -> "12.1", "-0.0" -> "0", "1e3" -> "1000"; rounded half away from zero to scale digits. False: not a number.
 */
bool number_normal(str in, uint32_t scale, struct buf *out);

/* Turns a value into what the target field holds, without loss. On failure *reason says why (TL_R_TYPE_MISMATCH,
 * TL_R_TOO_LONG, TL_R_CHOICE_UNKNOWN, TL_R_PARAM_INVALID) and the result is false. References are not converted. */
bool value_convert(const tl_value *in, const tl_field *target, struct arena *arena, tl_value *out, int32_t *reason);
/* Can a value of type `from` always, sometimes or never be written to a field of type `to`? 2, 1, 0. */
int value_convertible(uint32_t from, uint32_t to);
#endif
