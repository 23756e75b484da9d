/* tielined: reads the configuration, wires the layers together, runs the control loop until told to stop. */
#include <stdio.h>
#include <stdlib.h>

#include "act_run.h"
#include "answers.h"
#include "app.h"
#include "arguments.h"
#include "ask.h"
#include "backups.h"
#include "bearer.h"
#include "config_test.h"
#include "connector_attention.h"
#include "doctor.h"
#include "ending.h"
#include "hook_listener.h"
#include "hook_targets.h"
#include "housekeeping.h"
#include "link_sections.h"
#include "log.h"
#include "process.h"
#include "readers.h"
#include "reload.h"
#include "roster.h"
#include "routes.h"
#include "setup.h"
#include "sign_ins.h"
#include "times.h"

/* The application, and who serves it. */
struct tielined {
    struct app app;
    struct hook_listener *listener;
    struct bearer *bearer;
    struct roster *roster;
    struct server *api, *network, *hooks;
    struct ending *ending;
};

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

/* Layer by layer, each taking what is below. What was made before a failure is left to the end of the process. */
static int wire(struct app *app, const struct db_options *db_options, struct err *e)
{
    AUTO(arena_done) struct arena paths = {0};
    const struct config *c = app->config;
    int rc = db_open(&app->db, db_options, e);
    if (rc)
        return rc;
    uint32_t max_requests = (uint32_t)config_number(c, "connectors", "max_requests");
    struct http_config http = {.proxy = config_get(c, "http", "proxy"),
                               .ca_file = config_get(c, "http", "ca_file"),
                               .connect_timeout_us = config_number(c, "http", "connect_timeout"),
                               .timeout_us = config_number(c, "http", "timeout"),
                               .max_body = (uint64_t)config_number(c, "http", "max_body"),
                               .max_per_host = 2 * max_requests, /* several endpoints may lie on one */
                               .max_connections = 8 * max_requests,
                               .max_answers = (uint64_t)config_number(c, "http", "max_answers")};
    rc = http_client_new(&app->http, &http, app->env, e);
    if (rc)
        return rc;
    app->mailbox = mailbox_new();
    app->hooks = hook_targets_new();
    struct runtime_config runtime = {.env = app->env,
                                     .control = app->mailbox,
                                     .connector_dir = daemon_connector_dir(c),
                                     .state_dir = config_get(c, "core", "state_dir"),
                                     .worker_path = daemon_worker_path(c, &paths),
                                     .development = c->development,
                                     .worker_memory = (uint64_t)config_number(c, "connectors", "worker_memory"),
                                     .max_threads = (uint32_t)config_number(c, "connectors", "max_threads"),
                                     .agent_instances = (uint32_t)config_number(c, "connectors", "agent_calls"),
                                     .max_requests = max_requests,
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
    struct answers_parts answers = {.env = app->env,
                                    .control = app->control,
                                    .engine = app->engine,
                                    .keep_us = ANSWERS_KEEP_US,
                                    .max_bytes = ANSWERS_MAX_BYTES};
    app->answers = answers_new(&answers);
    return readers_new(&app->readers, db_options, e);
}

static int ask_vendor(void *ctx, int64_t endpoint, enum call_kind what, str kind, struct call **out,
                      const tl_shape **shape_out, struct err *e)
{
    return ask_new(ctx, endpoint, what, kind, out, shape_out, e);
}

static void submit_to_vendor(void *ctx, struct call *c, void (*done)(void *arg, struct call *c), void *arg)
{
    ask_submit(ctx, c, done, arg);
}

static void wire_acts(struct app *app)
{
    const struct acts_parts parts = {app->env, app->db, {app->engine, ask_vendor, submit_to_vendor}};
    app->acts = acts_new(&parts);
}

static int64_t tick_agents(void *ctx)
{
    struct tielined *t = ctx;
    int64_t roster = roster_tick(t->roster), acts = acts_tick(t->app.acts);
    return roster < acts ? roster : acts;
}

static int listen_api(struct tielined *t, struct err *e)
{
    const struct config *c = t->app.config;
    struct server_options api = {
        .socket_path = config_get(c, "api", "socket"), .max_body = 1 << 20, .tables = api_tables};
    int rc = daemon_group(c, &api.socket_group, e);
    if (!rc)
        rc = server_start(&t->api, &t->app, &api, e);
    const char *address = config_get(c, "api", "listen");
    if (rc || strcmp(address, "off") == 0)
        return rc;
    t->bearer = bearer_new(&t->app, (uint32_t)config_number(c, "api", "token_rate"));
    struct server_options network = {.address = address,
                                     .max_body = 1 << 20,
                                     .tables = api_tables,
                                     .authenticate = bearer_authenticate,
                                     .auth_self = t->bearer};
    return server_start(&t->network, &t->app, &network, e);
}

static int listen_all(struct tielined *t, struct err *e)
{
    const struct config *c = t->app.config;
    int rc = listen_api(t, e);
    const char *address = config_get(c, "hooks", "listen");
    if (rc || strcmp(address, "off") == 0)
        return rc;
    t->listener = hook_listener_new(&t->app);
    struct server_options hooks = {.address = address,
                                   .threads = 4,
                                   .max_per_address = (int)config_number(c, "hooks", "max_per_address"),
                                   .max_body = 1 << 20,
                                   .handle = hook_answer,
                                   .self = t->listener};
    return server_start(&t->hooks, &t->app, &hooks, e);
}

static void stop_serving(void *ctx)
{
    struct tielined *t = ctx;
    t->hooks = server_stop(t->hooks);
    t->network = server_stop(t->network);
    t->api = server_stop(t->api);
}

static void unwire(struct tielined *t)
{
    struct app *app = &t->app;
    readers_free(app->readers);
    engine_close(app->engine);
    answers_free(app->answers);
    hook_listener_free(t->listener);
    bearer_free(t->bearer);
    roster_free(t->roster);
    hook_targets_free(app->hooks);
    runtime_free(app->runtime);
    acts_free(app->acts);
    http_client_free(app->http);
    ending_free(t->ending);
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

static struct db_options store_options(const struct app *app, const char *path)
{
    const struct config *c = app->config;
    bool normal = strcmp(config_get(c, "store", "durability"), "normal") == 0;
    return (struct db_options){.path = path,
                               .env = app->env,
                               .key = &app->key,
                               .durability = normal ? DB_NORMAL : DB_FULL,
                               .cache_kib = (int32_t)(config_number(c, "store", "cache") / 1024)};
}

/* From the first thread on. */
static int start(struct tielined *t, struct err *e)
{
    struct app *app = &t->app;
    AUTO(arena_done) struct arena paths = {0};
    const char *state = config_get(app->config, "core", "state_dir");
    struct db_options db = store_options(app, arena_fmt(&paths, "%s/tieline.db", state));
    int rc = wire(app, &db, e);
    if (rc)
        return rc;
    setup_apply(app);
    t->roster = roster_new(app);
    wire_acts(app);
    housekeeping_also(app->housekeeping, tick_agents, t);
    rc = listen_all(t, e);
    if (rc)
        return rc;
    app->reloader = reloader_new(app);
    return ending_new(&t->ending, app, stop_serving, t, e);
}

static int run(struct tielined *t, struct err *e)
{
    struct app *app = &t->app;
    const struct config *c = app->config;
    int rc = daemon_harden(e);
    if (!rc)
        rc = daemon_state_dir(config_get(c, "core", "state_dir"), e);
    if (!rc)
        rc = daemon_key(c, &app->key, e);
    if (rc)
        return rc;
    ending_block_signals();
    rc = start(t, e);
    if (rc)
        return rc;
    log_line(LOG_INFO, NULL, "tielined " TIELINE_VERSION " is up, API on %s%s", config_get(c, "api", "socket"),
             c->development ? " (development = yes)" : "");
    daemon_ready();
    control_run(app->control);
    ending_drain(t->ending);
    unwire(t);
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
    int leave = arguments_parse(argc, argv, &args);
    if (leave >= 0)
        return leave;
    AUTO(config_free) struct config *c = config_load(args.config);
    link_sections_check(c);
    if (args.doctor)
        return doctor_run(c);
    if (args.test)
        return config_test(c, args.dump);
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
