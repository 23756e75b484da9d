/* Routes of signing in: the vendor's page, what a browser or a person brings back, revocation. */
#include <stdlib.h>

#include "endpoints.h"
#include "hook_targets.h"
#include "redirect.h"
#include "seal.h"
#include "setup.h"
#include "sign_ins.h"
#include "times.h"
#include "verb.h"

#define AUTH "/api/v1/endpoints/{name}/auth"

static int find_endpoint(struct verb *v, int64_t *id_out, struct err *e)
{
    *id_out = setup_endpoint_id(v->app, v->object);
    if (!*id_out)
        return err_set(e, TL_E_NOT_FOUND, "no endpoint \"%s\"", v->object);
    return setup_endpoint_loaded(v->app, v->object, e);
}

/* ---- begin: the vendor's page ---- */

static int endpoint_auth(struct verb *v, int64_t id, struct auth **out, struct err *e)
{
    struct endpoint_info info;
    *out = runtime_endpoint_auth(v->app->runtime, id);
    if (*out)
        return TL_OK;
    if (runtime_endpoint_info(v->app->runtime, id, &info) && info.error && info.error->status) {
        if (e)
            *e = *info.error;
        return info.error->status;
    }
    return err_set(e, TL_E_TEMPORARY, "the connector of endpoint \"%s\" is not ready yet", v->object);
}

/* text[0]: where the vendor shall send the browser back to; flag: although the endpoint signs in by itself. */
static int run_begin(struct verb *v, struct err *e)
{
    int64_t id;
    struct auth *a;
    char flow[32] = "", ends[32];
    int rc = find_endpoint(v, &id, e);
    if (rc == TL_OK)
        rc = endpoint_auth(v, id, &a, e);
    if (rc)
        return rc;
    if (!v->flag && auth_signs_in_alone(a, flow)) {
        v->out = json_pack("{s:s,s:b,s:s}", "endpoint", v->object, "browser", 0, "flow", flow);
        return TL_OK;
    }
    const char *uri = v->text[0] ? v->text[0] : config_get(v->app->config, "core", "redirect_uri");
    const struct sign_in_wait *w;
    AUTO(buf_done) struct buf url = {.max = REDIRECT_MAX};
    rc = sign_ins_begin(v->app->sign_ins, id, v->rq->caller.name, uri, &w, e);
    if (rc)
        return rc;
    rc = auth_browse(a, uri, w->state, w->verifier, &url, e);
    if (rc) {
        sign_ins_cancel(v->app->sign_ins, str_of(w->state), id, v->rq->caller.name);
        return rc;
    }
    int64_t left = w->ends_us - env_mono_us(v->app->env);
    v->out = json_pack("{s:s,s:b,s:s,s:s,s:s,s:s,s:I}", "endpoint", v->object, "browser", 1, "url", buf_text(&url),
                       "state", w->state, "redirect_uri", uri, "expires_at",
                       time_text(ends, env_now_us(v->app->env) + left), "expires_in", (json_int_t)(left / US_PER_S));
    return TL_OK;
}

static int begin(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, NULL, capture(rq, 0));
    v.text[0] = body_text(rq, "redirect_uri");
    v.flag = json_is_true(json_object_get(rq->body, "browser"));
    return verb_run(&v, run_begin, answer, e);
}

static int run_cancel(struct verb *v, struct err *e)
{
    int64_t id = setup_endpoint_id(v->app, v->object);
    if (!id)
        return err_set(e, TL_E_NOT_FOUND, "no endpoint \"%s\"", v->object);
    bool ended = sign_ins_cancel(v->app->sign_ins, str_of(v->text[0]), id, v->rq->caller.name);
    v->out = json_pack("{s:s,s:b}", "endpoint", v->object, "cancelled", ended);
    return TL_OK;
}

static int cancel(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, NULL, capture(rq, 0));
    v.text[0] = body_text(rq, "state");
    return verb_run(&v, run_cancel, answer, e);
}

/* ---- finish, sign in at once, revoke: answered when the vendor has ---- */

struct sign_in {
    struct verb *verb;
    int64_t endpoint;
    bool revoke, by_person;
    struct err untold; /* revoked, but the vendor does not know */
};

static int alone_run(struct auth *a, void *arg, struct err *e)
{
    struct sign_in *s = arg;
    return s->revoke ? auth_revoke(a, &s->untold, e) : auth_ensure(a, true, NULL, e);
}

static void told(struct sign_in *s, int rc, const struct err *e)
{
    struct verb *v = s->verb;
    struct endpoint_info info;
    if (rc == TL_OK && runtime_endpoint_info(v->app->runtime, s->endpoint, &info)) {
        v->out = json_pack("{s:s,s:s,s:s}", "endpoint", v->object, "state", auth_state_name(info.auth.state), "flow",
                           info.auth.flow);
        if (s->revoke)
            json_object_set_new(v->out, "vendor_told", json_boolean(!s->untold.status));
        if (s->untold.status) {
            json_object_set_new(v->out, "text", json_string(s->untold.text));
            json_object_set_new(v->out, "hint", json_string(s->untold.hint));
        }
        hook_targets_refresh(v->app);
    }
    free(s);
    verb_finish(v, rc, rc ? e : NULL);
}

static void proved(void *arg, const json_t *result, const struct err *e)
{
    (void)result;
    told(arg, e ? e->status : TL_OK, e);
}

/* Tokens that look good prove nothing: only the vendor knows, so it is asked. */
static void done(void *arg, int rc, const struct err *e)
{
    struct sign_in *s = arg;
    struct app *app = s->verb->app;
    struct err own = {0};
    if (rc == TL_OK && !s->revoke) {
        if (s->by_person)
            engine_endpoint_authorised(app->engine, s->endpoint);
        setup_endpoint_hurry(app, s->verb->object);
        rc = admin_endpoint_check(app->engine, s->verb->object, proved, s, &own);
        if (rc == TL_OK)
            return;
        e = &own;
    }
    told(s, rc, e);
}

