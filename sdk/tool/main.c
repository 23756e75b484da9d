/* tieline-sdk: for those who write connectors. */
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "str.h"
#include "tool.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"new", command_new, "new NAME               a connector to begin with, its tests and a fake vendor"},
    {"check", command_check, "check X.so             tests one connector and gives it a grade"},
    {"run", command_run, "run X.so CALL ...      calls one connector and shows what it says"},
};

static void help(FILE *to)
{
    fputs("Usage: tieline-sdk COMMAND ...\n\nFor authors of connectors:\n\n", to);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(to, "  %s\n", commands[i].help);
    fputs("\n\"tieline-sdk COMMAND --help\" tells more; tieline-connector-guide(7) is the way from nothing to gold.\n"
          "Exit status: 0 done, 1 the connector failed, 2 wrong usage, 7 wrong configuration.\n",
          to);
}

int tool_complain(const struct err *e)
{
    fprintf(stderr, "tieline-sdk: %s\n", e->text);
    if (e->hint[0])
        fprintf(stderr, "  %s\n", e->hint);
    return e->status == E_USAGE ? EXIT_WRONG_USE : e->status == TL_E_CONFIG ? EXIT_WRONG_CONFIG : EXIT_FAILED;
}

const char *tool_value(int argc, char **argv, int *i, const char *name)
{
    size_t n = strlen(name);
    if (strncmp(argv[*i], name, n) != 0)
        return NULL;
    if (argv[*i][n] == '=')
        return argv[*i] + n + 1;
    if (argv[*i][n] || *i + 1 >= argc)
        return NULL;
    return argv[++*i];
}

int main(int argc, char **argv)
{
    log_setup(LOG_WARN, LOG_TEXT);
    if (argc < 2) {
        help(stderr);
        return EXIT_WRONG_USE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        help(stdout);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("tieline-sdk " TIELINE_VERSION);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 2, argv + 2);
    fprintf(stderr, "tieline-sdk: there is no command \"%s\"\n", argv[1]);
    help(stderr);
    return EXIT_WRONG_USE;
}
