/* tieline connector ... */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static const struct column columns[] = {
    {"NAME", "name", 0},
    {"STATE", "state", COLUMN_COLOR_STATE},
    {"VERSION", "version", 0},
    {"ABI", "abi", 0},
    {"GRADE", "grade", 0},
    {"ISOLATION", "isolation", 0},
    {"PID", "pid", COLUMN_RIGHT},
    {"ENDPOINTS", "endpoints", COLUMN_RIGHT},
    {"CRASHES", "crashes", COLUMN_RIGHT},
    {"ERROR", "error.text", COLUMN_WRAP},
    {NULL, NULL, 0},
};

static int run_list(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli_get(cli, &answer, "/api/v1/connectors");
    if (rc == EXIT_DONE)
        cli_print_list(cli, "connector", answer, columns,
                       "no connector is known; name some in [connectors] enable, or: tieline connector load NAME");
    json_decref(answer);
    return rc;
}

static const struct column option_columns[] = {
    {"OPTION", "name", 0},
    {"TYPE", "type", 0},
    {"REQUIRED", "required", 0},
    {"DEFAULT", "default", COLUMN_WRAP},
    {"CHOICES", "choices", 0},
    {"MEANING", "help", COLUMN_WRAP},
    {NULL, NULL, 0},
};

static int run_show(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli_get(cli, &answer, "/api/v1/connectors/%s", cli_escape(cli, cli->args[0]));
    if (rc == EXIT_DONE && cli->json) {
        cli_print_object(cli, "connector", answer);
    } else if (rc == EXIT_DONE) {
        json_t *options = json_pack("{s:O*}", "items", json_object_get(answer, "options"));
        json_object_del(answer, "options");
        cli_print_object(cli, "connector", answer);
        if (json_array_size(json_object_get(options, "items"))) {
            printf("\n");
            cli_print_list(cli, "option", options, option_columns, "");
        }
        json_decref(options);
    }
    json_decref(answer);
    return rc;
}

/* stdout: the name alone, so that scripts can use it; what happened goes to stderr. */
static int send_verb(struct cli *cli, const char *verb, json_t *body)
{
    json_t *answer = NULL;
    const char *path = arena_fmt(&cli->arena, "/api/v1/connectors/%s/%s", cli_escape(cli, cli->args[0]), verb);
    int rc = cli_send(cli, "POST", path, body, NULL, &answer);
    if (rc == EXIT_DONE && cli->json)
        cli_print_object(cli, "connector", answer);
    else if (rc == EXIT_DONE) {
        const char *said = *cli_text(answer, "result") ? cli_text(answer, "result") : cli_text(answer, "state");
        printf("%s\n", cli_text(answer, "name"));
        cli_note(cli, "%s%s", strcmp(verb, "disable") == 0 ? "disabled: " : "", said);
        if (*cli_text(answer, "pending_hosts"))
            cli_note(cli,
                     "it wants to reach %s; nothing goes there until you accept that: tieline connector load %s -y",
                     cli_text(answer, "pending_hosts"), cli_text(answer, "name"));
    }
    json_decref(answer);
    return rc;
}

/* What it wants to reach is shown, and accepted by -y. */
static int run_load(struct cli *cli)
{
    return send_verb(cli, "load", cli->yes ? json_pack("{s:b}", "accept", true) : NULL);
}

static const struct cli_option unload_options[] = {
    {"mode", "MODE", "soft: refuse while busy; drain (default): wait for writes; kill: cut (worker only)"},
    {"deadline", "TIME", "how long a drain may take, for example 30s (default: 60s)"},
    {NULL, NULL, NULL},
};

static json_t *ending_body(struct cli *cli)
{
    json_t *body = json_object();
    if (cli_value(cli, "deadline"))
        json_object_set_new(body, "deadline", json_string(cli_value(cli, "deadline")));
    if (cli_value(cli, "mode"))
        json_object_set_new(body, "mode", json_string(cli_value(cli, "mode")));
    return body;
}

static int run_unload(struct cli *cli)
{
    return send_verb(cli, "unload", ending_body(cli));
}

static const struct cli_option reload_options[] = {
    {"mode", "MODE", "soft: refuse while busy; drain (default): wait for writes; kill: cut (worker only)"},
    {"deadline", "TIME", "how long the drain may take, for example 30s (default: 60s)"},
    {NULL, NULL, NULL},
};

