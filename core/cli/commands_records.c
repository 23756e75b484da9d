/* tieline failure ... */
#include <string.h>

#include "cli.h"

static const struct cli_option filter_options[] = {
    {"connection", "CONNECTION", "only this connection"},
    {"kind", "KIND", "only this kind"},
    {"code", "CODE", "only this reason, for example TYPE_MISMATCH"},
    {"resolved", NULL, "also those that are closed"},
    {"limit", "N", "at most so many (default 100)"},
    {NULL, NULL, NULL},
};

static const struct column failure_columns[] = {
    {"ID", "id", COLUMN_RIGHT},
    {"TIME", "time", COLUMN_TIME},
    {"KIND", "kind", 0},
    {"SIDE", "side", 0},
    {"NAME", "name|email", COLUMN_WRAP},
    {"A", "a_id", 0},
    {"B", "b_id", 0},
    {"CODE", "code", 0},
    {"FIELD", "field", 0},
    {"VALUE", "value", COLUMN_WRAP},
    {"REASON", "reason", COLUMN_WRAP},
    {"DETAIL", "vendor_text|detail", COLUMN_WRAP},
    {NULL, NULL, 0},
};

/* "?connection=..&kind=.." from the options given. */
static const char *query(struct cli *cli, const char *const *names)
{
    AUTO(buf_done) struct buf out = {0};
    for (; *names; names++) {
        const char *v = cli_value(cli, *names);
        if (v)
            buf_fmt(&out, "%c%s=%s", out.n ? '&' : '?', *names, *v ? cli_escape(cli, v) : "true");
    }
    buf_fmt(&out, "%clang=%s", out.n ? '&' : '?', cli_escape(cli, cli->lang));
    return arena_str(&cli->arena, buf_lent(&out)).p;
}

static int compare_texts(const json_t *a, const json_t *b, const char *member)
{
    return strcmp(cli_text(a, member), cli_text(b, member));
}

/* By connection and kind; inside of them as they came, newest first. */
static json_t *by_kind(const json_t *answer)
{
    json_t *from = json_object_get(answer, "items"), *to = json_array(), *row;
    size_t i, k;
    json_array_foreach(from, i, row)
    {
        for (k = json_array_size(to); k > 0; k--) {
            const json_t *at = json_array_get(to, k - 1);
            int order = compare_texts(at, row, "connection");
            order = order ? order : compare_texts(at, row, "kind");
            if (order <= 0)
                break;
        }
        json_array_insert(to, k, row);
    }
    return json_pack("{s:o}", "items", to);
}

static int run_failures(struct cli *cli)
{
    static const char *const names[] = {"connection", "kind", "code", "resolved", "limit", NULL};
    json_t *answer = NULL;
    int rc = cli_get(cli, &answer, "/api/v1/failures%s", query(cli, names));
    if (rc == EXIT_DONE) {
        json_t *list = cli->json ? json_incref(answer) : by_kind(answer);
        cli_print_list(cli, "failure", list, failure_columns, "no failures");
        json_decref(list);
        if (json_is_integer(json_object_get(answer, "next")))
            cli_note(cli, "there are more; see --limit, --kind and --code");
    }
    json_decref(answer);
    return rc;
}

static const struct cli_option summary_options[] = {{"connection", "CONNECTION", "only this connection"},
                                                    {NULL, NULL, NULL}};

static const struct column summary_columns[] = {
    {"CONNECTION", "connection", 0},
    {"KIND", "kind", 0},
    {"CODE", "code", 0},
    {"COUNT", "count", COLUMN_RIGHT},
    {"OLDEST", "oldest", COLUMN_TIME},
    {"NEWEST", "newest", COLUMN_TIME},
    {"REASON", "reason", COLUMN_WRAP},
    {NULL, NULL, 0},
};

