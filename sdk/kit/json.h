/* SPDX-License-Identifier: MIT-0 */
#ifndef TLK_JSON_H
#define TLK_JSON_H
/* JSON without a tree: tlk_json_read checks a whole document once and notes where each value lies; values are decoded
 * only when asked for, numbers keep their literal text (12.10 stays 12.10).
 *
 * What fails a document: anything the grammar of RFC 8259 forbids outside of strings, a document cut short, a depth
 * above 64, a size above the cap. What only spoils a value: a string that no UTF-8 text can stand for (lone surrogate,
 * \u0000, a raw control character, an unknown escape, broken UTF-8). Such a node has TLK_UNUSABLE set; the records
 * around it stay usable. Numbers of any length are kept. Of two members with one name the first counts.
 *
 * Every function takes a null node as "absent" and answers absent, so look-ups chain without checks. */
#include "kit/mem.h"

/* tlk_node.type */
enum { TLK_JNULL = 1, TLK_JFALSE, TLK_JTRUE, TLK_JNUMBER, TLK_JSTRING, TLK_JARRAY, TLK_JOBJECT };
/* tlk_node.flags: a string with escapes; a value that cannot be used; the name of a member */
enum { TLK_ESCAPED = 1, TLK_UNUSABLE = 2, TLK_KEY = 4 };

/* One value, a slice of the text that was read. p, n: a string without its quotes, still escaped; anything else
 * from its first to its last character. */
typedef struct tlk_node {
    const char *p;
    uint32_t n;
    uint32_t span;       /* nodes of this value, itself included: the next sibling is at node + span */
    uint32_t count;      /* members or items of a container */
    uint8_t type, flags; /* TLK_J*; TLK_ESCAPED, TLK_UNUSABLE, TLK_KEY */
    uint16_t reserved;
} tlk_node;

/* Reusable: keeps its memory between documents. {0} is an empty one. Nodes are lent until the next read. */
typedef struct tlk_json {
    tlk_node *nodes;    /* the document, in the order of its text */
    uint32_t n, cap;    /* nodes it has; room for */
    uint32_t max_bytes; /* 0: 64 MiB */
    uint32_t unusable;  /* values marked so in the document read last */
    uint32_t error_at;  /* offset of what is wrong */
    const char *error;  /* what is wrong; null after success */
    bool truncated;     /* the text ended inside a value */
} tlk_json;
#define TLK_JSON_DEPTH     64
#define TLK_JSON_MAX_BYTES (64u << 20)
/* The document's value, or null with j->error set. text must outlive the nodes. */
const tlk_node *tlk_json_read(tlk_json *j, tl_str text);
void tlk_json_done(tlk_json *j);
#define TLK_AUTO_JSON __attribute__((cleanup(tlk_json_done))) tlk_json

/* ---- going through */
typedef struct tlk_iter {
    const tlk_node *at, *end; /* the next one; behind the last */
} tlk_iter;
tlk_iter tlk_each(const tlk_node *container); /* empty for anything that is not a container */
bool tlk_next_item(tlk_iter *i, const tlk_node **item);
bool tlk_next_member(tlk_iter *i, const tlk_node **key, const tlk_node **value);
uint32_t tlk_count(const tlk_node *container);
const tlk_node *tlk_get(const tlk_node *object, const char *name);
const tlk_node *tlk_getn(const tlk_node *object, tl_str name);
const tlk_node *tlk_item(const tlk_node *array, uint32_t index);
const tlk_node *tlk_at(const tlk_node *v, const char *path); /* "data", "errors.0.message" */

/* ---- values */
static inline int tlk_type(const tlk_node *v)
{
    return v ? v->type : 0;
}
static inline bool tlk_is_null(const tlk_node *v)
{
    return !v || v->type == TLK_JNULL;
}
static inline tl_str tlk_raw(const tlk_node *v)
{
    return v ? (tl_str){v->p, v->n} : (tl_str){NULL, 0};
}
/* Text of a string (decoded into a when it holds escapes, else lent from the document), literal text of a number,
 * "true", "false". Empty for absent, null, containers and unusable strings. */
tl_str tlk_text(const tlk_node *v, tlk_arena *a);
tl_str tlk_text_at(const tlk_node *v, const char *path, tlk_arena *a);
/* Whole numbers, also inside a string ("7", "100.0"); false leaves *out alone. */
bool tlk_i64(const tlk_node *v, int64_t *out);
bool tlk_bool(const tlk_node *v, bool *out);      /* true, "true", 1, "1" and their opposites */
static inline bool tlk_is_true(const tlk_node *v) /* there, and true by tlk_bool */
{
    bool yes = false;
    return tlk_bool(v, &yes) && yes;
}
/* Does key stand for name? Compares without decoding where it can. */
bool tlk_key_is(const tlk_node *key, tl_str name);
const char *tlk_type_name(const tlk_node *v); /* "an object"; for messages */

/* ---- writing: commas and nesting are kept by the writer; depth at most 64. {0} writes into its own buffer. */
typedef struct tlk_writer {
    tlk_buf b;      /* what is written; tlk_w_lent */
    uint64_t comma; /* one bit a level: the next value needs a comma */
    uint32_t depth;
} tlk_writer;
void tlk_w_done(tlk_writer *w);
void tlk_w_clear(tlk_writer *w);
void tlk_w_object(tlk_writer *w);
void tlk_w_end_object(tlk_writer *w);
void tlk_w_array(tlk_writer *w);
void tlk_w_end_array(tlk_writer *w);
void tlk_w_key(tlk_writer *w, tl_str name);
void tlk_w_text(tlk_writer *w, tl_str s);   /* s must be UTF-8 */
void tlk_w_raw(tlk_writer *w, tl_str json); /* a number's literal text, or JSON that is known to be valid */
void tlk_w_int(tlk_writer *w, int64_t i);
void tlk_w_bool(tlk_writer *w, bool v);
void tlk_w_null(tlk_writer *w);
static inline void tlk_w_member(tlk_writer *w, const char *name, tl_str text)
{
    tlk_w_key(w, tlk_str(name));
    tlk_w_text(w, text);
}
static inline tl_str tlk_w_lent(const tlk_writer *w)
{
    return tlk_lent(&w->b);
}
#define TLK_AUTO_WRITER __attribute__((cleanup(tlk_w_done))) tlk_writer
#endif
