/* One exchange with the token server. The calling thread has set auth.busy, so options and tokens hold still. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "auth_int.h"
#include "log.h"
#include "seal.h"
#include "times.h"

enum { TOKEN_TIMEOUT_S = 30, TOKEN_ANSWER_MAX = 256 * 1024 };

str auth_option(const struct auth *a, str name)
{
    for (uint32_t i = 0; i < a->n_options; i++) {
        if (str_is(name, a->options[i].name))
            return str_of(a->options[i].value);
    }
    return (str){NULL, 0};
}

static void hash_text(uint8_t out[16], str s)
{
    crypto_generichash(out, 16, (const unsigned char *)s.p, s.n, NULL, 0);
}

static void seed_hash(const struct auth *a, uint8_t out[16])
{
    hash_text(out, auth_option(a, STR("refresh_token")));
}

void auth_options_hash(const struct auth *a, uint8_t out[16])
{
    AUTO(buf_wipe) struct buf all = {0};
    for (uint32_t i = 0; i < a->n_options; i++) {
        buf_varint(&all, strlen(a->options[i].name));
        buf_text_add(&all, a->options[i].name);
        buf_varint(&all, strlen(a->options[i].value));
        buf_text_add(&all, a->options[i].value);
    }
    hash_text(out, buf_lent(&all));
}

/* What is kept descends from the option as it was then; an operator who enters a new refresh token wants that one. */
static str refresh_token(const struct auth *a)
{
    uint8_t seed[16];
    seed_hash(a, seed);
    str option = auth_option(a, STR("refresh_token")), kept = buf_lent(&a->tokens.refresh);
    return kept.n && (!option.n || memcmp(seed, a->tokens.seed, sizeof seed) == 0) ? kept : option;
}

/* --- names --- */

struct names {
    struct auth *a;
    const struct auth_grant *grant;
    const struct tokens *bases;
    str assertion;
    char now[24], expires[24];
    bool revokes; /* then what there is stands for the refresh token */
};

static bool lookup(void *ctx, str name, str *out)
{
    struct names *n = ctx;
    str v = {NULL, 0};
    if (str_is(name, "refresh_token"))
        v = refresh_token(n->a).n || !n->revokes ? refresh_token(n->a) : buf_lent(&n->a->tokens.access);
    else if (str_is(name, "access_token"))
        v = buf_lent(&n->a->tokens.access);
    else if (str_is(name, "code"))
        v = n->grant->code;
    else if (str_is(name, "redirect_uri"))
        v = n->grant->redirect_uri;
    else if (str_is(name, "code_verifier"))
        v = n->grant->code_verifier;
    else if (str_is(name, "assertion"))
        v = n->assertion;
    else if (str_is(name, "now"))
        v = str_of(n->now);
    else if (str_is(name, "expires"))
        v = str_of(n->expires);
    else if (!(v = base_known(n->a, n->bases, name)).n && !(v = auth_option(n->a, name)).n)
        v = str_of(tokens_extra(&n->a->tokens, name));
    *out = v;
    return v.n > 0;
}

static void names_init(struct names *n, struct auth *a, const struct auth_grant *g, int64_t lifetime_s)
{
    *n = (struct names){.a = a, .grant = g, .bases = &a->tokens};
    int64_t now = env_now_us(a->env) / US_PER_S;
    snprintf(n->now, sizeof n->now, "%lld", (long long)now);
    snprintf(n->expires, sizeof n->expires, "%lld", (long long)(now + lifetime_s));
}

/* --- the choice of a flow --- */

bool flow_takes_code(const struct auth *a)
{
    for (uint32_t i = 0; i < a->spec->n_flows; i++)
        if (strcmp(a->spec->flows[i].name, "authorization_code") == 0)
            return true;
    return false;
}

static bool needs_met(struct names *n, const struct auth_flow *f, struct buf *missing)
{
    str list = str_of(f->needs), word, value;
    bool met = true;
    while (str_split(&list, ',', &word)) {
        word = str_trim(word);
        if (!word.n || lookup(n, word, &value))
            continue;
        met = false;
        if (missing)
            buf_fmt(missing, "%s\"%.*s\"", missing->n ? ", " : "", STR_FMT(word));
    }
    return met;
}

