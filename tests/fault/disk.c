#include "disk.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connections.h"
#include "intents.h"
#include "pairs.h"
#include "times.h"
#include "unit/store/vfs_shim.h"

const char *const disk_fault_names[DISK_FAULTS] = {"good",  "full", "dead", "once",  "short",
                                                   "power", "old",  "log",  "damage"};
struct disk_state *disk_state;

static struct life *alive;
static void (*send)(void *ctx, struct call *c);

int disk_init(const char *dir)
{
    void *p = mmap(NULL, sizeof *disk_state, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return -1;
    disk_state = p;
    snprintf(disk_state->copies, sizeof disk_state->copies, "%s/copies", dir);
    return mkdir(disk_state->copies, 0700);
}

void disk_start(enum disk_fault fault, uint64_t at, uint64_t back_at)
{
    struct disk_state now = {.fault = fault, .at = at, .back_at = back_at};
    memcpy(now.copies, disk_state->copies, sizeof now.copies);
    *disk_state = now;
}

/* ---- Inside a life ----------------------------------------------------------------------------------------------- */

static bool lasts(void)
{
    return disk_state->fault == DISK_FULL || disk_state->fault == DISK_DEAD;
}

static bool is_connected(struct life *l)
{
    AUTO(arena_done) struct arena a = {0};
    struct err e = {0};
    struct link *list = NULL;
    size_t n = 0;
    return link_list(l->db, &a, 0, &list, &n, &e) == TL_OK && n == TWIN_KINDS;
}

static bool is_blocked(struct life *l)
{
    AUTO(arena_done) struct arena a = {0};
    struct err e = {0};
    struct connection *list = NULL;
    size_t n = 0;
    return connection_list(l->db, &a, &list, &n, &e) == TL_OK && n > 0 && list[0].state == CONN_BLOCKED;
}

static _Noreturn void die(void)
{
    alive->world->crashes++;
    _exit(LIFE_CRASHED);
}

static void meet(struct disk_state *d)
{
    d->hit = true;
    world_trace(alive->world, "disk", disk_fault_names[d->fault], (int64_t)d->ops);
    switch (d->fault) {
    case DISK_FULL:
    case DISK_DEAD:
    case DISK_ONCE:
    case DISK_SHORT:
        shim.fault = d->fault == DISK_FULL ? SHIM_FULL : d->fault == DISK_SHORT ? SHIM_SHORT : SHIM_IOERR;
        shim.sticky = lasts();
        shim.fail_at = shim.ops + 1;
        d->good_at = alive->world->now_us + (int64_t)(1 + d->at * 37 % 600) * US_PER_S;
        break;
    case DISK_POWER:
        shim_power_cut(d->copies, true);
        die();
    case DISK_OLD:
        shim_power_cut(d->copies, false);
        d->pushes_lost = -d->pushes;
        break;
    case DISK_LOG:
    case DISK_DAMAGE:
        die();
    default:
        break;
    }
}

static void before_op(void *arg)
{
    struct disk_state *d = arg;
    if (!alive || !life_is_set_up(alive) || !life_is_busy(alive))
        return;
    d->ops++;
    if (!d->hit && d->at && d->ops >= d->at)
        meet(d);
    else if (d->fault == DISK_OLD && d->hit && !d->is_back && d->ops >= d->back_at)
        die();
}

/* What others read of the database: a checkpoint that failed took nothing back. */
static bool is_recorded(struct life *l, int64_t intent)
{
    AUTO(arena_done) struct arena a = {0};
    AUTO(db_close) struct db *reader = NULL;
    struct db_options o = {.path = db_path(l->db), .env = &l->env};
    struct intent found = {0};
    struct err e = {0};
    return db_open_reader(&reader, &o, &e) == TL_OK && intent_get(reader, &a, intent, &found, &e) == TL_OK;
}

/* Q13: nothing is sent while what it does could not be remembered. Q14: nothing is sent from an older state before a
 * person let it go on. */
static void submit(void *ctx, struct call *c)
{
    struct world *w = alive->world;
    if (c->kind == CALL_PUSH) {
        disk_state->pushes++;
        if (shim.failed && shim.fail_at && lasts() && !is_recorded(alive, c->tag))
            world_violation(w, "Q13: a write left while nothing could be recorded");
        if (disk_state->noticed && is_blocked(alive))
            world_violation(w, "Q14: a write left from an older state of the database");
    }
    send(ctx, c);
}

static void begin(struct life *l)
{
    shim_register();
    alive = l;
    shim.before_op = before_op;
    shim.arg = disk_state;
}

static bool read_seal(struct life *l, char out[128])
{
    char path[160];
    snprintf(path, sizeof path, "%s.seal", db_path(l->db));
    FILE *f = fopen(path, "r");
    bool whole = f && fread(out, 1, 128, f) == 128;
    if (f)
        fclose(f);
    return whole;
}

struct look {
    pthread_mutex_t lock; /* guards over and sound */
    pthread_cond_t done;
    bool over, sound;
};

static void looked(void *arg, const struct err *result)
{
    struct look *k = arg;
    pthread_mutex_lock(&k->lock);
    k->over = true;
    k->sound = result->status != E_STORAGE;
    pthread_cond_signal(&k->done);
    pthread_mutex_unlock(&k->lock);
}

static bool is_whole(struct life *l)
{
    struct look k = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false};
    struct err e = {0};
    if (db_check_start(l->db, true, looked, &k, &e) != TL_OK)
        return false;
    pthread_mutex_lock(&k.lock);
    while (!k.over)
        pthread_cond_wait(&k.done, &k.lock);
    pthread_mutex_unlock(&k.lock);
    return k.sound;
}

