/* Who works at the desk: agents, their profiles and departments, kept as the objects that the API shows.
 * Vendor: zohodesk-oas v1.0 Agent.json, Profile.json, Department.json. */
#include <stdio.h>
#include <stdlib.h>

#include "desk_int.h"

enum { LIST_MAX = 250, FROM_MAX = 100000 };

/* The switches for what agents see of an integration: their names are the vendor's. */
#define CRM_SWITCHES(v)                                                                                                \
    "{\"crmContactsInfo\":" v ",\"crmContactsPotentials\":" v ",\"crmContactsNotes\":" v                               \
    ",\"crmContactsActivityTasks\":" v ",\"crmContactsActivityCalls\":" v ",\"crmContactsActivityEvents\":" v          \
    ",\"crmAccountsInfo\":" v ",\"crmAccountsPotentials\":" v ",\"crmAccountsNotes\":" v                               \
    ",\"crmAccountsActivityTasks\":" v ",\"crmAccountsActivityCalls\":" v ",\"crmAccountsActivityEvents\":" v "}"
#define FINANCE_SWITCHES(v)                                                                                            \
    "{\"viewInvoice\":" v ",\"sendInvoice\":" v ",\"createInvoice\":" v ",\"viewEstimate\":" v ",\"sendEstimate\":" v  \
    ",\"createEstimate\":" v ",\"createContact\":" v "}"
#define RECORD_SWITCHES(v) "{\"view\":true,\"create\":" v ",\"edit\":" v ",\"delete\":" v "}"
#define PERMISSIONS(v)                                                                                                 \
    "{\"tickets\":" RECORD_SWITCHES(v) ",\"contacts\":" RECORD_SWITCHES(v) ",\"accounts\":" RECORD_SWITCHES(           \
        v) ",\"comments\":{\"edit\":" v ",\"delete\":" v "},\"setup\":{\"manageAgents\":" v ",\"recycleBin\":" v "}"   \
           ",\"crmInteg\":" CRM_SWITCHES(v) ",\"financeInteg\":" FINANCE_SWITCHES(v) "}"

/* What one has of whom nobody says more. */
static const char *const blanks[STAFF_KINDS] = {
    [STAFF_AGENTS] = "{\"id\":null,\"firstName\":\"\",\"lastName\":null,\"name\":null,\"emailId\":null,\"phone\":null,"
                     "\"mobile\":null,\"extn\":null,\"photoURL\":null,\"roleId\":\"4876000000010101\",\"role\":"
                     "{\"id\":\"4876000000010101\",\"name\":\"CEO\"},\"profileId\":null,\"zuid\":null,\"timeZone\":"
                     "\"Europe/Berlin\",\"langCode\":\"en_US\",\"countryCode\":\"de_DE\",\"status\":\"ACTIVE\","
                     "\"isConfirmed\":true,\"rolePermissionType\":\"AgentPublic\",\"associatedDepartmentIds\":"
                     "[\"4876000000006907\"],\"aboutInfo\":null}",
    [STAFF_PROFILES] = "{\"id\":null,\"name\":null,\"type\":\"Custom\",\"isDefault\":false,\"isVisible\":true,"
                       "\"description\":null,\"permissions\":" PERMISSIONS("false") "}",
    [STAFF_DEPARTMENTS] = "{\"id\":null,\"name\":null,\"nameInCustomerPortal\":null,\"isEnabled\":true,\"isDefault\":"
                          "false,\"isVisibleInCustomerPortal\":true,\"isAssignToTeamEnabled\":false,\"creatorId\":"
                          "\"4876000000010001\",\"description\":null,\"chatStatus\":\"NOT_CREATED\","
                          "\"associatedAgentIds\":[],\"createdTime\":\"2020-01-15T08:00:00.000Z\"}",
};
static const struct {
    enum staff kind;
    const char *text;
} at_first[] = {
    {STAFF_AGENTS, "{\"id\":\"4876000000010001\",\"firstName\":\"Ada\",\"lastName\":\"Admin\",\"name\":\"Ada Admin\","
                   "\"emailId\":\"admin@mail.example\",\"profileId\":\"4876000000010301\",\"zuid\":\"20063571\","
                   "\"rolePermissionType\":\"Admin\",\"associatedDepartmentIds\":[\"4876000000006907\","
                   "\"4876000000006908\"]}"},
    {STAFF_AGENTS, "{\"id\":\"4876000000010002\",\"firstName\":\"Lena\",\"lastName\":\"Light\",\"name\":\"Lena Light\","
                   "\"emailId\":\"light@mail.example\",\"profileId\":\"4876000000010303\",\"zuid\":\"20063572\","
                   "\"rolePermissionType\":\"Light\"}"},
    {STAFF_PROFILES, "{\"id\":\"4876000000010301\",\"name\":\"Support Administrator\",\"type\":\"Administrator\","
                     "\"isDefault\":true,\"permissions\":" PERMISSIONS("true") "}"},
    {STAFF_PROFILES, "{\"id\":\"4876000000010302\",\"name\":\"Agent\",\"type\":\"Standard\",\"isDefault\":true}"},
    {STAFF_PROFILES, "{\"id\":\"4876000000010303\",\"name\":\"Light Agent\",\"type\":\"Light\",\"isDefault\":true}"},
    {STAFF_DEPARTMENTS, "{\"id\":\"4876000000006907\",\"name\":\"Support\",\"nameInCustomerPortal\":\"Support\","
                        "\"isDefault\":true,\"associatedAgentIds\":[\"4876000000010001\",\"4876000000010002\"]}"},
    {STAFF_DEPARTMENTS, "{\"id\":\"4876000000006908\",\"name\":\"Billing\",\"nameInCustomerPortal\":\"Billing\","
                        "\"associatedAgentIds\":[\"4876000000010001\"]}"},
};
static const struct {
    const char *name, *required, *event; /* event NULL: the vendor tells of none */
} kinds[STAFF_KINDS] = {{"agents", "lastName,emailId,profileId", "Agent"},
                        {"profiles", "name", NULL},
                        {"departments", "name", "Department"}};

