/* Functions over what contacts have: phone, email_norm, url_host, country. */
#include <stdlib.h>

#include "transform_int.h"
#include "unicode.h"

enum phone_form { PHONE_E164, PHONE_DIGITS, PHONE_LAST9 };

static bool phone_compile(struct parse *p, struct step *s)
{
    static const char *const forms[] = {"e164", "digits", "last9"};
    if (!arg_is_one_of(p, s, 0, forms, 3, &s->n[0]))
        return false;
    if (s->n_args < 2)
        return true;
    if (s->n[0] != PHONE_E164)
        return arg_wrong(p, s, s->args[1].column, "phone(e164, \"55\")", "only e164 takes a calling code");
    bool plain = s->args[1].kind == ARG_TEXT && s->args[1].text.n >= 1 && s->args[1].text.n <= 3;
    for (size_t i = 0; plain && i < s->args[1].text.n; i++)
        plain = s->args[1].text.p[i] >= '0' && s->args[1].text.p[i] <= '9';
    return plain || arg_wrong(p, s, s->args[1].column, "phone(e164, \"55\")",
                              "a calling code is 1 to 3 digits in double quotes");
}

/* "+" stays; "00" is its other spelling; a number of the country loses its leading 0. ITU-T E.164: 15 digits at most.
 */
static enum transform_outcome phone_e164(const struct step *s, struct run *r, const tl_value *in, str digits,
                                         tl_value *out)
{
    bool international = digits.n && digits.p[0] == '+';
    if (!international && digits.n > 2 && memcmp(digits.p, "00", 2) == 0) {
        international = true;
        digits = str_n(digits.p + 2, digits.n - 2);
    } else if (international) {
        digits = str_n(digits.p + 1, digits.n - 1);
    } else if (s->n_args < 2) {
        return cannot(r, s, TL_R_OTHER, "%.*s has no country code, and none is given: phone(e164, \"55\")",
                      STR_FMT(shown(r, in)));
    }
    while (!international && digits.n && digits.p[0] == '0')
        digits = str_n(digits.p + 1, digits.n - 1);
    AUTO(buf_done) struct buf b = {0};
    buf_char(&b, '+');
    if (!international)
        buf_str(&b, s->args[1].text);
    buf_str(&b, digits);
    if (b.n < 5 || b.n > 16)
        return cannot(r, s, TL_R_OTHER, "%.*s is no phone number", STR_FMT(shown(r, in)));
    return give_buf(r, s, &b, out);
}

static enum transform_outcome phone_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    str text = text_of(r, in);
    AUTO(buf_done) struct buf b = {.max = TRANSFORM_MAX_BYTES};
    if (s->n[0] == PHONE_LAST9) {
        int64_t n = 0;
        if (!phone_last9(text, &n))
            return cannot(r, s, TL_R_OTHER, "%.*s has fewer than 9 digits", STR_FMT(shown(r, in)));
        buf_fmt(&b, "%09lld", (long long)n);
        return give_buf(r, s, &b, out);
    }
    phone_digits(&b, text);
    if (s->n[0] == PHONE_E164)
        return phone_e164(s, r, in, buf_lent(&b), out);
    str digits = buf_lent(&b);
    if (digits.n && digits.p[0] == '+')
        digits = str_n(digits.p + 1, digits.n - 1);
    return give_text(r, s, arena_str(r->a, digits), out);
}

static uint32_t phone_longest(const struct step *s, uint32_t max)
{
    return s->n[0] == PHONE_E164 ? 16 : s->n[0] == PHONE_LAST9 ? 9 : max;
}

static enum transform_outcome email_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    AUTO(buf_done) struct buf b = {.max = TRANSFORM_MAX_BYTES};
    text_fold(&b, text_of(r, in));
    str mail = buf_lent(&b);
    const char *at = mail.n ? memchr(mail.p, '@', mail.n) : NULL;
    bool plain = at && at > mail.p && at + 1 < mail.p + mail.n &&
                 !memchr(at + 1, '@', (size_t)(mail.p + mail.n - at - 1)) && !memchr(mail.p, ' ', mail.n);
    if (!plain)
        return cannot(r, s, TL_R_OTHER, "%.*s is no e-mail address", STR_FMT(shown(r, in)));
    return give_buf(r, s, &b, out);
}

