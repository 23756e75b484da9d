#include "salesforce_schema.h"

/* The stock fields. Columns: name, label, type, length, then designated extras. Flags and lengths as in the describes.
 */
#define TEXT(name, label, len, flg, ...)                                                                               \
    {                                                                                                                  \
        name, label, SF_STRING, len, .flags = (flg), ##__VA_ARGS__                                                     \
    }
#define FIELD(name, label, kind, len, flg, ...)                                                                        \
    {                                                                                                                  \
        name, label, kind, len, .flags = (flg), ##__VA_ARGS__                                                          \
    }
#define REF(name, label, to, rel, flg, ...)                                                                            \
    {                                                                                                                  \
        name, label, SF_REFERENCE, 18, .flags = (flg), .refs = to, .relationship = rel, ##__VA_ARGS__                  \
    }
#define PICK(name, label, len, flg, values)                                                                            \
    {                                                                                                                  \
        name, label, SF_PICKLIST, len, .flags = (flg), .picks = values                                                 \
    }
#define NUMBER(name, label, kind, prec, scl, flg)                                                                      \
    {                                                                                                                  \
        name, label, kind, .precision = prec, .scale = scl, .flags = (flg)                                             \
    }
#define INTEGER(name, label, dig, flg)                                                                                 \
    {                                                                                                                  \
        name, label, SF_INT, .digits = dig, .flags = (flg)                                                             \
    }

#define SYSTEM_HEAD(label)                                                                                             \
    {"Id", label " ID", SF_ID, 18, .flags = F_D | F_LOOKUP, .source = SRC_ID},                                         \
    {                                                                                                                  \
        "IsDeleted", "Deleted", SF_BOOLEAN, .flags = F_D, .source = SRC_DELETED                                        \
    }
#define SYSTEM_TAIL                                                                                                    \
    {"CreatedDate", "Created Date", SF_DATETIME, .flags = F_D, .source = SRC_CREATED}, {"CreatedById",                 \
                                                                                        "Created By ID",               \
                                                                                        SF_REFERENCE,                  \
                                                                                        18,                            \
                                                                                        .flags = F_D,                  \
                                                                                        .refs = "User",                \
                                                                                        .relationship = "CreatedBy",   \
                                                                                        .source = SRC_CREATED_BY},     \
        {"LastModifiedDate", "Last Modified Date", SF_DATETIME, .flags = F_D, .source = SRC_MODIFIED},                 \
        {"LastModifiedById",                                                                                           \
         "Last Modified By ID",                                                                                        \
         SF_REFERENCE,                                                                                                 \
         18,                                                                                                           \
         .flags = F_D,                                                                                                 \
         .refs = "User",                                                                                               \
         .relationship = "LastModifiedBy",                                                                             \
         .source = SRC_MODIFIED_BY},                                                                                   \
    {                                                                                                                  \
        "SystemModstamp", "System Modstamp", SF_DATETIME, .flags = F_D, .source = SRC_STAMP                            \
    }
#define OWNER(to)  REF("OwnerId", "Owner ID", to, "Owner", F_CUD)
#define MASTER(to) REF("MasterRecordId", "Master Record ID", to, "MasterRecord", F_N)
#define VIEWED                                                                                                         \
    FIELD("LastActivityDate", "Last Activity", SF_DATE, 0, F_N),                                                       \
        FIELD("LastViewedDate", "Last Viewed Date", SF_DATETIME, 0, F_N),                                              \
        FIELD("LastReferencedDate", "Last Referenced Date", SF_DATETIME, 0, F_N)
#define ACCURACY "Address|NearAddress|Block|Street|ExtendedZip|Zip|Neighborhood|City|County|State|Unknown"
#define ADDRESS(p, l)                                                                                                  \
    FIELD(p "Street", l "Street", SF_TEXTAREA, 255, F_CUN), TEXT(p "City", l "City", 40, F_CUN),                       \
        TEXT(p "State", l "State/Province", 80, F_CUN), TEXT(p "PostalCode", l "Zip/Postal Code", 20, F_CUN),          \
        TEXT(p "Country", l "Country", 80, F_CUN), NUMBER(p "Latitude", l "Latitude", SF_DOUBLE, 18, 15, F_CUN),       \
        NUMBER(p "Longitude", l "Longitude", SF_DOUBLE, 18, 15, F_CUN),                                                \
        PICK(p "GeocodeAccuracy", l "Geocode Accuracy", 40, F_CUN | F_R, ACCURACY),                                    \
        FIELD(p "Address", l "Address", SF_ADDRESS, 0, F_N, .source = SRC_ADDRESS)
