#include "check_world.h"

#include <stdio.h>
#include <stdlib.h>

enum { CALLS_MAX = 2000 };

void world_done(struct world *w)
{
    for (uint32_t i = 0; i < w->n; i++) {
        text_free(w->list[i].id);
        buf_done(&w->list[i].raw);
    }
    free(w->list);
    *w = (struct world){0};
}

struct world_record *world_find(const struct world *w, str id)
{
    for (uint32_t i = 0; i < w->n; i++)
        if (str_is(id, w->list[i].id))
            return &w->list[i];
    return NULL;
}

static void take_record(struct world *w, const struct item *x)
{
    const tl_record *r = &x->u.record;
    struct world_record *own = world_find(w, r->id);
    w->emitted++;
    w->since++;
    w->bad += (r->flags & TL_REC_BAD) != 0;
    if (!own) {
        if (w->n == w->cap) {
            w->cap = w->cap ? 2 * w->cap : 64;
            w->list = realloc(w->list, w->cap * sizeof *w->list);
            ASSERT(w->list);
        }
        own = &w->list[w->n++];
        *own = (struct world_record){.id = str_dup(r->id)};
    }
    own->state = r->state;
    buf_clear(&own->raw);
    buf_str(&own->raw, x->raw);
}

static uint32_t checkpoints_of(const struct reply *reply)
{
    AUTO(reply_reader_done) struct reply_reader reader = {0};
    uint32_t n = 0;
    reply_reader_init(&reader, reply);
    for (struct item x; reply_next(&reader, &x);)
        n += x.kind == ITEM_CHECKPOINT;
    return n;
}

void world_take(struct world *w, const struct reply *reply)
{
    AUTO(reply_reader_done) struct reply_reader reader = {0};
    uint32_t left = checkpoints_of(reply);
    reply_reader_init(&reader, reply);
    for (struct item x; left && reply_next(&reader, &x);) {
        if (x.kind == ITEM_RECORD)
            take_record(w, &x);
        if (x.kind == ITEM_CHECKPOINT) {
            w->most_between = w->since > w->most_between ? w->since : w->most_between;
            w->since = 0;
            w->checkpoints++;
            left--;
        }
    }
}

static bool is_gone(const struct world_record *r)
{
    return !r || r->state != TL_STATE_LIVE;
}

static bool half_same(const struct world *a, const struct world *b, bool first, char *why, size_t cap)
{
    for (uint32_t i = 0; i < a->n; i++) {
        const struct world_record *x = &a->list[i], *y = world_find(b, str_of(x->id));
        if (is_gone(x) && is_gone(y))
            continue;
        if (!y || is_gone(x) != is_gone(y)) {
            snprintf(why, cap, "record \"%s\" is %s", x->id, first ? "missing" : "there and should not be");
            return false;
        }
        if (!str_eq(buf_lent(&x->raw), buf_lent(&y->raw))) {
            snprintf(why, cap, "record \"%s\" reads differently", x->id);
            return false;
        }
    }
    return true;
}

bool world_same(const struct world *a, const struct world *b, char *why, size_t cap)
{
    return half_same(a, b, true, why, cap) && half_same(b, a, false, why, cap);
}

void positions_done(struct positions *p)
{
    for (uint32_t i = 0; i < p->n; i++)
        text_free(p->list[i].cursor);
    free(p->list);
    *p = (struct positions){0};
}

static void position_add(struct positions *p, const char *cursor, bool complete, uint32_t calls)
{
    if (p->n == p->cap) {
        p->cap = p->cap ? 2 * p->cap : 16;
        p->list = realloc(p->list, p->cap * sizeof *p->list);
        ASSERT(p->list);
    }
    p->list[p->n++] = (struct position){text_dup(cursor), complete, calls};
}

struct call *check_pull_call(const struct stand_kind *k, int32_t mode, const char *cursor, uint32_t pages,
                             uint32_t page_size)
{
    struct call *call = call_new(CALL_PULL, 1, TL_PURPOSE_BULK);
    call->request.pull.shape = &k->shape;
    call->request.pull.stamp_field = k->told.stamp_field;
    call->request.pull.mode = mode;
    call->request.pull.cursor = arena_str(&call->arena, str_of(cursor));
    call->request.pull.max_pages = pages;
    call->request.pull.page_hint = page_size;
    return call;
}

char *check_last_cursor(const struct reply *reply, bool *complete)
{
    AUTO(reply_reader_done) struct reply_reader reader = {0};
    char *cursor = NULL;
    reply_reader_init(&reader, reply);
    for (struct item x; reply_next(&reader, &x);) {
        if (x.kind != ITEM_CHECKPOINT)
            continue;
        text_free(cursor);
        cursor = str_dup(x.u.checkpoint.cursor);
        *complete = x.u.checkpoint.complete != 0;
    }
    return cursor;
}

char *check_pull_all(struct check *c, const struct stand_kind *k, int32_t mode, const char *cursor, struct world *w,
                     struct positions *positions)
{
    return check_pull_sized(c, k, mode, cursor, CHECK_PAGE_SIZE, w, positions);
}

char *check_pull_sized(struct check *c, const struct stand_kind *k, int32_t mode, const char *cursor,
                       uint32_t page_size, struct world *w, struct positions *positions)
{
    char *at = text_dup(cursor);
    bool complete = false;
    for (uint32_t i = 0; !complete; i++) {
        if (i == CALLS_MAX)
            check_fail(c, "a pull of %s is not complete after %d pages", k->name, CALLS_MAX);
        AUTO(call_free) struct call *call = check_pull_call(k, mode, at, 1, page_size);
        check_run_ok(c, call);
        world_take(w, &call->reply);
        char *next = check_last_cursor(&call->reply, &complete);
        if (!next)
            check_fail(c, "a pull of %s ended with success and without a checkpoint", k->name);
        text_free(at);
        at = next;
        if (positions)
            position_add(positions, at, complete, i + 1);
    }
    return at;
}

const char *check_other_id(struct check *c, const struct world *w)
{
    char *id = arena_copy(&c->stand.arena, w->list[w->n - 1].id, strlen(w->list[w->n - 1].id) + 1);
    for (size_t i = strlen(id); i-- > 0;) {
        char was = id[i];
        for (char digit = '9'; was >= '0' && was <= '9' && digit > '0'; digit--) {
            id[i] = digit;
            if (!world_find(w, str_of(id)))
                return id;
        }
        id[i] = was;
    }
    return NULL;
}
