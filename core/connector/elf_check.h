#ifndef ELF_CHECK_H
#define ELF_CHECK_H
/* Is this file a whole ELF file? The dynamic linker says it badly or, of one that is cut short, by a signal. [any] */
#include "err.h"

int elf_check(const char *path, const char *id, struct err *e); /* TL_E_UNSUPPORTED; one that cannot be read is fine */
#endif
