/* Reading INI text: see ini.h. */
#include "ini_read.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "unicode.h"

struct reading {
    struct ini *ini;
    const char *file;
    str rest;
    int line;                  /* of the line inih has now */
    bool in_section;           /* a header was seen and was usable */
    bool skipping;             /* under a header that was reported: what follows it is not reported again */
    bool continuation;         /* the line inih has now is indented under an entry */
    struct ini_entry *current; /* target of continuation lines */
};

void ini_done(struct ini *ini)
{
    arena_done(&ini->arena);
    *ini = (struct ini){0};
}

void ini_find(struct ini *ini, enum finding_level level, const char *file, int line, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    AUTO(buf_done) struct buf text = {.max = 4096};
    AUTO(buf_done) struct buf raw = {.max = 4096};
    buf_fmtv(&raw, fmt, ap);
    va_end(ap);
    text_visible(&text, buf_lent(&raw)); /* it quotes the file */
    struct finding *f = arena_new(&ini->arena, struct finding);
    *f = (struct finding){level, file, line, arena_str(&ini->arena, buf_lent(&text)).p, NULL};
    if (ini->last_finding)
        ini->last_finding->next = f;
    else
        ini->findings = f;
    ini->last_finding = f;
    if (level == FINDING_ERROR)
        ini->n_errors++;
    else
        ini->n_warnings++;
}

static void add_header(struct reading *r, str text)
{
    struct ini *ini = r->ini;
    struct ini_header *h = arena_new(&ini->arena, struct ini_header);
    *h = (struct ini_header){.file = r->file, .line = r->line, .text = arena_str(&ini->arena, text).p};
    if (ini->last_header)
        ini->last_header->next = h;
    else
        ini->headers = h;
    ini->last_header = h;
}

/* A line that begins with "[". */
static bool header_usable(struct reading *r, str body)
{
    const char *close = memchr(body.p, ']', body.n);
    r->in_section = false;
    r->skipping = true;
    r->current = NULL;
    if (!close) {
        ini_find(r->ini, FINDING_ERROR, r->file, r->line, "section header without \"]\"");
        return false;
    }
    size_t name = (size_t)(close - body.p) - 1;
    if (name > INI_MAX_HEADER_BYTES) {
        ini_find(r->ini, FINDING_ERROR, r->file, r->line, "section header of %zu bytes: at most %d are allowed", name,
                 INI_MAX_HEADER_BYTES);
        return false;
    }
    add_header(r, str_n(body.p + 1, name));
    r->in_section = true;
    r->skipping = false;
    return true;
}

/* What inih would take silently in the wrong way. False: the line is reported and left out. */
static bool line_usable(struct reading *r, str line)
{
    str body = str_trim(line);
    if (line.n >= INI_MAX_LINE_BYTES) {
        ini_find(r->ini, FINDING_ERROR, r->file, r->line, "line of %zu bytes: at most %d are read", (size_t)line.n,
                 INI_MAX_LINE_BYTES - 1);
        return false;
    }
    if (body.n == 0 || body.p[0] == ';' || body.p[0] == '#')
        return true;
    if (memchr(body.p, 0, body.n)) {
        ini_find(r->ini, FINDING_ERROR, r->file, r->line, "line holds a NUL byte");
        return false;
    }
    if (body.p[0] == '[')
        return header_usable(r, body);
    r->continuation = r->current && (line.p[0] == ' ' || line.p[0] == '\t');
    if (r->continuation)
        return true;
    if (!memchr(body.p, '=', body.n)) {
        ini_find(r->ini, FINDING_ERROR, r->file, r->line, "neither a [section] nor \"key = value\": \"%.60s\"",
                 arena_str(&r->ini->arena, body).p);
        return false;
    }
    if (body.p[0] == '=') {
        ini_find(r->ini, FINDING_ERROR, r->file, r->line, "value without a key");
        return false;
    }
    return true;
}

/* fgets for inih: one line at a time, an empty one in place of what cannot be used. */
static char *next_line(char *out, int size, void *stream)
{
    struct reading *r = stream;
    if (r->rest.n == 0)
        return NULL;
    const char *end = memchr(r->rest.p, '\n', r->rest.n);
    str line = {r->rest.p, end ? (uint64_t)(end - r->rest.p) : r->rest.n};
    uint64_t used = line.n + (end ? 1 : 0);
    r->rest = (str){r->rest.p + used, r->rest.n - used};
    r->line++;
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    if (!line_usable(r, line) || line.n + 2 > (uint64_t)size) {
        out[0] = '\n';
        out[1] = 0;
        return out;
    }
    memcpy(out, line.p, line.n);
    out[line.n] = '\n';
    out[line.n + 1] = 0;
    return out;
}

