/* SPDX-License-Identifier: MIT-0
 * A whole connector for a system as small as one can be: contacts over /toy/contacts with an API token. Read it from
 * the end: the table, then the calls. tieline-sandbox serves such a system. Laid out by hand. */
/* clang-format off */
#include <kit/kit.h>
#include <stdlib.h>

struct tl_conn { /* one instance; the host never runs two calls on it at once */
    const tl_host *host;
    tlk_arena keep, call; /* as long as the instance; as long as one call */
    tlk_json json;
    tl_str contacts; /* "http://.../toy/contacts" */
};

static const tlk_error_row error_rows[] = {
    {"MISSING", 0, TL_E_INVALID, TL_R_REQUIRED_MISSING, TL_SCOPE_RECORD, 0, NULL},
    {"NOT_TEXT", 0, TL_E_INVALID, TL_R_TYPE_MISMATCH, TL_SCOPE_RECORD, 0, NULL},
    {"TOO_LONG", 0, TL_E_INVALID, TL_R_TOO_LONG, TL_SCOPE_RECORD, 0, NULL},
    {"DUPLICATE", 0, TL_E_INVALID, TL_R_ALREADY_MAPPED, TL_SCOPE_RECORD, 0, NULL},
};
static const tlk_errors errors = {.system = "toy", .code_paths = "error.code", .text_paths = "error.message",
    .field_paths = "error.field", .rows = error_rows, .n_rows = TLK_LEN(error_rows)};

/* Where a contact holds what is no field. The stamp is in no shape: the host names its field in every request. */
static tlk_envelope envelope_of(tl_str stamp) { return (tlk_envelope){.id = "id", .modified = "updated_at",
    .created = "created_at", .deleted = "deleted", .stamp = stamp.n > 0 ? stamp.p : NULL}; }

/* Calls /toy/contacts<path>; the answer's JSON is in *root, as long as the next call. */
static tl_status ask(tl_conn *c, const char *method, const char *path, tl_str body, tl_http *r, const tlk_node **root,
                     tl_error *e)
{
    tlk_request(r, method, tlk_fmt(&c->call, "%s%s", c->contacts.p, path),
                strcmp(method, "GET") == 0 ? 0 : TL_HTTP_WRITE);
    if (body.n > 0)
        tlk_request_json(r, &c->call, body);
    return tlk_call(c->host, r, &errors, &c->json, root, e);
}

static tl_status toy_check(tl_conn *c, const tl_check *q, tl_error *e)
{
    const tl_account a = {.struct_size = sizeof(a), .org_key = TL_STR("toy"), .org_name = TL_STR("Toy")};
    const tlk_node *root; tl_http r;
    (void)q, tlk_arena_reset(&c->call);
    tl_status rc = ask(c, "GET", "?limit=1", TLK_NONE, &r, &root, e);
    return rc == TL_OK ? c->host->account(c->host, &a) : rc;
}

static tl_status toy_discover(tl_conn *c, const tl_discover *q, tl_error *e)
{
    tlk_fields list = {.arena = &c->call};
    (void)q, (void)e, tlk_arena_reset(&c->call);
    tlk_field_add(&list, "first_name", TL_STR("first_name"), TL_STR("First name"), TL_TEXT, 0)->max = 200;
    tlk_field_add(&list, "last_name", TL_STR("last_name"), TL_STR("Last name"), TL_TEXT, TL_F_REQUIRED)->max = 200;
    tlk_field_add(&list, "email", TL_STR("email"), TL_STR("E-mail"), TL_EMAIL, 0)->max = 200;
    tlk_field_add(&list, "phone", TL_STR("phone"), TL_STR("Phone"), TL_PHONE, 0)->max = 200;
    tlk_field_add(&list, "x.company", TL_STR("company"), TL_STR("Company"), TL_TEXT, 0)->max = 200;
    tlk_field_add(&list, "x.ref", TL_STR("ref"), TL_STR("Reference"), TL_TEXT, TL_F_STAMP | TL_F_UNIQUE)->max = 200;
    const tl_kind kind = {.struct_size = sizeof(kind), .kind = TL_STR("contact"), .label = TL_STR("Contacts"),
                          .name = TL_STR("contacts"), .stamp_field = TL_STR("ref"), .max_batch = 10, .max_get = 20,
                          .can = TL_CAN_PULL | TL_CAN_PASS | TL_CAN_CREATE | TL_CAN_UPDATE | TL_CAN_DELETE |
                                 TL_CAN_DELETED | TL_CAN_RETURN_POST,
                          .resolution_ms = 1, .settle_ms = 1000, .lateness_ms = 1000,
                          .n_fields = list.n, .field_stride = sizeof(tl_field), .fields = list.list};
    return c->host->describe(c->host, &kind);
}

