/* The toy example with both extensions of header 0.2, for tests of the tool: leads, which are the contacts made before
 * one, and things done to a contact. Laid out as the toy is. */
/* clang-format off */
#define tieline_connector_v0 toy_connector
#include "toy.c"
#undef tieline_connector_v0

enum { BEFORE = 5, CARD = 1 /* the parameter that is a file */ };

/* ---- what there is */

static tl_status beside_discover(tl_conn *c, const tl_discover *q, tl_error *e)
{
    tl_status rc = toy_discover(c, q, e);
    tlk_fields leads = {.arena = &c->call}, params = {.arena = &c->call};
    tlk_field_add(&leads, "last_name", TL_STR("last_name"), TL_STR("Last name"), TL_TEXT, 0);
    tlk_field_add(&leads, "email", TL_STR("email"), TL_STR("E-mail"), TL_EMAIL, 0);
    const tl_kind lead = {.struct_size = sizeof(lead), .kind = TL_STR("lead"), .label = TL_STR("Leads"),
                          .name = TL_STR("contacts"), .about = TL_STR("contact"), .filters = TL_STR("even"),
                          .n_fields = leads.n, .field_stride = sizeof(tl_field), .fields = leads.list};
    tlk_field_add(&params, "last_name", TL_STR("last_name"), TL_STR("Last name"), TL_TEXT, TL_F_REQUIRED)->max = 200;
    tlk_field_add(&params, "card", TL_STR("card"), TL_STR("Card"), TL_BLOB, TL_F_READONLY);
    const tl_action rename_it = {.struct_size = sizeof(rename_it), .kind = TL_STR("contact"), .name = TL_STR("rename"),
                                 .label = TL_STR("Rename"), .rights = TL_RIGHT_UPDATE, .flags = TL_ACTION_LOOKS,
                                 .n_params = 1, .param_stride = sizeof(tl_field), .params = params.list};
    const tl_action add = {.struct_size = sizeof(add), .kind = TL_STR("contact"), .name = TL_STR("add"),
                           .label = TL_STR("Add one"), .rights = TL_RIGHT_CREATE, .n_params = 1,
                           .flags = TL_ACTION_CREATES | TL_ACTION_LOOKS, .param_stride = sizeof(tl_field),
                           .params = params.list};
    const tl_action card = {.struct_size = sizeof(card), .kind = TL_STR("contact"), .name = TL_STR("card"),
                            .label = TL_STR("Card"), .help = TL_STR("As a file"), .rights = TL_RIGHT_VIEW,
                            .flags = TL_ACTION_READS, .n_params = 1, .param_stride = sizeof(tl_field),
                            .params = params.list + CARD};
    if (rc == TL_OK) rc = c->host->describe(c->host, &lead);
    if (rc == TL_OK) rc = c->host->describe_action(c->host, &rename_it);
    if (rc == TL_OK) rc = c->host->describe_action(c->host, &add);
    return rc == TL_OK ? c->host->describe_action(c->host, &card) : rc;
}

static tl_status contact(tl_conn *c, tl_str id, const tlk_node **root, tl_error *e)
{
    tl_http r;
    *root = NULL;
    return ask(c, "GET", tlk_fmt(&c->call, "/%.*s", TLK_FMT(id)).p, TLK_NONE, &r, root, e);
}

/* ---- tl.view/1 */

static tl_status beside_list(tl_conn *c, const tl_list *q, tl_error *e)
{
    tlk_plan plan; tlk_cursor at; const tlk_node *root; int64_t about = 0, id = 0;
    const tlk_envelope envelope = envelope_of(TLK_NONE);
    tlk_arena_reset(&c->call);
    tlk_plan_init(&plan, q->shape, NULL, &c->call);
    if (!tlk_cursor_read(&at, "beside.1", q->cursor, &c->call))
        return tlk_cursor_lost(e);
    tl_status rc = contact(c, q->about_id, &root, e);
    if (rc != TL_OK)
        return rc;
    tlk_to_i64(q->about_id, &about);
    if (at.n == 0 || !tlk_to_i64(at.member[0].value, &id))
        id = about - 1;
    for (uint32_t n = 0; id > 0 && id >= about - BEFORE && n < q->limit; id--) {
        tl_record rec;
        if (tlk_is(q->filter, "even") && id % 2)
            continue;
        rc = contact(c, tlk_fmt(&c->call, "%d", (int)id), &root, e);
        if (rc == TL_E_NOT_FOUND)
            continue;
        if (rc != TL_OK || !root)
            return rc != TL_OK ? rc : tlk_fail(e, TL_E_TEMPORARY, "toy did not say what contact %d is", (int)id);
        tlk_object_read(&plan, &envelope, root, &c->call, &rec);
        n++;
        rc = tlk_emit(c->host, &rec, 1);
        if (rc != TL_OK)
            return rc;
    }
    tlk_cursor_set(&at, &c->call, "id", tlk_fmt(&c->call, "%d", (int)id));
    bool end = id <= 0 || id < about - BEFORE;
    return tlk_checkpoint(c->host, TL_PULL_CHANGES, end, tlk_cursor_text(&at, "beside.1", &c->call), 0, BEFORE);
}

/* ---- tl.action/1 */

static tl_status done(tl_conn *c, const tl_act *q, const tlk_node *root, bool created)
{
    const tl_record post = {.id = root ? tlk_text_at(root, "id", &c->call) : q->record->id};
    return tlk_result_ok(c->host, 0, created, &post);
}

