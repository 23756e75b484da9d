/* From a row of a query to a record of the host. */
#include "salesforce.h"

/* Several picklist entries are one text: "a;b;c" [SOQL:sforce_api_calls_soql_querying_multiselect_picklists]. */
const tlk_rules sf_rules = {.list_separator = ';'};

void sf_reader_init(struct sf_reader *r, tl_conn *c, const struct sf_kind *k, const tl_shape *shape)
{
    *r = (struct sf_reader){.c = c, .kind = k, .shape = shape, .stamp = sf_stamp_of(c, k)};
    tlk_plan_init(&r->plan, shape, &sf_rules, &c->call);
}

static int64_t time_of(const tlk_node *row, const char *name, tlk_arena *a)
{
    int64_t us = 0;
    return tlk_time_parse(tlk_text(tlk_get(row, name), a), &us) ? us : 0;
}

/* In the recycle bin: IsDeleted. The loser of a merge lies there too and names the winner
 * [SOAP:sforce_api_calls_merge]. */
static void read_state(const tlk_node *row, tlk_arena *a, tl_record *rec)
{
    bool deleted = false;
    tlk_bool(tlk_get(row, "IsDeleted"), &deleted);
    rec->into = tlk_text(tlk_get(row, "MasterRecordId"), a);
    rec->state = rec->into.n ? TL_STATE_MERGED : deleted ? TL_STATE_TRASHED : TL_STATE_LIVE;
}

/* SystemModstamp is the version: it moves with every change, also an automatic one, and is what pulling goes by. */
bool sf_record_read(const struct sf_reader *r, const tlk_node *row, tl_record *rec)
{
    tlk_arena *a = &r->c->page;
    *rec = (tl_record){.id = tlk_text(tlk_get(row, "Id"), a), .version_kind = TL_VER_TIME, .flags = TL_REC_FULL};
    rec->version = tlk_text(tlk_get(row, "SystemModstamp"), a);
    rec->modified_us = time_of(row, "SystemModstamp", a);
    rec->created_us = time_of(row, "CreatedDate", a);
    rec->by = tlk_text(tlk_get(row, "LastModifiedById"), a);
    if (r->stamp.n)
        rec->stamp = tlk_text(tlk_getn(row, r->stamp), a);
    rec->url = tlk_fmt(a, "%.*s/%.*s", TLK_FMT(r->c->base), TLK_FMT(rec->id));
    read_state(row, a, rec);
    return tlk_record_read(&r->plan, row, a, rec);
}

tl_status sf_emit_rows(const struct sf_reader *r, const tlk_node *rows, tl_error *e)
{
    uint32_t n = 0, count = tlk_count(rows);
    if (!count)
        return TL_OK;
    tl_record *list = tlk_new(&r->c->page, tl_record, count);
    tlk_iter i = tlk_each(rows);
    for (const tlk_node *row; tlk_next_item(&i, &row);)
        sf_record_read(r, row, &list[n++]);
    tl_status rc = tlk_emit(r->c->host, list, n);
    return rc == TL_OK ? TL_OK : sf_refused(rc, e);
}
