/* GET /contacts/search, /accounts/search and /tickets/search: narrow by the best index, check every condition, sort,
 * cut the page. Vendor: zohodesk-oas v1.0 Search.json: from 0 to 999, limit to 100, several values by comma mean OR (30
 * at most),
 * '*' as wildcard, ${empty}, ${notempty}; _all needs 3 characters and does not combine with other fields. */
#include <stdio.h>
#include <stdlib.h>

#include "desk_int.h"
#include "times.h"
#include "unicode.h"

enum { CONDITIONS_MAX = 20, VALUES_MAX = 30, FROM_LAST = 999, LIMIT_MAX = 100, ALL_MIN = 3 };

enum match_kind { MATCH_EQUAL, MATCH_GLOB, MATCH_EMPTY, MATCH_NOT_EMPTY, MATCH_OPEN };
enum { SLOT_ID = -1, SLOT_ALL = -2, SLOT_FULL_NAME = -3, SLOT_ACCOUNT_NAME = -4, SLOT_NUMBER = -5 };

struct match {
    enum match_kind kind;
    str value; /* for globs: folded, with '*' */
};
struct condition {
    int slot;
    struct match values[VALUES_MAX];
    int count;
};
struct search {
    struct module *m;
    struct call *c;
    struct condition conditions[CONDITIONS_MAX];
    int count;
    int64_t created[2], modified[2], due[2]; /* both ends included */
    bool has_created, has_modified, has_due, bad;
    uint32_t *hits;
    size_t hit_count, hit_cap;
    int64_t visible_us; /* written later than this: not in the index yet */
};

/* ---- reading the query -------------------------------------------------- */

static bool range_read(struct search *s, const char *name, int64_t out[2])
{
    str text, from;
    if (!call_query(s->c, name, &text))
        return false;
    str rest = text;
    if (!str_split(&rest, ',', &from) || !time_parse(str_trim(from), &out[0]) || !time_parse(str_trim(rest), &out[1]) ||
        out[0] > out[1]) {
        desk_bad_param(s->c, name);
        s->bad = true;
        return false;
    }
    if (!twin_switch(s->c->twin, "range_ends")) {
        out[0] += US_PER_MS;
        out[1] -= US_PER_MS;
    }
    return true;
}

static str folded(struct call *c, str s)
{
    AUTO(buf_done) struct buf b = {0};
    text_fold(&b, s);
    return arena_str(&c->arena, buf_lent(&b));
}

static struct match match_read(struct call *c, str v)
{
    if (str_is(v, "${empty}"))
        return (struct match){MATCH_EMPTY, {0}};
    if (str_is(v, "${notempty}"))
        return (struct match){MATCH_NOT_EMPTY, {0}};
    if (str_is(v, "${open}") && twin_switch(c->twin, "open_word"))
        return (struct match){MATCH_OPEN, {0}};
    if (memchr(v.p, '*', v.n))
        return (struct match){MATCH_GLOB, folded(c, v)};
    return (struct match){MATCH_EQUAL, v};
}

static void condition_add(struct search *s, const char *param, int slot, str text)
{
    ASSERT(s->count < CONDITIONS_MAX);
    struct condition *x = &s->conditions[s->count++];
    *x = (struct condition){.slot = slot};
    str one;
    while (text.n && str_split(&text, ',', &one)) {
        if (x->count == VALUES_MAX || !str_trim(one).n) {
            desk_bad_param(s->c, param);
            s->bad = true;
            return;
        }
        x->values[x->count++] = match_read(s->c, str_trim(one));
    }
    if (!x->count) {
        desk_bad_param(s->c, param);
        s->bad = true;
    }
}

static void field_read(struct search *s, const char *param, int slot)
{
    str text;
    if (!s->bad && call_query(s->c, param, &text))
        condition_add(s, param, slot, text);
}

/* customField1 .. customField10: "cf_x:value". */
static void custom_read(struct search *s)
{
    for (int i = 1; i <= 10 && !s->bad; i++) {
        char param[24];
        str text, name;
        snprintf(param, sizeof param, "customField%d", i);
        if (!call_query(s->c, param, &text))
            continue;
        str value = text;
        int slot = str_split(&value, ':', &name) ? field_slot(s->m, str_trim(name)) : -1;
        if (slot < 0 || !s->m->fields[slot].custom || !value.n) {
            desk_bad_param(s->c, param);
            s->bad = true;
            return;
        }
        condition_add(s, param, slot, value);
    }
}

