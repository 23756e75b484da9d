#ifndef PROCESS_H
#define PROCESS_H
/* What tielined does as a process of its machine: hygiene, the sealing key, its directories and programs, readiness. */
#include <sys/types.h>

#include "arena.h"
#include "config.h"
#include "seal.h"

enum { DAEMON_EXIT_CONFIG = 7 };

/* No core dumps, no debugger, files closed to others. */
int daemon_harden(struct err *e);
/* The systemd credential "tieline.key" when there is one, else [core] key_file. */
int daemon_key(const struct config *c, struct seal_key *out, struct err *e);
/* Makes and checks the state directory: ours, 0700. */
int daemon_state_dir(const char *path, struct err *e);
/* gid of [api] group; UINT32_MAX: none is configured. TL_E_CONFIG: no such group. */
int daemon_group(const struct config *c, uint32_t *gid, struct err *e);
bool daemon_in_group(uid_t user, gid_t group); /* by the system's lists */
void daemon_ready(void);                       /* tells systemd (NOTIFY_SOCKET), if it asked */
void daemon_stopping(void);
/* Path of tieline-worker: [core] worker, else beside this program, else the libexec directory. */
const char *daemon_worker_path(const struct config *c, struct arena *a);
const char *daemon_connector_dir(const struct config *c);
#endif
