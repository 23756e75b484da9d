#ifndef SOQL_INT_H
#define SOQL_INT_H
/* Shared by the SOQL files only. */
#include "soql.h"

enum soql_token_kind { TOK_END, TOK_WORD, TOK_STRING, TOK_NUMBER, TOK_DATE, TOK_TIME, TOK_PUNCT, TOK_BAD };
struct soql_token {
    enum soql_token_kind kind;
    uint32_t at;
    str text;            /* WORD: as written, dots included; STRING: decoded; PUNCT: the sign; BAD: the fault */
    const bool *escaped; /* STRING */
    double number;
    int64_t i; /* DATE, TIME */
};
struct soql_lexer {
    struct arena *a;
    str text;
    uint32_t at;
};
struct soql_token soql_next(struct soql_lexer *lx);

/* A bound condition. For a test on text `texts` are the operands; on everything else lo <= v < hi describes each. */
struct soql_value {
    enum sf_cell_kind kind;
    str text;
    const bool *escaped;
    double lo_d;
    int64_t lo, hi;
};
struct soql_test {
    enum soql_node node;
    struct soql_test *first, *next;
    struct soql_path path;
    enum soql_op op;
    struct soql_value *values; /* sorted when text and many */
    size_t n;
    bool has_null;
};
/* Text without case; ids byte by byte, which is the order they were given out in. */
static inline int soql_compare_text(const struct sf_field *f, str a, str b)
{
    return f->type == SF_ID || f->type == SF_REFERENCE ? str_cmp(a, b) : sf_text_compare(a, b);
}
bool soql_test_row(const struct soql_test *t, struct sf_store *s, const struct sf_row *row);
int soql_path_bind(struct sf_schema *schema, const struct sf_object *o, const struct soql_name *name, str alias,
                   str query, struct soql_path *out, struct soql_error *e);
/* How many sub-selects a condition may have, and where. 0, or 1 with *e filled. */
int soql_joins_check(const struct soql_where *w, struct soql_error *e);
struct soql_test *soql_where_bind(struct arena *a, const struct soql_query *q, const struct soql_where *w,
                                  const struct sf_object *o, const struct soql_world *world, struct soql_error *e);
#endif
