/* Routes of tokens: made and shown once, listed without what they are, revoked. */
#include "agent.h"
#include "endpoints.h"
#include "times.h"
#include "tokens.h"
#include "verb.h"
#include "view_util.h"

#define TOKENS "/api/v1/tokens"
#define TOKEN_MEMBERS                                                                                                  \
    "id:integer,name:string,scopes:[string],endpoint:string?,agent:string?,state:string,made:time,made_by:string,"     \
    "expires:time,revoked:time?"
#define TTL_DEFAULT "30d"
#define TTL_MIN_US  (60 * US_PER_S)
#define TTL_MAX_US  (730 * US_PER_DAY)

/* ---- list ---- */

static const char *state_of(const struct api_token *t, int64_t now_us)
{
    return t->revoked_us ? "revoked" : t->expires_us <= now_us ? "expired" : "active";
}

static json_t *token_json(struct db *db, struct arena *a, const struct api_token *t)
{
    struct endpoint ep = {0};
    struct err e = {0};
    if (t->endpoint)
        (void)endpoint_get(db, a, t->endpoint, &ep, &e);
    return json_pack("{s:I,s:o,s:o,s:o,s:o,s:s,s:o,s:o,s:o,s:o}", "id", (json_int_t)t->token, "name", view_str(t->name),
                     "scopes", scopes_json(t->scopes), "endpoint", view_text_or_null(ep.name), "agent",
                     view_text_or_null(t->agent), "state", state_of(t, env_now_us(db_env(db))), "made",
                     view_time(t->made_us), "made_by", view_str(t->made_by), "expires", view_time(t->expires_us),
                     "revoked", view_time(t->revoked_us));
}

static int read_tokens(struct request *rq, struct db *db, json_t **answer, struct err *e)
{
    struct api_token *rows = NULL;
    size_t n = 0;
    int rc = api_token_list(db, &rq->arena, &rows, &n, e);
    if (rc)
        return rc;
    json_t *items = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(items, token_json(db, &rq->arena, &rows[i]));
    *answer = json_pack("{s:o}", "items", items);
    return TL_OK;
}

static int list_tokens(struct request *rq, json_t **answer, struct err *e)
{
    WITH_READER(rq, db, e, read_tokens(rq, db, answer, e));
}

/* ---- create ---- */

/* The one that was named, else the only help desk there is. */
static int find_helpdesk(struct verb *v, const char *name, struct endpoint *out, struct err *e)
{
    struct endpoint *rows = NULL;
    size_t n = 0, found = 0;
    int rc = endpoint_list(v->app->db, &v->rq->arena, &rows, &n, e);
    if (rc)
        return rc;
    for (size_t i = 0; i < n; i++) {
        if (rows[i].role != TL_ROLE_HELPDESK || (name && !str_is(rows[i].name, name)))
            continue;
        *out = rows[i];
        found++;
    }
    if (found == 1)
        return TL_OK;
    if (name)
        return err_set(e, TL_E_NOT_FOUND, "no help desk is named \"%s\"", name);
    err_set(e, E_USAGE, found ? "there are %zu help desks" : "there is no help desk", found);
    err_hint(e, "name its endpoint: --endpoint NAME; a role is known once the connector was loaded");
    return E_USAGE;
}

static int take_agent(struct verb *v, struct api_token *t, struct err *e)
{
    const char *who = body_text(v->rq, "agent");
    struct endpoint helpdesk = {0};
    struct agent agent = {0};
    int rc = who ? find_helpdesk(v, body_text(v->rq, "endpoint"), &helpdesk, e) : TL_OK;
    if (rc || !who)
        return rc;
    rc = agent_find(v->app->db, &v->rq->arena, helpdesk.endpoint, str_of(who), &agent, e);
    if (rc)
        return rc;
    t->endpoint = helpdesk.endpoint;
    t->agent = agent.id;
    return agent.active ? TL_OK : err_set(e, E_PRECONDITION, "agent \"%s\" is not active at the help desk", who);
}

/* An agent does what agents do; the rest is the operators'. */
static int check_scopes(const struct api_token *t, struct err *e)
{
    uint32_t agents = 1u << SCOPE_VIEW | 1u << SCOPE_ACT;
    if (t->agent.n == 0 || !(t->scopes & ~agents))
        return TL_OK;
    err_set(e, E_USAGE, "a token of an agent may have the scopes \"view\" and \"act\" alone");
    err_hint(e, "without an agent it speaks for an operator");
    return E_USAGE;
}

