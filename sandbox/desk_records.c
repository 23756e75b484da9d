/* Contacts, accounts and tickets by list, id and write. Vendor: zohodesk-oas v1.0 Contact.json, Account.json,
 * Recyclebin.json.
 */
#include <stdio.h>
#include <stdlib.h>

#include "desk_int.h"
#include "times.h"

enum { PAGE_MAX = 100, BY_IDS_MAX = 20, MASS_MAX = 100, FROM_MAX = 100000000, BIN_LIMIT_MAX = 50 };
static const char stamp_field[] = "cf_tieline_id";

/* ---- changes ------------------------------------------------------------ */

/* The vendor keeps milliseconds. */
static int64_t now_of(const struct module *m)
{
    return sandbox_now_us(m->desk->world) / US_PER_MS * US_PER_MS;
}

static void raise_event(struct module *m, const char *verb, const struct record *r, str prev, str source_id)
{
    AUTO(text_free) char *event = text_fmt("%s_%s", m->event, verb);
    if (!hooks_want(m->desk->hooks, event, NULL))
        return;
    AUTO(buf_done) struct buf payload = {0};
    if (strcmp(verb, "Delete") == 0)
        buf_fmt(&payload, "{\"id\":\"%lld\"}", (long long)r->id);
    else
        record_put(&payload, m, r, true, false);
    hooks_raise(m->desk->hooks, event, buf_lent(&payload), prev, source_id);
}

struct stamp_search {
    const struct record *self, *found;
};

static bool stamp_seen(void *arg, struct record *r)
{
    struct stamp_search *s = arg;
    if (r != s->self && r->state == REC_LIVE)
        s->found = r;
    return !s->found;
}

/* The invariant on stamps: a write that carries one must not reach a record stamped otherwise, and must not make a
 * second record of one source record. */
static void stamp_watch(struct module *m, const struct record *r, const struct checked *x)
{
    int slot = field_slot(m, str_of(stamp_field));
    for (size_t i = 0; slot >= 0 && i < x->n; i++) {
        if (x->changes[i].slot != slot || !x->changes[i].value.n)
            continue;
        str have = r ? store_value(r, slot) : (str){0};
        struct stamp_search s = {.self = r};
        store_lookup(m, slot, x->changes[i].value, stamp_seen, &s);
        if (have.n && !str_eq(have, x->changes[i].value))
            sandbox_violation(m->desk->world, m->desk->twin, "%s %lld is stamped \"%.*s\", written with \"%.*s\"",
                              m->name, (long long)r->id, STR_FMT(have), STR_FMT(x->changes[i].value));
        else if (s.found)
            sandbox_violation(m->desk->world, m->desk->twin, "%s: stamp \"%.*s\" given twice, %lld has it", m->name,
                              STR_FMT(x->changes[i].value), (long long)s.found->id);
    }
}

struct record *record_create(struct module *m, const struct checked *x, str source_id)
{
    stamp_watch(m, NULL, x);
    struct record *r = store_add(m, now_of(m));
    store_apply(m, r, x->changes, x->n, r->created_us);
    if (m->number == MOD_TICKETS)
        ticket_settle(m, r);
    raise_event(m, "Add", r, (str){0}, source_id);
    return r;
}

void record_update(struct module *m, struct record *r, const struct checked *x, str source_id)
{
    AUTO(text_free) char *event = text_fmt("%s_Update", m->event);
    AUTO(buf_done) struct buf prev = {0};
    bool with_prev = false;
    if (hooks_want(m->desk->hooks, event, &with_prev) && with_prev)
        record_put(&prev, m, r, true, false);
    stamp_watch(m, r, x);
    store_apply(m, r, x->changes, x->n, now_of(m));
    if (m->number == MOD_TICKETS)
        ticket_settle(m, r);
    raise_event(m, "Update", r, buf_lent(&prev), source_id);
}

void record_trash(struct module *m, struct record *r, str source_id)
{
    store_set_state(m, r, REC_TRASHED, now_of(m));
    raise_event(m, "Delete", r, (str){0}, source_id);
}

/* No webhook tells of a restore. */
void record_restore(struct module *m, struct record *r)
{
    store_set_state(m, r, REC_LIVE, 0);
    if (twin_switch(m->desk->twin, "restore_touches"))
        store_set_times(m, r, r->created_us, now_of(m));
}

