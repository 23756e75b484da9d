/* Webhook subscriptions: made once, renewed at half of their life whatever that is, told anew when what is wanted
 * changes, and never asked for over and over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bed.h"
#include "engine_int.h"

enum { TIMES_MAX = 512 };
#define HOUR_US (3600 * US_PER_S)

/* A vendor of the desk's side that keeps a channel for so long. */
struct channel {
    struct bed *bed;
    struct dispatcher twin;
    int64_t life_us; /* 0: for ever */
    int status;      /* of its answers */
    bool silent;     /* succeeds and does not say what it made */
    int asked, removed;
    int64_t at[TIMES_MAX]; /* when it was asked, wall */
    char url[128];
};

static void subscribe(struct channel *v, struct call *c)
{
    if (v->asked < TIMES_MAX)
        v->at[v->asked] = v->bed->world->now_us;
    v->asked++;
    snprintf(v->url, sizeof v->url, "%.*s", STR_FMT(c->request.subscribe.url));
    c->reply.status = v->status;
    tl_subscription s = {.struct_size = sizeof s,
                         .id = STR("channel"),
                         .expires_us = v->life_us ? v->bed->world->now_us + v->life_us : 0};
    if (v->status == TL_OK && !v->silent)
        assert_int_equal(reply_add_subscription(&c->reply, &s, NULL), TL_OK);
}

static void submit(void *ctx, struct call *c)
{
    struct channel *v = ctx;
    if (c->kind == CALL_SUBSCRIBE)
        subscribe(v, c);
    else if (c->kind == CALL_UNSUBSCRIBE)
        v->removed++;
    else {
        v->twin.submit(v->twin.ctx, c);
        return;
    }
    c->done(c);
}

static int room(void *ctx, int64_t endpoint, int32_t purpose)
{
    struct channel *v = ctx;
    return v->twin.room(v->twin.ctx, endpoint, purpose);
}

static void cancel(void *ctx, struct call *c)
{
    struct channel *v = ctx;
    v->twin.cancel(v->twin.ctx, c);
}

/* The daemon of the bed, its first sync done, beside such a vendor. */
static void channel_open(struct channel *v, struct bed *b)
{
    AUTO(buf_done) struct buf secret = {0};
    struct err e = {0};
    *v = (struct channel){.bed = b, .twin = b->twin.dispatcher};
    b->twin.dispatcher = (struct dispatcher){.ctx = v, .submit = submit, .room = room, .cancel = cancel};
    bed_start(b);
    must(webhook_ensure(b->db, b->twin.endpoint[0], &secret, &e), &e);
}

static void channel_close(struct channel *v)
{
    v->bed->twin.dispatcher = v->twin;
}

static void listen_at(struct bed *b, const char *url)
{
    struct err e = {0};
    must(admin_hook_url(b->engine, "desk", url, &e), &e);
}

static int64_t shortest(const struct channel *v)
{
    int64_t least = INT64_MAX;
    for (int i = 1; i < v->asked && i < TIMES_MAX; i++)
        if (v->at[i] - v->at[i - 1] < least)
            least = v->at[i] - v->at[i - 1];
    return least;
}

/* Hours go by while nothing happens, but for what falls due at their end. */
static void hours_pass(struct bed *b, int64_t us)
{
    for (int64_t end = b->world->now_us + us; b->world->now_us < end;) {
        b->world->now_us += 10 * 60 * US_PER_S;
        b->world->mono_us += 10 * 60 * US_PER_S;
        bed_run(b, US_PER_S);
    }
}

static int asked_within(struct bed *b, int64_t life_us, int64_t us, int64_t *shortest_out)
{
    struct channel v;
    channel_open(&v, b);
    v.life_us = life_us;
    listen_at(b, "https://hooks.example.com/hooks/desk/x");
    if (life_us && life_us < HOUR_US)
        bed_run(b, us);
    else
        hours_pass(b, us);
    channel_close(&v);
    *shortest_out = shortest(&v);
    return v.asked;
}

static void an_hour_is_renewed_every_half_hour(void **s)
{
    int64_t apart = 0;
    assert_in_range(asked_within(*s, HOUR_US, 6 * HOUR_US, &apart), 9, 13);
    assert_true(apart >= HOUR_US / 2);
}

static void a_day_is_renewed_every_half_day(void **s)
{
    int64_t apart = 0;
    assert_in_range(asked_within(*s, US_PER_DAY, 2 * US_PER_DAY, &apart), 4, 5);
    assert_true(apart >= US_PER_DAY / 2);
}

static void a_week_is_renewed_after_half_of_it(void **s)
{
    int64_t apart = 0;
    assert_int_equal(asked_within(*s, 7 * US_PER_DAY, 4 * US_PER_DAY, &apart), 2);
    assert_true(apart >= 7 * US_PER_DAY / 2);
}

