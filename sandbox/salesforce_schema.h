#ifndef SALESFORCE_SCHEMA_H
#define SALESFORCE_SCHEMA_H
/* Objects and fields of the Salesforce twin, as the describe calls of a stock org show them (Object Reference,
 * https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/). Custom fields can be
 * added while the twin runs; fields are never removed, so a field's number is stable. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "arena.h"
#include "str.h"

enum sf_type {
    SF_ID,
    SF_STRING,
    SF_TEXTAREA,
    SF_BOOLEAN,
    SF_INT,
    SF_DOUBLE,
    SF_CURRENCY,
    SF_PERCENT,
    SF_DATE,
    SF_DATETIME,
    SF_EMAIL,
    SF_PHONE,
    SF_URL,
    SF_PICKLIST,
    SF_COMBOBOX,
    SF_REFERENCE,
    SF_ADDRESS
};

enum {                  /* flags of a field */
       F_C = 1,         /* createable */
       F_U = 2,         /* updateable */
       F_N = 4,         /* nillable */
       F_D = 8,         /* defaultedOnCreate */
       F_R = 16,        /* restrictedPicklist */
       F_LOOKUP = 32,   /* idLookup */
       F_EXTERNAL = 64, /* externalId */
       F_UNIQUE = 128,
       F_NAME = 256,  /* nameField */
       F_INDEX = 512, /* an index serves `=` and IN */
       F_CUSTOM = 1024,
       F_HIDDEN = 2048, /* field-level security hides it from the integration user */
       F_CALC = 4096,   /* computed when read, never stored */
       F_CASE = 8192,   /* caseSensitive */
       F_CU = F_C | F_U,
       F_CUN = F_C | F_U | F_N,
       F_CUD = F_C | F_U | F_D
};

/* Where a field's value comes from when it is not a stored value. */
enum sf_source {
    SRC_VALUE,
    SRC_ID,
    SRC_DELETED,
    SRC_CREATED,
    SRC_CREATED_BY,
    SRC_MODIFIED,
    SRC_MODIFIED_BY,
    SRC_STAMP,
    SRC_PERSON_NAME, /* FirstName LastName */
    SRC_ADDRESS      /* compound of <prefix>Street, City, ... */
};

struct sf_field {
    const char *name, *label;
    enum sf_type type;
    uint16_t length;
    uint8_t precision, scale, digits;
    uint32_t flags;
    const char *refs;         /* SF_REFERENCE: objects, comma separated */
    const char *relationship; /* its name in SOQL; NULL: cannot be traversed */
    const char *picks;        /* picklist entries, '|' separated; a leading '*' marks the default */
    enum sf_source source;
    uint16_t number; /* index in sf_object.fields */
    str key;         /* ,"Name": as it stands in an answer; filled by the schema */
};

enum { SF_FIELDS_MAX = 240, SF_SLOTS = 512 };

struct sf_object {
    const char *name, *label, *plural, *prefix;
    uint32_t flags;
    bool hidden; /* the integration user has no right to see the object */
    struct sf_field *fields;
    size_t n;
    uint16_t slots[SF_SLOTS]; /* hash of the lower-case name -> field number + 1 */
    const char *name_field;
    int64_t described_us; /* last change of the schema */
    int number;           /* index in sf_schema.objects */
};

enum { /* flags of an object */
       O_CREATE = 1,
       O_UPDATE = 2,
       O_DELETE = 4,
       O_QUERY = 8,
       O_REPLICATE = 16,
       O_MERGE = 32,
       O_ALL = O_CREATE | O_UPDATE | O_DELETE | O_QUERY | O_REPLICATE
};

enum { SF_OBJECTS_MAX = 16 };

struct sf_schema {
    struct arena memory;
    struct sf_object objects[SF_OBJECTS_MAX];
    size_t n;
};

void sf_schema_init(struct sf_schema *s, int64_t now_us);
void sf_schema_done(struct sf_schema *s);
struct sf_object *sf_schema_object(struct sf_schema *s, str name); /* case-insensitive; NULL; sees hidden ones too */
struct sf_object *sf_schema_seen(struct sf_schema *s, str name);   /* the object the integration user sees; NULL */
struct sf_object *sf_schema_prefix(struct sf_schema *s, str id);   /* by the id's first three characters; NULL */
struct sf_field *sf_object_field(const struct sf_object *o,
                                 str name); /* case-insensitive; NULL; sees hidden ones too */
/* The visible field, or NULL. */
struct sf_field *sf_object_visible(const struct sf_object *o, str name);
/* The reference field whose relationship is `name` ("Account" -> AccountId), or NULL. */
struct sf_field *sf_object_relation(const struct sf_object *o, str name);
/* Adds a field; texts of `f` are copied. False when the name exists or the object is full. */
bool sf_object_add(struct sf_schema *s, struct sf_object *o, const struct sf_field *f, int64_t now_us);
bool sf_field_refers(const struct sf_field *f, const char *object);

static inline bool sf_is_text(enum sf_type t)
{
    return t == SF_STRING || t == SF_TEXTAREA || t == SF_EMAIL || t == SF_PHONE || t == SF_URL || t == SF_PICKLIST ||
           t == SF_COMBOBOX;
}
static inline bool sf_is_number(enum sf_type t)
{
    return t == SF_INT || t == SF_DOUBLE || t == SF_CURRENCY || t == SF_PERCENT;
}
static inline bool sf_is_long_text(const struct sf_field *f)
{
    return f->type == SF_TEXTAREA && f->length > 255;
}
static inline bool sf_is_required(const struct sf_field *f)
{
    return (f->flags & (F_C | F_N | F_D)) == F_C && f->type != SF_BOOLEAN;
}
/* A reference that may lead to records of several objects. */
static inline bool sf_is_polymorphic(const struct sf_field *f)
{
    return f->refs && strchr(f->refs, ',');
}
const char *sf_type_name(enum sf_type t);
enum sf_type sf_type_of(str name, bool *known_out);
#endif
