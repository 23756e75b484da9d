/* Host services that reach outside: HTTP, blobs, authorisation with the connector's verdicts, quota. In each mode the
 * same. */
#include <stdlib.h>
#include <sys/statvfs.h>

#include "blob.h"
#include "rig.h"
#include "unit/loop_server.h"

static void assert_printed(const struct call *c, const char *want)
{
    AUTO(buf_done) struct buf out = {0};
    rig_print(&out, &c->reply);
    assert_string_equal(buf_text(&out), want);
}

static char big[3000000];
static char huge[17 << 20];

static void http_handler(void *ctx, const struct loop_request *q, struct loop_reply *a)
{
    (void)ctx;
    a->status = 200;
    if (strcmp(q->target, "/big") == 0) {
        a->body = big;
        a->body_n = sizeof big;
        return;
    }
    if (strcmp(q->target, "/huge") == 0) {
        a->body = huge;
        a->body_n = sizeof huge;
        return;
    }
    a->body = strcmp(q->method, "POST") == 0 ? "posted" : "got";
}

static void http(enum isolation isolation)
{
    memset(big, 'z', sizeof big);
    struct loop_server *server = loop_start(http_handler, NULL);
    char *url = loop_url(server, "");
    struct rig r;
    rig_start_http(&r);
    rig_install(&r, "echo", isolation);
    assert_int_equal(rig_load(&r, "echo"), TL_OK);
    rig_endpoint(&r, 1, "echo", "base_url", url, NULL);
    struct call *c = rig_run(&r, rig_get("http"));
    assert_printed(c, "record 0 0 0 200 posted values 5\n");
    call_free(c);
    c = rig_run(&r, rig_get("big"));
    assert_printed(c, "record 0 0 whole 8 0 values 5\n");
    call_free(c);
    c = rig_run(&r, rig_get("download"));
    assert_printed(c, "record 0 0 0 3000000 0 values 5\n");
    call_free(c);
    rig_stop(&r);
    loop_stop(server);
    free(url);
}

static void test_http(void **state)
{
    (void)state;
    http(ISOLATION_INPROCESS);
    http(ISOLATION_WORKER);
}

/* The disk, as it shall look. */
static uint64_t disk_bytes = UINT64_C(1) << 40, disk_left = UINT64_C(1) << 39;

int fstatvfs(int fd, struct statvfs *out)
{
    (void)fd;
    *out = (struct statvfs){.f_frsize = 1, .f_blocks = disk_bytes, .f_bavail = disk_left};
    return 0;
}

static void blobs_on(struct rig *r, uint64_t bytes, uint64_t left, const char *download, const char *written)
{
    disk_bytes = bytes;
    disk_left = left;
    struct call *c = rig_run(r, rig_get("download"));
    assert_printed(c, download);
    call_free(c);
    c = rig_run(r, rig_get("blob"));
    assert_printed(c, written);
    call_free(c);
}

/* Blobs leave room beside the database: what would not is refused, whoever writes it. */
static void blobs(enum isolation isolation)
{
    const char *all = "record 0 0 0 3000000 0 values 5\n", *none = "record 0 0 8 0 0 values 5\n";
    struct loop_server *server = loop_start(http_handler, NULL);
    char *url = loop_url(server, "");
    struct rig r;
    rig_start_http(&r);
    rig_install(&r, "echo", isolation);
    assert_int_equal(rig_load(&r, "echo"), TL_OK);
    rig_endpoint(&r, 1, "echo", "base_url", url, NULL);
    const uint64_t large = UINT64_C(1) << 40, small = UINT64_C(64) << 20;
    blobs_on(&r, large, BLOB_ROOM_LEFT + 4000000, all, "record 0 1:blob values 5\n");
    blobs_on(&r, large, BLOB_ROOM_LEFT, none, "record 0 1: values 5\n");
    blobs_on(&r, small, (small / 8) + 4000000, all, "record 0 1:blob values 5\n");
    blobs_on(&r, small, small / 8, none, "record 0 1: values 5\n");
    disk_left = disk_bytes = large;
    rig_stop(&r);
    loop_stop(server);
    free(url);
}

static void test_blobs_leave_room(void **state)
{
    (void)state;
    blobs(ISOLATION_INPROCESS);
    blobs(ISOLATION_WORKER);
}

/* An expired token: the worker is asked for its verdict while it waits inside http(). */
static int tokens_given;

static void auth_handler(void *ctx, const struct loop_request *q, struct loop_reply *a)
{
    (void)ctx;
    char bearer[64];
    loop_header(q, "authorization", bearer, sizeof bearer);
    a->status = 200;
    if (strncmp(q->target, "/token", 6) == 0) {
        int n = __atomic_add_fetch(&tokens_given, 1, __ATOMIC_SEQ_CST);
        a->body = n == 1 ? "{\"access_token\":\"first-token\"}" : "{\"access_token\":\"second-token\"}";
        if (q->on_connection && strstr(q->body, "refuse-me")) {
            a->status = 400;
            a->body = "{\"error\":\"invalid_grant\"}";
        }
    } else if (strcmp(bearer, "Bearer second-token") == 0) {
        a->body = "welcome";
    } else {
        a->status = 401;
        a->body = "old token";
    }
}

