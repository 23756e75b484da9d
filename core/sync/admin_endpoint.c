/* What an admin asks of an endpoint directly: check with discovery, and one-time preparation. Answers come later. */
#include <stdlib.h>

#include "admin_util.h"
#include "writing.h"

struct admin_wait {
    struct admin_wait *next;
    int64_t tag;
    admin_done_fn done;
    void *arg;
    json_t *result;
};

static struct admin_wait *wait_add(struct engine *g, admin_done_fn done, void *arg)
{
    struct admin_wait *w = calloc(1, sizeof *w);
    ASSERT(w);
    *w = (struct admin_wait){g->waits, g->next_handle++, done, arg, json_object()};
    json_object_set_new(w->result, "findings", json_array());
    g->waits = w;
    return w;
}

static void wait_end(struct engine *g, struct admin_wait *w, const struct err *e)
{
    for (struct admin_wait **at = &g->waits; *at; at = &(*at)->next)
        if (*at == w) {
            *at = w->next;
            break;
        }
    w->done(w->arg, e ? NULL : w->result, e);
    json_decref(w->result);
    free(w);
}

int admin_endpoint_check(struct engine *g, const char *endpoint, admin_done_fn done, void *arg, struct err *e)
{
    struct g_endpoint *ep = model_endpoint_named(g, endpoint);
    if (!ep)
        return err_set(e, TL_E_NOT_FOUND, "no endpoint \"%s\"", endpoint);
    struct admin_wait *w = wait_add(g, done, arg);
    g_submit(g, prep_call(g, ep, CALL_CHECK, w->tag));
    return TL_OK;
}

int admin_endpoint_prepare(struct engine *g, const char *endpoint, bool dry_run, admin_done_fn done, void *arg,
                           struct err *e)
{
    struct g_endpoint *ep = model_endpoint_named(g, endpoint);
    if (!ep)
        return err_set(e, TL_E_NOT_FOUND, "no endpoint \"%s\"", endpoint);
    struct admin_wait *w = wait_add(g, done, arg);
    struct call *c = prep_call(g, ep, CALL_PREPARE, w->tag);
    str *kinds = arena_array(&c->arena, str, 64);
    uint32_t n = 0;
    for (struct g_link *l = g->links; l && n < 62; l = l->next)
        for (int s = 0; s < 2; s++)
            if (l->conn && l->conn->ep[s] == ep)
                kinds[n++] = arena_str(&c->arena, l->row.kind[s]);
    c->request.prepare.dry_run = dry_run;
    c->request.prepare.kinds = kinds;
    c->request.prepare.n_kinds = n;
    g_submit(g, c);
    return TL_OK;
}

static json_t *text_of(str s)
{
    return json_stringn(s.p ? s.p : "", s.n);
}

static void note_finding(json_t *list, const tl_finding *f)
{
    static const char *const levels[] = {"debug", "info", "warning", "error"};
    json_t *row = json_object();
    json_object_set_new(row, "level", json_string(f->level >= 0 && f->level <= TL_ERROR ? levels[f->level] : "error"));
    json_object_set_new(row, "code", text_of(f->code));
    json_object_set_new(row, "text", text_of(f->text));
    json_object_set_new(row, "hint", text_of(f->hint));
    json_array_append_new(list, row);
}

static json_t *kind_json(const tl_kind *k)
{
    bool stamped = k->stamp_field.n > 0;
    int class = stamped && (k->can & TL_CAN_STAMP_UNIQUE)      ? 1
                : stamped && (k->can & TL_CAN_STAMP_FIND)      ? 2
                : k->can & (TL_CAN_FIND | TL_CAN_FIND_CREATED) ? 3
                                                               : 4;
    char name[4] = {'C', (char)('0' + class), 0, 0};
    json_t *row = json_object();
    json_object_set_new(row, "kind", text_of(k->kind));
    json_object_set_new(row, "name", text_of(k->name));
    json_object_set_new(row, "fields", json_integer(k->n_fields));
    json_object_set_new(row, "stamp_field", text_of(k->stamp_field));
    json_object_set_new(row, "create_class", json_string(name));
    return row;
}

void admin_call_done(struct engine *g, struct call *c)
{
    struct admin_wait *w = g->waits;
    while (w && w->tag != c->tag)
        w = w->next;
    struct g_endpoint *ep = model_endpoint(g, c->endpoint);
    struct err e = {0};
    if (!w || !ep) {
        call_free(c);
        return;
    }
    AUTO(reply_reader_done) struct reply_reader r;
    reply_reader_init(&r, &c->reply);
    int rc = c->reply.status;
    json_t *kinds = NULL;
    if (c->kind == CALL_DISCOVER && rc == TL_OK)
        json_object_set_new(w->result, "kinds", kinds = json_array());
    for (struct item item; reply_next(&r, &item);) {
        if (item.kind == ITEM_FINDING) {
            note_finding(json_object_get(w->result, "findings"), &item.u.finding);
        } else if (item.kind == ITEM_ACCOUNT) {
            const tl_account *a = &item.u.account;
            json_t *row = json_object();
            json_object_set_new(row, "org_key", text_of(a->org_key));
            json_object_set_new(row, "org_name", text_of(a->org_name));
            json_object_set_new(row, "edition", text_of(a->edition));
            json_object_set_new(row, "user_id", text_of(a->user_id));
            json_object_set_new(row, "user_name", text_of(a->user_name));
            json_object_set_new(w->result, "account", row);
            if (rc == TL_OK)
                rc = prep_take_account(g, ep, a, &e);
        } else if (item.kind == ITEM_KIND && kinds) {
            json_array_append_new(kinds, kind_json(&item.u.described));
        }
    }
    if (c->reply.status == TL_OK)
        endpoint_works(g, ep, c);
    if (rc != TL_OK) {
        if (e.status == TL_OK)
            err_from_tl(&e, c->reply.status, &c->reply.error);
        endpoint_trouble(g, ep, c, c->reply.status, &c->reply.error);
        wait_end(g, w, &e);
    } else if (c->kind == CALL_CHECK || (c->kind == CALL_PREPARE && !c->request.prepare.dry_run)) {
        /* after a preparation too: a stamp field just made must count for the sync that is started next */
        g_submit(g, prep_call(g, ep, CALL_DISCOVER, w->tag));
    } else if (c->kind == CALL_DISCOVER) {
        rc = prep_take_kinds(g, ep, &c->reply, &e);
        if (rc == TL_OK && ep->row.block_code.n && ep->row.present && json_object_get(w->result, "account"))
            endpoint_unblock(g, ep); /* it has just said who it is, and that was right */
        if (rc == TL_OK && ep->prep == PREP_NEEDED && ep->row.block_code.n == 0 && ep->row.org_key.n) {
            ep->prep = PREP_READY;
            ep->prep_tries = 0;
        }
        wait_end(g, w, rc == TL_OK ? NULL : &e);
    } else {
        wait_end(g, w, NULL);
    }
    call_free(c);
}
