/* tieline action ..., tieline act ...: what can be done at the connected systems, and what was. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* ---- action list ---- */

static const struct column action_columns[] = {
    {"KIND", "kind", 0},   {"ACTION", "name", 0},
    {"AT", "endpoint", 0}, {"DOES", "help|label", COLUMN_WRAP},
    {"NEEDS", "needs", 0}, {"IS GIVEN", "given", COLUMN_WRAP},
    {NULL, NULL, 0},
};

static void add_words(json_t *action)
{
    AUTO(buf_done) struct buf given = {0};
    AUTO(buf_done) struct buf needs = {0};
    size_t i;
    json_t *o;
    json_array_foreach(json_object_get(action, "params"), i, o)
        buf_fmt(&given, "%s%s%s (%s)", i ? ", " : "", cli_text(o, "path"),
                json_is_true(json_object_get(o, "required")) ? "*" : "", cli_text(o, "type"));
    json_array_foreach(json_object_get(action, "rights"), i, o)
        buf_fmt(&needs, "%s%s", i ? ", " : "", json_string_value(o));
    json_object_set_new(action, "given", json_string(buf_text(&given)));
    json_object_set_new(action, "needs", json_string(buf_text(&needs)));
}

static int run_actions(struct cli *cli)
{
    json_t *answer = NULL, *action;
    size_t i;
    int rc = cli_get(cli, &answer, "%s", cli_connection_path(cli, "/actions"));
    if (!cli->json)
        json_array_foreach(json_object_get(answer, "items"), i, action) add_words(action);
    if (rc == EXIT_DONE)
        cli_print_list(cli, "action", answer, action_columns, "neither system has told of anything that can be done");
    json_decref(answer);
    return rc;
}

/* ---- action run ---- */

static const struct cli_option run_options[] = {
    {"set", "PARAM=VALUE[,...]", "what it is given; or all of it as one JSON object"},
    {"beside", "KIND:ID", "the record of the other system that it is done beside: ticket:4711"},
    {"key", "KEY", "names the act: with the same key it is done once, however often it is asked for"},
    {"endpoint", "NAME", "at which of the two systems, where both have such an action"},
    {NULL, NULL, NULL},
};

/* "to=ada@example.com,note=x", or one JSON object. */
static int read_params(struct cli *cli, const char *text, json_t **out)
{
    json_t *params = text && text[0] == '{' ? json_loads(text, 0, NULL) : json_object();
    str rest = str_of(text && text[0] != '{' ? text : NULL), pair;
    int rc = json_is_object(params) ? EXIT_DONE : cli_fail(cli, EXIT_USAGE, "--set: that is no JSON object");
    while (rc == EXIT_DONE && str_split(&rest, ',', &pair)) {
        str value = pair, name;
        if (!memchr(pair.p, '=', (size_t)pair.n) || !str_split(&value, '=', &name)) {
            rc = cli_fail(cli, EXIT_USAGE, "--set: \"%.*s\" is not PARAM=VALUE", STR_FMT(pair));
            break;
        }
        json_object_setn_new(params, name.p, (size_t)name.n, json_stringn(value.n ? value.p : "", (size_t)value.n));
    }
    if (rc == EXIT_DONE)
        *out = params;
    else
        json_decref(params);
    return rc;
}

static int read_beside(struct cli *cli, const char *text, json_t *body)
{
    const char *colon = text ? strchr(text, ':') : NULL;
    if (!text)
        return EXIT_DONE;
    if (!colon || colon == text || !colon[1])
        return cli_fail(cli, EXIT_USAGE, "--beside: \"%s\" is not KIND:ID, like ticket:4711", text);
    json_object_set_new(body, "beside", json_pack("{s:s%,s:s}", "kind", text, (size_t)(colon - text), "id", colon + 1));
    return EXIT_DONE;
}

