#ifndef ACTS_H
#define ACTS_H
/* What people can have done at vendors, what they had done, and which records belong together because of it. */
#include "db.h"

/* ---- Actions, as an endpoint describes them ---------------------------------------------------------------------- */

struct action_row {
    str kind, name;
    str description; /* in the flat form of codec.h; opaque here */
    uint64_t hash;   /* of it */
    int64_t discovered_us;
};
/* Exactly these from now on; one that is as it was is not written. Part of the caller's transaction if there is one. */
int action_replace(struct db *db, int64_t endpoint, const struct action_row *rows, size_t n, struct err *e);
int action_get(struct db *db, struct arena *a, int64_t endpoint, str kind, str name, struct action_row *out,
               struct err *e);
int action_list(struct db *db, struct arena *a, int64_t endpoint, struct action_row **out, size_t *n,
                struct err *e); /* by kind and name */

/* ---- Acts: one deed each ----------------------------------------------------------------------------------------- */

enum act_state {
    ACT_PREPARED = 0, /* nothing has been sent yet */
    ACT_SENT = 1,     /* it may have been sent; nothing is known of an answer */
    ACT_DONE = 2,
    ACT_FAILED = 3, /* it was not done */
    ACT_UNKNOWN = 4 /* the answer was lost: it may have been done */
};

struct act {
    int64_t act;
    str key; /* names the deed, here and at the vendor: it is done once */
    int64_t connection, endpoint;
    str kind, name;             /* of the action */
    str record;                 /* id of the one acted on, or that was made; empty: none yet */
    str who;                    /* who asked for it */
    str person;                 /* for whom it is done, by name; may be empty */
    str beside_kind, beside_id; /* the record of the other end it was done beside; may be empty */
    int32_t state;
    str params;                /* JSON, as asked for */
    str before, after;         /* JSON: the record then and now; empty: not known */
    str code, words;           /* of a failure, or of an outcome that is not known */
    int64_t made_us, ended_us; /* ended_us 0: it is under way */
    int64_t look_us;           /* of unknown outcome: looked at the vendor then; 0: nobody looks */
    int32_t looks;             /* how often that was done */
};
/* Gives it its number. E_EXISTS: there is an act of this key. */
int act_add(struct db *db, struct act *a, struct err *e);
/* Writes record, state, before, after, code, words, ended_us, look_us and looks. */
int act_update(struct db *db, const struct act *a, struct err *e);
int act_get(struct db *db, struct arena *a, int64_t act, struct act *out, struct err *e);
int act_find(struct db *db, struct arena *a, str key, struct act *out, struct err *e);
/* Newest first, those before this number; connection 0: of all. */
int act_list(struct db *db, struct arena *a, int64_t connection, int64_t before, size_t max, struct act **out,
             size_t *n, struct err *e);
/* Those that are under way, and those of unknown outcome that are looked at: by number, after this one. */
int act_list_open(struct db *db, struct arena *a, int64_t after, size_t max, struct act **out, size_t *n,
                  struct err *e);
/* Forgets those that came to an end before. */
int act_trim(struct db *db, int64_t older_than_us, int max_rows, bool *done_out, struct err *e);

/* ---- Relations: a record that was made beside one of the other end ----------------------------------------------- */

/* They go with their connection. */
struct relation {
    int64_t relation, connection;
    int64_t endpoint; /* of the record that was made */
    str kind, id;
    str beside_kind, beside_id; /* at the connection's other end */
    str who;
    int64_t made_us;
};
int relation_add(struct db *db, struct relation *r, struct err *e); /* known already: nothing happens */
int relation_list(struct db *db, struct arena *a, int64_t connection, str beside_kind, str beside_id,
                  struct relation **out, size_t *n, struct err *e); /* the oldest first */
#endif
