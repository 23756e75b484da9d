/* tieline token ...: who may come in over the network, as an operator or as an agent of the help desk. */
#include "cli.h"

static const struct cli_option create_options[] = {
    {"name", "NAME", "what it is for"},
    {"scope", "SCOPES", "what it may ask for, comma separated: operate, read, metrics, view, act"},
    {"ttl", "TIME", "how long it is good: 12h, 30d (default), at most 730d"},
    {"agent", "AGENT", "whom of the help desk it speaks for, by id or e-mail address; else an operator"},
    {"endpoint", "ENDPOINT", "the help desk, where there are several"},
    {NULL, NULL, NULL},
};

static int run_create(struct cli *cli)
{
    static const char *const members[][2] = {
        {"name", "name"}, {"scope", "scopes"}, {"ttl", "ttl"}, {"agent", "agent"}, {"endpoint", "endpoint"}};
    if (!cli_value(cli, "name") || !cli_value(cli, "scope"))
        return cli_fail(cli, EXIT_USAGE, "say what it is for and what it may: --name NAME --scope SCOPES");
    json_t *answer = NULL, *body = json_object();
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (cli_value(cli, members[i][0]))
            json_object_set_new(body, members[i][1], json_string(cli_value(cli, members[i][0])));
    int rc = cli_send(cli, "POST", "/api/v1/tokens", body, NULL, &answer);
    if (rc == EXIT_DONE && cli->json) {
        cli_print_object(cli, "token", answer);
    } else if (rc == EXIT_DONE) {
        AUTO(buf_done) struct buf until = {.max = 64};
        cli_print_time(&until, cli_text(answer, "expires"));
        puts(cli_text(answer, "token"));
        cli_note(cli, "token %lld, good until %s. It is shown this once; to end it: tieline token revoke %lld",
                 (long long)cli_int(answer, "id"), buf_text(&until), (long long)cli_int(answer, "id"));
    }
    json_decref(answer);
    return rc;
}

static const struct column columns[] = {
    {"ID", "id", COLUMN_RIGHT},          {"NAME", "name", 0},         {"STATE", "state", COLUMN_COLOR_STATE},
    {"SCOPES", "scope_words", 0},        {"ENDPOINT", "endpoint", 0}, {"AGENT", "agent", 0},
    {"EXPIRES", "expires", COLUMN_TIME}, {"MADE BY", "made_by", 0},   {NULL, NULL, 0},
};

static void add_scope_words(json_t *token)
{
    AUTO(buf_done) struct buf words = {0};
    size_t i;
    json_t *scope;
    json_array_foreach(json_object_get(token, "scopes"), i, scope)
        buf_fmt(&words, "%s%s", i ? "," : "", json_string_value(scope));
    json_object_set_new(token, "scope_words", json_string(buf_text(&words)));
}

static int run_list(struct cli *cli)
{
    json_t *answer = NULL, *token;
    size_t i;
    int rc = cli_get(cli, &answer, "/api/v1/tokens");
    json_array_foreach(json_object_get(answer, "items"), i, token)
    {
        if (!cli->json)
            add_scope_words(token);
    }
    if (rc == EXIT_DONE)
        cli_print_list(cli, "token", answer, columns, "no token; nobody but users of this machine may come in");
    json_decref(answer);
    return rc;
}

static int run_revoke(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = EXIT_DONE;
    if (!cli->dry_run)
        rc = cli_confirm(cli, "revoke token %s? What uses it is refused from now on.", cli->args[0]);
    if (rc == EXIT_DONE)
        rc = cli_send(cli, "DELETE", arena_fmt(&cli->arena, "/api/v1/tokens/%s", cli_escape(cli, cli->args[0])), NULL,
                      NULL, &answer);
    if (rc == EXIT_DONE && cli->json)
        cli_print_object(cli, "token", answer);
    else if (rc == EXIT_DONE)
        cli_note(cli, "%s \"%s\"", cli->dry_run ? "it would be revoked:" : "revoked:", cli_text(answer, "name"));
    json_decref(answer);
    return rc;
}

const struct command commands_tokens[] = {
    {"token", "create", "--name NAME --scope SCOPES", 0, 0, "let a program in over the network; shown once",
     "Scopes: operate (everything), read (what operators may look at), metrics (figures and health alone); of an "
     "agent\n"
     "view and act, within what his profile is permitted. It counts where [api] listen is set.",
     create_options, run_create},
    {"token", "list", "", 0, 0, "tokens with what they may and how long; never what they are", NULL, NULL, run_list},
    {"token", "revoke", "ID", 1, 1, "end a token at once", NULL, NULL, run_revoke},
    {NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
