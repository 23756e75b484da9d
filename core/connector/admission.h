#ifndef ADMISSION_H
#define ADMISSION_H
/* May this file be loaded? Checked on the open descriptor before any of its code runs: a name by rule, a regular file
 * of root's, writable by nobody else, no symbolic link, every directory above it likewise. What was checked is copied,
 * hashed on the way, to <state>/connectors/NAME-<sha256>.so, and only that copy is ever opened: a source that changes
 * between check and copy is refused, and changing it afterwards changes nothing. With development = yes root's part may
 * be played by the user of this process. [any]
 */
#include <stdbool.h>
#include <sys/stat.h>

#include "err.h"
#include "grade.h"
#include "str.h"

enum { CONNECTOR_NAME_MAX = 32, STAGED_PATH_MAX = 4096, CONNECTOR_FILE_MAX = 64 << 20 };

struct staged {
    char source[STAGED_PATH_MAX]; /* where it came from */
    char path[STAGED_PATH_MAX];   /* the copy */
    char sha256[65];
    enum grade grade;   /* what the file beside the source says of these bytes */
    struct stat copied; /* what the copy was when it was made */
};

/* A source that passed every check on its open descriptor, and is not copied yet. */
struct admitted {
    int fd; /* -1: none */
    struct stat checked;
    char source[STAGED_PATH_MAX];
    char name[CONNECTOR_NAME_MAX + 1];
};
void admitted_done(struct admitted *a);
AUTO_DONE(struct admitted, admitted_done)

/* [a-z0-9_]{1,32} */
bool connector_name_ok(str name);

/* TL_E_CONFIG (no name), TL_E_NOT_FOUND, TL_E_DENIED (owner, mode, link, kind of file). */
int admission_check(struct admitted *out, const char *connector_dir, const char *name, bool development, struct err *e);
/* TL_E_DENIED (it was written to since it was checked), TL_E_TEMPORARY or E_STORAGE (cannot be copied). */
int admission_copy(struct staged *out, struct admitted *a, const char *state_dir, struct err *e);
/* Both. */
int admission_stage(struct staged *out, const char *connector_dir, const char *state_dir, const char *name,
                    bool development, struct err *e);
/* Right before the copy is opened: TL_E_DENIED when it is not the one that was made. */
int admission_recheck(const struct staged *s, struct err *e);
/* Removes staged copies of the name but those kept (sha256 or NULL). Best effort. */
void admission_sweep(const char *state_dir, const char *name, const char *keep_sha256, const char *also_sha256);
#endif
