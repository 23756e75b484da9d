/* tieline backup ... */
#include <unistd.h>

#include "cli.h"

enum { MIB = 1 << 20 };

static const struct cli_option now_options[] = {
    {"to", "FILE", "a new file that the daemon may write, instead of one in the directory of backups"},
    {NULL, NULL, NULL},
};

/* The daemon has a directory of its own: it is told a path from the root. */
static const char *absolute(struct cli *cli, const char *file)
{
    char here[4096];
    if (file[0] == '/' || !getcwd(here, sizeof here))
        return file;
    return arena_fmt(&cli->arena, "%s/%s", here, file);
}

/* stdout: the file alone, so that scripts can use it. */
static int run_now(struct cli *cli)
{
    const char *to = cli_value(cli, "to");
    json_t *body = json_object(), *answer = NULL;
    if (to)
        json_object_set_new(body, "to", json_string(absolute(cli, to)));
    int rc = cli_send(cli, "POST", "/api/v1/backups", body, NULL, &answer);
    if (rc == EXIT_DONE && cli->json) {
        cli_print_object(cli, "backup", answer);
    } else if (rc == EXIT_DONE) {
        printf("%s\n", cli_text(answer, "file"));
        cli_note(cli, "%.1f MiB in %.1f s", (double)cli_int(answer, "bytes") / MIB,
                 json_number_value(cli_path(answer, "seconds")));
    }
    json_decref(answer);
    return rc;
}

static const struct column columns[] = {
    {"AT", "at", COLUMN_TIME}, {"BYTES", "bytes", COLUMN_RIGHT}, {"FILE", "file", 0}, {NULL, NULL, 0}};

static int run_list(struct cli *cli)
{
    return cli_list(cli, "/api/v1/backups", "backup", columns, "no backup yet; make one: tieline backup now");
}

const struct command commands_backups[] = {
    {"backup", "now", "", 0, 0, "copy the database while everything goes on",
     "The copy is checked and whole when this returns; its path goes to stdout. To put it back: docs/operations.md.",
     now_options, run_now},
    {"backup", "list", "", 0, 0, "backups in the directory, newest first", NULL, NULL, run_list},
    {NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
