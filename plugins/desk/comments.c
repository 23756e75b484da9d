/* Comments of tickets [OAS:TicketComment]: the latest first, as people read them, and one more. The vendor keeps our
 * own user as the author of what we write, so whom it is written for signs it with his name, for all to see. Nothing of
 * a comment could carry a mark that people do not see: whether a lost one was made is not to be found out. */
#include "desk.h"

enum { PAGE_MAX = 100, BODY_MAX = 32000, NAME_ROOM = 256 };
#define TAG "desk.comments.1"

static const struct desk_kind comments = {
    .kind = "comment", .label = "Comments", .module = "tickets", .scope = "Desk.tickets.READ"};
static const struct desk_kind commenting = {
    .kind = "comment", .label = "Comments", .module = "tickets", .scope = "Desk.tickets.UPDATE"};

/* param: what one is made of; the others are read. */
static const struct {
    const char *path, *name, *label;
    uint32_t type;
    const char *refers_to;
    bool param, required;
} rows[] = {
    {"parent", "ticketId", "Ticket", TL_REF, "ticket", true, true},
    {"body", "content", "Comment", TL_MULTILINE, NULL, true, true},
    {"public", "isPublic", "Public", TL_BOOL, NULL, true, false},
    {"author", "commenterId", "Author", TL_REF, "user,contact", false, false},
    {"author_name", "commenter.name", "Author's Name", TL_TEXT, NULL, false, false},
    {"at", "commentedTime", "Written", TL_TIME, NULL, false, false},
    {"x.attachments", "attachments", "Attachments", TL_JSON, NULL, false, false},
};

bool desk_is_comments(tl_str kind)
{
    return tlk_is(kind, comments.kind);
}

static void fields_of(tlk_fields *list, bool action)
{
    for (size_t i = 0; i < TLK_LEN(rows); i++) {
        uint32_t flags = !action || !rows[i].param ? TL_F_READONLY : rows[i].required ? TL_F_REQUIRED : 0;
        tl_field *f =
            tlk_field_add(list, rows[i].path, tlk_str(rows[i].name), tlk_str(rows[i].label), rows[i].type, flags);
        f->refers_to = tlk_str(rows[i].refers_to);
        f->max = rows[i].type == TL_MULTILINE ? BODY_MAX - (action ? NAME_ROOM : 0) : 0;
    }
}

static tl_status describe_create(tl_conn *c, tl_error *e)
{
    if (!TL_HAS(c->host, tl_host, describe_action))
        return TL_OK; /* a host before 0.2 */
    tlk_fields params = {.arena = &c->call};
    fields_of(&params, true);
    tl_action create = {.struct_size = sizeof(create),
                        .flags = TL_ACTION_CREATES,
                        .rights = TL_RIGHT_CREATE,
                        .n_params = params.n,
                        .param_stride = sizeof(tl_field),
                        .kind = tlk_str(comments.kind),
                        .name = TL_STR("create"),
                        .label = TL_STR("Comment"),
                        .help = TL_STR("adds a comment to the ticket, signed with the name of who writes it"),
                        .params = params.list};
    return tlk_refused(c->host->describe_action(c->host, &create), e);
}

tl_status desk_comments_describe(tl_conn *c, tl_error *e)
{
    tlk_fields list = {.arena = &c->call};
    fields_of(&list, false);
    tl_kind kind = {.struct_size = sizeof(kind),
                    .n_fields = list.n,
                    .field_stride = sizeof(tl_field),
                    .kind = tlk_str(comments.kind),
                    .label = tlk_str(comments.label),
                    .name = TL_STR("comments"),
                    .fields = list.list,
                    .about = TL_STR("ticket")};
    tl_status rc = tlk_refused(c->host->describe(c->host, &kind), e);
    return rc == TL_OK ? describe_create(c, e) : rc;
}

/* ---- one comment */

/* The vendor's samples show both: "AGENT" and ["AGENT"]. */
static bool by_end_user(tl_conn *c, const tlk_node *comment)
{
    const tlk_node *type = tlk_at(comment, "commenter.type");
    if (tlk_type(type) == TLK_JARRAY)
        type = tlk_item(type, 0);
    return tlk_is(tlk_text(type, &c->page), "END_USER");
}

static uint16_t position_in(tl_str kinds, const char *kind)
{
    uint16_t at = 0;
    for (tl_str one; tlk_split(&kinds, ',', &one); at++) {
        if (tlk_is(one, kind))
            return at;
    }
    return 0;
}

