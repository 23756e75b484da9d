/* OAuth of the twin: the consent page and its codes, client credentials, JWT bearer, refresh with optional rotation,
 * revoke, introspect, identity.
 * https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_flows.htm */
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

#include "salesforce_int.h"
#include "times.h"

enum { APPROVALS_MAX = 5, DEAD_SESSIONS_MAX = 256, JWT_BYTES_MAX = 8192 };

/* ---- sessions and refresh tokens */

static void random_text(struct sf *sf, char *out, size_t n)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._";
    uint64_t bits = 0;
    for (size_t i = 0; i < n; i++) {
        if (i % 10 == 0)
            bits = sandbox_random(sf->world);
        out[i] = digits[bits % 64];
        bits /= 64;
    }
    out[n] = '\0';
}

static void *room_for_one(void *array, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return array;
    *cap = *cap ? *cap * 2 : 16;
    void *grown = realloc(array, *cap * size);
    ASSERT(grown);
    return grown;
}

static void session_end(struct sf *sf, struct sf_session *s)
{
    s->dead = true;
    sf_locators_close(sf, s->number);
}

static void forget_dead_sessions(struct sf *sf)
{
    size_t kept = 0;
    for (size_t i = 0; i < sf->session_n; i++)
        if (!sf->sessions[i].dead)
            sf->sessions[kept++] = sf->sessions[i];
    sf->session_n = kept;
}

struct sf_session *sf_session_open(struct sf *sf, uint32_t user, uint64_t grant)
{
    if (sf->session_n >= DEAD_SESSIONS_MAX)
        forget_dead_sessions(sf);
    sf->sessions = room_for_one(sf->sessions, sf->session_n, &sf->session_cap, sizeof sf->sessions[0]);
    struct sf_session *s = &sf->sessions[sf->session_n++];
    char text[97];
    random_text(sf, text, sizeof text - 1);
    *s = (struct sf_session){.number = ++sf->next_session, .grant = grant, .user = user};
    s->issued_us = s->used_us = sandbox_now_us(sf->world);
    snprintf(s->token, sizeof s->token, "%.15s!AQ%s", sf->org_id, text);
    return s;
}

struct sf_session *sf_session_find(struct sf *sf, str token)
{
    int64_t idle_us = sf_switch(sf, "session_seconds") * US_PER_S, now = sandbox_now_us(sf->world);
    for (size_t i = sf->session_n; i-- > 0;) {
        struct sf_session *s = &sf->sessions[i];
        if (s->dead || !str_is(token, s->token))
            continue;
        if (now - s->used_us > idle_us) {
            session_end(sf, s);
            return NULL;
        }
        return s;
    }
    return NULL;
}

static void grant_end(struct sf *sf, struct sf_grant *g)
{
    g->dead = true;
    for (size_t i = 0; i < sf->session_n; i++)
        if (sf->sessions[i].grant == g->number && !sf->sessions[i].dead)
            session_end(sf, &sf->sessions[i]);
}

/* A sixth approval of one user silently ends the oldest. */
struct sf_grant *sf_grant_open(struct sf *sf, uint32_t user)
{
    size_t alive = 0;
    struct sf_grant *oldest = NULL;
    for (size_t i = 0; i < sf->grant_n; i++)
        if (!sf->grants[i].dead && sf->grants[i].user == user) {
            alive++;
            if (!oldest)
                oldest = &sf->grants[i];
        }
    if (alive >= APPROVALS_MAX)
        grant_end(sf, oldest);
    sf->grants = room_for_one(sf->grants, sf->grant_n, &sf->grant_cap, sizeof sf->grants[0]);
    struct sf_grant *g = &sf->grants[sf->grant_n++];
    char text[81];
    random_text(sf, text, sizeof text - 1);
    *g = (struct sf_grant){.number = ++sf->next_grant, .user = user, .used_us = sandbox_now_us(sf->world)};
    snprintf(g->token, sizeof g->token, "5Aep861%s", text);
    return g;
}

static struct sf_grant *grant_find(struct sf *sf, str token)
{
    for (size_t i = 0; i < sf->grant_n; i++)
        if (!sf->grants[i].dead && str_is(token, sf->grants[i].token))
            return &sf->grants[i];
    return NULL;
}

/* ---- answers */

static void oauth_error(struct call *c, const char *error, const char *description)
{
    call_answer_fmt(c, 400, "{\"error\":\"%s\",\"error_description\":\"%s\"}", error, description);
}

