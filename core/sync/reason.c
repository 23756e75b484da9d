#include "reason.h"

#include <string.h>

#include "cleanup.h"
#include "lang.h"

struct reason {
    const char *code;
    int32_t reason; /* TL_R_*, -1: not made from one */
    enum failure_retry retry;
    const char *text, *hint;
};

/* The first five sentences are those of the product's contract (S1-44 to S1-48), the first of them in `named`. */
static const struct reason reasons[] = {
    {"ALREADY_MAPPED", TL_R_ALREADY_MAPPED, RETRY_ON_CHANGE, "its counterpart is already mapped with another record",
     "the record seems a duplicate: merge the two records in their system, or change the match field of one"},
    {"TYPE_MISMATCH", TL_R_TYPE_MISMATCH, RETRY_ON_CHANGE, "text value is given for an integer field",
     "map the field to one of the same type, or correct the value"},
    {"REQUIRED_MISSING", TL_R_REQUIRED_MISSING, RETRY_ON_CHANGE, "mandatory field missing",
     "map the mandatory field, or fill it in the source record"},
    {"PARAM_MISSING", TL_R_PARAM_MISSING, RETRY_ON_CHANGE, "parameter missing",
     "a parameter was lost on the way to the vendor's API: try again, then report it"},
    {"PARAM_INVALID", TL_R_PARAM_INVALID, RETRY_ON_CHANGE, "API parameter or parameter value incorrect",
     "correct the value named by the vendor, or try again and report it"},
    {"TOO_LONG", TL_R_TOO_LONG, RETRY_ON_CHANGE, "the value is longer than the target field allows",
     "shorten the value, or map the field to a longer one"},
    {"ENUM_UNKNOWN", TL_R_CHOICE_UNKNOWN, RETRY_ON_CHANGE, "the target's list of choices does not have this value",
     "add the choice in the target system, or change the value"},
    {"READ_ONLY_FIELD", TL_R_READ_ONLY, RETRY_ON_CHANGE, "the target field is read-only",
     "unset the field in the map, or map it in the other direction only"},
    {"PERMISSION", TL_R_PERMISSION, RETRY_MANUAL, "the connected account may not write this record",
     "give the account the right in the target system, then try again"},
    {"REF_UNRESOLVED", TL_R_REFERENCE, RETRY_ON_CHANGE, "the record it refers to is not there yet",
     "sync the record it refers to; this one follows by itself"},
    {"TARGET_DUPLICATE_RULE", TL_R_DUPLICATE_RULE, RETRY_ON_CHANGE,
     "a duplicate rule of the target system refuses the record", "merge the duplicates there, or change the rule"},
    {"VALIDATION_RULE", TL_R_VALIDATION_RULE, RETRY_ON_CHANGE,
     "a validation rule of the target system refuses the record",
     "correct the record as the rule asks; its words are beside"},
    {"LOCKED", TL_R_LOCKED, RETRY_AUTO, "the record is locked in the target system", "nothing: it is tried again"},
    {"BAD_RECORD", TL_R_BAD_RECORD, RETRY_ON_CHANGE, "the record as read cannot be used",
     "correct the value named beside in its own system"},
    {"SIZE_LIMIT", TL_R_TOO_LARGE, RETRY_ON_CHANGE, "the record is larger than 1 MiB", "shorten its longest text"},
    {"SCHEMA_DRIFT", TL_R_SCHEMA, RETRY_ON_CHANGE, "a mapped field is gone or changed in its system",
     "look at `map check`, then map another field or unset it"},
    {"REFUSED", TL_R_OTHER, RETRY_ON_CHANGE, "the target system refuses the record", "its words are beside"},
    {"AMBIGUOUS_MATCH", -1, RETRY_ON_CHANGE, "more than one record has its match key",
     "merge the duplicates in their system, change the match field of one, or link the right two by hand"},
    {"DUPLICATE_CREATED", -1, RETRY_MANUAL, "the record was created twice in the target system",
     "delete the second record there"},
    {"SUSPECTED_MERGE", -1, RETRY_MANUAL, "the counterpart was deleted, and another record has its match key",
     "it may have been merged: decide which record counts"},
    {"UNKNOWN_OUTCOME", -1, RETRY_MANUAL, "it is not known whether the record was created",
     "look for it in the target system; try again only when it is not there"},
    {"ORPHANED_STAMP", -1, RETRY_MANUAL, "the record carries our mark, but no record explains it",
     "clear the mark in its system to sync it as a new record"},
    {"POISON", -1, RETRY_MANUAL, "the connector crashed twice on this record", "report it to the connector's author"},
    {"DAMAGED", -1, RETRY_MANUAL, "what is stored of the record is damaged",
     "restore the database from a backup, or try again to read both sides anew"},
    {"RECREATE_LOOP", -1, RETRY_MANUAL, "the record was deleted again twice after it was brought back",
     "stop deleting it, or delete it on both sides"},
    {"LOOP_TRIPPED", -1, RETRY_MANUAL, "both systems keep overwriting one another's value",
     "look for an automation that rewrites the field"},
    {"CONFLICT", -1, RETRY_AUTO, "the record keeps changing while it is written", "nothing: it is tried again"},
    {"CONFLICT_MANUAL", -1, RETRY_MANUAL, "both sides changed the same field", "decide which value counts"},
    {"MAP_ERROR", -1, RETRY_ON_CHANGE, "the map cannot be applied to this record", "look at `map check`"},
    {"NOT_FOUND", -1, RETRY_ON_CHANGE, "the record is gone in the target system", "nothing, unless it should be there"},
    {"AUTH_FAILED", -1, RETRY_AUTO, "the target system refuses our sign-in", "authorise the endpoint again"},
    {"QUOTA_EXHAUSTED", -1, RETRY_AUTO, "the target system's allotment is used up",
     "nothing: it goes on when it is renewed"},
    {"REMOTE_5XX", -1, RETRY_AUTO, "the target system has a fault", "nothing: it is tried again"},
    {"PLUGIN_PROTOCOL", -1, RETRY_AUTO, "the connector broke a rule of its interface",
     "report it to the connector's author; the rule is beside"},
    {"PLUGIN_CRASH", -1, RETRY_AUTO, "the connector failed", "look at the log of the connector"},
};

