#ifndef LANG_H
#define LANG_H
/* The reader's language: texts are written in English and looked up in the catalogues of core/po. Pure. [any] */
#include <stddef.h>

enum lang { LANG_EN, LANG_PT_BR, LANG_ZH_CN, LANG_RU, LANGS };

/* From "pt-BR", "pt_BR.UTF-8", or the list of an Accept-Language header ("ru;q=0.8, zh"). NULL or unknown: English. */
enum lang lang_of(const char *wish);
const char *lang_name(enum lang lang); /* "pt-BR" */
/* The text in that language; the same text where the catalogues have none. */
const char *lang_text(const char *english, enum lang lang);

struct message { /* sorted by english */
    const char *english;
    const char *in[LANGS - 1];
};
extern const struct message messages[];
extern const size_t n_messages;
#endif
