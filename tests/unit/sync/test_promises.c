/* Promises of the engine that want a story of their own: answers that are lost, webhooks that are lost, doubled and
 * forged, commits that show late, clocks apart, storms of refusals, batches with bad rows, records that kill their
 * connector, connectors that leave in the middle, views that lose their records. Others: docs/semantics.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bed.h"
#include "map_edit.h"

enum { IDS = 1000 };

/* What left towards the connectors. */
static struct {
    void (*send)(void *ctx, struct call *c);
    struct bed *bed;
    int pushes[2], pulls[2];
    char got[IDS][24]; /* ids that were fetched */
    int64_t got_at[IDS];
    int n_got, gets, gets_too_soon;
} spy;

static void spy_get(const tl_get *q)
{
    for (uint32_t i = 0; i < q->n_ids; i++) {
        int at = 0;
        while (at < spy.n_got && strncmp(spy.got[at], q->ids[i].p, q->ids[i].n) != 0)
            at++;
        assert_true(at < IDS);
        int64_t now = spy.bed->world->mono_us;
        spy.gets++;
        spy.gets_too_soon += at < spy.n_got && now - spy.got_at[at] < 2 * US_PER_S;
        if (at == spy.n_got)
            snprintf(spy.got[spy.n_got++], sizeof spy.got[0], "%.*s", (int)q->ids[i].n, q->ids[i].p);
        spy.got_at[at] = now;
    }
}

static void spy_submit(void *ctx, struct call *c)
{
    int s = c->endpoint == spy.bed->twin.endpoint[1];
    spy.pushes[s] += c->kind == CALL_PUSH;
    spy.pulls[s] += c->kind == CALL_PULL;
    if (c->kind == CALL_GET && s == 0) /* writes to B are preceded and followed by reads of their own */
        spy_get(&c->request.get);
    spy.send(ctx, c);
}

static void spy_on(struct bed *b)
{
    memset(&spy, 0, sizeof spy);
    spy.bed = b;
    spy.send = b->twin.dispatcher.submit;
    b->twin.dispatcher.submit = spy_submit;
}

static void full_cycle(struct bed *b)
{
    struct err e = {0};
    struct sync_request full = {.connection = "c", .full = true};
    must(admin_sync_start(b->engine, &full, NULL, &e), &e);
    bed_run(b, 600 * US_PER_S);
}

static struct twin_record *person(struct world *w, int s, const char *prefix, int n)
{
    char name[TWIN_TEXT], email[TWIN_TEXT];
    snprintf(name, sizeof name, "%s%d", prefix, n);
    snprintf(email, sizeof email, "%s%d@x.org", prefix, n);
    return user_create(w, s, KIND_CONTACT, email, name);
}

static bool in_step(struct world *w, const char *name)
{
    const struct twin_record *a = bed_named(w, 0, KIND_CONTACT, name), *b = bed_named(w, 1, KIND_CONTACT, name);
    return strcmp(a->v[F_TITLE], b->v[F_TITLE]) == 0 && strcmp(a->v[F_EXTRA], b->v[F_EXTRA]) == 0;
}

static int64_t writes(const struct world *w)
{
    return w->counts.creates + w->counts.updates + w->counts.restores;
}

/* ---- Q2, Q4, Q24 */

static void answers_lost(struct bed *b, bool unique)
{
    struct world *w = b->world;
    for (int s = 0; s < 2 && !unique; s++)
        for (int kind = 0; kind < TWIN_KINDS; kind++)
            w->knobs.can[s][kind] &= ~(uint32_t)TL_CAN_STAMP_UNIQUE;
    bed_describe(b);
    for (int i = 0; i < 120; i++)
        person(w, i % 2, "p", i);
    w->knobs.unknown_pct = 30;
    w->knobs.delay_us = 60 * US_PER_S;
    w->faults = true;
    bed_start(b);
    bed_run(b, 2 * 3600 * US_PER_S);
    w->faults = false;
    bed_run(b, 2 * 3600 * US_PER_S);
    assert_true(w->counts.unknown >= 30);
    assert_int_equal(bed_count(w, 0, KIND_CONTACT), 120);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 120);
    assert_int_equal(bed_failures_of(b, NULL), 0);
}

/* A third of the writes has no answer: some are applied, some later, some never; none twice. Q2, class C1 */
static void no_double_where_stamps_are_unique(void **state)
{
    answers_lost(*state, true);
}

