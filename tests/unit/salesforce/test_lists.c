/* Lists beside a record (tl.view/1), against the Salesforce twin: what belongs to a contact or an account, in which
 * order, page by page, and what is left of it when the user may not see everything. */
#include "bench.h"

#include <stdio.h>

#define NOW_US INT64_C(1772366400000000) /* 2026-03-01T12:00:00Z, where the twin's clock stands */

struct ids {
    char account[64], contact[64];
};

/* A record as another user, its id kept. */
static void make(struct bench *b, char id[64], const char *object, const char *fmt, ...) PRINTF_LIKE(4, 5);
static void make(struct bench *b, char id[64], const char *object, const char *fmt, ...)
{
    AUTO(buf_done) struct buf body = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_fmtv(&body, fmt, ap);
    va_end(ap);
    snprintf(id, 64, "%s", bench_create(b, object, buf_text(&body)));
}

static struct ids customer(struct bench *b, const char *name)
{
    struct ids x;
    make(b, x.account, "Account", "{\"Name\":\"%s\"}", name);
    make(b, x.contact, "Contact", "{\"LastName\":\"%s\",\"AccountId\":\"%s\"}", name, x.account);
    return x;
}

static void deal(struct bench *b, char id[64], const char *name, const char *account, const char *stage,
                 const char *close)
{
    make(b, id, "Opportunity",
         "{\"Name\":\"%s\",\"AccountId\":\"%s\",\"StageName\":\"%s\",\"CloseDate\":\"%s\",\"Amount\":1200.50}", name,
         account, stage, close);
}

static void takes_part(struct bench *b, const char *contact, const char *opportunity)
{
    char id[64];
    make(b, id, "OpportunityContactRole", "{\"ContactId\":\"%s\",\"OpportunityId\":\"%s\"}", contact, opportunity);
}

static void note(struct bench *b, const char *about, const char *title, const char *text)
{
    AUTO(text_free)
    char *body = text_fmt("{\"about\":\"%s\",\"title\":\"%s\",\"text\":\"%s\"}", about, title, text);
    bench_do(b, "POST", "/salesforce/notes", body);
}

static void hide(struct bench *b, const char *what, bool hidden)
{
    AUTO(text_free) char *path = text_fmt("/salesforce/%s", what);
    bench_do(b, "PATCH", path, hidden ? "{\"hidden\":true}" : "{\"hidden\":false}");
}

/* ---- the call */

struct page {
    const char *about_kind, *about, *filter;
    uint32_t limit;
    const char *cursor;
};

static tl_status try_list(struct bench *b, const tl_shape *s, struct page p, tl_error *e)
{
    const tl_view *view = b->connector->extension("tl.view/1");
    tl_list l = {.struct_size = sizeof l,
                 .limit = p.limit,
                 .shape = s,
                 .about_kind = str_of(p.about_kind),
                 .about_id = str_of(p.about),
                 .filter = str_of(p.filter),
                 .cursor = str_of(p.cursor)};
    *e = (tl_error){.struct_size = sizeof *e};
    b->fake->now_us = NOW_US;
    b->fake->n_records = b->fake->n_checkpoints = 0;
    return view->list(b->conn, &l, e);
}

/* What came, as the values of a path with a blank between; lent until the next call. */
static const char *list(struct bench *b, const tl_shape *s, struct page p, const char *path)
{
    static char text[2048];
    tl_error e;
    if (try_list(b, s, p, &e) != TL_OK)
        fail_msg("list of %.*s: %s %s (%s)", STR_FMT(s->kind), e.code, e.text, e.detail);
    assert_int_equal(b->fake->n_checkpoints, 1);
    size_t n = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < b->fake->n_records; i++) {
        const struct said_value *v = fake_value(&b->fake->records[i], s, path);
        assert_int_equal(b->fake->records[i].flags, TL_REC_FULL);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", n ? " " : "", v ? v->text : "?");
        assert_true(n < sizeof text);
    }
    return text;
}

static struct page of_contact(const struct ids *x, const char *filter)
{
    return (struct page){"contact", x->contact, filter, 20, ""};
}

static struct page of_account(const struct ids *x, const char *filter)
{
    return (struct page){"account", x->account, filter, 20, ""};
}

static const struct said_checkpoint *told(const struct bench *b)
{
    return &b->fake->checkpoints[0];
}

/* ---- what discover says */