/* The loser is gone for every reader; accounts take over the loser's contacts. No webhook tells of a merge. */
void record_merge(struct module *m, struct record *winner, struct record *loser)
{
    store_set_state(m, loser, REC_MERGED, 0);
    store_set_times(m, winner, winner->created_us, now_of(m));
    if (m->number != MOD_ACCOUNTS)
        return;
    struct module *contacts = &m->desk->modules[MOD_CONTACTS];
    int slot = field_slot(contacts, STR("accountId"));
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)winner->id);
    for (size_t i = 0; i < contacts->count; i++) {
        int64_t id;
        if (!str_to_i64(store_value(&contacts->records[i], slot), &id) || id != loser->id)
            continue;
        struct change move = {slot, str_of(text)};
        store_apply(contacts, &contacts->records[i], &move, 1, now_of(contacts));
    }
}

/* ---- lists -------------------------------------------------------------- */

/* Orders a list may be asked for; -1 and -2: the two times. */
static bool order_of(struct call *c, const struct module *m, const char *allowed, int *slot_out, bool *down_out)
{
    str by = {0};
    *slot_out = -1;
    *down_out = false;
    if (!call_query(c, "sortBy", &by) || !by.n)
        return true;
    *down_out = by.p[0] == '-';
    str name = *down_out ? str_n(by.p + 1, by.n - 1) : by;
    if (str_in_list(str_of(allowed), name)) {
        if (str_is(name, "createdTime"))
            return true;
        if (str_is(name, "modifiedTime"))
            return *slot_out = -2, true;
        *slot_out = field_slot(m, str_is(name, "account") ? STR("accountId") : name);
        return *slot_out >= 0;
    }
    desk_bad_param(c, "sortBy");
    return false;
}

struct sort_row {
    str value;
    const struct record *r;
};

static int sort_cmp(const void *a, const void *b)
{
    const struct sort_row *x = a, *y = b;
    int d = str_cmp(x->value, y->value);
    return d ? d : x->r->id < y->r->id ? -1 : x->r->id > y->r->id;
}

/* The live records [skip, skip + limit) in the order asked for, into out; returns how many. */
static size_t page_by_time(struct module *m, bool by_created, bool down, size_t skip, size_t limit,
                           const struct record **out)
{
    struct time_index *x = by_created ? &m->by_created : &m->by_modified;
    size_t begin, end, n = 0;
    store_range(m, x, by_created, INT64_MIN, INT64_MAX, &begin, &end);
    for (size_t i = begin; i < end && n < limit; i++) {
        const struct time_entry *e = &x->e[down ? end - 1 - (i - begin) : i];
        const struct record *r = &m->records[e->at];
        if (r->state != REC_LIVE || !entry_is_true(m, e, by_created))
            continue;
        if (skip)
            skip--;
        else
            out[n++] = r;
    }
    return n;
}

static size_t page_by_value(struct module *m, int slot, bool down, size_t skip, size_t limit, const struct record **out)
{
    struct sort_row *rows = calloc(m->live + 1, sizeof *rows);
    ASSERT(rows != NULL);
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < m->count; i++) {
        if (m->records[i].state == REC_LIVE)
            rows[n++] = (struct sort_row){store_value(&m->records[i], slot), &m->records[i]};
    }
    qsort(rows, n, sizeof *rows, sort_cmp);
    for (size_t i = skip; i < n && kept < limit; i++)
        out[kept++] = rows[down ? n - 1 - i : i].r;
    free(rows);
    return kept;
}

static bool view_check(struct call *c, const struct module *m)
{
    str view;
    if (!call_query(c, "viewId", &view) || view_known(m, view))
        return true;
    desk_bad_param(c, "viewId");
    return false;
}

/* Lists and contactsByIds answer with short records (zohodesk-oas v1.0 Contact.json). */
static void answer_page(struct call *c, struct module *m, const struct record **page, size_t n)
{
    str include = {0};
    call_query(c, "include", &include);
    bool with_account = str_in_list(include, STR("accounts"));
    if (!n)
        return call_answer_empty(c, 204);
    buf_text_add(&c->out, "{\"data\":[");
    for (size_t i = 0; i < n; i++) {
        json_put_comma(&c->out);
        record_put(&c->out, m, page[i], false, with_account);
    }
    buf_add(&c->out, "]}", 2);
    call_answer(c, 200);
}

