#ifndef CHECK_WORLD_H
#define CHECK_WORLD_H
/* What pulls brought: the last word on each record, to compare two ways of reading. */
#include "check.h"

struct world_record {
    char *id;
    int32_t state;
    struct buf raw; /* the record's bytes as emitted */
};
struct world {
    struct world_record *list;
    uint32_t n, cap;
    uint32_t emitted, bad, checkpoints, most_between; /* records between two checkpoints */
    uint32_t since;
};
void world_done(struct world *w);
AUTO_DONE(struct world, world_done)
void world_take(struct world *w, const struct reply *reply); /* all that stands before the last checkpoint counts */
struct world_record *world_find(const struct world *w, str id);
/* An id like those of the records and of none of them: one digit of the last is another. NULL: there is no such. */
const char *check_other_id(struct check *c, const struct world *w);
/* Same records with the same content? Else false and the first difference in words. states: a record that is gone in
 * one and absent in the other is the same. */
bool world_same(const struct world *a, const struct world *b, char *why, size_t cap);

/* One position a pull has told: its cursor and what had been read by then. */
struct position {
    char *cursor;
    bool complete;
    uint32_t calls;
};
struct positions {
    struct position *list;
    uint32_t n, cap;
};
void positions_done(struct positions *p);
AUTO_DONE(struct positions, positions_done)

enum { CHECK_PAGE_SIZE = 10 /* asked for, so that there are many pages */ };
struct call *check_pull_call(const struct stand_kind *k, int32_t mode, const char *cursor, uint32_t pages,
                             uint32_t page_size);
/* Pulls from the cursor until it is complete, one page a call; fails the test where it does not end. positions may be
 * NULL. The last cursor is the caller's (text_free). */
char *check_pull_all(struct check *c, const struct stand_kind *k, int32_t mode, const char *cursor, struct world *w,
                     struct positions *positions);
char *check_pull_sized(struct check *c, const struct stand_kind *k, int32_t mode, const char *cursor,
                       uint32_t page_size, struct world *w, struct positions *positions);
/* The last checkpoint of a reply, or NULL: none; the caller's. */
char *check_last_cursor(const struct reply *reply, bool *complete);
#endif
