/* From the configuration to running connectors, endpoints, connections and links. All [control]. */
#include <stdio.h>
#include <stdlib.h>

#include "accept_hosts.h"
#include "admin.h"
#include "app.h"
#include "attention.h"
#include "connections.h"
#include "connector_attention.h"
#include "endpoints.h"
#include "hook_targets.h"
#include "log.h"
#include "secrets.h"
#include "setup.h"

static int store_kv_get(void *ctx, int64_t endpoint, const char *key, struct buf *out, struct err *e)
{
    struct app *app = ctx;
    return kv_get(app->db, endpoint, str_of(key), out, e);
}

static int store_kv_set(void *ctx, int64_t endpoint, const char *key, str value, struct err *e)
{
    struct app *app = ctx;
    return kv_set(app->db, endpoint, str_of(key), value, e);
}

/* The authorisation keeps one opaque secret; the store's token row carries it as its access part. */
static int store_token_load(void *ctx, int64_t endpoint, struct buf *secret_out, struct err *e)
{
    struct app *app = ctx;
    AUTO(token_done) struct token t = {0};
    int rc = token_get(app->db, endpoint, &t, e);
    if (!rc)
        buf_add(secret_out, t.access.p, t.access.n);
    return rc;
}

static int store_token_save(void *ctx, int64_t endpoint, str secret, struct err *e)
{
    struct app *app = ctx;
    if (secret.n == 0) {
        int rc = token_rm(app->db, endpoint, e);
        return rc == TL_E_NOT_FOUND ? TL_OK : rc;
    }
    AUTO(token_done) struct token t = {0};
    int rc = token_get(app->db, endpoint, &t, e);
    if (rc && rc != TL_E_NOT_FOUND)
        return rc;
    buf_wipe(&t.access);
    buf_str(&t.access, secret);
    return token_put(app->db, endpoint, &t, e);
}

struct host_store setup_host_store(struct app *app)
{
    return (struct host_store){app, store_kv_get, store_kv_set, store_token_load, store_token_save};
}

int64_t setup_endpoint_id(struct app *app, const char *name)
{
    AUTO(arena_done) struct arena a = {0};
    struct endpoint row;
    return endpoint_find(app->db, &a, str_of(name), &row, NULL) == TL_OK ? row.endpoint : 0;
}

void setup_log(const struct config *c)
{
    const char *level = config_get(c, "log", "level"), *format = config_get(c, "log", "format");
    enum log_level min = strcmp(level, "debug") == 0   ? LOG_DEBUG
                         : strcmp(level, "warn") == 0  ? LOG_WARN
                         : strcmp(level, "error") == 0 ? LOG_ERROR
                                                       : LOG_INFO;
    log_setup(min, strcmp(format, "json") == 0 ? LOG_JSON : strcmp(format, "journal") == 0 ? LOG_JOURNAL : LOG_TEXT);
}

struct retention setup_retention(const struct config *c)
{
    return (struct retention){.history_us = config_number(c, "retention", "history"),
                              .failures_us = config_number(c, "retention", "failures"),
                              .deliveries_us = config_number(c, "retention", "deliveries"),
                              .tombstones_us = config_number(c, "retention", "tombstones"),
                              .inbox_us = config_number(c, "retention", "inbox"),
                              .audit_us = config_number(c, "retention", "audit"),
                              .delete_grace_us = config_number(c, "retention", "delete_grace")};
}

int setup_endpoint_loaded(struct app *app, const char *name, struct err *e)
{
    struct endpoint_info endpoint;
    struct connector_info connector;
    int64_t id = setup_endpoint_id(app, name);
    if (!id || !runtime_endpoint_info(app->runtime, id, &endpoint) ||
        !runtime_connector_info(app->runtime, endpoint.connector, &connector))
        return TL_OK;
    bool disabled = connector.state == RUN_DISABLED;
    if (!disabled && connector.state != RUN_NOT_LOADED && connector.state != RUN_CRASHED)
        return TL_OK;
    err_set(e, TL_E_TEMPORARY, "connector \"%s\" of endpoint \"%s\" is %s", connector.name, name,
            run_state_name(connector.state));
    err_hint(e, "`tieline connector %s %s`", disabled ? "enable" : "load", connector.name);
    return TL_E_TEMPORARY;
}