static int run_summary(struct cli *cli)
{
    static const char *const names[] = {"connection", NULL};
    json_t *answer = NULL;
    int rc = cli_get(cli, &answer, "/api/v1/failures/summary%s", query(cli, names));
    if (rc == EXIT_DONE)
        cli_print_list(cli, "failure_summary", answer, summary_columns, "no failures");
    json_decref(answer);
    return rc;
}

static int run_failure(struct cli *cli)
{
    json_t *answer = NULL;
    int rc =
        cli_get(cli, &answer, "/api/v1/failures/%s?lang=%s", cli_escape(cli, cli->args[0]), cli_escape(cli, cli->lang));
    if (rc == EXIT_DONE)
        cli_print_object(cli, "failure", answer);
    json_decref(answer);
    return rc;
}

static const struct cli_option retry_options[] = {
    {"all", NULL, "every open failure"},
    {"connection", "CONNECTION", "those of one connection"},
    {"kind", "KIND", "those of one kind"},
    {"code", "CODE", "those with one reason"},
    {NULL, NULL, NULL},
};

struct retried {
    int64_t n, waiting;
};

static int retry(struct cli *cli, json_t *body, struct retried *sum)
{
    json_t *answer = NULL;
    int rc = cli_send(cli, "POST", "/api/v1/failures/retry", body, NULL, &answer);
    sum->n += cli_int(answer, "retried");
    sum->waiting += cli_int(answer, "waiting");
    json_decref(answer);
    return rc;
}

static int run_retry(struct cli *cli)
{
    struct retried sum = {0};
    int rc = EXIT_DONE;
    for (int i = 0; i < cli->n_args && rc == EXIT_DONE; i++) {
        int64_t id;
        if (!str_to_i64(str_of(cli->args[i]), &id))
            return cli_fail(cli, EXIT_USAGE, "\"%s\" is not the number of a failure", cli->args[i]);
        rc = retry(cli, json_pack("{s:I}", "id", (json_int_t)id), &sum);
    }
    static const char *const filters[] = {"connection", "kind", "code"};
    json_t *body = json_object();
    for (size_t i = 0; i < ARRAY_LEN(filters); i++)
        if (cli_value(cli, filters[i]))
            json_object_set_new(body, filters[i], json_string(cli_value(cli, filters[i])));
    if (cli_value(cli, "all"))
        json_object_set_new(body, "all", json_true());
    if (cli->n_args == 0 && json_object_size(body) == 0) {
        json_decref(body);
        return cli_fail(cli, EXIT_USAGE, "name failures by number, or --all, --connection, --kind, --code");
    }
    if (cli->n_args == 0)
        rc = retry(cli, body, &sum);
    else
        json_decref(body);
    if (rc != EXIT_DONE)
        return rc;
    if (cli->json)
        printf("{\"api\":1,\"kind\":\"retry\",\"items\":[{\"retried\":%lld,\"waiting\":%lld}]}\n", (long long)sum.n,
               (long long)sum.waiting);
    if (sum.n == 0)
        return cli_fail(cli, EXIT_NO_SUCH, "no open failure fits; nothing was tried again");
    if (sum.waiting < sum.n)
        cli_note(cli, "%lld tried again; see: tieline failure list", (long long)(sum.n - sum.waiting));
    if (sum.waiting)
        cli_note(cli,
                 "%lld will be tried when their link runs again: nothing is read or written for it now; see: "
                 "tieline status",
                 (long long)sum.waiting);
    return rc;
}

const struct command commands_records[] = {
    {"failure", "list", "", 0, 0, "records that could not be synced, by kind, with the reason", NULL, filter_options,
     run_failures},
    {"failure", "summary", "", 0, 0, "how many of which kind, by reason, since when",
     "Of open failures. Those of one reason are tried again with: tieline failure retry --code CODE", summary_options,
     run_summary},
    {"failure", "show", "ID", 1, 1, "one failure with the vendor's own words", NULL, NULL, run_failure},
    {"failure", "retry", "[ID...]", 0, -1, "plan and push again",
     "Reads both records afresh; an old payload is never sent again.", retry_options, run_retry},
    {NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
