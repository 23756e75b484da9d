/* From argv to a command: getopt_long over the global options and those of the command. */
#include "parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { OPT_JSON = 1000, OPT_NO_HEADER, OPT_NO_WAIT, OPT_WAIT, OPT_TIMEOUT, OPT_COLOR, OPT_LANG, OPT_COMMAND = 2000 };

static const struct option global_options[] = {
    {"socket", required_argument, NULL, 'S'},
    {"json", no_argument, NULL, OPT_JSON},
    {"quiet", no_argument, NULL, 'q'},
    {"no-header", no_argument, NULL, OPT_NO_HEADER},
    {"yes", no_argument, NULL, 'y'},
    {"dry-run", no_argument, NULL, 'n'},
    {"no-wait", no_argument, NULL, OPT_NO_WAIT},
    {"wait", no_argument, NULL, OPT_WAIT},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"color", required_argument, NULL, OPT_COLOR},
    {"lang", required_argument, NULL, OPT_LANG},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
};
#define SHORT_OPTIONS ":S:qynhV"

const struct command *command_find(const char *noun, const char *verb)
{
    for (const struct command *const *table = command_tables; *table; table++)
        for (const struct command *c = *table; c->noun; c++)
            if (strcmp(c->noun, noun) == 0 && (verb ? c->verb && strcmp(c->verb, verb) == 0 : !c->verb))
                return c;
    return NULL;
}

bool noun_known(const char *noun)
{
    for (const struct command *const *table = command_tables; *table; table++)
        for (const struct command *c = *table; c->noun; c++)
            if (strcmp(c->noun, noun) == 0)
                return true;
    return false;
}

static const char *nearest_word(const char *word, const char *noun)
{
    const char *words[256];
    size_t n = 0;
    for (const struct command *const *table = command_tables; *table; table++)
        for (const struct command *c = *table; c->noun && n < ARRAY_LEN(words); c++) {
            if (!noun)
                words[n++] = c->noun;
            else if (strcmp(c->noun, noun) == 0 && c->verb)
                words[n++] = c->verb;
        }
    return text_nearest(word, words, n);
}

bool cli_color_wanted(void)
{
    const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(none && *none) && !(term && strcmp(term, "dumb") == 0);
}

static int set_timeout(struct cli *cli, const char *text)
{
    char *end;
    double seconds = strtod(text, &end);
    if (end == text || (*end && strcmp(end, "s") != 0) || seconds < 0)
        return cli_fail(cli, EXIT_USAGE, "--timeout %s: must be a number of seconds", text);
    cli->timeout_ms = (int64_t)(seconds * 1000);
    return EXIT_DONE;
}

/* One option that getopt has found; EXIT_DONE to go on, -1 for --help, -2 for --version. */
static int take_option(struct cli *cli, int found, const char *value)
{
    switch (found) {
    case 'S':
        cli->socket = value;
        return EXIT_DONE;
    case OPT_JSON:
        cli->json = true;
        return EXIT_DONE;
    case 'q':
        cli->quiet = true;
        return EXIT_DONE;
    case OPT_NO_HEADER:
        cli->no_header = true;
        return EXIT_DONE;
    case 'y':
        cli->yes = true;
        return EXIT_DONE;
    case 'n':
        cli->dry_run = true;
        return EXIT_DONE;
    case OPT_NO_WAIT:
        cli->no_wait = true;
        return EXIT_DONE;
    case OPT_WAIT:
        cli->no_wait = false;
        return EXIT_DONE;
    case OPT_TIMEOUT:
        return set_timeout(cli, value);
    case OPT_COLOR:
        if (strcmp(value, "auto") != 0 && strcmp(value, "always") != 0 && strcmp(value, "never") != 0)
            return cli_fail(cli, EXIT_USAGE, "--color %s: must be auto, always or never", value);
        cli->color = strcmp(value, "always") == 0 || (strcmp(value, "never") != 0 && cli_color_wanted());
        return EXIT_DONE;
    case OPT_LANG:
        cli->lang = value;
        return EXIT_DONE;
    case 'h':
        return PARSE_HELP;
    case 'V':
        return PARSE_VERSION;
    default:
        cli->values[found - OPT_COMMAND] = value ? value : "";
        return EXIT_DONE;
    }
}

static int wrong_option(struct cli *cli, int found, const char *word)
{
    char letter[3] = {'-', (char)optopt, 0};
    bool is_letter = word[0] != '-' || word[1] != '-';
    return cli_fail(cli, EXIT_USAGE, "%s \"%s\"%s; try \"%s --help\"",
                    found == ':' ? "option" : "unknown or misused option", is_letter && optopt ? letter : word,
                    found == ':' ? " needs a value" : "", cli->program);
}

