/* Reading: nothing lost, whatever happens between two pages. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "check_records.h"
#include "check_world.h"
#include "times.h"

enum {
    RECORDS_A_CHECKPOINT = 1000,
    LOOKS_TRIED = 30,   /* places where it is told to stop */
    REQUESTS_TRIED = 6, /* of one pull, each with every fault */
    RETRY_AFTER_MS = 7000
};

static void needs_passes(struct check *c)
{
    check_kinds_needed(c, TL_CAN_PASS, "can be read as a whole (TL_CAN_PASS)");
}

static const struct stand_kind *pass_kind(const struct check *c, uint32_t k)
{
    return check_kind(c, TL_CAN_PASS, k);
}

static void whole(struct check *c)
{
    check_open(c, false);
    needs_passes(c);
    const struct stand_kind *k;
    for (uint32_t i = 0; (k = pass_kind(c, i)); i++) {
        AUTO(world_done) struct world w = {0};
        check_at(c, "a pass of %s", k->name);
        text_free(check_pull_all(c, k, TL_PULL_PASS, "", &w, NULL));
        if (w.bad)
            check_fail(c, "%u of %u records of %s cannot be used", w.bad, w.emitted, k->name);
        if (w.most_between > RECORDS_A_CHECKPOINT)
            check_fail(c, "%u records of %s between two checkpoints; at most %d", w.most_between, k->name,
                       RECORDS_A_CHECKPOINT);
        if (w.n == 0)
            check_note(c, "the vendor has no %s: there is little to be seen", k->name);
        else if (w.checkpoints < 3)
            check_note(c, "%s: only %u pages; more records, or heeding page_hint, makes the tests stronger", k->name,
                       w.checkpoints);
    }
}

static void again(struct check *c)
{
    check_open(c, false);
    needs_passes(c);
    const struct stand_kind *k;
    for (uint32_t i = 0; (k = pass_kind(c, i)); i++) {
        AUTO(world_done) struct world a = {0};
        AUTO(world_done) struct world b = {0};
        char why[400];
        text_free(check_pull_all(c, k, TL_PULL_PASS, "", &a, NULL));
        check_reseat(c);
        text_free(check_pull_sized(c, k, TL_PULL_PASS, "", 0, &b, NULL));
        if (!world_same(&b, &a, why, sizeof why))
            check_fail(c, "a pass of %s in small pages, compared with one in the connector's own: %s", k->name, why);
    }
}

/* What had been read up to the cursor, and from there to the end by another instance, is everything. */
static void resume(struct check *c)
{
    check_open(c, false);
    needs_passes(c);
    const struct stand_kind *k;
    for (uint32_t i = 0; (k = pass_kind(c, i)); i++) {
        AUTO(world_done) struct world all = {0};
        AUTO(positions_done) struct positions at = {0};
        text_free(check_pull_all(c, k, TL_PULL_PASS, "", &all, &at));
        for (uint32_t p = 0; p < at.n; p++) {
            if (at.list[p].complete)
                continue;
            AUTO(world_done) struct world w = {0};
            AUTO(text_free) char *cursor = text_dup("");
            char why[400];
            check_at(c, "%s from checkpoint %u of %u", k->name, p + 1, at.n);
            check_reseat(c);
            for (uint32_t call = 0; call < at.list[p].calls; call++) {
                AUTO(call_free) struct call *one = check_pull_call(k, TL_PULL_PASS, cursor, 1, CHECK_PAGE_SIZE);
                bool complete;
                check_run_ok(c, one);
                world_take(&w, &one->reply);
                text_free(cursor);
                cursor = check_last_cursor(&one->reply, &complete);
            }
            check_reseat(c);
            text_free(check_pull_all(c, k, TL_PULL_PASS, at.list[p].cursor, &w, NULL));
            if (!world_same(&all, &w, why, sizeof why))
                check_fail(c, "%s resumed from checkpoint %u of %u: %s", k->name, p + 1, at.n, why);
        }
    }
}

