/* The bad day: services that fail, bytes that are none, threads, and the same answers in a worker. */
#include <stdio.h>

#include "check_records.h"
#include "check_world.h"

enum { USES_TRIED = 4, REQUESTS_TRIED = 4, CALLS = 6, CURSOR_MAX_CHANGES = 4 };

/* The n-th of the calls that every test here makes, NULL when the connector has none such. */
static struct call *some_call(struct check *c, uint32_t n)
{
    const struct stand_kind *pass = check_kind(c, TL_CAN_PASS, 0), *make = check_kind(c, TL_CAN_CREATE, 0);
    const struct stand_kind *find = check_kind(c, TL_CAN_FIND, 0);
    struct call *call = NULL;
    switch (n % CALLS) {
    case 0:
        return call_new(CALL_CHECK, 1, TL_PURPOSE_BULK);
    case 1:
        return call_new(CALL_DISCOVER, 1, TL_PURPOSE_BULK);
    case 2:
        return pass ? check_pull_call(pass, TL_PULL_PASS, "", 0, CHECK_PAGE_SIZE) : NULL;
    case 3:
        if (make && check_can_make(c, make)) {
            call = check_push_call(make);
            check_add(c, call, TL_OP_CREATE, NULL);
        }
        return call;
    case 4:
        if (pass) {
            tl_str *id;
            call = call_new(CALL_GET, 1, TL_PURPOSE_LIVE);
            id = arena_new(&call->arena, tl_str);
            *id = STR("1");
            call->request.get.shape = &pass->shape;
            call->request.get.ids = id;
            call->request.get.n_ids = 1;
        }
        return call;
    default:
        for (uint32_t f = 0; find && !call && f < find->shape.n_fields; f++) {
            if (!(find->shape.fields[f].flags & TL_F_MATCH))
                continue;
            call = call_new(CALL_FIND, 1, TL_PURPOSE_LIVE);
            tl_query *q = arena_new(&call->arena, tl_query);
            *q = (tl_query){find->shape.fields[f].path, STR("somebody@example.org")};
            call->request.find.shape = &find->shape;
            call->request.find.queries = q;
            call->request.find.n_queries = 1;
        }
        return call;
    }
}

static void host_fails(struct check *c)
{
    static const char *const services[] = {"kv_get", "kv_set", "auth_extra", "blob_new", "blob_write", "blob_read"};
    check_open(c, false);
    for (uint32_t n = 0; n < CALLS; n++) {
        for (size_t s = 0; s < ARRAY_LEN(services); s++) {
            for (uint32_t at = 0; at < USES_TRIED; at++) {
                check_reseat(c);
                AUTO(call_free) struct call *call = some_call(c, n);
                if (!call)
                    continue;
                c->fault.service = services[s];
                c->fault.service_at = at;
                check_at(c, "%s while %s fails at use %u", call_kind_name(call->kind), services[s], at + 1);
                check_run(c, call);
            }
        }
    }
}

/* A create that is reported as done is there, whatever became of its requests. */
static void broken_pushes(struct check *c)
{
    static const enum fault_kind kinds[] = {FAULT_LOST, FAULT_CUT,    FAULT_HTML,    FAULT_EMPTY,
                                            FAULT_CALL, FAULT_STATUS, FAULT_NOT_SENT};
    check_open(c, false);
    check_kinds_needed(c, TL_CAN_CREATE, "can be created");
    const struct stand_kind *k;
    for (uint32_t i = 0; (k = check_kind(c, TL_CAN_CREATE, i)); i++) {
        if (!check_can_make(c, k))
            continue;
        for (uint32_t at = 0; at < REQUESTS_TRIED; at++) {
            for (size_t f = 0; f < ARRAY_LEN(kinds); f++) {
                AUTO(call_free) struct call *push = check_push_call(k);
                check_add(c, push, TL_OP_CREATE, NULL);
                check_reseat(c);
                c->fault.kind = kinds[f];
                c->fault.at = at;
                c->fault.status = 500;
                check_at(c, "a create of %s with %s at request %u", k->name, fault_name(kinds[f]), at + 1);
                check_run(c, push);
                struct check_result r = check_result_of(c, push, 0);
                check_reseat(c);
                if (r.status == TL_OK && (!*r.id || check_get(c, k, r.id, NULL) != TL_STATE_LIVE))
                    check_fail(c,
                               "a create of %s with %s at request %u is reported as done, and the record is not there",
                               k->name, fault_name(kinds[f]), at + 1);
            }
        }
    }
}

