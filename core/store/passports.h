#ifndef PASSPORTS_H
#define PASSPORTS_H
/* Map passports: pairs of a former connection that wait for their records, and the stamp keys of former instances. */
#include "db.h"

enum { PASSPORT_INSTANCE = 8, PASSPORT_KEY = 32 };

/* Stamps that begin with this instance were made with this key. Kept as our own key is: see db_instance_key(). */
struct passport_key {
    char instance[PASSPORT_INSTANCE + 1];
    uint8_t key[PASSPORT_KEY];
};
/* Known already: nothing happens; with another key: E_EXISTS. Our own: nothing happens. */
int passport_key_put(struct db *db, const struct passport_key *k, struct err *e);
int passport_key_list(struct db *db, struct arena *a, struct passport_key **out, size_t *n, struct err *e);

struct passport_pair {
    int64_t passport, link;
    str id[2]; /* remote ids; empty: no record on that side */
    str slot;
    int32_t status, gen[2];
};
int passport_pair_put(struct db *db, const struct passport_pair *p,
                      struct err *e); /* the same again: nothing happens */
/* Those of a link that wait, after this number. */
int passport_pair_list(struct db *db, struct arena *a, int64_t link, int64_t after, size_t max,
                       struct passport_pair **out, size_t *n, struct err *e);
int passport_pair_drop(struct db *db, int64_t passport, struct err *e);
/* Those whose records did not come since they were put there. */
int passport_pair_trim(struct db *db, int64_t older_than_us, int max_rows, bool *done_out, struct err *e);
/* What an export holds: pairs of the link with both records, and those a person took out. passport is the pair's id. */
int passport_export(struct db *db, struct arena *a, int64_t link, int64_t after, size_t max, struct passport_pair **out,
                    size_t *n, struct err *e);
#endif
