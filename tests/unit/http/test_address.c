/* Where requests may go: URLs against the allow-list, addresses at connect time. */
#include "unit/unit.h"

#include "address.h"

static struct http_allow *vendor_list(bool development)
{
    struct http_allow *a = http_allow_new(development);
    struct err e = {0};
    assert_int_equal(http_allow_hosts(a, STR("login.salesforce.com, *.my.salesforce.com,desk.zoho.com"), &e), TL_OK);
    return a;
}

static void test_declared_hosts(void **state)
{
    (void)state;
    static const char *const good[] = {
        "https://login.salesforce.com/services/oauth2/token",
        "https://acme.my.salesforce.com/services/data/",
        "https://acme--dev.sandbox.my.salesforce.com:443/x?q=SELECT+Id",
        "https://LOGIN.Salesforce.COM/",
        "https://desk.zoho.com",
    };
    AUTO(http_allow_free) struct http_allow *a = vendor_list(true);
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct err e = {0};
        enum http_target target;
        if (http_allow_check(a, str_of(good[i]), &target, &e))
            fail_msg("%s: %s", good[i], e.text);
        assert_int_equal(target, HTTP_TARGET_DECLARED);
    }
}

/* Who keeps a list has it although the one who made it let it go: an endpoint that is set anew under a key fetch. */
static void test_kept_list(void **state)
{
    (void)state;
    struct err e = {0};
    struct http_allow *made = vendor_list(false);
    AUTO(http_allow_free) struct http_allow *kept = http_allow_keep(made);
    assert_null(http_allow_free(made));
    assert_int_equal(http_allow_check(kept, STR("https://desk.zoho.com/keys"), NULL, &e), TL_OK);
    assert_int_equal(http_allow_check(kept, STR("https://desk.zoho.eu/keys"), NULL, &e), TL_E_DENIED);
    assert_null(http_allow_keep(NULL));
}

/* Every way known to make one reader see an allowed host and another one a different host. */
static void test_forged_addresses(void **state)
{
    (void)state;
    static const char *const forged[] = {
        "http://login.salesforce.com/",
        "https://login.salesforce.com.evil.example/",
        "https://evil.example/login.salesforce.com",
        "https://evil.example/?https://login.salesforce.com/",
        "https://evil.example#.my.salesforce.com",
        "https://login.salesforce.com#@evil.example/",
        "https://login.salesforce.com@evil.example/",
        "https://user:pass@login.salesforce.com/",
        "https://evil.example\\.my.salesforce.com/",
        "https://evil.example%2f.my.salesforce.com/",
        "https://evil.example%00.my.salesforce.com/",
        "https://my.salesforce.com/",
        "https://.my.salesforce.com/",
        "https://a..my.salesforce.com/",
        "https://acme.my.salesforce.com./",
        "https://xmy.salesforce.com/",
        "https://login.salesforce.com:8443/",
        "https://login.salesforce.com:443:80/",
        "https://login.salesforce.com:0/",
        "https://login.salesforce.com:99999/",
        "https:login.salesforce.com/",
        "https:/login.salesforce.com/",
        "https:///login.salesforce.com/",
        "HTTPS://login.salesforce.com/",
        "//login.salesforce.com/",
        "file:///etc/passwd",
        "gopher://login.salesforce.com/",
        " https://login.salesforce.com/",
        "https://login.salesforce.com /",
        "https://login.sale\tsforce.com/",
        "https://login.salesforce.com/\r\nX-Evil: 1",
        "https://l\xc3\xb3gin.my.salesforce.com/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fe80::1%25eth0]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://localhost/",
        "https://desk.zoho.com,evil.example/",
        "https://*.my.salesforce.com/",
        "https://[login.salesforce.com]/",
        "https://login.salesforce.com;evil.example/",
        "",
        "x",
    };
    AUTO(http_allow_free) struct http_allow *a = vendor_list(true);
    for (size_t i = 0; i < ARRAY_LEN(forged); i++) {
        struct err e = {0};
        if (http_allow_check(a, str_of(forged[i]), NULL, &e) != TL_E_DENIED || !e.text[0])
            fail_msg("\"%s\" was allowed", forged[i]);
    }
    assert_true(ARRAY_LEN(forged) >= 20);
    struct err e = {0};
    assert_int_equal(http_allow_check(a, str_n("https://login.salesforce.com\0.x/", 32), NULL, &e), TL_E_DENIED);
    assert_int_equal(http_allow_check(NULL, STR("https://login.salesforce.com/"), NULL, &e), TL_E_DENIED);
}

