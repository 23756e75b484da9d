/* Load, unload, reload: what each may become, and that nothing is left behind. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "remote_int.h"
#include "rig.h"

static void begin(struct rig *r, enum isolation isolation)
{
    rig_start(r);
    rig_install(r, "echo", isolation);
    assert_int_equal(rig_load(r, "echo"), TL_OK);
    rig_endpoint(r, 1, "echo", NULL);
}

static struct call *hanging_pull(void)
{
    struct call *c = rig_pull(0, "");
    c->request.pull.view = STR("hang");
    return c;
}

static void test_manifest_outlives(void **state)
{
    (void)state;
    for (int mode = ISOLATION_WORKER; mode <= ISOLATION_INPROCESS; mode++) {
        struct rig r;
        begin(&r, (enum isolation)mode);
        assert_int_equal(rig_unload(&r, "echo", UNLOAD_SOFT), TL_OK);
        struct connector_info info;
        runtime_connector_info(r.rt, "echo", &info);
        assert_int_equal(info.state, RUN_NOT_LOADED);
        assert_false(info.still_mapped);
        assert_string_equal(info.manifest->name, "Echo");
        assert_int_equal(info.manifest->role, TL_ROLE_CRM);
        assert_string_equal(info.manifest->claims, "helpdesk|crm:desk");
        assert_int_equal(info.manifest->n_options, 6);
        assert_true(info.manifest->hook_parse);
        assert_true(info.manifest->prepare);
        assert_null(info.manifest->auth);
        assert_int_equal(strlen(info.sha256), 64);
        rig_stop(&r);
    }
}

static void test_unload_words(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r);
    rig_install(&r, "echo", ISOLATION_INPROCESS);
    rig_install(&r, "keeper", ISOLATION_INPROCESS);
    assert_int_equal(rig_load(&r, "echo"), TL_OK);
    assert_int_equal(rig_unload(&r, "echo", UNLOAD_DRAIN), TL_OK);
    assert_string_equal(r.words, "unloaded");
    assert_int_equal(rig_load(&r, "keeper"), TL_OK);
    assert_int_equal(rig_unload(&r, "keeper", UNLOAD_DRAIN), TL_OK);
    assert_string_equal(r.words, "unloaded, still mapped");
    struct connector_info info;
    runtime_connector_info(r.rt, "keeper", &info);
    assert_true(info.still_mapped);
    rig_stop(&r);
}

static void test_soft_refuses_when_busy(void **state)
{
    (void)state;
    struct rig r;
    begin(&r, ISOLATION_WORKER);
    struct call *c = hanging_pull();
    rig_submit(&r, c);
    assert_int_equal(rig_unload(&r, "echo", UNLOAD_SOFT), E_BUSY);
    assert_string_equal(r.err.text, "connector \"echo\" is at work: 1 calls run, 0 wait");
    assert_int_equal(rig_state(&r, "echo"), RUN_RUNNING);
    runtime_dispatcher(r.rt)->cancel(r.rt, c);
    rig_wait(&r, c);
    call_free(c);
    rig_stop(&r);
}

/* Reads are cut, pushes are waited for: until the deadline, and then the connector goes on. */
static void drain_waits_for_push(enum isolation isolation)
{
    struct rig r;
    begin(&r, isolation);
    call_free(rig_run(&r, rig_get("a"))); /* a worker of its own is up */
    struct call *read = hanging_pull();
    read->purpose = TL_PURPOSE_AGENT;
    struct call *push = rig_push("hang", NULL);
    struct call *queued = rig_push("1", NULL);
    rig_submit(&r, read);
    rig_submit(&r, push);
    rig_submit(&r, queued);
    r.done = false;
    assert_int_equal(runtime_unload(r.rt, "echo", UNLOAD_DRAIN, 5000000, rig_done, &r, &r.err), TL_OK);
    rig_wait(&r, queued);
    assert_int_equal(queued->reply.status, TL_E_TEMPORARY);
    rig_wait(&r, read);
    assert_int_equal(read->reply.status, TL_E_CANCELLED);
    assert_int_equal(rig_state(&r, "echo"), RUN_UNLOADING);
    assert_false(rig_finished(push));
    struct call *late = rig_run(&r, rig_get("late")); /* nothing new begins meanwhile */
    assert_int_equal(late->reply.status, TL_E_TEMPORARY);
    rig_advance(&r, 6000000);
    rig_wait_done(&r);
    assert_int_equal(r.done_status, E_BUSY);
    assert_string_equal(r.err.text, "connector \"echo\" has 1 calls in flight");
    assert_int_equal(rig_state(&r, "echo"), RUN_RUNNING);

    runtime_dispatcher(r.rt)->cancel(r.rt, push);
    rig_wait(&r, push);
    assert_int_equal(push->reply.status, TL_E_CANCELLED);
    call_free(late);
    late = rig_run(&r, rig_get("a"));
    assert_int_equal(late->reply.status, TL_OK);
    call_free(late);
    call_free(read);
    call_free(push);
    call_free(queued);
    assert_int_equal(rig_unload(&r, "echo", UNLOAD_DRAIN), TL_OK);
    rig_stop(&r);
}

