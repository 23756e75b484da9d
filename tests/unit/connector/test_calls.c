/* Calls through the runtime, in process and isolated: the same transcripts, budgets, cancellation, services, crashes.
 */
#include <signal.h>
#include <stdlib.h>

#include "rig.h"

static void assert_printed(const struct call *c, const char *want)
{
    AUTO(buf_done) struct buf out = {0};
    rig_print(&out, &c->reply);
    assert_string_equal(buf_text(&out), want);
}

static void begin(struct rig *r, enum isolation isolation)
{
    rig_start(r);
    rig_install(r, "echo", isolation);
    assert_int_equal(rig_load(r, "echo"), TL_OK);
    rig_endpoint(r, 1, "echo", "token", "s3cret-value", NULL);
}

static struct call *subscribe_call(void)
{
    struct call *c = rig_call(CALL_SUBSCRIBE);
    c->request.subscribe.url = STR("https://hooks.example.com/1");
    return c;
}

static struct call *hook_call(void)
{
    struct call *c = rig_call(CALL_PARSE_HOOK);
    c->request.hook.body = STR("rec-9");
    return c;
}

/* A delivery by GET to an endpoint that keeps what comes of one kind. */
static struct call *kept_call(void)
{
    struct call *c = rig_get("x");
    const tl_shape *shape = c->request.get.shape;
    c->kind = CALL_PARSE_HOOK;
    c->request.hook = (tl_hook_request){.struct_size = sizeof c->request.hook,
                                        .method = STR("GET"),
                                        .query = STR("call=7&x=%20"),
                                        .body = STR("rec-7"),
                                        .n_shapes = 1,
                                        .shape_stride = sizeof *shape,
                                        .shapes = shape};
    return c;
}

static struct call *find_call(void)
{
    struct call *c = rig_get("x");
    const tl_shape *shape = c->request.get.shape;
    c->kind = CALL_FIND;
    tl_query *q = arena_array(&c->arena, tl_query, 2);
    q[0] = (tl_query){STR("email"), STR("a@example.com")};
    q[1] = (tl_query){STR("email"), STR("b@example.com")};
    c->request.find =
        (tl_find){.struct_size = sizeof c->request.find, .n_queries = 2, .shape = shape, .queries = q, .limit = 3};
    return c;
}

static struct call *check_call(void)
{
    struct call *c = rig_call(CALL_CHECK);
    tl_str *kinds = arena_array(&c->arena, tl_str, 1);
    kinds[0] = STR("contact");
    c->request.check.kinds = kinds;
    c->request.check.n_kinds = 1;
    return c;
}

enum { SCRIPT_CALLS = 14 };

static void run_script(struct rig *r, struct call **calls)
{
    struct call *script[SCRIPT_CALLS] = {
        check_call(),
        rig_call(CALL_DISCOVER),
        rig_pull(0, ""),
        rig_pull(2, "4"),
        rig_get("a"),
        find_call(),
        rig_push("1", "refuse", "omit", "2", NULL),
        rig_push("twice", NULL),
        hook_call(),
        subscribe_call(),
        rig_call(CALL_UNSUBSCRIBE),
        rig_call(CALL_PREPARE),
        rig_pull(0, "-1"),
        rig_get("blob"),
    };
    for (int i = 0; i < SCRIPT_CALLS; i++)
        calls[i] = rig_run(r, script[i]);
}

/* A connector answers the same bytes wherever it runs. */
static void test_transcripts_identical(void **state)
{
    (void)state;
    struct call *calls[3][SCRIPT_CALLS];
    for (int mode = 0; mode < 3; mode++) {
        struct rig r;
        begin(&r, (enum isolation)mode);
        run_script(&r, calls[mode]);
        rig_stop(&r);
    }
    for (int i = 0; i < SCRIPT_CALLS; i++) {
        const struct reply *a = &calls[0][i]->reply;
        for (int mode = 1; mode < 3; mode++) {
            const struct reply *b = &calls[mode][i]->reply;
            assert_int_equal(a->status, b->status);
            assert_int_equal(a->items.n, b->items.n);
            assert_memory_equal(a->items.p, b->items.p, a->items.n);
            assert_memory_equal(&a->error, &b->error, sizeof a->error);
        }
    }
    assert_printed(calls[0][0], "account org-1 Écho\nfinding KIND contact\nfinding SECRET \n");
    assert_printed(calls[0][1], "kind contact fields 2\n");
    assert_printed(calls[0][5], "record 0 found values 5\nrecord 1 found values 5\n");
    assert_printed(calls[0][6], "result 0 ok\nresult 1 invalid\nresult 3 ok\n");
    assert_printed(calls[0][7], "result 0 ok\n"); /* the second one was refused */
    assert_printed(calls[0][8], "record 0 rec-9 values 0\n");
    assert_printed(calls[0][9], "subscription https://hooks.example.com/1\n");
    assert_int_equal(calls[0][12]->reply.status, TL_E_CURSOR_LOST);
    assert_string_equal(calls[0][12]->reply.error.text, "this cursor is of no use");
    assert_printed(calls[0][13], "record 0 1:blob values 5\n");
    for (int mode = 0; mode < 3; mode++)
        for (int i = 0; i < SCRIPT_CALLS; i++)
            call_free(calls[mode][i]);
}

