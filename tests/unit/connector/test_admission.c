/* What may be loaded, and the sentence for each file that may not. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admission.h"
#include "rig.h"

static void path_of(const struct rig *r, const char *name, char out[256])
{
    snprintf(out, 256, "%s/%s", r->dir, name);
}

static int stage(struct rig *r, const char *name, bool development, struct err *e)
{
    struct staged s;
    err_clear(e);
    return admission_stage(&s, r->dir, r->state, name, development, e);
}

static void test_names(void **state)
{
    (void)state;
    assert_true(connector_name_ok(STR("zoho_crm2")));
    assert_false(connector_name_ok(STR("")));
    assert_false(connector_name_ok(STR("../evil")));
    assert_false(connector_name_ok(STR("Echo")));
    assert_false(connector_name_ok(STR("echo.so")));
    assert_false(connector_name_ok(STR("a23456789012345678901234567890123")));
    struct rig r;
    rig_start(&r);
    struct err e;
    assert_int_equal(stage(&r, "../echo", true, &e), TL_E_CONFIG);
    assert_string_equal(e.text, "\"../echo\" is no name of a connector");
    err_clear(&e);
    assert_int_equal(runtime_connector_add(r.rt, "no/name", ISOLATION_WORKER, &e), TL_E_CONFIG);
    assert_int_equal(runtime_connector_add(r.rt, "one", ISOLATION_WORKER, &e), TL_OK);
    assert_int_equal(runtime_connector_add(r.rt, "one", ISOLATION_WORKER, &e), E_EXISTS);
    assert_string_equal(e.text, "connector \"one\" is there already");
    rig_stop(&r);
}

static void test_staged_copy(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r);
    rig_copy(&r, "echo", "echo");
    struct err e = {0};
    struct staged a, b;
    assert_int_equal(admission_stage(&a, r.dir, r.state, "echo", true, &e), TL_OK);
    char want[512];
    snprintf(want, sizeof want, "%s/connectors/echo-%s.so", r.state, a.sha256);
    assert_string_equal(a.path, want);
    struct stat st;
    assert_int_equal(stat(a.path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0500);
    rig_copy(&r, "newer", "echo"); /* other bytes, another copy; the old one stays as it is */
    assert_int_equal(admission_stage(&b, r.dir, r.state, "echo", true, &e), TL_OK);
    assert_string_not_equal(a.path, b.path);
    assert_int_equal(access(a.path, R_OK), 0);
    admission_sweep(r.state, "echo", b.sha256);
    assert_int_equal(access(a.path, R_OK), -1);
    assert_int_equal(access(b.path, R_OK), 0);
    rig_stop(&r);
}

static void test_refused_files(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r);
    struct err e = {0};
    char path[256], other[256];
    assert_int_equal(stage(&r, "echo", true, &e), TL_E_NOT_FOUND);
    assert_non_null(strstr(e.text, "there is no connector \"echo\": no file \""));

    path_of(&r, "echo.la", path);
    fclose(fopen(path, "w"));
    assert_int_equal(stage(&r, "echo", true, &e), TL_E_DENIED);
    assert_non_null(strstr(e.text, "is a libtool archive, which is never loaded"));

    path_of(&r, "echo.so", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(stage(&r, "echo", true, &e), TL_E_DENIED);
    assert_non_null(strstr(e.text, "is not a regular file"));
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(stage(&r, "echo", true, &e), TL_E_DENIED);
    assert_non_null(strstr(e.text, "is not a regular file"));
    rmdir(path);

    rig_copy(&r, "echo", "real");
    path_of(&r, "real.so", other);
    assert_int_equal(symlink(other, path), 0);
    assert_int_equal(stage(&r, "echo", true, &e), TL_E_DENIED);
    assert_non_null(strstr(e.text, "is a symbolic link"));
    unlink(path);

    rig_copy(&r, "echo", "echo");
    chmod(path, 0775);
    assert_int_equal(stage(&r, "echo", true, &e), TL_E_DENIED);
    assert_non_null(strstr(e.text, "is writable by its group"));
    chmod(path, 0757);
    assert_int_equal(stage(&r, "echo", true, &e), TL_E_DENIED);
    assert_non_null(strstr(e.text, "is writable by its others"));
    chmod(path, 0755);

    chmod(r.dir, 0775);
    assert_int_equal(stage(&r, "echo", true, &e), TL_E_DENIED);
    assert_non_null(strstr(e.text, "directory \""));
    assert_non_null(strstr(e.text, "is writable by its group"));
    chmod(r.dir, 0755);
    assert_int_equal(stage(&r, "echo", true, &e), TL_OK);
    /* A scratch directory below /tmp is good enough for development only. */
    assert_int_equal(stage(&r, "echo", false, &e), TL_E_DENIED);
    rig_stop(&r);
}

