/* From a row of a query to a record of the host. */
#include "salesforce.h"

/* What an id begins with says of which object it is: keyPrefix [REST:resources_sobject_describe]. */
static const struct prefix {
    const char *begins, *kind;
} prefixes[] = {
    {"001", "account"}, {"003", "contact"}, {"006", "deal"}, {"00Q", "lead"}, {"005", "user"}, {"00G", "group"},
};

/* A reference to records of several kinds says which one it leads to; where that is not known it is left out. */
static int read_reference(void *ctx, const tl_field *f, const tlk_node *v, tlk_arena *a, tl_value *out)
{
    tl_str id = tlk_text(v, a), kinds = f->refers_to, kind, begins = tlk_strn(id.p, id.n < 3 ? 0 : 3);
    (void)ctx;
    if (f->type != TL_REF || !id.n || !memchr(kinds.p, ',', (size_t)kinds.n))
        return TLK_DEFAULT;
    const struct prefix *known = tlk_row_by(prefixes, TLK_LEN(prefixes), begins, begins);
    for (uint16_t i = 0; known && tlk_split(&kinds, ',', &kind); i++) {
        if (!tlk_is(kind, known->kind))
            continue;
        *out = (tl_value){.type = TL_REF, .aux = i, .u.s = id};
        return TLK_DONE;
    }
    return TLK_OMIT;
}

/* Several picklist entries are one text: "a;b;c" [SOQL:sforce_api_calls_soql_querying_multiselect_picklists]. A parent
 * that is null has no fields: "Owner": null. */
const tlk_rules sf_rules = {.from = read_reference, .list_separator = ';', .null_object_is_empty = true};

void sf_reader_init(struct sf_reader *r, tl_conn *c, const struct sf_kind *k, const tl_shape *shape)
{
    *r = (struct sf_reader){.c = c, .kind = k, .shape = shape, .stamp = sf_stamp_of(c, k)};
    tlk_plan_init(&r->plan, shape, &sf_rules, &c->call);
}

static int64_t time_of(const tlk_node *v, tlk_arena *a)
{
    int64_t us = 0;
    return tlk_time_parse(tlk_text(v, a), &us) ? us : 0;
}

enum { ID, MODSTAMP, CREATED, MODIFIED_BY, DELETED, MASTER, STAMP, N_MEMBERS };

/* The envelope's members, found in one walk: rows are many. */
static void find_members(const struct sf_reader *r, const tlk_node *row, const tlk_node *found[N_MEMBERS])
{
    const tl_str names[N_MEMBERS] = {TL_STR("Id"),
                                     TL_STR("SystemModstamp"),
                                     TL_STR("CreatedDate"),
                                     TL_STR("LastModifiedById"),
                                     TL_STR("IsDeleted"),
                                     TL_STR("MasterRecordId"),
                                     r->stamp};
    int missing = N_MEMBERS;
    tlk_iter i = tlk_each(row);
    for (const tlk_node *key, *v; missing > 0 && tlk_next_member(&i, &key, &v);) {
        for (int k = 0; k < N_MEMBERS; k++) {
            if (key->n == names[k].n && !found[k] && key->n && memcmp(key->p, names[k].p, key->n) == 0) {
                found[k] = v;
                missing--;
                break;
            }
        }
    }
}

/* In the recycle bin: IsDeleted. The loser of a merge lies there too and names the winner
 * [SOAP:sforce_api_calls_merge]. */
static int32_t state_of(const tlk_node *deleted, tl_str master)
{
    return master.n ? TL_STATE_MERGED : tlk_is_true(deleted) ? TL_STATE_TRASHED : TL_STATE_LIVE;
}

/* As the describe's uiDetailTemplate says it: leads to the record in the page design that the reader uses. */
tl_str sf_url_of(const tl_conn *c, tl_str id, tlk_arena *a)
{
    char *url = tlk_alloc(a, (size_t)(c->base.n + id.n) + 2);
    memcpy(url, c->base.p, (size_t)c->base.n);
    url[c->base.n] = '/';
    if (id.n)
        memcpy(url + c->base.n + 1, id.p, (size_t)id.n);
    return (tl_str){url, c->base.n + 1 + id.n};
}

/* SystemModstamp is the version: it moves with every change, also an automatic one, and is what pulling goes by. */
bool sf_record_read(const struct sf_reader *r, const tlk_node *row, tl_record *rec)
{
    tlk_arena *a = &r->c->page;
    const tlk_node *m[N_MEMBERS] = {NULL};
    find_members(r, row, m);
    *rec = (tl_record){.id = tlk_text(m[ID], a), .version_kind = TL_VER_TIME, .flags = TL_REC_FULL};
    rec->version = tlk_text(m[MODSTAMP], a);
    rec->modified_us = time_of(m[MODSTAMP], a);
    rec->created_us = time_of(m[CREATED], a);
    rec->by = tlk_text(m[MODIFIED_BY], a);
    rec->stamp = tlk_text(m[STAMP], a);
    rec->into = tlk_text(m[MASTER], a);
    rec->state = state_of(m[DELETED], rec->into);
    rec->url = sf_url_of(r->c, rec->id, a);
    return tlk_record_read(&r->plan, row, a, rec);
}

tl_status sf_emit_rows(const struct sf_reader *r, const tlk_node *rows, struct sf_rows *out, tl_error *e)
{
    *out = (struct sf_rows){.list = tlk_new(&r->c->page, tl_record, tlk_count(rows) + 1)};
    tlk_iter i = tlk_each(rows);
    for (const tlk_node *row; tlk_next_item(&i, &row);)
        sf_record_read(r, row, &out->list[out->n++]);
    tl_status rc = tlk_emit(r->c->host, out->list, out->n);
    return tlk_refused(rc, e);
}
