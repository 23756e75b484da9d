/* What reaches us from outside by way of HTTP: addresses, inbound deliveries with their signatures, kept tokens, and
 * what the Salesforce connector reads by itself. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "auth_int.h"
#include "hook_verify.h"
#include "salesforce.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define REQUIRE(cond)                                                                                                  \
    do {                                                                                                               \
        if (!(cond))                                                                                                   \
            abort();                                                                                                   \
    } while (0)

/* An accepted address must be one by the plainest reading too. */
static void addresses(str s)
{
    static struct http_allow *allow;
    struct err e = {0};
    enum http_target target;
    if (!allow) {
        allow = http_allow_new(true);
        REQUIRE(http_allow_hosts(allow, STR("login.salesforce.com,*.my.salesforce.com"), &e) == TL_OK);
        REQUIRE(http_allow_url(allow, STR("http://127.0.0.1:81"), &e) == TL_OK);
    }
    if (http_allow_check(allow, s, &target, &e) != TL_OK) {
        REQUIRE(e.text[0]);
        return;
    }
    bool https = str_starts(s, STR("https://"));
    size_t from = https ? 8 : 7, end = from;
    REQUIRE(https || str_starts(s, STR("http://127.0.0.1:81")));
    while (end < s.n && !strchr("/?:", s.p[end]))
        end++;
    AUTO(text_free) char *host = str_dup(str_n(s.p + from, end - from));
    for (char *p = host; *p; p++)
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
    REQUIRE(!https || strcmp(host, "login.salesforce.com") == 0 || str_ends(str_of(host), STR(".my.salesforce.com")));
    struct http_allow *more = http_allow_new(false);
    http_allow_hosts(more, s, &e);
    http_allow_url(more, s, &e);
    http_allow_free(more);
}

/* Nothing unsigned is believed. */
static void deliveries(str s)
{
    static const str secret = {"0123456789abcdef0123456789abcdef", 32};
    const tl_pair headers[] = {{TL_STR("x-sign"), s}};
    tl_hook_request r = {.struct_size = sizeof r, .n_headers = 1, .headers = headers, .body = TL_STR("{}")};
    for (int32_t scheme = TL_HOOK_SECRET_PATH; scheme <= TL_HOOK_HMAC_SHA256; scheme++) {
        struct hook_rule rule = {.scheme = scheme, .header = STR("x-sign"), .secret = secret};
        struct err e = {0};
        if (hook_verify(&rule, &r, s, &env_real, &e) == TL_OK)
            REQUIRE(scheme != TL_HOOK_HMAC_SHA256 && str_eq(str_trim(s), secret));
    }
}

static void tokens(str s)
{
    AUTO(tokens_done) struct tokens t = {0}, again = {0};
    if (!tokens_decode(&t, s))
        return;
    AUTO(buf_done) struct buf b = {0};
    tokens_encode(&t, &b);
    REQUIRE(tokens_decode(&again, buf_lent(&b)));
    REQUIRE(str_eq(buf_lent(&t.access), buf_lent(&again.access)));
}

static void connector(str s)
{
    tl_str scope, condition;
    int64_t used, limit;
    char id[SF_ID + 1];
    TLK_AUTO_BUF b = {0};
    sf_soql_view(s, &scope, &condition);
    sf_usage_parse(s, &used, &limit);
    sf_id18(id, s);
    REQUIRE(sf_same_text(s, s));
    sf_soql_text(&b, s); /* no quote and no end of line inside may stay bare */
    REQUIRE(b.n >= 2 && b.p[0] == '\'' && b.p[b.n - 1] == '\'');
    for (size_t i = 1; i + 1 < b.n; i++) {
        REQUIRE(b.p[i] != '\'' && (unsigned char)b.p[i] >= 0x20);
        i += b.p[i] == '\\';
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    str s = str_n(data, n);
    addresses(s);
    deliveries(s);
    tokens(s);
    connector(s);
    return 0;
}
