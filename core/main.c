/* tielined: reads the configuration, wires the layers together, runs the control loop until told to stop. */
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app.h"
#include "backups.h"
#include "connector_attention.h"
#include "daemon.h"
#include "doctor.h"
#include "hook_listener.h"
#include "hook_targets.h"
#include "housekeeping.h"
#include "log.h"
#include "readers.h"
#include "reload.h"
#include "routes.h"
#include "setup.h"
#include "sign_ins.h"
#include "times.h"

enum { DRAIN_US = 30 * 1000 * 1000 };

struct arguments {
    const char *config;
    bool test, dump, doctor;
};

static const char usage[] =
    "usage: tielined [-c FILE] [-t | -T | --doctor] [--make-key FILE]\n\n"
    "  -c, --config FILE   configuration (default: /etc/tieline/tieline.ini, then conf.d/*.ini beside it)\n"
    "  -t, --test          check the configuration and the connectors it enables, say what is wrong, exit 0 or 7\n"
    "  -T, --dump          like -t, and print every value that counts with its origin (secrets are left out)\n"
    "      --doctor        look at this machine, one JSON object a line, for \"tieline doctor\"; exit 0 or 1\n"
    "      --make-key FILE make a new sealing key, readable by its owner only, and exit\n"
    "  -h, --help\n"
    "  -V, --version\n";

static int make_key(const char *path)
{
    struct err e = {0};
    if (seal_key_create(path, &e) == TL_OK)
        return 0;
    fprintf(stderr, "tielined: %s\n", e.text);
    return 1;
}

/* Exit code to leave with, or -1 to go on. */
static int parse_arguments(int argc, char **argv, struct arguments *out)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},   {"test", no_argument, NULL, 't'},
        {"dump", no_argument, NULL, 'T'},           {"doctor", no_argument, NULL, 'D'},
        {"make-key", required_argument, NULL, 'K'}, {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},        {NULL, 0, NULL, 0},
    };
    int found;
    while ((found = getopt_long(argc, argv, "c:tThV", options, NULL)) != -1) {
        switch (found) {
        case 'c':
            out->config = optarg;
            break;
        case 't':
            out->test = true;
            break;
        case 'T':
            out->test = out->dump = true;
            break;
        case 'D':
            out->doctor = true;
            break;
        case 'K':
            return make_key(optarg);
        case 'h':
            fputs(usage, stdout);
            return 0;
        case 'V':
            puts("tielined " TIELINE_VERSION);
            return 0;
        default:
            fputs(usage, stderr);
            return 2;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "tielined: takes no \"%s\"\n", argv[optind]);
        fputs(usage, stderr);
        return 2;
    }
    return -1;
}

static void on_changed(void *ctx, const char *connector, int64_t endpoint)
{
    struct app *app = ctx;
    log_line(LOG_DEBUG, connector, "state changed");
    if (!app->engine)
        return;
    connector_attention(app, connector, endpoint);
    control_wake(app->control);
}

static void on_wake(void *ctx)
{
    struct app *app = ctx;
    if (app->control)
        control_wake(app->control);
}

static void on_hooks_changed(void *ctx)
{
    hook_targets_refresh(ctx);
}

static void on_signed_out(void *ctx, int64_t endpoint)
{
    struct app *app = ctx;
    runtime_sign_out(app->runtime, endpoint);
}

/* Its parts, the application first. */
struct tielined {
    struct app app;
    struct hook_listener *listener;
    struct server *api, *hooks;
};