/* What a person brought: a code of the vendor's console, or the answer of a sign-in that was begun here. */
struct brought {
    struct arena arena;
    struct sign_in_wait wait;
    struct redirect redirect;
    struct auth_grant grant;
};

static void brought_done(struct brought *b)
{
    sign_in_wait_wipe(&b->wait);
    arena_done(&b->arena);
}
AUTO_DONE(struct brought, brought_done)

static int read_address(struct verb *v, int64_t id, str text, str state, struct brought *b, struct err *e)
{
    int rc = redirect_read(&b->redirect, &b->arena, text, e);
    if (rc)
        return rc;
    if (state.n && !str_eq(state, b->redirect.state)) {
        err_set(e, E_PRECONDITION, "this is the answer of another sign-in than the one that waits here");
        err_hint(e, "use the page whose address was printed last");
        return E_PRECONDITION;
    }
    rc = sign_ins_take(v->app->sign_ins, b->redirect.state, id, v->rq->caller.name, &b->wait, e);
    if (rc)
        return rc;
    if (!str_is(b->redirect.base, b->wait.redirect_uri))
        return err_set(e, E_PRECONDITION, "the browser ended at \"%.*s\", not at \"%s\"",
                       (int)(b->redirect.base.n < 200 ? b->redirect.base.n : 200), b->redirect.base.p,
                       b->wait.redirect_uri);
    struct auth *a = runtime_endpoint_auth(v->app->runtime, id);
    if (b->redirect.error.n && a)
        return auth_redirect_refused(a, b->redirect.error, b->redirect.words, e);
    b->grant = (struct auth_grant){.code = b->redirect.code, .redirect = b->redirect.query};
    return TL_OK;
}

/* text[0]: code or address; text[1]: redirect address of a code; text[2]: state of the sign-in that waits. */
static int read_brought(struct verb *v, int64_t id, struct brought *b, struct err *e)
{
    str text = str_trim(str_of(v->text[0])), state = str_of(v->text[2]);
    if (redirect_is_address(text)) {
        int rc = read_address(v, id, text, state, b, e);
        if (rc)
            return rc;
    } else {
        b->grant = (struct auth_grant){.code = text, .redirect_uri = str_of(v->text[1])};
        int rc = state.n ? sign_ins_take(v->app->sign_ins, state, id, v->rq->caller.name, &b->wait, e) : TL_OK;
        if (rc || !state.n)
            return rc;
    }
    b->grant.redirect_uri = str_of(b->wait.redirect_uri);
    b->grant.code_verifier = str_of(b->wait.verifier);
    return TL_OK;
}

static int start_person(struct verb *v, struct sign_in *s, struct err *e)
{
    AUTO(brought_done) struct brought b = {.grant = {.code = {NULL, 0}}};
    AUTO(arena_done) struct arena arena = {0};
    struct endpoint row;
    int rc = read_brought(v, s->endpoint, &b, e);
    if (rc == TL_OK)
        rc = endpoint_get(v->app->db, &arena, s->endpoint, &row, e);
    if (rc)
        return rc;
    s->by_person = true;
    return runtime_sign_in(v->app->runtime, s->endpoint, &b.grant, &(struct runtime_org){row.org_key, row.org_name},
                           done, s, e);
}

static int run_auth(struct verb *v, struct err *e)
{
    int64_t id;
    int rc = find_endpoint(v, &id, e);
    if (rc)
        return rc;
    struct sign_in *s = calloc(1, sizeof *s);
    ASSERT(s);
    *s = (struct sign_in){.verb = v, .endpoint = id, .revoke = v->flag};
    rc = v->text[0] && !v->flag ? start_person(v, s, e) : runtime_auth_run(v->app->runtime, id, alone_run, done, s, e);
    if (rc) {
        free(s);
        return rc;
    }
    verb_hold(v);
    return TL_OK;
}

static int authorise(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    bool revoke = json_is_true(json_object_get(rq->body, "revoke"));
    verb_init(&v, rq, revoke ? "endpoint.revoke" : "endpoint.auth", capture(rq, 0));
    v.secret = true; /* a code */
    v.text[0] = body_text(rq, "code");
    v.text[1] = body_text(rq, "redirect_uri");
    v.text[2] = body_text(rq, "state");
    v.flag = revoke;
    return verb_run(&v, run_auth, answer, e);
}

const struct route routes_sign_in[] = {
    {.method = "POST",
     .path = AUTH,
     .flags = ROUTE_WRITE,
     .handler = authorise,
     .summary = "sign in now; with what a browser or the vendor's console gave where a person is needed; or revoke",
     .body = "{code:string?,state:string?,redirect_uri:string?,revoke:boolean?}",
     .answer = "{endpoint:string,state:string,flow:string,vendor_told:boolean?,text:string?,hint:string?}"},
    {.method = "POST",
     .path = AUTH "/begin",
     .flags = ROUTE_WRITE,
     .handler = begin,
     .summary = "address of the vendor's page, where a person must sign in",
     .body = "{redirect_uri:string?,browser:boolean?}",
     .answer = "{endpoint:string,browser:boolean,flow:string?,url:string?,state:string?,redirect_uri:string?,expires_"
               "at:time?,"
               "expires_in:integer?}"},
    {.method = "POST",
     .path = AUTH "/cancel",
     .flags = ROUTE_WRITE,
     .handler = cancel,
     .summary = "a sign-in that was begun is not wanted any more",
     .body = "{state:string}",
     .answer = "{endpoint:string,cancelled:boolean}"},
    {.method = NULL},
};
