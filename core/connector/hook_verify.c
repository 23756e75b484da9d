/* Verification of inbound deliveries by the declared scheme. */
#include "hook_verify.h"

#include <jansson.h>
#include <sodium.h>
#include <string.h>

#include "jwks.h"
#include "times.h"

enum { MAX_JWT = 16 * 1024 };
static const int64_t skew_s = 60;

/* Same time for every content: both sides are hashed, the hashes compared. */
static bool same_secret(str a, str b)
{
    unsigned char ha[32], hb[32];
    crypto_generichash(ha, sizeof ha, (const unsigned char *)a.p, a.n, NULL, 0);
    crypto_generichash(hb, sizeof hb, (const unsigned char *)b.p, b.n, NULL, 0);
    return sodium_memcmp(ha, hb, sizeof ha) == 0;
}

static str header_of(const tl_hook_request *r, str name)
{
    for (uint32_t i = 0; i < r->n_headers; i++) {
        if (str_eq(r->headers[i].name, name))
            return str_trim(r->headers[i].value);
    }
    return (str){NULL, 0};
}

static int needs_secret(const struct hook_rule *rule, struct err *e)
{
    return rule->secret.n >= 16 ? TL_OK : err_set(e, TL_E_DENIED, "no secret of 16 characters or more is set");
}

static int check_token(const struct hook_rule *rule, str given, const char *what, struct err *e)
{
    int rc = needs_secret(rule, e);
    if (rc)
        return rc;
    if (!given.n)
        return err_set(e, TL_E_DENIED, "the %s is missing", what);
    return same_secret(given, rule->secret) ? TL_OK : err_set(e, TL_E_DENIED, "the %s is wrong", what);
}

/* --- HMAC-SHA-256 over the body; hex or base64, with or without "sha256=" --- */

static bool decode_mac(str s, unsigned char out[32])
{
    size_t n = 0;
    if (str_starts(s, STR("sha256=")))
        s = str_n(s.p + 7, s.n - 7);
    if (s.n == 64 && sodium_hex2bin(out, 32, s.p, s.n, NULL, &n, NULL) == 0 && n == 32)
        return true;
    return sodium_base642bin(out, 32, s.p, s.n, NULL, &n, NULL, sodium_base64_VARIANT_ORIGINAL) == 0 && n == 32;
}

static int check_hmac(const struct hook_rule *rule, const tl_hook_request *r, struct err *e)
{
    int rc = needs_secret(rule, e);
    if (rc)
        return rc;
    unsigned char given[32], wanted[32];
    str text = header_of(r, rule->header);
    if (!text.n)
        return err_set(e, TL_E_DENIED, "the signature header is missing");
    if (!decode_mac(text, given))
        return err_set(e, TL_E_DENIED, "the signature header is neither hex nor base64 of 32 bytes");
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)rule->secret.p, rule->secret.n);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)r->body.p, r->body.n);
    crypto_auth_hmacsha256_final(&state, wanted);
    sodium_memzero(&state, sizeof state);
    return sodium_memcmp(given, wanted, 32) == 0 ? TL_OK : err_set(e, TL_E_DENIED, "the signature is wrong");
}

/* --- JWT, RS256 only --- */

AUTO_FN(json_t *, json_decref)

