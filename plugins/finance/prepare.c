/* "tieline endpoint prepare": the stamp field. The API makes no custom fields, so the steps are printed for an
 * administrator and the result is checked. */
#include "finance.h"

static tl_status print_steps(tl_conn *c, const struct fin_kind *k)
{
    tlk_arena *a = &c->call;
    const tl_str steps[] = {
        tlk_fmt(a,
                "%s: a custom field is to be made. In %s, as an administrator: Settings, Preferences, %s, Custom "
                "Fields, New",
                k->label, c->product->title, k->label),
        tlk_fmt(a, "%s: label \"%s\" (its API name must become %.*s), data type Text Box (Single Line)", k->label,
                "Tieline Id", TLK_FMT(c->stamp)),
        tlk_fmt(a, "%s: tick \"Prevent Duplicate Values\"; not mandatory, and not shown in PDF or portal", k->label),
    };
    tl_status rc = TL_OK;
    for (size_t i = 0; i < TLK_LEN(steps) && rc == TL_OK; i++)
        rc = tlk_finding(c->host, TL_WARN, "PREPARE_STEP", steps[i],
                         i + 1 == TLK_LEN(steps) ? TL_STR("afterwards run this command again: it checks the field")
                                                 : TLK_NONE);
    return rc;
}

static tl_status prepare_kind(tl_conn *c, const struct fin_kind *k, tl_error *e)
{
    bool can = false;
    tl_status rc = fin_can_stamp(c, k, &can, e);
    if (rc != TL_OK || !can)
        return rc == TL_OK ? print_steps(c, k) : rc;
    return tlk_finding(
        c->host, TL_INFO, "PREPARED",
        tlk_fmt(&c->call, "%s: the field %.*s is there and allows no duplicates", k->label, TLK_FMT(c->stamp)),
        TLK_NONE);
}

/* Nothing is changed in either mode: dry_run makes no difference. */
static tl_status prepare(tl_conn *c, const tl_prepare_request *q, tl_error *e)
{
    tl_status rc = fin_begin(c, e);
    for (uint32_t i = 0; i < fin_n_kinds && rc == TL_OK; i++) {
        if (tlk_wants(q->kinds, q->n_kinds, fin_kinds[i].kind))
            rc = prepare_kind(c, &fin_kinds[i], e);
    }
    return rc;
}

const tl_prepare fin_prepare = {.struct_size = sizeof(fin_prepare), .prepare = prepare};
