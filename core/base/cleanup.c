#include "cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void assert_failed(const char *cond, const char *file, int line)
{
    fprintf(stderr, "fatal: %s:%d: assertion \"%s\" failed\n", file, line, cond);
    fflush(stderr);
    abort();
}
