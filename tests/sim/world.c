/* The world of a simulation: its randomness, its trace, and what went wrong in it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "times.h"
#include "twin.h"

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t world_random(struct world *w, uint64_t n)
{
    uint64_t *s = w->rng, result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return n ? result % n : 0;
}

bool world_chance(struct world *w, int percent)
{
    return percent > 0 && (int)world_random(w, 100) < percent;
}

void world_trace(struct world *w, const char *what, const char *a, int64_t b)
{
    char line[160];
    int n = snprintf(line, sizeof line, "%s|%s|%lld|%lld", what, a, (long long)b, (long long)w->now_us);
    w->trace = w->trace * 1099511628211u ^ store_hash(line, (size_t)n);
    if (getenv("SIM_VERBOSE"))
        fprintf(stderr, "  %s %s %lld\n", what, a, (long long)b);
}

void world_violation(struct world *w, const char *fmt, ...)
{
    if (w->violated)
        return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(w->violation, sizeof w->violation, fmt, ap);
    va_end(ap);
    w->violated = true;
}

void world_init(struct world *w, uint64_t seed, const struct knobs *k)
{
    memset(w, 0, sizeof *w);
    w->knobs = *k;
    for (int i = 0; i < 4; i++) {
        seed += 0x9e3779b97f4a7c15u;
        uint64_t z = seed;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        w->rng[i] = z ^ (z >> 31);
    }
    w->now_us = INT64_C(1767225600) * US_PER_S; /* 2026-01-01 */
    w->mono_us = 1000 * US_PER_S;
    w->actions_left = k->actions;
    w->faults = true;
}

static uint64_t typed_hash(const char *value)
{
    char bare[TWIN_TEXT];
    size_t n = 0;
    for (; *value && n < sizeof bare; value++)
        if (*value != ' ')
            bare[n++] = *value;
    return store_hash(bare, n) % (8 * sizeof((struct world *)0)->typed);
}

bool world_typed(const struct world *w, const char *value)
{
    uint64_t h = typed_hash(value);
    return w->typed[h / 8] & (1u << (h % 8));
}

void world_type(struct world *w, const char *value)
{
    uint64_t h = typed_hash(value);
    w->typed[h / 8] = (uint8_t)(w->typed[h / 8] | (1u << (h % 8)));
}

int world_scrambled(struct world *w, struct twin_record **list, int n)
{
    for (int i = n - 1; i > 0; i--) {
        int k = (int)world_random(w, (uint64_t)i + 1);
        struct twin_record *r = list[i];
        list[i] = list[k];
        list[k] = r;
    }
    int more = n > 0 && n < TWIN_RECORDS / 2 ? (int)world_random(w, 3) : 0;
    for (int i = 0; i < more; i++)
        list[n + i] = list[world_random(w, (uint64_t)n)];
    return n + more;
}

bool world_is_old(const struct world *w, const struct twin_record *r)
{
    return w->knobs.window && r->created_us < w->now_us - WORLD_YEAR_US - 30 * US_PER_DAY;
}

/* By what no user edits: the tag, or, where a person has not decided yet whose tag counts, the match key. */
static bool belong_together(int kind, const struct twin_record *a, const struct twin_record *b)
{
    int key = kind == KIND_CONTACT ? F_EMAIL : F_NAME;
    return (a->v[F_TAG][0] && strcmp(a->v[F_TAG], b->v[F_TAG]) == 0) ||
           (a->v[key][0] && strcmp(a->v[key], b->v[key]) == 0);
}

/* Somebody has deleted its counterpart; that one may have been put back since we looked. */
void world_deletable(struct world *w, int s, int kind, const struct twin_record *r)
{
    for (int i = 0; i < TWIN_RECORDS && w->knobs.deletes; i++) {
        const struct twin_record *o = &w->rec[1 - s][kind][i];
        if (o->used && belong_together(kind, o, r) && (o->state != TL_STATE_LIVE || o->restored))
            return;
    }
    world_violation(w, "V9: a delete was sent for %s", r->id);
}

/* Nothing of a person who was erased is written, or made from what is left of them elsewhere. */
void world_erased(struct world *w, int s, const char *id, const char *tag)
{
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < TWIN_RECORDS; i++) {
            const struct twin_record *r = &w->rec[side][KIND_CONTACT][i];
            bool written = side == s && id[0] && strcmp(r->id, id) == 0;
            bool made = side != s && !id[0] && tag[0] && strcmp(r->v[F_TAG], tag) == 0;
            if (r->used && r->erased == TWIN_ERASED && (written || made))
                world_violation(w, "a write left for %s, which was erased with its person", r->id);
        }
}
