/* What a connector says about itself and its kinds. */
#include <string.h>

#include "admit.h"
#include "codec.h"

enum { NAME_MAX_BYTES = 255 };

static const uint32_t CAN_WRITE = TL_CAN_CREATE | TL_CAN_UPDATE | TL_CAN_DELETE | TL_CAN_RESTORE;
static const uint32_t CAN_KNOWN = (TL_CAN_TRASH << 1) - 1;
static const uint32_t FIELD_FLAGS_KNOWN = (TL_F_STAMP << 1) - 1;

static bool kind_name_ok(str s)
{
    for (uint64_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return s.n > 0 && s.n <= 32;
}

/* No blanks and no control characters: it is typed at a prompt and written into a map. */
static bool path_ok(str s)
{
    for (uint64_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
            return false;
    return s.n > 0 && s.n <= NAME_MAX_BYTES;
}

/* For a message: what cannot be shown is left out. */
static str shown(str s)
{
    if (!s.p || !codec_utf8(s))
        return STR("?");
    return s.n > 64 ? str_n(s.p, 64) : s;
}

static int text_ok(const char *what, str s, struct err *e)
{
    if ((s.n && !s.p) || !codec_utf8(s))
        return err_set(e, TL_E_INVALID, "its %s is not UTF-8 text without NUL", what);
    return TL_OK;
}

static int check_choices(const tl_field *f, struct err *e)
{
    if (f->n_choices > ADMIT_CHOICES_MAX)
        return err_set(e, TL_E_INVALID, "%u choices, at most %d", f->n_choices, ADMIT_CHOICES_MAX);
    int rc = admit_array("tl_choice", f->choices, f->n_choices, f->choice_stride, ADMIT_LEAST(tl_choice, label),
                         _Alignof(tl_choice), e);
    for (uint32_t i = 0; i < f->n_choices && !rc; i++) {
        const tl_choice *choice = TL_AT(tl_choice, f->choices, f->choice_stride, i);
        rc = text_ok("choice", choice->value, e);
        if (!rc)
            rc = text_ok("choice's label", choice->label, e);
    }
    return rc;
}

static int check_field(const tl_field *f, bool newer, struct err *e)
{
    int rc = admit_size("tl_field", f, ADMIT_LEAST(tl_field, choices), e);
    if (!rc)
        rc = text_ok("path", f->path, e);
    if (!rc)
        rc = text_ok("name", f->name, e);
    if (!rc)
        rc = text_ok("label", f->label, e);
    if (!rc)
        rc = text_ok("refers_to", f->refers_to, e);
    if (rc)
        return rc;
    if (!path_ok(f->path))
        return err_set(e, TL_E_INVALID, "a path has 1 to %d bytes and no blanks", NAME_MAX_BYTES);
    if (f->name.n == 0)
        return err_set(e, TL_E_INVALID, "it has no name");
    if (f->type == TL_NULL)
        return err_set(e, TL_E_INVALID, "it has no type");
    if (!newer && (f->type > TL_BYTES || f->item_type > TL_BYTES))
        return err_set(e, TL_E_INVALID, "unknown type %u", f->type > TL_BYTES ? f->type : f->item_type);
    if (f->type == TL_LIST && (f->item_type == TL_NULL || f->item_type == TL_LIST))
        return err_set(e, TL_E_INVALID, "a TL_LIST names the type of its items in item_type");
    if (!newer && (f->flags & ~FIELD_FLAGS_KNOWN))
        return err_set(e, TL_E_INVALID, "unknown flags %#x", f->flags & ~FIELD_FLAGS_KNOWN);
    return check_choices(f, e);
}

static int check_fields(const tl_kind *k, bool newer, struct err *e)
{
    if (k->n_fields > ADMIT_VALUES_MAX)
        return err_set(e, TL_E_INVALID, "%u fields, at most %d", k->n_fields, ADMIT_VALUES_MAX);
    int rc = admit_array("tl_field", k->fields, k->n_fields, k->field_stride, ADMIT_LEAST(tl_field, choices),
                         _Alignof(tl_field), e);
    if (rc)
        return rc;
    for (uint32_t i = 0; i < k->n_fields; i++) {
        const tl_field *f = TL_AT(tl_field, k->fields, k->field_stride, i);
        rc = check_field(f, newer, e);
        for (uint32_t j = 0; j < i && !rc; j++)
            if (str_eq(TL_AT(tl_field, k->fields, k->field_stride, j)->path, f->path))
                rc = err_set(e, TL_E_INVALID, "fields %u and %u have the same path", j + 1, i + 1);
        if (rc)
            return err_wrap(e, "field %u \"%.*s\"", i + 1, STR_FMT(shown(f->path)));
    }
    return TL_OK;
}

static int check_stamp(const tl_kind *k, struct err *e)
{
    if (k->stamp_field.n == 0)
        return TL_OK;
    for (uint32_t i = 0; i < k->n_fields; i++)
        if (str_eq(TL_AT(tl_field, k->fields, k->field_stride, i)->name, k->stamp_field))
            return TL_OK;
    return err_set(e, TL_E_INVALID, "stamp_field \"%.*s\" is the name of none of its fields",
                   STR_FMT(shown(k->stamp_field)));
}

struct need {
    uint32_t can, needs; /* any of needs */
    const char *words;
};

static int check_can(const tl_kind *k, const tl_connector *t, struct err *e)
{
    static const struct need needs[] = {
        {TL_CAN_PULL, TL_CAN_PASS, "TL_CAN_PULL without TL_CAN_PASS: a first sync reads every record once"},
        {TL_CAN_DELETED, TL_CAN_PULL, "TL_CAN_DELETED without TL_CAN_PULL"},
        {TL_CAN_TRASH, TL_CAN_DELETE, "TL_CAN_TRASH without TL_CAN_DELETE"},
        {TL_CAN_VIEW, TL_CAN_PULL | TL_CAN_PASS, "TL_CAN_VIEW without TL_CAN_PULL or TL_CAN_PASS"},
        {TL_CAN_CONDITIONAL, TL_CAN_UPDATE | TL_CAN_DELETE, "TL_CAN_CONDITIONAL without TL_CAN_UPDATE"},
        {TL_CAN_RETURN_POST, TL_CAN_CREATE | TL_CAN_UPDATE,
         "TL_CAN_RETURN_POST without TL_CAN_CREATE or TL_CAN_UPDATE"},
        {TL_CAN_QUIET, TL_CAN_CREATE | TL_CAN_UPDATE | TL_CAN_DELETE, "TL_CAN_QUIET without a right to write"},
    };
    for (size_t i = 0; i < ARRAY_LEN(needs); i++)
        if ((k->can & needs[i].can) && !(k->can & needs[i].needs))
            return err_set(e, TL_E_INVALID, "%s", needs[i].words);
    if (!t)
        return TL_OK;
    if ((k->can & (TL_CAN_PULL | TL_CAN_PASS)) && !t->pull)
        return err_set(e, TL_E_INVALID, "TL_CAN_PULL or TL_CAN_PASS, but the connector has no pull()");
    if ((k->can & CAN_WRITE) && !t->push)
        return err_set(e, TL_E_INVALID, "a right to write (can %#x), but the connector has no push()", k->can);
    if ((k->can & (TL_CAN_FIND | TL_CAN_STAMP_FIND | TL_CAN_FIND_CREATED)) && !t->find)
        return err_set(e, TL_E_INVALID, "TL_CAN_FIND, but the connector has no find()");
    return TL_OK;
}

static int check_numbers(const tl_kind *k, struct err *e)
{
    if ((k->can & CAN_WRITE) && k->max_batch == 0)
        return err_set(e, TL_E_INVALID, "max_batch is 0: how many records may one push be given?");
    if ((k->can & TL_CAN_FIND) && k->max_find == 0)
        return err_set(e, TL_E_INVALID, "max_find is 0: 1 if the vendor answers one question at a time");
    if (k->settle_ms < 0)
        return err_set(e, TL_E_INVALID, "settle_ms is %lld", (long long)k->settle_ms);
    if (k->lateness_ms < 0)
        return err_set(e, TL_E_INVALID, "lateness_ms is %lld", (long long)k->lateness_ms);
    return TL_OK;
}

int admit_kind(const tl_kind *k, const tl_connector *table, uint32_t minor, struct err *e)
{
    bool newer = minor > TL_ABI_MINOR;
    int rc = text_ok("name", k->kind, e);
    if (!rc && !kind_name_ok(k->kind))
        rc = err_set(e, TL_E_INVALID, "the name of a kind is 1 to 32 small letters, digits and \"_\"");
    if (!rc)
        rc = text_ok("label", k->label, e);
    if (!rc)
        rc = text_ok("name at the vendor", k->name, e);
    if (!rc)
        rc = text_ok("stamp_field", k->stamp_field, e);
    if (!rc && !newer && (k->can & ~CAN_KNOWN))
        rc = err_set(e, TL_E_INVALID, "can has the unknown bits %#x", k->can & ~CAN_KNOWN);
    if (!rc)
        rc = check_can(k, table, e);
    if (!rc)
        rc = check_numbers(k, e);
    if (!rc)
        rc = check_fields(k, newer, e);
    if (!rc)
        rc = check_stamp(k, e);
    return rc ? err_wrap(e, "kind \"%.*s\"", STR_FMT(shown(k->kind))) : TL_OK;
}

/* ---- the table ---- */

int admit_table(const tl_connector *c, struct err *e)
{
    int rc = admit_array("tl_option", c->options, c->n_options, c->option_stride, ADMIT_LEAST(tl_option, flags),
                         _Alignof(tl_option), e);
    return rc ? err_wrap(e, "its options") : TL_OK;
}
