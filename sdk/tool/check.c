/* tieline-sdk check: runs the tests, prints TAP or JSON, gives a grade. */
#include "check.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "times.h"
#include "tool.h"

enum { LIMIT_S = 60, LIMIT_MAX_S = 3600, TESTS_MAX = 100, ROUNDS = 150 };

static const char usage[] =
    "Usage: tieline-sdk check X.so [--config FILE] [--only NAME] [--seed N] [--rounds N] [--limit N]\n"
    "                          [--json] [--save] [--list]\n"
    "\n"
    "Tests one connector against its vendor (see [vendor] and [endpoint] of check.ini) and gives a grade.\n"
    "\n"
    "  --config FILE   default: check.ini beside the connector or in the working directory\n"
    "  --only NAME     one test (\"pull.resume\") or one group (\"pull\")\n"
    "  --seed N        of what is random; printed, so that a failure can be repeated\n"
    "  --rounds N      of each fuzz test (default 150)\n"
    "  --limit N       seconds a test may take (default 60)\n"
    "  --json          one JSON object instead of TAP\n"
    "  --save          writes X.grade beside the connector: \"tieline connector list\" shows it as long as X.so is "
    "the\n"
    "                  same file\n"
    "  --list          names the tests and what each shows\n"
    "\n"
    "A test that does not apply says why. One that is bypassed needs its reason in [bypass] of the file and does not\n"
    "count as passed. Exit status: 0 nothing failed and there is a grade, 1 something failed or did not run, 2 wrong\n"
    "usage, 7 wrong configuration.\n";

enum end { END_OK, END_FAILED, END_NOT_FOR, END_BYPASSED, END_NOT_RUN, END_REFUSED };
static const char *const end_names[] = {"ok", "failed", "does not apply", "bypassed", "not run", "refused"};

struct outcome {
    const struct check_test *test;
    enum end end;
    char why[2000];
    struct buf notes;
    char place[1000];
    int64_t took_us;
};

struct checker {
    struct project project;
    struct outcome outcomes[TESTS_MAX];
    int n;
    const char *so, *config, *only;
    int64_t seed, rounds, limit_s;
    bool json, save, list;
};

/* ---- one test in its child */

static _Noreturn void child(struct checker *k, const struct check_test *t, int to)
{
    struct check c = {.project = &k->project,
                      .seed = (uint64_t)k->seed,
                      .rounds = (uint32_t)k->rounds,
                      .to = to,
                      .fault.cancel_at = -1};
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    t->run(&c);
    if (c.seat.host)
        seat_close(&c.seat);
    arena_done(&c.fault.arena);
    if (c.stand.box)
        stand_close(&c.stand);
    if (k->project.running)
        vendor_stop(k->project.running);
    (void)!write(to, "O\n", 2);
    _exit(0);
}

static void take_line(struct outcome *o, str line)
{
    str words = {line.p + 1, line.n - 1};
    switch (line.p[0]) {
    case 'O':
        o->end = END_OK;
        break;
    case 'F':
    case 'S':
        o->end = line.p[0] == 'F' ? END_FAILED : END_NOT_FOR;
        snprintf(o->why, sizeof o->why, "%.*s", STR_FMT(words));
        break;
    case 'C':
        o->end = END_REFUSED;
        snprintf(o->why, sizeof o->why, "%.*s", STR_FMT(words));
        break;
    case 'N':
        buf_fmt(&o->notes, "%s%.*s", o->notes.n ? "; " : "", STR_FMT(words));
        break;
    default:
        snprintf(o->place, sizeof o->place, "%.*s", STR_FMT(words));
        break;
    }
}