void setup_endpoint_hurry(struct app *app, const char *name)
{
    int64_t id = setup_endpoint_id(app, name);
    runtime_endpoint_hurry(app->runtime, id);
    engine_endpoint_hurry(app->engine, id);
}

/* ---- endpoints ---- */

struct options {
    struct arena arena;
    tl_pair *pairs;
    uint32_t n;
    const char *problem;
};

static str option_value(struct app *app, struct options *o, const struct config_value *v)
{
    if (strncmp(v->value, "@secret:", 8) != 0)
        return str_of(v->value);
    AUTO(buf_wipe) struct buf secret = {0};
    struct err e = {0};
    int rc = secret_get(app->db, str_of(v->value + 8), &secret, &e);
    if (rc == TL_OK) {
        log_secret_add(buf_lent(&secret));
        return arena_str(&o->arena, buf_lent(&secret));
    }
    const char *one =
        rc == TL_E_NOT_FOUND
            ? arena_fmt(&o->arena, "secret \"%s\" is not set; run: tieline secret set %s (%s:%d)", v->value + 8,
                        v->value + 8, v->file, v->line)
            : arena_fmt(&o->arena, "%s (%s:%d)%s%s", e.text, v->file, v->line, e.hint[0] ? "; " : "", e.hint);
    o->problem = o->problem ? arena_fmt(&o->arena, "%s; %s", o->problem, one) : one;
    return (str){NULL, 0};
}

static void collect_options(struct app *app, const struct config_section *s, struct options *o)
{
    uint32_t most = 0;
    for (const struct config_value *v = s->values; v; v = v->next)
        most++;
    o->pairs = arena_array(&o->arena, tl_pair, most + 1);
    for (const struct config_value *v = s->values; v; v = v->next) {
        if (config_key_find("endpoint", v->key))
            continue; /* the host's own */
        str value = option_value(app, o, v);
        if (value.p)
            o->pairs[o->n++] = (tl_pair){str_of(v->key), value};
    }
}

void setup_endpoint(struct app *app, const struct config_section *s)
{
    const char *connector = config_get(app->config, s->header, "connector");
    struct connector_info info = {0};
    bool loaded = runtime_connector_info(app->runtime, connector, &info) && info.manifest;
    struct endpoint_setup setup = {.name = s->name, .connector = connector, .system = connector};
    setup.daily_calls = config_number(app->config, s->header, "daily_calls");
    setup.reserve_pct = (int32_t)config_number(app->config, s->header, "reserve_pct");
    setup.mirrors = config_get(app->config, s->header, "mirror");
    if (loaded) {
        setup.system = info.manifest->id;
        setup.role = info.manifest->role;
        setup.claims = info.manifest->claims;
        setup.default_window_s = info.manifest->default_window_s;
        setup.default_master = info.manifest->default_master;
    }
    struct err e = {0};
    int64_t id;
    if (engine_endpoint_put(app->engine, &setup, &id, &e)) {
        log_err(LOG_ERROR, s->header, &e);
        return;
    }
    struct options o = {.n = 0};
    collect_options(app, s, &o);
    struct endpoint_config config = {
        .id = id, .name = s->name, .connector = connector, .options = o.pairs, .n_options = o.n, .problem = o.problem};
    AUTO(buf_done) struct buf before = {.max = 65536}, ctx = {.max = 4096};
    log_member(&ctx, "endpoint", s->name);
    buf_text_add(&before, runtime_endpoint_problem(app->runtime, id));
    if (runtime_endpoint_set(app->runtime, &config, &e))
        log_err(LOG_ERROR, buf_text(&ctx), &e);
    else if (o.problem && strcmp(buf_text(&before), o.problem) != 0) /* told once */
        log_line(LOG_WARN, buf_text(&ctx), "%s", o.problem);
    else if (!o.problem && info.state == RUN_RUNNING)
        engine_endpoint_ready(app->engine, id);
    arena_done(&o.arena);
}

void setup_endpoints(struct app *app, const char *connector)
{
    for (const struct config_section *s = app->config->sections; s; s = s->next)
        if (strcmp(s->type, "endpoint") == 0 &&
            (!connector || strcmp(config_get(app->config, s->header, "connector"), connector) == 0))
            setup_endpoint(app, s);
    hook_targets_refresh(app);
}

