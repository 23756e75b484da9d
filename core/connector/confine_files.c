/* Landlock by its bare system calls: Debian 12's C library has no wrapper, and its headers know version 2 of the ABI
 * alone. What the kernel can restrict is asked at run time; everything it can restrict is. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine.h"

/* Of later versions; Documentation/userspace-api/landlock.rst. */
#define FS_TRUNCATE   (UINT64_C(1) << 14) /* 3 */
#define FS_IOCTL_DEV  (UINT64_C(1) << 15) /* 5 */
#define NET_TCP       UINT64_C(3)         /* 4: bind, connect */
#define SCOPE_SOCKETS (UINT64_C(1) << 0)  /* 6: abstract UNIX sockets */
#define SCOPE_SIGNALS (UINT64_C(1) << 1)  /* 6 */

#define FS_OF_1 (LANDLOCK_ACCESS_FS_REFER - 1) /* all rights below it */

struct ruleset {
    uint64_t fs, net, scoped;
};

/* What may be done with a library, and in a granted directory: no programs, devices, sockets, pipes or links. */
#define READ_FILE LANDLOCK_ACCESS_FS_READ_FILE
#define READ_TREE (READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define GRANTED                                                                                                        \
    (READ_TREE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |           \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REFER | FS_TRUNCATE)

static const char *const libraries[] = {"/lib",       "/lib32",     "/lib64",         "/usr/lib",
                                        "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64"};

static size_t attributes_of(uint32_t version, struct ruleset *r)
{
    *r = (struct ruleset){.fs = FS_OF_1};
    if (version >= 2)
        r->fs |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= 3)
        r->fs |= FS_TRUNCATE;
    if (version >= 4)
        r->net = NET_TCP;
    if (version >= 5)
        r->fs |= FS_IOCTL_DEV;
    if (version >= 6)
        r->scoped = SCOPE_SOCKETS | SCOPE_SIGNALS;
    return version >= 6 ? sizeof *r : version >= 4 ? offsetof(struct ruleset, scoped) : sizeof r->fs;
}

/* What is missing is nothing to be allowed, unless it must be there. */
static int allow(int set, const struct ruleset *r, const char *path, uint64_t rights, bool must, struct err *e)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return must ? err_errno(e, "cannot open \"%s\"", path) : TL_OK;
    struct stat st;
    if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
        rights &= READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE;
    struct landlock_path_beneath_attr rule = {.allowed_access = rights & r->fs, .parent_fd = fd};
    int rc = TL_OK;
    if (syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
        rc = err_errno(e, "cannot allow \"%s\"", path);
    close(fd);
    return rc;
}

static int allow_all(int set, const struct ruleset *r, const struct confine_wish *w, struct err *e)
{
    int rc = allow(set, r, w->module, READ_FILE, true, e);
    for (size_t i = 0; !rc && i < ARRAY_LEN(libraries); i++)
        rc = allow(set, r, libraries[i], READ_TREE, false, e);
    if (!rc)
        rc = allow(set, r, "/etc/ld.so.cache", READ_FILE, false, e);
#ifdef TIELINE_SANITIZED /* reports look at the memory map */
    if (!rc)
        rc = allow(set, r, "/proc", READ_TREE, false, e);
#endif
    for (uint32_t i = 0; !rc && i < w->n_dirs; i++) {
        rc = allow(set, r, w->dirs[i], GRANTED, true, e);
        if (rc)
            err_wrap(e, "a granted directory");
    }
    return rc;
}

int confine_files(const struct confine_wish *w, uint32_t *landlock_out, struct err *e)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version <= 0) { /* not built in, or not switched on */
        *landlock_out = 0;
        return TL_OK;
    }
    struct ruleset r;
    size_t size = attributes_of((uint32_t)version, &r);
    int set = (int)syscall(SYS_landlock_create_ruleset, &r, size, 0);
    if (set < 0)
        return err_errno(e, "cannot make a Landlock ruleset");
    int rc = allow_all(set, &r, w, e);
    if (!rc && syscall(SYS_landlock_restrict_self, set, 0) < 0)
        rc = err_errno(e, "cannot restrict the files of the worker");
    close(set);
    if (!rc)
        *landlock_out = (uint32_t)version;
    return rc;
}