/* Layer by layer, each taking what is below. What was made before a failure is left to the end of the process. */
static int wire(struct app *app, const struct db_options *db_options, struct err *e)
{
    static char worker[4096], connectors[4096];
    const struct config *c = app->config;
    int rc = db_open(&app->db, db_options, e);
    if (rc)
        return rc;
    struct http_config http = {.proxy = config_get(c, "http", "proxy"),
                               .ca_file = config_get(c, "http", "ca_file"),
                               .connect_timeout_us = config_number(c, "http", "connect_timeout"),
                               .timeout_us = config_number(c, "http", "timeout"),
                               .max_body = (uint64_t)config_number(c, "http", "max_body")};
    rc = http_client_new(&app->http, &http, app->env, e);
    if (rc)
        return rc;
    app->mailbox = mailbox_new();
    app->hooks = hook_targets_new();
    struct runtime_config runtime = {.env = app->env,
                                     .control = app->mailbox,
                                     .connector_dir = daemon_connector_dir(c, connectors, sizeof connectors),
                                     .state_dir = config_get(c, "core", "state_dir"),
                                     .worker_path = daemon_worker_path(c, worker, sizeof worker),
                                     .development = c->development,
                                     .worker_memory = (uint64_t)config_number(c, "connectors", "worker_memory"),
                                     .http = app->http,
                                     .store = setup_host_store(app),
                                     .changed = on_changed,
                                     .ctx = app};
    rc = runtime_new(&app->runtime, &runtime, e);
    if (rc)
        return rc;
    struct engine_config engine = {.db = app->db,
                                   .env = app->env,
                                   .dispatcher = runtime_dispatcher(app->runtime),
                                   .wake = on_wake,
                                   .hooks_changed = on_hooks_changed,
                                   .signed_out = on_signed_out,
                                   .ctx = app,
                                   .retention = setup_retention(c)};
    rc = engine_open(&app->engine, &engine, e);
    if (rc)
        return rc;
    app->housekeeping = housekeeping_new(app);
    app->backups = backups_new(app);
    app->sign_ins = sign_ins_new(app->env);
    struct control_parts parts = {.env = app->env,
                                  .mailbox = app->mailbox,
                                  .engine = app->engine,
                                  .runtime = app->runtime,
                                  .tick = housekeeping_tick,
                                  .ctx = app->housekeeping};
    app->control = control_new(&parts);
    return readers_new(&app->readers, db_options, e);
}

static int listen_all(struct tielined *t, struct err *e)
{
    const struct config *c = t->app.config;
    struct server_options api = {
        .socket_path = config_get(c, "api", "socket"), .max_body = 1 << 20, .tables = api_tables};
    int rc = daemon_group(c, &api.socket_group, e);
    if (!rc)
        rc = server_start(&t->api, &t->app, &api, e);
    const char *address = config_get(c, "hooks", "listen");
    if (rc || strcmp(address, "off") == 0)
        return rc;
    t->listener = hook_listener_new(&t->app);
    struct server_options hooks = {.address = address,
                                   .threads = 4,
                                   .max_per_address = (int)config_number(c, "hooks", "max_per_address"),
                                   .max_body = 1 << 20,
                                   .raw = hook_answer,
                                   .raw_self = t->listener};
    return server_start(&t->hooks, &t->app, &hooks, e);
}

