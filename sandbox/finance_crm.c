/* Records of the CRM brought in as contacts, and linked with it: one contact per record of the CRM, however often it is
 * asked for. The control plane says which records the CRM has.
 * Vendor: https://www.zoho.com/books/api/v3/crm-integration/. */
#include <stdlib.h>

#include "finance_contacts.h"

enum { CRM_MAX = 1000, CODE_GONE = 1002 };

struct crm_record {
    char *id, *name, *email;
    bool account;
};
struct crm_records {
    struct crm_record rows[CRM_MAX];
    size_t n;
};

struct crm_records *crm_free(struct crm_records *k)
{
    for (size_t i = 0; k && i < k->n; i++) {
        text_free(k->rows[i].id);
        text_free(k->rows[i].name);
        text_free(k->rows[i].email);
    }
    free(k);
    return NULL;
}

static const struct crm_record *record_named(const struct finance *f, str id, bool account)
{
    for (size_t i = 0; f->crm && i < f->crm->n; i++) {
        const struct crm_record *x = &f->crm->rows[i];
        if (x->account == account && str_is(id, x->id))
            return x;
    }
    return NULL;
}

static struct fin *linked(const struct fin_org *o, const char *field, const char *id)
{
    const struct fin_list *l = &o->lists[FIN_CONTACTS];
    for (size_t i = 0; i < l->n; i++) {
        if (!l->rows[i]->gone && str_is(fin_get(l->rows[i], field), id))
            return l->rows[i];
    }
    return NULL;
}

static struct fin *contact_made(struct call *c, const struct crm_record *x)
{
    AUTO(buf_done) struct buf b = {0};
    struct sj_fault fault;
    buf_char(&b, '{');
    json_put_member(&b, "contact_name", str_of(x->name));
    json_put_raw(&b, "contact_persons", STR("[{"));
    json_put_member(&b, "first_name", str_of(x->name));
    json_put_member(&b, "email", str_of(x->email));
    buf_text_add(&b, "}]}");
    return contact_write(c, NULL, sj_parse(&c->arena, arena_str(&c->arena, buf_lent(&b)), &fault));
}

static void import(struct call *c, bool account, const char *field)
{
    struct finance *f = c->self;
    const struct crm_record *x = record_named(f, c->capture[0], account);
    if (!x)
        return fin_error(c, (int)twin_switch(c->twin, "gone_status"), CODE_GONE,
                         "The record does not exist in Zoho CRM.");
    struct fin *r = linked(f->org, field, x->id);
    if (!r)
        r = contact_made(c, x);
    if (!r)
        return;
    fin_set(r, field, str_of(x->id));
    fin_set(r, "is_linked_with_zohocrm", STR("true"));
    struct buf *b = fin_open(c, "The CRM record has been imported.");
    json_put_raw(b, "data", STR("{"));
    buf_fmt(b, "\"customer_id\":\"%lld\"}", (long long)r->id);
    fin_close(c, 200);
}

void fin_h_crm_contact_import(struct call *c)
{
    import(c, false, "zcrm_contact_id");
}

void fin_h_crm_account_import(struct call *c)
{
    import(c, true, "zcrm_account_id");
}

/* {"kind":"contact"|"account","id","name","email"}: the CRM has this record. */
void fin_ctl_crm(struct call *c)
{
    struct finance *f = c->self;
    const json_t *body = call_json(c, NULL);
    const char *id = json_string_value(json_object_get(body, "id"));
    const char *name = json_string_value(json_object_get(body, "name"));
    const char *email = json_string_value(json_object_get(body, "email"));
    const char *kind = json_string_value(json_object_get(body, "kind"));
    bool account = kind && strcmp(kind, "account") == 0;
    if (!id || !*id || !name || !*name || !kind || (!account && strcmp(kind, "contact") != 0))
        return call_answer_fmt(c, 400, "{\"error\":\"wants kind (contact or account), id and name\"}");
    if (!f->crm)
        f->crm = calloc(1, sizeof *f->crm);
    ASSERT(f->crm != NULL);
    if (f->crm->n == CRM_MAX)
        return call_answer_fmt(c, 409, "{\"error\":\"no more than %d\"}", CRM_MAX);
    f->crm->rows[f->crm->n++] =
        (struct crm_record){text_dup(id), text_dup(name), text_dup(email ? email : ""), account};
    call_answer_empty(c, 204);
}
