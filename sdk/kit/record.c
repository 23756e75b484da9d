/* SPDX-License-Identifier: MIT-0 */
#include "kit/record.h"

#include <stdlib.h>

/* ---- the plan: vendor's names to fields */

/* One part of a dotted name: "city" inside of the group that "address" opens. name.p null: free. */
struct tlk_slot {
    tl_str name;
    uint32_t parent; /* the group it stands in; 0: the record itself */
    uint32_t field;  /* NONE: only a group */
    uint32_t group;  /* the one it opens; 0: none */
};
enum { NONE = UINT32_MAX };

static inline uint32_t hash_of(uint32_t parent, tl_str s)
{
    uint32_t h = parent * 0x9E3779B1u ^ 7;
    if (s.n > 0) {
        uint32_t first = (unsigned char)s.p[0], mid = (unsigned char)s.p[s.n / 2], last = (unsigned char)s.p[s.n - 1];
        h ^= (uint32_t)s.n * 0x9E3779B1u ^ first << 16 ^ mid << 8 ^ last;
    }
    h = (h ^ h >> 15) * 0x85EBCA6Bu;
    return h ^ h >> 13;
}

/* The slot of a name in a group, or the free one where it belongs. */
static struct tlk_slot *slot_at(const tlk_plan *p, uint32_t parent, tl_str name)
{
    uint32_t i = hash_of(parent, name) & p->mask;
    while (p->slots[i].name.p && !(p->slots[i].parent == parent && tlk_eq(p->slots[i].name, name)))
        i = (i + 1) & p->mask;
    return &p->slots[i];
}

static uint32_t parts_of(tl_str name)
{
    uint32_t n = 0;
    for (tl_str part; tlk_split(&name, '.', &part);)
        n++;
    return n;
}

static void plan_add(tlk_plan *p, uint32_t field, uint32_t *groups)
{
    tl_str rest = tlk_field(p->shape, field)->name, part;
    struct tlk_slot *slot = NULL;
    uint32_t parent = 0;
    while (tlk_split(&rest, '.', &part)) {
        slot = slot_at(p, parent, part);
        if (!slot->name.p)
            *slot = (struct tlk_slot){.name = part, .parent = parent, .field = NONE};
        if (rest.n > 0 && slot->group == 0)
            slot->group = ++*groups;
        parent = slot->group;
    }
    if (!slot)
        return;
    if (slot->field != NONE)
        p->same[field] = slot->field + 1;
    slot->field = field;
}

void tlk_plan_init(tlk_plan *p, const tl_shape *shape, const tlk_rules *rules, tlk_arena *a)
{
    uint32_t slots = 16, parts = 0, groups = 0;
    for (uint32_t i = 0; i < shape->n_fields; i++)
        parts += parts_of(tlk_field(shape, i)->name);
    while (slots < parts * 4)
        slots *= 2;
    *p = (tlk_plan){.shape = shape, .rules = rules, .mask = slots - 1};
    p->slots = tlk_new(a, struct tlk_slot, slots);
    p->same = tlk_new(a, uint32_t, shape->n_fields + 1);
    for (uint32_t i = shape->n_fields; i-- > 0;) /* backwards: of fields with one name the first is met first */
        plan_add(p, i, &groups);
}

/* ---- reading one value */

static const char *const type_words[] = {
    "nothing", "yes or no", "a whole number", "a time", "a date", "a decimal number",
    "text",    "text",      "text",           "text",   "text",   "a choice",
    "an id",   "a list",    "JSON",           "bytes",  "a file", "rows"};

/* The parts of "-12.50e3": how many digits before and behind the point, and the exponent. */
struct decimal {
    tl_str whole, fraction;
    int64_t exponent;
    bool negative, has_exponent;
};

static tl_str take_digits(tl_str *s)
{
    tl_str d = {s->p, 0};
    while (s->n > 0 && s->p[0] >= '0' && s->p[0] <= '9') {
        s->p++;
        s->n--;
        d.n++;
    }
    return d;
}

static bool take_char(tl_str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    s->p++;
    s->n--;
    return true;
}

