/* tieline sync ... */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "times.h"

enum { POLL_MS = 500, MAX_BARS = 32 };

static const struct column status_columns[] = {
    {"CONNECTION", "connection", 0},
    {"STATE", "state", COLUMN_COLOR_STATE},
    {"KIND", "kind", 0},
    {"PHASE", "phase", 0},
    {"A SEEN", "observed_a", COLUMN_RIGHT},
    {"OF", "estimated_a", COLUMN_RIGHT},
    {"B SEEN", "observed_b", COLUMN_RIGHT},
    {"OF", "estimated_b", COLUMN_RIGHT},
    {"DONE", "running.pushed", COLUMN_RIGHT},
    {"PLANNED", "running.planned", COLUMN_RIGHT},
    {"PER SECOND", "rate", COLUMN_RIGHT},
    {"LEFT", "left", COLUMN_WRAP},
    {"PAIRS", "counts.complete", COLUMN_RIGHT},
    {"UNSETTLED", "counts.unsettled", COLUMN_RIGHT},
    {"FAILURES", "counts.failures", COLUMN_RIGHT},
    {NULL, NULL, 0},
};

static int get_status(struct cli *cli, const char *connection, json_t **out)
{
    return cli_get(cli, out, "/api/v1/syncs%s%s", connection ? "?connection=" : "",
                   connection ? cli_escape(cli, connection) : "");
}

static const char *duration_words(struct cli *cli, int64_t seconds)
{
    long long minutes = (long long)(seconds + 30) / 60;
    if (minutes < 1)
        return "less than a minute";
    if (minutes < 60)
        return arena_fmt(&cli->arena, "about %lld min", minutes);
    if (minutes < (long long)48 * 60)
        return arena_fmt(&cli->arena, "about %lld h %lld min", minutes / 60, minutes % 60);
    return arena_fmt(&cli->arena, "about %lld days", (minutes + 12 * 60) / (24 * 60));
}

/* How long it will take still, and what allowance keeps it; "" while that cannot be told. */
static const char *left_words(struct cli *cli, const json_t *link)
{
    const json_t *seconds = cli_path(link, "running.eta_seconds");
    const char *how_long = json_is_integer(seconds) ? duration_words(cli, json_integer_value(seconds)) : "";
    AUTO(buf_done) struct buf opens = {0};
    if (strcmp(cli_text(link, "running.eta_bound"), "quota") != 0)
        return how_long;
    cli_print_time(&opens, cli_text(link, "running.eta_opens"));
    return arena_fmt(&cli->arena, "%s%sallowance \"%s\" of %s is used up until %s", how_long, *how_long ? ", as " : "",
                     cli_text(link, "running.eta_quota"), cli_text(link, "running.eta_endpoint"), buf_text(&opens));
}

static void add_words(struct cli *cli, json_t *link)
{
    const json_t *rate = cli_path(link, "running.rate_per_second");
    if (!json_object_get(link, "running"))
        return;
    if (json_is_real(rate))
        json_object_set_new(link, "rate", json_string(arena_fmt(&cli->arena, "%.1f", json_real_value(rate))));
    json_object_set_new(link, "left", json_string(left_words(cli, link)));
}

/* Links of all connections as one list; each carries the state of its connection. The caller's. */
static json_t *flat_links(struct cli *cli, const json_t *answer)
{
    json_t *list = json_array(), *connection, *link;
    size_t i, k;
    json_array_foreach(json_object_get(answer, "items"), i, connection)
    {
        json_array_foreach(json_object_get(connection, "links"), k, link)
        {
            json_object_set(link, "state", json_object_get(connection, "state"));
            if (!cli->json)
                add_words(cli, link);
            json_array_append(list, link);
        }
    }
    return json_pack("{s:o}", "items", list);
}

