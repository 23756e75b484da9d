#ifndef GRADE_H
#define GRADE_H
/* What "tieline-sdk check" found of a connector, in a file beside it: NAME.grade says the grade and the SHA-256 of the
 * .so it was given to. It counts as long as the file is the very same; whoever may write there could write a connector
 * as well, so the hash is all the proof it needs. [any] */
#include "err.h"

enum grade { GRADE_NONE, GRADE_BRONZE, GRADE_SILVER, GRADE_GOLD };
const char *grade_name(enum grade g); /* "none", "bronze", "silver", "gold" */
/* so: path of the checked file. E_STORAGE and the like when it cannot be written. */
int grade_save(const char *so, enum grade g, struct err *e);
/* The grade of the file at so whose hash is sha256; GRADE_NONE: none was given to it. */
enum grade grade_read(const char *so, const char *sha256);
#endif
