/* The door of the Desk twin: tokens, organisation, scopes, credits and concurrency before any handler, the vendor's
 * error shape, and the table of calls.
 * Vendor: https://desk.zoho.com/DeskAPIDocument, zohodesk-oas v1.0 Common.json (error codes and texts). */
#include <stdio.h>
#include <stdlib.h>

#include "desk_int.h"
#include "times.h"

static const struct sandbox_switch switches[] = {
    {"trash_reads", 1, "GET of a trashed record: 1 answers it with isTrashed, 0 answers 404"},
    {"from_base", 1, "first row of a list: 0 or 1 (searches always count from 0)"},
    {"tickets_need_department", 0, "the list of tickets wants departmentId"},
    {"open_word", 1, "searches of tickets know the status ${open}; 0: they take it for the name of a status"},
    {"comment_samples", 0,
     "comments as the vendor's samples show them: times in milliseconds, the author's type a list"},
    {"profile_fields", 1,
     "the list of profiles has id and name, and more by the parameter fields; 0: an older portal "
     "that does not know it and lists no permissions"},
    {"limit_cap", 99, "largest limit of lists: 99 or 100"},
    {"patch_answers", 1, "PATCH answers 1: 200 with the record, 0: 204"},
    {"mismatch_status", 403, "of SCOPE_MISMATCH and OAUTH_ORG_MISMATCH: 403 or 401"},
    {"empty_status", 422, "of EMPTY_PAYLOAD"},
    {"accept_bearer", 1, "the prefix Bearer is taken as well as Zoho-oauthtoken"},
    {"search_limit_cap", 100, "largest limit of searches"},
    {"search_values", 1, "searches know email, phone, mobile and customField1..10; 0: an older portal that does not"},
    {"range_ends", 1, "both ends belong to createdTimeRange and modifiedTimeRange; 0: neither does"},
    {"bin_newest_first", 1, "order of the recycle bin; 0: by id"},
    {"search_lag_ms", 0, "searches see a write only after so long"},
    {"restore_touches", 1, "a restore moves modifiedTime"},
    {"unique_email", 0, "contacts with an e-mail that exists are refused as duplicates"},
    {"concurrency", 25, "calls at a time before TOO_MANY_REQUESTS (Enterprise)"},
    {"credits", 100000000, "credits a day before THRESHOLD_EXCEEDED"},
    {"edition", 3, "0 free, 1 standard, 2 professional, 3 enterprise: limits webhooks"},
    {"hook_timeout_ms", 5000, "a webhook receiver has so long to answer 200"},
    {"source_id_v1", 1, "ignoreSourceId must be a UUID of version 1"},
    {"wrong_dc", 0, "as if a token of another data centre came: 401 with an HTML page"},
    {"custom_fields_max", 150, "custom fields per module"},
};
static const char *const fault_names[] = {"hook-duplicate", "hook-reorder", "hook-lost",   "hook-bad-signature",
                                          "threshold",      "bad-value",    "lying-count", "long-id"};

/* ---- refusals ----------------------------------------------------------- */

void desk_error(struct call *c, int status, const char *code, const char *message)
{
    buf_clear(&c->out);
    buf_char(&c->out, '{');
    json_put_member(&c->out, "errorCode", str_of(code));
    json_put_member(&c->out, "message", str_of(message));
    buf_char(&c->out, '}');
    call_answer(c, status);
}

void desk_invalid(struct call *c, const char *errors)
{
    call_answer_fmt(c, 422,
                    "{\"errorCode\":\"INVALID_DATA\",\"message\":\"The data does not comply to the validation "
                    "restrictions defined.\",\"errors\":[%s]}",
                    errors);
}

void desk_bad_param(struct call *c, const char *name)
{
    AUTO(text_free) char *text = text_fmt("The value passed for the '%s' query parameter is invalid.", name);
    desk_error(c, 422, "UNPROCESSABLE_ENTITY", text);
}

void desk_not_found(struct call *c)
{
    desk_error(c, 404, "URL_NOT_FOUND", "The URL you requested could not be found.");
}

static void on_wrong_method(struct call *c)
{
    desk_error(c, 405, "METHOD_NOT_ALLOWED", "The requested HTTP method is not allowed for this resource.");
}

json_t *desk_body(struct call *c)
{
    str type = call_header(c, "Content-Type");
    if (c->body.n && !str_starts(type, STR("application/json"))) {
        desk_error(c, 415, "UNSUPPORTED_MEDIA_TYPE", "The media type of the request is not supported.");
        return NULL;
    }
    if (!str_trim(c->body).n) {
        desk_error(c, (int)twin_switch(c->twin, "empty_status"), "EMPTY_PAYLOAD", "The payload is empty.");
        return NULL;
    }
    json_t *body = call_json(c, NULL);
    if (!json_is_object(body)) {
        desk_error(c, 400, "BAD_REQUEST", "The body of the request is not a JSON object.");
        return NULL;
    }
    if (!json_object_size(body)) {
        desk_error(c, (int)twin_switch(c->twin, "empty_status"), "EMPTY_PAYLOAD", "The payload is empty.");
        return NULL;
    }
    return body;
}

