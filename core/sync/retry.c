/* What becomes of a record that could not be written: tried again, read again, or noted as a failure that closes itself
 * when the record, the map or the schema changes. */
#include <stdio.h>

#include "engine_int.h"
#include "next_try.h"
#include "reading.h"
#include "reason.h"
#include "undo.h"
#include "unicode.h"
#include "writing.h"

const char *reason_code_of(int32_t reason)
{
    return reason_code(TL_E_INVALID, reason);
}

str utf8_cut_bytes(str s, size_t max_bytes)
{
    while (s.n > max_bytes || (s.n && s.n == max_bytes && ((unsigned char)s.p[s.n - 1] & 0xC0) == 0x80))
        s.n--;
    return s;
}

static int failure_write(struct engine *g, struct g_link *l, int64_t pair, const struct trouble *t, int32_t lane,
                         struct failure *out, struct err *e)
{
    int64_t run = 0;
    int rc = run_for(g, l, lane, &run, e);
    if (rc != TL_OK)
        return rc;
    *out = (struct failure){.link = l->row.link,
                            .pair = pair,
                            .side = t->side,
                            .id = t->id,
                            .code = str_of(t->code),
                            .reason = t->reason,
                            .field = t->field,
                            .text = str_of(t->text),
                            .vendor_code = t->vendor_code,
                            .vendor_text = t->vendor_text,
                            .run = run,
                            .last_us = g_now(g),
                            .retry = reason_retry(t->code)};
    out->first_us = out->last_us;
    if (out->retry == RETRY_AUTO) {
        out->retry = RETRY_NIGHTLY;
        out->next_us = g_now(g) + US_PER_DAY;
    }
    rc = failure_note(g->db, out, e);
    if (rc == TL_OK && out->n <= 1) {
        run_count(g, l, run, 1 - t->side, COUNT_FAILED);
        g->figures.failures++;
    }
    return rc;
}

int fail_record(struct engine *g, struct g_link *l, const struct trouble *t, struct err *e)
{
    struct failure f;
    return failure_write(g, l, 0, t, l->row.phase < PHASE_LIVE ? LANE_BULK : LANE_LIVE, &f, e);
}

int fail_pair(struct engine *g, struct g_link *l, struct pair *p, const struct trouble *t, struct err *e)
{
    struct failure f;
    int rc = failure_write(g, l, p->pair, t, p->lane, &f, e);
    if (rc == TL_OK && f.n <= 1)
        rc = failure_resolve_others(g->db, &f, STR("sync"), g_now(g), e);
    if (rc != TL_OK)
        return rc;
    p->status = PAIR_FAILED;
    p->due_us = f.next_us;
    p->attempts = 0;
    if (f.next_us)
        p->lane = LANE_RETRY;
    link_lanes_stale(l);
    event_pair(g, l, p->pair, t->side, t->id, "failed");
    return pair_store(g->db, p, e);
}

static int fail_entry(struct engine *g, struct g_link *l, struct g_batch *b, struct g_entry *entry, struct pair *p,
                      const char *code, const tl_error *error, struct arena *a, struct err *e)
{
    int source = 1 - b->side;
    str id = entry->source_id;
    if (id.n == 0 && p->rec[source]) {
        struct record rec = {0};
        int rc = record_get(g->db, a, p->rec[source], &rec, e);
        if (rc != TL_OK)
            return rc;
        id = rec.id;
    }
    struct trouble t = {.code = code, .id = id, .side = source, .text = ""};
    if (error) {
        t.reason = error->reason;
        t.vendor_code = str_of(error->code);
        t.vendor_text = str_of(error->text);
        t.field = str_of(error->field);
    }
    p->intent = 0;
    return b->flags & BATCH_UNDO ? undo_refused(g, b, p, code, error, a, e) : fail_pair(g, l, p, &t, e);
}

static bool duplicate_may_be_ours(const struct g_link *l, const struct g_batch *b, const struct g_entry *entry,
                                  const tl_error *error)
{
    if (b->op != TL_OP_CREATE || !error || (entry->flags & ENTRY_LOOKED) || entry->stamp.n == 0)
        return false;
    return (error->reason == TL_R_ALREADY_MAPPED || error->reason == TL_R_DUPLICATE_RULE) &&
           (l->rules.can[b->side] & TL_CAN_STAMP_FIND);
}

