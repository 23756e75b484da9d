/* What the vendor's answers mean [B:errors, B:introduction]. Its codes are few in the documents, many in life, and one
 * number stands for several things: so an answer is judged by its status first, then by its words, then by its code. */
#include "finance.h"

static const tlk_error_row rows[] = {
    /* limits: 100 calls a minute, a number a day by plan, 5 or 10 at once [B:introduction] */
    {"44", 0, TL_E_THROTTLED, TL_R_OTHER, TL_SCOPE_ENDPOINT, FIN_MINUTE,
     "blocks the organisation for too many calls a minute"},
    {"45", 0, TL_E_QUOTA, TL_R_OTHER, TL_SCOPE_ENDPOINT, 3600000, "says the calls of the day are used up"},
    {"1070", 0, TL_E_THROTTLED, TL_R_OTHER, TL_SCOPE_ENDPOINT, 2000, "says too many calls run at once"},
    {NULL, 429, TL_E_THROTTLED, TL_R_OTHER, TL_SCOPE_ENDPOINT, FIN_MINUTE, "says there are too many calls"},
    {"1000", 500, TL_E_TEMPORARY, TL_R_OTHER, TL_SCOPE_ENDPOINT, 0, "has trouble"},
    {NULL, 5, TL_E_TEMPORARY, TL_R_OTHER, TL_SCOPE_ENDPOINT, 0, "has trouble"},
    {"57", 0, TL_E_AUTH, TL_R_PERMISSION, TL_SCOPE_ENDPOINT, 0,
     "does not let the sign-in do this: a scope is missing, or the access was taken back"},
    {"14", 401, TL_E_AUTH, TL_R_OTHER, TL_SCOPE_ENDPOINT, 0, "does not accept the access token"},
    {NULL, 401, TL_E_AUTH, TL_R_OTHER, TL_SCOPE_ENDPOINT, 0, "does not accept the access token"},
    {"4001", 0, TL_E_CONFIG, TL_R_OTHER, TL_SCOPE_ENDPOINT, 0,
     "does not serve this organisation; check organization_id and product"},
    {"6041", 0, TL_E_CONFIG, TL_R_OTHER, TL_SCOPE_ENDPOINT, 0,
     "says the organisation is not one of the user's; check organization_id"},
    {"1002", 0, TL_E_NOT_FOUND, TL_R_PARAM_INVALID, TL_SCOPE_RECORD, 0, NULL}, /* refine reads the words */
    {"3062", 0, TL_E_INVALID, TL_R_ALREADY_MAPPED, TL_SCOPE_RECORD, 0, NULL},
    {"1001", 0, TL_E_INVALID, TL_R_DUPLICATE_RULE, TL_SCOPE_RECORD, 0, NULL},
    {"2006", 0, TL_E_INVALID, TL_R_REFERENCE, TL_SCOPE_RECORD, 0, NULL},
    {"3008", 0, TL_E_INVALID, TL_R_LOCKED, TL_SCOPE_RECORD, 0, NULL},
    {"4823", 0, TL_E_INVALID, TL_R_LOCKED, TL_SCOPE_RECORD, 0, NULL},
    {"15", 0, TL_E_INVALID, TL_R_TOO_LONG, TL_SCOPE_RECORD, 0, NULL},
    {"1038", 0, TL_E_INVALID, TL_R_PARAM_INVALID, TL_SCOPE_RECORD, 0, NULL},
    {"37", 0, TL_E_INVALID, TL_R_PARAM_INVALID, TL_SCOPE_RECORD, 0, NULL},
    {"5", 404, TL_E_UNSUPPORTED, TL_R_PARAM_INVALID, TL_SCOPE_KIND, 0, "knows no such call"},
    {NULL, 405, TL_E_INVALID, TL_R_PARAM_INVALID, TL_SCOPE_RECORD, 0, NULL},
    {NULL, 404, TL_E_NOT_FOUND, TL_R_PARAM_INVALID, TL_SCOPE_RECORD, 0, NULL},
    {NULL, 400, TL_E_INVALID, TL_R_PARAM_INVALID, TL_SCOPE_RECORD, 0, NULL},
    {NULL, 0, TL_E_INVALID, TL_R_OTHER, TL_SCOPE_RECORD, 0, NULL}, /* a code other than 0 in a good answer */
};

