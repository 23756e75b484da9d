/* The connector's description of its sign-in, as plain data. */
#include <stdlib.h>

#include "auth_int.h"

struct auth_spec *auth_spec_free(struct auth_spec *s)
{
    if (s) {
        arena_done(&s->arena);
        free(s);
    }
    return NULL;
}

static const char *keep(struct auth_spec *s, const char *text)
{
    return text ? arena_str(&s->arena, str_of(text)).p : NULL;
}

static int flow_copy(struct auth_spec *s, struct auth_flow *to, const tl_auth_flow *from, struct err *e)
{
    if (!from->name || !from->form)
        return err_set(e, TL_E_BUG, "a sign-in flow of the connector lacks name or form");
    if (!template_ok(from->token_url) || !template_ok(from->form) || !template_ok(from->assertion))
        return err_set(e, TL_E_BUG, "flow \"%s\": a template has an open brace", from->name);
    if (from->assertion && (!from->assertion_key || from->assertion_lifetime_s <= 0))
        return err_set(e, TL_E_BUG, "flow \"%s\": an assertion needs a key and a lifetime", from->name);
    *to = (struct auth_flow){
        .name = keep(s, from->name),
        .needs = keep(s, from->needs),
        .token_url = keep(s, from->token_url),
        .form = keep(s, from->form),
        .assertion = keep(s, from->assertion),
        .assertion_key = keep(s, from->assertion_key),
        .assertion_lifetime_s = from->assertion_lifetime_s,
    };
    return TL_OK;
}

int auth_spec_copy(struct auth_spec **out, const tl_auth *from, struct err *e)
{
    if (!from->n_flows || from->n_flows > 16 || !from->flows || !from->header || !from->access_member)
        return err_set(e, TL_E_BUG, "the connector's tl.auth/1 has no flow, header or access member");
    if (from->flow_stride < sizeof(tl_auth_flow))
        return err_set(e, TL_E_BUG, "the connector's tl.auth/1 has a flow stride of %u", from->flow_stride);
    if (!template_ok(from->header) || !template_ok(from->revoke_url) || !template_ok(from->revoke_form) ||
        !template_ok(from->authorize_url))
        return err_set(e, TL_E_BUG, "a template of the connector's tl.auth/1 has an open brace");
    AUTO(auth_spec_free) struct auth_spec *s = calloc(1, sizeof *s);
    ASSERT(s);
    s->n_flows = from->n_flows;
    s->flows = arena_array(&s->arena, struct auth_flow, from->n_flows);
    for (uint32_t i = 0; i < from->n_flows; i++) {
        int rc = flow_copy(s, &s->flows[i], TL_AT(tl_auth_flow, from->flows, from->flow_stride, i), e);
        if (rc)
            return rc;
    }
    s->header = keep(s, from->header);
    s->prefix = keep(s, from->prefix ? from->prefix : "");
    s->access_member = keep(s, from->access_member);
    s->refresh_member = keep(s, from->refresh_member);
    s->lifetime_member = keep(s, from->lifetime_member);
    s->extras = keep(s, from->extras);
    s->url_extras = keep(s, from->url_extras);
    s->authorize_url = keep(s, from->authorize_url);
    s->revoke_url = keep(s, from->revoke_url);
    s->revoke_form = keep(s, from->revoke_form);
    s->scopes = keep(s, from->scopes);
    s->scope_member = keep(s, from->scope_member);
    s->redirect_bases = keep(s, from->redirect_bases);
    s->default_lifetime_s = from->default_lifetime_s > 0 ? from->default_lifetime_s : 3600;
    *out = take(s);
    return TL_OK;
}