static bool decimal_parts(tl_str s, struct decimal *d)
{
    *d = (struct decimal){.negative = take_char(&s, '-')};
    d->whole = take_digits(&s);
    if (d->whole.n == 0)
        return false;
    if (take_char(&s, '.')) {
        d->fraction = take_digits(&s);
        if (d->fraction.n == 0)
            return false;
    }
    if (take_char(&s, 'e') || take_char(&s, 'E')) {
        d->has_exponent = true;
        if (take_char(&s, '+') && s.n > 0 && s.p[0] == '-')
            return false;
        return tlk_to_i64(s, &d->exponent) && d->exponent >= -100 && d->exponent <= 100;
    }
    return s.n == 0;
}

/* The text itself; with an exponent, the same number written out. */
static bool as_decimal(tl_str s, tlk_arena *a, tl_str *out)
{
    struct decimal d;
    if (!decimal_parts(s, &d))
        return false;
    if (!d.has_exponent) {
        *out = s;
        return true;
    }
    TLK_AUTO_BUF digits = {0};
    TLK_AUTO_BUF b = {0};
    tlk_add(&digits, d.whole);
    tlk_add(&digits, d.fraction);
    int64_t point = (int64_t)d.whole.n + d.exponent; /* where it stands among the digits */
    size_t from = 0;
    while (from + 1 < digits.n && digits.p[from] == '0' && (int64_t)from + 1 < point)
        from++;
    if (d.negative)
        tlk_addc(&b, '-');
    if (point <= 0)
        tlk_addz(&b, "0.");
    for (int64_t k = point; k < 0; k++)
        tlk_addc(&b, '0');
    for (size_t k = from; k < digits.n; k++) {
        if (k > from && (int64_t)k == point)
            tlk_addc(&b, '.');
        tlk_addc(&b, digits.p[k]);
    }
    for (int64_t k = (int64_t)digits.n; k < point; k++)
        tlk_addc(&b, '0');
    *out = tlk_dup(a, tlk_lent(&b));
    return true;
}

static bool as_time(const tlk_node *v, tl_str s, int64_t *out)
{
    if (v->type == TLK_JSTRING && tlk_time_parse(s, out))
        return true;
    int64_t ms;
    return tlk_i64(v, &ms) && !__builtin_mul_overflow(ms, TLK_US_PER_MS, out);
}

static bool scalar(uint32_t type, const tlk_node *v, tlk_arena *a, tl_value *out)
{
    bool yes = false;
    if (type == TL_REF && v->type == TLK_JOBJECT)
        v = tlk_get(v, "id");
    if (!v || (v->flags & TLK_UNUSABLE) || v->type == TLK_JOBJECT || v->type == TLK_JARRAY || v->type == TLK_JNULL)
        return false;
    tl_str s = tlk_text(v, a);
    switch (type) {
    case TL_BOOL:
        if (!tlk_bool(v, &yes))
            return false;
        out->u.i = yes;
        return true;
    case TL_INT:
        return tlk_i64(v, &out->u.i);
    case TL_TIME:
        return as_time(v, s, &out->u.i);
    case TL_DATE:
        return v->type == TLK_JSTRING && tlk_date_parse(s, &out->u.i);
    case TL_DECIMAL:
        return (v->type == TLK_JSTRING || v->type == TLK_JNUMBER) && as_decimal(tlk_trim(s), a, &out->u.s);
    case TL_LIST: /* of lists: none */
        return false;
    default:
        out->u.s = s;
        return true;
    }
}

static bool as_list(const tlk_rules *r, const tl_field *f, const tlk_node *v, tlk_arena *a, tl_value *out)
{
    if (v->type == TLK_JSTRING && r && r->list_separator) {
        tl_str rest = tlk_text(v, a), part;
        tl_value *items = tlk_new(a, tl_value, rest.n + 1);
        uint64_t n = 0;
        while (tlk_split(&rest, r->list_separator, &part)) {
            if (tlk_trim(part).n > 0)
                items[n++] = (tl_value){.type = (uint8_t)f->item_type, .u.s = tlk_trim(part)};
        }
        out->u.list.items = items;
        out->u.list.n = n;
        return true;
    }
    if (v->type != TLK_JARRAY)
        return false;
    tl_value *items = tlk_new(a, tl_value, v->count);
    uint64_t n = 0;
    tlk_iter i = tlk_each(v);
    for (const tlk_node *item; tlk_next_item(&i, &item);) {
        if (item->type == TLK_JNULL)
            continue;
        if (!scalar(f->item_type, item, a, &items[n]))
            return false;
        items[n++].type = (uint8_t)f->item_type;
    }
    out->u.list.items = items;
    out->u.list.n = n;
    return true;
}

