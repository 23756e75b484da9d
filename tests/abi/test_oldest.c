/* The frozen connector of each released minor runs in this host, in process and isolated, and says the same in both. */
#include "connector/rig.h"

static const char want[] = "account old-org \n"
                           "kind contact fields 1\n"
                           "record 0 1 values 1\ncheckpoint end complete 1\n"
                           "record 0 1 values 1\n"
                           "result 0 ok\n"
                           "record 0 hook-id values 0\n"
                           "finding NOTHING nothing to do\n";

static void run(enum isolation isolation)
{
    struct rig r;
    rig_start_http(&r);
    rig_install(&r, "oldest", isolation);
    assert_int_equal(rig_load(&r, "oldest"), TL_OK);
    rig_endpoint(&r, 1, "oldest", NULL);
    struct connector_info info;
    assert_true(runtime_connector_info(r.rt, "oldest", &info));
    assert_int_equal(info.manifest->auth->n_flows, 1);
    assert_int_equal(info.manifest->webhook->scheme, TL_HOOK_HMAC_SHA256);

    struct call *hook = rig_call(CALL_PARSE_HOOK);
    hook->request.hook.body = STR("hook-id");
    struct call *calls[] = {rig_call(CALL_CHECK),  rig_call(CALL_DISCOVER), rig_pull(1, ""),
                            rig_get("1"),          rig_push("1", NULL),     hook,
                            rig_call(CALL_PREPARE)};
    AUTO(buf_done) struct buf out = {0};
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        rig_run(&r, calls[i]);
        assert_int_equal(calls[i]->reply.status, TL_OK);
        rig_print(&out, &calls[i]->reply);
        call_free(calls[i]);
    }
    assert_string_equal(buf_text(&out), want);
    assert_int_equal(rig_unload(&r, "oldest", UNLOAD_DRAIN), TL_OK);
    assert_string_equal(r.words, "unloaded");
    rig_stop(&r);
}

static void test_in_process(void **state)
{
    (void)state;
    run(ISOLATION_INPROCESS);
}

static void test_isolated(void **state)
{
    (void)state;
    run(ISOLATION_WORKER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_process),
        cmocka_unit_test(test_isolated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
