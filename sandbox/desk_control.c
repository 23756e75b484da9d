/* The Desk twin behind the vendor's back: the population, dumps, and changes as another user. */
#include <stdio.h>
#include <stdlib.h>

#include "desk_int.h"
#include "times.h"

/* ---- the population ----------------------------------------------------- */

struct loader {
    struct module *m;
    struct change changes[FIELDS_MAX];
    size_t n;
};

static void set(struct loader *l, const char *api_name, const char *value)
{
    int slot = field_slot(l->m, str_of(api_name));
    ASSERT(slot >= 0);
    if (value && *value)
        l->changes[l->n++] = (struct change){slot, str_of(value)};
}

static struct record *record_load(struct loader *l, int64_t created_us, int64_t modified_us)
{
    struct record *r = store_add(l->m, created_us);
    store_apply(l->m, r, l->changes, l->n, modified_us);
    return r;
}

static void plant(struct desk *d, const char *kind, const struct record *r, enum planted p)
{
    char id[24];
    snprintf(id, sizeof id, "%lld", (long long)r->id);
    sandbox_plant(d->world, "desk", kind, id, planted_name(p), planted_reason(p));
}

static int64_t *companies_load(struct desk *d, const struct people *people)
{
    struct loader l = {.m = &d->modules[MOD_ACCOUNTS]};
    int64_t *ids = calloc((size_t)people->company_count + 1, sizeof *ids);
    ASSERT(ids != NULL);
    for (int i = 0; i < people->company_count; i++) {
        const struct company *c = &people->companies[i];
        if (!c->on[SIDE_DESK])
            continue;
        l.n = 0;
        set(&l, "accountName", c->name);
        set(&l, "website", c->website);
        set(&l, "phone", c->phone);
        set(&l, "industry", c->industry);
        set(&l, "street", c->street);
        set(&l, "city", c->city);
        set(&l, "state", c->state);
        set(&l, "code", c->zip);
        set(&l, "country", c->country);
        set(&l, "description", c->description);
        set(&l, "ownerId", "4876000000010001");
        const struct record *r = record_load(&l, c->created_us, c->modified_us[SIDE_DESK]);
        ids[i] = r->id;
        if (c->planted)
            plant(d, "accounts", r, c->planted);
    }
    return ids;
}

static void person_load(struct desk *d, const struct person *p, int64_t account)
{
    struct loader l = {.m = &d->modules[MOD_CONTACTS]};
    char account_id[24] = "";
    if (account)
        snprintf(account_id, sizeof account_id, "%lld", (long long)account);
    set(&l, "lastName", p->last);
    set(&l, "firstName", p->first);
    set(&l, "email", p->email);
    set(&l, "phone", p->phone);
    set(&l, "mobile", p->mobile);
    set(&l, "accountId", account_id);
    set(&l, "ownerId", "4876000000010001");
    set(&l, "title", p->title[SIDE_DESK]);
    set(&l, "street", p->street);
    set(&l, "city", p->city);
    set(&l, "state", p->state);
    set(&l, "country", p->country);
    set(&l, "zip", p->zip);
    set(&l, "cf_customer_number", p->customer_number);
    const struct record *r = record_load(&l, p->created_us, p->modified_us[SIDE_DESK]);
    if (p->planted)
        plant(d, "contacts", r, p->planted);
}

void desk_load(struct desk *d, const struct people *people)
{
    int64_t *ids = companies_load(d, people);
    for (int i = 0; i < people->person_count; i++) {
        const struct person *p = &people->persons[i];
        if (p->on[SIDE_DESK])
            person_load(d, p, p->company == NO_COMPANY ? 0 : ids[p->company]);
    }
    free(ids);
    tickets_load(d);
}

/* ---- dumps -------------------------------------------------------------- */

bool desk_dump(struct twin *t, str kind, struct buf *out)
{
    struct desk *d = twin_self(t);
    struct module *m = desk_module_named(d, kind);
    if (str_is(kind, "comments"))
        return comments_dump(d, out), true;
    if (!m)
        return staff_dump(d, kind, out);
    for (size_t i = 0; i < m->count; i++) {
        record_put_plain(out, m, &m->records[i]);
        buf_char(out, '\n');
    }
    return true;
}

