#ifndef TRANSFORM_H
#define TRANSFORM_H
/* Transforms: what becomes of a value on its way from one field to another, written as a chain of typed functions:
 *
 *     trim | title | default("-")
 *
 * The functions are a fixed list (docs/mapping.md); there is no way to write a loop, so a chain of at most
 * TRANSFORM_STEPS steps ends after a bounded time, and no value in it grows over TRANSFORM_MAX_BYTES. Nothing depends
 * on the locale. A blank value passes through every function but const, default, coalesce, concat, if_empty, skip and a
 * map with a row for "". Pure over what it is given; only names of time zones are read from the system's zone data when
 * a chain is parsed. [any] */
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "str.h"
#include "tieline.h"

enum {
    TRANSFORM_STEPS = 32,
    TRANSFORM_FIELDS = 8,          /* further fields of the record that concat and coalesce read */
    TRANSFORM_ROWS = 2000,         /* rows of one map or range */
    TRANSFORM_TEXT_MAX = 64 << 10, /* bytes of a chain as written */
    TRANSFORM_MAX_BYTES = 1 << 20  /* bytes of a value after any step */
};

struct transform; /* immutable, lives in the arena it was parsed into */

/* One thing wrong with a chain: where, what, and what is possible instead. */
struct transform_error {
    int level;        /* TL_INFO, TL_WARN, TL_ERROR */
    uint32_t column;  /* counted from 1, in characters; 0: the chain as a whole */
    const char *code; /* MAP_ERROR, TYPE_MISMATCH, TOO_LONG, ENUM_UNKNOWN */
    str function;     /* empty: none */
    str text, hint;   /* hint may be empty */
};

/* NULL when the text is no chain; *errors then holds every error found, in the order of the text. An empty text is the
 * chain `copy`. */
const struct transform *transform_parse(str text, struct arena *a, struct transform_error **errors, size_t *n);

/* The chain in its normal spelling. */
void transform_text(const struct transform *t, struct buf *out);

/* Would the chain's result fit? From the types, lengths and choices of the fields alone, before anything runs. record:
 * what the further fields are looked up in; may be null when there are none. Errors and warnings. */
size_t transform_check(const struct transform *t, const tl_field *in, const tl_field *out, const tl_kind *record,
                       struct arena *a, struct transform_error **errors);

/* The chain that leads back, or NULL with *function: the first from the end that has none, and *why in words. */
const struct transform *transform_inverse(const struct transform *t, struct arena *a, str *function, str *why);

/* Paths or names of the further fields it reads, besides its own. */
size_t transform_fields(const struct transform *t, const str **paths);
/* `lookup(KIND)`: the value is the id of a record of that kind and stands for its counterpart; empty: no such chain. */
str transform_lookup(const struct transform *t);
/* The result does not come from the value: const. */
bool transform_is_constant(const struct transform *t);

enum transform_outcome {
    TRANSFORM_OK,
    TRANSFORM_SKIP,  /* the target is left as it is */
    TRANSFORM_FAILED /* the value cannot be transformed */
};

struct transform_failure {
    int32_t reason;  /* TL_R_TYPE_MISMATCH, TL_R_TOO_LONG, TL_R_CHOICE_UNKNOWN, or TL_R_OTHER: MAP_ERROR */
    str function;    /* "to_int" */
    uint32_t column; /* of the function */
    str text;        /* to_int: "see contract" is no whole number */
};

/* fields: the further fields' values, in the order of transform_fields. The result lives in the arena or is lent from
 * the input. *why (may be null) is filled on TRANSFORM_FAILED. */
enum transform_outcome transform_run(const struct transform *t, const tl_value *in, const tl_value *fields,
                                     struct arena *a, tl_value *out, struct transform_failure *why);

/* For documentation and help: every function, in the order of the docs. */
struct transform_help {
    const char *name, *usage, *takes, *gives, *summary;
    const char *no_way_back; /* why it has no inverse; null: it has one, as a rule */
};
size_t transform_functions(struct arena *a, struct transform_help **out);
#endif
