/* See lang.h. */
#include "lang.h"

#include <stdlib.h>
#include <string.h>

#include "str.h"

static const char *const names[LANGS] = {"en", "pt-BR", "zh-CN", "ru"};

const char *lang_name(enum lang lang)
{
    return (unsigned)lang < LANGS ? names[lang] : names[LANG_EN];
}

/* -1: not one of ours. Countries do not count: who asks for pt-PT is better served in pt-BR than in English. */
static int of_tag(str tag)
{
    str language;
    size_t n = 0;
    while (n < tag.n && tag.p[n] != '-' && tag.p[n] != '_' && tag.p[n] != '.' && tag.p[n] != '@')
        n++;
    language = str_n(tag.p, n);
    for (int i = 0; i < LANGS; i++)
        if (str_eq_nocase(language, str_n(names[i], 2)))
            return i;
    return -1;
}

/* Weight of one member of a list in thousandths; 1000 where none is told. */
static int weight_of(str parameters)
{
    str one;
    while (str_split(&parameters, ';', &one)) {
        one = str_trim(one);
        if (one.n < 3 || (one.p[0] != 'q' && one.p[0] != 'Q') || one.p[1] != '=')
            continue;
        int q = one.p[2] == '1' ? 1000 : 0, unit = 100;
        for (size_t i = 4; i < one.n && one.p[i] >= '0' && one.p[i] <= '9' && q < 1000; i++, unit /= 10)
            q += (one.p[i] - '0') * unit;
        return q;
    }
    return 1000;
}

enum lang lang_of(const char *wish)
{
    str rest = str_of(wish), part;
    int best = LANG_EN, weight = 0;
    while (str_split(&rest, ',', &part)) {
        str tag;
        str_split(&part, ';', &tag);
        int lang = of_tag(str_trim(tag)), q = weight_of(part);
        if (lang >= 0 && q > weight) {
            best = lang;
            weight = q;
        }
    }
    return (enum lang)best;
}

static int by_english(const void *key, const void *row)
{
    return strcmp(key, ((const struct message *)row)->english);
}

const char *lang_text(const char *english, enum lang lang)
{
    if (lang <= LANG_EN || lang >= LANGS)
        return english;
    const struct message *m = bsearch(english, messages, n_messages, sizeof *messages, by_english);
    return m ? m->in[lang - 1] : english;
}
