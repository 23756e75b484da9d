/* tieline profile ...: what agents of the help desk may see and have done, by their profile. */
#include <string.h>

#include "cli.h"

static const char *profile_path(struct cli *cli, const char *profile, const char *rest)
{
    return cli_connection_path(cli, arena_fmt(&cli->arena, "/profiles/%s%s", cli_escape(cli, profile), rest));
}

/* "information, note" of a list of texts. */
static const char *joined(struct cli *cli, const json_t *list)
{
    AUTO(buf_done) struct buf out = {0};
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one) buf_fmt(&out, "%s%s", i ? ", " : "", json_string_value(one));
    return arena_str(&cli->arena, buf_lent(&out)).p;
}

static void set_text(json_t *o, const char *name, const char *text)
{
    json_object_set_new(o, name, json_string(text ? text : ""));
}

/* ---- list ---- */

static const struct column list_columns[] = {
    {"PROFILE", "name", 0}, {"ID", "profile", 0},      {"ADMINISTRATOR", "administrator", 0},
    {"NEW", "new", 0},      {"VISIBLE", "visible", 0}, {"ACCESS", "access", COLUMN_WRAP},
    {NULL, NULL, 0},
};

static void add_access(struct cli *cli, json_t *profile)
{
    AUTO(buf_done) struct buf out = {0};
    size_t i;
    json_t *object;
    json_array_foreach(json_object_get(profile, "objects"), i, object)
        buf_fmt(&out, "%s%s: %s", i ? "; " : "", cli_text(object, "object"), cli_text(object, "access"));
    set_text(profile, "access", arena_str(&cli->arena, buf_lent(&out)).p);
}

static int run_list(struct cli *cli)
{
    json_t *answer = NULL, *profile;
    size_t i, n_new = 0;
    int rc = cli_get(cli, &answer, "%s", cli_connection_path(cli, "/profiles"));
    json_array_foreach(json_object_get(answer, "items"), i, profile)
    {
        n_new += json_is_true(json_object_get(profile, "new"));
        if (!cli->json)
            add_access(cli, profile);
    }
    if (rc == EXIT_DONE)
        cli_print_list(cli, "profile", answer, list_columns,
                       "no profile is known yet; they come with the help desk's agents");
    if (rc == EXIT_DONE && n_new)
        cli_note(cli, "%zu new: denied until somebody decides (tieline profile set, or profile copy)", n_new);
    json_decref(answer);
    return rc;
}

/* ---- show ---- */

static const struct column show_columns[] = {
    {"OBJECT", "object", 0},
    {"ACCESS", "access", 0},
    {"GRANTED", "granted", COLUMN_WRAP},
    {"NOT GRANTED", "not_granted", COLUMN_WRAP},
    {NULL, NULL, 0},
};

static void note_hidden(struct cli *cli, const json_t *profile)
{
    if (!json_is_true(json_object_get(profile, "visible")))
        cli_note(cli,
                 "the integration as a whole is hidden from \"%s\", whatever is granted: tieline profile set %s \"%s\" "
                 "integration visible",
                 cli_text(profile, "name"), cli->args[0], cli_text(profile, "name"));
}

/* Its objects as rows; lists of texts become one. */
static json_t *object_rows(struct cli *cli, const json_t *objects)
{
    json_t *rows = json_deep_copy(objects), *row;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        set_text(row, "granted", joined(cli, json_object_get(row, "granted")));
        set_text(row, "not_granted", joined(cli, json_object_get(row, "not_granted")));
    }
    return json_pack("{s:o}", "items", rows);
}

static int run_show(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli_get(cli, &answer, "%s", profile_path(cli, cli->args[1], ""));
    if (rc == EXIT_DONE && cli->json) {
        cli_print_object(cli, "profile", answer);
    } else if (rc == EXIT_DONE) {
        json_t *rows = object_rows(cli, json_object_get(answer, "objects"));
        cli_print_list(cli, "profile", rows, show_columns, "nothing can be granted through this connection");
        if (json_is_true(json_object_get(answer, "new")))
            cli_note(cli, "it is new: nobody has decided about it yet");
        note_hidden(cli, answer);
        json_decref(rows);
    }
    json_decref(answer);
    return rc;
}

