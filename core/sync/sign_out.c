#include "sign_out.h"

#include "attention.h"
#include "log.h"
#include "secrets.h"

static bool used(const struct engine *g, int64_t endpoint, const struct g_conn *but)
{
    for (const struct g_conn *c = g->conns; c; c = c->next)
        if (c != but && (c->row.endpoint[0] == endpoint || c->row.endpoint[1] == endpoint))
            return true;
    return false;
}

int sign_out_unused(struct engine *g, int64_t endpoint, const struct g_conn *but, bool *done, struct err *e)
{
    const struct g_endpoint *ep = model_endpoint(g, endpoint);
    *done = false;
    if (!ep || used(g, endpoint, but))
        return TL_OK;
    int rc = token_rm(g->db, endpoint, e);
    if (rc != TL_OK)
        return rc == TL_E_NOT_FOUND ? TL_OK : rc;
    struct audit trace = {
        .at_us = g_now(g), .who = STR("engine"), .act = STR("endpoint.sign_out"), .object = ep->row.name};
    rc = audit_add(g->db, &trace, e);
    *done = rc == TL_OK;
    return rc;
}

void sign_out_tell(struct engine *g, int64_t endpoint)
{
    struct g_endpoint *ep = model_endpoint(g, endpoint);
    if (ep && ep->prep == PREP_READY)
        ep->prep = PREP_NEEDED; /* the next connection asks first who we are */
    if (g->signed_out)
        g->signed_out(g->wake_ctx, endpoint);
}
