/* Signing in by browser: the address of the vendor's page, what its answer says beside the code, what was granted. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "auth_int.h"
#include "log.h"
#include "redirect.h"
#include "seal.h"

void auth_ticket(const struct env *env, char out[AUTH_TICKET_SIZE])
{
    uint8_t bytes[32];
    AUTO(buf_wipe) struct buf text = {0};
    env->random(env->self, bytes, sizeof bytes);
    base64url_add(&text, bytes, sizeof bytes);
    snprintf(out, AUTH_TICKET_SIZE, "%s", buf_text(&text));
    explicit_bzero(bytes, sizeof bytes);
}

/* ---- what is possible ---- */

static bool needs_refresh_token(const struct auth_flow *f)
{
    return str_in_list(str_of(f->needs), STR("refresh_token"));
}

/* A person's sign-in leaves a refresh token; without one that was configured, that flow is no way of its own. */
static const struct auth_flow *flow_alone(struct auth *a)
{
    static const struct auth_grant none = {0};
    const struct auth_flow *f = flow_choose(a, &none, NULL);
    return f && needs_refresh_token(f) && !auth_option(a, STR("refresh_token")).n ? NULL : f;
}

bool auth_signs_in_alone(struct auth *a, char flow_out[32])
{
    if (!a->spec)
        return true;
    pthread_mutex_lock(&a->lock);
    const struct auth_flow *f = flow_alone(a);
    if (f)
        snprintf(flow_out, 32, "%s", f->name);
    pthread_mutex_unlock(&a->lock);
    return f != NULL;
}

/* A flow that is tried before those that live on a refresh token would be used again at the next refresh. */
static int refuse_useless(struct auth *a, struct err *e)
{
    const struct auth_flow *alone = flow_alone(a);
    for (const struct auth_flow *f = a->spec->flows; alone && f < alone; f++)
        if (needs_refresh_token(f))
            return TL_OK;
    if (!alone || needs_refresh_token(alone))
        return TL_OK;
    err_set(e, E_PRECONDITION, "endpoint \"%s\" signs in by itself with %s, and would go on with that", a->endpoint,
            alone->name);
    err_hint(e, "take what that needs (%s) out of [endpoint %s] first", alone->needs, a->endpoint);
    return E_PRECONDITION;
}

/* ---- the vendor's page ---- */

struct page_names {
    struct auth *a;
    str state, redirect_uri, challenge;
};

static bool page_lookup(void *ctx, str name, str *out)
{
    struct page_names *n = ctx;
    if (str_is(name, "state"))
        *out = n->state;
    else if (str_is(name, "redirect_uri"))
        *out = n->redirect_uri;
    else if (str_is(name, "code_challenge"))
        *out = n->challenge;
    else if (str_is(name, "scopes"))
        *out = str_of(n->a->spec->scopes);
    else
        *out = auth_option(n->a, name);
    return out->n > 0;
}

/* RFC 7636, 4.2: S256. */
static void challenge_of(const char *verifier, struct buf *out)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)verifier, strlen(verifier));
    base64url_add(out, hash, sizeof hash);
}

static int fill_page(struct auth *a, const struct page_names *names, struct buf *out, struct err *e)
{
    AUTO(buf_done) struct buf url = {.max = REDIRECT_MAX};
    struct err why = {0};
    int rc = template_fill(a->spec->authorize_url, FILL_URL, page_lookup, (void *)(uintptr_t)names, &url, &why);
    if (rc) {
        err_set(e, TL_E_CONFIG, "endpoint \"%s\" cannot send anybody to the vendor's page: %s", a->endpoint, why.text);
        err_hint(e, "set what is missing in [endpoint %s]", a->endpoint);
        return TL_E_CONFIG;
    }
    rc = http_allow_check(a->allow, buf_lent(&url), NULL, e);
    if (rc)
        return rc;
    buf_str(out, buf_lent(&url));
    return TL_OK;
}

