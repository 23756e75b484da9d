#include "salesforce_store_int.h"

#include <stdio.h>
#include <stdlib.h>

#include "times.h"

static const char BASE62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
static const char POD[] = "5j0000"; /* characters 4 to 9 of every id of this org */
enum { POD_AT = 3, NUMBER_AT = 9, NUMBER_DIGITS = 6 };
static const uint64_t NUMBER_BASE = UINT64_C(10) * 62 * 62 * 62 * 62 * 62; /* first digit is a letter, as in life */

void *sf_grow(void *p, size_t size)
{
    void *grown = realloc(p, size);
    ASSERT(grown);
    return grown;
}

/* ---- ids */

static void id_check(const char *id15, char out[3])
{
    for (int group = 0; group < 3; group++) {
        unsigned bits = 0;
        for (unsigned i = 0; i < 5; i++) {
            char c = id15[group * 5 + (int)i];
            bits |= (c >= 'A' && c <= 'Z' ? 1u : 0u) << i;
        }
        out[group] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[bits];
    }
}

void sf_id_make(const char *prefix, uint32_t number, char out[SF_ID_MAX + 1])
{
    memcpy(out, prefix, 3);
    memcpy(out + POD_AT, POD, sizeof POD - 1);
    uint64_t rest = NUMBER_BASE + number;
    for (int i = NUMBER_AT + NUMBER_DIGITS - 1; i >= NUMBER_AT; i--) {
        out[i] = BASE62[rest % 62];
        rest /= 62;
    }
    id_check(out, out + 15);
    out[SF_ID_MAX] = '\0';
}

bool sf_id_valid(str id)
{
    if (id.n != 15 && id.n != SF_ID_MAX)
        return false;
    for (size_t i = 0; i < 15; i++)
        if (!strchr(BASE62, id.p[i]) || id.p[i] == '\0')
            return false;
    if (id.n == 15)
        return true;
    char check[3];
    id_check(id.p, check);
    return memcmp(check, id.p + 15, 3) == 0;
}

bool sf_id_parse(str id, uint32_t *number)
{
    if (!sf_id_valid(id) || memcmp(id.p + POD_AT, POD, sizeof POD - 1) != 0)
        return false;
    uint64_t value = 0;
    for (int i = NUMBER_AT; i < NUMBER_AT + NUMBER_DIGITS; i++)
        value = value * 62 + (uint64_t)(strchr(BASE62, id.p[i]) - BASE62);
    if (value < NUMBER_BASE || value - NUMBER_BASE > UINT32_MAX)
        return false;
    *number = (uint32_t)(value - NUMBER_BASE);
    return true;
}

struct sf_record *sf_find_in(struct sf_store *s, const struct sf_object *o, str id)
{
    struct sf_table *t = sf_store_table(s, o);
    uint32_t number = 0;
    if (id.n < 3 || memcmp(id.p, o->prefix, 3) != 0 || !sf_id_parse(id, &number) || number >= t->n)
        return NULL;
    return t->records[number];
}

struct sf_record *sf_find(struct sf_store *s, str id)
{
    struct sf_object *o = sf_schema_prefix(s->schema, id);
    return o ? sf_find_in(s, o, id) : NULL;
}

/* ---- reading */

const struct sf_val *sf_row_val(const struct sf_row *row, const struct sf_field *f)
{
    size_t lo = 0, hi = row->n;
    while (lo < hi) {
        size_t middle = (lo + hi) / 2;
        if (row->v[middle].field < f->number)
            lo = middle + 1;
        else
            hi = middle;
    }
    return lo < row->n && row->v[lo].field == f->number ? &row->v[lo] : NULL;
}

str sf_row_text(const struct sf_row *row, const struct sf_object *o, const char *field)
{
    const struct sf_field *f = sf_object_field(o, str_of(field));
    const struct sf_val *v = f ? sf_row_val(row, f) : NULL;
    return v && v->kind == CELL_TEXT ? str_n(v->text, v->n) : (str){0};
}

