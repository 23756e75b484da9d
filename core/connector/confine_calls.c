/* seccomp: the calls of a worker. Whatever is in none of the tables is refused. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "confine.h"

/* A call that this architecture does not have has a number below zero. */
#define CALL(name) SCMP_SYS(name)

/* Computing, waiting, memory, threads, and the descriptors that are open already. */
static const int allowed[] = {
    CALL(read), CALL(write), CALL(readv), CALL(writev), CALL(pread64), CALL(pwrite64), CALL(lseek), CALL(close),
    CALL(fstat), CALL(dup), CALL(dup2), CALL(dup3), CALL(pipe2), CALL(eventfd2), CALL(poll), CALL(ppoll), CALL(select),
    CALL(pselect6), CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_wait), CALL(epoll_pwait), CALL(timerfd_create),
    CALL(timerfd_settime), CALL(timerfd_gettime), CALL(sendmsg), CALL(recvmsg),
    /* memory */
    CALL(mmap), CALL(munmap), CALL(mremap), CALL(mprotect), CALL(madvise), CALL(brk), CALL(mincore), CALL(membarrier),
    /* threads */
    CALL(futex), CALL(futex_waitv), CALL(sched_yield), CALL(sched_getaffinity), CALL(sched_getparam),
    CALL(sched_getscheduler), CALL(sched_get_priority_max), CALL(sched_get_priority_min), CALL(set_robust_list),
    CALL(get_robust_list), CALL(rseq), CALL(set_tid_address), CALL(gettid), CALL(arch_prctl), CALL(getcpu), CALL(exit),
    CALL(exit_group), CALL(restart_syscall),
    /* who, when, how much */
    CALL(getpid), CALL(getppid), CALL(getuid), CALL(geteuid), CALL(getgid), CALL(getegid), CALL(uname), CALL(sysinfo),
    CALL(getrandom), CALL(times), CALL(getrusage), CALL(getrlimit), CALL(clock_gettime), CALL(clock_getres),
    CALL(clock_nanosleep), CALL(nanosleep), CALL(gettimeofday), CALL(time),
    /* signals to itself */
    CALL(rt_sigaction), CALL(rt_sigprocmask), CALL(rt_sigreturn), CALL(rt_sigpending), CALL(rt_sigtimedwait),
    CALL(rt_sigsuspend), CALL(sigaltstack)};

/* Opened while it is mapped, and later in granted directories. */
static const int opens[] = {CALL(open), CALL(openat)};

/* With granted directories only: Landlock watches over what is read, written, made, moved and removed. Names and sizes
 * of other files can be seen then, which it does not hide. Owners, modes, attributes and truncation by name it does not
 * watch (or not in every version), so those stay refused. */
static const int files[] = {CALL(stat),      CALL(lstat),      CALL(newfstatat),      CALL(statx),  CALL(access),
                            CALL(faccessat), CALL(faccessat2), CALL(getdents64),      CALL(unlink), CALL(unlinkat),
                            CALL(rmdir),     CALL(mkdir),      CALL(mkdirat),         CALL(rename), CALL(renameat),
                            CALL(renameat2), CALL(ftruncate),  CALL(fallocate),       CALL(fsync),  CALL(fdatasync),
                            CALL(flock),     CALL(fadvise64),  CALL(copy_file_range), CALL(fstatfs)};

/* Asked in passing by libraries that can do without; nobody needs to hear of it. */
static const struct {
    int call, error;
} quiet[] = {{CALL(clone3), ENOSYS}, /* its flags cannot be looked at; the C library takes clone() then */
             {CALL(ioctl), ENOTTY},  /* "is this a terminal?" */
             {CALL(readlink), EACCES},  {CALL(readlinkat), EACCES},
             {CALL(getcwd), EACCES},    {CALL(sched_setaffinity), EPERM},
             {CALL(setpriority), EPERM}};

