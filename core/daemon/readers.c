/* Read-only handles of the store: see readers.h. */
#include "readers.h"

#include <pthread.h>
#include <stdlib.h>

enum { READERS_KEPT = 32 /* as many as ask at once on a busy day; each holds a few descriptors */ };

struct readers {
    pthread_mutex_t lock; /* guards idle */
    struct db *idle[READERS_KEPT];
    struct db_options options;
    char *path;
};

int readers_new(struct readers **out, const struct db_options *options, struct err *e)
{
    struct readers *r = calloc(1, sizeof *r);
    ASSERT(r);
    pthread_mutex_init(&r->lock, NULL);
    r->options = *options;
    r->path = text_dup(options->path);
    r->options.path = r->path;
    r->options.cache_kib = 0;
    int rc = db_open_reader(&r->idle[0], &r->options, e);
    if (rc) {
        readers_free(r);
        return rc;
    }
    *out = r;
    return TL_OK;
}

struct readers *readers_free(struct readers *r)
{
    if (r) {
        for (size_t i = 0; i < READERS_KEPT; i++)
            db_close(r->idle[i]);
        pthread_mutex_destroy(&r->lock);
        text_free(r->path);
        free(r);
    }
    return NULL;
}

int readers_take(struct readers *r, struct db **out, struct err *e)
{
    struct db *db = NULL;
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < READERS_KEPT && !db; i++)
        db = take(r->idle[i]);
    pthread_mutex_unlock(&r->lock);
    int rc = db ? TL_OK : db_open_reader(&db, &r->options, e);
    if (!rc)
        rc = db_begin(db, e);
    if (rc) {
        db_close(db);
        return rc;
    }
    *out = db;
    return TL_OK;
}

void readers_give(struct readers *r, struct db *db)
{
    db_rollback(db);
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < READERS_KEPT && db; i++)
        if (!r->idle[i])
            r->idle[i] = take(db);
    pthread_mutex_unlock(&r->lock);
    db_close(db);
}
