#ifndef TIELINED_H
#define TIELINED_H
/* The daemon's program as a tool: it knows the connectors and the machine, and needs no daemon that runs. */
#include "cli.h"

/* Becomes "tielined MODE -c FILE": beside this program in a build tree, in sbin when installed. Returns when there is
 * none. */
void tielined_become(struct cli *cli, const char *mode, const char *file);
/* Runs fn in a child and keeps what it prints, with errors: on standard error, too. Its exit code. */
int tielined_capture(struct cli *cli, int (*fn)(struct cli *cli, const char *file), const char *file, bool errors,
                     struct buf *out);
#endif
