/* Calls that do not come back, and workers that die: who says so, where it was, and what goes on. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"
#include "unit/loop_server.h"

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

static const char *refuse_at; /* "/token" or "/x" */

static void refusing(void *ctx, const struct loop_request *q, struct loop_reply *a)
{
    (void)ctx;
    bool refused = strncmp(q->target, refuse_at, strlen(refuse_at)) == 0;
    a->status = refused ? 403 : 200;
    a->body = refused ? "no" : "{\"access_token\":\"a-token\"}";
}

/* What the host asks a connector while it waits for its answer is the connector's work: that it serves a request
 * meanwhile does not hide the silence. */
static void test_hang_in_a_verdict(void **state)
{
    (void)state;
    static const char *const places[] = {"/x", "/token"};
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        refuse_at = places[i];
        struct loop_server *server = loop_start(refusing, NULL);
        char *url = loop_url(server, "");
        struct rig r;
        rig_start_http(&r);
        rig_install(&r, "echo_auth", ISOLATION_WORKER);
        assert_int_equal(rig_load(&r, "echo_auth"), TL_OK);
        rig_endpoint(&r, 1, "echo_auth", "base_url", url, "token", "secret", NULL);
        struct call *c = rig_get("http");
        rig_submit(&r, c);
        rig_until(&r, (rig_advance(&r, 100000), rig_finished(c)));
        assert_true(c->reply.crashed);
        assert_string_equal(c->reply.error.text, "get of contact hangs: it gave no sign of life for 60 s and did not "
                                                 "heed being cancelled");
        call_free(c);
        rig_stop(&r);
        loop_stop(server);
        free(url);
    }
}

/* The end of a worker is its own, not that of its sockets, which may lie with somebody else. */
static void test_sockets_outlive_it(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r);
    rig_install(&r, "hostile", ISOLATION_WORKER);
    assert_int_equal(rig_load(&r, "hostile"), TL_OK);
    rig_endpoint(&r, 1, "hostile", "how", "hold", NULL);
    struct call *c = rig_run(&r, rig_pull(0, ""));
    assert_true(c->reply.crashed);
    struct connector_info info;
    runtime_connector_info(r.rt, "hostile", &info);
    assert_string_equal(info.error->text, "the worker of connector \"hostile\" died: exit status 4, in pull of contact "
                                          "of endpoint \"ep1\" before the first record");
    call_free(c);
    rig_until(&r, (rig_advance(&r, 100000), rig_state(&r, "hostile") == RUN_RUNNING));
    rig_stop(&r);
}

/* A call that comes to a worker nobody has seen die waits for the next one. */
static void test_dead_before_the_call(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r);
    rig_install(&r, "echo", ISOLATION_WORKER);
    assert_int_equal(rig_load(&r, "echo"), TL_OK);
    rig_endpoint(&r, 1, "echo", NULL);
    call_free(rig_run(&r, rig_get("a")));
    struct connector_info info;
    runtime_connector_info(r.rt, "echo", &info);
    assert_int_equal(kill(info.pid, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)info.pid, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
    struct call *c = rig_get("a");
    rig_submit(&r, c);
    rig_until(&r, (rig_advance(&r, 100000), rig_finished(c)));
    assert_int_equal(c->reply.status, TL_OK);
    call_free(c);
    runtime_connector_info(r.rt, "echo", &info);
    assert_int_equal(info.crashes, 1);
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
        cmocka_unit_test(test_where_it_died),      cmocka_unit_test(test_hang_in_a_verdict),
        cmocka_unit_test(test_sockets_outlive_it), cmocka_unit_test(test_dead_before_the_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
