/* Between two lives: what can happen to the database while no daemon runs. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "life.h"

/* Into the file that is there: a connection may have it open (warm.c). What there is nothing to copy from is emptied.
 */
static void copy(const char *from, const char *to)
{
    char block[65536];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    for (size_t n; in && out && (n = fread(block, 1, sizeof block, in)) > 0;)
        fwrite(block, 1, n, out);
    if (in)
        fclose(in);
    if (out)
        fclose(out);
}

/* The wal-index belongs to the log it was made of. */
static void forget_index(const char *path)
{
    char name[128];
    snprintf(name, sizeof name, "%s-shm", path);
    if (truncate(name, 0) != 0 || truncate(name, 32768) != 0)
        unlink(name);
}

static void copy_all(const char *path, bool back)
{
    static const char *const ends[] = {"", "-wal"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char now[128], old[128];
        snprintf(now, sizeof now, "%s%s", path, ends[i]);
        snprintf(old, sizeof old, "%s-old%s", path, ends[i]);
        copy(back ? old : now, back ? now : old);
    }
    if (back)
        forget_index(path);
}

/* One byte of one observation, behind the store's back. */
bool chaos_flip(const char *path, uint64_t random)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    bool done = false;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "SELECT rec, observation FROM record WHERE length(observation) > 8 ORDER BY rec", -1,
                           &stmt, NULL) == SQLITE_OK) {
        for (uint64_t skip = random % 40; sqlite3_step(stmt) == SQLITE_ROW && skip > 0; skip--)
            ;
        int n = sqlite3_column_bytes(stmt, 1);
        uint8_t blob[4096];
        if (n > 8 && n <= (int)sizeof blob) {
            sqlite3_int64 rec = sqlite3_column_int64(stmt, 0);
            memcpy(blob, sqlite3_column_blob(stmt, 1), (size_t)n);
            blob[random / 64 % (uint64_t)n] ^= (uint8_t)(1u << (random / 8 % 8));
            sqlite3_finalize(stmt);
            stmt = NULL;
            sqlite3_prepare_v2(db, "UPDATE record SET observation = ?1 WHERE rec = ?2", -1, &stmt, NULL);
            sqlite3_bind_blob(stmt, 1, blob, n, SQLITE_STATIC);
            sqlite3_bind_int64(stmt, 2, rec);
            done = sqlite3_step(stmt) == SQLITE_DONE;
        }
    }
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return done;
}

void chaos_files(struct world *w, const char *db_path)
{
    if (!w->faults || w->stage == 0)
        return;
    if ((w->knobs.chaos & CHAOS_OLD_DB) && !w->copied) {
        copy_all(db_path, false);
        w->copied = true;
        world_trace(w, "chaos", "copy", 0);
    } else if ((w->knobs.chaos & CHAOS_OLD_DB) && !w->old_db && world_chance(w, 40)) {
        copy_all(db_path, true);
        w->old_db = true;
        w->paused = false;
        if (w->pause_until == 0)
            w->pause_until = w->now_us; /* it may have been paused then */
        world_trace(w, "chaos", "put back", 0);
    }
    if ((w->knobs.chaos & CHAOS_DAMAGE) && world_chance(w, 30) && chaos_flip(db_path, world_random(w, UINT64_MAX))) {
        w->damaged = true;
        world_trace(w, "chaos", "damage", 0);
    }
}