static void one_without_an_end_is_made_once(void **s)
{
    int64_t apart = 0;
    assert_int_equal(asked_within(*s, 0, 4 * US_PER_DAY, &apart), 1);
}

static void a_life_of_seconds_is_no_storm(void **s)
{
    int64_t apart = 0;
    assert_in_range(asked_within(*s, 10 * US_PER_S, HOUR_US, &apart), 30, 61);
    assert_true(apart >= 60 * US_PER_S);
}

/* Half of the life counts from when it was made, not from the start of the daemon. */
static void a_restart_keeps_the_time_of_renewal(void **s)
{
    struct bed *b = *s;
    struct channel v;
    channel_open(&v, b);
    v.life_us = HOUR_US;
    listen_at(b, "https://hooks.example.com/hooks/desk/x");
    hours_pass(b, HOUR_US / 3);
    for (int i = 0; i < 3; i++) {
        bed_restart(b);
        listen_at(b, "https://hooks.example.com/hooks/desk/x");
        bed_run(b, 30 * US_PER_S);
    }
    assert_int_equal(v.asked, 1);
    hours_pass(b, HOUR_US / 3);
    assert_int_equal(v.asked, 2);
    channel_close(&v);
}

static void another_address_is_told_at_once(void **s)
{
    struct bed *b = *s;
    struct channel v;
    channel_open(&v, b);
    listen_at(b, "https://hooks.example.com/hooks/desk/x");
    bed_run(b, 60 * US_PER_S);
    listen_at(b, "https://elsewhere.example.com/hooks/desk/x");
    bed_run(b, 60 * US_PER_S);
    assert_int_equal(v.asked, 2);
    assert_string_equal(v.url, "https://elsewhere.example.com/hooks/desk/x");
    listen_at(b, NULL);
    hours_pass(b, HOUR_US);
    assert_int_equal(v.removed, 1);
    assert_int_equal(v.asked, 2);
    channel_close(&v);
}

/* What will be refused again is asked for once an hour; trouble that passes is tried a minute later. */
static void a_refusal_is_no_storm(void **s)
{
    static const struct {
        int status;
        bool silent;
        int most;
    } cases[] = {{TL_E_UNSUPPORTED, false, 3}, {TL_E_DENIED, false, 3}, {TL_OK, true, 3}, {TL_E_TEMPORARY, false, 121}};
    struct bed *b = *s;
    struct channel v;
    channel_open(&v, b);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        v.asked = 0;
        v.status = cases[i].status;
        v.silent = cases[i].silent;
        listen_at(b, "https://hooks.example.com/hooks/desk/x");
        bed_run(b, 2 * HOUR_US);
        assert_in_range(v.asked, 1, cases[i].most);
    }
    channel_close(&v);
}

/* However many kinds are wanted, all of them are told, and what was told is not told again. */
static void many_kinds_are_told_whole_and_once(void **s)
{
    enum { KINDS = 70 };
    struct bed *b = *s;
    struct channel v;
    channel_open(&v, b);
    struct engine *g = b->engine;
    struct g_endpoint *ep = model_endpoint_named(g, "desk");
    struct g_feed *mine = ep->feeds, extra[KINDS] = {0};
    struct feed_side sides[KINDS] = {0};
    char names[KINDS][24];
    for (int i = 0; i < KINDS; i++) {
        snprintf(names[i], sizeof names[i], "a_kind_with_a_name_%02d", i);
        sides[i] = (struct feed_side){.l = g->links};
        extra[i].row.kind = str_of(names[i]);
        extra[i].sides = &sides[i];
        extra[i].next_of_endpoint = i + 1 < KINDS ? &extra[i + 1] : mine;
    }
    ep->feeds = extra;
    listen_at(b, "https://hooks.example.com/hooks/desk/x");
    bool sent = subscription_turn(g, ep);
    struct call *c = g->done;
    uint32_t told = c ? c->request.subscribe.n_kinds : 0;
    g->done = g->done_last = NULL;
    if (c) {
        g->calls_open--; /* as it is taken in */
        subscription_done(g, c);
    }
    for (int i = 0; i < 3; i++)
        subscription_turn(g, ep);
    ep->feeds = mine;
    channel_close(&v);
    assert_true(sent);
    assert_int_equal(told, KINDS + 2); /* accounts and contacts too */
    assert_int_equal(v.asked, 1);
}

int main(void)
{
#define BED(f) cmocka_unit_test_setup_teardown(f, bed_setup, bed_teardown)
    const struct CMUnitTest tests[] = {
        BED(an_hour_is_renewed_every_half_hour), BED(a_day_is_renewed_every_half_day),
        BED(a_week_is_renewed_after_half_of_it), BED(one_without_an_end_is_made_once),
        BED(a_life_of_seconds_is_no_storm),      BED(a_restart_keeps_the_time_of_renewal),
        BED(another_address_is_told_at_once),    BED(a_refusal_is_no_storm),
        BED(many_kinds_are_told_whole_and_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