static void draw_link(struct cli *cli, struct progress *bar, const json_t *link)
{
    const char *label = arena_fmt(&cli->arena, "%s: %s", cli_text(link, "kind"), cli_text(link, "phase"));
    int64_t seen = cli_int(link, "observed_a") + cli_int(link, "observed_b");
    int64_t expected = cli_int(link, "estimated_a") + cli_int(link, "estimated_b");
    int64_t done = cli_int(link, "running.pushed"), planned = cli_int(link, "running.planned");
    double rate = json_real_value(cli_path(link, "running.rate_per_second"));
    const char *left = left_words(cli, link);
    const char *tail = arena_fmt(&cli->arena, "%.0f/s%s%s%s, failures %lld", rate, *left ? ", " : "", left,
                                 *left ? " left" : "", (long long)cli_int(link, "counts.failures"));
    if (seen < expected || done == 0)
        cli_progress(cli, bar, label, seen, expected > 0 ? expected : -1, tail);
    else
        cli_progress(cli, bar, label, done, planned > 0 ? planned : -1, tail);
}

/* True while a first sync or sweep of the connection goes on. */
static bool draw(struct cli *cli, const json_t *answer, struct progress *bars)
{
    bool running = false;
    size_t i;
    json_t *link, *flat = flat_links(cli, answer);
    json_array_foreach(json_object_get(flat, "items"), i, link)
    {
        if (i >= MAX_BARS || !json_object_get(link, "running"))
            continue;
        if (!running)
            draw_link(cli, &bars[i], link); /* links run one after the other: one bar at a time */
        running = true;
    }
    json_decref(flat);
    return running;
}

static int wait_for_end(struct cli *cli, const char *connection)
{
    struct progress bars[MAX_BARS] = {{0}};
    AUTO(buf_done) struct buf told = {0};
    for (;;) {
        json_t *answer = NULL;
        int rc = get_status(cli, connection, &answer);
        if (rc != EXIT_DONE)
            return rc;
        cli_note_waits(cli, json_object_get(answer, "items"), &told);
        bool running = draw(cli, answer, bars);
        json_decref(answer);
        if (!running)
            break;
        nanosleep(&(struct timespec){0, POLL_MS * 1000000L}, NULL);
    }
    for (int i = 0; i < MAX_BARS; i++)
        cli_progress_end(cli, &bars[i]);
    return EXIT_DONE;
}

static const struct column history_columns[] = {
    {"RUN", "run", COLUMN_RIGHT},
    {"DATE", "date", COLUMN_TIME},
    {"SOURCE", "source", 0},
    {"DESTINATION", "destination", 0},
    {"RECORDS", "kind", 0},
    {"RUN KIND", "run_kind", 0},
    {"ADDED", "added", COLUMN_RIGHT},
    {"UPDATED", "updated", COLUMN_RIGHT},
    {"MATCHED", "matched", COLUMN_RIGHT},
    {"CONFLICTS", "conflicts", COLUMN_RIGHT},
    {"FAILED", "failed", COLUMN_RIGHT},
    {"STATE", "state", COLUMN_COLOR_STATE},
    {NULL, NULL, 0},
};

static bool is_among(const json_t *runs, int64_t run)
{
    size_t i;
    json_t *id;
    json_array_foreach((json_t *)(uintptr_t)runs, i, id)
    {
        if (json_integer_value(id) == run)
            return true;
    }
    return false;
}

/* Summary of the runs just waited for, and no others; 8 when records of theirs failed. */
static int print_outcome(struct cli *cli, const char *connection, const json_t *runs)
{
    json_t *answer = NULL, *row, *own = json_array();
    bool failed = false, cut = false;
    size_t i;
    int rc = cli_get(cli, &answer, "/api/v1/runs?connection=%s&days=7&limit=1000", cli_escape(cli, connection));
    json_array_foreach(json_object_get(answer, "items"), i, row)
    {
        const char *state = cli_text(row, "state");
        if (!is_among(runs, cli_int(row, "run")))
            continue;
        json_array_append(own, row);
        failed |= cli_int(row, "failed") > 0;
        cut |= strcmp(state, "succeeded") != 0 && strcmp(state, "partial") != 0;
    }
    json_decref(answer);
    json_t *list = json_pack("{s:o}", "items", own);
    if (rc == EXIT_DONE)
        cli_print_list(cli, "run", list, history_columns, "nothing was exchanged");
    json_decref(list);
    if (rc != EXIT_DONE)
        return rc;
    if (failed)
        cli_note(cli, "some records failed; see: tieline failure list --connection %s", connection);
    if (cut)
        cli_note(cli, "it did not come to its end; see: tieline status");
    return failed ? EXIT_SOME_FAILED : cut ? EXIT_FAILED : EXIT_DONE;
}