/* What is kept comes with its values; of a kind that is not kept a delivery is a hint, whatever it says. */
static void delivery_kept(enum isolation isolation)
{
    struct rig r;
    begin(&r, isolation);
    struct call *c = rig_run(&r, kept_call());
    assert_int_equal(c->reply.status, TL_OK);
    AUTO(reply_reader_done) struct reply_reader reader;
    reply_reader_init(&reader, &c->reply);
    struct item kept, hint;
    assert_true(reply_next(&reader, &kept));
    assert_true(str_eq(kept.u.record.kind, c->request.hook.shapes->kind));
    assert_true(str_is(kept.u.record.id, "rec-7"));
    assert_int_equal(kept.u.record.flags, TL_REC_FULL);
    assert_int_equal(kept.u.record.n_values, 1);
    assert_true(str_is(kept.u.record.values[0].u.s, "GET?call=7&x=%20"));
    assert_true(reply_next(&reader, &hint));
    assert_true(str_is(hint.u.record.kind, "stranger"));
    assert_int_equal(hint.u.record.flags, TL_REC_BAD | TL_REC_HINT);
    assert_int_equal(hint.u.record.n_values, 0);
    assert_false(reply_next(&reader, &hint));
    call_free(c);
    rig_stop(&r);
}

static void test_delivery_kept(void **state)
{
    (void)state;
    delivery_kept(ISOLATION_INPROCESS);
    delivery_kept(ISOLATION_WORKER);
}

static void page_budget(enum isolation isolation)
{
    struct rig r;
    begin(&r, isolation);
    struct call *c = rig_run(&r, rig_pull(1, ""));
    assert_int_equal(c->reply.status, TL_OK);
    assert_printed(c, "record 0 0 values 5\nrecord 0 1 values 5\nrecord 0 2 values 5\nrecord 0 3 values 5\n"
                      "checkpoint 4 complete 0\n");
    call_free(c);
    c = rig_run(&r, rig_pull(2, "4"));
    assert_int_equal(c->reply.status, TL_OK);
    assert_int_equal(rig_count(&c->reply, ITEM_CHECKPOINT), 2);
    assert_int_equal(rig_count(&c->reply, ITEM_RECORD), 6);
    call_free(c);
    assert_int_equal(__atomic_load_n(&r.metric_total, __ATOMIC_RELAXED), 3);
    rig_stop(&r);
}

static void test_page_budget(void **state)
{
    (void)state;
    page_budget(ISOLATION_INPROCESS);
    page_budget(ISOLATION_WORKER);
}

static void cancel_running(enum isolation isolation)
{
    struct rig r;
    begin(&r, isolation);
    struct call *c = rig_pull(0, "");
    c->request.pull.view = STR("hang");
    rig_submit(&r, c);
    struct call *queued = rig_pull(0, "");
    rig_submit(&r, queued);
    struct dispatcher *d = runtime_dispatcher(r.rt);
    assert_int_equal(d->room(d->ctx, 1, TL_PURPOSE_BULK), 0);
    assert_int_equal(d->room(d->ctx, 1, TL_PURPOSE_LIVE), 1);
    assert_int_equal(d->room(d->ctx, 1, TL_PURPOSE_AGENT), 4);
    d->cancel(d->ctx, queued);
    rig_wait(&r, queued);
    assert_int_equal(queued->reply.status, TL_E_CANCELLED);
    assert_false(rig_finished(c));
    d->cancel(d->ctx, c);
    rig_wait(&r, c);
    assert_int_equal(c->reply.status, TL_E_CANCELLED);
    assert_false(c->reply.crashed);
    call_free(c);
    call_free(queued);
    c = rig_run(&r, rig_get("still-usable"));
    assert_int_equal(c->reply.status, TL_OK);
    call_free(c);
    rig_stop(&r);
}

