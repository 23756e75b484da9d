/* Grants, refresh tokens and access tokens, and the token endpoint over them.
 * Vendor: https://www.zoho.com/crm/developer/docs/api/v8/oauth-overview.html and its pages on token validity. */
#include "zoho_accounts.h"

#include <stdio.h>
#include <stdlib.h>

#include "consent.h"
#include "times.h"

enum { ISSUES_MAX = 64, CODES_MAX = 256 };

struct client {
    char id[64], secret[64];
};
struct code {
    char code[80], scope[512], org[24];
    int client;
    int64_t expires_us;
    bool used;
};
struct refresh {
    char token[80], scope[512], org[24];
    int client;
    bool dead;
    int64_t issued_us[ISSUES_MAX]; /* ring: when its last access tokens were made */
    unsigned issued;
};
struct accounts {
    struct sandbox *world;
    struct twin *twin;
    const char *dc, *api_domain;
    struct client clients[8];
    int client_count;
    struct code codes[CODES_MAX]; /* ring: of self clients */
    unsigned code_count;
    struct consent consent; /* of the page, and its codes */
    bool consented;         /* before: only prompt=consent brings a refresh token again */
    struct refresh *refreshes;
    int refresh_count;
    struct zoho_access *access; /* oldest first */
};

static const struct sandbox_switch switches[] = {
    {"expires_in", 3600, "lifetime of access tokens, seconds"},
    {"live_tokens", 15, "live access tokens per refresh token; one more kills the oldest"},
    {"issue_max", 10, "new access tokens per refresh token in issue_window"},
    {"issue_window", 600, "seconds"},
    {"refresh_max", 20, "refresh tokens per client; one more kills the oldest"},
    {"code_lifetime", 600, "of a self client's grant code, seconds (3 to 10 minutes in life)"},
    {"web_code_lifetime", 120, "of the code that the consent page sends back, seconds"},
    {"pkce", 1, "0: a code verifier is not looked at"},
    {"foreign_dc", 0, "1: the redirect says that the user lives in the data centre of accounts-us"},
    {"omit_expires_in", 0, "answers without expires_in, as seen at random"},
    {"omit_api_domain", 0, "answers without api_domain"},
    {"secret_code", 0, "a wrong secret answers invalid_client_secret instead of invalid_client"},
    {"error_status", 200, "HTTP status of refusals: 200 as seen, or 400"},
};
static const char *const fault_names[] = {"general-error", "throttle"};

static void token_make(struct accounts *a, char out[80])
{
    char left[33], right[33];
    sandbox_random_hex(a->world, left, 32);
    sandbox_random_hex(a->world, right, 32);
    snprintf(out, 80, "1000.%s.%s", left, right);
}

/* ---- tokens ------------------------------------------------------------- */

static void access_kill(struct zoho_access **at)
{
    struct zoho_access *dead = *at;
    *at = dead->next;
    free(dead);
}

static void access_sweep(struct accounts *a)
{
    int64_t now = sandbox_now_us(a->world);
    for (struct zoho_access **at = &a->access; *at;) {
        if ((*at)->expires_us <= now)
            access_kill(at);
        else
            at = &(*at)->next;
    }
}

static void access_kill_of(struct accounts *a, int refresh)
{
    for (struct zoho_access **at = &a->access; *at;) {
        if ((*at)->refresh == refresh)
            access_kill(at);
        else
            at = &(*at)->next;
    }
}

/* The 16th live token of a refresh token kills the oldest (token validity). */
static void access_evict(struct accounts *a, int refresh)
{
    int64_t live = 0;
    struct zoho_access **oldest = NULL;
    for (struct zoho_access **at = &a->access; *at; at = &(*at)->next) {
        if ((*at)->refresh != refresh)
            continue;
        if (!oldest)
            oldest = at;
        live++;
    }
    if (oldest && live > twin_switch(a->twin, "live_tokens"))
        access_kill(oldest);
}

