/* tieline: parses, finds the command in the table, runs it. */
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "parse.h"

extern const struct command commands_daemon[], commands_connectors[], commands_endpoints[], commands_connections[],
    commands_life[], commands_maps[], commands_transforms[], commands_sync[], commands_plans[], commands_undo[],
    commands_records[], commands_pairs[], commands_backups[], commands_fsck[], commands_audit[], commands_passports[],
    commands_people[], commands_profiles[], commands_tokens[], commands_context[], commands_acts[], commands_doctor[],
    commands_completion[];
const struct command *const command_tables[] = {
    commands_daemon,  commands_connectors, commands_endpoints,  commands_connections,
    commands_life,    commands_maps,       commands_transforms, commands_sync,
    commands_plans,   commands_undo,       commands_records,    commands_pairs,
    commands_backups, commands_fsck,       commands_audit,      commands_passports,
    commands_people,  commands_profiles,   commands_tokens,     commands_context,
    commands_acts,    commands_doctor,     commands_completion, NULL,
};

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    static const char note[] = "\ninterrupted; what the daemon is doing goes on\n";
    (void)!write(STDERR_FILENO, note, sizeof note - 1);
    _exit(EXIT_INTERRUPTED);
}

/* All text here is UTF-8; in another locale libsmartcols would print "ö" as \xc3\xb6. */
static void use_utf8(void)
{
    if (!setlocale(LC_CTYPE, "") || strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        (void)setlocale(LC_CTYPE, "C.UTF-8");
}

/* As gettext would choose, without a locale that must be installed. */
static const char *language(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return value;
    }
    return "en";
}

int main(int argc, char **argv)
{
    struct cli cli = {.program = "tieline", .color = cli_color_wanted(), .lang = language()};
    const char *from_environment = getenv("TIELINE_SOCKET"), *noun = NULL, *verb = NULL;
    cli.socket = from_environment && *from_environment ? from_environment : "/run/tieline/tieline.sock";
    use_utf8();
    signal(SIGINT, on_interrupt);
    signal(SIGPIPE, SIG_DFL);
    int rc = parse_command(&cli, argc, argv, &noun, &verb);
    if (rc == PARSE_HELP) {
        cli_help(&cli, noun, verb, stdout);
        rc = noun || argc > 1 ? EXIT_DONE : EXIT_USAGE;
    } else if (rc == PARSE_VERSION) {
        puts("tieline " TIELINE_VERSION);
        rc = EXIT_DONE;
    } else if (rc == EXIT_DONE) {
        rc = cli.command->run(&cli);
    }
    if (fflush(stdout) != 0 && rc == EXIT_DONE)
        rc = EXIT_FAILED;
    http_local_free(cli.http);
    arena_done(&cli.arena);
    return rc;
}
