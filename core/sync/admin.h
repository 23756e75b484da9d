#ifndef ADMIN_H
#define ADMIN_H
/* Verbs of the administrator: every change of connections, links and maps, and of running sync. Each is one transaction
 * and takes effect with the next turn. All [control]; API threads post a message. Names are those an admin uses: a
 * connection by name, a link by its kind ("contact"; the plural is accepted).
 *
 * On success *out (may be null) gets a new reference to what `show` would say. Errors: TL_E_NOT_FOUND, E_EXISTS,
 * E_USAGE (a wrong value; hint names the right ones), E_PRECONDITION (state does not allow the verb), E_STORAGE. */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine.h"

struct admin_setting { /* one "key = value", spelled as in the INI */
    const char *key, *value;
};

/* ---- Connection */

/* a and b are endpoint names. Refused: same endpoint twice, an endpoint pair that another connection syncs already with
 * the same kinds, a claimed group (exclusivity). State draft. */
int admin_connection_create(struct engine *g, const char *name, const char *a, const char *b, json_t **out,
                            struct err *e);
int admin_connection_rename(struct engine *g, const char *name, const char *new_name, json_t **out, struct err *e);
/* Pulls and pushes stop; writes in flight are taken in; hooks are kept as hints; views and actions go on. */
int admin_connection_pause(struct engine *g, const char *name, json_t **out, struct err *e);
int admin_connection_resume(struct engine *g, const char *name, json_t **out, struct err *e);
/* No calls, no webhooks (unsubscribed and refused), its exclusive groups free for others; pairs, history and sign-ins
 * stay. What is in flight is taken in. */
int admin_connection_disable(struct engine *g, const char *name, json_t **out, struct err *e);
/* Asks again who the accounts are, reads both sides whole, then goes on with the pairs as they were. E_EXISTS: another
 * connection took its place in an exclusive group meanwhile. */
int admin_connection_enable(struct engine *g, const char *name, json_t **out, struct err *e);
/* Rests as a disabled one and is gone after the grace, or at once where `now`: pairs, failures and links are dropped a
 * slice a turn, then what nobody needs any more; remote records stay. */
int admin_connection_delete(struct engine *g, const char *name, bool now, json_t **out, struct err *e);
/* Within the grace: disabled again, or a draft if it never ran. */
int admin_connection_undelete(struct engine *g, const char *name, json_t **out, struct err *e);
/* Who the verbs that follow are audited as; NULL: the engine itself. */
void engine_act_as(struct engine *g, const char *who);
/* A block that only a person may lift (safety brake): what vanished is accepted as it is. */
int admin_connection_release(struct engine *g, const char *name, json_t **out, struct err *e);

/* ---- Link */

/* Settings: direction both|a2b|b2a, policy newest|a|b|manual, master a|b, every DURATION, view.a, view.b,
 * created_within DURATION|off, drift leave|revert|report, restore_on update|read_or_update|never, match FIELD|off,
 * match_multi fail|oldest|newest, quiet yes|no, enabled yes|no, share 1..100, a_kind, b_kind.
 * Default maps of the connection's other links get the references to this kind. *out also has "references_mapped"
 * (those: "KIND FIELD") and "references_left_out" (of this link, for want of another: {"field", "refers_to"}). */
int admin_link_create(struct engine *g, const char *connection, const char *kind, const struct admin_setting *set,
                      unsigned n, json_t **out, struct err *e);
int admin_link_set(struct engine *g, const char *connection, const char *kind, const struct admin_setting *set,
                   unsigned n, json_t **out, struct err *e);
/* Whether a section of the INI could be carried out, by create or by set; changes nothing. Of a connection that is not
 * there yet only what the settings themselves say is looked at. */
int admin_link_check(struct engine *g, const char *connection, const char *kind, const struct admin_setting *set,
                     unsigned n, struct err *e);
/* Drops its pairs, failures and map; records at the vendors stay. The connection must not run (E_PRECONDITION), and
 * nothing of the link be in flight (E_BUSY). */
int admin_link_delete(struct engine *g, const char *connection, const char *kind, struct err *e);
/* Pins the settings named in keys (comma separated) at the values they have now, for an INI section at place
 * "file:line"; an empty list un-pins all. A later set of a pinned key is E_PRECONDITION (code PINNED) with that place.
 */