#define INDUSTRIES                                                                                                     \
    "Agriculture|Apparel|Banking|Biotechnology|Chemicals|Communications|Construction|Consulting|Education|"            \
    "Electronics|Energy|Engineering|Entertainment|Environmental|Finance|Food & Beverage|Government|Healthcare|"        \
    "Hospitality|Insurance|Machinery|Manufacturing|Media|Not For Profit|Recreation|Retail|Shipping|Technology|"        \
    "Telecommunications|Transportation|Utilities|Other"
#define RATINGS                 "Hot|Warm|Cold"
#define SOURCES                 "Web|Phone Inquiry|Partner Referral|Purchased List|Other"
#define SALUTATIONS             "Mr.|Ms.|Mrs.|Dr.|Prof."
#define PHONE(name, label, flg) FIELD(name, label, SF_PHONE, 40, flg)

static const struct sf_field ACCOUNT[] = {
    SYSTEM_HEAD("Account"),
    MASTER("Account"),
    TEXT("Name", "Account Name", 255, F_CU | F_NAME | F_INDEX),
    PICK("Type", "Account Type", 40, F_CUN,
         "Prospect|Customer - Direct|Customer - Channel|Channel Partner / Reseller|Installation Partner|"
         "Technology Partner|Other"),
    REF("ParentId", "Parent Account ID", "Account", "Parent", F_CUN | F_INDEX),
    ADDRESS("Billing", "Billing "),
    ADDRESS("Shipping", "Shipping "),
    PHONE("Phone", "Account Phone", F_CUN),
    PHONE("Fax", "Account Fax", F_CUN),
    TEXT("AccountNumber", "Account Number", 40, F_CUN),
    FIELD("Website", "Website", SF_URL, 255, F_CUN),
    FIELD("PhotoUrl", "Photo URL", SF_URL, 255, F_N),
    TEXT("Sic", "SIC Code", 20, F_CUN),
    PICK("Industry", "Industry", 40, F_CUN, INDUSTRIES),
    NUMBER("AnnualRevenue", "Annual Revenue", SF_CURRENCY, 18, 0, F_CUN),
    INTEGER("NumberOfEmployees", "Employees", 8, F_CUN),
    PICK("Ownership", "Ownership", 40, F_CUN, "Public|Private|Subsidiary|Other"),
    TEXT("TickerSymbol", "Ticker Symbol", 20, F_CUN),
    FIELD("Description", "Account Description", SF_TEXTAREA, 32000, F_CUN),
    PICK("Rating", "Account Rating", 40, F_CUN, RATINGS),
    TEXT("Site", "Account Site", 80, F_CUN),
    OWNER("User"),
    SYSTEM_TAIL,
    VIEWED,
    TEXT("Jigsaw", "Data.com Key", 20, F_CUN),
    PICK("AccountSource", "Account Source", 40, F_CUN, SOURCES),
    TEXT("DunsNumber", "D-U-N-S Number", 9, F_CUN),
    TEXT("Tradestyle", "Tradestyle", 255, F_CUN),
    TEXT("NaicsCode", "NAICS Code", 8, F_CUN),
    TEXT("NaicsDesc", "NAICS Description", 120, F_CUN),
    TEXT("YearStarted", "Year Started", 4, F_CUN),
    TEXT("SicDesc", "SIC Description", 80, F_CUN),
};

