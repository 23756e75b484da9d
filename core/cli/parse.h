#ifndef PARSE_H
#define PARSE_H
/* From argv to a command of the table. */
#include <getopt.h>

#include "cli.h"

enum { PARSE_HELP = -1, PARSE_VERSION = -2, PARSE_MAX_OPTIONS = 16 + CLI_MAX_OPTIONS };

/* Fills command, args and option values. An exit code, PARSE_HELP (noun and verb tell of what) or PARSE_VERSION. */
int parse_command(struct cli *cli, int argc, char **argv, const char **noun_out, const char **verb_out);
const struct command *command_find(const char *noun, const char *verb);
/* Options that count everywhere, then the command's own (command may be NULL), for getopt_long. */
void parse_options_of(const struct command *command, struct option out[PARSE_MAX_OPTIONS]);
bool noun_known(const char *noun);
#endif
