/* The persons of a contact, exactly one of them its primary one.
 * Vendor: https://www.zoho.com/books/api/v3/contact-persons/. */
#include "finance_contacts.h"

enum { CODE_GONE = 1002 };

static const struct fin_field person_fields[] = {
    {"salutation", FIN_TEXT, 25, FIN_SENT, NULL},   {"first_name", FIN_TEXT, 100, FIN_SENT, NULL},
    {"last_name", FIN_TEXT, 100, FIN_SENT, NULL},   {"email", FIN_EMAIL, 100, FIN_SENT, NULL},
    {"phone", FIN_TEXT, 50, FIN_SENT, NULL},        {"mobile", FIN_TEXT, 50, FIN_SENT, NULL},
    {"designation", FIN_TEXT, 50, FIN_SENT, NULL},  {"department", FIN_TEXT, 50, FIN_SENT, NULL},
    {"skype", FIN_TEXT, 50, FIN_SENT, NULL},        {"is_primary_contact", FIN_BOOL, 0, FIN_SENT, NULL},
    {"enable_portal", FIN_BOOL, 0, FIN_SENT, NULL},
};

const struct fin_kind fin_person = {.name = "contact_persons",
                                    .one = "contact_person",
                                    .id_name = "contact_person_id",
                                    .fields = person_fields,
                                    .n = ARRAY_LEN(person_fields),
                                    .nested = "contact_id,communication_preference"};

/* The first that says so, else the first. */
static void primary_settle(struct fin *contact, const struct fin *chosen)
{
    for (size_t i = 0; !chosen && i < contact->sub_n; i++) {
        if (fin_true(contact->sub[i], "is_primary_contact"))
            chosen = contact->sub[i];
    }
    if (!chosen && contact->sub_n)
        chosen = contact->sub[0];
    for (size_t i = 0; i < contact->sub_n; i++)
        fin_set(contact->sub[i], "is_primary_contact", contact->sub[i] == chosen ? STR("true") : STR("false"));
}

static struct fin *person_of(const struct fin *contact, int64_t id)
{
    for (size_t i = 0; i < contact->sub_n; i++) {
        if (contact->sub[i]->id == id)
            return contact->sub[i];
    }
    return NULL;
}

/* A person with an id keeps what is not sent of it; one that is not in the list is gone, or stays, by switch. */
static struct fin *person_draft(struct call *c, const struct fin *contact, const struct sj *one)
{
    int64_t id = sj_int(sj_get(one, "contact_person_id"), 0);
    if (!id)
        return fin_new(contact->org, &fin_person);
    const struct fin *old = person_of(contact, id);
    if (!old)
        fin_invalid(c, "contact_person_id");
    return fin_copy(old);
}

static void stay(struct fin *next, const struct fin *contact)
{
    for (size_t i = 0; i < contact->sub_n; i++) {
        if (!person_of(next, contact->sub[i]->id))
            fin_sub_add(next, fin_copy(contact->sub[i]));
    }
}

bool persons_read(struct call *c, struct fin *contact, const struct sj *list)
{
    if (!list)
        return true;
    if (list->kind != SJ_ARRAY)
        return fin_invalid(c, "contact_persons");
    AUTO(fin_free) struct fin *next = fin_new(contact->org, &fin_contact);
    for (const struct sj *one = list->first; one; one = one->next) {
        struct fin *person = person_draft(c, contact, one);
        if (!person)
            return false;
        fin_sub_add(next, person);
        if (!fin_read(c, person, one, false))
            return false;
    }
    if (!twin_switch(c->twin, "persons_replaced"))
        stay(next, contact);
    primary_settle(next, NULL);
    struct fin **sub = contact->sub;
    size_t n = contact->sub_n;
    contact->sub = next->sub;
    contact->sub_n = next->sub_n;
    next->sub = sub;
    next->sub_n = n;
    return true;
}

void persons_put(struct buf *b, const struct fin *contact)
{
    fin_put_all(b, "contact_persons", contact->sub, contact->sub_n, false);
}

/* ---- by themselves ------------------------------------------------------ */

/* The person of the path; its contact too. NULL after a refusal. */
static struct fin *wanted(struct call *c, struct fin **contact_out)
{
    struct finance *f = c->self;
    const struct fin_list *l = &f->org->lists[FIN_CONTACTS];
    int64_t id;
    if (!str_to_i64(c->capture[0], &id))
        return fin_invalid(c, "contact_person_id"), NULL;
    for (size_t i = 0; i < l->n; i++) {
        struct fin *person = fin_seen(l->rows[i]) ? person_of(l->rows[i], id) : NULL;
        if (person) {
            *contact_out = l->rows[i];
            return person;
        }
    }
    fin_error(c, (int)twin_switch(c->twin, "gone_status"), CODE_GONE, "Contact person does not exist.");
    return NULL;
}

static void settle(struct fin *contact, const struct fin *primary)
{
    primary_settle(contact, primary);
    contact_sync(contact);
    fin_touch(contact);
}

void fin_h_persons(struct call *c)
{
    const struct fin *contact = fin_wanted(c, FIN_CONTACTS);
    if (!contact)
        return;
    persons_put(fin_open(c, "success"), contact);
    fin_close(c, 200);
}

void fin_h_person_create(struct call *c)
{
    const struct sj *body = fin_body(c), *id = body ? sj_get(body, "contact_id") : NULL;
    if (!body)
        return;
    struct fin *contact = id ? fin_given(c, FIN_CONTACTS, id->text) : NULL;
    if (!contact) {
        if (!id)
            fin_missing(c, "contact_id");
        return;
    }
    AUTO(fin_free) struct fin *person = fin_new(contact->org, &fin_person);
    if (!fin_read(c, person, body, true))
        return;
    if (!fin_get(person, "first_name").n) {
        fin_missing(c, "first_name");
        return;
    }
    const struct fin *made = person;
    fin_sub_add(contact, take(person));
    settle(contact, fin_true(made, "is_primary_contact") ? made : NULL);
    fin_answer(c, 201, "The contactperson has been Created", made);
}

void fin_h_person_update(struct call *c)
{
    struct fin *contact, *person = wanted(c, &contact);
    const struct sj *body = person ? fin_body(c) : NULL;
    if (!body)
        return;
    AUTO(fin_free) struct fin *draft = fin_copy(person);
    if (!fin_read(c, draft, body, false))
        return;
    fin_replace(person, take(draft));
    settle(contact, NULL);
    fin_answer(c, 200, "The contactperson details has been updated.", person);
}

void fin_h_person_delete(struct call *c)
{
    struct fin *contact, *person = wanted(c, &contact);
    if (!person)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < contact->sub_n; i++) {
        if (contact->sub[i] != person)
            contact->sub[kept++] = contact->sub[i];
    }
    contact->sub_n = kept;
    fin_free(person);
    settle(contact, NULL);
    fin_done(c, 200, "The contactperson has been deleted.");
}

void fin_h_person_primary(struct call *c)
{
    struct fin *contact, *person = wanted(c, &contact);
    if (!person)
        return;
    settle(contact, person);
    fin_done(c, 200, "This contact person has been marked as your primary contact person.");
}
