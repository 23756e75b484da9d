#include "hook_key.h"

#include <sodium.h>

static str header_of(const tl_hook_request *r, str name)
{
    for (uint32_t i = 0; name.n && i < r->n_headers; i++)
        if (str_eq_nocase(r->headers[i].name, name))
            return r->headers[i].value;
    return (str){0};
}

/* Of "a=1&b=2", as it was sent: one vendor encodes a value the same way every time. */
static str param_of(str pairs, str name)
{
    for (str rest = pairs, pair; str_split(&rest, '&', &pair);) {
        str key, value = pair;
        if (str_split(&value, '=', &key) && str_eq(key, name))
            return value;
    }
    return (str){0};
}

static str named_param(str name, const tl_hook_request *r)
{
    str value = param_of(r->query, name);
    str rest = header_of(r, STR("content-type")), type = {0};
    str_split(&rest, ';', &type);
    bool form = str_eq_nocase(str_trim(type), STR("application/x-www-form-urlencoded"));
    return value.n || !form ? value : param_of(r->body, name);
}

static void add(crypto_generichash_state *h, str part)
{
    crypto_generichash_update(h, (const uint8_t *)&part.n, sizeof part.n);
    crypto_generichash_update(h, (const uint8_t *)part.p, part.n);
}

static str all_of_it(const tl_hook_request *r, struct arena *a)
{
    uint8_t hash[16];
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, sizeof hash);
    add(&h, r->method);
    add(&h, r->query);
    add(&h, r->body);
    crypto_generichash_final(&h, hash, sizeof hash);
    char *text = arena_alloc(a, sizeof hash * 2 + 1);
    sodium_bin2hex(text, sizeof hash * 2 + 1, hash, sizeof hash);
    return str_of(text);
}

str hook_key(int32_t rule, str name, const tl_hook_request *r, struct arena *a)
{
    if (rule == TL_HOOK_KEY_PARAM)
        return name.n ? named_param(name, r) : (str){0};
    str id = header_of(r, name);
    return id.n || rule != TL_HOOK_KEY_BODY ? id : all_of_it(r, a);
}
