/* The sidecar file "<database>.seal" tells a database that goes on from an older copy that was put in its place. It
 * holds the incarnation, the highest intent this installation acted on, and the age of the database: a counter that
 * grows with every start, every end, and with a commit every few seconds, so that any copy is soon younger than the
 * sidecar. When the sidecar is ahead, what was done since then exists at the vendors but not in the database.
 *
 * A directory restored as a whole brings its own, equally old sidecar along. So the file is made anew at every start
 * and names itself by inode and birth: a copy of it does not fit. And a backup made by db_backup says so inside.
 *
 * Later writes are not synced on purpose: one that is lost only makes it older, which is harmless. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db_int.h"

enum { SIDECAR_BYTES = 128 };
#define AGE_EVERY_US (10 * INT64_C(1000000)) /* between two commits that make the database older */

struct sidecar {
    char incarnation[INCARNATION_CHARS + 1];
    long long intent, age;
    unsigned long long inode;
    long long born; /* of the file itself, in nanoseconds; 0: its file system does not tell */
};

static int sidecar_error(const struct db *db, const char *doing, struct err *e)
{
    char why[128];
    snprintf(why, sizeof why, "%s", strerror(errno));
    err_set(e, E_STORAGE, "cannot %s \"%s.seal\": %s", doing, db->path, why);
    err_code(e, errno == ENOSPC || errno == EDQUOT ? "STORAGE_FULL" : "STORAGE_IO");
    err_hint(e, "the daemon's user must be able to write in the state directory");
    return E_STORAGE;
}

static void identify(struct db *db, int fd)
{
    struct statx st = {0};
    if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &st) != 0)
        st = (struct statx){0};
    bool has_birth = (st.stx_mask & STATX_BTIME) != 0;
    db->seal_inode = st.stx_ino;
    db->seal_born = has_birth ? st.stx_btime.tv_sec * INT64_C(1000000000) + st.stx_btime.tv_nsec : 0;
}

static bool sidecar_read(int fd, struct sidecar *s)
{
    char line[SIDECAR_BYTES + 1] = {0};
    if (pread(fd, line, SIDECAR_BYTES, 0) != SIDECAR_BYTES)
        return false;
    return sscanf(line, "tieline 2 %16s %lld %lld %llu %lld", s->incarnation, &s->intent, &s->age, &s->inode,
                  &s->born) == 5;
}

static int write_to(struct db *db, int fd, int64_t intent, struct err *e)
{
    char line[SIDECAR_BYTES];
    int n = snprintf(line, sizeof line, "tieline 2 %s %lld %lld %llu %lld", db->id.incarnation, (long long)intent,
                     (long long)db->counters[COUNT_AGE], (unsigned long long)db->seal_inode, (long long)db->seal_born);
    memset(line + n, ' ', sizeof line - 1 - (size_t)n);
    line[SIDECAR_BYTES - 1] = '\n';
    if (pwrite(fd, line, SIDECAR_BYTES, 0) != SIDECAR_BYTES)
        return sidecar_error(db, "write", e);
    return TL_OK;
}

int db_seal_intent(struct db *db, int64_t intent, struct err *e)
{
    return write_to(db, db->seal_fd, intent, e);
}

/* A new file in the place of the old one. */
int sidecar_renew(struct db *db, struct err *e)
{
    char path[DB_PATH_MAX + 8], made[DB_PATH_MAX + 16];
    snprintf(path, sizeof path, "%s.seal", db->path);
    snprintf(made, sizeof made, "%s.new", path);
    unlink(made);
    int fd = open(made, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return sidecar_error(db, "make", e);
    identify(db, fd);
    int rc = write_to(db, fd, db->counters[COUNT_INTENT], e);
    if (rc == TL_OK && (fsync(fd) != 0 || rename(made, path) != 0))
        rc = sidecar_error(db, "replace", e);
    if (rc) {
        close(fd);
        unlink(made);
        return rc;
    }
    sidecar_close(db);
    db->seal_fd = fd;
    return TL_OK;
}

static bool is_elsewhere(const struct db *db, const struct sidecar *s)
{
    return db->seal_inode != s->inode || (db->seal_born && s->born && db->seal_born != s->born);
}

/* Whether the database continues what this installation did; neither intent ids nor the age ever go back. */
static void judge(struct db *db)
{
    struct sidecar s;
    int64_t copied = 0;
    bool is_backup = meta_get_i64(db, META_COPIED, &copied, NULL) == TL_OK && copied != 0;
    if (!sidecar_read(db->seal_fd, &s)) {
        db->origin = is_backup || db->counters[COUNT_INTENT] > 0 ? DB_RESTORED : DB_CONTINUED;
        return;
    }
    bool is_same = strcmp(s.incarnation, db->id.incarnation) == 0;
    bool is_older = s.intent > db->counters[COUNT_INTENT] || s.age > db->counters[COUNT_AGE];
    bool is_moved = db->counters[COUNT_INTENT] > 0 && is_elsewhere(db, &s);
    db->origin = is_same && !is_older && !is_moved && !is_backup ? DB_CONTINUED : DB_RESTORED;
    if (s.intent > db->counters[COUNT_INTENT])
        db->counters[COUNT_INTENT] = s.intent;
    if (s.age > db->counters[COUNT_AGE])
        db->counters[COUNT_AGE] = s.age;
}

int sidecar_open(struct db *db, bool created, struct err *e)
{
    char path[DB_PATH_MAX + 8];
    snprintf(path, sizeof path, "%s.seal", db->path);
    db->seal_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (db->seal_fd < 0)
        return sidecar_error(db, "open", e);
    identify(db, db->seal_fd);
    db->origin = DB_CREATED;
    if (!created)
        judge(db);
    return db->origin == DB_RESTORED ? TL_OK : sidecar_renew(db, e); /* its evidence stays until accepted */
}

/* Inside the transaction that is about to commit: whether it makes the database older. */
bool sidecar_ages(struct db *db)
{
    if (db->reader || db->seal_fd < 0 || db->origin == DB_RESTORED || env_mono_us(db->env) < db->age_due_us)
        return false;
    db->counters[COUNT_AGE]++;
    return true;
}

/* After that commit. A failure only leaves the sidecar younger. */
void sidecar_aged(struct db *db)
{
    db->age_due_us = env_mono_us(db->env) + AGE_EVERY_US;
    (void)write_to(db, db->seal_fd, db->counters[COUNT_INTENT], NULL);
}

/* At a start and at an end, however soon they follow each other. */
int sidecar_age_now(struct db *db, struct err *e)
{
    if (db->seal_fd < 0 || db->origin == DB_RESTORED)
        return TL_OK;
    db->age_due_us = 0;
    int rc = db_begin(db, e);
    return rc == TL_OK ? db_commit(db, e) : rc;
}

void sidecar_look(const struct db *db, char *words, size_t size, int64_t *intent_out)
{
    char path[DB_PATH_MAX + 8];
    struct sidecar s = {0};
    words[0] = 0;
    *intent_out = 0;
    snprintf(path, sizeof path, "%s.seal", db->path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        snprintf(words, size, "it cannot be read");
    else if (!sidecar_read(fd, &s))
        snprintf(words, size, "it does not hold what it should");
    else if (strcmp(s.incarnation, db->id.incarnation) != 0)
        snprintf(words, size, "it belongs to another database");
    else
        *intent_out = s.intent;
    if (fd >= 0)
        close(fd);
}

void sidecar_close(struct db *db)
{
    if (db->seal_fd >= 0)
        close(db->seal_fd);
    db->seal_fd = -1;
}
