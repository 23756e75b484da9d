/* One record at a time: create, read, update, delete, upsert.
 * https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_retrieve.htm and its
 * neighbours (_basic_info, _upsert). */
#include <stdio.h>

#include "salesforce_int.h"
#include "times.h"

static bool header_says(str header, const char *name)
{
    str one;
    while (str_split(&header, ';', &one)) {
        str key;
        if (str_split(&one, '=', &key) && str_eq_nocase(str_trim(key), str_of(name)))
            return str_eq_nocase(str_trim(one), STR("true"));
    }
    return false;
}

struct sf_save sf_req_save(struct sf_req *r, const struct sf_object *o)
{
    return (struct sf_save){.sf = r->sf,
                            .a = r->a,
                            .object = o,
                            .user = r->session ? r->session->user : r->sf->integration,
                            .now_us = r->now_us,
                            .allow_duplicates = header_says(r->duplicate_rule, "allowSave"),
                            .duplicate_details = header_says(r->duplicate_rule, "includeRecordDetails"),
                            .keep_owner = str_eq_nocase(r->auto_assign, STR("FALSE")),
                            .path = r->path,
                            .method = r->method,
                            .journal = r->journal};
}

static void fields_put(struct buf *out, const char *fields)
{
    str rest = str_of(fields), one;
    bool first = true;
    buf_char(out, '[');
    while (str_split(&rest, ',', &one)) {
        if (!first)
            buf_char(out, ',');
        first = false;
        json_put(out, str_trim(one));
    }
    buf_char(out, ']');
}

/* One error element: "errorCode" in single calls, "statusCode" in rows of collections. */
void sf_ids_error_put(struct buf *out, const struct sf_outcome *o, bool row)
{
    const struct sf_problem *p = &o->problem;
    buf_char(out, '{');
    if (p->duplicates) {
        json_put_raw(out, "duplicateResut", str_of(p->duplicates));
    }
    json_put_member(out, row ? "statusCode" : "errorCode", str_of(p->code));
    json_put_member(out, "message", str_of(p->text));
    if (row || *p->fields || strcmp(p->code, "JSON_PARSER_ERROR") != 0) {
        buf_text_add(out, ",\"fields\":");
        fields_put(out, p->fields);
    }
    buf_char(out, '}');
}

static void refuse(struct sf_req *r, const struct sf_outcome *o)
{
    buf_clear(r->out);
    buf_char(r->out, '[');
    sf_ids_error_put(r->out, o, false);
    buf_char(r->out, ']');
    r->status = o->status;
}

static void created(struct sf_req *r, const struct sf_object *o, const struct sf_outcome *done, int status, bool upsert)
{
    buf_fmt(r->out, "{\"id\":\"%s\",\"success\":true,\"errors\":[]", done->id);
    if (upsert)
        buf_fmt(r->out, ",\"created\":%s", done->created ? "true" : "false");
    buf_char(r->out, '}');
    if (status == 201)
        r->location = arena_fmt(r->a, "%s/sobjects/%s/%s", sf_req_base(r), o->name, done->id);
    r->status = status;
}

void sf_rest_create(struct sf_req *r)
{
    struct sf_object *o = sf_req_object(r, r->capture[0]);
    struct sj *body = o ? sf_req_body(r) : NULL;
    if (!body)
        return;
    struct sf_save s = sf_req_save(r, o);
    struct sf_outcome done;
    s.body = body;
    sf_save(&s, &done);
    if (done.status)
        refuse(r, &done);
    else
        created(r, o, &done, 201, false);
}

static void deleted(struct sf_req *r)
{
    struct sf_outcome gone = {0};
    sf_refuse(&gone, 404, "ENTITY_IS_DELETED", "", "entity is deleted");
    refuse(r, &gone);
}

