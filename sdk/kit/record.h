/* SPDX-License-Identifier: MIT-0 */
#ifndef TLK_RECORD_H
#define TLK_RECORD_H
/* Between a vendor's JSON objects and tl_record values. The vendor's name in a tl_field says where the value lies:
 * "Email" is a member of the record's object, "cf.cf_level" a member of its member "cf", "a.b.c" goes on so. */
#include "kit/json.h"
#include "kit/time.h"

/* What a connector's own converter says about a value. */
enum {
    TLK_DEFAULT = 0, /* not mine: the kit's rule for the field's type */
    TLK_DONE = 1,    /* *out holds the value (type set; field is set by the kit) */
    TLK_OMIT = 2,    /* leave the field out: unknown */
    TLK_BAD = 3      /* the record cannot be used */
};
typedef int (*tlk_from_fn)(void *ctx, const tl_field *f, const tlk_node *v, tlk_arena *a, tl_value *out);

/* Rules of one vendor; constant data. */
typedef struct tlk_rules {
    tlk_from_fn from; /* null: none */
    /* Writes one value other than the kit would: true = written. null: none. */
    bool (*to)(void *ctx, const tl_field *f, const tl_value *v, tlk_writer *w);
    void *ctx;                 /* theirs */
    char list_separator;       /* 0: lists are JSON arrays; else text with this separator ("A;B") */
    bool decimals_as_text;     /* writing: "12.10" instead of 12.10 */
    bool null_as_empty;        /* writing: "" instead of null */
    bool null_object_is_empty; /* reading: "address": null empties "address.city"; else that says nothing of it */
} tlk_rules;

/* Look-up of fields by vendor's name, made once per call. Memory in the arena given; shape and rules outlive it.
 */
typedef struct tlk_plan {
    const tl_shape *shape;
    const tlk_rules *rules;
    struct tlk_slot *slots; /* by hash of the vendor's name */
    uint32_t *same;         /* by field: 1 + another field with the same vendor's name, 0: none */
    uint32_t mask;          /* slots, less one */
} tlk_plan;
void tlk_plan_init(tlk_plan *p, const tl_shape *shape, const tlk_rules *rules, tlk_arena *a);

/* Fills rec->values from object; id and the rest of the envelope are the caller's. Members that the shape does not name
 * are ignored; "" and null become TL_NULL; a field that object lacks is left out. A value that cannot be converted
 * gives TL_REC_BAD, no values, and a note that names field and form of the value; then false. Memory in a or lent from
 * the document. */
bool tlk_record_read(const tlk_plan *p, const tlk_node *object, tlk_arena *a, tl_record *rec);
/* One value by the kit's rule for f->type: true and *out, or false and why in *note. TL_ROWS are read from an array of
 * objects; a column that one of them lacks is left out of its row. */
bool tlk_value_read(const tlk_rules *r, const tl_field *f, const tlk_node *v, tlk_arena *a, tl_value *out,
                    tl_str *note);
/* Where a vendor's object holds what is no field ("id", "meta.changed"); null: nowhere. modified, created: times;
 * deleted: true in a deleted record; url: its address for people. */
typedef struct tlk_envelope {
    const char *id, *modified, *created, *deleted, *stamp, *url; /* paths */
} tlk_envelope;
/* A whole record: envelope (the modified time is the version, too) and values; rec->flags is TL_REC_FULL. False: the
 * record cannot be used (TL_REC_BAD is set). Texts are lent from the document or lie in a. */
bool tlk_object_read(const tlk_plan *p, const tlk_envelope *names, const tlk_node *object, tlk_arena *a,
                     tl_record *rec);
void tlk_record_bad(tl_record *rec, tl_str note);

/* Writes the record's values as members of the object that is open in w; dotted names share their inner objects. Fields
 * marked TL_F_READONLY are left out, TL_F_CREATE_ONLY ones unless rec->op is TL_OP_CREATE, and values of TL_BYTES and
 * TL_BLOB. TL_ROWS are an array of objects, whose members are the names of the columns. Returns how many were written.
 */
uint32_t tlk_record_write(tlk_writer *w, const tl_shape *shape, const tl_record *rec, const tlk_rules *r);
void tlk_value_write(tlk_writer *w, const tl_field *f, const tl_value *v, const tlk_rules *r);

/* Field, record and question by position. */
static inline const tl_field *tlk_field(const tl_shape *s, uint32_t i)
{
    return TL_AT(tl_field, s->fields, s->field_stride, i);
}
static inline const tl_record *tlk_record(const tl_batch *b, uint32_t i)
{
    return TL_AT(tl_record, b->records, b->stride, i);
}
static inline const tl_query *tlk_query(const tl_find *f, uint32_t i)
{
    return TL_AT(tl_query, f->queries, f->query_stride, i);
}
const tl_field *tlk_field_by_path(const tl_shape *s, const char *path); /* null: not in the shape */
const tl_field *tlk_field_by_name(const tl_shape *s, tl_str name);
/* The record's value of a field, or null. */
const tl_value *tlk_value_of(const tl_shape *s, const tl_record *rec, const char *path);
/* Emits n records that lie one behind the other; splits into batches of at most 1,000. */
tl_status tlk_emit(const tl_host *h, const tl_record *records, uint32_t n);

/* ---- discover: a growing list of fields */
typedef struct tlk_fields {
    tlk_arena *arena; /* of list and texts */
    tl_field *list;
    uint32_t n, cap; /* fields it has; room for */
} tlk_fields;
/* Texts are copied. The pointer is good until the next add. */
tl_field *tlk_field_add(tlk_fields *l, const char *path, tl_str name, tl_str label, uint32_t type, uint32_t flags);
#endif
