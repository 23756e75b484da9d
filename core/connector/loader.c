#include "loader.h"

#include <dlfcn.h>
#include <ltdl.h>
#include <stdio.h>
#include <stdlib.h>

#include "admission.h"
#include "admit.h"
#include "codec.h"
#include "elf_check.h"

enum { MAJORS_KNOWN_TO_ASK = 10 };

/* ---- the bind-now loader ---- */

/* libltdl's vtable carries one pointer for us: the words of the last failure. Guarded by the one-thread rule. */
struct bind_now {
    char words[512];
    bool ready;
};
static struct bind_now bind_now;

static void keep_words(struct bind_now *b)
{
    const char *words = dlerror();
    snprintf(b->words, sizeof b->words, "%s", words ? words : "unknown reason");
}

static lt_module bind_now_open(lt_user_data data, const char *filename, lt_dladvise advise)
{
    (void)advise;
    struct bind_now *b = data;
    b->words[0] = 0;
    lt_module m = filename ? dlopen(filename, RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!m && filename)
        keep_words(b);
    return m;
}

static int bind_now_close(lt_user_data data, lt_module m)
{
    int rc = dlclose(m);
    if (rc)
        keep_words(data);
    return rc;
}

static void *bind_now_sym(lt_user_data data, lt_module m, const char *symbol)
{
    void *p = dlsym(m, symbol);
    if (!p)
        keep_words(data);
    return p;
}

/* Replaces the stock loader; once a process. */
static int bind_now_setup(struct err *e)
{
    if (bind_now.ready)
        return TL_OK;
    if (lt_dlinit() != 0)
        return err_set(e, TL_E_BUG, "libltdl cannot be started: %s", lt_dlerror());
    const lt_dlvtable *stock = lt_dlloader_find("lt_dlopen");
    if (!stock)
        return err_set(e, TL_E_BUG, "libltdl has no dlopen loader");
    static lt_dlvtable vtable;
    vtable = *stock;
    vtable.name = "tieline_bind_now";
    vtable.module_open = bind_now_open;
    vtable.module_close = bind_now_close;
    vtable.find_sym = bind_now_sym;
    vtable.dlloader_init = NULL;
    vtable.dlloader_exit = NULL;
    vtable.dlloader_data = &bind_now;
    vtable.priority = LT_DLLOADER_PREPEND;
    lt_dlvtable *removed = lt_dlloader_remove("lt_dlopen");
    if (!removed || lt_dlloader_add(&vtable) != 0)
        return err_set(e, TL_E_BUG, "libltdl's loader cannot be replaced");
    free(removed); /* handed over by libltdl, which allocated it */
    bind_now.ready = true;
    return TL_OK;
}

/* ---- the handshake ---- */

static int check_head(const tl_connector *t, const char *id, struct err *e)
{
    if (!t)
        return err_set(e, TL_E_BUG, "connector \"%s\": its entry returned nothing", id);
    if (t->magic != TL_MAGIC) {
        err_set(e, TL_E_UNSUPPORTED, "connector \"%s\" is no tieline connector: magic %08x instead of %08x", id,
                t->magic, TL_MAGIC);
        err_hint(e, "set .magic = TL_MAGIC in its table");
        return TL_E_UNSUPPORTED;
    }
    if (t->abi_major != TL_ABI_MAJOR) {
        err_set(e, TL_E_UNSUPPORTED, "connector \"%s\" speaks ABI %u.%u, this host %u.%u", id, t->abi_major,
                t->abi_minor, TL_ABI_MAJOR, TL_ABI_MINOR);
        err_hint(e, "build it against the header of this host");
        return TL_E_UNSUPPORTED;
    }
    if (t->abi_minor < TL_ABI_MINOR_OLDEST) {
        err_set(e, TL_E_UNSUPPORTED, "connector \"%s\" was built for ABI 0.%u, which 0.%u broke", id, t->abi_minor,
                TL_ABI_MINOR_OLDEST);
        err_hint(e, "build it against the header of this host");
        return TL_E_UNSUPPORTED;
    }
    /* Everything up to the options is in every 0.x; a smaller table was never released. */
    if (t->struct_size < offsetof(tl_connector, push) + sizeof t->push)
        return err_set(e, TL_E_BUG, "connector \"%s\": its table of %u bytes is too small", id, t->struct_size);
    return TL_OK;
}

