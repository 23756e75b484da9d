#include "storage.h"

#include "engine_int.h"
#include "log.h"

#define STORAGE_LOOK_US  (60 * US_PER_S)
#define STORAGE_TRIAL_US (40 * US_PER_S) /* more than the longest rest of what failed */

void storage_failed(struct engine *g, const char *what, struct err *e)
{
    struct storage *s = &g->storage;
    bool is_news = !s->told || strcmp(s->why.code, e->code) != 0;
    err_wrap(e, "while %s", what);
    s->why = *e;
    log_err(is_news ? LOG_ERROR : LOG_DEBUG, "engine", e);
    if (!s->told)
        log_line(LOG_ERROR, "engine", "nothing is sent until writing to the database works again");
    s->told = true;
    g->storage_down = true;
    g->storage_due = g_mono(g) + US_PER_S;
}

/* A failed one is remembered for whoever's work it was. Where the disk has failed before in the same place, that was
 * no short trouble, whatever another write says. */
void storage_transaction_failed(struct engine *g, int rc, const char *what, struct err *e)
{
    struct setbacks *s = &g->setbacks;
    if (e->text[0] == 0)
        err_set(e, rc, "%s", status_name(rc));
    s->n++;
    snprintf(s->text, sizeof s->text, "%s: %.150s%s%.60s", what, e->text, e->detail[0] ? ": " : "", e->detail);
    if (rc != E_STORAGE) {
        log_err(LOG_ERROR, what, e);
        return;
    }
    storage_failed(g, what, e);
    if (!s->disk_what || strcmp(s->disk_what, what) != 0)
        s->disk = (struct setback){0};
    s->disk_what = what;
    g->storage_due = setback_add(g, &s->disk);
}

static void over(struct engine *g)
{
    g->storage.told = false;
    g->setbacks.disk_what = NULL;
    log_line(LOG_INFO, "engine", "the database can be written again");
}

void storage_worked(struct engine *g, const char *what)
{
    if (!g->setbacks.disk_what || strcmp(g->setbacks.disk_what, what) != 0)
        return;
    g->setbacks.disk_what = NULL;
    if (g->storage.told && !g->storage_down)
        over(g);
}

void g_write_failed(struct engine *g, const char *what, struct err *e)
{
    if (e->status == E_STORAGE)
        storage_failed(g, what, e);
    else
        log_err(LOG_ERROR, what, e);
}

int engine_probe(struct engine *g, struct err *e)
{
    struct err why = {0};
    if (g->storage.told) {
        why = g->storage.why;
    } else if (db_probe(g->db, &why)) {
        struct err told = why;
        storage_failed(g, "looking whether the database can be written", &told);
    }
    if (why.status && e)
        *e = why;
    return why.status;
}

/* A full disk is told before there is anything to write. */
static bool look(struct engine *g)
{
    if (g->storage.look_due > g_mono(g))
        return true;
    g->storage.look_due = g_mono(g) + STORAGE_LOOK_US;
    return engine_probe(g, NULL) == TL_OK;
}

bool storage_turn(struct engine *g)
{
    int64_t now = g_mono(g);
    if (!g->storage_down && g->storage.told && g->storage.trial_until <= now)
        over(g);
    if (!g->storage_down)
        return g->storage.told || look(g);
    if (g->storage_due > now)
        return false;
    struct err e = {0};
    if (db_probe_room(g->db, &e) != TL_OK || model_refresh(g, &e) != TL_OK || prep_store_again(g, &e) != TL_OK) {
        g->storage_due = now + US_PER_S;
        return false;
    }
    g->storage_down = false;
    g->storage.trial_until = now + STORAGE_TRIAL_US;
    if (!g->setbacks.disk_what)
        over(g);
    return true;
}
