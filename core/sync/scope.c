/* Scope: is a record inside the list view of its feed? Only the vendor evaluates a view, and only a page shows what is
 * inside: an answer to a question for an id or a key tells that the record lives, not whether the view shows it. */
#include "engine_int.h"
#include "reading.h"

static int32_t told(const tl_record *r)
{
    return r->state < 0 || r->state > TL_STATE_FORBIDDEN ? TL_STATE_FORBIDDEN : r->state;
}

int32_t scope_state(const struct g_feed *f, const tl_record *r, int via, int32_t known)
{
    bool by_question = via == OBSERVE_GET && f->row.view.n > 0;
    if (!by_question || told(r) != TL_STATE_LIVE)
        return told(r);
    return known == SCOPE_UNKNOWN || known == REC_OUT_OF_SCOPE ? REC_OUT_OF_SCOPE : TL_STATE_LIVE;
}

int scope_entered(struct engine *g, struct g_feed *f, const struct record *known, const tl_record *r, int via,
                  struct err *e)
{
    if (known->state != REC_OUT_OF_SCOPE || via == OBSERVE_GET || told(r) != TL_STATE_LIVE)
        return TL_OK;
    return observe_state(g, f, known->rec, TL_STATE_LIVE, (str){0}, e);
}

int scope_vanished(struct engine *g, struct g_feed *f, const struct record *rec, struct err *e)
{
    if (f->row.view.n == 0 || rec->state != TL_STATE_LIVE)
        return TL_OK;
    return observe_state(g, f, rec->rec, REC_OUT_OF_SCOPE, (str){0}, e);
}
