#include "sign_ins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "times.h"

static const int64_t lifetime_us = 600 * US_PER_S;

struct sign_ins {
    const struct env *env;
    struct sign_in_wait *waits[SIGN_INS_MAX]; /* oldest first */
    size_t n;
};

struct sign_ins *sign_ins_new(const struct env *env)
{
    struct sign_ins *s = calloc(1, sizeof *s);
    ASSERT(s);
    s->env = env;
    return s;
}

void sign_in_wait_wipe(struct sign_in_wait *w)
{
    explicit_bzero(w, sizeof *w);
}

static void end(struct sign_ins *s, size_t i)
{
    sign_in_wait_wipe(s->waits[i]);
    free(s->waits[i]);
    s->n--;
    memmove(&s->waits[i], &s->waits[i + 1], (s->n - i) * sizeof *s->waits);
}

struct sign_ins *sign_ins_free(struct sign_ins *s)
{
    while (s && s->n)
        end(s, 0);
    free(s);
    return NULL;
}

static void end_late(struct sign_ins *s)
{
    int64_t now = env_mono_us(s->env);
    for (size_t i = s->n; i-- > 0;)
        if (now >= s->waits[i]->ends_us)
            end(s, i);
}

static void end_oldest_of(struct sign_ins *s, const char *who)
{
    size_t n = 0, oldest = 0;
    for (size_t i = s->n; i-- > 0;)
        if (strcmp(s->waits[i]->who, who) == 0) {
            n++;
            oldest = i;
        }
    if (n >= SIGN_INS_OF_ONE)
        end(s, oldest);
}

int sign_ins_begin(struct sign_ins *s, int64_t endpoint, const char *who, const char *redirect_uri,
                   const struct sign_in_wait **out, struct err *e)
{
    end_late(s);
    end_oldest_of(s, who);
    if (s->n == SIGN_INS_MAX) {
        err_set(e, E_BUSY, "%d sign-ins wait for their answer already", SIGN_INS_MAX);
        err_hint(e, "finish one, or wait ten minutes");
        return E_BUSY;
    }
    struct sign_in_wait *w = calloc(1, sizeof *w);
    ASSERT(w);
    auth_ticket(s->env, w->state);
    auth_ticket(s->env, w->verifier);
    w->endpoint = endpoint;
    w->ends_us = env_mono_us(s->env) + lifetime_us;
    snprintf(w->who, sizeof w->who, "%s", who);
    snprintf(w->redirect_uri, sizeof w->redirect_uri, "%s", redirect_uri);
    s->waits[s->n++] = w;
    *out = w;
    return TL_OK;
}

/* Takes as long for a wrong state as for a right one. */
static bool same_state(const char *ours, str given)
{
    unsigned differ = strlen(ours) != given.n;
    for (size_t i = 0; i < given.n && i < AUTH_TICKET_SIZE; i++)
        differ |= (unsigned char)ours[i % strlen(ours)] ^ (unsigned char)given.p[i];
    return differ == 0;
}

int sign_ins_take(struct sign_ins *s, str state, int64_t endpoint, const char *who, struct sign_in_wait *out,
                  struct err *e)
{
    end_late(s);
    size_t i = 0;
    while (i < s->n && !same_state(s->waits[i]->state, state))
        i++;
    if (i == s->n) {
        err_set(e, E_PRECONDITION,
                "no sign-in waits for this answer: it was used, is older than ten minutes, or tielined "
                "was restarted");
        err_hint(e, "begin a new one: tieline endpoint auth");
        return E_PRECONDITION;
    }
    if (strcmp(s->waits[i]->who, who) != 0 || s->waits[i]->endpoint != endpoint) {
        err_set(e, E_PRECONDITION, "this answer belongs to a sign-in that %s",
                s->waits[i]->endpoint != endpoint ? "was begun for another endpoint" : "another admin began");
        err_hint(e, "begin your own: tieline endpoint auth");
        return E_PRECONDITION;
    }
    *out = *s->waits[i];
    end(s, i);
    return TL_OK;
}

bool sign_ins_cancel(struct sign_ins *s, str state, int64_t endpoint, const char *who)
{
    AUTO(sign_in_wait_wipe) struct sign_in_wait w = {.endpoint = 0};
    struct err ignored = {0};
    return sign_ins_take(s, state, endpoint, who, &w, &ignored) == TL_OK;
}
