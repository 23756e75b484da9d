/* The redirect of a sign-in: which addresses may be registered, and what a hostile one is refused for. */
#include "unit/unit.h"

#include "redirect.h"

static void test_registered(void **state)
{
    (void)state;
    static const struct {
        const char *uri, *host, *path;
        int port;
        bool loopback;
    } good[] = {
        {"http://localhost:8447/tieline", "localhost", "/tieline", 8447, true},
        {"http://127.0.0.1:9000", "127.0.0.1", "/", 9000, true},
        {"http://[::1]:9000/a/b", "[::1]", "/a/b", 9000, true},
        {"http://localhost/x", "localhost", "/x", 80, true},
        {"https://ops.example.com/signed-in", "ops.example.com", "/signed-in", 443, false},
        {"https://localhost:9443/x", "localhost", "/x", 9443, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct redirect_uri u;
        struct err e = {0};
        assert_int_equal(redirect_uri_read(&u, good[i].uri, &e), TL_OK);
        assert_string_equal(u.host, good[i].host);
        assert_string_equal(u.path, good[i].path);
        assert_int_equal(u.port, good[i].port);
        assert_int_equal(u.loopback, good[i].loopback);
    }
    static const char *const bad[] = {
        "",
        "localhost:8447",
        "ftp://localhost/",
        "http://",
        "http://example.com/x",        /* plain http leaves the machine */
        "http://localhost.evil.com/x", /* only looks like it */
        "http://127.0.0.1.nip.io/",
        "http://user@localhost:1/x",
        "http://localhost:0/x",
        "http://localhost:65536/x",
        "http://localhost:/x",
        "http://localhost:1x/x",
        "http://[::1/x",
        "https://ops.example.com/x?y=1",
        "https://ops.example.com/x#y",
        "https://ops.example.com/a b",
        "https://ops.example.com\\@evil.com/",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct redirect_uri u = {.port = 77};
        struct err e = {0};
        assert_int_equal(redirect_uri_read(&u, bad[i], &e), TL_E_CONFIG);
        assert_int_equal(u.port, 77);
        assert_true(e.hint[0]);
    }
}

static void test_answers(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena a = {0};
    struct redirect r;
    struct err e = {0};
    str value;
    assert_int_equal(redirect_read(&r, &a,
                                   STR("  http://localhost:1/t?state=s1&code=aPrx%3D%3D&location=eu&accounts-server="
                                       "https%3A%2F%2Faccounts.zoho.eu#_=_ \n"),
                                   &e),
                     TL_OK);
    assert_str(r.base, "http://localhost:1/t");
    assert_str(r.state, "s1");
    assert_str(r.code, "aPrx==");
    assert_int_equal(r.error.n, 0);
    assert_true(redirect_param(&a, r.query, STR("accounts-server"), &value));
    assert_str(value, "https://accounts.zoho.eu");
    assert_true(redirect_param(&a, r.query, STR("location"), &value));
    assert_str(value, "eu");
    assert_false(redirect_param(&a, r.query, STR("nothing"), &value));
    assert_int_equal(
        redirect_read(&r, &a, STR("https://x/?error=access_denied&error_description=end-user+denied&state=s2"), &e),
        TL_OK);
    assert_str(r.error, "access_denied");
    assert_str(r.words, "end-user denied");
    assert_true(redirect_is_address(STR(" https://x/")));
    assert_false(redirect_is_address(STR("1000.abc.def")));
}

static void test_hostile_answers(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "1000.abc.def",
        "http://localhost:1/t",
        "http://localhost:1/t?",
        "http://localhost:1/t?code=c",                          /* no state */
        "http://localhost:1/t?state=s",                         /* neither code nor error */
        "http://localhost:1/t?state=s&code=c&error=e",          /* both */
        "http://localhost:1/t?state=s&state=t&code=c",          /* twice */
        "http://localhost:1/t?state=s&code=c&code=d",           /* twice */
        "http://localhost:1/t?state=s&%73tate=t&code=c",        /* twice, one in disguise */
        "http://localhost:1/t?state=s&code=%0d%0aSet-Cookie:x", /* control characters */
        "http://localhost:1/t?state=s&code=%00c",
        "http://localhost:1/t?state=s&code=c%", /* broken escapes */
        "http://localhost:1/t?state=s&code=c%4",
        "http://localhost:1/t?state=s&code=%gg",
        "http://localhost:1/t?state=s&code=%ff%fe", /* no UTF-8 */
        "http://localhost:1/t?state=s&code",
        "http://localhost:1/t?state=s&code=a b",
        "http://localhost:1/t#?state=s&code=c"
        "\x01",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        AUTO(arena_done) struct arena a = {0};
        struct redirect r = {.state = STR("untouched")};
        struct err e = {0};
        assert_int_equal(redirect_read(&r, &a, str_of(bad[i]), &e), TL_E_INVALID);
        assert_str(r.state, "untouched");
        assert_null(strstr(e.text, "code=")); /* what came may be a secret */
    }
    AUTO(arena_done) struct arena a = {0};
    AUTO(buf_done) struct buf longest = {0};
    struct redirect r;
    struct err e = {0};
    buf_text_add(&longest, "http://localhost:1/t?state=s&code=");
    while (longest.n <= REDIRECT_MAX)
        buf_text_add(&longest, "cccccccccccccccc");
    assert_int_equal(redirect_read(&r, &a, buf_lent(&longest), &e), TL_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registered),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_hostile_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
