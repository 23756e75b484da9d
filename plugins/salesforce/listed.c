/* Kinds that are only listed beside a contact or an account: what they are at Salesforce, and how the rows that belong
 * to one record are asked for. Calls are tasks there (TaskSubtype), and are listed as such. */
#include "salesforce.h"

#define OF_ROW                                                                                                         \
    {                                                                                                                  \
        .id = "Id", .modified = "SystemModstamp", .created = "CreatedDate"                                             \
    }
#define ROLES_OF "(SELECT OpportunityId FROM OpportunityContactRole WHERE ContactId = $)"

static const struct sf_origin opportunities = {.object = "Opportunity", .envelope = OF_ROW, .order = "CloseDate"};

/* A year after they are done activities are archived, and seen only by a query of everything
 * [SOAP:sforce_api_calls_queryall]. */
static const struct sf_origin tasks = {
    .object = "Task", .envelope = OF_ROW, .order = "ActivityDate", .always = "IsDeleted = false", .archived = true};

/* Everybody invited has a copy of an event, its child [OR:sforce_api_objects_event]. */
static const struct sf_origin events = {.object = "Event",
                                        .envelope = OF_ROW,
                                        .order = "StartDateTime",
                                        .always = "IsDeleted = false AND IsChild = false",
                                        .archived = true};

static const struct sf_origin classic_notes = {
    .object = "Note",
    .envelope = {.id = "Id", .modified = "LastModifiedDate", .created = "CreatedDate"},
    .order = "LastModifiedDate",
};

/* An enhanced note is a document of the type SNOTE, which links bind to records; of its text a preview can be queried
 * [OR:sforce_api_objects_contentnote, OR:sforce_api_objects_contentdocumentlink]. */
static const struct sf_rename document_names[] = {
    {"Title", "ContentDocument.Title"},
    {"Body", "ContentDocument.LatestPublishedVersion.TextPreview"},
    {"Owner.Name", "ContentDocument.Owner.Name"},
    {"LastModifiedDate", "ContentDocument.LastModifiedDate"},
    {"ParentId", "LinkedEntityId"},
};
static const struct sf_origin enhanced_notes = {
    .object = "ContentDocumentLink",
    .envelope = {.id = "ContentDocumentId",
                 .modified = "ContentDocument.LastModifiedDate",
                 .created = "ContentDocument.CreatedDate"},
    .order = "ContentDocument.LastModifiedDate",
    .always = "ContentDocument.FileType = 'SNOTE'",
    .names = document_names,
    .n_names = TLK_LEN(document_names),
};

/* A deal is a contact's when he has a part in it, and when it is his account's; the second query leaves out what the
 * first one has, so that nothing comes twice. They are two because a sub-select may not stand under OR
 * [SOQL:sforce_api_calls_soql_select_comparisonoperators]. */
static const struct sf_about deal_about[] = {
    {.kind = "contact",
     .sources = {{&opportunities, "Id IN " ROLES_OF, "", "OpportunityContactRole"},
                 {&opportunities, "AccountId IN (SELECT AccountId FROM Contact WHERE Id = $) AND Id NOT IN " ROLES_OF,
                  "AccountId", "OpportunityContactRole"}}},
    {.kind = "account", .sources = {{&opportunities, "AccountId = $", "AccountId", NULL}}},
};
static const struct sf_about task_about[] = {
    {.kind = "contact", .sources = {{&tasks, "WhoId = $", "WhoId,ActivityDate", NULL}}},
    {.kind = "account", .sources = {{&tasks, "AccountId = $", "AccountId,ActivityDate", NULL}}},
};
static const struct sf_about event_about[] = {
    {.kind = "contact", .sources = {{&events, "WhoId = $", "WhoId,StartDateTime", NULL}}},
    {.kind = "account", .sources = {{&events, "AccountId = $", "AccountId,StartDateTime", NULL}}},
};
static const struct sf_about note_about[] = {
    {.kind = "contact",
     .sources = {{&classic_notes, "ParentId = $", "", NULL}, {&enhanced_notes, "LinkedEntityId = $", "", NULL}}},
    {.kind = "account",
     .sources = {{&classic_notes, "ParentId = $", "", NULL}, {&enhanced_notes, "LinkedEntityId = $", "", NULL}}},
};

static const struct sf_part deal_parts[] = {
    {"open", "IsClosed", "IsClosed = false"},
    {"closed", "IsClosed", "IsClosed = true"},
    {"won", "IsWon", "IsWon = true"},
};
static const struct sf_part task_parts[] = {
    {"open", "IsClosed", "IsClosed = false"},
    {"closed", "IsClosed", "IsClosed = true"},
    {"overdue", "IsClosed,ActivityDate", "IsClosed = false AND ActivityDate < TODAY"},
    {"calls", "TaskSubtype", "TaskSubtype = 'Call'"},
};
static const struct sf_part event_parts[] = {
    {"upcoming", "EndDateTime", "EndDateTime >= @"},
    {"past", "EndDateTime", "EndDateTime < @"},
};

