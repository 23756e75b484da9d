/* Records of the finance twin: made, copied, put in place, found, and the values in them. */
#include <stdio.h>
#include <stdlib.h>

#include "finance_int.h"
#include "times.h"

const struct fin_kind *const fin_kinds[FIN_KINDS] = {
    [FIN_CONTACTS] = &fin_contact, [FIN_INVOICES] = &fin_invoice, [FIN_ESTIMATES] = &fin_estimate,
    [FIN_ITEMS] = &fin_item,       [FIN_TAXES] = &fin_tax,        [FIN_CURRENCIES] = &fin_currency,
};

int fin_number(const struct fin_kind *k)
{
    for (int i = 0; i < FIN_KINDS; i++) {
        if (fin_kinds[i] == k)
            return i;
    }
    return -1;
}

/* ---- records ------------------------------------------------------------ */

static struct fin *fin_make(struct fin_org *o, const struct fin_kind *k)
{
    struct fin *r = calloc(1, sizeof *r);
    ASSERT(r != NULL);
    r->kind = k;
    r->org = o;
    r->v = calloc((size_t)k->n, sizeof *r->v);
    ASSERT(r->v != NULL);
    return r;
}

struct fin *fin_new(struct fin_org *o, const struct fin_kind *k)
{
    struct fin *r = fin_make(o, k);
    r->id = o->finance->next_id += 2;
    r->created_us = r->modified_us = sandbox_now_us(o->finance->world) / US_PER_S * US_PER_S;
    return r;
}

static void contents_free(struct fin *r)
{
    for (int i = 0; i < r->kind->n; i++)
        text_free(r->v[i]);
    free(r->v);
    fin_sub_clear(r);
    for (int i = 0; i < 2; i++) {
        if (r->address[i])
            r->address[i] = fin_free(r->address[i]);
    }
    for (int i = 0; i < FIN_CUSTOM_MAX; i++)
        text_free(r->custom[i]);
}

struct fin *fin_free(struct fin *r)
{
    if (r)
        contents_free(r);
    free(r);
    return NULL;
}

static char *text_copy(const char *z)
{
    return z ? text_dup(z) : NULL;
}

struct fin *fin_copy(const struct fin *r)
{
    if (!r)
        return NULL;
    struct fin *copy = fin_make(r->org, r->kind);
    char **v = copy->v;
    *copy = *r;
    copy->v = v;
    copy->sub = NULL;
    copy->sub_n = 0;
    for (int i = 0; i < r->kind->n; i++)
        v[i] = text_copy(r->v[i]);
    for (size_t i = 0; i < r->sub_n; i++)
        fin_sub_add(copy, fin_copy(r->sub[i]));
    for (int i = 0; i < 2; i++)
        copy->address[i] = fin_copy(r->address[i]);
    for (int i = 0; i < FIN_CUSTOM_MAX; i++)
        copy->custom[i] = text_copy(r->custom[i]);
    return copy;
}

void fin_replace(struct fin *r, struct fin *draft)
{
    struct fin old = *r;
    int64_t id = r->id;
    *r = *draft;
    r->id = id;
    contents_free(&old);
    free(draft);
}

void fin_sub_add(struct fin *r, struct fin *sub)
{
    r->sub = realloc(r->sub, sizeof *r->sub * (r->sub_n + 1));
    ASSERT(r->sub != NULL);
    r->sub[r->sub_n++] = sub;
}

void fin_sub_clear(struct fin *r)
{
    for (size_t i = 0; i < r->sub_n; i++)
        fin_free(r->sub[i]);
    free(r->sub);
    r->sub = NULL;
    r->sub_n = 0;
}

/* ---- lists -------------------------------------------------------------- */

void fin_add(struct fin *r)
{
    struct fin_list *l = &r->org->lists[fin_number(r->kind)];
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 256;
        l->rows = realloc(l->rows, l->cap * sizeof *l->rows);
        ASSERT(l->rows != NULL);
    }
    ASSERT(!l->n || l->rows[l->n - 1]->id < r->id);
    l->rows[l->n++] = r;
    r->org->stale = true;
}

