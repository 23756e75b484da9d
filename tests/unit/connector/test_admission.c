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
    admission_sweep(r.state, "echo", b.sha256, NULL);
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
    struct staged staged;
    assert_int_equal(admission_stage(&staged, "/dev/null", r.state, "echo", true, &e), TL_E_CONFIG);
    assert_string_equal(e.text, "connector directory \"/dev/null\" is not a directory");
    assert_string_equal(e.hint, "set \"dir\" in [connectors]");

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
    refused("bad_major", TL_E_UNSUPPORTED, "connector \"bad_major\" speaks ABI 7.2, this host 0.2");
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
    refused("get_hmac", TL_E_BUG,
            "connector \"get_hmac\" takes webhooks by GET and verifies their body, of which a GET has none");
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

/* Issue row "file changed between check and load": at each of the three places where it could be. */
static void test_changed_between_check_and_load(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r);
    rig_copy(&r, "echo", "echo");
    struct err e = {0};
    char path[256];
    path_of(&r, "echo.so", path);

    AUTO(admitted_done) struct admitted a = {.fd = -1};
    struct staged s;
    assert_int_equal(admission_check(&a, r.dir, "echo", true, &e), TL_OK);
    FILE *f = fopen(path, "r+");
    fputs("x", f);
    fclose(f);
    assert_int_equal(admission_copy(&s, &a, r.state, &e), TL_E_DENIED);
    assert_non_null(strstr(e.text, "was changed between its check and its loading"));
    admitted_done(&a);

    /* A new file in its place changes nothing: what was checked is what is copied. */
    err_clear(&e);
    rig_copy(&r, "echo", "echo");
    assert_int_equal(admission_check(&a, r.dir, "echo", true, &e), TL_OK);
    char other[300];
    snprintf(other, sizeof other, "%s.new", path);
    f = fopen(other, "w");
    fputs("something else", f);
    fclose(f);
    assert_int_equal(rename(other, path), 0);
    struct err unlinked = {0};
    assert_int_equal(admission_copy(&s, &a, r.state, &unlinked), TL_E_DENIED); /* its link count changed, so its time */
    assert_non_null(strstr(unlinked.text, "was changed between"));

    /* And the copy itself. */
    rig_copy(&r, "echo", "echo");
    assert_int_equal(admission_stage(&s, r.dir, r.state, "echo", true, &e), TL_OK);
    assert_int_equal(admission_recheck(&s, &e), TL_OK);
    struct staged again;
    assert_int_equal(admission_stage(&again, r.dir, r.state, "echo", true, &e), TL_OK);
    assert_int_equal(admission_recheck(&s, &e), TL_OK); /* the same bytes in another file */
    chmod(s.path, 0700);
    f = fopen(s.path, "r+");
    fputs("x", f);
    fclose(f);
    assert_int_equal(admission_recheck(&s, &e), TL_E_DENIED);
    assert_non_null(strstr(e.text, "was changed after it was made"));
    assert_int_equal(unlink(s.path), 0);
    assert_int_equal(admission_recheck(&s, &e), TL_E_DENIED);
    rig_stop(&r);
}

/* A worker that is started again opens the copy again: one that was changed meanwhile is not run. */
static void test_changed_copy_is_not_started_again(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r);
    rig_install(&r, "echo", ISOLATION_ENDPOINT);
    assert_int_equal(rig_load(&r, "echo"), TL_OK);
    struct connector_info info;
    runtime_connector_info(r.rt, "echo", &info);
    char copy[512];
    snprintf(copy, sizeof copy, "%s/connectors/echo-%s.so", r.state, info.sha256);
    chmod(copy, 0700);
    FILE *f = fopen(copy, "a");
    fputs("x", f);
    fclose(f);
    rig_endpoint(&r, 1, "echo", NULL);
    struct call *c = rig_get("a");
    rig_submit(&r, c);
    rig_until(&r, (runtime_connector_info(r.rt, "echo", &info), info.crashes == 1));
    assert_non_null(strstr(info.error->text, "was changed after it was made"));
    runtime_dispatcher(r.rt)->cancel(r.rt, c);
    rig_wait(&r, c);
    call_free(c);
    rig_stop(&r);
}

static int files_below(const char *dir)
{
    char command[512];
    snprintf(command, sizeof command, "find '%s' | wc -l", dir);
    FILE *f = popen(command, "r");
    int n = -1;
    assert_int_equal(fscanf(f, "%d", &n), 1);
    pclose(f);
    return n;
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
    AUTO(verified_done) struct verified v = {.manifest = NULL};
    int files = files_below(r.state);
    assert_int_equal(runtime_verify(&config, "echo_auth", &v, &e), TL_OK);
    assert_int_equal(v.manifest->auth->n_flows, 1);
    assert_string_equal(v.manifest->auth->flows[0].token_url, "{base_url}/token");
    assert_true(v.manifest->auth_verdict && v.manifest->auth_token_error);
    assert_null(v.manifest->auth->verdict);
    assert_int_equal(strlen(v.sha256), 64);
    verified_done(&v);
    assert_int_equal(runtime_verify(&config, "bad_major", &v, &e), TL_E_UNSUPPORTED);
    assert_null(v.manifest);

    /* By its path, from another directory than that of the configuration. */
    char path[256];
    path_of(&r, "echo_auth.so", path);
    config.connector_dir = "/nowhere";
    err_clear(&e);
    assert_int_equal(runtime_verify(&config, path, &v, &e), TL_OK);
    assert_string_equal(v.manifest->id, "echo_auth");
    assert_string_equal(v.source, path);
    path_of(&r, "echo_auth.la", path);
    assert_int_equal(runtime_verify(&config, path, &v, &e), TL_E_DENIED);
    assert_non_null(strstr(e.text, "is a libtool archive, which is never loaded"));
    path_of(&r, "echo_auth.so.1", path);
    err_clear(&e);
    assert_int_equal(runtime_verify(&config, path, &v, &e), TL_E_CONFIG);
    assert_non_null(strstr(e.text, "is no file of a connector"));
    err_clear(&e);
    assert_int_equal(runtime_verify(&config, "x/echo_auth.so", &v, &e), TL_E_CONFIG);
    assert_non_null(strstr(e.text, "is no absolute path"));
    assert_int_equal(files_below(r.state), files); /* nothing is left of it */

    config.connector_dir = r.dir;
    config.worker_path = "/nowhere/tieline-worker";
    err_clear(&e);
    assert_int_not_equal(runtime_verify(&config, "echo_auth", &v, &e), TL_OK);
    assert_non_null(strstr(e.text, "cannot start \"/nowhere/tieline-worker\""));
    assert_int_equal(files_below(r.state), files);
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
        cmocka_unit_test(test_changed_between_check_and_load),
        cmocka_unit_test(test_changed_copy_is_not_started_again),
        cmocka_unit_test(test_verify),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
