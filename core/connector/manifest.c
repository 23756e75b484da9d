#include "manifest.h"

#include <ctype.h>
#include <stdlib.h>

#include "claims.h"
#include "codec.h"
#include "times.h"

struct manifest *manifest_free(struct manifest *m)
{
    if (!m)
        return NULL;
    arena_done(&m->arena);
    free(m);
    return NULL;
}

static struct manifest *manifest_new(void)
{
    struct manifest *m = calloc(1, sizeof *m);
    ASSERT(m);
    return m;
}

/* ---- copying ---- */

static const char *copy(struct manifest *m, const char *z)
{
    return z ? arena_str(&m->arena, str_of(z)).p : NULL;
}

static const char *copy_or_empty(struct manifest *m, const char *z)
{
    return copy(m, z ? z : "");
}

static void copy_options(struct manifest *m, const tl_connector *c)
{
    size_t stride = c->option_stride ? c->option_stride : sizeof(tl_option);
    tl_option *out = arena_array(&m->arena, tl_option, c->n_options);
    for (uint32_t i = 0; i < c->n_options; i++) {
        codec_adopt(&out[i], sizeof out[i], TL_AT(tl_option, c->options, stride, i), stride);
        out[i].name = copy_or_empty(m, out[i].name);
        out[i].def = copy(m, out[i].def);
        out[i].help = copy_or_empty(m, out[i].help);
        out[i].choices = copy(m, out[i].choices);
    }
    m->options = out;
    m->n_options = c->n_options;
}

/* Every text of the description but its flows', in the order of the flat form. */
enum { AUTH_TEXTS = 13 };
static void auth_texts(tl_auth *a, const char **texts[AUTH_TEXTS])
{
    const char **all[AUTH_TEXTS] = {
        &a->header, &a->prefix,       &a->access_member,  &a->refresh_member, &a->lifetime_member,
        &a->extras, &a->url_extras,   &a->authorize_url,  &a->revoke_url,     &a->revoke_form,
        &a->scopes, &a->scope_member, &a->redirect_bases,
    };
    memcpy(texts, all, sizeof all);
}

static void copy_auth(struct manifest *m, const tl_auth *from)
{
    tl_auth *a = arena_new(&m->arena, tl_auth);
    *a = *from;
    a->struct_size = sizeof *a;
    m->auth_verdict = from->verdict != NULL;
    m->auth_token_error = from->token_error != NULL;
    a->verdict = NULL;
    a->token_error = NULL;
    size_t stride = from->flow_stride ? from->flow_stride : sizeof(tl_auth_flow);
    tl_auth_flow *flows = arena_array(&m->arena, tl_auth_flow, from->n_flows);
    for (uint32_t i = 0; i < from->n_flows; i++) {
        tl_auth_flow *f = &flows[i];
        codec_adopt(f, sizeof *f, TL_AT(tl_auth_flow, from->flows, stride, i), stride);
        f->name = copy(m, f->name);
        f->needs = copy(m, f->needs);
        f->token_url = copy(m, f->token_url);
        f->form = copy(m, f->form);
        f->assertion = copy(m, f->assertion);
        f->assertion_key = copy(m, f->assertion_key);
    }
    a->flows = flows;
    a->flow_stride = sizeof *flows;
    const char **texts[AUTH_TEXTS];
    auth_texts(a, texts);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i] = copy(m, *texts[i]);
    m->auth = a;
}

static void copy_webhook(struct manifest *m, const tl_webhook *from)
{
    tl_webhook *w = arena_new(&m->arena, tl_webhook);
    *w = *from;
    w->struct_size = sizeof *w;
    m->hook_parse = from->parse != NULL;
    m->hook_subscribe = from->subscribe != NULL;
    m->hook_unsubscribe = from->unsubscribe != NULL;
    w->parse = NULL;
    w->subscribe = NULL;
    w->unsubscribe = NULL;
    w->header = copy(m, w->header);
    w->jwks_url = copy(m, w->jwks_url);
    w->issuer = copy(m, w->issuer);
    w->delivery_id = copy(m, w->delivery_id);
    w->methods = copy(m, w->methods ? w->methods : "POST");
    m->webhook = w;
}

static int check_methods(const struct manifest *m, struct err *e)
{
    for (str rest = str_of(m->webhook->methods), one; str_split(&rest, ',', &one);) {
        if (!str_is(one, "POST") && !str_is(one, "PUT") && !str_is(one, "GET"))
            return err_set(e, TL_E_BUG, "connector \"%s\" takes webhooks by \"%.*s\", which is none of POST, PUT, GET",
                           m->id, STR_FMT(one));
        if (str_is(one, "GET") && m->webhook->scheme == TL_HOOK_HMAC_SHA256)
            return err_set(e, TL_E_BUG,
                           "connector \"%s\" takes webhooks by GET and verifies their body, of which a GET has none",
                           m->id);
    }
    return TL_OK;
}