static bool decode_part(str part, struct buf *out)
{
    size_t n = 0;
    unsigned char *room = buf_room(out, part.n + 1);
    if (!room ||
        sodium_base642bin(room, part.n, part.p, part.n, NULL, &n, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return false;
    out->n = n;
    return n > 0;
}

static json_t *decode_json(str part)
{
    AUTO(buf_done) struct buf text = {0};
    json_t *j = decode_part(part, &text) ? json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (j && !json_is_object(j)) {
        json_decref(j);
        j = NULL;
    }
    return j;
}

static bool member_is(const json_t *j, str wanted)
{
    return json_is_string(j) && str_eq(str_n(json_string_value(j), json_string_length(j)), wanted);
}

static bool audience_fits(const json_t *aud, str wanted)
{
    if (member_is(aud, wanted))
        return true;
    for (size_t i = 0; i < json_array_size(aud); i++) {
        if (member_is(json_array_get(aud, i), wanted))
            return true;
    }
    return false;
}

static int check_claims(const struct hook_rule *rule, const json_t *claims, int64_t now_s, struct err *e)
{
    const json_t *expires = json_object_get(claims, "exp"), *begins = json_object_get(claims, "nbf");
    if (!json_is_number(expires) || json_number_value(expires) + (double)skew_s <= (double)now_s)
        return err_set(e, TL_E_DENIED, "the token has expired or never does");
    if (json_is_number(begins) && json_number_value(begins) - (double)skew_s > (double)now_s)
        return err_set(e, TL_E_DENIED, "the token is not valid yet");
    if (rule->issuer.n && !member_is(json_object_get(claims, "iss"), rule->issuer))
        return err_set(e, TL_E_DENIED, "the token is of another issuer");
    if (rule->audience.n && !audience_fits(json_object_get(claims, "aud"), rule->audience))
        return err_set(e, TL_E_DENIED, "the token is for another receiver");
    return TL_OK;
}

static int check_signature(const struct hook_rule *rule, str token, str parts[3], struct err *e)
{
    AUTO(json_decref) json_t *head = decode_json(parts[0]);
    const json_t *id = json_object_get(head, "kid");
    if (!member_is(json_object_get(head, "alg"), STR("RS256")))
        return err_set(e, TL_E_DENIED, "the token is not signed with RS256");
    AUTO(buf_done) struct buf signature = {0};
    if (!decode_part(parts[2], &signature))
        return err_set(e, TL_E_DENIED, "the token has no signature");
    str text = str_n(token.p, parts[0].n + 1 + parts[1].n);
    return jwks_verify(rule->keys, !rule->at_once, str_of(json_string_value(id)), text, buf_lent(&signature), e);
}

static int check_jwt(const struct hook_rule *rule, const tl_hook_request *r, int64_t now_us, struct err *e)
{
    str token = header_of(r, rule->header), rest = token, parts[3] = {{0}};
    if (!rule->keys)
        return err_set(e, TL_E_DENIED, "no keys are known to verify with");
    if (!token.n || token.n > MAX_JWT)
        return err_set(e, TL_E_DENIED, "the token header is missing or too long");
    for (int i = 0; i < 3; i++) {
        if (!str_split(&rest, '.', &parts[i]) || !parts[i].n)
            return err_set(e, TL_E_DENIED, "the token does not have three parts");
    }
    if (rest.n || token.n != parts[0].n + parts[1].n + parts[2].n + 2)
        return err_set(e, TL_E_DENIED, "the token does not have three parts");
    AUTO(json_decref) json_t *claims = decode_json(parts[1]);
    if (!claims)
        return err_set(e, TL_E_DENIED, "the token's claims are unreadable");
    int rc = check_claims(rule, claims, now_us / US_PER_S, e);
    return rc ? rc : check_signature(rule, token, parts, e);
}

int hook_verify(const struct hook_rule *rule, const tl_hook_request *request, str path_secret, const struct env *env,
                struct err *e)
{
    switch (rule->scheme) {
    case TL_HOOK_SECRET_PATH:
        return check_token(rule, path_secret, "secret in the address", e);
    case TL_HOOK_HEADER_TOKEN:
        return check_token(rule, header_of(request, rule->header), "token header", e);
    case TL_HOOK_HMAC_SHA256:
        return check_hmac(rule, request, e);
    case TL_HOOK_JWT_RS256:
        return check_jwt(rule, request, env_now_us(env), e);
    default:
        return err_set(e, TL_E_DENIED, "the connector declares an unknown scheme");
    }
}
