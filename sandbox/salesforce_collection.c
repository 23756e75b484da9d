/* sObject Collections: up to 200 records a call, a result for each, in order.
 * https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm
 */
#include <stdio.h>
#include <stdlib.h>

#include "salesforce_int.h"

enum { CHUNKS_MAX = 10, RETRIEVE_MAX = 2000, GET_IDS_MAX = 800 };

struct collection {
    struct sf_req *r;
    const struct sj *records;
    bool all_or_none;
    struct sf_outcome *out;
    size_t n;
    bool upsert;
};

static void too_many(struct sf_req *r, int max)
{
    sf_error(r, 400, "EXCEEDED_MAX_SIZE_REQUEST", "The number of records in the request exceeds the maximum of %d",
             max);
}

static const struct sj *attribute_type(const struct sj *record)
{
    return sj_get(sj_get(record, "attributes"), "type");
}

/* Runs of one type: at most ten. */
static bool few_chunks(struct sf_req *r, const struct sj *records)
{
    int chunks = 0;
    str last = {0};
    for (const struct sj *one = records->first; one; one = one->next) {
        str type = sj_text(attribute_type(one));
        if (chunks == 0 || !str_eq_nocase(type, last))
            chunks++;
        last = type;
    }
    if (chunks <= CHUNKS_MAX)
        return true;
    sf_error(r, 400, "INVALID_INPUT", "The request has %d chunks of records of one type; the maximum is %d", chunks,
             CHUNKS_MAX);
    return false;
}

static bool open_collection(struct collection *c, struct sf_req *r)
{
    struct sj *body = sf_req_body(r);
    if (!body)
        return false;
    *c = (struct collection){
        .r = r, .records = sj_get(body, "records"), .all_or_none = sj_is_true(sj_get(body, "allOrNone"))};
    if (!c->records || c->records->kind != SJ_ARRAY) {
        sf_error(r, 400, "JSON_PARSER_ERROR", "The records attribute is required: an array of sObjects");
        return false;
    }
    if (c->records->n > SF_COLLECTION_MAX) {
        too_many(r, SF_COLLECTION_MAX);
        return false;
    }
    if (!few_chunks(r, c->records))
        return false;
    c->out = arena_array(r->a, struct sf_outcome, c->records->n);
    return true;
}

static void results_put(struct collection *c)
{
    struct buf *out = c->r->out;
    buf_char(out, '[');
    for (size_t i = 0; i < c->n; i++) {
        const struct sf_outcome *o = &c->out[i];
        if (i)
            buf_char(out, ',');
        if (o->status == 0) {
            buf_text_add(out, "{\"id\":\"");
            buf_text_add(out, o->id);
            buf_text_add(out, "\",\"success\":true,\"errors\":[]");
            if (c->upsert)
                buf_text_add(out, o->created ? ",\"created\":true" : ",\"created\":false");
            buf_char(out, '}');
        } else {
            buf_text_add(out, "{\"success\":false,\"errors\":[");
            sf_ids_error_put(out, o, true);
            buf_text_add(out, "]}");
        }
    }
    buf_char(out, ']');
    c->r->status = 200;
}

static void roll_back(struct collection *c)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->out[i].status == 0)
            sf_refuse(
                &c->out[i], 400, "ALL_OR_NONE_OPERATION_ROLLED_BACK", "",
                "Record rolled back because not all records were valid and the request was using AllOrNone header");
}

/* Runs one function over all; undoes everything when the caller wants all or none, or when a value that cannot be
 * parsed spoils the whole request. */
static void run(struct collection *c,
                void (*one)(struct collection *c, const struct sj *record, struct sf_outcome *out))
{
    struct sf_req *r = c->r;
    AUTO(sf_journal_done) struct sf_journal journal = {0};
    struct sf_journal *outer = r->journal;
    bool whole_request = sf_switch(r->sf, "parser_error_fails_request") != 0, failed = false;
    r->journal = &journal;
    const struct sf_outcome *malformed = NULL;
    for (const struct sj *record = c->records->first; record && !malformed; record = record->next) {
        struct sf_outcome *out = &c->out[c->n++];
        one(c, record, out);
        failed = failed || out->status;
        if (out->malformed && whole_request)
            malformed = out;
    }
    r->journal = outer;
    if (malformed) {
        sf_journal_undo(r->sf, &journal);
        sf_error(r, 400, malformed->problem.code, "%s", malformed->problem.text);
        return;
    }
    if (failed && c->all_or_none) {
        sf_journal_undo(r->sf, &journal);
        roll_back(c);
    } else if (outer) {
        sf_journal_move(outer, &journal);
    }
    results_put(c);
}

