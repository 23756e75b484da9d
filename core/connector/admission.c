#include "admission.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

bool connector_name_ok(str name)
{
    if (name.n < 1 || name.n > CONNECTOR_NAME_MAX)
        return false;
    for (uint64_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return true;
}

static bool owner_ok(const struct stat *st, bool development)
{
    return st->st_uid == 0 || (development && st->st_uid == geteuid());
}

static int refuse_owner(const char *what, const char *path, const struct stat *st, bool development, struct err *e)
{
    err_set(e, TL_E_DENIED, "%s \"%s\" belongs to user %u, not to root", what, path, (unsigned)st->st_uid);
    if (st->st_uid == geteuid() && !development)
        err_hint(e, "chown root it, or set \"development = yes\" in [core] on a machine for development");
    else
        err_hint(e, "chown root \"%s\"", path);
    return TL_E_DENIED;
}

/* A directory that others may write into lets them exchange the file; a sticky one of root's (/tmp) does not let them
 * exchange what is not theirs, which is good enough for development. */
static int check_directory(const char *path, bool development, struct err *e)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return err_errno(e, "cannot look at directory \"%s\"", path);
    if (!S_ISDIR(st.st_mode)) {
        err_set(e, TL_E_CONFIG, "connector directory \"%s\" is not a directory", path);
        err_hint(e, "set \"dir\" in [connectors]");
        return TL_E_CONFIG;
    }
    if (!owner_ok(&st, development))
        return refuse_owner("directory", path, &st, development, e);
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
        return TL_OK;
    if (development && (st.st_mode & S_ISVTX) && st.st_uid == 0)
        return TL_OK;
    err_set(e, TL_E_DENIED, "directory \"%s\" is writable by its %s", path, st.st_mode & S_IWOTH ? "others" : "group");
    if (st.st_mode & S_ISVTX)
        err_hint(e, "everybody shares it: keep connectors in a directory of root's that no others write to");
    else
        err_hint(e, "chmod go-w \"%s\"", path);
    return TL_E_DENIED;
}

/* Every directory from dir to the root, links in the way resolved first: the file is opened below real_out, where
 * nobody else can put another link. */
static int check_directories(const char *dir, bool development, char real_out[PATH_MAX], struct err *e)
{
    char real[PATH_MAX];
    if (!realpath(dir, real_out)) {
        if (errno == ENOENT) {
            err_set(e, TL_E_NOT_FOUND, "there is no connector directory \"%s\"", dir);
            err_hint(e, "set \"dir\" in [connectors]");
            return TL_E_NOT_FOUND;
        }
        return err_errno(e, "cannot look at connector directory \"%s\"", dir);
    }
    memcpy(real, real_out, sizeof real);
    for (;;) {
        int rc = check_directory(real, development, e);
        if (rc || strcmp(real, "/") == 0)
            return rc;
        char *slash = strrchr(real, '/');
        slash[slash == real ? 1 : 0] = 0;
    }
}

static int check_file(int fd, const char *path, bool development, struct stat *out, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_errno(e, "cannot look at \"%s\"", path);
    if (!S_ISREG(st.st_mode))
        return err_set(e, TL_E_DENIED, "connector \"%s\" is not a regular file", path);
    if (!owner_ok(&st, development))
        return refuse_owner("connector", path, &st, development, e);
    if (st.st_mode & (S_IWGRP | S_IWOTH)) {
        err_set(e, TL_E_DENIED, "connector \"%s\" is writable by its %s", path,
                st.st_mode & S_IWOTH ? "others" : "group");
        err_hint(e, "chmod go-w \"%s\"", path);
        return TL_E_DENIED;
    }
    if (st.st_size > CONNECTOR_FILE_MAX)
        return err_set(e, TL_E_DENIED, "connector \"%s\" is larger than %d MiB", path, CONNECTOR_FILE_MAX >> 20);
    *out = st;
    return TL_OK;
}

static int not_found(const char *dir, const char *name, const char *path, struct err *e)
{
    char la[STAGED_PATH_MAX + 8];
    snprintf(la, sizeof la, "%s/%s.la", dir, name);
    if (access(la, F_OK) == 0) {
        err_set(e, TL_E_DENIED, "\"%s\" is a libtool archive, which is never loaded", la);
        err_hint(e, "install the module itself as \"%s\"", path);
        return TL_E_DENIED;
    }
    err_set(e, TL_E_NOT_FOUND, "there is no connector \"%s\": no file \"%s\"", name, path);
    err_hint(e, "install it there, or take it out of \"enable\" in [connectors]");
    return TL_E_NOT_FOUND;
}