static void forget_missing_endpoints(struct app *app)
{
    AUTO(arena_done) struct arena a = {0};
    struct endpoint *rows;
    size_t n;
    struct err e = {0};
    if (endpoint_list(app->db, &a, &rows, &n, &e)) {
        log_err(LOG_ERROR, NULL, &e);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const char *name = arena_str(&a, rows[i].name).p;
        if (rows[i].present && !config_section_find(app->config, "endpoint", name, NULL) &&
            engine_endpoint_gone(app->engine, name, &e))
            log_err(LOG_ERROR, name, &e);
    }
}

/* ---- connectors ---- */

struct load_note {
    struct app *app;
    char connector[40];
    bool again; /* by itself: that it still finds no room was told */
};

/* Which file it was, for the time when it is not loaded; the time is that of the first load of this file. */
static void remember_file(struct app *app, const char *connector)
{
    AUTO(arena_done) struct arena a = {0};
    struct connector_info info;
    struct connector_row row = {.id = str_of(connector)};
    struct err e = {0};
    if (!runtime_connector_info(app->runtime, connector, &info) || !info.manifest)
        return;
    (void)connector_get(app->db, &a, str_of(connector), &row, NULL);
    if (str_is(row.sha256, info.sha256))
        return;
    row.version = str_of(info.manifest->version);
    row.sha256 = str_of(info.sha256);
    row.loaded_us = info.loaded_us;
    if (connector_put(app->db, &row, &e))
        log_err(LOG_WARN, connector, &e);
}

void setup_loaded(struct app *app, const char *connector)
{
    struct connector_info info;
    remember_file(app, connector);
    if (runtime_connector_info(app->runtime, connector, &info))
        connector_taken(app, connector, info.sha256);
    setup_endpoints(app, connector);
    hook_subscribe(app);
}

static void connector_loaded(void *arg, const char *words, const struct err *e)
{
    struct load_note *note = arg;
    if (e) {
        char ctx[64];
        snprintf(ctx, sizeof ctx, "connector=%s", note->connector);
        log_err(note->again && e->status == E_STORAGE ? LOG_DEBUG : LOG_ERROR, ctx, e);
    } else {
        log_line(LOG_INFO, NULL, "connector \"%s\": %s", note->connector, words);
        hosts_tell_pending(note->app, note->connector);
        setup_loaded(note->app, note->connector);
    }
    free(note);
}

enum isolation setup_isolation(const struct config *c, const char *connector)
{
    char key[64];
    snprintf(key, sizeof key, "isolation.%s", connector);
    enum isolation isolation = ISOLATION_WORKER;
    const char *text = config_get(c, "connectors", key);
    if (text)
        (void)isolation_parse(str_of(text), &isolation);
    return isolation;
}

void setup_connector(struct app *app, const char *name)
{
    struct connector_info info;
    if (runtime_connector_info(app->runtime, name, &info))
        return;
    struct err e = {0};
    AUTO(arena_done) struct arena a = {0};
    struct connector_row row;
    bool disabled = connector_get(app->db, &a, str_of(name), &row, NULL) == TL_OK && row.disabled;
    if (runtime_connector_add(app->runtime, name, setup_isolation(app->config, name), &e) ||
        hosts_apply(app, name, &e) || (disabled && runtime_connector_disable(app->runtime, name, true, &e)))
        log_err(LOG_ERROR, name, &e);
}

static void load(struct app *app, const char *name, bool again)
{
    struct load_note *note = calloc(1, sizeof *note);
    ASSERT(note);
    note->app = app;
    note->again = again;
    snprintf(note->connector, sizeof note->connector, "%s", name);
    struct err e = {0};
    if (runtime_load(app->runtime, name, connector_loaded, note, &e))
        connector_loaded(note, NULL, &e);
}

void setup_load_again(struct app *app)
{
    for (size_t i = 0; i < runtime_connector_count(app->runtime) && !runtime_stopping(app->runtime); i++) {
        struct connector_info info;
        runtime_connector_at(app->runtime, i, &info);
        if (info.state == RUN_NOT_LOADED && info.error && info.error->status == E_STORAGE &&
            config_enables(app->config, info.name))
            load(app, info.name, true);
    }
}

