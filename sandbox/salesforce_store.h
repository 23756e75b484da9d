#ifndef SALESFORCE_STORE_H
#define SALESFORCE_STORE_H
/* Records of the Salesforce twin. A record's content is an immutable, counted row: an update makes a new one, so a
 * query locator that holds rows shows what was true when the query ran. Three access paths keep 100,000 contacts fast:
 * the number in the id, a log ordered by SystemModstamp, and a hash of the folded text for indexed fields. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "salesforce_schema.h"
#include "str.h"

enum { SF_ID_MAX = 18, SF_INDEXES_MAX = 32, SF_NAME_BYTES = 512 };

enum sf_cell_kind { CELL_NULL, CELL_TEXT, CELL_NUMBER, CELL_BOOL, CELL_DATE, CELL_TIME };

struct sf_val { /* one stored value; a row has them ordered by field number, absent means null (or false) */
    uint16_t field;
    uint8_t kind;
    uint32_t n; /* bytes of text */
    union {
        const char *text; /* inside the row's own block, NUL-terminated */
        int64_t i;        /* BOOL: 1; DATE: days; TIME: microseconds */
        double d;
    };
};

struct sf_row {
    uint32_t refs;
    uint16_t n;
    bool deleted;
    uint32_t created_by, modified_by; /* numbers of User records */
    int64_t created_us, modified_us, stamp_us;
    struct sf_record *record;
    struct sf_val v[];
};

struct sf_record {
    const struct sf_object *object;
    uint32_t number;
    bool purged;
    struct sf_row *now;  /* what everybody sees; NULL: nothing yet, or purged */
    struct sf_row *late; /* written in a transaction that has not committed */
    int64_t late_at_us;
    int64_t deleted_us;
    char id[SF_ID_MAX + 1];
};

struct sf_cell { /* a value as a reader sees it; text is lent from the row or from the scratch it was read with */
    enum sf_cell_kind kind;
    str text;
    int64_t i;
    double d;
};
struct sf_scratch {
    char text[SF_NAME_BYTES];
};

struct sf_stamp { /* one entry of the log; true only while the record still has this stamp */
    int64_t stamp_us;
    uint32_t number;
};
struct sf_gone { /* getDeleted's log */
    uint32_t number;
    int64_t deleted_us;
};

struct sf_index {
    const struct sf_field *field;
    uint64_t *slots; /* hash << 32 | number + 1; 0 free, SLOT_DEAD removed */
    size_t cap, used;
};

struct sf_table {
    const struct sf_object *object;
    struct sf_record **records; /* by number */
    uint32_t n, cap;
    struct sf_stamp *log;
    size_t log_n, log_cap, log_sorted;
    struct sf_gone *gone;
    size_t gone_n, gone_cap;
    struct sf_index index[SF_INDEXES_MAX];
    size_t index_n;
    size_t live, created, updated, deleted; /* counters for the control plane */
};

struct sf_store {
    struct sf_schema *schema;
    struct sf_table table[SF_OBJECTS_MAX];
    struct sf_record **late; /* records with a late row */
    size_t late_n, late_cap;
    int64_t *late_from; /* when each of them was written: holds latestDateCovered back */
    int64_t earliest_deleted_us;
};

void sf_store_init(struct sf_store *s, struct sf_schema *schema);
void sf_store_done(struct sf_store *s);
static inline struct sf_table *sf_store_table(struct sf_store *s, const struct sf_object *o)
{
    return &s->table[o->number];
}

/* ---- ids: 15 characters take part, 3 more are their check; both are accepted, 18 are shown ---- */
void sf_id_make(const char *prefix, uint32_t number, char out[SF_ID_MAX + 1]);
bool sf_id_valid(str id);                              /* shape and check characters */
bool sf_id_parse(str id, uint32_t *number);            /* false when no id of ours could look so */
struct sf_record *sf_find(struct sf_store *s, str id); /* any object; NULL */
struct sf_record *sf_find_in(struct sf_store *s, const struct sf_object *o, str id); /* of that object; NULL */

/* ---- reading ---- */
void sf_cell(const struct sf_store *s, const struct sf_row *row, const struct sf_field *f, struct sf_scratch *scratch,
             struct sf_cell *out);
const struct sf_val *sf_row_val(const struct sf_row *row, const struct sf_field *f); /* NULL: absent */
str sf_row_text(const struct sf_row *row, const struct sf_object *o, const char *field);
struct sf_row *sf_row_keep(struct sf_row *row);
struct sf_row *sf_row_drop(struct sf_row *row); /* returns NULL */

/* ---- writing ---- */
struct sf_meta {
    int64_t now_us; /* truncated to the second by the store: the vendor's grain */
    uint32_t user;
    bool deleted;
};
struct sf_record *sf_record_new(struct sf_store *s, const struct sf_object *o);
/* A new row: base's values (NULL: none) overlaid with `changes` (any order; kind CELL_NULL clears). Texts are copied.
 */
struct sf_row *sf_row_make(struct sf_record *r, const struct sf_row *base, struct sf_val *changes, size_t n,
                           const struct sf_meta *meta);
void sf_put(struct sf_store *s, struct sf_record *r, struct sf_row *row); /* takes the row; visible at once */
/* Takes the row; it becomes visible at at_us and carries the stamp it was written with. */
void sf_put_late(struct sf_store *s, struct sf_record *r, struct sf_row *row, int64_t at_us);
void sf_settle(struct sf_store *s, int64_t now_us); /* makes what has committed by now visible */
/* Start of the oldest transaction still open; INT64_MAX: none. */
int64_t sf_oldest_open_us(const struct sf_store *s);
void sf_purge(struct sf_store *s, struct sf_record *r);
/* Takes a save back: the record holds `before` again (taken), or was never there when before is NULL. */
void sf_unput(struct sf_store *s, struct sf_record *r, struct sf_row *before);

/* ---- access paths ---- */
struct sf_index *sf_table_index(struct sf_table *t, const struct sf_field *f); /* NULL: none */
void sf_index_create(struct sf_store *s, struct sf_table *t, const struct sf_field *f);
/* Calls fn for each record that may hold this text (compare again: hashes meet). */
void sf_index_each(const struct sf_table *t, const struct sf_index *x, str text,
                   void (*fn)(void *arg, struct sf_record *r), void *arg);
/* The ordered log between lo and hi (hi excluded); entries may be stale: check record->now->stamp_us. */
const struct sf_stamp *sf_log_range(struct sf_table *t, int64_t lo_us, int64_t hi_us, size_t *n_out);

int sf_text_compare(str a, str b);                             /* case-insensitive by code point */
bool sf_text_like(str text, str pattern, const bool *literal); /* '%' and '_' unless literal[i]; case-insensitive */
uint32_t sf_text_hash(str s);                                  /* equal texts of any case hash alike */
#endif
