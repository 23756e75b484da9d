/* tieline doctor: what this machine gives tieline, and what stands in its way. The half that needs no daemon is asked
 * of tielined (core/daemon/doctor.h); the rest is what the running daemon tells anybody. */
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "tielined.h"

static const struct column columns[] = {{"LEVEL", "level", COLUMN_COLOR_STATE},
                                        {"CHECK", "check", 0},
                                        {"WHAT", "text", COLUMN_WRAP},
                                        {"DO", "hint", COLUMN_WRAP},
                                        {NULL, NULL, 0}};

static const char ok[] = "ok", warning[] = "warning", error[] = "error";

static void tell(json_t *items, const char *level, const char *check, const char *text, const char *hint)
{
    json_array_append_new(items,
                          json_pack("{s:s,s:s,s:s,s:s}", "check", check, "level", level, "text", text, "hint", hint));
}

/* ---- the machine ---- */

static int run_tielined(struct cli *cli, const char *file)
{
    tielined_become(cli, "--doctor", file);
    return EXIT_NO_SUCH;
}

static void look_at_machine(struct cli *cli, const char *file, json_t *items)
{
    AUTO(buf_done) struct buf text = {.max = 1 << 20};
    tielined_capture(cli, run_tielined, file, false, &text);
    str rest = buf_lent(&text), line;
    size_t before = json_array_size(items);
    while (rest.n && str_split(&rest, '\n', &line)) {
        json_t *o = json_loadb(line.p, (size_t)line.n, 0, NULL);
        if (o)
            json_array_append_new(items, o);
    }
    if (json_array_size(items) == before)
        tell(items, error, "tielined", "it did not say what it sees of this machine",
             "install the package again: tielined belongs beside tieline, or into ../sbin");
}

/* ---- the daemon ---- */

static void look_at_repairs(struct cli *cli, const json_t *status, json_t *items)
{
    size_t i;
    json_t *r;
    json_array_foreach(json_object_get(status, "repairs"), i, r)
    {
        tell(items, warning, arena_fmt(&cli->arena, "%s", cli_text(r, "object")), cli_text(r, "text"),
             cli_text(r, "hint"));
    }
}

static void look_at_backup(struct cli *cli, const json_t *backup, json_t *items)
{
    const json_t *last = json_object_get(backup, "last");
    long long every = cli_int(backup, "every_s"), age = cli_int(last, "age_s");
    if (*cli_text(backup, "error.text"))
        tell(items, warning, "backup", cli_text(backup, "error.text"), cli_text(backup, "error.hint"));
    else if (!last)
        tell(items, warning, "backup", "there is none yet",
             every ? "tieline backup now" : "set [store] backup_every, or make them with tieline backup now");
    else if (every && age > 2 * every)
        tell(items, warning, "backup", arena_fmt(&cli->arena, "the last good one is %lld h old", age / 3600),
             "tieline backup now");
    else
        tell(items, ok, "backup", arena_fmt(&cli->arena, "%lld h old, \"%s\"", age / 3600, cli_text(last, "file")), "");
}

static void look_at_daemon(struct cli *cli, const json_t *status, json_t *items)
{
    const json_t *storage = json_object_get(status, "storage");
    tell(items, ok, "daemon",
         arena_fmt(&cli->arena, "tielined %s runs since %s", cli_text(status, "version"),
                   cli_text(status, "started_at")),
         "");
    if (storage)
        tell(items, error, "database", cli_text(storage, "text"), cli_text(storage, "hint"));
    else
        tell(items, ok, "database", "it can be written; tieline fsck looks at every row", "");
    look_at_backup(cli, json_object_get(status, "backup"), items);
    look_at_repairs(cli, status, items);
}

static void look_at_connector(struct cli *cli, const json_t *c, json_t *items)
{
    const char *name = cli_text(c, "name"), *state = cli_text(c, "state"), *wrong = cli_text(c, "error.text");
    const char *check = arena_fmt(&cli->arena, "connector %s", name);
    const char *hint = cli_text(c, "error.hint");
    bool runs = strcmp(state, "running") == 0, idle = strcmp(state, "disabled") == 0 || strcmp(state, "loading") == 0;
    bool wished = idle || strcmp(state, "not loaded") == 0;
    if (runs)
        tell(items, ok, check,
             arena_fmt(&cli->arena, "runs: version %s%s%s", cli_text(c, "version"), *cli_text(c, "cell") ? ", " : "",
                       cli_text(c, "cell")),
             "");
    else
        tell(items, wished && !*wrong ? warning : error, check,
             arena_fmt(&cli->arena, "%s%s%s", state, *wrong ? ": " : "", wrong),
             *hint                            ? hint
             : strcmp(state, "disabled") == 0 ? arena_fmt(&cli->arena, "tieline connector enable %s", name)
             : strcmp(state, "loading") == 0  ? "look again in a moment"
                                              : arena_fmt(&cli->arena, "tieline connector load %s", name));
    if (*cli_text(c, "pending_hosts"))
        tell(items, warning, check,
             arena_fmt(&cli->arena, "nobody accepted yet that it reaches %s", cli_text(c, "pending_hosts")),
             arena_fmt(&cli->arena, "tieline connector load %s -y", name));
}

