/* The cell of a worker: what a hostile connector tries and what comes of it. Each in a worker of its own, beside a
 * connector that goes on. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rig.h"

#ifdef TIELINE_SANITIZED /* it reports and exits; to open files is refused by Landlock alone */
#ifdef __SANITIZE_THREAD__
#define BAD_ADDRESS "exit status 66"
#else
#define BAD_ADDRESS "exit status 1"
#endif
#define EXITED "the worker of connector \"hostile\"" /* or killed in the search for leaks, which is a process */
#define FLOODS 3
#else
#define BAD_ADDRESS "signal 11 (Segmentation fault)"
#define EXITED      "exit status 3"
#define FLOODS      4
#endif

static void begin(struct rig *r, const char *how, const char *dir)
{
    rig_start(r);
    rig_install(r, "echo", ISOLATION_WORKER);
    rig_install(r, "hostile", ISOLATION_WORKER);
    assert_int_equal(rig_load(r, "echo"), TL_OK);
    rig_endpoint(r, 1, "hostile", "how", how, dir ? "dir" : NULL, dir, NULL);
    rig_endpoint(r, 2, "echo", NULL);
    assert_int_equal(rig_load(r, "hostile"), TL_OK);
}

/* The other connector's worker is the same and answers. */
static void others_go_on(struct rig *r)
{
    struct connector_info info;
    struct call *c = rig_get("1");
    c->endpoint = 2;
    rig_run(r, c);
    assert_int_equal(c->reply.status, TL_OK);
    call_free(c);
    runtime_connector_info(r->rt, "echo", &info);
    assert_int_equal(info.crashes, 0);
}

static bool has_landlock(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) > 0;
}

struct attempt {
    const char *how, *words;
};

/* What is told of a call for which a worker is killed: where the kernel has no listener, nobody knows which it was. */
static const char *killed_for(const struct rig *r, const char *words)
{
    struct connector_info info;
    assert_true(runtime_connector_info(r->rt, "echo", &info));
    return info.confinement->listens ? words : "signal 31 (Bad system call)";
}

/* A library may try these in good faith: it is told no, and goes on. */
static void test_told_no(void **state)
{
    (void)state;
    static const struct attempt attempts[] = {
        {"connect", "socket: Permission denied"}, {"open", "open: Permission denied"},
        {"write", "open: Permission denied"},     {"library", "open: Permission denied"},
        {"chmod", "chmod: Permission denied"},    {"truncate", "truncate: Permission denied"},
        {"own", "fcntl: Permission denied"},      {"async", "fcntl: Permission denied"}};
    for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
        struct rig r;
        struct connector_info info;
        begin(&r, attempts[i].how, NULL);
        struct call *c = rig_run(&r, rig_pull(0, ""));
        assert_int_equal(c->reply.status, TL_E_TEMPORARY);
        assert_string_equal(c->reply.error.text, attempts[i].words);
        call_free(c);
        runtime_connector_info(r.rt, "hostile", &info);
        assert_int_equal(info.crashes, 0);
        others_go_on(&r);
        rig_stop(&r);
    }
}

/* Nothing honest does these: it is killed, and the words say why and where. */
static void test_killed(void **state)
{
    (void)state;
    static const struct attempt attempts[] = {{"fork", "it called \"clone\""},
                                              {"exec", "it called \"execve\""},
                                              {"ptrace", "it called \"ptrace\""},
                                              {"kill", "it called \"kill\""},
#ifdef __x86_64__
                                              {"i386", "signal 31 (Bad system call)"},
#endif
                                              {"exit", EXITED},
                                              {"crash", BAD_ADDRESS},
                                              {"stack", BAD_ADDRESS},
                                              {"abort", "signal 6 (Aborted)"},
                                              {"frames", "signal 9 (Killed)"}};
    for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
        struct rig r;
        struct connector_info info;
        begin(&r, attempts[i].how, NULL);
        struct call *c = rig_run(&r, rig_pull(0, ""));
        assert_int_equal(c->reply.status, TL_E_TEMPORARY);
        assert_true(c->reply.crashed);
        call_free(c);
        runtime_connector_info(r.rt, "hostile", &info);
        assert_int_equal(info.crashes, 1);
        bool refused = strncmp(attempts[i].words, "it called", strlen("it called")) == 0;
        const char *words = refused ? killed_for(&r, attempts[i].words) : attempts[i].words;
        assert_non_null(strstr(info.error->text, words));
        assert_non_null(strstr(info.error->text, "in pull of contact of endpoint \"ep1\" before the first record"));
        others_go_on(&r);
        rig_until(&r, (rig_advance(&r, 100000), rig_state(&r, "hostile") == RUN_RUNNING));
        rig_stop(&r);
    }
}

