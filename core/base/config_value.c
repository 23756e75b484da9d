/* Values of the configuration: see config_value.h. */
#include "config_value.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "times.h"

#define SECRET_FILE_MAX_BYTES 65536

static void complain(struct ini *ini, const struct ini_entry *entry, const char *what)
{
    ini_find(ini, FINDING_ERROR, entry->file, entry->line, "[%s] %s: %s", entry->section, entry->key, what);
}

/* Content of @file:PATH without its last newline. Refused when others may read it. */
static const char *read_secret_file(struct ini *ini, const struct ini_entry *entry, const char *path)
{
    AUTO(buf_done) struct buf text = {.max = SECRET_FILE_MAX_BYTES};
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe is told, not waited for */
    if (fd < 0 || fstat(fd, &st)) {
        complain(ini, entry, arena_fmt(&ini->arena, "cannot read \"%s\": %s", path, strerror(errno)));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    bool foreign = st.st_uid != 0 && st.st_uid != geteuid();
    if (foreign && geteuid() == 0) { /* who checks as root is not who will run it */
        foreign = false;
        ini_find(ini, FINDING_WARNING, entry->file, entry->line,
                 "[%s] %s: \"%s\" belongs to user %u: right if tielined runs as that user", entry->section, entry->key,
                 path, (unsigned)st.st_uid);
    }
    if (!S_ISREG(st.st_mode) || (st.st_mode & (S_IRWXO | S_IWGRP)) || foreign) {
        complain(ini, entry,
                 arena_fmt(&ini->arena,
                           "\"%s\" must be a file of root or of the daemon's user that others "
                           "cannot read (chmod 0440)",
                           path));
        close(fd);
        return NULL;
    }
    char chunk[4096];
    ssize_t got;
    while ((got = read(fd, chunk, sizeof chunk)) > 0)
        buf_add(&text, chunk, (size_t)got);
    close(fd);
    if (got < 0 || text.full) {
        complain(ini, entry, "the file cannot be read, or is too large");
        return NULL;
    }
    str secret = str_trim(buf_lent(&text));
    if (secret.n == 0) {
        complain(ini, entry, arena_fmt(&ini->arena, "\"%s\" is empty", path));
        return NULL;
    }
    return arena_str(&ini->arena, secret).p;
}

/* One ${...}; body is what stands between the braces. */
static bool expand_variable(struct ini *ini, const struct ini_entry *entry, str body, struct buf *out)
{
    uint64_t n = 0;
    while (n < body.n && body.p[n] != ':')
        n++;
    char name[128];
    if (n == 0 || n >= sizeof name) {
        complain(ini, entry, "${} needs the name of an environment variable");
        return false;
    }
    memcpy(name, body.p, n);
    name[n] = 0;
    str rule = {body.p + n, body.n - n};
    const char *value = getenv(name);
    if (value && *value) {
        buf_text_add(out, value);
        return true;
    }
    if (str_starts(rule, STR(":-"))) {
        buf_add(out, rule.p + 2, rule.n - 2);
        return true;
    }
    bool told = str_starts(rule, STR(":?"));
    complain(ini, entry,
             arena_fmt(&ini->arena, "environment variable \"%s\" is not set%s%.*s", name, told ? ": " : "",
                       told ? (int)rule.n - 2 : 0, told ? rule.p + 2 : ""));
    return false;
}

bool config_secret_name_ok(str name)
{
    for (uint64_t i = 0; i < name.n; i++)
        if (!isalnum((unsigned char)name.p[i]) && !strchr("_-.", name.p[i]))
            return false;
    return name.n >= 1 && name.n <= 64;
}

const char *config_expand(struct ini *ini, const struct ini_entry *entry, bool *is_secret_out)
{
    const char *v = entry->value;
    if (strncmp(v, "@file:", 6) == 0) {
        *is_secret_out = true;
        return read_secret_file(ini, entry, v + 6);
    }
    if (strncmp(v, "@secret:", 8) == 0) {
        *is_secret_out = true;
        if (config_secret_name_ok(str_of(v + 8)))
            return v;
        complain(ini, entry,
                 arena_fmt(&ini->arena,
                           "@secret: takes the name of a secret, 1 to 64 letters, digits, \"_\", \"-\" or \".\", and "
                           "this is \"%.80s\"",
                           v + 8));
        return NULL;
    }
    if (!strchr(v, '$'))
        return v;
    AUTO(buf_done) struct buf out = {.max = INI_MAX_FILE_BYTES};
    for (const char *p = v; *p;) {
        if (strncmp(p, "$${", 3) == 0) {
            buf_text_add(&out, "${");
            p += 3;
        } else if (strncmp(p, "${", 2) == 0) {
            const char *end = strchr(p, '}');
            if (!end) {
                complain(ini, entry, "\"${\" without \"}\"");
                return NULL;
            }
            if (!expand_variable(ini, entry, (str){p + 2, (uint64_t)(end - p - 2)}, &out))
                return NULL;
            p = end + 1;
        } else {
            buf_char(&out, *p++);
        }
    }
    return arena_str(&ini->arena, buf_lent(&out)).p;
}

bool config_parse_bool(const char *text, bool *out)
{
    str s = str_of(text);
    bool yes = str_in_list(STR("yes,true,on,1"), s), no = str_in_list(STR("no,false,off,0"), s);
    if (yes || no)
        *out = yes;
    return yes || no;
}

static bool parse_size(str s, int64_t *out)
{
    static const char units[] = "kmg";
    int64_t n, factor = 1;
    if (s.n && strchr(units, s.p[s.n - 1] | 0x20)) {
        factor = INT64_C(1) << (10 * (strchr(units, s.p[s.n - 1] | 0x20) - units + 1));
        s.n--;
    }
    return str_to_i64(s, &n) && n >= 0 && !__builtin_mul_overflow(n, factor, out);
}

bool config_parse_number(enum config_type type, const char *text, int64_t *out)
{
    str s = str_of(text);
    if (type == CONFIG_SIZE)
        return parse_size(s, out);
    if (type == CONFIG_DURATION)
        return duration_parse(s, out);
    return str_to_i64(s, out);
}

static void range_text(struct buf *out, enum config_type type, int64_t n)
{
    if (type == CONFIG_DURATION)
        duration_format(out, n);
    else
        buf_fmt(out, "%lld", (long long)n);
}

static const char *number_problem(struct arena *a, const struct config_key *key, const char *text)
{
    int64_t n;
    if (!config_parse_number(key->type, text, &n))
        return key->type == CONFIG_SIZE       ? "must be a size such as 64k or 16m"
               : key->type == CONFIG_DURATION ? "must be a time such as 30s, 4h or 7d"
                                              : "must be a whole number";
    if ((key->min == 0 && key->max == 0) || (n >= key->min && n <= key->max))
        return NULL;
    AUTO(buf_done) struct buf low = {0}, high = {0};
    range_text(&low, key->type, key->min);
    range_text(&high, key->type, key->max);
    return arena_fmt(a, "must be %s to %s", buf_text(&low), buf_text(&high));
}

static bool is_url(const char *text)
{
    str s = str_of(text);
    bool web = str_starts(s, STR("https://")) || str_starts(s, STR("http://"));
    return web && s.n > 8 && !strpbrk(text, " \t\"<>");
}

static bool is_address(const char *text)
{
    const char *colon = strrchr(text, ':');
    int64_t port;
    return strcmp(text, "off") == 0 ||
           (colon && colon > text && str_to_i64(str_of(colon + 1), &port) && port >= 0 && port <= 65535);
}

const char *config_problem(struct arena *a, const struct config_key *key, const char *text)
{
    bool flag;
    if (key->type != CONFIG_CHOICE && key->choices && str_in_list(str_of(key->choices), str_of(text)))
        return NULL;
    switch (key->type) {
    case CONFIG_INT:
    case CONFIG_SIZE:
    case CONFIG_DURATION:
        return number_problem(a, key, text);
    case CONFIG_BOOL:
        return config_parse_bool(text, &flag) ? NULL : "must be yes or no";
    case CONFIG_CHOICE:
        return str_in_list(str_of(key->choices), str_of(text)) ? NULL : arena_fmt(a, "must be one of %s", key->choices);
    case CONFIG_PATH:
        return text[0] == '/' || !text[0] ? NULL : "must be an absolute path";
    case CONFIG_URL:
        return !text[0] || is_url(text) ? NULL : "must be a URL such as https://example.com";
    case CONFIG_ADDRESS:
        return is_address(text) ? NULL : "must be HOST:PORT or off";
    case CONFIG_TEXT:
    case CONFIG_LIST:
        break;
    }
    return NULL;
}

void config_check_value(struct ini *ini, const struct config_key *key, struct config_value *v)
{
    const char *problem = config_problem(&ini->arena, key, v->value);
    if (!problem)
        return;
    v->wrong = true;
    ini_find(ini, FINDING_ERROR, v->file, v->line, "[%s] %s = %s: %s", v->section, v->key, v->value, problem);
}

/* What the outbound client refuses at every call is told before anything runs. */
static void check_plain_http(struct ini *ini, const struct config_value *v, bool development)
{
    str url = str_of(v->value);
    if (!str_starts(url, STR("http://")))
        return;
    str host = {url.p + 7, strcspn(url.p + 7, url.p[7] == '[' ? "/" : ":/?#")};
    bool loopback = str_is(host, "localhost") || str_starts(host, STR("[::1]")) ||
                    (str_starts(host, STR("127.")) && strspn(host.p, "0123456789.") >= host.n);
    if (!development || !loopback)
        ini_find(ini, FINDING_ERROR, v->file, v->line,
                 "[%s] %s = %s: plain http is for loopback addresses and [core] development = yes only; use https",
                 v->section, v->key, v->value);
}

void config_check_option(struct ini *ini, const tl_option *option, struct config_value *v, bool development)
{
    static const enum config_type types[] = {
        [TL_OPT_TEXT] = CONFIG_TEXT,     [TL_OPT_INT] = CONFIG_INT,  [TL_OPT_BOOL] = CONFIG_BOOL,
        [TL_OPT_CHOICE] = CONFIG_CHOICE, [TL_OPT_URL] = CONFIG_URL,  [TL_OPT_DURATION] = CONFIG_DURATION,
        [TL_OPT_SECRET] = CONFIG_TEXT,   [TL_OPT_DIR] = CONFIG_PATH,
    };
    if (option->type == TL_OPT_SECRET) {
        if (v->value[0] == '@' && strchr(v->value, ':') && !v->is_secret)
            ini_find(ini, FINDING_ERROR, v->file, v->line,
                     "[%s] %s = %.*s...: no such reference; @secret:NAME or @file:PATH", v->section, v->key,
                     (int)(strchr(v->value, ':') - v->value) + 1, v->value);
        else if (!v->is_secret)
            ini_find(
                ini, FINDING_WARNING, v->file, v->line,
                "[%s] %s stands in the file as plain text; use @secret:NAME (see \"tieline secret set\") or @file:PATH",
                v->section, v->key);
        return;
    }
    struct config_key key = {.type = option->type < ARRAY_LEN(types) ? types[option->type] : CONFIG_TEXT,
                             .choices = option->choices ? option->choices : ""};
    config_check_value(ini, &key, v);
    if (option->type == TL_OPT_URL)
        check_plain_http(ini, v, development);
}