static void base64(const unsigned char *bytes, size_t n, char *out)
{
    EVP_EncodeBlock((unsigned char *)out, bytes, (int)n);
}

static void token_answer_of(struct call *c, const struct sf_session *s, const char *org, const char *refresh,
                            const char *scope)
{
    struct sf *sf = c->self;
    char user[SF_ID_MAX + 1], id[256], issued[24], signature[64];
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned mac_n = 0;
    sf_id_make("005", s->user, user);
    snprintf(id, sizeof id, "%s/id/%s/%s", twin_url(sf->login), *org ? org : sf->org_id, user);
    snprintf(issued, sizeof issued, "%lld", (long long)(s->issued_us / US_PER_MS));
    char *signed_text = arena_fmt(&c->arena, "%s%s", id, issued);
    HMAC(EVP_sha256(), sf->client_secret, (int)strlen(sf->client_secret), (const unsigned char *)signed_text,
         strlen(signed_text), mac, &mac_n);
    base64(mac, mac_n, signature);
    buf_char(&c->out, '{');
    json_put_member(&c->out, "access_token", str_of(s->token));
    if (refresh)
        json_put_member(&c->out, "refresh_token", str_of(refresh));
    json_put_member(&c->out, "signature", str_of(signature));
    json_put_member(&c->out, "scope", str_of(scope));
    json_put_member(&c->out, "instance_url", str_of(twin_url(sf->instance)));
    json_put_member(&c->out, "id", str_of(id));
    json_put_member(&c->out, "token_type", STR("Bearer"));
    json_put_member(&c->out, "issued_at", str_of(issued));
    json_put_member(&c->out, "api_instance_url", str_of("https://api.salesforce.com"));
    buf_char(&c->out, '}');
    call_add_header(c, "Cache-Control", "no-cache, no-store");
    call_add_header(c, "Set-Cookie", "BrowserId=x7f3; domain=.salesforce.com; path=/; Max-Age=31536000");
    call_add_header(c, "Set-Cookie", "CookieConsentPolicy=0:0; path=/; Max-Age=31536000");
    call_answer(c, 200);
}

static void token_answer(struct call *c, const struct sf_session *s, const char *refresh, const char *scope)
{
    token_answer_of(c, s, "", refresh, scope);
}

/* ---- the client */

static bool basic_client(struct call *c, str *id, str *secret)
{
    str header = call_header(c, "Authorization");
    if (header.n < 7 || !str_eq_nocase(str_n(header.p, 6), STR("Basic ")))
        return false;
    str coded = str_trim(str_n(header.p + 6, header.n - 6));
    unsigned char *text = arena_alloc(&c->arena, coded.n + 4);
    int n = EVP_DecodeBlock(text, (const unsigned char *)coded.p, (int)coded.n);
    if (n < 0)
        return false;
    while (coded.n && coded.p[coded.n - 1] == '=') {
        coded.n--;
        n--;
    }
    str rest = str_n(text, (size_t)n);
    (void)str_split(&rest, ':', id);
    *secret = rest;
    return true;
}

/* False after the answer. A secret is checked whenever one is given or wanted. */
static bool client_known(struct call *c, bool secret_wanted)
{
    struct sf *sf = c->self;
    str id = {0}, secret = {0};
    if (!basic_client(c, &id, &secret)) {
        call_param(c, "client_id", &id);
        call_param(c, "client_secret", &secret);
    }
    if (!str_is(id, sf->client_id)) {
        oauth_error(c, "invalid_client_id", "client identifier invalid");
        return false;
    }
    if ((secret.n || secret_wanted) && !str_is(secret, sf->client_secret)) {
        oauth_error(c, secret.n ? "invalid_client" : "invalid_client_credentials", "invalid client credentials");
        return false;
    }
    return true;
}

/* ---- flows */

static void client_credentials(struct call *c)
{
    struct sf *sf = c->self;
    if (c->twin == sf->login && !twin_switch(sf->login, "my_domain"))
        return oauth_error(c, "invalid_grant", "request not supported on this domain");
    if (!client_known(c, true))
        return;
    if (!twin_switch(sf->login, "run_as_user"))
        return oauth_error(c, "invalid_grant", "no client credentials user enabled");
    token_answer(c, sf_session_open(sf, sf->integration, 0), NULL, "api");
}

