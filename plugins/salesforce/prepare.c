/* "tieline endpoint prepare": the external id field. Making it needs the Metadata API and rights that a sync user
 * should not have, so the steps are printed for an administrator and the result is checked. */
#include "salesforce.h"

/* "Tieline_Id__c" is made by entering "Tieline_Id". */
static tl_str entered_name(tl_conn *c)
{
    return tlk_ends(c->stamp, "__c") ? tlk_dup(&c->call, tlk_strn(c->stamp.p, (size_t)c->stamp.n - 3)) : c->stamp;
}

static tl_status print_steps(tl_conn *c, const struct sf_kind *k, const char *what)
{
    tlk_arena *a = &c->call;
    tl_str name = entered_name(c);
    const tl_str steps[] = {
        tlk_fmt(a, "%s: %s. In Salesforce, as an administrator: Setup, Object Manager, %s, Fields & Relationships, New",
                k->object, what, k->object),
        tlk_fmt(a, "%s: data type Text; label \"Tieline Id\", length 64, field name \"%s\"", k->object, name.p),
        tlk_fmt(a, "%s: tick Unique (treat \"ABC\" and \"abc\" as duplicate values) and External ID", k->object),
        tlk_fmt(a,
                "%s: field-level security: visible and not read-only for the profile of the signed-in user; "
                "it need not be on a page layout",
                k->object),
    };
    tl_status rc = TL_OK;
    for (size_t i = 0; i < TLK_LEN(steps) && rc == TL_OK; i++)
        rc = tlk_finding(c->host, TL_WARN, "PREPARE_STEP", steps[i],
                         i + 1 == TLK_LEN(steps) ? TL_STR("afterwards run this command again: it checks the field")
                                                 : TLK_NONE);
    return rc;
}

static tl_status prepare_kind(tl_conn *c, const struct sf_kind *k, tl_error *e)
{
    const tlk_node *root = NULL;
    tl_status rc = sf_describe(c, k, &root, e);
    if (rc != TL_OK)
        return rc;
    struct sf_stamp_info info = sf_stamp_info_of(c, root);
    sf_stamp_remember(c, k, info.state);
    if (info.state == SF_STAMP_UNIQUE)
        return tlk_finding(
            c->host, TL_INFO, "PREPARED",
            tlk_fmt(&c->call, "%s: the field \"%s\" is unique, an external id, and writable", k->object, c->stamp.p),
            TLK_NONE);
    if (info.state == SF_STAMP_MISSING)
        return print_steps(c, k, "a field is to be made");
    tl_str what = tlk_fmt(&c->call, "the field \"%s\" is to be changed: %s", c->stamp.p,
                          info.fault ? info.fault : "it must be unique and an external id");
    return print_steps(c, k, what.p);
}

/* Nothing is changed in either mode: dry_run makes no difference. */
static tl_status prepare(tl_conn *c, const tl_prepare_request *req, tl_error *e)
{
    tl_status rc = sf_begin(c, e);
    for (uint32_t i = 0; i < sf_n_kinds && rc == TL_OK; i++) {
        if (!sf_kinds[i].fixed && tlk_wants(req->kinds, req->n_kinds, sf_kinds[i].kind))
            rc = prepare_kind(c, &sf_kinds[i], e);
    }
    return rc;
}

const tl_prepare sf_prepare = {.struct_size = sizeof(sf_prepare), .prepare = prepare};
