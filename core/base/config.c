/* Reading, expanding and checking the configuration: see config.h. */
#include "config.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "config_value.h"
#include "times.h"

/* Section types with names in their header, and how many. */
static const struct section_type {
    const char *type;
    int names;
} section_types[] = {
    {"core", 0},      {"api", 0},        {"http", 0},     {"hooks", 0},      {"store", 0}, {"log", 0},
    {"retention", 0}, {"connectors", 0}, {"endpoint", 1}, {"connection", 1}, {"link", 2},
};

const struct config_key *config_key_find(const char *section, const char *key)
{
    for (int i = 0; i < config_key_count; i++) {
        const struct config_key *k = &config_keys[i];
        if (strcmp(k->section, section) != 0)
            continue;
        size_t n = strlen(k->key);
        bool prefix = n > 2 && strcmp(k->key + n - 2, ".*") == 0;
        if (prefix ? strncmp(k->key, key, n - 1) == 0 && key[n - 1] : strcmp(k->key, key) == 0)
            return k;
    }
    return NULL;
}

static bool name_valid(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n > 32)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!islower((unsigned char)name[i]) && !isdigit((unsigned char)name[i]) && name[i] != '_' && name[i] != '-')
            return false;
    return true;
}

const char *config_key_nearest(const char *section, const char *key)
{
    const char *names[64];
    size_t n = 0;
    for (int i = 0; i < config_key_count && n < ARRAY_LEN(names); i++)
        if (strcmp(config_keys[i].section, section) == 0)
            names[n++] = config_keys[i].key;
    return text_nearest(key, names, n);
}

static const char *near_section(const char *type)
{
    const char *names[ARRAY_LEN(section_types)];
    for (size_t i = 0; i < ARRAY_LEN(section_types); i++)
        names[i] = section_types[i].type;
    return text_nearest(type, names, ARRAY_LEN(names));
}

/* "link  crm contact" -> "link crm contact": as headers are compared. */
static const char *header_plain(struct arena *a, const char *text)
{
    AUTO(buf_done) struct buf out = {0};
    str rest = str_of(text), word;
    while (str_split(&rest, ' ', &word))
        if (word.n)
            buf_fmt(&out, "%s%.*s", out.n ? " " : "", STR_FMT(word));
    return arena_str(a, buf_lent(&out)).p;
}

static void report_unknown_section(struct config *c, const struct ini_header *h)
{
    const char *near = near_section(header_plain(&c->ini.arena, h->text));
    ini_find(&c->ini, FINDING_ERROR, h->file, h->line, "unknown section [%s]%s%s%s", h->text,
             near ? "; did you mean [" : "", near ? near : "", near ? "]?" : "");
}

/* Splits "link crm contact" and checks its form; NULL with a finding when it is none of ours. */
static struct config_section *section_new(struct config *c, const struct ini_header *h)
{
    struct arena *a = &c->ini.arena;
    static const char *const names[] = {"", " NAME", " CONNECTION KIND"};
    const char *header = header_plain(a, h->text), *words[4] = {""};
    str rest = str_of(header), word;
    int n = 0;
    while (n < 4 && str_split(&rest, ' ', &word))
        words[n++] = arena_str(a, word).p;
    const struct section_type *type = section_types;
    while (type < section_types + ARRAY_LEN(section_types) && strcmp(type->type, words[0]) != 0)
        type++;
    if (type == section_types + ARRAY_LEN(section_types)) {
        report_unknown_section(c, h);
        return NULL;
    }
    if (n - 1 != type->names) {
        ini_find(&c->ini, FINDING_ERROR, h->file, h->line, "[%s]: the header must read [%s%s]", h->text, type->type,
                 names[type->names]);
        return NULL;
    }
    for (int w = 1; w < n; w++)
        if (!name_valid(words[w])) {
            ini_find(&c->ini, FINDING_ERROR, h->file, h->line, "[%s]: name \"%s\" must be 1 to 32 of a-z 0-9 _ -",
                     h->text, words[w]);
            return NULL;
        }
    struct config_section *s = arena_new(a, struct config_section);
    *s = (struct config_section){.type = words[0],
                                 .name = n > 1 ? words[1] : NULL,
                                 .kind = n > 2 ? words[2] : NULL,
                                 .header = header,
                                 .file = h->file,
                                 .line = h->line};
    return s;
}

