#ifndef ARGUMENTS_H
#define ARGUMENTS_H
/* The command line of tielined. */
#include <stdbool.h>

struct arguments {
    const char *config; /* NULL: where it is looked for by itself */
    bool test, dump, doctor;
};
/* Exit code to leave with, after all that was asked for was done, or -1 to go on. */
int arguments_parse(int argc, char **argv, struct arguments *out);
#endif
