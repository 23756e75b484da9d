/* How to sign in to Salesforce; the host does it. */
#include "salesforce.h"

#define TOKEN_URL "{login_url}/services/oauth2/token"
#define CODE                                                                                                           \
    "grant_type=authorization_code&code={code}&client_id={client_id}&client_secret={client_secret}&redirect_uri={"     \
    "redirect_uri}"
#define REFRESH  "grant_type=refresh_token&refresh_token={refresh_token}&client_id={client_id}"
#define JWT_FORM "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}"

/* Client credentials come last: where a refresh token or a key is set as well, that is what the operator means.
 * JWT: exp is seconds in the near future, five minutes at most [HELP:remoteaccess_oauth_jwt_flow].
 * Client credentials: only at the org's own address [HELP:remoteaccess_oauth_client_credentials_flow].
 * Refresh: the secret may be optional for the app [HELP:remoteaccess_oauth_refresh_token_flow]. */
static const tl_auth_flow flows[] = {
    {.name = "jwt_bearer",
     .needs = "client_id,username,private_key,audience",
     .token_url = TOKEN_URL,
     .form = JWT_FORM,
     .assertion = "{\"iss\":\"{client_id}\",\"sub\":\"{username}\",\"aud\":\"{audience}\",\"exp\":{expires}}",
     .assertion_key = "private_key",
     .assertion_lifetime_s = 180},
    {.name = "jwt_bearer",
     .needs = "client_id,username,private_key",
     .token_url = TOKEN_URL,
     .form = JWT_FORM,
     .assertion = "{\"iss\":\"{client_id}\",\"sub\":\"{username}\",\"aud\":\"{login_url}\",\"exp\":{expires}}",
     .assertion_key = "private_key",
     .assertion_lifetime_s = 180},
    {.name = "refresh_token",
     .needs = "client_id,refresh_token,client_secret",
     .token_url = TOKEN_URL,
     .form = REFRESH "&client_secret={client_secret}"},
    {.name = "refresh_token", .needs = "client_id,refresh_token", .token_url = TOKEN_URL, .form = REFRESH},
    {.name = "client_credentials",
     .needs = "client_id,client_secret",
     .token_url = TOKEN_URL,
     .form = "grant_type=client_credentials&client_id={client_id}&client_secret={client_secret}"},
    {.name = "authorization_code",
     .needs = "client_id,client_secret,code,redirect_uri,code_verifier",
     .token_url = TOKEN_URL,
     .form = CODE "&code_verifier={code_verifier}"},
    {.name = "authorization_code",
     .needs = "client_id,client_secret,code,redirect_uri",
     .token_url = TOKEN_URL,
     .form = CODE},
    {.name = "authorization_code", /* an app that asks for no secret */
     .needs = "client_id,code,redirect_uri,code_verifier",
     .token_url = TOKEN_URL,
     .form = "grant_type=authorization_code&code={code}&client_id={client_id}&redirect_uri={redirect_uri}&"
             "code_verifier={code_verifier}"},
};

/* 401 INVALID_SESSION_ID: expired, but also a session of another instance or one that policy forbids; the host
 * refreshes once and then leaves it [REST:errorcodes]. A mangled token is not mended by another one. */
static int32_t verdict(int32_t status, tl_str body)
{
    if (status != 401)
        return TL_AUTH_UNRELATED;
    TLK_AUTO_JSON j = {0};
    TLK_AUTO_ARENA a = {0};
    tl_str code = tlk_text_at(tlk_json_read(&j, body), "0.errorCode", &a);
    return tlk_is(code, "INVALID_AUTH_HEADER") ? TL_AUTH_REFUSED : TL_AUTH_EXPIRED;
}

