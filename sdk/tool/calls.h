#ifndef CALLS_H
#define CALLS_H
/* Calls and replies as JSON: {"call":"pull","kind":"contact","mode":"pass","cursor":""} and back. */
#include <jansson.h>

#include "rehearsal.h"
#include "stand.h"

/* NULL with e: no such call, kind, operation or field, or nothing to write. The caller frees it with call_free. */
struct call *call_of_json(const struct stand *s, const json_t *o, struct err *e);
/* One item of a reply: {"record":{...}}, {"checkpoint":{...}}, {"result":{...}}, {"kind":{...}}, ... (answers.c) */
json_t *item_to_json(const struct call *c, const struct item *x);
/* What a rehearsed act did not send: {"would_send":{...}}; a body that is no text is null. */
json_t *rehearsed_to_json(const struct rehearsed *r);
/* The whole reply: {"status":"ok","items":[...],"error":null}. */
json_t *reply_to_json(const struct call *c);
#endif
