/* SPDX-License-Identifier: MIT-0 */
/* The page reader: one pass that checks the grammar and writes one node a value, in document order. A container's span
 * tells where its next sibling is, so walking needs no second look at the text. docs/adr/0002-page-reader.md says why
 * this is not a library's job. */
#include "kit/json.h"
#include "kit/json_plain_int.h"

#include <stdlib.h>

enum { FIRST_NODES = 1024, MAX_NODES = 4 << 20 };

struct reader {
    const char *base, *p, *end;
    tlk_json *j;
    uint32_t open[TLK_JSON_DEPTH]; /* nodes of the containers around p */
    uint32_t depth;
};

static bool fail(struct reader *r, const char *what)
{
    r->j->error = what;
    r->j->error_at = (uint32_t)(r->p - r->base);
    r->j->truncated = r->p >= r->end;
    return false;
}

static bool grow(struct reader *r)
{
    tlk_json *j = r->j;
    if (j->n >= MAX_NODES)
        return fail(r, "too many values");
    uint32_t cap = j->cap ? j->cap * 2 : FIRST_NODES;
    tlk_node *nodes = realloc(j->nodes, cap * sizeof(*nodes));
    if (!nodes)
        abort();
    j->nodes = nodes;
    j->cap = cap;
    return true;
}

static inline bool add(struct reader *r, uint8_t type, uint8_t flags, const char *from, const char *to)
{
    tlk_json *j = r->j;
    if (__builtin_expect(j->n == j->cap, 0) && !grow(r))
        return false;
    j->nodes[j->n++] = (tlk_node){.p = from, .n = (uint32_t)(to - from), .span = 1, .type = type, .flags = flags};
    return true;
}

