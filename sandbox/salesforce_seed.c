/* The org's custom fields, users and population. Rows are made directly: what people.h gives is valid already. */
#include <stdio.h>
#include <stdlib.h>

#include "salesforce_int.h"

static void custom_fields(struct sf *sf)
{
    static const struct sf_field stamp = {.name = SF_STAMP_FIELD,
                                          .label = "Tieline Id",
                                          .type = SF_STRING,
                                          .length = 80,
                                          .flags = F_CUN | F_EXTERNAL | F_UNIQUE | F_INDEX};
    static const struct sf_field number = {
        .name = SF_NUMBER_FIELD, .label = "Customer Number", .type = SF_DOUBLE, .precision = 18, .flags = F_CUN};
    static const struct sf_field points = {
        .name = "Loyalty_Points__c", .label = "Loyalty Points", .type = SF_DOUBLE, .precision = 8, .flags = F_CUN};
    struct sf_object *account = sf_schema_object(&sf->schema, STR("Account"));
    struct sf_object *contact = sf_schema_object(&sf->schema, STR("Contact"));
    int64_t now = sandbox_now_us(sf->world);
    sf_object_add(&sf->schema, account, &stamp, now);
    sf_object_add(&sf->schema, contact, &stamp, now);
    sf_object_add(&sf->schema, contact, &number, now);
    sf_object_add(&sf->schema, contact, &points, now);
    sf_index_create(&sf->store, sf_store_table(&sf->store, account), sf_object_field(account, STR(SF_STAMP_FIELD)));
    sf_index_create(&sf->store, sf_store_table(&sf->store, contact), sf_object_field(contact, STR(SF_STAMP_FIELD)));
}

struct maker { /* the values of one row under construction */
    struct sf *sf;
    const struct sf_object *object;
    struct sf_val v[SF_FIELDS_MAX];
    size_t n;
};

static void set(struct maker *m, const char *field, const char *text)
{
    const struct sf_field *f = sf_object_field(m->object, str_of(field));
    ASSERT(f && m->n < SF_FIELDS_MAX);
    if (text && *text)
        m->v[m->n++] =
            (struct sf_val){.field = f->number, .kind = CELL_TEXT, .text = text, .n = (uint32_t)strlen(text)};
}

static void set_flag(struct maker *m, const char *field)
{
    const struct sf_field *f = sf_object_field(m->object, str_of(field));
    m->v[m->n++] = (struct sf_val){.field = f->number, .kind = CELL_BOOL, .i = 1};
}

static struct sf_record *make(struct maker *m, int64_t created_us, int64_t modified_us, uint32_t user)
{
    struct sf_meta meta = {.now_us = created_us, .user = user};
    struct sf_record *r = sf_record_new(&m->sf->store, m->object);
    struct sf_row *row = sf_row_make(r, NULL, m->v, m->n, &meta);
    if (modified_us > created_us)
        row->modified_us = row->stamp_us = modified_us - modified_us % 1000000;
    sf_put(&m->sf->store, r, row);
    m->n = 0;
    return r;
}

static uint32_t user_make(struct sf *sf, const char *first, const char *last, const char *username, bool active)
{
    struct maker m = {.sf = sf, .object = sf_schema_object(&sf->schema, STR("User"))};
    int64_t now = sandbox_now_us(sf->world);
    set(&m, "FirstName", first);
    set(&m, "LastName", last);
    set(&m, "Username", username);
    set(&m, "Email", username);
    set(&m, "Alias", last);
    set(&m, "TimeZoneSidKey", "GMT");
    set(&m, "LocaleSidKey", "en_US");
    set(&m, "UserType", "Standard");
    if (active)
        set_flag(&m, "IsActive");
    return make(&m, now, now, 0)->number;
}

static char **companies_load(struct sf *sf, const struct people *people, const char *owner)
{
    struct maker m = {.sf = sf, .object = sf_schema_object(&sf->schema, STR("Account"))};
    char **ids = calloc((size_t)people->company_count + 1, sizeof *ids);
    ASSERT(ids);
    for (int i = 0; i < people->company_count; i++) {
        const struct company *c = &people->companies[i];
        if (!c->on[SIDE_CRM])
            continue;
        set(&m, "Name", c->name);
        set(&m, "Website", c->website);
        set(&m, "Phone", c->phone);
        set(&m, "Industry", c->industry);
        set(&m, "BillingStreet", c->street);
        set(&m, "BillingCity", c->city);
        set(&m, "BillingState", c->state);
        set(&m, "BillingPostalCode", c->zip);
        set(&m, "BillingCountry", c->country);
        set(&m, "Description", c->description);
        set(&m, "OwnerId", owner);
        struct sf_record *r = make(&m, c->created_us, c->modified_us[SIDE_CRM], sf->admin);
        ids[i] = r->id;
        if (c->planted)
            sandbox_plant(sf->world, "salesforce", "accounts", r->id, planted_name(c->planted),
                          planted_reason(c->planted));
    }
    return ids;
}

static void person_load(struct maker *m, const struct person *p, char *const *ids)
{
    set(m, "LastName", p->last);
    set(m, "FirstName", p->first);
    set(m, "Email", p->email);
    set(m, "Phone", p->phone);
    set(m, "MobilePhone", p->mobile);
    set(m, "Title", p->title[SIDE_CRM]);
    set(m, "MailingStreet", p->street);
    set(m, "MailingCity", p->city);
    set(m, "MailingState", p->state);
    set(m, "MailingPostalCode", p->zip);
    set(m, "MailingCountry", p->country);
    if (p->company != NO_COMPANY)
        set(m, "AccountId", ids[p->company]);
    char *stop = NULL;
    double number = p->customer_number ? strtod(p->customer_number, &stop) : 0;
    const struct sf_field *f = sf_object_field(m->object, STR(SF_NUMBER_FIELD));
    if (p->customer_number && stop != p->customer_number && *stop == '\0')
        m->v[m->n++] = (struct sf_val){.field = f->number, .kind = CELL_NUMBER, .d = number};
}

static void persons_load(struct sf *sf, const struct people *people, char *const *ids, const char *owner)
{
    struct maker m = {.sf = sf, .object = sf_schema_object(&sf->schema, STR("Contact"))};
    for (int i = 0; i < people->person_count; i++) {
        const struct person *p = &people->persons[i];
        if (!p->on[SIDE_CRM])
            continue;
        person_load(&m, p, ids);
        set(&m, "OwnerId", owner);
        struct sf_record *r = make(&m, p->created_us, p->modified_us[SIDE_CRM], sf->admin);
        if (p->planted)
            sandbox_plant(sf->world, "salesforce", "contacts", r->id, planted_name(p->planted),
                          planted_reason(p->planted));
    }
}

void sf_seed(struct sf *sf, const struct people *people)
{
    char owner[SF_ID_MAX + 1];
    custom_fields(sf);
    sf->admin = user_make(sf, "Ada", "Admin", "ada@acme.example", true);
    sf->integration = user_make(sf, "Tie", "Line", SF_USERNAME, true);
    user_make(sf, "Olaf", "Former", "olaf@acme.example", false);
    sf_id_make("005", sf->admin, owner);
    char **ids = companies_load(sf, people, owner);
    persons_load(sf, people, ids, owner);
    free(ids);
}
