/* Figures for monitoring: see metrics.h. */
#include "metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "times.h"
#include "verb.h"

static void figure(struct buf *out, const char *name, const char *type, const char *help, int64_t value)
{
    buf_fmt(out, "# HELP tieline_%s %s\n# TYPE tieline_%s %s\ntieline_%s %lld\n", name, help, name, type, name,
            (long long)value);
}

static void add_engine(struct buf *out, struct app *app)
{
    struct engine_figures f;
    engine_figures_get(app->engine, &f);
    figure(out, "turns_total", "counter", "Turns of the engine.", f.turns);
    figure(out, "steps_total", "counter", "Records observed, planned or written.", f.steps);
    figure(out, "longest_turn_steps", "gauge", "Most steps in one turn.", f.longest_turn_steps);
    figure(out, "observed_total", "counter", "Records received.", f.observed);
    figure(out, "unchanged_total", "counter", "Records received that had not changed.", f.unchanged);
    figure(out, "creates_total", "counter", "Records created at a vendor.", f.creates);
    figure(out, "updates_total", "counter", "Records updated at a vendor.", f.updates);
    figure(out, "adoptions_total", "counter", "Records matched with an existing counterpart.", f.adoptions);
    figure(out, "failures_total", "counter", "Failures recorded.", f.failures);
    figure(out, "unknown_outcomes_total", "counter", "Writes whose outcome had to be looked up.", f.unknown_outcomes);
    figure(out, "conflicts_total", "counter", "Fields changed on both sides.", f.conflicts);
    figure(out, "calls_total", "counter", "Calls of connectors.", f.calls);
}

static void add_store(struct buf *out, struct app *app)
{
    struct db_stats s;
    db_stats(app->db, &s);
    figure(out, "store_vm_steps_total", "counter", "Steps of the SQLite virtual machine, writer only.", s.vm_steps);
    figure(out, "store_page_hits_total", "counter", "Page requests answered from the cache, writer only.",
           s.cache_hits);
    figure(out, "store_page_misses_total", "counter", "Page requests that went to the disk, writer only.",
           s.cache_misses);
    figure(out, "store_commits_total", "counter", "Transactions committed.", s.commits);
    figure(out, "store_pages", "gauge", "Size of the database in pages of 4096 bytes.", s.page_count);
    figure(out, "store_wal_pages", "gauge", "Length of the write-ahead log in pages.", s.wal_pages);
}

static void add_process(struct buf *out, struct app *app)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    int64_t cpu_ms = (int64_t)u.ru_utime.tv_sec * 1000 + u.ru_utime.tv_usec / 1000 + (int64_t)u.ru_stime.tv_sec * 1000 +
                     u.ru_stime.tv_usec / 1000;
    figure(out, "process_cpu_milliseconds_total", "counter", "CPU time of the daemon.", cpu_ms);
    figure(out, "process_peak_memory_kib", "gauge", "Largest resident size so far.", u.ru_maxrss);
    figure(out, "uptime_seconds", "gauge", "Time since the start.",
           (env_mono_us(app->env) - app->started_mono_us) / US_PER_S);
    struct control_figures c;
    control_figures_get(app->control, &c);
    figure(out, "control_longest_turn_microseconds", "gauge", "Most CPU time of one turn of the control thread.",
           c.longest_us);
    figure(out, "control_long_turns_total", "counter", "Turns of more than 20 ms of CPU time.", c.over_20ms);
}

static void add_connectors(struct buf *out, struct app *app)
{
    buf_text_add(out, "# HELP tieline_connector_up Whether the connector runs.\n# TYPE tieline_connector_up gauge\n");
    for (size_t i = 0; i < runtime_connector_count(app->runtime); i++) {
        struct connector_info info;
        runtime_connector_at(app->runtime, i, &info);
        buf_fmt(out, "tieline_connector_up{connector=\"%s\",state=\"%s\"} %d\n", info.name, run_state_name(info.state),
                info.state == RUN_RUNNING);
    }
}

struct once {
    struct buf text;
    bool sent;
};

static int collect(struct verb *v, struct err *e)
{
    (void)e;
    struct buf *out = &((struct once *)(void *)v->rq->stream->self)->text;
    add_engine(out, v->app);
    add_store(out, v->app);
    add_process(out, v->app);
    add_connectors(out, v->app);
    return TL_OK;
}

static bool once_next(void *self, struct buf *out)
{
    struct once *o = self;
    if (o->sent)
        return false;
    buf_str(out, buf_lent(&o->text));
    o->sent = true;
    return true;
}

static void once_free(void *self)
{
    struct once *o = self;
    buf_done(&o->text);
    free(o);
}

int metrics(struct request *rq, json_t **answer, struct err *e)
{
    struct stream *stream = calloc(1, sizeof *stream);
    struct once *once = calloc(1, sizeof *once);
    ASSERT(stream && once);
    *stream = (struct stream){once, once_next, once_free};
    rq->stream = stream;
    rq->stream_type = "text/plain; version=0.0.4; charset=utf-8";
    struct verb v;
    verb_init(&v, rq, NULL, NULL);
    int rc = verb_run(&v, collect, answer, e);
    if (rc) {
        once_free(once);
        free(stream);
        rq->stream = NULL;
    }
    return rc;
}