/* Nothing honest does that: other processes, programs, the kernel's insides, ways around the filter. */
static const int fatal[] = {CALL(execve),
                            CALL(execveat),
                            CALL(fork),
                            CALL(vfork),
                            CALL(clone),
                            CALL(kill),
                            CALL(tkill),
                            CALL(tgkill),
                            CALL(rt_sigqueueinfo),
                            CALL(rt_tgsigqueueinfo),
                            CALL(pidfd_open),
                            CALL(pidfd_getfd),
                            CALL(pidfd_send_signal),
                            CALL(ptrace),
                            CALL(process_vm_readv),
                            CALL(process_vm_writev),
                            CALL(process_madvise),
                            CALL(process_mrelease),
                            CALL(kcmp),
                            CALL(bpf),
                            CALL(perf_event_open),
                            CALL(userfaultfd),
                            CALL(io_uring_setup),
                            CALL(io_uring_enter),
                            CALL(io_uring_register),
                            CALL(io_setup),
                            CALL(seccomp),
                            CALL(unshare),
                            CALL(setns),
                            CALL(chroot),
                            CALL(pivot_root),
                            CALL(mount),
                            CALL(umount2),
                            CALL(open_tree),
                            CALL(move_mount),
                            CALL(fsopen),
                            CALL(fsmount),
                            CALL(open_by_handle_at),
                            CALL(name_to_handle_at),
                            CALL(mknod),
                            CALL(mknodat),
                            CALL(keyctl),
                            CALL(add_key),
                            CALL(request_key),
                            CALL(init_module),
                            CALL(finit_module),
                            CALL(delete_module),
                            CALL(kexec_load),
                            CALL(kexec_file_load),
                            CALL(reboot),
                            CALL(settimeofday),
                            CALL(clock_settime),
                            CALL(clock_adjtime),
                            CALL(adjtimex),
                            CALL(setuid),
                            CALL(setgid),
                            CALL(setreuid),
                            CALL(setregid),
                            CALL(setresuid),
                            CALL(setresgid),
                            CALL(setgroups),
                            CALL(capset),
                            CALL(personality),
                            CALL(modify_ldt),
                            CALL(iopl),
                            CALL(ioperm),
                            CALL(memfd_create),
                            CALL(memfd_secret),
                            CALL(setsid),
                            CALL(setpgid)};

/* Refused by name also where everything else is allowed, which is under sanitizers. */
static const int network[] = {CALL(socket),   CALL(socketpair), CALL(connect),  CALL(bind),     CALL(listen),
                              CALL(accept),   CALL(accept4),    CALL(sendto),   CALL(sendmmsg), CALL(chmod),
                              CALL(fchmodat), CALL(chown),      CALL(fchownat), CALL(truncate), CALL(link),
                              CALL(linkat),   CALL(symlink),    CALL(symlinkat)};

static bool is_in(int call, const int *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == call)
            return true;
    return false;
}

/* ---- building ---- */

/* Collects the first failure. */
struct builder {
    scmp_filter_ctx filter;
    uint32_t otherwise; /* the action for what no rule is about */
    int failed;
};

static void note(struct builder *b, int rc)
{
    if (rc < 0 && !b->failed)
        b->failed = rc;
}

static void rule(struct builder *b, uint32_t action, int call)
{
    if (call >= 0 && action != b->otherwise) /* the library refuses a rule that says nothing */
        note(b, seccomp_rule_add(b->filter, action, call, 0));
}

static void rules(struct builder *b, uint32_t action, const int *calls, size_t n)
{
    for (size_t i = 0; i < n; i++)
        rule(b, action, calls[i]);
}

static void rule_if(struct builder *b, uint32_t action, int call, struct scmp_arg_cmp cmp)
{
    if (call >= 0)
        note(b, seccomp_rule_add_array(b->filter, action, call, 1, &cmp));
}

static void rule_if2(struct builder *b, uint32_t action, int call, struct scmp_arg_cmp one, struct scmp_arg_cmp two)
{
    struct scmp_arg_cmp both[] = {one, two};
    note(b, seccomp_rule_add_array(b->filter, action, call, ARRAY_LEN(both), both));
}

/* A descriptor can be told to send a signal of one's choice to any process of the same user: that is kill() by another
 * name. The rest of fcntl() is about the descriptor itself. */
static const scmp_datum_t signalling[] = {F_SETOWN, F_SETOWN_EX, F_SETSIG};