/* A secret that was removed: the endpoint says so and takes no new call at once, though one still runs with the old
 * one. */
static void test_problem_beside_a_running_call(void **state)
{
    (void)state;
    struct rig r;
    begin(&r, ISOLATION_INPROCESS);
    struct call *c = rig_pull(0, "");
    c->request.pull.view = STR("hang");
    rig_submit(&r, c);
    struct endpoint_config config = {
        .id = 1, .name = "ep1", .connector = "echo", .problem = "secret \"zoho\" is not set"};
    struct endpoint_info info;
    struct err e = {0};
    assert_int_equal(runtime_endpoint_set(r.rt, &config, &e), TL_OK);
    assert_true(runtime_endpoint_info(r.rt, 1, &info));
    assert_int_equal(info.running, 1);
    assert_int_equal(info.state, RUN_MISCONFIGURED);
    assert_string_equal(info.error->text, config.problem);
    struct call *refused = rig_run(&r, rig_get("a"));
    assert_int_equal(refused->reply.status, TL_E_CONFIG);
    struct dispatcher *d = runtime_dispatcher(r.rt);
    d->cancel(d->ctx, c);
    rig_wait(&r, c);
    call_free(c);
    call_free(refused);
    config.problem = NULL; /* and it is set again */
    assert_int_equal(runtime_endpoint_set(r.rt, &config, &e), TL_OK);
    c = rig_run(&r, rig_get("still-usable"));
    assert_int_equal(c->reply.status, TL_OK);
    call_free(c);
    rig_stop(&r);
}

static void test_cancel(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        cancel_running(ISOLATION_INPROCESS);
        cancel_running(ISOLATION_WORKER);
    }
}

/* A call past its deadline is cancelled by the tick; what ignores that is killed when a process can be. */
static void test_deadline(void **state)
{
    (void)state;
    struct rig r;
    begin(&r, ISOLATION_WORKER);
    struct call *c = rig_pull(0, "");
    c->request.pull.view = STR("hang");
    c->request.pull.deadline_us = r.now_us + 5000000;
    rig_submit(&r, c);
    rig_advance(&r, 4000000);
    assert_int_equal(mailbox_run(r.box, 0), 0);
    rig_advance(&r, 2000000);
    rig_wait(&r, c);
    assert_int_equal(c->reply.status, TL_E_CANCELLED);
    call_free(c);
    rig_stop(&r);
}

static void services(enum isolation isolation)
{
    struct rig r;
    begin(&r, isolation);
    struct call *c = rig_run(&r, rig_get("kv"));
    assert_printed(c, "record 0 nothing values 5\n");
    call_free(c);
    c = rig_run(&r, rig_get("kv"));
    assert_printed(c, "record 0 remembered values 5\n");
    call_free(c);
    rig_stop(&r);
}

static void test_services(void **state)
{
    (void)state;
    services(ISOLATION_INPROCESS);
    services(ISOLATION_WORKER);
}

/* A value that is not UTF-8 fails its record, not the page, and the reply says why. */
static void test_bad_record(void **state)
{
    (void)state;
    for (int mode = ISOLATION_WORKER; mode <= ISOLATION_INPROCESS; mode++) {
        struct rig r;
        rig_start(&r);
        rig_install(&r, "echo", (enum isolation)mode);
        assert_int_equal(rig_load(&r, "echo"), TL_OK);
        rig_endpoint(&r, 1, "echo", "bad_at", "1", "records", "3", NULL);
        struct call *c = rig_run(&r, rig_pull(0, ""));
        assert_printed(c,
                       "record 0 0 values 5\nrecord 0 1 bad: field \"x.f0\": the value is not UTF-8 text without NUL\n"
                       "record 0 2 values 5\ncheckpoint 3 complete 1\n");
        call_free(c);
        rig_stop(&r);
    }
}

static void test_open_refused(void **state)
{
    (void)state;
    for (int mode = ISOLATION_WORKER; mode <= ISOLATION_INPROCESS; mode++) {
        struct rig r;
        rig_start(&r);
        rig_install(&r, "echo", (enum isolation)mode);
        assert_int_equal(rig_load(&r, "echo"), TL_OK);
        rig_endpoint(&r, 1, "echo", "fail_open", "yes", NULL);
        struct call *c = rig_run(&r, rig_get("a"));
        assert_int_equal(c->reply.status, TL_E_CONFIG);
        assert_string_equal(c->reply.error.text, "told not to open");
        call_free(c);
        rig_endpoint(&r, 1, "echo", "fail_open", "no", NULL); /* mended at run time */
        rig_until(&r, mailbox_run(r.box, 0) == 0);
        c = rig_run(&r, rig_get("a"));
        assert_int_equal(c->reply.status, TL_OK);
        call_free(c);
        rig_stop(&r);
    }
}