static struct zoho_access *access_add(struct accounts *a, int refresh, const char *scope, const char *org)
{
    struct zoho_access *t = calloc(1, sizeof *t), **end = &a->access;
    ASSERT(t != NULL);
    token_make(a, t->token);
    snprintf(t->scope, sizeof t->scope, "%s", scope);
    snprintf(t->org, sizeof t->org, "%s", org);
    t->refresh = refresh;
    t->expires_us = sandbox_now_us(a->world) + twin_switch(a->twin, "expires_in") * US_PER_S;
    while (*end)
        end = &(*end)->next;
    *end = t;
    if (refresh >= 0)
        access_evict(a, refresh);
    return t;
}

static struct zoho_access *zoho_access_find(struct twin *accounts, str token)
{
    struct accounts *a = twin_self(accounts);
    int64_t now = sandbox_now_us(a->world);
    for (struct zoho_access *t = a->access; t; t = t->next) {
        if (str_is(token, t->token))
            return t->expires_us > now ? t : NULL;
    }
    return NULL;
}

static str token_of(const struct call *c)
{
    str h = call_header(c, "Authorization");
    if (str_starts(h, STR("Zoho-oauthtoken ")))
        return str_trim(str_n(h.p + 16, h.n - 16));
    if (str_starts(h, STR("Bearer ")) && twin_switch(c->twin, "accept_bearer"))
        return str_trim(str_n(h.p + 7, h.n - 7));
    return (str){0};
}

struct zoho_access *zoho_access_of(struct twin *accounts, const struct call *c)
{
    return zoho_access_find(accounts, token_of(c));
}

void zoho_access_expire(struct twin *accounts, const struct call *c)
{
    struct zoho_access *t = zoho_access_of(accounts, c);
    if (t)
        t->expires_us = 0;
}

bool zoho_access_allows(const struct zoho_access *t, const char *scope)
{
    const char *dot = strrchr(scope, '.');
    ASSERT(dot != NULL);
    char wide[128];
    if (str_in_list(str_of(t->scope), str_of(scope)))
        return true;
    snprintf(wide, sizeof wide, "%.*s.ALL", (int)(dot - scope), scope);
    if (str_in_list(str_of(t->scope), str_of(wide)))
        return true;
    if (strcmp(dot, ".CREATE") != 0 && strcmp(dot, ".UPDATE") != 0)
        return false;
    snprintf(wide, sizeof wide, "%.*s.WRITE", (int)(dot - scope), scope);
    return str_in_list(str_of(t->scope), str_of(wide));
}

static int refresh_find(const struct accounts *a, str token)
{
    for (int i = 0; i < a->refresh_count; i++) {
        if (!a->refreshes[i].dead && str_is(token, a->refreshes[i].token))
            return i;
    }
    return -1;
}

static void refresh_kill(struct accounts *a, int i)
{
    a->refreshes[i].dead = true;
    access_kill_of(a, i);
}

/* The 21st refresh token of a client silently kills the oldest with its access tokens (token validity). */
static int refresh_add(struct accounts *a, int client, const char *scope, const char *org)
{
    int64_t live = 0;
    int oldest = -1;
    for (int i = 0; i < a->refresh_count; i++) {
        if (a->refreshes[i].dead || a->refreshes[i].client != client)
            continue;
        oldest = oldest < 0 ? i : oldest;
        live++;
    }
    if (live >= twin_switch(a->twin, "refresh_max"))
        refresh_kill(a, oldest);
    a->refreshes = realloc(a->refreshes, sizeof *a->refreshes * (size_t)(a->refresh_count + 1));
    ASSERT(a->refreshes != NULL);
    struct refresh *r = &a->refreshes[a->refresh_count];
    *r = (struct refresh){.client = client};
    token_make(a, r->token);
    snprintf(r->scope, sizeof r->scope, "%s", scope);
    snprintf(r->org, sizeof r->org, "%s", org);
    return a->refresh_count++;
}

/* More than issue_max new tokens in the window: refused. */
static bool is_throttled(struct accounts *a, struct refresh *r)
{
    int64_t since = sandbox_now_us(a->world) - twin_switch(a->twin, "issue_window") * US_PER_S, recent = 0;
    unsigned kept = r->issued < ISSUES_MAX ? r->issued : ISSUES_MAX;
    for (unsigned i = 0; i < kept; i++)
        recent += r->issued_us[i] > since;
    if (recent >= twin_switch(a->twin, "issue_max"))
        return true;
    r->issued_us[r->issued++ % ISSUES_MAX] = sandbox_now_us(a->world);
    return false;
}

