/* Handshake, options, and instances that come and go. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <seccomp.h>
#include <stdio.h>

#include "check_world.h"
#include "instance_int.h"
#include "loader.h"
#include "manifest.h"

enum { OPENS = 2000, WARM_UP = 100, HEAP_SLACK = 64 << 10, LATER_MINOR = 99, PULLS = 50 };

static struct module *load(struct check *c)
{
    struct err e = {0};
    struct module *m = NULL;
    check_at(c, "loading it");
    if (module_open(&m, c->project->so, c->project->id, &e))
        check_fail(c, "%s%s%s", e.text, e.hint[0] ? ": " : "", e.hint);
    return m;
}

/* ---- handshake */

static void loads(struct check *c)
{
    struct module *m = load(c);
    if (!m->connector.license || !*m->connector.license)
        check_note(c, "it names no licence");
    module_close(m);
}

/* From here on: whoever opens a connection, starts a process or a thread, or writes a file, is killed. */
static void forbid(struct check *c)
{
    static const char *const calls[] = {"socket", "connect", "execve", "execveat", "fork", "vfork", "clone", "clone3"};
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
    bool ok = f != NULL;
    for (size_t i = 0; ok && i < ARRAY_LEN(calls); i++)
        ok = seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, seccomp_syscall_resolve_name(calls[i]), 0) == 0;
    static const int writes[] = {O_WRONLY, O_RDWR};
    for (size_t i = 0; ok && i < ARRAY_LEN(writes); i++)
        ok = seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, SCMP_SYS(openat), 1,
                              SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE, (scmp_datum_t)writes[i])) == 0;
    ok = ok && seccomp_load(f) == 0;
    if (f)
        seccomp_release(f);
    if (!ok)
        check_not_for(c, "this kernel does not let a process give up system calls");
}

static void quiet(struct check *c)
{
    int descriptors = check_descriptors(), threads = check_threads();
    forbid(c);
    check_at(c, "being loaded where sockets, processes, threads and written files are forbidden");
    struct module *m = load(c);
    if (check_descriptors() > descriptors)
        check_fail(c, "loading leaves %d descriptors open", check_descriptors() - descriptors);
    if (check_threads() > threads)
        check_fail(c, "loading starts a thread");
    module_close(m);
}

static void same_table(struct check *c)
{
    struct module *a = load(c), *b = load(c);
    AUTO(buf_done) struct buf one = {0};
    AUTO(buf_done) struct buf two = {0};
    manifest_encode(&one, a->manifest);
    manifest_encode(&two, b->manifest);
    if (!str_eq(buf_lent(&one), buf_lent(&two)) || a->connector.open != b->connector.open ||
        a->connector.options != b->connector.options)
        check_fail(c, "the entry gives another table the second time");
    static const char *const unknown[] = {"", "tl.nothing/1", "tl.auth/99", "TL.AUTH/1"};
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
        check_at(c, "extension(\"%s\")", unknown[i]);
        if (a->connector.extension && a->connector.extension(unknown[i]))
            check_fail(c, "extension(\"%s\") answers with something", unknown[i]);
    }
    module_close(b);
    module_close(a);
}

/* What a host of a later minor looks like to it. */
static void later_host(struct check *c)
{
    check_open(c, false);
    c->seat.local->host.abi_minor = LATER_MINOR;
    c->seat.local->host.version = "99.0";
    check_at(c, "check and discover under a host of minor %d", LATER_MINOR);
    AUTO(call_free) struct call *check = call_new(CALL_CHECK, 1, TL_PURPOSE_BULK);
    AUTO(call_free) struct call *discover = call_new(CALL_DISCOVER, 1, TL_PURPOSE_BULK);
    check_run_ok(c, check);
    check_run_ok(c, discover);
}

/* ---- options */

static bool sounds_secret(const char *name)
{
    static const char *const words[] = {"secret", "password", "passwd", "token", "private_key", "api_key", "apikey"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strstr(name, words[i]))
            return true;
    return false;
}