/* ---- crashes ---- */

static void test_crash_in_push(void **state)
{
    (void)state;
    struct rig r;
    begin(&r, ISOLATION_WORKER);
    struct call *c = rig_run(&r, rig_push("1", "2", "crash-after-http", "3", NULL));
    assert_int_equal(c->reply.status, TL_E_UNKNOWN);
    assert_true(c->reply.crashed);
    assert_printed(c, "result 0 ok\nresult 1 ok\n"); /* what was answered before stands */
    call_free(c);
    struct connector_info info;
    runtime_connector_info(r.rt, "echo", &info);
    assert_int_equal(info.state, RUN_RETRYING);
    assert_int_equal(info.crashes, 1);
    assert_non_null(strstr(info.error->text, "died"));
    struct dispatcher *d = runtime_dispatcher(r.rt);
    assert_int_equal(d->room(d->ctx, 1, TL_PURPOSE_BULK), 0);
    struct call *waiting = rig_get("b"); /* waits for the restart */
    rig_submit(&r, waiting);
    rig_advance(&r, 300000);
    rig_wait(&r, waiting);
    assert_int_equal(waiting->reply.status, TL_OK);
    assert_int_equal(rig_state(&r, "echo"), RUN_RUNNING);
    call_free(waiting);
    rig_stop(&r);
}

static void test_crash_in_read(void **state)
{
    (void)state;
    struct rig r;
    begin(&r, ISOLATION_WORKER);
    struct call *c = rig_run(&r, rig_get("crash"));
    assert_int_equal(c->reply.status, TL_E_TEMPORARY);
    assert_true(c->reply.crashed);
    call_free(c);
    rig_stop(&r);
}

/* Killed from outside while idle: noticed by the tick, restarted, and the next call knows nothing of it. */
static void test_killed_worker(void **state)
{
    (void)state;
    struct rig r;
    begin(&r, ISOLATION_WORKER);
    call_free(rig_run(&r, rig_get("a")));
    struct connector_info info;
    runtime_connector_info(r.rt, "echo", &info);
    assert_int_equal(kill(info.pid, SIGKILL), 0);
    rig_until(&r, (rig_advance(&r, 600000), rig_state(&r, "echo") == RUN_RETRYING));
    rig_advance(&r, 300000);
    rig_until(&r, rig_state(&r, "echo") == RUN_RUNNING);
    struct call *c = rig_run(&r, rig_get("b"));
    assert_int_equal(c->reply.status, TL_OK);
    call_free(c);
    rig_stop(&r);
}

static void test_crash_limit(void **state)
{
    (void)state;
    struct rig r;
    begin(&r, ISOLATION_WORKER);
    for (int i = 0; i < 8; i++) {
        struct call *c = rig_run(&r, rig_get("crash"));
        assert_true(c->reply.crashed);
        call_free(c);
        if (rig_state(&r, "echo") == RUN_CRASHED)
            break;
        rig_advance(&r, 61000000);
        rig_until(&r, rig_state(&r, "echo") == RUN_RUNNING);
    }
    assert_int_equal(rig_state(&r, "echo"), RUN_CRASHED);
    struct call *c = rig_run(&r, rig_get("a"));
    assert_int_equal(c->reply.status, TL_E_TEMPORARY);
    call_free(c);
    assert_int_equal(rig_load(&r, "echo"), TL_OK); /* the admin says try again */
    c = rig_run(&r, rig_get("a"));
    assert_int_equal(c->reply.status, TL_OK);
    call_free(c);
    rig_stop(&r);
}

static struct call *rig_get_of(int64_t endpoint, const char *id)
{
    struct call *c = rig_get(id);
    c->endpoint = endpoint;
    return c;
}

