/* Records as the API shows them. Hot: a page is a hundred of these, so nothing here allocates or formats needlessly. */
#include "desk_int.h"
#include "times.h"

static char *digits(char *end, uint64_t v)
{
    do
        *--end = (char)('0' + v % 10);
    while (v /= 10);
    return end;
}

void put_id(struct buf *b, const char *key, int64_t id)
{
    char text[24], *end = text + sizeof text, *p = digits(end, (uint64_t)id);
    json_put_member(b, key, str_n(p, (size_t)(end - p)));
}

void put_time(struct buf *b, const char *key, int64_t us)
{
    char text[32];
    json_put_member(b, key, str_of(time_text(text, us)));
}

static void value_put(struct buf *b, const struct field *f, str v)
{
    if (!v.n)
        buf_add(b, "null", 4);
    else if (f->type == FT_BOOLEAN)
        buf_str(b, v);
    else
        json_put(b, v); /* numbers come back as text */
}

/* Walks the block once, slots ascending. */
struct walk {
    const char *p, *end;
};

static str walk_value(struct walk *w, int slot)
{
    while (w->p < w->end) {
        uint32_t n;
        memcpy(&n, w->p + 1, sizeof n);
        int at = (uint8_t)w->p[0];
        if (at > slot)
            break;
        str v = {w->p + 5, n};
        w->p += 5 + n;
        if (at == slot)
            return v;
    }
    return (str){"", 0};
}

static void fields_put(struct buf *b, const struct module *m, struct walk *w, bool full)
{
    for (int i = 0; i < m->standard_count; i++) {
        str v = walk_value(w, i);
        if (m->fields[i].unlisted || (!full && !m->fields[i].in_short))
            continue;
        buf_char(b, ',');
        buf_text_add(b, m->fields[i].key);
        value_put(b, &m->fields[i], v);
    }
}

static void custom_put(struct buf *b, const struct module *m, struct walk *w)
{
    buf_add(b, ",\"cf\":{", 7);
    for (int i = m->standard_count; i < m->field_count; i++) {
        str v = walk_value(w, i);
        json_put_comma(b);
        buf_text_add(b, m->fields[i].key);
        value_put(b, &m->fields[i], v);
    }
    buf_char(b, '}');
}

static void account_of_put(struct buf *b, struct module *m, const struct record *r)
{
    struct module *accounts = &m->desk->modules[MOD_ACCOUNTS];
    str id = store_value(r, field_slot(m, STR("accountId")));
    const struct record *a = id.n ? store_find_text(accounts, id) : NULL;
    json_put_raw(b, "account", a ? STR("{") : STR("null"));
    if (!a)
        return;
    json_put_member(b, "id", id);
    json_put_member(b, "accountName", store_value(a, field_slot(accounts, STR("accountName"))));
    json_put_member(b, "website", store_value(a, field_slot(accounts, STR("website"))));
    buf_char(b, '}');
}

static void contact_extras_put(struct buf *b, const struct module *m, const struct record *r, bool full)
{
    bool has_account = store_value(r, field_slot(m, STR("accountId"))).n > 0;
    buf_text_add(b, has_account ? ",\"accountCount\":\"1\"" : ",\"accountCount\":\"0\"");
    buf_text_add(b, ",\"isEndUser\":false,\"photoURL\":null,\"zohoCRMContact\":null");
    if (full)
        buf_text_add(b, ",\"isSpam\":false,\"isAnonymous\":false");
}

static void web_url_put(struct buf *b, const struct module *m, const struct record *r)
{
    char text[24], *end = text + sizeof text, *p = digits(end, (uint64_t)r->id);
    buf_text_add(b, ",\"webUrl\":\"https://desk.zoho.eu/support/northwind/ShowHomePage.do#");
    buf_text_add(b, m->type);
    buf_text_add(b, "/dv/");
    buf_add(b, p, (size_t)(end - p));
    buf_char(b, '"');
}

static void happiness_put(struct buf *b)
{
    buf_text_add(b, ",\"customerHappiness\":{\"badPercentage\":\"0\",\"okPercentage\":\"0\",\"goodPercentage\":\"0\"}");
}

void record_put(struct buf *b, struct module *m, const struct record *r, bool full, bool with_account)
{
    struct walk w = {r->blob, r->blob + r->blob_n};
    buf_char(b, '{');
    put_id(b, "id", r->id);
    fields_put(b, m, &w, full);
    put_time(b, "createdTime", r->created_us);
    if (full) {
        put_time(b, "modifiedTime", r->modified_us);
        json_put_bool(b, "isDeleted", r->state != REC_LIVE);
        json_put_bool(b, "isTrashed", r->state == REC_TRASHED);
        buf_text_add(b, ",\"isFollowing\":\"false\"");
        buf_text_add(b, ",\"layoutId\":\"4876000000010201\"");
        custom_put(b, m, &w);
    }
    if (m->number == MOD_TICKETS)
        ticket_extras_put(b, m, r, full);
    else
        happiness_put(b);
    if (m->number == MOD_CONTACTS)
        contact_extras_put(b, m, r, full);
    else if (m->number == MOD_ACCOUNTS)
        buf_text_add(b, ",\"zohoCRMAccount\":null");
    if (with_account && m->number == MOD_CONTACTS)
        account_of_put(b, m, r);
    web_url_put(b, m, r);
    buf_char(b, '}');
}

void record_put_plain(struct buf *b, struct module *m, const struct record *r)
{
    static const char *const states[] = {"live", "trashed", "purged", "merged"};
    struct walk w = {r->blob, r->blob + r->blob_n};
    buf_char(b, '{');
    put_id(b, "id", r->id);
    json_put_member(b, "_state", str_of(states[r->state]));
    put_time(b, "createdTime", r->created_us);
    put_time(b, "modifiedTime", r->modified_us);
    for (int i = 0; i < m->field_count; i++) {
        str v = walk_value(&w, i);
        buf_char(b, ',');
        buf_text_add(b, m->fields[i].key);
        value_put(b, &m->fields[i], v);
    }
    buf_char(b, '}');
}