static int check_id(const tl_connector *c, const char *id, struct err *e)
{
    if (!c->id)
        return err_set(e, TL_E_BUG, "connector \"%s\" has no id: the member is null", id);
    if (strcmp(c->id, id) == 0)
        return TL_OK;
    str own = str_of(c->id);
    if (!codec_utf8(own))
        return err_set(e, TL_E_BUG, "connector \"%s\" has an id that is not UTF-8 text", id);
    err_set(e, TL_E_BUG, "connector \"%s\" calls itself \"%.64s\"", id, c->id);
    if (connector_name_ok(own))
        err_hint(e, "id is the name of the file without .so");
    else
        err_hint(e, "id is the name of the file without .so: 1 to %d small letters, digits and \"_\"",
                 CONNECTOR_NAME_MAX);
    return TL_E_BUG;
}

static int check_members(const tl_connector *c, const char *id, struct err *e)
{
    int rc = check_id(c, id, e);
    if (rc)
        return rc;
    const struct {
        bool there;
        const char *name;
    } needed[] = {{c->name != NULL, "name"},   {c->version != NULL, "version"}, {c->open != NULL, "open"},
                  {c->close != NULL, "close"}, {c->check != NULL, "check"},     {c->discover != NULL, "discover"}};
    for (size_t i = 0; i < ARRAY_LEN(needed); i++)
        if (!needed[i].there)
            return err_set(e, TL_E_BUG, "connector \"%s\" lacks the member \"%s\"", id, needed[i].name);
    return admit_table(c, e) ? err_wrap(e, "connector \"%s\"", id) : TL_OK;
}

/* An extension's table starts with its size; adopts it into one of ours. *has stays false when there is none. */
static int adopt_extension(const tl_connector *c, const char *id, void *to, size_t size, size_t least, bool *has,
                           struct err *e)
{
    const void *from = c->extension ? c->extension(id) : NULL;
    if (!from)
        return TL_OK;
    if (admit_size(id, from, least, e))
        return err_wrap(e, "connector \"%s\", extension", c->id);
    uint32_t have;
    memcpy(&have, from, sizeof have);
    codec_adopt(to, size, from, have);
    *has = true;
    return TL_OK;
}

/* The checks on a table alone: magic, size, major, required members, id. */
static int module_adopt(struct module *m, const tl_connector *table, const char *expected_id, struct err *e)
{
    int rc = check_head(table, expected_id, e);
    if (rc)
        return rc;
    codec_adopt(&m->connector, sizeof m->connector, table, table->struct_size);
    rc = check_members(&m->connector, expected_id, e);
    if (rc)
        return rc;
    rc = adopt_extension(&m->connector, "tl.auth/1", &m->auth, sizeof m->auth, ADMIT_LEAST(tl_auth, token_error),
                         &m->has_auth, e);
    if (!rc)
        rc = adopt_extension(&m->connector, "tl.webhook/1", &m->webhook, sizeof m->webhook,
                             ADMIT_LEAST(tl_webhook, unsubscribe), &m->has_webhook, e);
    if (!rc)
        rc = adopt_extension(&m->connector, "tl.prepare/1", &m->prepare, sizeof m->prepare,
                             ADMIT_LEAST(tl_prepare, prepare), &m->has_prepare, e);
    if (!rc)
        rc = adopt_extension(&m->connector, "tl.view/1", &m->view, sizeof m->view, ADMIT_LEAST(tl_view, list),
                             &m->has_view, e);
    if (!rc)
        rc = adopt_extension(&m->connector, "tl.action/1", &m->actions, sizeof m->actions, ADMIT_LEAST(tl_actions, act),
                             &m->has_actions, e);
    if (!rc && m->has_auth &&
        admit_array("tl_auth_flow", m->auth.flows, m->auth.n_flows, m->auth.flow_stride,
                    ADMIT_LEAST(tl_auth_flow, assertion_lifetime_s), _Alignof(tl_auth_flow), e))
        rc = err_wrap(e, "connector \"%s\", sign-in", expected_id);
    if (rc)
        return rc;
    return manifest_copy(&m->manifest, &m->connector, m->has_auth ? &m->auth : NULL,
                         m->has_webhook ? &m->webhook : NULL, m->has_prepare && m->prepare.prepare, e);
}