static tl_status write_one(tl_conn *c, const tl_act *q, const char *method, const char *path, bool create)
{
    TLK_AUTO_WRITER w = {0};
    tl_error own = {.struct_size = sizeof(own)}; tl_http r; const tlk_node *root = NULL;
    tlk_w_object(&w);
    tlk_record_write(&w, q->shape, q->record, NULL);
    if (create)
        tlk_w_member(&w, "ref", q->record->stamp);
    tlk_w_end_object(&w);
    tl_status rc = ask(c, method, path, tlk_w_lent(&w), &r, &root, &own);
    if (rc == TL_OK && create && !root)
        rc = tlk_fail(&own, TL_E_UNKNOWN, "toy did not say the id of a new contact");
    return rc == TL_OK ? done(c, q, root, create) : tlk_result_fail(c->host, 0, tlk_write_status(&r, rc), &own);
}

/* Is there a contact with the key of this deed? */
static tl_status look_for(tl_conn *c, const tl_act *q, tl_error *e)
{
    tl_str after = TL_STR("0"), since = TL_STR("1970-01-01T00:00:00.000Z");
    for (bool more = true; more;) {
        const tlk_node *root = NULL, *o; tl_http r;
        tl_status rc = ask(c, "GET", tlk_fmt(&c->call, "?limit=200&since=%.*s&after=%.*s", TLK_FMT(since),
                                             TLK_FMT(after)).p, TLK_NONE, &r, &root, e);
        if (rc != TL_OK)
            return rc;
        for (tlk_iter i = tlk_each(tlk_get(root, "contacts")); tlk_next_item(&i, &o);) {
            if (tlk_eq(tlk_text_at(o, "ref", &c->call), q->record->stamp))
                return done(c, q, o, true);
            since = tlk_dup(&c->call, tlk_text_at(o, "updated_at", &c->call));
            after = tlk_dup(&c->call, tlk_text_at(o, "id", &c->call));
        }
        more = false;
        tlk_bool(tlk_get(root, "more"), &more);
    }
    return tlk_fail(e, TL_E_NOT_FOUND, "no contact has the key %.*s", TLK_FMT(q->record->stamp));
}

static tl_status look_at(tl_conn *c, const tl_act *q, tl_error *e)
{
    const tlk_node *root; const tl_value *name = tlk_value_of(q->shape, q->record, "last_name");
    tl_status rc = contact(c, q->record->id, &root, e);
    if (rc != TL_OK)
        return rc;
    return name && tlk_eq(tlk_text_at(root, "last_name", &c->call), name->u.s)
               ? done(c, q, root, false) : tlk_fail(e, TL_E_NOT_FOUND, "it has another name");
}

static tl_status card(tl_conn *c, const tl_act *q, tl_error *e)
{
    const tlk_node *root; uint64_t handle = 0;
    tl_status rc = contact(c, q->record->id, &root, e);
    if (rc != TL_OK)
        return rc;
    tl_str name = tlk_text_at(root, "last_name", &c->call);
    const tl_blob words = {.struct_size = sizeof(words), .name = TL_STR("contact.vcf"),
                           .media_type = TL_STR("text/vcard")};
    if (c->host->blob_new(c->host, "card", &handle) != TL_OK ||
        c->host->blob_write(c->host, handle, tlk_fmt(&c->call, "BEGIN:VCARD\r\nN:%.*s;;;;\r\nEND:VCARD\r\n",
                                                     TLK_FMT(name))) != TL_OK ||
        c->host->blob_describe(c->host, handle, &words) != TL_OK)
        return tlk_fail(e, TL_E_TEMPORARY, "no room for the card");
    const tl_value file = {.field = 0, .type = TL_BLOB, .u.i = (int64_t)handle};
    const tl_record post = {.id = q->record->id, .n_values = 1, .values = &file};
    return tlk_result_ok(c->host, 0, false, &post);
}

static tl_status beside_act(tl_conn *c, const tl_act *q, tl_error *e)
{
    tlk_arena_reset(&c->call);
    if (tlk_is(q->name, "card"))
        return card(c, q, e);
    bool add = tlk_is(q->name, "add");
    if (q->flags & TL_ACT_LOOK)
        return add ? look_for(c, q, e) : look_at(c, q, e);
    return add ? write_one(c, q, "POST", "", true)
               : write_one(c, q, "PATCH", tlk_fmt(&c->call, "/%.*s", TLK_FMT(q->record->id)).p, false);
}

static const tl_view view = {.struct_size = sizeof(view), .list = beside_list};
static const tl_actions actions = {.struct_size = sizeof(actions), .act = beside_act};
static const void *beside_extension(const char *id)
{
    if (strcmp(id, "tl.view/1") == 0) return &view;
    return strcmp(id, "tl.action/1") == 0 ? &actions : toy_extension(id);
}

TL_EXPORT const tl_connector *tieline_connector_v0(void);
const tl_connector *tieline_connector_v0(void)
{
    static const tl_connector beside = {
        .magic = TL_MAGIC, .struct_size = sizeof(beside), .abi_major = TL_ABI_MAJOR, .abi_minor = TL_ABI_MINOR,
        .id = "toy", .name = "Toy", .version = "1.0", .license = "MIT-0", .role = TL_ROLE_CRM,
        .n_options = TLK_LEN(options), .option_stride = sizeof(options[0]), .options = options,
        .open = toy_open, .close = toy_close, .check = toy_check, .discover = beside_discover,
        .pull = toy_pull, .get = toy_get, .push = toy_push, .extension = beside_extension,
    };
    return &beside;
}