static str person_name(const struct sf_row *row, struct sf_scratch *scratch)
{
    const struct sf_object *o = row->record->object;
    str first = sf_row_text(row, o, "FirstName"), last = sf_row_text(row, o, "LastName");
    int n =
        snprintf(scratch->text, sizeof scratch->text, "%.*s%s%.*s", STR_FMT(first), first.n ? " " : "", STR_FMT(last));
    return str_n(scratch->text, (size_t)n < sizeof scratch->text ? (size_t)n : sizeof scratch->text - 1);
}

static void set_text(struct sf_cell *out, str s)
{
    out->kind = s.n ? CELL_TEXT : CELL_NULL;
    out->text = s;
}

static void set_user(const struct sf_store *s, uint32_t user, struct sf_scratch *scratch, struct sf_cell *out)
{
    (void)s;
    sf_id_make("005", user, scratch->text);
    set_text(out, str_n(scratch->text, SF_ID_MAX));
}

static void set_time(struct sf_cell *out, int64_t us)
{
    out->kind = CELL_TIME;
    out->i = us;
}

static void cell_of_value(const struct sf_row *row, const struct sf_field *f, struct sf_cell *out)
{
    const struct sf_val *v = sf_row_val(row, f);
    if (!v) {
        out->kind = f->type == SF_BOOLEAN ? CELL_BOOL : CELL_NULL;
        out->i = 0;
        return;
    }
    out->kind = (enum sf_cell_kind)v->kind;
    if (v->kind == CELL_TEXT)
        out->text = str_n(v->text, v->n);
    else if (v->kind == CELL_NUMBER)
        out->d = v->d;
    else
        out->i = v->i;
}

void sf_cell(const struct sf_store *s, const struct sf_row *row, const struct sf_field *f, struct sf_scratch *scratch,
             struct sf_cell *out)
{
    switch (f->source) {
    case SRC_VALUE:
        cell_of_value(row, f, out);
        return;
    case SRC_ID:
        set_text(out, str_n(row->record->id, SF_ID_MAX));
        return;
    case SRC_DELETED:
        out->kind = CELL_BOOL;
        out->i = row->deleted;
        return;
    case SRC_CREATED:
        set_time(out, row->created_us);
        return;
    case SRC_MODIFIED:
        set_time(out, row->modified_us);
        return;
    case SRC_STAMP:
        set_time(out, row->stamp_us);
        return;
    case SRC_CREATED_BY:
        set_user(s, row->created_by, scratch, out);
        return;
    case SRC_MODIFIED_BY:
        set_user(s, row->modified_by, scratch, out);
        return;
    case SRC_PERSON_NAME:
        set_text(out, person_name(row, scratch));
        return;
    case SRC_ADDRESS:
        out->kind = CELL_NULL;
        return;
    }
}

struct sf_row *sf_row_keep(struct sf_row *row)
{
    row->refs++;
    return row;
}

struct sf_row *sf_row_drop(struct sf_row *row)
{
    if (row && --row->refs == 0)
        free(row);
    return NULL;
}

/* ---- rows */

static void sort_by_field(struct sf_val *v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct sf_val x = v[i];
        size_t k = i;
        for (; k > 0 && v[k - 1].field > x.field; k--)
            v[k] = v[k - 1];
        v[k] = x;
    }
}

static bool is_absent(const struct sf_val *v)
{
    return v->kind == CELL_NULL || (v->kind == CELL_BOOL && v->i == 0) || (v->kind == CELL_TEXT && v->n == 0);
}

static size_t merge(const struct sf_row *base, const struct sf_val *changes, size_t n, struct sf_val *out)
{
    size_t count = 0, b = 0, c = 0, base_n = base ? base->n : 0;
    while (b < base_n || c < n) {
        const struct sf_val *pick;
        if (c >= n || (b < base_n && base->v[b].field < changes[c].field)) {
            pick = &base->v[b++];
        } else {
            if (b < base_n && base->v[b].field == changes[c].field)
                b++;
            pick = &changes[c++];
        }
        if (!is_absent(pick))
            out[count++] = *pick;
    }
    return count;
}