/* late-commit: the record is there for every index that refuses doubles, and for no reader yet. */
struct fin *fin_keep(struct call *c, struct fin *existing, struct fin *draft)
{
    fin_custom_watch(draft, existing);
    if (existing) {
        fin_replace(existing, draft);
        fin_touch(existing);
        return existing;
    }
    const struct fault *late = fault_take(c->world, draft->org->finance->twin, "late-commit", NULL, c->path);
    if (late)
        draft->visible_us = sandbox_now_us(c->world) + late->ms * US_PER_MS;
    fin_add(draft);
    return draft;
}

bool fin_seen(const struct fin *r)
{
    return !r->gone && r->visible_us <= sandbox_now_us(r->org->finance->world);
}

struct fin *fin_find(const struct fin_org *o, int kind, int64_t id)
{
    const struct fin_list *l = &o->lists[kind];
    size_t low = 0, high = l->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (l->rows[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < l->n && l->rows[low]->id == id && fin_seen(l->rows[low]) ? l->rows[low] : NULL;
}

struct fin *fin_find_text(const struct fin_org *o, int kind, str id)
{
    int64_t n;
    return str_to_i64(id, &n) ? fin_find(o, kind, n) : NULL;
}

/* ---- values ------------------------------------------------------------- */

const struct fin_field *fin_field(const struct fin_kind *k, str name)
{
    for (int i = 0; i < k->n; i++) {
        if (str_is(name, k->fields[i].name))
            return &k->fields[i];
    }
    return NULL;
}

static char **slot(const struct fin *r, const char *field)
{
    const struct fin_field *f = fin_field(r->kind, str_of(field));
    ASSERT(f != NULL);
    return &r->v[f - r->kind->fields];
}

str fin_get(const struct fin *r, const char *field)
{
    const char *z = *slot(r, field);
    return str_of(z ? z : "");
}

void fin_set(struct fin *r, const char *field, str value)
{
    char **at = slot(r, field), *old = *at;
    *at = value.n ? str_dup(value) : NULL; /* the value may be lent from the old one */
    text_free(old);
}

void fin_set_money(struct fin *r, const char *field, money m)
{
    AUTO(buf_done) struct buf b = {0};
    money_put_short(&b, m);
    fin_set(r, field, buf_lent(&b));
}

void fin_set_int(struct fin *r, const char *field, int64_t v)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)v);
    fin_set(r, field, str_of(text));
}

money fin_money(const struct fin *r, const char *field)
{
    money m = 0;
    money_parse(fin_get(r, field), &m);
    return m;
}

int64_t fin_int(const struct fin *r, const char *field)
{
    int64_t v = 0;
    str_to_i64(fin_get(r, field), &v);
    return v;
}

bool fin_true(const struct fin *r, const char *field)
{
    return str_is(fin_get(r, field), "true");
}

void fin_touch(struct fin *r)
{
    r->modified_us = sandbox_now_us(r->org->finance->world) / US_PER_S * US_PER_S;
    r->org->stale = true;
}

/* ---- what the organisation says ----------------------------------------- */

int fin_precision(const struct fin_org *o)
{
    return (int)fin_int(o->record, "price_precision");
}

static int64_t offset_us(const struct fin_org *o)
{
    return fin_int(o->record, "utc_offset_minutes") * 60 * US_PER_S;
}

int64_t fin_today(const struct fin_org *o)
{
    return (sandbox_now_us(o->finance->world) + offset_us(o)) / US_PER_DAY;
}

/* "2013-11-18T02:17:40-0800" (https://www.zoho.com/books/api/v3/introduction/): local, the offset without a colon. */
void fin_time_put(struct buf *b, const struct fin_org *o, int64_t us)
{
    char text[32];
    int64_t minutes = fin_int(o->record, "utc_offset_minutes");
    time_text(text, us + offset_us(o));
    text[19] = '\0';
    int64_t size = minutes < 0 ? -minutes : minutes;
    buf_fmt(b, "%s%c%02lld%02lld", text, minutes < 0 ? '-' : '+', (long long)(size / 60), (long long)(size % 60));
}
