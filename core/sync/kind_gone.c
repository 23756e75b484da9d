/* A kind that its system does not describe, or no more: a module that was switched off, or hidden from whoever signed
 * in. What is known of it is kept, pairs and fields, and its links stop until it is there again. */
#include "brake.h"
#include "log.h"

static int stop(struct engine *g, struct g_link *l, int s, struct err *e)
{
    AUTO(buf_done) struct buf text = {0};
    str endpoint = l->conn->ep[s]->row.name;
    buf_fmt(&text, "\"%.*s\" has no kind \"%.*s\"%s", STR_FMT(endpoint), STR_FMT(l->row.kind[s]),
            model_kind(l->conn->ep[s], l->row.kind[s]) ? " any more" : "");
    log_line(LOG_WARN, "engine", "\"%.*s\" %.*s stops: %s", STR_FMT(l->conn->row.name), STR_FMT(l->row.name),
             buf_text(&text));
    return link_brake(g, l, BRAKE_KIND, buf_lent(&text),
                      "look whether it was switched off there, or hidden from the connected user; `tieline endpoint "
                      "check` looks again at once, and the link goes on by itself",
                      e);
}

static int link_told(struct engine *g, const struct g_endpoint *ep, struct g_link *l, struct err *e)
{
    int gone = -1;
    for (int s = 0; s < 2; s++) {
        const struct g_kind *k = model_kind(l->conn->ep[s], l->row.kind[s]);
        if (l->conn->ep[s] == ep && !(k && k->told)) /* a link made before the endpoint was described may name any */
            gone = s;
    }
    if (gone >= 0)
        return l->row.brake_code.n ? TL_OK : stop(g, l, gone, e);
    AUTO(buf_done) struct buf whose = {0};
    buf_fmt(&whose, "\"%.*s\" ", STR_FMT(ep->row.name));
    bool was_here = str_is(l->row.brake_code, BRAKE_KIND) && str_starts(l->row.brake_text, buf_lent(&whose));
    return was_here ? link_unbrake(g, l, e) : TL_OK;
}

int kinds_told(struct engine *g, const struct g_endpoint *ep, struct err *e)
{
    int rc = TL_OK;
    for (struct g_conn *c = g->conns; c && rc == TL_OK; c = c->next)
        for (struct g_link *l = conn_uses(c, ep) ? c->links : NULL; l && rc == TL_OK; l = l->next_of_conn)
            rc = link_told(g, ep, l, e);
    return rc;
}