/* What docs/operations.md asks of a person whose log was damaged: pages that were copied from its end before that was
 * lost do not belong to the rest. */
static bool is_sound(struct life *l)
{
    AUTO(buf_done) struct buf findings = {0};
    struct err e = {0};
    int64_t after = 0;
    int rc = is_whole(l) ? TL_OK : E_STORAGE;
    for (bool end = false; !end && rc == TL_OK;)
        rc = pair_fsck(l->db, &after, 1000, &findings, &end, &e);
    return rc == TL_OK && findings.n == 0;
}

static void opened(struct life *l)
{
    struct disk_state *d = disk_state;
    send = l->twin.dispatcher.submit;
    l->twin.dispatcher.submit = submit;
    if (!read_seal(l, d->seal))
        memset(d->seal, 0, sizeof d->seal);
    if (!d->is_back || d->noticed)
        return;
    /* From before there was anything to keep in step; or to be replaced by a backup. */
    if (!is_connected(l) || (d->fault == DISK_LOG && !is_sound(l))) {
        d->refused = true;
        _exit(LIFE_REFUSED);
    }
    d->noticed = db_origin(l->db) == DB_RESTORED;
    if (!d->noticed && d->fault == DISK_OLD && d->pushes_lost > 0)
        world_violation(l->world, "Q14: a database that does not know of %lld writes was taken for the newest",
                        (long long)d->pushes_lost);
}

static void step(struct life *l)
{
    if (shim.fail_at && l->world->now_us >= disk_state->good_at)
        shim.fail_at = 0;
}

static int64_t failed(struct life *l)
{
    (void)l;
    return shim.failed;
}

/* A database without its beginning, or one whose parts do not belong together, is not one to go on with. */
static bool refused(const struct err *e)
{
    bool unusable = e->status == E_PRECONDITION || strcmp(e->code, "STORAGE_CORRUPT") == 0;
    disk_state->refused = disk_state->fault == DISK_LOG && disk_state->hit && unusable;
    return disk_state->refused;
}

const struct disk disk_of_fault = {
    .vfs = SHIM_VFS, .begin = begin, .opened = opened, .step = step, .failed = failed, .refused = refused};

/* ---- Between two lives ------------------------------------------------------------------------------------------- */

static const char *const ends[] = {"", "-wal"};

static void put_back(const char *db_path)
{
    const char *slash = strrchr(db_path, '/');
    char from[200], to[160];
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        snprintf(to, sizeof to, "%s%s", db_path, ends[i]);
        snprintf(from, sizeof from, "%s/%s%s", disk_state->copies, slash + 1, ends[i]);
        unlink(to);
        (void)rename(from, to);
    }
    snprintf(to, sizeof to, "%s-shm", db_path);
    unlink(to);
}

/* The sidecar is not synced at every change: a power cut may leave it as its start left it. */
static void put_seal_back(const char *db_path)
{
    char path[160];
    snprintf(path, sizeof path, "%s.seal", db_path);
    FILE *f = disk_state->seal[0] ? fopen(path, "r+") : NULL;
    if (f) {
        fwrite(disk_state->seal, 1, sizeof disk_state->seal, f);
        fclose(f);
    }
}

static void shorten(struct world *w, const char *db_path)
{
    char path[160];
    struct stat st;
    snprintf(path, sizeof path, "%s-wal", db_path);
    if (stat(path, &st) != 0 || st.st_size == 0)
        return;
    (void)!truncate(path, (off_t)world_random(w, (uint64_t)st.st_size));
    snprintf(path, sizeof path, "%s-shm", db_path);
    unlink(path);
}

static void older_again(struct world *w)
{
    disk_state->is_back = w->old_db = true;
    w->paused = false;
    if (w->pause_until == 0)
        w->pause_until = w->now_us; /* the connection may have been paused then: a person lets it go on in the end */
}

void disk_between(struct world *w, const char *db_path)
{
    struct disk_state *d = disk_state;
    if (!d->hit || d->is_back)
        return;
    if (d->fault == DISK_POWER) {
        put_back(db_path);
        if (d->at % 2)
            put_seal_back(db_path);
        d->fault = DISK_GOOD;
    } else if (d->fault == DISK_OLD && d->ops >= d->back_at) {
        put_back(db_path);
        d->pushes_lost += d->pushes;
        older_again(w);
    } else if (d->fault == DISK_LOG) {
        shorten(w, db_path);
        older_again(w);
    } else if (d->fault == DISK_DAMAGE) {
        w->damaged = chaos_flip(db_path, d->at * 2654435761u);
        d->fault = DISK_GOOD;
    }
}
