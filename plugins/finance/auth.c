/* Signing in, described for the host: the accounts server is one for all products of the vendor.
 * https://www.zoho.com/accounts/protocol/oauth/web-server-applications.html: the page, its parameters and its answer;
 * https://www.zoho.com/accounts/protocol/oauth/self-client/authorization-code-flow.html and
 * zoho.com/crm/developer/docs/api/v8/refresh.html; [B:oauth] for the scopes. */
#include "finance.h"

/* Changes of a status and mail want CREATE, not UPDATE [OAS:invoices, OAS:estimates]. */
#define SCOPES_OF(product)                                                                                             \
    product ".settings.READ," product ".contacts.READ," product ".contacts.CREATE," product                            \
            ".contacts.UPDATE," product ".invoices.READ," product ".invoices.CREATE," product                          \
            ".invoices.UPDATE," product ".estimates.READ," product ".estimates.CREATE," product ".estimates.UPDATE"
/* Which product it is is an option, and these are constant: both are asked for. */
#define SCOPES SCOPES_OF("ZohoBooks") "," SCOPES_OF("ZohoInvoice")

#define TOKEN_URL "{accounts_url}/oauth/v2/token"
#define CLIENT    "&client_id={client_id}&client_secret={client_secret}"

static const tl_auth_flow flows[] = {
    {.name = "authorization_code",
     .needs = "code,redirect_uri,code_verifier,client_id,client_secret",
     .token_url = TOKEN_URL,
     .form =
         "grant_type=authorization_code&code={code}&redirect_uri={redirect_uri}&code_verifier={code_verifier}" CLIENT},
    {.name = "authorization_code",
     .needs = "code,redirect_uri,client_id,client_secret",
     .token_url = TOKEN_URL,
     .form = "grant_type=authorization_code&code={code}&redirect_uri={redirect_uri}" CLIENT},
    /* A code typed from the API console ("self client"): no redirect_uri is asked for. It is spent by the first try. */
    {.name = "authorization_code",
     .needs = "code,client_id,client_secret",
     .token_url = TOKEN_URL,
     .form = "grant_type=authorization_code&code={code}" CLIENT},
    {.name = "refresh_token",
     .needs = "refresh_token,client_id,client_secret",
     .token_url = TOKEN_URL,
     .form = "grant_type=refresh_token&refresh_token={refresh_token}" CLIENT},
};

/* 401 with code 57 or 14 says that the token is dead; a missing scope is told by the same 401 and 57 [B:errors]. One
 * new token tells the two apart, and the host asks for no more than one. */
static int32_t verdict(int32_t status, tl_str body)
{
    (void)body;
    return status == 401 ? TL_AUTH_EXPIRED : TL_AUTH_UNRELATED;
}

static const struct {
    const char *error;
    tl_status status;
    const char *text;
    int64_t wait_ms;
} token_errors[] = {
    {"invalid_code", TL_E_AUTH, "Zoho says the grant code or refresh token is used, expired or revoked: sign in again",
     0},
    {"invalid_grant", TL_E_AUTH, "Zoho says the refresh token is not valid any more: sign in again", 0},
    {"access_denied", TL_E_AUTH, "Zoho refused access: the user declined, or too many grant codes were made", 0},
    {"invalid_client", TL_E_CONFIG,
     "Zoho does not know this client id: check client_id, client_secret, and the data centre (option dc)", 0},
    {"invalid_client_secret", TL_E_AUTH, "Zoho says the client secret does not belong to the client id", 0},
    {"invalid_redirect_uri", TL_E_CONFIG, "Zoho says the redirect address is not the registered one", 0},
    {"redirect_uri_mismatch", TL_E_CONFIG, "Zoho says the redirect address is not the registered one", 0},
    {"invalid_scope", TL_E_CONFIG, "Zoho does not know a scope that was asked for", 0},
    {"invalid_oauthscope", TL_E_CONFIG, "Zoho does not know a scope that was asked for", 0},
    {"unauthorized_client", TL_E_CONFIG, "Zoho does not allow this way of signing in for this type of client", 0},
    {"unsupported_grant_type", TL_E_CONFIG, "Zoho does not allow this way of signing in", 0},
    /* 10 access tokens in 10 minutes: https://www.zoho.com/crm/developer/docs/api/v8/token-validity.html */
    {"Access Denied", TL_E_THROTTLED, "Zoho issued too many access tokens in ten minutes and makes us wait", 600000},
    {"general_error", TL_E_TEMPORARY, "the accounts server of Zoho has trouble", 0},
};

/* The status proves nothing: most refusals come with 200, the throttle with 400. */
static tl_status token_error(int32_t status, tl_str body, tl_error *e)
{
    TLK_AUTO_JSON j = {0};
    TLK_AUTO_ARENA a = {0};
    tl_str error = tlk_text_at(tlk_json_read(&j, body), "error", &a);
    tlk_copy(e->code, sizeof(e->code), error);
    e->http_status = status;
    for (size_t i = 0; i < TLK_LEN(token_errors); i++) {
        if (!tlk_is(error, token_errors[i].error))
            continue;
        e->retry_after_ms = token_errors[i].wait_ms;
        return tlk_fail(e, token_errors[i].status, "%s", token_errors[i].text);
    }
    if (error.n > 0)
        return tlk_fail(e, status >= 500 ? TL_E_TEMPORARY : TL_E_AUTH, "Zoho refused to sign in: %.*s", TLK_FMT(error));
    return tlk_fail(e, TL_E_TEMPORARY, "the accounts server of Zoho answered with something that is no token (HTTP %d)",
                    (int)status);
}

const tl_auth fin_auth = {
    .struct_size = sizeof(fin_auth),
    .n_flows = TLK_LEN(flows),
    .flow_stride = sizeof(flows[0]),
    .flows = flows,
    .header = "Authorization",
    .prefix = "Zoho-oauthtoken ",
    .access_member = "access_token",
    .refresh_member = "refresh_token",
    .lifetime_member = "expires_in",
    .extras = "api_domain,scope", /* that the host of the first may be reached is seen to with each call */
    /* Without offline there is no refresh token, without consent no new one for who consented before. */
    .authorize_url =
        "{accounts_url}/oauth/v2/auth?response_type=code&client_id={client_id}&redirect_uri={redirect_uri}&"
        "scope={scopes}&state={state}&access_type=offline&prompt=consent&code_challenge={code_challenge}&"
        "code_challenge_method=S256",
    .scopes = SCOPES,
    .scope_member = "scope",
    .redirect_bases = "accounts-server=accounts_url", /* the data centre of who signed in */
    .revoke_url = "{accounts_url}/oauth/v2/token/revoke",
    .revoke_form = "token={refresh_token}",
    .default_lifetime_s = 3600,
    .verdict = verdict,
    .token_error = token_error,
};
