/* Endpoints that do not answer, in words for people. */
#include <string.h>

#include "cli.h"

/* "throttled since 2026-03-01 10:00:05: the vendor's words; next try 10:00:20" */
static void put_problem(struct buf *out, const json_t *problem)
{
    const char *next = cli_text(problem, "next_try");
    buf_fmt(out, "%s since ", cli_text(problem, "state"));
    cli_print_time(out, cli_text(problem, "since"));
    buf_fmt(out, ": %s", cli_text(problem, "text"));
    if (*next) {
        buf_text_add(out, "; next try ");
        cli_print_time(out, next);
    } else {
        buf_text_add(out, "; not tried again by itself");
    }
}

void cli_add_problems(json_t *endpoints)
{
    size_t i;
    json_t *o;
    json_array_foreach(endpoints, i, o)
    {
        const json_t *problem = json_object_get(o, "problem");
        AUTO(buf_done) struct buf text = {0};
        if (!problem)
            continue;
        put_problem(&text, problem);
        json_object_set_new(o, "problem_words", json_string(buf_text(&text)));
    }
}

static void put_waits(struct buf *out, const json_t *connection)
{
    size_t i;
    json_t *problem;
    json_array_foreach(json_object_get(connection, "waits_for"), i, problem)
    {
        buf_fmt(out, "%s%s: ", i ? "; " : "", cli_text(problem, "endpoint"));
        put_problem(out, problem);
    }
}

static bool should_run(const json_t *connection)
{
    const char *state = cli_text(connection, "state");
    return strcmp(state, "active") == 0 || strcmp(state, "initial") == 0 || strcmp(state, "blocked") == 0;
}

bool cli_add_waits(json_t *connections)
{
    bool any = false;
    size_t i;
    json_t *c;
    json_array_foreach(connections, i, c)
    {
        AUTO(buf_done) struct buf text = {0};
        if (!should_run(c) || json_array_size(json_object_get(c, "waits_for")) == 0)
            continue;
        put_waits(&text, c);
        json_object_set_new(c, "why", json_string(buf_text(&text)));
        any = true;
    }
    return any;
}

void cli_note_waits(const struct cli *cli, const json_t *connections, struct buf *told)
{
    AUTO(buf_done) struct buf now = {0};
    size_t i, k;
    json_t *c, *problem;
    json_array_foreach((json_t *)(uintptr_t)connections, i, c)
    {
        json_array_foreach(json_object_get(c, "waits_for"), k, problem)
        {
            buf_fmt(&now, "%s%s is %s: %s", now.n ? "; " : "", cli_text(problem, "endpoint"),
                    cli_text(problem, "state"), cli_text(problem, "text"));
        }
    }
    if (strcmp(buf_text(&now), buf_text(told)) == 0)
        return;
    if (now.n)
        cli_note(cli, "waiting: %s", buf_text(&now));
    else
        cli_note(cli, "both sides answer again");
    buf_clear(told);
    buf_str(told, buf_lent(&now));
}
