#ifndef ANSWER_H
#define ANSWER_H
/* Answers on their way out: JSON with an ETag, problems of RFC 9457, bytes of any type, words, streams. Nothing is kept
 * by anybody in between, and no browser guesses a type. [a thread of the server] */
#include <microhttpd.h>

#include "server.h"

enum MHD_Result answer_json(struct MHD_Connection *c, int status, json_t *json, const char *type);
enum MHD_Result answer_problem(struct MHD_Connection *c, const struct err *e, int status);
enum MHD_Result answer_other_method(struct MHD_Connection *c, const struct err *e, const char *allow); /* 405 */
enum MHD_Result answer_bytes(struct MHD_Connection *c, int status, const char *type,
                             struct buf *body);                                       /* body is taken */
enum MHD_Result answer_words(struct MHD_Connection *c, int status, const char *text); /* plain */
enum MHD_Result answer_stream(struct MHD_Connection *c, struct stream *stream);       /* stream is taken */

/* What an ETag stands for: everything of an object that somebody may change. */
uint64_t answer_version(const json_t *json);
#endif
