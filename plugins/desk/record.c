/* The vendor's record objects to tl_record. */
#include "desk.h"

/* Empty picklists come back as "-None-" in some portals; whether an agent is active is told by his status. */
static int from_vendor(void *ctx, const tl_field *f, const tlk_node *v, tlk_arena *a, tl_value *out)
{
    (void)ctx;
    if (f->type == TL_BOOL && tlk_is(f->name, "status")) { /* of an agent: ACTIVE, DISABLED, DELETED [OAS:Agent] */
        out->type = TL_BOOL;
        out->u.i = tlk_is(tlk_text(v, a), "ACTIVE");
        return TLK_DONE;
    }
    if (f->type == TL_BOOL &&
        tlk_is(f->name, "type")) { /* of a profile: Administrator, Standard, Light [OAS:Profile] */
        out->type = TL_BOOL;
        out->u.i = tlk_is(tlk_text(v, a), "Administrator");
        return TLK_DONE;
    }
    if (f->type != TL_CHOICE || !tlk_is(tlk_text(v, a), "-None-"))
        return TLK_DEFAULT;
    out->type = TL_NULL;
    return TLK_DONE;
}

/* Numbers of custom fields are texts on the wire, in both directions [OAS:Contact]. */
const tlk_rules desk_rules = {.from = from_vendor, .decimals_as_text = true};

void desk_reader_init(struct desk_reader *r, tl_conn *c, const struct desk_kind *k, const tl_shape *shape)
{
    *r = (struct desk_reader){.c = c, .kind = k, .shape = shape};
    tlk_plan_init(&r->plan, shape, &desk_rules, &c->call);
}

int64_t desk_time_us(const tlk_node *v)
{
    int64_t us, ms;
    if (tlk_type(v) == TLK_JSTRING && tlk_time_parse(tlk_raw(v), &us))
        return desk_is_ms(us / TLK_US_PER_MS) ? us : 0;
    /* the vendor's samples show epoch milliseconds for the same members */
    return tlk_i64(v, &ms) && desk_is_ms(ms) ? ms * TLK_US_PER_MS : 0;
}

static void read_envelope(tl_conn *c, const tlk_node *object, tl_record *rec)
{
    bool trashed = false, deleted = false;
    tlk_iter i = tlk_each(object);
    for (const tlk_node *key, *v; tlk_next_member(&i, &key, &v);) {
        tl_str name = tlk_raw(key);
        if (tlk_is(name, "id")) {
            rec->id = tlk_text(v, &c->page);
        } else if (tlk_is(name, "modifiedTime")) {
            rec->modified_us = desk_time_us(v);
            rec->version = tlk_text(v, &c->page);
        } else if (tlk_is(name, "createdTime") || tlk_is(name, "commentedTime")) {
            rec->created_us = desk_time_us(v);
        } else if (tlk_is(name, "webUrl")) {
            rec->url = tlk_text(v, &c->page);
        } else if (tlk_is(name, "isTrashed")) {
            tlk_bool(v, &trashed);
        } else if (tlk_is(name, "isDeleted")) {
            tlk_bool(v, &deleted);
        } else if (tlk_is(name, "cf")) {
            rec->stamp = tlk_text(tlk_getn(v, c->stamp), &c->page);
        }
    }
    rec->version_kind = rec->version.n > 0 ? TL_VER_TIME : TL_VER_NONE;
    /* isDeleted is also true for trashed ones: only the recycle bin tells them apart */
    rec->state = trashed || deleted ? TL_STATE_TRASHED : TL_STATE_LIVE;
}

bool desk_record_read(const struct desk_reader *r, const tlk_node *object, tl_record *rec)
{
    *rec = (tl_record){.flags = TL_REC_FULL};
    read_envelope(r->c, object, rec);
    bool ok = tlk_record_read(&r->plan, object, &r->c->page, rec);
    if (rec->id.n == 0) {
        tlk_record_bad(rec, TL_STR("the record has no id"));
        return false;
    }
    return ok;
}
