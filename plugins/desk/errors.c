/* What the vendor's codes mean [OAS:Common, OAS:errors; desk.zoho.com/DeskAPIDocument#Errors]. */
#include "desk.h"

static const tlk_error_row rows[] = {
    {"INVALID_DATA", 0, TL_E_INVALID, TL_R_PARAM_INVALID, TL_SCOPE_RECORD, 0, NULL}, /* desk_refine looks at errors[] */
    {"EMPTY_PAYLOAD", 0, TL_E_INVALID, TL_R_PARAM_MISSING, TL_SCOPE_RECORD, 0, NULL},
    {"UNPROCESSABLE_ENTITY", 0, TL_E_INVALID, TL_R_PARAM_INVALID, TL_SCOPE_RECORD, 0, NULL},
    {"BAD_REQUEST", 0, TL_E_INVALID, TL_R_PARAM_INVALID, TL_SCOPE_RECORD, 0, NULL},
    {"METHOD_NOT_ALLOWED", 0, TL_E_INVALID, TL_R_PARAM_INVALID, TL_SCOPE_RECORD, 0, NULL},
    {"UNSUPPORTED_MEDIA_TYPE", 0, TL_E_INVALID, TL_R_PARAM_INVALID, TL_SCOPE_RECORD, 0, NULL},
    {"RESOURCE_SIZE_EXCEEDED", 0, TL_E_INVALID, TL_R_TOO_LARGE, TL_SCOPE_RECORD, 0, NULL},
    {"ONLY_LIVECHAT_USER", 0, TL_E_INVALID, TL_R_OTHER, TL_SCOPE_RECORD, 0, NULL},
    {"DUPLICATE_CONTRACT", 0, TL_E_INVALID, TL_R_OTHER, TL_SCOPE_RECORD, 0, NULL},
    {"INTEGRATION_ADMIN_ERROR", 0, TL_E_INVALID, TL_R_OTHER, TL_SCOPE_RECORD, 0, NULL},
    /* also for an id that does not exist; the vendor has no other code for it */
    {"URL_NOT_FOUND", 0, TL_E_NOT_FOUND, TL_R_PARAM_INVALID, TL_SCOPE_RECORD, 0, NULL},
    {"RESOURCE_NOT_FOUND", 0, TL_E_NOT_FOUND, TL_R_PARAM_INVALID, TL_SCOPE_RECORD, 0, NULL},
    {"FORBIDDEN", 0, TL_E_DENIED, TL_R_PERMISSION, TL_SCOPE_RECORD, 0, NULL},
    {"LICENSE_ACCESS_LIMITED", 0, TL_E_DENIED, TL_R_PERMISSION, TL_SCOPE_RECORD, 0,
     "does not allow this in its edition"},
    {"SCOPE_MISMATCH", 0, TL_E_AUTH, TL_R_PERMISSION, TL_SCOPE_ENDPOINT, 0,
     "says the sign-in lacks a scope; sign in again with the scopes of the documentation"},
    {"OAUTH_ORG_MISMATCH", 0, TL_E_CONFIG, TL_R_OTHER, TL_SCOPE_ENDPOINT, 0,
     "says the sign-in belongs to another portal; check org_id"},
    {"INVALID_OAUTH", 0, TL_E_AUTH, TL_R_OTHER, TL_SCOPE_ENDPOINT, 0, "does not accept the access token"},
    {"UNAUTHORIZED", 0, TL_E_AUTH, TL_R_OTHER, TL_SCOPE_ENDPOINT, 0, "does not accept the access token"},
    /* THRESHOLD_EXCEEDED: the credits of the day or period; TOO_MANY_REQUESTS: calls in flight
     * [help.zoho.com: working with API credits]. Retry-After is not documented; it is honoured when sent. */
    {"THRESHOLD_EXCEEDED", 0, TL_E_QUOTA, TL_R_OTHER, TL_SCOPE_ENDPOINT, 60000, "says the API credits are used up"},
    {"TOO_MANY_REQUESTS", 0, TL_E_THROTTLED, TL_R_OTHER, TL_SCOPE_ENDPOINT, 2000, "says too many calls run at once"},
    {"INTERNAL_SERVER_ERROR", 0, TL_E_TEMPORARY, TL_R_OTHER, TL_SCOPE_ENDPOINT, 0, "has trouble"},
    {NULL, 429, TL_E_THROTTLED, TL_R_OTHER, TL_SCOPE_ENDPOINT, 2000, "says too many calls run at once"},
    {NULL, 5, TL_E_TEMPORARY, TL_R_OTHER, TL_SCOPE_ENDPOINT, 0, "has trouble"},
};

