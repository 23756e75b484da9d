/* Actions: done once, told as they went, and not at all where they are only to be shown. */
#include <stdio.h>
#include <unistd.h>

#include "check_lists.h"
#include "check_records.h"
#include "rehearsal.h"

enum { WRITES_TRIED = 4, LIST_PAGE = 50 };

/* ---- which, and of what record */

/* The i-th action of a kind that is to be tested, with all of these flags and none of those. */
static const struct stand_action *action_at(const struct check *c, uint32_t with, uint32_t without, uint32_t i)
{
    const struct stand_kind *k;
    for (uint32_t n = 0; (k = check_kind(c, 0, n)); n++)
        for (uint32_t a = 0; a < c->stand.n_actions; a++) {
            const struct stand_action *x = &c->stand.actions[a];
            if (str_is(x->told.kind, k->name) && (x->told.flags & with) == with && !(x->told.flags & without) &&
                i-- == 0)
                return x;
        }
    return NULL;
}

static void needs(struct check *c, uint32_t with, uint32_t without, const char *words)
{
    if (!action_at(c, with, without, 0))
        check_not_for(c, "it has no action %s", words);
}

static const char *first_of_list(struct check *c, const struct stand_kind *k)
{
    struct about a;
    if (!k->told.about.n || !check_about(c, k, &a))
        return NULL;
    AUTO(call_free) struct call *call = check_list_call(k, &a, (str){"", 0}, "", LIST_PAGE);
    AUTO(world_done) struct world w = {0};
    check_run_ok(c, call);
    world_take(&w, &call->reply);
    return w.n ? arena_str(&c->stand.arena, str_of(w.list[0].id)).p : NULL;
}

/* A new record where one can be made, else one that is there; NULL: none. */
static const char *subject(struct check *c, const struct stand_action *x)
{
    const struct stand_kind *k = stand_kind(&c->stand, x->told.kind.p);
    if (x->told.flags & TL_ACTION_CREATES)
        return "";
    if ((k->told.can & TL_CAN_CREATE) && check_can_make(c, k)) {
        AUTO(text_free) char *id = check_create(c, k, NULL);
        return arena_str(&c->stand.arena, str_of(id)).p;
    }
    const char *id = check_first_id(c, k->told.kind);
    return id ? id : first_of_list(c, k);
}

static uint64_t small_file(struct check *c, struct call *call)
{
    const tl_blob about = {
        .struct_size = sizeof about, .bytes = 6, .name = STR("check.txt"), .media_type = STR("text/plain")};
    uint64_t handle = 0;
    FILE *f = tmpfile();
    int fd = f && fputs("check\n", f) >= 0 && fflush(f) == 0 ? dup(fileno(f)) : -1;
    if (f)
        fclose(f);
    if (fd < 0 || blob_list_add(&call->blobs, fd, &about, &handle))
        check_fail(c, "no temporary file can be made");
    return handle;
}

/* False: a required parameter is of a type that no value can be made up of. */
static bool fill(struct check *c, struct call *call, const struct stand_action *x, tl_record *r)
{
    tl_value *values = arena_array(&call->arena, tl_value, x->shape.n_fields + 1);
    r->values = values;
    for (uint32_t i = 0; i < x->shape.n_fields; i++) {
        const tl_field *f = &x->shape.fields[i];
        tl_value *v = &values[r->n_values];
        if (f->flags & TL_F_READONLY || !(f->flags & TL_F_REQUIRED))
            continue;
        if (f->type == TL_BLOB)
            *v = (tl_value){.field = i, .type = TL_BLOB, .u.i = (int64_t)small_file(c, call)};
        else if (!check_make_value(c, f, i, v))
            return false;
        r->n_values++;
    }
    return true;
}

/* NULL: it cannot be tried here, which is noted. */
static struct call *act_call(struct check *c, const struct stand_action *x, const char *stamp)
{
    const char *id = subject(c, x);
    struct call *call = call_new(CALL_ACT, 1, TL_PURPOSE_AGENT);
    tl_record *r = arena_new(&call->arena, tl_record);
    *r = (tl_record){.id = str_of(id ? id : ""), .stamp = arena_str(&call->arena, str_of(stamp))};
    call->request.act.name = x->told.name;
    call->request.act.shape = &x->shape;
    call->request.act.record = r;
    call->request.act.stamp_field = stand_kind(&c->stand, x->told.kind.p)->told.stamp_field;
    call->reads = x->told.flags & TL_ACTION_READS;
    if (id && fill(c, call, x, r))
        return call;
    check_note(c, "%s of %s is not tried: %s", x->name, x->told.kind.p,
               id ? "a required parameter cannot be made up" : "there is no record to do it to");
    return call_free(call);
}

