/* SPDX-License-Identifier: MIT-0
 * Between the API's objects and records. Its times are texts, seconds or milliseconds. */
#include "rest.h"

tl_str rest_time_text(tl_conn *c, int64_t us)
{
    char out[32];
    if (c->api.times == TIMES_ISO)
        return tlk_dup(&c->call, tlk_str(tlk_time_text(out, us)));
    return tlk_fmt(&c->call, "%lld", (long long)(us / (c->api.times == TIMES_S ? TLK_US_PER_S : TLK_US_PER_MS)));
}

static bool time_of(const struct api *api, const tlk_node *v, tlk_arena *a, int64_t *us)
{
    int64_t n;
    if (api->times == TIMES_ISO)
        return tlk_time_parse(tlk_text(v, a), us);
    return tlk_i64(v, &n) && !__builtin_mul_overflow(n, api->times == TIMES_S ? TLK_US_PER_S : TLK_US_PER_MS, us);
}

static int value_from(void *ctx, const tl_field *f, const tlk_node *v, tlk_arena *a, tl_value *out)
{
    const tl_conn *c = ctx;
    if (f->type != TL_TIME || c->api.times == TIMES_ISO || tlk_is_null(v))
        return TLK_DEFAULT;
    out->type = TL_TIME;
    return time_of(&c->api, v, a, &out->u.i) ? TLK_DONE : TLK_BAD;
}

static bool value_to(void *ctx, const tl_field *f, const tl_value *v, tlk_writer *w)
{
    tl_conn *c = ctx;
    if (f->type != TL_TIME || v->type != TL_TIME || c->api.times == TIMES_ISO)
        return false;
    tlk_w_raw(w, rest_time_text(c, v->u.i));
    return true;
}

void rest_rules(tlk_rules *out, tl_conn *c)
{
    *out = (tlk_rules){.from = value_from, .to = value_to, .ctx = c, .null_object_is_empty = true};
}

/* Deleted is what says so: true, 1, a time; not false, 0, null, "". */
static bool is_deleted(tl_conn *c, const tlk_node *object)
{
    const tlk_node *v = *c->api.deleted ? tlk_at(object, c->api.deleted) : NULL;
    bool yes = false;
    return tlk_bool(v, &yes) ? yes : tlk_text(v, &c->call).n > 0;
}

void rest_read_record(tl_conn *c, const struct work *w, const tlk_node *object, tl_record *rec)
{
    tlk_object_read(&w->plan, &w->envelope, object, &c->call, rec);
    if (c->api.times != TIMES_ISO) {
        time_of(&c->api, tlk_at(object, c->api.envelope.modified), &c->call, &rec->modified_us);
        time_of(&c->api, tlk_at(object, c->api.envelope.created), &c->call, &rec->created_us);
    }
    if (rec->n_values < w->plan.shape->n_fields)
        rec->flags &= ~(uint32_t)TL_REC_FULL; /* it left fields out */
    rec->state = is_deleted(c, object) ? TL_STATE_DELETED : TL_STATE_LIVE;
}