/* Q2, class C2: the stamp can be searched, nothing else */
static void no_double_where_stamps_are_found(void **state)
{
    answers_lost(*state, false);
}

/* Sides that reformat what they are given become equal, and nothing is written any more. Q4 */
static void converge_and_go_quiet(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    w->knobs.normalise[1] = true;
    for (int i = 0; i < 20; i++)
        person(w, i % 2, "p", i);
    bed_start(b);
    for (int i = 0; i < 40; i++) {
        char name[TWIN_TEXT], text[TWIN_TEXT];
        snprintf(name, sizeof name, "p%d", i % 20);
        snprintf(text, sizeof text, "+49 30 %d", 1000 + i);
        user_edit(w, i % 2, KIND_CONTACT, bed_named(w, i % 2, KIND_CONTACT, name), i % 3 ? F_PHONE : F_TITLE, text);
        bed_run(b, 20 * US_PER_S);
    }
    bed_run(b, 300 * US_PER_S);
    int64_t before = writes(w);
    for (int i = 0; i < 20; i++) {
        char name[TWIN_TEXT];
        snprintf(name, sizeof name, "p%d", i);
        assert_true(in_step(w, name));
    }
    bed_run(b, 11 * 60 * US_PER_S); /* ten cycles */
    full_cycle(b);
    full_cycle(b);
    assert_int_equal(writes(w), before);
}

/* What the history counts is what was written, with rows that fail, batches that are refused and calls that have to
 * wait. Q24 */
static void the_history_counts_what_was_written(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    for (int i = 0; i < 60; i++)
        person(w, i % 2, "p", i);
    w->knobs.partial_pct = 20;
    w->knobs.reject_pct = 20;
    w->knobs.throttle_pct = 10;
    w->faults = true;
    bed_start(b);
    for (int i = 0; i < 60; i++) {
        char name[TWIN_TEXT];
        snprintf(name, sizeof name, "p%d", i);
        user_edit(w, i % 2, KIND_CONTACT, bed_named(w, i % 2, KIND_CONTACT, name), F_TITLE, "edited");
    }
    bed_run(b, 3600 * US_PER_S);
    w->faults = false;
    bed_run(b, 3600 * US_PER_S);
    json_t *out = NULL, *row;
    size_t i;
    int64_t added = 0, updated = 0;
    must(view_history(b->db, "c", 0, NULL, &out, &e), &e);
    json_array_foreach(json_object_get(out, "items"), i, row)
    {
        added += json_integer_value(json_object_get(row, "added"));
        updated += json_integer_value(json_object_get(row, "updated"));
    }
    json_decref(out);
    assert_int_equal(added, w->counts.creates);
    assert_int_equal(updated, w->counts.updates);
    assert_int_equal(added, 60);
    assert_int_equal(updated, 60);
}

/* ---- Q6: webhooks */

static uint32_t dice(uint32_t *x, uint32_t n)
{
    *x = *x * 1664525 + 1013904223;
    return (*x >> 8) % n;
}

static void deliver(struct bed *b, int s, const char *id, uint32_t key)
{
    struct err e = {0};
    char body[40], name[16];
    snprintf(body, sizeof body, "contact %s", id);
    snprintf(name, sizeof name, "k%u", key);
    struct hook_delivery d = {.endpoint = b->twin.endpoint[s], .delivery_key = str_of(name), .body = str_of(body)};
    must(hook_deliver(b->engine, &d, &e), &e);
}

enum { EDITS = 60, PEOPLE = 12 };

/* One delivery in three is lost; the others come ten times, some of them long after, and between them forged ones. */
static void hooks_of(struct bed *b, uint32_t *x, int edit, struct twin_record *const late[EDITS])
{
    if (late[edit] && dice(x, 10) >= 3)
        for (int i = 0; i < 10; i++)
            deliver(b, edit % 2, late[edit]->id, (uint32_t)edit * 16 + (uint32_t)(i % 4));
    int older = edit - (int)dice(x, 20);
    if (older > 0)
        deliver(b, older % 2, late[older]->id, 10000 + (uint32_t)edit);
    deliver(b, 0, "Xx9999", 20000 + (uint32_t)edit);
    deliver(b, 1, late[edit]->id, 30000 + (uint32_t)edit); /* an id of the other system, half of the time */
}