static struct config_section *section_by_header(struct config *c, const char *header)
{
    for (struct config_section *s = c->sections; s; s = s->next)
        if (strcmp(s->header, header) == 0)
            return s;
    return NULL;
}

static void section_append(struct config *c, struct config_section *s)
{
    struct config_section **end = &c->sections;
    while (*end)
        end = &(*end)->next;
    *end = s;
}

static struct config_value *value_in(const struct config_section *s, const char *key)
{
    for (struct config_value *v = s ? s->values : NULL; v; v = v->next)
        if (strcmp(v->key, key) == 0)
            return v;
    return NULL;
}

static void report_unknown_key(struct config *c, const struct config_section *s, const struct ini_entry *entry)
{
    const char *near = config_key_nearest(s->type, entry->key);
    ini_find(&c->ini, FINDING_ERROR, entry->file, entry->line, "[%s] unknown key \"%s\"%s%s%s", s->header, entry->key,
             near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static void take_entry(struct config *c, struct config_section *s, const struct ini_entry *entry)
{
    const struct config_key *key = config_key_find(s->type, entry->key);
    bool option = !key && strcmp(s->type, "endpoint") == 0; /* checked when the connector is known */
    if (!key && !option) {
        report_unknown_key(c, s, entry);
        return;
    }
    struct config_value *v = value_in(s, entry->key);
    if (!v) {
        v = arena_new(&c->ini.arena, struct config_value);
        v->next = s->values;
        s->values = v;
    }
    v->section = s->header;
    v->key = entry->key;
    v->file = entry->file;
    v->line = entry->line;
    v->is_secret = v->wrong = false;
    v->value = config_expand(&c->ini, entry, &v->is_secret);
    if (v->value && key)
        config_check_value(&c->ini, key, v);
    if (!v->value) {
        v->wrong = true;
        v->value = "";
    }
}

/* Also those without a key: "[link demo account]" pins a link with nothing but defaults. */
static void take_sections(struct config *c)
{
    for (const struct ini_header *h = c->ini.headers; h; h = h->next) {
        if (section_by_header(c, header_plain(&c->ini.arena, h->text)))
            continue;
        struct config_section *s = section_new(c, h);
        if (s)
            section_append(c, s);
    }
}

static void take_entries(struct config *c)
{
    for (const struct ini_entry *entry = c->ini.first; entry; entry = entry->next) {
        struct config_section *s = section_by_header(c, header_plain(&c->ini.arena, entry->section));
        if (s) /* else its header was told */
            take_entry(c, s, entry);
    }
}

/* References between sections, and keys that must be there. */
static void need(struct config *c, const struct config_section *s, const char *key)
{
    const struct config_value *v = value_in(s, key);
    if (!v || !v->value[0])
        ini_find(&c->ini, FINDING_ERROR, s->file, s->line, "[%s] needs \"%s\"", s->header, key);
}

static void need_section(struct config *c, const struct config_section *s, const char *key, const char *type)
{
    const struct config_value *v = value_in(s, key);
    if (v && v->value[0] && !config_section_find(c, type, v->value, NULL))
        ini_find(&c->ini, FINDING_ERROR, v->file, v->line, "[%s] %s = %s: no such %s", s->header, key, v->value, type);
}

static void check_references(struct config *c)
{
    for (struct config_section *s = c->sections; s; s = s->next) {
        if (strcmp(s->type, "endpoint") == 0) {
            need(c, s, "connector");
        } else if (strcmp(s->type, "connection") == 0) {
            need(c, s, "a");
            need(c, s, "b");
            need_section(c, s, "a", "endpoint");
            need_section(c, s, "b", "endpoint");
            const struct config_value *a = value_in(s, "a"), *b = value_in(s, "b");
            if (a && b && strcmp(a->value, b->value) == 0)
                ini_find(&c->ini, FINDING_ERROR, b->file, b->line, "[%s] a and b are the same endpoint \"%s\"",
                         s->header, b->value);
        } else if (strcmp(s->type, "link") == 0 && !config_section_find(c, "connection", s->name, NULL)) {
            ini_find(&c->ini, FINDING_WARNING, s->file, s->line,
                     "[%s] pins a link of connection \"%s\", which no section makes: it must exist at run time",
                     s->header, s->name);
        }
    }
}

static int is_ini_name(const struct dirent *d)
{
    size_t n = strlen(d->d_name);
    return n > 4 && d->d_name[0] != '.' && strcmp(d->d_name + n - 4, ".ini") == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void read_conf_d(struct config *c)
{
    const char *slash = strrchr(c->path, '/');
    str dir = slash ? (str){c->path, (uint64_t)(slash - c->path)} : STR(".");
    const char *conf_d = arena_fmt(&c->ini.arena, "%.*s/conf.d", STR_FMT(dir));
    struct dirent **names = NULL;
    int n = scandir(conf_d, &names, is_ini_name, by_bytes);
    if (n < 0 && errno != ENOENT)
        ini_find(&c->ini, FINDING_ERROR, conf_d, 0, "cannot read directory: %s", strerror(errno));
    for (int i = 0; i < n; i++) {
        (void)ini_read_file(&c->ini, arena_fmt(&c->ini.arena, "%s/%s", conf_d, names[i]->d_name), NULL);
        free(names[i]);
    }
    free(names);
}

static uint64_t hash_values(const struct config *c)
{
    uint64_t h = UINT64_C(1469598103934665603); /* only to tell generations apart; not for security */
    for (const struct config_section *s = c->sections; s; s = s->next)
        for (const struct config_value *v = s->values; v; v = v->next) {
            const char *texts[] = {s->header, v->key, v->value};
            for (size_t i = 0; i < ARRAY_LEN(texts); i++)
                for (const char *p = texts[i];; p++) {
                    h = (h ^ (uint8_t)*p) * UINT64_C(1099511628211);
                    if (!*p)
                        break;
                }
        }
    return h;
}

struct config *config_load(const char *path)
{
    struct config *c = calloc(1, sizeof *c);
    ASSERT(c);
    c->path = arena_str(&c->ini.arena, str_of(path ? path : "/etc/tieline/tieline.ini")).p;
    if (ini_read_file(&c->ini, c->path, NULL) == TL_OK)
        read_conf_d(c);
    take_sections(c);
    take_entries(c);
    check_references(c);
    c->development = config_bool(c, "core", "development");
    c->hash = hash_values(c);
    return c;
}

struct config *config_free(struct config *c)
{
    if (c) {
        ini_done(&c->ini);
        free(c);
    }
    return NULL;
}

const struct config_value *config_lookup(const struct config *c, const char *header, const char *key)
{
    for (const struct config_section *s = c->sections; s; s = s->next)
        if (strcmp(s->header, header) == 0)
            return value_in(s, key);
    return NULL;
}

const char *config_get(const struct config *c, const char *header, const char *key)
{
    const struct config_value *v = config_lookup(c, header, key);
    if (v)
        return v->value;
    const char *blank = strchr(header, ' ');
    str type = blank ? (str){header, (uint64_t)(blank - header)} : str_of(header);
    char section[32];
    snprintf(section, sizeof section, "%.*s", STR_FMT(type));
    const struct config_key *k = config_key_find(section, key);
    return k ? k->def : NULL;
}

bool config_bool(const struct config *c, const char *header, const char *key)
{
    bool value = false;
    const char *text = config_get(c, header, key);
    return text && config_parse_bool(text, &value) && value;
}

int64_t config_number(const struct config *c, const char *header, const char *key)
{
    const char *blank = strchr(header, ' ');
    char section[32];
    snprintf(section, sizeof section, "%.*s", blank ? (int)(blank - header) : (int)strlen(header), header);
    const struct config_key *k = config_key_find(section, key);
    const char *text = config_get(c, header, key);
    int64_t n = 0;
    if (k && text)
        (void)config_parse_number(k->type, text, &n);
    return n;
}

const struct config_section *config_section_find(const struct config *c, const char *type, const char *name,
                                                 const char *kind)
{
    for (const struct config_section *s = c->sections; s; s = s->next)
        if (strcmp(s->type, type) == 0 && (!name || (s->name && strcmp(s->name, name) == 0)) &&
            (!kind || (s->kind && strcmp(s->kind, kind) == 0)))
            return s;
    return NULL;
}

bool config_enables(const struct config *c, const char *connector)
{
    const char *list = config_get(c, "connectors", "enable");
    return list && str_in_list(str_of(list), str_of(connector));
}

static const tl_option *option_find(const tl_option *options, uint32_t n, uint32_t stride, const char *name)
{
    for (uint32_t i = 0; i < n; i++) {
        const tl_option *o = TL_AT(tl_option, options, stride, i);
        if (strcmp(o->name, name) == 0)
            return o;
    }
    return NULL;
}

void config_check_options(struct config *c, const struct config_section *endpoint, const tl_option *options,
                          uint32_t n_options, uint32_t option_stride)
{
    const char *connector = config_get(c, endpoint->header, "connector");
    for (struct config_value *v = endpoint->values; v; v = v->next) {
        if (config_key_find("endpoint", v->key))
            continue;
        const tl_option *o = option_find(options, n_options, option_stride, v->key);
        if (o) {
            config_check_option(&c->ini, o, v, c->development);
            continue;
        }
        const char *names[64];
        size_t n = 0;
        for (uint32_t i = 0; i < n_options && n < ARRAY_LEN(names); i++)
            names[n++] = TL_AT(tl_option, options, option_stride, i)->name;
        const char *near = text_nearest(v->key, names, n);
        ini_find(&c->ini, FINDING_ERROR, v->file, v->line, "[%s] connector \"%s\" has no option \"%s\"%s%s%s",
                 endpoint->header, connector, v->key, near ? "; did you mean \"" : "", near ? near : "",
                 near ? "\"?" : "");
    }
    for (uint32_t i = 0; i < n_options; i++) {
        const tl_option *o = TL_AT(tl_option, options, option_stride, i);
        if ((o->flags & TL_OPT_REQUIRED) && !o->def && !config_lookup(c, endpoint->header, o->name))
            ini_find(&c->ini, FINDING_ERROR, endpoint->file, endpoint->line, "[%s] needs \"%s\": %s", endpoint->header,
                     o->name, o->help ? o->help : "");
    }
}

void config_finding_place(const struct finding *f, struct buf *out)
{
    if (f->file && f->line)
        buf_fmt(out, "%s:%d: ", f->file, f->line);
    else if (f->file)
        buf_fmt(out, "%s: ", f->file);
}

void config_findings_print(const struct config *c, struct buf *out)
{
    for (const struct finding *f = c->ini.findings; f; f = f->next) {
        config_finding_place(f, out);
        buf_fmt(out, "%s: %s\n", f->level == FINDING_ERROR ? "error" : "warning", f->text);
    }
    int errors = c->ini.n_errors, warnings = c->ini.n_warnings;
    if (errors)
        buf_fmt(out, "config check failed: %d error%s, %d warning%s\n", errors, errors == 1 ? "" : "s", warnings,
                warnings == 1 ? "" : "s");
    else
        buf_fmt(out, "config ok: %d warning%s\n", warnings, warnings == 1 ? "" : "s");
}

static void sample_doc(struct buf *out, const char *doc)
{
    str rest = str_of(doc), word;
    int column = 0;
    while (str_split(&rest, ' ', &word)) {
        if (column == 0 || column + (int)word.n > 98) {
            buf_text_add(out, column ? "\n;" : ";");
            column = 1;
        }
        buf_fmt(out, " %.*s", STR_FMT(word));
        column += (int)word.n + 1;
    }
    buf_char(out, '\n');
}

void config_sample_print(struct buf *out)
{
    const char *section = "";
    for (int i = 0; i < config_key_count; i++) {
        const struct config_key *k = &config_keys[i];
        if (strcmp(section, k->section) != 0) {
            section = k->section;
            bool link = strcmp(section, "link") == 0;
            bool named = strcmp(section, "endpoint") == 0 || strcmp(section, "connection") == 0;
            buf_fmt(out, "%s%s[%s%s]\n", i ? "\n" : "", named || link ? ";" : "", section,
                    link    ? " NAME KIND"
                    : named ? " NAME"
                            : "");
        }
        sample_doc(out, k->doc);
        if (k->choices)
            buf_fmt(out, "; %s: %s\n", k->type == CONFIG_CHOICE ? "one of" : "or", k->choices);
        buf_fmt(out, ";%s = %s\n", k->key, k->def ? k->def : "");
    }
}
