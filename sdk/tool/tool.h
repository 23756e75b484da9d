#ifndef TOOL_H
#define TOOL_H
/* The commands of tieline-sdk; each gets the arguments behind its name and returns the exit status: 0 done, 1 the
 * connector failed, 2 wrong usage, 7 wrong configuration. */
#include "err.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_WRONG_USE = 2, EXIT_WRONG_CONFIG = 7 };

int command_new(int argc, char **argv);
int command_run(int argc, char **argv);
int command_check(int argc, char **argv);
/* "tieline-sdk: text" and the hint on stderr; the exit status that fits. */
int tool_complain(const struct err *e);
/* The value of an option "--name VALUE" or "--name=VALUE" at *i, which moves; NULL: it is another. */
const char *tool_value(int argc, char **argv, int *i, const char *name);
#endif
