/* tieline status, tieline config ..., tieline event tail */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "config.h"
#include "tielined.h"

/* ---- status ---- */

static const struct column connection_columns[] = {
    {"CONNECTION", "name", 0},
    {"A", "a", 0},
    {"B", "b", 0},
    {"STATE", "state", COLUMN_COLOR_STATE},
    {"PAIRS", "pairs", COLUMN_RIGHT},
    {"FAILURES", "failures", COLUMN_RIGHT},
    {"WHY", "why|block_text", COLUMN_WRAP},
    {NULL, NULL, 0},
};

static bool any_stopped(const json_t *answer)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(answer, "connections"), i, item)
    {
        const char *state = cli_text(item, "state");
        if (strcmp(state, "paused") == 0 || strcmp(state, "blocked") == 0 || strcmp(state, "disabled") == 0)
            return true;
    }
    return false;
}

static const char *problem_of(const json_t *endpoint)
{
    const char *text = cli_text(endpoint, "problem_words");
    if (!*text)
        text = cli_text(endpoint, "error.text");
    if (*text)
        return text;
    const char *state = cli_text(endpoint, "state");
    return strcmp(state, "running") == 0 ? "" : state;
}

/* By a connection that is to work: not one that was never started, nor one that is deleted. */
static bool is_used(const json_t *connections, const char *endpoint)
{
    size_t i;
    json_t *c;
    json_array_foreach((json_t *)(uintptr_t)connections, i, c)
    {
        bool its = strcmp(cli_text(c, "a"), endpoint) == 0 || strcmp(cli_text(c, "b"), endpoint) == 0;
        const char *state = cli_text(c, "state");
        if (its && strcmp(state, "draft") != 0 && strcmp(state, "deleting") != 0)
            return true;
    }
    return false;
}

/* Endpoints that do not work, in the order told. True when a connection that should run depends on one of them. */
static bool print_endpoints(const struct cli *cli, const json_t *endpoints, const json_t *connections)
{
    bool stopped = false, first = true;
    size_t i;
    json_t *o;
    json_array_foreach((json_t *)(uintptr_t)endpoints, i, o)
    {
        const char *problem = problem_of(o), *name = cli_text(o, "name");
        if (!*problem)
            continue;
        stopped |= is_used(connections, name);
        if (!cli->json && first)
            printf("\nendpoints that do not work:\n");
        first = false;
        if (!cli->json)
            printf("  %s (%s): %s\n", name, cli_text(o, "connector"), problem);
        if (!cli->json && *cli_text(o, "error.hint"))
            printf("      %s\n", cli_text(o, "error.hint"));
        else if (!cli->json && strcmp(problem, "not loaded") == 0)
            printf("      tieline connector load %s\n", cli_text(o, "connector"));
    }
    return stopped;
}

/* True when one of them stops something. */
static bool print_repairs(const struct cli *cli, const json_t *answer)
{
    size_t i;
    json_t *item;
    bool stopped = false;
    json_array_foreach(json_object_get(answer, "repairs"), i, item)
    {
        stopped |= strcmp(cli_text(item, "level"), "error") == 0;
        if (cli->json)
            continue;
        if (i == 0)
            printf("\nneeds attention:\n");
        printf("  %s: %s\n", cli_text(item, "object"), cli_text(item, "text"));
        if (*cli_text(item, "hint"))
            printf("      %s\n", cli_text(item, "hint"));
    }
    return stopped;
}

static void print_storage(const json_t *broken)
{
    if (broken)
        printf("NOTHING IS SENT: %s\n    %s\n", cli_text(broken, "text"), cli_text(broken, "hint"));
}

static void print_backup(const json_t *backup)
{
    const json_t *last = json_object_get(backup, "last");
    int64_t minutes = cli_int(last, "age_s") / 60;
    if (last)
        printf("last backup: %lld h %lld min ago, %.1f MiB, %s\n", (long long)(minutes / 60), (long long)(minutes % 60),
               (double)cli_int(last, "bytes") / (1 << 20), cli_text(last, "file"));
    else
        printf("last backup: none%s\n", cli_int(backup, "every_s") ? "" : "; [store] backup_every is 0s");
}