/* isolation = endpoint: one that is down takes nobody along, neither in what runs nor in what is told. */
static void test_crash_limit_of_one_endpoint(void **state)
{
    (void)state;
    struct rig r;
    struct endpoint_info one, two;
    struct connector_info info;
    begin(&r, ISOLATION_ENDPOINT);
    rig_endpoint(&r, 2, "echo", NULL);
    for (int i = 0; i < 8; i++) {
        struct call *c = rig_run(&r, rig_get("crash"));
        assert_true(c->reply.crashed);
        call_free(c);
        rig_advance(&r, 61000000);
        rig_until(&r, (runtime_endpoint_info(r.rt, 1, &one), one.state != RUN_RETRYING));
    }
    assert_int_equal(one.state, RUN_CRASHED);
    assert_true(one.down);
    assert_non_null(strstr(one.error->text, "of endpoint \"ep1\" of 1 ids (\"crash\")"));
    assert_non_null(strstr(one.error->hint, "it crashed 8 times within an hour and stays down until"));
    assert_int_equal(rig_state(&r, "echo"), RUN_RUNNING);

    struct call *c = rig_run(&r, rig_get_of(2, "crash"));
    assert_true(c->reply.crashed);
    call_free(c);
    runtime_endpoint_info(r.rt, 2, &two);
    assert_int_equal(two.state, RUN_RETRYING);
    assert_non_null(strstr(two.error->text, "of endpoint \"ep2\""));
    runtime_endpoint_info(r.rt, 1, &one);
    assert_non_null(strstr(one.error->text, "of endpoint \"ep1\""));
    rig_advance(&r, 61000000);
    rig_until(&r, (runtime_endpoint_info(r.rt, 2, &two), two.state == RUN_RUNNING));
    c = rig_run(&r, rig_get_of(2, "a"));
    assert_int_equal(c->reply.status, TL_OK);
    call_free(c);
    c = rig_run(&r, rig_get("a"));
    assert_int_equal(c->reply.status, TL_E_TEMPORARY);
    call_free(c);
    runtime_connector_info(r.rt, "echo", &info);
    assert_int_equal(info.crashes, 9);

    assert_int_equal(rig_reload(&r, "echo"), TL_OK); /* a person says try again */
    c = rig_run(&r, rig_get("a"));
    assert_int_equal(c->reply.status, TL_OK);
    call_free(c);
    runtime_endpoint_info(r.rt, 1, &one);
    assert_int_equal(one.error->status, TL_OK);
    rig_stop(&r);
}

/* What was down before this start stays so until a person loads it. */
static void test_held_since_before(void **state)
{
    (void)state;
    struct rig r;
    struct connector_info info;
    struct endpoint_info one;
    struct err why = {0};
    err_set(&why, TL_E_BUG, "it died");
    rig_start(&r);
    rig_install(&r, "echo", ISOLATION_WORKER);
    rig_endpoint(&r, 1, "echo", NULL);
    runtime_connector_hold(r.rt, "echo", &why);
    runtime_connector_info(r.rt, "echo", &info);
    assert_int_equal(info.state, RUN_CRASHED);
    assert_string_equal(info.error->text, "it died");
    struct call *c = rig_run(&r, rig_get("a"));
    assert_int_equal(c->reply.status, TL_E_TEMPORARY);
    call_free(c);
    assert_int_equal(rig_unload(&r, "echo", UNLOAD_DRAIN), TL_OK);
    assert_int_equal(rig_state(&r, "echo"), RUN_NOT_LOADED);
    runtime_connector_hold(r.rt, "echo", &why);
    assert_int_equal(rig_load(&r, "echo"), TL_OK);
    c = rig_run(&r, rig_get("a"));
    assert_int_equal(c->reply.status, TL_OK);
    call_free(c);
    rig_stop(&r);

    rig_start(&r);
    rig_install(&r, "echo", ISOLATION_ENDPOINT);
    rig_endpoint(&r, 1, "echo", NULL);
    rig_endpoint(&r, 2, "echo", NULL);
    runtime_endpoint_hold(r.rt, 1, &why);
    assert_int_equal(rig_load(&r, "echo"), TL_OK);
    runtime_endpoint_info(r.rt, 1, &one);
    assert_int_equal(one.state, RUN_CRASHED);
    assert_string_equal(one.error->text, "it died");
    c = rig_run(&r, rig_get("a"));
    assert_int_equal(c->reply.status, TL_E_TEMPORARY);
    call_free(c);
    c = rig_run(&r, rig_get_of(2, "a"));
    assert_int_equal(c->reply.status, TL_OK);
    call_free(c);
    assert_int_equal(rig_reload(&r, "echo"), TL_OK);
    c = rig_run(&r, rig_get("a"));
    assert_int_equal(c->reply.status, TL_OK);
    call_free(c);
    rig_stop(&r);
}

