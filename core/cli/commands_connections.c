/* tieline connection ..., tieline link ... */
#include "cli.h"

static const struct column columns[] = {
    {"NAME", "name", 0},
    {"A", "a", 0},
    {"B", "b", 0},
    {"STATE", "state", COLUMN_COLOR_STATE},
    {"PAIRS", "pairs", COLUMN_RIGHT},
    {"FAILURES", "failures", COLUMN_RIGHT},
    {"WHY", "block_text", COLUMN_WRAP},
    {NULL, NULL, 0},
};

void cli_sum_links(json_t *connections)
{
    size_t i, k;
    json_t *connection, *link;
    json_array_foreach(connections, i, connection)
    {
        json_int_t pairs = 0, failures = 0;
        json_array_foreach(json_object_get(connection, "links"), k, link)
        {
            pairs += cli_int(link, "counts.pairs");
            failures += cli_int(link, "counts.failures");
        }
        json_object_set_new(connection, "pairs", json_integer(pairs));
        json_object_set_new(connection, "failures", json_integer(failures));
    }
}

static int run_list(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli_get(cli, &answer, "/api/v1/connections");
    cli_sum_links(json_object_get(answer, "items"));
    if (rc == EXIT_DONE)
        cli_print_list(cli, "connection", answer, columns,
                       "no connection; make one: tieline connection create NAME --a ENDPOINT --b ENDPOINT");
    json_decref(answer);
    return rc;
}

static int run_show(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli_get(cli, &answer, "%s", cli_connection_path(cli, ""));
    if (rc == EXIT_DONE)
        cli_print_object(cli, "connection", answer);
    json_decref(answer);
    return rc;
}

static const struct cli_option create_options[] = {
    {"a", "ENDPOINT", "first endpoint"}, {"b", "ENDPOINT", "second endpoint"}, {NULL, NULL, NULL}};

static int run_create(struct cli *cli)
{
    const char *a = cli_value(cli, "a"), *b = cli_value(cli, "b");
    if (!a || !b)
        return cli_fail(cli, EXIT_USAGE, "name both endpoints: --a ENDPOINT --b ENDPOINT");
    json_t *answer = NULL;
    int rc = cli_send(cli, "POST", "/api/v1/connections",
                      json_pack("{s:s,s:s,s:s}", "name", cli->args[0], "a", a, "b", b), NULL, &answer);
    if (rc == EXIT_DONE && cli->json)
        cli_print_object(cli, "connection", answer);
    else if (rc == EXIT_DONE)
        cli_note(cli, "made; next: tieline link create %s contact", cli->args[0]);
    json_decref(answer);
    return rc;
}

static void brakes_said(const struct cli *cli, const json_t *connection)
{
    size_t i;
    json_t *link;
    json_array_foreach(json_object_get(connection, "links"), i, link)
    {
        if (!cli->quiet && !cli->json && cli_text(link, "brake_text")[0])
            printf("%s: %s\n", cli_text(link, "kind"), cli_text(link, "brake_text"));
    }
    fflush(stdout);
}

static int run_release(struct cli *cli)
{
    json_t *now = NULL;
    int rc = cli_get(cli, &now, "%s", cli_connection_path(cli, ""));
    if (rc == EXIT_DONE && strcmp(cli_text(now, "block_code"), "RESTORED") == 0)
        rc = cli_confirm(
            cli,
            "the database of \"%s\" was restored from an older copy; read both sides whole, find again what "
            "was made since, and go on?",
            cli->args[0]);
    else if (rc == EXIT_DONE) {
        brakes_said(cli, now);
        rc = cli_confirm(cli, "go on although the safety brake stopped \"%s\"?", cli->args[0]);
    }
    json_decref(now);
    return rc == EXIT_DONE ? cli_connection_verb(cli, "/release", "released") : rc;
}

static int run_rename(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli_change(cli, "PATCH", cli_connection_path(cli, ""), json_pack("{s:s}", "name", cli->args[1]), &answer);
    if (rc == EXIT_DONE && cli->json)
        cli_print_object(cli, "connection", answer);
    json_decref(answer);
    if (rc == EXIT_DONE)
        cli_note(cli, "renamed to \"%s\"", cli->args[1]);
    return rc;
}

/* ---- links ---- */

