/* The words of a failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "cleanup.h"
#include "lang.h"
#include "reason.h"

/* proves: S1-44 S1-45 S1-46 S1-47 S1-48 S2-53 S2-54 S2-55 S2-56 S2-57 */
static void five_messages(void **state)
{
    (void)state;
    static const struct {
        int32_t reason;
        const char *code, *text;
    } rows[] = {{TL_R_ALREADY_MAPPED, "ALREADY_MAPPED", "the CRM id is already mapped with another support entity"},
                {TL_R_TYPE_MISMATCH, "TYPE_MISMATCH", "text value is given for an integer field"},
                {TL_R_REQUIRED_MISSING, "REQUIRED_MISSING", "mandatory field missing"},
                {TL_R_PARAM_MISSING, "PARAM_MISSING", "parameter missing"},
                {TL_R_PARAM_INVALID, "PARAM_INVALID", "API parameter or parameter value incorrect"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_string_equal(reason_code(TL_E_INVALID, rows[i].reason), rows[i].code);
        assert_string_equal(reason_text_of(rows[i].code, TL_ROLE_HELPDESK, TL_ROLE_CRM, "en"), rows[i].text);
        assert_true(reason_hint(rows[i].code, "en")[0] != 0);
        assert_int_equal(reason_retry(rows[i].code), RETRY_ON_CHANGE);
    }
}

/* True on whichever side the record is. */
static void of_both_sides(void **state)
{
    (void)state;
    const char *of_crm = "the support id is already mapped with another CRM entity";
    const char *of_any = "its counterpart is already mapped with another record";
    assert_string_equal(reason_text_of("ALREADY_MAPPED", TL_ROLE_CRM, TL_ROLE_HELPDESK, "en"), of_crm);
    assert_string_equal(reason_text_of("ALREADY_MAPPED", TL_ROLE_CRM, TL_ROLE_OTHER, "en"), of_any);
    assert_string_equal(reason_text("ALREADY_MAPPED", "en"), of_any);
    static const char *const langs[] = {"pt-BR", "zh-CN", "ru"};
    for (size_t i = 0; i < ARRAY_LEN(langs); i++) {
        assert_string_not_equal(reason_text_of("ALREADY_MAPPED", TL_ROLE_CRM, TL_ROLE_HELPDESK, langs[i]), of_crm);
        assert_string_not_equal(reason_text_of("ALREADY_MAPPED", TL_ROLE_HELPDESK, TL_ROLE_CRM, langs[i]),
                                reason_text_of("ALREADY_MAPPED", TL_ROLE_HELPDESK, TL_ROLE_CRM, "en"));
    }
}

static void classes(void **state)
{
    (void)state;
    assert_string_equal(reason_code(TL_E_DENIED, TL_R_OTHER), "PERMISSION");
    assert_string_equal(reason_code(TL_E_TEMPORARY, TL_R_OTHER), "REMOTE_5XX");
    assert_string_equal(reason_code(TL_E_AUTH, TL_R_OTHER), "AUTH_FAILED");
    assert_string_equal(reason_code(TL_E_INVALID, 9999), "REFUSED");
    assert_int_equal(reason_retry("UNKNOWN_OUTCOME"), RETRY_MANUAL);
    assert_string_equal(reason_text("NEVER_HEARD_OF", "xx"), "the record could not be synchronised");
}

/* Every reason and every hint is there in every language. proves: S1-43 S1-50 */
static void four_languages(void **state)
{
    (void)state;
    static const char *const langs[] = {"pt-BR", "zh-CN", "ru"};
    size_t n = 0;
    for (const char *code; (code = reason_code_at(n)); n++)
        for (size_t i = 0; i < ARRAY_LEN(langs); i++) {
            if (strcmp(reason_text(code, langs[i]), reason_text(code, "en")) == 0)
                fail_msg("%s has no reason in %s", code, langs[i]);
            if (strcmp(reason_hint(code, langs[i]), reason_hint(code, "en")) == 0)
                fail_msg("%s has no hint in %s", code, langs[i]);
        }
    assert_true(n > 30);
    assert_string_equal(reason_text("REQUIRED_MISSING", "ru"), "отсутствует обязательное поле");
    assert_string_equal(reason_text("REQUIRED_MISSING", "de"), "mandatory field missing");
    assert_string_equal(reason_text("NEVER_HEARD_OF", "zh-CN"), "该记录无法同步");
    for (size_t i = 1; i < n_messages; i++)
        assert_true(strcmp(messages[i - 1].english, messages[i].english) < 0);
}

static void languages_of_readers(void **state)
{
    (void)state;
    static const struct {
        const char *wish;
        enum lang lang;
    } rows[] = {{NULL, LANG_EN},
                {"", LANG_EN},
                {"pt_BR.UTF-8", LANG_PT_BR},
                {"pt", LANG_PT_BR},
                {"zh-CN,zh;q=0.9", LANG_ZH_CN},
                {"de-DE,de;q=0.9", LANG_EN},
                {"de, ru;q=0.8, en;q=0.9", LANG_EN},
                {"fr, ru;q=0.8, pt;q=0.75", LANG_RU},
                {"RU", LANG_RU},
                {"C.UTF-8", LANG_EN},
                {"ru;q=0", LANG_EN},
                {";;,,q=", LANG_EN}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (lang_of(rows[i].wish) != rows[i].lang)
            fail_msg("%s is taken for %s", rows[i].wish, lang_name(lang_of(rows[i].wish)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(five_messages), cmocka_unit_test(of_both_sides),
                                       cmocka_unit_test(classes), cmocka_unit_test(four_languages),
                                       cmocka_unit_test(languages_of_readers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
