/* The timetable of backups and what is known of them: see backups.h. */
#include "backups.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app.h"
#include "attention.h"
#include "log.h"
#include "times.h"

/* "tieline-20261122T005614Z.db": in the order of their names they are in the order of their times. */
#define NAME_FORM "tieline-########T######Z.db"
enum { NAME_CHARS = sizeof NAME_FORM - 1, MIB = 1 << 20 };
#define AGAIN_US (3600 * US_PER_S) /* after one that failed */
#define NOW      "backup"          /* in log lines and repairs */

struct backups {
    struct app *app;
    char dir[3072];
    int64_t every_us, keep;
    int64_t due; /* mono; of the next one of the timetable */
    bool running;
    int64_t started_us; /* mono */
    struct backup_file making;
    bool is_ours;        /* it goes into the directory */
    backup_done_fn done; /* of who asked for the one being made */
    void *arg;
    struct { /* asked for while one of the timetable is made: follows it */
        backup_done_fn done;
        void *arg;
        char *to; /* NULL: into the directory */
    } next;
    struct backup_file last; /* path "": none */
    struct err error;        /* of the last attempt; status TL_OK: it was good */
    int64_t error_us, made, failed;
    pthread_mutex_t lock; /* guards finished, result, bytes and stopping */
    bool finished, stopping;
    struct err result;
    int64_t bytes;
};

/* ---- The directory --------------------------------------------------------------------------------------------- */

static bool is_ours(const char *name, const char *end)
{
    for (int i = 0; i < NAME_CHARS; i++) {
        bool fits = NAME_FORM[i] == '#' ? isdigit((unsigned char)name[i]) : name[i] == NAME_FORM[i];
        if (!fits)
            return false;
    }
    return strcmp(name + NAME_CHARS, end) == 0;
}

static int64_t time_of(const char *name)
{
    const char *d = name + strlen("tieline-");
    char text[32];
    int64_t us = 0;
    snprintf(text, sizeof text, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", d, d + 4, d + 6, d + 9, d + 11, d + 13);
    return time_parse(str_of(text), &us) ? us : 0;
}

static void name_at(struct backups *b, int64_t us, struct backup_file *out)
{
    char t[32];
    time_text(t, us);
    *out = (struct backup_file){.at_us = us};
    snprintf(out->path, sizeof out->path, "%s/tieline-%.4s%.2s%.2sT%.2s%.2s%.2sZ.db", b->dir, t, t + 5, t + 8, t + 11,
             t + 14, t + 17);
}

static int backups_first(const struct dirent *entry)
{
    return is_ours(entry->d_name, "");
}

static int parts_alone(const struct dirent *entry)
{
    return is_ours(entry->d_name, ".part");
}

static int newest_first(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*b)->d_name, (*a)->d_name);
}

static void names_free(struct dirent **names, int n)
{
    for (int i = 0; i < n; i++)
        free(names[i]);
    free(names);
}