/* One page of what changed after the cursor's (since, after), oldest first; moves the cursor behind it. */
static tl_status pull_page(tl_conn *c, const tl_pull *p, const tlk_plan *plan, tlk_cursor *at, bool *more, tl_error *e)
{
    tlk_url u; tl_http r;
    const tlk_node *root = NULL, *o;
    tlk_url_begin(&u, &c->call, TLK_NONE, "");
    for (uint32_t i = 0; i < at->n; i++)
        tlk_url_add(&u, at->member[i].name.p, at->member[i].value);
    tlk_url_add_int(&u, "limit", p->page_hint ? p->page_hint : 200);
    tl_status rc = ask(c, "GET", tlk_url_end(&u).p, TLK_NONE, &r, &root, e);
    if (rc != TL_OK)
        return rc;
    const tlk_node *list = tlk_get(root, "contacts");
    const tlk_envelope envelope = envelope_of(p->stamp_field);
    tl_record *records = tlk_new(&c->call, tl_record, tlk_count(list) + 1);
    uint32_t n = 0;
    for (tlk_iter i = tlk_each(list); tlk_next_item(&i, &o);) {
        tlk_object_read(plan, &envelope, o, &c->call, &records[n]);
        tlk_cursor_set(at, &c->call, "since", records[n].version);
        tlk_cursor_set(at, &c->call, "after", records[n].id);
        n += p->mode == TL_PULL_CHANGES || records[n].state == TL_STATE_LIVE; /* a pass tells of the living */
    }
    tlk_bool(tlk_get(root, "more"), more);
    rc = tlk_emit(c->host, records, n);
    tl_str cursor = tlk_cursor_text(at, "toy.1", &c->call);
    return rc == TL_OK ? tlk_checkpoint(c->host, p->mode, !*more, cursor, r.server_us, -1) : rc;
}

static tl_status toy_pull(tl_conn *c, const tl_pull *p, tl_error *e)
{
    tlk_cursor at; tlk_plan plan; char text[32];
    bool more = true;
    tl_status rc = TL_OK;
    tlk_arena_reset(&c->call);
    if (!tlk_cursor_read(&at, "toy.1", p->cursor, &c->call))
        return tlk_cursor_lost(e);
    if (p->mode == TL_PULL_CHANGES && at.n == 0) /* from now on */
        tlk_cursor_set(&at, &c->call, "since", tlk_str(tlk_time_text(text, c->host->now_us(c->host) - 1000000)));
    tlk_plan_init(&plan, p->shape, NULL, &c->call);
    for (uint32_t page = 0; rc == TL_OK && more && (p->max_pages == 0 || page < p->max_pages); page++)
        rc = pull_page(c, p, &plan, &at, &more, e);
    return rc == TL_E_CANCELLED ? TL_OK : rc; /* cancelled: the host has enough for now */
}

static tl_status toy_get(tl_conn *c, const tl_get *q, tl_error *e)
{
    tlk_plan plan; tl_status rc = TL_OK; const tlk_envelope envelope = envelope_of(q->stamp_field);
    tlk_arena_reset(&c->call);
    tlk_plan_init(&plan, q->shape, NULL, &c->call);
    for (uint32_t i = 0; i < q->n_ids && rc == TL_OK; i++) {
        const tlk_node *root = NULL; tl_http r;
        tl_record rec = {.id = q->ids[i], .state = TL_STATE_DELETED};
        rc = ask(c, "GET", tlk_fmt(&c->call, "/%.*s", TLK_FMT(q->ids[i])).p, TLK_NONE, &r, &root, e);
        if (rc != TL_OK && rc != TL_E_NOT_FOUND)
            return rc;
        if (root)
            tlk_object_read(&plan, &envelope, root, &c->call, &rec);
        rec.index = i;
        rc = tlk_emit(c->host, &rec, 1);
    }
    return rc;
}

