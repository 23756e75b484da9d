/* Writing, getting, finding: exactly one result a record, and never a wrong one. */
#include <stdio.h>

#include "check_records.h"
#include "check_world.h"

enum { WRITES_TRIED = 4, STAMP_MAX = 64 };

/* The kinds that can be written here; the test does not apply when there is none. */
static const struct stand_kind *writable(struct check *c, uint32_t can, uint32_t i)
{
    if (i == 0)
        check_kinds_needed(c, TL_CAN_CREATE | can, "can be created and has what this test is about");
    for (uint32_t k = 0, seen = 0;; k++) {
        const struct stand_kind *x = check_kind(c, TL_CAN_CREATE | can, k);
        if (!x || (check_can_make(c, x) && seen++ == i))
            return x;
    }
}

static const char *new_stamp(struct check *c)
{
    return arena_fmt(&c->stand.arena, "check.%08llx%018u", (unsigned long long)(c->seed & 0xffffffff), ++c->serial);
}

static void create(struct check *c)
{
    check_open(c, false);
    const struct stand_kind *k;
    for (uint32_t i = 0; (k = writable(c, 0, i)); i++) {
        AUTO(text_free) char *id = check_create(c, k, new_stamp(c));
        const tl_value *values;
        if (check_get(c, k, id, &values) != TL_STATE_LIVE)
            check_fail(c, "a new record of %s is not found by get", k->name);
        uint32_t at;
        const tl_field *f = check_spare_field(c, k, &at);
        if (f && values[at].type != TL_TEXT)
            check_fail(c, "\"%.*s\" was written to a new record of %s and is not there", STR_FMT(f->path), k->name);
    }
}

/* The stamp the reply tells of the record; NULL: the record is not in it. */
static const char *stamp_told(struct check *c, const struct reply *reply, const char *id)
{
    AUTO(reply_reader_done) struct reply_reader reader = {0};
    const char *told = NULL;
    reply_reader_init(&reader, reply);
    for (struct item x; reply_next(&reader, &x);)
        if (x.kind == ITEM_RECORD && str_is(x.u.record.id, id))
            told = arena_str(&c->stand.arena, x.u.record.stamp).p;
    return told;
}

static const char *stamp_got(struct check *c, const struct stand_kind *k, const char *id)
{
    const tl_str one = str_of(id);
    AUTO(call_free) struct call *call = check_get_call(k, TL_PURPOSE_LIVE, &one, 1);
    check_run_ok(c, call);
    return stamp_told(c, &call->reply, id);
}

static const char *stamp_pulled(struct check *c, const struct stand_kind *k, const char *id)
{
    AUTO(text_free) char *cursor = text_dup("");
    const char *told = NULL;
    for (bool complete = false; !complete && !told;) {
        AUTO(call_free) struct call *call = check_pull_call(k, TL_PULL_PASS, cursor, 1, 0);
        check_run_ok(c, call);
        told = stamp_told(c, &call->reply, id);
        char *next = check_last_cursor(&call->reply, &complete);
        if (!next)
            check_fail(c, "a pull of %s ended with success and without a checkpoint", k->name);
        text_free(cursor);
        cursor = next;
    }
    return told;
}

/* A stamp that is not read back is none: the record would be made a second time, or adopted by a stranger. */
static void stamp(struct check *c)
{
    check_open(c, false);
    const struct stand_kind *k;
    bool tried = false;
    for (uint32_t i = 0; (k = writable(c, 0, i)); i++) {
        if (!k->told.stamp_field.n)
            continue;
        tried = true;
        const char *given = new_stamp(c);
        AUTO(text_free) char *id = check_create(c, k, given);
        check_reseat(c); /* one that discover was never called on */
        check_at(c, "the stamp of a new record of %s", k->name);
        const char *told = stamp_got(c, k, id);
        if (!told || strcmp(told, given) != 0)
            check_fail(c, "get of a record of %s made with the stamp \"%s\" tells the stamp \"%s\"", k->name, given,
                       told ? told : "");
        told = k->told.can & TL_CAN_PASS ? stamp_pulled(c, k, id) : given;
        if (!told || strcmp(told, given) != 0)
            check_fail(c, "a pass of %s tells the stamp \"%s\" of a record made with \"%s\"", k->name, told ? told : "",
                       given);
    }
    if (!tried)
        check_not_for(c, "no kind has a stamp field");
}

