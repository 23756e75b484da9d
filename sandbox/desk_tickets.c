/* What tickets have that contacts and accounts have not: a number, a type of status, an end.
 * Vendor: zohodesk-oas v1.0 Ticket.json. */
#include <stdio.h>
#include <stdlib.h>

#include "desk_int.h"
#include "times.h"

enum { FIRST_NUMBER = 101, PAGE_MAX = 100, FROM_MAX = 100000000, EACH = 20, LOADED_MAX = 200 };

str ticket_status_type(str status)
{
    if (str_is(status, "Closed"))
        return STR("Closed");
    return str_is(status, "On Hold") ? STR("On Hold") : STR("Open");
}

int64_t ticket_number(const struct module *m, const struct record *r)
{
    return FIRST_NUMBER + (r - m->records);
}

static str value_of(const struct module *m, const struct record *r, const char *name)
{
    return store_value(r, field_slot(m, str_of(name)));
}

static bool is_closed(const struct module *m, const struct record *r)
{
    return str_is(ticket_status_type(value_of(m, r, "status")), "Closed");
}

void ticket_settle(struct module *m, struct record *r)
{
    bool closed = is_closed(m, r), marked = value_of(m, r, "closedTime").n > 0;
    char now[32];
    struct change x = {field_slot(m, STR("closedTime")), {0}};
    if (closed == marked)
        return;
    if (closed)
        x.value = str_of(time_text(now, r->modified_us));
    store_apply(m, r, &x, 1, r->modified_us);
}

static bool is_overdue(const struct module *m, const struct record *r)
{
    int64_t due;
    str text = value_of(m, r, "dueDate");
    return text.n && time_parse(text, &due) && due < sandbox_now_us(m->desk->world) && !is_closed(m, r);
}

void ticket_extras_put(struct buf *b, const struct module *m, const struct record *r, bool full)
{
    char text[24];
    str closed = value_of(m, r, "closedTime");
    snprintf(text, sizeof text, "%lld", (long long)ticket_number(m, r));
    json_put_member(b, "ticketNumber", str_of(text));
    json_put_member(b, "statusType", ticket_status_type(value_of(m, r, "status")));
    if (closed.n)
        json_put_member(b, "closedTime", closed);
    else
        json_put_raw(b, "closedTime", STR("null"));
    snprintf(text, sizeof text, "%zu", comments_of(m->desk, r->id));
    json_put_member(b, "commentCount", str_of(text));
    json_put_member(b, "threadCount", STR("0"));
    json_put_raw(b, "productId", STR("null"));
    if (!full)
        return;
    json_put_bool(b, "isOverDue", is_overdue(m, r));
    json_put_bool(b, "isEscalated", str_is(value_of(m, r, "isEscalated"), "true"));
    json_put_bool(b, "isSpam", false);
    json_put_bool(b, "isArchived", false);
}

/* ---- the list ----------------------------------------------------------- */

static bool asked_for(struct call *c, const struct module *m, const struct record *r, const char *param)
{
    str wanted;
    return !call_query(c, param, &wanted) || str_in_list(wanted, value_of(m, r, param));
}

static bool sort_read(struct call *c, bool *down_out)
{
    str by = {0};
    call_query(c, "sortBy", &by);
    *down_out = str_is(by, "-createdTime");
    if (!by.n || *down_out || str_is(by, "createdTime"))
        return true;
    desk_bad_param(c, "sortBy");
    return false;
}

static bool department_given(struct call *c)
{
    str department;
    if (call_query(c, "departmentId", &department) || !twin_switch(c->twin, "tickets_need_department"))
        return true;
    desk_error(c, 422, "UNPROCESSABLE_ENTITY", "The departmentId is missing in the query.");
    return false;
}

