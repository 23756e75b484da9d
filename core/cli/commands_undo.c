/* tieline undo ...: what was written is taken back where it is still as it was written. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli.h"

enum { POLL_MS = 300, PAGE = 1000, PRINTED = 200 };

static const struct column row_columns[] = {
    {"PAIR", "pair", COLUMN_RIGHT},
    {"KIND", "kind", 0},
    {"WHO", "who", COLUMN_WRAP},
    {"TO", "to", 0},
    {"FIELD", "field", 0},
    {"NOW", "before", COLUMN_WRAP},
    {"BACK", "after", COLUMN_WRAP},
    {"STATE", "state", 0},
    {"CODE", "code", 0},
    {"WHY", "detail", COLUMN_WRAP},
    {NULL, NULL, 0},
};
static const struct column csv_columns[] = {
    {"pair", "pair", 0}, {"kind", "kind", 0},   {"a id", "a_id", 0},  {"b id", "b_id", 0},  {"who", "who", 0},
    {"to", "to", 0},     {"field", "field", 0}, {"now", "before", 0}, {"back", "after", 0}, {"state", "state", 0},
    {"code", "code", 0}, {"why", "detail", 0},  {NULL, NULL, 0},
};

static bool is_over(const json_t *plan)
{
    const char *state = cli_text(plan, "state");
    return strcmp(state, "running") != 0 && strcmp(state, "interrupted") != 0 && strcmp(state, "queued") != 0;
}

/* what, state NULL: any. */
static int64_t rows_of(const json_t *plan, const char *what, const char *state)
{
    size_t i;
    json_t *row;
    int64_t n = 0;
    json_array_foreach(json_object_get(plan, "items"), i, row)
    {
        bool asked = !what || strcmp(cli_text(row, "what"), what) == 0;
        n += asked && (!state || strcmp(cli_text(row, "state"), state) == 0) ? cli_int(row, "count") : 0;
    }
    return n;
}

static int64_t rows_in(const json_t *plan, const char *state)
{
    return rows_of(plan, NULL, state);
}

/* Until it is through. The plan is the caller's. */
static int follow(struct cli *cli, int64_t run, json_t **out)
{
    struct progress bar = {0};
    int rc = cli_get(cli, out, "/api/v1/plans/%lld", (long long)run);
    while (rc == EXIT_DONE && !is_over(*out) && !cli->no_wait) {
        bool planning = strcmp(cli_text(*out, "phase"), "planning") == 0;
        bool stopped = strcmp(cli_text(*out, "phase"), "waiting") == 0;
        const char *what = planning ? "looking" : stopped ? "waiting, see tieline status" : "taking back";
        cli_progress(cli, &bar, what, rows_in(*out, NULL) - rows_in(*out, "planned"),
                     planning ? -1 : rows_in(*out, NULL), "");
        json_decref(*out);
        *out = NULL;
        nanosleep(&(struct timespec){0, POLL_MS * 1000000L}, NULL);
        rc = cli_get(cli, out, "/api/v1/plans/%lld", (long long)run);
    }
    cli_progress_end(cli, &bar);
    return rc;
}

/* The values stand beside the row, for a table. */
static void flatten(json_t *items)
{
    size_t i;
    json_t *row;
    json_array_foreach(items, i, row)
    {
        const json_t *field = json_array_get(json_object_get(row, "fields"), 0);
        json_object_set(row, "before", json_object_get(field, "before"));
        json_object_set(row, "after", json_object_get(field, "after"));
    }
}

static int get_rows(struct cli *cli, int64_t run, size_t max, json_t **out, bool *more)
{
    const char *path = arena_fmt(&cli->arena, "/api/v1/plans/%lld/items?limit=%d", (long long)run, (int)PAGE);
    int rc = cli_get_pages(cli, path, max, out, more);
    flatten(*out);
    return rc;
}

static int show_rows(struct cli *cli, int64_t run)
{
    json_t *rows = NULL;
    bool more = false;
    const char *csv = cli_value(cli, "csv");
    int rc = get_rows(cli, run, csv || cli->json ? SIZE_MAX : PRINTED, &rows, &more);
    json_t *list = json_pack("{s:O}", "items", rows);
    if (rc == EXIT_DONE && csv)
        rc = cli_save_csv(cli, csv, rows, csv_columns);
    else if (rc == EXIT_DONE)
        cli_print_list(cli, "undo_item", list, row_columns, "nothing of it is left to take back");
    if (rc == EXIT_DONE && more && !csv)
        cli_note(cli, "there are more; all of them: tieline sync plan %lld --csv FILE", (long long)run);
    json_decref(list);
    json_decref(rows);
    return rc;
}

