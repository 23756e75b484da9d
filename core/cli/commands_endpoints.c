/* tieline endpoint ..., tieline secret ..., tieline webhook ... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "hidden.h"

static const struct column columns[] = {
    {"NAME", "name", 0},
    {"CONNECTOR", "connector", 0},
    {"STATE", "state", COLUMN_COLOR_STATE},
    {"SIGN-IN", "auth.state", 0},
    {"ORG", "org_name|org_key", 0},
    {"PROBLEM", "problem_words|error.text|block_text", COLUMN_WRAP},
    {NULL, NULL, 0},
};

static const char *endpoint_path(struct cli *cli, const char *rest)
{
    return arena_fmt(&cli->arena, "/api/v1/endpoints/%s%s", cli_escape(cli, cli->args[0]), rest);
}

static int run_list(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli_get(cli, &answer, "/api/v1/endpoints");
    if (rc == EXIT_DONE && !cli->json)
        cli_add_problems(json_object_get(answer, "items"));
    if (rc == EXIT_DONE)
        cli_print_list(cli, "endpoint", answer, columns, "no endpoint is configured; add an [endpoint NAME] section");
    json_decref(answer);
    return rc;
}

static int run_show(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli_get(cli, &answer, "%s", endpoint_path(cli, ""));
    if (rc == EXIT_DONE)
        cli_print_object(cli, "endpoint", answer);
    json_decref(answer);
    return rc;
}

static const struct column finding_columns[] = {
    {"LEVEL", "level", COLUMN_COLOR_STATE}, {"CODE", "code", 0}, {"FINDING", "text", COLUMN_WRAP},
    {"WHAT TO DO", "hint", COLUMN_WRAP},    {NULL, NULL, 0},
};

static bool has_errors(const json_t *answer)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(answer, "findings"), i, item)
    {
        if (strcmp(cli_text(item, "level"), "error") == 0)
            return true;
    }
    return false;
}

static void print_findings(struct cli *cli, const json_t *answer)
{
    json_t *list = json_pack("{s:O*}", "items", json_object_get(answer, "findings"));
    cli_print_list(cli, "finding", list, finding_columns, "nothing to complain about");
    json_decref(list);
}

static int run_check(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli_send(cli, "POST", endpoint_path(cli, "/check"), NULL, NULL, &answer);
    if (rc != EXIT_DONE)
        return rc;
    if (cli->json) {
        cli_print_object(cli, "check", answer);
    } else {
        json_t *account = json_object_get(answer, "account");
        if (account)
            cli_print_object(cli, "account", account);
        print_findings(cli, answer);
    }
    rc = has_errors(answer) ? EXIT_FAILED : EXIT_DONE;
    json_decref(answer);
    return rc;
}

/* Nothing is left to be done: every finding says that something is there already. */
static bool is_ready(const json_t *answer)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(answer, "findings"), i, item)
    {
        if (strcmp(cli_text(item, "code"), "PREPARED") != 0)
            return false;
    }
    return true;
}

static int run_prepare(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli_send(cli, "POST", endpoint_path(cli, "/prepare?dry_run=true"), NULL, NULL, &answer);
    if (rc != EXIT_DONE)
        return rc;
    if (cli->json && cli->dry_run)
        cli_print_object(cli, "prepare", answer);
    else if (!cli->json && (cli->dry_run || !cli->yes)) /* with -y nobody is asked, and what was done is told below */
        print_findings(cli, answer);
    bool nothing = is_ready(answer);
    if (nothing && cli->json && !cli->dry_run)
        cli_print_object(cli, "prepare", answer);
    else if (nothing && !cli->json && cli->yes)
        print_findings(cli, answer);
    json_decref(answer);
    if (cli->dry_run || nothing)
        return EXIT_DONE;
    rc = cli_confirm(cli, "do this at the vendor?");
    if (rc != EXIT_DONE)
        return rc;
    rc = cli_send(cli, "POST", endpoint_path(cli, "/prepare"), NULL, NULL, &answer);
    if (rc != EXIT_DONE)
        return rc;
    if (cli->json)
        cli_print_object(cli, "prepare", answer);
    else
        print_findings(cli, answer);
    rc = has_errors(answer) ? EXIT_FAILED : EXIT_DONE;
    json_decref(answer);
    return rc;
}

static const struct column field_columns[] = {
    {"KIND", "kind", 0},          {"PATH", "path", 0},
    {"VENDOR'S NAME", "name", 0}, {"LABEL", "label", 0},
    {"TYPE", "type", 0},          {"MAX", "max", COLUMN_RIGHT},
    {"REQUIRED", "required", 0},  {"READ-ONLY", "read_only", 0},
    {"UNIQUE", "unique", 0},      {"MATCH", "match", 0},
    {"STAMP", "stamp", 0},        {"CHOICES", "n_choices", COLUMN_RIGHT},
    {"CLOSED", "closed", 0},      {NULL, NULL, 0},
};
static const struct cli_option field_options[] = {{"kind", "KIND", "only this kind, for example contact"},
                                                  {NULL, NULL, NULL}};

static int run_fields(struct cli *cli)
{
    json_t *answer = NULL;
    const char *kind = cli_value(cli, "kind");
    int rc = cli_get(cli, &answer, "%s%s%s", endpoint_path(cli, "/fields"), kind ? "?kind=" : "",
                     kind ? cli_escape(cli, kind) : "");
    if (rc == EXIT_DONE)
        cli_print_list(cli, "field", answer, field_columns,
                       "no fields are known yet; run: tieline endpoint check NAME");
    json_decref(answer);
    return rc;
}

/* ---- secrets ---- */

