/* --help, from the table of commands. */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "cli.h"
#include "parse.h"

static const char global_help[] =
    "Options of every command:\n"
    "  -S, --socket PATH   socket of the daemon (default: $TIELINE_SOCKET, else /run/tieline/tieline.sock)\n"
    "      --json          one JSON object on stdout; errors as problem+json on stderr\n"
    "  -q, --quiet         no notes, no progress\n"
    "      --no-header     tables without their first line\n"
    "  -y, --yes           do not ask\n"
    "  -n, --dry-run       show what would be done\n"
    "      --no-wait       return at once from long work\n"
    "      --timeout SEC   give up waiting for the daemon\n"
    "      --color WHEN    auto, always or never\n"
    "      --lang LANG     of reasons and hints: en, pt-BR, zh-CN, ru (default: that of the environment)\n"
    "  -h, --help          this, also after a noun or a command\n"
    "      --version\n";

static const char exit_help[] = "Exit codes:\n"
                                "  0 done                     6 conflict: changed meanwhile, or busy\n"
                                "  1 failed                   7 configuration or mapping invalid\n"
                                "  2 usage                    8 finished, some records failed\n"
                                "  3 not running or paused    9 vendor sign-in needed\n"
                                "  4 no such object          10 vendor unreachable or throttling\n"
                                "  5 permission denied       11 daemon unreachable\n"
                                "  12 timed out waiting     130 interrupted\n";

static void usage_line(FILE *out, const struct command *c)
{
    char usage[120];
    snprintf(usage, sizeof usage, "%s%s%s %s", c->noun, c->verb ? " " : "", c->verb ? c->verb : "", c->args);
    fprintf(out, "  %-48s %s\n", usage, c->summary);
}

static void help_all(const struct cli *cli, FILE *out)
{
    fprintf(out, "usage: %s [OPTIONS] NOUN [VERB] [ARGUMENTS]\n\n", cli->program);
    for (const struct command *const *table = command_tables; *table; table++)
        for (const struct command *c = *table; c->noun; c++)
            usage_line(out, c);
    fprintf(out, "\n%s\n%s", global_help, exit_help);
}

static void help_command(const struct cli *cli, const struct command *c, FILE *out)
{
    fprintf(out, "usage: %s %s%s%s %s\n\n%s\n", cli->program, c->noun, c->verb ? " " : "", c->verb ? c->verb : "",
            c->args, c->summary);
    if (c->more)
        fprintf(out, "\n%s\n", c->more);
    if (c->options) {
        fprintf(out, "\nOptions:\n");
        for (const struct cli_option *o = c->options; o->name; o++) {
            char left[64];
            snprintf(left, sizeof left, "--%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
            fprintf(out, "  %-22s %s\n", left, o->help);
        }
    }
    fprintf(out, "\n%s", global_help);
}

void cli_help(const struct cli *cli, const char *noun, const char *verb, FILE *out)
{
    const struct command *c = cli->command ? cli->command : noun ? command_find(noun, verb) : NULL;
    if (c) {
        help_command(cli, c, out);
        return;
    }
    if (!noun || !noun_known(noun)) {
        help_all(cli, out);
        return;
    }
    fprintf(out, "usage: %s %s VERB [ARGUMENTS]\n\n", cli->program, noun);
    for (const struct command *const *table = command_tables; *table; table++)
        for (c = *table; c->noun; c++)
            if (strcmp(c->noun, noun) == 0)
                usage_line(out, c);
    fprintf(out, "\n%s", global_help);
}