static void test_drain(void **state)
{
    (void)state;
    drain_waits_for_push(ISOLATION_INPROCESS);
    drain_waits_for_push(ISOLATION_WORKER);
    drain_waits_for_push(ISOLATION_ENDPOINT);
}

static void test_kill(void **state)
{
    (void)state;
    struct rig r;
    begin(&r, ISOLATION_WORKER);
    struct call *push = rig_push("1", "hang", NULL);
    rig_submit(&r, push);
    assert_int_equal(rig_unload(&r, "echo", UNLOAD_KILL), TL_OK);
    assert_true(rig_finished(push));
    /* Cancelled in time or killed: in no case is it called a success. */
    assert_true(push->reply.status == TL_E_UNKNOWN || push->reply.status == TL_E_CANCELLED ||
                push->reply.status == TL_E_TEMPORARY);
    assert_string_equal(r.words, "unloaded");
    call_free(push);
    rig_stop(&r);
}

static void test_reload(void **state)
{
    (void)state;
    for (int mode = ISOLATION_WORKER; mode <= ISOLATION_INPROCESS; mode++) {
        struct rig r;
        begin(&r, (enum isolation)mode);
        call_free(rig_run(&r, rig_get("a")));
        assert_int_equal(rig_reload(&r, "echo"), TL_OK);
        assert_string_equal(r.words, "reloaded");
        struct call *c = rig_run(&r, rig_get("b"));
        assert_int_equal(c->reply.status, TL_OK);
        call_free(c);

        rig_copy(&r, "bad_magic", "echo"); /* not admitted: the old one goes on */
        assert_int_equal(rig_reload(&r, "echo"), TL_E_UNSUPPORTED);
        assert_int_equal(rig_state(&r, "echo"), RUN_RUNNING);
        c = rig_run(&r, rig_get("c"));
        assert_int_equal(c->reply.status, TL_OK);
        call_free(c);
        rig_stop(&r);
    }
}

static void test_disable(void **state)
{
    (void)state;
    struct rig r;
    begin(&r, ISOLATION_WORKER);
    struct err e = {0};
    assert_int_equal(runtime_connector_disable(r.rt, "echo", true, &e), TL_OK);
    assert_int_equal(rig_unload(&r, "echo", UNLOAD_DRAIN), TL_OK);
    assert_int_equal(rig_state(&r, "echo"), RUN_DISABLED);
    assert_int_equal(rig_load(&r, "echo"), E_PRECONDITION);
    assert_string_equal(r.err.text, "connector \"echo\" is disabled");
    struct call *c = rig_run(&r, rig_get("a"));
    assert_int_equal(c->reply.status, TL_E_TEMPORARY);
    call_free(c);
    runtime_connector_disable(r.rt, "echo", false, &e);
    assert_int_equal(rig_load(&r, "echo"), TL_OK);
    rig_stop(&r);
}