/* ---- set, copy ---- */

static const struct column change_columns[] = {
    {"OBJECT", "object", 0}, {"BEFORE", "before", 0}, {"ACCESS", "access", 0}, {"GRANTED", "granted", COLUMN_WRAP},
    {NULL, NULL, 0},
};

/* What is granted afterwards, with the word for what was before. */
static void show_change(struct cli *cli, const json_t *answer)
{
    if (cli->json) {
        cli_print_object(cli, "profile", answer);
        return;
    }
    json_t *rows = object_rows(cli, json_object_get(answer, "after")), *row;
    size_t i;
    json_array_foreach(json_object_get(rows, "items"), i, row)
        set_text(row, "before", cli_text(json_array_get(json_object_get(answer, "before"), i), "access"));
    cli_print_list(cli, "profile", rows, change_columns, "");
    if (cli->dry_run)
        cli_note(cli, "nothing was changed (-n)");
    note_hidden(cli, answer);
    json_decref(rows);
}

static int run_set(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli_change(cli, "PATCH", profile_path(cli, cli->args[1], ""),
                        json_pack("{s:s,s:s}", "object", cli->args[2], "items", cli->args[3]), &answer);
    if (rc == EXIT_DONE)
        show_change(cli, answer);
    json_decref(answer);
    return rc;
}

static int run_copy(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli_send(cli, "POST", profile_path(cli, cli->args[2], "/copy"), json_pack("{s:s}", "from", cli->args[1]),
                      NULL, &answer);
    if (rc == EXIT_DONE)
        show_change(cli, answer);
    json_decref(answer);
    return rc;
}

/* ---- test ---- */

static int run_test(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli_get(cli, &answer, "%s?object=%s&item=%s", profile_path(cli, cli->args[1], "/test"),
                     cli_escape(cli, cli->args[2]), cli_escape(cli, cli->args[3]));
    if (rc == EXIT_DONE && cli->json)
        cli_print_object(cli, "permission", answer);
    else if (rc == EXIT_DONE)
        puts(cli_text(answer, "text"));
    if (rc == EXIT_DONE && !json_is_true(json_object_get(answer, "allowed")))
        rc = EXIT_DENIED;
    json_decref(answer);
    return rc;
}

const struct command commands_profiles[] = {
    {"profile", "list", "CONNECTION", 1, 1, "profiles of the help desk, and what each may see and have done",
     "NEW: it appeared after the permissions were set up; nothing is shown to it until somebody decides.", NULL,
     run_list},
    {"profile", "show", "CONNECTION PROFILE", 2, 2, "what is granted to a profile, and what is not",
     "PROFILE is its name or its id.", NULL, run_show},
    {"profile", "set", "CONNECTION PROFILE OBJECT ITEMS", 4, 4, "grant or take away what is shown, or may be done",
     "OBJECT: integration, account, contact, invoice, estimate, or a kind. ITEMS:\n"
     "  deal=off,note=on      switches these and leaves the rest\n"
     "  information,note      these and no others (\"visible\" goes with them)\n"
     "  full, none            all that is shown of an account or a contact; nothing\n"
     "  view, view-send, view-create-update, all      the levels of invoices and estimates\n"
     "Only \"integration visible=off\" hides everything at once and keeps the rest. -n shows what would be granted.",
     NULL, run_set},
    {"profile", "copy", "CONNECTION FROM TO", 3, 3, "give a profile exactly the permissions of another",
     "-n shows what it would have.", NULL, run_copy},
    {"profile", "test", "CONNECTION PROFILE OBJECT ITEM", 4, 4, "allow or deny, and by which row",
     "Exit 0: allowed; 5: denied.", NULL, run_test},
    {NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
