#ifndef CONTEXT_PAGE_H
#define CONTEXT_PAGE_H
/* The context as a page that stands beside a ticket: made here whole, read without a script, in the reader's language.
 * What people wrote anywhere is text in it and never markup; an address leads away only over http or https. Pure. [any]
 */
#include <jansson.h>

#include "buf.h"

/* language: "pt-BR", or what a browser says it accepts; NULL: English. style_path: where the style sheet is had. */
void context_page(const json_t *context, const char *language, const char *style_path, struct buf *out);
extern const char context_style[]; /* the style sheet that it names */
#endif