static struct code *code_add(struct accounts *a, int client, const char *scope, const char *org)
{
    struct code *x = &a->codes[a->code_count++ % CODES_MAX];
    *x = (struct code){.client = client};
    token_make(a, x->code);
    snprintf(x->scope, sizeof x->scope, "%s", scope);
    snprintf(x->org, sizeof x->org, "%s", org);
    x->expires_us = sandbox_now_us(a->world) + twin_switch(a->twin, "code_lifetime") * US_PER_S;
    return x;
}

/* ---- the token endpoint ------------------------------------------------- */

static void refuse(struct call *c, const char *error)
{
    struct accounts *a = c->self;
    call_answer_fmt(c, (int)twin_switch(a->twin, "error_status"), "{\"error\":\"%s\"}", error);
}

static void throttle_answer(struct call *c)
{
    call_answer_fmt(c, 400,
                    "{\"error_description\":\"You have made too many requests continuously. Please try again "
                    "after some time.\",\"error\":\"Access Denied\",\"status\":\"failure\"}");
}

static void token_answer(struct call *c, const struct zoho_access *t, const char *refresh_token)
{
    struct accounts *a = c->self;
    struct buf *b = &c->out;
    buf_char(b, '{');
    json_put_member(b, "access_token", str_of(t->token));
    if (refresh_token)
        json_put_member(b, "refresh_token", str_of(refresh_token));
    json_put_comma(b);
    json_put_key(b, "scope");
    size_t begin = b->n;
    json_put_text(b, t->scope);
    for (size_t i = begin; i < b->n; i++) { /* separated by blanks in the answer */
        if (b->p[i] == ',')
            b->p[i] = ' ';
    }
    if (!twin_switch(a->twin, "omit_api_domain"))
        json_put_member(b, "api_domain", str_of(a->api_domain));
    json_put_member(b, "token_type", STR("Bearer"));
    if (!twin_switch(a->twin, "omit_expires_in"))
        json_put_int(b, "expires_in", twin_switch(a->twin, "expires_in"));
    buf_char(b, '}');
    call_answer(c, 200);
}

/* A code of the consent page: bound to its redirect address and its PKCE challenge. */
static void grant_web_code(struct call *c, int client, struct consent_code *x)
{
    struct accounts *a = c->self;
    str uri = {0}, verifier = {0};
    call_param(c, "redirect_uri", &uri);
    call_param(c, "code_verifier", &verifier);
    bool good = !x->used && x->expires_us > sandbox_now_us(a->world) && x->client == client;
    x->used = true;
    if (!good || (twin_switch(a->twin, "pkce") && !consent_verified(x, verifier)))
        return refuse(c, "invalid_code");
    if (!str_is(uri, x->redirect_uri))
        return refuse(c, "invalid_redirect_uri");
    const char *org = x->org[0] ? x->org : ZOHO_DESK_ORG;
    if (!x->offline)
        return token_answer(c, access_add(a, -1, x->scope, org), NULL);
    int refresh = refresh_add(a, client, x->scope, org);
    is_throttled(a, &a->refreshes[refresh]);
    token_answer(c, access_add(a, refresh, x->scope, org), a->refreshes[refresh].token);
}

static void grant_code(struct call *c, int client)
{
    struct accounts *a = c->self;
    str code = {0};
    call_param(c, "code", &code);
    struct consent_code *web = consent_code_find(&a->consent, code);
    if (web)
        return grant_web_code(c, client, web);
    for (unsigned i = 0; i < CODES_MAX; i++) {
        struct code *x = &a->codes[i];
        if (!x->code[0] || !str_is(code, x->code))
            continue;
        bool good = !x->used && x->expires_us > sandbox_now_us(a->world) && x->client == client;
        x->used = true; /* by the first attempt, whatever its outcome */
        if (!good)
            break;
        int refresh = refresh_add(a, client, x->scope, x->org);
        is_throttled(a, &a->refreshes[refresh]);
        return token_answer(c, access_add(a, refresh, x->scope, x->org), a->refreshes[refresh].token);
    }
    refuse(c, "invalid_code");
}

