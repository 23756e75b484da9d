/* tieline sync plan, tieline sync approve: a first sync looked at beforehand. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli.h"

enum { POLL_MS = 300, PAGE = 1000, PRINTED = 200 };

static const struct column sum_columns[] = {
    {"KIND", "kind", 0},
    {"WHAT", "what", 0},
    {"SOURCE", "source", 0},
    {"DESTINATION", "destination", 0},
    {"COUNT", "count", COLUMN_RIGHT},
    {"STATE", "state", 0},
    {NULL, NULL, 0},
};
static const struct column item_columns[] = {
    {"WHAT", "what", 0}, {"KIND", "kind", 0}, {"TO", "to", 0},     {"A", "a_id", 0},
    {"B", "b_id", 0},    {"WHO", "who", 0},   {"CODE", "code", 0}, {"DETAIL", "detail", COLUMN_WRAP},
    {NULL, NULL, 0},
};
static const struct column csv_columns[] = {
    {"what", "what", 0},     {"kind", "kind", 0},     {"to", "to", 0},       {"a id", "a_id", 0},
    {"b id", "b_id", 0},     {"who", "who", 0},       {"code", "code", 0},   {"field", "field", 0},
    {"detail", "detail", 0}, {"fields", "fields", 0}, {"state", "state", 0}, {NULL, NULL, 0},
};

static int get_plan(struct cli *cli, int64_t run, json_t **out)
{
    return cli_get(cli, out, "/api/v1/plans/%lld", (long long)run);
}

static void note_time(struct cli *cli, const json_t *plan)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(plan, "calls"), i, row)
    {
        int64_t calls = cli_int(row, "writes") + cli_int(row, "reads");
        const json_t *left = json_object_get(row, "remaining");
        if (calls)
            cli_note(cli, "%s: about %lld calls (%lld writes)%s", cli_text(row, "endpoint"), (long long)calls,
                     (long long)cli_int(row, "writes"),
                     json_is_integer(left)
                         ? arena_fmt(&cli->arena, ", %lld are left of its allotment%s",
                                     (long long)json_integer_value(left),
                                     json_integer_value(left) < calls ? ": it will have to wait for the next one" : "")
                         : "");
    }
    const json_t *seconds = json_object_get(plan, "seconds");
    if (json_is_real(seconds) && json_real_value(seconds) >= 1)
        cli_note(cli, "about %.0f %s at the pace of the calls so far",
                 json_real_value(seconds) >= 120 ? json_real_value(seconds) / 60 : json_real_value(seconds),
                 json_real_value(seconds) >= 120 ? "minutes" : "seconds");
}

static void note_age(struct cli *cli, const json_t *plan)
{
    int64_t age = cli_int(plan, "age_seconds");
    if (json_is_true(json_object_get(plan, "old")))
        cli_note(cli,
                 "this plan is old: maps or settings are others now; make a new one with: tieline sync start -n %s",
                 cli_text(plan, "connection"));
    else if (age >= 86400)
        cli_note(cli, "this plan is %lld days old: what changed since is planned anew when it is approved",
                 (long long)(age / 86400));
}

static void print_sums(struct cli *cli, const json_t *plan)
{
    if (cli->json) {
        cli_print_object(cli, "plan", plan);
        return;
    }
    cli_print_list(cli, "plan", plan, sum_columns, "both sides are equal: there is nothing to do");
    note_time(cli, plan);
    note_age(cli, plan);
}

static bool is_running(const json_t *plan)
{
    const char *state = cli_text(plan, "state");
    return strcmp(state, "running") == 0 || strcmp(state, "interrupted") == 0 || strcmp(state, "queued") == 0;
}

int cli_plan_made(struct cli *cli, int64_t run)
{
    struct progress bar = {0};
    json_t *plan = NULL;
    int rc = get_plan(cli, run, &plan);
    while (rc == EXIT_DONE && is_running(plan) && !cli->no_wait) {
        bool planning = strcmp(cli_text(plan, "phase"), "planning") == 0;
        cli_progress(cli, &bar, planning ? "planning" : "reading both sides", cli_int(plan, "done"),
                     planning ? cli_int(plan, "total") : -1, "");
        json_decref(plan);
        plan = NULL;
        nanosleep(&(struct timespec){0, POLL_MS * 1000000L}, NULL);
        rc = get_plan(cli, run, &plan);
    }
    cli_progress_end(cli, &bar);
    if (rc == EXIT_DONE)
        print_sums(cli, plan);
    if (rc == EXIT_DONE && is_running(plan))
        cli_note(cli, "run %lld is being made; see: tieline sync plan %lld", (long long)run, (long long)run);
    else if (rc == EXIT_DONE && strcmp(cli_text(plan, "state"), "cancelled") == 0)
        rc = cli_fail(cli, EXIT_FAILED, "the dry run was cancelled");
    else if (rc == EXIT_DONE)
        cli_note(cli,
                 "nothing was written. Rows: tieline sync plan %lld --what failure. Do it: tieline sync approve "
                 "%lld",
                 (long long)run, (long long)run);
    json_decref(plan);
    return rc;
}

static const struct cli_option plan_options[] = {
    {"what", "WHAT", "rows of one sort: create, update, adopt, conflict, failure, duplicate"},
    {"kind", "KIND", "rows of one kind of record"},
    {"changed", NULL, "rows whose records had changed when it was carried out"},
    {"csv", "FILE", "all rows into a file (- for standard output)"},
    {NULL, NULL, NULL},
};

static int get_items(struct cli *cli, int64_t run, size_t max, json_t **out, bool *more)
{
    const char *what = cli_value(cli, "what"), *kind = cli_value(cli, "kind");
    const char *path = arena_fmt(&cli->arena, "/api/v1/plans/%lld/items?limit=%d%s%s%s%s%s", (long long)run, (int)PAGE,
                                 what ? "&what=" : "", what ? cli_escape(cli, what) : "", kind ? "&kind=" : "",
                                 kind ? cli_escape(cli, kind) : "", cli_value(cli, "changed") ? "&changed=true" : "");
    return cli_get_pages(cli, path, max, out, more);
}

static int show_rows(struct cli *cli, int64_t run)
{
    bool csv = cli_value(cli, "csv") != NULL, more = false;
    json_t *items = NULL;
    int rc = get_items(cli, run, csv || cli->json ? SIZE_MAX : PRINTED, &items, &more);
    while (!csv && !cli->json && json_array_size(items) > PRINTED) {
        json_array_remove(items, json_array_size(items) - 1);
        more = true;
    }
    json_t *list = json_pack("{s:O}", "items", items);
    if (rc == EXIT_DONE && csv)
        rc = cli_save_csv(cli, cli_value(cli, "csv"), items, csv_columns);
    else if (rc == EXIT_DONE)
        cli_print_list(cli, "plan_item", list, item_columns, "no rows of this sort");
    if (rc == EXIT_DONE && more && !csv)
        cli_note(cli, "there are more; all of them: --csv FILE, or --json");
    json_decref(list);
    json_decref(items);
    return rc;
}

static int number_of(struct cli *cli, const char *text, int64_t *out)
{
    return str_to_i64(str_of(text), out) ? EXIT_DONE
                                         : cli_fail(cli, EXIT_USAGE, "\"%s\" is not the number of a run", text);
}

static int run_plan(struct cli *cli)
{
    int64_t run;
    if (cli->n_args == 2 && strcmp(cli->args[0], "show") != 0)
        return cli_fail(cli, EXIT_USAGE, "unknown word \"%s\"; see \"%s sync plan --help\"", cli->args[0],
                        cli->program);
    int rc = number_of(cli, cli->args[cli->n_args - 1], &run);
    if (rc != EXIT_DONE)
        return rc;
    if (cli_value(cli, "what") || cli_value(cli, "kind") || cli_value(cli, "csv") || cli_value(cli, "changed"))
        return show_rows(cli, run);
    json_t *plan = NULL;
    rc = get_plan(cli, run, &plan);
    if (rc == EXIT_DONE)
        print_sums(cli, plan);
    json_decref(plan);
    return rc;
}

static int run_approve(struct cli *cli)
{
    int64_t run;
    json_t *plan = NULL, *answer = NULL;
    int rc = number_of(cli, cli->args[0], &run);
    if (rc == EXIT_DONE)
        rc = get_plan(cli, run, &plan);
    if (rc == EXIT_DONE)
        rc = cli_send(cli, "POST", arena_fmt(&cli->arena, "/api/v1/plans/%lld/approve", (long long)run), NULL, NULL,
                      &answer);
    if (rc == EXIT_DONE) {
        cli_note(cli, "the plan of run %lld is carried out; what changed since is planned anew", (long long)run);
        rc = cli_sync_follow(cli, cli_text(plan, "connection"), answer);
    }
    if ((rc == EXIT_DONE || rc == EXIT_SOME_FAILED) && !cli->no_wait) {
        json_t *changed = NULL;
        if (cli_get(cli, &changed, "/api/v1/plans/%lld/items?changed=true&limit=1000", (long long)run) == EXIT_DONE &&
            json_array_size(json_object_get(changed, "items")) > 0)
            cli_note(cli, "%zu%s rows no longer held; see: tieline sync plan %lld --changed",
                     json_array_size(json_object_get(changed, "items")),
                     json_is_integer(json_object_get(changed, "next")) ? " or more" : "", (long long)run);
        json_decref(changed);
    }
    json_decref(plan);
    json_decref(answer);
    return rc;
}

const struct command commands_plans[] = {
    {"sync", "plan", "[show] RUN", 1, 2, "what a first sync would do, as `sync start -n` found it",
     "Without options the sums: how much of what in which direction, how many calls, how long.\n"
     "  tieline sync plan 12 --what duplicate --csv duplicates.csv",
     plan_options, run_plan},
    {"sync", "approve", "RUN", 1, 1, "carry out the plan of a dry run",
     "Every row is looked at again: where a record changed since, it is planned anew and listed under --changed.", NULL,
     run_approve},
    {NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
