#ifndef VIEW_H
#define VIEW_H
/* What people may read, as JSON: members are named for the API and only ever added. Each function reads through one of
 * the store's read-only connections and touches no engine state. [any], one reader never by two threads at once. *out
 * is a new reference. TL_E_NOT_FOUND, E_STORAGE. */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "str.h"

struct db; /* from db_open_reader */

struct view_page { /* keyset paging: after is the "next" of the page before, 0 at first; limit 0: 100, at most 1,000 */
    int64_t after;
    uint32_t limit;
};

/* {"items":[...], "next": n or null} where a page is taken; {"items":[...]} else. */
int view_endpoints(struct db *r, json_t **out, struct err *e);
int view_endpoint(struct db *r, const char *name, json_t **out, struct err *e);
/* Fields of one kind as discovered, or of all kinds when kind is null. */
int view_fields(struct db *r, const char *endpoint, const char *kind, json_t **out, struct err *e);
int view_connections(struct db *r, json_t **out, struct err *e);
int view_connection(struct db *r, const char *name, json_t **out, struct err *e); /* with links */
int view_links(struct db *r, const char *connection, json_t **out, struct err *e);
int view_link(struct db *r, const char *connection, const char *kind, json_t **out, struct err *e);
int view_map(struct db *r, const char *connection, const char *kind, json_t **out, struct err *e);
/* Findings of the map check: level, field, code, text. {"ok":bool,"findings":[...]} */
int view_map_check(struct db *r, const char *connection, const char *kind, json_t **out, struct err *e);
/* The map as map import takes it: {"map":1,"connection","kind","rows":[...]}. */
int view_map_export(struct db *r, const char *connection, const char *kind, json_t **out, struct err *e);
/* What one row would do if it were set so:
 * {"pairs","equal","writes":{"a","b"},"conflicts","failures":{code:n},"unknown",
 * "examples":[{"a_id","b_id","side","before","after"}], "failing":[...]}. Looks at up to 10,000 pairs. */
struct map_ask;
int view_map_effect(struct db *r, const char *connection, const char *kind, const struct map_ask *ask, json_t **out,
                    struct err *e);
/* The rows that an import would add, change and remove, with the effect of each changed one. */
int view_map_import(struct db *r, const char *connection, const char *kind, const struct map_ask *asks, size_t n,
                    json_t **out, struct err *e);
/* Every row on one real record, on both sides: id is that of a record of either side. */
int view_map_preview(struct db *r, const char *connection, const char *kind, const char *id, json_t **out,
                     struct err *e);
/* Values through a chain, without any link: {"transform","values":[...],"type"} -> {"results":[{"outcome","value"}]}.
 */
int view_transform(const json_t *ask, json_t **out, struct err *e);
/* Running and last run per link with progress: observed/estimated, pushed/planned, failed, rate per second. */
int view_status(struct db *r, const char *connection /* null: all */, int64_t now_us, json_t **out, struct err *e);
/* Runs since a time, newest first, one entry per run, source, destination and kind with added, updated, failed ... */
int view_history(struct db *r, const char *connection, int64_t since_us, const struct view_page *page, json_t **out,
                 struct err *e);
struct view_failures {
    const char *connection, *kind, *code; /* null: any */
    bool resolved;                        /* also those that are closed */
    const char *lang;                     /* "en"; unknown ones fall back to it */
};
/* Oldest first; each with time, kind, record ids of both sides, code, reason in words, the vendor's own words beside.
 */
int view_failures(struct db *r, const struct view_failures *filter, const struct view_page *page, json_t **out,
                  struct err *e);
/* Open ones, summed by connection, kind and reason: {"items":[{"connection","kind","code","reason","hint","count",
 * "oldest","newest"}]}, by kind, the most frequent first. */
int view_failure_summary(struct db *r, const char *connection, const char *lang, json_t **out, struct err *e);
int view_failure(struct db *r, int64_t id, const char *lang, json_t **out, struct err *e);
/* By remote id, e-mail, number or name on either side; connection may be null. Names fit when every word of the text
 * begins one of theirs, whatever the case and accents; they are looked through one by one: "complete" is false when
 * that stopped, at 100 pairs or 100,000 records ("looked_at"). */
int view_pair_find(struct db *r, const char *connection, const char *text, json_t **out, struct err *e);
int view_pair(struct db *r, int64_t pair, json_t **out, struct err *e); /* both sides, fields, history, failures */
/* Fields that wait for a decision. Filters may be null. */
int view_conflicts(struct db *r, const char *connection, const char *kind, uint32_t limit, json_t **out, struct err *e);
/* A dry run's plan: how much of what in which direction, calls, and whether maps and settings are others by now. Also
 * of an undo. "seconds" are the engine's to fill in (admin_plan_times). */
int view_plan(struct db *r, int64_t run, int64_t now_us, json_t **out, struct err *e);
struct view_plan_filter {
    int64_t run;
    const char *what, *kind; /* null: any */
    bool changed;            /* only rows that were planned anew when it was carried out */
};
int view_plan_items(struct db *r, const struct view_plan_filter *f, const struct view_page *page, json_t **out,
                    struct err *e);
/* Everything stored about a person: {"who","records","pairs","audit"}. who: a record id, an e-mail address or a phone
 * number. */
int view_person(struct db *r, const char *who, json_t **out, struct err *e);
/* What was erased and by whom, newest first: number, time, how many records; nothing says whose. */
int view_erasures(struct db *r, json_t **out, struct err *e);
int view_hooks(struct db *r, json_t **out, struct err *e);
#endif