/* One column of a row, by its name; *n grows where the row has it. */
static bool row_value(const tlk_rules *r, const tl_field *f, uint32_t column, const tlk_node *row, tlk_arena *a,
                      tl_value *values, uint64_t *n)
{
    const tl_field *c = TL_AT(tl_field, f->columns, f->column_stride, column);
    const tlk_node *v = tlk_get(row, c->name.p);
    tl_value *out = &values[*n];
    int said = v && r && r->from ? r->from(r->ctx, c, v, a, out) : TLK_DEFAULT;
    if (!v || said == TLK_OMIT)
        return true;
    if (said == TLK_BAD || (said == TLK_DEFAULT && !tlk_value_read(r, c, v, a, out, NULL)))
        return false;
    out->field = column;
    (*n)++;
    return true;
}

static bool as_rows(const tlk_rules *r, const tl_field *f, const tlk_node *v, tlk_arena *a, tl_value *out)
{
    if (v->type != TLK_JARRAY)
        return false;
    tl_value *rows = tlk_new(a, tl_value, v->count + 1);
    uint64_t n = 0;
    tlk_iter i = tlk_each(v);
    for (const tlk_node *row; tlk_next_item(&i, &row);) {
        tl_value *values = tlk_new(a, tl_value, f->n_columns + 1);
        uint64_t n_values = 0;
        if (row->type != TLK_JOBJECT)
            return false;
        for (uint32_t c = 0; c < f->n_columns; c++)
            if (!row_value(r, f, c, row, a, values, &n_values))
                return false;
        rows[n].type = TL_LIST;
        rows[n].u.list.items = values;
        rows[n++].u.list.n = n_values;
    }
    out->u.list.items = rows;
    out->u.list.n = n;
    return true;
}

static bool by_type(const tlk_rules *r, const tl_field *f, const tlk_node *v, tlk_arena *a, tl_value *out)
{
    switch (f->type) {
    case TL_LIST:
        return as_list(r, f, v, a, out);
    case TL_ROWS:
        return as_rows(r, f, v, a, out);
    case TL_BLOB: /* a file is no JSON */
        return false;
    default:
        return scalar(f->type, v, a, out);
    }
}

bool tlk_value_read(const tlk_rules *r, const tl_field *f, const tlk_node *v, tlk_arena *a, tl_value *out, tl_str *note)
{
    out->type = (uint8_t)f->type;
    bool ok;
    if (v->type == TLK_JNULL || (v->type == TLK_JSTRING && v->n == 0)) {
        out->type = TL_NULL;
        return true;
    }
    if (f->type == TL_JSON) {
        ok = !(v->flags & TLK_UNUSABLE);
        out->u.s = v->type == TLK_JSTRING ? (tl_str){v->p - 1, (uint64_t)v->n + 2} : tlk_raw(v);
    } else {
        ok = by_type(r, f, v, a, out);
    }
    if (!ok && note)
        *note = tlk_fmt(a, "field \"%.*s\" (%.*s) holds %s where %s is expected", TLK_FMT(f->path), TLK_FMT(f->name),
                        tlk_type_name(v), f->type < TLK_LEN(type_words) ? type_words[f->type] : "JSON");
    return ok;
}

/* ---- reading a record */

struct reading {
    const tlk_plan *plan;
    tlk_arena *a;
    tl_value *values;
    uint64_t *seen; /* one bit a field: of two members with one name the first counts */
    uint32_t n;
    tl_str note;
};