void h_list(struct call *c)
{
    struct module *m = desk_module_of(c);
    bool contacts = m->number == MOD_CONTACTS, down;
    int64_t from, limit, base = twin_switch(c->twin, "from_base"), cap = twin_switch(c->twin, "limit_cap");
    int slot;
    if (!desk_params_known(c, contacts ? "from,limit,viewId,include,sortBy" : "from,limit,viewId,sortBy") ||
        !desk_int_param(c, "from", base, base, FROM_MAX, &from) ||
        !desk_int_param(c, "limit", 10, 1, cap < PAGE_MAX ? cap : PAGE_MAX, &limit) || !view_check(c, m) ||
        !order_of(c, m,
                  contacts ? "firstName,lastName,phone,email,account,createdTime,modifiedTime"
                           : "website,email,phone,accountName,createdTime,modifiedTime",
                  &slot, &down))
        return;
    const struct record *page[PAGE_MAX];
    size_t skip = (size_t)(from - base), n;
    if (slot < 0)
        n = page_by_time(m, slot == -1, down, skip, (size_t)limit, page);
    else
        n = page_by_value(m, slot, down, skip, (size_t)limit, page);
    answer_page(c, m, page, n);
}

void h_by_ids(struct call *c)
{
    struct module *m = desk_module_of(c);
    const struct record *page[BY_IDS_MAX];
    size_t n = 0, asked = 0;
    str ids = {0}, one;
    if (!desk_params_known(c, "ids,include"))
        return;
    call_query(c, "ids", &ids);
    if (!ids.n)
        return desk_bad_param(c, "ids");
    while (ids.n && str_split(&ids, ',', &one)) {
        if (++asked > BY_IDS_MAX)
            return desk_bad_param(c, "ids");
        const struct record *r = store_find_text(m, str_trim(one));
        if (r && r->state == REC_LIVE)
            page[n++] = r;
    }
    answer_page(c, m, page, n);
}

void h_count(struct call *c)
{
    struct module *m = desk_module_of(c);
    str view;
    if (!desk_params_known(c, "viewId"))
        return;
    if (!call_query(c, "viewId", &view) || !view_known(m, view))
        return desk_bad_param(c, "viewId");
    call_answer_fmt(c, 200, "{\"count\":%zu}", m->live);
}

/* ---- one record --------------------------------------------------------- */

static void answer_record(struct call *c, struct module *m, const struct record *r)
{
    str include = {0};
    call_query(c, "include", &include);
    buf_clear(&c->out);
    record_put(&c->out, m, r, true, str_in_list(include, STR("accounts")));
    call_answer(c, 200);
}

/* The record of the path when its state can be read or written, else NULL after a 404. */
static struct record *record_of(struct call *c, struct module *m, bool to_write)
{
    struct record *r = store_find_text(m, c->capture[0]);
    bool there =
        r && (r->state == REC_LIVE || (r->state == REC_TRASHED && !to_write && twin_switch(c->twin, "trash_reads")));
    if (there)
        return r;
    desk_not_found(c);
    return NULL;
}

void h_get(struct call *c)
{
    struct module *m = desk_module_of(c);
    const struct record *r = record_of(c, m, false);
    if (r && desk_params_known(c, "include"))
        answer_record(c, m, r);
}

void h_create(struct call *c)
{
    struct module *m = desk_module_of(c);
    json_t *body = desk_body(c);
    if (!body)
        return;
    AUTO(checked_done) struct checked x = {0};
    fields_check(&x, m, body, NULL);
    if (x.errors.n)
        return desk_invalid(c, buf_text(&x.errors));
    answer_record(c, m, record_create(m, &x, call_header(c, "sourceId")));
}

