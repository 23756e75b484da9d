/* The finance twin behind the vendor's back: the population, dumps, and changes as another user or by time. */
#include <stdlib.h>

#include "finance_contacts.h"
#include "finance_document.h"
#include "times.h"

/* ---- the population ----------------------------------------------------- */

static void org_load(struct finance *f, int i, const char *id, const char *name, const char *role, const char *plan,
                     bool active)
{
    struct fin_org *o = &f->orgs[i];
    o->finance = f;
    o->stale = true;
    o->record = fin_new(o, &fin_organization);
    const struct {
        const char *field, *value;
    } values[] = {{"organization_id", id},       {"name", name},
                  {"contact_name", "Nora Berg"}, {"email", "nora@northwind.example"},
                  {"user_role", role},           {"plan_name", plan},
                  {"plan_type", "10"},           {"plan_period", "Monthly"},
                  {"product", "books"},          {"language_code", "en"},
                  {"zi_migration_status", "0"},  {"fiscal_year_start_month", "1"},
                  {"time_zone", "PST"},          {"utc_offset_minutes", "-480"},
                  {"currency_code", "USD"},      {"currency_symbol", "$"},
                  {"price_precision", "2"},      {"currency_format", "###,##0.00"}};
    for (size_t k = 0; k < ARRAY_LEN(values); k++)
        fin_set(o->record, values[k].field, str_of(values[k].value));
    fin_set(o->record, "is_default_org", i == 0 ? STR("true") : STR("false"));
    fin_set(o->record, "is_org_active", active ? STR("true") : STR("false"));
}

static struct fin *row_load(struct fin_org *o, int kind, const char *name_field, const char *name)
{
    struct fin *r = fin_new(o, fin_kinds[kind]);
    fin_set(r, name_field, str_of(name));
    fin_add(r);
    return r;
}

static void settings_load(struct fin_org *o)
{
    static const struct {
        const char *code, *symbol, *rate;
    } currencies[] = {{"USD", "$", "1"}, {"EUR", "€", "1.0825"}};
    static const struct {
        const char *name, *percent;
    } taxes[] = {{"Standard", "19"}, {"Reduced", "7"}, {"Odd", "8.875"}};
    static const struct {
        const char *name, *rate, *unit;
    } items[] = {{"Support hour", "95.5", "h"}, {"Licence", "12.345", "pc"}, {"On-site day", "1180", "d"}};
    for (size_t i = 0; i < ARRAY_LEN(currencies); i++) {
        struct fin *r = row_load(o, FIN_CURRENCIES, "currency_code", currencies[i].code);
        fin_set(r, "currency_symbol", str_of(currencies[i].symbol));
        fin_set(r, "price_precision", STR("2"));
        fin_set(r, "exchange_rate", str_of(currencies[i].rate));
        fin_set(r, "is_base_currency", i == 0 ? STR("true") : STR("false"));
        if (i == 0)
            fin_set_int(o->record, "currency_id", r->id);
    }
    for (size_t i = 0; i < ARRAY_LEN(taxes); i++) {
        struct fin *r = row_load(o, FIN_TAXES, "tax_name", taxes[i].name);
        fin_set(r, "tax_percentage", str_of(taxes[i].percent));
        fin_set(r, "tax_type", STR("tax"));
        fin_set(r, "is_default_tax", i == 0 ? STR("true") : STR("false"));
        fin_set(r, "is_editable", STR("true"));
    }
    for (size_t i = 0; i < ARRAY_LEN(items); i++) {
        struct fin *r = row_load(o, FIN_ITEMS, "name", items[i].name);
        fin_set(r, "item_name", str_of(items[i].name));
        fin_set(r, "rate", str_of(items[i].rate));
        fin_set(r, "unit", str_of(items[i].unit));
        fin_set(r, "status", STR("active"));
        fin_set(r, "is_taxable", STR("true"));
    }
}

static struct fin *customer_load(struct fin_org *o, const char *name, int64_t created_us)
{
    struct fin *r = fin_new(o, &fin_contact);
    fin_set(r, "contact_name", str_of(name));
    fin_set(r, "contact_type", STR("customer"));
    fin_set(r, "status", STR("active"));
    fin_set(r, "is_taxable", STR("true"));
    fin_set(r, "currency_id", fin_get(o->record, "currency_id"));
    fin_set(r, "currency_code", fin_get(o->record, "currency_code"));
    r->created_us = r->modified_us = created_us / US_PER_S * US_PER_S;
    return r;
}

