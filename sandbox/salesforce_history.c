/* Records that take several saves: an enhanced note, and all that a customer has when the sandbox gives him a history.
 */
#include <jansson.h>

#include "salesforce_int.h"
#include "times.h"

/* One row as the admin, from members that json_pack made (taken); record NULL: a new one. */
static struct sf_outcome save(struct call *c, struct sf *sf, const char *object, struct sf_record *record,
                              json_t *members)
{
    struct sj_fault fault;
    struct sf_outcome out;
    char *text = json_dumps(members, JSON_COMPACT);
    struct sf_save s = {.sf = sf,
                        .a = &c->arena,
                        .object = sf_schema_object(&sf->schema, str_of(object)),
                        .record = record,
                        .user = sf->admin,
                        .internal = true,
                        .keep_owner = true,
                        .now_us = sandbox_now_us(c->world),
                        .path = c->path,
                        .method = c->method};
    ASSERT(text);
    s.body = sj_parse(s.a, arena_str(s.a, str_of(text)), &fault);
    free(text);
    json_decref(members);
    sf_save(&s, &out);
    return out;
}

/* The first 255 characters, as the vendor keeps them beside the note for lists. */
static str preview_of(const char *text)
{
    size_t n = 0;
    int characters = 0;
    for (; text[n]; n++) {
        bool begins_one = ((unsigned char)text[n] & 0xc0) != 0x80;
        if (begins_one && characters++ == 255)
            break;
    }
    return str_n(text, n);
}

/* A document, its version with the text, and the link to what it is about. */
static struct sf_outcome note_make(struct call *c, struct sf *sf, const char *about, const char *title,
                                   const char *text)
{
    str preview = preview_of(text);
    struct sf_outcome document =
        save(c, sf, "ContentDocument", NULL, json_pack("{s:s,s:s}", "Title", title, "FileType", "SNOTE"));
    struct sf_outcome last = document;
    if (!last.status)
        last = save(c, sf, "ContentVersion", NULL,
                    json_pack("{s:s,s:s,s:s%,s:s,s:b}", "ContentDocumentId", document.id, "Title", title, "TextPreview",
                              preview.p, preview.n, "FileType", "SNOTE", "IsLatest", 1));
    if (!last.status)
        last = save(c, sf, "ContentDocument", sf_find(&sf->store, str_of(document.id)),
                    json_pack("{s:s}", "LatestPublishedVersionId", last.id));
    if (!last.status)
        last = save(c, sf, "ContentDocumentLink", NULL,
                    json_pack("{s:s,s:s,s:s,s:s}", "LinkedEntityId", about, "ContentDocumentId", document.id,
                              "ShareType", "V", "Visibility", "AllUsers"));
    return last.status ? last : document;
}

/* POST /notes {"about","title","text"} */
void sf_note_add(struct call *c)
{
    struct sf *sf = c->self;
    json_t *body = call_json(c, NULL);
    const char *title = json_string_value(json_object_get(body, "title"));
    const char *text = json_string_value(json_object_get(body, "text"));
    const char *about = json_string_value(json_object_get(body, "about"));
    struct sf_record *record = sf_find(&sf->store, str_of(about));
    if (!title || !text || !record || !record->now) {
        call_answer_fmt(c, 400, "{\"error\":\"wants about (id of a record), title and text\",\"code\":\"INVALID\"}");
        return;
    }
    struct sf_outcome out = note_make(c, sf, about, title, text);
    if (out.status)
        call_answer_fmt(c, out.status, "{\"error\":\"the note is refused\",\"code\":\"%s\"}", out.problem.code);
    else
        call_answer_fmt(c, 201, "{\"id\":\"%s\"}", out.id);
}

/* ---- histories ---- */

struct history {
    struct call *call;
    struct sf *sf;
    const char *contact, *account; /* of both there is one */
    int64_t today;                 /* days */
};

static const char *day(const struct history *h, int from_today)
{
    AUTO(buf_done) struct buf b = {0};
    date_format(&b, h->today + from_today);
    return arena_str(&h->call->arena, buf_lent(&b)).p;
}

static struct sf_outcome made(const struct history *h, const char *object, json_t *members)
{
    struct sf_outcome out = save(h->call, h->sf, object, NULL, members);
    ASSERT(out.status == 0); /* what is written down here is valid */
    return out;
}

static void enhanced_make(const struct history *h, const char *title, const char *text)
{
    struct sf_outcome out = note_make(h->call, h->sf, h->contact, title, text);
    ASSERT(out.status == 0);
}

static void deal_make(const struct history *h, const char *name, const char *stage, int days, bool takes_part)
{
    struct sf_outcome deal = made(h, "Opportunity",
                                  json_pack("{s:s,s:s,s:s,s:s,s:f}", "Name", name, "StageName", stage, "CloseDate",
                                            day(h, days), "AccountId", h->account, "Amount", 1250.5));
    if (takes_part)
        made(h, "OpportunityContactRole",
             json_pack("{s:s,s:s,s:s}", "OpportunityId", deal.id, "ContactId", h->contact, "Role", "Decision Maker"));
}

static void task_make(const struct history *h, const char *subject, const char *status, int days, const char *subtype)
{
    made(h, "Task",
         json_pack("{s:s,s:s,s:s,s:s,s:s}", "Subject", subject, "Status", status, "WhoId", h->contact, "ActivityDate",
                   day(h, days), "TaskSubtype", subtype));
}

static void event_make(const struct history *h, const char *subject, int days)
{
    made(h, "Event",
         json_pack("{s:s,s:s,s:s,s:i}", "Subject", subject, "WhoId", h->contact, "StartDateTime",
                   arena_fmt(&h->call->arena, "%sT09:00:00Z", day(h, days)), "DurationInMinutes", 45));
}

static void history_make(const struct history *h)
{
    deal_make(h, "Renewal", "Proposal/Price Quote", 60, true);
    deal_make(h, "More seats", "Qualification", 120, false);
    deal_make(h, "First order", "Closed Won", -200, true);
    made(h, "Note",
         json_pack("{s:s,s:s,s:s}", "ParentId", h->contact, "Title", "Discount", "Body", "Asked for one last year."));
    enhanced_make(h, "Visit", "Wants to see the new version.");
    enhanced_make(h, "Contract", "Ends with the year.");
    task_make(h, "Send the offer", "Not Started", -2, "Task");
    task_make(h, "Ask about the contract", "Not Started", 14, "Task");
    task_make(h, "Called about the offer", "Completed", -5, "Call");
    event_make(h, "Demonstration", 7);
    event_make(h, "Lunch", -30);
    event_make(h, "Review", 90);
}

void sf_histories_follow_switch(struct call *c, struct sf *sf)
{
    const struct sf_object *o = sf_schema_object(&sf->schema, STR("Contact"));
    const struct sf_table *t = sf_store_table(&sf->store, o);
    int64_t wanted = sf_switch(sf, "histories");
    for (; sf->histories < wanted && sf->history_at < t->n; sf->history_at++) {
        const struct sf_row *row = t->records[sf->history_at]->now;
        str account = row && !row->deleted ? sf_row_text(row, o, "AccountId") : (str){0};
        if (!account.n)
            continue;
        struct history h = {c, sf, t->records[sf->history_at]->id, account.p, sandbox_now_us(c->world) / US_PER_DAY};
        history_make(&h);
        sf->histories++;
    }
}