static void threads(struct check *c)
{
    check_open(c, false);
    int before = check_threads();
    for (uint32_t n = 0; n < CALLS; n++) {
        AUTO(call_free) struct call *call = some_call(c, n);
        if (!call)
            continue;
        check_run(c, call);
        if (check_threads() > before)
            check_fail(c, "%s leaves a thread", call_kind_name(call->kind));
    }
    if (__atomic_load_n(c->stand.module->foreign_threads, __ATOMIC_RELAXED))
        check_fail(c, "it calls its host on a thread of its own");
}

/* ---- in process and in a worker */

static void add_transcript(struct check *c, struct buf *out, struct call *call)
{
    AUTO(reply_reader_done) struct reply_reader reader = {0};
    check_run(c, call);
    buf_fmt(out, "%s: %s %s\n", call_kind_name(call->kind), status_name(call->reply.status), call->reply.error.text);
    reply_reader_init(&reader, &call->reply);
    for (struct item x; reply_next(&reader, &x);) {
        if (x.kind == ITEM_CHECKPOINT) /* its cursor may hold times, and those go on */
            buf_fmt(out, "checkpoint, complete %d\n", x.u.checkpoint.complete);
        else if (x.kind == ITEM_RECORD || x.kind == ITEM_KIND)
            buf_str(out, x.raw);
    }
}

static void transcript(struct check *c, bool isolated, struct buf *out)
{
    check_open(c, isolated);
    check_at(c, isolated ? "the calls in a worker" : "the calls in process");
    AUTO(call_free) struct call *discover = call_new(CALL_DISCOVER, 1, TL_PURPOSE_BULK);
    add_transcript(c, out, discover);
    const struct stand_kind *k;
    for (uint32_t i = 0; (k = check_kind(c, TL_CAN_PASS, i)); i++) {
        AUTO(call_free) struct call *pull = check_pull_call(k, TL_PULL_PASS, "", 3, CHECK_PAGE_SIZE);
        AUTO(call_free) struct call *lost = check_pull_call(k, TL_PULL_PASS, "garbage", 3, CHECK_PAGE_SIZE);
        add_transcript(c, out, pull);
        add_transcript(c, out, lost);
    }
    for (uint32_t n = 4; n < CALLS; n++) {
        AUTO(call_free) struct call *call = some_call(c, n);
        if (call)
            add_transcript(c, out, call);
    }
    seat_close(&c->seat);
    stand_close(&c->stand);
}

static void equivalence(struct check *c)
{
    AUTO(buf_done) struct buf here = {0};
    AUTO(buf_done) struct buf there = {0};
    static struct vendor vendor; /* of both; ended by whoever ends this process */
    struct err e = {0};
    if (vendor_start(&vendor, c->project, &e))
        check_fail(c, "%s", e.text);
    c->project->running = &vendor;
    transcript(c, false, &here);
    transcript(c, true, &there);
    size_t at = 0;
    while (at < here.n && at < there.n && here.p[at] == there.p[at])
        at++;
    if (here.n != there.n || at < here.n)
        check_fail(c, "in a worker it says something else at byte %zu of %zu: \"%.60s\" and in process \"%.60s\"", at,
                   here.n, buf_text(&there) + at, buf_text(&here) + at);
}

/* ---- fuzz: it may say what it likes, but it lives */

