/* What the org is made of: resources, describes, limits, list views.
 * https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_describe.htm (and
 * _describeGlobal, _limits, _listviewdescribe) */
#include <stdio.h>

#include "salesforce_int.h"
#include "times.h"

static void put_bool(struct buf *out, const char *key, bool v)
{
    buf_char(out, '"');
    buf_text_add(out, key);
    buf_text_add(out, v ? "\":true," : "\":false,");
}

static void put_text(struct buf *out, const char *key, const char *text)
{
    json_put_key(out, key);
    json_put_text(out, text);
    buf_char(out, ',');
}

static void put_number(struct buf *out, const char *key, int64_t v)
{
    json_put_key(out, key);
    buf_fmt(out, "%lld,", (long long)v);
}

void sf_resources(struct sf_req *r)
{
    static const char *const names[] = {"sobjects", "query", "queryAll", "limits", "composite"};
    const char *base = sf_req_base(r);
    buf_char(r->out, '{');
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        buf_fmt(r->out, "\"%s\":\"%s/%s\",", names[i], base, names[i]);
    char user[SF_ID_MAX + 1];
    sf_id_make("005", r->session->user, user);
    buf_fmt(r->out, "\"identity\":\"%s/id/%s/%s\"}", twin_url(r->sf->login), r->sf->org_id, user);
    r->status = 200;
}

/* ---- objects ---- */

static void object_flags_put(struct buf *out, const struct sf_object *o)
{
    bool all = (o->flags & O_ALL) == O_ALL;
    put_bool(out, "activateable", false);
    put_text(out, "associateEntityType", NULL);
    put_text(out, "associateParentEntity", NULL);
    put_bool(out, "createable", (o->flags & O_CREATE) != 0);
    put_bool(out, "custom", false);
    put_bool(out, "customSetting", false);
    put_bool(out, "deepCloneable", false);
    put_bool(out, "deletable", (o->flags & O_DELETE) != 0);
    put_bool(out, "deprecatedAndHidden", false);
    put_bool(out, "feedEnabled", all);
    put_bool(out, "hasSubtypes", false);
    put_bool(out, "isInterface", false);
    put_bool(out, "isSubtype", false);
    put_text(out, "keyPrefix", o->prefix);
    put_text(out, "label", o->label);
    put_text(out, "labelPlural", o->plural);
    put_bool(out, "layoutable", all);
    put_bool(out, "mergeable", (o->flags & O_MERGE) != 0);
    put_bool(out, "mruEnabled", all);
    put_text(out, "name", o->name);
    put_bool(out, "queryable", (o->flags & O_QUERY) != 0);
    put_bool(out, "replicateable", (o->flags & O_REPLICATE) != 0);
    put_bool(out, "retrieveable", true);
    put_bool(out, "searchable", all);
    put_bool(out, "triggerable", all);
    put_bool(out, "undeletable", (o->flags & O_DELETE) != 0);
    put_bool(out, "updateable", (o->flags & O_UPDATE) != 0);
}

static void urls_put(struct buf *out, const char *base, const struct sf_object *o, const char *host)
{
    const char *n = o->name;
    buf_fmt(out,
            "\"urls\":{\"compactLayouts\":\"%s/sobjects/%s/describe/compactLayouts\",\"rowTemplate\":"
            "\"%s/sobjects/%s/{ID}\",\"describe\":\"%s/sobjects/%s/describe\",\"layouts\":"
            "\"%s/sobjects/%s/describe/layouts\",\"sobject\":\"%s/sobjects/%s\"",
            base, n, base, n, base, n, base, n, base, n);
    if (host)
        buf_fmt(out, ",\"uiDetailTemplate\":\"%s/{ID}\",\"uiEditTemplate\":\"%s/{ID}/e\",\"uiNewRecord\":\"%s/%s/e\"",
                host, host, host, o->prefix);
    buf_char(out, '}');
}

/* True after a 304. */
static bool not_modified(struct sf_req *r, int64_t changed_us)
{
    AUTO(buf_done) struct buf date = {0};
    int64_t since = 0;
    http_date_format(&date, changed_us);
    r->last_modified = arena_str(r->a, buf_lent(&date)).p;
    if (!r->if_modified.n || !http_date_parse(r->if_modified, &since) || changed_us / US_PER_S > since / US_PER_S)
        return false;
    r->status = 304;
    return true;
}

