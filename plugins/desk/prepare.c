/* One-time set-up: a custom text field for the stamp, by POST /organizationFields?module= [OAS:Field]. */
#include "desk.h"

enum { STAMP_LENGTH = 100 };

static tl_str field_body(tl_conn *c)
{
    TLK_AUTO_WRITER w = {0};
    tlk_w_object(&w);
    tlk_w_member(&w, "displayLabel", TL_STR("Tieline Id"));
    tlk_w_member(&w, "apiName", c->stamp);
    tlk_w_member(&w, "type", TL_STR("Text"));
    tlk_w_key(&w, TL_STR("maxLength"));
    tlk_w_int(&w, STAMP_LENGTH);
    tlk_w_key(&w, TL_STR("isMandatory"));
    tlk_w_bool(&w, false);
    tlk_w_key(&w, TL_STR("showToHelpCenter"));
    tlk_w_bool(&w, false);
    tlk_w_end_object(&w);
    return tlk_dup(&c->call, tlk_w_lent(&w));
}

static tl_status by_hand(tl_conn *c, const struct desk_kind *k, const tl_error *why)
{
    return tlk_finding(
        c->host, TL_ERROR, "prepare.field",
        tlk_fmt(&c->call, "%s: the field %.*s could not be created: %s", k->label, TLK_FMT(c->stamp), why->text),
        tlk_fmt(&c->call,
                "create it by hand: Setup, Customization, Layouts and Fields, %s: a single-line field whose API "
                "name is %.*s",
                k->label, TLK_FMT(c->stamp)));
}

static tl_status create_field(tl_conn *c, const struct desk_kind *k, tl_error *e)
{
    tlk_url u = desk_url(c, "/organizationFields");
    tlk_url_add(&u, "module", tlk_str(k->module));
    tl_http r;
    const tlk_node *root = NULL;
    desk_request(c, &r, "POST", &u, TL_HTTP_WRITE);
    tlk_request_json(&r, &c->page, field_body(c));
    tl_error own = {.struct_size = sizeof(own)};
    tl_status rc = desk_call(c, &r, &root, &own);
    if (rc == TL_E_INVALID || rc == TL_E_DENIED || (rc == TL_E_AUTH && strcmp(own.code, "SCOPE_MISMATCH") == 0))
        return by_hand(c, k, &own);
    if (rc != TL_OK) {
        *e = own;
        return rc;
    }
    tl_str made = tlk_text_at(root, "apiName", &c->call);
    if (made.n > 0 && !tlk_eq(made, c->stamp)) /* the vendor derives the name from the label on some portals */
        return tlk_finding(c->host, TL_WARN, "prepare.field",
                           tlk_fmt(&c->call, "%s: Zoho Desk named the new field %.*s instead of %.*s", k->label,
                                   TLK_FMT(made), TLK_FMT(c->stamp)),
                           tlk_fmt(&c->call, "set stamp_field = %.*s for this endpoint", TLK_FMT(made)));
    return tlk_finding(c->host, TL_INFO, "prepare.field",
                       tlk_fmt(&c->call, "%s: the text field %.*s was created", k->label, TLK_FMT(c->stamp)), TLK_NONE);
}

static tl_status prepare_kind(tl_conn *c, const struct desk_kind *k, bool dry_run, tl_error *e)
{
    const tlk_node *fields;
    tl_status rc = desk_metadata(c, k, &fields, e);
    if (rc != TL_OK)
        return rc;
    const tlk_node *field = desk_metadata_field(fields, c->stamp);
    int64_t max;
    if (field && tlk_i64(tlk_get(field, "maxLength"), &max) && max > 0 && max < 40)
        return tlk_finding(c->host, TL_ERROR, "prepare.field",
                           tlk_fmt(&c->call,
                                   "%s: the field %.*s is too short for a stamp: %lld characters, 40 are needed",
                                   k->label, TLK_FMT(c->stamp), (long long)max),
                           TL_STR("lengthen it, or name another field in stamp_field"));
    if (field)
        return tlk_finding(c->host, TL_INFO, "PREPARED",
                           tlk_fmt(&c->call, "%s: the field %.*s is there already", k->label, TLK_FMT(c->stamp)),
                           TLK_NONE);
    if (dry_run)
        return tlk_finding(c->host, TL_INFO, "prepare.field",
                           tlk_fmt(&c->call, "%s: a text field %.*s (%d characters) would be created", k->label,
                                   TLK_FMT(c->stamp), STAMP_LENGTH),
                           TLK_NONE);
    return create_field(c, k, e);
}

static tl_status prepare(tl_conn *c, const tl_prepare_request *q, tl_error *e)
{
    tl_status rc = desk_begin(c, e);
    for (uint32_t i = 0; i < desk_n_kinds && rc == TL_OK; i++) {
        if (desk_kinds[i].trash_ids && tlk_wants(q->kinds, q->n_kinds, desk_kinds[i].kind))
            rc = prepare_kind(c, &desk_kinds[i], q->dry_run != 0, e);
    }
    return rc;
}

const tl_prepare desk_prepare = {.struct_size = sizeof(desk_prepare), .prepare = prepare};