/* Done is 0; it failed, or nobody knows, is no success. */
static int outcome(struct cli *cli, const json_t *act)
{
    const char *state = cli_text(act, "state");
    if (strcmp(state, "done") == 0)
        return EXIT_DONE;
    if (strcmp(state, "failed") == 0)
        return cli_fail(cli, EXIT_FAILED, "it was not done: %s", cli_text(act, "text"));
    return cli_fail(cli, EXIT_VENDOR, "%s; `tieline act show %lld` tells what comes of it",
                    cli_text(act, "text")[0] ? cli_text(act, "text") : "it is under way",
                    (long long)cli_int(act, "act"));
}

static int run_action(struct cli *cli)
{
    json_t *params = NULL, *answer = NULL;
    const char *options[] = {"key", "endpoint"};
    int rc = read_params(cli, cli_value(cli, "set"), &params);
    if (rc != EXIT_DONE)
        return rc;
    json_t *body = json_pack("{s:s,s:s,s:o}", "kind", cli->args[1], "name", cli->args[2], "params", params);
    if (cli->n_args > 3)
        json_object_set_new(body, "record", json_string(cli->args[3]));
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        if (cli_value(cli, options[i]))
            json_object_set_new(body, options[i], json_string(cli_value(cli, options[i])));
    rc = read_beside(cli, cli_value(cli, "beside"), body);
    if (rc == EXIT_DONE && !cli->dry_run)
        rc = cli_confirm(cli, "have \"%s %s\" done through \"%s\"?", cli->args[1], cli->args[2], cli->args[0]);
    if (rc != EXIT_DONE) {
        json_decref(body);
        return rc;
    }
    rc = cli_send(cli, "POST", cli_connection_path(cli, cli->dry_run ? "/acts?dry_run=true" : "/acts"), body, NULL,
                  &answer);
    if (rc == EXIT_DONE)
        cli_print_object(cli, cli->dry_run ? "rehearsal" : "act", answer);
    if (rc == EXIT_DONE && cli->dry_run)
        cli_note(cli, "nothing was sent (-n)");
    else if (rc == EXIT_DONE)
        rc = outcome(cli, answer);
    json_decref(answer);
    return rc;
}

/* ---- act list, show ---- */

static const struct column act_columns[] = {
    {"ACT", "act", COLUMN_RIGHT},
    {"MADE", "made", COLUMN_TIME},
    {"KIND", "kind", 0},
    {"ACTION", "name", 0},
    {"RECORD", "record", 0},
    {"STATE", "state", COLUMN_COLOR_STATE},
    {"WHO", "who", 0},
    {"WORDS", "text", COLUMN_WRAP},
    {NULL, NULL, 0},
};

static int run_acts(struct cli *cli)
{
    return cli_list(cli, cli_connection_path(cli, "/acts"), "act", act_columns, "nothing was done through it yet");
}

static int run_show(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli_get(cli, &answer, "/api/v1/acts/%s", cli_escape(cli, cli->args[0]));
    if (rc == EXIT_DONE)
        cli_print_object(cli, "act", answer);
    json_decref(answer);
    return rc;
}

const struct command commands_acts[] = {
    {"action", "list", "CONNECTION", 1, 1, "what can be done at the connected systems, and what it is given",
     "What is needed has a star.", NULL, run_actions},
    {"action", "run", "CONNECTION KIND ACTION [ID]", 3, 4, "have one done",
     "  tieline action run CONNECTION comment create --set parent=4711,body=\"Called back\" -n\n"
     "-n shows the requests that would be sent. Everything is checked before anything is sent; what was asked for, by\n"
     "whom, and what came of it is kept and audited. When the answer is lost it is looked for at the vendor, and "
     "nothing "
     "is\n"
     "sent again. Values with commas: --set '{\"body\":\"One, two\"}'.",
     run_options, run_action},
    {"act", "list", "CONNECTION", 1, 1, "what was done, newest first", NULL, NULL, run_acts},
    {"act", "show", "ACT", 1, 1, "one of them: what was asked for, by whom, and what came of it", NULL, NULL, run_show},
    {NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
