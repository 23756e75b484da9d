/* Two configurations compared: see config_diff.h. */
#include "config_diff.h"

#include <stdio.h>

#include "config_value.h"

const char *config_what_name(enum config_what w)
{
    static const char *const names[] = {"added", "changed", "removed"};
    return names[w];
}

/* Sections of which there may be several: that a key is written there says something of its own. */
static bool is_named(const char *header)
{
    return strchr(header, ' ') != NULL;
}

static const struct config_key *key_of(const char *header, const char *key)
{
    char type[32];
    snprintf(type, sizeof type, "%.*s", (int)strcspn(header, " "), header);
    return config_key_find(type, key);
}

/* "60s" and "1m" are the same time. */
static bool same_value(const struct config_key *k, const char *a, const char *b)
{
    int64_t m, n;
    bool yes, also;
    if (!a || !b)
        return (!a || !*a) && (!b || !*b);
    if (strcmp(a, b) == 0 || !k)
        return strcmp(a, b) == 0;
    if (k->type == CONFIG_BOOL)
        return config_parse_bool(a, &yes) && config_parse_bool(b, &also) && yes == also;
    if (k->type != CONFIG_INT && k->type != CONFIG_SIZE && k->type != CONFIG_DURATION)
        return false;
    return config_parse_number(k->type, a, &m) && config_parse_number(k->type, b, &n) && m == n;
}

struct comparison {
    struct arena *arena;
    const struct config *boot, *old, *now;
    struct config_change *first, **end;
};

static void compare(struct comparison *c, const char *section, const char *key)
{
    const struct config_key *k = key_of(section, key);
    bool restart = k && k->reload == RELOAD_DAEMON;
    const struct config_value *now = config_lookup(c->now, section, key);
    const struct config_value *was = config_lookup(restart ? c->boot : c->old, section, key);
    const char *def = k ? k->def : NULL;
    bool there = is_named(section) ? (now != NULL) == (was != NULL) : true;
    if (there && same_value(k, now ? now->value : def, was ? was->value : def))
        return;
    struct config_change *change = arena_new(c->arena, struct config_change);
    *change = (struct config_change){.what = !was  ? CONFIG_ADDED
                                             : now ? CONFIG_CHANGED
                                                   : CONFIG_REMOVED,
                                     .section = section,
                                     .key = key,
                                     .known = k,
                                     .now = now,
                                     .was = was,
                                     .restart = restart};
    *c->end = change;
    c->end = &change->next;
}

/* Keys of `from`; only_gone: those that the new one lacks, of the keys that need a restart or of the others. */
static void compare_all(struct comparison *c, const struct config *from, bool only_gone, bool daemon_keys)
{
    for (const struct config_section *s = from->sections; s; s = s->next)
        for (const struct config_value *v = s->values; v; v = v->next) {
            const struct config_key *k = key_of(s->header, v->key);
            bool restart = k && k->reload == RELOAD_DAEMON;
            if (only_gone && (restart != daemon_keys || config_lookup(c->now, s->header, v->key)))
                continue;
            compare(c, s->header, v->key);
        }
}

struct config_change *config_diff(struct arena *a, const struct config *boot, const struct config *old,
                                  const struct config *now)
{
    struct comparison c = {.arena = a, .boot = boot, .old = old, .now = now};
    c.end = &c.first;
    compare_all(&c, now, false, false);
    compare_all(&c, old, true, false);
    compare_all(&c, boot, true, true);
    return c.first;
}

bool config_section_changed(const struct config_change *changes, const char *header)
{
    for (; changes; changes = changes->next)
        if (strcmp(changes->section, header) == 0)
            return true;
    return false;
}