static bool read_field(struct reading *r, uint32_t index, const tlk_node *v)
{
    if (r->seen[index / 64] >> (index % 64) & 1)
        return true;
    r->seen[index / 64] |= UINT64_C(1) << (index % 64);
    const tl_field *f = tlk_field(r->plan->shape, index);
    const tlk_rules *rules = r->plan->rules;
    tl_value *out = &r->values[r->n];
    int said = rules && rules->from ? rules->from(rules->ctx, f, v, r->a, out) : TLK_DEFAULT;
    if (said == TLK_OMIT)
        return true;
    if (said == TLK_BAD) {
        r->note = tlk_fmt(r->a, "field \"%.*s\" (%.*s) holds %s that cannot be used", TLK_FMT(f->path),
                          TLK_FMT(f->name), tlk_type_name(v));
        return false;
    }
    if (said == TLK_DEFAULT && !tlk_value_read(rules, f, v, r->a, out, &r->note))
        return false;
    out->field = index;
    r->n++;
    return true;
}

static bool read_slot(struct reading *r, const struct tlk_slot *slot, const tlk_node *v)
{
    for (uint32_t field = slot->field + 1; field; field = r->plan->same[field - 1]) {
        if (!read_field(r, field - 1, v))
            return false;
    }
    return true;
}

/* The object that holds a group is null: so is all that would lie in it. */
static bool read_absent(struct reading *r, uint32_t group, const tlk_node *null)
{
    for (uint32_t i = 0; i <= r->plan->mask; i++) {
        const struct tlk_slot *slot = &r->plan->slots[i];
        if (!slot->name.p || slot->parent != group)
            continue;
        if (slot->group && !read_absent(r, slot->group, null))
            return false;
        if (slot->field != NONE && !read_slot(r, slot, null))
            return false;
    }
    return true;
}

static bool read_members(struct reading *r, const tlk_node *object, uint32_t group)
{
    tlk_iter i = tlk_each(object);
    for (const tlk_node *key, *v; tlk_next_member(&i, &key, &v);) {
        const struct tlk_slot *slot = slot_at(r->plan, group, tlk_text(key, r->a));
        if (!slot->name.p)
            continue;
        if (slot->group && v->type == TLK_JOBJECT && !read_members(r, v, slot->group))
            return false;
        bool emptied = v->type == TLK_JNULL && r->plan->rules && r->plan->rules->null_object_is_empty;
        if (slot->group && emptied && !read_absent(r, slot->group, v))
            return false;
        if (slot->field != NONE && !read_slot(r, slot, v))
            return false;
    }
    return true;
}

void tlk_record_bad(tl_record *rec, tl_str note)
{
    rec->flags = (rec->flags & ~(uint32_t)TL_REC_FULL) | TL_REC_BAD;
    rec->note = note;
    rec->values = NULL;
    rec->n_values = 0;
}

bool tlk_record_read(const tlk_plan *p, const tlk_node *object, tlk_arena *a, tl_record *rec)
{
    uint64_t seen[16] = {0};
    uint32_t n = p->shape->n_fields;
    struct reading r = {.plan = p, .a = a, .values = tlk_new(a, tl_value, n ? n : 1)};
    r.seen = n <= 16 * 64 ? seen : tlk_new(a, uint64_t, n / 64 + 1);
    if (tlk_type(object) != TLK_JOBJECT) {
        tlk_record_bad(rec, tlk_fmt(a, "the record is %s, not an object", tlk_type_name(object)));
        return false;
    }
    if (!read_members(&r, object, 0)) {
        tlk_record_bad(rec, r.note);
        return false;
    }
    rec->values = r.values;
    rec->n_values = r.n;
    return true;
}

static tl_str member_text(const tlk_node *object, const char *name, tlk_arena *a)
{
    return name ? tlk_text_at(object, name, a) : TLK_NONE;
}

bool tlk_object_read(const tlk_plan *p, const tlk_envelope *names, const tlk_node *object, tlk_arena *a, tl_record *rec)
{
    bool deleted = false;
    *rec = (tl_record){.flags = TL_REC_FULL,
                       .id = member_text(object, names->id, a),
                       .version = member_text(object, names->modified, a),
                       .stamp = member_text(object, names->stamp, a),
                       .url = member_text(object, names->url, a)};
    rec->version_kind = rec->version.n > 0 ? TL_VER_TIME : TL_VER_NONE;
    tlk_time_parse(rec->version, &rec->modified_us);
    tlk_time_parse(member_text(object, names->created, a), &rec->created_us);
    if (names->deleted)
        tlk_bool(tlk_at(object, names->deleted), &deleted);
    rec->state = deleted ? TL_STATE_DELETED : TL_STATE_LIVE;
    return tlk_record_read(p, object, a, rec);
}

