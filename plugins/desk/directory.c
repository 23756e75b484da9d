/* Who works at the desk: agents (the kind "user": whom a record can belong to), their profiles and departments. They
 * can only be read. No list tells which of them changed, so every poll reads it whole, and the host sees what is
 * new [OAS:Agent, OAS:Profile, OAS:Department]. */
#include "desk.h"

enum { AT_ONCE_GET = 20, PAGE_MAX = 250 };
#define TAG "desk.directory.1"

struct row {
    const char *path, *name, *label;
    uint32_t type, flags;
    const char *refers_to;
};

static const struct row agent_rows[] = {
    {"email", "emailId", "Email", TL_EMAIL, TL_F_MATCH, NULL},
    {"name", "name", "Name", TL_TEXT, 0, NULL},
    {"first_name", "firstName", "First Name", TL_TEXT, 0, NULL},
    {"last_name", "lastName", "Last Name", TL_TEXT, 0, NULL},
    {"active", "status", "Active", TL_BOOL, 0, NULL},
    {"status", "status", "Status", TL_TEXT, 0, NULL},
    {"profile", "profileId", "Profile", TL_REF, 0, "profile"},
    {"role", "role.name", "Role", TL_TEXT, 0, NULL},
    {"departments", "associatedDepartmentIds", "Departments", TL_LIST, 0, "department"},
    {"x.rolePermissionType", "rolePermissionType", "Data Access", TL_TEXT, 0, NULL},
    {"x.isConfirmed", "isConfirmed", "Confirmed", TL_BOOL, 0, NULL},
};

/* type: Administrator, Standard, Light, Portal or Custom. permissions has the vendor's own switches for what of an
 * integration agents see: crmInteg, financeInteg. */
static const struct row profile_rows[] = {
    {"name", "name", "Name", TL_TEXT, 0, NULL},
    {"administrator", "type", "Administrator", TL_BOOL, 0, NULL},
    {"permissions", "permissions", "Permissions", TL_JSON, 0, NULL},
    {"x.type", "type", "Type", TL_TEXT, 0, NULL},
    {"x.description", "description", "Description", TL_MULTILINE, 0, NULL},
};

static const struct row department_rows[] = {
    {"name", "name", "Name", TL_TEXT, 0, NULL},
    {"active", "isEnabled", "Enabled", TL_BOOL, 0, NULL},
    {"x.description", "description", "Description", TL_MULTILINE, 0, NULL},
};

struct directory {
    struct desk_kind kind;
    uint32_t page;            /* longest list [OAS] */
    const char *name, *value; /* a parameter of the list that asks for more of each; null: none */
    bool by_id;               /* the same parameter when one is read */
    const struct row *rows;
    uint32_t n_rows;
};

static const struct directory directories[] = {
    {.kind = {.kind = "user", .label = "Agents", .module = "agents", .scope = "Desk.basic.READ"},
     .page = 200,
     .name = "include",
     .value = "profile,role",
     .by_id = true,
     .rows = agent_rows,
     .n_rows = TLK_LEN(agent_rows)},
    {.kind = {.kind = "profile", .label = "Profiles", .module = "profiles", .scope = "Desk.basic.READ"},
     .page = PAGE_MAX,
     .name = "fields",
     .value = "type,description,permissions",
     .rows = profile_rows,
     .n_rows = TLK_LEN(profile_rows)},
    {.kind = {.kind = "department", .label = "Departments", .module = "departments", .scope = "Desk.basic.READ"},
     .page = 200,
     .rows = department_rows,
     .n_rows = TLK_LEN(department_rows)},
};

const struct directory *desk_directory_of(tl_str kind)
{
    return tlk_row_by(directories, TLK_LEN(directories), kind.kind, kind);
}

