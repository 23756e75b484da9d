/* Runs a program as on a kernel where a worker can have no seccomp listener: the kernel gives a process and what comes
 * of it only one, and this one takes it. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SKIPPED = 77 };

int main(int argc, char **argv)
{
    struct sock_filter allow = {.code = BPF_RET | BPF_K, .k = SECCOMP_RET_ALLOW};
    struct sock_fprog filter = {.len = 1, .filter = &allow};
    if (argc < 2)
        return 2;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return 1;
    long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
    if (fd < 0) {
        printf("there is no listener to take (%s): the test itself shows that case\n", strerror(errno));
        return SKIPPED;
    }
    int kept = dup((int)fd); /* the first one closes with exec */
    execv(argv[1], argv + 1);
    printf("cannot run %s: %s\n", argv[1], kept < 0 ? "no descriptor" : strerror(errno));
    return 1;
}