static void person_load(struct fin *contact, const struct person *p)
{
    struct fin *r = fin_new(contact->org, &fin_person);
    fin_set(r, "first_name", str_of(p->first));
    fin_set(r, "last_name", str_of(p->last));
    fin_set(r, "email", str_of(p->email));
    fin_set(r, "phone", str_of(p->phone));
    fin_set(r, "mobile", str_of(p->mobile));
    fin_set(r, "is_primary_contact", contact->sub_n ? STR("false") : STR("true"));
    fin_sub_add(contact, r);
}

static void company_load(struct fin_org *o, const struct people *people, int i)
{
    const struct company *company = &people->companies[i];
    struct fin *r = customer_load(o, company->name, company->created_us);
    fin_set(r, "company_name", str_of(company->name));
    fin_set(r, "customer_sub_type", STR("business"));
    fin_set(r, "website", str_of(company->website));
    struct fin *address = r->address[0] = fin_new(o, &fin_address);
    fin_set(address, "address", str_of(company->street));
    fin_set(address, "city", str_of(company->city));
    fin_set(address, "state", str_of(company->state));
    fin_set(address, "zip", str_of(company->zip));
    fin_set(address, "country", str_of(company->country));
    for (int k = 0; k < people->person_count; k++) {
        if (people->persons[k].company == i && people->persons[k].on[SIDE_DESK])
            person_load(r, &people->persons[k]);
    }
    contact_sync(r);
    fin_add(r);
}

/* Every other company of the help desk's side is a customer, with its persons. */
static void customers_load(struct fin_org *o, const struct people *people)
{
    for (int i = 0; i < people->company_count; i += 2) {
        if (people->companies[i].on[SIDE_DESK])
            company_load(o, people, i);
    }
}

void finance_load(struct finance *f, const struct people *people, bool invoice)
{
    org_load(f, 0, "60020000101", "Northwind Trading", "admin", "PROFESSIONAL", true);
    org_load(f, 1, "60020000202", "Northwind Labs", "staff", "FREE", true);
    org_load(f, 2, "60020000303", "Northwind Archive", "admin", "STANDARD", false);
    for (int i = 0; i < FIN_ORGS; i++)
        settings_load(&f->orgs[i]);
    if (invoice)
        fin_set(f->orgs[0].record, "product", STR("invoice"));
    customers_load(&f->orgs[0], people);
}

/* ---- dumps -------------------------------------------------------------- */

static int kind_named(str name)
{
    for (int k = 0; k < FIN_KINDS; k++) {
        if (str_is(name, fin_kinds[k]->name))
            return k;
    }
    return -1;
}

/* fin_put without its last brace, and the state. */
static void dump_put(struct buf *b, const struct fin *r)
{
    fin_put(b, r, false);
    b->n--;
    json_put_member(b, "organization_id", fin_get(r->org->record, "organization_id"));
    json_put_member(b, "_state", r->gone ? STR("purged") : STR("live"));
    buf_char(b, '}');
}

bool finance_dump(struct twin *t, str kind, struct buf *out)
{
    struct finance *f = twin_self(t);
    int k = kind_named(kind);
    if (k < 0)
        return false;
    for (int i = 0; i < FIN_ORGS; i++) {
        ledger_refresh(&f->orgs[i]);
        for (size_t n = 0; n < f->orgs[i].lists[k].n; n++) {
            dump_put(out, f->orgs[i].lists[k].rows[n]);
            buf_char(out, '\n');
        }
    }
    return true;
}

/* ---- changes as another user -------------------------------------------- */

static bool refuse(struct call *c, int status, const char *text)
{
    call_answer_fmt(c, status, "{\"error\":\"%s\"}", text);
    return true;
}

static bool answer(struct call *c, const struct fin *r, int status)
{
    buf_clear(&c->out);
    ledger_refresh(r->org);
    if (r->kind == &fin_organization)
        fin_put(&c->out, r, false);
    else
        dump_put(&c->out, r);
    call_answer(c, status);
    return true;
}

