/* The request guard: one row a malformed request that a lenient server would answer. */
#include "unit/unit.h"

#include "guard.h"

#define H(n, v)                                                                                                        \
    {                                                                                                                  \
        {(n), sizeof(n) - 1},                                                                                          \
        {                                                                                                              \
            (v), sizeof(v) - 1                                                                                         \
        }                                                                                                              \
    }

struct row {
    const char *method, *version;
    struct guard_header headers[4];
    size_t n;
    const char *wrong; /* part of the words; NULL: may pass */
};

static const struct row rows[] = {
    {"GET", "HTTP/1.1", {H("Host", "localhost")}, 1, NULL},
    {"POST", "HTTP/1.1", {H("Host", "x"), H("Content-Length", "12")}, 2, NULL},
    {"POST", "HTTP/1.1", {H("host", "x"), H("Transfer-Encoding", "chunked")}, 2, NULL},
    {"GET", "HTTP/1.1", {H("Accept", "*/*")}, 1, "no host"},
    {"GET", "HTTP/1.1", {H("Host", "a"), H("Host", "b")}, 2, "more than one host"},
    {"POST", "HTTP/1.1", {H("Host", "a"), H("Content-Length", "1"), H("Transfer-Encoding", "chunked")}, 3, "length"},
    {"POST", "HTTP/1.1", {H("Host", "a"), H("Content-Length", "1"), H("Content-Length", "2")}, 3, "length"},
    {"POST", "HTTP/1.1", {H("Host", "a"), H("Content-Length", "+1")}, 2, "not a number"},
    {"POST", "HTTP/1.1", {H("Host", "a"), H("Content-Length", "99999999999999999999")}, 2, "not a number"},
    {"POST", "HTTP/1.1", {H("Host", "a"), H("Content-Length", "")}, 2, "not a number"},
    {"POST", "HTTP/1.1", {H("Host", "a"), H("Transfer-Encoding", "xchunked")}, 2, "not chunked"},
    {"POST", "HTTP/1.1", {H("Host", "a"), H("Transfer-Encoding", "gzip, chunked")}, 2, "not chunked"},
    {"GET", "HTTP/1.1", {H("Host", "a"), H("X y", "1")}, 2, "token"},
    {"GET", "HTTP/1.1", {H("Host", "a"), H("X ", "1")}, 2, "token"},
    {"GET", "HTTP/1.1", {H("Host", "a"), H("X\x01", "1")}, 2, "token"},
    {"GET", "HTTP/1.1", {H("Host", "a"), H("X", "a\rb")}, 2, "control"},
    {"GET", "HTTP/1.1", {H("Host", "a"), H("X", "a\0b")}, 2, "control"},
    {"GET", "HTTP/9.9", {H("Host", "a")}, 1, "version"},
    {"G T", "HTTP/1.1", {H("Host", "a")}, 1, "method"},
    {"", "HTTP/1.1", {H("Host", "a")}, 1, "method"},
};

static void each_row_gets_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *said = guard_check(str_of(rows[i].method), str_of(rows[i].version), rows[i].headers, rows[i].n);
        if (rows[i].wrong ? !said || !strstr(said, rows[i].wrong) : said != NULL)
            fail_msg("row %zu: said \"%s\", expected \"%s\"", i, said ? said : "pass",
                     rows[i].wrong ? rows[i].wrong : "pass");
    }
}

static void too_much_is_refused(void **state)
{
    (void)state;
    struct guard_header many[101];
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = (struct guard_header){STR("X"), STR("1")};
    assert_non_null(guard_check(STR("GET"), STR("HTTP/1.1"), many, ARRAY_LEN(many)));
    static char long_value[9000];
    memset(long_value, 'a', sizeof long_value);
    struct guard_header two[] = {{STR("Host"), STR("a")}, {STR("X"), {long_value, sizeof long_value}}};
    assert_non_null(guard_check(STR("GET"), STR("HTTP/1.1"), two, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_row_gets_its_verdict),
                                       cmocka_unit_test(too_much_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