/* What it says of the endpoint as a whole. */
static void refused_by_endpoint(struct engine *g, struct g_endpoint *ep, int status, int32_t reason,
                                const tl_error *error)
{
    bool passes = status == TL_E_CONFLICT || status == TL_E_NOT_FOUND || status == TL_E_TEMPORARY;
    if (status == TL_E_THROTTLED || status == TL_E_QUOTA || status == TL_E_AUTH || status == TL_E_CONFIG) {
        endpoint_trouble(g, ep, NULL, status, error ? error : &(tl_error){0});
    } else if (!passes && status != TL_E_CANCELLED && reason == TL_R_SCHEMA && ep->prep == PREP_READY) {
        ep->prep = PREP_NEEDED;
        ep->prep_due = 0;
    }
}

/* As long as the vendor asks; else a second where it is not the record's fault, and longer each time where it is. */
static int64_t wait_of(struct engine *g, const tl_error *error, const struct pair *p, int32_t attempts)
{
    if (error && error->retry_after_ms > 0)
        return error->retry_after_ms * US_PER_MS;
    return attempts == p->attempts ? US_PER_S : backoff_us(g, attempts);
}

int retry_entry(struct engine *g, struct g_link *l, struct g_batch *b, uint32_t i, int status, const tl_error *error,
                struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct g_entry *entry = &b->entries[i];
    struct pair p = {0};
    int32_t reason = error ? error->reason : TL_R_OTHER;
    if (duplicate_may_be_ours(l, b, entry, error)) {
        entry->flags |= ENTRY_LOOKED;
        return TL_OK; /* stays open: looked up by its stamp */
    }
    int rc = pair_get(g->db, &a, entry->pair, &p, e);
    if (rc != TL_OK)
        return rc;
    /* What cannot be put back may have left the bin since it was seen there: it is read before that counts as a
     * failure. */
    int counted = b->op == TL_OP_RESTORE && status == TL_E_INVALID ? TL_E_NOT_FOUND : status;
    struct g_endpoint *ep = l->conn->ep[b->side];
    struct refusal refusal = {.status = counted, .reason = reason, .known = entry->id.n > 0, .attempts = p.attempts};
    refused_by_endpoint(g, ep, counted, reason, error);
    refusal.away = error && error->scope == TL_SCOPE_ENDPOINT && ep->failures > 1;
    struct next_try next = next_try(&refusal);
    link_lanes_stale(l);
    p.intent = 0;
    if (next.how == TRY_READ || (counted == TL_E_NOT_FOUND && refusal.known))
        feed_want(l->feed[b->side], p.rec[b->side], entry->id, g_mono(g), p.pair);
    if (next.how == TRY_FAIL) {
        rc = fail_entry(g, l, b, entry, &p, reason_code(status, reason), error, &a, e);
    } else {
        /* A read wakes it earlier. */
        p.due_us = g_now(g) + (next.how == TRY_READ ? READ_WAIT_US : wait_of(g, error, &p, next.attempts));
        p.attempts = next.attempts;
        rc = pair_store(g->db, &p, e);
    }
    entry->done = rc == TL_OK;
    return rc;
}

int retry_undone(struct engine *g, struct g_link *l, struct g_batch *b, uint32_t i, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct g_entry *entry = &b->entries[i];
    struct pair p = {0};
    int rc = pair_get(g->db, &a, entry->pair, &p, e);
    if (rc != TL_OK)
        return rc;
    if (p.attempts < TRANSIENT_TRIES) {
        int64_t wait = p.attempts ? backoff_us(g, p.attempts) : 0;
        p.attempts++;
        rc = pair_store(g->db, &p, e);
        return rc == TL_OK ? push_drop(g, l, b, i, g_now(g) + wait, e) : rc;
    }
    bool silent = entry->flags & ENTRY_SILENT;
    tl_error error = {.struct_size = sizeof error, .reason = TL_R_OTHER};
    snprintf(error.text, sizeof error.text, "%d times there was no %s for this record, and it was not written",
             TRANSIENT_TRIES + 1, silent ? "result" : "answer");
    rc = fail_entry(g, l, b, entry, &p, silent ? "PLUGIN_PROTOCOL" : "REMOTE_5XX", &error, &a, e);
    entry->done = rc == TL_OK;
    link_lanes_stale(l);
    return rc;
}
