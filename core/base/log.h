#ifndef LOG_H
#define LOG_H
/* One event, one line on stderr: "time level text key=value ...". Library modules log only at LOG_DEBUG; the runner
 * that owns an operation logs its failure once. Text is redacted at the sink: registered secrets never come out.
 * Thread-safe. */
#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "cleanup.h"
#include "err.h"
#include "str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON, LOG_JOURNAL /* "<N>" priority prefix, no time */ };

void log_setup(enum log_level min, enum log_format format);
bool log_enabled(enum log_level level);
/* ctx: "endpoint=sf link=contacts", may be NULL; see log_member. One that has no "=" is the member "part". */
void log_line(enum log_level level, const char *ctx, const char *fmt, ...) PRINTF_LIKE(3, 4);
void log_err(enum log_level level, const char *ctx, const struct err *e); /* text, then detail and hint as members */
/* Adds one to a ctx: value may hold anything. Empty ones are left out. */
void log_member(struct buf *ctx, const char *key, const char *value);
/* Secrets of at least 6 bytes are replaced by "[secret]" wherever they would show. */
void log_secret_add(str secret);
void log_secret_forget(str secret);     /* of a token that was replaced and has run out */
void redact(struct buf *out, str text); /* applies the same replacement; for error texts and traces */
#endif
