/* The database of a simulation has one process at a time. Between connections of one process SQLite keeps account
 * itself; what it asks of the kernel besides, several locks a statement, is for other processes: a run without takes a
 * fifth less. */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdarg.h>

#include "life.h"

static int locks_nothing(int fd, int command, ...)
{
    va_list ap;
    va_start(ap, command);
    void *arg = va_arg(ap, void *);
    va_end(ap);
    if (command == F_SETLK)
        return 0;
    if (command == F_GETLK) {
        ((struct flock *)arg)->l_type = F_UNLCK;
        return 0;
    }
    return fcntl(fd, command, arg);
}

void lives_alone(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* as the store does, which comes too late after this */
    sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    vfs->xSetSystemCall(vfs, "fcntl", (sqlite3_syscall_ptr)(void (*)(void))locks_nothing);
}