/* What a connector declares is reached once a person has accepted it, whole or in part. */
static void test_accepted_hosts(void **state)
{
    (void)state;
    static const struct {
        const char *declared, *accepted, *reached, *pending;
    } cases[] = {
        {"a.example.com,*.b.example.com", "", "", "a.example.com,*.b.example.com"},
        {"a.example.com,*.b.example.com", "a.example.com,*.b.example.com", "a.example.com,*.b.example.com", ""},
        {"a.example.com", "*.example.com", "a.example.com", ""},
        {"*.b.example.com", "org.b.example.com", "org.b.example.com", "*.b.example.com"},
        {"*.b.example.com", "*.org.b.example.com", "*.org.b.example.com", "*.b.example.com"},
        {"a.example.com", "evil.example.org,A.Example.com", "a.example.com", ""},
        {"*.b.example.com", "xb.example.com,b.example.com", "", "*.b.example.com"},
        {"a.example.com, a.example.com", "a.example.com", "a.example.com", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_done) struct buf reached = {.max = 1000}, pending = {.max = 1000};
        http_hosts_sort(str_of(cases[i].declared), str_of(cases[i].accepted), &reached, &pending);
        assert_string_equal(reached.n ? buf_text(&reached) : "", cases[i].reached);
        assert_string_equal(pending.n ? buf_text(&pending) : "", cases[i].pending);
    }
    AUTO(http_allow_free) struct http_allow *a = http_allow_new(false);
    struct err e = {0};
    assert_int_equal(http_allow_hosts(a, STR("org.b.example.com"), &e), TL_OK);
    assert_int_equal(http_allow_pending(a, STR("*.b.example.com"), &e), TL_OK);
    enum http_target target;
    assert_int_equal(http_allow_check(a, STR("https://org.b.example.com/"), &target, &e), TL_OK);
    assert_int_equal(target, HTTP_TARGET_DECLARED);
    assert_int_equal(http_allow_check(a, STR("https://other.b.example.com/"), &target, &e), TL_E_DENIED);
    assert_string_equal(e.text,
                        "\"other.b.example.com\" is declared by this connector, but nobody has accepted it yet");
}

static void test_operator_urls(void **state)
{
    (void)state;
    AUTO(http_allow_free) struct http_allow *a = vendor_list(true);
    struct err e = {0};
    enum http_target target;
    assert_int_equal(http_allow_url(a, STR("http://127.0.0.1:8101/base"), &e), TL_OK);
    assert_int_equal(http_allow_url(a, STR("https://10.1.2.3:8443"), &e), TL_OK);
    assert_int_equal(http_allow_url(a, STR(""), &e), TL_OK);
    assert_int_equal(http_allow_check(a, STR("http://127.0.0.1:8101/other?x"), &target, &e), TL_OK);
    assert_int_equal(target, HTTP_TARGET_LOOPBACK);
    assert_int_equal(http_allow_check(a, STR("https://10.1.2.3:8443/x"), &target, &e), TL_OK);
    assert_int_equal(target, HTTP_TARGET_OPERATOR);
    assert_int_equal(http_allow_check(a, STR("http://127.0.0.1:8102/"), NULL, &e), TL_E_DENIED);
    assert_int_equal(http_allow_check(a, STR("http://127.1:8101/"), NULL, &e), TL_E_DENIED); /* not as it is written */
    assert_int_equal(http_allow_check(a, STR("https://127.0.0.1:8101/"), NULL, &e), TL_E_DENIED);
    assert_int_equal(http_allow_check(a, STR("http://10.1.2.3:8443/"), NULL, &e), TL_E_DENIED);
    assert_int_equal(http_allow_url(a, STR("http://twin.example:8101"), &e), TL_E_CONFIG);
    assert_non_null(strstr(e.hint, "development"));
    assert_int_equal(http_allow_url(a, STR("ftp://twin.example"), &e), TL_E_CONFIG);

    AUTO(http_allow_free) struct http_allow *strict = vendor_list(false);
    assert_int_equal(http_allow_url(strict, STR("http://127.0.0.1:8101"), &e), TL_E_CONFIG);
    assert_int_equal(http_allow_url(strict, STR("https://127.0.0.1:8101"), &e), TL_OK);
}

static void test_patterns_that_match_too_much(void **state)
{
    (void)state;
    static const char *const bad[] = {"*",       "*.com",         "com",      "10.0.0.1", "*.*.com",
                                      "a b.com", "https://x.com", "x.com:80", "*.1.2",    ".salesforce.com"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        AUTO(http_allow_free) struct http_allow *a = http_allow_new(false);
        struct err e = {0};
        if (http_allow_hosts(a, str_of(bad[i]), &e) != TL_E_CONFIG)
            fail_msg("pattern \"%s\" was taken", bad[i]);
    }
}

static void test_inner_addresses(void **state)
{
    (void)state;
    static const char *const inner[] = {
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.170",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "2001::1",
        "2001:db8::1",
        "100::1",
        "fec0::1",
        "3fff::1",
        "168.63.129.16",
        "2a00:1450::5efe:a00:1",
        "2a00:1450::200:5efe:7f00:1",
    };
    static const char *const outer[] = {"8.8.8.8",          "172.15.0.1",    "172.32.0.1",      "192.0.1.1",
                                        "100.128.0.1",      "223.255.255.1", "2606:4700::1111", "::ffff:8.8.8.8",
                                        "64:ff9b::808:808", "2a00:1450::1"};
    struct sockaddr_storage sa;
    for (size_t i = 0; i < ARRAY_LEN(inner); i++) {
        assert_true(address_from_text(inner[i], &sa));
        bool is = address_is_inner((const struct sockaddr *)(const void *)&sa);
        if (!is)
            fail_msg("%s counts as outer", inner[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(outer); i++) {
        assert_true(address_from_text(outer[i], &sa));
        if (address_is_inner((const struct sockaddr *)(const void *)&sa))
            fail_msg("%s counts as inner", outer[i]);
    }
    assert_false(address_from_text("localhost", &sa));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_declared_hosts),   cmocka_unit_test(test_kept_list),
        cmocka_unit_test(test_forged_addresses), cmocka_unit_test(test_accepted_hosts),
        cmocka_unit_test(test_operator_urls),    cmocka_unit_test(test_patterns_that_match_too_much),
        cmocka_unit_test(test_inner_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
