/* tieline person ...: what is stored about one person, and that it goes. */
#include <string.h>

#include "cli.h"

static int run_export(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli_send(cli, "POST", "/api/v1/person/export", json_pack("{s:s}", "who", cli->args[0]), NULL, &answer);
    if (rc == EXIT_DONE) {
        json_dumpf(answer, stdout, JSON_INDENT(2));
        putchar('\n');
    }
    json_decref(answer);
    return rc;
}

/* ---- erase ---- */

static json_t *erase_body(const struct cli *cli)
{
    json_t *body = json_pack("{s:s}", "who", cli->args[0]);
    static const char *const filters[] = {"endpoint", "kind"};
    for (int i = 0; i < 2; i++)
        if (cli_value(cli, filters[i]))
            json_object_set_new(body, filters[i], json_string(cli_value(cli, filters[i])));
    if (cli_value(cli, "no-compact"))
        json_object_set_new(body, "compact", json_false());
    return body;
}

/* One row for each sort of thing that goes, those of which there is one. */
static json_t *rows_of(const json_t *answer)
{
    json_t *rows = json_array(), *record, *count;
    const char *what;
    size_t i;
    json_array_foreach(json_object_get(answer, "records"), i, record)
        json_array_append_new(rows, json_pack("{s:s,s:I,s:s,s:s,s:s}", "what", "record", "count", (json_int_t)1,
                                              "endpoint", cli_text(record, "endpoint"), "kind",
                                              cli_text(record, "kind"), "record", cli_text(record, "record")));
    json_object_foreach(json_object_get(answer, "erased"), what, count)
    {
        if (json_integer_value(count) && strcmp(what, "records") != 0)
            json_array_append_new(rows, json_pack("{s:s,s:O}", "what", what, "count", count));
    }
    return rows;
}

static const struct column erase_columns[] = {
    {"WHAT", "what", 0}, {"COUNT", "count", COLUMN_RIGHT}, {"ENDPOINT", "endpoint", 0},
    {"KIND", "kind", 0}, {"RECORD", "record", 0},          {NULL, NULL, 0},
};

static void show_erased(struct cli *cli, const json_t *answer)
{
    json_t *list = json_pack("{s:o}", "items", rows_of(answer));
    if (cli->json)
        cli_print_object(cli, "erasure", answer);
    else
        cli_print_list(cli, "erasure", list, erase_columns, "");
    json_decref(list);
}

static void note_what_stays(struct cli *cli, const json_t *answer)
{
    size_t i;
    json_t *file;
    cli_note(cli, "the records at the vendors stay: delete them there");
    json_array_foreach(json_object_get(answer, "backups"), i, file)
        cli_note(cli, "made before, it still holds them: %s", cli_text(file, "file"));
    cli_note(cli, "copies of the database elsewhere hold them as well; after putting one back, erase again");
}

static int erase(struct cli *cli, bool dry, json_t **answer)
{
    return cli_send(cli, "POST", dry ? "/api/v1/person/erase?dry_run=true" : "/api/v1/person/erase", erase_body(cli),
                    NULL, answer);
}

static int run_erase(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = erase(cli, true, &answer);
    if (rc == EXIT_DONE && !cli->dry_run) {
        size_t n = json_array_size(json_object_get(answer, "records"));
        rc =
            cli_confirm(cli, "erase all that is stored of %zu record%s? It cannot be taken back", n, n == 1 ? "" : "s");
        json_decref(answer);
        answer = NULL;
        if (rc == EXIT_DONE)
            rc = erase(cli, false, &answer);
    }
    if (rc == EXIT_DONE) {
        show_erased(cli, answer);
        note_what_stays(cli, answer);
        if (cli->dry_run)
            cli_note(cli, "nothing was erased (-n)");
        else if (!json_is_true(json_object_get(answer, "compacted")))
            cli_note(cli,
                     "the file was not written anew (%s): remains may lie in unused parts of it until the next "
                     "start of tielined or the next erasure",
                     cli_text(answer, "remains"));
    }
    json_decref(answer);
    return rc;
}

static const struct column erasure_columns[] = {
    {"ERASURE", "erasure", COLUMN_RIGHT}, {"AT", "at", COLUMN_TIME}, {"BY", "who", 0},
    {"RECORDS", "records", COLUMN_RIGHT}, {NULL, NULL, 0},
};

static int run_erased(struct cli *cli)
{
    return cli_list(cli, "/api/v1/person/erasures", "erasure", erasure_columns, "nobody was erased");
}

static int run_restore(struct cli *cli)
{
    int64_t erasure = 0;
    json_t *answer = NULL, *body = str_to_i64(str_of(cli->args[0]), &erasure) && !cli_value(cli, "record")
                                       ? json_pack("{s:I}", "erasure", (json_int_t)erasure)
                                       : json_pack("{s:s}", "who", cli->args[0]);
    int rc = cli_send(cli, "POST", "/api/v1/person/restore-sync", body, NULL, &answer);
    if (rc == EXIT_DONE && cli->json)
        cli_print_object(cli, "erasure", answer);
    if (rc == EXIT_DONE)
        cli_note(cli,
                 "%lld records may be stored again; the next whole reading brings them: tieline sync start "
                 "CONNECTION --full",
                 (long long)cli_int(answer, "records"));
    json_decref(answer);
    return rc;
}

static const struct cli_option erase_options[] = {
    {"endpoint", "ENDPOINT", "only records of this endpoint, and what they are paired with"},
    {"kind", "KIND", "only records of this kind, as the vendor names it"},
    {"no-compact", NULL, "do not write the database file anew afterwards: remains may stay in unused parts of it"},
    {NULL, NULL, NULL},
};
static const struct cli_option restore_options[] = {
    {"record", NULL, "the argument is the id of one of its records"},
    {NULL, NULL, NULL},
};

const struct command commands_people[] = {
    {"person", "export", "WHO", 1, 1, "everything stored about a person, as JSON",
     "WHO is a record id, an e-mail address or a phone number. Records with all their values, pairs with what both "
     "sides\n"
     "agreed on, history, failures, and mentions in the audit. That it was asked for is in the audit, for whom is not.",
     NULL, run_export},
    {"person", "erase", "WHO", 1, 1, "erase all that is stored about a person",
     "WHO is an e-mail address or a record id. Records, and those paired with them now or before, pairs, agreed\n"
     "values, values in the history, failures, conflicts, plans, and where other texts and the audit name them. It is\n"
     "not stored again, whatever is read or told later, and nothing is made anew at the other side. -n shows what\n"
     "would go. The records at the vendors stay. The file is written anew afterwards: some 15 s for a GB, in which\n"
     "nothing is synced.",
     erase_options, run_erase},
    {"person", "erased", "", 0, 0, "who erased when, and how many records; never whose", NULL, NULL, run_erased},
    {"person", "restore-sync", "ERASURE", 1, 1, "let the records of an erasure be stored again",
     "`tieline person erased` has the numbers. What was erased does not come back by this; the vendors' records are\n"
     "read anew and paired like others.",
     restore_options, run_restore},
    {NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
