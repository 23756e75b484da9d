/* Agents: the users a record can be owned by, as the kind "user". They can only be read. Nothing tells which of them
 * changed, so every poll reads the list, 200 a call, and the host sees what is new [OAS:Agent]. */
#include "desk.h"

enum { PAGE = 200, AT_ONCE_GET = 20 };
#define TAG "desk.agents.1"

static const struct {
    const char *path, *name, *label;
    uint32_t type, flags;
} agent_fields[] = {
    {"email", "emailId", "Email", TL_EMAIL, TL_F_MATCH},
    {"name", "name", "Name", TL_TEXT, 0},
    {"first_name", "firstName", "First Name", TL_TEXT, 0},
    {"last_name", "lastName", "Last Name", TL_TEXT, 0},
    {"status", "status", "Status", TL_TEXT, 0},
};

static const struct desk_kind agents = {.kind = "user", .label = "Agents", .module = "agents"};

bool desk_is_agents(tl_str kind)
{
    return tlk_is(kind, agents.kind);
}

tl_status desk_agents_describe(tl_conn *c, tl_error *e)
{
    tlk_fields list = {.arena = &c->call};
    for (size_t i = 0; i < TLK_LEN(agent_fields); i++)
        tlk_field_add(&list, agent_fields[i].path, tlk_str(agent_fields[i].name), tlk_str(agent_fields[i].label),
                      agent_fields[i].type, agent_fields[i].flags | TL_F_READONLY);
    tl_kind kind = {.struct_size = sizeof(kind),
                    .can = TL_CAN_PULL | TL_CAN_PASS,
                    .max_get = AT_ONCE_GET,
                    .n_fields = list.n,
                    .field_stride = sizeof(tl_field),
                    .kind = tlk_str(agents.kind),
                    .label = tlk_str(agents.label),
                    .name = tlk_str(agents.module),
                    .fields = list.list};
    return tlk_refused(c->host->describe(c->host, &kind), e);
}

static tl_status emit_page(const struct desk_reader *rd, const tlk_node *data, uint32_t *n_out, tl_error *e)
{
    tl_record *list = tlk_new(&rd->c->page, tl_record, tlk_count(data) + 1);
    uint32_t n = 0;
    tlk_iter i = tlk_each(data);
    for (const tlk_node *row; tlk_next_item(&i, &row);)
        desk_record_read(rd, row, &list[n++]);
    *n_out = n;
    return tlk_refused(tlk_emit(rd->c->host, list, n), e);
}

/* From where the cursor stands to the end of the list, as many pages as the host allows. */
tl_status desk_agents_pull(tl_conn *c, const tl_pull *p, tl_error *e)
{
    struct desk_reader rd;
    tlk_cursor at;
    tl_status rc = desk_begin(c, e);
    if (rc != TL_OK)
        return rc;
    desk_reader_init(&rd, c, &agents, p->shape);
    if (!tlk_cursor_read(&at, TAG, p->cursor, &c->call))
        return tlk_fail(e, TL_E_CURSOR_LOST, "the place in the list of agents cannot be read");
    int64_t from = tlk_cursor_int(&at, "from", 0);
    for (uint32_t page = 0; p->max_pages == 0 || page < p->max_pages; page++) {
        const tlk_node *root = NULL;
        tl_http r;
        uint32_t n = 0;
        tlk_url u = desk_url(c, "/agents");
        if (from > 0)
            tlk_url_add_int(&u, "from", from);
        tlk_url_add_int(&u, "limit", PAGE);
        desk_request(c, &r, "GET", &u, 0);
        rc = desk_call(c, &r, &root, e);
        if (rc == TL_OK)
            rc = emit_page(&rd, tlk_get(root, "data"), &n, e);
        if (rc != TL_OK)
            return rc;
        bool end = n < PAGE;
        from = end ? 0 : from + n;
        tlk_cursor next = {0};
        tlk_cursor_set_int(&next, &c->page, "from", from);
        rc = tlk_refused(tlk_checkpoint(c->host, p->mode, end, tlk_cursor_text(&next, TAG, &c->page),
                                        tlk_server_us(c->host, &r), -1),
                         e);
        if (rc != TL_OK || end)
            return rc;
    }
    return TL_OK;
}

struct fetch {
    const struct desk_reader *rd;
    const tl_get *q;
};

static tl_status fetched(void *ctx, tl_http *done, uint32_t first, uint32_t n, tl_error *e)
{
    const struct fetch *f = ctx;
    tl_conn *c = f->rd->c;
    for (uint32_t i = 0; i < n; i++) {
        tl_record rec = {.id = f->q->ids[first + i], .state = TL_STATE_DELETED};
        const tlk_node *root = NULL;
        tl_error own = {.struct_size = sizeof(own)};
        tl_status rc = tlk_answer(c->host, &done[i], &desk_errors, &c->json, &root, &own);
        if (rc == TL_OK)
            desk_record_read(f->rd, root, &rec);
        else if (rc == TL_E_DENIED)
            rec.state = TL_STATE_FORBIDDEN;
        else if (rc != TL_E_NOT_FOUND) {
            *e = own;
            return rc;
        }
        rec.id = f->q->ids[first + i];
        rec.index = first + i;
        rc = tlk_refused(tlk_emit(c->host, &rec, 1), e);
        if (rc != TL_OK)
            return rc;
    }
    return TL_OK;
}

tl_status desk_agents_get(tl_conn *c, const tl_get *q, tl_error *e)
{
    struct desk_reader rd;
    tl_status rc = desk_begin(c, e);
    if (rc != TL_OK)
        return rc;
    desk_reader_init(&rd, c, &agents, q->shape);
    struct fetch f = {&rd, q};
    tl_http *r = tlk_new(&c->call, tl_http, q->n_ids + 1);
    for (uint32_t i = 0; i < q->n_ids; i++) {
        tlk_url u = desk_url(c, "/agents");
        tlk_url_segment(&u, q->ids[i]);
        desk_request(c, &r[i], "GET", &u, 0);
    }
    return tlk_send(c->host, r, q->n_ids, DESK_AT_ONCE, fetched, &f, e);
}
