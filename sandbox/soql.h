#ifndef SOQL_H
#define SOQL_H
/* SOQL of the Salesforce twin: the subset a connector uses, refused as strictly as the vendor does.
 * SOQL and SOSL Reference, https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/
 * soql_parse knows the language, soql_bind the schema, soql_run the records. Everything lives in the caller's arena. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "salesforce_store.h"
#include "str.h"

enum { SOQL_LENGTH_MAX = 100000, SOQL_STRING_MAX = 4000, SOQL_PARTS_MAX = 6, SOQL_OFFSET_MAX = 2000 };

struct soql_error { /* one element of the vendor's error array */
    const char *code;
    char text[1024];
};

/* ---- the language ---- */
struct soql_name { /* Account.Owner.Name */
    uint32_t at;   /* offset in the query */
    unsigned n;
    str part[SOQL_PARTS_MAX];
};

enum soql_literal_kind { LIT_NULL, LIT_BOOL, LIT_NUMBER, LIT_STRING, LIT_DATE, LIT_TIME, LIT_NAMED };
struct soql_literal {
    enum soql_literal_kind kind;
    uint32_t at;
    str text;            /* STRING: decoded; NAMED: the word */
    const bool *escaped; /* STRING: per byte, true where "\%" or "\_" was written */
    double number;
    int64_t i; /* BOOL, DATE (days), TIME (us), NAMED: its n */
    struct soql_literal *next;
};

enum soql_op { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_LIKE, OP_IN, OP_NOT_IN, OP_INCLUDES, OP_EXCLUDES };
enum soql_node { NODE_AND, NODE_OR, NODE_NOT, NODE_TEST };

struct soql_query;
struct soql_where {
    enum soql_node node;
    struct soql_where *first, *next; /* children */
    struct soql_name name;
    enum soql_op op;
    uint32_t op_at;
    struct soql_literal *values;
    struct soql_query *inner; /* IN (SELECT ...) */
};

enum soql_item_kind { ITEM_FIELD, ITEM_COUNT_ALL, ITEM_FIELDS, ITEM_CHILDREN };
struct soql_item {
    enum soql_item_kind kind;
    struct soql_name name;    /* FIELDS: part[0] is ALL, STANDARD or CUSTOM */
    struct soql_query *inner; /* CHILDREN */
    struct soql_item *next;
};
struct soql_order {
    struct soql_name name;
    bool descending, nulls_last;
    struct soql_order *next;
};
struct soql_query {
    str text;
    struct soql_item *items;
    str from, alias;
    uint32_t from_at;
    struct soql_where *where;
    struct soql_order *order;
    int64_t limit, offset; /* -1: none */
};
/* NULL with *e filled when the text is no query of the language. */
struct soql_query *soql_parse(struct arena *a, str text, struct soql_error *e);
/* Fills e with the vendor's picture of the place: the query's part, a caret, row and column, then the text. */
void soql_fail_at(struct soql_error *e, const char *code, str query, uint32_t at, const char *fmt, ...)
    PRINTF_LIKE(5, 6);
void soql_fail(struct soql_error *e, const char *code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Named dates (TODAY, LAST_N_DAYS:3, THIS_QUARTER ...) as days [lo, hi). False when the word is none. The week starts
 * on Sunday, as in the en_US locale; the user's time zone is GMT. */
bool soql_date_range(str word, int64_t n, int64_t today, int64_t *lo, int64_t *hi);
bool soql_date_word(str word, bool *takes_n);

/* ---- bound to the schema ---- */
struct soql_path {
    unsigned hops; /* references to follow */
    const struct sf_field *hop[SOQL_PARTS_MAX];
    const struct sf_field *field; /* of the last object */
};
struct soql_column {
    struct soql_path path;
    struct soql_plan *children; /* a child list instead of a field */
    const char *child_name;
    const struct sf_field *child_field;
};
struct soql_test; /* a bound condition */
struct soql_sort {
    struct soql_path path;
    bool descending, nulls_last;
};
struct soql_plan {
    const struct sf_object *object;
    struct soql_column *columns;
    size_t column_n;
    bool count; /* SELECT COUNT() */
    struct soql_test *where;
    struct soql_sort *order;
    size_t order_n;
    int64_t limit, offset;
};
struct soql_world {
    struct sf_store *store;
    int64_t now_us;
    bool all_rows; /* queryAll: the bin and archived activities too */
    bool reverse;  /* without ORDER BY, newest first: shows clients that rely on an order nobody promised */
};
/* Resolves names against the schema, checks types; inner queries are run here. NULL with *e filled. */
struct soql_plan *soql_bind(struct arena *a, const struct soql_query *q, const struct soql_world *w,
                            struct soql_error *e);

struct soql_result {
    struct sf_row **rows; /* kept rows; release with soql_result_done */
    size_t n;
    int64_t total; /* what totalSize says */
};
void soql_run(const struct soql_plan *p, const struct soql_world *w, struct soql_result *out);
/* The same, of the rows whose reference `field` is `parent`. */
void soql_run_children(const struct soql_plan *p, const struct soql_world *w, const struct sf_field *field, str parent,
                       struct soql_result *out);
void soql_result_done(struct soql_result *r);
AUTO_DONE(struct soql_result, soql_result_done)
bool soql_matches(const struct soql_plan *p, const struct soql_world *w, struct sf_row *row);
/* The row at the end of the hops, or NULL when one of the references is empty or leads nowhere. */
const struct sf_row *soql_follow(struct sf_store *s, const struct soql_path *path, const struct sf_row *row);
/* The path's field of the object that this row, at the end of it, is of: through a polymorphic reference the path was
 * bound to another one. NULL: it has no such field. */
const struct sf_field *soql_field_of(const struct soql_path *path, const struct sf_row *end);
/* The value at the end of the path; null where it leads nowhere. */
void soql_cell(struct sf_store *s, const struct soql_path *path, const struct sf_row *row, struct sf_scratch *scratch,
               struct sf_cell *out);
/* The name of the child list of `parent` that `field` of `child` makes ("Contacts"), or NULL when it has none. */
const char *sf_child_list(const struct sf_object *parent, const struct sf_object *child, const struct sf_field *field);
#endif
