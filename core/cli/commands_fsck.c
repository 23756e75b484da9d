/* tieline fsck: is what is stored sound? */
#include <string.h>

#include "cli.h"

static const struct cli_option options[] = {
    {"connection", "CONNECTION", "only what belongs to this connection"},
    {"repair", NULL, "put wrong counts right, remove rows of what is gone, put lost ones back; -n tells how many"},
    {NULL, NULL, NULL},
};
static const struct column columns[] = {{"LEVEL", "level", 0},       {"CHECK", "check", 0},
                                        {"WHERE", "object", 0},      {"WHAT", "text", COLUMN_WRAP},
                                        {"DO", "hint", COLUMN_WRAP}, {NULL, NULL, 0}};

struct check {
    struct cli *cli;
    struct buf line;
    struct progress progress;
    json_t *findings, *end, *error;
};

static void on_line(struct check *c, const char *text)
{
    json_t *o = json_loads(text, 0, NULL);
    const char *event = cli_text(o, "event");
    if (strcmp(event, "finding") == 0)
        json_array_append(c->findings, o);
    else if (strcmp(event, "progress") == 0)
        cli_progress(c->cli, &c->progress, cli_text(o, "stage"), cli_int(o, "done"), cli_int(o, "total"), "");
    else if (strcmp(event, "end") == 0)
        c->end = json_incref(o);
    else if (strcmp(event, "error") == 0)
        c->error = json_incref(o);
    json_decref(o);
}

static bool on_bytes(void *ctx, str bytes)
{
    struct check *c = ctx;
    for (size_t i = 0; i < bytes.n; i++) {
        if (bytes.p[i] != '\n') {
            buf_char(&c->line, bytes.p[i]);
            continue;
        }
        if (c->line.n)
            on_line(c, buf_text(&c->line));
        buf_clear(&c->line);
    }
    return true;
}

static int read_all(struct check *c)
{
    struct err e = {0};
    const char *connection = cli_value(c->cli, "connection");
    const char *path = arena_fmt(&c->cli->arena, "/api/v1/fsck%s%s", connection ? "?connection=" : "",
                                 connection ? cli_escape(c->cli, connection) : "");
    if (http_local_stream(cli_http(c->cli), path, on_bytes, c, &e))
        return cli_local_failure(c->cli, &e);
    cli_progress_end(c->cli, &c->progress);
    if (c->error)
        return cli_fail(c->cli, EXIT_FAILED, "%s", cli_text(c->error, "text"));
    if (!c->end)
        return cli_fail(c->cli, EXIT_FAILED, "the check was not finished: tielined is stopping");
    return EXIT_DONE;
}

static int run_repair(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli_send(cli, "POST", "/api/v1/fsck/repair", NULL, NULL, &answer);
    if (rc == EXIT_DONE && cli->json)
        cli_print_object(cli, "repair", answer);
    else if (rc == EXIT_DONE)
        printf("%lld counts %s, %lld rows %s\n", (long long)cli_int(answer, "counts"),
               cli->dry_run ? "would be put right" : "put right", (long long)cli_int(answer, "rows"),
               cli->dry_run ? "would be removed or put back" : "removed or put back");
    if (rc == EXIT_DONE && cli->dry_run)
        cli_note(cli, "nothing was changed (-n)");
    json_decref(answer);
    return rc;
}

static int run_fsck(struct cli *cli)
{
    if (cli_value(cli, "repair"))
        return run_repair(cli);
    json_t *shown = NULL;
    const char *connection = cli_value(cli, "connection");
    int rc = EXIT_DONE;
    if (connection) /* a stream cannot say that there is no such connection */
        rc = cli_get(cli, &shown, "/api/v1/connections/%s", cli_escape(cli, connection));
    json_decref(shown);
    struct check c = {.cli = cli, .findings = json_array()};
    if (rc == EXIT_DONE)
        rc = read_all(&c);
    if (rc == EXIT_DONE) {
        json_t *list = json_pack("{s:O,s:I}", "items", c.findings, "looked", (json_int_t)cli_int(c.end, "looked"));
        bool quiet = json_array_size(c.findings) == 0 && !cli->json;
        if (!quiet)
            cli_print_list(cli, "finding", list, columns, "");
        cli_note(cli, "%lld rows looked at, %lld findings", (long long)cli_int(c.end, "looked"),
                 (long long)cli_int(c.end, "findings"));
        json_decref(list);
        rc = cli_int(c.end, "findings") ? EXIT_SOME_FAILED : EXIT_DONE;
    }
    buf_done(&c.line);
    json_decref(c.findings);
    json_decref(c.end);
    json_decref(c.error);
    return rc;
}

const struct command commands_fsck[] = {
    {"fsck", NULL, "", 0, 0, "check everything that is stored, while everything goes on",
     "Pairs, marks, open writes, waiting references, checksums, counts of runs, places of connections. Reads slice by\n"
     "slice and stops nothing. Exit 8 when there are findings; each says what to do.",
     options, run_fsck},
    {NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
