/* The control plane's hand in the twin: dump, changes as another user, fields, keys. */
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "salesforce_int.h"
#include "times.h"

static struct sf_object *object_of(struct sf *sf, str kind)
{
    if (str_is(kind, "accounts"))
        kind = STR("Account");
    else if (str_is(kind, "contacts"))
        kind = STR("Contact");
    return sf_schema_object(&sf->schema, kind);
}

/* ---- dump: every record ever made; of purged ones the id alone is left ---- */

static const char *state_of(const struct sf_row *row)
{
    const struct sf_field *master = sf_object_field(row->record->object, STR("MasterRecordId"));
    if (!row->deleted)
        return "live";
    return master && sf_row_val(row, master) ? "merged" : "trashed";
}

static void dump_row(struct sf *sf, struct buf *out, const struct sf_row *row)
{
    const struct sf_object *o = row->record->object;
    buf_char(out, '{');
    for (size_t i = 0; i < o->n; i++) {
        struct sf_scratch scratch;
        struct sf_cell cell;
        const struct sf_field *f = &o->fields[i];
        if (f->source == SRC_ADDRESS)
            continue;
        sf_cell(&sf->store, row, f, &scratch, &cell);
        json_put_comma(out);
        json_put_key(out, f->name);
        sf_cell_put(out, f, &cell);
    }
    json_put_member(out, "_state", str_of(state_of(row)));
    buf_text_add(out, "}\n");
}

bool sf_dump(struct twin *t, str kind, struct buf *out)
{
    struct sf *sf = twin_self(t);
    struct sf_object *o = object_of(sf, kind);
    if (!o)
        return false;
    sf_settle(&sf->store, sandbox_now_us(sf->world));
    const struct sf_table *table = sf_store_table(&sf->store, o);
    for (uint32_t i = 0; i < table->n; i++)
        if (table->records[i]->now)
            dump_row(sf, out, table->records[i]->now);
        else if (table->records[i]->purged)
            buf_fmt(out, "{\"Id\":\"%s\",\"_state\":\"purged\"}\n", table->records[i]->id);
    return true;
}

/* ---- changes as another user ---- */

static void refuse(struct call *c, int status, const char *code, const char *text)
{
    buf_clear(&c->out);
    buf_char(&c->out, '{');
    json_put_member(&c->out, "error", str_of(text));
    json_put_member(&c->out, "code", str_of(code));
    buf_char(&c->out, '}');
    call_answer(c, status);
}

static void done(struct call *c, const char *id, int status)
{
    buf_clear(&c->out);
    call_answer_fmt(c, status, "{\"id\":\"%s\"}", id);
}

/* The change as a save, past the connector's rights. Members that are no fields: "$late_ms" commits that much later,
 * "$user": "integration" writes as the connector's own user, as a trigger or workflow would. The fault "late-commit"
 * does what "$late_ms" does. */
static struct sf_save change_of(struct call *c, struct sf *sf, const struct sf_object *o, json_t *fields)
{
    struct sj_fault fault;
    char *text = json_dumps(fields, JSON_COMPACT);
    struct sf_save s = {.sf = sf,
                        .a = &c->arena,
                        .object = o,
                        .user = sf->admin,
                        .internal = true,
                        .keep_owner = true,
                        .now_us = sandbox_now_us(c->world),
                        .path = c->path,
                        .method = c->method};
    s.body = text ? sj_parse(&c->arena, arena_str(&c->arena, str_of(text)), &fault) : NULL;
    free(text);
    const struct fault *late = fault_take(sf->world, sf->instance, "late-commit", c->method.p, c->path);
    s.late_us = sj_int(sj_get(s.body, "$late_ms"), late ? late->ms : 0) * US_PER_MS;
    if (str_is(sj_text(sj_get(s.body, "$user")), "integration"))
        s.user = sf->integration;
    return s;
}

static bool save_change(struct call *c, struct sf *sf, const struct sf_object *o, struct sf_record *r, json_t *fields)
{
    struct sf_outcome out;
    struct sf_save s = change_of(c, sf, o, fields);
    s.record = r;
    if (!s.body)
        return false;
    sf_save(&s, &out);
    if (out.status)
        refuse(c, out.status, out.problem.code, out.problem.text);
    else
        done(c, out.id, r ? 200 : 201);
    return true;
}

static void put_back(struct sf *sf, struct sf_record *r, int64_t now_us)
{
    struct sf_meta meta = {.now_us = now_us, .user = sf->admin};
    struct sf_val change[1];
    const struct sf_field *f = sf_object_field(r->object, STR("MasterRecordId"));
    size_t n = 0;
    if (f)
        change[n++] = (struct sf_val){.field = f->number, .kind = CELL_NULL};
    sf_put(&sf->store, r, sf_row_make(r, r->now, change, n, &meta));
}

