/* The door of the finance twin: token, scope, organisation and limits before any handler, and the table of calls, which
 * both products have below a path of their own.
 * Vendor: https://www.zoho.com/books/api/v3/introduction/, .../oauth/, .../errors/; https://www.zoho.com/invoice/api.
 */
#include <stdio.h>
#include <stdlib.h>

#include "finance_int.h"
#include "times.h"

static const struct sandbox_switch switches[] = {
    {"organizations", FIN_ORGS, "the user's organisations: 0 to 3, the second as staff, the third inactive"},
    {"foreign_org", 6041, "code for an organisation that is not the user's: 6041, or 2"},
    {"token_code", 57, "code of 401 for a dead token: 57, or 14"},
    {"scope_status", 401, "status of code 57 for a missing scope: 401 or 400"},
    {"gone_status", 404, "status of code 1002: 404 or 400"},
    {"accept_bearer", 1, "the prefix Bearer is taken as well as Zoho-oauthtoken"},
    {"error_labels", 1, "refusals name the label (Payment Terms); 0: the member (payment_terms)"},
    {"missing_words", 0, "how a missing member is told: 0 \"Please enter the ..\", 1 \".. is required\", 2, 3"},
    {"unknown_members", 1, "members no page names are refused; 0: passed over"},
    {"invoice_json", 1, "Zoho Invoice takes a JSON body as well as the form field JSONString"},
    {"books_form", 1, "Zoho Books takes the form field JSONString as well as JSON"},
    {"page_default", FIN_PAGE_MAX, "rows of a page by default: 200 or 10"},
    {"page_over_refused", 0, "per_page over 200 is refused; 0: taken as 200"},
    {"page_context_array", 0, "page_context is an array of one, as the schemas say"},
    {"sort_order", 1, "sort_order is heeded"},
    {"modified_filter_everywhere", 0, "contacts and items heed last_modified_time too"},
    {"money_text", 0, "amounts are strings, as the schemas say"},
    {"adhoc_lines", 1, "lines without item_id are taken"},
    {"put_needs_all", 1, "an update of a document needs customer_id and line_items"},
    {"persons_replaced", 1, "contact_persons of an update replaces them; 0: those not sent stay"},
    {"repeat_refused", 1, "a status the document has is refused with 3008; 0: answered as a change"},
    {"tax_per_line", 0, "tax is rounded by line; 0: by tax over the document"},
    {"mail_marks_sent", 1, "mail of a draft makes it sent"},
    {"accept_header", 0, "Accept: application/pdf does what accept=pdf does"},
    {"no_duplicates", 1, "cf_tieline_id is \"no duplicates\": doubles are refused, X-Unique-Identifier works"},
    {"per_minute", 100, "calls a minute and organisation before 429 with code 44"},
    {"block_s", 60, "how long code 44 lasts, seconds"},
    {"per_day", 0, "calls a day before 429 with code 45; 0: what the plan has"},
    {"concurrency", 0, "calls at a time before 429 with code 1070; 0: what the plan has"},
    {"limit_headers", 0, "answers carry X-Rate-Limit-Limit, -Remaining and -Reset; refusals by limits Retry-After"},
};
static const char *const fault_names[] = {"late-commit", "minute-limit", "day-limit", "concurrent-limit"};

/* ---- the table of calls: method, path, handler, scope behind the product's prefix -- */

