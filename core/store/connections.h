#ifndef CONNECTIONS_H
#define CONNECTIONS_H
/* Connections, their exclusive claims, links, field maps, and the settings of both. */
#include "db.h"

enum conn_state {
    CONN_DRAFT = 0,
    CONN_READY = 1,
    CONN_INITIAL = 2,
    CONN_ACTIVE = 3,
    CONN_PAUSED = 4,
    CONN_BLOCKED = 5,
    CONN_DISABLED = 6,
    CONN_DELETING = 7
};
const char *conn_state_name(int32_t state); /* "paused"; never NULL */

struct connection {
    int64_t connection;
    str name;
    int64_t endpoint[2]; /* [SIDE_A], [SIDE_B] */
    int32_t state, prev_state;
    str block_code, block_text;
    int64_t state_us, paused_us, made_us;
    int64_t delete_us; /* CONN_DELETING: its rows go from then on; else 0 */
};

/* Two distinct endpoints, a name not in use (E_EXISTS). Fills connection and made_us. */
int connection_create(struct db *db, struct connection *c, struct err *e);
int connection_get(struct db *db, struct arena *a, int64_t connection, struct connection *out, struct err *e);
int connection_find(struct db *db, struct arena *a, str name, struct connection *out, struct err *e);
int connection_list(struct db *db, struct arena *a, struct connection **out, size_t *n, struct err *e); /* by name */
/* Writes all but id, endpoints and made_us; a name in use is E_EXISTS. */
int connection_update(struct db *db, const struct connection *c, struct err *e);
/* The same together with its audit row: one change of state, or none. Inside a transaction it is part of that. */
struct audit;
int connection_transition(struct db *db, const struct connection *c, struct audit *row, struct err *e);
/* Removes an empty connection: links (and so pairs) must be gone, else E_PRECONDITION. Claims and settings go too. */
int connection_delete(struct db *db, int64_t connection, struct err *e);

/* A group an endpoint may be in only once per partner kind. E_EXISTS names the connection that holds it. */
int claim_take(struct db *db, int64_t endpoint, str group, int64_t connection, struct err *e);
int claim_release(struct db *db, int64_t connection, struct err *e); /* all of the connection */
int claim_holder(struct db *db, int64_t endpoint, str group, int64_t *connection_out, struct err *e);

/* ---- Links ----------------------------------------------------------------------------------------------------- */

enum link_mode { LINK_SYNC = 0, LINK_FEED = 1, LINK_DROPPED = 3 /* its rows are being deleted */ };

struct link {
    int64_t link, connection;
    str name; /* unique in the connection; by default the kind */
    str kind[2];
    int64_t feed[2]; /* 0: not subscribed */
    int32_t mode;
    int32_t topo;            /* links referred to come first */
    int32_t phase;           /* the engine's: how far the first sync is; 0 = new */
    str position;            /* the engine's: where a resumable walk of this phase goes on */
    int64_t map_gen;         /* grows with every edit of the map */
    int64_t created_from_us; /* window, anchored at the first start; 0: none */
    uint64_t filter_hash;    /* of window and views; the engine compares */
    int64_t run;             /* the run that phase works for; 0: none */
    bool enabled;
    str brake_code, brake_text; /* nothing is created or changed while set */
    int64_t brake_us, made_us;
    int64_t readopt_us; /* marks of a passport taken in then are looked for, and nothing is made before; 0: no */
};

/* The same two endpoints and kinds in another link of mode sync or feed: E_EXISTS naming it (code SAME_LINK). */
int link_create(struct db *db, struct link *l, struct err *e);
int link_get(struct db *db, struct arena *a, int64_t link, struct link *out, struct err *e);
int link_find(struct db *db, struct arena *a, int64_t connection, str name, struct link *out, struct err *e);
/* connection 0: all. By connection, topo, id. */
int link_list(struct db *db, struct arena *a, int64_t connection, struct link **out, size_t *n, struct err *e);
/* Links that subscribe to a feed, on whichever side. */
int link_list_of_feed(struct db *db, struct arena *a, int64_t feed, struct link **out, size_t *n, struct err *e);
int link_update(struct db *db, const struct link *l, struct err *e); /* all but ids, name, kinds, mode, made_us */
/* Takes the link out of its connection: it is in no list any more, its name, kinds and feeds are free, and its rows go
 * with link_delete_slice(). E_PRECONDITION while it has open intents. */