/* Fields that are searched by their name. */
static const char *const params_by_module[DESK_MODULES][12] = {
    [MOD_ACCOUNTS] = {"accountName", "email", "phone", "website"},
    [MOD_CONTACTS] = {"firstName", "lastName", "email", "phone", "mobile"},
    [MOD_TICKETS] = {"subject", "description", "status", "priority", "channel", "category", "contactId", "accountId",
                     "assigneeId", "email", "phone"},
};

static void ticket_read(struct search *s)
{
    field_read(s, "departmentId", field_slot(s->m, STR("departmentId")));
    field_read(s, "ticketNumber", SLOT_NUMBER);
    if (!s->bad)
        s->has_due = range_read(s, "dueDateRange", s->due);
}

static void query_read(struct search *s)
{
    bool contacts = s->m->number == MOD_CONTACTS;
    const char *const *params = params_by_module[s->m->number];
    s->has_created = range_read(s, "createdTimeRange", s->created);
    if (!s->bad)
        s->has_modified = range_read(s, "modifiedTimeRange", s->modified);
    for (size_t i = 0; params[i]; i++)
        field_read(s, params[i], field_slot(s->m, str_of(params[i])));
    field_read(s, "id", SLOT_ID);
    if (s->m->number == MOD_TICKETS)
        ticket_read(s);
    if (contacts)
        field_read(s, "fullName", SLOT_FULL_NAME);
    if (s->m->number != MOD_ACCOUNTS)
        field_read(s, "accountName", SLOT_ACCOUNT_NAME);
    custom_read(s);
    str all;
    if (s->bad || !call_query(s->c, "_all", &all))
        return;
    size_t characters = utf8_length(all);
    if (characters < ALL_MIN || s->count) {
        desk_bad_param(s->c, "_all");
        s->bad = true;
        return;
    }
    condition_add(s, "_all", SLOT_ALL, all);
}

/* ---- checking a record -------------------------------------------------- */