void sf_describe_global(struct sf_req *r)
{
    struct sf_schema *s = &r->sf->schema;
    int64_t changed = 0;
    for (size_t i = 0; i < s->n; i++)
        changed = s->objects[i].described_us > changed ? s->objects[i].described_us : changed;
    if (not_modified(r, changed))
        return;
    buf_text_add(r->out, "{\"encoding\":\"UTF-8\",\"maxBatchSize\":200,\"sobjects\":[");
    bool first = true;
    for (size_t i = 0; i < s->n; i++) {
        if (s->objects[i].hidden)
            continue;
        buf_text_add(r->out, first ? "{" : ",{");
        first = false;
        object_flags_put(r->out, &s->objects[i]);
        urls_put(r->out, sf_req_base(r), &s->objects[i], NULL);
        buf_char(r->out, '}');
    }
    buf_text_add(r->out, "]}");
    r->status = 200;
}

void sf_basic_info(struct sf_req *r)
{
    struct sf_object *o = sf_req_object(r, r->capture[0]);
    if (!o)
        return;
    buf_text_add(r->out, "{\"objectDescribe\":{");
    object_flags_put(r->out, o);
    urls_put(r->out, sf_req_base(r), o, NULL);
    buf_text_add(r->out, "},\"recentItems\":[]}");
    r->status = 200;
}

/* ---- fields ---- */

static const char *soap_type(const struct sf_field *f)
{
    switch (f->type) {
    case SF_ID:
    case SF_REFERENCE:
        return "tns:ID";
    case SF_BOOLEAN:
        return "xsd:boolean";
    case SF_INT:
        return "xsd:int";
    case SF_DOUBLE:
    case SF_CURRENCY:
    case SF_PERCENT:
        return "xsd:double";
    case SF_DATE:
        return "xsd:date";
    case SF_DATETIME:
        return "xsd:dateTime";
    case SF_ADDRESS:
        return "urn:address";
    default:
        return "xsd:string";
    }
}

static void picks_put(struct buf *out, const struct sf_field *f)
{
    str rest = str_of(f->picks), one;
    bool first = true;
    buf_text_add(out, "\"picklistValues\":[");
    while (f->picks && str_split(&rest, '|', &one)) {
        bool is_default = one.n && one.p[0] == '*';
        str value = is_default ? str_n(one.p + 1, one.n - 1) : one;
        buf_text_add(out, first ? "{\"active\":true,\"defaultValue\":" : ",{\"active\":true,\"defaultValue\":");
        buf_text_add(out, is_default ? "true,\"label\":" : "false,\"label\":");
        json_put(out, value);
        buf_text_add(out, ",\"validFor\":null,\"value\":");
        json_put(out, value);
        buf_char(out, '}');
        first = false;
    }
    buf_text_add(out, "],");
}

static void refs_put(struct buf *out, const struct sf_field *f)
{
    str rest = str_of(f->refs), one;
    bool first = true;
    buf_text_add(out, "\"referenceTo\":[");
    while (f->refs && str_split(&rest, ',', &one)) {
        if (!first)
            buf_char(out, ',');
        json_put(out, one);
        first = false;
    }
    buf_text_add(out, "],");
}

static const char *compound_of(const struct sf_object *o, const struct sf_field *f)
{
    static const char *const parts[] = {"Street",  "City",     "State",     "PostalCode",
                                        "Country", "Latitude", "Longitude", "GeocodeAccuracy"};
    static const char *const prefixes[] = {"Billing", "Shipping", "Mailing", "Other", ""};
    static const char *const compounds[] = {"BillingAddress", "ShippingAddress", "MailingAddress", "OtherAddress",
                                            "Address"};
    for (size_t p = 0; p < ARRAY_LEN(prefixes); p++)
        for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
            char name[64];
            snprintf(name, sizeof name, "%s%s", prefixes[p], parts[i]);
            if (strcmp(name, f->name) == 0 && sf_object_field(o, str_of(compounds[p])))
                return compounds[p];
        }
    bool person = o->name_field && sf_object_field(o, STR("FirstName"));
    if (person &&
        (strcmp(f->name, "FirstName") == 0 || strcmp(f->name, "LastName") == 0 || strcmp(f->name, "Salutation") == 0))
        return "Name";
    return NULL;
}