static void test_described(void **state)
{
    struct bench *b = *state;
    static const struct {
        const char *kind, *label, *filters, *paths;
        uint32_t n;
    } all[] = {
        {"deal", "Opportunity", "open,closed,won",
         "name,stage,amount,probability,close_date,account,owner,closed,won,x.Owner.Name,x.Account.Name", 11},
        {"note", "Note", "", "title,body,author,at,parent", 5},
        {"task", "Task", "open,closed,overdue,calls",
         "subject,status,due,description,contact,account,owner,completed,x.Who.Name,x.What.Name,x.CallType", 11},
        {"event", "Event", "upcoming,past", "subject,start,end,location,description,contact,account,owner", 8},
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        const struct said_kind *k = fake_kind(b->fake, all[i].kind);
        assert_non_null(k);
        assert_int_equal(k->can, 0); /* listed alone: never a link's, never a search's */
        assert_string_equal(k->about, "contact,account");
        assert_string_equal(k->filters, all[i].filters);
        assert_string_equal(k->label, all[i].label);
        tl_shape s = fake_shape(b->fake, all[i].kind, all[i].paths);
        assert_int_equal(s.n_fields, all[i].n);
        for (uint32_t f = 0; f < k->n_fields; f++) {
            assert_true(k->fields[f].flags & TL_F_READONLY);
            assert_true(k->fields[f].label.n > 0);
        }
    }
    assert_string_equal(fake_kind(b->fake, "contact")->about, "");
}

static void test_words_of_fields(void **state)
{
    struct bench *b = *state;
    bench_do(b, "POST", "/salesforce/fields/Opportunity",
             "{\"name\":\"Tier__c\",\"type\":\"string\",\"label\":\"Tier\"}");
    fake_forget(b->fake);
    bench_discover(b);
    tl_shape s = fake_shape(b->fake, "deal", "x.Tier__c,x.Owner.Name,owner");
    const tl_field *tier = tlk_field_by_path(&s, "x.Tier__c"), *name = tlk_field_by_path(&s, "x.Owner.Name");
    assert_int_equal(tier->flags, TL_F_READONLY | TL_F_CUSTOM);
    assert_str(name->label, "Owner");
    assert_str(name->name, "Owner.Name");
    assert_str(tlk_field_by_path(&s, "owner")->refers_to, "user");
    s = fake_shape(b->fake, "task", "contact,x.WhatId");
    assert_str(tlk_field_by_path(&s, "contact")->refers_to, "contact,lead");
    assert_str(tlk_field_by_path(&s, "x.WhatId")->refers_to, "account,deal");
}

/* ---- deals */

/* His own, whosever account they are of, and his account's, each once. proves: S1-03 S1-58 */
static void test_deals(void **state)
{
    struct bench *b = *state;
    struct ids ann = customer(b, "Ann"), bob = customer(b, "Bob");
    char foreign[64], both[64], own[64], lost[64], other[64], private[64];
    deal(b, foreign, "foreign", bob.account, "Prospecting", "2026-06-01");
    deal(b, both, "both", ann.account, "Prospecting", "2026-05-01");
    deal(b, own, "own", ann.account, "Closed Won", "2026-02-01");
    deal(b, lost, "lost", ann.account, "Closed Lost", "2026-01-01");
    deal(b, other, "other", bob.account, "Prospecting", "2026-04-01");
    make(b, private, "Contact", "{\"LastName\":\"Private\"}");
    takes_part(b, ann.contact, foreign);
    takes_part(b, ann.contact, both);
    takes_part(b, private, own);
    tl_shape s =
        fake_shape(b->fake, "deal", "name,stage,amount,closed,won,close_date,x.Owner.Name,x.Account.Name,account");
    int calls = b->http_calls;
    assert_string_equal(list(b, &s, of_contact(&ann, ""), "name"), "foreign both own lost");
    assert_int_equal(b->http_calls - calls, 1);
    assert_int_equal(told(b)->complete, 1);
    assert_int_equal(told(b)->estimate, 4);
    const struct said_record *r = fake_record(b->fake, both);
    assert_string_equal(fake_value(r, &s, "x.Owner.Name")->text, "Ada Admin");
    assert_string_equal(fake_value(r, &s, "x.Account.Name")->text, "Ann");
    assert_string_equal(fake_value(r, &s, "amount")->text, "1200.5");
    assert_string_equal(fake_value(r, &s, "account")->text, ann.account);
    assert_int_equal(fake_value(r, &s, "closed")->i, 0);
    assert_non_null(strstr(r->url, both));
    assert_int_equal(strncmp(r->url, "http", 4), 0);
    assert_true(r->modified_us > 0 && r->created_us > 0);

    assert_string_equal(list(b, &s, of_contact(&ann, "open"), "name"), "foreign both");
    assert_string_equal(list(b, &s, of_contact(&ann, "closed"), "name"), "own lost");
    assert_int_equal(told(b)->estimate, 2);
    assert_string_equal(list(b, &s, of_account(&ann, "won"), "name"), "own");
    assert_string_equal(list(b, &s, of_account(&bob, ""), "name"), "foreign other");
    struct page p = {"contact", private, "", 20, ""};
    assert_string_equal(list(b, &s, p, "name"), "own"); /* without an account of his own */
}

