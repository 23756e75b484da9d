#ifndef ADMIT_H
#define ADMIT_H
/* What a connector hands over, judged by the rules of tieline.h: the only place that does. The same functions run where
 * the connector's code runs (in the daemon or in its worker), on what it gives, and in the daemon on what a worker has
 * sent, so both isolation modes refuse the same things in the same words.
 *
 * Each fills e with TL_E_INVALID and the rule that is broken, to be said after a place: "record 3 of 200: the id is
 * empty". Text is judged for its form by codec.h when it is taken. Pure, [any]. */
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "err.h"
#include "tieline.h"

enum {
    ADMIT_ID_MAX = 255,         /* bytes of a remote id */
    ADMIT_VALUES_MAX = 500,     /* fields of a kind, values of a record */
    ADMIT_RECORD_MAX = 1 << 20, /* bytes of a record's texts */
    ADMIT_BATCH_MAX = 10000,    /* records of a batch */
    ADMIT_CHOICES_MAX = 10000,
    ADMIT_NAME_MAX = 32 /* bytes of the name of a kind, a filter, an action */
};

/* A struct that starts with its size, and an array that travels with a stride. least: what every version of the struct
 * has; what: "tl_kind". */
#define ADMIT_LEAST(type, last) (offsetof(type, last) + sizeof(((const type *)0)->last))
int admit_size(const char *what, const void *p, size_t least, struct err *e);
int admit_array(const char *what, const void *p, uint64_t n, size_t stride, size_t least, size_t align, struct err *e);

/* The batch as a whole. unique: an id may stand in it once; the same record again is told by admit_repeated. */
int admit_batch(const tl_batch *b, bool unique, struct err *e);
/* Did an earlier record of an admitted batch have the id of record k? It is the same word by word then. The index
 * starts zeroed and is asked for each record in turn; its memory is the arena's. */
struct admit_index {
    uint32_t *slots; /* position + 1 in the batch */
    uint32_t mask;
};
bool admit_repeated(struct admit_index *x, struct arena *a, const tl_batch *b, uint32_t k);

/* One record that was read, inside its shape. *too_large: it breaks the limit of size, not a rule of form. */
int admit_record(const tl_record *r, const tl_shape *shape, bool *too_large, struct err *e);
/* Its values alone: the record of a result has its id from the record that was pushed. */
int admit_values(const tl_record *r, const tl_shape *shape, struct err *e);
int admit_checkpoint(const tl_checkpoint *c, int32_t mode, struct err *e);
/* Fields, wherever they stand: each word is judged alike. newer: of a connector of a later minor. */
enum admit_fields { FIELDS_OF_KIND, FIELDS_OF_ACTION, FIELDS_OF_ROW };
int admit_fields(const tl_field *fields, uint32_t n, size_t stride, enum admit_fields of, bool newer, struct err *e);
bool admit_name_ok(str s);                              /* [a-z0-9_]{1,32} */
int admit_text(const char *what, str s, struct err *e); /* UTF-8 without NUL, at an address */
str admit_shown(str s);                                 /* for a message: "?" where it cannot be shown */

/* table: the functions behind it, NULL where they are not known. minor: of the connector; bits of a later one are not
 * judged. */
int admit_kind(const tl_kind *k, const tl_connector *table, uint32_t minor, struct err *e);
int admit_action(const tl_action *a, uint32_t minor, struct err *e);
/* The table's own rules, beside those of the options (manifest.h). */
int admit_table(const tl_connector *c, struct err *e);
int admit_hosts(const char *hosts, struct err *e); /* in the daemon alone */
#endif
