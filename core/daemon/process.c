/* tielined as a process of its machine: see process.h. */
#include "process.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"

int daemon_harden(struct err *e)
{
    struct rlimit none = {0, 0}, files;
    umask(0077);
    if (setrlimit(RLIMIT_CORE, &none) || prctl(PR_SET_DUMPABLE, 0))
        return err_errno(e, "cannot turn core dumps off");
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max < 65536 ? files.rlim_max : 65536;
        (void)setrlimit(RLIMIT_NOFILE, &files); /* fewer are enough for few endpoints */
    }
    return TL_OK;
}

/* Where a database is, its secrets are sealed with the key it was made with, and no other one opens them. */
static void hint_missing_key(const struct config *c, const char *file, struct err *e)
{
    char database[4096];
    snprintf(database, sizeof database, "%s/tieline.db", config_get(c, "core", "state_dir"));
    if (access(database, F_OK) == 0)
        err_hint(
            e,
            "put back the copy of the key \"%s\" was made with; with a new one (tielined --make-key %s) every secret "
            "has to be set and every endpoint signed in again",
            database, file);
    else
        err_hint(e, "make one, once, and keep a copy: tielined --make-key %s", file);
}

int daemon_key(const struct config *c, struct seal_key *out, struct err *e)
{
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    char path[4096];
    if (credentials) {
        snprintf(path, sizeof path, "%s/tieline.key", credentials);
        if (access(path, R_OK) == 0)
            return seal_key_load(out, path, e);
    }
    const char *file = config_get(c, "core", "key_file");
    int rc = seal_key_load(out, file, e);
    if (rc == TL_E_NOT_FOUND)
        hint_missing_key(c, file, e);
    else if (rc && !e->hint[0])
        err_hint(e, "it must be readable for the daemon's user, or handed over as a systemd credential");
    return rc ? e->status = TL_E_CONFIG : TL_OK; /* whatever is wrong with it, a person must put it right */
}

int daemon_state_dir(const char *path, struct err *e)
{
    if (mkdir(path, 0700) && errno != EEXIST)
        return err_errno(e, "cannot make the state directory \"%s\"", path);
    struct stat st;
    if (stat(path, &st))
        return err_errno(e, "cannot use the state directory \"%s\"", path);
    if (!S_ISDIR(st.st_mode))
        return err_set(e, TL_E_CONFIG, "[core] state_dir = %s: is not a directory", path);
    if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IRWXO))) {
        err_set(e, TL_E_CONFIG, "the state directory \"%s\" must belong to the daemon's user and be closed to others",
                path);
        err_hint(e, "chown it to the user tielined runs as, and chmod 0700 it");
        return TL_E_CONFIG;
    }
    if (access(path, W_OK)) {
        err_errno(e, "cannot write to the state directory \"%s\"", path);
        err_hint(e, "is its file system mounted read-only?");
        return TL_E_CONFIG;
    }
    return TL_OK;
}

int daemon_group(const struct config *c, uint32_t *gid, struct err *e)
{
    const char *name = config_get(c, "api", "group");
    const struct group *g = name && *name ? getgrnam(name) : NULL;
    if (name && *name && !g) {
        err_set(e, TL_E_CONFIG, "[api] group = %s: there is no such group", name);
        err_hint(e, "make it, or leave the key out: then only root and the daemon's user may use the API");
        return TL_E_CONFIG;
    }
    *gid = g ? g->gr_gid : UINT32_MAX;
    return TL_OK;
}

bool daemon_in_group(uid_t user, gid_t group)
{
    gid_t list[256];
    int n = (int)ARRAY_LEN(list);
    const struct passwd *p = getpwuid(user);
    if (!p || getgrouplist(p->pw_name, p->pw_gid, list, &n) < 0)
        return false;
    for (int i = 0; i < n; i++)
        if (list[i] == group)
            return true;
    return false;
}

static void notify(const char *text)
{
    const char *path = getenv("NOTIFY_SOCKET");
    if (!path || (path[0] != '/' && path[0] != '@'))
        return;
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    if (n >= sizeof addr.sun_path)
        return;
    memcpy(addr.sun_path, path, n);
    if (path[0] == '@')
        addr.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        (void)!sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&addr,
                      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
        close(fd);
    }
}

void daemon_ready(void)
{
    notify("READY=1");
}

void daemon_stopping(void)
{
    notify("STOPPING=1");
}

/* Directory of this program, for what stands beside it in a build tree. */
static bool own_dir(char *out, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", out, size - 1);
    if (n <= 0)
        return false;
    out[n] = 0;
    char *slash = strrchr(out, '/');
    if (slash)
        *slash = 0;
    return slash != NULL;
}

const char *daemon_worker_path(const struct config *c, struct arena *a)
{
    const char *configured = config_get(c, "core", "worker");
    if (configured && *configured)
        return configured;
    char dir[2048];
    if (own_dir(dir, sizeof dir)) {
        const char *beside = arena_fmt(a, "%s/tieline-worker", dir);
        const char *installed = arena_fmt(a, "%s/../" TIELINE_LIBEXEC "/tieline/tieline-worker", dir);
        if (access(beside, X_OK) == 0)
            return beside;
        if (access(installed, X_OK) == 0)
            return installed; /* an installed tree may be moved */
    }
    return TIELINE_LIBEXEC_DIR "/tieline-worker";
}

const char *daemon_connector_dir(const struct config *c)
{
    const char *configured = config_get(c, "connectors", "dir");
    return configured && *configured ? configured : TIELINE_CONNECTOR_DIR;
}
