#ifndef PARSE_H
#define PARSE_H
/* From argv to a command of the table. */
#include "cli.h"

enum { PARSE_HELP = -1, PARSE_VERSION = -2 };

/* Fills command, args and option values. An exit code, PARSE_HELP (noun and verb tell of what) or PARSE_VERSION. */
int parse_command(struct cli *cli, int argc, char **argv, const char **noun_out, const char **verb_out);
const struct command *command_find(const char *noun, const char *verb);
bool noun_known(const char *noun);
#endif