static void update(struct check *c)
{
    check_open(c, false);
    const struct stand_kind *k;
    for (uint32_t i = 0; (k = writable(c, TL_CAN_UPDATE, i)); i++) {
        uint32_t at;
        const tl_field *f = check_spare_field(c, k, &at);
        AUTO(text_free) char *id = check_create(c, k, NULL);
        const tl_value *before, *after;
        check_get(c, k, id, &before);
        if (!f) {
            check_note(c, "%s has no plain text field to write", k->name);
            continue;
        }
        AUTO(call_free) struct call *push = check_push_call(k);
        tl_record *r = check_add(c, push, TL_OP_UPDATE, id);
        tl_value one = {.field = at, .type = TL_TEXT, .u.s = STR("Changed")};
        r->values = &one;
        r->n_values = 1;
        check_at(c, "writing \"%.*s\" of %s", STR_FMT(f->path), k->name);
        check_run_ok(c, push);
        struct check_result result = check_result_of(c, push, 0);
        if (result.status)
            check_fail(c, "an update of %s is refused: %s", k->name, result.text);
        check_get(c, k, id, &after);
        if (after[at].type != TL_TEXT || !str_is(after[at].u.s, "Changed"))
            check_fail(c, "an update of \"%.*s\" of %s is reported as done and is not there", STR_FMT(f->path),
                       k->name);
        for (uint32_t v = 0; v < k->shape.n_fields; v++)
            if (v != at && !(k->shape.fields[v].flags & TL_F_READONLY) && before[v].type == TL_EMAIL &&
                after[v].type != TL_EMAIL)
                check_fail(c, "an update of \"%.*s\" of %s emptied \"%.*s\"", STR_FMT(f->path), k->name,
                           STR_FMT(k->shape.fields[v].path));
    }
}

static void empty(struct check *c)
{
    check_open(c, false);
    const struct stand_kind *k;
    for (uint32_t i = 0; (k = writable(c, TL_CAN_UPDATE, i)); i++) {
        uint32_t at;
        const tl_field *f = check_spare_field(c, k, &at);
        if (!f)
            continue;
        AUTO(text_free) char *id = check_create(c, k, NULL);
        AUTO(call_free) struct call *push = check_push_call(k);
        tl_record *r = check_add(c, push, TL_OP_UPDATE, id);
        tl_value one = {.field = at, .type = TL_NULL};
        r->values = &one;
        r->n_values = 1;
        check_at(c, "emptying \"%.*s\" of %s", STR_FMT(f->path), k->name);
        check_run_ok(c, push);
        struct check_result result = check_result_of(c, push, 0);
        const tl_value *after;
        check_get(c, k, id, &after);
        if (result.status == TL_OK && after[at].type == TL_TEXT && after[at].u.s.n)
            check_fail(c, "emptying \"%.*s\" of %s is reported as done, and it still has a value", STR_FMT(f->path),
                       k->name);
        if (result.status)
            check_fail(c, "emptying \"%.*s\" of %s is refused: %s", STR_FMT(f->path), k->name, result.text);
    }
}