static int sum_up(struct cli *cli, const json_t *begun, const json_t *plan, bool trash)
{
    int64_t left = rows_in(plan, "skipped"), run = cli_int(begun, "run");
    if (cli_int(begun, "creates") && !trash)
        cli_note(cli, "%lld records that run %lld made stay", (long long)cli_int(begun, "creates"),
                 (long long)cli_int(begun, "about"));
    if (!is_over(plan)) {
        cli_note(cli, "run %lld goes on; see: tieline sync plan %lld", (long long)run, (long long)run);
        return EXIT_DONE;
    }
    if (trash)
        cli_note(cli, "%lld records %s", (long long)rows_of(plan, "trash", cli->dry_run ? "planned" : "done"),
                 cli->dry_run ? "would go into the bin" : "are in the bin");
    if (cli->dry_run)
        cli_note(cli, "%lld values would come back, %lld would be left as they are; nothing was written (-n)",
                 (long long)rows_of(plan, "undo", "planned"), (long long)left);
    else
        cli_note(cli, "%lld values are back, %lld were left as they are", (long long)rows_of(plan, "undo", "done"),
                 (long long)left);
    if (strcmp(cli_text(plan, "state"), "cancelled") == 0)
        return cli_fail(cli, EXIT_FAILED, "run %lld was cancelled", (long long)run);
    return left && !cli->dry_run ? EXIT_SOME_FAILED : EXIT_DONE;
}

static int take_back(struct cli *cli, json_t *body, bool trash)
{
    json_t *begun = NULL, *plan = NULL;
    int rc = cli_send(cli, "POST", "/api/v1/undos", body, NULL, &begun);
    if (rc == EXIT_DONE)
        rc = follow(cli, cli_int(begun, "run"), &plan);
    if (rc == EXIT_DONE)
        rc = show_rows(cli, cli_int(begun, "run"));
    if (rc == EXIT_DONE)
        rc = sum_up(cli, begun, plan, trash);
    json_decref(begun);
    json_decref(plan);
    return rc;
}

static int number_arg(struct cli *cli, const char *what, int64_t *out)
{
    return str_to_i64(str_of(cli->args[0]), out) && *out > 0
               ? EXIT_DONE
               : cli_fail(cli, EXIT_USAGE, "\"%s\" is not the number of a %s", cli->args[0], what);
}

static int run_run(struct cli *cli)
{
    int64_t run = 0;
    bool trash = cli_value(cli, "trash-created") != NULL;
    int rc = number_arg(cli, "run", &run);
    if (rc == EXIT_DONE && !cli->dry_run)
        rc = cli_confirm(cli, "take back at the vendors what run %lld wrote%s?", (long long)run,
                         trash ? ", and put the records that it made into their bins" : "");
    return rc == EXIT_DONE
               ? take_back(cli, json_pack("{s:I,s:b}", "run", (json_int_t)run, "trash_created", (int)trash), trash)
               : rc;
}

static int run_pair(struct cli *cli)
{
    int64_t pair = 0;
    const char *field = cli_value(cli, "field"), *side = cli_value(cli, "side");
    int rc = number_arg(cli, "pair", &pair);
    if (rc == EXIT_DONE && !field)
        rc = cli_fail(cli, EXIT_USAGE, "name the field: --field PATH; `tieline pair show %lld` has them",
                      (long long)pair);
    if (rc == EXIT_DONE && !cli->dry_run)
        rc = cli_confirm(cli, "take back the newest write of \"%s\" in pair %lld?", field, (long long)pair);
    if (rc != EXIT_DONE)
        return rc;
    json_t *body = json_pack("{s:I,s:s}", "pair", (json_int_t)pair, "field", field);
    if (side)
        json_object_set_new(body, "side", json_string(side));
    return take_back(cli, body, false);
}

static const struct cli_option run_options[] = {
    {"trash-created", NULL, "records that it made go into the bin of their system, where nobody has touched them"},
    {"csv", "FILE", "all rows into a file (- for standard output)"},
    {NULL, NULL, NULL},
};
static const struct cli_option pair_options[] = {
    {"field", "PATH", "which field, by its name on either side"},
    {"side", "a|b", "as it was written to this side; else wherever it was written last"},
    {"csv", "FILE", "the row into a file (- for standard output)"},
    {NULL, NULL, NULL},
};

const struct command commands_undo[] = {
    {"undo", "run", "RUN", 1, 1, "take back what a run wrote, where the value is still that run's",
     "`tieline sync history` names runs. What was edited or written since is left as it is and listed with the reason, "
     "and\n"
     "the command ends with 8. Records that the run made stay, but\n"
     "for --trash-created. -n shows everything and writes nothing.\n"
     "The side that the value came from keeps it, and it is not carried over again: each side stays as it is until\n"
     "somebody edits the field. An undo is a run itself and can be taken back like any other.",
     run_options, run_run},
    {"undo", "pair", "PAIR", 1, 1, "take back the newest write of one field", "  tieline undo pair 42 --field title -n",
     pair_options, run_pair},
    {NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