static void option_list(struct check *c)
{
    struct module *m = load(c);
    for (uint32_t i = 0; i < m->manifest->n_options; i++) {
        const tl_option *o = &m->manifest->options[i];
        if (!*o->help)
            check_fail(c, "the option \"%s\" has no help", o->name);
        bool secret = o->type == TL_OPT_SECRET;
        if (sounds_secret(o->name) && !secret && !strstr(o->name, "url"))
            check_fail(c, "the option \"%s\" sounds like a secret, and is not of type TL_OPT_SECRET", o->name);
        if (secret && o->def && *o->def)
            check_fail(c, "the secret \"%s\" has a default", o->name);
    }
    module_close(m);
}

/* open() and check() with the options given; anything but a crash, TL_E_BUG and silence will do. */
static void with_options(struct check *c, const tl_pair *open, uint32_t n)
{
    const tl_pair *all = c->stand.options.open;
    uint32_t n_all = c->stand.options.n_open;
    tl_error error;
    c->stand.options.open = open;
    c->stand.options.n_open = n;
    struct seat seat;
    tl_status s = seat_open(&seat, &c->stand, TL_PURPOSE_LIVE, NULL, NULL, &error);
    if (s == TL_E_BUG || (s && !error.text[0]))
        check_fail(c, "open ended with \"%s\": %s", status_name(s), error.text);
    if (s == TL_OK) {
        AUTO(call_free) struct call *call = call_new(CALL_CHECK, 1, TL_PURPOSE_LIVE);
        seat_run(&seat, call);
        if (call->reply.status == TL_E_BUG)
            check_fail(c, "check: %s", call->reply.error.text);
        seat_close(&seat);
    }
    c->stand.options.open = all;
    c->stand.options.n_open = n_all;
}

static void options_missing(struct check *c)
{
    check_open(c, false);
    uint32_t n = c->stand.options.n_open;
    tl_pair *some = arena_array(&c->stand.arena, tl_pair, n + 1);
    check_at(c, "open without any option");
    with_options(c, some, 0);
    for (uint32_t out = 0; out < n; out++) {
        uint32_t k = 0;
        for (uint32_t i = 0; i < n; i++)
            if (i != out)
                some[k++] = c->stand.options.open[i];
        check_at(c, "open without the option \"%.*s\"", STR_FMT(c->stand.options.open[out].name));
        with_options(c, some, k);
    }
}

/* ---- life */

static void open_close(struct check *c, int times)
{
    for (int i = 0; i < times; i++) {
        struct seat seat;
        tl_error error;
        if (seat_open(&seat, &c->stand, TL_PURPOSE_LIVE, NULL, NULL, &error))
            check_fail(c, "open %d ended with: %s", i + 1, error.text);
        seat_close(&seat);
    }
}