static void test_foreign_owner(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r);
    rig_copy(&r, "echo", "echo");
    struct err e = {0};
    char path[256];
    path_of(&r, "echo.so", path);
    if (geteuid() == 0) {
        assert_int_equal(chown(path, 65534, 65534), 0);
        assert_int_equal(stage(&r, "echo", true, &e), TL_E_DENIED);
        assert_non_null(strstr(e.text, "belongs to user 65534, not to root"));
    } else {
        assert_int_equal(stage(&r, "echo", false, &e), TL_E_DENIED);
        assert_non_null(strstr(e.text, "not to root"));
        assert_non_null(strstr(e.hint, "development = yes"));
    }
    rig_stop(&r);
}

/* ---- handshake, in process and through a worker: the same sentence ---- */

static void refused(const char *name, int status, const char *text)
{
    for (int mode = ISOLATION_WORKER; mode <= ISOLATION_INPROCESS; mode += 2) {
        struct rig r;
        rig_start(&r);
        rig_install(&r, name, (enum isolation)mode);
        assert_int_equal(rig_load(&r, name), status);
        if (!strstr(r.err.text, text))
            assert_string_equal(r.err.text, text);
        struct connector_info info;
        runtime_connector_info(r.rt, name, &info);
        assert_int_equal(info.state, RUN_NOT_LOADED);
        assert_string_equal(info.error->text, r.err.text);
        rig_stop(&r);
    }
}

static void test_handshake_refusals(void **state)
{
    (void)state;
    refused("bad_magic", TL_E_UNSUPPORTED,
            "connector \"bad_magic\" is no tieline connector: magic 12345678 instead of");
    refused("bad_major", TL_E_UNSUPPORTED, "connector \"bad_major\" speaks ABI 7.1, this host 0.1");
    refused("other_entry", TL_E_UNSUPPORTED, "connector \"other_entry\" speaks major 3 of the ABI, this host major 0");
    refused("no_entry", TL_E_UNSUPPORTED, "\"no_entry\" is no connector: it has no symbol tieline_connector_v0");
    refused("undefined", TL_E_UNSUPPORTED,
            "connector \"undefined\" has the undefined symbol: tieline_function_that_nobody_has");
    refused("liar", TL_E_BUG, "connector \"liar\" calls itself \"somebody_else\"");
    refused("odd_name", TL_E_BUG, "connector \"odd_name\" calls itself \"Lumen CRM!\"");
    refused("no_id", TL_E_BUG, "connector \"no_id\" has no id: the member is null");
    refused("bad_option", TL_E_INVALID,
            "connector \"bad_option\": its options: stride 8 is smaller than a tl_option (40): set it to sizeof");
    refused("bad_hosts", TL_E_CONFIG, "connector \"bad_hosts\": host pattern \"*\" is not usable");
    refused("no_open", TL_E_BUG, "connector \"no_open\" lacks the member \"open\"");
}

/* An entry that ends its process: the sentence says how it ended. */
static void test_abort_at_the_entry(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r);
    rig_install(&r, "aborts", ISOLATION_WORKER);
    assert_int_equal(rig_load(&r, "aborts"), TL_E_BUG);
    assert_non_null(strstr(r.err.text, "the worker of connector \"aborts\" ended while loading it: "));
    assert_non_null(strstr(r.err.text, "signal 6 (Aborted)"));
    rig_stop(&r);
}