static const struct column secret_columns[] = {
    {"NAME", "name", 0}, {"SET", "set_at", COLUMN_TIME}, {"BY", "set_by", 0}, {NULL, NULL, 0}};

static int run_secret_list(struct cli *cli)
{
    return cli_list(cli, "/api/v1/secrets", "secret", secret_columns, "no secret is set");
}

static int run_secret_set(struct cli *cli)
{
    static char value[65536];
    int rc = hidden_read(cli, cli->args[0], value, sizeof value);
    if (rc == EXIT_DONE)
        rc = cli_send(cli, "PUT", arena_fmt(&cli->arena, "/api/v1/secrets/%s", cli_escape(cli, cli->args[0])),
                      json_pack("{s:s}", "value", value), NULL, NULL);
    explicit_bzero(value, sizeof value);
    if (rc == EXIT_DONE)
        cli_note(cli, "secret \"%s\" is set", cli->args[0]);
    return rc;
}

static int run_secret_rm(struct cli *cli)
{
    int rc = cli_confirm(cli, "remove secret \"%s\"? Endpoints that use it stop working.", cli->args[0]);
    if (rc == EXIT_DONE)
        rc = cli_send(cli, "DELETE", arena_fmt(&cli->arena, "/api/v1/secrets/%s", cli_escape(cli, cli->args[0])), NULL,
                      NULL, NULL);
    if (rc == EXIT_DONE)
        cli_note(cli, "secret \"%s\" is removed", cli->args[0]);
    return rc;
}

/* ---- webhooks ---- */

static const struct column webhook_columns[] = {
    {"ENDPOINT", "endpoint", 0},
    {"SUBSCRIPTION", "id|subscription", 0},
    {"KINDS", "kinds", 0},
    {"LAST RECEIVED", "last_received", COLUMN_TIME},
    {"ACCEPTED", "accepted", COLUMN_RIGHT},
    {"DUPLICATES", "duplicates", COLUMN_RIGHT},
    {"REFUSED", "refused", COLUMN_RIGHT},
    {NULL, NULL, 0},
};

static int run_webhook_list(struct cli *cli)
{
    return cli_list(cli, "/api/v1/webhooks", "webhook", webhook_columns, "no endpoint takes webhooks");
}

static int run_webhook_url(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli_get(cli, &answer, "%s", endpoint_path(cli, "/webhook"));
    if (rc == EXIT_DONE && cli->json)
        cli_print_object(cli, "webhook", answer);
    else if (rc == EXIT_DONE) {
        printf("%s\n", cli_text(answer, "url"));
        if (!json_is_true(json_object_get(answer, "public")))
            cli_note(cli, "set [hooks] public_url to the address under which vendors reach the listener");
        if (!json_is_true(json_object_get(answer, "listening")))
            cli_note(cli, "the listener is off; set [hooks] listen");
    }
    json_decref(answer);
    return rc;
}

static int run_webhook_test(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli_send(cli, "POST", endpoint_path(cli, "/webhook/test"), NULL, NULL, &answer);
    if (rc == EXIT_DONE)
        cli_print_object(cli, "webhook", answer);
    bool ok = json_is_true(json_object_get(answer, "ok"));
    json_decref(answer);
    return rc == EXIT_DONE && !ok ? EXIT_FAILED : rc;
}

const struct command commands_endpoints[] = {
    {"endpoint", "list", "", 0, 0, "accounts at the vendors, and how they are", NULL, NULL, run_list},
    {"endpoint", "show", "NAME", 1, 1, "one endpoint: identity, sign-in, allowances", NULL, NULL, run_show},
    {"endpoint", "check", "NAME", 1, 1, "ask the vendor who we are and what is missing",
     "Signs in, reads identity, rights and fields. Exit 1 when something must be done first.", NULL, run_check},
    {"endpoint", "auth", "NAME", 1, 1, "sign in, with a browser where a person is needed; or sign out",
     "Signs in with what is configured. Where that needs a person, or with --browser, it prints the address of the "
     "vendor's "
     "page\nand waits: for the browser to come back to this machine, or for the address at which it ended (or the "
     "code) to "
     "be\npasted; what is pasted is not shown. Tokens change only when the right organisation signed in.\n"
     "In scripts: --no-wait prints the address; then  tieline endpoint auth NAME --code < file  with the address at "
     "which "
     "the\nbrowser ended, or with a grant code from the vendor's console. Codes never stand on a command line.",
     sign_in_options, sign_in_run},
    {"endpoint", "fields", "NAME", 1, 1, "fields as the vendor describes them", NULL, field_options, run_fields},
    {"endpoint", "prepare", "NAME", 1, 1, "one-time set-up at the vendor: shows it, asks, does it",
     "Makes the field that holds our stamp where the vendor allows it, else prints the steps to do by hand. With the "
     "stamp a\n"
     "record is never created twice, whatever gets lost on the way. -n only shows.",
     NULL, run_prepare},
    {"secret", "list", "", 0, 0, "names of the secrets that are set", NULL, NULL, run_secret_list},
    {"secret", "set", "NAME", 1, 1, "set a secret, asked for without echo or read from standard input",
     "Used in the INI as  client_secret = @secret:NAME", NULL, run_secret_set},
    {"secret", "rm", "NAME", 1, 1, "remove a secret", NULL, NULL, run_secret_rm},
    {"webhook", "list", "", 0, 0, "webhook subscriptions and what came in", NULL, NULL, run_webhook_list},
    {"webhook", "url", "ENDPOINT", 1, 1, "address to enter at the vendor", NULL, NULL, run_webhook_url},
    {"webhook", "test", "ENDPOINT", 1, 1, "call the public address and see whether it arrives here", NULL, NULL,
     run_webhook_test},
    {NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
