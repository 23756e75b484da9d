#ifndef PLANS_H
#define PLANS_H
/* What a dry run found, row by row, and what became of it when it was carried out; also what an undo takes back. Rows
 * go with their run. */
#include "records.h"
#include "runs.h"

enum plan_what { /* stored */
                 ITEM_CREATE = 0,
                 ITEM_UPDATE = 1,
                 ITEM_ADOPT = 2,
                 ITEM_CONFLICT = 3,
                 ITEM_FAILURE = 4,
                 ITEM_DUPLICATE = 5, /* several records of one side with one match key */
                 ITEM_UNDO = 6,      /* a field that an undo takes back */
                 ITEM_TRASH = 7,     /* a record that an undo puts into the bin of its system */
                 ITEM_WHATS
};
enum plan_state {
    ITEM_PLANNED = 0,
    ITEM_DONE = 1,      /* of an undo: the value is back */
    ITEM_REPLANNED = 2, /* its records had changed when it came to it: planned anew */
    ITEM_ADDED = 3,     /* came up after the plan was made */
    ITEM_SKIPPED = 4    /* of an undo: code and detail say why */
};
const char *plan_what_name(int32_t what);   /* "create"; never NULL */
const char *plan_state_name(int32_t state); /* "planned"; never NULL */
bool plan_what_of(str name, int32_t *out);

struct plan_item {
    int64_t run, item, link;
    int32_t what, side, state; /* side: the one written; of failures and duplicates the one of the record */
    int64_t pair, rec[2];      /* 0: none */
    uint64_t hash[2];          /* seen_hash of the records */
    str code, field, detail;   /* failures, duplicates */
    str fields;                /* JSON list of {"no", "field", "before", "after", "winner"} */
};
/* item 0: gets the next number of its run. */
int plan_item_put(struct db *db, struct plan_item *i, struct err *e);
struct plan_filter {
    int64_t run, link; /* link 0: any */
    int32_t what;      /* -1: any */
    int32_t state;     /* -1: any */
    int64_t pair;      /* 0: any */
    int64_t after;     /* item */
};
int plan_item_list(struct db *db, struct arena *a, const struct plan_filter *f, size_t max, struct plan_item **out,
                   size_t *n, struct err *e);
/* The row that gives this record of that side its counterpart: a create or an adoption. TL_E_NOT_FOUND. */
int plan_item_of_record(struct db *db, struct arena *a, int64_t run, int64_t link, enum side s, int64_t rec,
                        struct plan_item *out, struct err *e);
/* Every row of the record. */
int plan_items_of_record(struct db *db, struct arena *a, int64_t run, int64_t link, enum side s, int64_t rec,
                         struct plan_item **out, size_t *n, struct err *e);
struct plan_group {
    int64_t link;
    int32_t what, side, state;
    int64_t n;
};
int plan_summary(struct db *db, struct arena *a, int64_t run, struct plan_group **out, size_t *n, struct err *e);
/* Rows of one run are forgotten, at most max_rows; *done_out: none is left. */
int plan_clear(struct db *db, int64_t run, int max_rows, bool *done_out, struct err *e);
#endif