/* The record loses against "master": its children move, it goes to the bin with MasterRecordId. */
static bool merge(struct call *c, struct sf *sf, struct sf_record *r, json_t *fields, int64_t now_us)
{
    const char *into = json_string_value(json_object_get(fields, "master"));
    struct sf_record *master = into ? sf_find_in(&sf->store, r->object, str_of(into)) : NULL;
    struct sf_meta meta = {.now_us = now_us, .user = sf->admin};
    if (!master || !master->now || master->now->deleted || master == r) {
        refuse(c, 400, "INVALID_ID", "wants {\"master\":\"id of a live record of this kind\"}");
        return true;
    }
    for (size_t i = 0; i < sf->schema.n; i++) {
        struct sf_object *child = &sf->schema.objects[i];
        struct sf_table *t = sf_store_table(&sf->store, child);
        for (size_t f = 0; f < child->n; f++) {
            const struct sf_field *field = &child->fields[f];
            if (!sf_child_list(r->object, child, field))
                continue;
            for (uint32_t k = 0; k < t->n; k++) {
                struct sf_row *row = t->records[k]->now;
                const struct sf_val *v = row && !row->deleted ? sf_row_val(row, field) : NULL;
                if (!v || !str_is(str_n(v->text, v->n), r->id))
                    continue;
                struct sf_val moved = {.field = field->number, .kind = CELL_TEXT, .text = master->id, .n = SF_ID_MAX};
                sf_put(&sf->store, t->records[k], sf_row_make(t->records[k], row, &moved, 1, &meta));
            }
        }
    }
    sf_bin(sf, r, sf->admin, now_us, master->id, NULL);
    put_back(sf, master, now_us); /* touches the winner */
    done(c, master->id, 200);
    return true;
}

bool sf_change(struct call *c, struct twin *t, const char *verb, str kind, str id, json_t *fields)
{
    struct sf *sf = twin_self(t);
    struct sf_object *o = object_of(sf, kind);
    int64_t now = sandbox_now_us(c->world);
    if (!o)
        return false;
    sf_settle(&sf->store, now);
    if (strcmp(verb, "create") == 0)
        return save_change(c, sf, o, NULL, fields);
    struct sf_record *r = sf_find_in(&sf->store, o, id);
    if (!r || !r->now) {
        refuse(c, 404, "NOT_FOUND", "no such record");
        return true;
    }
    bool restore = strcmp(verb, "restore") == 0, purge = strcmp(verb, "purge") == 0;
    if (r->now->deleted != restore && !purge) {
        refuse(c, 409, "ENTITY_IS_DELETED", restore ? "the record is not in the bin" : "the record is in the bin");
        return true;
    }
    if (strcmp(verb, "update") == 0)
        return save_change(c, sf, o, r, fields);
    if (strcmp(verb, "merge") == 0)
        return merge(c, sf, r, fields, now);
    if (strcmp(verb, "trash") == 0)
        sf_bin(sf, r, sf->admin, now, NULL, NULL);
    else if (restore)
        put_back(sf, r, now);
    else if (purge)
        sf_purge(&sf->store, r);
    else
        return false;
    done(c, r->id, 200);
    return true;
}

/* ---- further calls ---- */

static bool field_read(struct call *c, json_t *body, struct sf_field *f)
{
    const char *name = json_string_value(json_object_get(body, "name"));
    const char *label = json_string_value(json_object_get(body, "label"));
    const char *type = json_string_value(json_object_get(body, "type"));
    bool known = false;
    str s = str_of(name);
    *f = (struct sf_field){.name = name, .label = label ? label : name, .flags = F_CUN};
    f->type = sf_type_of(str_of(type), &known);
    if (!name || !str_ends(s, STR("__c")) || !known || f->type == SF_ID || f->type == SF_ADDRESS) {
        refuse(c, 400, "INVALID",
               "wants {\"name\":\"X__c\",\"type\":\"string\"...}; further: label, length, precision, "
               "scale, external_id, unique, restricted, values, refers_to, hidden");
        return false;
    }
    json_int_t length = json_integer_value(json_object_get(body, "length"));
    f->length = (uint16_t)(length ? length : sf_is_text(f->type) ? 255 : f->type == SF_REFERENCE ? 18 : 0);
    json_int_t precision = json_integer_value(json_object_get(body, "precision"));
    f->precision = (uint8_t)(f->type == SF_INT || !sf_is_number(f->type) ? 0 : precision ? precision : 18);
    f->digits = f->type == SF_INT ? 8 : 0;
    f->scale = (uint8_t)json_integer_value(json_object_get(body, "scale"));
    if (json_is_true(json_object_get(body, "external_id")))
        f->flags |= F_EXTERNAL | F_INDEX;
    if (json_is_true(json_object_get(body, "unique")))
        f->flags |= F_UNIQUE | F_INDEX;
    if (json_is_true(json_object_get(body, "restricted")))
        f->flags |= F_R;
    f->picks = json_string_value(json_object_get(body, "values"));
    f->refs = json_string_value(json_object_get(body, "refers_to"));
    return true;
}