static const struct sf_field deal_fields[] = {
    {"name", "Name", 0},
    {"stage", "StageName", 0},
    {"amount", "Amount", 0},
    {"probability", "Probability", 0},
    {"close_date", "CloseDate", 0},
    {"account", "AccountId", 0},
    {"owner", "OwnerId", 0},
    {"closed", "IsClosed", 0},
    {"won", "IsWon", 0},
};
static const struct sf_field task_fields[] = {
    {"subject", "Subject", 0},  {"status", "Status", 0},
    {"due", "ActivityDate", 0}, {"description", "Description", 0},
    {"contact", "WhoId", 0},    {"account", "AccountId", 0},
    {"owner", "OwnerId", 0},    {"completed", "CompletedDateTime", 0},
};
static const struct sf_field event_fields[] = {
    {"subject", "Subject", 0},   {"start", "StartDateTime", 0},     {"end", "EndDateTime", 0},
    {"location", "Location", 0}, {"description", "Description", 0}, {"contact", "WhoId", 0},
    {"account", "AccountId", 0}, {"owner", "OwnerId", 0},
};

/* Of two objects with names of their own, so what they have in common is described here, by the names of Note. */
static const struct sf_own_field note_fields[] = {
    {"title", "Title", "Title", TL_TEXT},        {"body", "Body", "Body", TL_MULTILINE},
    {"author", "Owner.Name", "Owner", TL_TEXT},  {"at", "LastModifiedDate", "Last Modified Date", TL_TIME},
    {"parent", "ParentId", "Parent ID", TL_REF},
};

#define FIELDS(list) .fields = (list), .n_fields = TLK_LEN(list)
#define ABOUT(list)  .about = (list), .n_about = TLK_LEN(list)
#define PARTS(list)  .parts = (list), .n_parts = TLK_LEN(list)

const struct sf_listed sf_listed[] = {
    {.kind = {.kind = "deal", .object = "Opportunity", .fixed = true, FIELDS(deal_fields)},
     .people = "Owner,Account",
     ABOUT(deal_about),
     PARTS(deal_parts)},
    {.kind = {.kind = "note", .object = "Note", .fixed = true},
     .own = note_fields,
     .n_own = TLK_LEN(note_fields),
     ABOUT(note_about)},
    {.kind = {.kind = "task", .object = "Task", .fixed = true, FIELDS(task_fields)},
     .people = "Owner,Account,Who,What",
     ABOUT(task_about),
     PARTS(task_parts)},
    {.kind = {.kind = "event", .object = "Event", .fixed = true, FIELDS(event_fields)},
     .people = "Owner,Account,Who,What",
     ABOUT(event_about),
     PARTS(event_parts)},
};
const uint32_t sf_n_listed = TLK_LEN(sf_listed);

const struct sf_listed *sf_listed_of(tl_str kind)
{
    return tlk_row_by(sf_listed, sf_n_listed, kind.kind, kind);
}

uint32_t sf_n_sources(const struct sf_about *about)
{
    return about->sources[1].origin ? 2 : 1;
}

/* Notes are of either object; of a deal both queries are needed. */
bool sf_about_seen(const struct sf_listed *k, const struct sf_about *about, tl_str objects)
{
    uint32_t n = sf_n_sources(about), seen = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct sf_source *s = &about->sources[i];
        seen += tlk_in_list(objects, ',', tlk_str(s->origin->object)) &&
                (!s->also || tlk_in_list(objects, ',', tlk_str(s->also)));
    }
    return k->own ? seen > 0 : seen == n;
}

/* Objects that the user may not see are absent [REST:resources_describeGlobal]. */
tl_status sf_objects_seen(tl_conn *c, tl_str *names, tl_error *e)
{
    tl_http r;
    const tlk_node *root = NULL, *one;
    TLK_AUTO_BUF b = {0};
    sf_get_request(c, &r, sf_path(c, "/sobjects"));
    tl_status rc = sf_call(c, &r, &root, e);
    if (rc != TL_OK)
        return rc;
    tlk_iter each = tlk_each(tlk_get(root, "sobjects"));
    while (tlk_next_item(&each, &one)) {
        if (!tlk_is_true(tlk_get(one, "queryable")))
            continue;
        tlk_addz(&b, b.n ? "," : "");
        tlk_add(&b, tlk_text_at(one, "name", &c->page));
    }
    *names = tlk_dup(&c->call, tlk_lent(&b));
    return TL_OK;
}