int auth_browse(struct auth *a, const char *redirect_uri, const char *state, const char *verifier, struct buf *url_out,
                struct err *e)
{
    struct redirect_uri place;
    if (!a->spec || !a->spec->authorize_url) {
        err_set(e, E_PRECONDITION, "the connector of endpoint \"%s\" describes no sign-in by browser", a->endpoint);
        err_hint(e,
                 a->spec && flow_takes_code(a) ? "with a grant code: tieline endpoint auth %s --code"
                                               : "tieline endpoint check %s says what it needs",
                 a->endpoint);
        return E_PRECONDITION;
    }
    int rc = redirect_uri_read(&place, redirect_uri, e);
    if (rc)
        return rc;
    AUTO(buf_done) struct buf challenge = {0};
    challenge_of(verifier, &challenge);
    const struct page_names names = {a, str_of(state), str_of(redirect_uri), buf_lent(&challenge)};
    pthread_mutex_lock(&a->lock);
    rc = refuse_useless(a, e);
    if (rc == TL_OK)
        rc = fill_page(a, &names, url_out, e);
    pthread_mutex_unlock(&a->lock);
    return rc;
}

/* RFC 6749, 4.1.2.1. */
int auth_redirect_refused(const struct auth *a, str error, str words, struct err *e)
{
    static const struct {
        const char *error;
        int status;
        const char *text, *hint;
    } known[] = {
        {"access_denied", TL_E_AUTH, "the person at the vendor's page declined", "choose to allow it there"},
        {"invalid_scope", TL_E_CONFIG, "the vendor does not give the application the scopes that are needed",
         "allow them for the application at the vendor"},
        {"unauthorized_client", TL_E_CONFIG, "the vendor does not allow the application to sign people in this way",
         "allow the authorization code flow for it at the vendor"},
        {"invalid_client_id", TL_E_CONFIG, "the vendor does not know the client id", "check client_id"},
        {"redirect_uri_mismatch", TL_E_CONFIG, "the redirect address is not the one registered at the vendor",
         "register the address that [core] redirect_uri names"},
        {"server_error", TL_E_TEMPORARY, "the vendor has trouble", "try again later"},
        {"temporarily_unavailable", TL_E_TEMPORARY, "the vendor has trouble", "try again later"},
    };
    AUTO(buf_done) struct buf told = {.max = 1024};
    redact(&told, words.n ? words : error);
    size_t i = 0;
    while (i < ARRAY_LEN(known) && !str_is(error, known[i].error))
        i++;
    bool is_known = i < ARRAY_LEN(known);
    if (is_known)
        err_set(e, known[i].status, "sign-in: %s", known[i].text);
    else
        err_set(e, TL_E_AUTH, "sign-in: the vendor refused it: %.200s", buf_text(&told));
    err_detail(e, "%.*s: %.500s", (int)(error.n < 60 ? error.n : 60), error.p, buf_text(&told));
    err_hint(e, "%s%stieline endpoint auth %s", is_known ? known[i].hint : "",
             is_known ? "; then again: " : "again: ", a->endpoint);
    return is_known ? known[i].status : TL_E_AUTH;
}

/* ---- bases that the redirect names in place of options ---- */

/* Kept as an extra whose name no template can spell: "new\nthe option's value then". */
static void base_name(char out[80], str option)
{
    snprintf(out, 80, ">%.*s", (int)(option.n < 70 ? option.n : 70), option.p);
}

str base_known(const struct auth *a, const struct tokens *t, str option)
{
    char name[80];
    base_name(name, option);
    str kept = str_of(tokens_extra(t, str_of(name))), base;
    if (!kept.n || !str_split(&kept, '\n', &base) || !str_eq(kept, auth_option(a, option)))
        return (str){NULL, 0};
    return base;
}