/* What it is where the systems are of these two sorts. */
static const struct {
    const char *code;
    int32_t own, other; /* the record's, the other side's */
    const char *text;
} named[] = {
    {"ALREADY_MAPPED", TL_ROLE_HELPDESK, TL_ROLE_CRM, "the CRM id is already mapped with another support entity"},
    {"ALREADY_MAPPED", TL_ROLE_CRM, TL_ROLE_HELPDESK, "the support id is already mapped with another CRM entity"},
};

static const struct reason *find(const char *code)
{
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (strcmp(reasons[i].code, code) == 0)
            return &reasons[i];
    return NULL;
}

static const char *by_reason(int32_t reason)
{
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (reasons[i].reason == reason)
            return reasons[i].code;
    return "REFUSED";
}

const char *reason_code(int status, int32_t reason)
{
    switch (status) {
    case TL_E_DENIED:
        return reason == TL_R_OTHER ? "PERMISSION" : by_reason(reason);
    case TL_E_CONFLICT:
        return reason == TL_R_OTHER ? "CONFLICT" : by_reason(reason);
    case TL_E_AUTH:
        return "AUTH_FAILED";
    case TL_E_NOT_FOUND:
        return "NOT_FOUND";
    case TL_E_THROTTLED:
    case TL_E_QUOTA:
        return "QUOTA_EXHAUSTED";
    case TL_E_TEMPORARY:
        return reason == TL_R_LOCKED ? "LOCKED" : "REMOTE_5XX";
    case TL_E_UNKNOWN:
        return "UNKNOWN_OUTCOME";
    case TL_E_INVALID:
        return by_reason(reason);
    case TL_E_BUG:
        return "PLUGIN_PROTOCOL";
    default:
        return "PLUGIN_CRASH";
    }
}

const char *reason_text(const char *code, const char *lang)
{
    const struct reason *r = find(code);
    return lang_text(r ? r->text : "the record could not be synchronised", lang_of(lang));
}

const char *reason_text_of(const char *code, int32_t own, int32_t other, const char *lang)
{
    for (size_t i = 0; i < ARRAY_LEN(named); i++)
        if (strcmp(named[i].code, code) == 0 && named[i].own == own && named[i].other == other)
            return lang_text(named[i].text, lang_of(lang));
    return reason_text(code, lang);
}

const char *reason_hint(const char *code, const char *lang)
{
    const struct reason *r = find(code);
    return lang_text(r ? r->hint : "try again; report it when it stays", lang_of(lang));
}

const char *reason_code_at(size_t i)
{
    return i < ARRAY_LEN(reasons) ? reasons[i].code : NULL;
}

enum failure_retry reason_retry(const char *code)
{
    const struct reason *r = find(code);
    return r ? r->retry : RETRY_ON_CHANGE;
}

const char *retry_name(int32_t retry)
{
    static const char *const names[] = {"auto", "nightly", "on_change", "manual"};
    return (uint32_t)retry < ARRAY_LEN(names) ? names[retry] : "manual";
}