/* ---- writing */

static bool is_json_number(tl_str s)
{
    tlk_json j = {0};
    const tlk_node *v = tlk_json_read(&j, s);
    bool is = v && v->type == TLK_JNUMBER && v->n == s.n;
    tlk_json_done(&j);
    return is;
}

static bool is_json(tl_str s)
{
    tlk_json j = {0};
    bool is = tlk_json_read(&j, s) && j.unusable == 0;
    tlk_json_done(&j);
    return is;
}

static void write_list(tlk_writer *w, const tl_field *f, const tl_value *v, const tlk_rules *r)
{
    if (r && r->list_separator) {
        TLK_AUTO_BUF joined = {0};
        for (uint64_t i = 0; i < v->u.list.n; i++) {
            if (i > 0)
                tlk_addc(&joined, r->list_separator);
            tlk_add(&joined, v->u.list.items[i].u.s);
        }
        tlk_w_text(w, tlk_lent(&joined));
        return;
    }
    tlk_w_array(w);
    for (uint64_t i = 0; i < v->u.list.n; i++)
        tlk_value_write(w, f, &v->u.list.items[i], r);
    tlk_w_end_array(w);
}

static void write_rows(tlk_writer *w, const tl_field *f, const tl_value *v, const tlk_rules *r)
{
    tlk_w_array(w);
    for (uint64_t i = 0; i < v->u.list.n; i++) {
        const tl_value *row = &v->u.list.items[i];
        tlk_w_object(w);
        for (uint64_t k = 0; k < row->u.list.n; k++) {
            const tl_value *x = &row->u.list.items[k];
            if (x->field >= f->n_columns)
                continue;
            const tl_field *column = TL_AT(tl_field, f->columns, f->column_stride, x->field);
            if (column->flags & TL_F_READONLY)
                continue;
            tlk_w_key(w, column->name);
            tlk_value_write(w, column, x, r);
        }
        tlk_w_end_object(w);
    }
    tlk_w_end_array(w);
}

void tlk_value_write(tlk_writer *w, const tl_field *f, const tl_value *v, const tlk_rules *r)
{
    char text[32];
    if (r && r->to && r->to(r->ctx, f, v, w))
        return;
    switch (v->type) {
    case TL_NULL:
        if (r && r->null_as_empty)
            tlk_w_text(w, TL_STR(""));
        else
            tlk_w_null(w);
        break;
    case TL_BOOL:
        tlk_w_bool(w, v->u.i != 0);
        break;
    case TL_INT:
        tlk_w_int(w, v->u.i);
        break;
    case TL_TIME:
        tlk_w_text(w, tlk_str(tlk_time_text(text, v->u.i)));
        break;
    case TL_DATE:
        tlk_w_text(w, tlk_str(tlk_date_text(text, v->u.i)));
        break;
    case TL_DECIMAL:
        if (!(r && r->decimals_as_text) && is_json_number(v->u.s))
            tlk_w_raw(w, v->u.s);
        else
            tlk_w_text(w, v->u.s);
        break;
    case TL_LIST:
        write_list(w, f, v, r);
        break;
    case TL_ROWS:
        write_rows(w, f, v, r);
        break;
    case TL_JSON:
        if (is_json(v->u.s))
            tlk_w_raw(w, v->u.s);
        else
            tlk_w_text(w, v->u.s);
        break;
    default:
        tlk_w_text(w, v->u.s);
        break;
    }
}

static bool is_written(const tl_shape *s, const tl_record *rec, uint32_t i)
{
    const tl_value *v = &rec->values[i];
    if (v->field >= s->n_fields || v->type == TL_BYTES || v->type == TL_BLOB)
        return false;
    const tl_field *f = tlk_field(s, v->field);
    if (f->name.n == 0 || (f->flags & TL_F_READONLY))
        return false;
    return !(f->flags & TL_F_CREATE_ONLY) || rec->op == TL_OP_CREATE;
}

/* The next part of a written value's name behind a prefix such as "address."; *last: nothing follows it. False: the
 * value is not written, or its name does not begin so. */
