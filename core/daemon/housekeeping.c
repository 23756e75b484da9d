/* What must happen now and then: the database is checked after the start and every week, looked for, and backed up.
 * [control] */
#include "housekeeping.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "attention.h"
#include "backups.h"
#include "log.h"
#include "setup.h"
#include "times.h"

#define WEEK_US    (7 * US_PER_DAY)
#define AGAIN_US   (3600 * US_PER_S) /* after a check that could not be made */
#define PRESENT_US (5 * US_PER_S)
#define LOAD_US    (5 * US_PER_S)

struct housekeeping {
    struct app *app;
    int64_t due;         /* mono; of the next check, or of a look at the one that runs */
    int64_t present_due; /* mono */
    int64_t load_due;    /* mono; connectors that found no room */
    bool gone;           /* another file, or none, lies where the database was */
    bool running, first_done;
    bool looked;          /* one check ended, whatever came of it: backups may begin */
    pthread_mutex_t lock; /* guards finished and result */
    bool finished;
    struct err result;
    int64_t (*also)(void *ctx);
    void *also_ctx;
};

struct housekeeping *housekeeping_new(struct app *app)
{
    struct housekeeping *h = calloc(1, sizeof *h);
    ASSERT(h);
    h->app = app;
    pthread_mutex_init(&h->lock, NULL);
    return h;
}

struct housekeeping *housekeeping_free(struct housekeeping *h)
{
    if (h) {
        pthread_mutex_destroy(&h->lock);
        free(h);
    }
    return NULL;
}

/* On the thread of the check. */
static void on_checked(void *arg, const struct err *result)
{
    struct housekeeping *h = arg;
    pthread_mutex_lock(&h->lock);
    h->result = *result;
    h->finished = true;
    pthread_mutex_unlock(&h->lock);
}

static void start_check(struct housekeeping *h, int64_t now)
{
    struct err e = {0};
    if (db_check_start(h->app->db, h->first_done, on_checked, h, &e) == TL_OK) {
        h->running = true;
        h->due = now + US_PER_S;
        return;
    }
    log_err(LOG_WARN, "check of the database", &e);
    h->looked = true;
    h->due = now + AGAIN_US;
}

static void tell(struct housekeeping *h, const struct err *result)
{
    struct app *app = h->app;
    struct err e = {0};
    struct repair r = {.object = STR("database"),
                       .code = STR("DATABASE_DAMAGED"),
                       .level = TL_ERROR,
                       .text = str_of(result->text),
                       .hint = STR("nothing is sent any more: stop tielined, keep a copy of the state directory, put a "
                                   "backup in its place and start it again")};
    bool damaged = result->status != TL_OK;
    if (damaged || !h->gone)
        engine_store_checked(app->engine, !damaged, result->text);
    if (damaged)
        log_err(LOG_ERROR, "check of the database", result);
    int rc = damaged ? repair_raise(app->db, &r, &e)
                     : repair_clear(app->db, r.object, r.code, r.key, env_now_us(app->env), &e);
    if (rc)
        log_err(LOG_ERROR, "check of the database", &e);
}

static void take_result(struct housekeeping *h, int64_t now)
{
    pthread_mutex_lock(&h->lock);
    bool finished = h->finished;
    h->finished = false;
    struct err result = h->result;
    pthread_mutex_unlock(&h->lock);
    h->due = now + US_PER_S;
    if (!finished)
        return;
    h->running = false;
    h->looked = true;
    if (result.status != TL_OK && strcmp(result.code, "STORAGE_CORRUPT") != 0) {
        log_err(LOG_WARN, "check of the database", &result);
        h->due = now + AGAIN_US;
        return;
    }
    h->first_done = true;
    h->due = now + WEEK_US;
    tell(h, &result);
}

/* A database that was removed under us is written to as if nothing were: until the process ends. */
static void look_for_file(struct housekeeping *h, int64_t now)
{
    struct app *app = h->app;
    struct err why = {0}, e = {0};
    bool gone = db_present(app->db, &why) != TL_OK;
    h->present_due = now + PRESENT_US;
    if (gone == h->gone)
        return;
    h->gone = gone;
    struct repair r = {.object = STR("database"),
                       .code = STR("DATABASE_GONE"),
                       .level = TL_ERROR,
                       .text = str_of(why.text),
                       .hint = str_of(why.hint)};
    int rc = TL_OK;
    if (gone) {
        log_err(LOG_ERROR, "the database", &why);
        engine_store_checked(app->engine, false, why.text);
        rc = repair_raise(app->db, &r, &e);
    } else {
        log_line(LOG_INFO, "housekeeping", "the file of the database is back; it is checked before anything goes on");
        rc = repair_clear(app->db, r.object, r.code, r.key, env_now_us(app->env), &e);
        h->due = h->running ? h->due : now;
    }
    if (rc)
        log_err(LOG_ERROR, "the database", &e);
}

void housekeeping_also(struct housekeeping *h, int64_t (*also)(void *ctx), void *ctx)
{
    h->also = also;
    h->also_ctx = ctx;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t housekeeping_tick(void *arg)
{
    struct housekeeping *h = arg;
    int64_t now = env_mono_us(h->app->env);
    if (h->present_due <= now)
        look_for_file(h, now);
    if (h->load_due <= now) {
        h->load_due = now + LOAD_US;
        setup_load_again(h->app);
    }
    if (h->due <= now && h->running)
        take_result(h, now);
    else if (h->due <= now)
        start_check(h, now);
    int64_t due = sooner(backups_tick(h->app->backups, h->looked), sooner(h->due, h->present_due));
    return h->also ? sooner(due, h->also(h->also_ctx)) : due;
}
