#ifndef INI_FILE_H
#define INI_FILE_H
/* INI text as a list of entries with their file and line, and findings about what is wrong: all of them, not the first.
 * inih does the grammar (the only file that uses it); reading lines, their numbers and lengths are ours, because inih
 * cuts long lines and section names silently and does not tell line numbers to its handler. Pure but for reading files.
 * [any] */
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "err.h"
#include "str.h"

#define INI_MAX_LINE_BYTES   4096
#define INI_MAX_HEADER_BYTES 49 /* inih cuts longer section names */
#define INI_MAX_FILE_BYTES   (1 << 20)

struct ini_entry {
    const char *file; /* as the operator named it */
    int line;
    const char *section, *key, *value;
    struct ini_entry *next;
};

struct ini_header {
    const char *file;
    int line;
    const char *text; /* what stands between the brackets */
    struct ini_header *next;
};

enum finding_level { FINDING_WARNING, FINDING_ERROR };
struct finding {
    enum finding_level level;
    const char *file; /* may be NULL: about the whole configuration */
    int line;
    const char *text;
    struct finding *next;
};

struct ini {
    struct arena arena; /* owns all texts */
    struct ini_entry *first, *last;
    struct ini_header *headers, *last_header; /* usable ones, with and without entries */
    struct finding *findings, *last_finding;
    int n_errors, n_warnings;
};

void ini_done(struct ini *ini);
AUTO_DONE(struct ini, ini_done)
/* Adds a file's entries. TL_E_NOT_FOUND or TL_E_DENIED when the file cannot be read (also a finding). */
int ini_read_file(struct ini *ini, const char *path, struct err *e);
/* The same from text; name is what findings call it. */
void ini_read_text(struct ini *ini, const char *name, str text);
void ini_find(struct ini *ini, enum finding_level level, const char *file, int line, const char *fmt, ...)
    PRINTF_LIKE(5, 6);
#endif
