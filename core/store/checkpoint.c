/* The checkpoint thread: copies what was committed from the write-ahead log into the database, so that the control
 * thread never waits for those syncs. It sleeps until a commit made the log grow, waits a moment for more, then does a
 * PASSIVE checkpoint, which takes no lock the writer needs. The writer does one itself only when the log is long. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "db_int.h"

enum { CHECKPOINT_MS = 250 };

struct checkpointer {
    pthread_mutex_t lock; /* guards stop, grown and empty */
    pthread_cond_t wake;
    bool stop, grown, empty; /* empty: the log is to be emptied */
    bool has_thread;
    int limit; /* pages of the log: the writer itself does it then */
    pthread_t thread;
    sqlite3 *sqlite; /* the thread's own */
    atomic_llong pages;
    int64_t commits;     /* the writer's */
    atomic_bool waiting; /* the thread sleeps until told */
};

static int on_commit(void *arg, sqlite3 *handle, const char *name, int pages)
{
    struct checkpointer *c = arg;
    c->commits++;
    atomic_store_explicit(&c->pages, pages, memory_order_relaxed);
    if (pages >= c->limit || !c->has_thread) {
        if (pages >= c->limit)
            sqlite3_wal_checkpoint_v2(handle, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        return SQLITE_OK;
    }
    if (atomic_exchange(&c->waiting, false)) {
        pthread_mutex_lock(&c->lock);
        c->grown = true;
        pthread_cond_signal(&c->wake);
        pthread_mutex_unlock(&c->lock);
    }
    return SQLITE_OK;
}

static void sleep_for_more(struct checkpointer *c)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += CHECKPOINT_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    while (!c->stop && pthread_cond_timedwait(&c->wake, &c->lock, &until) == 0)
        ;
}

/* While it waits for readers the writer waits too, hence not for long. */
static bool log_empty(sqlite3 *handle)
{
    sqlite3_busy_timeout(handle, 10);
    int s = sqlite3_wal_checkpoint_v2(handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(handle, 5000);
    return (s & 0xff) != SQLITE_BUSY;
}

static void *checkpoint_main(void *arg)
{
    struct checkpointer *c = arg;
    pthread_mutex_lock(&c->lock);
    while (!c->stop) {
        atomic_store(&c->waiting, true);
        while (!c->stop && !c->grown)
            pthread_cond_wait(&c->wake, &c->lock);
        c->grown = false;
        sleep_for_more(c);
        if (c->stop)
            break;
        bool empty = c->empty;
        c->empty = false;
        pthread_mutex_unlock(&c->lock);
        /* Busy or failing: the next commit brings us back, and the writer meets the same trouble itself. */
        sqlite3_wal_checkpoint_v2(c->sqlite, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        bool emptied = !empty || log_empty(c->sqlite);
        pthread_mutex_lock(&c->lock);
        if (!emptied)
            c->empty = c->grown = true; /* somebody reads: in a moment */
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

void checkpointer_empty_soon(struct db *db)
{
    struct checkpointer *c = db->checkpointer;
    if (!c || !c->has_thread)
        return; /* single-threaded: the writer does it with its next long log */
    pthread_mutex_lock(&c->lock);
    c->empty = c->grown = true;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
}

static int thread_start(struct db *db, struct checkpointer *c, struct err *e)
{
    int rc = connection_open(&c->sqlite, db->path, db->vfs[0] ? db->vfs : NULL, false, 64, e);
    if (rc)
        return rc;
    c->has_thread = pthread_create(&c->thread, NULL, checkpoint_main, c) == 0;
    return c->has_thread ? TL_OK : err_set(e, TL_E_TEMPORARY, "cannot start the checkpoint thread");
}

int checkpointer_start(struct db *db, const struct db_options *o, struct err *e)
{
    struct checkpointer *c = calloc(1, sizeof *c);
    ASSERT(c);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&c->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&c->lock, NULL);
    db->checkpointer = c;
    c->limit = o->no_checkpoint_thread && o->log_pages ? o->log_pages : WAL_LIMIT_PAGES;
    int rc = o->no_checkpoint_thread ? TL_OK : thread_start(db, c, e);
    if (rc == TL_OK)
        sqlite3_wal_hook(db->sqlite, on_commit, c);
    return rc;
}

void checkpointer_stop(struct db *db)
{
    struct checkpointer *c = db->checkpointer;
    if (!c)
        return;
    if (c->has_thread) {
        pthread_mutex_lock(&c->lock);
        c->stop = true;
        pthread_cond_signal(&c->wake);
        pthread_mutex_unlock(&c->lock);
        pthread_join(c->thread, NULL);
    }
    sqlite3_close(c->sqlite);
    pthread_cond_destroy(&c->wake);
    pthread_mutex_destroy(&c->lock);
    free(c);
    db->checkpointer = NULL;
}

void checkpointer_stats(struct db *db, struct db_stats *out)
{
    if (!db->checkpointer)
        return;
    out->commits = db->checkpointer->commits;
    out->wal_pages = atomic_load_explicit(&db->checkpointer->pages, memory_order_relaxed);
}