static void refresh(struct call *c)
{
    struct sf *sf = c->self;
    str token = {0};
    call_param(c, "refresh_token", &token);
    if (!client_known(c, twin_switch(sf->login, "refresh_needs_secret") != 0))
        return;
    struct sf_grant *g = grant_find(sf, token);
    int64_t idle_days = twin_switch(sf->login, "refresh_idle_days"), now = sandbox_now_us(sf->world);
    if (g && idle_days && now - g->used_us > idle_days * US_PER_DAY) {
        grant_end(sf, g);
        g = NULL;
    }
    if (!g)
        return oauth_error(c, "invalid_grant", "expired access/refresh token");
    g->used_us = now;
    char org[SF_ID_MAX + 1];
    memcpy(org, g->org, sizeof org);
    if (!twin_switch(sf->login, "rotation"))
        return token_answer_of(c, sf_session_open(sf, g->user, g->number), org, NULL, "refresh_token api");
    uint32_t user = g->user;
    grant_end(sf, g); /* the old token, its sessions and their locators are dead */
    g = sf_grant_open(sf, user);
    memcpy(g->org, org, sizeof org);
    token_answer_of(c, sf_session_open(sf, user, g->number), org, g->token, "refresh_token api");
}

/* ---- web server flow with PKCE
 * [REST:intro_understanding_web_server_oauth_flow]: a verifier that is missing is an invalid grant, a wrong one an
 * invalid request. */

static bool has_word(const char *scope, const char *word)
{
    str rest = str_of(scope), one;
    while (str_split(&rest, ' ', &one))
        if (str_is(one, word))
            return true;
    return false;
}

static void authorize(struct call *c)
{
    struct sf *sf = c->self;
    struct consent_ask ask;
    if (!consent_read(&sf->consent, c, sf->client_id, &ask))
        return;
    if (twin_switch(sf->login, "pkce_required") && !ask.challenge.n)
        return consent_refuse(c, &ask, "invalid_request", "missing+required+code+challenge");
    if (!consent_given(c, &ask, "Salesforce"))
        return;
    struct consent_code *x =
        consent_code_new(&sf->consent, c, &ask, "aPrx", twin_switch(sf->login, "web_code_lifetime") * US_PER_S);
    snprintf(x->code + strlen(x->code), sizeof x->code - strlen(x->code),
             "=="); /* as the vendor's: encoded on its way */
    consent_back(c, &ask, str_of(x->code), "");
}

static void web_code(struct call *c)
{
    struct sf *sf = c->self;
    str code = {0}, uri = {0}, verifier = {0};
    call_param(c, "code", &code);
    call_param(c, "redirect_uri", &uri);
    call_param(c, "code_verifier", &verifier);
    if (!client_known(c, twin_switch(sf->login, "web_needs_secret") != 0))
        return;
    struct consent_code *x = consent_code_find(&sf->consent, code);
    if (!x)
        return oauth_error(c, "invalid_grant", "invalid authorization code");
    if (x->used || x->expires_us <= sandbox_now_us(sf->world))
        return oauth_error(c, "invalid_grant", "expired authorization code");
    if (!str_is(uri, x->redirect_uri))
        return oauth_error(c, "redirect_uri_mismatch", "redirect_uri must match configuration");
    x->used = true;
    if (x->challenge[0] && !verifier.n)
        return oauth_error(c, "invalid_grant", "missing code verifier");
    if (!consent_verified(x, verifier))
        return oauth_error(c, "invalid_request", "invalid code verifier");
    if (!has_word(x->scope, "refresh_token"))
        return token_answer_of(c, sf_session_open(sf, sf->integration, 0), x->org, NULL, x->scope);
    struct sf_grant *g = sf_grant_open(sf, sf->integration);
    memcpy(g->org, x->org, sizeof g->org - 1);
    token_answer_of(c, sf_session_open(sf, sf->integration, g->number), x->org, g->token, x->scope);
}

void sf_redirects(struct call *c)
{
    struct sf *sf = c->self;
    consent_register(&sf->consent, c);
}

/* ---- JWT bearer */

