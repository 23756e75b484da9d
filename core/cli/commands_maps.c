/* tieline map ... */
#include "cli.h"

static const char *map_path(struct cli *cli, const char *rest)
{
    return arena_fmt(&cli->arena, "/api/v1/links/%s/%s/map%s", cli_escape(cli, cli->args[0]),
                     cli_escape(cli, cli->args[1]), rest);
}

static const struct column columns[] = {
    {"A", "a", 0},
    {"A: VENDOR'S NAME", "a_name", 0},
    {"DIRECTION", "direction", 0},
    {"B", "b", 0},
    {"B: VENDOR'S NAME", "b_name", 0},
    {"A TO B", "to_b", COLUMN_WRAP},
    {"B TO A", "to_a", COLUMN_WRAP},
    {"POLICY", "policy", 0},
    {"DEFAULT", "default", 0},
    {"SUSPENDED", "suspended", COLUMN_WRAP},
    {NULL, NULL, 0},
};

static int run_list(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli_get(cli, &answer, "%s", map_path(cli, ""));
    if (rc == EXIT_DONE)
        cli_print_list(cli, "map", answer, columns,
                       "no field is mapped yet: fields are read with: tieline endpoint check NAME (both endpoints)");
    json_decref(answer);
    return rc;
}

static int run_show(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli_get(cli, &answer, "%s", map_path(cli, ""));
    if (rc == EXIT_DONE && cli->n_args > 2) {
        size_t i;
        json_t *item, *found = NULL;
        json_array_foreach(json_object_get(answer, "items"), i, item)
        {
            static const char *const names[] = {"a", "b", "a_name", "b_name"};
            for (size_t k = 0; k < ARRAY_LEN(names); k++)
                if (strcmp(cli_text(item, names[k]), cli->args[2]) == 0)
                    found = item;
        }
        if (found)
            cli_print_object(cli, "map", found);
        else
            rc = cli_fail(cli, EXIT_NO_SUCH, "field \"%s\" is not mapped", cli->args[2]);
    } else if (rc == EXIT_DONE) {
        cli_print_object(cli, "map", answer);
    }
    json_decref(answer);
    return rc;
}

static const struct column finding_columns[] = {
    {"LEVEL", "level", COLUMN_COLOR_STATE}, {"A", "a", 0},   {"B", "b", 0}, {"CODE", "code", 0},
    {"FINDING", "text", COLUMN_WRAP},       {NULL, NULL, 0},
};

static int run_check(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli_get(cli, &answer, "%s", map_path(cli, "/check"));
    if (rc != EXIT_DONE)
        return rc;
    if (cli->json) {
        cli_print_object(cli, "check", answer);
    } else {
        json_t *list = json_pack("{s:O*}", "items", json_object_get(answer, "findings"));
        cli_print_list(cli, "finding", list, finding_columns, "the map is fine");
        json_decref(list);
    }
    rc = json_is_true(json_object_get(answer, "ok")) ? EXIT_DONE : EXIT_CONFIG;
    json_decref(answer);
    return rc;
}

static const struct cli_option unset_options[] = {{"all", NULL, "forget all changes: back to the default map"},
                                                  {NULL, NULL, NULL}};

static int run_unset(struct cli *cli)
{
    const char *query = cli_value(cli, "all") ? "?all=true" : NULL;
    if (!query && cli->n_args < 3)
        return cli_fail(cli, EXIT_USAGE, "name a field, or --all");
    if (!query)
        query = arena_fmt(&cli->arena, "?field=%s", cli_escape(cli, cli->args[2]));
    int rc = cli_change(cli, "DELETE", map_path(cli, query), NULL, NULL);
    if (rc == EXIT_DONE)
        cli_note(cli, "%s; see: tieline map list %s %s",
                 cli_value(cli, "all") ? "back to the default map" : "not mapped any more", cli->args[0], cli->args[1]);
    return rc;
}

const struct command commands_maps[] = {
    {"map", "list", "CONNECTION KIND", 2, 2, "which field goes where", NULL, NULL, run_list},
    {"map", "show", "CONNECTION KIND [FIELD]", 2, 3, "the map, or one field of it, with everything known", NULL, NULL,
     run_show},
    {"map", "unset", "CONNECTION KIND [FIELD]", 2, 3, "stop mapping a field", NULL, unset_options, run_unset},
    {"map", "check", "CONNECTION KIND", 2, 2,
     "types, lengths, required and read-only fields, choices; exit 7 on an error",
     "Also what stored values have to say: how many would fail, how many would not come back as they are.", NULL,
     run_check},
    {NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
