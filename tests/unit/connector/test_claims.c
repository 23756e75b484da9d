/* What a connector may claim, and which partner takes which place. */
#include "unit/unit.h"

#include "claims.h"
#include "tieline.h"

static void what_is_no_claim_is_refused(void **state)
{
    (void)state;
    static const char *const good[] = {"", "helpdesk:desk", "helpdesk|crm:crm", "finance:finance,crm:crm", "other:x_y"};
    static const char *const wrong[] = {"desk",   "helpdesk", ":crm", "crm:",          "crm:CRM", "desk:desk",
                                        "crm|:a", "crm:a,",   ",",    "crm:a,finance", "crm :a"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(claims_check(str_of(good[i]), NULL), TL_OK);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct err e = {0};
        if (claims_check(str_of(wrong[i]), &e) != TL_E_BUG)
            fail_msg("\"%s\" passes for a claim", wrong[i]);
        assert_non_null(strstr(e.hint, "ROLE:GROUP"));
    }
}

static void roles_share_a_place(void **state)
{
    (void)state;
    str rest = STR("helpdesk|crm:crm,finance:money,crm:second"), group;
    assert_true(claims_next(&rest, TL_ROLE_CRM, &group));
    assert_str(group, "crm");
    assert_true(claims_next(&rest, TL_ROLE_CRM, &group));
    assert_str(group, "second");
    assert_false(claims_next(&rest, TL_ROLE_CRM, &group));
    rest = STR("helpdesk|crm:crm,finance:money");
    assert_true(claims_next(&rest, TL_ROLE_HELPDESK, &group));
    assert_str(group, "crm");
    assert_false(claims_next(&rest, TL_ROLE_HELPDESK, &group));
    rest = STR("helpdesk|crm:crm");
    assert_false(claims_next(&rest, TL_ROLE_TELEPHONY, &group));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_no_claim_is_refused),
                                       cmocka_unit_test(roles_share_a_place)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