/* Reads what the child says until it ends or its time is up. False: it is. */
static bool listen_to(struct outcome *o, int from, int64_t limit_s)
{
    AUTO(buf_done) struct buf said = {.max = 1 << 20};
    int64_t until = env_mono_us(&env_real) + limit_s * US_PER_S;
    for (;;) {
        int64_t left = until - env_mono_us(&env_real);
        struct pollfd ready = {.fd = from, .events = POLLIN};
        int n = left > 0 ? poll(&ready, 1, (int)(left / 1000) + 1) : 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        char piece[4096];
        ssize_t got = read(from, piece, sizeof piece);
        if (got <= 0)
            return true;
        buf_add(&said, piece, (size_t)got);
        for (char *nl; said.n && (nl = memchr(said.p, '\n', said.n));) {
            size_t n_line = (size_t)(nl - said.p);
            if (n_line > 0)
                take_line(o, str_n(said.p, n_line));
            memmove(said.p, nl + 1, said.n - n_line - 1);
            said.n -= n_line + 1;
        }
    }
}

static void run_test(struct checker *k, struct outcome *o)
{
    int ends[2];
    int64_t start = env_mono_us(&env_real);
    fflush(stdout);
    if (pipe(ends) != 0) {
        snprintf(o->why, sizeof o->why, "no pipe can be made: %m");
        return;
    }
    o->end = END_FAILED;
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        child(k, o->test, ends[1]);
    }
    setpgid(pid, pid);
    close(ends[1]);
    bool in_time = listen_to(o, ends[0], k->limit_s);
    close(ends[0]);
    int status = 0;
    if (!in_time)
        kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    kill(-pid, SIGKILL); /* whatever it left behind */
    const char *where = o->place[0] ? o->place : "its start";
    if (!in_time)
        snprintf(o->why, sizeof o->why, "no end after %lld s; last seen: %s", (long long)k->limit_s, where);
    else if (WIFSIGNALED(status))
        snprintf(o->why, sizeof o->why, "died of signal %d (%s) in: %s", WTERMSIG(status), strsignal(WTERMSIG(status)),
                 where);
    else if (o->end == END_FAILED && !o->why[0])
        snprintf(o->why, sizeof o->why, "the process ended by itself (status %d) in: %s", WEXITSTATUS(status), where);
    if (!in_time || WIFSIGNALED(status))
        o->end = END_FAILED;
    o->took_us = env_mono_us(&env_real) - start;
}

static void run_or_not(struct checker *k, struct outcome *o)
{
    const char *reason = project_get(&k->project, "bypass", o->test->name);
    if (reason && *reason) {
        o->end = END_BYPASSED;
        snprintf(o->why, sizeof o->why, "%s", reason);
    } else if (o->test->endpoint && !k->project.config) {
        o->end = END_NOT_RUN;
        snprintf(o->why, sizeof o->why, "there is no check.ini that says where the vendor is");
    } else {
        run_test(k, o);
    }
}

/* ---- telling */

static void print_tap(int number, const struct outcome *o)
{
    bool ok = o->end != END_FAILED;
    printf("%s %d - %s: %s", ok ? "ok" : "not ok", number, o->test->name, o->test->what);
    if (o->end == END_NOT_FOR || o->end == END_BYPASSED || o->end == END_NOT_RUN)
        printf(" # SKIP %s: %s", end_names[o->end], o->why);
    putchar('\n');
    if (o->end == END_FAILED)
        printf("  ---\n  why: %s\n  ...\n", o->why);
    if (o->notes.n)
        printf("# %s: %s\n", o->test->name, buf_text(&o->notes));
    fflush(stdout);
}

static enum grade grade_of(const struct checker *k)
{
    enum grade best = GRADE_GOLD;
    for (int i = 0; i < k->n; i++) {
        const struct outcome *o = &k->outcomes[i];
        if (o->end != END_OK && o->end != END_NOT_FOR && o->test->grade <= best)
            best = o->test->grade - 1;
    }
    return best;
}

static int count(const struct checker *k, enum end end)
{
    int n = 0;
    for (int i = 0; i < k->n; i++)
        n += k->outcomes[i].end == end;
    return n;
}