/* Base64url without padding into the arena; false when it is none. */
static bool decode_part(struct arena *a, str part, str *out)
{
    size_t n = part.n + (4 - part.n % 4) % 4;
    char *text = arena_alloc(a, n + 1);
    for (size_t i = 0; i < part.n; i++) {
        char ch = part.p[i];
        if (ch == '+' || ch == '/' || ch == '=')
            return false;
        text[i] = ch == '-' ? '+' : ch == '_' ? '/' : ch;
    }
    memset(text + part.n, '=', n - part.n);
    unsigned char *bytes = arena_alloc(a, n + 4);
    int decoded = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)n);
    if (decoded < 0 || part.n % 4 == 1)
        return false;
    *out = str_n(bytes, (size_t)decoded - (n - part.n));
    return true;
}

static bool signature_holds(EVP_PKEY *key, str text, str signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
              EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.n, (const unsigned char *)text.p,
                               text.n) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

static bool is_audience(const struct sf *sf, str aud)
{
    return str_is(aud, "https://login.salesforce.com") || str_is(aud, "https://test.salesforce.com") ||
           str_is(aud, twin_url(sf->login)) || str_is(aud, twin_url(sf->instance));
}

static bool is_username(struct sf *sf, str name)
{
    struct sf_object *o = sf_schema_object(&sf->schema, STR("User"));
    struct sf_record *r = sf_store_table(&sf->store, o)->records[sf->integration];
    return sf_text_compare(sf_row_text(r->now, o, "Username"), name) == 0;
}

/* NULL: fine; else what is wrong. */
static const char *jwt_fault(struct call *c, str assertion)
{
    struct sf *sf = c->self;
    str rest = assertion, head, claims, signature, text;
    if (assertion.n > JWT_BYTES_MAX || !str_split(&rest, '.', &head) || !str_split(&rest, '.', &claims) || !sf->jwt_key)
        return "invalid assertion";
    str signed_text = str_n(assertion.p, head.n + 1 + claims.n);
    struct sj_fault fault;
    if (!decode_part(&c->arena, head, &text))
        return "invalid assertion";
    struct sj *header = sj_parse(&c->arena, text, &fault);
    if (!str_is(sj_text(sj_get(header, "alg")), "RS256") || !decode_part(&c->arena, rest, &signature) ||
        !signature_holds(sf->jwt_key, signed_text, signature) || !decode_part(&c->arena, claims, &text))
        return "invalid assertion";
    struct sj *body = sj_parse(&c->arena, text, &fault);
    int64_t now = sandbox_now_us(sf->world) / US_PER_S, exp = sj_int(sj_get(body, "exp"), 0);
    int64_t cap = twin_switch(sf->login, "jwt_cap_seconds");
    if (!str_is(sj_text(sj_get(body, "iss")), sf->client_id))
        return "invalid_client_id";
    if (!is_audience(sf, sj_text(sj_get(body, "aud"))))
        return "audience is invalid";
    if (exp <= now || (cap && exp > now + cap))
        return "invalid assertion";
    return is_username(sf, sj_text(sj_get(body, "sub"))) ? NULL : "user hasn't approved this consumer";
}

static void jwt_bearer(struct call *c)
{
    struct sf *sf = c->self;
    str assertion = {0};
    call_param(c, "assertion", &assertion);
    const char *fault = jwt_fault(c, assertion);
    if (fault && strcmp(fault, "invalid_client_id") == 0)
        return oauth_error(c, fault, "client identifier invalid");
    if (fault)
        return oauth_error(c, "invalid_grant", fault);
    token_answer(c, sf_session_open(sf, sf->integration, 0), NULL, "api");
}

static void token(struct call *c)
{
    str grant = {0};
    if (!str_starts(call_header(c, "Content-Type"), STR("application/x-www-form-urlencoded")))
        return oauth_error(c, "invalid_request", "must be a form post");
    call_param(c, "grant_type", &grant);
    if (str_is(grant, "client_credentials"))
        client_credentials(c);
    else if (str_is(grant, "refresh_token"))
        refresh(c);
    else if (str_is(grant, "urn:ietf:params:oauth:grant-type:jwt-bearer"))
        jwt_bearer(c);
    else if (str_is(grant, "authorization_code"))
        web_code(c);
    else
        oauth_error(c, "unsupported_grant_type", "grant type not supported");
}

/* ---- revoke, introspect, identity */

static void revoke(struct call *c)
{
    struct sf *sf = c->self;
    str text = {0};
    call_param(c, "token", &text);
    struct sf_session *s = sf_session_find(sf, text);
    struct sf_grant *g = grant_find(sf, text);
    if (!s && !g)
        return oauth_error(c, "unsupported_token_type", "this token type is not supported");
    if (g)
        grant_end(sf, g);
    if (s)
        session_end(sf, s);
    call_answer_empty(c, 200);
}