/* ---- query parameters --------------------------------------------------- */

struct known_params {
    str known, extra;
};

static void param_check(void *arg, str name, str value)
{
    (void)value;
    struct known_params *k = arg;
    str rest = k->known, one;
    if (str_is(name, "orgId"))
        return;
    while (rest.n && str_split(&rest, ',', &one)) {
        bool prefix = str_ends(one, STR("*"));
        if (prefix ? str_starts(name, str_n(one.p, one.n - 1)) : str_eq(name, one))
            return;
    }
    k->extra = name;
}

bool desk_params_known(struct call *c, const char *known)
{
    struct known_params k = {.known = str_of(known)};
    call_each_query(c, param_check, &k);
    if (!k.extra.n)
        return true;
    AUTO(text_free) char *text = text_fmt("Extra query parameter '%.*s' is present in the input.", STR_FMT(k.extra));
    desk_error(c, 422, "UNPROCESSABLE_ENTITY", text);
    return false;
}

bool desk_int_param(struct call *c, const char *name, int64_t otherwise, int64_t min, int64_t max, int64_t *out)
{
    str text;
    int64_t v = otherwise;
    if (call_query(c, name, &text) && (!str_to_i64(text, &v) || v < min || v > max)) {
        desk_bad_param(c, name);
        return false;
    }
    *out = v;
    return true;
}

struct module *desk_module_named(struct desk *d, str name)
{
    for (int i = 0; i < DESK_MODULES; i++) {
        if (str_is(name, d->modules[i].name))
            return &d->modules[i];
    }
    return NULL;
}

struct module *desk_module_of(struct call *c)
{
    struct desk *d = c->self;
    size_t base = sizeof "/api/v1/" - 1;
    str rest = str_n(c->path.p + base, c->path.n - base);
    int i = 0;
    while (i < DESK_MODULES - 1 && !str_starts(rest, str_of(d->modules[i].name)))
        i++;
    return &d->modules[i];
}

/* ---- the table of calls ------------------------------------------------- */

/* method, path, handler, scopes: alternatives separated by '|', both columns needed; "": without a token. */
#define RECORD_CALLS(X, module)                                                                                        \
    X("GET", "/api/v1/" module, h_list, "Desk.contacts.READ", NULL)                                                    \
    X("POST", "/api/v1/" module, h_create, "Desk.contacts.CREATE", NULL)                                               \
    X("GET", "/api/v1/" module "/search", h_search, "Desk.contacts.READ", "Desk.search.READ")                          \
    X("GET", "/api/v1/" module "/count", h_count, "Desk.contacts.READ", NULL)                                          \
    X("GET", "/api/v1/" module "/" module "ByIds", h_by_ids, "Desk.contacts.READ", NULL)                               \
    X("POST", "/api/v1/" module "/moveToTrash", h_trash, "Desk.contacts.DELETE", NULL)                                 \
    X("POST", "/api/v1/" module "/{id}/merge", h_merge, "Desk.contacts.UPDATE", NULL)                                  \
    X("GET", "/api/v1/" module "/{id}", h_get, "Desk.contacts.READ", NULL)                                             \
    X("PATCH", "/api/v1/" module "/{id}", h_patch, "Desk.contacts.UPDATE", NULL)
