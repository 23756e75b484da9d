/* The writer's files: one process at a time, and the database that is open is the one that lies at its path. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db.h"
#include "db_int.h"

static int file_error(struct err *e, const char *doing, const char *path)
{
    char why[128];
    snprintf(why, sizeof why, "%s", strerror(errno));
    bool is_full = errno == ENOSPC || errno == EDQUOT;
    err_set(e, E_STORAGE, "cannot %s \"%s\": %s", doing, path, why);
    err_code(e, is_full ? "STORAGE_FULL" : "STORAGE_READONLY");
    err_hint(e,
             is_full ? "make room on its file system" : "[core] state_dir must exist and belong to the daemon's user");
    return E_STORAGE;
}

static int lock(const struct db *db, int fd, const char *path, struct err *e)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return TL_OK;
    if (errno != EWOULDBLOCK)
        return file_error(e, "lock", path);
    err_set(e, E_BUSY, "database \"%s\" is in use by another process", db->path);
    err_hint(e, "one daemon runs on it already; give a second one a state directory of its own");
    return E_BUSY;
}

/* A sidecar is written after the first start only: beside it there was a database. */
static int refuse_to_begin_anew(const struct db *db, struct err *e)
{
    struct stat st;
    char seal[DB_PATH_MAX + 8];
    snprintf(seal, sizeof seal, "%s.seal", db->path);
    bool is_there = stat(db->path, &st) == 0 && st.st_size > 0;
    if (is_there || lstat(seal, &st) != 0)
        return TL_OK;
    err_set(e, E_PRECONDITION, "database \"%s\" is gone: \"%s\" says that one was here", db->path, seal);
    err_hint(e, "put a backup in its place; only to begin anew, without all pairs, remove the .seal file too");
    return E_PRECONDITION;
}

int files_take(struct db *db, struct err *e)
{
    char path[DB_PATH_MAX + 8];
    snprintf(path, sizeof path, "%s.lock", db->path);
    db->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (db->lock_fd < 0)
        return file_error(e, "open", path);
    int rc = lock(db, db->lock_fd, path, e);
    if (rc == TL_OK)
        rc = refuse_to_begin_anew(db, e);
    if (rc)
        return rc;
    /* SQLite gives its other files the mode of this one. The lock file may be removed while we run, so this one is
     * locked as well; SQLite's own locks are of the other kind (fcntl) and not touched by it. */
    db->file_fd = open(db->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (db->file_fd < 0)
        return file_error(e, "open", db->path);
    return lock(db, db->file_fd, db->path, e);
}

/* Only when no connection of this process has the database open any more: closing it ends SQLite's locks. */
void files_leave(struct db *db)
{
    if (db->file_fd >= 0)
        close(db->file_fd);
    if (db->lock_fd >= 0)
        close(db->lock_fd);
    db->file_fd = db->lock_fd = -1;
}

int db_present(struct db *db, struct err *e)
{
    struct stat ours, there;
    if (db->reader || fstat(db->file_fd, &ours) != 0)
        return TL_OK;
    bool is_there = stat(db->path, &there) == 0;
    if (is_there && ours.st_nlink > 0 && ours.st_dev == there.st_dev && ours.st_ino == there.st_ino)
        return TL_OK;
    if (is_there)
        err_set(e, E_STORAGE, "another file lies in the place of the database \"%s\"", db->path);
    else
        err_set(e, E_STORAGE, "the database \"%s\" was removed or moved while it was in use", db->path);
    err_code(e, "STORAGE_GONE");
    err_hint(e, "put the file back, or stop tielined, put the newest backup in its place and start it again");
    return E_STORAGE;
}
