#include "worker_fault.h"

#include <execinfo.h>
#include <link.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "str.h"

enum { PLACES = 14, OBJECTS = 48, NAME_MAX_SHOWN = 48, ALT_STACK = 64 << 10 };

struct object {
    uintptr_t base, end;
    char name[NAME_MAX_SHOWN];
};

/* What is mapped. Written by the main thread alone, before there are others; read inside of signal handlers, which may
 * take no lock and so cannot ask the dynamic linker. */
static struct {
    struct object objects[OBJECTS];
    size_t n;
    bool all; /* the connector is among them */
    char *module, *name;
} mapped;

static int add_object(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    if (mapped.n == OBJECTS)
        return 1;
    struct object *o = &mapped.objects[mapped.n++];
    const char *slash = strrchr(info->dlpi_name, '/');
    const char *name = slash ? slash + 1 : info->dlpi_name[0] ? info->dlpi_name : "tieline-worker";
    if (strcmp(info->dlpi_name, mapped.module) == 0)
        name = mapped.name; /* the staged copy is called by its hash, too */
    size_t n = strnlen(name, sizeof o->name - 1);
    memcpy(o->name, name, n);
    o->name[n] = '\0';
    o->base = info->dlpi_addr;
    o->end = o->base;
    for (size_t i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD &&
            o->base + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz > o->end)
            o->end = o->base + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;
    return 0;
}

static void look_around(void)
{
    mapped.n = 0;
    dl_iterate_phdr(add_object, NULL);
}

/* ---- in a signal handler: no memory, no locks, no stdio ---- */

struct line {
    char text[256];
    size_t n;
};

static void put(struct line *l, const char *s)
{
    while (*s && l->n < sizeof l->text - 1)
        l->text[l->n++] = *s++;
}

static void put_number(struct line *l, uint64_t v, unsigned base)
{
    char digits[24];
    size_t n = sizeof digits - 1;
    digits[n] = '\0';
    do
        digits[--n] = "0123456789abcdef"[v % base];
    while ((v /= base) && n > 0);
    put(l, digits + n);
}

static void put_place(struct line *l, uintptr_t at)
{
    for (size_t i = 0; i < mapped.n; i++) {
        const struct object *o = &mapped.objects[i];
        if (at < o->base || at >= o->end)
            continue;
        put(l, o->name);
        put(l, "+0x");
        put_number(l, at - o->base, 16);
        return;
    }
    put(l, "0x");
    put_number(l, at, 16);
}

static void print(struct line *l)
{
    put(l, "\n");
    ssize_t n = write(STDERR_FILENO, l->text, l->n);
    (void)n; /* nobody could be told */
}

static const char *fault_name(int sig)
{
    switch (sig) {
    case SIGSEGV:
        return "SIGSEGV, a bad address";
    case SIGBUS:
        return "SIGBUS, an address without memory behind it";
    case SIGFPE:
        return "SIGFPE, an impossible division";
    case SIGILL:
        return "SIGILL, an impossible instruction";
    case SIGABRT:
        return "SIGABRT, it gave up";
    default:
        return "a signal";
    }
}

/* The handler is gone when it runs (SA_RESETHAND): a second fault in here, or the return from it, ends the process. */
static void on_fault(int sig, siginfo_t *info, void *unused)
{
    (void)unused;
    struct line what = {.n = 0};
    put(&what, fault_name(sig));
    if (sig == SIGSEGV || sig == SIGBUS) {
        put(&what, " 0x");
        put_number(&what, (uintptr_t)info->si_addr, 16);
    }
    print(&what);
    if (!mapped.all) /* a constructor's fault: this thread has the linker's lock, or nobody has */
        look_around();
    void *places[PLACES];
    int n = backtrace(places, PLACES);
    for (int i = 1; i < n; i++) { /* the first is this function */
        struct line where = {.n = 0};
        put(&where, "  ");
        put_place(&where, (uintptr_t)places[i]);
        print(&where);
    }
    if (sig == SIGABRT || info->si_code <= 0) /* sent: returning would not bring it back */
        raise(sig);
}

/* ---- setting up ---- */

void worker_fault_loaded(void)
{
    look_around();
    mapped.all = true;
}

void worker_fault_init(const char *module, const char *id)
{
    mapped.module = text_dup(module);
    mapped.name = text_fmt("%s.so", id);
    void *once[2];
    (void)backtrace(once, 2); /* loads what it needs, which could not be done later */
#ifndef TIELINE_SANITIZED     /* a sanitizer tells more */
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    struct sigaction act = {.sa_sigaction = on_fault,
                            .sa_flags = (int)(SA_SIGINFO | SA_RESETHAND | SA_NODEFER | SA_ONSTACK)};
    sigemptyset(&act.sa_mask);
    for (size_t i = 0; i < ARRAY_LEN(faults); i++)
        sigaction(faults[i], &act, NULL);
#else
    (void)on_fault;
#endif
}

void *worker_fault_stack(void)
{
    void *stack = mmap(NULL, ALT_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED)
        return NULL;
    stack_t s = {.ss_sp = stack, .ss_size = ALT_STACK};
    sigaltstack(&s, NULL);
    return stack;
}

void worker_fault_stack_drop(void *stack)
{
    if (!stack)
        return;
    stack_t none = {.ss_flags = SS_DISABLE};
    sigaltstack(&none, NULL);
    munmap(stack, ALT_STACK);
}
