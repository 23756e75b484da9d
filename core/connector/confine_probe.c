#include "confine_probe.h"

#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool has_action(uint32_t action)
{
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

void confine_probe(struct confine_abilities *out)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    *out = (struct confine_abilities){.landlock = version > 0 ? (uint32_t)version : 0,
                                      .filters = has_action(SECCOMP_RET_KILL_PROCESS) && has_action(SECCOMP_RET_ERRNO),
                                      .listens = has_action(SECCOMP_RET_USER_NOTIF)};
}
