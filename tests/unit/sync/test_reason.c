/* The words of a failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

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
        assert_string_equal(reason_text(rows[i].code, "en"), rows[i].text);
        assert_true(reason_hint(rows[i].code, "en")[0] != 0);
        assert_int_equal(reason_retry(rows[i].code), RETRY_ON_CHANGE);
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(five_messages), cmocka_unit_test(classes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
