/* What records are found by: see keys.h. */
#include "keys.h"

#include <stdlib.h>

#include "buf.h"
#include "db.h"
#include "linkset.h"
#include "obs.h"
#include "unicode.h"
#include "values.h"

enum { OF_A_FIELD = ~(LOOKUP_TEXT_OF - 1) }; /* the part of a kind that tells what is made of the field */

struct feed_key key_of_path(str path, bool is_phone, uint32_t number)
{
    int32_t kind = match_lookup_kind(path);
    if (kind && is_phone)
        kind = LOOKUP_DIGITS_OF;
    if (kind >= LOOKUP_TEXT_OF)
        kind += (int32_t)number;
    return (struct feed_key){kind, number};
}

/* Nine digits tell people apart whatever stands before them; fewer are an extension, and stand for themselves. */
static void last_digits(str text, struct buf *out)
{
    AUTO(buf_done) struct buf all = {0};
    int64_t last9 = 0;
    if (phone_last9(text, &last9)) {
        buf_fmt(out, "%09lld", (long long)last9);
        return;
    }
    phone_digits(&all, text);
    str digits = buf_lent(&all);
    buf_str(out, str_starts(digits, STR("+")) ? str_n(digits.p + 1, digits.n - 1) : digits);
}

bool key_of_text(int32_t kind, str text, struct arena *a, struct lookup_key *out)
{
    AUTO(buf_done) struct buf made = {0};
    *out = (struct lookup_key){.kind = kind};
    if (kind == LOOKUP_PHONE)
        return phone_last9(text, &out->number);
    if ((kind & OF_A_FIELD) == LOOKUP_REF_OF)
        buf_str(&made, str_trim(text));
    else if ((kind & OF_A_FIELD) == LOOKUP_DIGITS_OF)
        last_digits(text, &made);
    else
        text_fold(&made, text);
    out->text = arena_str(a, buf_lent(&made));
    return made.n > 0;
}

bool key_of_value(int32_t kind, const tl_value *v, struct arena *a, struct lookup_key *out)
{
    AUTO(buf_done) struct buf text = {0};
    if (value_is_blank(v))
        return false;
    value_text(&text, v);
    return key_of_text(kind, buf_lent(&text), a, out);
}

bool key_of_observation(const struct feed_key *key, str observation, struct arena *a, struct lookup_key *out)
{
    tl_value v = {0};
    return key->kind && obs_find(observation, key->number, a, &v) && key_of_value(key->kind, &v, a, out);
}

bool key_finds(int32_t kind)
{
    return (kind & OF_A_FIELD) != LOOKUP_REF_OF;
}

bool kind_has_callers(str kind)
{
    return str_is(kind, "contact") || str_is(kind, "lead") || str_is(kind, "account");
}

static int by_kind(const void *x, const void *y)
{
    const struct feed_key *a = x, *b = y;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

unsigned keys_sort(struct feed_key *keys, unsigned n)
{
    unsigned left = 0;
    if (n > 1)
        qsort(keys, n, sizeof *keys, by_kind);
    for (unsigned i = 0; i < n; i++)
        if (left == 0 || by_kind(&keys[left - 1], &keys[i]) != 0)
            keys[left++] = keys[i];
    return left;
}

uint64_t keys_hash(const struct feed_key *keys, unsigned n)
{
    AUTO(buf_done) struct buf id = {0};
    for (unsigned i = 0; i < n; i++)
        buf_fmt(&id, "|%d:%u", keys[i].kind, keys[i].number);
    uint64_t hash = store_hash(id.p, id.n);
    return hash ? hash : 1;
}
