#ifndef VOCABULARY_H
#define VOCABULARY_H
/* The kinds and canonical paths of vocabulary 2, as tieline.h lists them at its end. What a connector calls otherwise
 * is never mapped by itself, so it is told; nothing is refused for it: the vocabulary of a later minor may have it. */
#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "str.h"
#include "tieline.h"

/* Paths: a blank between two; "utm.*": anything behind the point. A test compares them with the header's. */
struct vocabulary_kind {
    const char *kind, *paths;
};
extern const struct vocabulary_kind vocabulary_kinds[];
extern const size_t vocabulary_n_kinds;
extern const char *const vocabulary_columns; /* of the path "lines" */

bool vocabulary_has(str kind);
const char *vocabulary_nearest(const char *kind); /* NULL: none is like it */

/* The first complaint about a described kind from field *from on, in words that name kind, field and what to do; *from
 * is moved behind it. False: there is none (any more). Start with *from 0. Pure. */
bool vocabulary_complaint(const tl_kind *k, uint32_t *from, struct err *out);
#endif
