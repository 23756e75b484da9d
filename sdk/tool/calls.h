#ifndef CALLS_H
#define CALLS_H
/* Calls and replies as JSON: {"call":"pull","kind":"contact","mode":"pass","cursor":""} and back. */
#include <jansson.h>

#include "stand.h"

/* NULL with e: no such call, kind, operation or field, or nothing to write. The caller frees it with call_free. */
struct call *call_of_json(const struct stand *s, const json_t *o, struct err *e);
/* One item of a reply: {"record":{...}}, {"checkpoint":{...}}, {"result":{...}}, {"kind":{...}}, ... */
json_t *item_to_json(const struct stand *s, const struct call *c, const struct item *x);
/* The whole reply: {"status":"ok","items":[...],"error":null}. */
json_t *reply_to_json(const struct stand *s, const struct call *c);
#endif