static void story(bool hooks, char out[2][PEOPLE][2][TWIN_TEXT])
{
    void *state = NULL;
    assert_int_equal(bed_setup(&state), 0);
    struct bed *b = state;
    struct world *w = b->world;
    struct twin_record *edited[EDITS] = {NULL};
    uint32_t script = 7, chance = 99;
    for (int i = 0; i < PEOPLE; i++)
        person(w, i % 2, "p", i);
    bed_start(b);
    spy_on(b);
    for (int i = 0; i < EDITS; i++) {
        char name[TWIN_TEXT], text[TWIN_TEXT];
        snprintf(name, sizeof name, "p%u", dice(&script, PEOPLE));
        snprintf(text, sizeof text, "v%d", i);
        edited[i] = bed_named(w, i % 2, KIND_CONTACT, name);
        user_edit(w, i % 2, KIND_CONTACT, edited[i], i % 2 ? F_EXTRA : F_TITLE, text);
        if (hooks)
            hooks_of(b, &chance, i, edited);
        bed_run(b, (1 + dice(&script, 5)) * US_PER_S);
    }
    bed_run(b, 600 * US_PER_S);
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < PEOPLE; i++) {
            char name[TWIN_TEXT];
            snprintf(name, sizeof name, "p%d", i);
            const struct twin_record *r = bed_named(w, s, KIND_CONTACT, name);
            memcpy(out[s][i][0], r->v[F_TITLE], TWIN_TEXT);
            memcpy(out[s][i][1], r->v[F_EXTRA], TWIN_TEXT);
        }
    assert_int_equal(bed_count(w, 0, KIND_CONTACT), PEOPLE);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), PEOPLE);
    assert_int_equal(bed_failures_of(b, NULL), 0);
    bed_teardown(&state);
}

/* The end is the same as without any. Q6 V10 */
static void hooks_of_any_kind_change_nothing(void **state)
{
    static char without[2][PEOPLE][2][TWIN_TEXT], with[2][PEOPLE][2][TWIN_TEXT];
    (void)state;
    story(false, without);
    story(true, with);
    assert_true(spy.gets > 0);
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < PEOPLE; i++)
            for (int f = 0; f < 2; f++)
                assert_string_equal(with[s][i][f], without[s][i][f]);
}

/* A record that is told of four times a second is fetched every two seconds, and its last value arrives. Q6 */
static void a_torrent_of_hooks_is_few_fetches(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *ann = person(w, 0, "p", 1);
    bed_start(b);
    spy_on(b);
    int64_t since = w->now_us;
    for (uint32_t i = 0; i < 80; i++) {
        char text[TWIN_TEXT];
        snprintf(text, sizeof text, "v%u", i);
        user_edit(w, 0, KIND_CONTACT, ann, F_TITLE, text);
        deliver(b, 0, ann->id, i);
        bed_run(b, US_PER_S / 4);
    }
    bed_run(b, 5 * US_PER_S);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "p1")->v[F_TITLE], "v79");
    assert_int_equal(spy.gets_too_soon, 0);
    assert_in_range(spy.gets, 5, (w->now_us - since) / (2 * US_PER_S) + 1);
}

/* ---- Q7, Q8, Q21: time */

/* What shows within the vendor's lateness is in the next pulls; what shows later still is found by the next sweep. Q7
 */
static void commits_that_show_late(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    w->knobs.late_us = 20 * US_PER_S;
    bed_describe(b);
    for (int i = 0; i < 20; i++)
        person(w, 0, "p", i);
    bed_run(b, 60 * US_PER_S);
    bed_start(b);
    for (int i = 0; i < 20; i++) {
        char name[TWIN_TEXT];
        snprintf(name, sizeof name, "p%d", i);
        struct twin_record *r = bed_named(w, 0, KIND_CONTACT, name);
        user_edit(w, 0, KIND_CONTACT, r, F_TITLE, "late");
        r->visible_us = w->now_us + (i % 20) * US_PER_S;
        bed_run(b, 7 * US_PER_S);
    }
    bed_run(b, 120 * US_PER_S);
    for (int i = 0; i < 20; i++) {
        char name[TWIN_TEXT];
        snprintf(name, sizeof name, "p%d", i);
        assert_true(in_step(w, name) && strcmp(bed_named(w, 1, KIND_CONTACT, name)->v[F_TITLE], "late") == 0);
    }
    struct twin_record *r = bed_named(w, 0, KIND_CONTACT, "p3");
    user_edit(w, 0, KIND_CONTACT, r, F_TITLE, "very late");
    r->visible_us = w->now_us + 900 * US_PER_S;
    bed_run(b, 1200 * US_PER_S);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "p3")->v[F_TITLE], "late"); /* no pull looks that far back */
    w->now_us += 7 * US_PER_DAY;
    w->mono_us += 7 * US_PER_DAY;
    bed_run(b, 1200 * US_PER_S);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "p3")->v[F_TITLE], "very late");
}