static void delete_one(struct check *c)
{
    check_open(c, false);
    const struct stand_kind *k;
    for (uint32_t i = 0; (k = writable(c, TL_CAN_DELETE, i)); i++) {
        AUTO(text_free) char *id = check_create(c, k, NULL);
        check_delete(c, k, id);
        int32_t state = check_get(c, k, id, NULL);
        if (state == TL_STATE_LIVE || state == -1)
            check_fail(c, "get of a deleted record of %s %s", k->name,
                       state == -1 ? "tells nothing of it: every id has to be answered" : "calls it live");
        AUTO(call_free) struct call *again = check_push_call(k);
        check_add(c, again, TL_OP_DELETE, id);
        check_run_ok(c, again);
        struct check_result r = check_result_of(c, again, 0);
        if (r.status != TL_OK && r.status != TL_E_NOT_FOUND)
            check_fail(c, "deleting a deleted record of %s ends with \"%s\": %s", k->name, status_name(r.status),
                       r.text);
        if (k->told.can & TL_CAN_UPDATE) {
            AUTO(call_free) struct call *write = check_push_call(k);
            check_add(c, write, TL_OP_UPDATE, id);
            check_run_ok(c, write);
            r = check_result_of(c, write, 0);
            if (r.status != TL_E_NOT_FOUND)
                check_fail(c, "a write to a deleted record of %s ends with \"%s\" instead of \"%s\": %s", k->name,
                           status_name(r.status), status_name(TL_E_NOT_FOUND), r.text);
        }
    }
}

static void restore(struct check *c)
{
    check_open(c, false);
    const struct stand_kind *k;
    for (uint32_t i = 0; (k = writable(c, TL_CAN_DELETE | TL_CAN_RESTORE, i)); i++) {
        AUTO(text_free) char *id = check_create(c, k, NULL);
        check_delete(c, k, id);
        check_restore(c, k, id);
        if (check_get(c, k, id, NULL) != TL_STATE_LIVE)
            check_fail(c, "a restored record of %s is not live", k->name);
    }
}

/* ---- answers that go astray */

/* One create, with a fault at the k-th write; the result, and whether the fault was met. */
static struct check_result faulty_create(struct check *c, const struct stand_kind *k, enum fault_kind fault,
                                         int32_t status, uint32_t at, const char *stamp)
{
    AUTO(call_free) struct call *push = check_push_call(k);
    check_stamp(c, push, check_add(c, push, TL_OP_CREATE, NULL), stamp);
    check_reseat(c);
    c->fault.kind = fault;
    c->fault.status = status;
    c->fault.at = at;
    c->fault.writes = true;
    check_at(c, "a create of %s with %s at write %u", k->name, fault_name(fault), at + 1);
    check_run(c, push);
    struct check_result r = check_result_of(c, push, 0);
    if (push->reply.status && r.status == TL_E_UNKNOWN && strcmp(r.text, "no result") == 0) {
        r.status = push->reply.status;
        r.text = arena_str(&c->stand.arena, str_of(push->reply.error.text)).p;
    }
    return r;
}

/* How many records carry the stamp, by find. */
static uint32_t stamped(struct check *c, const struct stand_kind *k, const char *stamp)
{
    AUTO(call_free) struct call *call = call_new(CALL_FIND, 1, TL_PURPOSE_BULK);
    AUTO(reply_reader_done) struct reply_reader reader = {0};
    tl_query q = {STR("stamp"), str_of(stamp)};
    call->request.find.shape = &k->shape;
    call->request.find.stamp_field = k->told.stamp_field;
    call->request.find.queries = &q;
    call->request.find.n_queries = 1;
    check_at(c, "find by stamp in %s", k->name);
    check_reseat(c);
    check_run_ok(c, call);
    uint32_t n = 0;
    reply_reader_init(&reader, &call->reply);
    for (struct item x; reply_next(&reader, &x);)
        n += x.kind == ITEM_RECORD && (str_is(x.u.record.stamp, stamp) || !x.u.record.stamp.n);
    return n;
}

static void lost_answer(struct check *c)
{
    check_open(c, false);
    const struct stand_kind *k;
    for (uint32_t i = 0; (k = writable(c, 0, i)); i++) {
        for (uint32_t at = 0; at < WRITES_TRIED; at++) {
            const char *stamp = new_stamp(c);
            struct check_result r = faulty_create(c, k, FAULT_LOST, 0, at, stamp);
            if (!c->fault.hit)
                break;
            if (r.status != TL_E_UNKNOWN)
                check_fail(c, "a create of %s whose answer was lost (write %u) ended with \"%s\" instead of \"%s\"",
                           k->name, at + 1, status_name(r.status), status_name(TL_E_UNKNOWN));
            if ((k->told.can & TL_CAN_STAMP_FIND) && k->told.stamp_field.n && stamped(c, k, stamp) != 1)
                check_fail(c, "a create of %s whose answer was lost left %u records with its stamp", k->name,
                           stamped(c, k, stamp));
        }
    }
}