static void load_enabled(struct app *app)
{
    AUTO(arena_done) struct arena a = {0};
    str rest = str_of(config_get(app->config, "connectors", "enable")), word;
    while (str_split(&rest, ',', &word)) {
        word = str_trim(word);
        if (word.n == 0)
            continue;
        const char *name = arena_str(&a, word).p;
        struct connector_info info;
        struct connector_row row;
        if (runtime_connector_info(app->runtime, name, &info) &&
            (info.state == RUN_LOADING || info.state == RUN_CRASHED))
            continue; /* named twice; or held, which was told */
        if (connector_get(app->db, &a, word, &row, NULL) == TL_OK && row.disabled) {
            log_line(LOG_INFO, NULL, "connector \"%s\" is disabled; tieline connector enable %s", name, name);
            continue;
        }
        load(app, name, false);
    }
}

static void add_connectors(struct app *app)
{
    AUTO(arena_done) struct arena a = {0};
    str rest = str_of(config_get(app->config, "connectors", "enable")), word;
    while (str_split(&rest, ',', &word))
        if (str_trim(word).n)
            setup_connector(app, arena_str(&a, str_trim(word)).p);
    for (const struct config_section *s = app->config->sections; s; s = s->next)
        if (strcmp(s->type, "endpoint") == 0)
            setup_connector(app, config_get(app->config, s->header, "connector"));
}

/* ---- connections and links pinned by sections ---- */

int setup_connection_fits(struct app *app, const struct config *c, const struct config_section *s, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct connection row;
    const char *name[2] = {config_get(c, s->header, "a"), config_get(c, s->header, "b")};
    int rc = connection_find(app->db, &a, str_of(s->name), &row, e);
    if (rc ||
        (row.endpoint[0] == setup_endpoint_id(app, name[0]) && row.endpoint[1] == setup_endpoint_id(app, name[1])))
        return rc;
    err_set(e, TL_E_CONFIG, "the connection was made between other endpoints, and stays so");
    err_hint(e, "give the new connection another name, or delete the old one first");
    return TL_E_CONFIG;
}

/* What the file wants and cannot have is among what needs attention until it is applied, or not wanted any more. */
#define REFUSED STR("CONFIG_REFUSED")

static void note_outcome(struct app *app, const struct config_section *s, const struct err *refusal)
{
    AUTO(buf_done) struct buf object = {.max = 256};
    buf_fmt(&object, "%s %s%s%s", s->type, s->name, s->kind ? "/" : "", s->kind ? s->kind : "");
    struct repair r = {.object = buf_lent(&object), .code = REFUSED, .level = TL_ERROR};
    struct err e = {0};
    if (refusal) {
        r.text = str_of(refusal->text);
        r.hint = str_of(refusal->hint);
    }
    int rc = refusal ? repair_raise(app->db, &r, &e)
                     : repair_clear(app->db, r.object, REFUSED, (str){0}, env_now_us(app->env), &e);
    if (rc)
        log_err(LOG_ERROR, s->header, &e);
}

void setup_forgotten(struct app *app, const struct config_section *s)
{
    note_outcome(app, s, NULL);
}

static void forget_refusals(struct app *app)
{
    AUTO(arena_done) struct arena a = {0};
    struct repair *rows;
    size_t n;
    struct err e = {0};
    int rc = repair_list(app->db, &a, false, 10000, &rows, &n, &e);
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        if (str_eq(rows[i].code, REFUSED))
            rc = repair_clear(app->db, rows[i].object, REFUSED, (str){0}, env_now_us(app->env), &e);
    if (rc)
        log_err(LOG_ERROR, NULL, &e);
}

static int connection_apply(struct app *app, const struct config_section *s, struct err *e)
{
    int rc = setup_connection_fits(app, app->config, s, e);
    if (rc == TL_E_NOT_FOUND) {
        err_clear(e);
        rc = admin_connection_create(app->engine, s->name, config_get(app->config, s->header, "a"),
                                     config_get(app->config, s->header, "b"), NULL, e);
    }
    return rc ? err_wrap(e, "%s:%d", s->file, s->line) : TL_OK;
}