static void test_not_an_object(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r);
    char path[256];
    path_of(&r, "text.so", path);
    FILE *f = fopen(path, "w");
    for (int i = 0; i < 100; i++)
        fputs("#!/bin/sh\n", f);
    fclose(f);
    chmod(path, 0755);
    struct err e = {0};
    runtime_connector_add(r.rt, "text", ISOLATION_WORKER, &e);
    assert_int_equal(rig_load(&r, "text"), TL_E_UNSUPPORTED);
    assert_string_equal(r.err.text, "connector \"text\" is no shared object: it does not begin as an ELF file does");
    rig_stop(&r);
}

/* One that was copied in part: said in words, where loading it would end by a signal. */
static void test_cut_short(void **state)
{
    (void)state;
    static const int sizes[] = {10, 60, 4096};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct rig r;
        rig_start(&r);
        rig_install(&r, "older", ISOLATION_WORKER);
        char path[256];
        path_of(&r, "older.so", path);
        assert_int_equal(truncate(path, sizes[i]), 0);
        assert_int_equal(rig_load(&r, "older"), TL_E_UNSUPPORTED);
        assert_non_null(strstr(r.err.text, "connector \"older\" is cut short: "));
        rig_stop(&r);
    }
}

/* An older and a newer minor both run. */
static void test_skew(void **state)
{
    (void)state;
    static const char *const names[] = {"older", "newer"};
    for (int mode = ISOLATION_WORKER; mode <= ISOLATION_INPROCESS; mode += 2) {
        for (int i = 0; i < 2; i++) {
            struct rig r;
            rig_start(&r);
            rig_install(&r, names[i], (enum isolation)mode);
            assert_int_equal(rig_load(&r, names[i]), TL_OK);
            rig_endpoint(&r, 1, names[i], NULL);
            struct call *c = rig_run(&r, rig_pull(0, ""));
            AUTO(buf_done) struct buf out = {0};
            rig_print(&out, &c->reply);
            assert_string_equal(buf_text(&out), "record 0 first values 0\nrecord 0 second values 0\n"
                                                "checkpoint end complete 1\n");
            call_free(c);
            c = rig_run(&r, rig_push("1", NULL)); /* it has no push */
            assert_int_equal(c->reply.status, TL_E_UNSUPPORTED);
            assert_string_equal(c->reply.error.text, "the connector has no push");
            call_free(c);
            struct connector_info info;
            runtime_connector_info(r.rt, names[i], &info);
            assert_int_equal(info.manifest->abi_minor, i ? 99 : TL_ABI_MINOR);
            rig_stop(&r);
        }
    }
}

static void test_verify(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r);
    rig_copy(&r, "echo_auth", "echo_auth");
    rig_copy(&r, "bad_major", "bad_major");
    struct runtime_config config = {
        .env = &r.env, .connector_dir = r.dir, .state_dir = r.state, .worker_path = WORKER_PATH, .development = true};
    struct err e = {0};
    struct manifest *m = NULL;
    assert_int_equal(runtime_verify(&config, "echo_auth", &m, &e), TL_OK);
    assert_int_equal(m->auth->n_flows, 1);
    assert_string_equal(m->auth->flows[0].token_url, "{base_url}/token");
    assert_true(m->auth_verdict && m->auth_token_error);
    assert_null(m->auth->verdict);
    m = manifest_free(m);
    assert_int_equal(runtime_verify(&config, "bad_major", &m, &e), TL_E_UNSUPPORTED);
    assert_null(m);
    config.worker_path = "/nowhere/tieline-worker";
    err_clear(&e);
    assert_int_not_equal(runtime_verify(&config, "echo_auth", &m, &e), TL_OK);
    assert_non_null(strstr(e.text, "cannot start \"/nowhere/tieline-worker\""));
    rig_stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_staged_copy),
        cmocka_unit_test(test_refused_files),
        cmocka_unit_test(test_foreign_owner),
        cmocka_unit_test(test_handshake_refusals),
        cmocka_unit_test(test_abort_at_the_entry),
        cmocka_unit_test(test_not_an_object),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_skew),
        cmocka_unit_test(test_verify),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