static void not_sent(struct check *c)
{
    check_open(c, false);
    const struct stand_kind *k;
    for (uint32_t i = 0; (k = writable(c, 0, i)); i++) {
        struct check_result r = faulty_create(c, k, FAULT_NOT_SENT, 0, 0, NULL);
        if (c->fault.hit && r.status != TL_E_TEMPORARY)
            check_fail(c, "a create of %s that was never sent ended with \"%s\" instead of \"%s\"", k->name,
                       status_name(r.status), status_name(TL_E_TEMPORARY));
    }
}

static void refused_status(struct check *c)
{
    check_open(c, false);
    const struct stand_kind *k;
    for (uint32_t i = 0; (k = writable(c, 0, i)); i++) {
        struct check_result r = faulty_create(c, k, FAULT_STATUS, 429, 0, NULL);
        if (c->fault.hit && r.status != TL_E_THROTTLED && r.status != TL_E_QUOTA && r.status != TL_E_TEMPORARY)
            check_fail(c, "a create of %s that was answered with 429 ended with \"%s\"", k->name,
                       status_name(r.status));
        r = faulty_create(c, k, FAULT_STATUS, 500, 0, NULL);
        if (c->fault.hit && r.status != TL_E_UNKNOWN)
            check_fail(c, "a create of %s that was answered with 500 ended with \"%s\": it may have been applied",
                       k->name, status_name(r.status));
        r = faulty_create(c, k, FAULT_CUT, 0, 0, NULL);
        if (c->fault.hit && r.status != TL_E_UNKNOWN && !(r.status == TL_OK && *r.id))
            check_fail(c, "a create of %s whose answer was cut ended with \"%s\": it was applied", k->name,
                       status_name(r.status));
    }
}

static void stamp_again(struct check *c)
{
    check_open(c, false);
    const struct stand_kind *k;
    for (uint32_t i = 0; (k = writable(c, TL_CAN_STAMP_UNIQUE, i)); i++) {
        const char *stamp = new_stamp(c);
        AUTO(text_free) char *id = check_create(c, k, stamp);
        AUTO(call_free) struct call *push = check_push_call(k);
        check_stamp(c, push, check_add(c, push, TL_OP_CREATE, NULL), stamp);
        check_at(c, "a second create of %s with the same stamp", k->name);
        check_run_ok(c, push);
        struct check_result r = check_result_of(c, push, 0);
        bool same = r.status == TL_OK && strcmp(r.id, id) == 0 && r.created == 0;
        if (!same && r.reason != TL_R_ALREADY_MAPPED)
            check_fail(c, "a second create of %s with the same stamp ended with \"%s\"%s", k->name,
                       status_name(r.status), r.status == TL_OK ? " as another record, or as a new one" : "");
        if ((k->told.can & TL_CAN_STAMP_FIND) && stamped(c, k, stamp) != 1)
            check_fail(c, "two creates of %s with one stamp made %u records", k->name, stamped(c, k, stamp));
    }
}

