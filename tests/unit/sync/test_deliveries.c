/* Deliveries of webhooks: many are stored by one commit, each for itself, and reach the connector as they came. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bed.h"
#include "engine_int.h"
#include "hooks.h"
#include "sim/twin.h"

enum { MANY = 50 };

static int64_t commits(struct bed *b)
{
    struct db_stats s;
    db_stats(b->db, &s);
    return s.commits;
}

static int64_t stored(struct bed *b, int s)
{
    struct err e = {0};
    int64_t n = 0;
    must(inbox_count(b->db, b->twin.endpoint[s], &n, &e), &e);
    return n;
}

static struct webhook counts(struct bed *b, struct arena *a, int s)
{
    struct webhook w;
    struct err e = {0};
    must(webhook_get(b->db, a, b->twin.endpoint[s], &w, &e), &e);
    return w;
}

static void listen_for(struct bed *b)
{
    for (int s = 0; s < 2; s++) {
        AUTO(buf_done) struct buf secret = {0};
        struct err e = {0};
        must(webhook_ensure(b->db, b->twin.endpoint[s], &secret, &e), &e);
    }
}

static void many_are_one_commit(void **state)
{
    struct bed *b = *state;
    AUTO(arena_done) struct arena a = {0};
    struct hook_delivery all[MANY], *list[MANY];
    struct err e = {0};
    listen_for(b);
    for (int i = 0; i < MANY; i++) {
        all[i] = (struct hook_delivery){.endpoint = b->twin.endpoint[0],
                                        .delivery_key = str_of(arena_fmt(&a, "k%d", i % 40)),
                                        .body = STR("contact Ac1"),
                                        .refused = i >= 45};
        list[i] = &all[i];
    }
    int64_t before = commits(b);
    must(engine_hooks(b->engine, list, MANY, &e), &e);
    assert_int_equal(commits(b) - before, 1);
    assert_int_equal(stored(b, 0), 40);
    struct webhook w = counts(b, &a, 0);
    assert_int_equal(w.accepted, 40);
    assert_int_equal(w.duplicates, 5);
    assert_int_equal(w.refused, 5);
    assert_true(all[44].duplicate);
    assert_false(all[39].duplicate);
}

/* What nobody listens for, or is too large, is told so and spoils no other. */
static void one_that_is_not_taken_fails_alone(void **state)
{
    struct bed *b = *state;
    AUTO(arena_done) struct arena a = {0};
    struct err e = {0};
    listen_for(b);
    bed_start(b);
    size_t large = (1 << 20) + 1;
    char *body = calloc(1, large);
    struct hook_delivery nobody = {.endpoint = 999, .body = STR("contact Ac1")},
                         huge = {.endpoint = b->twin.endpoint[0], .body = str_n(body, large)},
                         good = {.endpoint = b->twin.endpoint[0], .body = STR("contact Ac1")};
    struct hook_delivery *list[] = {&nobody, &huge, &good};
    must(engine_hooks(b->engine, list, ARRAY_LEN(list), &e), &e);
    free(body);
    assert_int_equal(nobody.why.status, TL_E_NOT_FOUND);
    assert_int_equal(huge.why.status, TL_E_INVALID);
    assert_int_equal(good.why.status, TL_OK);
    assert_int_equal(stored(b, 0), 1);
    must(admin_connection_disable(b->engine, "c", NULL, &e), &e);
    good.why.status = TL_OK;
    struct hook_delivery *disabled[] = {&good};
    must(engine_hooks(b->engine, disabled, 1, &e), &e);
    assert_int_equal(good.why.status, E_PRECONDITION);
    assert_int_equal(counts(b, &a, 0).refused, 1);
}

struct seen {
    struct dispatcher twin;
    char method[8], query[32], header[32];
};

static void submit(void *ctx, struct call *c)
{
    struct seen *seen = ctx;
    const tl_hook_request *h = &c->request.hook;
    if (c->kind == CALL_PARSE_HOOK) {
        snprintf(seen->method, sizeof seen->method, "%.*s", STR_FMT(h->method));
        snprintf(seen->query, sizeof seen->query, "%.*s", STR_FMT(h->query));
        if (h->n_headers)
            snprintf(seen->header, sizeof seen->header, "%.*s=%.*s", STR_FMT(h->headers[0].name),
                     STR_FMT(h->headers[0].value));
    }
    seen->twin.submit(seen->twin.ctx, c);
}

static int room(void *ctx, int64_t endpoint, int32_t purpose)
{
    struct seen *seen = ctx;
    return seen->twin.room(seen->twin.ctx, endpoint, purpose);
}

static void cancel(void *ctx, struct call *c)
{
    struct seen *seen = ctx;
    seen->twin.cancel(seen->twin.ctx, c);
}

/* A telephony system that calls an address with everything in its query. */
static void a_get_reaches_the_connector_as_it_came(void **state)
{
    struct bed *b = *state;
    struct err e = {0};
    listen_for(b);
    bed_start(b);
    struct seen seen = {.twin = b->twin.dispatcher};
    b->twin.dispatcher = (struct dispatcher){.ctx = &seen, .submit = submit, .room = room, .cancel = cancel};
    const tl_pair header = {TL_STR("x-one"), TL_STR("1")};
    struct hook_delivery d = {.endpoint = b->twin.endpoint[0],
                              .method = STR("GET"),
                              .query = STR("caller=380&call_id=%207"),
                              .headers = &header,
                              .n_headers = 1};
    for (int i = 0; i < 2; i++)
        must(hook_deliver(b->engine, &d, &e), &e);
    assert_int_equal(stored(b, 0), 2); /* the same words twice are two calls */
    bed_run(b, 5 * US_PER_S);
    b->twin.dispatcher = seen.twin;
    assert_int_equal(stored(b, 0), 0);
    assert_string_equal(seen.method, "GET");
    assert_string_equal(seen.query, "caller=380&call_id=%207");
    assert_string_equal(seen.header, "x-one=1");
}

/* A vendor that wants to hear nothing of us for an hour, or whose calls of the day are used up, still tells: what he
 * says is understood at once, and costs none of his calls. */
static void parsing_asks_nothing_of_the_vendor(void **state)
{
    struct bed *b = *state;
    struct err e = {0};
    listen_for(b);
    bed_start(b);
    struct g_endpoint *ep = model_endpoint_named(b->engine, "desk");
    ep->sleep_until = b->world->mono_us + 3600 * US_PER_S;
    ep->budget.daily_calls = 1;
    struct hook_delivery d = {.endpoint = b->twin.endpoint[0], .body = STR("contact Ac1")};
    int64_t sent = b->world->counts.calls;
    must(hook_deliver(b->engine, &d, &e), &e);
    bed_run(b, 5 * US_PER_S);
    assert_int_equal(stored(b, 0), 0);
    assert_true(b->world->counts.calls > sent);
    assert_true(ep->sleep_until > b->world->mono_us);
}

int main(void)
{
#define BED(f) cmocka_unit_test_setup_teardown(f, bed_setup, bed_teardown)
    const struct CMUnitTest tests[] = {
        BED(many_are_one_commit),
        BED(one_that_is_not_taken_fails_alone),
        BED(parsing_asks_nothing_of_the_vendor),
        BED(a_get_reaches_the_connector_as_it_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