void h_tickets(struct call *c)
{
    struct desk *d = c->self;
    struct module *m = &d->modules[MOD_TICKETS];
    int64_t from, limit, base = twin_switch(c->twin, "from_base"), cap = twin_switch(c->twin, "limit_cap");
    bool down;
    if (!desk_params_known(c, "departmentId,status,priority,channel,include,sortBy,from,limit") ||
        !desk_int_param(c, "from", base, base, FROM_MAX, &from) ||
        !desk_int_param(c, "limit", 10, 1, cap < PAGE_MAX ? cap : PAGE_MAX, &limit) || !sort_read(c, &down) ||
        !department_given(c))
        return;
    int64_t skip = from - base, put = 0;
    for (size_t i = 0; i < m->count && put < limit; i++) {
        const struct record *r = &m->records[down ? m->count - 1 - i : i];
        if (r->state != REC_LIVE || !asked_for(c, m, r, "departmentId") || !asked_for(c, m, r, "status") ||
            !asked_for(c, m, r, "priority") || !asked_for(c, m, r, "channel") || skip-- > 0)
            continue;
        buf_text_add(&c->out, put++ ? "," : "{\"data\":[");
        record_put(&c->out, m, r, false, false);
    }
    if (!put)
        return call_answer_empty(c, 204);
    buf_add(&c->out, "]}", 2);
    call_answer(c, 200);
}

/* ---- behind the vendor's back ------------------------------------------- */

static void set_if_absent(json_t *fields, const char *name, const char *value)
{
    if (!json_object_get(fields, name))
        json_object_set_new(fields, name, json_string(value));
}

void ticket_defaults(struct desk *d, json_t *fields)
{
    struct module *contacts = &d->modules[MOD_CONTACTS];
    const char *contact = json_string_value(json_object_get(fields, "contactId"));
    const struct record *r = contact ? store_find_text(contacts, str_of(contact)) : NULL;
    set_if_absent(fields, "status", "Open");
    set_if_absent(fields, "channel", "Web");
    set_if_absent(fields, "departmentId", DESK_DEPARTMENT_ID);
    if (!r || json_object_get(fields, "accountId"))
        return;
    AUTO(text_free) char *account = str_dup(value_of(contacts, r, "accountId"));
    if (*account)
        json_object_set_new(fields, "accountId", json_string(account));
}

/* ---- the population ----------------------------------------------------- */

struct loaded {
    struct module *m;
    struct change changes[FIELDS_MAX];
    size_t n;
};

static void set(struct loaded *l, const char *name, str value)
{
    if (value.n)
        l->changes[l->n++] = (struct change){field_slot(l->m, str_of(name)), value};
}

static void ticket_load(struct desk *d, const struct record *contact, int number)
{
    static const char *const statuses[] = {"Open", "On Hold", "Closed", "Escalated"};
    static const char *const priorities[] = {"High", "Medium", "Low", ""};
    static const char *const subjects[] = {"The invoice names the wrong address", "A part is missing",
                                           "How is the device reset?", "Please call back"};
    const struct module *contacts = &d->modules[MOD_CONTACTS];
    struct loaded l = {.m = &d->modules[MOD_TICKETS]};
    char id[24], due[32];
    snprintf(id, sizeof id, "%lld", (long long)contact->id);
    set(&l, "subject", str_of(subjects[number % 4]));
    set(&l, "status", str_of(statuses[number % 4]));
    set(&l, "priority", str_of(priorities[number / 4 % 4]));
    set(&l, "channel", STR("Email"));
    set(&l, "contactId", str_of(id));
    set(&l, "accountId", value_of(contacts, contact, "accountId"));
    set(&l, "departmentId", STR(DESK_DEPARTMENT_ID));
    set(&l, "assigneeId", STR("4876000000010001"));
    set(&l, "email", value_of(contacts, contact, "email"));
    set(&l, "dueDate", str_of(time_text(due, contact->created_us + 2 * US_PER_DAY)));
    set(&l, "isEscalated", number % 4 == 3 ? STR("true") : (str){0});
    struct record *r = store_add(l.m, contact->created_us);
    store_apply(l.m, r, l.changes, l.n, contact->created_us);
    ticket_settle(l.m, r);
    comment_add(d, r->id, DESK_AGENT_ID, contact->created_us, false, false, STR("Looked into it."));
}

void tickets_load(struct desk *d)
{
    const struct module *contacts = &d->modules[MOD_CONTACTS];
    for (size_t i = 0; i < contacts->count && i < (size_t)LOADED_MAX * EACH; i += EACH)
        ticket_load(d, &contacts->records[i], (int)(i / EACH));
}