const struct auth_flow *flow_choose(struct auth *a, const struct auth_grant *g, struct buf *missing_out)
{
    struct names n;
    names_init(&n, a, g, 0);
    for (uint32_t i = 0; i < a->spec->n_flows; i++) {
        const struct auth_flow *f = &a->spec->flows[i];
        bool interactive = strcmp(f->name, "authorization_code") == 0;
        if (interactive != (g->code.n > 0))
            continue;
        AUTO(buf_done) struct buf missing = {0};
        if (needs_met(&n, f, &missing))
            return f;
        if (missing_out)
            buf_fmt(missing_out, missing_out->n ? ", nor %s" : "%s is not set", buf_text(&missing));
    }
    return NULL;
}

/* --- the request --- */

static int assertion_make(struct names *n, const struct auth_flow *f, struct buf *out, struct err *e)
{
    AUTO(buf_done) struct buf claims = {0};
    int rc = template_fill(f->assertion, FILL_JSON, lookup, n, &claims, e);
    if (rc)
        return rc;
    str pem = auth_option(n->a, str_of(f->assertion_key));
    if (!pem.n)
        return err_set(e, TL_E_CONFIG, "option \"%s\" with the private key has no value", f->assertion_key);
    return jwt_sign_rs256(out, buf_lent(&claims), pem, e);
}

static int send_form(struct auth *a, str url, str form, struct http_request *r, struct err *e)
{
    static const tl_pair headers[] = {
        {{"Content-Type", 12}, {"application/x-www-form-urlencoded", 33}},
        {{"Accept", 6}, {"application/json", 16}},
    };
    *r = (struct http_request){
        .method = "POST",
        .url = url,
        .body = form,
        .headers = headers,
        .n_headers = ARRAY_LEN(headers),
        .write = true,
        .timeout_us = TOKEN_TIMEOUT_S * US_PER_S,
        .max_body = TOKEN_ANSWER_MAX,
        .allow = a->allow,
    };
    struct http_request *const one[] = {r};
    int rc = http_client_run(a->http, one, 1, NULL, e);
    if (rc)
        return rc;
    if (r->outcome == TL_E_DENIED || r->outcome == TL_E_CONFIG)
        return err_set(e, TL_E_CONFIG, "sign-in address: %s", r->error);
    if (r->outcome != TL_OK)
        return err_set(e, TL_E_TEMPORARY, "the sign-in server cannot be reached: %s", r->error);
    return TL_OK;
}

/* The classes a token error may have; everything else means "try later". */
static int refusal(struct auth *a, const struct http_request *r, struct err *e)
{
    tl_error t = {.struct_size = sizeof t};
    int status = a->token_error ? a->token_error(a->hooks_ctx, r->status, buf_lent(&r->answer), &t) : TL_E_TEMPORARY;
    if (status != TL_E_AUTH && status != TL_E_CONFIG && status != TL_E_THROTTLED)
        status = TL_E_TEMPORARY;
    t.code[sizeof t.code - 1] = t.text[sizeof t.text - 1] = t.detail[sizeof t.detail - 1] = '\0';
    AUTO(buf_done) struct buf text = {0}, detail = {0};
    redact(&text, str_of(t.text)); /* the vendor may echo what was sent */
    redact(&detail, str_of(t.detail));
    if (text.n)
        err_set(e, status, "sign-in: %s", buf_text(&text));
    else
        err_set(e, status, "the sign-in server answered HTTP %d without a token", (int)r->status);
    err_code(e, t.code);
    if (detail.n)
        err_detail(e, "%s", buf_text(&detail));
    if (e) {
        e->http_status = r->status;
        e->retry_after_ms = t.retry_after_ms;
    }
    return status;
}

static int check_url_extras(const struct auth *a, const struct tokens *t, struct err *e)
{
    str list = str_of(a->spec->url_extras), word;
    while (str_split(&list, ',', &word)) {
        word = str_trim(word);
        const char *url = tokens_extra(t, word);
        struct err why = {0};
        if (!url || http_allow_check(a->allow, str_of(url), NULL, &why) == TL_OK)
            continue;
        err_set(e, TL_E_CONFIG, "sign-in: the server names \"%.200s\" as \"%.*s\", which is not allowed", url,
                STR_FMT(word));
        err_detail(e, "%s", why.text);
        err_hint(e, "if that host is right, name it in [endpoint %s], for example: %.*s = %.200s", a->endpoint,
                 STR_FMT(word), url);
        return TL_E_CONFIG;
    }
    return TL_OK;
}