void bases_carry(const struct auth_spec *spec, const struct tokens *from, struct tokens *to)
{
    str list = str_of(spec->redirect_bases), param, option;
    while (str_split(&list, ',', &option)) {
        char name[80];
        str_split(&option, '=', &param);
        base_name(name, option);
        const char *kept = tokens_extra(from, str_of(name));
        if (kept)
            tokens_extra_set(to, name, str_of(kept));
    }
}

static str without_slash(str url)
{
    while (url.n && url.p[url.n - 1] == '/')
        url.n--;
    return url;
}

/* Whoever can tamper with the redirect must not learn the client secret: an allowed host, and nothing behind it. */
static int check_base(const struct auth *a, str param, str url, struct err *e)
{
    struct err why = {0};
    size_t from = str_starts(url, STR("https://")) ? 8 : str_starts(url, STR("http://")) ? 7 : url.n;
    bool bare = from < url.n && !memchr(url.p + from, '/', url.n - from) && !memchr(url.p, '?', url.n);
    if (bare && http_allow_check(a->allow, url, NULL, &why) == TL_OK)
        return TL_OK;
    err_set(e, TL_E_CONFIG,
            "sign-in: the redirect names \"%.*s\" as \"%.*s\", which is not allowed; nothing was sent there",
            (int)(url.n < 200 ? url.n : 200), url.p, STR_FMT(param));
    err_detail(e, "%s", bare ? why.text : "only a scheme and a host may stand there");
    err_hint(e, "begin again; if it comes back, somebody between the browser and the vendor changes it");
    return TL_E_CONFIG;
}

int bases_read(const struct auth *a, str query, struct tokens *to, struct err *e)
{
    AUTO(arena_done) struct arena arena = {0};
    str list = str_of(a->spec->redirect_bases), param, option;
    while (query.n && str_split(&list, ',', &option)) {
        str url;
        char name[80];
        option = str_trim(option);
        if (!str_split(&option, '=', &param) || !redirect_param(&arena, query, param, &url) || !url.n)
            continue;
        url = without_slash(url);
        int rc = check_base(a, param, url, e);
        if (rc)
            return rc;
        str now = auth_option(a, option);
        if (str_eq(without_slash(now), url))
            continue;
        base_name(name, option);
        tokens_extra_set(to, name, str_of(arena_fmt(&arena, "%.*s\n%.*s", STR_FMT(url), STR_FMT(now))));
    }
    return TL_OK;
}

/* ---- what was granted ---- */

static bool scope_next(str *list, str *word)
{
    size_t i = 0, n;
    while (i < list->n && (list->p[i] == ' ' || list->p[i] == ','))
        i++;
    for (n = i; n < list->n && list->p[n] != ' ' && list->p[n] != ',';)
        n++;
    *word = str_n(list->p + i, n - i);
    *list = str_n(list->p + n, list->n - n);
    return word->n > 0;
}

static bool scope_in(str list, str wanted)
{
    str word;
    while (list.n && scope_next(&list, &word))
        if (str_eq(word, wanted))
            return true;
    return false;
}

int auth_scopes_check(struct auth *a, struct err *e)
{
    AUTO(buf_done) struct buf granted = {.max = 16384};
    AUTO(buf_done) struct buf missing = {.max = 4096};
    str wanted = str_of(a->spec->scopes), word;
    if (!a->spec->scope_member)
        return TL_OK;
    auth_extra_known(a, a->spec->scope_member, &granted);
    while (granted.n && wanted.n && scope_next(&wanted, &word))
        if (!scope_in(buf_lent(&granted), word))
            buf_fmt(&missing, "%s%.*s", missing.n ? ", " : "", STR_FMT(word));
    if (!missing.n)
        return TL_OK; /* or the vendor does not say */
    err_set(e, TL_E_AUTH, "sign-in: it was given without the scopes %s", buf_text(&missing));
    err_code(e, "SCOPES_MISSING");
    err_hint(e,
             "allow them for the application at the vendor, grant all of them on its page, and sign in again: "
             "tieline endpoint auth %s",
             a->endpoint);
    return TL_E_AUTH;
}