static int run_status(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli_get(cli, &answer, "/api/v1/status");
    if (rc == EXIT_NO_DAEMON)
        return EXIT_NOT_RUNNING;
    if (rc != EXIT_DONE)
        return rc;
    bool stopped = false;
    if (cli->json) {
        cli_print_object(cli, "status", answer);
        stopped = cli_add_waits(json_object_get(answer, "connections"));
    } else {
        stopped = cli_add_waits(json_object_get(answer, "connections"));
        printf("tielined %s, %s, up %lld s, connectors: %lld of %lld running\n", cli_text(answer, "version"),
               cli_text(answer, "state"), (long long)cli_int(answer, "uptime_s"),
               (long long)cli_int(answer, "connectors.running"), (long long)cli_int(answer, "connectors.known"));
        if (json_is_true(json_object_get(answer, "development")))
            printf("WARNING: development = yes: connectors of the daemon's own user are trusted, plain http to "
                   "loopback is "
                   "allowed\n");
        if (cli_int(answer, "connectors.without_landlock"))
            printf("WARNING: this kernel has no Landlock: connectors see the files of the daemon's user while they are "
                   "loaded, and none can be granted a directory\n");
        print_storage(json_object_get(answer, "storage"));
        print_backup(json_object_get(answer, "backup"));
        json_t *list = json_pack("{s:O}", "items", json_object_get(answer, "connections"));
        cli_sum_links(json_object_get(answer, "connections"));
        cli_print_list(cli, "connection", list, connection_columns,
                       "no connection yet; see: tieline connection create --help");
        json_decref(list);
    }
    stopped |= print_repairs(cli, answer);
    stopped |= any_stopped(answer) || json_object_get(answer, "storage");
    json_t *endpoints = NULL;
    rc = cli_get(cli, &endpoints, "/api/v1/endpoints");
    if (rc == EXIT_DONE)
        cli_add_problems(json_object_get(endpoints, "items"));
    if (rc == EXIT_DONE)
        stopped |= print_endpoints(cli, json_object_get(endpoints, "items"), json_object_get(answer, "connections"));
    json_decref(endpoints);
    json_decref(answer);
    return rc != EXIT_DONE ? rc : stopped ? EXIT_NOT_RUNNING : EXIT_DONE;
}

/* ---- configuration ---- */

/* tielined knows the connectors, so it gives the full verdict. */
static int check_file(struct cli *cli, const char *file)
{
    tielined_become(cli, "-t", file);
    AUTO(config_free) struct config *c = config_load(file);
    AUTO(buf_done) struct buf text = {0};
    config_findings_print(c, &text);
    fputs(buf_text(&text), stderr);
    if (!cli->json)
        cli_note(cli, "tielined was not found beside this program: options of connectors were not checked");
    return c->ini.n_errors ? EXIT_CONFIG : EXIT_DONE;
}

/* The lines of the verdict as a list: the same text, one member each. */
static int check_as_json(struct cli *cli, const char *file)
{
    AUTO(buf_done) struct buf text = {.max = 1 << 20};
    int rc = tielined_capture(cli, check_file, file, true, &text);
    json_t *items = json_array();
    str rest = buf_lent(&text), line;
    while (rest.n && str_split(&rest, '\n', &line))
        if (line.n)
            json_array_append_new(items, json_pack("{s:s%}", "text", line.p, (size_t)line.n));
    json_t *list = json_pack("{s:o}", "items", items);
    cli_print_list(cli, "finding", list, NULL, "");
    json_decref(list);
    return rc;
}

static int run_check(struct cli *cli)
{
    const char *file = cli->n_args ? cli->args[0] : "/etc/tieline/tieline.ini";
    return cli->json ? check_as_json(cli, file) : check_file(cli, file);
}

static const struct column value_columns[] = {{"SECTION", "section", 0},
                                              {"KEY", "key", 0},
                                              {"VALUE", "value", COLUMN_WRAP},
                                              {"FROM", "origin", 0},
                                              {NULL, NULL, 0}};

static int run_show(struct cli *cli)
{
    return cli_list(cli, "/api/v1/config", "config", value_columns, "");
}

static const char *const type_words[] = {
    "text",   "absolute path", "whole number", "size (64k, 16m)", "time (30s, 4h, 7d)", "yes or no",
    "one of", "list",          "URL",          "HOST:PORT or off"};

static const char *effect_of(const struct config_key *k)
{
    return k->reload == RELOAD_DAEMON        ? "when tielined starts"
           : strcmp(k->section, "link") == 0 ? "at once with tieline link set, from the INI with tieline config reload"
                                             : "with tieline config reload";
}

