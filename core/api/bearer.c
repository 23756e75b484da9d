/* Who asks on an address: see bearer.h. */
#include "bearer.h"

#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "agent.h"
#include "app.h"
#include "log.h"
#include "rate.h"
#include "readers.h"
#include "times.h"
#include "tokens.h"

enum { FAILURES_A_MINUTE = 10 };

struct bearer {
    struct app *app;
    struct rate *requests; /* by token */
    struct rate *failures; /* by address */
    uint32_t a_minute;
};

struct bearer *bearer_new(struct app *app, uint32_t requests_a_minute)
{
    struct bearer *b = calloc(1, sizeof *b);
    ASSERT(b);
    b->app = app;
    b->a_minute = requests_a_minute;
    b->requests = rate_new(requests_a_minute);
    b->failures = rate_new(FAILURES_A_MINUTE);
    return b;
}

struct bearer *bearer_free(struct bearer *b)
{
    if (b) {
        rate_free(b->requests);
        rate_free(b->failures);
        free(b);
    }
    return NULL;
}

/* ---- Attempts that fail ------------------------------------------------------------------------------------------ */

static const struct sockaddr *address_of(struct request *rq)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(rq->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info ? info->client_addr : NULL;
}

/* One of IPv4, or the network of 64 bits that one household or machine has of IPv6. */
static uint64_t address_key(const struct sockaddr *sa)
{
    if (sa && sa->sa_family == AF_INET6) {
        const struct in6_addr *a6 = &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
        return IN6_IS_ADDR_V4MAPPED(a6) ? store_hash(a6->s6_addr + 12, 4) : store_hash(a6->s6_addr, 8);
    }
    if (sa && sa->sa_family == AF_INET)
        return store_hash(&((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
    return 1;
}

static int throttled(const char *who, uint32_t a_minute, int64_t wait_us, struct err *e)
{
    err_set(e, TL_E_THROTTLED, "%s: more than %u a minute", who, (unsigned)a_minute);
    e->retry_after_ms = wait_us / 1000 + 1;
    err_hint(e, "wait %lld s", (long long)(wait_us / US_PER_S + 1));
    return TL_E_THROTTLED;
}

/* e has been filled. A token that is good is never kept out by what others send: behind a proxy all are one address. */
static int refused(struct bearer *b, struct request *rq, struct err *e)
{
    int64_t wait_us = 0;
    char from[NI_MAXHOST] = "?";
    const struct sockaddr *sa = address_of(rq);
    if (!rate_take(b->failures, address_key(sa), env_mono_us(b->app->env), &wait_us))
        return throttled("requests without a good token from this address", FAILURES_A_MINUTE, wait_us, e);
    if (sa)
        (void)getnameinfo(sa, sa->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in),
                          from, sizeof from, NULL, 0, NI_NUMERICHOST);
    log_line(LOG_WARN, "api", "a request from %s was refused: %s", from, e->text);
    return TL_E_AUTH;
}

/* ---- Tokens ------------------------------------------------------------------------------------------------------ */

static int token_sent(struct request *rq, str *out, struct err *e)
{
    static const char how[] = "send \"Authorization: Bearer TOKEN\"; `tieline token create` makes one";
    str header = request_header(rq, "Authorization"), scheme;
    if (header.n == 0) {
        err_set(e, TL_E_AUTH, "a token is needed here");
        err_hint(e, "%s", how);
        return TL_E_AUTH;
    }
    bool two = str_split(&header, ' ', &scheme);
    header = str_trim(header);
    if (!two || !str_eq_nocase(scheme, STR("bearer")) || !api_token_is_one(header)) {
        err_set(e, TL_E_AUTH, "what was sent is no token of tieline");
        err_hint(e, "%s", how);
        return TL_E_AUTH;
    }
    *out = header;
    return TL_OK;
}

static int still_good(const struct api_token *t, int64_t now_us, struct err *e)
{
    char at[32];
    if (t->revoked_us)
        err_set(e, TL_E_AUTH, "token %lld was revoked on %s", (long long)t->token, time_text(at, t->revoked_us));
    else if (t->expires_us <= now_us)
        err_set(e, TL_E_AUTH, "token %lld was good until %s", (long long)t->token, time_text(at, t->expires_us));
    else
        return TL_OK;
    err_hint(e, "`tieline token create` makes another one");
    return TL_E_AUTH;
}

static int find_token(struct bearer *b, struct db *db, struct request *rq, struct api_token *t, struct err *e)
{
    str sent = {0};
    int rc = token_sent(rq, &sent, e);
    if (rc)
        return rc;
    rc = api_token_find(db, &rq->arena, sent, t, e);
    if (rc == TL_E_NOT_FOUND || (rc == TL_OK && t->kind != API_TOKEN_BEARER)) {
        err_set(e, TL_E_AUTH, "this token is not known here");
        err_hint(e, "it was forgotten, or made by another daemon; `tieline token list` shows which there are");
        return TL_E_AUTH;
    }
    return rc == TL_OK ? still_good(t, env_now_us(b->app->env), e) : rc;
}

static int speak_for_agent(struct db *db, struct request *rq, const struct api_token *t, struct caller *c,
                           struct err *e)
{
    struct agent who = {0};
    int rc = agent_get(db, &rq->arena, t->endpoint, t->agent, &who, e);
    if (rc == TL_E_NOT_FOUND || (rc == TL_OK && !who.active)) {
        err_set(e, TL_E_DENIED, "the agent whom token %lld speaks for is not active at the help desk",
                (long long)t->token);
        err_hint(e, "activate him there, or revoke the token");
        return TL_E_DENIED;
    }
    if (rc)
        return rc;
    c->kind = CALLER_AGENT;
    c->endpoint = t->endpoint;
    c->agent = who.id;
    c->person = who.name;
    c->profile = who.profile;
    c->departments = who.departments;
    c->n_departments = (uint32_t)who.n_departments;
    c->name = arena_fmt(&rq->arena, "agent %.*s (%.*s), token %lld", STR_FMT(who.id),
                        STR_FMT(who.email.n ? who.email : who.name), (long long)t->token);
    return TL_OK;
}

static int look_up(struct bearer *b, struct db *db, struct request *rq, struct caller *out, struct err *e)
{
    struct api_token t = {0};
    int64_t wait_us = 0;
    int rc = find_token(b, db, rq, &t, e);
    if (rc)
        return rc;
    const char *name = arena_fmt(&rq->arena, "token %lld (%.*s)", (long long)t.token, STR_FMT(t.name));
    if (!rate_take(b->requests, (uint64_t)t.token, env_mono_us(b->app->env), &wait_us))
        return throttled(name, b->a_minute, wait_us, e);
    struct caller c = {.kind = CALLER_OPERATOR, .name = name, .scopes = t.scopes};
    rc = t.agent.n ? speak_for_agent(db, rq, &t, &c, e) : TL_OK;
    if (rc == TL_OK)
        *out = c;
    return rc;
}

int bearer_authenticate(void *bearer, struct request *rq, struct caller *out, struct err *e)
{
    struct bearer *b = bearer;
    struct db *db;
    int rc = readers_take(b->app->readers, &db, e);
    if (rc)
        return rc;
    rc = look_up(b, db, rq, out, e);
    readers_give(b->app->readers, db);
    return rc == TL_E_AUTH ? refused(b, rq, e) : rc;
}