static void conflict(struct bed *b, int i, const char *first, const char *second)
{
    struct world *w = b->world;
    char name[TWIN_TEXT];
    snprintf(name, sizeof name, "p%d", i);
    user_edit(w, i % 2, KIND_CONTACT, bed_named(w, i % 2, KIND_CONTACT, name), F_TITLE, first);
    w->now_us += 4 * US_PER_S;
    w->mono_us += 4 * US_PER_S;
    user_edit(w, 1 - i % 2, KIND_CONTACT, bed_named(w, 1 - i % 2, KIND_CONTACT, name), F_TITLE, second);
    bed_run(b, 130 * US_PER_S);
    assert_string_equal(bed_named(w, 0, KIND_CONTACT, name)->v[F_TITLE], second);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, name)->v[F_TITLE], second);
}

/* The later edit wins, whatever the vendors' clocks and our own show, and also after ours jumped. Q8 */
static void clocks_an_hour_apart(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    w->knobs.skew_us[0] = 3600 * US_PER_S;
    w->knobs.skew_us[1] = -3600 * US_PER_S;
    for (int i = 0; i < 8; i++)
        person(w, 0, "p", i);
    bed_start(b);
    for (int i = 0; i < 4; i++)
        conflict(b, i, "first", "second");
    b->ahead_us = 3600 * US_PER_S;
    bed_run(b, 600 * US_PER_S); /* the next answers tell what time it is there */
    for (int i = 4; i < 6; i++)
        conflict(b, i, "first", "second");
    b->ahead_us = -3600 * US_PER_S;
    bed_run(b, 2 * 3600 * US_PER_S);
    for (int i = 6; i < 8; i++)
        conflict(b, i, "first", "second");
    int64_t before = writes(w);
    bed_run(b, 1200 * US_PER_S);
    assert_int_equal(writes(w), before);
}

/* An edit is on the other side within 5 s of its webhook, and within the period and 5 s without one. Q21 */
static void how_old_an_edit_gets(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *ann = person(w, 0, "p", 1);
    bed_start(b);
    const struct twin_record *there = bed_named(w, 1, KIND_CONTACT, "p1");
    for (uint32_t i = 0; i < 40; i++) {
        char text[TWIN_TEXT];
        bool hooked = i % 2;
        snprintf(text, sizeof text, "v%u", i);
        user_edit(w, 0, KIND_CONTACT, ann, F_TITLE, text);
        int64_t since = w->now_us;
        if (hooked)
            deliver(b, 0, ann->id, i);
        while (strcmp(there->v[F_TITLE], text) != 0 && w->now_us - since < 100 * US_PER_S)
            bed_run(b, US_PER_S / 10);
        assert_in_range(w->now_us - since, 0, hooked ? 5 * US_PER_S : 65 * US_PER_S);
        bed_run(b, (int64_t)(7 + i * 5 % 31) * US_PER_S);
    }
}

/* ---- Q9 to Q12, Q16: bad days */

/* Ten minutes of 429 on one side: no record fails, the other side is read on, nobody is asked before he wants to be,
 * and soon after it is over the edit is there. Q9 V17 */
static void a_storm_of_refusals(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    for (int i = 0; i < 4; i++)
        person(w, i % 2, "p", i);
    bed_start(b);
    w->faults = true;
    w->storm_until[1] = w->mono_us + 600 * US_PER_S; /* each refusal asks for 30 s */
    spy_on(b);
    int64_t calls = w->counts.throttled;
    for (int i = 0; i < 4; i++) {
        char name[TWIN_TEXT];
        snprintf(name, sizeof name, "p%d", i);
        user_edit(w, 0, KIND_CONTACT, bed_named(w, 0, KIND_CONTACT, name), F_TITLE, "in the storm");
    }
    while (w->mono_us < w->storm_until[1]) {
        w->told_until[1] = w->told_next[1];
        bed_run(b, US_PER_S);
    }
    assert_in_range(w->counts.throttled - calls, 10, 21 + 3); /* every 30 s, and what was under way at first */
    assert_true(spy.pulls[0] >= 9);                           /* one a minute and kind */
    assert_int_equal(bed_failures_of(b, NULL), 0);
    bed_run(b, 35 * US_PER_S);
    for (int i = 0; i < 4; i++) {
        char name[TWIN_TEXT];
        snprintf(name, sizeof name, "p%d", i);
        assert_string_equal(bed_named(w, 1, KIND_CONTACT, name)->v[F_TITLE], "in the storm");
    }
    assert_false(w->violated);
}

