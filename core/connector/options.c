/* Values of an endpoint against the options its connector declares. */
#include <sodium.h>
#include <stdlib.h>

#include "manifest.h"
#include "times.h"
#include "unicode.h"

const char *option_type_name(uint32_t type)
{
    static const char *const names[] = {"text", "number",   "yes or no", "choice",
                                        "URL",  "duration", "secret",    "directory"};
    return type < ARRAY_LEN(names) ? names[type] : "text";
}

static bool is_bool(str v)
{
    static const char words[] = "yes,no,true,false,on,off,1,0";
    return v.n && str_in_list(STR(words), v);
}

static bool is_url(str v)
{
    if (!str_starts(v, STR("https://")) && !str_starts(v, STR("http://")))
        return false;
    for (uint64_t i = 0; i < v.n; i++)
        if ((unsigned char)v.p[i] <= ' ' || (unsigned char)v.p[i] >= 0x7f)
            return false;
    return v.n > 8;
}

/* One value against its option: number, duration, choice, URL, absolute directory. The text says what is expected. */
static int option_check(const tl_option *o, str value, struct err *e)
{
    int64_t number;
    bool ok = true;
    switch (o->type) {
    case TL_OPT_INT:
        ok = str_to_i64(value, &number);
        break;
    case TL_OPT_BOOL:
        ok = is_bool(value);
        break;
    case TL_OPT_CHOICE:
        ok = str_in_list(str_of(o->choices), value);
        break;
    case TL_OPT_URL:
        ok = is_url(value);
        break;
    case TL_OPT_DURATION:
        ok = duration_parse(value, &number);
        break;
    case TL_OPT_DIR:
        ok = value.n && value.p[0] == '/';
        break;
    case TL_OPT_SECRET:
        if (memchr(value.p, 0, value.n))
            return err_set(e, TL_E_CONFIG, "the value of \"%s\" holds a NUL byte", o->name);
        return TL_OK;
    default:
        break;
    }
    if (ok && utf8_valid(value))
        return TL_OK;
    err_set(e, TL_E_CONFIG, "\"%s\" is \"%.*s\", which is no %s", o->name, STR_FMT(value), option_type_name(o->type));
    if (o->type == TL_OPT_CHOICE)
        err_hint(e, "one of: %s", o->choices ? o->choices : "");
    else
        err_hint(e, "%s", o->help);
    return TL_E_CONFIG;
}

void option_values_wipe(const tl_pair *pairs, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        char *value = NULL;
        memcpy(&value, &pairs[i].value.p, sizeof value);
        sodium_memzero(value, pairs[i].value.n);
    }
}

void option_set_done(struct option_set *s)
{
    option_values_wipe(s->all, s->n_all);
    arena_done(&s->arena);
    memset(s, 0, sizeof *s);
}

/* Keeps the first complaint in e and passes every one on. */
struct complaints {
    void (*complain)(void *ctx, str name, const struct err *why);
    void *ctx;
    struct err *first;
    int status;
};

static void complain(struct complaints *c, str name, const struct err *why)
{
    if (c->complain)
        c->complain(c->ctx, name, why);
    if (c->status == TL_OK && c->first)
        *c->first = *why;
    c->status = TL_E_CONFIG;
}

static void complain_unknown(struct complaints *c, const struct manifest *m, str name)
{
    struct err why = {0};
    err_set(&why, TL_E_CONFIG, "connector \"%s\" has no option \"%.*s\"", m->id, STR_FMT(name));
    const char **names = calloc(m->n_options + 1u, sizeof *names);
    ASSERT(names);
    for (uint32_t i = 0; i < m->n_options; i++)
        names[i] = m->options[i].name;
    AUTO(text_free) char *word = str_dup(name);
    const char *near = text_nearest(word, names, m->n_options);
    if (near)
        err_hint(&why, "did you mean \"%s\"?", near);
    free(names);
    complain(c, name, &why);
}

static const tl_pair *given_value(const tl_pair *given, uint32_t n, const char *name)
{
    for (uint32_t i = n; i-- > 0;)
        if (str_is(given[i].name, name))
            return &given[i];
    return NULL;
}

/* "?dc:com=https://a.com,eu=https://a.eu": the entry for the value that option dc has among the resolved ones. Anything
 * else is the default itself. A null str: none. */
static str default_value(const tl_option *o, const tl_pair *resolved, uint32_t n)
{
    str rest = str_of(o->def), name, entry, word;
    if (rest.n == 0 || rest.p[0] != '?')
        return rest;
    rest = str_n(rest.p + 1, rest.n - 1);
    if (!str_split(&rest, ':', &name))
        return (str){NULL, 0};
    for (uint32_t i = 0; i < n; i++) {
        if (!str_eq(resolved[i].name, name))
            continue;
        while (str_split(&rest, ',', &entry))
            if (str_split(&entry, '=', &word) && str_eq(str_trim(word), resolved[i].value))
                return str_trim(entry);
    }
    return (str){NULL, 0};
}

int options_resolve(struct option_set *out, const struct manifest *m, const tl_pair *given, uint32_t n,
                    void (*tell)(void *ctx, str name, const struct err *why), void *ctx, struct err *e)
{
    struct complaints c = {.complain = tell, .ctx = ctx, .first = e};
    for (uint32_t i = 0; i < n; i++)
        if (!manifest_option(m, given[i].name))
            complain_unknown(&c, m, given[i].name);

    AUTO(option_set_done) struct option_set set = {0};
    tl_pair *all = arena_array(&set.arena, tl_pair, m->n_options);
    tl_pair *open = arena_array(&set.arena, tl_pair, m->n_options);
    set.all = all;
    set.open = open;
    for (uint32_t i = 0; i < m->n_options; i++) {
        const tl_option *o = &m->options[i];
        const tl_pair *own = given_value(given, n, o->name);
        struct err why = {0};
        str def = default_value(o, all, set.n_all);
        if (!own && !def.p) {
            if (o->flags & TL_OPT_REQUIRED) {
                err_set(&why, TL_E_CONFIG, "\"%s\" is missing", o->name);
                err_hint(&why, "%s", o->help);
                complain(&c, str_of(o->name), &why);
            }
            continue;
        }
        str value = own ? own->value : def;
        if (own && option_check(o, value, &why)) {
            complain(&c, str_of(o->name), &why);
            continue;
        }
        tl_pair p = {.name = arena_str(&set.arena, str_of(o->name)), .value = arena_str(&set.arena, value)};
        all[set.n_all++] = p;
        if (o->type != TL_OPT_SECRET)
            open[set.n_open++] = p;
    }
    if (c.status)
        return c.status;
    *out = set;
    memset(&set, 0, sizeof set);
    return TL_OK;
}