/* Reads one; what the comment does not say itself is added: its ticket, of which kind its author is, its text. */
static bool read_comment(const struct desk_reader *rd, const tlk_node *comment, tl_str ticket, tl_record *rec)
{
    tl_conn *c = rd->c;
    if (!desk_record_read(rd, comment, rec))
        return false;
    bool html = !tlk_is(tlk_text_at(comment, "contentType", &c->page), "plainText"); /* html is what it is by itself */
    tl_value *values = tlk_new(&c->page, tl_value, rec->n_values + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < rec->n_values; i++) {
        tl_value v = rec->values[i];
        const tl_field *f = tlk_field(rd->shape, v.field);
        if (tlk_is(f->path, "parent"))
            continue;
        if (html && tlk_is(f->path, "body") && v.type != TL_NULL)
            v.u.s = desk_plain_text(&c->page, v.u.s);
        if (v.type == TL_REF && tlk_is(f->path, "author"))
            v.aux = position_in(f->refers_to, by_end_user(c, comment) ? "contact" : "user");
        values[n++] = v;
    }
    for (uint32_t i = 0; i < rd->shape->n_fields; i++) {
        if (tlk_is(tlk_field(rd->shape, i)->path, "parent"))
            values[n++] = (tl_value){.field = i, .type = TL_REF, .u.s = ticket};
    }
    rec->values = values;
    rec->n_values = n;
    return true;
}

static tlk_url comments_url(tl_conn *c, tl_str ticket)
{
    tlk_url u = desk_url(c, "/tickets");
    tlk_url_segment(&u, ticket);
    tlk_addz(&u.b, "/comments");
    return u;
}

/* ---- the list */

/* Whether a list begins with 0 or with 1 the vendor tells differently from page to page, so "from" is how many were
 * read: where it begins with 1 the last one is met again, and left out. */
static tl_status emit_page(const struct desk_reader *rd, const tlk_node *data, const tl_list *q, tl_str *last,
                           tl_error *e)
{
    tl_conn *c = rd->c;
    tl_record *list = tlk_new(&c->page, tl_record, tlk_count(data) + 1);
    uint32_t n = 0;
    tlk_iter i = tlk_each(data);
    for (const tlk_node *comment; tlk_next_item(&i, &comment);) {
        read_comment(rd, comment, q->about_id, &list[n]);
        if (list[n].id.n > 0 && !tlk_eq(list[n].id, *last))
            n++;
    }
    if (n > 0)
        *last = list[n - 1].id;
    return tlk_refused(tlk_emit(c->host, list, n), e);
}

static tl_status list_page(const struct desk_reader *rd, const tl_list *q, tl_error *e)
{
    tl_conn *c = rd->c;
    tlk_cursor at, next = {0};
    if (!tlk_cursor_read(&at, TAG, q->cursor, &c->call))
        return tlk_cursor_lost(e);
    int64_t from = tlk_cursor_int(&at, "from", 0);
    tl_str last = tlk_cursor_get(&at, "last");
    uint32_t limit = q->limit > 0 && q->limit < PAGE_MAX ? q->limit : PAGE_MAX;
    tl_http r;
    const tlk_node *root = NULL;
    tlk_url u = comments_url(c, q->about_id);
    tlk_url_add(&u, "sortBy", TL_STR("-commentedTime"));
    if (from > 0)
        tlk_url_add_int(&u, "from", from);
    tlk_url_add_int(&u, "limit", limit);
    desk_request(c, &r, "GET", &u, 0);
    tl_status rc = desk_call(c, &r, &root, e);
    const tlk_node *data = NULL;
    if (rc == TL_OK)
        rc = desk_data(root, "comments", &data, e);
    if (rc != TL_OK)
        return rc;
    uint32_t n = tlk_count(data);
    bool end = n < limit;
    rc = emit_page(rd, data, q, &last, e);
    if (rc != TL_OK)
        return rc;
    tlk_cursor_set_int(&next, &c->page, "from", from + n);
    tlk_cursor_set(&next, &c->page, "last", last);
    rc = tlk_checkpoint(c->host, 0, end, tlk_cursor_text(&next, TAG, &c->page), tlk_server_us(c->host, &r),
                        end ? from + n : -1);
    return desk_page_end(c, rc, e);
}