static void time_passes(struct bed *b, int seconds)
{
    b->world->now_us += seconds * US_PER_S;
    b->world->mono_us += seconds * US_PER_S;
}

/* Nothing but a call of that kind is under way, and it goes to B. */
static void until_alone(struct bed *b, enum call_kind kind)
{
    const struct twin *t = &b->twin;
    while (!t->queue || t->queue->next || t->queue->kind != kind || t->queue->endpoint != t->endpoint[1]) {
        bool any = twin_step(&b->twin);
        if (engine_turn(b->engine, 0) == 0 && !any)
            time_passes(b, 1);
    }
}

/* proves: V17 */
static void a_refusal_counts_though_the_map_changed(void **state)
{
    static const enum call_kind kinds[] = {CALL_GET, CALL_FIND};
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    person(w, 0, "p", 0);
    bed_start(b);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        person(w, 0, "p", 1 + (int)i); /* looked for at B, made there and read back */
        until_alone(b, kinds[i]);
        must(i ? admin_map_reset(b->engine, "c", "contact", NULL, &e)
               : admin_map_unset(b->engine, "c", "contact", "title", NULL, &e),
             &e);
        w->faults = true;
        w->storm_until[1] = w->mono_us + 30 * US_PER_S;
        assert_true(twin_step(&b->twin));
        engine_turn(b->engine, 0);
        w->told_until[1] = w->told_next[1];
        assert_true(w->told_until[1] > w->mono_us);
        bed_run(b, 60 * US_PER_S);
        w->faults = false;
        bed_run(b, 300 * US_PER_S);
        assert_false(w->violated);
        assert_int_equal(bed_count(w, 1, KIND_CONTACT), 2 + i);
    }
}

/* A's title is mapped to B's department, which was never agreed on: B's record is the newer one, but before its value
 * can be written A's is edited. A write of the phone number in between is no edit of B's department, though it makes
 * the record the younger one. */
static void what_is_left_alone_gets_no_younger(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    w->knobs.can[1][KIND_CONTACT] |= TL_CAN_RETURN_POST; /* the new time is known with the answer */
    struct twin_record *of_a = person(w, 0, "p", 0);
    user_edit(w, 0, KIND_CONTACT, of_a, F_TITLE, "Boss");
    user_edit(w, 0, KIND_CONTACT, of_a, F_EXTRA, "Sales");
    bed_start(b);
    struct twin_record *of_b = bed_named(w, 1, KIND_CONTACT, "p0");
    bed_run(b, 900 * US_PER_S);
    user_edit(w, 0, KIND_CONTACT, of_a, F_PHONE, "+551");
    time_passes(b, 60);
    user_edit(w, 1, KIND_CONTACT, of_b, F_TITLE, "not mapped any more");
    must(admin_map_unset(b->engine, "c", "contact", "title", NULL, &e), &e);
    must(admin_map_unset(b->engine, "c", "contact", "department", NULL, &e), &e);
    must(admin_map_set(b->engine, "c", "contact", &(struct map_ask){.a = "title", .b = "department"}, NULL, &e), &e);
    until_alone(b, CALL_PUSH);
    time_passes(b, 60);
    user_edit(w, 0, KIND_CONTACT, of_a, F_TITLE, "Chief");
    time_passes(b, 60);
    assert_true(twin_step(&b->twin));
    bed_run(b, 900 * US_PER_S);
    assert_string_equal(of_b->v[F_PHONE], "+551");
    assert_string_equal(of_a->v[F_TITLE], "Chief");
    assert_string_equal(of_b->v[F_EXTRA], "Chief");
    assert_false(w->violated);
}

static int ceil_log2(int n)
{
    int bits = 0;
    while ((1 << bits) < n)
        bits++;
    return bits;
}