static void print_totals(const struct checker *k)
{
    for (enum grade g = GRADE_BRONZE; g <= GRADE_GOLD; g++) {
        int all = 0, good = 0;
        for (int i = 0; i < k->n; i++) {
            const struct outcome *o = &k->outcomes[i];
            all += o->test->grade == g;
            good += o->test->grade == g && (o->end == END_OK || o->end == END_NOT_FOR);
        }
        printf("# %s: %d of %d\n", grade_name(g), good, all);
    }
    printf("# seed %lld\n", (long long)k->seed);
    if (!k->only)
        printf("# grade: %s\n", grade_name(grade_of(k)));
}

static json_t *to_json(const struct checker *k)
{
    json_t *tests = json_array();
    for (int i = 0; i < k->n; i++) {
        const struct outcome *o = &k->outcomes[i];
        json_array_append_new(tests, json_pack("{s:s,s:s,s:s,s:s,s:s,s:I}", "name", o->test->name, "grade",
                                               grade_name(o->test->grade), "end", end_names[o->end], "why", o->why,
                                               "notes", buf_text(&o->notes), "took_us", (json_int_t)o->took_us));
    }
    return json_pack("{s:s,s:s?,s:I,s:i,s:o}", "connector", k->project.id, "grade",
                     k->only ? NULL : grade_name(grade_of(k)), "seed", (json_int_t)k->seed, "failed",
                     count(k, END_FAILED), "tests", tests);
}

/* ---- the command */

static bool wanted(const struct checker *k, const char *name)
{
    if (!k->only)
        return true;
    size_t n = strlen(k->only);
    return strncmp(name, k->only, n) == 0 && (name[n] == 0 || name[n] == '.');
}

static const struct check_test *const groups[] = {check_binary, check_life, check_discover, check_pull,  check_moving,
                                                  check_push,   check_view, check_action,   check_robust};

static void gather(struct checker *k)
{
    for (size_t g = 0; g < ARRAY_LEN(groups); g++)
        for (const struct check_test *t = groups[g]; t->name; t++)
            if (wanted(k, t->name) && k->n < TESTS_MAX)
                k->outcomes[k->n++].test = t;
}

static bool is_test(const char *name)
{
    for (size_t g = 0; g < ARRAY_LEN(groups); g++)
        for (const struct check_test *t = groups[g]; t->name; t++)
            if (strcmp(t->name, name) == 0)
                return true;
    return false;
}

/* A word that nobody reads would look like a test left out, or a kind left in. */
static int config_understood(const struct project *p, struct err *e)
{
    for (const struct ini_entry *x = p->ini.first; x; x = x->next) {
        if (strcmp(x->section, "bypass") == 0 && !is_test(x->key)) {
            err_set(e, TL_E_CONFIG, "%s:%d: [bypass]: there is no test \"%s\"", x->file, x->line, x->key);
            err_hint(e, "tieline-sdk check --list names them");
            return TL_E_CONFIG;
        }
        if (strcmp(x->section, "check") == 0 && strcmp(x->key, "kinds") != 0 && strcmp(x->key, "leave") != 0) {
            err_set(e, TL_E_CONFIG, "%s:%d: [check]: there is no key \"%s\"", x->file, x->line, x->key);
            err_hint(e, "kinds, leave");
            return TL_E_CONFIG;
        }
    }
    return TL_OK;
}