static tl_status describe(tl_conn *c, const struct directory *d, tl_error *e)
{
    tlk_fields list = {.arena = &c->call};
    for (uint32_t i = 0; i < d->n_rows; i++) {
        const struct row *r = &d->rows[i];
        tl_field *f =
            tlk_field_add(&list, r->path, tlk_str(r->name), tlk_str(r->label), r->type, r->flags | TL_F_READONLY);
        f->item_type = r->type == TL_LIST ? TL_REF : 0;
        f->refers_to = tlk_str(r->refers_to);
    }
    tl_kind kind = {.struct_size = sizeof(kind),
                    .can = TL_CAN_PULL | TL_CAN_PASS,
                    .max_get = AT_ONCE_GET,
                    .n_fields = list.n,
                    .field_stride = sizeof(tl_field),
                    .kind = tlk_str(d->kind.kind),
                    .label = tlk_str(d->kind.label),
                    .name = tlk_str(d->kind.module),
                    .fields = list.list};
    return tlk_refused(c->host->describe(c->host, &kind), e);
}

tl_status desk_directory_describe(tl_conn *c, const tl_discover *q, tl_error *e)
{
    tl_status rc = TL_OK;
    for (size_t i = 0; i < TLK_LEN(directories) && rc == TL_OK; i++) {
        if (tlk_wants(q->kinds, q->n_kinds, directories[i].kind.kind))
            rc = describe(c, &directories[i], e);
    }
    return rc;
}

/* ---- by id */

struct fetch {
    const struct desk_reader *rd;
    const tl_str *ids;
    bool listed; /* they stood in a list just now: one that is gone meanwhile is left out */
};

static tl_status fetched(void *ctx, tl_http *done, uint32_t first, uint32_t n, tl_error *e)
{
    const struct fetch *f = ctx;
    tl_conn *c = f->rd->c;
    for (uint32_t i = 0; i < n; i++) {
        tl_record rec = {.id = f->ids[first + i], .state = TL_STATE_DELETED};
        const tlk_node *root = NULL;
        tl_error own = {.struct_size = sizeof(own)};
        tl_status rc = tlk_answer(c->host, &done[i], &desk_errors, &c->json, &root, &own);
        if (f->listed && rc == TL_E_NOT_FOUND)
            continue;
        if (rc == TL_OK)
            desk_record_read(f->rd, root, &rec);
        else if (rc == TL_E_DENIED)
            rec.state = TL_STATE_FORBIDDEN;
        else if (rc != TL_E_NOT_FOUND) {
            *e = own;
            return rc;
        }
        rec.id = f->ids[first + i];
        rec.index = f->listed ? 0 : first + i;
        rc = tlk_refused(tlk_emit(c->host, &rec, 1), e);
        if (rc != TL_OK)
            return rc;
    }
    return TL_OK;
}

static tl_status fetch(const struct desk_reader *rd, const struct directory *d, const tl_str *ids, uint32_t n,
                       bool listed, tl_error *e)
{
    tl_conn *c = rd->c;
    struct fetch f = {rd, ids, listed};
    tl_http *r = tlk_new(&c->call, tl_http, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        tlk_url u = desk_url(c, "/");
        tlk_addz(&u.b, d->kind.module);
        tlk_url_segment(&u, ids[i]);
        if (d->by_id)
            tlk_url_add(&u, d->name, tlk_str(d->value));
        desk_request(c, &r[i], "GET", &u, 0);
    }
    return tlk_send(c->host, r, n, DESK_AT_ONCE, fetched, &f, e);
}

tl_status desk_directory_get(tl_conn *c, const struct directory *d, const tl_get *q, tl_error *e)
{
    struct desk_reader rd;
    tl_status rc = desk_begin(c, e);
    if (rc != TL_OK)
        return rc;
    desk_reader_init(&rd, c, &d->kind, q->shape);
    return desk_of_kind(&d->kind, fetch(&rd, d, q->ids, q->n_ids, false, e), e);
}

/* ---- the list */

static tl_status emit_rows(const struct desk_reader *rd, const tlk_node *data, tl_error *e)
{
    tl_record *list = tlk_new(&rd->c->page, tl_record, tlk_count(data) + 1);
    uint32_t n = 0;
    tlk_iter i = tlk_each(data);
    for (const tlk_node *row; tlk_next_item(&i, &row);) {
        desk_record_read(rd, row, &list[n]);
        if (list[n].id.n > 0)
            n++;
    }
    return tlk_refused(tlk_emit(rd->c->host, list, n), e);
}

