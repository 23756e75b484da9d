/* What every test does: start the vendor and the connector, make calls, end with a word to the parent. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"

/* ---- ends */

static void send_line(struct check *c, char tag, const char *fmt, va_list ap)
{
    AUTO(buf_done) struct buf b = {.max = 3000};
    buf_char(&b, tag);
    buf_fmtv(&b, fmt, ap);
    for (size_t i = 0; i < b.n; i++)
        if (b.p[i] == '\n')
            b.p[i] = ' ';
    buf_char(&b, '\n');
    (void)!write(c->to, b.p, b.n);
}

/* The connector may be in any state, so nothing of it is touched. */
static _Noreturn void leave(struct check *c)
{
    if (c->stand.vendor.pid > 0)
        vendor_stop(&c->stand.vendor);
    if (c->project->running)
        vendor_stop(c->project->running);
    if (c->stand.blobs[0])
        rmdir(c->stand.blobs);
    _exit(0);
}

void check_fail(struct check *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    send_line(c, 'F', fmt, ap);
    va_end(ap);
    leave(c);
}

void check_refuse(struct check *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    send_line(c, 'C', fmt, ap);
    va_end(ap);
    leave(c);
}

void check_not_for(struct check *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    send_line(c, 'S', fmt, ap);
    va_end(ap);
    leave(c);
}

void check_note(struct check *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    send_line(c, 'N', fmt, ap);
    va_end(ap);
}

void check_at(struct check *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    send_line(c, 'A', fmt, ap);
    va_end(ap);
}

/* ---- a connector at work */

static void seat_of(struct check *c)
{
    tl_error error;
    tl_status s = seat_open(&c->seat, &c->stand, TL_PURPOSE_BULK, fault_wrap, &c->fault, &error);
    if (s)
        check_fail(c, "open ended with \"%s\": %s", status_name(s), error.text);
}

static void prepare(struct check *c)
{
    if (!c->stand.manifest->prepare)
        return;
    AUTO(call_free) struct call *call = call_new(CALL_PREPARE, 1, TL_PURPOSE_BULK);
    check_run_ok(c, call);
}

/* A kind it does not have would leave every test without a subject, and none of them failed. */
static void kinds_chosen(struct check *c)
{
    const char *only = project_get(c->project, "check", "kinds");
    AUTO(buf_done) struct buf known = {0};
    for (uint32_t i = 0; i < c->stand.n_kinds; i++)
        buf_fmt(&known, "%s%s", i ? ", " : "", c->stand.kinds[i].name);
    str left = str_of(only ? only : ""), name;
    while (str_split(&left, ',', &name)) {
        str kind = str_trim(name);
        if (kind.n && !stand_kind(&c->stand, arena_str(&c->stand.arena, kind).p))
            check_refuse(c, "%s: [check] kinds: there is no kind \"%.*s\"; discover tells of %s", c->project->config,
                         STR_FMT(kind), buf_text(&known));
    }
}

void check_open(struct check *c, bool isolated)
{
    struct err e = {0};
    check_at(c, "loading it");
    if (stand_open(&c->stand, c->project, isolated, true, &e))
        check_fail(c, "%s%s%s", e.text, e.hint[0] ? ": " : "", e.hint);
    fault_reset(&c->fault);
    seat_of(c);
    prepare(c);
    AUTO(call_free) struct call *call = call_new(CALL_DISCOVER, 1, TL_PURPOSE_BULK);
    check_run_ok(c, call);
    stand_learn(&c->stand, &call->reply);
    if (c->stand.n_kinds == 0)
        check_fail(c, "discover tells of no kind");
    kinds_chosen(c);
}

void check_reseat(struct check *c)
{
    seat_close(&c->seat);
    fault_reset(&c->fault);
    seat_of(c);
}

void check_run(struct check *c, struct call *call)
{
    struct reply *r = &call->reply;
    seat_run(&c->seat, call);
    if (r->crashed)
        check_fail(c, "it crashed in %s", call_kind_name(call->kind));
    if (r->status == TL_E_BUG)
        check_fail(c, "%s: %s", call_kind_name(call->kind), r->error.text);
    if (r->status && r->status != TL_E_CANCELLED && !r->error.text[0])
        check_fail(c, "%s ended with \"%s\" and without words", call_kind_name(call->kind), status_name(r->status));
}

void check_run_ok(struct check *c, struct call *call)
{
    check_run(c, call);
    if (call->reply.status)
        check_fail(c, "%s ended with \"%s\": %s", call_kind_name(call->kind), status_name(call->reply.status),
                   call->reply.error.text);
}

const struct stand_kind *check_kind(const struct check *c, uint32_t can, uint32_t k)
{
    const char *only = project_get(c->project, "check", "kinds");
    for (uint32_t i = 0; i < c->stand.n_kinds; i++) {
        const struct stand_kind *x = &c->stand.kinds[i];
        if ((x->told.can & can) == can && (!only || str_in_list(str_of(only), x->told.kind)) && k-- == 0)
            return x;
    }
    return NULL;
}

void check_kinds_needed(struct check *c, uint32_t can, const char *words)
{
    if (!check_kind(c, can, 0))
        check_not_for(c, "it has no kind that %s", words);
}

static int entries(const char *path)
{
    DIR *d = opendir(path);
    int n = 0;
    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n;
}

int check_threads(void)
{
    return entries("/proc/self/task");
}

int check_descriptors(void)
{
    return entries("/proc/self/fd");
}

/* splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators") */
uint64_t check_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}