/* A flow without a server: what the form says is the token itself, such as an API key. */
static int fixed_token(struct names *n, const struct auth_flow *flow, struct tokens *out, struct err *e)
{
    struct auth *a = n->a;
    AUTO(tokens_done) struct tokens t = {0};
    int rc = template_fill(flow->form, FILL_RAW, lookup, n, &t.access, e);
    if (rc)
        return err_wrap(e, "sign-in flow \"%s\"", flow->name);
    log_secret_add(buf_lent(&t.access));
    t.lifetime_us = a->spec->default_lifetime_s * US_PER_S;
    t.expires_us = env_now_us(a->env) + t.lifetime_us;
    seed_hash(a, t.seed);
    auth_options_hash(a, t.options);
    tokens_done(out);
    *out = t;
    t = (struct tokens){0};
    return TL_OK;
}

/* What the answer is read on top of: a person's sign-in owes nothing to the one before, which may be of another org. */
static void basis_of(struct auth *a, const struct auth_grant *g, const struct tokens **before, str *refresh)
{
    static const struct tokens nothing = {0};
    *before = g->code.n ? &nothing : &a->tokens;
    *refresh = g->code.n ? (str){NULL, 0} : refresh_token(a);
}

int flow_run(struct auth *a, const struct auth_flow *flow, const struct auth_grant *g, struct tokens *out,
             bool *reached, struct err *e)
{
    struct names n;
    names_init(&n, a, g, flow->assertion_lifetime_s);
    if (!flow->token_url) {
        *reached = false;
        return fixed_token(&n, flow, out, e);
    }
    AUTO(buf_wipe) struct buf assertion = {0};
    AUTO(buf_wipe) struct buf form = {0};
    AUTO(buf_done) struct buf url = {0};
    AUTO(tokens_done) struct tokens bases = {0};
    *reached = false;
    int rc = TL_OK;
    if (g->code.n) {
        rc = bases_read(a, g->redirect, &bases, e);
        n.bases = &bases;
    }
    if (rc == TL_OK && flow->assertion)
        rc = assertion_make(&n, flow, &assertion, e);
    if (rc)
        return rc;
    n.assertion = buf_lent(&assertion);
    rc = template_fill(flow->token_url, FILL_RAW, lookup, &n, &url, e);
    if (rc == TL_OK)
        rc = template_fill(flow->form, FILL_FORM, lookup, &n, &form, e);
    if (rc)
        return err_wrap(e, "sign-in flow \"%s\"", flow->name);

    struct http_request r;
    rc = send_form(a, buf_lent(&url), buf_lent(&form), &r, e);
    *reached = r.outcome == TL_OK || r.outcome == TL_E_UNKNOWN;
    AUTO(tokens_done) struct tokens t = {0};
    const struct tokens *before;
    str refresh;
    basis_of(a, g, &before, &refresh);
    if (rc == TL_OK && !tokens_parse(&t, a->spec, before, refresh, buf_lent(&r.answer), env_now_us(a->env)))
        rc = refusal(a, &r, e);
    if (rc == TL_E_TEMPORARY && r.outcome == TL_OK)
        *reached = false; /* answered, but by nobody who counts */
    buf_wipe(&r.answer);
    http_request_done(&r);
    if (rc)
        return rc;
    bases_carry(a->spec, n.bases, &t);
    rc = check_url_extras(a, &t, e);
    if (rc)
        buf_wipe(&t.access);
    seed_hash(a, t.seed);
    auth_options_hash(a, t.options);
    tokens_done(out);
    *out = t;
    t = (struct tokens){0};
    return rc;
}

int flow_revoke(struct auth *a, struct err *e)
{
    if (!a->spec->revoke_url || (!a->tokens.access.n && !refresh_token(a).n))
        return TL_OK;
    static const struct auth_grant none = {0};
    struct names n;
    names_init(&n, a, &none, 0);
    n.revokes = true;
    AUTO(buf_done) struct buf url = {0};
    AUTO(buf_wipe) struct buf form = {0};
    int rc = template_fill(a->spec->revoke_url, FILL_RAW, lookup, &n, &url, e);
    if (rc == TL_OK && a->spec->revoke_form)
        rc = template_fill(a->spec->revoke_form, FILL_FORM, lookup, &n, &form, e);
    if (rc)
        return rc;
    struct http_request r;
    rc = send_form(a, buf_lent(&url), buf_lent(&form), &r, e);
    int32_t status = r.status;
    http_request_done(&r);
    if (rc == TL_OK && status >= 500)
        rc = err_set(e, TL_E_TEMPORARY, "the vendor answered HTTP %d to the revocation", (int)status);
    return rc;
}