/* Organisations: what no client may set, such as {"user_role":"staff"} or {"plan_name":"FREE"}. */
static bool org_change(struct call *c, struct finance *f, str id, json_t *fields)
{
    struct fin *r = NULL;
    const char *name;
    json_t *v;
    for (int i = 0; i < FIN_ORGS; i++)
        r = str_eq(id, fin_get(f->orgs[i].record, "organization_id")) ? f->orgs[i].record : r;
    if (!r)
        return refuse(c, 404, "no such organisation");
    json_object_foreach(fields, name, v)
    {
        const struct fin_field *field = fin_field(&fin_organization, str_of(name));
        const char *z = json_is_boolean(v) ? (json_is_true(v) ? "true" : "false") : json_string_value(v);
        if (!field || !z || (field->options && !str_in_list(str_of(field->options), str_of(z))))
            return refuse(c, 400, "no such field, or no such value; values are strings or booleans");
    }
    json_object_foreach(fields, name, v)
    {
        fin_set(r, name, str_of(json_is_boolean(v) ? (json_is_true(v) ? "true" : "false") : json_string_value(v)));
    }
    r->org->stale = true;
    return answer(c, r, 200);
}

static bool amount_given(json_t *fields, money *out)
{
    const char *z = json_string_value(json_object_get(fields, "amount"));
    return z && money_parse(str_of(z), out) && *out > 0;
}

/* A payment: what is more than the balance is the customer's credit. */
static void pay(struct fin *invoice, money amount)
{
    money open = invoice->total - invoice->paid - invoice->credited - invoice->written_off,
          used = amount < open ? amount : open;
    AUTO(buf_done) struct buf today = {0};
    date_format(&today, fin_today(invoice->org));
    invoice->paid += used;
    invoice->owner->credited += amount - used;
    fin_set(invoice, "last_payment_date", buf_lent(&today));
}

static bool money_moved(struct call *c, struct fin *r, const char *verb, json_t *fields)
{
    money amount = 0;
    if (!amount_given(fields, &amount))
        return refuse(c, 400, "wants {\\\"amount\\\":\\\"12.50\\\"}");
    bool open = r->kind == &fin_invoice && !document_is(r, "draft,void");
    if (strcmp(verb, "credit") == 0 && r->kind == &fin_contact)
        r->credited += amount;
    else if (strcmp(verb, "pay") == 0 && open)
        pay(r, amount);
    else if (strcmp(verb, "apply") == 0 && open && amount <= r->owner->credited &&
             amount <= r->total - r->paid - r->credited - r->written_off) {
        r->owner->credited -= amount;
        r->credited += amount;
    } else {
        return refuse(c, 409,
                      "credit is for contacts; pay and apply are for invoices that are out, apply for no more "
                      "than is open and unused");
    }
    fin_touch(r);
    return answer(c, r, 200);
}

static bool view(struct call *c, struct fin *r)
{
    if (r->kind != &fin_invoice && r->kind != &fin_estimate)
        return false;
    if (document_is(r, "sent"))
        document_move(r, "viewed");
    fin_set(r, "is_viewed_by_client", STR("true"));
    return answer(c, r, 200);
}

/* Members no client may send: what only the vendor sets, then times of fixtures, then the organisation it is for. */
static const char *const own_names[] = {
    "zcrm_contact_id",       "zcrm_account_id", "outstanding_payable_amount", "unused_credits_payable_amount",
    "payment_expected_date", "created_time",    "last_modified_time",         "organization_id"};
enum { OWN_FIELDS = 5 };

static void own_members_set(struct fin *r, json_t *fields)
{
    for (size_t i = 0; i < OWN_FIELDS; i++) {
        const char *z = json_string_value(json_object_get(fields, own_names[i]));
        if (z && fin_field(r->kind, str_of(own_names[i])))
            fin_set(r, own_names[i], str_of(z));
    }
    if (r->kind == &fin_contact)
        fin_set(r, "is_linked_with_zohocrm",
                fin_get(r, "zcrm_contact_id").n || fin_get(r, "zcrm_account_id").n ? STR("true") : STR("false"));
    const char *made = json_string_value(json_object_get(fields, "created_time"));
    const char *changed = json_string_value(json_object_get(fields, "last_modified_time"));
    if (made)
        time_parse(str_of(made), &r->created_us);
    if (changed)
        time_parse(str_of(changed), &r->modified_us);
}

