/* Salesforce's error codes [SOAP:sforce_api_calls_concepts_core_data_objects, StatusCode; REST:errorcodes]. Single
 * calls say errorCode in an array, rows of a collection say statusCode. */
#include "salesforce.h"

#include <stdio.h>

#define RECORD   TL_SCOPE_RECORD
#define KIND     TL_SCOPE_KIND
#define ENDPOINT TL_SCOPE_ENDPOINT
#define HOUR     INT64_C(3600000)

static const tlk_error_row rows[] = {
    /* signing in, rights, allowance: the endpoint */
    {"INVALID_SESSION_ID", 0, TL_E_AUTH, 0, ENDPOINT, 0,
     "the session is refused although it is fresh: a policy forbids it"},
    {"INVALID_AUTH_HEADER", 0, TL_E_AUTH, 0, ENDPOINT, 0, NULL},
    {"INVALID_JWT_FORMAT", 0, TL_E_AUTH, 0, ENDPOINT, 0, NULL},
    {"API_DISABLED_FOR_ORG", 0, TL_E_CONFIG, 0, ENDPOINT, 0, "this edition or user profile has no access to the API"},
    {"API_CURRENTLY_DISABLED", 0, TL_E_CONFIG, 0, ENDPOINT, 0, "the API is switched off for this user or org"},
    {"FUNCTIONALITY_NOT_ENABLED", 0, TL_E_CONFIG, 0, ENDPOINT, 0, NULL},
    {"UNSUPPORTED_API_VERSION", 0, TL_E_CONFIG, 0, ENDPOINT, 0, "api_version is not served any more"},
    {"UNSUPPORTED_CLIENT", 0, TL_E_CONFIG, 0, ENDPOINT, 0, NULL},
    {"STORAGE_LIMIT_EXCEEDED", 0, TL_E_DENIED, TL_R_PERMISSION, ENDPOINT, 0, "the org's data storage is full"},
    {"REQUEST_LIMIT_EXCEEDED", 0, TL_E_QUOTA, 0, ENDPOINT, HOUR, "the org's requests of 24 hours are used up"},
    {"LIMIT_EXCEEDED", 0, TL_E_QUOTA, 0, ENDPOINT, HOUR, NULL},
    {"TXN_SECURITY_METERING_ERROR", 0, TL_E_THROTTLED, 0, ENDPOINT, 60000, NULL},
    /* passing */
    {"UNABLE_TO_LOCK_ROW", 0, TL_E_TEMPORARY, 0, RECORD, 0, "another transaction holds this record or its account"},
    {"SERVER_UNAVAILABLE", 0, TL_E_TEMPORARY, 0, ENDPOINT, 0, NULL},
    {"UNKNOWN_EXCEPTION", 0, TL_E_TEMPORARY, 0, RECORD, 0, NULL},
    {"QUERY_TIMEOUT", 0, TL_E_TEMPORARY, 0, KIND, 0, NULL},
    {"REQUEST_RUNNING_TOO_LONG", 0, TL_E_TEMPORARY, 0, KIND, 0, NULL},
    {"INVALID_QUERY_LOCATOR", 0, TL_E_TEMPORARY, 0, KIND, 0, NULL},
    {"EXCEEDED_ID_LIMIT", 0, TL_E_TEMPORARY, 0, KIND, 0, NULL},
    {"JOB_NOT_COMPLETE", 0, TL_E_TEMPORARY, 0, KIND, 0, NULL},
    {"ALL_OR_NONE_OPERATION_ROLLED_BACK", 0, TL_E_TEMPORARY, 0, RECORD, 0, NULL},
    {"PROCESSING_HALTED", 0, TL_E_TEMPORARY, 0, RECORD, 0, NULL},
    {"BATCH_PROCESSING_HALTED", 0, TL_E_TEMPORARY, 0, RECORD, 0, NULL},
    /* the record is gone or changed */
    {"ENTITY_IS_DELETED", 0, TL_E_NOT_FOUND, 0, RECORD, 0, "the record has been deleted"},
    {"NOT_FOUND", 0, TL_E_NOT_FOUND, 0, RECORD, 0, NULL},
    {"PRECONDITION_FAILED", 0, TL_E_CONFLICT, 0, RECORD, 0, NULL},
    /* doubles */
    {"DUPLICATE_VALUE", 0, TL_E_INVALID, TL_R_ALREADY_MAPPED, RECORD, 0, "another record has this value"},
    {"DUPLICATE_EXTERNAL_ID", 0, TL_E_INVALID, TL_R_ALREADY_MAPPED, RECORD, 0, "several records have this external id"},
    {"DUPLICATES_DETECTED", 0, TL_E_INVALID, TL_R_DUPLICATE_RULE, RECORD, 0, "a duplicate rule refuses the record"},
    {NULL, 300, TL_E_INVALID, TL_R_ALREADY_MAPPED, RECORD, 0, "several records have this external id"},
    /* the values */
    {"JSON_PARSER_ERROR", 0, TL_E_INVALID, TL_R_PARAM_INVALID, RECORD, 0, "a value does not fit the type of its field"},
    {"INVALID_TYPE_ON_FIELD_IN_RECORD", 0, TL_E_INVALID, TL_R_TYPE_MISMATCH, RECORD, 0, NULL},
    {"NUMBER_OUTSIDE_VALID_RANGE", 0, TL_E_INVALID, TL_R_PARAM_INVALID, RECORD, 0, NULL},
    {"REQUIRED_FIELD_MISSING", 0, TL_E_INVALID, TL_R_REQUIRED_MISSING, RECORD, 0, NULL},
    {"MISSING_ARGUMENT", 0, TL_E_INVALID, TL_R_PARAM_MISSING, RECORD, 0, NULL},
    {"STRING_TOO_LONG", 0, TL_E_INVALID, TL_R_TOO_LONG, RECORD, 0, NULL},
    {"INVALID_EMAIL_ADDRESS", 0, TL_E_INVALID, TL_R_PARAM_INVALID, RECORD, 0, NULL},
    {"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", 0, TL_E_INVALID, TL_R_CHOICE_UNKNOWN, RECORD, 0, NULL},
    {"FIELD_INTEGRITY_EXCEPTION", 0, TL_E_INVALID, TL_R_PARAM_INVALID, RECORD, 0, NULL},
    {"MALFORMED_ID", 0, TL_E_INVALID, TL_R_REFERENCE, RECORD, 0, NULL},
    {"INVALID_CROSS_REFERENCE_KEY", 0, TL_E_INVALID, TL_R_REFERENCE, RECORD, 0,
     "a record that is referred to is not there"},
    {"INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", 0, TL_E_INVALID, TL_R_REFERENCE, RECORD, 0,
     "a record that is referred to is not visible to us"},
    {"FIELD_FILTER_VALIDATION_EXCEPTION", 0, TL_E_INVALID, TL_R_PARAM_INVALID, RECORD, 0, NULL},
    {"FIELD_CUSTOM_VALIDATION_EXCEPTION", 0, TL_E_INVALID, TL_R_VALIDATION_RULE, RECORD, 0,
     "a validation rule refuses it"},
    {"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", 0, TL_E_INVALID, TL_R_VALIDATION_RULE, RECORD, 0, "a trigger refuses it"},
    {"INVALID_OPERATION", 0, TL_E_INVALID, TL_R_OTHER, RECORD, 0, NULL},
    {"INVALID_INPUT", 0, TL_E_INVALID, TL_R_PARAM_INVALID, RECORD, 0, NULL},
    /* the schema has changed under us */
    {"INVALID_FIELD", 0, TL_E_INVALID, TL_R_SCHEMA, KIND, 0, NULL},
    {"INVALID_FIELD_FOR_INSERT_UPDATE", 0, TL_E_INVALID, TL_R_SCHEMA, RECORD, 0, NULL},
    {"INVALID_TYPE", 0, TL_E_INVALID, TL_R_SCHEMA, KIND, 0, NULL},
    /* rights and locks */
    {"INSUFFICIENT_ACCESS_OR_READONLY", 0, TL_E_DENIED, TL_R_PERMISSION, RECORD, 0, NULL},
    {"INSUFFICIENT_ACCESS", 0, TL_E_DENIED, TL_R_PERMISSION, RECORD, 0, NULL},
    {"CANNOT_UPDATE_CONVERTED_LEAD", 0, TL_E_DENIED, TL_R_LOCKED, RECORD, 0, NULL},
    {"ENTITY_IS_LOCKED", 0, TL_E_DENIED, TL_R_LOCKED, RECORD, 0, "an approval process holds the record"},
    {"INACTIVE_OWNER_OR_USER", 0, TL_E_INVALID, TL_R_REFERENCE, RECORD, 0, "the owner is not an active user"},
    {"DELETE_FAILED", 0, TL_E_DENIED, TL_R_OTHER, RECORD, 0, NULL},
    {"DEPENDENCY_EXISTS", 0, TL_E_DENIED, TL_R_OTHER, RECORD, 0, NULL},
    /* our own defects */
    {"MALFORMED_QUERY", 0, TL_E_BUG, 0, KIND, 0, NULL},
    {"ILLEGAL_QUERY_PARAMETER_VALUE", 0, TL_E_BUG, 0, KIND, 0, NULL},
    {"INVALID_REPLICATION_DATE", 0, TL_E_BUG, 0, KIND, 0, NULL},
    {"INVALID_QUERY_FILTER_OPERATOR", 0, TL_E_INVALID, TL_R_PARAM_INVALID, RECORD, 0, NULL},
    {"METHOD_NOT_ALLOWED", 0, TL_E_BUG, 0, KIND, 0, NULL},
    {"INVALIDENTITY", 0, TL_E_UNSUPPORTED, 0, KIND, 0, NULL},
    {"INVALIDJOBSTATE", 0, TL_E_TEMPORARY, 0, KIND, 0, NULL},
    /* without a code we know */
    {NULL, 401, TL_E_AUTH, 0, ENDPOINT, 0, NULL},
    {NULL, 403, TL_E_DENIED, TL_R_PERMISSION, RECORD, 0, NULL},
    {NULL, 404, TL_E_NOT_FOUND, 0, RECORD, 0, NULL},
    {NULL, 405, TL_E_BUG, 0, KIND, 0, NULL},
    {NULL, 410, TL_E_CONFIG, 0, ENDPOINT, 0, "api_version is not served any more"},
    {NULL, 412, TL_E_CONFLICT, 0, RECORD, 0, NULL},
    {NULL, 414, TL_E_BUG, 0, KIND, 0, "the address of the request was too long"},
    {NULL, 420, TL_E_TEMPORARY, 0, ENDPOINT, 0, NULL},
    {NULL, 429, TL_E_THROTTLED, 0, ENDPOINT, 30000, NULL},
    {NULL, 431, TL_E_BUG, 0, KIND, 0, "the head of the request was too long"},
    {NULL, 5, TL_E_TEMPORARY, 0, ENDPOINT, 0, NULL},
};

