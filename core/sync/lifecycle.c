/* See lifecycle.h. */
#include "lifecycle.h"

#define IN(state) (1u << (state))

static const struct {
    const char *name;
    unsigned from; /* states it is possible in */
} verbs[LIFE_VERBS] = {
    [LIFE_START] = {"start", IN(CONN_DRAFT) | IN(CONN_READY) | IN(CONN_INITIAL) | IN(CONN_ACTIVE)},
    [LIFE_CANCEL] = {"cancel", IN(CONN_INITIAL) | IN(CONN_ACTIVE) | IN(CONN_PAUSED) | IN(CONN_BLOCKED)},
    [LIFE_PAUSE] = {"pause", IN(CONN_INITIAL) | IN(CONN_ACTIVE)},
    [LIFE_RESUME] = {"resume", IN(CONN_PAUSED)},
    [LIFE_DISABLE] = {"disable", IN(CONN_INITIAL) | IN(CONN_ACTIVE) | IN(CONN_PAUSED) | IN(CONN_BLOCKED)},
    [LIFE_ENABLE] = {"enable", IN(CONN_DISABLED)},
    [LIFE_DELETE] = {"delete",
                     IN(CONN_DRAFT) | IN(CONN_READY) | IN(CONN_PAUSED) | IN(CONN_BLOCKED) | IN(CONN_DISABLED)},
    [LIFE_UNDELETE] = {"undelete", IN(CONN_DELETING)},
    [LIFE_RELEASE] = {"release", IN(CONN_INITIAL) | IN(CONN_ACTIVE) | IN(CONN_PAUSED) | IN(CONN_BLOCKED)},
};

const char *life_verb_name(enum life_verb v)
{
    return verbs[v].name;
}

bool life_allows(enum life_verb v, int32_t state)
{
    return verbs[v].from & IN(state);
}

static void say_what_first(enum life_verb v, const struct connection *c, struct err *e)
{
    static const char *const first[] = {
        [CONN_DRAFT] = "start the sync", [CONN_READY] = "start the sync",  [CONN_INITIAL] = "pause it",
        [CONN_ACTIVE] = "pause it",      [CONN_PAUSED] = "resume it",      [CONN_BLOCKED] = "look at why",
        [CONN_DISABLED] = "enable it",   [CONN_DELETING] = "take it back",
    };
    static const char *const command[] = {
        [CONN_DRAFT] = "sync start",           [CONN_READY] = "sync start",
        [CONN_INITIAL] = "connection pause",   [CONN_ACTIVE] = "connection pause",
        [CONN_PAUSED] = "connection resume",   [CONN_BLOCKED] = "connection show",
        [CONN_DISABLED] = "connection enable", [CONN_DELETING] = "connection undelete",
    };
    bool to_rest = (c->state == CONN_INITIAL || c->state == CONN_ACTIVE) && v != LIFE_DELETE;
    if (to_rest || c->state < 0 || c->state > CONN_DELETING)
        return; /* it runs: there is nothing to do first */
    if (c->state == CONN_BLOCKED && str_is(c->block_code, "RESTORED")) {
        err_hint(e, "look at both sides, then: `tieline connection release %.*s`", STR_FMT(c->name));
        return;
    }
    err_hint(e, "%s first: `tieline %s %.*s`", first[c->state], command[c->state], STR_FMT(c->name));
}

int life_check(enum life_verb v, const struct connection *c, struct err *e)
{
    if (life_allows(v, c->state))
        return TL_OK;
    err_set(e, E_PRECONDITION, "connection \"%.*s\" is %s: it cannot be %s", STR_FMT(c->name),
            conn_state_name(c->state),
            (const char *const[]){[LIFE_START] = "started",
                                  [LIFE_CANCEL] = "cancelled",
                                  [LIFE_PAUSE] = "paused",
                                  [LIFE_RESUME] = "resumed",
                                  [LIFE_DISABLE] = "disabled",
                                  [LIFE_ENABLE] = "enabled",
                                  [LIFE_DELETE] = "deleted",
                                  [LIFE_UNDELETE] = "taken back",
                                  [LIFE_RELEASE] = "released"}[v]);
    if (c->state == CONN_BLOCKED && c->block_text.n)
        err_detail(e, "%.*s", STR_FMT(c->block_text));
    err_code(e, "STATE");
    say_what_first(v, c, e);
    return E_PRECONDITION;
}

/* A first sync that was not through goes on where it stood. */
static int32_t running_again(const struct connection *c)
{
    return c->prev_state == CONN_INITIAL ? CONN_INITIAL : CONN_ACTIVE;
}

int32_t life_next(enum life_verb v, const struct connection *c)
{
    bool never_ran = c->state == CONN_DRAFT || c->state == CONN_READY;
    switch (v) {
    case LIFE_PAUSE:
        return CONN_PAUSED;
    case LIFE_RESUME:
        return running_again(c);
    case LIFE_DISABLE:
        return CONN_DISABLED;
    case LIFE_ENABLE:
        return CONN_INITIAL; /* until everything was read once */
    case LIFE_DELETE:
        return CONN_DELETING;
    case LIFE_UNDELETE:
        return c->prev_state == CONN_DRAFT || c->prev_state == CONN_READY ? c->prev_state : CONN_DISABLED;
    case LIFE_START:
        return never_ran ? CONN_INITIAL : c->state;
    default:
        return c->state;
    }
}

bool life_takes_hooks(int32_t state)
{
    return state != CONN_DISABLED && state != CONN_DELETING;
}