static void grant_refresh(struct call *c, int client)
{
    struct accounts *a = c->self;
    str token = {0};
    call_param(c, "refresh_token", &token);
    int i = refresh_find(a, token);
    if (i < 0 || a->refreshes[i].client != client)
        return refuse(c, "invalid_code");
    struct refresh *r = &a->refreshes[i];
    if (is_throttled(a, r))
        return throttle_answer(c);
    token_answer(c, access_add(a, i, r->scope, r->org), NULL);
}

/* Documented for CRM alone: needs scope and soid, gives no refresh token. */
static void grant_client(struct call *c)
{
    struct accounts *a = c->self;
    str scope = {0}, soid = {0};
    if (!call_param(c, "scope", &scope) || !scope.n)
        return refuse(c, "invalid_scope");
    if (!call_param(c, "soid", &soid) || !str_starts(soid, STR("ZohoCRM.")))
        return refuse(c, "general_error");
    AUTO(text_free) char *scope_z = str_dup(scope);
    token_answer(c, access_add(a, -1, scope_z, ""), NULL);
}

/* The client the call names, or -1 after answering the refusal. A code presented with a wrong secret is spent too. */
static int client_check(struct call *c)
{
    struct accounts *a = c->self;
    str id = {0}, secret = {0}, code = {0};
    call_param(c, "client_id", &id);
    call_param(c, "client_secret", &secret);
    call_param(c, "code", &code);
    for (int i = 0; i < a->client_count; i++) {
        if (!str_is(id, a->clients[i].id))
            continue;
        if (str_is(secret, a->clients[i].secret))
            return i;
        for (unsigned k = 0; k < CODES_MAX && code.n; k++)
            a->codes[k].used |= str_is(code, a->codes[k].code);
        if (consent_code_find(&a->consent, code))
            consent_code_find(&a->consent, code)->used = true;
        refuse(c, twin_switch(a->twin, "secret_code") ? "invalid_client_secret" : "invalid_client");
        return -1;
    }
    refuse(c, "invalid_client");
    return -1;
}

static void h_token(struct call *c)
{
    struct accounts *a = c->self;
    access_sweep(a);
    if (fault_take(c->world, a->twin, "general-error", "POST", c->path))
        return refuse(c, "general_error");
    if (fault_take(c->world, a->twin, "throttle", "POST", c->path))
        return throttle_answer(c);
    int client = client_check(c);
    if (client < 0)
        return;
    str grant = {0};
    call_param(c, "grant_type", &grant);
    if (str_is(grant, "authorization_code"))
        grant_code(c, client);
    else if (str_is(grant, "refresh_token"))
        grant_refresh(c, client);
    else if (str_is(grant, "client_credentials"))
        grant_client(c);
    else
        refuse(c, "unsupported_grant_type");
}

static void h_revoke(struct call *c)
{
    struct accounts *a = c->self;
    str token = {0};
    call_param(c, "token", &token);
    int i = refresh_find(a, token);
    if (i >= 0) {
        refresh_kill(a, i);
        return call_answer_fmt(c, 200, "{\"status\":\"success\"}");
    }
    for (struct zoho_access **at = &a->access; *at; at = &(*at)->next) {
        if (str_is(token, (*at)->token)) {
            access_kill(at);
            return call_answer_fmt(c, 200, "{\"status\":\"success\"}");
        }
    }
    call_answer_fmt(c, 400, "{\"error\":\"invalid_token\"}");
}

/* The client a browser's address names; the first when it names none of them, which the page then refuses. */
static int client_named(const struct accounts *a, struct call *c)
{
    str id = {0};
    call_query(c, "client_id", &id);
    for (int i = 0; i < a->client_count; i++) {
        if (str_is(id, a->clients[i].id))
            return i;
    }
    return 0;
}

