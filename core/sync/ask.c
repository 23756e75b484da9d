/* What a person asks a vendor for: see ask.h. */
#include "ask.h"

#include "engine_int.h"
#include "linkset.h"

struct asker {
    ask_done_fn done;
    void *arg;
};

static int refuse(struct engine *g, const struct g_endpoint *ep, struct err *e)
{
    const struct endpoint *row = &ep->row;
    if (row->block_code.n) {
        err_set(e, E_PRECONDITION, "%.*s", STR_FMT(row->block_text));
        err_code(e, "BLOCKED");
    } else if (ep->sleep_until > g_mono(g)) {
        int64_t left_s = (ep->sleep_until - g_mono(g) + US_PER_S - 1) / US_PER_S;
        err_set(e, E_PRECONDITION, "it is not asked for another %lld s: %s", (long long)left_s,
                ep->outage.text[0] ? ep->outage.text : "it asked to wait");
        err_code(e, "WAITS");
    } else if (ep->prep != PREP_READY) {
        err_set(e, E_PRECONDITION, "it was not reached yet");
        err_code(e, "NOT_READY");
    } else {
        err_set(e, E_PRECONDITION, "what its vendor allows is used up for now");
        err_code(e, "USED_UP");
    }
    err_hint(e, "`tieline endpoint show %.*s` says more", STR_FMT(row->name));
    return E_PRECONDITION;
}

/* With all that the kind has: what of it anybody may see is not decided here. */
static const tl_shape *shape_of(const struct g_kind *k, struct arena *a)
{
    tl_shape *shape = arena_new(a, tl_shape);
    tl_field *fields = arena_array(a, tl_field, k->desc.n_fields + 1);
    for (uint32_t i = 0; i < k->desc.n_fields; i++)
        fields[i] = field_bare(TL_AT(tl_field, k->desc.fields, k->desc.field_stride, i), a);
    *shape = (tl_shape){sizeof(tl_shape), k->desc.n_fields, sizeof(tl_field), 0, arena_str(a, k->desc.kind), fields};
    return shape;
}

int ask_new(struct engine *g, int64_t endpoint, enum call_kind what, str kind, struct call **out,
            const tl_shape **shape_out, struct err *e)
{
    struct g_endpoint *ep = model_endpoint(g, endpoint);
    if (!ep)
        return err_set(e, TL_E_NOT_FOUND, "there is no endpoint %lld", (long long)endpoint);
    const struct g_kind *k = model_kind(ep, kind);
    if (!k)
        return err_set(e, TL_E_NOT_FOUND, "endpoint \"%.*s\" has no \"%.*s\"", STR_FMT(ep->row.name), STR_FMT(kind));
    ep->people_asked = true; /* so it is got ready, also while its connections are paused */
    ready_wake(&ep->ready);
    if (!g_endpoint_answers(g, ep))
        return refuse(g, ep, e);
    *out = g_call(g, what, endpoint, TL_PURPOSE_AGENT);
    *shape_out = shape_of(k, &(*out)->arena);
    return TL_OK;
}

void ask_submit(struct engine *g, struct call *c, ask_done_fn done, void *arg)
{
    struct asker *asker = arena_new(&c->arena, struct asker);
    *asker = (struct asker){done, arg};
    call_note(c)->asker = asker;
    g_submit(g, c);
}

void ask_answered(struct engine *g, struct call *c)
{
    const struct asker asker = *call_note(c)->asker;
    struct g_endpoint *ep = model_endpoint(g, c->endpoint);
    int status = c->reply.status;
    bool about_record = status == TL_E_NOT_FOUND || status == TL_E_INVALID || status == TL_E_UNSUPPORTED ||
                        status == TL_E_CANCELLED || status == TL_E_DENIED;
    if (ep && status == TL_OK)
        endpoint_works(g, ep, c);
    else if (ep && !about_record)
        endpoint_trouble(g, ep, c, status, &c->reply.error);
    asker.done(asker.arg, c);
}