static void add_fcntl(struct builder *b)
{
    static const scmp_datum_t own[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD,     F_SETFD,     F_GETFL,     F_GETLK,
                                       F_SETLK, F_SETLKW,        F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW};
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        rule_if(b, SCMP_ACT_ALLOW, CALL(fcntl), SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, own[i]));
    rule_if2(b, SCMP_ACT_ALLOW, CALL(fcntl), SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, F_SETFL),
             SCMP_A2(SCMP_CMP_MASKED_EQ, O_ASYNC, 0));
}

/* Calls that depend on their arguments: threads but no processes, signals to itself, looking at limits, a thread's
 * name, a file's own size. */
static void add_conditional(struct builder *b)
{
    add_fcntl(b);
    rule_if(b, SCMP_ACT_ALLOW, CALL(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    rule_if(b, SCMP_ACT_ALLOW, CALL(tgkill), SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
    rule_if(b, SCMP_ACT_ALLOW, CALL(prlimit64), SCMP_A2(SCMP_CMP_EQ, 0));
    static const scmp_datum_t own[] = {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS};
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        rule_if(b, SCMP_ACT_ALLOW, CALL(prctl), SCMP_A0(SCMP_CMP_EQ, own[i]));
}

static void add_files(struct builder *b, const struct confine_wish *w, bool listens)
{
    if (w->n_dirs > 0) {
        rules(b, SCMP_ACT_ALLOW, opens, ARRAY_LEN(opens));
        rules(b, SCMP_ACT_ALLOW, files, ARRAY_LEN(files));
        return;
    }
    /* The C library's fstat(): a name is not asked for. */
    rule_if(b, SCMP_ACT_ALLOW, CALL(newfstatat), SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH));
    if (!listens) { /* the host cannot be asked: reading, until filter two */
        const scmp_datum_t writes = O_ACCMODE | O_CREAT | O_TRUNC;
        rule_if(b, SCMP_ACT_ALLOW, CALL(open), SCMP_A1(SCMP_CMP_MASKED_EQ, writes, O_RDONLY));
        rule_if(b, SCMP_ACT_ALLOW, CALL(openat), SCMP_A2(SCMP_CMP_MASKED_EQ, writes, O_RDONLY));
    }
}

static scmp_filter_ctx build_one(const struct confine_wish *w, bool listens, int *rc_out)
{
    uint32_t refuse = listens ? SCMP_ACT_NOTIFY : SCMP_ACT_ERRNO(EACCES);
    uint32_t attack = listens ? SCMP_ACT_NOTIFY : SCMP_ACT_KILL_PROCESS;
    struct builder b = {.otherwise = refuse};
#ifdef TIELINE_SANITIZED /* what a sanitizer asks for besides is its own affair */
    b.otherwise = SCMP_ACT_ALLOW;
    b.filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!b.filter)
        return NULL;
    (void)add_files;
    (void)add_conditional;
    (void)allowed;
    (void)quiet;
    (void)w;
    rule(&b, SCMP_ACT_ERRNO(ENOSYS), CALL(clone3));
    rules(&b, refuse, network, ARRAY_LEN(network));
    for (size_t i = 0; i < ARRAY_LEN(fatal); i++)
        if (fatal[i] != CALL(clone) && fatal[i] != CALL(tgkill) && fatal[i] != CALL(personality))
            rule(&b, attack, fatal[i]);
    rule_if(&b, attack, CALL(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
    for (size_t i = 0; i < ARRAY_LEN(signalling); i++)
        rule_if(&b, refuse, CALL(fcntl), SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, signalling[i]));
    rule_if2(&b, refuse, CALL(fcntl), SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, F_SETFL),
             SCMP_A2(SCMP_CMP_MASKED_EQ, O_ASYNC, O_ASYNC));
    (void)add_fcntl;
#else
    b.filter = seccomp_init(refuse);
    if (!b.filter)
        return NULL;
    rules(&b, SCMP_ACT_ALLOW, allowed, ARRAY_LEN(allowed));
    add_conditional(&b);
    add_files(&b, w, listens);
    for (size_t i = 0; i < ARRAY_LEN(quiet); i++)
        rule(&b, SCMP_ACT_ERRNO((uint32_t)quiet[i].error), quiet[i].call);
    (void)network;
    (void)signalling;
    if (attack != refuse)
        for (size_t i = 0; i < ARRAY_LEN(fatal); i++)
            if (fatal[i] != CALL(clone) && fatal[i] != CALL(tgkill) && fatal[i] != CALL(seccomp))
                rule(&b, attack, fatal[i]);
    if (!listens)
        rule(&b, SCMP_ACT_ALLOW, CALL(seccomp)); /* for filter two, which takes it away */
    if (attack != refuse)
        rule_if(&b, attack, CALL(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
#endif
    /* Calls of another architecture (32 bits, x32) have other numbers: nobody could say which one it was. */
    note(&b, seccomp_attr_set(b.filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS));
    *rc_out = b.failed;
    return b.filter;
}

static int load(scmp_filter_ctx filter, int rc, int *listener_out)
{
    if (!filter)
        return -ENOMEM;
    if (rc == 0)
        rc = seccomp_load(filter);
    if (rc == 0 && listener_out)
        *listener_out = seccomp_notify_fd(filter);
    seccomp_release(filter);
    return rc;
}

int confine_calls(const struct confine_wish *w, struct confinement *c, int *listener_out, struct err *e)
{
    int rc = 0;
    *listener_out = -1;
    scmp_filter_ctx filter = build_one(w, true, &rc);
    if (load(filter, rc, listener_out) == 0 && *listener_out >= 0) {
        c->listens = true;
        return TL_OK;
    }
    rc = 0;
    filter = build_one(w, false, &rc);
    rc = load(filter, rc, NULL);
    if (rc == 0)
        return TL_OK;
    errno = -rc;
    err_errno(e, "cannot confine the worker with seccomp");
    err_hint(e, "a kernel without seccomp runs connectors with \"isolation = inprocess\" only");
    return e ? e->status : TL_E_CONFIG;
}

int confine_loaded(const struct confine_wish *w, const struct confinement *c, struct err *e)
{
#ifdef TIELINE_SANITIZED
    return TL_OK; /* reports are made of files */
#endif
    if (c->listens || w->n_dirs > 0)
        return TL_OK;
    struct builder b = {.filter = seccomp_init(SCMP_ACT_ALLOW), .otherwise = SCMP_ACT_ALLOW};
    if (!b.filter)
        return err_set(e, TL_E_BUG, "cannot build the second filter");
    note(&b, seccomp_attr_set(b.filter, SCMP_FLTATR_CTL_TSYNC, 1));
    note(&b, seccomp_attr_set(b.filter, SCMP_FLTATR_CTL_NNP, 0)); /* given up already */
    rules(&b, SCMP_ACT_ERRNO(EACCES), opens, ARRAY_LEN(opens));
    rule(&b, SCMP_ACT_KILL_PROCESS, CALL(seccomp));
    int rc = load(b.filter, b.failed, NULL);
    if (rc == 0)
        return TL_OK;
    errno = -rc;
    return err_errno(e, "cannot take the files from the worker");
}

/* ---- judging ---- */

static bool only_reads(int call, const uint64_t args[6])
{
    uint64_t flags = call == CALL(open) ? args[1] : args[2];
    return (flags & (O_ACCMODE | O_CREAT | O_TRUNC)) == O_RDONLY;
}

enum cell_answer confine_judge(int call, const uint64_t args[6], bool loading, int *errno_out)
{
    *errno_out = EACCES;
    if (is_in(call, opens, ARRAY_LEN(opens)))
        return loading && only_reads(call, args) ? CELL_CONTINUE : CELL_ERRNO;
    if (is_in(call, fatal, ARRAY_LEN(fatal)))
        return CELL_KILL;
    if (call != CALL(fcntl) && !is_in(call, network, ARRAY_LEN(network)) && !is_in(call, files, ARRAY_LEN(files)))
        *errno_out = ENOSYS; /* as on an older kernel: a library has its way around */
    return CELL_ERRNO;
}

void confine_call_name(int call, char *out, size_t cap)
{
    char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call);
    if (name)
        snprintf(out, cap, "%s", name);
    else
        snprintf(out, cap, "system call %d", call);
    free(name);
}
