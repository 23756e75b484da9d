/* tieline-worker: a connector's own process. Started by tielined with descriptor 3; of no use by hand. */
#include <stdio.h>
#include <sys/socket.h>

#include "worker.h"

int main(void)
{
    int type;
    socklen_t n = sizeof type;
    if (getsockopt(3, SOL_SOCKET, SO_TYPE, &type, &n) < 0) {
        fputs("tieline-worker is started by tielined\n", stderr);
        return 2;
    }
    return worker_main(3);
}
