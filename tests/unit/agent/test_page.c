/* The page beside a ticket: what people wrote is text in it, whatever it looks like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "context_page.h"

static const char hostile[] = "<script>alert('1')</script> & \"quoted\"";

static json_t *context(const char *name, const char *url, const char *value)
{
    return json_pack("{s:{s:s,s:s},s:n,s:s,s:[{s:s,s:s,s:n,s:[{s:s,s:s,s:s,s:s,s:n,s:[{s:s,s:s,s:n,s:[{s:s,s:s,s:s,s:[{"
                     "s:s,s:s,s:s}]}]}]}]}]}",
                     "requester", "name", name, "email", name, "account", "id", "1", "systems", "endpoint", name,
                     "state", "shown", "text", "records", "kind", "contact", "name", name, "url", url, "state", "shown",
                     "text", "blocks", "item", "deal", "state", "shown", "text", "records", "id", "7", "name", name,
                     "url", url, "fields", "path", "stage", "label", name, "value", value);
}

static void nothing_becomes_markup(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf page = {0};
    json_t *c = context(hostile, "https://x.example/?a=\"onclick='b'&c", hostile);
    assert_non_null(c);
    context_page(c, NULL, "/style.css", &page);
    const char *text = buf_text(&page);
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "'1'"));
    assert_null(strstr(text, "\"onclick"));
    assert_non_null(strstr(text, "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;quoted&quot;"));
    assert_non_null(strstr(text, "href=\"https://x.example/?a=&quot;onclick=&#39;b&#39;&amp;c\""));
    json_decref(c);
}

static void only_web_addresses_lead_away(void **state)
{
    (void)state;
    static const char *const others[] = {"javascript:alert(1)", "data:text/html,x", "//x.example", "", "HTTPS//x"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        AUTO(buf_done) struct buf page = {0};
        json_t *c = context("Ann", others[i], "open");
        context_page(c, NULL, "/style.css", &page);
        assert_null(strstr(buf_text(&page), "<a "));
        json_decref(c);
    }
}

/* proves: S1-57 */
static void in_four_languages(void **state)
{
    (void)state;
    static const char *const titles[][3] = {
        {"en", "<html lang=\"en\">", "Deals (1)"},
        {"pt-BR,pt;q=0.9", "<html lang=\"pt-BR\">",
         "Neg\xc3\xb3"
         "cios (1)"},
        {"ru", "<html lang=\"ru\">", "\xd0\xa1\xd0\xb4\xd0\xb5\xd0\xbb\xd0\xba\xd0\xb8 (1)"},
        {"zh-CN", "<html lang=\"zh-CN\">", "\xe5\x95\x86\xe6\x9c\xba (1)"},
    };
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) {
        AUTO(buf_done) struct buf page = {0};
        json_t *c = context("Ann", "https://x.example/1", "open");
        context_page(c, titles[i][0], "/style.css", &page);
        assert_non_null(strstr(buf_text(&page), titles[i][1]));
        assert_non_null(strstr(buf_text(&page), titles[i][2]));
        json_decref(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_becomes_markup),
        cmocka_unit_test(only_web_addresses_lead_away),
        cmocka_unit_test(in_four_languages),
    };
    return cmocka_run_group_tests_name("page", tests, NULL, NULL);
}