static void explain(const struct config_key *k)
{
    printf("[%s] %s\n  %s\n  type: %s%s%s; default: %s; takes effect %s\n", k->section, k->key, k->doc,
           type_words[k->type], k->choices ? " " : "", k->choices ? k->choices : "",
           k->def && *k->def ? k->def : "none", effect_of(k));
}

static json_t *key_json(const struct config_key *k)
{
    return json_pack("{s:s,s:s,s:s,s:s?,s:s?,s:s,s:s}", "section", k->section, "key", k->key, "type",
                     type_words[k->type], "default", k->def, "choices", k->choices, "doc", k->doc, "takes_effect",
                     effect_of(k));
}

static int explain_value(struct cli *cli, const char *key, json_t *now)
{
    json_t *answer = NULL;
    if (access(cli->socket, W_OK) != 0 || cli_get(cli, &answer, "/api/v1/config") != EXIT_DONE)
        return EXIT_DONE; /* the meaning was told; what counts now is known only to a running daemon */
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(answer, "items"), i, item)
    {
        const char *name = cli_text(item, "key"), *dot = strchr(key, '.');
        if (strcmp(name, key) != 0 && !(dot && strcmp(name, dot + 1) == 0))
            continue;
        json_array_append(now, item);
        if (!cli->json)
            printf("  now in [%s]: %s (%s)\n", cli_text(item, "section"), cli_text(item, "value"),
                   cli_text(item, "origin"));
    }
    json_decref(answer);
    return EXIT_DONE;
}

/* Whether key means k: "every", "link.every", "isolation.NAME" for "isolation.*", or the section's name. */
static bool names_key(const struct config_key *k, const char *key)
{
    size_t n = strlen(k->section);
    bool qualified = strncmp(k->section, key, n) == 0 && key[n] == '.' && config_key_find(k->section, key + n + 1) == k;
    return qualified || strcmp(k->key, key) == 0 || strcmp(k->section, key) == 0 ||
           config_key_find(k->section, key) == k;
}

static int run_explain(struct cli *cli)
{
    const char *key = cli->args[0];
    json_t *keys = json_array();
    for (int i = 0; i < config_key_count; i++) {
        const struct config_key *k = &config_keys[i];
        if (!names_key(k, key))
            continue;
        json_array_append_new(keys, key_json(k));
        if (!cli->json)
            explain(k);
    }
    json_t *now = json_array(), *list = json_pack("{s:o,s:o}", "items", keys, "now", now);
    int rc = json_array_size(keys)
                 ? explain_value(cli, key, now)
                 : cli_fail(cli, EXIT_NO_SUCH, "no key or section \"%s\"; see: tieline config schema", key);
    json_t *o;
    size_t i;
    json_array_foreach(keys, i, o)
    {
        json_object_set(o, "now", now);
    }
    if (rc == EXIT_DONE && cli->json)
        cli_print_list(cli, "key", list, NULL, "");
    json_decref(list);
    return rc;
}

static int run_schema(struct cli *cli)
{
    json_t *items = json_array();
    for (int i = 0; i < config_key_count; i++) {
        const struct config_key *k = &config_keys[i];
        json_array_append_new(items, key_json(k));
    }
    json_t *list = json_pack("{s:o}", "items", items);
    static const struct column columns[] = {{"SECTION", "section", 0},
                                            {"KEY", "key", 0},
                                            {"DEFAULT", "default", 0},
                                            {"MEANING", "doc", COLUMN_WRAP},
                                            {NULL, NULL, 0}};
    cli_print_list(cli, "key", list, columns, "");
    json_decref(list);
    return EXIT_DONE;
}

static int run_sample(struct cli *cli)
{
    AUTO(buf_done) struct buf text = {0};
    config_sample_print(&text);
    json_t *o = json_pack("{s:s}", "text", buf_text(&text));
    if (cli->json)
        cli_print_object(cli, "sample", o);
    else
        fputs(buf_text(&text), stdout);
    json_decref(o);
    return EXIT_DONE;
}

/* ---- reload ---- */

static const struct column change_columns[] = {{"WHAT", "what", 0},
                                               {"SECTION", "section", 0},
                                               {"KEY", "key", 0},
                                               {"VALUE", "value", COLUMN_WRAP},
                                               {"WAS", "was", COLUMN_WRAP},
                                               {"FROM", "origin", 0},
                                               {"TAKES EFFECT", "takes_effect", 0},
                                               {NULL, NULL, 0}};