static const struct column link_columns[] = {
    {"CONNECTION", "connection", 0},
    {"KIND", "kind", 0},
    {"DIRECTION", "direction", 0},
    {"ENABLED", "enabled", 0},
    {"EVERY (S)", "every_seconds", COLUMN_RIGHT},
    {"PHASE", "phase", 0},
    {"PAIRS", "counts.pairs", COLUMN_RIGHT},
    {"FAILURES", "counts.failures", COLUMN_RIGHT},
    {"BRAKE", "brake_text", COLUMN_WRAP},
    {NULL, NULL, 0},
};

static int run_link_list(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli->n_args ? cli_get(cli, &answer, "/api/v1/links?connection=%s", cli_escape(cli, cli->args[0]))
                         : cli_get(cli, &answer, "/api/v1/links");
    if (rc == EXIT_DONE)
        cli_print_list(cli, "link", answer, link_columns, "no link; make one: tieline link create CONNECTION KIND");
    json_decref(answer);
    return rc;
}

static const char *link_path(struct cli *cli)
{
    return arena_fmt(&cli->arena, "/api/v1/links/%s/%s", cli_escape(cli, cli->args[0]), cli_escape(cli, cli->args[1]));
}

static int run_link_show(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli_get(cli, &answer, "%s", link_path(cli));
    if (rc == EXIT_DONE)
        cli_print_object(cli, "link", answer);
    json_decref(answer);
    return rc;
}

/* "key=value" arguments from the third on. NULL after a complaint. */
static json_t *settings(struct cli *cli)
{
    json_t *o = json_object();
    for (int i = 2; i < cli->n_args; i++) {
        str rest = str_of(cli->args[i]), key;
        if (!str_split(&rest, '=', &key) || !rest.p || key.n == 0 || !strchr(cli->args[i], '=')) {
            cli_fail(cli, EXIT_USAGE, "\"%s\": settings read KEY=VALUE", cli->args[i]);
            json_decref(o);
            return NULL;
        }
        json_object_setn_new(o, key.p, (size_t)key.n, json_stringn(rest.p, (size_t)rest.n));
    }
    return o;
}

/* What a link made later brings into the maps of others, and what the map leaves out for want of a link. */
static void note_references(struct cli *cli, const json_t *link)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(link, "references_mapped"), i, row)
        cli_note(cli, "mapped as well, now that it leads somewhere: %s", json_string_value(row));
    json_array_foreach(json_object_get(link, "references_left_out"), i, row)
        cli_note(cli, "left out of the map: %s, which refers to %s; a link for that kind brings it in",
                 cli_text(row, "field"), cli_text(row, "refers_to"));
}

static int run_link_create(struct cli *cli)
{
    json_t *set = settings(cli), *answer = NULL;
    if (!set)
        return EXIT_USAGE;
    int rc = cli_send(cli, "POST", "/api/v1/links",
                      json_pack("{s:s,s:s,s:o}", "connection", cli->args[0], "kind", cli->args[1], "settings", set),
                      NULL, &answer);
    if (rc == EXIT_DONE && cli->json)
        cli_print_object(cli, "link", answer);
    else if (rc == EXIT_DONE) {
        note_references(cli, answer);
        cli_note(cli, "made; next: tieline map list %s %s, then tieline sync start %s", cli->args[0], cli->args[1],
                 cli->args[0]);
    }
    json_decref(answer);
    return rc;
}

/* Sending deletions on is the one setting that loses records at the vendors: said before it is asked for. */
static int confirm_deletes(struct cli *cli, const json_t *set)
{
    const char *word = json_string_value(json_object_get(set, "delete"));
    if (!word || (strcmp(word, "propagate") != 0 && strcmp(word, "a2b") != 0 && strcmp(word, "b2a") != 0))
        return EXIT_DONE;
    json_t *now = NULL;
    int rc = cli_get(cli, &now, "%s", link_path(cli));
    if (rc == EXIT_DONE && !cli->quiet && !cli->json)
        printf("from now on a %s that is deleted at %s is deleted at %s too, where nobody has changed it since.\n"
               "%lld pairs are in step. What was deleted before stays as it is.\n",
               cli_text(now, "kind"),
               strcmp(word, "a2b") == 0   ? "side a"
               : strcmp(word, "b2a") == 0 ? "side b"
                                          : "one side",
               strcmp(word, "a2b") == 0   ? "side b"
               : strcmp(word, "b2a") == 0 ? "side a"
                                          : "the other",
               (long long)cli_int(now, "counts.complete"));
    fflush(stdout);
    json_decref(now);
    if (rc != EXIT_DONE || cli->dry_run)
        return rc;
    return cli_confirm(cli, "send deletions of \"%s\" on?", cli->args[1]);
}