static inline void skip_blanks(struct reader *r)
{
    while (r->p < r->end && (unsigned char)*r->p <= ' ' &&
           (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t'))
        r->p++;
}

/* ---- strings: their extent depends on quotes and backslashes alone, so a bad character spoils only its string */

static inline bool is_tail(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

/* Length of the UTF-8 sequence at p, 0 if it is none: no over-long forms, no surrogates, nothing above U+10FFFF. */
static inline unsigned utf8_step(const char *text, const char *end)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t left = (size_t)(end - text);
    if (p[0] >= 0xC2 && p[0] <= 0xDF)
        return left >= 2 && is_tail(p[1]) ? 2 : 0;
    if ((p[0] & 0xF0) == 0xE0) {
        if (left < 3 || !is_tail(p[1]) || !is_tail(p[2]))
            return 0;
        if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F))
            return 0;
        return 3;
    }
    if (p[0] >= 0xF0 && p[0] <= 0xF4) {
        if (left < 4 || !is_tail(p[1]) || !is_tail(p[2]) || !is_tail(p[3]))
            return 0;
        if ((p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
            return 0;
        return 4;
    }
    return 0;
}

static inline int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits of \uXXXX; -1 when they are not there. */
static int hex4(const char *p, const char *end)
{
    if (end - p < 4)
        return -1;
    int v = 0;
    for (int i = 0; i < 4; i++) {
        int d = hex_digit(p[i]);
        if (d < 0)
            return -1;
        v = v * 16 + d;
    }
    return v;
}

/* Reads the escape at p (a backslash). Returns its length, *cp the character; 0 if it stands for none. */
static unsigned escape_step(const char *p, const char *end, uint32_t *cp)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (end - p < 2)
        return 0;
    if (p[1] != 'u') {
        const char *at = memchr(from, p[1], sizeof(from) - 1);
        if (!at)
            return 0;
        *cp = (unsigned char)to[at - from];
        return 2;
    }
    int high = hex4(p + 2, end);
    if (high <= 0 || (high >= 0xDC00 && high <= 0xDFFF))
        return 0;
    if (high < 0xD800 || high > 0xDBFF) {
        *cp = (uint32_t)high;
        return 6;
    }
    int low = end - p >= 8 && p[6] == '\\' && p[7] == 'u' ? hex4(p + 8, end) : -1;
    if (low < 0xDC00 || low > 0xDFFF)
        return 0;
    *cp = 0x10000u + (((uint32_t)high - 0xD800u) << 10) + ((uint32_t)low - 0xDC00u);
    return 12;
}

/* p stands on the opening quote. */
static bool read_string(struct reader *r, uint8_t flags)
{
    const char *start = ++r->p;
    for (;;) {
        r->p = tlk_json_plain(r->p, r->end);
        if (r->p >= r->end)
            return fail(r, "string does not end");
        unsigned char c = (unsigned char)*r->p;
        if (c == '"')
            break;
        unsigned n;
        if (c == '\\') {
            uint32_t cp;
            flags |= TLK_ESCAPED;
            n = escape_step(r->p, r->end, &cp);
        } else {
            n = c >= 0x80 ? utf8_step(r->p, r->end) : 0;
        }
        if (n == 0)
            flags |= TLK_UNUSABLE;
        r->p += n ? n : 1;
    }
    if (flags & TLK_UNUSABLE)
        r->j->unusable++;
    if (!add(r, TLK_JSTRING, flags, start, r->p))
        return false;
    r->p++;
    return true;
}

/* ---- numbers, words */

static inline bool digits(struct reader *r)
{
    const char *from = r->p;
    while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
        r->p++;
    return r->p > from || fail(r, "digit expected in a number");
}

static bool read_number(struct reader *r)
{
    const char *start = r->p;
    if (*r->p == '-')
        r->p++;
    if (r->p < r->end && *r->p == '0')
        r->p++;
    else if (!digits(r))
        return false;
    if (r->p < r->end && *r->p == '.') {
        r->p++;
        if (!digits(r))
            return false;
    }
    if (r->p < r->end && (*r->p == 'e' || *r->p == 'E')) {
        r->p++;
        if (r->p < r->end && (*r->p == '+' || *r->p == '-'))
            r->p++;
        if (!digits(r))
            return false;
    }
    return add(r, TLK_JNUMBER, 0, start, r->p);
}

static bool read_word(struct reader *r, const char *word, uint8_t type)
{
    const char *start = r->p;
    for (; *word; word++, r->p++) {
        if (r->p >= r->end || *r->p != *word)
            return fail(r, "not a JSON value");
    }
    return add(r, type, 0, start, r->p);
}

/* ---- nesting */

static bool open_container(struct reader *r, uint8_t type)
{
    if (r->depth == TLK_JSON_DEPTH)
        return fail(r, "nested deeper than 64 levels");
    if (!add(r, type, 0, r->p, r->p))
        return false;
    tlk_node *node = &r->j->nodes[r->j->n - 1];
    node->n = r->j->unusable; /* until it closes: how many spoiled values came before it */
    r->open[r->depth++] = r->j->n - 1;
    r->p++;
    return true;
}

static void close_container(struct reader *r)
{
    tlk_node *node = &r->j->nodes[r->open[--r->depth]];
    r->p++;
    if (node->n != r->j->unusable)
        node->flags |= TLK_UNUSABLE;
    node->n = (uint32_t)(r->p - node->p);
    node->span = (uint32_t)(r->j->nodes + r->j->n - node);
}

static bool read_key(struct reader *r)
{
    skip_blanks(r);
    if (r->p >= r->end || *r->p != '"')
        return fail(r, "name of a member expected");
    if (!read_string(r, TLK_KEY))
        return false;
    skip_blanks(r);
    if (r->p >= r->end || *r->p != ':')
        return fail(r, "\":\" expected");
    r->p++;
    return true;
}

static bool read_scalar(struct reader *r)
{
    switch (*r->p) {
    case '"':
        return read_string(r, 0);
    case 't':
        return read_word(r, "true", TLK_JTRUE);
    case 'f':
        return read_word(r, "false", TLK_JFALSE);
    case 'n':
        return read_word(r, "null", TLK_JNULL);
    default:
        if (*r->p == '-' || (*r->p >= '0' && *r->p <= '9'))
            return read_number(r);
        return fail(r, "not a JSON value");
    }
}

/* Reads a scalar, or opens a container. *opened says which; an empty container is closed again at once. */
static bool read_start(struct reader *r, bool *opened)
{
    skip_blanks(r);
    if (r->p >= r->end)
        return fail(r, "value expected");
    *opened = false;
    if (*r->p != '{' && *r->p != '[')
        return read_scalar(r);
    char close = *r->p == '{' ? '}' : ']';
    if (!open_container(r, close == '}' ? TLK_JOBJECT : TLK_JARRAY))
        return false;
    skip_blanks(r);
    if (r->p < r->end && *r->p == close) {
        close_container(r);
        return true;
    }
    *opened = true;
    return close == ']' || read_key(r);
}

/* After a value: a comma leads to the next one, closing brackets go up. *more: another value follows. */
static bool read_after(struct reader *r, bool *more)
{
    while (r->depth > 0) {
        tlk_node *node = &r->j->nodes[r->open[r->depth - 1]];
        bool is_object = node->type == TLK_JOBJECT;
        node->count++;
        skip_blanks(r);
        if (r->p >= r->end)
            return fail(r, is_object ? "object does not end" : "array does not end");
        if (*r->p == ',') {
            r->p++;
            *more = true;
            return !is_object || read_key(r);
        }
        if (*r->p != (is_object ? '}' : ']'))
            return fail(r, is_object ? "\",\" or \"}\" expected" : "\",\" or \"]\" expected");
        close_container(r);
    }
    *more = false;
    return true;
}

static bool read_document(struct reader *r)
{
    bool more = true;
    while (more) {
        bool opened;
        if (!read_start(r, &opened))
            return false;
        if (!opened && !read_after(r, &more))
            return false;
    }
    skip_blanks(r);
    return r->p == r->end || fail(r, "text after the document");
}

const tlk_node *tlk_json_read(tlk_json *j, tl_str text)
{
    j->n = j->unusable = j->error_at = 0;
    j->error = NULL;
    j->truncated = false;
    uint32_t max = j->max_bytes ? j->max_bytes : TLK_JSON_MAX_BYTES;
    if (text.n > max) {
        j->error = "document too large";
        return NULL;
    }
    struct reader r = {.base = text.p, .p = text.p, .end = text.p + text.n, .j = j};
    return read_document(&r) ? j->nodes : NULL;
}

void tlk_json_done(tlk_json *j)
{
    free(j->nodes);
    *j = (tlk_json){.max_bytes = j->max_bytes};
}

/* ---- going through */

tlk_iter tlk_each(const tlk_node *container)
{
    if (!container || (container->type != TLK_JARRAY && container->type != TLK_JOBJECT))
        return (tlk_iter){NULL, NULL};
    return (tlk_iter){container + 1, container + container->span};
}

bool tlk_next_item(tlk_iter *i, const tlk_node **item)
{
    if (i->at >= i->end)
        return false;
    *item = i->at;
    i->at += i->at->span;
    return true;
}

bool tlk_next_member(tlk_iter *i, const tlk_node **key, const tlk_node **value)
{
    if (i->at >= i->end || !(i->at->flags & TLK_KEY))
        return false;
    *key = i->at;
    *value = i->at + 1;
    i->at += 1 + i->at[1].span;
    return true;
}

uint32_t tlk_count(const tlk_node *container)
{
    return container ? container->count : 0;
}

const tlk_node *tlk_getn(const tlk_node *object, tl_str name)
{
    tlk_iter i = tlk_each(object);
    const tlk_node *key, *value;
    while (tlk_next_member(&i, &key, &value)) {
        if (tlk_key_is(key, name))
            return value;
    }
    return NULL;
}

const tlk_node *tlk_get(const tlk_node *object, const char *name)
{
    return tlk_getn(object, tlk_str(name));
}

const tlk_node *tlk_item(const tlk_node *array, uint32_t index)
{
    if (!array || array->type != TLK_JARRAY || index >= array->count)
        return NULL;
    const tlk_node *item = array + 1;
    while (index-- > 0)
        item += item->span;
    return item;
}

const tlk_node *tlk_at(const tlk_node *v, const char *path)
{
    tl_str rest = tlk_str(path), step;
    while (v && tlk_split(&rest, '.', &step)) {
        int64_t index;
        if (v->type == TLK_JARRAY)
            v = tlk_to_i64(step, &index) && index >= 0 && index < UINT32_MAX ? tlk_item(v, (uint32_t)index) : NULL;
        else
            v = tlk_getn(v, step);
    }
    return v;
}

/* ---- values */

static unsigned utf8_put(char *out, uint32_t cp)
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xC0 | (cp >> 6));
        out[1] = (char)(0x80 | (cp & 0x3F));
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = (char)(0xE0 | (cp >> 12));
        out[1] = (char)(0x80 | ((cp >> 6) & 0x3F));
        out[2] = (char)(0x80 | (cp & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | (cp >> 18));
    out[1] = (char)(0x80 | ((cp >> 12) & 0x3F));
    out[2] = (char)(0x80 | ((cp >> 6) & 0x3F));
    out[3] = (char)(0x80 | (cp & 0x3F));
    return 4;
}