/* Pages of two queries, merged: the whole order, nothing twice, nothing left out. */
static void test_pages(void **state)
{
    enum { N = 11, LIMIT = 3 };
    struct bench *b = *state;
    struct ids ann = customer(b, "Ann"), bob = customer(b, "Bob");
    char all[N][64];
    for (int i = 0; i < N; i++) { /* d0 closes last; every third one is another account's */
        AUTO(text_free) char *name = text_fmt("d%d", i);
        AUTO(text_free) char *close = text_fmt("2026-%02d-15", 12 - i);
        deal(b, all[i], name, i % 3 ? ann.account : bob.account, "Prospecting", close);
        if (i % 3 == 0 || i == 4)
            takes_part(b, ann.contact, all[i]);
    }
    tl_shape s = fake_shape(b->fake, "deal", "name");
    char cursor[4096] = "", seen[512] = "";
    int pages = 0;
    for (bool more = true; more; pages++) {
        struct page p = {"contact", ann.contact, "", LIMIT, cursor};
        int calls = b->http_calls;
        const char *names = list(b, &s, p, "name");
        assert_int_equal(b->http_calls - calls, 1);
        assert_int_equal(told(b)->estimate, N);
        assert_true(b->fake->n_records <= LIMIT);
        snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s%s", *seen ? " " : "", names);
        more = !told(b)->complete;
        snprintf(cursor, sizeof cursor, "%s", fake_last_cursor(b->fake));
    }
    assert_string_equal(seen, "d0 d1 d2 d3 d4 d5 d6 d7 d8 d9 d10");
    assert_int_equal(pages, (N + LIMIT - 1) / LIMIT);
}

/* ---- notes */

/* proves: S1-03 S1-58 */
static void test_notes_of_both_sorts(void **state)
{
    struct bench *b = *state;
    struct ids ann = customer(b, "Ann"), bob = customer(b, "Bob");
    char classic[64], third[64];
    make(b, classic, "Note", "{\"ParentId\":\"%s\",\"Title\":\"first\",\"Body\":\"asked for a discount\"}",
         ann.contact);
    bench_advance(b, "1h");
    note(b, ann.contact, "second", "called back");
    bench_advance(b, "1h");
    make(b, third, "Note", "{\"ParentId\":\"%s\",\"Title\":\"third\",\"Body\":\"x\"}", ann.contact);
    note(b, bob.contact, "foreign", "not hers");
    note(b, ann.account, "of-the-account", "x");
    tl_shape s = fake_shape(b->fake, "note", "*");
    assert_string_equal(list(b, &s, of_contact(&ann, ""), "title"), "third second first");
    assert_int_equal(told(b)->estimate, 3);
    const struct said_record *enhanced = &b->fake->records[1], *old = fake_record(b->fake, classic);
    assert_string_equal(fake_value(enhanced, &s, "body")->text, "called back");
    assert_string_equal(fake_value(enhanced, &s, "author")->text, "Ada Admin");
    assert_string_equal(fake_value(enhanced, &s, "parent")->text, ann.contact);
    assert_int_equal(fake_value(enhanced, &s, "at")->i, NOW_US + INT64_C(3600000000));
    assert_int_equal(strncmp(enhanced->id, "069", 3), 0); /* the note, not the link to it */
    assert_non_null(strstr(enhanced->url, enhanced->id));
    assert_string_equal(fake_value(old, &s, "body")->text, "asked for a discount");
    assert_string_equal(fake_value(old, &s, "author")->text, "Ada Admin");
    assert_string_equal(list(b, &s, of_account(&ann, ""), "title"), "of-the-account");
}

