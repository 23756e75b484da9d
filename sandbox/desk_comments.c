/* Comments of tickets. Vendor: zohodesk-oas v1.0 TicketComment.json. */
#include <stdio.h>
#include <stdlib.h>

#include "desk_int.h"
#include "times.h"
#include "unicode.h"

enum { LIMIT_MAX = 100, LIMIT = 50, FROM_MAX = 100000, CONTENT_MAX = 32000 };

void comments_done(struct desk *d)
{
    for (size_t i = 0; i < d->comment_count; i++)
        text_free(d->comments[i].content);
    free(d->comments);
}

size_t comments_of(const struct desk *d, int64_t ticket)
{
    size_t n = 0;
    for (size_t i = 0; i < d->comment_count; i++)
        n += d->comments[i].ticket == ticket;
    return n;
}

void comment_add(struct desk *d, int64_t ticket, int64_t commenter, int64_t at_us, bool open, bool html, str content)
{
    if (d->comment_count == d->comment_cap) {
        d->comment_cap = d->comment_cap ? d->comment_cap * 2 : 64;
        d->comments = realloc(d->comments, d->comment_cap * sizeof *d->comments);
        ASSERT(d->comments != NULL);
    }
    d->comments[d->comment_count++] = (struct comment){.id = d->next_id += 3,
                                                       .ticket = ticket,
                                                       .commenter = commenter,
                                                       .at_us = at_us,
                                                       .open = open,
                                                       .html = html,
                                                       .content = str_dup(content)};
}

/* ---- what is shown ------------------------------------------------------ */

static void name_put(struct buf *b, str first, str last)
{
    AUTO(text_free) char *name = text_fmt("%.*s%s%.*s", STR_FMT(first), first.n ? " " : "", STR_FMT(last));
    json_put_member(b, "firstName", first);
    json_put_member(b, "lastName", last);
    json_put_member(b, "name", str_of(name));
}

static void commenter_put(struct desk *d, struct buf *b, const struct comment *x)
{
    char id[24];
    snprintf(id, sizeof id, "%lld", (long long)x->commenter);
    const json_t *agent = staff_find(d, STAFF_AGENTS, str_of(id));
    struct module *m = &d->modules[MOD_CONTACTS];
    const struct record *r = agent ? NULL : store_find(m, x->commenter);
    const char *type = agent ? "\"AGENT\"" : "\"END_USER\"";
    json_put_raw(b, "commenter", STR("{"));
    if (agent)
        name_put(b, str_of(json_string_value(json_object_get(agent, "firstName"))),
                 str_of(json_string_value(json_object_get(agent, "lastName"))));
    else if (r)
        name_put(b, store_value(r, field_slot(m, STR("firstName"))), store_value(r, 0));
    json_put_raw(b, "photoURL", STR("null"));
    AUTO(text_free) char *listed = text_fmt("[%s]", type);
    json_put_raw(b, "type", str_of(twin_switch(d->twin, "comment_samples") ? listed : type));
    buf_char(b, '}');
}

static void comment_put(struct desk *d, struct buf *b, const struct comment *x)
{
    buf_char(b, '{');
    put_id(b, "id", x->id);
    json_put_member(b, "content", str_of(x->content));
    json_put_member(b, "contentType", x->html ? STR("html") : STR("plainText"));
    json_put_bool(b, "isPublic", x->open);
    if (twin_switch(d->twin, "comment_samples"))
        json_put_int(b, "commentedTime", x->at_us / US_PER_MS);
    else
        put_time(b, "commentedTime", x->at_us);
    json_put_raw(b, "modifiedTime", STR("null"));
    put_id(b, "commenterId", x->commenter);
    commenter_put(d, b, x);
    json_put_raw(b, "attachments", STR("[]"));
    buf_char(b, '}');
}

static const struct record *ticket_of(struct call *c)
{
    struct desk *d = c->self;
    const struct record *r = store_find_text(&d->modules[MOD_TICKETS], c->capture[0]);
    if (r && (r->state == REC_LIVE || (r->state == REC_TRASHED && twin_switch(c->twin, "trash_reads"))))
        return r;
    desk_not_found(c);
    return NULL;
}

