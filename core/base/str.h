#ifndef STR_H
#define STR_H
/* Counted, lent text. Not necessarily terminated. The same layout as tl_str, so the two convert freely. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cleanup.h"
#include "tieline.h"

typedef tl_str str;

#define STR(literal) ((str){(literal), sizeof(literal) - 1})
#define STR_FMT(s)   (int)(s).n, (s).n ? (s).p : "" /* for "%.*s" */

static inline str str_of(const char *z)
{
    return z ? (str){z, strlen(z)} : (str){NULL, 0};
}
static inline str str_n(const void *p, size_t n)
{
    return (str){(const char *)p, n};
}
static inline bool str_eq(str a, str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool str_is(str a, const char *z)
{
    return str_eq(a, str_of(z));
}
int str_cmp(str a, str b);
bool str_starts(str s, str prefix);
bool str_ends(str s, str suffix);
bool str_eq_nocase(str a, str b); /* ASCII */
str str_trim(str s);              /* ASCII blanks */
/* Splits at the first sep: head before it, rest after it (or empty). False when s is empty. */
bool str_split(str *rest, char sep, str *head_out);
bool str_in_list(str list, str word); /* comma separated list, blanks around words ignored */
bool str_to_i64(str s, int64_t *out); /* whole text, decimal */
/* "%XX" at the beginning of s: the byte it stands for, or -1 where none stands there. */
int str_percent_byte(str s);
char *str_dup(str s); /* NUL-terminated heap copy; caller frees with text_free */
char *text_dup(const char *z);
char *text_fmt(const char *fmt, ...) PRINTF_LIKE(1, 2);
char *text_free(char *z); /* returns NULL */
AUTO_FN(char *, text_free)
/* Nearest of the candidates by edit distance, or NULL when none is near: "did you mean". */
const char *text_nearest(const char *word, const char *const *candidates, size_t n);
#endif