/* An org with notes of one sort shows those; with none, the kind is not there. */
static void test_notes_of_one_sort(void **state)
{
    struct bench *b = *state;
    struct ids ann = customer(b, "Ann");
    char classic[64];
    tl_error e;
    make(b, classic, "Note", "{\"ParentId\":\"%s\",\"Title\":\"old\"}", ann.contact);
    note(b, ann.contact, "new", "x");
    tl_shape s = fake_shape(b->fake, "note", "title");
    hide(b, "objects/Note", true);
    assert_string_equal(list(b, &s, of_contact(&ann, ""), "title"), "new");
    assert_int_equal(told(b)->estimate, 1);
    assert_int_equal(told(b)->complete, 1);
    hide(b, "objects/Note", false);
    hide(b, "objects/ContentDocumentLink", true);
    assert_string_equal(list(b, &s, of_contact(&ann, ""), "title"), "old");
    hide(b, "objects/Note", true);
    assert_int_equal(try_list(b, &s, of_contact(&ann, ""), &e), TL_E_INVALID);
    assert_int_equal(e.reason, TL_R_SCHEMA); /* the host discovers again */
    assert_int_equal(e.scope, TL_SCOPE_KIND);
    fake_forget(b->fake);
    bench_discover(b);
    assert_null(fake_kind(b->fake, "note"));
    assert_non_null(fake_kind(b->fake, "deal"));
}

/* ---- activities */

/* Calls are tasks; what was archived is told as well. proves: S1-03 */
static void test_tasks(void **state)
{
    struct bench *b = *state;
    struct ids ann = customer(b, "Ann"), bob = customer(b, "Bob");
    char opportunity[64], id[64], call[64], of_deal[64];
    deal(b, opportunity, "deal", ann.account, "Prospecting", "2026-05-01");
    make(b, id, "Task", "{\"Subject\":\"late\",\"WhoId\":\"%s\",\"ActivityDate\":\"2026-02-20\"}", ann.contact);
    make(b, id, "Task", "{\"Subject\":\"soon\",\"WhoId\":\"%s\",\"ActivityDate\":\"2026-03-20\"}", ann.contact);
    make(b, id, "Task", "{\"Subject\":\"undated\",\"WhoId\":\"%s\"}", ann.contact);
    make(b, id, "Task",
         "{\"Subject\":\"old\",\"WhoId\":\"%s\",\"ActivityDate\":\"2024-02-20\",\"Status\":\"Completed\","
         "\"IsArchived\":true}",
         ann.contact);
    make(b, call, "Task",
         "{\"Subject\":\"call\",\"WhoId\":\"%s\",\"ActivityDate\":\"2026-02-28\",\"Status\":\"Completed\","
         "\"TaskSubtype\":\"Call\",\"CallType\":\"Inbound\"}",
         ann.contact);
    make(b, id, "Task", "{\"Subject\":\"binned\",\"WhoId\":\"%s\"}", ann.contact);
    AUTO(text_free) char *trash = text_fmt("/salesforce/records/Task/%s/trash", id);
    bench_do(b, "POST", trash, "{}");
    make(b, of_deal, "Task", "{\"Subject\":\"of-deal\",\"WhatId\":\"%s\",\"ActivityDate\":\"2026-04-01\"}",
         opportunity);
    make(b, id, "Task", "{\"Subject\":\"foreign\",\"WhoId\":\"%s\"}", bob.contact);
    tl_shape s =
        fake_shape(b->fake, "task", "subject,contact,account,completed,x.WhatId,x.What.Name,x.Who.Name,x.CallType");
    int calls = b->http_calls;
    assert_string_equal(list(b, &s, of_contact(&ann, ""), "subject"), "soon call late old undated");
    assert_int_equal(b->http_calls - calls, 1);
    assert_int_equal(told(b)->estimate, 5);
    const struct said_record *r = fake_record(b->fake, call);
    assert_string_equal(fake_value(r, &s, "x.CallType")->text, "Inbound");
    assert_string_equal(fake_value(r, &s, "x.Who.Name")->text, "Ann");
    assert_string_equal(fake_value(r, &s, "contact")->text, ann.contact);
    assert_int_equal(fake_value(r, &s, "contact")->aux, 0);
    assert_int_equal(fake_value(r, &s, "completed")->i, NOW_US);
    assert_int_equal(fake_value(r, &s, "x.What.Name")->type, TL_NULL); /* related to nothing */
    assert_string_equal(list(b, &s, of_contact(&ann, "open"), "subject"), "soon late undated");
    assert_string_equal(list(b, &s, of_contact(&ann, "overdue"), "subject"), "late");
    assert_string_equal(list(b, &s, of_contact(&ann, "calls"), "subject"), "call");
    assert_string_equal(list(b, &s, of_contact(&ann, "closed"), "subject"), "call old");

    assert_string_equal(list(b, &s, of_account(&ann, "open"), "subject"), "of-deal soon late undated");
    r = fake_record(b->fake, of_deal);
    assert_string_equal(fake_value(r, &s, "x.What.Name")->text, "deal");
    assert_string_equal(fake_value(r, &s, "x.WhatId")->text, opportunity);
    assert_int_equal(fake_value(r, &s, "x.WhatId")->aux, 1); /* of "account,deal" the second */
    assert_int_equal(fake_value(r, &s, "contact")->type, TL_NULL);
}