static json_t *tree_of(const char *text)
{
    json_t *tree = json_loads(text, 0, NULL);
    ASSERT(tree != NULL);
    return tree;
}

/* One with what is given, and of the rest what all have. */
static json_t *made_of(enum staff kind, json_t *given)
{
    json_t *one = tree_of(blanks[kind]);
    json_object_update_recursive(one, given);
    return one;
}

void staff_load(struct desk *d)
{
    for (int k = 0; k < STAFF_KINDS; k++)
        d->staff[k] = json_array();
    for (size_t i = 0; i < ARRAY_LEN(at_first); i++) {
        json_t *given = tree_of(at_first[i].text);
        json_array_append_new(d->staff[at_first[i].kind], made_of(at_first[i].kind, given));
        json_decref(given);
    }
}

void staff_done(struct desk *d)
{
    for (int k = 0; k < STAFF_KINDS; k++)
        json_decref(d->staff[k]);
}

static str member(const json_t *o, const char *name)
{
    const char *z = json_string_value(json_object_get(o, name));
    return z ? str_of(z) : (str){0};
}

static json_t *find(const struct desk *d, enum staff kind, str id)
{
    size_t i;
    json_t *one;
    json_array_foreach(d->staff[kind], i, one)
    {
        if (str_eq(member(one, "id"), id))
            return one;
    }
    return NULL;
}

const json_t *staff_find(const struct desk *d, enum staff kind, str id)
{
    return find(d, kind, id);
}

/* ---- what is shown ------------------------------------------------------ */

/* role and profile only where they were asked for. */
static json_t *agent_shown(struct desk *d, const json_t *agent, str include)
{
    json_t *o = json_copy((json_t *)(uintptr_t)agent);
    if (!str_in_list(include, STR("role")))
        json_object_del(o, "role");
    if (str_in_list(include, STR("profile"))) {
        const json_t *p = find(d, STAFF_PROFILES, member(agent, "profileId"));
        json_object_set_new(o, "profile",
                            json_pack("{s:O,s:O}", "id", json_object_get(p, "id"), "name", json_object_get(p, "name")));
    }
    return o;
}

/* A newer portal lists id and name, and what of the rest is asked for; an older one all but the permissions. */
static json_t *profile_listed(struct call *c, const json_t *profile, str fields)
{
    bool newer = twin_switch(c->twin, "profile_fields");
    json_t *o = json_object();
    const char *name;
    json_t *v;
    json_object_foreach((json_t *)(uintptr_t)profile, name, v)
    {
        bool always = strcmp(name, "id") == 0 || strcmp(name, "name") == 0;
        bool asked = newer ? str_in_list(fields, str_of(name)) : strcmp(name, "permissions") != 0;
        if (always || asked)
            json_object_set(o, name, v);
    }
    return o;
}

static void answer_tree(struct call *c, json_t *shown)
{
    json_put_tree(&c->out, shown);
    json_decref(shown);
    call_answer(c, 200);
}

/* Each value of the list is one of those that may be asked for. */
static bool all_known(struct call *c, const char *param, const char *known, str *out)
{
    str one;
    *out = (str){0};
    call_query(c, param, out);
    str rest = *out;
    while (rest.n && str_split(&rest, ',', &one)) {
        if (str_in_list(str_of(known), one))
            continue;
        desk_bad_param(c, param);
        return false;
    }
    return true;
}

