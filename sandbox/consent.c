#include "consent.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

void consent_init(struct consent *k)
{
    snprintf(k->uris[k->uri_n++], sizeof k->uris[0], "%s", CONSENT_URI);
}

void consent_register(struct consent *k, struct call *c)
{
    const char *uri = json_string_value(json_object_get(call_json(c, NULL), "uri"));
    if (!uri || k->uri_n == CONSENT_URIS_MAX)
        return call_answer_fmt(c, 400, "{\"error\":\"one more uri, please\"}");
    snprintf(k->uris[k->uri_n++], sizeof k->uris[0], "%s", uri);
    call_answer_empty(c, 204);
}

static void page(struct call *c, int status, const char *title, const char *body)
{
    char *text = arena_fmt(&c->arena, "<html><head><title>%s</title></head><body>%s</body></html>\n", title, body);
    call_answer_text(c, status, "text/html;charset=UTF-8", text);
}

static bool is_registered(const struct consent *k, str uri)
{
    for (int i = 0; i < k->uri_n; i++)
        if (str_is(uri, k->uris[i]))
            return true;
    return false;
}

bool consent_read(const struct consent *k, struct call *c, const char *client_id, struct consent_ask *out)
{
    str id = {0}, type = {0}, method = {0};
    *out = (struct consent_ask){0};
    call_query(c, "client_id", &id);
    call_query(c, "response_type", &type);
    call_query(c, "redirect_uri", &out->redirect_uri);
    call_query(c, "state", &out->state);
    call_query(c, "scope", &out->scope);
    call_query(c, "code_challenge", &out->challenge);
    call_query(c, "code_challenge_method", &method);
    const char *fault = !str_is(id, client_id)                        ? "invalid_client_id"
                        : !is_registered(k, out->redirect_uri)        ? "redirect_uri_mismatch"
                        : !str_is(type, "code")                       ? "unsupported_response_type"
                        : out->challenge.n && !str_is(method, "S256") ? "invalid_request: code_challenge_method"
                        : out->challenge.n && out->challenge.n != 43  ? "invalid_request: code_challenge"
                                                                      : NULL;
    if (fault)
        page(c, 400, "Error", fault);
    return !fault;
}

static void back(struct call *c, const struct consent_ask *ask, const char *parameters)
{
    AUTO(buf_done) struct buf to = {0};
    buf_fmt(&to, "%.*s?%s", STR_FMT(ask->redirect_uri), parameters);
    if (ask->state.n) {
        buf_text_add(&to, "&state=");
        buf_url(&to, ask->state);
    }
    call_add_header(c, "Location", buf_text(&to));
    call_answer_empty(c, 302);
}

void consent_refuse(struct call *c, const struct consent_ask *ask, const char *error, const char *words)
{
    back(c, ask, arena_fmt(&c->arena, "error=%s&error_description=%s", error, words));
}

bool consent_given(struct call *c, const struct consent_ask *ask, const char *vendor)
{
    str choice = {0};
    call_query(c, "_choice", &choice);
    if (str_is(choice, "allow"))
        return true;
    if (str_is(choice, "deny")) {
        consent_refuse(c, ask, "access_denied", "end-user+denied+authorization");
        return false;
    }
    char *links =
        arena_fmt(&c->arena,
                  "<h1>%s</h1><p>An application asks to sign in as you.</p><a href=\"?%.*s&amp;_choice=allow\">"
                  "Allow</a> <a href=\"?%.*s&amp;_choice=deny\">Deny</a>",
                  vendor, STR_FMT(c->query), STR_FMT(c->query));
    page(c, 200, "Allow access?", links);
    return false;
}

static void keep(char *to, size_t size, str from)
{
    snprintf(to, size, "%.*s", STR_FMT(from));
}

struct consent_code *consent_code_new(struct consent *k, struct call *c, const struct consent_ask *ask,
                                      const char *prefix, int64_t lifetime_us)
{
    struct consent_code *x = &k->codes[k->code_n++ % CONSENT_CODES_MAX];
    char digits[65];
    str scope = ask->scope, org = {0};
    *x = (struct consent_code){.expires_us = sandbox_now_us(c->world) + lifetime_us};
    sandbox_random_hex(c->world, digits, 64);
    snprintf(x->code, sizeof x->code, "%s%s", prefix, digits);
    call_query(c, "_scope", &scope);
    call_query(c, "_org", &org);
    keep(x->scope, sizeof x->scope, scope);
    keep(x->org, sizeof x->org, org);
    keep(x->redirect_uri, sizeof x->redirect_uri, ask->redirect_uri);
    keep(x->challenge, sizeof x->challenge, ask->challenge);
    return x;
}

void consent_back(struct call *c, const struct consent_ask *ask, str code, const char *further)
{
    AUTO(buf_done) struct buf parameters = {0};
    buf_text_add(&parameters, "code=");
    buf_url(&parameters, code);
    buf_text_add(&parameters, further);
    back(c, ask, buf_text(&parameters));
}

struct consent_code *consent_code_find(struct consent *k, str code)
{
    for (unsigned i = 0; i < CONSENT_CODES_MAX && code.n; i++)
        if (str_is(code, k->codes[i].code))
            return &k->codes[i];
    return NULL;
}

bool consent_verified(const struct consent_code *x, str verifier)
{
    unsigned char hash[EVP_MAX_MD_SIZE], text[2 * EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (!x->challenge[0])
        return true;
    if (verifier.n < 43 || verifier.n > 128 || EVP_Digest(verifier.p, verifier.n, hash, &n, EVP_sha256(), NULL) != 1)
        return false;
    EVP_EncodeBlock(text, hash, (int)n);
    for (unsigned char *z = text; *z; z++)
        *z = *z == '+' ? '-' : *z == '/' ? '_' : *z == '=' ? 0 : *z;
    return strcmp((const char *)text, x->challenge) == 0;
}