unsigned setup_link_settings(const struct config_section *s, struct arena *a, const struct admin_setting **out)
{
    unsigned n = 0;
    for (const struct config_value *v = s->values; v; v = v->next)
        n++;
    struct admin_setting *list = arena_array(a, struct admin_setting, n + 1u);
    n = 0;
    for (const struct config_value *v = s->values; v; v = v->next)
        list[n++] = (struct admin_setting){v->key, v->value};
    *out = list;
    return n;
}

void setup_link_place(const struct config_section *s, const struct err *e, const char **file, int *line)
{
    *file = s->file;
    *line = s->line;
    for (const struct config_value *v = s->values; v; v = v->next) {
        size_t n = strlen(v->key);
        if (strncmp(e->text, v->key, n) == 0 && strncmp(e->text + n, " = ", 3) == 0) {
            *file = v->file;
            *line = v->line;
        }
    }
}

static int link_apply(struct app *app, const struct config_section *s, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    const struct admin_setting *set;
    unsigned n = setup_link_settings(s, &a, &set);
    AUTO(buf_done) struct buf keys = {0}, place = {0};
    for (unsigned i = 0; i < n; i++)
        buf_fmt(&keys, "%s%s", i ? "," : "", set[i].key);
    buf_fmt(&place, "%s:%d", s->file, s->line);
    (void)admin_link_pin(app->engine, s->name, s->kind, "", "", NULL); /* so that the file may change what it pins */
    int rc = admin_link_set(app->engine, s->name, s->kind, set, n, NULL, e);
    if (rc == TL_E_NOT_FOUND) {
        err_clear(e);
        rc = admin_link_create(app->engine, s->name, s->kind, set, n, NULL, e);
    }
    struct err *told = rc ? NULL : e; /* what was refused stays as it is, and pinned like the rest */
    int pinned = admin_link_pin(app->engine, s->name, s->kind, buf_text(&keys), buf_text(&place), told);
    if (!rc && !pinned)
        return TL_OK;
    const char *file;
    int line;
    setup_link_place(s, e, &file, &line);
    return err_wrap(e, "%s:%d", file, line);
}

int setup_connection(struct app *app, const struct config_section *s, struct err *e)
{
    int rc = connection_apply(app, s, e);
    note_outcome(app, s, rc ? e : NULL);
    return rc;
}

int setup_link(struct app *app, const struct config_section *s, struct err *e)
{
    int rc = link_apply(app, s, e);
    note_outcome(app, s, rc ? e : NULL);
    return rc;
}

/* A link whose section went is free again; it is neither disabled nor deleted. */
static void unpin_links(struct app *app)
{
    AUTO(arena_done) struct arena a = {0};
    struct connection *rows;
    size_t n;
    if (connection_list(app->db, &a, &rows, &n, NULL))
        return;
    for (size_t i = 0; i < n; i++) {
        struct link *links;
        size_t n_links;
        if (link_list(app->db, &a, rows[i].connection, &links, &n_links, NULL))
            continue;
        const char *connection = arena_str(&a, rows[i].name).p;
        for (size_t k = 0; k < n_links; k++) {
            const char *kind = arena_str(&a, links[k].name).p;
            const char *several = arena_fmt(&a, "%ss", kind); /* "[link NAME contacts]" means the same link */
            if (!config_section_find(app->config, "link", connection, kind) &&
                !config_section_find(app->config, "link", connection, several))
                (void)admin_link_pin(app->engine, connection, kind, "", "", NULL);
        }
    }
}

void setup_apply(struct app *app)
{
    add_connectors(app);
    setup_endpoints(app, NULL);
    forget_missing_endpoints(app);
    forget_refusals(app);
    struct err e = {0};
    for (const struct config_section *s = app->config->sections; s; s = s->next, err_clear(&e))
        if (strcmp(s->type, "connection") == 0 && setup_connection(app, s, &e))
            log_err(LOG_ERROR, s->header, &e);
    for (const struct config_section *s = app->config->sections; s; s = s->next, err_clear(&e))
        if (strcmp(s->type, "link") == 0 && setup_link(app, s, &e))
            log_err(LOG_ERROR, s->header, &e);
    unpin_links(app);
    connector_hold_crashed(app);
    load_enabled(app);
}
