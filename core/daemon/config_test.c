/* tielined -t and -T: see config_test.h. */
#include "config_test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admission.h"
#include "config_show.h"
#include "env.h"
#include "hosts_key.h"
#include "mailbox.h"
#include "process.h"
#include "runtime.h"

static void dump_section(const struct config_section *s, const struct manifest *m)
{
    printf("[%s]\n", s->header);
    for (const struct config_value *v = s->values; v; v = v->next)
        printf("%s = %s    ; %s:%d\n", v->key, config_shown(v, m), v->file, v->line);
}

static void check_endpoint(struct config *c, const struct runtime_config *runtime, const struct config_section *s,
                           bool dump)
{
    const char *connector = config_get(c, s->header, "connector");
    AUTO(verified_done) struct verified found = {.manifest = NULL};
    struct err e = {0};
    const struct config_value *named = config_lookup(c, s->header, "connector");
    if (connector && *connector && runtime_verify(runtime, connector, &found, &e)) {
        ini_find(&c->ini, FINDING_ERROR, named->file, named->line, "[%s] connector = %s: %s%s%s", s->header, connector,
                 e.text, e.hint[0] ? "; " : "", e.hint);
    } else if (found.manifest) {
        config_check_options(c, s, found.manifest->options, found.manifest->n_options, sizeof(tl_option));
    }
    if (dump)
        dump_section(s, found.manifest);
}

static void dump_plain(const struct config *c)
{
    const char *section = "";
    for (int i = 0; i < config_key_count; i++) {
        const struct config_key *k = &config_keys[i];
        if (strcmp(k->section, "endpoint") == 0 || strcmp(k->section, "connection") == 0 ||
            strcmp(k->section, "link") == 0 || strchr(k->key, '*'))
            continue;
        if (strcmp(section, k->section) != 0)
            printf("[%s]\n", section = k->section);
        const struct config_value *v = config_lookup(c, k->section, k->key);
        if (v)
            printf("%s = %s    ; %s:%d\n", k->key, config_shown(v, NULL), v->file, v->line);
        else
            printf("%s = %s    ; default\n", k->key, k->def ? k->def : "");
    }
}

/* Connectors are looked at in a copy, as at run time. The state directory may not be there yet, or not be ours: root
 * may write everywhere, but the daemon would not trust what root left there. */
static const char *copies_dir(const struct config *c)
{
    const char *state = config_get(c, "core", "state_dir");
    struct stat st;
    bool own = stat(state, &st) == 0 && st.st_uid == geteuid() && access(state, W_OK | X_OK) == 0;
    return own ? state : "/tmp";
}

/* Who checks need not be who will run it: root may look at the key of the daemon's user, others may not look at all. */
static bool is_the_daemons(const struct config *c, const struct stat *key)
{
    struct stat state;
    return stat(config_get(c, "core", "state_dir"), &state) == 0 && state.st_uid == key->st_uid;
}

static void check_key(struct config *c)
{
    const struct config_value *v = config_lookup(c, "core", "key_file");
    const char *path = config_get(c, "core", "key_file");
    const char *file = v ? v->file : c->path;
    int line = v ? v->line : 0;
    struct stat st;
    if (stat(path, &st) != 0 && errno == EACCES) {
        ini_find(&c->ini, FINDING_WARNING, file, line, "[core] key_file = %s: this user may not look at it", path);
        return;
    }
    bool others = stat(path, &st) == 0 && st.st_uid != 0 && st.st_uid != geteuid() && is_the_daemons(c, &st);
    struct seal_key key;
    struct err e = {0};
    if (others || daemon_key(c, &key, &e) == TL_OK) {
        seal_key_wipe(&key);
        return;
    }
    bool closed = access(path, R_OK) != 0 && errno == EACCES; /* closed to us, as it should be to others */
    ini_find(&c->ini, closed ? FINDING_WARNING : FINDING_ERROR, file, line, "[core] key_file = %s: %s; %s", path,
             e.text, e.hint);
}

/* The errno that says why the daemon could not use the directory, or make it: it does not make what is above. */
static int state_dir_fault(const char *path, bool *there)
{
    struct stat st;
    AUTO(text_free) char *above = NULL;
    *there = stat(path, &st) == 0;
    if (!*there && errno == ENOENT) {
        const char *slash = strrchr(path, '/');
        above = slash ? str_dup(str_n(path, slash == path ? 1 : (size_t)(slash - path))) : text_dup(".");
        path = above;
    }
    if (stat(path, &st) != 0)
        return errno;
    return !S_ISDIR(st.st_mode) ? ENOTDIR : access(path, W_OK | X_OK) == 0 ? 0 : errno;
}

/* Who checks need not be who will run it: what only this user may not do is no error. */
static void check_state_dir(struct config *c)
{
    const struct config_value *v = config_lookup(c, "core", "state_dir");
    const char *path = config_get(c, "core", "state_dir"), *file = v ? v->file : c->path;
    int line = v ? v->line : 0;
    bool there = false;
    int fault = state_dir_fault(path, &there);
    if (fault == EACCES && !there)
        ini_find(&c->ini, FINDING_WARNING, file, line, "[core] state_dir = %s: this user could not make it", path);
    else if (fault == ENOTDIR && there)
        ini_find(&c->ini, FINDING_ERROR, file, line, "[core] state_dir = %s: is not a directory", path);
    else if (fault && fault != EACCES)
        ini_find(&c->ini, FINDING_ERROR, file, line, "[core] state_dir = %s: it cannot be %s: %s%s", path,
                 there ? "written to" : "made", strerrordesc_np(fault),
                 there ? "" : "; make the directory above it, or name another place");
}