/* proves: S1-03 */
static void test_events(void **state)
{
    struct bench *b = *state;
    struct ids ann = customer(b, "Ann");
    char id[64], visit[64];
    make(b, visit, "Event",
         "{\"Subject\":\"visit\",\"WhoId\":\"%s\",\"StartDateTime\":\"2026-03-05T09:00:00Z\",\"DurationInMinutes\":90,"
         "\"Location\":\"Berlin\"}",
         ann.contact);
    make(b, id, "Event",
         "{\"Subject\":\"running\",\"WhoId\":\"%s\",\"StartDateTime\":\"2026-03-01T11:30:00Z\",\"EndDateTime\":"
         "\"2026-03-01T12:30:00Z\"}",
         ann.contact);
    make(b, id, "Event",
         "{\"Subject\":\"held\",\"WhoId\":\"%s\",\"StartDateTime\":\"2025-01-05T09:00:00Z\",\"EndDateTime\":"
         "\"2025-01-05T10:00:00Z\",\"IsArchived\":true}",
         ann.contact);
    make(b, id, "Event",
         "{\"Subject\":\"copy\",\"WhoId\":\"%s\",\"StartDateTime\":\"2026-03-05T09:00:00Z\",\"DurationInMinutes\":90,"
         "\"IsChild\":true}",
         ann.contact);
    tl_shape s = fake_shape(b->fake, "event", "subject,start,end,location,contact,x.Owner.Name");
    assert_string_equal(list(b, &s, of_contact(&ann, ""), "subject"), "visit running held");
    const struct said_record *r = fake_record(b->fake, visit);
    assert_int_equal(fake_value(r, &s, "end")->i - fake_value(r, &s, "start")->i, INT64_C(5400000000));
    assert_string_equal(fake_value(r, &s, "location")->text, "Berlin");
    assert_string_equal(fake_value(r, &s, "x.Owner.Name")->text, "Ada Admin");
    assert_string_equal(list(b, &s, of_contact(&ann, "upcoming"), "subject"), "visit running");
    assert_string_equal(list(b, &s, of_contact(&ann, "past"), "subject"), "held");
    assert_string_equal(list(b, &s, of_account(&ann, "upcoming"), "subject"), "visit running");
}

/* ---- what is not there, and what may not be seen */

static void test_of_nobody(void **state)
{
    struct bench *b = *state;
    struct ids ann = customer(b, "Ann");
    tl_shape s = fake_shape(b->fake, "deal", "name");
    tl_error e;
    static const struct {
        struct page page;
        tl_status status;
    } all[] = {
        {{"contact", "0035j0000Zzzzzz", "", 5, ""}, TL_E_NOT_FOUND},
        {{"contact", "' OR Id != '", "", 5, ""}, TL_E_NOT_FOUND},
        {{"contact", "", "", 5, ""}, TL_E_NOT_FOUND},
        {{"contact", "0035j0000A00000XXX", "", 5, ""}, TL_E_NOT_FOUND},
        {{"deal", "0065j0000A00000", "", 5, ""}, TL_E_UNSUPPORTED},
        {{"contact", "0035j0000A00000", "overdue", 5, ""}, TL_E_UNSUPPORTED},
        {{"contact", "0035j0000A00000", "", 5, "sf.pass.1;after=003"}, TL_E_CURSOR_LOST},
        {{"contact", "0035j0000A00000", "", 5, "sf.list.1;all=1;a=-1;b=-1"}, TL_E_CURSOR_LOST},
        {{"contact", "0035j0000A00000", "", 5, "sf.list.1;all=1;a=2001;b=0"}, TL_E_CURSOR_LOST},
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        assert_int_equal(try_list(b, &s, all[i].page, &e), all[i].status);
        assert_int_equal(b->fake->n_records + b->fake->n_checkpoints, 0);
    }
    AUTO(text_free) char *trash = text_fmt("/salesforce/records/Contact/%s/trash", ann.contact);
    bench_do(b, "POST", trash, "{}");
    assert_int_equal(try_list(b, &s, of_contact(&ann, ""), &e), TL_E_NOT_FOUND);
    assert_string_equal(e.code, "ENTITY_IS_DELETED");
    s.kind = STR("contact");
    assert_int_equal(try_list(b, &s, of_account(&ann, ""), &e), TL_E_UNSUPPORTED);
}

