/* Which deliveries are one and the same: by each rule a connector can declare. */
#include "unit/unit.h"

#include "hook_key.h"

static const tl_pair form[] = {{TL_STR("content-type"), TL_STR("application/x-www-form-urlencoded; charset=utf-8")}};
static const tl_pair named[] = {{TL_STR("x-delivery"), TL_STR("d-1")}};

static tl_hook_request request(const char *method, const char *query, const char *body)
{
    return (tl_hook_request){
        .struct_size = sizeof(tl_hook_request), .method = str_of(method), .query = str_of(query), .body = str_of(body)};
}

static void assert_key(int32_t rule, const char *name, const tl_hook_request *r, const char *want)
{
    AUTO(arena_done) struct arena a = {0};
    str key = hook_key(rule, str_of(name), r, &a);
    assert_int_equal(key.n, strlen(want));
    assert_memory_equal(key.p ? key.p : "", want, key.n);
}

/* Where nobody says what tells deliveries apart, two that look alike may be two calls of the same person. */
static void without_a_rule_every_delivery_counts(void **state)
{
    (void)state;
    tl_hook_request r = request("POST", "source=x", "{\"caller\":\"380\"}");
    assert_key(TL_HOOK_KEY_ID, NULL, &r, "");
    assert_key(TL_HOOK_KEY_ID, "x-delivery", &r, "");
    assert_key(77, NULL, &r, "");
    r.headers = named;
    r.n_headers = 1;
    assert_key(TL_HOOK_KEY_ID, "X-Delivery", &r, "d-1");
    assert_key(TL_HOOK_KEY_BODY, "X-Delivery", &r, "d-1");
}

static void by_all_that_was_sent(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena a = {0};
    const tl_hook_request all[] = {request("POST", "", "ab"), request("POST", "a", "b"), request("POST", "ab", ""),
                                   request("GET", "ab", ""),  request("PUT", "", "ab"),  request("POST", "", "")};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        for (size_t k = 0; k < ARRAY_LEN(all); k++) {
            str one = hook_key(TL_HOOK_KEY_BODY, (str){0}, &all[i], &a);
            str other = hook_key(TL_HOOK_KEY_BODY, (str){0}, &all[k], &a);
            assert_true(one.n > 0);
            assert_int_equal(str_eq(one, other), i == k);
        }
}

static void by_a_parameter(void **state)
{
    (void)state;
    tl_hook_request r = request("GET", "token=t&event=e%201&eventx=2", "");
    assert_key(TL_HOOK_KEY_PARAM, "event", &r, "e%201");
    assert_key(TL_HOOK_KEY_PARAM, "other", &r, "");
    assert_key(TL_HOOK_KEY_PARAM, NULL, &r, "");
    r = request("POST", "token=t", "a=1&event=7");
    assert_key(TL_HOOK_KEY_PARAM, "event", &r, ""); /* not said to be a form */
    r.headers = form;
    r.n_headers = 1;
    assert_key(TL_HOOK_KEY_PARAM, "event", &r, "7");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_rule_every_delivery_counts),
        cmocka_unit_test(by_all_that_was_sent),
        cmocka_unit_test(by_a_parameter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