static bool an_endpoint_uses(const struct config *c, const char *connector)
{
    for (const struct config_section *s = c->sections; s; s = s->next)
        if (strcmp(s->type, "endpoint") == 0 && strcmp(config_get(c, s->header, "connector"), connector) == 0)
            return true;
    return false;
}

/* One word of [connectors] enable; seen: the list before it. */
static void check_enabled(struct config *c, const struct runtime_config *runtime, const struct config_value *v,
                          const char *name, str seen)
{
    AUTO(verified_done) struct verified found = {.manifest = NULL};
    struct err e = {0};
    if (!connector_name_ok(str_of(name)))
        ini_find(&c->ini, FINDING_ERROR, v->file, v->line, "[connectors] enable: \"%s\" is no name of a connector",
                 name);
    else if (str_in_list(seen, str_of(name)))
        ini_find(&c->ini, FINDING_WARNING, v->file, v->line, "[connectors] enable: \"%s\" is named twice", name);
    else if (!an_endpoint_uses(c, name) &&
             runtime_verify(runtime, name, &found, &e)) /* others are told at their section */
        ini_find(&c->ini, FINDING_ERROR, v->file, v->line, "[connectors] enable = %s: %s%s%s", name, e.text,
                 e.hint[0] ? "; " : "", e.hint);
}

static void check_enable(struct config *c, const struct runtime_config *runtime)
{
    AUTO(arena_done) struct arena a = {0};
    const struct config_value *v = config_lookup(c, "connectors", "enable");
    str all = str_of(v ? v->value : ""), rest = all, word;
    for (const char *at = rest.p; str_split(&rest, ',', &word); at = rest.p)
        if (str_trim(word).n)
            check_enabled(c, runtime, v, arena_str(&a, str_trim(word)).p, str_n(all.p, (size_t)(at - all.p)));
    for (const struct config_section *s = c->sections; s; s = s->next) {
        const char *connector = strcmp(s->type, "endpoint") == 0 ? config_get(c, s->header, "connector") : NULL;
        if (connector && *connector && !config_enables(c, connector))
            ini_find(
                &c->ini, FINDING_WARNING, s->file, s->line,
                "[%s] connector \"%s\" is not in [connectors] enable: the endpoint does not work until it is loaded",
                s->header, connector);
    }
}

static void check_hosts(struct config *c, const struct runtime_config *runtime)
{
    for (const struct config_section *s = c->sections; s; s = s->next)
        for (const struct config_value *v = s->values; v; v = v->next) {
            AUTO(verified_done) struct verified found = {.manifest = NULL};
            const char *connector = hosts_key_connector(v);
            if (!connector)
                continue;
            (void)runtime_verify(runtime, connector, &found, NULL); /* what is wrong with it is told where it is used */
            hosts_key_check(c, v, found.manifest);
        }
}

/* The daemon's user is known once there is a state directory. A unit may add groups that are in no list: a warning. */
static void check_group(struct config *c)
{
    const struct config_value *v = config_lookup(c, "api", "group");
    struct err e = {0};
    uint32_t gid;
    if (daemon_group(c, &gid, &e)) {
        ini_find(&c->ini, FINDING_ERROR, v->file, v->line, "%s; %s", e.text, e.hint);
        return;
    }
    struct stat state;
    bool known = stat(config_get(c, "core", "state_dir"), &state) == 0;
    uid_t user = known ? state.st_uid : geteuid();
    if (gid != UINT32_MAX && user != 0 && !daemon_in_group(user, gid))
        ini_find(&c->ini, FINDING_WARNING, v->file, v->line,
                 "[api] group = %s: the daemon's user is no member, so it can hand the socket to this group only when "
                 "the unit says SupplementaryGroups=%s",
                 v->value, v->value);
}

int config_test(struct config *c, bool dump)
{
    AUTO(arena_done) struct arena a = {0};
    struct runtime_config runtime = {.env = &env_real,
                                     .connector_dir = daemon_connector_dir(c),
                                     .worker_path = daemon_worker_path(c, &a),
                                     .state_dir = copies_dir(c),
                                     .development = c->development};
    if (dump)
        dump_plain(c);
    check_state_dir(c);
    check_key(c);
    check_group(c);
    check_enable(c, &runtime);
    check_hosts(c, &runtime);
    for (const struct config_section *s = c->sections; s; s = s->next) {
        if (strcmp(s->type, "endpoint") == 0)
            check_endpoint(c, &runtime, s, dump);
        else if (dump && (strcmp(s->type, "connection") == 0 || strcmp(s->type, "link") == 0))
            dump_section(s, NULL);
    }
    AUTO(buf_done) struct buf text = {0};
    config_findings_print(c, &text);
    fputs(buf_text(&text), stderr);
    return c->ini.n_errors ? DAEMON_EXIT_CONFIG : 0;
}