static void bad_rows(struct bed *b, int bad, int limit)
{
    struct world *w = b->world;
    struct err e = {0};
    w->knobs.bad = 1;
    person(w, 0, "p", 0);
    bed_start(b);
    must(admin_connection_pause(b->engine, "c", NULL, &e), &e);
    for (int i = 1; i <= 200; i++)
        person(w, 0, i % (200 / bad) == 0 ? "bad" : "p", i);
    spy_on(b);
    must(admin_connection_resume(b->engine, "c", NULL, &e), &e);
    bed_run(b, 50 * US_PER_S); /* before anything is tried again */
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 201 - bad);
    assert_int_equal(bed_failures_of(b, NULL), bad);
    assert_in_range(spy.pushes[1], 1, limit);
}

/* A vendor refuses a batch without a word about which row: the good ones land, the bad one is found in at most
 * 2 log2 n + 1 calls. 200 records are ten batches here. Q10 */
static void one_bad_row(void **state)
{
    bad_rows(*state, 1, 9 + 2 * ceil_log2(20) + 1);
}

static void two_bad_rows(void **state)
{
    bad_rows(*state, 2, 8 + 2 * (2 * ceil_log2(20) + 1));
}

static void a_hundred_bad_rows(void **state)
{
    bad_rows(*state, 100, 10 * (2 * 20 - 1));
}

/* A record that kills its connector twice is set aside; the others arrive. Q11 */
static void a_poisonous_record(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    w->knobs.bad = 2;
    for (int i = 0; i < 20; i++)
        person(w, 0, i == 7 ? "bad" : "p", i);
    spy_on(b);
    bed_start(b);
    bed_run(b, 3600 * US_PER_S);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 19);
    assert_int_equal(bed_failures_of(b, "POISON"), 1);
    int pushes = spy.pushes[1];
    user_edit(w, 0, KIND_CONTACT, bed_named(w, 0, KIND_CONTACT, "p3"), F_TITLE, "goes on");
    bed_run(b, 70 * US_PER_S);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "p3")->v[F_TITLE], "goes on");
    assert_int_equal(spy.pushes[1], pushes + 1);
}

/* A connector leaves the result of one record out, each time, and has not written it: that is looked up, tried again
 * less and less often, and told in the end. The others go on, and so does the record once it gets a result. proves: Q10
 */
static void no_result_for_one(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    bed_start(b);
    w->knobs.bad = 3;
    for (int i = 0; i < 20; i++)
        person(w, 0, i == 7 ? "bad" : "p", i);
    spy_on(b);
    bed_run(b, 6 * 3600 * US_PER_S);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 19);
    assert_int_equal(bed_failures_of(b, "PLUGIN_PROTOCOL"), 1);
    json_t *list = bed_failures(b, false);
    const char *words =
        json_string_value(json_object_get(json_array_get(json_object_get(list, "items"), 0), "vendor_text"));
    assert_non_null(strstr(words, "no result"));
    json_decref(list);
    assert_true(spy.pushes[1] < 20 + 12);
    int pushes = spy.pushes[1];
    bed_run(b, 3600 * US_PER_S);
    assert_int_equal(spy.pushes[1], pushes);
    w->knobs.bad = 0;
    struct failure_pick all = {.connection = "c"};
    struct err e = {0};
    must(admin_failure_retry(b->engine, &all, NULL, &e), &e);
    bed_run(b, 300 * US_PER_S);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 20);
    assert_int_equal(bed_failures_of(b, NULL), 0);
}

/* The same for an update. proves: Q10 */
static void no_result_for_an_update(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    person(w, 0, "p", 1);
    bed_start(b);
    w->knobs.bad = 3;
    user_edit(w, 0, KIND_CONTACT, bed_named(w, 0, KIND_CONTACT, "p1"), F_TITLE, "bad title");
    spy_on(b);
    bed_run(b, 6 * 3600 * US_PER_S);
    assert_int_equal(bed_failures_of(b, "PLUGIN_PROTOCOL"), 1);
    assert_true(spy.pushes[1] <= 12);
    user_edit(w, 0, KIND_CONTACT, bed_named(w, 0, KIND_CONTACT, "p1"), F_TITLE, "good title");
    bed_run(b, 300 * US_PER_S);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "p1")->v[F_TITLE], "good title");
    assert_int_equal(bed_failures_of(b, NULL), 0);
}

