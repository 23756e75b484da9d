/* Primitives of the flat form, and errors and records, which travel in both directions. Shapes: codec_shape.c. */
#include "codec.h"

#include "unicode.h"

/* ---- decoding */

/* Inlined by hand: a record is read by some thirty of these, and nearly all are one byte long. */
static inline __attribute__((always_inline)) uint64_t read_u64(struct decoder *d)
{
    if (d->p < d->end && *d->p < 0x80)
        return *d->p++;
    uint64_t v = 0;
    if (!varint_read(&d->p, d->end, &v)) {
        dec_fault(d);
        return 0;
    }
    return v;
}

static inline __attribute__((always_inline)) int64_t read_i64(struct decoder *d)
{
    uint64_t v = read_u64(d);
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static inline __attribute__((always_inline)) tl_str read_bytes(struct decoder *d)
{
    uint64_t n = read_u64(d);
    if (n >= (uint64_t)(d->end - d->p) || d->p[n] != 0) { /* also after a fault: then nothing is left */
        dec_fault(d);
        return (tl_str){"", 0};
    }
    tl_str s = {(const char *)d->p, n};
    d->p += n + 1;
    return s;
}

static inline __attribute__((always_inline)) tl_str read_str(struct decoder *d)
{
    tl_str s = read_bytes(d);
    if (s.n && d->strict && !codec_utf8(s)) {
        dec_fault(d);
        return (tl_str){"", 0};
    }
    return s;
}

uint64_t dec_u64(struct decoder *d)
{
    return read_u64(d);
}

int64_t dec_i64(struct decoder *d)
{
    return read_i64(d);
}

uint32_t dec_u32(struct decoder *d)
{
    uint64_t v = read_u64(d);
    if (v > UINT32_MAX) {
        dec_fault(d);
        return 0;
    }
    return (uint32_t)v;
}

int32_t dec_i32(struct decoder *d)
{
    int64_t v = read_i64(d);
    if (v > INT32_MAX || v < INT32_MIN) {
        dec_fault(d);
        return 0;
    }
    return (int32_t)v;
}

tl_str dec_bytes(struct decoder *d)
{
    return read_bytes(d);
}

tl_str dec_str(struct decoder *d)
{
    return read_str(d);
}

const char *dec_text(struct decoder *d)
{
    uint64_t present = dec_u64(d);
    if (present > 1)
        dec_fault(d);
    if (d->bad || !present)
        return NULL;
    tl_str s = dec_str(d);
    if (memchr(s.p, 0, s.n)) {
        dec_fault(d);
        return NULL;
    }
    return d->bad ? NULL : s.p;
}

uint32_t dec_count(struct decoder *d, size_t min_bytes)
{
    uint64_t n = dec_u64(d);
    if (n > (uint64_t)(d->end - d->p) / min_bytes || n > UINT32_MAX) {
        dec_fault(d);
        return 0;
    }
    return (uint32_t)n;
}

uint32_t dec_count_of(struct decoder *d, size_t min_bytes, uint32_t max)
{
    uint32_t n = dec_count(d, min_bytes);
    if (n <= max)
        return n;
    dec_fault(d);
    return 0;
}

const tl_str *dec_strs(struct decoder *d, uint32_t *n_out)
{
    uint32_t n = dec_count(d, 2);
    tl_str *out = arena_array(d->arena, tl_str, n);
    for (uint32_t i = 0; i < n; i++)
        out[i] = dec_str(d);
    *n_out = d->bad ? 0 : n;
    return out;
}

const tl_pair *dec_pairs(struct decoder *d, uint32_t *n_out)
{
    uint32_t n = dec_count(d, 4);
    tl_pair *out = arena_array(d->arena, tl_pair, n);
    for (uint32_t i = 0; i < n; i++) {
        out[i].name = dec_bytes(d);
        out[i].value = dec_bytes(d);
    }
    *n_out = d->bad ? 0 : n;
    return out;
}

/* ---- encoding */

void enc_u64(struct buf *b, uint64_t v)
{
    buf_varint(b, v);
}

static uint64_t zigzag(int64_t v)
{
    return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

void enc_i64(struct buf *b, int64_t v)
{
    buf_varint(b, zigzag(v));
}

void enc_str(struct buf *b, tl_str s)
{
    buf_varint(b, s.n);
    buf_add(b, s.p, s.n);
    buf_char(b, 0);
}

void enc_text(struct buf *b, const char *z)
{
    buf_varint(b, z != NULL);
    if (z)
        enc_str(b, str_of(z));
}

void enc_strs(struct buf *b, const tl_str *s, uint32_t n)
{
    buf_varint(b, n);
    for (uint32_t i = 0; i < n; i++)
        enc_str(b, s[i]);
}

void enc_pairs(struct buf *b, const tl_pair *p, uint32_t n)
{
    buf_varint(b, n);
    for (uint32_t i = 0; i < n; i++) {
        enc_str(b, p[i].name);
        enc_str(b, p[i].value);
    }
}

/* Eight bytes that are neither zero nor above ASCII. */
static inline bool plain_word(const char *p)
{
    uint64_t w;
    memcpy(&w, p, 8);
    return !((w | ((w - UINT64_C(0x0101010101010101)) & ~w)) & UINT64_C(0x8080808080808080));
}

bool codec_utf8(tl_str s)
{
    size_t i = 0;
    for (; i + 8 <= s.n; i += 8)
        if (!plain_word(s.p + i))
            return utf8_valid(str_n(s.p + i, s.n - i));
    if (s.n >= 8) /* the last eight again: what is left of them lies there */
        return i == s.n || plain_word(s.p + s.n - 8) || utf8_valid(str_n(s.p + i, s.n - i));
    for (; i < s.n; i++)
        if ((uint8_t)(s.p[i] - 1) >= 0x7f)
            return utf8_valid(s);
    return true;
}

void codec_adopt(void *to, size_t size, const void *from, size_t have)
{
    memset(to, 0, size);
    memcpy(to, from, have < size ? have : size);
}

/* ---- errors */

static void text_clean(char *z, size_t cap)
{
    z[cap - 1] = 0;
    for (char *p = z; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
    size_t n = strlen(z);
    size_t good = 0, at = 0;
    while (at < n) { /* character by character: what is none becomes "?", what is cut at the end goes */
        unsigned char c = (unsigned char)z[at];
        size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        if (at + len > n && c >= 0xc2 && c < 0xf5)
            break;
        if (at + len <= n && utf8_valid(str_n(z + at, len))) {
            memmove(z + good, z + at, len);
            good += len;
            at += len;
        } else {
            z[good++] = '?';
            at++;
        }
    }
    z[good] = 0;
}

void codec_error_clean(tl_error *e)
{
    text_clean(e->code, sizeof e->code);
    text_clean(e->field, sizeof e->field);
    text_clean(e->text, sizeof e->text);
    text_clean(e->detail, sizeof e->detail);
}

void enc_error(struct buf *b, const tl_error *from)
{
    tl_error e;
    codec_adopt(&e, sizeof e, from, from->struct_size ? from->struct_size : sizeof e);
    codec_error_clean(&e);
    enc_i64(b, e.scope);
    enc_i64(b, e.reason);
    enc_i64(b, e.http_status);
    enc_i64(b, e.retry_after_ms);
    enc_str(b, str_of(e.code));
    enc_str(b, str_of(e.field));
    enc_str(b, str_of(e.text));
    enc_str(b, str_of(e.detail));
}

static void dec_chars(struct decoder *d, char *out, size_t cap)
{
    tl_str s = dec_str(d);
    if (s.n >= cap) {
        dec_fault(d);
        return;
    }
    memcpy(out, s.p, s.n);
    out[s.n] = 0;
}

void dec_error(struct decoder *d, tl_error *out)
{
    memset(out, 0, sizeof *out);
    out->struct_size = sizeof *out;
    out->scope = dec_i32(d);
    out->reason = dec_i32(d);
    out->http_status = dec_i32(d);
    out->retry_after_ms = dec_i64(d);
    dec_chars(d, out->code, sizeof out->code);
    dec_chars(d, out->field, sizeof out->field);
    dec_chars(d, out->text, sizeof out->text);
    dec_chars(d, out->detail, sizeof out->detail);
}

/* ---- records: the hot path
 * The writer takes an upper bound of room once and then writes without checks. */

enum { VARINT_MAX = 10, AUX_BIT = 0x80 };

static bool type_has_int(uint8_t type)
{
    return type == TL_BOOL || type == TL_INT || type == TL_TIME || type == TL_DATE || type == TL_BLOB;
}

static uint8_t type_known(uint8_t type)
{
    return type > CODEC_TYPE_LAST ? TL_JSON : type;
}

/* Where a value may stand: a list holds single values, a row those and lists. */
enum place { IN_RECORD, IN_ROW, IN_LIST };

static bool has_place(uint8_t type, enum place place)
{
    return place == IN_RECORD || (type != TL_ROWS && (place == IN_ROW || type != TL_LIST));
}

static size_t str_bound(tl_str s)
{
    return s.n + VARINT_MAX + 1;
}

static uint8_t *w_u64(uint8_t *w, uint64_t v)
{
    while (v >= 0x80) {
        *w++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *w++ = (uint8_t)v;
    return w;
}

static uint8_t *w_i64(uint8_t *w, int64_t v)
{
    return w_u64(w, zigzag(v));
}

static uint8_t *w_str(uint8_t *w, tl_str s)
{
    w = w_u64(w, s.n);
    if (s.n)
        memcpy(w, s.p, s.n);
    w += s.n;
    *w++ = 0;
    return w;
}

static int refuse_value(const tl_shape *shape, uint32_t field, const char *why, struct err *e)
{
    str path =
        shape && field < shape->n_fields ? TL_AT(tl_field, shape->fields, shape->field_stride, field)->path : (str){0};
    if (path.n)
        return err_set(e, TL_E_INVALID, "field \"%.*s\": the value %s", STR_FMT(path), why);
    return err_set(e, TL_E_INVALID, "field %u: the value %s", field, why);
}

/* What a message is about: the field of the record, also for the items of its list and the values of its rows. */
struct checking {
    const tl_shape *shape;
    uint32_t field;
    size_t *bound; /* of the flat form, grown by each value */
};

static int check_text(const struct checking *c, const tl_value *v, uint8_t type, struct err *e)
{
    if (v->u.s.n > UINT32_MAX || (v->u.s.n && !v->u.s.p))
        return refuse_value(c->shape, c->field, "has no bytes", e);
    if (type != TL_BYTES && !codec_utf8(v->u.s))
        return refuse_value(c->shape, c->field, "is not UTF-8 text without NUL", e);
    *c->bound += str_bound(v->u.s);
    return TL_OK;
}

static int check_value(const struct checking *c, const tl_value *v, enum place place, struct err *e);

static int check_items(const struct checking *c, const tl_value *v, uint64_t max, enum place place, struct err *e)
{
    if (v->u.list.n > max || (v->u.list.n && !v->u.list.items))
        return refuse_value(c->shape, c->field, "is a list too long", e);
    int rc = TL_OK;
    for (uint64_t i = 0; i < v->u.list.n && !rc; i++)
        rc = check_value(c, &v->u.list.items[i], place, e);
    return rc;
}

static int check_rows(const struct checking *c, const tl_value *v, struct err *e)
{
    if (v->u.list.n > CODEC_ROWS_MAX || (v->u.list.n && !v->u.list.items))
        return refuse_value(c->shape, c->field, "has too many rows", e);
    int rc = TL_OK;
    for (uint64_t i = 0; i < v->u.list.n && !rc; i++) {
        const tl_value *row = &v->u.list.items[i];
        *c->bound += VARINT_MAX;
        rc = row->type == TL_LIST ? check_items(c, row, CODEC_COLUMNS_MAX, IN_ROW, e)
                                  : refuse_value(c->shape, c->field, "has a row that is no list of values", e);
    }
    return rc;
}

/* Checks one value and adds its bound. */
static int check_value(const struct checking *c, const tl_value *v, enum place place, struct err *e)
{
    *c->bound += 4 * VARINT_MAX;
    uint8_t type = type_known(v->type);
    if (!has_place(type, place))
        return refuse_value(c->shape, c->field, type == TL_ROWS ? "has rows in it" : "is a list in a list", e);
    if (type == TL_NULL || type_has_int(type))
        return TL_OK;
    if (type == TL_LIST)
        return check_items(c, v, CODEC_LIST_MAX, IN_LIST, e);
    return type == TL_ROWS ? check_rows(c, v, e) : check_text(c, v, type, e);
}

static int check_record(const tl_record *r, const tl_shape *shape, size_t *bound, struct err *e)
{
    const tl_str texts[] = {r->id, r->version, r->into, r->by, r->stamp, r->url, r->note, r->kind};
    static const char *const names[] = {"id", "version", "into", "by", "stamp", "url", "note", "kind"};
    *bound = 16 * VARINT_MAX;
    for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
        if (texts[i].n > UINT32_MAX || (texts[i].n && !texts[i].p) || !codec_utf8(texts[i]))
            return err_set(e, TL_E_INVALID, "the %s is not UTF-8 text without NUL", names[i]);
        *bound += str_bound(texts[i]);
    }
    if (r->n_values && !r->values)
        return err_set(e, TL_E_INVALID, "%u values at no address", r->n_values);
    for (uint32_t i = 0; i < r->n_values; i++) {
        if (shape && r->values[i].field >= shape->n_fields)
            return refuse_value(shape, r->values[i].field, "lies outside the shape", e);
        const struct checking c = {shape, r->values[i].field, bound};
        int rc = check_value(&c, &r->values[i], IN_RECORD, e);
        if (rc)
            return rc;
    }
    return TL_OK;
}

static uint8_t *w_value(uint8_t *w, const tl_value *v);

/* Each of them with its column. */
static uint8_t *w_row(uint8_t *w, const tl_value *row)
{
    w = w_u64(w, row->u.list.n);
    for (uint64_t i = 0; i < row->u.list.n; i++) {
        w = w_u64(w, row->u.list.items[i].field);
        w = w_value(w, &row->u.list.items[i]);
    }
    return w;
}

static uint8_t *w_value(uint8_t *w, const tl_value *v)
{
    uint8_t type = type_known(v->type);
    *w++ = (uint8_t)(type | (v->aux ? AUX_BIT : 0));
    if (v->aux)
        w = w_u64(w, v->aux);
    if (type == TL_NULL)
        return w;
    if (type_has_int(type))
        return w_i64(w, v->u.i);
    if (type != TL_LIST && type != TL_ROWS)
        return w_str(w, v->u.s);
    w = w_u64(w, v->u.list.n);
    for (uint64_t i = 0; i < v->u.list.n; i++)
        w = type == TL_ROWS ? w_row(w, &v->u.list.items[i]) : w_value(w, &v->u.list.items[i]);
    return w;
}

int enc_record(struct buf *b, const tl_record *r, const tl_shape *shape, struct err *e)
{
    size_t bound;
    int rc = check_record(r, shape, &bound, e);
    if (rc)
        return rc;
    uint8_t *start = buf_room(b, bound);
    if (!start)
        return err_set(e, TL_E_INVALID, "the answer grows beyond %zu bytes", b->max);
    uint8_t *w = start;
    w = w_str(w, r->id);
    w = w_str(w, r->version);
    w = w_str(w, r->into);
    w = w_str(w, r->by);
    w = w_str(w, r->stamp);
    w = w_str(w, r->url);
    w = w_str(w, r->note);
    w = w_str(w, r->kind);
    w = w_i64(w, r->modified_us);
    w = w_i64(w, r->created_us);
    w = w_i64(w, r->state);
    w = w_i64(w, r->version_kind);
    w = w_i64(w, r->origin);
    w = w_i64(w, r->op);
    w = w_u64(w, r->flags);
    w = w_u64(w, r->n_values);
    for (uint32_t i = 0; i < r->n_values; i++) {
        w = w_u64(w, r->values[i].field);
        w = w_value(w, &r->values[i]);
    }
    b->n -= bound - (size_t)(w - start);
    b->p[b->n] = 0;
    return TL_OK;
}

static void dec_value(struct decoder *d, tl_value *out, enum place place);

static void dec_list(struct decoder *d, tl_value *out)
{
    uint32_t n = dec_count_of(d, 1, CODEC_LIST_MAX);
    tl_value *items = arena_array(d->arena, tl_value, n);
    for (uint32_t i = 0; i < n; i++)
        dec_value(d, &items[i], IN_LIST);
    out->u.list.items = items;
    out->u.list.n = n;
}

static void dec_rows(struct decoder *d, tl_value *out)
{
    uint32_t n = dec_count_of(d, 1, CODEC_ROWS_MAX);
    tl_value *rows = arena_array(d->arena, tl_value, n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t n_values = dec_count_of(d, 2, CODEC_COLUMNS_MAX);
        tl_value *values = arena_array(d->arena, tl_value, n_values);
        for (uint32_t k = 0; k < n_values; k++) {
            values[k].field = dec_u32(d);
            dec_value(d, &values[k], IN_ROW);
        }
        rows[i].type = TL_LIST;
        rows[i].u.list.items = values;
        rows[i].u.list.n = n_values;
    }
    out->u.list.items = rows;
    out->u.list.n = n;
}

static void dec_value(struct decoder *d, tl_value *out, enum place place)
{
    uint8_t head = (uint8_t)(d->p < d->end ? *d->p++ : (dec_fault(d), 0));
    out->type = head & (AUX_BIT - 1);
    if (head & AUX_BIT)
        out->aux = (uint16_t)dec_u32(d);
    if (out->type > CODEC_TYPE_LAST || !has_place(out->type, place))
        dec_fault(d);
    else if (type_has_int(out->type))
        out->u.i = read_i64(d);
    else if (out->type == TL_LIST)
        dec_list(d, out);
    else if (out->type == TL_ROWS)
        dec_rows(d, out);
    else if (out->type != TL_NULL)
        out->u.s = out->type == TL_BYTES ? read_bytes(d) : read_str(d);
}

void dec_record(struct decoder *d, tl_record *out)
{
    memset(out, 0, sizeof *out);
    out->id = read_str(d);
    out->version = read_str(d);
    out->into = read_str(d);
    out->by = read_str(d);
    out->stamp = read_str(d);
    out->url = read_str(d);
    out->note = read_str(d);
    out->kind = read_str(d);
    out->modified_us = read_i64(d);
    out->created_us = read_i64(d);
    out->state = dec_i32(d);
    out->version_kind = dec_i32(d);
    out->origin = dec_i32(d);
    out->op = dec_i32(d);
    out->flags = dec_u32(d);
    uint32_t n = dec_count(d, 2);
    tl_value *values = arena_array(d->arena, tl_value, n);
    for (uint32_t i = 0; i < n; i++) {
        values[i].field = dec_u32(d);
        dec_value(d, &values[i], IN_RECORD);
    }
    out->values = values;
    out->n_values = d->bad ? 0 : n;
}
