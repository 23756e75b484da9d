#ifndef INTENTS_H
#define INTENTS_H
/* Intents: remote writes decided and recorded whose outcome is not recorded yet. One row a batch; a pair has at most
 * one (pair.intent). Order: open in T1, commit, db_seal_intent, send, then in T2 store the outcome and settle. */
#include "db.h"

enum intent_state { INTENT_PREPARED = 0, INTENT_UNKNOWN = 1 };

struct intent_entry {
    int64_t pair;
    uint32_t gen;         /* generation of a create */
    str id;               /* remote id written to; empty in a create */
    str stamp;            /* value of the stamp field of a create; empty: none */
    str version;          /* the write was based on it */
    str sent;             /* the engine's: field numbers (varints), values if it likes */
    uint64_t source_hash; /* seen_hash of the source observation the write was built from */
    uint32_t flags;       /* the engine's */
    bool born;            /* the pair was inserted with this intent in the same transaction */
};

struct intent {
    int64_t intent; /* from intent_reserve, or 0 */
    int64_t link, endpoint;
    int32_t side; /* written side */
    int32_t op;   /* TL_OP_* */
    int32_t lane, state;
    uint32_t flags; /* the engine's: quiet, single, bisected */
    int64_t run, map_gen;
    int64_t made_us, settle_us; /* settle: do not judge an unknown create before */
    size_t n;
    struct intent_entry *entries;
};

/* A fresh id, for pairs that are inserted with their intent. Gone with a rollback. */
int64_t intent_reserve(struct db *db);
/* Writes the row (fills i->intent) and, for every entry, sets pair.intent and takes the pair off the work list (due 0);
 * what wakes it meanwhile comes up when the intent is closed. A pair that has another: E_EXISTS, code
 * INTENT_OPEN; a pair that does not exist: TL_E_NOT_FOUND; roll back then. */
int intent_open(struct db *db, struct intent *i, struct err *e);
int intent_get(struct db *db, struct arena *a, int64_t intent, struct intent *out, struct err *e);
/* All open ones, by id; endpoint 0: of all. */
int intent_list(struct db *db, struct arena *a, int64_t endpoint, struct intent **out, size_t *n, struct err *e);
/* At start: what was prepared may have been sent. Returns how many rows became unknown. */
int intent_all_unknown(struct db *db, int64_t *changed_out, struct err *e);
/* T2, after pair_store() with intent = 0 for the entries that are through: keeps the entries listed (their outcome is
 * not known yet) with the new state and settle time; none left deletes the row. Pairs in drop[] (through, but not
 * stored by the caller) get intent = 0 here. */
int intent_settle(struct db *db, const struct intent *i, const int64_t *drop, size_t n_drop, struct err *e);
/* The source observation of the pair's open intent, if a newer one has replaced it meanwhile; else TL_E_NOT_FOUND and
 * the record still holds it. Removed when the pair is stored with intent = 0. */
int intent_source(struct db *db, struct arena *a, int64_t pair, enum side s, str *observation_out, struct err *e);
/* Is an unknown create open at this endpoint side of the link? Then its feed waits. */
int intent_unknown_count(struct db *db, int64_t link, enum side s, int32_t op, int64_t *out, struct err *e);
#endif