static int open_source(int *fd_out, const char *dir, const char *name, const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0) {
        *fd_out = fd;
        return TL_OK;
    }
    switch (errno) {
    case ENOENT:
        return not_found(dir, name, path, e);
    case ELOOP:
        err_set(e, TL_E_DENIED, "connector \"%s\" is a symbolic link", path);
        err_hint(e, "install the file itself there");
        return TL_E_DENIED;
    case ENXIO: /* a socket or a pipe */
        return err_set(e, TL_E_DENIED, "connector \"%s\" is not a regular file", path);
    case EACCES:
        err_set(e, TL_E_DENIED, "connector \"%s\" cannot be read by user %u", path, (unsigned)geteuid());
        err_hint(e, "chmod a+r \"%s\"", path);
        return TL_E_DENIED;
    default:
        return err_errno(e, "cannot open connector \"%s\"", path);
    }
}

/* to -1: only hashes. */
static int copy_hashing(int from, int to, char sha256[65], const char *to_path, struct err *e)
{
    crypto_hash_sha256_state hash;
    crypto_hash_sha256_init(&hash);
    size_t total = 0;
    char piece[64 << 10];
    for (;;) {
        ssize_t n = read(from, piece, sizeof piece);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, "cannot read the connector");
        if (n == 0)
            break;
        total += (size_t)n;
        if (total > CONNECTOR_FILE_MAX)
            return err_set(e, TL_E_DENIED, "the connector grew beyond %d MiB", CONNECTOR_FILE_MAX >> 20);
        crypto_hash_sha256_update(&hash, (const unsigned char *)piece, (size_t)n);
        for (ssize_t done = 0; to >= 0 && done < n;) {
            ssize_t w = write(to, piece + done, (size_t)(n - done));
            if (w < 0 && errno == EINTR)
                continue;
            if (w < 0)
                return err_errno(e, "cannot write \"%s\"", to_path);
            done += w;
        }
    }
    unsigned char digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_final(&hash, digest);
    sodium_bin2hex(sha256, 65, digest, sizeof digest);
    return TL_OK;
}

static int staging_directory(char *out, size_t cap, const char *state_dir, struct err *e)
{
    if (snprintf(out, cap, "%s/connectors", state_dir) >= (int)cap - 128)
        return err_set(e, TL_E_CONFIG, "the name of the state directory is too long");
    if (mkdir(out, 0700) < 0 && errno != EEXIST)
        return err_errno(e, "cannot make directory \"%s\"", out);
    struct stat st;
    if (lstat(out, &st) < 0)
        return err_errno(e, "cannot look at directory \"%s\"", out);
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH))) {
        err_set(e, TL_E_DENIED, "\"%s\" is not a directory of this user alone", out);
        err_hint(e, "remove it; it holds only copies");
        return TL_E_DENIED;
    }
    return TL_OK;
}

void admitted_done(struct admitted *a)
{
    fd_close(&a->fd);
}

int admission_check(struct admitted *out, const char *connector_dir, const char *name, bool development, struct err *e)
{
    if (!connector_name_ok(str_of(name))) {
        err_set(e, TL_E_CONFIG, "\"%s\" is no name of a connector", name);
        err_hint(e, "small letters, digits and \"_\", at most %d; the file is NAME.so in the connector directory",
                 CONNECTOR_NAME_MAX);
        return TL_E_CONFIG;
    }
    AUTO(admitted_done) struct admitted a = {.fd = -1};
    char real[PATH_MAX];
    int rc = check_directories(connector_dir, development, real, e);
    if (rc)
        return rc;
    snprintf(a.name, sizeof a.name, "%s", name);
    if (snprintf(a.source, sizeof a.source, "%s/%s.so", real, name) >= (int)sizeof a.source)
        return err_set(e, TL_E_CONFIG, "the name of the connector directory is too long");
    rc = open_source(&a.fd, real, name, a.source, e);
    if (!rc)
        rc = check_file(a.fd, a.source, development, &a.checked, e);
    if (rc)
        return rc;
    *out = a;
    a.fd = -1;
    return TL_OK;
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* The time of the last change of a file is the kernel's: nobody sets it back. */
static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           same_time(a->st_mtim, b->st_mtim) && same_time(a->st_ctim, b->st_ctim);
}

