/* Webhooks of Zoho Desk: https://desk.zoho.com/support/WebhookDocument.do and [OAS:Webhook].
 * - Made by POST /webhooks; the address must answer a GET with 200 first, which the host does (answers_get).
 * - Deliveries are arrays of events, signed by a JWT (RS256) in X-ZDesk-JWT; keys at {desk}/.well-known/jwks.json, iss
 *   "orgId:<id>", aud "webhookId:<id>".
 * - Nothing is repeated after a failure, and no event tells of merges or restores: webhooks only shorten the way,
 * polling finds everything.
 * - A webhook may name an ignoreSourceId, a UUID; API writes that carry the same id raise no event. In which header
 * they must carry it is not documented, so it is not used: an echo costs one comparison at the host. */
#include "desk.h"

/* ---- deliveries */

/* What the vendor tells of by itself; of profiles he does not [OAS:Webhook]. */
static const char *const verbs[] = {"_Add", "_Update", "_Delete"};
static const struct source {
    const char *kind, *event;
    size_t n_verbs; /* the first ones */
} sources[] = {
    {"account", "Account", 3}, {"contact", "Contact", 3},       {"ticket", "Ticket", 3},
    {"user", "Agent", 3},      {"department", "Department", 2},
};

/* Not by its beginning: Ticket_Comment_Add carries the id of the comment. */
static const char *kind_of_event(tl_str event)
{
    for (size_t i = 0; i < TLK_LEN(sources); i++) {
        size_t n = strlen(sources[i].event);
        for (size_t v = 0; v < sources[i].n_verbs && tlk_starts(event, sources[i].event); v++) {
            if (tlk_is(tlk_strn(event.p + n, event.n - n), verbs[v]))
                return sources[i].kind;
        }
    }
    return NULL;
}

/* Only the id is taken: a delivery may be late, and its payload is not said to be the whole record. */
static bool hint_of(tl_conn *c, const tlk_node *event, tl_record *out)
{
    const char *kind = kind_of_event(tlk_text_at(event, "eventType", &c->call));
    tl_str id = tlk_text_at(event, "payload.id", &c->call);
    if (!kind || id.n == 0)
        return false;
    *out = (tl_record){.id = id, .kind = tlk_str(kind), .flags = TL_REC_HINT};
    return true;
}

static tl_status parse(tl_conn *c, const tl_hook_request *q, tl_error *e)
{
    tlk_arena_reset(&c->call);
    const tlk_node *root = tlk_json_read(&c->json, q->body);
    if (!root)
        return tlk_fail_record(e, TL_E_INVALID, TL_R_BAD_RECORD, "", "a delivery of Zoho Desk is no JSON: %s",
                               c->json.error);
    uint32_t count = root->type == TLK_JARRAY ? root->count : 1;
    tl_record *list = tlk_new(&c->call, tl_record, count + 1);
    uint32_t n = 0;
    if (root->type == TLK_JOBJECT)
        n += hint_of(c, root, &list[n]);
    tlk_iter i = tlk_each(root->type == TLK_JARRAY ? root : NULL);
    for (const tlk_node *event; tlk_next_item(&i, &event);)
        n += hint_of(c, event, &list[n]);
    return tlk_refused(tlk_emit(c->host, list, n), e);
}

/* ---- subscriptions */

static tl_str subscription_body(tl_conn *c, const tl_subscribe *q)
{
    TLK_AUTO_WRITER w = {0};
    tlk_w_object(&w);
    tlk_w_member(&w, "name", TL_STR("tieline")); /* one client says at most 50 characters */
    tlk_w_member(&w, "description", TL_STR("Tells tieline which records changed; managed by tieline"));
    tlk_w_member(&w, "url", q->url);
    tlk_w_key(&w, TL_STR("subscriptions"));
    tlk_w_object(&w);
    for (size_t i = 0; i < TLK_LEN(sources); i++) {
        for (size_t v = 0; v < sources[i].n_verbs && tlk_wants(q->kinds, q->n_kinds, sources[i].kind); v++) {
            tlk_w_key(&w, tlk_fmt(&c->call, "%s%s", sources[i].event, verbs[v]));
            tlk_w_null(&w); /* no options: the whole portal */
        }
    }
    tlk_w_end_object(&w);
    tlk_w_key(&w, TL_STR("includeEventsFrom")); /* also what supervisor rules do */
    tlk_w_array(&w);
    tlk_w_text(&w, TL_STR("AUTOMATION"));
    tlk_w_end_array(&w);
    tlk_w_key(&w, TL_STR("isEnabled"));
    tlk_w_bool(&w, true);
    tlk_w_end_object(&w);
    return tlk_dup(&c->call, tlk_w_lent(&w));
}