static void signal_set(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

static int wait_signal(struct app *app, const sigset_t *set)
{
    int got = 0;
    while (sigwait(set, &got) == 0 && got == SIGHUP)
        reloader_ask(app->reloader);
    return got;
}

/* Signals come to this thread alone: the first one ends the daemon in order, a second one at once. It touches what the
 * main thread frees, and can be cancelled only where it waits for the second one. */
static void *watch_signals(void *arg)
{
    struct app *app = arg;
    sigset_t set;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    signal_set(&set);
    int got = wait_signal(app, &set);
    log_line(LOG_INFO, NULL, "stopping (signal %d): waiting for writes in flight, at most %d s", got,
             DRAIN_US / 1000000);
    daemon_stopping();
    backups_stop(app->backups); /* or a request that waits for one would hold the server up */
    control_stop(app->control);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    wait_signal(app, &set);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    log_line(LOG_WARN, NULL,
             "second signal: leaving at once; the journal resolves what was in flight at the next start");
    _exit(130);
}

/* On a thread of its own: requests that wait are answered by the drain, which goes on meanwhile. */
static void *stop_servers(void *arg)
{
    struct tielined *t = arg;
    t->hooks = server_stop(t->hooks);
    t->api = server_stop(t->api);
    reloader_stop(t->app.reloader);
    control_end(t->app.control);
    return NULL;
}

static void drain(struct tielined *t)
{
    pthread_t servers;
    if (pthread_create(&servers, NULL, stop_servers, t)) {
        log_line(LOG_ERROR, NULL, "cannot start a thread: leaving at once");
        _exit(1);
    }
    control_drain(t->app.control, DRAIN_US);
    pthread_join(servers, NULL);
}

/* Code in process that does not come back cannot be unloaded, nor what it uses be freed. */
static void leave_hanging(const struct app *app)
{
    for (size_t i = 0; i < runtime_connector_count(app->runtime); i++) {
        struct connector_info info;
        runtime_connector_at(app->runtime, i, &info);
        if (info.state != RUN_FAILED_UNLOAD)
            continue;
        log_err(LOG_ERROR, NULL, info.error);
        log_line(LOG_WARN, NULL, "leaving all the same; the journal resolves what was in flight at the next start");
        _exit(1);
    }
}

static void unwire(struct tielined *t, pthread_t watcher)
{
    struct app *app = &t->app;
    readers_free(app->readers);
    engine_close(app->engine);
    hook_listener_free(t->listener);
    hook_targets_free(app->hooks);
    runtime_free(app->runtime);
    http_client_free(app->http);
    pthread_cancel(watcher);
    pthread_join(watcher, NULL);
    reloader_free(app->reloader);
    if (app->config != app->boot)
        config_free(app->config);
    db_close(app->db); /* ends threads that report to what follows */
    control_free(app->control);
    housekeeping_free(app->housekeeping);
    backups_free(app->backups);
    sign_ins_free(app->sign_ins);
    seal_key_wipe(&app->key);
}

static int run(struct tielined *t, struct err *e)
{
    struct app *app = &t->app;
    const struct config *c = app->config;
    const char *state = config_get(c, "core", "state_dir");
    static char db_path[4096];
    snprintf(db_path, sizeof db_path, "%s/tieline.db", state);
    int rc = daemon_harden(e);
    if (!rc)
        rc = daemon_state_dir(state, e);
    if (!rc)
        rc = daemon_key(c, &app->key, e);
    if (rc)
        return rc;
    sigset_t set;
    signal_set(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    struct db_options db = {.path = db_path,
                            .env = app->env,
                            .key = &app->key,
                            .durability =
                                strcmp(config_get(c, "store", "durability"), "normal") == 0 ? DB_NORMAL : DB_FULL,
                            .cache_kib = (int32_t)(config_number(c, "store", "cache") / 1024)};
    rc = wire(app, &db, e);
    if (!rc) {
        setup_apply(app);
        rc = listen_all(t, e);
    }
    if (rc)
        return rc;
    app->reloader = reloader_new(app);
    pthread_t watcher;
    if (pthread_create(&watcher, NULL, watch_signals, app))
        return err_set(e, TL_E_TEMPORARY, "cannot start a thread");
    log_line(LOG_INFO, NULL, "tielined " TIELINE_VERSION " is up, API on %s%s", config_get(c, "api", "socket"),
             c->development ? " (development = yes)" : "");
    daemon_ready();
    control_run(app->control);
    drain(t);
    leave_hanging(app);
    unwire(t, watcher);
    log_line(LOG_INFO, NULL, "stopped");
    return TL_OK;
}

/* What tests may change about the world, in development mode alone. */
static void arm_tests(void)
{
    const char *crash = getenv("TIELINE_CRASH_AT"), *ahead = getenv("TIELINE_CLOCK_AHEAD");
    int64_t us = 0;
    if (crash)
        env_real_crash_at(strtoull(crash, NULL, 10));
    if (ahead && duration_parse(str_of(ahead), &us))
        env_real_ahead(us);
}

int main(int argc, char **argv)
{
    struct arguments args = {0};
    int leave = parse_arguments(argc, argv, &args);
    if (leave >= 0)
        return leave;
    AUTO(config_free) struct config *c = config_load(args.config);
    if (args.doctor)
        return doctor_run(c);
    if (args.test)
        return daemon_test(c, args.dump);
    if (c->ini.n_errors) {
        AUTO(buf_done) struct buf text = {0};
        config_findings_print(c, &text);
        fputs(buf_text(&text), stderr);
        return DAEMON_EXIT_CONFIG;
    }
    setup_log(c);
    if (c->development)
        arm_tests();
    struct tielined t = {.app = {.env = &env_real, .boot = c, .config = c, .generation = 1}};
    t.app.started_us = t.app.config_us = env_now_us(t.app.env);
    t.app.started_mono_us = env_mono_us(t.app.env);
    struct err e = {0};
    int rc = run(&t, &e);
    if (rc)
        log_err(LOG_ERROR, NULL, &e);
    return rc == TL_OK ? 0 : rc == TL_E_CONFIG ? DAEMON_EXIT_CONFIG : 1;
}