/* RFC 3986: [scheme ":"] ["//"] [user "@"] host [":" port] ["/" ...] */
static enum transform_outcome host_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    str url = str_trim(text_of(r, in));
    const char *slashes = memmem(url.p, url.n, "//", 2);
    if (slashes) {
        size_t skip = (size_t)(slashes - url.p) + 2;
        url = str_n(url.p + skip, url.n - skip);
    }
    size_t end = 0;
    while (end < url.n && !strchr("/?#", url.p[end]))
        end++;
    url.n = end;
    const char *user = url.n ? memrchr(url.p, '@', url.n) : NULL;
    if (user) {
        size_t skip = (size_t)(user - url.p) + 1;
        url = str_n(url.p + skip, url.n - skip);
    }
    const char *close = url.n && url.p[0] == '[' ? memchr(url.p, ']', url.n) : NULL;
    const char *colon = close || url.n == 0 ? NULL : memrchr(url.p, ':', url.n);
    url.n = close ? (size_t)(close - url.p) + 1 : colon ? (size_t)(colon - url.p) : url.n;
    AUTO(buf_done) struct buf b = {.max = TRANSFORM_MAX_BYTES};
    text_fold(&b, url);
    if (b.n == 0 || memchr(b.p, ' ', b.n))
        return cannot(r, s, TL_R_OTHER, "%.*s has no host", STR_FMT(shown(r, in)));
    return give_buf(r, s, &b, out);
}

/* ---- country */

enum country_form { COUNTRY_ISO2, COUNTRY_ISO3, COUNTRY_NAME };

static bool country_compile(struct parse *p, struct step *s)
{
    static const char *const forms[] = {"iso2", "iso3", "name"};
    return arg_is_one_of(p, s, 0, forms, 3, &s->n[0]);
}

static bool country_has(const struct country *c, str folded)
{
    const char *const names[] = {c->alpha_2, c->alpha_3, c->numeric, c->name, c->names[0], c->names[1]};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!names[i])
            continue;
        AUTO(buf_done) struct buf b = {0};
        text_fold(&b, str_of(names[i]));
        if (str_eq(buf_lent(&b), folded))
            return true;
    }
    return false;
}

static enum transform_outcome country_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    AUTO(buf_done) struct buf key = {.max = TRANSFORM_MAX_BYTES};
    text_fold(&key, text_of(r, in));
    for (size_t i = 0; i < n_countries; i++) {
        const struct country *c = &countries[i];
        if (!country_has(c, buf_lent(&key)))
            continue;
        const char *name = c->names[1] ? c->names[1] : c->name;
        return give_text(r, s,
                         str_of(s->n[0] == COUNTRY_ISO2   ? c->alpha_2
                                : s->n[0] == COUNTRY_ISO3 ? c->alpha_3
                                                          : name),
                         out);
    }
    return cannot(r, s, TL_R_CHOICE_UNKNOWN, "ISO 3166 has no country %.*s", STR_FMT(shown(r, in)));
}

static uint32_t country_longest(const struct step *s, uint32_t max)
{
    (void)max;
    return s->n[0] == COUNTRY_ISO2 ? 2 : s->n[0] == COUNTRY_ISO3 ? 3 : 60;
}

const struct function transform_contact_functions[] = {
    {"phone", "phone(e164, \"55\") or phone(digits) or phone(last9)",
     "a phone number in one form; e164 takes the calling code of numbers that have none", TAKES_TEXT | TAKES_INT,
     TL_TEXT, 1, 2, false, phone_compile, phone_run, NULL, "the way it was written is not kept", phone_longest, NULL},
    {"email_norm", "email_norm", "an e-mail address in lower case; what is none fails", TAKES_TEXT, TL_TEXT, 0, 0,
     false, NULL, email_run, NULL, "the letters' case is not kept", NULL, NULL},
    {"url_host", "url_host", "the host of an address", TAKES_TEXT, TL_TEXT, 0, 0, false, NULL, host_run, NULL,
     "the rest of the address is gone", NULL, NULL},
    {"country", "country(iso2) or country(iso3) or country(name)",
     "a country's code or English name from its code or English name (ISO 3166)", TAKES_TEXT | TAKES_INT, TL_TEXT, 1, 1,
     false, country_compile, country_run, NULL, "which spelling it had is not kept", country_longest, NULL},
    {0},
};
