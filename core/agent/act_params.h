#ifndef ACT_PARAMS_H
#define ACT_PARAMS_H
/* What an action is given, held against what its connector declares, before anything is sent; and records as JSON.
 * Money stays text: nothing goes through a double. Pure. [any] */
#include <jansson.h>

#include "arena.h"
#include "call.h"
#include "err.h"

struct act_values {
    tl_value *of; /* field: index into tl_action.params */
    uint32_t n;
};
/* asked: an object, by path or the vendor's name; a text stands for any type that has a text form. TL_E_INVALID names
 * every fault at once: the first in e->field, all of them in e->text and, where they do not fit, in e->detail. */
int act_params_read(const tl_action *action, const json_t *asked, struct arena *a, struct act_values *out,
                    struct err *e);
/* The values of a record by path, those that are null left out; rows as arrays of objects. files: where its blobs are;
 * or NULL. */
json_t *act_record_json(const tl_shape *shape, const tl_record *r, const struct blob_list *files);
/* {"kind","name","label","help","creates","reads","looks","rights":[...],"params":[{"path","name","label","type",
 *  "required","max","scale","choices":[{"value","label"}],"columns":[...]}]} */
json_t *act_action_json(const tl_action *action);
#endif