static int run_link_set(struct cli *cli)
{
    json_t *set = settings(cli), *answer = NULL;
    if (!set)
        return EXIT_USAGE;
    int rc = confirm_deletes(cli, set);
    if (rc != EXIT_DONE || (cli->dry_run && json_object_get(set, "delete"))) {
        json_decref(set);
        return rc;
    }
    rc = cli_change(cli, "PATCH", link_path(cli), set, &answer);
    if (rc == EXIT_DONE && (cli->json || !cli->quiet))
        cli_print_object(cli, "link", answer);
    json_decref(answer);
    return rc;
}

static int run_link_delete(struct cli *cli)
{
    json_t *now = NULL;
    int rc = cli_get(cli, &now, "%s", link_path(cli));
    if (rc != EXIT_DONE)
        return rc;
    if (cli->json && cli->dry_run) {
        cli_print_object(cli, "link", now);
    } else if (!cli->json && !(cli->quiet && !cli->dry_run)) {
        printf("link \"%s\" of connection \"%s\" has %lld pairs and %lld open failures; deleting it forgets them and "
               "its map, records at the vendors stay\n",
               cli_text(now, "kind"), cli->args[0], (long long)cli_int(now, "counts.pairs"),
               (long long)cli_int(now, "counts.failures"));
        fflush(stdout);
    }
    json_decref(now);
    if (cli->dry_run)
        return EXIT_DONE;
    rc = cli_confirm(cli, "delete link \"%s\" of connection \"%s\"?", cli->args[1], cli->args[0]);
    if (rc == EXIT_DONE)
        rc = cli_change(cli, "DELETE", link_path(cli), NULL, NULL);
    if (rc == EXIT_DONE)
        cli_note(cli, "deleted");
    return rc;
}

#define SETTINGS_HELP                                                                                                  \
    "Settings: direction=both|a2b|b2a  policy=newest|a|b|manual  master=a|b  every=60s  created_within=365d|off\n"     \
    "          window=fixed|sliding  deps=admit|leave\n"                                                               \
    "          view.a=ID view.b=ID  drift=leave|revert|report  restore_on=update|read_or_update|never\n"               \
    "          delete=keep|propagate|a2b|b2a  max_changes=20%|2000|off\n"                                              \
    "          fallback.a=EMAIL fallback.b=EMAIL\n"                                                                    \
    "          match=FIELD|off  match_multi=fail|oldest|newest  quiet=yes|no  enabled=yes|no\n"                        \
    "          quiet_hours=\"08:00-18:00 Europe/Berlin\"|off  share=1"

const struct command commands_connections[] = {
    {"connection", "list", "", 0, 0, "integrations of two endpoints", NULL, NULL, run_list},
    {"connection", "show", "NAME", 1, 1, "one connection with its links", NULL, NULL, run_show},
    {"connection", "create", "NAME --a ENDPOINT --b ENDPOINT", 1, 1, "connect two endpoints",
     "Example: tieline connection create help-sales --a help --b sales", create_options, run_create},
    {"connection", "rename", "NAME NEW", 2, 2, "give it another name", NULL, NULL, run_rename},
    {"connection", "release", "NAME", 1, 1, "go on after a safety brake", NULL, NULL, run_release},
    {"link", "list", "[CONNECTION]", 0, 1, "links: one kind of record each", NULL, NULL, run_link_list},
    {"link", "show", "CONNECTION KIND", 2, 2, "one link, every setting with its origin", NULL, NULL, run_link_show},
    {"link", "create", "CONNECTION KIND [KEY=VALUE...]", 2, -1, "sync one kind of record", SETTINGS_HELP, NULL,
     run_link_create},
    {"link", "set", "CONNECTION KIND KEY=VALUE...", 3, -1, "change settings", SETTINGS_HELP, NULL, run_link_set},
    {"link", "delete", "CONNECTION KIND", 2, 2, "delete with its pairs; -n shows what would be lost",
     "The connection must be paused.", NULL, run_link_delete},
    {NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