/* The connector leaves after so many steps, takes what is under way with it, and comes back after ten minutes. */
static void leave_after(int steps)
{
    void *state = NULL;
    assert_int_equal(bed_setup(&state), 0);
    struct bed *b = state;
    struct world *w = b->world;
    struct err e = {0};
    struct sync_request r = {.connection = "c"};
    for (int i = 0; i < 24; i++)
        person(w, i % 2, "p", i);
    must(admin_sync_start(b->engine, &r, NULL, &e), &e);
    for (int i = 0; i < steps; i++) {
        engine_turn(b->engine, 0);
        twin_step(&b->twin);
        w->now_us += US_PER_S / 50;
        w->mono_us += US_PER_S / 50;
    }
    b->twin.unloaded = true;
    struct call *c;
    while ((c = b->twin.queue) != NULL) { /* drained: what was in flight ends without an answer */
        b->twin.queue = c->next;
        c->reply.status = c->kind == CALL_PUSH ? TL_E_UNKNOWN : TL_E_CANCELLED;
        c->done(c);
    }
    int64_t calls = w->counts.calls;
    bed_run(b, 600 * US_PER_S);
    assert_int_equal(w->counts.calls, calls);
    b->twin.unloaded = false;
    for (int s = 0; s < 2; s++)
        engine_endpoint_ready(b->engine, b->twin.endpoint[s]);
    bed_run(b, 3600 * US_PER_S);
    assert_false(w->violated); /* the twin looks that nothing is asked of a connector that is not there */
    assert_int_equal(bed_count(w, 0, KIND_CONTACT), 24);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 24);
    assert_int_equal(bed_failures_of(b, NULL), 0);
    bed_teardown(&state);
}

/* Q12 */
static void the_connector_leaves_in_the_middle(void **state)
{
    (void)state;
    for (int steps = 0; steps < 40; steps++)
        leave_after(steps);
}

/* 60 of 100 records are not shown any more: nothing is made again, the link stops until a person says so. 20 of 100
 * are: that may be work. Q16 */
static void hidden(struct bed *b, int percent, bool stops)
{
    struct world *w = b->world;
    struct err e = {0};
    for (int i = 0; i < 100; i++)
        person(w, 0, "p", i);
    bed_start(b);
    int64_t creates = w->counts.creates;
    w->hidden[1][KIND_CONTACT] = percent;
    full_cycle(b);
    for (int i = 0; i < 100; i++) {
        char name[TWIN_TEXT];
        snprintf(name, sizeof name, "p%d", i);
        if (stops)
            user_edit(w, 0, KIND_CONTACT, bed_named(w, 0, KIND_CONTACT, name), F_TITLE, "edited");
    }
    bed_run(b, 3600 * US_PER_S);
    assert_int_equal(w->counts.creates, creates);
    json_t *out = NULL;
    must(view_link(b->db, "c", "contact", &out, &e), &e);
    bool stopped = json_is_string(json_object_get(out, "brake_code"));
    json_decref(out);
    assert_int_equal(stopped, stops);
    w->hidden[1][KIND_CONTACT] = 0;
    if (stops)
        must(admin_connection_release(b->engine, "c", NULL, &e), &e);
    full_cycle(b);
    bed_run(b, 3600 * US_PER_S);
    assert_int_equal(w->counts.creates, creates);
    assert_true(in_step(w, "p5") && in_step(w, "p77"));
}

static void most_of_a_view_vanishes(void **state)
{
    hidden(*state, 60, true);
}

static void some_of_a_view_vanishes(void **state)
{
    hidden(*state, 20, false);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, bed_setup, bed_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(no_double_where_stamps_are_unique),
        T(no_double_where_stamps_are_found),
        T(converge_and_go_quiet),
        T(the_history_counts_what_was_written),
        cmocka_unit_test(hooks_of_any_kind_change_nothing),
        T(a_torrent_of_hooks_is_few_fetches),
        T(commits_that_show_late),
        T(clocks_an_hour_apart),
        T(how_old_an_edit_gets),
        T(a_storm_of_refusals),
        T(a_refusal_counts_though_the_map_changed),
        T(what_is_left_alone_gets_no_younger),
        T(one_bad_row),
        T(two_bad_rows),
        T(a_hundred_bad_rows),
        T(a_poisonous_record),
        T(no_result_for_one),
        T(no_result_for_an_update),
        cmocka_unit_test(the_connector_leaves_in_the_middle),
        T(most_of_a_view_vanishes),
        T(some_of_a_view_vanishes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