static void partial(struct check *c)
{
    check_open(c, false);
    const struct stand_kind *k;
    bool tried = false;
    for (uint32_t i = 0; (k = writable(c, 0, i)); i++) {
        uint32_t required = UINT32_MAX;
        for (uint32_t f = 0; f < k->shape.n_fields; f++)
            if ((k->shape.fields[f].flags & TL_F_REQUIRED) && k->shape.fields[f].type == TL_TEXT)
                required = f;
        if (k->told.max_batch < 3 || required == UINT32_MAX)
            continue;
        tried = true;
        AUTO(call_free) struct call *push = check_push_call(k);
        for (uint32_t r = 0; r < 3; r++) {
            tl_record *record = check_add(c, push, TL_OP_CREATE, NULL);
            tl_value *values = (tl_value *)(uintptr_t)record->values;
            for (uint32_t v = 0; r == 1 && v < record->n_values; v++)
                if (values[v].field == required)
                    values[v].type = TL_NULL;
        }
        check_reseat(c);
        check_at(c, "three creates of %s, the second without \"%.*s\"", k->name,
                 STR_FMT(k->shape.fields[required].path));
        check_run_ok(c, push);
        for (uint32_t r = 0; r < 3; r++) {
            struct check_result result = check_result_of(c, push, r);
            if (r == 1 ? result.status != TL_E_INVALID : result.status != TL_OK)
                check_fail(
                    c, "of three creates of %s, the second without a required value, number %u ended with \"%s\": %s",
                    k->name, r + 1, status_name(result.status), result.text);
        }
    }
    if (!tried)
        check_not_for(c, "no kind takes three records in one push and requires a text");
}

static void conflict(struct check *c)
{
    check_open(c, false);
    const struct stand_kind *k;
    for (uint32_t i = 0; (k = writable(c, TL_CAN_CONDITIONAL | TL_CAN_UPDATE, i)); i++) {
        AUTO(text_free) char *id = check_create(c, k, NULL);
        AUTO(call_free) struct call *first = check_push_call(k);
        AUTO(call_free) struct call *second = check_push_call(k);
        check_add(c, first, TL_OP_UPDATE, id);
        check_add(c, second, TL_OP_UPDATE, id)->version = STR("1");
        check_run_ok(c, first);
        check_at(c, "a write of %s based on an old version", k->name);
        check_run_ok(c, second);
        struct check_result r = check_result_of(c, second, 0);
        if (r.status != TL_E_CONFLICT)
            check_fail(c, "a write of %s based on an old version ended with \"%s\" instead of \"%s\"", k->name,
                       status_name(r.status), status_name(TL_E_CONFLICT));
    }
}

/* ---- get and find */

static void get_all(struct check *c)
{
    check_open(c, false);
    check_kinds_needed(c, TL_CAN_PASS, "can be read as a whole (TL_CAN_PASS)");
    const struct stand_kind *k;
    for (uint32_t i = 0; (k = check_kind(c, TL_CAN_PASS, i)); i++) {
        AUTO(world_done) struct world w = {0};
        text_free(check_pull_all(c, k, TL_PULL_PASS, "", &w, NULL));
        uint32_t most = k->told.max_get ? k->told.max_get : 20, n = w.n < most ? w.n : most;
        if (!n)
            continue;
        tl_str *ids = arena_array(&c->stand.arena, tl_str, n);
        for (uint32_t x = 0; x < n; x++)
            ids[x] = str_of(w.list[x].id);
        AUTO(call_free) struct call *call = check_get_call(k, TL_PURPOSE_LIVE, ids, n);
        check_at(c, "get of %u records of %s", n, k->name);
        check_run_ok(c, call);
        AUTO(reply_reader_done) struct reply_reader reader = {0};
        uint32_t seen = 0;
        reply_reader_init(&reader, &call->reply);
        for (struct item x; reply_next(&reader, &x);) {
            if (x.kind != ITEM_RECORD)
                continue;
            seen++;
            if (x.u.record.index >= n || !str_eq(x.u.record.id, ids[x.u.record.index]))
                check_fail(c, "get of %s answers \"%.*s\" with the index of another id", k->name,
                           STR_FMT(x.u.record.id));
        }
        if (seen != n)
            check_fail(c, "get of %u records of %s answers %u", n, k->name, seen);
        const char *nobody = check_other_id(c, &w);
        if (nobody && check_get(c, k, nobody, NULL) == -1)
            check_fail(c, "get of %s tells nothing of the id \"%s\", which no record has: it is answered, as deleted",
                       k->name, nobody);
    }
}