static void field_first_half_put(struct buf *out, const struct sf_object *o, const struct sf_field *f)
{
    bool numeric = sf_is_number(f->type);
    put_bool(out, "aggregatable", !sf_is_long_text(f) && f->type != SF_BOOLEAN && f->type != SF_ADDRESS);
    put_bool(out, "aiPredictionField", false);
    put_bool(out, "autoNumber", false);
    put_number(out, "byteLength", f->type == SF_ID || f->type == SF_REFERENCE ? 18 : f->length * 3);
    put_bool(out, "calculated", false);
    put_text(out, "calculatedFormula", NULL);
    put_bool(out, "cascadeDelete", false);
    put_bool(out, "caseSensitive", (f->flags & F_CASE) != 0);
    put_text(out, "compoundFieldName", compound_of(o, f));
    put_text(out, "controllerName", NULL);
    put_bool(out, "createable", (f->flags & F_C) != 0);
    put_bool(out, "custom", (f->flags & F_CUSTOM) != 0);
    if (f->type == SF_BOOLEAN)
        put_bool(out, "defaultValue", false);
    else
        put_text(out, "defaultValue", NULL);
    put_text(out, "defaultValueFormula", NULL);
    put_bool(out, "defaultedOnCreate", (f->flags & F_D) != 0 || f->type == SF_BOOLEAN);
    put_bool(out, "dependentPicklist", false);
    put_bool(out, "deprecatedAndHidden", false);
    put_number(out, "digits", f->digits);
    put_bool(out, "displayLocationInDecimal", false);
    put_bool(out, "encrypted", false);
    put_bool(out, "externalId", (f->flags & F_EXTERNAL) != 0);
    put_text(out, "extraTypeInfo", NULL);
    put_bool(out, "filterable", !sf_is_long_text(f) && f->type != SF_ADDRESS);
    put_text(out, "filteredLookupInfo", NULL);
    put_bool(out, "formulaTreatNullNumberAsZero", false);
    put_bool(out, "groupable", !sf_is_long_text(f) && !numeric && f->type != SF_DATETIME && f->type != SF_ADDRESS);
    put_bool(out, "highScaleNumber", false);
    put_bool(out, "htmlFormatted", false);
    put_bool(out, "idLookup", (f->flags & (F_LOOKUP | F_EXTERNAL)) != 0);
    put_text(out, "inlineHelpText", NULL);
    put_text(out, "label", f->label);
    put_number(out, "length", f->length);
}

static void field_put(struct buf *out, const struct sf_object *o, const struct sf_field *f)
{
    bool several = sf_is_polymorphic(f);
    buf_char(out, '{');
    field_first_half_put(out, o, f);
    put_text(out, "mask", NULL);
    put_text(out, "maskType", NULL);
    put_text(out, "name", f->name);
    put_bool(out, "nameField", (f->flags & F_NAME) != 0);
    put_bool(out, "namePointing", several);
    put_bool(out, "nillable", (f->flags & F_N) != 0);
    put_bool(out, "permissionable", (f->flags & F_N) != 0 && f->source == SRC_VALUE);
    picks_put(out, f);
    put_bool(out, "polymorphicForeignKey", several);
    put_number(out, "precision", f->precision);
    put_bool(out, "queryByDistance", false);
    put_text(out, "referenceTargetField", NULL);
    refs_put(out, f);
    put_text(out, "relationshipName", f->relationship);
    put_text(out, "relationshipOrder", NULL);
    put_bool(out, "restrictedDelete", false);
    put_bool(out, "restrictedPicklist", (f->flags & F_R) != 0);
    put_number(out, "scale", f->scale);
    put_bool(out, "searchPrefilterable", f->type == SF_REFERENCE);
    put_text(out, "soapType", soap_type(f));
    put_bool(out, "sortable", !sf_is_long_text(f) && f->type != SF_ADDRESS);
    put_text(out, "type", sf_type_name(f->type));
    put_bool(out, "unique", (f->flags & F_UNIQUE) != 0);
    put_bool(out, "updateable", (f->flags & F_U) != 0);
    put_bool(out, "writeRequiresMasterRead", false);
    out->n--; /* the comma behind the last member */
    buf_char(out, '}');
}