void parse_options_of(const struct command *command, struct option out[PARSE_MAX_OPTIONS])
{
    _Static_assert(ARRAY_LEN(global_options) + CLI_MAX_OPTIONS < PARSE_MAX_OPTIONS, "room for the end");
    size_t n = ARRAY_LEN(global_options);
    memcpy(out, global_options, sizeof global_options);
    const struct cli_option *own = command ? command->options : NULL;
    for (int i = 0; own && own[i].name && i < CLI_MAX_OPTIONS; i++)
        out[n++] = (struct option){own[i].name, own[i].arg ? required_argument : no_argument, NULL, OPT_COMMAND + i};
    out[n] = (struct option){NULL, 0, NULL, 0};
}

static int parse_options(struct cli *cli, const char *short_options, int argc, char **argv)
{
    struct option all[PARSE_MAX_OPTIONS];
    parse_options_of(cli->command, all);
    int found;
    opterr = 0; /* said below, as --json where that is asked for */
    while ((found = getopt_long(argc, argv, short_options, all, NULL)) != -1) {
        if (found == '?' || found == ':')
            return wrong_option(cli, found, argv[optind - 1]);
        int rc = take_option(cli, found, optarg);
        if (rc != EXIT_DONE)
            return rc;
    }
    return EXIT_DONE;
}

static int unknown_word(struct cli *cli, const char *noun, const char *verb)
{
    const char *near = verb ? nearest_word(verb, noun) : nearest_word(noun, NULL);
    return cli_fail(cli, EXIT_USAGE, "unknown command \"%s%s%s\"%s%s%s; see \"%s --help\"", noun, verb ? " " : "",
                    verb ? verb : "", near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "",
                    cli->program);
}

static int check_args(struct cli *cli)
{
    const struct command *c = cli->command;
    if (cli->n_args >= c->min_args && (c->max_args < 0 || cli->n_args <= c->max_args))
        return EXIT_DONE;
    return cli_fail(cli, EXIT_USAGE, "usage: %s %s%s%s %s", cli->program, c->noun, c->verb ? " " : "",
                    c->verb ? c->verb : "", c->args);
}

int parse_command(struct cli *cli, int argc, char **argv, const char **noun_out, const char **verb_out)
{
    optind = 1;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        cli->json |= strcmp(argv[i], "--json") == 0; /* also for what is wrong before it */
    int rc = parse_options(cli, "+" SHORT_OPTIONS, argc, argv);
    if (rc != EXIT_DONE)
        return rc;
    if (optind >= argc)
        return PARSE_HELP;
    const char *noun = argv[optind];
    *noun_out = noun;
    int used = optind + 1;
    cli->command = command_find(noun, NULL);
    if (!cli->command) {
        if (!noun_known(noun))
            return unknown_word(cli, noun, NULL);
        if (used >= argc || argv[used][0] == '-')
            return used < argc && strcmp(argv[used], "-h") != 0 && strcmp(argv[used], "--help") != 0
                       ? cli_fail(cli, EXIT_USAGE, "\"%s\" needs a verb; see \"%s %s --help\"", noun, cli->program,
                                  noun)
                       : PARSE_HELP;
        *verb_out = argv[used];
        cli->command = command_find(noun, argv[used]);
        if (!cli->command)
            return unknown_word(cli, noun, argv[used]);
        used++;
    }
    /* getopt starts over on what follows the verb; argv[used - 1] takes the place of the program's name. */
    optind = 0;
    rc = parse_options(cli, SHORT_OPTIONS, argc - used + 1, argv + used - 1);
    if (rc != EXIT_DONE)
        return rc;
    for (int i = optind; i < argc - used + 1; i++) {
        if (cli->n_args == CLI_MAX_ARGS)
            return cli_fail(cli, EXIT_USAGE, "more than %d arguments", CLI_MAX_ARGS);
        cli->args[cli->n_args++] = argv[used - 1 + i];
    }
    return check_args(cli);
}

const char *cli_value(const struct cli *cli, const char *option)
{
    const struct cli_option *own = cli->command->options;
    for (int i = 0; own && own[i].name && i < CLI_MAX_OPTIONS; i++)
        if (strcmp(own[i].name, option) == 0)
            return cli->values[i];
    ASSERT(!"option is not in the command's table");
    return NULL;
}