/* zoho.com/accounts/protocol/oauth/web-server-applications.html: the page, and the way back. */
static void h_auth(struct call *c)
{
    struct accounts *a = c->self;
    struct consent_ask ask;
    str access = {0}, prompt = {0};
    call_query(c, "access_type", &access);
    call_query(c, "prompt", &prompt);
    int client = client_named(a, c);
    if (!consent_read(&a->consent, c, a->clients[client].id, &ask) || !consent_given(c, &ask, "Zoho"))
        return;
    struct consent_code *x =
        consent_code_new(&a->consent, c, &ask, "1000.", twin_switch(a->twin, "web_code_lifetime") * US_PER_S);
    x->client = client;
    x->offline = str_is(access, "offline") && (!a->consented || str_is(prompt, "consent"));
    a->consented = true;
    bool foreign = twin_switch(a->twin, "foreign_dc") != 0;
    AUTO(buf_done) struct buf further = {0};
    buf_fmt(&further, "&location=%s&accounts-server=", foreign ? "us" : a->dc);
    buf_url(&further, str_of(twin_url(foreign ? sandbox_twin(c->world, "accounts-us") : a->twin)));
    consent_back(c, &ask, str_of(x->code), buf_text(&further));
}

static void h_serverinfo(struct call *c)
{
    call_answer_fmt(c, 200, "{\"result\":\"success\",\"locations\":{\"eu\":\"%s\",\"us\":\"%s\"}}",
                    twin_url(sandbox_twin(c->world, "accounts")), twin_url(sandbox_twin(c->world, "accounts-us")));
}

static void on_unknown(struct call *c)
{
    call_answer_text(c, 404, "text/html;charset=UTF-8",
                     "<html><head><title>Zoho Accounts</title></head><body><h2>The page you are looking for does not "
                     "exist</h2></body></html>\n");
}

static void on_wrong_method(struct call *c)
{
    call_answer_text(
        c, 405, "text/html;charset=UTF-8",
        "<html><head><title>Zoho Accounts</title></head><body><h2>Method Not Allowed</h2></body></html>\n");
}

/* ---- control: what the vendor's console does ---------------------------- */

static const char *text_or(const json_t *body, const char *key, const char *otherwise)
{
    const char *z = json_string_value(json_object_get(body, key));
    return z ? z : otherwise;
}

/* {"scope","org"}: "Generate Code" of a self client. */
static void ctl_grant(struct call *c)
{
    const json_t *body = call_json(c, NULL);
    const struct code *x =
        code_add(c->self, 0, text_or(body, "scope", ZOHO_DESK_SCOPES), text_or(body, "org", ZOHO_DESK_ORG));
    call_answer_fmt(c, 201, "{\"code\":\"%s\"}", x->code);
}

/* {"scope","org"}: a refresh token as if its code had been exchanged. */
static void ctl_refresh(struct call *c)
{
    struct accounts *a = c->self;
    const json_t *body = call_json(c, NULL);
    int i = refresh_add(a, 0, text_or(body, "scope", ZOHO_DESK_SCOPES), text_or(body, "org", ZOHO_DESK_ORG));
    call_answer_fmt(c, 201, "{\"refresh_token\":\"%s\"}", a->refreshes[i].token);
}

/* The user removed the application: every refresh token is dead. */
static void ctl_revoke_all(struct call *c)
{
    struct accounts *a = c->self;
    for (int i = 0; i < a->refresh_count; i++)
        refresh_kill(a, i);
    call_answer_empty(c, 204);
}

static void ctl_expire_all(struct call *c)
{
    struct accounts *a = c->self;
    for (struct zoho_access *t = a->access; t; t = t->next)
        t->expires_us = 0;
    call_answer_empty(c, 204);
}

static void ctl_redirects(struct call *c)
{
    struct accounts *a = c->self;
    consent_register(&a->consent, c);
}

static void ctl_tokens(struct call *c)
{
    struct accounts *a = c->self;
    int64_t live = 0, refreshes = 0;
    access_sweep(a);
    for (struct zoho_access *t = a->access; t; t = t->next)
        live++;
    for (int i = 0; i < a->refresh_count; i++)
        refreshes += !a->refreshes[i].dead;
    call_answer_fmt(c, 200, "{\"access\":%lld,\"refresh\":%lld}", (long long)live, (long long)refreshes);
}

