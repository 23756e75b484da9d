#ifndef ADMISSION_H
#define ADMISSION_H
/* May this file be loaded? Checked on the open descriptor before any of its code runs: a name by rule, a regular file
 * of root's, writable by nobody else, no symbolic link, every directory above it likewise. What was checked is copied,
 * hashed on the way, to <state>/connectors/NAME-<sha256>.so, and only that copy is ever opened: changing the source
 * after the check changes nothing. With development = yes root's part may be played by the user of this process. [any]
 */
#include <stdbool.h>

#include "err.h"
#include "str.h"

enum { CONNECTOR_NAME_MAX = 32, STAGED_PATH_MAX = 4096, CONNECTOR_FILE_MAX = 64 << 20 };

struct staged {
    char source[STAGED_PATH_MAX]; /* where it came from */
    char path[STAGED_PATH_MAX];   /* the copy */
    char sha256[65];
};

/* [a-z0-9_]{1,32} */
bool connector_name_ok(str name);

/* TL_E_CONFIG (no name), TL_E_NOT_FOUND, TL_E_DENIED (owner, mode, link, kind of file), TL_E_TEMPORARY or E_STORAGE
 * (cannot be copied). */
int admission_stage(struct staged *out, const char *connector_dir, const char *state_dir, const char *name,
                    bool development, struct err *e);
/* Removes staged copies of the name but the one kept (sha256 or NULL). Best effort. */
void admission_sweep(const char *state_dir, const char *name, const char *keep_sha256);
#endif