/* Disabled while a load is under way, or the drain of a reload: it ends not loaded, and whoever loads is told. */
static void test_disable_meanwhile(void **state)
{
    (void)state;
    for (int mode = ISOLATION_WORKER; mode <= ISOLATION_INPROCESS; mode++) {
        struct rig r;
        struct err e = {0};
        rig_start(&r);
        rig_install(&r, "echo", (enum isolation)mode);
        rig_endpoint(&r, 1, "echo", NULL);
        assert_int_equal(runtime_load(r.rt, "echo", rig_done, &r, &e), TL_OK);
        assert_int_equal(rig_state(&r, "echo"), RUN_LOADING);
        assert_int_equal(runtime_connector_disable(r.rt, "echo", true, &e), TL_OK);
        rig_wait_done(&r);
        assert_int_equal(r.done_status, E_PRECONDITION);
        assert_string_equal(r.err.text, "connector \"echo\" was disabled meanwhile");
        assert_int_equal(rig_state(&r, "echo"), RUN_DISABLED);

        assert_int_equal(runtime_connector_disable(r.rt, "echo", false, &e), TL_OK);
        assert_int_equal(rig_load(&r, "echo"), TL_OK);
        struct call *push = rig_push("hang", NULL);
        rig_submit(&r, push);
        r.done = false;
        assert_int_equal(runtime_reload(r.rt, "echo", UNLOAD_DRAIN, 0, rig_done, &r, &e), TL_OK);
        rig_until(&r, rig_state(&r, "echo") == RUN_UNLOADING);
        assert_int_equal(runtime_connector_disable(r.rt, "echo", true, &e), TL_OK);
        runtime_dispatcher(r.rt)->cancel(r.rt, push);
        rig_wait_done(&r);
        assert_int_equal(r.done_status, E_PRECONDITION);
        assert_int_equal(rig_state(&r, "echo"), RUN_DISABLED);
        assert_true(rig_finished(push));
        call_free(push);
        rig_stop(&r);
    }
}

static void test_idle_instances_close(void **state)
{
    (void)state;
    for (int mode = ISOLATION_WORKER; mode <= ISOLATION_INPROCESS; mode++) {
        struct rig r;
        begin(&r, (enum isolation)mode);
        call_free(rig_run(&r, rig_get("a")));
        call_free(rig_run(&r, rig_pull(1, "")));
        struct endpoint_info info;
        assert_true(runtime_endpoint_info(r.rt, 1, &info));
        assert_int_equal(info.instances, 2);
        rig_advance(&r, 61000000);
        rig_until(&r, (runtime_endpoint_info(r.rt, 1, &info), info.instances == 0));
        struct call *c = rig_run(&r, rig_get("b"));
        assert_int_equal(c->reply.status, TL_OK);
        call_free(c);
        rig_stop(&r);
    }
}

static void test_endpoint_states(void **state)
{
    (void)state;
    struct rig r;
    begin(&r, ISOLATION_INPROCESS);
    rig_endpoint(&r, 2, "echo", "records", "many", NULL);
    struct endpoint_info info;
    assert_true(runtime_endpoint_info(r.rt, 2, &info));
    assert_int_equal(info.state, RUN_MISCONFIGURED);
    assert_string_equal(info.error->text, "\"records\" is \"many\", which is no number");
    struct call *c = rig_get("a");
    c->endpoint = 2;
    c = rig_run(&r, c);
    assert_int_equal(c->reply.status, TL_E_CONFIG);
    call_free(c);
    rig_endpoint(&r, 2, "echo", "records", "7", NULL);
    assert_true(runtime_endpoint_info(r.rt, 2, &info));
    assert_int_equal(info.state, RUN_RUNNING);
    struct call *busy = hanging_pull();
    rig_submit(&r, busy);
    runtime_endpoint_remove(r.rt, 1);
    rig_wait(&r, busy);
    assert_int_equal(busy->reply.status, TL_E_CANCELLED);
    call_free(busy);
    rig_until(&r, !runtime_endpoint_info(r.rt, 1, &info));
    c = rig_run(&r, rig_get("a"));
    assert_int_equal(c->reply.status, TL_E_NOT_FOUND);
    call_free(c);
    rig_stop(&r);
}

