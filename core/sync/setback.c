#include "setback.h"

#include <stdio.h>

#include "attention.h"
#include "engine_int.h"

enum { TOLD_AFTER = 3, TIMES_MAX = 5 };
static const int64_t first_us = US_PER_S;

bool setback_rests(const struct engine *g, const struct setback *s)
{
    return s->tries && s->until_us > g_mono(g);
}

int64_t setback_add(struct engine *g, struct setback *s)
{
    unsigned doubled = s->tries < TIMES_MAX - 1 ? s->tries : TIMES_MAX - 1;
    s->tries++;
    s->until_us = g_mono(g) + (first_us << doubled);
    return s->until_us;
}

void setback_again(struct engine *g, struct setback *s, str object, str key)
{
    struct err e = {0};
    struct repair r = {.object = object,
                       .code = STR("STORE_FAILS"),
                       .key = key,
                       .level = TL_ERROR,
                       .text = str_of(s->text),
                       .hint =
                           STR("it is tried again by itself, every 16 s; `tieline fsck` says whether the database is "
                               "sound, and the log has every attempt")};
    if (s->tries < TOLD_AFTER || g->storage_down)
        return;
    s->told |= repair_raise(g->db, &r, &e) == TL_OK;
}

static void end(struct engine *g, struct setback *s, str object, str key)
{
    struct err e = {0};
    if (s->told && repair_clear(g->db, object, STR("STORE_FAILS"), key, g_now(g), &e) != TL_OK)
        return;
    *s = (struct setback){0};
}

void setback_note(struct engine *g, struct setback *s, unsigned failed_before, bool got_on, str object, str key)
{
    if (g->setbacks.n == failed_before) {
        if (got_on && s->tries)
            end(g, s, object, key);
        return;
    }
    setback_add(g, s);
    snprintf(s->text, sizeof s->text, "%s", g->setbacks.text);
    setback_again(g, s, object, key);
}
