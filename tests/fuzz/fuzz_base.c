/* Readers of core/base: any bytes. What they accept must come back the same from what they print, and a text that was
 * brought into a form must stay as it is when brought there again. */
#include <stdint.h>
#include <stdlib.h>
#include <utf8proc.h>

#include "err.h"
#include "log.h"
#include "seal.h"
#include "times.h"
#include "unicode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define REQUIRE(cond)                                                                                                  \
    do {                                                                                                               \
        if (!(cond))                                                                                                   \
            abort();                                                                                                   \
    } while (0)

static void times(str s)
{
    int64_t us, again;
    AUTO(buf_done) struct buf b = {0};
    if (time_parse(s, &us)) {
        char text[32];
        time_text(text, us);
        if (us >= INT64_C(-62167219200000000) && us < INT64_C(253402300800000000)) { /* years 0000 to 9999 */
            REQUIRE(time_parse(str_of(text), &again));
            REQUIRE(again <= us && us - again < US_PER_MS);
        }
    }
    if (http_date_parse(s, &us)) {
        http_date_format(&b, us);
        REQUIRE(http_date_parse(buf_lent(&b), &again) && again == us);
        buf_clear(&b);
    }
    if (duration_parse(s, &us)) {
        duration_format(&b, us);
        REQUIRE(us >= 0 && duration_parse(buf_lent(&b), &again) && again == us);
        buf_clear(&b);
    }
    if (date_parse(s, &us)) {
        date_format(&b, us);
        REQUIRE(date_parse(buf_lent(&b), &again) && again == us);
    }
    if (s.n >= 8) {
        memcpy(&us, s.p, 8);
        date_format(&b, us);
        time_format(&b, us);
        http_date_format(&b, us);
    }
}

/* The same question asked of utf8proc, character by character. */
static bool valid_by_library(str s)
{
    while (s.n) {
        utf8proc_int32_t c;
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)s.p, (utf8proc_ssize_t)s.n, &c);
        if (n <= 0 || c == 0)
            return false;
        s = str_n(s.p + n, s.n - (size_t)n);
    }
    return true;
}

static void unicode(str s)
{
    AUTO(buf_done) struct buf once = {0};
    AUTO(buf_done) struct buf twice = {0};
    bool valid = utf8_valid(s);
    REQUIRE(valid == valid_by_library(s));
    str cut = utf8_cut(s, 3);
    REQUIRE(cut.n <= s.n && (!valid || (utf8_valid(cut) && utf8_length(cut) <= 3)));

    text_nfc(&once, s);
    text_nfc(&twice, buf_lent(&once));
    REQUIRE(!valid ||
            (utf8_valid(buf_lent(&once)) && (memchr(s.p, '\r', s.n) || str_eq(buf_lent(&once), buf_lent(&twice)))));
    buf_clear(&once);
    buf_clear(&twice);
    text_fold(&once, s);
    text_fold(&twice, buf_lent(&once));
    REQUIRE(!valid || str_eq(buf_lent(&once), buf_lent(&twice)));
}

static void numbers(str s)
{
    int64_t v;
    uint64_t u, back;
    AUTO(buf_done) struct buf b = {0};
    phone_digits(&b, s);
    if (phone_last9(s, &v))
        REQUIRE(v >= 0 && v <= 999999999);
    if (str_to_i64(s, &v)) {
        buf_clear(&b);
        buf_fmt(&b, "%lld", (long long)v);
        int64_t again;
        REQUIRE(str_to_i64(buf_lent(&b), &again) && again == v);
    }
    const uint8_t *p = (const uint8_t *)s.p, *end = p + s.n;
    while (varint_read(&p, end, &u)) {
        buf_clear(&b);
        buf_varint(&b, u);
        const uint8_t *q = (const uint8_t *)b.p;
        REQUIRE(varint_read(&q, q + b.n, &back) && back == u);
    }
}

static void texts(str s)
{
    AUTO(text_free) char *z = str_dup(s);
    struct err e = {0};
    err_set(&e, TL_E_INVALID, "%s", z);
    err_wrap(&e, "%s", z);
    REQUIRE(utf8_valid(str_of(e.text)) && !strpbrk(e.text, "\r\n\t"));

    static const char *const words[] = {"client_id", "client_secret", "org"};
    text_nearest(z, words, ARRAY_LEN(words));

    static const struct seal_key key = {.bytes = {1}};
    AUTO(buf_wipe) struct buf out = {0};
    REQUIRE(unseal(&out, &key, STR("what"), s, &e) == TL_E_DENIED && out.n == 0);
    AUTO(buf_done) struct buf shown = {0};
    redact(&shown, s);
    REQUIRE(str_eq(buf_lent(&shown), s)); /* no secret is registered */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    str s = n ? str_n(data, n) : STR("");
    times(s);
    unicode(s);
    numbers(s);
    texts(s);
    return 0;
}
