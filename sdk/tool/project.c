#include "project.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "buf.h"

void project_done(struct project *p)
{
    ini_done(&p->ini);
    arena_done(&p->arena);
}

static const char *folder_of(struct arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == path ? "/" : arena_fmt(a, "%.*s", (int)(slash - path), path);
}

/* Beside this program in a build tree, else where it is installed. */
static const char *find_worker(struct arena *a)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n > 0) {
        self[n] = 0;
        const char *beside = arena_fmt(a, "%s/tieline-worker", folder_of(a, self));
        if (access(beside, X_OK) == 0)
            return beside;
        const char *installed = arena_fmt(a, "%s/../" TIELINE_LIBEXEC "/tieline/tieline-worker", folder_of(a, self));
        if (access(installed, X_OK) == 0)
            return installed; /* the tree may have been moved */
    }
    return TIELINE_LIBEXEC_DIR "/tieline-worker";
}

static int read_config(struct project *p, const char *config, struct err *e)
{
    const char *tried[] = {config, arena_fmt(&p->arena, "%s/check.ini", folder_of(&p->arena, p->so)), "check.ini"};
    for (size_t i = 0; i < ARRAY_LEN(tried) && !p->config; i++)
        if (tried[i] && (i == 0 || access(tried[i], R_OK) == 0))
            p->config = tried[i];
    if (!p->config)
        return TL_OK;
    char *real = realpath(p->config, NULL);
    if (!real) {
        err_set(e, TL_E_NOT_FOUND, "no file \"%s\"", p->config);
        err_hint(e, "name it with --config FILE");
        return TL_E_NOT_FOUND;
    }
    p->directory = folder_of(&p->arena, arena_str(&p->arena, str_of(real)).p);
    free(real);
    int rc = ini_read_file(&p->ini, p->config, e);
    if (!rc && p->ini.findings)
        rc = err_set(e, TL_E_CONFIG, "%s:%d: %s", p->config, p->ini.findings->line, p->ini.findings->text);
    return rc;
}

static int known_sections(struct project *p, struct err *e)
{
    static const char *const known[] = {"vendor", "endpoint", "check", "bypass"};
    for (const struct ini_entry *x = p->ini.first; x; x = x->next) {
        bool ok = false;
        for (size_t i = 0; i < ARRAY_LEN(known); i++)
            ok = ok || strcmp(x->section, known[i]) == 0;
        if (!ok) {
            err_set(e, TL_E_CONFIG, "%s:%d: there is no section [%s]", x->file, x->line, x->section);
            err_hint(e, "[vendor], [endpoint], [check], [bypass]");
            return TL_E_CONFIG;
        }
    }
    return TL_OK;
}

int project_load(struct project *p, const char *so, const char *config, struct err *e)
{
    char *real = realpath(so, NULL);
    if (!real) {
        err_set(e, TL_E_NOT_FOUND, "no file \"%s\"", so);
        err_hint(e, "build the connector first");
        return TL_E_NOT_FOUND;
    }
    p->so = arena_str(&p->arena, str_of(real)).p;
    free(real);
    str name = str_of(strrchr(p->so, '/') + 1);
    if (!str_ends(name, STR(".so")))
        return err_set(e, TL_E_CONFIG, "\"%s\" is not called NAME.so, as a connector is", so);
    p->id = arena_fmt(&p->arena, "%.*s", (int)name.n - 3, name.p);
    p->worker = find_worker(&p->arena);
    int rc = read_config(p, config, e);
    return rc ? rc : known_sections(p, e);
}

const char *project_get(const struct project *p, const char *section, const char *key)
{
    const char *found = NULL;
    for (const struct ini_entry *x = p->ini.first; x; x = x->next)
        if (strcmp(x->section, section) == 0 && strcmp(x->key, key) == 0)
            found = x->value;
    return found;
}

/* ---- values */

static bool word_add(struct buf *out, const struct vendor *v, str name, struct arena *a)
{
    for (uint32_t i = 0; i < v->n_words; i++) {
        if (str_eq(v->words[i].name, name)) {
            buf_str(out, v->words[i].value);
            return true;
        }
    }
    const char *given = getenv(arena_str(a, name).p);
    if (given)
        buf_text_add(out, given);
    return given != NULL;
}

static int expand(const struct ini_entry *x, const struct vendor *v, struct arena *a, str *out, struct err *e)
{
    AUTO(buf_done) struct buf b = {.max = INI_MAX_FILE_BYTES};
    for (const char *at = x->value; *at;) {
        const char *open = strstr(at, "${"), *close = open ? strchr(open, '}') : NULL;
        if (!close) {
            buf_text_add(&b, at);
            break;
        }
        buf_add(&b, at, (size_t)(open - at));
        str name = str_n(open + 2, (size_t)(close - open - 2));
        if (!word_add(&b, v, name, a)) {
            err_set(e, TL_E_CONFIG, "%s:%d: nothing is called \"%.*s\"", x->file, x->line, STR_FMT(name));
            err_hint(e, "neither the first line of the vendor nor the environment has it");
            return TL_E_CONFIG;
        }
        at = close + 1;
    }
    *out = arena_str(a, buf_lent(&b));
    return TL_OK;
}

static int read_file(const char *path, struct arena *a, str *out, struct err *e)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return err_errno(e, "cannot read \"%s\"", path);
    char text[16384];
    size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    *out = arena_str(a, str_trim(str_n(text, n)));
    return TL_OK;
}

int project_options(const struct project *p, const struct vendor *v, struct arena *a, tl_pair **out, uint32_t *n_out,
                    struct err *e)
{
    uint32_t n = 0;
    for (const struct ini_entry *x = p->ini.first; x; x = x->next)
        n += strcmp(x->section, "endpoint") == 0;
    tl_pair *pairs = arena_array(a, tl_pair, n + 1);
    n = 0;
    for (const struct ini_entry *x = p->ini.first; x; x = x->next) {
        if (strcmp(x->section, "endpoint") != 0)
            continue;
        str value;
        int rc =
            strncmp(x->value, "@file:", 6) == 0 ? read_file(x->value + 6, a, &value, e) : expand(x, v, a, &value, e);
        if (rc)
            return rc;
        pairs[n++] = (tl_pair){str_of(x->key), value};
    }
    *out = pairs;
    *n_out = n;
    return TL_OK;
}
