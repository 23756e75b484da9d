/* Records and the three ways to them: by id, by time, by value. Index entries are never removed but checked against the
 * record when read; the time indexes are swept when half of their entries are stale. A record that got a value back is
 * in the value index twice, so whoever collects what store_lookup finds drops doubles. */
#include <stdlib.h>

#include "desk_int.h"
#include "unicode.h"

void store_done(struct module *m)
{
    for (size_t i = 0; i < m->count; i++)
        free(m->records[i].blob);
    free(m->records);
    free(m->by_modified.e);
    free(m->by_created.e);
    free(m->by_value.e);
    free(m->by_value.heads);
}

/* ---- by time ------------------------------------------------------------ */

static void time_add(struct time_index *x, int64_t us, uint32_t at)
{
    if (x->n == x->cap) {
        x->cap = x->cap ? x->cap * 2 : 1024;
        x->e = realloc(x->e, x->cap * sizeof *x->e);
        ASSERT(x->e != NULL);
    }
    if (x->n && x->e[x->n - 1].us > us)
        x->unsorted = true;
    x->e[x->n++] = (struct time_entry){us, at};
}

static int entry_cmp(const void *a, const void *b)
{
    const struct time_entry *x = a, *y = b;
    if (x->us != y->us)
        return x->us < y->us ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

static void time_clean(struct module *m, struct time_index *x, bool by_created)
{
    if (x->stale > 64 && x->stale > x->n / 2) {
        size_t kept = 0;
        for (size_t i = 0; i < x->n; i++) {
            if (entry_is_true(m, &x->e[i], by_created))
                x->e[kept++] = x->e[i];
        }
        x->n = kept;
        x->stale = 0;
    }
    if (x->unsorted) {
        qsort(x->e, x->n, sizeof *x->e, entry_cmp);
        /* a record set back to a time it had is in twice */
        size_t kept = 0;
        for (size_t i = 0; i < x->n; i++) {
            if (!kept || entry_cmp(&x->e[kept - 1], &x->e[i]) != 0)
                x->e[kept++] = x->e[i];
        }
        x->n = kept;
        x->unsorted = false;
    }
}

static size_t lower_bound(const struct time_index *x, int64_t us)
{
    size_t low = 0, high = x->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (x->e[middle].us < us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void store_range(struct module *m, struct time_index *x, bool by_created, int64_t from_us, int64_t to_us, size_t *begin,
                 size_t *end)
{
    time_clean(m, x, by_created);
    *begin = lower_bound(x, from_us);
    *end = to_us == INT64_MAX ? x->n : lower_bound(x, to_us + 1);
}

void store_set_times(struct module *m, struct record *r, int64_t created_us, int64_t modified_us)
{
    uint32_t at = (uint32_t)(r - m->records);
    if (created_us != r->created_us) {
        r->created_us = created_us;
        m->by_created.stale++;
        time_add(&m->by_created, created_us, at);
    }
    if (modified_us != r->modified_us) {
        r->modified_us = modified_us;
        m->by_modified.stale++;
        time_add(&m->by_modified, modified_us, at);
    }
}

/* ---- by value ----------------------------------------------------------- */

static bool is_ascii(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] >= 0x80)
            return false;
    }
    return true;
}

static char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static uint32_t hash_add(uint32_t h, unsigned char c)
{
    return (h ^ c) * 16777619u;
}

static uint32_t value_hash(int slot, str s)
{
    uint32_t h = hash_add(2166136261u, (unsigned char)slot);
    s = str_trim(s);
    if (is_ascii(s)) {
        for (size_t i = 0; i < s.n; i++)
            h = hash_add(h, (unsigned char)ascii_lower(s.p[i]));
    } else {
        AUTO(buf_done) struct buf folded = {0};
        text_fold(&folded, s);
        for (size_t i = 0; i < folded.n; i++)
            h = hash_add(h, (unsigned char)folded.p[i]);
    }
    return h ? h : 1;
}

bool value_equal(str a, str b)
{
    a = str_trim(a);
    b = str_trim(b);
    if (is_ascii(a) && is_ascii(b))
        return str_eq_nocase(a, b);
    AUTO(buf_done) struct buf x = {0};
    AUTO(buf_done) struct buf y = {0};
    text_fold(&x, a);
    text_fold(&y, b);
    return str_eq(buf_lent(&x), buf_lent(&y));
}

static void hash_link(struct hash_index *x, size_t i)
{
    uint32_t *head = &x->heads[x->e[i].hash & (x->cap - 1)];
    x->e[i].next = *head;
    *head = (uint32_t)i + 1;
}