void h_comments(struct call *c)
{
    struct desk *d = c->self;
    const struct record *ticket = ticket_of(c);
    int64_t from, limit, base = twin_switch(c->twin, "from_base");
    str by = {0};
    if (!ticket || !desk_params_known(c, "include,sortBy,from,limit") ||
        !desk_int_param(c, "from", base, base, FROM_MAX, &from) ||
        !desk_int_param(c, "limit", LIMIT, 1, LIMIT_MAX, &limit))
        return;
    call_query(c, "sortBy", &by);
    bool down = str_is(by, "-commentedTime");
    if (by.n && !down && !str_is(by, "commentedTime"))
        return desk_bad_param(c, "sortBy");
    int64_t skip = from - base, put = 0;
    for (size_t i = 0; i < d->comment_count && put < limit; i++) {
        const struct comment *x = &d->comments[down ? d->comment_count - 1 - i : i];
        if (x->ticket != ticket->id || skip-- > 0)
            continue;
        buf_text_add(&c->out, put++ ? "," : "{\"data\":[");
        comment_put(d, &c->out, x);
    }
    if (!put)
        return call_answer_empty(c, 204);
    buf_add(&c->out, "]}", 2);
    call_answer(c, 200);
}

/* ---- one more ----------------------------------------------------------- */

static bool is_refused(struct call *c, const json_t *v, bool valid, bool needed, const char *name)
{
    if (v ? valid : !needed)
        return false;
    AUTO(text_free)
    char *error =
        text_fmt("{\"fieldName\":\"/%s\",\"errorType\":\"%s\",\"errorMessage\":\"\"}", name, v ? "invalid" : "missing");
    desk_invalid(c, error);
    return true;
}

/* Uploads are none here, so no attachment can be named. */
void h_comment_create(struct call *c)
{
    struct desk *d = c->self;
    const struct record *ticket = ticket_of(c);
    const json_t *body = ticket ? desk_body(c) : NULL;
    if (!body)
        return;
    const json_t *content = json_object_get(body, "content"), *open = json_object_get(body, "isPublic");
    const json_t *type = json_object_get(body, "contentType"), *files = json_object_get(body, "attachmentIds");
    str text = json_is_string(content) ? str_n(json_string_value(content), json_string_length(content)) : (str){0};
    const char *form = json_string_value(type);
    bool known = form && (strcmp(form, "html") == 0 || strcmp(form, "plainText") == 0);
    if (is_refused(c, content, text.n && utf8_length(text) <= CONTENT_MAX, true, "content") ||
        is_refused(c, open, json_is_boolean(open), false, "isPublic") ||
        is_refused(c, type, known, false, "contentType") ||
        is_refused(c, files, json_is_array(files) && !json_array_size(files), false, "attachmentIds"))
        return;
    int64_t now = sandbox_now_us(c->world) / US_PER_MS * US_PER_MS;
    comment_add(d, ticket->id, DESK_AGENT_ID, now, json_is_true(open), !form || strcmp(form, "html") == 0, text);
    comment_put(d, &c->out, &d->comments[d->comment_count - 1]);
    call_answer(c, 200);
}

/* ---- behind the vendor's back ------------------------------------------- */

void comments_dump(struct desk *d, struct buf *out)
{
    for (size_t i = 0; i < d->comment_count; i++) {
        const struct comment *x = &d->comments[i];
        buf_char(out, '{');
        put_id(out, "id", x->id);
        put_id(out, "ticketId", x->ticket);
        put_id(out, "commenterId", x->commenter);
        json_put_bool(out, "isPublic", x->open);
        json_put_member(out, "contentType", x->html ? STR("html") : STR("plainText"));
        json_put_member(out, "content", str_of(x->content));
        buf_add(out, "}\n", 2);
    }
}

void comment_create(struct call *c, struct desk *d, json_t *fields)
{
    const char *ticket = json_string_value(json_object_get(fields, "ticketId"));
    const char *content = json_string_value(json_object_get(fields, "content"));
    const char *by = json_string_value(json_object_get(fields, "commenterId"));
    const char *form = json_string_value(json_object_get(fields, "contentType"));
    const struct record *r = ticket ? store_find_text(&d->modules[MOD_TICKETS], str_of(ticket)) : NULL;
    int64_t commenter = DESK_AGENT_ID;
    if (!r || !content || (by && !str_to_i64(str_of(by), &commenter)))
        return call_answer_fmt(c, 400, "{\"error\":\"wants ticketId and content\"}");
    comment_add(d, r->id, commenter, sandbox_now_us(d->world) / US_PER_MS * US_PER_MS,
                json_is_true(json_object_get(fields, "isPublic")), !form || strcmp(form, "html") == 0, str_of(content));
    comment_put(d, &c->out, &d->comments[d->comment_count - 1]);
    call_answer(c, 200);
}