static int run_reload(struct cli *cli)
{
    return send_verb(cli, "reload", ending_body(cli));
}

static int run_disable(struct cli *cli)
{
    return send_verb(cli, "disable", NULL);
}

static int run_enable(struct cli *cli)
{
    return send_verb(cli, "enable", NULL);
}

/* A file is named by a path; from where the caller stands. */
static const char *file_or_name(struct cli *cli, const char *what)
{
    size_t n = strlen(what);
    bool file = strchr(what, '/') || (n > 3 && (strcmp(what + n - 3, ".so") == 0 || strcmp(what + n - 3, ".la") == 0));
    char here[4096];
    if (!file || what[0] == '/' || !getcwd(here, sizeof here))
        return what;
    return arena_fmt(&cli->arena, "%s/%s", here, what);
}

static const char *const told_members[] = {"name",    "title",  "version", "abi",  "grade",  "vendor", "role",
                                           "license", "claims", "hosts",   "path", "sha256", "loaded"};

static int run_verify(struct cli *cli)
{
    json_t *answer = NULL;
    json_t *body = json_pack("{s:s}", "connector", file_or_name(cli, cli->args[0]));
    int rc = cli_send(cli, "POST", "/api/v1/connectors/verify", body, NULL, &answer);
    if (rc != EXIT_DONE)
        return rc;
    bool admitted = json_is_true(json_object_get(answer, "admitted"));
    const json_t *problems = json_object_get(answer, "problems");
    if (cli->json)
        cli_print_object(cli, "verdict", answer);
    if (!cli->json && admitted) {
        json_t *told = json_object();
        for (size_t i = 0; i < ARRAY_LEN(told_members); i++)
            json_object_set(told, told_members[i], json_object_get(answer, told_members[i]));
        cli_print_object(cli, "verdict", told);
        json_decref(told);
        cli_note(cli, "it would be loaded; nothing was");
        size_t i;
        const json_t *p;
        json_array_foreach(problems, i, p)
        {
            cli_note(cli, "endpoint %s would not run with it: %s\n  hint: %s", cli_text(p, "endpoint"),
                     cli_text(p, "text"), cli_text(p, "hint"));
        }
    }
    int verdict = !admitted ? EXIT_FAILED : json_array_size(problems) ? EXIT_SOME_FAILED : EXIT_DONE;
    if (!cli->json && !admitted) {
        cli_fail(cli, EXIT_FAILED, "%s", cli_text(answer, "error.text"));
        if (*cli_text(answer, "error.hint"))
            fprintf(stderr, "  hint: %s\n", cli_text(answer, "error.hint"));
    }
    json_decref(answer);
    return verdict;
}

const struct command commands_connectors[] = {
    {"connector", "list", "", 0, 0, "connectors and their state", NULL, NULL, run_list},
    {"connector", "show", "NAME", 1, 1, "one connector, with the options its endpoints take", NULL, NULL, run_show},
    {"connector", "verify", "NAME|FILE", 1, 1, "whether a connector would be loaded, without loading it",
     "All checks of load, and the handshake in a worker that ends then; what runs goes on untouched. FILE is the path\n"
     "of a NAME.so that is not installed yet. Exit 0: it would be loaded. 1: it would be refused. 4: there is no such "
     "file.\n"
     "8: it would be loaded, and an endpoint lacks what it asks for.",
     NULL, run_verify},
    {"connector", "load", "NAME", 1, 1, "load NAME.so from the connector directory",
     "The file must belong to root and be writable by root alone; it is checked, copied and hashed before it is "
     "opened.\n"
     "Lasts until unload, or the next start ([connectors] enable says what is loaded then).\n"
     "The hosts it wants to reach are shown; -y accepts them, also of one that runs. \"hosts.NAME\" in [connectors] "
     "does, "
     "too.",
     NULL, run_load},
    {"connector", "unload", "NAME", 1, 1, "unload; lasts until load, reload or the next start", NULL, unload_options,
     run_unload},
    {"connector", "reload", "NAME", 1, 1, "drain, then load the file as it is now", NULL, reload_options, run_reload},
    {"connector", "disable", "NAME", 1, 1, "unload and keep it so, also over restarts", NULL, NULL, run_disable},
    {"connector", "enable", "NAME", 1, 1, "end disable, and load", NULL, NULL, run_enable},
    {NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