static int check_manifest(const struct manifest *m, struct err *e)
{
    const char *const texts[] = {m->name, m->version, m->vendor, m->url, m->license, m->claims, m->hosts};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (!codec_utf8(str_of(texts[i])))
            return err_set(e, TL_E_BUG, "connector \"%s\" describes itself in text that is not UTF-8", m->id);
    for (uint32_t i = 0; i < m->n_options; i++) {
        const tl_option *o = &m->options[i];
        if (!*o->name)
            return err_set(e, TL_E_BUG, "connector \"%s\": option %u has no name", m->id, i + 1);
        if (o->type > TL_OPT_DIR)
            return err_set(e, TL_E_BUG, "connector \"%s\": option \"%s\" is of the unknown type %u", m->id, o->name,
                           o->type);
        if (manifest_option(m, str_of(o->name)) != o)
            return err_set(e, TL_E_BUG, "connector \"%s\": option \"%s\" is declared twice", m->id, o->name);
    }
    if (claims_check(str_of(m->claims), e))
        return err_wrap(e, "connector \"%s\"", m->id);
    return m->webhook ? check_methods(m, e) : TL_OK;
}

int manifest_copy(struct manifest **out, const tl_connector *c, const tl_auth *auth, const tl_webhook *webhook,
                  bool prepare, struct err *e)
{
    AUTO(manifest_free) struct manifest *m = manifest_new();
    m->id = copy_or_empty(m, c->id);
    m->name = copy_or_empty(m, c->name);
    m->version = copy_or_empty(m, c->version);
    m->vendor = copy_or_empty(m, c->vendor);
    m->url = copy_or_empty(m, c->url);
    m->license = copy_or_empty(m, c->license);
    m->claims = copy_or_empty(m, c->claims);
    m->hosts = copy_or_empty(m, c->hosts);
    m->abi_minor = c->abi_minor;
    m->flags = c->flags;
    m->role = c->role;
    m->default_master = c->default_master;
    m->default_window_s = c->default_window_s;
    m->prepare = prepare;
    if (c->n_options)
        copy_options(m, c);
    if (auth)
        copy_auth(m, auth);
    if (webhook)
        copy_webhook(m, webhook);
    int rc = check_manifest(m, e);
    if (rc)
        return rc;
    *out = take(m);
    return TL_OK;
}

/* ---- the flat form ---- */

static void enc_auth(struct buf *b, const struct manifest *m)
{
    const tl_auth *a = m->auth;
    enc_u64(b, a->n_flows);
    for (uint32_t i = 0; i < a->n_flows; i++) {
        const tl_auth_flow *f = &a->flows[i];
        enc_text(b, f->name);
        enc_text(b, f->needs);
        enc_text(b, f->token_url);
        enc_text(b, f->form);
        enc_text(b, f->assertion);
        enc_text(b, f->assertion_key);
        enc_i64(b, f->assertion_lifetime_s);
    }
    const char **texts[AUTH_TEXTS];
    tl_auth all = *a;
    auth_texts(&all, texts);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        enc_text(b, *texts[i]);
    enc_i64(b, a->default_lifetime_s);
    enc_u64(b, m->auth_verdict);
    enc_u64(b, m->auth_token_error);
}

static void enc_webhook(struct buf *b, const struct manifest *m)
{
    const tl_webhook *w = m->webhook;
    enc_i64(b, w->scheme);
    enc_text(b, w->header);
    enc_text(b, w->jwks_url);
    enc_text(b, w->issuer);
    enc_text(b, w->delivery_id);
    enc_u64(b, w->answers_get);
    enc_text(b, w->methods);
    enc_i64(b, w->key);
    enc_u64(b, m->hook_parse);
    enc_u64(b, m->hook_subscribe);
    enc_u64(b, m->hook_unsubscribe);
}

void manifest_encode(struct buf *b, const struct manifest *m)
{
    const char *const texts[] = {m->id, m->name, m->version, m->vendor, m->url, m->license, m->claims, m->hosts};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        enc_text(b, texts[i]);
    enc_u64(b, m->abi_minor);
    enc_u64(b, m->flags);
    enc_i64(b, m->role);
    enc_i64(b, m->default_master);
    enc_i64(b, m->default_window_s);
    enc_u64(b, m->n_options);
    for (uint32_t i = 0; i < m->n_options; i++) {
        const tl_option *o = &m->options[i];
        enc_text(b, o->name);
        enc_text(b, o->def);
        enc_text(b, o->help);
        enc_text(b, o->choices);
        enc_u64(b, o->type);
        enc_u64(b, o->flags);
    }
    enc_u64(b, m->auth != NULL);
    if (m->auth)
        enc_auth(b, m);
    enc_u64(b, m->webhook != NULL);
    if (m->webhook)
        enc_webhook(b, m);
    enc_u64(b, m->prepare);
}

