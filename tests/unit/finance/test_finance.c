/* The connector's pure parts: where a page of a list begins, and what the vendor's refusals mean. */
#include "unit/unit.h"

#include "finance.h"

/* A page asked for behind a place holds the row before it, and something new. */
static void test_pages_overlap(void **state)
{
    (void)state;
    for (uint32_t size = 2; size <= FIN_PAGE; size = size * 3 / 2 + 1) {
        for (int64_t at = 1; at < 3000; at++) {
            int64_t page, per_page;
            fin_walk_ask(at, size, &page, &per_page);
            int64_t start = (page - 1) * per_page, end = page * per_page;
            assert_true(per_page >= 2 && per_page <= (size > 12 ? size : 12));
            assert_true(start <= at - 1 && end > at);
        }
    }
    int64_t page, per_page;
    fin_walk_ask(0, 25, &page, &per_page);
    assert_true(page == 1 && per_page == 25);
    fin_walk_ask(200, 200, &page, &per_page); /* 195 a page: five rows twice */
    assert_true(page == 2 && per_page == 195);
}

static tl_status judge(int32_t http, const char *body, tl_error *e)
{
    TLK_AUTO_JSON j = {0};
    *e = (tl_error){.struct_size = sizeof *e};
    return tlk_error_of(&fin_errors, http, tlk_json_read(&j, tlk_str(body)), 0, e);
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        int32_t http;
        const char *code, *message;
        tl_status status;
        int32_t reason;
        const char *field;
    } all[] = {
        {429, "44", "For security reasons", TL_E_THROTTLED, TL_R_OTHER, ""},
        {429, "45", "You have exceeded", TL_E_QUOTA, TL_R_OTHER, ""},
        {429, "1070", "in process requests", TL_E_THROTTLED, TL_R_OTHER, ""},
        {429, "77", "something new", TL_E_THROTTLED, TL_R_OTHER, ""},
        {500, "1000", "Internal error", TL_E_TEMPORARY, TL_R_OTHER, ""},
        {502, "2", "Invalid value passed for x", TL_E_TEMPORARY, TL_R_OTHER, ""},
        {401, "57", "You are not authorized", TL_E_AUTH, TL_R_PERMISSION, ""},
        {400, "57", "You are not authorized", TL_E_AUTH, TL_R_PERMISSION, ""},
        {401, "14", "Invalid value passed for authtoken.", TL_E_AUTH, TL_R_OTHER, ""},
        {404, "1002", "Invoice does not exist.", TL_E_NOT_FOUND, TL_R_PARAM_INVALID, ""},
        {400, "1002", "Contact does not exist.", TL_E_NOT_FOUND, TL_R_PARAM_INVALID, ""},
        {400, "1002", "The tax is wrong", TL_E_INVALID, TL_R_OTHER, ""},
        {400, "2", "Invalid value passed for Payment Terms", TL_E_INVALID, TL_R_TYPE_MISMATCH, "payment_terms"},
        {400, "4", "Invalid value passed for credit_limit.", TL_E_INVALID, TL_R_TYPE_MISMATCH, "credit_limit"},
        {400, "2", "Invalid value passed for Tax Treatment", TL_E_INVALID, TL_R_PARAM_INVALID, "tax_treatment"},
        {400, "2", "Invalid value passed for Organization Id", TL_E_CONFIG, TL_R_OTHER, ""},
        {400, "6041", "This user is not associated", TL_E_CONFIG, TL_R_OTHER, ""},
        {400, "5", "Please enter the Contact Name.", TL_E_INVALID, TL_R_REQUIRED_MISSING, ""},
        {400, "9", "customer_id is required", TL_E_INVALID, TL_R_REQUIRED_MISSING, ""},
        {400, "2", "Please enter a valid email address", TL_E_INVALID, TL_R_PARAM_INVALID, ""},
        {404, "5", "Invalid URL Passed", TL_E_UNSUPPORTED, TL_R_PARAM_INVALID, ""},
        {400, "3062", "The customer \"A\" already exists.", TL_E_INVALID, TL_R_ALREADY_MAPPED, ""},
        {400, "4823", "cannot be modified in its current status", TL_E_INVALID, TL_R_LOCKED, ""},
        {0, "99", "a refusal in a good answer", TL_E_INVALID, TL_R_OTHER, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        TLK_AUTO_WRITER w = {0};
        tl_error e;
        tlk_w_object(&w);
        tlk_w_key(&w, TL_STR("code"));
        tlk_w_raw(&w, tlk_str(all[i].code));
        tlk_w_member(&w, "message", tlk_str(all[i].message));
        tlk_w_end_object(&w);
        tl_status status = judge(all[i].http, tlk_lent(&w.b).p, &e);
        if (status != all[i].status || e.reason != all[i].reason || strcmp(e.field, all[i].field) != 0)
            fail_msg("%d %s \"%s\": status %d, reason %d, field \"%s\"", (int)all[i].http, all[i].code, all[i].message,
                     (int)status, (int)e.reason, e.field);
        assert_true(status == TL_E_CONFIG || strstr(e.text, all[i].message)); /* the vendor's words are kept */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pages_overlap), cmocka_unit_test(test_refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
