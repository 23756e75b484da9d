#ifndef REASON_H
#define REASON_H
/* Why a record could not be synchronised, in words for people. A failure row keeps only the code; the words are made
 * when somebody reads them, in the reader's language. The vendor's own words are kept beside and never mixed in. Pure.
 * [any] */
#include <stdint.h>

#include "err.h"
#include "failures.h"

/* Code of a failure from a classified error: by reason for refused data, else by status. "REQUIRED_MISSING". */
const char *reason_code(int status, int32_t reason);
const char *reason_code_at(size_t i); /* all codes, one after the other; NULL behind the last */
/* The sentence for a code, in the language that lang_of() finds in `lang`. Unknown codes give a general sentence. Never
 * NULL. */
const char *reason_text(const char *code, const char *lang);
/* The same where it is known what sort of system the record is of, and the other side: TL_ROLE_*. */
const char *reason_text_of(const char *code, int32_t own, int32_t other, const char *lang);
/* What the reader can do about it; never NULL. */
const char *reason_hint(const char *code, const char *lang);

/* Who tries again: RETRY_AUTO, RETRY_ON_CHANGE, RETRY_MANUAL. */
enum failure_retry reason_retry(const char *code);
const char *retry_name(int32_t retry); /* "auto", "nightly", "on_change", "manual" */
#endif
