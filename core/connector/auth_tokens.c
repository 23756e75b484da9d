/* Tokens in memory and in their durable form. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "auth_int.h"
#include "log.h"
#include "seal.h"
#include "times.h"

enum { FORMAT = 1, MAX_TOKEN = 64 * 1024, MAX_EXTRAS = 32 };

static void extras_free(struct extra *x)
{
    while (x) {
        struct extra *next = x->next;
        text_free(x->name);
        text_free(x->value);
        free(x);
        x = next;
    }
}

void tokens_done(struct tokens *t)
{
    buf_wipe(&t->access);
    buf_wipe(&t->refresh);
    extras_free(t->extras);
    *t = (struct tokens){0};
}

const char *tokens_extra(const struct tokens *t, str name)
{
    for (const struct extra *x = t->extras; x; x = x->next) {
        if (str_is(name, x->name))
            return x->value;
    }
    return NULL;
}

void tokens_extra_set(struct tokens *t, const char *name, str value)
{
    for (struct extra *x = t->extras; x; x = x->next) {
        if (strcmp(x->name, name) == 0) {
            text_free(x->value);
            x->value = str_dup(value);
            return;
        }
    }
    struct extra *x = calloc(1, sizeof *x);
    ASSERT(x);
    x->name = text_dup(name);
    x->value = str_dup(value);
    x->next = t->extras;
    t->extras = x;
}

void tokens_copy(struct tokens *to, const struct tokens *from)
{
    tokens_done(to);
    buf_str(&to->access, buf_lent(&from->access));
    buf_str(&to->refresh, buf_lent(&from->refresh));
    to->expires_us = from->expires_us;
    to->lifetime_us = from->lifetime_us;
    memcpy(to->seed, from->seed, sizeof to->seed);
    memcpy(to->options, from->options, sizeof to->options);
    for (const struct extra *x = from->extras; x; x = x->next)
        tokens_extra_set(to, x->name, str_of(x->value));
}

/* --- durable form: format, then counted fields --- */

static void put(struct buf *out, str s)
{
    buf_varint(out, s.n);
    buf_str(out, s);
}

static bool get(const uint8_t **p, const uint8_t *end, str *out)
{
    uint64_t n = 0;
    if (!varint_read(p, end, &n) || n > MAX_TOKEN || n > (uint64_t)(end - *p))
        return false;
    *out = str_n(*p, (size_t)n);
    *p += n;
    return true;
}

void tokens_encode(const struct tokens *t, struct buf *out)
{
    buf_char(out, FORMAT);
    put(out, buf_lent(&t->access));
    put(out, buf_lent(&t->refresh));
    buf_varint(out, (uint64_t)t->expires_us);
    buf_varint(out, (uint64_t)t->lifetime_us);
    put(out, str_n(t->seed, sizeof t->seed));
    put(out, str_n(t->options, sizeof t->options));
    for (const struct extra *x = t->extras; x; x = x->next) {
        put(out, str_of(x->name));
        put(out, str_of(x->value));
    }
}

bool tokens_decode(struct tokens *out, str bytes)
{
    const uint8_t *p = (const uint8_t *)bytes.p, *end = p + bytes.n;
    if (bytes.n == 0 || *p++ != FORMAT)
        return false;
    AUTO(tokens_done) struct tokens t = {0};
    str access, refresh, seed, options;
    uint64_t expires = 0, lifetime = 0;
    if (!get(&p, end, &access) || !get(&p, end, &refresh) || !varint_read(&p, end, &expires) ||
        !varint_read(&p, end, &lifetime) || !get(&p, end, &seed) || !get(&p, end, &options) ||
        seed.n != sizeof t.seed || options.n != sizeof t.options)
        return false;
    buf_str(&t.access, access);
    buf_str(&t.refresh, refresh);
    t.expires_us = (int64_t)expires;
    t.lifetime_us = (int64_t)lifetime;
    memcpy(t.seed, seed.p, seed.n);
    memcpy(t.options, options.p, options.n);
    for (int i = 0; p < end; i++) {
        str name, value;
        if (i == MAX_EXTRAS || !get(&p, end, &name) || !get(&p, end, &value))
            return false;
        AUTO(text_free) char *z = str_dup(name);
        tokens_extra_set(&t, z, value);
    }
    tokens_done(out);
    *out = t;
    t = (struct tokens){0};
    return true;
}

/* --- the token answer --- */

AUTO_FN(json_t *, json_decref)

/* Moves a text member into a buffer and wipes jansson's copy of it. */
static bool take_secret(json_t *root, const char *member, struct buf *out)
{
    json_t *j = member ? json_object_get(root, member) : NULL;
    size_t n = json_string_length(j);
    if (!json_is_string(j) || n == 0 || n > MAX_TOKEN)
        return false;
    const char *text = json_string_value(j);
    buf_add(out, text, n);
    log_secret_add(str_n(text, n));
    explicit_bzero((char *)(uintptr_t)text, n);
    return true;
}

/* Seconds. Some servers have answered milliseconds: no token lives longer than a day, so more means that. */
static int64_t read_lifetime(const json_t *root, const struct auth_spec *spec)
{
    const json_t *j = spec->lifetime_member ? json_object_get(root, spec->lifetime_member) : NULL;
    int64_t n = 0;
    if (json_is_integer(j))
        n = json_integer_value(j);
    else if (json_is_real(j) && json_real_value(j) > 0 && json_real_value(j) < 1e15)
        n = (int64_t)json_real_value(j);
    else if (json_is_string(j) && !str_to_i64(str_n(json_string_value(j), json_string_length(j)), &n))
        n = 0;
    if (n > 86400)
        n /= 1000;
    if (n <= 0 || n > 30 * 86400)
        n = spec->default_lifetime_s;
    return n * US_PER_S;
}

static void read_extras(struct tokens *t, const json_t *root, const struct auth_spec *spec, const struct tokens *before)
{
    str list = str_of(spec->extras), word;
    while (str_split(&list, ',', &word)) {
        word = str_trim(word);
        AUTO(text_free) char *name = str_dup(word);
        const json_t *j = json_object_get(root, name);
        const char *old = tokens_extra(before, word);
        if (json_is_string(j) && json_string_length(j) < 4096)
            tokens_extra_set(t, name, str_of(json_string_value(j)));
        else if (json_is_integer(j)) {
            AUTO(text_free) char *text = text_fmt("%lld", (long long)json_integer_value(j));
            tokens_extra_set(t, name, str_of(text));
        } else if (old)
            tokens_extra_set(t, name, str_of(old));
    }
}

bool tokens_parse(struct tokens *out, const struct auth_spec *spec, const struct tokens *before, str refresh, str body,
                  int64_t now_us)
{
    json_error_t where;
    AUTO(json_decref) json_t *root = json_loadb(body.p ? body.p : "", body.n, 0, &where);
    AUTO(tokens_done) struct tokens t = {0};
    if (!json_is_object(root) || !take_secret(root, spec->access_member, &t.access))
        return false;
    if (!take_secret(root, spec->refresh_member, &t.refresh))
        buf_str(&t.refresh, refresh);
    t.lifetime_us = read_lifetime(root, spec);
    t.expires_us = now_us + t.lifetime_us;
    read_extras(&t, root, spec, before);
    tokens_done(out);
    *out = t;
    t = (struct tokens){0};
    return true;
}