/* What the author needs: where in the file it was. */
static void test_says_where(void **state)
{
    (void)state;
#ifdef TIELINE_SANITIZED
    skip_because("the sanitizer tells in its own words");
#endif
    static const char *const hows[] = {"crash", "stack", "abort"};
    for (size_t i = 0; i < ARRAY_LEN(hows); i++) {
        struct rig r;
        struct connector_info info;
        begin(&r, hows[i], NULL);
        call_free(rig_run(&r, rig_pull(0, "")));
        runtime_connector_info(r.rt, "hostile", &info);
        assert_non_null(strstr(info.error->detail, i == 2 ? "SIGABRT" : "SIGSEGV, a bad address 0x"));
        assert_non_null(strstr(info.error->detail, "   hostile.so+0x"));
        rig_stop(&r);
    }
}

/* Its memory is bounded and so are its threads; it is told so, or dies of it. */
static void test_bombs(void **state)
{
    (void)state;
#ifdef TIELINE_SANITIZED
    skip_because("under a sanitizer there is no limit of memory");
#endif
    static const struct attempt attempts[] = {{"memory", "got less than 2 GiB"},
                                              {"threads", "threads: Resource temporarily unavailable"}};
    for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
        struct rig r;
        begin(&r, attempts[i].how, NULL);
        struct call *c = rig_run(&r, rig_pull(0, ""));
        if (!c->reply.crashed)
            assert_string_equal(c->reply.error.text, attempts[i].words);
        call_free(c);
        others_go_on(&r);
        rig_stop(&r);
    }
}

/* Floods are cut: what it logs, prints, emits and tries without end. The log takes a part of it. Without a listener to
 * count them, tries are told no by the kernel until the call is too late. */
static void test_floods(void **state)
{
    (void)state;
    static const struct attempt attempts[] = {{"log", "in pull of contact of endpoint \"ep1\" before"},
                                              {"print", "in pull of contact of endpoint \"ep1\" before"},
                                              {"flood", "in pull of contact of endpoint \"ep1\" after "},
                                              {"try", "in pull of contact of endpoint \"ep1\" before"}};
    for (size_t i = 0; i < FLOODS; i++) {
        struct rig r;
        struct connector_info info;
        begin(&r, attempts[i].how, NULL);
        struct call *c = rig_pull(0, "");
        rig_submit(&r, c);
        others_go_on(&r);
        runtime_connector_info(r.rt, "hostile", &info);
        bool counted = i == 3 && info.confinement->listens;
        if (counted)
            rig_wait(&r, c);
        else /* until its deadline */
            rig_until(&r, (rig_advance(&r, 1000000), rig_finished(c)));
        assert_true(c->reply.crashed);
        call_free(c);
        runtime_connector_info(r.rt, "hostile", &info);
        assert_non_null(strstr(info.error->text, attempts[i].words));
        if (counted)
            assert_non_null(strstr(info.error->text, "it called \"openat\" again and again"));
        others_go_on(&r);
        rig_stop(&r);
    }
}

/* Scribbling over its memory ends it, or spoils what it says; the host lives. */
static void test_scribble(void **state)
{
    (void)state;
#ifdef TIELINE_SANITIZED
    skip_because("what lies there is the sanitizer's");
#endif
    struct rig r;
    begin(&r, "scribble", NULL);
    struct call *c = rig_pull(0, "");
    rig_submit(&r, c);
    rig_until(&r, (rig_advance(&r, 100000), rig_finished(c)));
    call_free(c);
    others_go_on(&r);
    rig_stop(&r);
}