static int source_unchanged(const struct admitted *a, struct err *e)
{
    struct stat now;
    if (fstat(a->fd, &now) < 0)
        return err_errno(e, "cannot look at \"%s\"", a->source);
    if (same_file(&a->checked, &now))
        return TL_OK;
    err_set(e, TL_E_DENIED, "connector \"%s\" was changed between its check and its loading", a->source);
    err_hint(e, "put a new file in place by renaming, as \"install\" and packages do; then load it again");
    return TL_E_DENIED;
}

int admission_copy(struct staged *out, struct admitted *a, const char *state_dir, struct err *e)
{
    struct staged s;
    memcpy(s.source, a->source, sizeof s.source);
    char dir[STAGED_PATH_MAX - 256];
    int rc = staging_directory(dir, sizeof dir, state_dir, e);
    if (rc)
        return rc;
    char temp[STAGED_PATH_MAX];
    snprintf(temp, sizeof temp, "%s/.%s-XXXXXX", dir, a->name);
    AUTO(fd_close) int to = mkostemp(temp, O_CLOEXEC);
    if (to < 0)
        return err_errno(e, "cannot write into \"%s\"", dir);
    rc = copy_hashing(a->fd, to, s.sha256, temp, e);
    if (!rc)
        rc = source_unchanged(a, e);
    if (!rc && fchmod(to, 0500) < 0)
        rc = err_errno(e, "cannot set the mode of \"%s\"", temp);
    snprintf(s.path, sizeof s.path, "%s/%s-%s.so", dir, a->name, s.sha256);
    /* By rename only: a copy of the same bytes may be mapped right now. */
    if (!rc && rename(temp, s.path) < 0)
        rc = err_errno(e, "cannot rename to \"%s\"", s.path);
    if (!rc && fstat(to, &s.copied) < 0)
        rc = err_errno(e, "cannot look at \"%s\"", s.path);
    if (rc) {
        unlink(temp);
        return rc;
    }
    s.grade = grade_read(s.source, s.sha256);
    *out = s;
    return TL_OK;
}

int admission_stage(struct staged *out, const char *connector_dir, const char *state_dir, const char *name,
                    bool development, struct err *e)
{
    AUTO(admitted_done) struct admitted a = {.fd = -1};
    int rc = admission_check(&a, connector_dir, name, development, e);
    return rc ? rc : admission_copy(out, &a, state_dir, e);
}

int admission_recheck(const struct staged *s, struct err *e)
{
    struct stat now;
    if (lstat(s->path, &now) == 0 && same_file(&s->copied, &now))
        return TL_OK;
    char sha256[65];
    AUTO(fd_close) int fd = open(s->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && copy_hashing(fd, -1, sha256, s->path, NULL) == TL_OK && strcmp(sha256, s->sha256) == 0)
        return TL_OK; /* a copy of the same bytes, made since by another load */
    err_set(e, TL_E_DENIED, "the checked copy \"%s\" was changed after it was made", s->path);
    err_hint(e, "nobody but the daemon may write there; load the connector again");
    return TL_E_DENIED;
}

static bool has_hash(const char *text, const char *sha256)
{
    return sha256 && strncmp(text, sha256, 64) == 0;
}

void admission_sweep(const char *state_dir, const char *name, const char *keep_sha256, const char *also_sha256)
{
    char dir[STAGED_PATH_MAX - 256];
    snprintf(dir, sizeof dir, "%s/connectors", state_dir);
    DIR *d = opendir(dir);
    if (!d)
        return;
    size_t n = strlen(name);
    for (struct dirent *entry; (entry = readdir(d));) {
        const char *f = entry->d_name;
        bool ours = strncmp(f, name, n) == 0 && f[n] == '-' && strlen(f) == n + 1 + 64 + 3;
        if (ours && !has_hash(f + n + 1, keep_sha256) && !has_hash(f + n + 1, also_sha256))
            unlinkat(dirfd(d), f, 0);
    }
    closedir(d);
}