tl_status desk_comments_list(tl_conn *c, const tl_list *q, tl_error *e)
{
    struct desk_reader rd;
    if (!tlk_is(q->about_kind, "ticket"))
        return tlk_fail_kind(e, TL_E_UNSUPPORTED, "Zoho Desk has comments of tickets, not of a %.*s",
                             TLK_FMT(q->about_kind));
    tl_status rc = desk_begin(c, e);
    if (rc != TL_OK)
        return rc;
    desk_reader_init(&rd, c, &comments, q->shape);
    return desk_of_kind(&comments, list_page(&rd, q, e), e);
}

/* ---- one more */

static tl_str text_of(const tl_act *q, const char *path)
{
    const tl_value *v = tlk_value_of(q->shape, q->record, path);
    return v && v->type != TL_NULL ? v->u.s : TLK_NONE;
}

/* Plain text, or markup in it would be taken for such. */
static tl_str body_of(tl_conn *c, const tl_act *q, tl_str text)
{
    const tl_value *open = tlk_value_of(q->shape, q->record, "public");
    TLK_AUTO_WRITER w = {0};
    tlk_w_object(&w);
    tlk_w_member(&w, "content",
                 q->person.n > 0 ? tlk_fmt(&c->call, "%.*s\n\n-- %.*s", TLK_FMT(text), TLK_FMT(q->person)) : text);
    tlk_w_member(&w, "contentType", TL_STR("plainText"));
    tlk_w_key(&w, TL_STR("isPublic"));
    tlk_w_bool(&w, open && open->type == TL_BOOL && open->u.i);
    tlk_w_end_object(&w);
    return tlk_dup(&c->call, tlk_w_lent(&w));
}

static tl_status refused(tl_conn *c, tl_status rc, const tl_error *why, tl_error *e)
{
    return tlk_refused(tlk_result_fail(c->host, 0, rc, why), e);
}

static tl_status send(tl_conn *c, const struct desk_reader *rd, const tl_act *q, tl_str ticket, tl_str text,
                      tl_error *e)
{
    tl_http r;
    const tlk_node *root = NULL;
    tl_error own = {.struct_size = sizeof(own)};
    tlk_url u = comments_url(c, ticket);
    desk_request(c, &r, "POST", &u, TL_HTTP_WRITE);
    tlk_request_json(&r, &c->call, body_of(c, q, text));
    tl_status rc = tlk_write_status(&r, desk_call(c, &r, &root, &own));
    if (rc == TL_E_CANCELLED && r.status == 0) { /* not sent: the host only wanted to see it, or to stop */
        *e = own;
        return rc;
    }
    if (rc == TL_E_INVALID)
        desk_refine(c->json.nodes, q->shape, q->record, &own);
    rc = desk_of_kind(&commenting, rc, &own);
    if (rc != TL_OK) {
        tl_status told = refused(c, rc, &own, e);
        if (told != TL_OK || own.scope != TL_SCOPE_ENDPOINT || rc == TL_E_UNKNOWN)
            return told;
        *e = own; /* throttled, signed out: a matter of the whole endpoint */
        return rc;
    }
    tl_record made;
    if (!read_comment(rd, root, ticket, &made)) {
        tlk_fail_record(&own, TL_E_UNKNOWN, TL_R_OTHER, "", "Zoho Desk took the comment but did not say its id");
        return refused(c, TL_E_UNKNOWN, &own, e);
    }
    return tlk_refused(tlk_result_ok(c->host, 0, true, &made), e);
}

static tl_status act(tl_conn *c, const tl_act *q, tl_error *e)
{
    struct desk_reader rd;
    if (!desk_is_comments(q->shape->kind) || !tlk_is(q->name, "create") || (q->flags & TL_ACT_LOOK))
        return tlk_fail_kind(e, TL_E_UNSUPPORTED, "Zoho Desk is not asked to do \"%.*s\" to a %.*s", TLK_FMT(q->name),
                             TLK_FMT(q->shape->kind));
    tl_status rc = desk_begin(c, e);
    if (rc != TL_OK)
        return rc;
    tl_error own = {.struct_size = sizeof(own)};
    tl_str ticket = text_of(q, "parent"), text = text_of(q, "body");
    if (ticket.n == 0 || text.n == 0) {
        const char *missing = ticket.n == 0 ? "parent" : "body";
        tlk_fail_record(&own, TL_E_INVALID, TL_R_PARAM_MISSING, missing, "a comment needs its ticket and its text");
        return refused(c, TL_E_INVALID, &own, e);
    }
    desk_reader_init(&rd, c, &comments, q->shape);
    return send(c, &rd, q, ticket, text, e);
}

const tl_actions desk_actions = {.struct_size = sizeof(desk_actions), .act = act};
