/* What is past its time is forgotten, a slice of every table at a time, once an hour when nothing is left. Then is also
 * looked whether everybody who is to stand in for others is there. */
#include "acts.h"
#include "attention.h"
#include "engine_int.h"
#include "log.h"
#include "pairing.h"
#include "passports.h"
#include "stand_in.h"

enum { SLICE = 200 };

static int64_t kept(int64_t set, int64_t otherwise)
{
    return set ? set : otherwise;
}

void engine_retention(struct engine *g, const struct retention *r)
{
    g->retention = (struct retention){.history_us = kept(r->history_us, 30 * US_PER_DAY),
                                      .failures_us = kept(r->failures_us, 90 * US_PER_DAY),
                                      .deliveries_us = kept(r->deliveries_us, US_PER_DAY),
                                      .delete_grace_us = kept(r->delete_grace_us, 7 * US_PER_DAY),
                                      .tombstones_us = kept(r->tombstones_us, 90 * US_PER_DAY),
                                      .inbox_us = kept(r->inbox_us, 30 * US_PER_DAY),
                                      .audit_us = kept(r->audit_us, 730 * US_PER_DAY)};
}

/* One slice of the link that is next. */
static int trim_link(struct engine *g, struct g_link *l, int64_t before, struct err *e)
{
    bool end = false;
    if (l->row.link != g->trim_link)
        g->trim_after = 0;
    g->trim_link = l->row.link;
    int64_t from = g->trim_after;
    int rc = tombstone_trim(g->db, l->row.link, &g->trim_after, before, SLICE, &end, e);
    if (g->trim_after != from)
        refs_changed(g, l);
    if (rc == TL_OK && end) {
        g->trim_link++;
        g->trim_after = 0;
    }
    return rc;
}

/* Pairs that are dead on both sides: links one after the other, each from its first to its last; so many links at a
 * time, or one that has some. */
static int trim_tombstones(struct engine *g, int64_t before, bool *done, struct err *e)
{
    struct g_link *l = by_id_from(&g->link_ids, g->trim_link);
    int rc = TL_OK;
    for (int i = 0; i < SLICE && l && rc == TL_OK; i++, l = by_id_from(&g->link_ids, g->trim_link)) {
        rc = trim_link(g, l, before, e);
        if (g->trim_after)
            break; /* it has more */
    }
    *done = l == NULL;
    if (!l)
        g->trim_link = g->trim_after = 0;
    return rc;
}

static int trim_tables(struct engine *g, bool *done, struct err *e)
{
    const struct retention *r = &g->retention;
    const struct {
        int (*trim)(struct db *db, int64_t older_than_us, int max_rows, bool *done_out, struct err *e);
        int64_t keep;
    } tables[] = {
        {delivery_trim, r->deliveries_us}, {history_trim, r->history_us},
        {failure_trim, r->failures_us},    {repair_trim, r->failures_us},
        {inbox_trim, r->inbox_us},         {hint_trim, r->inbox_us},
        {old_id_trim, r->tombstones_us},   {passport_pair_trim, r->tombstones_us},
        {act_trim, r->history_us},         {audit_trim, r->audit_us},
    };
    int64_t now = g_now(g);
    int rc = trim_tombstones(g, now - r->tombstones_us, done, e);
    for (size_t i = 0; i < ARRAY_LEN(tables) && rc == TL_OK; i++) {
        bool through = true;
        rc = tables[i].trim(g->db, now - tables[i].keep, SLICE, &through, e);
        *done = *done && through;
    }
    return rc;
}

void retention_turn(struct engine *g)
{
    if (g->trim_due > g_mono(g))
        return;
    struct err e = {0};
    bool done = true;
    int rc = g_begin(g, &e);
    if (rc == TL_OK)
        rc = trim_tables(g, &done, &e);
    if (rc == TL_OK && done)
        rc = stand_ins_check(g, &e);
    rc = g_end(g, rc, "forgetting what is past its retention", &e);
    if (rc != TL_OK && rc != E_STORAGE)
        log_err(LOG_WARN, "retention", &e);
    g_step(g, SLICE);
    g->trim_due = g_mono(g) + (done || rc != TL_OK ? 3600 * US_PER_S : US_PER_S);
}
