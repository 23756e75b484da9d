/* A connector looked at without being loaded: see runtime_verify in runtime.h. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime_int.h"

void verified_done(struct verified *v)
{
    v->manifest = manifest_free(v->manifest);
}

/* Where the file is meant to be and what it is called there. */
struct place {
    char dir[4096], name[256];
};

static int split_path(const char *path, struct place *out, struct err *e)
{
    const char *slash = strrchr(path, '/');
    size_t n = strlen(slash + 1);
    if (path[0] != '/')
        return err_set(e, TL_E_CONFIG, "\"%s\" is no absolute path", path);
    if (n > 3 && strcmp(slash + 1 + n - 3, ".la") == 0) {
        err_set(e, TL_E_DENIED, "\"%s\" is a libtool archive, which is never loaded", path);
        err_hint(e, "name the module itself, NAME.so");
        return TL_E_DENIED;
    }
    if (n <= 3 || n - 3 >= sizeof out->name || strcmp(slash + 1 + n - 3, ".so") != 0) {
        err_set(e, TL_E_CONFIG, "\"%s\" is no file of a connector", path);
        err_hint(e, "it is called NAME.so, and NAME is what the connector calls itself");
        return TL_E_CONFIG;
    }
    snprintf(out->dir, sizeof out->dir, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    snprintf(out->name, sizeof out->name, "%.*s", (int)(n - 3), slash + 1);
    return TL_OK;
}

static int find_place(const struct runtime_config *config, const char *what, struct place *out, struct err *e)
{
    if (strchr(what, '/'))
        return split_path(what, out, e);
    snprintf(out->dir, sizeof out->dir, "%s", config->connector_dir);
    snprintf(out->name, sizeof out->name, "%s", what);
    return TL_OK;
}

static int shake_hands(const struct runtime_config *config, const struct staged *staged, const char *name,
                       struct manifest **out, struct err *e)
{
    AUTO(manifest_free) struct manifest *m = NULL;
    struct worker *w = NULL;
    const struct worker_wish wish = {.program = config->worker_path,
                                     .directory = config->state_dir,
                                     .id = name,
                                     .cell = {.module = staged->path, .memory = config->worker_memory}};
    int rc = worker_start(&w, &m, &wish, e);
    if (rc)
        return rc;
    worker_stop(w);
    worker_free(w);
    rc = rt_admit_manifest(m, e);
    if (!rc)
        *out = take(m);
    return rc;
}

/* Copies of a check lie apart from those that are loaded, so that neither is in the other's way. */
int runtime_verify(const struct runtime_config *config, const char *what, struct verified *out, struct err *e)
{
    struct place at = {.dir = ""};
    AUTO(admitted_done) struct admitted a = {.fd = -1};
    int rc = find_place(config, what, &at, e);
    if (!rc)
        rc = admission_check(&a, at.dir, at.name, config->development, e);
    if (rc)
        return rc;
    char scratch[STAGED_PATH_MAX - 512], copies[STAGED_PATH_MAX];
    if (snprintf(scratch, sizeof scratch, "%s/verify-XXXXXX", config->state_dir) >= (int)sizeof scratch)
        return err_set(e, TL_E_CONFIG, "the name of the state directory is too long");
    if (!mkdtemp(scratch))
        return err_errno(e, "cannot make a directory in \"%s\"", config->state_dir);
    struct staged staged;
    struct verified v = {.manifest = NULL};
    rc = admission_copy(&staged, &a, scratch, e);
    if (!rc)
        rc = shake_hands(config, &staged, at.name, &v.manifest, e);
    admission_sweep(scratch, at.name, NULL, NULL);
    snprintf(copies, sizeof copies, "%s/connectors", scratch);
    (void)rmdir(copies);
    (void)rmdir(scratch);
    if (rc)
        return rc;
    snprintf(v.source, sizeof v.source, "%s", staged.source);
    snprintf(v.sha256, sizeof v.sha256, "%s", staged.sha256);
    v.grade = staged.grade;
    *out = v;
    return TL_OK;
}
