#ifndef PERMISSION_H
#define PERMISSION_H
/* What a profile of the help desk may see and have done through a connection: the one place where that is decided.
 *
 * A grant is a row (object, item); no row denies. Objects are "integration" and kinds of record. Items: "visible"; of
 * an account or a contact "information" and the kinds that are shown beside it ("deal", "note", "task" ...); of other
 * kinds "view"; and of every kind the rights "create", "update", "send", "delete". What is not visible shows nothing,
 * and what may not be seen may not be touched either. Pure. [any] */
#include <stdbool.h>
#include <stdint.h>

#include "permissions.h"

/* Of one profile in one connection, as permission_list gives them. All zero: nothing is granted. */
struct grants {
    const struct permission *rows;
    size_t n;
};
int grants_load(struct db *r, struct arena *a, int64_t connection, str profile, struct grants *out, struct err *e);

struct permission_verdict {
    bool allowed;
    str object, item; /* the row that decides: it is there, or it is the first one missing. Lent as the question is */
};
struct permission_verdict permission_judge(const struct grants *g, str object, str item);
/* A list of records of a kind beside an account or a contact: one of its items, or a document with rights of its own.
 */
struct permission_verdict permission_judge_list(const struct grants *g, str panel, str kind);
/* An action on records of a kind: rights are all of TL_RIGHT_* that it needs. To see the record is always one of them;
 * a right that this version does not know nobody has. */
struct permission_verdict permission_judge_action(const struct grants *g, str kind, uint32_t rights);

#define PERMISSION_INTEGRATION STR("integration")
#define PERMISSION_VISIBLE     STR("visible")
/* Shown beside a ticket as a person or a firm, with lists of other kinds: accounts and contacts. */
bool permission_is_panel(str object);
/* Stands for itself, wherever it is shown: invoices and estimates. */
bool permission_is_document(str object);
/* What must be granted for a record of it to be seen: "information" or "view". */
str permission_seeing(str object);
/* "create" of TL_RIGHT_CREATE and so on, by its place from 0 on; empty past the end. */
str permission_right(unsigned i);
/* "allowed: the row contact/deal grants it"; "denied: there is no row contact/deal". */
void verdict_words(const struct permission_verdict *v, struct buf *out);
#endif
