#ifndef HIDDEN_H
#define HIDDEN_H
/* A terminal that does not show what is typed; it shows again however the program ends. */
#include <stdbool.h>
#include <stddef.h>

#include "cli.h"

/* False when standard input is no terminal: then there is nothing to hide. Signals that end the program show it first.
 */
bool hidden_begin(void);
void hidden_end(void);
/* A secret without echo, or all of standard input where that is no terminal; never from the command line. The line end
 * is cut. EXIT_USAGE when there is none. */
int hidden_read(struct cli *cli, const char *prompt, char *out, size_t size);
#endif
