/* The sidecar file "<database>.seal": incarnation of the database and the highest intent this installation acted on.
 * When it is ahead of the database, the database is an older copy: what was created since then exists at the vendors
 * but not in it. Not synced on purpose: a lost write of it only makes it older, which is harmless. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "db_int.h"

enum { SIDECAR_BYTES = 64 };

static int sidecar_error(const struct db *db, const char *doing, struct err *e)
{
    char why[128];
    snprintf(why, sizeof why, "%s", strerror(errno));
    err_set(e, E_STORAGE, "cannot %s \"%s.seal\": %s", doing, db->path, why);
    err_code(e, "STORAGE_IO");
    err_hint(e, "the daemon's user must be able to write in the state directory");
    return E_STORAGE;
}

static bool sidecar_read(const struct db *db, char incarnation[INCARNATION_CHARS + 1], int64_t *intent)
{
    char line[SIDECAR_BYTES + 1] = {0};
    long long number;
    if (pread(db->seal_fd, line, SIDECAR_BYTES, 0) != SIDECAR_BYTES)
        return false;
    if (sscanf(line, "tieline 1 %16s %lld", incarnation, &number) != 2)
        return false;
    *intent = number;
    return true;
}

int sidecar_write(struct db *db, int64_t intent, struct err *e)
{
    char line[SIDECAR_BYTES + 1];
    snprintf(line, sizeof line, "tieline 1 %s %-36lld", db->id.incarnation, (long long)intent);
    line[SIDECAR_BYTES - 1] = '\n';
    if (pwrite(db->seal_fd, line, SIDECAR_BYTES, 0) != SIDECAR_BYTES)
        return sidecar_error(db, "write", e);
    return TL_OK;
}

int db_seal_intent(struct db *db, int64_t intent, struct err *e)
{
    return sidecar_write(db, intent, e);
}

/* Whether the database continues what this installation did; intent ids never go back. */
static void judge(struct db *db)
{
    char incarnation[INCARNATION_CHARS + 1];
    int64_t acted_on;
    if (!sidecar_read(db, incarnation, &acted_on)) {
        db->origin = db->counters[COUNT_INTENT] > 0 ? DB_RESTORED : DB_CONTINUED;
        return;
    }
    bool is_same = strcmp(incarnation, db->id.incarnation) == 0;
    db->origin = is_same && acted_on <= db->counters[COUNT_INTENT] ? DB_CONTINUED : DB_RESTORED;
    if (acted_on > db->counters[COUNT_INTENT])
        db->counters[COUNT_INTENT] = acted_on;
}

int sidecar_open(struct db *db, bool created, struct err *e)
{
    char path[DB_PATH_MAX + 8];
    snprintf(path, sizeof path, "%s.seal", db->path);
    db->seal_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (db->seal_fd < 0)
        return sidecar_error(db, "open", e);
    if (created) {
        db->origin = DB_CREATED;
        return sidecar_write(db, 0, e);
    }
    judge(db);
    return TL_OK;
}

void sidecar_close(struct db *db)
{
    if (db->seal_fd >= 0)
        close(db->seal_fd);
    db->seal_fd = -1;
}