static void hash_insert(struct hash_index *x, uint32_t hash, uint32_t at)
{
    if (x->n == x->cap) {
        x->cap = x->cap ? x->cap * 2 : 4096;
        x->e = realloc(x->e, x->cap * sizeof *x->e);
        free(x->heads);
        x->heads = calloc(x->cap, sizeof *x->heads);
        ASSERT(x->e != NULL && x->heads != NULL);
        for (size_t i = 0; i < x->n; i++)
            hash_link(x, i);
    }
    x->e[x->n] = (struct hash_entry){.hash = hash, .at = at};
    hash_link(x, x->n++);
}

void store_lookup(struct module *m, int slot, str value, bool (*fn)(void *arg, struct record *r), void *arg)
{
    const struct hash_index *x = &m->by_value;
    if (!x->cap)
        return;
    uint32_t hash = value_hash(slot, value);
    for (uint32_t i = x->heads[hash & (x->cap - 1)]; i; i = x->e[i - 1].next) {
        if (x->e[i - 1].hash != hash)
            continue;
        struct record *r = &m->records[x->e[i - 1].at];
        if (value_equal(store_value(r, slot), value) && !fn(arg, r))
            return;
    }
}

/* ---- values ------------------------------------------------------------- */

static uint32_t length_read(const char *p)
{
    uint32_t n;
    memcpy(&n, p, sizeof n);
    return n;
}

str store_value(const struct record *r, int slot)
{
    const char *p = r->blob, *end = p + r->blob_n;
    while (p < end && (uint8_t)p[0] <= slot) {
        uint32_t n = length_read(p + 1);
        if ((uint8_t)p[0] == slot)
            return (str){p + 5, n};
        p += 5 + n;
    }
    return (str){"", 0};
}

static void value_append(struct buf *b, int slot, str s)
{
    uint32_t n = (uint32_t)s.n;
    buf_char(b, (char)slot);
    buf_add(b, &n, sizeof n);
    buf_str(b, s);
}

static const struct change *change_of(const struct change *changes, size_t n, int slot)
{
    for (size_t i = 0; i < n; i++) {
        if (changes[i].slot == slot)
            return &changes[i];
    }
    return NULL;
}

void store_apply(struct module *m, struct record *r, const struct change *changes, size_t n, int64_t modified_us)
{
    struct buf *b = &m->desk->line;
    buf_clear(b);
    for (int slot = 0; slot < m->field_count; slot++) {
        const struct change *x = change_of(changes, n, slot);
        str v = x ? x->value : store_value(r, slot);
        if (v.n)
            value_append(b, slot, v);
    }
    for (size_t i = 0; i < n; i++) {
        bool indexed = m->fields[changes[i].slot].indexed && changes[i].value.n;
        if (indexed && !str_eq(store_value(r, changes[i].slot), changes[i].value))
            hash_insert(&m->by_value, value_hash(changes[i].slot, changes[i].value), (uint32_t)(r - m->records));
    }
    char *blob = malloc(b->n ? b->n : 1);
    ASSERT(blob != NULL);
    if (b->n)
        memcpy(blob, b->p, b->n);
    free(r->blob);
    r->blob = blob;
    r->blob_n = (uint32_t)b->n;
    store_set_times(m, r, r->created_us, modified_us);
}

/* ---- records ------------------------------------------------------------ */

struct record *store_add(struct module *m, int64_t created_us)
{
    if (m->count == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 1024;
        m->records = realloc(m->records, m->cap * sizeof *m->records);
        ASSERT(m->records != NULL);
    }
    struct record *r = &m->records[m->count++];
    *r = (struct record){.id = m->desk->next_id += 3, .created_us = created_us, .modified_us = created_us};
    time_add(&m->by_created, created_us, (uint32_t)(r - m->records));
    time_add(&m->by_modified, created_us, (uint32_t)(r - m->records));
    m->live++;
    return r;
}

struct record *store_find(struct module *m, int64_t id)
{
    size_t low = 0, high = m->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (m->records[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < m->count && m->records[low].id == id ? &m->records[low] : NULL;
}

struct record *store_find_text(struct module *m, str id)
{
    int64_t n;
    return str_to_i64(id, &n) ? store_find(m, n) : NULL;
}

void store_set_state(struct module *m, struct record *r, enum rec_state state, int64_t now_us)
{
    if (r->state == REC_LIVE)
        m->live--;
    if (state == REC_LIVE)
        m->live++;
    r->state = (uint8_t)state;
    r->trashed_us = state == REC_TRASHED ? now_us : r->trashed_us;
}