struct page {
    int64_t from, limit;
    size_t seen, put;
};

static bool page_read(struct call *c, int64_t otherwise, int64_t least, int64_t most, struct page *p)
{
    *p = (struct page){0};
    bool ok = desk_int_param(c, "from", 0, 0, FROM_MAX, &p->from) &&
              desk_int_param(c, "limit", otherwise, least, most, &p->limit);
    int64_t base = twin_switch(c->twin, "from_base");
    p->from = p->from > base ? p->from - base : 0;
    return ok;
}

/* Does the next row belong to the page? Then it is put, or dropped. */
static void page_put(struct call *c, struct page *p, json_t *shown)
{
    if (p->seen++ >= (size_t)p->from && p->put < (size_t)p->limit) {
        if (p->put++ == 0)
            buf_text_add(&c->out, "{\"data\":[");
        json_put_comma(&c->out);
        json_put_tree(&c->out, shown);
    }
    json_decref(shown);
}

static void page_end(struct call *c, const struct page *p)
{
    if (!p->put)
        return call_answer_empty(c, 204);
    buf_add(&c->out, "]}", 2);
    call_answer(c, 200);
}

/* ---- calls -------------------------------------------------------------- */

static bool contains(const json_t *o, const char *name, str wanted)
{
    AUTO(text_free) char *needle = str_dup(wanted);
    const char *z = json_string_value(json_object_get(o, name));
    return z && strstr(z, needle) != NULL;
}

void h_departments(struct call *c)
{
    struct desk *d = c->self;
    struct page p;
    str enabled = {0}, wanted = {0};
    if (!desk_params_known(c, "isEnabled,searchStr,chatStatus,from,limit") || !page_read(c, 10, 1, 200, &p))
        return;
    call_query(c, "isEnabled", &enabled);
    call_query(c, "searchStr", &wanted);
    size_t i;
    json_t *one;
    json_array_foreach(d->staff[STAFF_DEPARTMENTS], i, one)
    {
        bool on = json_is_true(json_object_get(one, "isEnabled"));
        if ((!enabled.n || str_is(enabled, on ? "true" : "false")) && (!wanted.n || contains(one, "name", wanted)))
            page_put(c, &p, json_incref(one));
    }
    page_end(c, &p);
}

void h_department(struct call *c)
{
    json_t *one = find(c->self, STAFF_DEPARTMENTS, c->capture[0]);
    if (!one)
        return desk_not_found(c);
    answer_tree(c, json_incref(one));
}

static bool agent_fits(struct call *c, const json_t *agent)
{
    str wanted = {0}, status = {0}, profiles = {0};
    call_query(c, "searchStr", &wanted);
    call_query(c, "status", &status);
    call_query(c, "profileIds", &profiles);
    return (!wanted.n || contains(agent, "emailId", wanted) || contains(agent, "name", wanted)) &&
           (!status.n || str_eq(status, member(agent, "status"))) &&
           (!profiles.n || str_in_list(profiles, member(agent, "profileId")));
}

void h_agents(struct call *c)
{
    struct desk *d = c->self;
    struct page p;
    str include;
    if (!desk_params_known(c, "status,isConfirmed,isLightAgent,rolePermissionType,departmentIds,roleIds,profileIds,"
                              "searchStr,include,from,limit,sortOrder,fieldName") ||
        !page_read(c, 10, 10, 200, &p) || !all_known(c, "include", "profile,role", &include))
        return;
    size_t i;
    json_t *one;
    json_array_foreach(d->staff[STAFF_AGENTS], i, one)
    {
        if (agent_fits(c, one))
            page_put(c, &p, agent_shown(d, one, include));
    }
    page_end(c, &p);
}

void h_agent(struct call *c)
{
    struct desk *d = c->self;
    const json_t *agent = staff_find(d, STAFF_AGENTS, c->capture[0]);
    str include;
    if (!agent)
        return desk_not_found(c);
    if (all_known(c, "include", "profile,role,associatedDepartments,associatedChatDepartments", &include))
        answer_tree(c, agent_shown(d, agent, include));
}

void h_myinfo(struct call *c)
{
    struct desk *d = c->self;
    answer_tree(c, agent_shown(d, json_array_get(d->staff[STAFF_AGENTS], 0), (str){0}));
}