static bool part_behind(const tl_shape *s, const tl_record *rec, uint32_t i, tl_str prefix, tl_str *part, bool *last)
{
    if (!is_written(s, rec, i))
        return false;
    tl_str rest = tlk_field(s, rec->values[i].field)->name;
    if (rest.n <= prefix.n || (prefix.n > 0 && memcmp(rest.p, prefix.p, prefix.n) != 0))
        return false;
    rest.p += prefix.n;
    rest.n -= prefix.n;
    if (!tlk_split(&rest, '.', part))
        return false;
    *last = rest.n == 0;
    return true;
}

static bool group_begun(const tl_shape *s, const tl_record *rec, uint32_t before, tl_str prefix, tl_str part)
{
    for (uint32_t i = 0; i < before; i++) {
        tl_str other;
        bool last;
        if (part_behind(s, rec, i, prefix, &other, &last) && !last && tlk_eq(other, part))
            return true;
    }
    return false;
}

/* Writes what lies behind the prefix into the object that is open; each group where its first value stands. */
static uint32_t write_members(tlk_writer *w, const tl_shape *s, const tl_record *rec, tl_str prefix, const tlk_rules *r)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < rec->n_values; i++) {
        tl_str part;
        bool last;
        if (!part_behind(s, rec, i, prefix, &part, &last) || (!last && group_begun(s, rec, i, prefix, part)))
            continue;
        const tl_field *f = tlk_field(s, rec->values[i].field);
        tlk_w_key(w, part);
        if (last) {
            tlk_value_write(w, f, &rec->values[i], r);
            n++;
            continue;
        }
        tlk_w_object(w);
        n += write_members(w, s, rec, (tl_str){f->name.p, prefix.n + part.n + 1}, r);
        tlk_w_end_object(w);
    }
    return n;
}

uint32_t tlk_record_write(tlk_writer *w, const tl_shape *shape, const tl_record *rec, const tlk_rules *r)
{
    return write_members(w, shape, rec, TLK_NONE, r);
}

/* ---- looking up, handing over */

const tl_field *tlk_field_by_path(const tl_shape *s, const char *path)
{
    for (uint32_t i = 0; i < s->n_fields; i++) {
        if (tlk_is(tlk_field(s, i)->path, path))
            return tlk_field(s, i);
    }
    return NULL;
}

const tl_field *tlk_field_by_name(const tl_shape *s, tl_str name)
{
    for (uint32_t i = 0; i < s->n_fields; i++) {
        if (tlk_eq(tlk_field(s, i)->name, name))
            return tlk_field(s, i);
    }
    return NULL;
}

const tl_value *tlk_value_of(const tl_shape *s, const tl_record *rec, const char *path)
{
    for (uint32_t i = 0; i < rec->n_values; i++) {
        if (rec->values[i].field < s->n_fields && tlk_is(tlk_field(s, rec->values[i].field)->path, path))
            return &rec->values[i];
    }
    return NULL;
}

tl_status tlk_emit(const tl_host *h, const tl_record *records, uint32_t n)
{
    enum { AT_ONCE = 1000 };
    for (uint32_t i = 0; i < n; i += AT_ONCE) {
        tl_batch b = {.struct_size = sizeof(b),
                      .count = n - i < AT_ONCE ? n - i : AT_ONCE,
                      .stride = sizeof(tl_record),
                      .records = records + i};
        tl_status rc = h->emit(h, &b);
        if (rc != TL_OK)
            return rc;
    }
    return TL_OK;
}

tl_field *tlk_field_add(tlk_fields *l, const char *path, tl_str name, tl_str label, uint32_t type, uint32_t flags)
{
    if (l->n == l->cap) {
        uint32_t cap = l->cap ? l->cap * 2 : 32;
        tl_field *list = tlk_new(l->arena, tl_field, cap);
        if (l->n > 0)
            memcpy(list, l->list, l->n * sizeof(*list));
        l->list = list;
        l->cap = cap;
    }
    tl_field *f = &l->list[l->n++];
    *f = (tl_field){.struct_size = sizeof(*f),
                    .type = type,
                    .flags = flags,
                    .path = tlk_dup(l->arena, tlk_str(path)),
                    .name = tlk_dup(l->arena, name),
                    .label = tlk_dup(l->arena, label)};
    return f;
}