/* One character of a usable escaped string; returns how many bytes it is decoded, *p moves on. */
static unsigned unescape_step(const char **p, const char *end, char out[4])
{
    if (**p != '\\') {
        out[0] = *(*p)++;
        return 1;
    }
    uint32_t cp = 0;
    *p += escape_step(*p, end, &cp);
    return utf8_put(out, cp);
}

tl_str tlk_text(const tlk_node *v, tlk_arena *a)
{
    if (!v || v->type == TLK_JNULL || v->type >= TLK_JARRAY || (v->flags & TLK_UNUSABLE))
        return (tl_str){NULL, 0};
    if (!(v->flags & TLK_ESCAPED))
        return tlk_raw(v);
    char *out = tlk_alloc(a, (size_t)v->n + 1); /* an escape is never shorter than what it stands for */
    size_t n = 0;
    for (const char *p = v->p, *end = v->p + v->n; p < end;) {
        const char *plain = memchr(p, '\\', (size_t)(end - p));
        size_t run = (size_t)((plain ? plain : end) - p);
        memcpy(out + n, p, run);
        n += run;
        p += run;
        char c[4];
        if (p < end) {
            unsigned k = unescape_step(&p, end, c);
            memcpy(out + n, c, k);
            n += k;
        }
    }
    return (tl_str){out, n};
}

