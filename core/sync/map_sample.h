#ifndef MAP_SAMPLE_H
#define MAP_SAMPLE_H
/* What a row of a map does to real records, from what is stored of them. For the read functions of the API: nothing
 * here changes anything. [reader] */
#include "map_edit.h"
#include "pairs.h"
#include "view_util.h"

enum { SAMPLE_PAIRS = 200, EFFECT_PAIRS = 10000 };

struct map_context { /* one link with everything a row is judged by */
    struct arena arena, arrays[2];
    struct connection connection;
    struct link link;
    struct link_settings settings;
    tl_kind described[2];
    const tl_kind *kinds[2];
    struct map_row *rows;
    size_t n_rows;
    struct field_row *numbers[2];
    size_t n_numbers[2];
};
int map_context_open(struct db *r, const char *connection, const char *kind, struct map_context *m, struct err *e);
void map_context_done(struct map_context *m);
AUTO_DONE(struct map_context, map_context_done)
int map_settings_read(struct db *r, struct arena *a, int64_t link, struct link_settings *out, struct err *e);

struct map_try { /* one row as the planner's only field */
    struct rule_field field;
    struct link_rules rules; /* fields points to field */
    bool is_ref;             /* leads through pairs: nothing can be said from values alone */
};
/* E_PRECONDITION: the row cannot be used as it is. */
int map_try_open(struct db *r, const struct map_context *m, const struct map_row *row, struct arena *a,
                 struct map_try *out, struct err *e);
/* The value of side s in an observation. False: it was never read. */
bool map_try_value(const struct map_try *t, int s, str observation, struct arena *a, tl_value *out);

struct map_loss { /* of one side's values on their way to the other */
    size_t seen, failed, lost, blank_required;
    const char *code; /* of the first failure */
    str failing, why, before, after;
};
struct map_sample {
    struct map_loss loss[2];
};
/* Values of up to SAMPLE_PAIRS pairs, there and back. */
int map_sample_take(struct db *r, const struct map_context *m, const struct map_try *t, struct arena *a,
                    struct map_sample *out, struct err *e);
/* Code of a value that cannot be transformed: "TYPE_MISMATCH", "MAP_ERROR". */
const char *map_failure_code(int32_t reason);
#endif
