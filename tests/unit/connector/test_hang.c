/* Calls that do not come back, and workers that die: who says so, where it was, and what goes on. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "rig.h"

static struct call *begin(struct rig *r, enum isolation isolation, const char *how)
{
    rig_start(r);
    rig_install(r, "faulty", isolation);
    assert_int_equal(rig_load(r, "faulty"), TL_OK);
    rig_endpoint(r, 1, "faulty", "how", how, NULL);
    struct call *c = rig_pull(0, "");
    rig_submit(r, c);
    usleep(100000); /* real time, for the connector to begin: the clock of the runtime stands still meanwhile */
    return c;
}

static void seconds(struct rig *r, int n)
{
    for (int i = 0; i < n; i++) {
        rig_advance(r, 1000000);
        mailbox_run(r->box, 0);
    }
}

/* Q: a call that never returns is noticed. Sixty seconds of silence, ten of grace, then its worker goes. */
static void test_hang_in_a_worker(void **state)
{
    (void)state;
    static const char *const hows[] = {"hang", "spin"};
    for (size_t i = 0; i < ARRAY_LEN(hows); i++) {
        struct rig r;
        struct call *c = begin(&r, ISOLATION_WORKER, hows[i]);
        seconds(&r, 65);
        assert_false(rig_finished(c));
        seconds(&r, 10);
        rig_wait(&r, c);
        assert_int_equal(c->reply.status, TL_E_TEMPORARY);
        assert_true(c->reply.crashed);
        assert_string_equal(c->reply.error.code, "PLUGIN_HANG");
        assert_string_equal(c->reply.error.text, "pull of contact hangs: it gave no sign of life for 60 s and did not "
                                                 "heed being cancelled");
        struct connector_info info;
        runtime_connector_info(r.rt, "faulty", &info);
        assert_int_equal(info.crashes, 1);
        assert_string_equal(
            info.error->text,
            "the worker of connector \"faulty\" died: signal 9 (Killed), in pull of contact of endpoint "
            "\"ep1\" before the first record: it gave no sign of life for 60 s and did not heed being "
            "cancelled");
        call_free(c);
        rig_until(&r, (rig_advance(&r, 100000), rig_state(&r, "faulty") == RUN_RUNNING));
        c = rig_run(&r, rig_get("a"));
        assert_int_equal(c->reply.status, TL_OK);
        call_free(c);
        rig_stop(&r);
    }
}

/* In process nothing can be cut: the call ends for the engine, the instance is not used again, the rest goes on. */
static void test_hang_in_process(void **state)
{
    (void)state;
    struct rig r;
    char how[64], release[48];
    snprintf(release, sizeof release, "/tmp/tieline-hang-%d", (int)getpid());
    snprintf(how, sizeof how, "hang until %s", release);
    struct call *c = begin(&r, ISOLATION_INPROCESS, how);
    seconds(&r, 75);
    rig_wait(&r, c);
    assert_int_equal(c->reply.status, TL_E_TEMPORARY);
    assert_string_equal(c->reply.error.code, "PLUGIN_HANG");
    call_free(c);
    struct dispatcher *d = runtime_dispatcher(r.rt);
    assert_int_equal(d->room(d->ctx, 1, TL_PURPOSE_BULK), 0);
    c = rig_run(&r, rig_pull(0, "")); /* not queued behind it for ever */
    assert_int_equal(c->reply.status, TL_E_TEMPORARY);
    assert_string_equal(c->reply.error.text, "a call of the connector hangs");
    call_free(c);
    c = rig_run(&r, rig_get("a")); /* another instance */
    assert_int_equal(c->reply.status, TL_OK);
    call_free(c);
    struct connector_info info;
    runtime_connector_info(r.rt, "faulty", &info);
    assert_non_null(strstr(info.error->text, "connector \"faulty\" hangs in pull of contact of endpoint \"ep1\""));
    close(open(release, O_CREAT | O_WRONLY, 0600));
    rig_until(&r, d->room(d->ctx, 1, TL_PURPOSE_BULK) == 1); /* it came back: a new instance may be made */
    unlink(release);
    rig_stop(&r);
}

/* A drain does not wait for a read that hangs: three seconds after it was cancelled its worker is cut. */
static void test_reload_past_a_hang(void **state)
{
    (void)state;
    struct rig r;
    struct call *c = begin(&r, ISOLATION_WORKER, "hang");
    r.done = false;
    assert_int_equal(runtime_reload(r.rt, "faulty", UNLOAD_DRAIN, 0, rig_done, &r, NULL), TL_OK);
    rig_until(&r, (rig_advance(&r, 10000), r.done));
    assert_int_equal(r.done_status, TL_OK);
    assert_string_equal(r.words, "reloaded");
    rig_wait(&r, c);
    assert_true(r.mono_us < INT64_C(1000000000) + 30000000);
    call_free(c);
    struct connector_info info;
    runtime_connector_info(r.rt, "faulty", &info);
    assert_int_equal(info.crashes, 0); /* asked for, not met */
    rig_stop(&r);
}

static void test_reload_modes(void **state)
{
    (void)state;
    struct rig r;
    struct call *c = begin(&r, ISOLATION_WORKER, "hang");
    struct err e = {0};
    assert_int_equal(runtime_reload(r.rt, "faulty", UNLOAD_SOFT, 0, rig_done, &r, &e), E_BUSY);
    r.done = false;
    assert_int_equal(runtime_reload(r.rt, "faulty", UNLOAD_KILL, 0, rig_done, &r, &e), TL_OK);
    rig_wait_done(&r);
    assert_int_equal(r.done_status, TL_OK);
    rig_wait(&r, c);
    call_free(c);
    rig_stop(&r);
}

static void test_where_it_died(void **state)
{
    (void)state;
    struct rig r;
    struct call *c = begin(&r, ISOLATION_WORKER, "crash");
    rig_wait(&r, c);
    assert_true(c->reply.crashed);
    assert_string_equal(c->reply.error.text, "the connector's worker died in pull of contact after 4 records and 0 "
                                             "pages, the last one \"d\"");
    struct connector_info info;
    runtime_connector_info(r.rt, "faulty", &info);
    assert_string_equal(info.error->text,
                        "the worker of connector \"faulty\" died: signal 6 (Aborted), in pull of "
                        "contact of endpoint \"ep1\" after 4 records and 0 pages, the last one \"d\"");
    call_free(c);
    rig_until(&r, (rig_advance(&r, 100000), rig_state(&r, "faulty") == RUN_RUNNING));
    c = rig_run(&r, rig_push("1", "2", NULL));
    assert_string_equal(c->reply.error.text, "the connector's worker died in push of contact with 2 records (\"1\", "
                                             "\"2\"), 0 of them answered");
    call_free(c);
    rig_stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hang_in_a_worker),   cmocka_unit_test(test_hang_in_process),
        cmocka_unit_test(test_reload_past_a_hang), cmocka_unit_test(test_reload_modes),
        cmocka_unit_test(test_where_it_died),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