static void introspect(struct call *c)
{
    struct sf *sf = c->self;
    str text = {0};
    if (!client_known(c, true))
        return;
    call_param(c, "token", &text);
    struct sf_session *s = sf_session_find(sf, text);
    if (!s)
        return call_answer_fmt(c, 200, "{\"active\":false}");
    int64_t exp = s->used_us / US_PER_S + sf_switch(sf, "session_seconds");
    call_answer_fmt(c, 200,
                    "{\"active\":true,\"scope\":\"api\",\"client_id\":\"%s\",\"token_type\":\"access_token\","
                    "\"exp\":%lld,\"iat\":%lld}",
                    sf->client_id, (long long)exp, (long long)(s->issued_us / US_PER_S));
}

bool sf_bearer(const struct call *c, str *out)
{
    static const char *const schemes[] = {"Bearer ", "OAuth "};
    str header = call_header(c, "Authorization");
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        size_t n = strlen(schemes[i]);
        if (header.n > n && str_eq_nocase(str_n(header.p, n), str_of(schemes[i]))) {
            *out = str_trim(str_n(header.p + n, header.n - n));
            return true;
        }
    }
    return false;
}

void sf_identity(struct call *c)
{
    struct sf *sf = c->self;
    str text = {0};
    if (!sf_bearer(c, &text))
        return call_answer_text(c, 403, "text/html;charset=UTF-8", "Missing_OAuth_Token");
    struct sf_session *s = sf_session_find(sf, text);
    if (!s)
        return call_answer_text(c, 403, "text/html;charset=UTF-8", "Bad_OAuth_Token");
    if (c->capture[0].n < 15 || memcmp(c->capture[0].p, sf->org_id, 15) != 0)
        return call_answer_text(c, 403, "text/html;charset=UTF-8", "Wrong_Org");
    struct sf_object *o = sf_schema_object(&sf->schema, STR("User"));
    struct sf_record *r = sf_find_in(&sf->store, o, c->capture[1]);
    if (!r || r->number != s->user)
        return call_answer_text(c, 403, "text/html;charset=UTF-8", "Bad_Id");
    const char *host = twin_url(sf->instance);
    buf_fmt(&c->out, "{\"id\":\"%s/id/%s/%s\",\"asserted_user\":true,\"user_id\":\"%s\",\"organization_id\":\"%s\"",
            twin_url(sf->login), sf->org_id, r->id, r->id, sf->org_id);
    json_put_member(&c->out, "username", sf_row_text(r->now, o, "Username"));
    json_put_member(&c->out, "email", sf_row_text(r->now, o, "Email"));
    json_put_member(&c->out, "last_name", sf_row_text(r->now, o, "LastName"));
    buf_fmt(
        &c->out,
        ",\"urls\":{\"rest\":\"%s/services/data/v{version}/\",\"sobjects\":\"%s/services/data/v{version}/sobjects/\","
        "\"query\":\"%s/services/data/v{version}/query/\"},\"active\":true,\"user_type\":\"STANDARD\","
        "\"language\":\"en_US\",\"locale\":\"en_US\",\"utcOffset\":0,\"last_modified_date\":",
        host, host, host);
    sf_time_put(&c->out, r->now->modified_us);
    buf_char(&c->out, '}');
    call_answer(c, 200);
}

const struct route SF_LOGIN_ROUTES[SF_LOGIN_ROUTE_COUNT] = {
    {"GET", "/services/oauth2/authorize", authorize}, {"POST", "/services/oauth2/token", token},
    {"POST", "/services/oauth2/revoke", revoke},      {"POST", "/services/oauth2/introspect", introspect},
    {"GET", "/id/{org}/{user}", sf_identity},
};

void sf_auth_setup(struct sf *sf)
{
    char text[65];
    consent_init(&sf->consent);
    random_text(sf, text, 60);
    snprintf(sf->client_id, sizeof sf->client_id, "3MVG9%.56s", text);
    sandbox_random_hex(sf->world, sf->client_secret, sizeof sf->client_secret - 1);
    snprintf(sf->refresh_token, sizeof sf->refresh_token, "%s", sf_grant_open(sf, sf->integration)->token);
}