void h_profiles(struct call *c)
{
    struct desk *d = c->self;
    struct page p;
    str fields;
    bool newer = twin_switch(c->twin, "profile_fields");
    if (!desk_params_known(c, newer ? "default,visible,searchStr,from,limit,fields"
                                    : "default,visible,searchStr,from,limit") ||
        !page_read(c, LIST_MAX, 1, LIST_MAX, &p) ||
        !all_known(c, "fields", "type,isVisible,default,modifiedBy,modifiedTime,permissions,description", &fields))
        return;
    size_t i;
    json_t *one;
    json_array_foreach(d->staff[STAFF_PROFILES], i, one) page_put(c, &p, profile_listed(c, one, fields));
    page_end(c, &p);
}

void h_profile(struct call *c)
{
    json_t *one = find(c->self, STAFF_PROFILES, c->capture[0]);
    if (!one)
        return desk_not_found(c);
    answer_tree(c, json_incref(one));
}

/* ---- behind the vendor's back ------------------------------------------- */

static int kind_of(str kind)
{
    for (int k = 0; k < STAFF_KINDS; k++) {
        if (str_is(kind, kinds[k].name))
            return k;
    }
    return -1;
}

bool staff_dump(struct desk *d, str kind, struct buf *out)
{
    int k = kind_of(kind);
    size_t i;
    json_t *one;
    if (k < 0)
        return false;
    json_array_foreach(d->staff[k], i, one)
    {
        json_put_tree(out, one);
        buf_char(out, '\n');
    }
    return true;
}

static const char *what_is_missing(const json_t *one, int kind, char scratch[32])
{
    str rest = str_of(kinds[kind].required), name;
    while (rest.n && str_split(&rest, ',', &name)) {
        snprintf(scratch, 32, "%.*s", STR_FMT(name));
        if (!member(one, scratch).n)
            return scratch;
    }
    return NULL;
}

static void agent_complete(json_t *agent)
{
    str first = member(agent, "firstName"), last = member(agent, "lastName");
    AUTO(text_free) char *name = text_fmt("%.*s%s%.*s", STR_FMT(first), first.n ? " " : "", STR_FMT(last));
    json_object_set_new(agent, "name", json_string(name));
}

static void refuse(struct call *c, int status, const char *what)
{
    call_answer_fmt(c, status, "{\"error\":\"%s\"}", what);
}

static void raise_event(struct desk *d, enum staff kind, const char *verb, const json_t *one)
{
    if (!kinds[kind].event)
        return;
    AUTO(text_free) char *event = text_fmt("%s_%s", kinds[kind].event, verb);
    AUTO(buf_done) struct buf payload = {0};
    if (strcmp(verb, "Delete") == 0)
        buf_fmt(&payload, "{\"id\":\"%.*s\"}", STR_FMT(member(one, "id")));
    else
        json_put_tree(&payload, one);
    hooks_raise(d->hooks, event, buf_lent(&payload), (str){0}, (str){0});
}

static void answer_one(struct call *c, struct desk *d, enum staff kind, const char *verb, const json_t *one)
{
    raise_event(d, kind, verb, one);
    json_put_tree(&c->out, one);
    call_answer(c, 200);
}

static void create(struct call *c, struct desk *d, enum staff kind, json_t *fields)
{
    json_t *one = made_of(kind, fields);
    char id[24], scratch[32];
    const char *missing = what_is_missing(one, kind, scratch);
    if (missing || (kind == STAFF_AGENTS && !find(d, STAFF_PROFILES, member(one, "profileId")))) {
        AUTO(text_free) char *text = text_fmt("wants %s", missing ? missing : "the id of a profile in profileId");
        json_decref(one);
        return refuse(c, 400, text);
    }
    snprintf(id, sizeof id, "%lld", (long long)(d->next_id += 3));
    json_object_set_new(one, "id", json_string(id));
    if (kind == STAFF_AGENTS)
        agent_complete(one);
    json_array_append_new(d->staff[kind], one);
    answer_one(c, d, kind, "Add", one);
}

bool staff_change(struct call *c, struct desk *d, const char *verb, str kind, str id, json_t *fields)
{
    int k = kind_of(kind);
    if (k < 0)
        return false;
    if (strcmp(verb, "create") == 0)
        return create(c, d, (enum staff)k, fields), true;
    json_t *one = find(d, (enum staff)k, id);
    if (!one)
        return refuse(c, 404, "no such record"), true;
    if (strcmp(verb, "update") == 0) {
        json_object_update_recursive(one, fields);
        if (k == STAFF_AGENTS)
            agent_complete(one);
        return answer_one(c, d, (enum staff)k, "Update", one), true;
    }
    if (strcmp(verb, "purge") != 0)
        return false;
    size_t i = 0;
    while (json_array_get(d->staff[k], i) != one)
        i++;
    answer_one(c, d, (enum staff)k, "Delete", one);
    json_array_remove(d->staff[k], i);
    return true;
}