enum { SKEW_MS = 60000 };

static void look_at_endpoint(struct cli *cli, const json_t *e, json_t *items)
{
    const char *name = cli_text(e, "name"), *state = cli_text(e, "state"), *wrong = cli_text(e, "problem_words");
    const char *check = arena_fmt(&cli->arena, "endpoint %s", name), *hint = cli_text(e, "error.hint");
    long long skew = cli_int(e, "clock_offset_ms");
    if (!*wrong)
        wrong = cli_text(e, "error.text");
    if (!*hint)
        hint = cli_text(e, "auth.hint");
    if (strcmp(state, "running") != 0 || *wrong)
        tell(items, error, check, arena_fmt(&cli->arena, "%s%s%s", state, *wrong ? ": " : "", wrong),
             *hint ? hint : arena_fmt(&cli->arena, "tieline endpoint check %s", name));
    else if (!*cli_text(e, "checked"))
        tell(items, warning, check, "nobody asked it yet who we are and what we may",
             arena_fmt(&cli->arena, "tieline endpoint check %s", name));
    else
        tell(items, ok, check,
             arena_fmt(&cli->arena, "it answers, as \"%s\"; sign-in: %s", cli_text(e, "org_name"),
                       cli_text(e, "auth.state")),
             "");
    if (skew > SKEW_MS || skew < -SKEW_MS)
        tell(items, warning, check, arena_fmt(&cli->arena, "its clock is %lld s away from ours", skew / 1000),
             "set the clock of this machine; the newer of two edits is decided by the vendors' times");
}

/* Each item of a list of the API. */
static void look_at_each(struct cli *cli, const char *path,
                         void (*look)(struct cli *cli, const json_t *o, json_t *items), json_t *items)
{
    json_t *answer = NULL, *o;
    size_t i;
    if (cli_get(cli, &answer, "%s", path) != EXIT_DONE)
        return;
    cli_add_problems(json_object_get(answer, "items"));
    json_array_foreach(json_object_get(answer, "items"), i, o)
    {
        look(cli, o, items);
    }
    json_decref(answer);
}

/* ---- all of it ---- */

static bool has_error(const json_t *items)
{
    size_t i;
    json_t *o;
    json_array_foreach((json_t *)(uintptr_t)items, i, o)
    {
        if (strcmp(cli_text(o, "level"), error) == 0)
            return true;
    }
    return false;
}

static int run_doctor(struct cli *cli)
{
    json_t *status = NULL, *items = json_array();
    bool there = access(cli->socket, F_OK) == 0, runs = there && cli_get(cli, &status, "/api/v1/status") == EXIT_DONE;
    const char *file = cli->n_args ? cli->args[0] : runs ? cli_text(status, "config") : "/etc/tieline/tieline.ini";
    look_at_machine(cli, file, items);
    if (runs) {
        look_at_daemon(cli, status, items);
        look_at_each(cli, "/api/v1/connectors", look_at_connector, items);
        look_at_each(cli, "/api/v1/endpoints", look_at_endpoint, items);
    } else {
        tell(items, error, "daemon",
             arena_fmt(&cli->arena, "nobody %s on \"%s\"; endpoints, sign-ins and the database were not looked at",
                       there ? "answers us" : "listens", cli->socket),
             "systemctl status tieline; -S or TIELINE_SOCKET for another socket");
    }
    json_t *list = json_pack("{s:O}", "items", items);
    cli_print_list(cli, "finding", list, columns, "");
    int rc = has_error(items) ? EXIT_FAILED : EXIT_DONE;
    json_decref(list);
    json_decref(items);
    json_decref(status);
    return rc;
}

const struct command commands_doctor[] = {
    {"doctor", NULL, "[FILE]", 0, 1, "what this machine gives tieline and what stands in its way, each with what to do",
     "Kernel, clock, directories, disk, key, certificates and connectors are looked at without a daemon, by the\n"
     "configuration FILE (default: the running daemon's, else /etc/tieline/tieline.ini); database, backups, "
     "connectors,\n"
     "endpoints and what needs attention by the running daemon. Run it as root or as the daemon's user.\n"
     "Exit 0: nothing is wrong; there may be warnings. 1: something is.",
     NULL, run_doctor},
    {NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