static void auth(enum isolation isolation)
{
    tokens_given = 0;
    struct loop_server *server = loop_start(auth_handler, NULL);
    char *url = loop_url(server, "");
    struct rig r;
    rig_start_http(&r);
    rig_install(&r, "echo_auth", isolation);
    assert_int_equal(rig_load(&r, "echo_auth"), TL_OK);
    rig_endpoint(&r, 1, "echo_auth", "base_url", url, "token", "refresh-me", NULL);
    struct call *c = rig_run(&r, rig_get("http"));
    assert_printed(c, "record 0 0 0 200 welcome values 5\n");
    assert_int_equal(tokens_given, 2);
    call_free(c);
    rig_stop(&r);
    loop_stop(server);
    free(url);
}

static void test_auth(void **state)
{
    (void)state;
    auth(ISOLATION_INPROCESS);
    auth(ISOLATION_WORKER);
}

/* ---- sign-in outside of a call ---- */

struct errand_result {
    bool done;
    int rc;
    struct err err;
};

static int ensure(struct auth *a, void *arg, struct err *e)
{
    (void)arg;
    return auth_ensure(a, true, NULL, e);
}

static void ensured(void *arg, int rc, const struct err *e)
{
    struct errand_result *x = arg;
    x->done = true;
    x->rc = rc;
    x->err = *e;
}

static void sign_in(enum isolation isolation)
{
    tokens_given = 0;
    struct loop_server *server = loop_start(auth_handler, NULL);
    char *url = loop_url(server, "");
    struct rig r;
    rig_start_http(&r);
    rig_install(&r, "echo_auth", isolation);
    assert_int_equal(rig_load(&r, "echo_auth"), TL_OK);
    rig_endpoint(&r, 1, "echo_auth", "base_url", url, "token", "refuse-me", NULL);
    struct errand_result x = {0};
    struct err e = {0};
    assert_int_equal(runtime_auth_run(r.rt, 1, ensure, ensured, &x, &e), TL_OK);
    rig_until(&r, x.done);
    assert_int_equal(x.rc, TL_E_AUTH);
    assert_non_null(strstr(x.err.text, "the vendor says 400")); /* the connector's own words, from wherever it runs */
    struct endpoint_info info;
    assert_true(runtime_endpoint_info(r.rt, 1, &info));
    assert_int_equal(info.state, RUN_NEEDS_SIGN_IN);
    struct call *c = rig_run(&r, rig_get("http")); /* no way in, but no way to hang either */
    assert_printed(c, "record 0 0 2 0 - values 5\n");
    call_free(c);

    rig_endpoint(&r, 1, "echo_auth", "base_url", url, "token", "good", NULL);
    rig_until(&r, (runtime_endpoint_info(r.rt, 1, &info), info.state == RUN_RUNNING));
    x = (struct errand_result){0};
    assert_int_equal(runtime_auth_run(r.rt, 1, ensure, ensured, &x, &e), TL_OK);
    rig_until(&r, x.done);
    assert_int_equal(x.rc, TL_OK);
    assert_true(strlen(r.store.token) > 0); /* durable at once */
    rig_stop(&r);
    loop_stop(server);
    free(url);
}

static void test_sign_in(void **state)
{
    (void)state;
    sign_in(ISOLATION_INPROCESS);
    sign_in(ISOLATION_WORKER);
}

/* ---- quota ---- */

static void test_quota(void **state)
{
    (void)state;
    for (int mode = ISOLATION_WORKER; mode <= ISOLATION_INPROCESS; mode++) {
        struct rig r;
        rig_start(&r);
        rig_install(&r, "echo", (enum isolation)mode);
        assert_int_equal(rig_load(&r, "echo"), TL_OK);
        rig_endpoint(&r, 1, "echo", NULL);
        struct dispatcher *d = runtime_dispatcher(r.rt);
        assert_int_equal(d->room(d->ctx, 1, TL_PURPOSE_BULK), 1);
        call_free(rig_run(&r, rig_get("quota")));
        assert_int_equal(d->room(d->ctx, 1, TL_PURPOSE_BULK), 0);
        struct endpoint_info info;
        assert_true(runtime_endpoint_info(r.rt, 1, &info));
        assert_int_equal(info.n_quotas, 1);
        assert_string_equal(info.quotas[0].name, "day");
        assert_int_equal(info.quotas[0].limit, 100);
        assert_true(info.blocked_until_us > r.now_us);
        rig_advance(&r, INT64_C(3601) * 1000000);
        assert_int_equal(d->room(d->ctx, 1, TL_PURPOSE_BULK), 1);
        rig_stop(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http),  cmocka_unit_test(test_blobs_leave_room),
        cmocka_unit_test(test_auth),  cmocka_unit_test(test_sign_in),
        cmocka_unit_test(test_quota),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
