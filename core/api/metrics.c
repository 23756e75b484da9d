/* Figures for monitoring: see metrics.h. */
#include "metrics.h"

#include <stdio.h>
#include <sys/resource.h>

#include "backups.h"
#include "budgets.h"
#include "loader_clock.h"
#include "outages.h"
#include "times.h"
#include "verb.h"
#include "view.h"

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
    figure(out, "deletes_total", "counter", "Records deleted at a vendor because their counterpart was.", f.deletes);
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
    figure(out, "store_cache_bytes", "gauge",
           "Memory of the pages kept to be read faster, writer only; at most 16 MiB.", s.cache_bytes);
    figure(out, "store_commits_total", "counter", "Transactions committed.", s.commits);
    figure(out, "store_pages", "gauge", "Size of the database in pages of 4096 bytes.", s.page_count);
    figure(out, "store_wal_pages", "gauge", "Length of the write-ahead log in pages.", s.wal_pages);
}

static void add_loader(struct buf *out, struct app *app)
{
    const struct loader_figures *f = runtime_loader_figures(app->runtime);
    buf_text_add(out,
                 "# HELP tieline_loader_turn_microseconds CPU time of the control thread for loading, unloading and "
                 "reloading, in turns with any of it.\n# TYPE tieline_loader_turn_microseconds histogram\n");
    for (int i = 0; i < LOADER_STEPS; i++)
        buf_fmt(out, "tieline_loader_turn_microseconds_bucket{le=\"%lld\"} %lld\n", (long long)loader_steps_us[i],
                (long long)f->within[i]);
    buf_fmt(out,
            "tieline_loader_turn_microseconds_bucket{le=\"+Inf\"} %lld\ntieline_loader_turn_microseconds_sum %lld\n"
            "tieline_loader_turn_microseconds_count %lld\n",
            (long long)f->turns, (long long)f->total_us, (long long)f->turns);
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
    figure(out, "config_generation", "gauge", "Of the configuration that counts; 1 at the start.", app->generation);
    figure(out, "config_last_reload_successful", "gauge", "0: the last one was refused.", !app->reload_refused);
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

/* Value of a label: names come from people. */
static void label(struct buf *out, const char *name, const char *value)
{
    buf_fmt(out, "%s=\"", name);
    for (const char *p = value; *p; p++) {
        if (*p == '"' || *p == '\\' || *p == '\n')
            buf_char(out, '\\');
        buf_char(out, *p == '\n' ? 'n' : *p);
    }
    buf_char(out, '"');
}

static const char *text_of(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));
    return text ? text : "";
}

static void connection_figures(struct buf *out, const json_t *items)
{
    buf_text_add(out, "# HELP tieline_connection_active Whether data is exchanged; the state says why not.\n"
                      "# TYPE tieline_connection_active gauge\n");
    size_t i;
    json_t *c;
    json_array_foreach((json_t *)(uintptr_t)items, i, c)
    {
        const char *state = text_of(c, "state");
        buf_text_add(out, "tieline_connection_active{");
        label(out, "connection", text_of(c, "name"));
        buf_char(out, ',');
        label(out, "state", state);
        buf_fmt(out, "} %d\n", strcmp(state, "active") == 0 || strcmp(state, "initial") == 0);
    }
}

/* One figure of every link, by the member of "counts" that holds it. */
static void link_figures(struct buf *out, const json_t *items, const char *name, const char *member, const char *help)
{
    buf_fmt(out, "# HELP tieline_%s %s\n# TYPE tieline_%s gauge\n", name, help, name);
    size_t i, k;
    json_t *c, *l;
    json_array_foreach((json_t *)(uintptr_t)items, i, c)
    {
        json_array_foreach(json_object_get(c, "links"), k, l)
        {
            buf_fmt(out, "tieline_%s{", name);
            label(out, "connection", text_of(c, "name"));
            buf_char(out, ',');
            label(out, "kind", text_of(l, "kind"));
            buf_fmt(out, "} %lld\n",
                    (long long)json_integer_value(json_object_get(json_object_get(l, "counts"), member)));
        }
    }
}

static int read_connections(struct request *rq, json_t **out, struct err *e)
{
    WITH_READER(rq, db, e, view_connections(db, out, e));
}

static int add_connections(struct request *rq, struct buf *out, struct err *e)
{
    json_t *answer = NULL;
    int rc = read_connections(rq, &answer, e);
    const json_t *items = json_object_get(answer, "items");
    if (!rc) {
        connection_figures(out, items);
        link_figures(out, items, "pairs", "pairs", "Pairs of a link.");
        link_figures(out, items, "pairs_unsettled", "unsettled", "Pairs written and not yet seen again at the vendor.");
        link_figures(out, items, "open_failures", "failures", "Records that wait for a person or a retry.");
    }
    json_decref(answer);
    return rc;
}

static int collect(struct verb *v, struct err *e)
{
    (void)e;
    struct buf *out = &v->rq->text;
    add_engine(out, v->app);
    add_store(out, v->app);
    backups_figures(v->app->backups, out);
    outages_figures(v->app, out);
    budgets_figures(v->app, out);
    add_process(out, v->app);
    add_loader(out, v->app);
    add_connectors(out, v->app);
    return TL_OK;
}

int metrics(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, NULL, NULL);
    int rc = verb_run(&v, collect, answer, e);
    if (!rc)
        rc = add_connections(rq, &rq->text, e);
    rq->text_type = "text/plain; version=0.0.4; charset=utf-8";
    return rc;
}