/* [HELP:remoteaccess_oauth_flow_errors]. The first row whose error, and part of the description, fit. */
static const struct {
    const char *error, *about;
    tl_status status;
    const char *text;
} token_errors[] = {
    {"invalid_grant", "expired access/refresh token", TL_E_AUTH,
     "the refresh token is revoked, replaced or was idle for too long: sign in again"},
    {"invalid_grant", "authorization code", TL_E_AUTH, "the code has been used or has expired: sign in again"},
    {"invalid_grant", "verifier", TL_E_AUTH, "the code belongs to another sign-in: sign in again"},
    {"invalid_grant", "no client credentials user", TL_E_CONFIG,
     "the connected app has no run-as user for client credentials (App Manager, Manage, Edit Policies)"},
    {"invalid_grant", "hasn't approved", TL_E_CONFIG,
     "the user is not pre-authorised for the connected app (its OAuth policies and profiles)"},
    {"invalid_grant", "audience", TL_E_CONFIG,
     "the JWT names the wrong audience: set the option audience to https://login.salesforce.com or "
     "https://test.salesforce.com"},
    {"invalid_grant", "assertion", TL_E_CONFIG,
     "the JWT is not accepted: check client_id, username, and that private_key belongs to the app's certificate"},
    {"invalid_grant", "user is locked", TL_E_AUTH, "the user is locked"},
    {"invalid_grant", "ip restricted", TL_E_CONFIG,
     "this machine's address is outside of the ranges that the app or profile allows"},
    {"invalid_grant", NULL, TL_E_AUTH, "the sign-in was refused"},
    {"invalid_client_id", NULL, TL_E_CONFIG,
     "the consumer key is not known there: check client_id and login_url (sandboxes sign in at "
     "https://test.salesforce.com); a "
     "new app needs some minutes"},
    {"invalid_client_credentials", NULL, TL_E_AUTH,
     "the consumer secret is wrong: `tieline secret set`, then `tieline endpoint auth`"},
    {"invalid_client", NULL, TL_E_AUTH,
     "the consumer secret is wrong: `tieline secret set`, then `tieline endpoint auth`"},
    {"redirect_uri_mismatch", NULL, TL_E_CONFIG, "the redirect address differs from the one of the connected app"},
    {"unsupported_grant_type", NULL, TL_E_CONFIG,
     "this way of signing in is not allowed at login_url (client credentials need the org's own address, "
     "https://NAME.my.salesforce.com)"},
    {"inactive_user", NULL, TL_E_AUTH, "the user is not active"},
    {"inactive_org", NULL, TL_E_AUTH, "the org is locked, closed or suspended"},
    {"rate_limit_exceeded", NULL, TL_E_THROTTLED, "too many sign-ins: Salesforce makes us wait"},
    {"login_rate_exceeded", NULL, TL_E_THROTTLED, "too many sign-ins: Salesforce makes us wait"},
    {"invalid_request", "verifier", TL_E_AUTH, "the code belongs to another sign-in: sign in again"},
    {"invalid_request", NULL, TL_E_CONFIG, "the sign-in request is not understood"},
};

static bool contains(tl_str s, const char *part)
{
    return s.n && memmem(s.p, (size_t)s.n, part, strlen(part));
}

static tl_status token_error(int32_t status, tl_str body, tl_error *e)
{
    TLK_AUTO_JSON j = {0};
    TLK_AUTO_ARENA a = {0};
    const tlk_node *root = tlk_json_read(&j, body);
    tl_str error = tlk_text_at(root, "error", &a), about = tlk_text_at(root, "error_description", &a);
    e->http_status = status;
    tlk_copy(e->code, sizeof(e->code), error);
    for (size_t i = 0; i < TLK_LEN(token_errors); i++) {
        if (!tlk_is(error, token_errors[i].error) || (token_errors[i].about && !contains(about, token_errors[i].about)))
            continue;
        e->retry_after_ms = token_errors[i].status == TL_E_THROTTLED ? 60000 : 0;
        tl_status rc = tlk_fail(e, token_errors[i].status, "salesforce: %s", token_errors[i].text);
        tlk_error_detail(e, about);
        return rc;
    }
    if (error.n && status < 500)
        return tlk_fail(e, TL_E_AUTH, "salesforce refused the sign-in: %.*s", TLK_FMT(about.n ? about : error));
    if (status == 404)
        return tlk_fail(e, TL_E_CONFIG, "nobody signs in at login_url (HTTP 404): is it the right host?");
    return tlk_fail(e, TL_E_TEMPORARY, "salesforce answered HTTP %d without a token", (int)status);
}

/* There is no lifetime in the answer: a session ends after the org's time-out without use, two hours by default
 * [REST:intro_understanding_refresh_token_oauth]. An hour keeps clear of the shorter settings; what ends earlier shows
 * as 401. */
const tl_auth sf_auth = {
    .struct_size = sizeof(sf_auth),
    .n_flows = TLK_LEN(flows),
    .flow_stride = sizeof(flows[0]),
    .flows = flows,
    .header = "Authorization",
    .prefix = "Bearer ",
    .access_member = "access_token",
    .refresh_member = "refresh_token",
    .extras = "instance_url,id,scope",
    .url_extras = "instance_url",
    /* [REST:intro_understanding_web_server_oauth_flow]; that a refresh token comes is seen by itself. */
    .authorize_url = "{login_url}/services/oauth2/authorize?response_type=code&client_id={client_id}&redirect_uri="
                     "{redirect_uri}&scope=refresh_token%20{scopes}&state={state}&code_challenge={code_challenge}&"
                     "code_challenge_method=S256",
    .scopes = "api",
    .scope_member = "scope",
    .revoke_url = "{login_url}/services/oauth2/revoke",
    .revoke_form = "token={refresh_token}",
    .default_lifetime_s = 3600,
    .verdict = verdict,
    .token_error = token_error,
};