static tl_status send(tl_conn *c, const char *method, tl_str id, tl_str body, const tlk_node **root, tl_error *e)
{
    tlk_url u = desk_url(c, "/webhooks");
    if (id.n > 0)
        tlk_url_segment(&u, id);
    tl_http r;
    desk_request(c, &r, method, &u, TL_HTTP_WRITE);
    if (body.n > 0)
        tlk_request_json(&r, &c->page, body);
    tl_status rc = desk_call(c, &r, root, e);
    return tlk_write_status(&r, rc);
}

static tl_status worded(tl_status rc, tl_error *e)
{
    if (rc == TL_E_DENIED && strcmp(e->code, "LICENSE_ACCESS_LIMITED") == 0)
        return tlk_fail(e, rc,
                        "this edition of Zoho Desk has no webhook left: Free and Standard have none, Professional 5, "
                        "Enterprise 10, and 20 may be set up in all");
    if (strcmp(e->code, "INTERNAL_SERVER_ERROR") ==
        0) /* the vendor's answer when its GET of the address was not answered 200 */
        return tlk_fail(e, TL_E_TEMPORARY, "Zoho Desk could not reach the webhook address, or had trouble itself");
    return rc;
}

/* One with this address is there when the answer to its making was lost. Made again it would be a second one, and what
 * the first one sends would be refused: it is signed for another. Who may not see webhooks makes one. */
static tl_status webhook_at(tl_conn *c, tl_str url, tl_str *id, tl_error *e)
{
    const tlk_node *root = NULL;
    tlk_url u = desk_url(c, "/webhooks");
    tl_status rc = desk_read(c, &u, &root, e);
    if (rc == TL_E_DENIED || (rc == TL_E_AUTH && strcmp(e->code, "SCOPE_MISMATCH") == 0)) {
        tlk_error_clear(e);
        return TL_OK;
    }
    tlk_iter i = tlk_each(rc == TL_OK ? tlk_get(root, "data") : NULL);
    for (const tlk_node *webhook; tlk_next_item(&i, &webhook);)
        if (tlk_eq(tlk_text_at(webhook, "url", &c->call), url))
            *id = tlk_dup(&c->call, tlk_text_at(webhook, "id", &c->call));
    return rc;
}

static tl_status subscribe(tl_conn *c, const tl_subscribe *q, tl_error *e)
{
    tl_status rc = desk_begin(c, e);
    if (rc != TL_OK)
        return rc;
    const tlk_node *root = NULL;
    tl_str body = subscription_body(c, q), id = q->id;
    if (id.n == 0)
        rc = webhook_at(c, q->url, &id, e);
    if (rc != TL_OK)
        return worded(rc, e);
    rc = id.n > 0 ? send(c, "PATCH", id, body, &root, e) : TL_E_NOT_FOUND;
    if (rc == TL_E_NOT_FOUND) { /* new, or removed behind our back */
        tlk_error_clear(e);
        rc = send(c, "POST", TLK_NONE, body, &root, e);
        id = rc == TL_OK ? tlk_dup(&c->call, tlk_text_at(root, "id", &c->call)) : id;
    }
    if (rc != TL_OK)
        return worded(rc, e);
    if (id.n == 0)
        return tlk_fail(e, TL_E_UNKNOWN, "Zoho Desk accepted the webhook but did not say its id");
    tl_subscription s = {
        .struct_size = sizeof(s), .id = id, .audience = tlk_fmt(&c->call, "webhookId:%.*s", TLK_FMT(id))};
    return tlk_refused(c->host->subscription(c->host, &s), e);
}

static tl_status unsubscribe(tl_conn *c, const tl_subscribe *q, tl_error *e)
{
    tl_status rc = desk_begin(c, e);
    const tlk_node *root = NULL;
    if (rc != TL_OK || q->id.n == 0)
        return rc;
    rc = send(c, "DELETE", q->id, TLK_NONE, &root, e);
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

const tl_webhook desk_webhook = {
    .struct_size = sizeof(desk_webhook),
    .scheme = TL_HOOK_JWT_RS256,
    .header = "x-zdesk-jwt",
    .jwks_url = "{api_url}/.well-known/jwks.json",
    .issuer = "orgId:{org_key}",
    .answers_get = 1,
    .parse = parse,
    .subscribe = subscribe,
    .unsubscribe = unsubscribe,
    .key = TL_HOOK_KEY_BODY,
};