/* Fields that hold numbers, by the names that refusals use [OAS:contacts, OAS:invoices, OAS:estimates]. */
static const char numbers[] =
    "payment_terms,credit_limit,opening_balance_amount,exchange_rate,adjustment,shipping_charge,discount,rate,bcy_rate,"
    "quantity,item_order,discount_amount,tax_percentage,amount,retainer_percentage";

/* "Payment Terms" is the field payment_terms; some refusals name the member itself. */
static void name_field(tl_error *e, const char *label)
{
    tlk_copy(e->field, sizeof(e->field), tlk_trim(tlk_str(label)));
    for (char *p = e->field; *p; p++) {
        if (*p == ' ')
            *p = '_';
        else if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
        else if (*p == '.' && p[1] == '\0')
            *p = '\0';
    }
}

static bool says_missing(const char *text)
{
    static const char *const words[] = {"Please enter", "mandatory", "Mandatory", "is required", "cannot be empty"};
    for (size_t i = 0; i < TLK_LEN(words); i++) {
        if (strstr(text, words[i]) && !strstr(text, "valid") && !strstr(text, "different"))
            return true;
    }
    return false;
}

static tl_status organization_refused(tl_error *e)
{
    char said[sizeof(e->text)];
    memcpy(said, e->text, sizeof(said));
    e->field[0] = '\0'; /* it is none of the record's */
    return tlk_fail(e, TL_E_CONFIG, "%.200s; check organization_id", said);
}

/* Text where the vendor has a number is told by the same words as any other value: the field decides. */
static tl_status invalid_value(tl_status status, tl_error *e, const char *label)
{
    name_field(e, label);
    if (strncmp(e->field, "organization", 12) == 0)
        return organization_refused(e);
    e->reason = tlk_in_list(tlk_str(numbers), ',', tlk_str(e->field)) ? TL_R_TYPE_MISMATCH : TL_R_PARAM_INVALID;
    return status;
}

static tl_status refine(tl_status status, const tlk_node *root, tl_error *e)
{
    static const char invalid[] = "Invalid value passed for ";
    (void)root;
    if (status == TL_E_NOT_FOUND && strcmp(e->code, "1002") == 0 && !strstr(e->text, "exist")) {
        e->reason = TL_R_OTHER; /* the number is used for other failures as well */
        return TL_E_INVALID;
    }
    if (status != TL_E_INVALID || (e->reason != TL_R_PARAM_INVALID && e->reason != TL_R_OTHER))
        return status;
    const char *at = strstr(e->text, invalid);
    if (at)
        return invalid_value(status, e, at + sizeof(invalid) - 1);
    if (says_missing(e->text))
        e->reason = TL_R_REQUIRED_MISSING;
    else if (strstr(e->text, "already exists"))
        e->reason = TL_R_DUPLICATE_RULE;
    return status;
}

/* Nobody documents headers about limits, some organisations send them: of the minute or of the day, as far as the time
 * at which they begin anew tells. */
static void tell_quota(const tl_host *h, const tl_http *r)
{
    int64_t limit = -1, remaining, reset = -1;
    if (!tlk_to_i64(tlk_answer_header(r, "x-rate-limit-remaining"), &remaining))
        return;
    tlk_to_i64(tlk_answer_header(r, "x-rate-limit-limit"), &limit);
    bool timed = tlk_to_i64(tlk_answer_header(r, "x-rate-limit-reset"), &reset) && reset >= 0 && reset <= 86400;
    tlk_quota(h, timed && reset > 60 ? "day" : "minute", limit, remaining,
              timed ? h->now_us(h) + reset * TLK_US_PER_S : -1);
}

const tlk_errors fin_errors = {.system = "Zoho Finance",
                               .code_paths = "code",
                               .text_paths = "message",
                               .rows = rows,
                               .n_rows = TLK_LEN(rows),
                               .refine = refine,
                               .seen = tell_quota,
                               .html_means = "the organisation lives in another data centre; check the option dc"};