void h_patch(struct call *c)
{
    struct module *m = desk_module_of(c);
    struct record *r = record_of(c, m, true);
    json_t *body = r ? desk_body(c) : NULL;
    if (!body)
        return;
    AUTO(checked_done) struct checked x = {0};
    fields_check(&x, m, body, r);
    if (x.errors.n)
        return desk_invalid(c, buf_text(&x.errors));
    record_update(m, r, &x, call_header(c, "sourceId"));
    if (twin_switch(c->twin, "patch_answers"))
        answer_record(c, m, r);
    else
        call_answer_empty(c, 204);
}

/* ---- mass actions ------------------------------------------------------- */

static void invalid_member(struct call *c, const char *name, const char *type)
{
    AUTO(text_free)
    char *error = text_fmt("{\"fieldName\":\"/%s\",\"errorType\":\"%s\",\"errorMessage\":\"\"}", name, type);
    desk_invalid(c, error);
}

static str json_id(const json_t *v, char scratch[24])
{
    if (json_is_string(v))
        return str_n(json_string_value(v), json_string_length(v));
    if (!json_is_integer(v))
        return (str){0};
    snprintf(scratch, 24, "%lld", (long long)json_integer_value(v));
    return str_of(scratch);
}

/* Reads the array of ids named key; find gives a record for an id or NULL. Returns how many, 0 after a refusal. */
static size_t ids_read(struct call *c, const char *key, struct record *(*find)(struct call *c, str id),
                       struct record *out[MASS_MAX])
{
    json_t *body = desk_body(c);
    if (!body)
        return 0;
    const json_t *ids = json_object_get(body, key);
    size_t n = json_array_size(ids);
    if (!n || n > MASS_MAX)
        return invalid_member(c, key, ids ? "invalid" : "missing"), 0;
    for (size_t i = 0; i < n; i++) {
        char scratch[24];
        out[i] = find(c, json_id(json_array_get(ids, i), scratch));
        if (!out[i])
            return invalid_member(c, key, "invalid"), 0;
    }
    return n;
}

static struct record *find_live(struct call *c, str id)
{
    struct record *r = store_find_text(desk_module_of(c), id);
    return r && r->state == REC_LIVE ? r : NULL;
}

void h_trash(struct call *c)
{
    struct module *m = desk_module_of(c);
    struct record *rows[MASS_MAX];
    size_t n = ids_read(c, m->ids_key, find_live, rows);
    for (size_t i = 0; i < n; i++) {
        if (rows[i]->state == REC_LIVE)
            record_trash(m, rows[i], call_header(c, "sourceId"));
    }
    if (n)
        call_answer_empty(c, 204);
}

/* source: {"field": id of the record whose value the winner gets}. */
static void merge_values(struct module *m, struct record *winner, const json_t *source)
{
    AUTO(checked_done) struct checked x = {0};
    const char *name;
    json_t *from;
    json_object_foreach((json_t *)(uintptr_t)source, name, from)
    {
        char scratch[24];
        int slot = field_slot(m, str_of(name));
        const struct record *r = store_find_text(m, json_id(from, scratch));
        if (slot >= 0 && r && r != winner)
            x.changes[x.n++] = (struct change){slot, arena_str(&x.arena, store_value(r, slot))};
    }
    if (x.n)
        store_apply(m, winner, x.changes, x.n, now_of(m));
}

void h_merge(struct call *c)
{
    struct module *m = desk_module_of(c);
    struct record *winner = record_of(c, m, true), *losers[MASS_MAX];
    if (!winner)
        return;
    size_t n = ids_read(c, "ids", find_live, losers);
    for (size_t i = 0; i < n; i++) {
        if (losers[i] == winner)
            return invalid_member(c, "ids", "invalid");
    }
    if (!n)
        return;
    merge_values(m, winner, json_object_get(call_json(c, NULL), "source"));
    for (size_t i = 0; i < n; i++)
        record_merge(m, winner, losers[i]);
    answer_record(c, m, winner);
}

/* ---- recycle bin -------------------------------------------------------- */

static void bin_entry_put(struct buf *b, const struct module *m, const struct record *r)
{
    str name = store_value(r, 0), first = m->number == MOD_CONTACTS ? store_value(r, 1) : (str){0};
    AUTO(text_free) char *shown = text_fmt("%.*s%s%.*s", STR_FMT(first), first.n ? " " : "", STR_FMT(name));
    json_put_comma(b);
    buf_char(b, '{');
    put_id(b, "id", r->id);
    json_put_member(b, "type", str_of(m->type));
    json_put_member(b, "displayName", str_of(shown));
    json_put_raw(b, "departmentId", STR("null"));
    put_id(b, "deletedById", DESK_AGENT_ID);
    put_time(b, "deletedTime", r->trashed_us);
    buf_char(b, '}');
}

