/* What is done with the authorisation of an endpoint on a pool thread: signing in, revoking, a person's sign-in on
 * trial, signing out when nobody uses it any more. */
#include <stdio.h>
#include <stdlib.h>

#include "codec.h"
#include "log.h"
#include "runtime_int.h"
#include "seal.h"

static int errand_add(struct runtime *rt, int64_t endpoint, const struct errand *what, struct err *e)
{
    struct endpoint *ep = rt_endpoint(rt, endpoint);
    if (!ep || ep->removed)
        return err_set(e, TL_E_NOT_FOUND, "there is no such endpoint");
    if (ep->error.status) {
        if (e)
            *e = ep->error;
        return ep->error.status;
    }
    if (rt->stopping || !rt_endpoint_usable(ep) || !ep->auth)
        return err_set(e, E_PRECONDITION, "connector \"%s\" is %s", ep->connector->name,
                       run_state_name(ep->connector->state));
    struct errand *errand = calloc(1, sizeof *errand);
    ASSERT(errand);
    *errand = *what;
    struct errand **at = &ep->errands;
    while (*at)
        at = &(*at)->next;
    *at = errand;
    rt_endpoint_pump(ep);
    return TL_OK;
}

/* ---- a function of the caller's ---- */

struct plain {
    runtime_auth_fn fn;
    runtime_auth_done_fn done;
    void *arg;
};

static int plain_run(struct inst *inst, void *arg, struct err *e)
{
    struct plain *p = arg;
    return p->fn(inst->endpoint->auth, p->arg, e);
}

static void plain_done(void *arg, int rc, const struct err *e)
{
    struct plain *p = arg;
    p->done(p->arg, rc, e);
    free(p);
}

int runtime_auth_run(struct runtime *rt, int64_t endpoint, runtime_auth_fn fn, runtime_auth_done_fn done, void *arg,
                     struct err *e)
{
    struct plain *p = calloc(1, sizeof *p);
    ASSERT(p);
    *p = (struct plain){fn, done, arg};
    int rc = errand_add(rt, endpoint, &(struct errand){.fn = plain_run, .done = plain_done, .arg = p}, e);
    if (rc)
        free(p);
    return rc;
}

/* ---- who signed in ---- */

struct account {
    char key[256], name[256];
};

static bool says_nothing(tl_status s)
{
    return s == TL_E_TEMPORARY || s == TL_E_THROTTLED || s == TL_E_QUOTA;
}

/* The check of an instance that is opened for that alone. The account counts also when the check met trouble behind it,
 * but not when the vendor then refused it. */
static int ask_who(struct inst *inst, struct account *out, struct err *e)
{
    const struct env *env = inst->endpoint->connector->rt->config.env;
    struct instance *local = NULL;
    struct remote *remote = NULL;
    tl_error error = {.struct_size = sizeof error};
    tl_status s = rt_inst_open(inst, &local, &remote, &error);
    if (s) {
        err_from_tl(e, s, &error);
        return s;
    }
    AUTO(call_free) struct call *call = call_new(CALL_CHECK, inst->endpoint->id, inst->purpose);
    AUTO(buf_done) struct buf request = {.max = FRAME_MAX};
    int rc = request_encode(&request, call, e);
    if (!rc && remote) {
        verdicts_bind(remote_verdicts(remote));
        remote_run(remote, call, buf_lent(&request), env_now_us(env), &call->reply);
        inst->gone |= call->reply.crashed || remote_is_broken(remote);
    } else if (!rc) {
        instance_run(local, CALL_CHECK, buf_lent(&request), false, &call->reply);
    }
    if (remote && inst->remote)
        verdicts_bind(remote_verdicts(inst->remote));
    instance_close(local);
    remote_close(remote);
    if (rc)
        return rc;
    AUTO(reply_reader_done) struct reply_reader r;
    reply_reader_init(&r, &call->reply);
    for (struct item item; reply_next(&r, &item);)
        if (item.kind == ITEM_ACCOUNT) {
            snprintf(out->key, sizeof out->key, "%.*s", STR_FMT(item.u.account.org_key));
            snprintf(out->name, sizeof out->name, "%.*s", STR_FMT(item.u.account.org_name));
        }
    if (out->key[0] && (!call->reply.status || says_nothing(call->reply.status)))
        return TL_OK;
    if (!call->reply.status)
        return err_set(e, TL_E_TEMPORARY, "the vendor did not say who signed in");
    err_from_tl(e, call->reply.status, &call->reply.error);
    return call->reply.status;
}

/* ---- a person's sign-in ---- */

struct trial {
    struct runtime *rt;
    int64_t endpoint;
    struct buf code, redirect_uri, verifier, redirect, org_key, org_name;
    runtime_auth_done_fn done;
    void *arg;
};

static void trial_free(struct trial *t)
{
    buf_wipe(&t->code);
    buf_wipe(&t->verifier);
    buf_wipe(&t->redirect);
    buf_done(&t->redirect_uri);
    buf_done(&t->org_key);
    buf_done(&t->org_name);
    free(t);
}

static void name_org(struct buf *out, str name, str key)
{
    if (name.n)
        buf_fmt(out, "\"%.*s\" (%.*s)", STR_FMT(name), STR_FMT(key));
    else
        buf_fmt(out, "\"%.*s\"", STR_FMT(key));
}