/* The record a path names, or NULL after the answer. */
static struct sf_record *record_of(struct sf_req *r, struct sf_object *o, str id)
{
    struct sf_record *record = o ? sf_find_in(&r->sf->store, o, id) : NULL;
    if (!o)
        return NULL;
    if (!record || !record->now) {
        if (id.n != 15 && id.n != SF_ID_MAX)
            sf_error(r, 400, "MALFORMED_ID", "%s ID: id value of incorrect type: %.*s", o->label, STR_FMT(id));
        else
            sf_not_found(r);
        return NULL;
    }
    if (record->now->deleted) {
        deleted(r);
        return NULL;
    }
    return record;
}

/* If-Modified-Since and If-Unmodified-Since, at the grain of a second. False after the answer. */
static bool conditions_hold(struct sf_req *r, const struct sf_record *record)
{
    int64_t us = 0, modified = record->now->modified_us;
    if (r->if_unmodified.n && http_date_parse(r->if_unmodified, &us) && modified > us) {
        sf_error(r, 412, "PRECONDITION_FAILED",
                 "One or more conditions given in the request header evaluated to false");
        return false;
    }
    if (r->if_modified.n && http_date_parse(r->if_modified, &us) && modified <= us) {
        buf_clear(r->out);
        r->status = 304;
        return false;
    }
    return true;
}

static const char *http_date(struct arena *a, int64_t us)
{
    AUTO(buf_done) struct buf b = {0};
    http_date_format(&b, us);
    return arena_str(a, buf_lent(&b)).p;
}

/* "fields=A,B": NULL and *n 0 when not given; NULL after the answer and *n 1 when one is unknown. */
static const struct sf_field **asked_fields(struct sf_req *r, const struct sf_object *o, size_t *n)
{
    str list, one;
    *n = 0;
    if (!sf_req_param(r, "fields", &list) || !list.n)
        return NULL;
    const struct sf_field **fields = arena_array(r->a, const struct sf_field *, SF_FIELDS_MAX + 1);
    fields[(*n)++] = sf_object_field(o, STR("Id"));
    while (str_split(&list, ',', &one) && *n < SF_FIELDS_MAX) {
        const struct sf_field *f = sf_object_visible(o, str_trim(one));
        if (!f) {
            sf_error(
                r, 400, "INVALID_FIELD",
                "No such column '%.*s' on entity '%s'. If you are attempting to use a custom field, be sure to "
                "append the '__c' after the custom field name. Please reference your WSDL or the describe call for "
                "the appropriate names.",
                STR_FMT(str_trim(one)), o->name);
            *n = 1;
            return NULL;
        }
        if (f->source != SRC_ID)
            fields[(*n)++] = f;
    }
    return fields;
}

static void show(struct sf_req *r, struct sf_object *o, struct sf_record *record)
{
    size_t n = 0;
    if (!conditions_hold(r, record))
        return;
    const struct sf_field **fields = asked_fields(r, o, &n);
    if (!fields && n)
        return;
    sf_record_put(r->sf, r->out, record->now, fields, n, r->version);
    r->last_modified = http_date(r->a, record->now->modified_us);
    r->status = 200;
}

void sf_rest_get(struct sf_req *r)
{
    struct sf_object *o = sf_req_object(r, r->capture[0]);
    struct sf_record *record = record_of(r, o, r->capture[1]);
    if (record)
        show(r, o, record);
}

void sf_rest_update(struct sf_req *r)
{
    struct sf_object *o = sf_req_object(r, r->capture[0]);
    struct sf_record *record = record_of(r, o, r->capture[1]);
    struct sj *body = record && conditions_hold(r, record) ? sf_req_body(r) : NULL;
    if (!body)
        return;
    struct sf_save s = sf_req_save(r, o);
    struct sf_outcome done;
    s.record = record;
    s.body = body;
    if (sj_get(body, "Id") || sj_get(body, "id")) { /* the id stands in the path */
        sf_refuse(&done, 400, "INVALID_FIELD", "Id", "The Id field should not be specified in the sobject data.");
        return refuse(r, &done);
    }
    sf_save(&s, &done);
    if (done.status)
        refuse(r, &done);
    else
        r->status = 204;
}