tl_str tlk_text_at(const tlk_node *v, const char *path, tlk_arena *a)
{
    return tlk_text(tlk_at(v, path), a);
}

bool tlk_key_is(const tlk_node *key, tl_str name)
{
    if (!(key->flags & (TLK_ESCAPED | TLK_UNUSABLE)))
        return tlk_eq(tlk_raw(key), name);
    if (key->flags & TLK_UNUSABLE)
        return false;
    uint64_t at = 0;
    for (const char *p = key->p, *end = key->p + key->n; p < end;) {
        char c[4];
        unsigned k = unescape_step(&p, end, c);
        if (name.n - at < k || memcmp(name.p + at, c, k) != 0)
            return false;
        at += k;
    }
    return at == name.n;
}

bool tlk_i64(const tlk_node *v, int64_t *out)
{
    if (!v || (v->type != TLK_JNUMBER && v->type != TLK_JSTRING))
        return false;
    tl_str s = tlk_raw(v), whole;
    if (!tlk_split(&s, '.', &whole))
        return false;
    bool has_fraction = whole.n < v->n;
    if (has_fraction && s.n == 0)
        return false;
    for (uint64_t i = 0; i < s.n; i++) {
        if (s.p[i] != '0')
            return false;
    }
    return tlk_to_i64(whole, out);
}

bool tlk_bool(const tlk_node *v, bool *out)
{
    int64_t i;
    if (!v)
        return false;
    tl_str s = tlk_raw(v);
    if (v->type == TLK_JTRUE || (v->type == TLK_JSTRING && tlk_is(s, "true")))
        *out = true;
    else if (v->type == TLK_JFALSE || (v->type == TLK_JSTRING && tlk_is(s, "false")))
        *out = false;
    else if (tlk_i64(v, &i) && (i == 0 || i == 1))
        *out = i == 1;
    else
        return false;
    return true;
}

const char *tlk_type_name(const tlk_node *v)
{
    static const char *const names[] = {"nothing",  "null",   "false",    "true",
                                        "a number", "a text", "an array", "an object"};
    int type = tlk_type(v);
    return v && v->type == TLK_JSTRING && (v->flags & TLK_UNUSABLE) ? "a broken text" : names[type];
}
