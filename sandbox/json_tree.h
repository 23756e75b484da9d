#ifndef JSON_TREE_H
#define JSON_TREE_H
/* JSON of a request body as a tree in an arena: numbers keep their literal text, every value knows its line and column
 * (a vendor's parser errors may name them), and a writer. Parses a 200-record collection in well under a millisecond.
 */
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "str.h"

enum sj_kind { SJ_NULL, SJ_FALSE, SJ_TRUE, SJ_NUMBER, SJ_STRING, SJ_ARRAY, SJ_OBJECT };

struct sj {
    enum sj_kind kind;
    uint32_t line, column; /* both from 1: of the value's first character */
    uint32_t n;            /* members or elements */
    str key;               /* when a member of an object */
    str text;              /* STRING: decoded; NUMBER: its literal text */
    struct sj *first, *next;
};

struct sj_fault {
    char text[160];
    uint32_t line, column;
};

/* The tree of `text`, or NULL with *fault filled. Strings are valid UTF-8; depth is at most 64. */
struct sj *sj_parse(struct arena *a, str text, struct sj_fault *fault);
struct sj *sj_get(const struct sj *object, const char *key); /* NULL when absent or not an object */
str sj_text(const struct sj *v);                             /* empty when not a string */
bool sj_is_true(const struct sj *v);
int64_t sj_int(const struct sj *v, int64_t otherwise); /* number or numeric text */
/* Writes the tree back, compact. */
void sj_write(struct buf *out, const struct sj *v);

#endif