static int64_t to_second(int64_t us)
{
    int64_t part = us % US_PER_S;
    return us - (part < 0 ? part + US_PER_S : part);
}

struct sf_row *sf_row_make(struct sf_record *r, const struct sf_row *base, struct sf_val *changes, size_t n,
                           const struct sf_meta *meta)
{
    struct sf_val merged[SF_FIELDS_MAX];
    ASSERT(n <= SF_FIELDS_MAX);
    sort_by_field(changes, n);
    size_t count = merge(base, changes, n, merged), text_bytes = 0;
    for (size_t i = 0; i < count; i++)
        text_bytes += merged[i].kind == CELL_TEXT ? merged[i].n + 1 : 0;

    struct sf_row *row = sf_grow(NULL, sizeof *row + count * sizeof row->v[0] + text_bytes);
    int64_t second = to_second(meta->now_us);
    *row = (struct sf_row){.refs = 1,
                           .n = (uint16_t)count,
                           .deleted = meta->deleted,
                           .created_by = base ? base->created_by : meta->user,
                           .modified_by = meta->user,
                           .created_us = base ? base->created_us : second,
                           .modified_us = second,
                           .stamp_us = second,
                           .record = r};
    char *text = (char *)&row->v[count];
    for (size_t i = 0; i < count; i++) {
        row->v[i] = merged[i];
        if (merged[i].kind != CELL_TEXT)
            continue;
        memcpy(text, merged[i].text, merged[i].n);
        text[merged[i].n] = '\0';
        row->v[i].text = text;
        text += merged[i].n + 1;
    }
    return row;
}

struct sf_record *sf_record_new(struct sf_store *s, const struct sf_object *o)
{
    struct sf_table *t = sf_store_table(s, o);
    if (t->n == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 256;
        t->records = sf_grow(t->records, t->cap * sizeof t->records[0]);
    }
    struct sf_record *r = sf_grow(NULL, sizeof *r);
    *r = (struct sf_record){.object = o, .number = t->n};
    sf_id_make(o->prefix, r->number, r->id);
    t->records[t->n++] = r;
    return r;
}

/* ---- committing */

static void log_append(struct sf_table *t, const struct sf_row *row)
{
    if (t->log_n == t->log_cap) {
        t->log_cap = t->log_cap ? t->log_cap * 2 : 1024;
        t->log = sf_grow(t->log, t->log_cap * sizeof t->log[0]);
    }
    t->log[t->log_n++] = (struct sf_stamp){row->stamp_us, row->record->number};
}

static void gone_append(struct sf_table *t, const struct sf_row *row)
{
    if (t->gone_n == t->gone_cap) {
        t->gone_cap = t->gone_cap ? t->gone_cap * 2 : 64;
        t->gone = sf_grow(t->gone, t->gone_cap * sizeof t->gone[0]);
    }
    t->gone[t->gone_n++] = (struct sf_gone){row->record->number, row->stamp_us};
}

static void gone_remove(struct sf_table *t, uint32_t number)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->gone_n; i++)
        if (t->gone[i].number != number)
            t->gone[kept++] = t->gone[i];
    t->gone_n = kept;
}

void sf_put(struct sf_store *s, struct sf_record *r, struct sf_row *row)
{
    struct sf_table *t = sf_store_table(s, r->object);
    const struct sf_row *before = r->now;
    sf_index_row(s, t, before, row, false);
    if (!before || before->stamp_us != row->stamp_us)
        log_append(t, row);
    bool was_live = before && !before->deleted;
    t->live += (row->deleted ? 0u : 1u) - (was_live ? 1u : 0u);
    if (row->deleted && was_live) {
        r->deleted_us = row->stamp_us;
        gone_append(t, row);
        t->deleted++;
    } else if (!row->deleted && before && before->deleted) {
        gone_remove(t, r->number);
    } else if (!before) {
        t->created++;
    } else {
        t->updated++;
    }
    sf_row_drop(r->now);
    r->now = row;
}