int admin_link_pin(struct engine *g, const char *connection, const char *kind, const char *keys, const char *place,
                   struct err *e);

/* ---- Map: fields by canonical path or by the vendor's name on either side */

/* The row as a whole: what is not named is the default. While writes of the link are in flight: E_BUSY (code
 * IN_FLIGHT), and no new ones begin for two seconds: ask again. */
struct map_ask; /* map_edit.h */
int admin_map_set(struct engine *g, const char *connection, const char *kind, const struct map_ask *ask, json_t **out,
                  struct err *e);
/* All rows at once in place of those there are; nothing is changed when one of them is wrong. */
int admin_map_import(struct engine *g, const char *connection, const char *kind, const struct map_ask *asks, size_t n,
                     json_t **out, struct err *e);
int admin_map_unset(struct engine *g, const char *connection, const char *kind, const char *field, json_t **out,
                    struct err *e);
/* Back to the default map: equal canonical paths of both sides. */
int admin_map_reset(struct engine *g, const char *connection, const char *kind, json_t **out, struct err *e);

/* ---- Sync */

struct sync_request {
    const char *connection;
    const char *kind; /* null: every link */
    bool full;        /* a sweep of both sides also where the cursors are good */
    int64_t plan;     /* the dry run that is carried out; 0: none */
};
/* draft: makes default maps where none are, checks them and begins the first sync; both endpoints must have been
 * described (admin_endpoint_check). active: one cycle now. *out: {"runs": [ids of the first syncs that run now],
 * "kinds": [theirs], "warnings": [{"code","text"}]}; a create class that cannot be found again is a warning. */
int admin_sync_start(struct engine *g, const struct sync_request *r, json_t **out, struct err *e);
/* The first sync looked at beforehand: both sides are read, nothing is written to any vendor, and what would be done is
 * kept as the plan of a dry run. Answers as the start does, with that one run; E_PRECONDITION where nothing is new. */
int admin_sync_preview(struct engine *g, const struct sync_request *r, json_t **out, struct err *e);
/* Carries out the plan of a dry run: starts the first syncs it is about. What changed since is planned anew and listed.
 * *out: as of the start, with "plan" and "age_seconds". E_PRECONDITION: code PLAN_OLD when maps or settings are others
 * now. */
int admin_sync_approve(struct engine *g, int64_t run, json_t **out, struct err *e);
/* Adds to a plan as view_plan gives it what only the running engine knows: the time its calls would take. */
void admin_plan_times(struct engine *g, json_t *plan);
/* Ends the running dry run, or the running first sync or sweep as `cancelled`; what is done stays. */
int admin_sync_cancel(struct engine *g, const char *connection, json_t **out, struct err *e);

/* ---- Undo */

/* Takes back what a run wrote to any record, field by field, where the value is still that run's; the rest is listed.
 * dry_run: only looks. A record that the run made stays, or
 * goes into the bin of its system where nobody has touched it since (trash). *out:
 * {"run","about","connection","dry_run","changes","creates"}: the undo is run `run` (view_plan), changes and creates
 * are how many of them the run made. E_PRECONDITION: the connection does not run, the run has not ended or changed
 * nothing. E_BUSY: writes of it are under way, or another undo of the connection is. */
struct undo_how {
    bool dry_run, trash;
};
int admin_undo_run(struct engine *g, int64_t run, struct undo_how how, json_t **out, struct err *e);
struct undo_pick {
    int64_t pair;
    const char *field; /* path on either side */
    char side;         /* 'a' or 'b': where it was written; 0: wherever it was written last */
};
/* The same for the newest write of one field. */
int admin_undo_field(struct engine *g, const struct undo_pick *pick, bool dry_run, json_t **out, struct err *e);

/* ---- Failures */

struct failure_pick {
    const char *connection, *kind, *code; /* null: any */
    int64_t id;                           /* 0: any */
};
/* Re-plans the pairs of matching open failures: reads both sides, plans, pushes. *out: {"retried": n,
 * "waiting": those among them whose link does not run now: they are tried when it does}. */
int admin_failure_retry(struct engine *g, const struct failure_pick *f, json_t **out, struct err *e);

/* ---- Pairs by hand */