static int check_ttl(const char *ttl, int64_t now_us, int64_t *expires_us, struct err *e)
{
    int64_t us = 0;
    if (!duration_parse(str_of(ttl ? ttl : TTL_DEFAULT), &us) || us < TTL_MIN_US || us > TTL_MAX_US) {
        err_set(e, E_USAGE, "\"%s\" is no time that a token may be good for", ttl);
        err_hint(e, "1m to 730d, for example 12h, 30d");
        return E_USAGE;
    }
    *expires_us = now_us + us;
    return TL_OK;
}

static int run_create(struct verb *v, struct err *e)
{
    char secret[API_TOKEN_CHARS + 1];
    struct api_token t = {.name = str_of(v->object), .made_by = str_of(v->rq->caller.name)};
    int rc = scopes_parse(str_of(v->text[0]), &t.scopes, e);
    if (rc == TL_OK)
        rc = check_ttl(v->text[1], env_now_us(v->app->env), &t.expires_us, e);
    if (rc == TL_OK)
        rc = take_agent(v, &t, e);
    if (rc == TL_OK)
        rc = check_scopes(&t, e);
    if (rc)
        return rc;
    api_token_make(v->app->env, secret);
    rc = api_token_add(v->app->db, &t, str_of(secret), e);
    if (rc == TL_OK) {
        v->out = token_json(v->app->db, &v->rq->arena, &t);
        json_object_set_new(v->out, "token", json_string(secret));
    }
    explicit_bzero(secret, sizeof secret);
    return rc;
}

static int create_token(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    const char *name = NULL;
    int rc = body_need_text(rq, "name", &name, e);
    verb_init(&v, rq, "token.create", name);
    if (!rc)
        rc = body_need_text(rq, "scopes", &v.text[0], e);
    v.text[1] = body_text(rq, "ttl");
    rq->http_status = 201;
    return rc ? rc : verb_run(&v, run_create, answer, e);
}

/* ---- revoke ---- */

static int run_revoke(struct verb *v, struct err *e)
{
    struct api_token t = {0};
    int rc = api_token_get(v->app->db, &v->rq->arena, v->number, &t, e);
    if (rc == TL_OK && t.revoked_us)
        rc = TL_E_NOT_FOUND;
    if (rc == TL_OK && !v->flag)
        rc = api_token_revoke(v->app->db, v->number, e);
    if (rc == TL_OK && !v->flag)
        rc = api_token_get(v->app->db, &v->rq->arena, v->number, &t, e);
    if (rc == TL_OK)
        v->out = token_json(v->app->db, &v->rq->arena, &t);
    if (rc != TL_E_NOT_FOUND)
        return rc;
    err_set(e, rc, "no token %s that is good for anything", v->object);
    err_hint(e, "`tieline token list` shows them");
    return rc;
}

static int revoke_token(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    bool dry = request_flag(rq, "dry_run");
    verb_init(&v, rq, dry ? NULL : "token.revoke", capture(rq, 0));
    v.flag = dry;
    if (!str_to_i64(str_of(v.object), &v.number))
        return err_set(e, TL_E_NOT_FOUND, "no token \"%s\": tokens are named by their number", v.object);
    return verb_run(&v, run_revoke, answer, e);
}

const struct route routes_tokens[] = {
    {.method = "GET",
     .path = TOKENS,
     .handler = list_tokens,
     .summary = "tokens, newest first; never what they are",
     .answer = "{items:[{" TOKEN_MEMBERS "}]}"},
    {.method = "POST",
     .path = TOKENS,
     .flags = ROUTE_WRITE,
     .handler = create_token,
     .summary = "make a token; what it is is shown this once",
     .body = "{name:string,scopes:string,ttl:string?,agent:string?,endpoint:string?}",
     .answer = "{" TOKEN_MEMBERS ",token:string}"},
    {.method = "DELETE",
     .path = TOKENS "/{id}",
     .flags = ROUTE_WRITE | ROUTE_DRY,
     .handler = revoke_token,
     .summary = "revoke a token: from the next request on it is good for nothing",
     .params = "dry_run:boolean",
     .answer = "{" TOKEN_MEMBERS "}"},
    {.method = NULL},
};
