/* Fields: of a kind, of an action, of the rows in either. */
#include "admit.h"
#include "codec.h"

enum { PATH_MAX_BYTES = 255 };

static const uint32_t FIELD_FLAGS_KNOWN = (TL_F_STAMP << 1) - 1;

bool admit_name_ok(str s)
{
    for (uint64_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return s.n > 0 && s.n <= ADMIT_NAME_MAX;
}

/* No blanks and no control characters: it is typed at a prompt and written into a map. */
static bool path_ok(str s)
{
    for (uint64_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
            return false;
    return s.n > 0 && s.n <= PATH_MAX_BYTES;
}

/* For a message: what cannot be shown is left out. */
str admit_shown(str s)
{
    if (!s.p || !codec_utf8(s))
        return STR("?");
    return s.n > 64 ? str_n(s.p, 64) : s;
}

int admit_text(const char *what, str s, struct err *e)
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
        rc = admit_text("choice", choice->value, e);
        if (!rc)
            rc = admit_text("choice's label", choice->label, e);
    }
    return rc;
}

/* What a field's type asks for besides. */
static int check_type(const tl_field *f, enum admit_fields of, bool newer, struct err *e)
{
    if (f->type == TL_NULL)
        return err_set(e, TL_E_INVALID, "it has no type");
    if (!newer && (f->type > CODEC_TYPE_LAST || f->item_type > CODEC_TYPE_LAST))
        return err_set(e, TL_E_INVALID, "unknown type %u", f->type > CODEC_TYPE_LAST ? f->type : f->item_type);
    if (f->type == TL_LIST &&
        (f->item_type == TL_NULL || f->item_type == TL_LIST || f->item_type == TL_BLOB || f->item_type == TL_ROWS))
        return err_set(e, TL_E_INVALID, "a TL_LIST names the type of its items in item_type");
    if (f->type == TL_BLOB && of != FIELDS_OF_ACTION)
        return err_set(e, TL_E_INVALID, "a TL_BLOB is a parameter or result of an action alone");
    if (f->type == TL_ROWS && of == FIELDS_OF_ROW)
        return err_set(e, TL_E_INVALID, "a row holds no rows");
    return TL_OK;
}

static int check_field(const tl_field *f, enum admit_fields of, bool newer, struct err *e)
{
    const struct {
        str text;
        const char *what;
    } texts[] = {{f->path, "path"}, {f->name, "name"}, {f->label, "label"}, {f->refers_to, "refers_to"}};
    int rc = admit_size("tl_field", f, ADMIT_LEAST(tl_field, choices), e);
    for (size_t i = 0; i < ARRAY_LEN(texts) && !rc; i++)
        rc = admit_text(texts[i].what, texts[i].text, e);
    if (rc)
        return rc;
    if (!path_ok(f->path))
        return err_set(e, TL_E_INVALID, "a path has 1 to %d bytes and no blanks", PATH_MAX_BYTES);
    if (f->name.n == 0)
        return err_set(e, TL_E_INVALID, "it has no name");
    rc = check_type(f, of, newer, e);
    if (!rc && !newer && (f->flags & ~FIELD_FLAGS_KNOWN))
        rc = err_set(e, TL_E_INVALID, "unknown flags %#x", f->flags & ~FIELD_FLAGS_KNOWN);
    if (!rc && f->type == TL_ROWS && f->n_columns == 0)
        rc = err_set(e, TL_E_INVALID, "a TL_ROWS names what a row has in columns");
    if (!rc && f->type == TL_ROWS)
        rc = admit_fields(f->columns, f->n_columns, f->column_stride, FIELDS_OF_ROW, newer, e);
    return rc ? rc : check_choices(f, e);
}

int admit_fields(const tl_field *fields, uint32_t n, size_t stride, enum admit_fields of, bool newer, struct err *e)
{
    static const char *const words[] = {"field", "parameter", "column"};
    if (n > ADMIT_VALUES_MAX)
        return err_set(e, TL_E_INVALID, "%u %ss, at most %d", n, words[of], ADMIT_VALUES_MAX);
    int rc = admit_array("tl_field", fields, n, stride, ADMIT_LEAST(tl_field, choices), _Alignof(tl_field), e);
    if (rc)
        return rc;
    for (uint32_t i = 0; i < n; i++) {
        tl_field f;
        codec_adopt(&f, sizeof f, TL_AT(tl_field, fields, stride, i), stride);
        rc = check_field(&f, of, newer, e);
        for (uint32_t j = 0; j < i && !rc; j++)
            if (str_eq(TL_AT(tl_field, fields, stride, j)->path, f.path))
                rc = err_set(e, TL_E_INVALID, "%ss %u and %u have the same path", words[of], j + 1, i + 1);
        if (rc)
            return err_wrap(e, "%s %u \"%.*s\"", words[of], i + 1, STR_FMT(admit_shown(f.path)));
    }
    return TL_OK;
}