static void child_lists_put(struct buf *out, const struct sf_schema *s, const struct sf_object *o)
{
    bool first = true;
    buf_text_add(out, "\"childRelationships\":[");
    for (size_t i = 0; i < s->n; i++)
        for (size_t f = 0; f < s->objects[i].n; f++) {
            const struct sf_field *field = &s->objects[i].fields[f];
            if (!sf_field_refers(field, o->name) || (field->flags & F_HIDDEN) || s->objects[i].hidden)
                continue;
            const char *list = sf_child_list(o, &s->objects[i], field);
            bool cascade = list && field->number && strcmp(o->name, "Account") == 0 && &s->objects[i] != o;
            buf_fmt(out,
                    "%s{\"cascadeDelete\":%s,\"childSObject\":\"%s\",\"deprecatedAndHidden\":false,\"field\":\"%s\","
                    "\"junctionIdListNames\":[],\"junctionReferenceTo\":[],\"relationshipName\":",
                    first ? "" : ",", cascade ? "true" : "false", s->objects[i].name, field->name);
            json_put_text(out, list);
            buf_text_add(out, ",\"restrictedDelete\":false}");
            first = false;
        }
    buf_text_add(out, "],");
}

void sf_describe(struct sf_req *r)
{
    struct sf_object *o = sf_req_object(r, r->capture[0]);
    if (!o || not_modified(r, o->described_us))
        return;
    struct buf *out = r->out;
    buf_text_add(out, "{\"actionOverrides\":[],");
    object_flags_put(out, o);
    child_lists_put(out, &r->sf->schema, o);
    put_bool(out, "compactLayoutable", true);
    buf_text_add(out, "\"fields\":[");
    bool first = true;
    for (size_t i = 0; i < o->n; i++) {
        if (o->fields[i].flags & F_HIDDEN)
            continue;
        if (!first)
            buf_char(out, ',');
        field_put(out, o, &o->fields[i]);
        first = false;
    }
    buf_text_add(out,
                 "],\"listviewable\":null,\"lookupLayoutable\":null,\"namedLayoutInfos\":[],"
                 "\"networkScopeFieldName\":null,\"recordTypeInfos\":[{\"active\":true,\"available\":true,"
                 "\"defaultRecordTypeMapping\":true,\"developerName\":\"Master\",\"master\":true,\"name\":\"Master\","
                 "\"recordTypeId\":\"012000000000000AAA\",\"urls\":{}}],\"searchLayoutable\":true,"
                 "\"sobjectDescribeOption\":\"FULL\",\"supportedScopes\":[{\"label\":\"All records\","
                 "\"name\":\"everything\"}],");
    urls_put(out, sf_req_base(r), o, twin_url(r->sf->instance));
    buf_char(out, '}');
    r->etag = arena_fmt(r->a, "\"%llx\"", (unsigned long long)o->described_us);
    r->status = 200;
}

/* ---- limits ---- */

void sf_limits(struct sf_req *r)
{
    int64_t max = sf_switch(r->sf, "api_max"), left = max - r->sf->api_used;
    buf_fmt(
        r->out,
        "{\"ConcurrentAsyncGetReportInstances\":{\"Max\":200,\"Remaining\":200},\"DailyApiRequests\":{\"Max\":%lld,"
        "\"Remaining\":%lld},\"DailyBulkApiBatches\":{\"Max\":15000,\"Remaining\":15000},\"DailyBulkV2QueryJobs\":"
        "{\"Max\":10000,\"Remaining\":10000},\"DataStorageMB\":{\"Max\":10240,\"Remaining\":9000},\"FileStorageMB\":"
        "{\"Max\":10240,\"Remaining\":10240}}",
        (long long)max, (long long)(left > 0 ? left : 0));
    r->status = 200;
}