/* Not documented by the vendor, but sent by some portals: x-rate-limit-limit, -remaining, -reset (seconds). */
static void tell_quota(const tl_host *h, const tl_http *r)
{
    int64_t limit, remaining, reset;
    if (!tlk_to_i64(tlk_answer_header(r, "x-rate-limit-remaining"), &remaining))
        return;
    if (!tlk_to_i64(tlk_answer_header(r, "x-rate-limit-limit"), &limit))
        limit = -1;
    if (!tlk_to_i64(tlk_answer_header(r, "x-rate-limit-reset"), &reset) || reset < 0 || reset > INT64_C(5000000000))
        reset = -1;
    else if (reset < INT64_C(100000000)) /* a duration, not a date */
        reset = h->now_us(h) + reset * TLK_US_PER_S;
    else
        reset *= TLK_US_PER_S;
    tlk_quota(h, "window", limit, remaining, reset);
}

static tl_status refine(tl_status status, const tlk_node *root, tl_error *e)
{
    (void)root;
    /* "departmentId is missing" and the like: a parameter that is not there */
    if (status == TL_E_INVALID && strcmp(e->code, "UNPROCESSABLE_ENTITY") == 0 &&
        (strstr(e->text, "missing") || strstr(e->text, "must be present") || strstr(e->text, "mandatory")))
        e->reason = TL_R_PARAM_MISSING;
    return status;
}

const tlk_errors desk_errors = {.system = "Zoho Desk",
                                .code_paths = "errorCode",
                                .text_paths = "errors.0.errorMessage,message,errorMessage",
                                .field_paths = "errors.0.fieldName",
                                .rows = rows,
                                .n_rows = TLK_LEN(rows),
                                .refine = refine,
                                .seen = tell_quota,
                                /* a token meets another data centre: github.com/airbytehq/airbyte issue 73352 */
                                .html_means = "the portal lives in another data centre; check the option dc"};

/* "/cf/cf_level" (a JSON pointer) to "cf.cf_level", the name of the field in shapes. */
static void field_of_pointer(const char *pointer, char out[64])
{
    if (*pointer == '/')
        pointer++;
    tlk_copy(out, 64, tlk_str(pointer));
    for (char *p = out; *p; p++) {
        if (*p == '/')
            *p = '.';
    }
}

static bool too_long(const tl_field *f, const tl_shape *shape, const tl_record *rec)
{
    for (uint32_t i = 0; f->max > 0 && i < rec->n_values; i++) {
        const tl_value *v = &rec->values[i];
        if (tlk_field(shape, v->field) != f || v->type < TL_TEXT || v->type > TL_CHOICE)
            continue;
        return tlk_characters(v->u.s) > f->max;
    }
    return false;
}

static int32_t reason_of_type(const tl_field *f, const tl_shape *shape, const tl_record *rec)
{
    switch (f->type) {
    case TL_INT:
    case TL_DECIMAL:
        return TL_R_TYPE_MISMATCH;
    case TL_REF:
        return TL_R_REFERENCE;
    case TL_CHOICE:
    case TL_LIST:
        return TL_R_CHOICE_UNKNOWN;
    default:
        return rec && too_long(f, shape, rec) ? TL_R_TOO_LONG : TL_R_PARAM_INVALID;
    }
}

void desk_refine(const tlk_node *root, const tl_shape *shape, const tl_record *rec, tl_error *e)
{
    TLK_AUTO_ARENA a = {0};
    const tlk_node *first = tlk_at(root, "errors.0");
    if (strcmp(e->code, "INVALID_DATA") != 0 || !first)
        return;
    tl_str type = tlk_text_at(first, "errorType", &a);
    field_of_pointer(tlk_dup(&a, tlk_text_at(first, "fieldName", &a)).p, e->field);
    if (tlk_is(type, "duplicate")) {
        e->reason = TL_R_ALREADY_MAPPED;
        return;
    }
    if (tlk_is(type, "missing")) {
        e->reason = TL_R_REQUIRED_MISSING;
        return;
    }
    const tl_field *f = tlk_field_by_name(shape, tlk_str(e->field));
    e->reason = f ? reason_of_type(f, shape, rec) : TL_R_PARAM_INVALID;
}