/* Constructors run before anybody asks the connector for anything; the cell is there already. */
static void test_constructors(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r);
    rig_install(&r, "echo", ISOLATION_WORKER);
    assert_int_equal(rig_load(&r, "echo"), TL_OK);
    rig_install(&r, "hostile_ptrace", ISOLATION_WORKER);
    assert_int_equal(rig_load(&r, "hostile_ptrace"), TL_E_BUG);
    assert_non_null(strstr(r.err.text, "the worker of connector \"hostile_ptrace\" ended while loading it: "));
    assert_non_null(strstr(r.err.text, killed_for(&r, "it called \"ptrace\"")));
    rig_install(&r, "hostile_crash", ISOLATION_WORKER);
    assert_int_equal(rig_load(&r, "hostile_crash"), TL_E_BUG);
    assert_non_null(strstr(r.err.text, "ended while loading it: " BAD_ADDRESS));
#ifndef TIELINE_SANITIZED
    assert_non_null(strstr(r.err.detail, "   hostile_crash.so+0x"));
#endif
    rig_install(&r, "hostile_connect", ISOLATION_WORKER);
    assert_int_equal(rig_load(&r, "hostile_connect"), TL_OK); /* told no, and loaded */
    rig_install(&r, "hostile_open", ISOLATION_WORKER);
    assert_int_equal(rig_load(&r, "hostile_open"), TL_OK);
    rig_stop(&r);
}

/* ---- directories ---- */

static void make_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x\n", 2), 2);
    close(fd);
}

/* A granted directory is read and written; what lies beside it is not. */
static void test_directory(void **state)
{
    (void)state;
    char dir[] = "/tmp/tieline-granted-XXXXXX", inside[64], outside[64], made[64], how[100];
    if (!has_landlock()) {
        skip_because("the kernel has no Landlock");
    }
    assert_non_null(mkdtemp(dir));
    snprintf(inside, sizeof inside, "%s/inside", dir);
    snprintf(outside, sizeof outside, "%s.outside", dir);
    snprintf(made, sizeof made, "%s/made", dir);
    make_file(inside);
    make_file(outside);
    const struct {
        const char *verb, *path, *words;
    } tries[] = {{"read", inside, "open: done"},
                 {"make", made, "open: done"},
                 {"read", outside, "open: Permission denied"},
                 {"make", outside, "open: Permission denied"},
                 {"read", "/etc/passwd", "open: Permission denied"}};
    for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
        struct rig r;
        snprintf(how, sizeof how, "%s %s", tries[i].verb, tries[i].path);
        begin(&r, how, dir);
        struct call *c = rig_run(&r, rig_pull(0, ""));
        assert_string_equal(c->reply.error.text, tries[i].words);
        call_free(c);
        rig_stop(&r);
    }
    assert_int_equal(access(made, F_OK), 0);
    unlink(made);
    unlink(inside);
    unlink(outside);
    rmdir(dir);
}

/* A directory that a running worker does not have is not silently missing. */
static void test_directory_too_late(void **state)
{
    (void)state;
    if (!has_landlock()) {
        skip_because("the kernel has no Landlock");
    }
    struct rig r;
    struct endpoint_info info;
    begin(&r, "well", NULL);
    rig_endpoint(&r, 1, "hostile", "how", "well", "dir", "/tmp", NULL);
    assert_true(runtime_endpoint_info(r.rt, 1, &info));
    assert_int_equal(info.state, RUN_MISCONFIGURED);
    assert_string_equal(info.error->text, "directory \"/tmp\" is not yet granted to the worker that runs");
    assert_string_equal(info.error->hint, "tieline connector reload hostile");
    assert_int_equal(rig_reload(&r, "hostile"), TL_OK);
    struct call *c = rig_run(&r, rig_pull(0, ""));
    assert_int_equal(c->reply.status, TL_OK);
    call_free(c);
    rig_stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_told_no),
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_says_where),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_floods),
        cmocka_unit_test(test_scribble),
        cmocka_unit_test(test_constructors),
        cmocka_unit_test(test_directory),
        cmocka_unit_test(test_directory_too_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