static const char *new_key(struct check *c)
{
    return arena_fmt(&c->stand.arena, "check.%08llx%018u", (unsigned long long)(c->seed & 0xffffffff), ++c->serial);
}

/* ---- what became of it */

static tl_status outcome_of(const struct call *call, const char **id, struct arena *a)
{
    AUTO(reply_reader_done) struct reply_reader reader = {0};
    tl_result result = {0};
    tl_status s = call_act_outcome(call, &reader, &result);
    *id = result.record ? arena_str(a, result.record->id).p : "";
    return s;
}

/* Values that are made up may be refused; nothing else may come of it. */
static bool was_done(struct check *c, const struct stand_action *x, tl_status s)
{
    if (s == TL_OK)
        return true;
    if (s != TL_E_INVALID && s != TL_E_DENIED && s != TL_E_CONFLICT)
        check_fail(c, "%s of %s ended with \"%s\"", x->name, x->told.kind.p, status_name(s));
    check_note(c, "%s of %s is refused (\"%s\") with values that were made up", x->name, x->told.kind.p,
               status_name(s));
    return false;
}

static tl_status run(struct check *c, const struct stand_action *x, struct call *call, const char **id,
                     const char *doing)
{
    check_at(c, "%s of %s, %s", x->name, x->told.kind.p, doing);
    check_run(c, call);
    return outcome_of(call, id, &c->stand.arena);
}

/* ---- the tests */

static void once(struct check *c)
{
    check_open(c, false);
    needs(c, 0, TL_ACTION_READS, "that changes anything");
    const struct stand_action *x;
    for (uint32_t i = 0; (x = action_at(c, 0, TL_ACTION_READS, i)); i++) {
        const char *first = "", *second = "";
        AUTO(call_free) struct call *a = act_call(c, x, new_key(c));
        AUTO(call_free) struct call *b = a ? act_call(c, x, new_key(c)) : NULL;
        if (!a || !b || !was_done(c, x, run(c, x, a, &first, "once")))
            continue;
        if (!(x->told.flags & TL_ACTION_CREATES))
            continue;
        if (!*first)
            check_fail(c, "%s of %s makes a record and does not tell its id", x->name, x->told.kind.p);
        if (was_done(c, x, run(c, x, b, &second, "with another key")) && strcmp(first, second) == 0)
            check_fail(c, "%s of %s with two keys made the one record \"%s\"", x->name, x->told.kind.p, first);
    }
}

static void reads(struct check *c)
{
    check_open(c, false);
    needs(c, TL_ACTION_READS, 0, "that only reads (TL_ACTION_READS)");
    const struct stand_action *x;
    for (uint32_t i = 0; (x = action_at(c, TL_ACTION_READS, 0, i)); i++) {
        const char *id;
        AUTO(call_free) struct call *call = act_call(c, x, new_key(c));
        if (!call)
            continue;
        c->fault.written = 0;
        was_done(c, x, run(c, x, call, &id, "which only reads"));
        if (c->fault.written)
            check_fail(c, "%s of %s only reads, and %u of its requests have TL_HTTP_WRITE", x->name, x->told.kind.p,
                       c->fault.written);
    }
}

static void rehearsed(struct check *c)
{
    check_open(c, false);
    needs(c, 0, TL_ACTION_READS, "that changes anything");
    const struct stand_action *x;
    for (uint32_t i = 0; (x = action_at(c, 0, TL_ACTION_READS, i)); i++) {
        const char *id;
        struct rehearsed would;
        size_t at = 0;
        AUTO(call_free) struct call *call = act_call(c, x, new_key(c));
        if (!call)
            continue;
        call->rehearse = true;
        tl_status s = run(c, x, call, &id, "only to be shown");
        bool noted = rehearsed_next(&call->reply.rehearsed, &at, &would);
        if (s == TL_OK)
            check_fail(c, "%s of %s is done while it is only to be shown: %s", x->name, x->told.kind.p,
                       noted ? "it goes on after TL_E_CANCELLED" : "no request of it has TL_HTTP_WRITE");
        if (noted && s != TL_E_CANCELLED)
            check_fail(c, "%s of %s, only to be shown, ended with \"%s\" instead of \"%s\"", x->name, x->told.kind.p,
                       status_name(s), status_name(TL_E_CANCELLED));
    }
}

/* The call again, asking whether it was done; writes nothing. */
static tl_status look(struct check *c, const struct stand_action *x, struct call *call, const char **id)
{
    buf_clear(&call->reply.items);
    call->reply.status = TL_OK;
    call->request.act.flags = TL_ACT_LOOK;
    check_reseat(c);
    tl_status s = run(c, x, call, id, "looked for");
    if (c->fault.written)
        check_fail(c, "%s of %s writes while it looks", x->name, x->told.kind.p);
    return s;
}