/* One spoilt call, whatever it ends with; then on from the last checkpoint by another instance: all is read. */
static void spoilt_then_whole(struct check *c, const struct stand_kind *k, const struct world *all, const char *what)
{
    AUTO(world_done) struct world w = {0};
    AUTO(call_free) struct call *call = check_pull_call(k, TL_PULL_PASS, "", 0, CHECK_PAGE_SIZE);
    bool complete = false;
    char why[400];
    check_at(c, "a pass of %s with %s", k->name, what);
    check_run(c, call);
    world_take(&w, &call->reply);
    AUTO(text_free) char *cursor = check_last_cursor(&call->reply, &complete);
    check_reseat(c);
    if (!complete)
        text_free(check_pull_all(c, k, TL_PULL_PASS, cursor ? cursor : "", &w, NULL));
    if (!world_same(all, &w, why, sizeof why))
        check_fail(c, "a pass of %s with %s (it ended with \"%s\"), then on from its last checkpoint: %s", k->name,
                   what, status_name(call->reply.status), why);
}

static void interrupted(struct check *c)
{
    check_open(c, false);
    needs_passes(c);
    const struct stand_kind *k;
    for (uint32_t i = 0; (k = pass_kind(c, i)); i++) {
        AUTO(world_done) struct world all = {0};
        text_free(check_pull_all(c, k, TL_PULL_PASS, "", &all, NULL));
        for (int look = 0; look < LOOKS_TRIED; look++) {
            char what[100];
            snprintf(what, sizeof what, "the word to stop at the %d. look", look + 1);
            check_reseat(c);
            c->fault.cancel_at = look;
            spoilt_then_whole(c, k, &all, what);
        }
    }
}

static void broken(struct check *c)
{
    static const enum fault_kind kinds[] = {FAULT_NOT_SENT, FAULT_LOST, FAULT_CUT,   FAULT_HTML,
                                            FAULT_EMPTY,    FAULT_CALL, FAULT_STATUS};
    check_open(c, false);
    needs_passes(c);
    const struct stand_kind *k;
    for (uint32_t i = 0; (k = pass_kind(c, i)); i++) {
        AUTO(world_done) struct world all = {0};
        check_reseat(c);
        text_free(check_pull_all(c, k, TL_PULL_PASS, "", &all, NULL));
        for (uint32_t at = 0; at < REQUESTS_TRIED; at++) {
            for (size_t f = 0; f < ARRAY_LEN(kinds); f++) {
                char what[100];
                snprintf(what, sizeof what, "%s at request %u", fault_name(kinds[f]), at + 1);
                check_reseat(c);
                c->fault.kind = kinds[f];
                c->fault.at = at;
                c->fault.status = 500;
                spoilt_then_whole(c, k, &all, what);
            }
        }
    }
}

/* ---- what one fault has to be called */

/* Pulls with the first request spoilt; the test does not apply to a kind that asks nothing. */
static struct call *with_fault(struct check *c, const struct stand_kind *k, enum fault_kind fault, int32_t status)
{
    check_reseat(c);
    c->fault.kind = fault;
    c->fault.status = status;
    struct call *call = check_pull_call(k, TL_PULL_PASS, "", 1, CHECK_PAGE_SIZE);
    check_at(c, "a pass of %s with %s", k->name, fault_name(fault));
    check_run(c, call);
    if (c->fault.requests == 0)
        check_not_for(c, "it sends no request to read %s", k->name);
    return call;
}

static void expect(struct check *c, const struct call *call, const char *when, tl_status one, tl_status other)
{
    tl_status s = call->reply.status;
    if (s != one && s != other)
        check_fail(c, "%s it ended with \"%s\" instead of \"%s\"", when, status_name(s), status_name(one));
}

static void throttled(struct check *c)
{
    check_open(c, false);
    needs_passes(c);
    const struct stand_kind *k;
    for (uint32_t i = 0; (k = pass_kind(c, i)); i++) {
        AUTO(call_free) struct call *call = with_fault(c, k, FAULT_STATUS, 429);
        expect(c, call, "after 429", TL_E_THROTTLED, TL_E_QUOTA);
        int64_t wait = call->reply.error.retry_after_ms;
        if (wait < RETRY_AFTER_MS - 1000 || wait > RETRY_AFTER_MS + 1000)
            check_fail(c, "\"Retry-After: 7\" was told as %lld ms", (long long)wait);
    }
}