/* A right that is missing takes away what needs it, and is told; the rest goes on. */
static void test_rights(void **state)
{
    struct bench *b = *state;
    struct ids ann = customer(b, "Ann");
    tl_check c = {.struct_size = sizeof c};
    tl_error e = {.struct_size = sizeof e};
    tl_shape deals = fake_shape(b->fake, "deal", "name,x.NextStep");
    assert_int_equal(b->connector->check(b->conn, &c, &e), TL_OK);
    assert_null(fake_finding(b->fake, "LIST_HIDDEN"));
    hide(b, "fields/Opportunity/NextStep", true);
    assert_int_equal(try_list(b, &deals, of_contact(&ann, ""), &e), TL_E_INVALID);
    assert_int_equal(e.reason, TL_R_SCHEMA);
    assert_string_equal(e.code, "INVALID_FIELD");

    hide(b, "objects/OpportunityContactRole", true);
    hide(b, "objects/Event", true);
    hide(b, "fields/Task/ActivityDate", true);
    fake_forget(b->fake);
    bench_discover(b);
    assert_string_equal(fake_kind(b->fake, "deal")->about, "account");
    assert_int_equal(fake_shape(b->fake, "deal", "x.NextStep").n_fields, 0);
    assert_null(fake_kind(b->fake, "event"));
    assert_null(fake_kind(b->fake, "task")); /* its lists have no order without */
    assert_non_null(fake_kind(b->fake, "note"));
    assert_non_null(fake_kind(b->fake, "contact"));
    assert_int_equal(b->connector->check(b->conn, &c, &e), TL_OK);
    const struct said_finding *f = fake_finding(b->fake, "LIST_HIDDEN");
    assert_int_equal(f->level, TL_WARN);
    assert_non_null(strstr(f->text, "OpportunityContactRole"));
    assert_int_equal(b->fake->n_findings > 3, 1); /* events beside contacts and beside accounts, too */
}

/* "View in Salesforce", and the whole profile: custom fields too. proves: S1-58 S1-59 */
static void test_profile(void **state)
{
    struct bench *b = *state;
    bench_do(b, "POST", "/salesforce/fields/Contact",
             "{\"name\":\"Subscription__c\",\"type\":\"picklist\",\"values\":\"Basic|Premium\",\"label\":\"Plan\"}");
    fake_forget(b->fake);
    bench_discover(b);
    char id[64];
    make(b, id, "Contact", "{\"LastName\":\"Ann\",\"Subscription__c\":\"Premium\"}");
    tl_shape s = fake_shape(b->fake, "contact", "*");
    tl_str ids[] = {str_of(id)};
    tl_get g = {.struct_size = sizeof g, .n_ids = 1, .shape = &s, .ids = ids};
    tl_error e = {.struct_size = sizeof e};
    b->fake->n_records = 0;
    assert_int_equal(b->connector->get(b->conn, &g, &e), TL_OK);
    const struct said_record *r = fake_record(b->fake, id);
    assert_string_equal(fake_value(r, &s, "x.Subscription__c")->text, "Premium");
    AUTO(text_free) char *url = text_fmt("%s/%s", json_string_value(json_object_get(b->line, "salesforce")), id);
    assert_string_equal(r->url, url);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)
    const struct CMUnitTest tests[] = {
        T(test_described),
        T(test_words_of_fields),
        T(test_deals),
        T(test_pages),
        T(test_notes_of_both_sorts),
        T(test_notes_of_one_sort),
        T(test_tasks),
        T(test_events),
        T(test_of_nobody),
        T(test_rights),
        T(test_profile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
