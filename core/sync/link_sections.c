#include "link_sections.h"

#include "config_value.h"
#include "engine_int.h"
#include "linkset.h"
#include "vocabulary.h"

static void find(struct config *c, const char *file, int line, const char *header, const struct err *e)
{
    ini_find(&c->ini, FINDING_ERROR, file, line, "[%s] %s%s%s", header, e->text, e->hint[0] ? "; " : "", e->hint);
}

static void check_kinds(struct config *c, const struct config_section *s, const str kind[2])
{
    static const char *const keys[] = {"a_kind", "b_kind"};
    for (int side = 0; side < 2; side++) {
        const struct config_value *v = config_lookup(c, s->header, keys[side]);
        if (vocabulary_has(kind[side]) || (side == 1 && str_eq(kind[0], kind[1]) && !v))
            continue;
        AUTO(text_free) char *word = str_dup(kind[side]);
        const char *near = vocabulary_nearest(word);
        ini_find(&c->ini, FINDING_WARNING, v ? v->file : s->file, v ? v->line : s->line,
                 "[%s] \"%s\" is no kind of the vocabulary: nothing is done unless the connector on side %c has one of "
                 "this name%s%s%s",
                 s->header, word, "ab"[side], near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
}

static void check_section(struct config *c, const struct config_section *s)
{
    struct link_settings settings;
    str plain = kind_plain(str_of(s->kind)), kind[2] = {plain, plain};
    bool whole = true;
    link_settings_init(&settings);
    for (struct config_value *v = s->values; v; v = v->next) {
        struct err e = {0};
        if (strcmp(v->key, "a_kind") == 0 || strcmp(v->key, "b_kind") == 0)
            kind[v->key[0] == 'b'] = str_of(v->value);
        whole = whole && !v->wrong;
        if (v->wrong || link_setting_apply(&settings, str_of(v->key), str_of(v->value), &e) == TL_OK)
            continue;
        find(c, v->file, v->line, s->header, &e);
        v->wrong = true;
        whole = false;
    }
    check_kinds(c, s, kind);
    struct err e = {0};
    const char *key = whole ? link_settings_misfit(&settings, &e) : NULL;
    if (!key)
        return;
    const struct config_value *v = config_lookup(c, s->header, key);
    find(c, v->file, v->line, s->header, &e);
}

void link_sections_check(struct config *c)
{
    for (const struct config_section *s = c->sections; s; s = s->next)
        if (strcmp(s->type, "link") == 0)
            check_section(c, s);
}