void sf_record_count(struct sf_req *r)
{
    str list = {0}, one;
    bool first = true;
    sf_req_param(r, "sObjects", &list);
    buf_text_add(r->out, "{\"sObjects\":[");
    while (str_split(&list, ',', &one)) {
        struct sf_object *o = sf_schema_seen(&r->sf->schema, str_trim(one));
        if (!o)
            continue;
        buf_fmt(r->out, "%s{\"count\":%zu,\"name\":\"%s\"}", first ? "" : ",", sf_store_table(&r->sf->store, o)->live,
                o->name);
        first = false;
    }
    buf_text_add(r->out, "]}");
    r->status = 200;
}

/* ---- list views: the SOQL is what a connector takes from them ---- */

static const struct view {
    const char *object, *id, *name, *label, *where;
} VIEWS[] = {
    {"Account", "00B5j00000A000001", "AllAccounts", "All Accounts", NULL},
    {"Account", "00B5j00000A000002", "NewThisWeek", "New This Week", "CreatedDate = THIS_WEEK"},
    {"Contact", "00B5j00000A000003", "AllContacts", "All Contacts", NULL},
    {"Contact", "00B5j00000A000004", "NewThisWeek", "New This Week", "CreatedDate = THIS_WEEK"},
    {"Contact", "00B5j00000A000005", "WithEmail", "With E-mail", "Email != null"},
};

static void view_urls_put(struct sf_req *r, const struct view *v)
{
    const char *base = sf_req_base(r);
    buf_fmt(r->out,
            "\"describeUrl\":\"%s/sobjects/%s/listviews/%s/describe\",\"developerName\":\"%s\",\"id\":\"%s\","
            "\"label\":\"%s\",\"resultsUrl\":\"%s/sobjects/%s/listviews/%s/results\",\"soqlCompatible\":true,"
            "\"url\":\"%s/sobjects/%s/listviews/%s\"",
            base, v->object, v->id, v->name, v->id, v->label, base, v->object, v->id, base, v->object, v->id);
}

void sf_listviews(struct sf_req *r)
{
    struct sf_object *o = sf_req_object(r, r->capture[0]);
    int n = 0;
    if (!o)
        return;
    buf_text_add(r->out, "{\"done\":true,\"listviews\":[");
    for (size_t i = 0; i < ARRAY_LEN(VIEWS); i++) {
        if (strcmp(VIEWS[i].object, o->name) != 0)
            continue;
        buf_text_add(r->out, n++ ? ",{" : "{");
        view_urls_put(r, &VIEWS[i]);
        buf_char(r->out, '}');
    }
    buf_fmt(r->out, "],\"nextRecordsUrl\":null,\"size\":%d,\"sobjectType\":\"%s\"}", n, o->name);
    r->status = 200;
}

void sf_listview_describe(struct sf_req *r)
{
    struct sf_object *o = sf_req_object(r, r->capture[0]);
    const struct view *v = NULL;
    for (size_t i = 0; o && i < ARRAY_LEN(VIEWS) && !v; i++)
        if (strcmp(VIEWS[i].object, o->name) == 0 && str_starts(str_of(VIEWS[i].id), r->capture[1]) &&
            r->capture[1].n >= 15)
            v = &VIEWS[i];
    if (!o)
        return;
    if (!v)
        return sf_not_found(r);
    buf_fmt(r->out,
            "{\"columns\":[{\"fieldNameOrPath\":\"Name\",\"hidden\":false,\"label\":\"Name\",\"sortable\":true,"
            "\"type\":\"string\"}],\"id\":\"%s\",\"orderBy\":[{\"fieldNameOrPath\":\"Name\",\"nullsPosition\":"
            "\"first\",\"sortDirection\":\"ascending\"}],\"query\":\"SELECT Id, Name FROM %s%s%s ORDER BY Name ASC "
            "NULLS FIRST, Id ASC NULLS FIRST\",\"relatedEntityId\":null,\"scope\":\"everything\","
            "\"scopeEntityId\":null,\"sobjectType\":\"%s\",\"whereCondition\":",
            v->id, o->name, v->where ? " WHERE " : "", v->where ? v->where : "", o->name);
    json_put_text(r->out, v->where);
    buf_char(r->out, '}');
    r->status = 200;
}