#define FIELD_READ       "Desk.basic.READ|Desk.settings.READ|Desk.fields.READ"
#define STAFF_READ(area) "Desk.basic.READ|Desk.settings.READ|Desk." area ".READ"
#define HOOK_SCOPE(op)   "Desk.events." op "|Desk.settings." op "|Desk.webhooks." op
#define DESK_CALLS(X)                                                                                                  \
    RECORD_CALLS(X, "contacts")                                                                                        \
    RECORD_CALLS(X, "accounts")                                                                                        \
    X("GET", "/api/v1/tickets", h_tickets, "Desk.tickets.READ", NULL)                                                  \
    X("GET", "/api/v1/tickets/search", h_search, "Desk.tickets.READ", "Desk.search.READ")                              \
    X("GET", "/api/v1/tickets/{id}", h_get, "Desk.tickets.READ", NULL)                                                 \
    X("GET", "/api/v1/tickets/{id}/comments", h_comments, "Desk.tickets.READ", NULL)                                   \
    X("POST", "/api/v1/tickets/{id}/comments", h_comment_create, "Desk.tickets.UPDATE", NULL)                          \
    X("GET", "/api/v1/organizations", h_organizations, "Desk.basic.READ|Desk.organization.READ|Desk.settings.READ",    \
      NULL)                                                                                                            \
    X("GET", "/api/v1/accessibleOrganizations", h_organizations, "Desk.basic.READ|Desk.organization.READ", NULL)       \
    X("GET", "/api/v1/organizations/{id}", h_organization, "Desk.basic.READ|Desk.organization.READ", NULL)             \
    X("GET", "/api/v1/organizationFields", h_fields, FIELD_READ, NULL)                                                 \
    X("POST", "/api/v1/organizationFields", h_field_create, "Desk.settings.CREATE|Desk.fields.CREATE", NULL)           \
    X("GET", "/api/v1/departments", h_departments, STAFF_READ("departments"), NULL)                                    \
    X("GET", "/api/v1/departments/{id}", h_department, STAFF_READ("departments"), NULL)                                \
    X("GET", "/api/v1/agents", h_agents, STAFF_READ("agents"), NULL)                                                   \
    X("GET", "/api/v1/agents/{id}", h_agent, STAFF_READ("agents"), NULL)                                               \
    X("GET", "/api/v1/myinfo", h_myinfo, "Desk.basic.READ", NULL)                                                      \
    X("GET", "/api/v1/profiles", h_profiles, STAFF_READ("permissions"), NULL)                                          \
    X("GET", "/api/v1/profiles/{id}", h_profile, STAFF_READ("permissions"), NULL)                                      \
    X("GET", "/api/v1/views", h_views, "Desk.settings.READ", NULL)                                                     \
    X("GET", "/api/v1/recycleBin", h_bin, "Desk.settings.READ", NULL)                                                  \
    X("POST", "/api/v1/recycleBin/restore", h_bin_restore, "Desk.settings.UPDATE", NULL)                               \
    X("POST", "/api/v1/recycleBin/delete", h_bin_delete, "Desk.settings.DELETE", NULL)                                 \
    X("POST", "/api/v1/recycleBin/restoreAll", h_bin_restore_all, "Desk.settings.UPDATE", NULL)                        \
    X("POST", "/api/v1/recycleBin/deleteAll", h_bin_delete_all, "Desk.settings.DELETE", NULL)                          \
    X("GET", "/api/v1/webhooks", h_webhooks, HOOK_SCOPE("READ"), NULL)                                                 \
    X("POST", "/api/v1/webhooks", h_webhook_create, HOOK_SCOPE("CREATE"), NULL)                                        \
    X("GET", "/api/v1/webhooks/{id}", h_webhook_get, HOOK_SCOPE("READ"), NULL)                                         \
    X("PATCH", "/api/v1/webhooks/{id}", h_webhook_patch, HOOK_SCOPE("UPDATE"), NULL)                                   \
    X("DELETE", "/api/v1/webhooks/{id}", h_webhook_delete, HOOK_SCOPE("DELETE"), NULL)                                 \
    X("GET", "/.well-known/jwks.json", h_jwks, "", NULL)

#define AS_ROUTE(method, path, fn, scope, scope2)  {method, path, fn},
#define AS_SCOPES(method, path, fn, scope, scope2) {scope, scope2},
static const struct route routes[] = {DESK_CALLS(AS_ROUTE)};
static const char *const scopes[][2] = {DESK_CALLS(AS_SCOPES)};

/* ---- the door ----------------------------------------------------------- */

static bool scope_given(const struct zoho_access *t, const char *alternatives)
{
    str rest = str_of(alternatives), one;
    while (rest.n && str_split(&rest, '|', &one)) {
        char z[64];
        snprintf(z, sizeof z, "%.*s", STR_FMT(one));
        if (zoho_access_allows(t, z))
            return true;
    }
    return false;
}

static void mismatch(struct call *c, const char *code, const char *message)
{
    desk_error(c, (int)twin_switch(c->twin, "mismatch_status"), code, message);
}

static bool credits_taken(struct call *c)
{
    struct desk *d = c->self;
    int64_t day = sandbox_now_us(c->world) / US_PER_DAY;
    if (day != d->credits_day) {
        d->credits_day = day;
        d->credits_used = 0;
    }
    if (d->credits_used >= twin_switch(c->twin, "credits") ||
        fault_take(c->world, c->twin, "threshold", NULL, c->path)) {
        desk_error(c, 429, "THRESHOLD_EXCEEDED", "You have exceeded the API threshold of your portal.");
        return false;
    }
    d->credits_used++;
    return true;
}

static void organisation_check(struct call *c, const struct zoho_access *t)
{
    str org = call_header(c, "orgId");
    if (!org.n)
        call_query(c, "orgId", &org);
    if (!org.n)
        desk_error(c, 422, "UNPROCESSABLE_ENTITY", "The orgId is not present in the header or the query.");
    else if (!str_is(org, t->org) || !str_is(org, ZOHO_DESK_ORG))
        mismatch(c, "OAUTH_ORG_MISMATCH", "The orgId does not belong to the OAuth token.");
}

