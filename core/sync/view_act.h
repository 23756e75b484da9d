#ifndef VIEW_ACT_H
#define VIEW_ACT_H
/* What was done at vendors for people, as JSON. [any, on a reader] */
#include "acts.h"
#include "view.h"

const char *act_state_name(int32_t state); /* "done" */
/* {"act","key","connection","endpoint","kind","name","record","who","person","beside":{"kind","id"},"state","params",
 *  "before","after","code","text","made","ended","next_look","looks"} */
json_t *view_act_json(struct db *r, const struct act *a);
int view_act(struct db *r, int64_t act, json_t **out, struct err *e); /* TL_E_NOT_FOUND */
/* Newest first, a page. connection NULL: of all. */
int view_acts(struct db *r, const char *connection, const struct view_page *page, json_t **out, struct err *e);
/* Appends those whose record, or what they were done beside, is one of records ({"endpoint","kind","record"}), and
 * those that mention the word. */
int view_acts_of_person(struct db *r, const json_t *records, str word, json_t *out, struct err *e);
#endif