static bool file_at(const struct backups *b, const char *name, struct backup_file *out)
{
    struct stat st;
    *out = (struct backup_file){.at_us = time_of(name)};
    snprintf(out->path, sizeof out->path, "%s/%s", b->dir, name);
    if (stat(out->path, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    out->bytes = st.st_size;
    return true;
}

static void remove_names(const struct backups *b, struct dirent **names, int from, int n)
{
    for (int i = from; i < n; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", b->dir, names[i]->d_name);
        if (unlink(path) != 0)
            log_line(LOG_WARN, NOW, "cannot remove \"%s\": %s", path, strerror(errno));
    }
}

static void prune(const struct backups *b)
{
    struct dirent **names = NULL;
    int n = scandir(b->dir, &names, backups_first, newest_first);
    remove_names(b, names, (int)b->keep, n);
    names_free(names, n);
}

/* What a killed daemon had begun. */
static void sweep(const struct backups *b)
{
    struct dirent **names = NULL;
    int n = scandir(b->dir, &names, parts_alone, newest_first);
    remove_names(b, names, 0, n);
    names_free(names, n);
}

static void look(struct backups *b)
{
    struct dirent **names = NULL;
    int n = scandir(b->dir, &names, backups_first, newest_first);
    for (int i = 0; i < n && !b->last.path[0]; i++)
        if (!file_at(b, names[i]->d_name, &b->last))
            b->last.path[0] = 0;
    names_free(names, n);
}

int backups_list(const struct backups *b, json_t **out, struct err *e)
{
    struct dirent **names = NULL;
    int n = scandir(b->dir, &names, backups_first, newest_first);
    if (n < 0 && errno != ENOENT)
        return err_errno(e, "cannot read the directory \"%s\"", b->dir);
    json_t *items = json_array();
    for (int i = 0; i < n; i++) {
        struct backup_file file;
        if (file_at(b, names[i]->d_name, &file))
            json_array_append_new(items, backup_file_json(&file));
    }
    names_free(names, n);
    *out = json_pack("{s:o}", "items", items);
    return TL_OK;
}

/* ---- One backup ------------------------------------------------------------------------------------------------ */

/* On the thread that made it. */
static void on_finished(void *arg, const struct err *result, int64_t bytes)
{
    struct backups *b = arg;
    pthread_mutex_lock(&b->lock);
    b->result = *result;
    b->bytes = bytes;
    b->finished = true;
    pthread_mutex_unlock(&b->lock);
    control_wake(b->app->control);
}

static int make_dir(const struct backups *b, struct err *e)
{
    if (mkdir(b->dir, 0700) == 0 || errno == EEXIST)
        return TL_OK;
    int rc = err_errno(e, "cannot make the directory \"%s\"", b->dir);
    err_hint(e, "make it yourself, writable for the daemon's user, or name another one in [store] backup_dir");
    return rc;
}

static int start(struct backups *b, const char *to, struct err *e)
{
    pthread_mutex_lock(&b->lock);
    bool stopping = b->stopping;
    pthread_mutex_unlock(&b->lock);
    if (stopping)
        return err_set(e, TL_E_CANCELLED, "tielined is stopping");
    if (b->running)
        return err_set(e, E_BUSY, "a backup is being made");
    int64_t now = env_now_us(b->app->env);
    struct backup_file file = {.at_us = now};
    if (to)
        snprintf(file.path, sizeof file.path, "%s", to);
    else /* names differ also where two are asked for within one second */
        name_at(b, b->last.path[0] && now / US_PER_S <= b->last.at_us / US_PER_S ? b->last.at_us + US_PER_S : now,
                &file);
    int rc = to ? TL_OK : make_dir(b, e);
    if (rc)
        return rc;
    if (!to)
        sweep(b);
    b->making = file;
    b->is_ours = !to;
    b->started_us = env_mono_us(b->app->env);
    rc = db_backup_start(b->app->db, b->making.path, on_finished, b, e);
    b->running = rc == TL_OK;
    return rc;
}

static void remember_good(struct backups *b)
{
    struct err e = {0};
    b->made++;
    log_line(LOG_INFO, NULL, "backup \"%s\": %.1f MiB in %.1f s", b->making.path, (double)b->making.bytes / MIB,
             (double)b->making.took_us / (double)US_PER_S);
    if (!b->is_ours)
        return;
    b->last = b->making;
    err_clear(&b->error);
    if (repair_clear(b->app->db, STR(NOW), STR("BACKUP_FAILED"), (str){0}, env_now_us(b->app->env), &e))
        log_err(LOG_ERROR, NOW, &e);
    prune(b);
}

/* Of the timetable's; who asked for one is told. */
static void remember_bad(struct backups *b, const struct err *why)
{
    b->failed++;
    b->error = *why;
    b->error_us = env_now_us(b->app->env);
    struct repair r = {.object = STR(NOW),
                       .code = STR("BACKUP_FAILED"),
                       .level = TL_WARN, /* everything else goes on */
                       .text = str_of(why->text),
                       .hint = str_of(why->hint)};
    struct err e = {0};
    log_err(LOG_ERROR, NOW, why);
    if (repair_raise(b->app->db, &r, &e))
        log_err(LOG_ERROR, NOW, &e);
}

static void plan_next(struct backups *b, bool good)
{
    int64_t wait = good || b->every_us < AGAIN_US ? b->every_us : AGAIN_US;
    b->due = env_mono_us(b->app->env) + wait;
}

static void start_next(struct backups *b)
{
    backup_done_fn done = b->next.done;
    if (!done)
        return;
    struct err e = {0};
    int rc = start(b, b->next.to, &e);
    b->done = rc == TL_OK ? done : NULL;
    b->arg = b->next.arg;
    free(b->next.to);
    b->next.to = NULL;
    b->next.done = NULL;
    if (rc)
        done(b->arg, NULL, &e);
}

static void take_result(struct backups *b)
{
    pthread_mutex_lock(&b->lock);
    bool finished = b->finished;
    struct err result = b->result;
    b->making.bytes = b->bytes;
    b->finished = false;
    pthread_mutex_unlock(&b->lock);
    if (!finished)
        return;
    b->running = false;
    b->making.took_us = env_mono_us(b->app->env) - b->started_us;
    bool good = result.status == TL_OK;
    if (good)
        remember_good(b);
    else if (!b->done && result.status != TL_E_CANCELLED)
        remember_bad(b, &result);
    if (b->is_ours && (good || !b->done))
        plan_next(b, good);
    if (b->done)
        b->done(b->arg, &b->making, good ? NULL : &result);
    b->done = NULL;
    start_next(b);
}

int backups_now(struct backups *b, const char *to, backup_done_fn done, void *arg, struct err *e)
{
    if (to && (to[0] != '/' || strlen(to) >= sizeof b->making.path - 16)) {
        err_set(e, TL_E_INVALID, "\"to\" must be the absolute path of a file");
        return TL_E_INVALID;
    }
    if (b->running && !b->done && !b->next.done) {
        b->next.done = done;
        b->next.arg = arg;
        b->next.to = to ? text_dup(to) : NULL;
        return TL_OK;
    }
    int rc = start(b, to, e);
    if (rc)
        return rc;
    b->done = done;
    b->arg = arg;
    return TL_OK;
}

int64_t backups_tick(struct backups *b, bool may_start)
{
    if (b->running)
        take_result(b);
    bool due = may_start && b->every_us > 0 && b->due <= env_mono_us(b->app->env);
    struct err e = {0};
    if (!b->running && due && start(b, NULL, &e) != TL_OK) {
        if (e.status != TL_E_CANCELLED)
            remember_bad(b, &e);
        plan_next(b, false);
    }
    return b->running || b->every_us == 0 || !may_start ? INT64_MAX : b->due;
}

/* ---- Life ------------------------------------------------------------------------------------------------------ */

struct backups *backups_new(struct app *app)
{
    struct backups *b = calloc(1, sizeof *b);
    ASSERT(b);
    b->app = app;
    const char *dir = config_get(app->boot, "store", "backup_dir");
    if (dir && *dir)
        snprintf(b->dir, sizeof b->dir, "%s", dir);
    else
        snprintf(b->dir, sizeof b->dir, "%s/backups", config_get(app->boot, "core", "state_dir"));
    b->every_us = config_number(app->boot, "store", "backup_every");
    b->keep = config_number(app->boot, "store", "backup_keep");
    pthread_mutex_init(&b->lock, NULL);
    look(b);
    int64_t now = env_mono_us(app->env), old = env_now_us(app->env) - b->last.at_us;
    b->due = b->last.path[0] && old >= 0 && old < b->every_us ? now + b->every_us - old : now;
    return b;
}

struct backups *backups_free(struct backups *b)
{
    if (b) {
        pthread_mutex_destroy(&b->lock);
        free(b);
    }
    return NULL;
}

void backups_stop(struct backups *b)
{
    pthread_mutex_lock(&b->lock);
    b->stopping = true;
    pthread_mutex_unlock(&b->lock);
    db_backup_cancel(b->app->db);
}

/* ---- What is told ---------------------------------------------------------------------------------------------- */

json_t *backup_file_json(const struct backup_file *file)
{
    char at[32];
    json_t *o = json_pack("{s:s,s:s,s:I}", "file", file->path, "at", time_text(at, file->at_us), "bytes",
                          (json_int_t)file->bytes);
    if (file->took_us)
        json_object_set_new(o, "seconds", json_real((double)file->took_us / (double)US_PER_S));
    return o;
}

json_t *backups_json(const struct backups *b)
{
    char at[32];
    int64_t now = env_now_us(b->app->env), left = b->due - env_mono_us(b->app->env);
    json_t *o = json_pack("{s:s,s:I,s:I,s:b,s:I}", "dir", b->dir, "every_s", (json_int_t)(b->every_us / US_PER_S),
                          "keep", (json_int_t)b->keep, "running", b->running, "failed", (json_int_t)b->failed);
    if (b->last.path[0]) {
        json_t *last = backup_file_json(&b->last);
        json_object_set_new(last, "age_s", json_integer((now - b->last.at_us) / US_PER_S));
        json_object_set_new(o, "last", last);
    }
    if (b->every_us)
        json_object_set_new(o, "next_at", json_string(time_text(at, now + (left > 0 ? left : 0))));
    if (b->error.status)
        json_object_set_new(
            o, "error",
            json_pack("{s:s,s:s,s:s}", "text", b->error.text, "hint", b->error.hint, "at", time_text(at, b->error_us)));
    return o;
}

static void figure(struct buf *out, const char *name, const char *type, const char *help, int64_t value)
{
    buf_fmt(out, "# HELP tieline_backup_%s %s\n# TYPE tieline_backup_%s %s\ntieline_backup_%s %lld\n", name, help, name,
            type, name, (long long)value);
}

void backups_figures(const struct backups *b, struct buf *out)
{
    figure(out, "last_success_timestamp_seconds", "gauge", "When the newest backup was made; 0: there is none.",
           b->last.at_us / US_PER_S);
    figure(out, "last_size_bytes", "gauge", "Size of the newest backup.", b->last.bytes);
    figure(out, "made_total", "counter", "Backups made since the start.", b->made);
    figure(out, "failed_total", "counter", "Backups of the timetable that failed since the start.", b->failed);
}
