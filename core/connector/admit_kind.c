/* What a connector says about itself and its kinds. */
#include "admit.h"
#include "codec.h"

static const uint32_t CAN_WRITE = TL_CAN_CREATE | TL_CAN_UPDATE | TL_CAN_DELETE | TL_CAN_RESTORE;
static const uint32_t CAN_KNOWN = (TL_CAN_TRASH << 1) - 1;

static int check_stamp(const tl_kind *k, struct err *e)
{
    if (k->stamp_field.n == 0)
        return TL_OK;
    for (uint32_t i = 0; i < k->n_fields; i++)
        if (str_eq(TL_AT(tl_field, k->fields, k->field_stride, i)->name, k->stamp_field))
            return TL_OK;
    return err_set(e, TL_E_INVALID, "stamp_field \"%.*s\" is the name of none of its fields",
                   STR_FMT(admit_shown(k->stamp_field)));
}

/* "contact,account": each a name as kinds have it. */
static int check_names(const char *what, str names, struct err *e)
{
    str one;
    int rc = admit_text(what, names, e);
    while (!rc && str_split(&names, ',', &one))
        if (!admit_name_ok(one))
            rc = err_set(e, TL_E_INVALID, "%s: \"%.*s\" is no name: small letters, digits and \"_\", at most %d", what,
                         STR_FMT(admit_shown(one)), ADMIT_NAME_MAX);
    return rc;
}

/* Whose lists it makes, and which parts of them. */
static int check_lists(const tl_kind *k, struct err *e)
{
    int rc = check_names("about", k->about, e);
    if (!rc)
        rc = check_names("filters", k->filters, e);
    if (!rc && k->filters.n && !k->about.n)
        rc = err_set(e, TL_E_INVALID, "filters, and about names no kind that has lists of it");
    if (!rc && k->depth_s < 0)
        rc = err_set(e, TL_E_INVALID, "depth_s is %lld", (long long)k->depth_s);
    return rc;
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
    int rc = admit_text("name", k->kind, e);
    if (!rc && !admit_name_ok(k->kind))
        rc = err_set(e, TL_E_INVALID, "the name of a kind is 1 to 32 small letters, digits and \"_\"");
    if (!rc)
        rc = admit_text("label", k->label, e);
    if (!rc)
        rc = admit_text("name at the vendor", k->name, e);
    if (!rc)
        rc = admit_text("stamp_field", k->stamp_field, e);
    if (!rc && !newer && (k->can & ~CAN_KNOWN))
        rc = err_set(e, TL_E_INVALID, "can has the unknown bits %#x", k->can & ~CAN_KNOWN);
    if (!rc)
        rc = check_can(k, table, e);
    if (!rc)
        rc = check_numbers(k, e);
    if (!rc)
        rc = admit_fields(k->fields, k->n_fields, k->field_stride, FIELDS_OF_KIND, newer, e);
    if (!rc)
        rc = check_stamp(k, e);
    if (!rc)
        rc = check_lists(k, e);
    return rc ? err_wrap(e, "kind \"%.*s\"", STR_FMT(admit_shown(k->kind))) : TL_OK;
}

/* ---- the table ---- */

int admit_table(const tl_connector *c, struct err *e)
{
    int rc = admit_array("tl_option", c->options, c->n_options, c->option_stride, ADMIT_LEAST(tl_option, flags),
                         _Alignof(tl_option), e);
    return rc ? err_wrap(e, "its options") : TL_OK;
}