static const struct route control[] = {
    {"POST", "/grant", ctl_grant},           {"POST", "/refresh", ctl_refresh}, {"POST", "/revoke-all", ctl_revoke_all},
    {"POST", "/expire-all", ctl_expire_all}, {"GET", "/tokens", ctl_tokens},    {"POST", "/redirects", ctl_redirects},
};
static const struct route routes[] = {
    {"GET", "/oauth/v2/auth", h_auth},
    {"POST", "/oauth/v2/token", h_token},
    {"POST", "/oauth/v2/token/revoke", h_revoke},
    {"GET", "/oauth/serverinfo", h_serverinfo},
};

static void self_free(void *self)
{
    struct accounts *a = self;
    while (a->access)
        access_kill(&a->access);
    free(a->refreshes);
    free(a);
}

#define ACCOUNTS_OPS(role)                                                                                             \
    {                                                                                                                  \
        .name = (role), .routes = routes, .route_count = ARRAY_LEN(routes), .control = control,                        \
        .control_count = ARRAY_LEN(control), .switches = switches, .switch_count = ARRAY_LEN(switches),                \
        .fault_names = fault_names, .fault_count = ARRAY_LEN(fault_names),                                             \
        .content_type = "application/json;charset=UTF-8", .unknown = on_unknown, .wrong_method = on_wrong_method,      \
        .free_self = self_free,                                                                                        \
    }
static const struct twin_ops ops_eu = ACCOUNTS_OPS("accounts"), ops_us = ACCOUNTS_OPS("accounts-us");

static struct accounts *instance_add(struct sandbox *w, const struct twin_ops *ops, const char *dc, const char *domain,
                                     int port)
{
    struct accounts *a = calloc(1, sizeof *a);
    ASSERT(a != NULL);
    a->world = w;
    a->dc = dc;
    a->api_domain = domain;
    a->twin = sandbox_add(w, ops, a, port);
    consent_init(&a->consent);
    return a;
}

static int client_add(struct accounts *a)
{
    ASSERT(a->client_count < (int)ARRAY_LEN(a->clients));
    struct client *k = &a->clients[a->client_count];
    char hex[41];
    sandbox_random_hex(a->world, hex, 30);
    snprintf(k->id, sizeof k->id, "1000.%s", hex);
    for (char *z = k->id; *z; z++)
        *z = *z >= 'a' && *z <= 'f' ? (char)(*z - 'a' + 'A') : *z;
    sandbox_random_hex(a->world, hex, 40);
    snprintf(k->secret, sizeof k->secret, "%s", hex);
    return a->client_count++;
}

int zoho_accounts_client(struct twin *accounts, const char *scopes, const char *org)
{
    struct accounts *a = twin_self(accounts);
    int client = client_add(a);
    refresh_add(a, client, scopes, org);
    return client;
}

struct twin *zoho_accounts_add(struct sandbox *w, int port)
{
    struct accounts *a = instance_add(w, &ops_eu, "eu", "https://www.zohoapis.eu", port);
    client_add(a);
    refresh_add(a, 0, ZOHO_DESK_SCOPES, ZOHO_DESK_ORG);
    code_add(a, 0, ZOHO_DESK_SCOPES, ZOHO_DESK_ORG);
    instance_add(w, &ops_us, "us", "https://www.zohoapis.com", 0);
    return a->twin;
}

void zoho_accounts_credentials(struct buf *b, struct twin *accounts)
{
    struct accounts *a = twin_self(accounts);
    json_put_raw(b, "zoho", STR("{"));
    json_put_member(b, "client_id", str_of(a->clients[0].id));
    json_put_member(b, "client_secret", str_of(a->clients[0].secret));
    json_put_member(b, "refresh_token", str_of(a->refreshes[0].token));
    json_put_member(b, "grant_code", str_of(a->codes[0].code));
    json_put_member(b, "dc", str_of(a->dc));
    buf_char(b, '}');
}

void zoho_accounts_client_put(struct buf *b, struct twin *accounts, int client)
{
    const struct accounts *a = twin_self(accounts);
    int i = 0;
    while (a->refreshes[i].client != client)
        i++;
    json_put_member(b, "client_id", str_of(a->clients[client].id));
    json_put_member(b, "client_secret", str_of(a->clients[client].secret));
    json_put_member(b, "refresh_token", str_of(a->refreshes[i].token));
}