static struct sf_object *type_of(struct collection *c, const struct sj *record, struct sf_outcome *out)
{
    str type = sj_text(attribute_type(record));
    struct sf_object *o = type.n ? sf_schema_seen(&c->r->sf->schema, type) : NULL;
    if (!o)
        sf_refuse(out, 400, "INVALID_TYPE", "",
                  type.n ? "sObject type '%.*s' is not supported."
                         : "The attributes of "
                           "the record name no type%.*s",
                  STR_FMT(type));
    return o;
}

static void create_one(struct collection *c, const struct sj *record, struct sf_outcome *out)
{
    struct sf_object *o = type_of(c, record, out);
    if (!o)
        return;
    if (sj_get(record, "id") || sj_get(record, "Id")) {
        sf_refuse(out, 400, "INVALID_FIELD_FOR_INSERT_UPDATE", "Id", "cannot specify Id in an insert call");
        return;
    }
    struct sf_save s = sf_req_save(c->r, o);
    s.body = record;
    sf_save(&s, out);
}

void sf_collection_create(struct sf_req *r)
{
    struct collection c;
    if (open_collection(&c, r))
        run(&c, create_one);
}

/* The live record of an id; NULL with out filled. */
static struct sf_record *live_record(struct collection *c, const struct sf_object *o, str id, struct sf_outcome *out)
{
    struct sf_record *r = o ? sf_find_in(&c->r->sf->store, o, id) : sf_find(&c->r->sf->store, id);
    if (id.n == 0)
        sf_refuse(out, 400, "MISSING_ARGUMENT", "Id", "Id not specified in an update call");
    else if (!sf_id_valid(id) || (o && memcmp(id.p, o->prefix, 3) != 0))
        sf_refuse(out, 400, "MALFORMED_ID", "Id", "%s ID: id value of incorrect type: %.*s", o ? o->label : "Record",
                  STR_FMT(id));
    else if (!r || !r->now)
        sf_refuse(out, 400, "INVALID_CROSS_REFERENCE_KEY", "", "invalid cross reference id");
    else if (r->now->deleted)
        sf_refuse(out, 400, "ENTITY_IS_DELETED", "", "entity is deleted");
    else
        return r;
    return NULL;
}

static bool seen_before(struct collection *c, const struct sj *record, str id)
{
    for (const struct sj *other = c->records->first; other != record; other = other->next) {
        str that = sj_text(sj_get(other, "id"));
        if (!that.n)
            that = sj_text(sj_get(other, "Id"));
        if (that.n >= 15 && id.n >= 15 && memcmp(that.p, id.p, 15) == 0)
            return true;
    }
    return false;
}

static void update_one(struct collection *c, const struct sj *record, struct sf_outcome *out)
{
    struct sf_object *o = type_of(c, record, out);
    if (!o)
        return;
    str id = sj_text(sj_get(record, "id"));
    if (!id.n)
        id = sj_text(sj_get(record, "Id"));
    if (seen_before(c, record, id)) {
        sf_refuse(out, 400, "DUPLICATE_VALUE", "Id", "Duplicate id in list: %.*s", STR_FMT(id));
        return;
    }
    struct sf_save s = sf_req_save(c->r, o);
    s.record = live_record(c, o, id, out);
    s.body = record;
    if (s.record)
        sf_save(&s, out);
}

void sf_collection_update(struct sf_req *r)
{
    struct collection c;
    if (open_collection(&c, r))
        run(&c, update_one);
}

static void upsert_one(struct collection *c, const struct sj *record, struct sf_outcome *out)
{
    struct sf_req *r = c->r;
    struct sf_object *o = sf_schema_seen(&r->sf->schema, r->capture[0]), *type = type_of(c, record, out);
    if (!type)
        return;
    if (type != o) {
        sf_refuse(out, 400, "INVALID_TYPE", "", "The record is of type %s, the request of type %s", type->name,
                  o->name);
        return;
    }
    const struct sf_field *key = sf_object_visible(o, r->capture[1]);
    const struct sj *value = sj_get(record, key->name);
    if (!value || value->kind == SJ_NULL || value->text.n == 0) {
        sf_refuse(out, 400, "MISSING_ARGUMENT", key->name, "%s not specified", key->name);
        return;
    }
    struct sf_record *found[2];
    size_t n = sf_find_by_key(r->sf, o, key, value->text, found, ARRAY_LEN(found));
    if (n > 1) {
        sf_refuse(out, 400, "DUPLICATE_EXTERNAL_ID", key->name,
                  "%s: more than one record found for external id field: [%s, %s]", key->name, found[0]->id,
                  found[1]->id);
        return;
    }
    if (n == 0 && key->source == SRC_ID) {
        (void)live_record(c, o, value->text, out);
        return;
    }
    struct sf_save s = sf_req_save(r, o);
    s.record = n ? found[0] : NULL;
    s.body = record;
    sf_save(&s, out);
}