/* POST /fields/{object}: adds a custom field. PATCH /fields/{object}/{name} {"hidden":true}: field-level security. */
static void field_add(struct call *c)
{
    struct sf *sf = c->self;
    struct sf_object *o = object_of(sf, c->capture[0]);
    struct sf_field f;
    if (!o)
        return refuse(c, 404, "NOT_FOUND", "no such object");
    if (!field_read(c, call_json(c, NULL), &f))
        return;
    if (!sf_object_add(&sf->schema, o, &f, sandbox_now_us(c->world)))
        return refuse(c, 409, "EXISTS", "the object has such a field, or no room for one more");
    if (f.flags & F_INDEX)
        sf_index_create(&sf->store, sf_store_table(&sf->store, o), sf_object_field(o, str_of(f.name)));
    call_answer_empty(c, 204);
}

static void field_hide(struct call *c)
{
    struct sf *sf = c->self;
    struct sf_object *o = object_of(sf, c->capture[0]);
    struct sf_field *f = o ? sf_object_field(o, c->capture[1]) : NULL;
    const json_t *hidden = json_object_get(call_json(c, NULL), "hidden");
    if (!f)
        return refuse(c, 404, "NOT_FOUND", "no such field");
    if (!json_is_boolean(hidden))
        return refuse(c, 400, "INVALID", "wants {\"hidden\":true} or {\"hidden\":false}");
    f->flags = json_is_true(hidden) ? f->flags | F_HIDDEN : f->flags & ~(uint32_t)F_HIDDEN;
    o->described_us = sandbox_now_us(c->world);
    call_answer_empty(c, 204);
}

/* PATCH /objects/{object} {"hidden":true}: the user has no right to the object any more. */
static void object_hide(struct call *c)
{
    struct sf *sf = c->self;
    struct sf_object *o = object_of(sf, c->capture[0]);
    const json_t *hidden = json_object_get(call_json(c, NULL), "hidden");
    if (!o)
        return refuse(c, 404, "NOT_FOUND", "no such object");
    if (!json_is_boolean(hidden))
        return refuse(c, 400, "INVALID", "wants {\"hidden\":true} or {\"hidden\":false}");
    o->hidden = json_is_true(hidden);
    o->described_us = sandbox_now_us(c->world);
    call_answer_empty(c, 204);
}

static void counts(struct call *c)
{
    struct sf *sf = c->self;
    buf_char(&c->out, '{');
    for (size_t i = 0; i < sf->schema.n; i++) {
        const struct sf_table *t = &sf->store.table[i];
        buf_fmt(&c->out, "%s\"%s\":{\"live\":%zu,\"created\":%zu,\"updated\":%zu,\"deleted\":%zu}", i ? "," : "",
                sf->schema.objects[i].name, t->live, t->created, t->updated, t->deleted);
    }
    buf_fmt(&c->out, ",\"api_used\":%lld}", (long long)sf->api_used);
    call_answer(c, 200);
}

/* {"earliest":"2026-..."}: what was deleted before is no longer told by getDeleted. */
static void forget_deletions(struct call *c)
{
    struct sf *sf = c->self;
    const char *text = json_string_value(json_object_get(call_json(c, NULL), "earliest"));
    int64_t us = 0;
    if (!text || !time_parse(str_of(text), &us))
        return refuse(c, 400, "INVALID", "wants {\"earliest\":\"2026-01-31T08:00:00Z\"}");
    sf->store.earliest_deleted_us = us;
    call_answer_empty(c, 204);
}

/* {"pem":"..."}: the certificate or public key JWT assertions are verified with. */
static void jwt_key(struct call *c)
{
    struct sf *sf = c->self;
    const char *pem = json_string_value(json_object_get(call_json(c, NULL), "pem"));
    BIO *bio = pem ? BIO_new_mem_buf(pem, -1) : NULL;
    EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
    if (bio && !key) {
        (void)BIO_reset(bio);
        X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        key = cert ? X509_get_pubkey(cert) : NULL;
        X509_free(cert);
    }
    BIO_free(bio);
    if (!key || EVP_PKEY_base_id(key) != EVP_PKEY_RSA) {
        EVP_PKEY_free(key);
        return refuse(c, 400, "INVALID", "wants {\"pem\":\"an RSA public key or certificate\"}");
    }
    EVP_PKEY_free(sf->jwt_key);
    sf->jwt_key = key;
    call_answer_empty(c, 204);
}

/* A further approval of the app: a new refresh token; the sixth ends the oldest. */
static void approve(struct call *c)
{
    struct sf *sf = c->self;
    call_answer_fmt(c, 201, "{\"refresh_token\":\"%s\"}", sf_grant_open(sf, sf->integration)->token);
}

const struct route SF_LOGIN_CONTROL[SF_LOGIN_CONTROL_COUNT] = {
    {"POST", "/jwt_key", jwt_key},
    {"POST", "/approve", approve},
    {"POST", "/redirects", sf_redirects},
};
const struct route SF_CONTROL[SF_CONTROL_COUNT] = {
    {"POST", "/fields/{object}", field_add},
    {"PATCH", "/fields/{object}/{name}", field_hide},
    {"PATCH", "/objects/{object}", object_hide},
    {"POST", "/notes", sf_note_add},
    {"GET", "/counts", counts},
    {"POST", "/forget_deletions", forget_deletions},
};
