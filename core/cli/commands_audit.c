/* tieline audit ...: what people did. */
#include <stdlib.h>

#include "cli.h"

static const struct cli_option list_options[] = {
    {"limit", "N", "at most so many (100)"}, {"after", "ID", "older than this row"}, {NULL, NULL, NULL}};
static const struct column columns[] = {
    {"ID", "id", COLUMN_RIGHT}, {"AT", "at", COLUMN_TIME},       {"WHO", "who", 0}, {"DID", "act", 0},
    {"TO", "object", 0},        {"WITH", "detail", COLUMN_WRAP}, {NULL, NULL, 0},
};

static int run_list(struct cli *cli)
{
    json_t *answer = NULL;
    const char *limit = cli_value(cli, "limit"), *after = cli_value(cli, "after");
    int rc = cli_get(cli, &answer, "/api/v1/audit?limit=%s%s%s", limit ? cli_escape(cli, limit) : "100",
                     after ? "&after=" : "", after ? cli_escape(cli, after) : "");
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(answer, "items"), i, item)
    {
        json_t *detail = json_object_get(item, "detail");
        char *text = !cli->json && detail && !json_is_string(detail) ? json_dumps(detail, JSON_COMPACT) : NULL;
        if (text)
            json_object_set_new(item, "detail", json_string(text));
        free(text);
    }
    if (rc == EXIT_DONE)
        cli_print_list(cli, "audit", answer, columns, "nobody has changed anything yet");
    json_decref(answer);
    return rc;
}

static int run_verify(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli_get(cli, &answer, "/api/v1/audit/verify");
    bool sound = json_is_true(json_object_get(answer, "sound"));
    if (rc == EXIT_DONE && cli->json)
        cli_print_object(cli, "audit", answer);
    else if (rc == EXIT_DONE && sound)
        printf("%lld rows from %lld on, none of them changed or removed\n", (long long)cli_int(answer, "rows"),
               (long long)cli_int(answer, "from"));
    if (rc == EXIT_DONE && !sound)
        rc = cli_fail(cli, EXIT_SOME_FAILED,
                      "row %lld does not fit the one before: it, or one there, was changed or removed outside tieline",
                      (long long)cli_int(answer, "broken"));
    json_decref(answer);
    return rc;
}

const struct command commands_audit[] = {
    {"audit", "list", "", 0, 0, "what people did, newest first", NULL, list_options, run_list},
    {"audit", "verify", "", 0, 0, "whether the record of it was tampered with",
     "Each row carries a hash over the one before. Exit 8 when a row was changed or removed outside tieline.", NULL,
     run_verify},
    {NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