static size_t heap_in_use(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

static void many(struct check *c)
{
    check_open(c, false);
    check_at(c, "opening and closing %d times", OPENS);
    open_close(c, WARM_UP);
    int descriptors = check_descriptors(), threads = check_threads();
    size_t heap = heap_in_use();
    open_close(c, OPENS);
    if (check_descriptors() != descriptors)
        check_fail(c, "%d instances leave %d descriptors", OPENS, check_descriptors() - descriptors);
    if (check_threads() != threads)
        check_fail(c, "%d instances leave %d threads", OPENS, check_threads() - threads);
    size_t now = heap_in_use();
    if (now > heap + HEAP_SLACK)
        check_fail(c, "%d instances leave %zu bytes, %zu each", OPENS, now - heap, (now - heap) / OPENS);
}

/* The first page of a pass, again and again by one instance: what a call takes it gives back, or takes once. */
static void pulls(struct check *c)
{
    check_open(c, false);
    check_kinds_needed(c, TL_CAN_PASS, "can be read as a whole (TL_CAN_PASS)");
    const struct stand_kind *k;
    for (uint32_t i = 0; (k = check_kind(c, TL_CAN_PASS, i)); i++) {
        size_t heap = 0;
        int descriptors = 0;
        check_at(c, "pulling %s %d times", k->name, PULLS);
        for (int n = 0; n < 2 * PULLS; n++) {
            AUTO(call_free) struct call *call = check_pull_call(k, TL_PULL_PASS, "", 1, CHECK_PAGE_SIZE);
            if (n == PULLS) {
                heap = heap_in_use();
                descriptors = check_descriptors();
            }
            check_run_ok(c, call);
        }
        size_t now = heap_in_use();
        if (now > heap + HEAP_SLACK)
            check_fail(c, "%d pulls of %s leave %zu bytes, %zu each", PULLS, k->name, now - heap, (now - heap) / PULLS);
        if (check_descriptors() > descriptors)
            check_fail(c, "%d pulls of %s leave %d descriptors", PULLS, k->name, check_descriptors() - descriptors);
    }
}

static void two(struct check *c)
{
    check_open(c, false);
    struct seat other;
    tl_error error;
    check_at(c, "two instances at once");
    if (seat_open(&other, &c->stand, TL_PURPOSE_LIVE, NULL, NULL, &error))
        check_fail(c, "a second instance cannot be opened: %s", error.text);
    AUTO(call_free) struct call *a = call_new(CALL_DISCOVER, 1, TL_PURPOSE_BULK);
    AUTO(call_free) struct call *b = call_new(CALL_DISCOVER, 1, TL_PURPOSE_LIVE);
    check_run_ok(c, a);
    seat_run(&other, b);
    if (b->reply.status || !str_eq(buf_lent(&a->reply.items), buf_lent(&b->reply.items)))
        check_fail(c, "the second instance says something else than the first");
    seat_close(&c->seat);
    c->seat = other;
    AUTO(call_free) struct call *again = call_new(CALL_DISCOVER, 1, TL_PURPOSE_LIVE);
    seat_run(&other, again);
    if (again->reply.status)
        check_fail(c, "after the first was closed the second says: %s", again->reply.error.text);
}

static void unload(struct check *c)
{
    int threads = check_threads();
    check_open(c, false);
    uint32_t flags = c->stand.module->connector.flags;
    seat_close(&c->seat);
    check_at(c, "unloading it");
    bool gone = stand_close(&c->stand);
    if (flags & (TL_PLUGIN_OWN_THREADS | TL_PLUGIN_KEEP_MAPPED))
        check_note(c, "it asks never to be unmapped");
    else if (!gone)
        check_fail(c, "its code stays mapped after unload");
    else if (check_threads() != threads)
        check_fail(c, "a thread of it goes on after unload");
}

const struct check_test check_life[] = {
    {"handshake.loads", GRADE_BRONZE, false, loads, "this host takes it"},
    {"handshake.quiet", GRADE_BRONZE, false, quiet, "loading opens no connection, starts nothing, writes no file"},
    {"handshake.same_table", GRADE_BRONZE, false, same_table, "the same table each time, no unknown extension"},
    {"handshake.later_host", GRADE_SILVER, true, later_host, "works under a host of a later minor"},
    {"config.options", GRADE_BRONZE, false, option_list, "every option has help, every secret is declared one"},
    {"config.missing", GRADE_SILVER, true, options_missing, "a missing option is said, not tripped over"},
    {"lifecycle.many", GRADE_SILVER, true, many, "2,000 instances leave no descriptor, thread or memory"},
    {"lifecycle.pulls", GRADE_SILVER, true, pulls, "pulls leave no memory and no descriptor"},
    {"lifecycle.two", GRADE_SILVER, true, two, "two instances do not disturb each other"},
    {"lifecycle.unload", GRADE_SILVER, true, unload, "nothing of it is left after unload"},
    {0},
};