/* The same checks as a client's write, in the name of another user of the organisation. */
static struct fin *write_as_other(struct call *c, int kind, struct fin *existing, json_t *fields)
{
    char *text = json_dumps(fields, JSON_COMPACT);
    struct sj_fault fault;
    ASSERT(text != NULL);
    const struct sj *body = sj_parse(&c->arena, arena_str(&c->arena, str_of(text)), &fault);
    free(text);
    if (kind == FIN_CONTACTS)
        return contact_write(c, existing, body);
    if (kind == FIN_ITEMS)
        return item_write(c, existing, body);
    return document_write(c, kind, existing, body);
}

static bool fields_change(struct call *c, struct finance *f, int kind, struct fin *r, json_t *fields)
{
    if (kind == FIN_TAXES || kind == FIN_CURRENCIES)
        return false;
    struct twin *control = c->twin;
    void *self = c->self;
    json_t *sent = json_copy(fields);
    for (size_t i = 0; i < ARRAY_LEN(own_names); i++)
        json_object_del(sent, own_names[i]);
    c->twin = f->twin;
    c->self = f;
    struct fin *made = write_as_other(c, kind, r, sent);
    c->twin = control;
    c->self = self;
    json_decref(sent);
    if (!made)
        return true;
    own_members_set(made, fields);
    return answer(c, made, r ? 200 : 201);
}

static struct fin *found(struct finance *f, int kind, str id)
{
    struct fin *r = NULL;
    for (int i = 0; i < FIN_ORGS && !r; i++)
        r = fin_find_text(&f->orgs[i], kind, id);
    return r;
}

bool finance_change(struct call *c, struct twin *t, const char *verb, str kind, str id, json_t *fields)
{
    struct finance *f = twin_self(t);
    if (str_is(kind, "organizations") && strcmp(verb, "update") == 0)
        return org_change(c, f, id, fields);
    int k = kind_named(kind);
    if (k < 0)
        return false;
    const char *org = json_string_value(json_object_get(fields, "organization_id"));
    f->org = &f->orgs[0];
    for (int i = 0; org && i < FIN_ORGS; i++)
        f->org = str_is(fin_get(f->orgs[i].record, "organization_id"), org) ? &f->orgs[i] : f->org;
    if (strcmp(verb, "create") == 0)
        return fields_change(c, f, k, NULL, fields);
    struct fin *r = found(f, k, id);
    if (!r)
        return refuse(c, 404, "no such record");
    f->org = r->org;
    if (strcmp(verb, "update") == 0)
        return fields_change(c, f, k, r, fields);
    if (strcmp(verb, "pay") == 0 || strcmp(verb, "apply") == 0 || strcmp(verb, "credit") == 0)
        return money_moved(c, r, verb, fields);
    if (strcmp(verb, "view") == 0)
        return view(c, r);
    bool referred_to = k == FIN_TAXES || k == FIN_CURRENCIES;
    if (referred_to || (strcmp(verb, "purge") != 0 && strcmp(verb, "trash") != 0))
        return false;
    if (k == FIN_CONTACTS && ledger_has_transactions(r))
        return refuse(c, 409, "the contact has transactions");
    r->gone = true;
    r->org->stale = true;
    return answer(c, r, 200);
}

/* ---- further control calls ---------------------------------------------- */

void fin_ctl_outbox(struct call *c)
{
    outbox_put(c->self, &c->out);
    call_answer(c, 200);
}

void fin_ctl_outbox_clear(struct call *c)
{
    outbox_clear(c->self);
    call_answer_empty(c, 204);
}

void fin_ctl_limits(struct call *c)
{
    const struct finance *f = c->self;
    buf_char(&c->out, '{');
    for (int i = 0; i < FIN_ORGS; i++) {
        AUTO(text_free) char *id = str_dup(fin_get(f->orgs[i].record, "organization_id"));
        json_put_raw(&c->out, id, STR("{"));
        json_put_int(&c->out, "minute", f->orgs[i].minute_calls);
        json_put_int(&c->out, "day", f->orgs[i].day_calls);
        buf_char(&c->out, '}');
    }
    buf_char(&c->out, '}');
    call_answer(c, 200);
}