static void on_before(struct call *c, const struct route *r)
{
    struct desk *d = c->self;
    const char *const *need = r ? scopes[r - routes] : NULL;
    if (need && !*need[0])
        return;
    if (twin_switch(c->twin, "wrong_dc"))
        return call_answer_text(c, 401, "text/html;charset=UTF-8",
                                "<html><head><title>Zoho Desk</title></head><body>Unauthorized</body></html>\n");
    const struct zoho_access *t = zoho_access_of(d->accounts, c);
    if (!t)
        return desk_error(c, 401, "INVALID_OAUTH", "The OAuth Token you provided is invalid.");
    if (!r)
        return;
    bool any_org = r->fn == h_organizations;
    if (!any_org)
        organisation_check(c, t);
    if (c->status)
        return;
    if (!scope_given(t, need[0]) || (need[1] && !scope_given(t, need[1])))
        return mismatch(c, "SCOPE_MISMATCH", "The scope of the OAuth token does not allow this operation.");
    if (twin_in_flight(c->twin) > twin_switch(c->twin, "concurrency"))
        return desk_error(c, 429, "TOO_MANY_REQUESTS", "Too many requests at a time.");
    credits_taken(c);
}

static bool on_fault(struct call *c, const struct fault *f)
{
    if (strcmp(f->name, "429") == 0)
        desk_error(c, 429, "TOO_MANY_REQUESTS", "Too many requests at a time.");
    else if (strcmp(f->name, "500") == 0 || strcmp(f->name, "503-json") == 0)
        desk_error(c, f->name[2] == '3' ? 503 : 500, "INTERNAL_SERVER_ERROR",
                   "An internal server error occurred while performing this operation.");
    else
        return false;
    return true;
}

static void on_expire(struct call *c)
{
    struct desk *d = c->self;
    zoho_access_expire(d->accounts, c);
}

/* ---- the twin ----------------------------------------------------------- */

static void self_stop(void *self)
{
    hooks_stop(((struct desk *)self)->hooks);
}

static void self_free(void *self)
{
    struct desk *d = self;
    hooks_free(d->hooks);
    for (int i = 0; i < DESK_MODULES; i++) {
        schema_done(&d->modules[i]);
        store_done(&d->modules[i]);
    }
    staff_done(d);
    comments_done(d);
    buf_done(&d->line);
    free(d);
}

static const struct route control[] = {
    {"GET", "/credits", ctl_credits},
    {"GET", "/deliveries", ctl_deliveries},
};

static const struct twin_ops ops = {
    .name = "desk",
    .routes = routes,
    .route_count = ARRAY_LEN(routes),
    .control = control,
    .control_count = ARRAY_LEN(control),
    .switches = switches,
    .switch_count = ARRAY_LEN(switches),
    .fault_names = fault_names,
    .fault_count = ARRAY_LEN(fault_names),
    .content_type = "application/json;charset=UTF-8",
    .before = on_before,
    .unknown = desk_not_found,
    .wrong_method = on_wrong_method,
    .fault_answer = on_fault,
    .expire = on_expire,
    .dump = desk_dump,
    .change = desk_change,
    .stop = self_stop,
    .free_self = self_free,
};

static void module_init(struct desk *d, int number, const char *name, const char *type, const char *event,
                        const char *ids_key)
{
    struct module *m = &d->modules[number];
    *m = (struct module){.desk = d, .number = number, .name = name, .type = type, .event = event, .ids_key = ids_key};
    schema_fill(m);
}

struct twin *desk_add(struct sandbox *w, struct twin *accounts, const struct people *people, int port)
{
    struct desk *d = calloc(1, sizeof *d);
    ASSERT(d != NULL);
    d->world = w;
    d->accounts = accounts;
    d->next_id = INT64_C(4876000000042001);
    module_init(d, MOD_ACCOUNTS, "accounts", "Accounts", "Account", "accountIds");
    module_init(d, MOD_CONTACTS, "contacts", "Contacts", "Contact", "contactIds");
    module_init(d, MOD_TICKETS, "tickets", "Tickets", "Ticket", "ticketIds");
    staff_load(d);
    d->hooks = hooks_new(d);
    d->twin = sandbox_add(w, &ops, d, port);
    desk_load(d, people);
    return d->twin;
}

void desk_credentials(struct buf *b, struct twin *desk)
{
    (void)desk;
    json_put_raw(b, "desk", STR("{"));
    json_put_member(b, "org_id", STR(ZOHO_DESK_ORG));
    json_put_member(b, "org_name", STR(DESK_ORG_NAME));
    buf_char(b, '}');
}