static const struct sf_field CONTACT[] = {
    SYSTEM_HEAD("Contact"),
    MASTER("Contact"),
    REF("AccountId", "Account ID", "Account", "Account", F_CUN | F_INDEX),
    TEXT("LastName", "Last Name", 80, F_CU),
    TEXT("FirstName", "First Name", 40, F_CUN),
    PICK("Salutation", "Salutation", 40, F_CUN, SALUTATIONS),
    TEXT("Name", "Full Name", 121, F_NAME | F_INDEX, .source = SRC_PERSON_NAME),
    ADDRESS("Other", "Other "),
    ADDRESS("Mailing", "Mailing "),
    PHONE("Phone", "Business Phone", F_CUN),
    PHONE("Fax", "Business Fax", F_CUN),
    PHONE("MobilePhone", "Mobile Phone", F_CUN),
    PHONE("HomePhone", "Home Phone", F_CUN),
    PHONE("OtherPhone", "Other Phone", F_CUN),
    PHONE("AssistantPhone", "Asst. Phone", F_CUN),
    REF("ReportsToId", "Reports To ID", "Contact", "ReportsTo", F_CUN),
    FIELD("Email", "Email", SF_EMAIL, 80, F_CUN | F_LOOKUP | F_INDEX),
    TEXT("Title", "Title", 128, F_CUN),
    TEXT("Department", "Department", 80, F_CUN),
    TEXT("AssistantName", "Assistant's Name", 40, F_CUN),
    PICK("LeadSource", "Lead Source", 255, F_CUN, SOURCES),
    FIELD("Birthdate", "Birthdate", SF_DATE, 0, F_CUN),
    FIELD("Description", "Contact Description", SF_TEXTAREA, 32000, F_CUN),
    OWNER("User"),
    SYSTEM_TAIL,
    VIEWED,
    TEXT("EmailBouncedReason", "Email Bounced Reason", 255, F_N),
    FIELD("EmailBouncedDate", "Email Bounced Date", SF_DATETIME, 0, F_N),
    FIELD("IsEmailBounced", "Is Email Bounced", SF_BOOLEAN, 0, F_D),
    FIELD("PhotoUrl", "Photo URL", SF_URL, 255, F_N),
    TEXT("Jigsaw", "Data.com Key", 20, F_CUN),
};

static const struct sf_field LEAD[] = {
    SYSTEM_HEAD("Lead"),
    MASTER("Lead"),
    TEXT("LastName", "Last Name", 80, F_CU),
    TEXT("FirstName", "First Name", 40, F_CUN),
    PICK("Salutation", "Salutation", 40, F_CUN, SALUTATIONS),
    TEXT("Name", "Full Name", 121, F_NAME | F_INDEX, .source = SRC_PERSON_NAME),
    TEXT("Title", "Title", 128, F_CUN),
    TEXT("Company", "Company", 255, F_CU),
    ADDRESS("", ""),
    PHONE("Phone", "Phone", F_CUN),
    PHONE("MobilePhone", "Mobile Phone", F_CUN),
    PHONE("Fax", "Fax", F_CUN),
    FIELD("Email", "Email", SF_EMAIL, 80, F_CUN | F_LOOKUP | F_INDEX),
    FIELD("Website", "Website", SF_URL, 255, F_CUN),
    FIELD("Description", "Description", SF_TEXTAREA, 32000, F_CUN),
    PICK("LeadSource", "Lead Source", 255, F_CUN, SOURCES),
    PICK("Status", "Status", 255, F_CUD,
         "*Open - Not Contacted|Working - Contacted|Closed - Converted|Closed - Not Converted"),
    PICK("Industry", "Industry", 255, F_CUN, INDUSTRIES),
    PICK("Rating", "Rating", 255, F_CUN, RATINGS),
    NUMBER("AnnualRevenue", "Annual Revenue", SF_CURRENCY, 18, 0, F_CUN),
    INTEGER("NumberOfEmployees", "Employees", 8, F_CUN),
    OWNER("Group,User"),
    FIELD("IsConverted", "Converted", SF_BOOLEAN, 0, F_C | F_D),
    FIELD("ConvertedDate", "Converted Date", SF_DATE, 0, F_N),
    REF("ConvertedAccountId", "Converted Account ID", "Account", "ConvertedAccount", F_N),
    REF("ConvertedContactId", "Converted Contact ID", "Contact", "ConvertedContact", F_N),
    REF("ConvertedOpportunityId", "Converted Opportunity ID", "Opportunity", "ConvertedOpportunity", F_N),
    SYSTEM_TAIL,
    VIEWED,
};