static void vendor_down(struct check *c)
{
    check_open(c, false);
    needs_passes(c);
    const struct stand_kind *k;
    for (uint32_t i = 0; (k = pass_kind(c, i)); i++) {
        static const int32_t statuses[] = {500, 502, 503};
        for (size_t s = 0; s < ARRAY_LEN(statuses); s++) {
            AUTO(call_free) struct call *call = with_fault(c, k, FAULT_STATUS, statuses[s]);
            expect(c, call, "after a 5xx", TL_E_TEMPORARY, TL_E_THROTTLED);
        }
        AUTO(call_free) struct call *unsent = with_fault(c, k, FAULT_NOT_SENT, 0);
        expect(c, unsent, "after a request that could not be sent", TL_E_TEMPORARY, TL_E_TEMPORARY);
    }
}

static void signed_out(struct check *c)
{
    check_open(c, false);
    needs_passes(c);
    const struct stand_kind *k;
    for (uint32_t i = 0; (k = pass_kind(c, i)); i++) {
        AUTO(call_free) struct call *call = with_fault(c, k, FAULT_SIGNED_OUT, 0);
        expect(c, call, "after a refused sign-in", TL_E_AUTH, TL_E_AUTH);
    }
}

/* ---- cursors */

static void garbage(struct check *c)
{
    static const char *const cursors[] = {"garbage",          "{}",  "0", "-1", "999999999999999999999",
                                          "\xc3\xa4\xc3\xb6", ";;;="};
    check_open(c, false);
    needs_passes(c);
    const struct stand_kind *k;
    for (uint32_t i = 0; (k = pass_kind(c, i)); i++) {
        for (size_t g = 0; g < ARRAY_LEN(cursors); g++) {
            for (int32_t mode = TL_PULL_CHANGES; mode <= TL_PULL_PASS; mode++) {
                if (mode == TL_PULL_CHANGES && !(k->told.can & TL_CAN_PULL))
                    continue;
                AUTO(call_free) struct call *call = check_pull_call(k, mode, cursors[g], 1, CHECK_PAGE_SIZE);
                check_at(c, "a pull of %s from the cursor \"%s\"", k->name, cursors[g]);
                check_reseat(c);
                check_run(c, call);
                if (call->reply.status != TL_E_CURSOR_LOST)
                    check_fail(c, "a pull of %s from the cursor \"%s\" ended with \"%s\" instead of \"%s\"", k->name,
                               cursors[g], status_name(call->reply.status), status_name(TL_E_CURSOR_LOST));
            }
        }
    }
}

/* ---- changes */

/* What changes twice within the resolution of the vendor's times cannot be told apart by reading: the host looks at
 * such records again by itself. So the next change comes after it. */
static void let_time_pass(const struct stand_kind *k)
{
    int64_t us = (k->told.resolution_ms + 100) * US_PER_MS;
    struct timespec pause = {.tv_sec = us / US_PER_S, .tv_nsec = us % US_PER_S * 1000};
    nanosleep(&pause, NULL);
}

