#include "progress.h"

#include <string.h>

#include "str.h"

static uint64_t mix(uint64_t h, str s)
{
    for (uint64_t i = 0; i < s.n; i++)
        h = (h ^ (uint8_t)s.p[i]) * UINT64_C(1099511628211);
    return (h ^ s.n) * UINT64_C(1099511628211);
}

static uint64_t hash_of(str s)
{
    return mix(UINT64_C(14695981039346656037), s) | 1;
}

static void start(struct progress_place *w, uint64_t key, uint64_t cursor)
{
    *w = (struct progress_place){.key = key, .last = cursor, .saved = cursor, .power = 1};
}

void progress_begin(struct progress *p, const tl_pull *pull)
{
    uint64_t key = mix(mix(hash_of(pull->shape->kind), pull->view), STR("mode")) * 2 + (uint64_t)pull->mode * 2 + 1;
    uint64_t cursor = hash_of(pull->cursor);
    p->now = NULL;
    for (uint32_t i = 0; i < PROGRESS_PLACES && !p->now; i++)
        if (p->places[i].key == key)
            p->now = &p->places[i];
    if (!p->now) {
        p->now = &p->places[p->next++ % PROGRESS_PLACES];
        start(p->now, key, cursor);
    } else if (p->now->last != cursor) {
        start(p->now, key, cursor); /* the host asks from elsewhere */
    }
}

int progress_step(struct progress *p, const tl_checkpoint *c, uint64_t records, struct err *e)
{
    struct progress_place *w = p->now;
    uint64_t cursor = hash_of(c->cursor);
    if (c->complete) {
        start(w, w->key, cursor);
        return TL_OK;
    }
    w->last = cursor;
    w->empty = records ? 0 : w->empty + 1;
    if (cursor == w->saved && ++w->repeats >= PROGRESS_REPEATS) {
        w->repeats = PROGRESS_REPEATS - 1; /* the next one tells it again */
        return err_set(e, TL_E_INVALID, "a cursor came again %d times, and each time it said that there is more",
                       PROGRESS_REPEATS);
    }
    if (++w->steps == w->power) {
        w->saved = cursor;
        w->power = w->power < UINT32_C(1) << 30 ? w->power * 2 : w->power;
        w->steps = 0;
    }
    if (c->mode == TL_PULL_PASS && w->empty >= PROGRESS_EMPTY) {
        w->empty = 0;
        return err_set(e, TL_E_INVALID, "%d pages without a record, and no end", PROGRESS_EMPTY);
    }
    return TL_OK;
}