static void add_entry(struct reading *r, const char *section, const char *key, const char *value)
{
    struct ini *ini = r->ini;
    struct ini_entry *entry = arena_new(&ini->arena, struct ini_entry);
    *entry = (struct ini_entry){
        .file = r->file,
        .line = r->line,
        .section = arena_str(&ini->arena, str_of(section)).p,
        .key = arena_str(&ini->arena, str_of(key)).p,
        .value = arena_str(&ini->arena, str_of(value)).p,
    };
    if (ini->last)
        ini->last->next = entry;
    else
        ini->first = entry;
    ini->last = entry;
    r->current = entry;
}

static int on_entry(void *user, const char *section, const char *key, const char *value)
{
    struct reading *r = user;
    if (r->skipping)
        return 1;
    if (!r->in_section) {
        ini_find(r->ini, FINDING_ERROR, r->file, r->line, "\"%s\" stands before any usable [section]", key);
        return 1;
    }
    if (r->continuation) {
        r->current->value = arena_fmt(&r->ini->arena, "%s %s", r->current->value, value);
        return 1;
    }
    add_entry(r, section, key, value);
    return 1;
}

/* A key given twice in one file is a slip, never a wish. */
static void report_repeated(struct ini *ini, const char *file)
{
    for (const struct ini_entry *b = ini->first; b; b = b->next) {
        const struct ini_entry *a = ini->first;
        while (a != b && (a->file != file || strcmp(a->key, b->key) != 0 || strcmp(a->section, b->section) != 0))
            a = a->next;
        if (a != b && b->file == file)
            ini_find(ini, FINDING_ERROR, file, b->line, "[%s] %s is given twice; first in line %d", b->section, b->key,
                     a->line);
    }
}

void ini_read_text(struct ini *ini, const char *name, str text)
{
    if (str_starts(text, STR("\xef\xbb\xbf"))) /* the mark some editors put in front of UTF-8 */
        text = str_n(text.p + 3, text.n - 3);
    /* Process-wide settings of inih; nobody else uses it. */
    ini_use_stack = false;
    ini_allow_realloc = false;
    ini_initial_alloc = INI_MAX_LINE_BYTES + 4;
    ini_max_line = INI_MAX_LINE_BYTES + 4;
    ini_allow_inline_comments = false;
    ini_allow_no_value = false;

    struct reading r = {.ini = ini, .file = arena_str(&ini->arena, str_of(name)).p, .rest = text};
    int rc = ini_parse_stream(next_line, &r, on_entry, &r);
    if (rc != 0)
        ini_find(ini, FINDING_ERROR, r.file, rc > 0 ? rc : 0, "line cannot be read");
    report_repeated(ini, r.file);
}

static int read_all(int fd, const char *path, struct buf *out, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st))
        return err_errno(e, "cannot read \"%s\"", path);
    if (!S_ISREG(st.st_mode))
        return err_set(e, TL_E_CONFIG, "\"%s\" is not a regular file", path);
    for (;;) {
        char chunk[8192];
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_errno(e, "cannot read \"%s\"", path);
        if (got == 0)
            break;
        buf_add(out, chunk, (size_t)got);
    }
    if (out->full)
        return err_set(e, TL_E_CONFIG, "\"%s\" is larger than %d bytes", path, INI_MAX_FILE_BYTES);
    return TL_OK;
}

int ini_read_file(struct ini *ini, const char *path, struct err *e)
{
    struct err own = {0};
    struct err *use = e ? e : &own;
    AUTO(buf_done) struct buf text = {.max = INI_MAX_FILE_BYTES};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe is told, not waited for */
    int rc = fd < 0 ? err_errno(use, "cannot open \"%s\"", path) : read_all(fd, path, &text, use);
    if (fd >= 0)
        close(fd);
    if (rc) {
        ini_find(ini, FINDING_ERROR, arena_str(&ini->arena, str_of(path)).p, 0, "%s", use->text);
        return rc;
    }
    ini_read_text(ini, path, buf_lent(&text));
    return TL_OK;
}