static const struct cli_option start_options[] = {
    {"kind", "KIND", "only this kind"},
    {"full", NULL, "read everything again, also where only changes are due"},
    {NULL, NULL, NULL}};

/* All of them, but those of the map only up to a handful: "map check" lists them. The others come last, to be seen. */
static void note_warnings(struct cli *cli, const json_t *warnings)
{
    enum { HANDFUL = 4 };
    size_t i, n = json_array_size(warnings), shown = n > HANDFUL + 1 ? HANDFUL : n, hidden = 0;
    for (i = 0; i < n; i++) {
        const json_t *warning = json_array_get(warnings, i);
        if (i < shown || strcmp(cli_text(warning, "code"), "TOO_LONG") != 0)
            cli_note(cli, "warning: %s", cli_text(warning, "text"));
        else
            hidden++;
    }
    if (hidden)
        cli_note(cli, "warning: %zu more fields may be too short; see: tieline map check %s KIND", hidden,
                 cli->args[0]);
}

/* The first syncs that run now; none: the connection is in step and was only asked to look at once. */
static void note_started(struct cli *cli, const json_t *answer)
{
    const json_t *kinds = json_object_get(answer, "kinds");
    AUTO(buf_done) struct buf names = {0};
    for (size_t i = 0; i < json_array_size(kinds); i++)
        buf_fmt(&names, "%s%s", i ? ", " : "", json_string_value(json_array_get(kinds, i)));
    if (names.n)
        cli_note(cli, "first sync of %s runs", buf_text(&names));
    else
        cli_note(cli, "\"%s\" is past its first sync: %s; see: tieline sync history %s", cli->args[0],
                 cli_value(cli, "full") ? "both sides are being read again" : "changes are being asked for now",
                 cli->args[0]);
}

int cli_sync_follow(struct cli *cli, const char *connection, const json_t *answer)
{
    const json_t *runs = json_object_get(answer, "runs");
    if (cli->no_wait || json_array_size(runs) == 0) {
        if (cli->no_wait || cli->json)
            cli_print_object(cli, "sync", answer);
        return EXIT_DONE;
    }
    int rc = wait_for_end(cli, connection);
    return rc == EXIT_DONE ? print_outcome(cli, connection, runs) : rc;
}

static int run_start(struct cli *cli)
{
    json_t *body = json_pack("{s:s}", "connection", cli->args[0]), *answer = NULL;
    if (cli_value(cli, "kind"))
        json_object_set_new(body, "kind", json_string(cli_value(cli, "kind")));
    if (cli_value(cli, "full"))
        json_object_set_new(body, "full", json_true());
    int rc = cli_send(cli, "POST", "/api/v1/syncs", body, NULL, &answer);
    if (rc != EXIT_DONE)
        return rc;
    note_warnings(cli, json_object_get(answer, "warnings"));
    if (cli->dry_run) {
        rc = cli_plan_made(cli, json_integer_value(json_array_get(json_object_get(answer, "runs"), 0)));
        json_decref(answer);
        return rc;
    }
    note_started(cli, answer);
    rc = cli_sync_follow(cli, cli->args[0], answer);
    json_decref(answer);
    return rc;
}

static const struct cli_option status_options[] = {{"watch", NULL, "redraw until it ends"}, {NULL, NULL, NULL}};

static int run_status(struct cli *cli)
{
    const char *connection = cli->n_args ? cli->args[0] : NULL;
    if (cli_value(cli, "watch")) {
        int rc = wait_for_end(cli, connection);
        if (rc != EXIT_DONE)
            return rc;
    }
    json_t *answer = NULL;
    int rc = get_status(cli, connection, &answer);
    json_t *flat = flat_links(cli, answer);
    if (rc == EXIT_DONE)
        cli_print_list(cli, "sync", cli->json ? answer : flat, status_columns,
                       "nothing to sync; see: tieline link create --help");
    json_decref(flat);
    json_decref(answer);
    return rc;
}