struct bin_row {
    const struct module *m;
    const struct record *r;
};

static int bin_cmp(const void *a, const void *b)
{
    const struct bin_row *x = a, *y = b;
    if (x->r->trashed_us != y->r->trashed_us)
        return x->r->trashed_us > y->r->trashed_us ? -1 : 1;
    return x->r->id > y->r->id ? -1 : x->r->id < y->r->id;
}

static size_t bin_collect(struct desk *d, struct bin_row **out)
{
    size_t n = 0, cap = 0;
    struct bin_row *rows = NULL;
    for (int k = 0; k < DESK_MODULES; k++) {
        const struct module *m = &d->modules[k];
        for (size_t i = 0; i < m->count; i++) {
            if (m->records[i].state != REC_TRASHED)
                continue;
            if (n == cap) {
                cap = cap ? cap * 2 : 64;
                rows = realloc(rows, cap * sizeof *rows);
                ASSERT(rows != NULL);
            }
            rows[n++] = (struct bin_row){m, &m->records[i]};
        }
    }
    if (n && twin_switch(d->twin, "bin_newest_first"))
        qsort(rows, n, sizeof *rows, bin_cmp);
    *out = rows;
    return n;
}

void h_bin(struct call *c)
{
    int64_t from, limit;
    if (!desk_params_known(c, "from,limit,departmentId,moduleId,include") ||
        !desk_int_param(c, "from", 0, 0, FROM_MAX, &from) || !desk_int_param(c, "limit", 10, 1, BIN_LIMIT_MAX, &limit))
        return;
    struct bin_row *rows;
    size_t n = bin_collect(c->self, &rows);
    buf_text_add(&c->out, "{\"data\":[");
    for (size_t i = (size_t)from; i < n && i < (size_t)(from + limit); i++)
        bin_entry_put(&c->out, rows[i].m, rows[i].r);
    free(rows);
    if (n <= (size_t)from)
        return call_answer_empty(c, 204);
    buf_add(&c->out, "]}", 2);
    call_answer(c, 200);
}

static struct record *find_trashed(struct call *c, str id)
{
    struct desk *d = c->self;
    for (int k = 0; k < DESK_MODULES; k++) {
        struct record *r = store_find_text(&d->modules[k], id);
        if (r && r->state == REC_TRASHED)
            return r;
    }
    return NULL;
}

static struct module *owner_of(struct desk *d, const struct record *r)
{
    int k = 0;
    while (k < DESK_MODULES - 1 && !(r >= d->modules[k].records && r < d->modules[k].records + d->modules[k].count))
        k++;
    return &d->modules[k];
}

static void bin_act(struct desk *d, struct record *r, bool restore)
{
    struct module *m = owner_of(d, r);
    if (r->state != REC_TRASHED)
        return;
    if (restore)
        record_restore(m, r);
    else
        store_set_state(m, r, REC_PURGED, 0);
}

static void bin_some(struct call *c, bool restore)
{
    struct record *rows[MASS_MAX];
    size_t n = ids_read(c, "ids", find_trashed, rows);
    for (size_t i = 0; i < n; i++)
        bin_act(c->self, rows[i], restore);
    if (n)
        call_answer_empty(c, 204);
}

static void bin_all(struct call *c, bool restore)
{
    struct desk *d = c->self;
    for (int k = 0; k < DESK_MODULES; k++) {
        for (size_t i = 0; i < d->modules[k].count; i++)
            bin_act(d, &d->modules[k].records[i], restore);
    }
    call_answer_empty(c, 202);
}

void h_bin_restore(struct call *c)
{
    bin_some(c, true);
}

void h_bin_delete(struct call *c)
{
    bin_some(c, false);
}

void h_bin_restore_all(struct call *c)
{
    bin_all(c, true);
}

void h_bin_delete_all(struct call *c)
{
    bin_all(c, false);
}
