/* Reading while there is much at once: more records in one second than a page holds, a list that moves meanwhile. */
#include <stdlib.h>

#include "check_records.h"
#include "check_world.h"

enum { MADE = 5 * CHECK_PAGE_SIZE / 2 /* whenever a second ends among them, more than a page of one second is left */ };

static void make_all(struct check *c, const struct stand_kind *k, char **ids)
{
    for (int i = 0; i < MADE; i++)
        ids[i] = check_create(c, k, NULL);
}

static void ids_free(char **ids)
{
    for (int i = 0; i < MADE; i++)
        text_free(ids[i]);
}

static void must_have(struct check *c, const struct stand_kind *k, const struct world *w, char **ids, const char *how)
{
    for (int i = 0; i < MADE; i++)
        if (ids[i] && !world_find(w, str_of(ids[i])))
            check_fail(c, "record \"%s\" of %s, one of %d made in a row, is not among %s", ids[i], k->name, MADE, how);
}

/* The changes from the cursor on, and again from each place on the way: what was read before it and what is read from
 * it by another instance is everything. */
static void changes_whole(struct check *c, const struct stand_kind *k, const char *cursor, char **ids)
{
    AUTO(world_done) struct world all = {0};
    AUTO(positions_done) struct positions at = {0};
    text_free(check_pull_all(c, k, TL_PULL_CHANGES, cursor, &all, &at));
    must_have(c, k, &all, ids, "the changes since before them");
    for (uint32_t p = 0; p + 1 < at.n; p++) {
        AUTO(world_done) struct world w = {0};
        AUTO(text_free) char *place = text_dup(cursor);
        for (uint32_t call = 0; call < at.list[p].calls; call++) {
            AUTO(call_free) struct call *one = check_pull_call(k, TL_PULL_CHANGES, place, 1, CHECK_PAGE_SIZE);
            bool complete;
            check_run_ok(c, one);
            world_take(&w, &one->reply);
            text_free(place);
            place = check_last_cursor(&one->reply, &complete);
        }
        check_reseat(c);
        text_free(check_pull_all(c, k, TL_PULL_CHANGES, at.list[p].cursor, &w, NULL));
        must_have(c, k, &w, ids, "the changes read with another instance behind one of the pages");
    }
}

static void ties(struct check *c)
{
    check_open(c, false);
    const struct stand_kind *k;
    check_kinds_needed(c, TL_CAN_CREATE | TL_CAN_PASS, "can be read as a whole and created");
    for (uint32_t i = 0; (k = check_kind(c, TL_CAN_CREATE | TL_CAN_PASS, i)); i++) {
        AUTO(world_done) struct world before = {0};
        AUTO(world_done) struct world pass = {0};
        AUTO(text_free) char *cursor = NULL;
        char *ids[MADE] = {0};
        if (!check_can_make(c, k))
            continue;
        if (k->told.can & TL_CAN_PULL)
            cursor = check_pull_all(c, k, TL_PULL_CHANGES, "", &before, NULL);
        make_all(c, k, ids);
        check_reseat(c);
        check_at(c, "reading %d records of %s made in a row", MADE, k->name);
        text_free(check_pull_all(c, k, TL_PULL_PASS, "", &pass, NULL));
        must_have(c, k, &pass, ids, "those of a pass in small pages");
        if (cursor)
            changes_whole(c, k, cursor, ids);
        ids_free(ids);
    }
}

/* Deletes one of the records made that the last page told of, if it told of any. */
static void take_away(struct check *c, const struct stand_kind *k, const struct world *page, char **ids)
{
    for (int i = 0; i < MADE; i++) {
        if (!ids[i] || !world_find(page, str_of(ids[i])))
            continue;
        check_delete(c, k, ids[i]);
        text_free(ids[i]);
        ids[i] = NULL;
        return;
    }
}

/* What a page told of goes away before the next page is read: everything behind it moves up by one. */
static void moving(struct check *c)
{
    const uint32_t can = TL_CAN_CREATE | TL_CAN_PASS | TL_CAN_DELETE;
    check_open(c, false);
    const struct stand_kind *k;
    check_kinds_needed(c, can, "can be read as a whole, created and deleted");
    for (uint32_t i = 0; (k = check_kind(c, can, i)); i++) {
        AUTO(world_done) struct world all = {0};
        AUTO(text_free) char *cursor = text_dup("");
        char *ids[MADE] = {0};
        bool complete = false;
        if (!check_can_make(c, k))
            continue;
        make_all(c, k, ids);
        check_reseat(c);
        for (uint32_t page = 0; !complete; page++) {
            AUTO(world_done) struct world told = {0};
            AUTO(call_free) struct call *call = check_pull_call(k, TL_PULL_PASS, cursor, 1, CHECK_PAGE_SIZE);
            check_at(c, "page %u of a pass of %s, of which one record a page is deleted", page + 1, k->name);
            check_run_ok(c, call);
            world_take(&told, &call->reply);
            world_take(&all, &call->reply);
            char *next = check_last_cursor(&call->reply, &complete);
            if (!next || page > 2000)
                check_fail(c, next ? "a pass of %s does not end" : "a pull of %s ended without a checkpoint", k->name);
            text_free(cursor);
            cursor = next;
            if (!complete)
                take_away(c, k, &told, ids);
        }
        must_have(c, k, &all, ids, "those of a pass while others were deleted");
        ids_free(ids);
    }
}

const struct check_test check_moving[] = {
    {"pull.ties", GRADE_SILVER, true, ties, "more records in one second than a page holds are all read"},
    {"pull.moving", GRADE_SILVER, true, moving, "nothing is skipped when records read before are deleted meanwhile"},
    {0},
};