/* ---- open and close ---- */

static int no_entry(lt_dlhandle h, const char *id, struct err *e)
{
    for (int major = 0; major <= MAJORS_KNOWN_TO_ASK; major++) {
        char symbol[64];
        snprintf(symbol, sizeof symbol, "tieline_connector_v%d", major);
        if (major != (int)TL_ABI_MAJOR && lt_dlsym(h, symbol)) {
            err_set(e, TL_E_UNSUPPORTED, "connector \"%s\" speaks major %d of the ABI, this host major %u", id, major,
                    TL_ABI_MAJOR);
            err_hint(e, "install the build of the connector for this host");
            return TL_E_UNSUPPORTED;
        }
    }
    err_set(e, TL_E_UNSUPPORTED, "\"%s\" is no connector: it has no symbol tieline_connector_v%u", id, TL_ABI_MAJOR);
    err_hint(e, "export it with TL_EXPORT; \"nm -D\" shows what a file exports");
    return TL_E_UNSUPPORTED;
}

static int cannot_open(const char *id, struct err *e)
{
    const char *words = bind_now.words[0] ? bind_now.words : lt_dlerror();
    const char *symbol = strstr(words, "undefined symbol: ");
    if (symbol) {
        err_set(e, TL_E_UNSUPPORTED, "connector \"%s\" has the %.200s", id, symbol);
        err_hint(e, "link what it needs, with -Wl,-z,defs");
    } else {
        err_set(e, TL_E_UNSUPPORTED, "connector \"%s\" cannot be opened", id);
        err_hint(e, "%s", words);
    }
    err_detail(e, "%s", words);
    return TL_E_UNSUPPORTED;
}

static int call_load(struct module *m, const char *id, struct err *e)
{
    if (m->connector.load) {
        tl_error error = {.struct_size = sizeof error};
        tl_status s = m->connector.load(&error);
        if (s) {
            codec_error_clean(&error);
            err_from_tl(e, s, &error);
            return err_wrap(e, "connector \"%s\" refuses to be loaded", id);
        }
    }
    m->loaded = true;
    return TL_OK;
}

int module_open(struct module **out, const char *path, const char *expected_id, struct err *e)
{
    int rc = bind_now_setup(e);
    if (rc)
        return rc;
    rc = elf_check(path, expected_id, e);
    if (rc)
        return rc;
    lt_dlhandle h = lt_dlopen(path);
    if (!h)
        return cannot_open(expected_id, e);

    struct module *m = calloc(1, sizeof *m);
    ASSERT(m);
    m->handle = h;
    m->path = text_dup(path);
    m->foreign_threads = calloc(1, sizeof *m->foreign_threads);
    ASSERT(m->foreign_threads);
    const tl_connector *(*entry)(void);
    void *symbol = lt_dlsym(h, "tieline_connector_v0");
    memcpy(&entry, &symbol, sizeof entry);
    rc = entry ? module_adopt(m, entry(), expected_id, e) : no_entry(h, expected_id, e);
    if (!rc)
        rc = call_load(m, expected_id, e);
    if (rc) {
        module_close(m);
        return rc;
    }
    *out = m;
    return TL_OK;
}

static bool still_mapped(const char *path)
{
    void *h = dlopen(path, RTLD_NOLOAD | RTLD_LAZY);
    if (h)
        dlclose(h);
    return h != NULL;
}

bool module_close(struct module *m)
{
    if (!m)
        return true;
    if (m->loaded && m->connector.unload)
        m->connector.unload();
    /* One that runs threads of its own, or asks for it, stays: unmapping would pull the code from under them. */
    bool keep = m->loaded && ((m->connector.flags & (TL_PLUGIN_OWN_THREADS | TL_PLUGIN_KEEP_MAPPED)) ||
                              __atomic_load_n(m->foreign_threads, __ATOMIC_RELAXED));
    if (!keep && m->handle)
        lt_dlclose(m->handle);
    bool gone = !keep && !still_mapped(m->path);
    if (keep) /* a thread may still come */
        KEEP_FOR_EVER(m->foreign_threads);
    else
        free(m->foreign_threads);
    manifest_free(m->manifest);
    text_free(m->path);
    free(m);
    return gone;
}