static uint32_t found(struct check *c, const struct stand_kind *k, str path, str value, const char *id)
{
    AUTO(call_free) struct call *call = call_new(CALL_FIND, 1, TL_PURPOSE_LIVE);
    AUTO(reply_reader_done) struct reply_reader reader = {0};
    tl_query q = {path, value};
    call->request.find.shape = &k->shape;
    call->request.find.stamp_field = k->told.stamp_field;
    call->request.find.queries = &q;
    call->request.find.n_queries = 1;
    check_at(c, "find of %s by \"%.*s\"", k->name, STR_FMT(path));
    check_run_ok(c, call);
    uint32_t n = 0;
    reply_reader_init(&reader, &call->reply);
    for (struct item x; reply_next(&reader, &x);)
        n += x.kind == ITEM_RECORD && (!id || str_is(x.u.record.id, id));
    return n;
}

static void find_fields(struct check *c)
{
    check_open(c, false);
    check_kinds_needed(c, TL_CAN_FIND, "can be searched (TL_CAN_FIND)");
    const struct stand_kind *k;
    for (uint32_t i = 0; (k = writable(c, TL_CAN_FIND, i)); i++) {
        AUTO(text_free) char *id = check_create(c, k, NULL);
        const tl_value *values;
        check_get(c, k, id, &values);
        for (uint32_t f = 0; f < k->shape.n_fields; f++) {
            const tl_field *field = &k->shape.fields[f];
            if (!(field->flags & TL_F_MATCH) || values[f].type < TL_TEXT || values[f].type > TL_URL)
                continue;
            if (found(c, k, field->path, values[f].u.s, id) != 1)
                check_fail(c, "find of %s by \"%.*s\" does not find the record that has it", k->name,
                           STR_FMT(field->path));
            if (found(c, k, field->path, STR("nobody.has.this@example.org"), NULL))
                check_fail(c, "find of %s by \"%.*s\" finds what nobody has", k->name, STR_FMT(field->path));
        }
    }
}

static void find_stamp(struct check *c)
{
    check_open(c, false);
    const struct stand_kind *k;
    for (uint32_t i = 0; (k = writable(c, TL_CAN_STAMP_FIND, i)); i++) {
        const char *stamp = new_stamp(c);
        text_free(check_create(c, k, stamp));
        if (k->told.stamp_field.n && stamped(c, k, stamp) != 1)
            check_fail(c, "find of %s by stamp finds %u records of one", k->name, stamped(c, k, stamp));
    }
}

const struct check_test check_push[] = {
    {"get.all", GRADE_BRONZE, true, get_all, "get answers every id, each with its index"},
    {"find.fields", GRADE_SILVER, true, find_fields, "find by a match field finds the record and no other"},
    {"find.stamp", GRADE_SILVER, true, find_stamp, "find by stamp finds the one record that has it"},
    {"push.create", GRADE_BRONZE, true, create, "a create tells the new id, and the record is there"},
    {"push.stamp", GRADE_BRONZE, true, stamp, "the stamp given at a create is told by get and by a pass"},
    {"push.update", GRADE_BRONZE, true, update, "an update writes what it names and leaves the rest"},
    {"push.empty", GRADE_SILVER, true, empty, "TL_NULL empties a field"},
    {"push.delete", GRADE_SILVER, true, delete_one, "a deleted record is gone; a write to it is TL_E_NOT_FOUND"},
    {"push.restore", GRADE_SILVER, true, restore, "a restored record is live again"},
    {"push.lost_answer", GRADE_SILVER, true, lost_answer, "a lost answer is TL_E_UNKNOWN, and nothing is repeated"},
    {"push.not_sent", GRADE_SILVER, true, not_sent, "what was not sent is TL_E_TEMPORARY"},
    {"push.refused", GRADE_SILVER, true, refused_status, "429, 500 and a cut answer say what may have happened"},
    {"push.partial", GRADE_SILVER, true, partial, "one bad record of a batch fails alone"},
    {"push.conflict", GRADE_SILVER, true, conflict, "an old version is TL_E_CONFLICT"},
    {"push.stamp_again", GRADE_GOLD, true, stamp_again, "one stamp makes one record"},
    {0},
};