static void delete_one(struct sf_req *r, struct sf_object *o, struct sf_record *record)
{
    struct sf_save s = sf_req_save(r, o);
    struct sf_outcome done;
    s.record = record;
    sf_delete(&s, &done);
    if (done.status)
        refuse(r, &done);
    else
        r->status = 204;
}

void sf_rest_delete(struct sf_req *r)
{
    struct sf_object *o = sf_req_object(r, r->capture[0]);
    struct sf_record *record = record_of(r, o, r->capture[1]);
    if (!record || !conditions_hold(r, record))
        return;
    delete_one(r, o, record);
}

/* ---- by external id ---- */

/* The key field of the path, or NULL after 404. */
static const struct sf_field *key_of(struct sf_req *r, struct sf_object *o, str name)
{
    const struct sf_field *f = o ? sf_object_visible(o, name) : NULL;
    if (o && (!f || !(f->flags & (F_EXTERNAL | F_LOOKUP)))) {
        sf_error(r, 404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: %.*s",
                 STR_FMT(name));
        return NULL;
    }
    return f;
}

/* Several records with this value: an array of their addresses, nothing else. */
static void ambiguous(struct sf_req *r, const struct sf_object *o, struct sf_record **found, size_t n)
{
    buf_char(r->out, '[');
    for (size_t i = 0; i < n; i++)
        buf_fmt(r->out, "%s\"%s/sobjects/%s/%s\"", i ? "," : "", sf_req_base(r), o->name, found[i]->id);
    buf_char(r->out, ']');
    r->status = 300;
}

enum { FOUND_MAX = 20 };

/* The one record with the value in the path; NULL after the answer that there is none, or are several. */
static struct sf_record *one_by_key(struct sf_req *r, struct sf_object **object_out)
{
    struct sf_object *o = sf_req_object(r, r->capture[0]);
    const struct sf_field *f = key_of(r, o, r->capture[1]);
    struct sf_record *found[FOUND_MAX];
    size_t n = f ? sf_find_by_key(r->sf, o, f, r->capture[2], found, FOUND_MAX) : 0;
    if (f && n == 0)
        sf_not_found(r);
    if (n > 1)
        ambiguous(r, o, found, n < FOUND_MAX ? n : FOUND_MAX);
    *object_out = o;
    return n == 1 ? found[0] : NULL;
}

void sf_rest_get_by_key(struct sf_req *r)
{
    struct sf_object *o = NULL;
    struct sf_record *record = one_by_key(r, &o);
    if (record)
        show(r, o, record);
}

void sf_rest_upsert(struct sf_req *r)
{
    struct sf_object *o = sf_req_object(r, r->capture[0]);
    const struct sf_field *f = key_of(r, o, r->capture[1]);
    struct sj *body = f ? sf_req_body(r) : NULL;
    struct sf_record *found[FOUND_MAX];
    str only;
    if (!body)
        return;
    size_t n = sf_find_by_key(r->sf, o, f, r->capture[2], found, FOUND_MAX);
    if (n > 1)
        return ambiguous(r, o, found, n < FOUND_MAX ? n : FOUND_MAX);
    bool update_only = sf_req_param(r, "updateOnly", &only) && str_eq_nocase(only, STR("true"));
    if (n == 0 && (update_only || f->source == SRC_ID))
        return sf_not_found(r);
    if (n == 1 && !conditions_hold(r, found[0]))
        return;
    struct sf_save s = sf_req_save(r, o);
    struct sf_outcome done;
    s.record = n ? found[0] : NULL;
    s.body = body;
    s.key = f;
    s.key_value = r->capture[2];
    sf_save(&s, &done);
    if (done.status)
        refuse(r, &done);
    else
        created(r, o, &done, done.created ? 201 : 200, true);
}

void sf_rest_delete_by_key(struct sf_req *r)
{
    struct sf_object *o = NULL;
    struct sf_record *record = one_by_key(r, &o);
    if (record)
        delete_one(r, o, record);
}