/* As the check of a file prints them, so that editors jump. */
static void print_reload_findings(const json_t *answer)
{
    size_t i;
    json_t *f;
    json_array_foreach(json_object_get(answer, "findings"), i, f)
    {
        const char *origin = cli_text(f, "origin");
        fprintf(stderr, "%s%s%s: %s\n", origin, *origin ? ": " : "", cli_text(f, "level"), cli_text(f, "text"));
    }
}

/* True: one of them failed. */
static bool print_steps(struct cli *cli, const json_t *answer)
{
    bool failed = false;
    size_t i;
    json_t *o;
    json_array_foreach(json_object_get(answer, "steps"), i, o)
    {
        const char *wrong = cli_text(o, "error.text"), *hint = cli_text(o, "error.hint");
        failed |= *wrong != 0;
        if (cli->json || (!*wrong && cli->quiet))
            continue;
        fprintf(stderr, "%s %s: %s%s%s\n", cli_text(o, "step"), cli_text(o, "name"),
                *wrong ? wrong : cli_text(o, "result"), *hint ? "; " : "", hint);
    }
    return failed;
}

static int run_reload(struct cli *cli)
{
    json_t *answer = NULL;
    const char *path = cli->dry_run ? "/api/v1/config/reload?dry_run=true" : "/api/v1/config/reload";
    int rc = cli_send(cli, "POST", path, NULL, NULL, &answer);
    if (rc != EXIT_DONE)
        return rc;
    bool refused = cli_int(answer, "errors") > 0;
    if (cli->json)
        cli_print_object(cli, "reload", answer);
    else
        print_reload_findings(answer);
    if (!cli->json && !refused)
        cli_print_list(cli, "change", answer, change_columns, "nothing changed");
    bool failed = print_steps(cli, answer);
    if (refused)
        rc = cli->json ? EXIT_CONFIG
                       : cli_fail(cli, EXIT_CONFIG, "refused, %lld errors: what runs stays as it was",
                                  (long long)cli_int(answer, "errors"));
    else if (failed)
        rc = EXIT_FAILED;
    if (!refused && json_is_true(json_object_get(answer, "restart")))
        cli_note(cli, "what needs a restart counts when tielined is started again; the rest does not wait for it");
    if (!refused && !cli->dry_run)
        cli_note(cli, "generation %lld", (long long)cli_int(answer, "generation"));
    json_decref(answer);
    return rc;
}

/* ---- events ---- */

static bool print_bytes(void *ctx, str bytes)
{
    (void)ctx;
    if (bytes.n == 1 && bytes.p[0] == '\n')
        return true; /* a sign of life */
    return fwrite(bytes.p, 1, (size_t)bytes.n, stdout) == bytes.n && fflush(stdout) == 0;
}

static int run_tail(struct cli *cli)
{
    struct err e = {0};
    if (http_local_stream(cli_http(cli), "/api/v1/events", print_bytes, NULL, &e))
        return cli_local_failure(cli, &e);
    return EXIT_DONE;
}

const struct command commands_daemon[] = {
    {"status", NULL, "", 0, 0, "one screen: daemon, connections, what needs a person",
     "Exit 0: all runs. 3: the daemon is down, something is paused or blocked, or an endpoint in use does not work.",
     NULL, run_status},
    {"config", "check", "[FILE]", 0, 1, "check a configuration; needs no daemon",
     "Every wrong key, value and reference with file and line, all of them at once. Exit 7 when there is one.", NULL,
     run_check},
    {"config", "reload", "", 0, 0, "read the configuration again: check, plan, apply what changed (-n: the plan alone)",
     "What did not change is not touched: workers, sign-ins and running calls go on. Anything wrong leaves all as it "
     "was\n"
     "and is told with file and line. Exit 7: refused. 1: applied, but a step of it failed.",
     NULL, run_reload},
    {"config", "show", "", 0, 0, "every value that counts now, with its origin", NULL, NULL, run_show},
    {"config", "explain", "KEY", 1, 1, "what a key means, its default, and what counts now", NULL, NULL, run_explain},
    {"config", "schema", "", 0, 0, "all keys", NULL, NULL, run_schema},
    {"config", "sample", "", 0, 0, "a commented configuration with every key", NULL, NULL, run_sample},
    {"event", "tail", "", 0, 0, "normalized change events as they come, one JSON object a line", NULL, NULL, run_tail},
    {NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