static bool glob_folded(str glob, str text)
{
    size_t g = 0, t = 0, star = SIZE_MAX, mark = 0;
    while (t < text.n) {
        if (g < glob.n && glob.p[g] == '*') {
            star = g++;
            mark = t;
        } else if (g < glob.n && glob.p[g] == text.p[t]) {
            g++;
            t++;
        } else if (star != SIZE_MAX) {
            g = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (g < glob.n && glob.p[g] == '*')
        g++;
    return g == glob.n;
}

static bool text_fits(const struct match *x, str text)
{
    if (x->kind == MATCH_EMPTY)
        return !text.n;
    if (x->kind == MATCH_NOT_EMPTY)
        return text.n > 0;
    if (x->kind == MATCH_OPEN)
        return str_is(ticket_status_type(text), "Open");
    if (x->kind == MATCH_EQUAL)
        return text.n && value_equal(text, x->value);
    AUTO(buf_done) struct buf b = {0};
    text_fold(&b, text);
    return glob_folded(x->value, buf_lent(&b));
}

/* _all: some field contains the text, or fits it when it has wildcards. */
static bool any_fits(struct search *s, const struct match *x, const struct record *r)
{
    AUTO(buf_done) struct buf glob = {0};
    if (x->kind == MATCH_EQUAL) {
        buf_char(&glob, '*');
        buf_str(&glob, folded(s->c, x->value));
        buf_char(&glob, '*');
    }
    struct match contains = {MATCH_GLOB, glob.n ? buf_lent(&glob) : x->value};
    for (int i = 0; i < s->m->field_count; i++) {
        str v = store_value(r, i);
        if (v.n && s->m->fields[i].type != FT_LOOKUP && text_fits(&contains, v))
            return true;
    }
    return false;
}

static bool match_fits(struct search *s, const struct condition *x, const struct match *v, const struct record *r)
{
    struct module *m = s->m;
    char id[24];
    switch (x->slot) {
    case SLOT_ID:
        snprintf(id, sizeof id, "%lld", (long long)r->id);
        return str_is(v->value, id);
    case SLOT_NUMBER:
        snprintf(id, sizeof id, "%lld", (long long)ticket_number(m, r));
        return str_is(v->value, id);
    case SLOT_ALL:
        return any_fits(s, v, r);
    case SLOT_FULL_NAME: {
        str first = store_value(r, field_slot(m, STR("firstName"))), last = store_value(r, 0);
        AUTO(text_free) char *full = text_fmt("%.*s%s%.*s", STR_FMT(first), first.n ? " " : "", STR_FMT(last));
        return text_fits(v, str_of(full));
    }
    case SLOT_ACCOUNT_NAME: {
        const struct record *a =
            store_find_text(&m->desk->modules[MOD_ACCOUNTS], store_value(r, field_slot(m, STR("accountId"))));
        return text_fits(v, a ? store_value(a, 0) : (str){0});
    }
    default:
        return text_fits(v, store_value(r, x->slot));
    }
}

static bool is_due(const struct search *s, const struct record *r)
{
    int64_t due;
    str text = store_value(r, field_slot(s->m, STR("dueDate")));
    return text.n && time_parse(text, &due) && due >= s->due[0] && due <= s->due[1];
}

static bool record_fits(struct search *s, const struct record *r)
{
    if (r->state != REC_LIVE || r->created_us > s->visible_us)
        return false;
    if (s->has_created && (r->created_us < s->created[0] || r->created_us > s->created[1]))
        return false;
    if (s->has_modified &&
        (r->modified_us < s->modified[0] || r->modified_us > s->modified[1] || r->modified_us > s->visible_us))
        return false;
    if (s->has_due && !is_due(s, r))
        return false;
    for (int i = 0; i < s->count; i++) {
        const struct condition *x = &s->conditions[i];
        bool fits = false;
        for (int k = 0; k < x->count && !fits; k++)
            fits = match_fits(s, x, &x->values[k], r);
        if (!fits)
            return false;
    }
    return true;
}

/* ---- candidates --------------------------------------------------------- */

static void hit_add(struct search *s, const struct record *r)
{
    if (s->hit_count == s->hit_cap) {
        s->hit_cap = s->hit_cap ? s->hit_cap * 2 : 256;
        s->hits = realloc(s->hits, s->hit_cap * sizeof *s->hits);
        ASSERT(s->hits != NULL);
    }
    s->hits[s->hit_count++] = (uint32_t)(r - s->m->records);
}

static bool hit_check(void *arg, struct record *r)
{
    struct search *s = arg;
    if (record_fits(s, r))
        hit_add(s, r);
    return true;
}

static bool is_equal_only(const struct condition *x)
{
    for (int i = 0; i < x->count; i++) {
        if (x->values[i].kind != MATCH_EQUAL)
            return false;
    }
    return true;
}

/* Contacts of one account, for the lookup of accounts by name. */
static bool account_contacts(void *arg, struct record *account)
{
    struct search *s = arg;
    char id[24];
    snprintf(id, sizeof id, "%lld", (long long)account->id);
    store_lookup(s->m, field_slot(s->m, STR("accountId")), str_of(id), hit_check, s);
    return true;
}

/* Uses a value index when a condition allows it; false when none does. */
static bool from_values(struct search *s)
{
    for (int i = 0; i < s->count; i++) {
        const struct condition *x = &s->conditions[i];
        bool indexed = x->slot >= 0 && s->m->fields[x->slot].indexed;
        if (!is_equal_only(x) || (!indexed && x->slot != SLOT_ID && x->slot != SLOT_ACCOUNT_NAME))
            continue;
        for (int k = 0; k < x->count; k++) {
            struct record *r;
            if (x->slot == SLOT_ACCOUNT_NAME)
                store_lookup(&s->m->desk->modules[MOD_ACCOUNTS], 0, x->values[k].value, account_contacts, s);
            else if (x->slot != SLOT_ID)
                store_lookup(s->m, x->slot, x->values[k].value, hit_check, s);
            else if ((r = store_find_text(s->m, x->values[k].value)) != NULL)
                hit_check(s, r);
        }
        return true;
    }
    return false;
}

/* In ascending order of the time walked. */
static void from_time(struct search *s, bool by_created, int64_t from_us, int64_t to_us)
{
    struct time_index *x = by_created ? &s->m->by_created : &s->m->by_modified;
    size_t begin, end;
    store_range(s->m, x, by_created, from_us, to_us, &begin, &end);
    for (size_t i = begin; i < end; i++) {
        if (entry_is_true(s->m, &x->e[i], by_created))
            hit_check(s, &s->m->records[x->e[i].at]);
    }
}

/* ---- order -------------------------------------------------------------- */

struct sort_key {
    int64_t us, id;
    str text;
    uint32_t at;
};

static int key_cmp(const void *a, const void *b)
{
    const struct sort_key *x = a, *y = b;
    if (x->us != y->us)
        return x->us < y->us ? -1 : 1;
    int d = str_cmp(x->text, y->text);
    return d ? d : x->id < y->id ? -1 : x->id > y->id;
}

/* name: a time or a field; empty: relevance, which is the order of ids here. Drops what was found twice. */
static void hits_sort(struct search *s, str name, bool down)
{
    struct sort_key *keys = calloc(s->hit_count + 1, sizeof *keys);
    ASSERT(keys != NULL);
    int slot = field_slot(s->m, name);
    for (size_t i = 0; i < s->hit_count; i++) {
        const struct record *r = &s->m->records[s->hits[i]];
        keys[i] = (struct sort_key){.id = r->id, .at = s->hits[i]};
        if (str_is(name, "modifiedTime"))
            keys[i].us = r->modified_us;
        else if (str_is(name, "createdTime"))
            keys[i].us = r->created_us;
        else if (slot >= 0)
            keys[i].text = store_value(r, slot);
    }
    qsort(keys, s->hit_count, sizeof *keys, key_cmp);
    size_t n = 0;
    for (size_t i = 0; i < s->hit_count; i++) {
        if (!i || keys[i].at != keys[i - 1].at)
            s->hits[n++] = keys[i].at;
    }
    s->hit_count = n;
    for (size_t i = 0; down && i < n / 2; i++) {
        uint32_t swap = s->hits[i];
        s->hits[i] = s->hits[n - 1 - i];
        s->hits[n - 1 - i] = swap;
    }
    free(keys);
}

static void hits_reverse(struct search *s)
{
    for (size_t i = 0, n = s->hit_count; i < n / 2; i++) {
        uint32_t swap = s->hits[i];
        s->hits[i] = s->hits[n - 1 - i];
        s->hits[n - 1 - i] = swap;
    }
}

static void hits_find(struct search *s, str order, bool down)
{
    if (from_values(s))
        return hits_sort(s, order, down);
    bool by_created = s->has_created && !s->has_modified;
    if (!s->has_created && !s->has_modified)
        by_created = !str_is(order, "modifiedTime");
    const int64_t *range = by_created ? s->created : s->modified;
    bool bounded = by_created ? s->has_created : s->has_modified;
    from_time(s, by_created, bounded ? range[0] : INT64_MIN, bounded ? range[1] : INT64_MAX);
    if (!str_is(order, by_created ? "createdTime" : "modifiedTime"))
        hits_sort(s, order, down);
    else if (down)
        hits_reverse(s);
}

/* ---- the answer --------------------------------------------------------- */

static bool order_read(struct search *s, str *name_out, bool *down_out)
{
    str by = {0};
    *down_out = false;
    *name_out = (str){0};
    if (!call_query(s->c, "sortBy", &by) || str_is(by, "relevance") || str_is(by, "-relevance"))
        return true;
    *down_out = by.n && by.p[0] == '-';
    str name = *down_out ? str_n(by.p + 1, by.n - 1) : by;
    if (!str_in_list(STR("modifiedTime,createdTime,lastName,firstName,accountName"), name)) {
        desk_bad_param(s->c, "sortBy");
        return false;
    }
    *name_out = name;
    return true;
}

/* Puts another value before that of the page's first record; the right one stays as the member "was". */
static void value_spoil(struct search *s, const char *fault, const char *name, const char *value)
{
    struct call *c = s->c;
    if (!fault_take(c->world, c->twin, fault, "GET", c->path))
        return;
    AUTO(text_free) char *key = text_fmt("\"%s\":", name);
    char *at = strstr(c->out.p, key);
    if (!at)
        return;
    AUTO(buf_done) struct buf spoilt = {.max = c->out.max};
    size_t head = (size_t)(at - c->out.p) + strlen(key);
    buf_add(&spoilt, c->out.p, head);
    buf_text_add(&spoilt, value);
    buf_text_add(&spoilt, ",\"was\":");
    buf_add(&spoilt, c->out.p + head, c->out.n - head);
    struct buf swap = c->out;
    c->out = spoilt;
    spoilt = swap;
}

/* "bad-value": one record of the page carries an object where text belongs. "long-id": one has an id of 10,000 bytes.
 */
static void page_spoil(struct search *s)
{
    char id[10003];
    memset(id, '7', sizeof id);
    id[0] = id[10001] = '"';
    id[10002] = '\0';
    value_spoil(s, "bad-value", s->m->fields[0].api_name, "{\"broken\":true}");
    value_spoil(s, "long-id", "id", id);
}

/* "lying-count": the answer names "at" as the number of hits. */
static long long count_told(const struct search *s)
{
    const struct call *c = s->c;
    const struct fault *f = fault_take(c->world, c->twin, "lying-count", "GET", c->path);
    return f ? (long long)f->at : (long long)s->hit_count;
}

static void hits_answer(struct search *s, size_t from, size_t limit)
{
    struct call *c = s->c;
    if (from >= s->hit_count)
        return call_answer_empty(c, 204);
    buf_text_add(&c->out, "{\"data\":[");
    for (size_t i = from; i < s->hit_count && i < from + limit; i++) {
        json_put_comma(&c->out);
        record_put(&c->out, s->m, &s->m->records[s->hits[i]], true, false);
    }
    buf_fmt(&c->out, "],\"count\":%lld}", count_told(s));
    page_spoil(s);
    call_answer(c, 200);
}

/* The parameters the portal knows: email, phone and customField1..10 stand only in newer text. */
static const char *params_of(const struct search *s)
{
#define COMMON ",_all,id,accountName,createdTimeRange,modifiedTimeRange,from,limit,sortBy"
#define VALUES ",email,phone,customField*"
#define TICKET                                                                                                         \
    "ticketNumber,subject,description,status,priority,channel,category,contactId,accountId,assigneeId,departmentId,"   \
    "dueDateRange"
    bool contacts = s->m->number == MOD_CONTACTS, values = twin_switch(s->c->twin, "search_values");
    if (s->m->number == MOD_TICKETS)
        return values ? TICKET VALUES COMMON : TICKET COMMON;
    if (contacts)
        return values ? "firstName,lastName,fullName,mobile" VALUES COMMON : "firstName,lastName,fullName" COMMON;
    return values ? "website" VALUES COMMON : "website" COMMON;
#undef COMMON
#undef VALUES
#undef TICKET
}

void h_search(struct call *c)
{
    struct search s = {.m = desk_module_of(c), .c = c};
    int64_t from, limit;
    str order;
    bool down;
    int64_t cap = twin_switch(c->twin, "search_limit_cap");
    if (!desk_params_known(c, params_of(&s)) || !desk_int_param(c, "from", 0, 0, FROM_LAST, &from) ||
        !desk_int_param(c, "limit", 10, 1, cap < LIMIT_MAX ? cap : LIMIT_MAX, &limit))
        return;
    s.visible_us = sandbox_now_us(c->world) - twin_switch(c->twin, "search_lag_ms") * US_PER_MS;
    query_read(&s);
    if (s.bad || !order_read(&s, &order, &down))
        return;
    if (!s.count && !s.has_created && !s.has_modified && !s.has_due)
        return desk_error(c, 422, "UNPROCESSABLE_ENTITY",
                          "At least one search parameter must be present in the query.");
    hits_find(&s, order, down);
    hits_answer(&s, (size_t)from, (size_t)limit);
    free(s.hits);
}
