/* tieline-sdk new: a connector of one's own to begin with: the toy example under another name, and the template around
 * it. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admission.h"
#include "buf.h"
#include "tool.h"

static const char usage[] =
    "Usage: tieline-sdk new NAME [DIRECTORY]\n"
    "\n"
    "Makes a directory (default: NAME) with a whole connector, a fake vendor it syncs with at once, its tests and a\n"
    "README that says what to do next. NAME: small letters, digits and \"_\".\n";

struct project_new {
    const char *name, *to;
    char prefix[PATH_MAX]; /* where this program is installed */
    char sdk[PATH_MAX];    /* <prefix>/share/tieline/sdk */
};

/* The prefix this program runs from, so that an installed tree may be moved. */
static int find_prefix(struct project_new *n, struct err *e)
{
    char self[PATH_MAX];
    ssize_t got = readlink("/proc/self/exe", self, sizeof self - 1);
    self[got > 0 ? got : 0] = 0;
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(self, '/');
        if (slash)
            *slash = 0;
    }
    snprintf(n->prefix, sizeof n->prefix, "%.*s", PATH_MAX - 64, self);
    snprintf(n->sdk, sizeof n->sdk, "%.*s/share/tieline/sdk", PATH_MAX - 64, self);
    if (access(n->sdk, R_OK) == 0)
        return TL_OK;
    err_set(e, TL_E_NOT_FOUND, "there is no template: no directory \"%s\"", n->sdk);
    err_hint(e, "install the SDK: cmake --install BUILD --component sdk, and run its tieline-sdk");
    return TL_E_NOT_FOUND;
}

static int read_all(const char *path, struct buf *out, struct err *e)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return err_errno(e, "cannot read \"%s\"", path);
    char piece[8192];
    for (size_t n; (n = fread(piece, 1, sizeof piece, f)) > 0;)
        buf_add(out, piece, n);
    fclose(f);
    return TL_OK;
}

/* Puts the name for "toy" and "Toy", and where things are installed for the words in @. */
static void fill(const struct project_new *n, str text, struct buf *out)
{
    AUTO(text_free) char *title = text_dup(n->name);
    if (title[0] >= 'a' && title[0] <= 'z')
        title[0] = (char)(title[0] - 'a' + 'A');
    AUTO(text_free) char *connectors = text_fmt("%s/" TIELINE_LIBDIR "/tieline/connectors", n->prefix);
    const struct {
        const char *old, *new;
    } words[] = {{"@PREFIX@", n->prefix}, {"@CONNECTORS@", connectors}, {"toy", n->name}, {"Toy", title}};
    for (size_t i = 0; i < text.n;) {
        size_t w = 0;
        while (w < ARRAY_LEN(words) && !str_starts(str_n(text.p + i, text.n - i), str_of(words[w].old)))
            w++;
        if (w == ARRAY_LEN(words)) {
            buf_char(out, text.p[i++]);
            continue;
        }
        buf_text_add(out, words[w].new);
        i += strlen(words[w].old);
    }
}

static int copy(const struct project_new *n, const char *folder, const char *file, const char *as, struct err *e)
{
    AUTO(buf_done) struct buf from = {0};
    AUTO(buf_done) struct buf to = {0};
    AUTO(text_free) char *source = text_fmt("%s/%s/%s", n->sdk, folder, file);
    AUTO(text_free) char *target = text_fmt("%s/%s", n->to, as);
    struct stat st = {0};
    int rc = read_all(source, &from, e);
    if (rc)
        return rc;
    fill(n, buf_lent(&from), &to);
    FILE *f = fopen(target, "wxe");
    if (!f)
        return err_errno(e, "cannot write \"%s\"", target);
    fwrite(to.p, 1, to.n, f);
    if (stat(source, &st) == 0 && (st.st_mode & S_IXUSR))
        fchmod(fileno(f), 0755);
    bool bad = ferror(f);
    if (fclose(f) || bad)
        return err_errno(e, "cannot write \"%s\"", target);
    return TL_OK;
}

static int make(struct project_new *n, struct err *e)
{
    static const char *const files[] = {"CMakeLists.txt", "README.md", "check.ini", "vendor.py", "try"};
    if (mkdir(n->to, 0777) != 0)
        return err_errno(e, "cannot make the directory \"%s\"", n->to);
    AUTO(text_free) char *source = text_fmt("%s.c", n->name);
    int rc = copy(n, "examples/toy", "toy.c", source, e);
    for (size_t i = 0; i < ARRAY_LEN(files) && !rc; i++)
        rc = copy(n, "template", files[i], files[i], e);
    return rc;
}

int command_new(int argc, char **argv)
{
    struct err e = {0};
    struct project_new n = {.name = argc > 0 ? argv[0] : "", .to = argc > 1 ? argv[1] : argc > 0 ? argv[0] : ""};
    if (argc > 0 && strcmp(argv[0], "--help") == 0) {
        fputs(usage, stdout);
        return EXIT_DONE;
    }
    if (argc < 1 || argc > 2 || !connector_name_ok(str_of(n.name))) {
        err_set(&e, E_USAGE, "\"%s\" is no name of a connector", n.name);
        err_hint(&e, "1 to %d small letters, digits and \"_\": tieline-sdk new acme", CONNECTOR_NAME_MAX);
        return tool_complain(&e);
    }
    int rc = find_prefix(&n, &e);
    if (!rc)
        rc = make(&n, &e);
    if (rc)
        return tool_complain(&e);
    printf("%s is there; next:\n"
           "  cd %s && cmake -S . -B build -DCMAKE_PREFIX_PATH=%s && cmake --build build\n"
           "  ctest --test-dir build     # its grade: tieline-sdk check build/connectors/%s.so --config check.ini\n"
           "  ./try                      # syncs it with the sandbox's help desk\n",
           n.to, n.to, n.prefix, n.name);
    return EXIT_DONE;
}