#define DOCUMENT_CALLS(X, many, one)                                                                                   \
    X("GET", "/" #many, many, #many ".READ")                                                                           \
    X("POST", "/" #many, one##_create, #many ".CREATE")                                                                \
    X("PUT", "/" #many, one##_upsert, #many ".UPDATE")                                                                 \
    X("GET", "/" #many "/pdf", many##_pdf, #many ".READ")                                                              \
    X("POST", "/" #many "/email", many##_mail, #many ".CREATE")                                                        \
    X("GET", "/" #many "/{id}", one##_get, #many ".READ")                                                              \
    X("PUT", "/" #many "/{id}", one##_update, #many ".UPDATE")                                                         \
    X("DELETE", "/" #many "/{id}", one##_delete, #many ".DELETE")                                                      \
    X("POST", "/" #many "/{id}/status/sent", one##_sent, #many ".CREATE")                                              \
    X("GET", "/" #many "/{id}/email", one##_mail_content, #many ".READ")                                               \
    X("POST", "/" #many "/{id}/email", one##_mail, #many ".CREATE")
#define FIN_CALLS(X)                                                                                                   \
    X("GET", "/organizations", organizations, "settings.READ")                                                         \
    X("GET", "/organizations/user", organizations_of_user, "settings.READ")                                            \
    X("GET", "/organizations/{id}", organization, "settings.READ")                                                     \
    X("POST", "/organizations/{id}/downgradetoinvoice", downgrade, "settings.CREATE")                                  \
    X("POST", "/organizations/{id}/upgradetobooks", upgrade, "settings.CREATE")                                        \
    X("GET", "/users/me", user_me, "settings.READ")                                                                    \
    X("GET", "/users", users, "settings.READ")                                                                         \
    X("GET", "/contacts", contacts, "contacts.READ")                                                                   \
    X("POST", "/contacts", contact_create, "contacts.CREATE")                                                          \
    X("PUT", "/contacts", contact_upsert, "contacts.UPDATE")                                                           \
    X("POST", "/contacts/contactpersons", person_create, "contacts.CREATE")                                            \
    X("PUT", "/contacts/contactpersons/{id}", person_update, "contacts.UPDATE")                                        \
    X("DELETE", "/contacts/contactpersons/{id}", person_delete, "contacts.DELETE")                                     \
    X("POST", "/contacts/contactpersons/{id}/primary", person_primary, "contacts.CREATE")                              \
    X("GET", "/contacts/{id}", contact_get, "contacts.READ")                                                           \
    X("PUT", "/contacts/{id}", contact_update, "contacts.UPDATE")                                                      \
    X("DELETE", "/contacts/{id}", contact_delete, "contacts.DELETE")                                                   \
    X("GET", "/contacts/{id}/contactpersons", persons, "contacts.READ")                                                \
    X("POST", "/contacts/{id}/active", contact_active, "contacts.CREATE")                                              \
    X("POST", "/contacts/{id}/inactive", contact_inactive, "contacts.CREATE")                                          \
    X("GET", "/items", items, "settings.READ")                                                                         \
    X("POST", "/items", item_create, "settings.CREATE")                                                                \
    X("PUT", "/items", item_upsert, "settings.UPDATE")                                                                 \
    X("GET", "/items/{id}", item_get, "settings.READ")                                                                 \
    X("PUT", "/items/{id}", item_update, "settings.UPDATE")                                                            \
    X("POST", "/crm/contact/{id}/import", crm_contact_import, "contacts.CREATE")                                       \
    X("POST", "/crm/account/{id}/import", crm_account_import, "contacts.CREATE")                                       \
    X("GET", "/settings/taxes", taxes, "settings.READ")                                                                \
    X("GET", "/settings/currencies", currencies, "settings.READ")                                                      \
    X("POST", "/invoices/fromestimates", invoices_from_estimates, "invoices.CREATE")                                   \
    DOCUMENT_CALLS(X, invoices, invoice)                                                                               \
    X("POST", "/invoices/{id}/status/void", invoice_void, "invoices.CREATE")                                           \
    X("POST", "/invoices/{id}/status/draft", invoice_draft, "invoices.CREATE")                                         \
    X("POST", "/invoices/{id}/writeoff", invoice_writeoff, "invoices.CREATE")                                          \
    X("POST", "/invoices/{id}/writeoff/cancel", invoice_writeoff_cancel, "invoices.CREATE")                            \
    DOCUMENT_CALLS(X, estimates, estimate)                                                                             \
    X("POST", "/estimates/{id}/status/accepted", estimate_accepted, "estimates.CREATE")                                \
    X("POST", "/estimates/{id}/status/declined", estimate_declined, "estimates.CREATE")

#define OF_BOOKS(method, path, fn, scope)   {(method), "/books/v3" path, fin_h_##fn},
#define OF_INVOICE(method, path, fn, scope) {(method), "/invoice/v3" path, fin_h_##fn},
#define SCOPE_OF(method, path, fn, scope)   (scope),
static const struct route routes[] = {FIN_CALLS(OF_BOOKS) FIN_CALLS(OF_INVOICE)};
static const char *const scopes[] = {FIN_CALLS(SCOPE_OF) FIN_CALLS(SCOPE_OF)};

/* ---- token and scope ---------------------------------------------------- */

enum { CODE_URL = 5, CODE_TOKEN = 14, CODE_METHOD = 37, CODE_RIGHT = 57, CODE_INTERNAL = 1000, CODE_ORG = 4001 };

static void right_refused(struct call *c, int status)
{
    fin_error(c, status, CODE_RIGHT, "You are not authorized to perform this operation");
}

static bool scope_given(const struct call *c, const struct zoho_access *t, const char *scope)
{
    const struct finance *f = c->self;
    const char *product = strcmp(f->product, "invoice") == 0 ? "ZohoInvoice" : "ZohoBooks";
    char name[80];
    snprintf(name, sizeof name, "%s.fullaccess.all", product);
    if (str_in_list(str_of(t->scope), str_of(name)))
        return true;
    snprintf(name, sizeof name, "%s.%s", product, scope);
    return zoho_access_allows(t, name);
}

/* ---- the organisation --------------------------------------------------- */

static struct fin_org *org_named(const struct call *c, str id)
{
    struct finance *f = c->self;
    for (int i = 0; i < twin_switch(c->twin, "organizations") && i < FIN_ORGS; i++) {
        if (str_eq(id, fin_get(f->orgs[i].record, "organization_id")))
            return &f->orgs[i];
    }
    return NULL;
}

/* Query parameter, or the header of Zoho Invoice; both may be there when they say the same. */
static bool org_given(struct call *c, str *out)
{
    const struct finance *f = c->self;
    str query = {0}, header = call_header(c, "X-com-zoho-invoice-organizationid");
    call_query(c, "organization_id", &query);
    if (strcmp(f->product, "invoice") != 0)
        header = (str){0};
    *out = query.n ? query : header;
    return out->n && (!query.n || !header.n || str_eq(query, header));
}

static void org_read(struct call *c)
{
    struct finance *f = c->self;
    str id;
    if (!org_given(c, &id)) {
        fin_invalid(c, "organization_id");
        return;
    }
    f->org = org_named(c, id);
    if (!f->org && twin_switch(c->twin, "foreign_org") == 2)
        fin_invalid(c, "organization_id");
    else if (!f->org)
        fin_error(c, 400, (int)twin_switch(c->twin, "foreign_org"),
                  "This user is not associated with the CompanyID/CompanyName:%.*s.", STR_FMT(id));
    else if (!fin_true(f->org->record, "is_org_active"))
        fin_error(c, 400, CODE_ORG, "This organization is inactive or unavailable.");
    else if (!str_is(fin_get(f->org->record, "product"), f->product)) /* the vendor's number is not known */
        fin_error(c, 400, CODE_ORG, "This organization is not available in Zoho %s.",
                  strcmp(f->product, "invoice") == 0 ? "Invoice" : "Books");
}

/* ---- limits ------------------------------------------------------------- */

static int64_t day_limit(const struct call *c, const struct fin_org *o)
{
    static const struct {
        const char *plan;
        int64_t calls;
    } plans[] = {{"FREE", 1000}, {"STANDARD", 2000}, {"PROFESSIONAL", 5000}};
    int64_t set = twin_switch(c->twin, "per_day");
    for (size_t i = 0; !set && i < ARRAY_LEN(plans); i++) {
        if (str_is(fin_get(o->record, "plan_name"), plans[i].plan))
            return plans[i].calls;
    }
    return set ? set : 10000;
}

static int64_t concurrency_limit(const struct call *c, const struct fin_org *o)
{
    int64_t set = twin_switch(c->twin, "concurrency");
    return set ? set : str_is(fin_get(o->record, "plan_name"), "FREE") ? 5 : 10;
}

static void limit_headers(struct call *c, int64_t limit, int64_t used, int64_t reset_us)
{
    if (!twin_switch(c->twin, "limit_headers"))
        return;
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)limit);
    call_add_header(c, "X-Rate-Limit-Limit", text);
    snprintf(text, sizeof text, "%lld", (long long)(limit > used ? limit - used : 0));
    call_add_header(c, "X-Rate-Limit-Remaining", text);
    snprintf(text, sizeof text, "%lld", (long long)((reset_us + US_PER_S - 1) / US_PER_S));
    call_add_header(c, "X-Rate-Limit-Reset", text);
    if (c->status)
        call_add_header(c, "Retry-After", text);
}

static void minute_refused(struct call *c)
{
    fin_error(c, 429, 44,
              "For security reasons your organization has been blocked as it have exceeded the maximum number of "
              "requests per minute that can be made from one organization.");
}

static void day_refused(struct call *c, int64_t limit)
{
    fin_error(c, 429, 45, "You have exceeded the maximum call rate limit of %lld.", (long long)limit);
}

static void minute_take(struct call *c, struct fin_org *o, int64_t now)
{
    int64_t limit = twin_switch(c->twin, "per_minute");
    if (now >= o->minute_us + 60 * US_PER_S || now < o->minute_us) {
        o->minute_us = now;
        o->minute_calls = 0;
    }
    if (o->blocked_us > now || o->minute_calls >= limit) {
        o->blocked_us = o->blocked_us > now ? o->blocked_us : now + twin_switch(c->twin, "block_s") * US_PER_S;
        o->minute_calls = 0; /* the count begins anew when the block ends */
        minute_refused(c);
        limit_headers(c, limit, limit, o->blocked_us - now);
        return;
    }
    o->minute_calls++;
}

static void limits_take(struct call *c)
{
    struct finance *f = c->self;
    struct fin_org *o = f->org;
    int64_t now = sandbox_now_us(c->world), day = now / US_PER_DAY, limit = day_limit(c, o);
    if (twin_in_flight(c->twin) > concurrency_limit(c, o) ||
        fault_take(c->world, c->twin, "concurrent-limit", NULL, c->path))
        return fin_error(c, 429, 1070,
                         "You have reached the maximum number of in process requests allowed. Please try again later.");
    if (fault_take(c->world, c->twin, "minute-limit", NULL, c->path))
        return minute_refused(c);
    if (day != o->day) {
        o->day = day;
        o->day_calls = 0;
    }
    bool spent = o->day_calls >= limit || fault_take(c->world, c->twin, "day-limit", NULL, c->path);
    if (spent)
        day_refused(c, limit);
    else
        minute_take(c, o, now);
    if (spent || !c->status)
        limit_headers(c, limit, spent ? limit : ++o->day_calls, (day + 1) * US_PER_DAY - now);
}

static void on_before(struct call *c, const struct route *r)
{
    struct finance *f = c->self;
    f->product = str_starts(c->path, STR("/invoice/")) ? "invoice" : "books";
    f->org = NULL;
    const struct zoho_access *t = zoho_access_of(f->accounts, c);
    if (!t && twin_switch(c->twin, "token_code") == CODE_TOKEN)
        return fin_error(c, 401, CODE_TOKEN, "Invalid value passed for authtoken.");
    if (!t)
        return right_refused(c, 401);
    if (!r)
        return;
    if (!scope_given(c, t, scopes[r - routes]))
        return right_refused(c, (int)twin_switch(c->twin, "scope_status"));
    bool of_any =
        str_starts(c->path, STR("/books/v3/organizations")) || str_starts(c->path, STR("/invoice/v3/organizations"));
    if (of_any)
        return;
    org_read(c);
    if (!c->status)
        limits_take(c);
}

/* ---- answers of the engine itself --------------------------------------- */

static void on_unknown(struct call *c)
{
    fin_error(c, 404, CODE_URL, "Invalid URL Passed");
}

static void on_wrong_method(struct call *c)
{
    fin_error(c, 405, CODE_METHOD, "The HTTP method %.*s is not allowed for the requested resource",
              STR_FMT(c->method));
}

static bool on_fault(struct call *c, const struct fault *f)
{
    if (strcmp(f->name, "429") == 0)
        minute_refused(c);
    else if (strcmp(f->name, "500") == 0 || strcmp(f->name, "503-json") == 0)
        fin_error(c, f->name[2] == '3' ? 503 : 500, CODE_INTERNAL, "Internal error");
    else
        return false;
    return true;
}

static void on_expire(struct call *c)
{
    struct finance *f = c->self;
    zoho_access_expire(f->accounts, c);
}

/* ---- the twin ----------------------------------------------------------- */

static void self_free(void *self)
{
    struct finance *f = self;
    for (int i = 0; i < FIN_ORGS; i++) {
        for (int k = 0; k < FIN_KINDS; k++) {
            for (size_t n = 0; n < f->orgs[i].lists[k].n; n++)
                fin_free(f->orgs[i].lists[k].rows[n]);
            free(f->orgs[i].lists[k].rows);
        }
        fin_free(f->orgs[i].record);
    }
    outbox_free(f->outbox);
    crm_free(f->crm);
    free(f);
}

static const struct route control[] = {
    {"GET", "/outbox", fin_ctl_outbox},
    {"DELETE", "/outbox", fin_ctl_outbox_clear},
    {"GET", "/limits", fin_ctl_limits},
    {"POST", "/crm", fin_ctl_crm},
};

static const struct twin_ops ops = {
    .name = "finance",
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
    .unknown = on_unknown,
    .wrong_method = on_wrong_method,
    .fault_answer = on_fault,
    .expire = on_expire,
    .dump = finance_dump,
    .change = finance_change,
    .free_self = self_free,
};

#define FIN_SCOPES_OF(product)                                                                                         \
    product ".settings.ALL," product ".contacts.ALL," product ".invoices.ALL," product ".estimates.ALL"

struct twin *finance_add(struct sandbox *w, struct twin *accounts, const struct people *people, bool invoice, int port)
{
    struct finance *f = calloc(1, sizeof *f);
    ASSERT(f != NULL);
    f->world = w;
    f->accounts = accounts;
    f->next_id = INT64_C(460000000000097000);
    f->product = invoice ? "invoice" : "books";
    f->client = zoho_accounts_client(accounts, FIN_SCOPES_OF("ZohoBooks") "," FIN_SCOPES_OF("ZohoInvoice"), "");
    f->twin = sandbox_add(w, &ops, f, port);
    finance_load(f, people, invoice);
    return f->twin;
}

void finance_credentials(struct buf *b, struct twin *finance)
{
    const struct finance *f = twin_self(finance);
    const struct fin *org = f->orgs[0].record;
    json_put_raw(b, "finance", STR("{"));
    zoho_accounts_client_put(b, f->accounts, f->client);
    json_put_member(b, "organization_id", fin_get(org, "organization_id"));
    json_put_member(b, "product", fin_get(org, "product"));
    buf_char(b, '}');
}