void sf_put_late(struct sf_store *s, struct sf_record *r, struct sf_row *row, int64_t at_us)
{
    if (r->late) { /* the second write of the same transaction replaces the first */
        sf_row_drop(r->late);
        r->late = row;
        sf_index_row(s, sf_store_table(s, r->object), NULL, row, true);
        return;
    }
    if (s->late_n == s->late_cap) {
        s->late_cap = s->late_cap ? s->late_cap * 2 : 64;
        s->late = sf_grow(s->late, s->late_cap * sizeof s->late[0]);
        s->late_from = sf_grow(s->late_from, s->late_cap * sizeof s->late_from[0]);
    }
    sf_index_row(s, sf_store_table(s, r->object), NULL, row, true);
    r->late = row;
    r->late_at_us = at_us;
    s->late[s->late_n] = r;
    s->late_from[s->late_n++] = row->stamp_us;
}

void sf_settle(struct sf_store *s, int64_t now_us)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->late_n; i++) {
        struct sf_record *r = s->late[i];
        if (r->late && r->late_at_us > now_us) {
            s->late[kept] = r;
            s->late_from[kept++] = s->late_from[i];
        } else if (r->late) {
            sf_put(s, r, take(r->late));
        }
    }
    s->late_n = kept;
}

int64_t sf_oldest_open_us(const struct sf_store *s)
{
    int64_t oldest = INT64_MAX;
    for (size_t i = 0; i < s->late_n; i++)
        if (s->late_from[i] < oldest)
            oldest = s->late_from[i];
    return oldest;
}

void sf_purge(struct sf_store *s, struct sf_record *r)
{
    struct sf_table *t = sf_store_table(s, r->object);
    if (r->now && !r->now->deleted) {
        r->deleted_us = r->now->stamp_us;
        gone_append(t, r->now);
        t->live--;
    }
    if (r->now)
        sf_index_row(s, t, r->now, NULL, false);
    r->now = sf_row_drop(r->now);
    r->late = sf_row_drop(r->late);
    r->purged = true;
}

void sf_unput(struct sf_store *s, struct sf_record *r, struct sf_row *before)
{
    struct sf_table *t = sf_store_table(s, r->object);
    bool was_live = r->now && !r->now->deleted, is_live = before && !before->deleted;
    sf_index_row(s, t, r->now, before, false);
    t->live += (is_live ? 1u : 0u) - (was_live ? 1u : 0u);
    if (!before)
        t->created--;
    else if (is_live && !was_live)
        gone_remove(t, r->number);
    if (before)
        log_append(t, before);
    sf_row_drop(r->now);
    r->now = before;
    r->purged = !before;
}

/* ---- life */

void sf_store_init(struct sf_store *s, struct sf_schema *schema)
{
    *s = (struct sf_store){.schema = schema};
    for (size_t i = 0; i < schema->n; i++) {
        struct sf_object *o = &schema->objects[i];
        s->table[i].object = o;
        for (size_t f = 0; f < o->n; f++)
            if (o->fields[f].flags & F_INDEX)
                sf_index_create(s, &s->table[i], &o->fields[f]);
    }
}

static void table_done(struct sf_table *t)
{
    for (uint32_t i = 0; i < t->n; i++) {
        sf_row_drop(t->records[i]->now);
        sf_row_drop(t->records[i]->late);
        free(t->records[i]);
    }
    free(t->records);
    free(t->log);
    free(t->gone);
    for (size_t i = 0; i < t->index_n; i++)
        free(t->index[i].slots);
}

void sf_store_done(struct sf_store *s)
{
    for (size_t i = 0; i < s->schema->n; i++)
        table_done(&s->table[i]);
    free(s->late);
    free(s->late_from);
}