/* One record; a lost answer ends as TL_E_UNKNOWN. */
static tl_status push_one(tl_conn *c, const tl_push *p, const tlk_plan *plan, uint32_t index)
{
    const tl_record *rec = tlk_record(p->batch, index);
    const tlk_node *root = NULL; const tlk_envelope envelope = envelope_of(p->stamp_field);
    bool create = rec->op == TL_OP_CREATE, remove = rec->op == TL_OP_DELETE;
    TLK_AUTO_WRITER w = {0};
    tl_error own = {.struct_size = sizeof(own)}; tl_http r;
    tlk_w_object(&w);
    tlk_record_write(&w, p->shape, rec, NULL);
    if (create && rec->stamp.n > 0)
        tlk_w_member(&w, p->stamp_field.p, rec->stamp);
    tlk_w_end_object(&w);
    const char *path = create ? "" : tlk_fmt(&c->call, "/%.*s", TLK_FMT(rec->id)).p;
    tl_status rc = ask(c, create ? "POST" : remove ? "DELETE" : "PATCH", path, remove ? TLK_NONE : tlk_w_lent(&w), &r,
                       &root, &own);
    tl_record post;
    if (root) tlk_object_read(plan, &envelope, root, &c->call, &post);
    else if (rc == TL_OK && create) /* an empty answer: who knows? */
        rc = tlk_fail(&own, TL_E_UNKNOWN, "toy did not say the id of a new record");
    return rc == TL_OK ? tlk_result_ok(c->host, index, create, root ? &post : NULL)
                       : tlk_result_fail(c->host, index, tlk_write_status(&r, rc), &own);
}

static tl_status toy_push(tl_conn *c, const tl_push *p, tl_error *e)
{
    tlk_plan plan; tl_status rc = TL_OK;
    (void)e;
    tlk_arena_reset(&c->call);
    tlk_plan_init(&plan, p->shape, NULL, &c->call);
    for (uint32_t i = 0; i < p->batch->count && rc == TL_OK; i++)
        rc = push_one(c, p, &plan, i);
    return rc;
}

static tl_status toy_open(const tl_host *h, const tl_open *o, tl_conn **out, tl_error *e)
{
    tl_conn *c = calloc(1, sizeof(*c));
    if (!c)
        return tlk_fail(e, TL_E_TEMPORARY, "out of memory");
    c->host = h;
    c->contacts = tlk_fmt(&c->keep, "%.*s/toy/contacts", TLK_FMT(tlk_base_url(tlk_option(o, "url"))));
    *out = c;
    return TL_OK;
}

static void toy_close(tl_conn *c)
{
    tlk_json_done(&c->json);
    tlk_arena_done(&c->call), tlk_arena_done(&c->keep), free(c);
}

static const tl_auth_flow flow = {.name = "token", .needs = "token", .form = "{token}"}; /* an API key */
static const tl_auth auth = {.struct_size = sizeof(auth), .n_flows = 1, .flow_stride = sizeof(flow), .flows = &flow,
                             .header = "Authorization", .prefix = "Bearer ", .access_member = "token"};

static const void *toy_extension(const char *id) { return strcmp(id, "tl.auth/1") == 0 ? &auth : NULL; }

static const tl_option options[] = {
    {.name = "url", .help = "address of the toy, without a path", .type = TL_OPT_URL, .flags = TL_OPT_REQUIRED},
    {.name = "token", .help = "its API token", .type = TL_OPT_SECRET, .flags = TL_OPT_REQUIRED},
};
static const tl_connector connector = {
    .magic = TL_MAGIC, .struct_size = sizeof(connector), .abi_major = TL_ABI_MAJOR, .abi_minor = TL_ABI_MINOR,
    .id = "toy", .name = "Toy", .version = "1.0", .license = "MIT-0", .role = TL_ROLE_CRM,
    .n_options = TLK_LEN(options), .option_stride = sizeof(options[0]), .options = options,
    .open = toy_open, .close = toy_close, .check = toy_check, .discover = toy_discover,
    .pull = toy_pull, .get = toy_get, .push = toy_push, .extension = toy_extension,
};
const tl_connector *tieline_connector_v0(void) { return &connector; }