/* Nothing of a connector stays: no descriptor, no thread, no process, no mapping. */
static void many_times(enum isolation isolation, int rounds)
{
    struct rig r;
    begin(&r, isolation);
    assert_int_equal(rig_unload(&r, "echo", UNLOAD_DRAIN), TL_OK);
    int fds = rig_open_fds();
    int threads = rig_threads();
    for (int i = 0; i < rounds; i++) {
        assert_int_equal(rig_load(&r, "echo"), TL_OK);
        struct call *c = rig_run(&r, rig_get("a"));
        assert_int_equal(c->reply.status, TL_OK);
        call_free(c);
        assert_int_equal(rig_unload(&r, "echo", UNLOAD_DRAIN), TL_OK);
        assert_string_equal(r.words, "unloaded");
    }
    assert_int_equal(rig_open_fds(), fds);
    rig_until(&r, rig_threads() <= threads); /* the kernel lists a joined thread for a moment longer */
    rig_stop(&r);
}

static void test_many_times(void **state)
{
    (void)state;
    many_times(ISOLATION_INPROCESS, 100);
    many_times(ISOLATION_WORKER, 20);
    many_times(ISOLATION_ENDPOINT, 10);
}

static void test_stop_with_calls_in_flight(void **state)
{
    (void)state;
    struct rig r;
    begin(&r, ISOLATION_WORKER);
    struct call *push = rig_push("hang", NULL);
    struct call *read = hanging_pull();
    read->purpose = TL_PURPOSE_LIVE;
    rig_submit(&r, push);
    rig_submit(&r, read);
    rig_until(&r, __atomic_load_n(&r.metric_total, __ATOMIC_RELAXED) == 1); /* the push is inside the connector */
    runtime_stop(r.rt, r.mono_us + 2000000);
    rig_wait(&r, read);
    assert_false(rig_finished(push));
    rig_advance(&r, 3000000); /* the deadline cuts it */
    rig_wait(&r, push);
    /* Cancelled and cut at once: it either says itself that it did nothing, or nobody knows. */
    assert_true(push->reply.status == TL_E_UNKNOWN || push->reply.status == TL_E_CANCELLED);
    rig_until(&r, runtime_stopped(r.rt));
    call_free(push);
    call_free(read);
    rig_stop(&r);
}

/* A worker inherits nothing: standard streams, the control channel and the instance's own, no environment. */
static void test_worker_inherits_nothing(void **state)
{
    (void)state;
    struct rig r;
    begin(&r, ISOLATION_WORKER);
    setenv("TIELINE_TEST_SECRET", "do-not-pass-on", 1);
    struct call *c = rig_run(&r, rig_get("cell"));
    AUTO(buf_done) struct buf out = {0};
    rig_print(&out, &c->reply);
    assert_string_equal(buf_text(&out), "record 0 files 5 env 0 nnp 1 dump 0 core 0 values 5\n");
    call_free(c);
    unsetenv("TIELINE_TEST_SECRET");
    rig_stop(&r);
}

/* The daemon is gone, by whatever death: its workers end, also one that is inside a call. */
static void test_worker_ends_with_the_daemon(void **state)
{
    (void)state;
    struct rig r;
    begin(&r, ISOLATION_WORKER);
    struct connector_info info;
    assert_true(runtime_connector_info(r.rt, "echo", &info));
    char staged[512];
    snprintf(staged, sizeof staged, "%s/connectors/echo-%s.so", r.state, info.sha256);
    struct worker *w = NULL;
    struct manifest *m = NULL;
    struct err e = {0};
    const struct worker_wish wish = {
        .program = WORKER_PATH, .directory = "/", .id = "echo", .cell = {.module = staged}};
    assert_int_equal(worker_start(&w, &m, &wish, &e), TL_OK);
    shutdown(w->control.fd, SHUT_RDWR);
    char how[64];
    worker_wait(w, how, sizeof how);
    assert_string_equal(how, "exit status 0");
    worker_free(w);
    manifest_free(m);
    rig_stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_manifest_outlives),
        cmocka_unit_test(test_unload_words),
        cmocka_unit_test(test_soft_refuses_when_busy),
        cmocka_unit_test(test_drain),
        cmocka_unit_test(test_kill),
        cmocka_unit_test(test_reload),
        cmocka_unit_test(test_disable),
        cmocka_unit_test(test_disable_meanwhile),
        cmocka_unit_test(test_idle_instances_close),
        cmocka_unit_test(test_endpoint_states),
        cmocka_unit_test(test_many_times),
        cmocka_unit_test(test_stop_with_calls_in_flight),
        cmocka_unit_test(test_worker_inherits_nothing),
        cmocka_unit_test(test_worker_ends_with_the_daemon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