/* Where the list shows less of each than was asked for: one by one. */
static tl_status emit_by_id(const struct desk_reader *rd, const struct directory *d, const tlk_node *data, tl_error *e)
{
    tl_conn *c = rd->c;
    tl_str *ids = tlk_new(&c->call, tl_str, tlk_count(data) + 1);
    uint32_t n = 0;
    tlk_iter i = tlk_each(data);
    for (const tlk_node *row; tlk_next_item(&i, &row);) {
        ids[n] = tlk_dup(&c->call, tlk_text_at(row, "id", &c->page));
        n += ids[n].n > 0;
    }
    return fetch(rd, d, ids, n, true, e);
}

static tl_status ask(tl_conn *c, const struct directory *d, int64_t from, tl_http *r, const tlk_node **root,
                     tl_error *e)
{
    tlk_url u = desk_url(c, "/");
    tlk_addz(&u.b, d->kind.module);
    if (from > 0)
        tlk_url_add_int(&u, "from", from);
    tlk_url_add_int(&u, "limit", d->page);
    if (d->name && (d->by_id || !c->old_profiles))
        tlk_url_add(&u, d->name, tlk_str(d->value));
    desk_request(c, r, "GET", &u, 0);
    return desk_call(c, r, root, e);
}

/* One page of the list; *n_out: how many it had. */
static tl_status one_page(const struct desk_reader *rd, const struct directory *d, int64_t from, tl_http *r,
                          uint32_t *n_out, tl_error *e)
{
    tl_conn *c = rd->c;
    const tlk_node *root = NULL;
    tl_status rc = ask(c, d, from, r, &root, e);
    bool newer = d->name && !d->by_id; /* a parameter that only newer portals know [OAS:Profile] */
    if (rc == TL_E_INVALID && e->http_status == 422 && newer && !c->old_profiles) {
        c->old_profiles = true;
        tlk_error_clear(e);
        rc = ask(c, d, from, r, &root, e);
    }
    const tlk_node *data = NULL;
    if (rc == TL_OK)
        rc = desk_data(root, d->kind.module, &data, e);
    if (rc != TL_OK)
        return rc;
    *n_out = tlk_count(data);
    return newer && c->old_profiles ? emit_by_id(rd, d, data, e) : emit_rows(rd, data, e);
}

/* From where the cursor stands to the end of the list, as many pages as the host allows. */
static tl_status pull(const struct desk_reader *rd, const struct directory *d, const tl_pull *p, tl_error *e)
{
    tl_conn *c = rd->c;
    tlk_cursor at;
    if (!tlk_cursor_read(&at, TAG, p->cursor, &c->call))
        return tlk_cursor_lost(e);
    int64_t from = tlk_cursor_int(&at, "from", 0);
    for (uint32_t page = 0; p->max_pages == 0 || page < p->max_pages; page++) {
        tl_http r;
        uint32_t n = 0;
        tlk_arena_reset(&c->page);
        tl_status rc = one_page(rd, d, from, &r, &n, e);
        if (rc != TL_OK)
            return rc;
        bool end = n < d->page;
        from = end ? 0 : from + n;
        tlk_cursor next = {0};
        tlk_cursor_set_int(&next, &c->page, "from", from);
        rc = tlk_checkpoint(c->host, p->mode, end, tlk_cursor_text(&next, TAG, &c->page), tlk_server_us(c->host, &r),
                            -1);
        if (rc != TL_OK || end)
            return desk_page_end(c, rc, e);
    }
    return TL_OK;
}

tl_status desk_directory_pull(tl_conn *c, const struct directory *d, const tl_pull *p, tl_error *e)
{
    struct desk_reader rd;
    tl_status rc = desk_begin(c, e);
    if (rc != TL_OK)
        return rc;
    desk_reader_init(&rd, c, &d->kind, p->shape);
    return desk_of_kind(&d->kind, pull(&rd, d, p, e), e);
}
