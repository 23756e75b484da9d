#include "cleanup.h"

#include <stdio.h>
#include <stdlib.h>

void assert_failed(const char *cond, const char *file, int line)
{
    fprintf(stderr, "fatal: %s:%d: assertion \"%s\" failed\n", file, line, cond);
    fflush(stderr);
    abort();
}