static const struct sf_field OPPORTUNITY[] = {
    SYSTEM_HEAD("Opportunity"),
    REF("AccountId", "Account ID", "Account", "Account", F_CUN | F_INDEX),
    FIELD("IsPrivate", "Private", SF_BOOLEAN, 0, F_CUD),
    TEXT("Name", "Name", 120, F_CU | F_NAME | F_LOOKUP | F_INDEX),
    FIELD("Description", "Description", SF_TEXTAREA, 32000, F_CUN),
    PICK("StageName", "Stage", 255, F_CU,
         "Prospecting|Qualification|Needs Analysis|Value Proposition|Id. Decision Makers|Perception Analysis|"
         "Proposal/Price Quote|Negotiation/Review|Closed Won|Closed Lost"),
    NUMBER("Amount", "Amount", SF_CURRENCY, 18, 2, F_CUN),
    NUMBER("Probability", "Probability (%)", SF_PERCENT, 3, 0, F_CUN | F_D),
    FIELD("CloseDate", "Close Date", SF_DATE, 0, F_CU),
    PICK("Type", "Opportunity Type", 255, F_CUN,
         "Existing Customer - Upgrade|Existing Customer - Replacement|Existing Customer - Downgrade|New Customer"),
    TEXT("NextStep", "Next Step", 255, F_CUN),
    PICK("LeadSource", "Lead Source", 255, F_CUN, SOURCES),
    FIELD("IsClosed", "Closed", SF_BOOLEAN, 0, F_D),
    FIELD("IsWon", "Won", SF_BOOLEAN, 0, F_D),
    PICK("ForecastCategoryName", "Forecast Category", 40, F_CUD | F_N | F_R,
         "Omitted|Pipeline|Best Case|Commit|Closed"),
    REF("ContactId", "Contact ID", "Contact", NULL, F_C | F_N | F_INDEX),
    OWNER("User"),
    SYSTEM_TAIL,
    VIEWED,
};

static const struct sf_field CONTACT_ROLE[] = {
    SYSTEM_HEAD("Contact Role"),
    REF("OpportunityId", "Opportunity ID", "Opportunity", "Opportunity", F_C | F_INDEX),
    REF("ContactId", "Contact ID", "Contact", "Contact", F_CU | F_INDEX),
    PICK("Role", "Role", 40, F_CUN,
         "Business User|Decision Maker|Economic Buyer|Economic Decision Maker|Evaluator|Executive Sponsor|"
         "Influencer|Technical Buyer|Other"),
    FIELD("IsPrimary", "Primary", SF_BOOLEAN, 0, F_CUD),
    SYSTEM_TAIL,
};

static const struct sf_field TASK[] = {
    SYSTEM_HEAD("Activity"),
    REF("WhoId", "Name ID", "Contact,Lead", "Who", F_CUN | F_INDEX),
    REF("WhatId", "Related To ID", "Account,Opportunity", "What", F_CUN | F_INDEX),
    FIELD("Subject", "Subject", SF_COMBOBOX, 255, F_CUN | F_NAME, .picks = "Call|Send Letter|Send Quote|Other"),
    FIELD("ActivityDate", "Due Date Only", SF_DATE, 0, F_CUN),
    PICK("Status", "Status", 255, F_CUD, "*Not Started|In Progress|Completed|Waiting on someone else|Deferred"),
    PICK("Priority", "Priority", 255, F_CUD, "High|*Normal|Low"),
    FIELD("IsHighPriority", "High Priority", SF_BOOLEAN, 0, F_D),
    OWNER("Group,User"),
    FIELD("Description", "Description", SF_TEXTAREA, 32000, F_CUN),
    REF("AccountId", "Account ID", "Account", "Account", F_N | F_INDEX),
    FIELD("IsClosed", "Closed", SF_BOOLEAN, 0, F_D),
    FIELD("IsArchived", "Archived", SF_BOOLEAN, 0, F_D),
    INTEGER("CallDurationInSeconds", "Call Duration", 8, F_CUN),
    PICK("CallType", "Call Type", 40, F_CUN | F_R, "Internal|Inbound|Outbound"),
    TEXT("CallDisposition", "Call Result", 255, F_CUN),
    TEXT("CallObject", "Call Object Identifier", 255, F_CUN),
    FIELD("ReminderDateTime", "Reminder Date/Time", SF_DATETIME, 0, F_CUN),
    FIELD("IsReminderSet", "Reminder Set", SF_BOOLEAN, 0, F_CUD),
    PICK("TaskSubtype", "Task Subtype", 40, F_C | F_N | F_D | F_R, "*Task|Email|ListEmail|Cadence|Call"),
    FIELD("CompletedDateTime", "Completed Date", SF_DATETIME, 0, F_N),
    SYSTEM_TAIL,
};

