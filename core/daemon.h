#ifndef DAEMON_H
#define DAEMON_H
/* What tielined does around the wiring: process hygiene, the sealing key, readiness. */
#include <sys/types.h>

#include "config.h"
#include "seal.h"

enum { DAEMON_EXIT_CONFIG = 7 };

/* tielined -t and -T: checks the configuration, and the options of endpoints against their connectors, which are asked
 * in a child process. Prints every finding; dump: also the values that count. Exit code 0 or 7. */
int daemon_test(struct config *c, bool dump);

/* No core dumps, no debugger, files closed to others, signals left to one thread. */
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
const char *daemon_worker_path(const struct config *c, char *space, size_t size);
const char *daemon_connector_dir(const struct config *c, char *space, size_t size);
#endif