void ctl_credits(struct call *c)
{
    const struct desk *d = c->self;
    call_answer_fmt(c, 200, "{\"used\":%lld,\"limit\":%lld}", (long long)d->credits_used,
                    (long long)twin_switch(d->twin, "credits"));
}

void ctl_deliveries(struct call *c)
{
    struct desk *d = c->self;
    hooks_deliveries_put(d->hooks, &c->out);
    call_answer(c, 200);
}

/* ---- changes as another user -------------------------------------------- */

static void refuse(struct call *c, int status, const char *text)
{
    call_answer_fmt(c, status, "{\"error\":\"%s\"}", text);
}

static void answer_record(struct call *c, struct module *m, const struct record *r)
{
    record_put_plain(&c->out, m, r);
    call_answer(c, 200);
}

static bool time_given(json_t *fields, const char *key, int64_t *us)
{
    const char *z = json_string_value(json_object_get(fields, key));
    return z && time_parse(str_of(z), us);
}

/* Fixtures may name their own times: createdTime, modifiedTime. */
static void times_given(struct module *m, struct record *r, json_t *fields)
{
    int64_t created = r->created_us, modified = r->modified_us;
    bool any = time_given(fields, "createdTime", &created);
    any |= time_given(fields, "modifiedTime", &modified);
    if (any)
        store_set_times(m, r, created, modified);
}

/* Custom fields may stand at the top, as dumps show them. */
static json_t *nested(const struct module *m, json_t *fields)
{
    json_t *body = json_copy(fields), *cf = json_object_get(fields, "cf");
    cf = cf ? json_copy(cf) : json_object();
    for (int i = m->standard_count; i < m->field_count; i++) {
        json_t *v = json_object_get(fields, m->fields[i].api_name);
        if (v)
            json_object_set(cf, m->fields[i].api_name, v);
    }
    json_object_set_new(body, "cf", cf);
    return body;
}

static void change_fields(struct call *c, struct module *m, struct record *r, json_t *fields)
{
    AUTO(checked_done) struct checked x = {0};
    json_t *body = nested(m, fields);
    fields_check(&x, m, body, r);
    json_decref(body);
    if (x.errors.n)
        return call_answer_fmt(c, 422, "{\"error\":\"refused\",\"errors\":[%s]}", buf_text(&x.errors));
    if (r)
        record_update(m, r, &x, (str){0});
    else
        r = record_create(m, &x, (str){0});
    times_given(m, r, fields);
    answer_record(c, m, r);
}

static void change_merge(struct call *c, struct module *m, struct record *winner, json_t *fields)
{
    const char *id = json_string_value(json_object_get(fields, "loser"));
    struct record *loser = id ? store_find_text(m, str_of(id)) : NULL;
    if (!loser || loser == winner || loser->state != REC_LIVE)
        return refuse(c, 400, "wants {\\\"loser\\\":\\\"id of another live record\\\"}");
    record_merge(m, winner, loser);
    answer_record(c, m, winner);
}

bool desk_change(struct call *c, struct twin *t, const char *verb, str kind, str id, json_t *fields)
{
    struct desk *d = twin_self(t);
    struct module *m = desk_module_named(d, kind);
    bool create = strcmp(verb, "create") == 0;
    if (str_is(kind, "comments") && create)
        return comment_create(c, d, fields), true;
    if (!m)
        return staff_change(c, d, verb, kind, id, fields);
    if (create && m->number == MOD_TICKETS)
        ticket_defaults(d, fields);
    if (create)
        return change_fields(c, m, NULL, fields), true;
    struct record *r = store_find_text(m, id);
    if (!r)
        return refuse(c, 404, "no such record"), true;
    if (strcmp(verb, "restore") == 0 && r->state == REC_TRASHED)
        record_restore(m, r);
    else if (strcmp(verb, "purge") == 0 && r->state != REC_MERGED)
        store_set_state(m, r, REC_PURGED, 0);
    else if (r->state != REC_LIVE)
        return refuse(c, 409, "the record is not live"), true;
    else if (strcmp(verb, "trash") == 0)
        record_trash(m, r, (str){0});
    else if (strcmp(verb, "update") == 0)
        return change_fields(c, m, r, fields), true;
    else if (strcmp(verb, "merge") == 0)
        return change_merge(c, m, r, fields), true;
    else
        return false;
    answer_record(c, m, r);
    return true;
}