static const struct sf_field EVENT[] = {
    SYSTEM_HEAD("Activity"),
    REF("WhoId", "Name ID", "Contact,Lead", "Who", F_CUN | F_INDEX),
    REF("WhatId", "Related To ID", "Account,Opportunity", "What", F_CUN | F_INDEX),
    FIELD("Subject", "Subject", SF_COMBOBOX, 255, F_CUN | F_NAME, .picks = "Call|Email|Meeting|Other"),
    TEXT("Location", "Location", 255, F_CUN),
    FIELD("IsAllDayEvent", "All-Day Event", SF_BOOLEAN, 0, F_CUD),
    FIELD("ActivityDateTime", "Due Date Time", SF_DATETIME, 0, F_CUN),
    FIELD("ActivityDate", "Due Date Only", SF_DATE, 0, F_CUN),
    INTEGER("DurationInMinutes", "Duration", 8, F_CUN),
    FIELD("StartDateTime", "Start Date Time", SF_DATETIME, 0, F_CUN),
    FIELD("EndDateTime", "End Date Time", SF_DATETIME, 0, F_CUN),
    FIELD("Description", "Description", SF_TEXTAREA, 32000, F_CUN),
    REF("AccountId", "Account ID", "Account", "Account", F_N | F_INDEX),
    OWNER("User"),
    FIELD("IsPrivate", "Private", SF_BOOLEAN, 0, F_CUD),
    PICK("ShowAs", "Show Time As", 40, F_CUN | F_D | F_R, "*Busy|OutOfOffice|Free"),
    FIELD("IsChild", "Is Child", SF_BOOLEAN, 0, F_D),
    FIELD("IsGroupEvent", "Is Group Event", SF_BOOLEAN, 0, F_D),
    FIELD("IsArchived", "Archived", SF_BOOLEAN, 0, F_D),
    PICK("EventSubtype", "Event Subtype", 40, F_C | F_N | F_D | F_R, "*Event"),
    SYSTEM_TAIL,
};

static const struct sf_field NOTE[] = {
    SYSTEM_HEAD("Note"),
    REF("ParentId", "Parent ID", "Account,Contact,Lead,Opportunity", "Parent", F_C | F_INDEX),
    TEXT("Title", "Title", 80, F_CU | F_NAME),
    FIELD("IsPrivate", "Private", SF_BOOLEAN, 0, F_CUD),
    FIELD("Body", "Body", SF_TEXTAREA, 32000, F_CUN),
    OWNER("User"),
    SYSTEM_TAIL,
};

/* Enhanced notes are documents of the file type SNOTE: a document, its latest version with the text, and a link to each
 * record it is shown with (Object Reference: ContentDocument, ContentVersion, ContentDocumentLink). */
static const struct sf_field CONTENT_DOCUMENT[] = {
    SYSTEM_HEAD("ContentDocument"),
    TEXT("Title", "Title", 255, F_CU | F_NAME),
    TEXT("FileType", "File Type", 20, F_N),
    REF("LatestPublishedVersionId", "Latest Published Version ID", "ContentVersion", "LatestPublishedVersion", F_N),
    OWNER("User"),
    SYSTEM_TAIL,
};

static const struct sf_field CONTENT_VERSION[] = {
    SYSTEM_HEAD("ContentVersion"),
    REF("ContentDocumentId", "ContentDocument ID", "ContentDocument", "ContentDocument", F_C | F_N | F_INDEX),
    FIELD("IsLatest", "Is Latest", SF_BOOLEAN, 0, F_D),
    TEXT("Title", "Title", 255, F_CU | F_NAME),
    TEXT("TextPreview", "Text Preview", 255, F_N),
    TEXT("FileType", "File Type", 20, F_N),
    OWNER("User"),
    SYSTEM_TAIL,
};

static const struct sf_field CONTENT_LINK[] = {
    SYSTEM_HEAD("ContentDocumentLink"),
    REF("LinkedEntityId", "Linked Entity ID", "Account,Contact,Lead,Opportunity", "LinkedEntity", F_C | F_INDEX),
    REF("ContentDocumentId", "ContentDocument ID", "ContentDocument", "ContentDocument", F_C | F_INDEX),
    PICK("ShareType", "Share Type", 40, F_CUN | F_R, "V|C|I"),
    PICK("Visibility", "Visibility", 40, F_CUN | F_R, "AllUsers|InternalUsers|SharedUsers"),
    FIELD("SystemModstamp", "System Modstamp", SF_DATETIME, 0, F_D, .source = SRC_STAMP),
};