void sf_collection_upsert(struct sf_req *r)
{
    struct sf_object *o = sf_req_object(r, r->capture[0]);
    const struct sf_field *f = o ? sf_object_visible(o, r->capture[1]) : NULL;
    struct collection c;
    if (!o)
        return;
    if (!f || !(f->flags & (F_EXTERNAL | F_LOOKUP)))
        return sf_error(r, 404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: %.*s",
                        STR_FMT(r->capture[1]));
    if (!open_collection(&c, r))
        return;
    c.upsert = true;
    run(&c, upsert_one);
}

static void delete_one(struct collection *c, const struct sj *record, struct sf_outcome *out)
{
    struct sf_record *target = live_record(c, NULL, record->text, out);
    if (!target)
        return;
    struct sf_save s = sf_req_save(c->r, target->object);
    s.record = target;
    sf_delete(&s, out);
}

/* "a,b,c" as the array of ids it stands for. */
static struct sj *id_list(struct sf_req *r, str list)
{
    struct sj *array = arena_new(r->a, struct sj), **tail = &array->first;
    str one;
    array->kind = SJ_ARRAY;
    while (str_split(&list, ',', &one)) {
        *tail = arena_new(r->a, struct sj);
        **tail = (struct sj){.kind = SJ_STRING, .text = str_trim(one)};
        tail = &(*tail)->next;
        array->n++;
    }
    return array;
}

void sf_collection_delete(struct sf_req *r)
{
    str ids, flag;
    if (!sf_req_param(r, "ids", &ids) || !ids.n)
        return sf_error(r, 400, "MISSING_ARGUMENT", "The ids parameter is required");
    struct collection c = {.r = r, .records = id_list(r, ids)};
    c.all_or_none = sf_req_param(r, "allOrNone", &flag) && str_eq_nocase(flag, STR("true"));
    if (c.records->n > SF_COLLECTION_MAX)
        return too_many(r, SF_COLLECTION_MAX);
    c.out = arena_array(r->a, struct sf_outcome, c.records->n);
    run(&c, delete_one);
}

/* ---- retrieve ---- */

static const struct sf_field **fields_of(struct sf_req *r, const struct sf_object *o, const struct sj *names, size_t *n)
{
    const struct sf_field **fields = arena_array(r->a, const struct sf_field *, names->n + 1);
    *n = 0;
    fields[(*n)++] = sf_object_field(o, STR("Id"));
    for (const struct sj *one = names->first; one; one = one->next) {
        const struct sf_field *f = sf_object_visible(o, sj_text(one));
        if (!f) {
            sf_error(r, 400, "INVALID_FIELD", "No such column '%.*s' on sobject of type %s", STR_FMT(sj_text(one)),
                     o->name);
            return NULL;
        }
        if (f->source != SRC_ID)
            fields[(*n)++] = f;
    }
    return fields;
}

static void retrieve(struct sf_req *r, struct sf_object *o, const struct sj *ids, const struct sj *names, size_t max)
{
    size_t n = 0;
    if (!ids || ids->kind != SJ_ARRAY || !names || names->kind != SJ_ARRAY || names->n == 0)
        return sf_error(r, 400, "MISSING_ARGUMENT", "ids and fields are required");
    if (ids->n > max)
        return too_many(r, (int)max);
    const struct sf_field **fields = fields_of(r, o, names, &n);
    if (!fields)
        return;
    buf_char(r->out, '[');
    for (const struct sj *id = ids->first; id; id = id->next) {
        struct sf_record *record = sf_find_in(&r->sf->store, o, sj_text(id));
        if (id != ids->first)
            buf_char(r->out, ',');
        if (record && record->now && !record->now->deleted)
            sf_record_put(r->sf, r->out, record->now, fields, n, r->version);
        else
            buf_text_add(r->out, "null");
    }
    buf_char(r->out, ']');
    r->status = 200;
}

void sf_collection_retrieve(struct sf_req *r)
{
    struct sf_object *o = sf_req_object(r, r->capture[0]);
    str ids = {0}, names = {0};
    if (!o)
        return;
    if (!str_is(r->method, "GET")) {
        struct sj *body = sf_req_body(r);
        if (body)
            retrieve(r, o, sj_get(body, "ids"), sj_get(body, "fields"), RETRIEVE_MAX);
        return;
    }
    if (!sf_req_param(r, "ids", &ids) || !sf_req_param(r, "fields", &names))
        return sf_error(r, 400, "MISSING_ARGUMENT", "ids and fields are required");
    retrieve(r, o, id_list(r, ids), id_list(r, names), GET_IDS_MAX);
}
