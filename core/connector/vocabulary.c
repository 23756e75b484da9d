#include "vocabulary.h"

#include "codec.h"

enum want { ANY, A_TEXT, A_TIME, A_NUMBER, A_BOOL, A_REF };

const struct vocabulary_kind vocabulary_kinds[] = {
    {"account", "name phone fax website industry description employees annual_revenue parent owner address.street "
                "address.city address.state address.postal_code address.country shipping.street shipping.city "
                "shipping.state shipping.postal_code shipping.country balance.credits balance.receivable "
                "balance.payable currency payment_terms"},
    {"contact",
     "first_name last_name email secondary_email phone mobile fax title department description account owner "
     "birthday address.street address.city address.state address.postal_code address.country balance.credits "
     "balance.receivable balance.payable currency payment_terms"},
    {"product", "name code unit_price active description departments"},
    {"deal", "name stage amount probability close_date account contacts owner closed won"},
    {"lead", "first_name last_name company email phone mobile title status owner converted_contact converted_account"},
    {"ticket", "number subject description status status_type priority channel due contact account product owner "
               "department closed created overdue escalated"},
    {"comment", "parent body public author author_name at"},
    {"note", "parent title body author at"},
    {"task", "subject status due description contact account ticket deal owner completed url"},
    {"call", "subject direction from to start seconds status recording_url contact ticket owner utm.* client_id"},
    {"event", "subject start end location description contact account owner"},
    {"invoice", "number status total balance currency date due expires customer lines reference notes terms sent"},
    {"estimate", "number status total balance currency date due expires customer lines reference notes terms sent"},
    {"user", "name first_name last_name email active status profile role departments"},
    {"profile", "name administrator permissions"},
    {"department", "name active"},
};
const size_t vocabulary_n_kinds = ARRAY_LEN(vocabulary_kinds);
const char *const vocabulary_columns = "id item name description quantity rate amount";

/* Paths that mean one form of value wherever they stand. */
static const struct {
    enum want want;
    const char *paths, *words;
} forms[] = {
    {A_TEXT,
     "first_name last_name email secondary_email phone mobile fax website subject body title address.street "
     "address.city address.postal_code shipping.street shipping.city shipping.postal_code author_name currency "
     "payment_terms reference notes terms",
     "text"},
    {A_TIME, "birthday close_date due closed created completed start end at date expires", "a time or a date"},
    {A_NUMBER,
     "employees annual_revenue unit_price amount probability total balance balance.credits "
     "balance.receivable balance.payable seconds",
     "a number"},
    {A_BOOL, "active administrator won public overdue escalated", "yes or no"},
    {A_REF, "owner parent account contact product deal ticket customer converted_contact converted_account author",
     "a reference"},
};

static bool in_words(const char *list, str word)
{
    str rest = str_of(list), one;
    while (str_split(&rest, ' ', &one)) {
        bool open = str_ends(one, STR(".*")); /* "utm.*": anything behind the point */
        if (str_eq(one, word) || (open && str_starts(word, str_n(one.p, one.n - 1)) && word.n >= one.n))
            return true;
    }
    return false;
}

static bool fits(enum want want, uint32_t type)
{
    switch (want) {
    case A_TEXT:
        return (type >= TL_TEXT && type <= TL_CHOICE) || type == TL_JSON;
    case A_TIME:
        return type == TL_TIME || type == TL_DATE;
    case A_NUMBER:
        return type == TL_INT || type == TL_DECIMAL;
    case A_BOOL:
        return type == TL_BOOL;
    case A_REF:
        return type == TL_REF;
    default:
        return true;
    }
}

/* "closed" of a deal is yes or no, of a ticket a time; "parent" and "author" may be text where the vendor has names. */
static bool is_exception(str kind, str path)
{
    return (str_is(kind, "deal") && str_is(path, "closed")) || str_is(path, "author");
}

/* Where the vendor has rows they are the lines of a document; another column is the vendor's own. */
static bool column_complaint(const tl_kind *k, const tl_field *f, struct err *out)
{
    for (uint32_t i = 0; f->type == TL_ROWS && str_is(f->path, "lines") && i < f->n_columns; i++) {
        const tl_field *column = TL_AT(tl_field, f->columns, f->column_stride, i);
        if (str_starts(column->path, STR("x.")) || in_words(vocabulary_columns, column->path))
            continue;
        err_set(out, TL_E_INVALID, "kind \"%.*s\", field \"%.*s\": the vocabulary has no such column as \"%.*s\"",
                STR_FMT(k->kind), STR_FMT(f->path), STR_FMT(column->path));
        err_hint(out, "%s, or \"x.%.*s\"", vocabulary_columns, STR_FMT(column->name));
        return true;
    }
    return false;
}

static bool field_complaint(const tl_kind *k, const char *paths, const tl_field *f, struct err *out)
{
    str rest = f->path, own = STR("x.");
    if (str_starts(rest, own))
        return false;
    if (!in_words(paths, f->path)) {
        err_set(out, TL_E_INVALID,
                "kind \"%.*s\", field \"%.*s\": the vocabulary has no such path, so it is mapped to nothing",
                STR_FMT(k->kind), STR_FMT(f->path));
        err_hint(out, "a path of the list at the end of tieline.h, or \"x.%.*s\"", STR_FMT(f->name));
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        if (!in_words(forms[i].paths, f->path) || fits(forms[i].want, f->type) || is_exception(k->kind, f->path))
            continue;
        err_set(out, TL_E_INVALID, "kind \"%.*s\", field \"%.*s\": its type is %u, and by the vocabulary it is %s",
                STR_FMT(k->kind), STR_FMT(f->path), f->type, forms[i].words);
        err_hint(out, "describe it as %s, or as \"x.%.*s\"", forms[i].words, STR_FMT(f->name));
        return true;
    }
    return column_complaint(k, f, out);
}

static const char *paths_of(str kind)
{
    for (size_t i = 0; i < vocabulary_n_kinds; i++)
        if (str_is(kind, vocabulary_kinds[i].kind))
            return vocabulary_kinds[i].paths;
    return NULL;
}

bool vocabulary_has(str kind)
{
    return paths_of(kind) != NULL;
}

const char *vocabulary_nearest(const char *kind)
{
    const char *names[32];
    size_t n = 0;
    while (n < vocabulary_n_kinds && n < ARRAY_LEN(names)) {
        names[n] = vocabulary_kinds[n].kind;
        n++;
    }
    return text_nearest(kind, names, n);
}

bool vocabulary_complaint(const tl_kind *k, uint32_t *from, struct err *out)
{
    const char *paths = paths_of(k->kind);
    if (!paths && *from == 0) {
        *from = k->n_fields + 1;
        err_set(out, TL_E_INVALID,
                "kind \"%.*s\": the vocabulary has no such kind, so it is linked only with one of this name",
                STR_FMT(k->kind));
        err_hint(out, "a kind of the list at the end of tieline.h, where one means the same");
        return true;
    }
    while (paths && *from < k->n_fields) {
        tl_field f; /* of an older header it has no columns */
        codec_adopt(&f, sizeof f, TL_AT(tl_field, k->fields, k->field_stride, (*from)++), k->field_stride);
        if (field_complaint(k, paths, &f, out))
            return true;
    }
    return false;
}