static const struct cli_option history_options[] = {
    {"days", "N", "how far back (default 7)"},
    {"since", "DATE", "from this day on, or from a time: 2026-11-01, 2026-11-01T08:00:00Z"},
    {"limit", "N", "at most so many (default 100)"},
    {"csv", "FILE", "all of it into a file (- for standard output)"},
    {NULL, NULL, NULL}};

/* A day begins at midnight of the reader. */
static int since_text(struct cli *cli, const char *text, const char **out)
{
    int64_t us = 0, days = 0;
    struct tm day = {.tm_isdst = -1};
    AUTO(buf_done) struct buf b = {0};
    if (date_parse(str_of(text), &days)) {
        int64_t year = 0;
        date_to_civil(days, &year, &day.tm_mon, &day.tm_mday);
        day.tm_year = (int)year - 1900;
        day.tm_mon--;
        us = (int64_t)mktime(&day) * US_PER_S;
    } else if (!time_parse(str_of(text), &us)) {
        return cli_fail(cli, EXIT_USAGE, "--since %s: must be a day or a time, as 2026-11-01", text);
    }
    time_format(&b, us);
    *out = arena_str(&cli->arena, buf_lent(&b)).p;
    return EXIT_DONE;
}

static int get_history(struct cli *cli, const char *since, size_t max, json_t **out)
{
    const char *days = cli_value(cli, "days");
    const char *path =
        arena_fmt(&cli->arena, "/api/v1/runs?days=%s&limit=1000%s%s%s%s", days ? cli_escape(cli, days) : "7",
                  since ? "&since=" : "", since ? cli_escape(cli, since) : "", cli->n_args ? "&connection=" : "",
                  cli->n_args ? cli_escape(cli, cli->args[0]) : "");
    return cli_get_pages(cli, path, max, out, NULL);
}

static int run_history(struct cli *cli)
{
    const char *since = cli_value(cli, "since"), *limit = cli_value(cli, "limit"), *csv = cli_value(cli, "csv");
    int64_t max = 100;
    int rc = since ? since_text(cli, since, &since) : EXIT_DONE;
    if (rc == EXIT_DONE && limit && (!str_to_i64(str_of(limit), &max) || max < 1))
        rc = cli_fail(cli, EXIT_USAGE, "--limit %s: must be a number from 1 on", limit);
    if (rc != EXIT_DONE)
        return rc;
    json_t *items = NULL;
    rc = get_history(cli, since, csv && !limit ? SIZE_MAX : (size_t)max, &items);
    json_t *list = json_pack("{s:o}", "items", items);
    if (rc == EXIT_DONE && csv)
        rc = cli_save_csv(cli, csv, items, history_columns);
    else if (rc == EXIT_DONE)
        cli_print_list(cli, "run", list, history_columns, "nothing was exchanged in this time");
    json_decref(list);
    return rc;
}

static int run_cancel(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli_send(cli, "POST", arena_fmt(&cli->arena, "/api/v1/syncs/%s/cancel", cli_escape(cli, cli->args[0])),
                      NULL, NULL, &answer);
    if (rc == EXIT_DONE)
        cli_note(cli, "cancelled; what is done stays");
    json_decref(answer);
    return rc;
}

const struct command commands_sync[] = {
    {"sync", "start", "CONNECTION", 1, 1, "start the first sync, or a cycle now, and show its progress",
     "Ctrl-C ends the showing, not the sync. Exit 8 when it finished but some of its records failed.\n"
     "Past the first sync it makes the daemon look for changes at once, and says so.\n"
     "-n reads both sides, writes nothing to anybody and tells what would be made, changed, matched and refused:\n"
     "  tieline sync start -n help-sales; tieline sync plan RUN; tieline sync approve RUN",
     start_options, run_start},
    {"sync", "status", "[CONNECTION]", 0, 1, "what runs, how far it is", NULL, status_options, run_status},
    {"sync", "history", "[CONNECTION]", 0, 1, "what was added, updated, failed: the last 7 days", NULL, history_options,
     run_history},
    {"sync", "cancel", "CONNECTION", 1, 1, "end the running first sync or dry run; what is done stays", NULL, NULL,
     run_cancel},
    {NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
