#ifndef UNICODE_H
#define UNICODE_H
/* Text comparison as people mean it, over utf8proc. Pure. */
#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "str.h"

bool utf8_valid(str s);                 /* strict: no surrogates, no over-long forms, no NUL */
size_t utf8_length(str s);              /* characters (code points) */
str utf8_cut(str s, size_t max_chars);  /* longest prefix of whole characters */
void text_nfc(struct buf *out, str s);  /* NFC, CRLF -> LF, outer blanks trimmed */
void text_fold(struct buf *out, str s); /* match key: NFKC, case-folded, trimmed, inner blanks collapsed */
/* What a person types to look somebody up: as text_fold, without accents (also l with stroke and the like), and every
 * character that is no letter, digit or mark as a blank: "Dvořák-Łucka" -> "dvorak lucka". */
void text_plain(struct buf *out, str s);
/* Every word of ask begins some word of text; both from text_plain. False for an empty ask. */
bool text_has_words(str text, str ask);
/* For a terminal: characters that turn the direction of what stands beside them (Unicode 15, table 23-2) as their
 * numbers, "\u{202e}", and so control characters, ends of lines among them: foreign text must neither rearrange the
 * screen nor pass for a line of ours. */
void text_visible(struct buf *out, str s);
void phone_digits(struct buf *out, str s); /* leading + and digits */
bool phone_last9(str s, int64_t *out);     /* last 9 digits as a number; false when fewer than 9 */
#endif