struct pair_couple {
    const char *connection, *kind;
    const char *id[2]; /* remote ids on side a and b */
};
/* Each answers {"pair", "dry_run", "effects":[{"pair","a_id","b_id","status","next","fields":[...]}]}: what will be
 * written because of it. dry_run changes nothing. E_BUSY: a write of that pair is under way. */

/* Makes a pair of two records; a pair that holds one of them alone is taken over. E_EXISTS: one of them is in a pair
 * with another record. */
int admin_pair_link(struct engine *g, const struct pair_couple *c, bool dry_run, json_t **out, struct err *e);
/* Parts the two records: each stays as it is and is left alone until it is linked, or ignored no longer. */
int admin_pair_unlink(struct engine *g, int64_t pair, bool dry_run, json_t **out, struct err *e);
/* Nothing is written for this pair until ignore is false again. */
int admin_pair_ignore(struct engine *g, int64_t pair, bool ignore, json_t **out, struct err *e);
/* Two crossed pairs of one link exchange their records of side b. */
int admin_pair_swap(struct engine *g, const int64_t pair[2], bool dry_run, json_t **out, struct err *e);

/* ---- Map passports */

struct passport_key; /* passports.h */
struct passport_pair;
/* Stamps of these instances count from now on: what they mark is explained, or held and reported. Links of the
 * connection that had read records before read them again for it, and make nothing until then ("read_again": how many).
 */
int admin_passport_keys(struct engine *g, const char *connection, const struct passport_key *keys, size_t n,
                        json_t **out, struct err *e);
/* Pairs of a former connection; .link is filled here. Those whose records both sides have read are bound with the next
 * turns, the others wait for a whole reading of both sides. {"dry_run","bound","known","waiting","erased",
 * "conflicts":[{"a","b","pair"}]}; conflicts are left out, and so are pairs of people who were erased. */
int admin_passport_pairs(struct engine *g, const char *connection, const char *kind, struct passport_pair *rows,
                         size_t n, bool dry_run, json_t **out, struct err *e);

/* ---- People */

/* All that is stored of these records and of those paired with them, now or before: see erased.h. They are not stored
 * again until the erasure is lifted. dry_run: counts, and takes everything back. compact: the file is written anew
 * afterwards (db_compact), which takes a while; else remains of it may stay in unused parts until that is done.
 * *out: {"dry_run","erasure","records":[{"endpoint","kind","record"}],"erased":{what: n},"compacted","remains":why
 * not}. Audited here, without whom. E_BUSY: a write of one of its pairs is under way. */
struct person_record; /* person.h */
struct person_erase {
    const struct person_record *of;
    size_t n;
    bool dry_run, compact;
};
int admin_person_erase(struct engine *g, const struct person_erase *ask, json_t **out, struct err *e);
/* Its records may be stored again: the next whole reading brings them. erasure 0: the one of the record with this id.
 * *out: {"erasure","records"}. */
int admin_person_restore(struct engine *g, int64_t erasure, const char *id, json_t **out, struct err *e);

struct conflict_pick {
    const char *connection, *kind; /* pair 0: all of this link */
    int64_t pair;
    const char *field; /* canonical path on either side; null: every field */
    char take;         /* 'a', 'b', or 'n': the newer value */
};
/* The side taken wins: its value is written to the other one, or, where the direction forbids that, both stay as they
 * are and are agreed on. {"decided": n, "busy": pairs left out because a write of theirs is under way}. */
int admin_conflict_decide(struct engine *g, const struct conflict_pick *pick, json_t **out, struct err *e);

/* ---- Endpoints */

/* Runs check() and discover() of the endpoint and answers later: done(arg, result, NULL) or done(arg, NULL, e), on the
 * control thread. result: {"account":{}, "findings":[...], "kinds":[...]}; it is lent. */
typedef void (*admin_done_fn)(void *arg, const json_t *result, const struct err *e);
int admin_endpoint_check(struct engine *g, const char *endpoint, admin_done_fn done, void *arg, struct err *e);
/* One-time set-up at the vendor; dry_run only tells. result: {"findings":[...]}. */
int admin_endpoint_prepare(struct engine *g, const char *endpoint, bool dry_run, admin_done_fn done, void *arg,
                           struct err *e);
/* Webhook of an endpoint: where the vendor shall post; subscribes, renews before expiry, and removes with url null. */
int admin_hook_url(struct engine *g, const char *endpoint, const char *url, struct err *e);
#endif