static void lost_answer(struct check *c)
{
    check_open(c, false);
    needs(c, 0, TL_ACTION_READS, "that changes anything");
    const struct stand_action *x;
    for (uint32_t i = 0; (x = action_at(c, 0, TL_ACTION_READS, i)); i++) {
        for (uint32_t at = 0; at < WRITES_TRIED; at++) {
            const char *id;
            AUTO(call_free) struct call *call = act_call(c, x, new_key(c));
            if (!call)
                break;
            check_reseat(c);
            c->fault.kind = FAULT_LOST;
            c->fault.at = at;
            c->fault.writes = true;
            tl_status s = run(c, x, call, &id, "with a lost answer");
            if (!c->fault.hit)
                break;
            if (s != TL_E_UNKNOWN)
                check_fail(c, "%s of %s whose answer was lost (write %u) ended with \"%s\" instead of \"%s\"", x->name,
                           x->told.kind.p, at + 1, status_name(s), status_name(TL_E_UNKNOWN));
        }
    }
}

static void looks(struct check *c)
{
    check_open(c, false);
    needs(c, TL_ACTION_LOOKS, TL_ACTION_READS, "that can be looked for (TL_ACTION_LOOKS)");
    const struct stand_action *x;
    for (uint32_t i = 0; (x = action_at(c, TL_ACTION_LOOKS, TL_ACTION_READS, i)); i++) {
        const char *id;
        AUTO(call_free) struct call *done = act_call(c, x, new_key(c));
        AUTO(call_free) struct call *never = done ? act_call(c, x, new_key(c)) : NULL;
        if (!done || !never)
            continue;
        tl_status s = look(c, x, never, &id);
        if (s != TL_E_NOT_FOUND)
            check_fail(c, "%s of %s, looked for and never done, ended with \"%s\" instead of \"%s\"", x->name,
                       x->told.kind.p, status_name(s), status_name(TL_E_NOT_FOUND));
        c->fault.kind = FAULT_LOST;
        c->fault.writes = true;
        run(c, x, done, &id, "with a lost answer");
        if (!c->fault.hit)
            continue;
        s = look(c, x, done, &id);
        if (s != TL_OK)
            check_fail(c, "%s of %s, done with a lost answer and then looked for, ended with \"%s\"", x->name,
                       x->told.kind.p, status_name(s));
        if ((x->told.flags & TL_ACTION_CREATES) && !*id)
            check_fail(c, "%s of %s, looked for and found, does not tell the id", x->name, x->told.kind.p);
    }
}

static void unknown(struct check *c)
{
    check_open(c, false);
    needs(c, 0, TL_ACTION_CREATES, "on a record");
    const struct stand_action *x;
    for (uint32_t i = 0; (x = action_at(c, 0, TL_ACTION_CREATES, i)); i++) {
        const struct stand_kind *k = stand_kind(&c->stand, x->told.kind.p);
        AUTO(world_done) struct world w = {0};
        if (k->told.can & TL_CAN_PASS)
            text_free(check_pull_all(c, k, TL_PULL_PASS, "", &w, NULL));
        const char *id, *nobody = w.n ? check_other_id(c, &w) : NULL;
        AUTO(call_free) struct call *call = nobody ? act_call(c, x, new_key(c)) : NULL;
        if (!call) {
            check_note(c, "%s of %s: no id can be made up that no record has", x->name, x->told.kind.p);
            continue;
        }
        ((tl_record *)(uintptr_t)call->request.act.record)->id = str_of(nobody);
        tl_status s = run(c, x, call, &id, "of an id that no record has");
        if (s != TL_E_NOT_FOUND)
            check_fail(c, "%s of a record of %s that is not there ended with \"%s\" instead of \"%s\"", x->name,
                       x->told.kind.p, status_name(s), status_name(TL_E_NOT_FOUND));
    }
}

const struct check_test check_action[] = {
    {"action.once", GRADE_BRONZE, true, once, "an action ends with one result; what it makes has an id"},
    {"action.reads", GRADE_BRONZE, true, reads, "an action that only reads sends nothing that writes"},
    {"action.shown", GRADE_BRONZE, true, rehearsed, "an action that is only to be shown changes nothing"},
    {"action.lost_answer", GRADE_SILVER, true, lost_answer, "a lost answer is TL_E_UNKNOWN"},
    {"action.looks", GRADE_SILVER, true, looks, "what was done is found by looking, and nothing else is"},
    {"action.unknown", GRADE_SILVER, true, unknown, "an action on a record that is not there is TL_E_NOT_FOUND"},
    {0},
};
