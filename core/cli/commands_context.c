/* tieline ticket|contact|account context: what the connected systems know of whom it is about. */
#include <string.h>

#include "cli.h"

static void show_fields(struct buf *out, const json_t *record)
{
    size_t i;
    json_t *field;
    json_array_foreach(json_object_get(record, "fields"), i, field)
    {
        const json_t *value = json_object_get(field, "value");
        const char *text = json_string_value(value);
        buf_fmt(out, "      %s: ", cli_text(field, "label"));
        if (text)
            cli_add_visible(out, text);
        else
            buf_fmt(out, "%zu rows", json_array_size(value));
        buf_char(out, '\n');
    }
}

/* One of a list in a line: its name and what tells it apart. */
static void show_line(struct buf *out, const json_t *record)
{
    static const char *const telling[] = {"stage",   "status", "amount",     "total",
                                          "balance", "due",    "close_date", "start"};
    size_t i;
    json_t *field;
    buf_text_add(out, "      ");
    cli_add_visible(out, *cli_text(record, "name") ? cli_text(record, "name") : cli_text(record, "id"));
    json_array_foreach(json_object_get(record, "fields"), i,
                       field) for (size_t k = 0; k < sizeof telling / sizeof *telling;
                                   k++) if (strcmp(cli_text(field, "path"), telling[k]) == 0)
    {
        buf_fmt(out, "  %s ", cli_text(field, "label"));
        cli_add_visible(out, cli_text(field, "value"));
    }
    buf_char(out, '\n');
}

static void show_block(struct buf *out, const json_t *block)
{
    const json_t *records = json_object_get(block, "records");
    const char *state = cli_text(block, "state");
    bool is_self = strcmp(cli_text(block, "item"), "information") == 0;
    size_t i;
    json_t *record;
    buf_fmt(out, "    %s", cli_text(block, "item"));
    if (strcmp(state, "late") == 0)
        buf_text_add(out, ": no answer yet; ask again");
    else if (strcmp(state, "failed") == 0)
        buf_fmt(out, ": %s", cli_text(block, "text"));
    else if (json_array_size(records) == 0)
        buf_text_add(out, ": none");
    buf_char(out, '\n');
    json_array_foreach(records, i, record)
    {
        if (is_self)
            show_fields(out, record);
        else
            show_line(out, record);
    }
}

static void show_record(struct buf *out, const json_t *record)
{
    size_t i;
    json_t *block;
    buf_fmt(out, "  %s ", cli_text(record, "kind"));
    if (strcmp(cli_text(record, "state"), "shown") != 0)
        buf_fmt(out, "(%s%s%s)", cli_text(record, "state"), *cli_text(record, "text") ? ": " : "",
                cli_text(record, "text"));
    else
        cli_add_visible(out, *cli_text(record, "name") ? cli_text(record, "name") : cli_text(record, "id"));
    if (*cli_text(record, "url"))
        buf_fmt(out, "  %s", cli_text(record, "url"));
    buf_char(out, '\n');
    json_array_foreach(json_object_get(record, "blocks"), i, block) show_block(out, block);
}

static void show(const json_t *answer)
{
    AUTO(buf_done) struct buf out = {0};
    size_t i, k;
    json_t *system, *record;
    buf_fmt(&out, "%s %s  ", cli_text(answer, "kind"), cli_text(answer, "id"));
    cli_add_visible(&out, cli_text(answer, "name"));
    if (*cli_text(answer, "requester.id"))
        buf_fmt(&out, "\nrequester: %s  %s", cli_text(answer, "requester.name"), cli_text(answer, "requester.email"));
    buf_char(&out, '\n');
    json_array_foreach(json_object_get(answer, "systems"), i, system)
    {
        buf_fmt(&out, "\n%s", cli_text(system, "endpoint"));
        if (*cli_text(system, "text"))
            buf_fmt(&out, " (%s)", cli_text(system, "text"));
        buf_char(&out, '\n');
        json_array_foreach(json_object_get(system, "records"), k, record) show_record(&out, record);
    }
    fputs(buf_text(&out), stdout);
}

static int run_context(struct cli *cli)
{
    json_t *answer = NULL;
    const char *endpoint = cli_value(cli, "endpoint"), *profile = cli_value(cli, "profile");
    int rc =
        cli_get(cli, &answer, "/api/v1/context/%s/%s?wait_ms=8000%s%s%s%s", cli->command->noun,
                cli_escape(cli, cli->args[0]), endpoint ? "&endpoint=" : "", endpoint ? cli_escape(cli, endpoint) : "",
                profile ? "&profile=" : "", profile ? cli_escape(cli, profile) : "");
    if (rc == EXIT_DONE && cli->json)
        cli_print_object(cli, "context", answer);
    else if (rc == EXIT_DONE)
        show(answer);
    json_decref(answer);
    return rc;
}

static const struct cli_option context_options[] = {
    {"endpoint", "ENDPOINT", "the help desk, where there are several"},
    {"profile", "PROFILE", "what agents of this profile would see"},
    {NULL, NULL, NULL},
};

#define MORE                                                                                                           \
    "Every connected system is asked at once, on calls of their own; an answer is used again for a minute. What a\n"   \
    "system has not said within 8 seconds is shown as late, without keeping the rest back."

const struct command commands_context[] = {
    {"ticket", "context", "ID", 1, 1, "what the connected systems know of its requester", MORE, context_options,
     run_context},
    {"contact", "context", "ID", 1, 1, "what the connected systems know of him", MORE, context_options, run_context},
    {"account", "context", "ID", 1, 1, "what the connected systems know of it", MORE, context_options, run_context},
    {NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