static void changes(struct check *c)
{
    check_open(c, false);
    check_kinds_needed(c, TL_CAN_PULL, "tells what changed (TL_CAN_PULL)");
    const struct stand_kind *k;
    for (uint32_t i = 0; (k = check_kind(c, TL_CAN_PULL, i)); i++) {
        AUTO(world_done) struct world before = {0};
        AUTO(world_done) struct world after = {0};
        check_at(c, "changes of %s", k->name);
        AUTO(text_free) char *cursor = check_pull_all(c, k, TL_PULL_CHANGES, "", &before, NULL);
        if (!(k->told.can & TL_CAN_CREATE) || !check_can_make(c, k)) {
            check_note(c, "%s: no record can be made here to see whether its change is told", k->name);
            continue;
        }
        let_time_pass(k);
        AUTO(text_free) char *id = check_create(c, k, NULL);
        check_reseat(c);
        AUTO(text_free) char *later = check_pull_all(c, k, TL_PULL_CHANGES, cursor, &after, NULL);
        if (!world_find(&after, str_of(id)))
            check_fail(c, "the new record \"%s\" of %s is not among the changes since before it", id, k->name);
        if (!(k->told.can & TL_CAN_DELETED) || !(k->told.can & TL_CAN_DELETE))
            continue;
        let_time_pass(k);
        check_delete(c, k, id);
        world_done(&after);
        text_free(check_pull_all(c, k, TL_PULL_CHANGES, later, &after, NULL));
        const struct world_record *gone = world_find(&after, str_of(id));
        if (!gone || gone->state == TL_STATE_LIVE)
            check_fail(c, "%s says TL_CAN_DELETED, and a deletion is not among the changes", k->name);
    }
}

static void clocks(struct check *c)
{
    static const int64_t off[] = {INT64_C(-86400) * US_PER_S, INT64_C(86400) * US_PER_S, 0};
    check_open(c, false);
    needs_passes(c);
    const struct stand_kind *k;
    for (uint32_t i = 0; (k = pass_kind(c, i)); i++) {
        AUTO(world_done) struct world all = {0};
        AUTO(world_done) struct world w = {0};
        AUTO(text_free) char *cursor = text_dup("");
        bool complete = false;
        char why[400];
        text_free(check_pull_all(c, k, TL_PULL_PASS, "", &all, NULL));
        for (uint32_t page = 0; page < 500 && !complete; page++) {
            c->fault.clock_us = off[page % ARRAY_LEN(off)];
            AUTO(call_free) struct call *call = check_pull_call(k, TL_PULL_PASS, cursor, 1, CHECK_PAGE_SIZE);
            check_at(c, "a pass of %s while the clock jumps by a day", k->name);
            check_run(c, call);
            world_take(&w, &call->reply);
            char *next = check_last_cursor(&call->reply, &complete);
            if (next) {
                text_free(cursor);
                cursor = next;
            } else if (call->reply.status == TL_E_CURSOR_LOST || call->reply.status == TL_OK) {
                text_free(cursor);
                cursor = text_dup("");
            }
        }
        c->fault.clock_us = 0;
        if (!complete)
            text_free(check_pull_all(c, k, TL_PULL_PASS, cursor, &w, NULL));
        if (!world_same(&all, &w, why, sizeof why))
            check_fail(c, "a pass of %s while the clock jumped by a day: %s", k->name, why);
    }
}

const struct check_test check_pull[] = {
    {"pull.whole", GRADE_BRONZE, true, whole, "a pass reads every record and ends"},
    {"pull.again", GRADE_BRONZE, true, again, "a pass in small pages reads the same as one in large ones"},
    {"pull.garbage_cursor", GRADE_BRONZE, true, garbage, "a cursor that is none is TL_E_CURSOR_LOST"},
    {"pull.changes", GRADE_BRONZE, true, changes, "what is made or deleted is among the changes"},
    {"pull.resume", GRADE_SILVER, true, resume, "from every checkpoint it goes on to the same end"},
    {"pull.interrupted", GRADE_SILVER, true, interrupted, "told to stop anywhere, nothing is lost"},
    {"pull.broken_answers", GRADE_SILVER, true, broken, "whatever becomes of a request, nothing is lost"},
    {"pull.throttled", GRADE_SILVER, true, throttled, "429 is TL_E_THROTTLED, with the time to wait"},
    {"pull.vendor_down", GRADE_SILVER, true, vendor_down, "5xx and no connection are TL_E_TEMPORARY"},
    {"pull.signed_out", GRADE_SILVER, true, signed_out, "a refused sign-in is TL_E_AUTH"},
    {"pull.clocks", GRADE_GOLD, true, clocks, "a clock that jumps loses nothing"},
    {0},
};