static int options(struct checker *k, int argc, char **argv, struct err *e)
{
    for (int i = 0; i < argc; i++) {
        const char *value;
        bool ok = true;
        if (strcmp(argv[i], "--json") == 0)
            k->json = true;
        else if (strcmp(argv[i], "--save") == 0)
            k->save = true;
        else if (strcmp(argv[i], "--list") == 0)
            k->list = true;
        else if ((value = tool_value(argc, argv, &i, "--config")))
            k->config = value;
        else if ((value = tool_value(argc, argv, &i, "--only")))
            k->only = value;
        else if ((value = tool_value(argc, argv, &i, "--seed")))
            ok = str_to_i64(str_of(value), &k->seed);
        else if ((value = tool_value(argc, argv, &i, "--rounds")))
            ok = str_to_i64(str_of(value), &k->rounds) && k->rounds > 0 && k->rounds < 1000000;
        else if ((value = tool_value(argc, argv, &i, "--limit")))
            ok = str_to_i64(str_of(value), &k->limit_s) && k->limit_s > 0 && k->limit_s <= LIMIT_MAX_S;
        else if (argv[i][0] != '-' && !k->so)
            k->so = argv[i];
        else
            ok = false;
        if (!ok) {
            err_set(e, E_USAGE, "\"%s\" is not understood", argv[i]);
            err_hint(e, "tieline-sdk check --help");
            return E_USAGE;
        }
    }
    gather(k);
    if (k->n == 0)
        return err_set(e, E_USAGE, "there is no test or group \"%s\"", k->only);
    if (!k->so && !k->list)
        return err_set(e, E_USAGE, "which connector? tieline-sdk check X.so");
    if (k->save && k->only)
        return err_set(e, E_USAGE, "a grade is of all tests: --save without --only");
    return TL_OK;
}

/* What was not tried is no success, and a grade is what was asked for. */
static int worth(const struct checker *k, struct err *e)
{
    if (count(k, END_NOT_RUN) > 0) {
        err_set(e, TL_E_NOT_FOUND, "%d of %d tests did not run: there is no check.ini that says where the vendor is",
                count(k, END_NOT_RUN), k->n);
        err_hint(e, "beside the connector, in the working directory, or named with --config FILE");
        return TL_E_NOT_FOUND;
    }
    if (count(k, END_FAILED) == 0 && !k->only && grade_of(k) == GRADE_NONE)
        return err_set(e, TL_E_UNSUPPORTED, "nothing failed, and a test of bronze is bypassed: that is no grade");
    return TL_OK;
}

static int check_all(struct checker *k, struct err *e)
{
    int rc = project_load(&k->project, k->so, k->config, e);
    rc = rc ? rc : config_understood(&k->project, e);
    if (rc)
        return rc;
    if (!k->json)
        printf("TAP version 13\n1..%d\n", k->n);
    for (int i = 0; i < k->n; i++) {
        run_or_not(k, &k->outcomes[i]);
        if (k->outcomes[i].end == END_REFUSED)
            return err_set(e, TL_E_CONFIG, "%s", k->outcomes[i].why);
        if (!k->json)
            print_tap(i + 1, &k->outcomes[i]);
    }
    json_t *o = to_json(k);
    if (k->json) {
        json_dumpf(o, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        print_totals(k);
    }
    json_decref(o);
    rc = k->save ? grade_save(k->project.so, grade_of(k), e) : TL_OK;
    return rc ? rc : worth(k, e);
}

int command_check(int argc, char **argv)
{
    static struct checker k = {.rounds = ROUNDS, .limit_s = LIMIT_S}; /* large; once a process */
    struct err e = {0};
    if (argc > 0 && strcmp(argv[0], "--help") == 0) {
        fputs(usage, stdout);
        return EXIT_DONE;
    }
    k.seed = (int64_t)(env_random_u64(&env_real) >> 32);
    int rc = options(&k, argc, argv, &e);
    if (!rc && k.list) {
        for (int i = 0; i < k.n; i++)
            printf("%-8s %-24s %s\n", grade_name(k.outcomes[i].test->grade), k.outcomes[i].test->name,
                   k.outcomes[i].test->what);
        return EXIT_DONE;
    }
    if (!rc)
        rc = check_all(&k, &e);
    bool failed = count(&k, END_FAILED) > 0;
    for (int i = 0; i < k.n; i++)
        buf_done(&k.outcomes[i].notes);
    project_done(&k.project);
    return rc ? tool_complain(&e) : failed ? EXIT_FAILED : EXIT_DONE;
}