static const struct sf_field USER[] = {
    {"Id", "User ID", SF_ID, 18, .flags = F_D | F_LOOKUP, .source = SRC_ID},
    TEXT("Username", "Username", 80, F_CU | F_INDEX | F_LOOKUP),
    TEXT("LastName", "Last Name", 80, F_CU),
    TEXT("FirstName", "First Name", 40, F_CUN),
    TEXT("Name", "Full Name", 121, F_NAME | F_INDEX, .source = SRC_PERSON_NAME),
    FIELD("Email", "Email", SF_EMAIL, 128, F_CU | F_INDEX),
    TEXT("Alias", "Alias", 8, F_CU),
    FIELD("IsActive", "Active", SF_BOOLEAN, 0, F_CUD),
    PICK("TimeZoneSidKey", "Time Zone", 40, F_CU | F_R, "GMT|America/Los_Angeles|Europe/Berlin|Europe/Kiev"),
    PICK("LocaleSidKey", "Locale", 40, F_CU | F_R, "en_US|en_GB|de_DE|pt_BR|uk_UA|zh_CN"),
    PICK("UserType", "User Type", 40, F_N | F_R, "Standard"),
    SYSTEM_TAIL,
};

static const struct {
    const char *name, *label, *plural, *prefix;
    uint32_t flags;
    const struct sf_field *fields;
    size_t n;
} STOCK[] = {
    {"Account", "Account", "Accounts", "001", O_ALL | O_MERGE, ACCOUNT, ARRAY_LEN(ACCOUNT)},
    {"Contact", "Contact", "Contacts", "003", O_ALL | O_MERGE, CONTACT, ARRAY_LEN(CONTACT)},
    {"ContentDocument", "Content Document", "Content Documents", "069", O_QUERY | O_UPDATE | O_DELETE | O_REPLICATE,
     CONTENT_DOCUMENT, ARRAY_LEN(CONTENT_DOCUMENT)},
    {"ContentDocumentLink", "Content Document Link", "Content Document Link", "06A", O_ALL, CONTENT_LINK,
     ARRAY_LEN(CONTENT_LINK)},
    {"ContentVersion", "Content Version", "Content Versions", "068", O_QUERY | O_CREATE | O_UPDATE | O_REPLICATE,
     CONTENT_VERSION, ARRAY_LEN(CONTENT_VERSION)},
    {"Event", "Event", "Events", "00U", O_ALL, EVENT, ARRAY_LEN(EVENT)},
    {"Lead", "Lead", "Leads", "00Q", O_ALL | O_MERGE, LEAD, ARRAY_LEN(LEAD)},
    {"Note", "Note", "Notes", "002", O_ALL, NOTE, ARRAY_LEN(NOTE)},
    {"Opportunity", "Opportunity", "Opportunities", "006", O_ALL, OPPORTUNITY, ARRAY_LEN(OPPORTUNITY)},
    {"OpportunityContactRole", "Opportunity Contact Role", "Opportunity Contact Role", "00K", O_ALL, CONTACT_ROLE,
     ARRAY_LEN(CONTACT_ROLE)},
    {"Task", "Task", "Tasks", "00T", O_ALL, TASK, ARRAY_LEN(TASK)},
    {"User", "User", "Users", "005", O_QUERY | O_UPDATE | O_REPLICATE, USER, ARRAY_LEN(USER)},
};

static uint32_t name_hash(str name)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        h = (h ^ (c >= 'A' && c <= 'Z' ? c + 32u : c)) * 16777619u;
    }
    return h ^ (h >> 15);
}

static void slot_put(struct sf_object *o, const struct sf_field *f)
{
    uint32_t i = name_hash(str_of(f->name)) % SF_SLOTS;
    while (o->slots[i])
        i = (i + 1) % SF_SLOTS;
    o->slots[i] = (uint16_t)(f->number + 1);
}

static void field_put(struct sf_schema *s, struct sf_object *o, const struct sf_field *f)
{
    struct sf_field *to = &o->fields[o->n];
    *to = *f;
    to->key = str_of(arena_fmt(&s->memory, ",\"%s\":", f->name));
    to->number = (uint16_t)o->n++;
    if (f->flags & F_NAME)
        o->name_field = to->name;
    slot_put(o, to);
}

