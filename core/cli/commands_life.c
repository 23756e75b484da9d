/* tieline connection pause, resume, disable, enable, delete, undelete. */
#include <time.h>

#include "cli.h"

static int run_pause(struct cli *cli)
{
    return cli_connection_verb(cli, "/pause",
                               "paused: no data is exchanged until resume; webhooks are remembered, views go on");
}

static int run_resume(struct cli *cli)
{
    return cli_connection_verb(cli, "/resume", "resumed: catching up with what changed meanwhile");
}

static int run_disable(struct cli *cli)
{
    int rc =
        cli_confirm(cli, "disable connection \"%s\"? No calls and no webhooks until enable; pairs stay.", cli->args[0]);
    return rc == EXIT_DONE
               ? cli_connection_verb(cli, "/disable", "disabled: webhooks are unsubscribed; pairs and sign-ins stay")
               : rc;
}

static int run_enable(struct cli *cli)
{
    return cli_connection_verb(cli, "/enable",
                               "enabled: both sides are read whole, then it goes on with the pairs as they were");
}

static int run_undelete(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli_send(cli, "POST", cli_connection_path(cli, "/undelete"), NULL, NULL, &answer);
    if (rc == EXIT_DONE && cli->json)
        cli_print_object(cli, "connection", answer);
    else if (rc == EXIT_DONE)
        cli_note(cli, "taken back: it is %s", cli_text(answer, "state"));
    json_decref(answer);
    return rc;
}

/* What a deletion takes along, in one line. */
static void print_loss(json_t *connection)
{
    json_t *list = json_pack("[O]", connection);
    cli_sum_links(list);
    printf(
        "connection \"%s\" (%s, %s) has %zu links, %lld pairs and %lld open failures; deleting it forgets them and the "
        "history, records at the vendors stay\n",
        cli_text(connection, "name"), cli_text(connection, "a"), cli_text(connection, "b"),
        json_array_size(json_object_get(connection, "links")), (long long)cli_int(connection, "pairs"),
        (long long)cli_int(connection, "failures"));
    fflush(stdout);
    json_decref(list);
}

/* Its rows go a slice at a time: until the last one is gone, or nobody wants to wait. */
static int wait_gone(struct cli *cli)
{
    const struct timespec pause = {.tv_nsec = 200 * 1000 * 1000};
    const char *name = cli->args[0];
    for (bool there = true; there && !cli->no_wait;) {
        json_t *list = NULL, *row;
        size_t i;
        int rc = cli_get(cli, &list, "/api/v1/connections");
        there = false;
        json_array_foreach(json_object_get(list, "items"), i, row)
        {
            there |= strcmp(cli_text(row, "name"), name) == 0;
        }
        json_decref(list);
        if (rc != EXIT_DONE)
            return rc;
        if (there)
            nanosleep(&pause, NULL);
    }
    return EXIT_DONE;
}

static const struct cli_option delete_options[] = {{"now", NULL, "without the days of grace: it cannot be taken back"},
                                                   {NULL, NULL, NULL}};

static int delete_it(struct cli *cli, bool now)
{
    json_t *answer = NULL;
    int rc = cli_change(cli, "DELETE", cli_connection_path(cli, now ? "?now=true" : ""), NULL, &answer);
    if (rc == EXIT_DONE && now)
        rc = wait_gone(cli);
    if (rc == EXIT_DONE && cli->json) {
        cli_print_object(cli, "connection", answer);
    } else if (rc == EXIT_DONE && now) {
        cli_note(cli, "deleted");
    } else if (rc == EXIT_DONE) {
        AUTO(buf_done) struct buf when = {.max = 64};
        cli_print_time(&when, cli_text(answer, "gone_at"));
        cli_note(cli, "it rests now and is gone on %s; until then: tieline connection undelete %s", buf_text(&when),
                 cli->args[0]);
    }
    json_decref(answer);
    return rc;
}

static int run_delete(struct cli *cli)
{
    json_t *before = NULL;
    bool now = cli_value(cli, "now") != NULL;
    int rc = cli_get(cli, &before, "%s", cli_connection_path(cli, ""));
    if (rc != EXIT_DONE)
        return rc;
    if (cli->json && cli->dry_run)
        cli_print_object(cli, "connection", before);
    else if (!cli->json && !(cli->quiet && !cli->dry_run))
        print_loss(before);
    json_decref(before);
    if (cli->dry_run)
        return EXIT_DONE;
    cli_note(cli, "to keep which records belong together: tieline passport export %s FILE", cli->args[0]);
    rc = cli_confirm_name(cli, cli->args[0], "delete connection \"%s\"%s?", cli->args[0], now ? " at once" : "");
    return rc == EXIT_DONE ? delete_it(cli, now) : rc;
}

const struct command commands_life[] = {
    {"connection", "pause", "NAME", 1, 1, "stop exchanging data until resume", NULL, NULL, run_pause},
    {"connection", "resume", "NAME", 1, 1, "go on where it was paused", NULL, NULL, run_resume},
    {"connection", "disable", "NAME", 1, 1, "no calls and no webhooks until enable; pairs stay", NULL, NULL,
     run_disable},
    {"connection", "enable", "NAME", 1, 1, "check both accounts, read both sides, go on with the pairs", NULL, NULL,
     run_enable},
    {"connection", "delete", "NAME [--now]", 1, 1, "delete with its pairs; -n shows what would be lost",
     "It rests for the days of [retention] delete_grace and can be taken back by undelete until then.", delete_options,
     run_delete},
    {"connection", "undelete", "NAME", 1, 1, "take a deletion back within its grace", NULL, NULL, run_undelete},
    {NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