static int wrong_org(const struct trial *t, const struct inst *inst, const struct account *who, struct err *e)
{
    AUTO(buf_done) struct buf theirs = {.max = 256}, ours = {.max = 256};
    name_org(&theirs, str_of(who->name), str_of(who->key));
    name_org(&ours, buf_lent(&t->org_name), buf_lent(&t->org_key));
    err_set(e, E_PRECONDITION,
            "who signed in belongs to org %s, endpoint \"%s\" and its pairs to org %s; nothing was changed",
            buf_text(&theirs), inst->endpoint->name, buf_text(&ours));
    err_code(e, "ORG_MISMATCH");
    err_hint(
        e,
        "sign out of the vendor in the browser and sign in to the right org: tieline endpoint auth %s; another org "
        "is an endpoint of its own",
        inst->endpoint->name);
    return E_PRECONDITION;
}

/* Is it the org the endpoint belongs to? Without an answer nobody knows, and nothing may change. */
static int check_org(const struct trial *t, struct inst *inst, struct auth *auth, struct err *e)
{
    struct account who = {.key = ""};
    if (!t->org_key.n)
        return TL_OK;
    struct auth *former = host_side_auth_swap(inst->host, auth);
    int rc = ask_who(inst, &who, e);
    host_side_auth_swap(inst->host, former);
    if (rc == TL_OK)
        return str_eq(str_of(who.key), buf_lent(&t->org_key)) ? TL_OK : wrong_org(t, inst, &who, e);
    AUTO(buf_done) struct buf ours = {.max = 256};
    name_org(&ours, buf_lent(&t->org_name), buf_lent(&t->org_key));
    if (e && strcmp(e->code, "ORG_MISMATCH") == 0) /* the connector itself knows that it is another one */
        rc = e->status = E_PRECONDITION;
    err_wrap(e, "who signed in is not known to belong to org %s, so nothing was changed", buf_text(&ours));
    return rc;
}

static int trial_run(struct inst *inst, void *arg, struct err *e)
{
    struct trial *t = arg;
    struct auth *own = inst->endpoint->auth;
    AUTO(auth_free) struct auth *auth = NULL;
    const struct auth_grant grant = {.code = buf_lent(&t->code),
                                     .redirect_uri = buf_lent(&t->redirect_uri),
                                     .code_verifier = buf_lent(&t->verifier),
                                     .redirect = buf_lent(&t->redirect)};
    int rc = auth_trial(&auth, own, e);
    if (rc == TL_OK)
        rc = auth_exchange_code(auth, &grant, e);
    if (rc)
        return rc;
    if (t->verifier.n) /* of a code from the console the scopes were typed there; the check tells what is missing */
        rc = auth_scopes_check(auth, e);
    if (rc == TL_OK)
        rc = check_org(t, inst, auth, e);
    if (rc == TL_OK)
        rc = auth_adopt(own, auth, e);
    struct err untold = {0};
    if (rc)
        auth_revoke(auth, &untold, NULL);
    if (untold.status)
        log_err(LOG_WARN, inst->endpoint->name, &untold);
    return rc;
}

static void trial_done(void *arg, int rc, const struct err *e)
{
    struct trial *t = arg;
    struct endpoint *ep = rt_endpoint(t->rt, t->endpoint);
    if (rc == TL_OK && ep)
        rt_endpoint_close_instances(ep); /* what they remember may be of another user or host */
    t->done(t->arg, rc, e);
    trial_free(t);
}

int runtime_sign_in(struct runtime *rt, int64_t endpoint, const struct auth_grant *grant, const struct runtime_org *org,
                    runtime_auth_done_fn done, void *arg, struct err *e)
{
    struct trial *t = calloc(1, sizeof *t);
    ASSERT(t);
    *t = (struct trial){.rt = rt, .endpoint = endpoint, .done = done, .arg = arg};
    buf_str(&t->code, grant->code);
    buf_str(&t->redirect_uri, grant->redirect_uri);
    buf_str(&t->verifier, grant->code_verifier);
    buf_str(&t->redirect, grant->redirect);
    buf_str(&t->org_key, org->key);
    buf_str(&t->org_name, org->name);
    int rc = errand_add(rt, endpoint, &(struct errand){.fn = trial_run, .done = trial_done, .arg = t}, e);
    if (rc)
        trial_free(t);
    return rc;
}

/* ---- nobody uses it any more ---- */

struct sign_out {
    struct runtime *rt;
    int64_t endpoint;
    struct err untold;
};

static int sign_out_run(struct inst *inst, void *arg, struct err *e)
{
    struct sign_out *s = arg;
    return auth_forget(inst->endpoint->auth, &s->untold, e);
}

/* Where no call could be made the tokens go all the same, once nothing is under way. */
static void untold(struct endpoint *ep, const struct err *e)
{
    log_line(LOG_WARN, ep->name, "signed out here, but the vendor was not told: %s", e->text);
    if (ep->signing_out)
        rt_endpoint_reconfigure(ep);
}

static void sign_out_done(void *arg, int rc, const struct err *e)
{
    struct sign_out *s = arg;
    struct endpoint *ep = rt_endpoint(s->rt, s->endpoint);
    if (ep && rc) {
        untold(ep, e);
    } else if (ep) {
        ep->signing_out = false;
        rt_endpoint_close_instances(ep); /* what they remember is of whoever was signed in */
        if (s->untold.status)
            log_err(LOG_WARN, ep->name, &s->untold);
        else
            log_line(LOG_INFO, ep->name, "signed out: no connection uses it any more");
    }
    free(s);
}

void runtime_sign_out(struct runtime *rt, int64_t endpoint)
{
    struct endpoint *ep = rt_endpoint(rt, endpoint);
    if (!ep)
        return;
    struct sign_out *s = calloc(1, sizeof *s);
    ASSERT(s);
    *s = (struct sign_out){.rt = rt, .endpoint = endpoint};
    ep->signing_out = true;
    struct err e = {0};
    if (errand_add(rt, endpoint, &(struct errand){.fn = sign_out_run, .done = sign_out_done, .arg = s}, &e) == TL_OK)
        return;
    free(s);
    untold(ep, &e);
}