int link_drop(struct db *db, int64_t link, struct err *e);
int link_dropped_next(struct db *db, int64_t *link_out, struct err *e); /* TL_E_NOT_FOUND: none is left */
/* Deletes at most max_rows of what hangs on the link (pairs first; open intents must be gone: E_PRECONDITION), then the
 * link itself. *done_out: nothing is left. */
int link_delete_slice(struct db *db, int64_t link, int max_rows, bool *done_out, struct err *e);

struct link_tally {
    int64_t pairs;     /* rows */
    int64_t complete;  /* of those with both sides bound */
    int64_t unsettled; /* sides written but not seen again yet */
    int64_t parked, failed, loop, quarantined, tombstone;
    int64_t conflicts; /* fields waiting for a decision */
    int64_t failures;  /* open */
};
int link_count(struct db *db, int64_t link, struct link_tally *out, struct err *e);

/* ---- Field map ------------------------------------------------------------------------------------------------- */

enum map_dir { MAP_BOTH = 0, MAP_A2B = 1, MAP_B2A = 2, MAP_OFF = 3 };

struct map_row {
    uint32_t map_no; /* counted per link from 1, never reused; 0 on insert */
    str a_path, b_path;
    int32_t dir;
    str policy;        /* empty: the link's */
    str transform;     /* chain from A to B; empty: as it is */
    str back;          /* chain from B to A; empty: the inverse of transform */
    bool unless_blank; /* a blank never wins against a value */
    bool is_default;   /* made from equal canonical paths, not by a person */
    str suspended;     /* why the field rests; empty: it does not */
    /* map_gen with which the field came into the map: no pair that last settled before has a base for it, whatever was
     * kept. Set by map_replace and map_set; a row keeps it while it has the same paths and is not off in between. */
    int64_t since_gen;
};
/* Sets the map of a link: rows with the same (a_path, b_path) keep their number, others get a new one or go. Adds 1 to
 * map_gen. The same path twice on one written side: E_EXISTS. */
int map_replace(struct db *db, int64_t link, const struct map_row *rows, size_t n, struct err *e);
int map_set(struct db *db, int64_t link, struct map_row *row, struct err *e); /* adds or changes one, map_gen + 1 */
int map_unset(struct db *db, int64_t link, uint32_t map_no, struct err *e);   /* map_gen + 1 */
/* The field counts as mapped from now on (a reference whose link came later), map_gen + 1. */
int map_renew(struct db *db, int64_t link, uint32_t map_no, struct err *e);
int map_suspend(struct db *db, int64_t link, uint32_t map_no, str why, struct err *e); /* "" resumes; map_gen stays */
int map_list(struct db *db, struct arena *a, int64_t link, struct map_row **out, size_t *n, struct err *e);

/* ---- Settings of connections and links ------------------------------------------------------------------------- */

enum setting_scope { SETTING_CONNECTION = 0, SETTING_LINK = 1 };
struct setting {
    str key, value;
    bool pinned; /* by a configuration section: read-only at run time */
    str origin;  /* pinned: "FILE:LINE"; else who set it */
    int64_t set_us;
};
/* The value that counts: pinned before set. TL_E_NOT_FOUND: neither. */
int setting_get(struct db *db, struct arena *a, enum setting_scope scope, int64_t owner, const char *key,
                struct setting *out, struct err *e);
/* Those that count, by key. */
int setting_list(struct db *db, struct arena *a, enum setting_scope scope, int64_t owner, struct setting **out,
                 size_t *n, struct err *e);
/* An empty value removes. A pinned key: E_PRECONDITION naming file and line (code PINNED). */
int setting_set(struct db *db, enum setting_scope scope, int64_t owner, const char *key, str value, str who,
                struct err *e);
/* Pins of one owner, all at once: what is not in the list is un-pinned and the value set before counts again. */
int setting_pin(struct db *db, enum setting_scope scope, int64_t owner, const struct setting *pins, size_t n,
                struct err *e);
#endif