bool sf_usage_parse(tl_str header, int64_t *used, int64_t *limit)
{
    for (tl_str part; tlk_split(&header, ';', &part);) {
        part = tlk_trim(part);
        if (!tlk_starts(part, "api-usage="))
            continue;
        tl_str rest = tlk_strn(part.p + 10, (size_t)part.n - 10), head;
        int64_t u = 0, l = 0;
        if (!tlk_split(&rest, '/', &head) || !tlk_to_i64(head, &u) || !tlk_to_i64(tlk_trim(rest), &l))
            return false;
        *used = u;
        *limit = l;
        return true;
    }
    return false;
}

/* [REST:headers_api_usage]: on nearly every answer; more may follow the first token. */
static void tell_usage(const tl_host *h, const tl_http *r)
{
    int64_t used = 0, limit = 0;
    if (sf_usage_parse(tlk_answer_header(r, "sforce-limit-info"), &used, &limit))
        tlk_quota(h, "day", limit, limit > used ? limit - used : 0, -1);
}

static bool says(const tl_error *e, const char *words)
{
    return strstr(e->text, words) || strstr(e->detail, words);
}

/* Where one code stands for several things the words decide; they are the vendor's fixed ones. */
static tl_status refine(tl_status status, const tlk_node *root, tl_error *e)
{
    (void)root;
    if (strcmp(e->code, "REQUEST_LIMIT_EXCEEDED") == 0 && (says(e, "Concurrent") || e->http_status == 429)) {
        e->retry_after_ms = 30000; /* long-running calls at once, not the day's allowance */
        return TL_E_THROTTLED;
    }
    if (strcmp(e->code, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY") == 0 && says(e, "UNABLE_TO_LOCK_ROW")) {
        e->reason = TL_R_OTHER;
        return TL_E_TEMPORARY; /* a trigger met the lock */
    }
    if (strcmp(e->code, "JSON_PARSER_ERROR") == 0 &&
        (says(e, "instance of int") || says(e, "instance of double") || says(e, "instance of long")))
        e->reason = TL_R_TYPE_MISMATCH;
    return status;
}

const tlk_errors sf_errors = {
    .system = "salesforce",
    .code_paths = "0.errorCode,statusCode,errorCode,error",
    .text_paths = "0.message,message,error_description",
    .field_paths = "0.fields.0,fields.0",
    .rows = rows,
    .n_rows = TLK_LEN(rows),
    .refine = refine,
    .seen = tell_usage,
};
