#ifndef CHANGE_H
#define CHANGE_H
/* What the history keeps of one field of a write: {"no","field","before","after"}, before null where it is not known.
 * Texts are for people; a value that a text does not give back exactly is kept beside, as "raw_before" and "raw_after".
 * Also {"rule","by","at","conflict"}: why that value counted, the vendor's id of who gave it, since when, and whether
 * what was there before lost against it. */
#include <jansson.h>
#include <stdbool.h>

#include "arena.h"
#include "plan.h"

struct change_field {
    uint32_t number; /* of the map row */
    str field;       /* path on the written side; lent from the row */
    bool known;      /* before is there */
    tl_value before, after;
};
/* before NULL: not known. */
json_t *change_field_json(uint32_t number, str field, const tl_value *before, const tl_value *after);
/* False: not such a row. Values in the arena. */
bool change_field_read(const json_t *row, struct arena *a, struct change_field *out);
/* Does one of the rows in the text name this map row? */
bool change_fields_have(str rows, uint32_t number);
/* The rows as people see them. */
void change_fields_show(json_t *rows);

/* Why the value of the other side counted for field i of the target, in one word: "only_edit", "one_way", "blank",
 * "newest", "master", "a", "b", "decided", "reverted". both: the target's own value had left its base too. Pure. */
const char *change_rule(const struct link_rules *link, const struct snapshot *snap, int target, uint32_t i, bool both);
#endif