static const char *dec_text_needed(struct decoder *d)
{
    const char *z = dec_text(d);
    if (!z)
        d->bad = true;
    return z ? z : "";
}

static void dec_options(struct decoder *d, struct manifest *m)
{
    uint32_t n = dec_count(d, 6);
    tl_option *o = arena_array(d->arena, tl_option, n);
    for (uint32_t i = 0; i < n; i++) {
        o[i].name = dec_text_needed(d);
        o[i].def = dec_text(d);
        o[i].help = dec_text_needed(d);
        o[i].choices = dec_text(d);
        o[i].type = dec_u32(d);
        o[i].flags = dec_u32(d);
    }
    m->options = o;
    m->n_options = d->bad ? 0 : n;
}

static void dec_auth(struct decoder *d, struct manifest *m)
{
    tl_auth *a = arena_new(d->arena, tl_auth);
    a->struct_size = sizeof *a;
    a->flow_stride = sizeof(tl_auth_flow);
    uint32_t n = dec_count(d, 7);
    tl_auth_flow *flows = arena_array(d->arena, tl_auth_flow, n);
    for (uint32_t i = 0; i < n; i++) {
        flows[i].name = dec_text(d);
        flows[i].needs = dec_text(d);
        flows[i].token_url = dec_text(d);
        flows[i].form = dec_text(d);
        flows[i].assertion = dec_text(d);
        flows[i].assertion_key = dec_text(d);
        flows[i].assertion_lifetime_s = dec_i64(d);
    }
    a->flows = flows;
    a->n_flows = d->bad ? 0 : n;
    const char **texts[AUTH_TEXTS];
    auth_texts(a, texts);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i] = dec_text(d);
    a->default_lifetime_s = dec_i64(d);
    m->auth_verdict = dec_u64(d) != 0;
    m->auth_token_error = dec_u64(d) != 0;
    m->auth = a;
}

static void dec_webhook(struct decoder *d, struct manifest *m)
{
    tl_webhook *w = arena_new(d->arena, tl_webhook);
    w->struct_size = sizeof *w;
    w->scheme = dec_i32(d);
    w->header = dec_text(d);
    w->jwks_url = dec_text(d);
    w->issuer = dec_text(d);
    w->delivery_id = dec_text(d);
    w->answers_get = dec_u32(d);
    w->methods = dec_text_needed(d);
    w->key = dec_i32(d);
    m->hook_parse = dec_u64(d) != 0;
    m->hook_subscribe = dec_u64(d) != 0;
    m->hook_unsubscribe = dec_u64(d) != 0;
    m->webhook = w;
}

int manifest_decode(struct manifest **out, str bytes, struct err *e)
{
    AUTO(manifest_free) struct manifest *m = manifest_new();
    str own = arena_str(&m->arena, bytes);
    struct decoder decoder = decoder_of(own, &m->arena, true);
    struct decoder *d = &decoder;
    const char **texts[] = {&m->id, &m->name, &m->version, &m->vendor, &m->url, &m->license, &m->claims, &m->hosts};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i] = dec_text_needed(d);
    m->abi_minor = dec_u32(d);
    m->flags = dec_u32(d);
    m->role = dec_i32(d);
    m->default_master = dec_i32(d);
    m->default_window_s = dec_i64(d);
    dec_options(d, m);
    if (dec_u64(d))
        dec_auth(d, m);
    if (dec_u64(d))
        dec_webhook(d, m);
    m->prepare = dec_u64(d) != 0;
    if (!decoder_ended(d))
        return err_set(e, TL_E_INVALID, "the worker described its connector in a malformed message");
    int rc = check_manifest(m, e);
    if (rc)
        return rc;
    *out = take(m);
    return TL_OK;
}

const tl_option *manifest_option(const struct manifest *m, str name)
{
    for (uint32_t i = 0; i < m->n_options; i++)
        if (str_is(name, m->options[i].name))
            return &m->options[i];
    return NULL;
}

const char *role_name(int32_t role)
{
    static const char *const names[] = {"other", "helpdesk", "crm", "finance", "telephony"};
    return role >= 0 && (size_t)role < ARRAY_LEN(names) ? names[role] : names[0];
}