static void fuzz_answers(struct check *c)
{
    check_open(c, false);
    uint64_t random = c->seed;
    for (uint32_t i = 0; i < c->rounds; i++) {
        check_reseat(c);
        AUTO(call_free) struct call *call = some_call(c, (uint32_t)(check_random(&random) % CALLS));
        c->fault.kind = FAULT_GARBLED;
        c->fault.at = (uint32_t)(check_random(&random) % REQUESTS_TRIED);
        c->fault.random = check_random(&random);
        if (!call)
            continue;
        check_at(c, "round %u of %u, seed %llu: %s with request %u garbled", i + 1, c->rounds,
                 (unsigned long long)c->seed, call_kind_name(call->kind), c->fault.at + 1);
        seat_run(&c->seat, call);
        if (call->reply.status == TL_E_BUG)
            check_fail(c, "round %u, seed %llu: %s", i + 1, (unsigned long long)c->seed, call->reply.error.text);
    }
}

static void fuzz_cursors(struct check *c)
{
    check_open(c, false);
    check_kinds_needed(c, TL_CAN_PASS, "can be read as a whole (TL_CAN_PASS)");
    const struct stand_kind *k = check_kind(c, TL_CAN_PASS, 0);
    AUTO(call_free) struct call *first = check_pull_call(k, TL_PULL_PASS, "", 1, CHECK_PAGE_SIZE);
    bool complete;
    check_run_ok(c, first);
    AUTO(text_free) char *real = check_last_cursor(&first->reply, &complete);
    uint64_t random = c->seed;
    size_t n = strlen(real);
    for (uint32_t i = 0; i < c->rounds && n; i++) {
        AUTO(text_free) char *cursor = text_dup(real);
        for (uint64_t m = 1 + check_random(&random) % CURSOR_MAX_CHANGES; m > 0; m--)
            cursor[check_random(&random) % n] = (char)(' ' + check_random(&random) % 95);
        if (check_random(&random) % 4 == 0)
            cursor[check_random(&random) % n] = 0;
        check_at(c, "round %u of %u, seed %llu: the cursor \"%s\"", i + 1, c->rounds, (unsigned long long)c->seed,
                 cursor);
        check_reseat(c);
        AUTO(call_free) struct call *call = check_pull_call(k, TL_PULL_PASS, cursor, 1, CHECK_PAGE_SIZE);
        check_run(c, call);
    }
}

static void fuzz_hooks(struct check *c)
{
    check_open(c, false);
    if (!c->stand.manifest->hook_parse)
        check_not_for(c, "it takes no deliveries (tl.webhook/1)");
    uint64_t random = c->seed;
    static const char *const bodies[] = {"", "{}", "[]", "[{\"id\":\"1\"}]", "{\"data\":[{\"id\":1}],\"kind\":\"x\"}"};
    for (uint32_t i = 0; i < c->rounds; i++) {
        AUTO(call_free) struct call *call = call_new(CALL_PARSE_HOOK, 1, TL_PURPOSE_LIVE);
        const char *from = bodies[check_random(&random) % ARRAY_LEN(bodies)];
        size_t n = strlen(from);
        char *body = arena_copy(&call->arena, from, n);
        if (n && check_random(&random) % 2)
            body[check_random(&random) % n] = (char)check_random(&random);
        call->request.hook.body = (str){body, n};
        check_at(c, "round %u of %u, seed %llu: a delivery", i + 1, c->rounds, (unsigned long long)c->seed);
        seat_run(&c->seat, call);
        if (call->reply.status == TL_E_BUG)
            check_fail(c, "round %u, seed %llu: %s", i + 1, (unsigned long long)c->seed, call->reply.error.text);
    }
}

const struct check_test check_robust[] = {
    {"robustness.host_fails", GRADE_GOLD, true, host_fails, "a host service that fails is survived and told"},
    {"robustness.broken_pushes", GRADE_GOLD, true, broken_pushes, "what is reported as written is written"},
    {"threads.constant", GRADE_SILVER, true, threads, "calls leave no thread, and come on the host's"},
    {"equivalence.worker", GRADE_GOLD, true, equivalence, "the same word by word in process and in a worker"},
    {"fuzz.answers", GRADE_GOLD, true, fuzz_answers, "garbled answers are survived"},
    {"fuzz.cursors", GRADE_GOLD, true, fuzz_cursors, "garbled cursors are survived"},
    {"fuzz.hooks", GRADE_GOLD, true, fuzz_hooks, "garbled deliveries are survived"},
    {0},
};