void sf_schema_init(struct sf_schema *s, int64_t now_us)
{
    *s = (struct sf_schema){.n = ARRAY_LEN(STOCK)};
    for (size_t i = 0; i < s->n; i++) {
        struct sf_object *o = &s->objects[i];
        *o = (struct sf_object){.name = STOCK[i].name,
                                .label = STOCK[i].label,
                                .plural = STOCK[i].plural,
                                .prefix = STOCK[i].prefix,
                                .flags = STOCK[i].flags,
                                .described_us = now_us,
                                .number = (int)i};
        o->fields = arena_array(&s->memory, struct sf_field, SF_FIELDS_MAX);
        for (size_t f = 0; f < STOCK[i].n; f++)
            field_put(s, o, &STOCK[i].fields[f]);
    }
}

void sf_schema_done(struct sf_schema *s)
{
    arena_done(&s->memory);
}

struct sf_object *sf_schema_object(struct sf_schema *s, str name)
{
    for (size_t i = 0; i < s->n; i++)
        if (str_eq_nocase(str_of(s->objects[i].name), name))
            return &s->objects[i];
    return NULL;
}

struct sf_object *sf_schema_prefix(struct sf_schema *s, str id)
{
    for (size_t i = 0; i < s->n; i++)
        if (id.n >= 3 && memcmp(s->objects[i].prefix, id.p, 3) == 0)
            return &s->objects[i];
    return NULL;
}

struct sf_field *sf_object_field(const struct sf_object *o, str name)
{
    for (uint32_t i = name_hash(name) % SF_SLOTS; o->slots[i]; i = (i + 1) % SF_SLOTS) {
        struct sf_field *f = &o->fields[o->slots[i] - 1];
        if (str_eq_nocase(str_of(f->name), name))
            return f;
    }
    return NULL;
}

struct sf_object *sf_schema_seen(struct sf_schema *s, str name)
{
    struct sf_object *o = sf_schema_object(s, name);
    return o && !o->hidden ? o : NULL;
}

struct sf_field *sf_object_visible(const struct sf_object *o, str name)
{
    struct sf_field *f = sf_object_field(o, name);
    return f && !(f->flags & F_HIDDEN) ? f : NULL;
}

struct sf_field *sf_object_relation(const struct sf_object *o, str name)
{
    for (size_t i = 0; i < o->n; i++) {
        struct sf_field *f = &o->fields[i];
        if (f->relationship && !(f->flags & F_HIDDEN) && str_eq_nocase(str_of(f->relationship), name))
            return f;
    }
    return NULL;
}

static const char *copy_text(struct sf_schema *s, const char *z)
{
    return z ? arena_str(&s->memory, str_of(z)).p : NULL;
}

bool sf_object_add(struct sf_schema *s, struct sf_object *o, const struct sf_field *f, int64_t now_us)
{
    if (o->n >= SF_FIELDS_MAX || sf_object_field(o, str_of(f->name)))
        return false;
    struct sf_field copy = *f;
    copy.name = copy_text(s, f->name);
    copy.label = copy_text(s, f->label);
    copy.refs = copy_text(s, f->refs);
    copy.relationship = copy_text(s, f->relationship);
    copy.picks = copy_text(s, f->picks);
    copy.flags |= F_CUSTOM;
    field_put(s, o, &copy);
    o->described_us = now_us;
    return true;
}

bool sf_field_refers(const struct sf_field *f, const char *object)
{
    return f->refs && str_in_list(str_of(f->refs), str_of(object));
}

static const char *const TYPE_NAMES[] = {
    [SF_ID] = "id",          [SF_STRING] = "string",     [SF_TEXTAREA] = "textarea", [SF_BOOLEAN] = "boolean",
    [SF_INT] = "int",        [SF_DOUBLE] = "double",     [SF_CURRENCY] = "currency", [SF_PERCENT] = "percent",
    [SF_DATE] = "date",      [SF_DATETIME] = "datetime", [SF_EMAIL] = "email",       [SF_PHONE] = "phone",
    [SF_URL] = "url",        [SF_PICKLIST] = "picklist", [SF_COMBOBOX] = "combobox", [SF_REFERENCE] = "reference",
    [SF_ADDRESS] = "address"};

const char *sf_type_name(enum sf_type t)
{
    return TYPE_NAMES[t];
}

enum sf_type sf_type_of(str name, bool *known_out)
{
    for (size_t i = 0; i < ARRAY_LEN(TYPE_NAMES); i++)
        if (str_is(name, TYPE_NAMES[i])) {
            *known_out = true;
            return (enum sf_type)i;
        }
    *known_out = false;
    return SF_STRING;
}