/* isolation = endpoint: one endpoint's crash is nobody else's. */
static void test_crash_of_one_endpoint(void **state)
{
    (void)state;
    struct rig r;
    begin(&r, ISOLATION_ENDPOINT);
    rig_endpoint(&r, 2, "echo", NULL);
    struct call *other = rig_get("a");
    other->endpoint = 2;
    call_free(rig_run(&r, other));
    struct call *c = rig_run(&r, rig_get("crash"));
    assert_true(c->reply.crashed);
    call_free(c);
    struct endpoint_info info;
    assert_true(runtime_endpoint_info(r.rt, 1, &info));
    assert_int_equal(info.state, RUN_RETRYING);
    assert_true(runtime_endpoint_info(r.rt, 2, &info));
    assert_int_equal(info.state, RUN_RUNNING);
    assert_int_equal(info.instances, 1);
    other = rig_get("b");
    other->endpoint = 2;
    other = rig_run(&r, other);
    assert_int_equal(other->reply.status, TL_OK);
    call_free(other);
    rig_stop(&r);
}

/* ---- many at once ---- */

/* Every call ends exactly once, whatever else is going on. */
static void many_endpoints(enum isolation isolation)
{
    enum { ENDPOINTS = 30, CALLS = 4 };
    struct rig r;
    begin(&r, isolation);
    static struct call *calls[ENDPOINTS * CALLS];
    for (int i = 0; i < ENDPOINTS; i++)
        rig_endpoint(&r, i + 1, "echo", NULL);
    for (int i = 0; i < ENDPOINTS * CALLS; i++) {
        calls[i] = i % 2 ? rig_get("a") : rig_pull(0, "");
        calls[i]->endpoint = i % ENDPOINTS + 1;
        calls[i]->purpose = i / ENDPOINTS % 3;
        rig_submit(&r, calls[i]);
    }
    for (int i = 0; i < ENDPOINTS * CALLS; i++) {
        rig_wait(&r, calls[i]);
        assert_int_equal(calls[i]->reply.status, TL_OK);
        assert_int_equal(rig_count(&calls[i]->reply, ITEM_RECORD), i % 2 ? 1 : 10);
        call_free(calls[i]);
    }
    rig_stop(&r);
}

static void test_many_endpoints(void **state)
{
    (void)state;
    many_endpoints(ISOLATION_INPROCESS);
    many_endpoints(ISOLATION_WORKER);
}

/* The worker is killed at different moments of its calls: each ends, as crashed or whole, and the next one works. */
static void test_kill_anywhere(void **state)
{
    (void)state;
    for (int turns = 0; turns < 6; turns++) {
        struct rig r;
        begin(&r, ISOLATION_WORKER);
        rig_endpoint(&r, 1, "echo", "records", "20000", "page", "100", NULL);
        struct call *c = rig_pull(0, "");
        struct connector_info info;
        runtime_connector_info(r.rt, "echo", &info);
        rig_submit(&r, c);
        for (int i = 0; i < turns; i++)
            mailbox_run(r.box, 1000);
        kill(info.pid, SIGKILL);
        rig_wait(&r, c);
        assert_true(c->reply.status == TL_OK || c->reply.status == TL_E_TEMPORARY);
        assert_true(c->reply.status == TL_OK ? rig_count(&c->reply, ITEM_RECORD) == 20000 : true);
        call_free(c);
        rig_until(&r, (rig_advance(&r, 600000), rig_state(&r, "echo") == RUN_RUNNING &&
                                                    (runtime_connector_info(r.rt, "echo", &info), info.crashes == 1)));
        c = rig_run(&r, rig_get("b"));
        assert_int_equal(c->reply.status, TL_OK);
        call_free(c);
        rig_stop(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transcripts_identical),
        cmocka_unit_test(test_delivery_kept),
        cmocka_unit_test(test_page_budget),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_problem_beside_a_running_call),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_services),
        cmocka_unit_test(test_bad_record),
        cmocka_unit_test(test_open_refused),
        cmocka_unit_test(test_crash_in_push),
        cmocka_unit_test(test_crash_in_read),
        cmocka_unit_test(test_killed_worker),
        cmocka_unit_test(test_crash_limit),
        cmocka_unit_test(test_crash_of_one_endpoint),
        cmocka_unit_test(test_crash_limit_of_one_endpoint),
        cmocka_unit_test(test_held_since_before),
        cmocka_unit_test(test_many_endpoints),
        cmocka_unit_test(test_kill_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
