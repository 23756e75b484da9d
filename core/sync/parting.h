#ifndef PARTING_H
#define PARTING_H
/* What a pair wrote to its records before a person parted them. Whoever meets such a record next reads there what came
 * from somebody else: its values, and the time of the write, are no edit of a person, and win nothing by being later.
 *
 * Kept in pair.extra (EXTRA_PARTED_A, _B), a side each: "RECORD.TIME.NUMBER.HASH.NUMBER.HASH...". The time is that of
 * the last write, then come the map rows whose value was ours, each with a hash of it. */
#include "pairing.h"

struct parting {
    int64_t written_us; /* our clock: tieline wrote the record last then; 0: not that anybody knew */
    str rows;
};
/* Of side s, while the pair holds that record there. */
struct parting parting_of(str extra, int s, int64_t rec);
/* Is what is there now what was written for this map row? */
bool parting_wrote(const struct parting *p, uint32_t number, const tl_value *now);

/* Keeps in `into` what is to be known of the record of side s when ld's records are parted: from its history, and from
 * what was kept already. */
int parting_note(struct engine *g, const struct g_link *l, const struct loaded *ld, int s, struct pair *into,
                 struct arena *a, struct err *e);
/* Pair p gets the record of side s of the pair with that `extra`. */
void parting_move(struct pair *p, str extra, int s, struct arena *a);
/* Into the planner's view of ld. */
void parting_show(const struct g_link *l, struct loaded *ld, struct arena *a);
#endif
