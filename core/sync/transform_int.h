#ifndef TRANSFORM_INT_H
#define TRANSFORM_INT_H
/* What the modules of transforms share: steps, their arguments, and the table of functions. */
#include "transform.h"

/* Types a function takes, as a mask; every text type of the SDK and a picklist entry count as text. */
enum {
    TAKES_TEXT = 1,
    TAKES_INT = 2,
    TAKES_DECIMAL = 4,
    TAKES_BOOL = 8,
    TAKES_DATE = 16,
    TAKES_TIME = 32,
    TAKES_LIST = 64,
    TAKES_REF = 128,
    TAKES_OTHER = 256,
    TAKES_NUMBERS = TAKES_INT | TAKES_DECIMAL,
    TAKES_WRITTEN = TAKES_TEXT | TAKES_NUMBERS | TAKES_BOOL, /* what has one plain way to be written */
    TAKES_ANY = 511
};
enum { GIVES_SAME = TL_NULL }; /* the type that went in */

enum arg_kind { ARG_TEXT, ARG_NUMBER, ARG_WORD, ARG_STAR, ARG_RANGE };

struct arg {
    enum arg_kind kind;
    uint32_t column;
    str text;       /* decoded; of a range: its lower end, may be empty */
    str upper;      /* of a range, may be empty */
    bool has_value; /* "key"="value" */
    enum arg_kind value_kind;
    str value;
};

struct function;

struct step {
    const struct function *function;
    uint32_t column;
    uint32_t n_args;
    const struct arg *args;
    uint32_t first_field; /* of the chain's further fields */
    int64_t n[2];         /* compiled numbers */
    const void *compiled; /* what compile() made */
};

struct transform {
    uint32_t n_steps, n_fields;
    const struct step *steps;
    const str *fields;
};

struct run {
    struct arena *a;
    const tl_value *fields;
    struct transform_failure why;
};

struct parse { /* errors of a chain while it is parsed */
    struct arena *a;
    struct transform_error *errors;
    size_t n, cap;
    str fields[TRANSFORM_FIELDS];
    uint32_t n_fields;
};

struct function {
    const char *name, *usage, *summary;
    uint32_t takes;
    uint8_t gives;
    uint8_t min_args, max_args; /* max 255: up to TRANSFORM_ROWS */
    bool blank;                 /* is also asked about blank values */
    /* Checks the arguments and prepares the step. Null: any texts will do. */
    bool (*compile)(struct parse *p, struct step *s);
    enum transform_outcome (*run)(const struct step *s, struct run *r, const tl_value *in, tl_value *out);
    /* The step that leads back. Null: none, for the reason in no_way_back. */
    bool (*invert)(const struct step *s, struct arena *a, struct step *out, str *why);
    const char *no_way_back;
    /* Longest result in characters for an input of at most `max` (0: unknown). Null: as long as the input. */
    uint32_t (*longest)(const struct step *s, uint32_t max);
    uint8_t (*gives_for)(const struct step *s, uint8_t in); /* where the arguments decide */
};

extern const struct function transform_flow_functions[], transform_text_functions[], transform_number_functions[],
    transform_time_functions[], transform_contact_functions[]; /* each ended by one without name */

const struct function *transform_function(str name);
uint32_t transform_mask(uint32_t type); /* TAKES_* of a TL_* */

/* ---- for compile() */
bool arg_wrong(struct parse *p, const struct step *s, uint32_t column, const char *hint, const char *fmt, ...)
    PRINTF_LIKE(5, 6); /* always false */
bool arg_is_number(struct parse *p, const struct step *s, uint32_t i, int64_t least, int64_t most, int64_t *out);
bool arg_is_text(struct parse *p, const struct step *s, uint32_t i);
/* One of the words, by number; false with an error that names them all. */
bool arg_is_one_of(struct parse *p, const struct step *s, uint32_t i, const char *const *words, size_t n, int64_t *out);
bool args_are_fields(struct parse *p, struct step *s); /* bare words become further fields, in order */

/* ---- for run() */
str text_of(struct run *r, const tl_value *v); /* as it is written; lent or in the arena */
enum transform_outcome give_text(struct run *r, const struct step *s, str text, tl_value *out);
enum transform_outcome give_buf(struct run *r, const struct step *s, const struct buf *b, tl_value *out);
enum transform_outcome cannot(struct run *r, const struct step *s, int32_t reason, const char *fmt, ...)
    PRINTF_LIKE(4, 5);                       /* TRANSFORM_FAILED */
str shown(struct run *r, const tl_value *v); /* quoted and cut, for messages */

/* ---- for invert() */
bool invert_is(struct step *out, const char *function);
bool invert_copy(const struct step *s, struct arena *a, struct step *out, str *why);
const struct arg *args_reversed(const struct step *s, struct arena *a); /* "a"="b" -> "b"="a" */

/* ---- transform_zone.c: offsets of a time zone from the system's zone data */
struct zone;
const struct zone *zone_open(str name, struct arena *a); /* "UTC", "+03:00", "America/Sao_Paulo"; NULL: unknown */
int64_t zone_offset_us(const struct zone *z, int64_t utc_us);
int64_t zone_to_utc(const struct zone *z, int64_t local_us);

/* ---- transform_match.c */
bool match_compile(struct parse *p, struct step *s);
enum transform_outcome match_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out);

/* ---- generated from the ISO 3166 list: sorted by alpha_2 */
struct country {
    const char *alpha_2, *alpha_3, *numeric, *name, *names[3]; /* names: official, common, NULL */
};
extern const struct country countries[];
extern const size_t n_countries;
#endif
