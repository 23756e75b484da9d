#ifndef VFS_SHIM_H
#define VFS_SHIM_H
/* A SQLite VFS over the real one that can fail the k-th write or sync, write short, and tell what a power cut would
 * leave: everything written since a file's last sync is undone. One set of switches for the process; tests only. */
#include <stdbool.h>
#include <stdint.h>

#define SHIM_VFS "shim"

enum shim_fault { SHIM_NONE, SHIM_FULL, SHIM_IOERR, SHIM_SHORT };

struct shim {
    int64_t ops;     /* writes, truncates and syncs so far */
    int64_t fail_at; /* this one fails, and all after it while sticky; 0: never */
    enum shim_fault fault;
    bool sticky;
    int64_t failed;               /* how many did */
    void (*before_op)(void *arg); /* before each; may call shim_power_cut */
    void *arg;
};
extern struct shim shim;

void shim_register(void); /* also resets */
/* Writes into dir what database and write-ahead log would hold after a power cut now (dropping), or after a kill of
 * the process (not dropping), under the names they have; their directory does not matter. */
void shim_power_cut(const char *dir, bool drop_unsynced);
#endif
