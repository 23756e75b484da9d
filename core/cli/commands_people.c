/* tieline person ...: what is stored about one person. */
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

const struct command commands_people[] = {
    {"person", "export", "WHO", 1, 1, "everything stored about a person, as JSON",
     "WHO is a record id, an e-mail address or a phone number. Records with all their values, pairs with what both "
     "sides\n"
     "agreed on, history, failures, and mentions in the audit. That it was asked for is in the audit, for whom is not.",
     NULL, run_export},
    {NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
